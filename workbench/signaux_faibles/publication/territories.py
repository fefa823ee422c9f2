"""Départements and régions, those of 2016 and those before: what badges of a place open."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from workbench.signaux_faibles.variables.regions import METROPOLE, OUTRE_MER

__all__ = ["DEPARTEMENTS", "FORMER_REGIONS", "FRANCE", "REGIONS", "opens", "region_of"]

FRANCE = "France entière"
"""The badge that opens every département."""

DEPARTEMENTS: Mapping[str, str] = {
    "01": "Ain", "02": "Aisne", "03": "Allier", "04": "Alpes-de-Haute-Provence", "05": "Hautes-Alpes",
    "06": "Alpes-Maritimes", "07": "Ardèche", "08": "Ardennes", "09": "Ariège", "10": "Aube", "11": "Aude",
    "12": "Aveyron", "13": "Bouches-du-Rhône", "14": "Calvados", "15": "Cantal", "16": "Charente",
    "17": "Charente-Maritime", "18": "Cher", "19": "Corrèze", "2A": "Corse-du-Sud", "2B": "Haute-Corse",
    "21": "Côte-d'Or", "22": "Côtes-d'Armor", "23": "Creuse", "24": "Dordogne", "25": "Doubs", "26": "Drôme",
    "27": "Eure", "28": "Eure-et-Loir", "29": "Finistère", "30": "Gard", "31": "Haute-Garonne", "32": "Gers",
    "33": "Gironde", "34": "Hérault", "35": "Ille-et-Vilaine", "36": "Indre", "37": "Indre-et-Loire", "38": "Isère",
    "39": "Jura", "40": "Landes", "41": "Loir-et-Cher", "42": "Loire", "43": "Haute-Loire",
    "44": "Loire-Atlantique", "45": "Loiret", "46": "Lot", "47": "Lot-et-Garonne", "48": "Lozère",
    "49": "Maine-et-Loire", "50": "Manche", "51": "Marne", "52": "Haute-Marne", "53": "Mayenne",
    "54": "Meurthe-et-Moselle", "55": "Meuse", "56": "Morbihan", "57": "Moselle", "58": "Nièvre", "59": "Nord",
    "60": "Oise", "61": "Orne", "62": "Pas-de-Calais", "63": "Puy-de-Dôme", "64": "Pyrénées-Atlantiques",
    "65": "Hautes-Pyrénées", "66": "Pyrénées-Orientales", "67": "Bas-Rhin", "68": "Haut-Rhin", "69": "Rhône",
    "70": "Haute-Saône", "71": "Saône-et-Loire", "72": "Sarthe", "73": "Savoie", "74": "Haute-Savoie",
    "75": "Paris", "76": "Seine-Maritime", "77": "Seine-et-Marne", "78": "Yvelines", "79": "Deux-Sèvres",
    "80": "Somme", "81": "Tarn", "82": "Tarn-et-Garonne", "83": "Var", "84": "Vaucluse", "85": "Vendée",
    "86": "Vienne", "87": "Haute-Vienne", "88": "Vosges", "89": "Yonne", "90": "Territoire de Belfort",
    "91": "Essonne", "92": "Hauts-de-Seine", "93": "Seine-Saint-Denis", "94": "Val-de-Marne", "95": "Val-d'Oise",
    "971": "Guadeloupe", "972": "Martinique", "973": "Guyane", "974": "La Réunion",
    "975": "Saint-Pierre-et-Miquelon", "976": "Mayotte", "977": "Saint-Barthélemy", "978": "Saint-Martin",
}  # fmt: skip
"""Names by code (INSEE, code officiel géographique)."""

REGIONS: Mapping[str, tuple[str, ...]] = {
    name: tuple(code for code in codes.split() if code != "20") for name, codes in {**METROPOLE, **OUTRE_MER}.items()
}
"""Départements of each région since 2016; Corse has two."""

FORMER_REGIONS: Mapping[str, tuple[str, ...]] = {
    name: tuple(codes.split())
    for name, codes in {
        "Alsace": "67 68",
        "Aquitaine": "24 33 40 47 64",
        "Auvergne": "03 15 43 63",
        "Basse-Normandie": "14 50 61",
        "Bourgogne": "21 58 71 89",
        "Centre": "18 28 36 37 41 45",
        "Champagne-Ardenne": "08 10 51 52",
        "Franche-Comté": "25 39 70 90",
        "Haute-Normandie": "27 76",
        "Languedoc-Roussillon": "11 30 34 48 66",
        "Limousin": "19 23 87",
        "Lorraine": "54 55 57 88",
        "Midi-Pyrénées": "09 12 31 32 46 65 81 82",
        "Nord-Pas-de-Calais": "59 62",
        "Picardie": "02 60 80",
        "Poitou-Charentes": "16 17 79 86",
        "Rhône-Alpes": "01 07 26 38 42 69 73 74",
    }.items()
}
"""Those of the régions that were merged in 2016."""

_REGION = {code: region for region, codes in REGIONS.items() for code in codes}


def region_of(departement: str | None) -> str | None:
    """Return the région of a département; None when it is not one.

    Examples
    --------
    >>> region_of("2A"), region_of("29"), region_of("97")
    ('Corse', 'Bretagne', None)
    """
    return _REGION.get(departement or "")


def opens(badges: Collection[str], departement: str) -> bool:
    """Tell whether badges of zones open a département.

    Examples
    --------
    >>> opens({"Bretagne"}, "35"), opens({"35"}, "35"), opens({"Picardie"}, "35"), opens({"Bretagne"}, "")
    (True, True, False, False)
    """
    zones = {FRANCE: tuple(DEPARTEMENTS), **FORMER_REGIONS, **REGIONS}
    return departement in badges or any(departement in codes for name, codes in zones.items() if name in badges)
