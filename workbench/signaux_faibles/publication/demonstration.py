"""A fictitious publication, made up in a second: two lists, companies of every kind, actors of different rights.

Nobody is described: the check digit of every SIREN is wrong. It is one module because it is one story: the named cases
(`CASES`), the figures that are planted among them, and the numbers around. Confidential figures are planted so that a
search finds them wherever they should not be: no other figure is written with their digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from types import SimpleNamespace
from typing import Any

from workbench.numbers import format_number
from workbench.signaux_faibles.detection.alerts import list_label
from workbench.signaux_faibles.detection.columns import THEMES
from workbench.signaux_faibles.detection.thresholds import Level
from workbench.signaux_faibles.history.sirene_views import SECTIONS
from workbench.signaux_faibles.publication.labels import label_sheets
from workbench.signaux_faibles.publication.objects import (
    ALERTS,
    COMMENT,
    COMPANY,
    DETAIL,
    DETECTION,
    FOLLOW,
    IDENTITY,
    LIST,
    OPINION,
    PUBLIC,
    REFERENCE,
    WRITER,
    Place,
    batch_of,
    key_of,
    shared_sheets_of,
)
from workbench.signaux_faibles.publication.rights import AUTHOR, POLICIES, policy_sheets
from workbench.signaux_faibles.publication.territories import region_of
from workbench.store import Desk, Store, StoreDoor

__all__ = ["ACTORS", "ALGO", "BATCHES", "CASES", "PUBLISHER", "Actor", "Planted", "publish_fictitious", "spellings"]

ALGO = "demonstration"
BATCHES = ("2601", "2602")
"""The two lists, the oldest first."""

PUBLISHER = SimpleNamespace(email="publication@exemple.fr", badges=frozenset({WRITER, "manager"}))
"""Who publishes."""


@dataclass(frozen=True)
class Actor:
    """A demonstration user: an e-mail address, a name and badges."""

    email: str
    name: str
    badges: frozenset[str]


ACTORS: Mapping[str, Actor] = {
    "sans_droit": Actor("sans.droit@exemple.fr", "Sacha Sansdroit", frozenset()),
    "zone": Actor("zone@exemple.fr", "Zoé Bretonne", frozenset({"detection", "Bretagne"})),
    "zone_urssaf": Actor(
        "zone.urssaf@exemple.fr", "Ursule Bretonne", frozenset({"detection", "score", "urssaf", "Bretagne"})
    ),
    "national": Actor(
        "national@exemple.fr",
        "Nadia Nationale",
        frozenset({"detection", "score", "urssaf", "dgefp", "bdf", "pge", "stats", "France entière"}),
    ),
}
"""No right; a zone only; a zone, levels and the URSSAF; everything."""

CASES = (
    "alerte", "plusieurs_departements", "nouvelle", "perdue", "sortie", "sans_alerte", "hors_zone", "fermee",
    "plan_continuation", "sauvegarde", "plan_sauvegarde", "redressement", "liquidation", "moderee", "suivie",
    "sans_donnees",
)  # fmt: skip
"""Named companies, in this order: ``planted.siret[name]`` is the head office. ``alerte`` is high in both lists, in 29;
``plusieurs_departements`` has its head office in 35 and others in 29, 75 and 01; ``nouvelle`` is in alert for the first
time in the second list; ``perdue`` no longer is; ``sortie`` is in the first list only; ``hors_zone`` is in 59, in
alert; ``fermee`` has a closed head office; ``suivie``, in 59 and never in alert, is followed by ``zone_urssaf``;
``sans_donnees`` has only an identity and a level."""

_PROCEDURES = {
    "plan_continuation": "Plan de redressement",
    "sauvegarde": "Sauvegarde",
    "plan_sauvegarde": "Plan de sauvegarde",
    "redressement": "Redressement judiciaire",
    "liquidation": "Liquidation judiciaire",
}
_TOWNS = {
    "29": ("BREST", "29200", 48.39, -4.486), "35": ("RENNES", "35000", 48.117, -1.678),
    "22": ("SAINT-BRIEUC", "22000", 48.514, -2.765), "56": ("VANNES", "56000", 47.658, -2.76),
    "59": ("LILLE", "59000", 50.629, 3.057), "75": ("PARIS 11", "75011", 48.859, 2.378),
    "01": ("BOURG-EN-BRESSE", "01000", 46.205, 5.225), "2A": ("AJACCIO", "20000", 41.927, 8.734),
    "33": ("BORDEAUX", "33000", 44.838, -0.579), "69": ("LYON 3", "69003", 45.76, 4.85),
    "974": ("SAINT-DENIS", "97400", -20.882, 55.45), "13": ("MARSEILLE 6", "13006", 43.287, 5.381),
}  # fmt: skip
_ACTIVITIES = {
    "10.71A": "Fabrication industrielle de pain et de pâtisserie fraîche",
    "25.62B": "Mécanique industrielle",
    "16.24Z": "Fabrication d'emballages en bois",
    "41.20A": "Construction de maisons individuelles",
    "43.22A": "Travaux d'installation d'eau et de gaz en tous locaux",
    "46.39B": "Commerce de gros alimentaire non spécialisé",
    "49.41A": "Transports routiers de fret interurbains",
    "56.10A": "Restauration traditionnelle",
    "62.02A": "Conseil en systèmes et logiciels informatiques",
    "86.90A": "Ambulances",
}
_ALONE = ("sirene", "explication")
_WORDS = ("ATELIERS", "MÉCANIQUE", "BOIS", "ÉTABLISSEMENTS", "TRANSPORTS", "SOCIÉTÉ", "BOULANGERIE", "BÂTIMENT")
_NAMES = ("DE L'AUBÉPINE", "DU GOËLAND", "DES TROIS-CHÊNES", "LE GUENNEC", "FŒDERIS", "D'ARMOR", "SAINT-ÉLOI", "NOËL")


@dataclass(frozen=True)
class Planted:
    """What was published, for who checks what is shown.

    Parameters
    ----------
    siret, siren
        Of the named cases: head office, company.
    urssaf, dgefp, bdf, score
        Confidential figures, each written nowhere else: euros, hours, thousands of euros, and probabilities.
    sirets
        Of each établissement, in order.
    batches
        The pairs that name the lists, the oldest first.
    sheets
        How many were written.
    """

    siret: Mapping[str, str]
    siren: Mapping[str, str]
    urssaf: frozenset[int]
    dgefp: frozenset[int]
    bdf: frozenset[int]
    score: frozenset[float]
    sirets: tuple[str, ...]
    batches: tuple[str, ...]
    sheets: int


def spellings(figure: float) -> tuple[str, ...]:
    """Return the ways that a planted figure is written: plain, with each of the spaces of thousands, with a comma.

    Examples
    --------
    >>> spellings(7301942)[0], len(spellings(7301942)), spellings(0.73194201)
    ('7301942', 4, ('0.73194201', '0,73194201', '73194201'))
    """
    if isinstance(figure, int):
        grouped = f"{figure:_}"
        return tuple(
            dict.fromkeys((str(figure), *(grouped.replace("_", space) for space in (" ", "\u00a0", "\u202f"))))
        )
    text = f"{figure:.8f}"
    return text, text.replace(".", ","), text.removeprefix("0.")


def _siren(number: int) -> str:
    """Return a SIREN whose check digit is wrong."""
    root = f"8{number:07d}"
    total = sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(root))
    return root + str((11 - total % 10) % 10)


def _months(last: tuple[int, int], count: int) -> list[str]:
    end = last[0] * 12 + last[1] - 1
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(end - count + 1, end + 1)]


class _Secret:
    """Draws figures that are each planted once: seven digits that begin with 73, and probabilities of eight."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw
        self.taken: dict[str, set[Any]] = {"urssaf": set(), "dgefp": set(), "bdf": set(), "score": set()}
        self._free = list(range(7_300_001, 7_399_999, 2))
        draw.shuffle(self._free)

    def amount(self, badge: str) -> int:
        figure = self._free.pop()
        self.taken[badge].add(figure)
        return figure

    def score(self, low: float, high: float) -> float:
        figure = round(self._draw.uniform(low, high), 6) + 1e-8 * self._draw.randrange(1, 99)
        figure = round(figure, 8)
        self.taken["score"].add(figure)
        return figure


@dataclass(frozen=True)
class _Company:
    name: str
    siren: str
    raison_sociale: str
    ape: str
    places: tuple[tuple[str, str, bool], ...]
    """SIRET, département, closed."""
    levels: tuple[Level | None, Level | None]
    procedure: str
    effectif: int

    @property
    def departements(self) -> tuple[str, ...]:
        return tuple(sorted({place for _, place, _ in self.places}))

    @property
    def siret(self) -> str:
        return self.places[0][0]

    @property
    def alerted(self) -> bool:
        return any(level is not None and level.rank for level in self.levels)

    @property
    def empty(self) -> bool:
        return self.name == "sans_donnees"


_HIGH, _MODERATE, _NONE = Level.HIGH, Level.MODERATE, Level.NONE
_TOLD: Mapping[str, tuple[tuple[str, ...], tuple[Level | None, Level | None]]] = {
    "alerte": (("29",), (_HIGH, _HIGH)),
    "plusieurs_departements": (("35", "29", "75", "01"), (_MODERATE, _HIGH)),
    "nouvelle": (("29",), (_NONE, _HIGH)),
    "perdue": (("56",), (_MODERATE, _NONE)),
    "sortie": (("22",), (_HIGH, None)),
    "sans_alerte": (("35",), (_NONE, _NONE)),
    "hors_zone": (("59",), (_HIGH, _HIGH)),
    "fermee": (("29",), (_HIGH, _MODERATE)),
    **dict.fromkeys(_PROCEDURES, (("35",), (_HIGH, _HIGH))),
    "moderee": (("22",), (_MODERATE, _MODERATE)),
    "suivie": (("59",), (_NONE, _NONE)),
    "sans_donnees": (("56",), (_HIGH, _HIGH)),
}


def _companies(number: int, draw: Random) -> Iterator[_Company]:
    departements = list(_TOWNS)
    for place in range(number):
        name = CASES[place] if place < len(CASES) else ""
        siren = _siren(place + 1)
        if name:
            where, levels = _TOLD[name]
        else:
            count = 1 if draw.random() < 0.6 else 2 + (draw.random() < 0.3)
            where = tuple(draw.choice(departements) for _ in range(count))
            drawn = tuple(draw.choices((_HIGH, _MODERATE, _NONE), (15, 35, 50))[0] for _ in range(2))
            levels = (drawn[0], drawn[1] if draw.random() < 0.3 else drawn[0])
        closed = name == "fermee" or (not name and draw.random() < 0.04)
        yield _Company(
            name,
            siren,
            f"{draw.choice(_WORDS)} {draw.choice(_NAMES)} {place + 1}",
            draw.choice(list(_ACTIVITIES)),
            tuple((f"{siren}{nic:05d}", code, closed and nic == 1) for nic, code in enumerate(where, 1)),
            levels,
            name if name in _PROCEDURES else (draw.choice(list(_PROCEDURES)) if draw.random() < 0.05 else "in_bonis"),
            max(10, round(10 * 60 ** draw.random())),
        )


def _section(ape: str) -> str:
    return next(letter for letter, (first, last, _) in SECTIONS.items() if first <= ape[:2] <= last)


def _identity(company: _Company, siret: str, departement: str, closed: bool) -> dict[str, Any]:
    town, postal, latitude, longitude = _TOWNS[departement]
    nic = int(siret[9:])
    return {
        "raison_sociale": company.raison_sociale,
        "siege": nic == 1,
        "departement": departement,
        "region": region_of(departement),
        "commune": town,
        "code_postal": postal,
        "adresse": f"{nic} RUE DES FICTIONS, {postal} {town}",
        "activite": company.ape,
        "libelle_activite": _ACTIVITIES[company.ape],
        "section": _section(company.ape),
        "categorie_juridique": "5710",
        "etat_administratif": "F" if closed else "A",
        "date_creation": f"{1985 + int(company.siren[5:8]) % 40}-0{1 + nic % 9}-01",
        "latitude": round(latitude + int(company.siren[6:8]) / 1000, 5),
        "longitude": round(longitude + nic / 1000, 5),
    }


def _finances(company: _Company, draw: Random) -> list[dict[str, Any]]:
    if company.empty:
        return []
    revenue = company.effectif * draw.uniform(90, 180)
    found = []
    for year in range(2020, 2026):
        revenue *= draw.uniform(0.85, 1.12)
        margin = draw.uniform(-0.06, 0.09)
        found.append(
            {
                "annee": year,
                "date_cloture": f"{year}-12-31",
                "source": "diane",
                "ca": round(revenue),
                "marge_commerciale": round(revenue * 0.4),
                "excedent_brut_d_exploitation": round(revenue * (margin + 0.03)),
                "resultat_expl": round(revenue * margin),
                "resultat_net": round(revenue * margin * 0.7),
                "autonomie_financiere": round(draw.uniform(5, 50), 1),
                "taux_endettement": round(draw.uniform(10, 180), 1),
                "liquidite_generale": round(draw.uniform(0.6, 2.4), 2),
                "credit_client": round(draw.uniform(20, 80)),
                "credit_fournisseur": round(draw.uniform(30, 110)),
                "rotation_stocks": round(draw.uniform(5, 90)),
                "marge_ebe": round(100 * (margin + 0.03), 1),
            }
        )
    return found


_QUANTILES = {
    "marge_ebe": [-3.1, 1.8, 5.2, 9.6, 15.4],
    "autonomie_financiere": [6.0, 17.5, 31.0, 47.2, 62.0],
    "liquidite_generale": [0.8, 1.1, 1.4, 1.9, 2.8],
    "credit_client": [12, 28, 46, 67, 92],
    "credit_fournisseur": [21, 36, 52, 71, 98],
    "rotation_stocks": [2, 9, 24, 51, 96],
}


def _company_facts(company: _Company, months: list[str], draw: Random, secret: _Secret) -> dict[str, Any]:
    staff = [
        {"periode": month, "effectif": max(1, company.effectif - (place // 3 if company.alerted else 0))}
        for place, month in enumerate(months)
    ]
    return {
        "sirene_ul": {
            "raison_sociale": company.raison_sociale,
            "statut_juridique": "5710",
            "libelle_statut": "Société commerciale",
            "activite_principale": company.ape,
            "date_creation": _identity(company, *company.places[0])["date_creation"],
            "est_actif": not company.places[0][2],
        },
        "etablissements": [
            {
                **{
                    name: value
                    for name, value in _identity(company, *each).items()
                    if name in ("siege", "departement", "commune", "activite", "etat_administratif")
                    or name in ("latitude", "longitude")
                },
                "siret": each[0],
                "effectif": None if company.empty else max(1, company.effectif // len(company.places)),
            }
            for each in company.places
        ],
        "effectif": [] if company.empty else staff,
        "finances": _finances(company, draw),
        "paydex": [] if company.empty else [
            {"date_valeur": f"{month}-15", "nb_jours": draw.randrange(0, 60)} for month in months[-12:]
        ],
        "quantiles": {"secteur": company.ape[:2], "classe": "2 à 10 M€", **_QUANTILES},
        "debit": [] if company.empty else [
            {"periode": months[-1], "part_ouvriere": secret.amount("urssaf"), "part_patronale": secret.amount("urssaf")}
        ],
        "cotisation": [] if company.empty else [{"periode": months[-1], "du": secret.amount("urssaf")}],
        "apconso": [] if company.empty else [
            {"periode": months[-1], "heures": secret.amount("dgefp"), "effectif": 4, "montant": None}
        ],
        "bdf": [] if company.empty else [
            {"annee": 2024, "ca": secret.amount("bdf"), "resultat_net": -12, "poids_frng": 4.2}
        ],
    }  # fmt: skip


def _place_facts(company: _Company, each: tuple[str, str, bool], months: list[str], secret: _Secret) -> dict[str, Any]:
    facts: dict[str, Any] = {"sirene": _identity(company, *each)}
    if company.empty:
        return facts | {name: [] for scoped in DETAIL.scoped for name in scoped.properties if name not in _ALONE}
    size = max(1, company.effectif // len(company.places))
    owing = company.alerted
    planted = {len(months) - 1, len(months) - 6}
    late = [secret.amount("urssaf") if place in planted else None for place in range(len(months))]
    year = int(months[-1][:4])
    return facts | {
        "effectif": [
            {"periode": month, "effectif": max(1, size - (place // 3 if company.alerted else 0))}
            for place, month in enumerate(months)
        ],
        "procedure_collective": [] if company.procedure == "in_bonis" else [
            {
                "date_effet": f"{year - 1}-03-15",
                "action": company.procedure.removeprefix("plan_").replace("continuation", "redressement"),
                "stade": "plan_continuation" if company.procedure.startswith("plan_") else "ouverture",
                "libelle": _PROCEDURES[company.procedure],
            }
        ],
        "debit": [
            {
                "periode": month,
                "part_patronale": late[place] or (size * 310 * (place - 10) if owing and place > 10 else 0),
                "part_ouvriere": size * 90 if owing and place > 14 else 0,
            }
            for place, month in enumerate(months)
        ],
        "cotisation": [
            {"periode": month, "du": secret.amount("urssaf") if place == 3 else size * 980 + place}
            for place, month in enumerate(months)
        ],
        "delai": [] if not owing or int(company.siren[7]) % 2 else [
            {
                "date_creation": f"{year - 1}-09-01",
                "date_echeance": f"{year}-09-01",
                "duree_delai": 365,
                "montant_echeancier": secret.amount("urssaf"),
                "stade": "APPROB",
                "action": "SUR PO",
            }
        ],
        "apconso": [
            {"periode": month, "heures": secret.amount("dgefp") if place == 2 else size * 20, "effectif": size,
             "montant": size * 160}
            for place, month in enumerate(months[-6:])
        ] if owing else [],
        "apdemande": [
            {
                "periode_debut": f"{months[-6]}-01",
                "periode_fin": f"{months[-1]}-28",
                "hta": secret.amount("dgefp"),
                "effectif": size,
                "effectif_autorise": size,
                "motif": "Conjoncture économique",
            }
        ] if owing else [],
    }  # fmt: skip


def _explanation(score: float, draw: Random) -> dict[str, Any]:
    weights = {theme: draw.uniform(-0.3, 1) for theme in THEMES}
    whole = sum(weights.values())
    variables = {
        "sante_financiere": ("marge_ebe", "ratio_de_liquidite"),
        "dette_urssaf": ("dette_sociale_patronale", "dette_sur_cotisation_mean12m"),
        "activite_partielle": ("ap_heures_consommees",),
        "paiement_fournisseurs": ("paydex_nb_jours",),
        "effectif": ("effectif",),
    }
    start = 0.08
    points = {theme: 100 * (score - start) * weight / whole for theme, weight in weights.items()}
    ranked = sorted(points, key=lambda theme: -points[theme])
    return {
        "probabilite": score,
        "depart": start,
        "seuils": {"modere": 0.2, "fort": 0.5},
        "themes": points,
        "variables": {
            theme: {name: value / len(variables[theme]) for name in variables[theme]} for theme, value in points.items()
        },
        "radar": {theme: round(0.5 + points[theme] / 250, 4) for theme in points},
        "concerne": [[theme, variables[theme][0]] for theme in ranked if points[theme] > 0],
        "rassure": [[theme, variables[theme][0]] for theme in reversed(ranked) if points[theme] < 0],
        "phrases": [
            f"{THEMES[theme][0]} : augmente le risque de {format_number(points[theme], 1)} points."
            for theme in ranked[:2]
        ],
    }


def _score(level: Level, secret: _Secret) -> float:
    low, high = {2: (0.5, 0.98), 1: (0.2, 0.5), 0: (0.01, 0.2)}[level.rank]
    return secret.score(low, high)


def _detection(
    company: _Company, number: int, scores: list[float | None], finances: list[dict[str, Any]]
) -> dict[str, Any]:
    level, score = company.levels[number], scores[number]
    assert level is not None  # noqa: S101 - narrows the type
    identity = _identity(company, *company.places[0])
    last, before = (finances[-1], finances[-2]) if finances else ({}, {})
    ranks = [each.rank for each in company.levels[: number + 1] if each is not None]

    def change(name: str) -> float | None:
        return round(last[name] / before[name], 3) if before.get(name) else None

    return identity | {
        "acteurs": [],
        "dernier_effectif": None if company.empty else company.effectif,
        "variation_effectif": None if company.empty else (0.93 if company.alerted else 1.01),
        "annee_ca": last.get("annee"),
        "ca": last.get("ca"),
        "variation_ca": change("ca"),
        "excedent_brut_d_exploitation": last.get("excedent_brut_d_exploitation"),
        "resultat_expl": last.get("resultat_expl"),
        "variation_resultat_expl": change("resultat_expl"),
        "departements": list(company.departements),
        "etat_procol": company.procedure,
        "date_procol": None if company.procedure == "in_bonis" else "2025-03-15",
        "connu": int(company.siren[6:8]) % 7 == 0,
        "score": score,
        "alert": level.value,
        "diff": None if number == 0 or scores[0] is None or score is None else round(score - scores[0], 8),
        "premiere_alerte": bool(ranks[-1]) and not any(ranks[:-1]),
        "urssaf": company.alerted and not company.empty,
        "delai_urssaf": company.alerted and int(company.siren[7]) % 2 == 0,
        "activite_partielle": company.alerted and not company.empty,
    }


def _sheets(companies: list[_Company], draw: Random, secret: _Secret) -> Iterator[dict[str, Any]]:
    for company in companies:
        place = Place(company.departements, company.alerted)
        staff = {"dernier_effectif": None if company.empty else company.effectif}
        for each in company.places:
            facts = _identity(company, *each)
            key = key_of(IDENTITY, {"siret": each[0], "siren": company.siren})
            yield from shared_sheets_of(IDENTITY, key, {"sirene": facts, **facts, **staff}, place)
        scores = [None if level is None else _score(level, secret) for level in company.levels]
        for number, batch in enumerate(BATCHES):
            if company.levels[number] is None:
                continue
            pair = batch_of(batch, ALGO)
            last = number == len(BATCHES) - 1 or company.levels[-1] is None
            months = _months((2000 + int(batch[:2]), int(batch[2:])), 24)
            told = {"siren": company.siren, "batch": pair}
            whole = _company_facts(company, months, draw, secret)
            if last or company.name:
                yield from shared_sheets_of(COMPANY, key_of(COMPANY, told), whole, place)
            # Of the other companies, the details of the list before are left out: it would take twice as long.
            for each in company.places if last or company.name else ():
                key = key_of(DETAIL, told | {"siret": each[0]}, region=region_of(each[1]))
                facts = _place_facts(company, each, months, secret)
                score, level = scores[number], company.levels[number]
                if each[0] == company.siret and level is not None and level.rank and score is not None:
                    facts["explication"] = _explanation(score, draw)
                yield from shared_sheets_of(DETAIL, key, facts, place)
            region = region_of(company.places[0][1])
            key = key_of(DETECTION, told | {"siret": company.siret}, region=region)
            yield from shared_sheets_of(DETECTION, key, _detection(company, number, scores, whole["finances"]), place)


def _lists(companies: Sequence[_Company]) -> Iterator[dict[str, Any]]:
    for number, batch in enumerate(BATCHES):
        year, month = 2000 + int(batch[:2]), int(batch[2:])
        about = {
            "libelle": list_label(batch),
            "algo": ALGO,
            "periode": f"{year}-{month:02d}",
            "date": date(year, month, 28).isoformat(),
            "donnees": dict.fromkeys(("effectif", "cotisation", "debit", "procol", "sirene"), f"{year}-{month:02d}-15"),
            "seuils": {"modere": 0.2, "fort": 0.5},
            "carte": None,
        }
        key = key_of(LIST, {"batch": batch_of(batch, ALGO)})
        yield from shared_sheets_of(LIST, key, about, Place((), alerted=False))
        levels = ((each.siren, each.levels[number]) for each in companies)
        alerts = sorted(siren for siren, level in levels if level is not None and level.rank)
        key = key_of(ALERTS, {"batch": batch_of(batch, ALGO)})
        yield from shared_sheets_of(ALERTS, key, {"sirens": alerts}, Place((), alerted=False))


def _written(planted: Mapping[str, str]) -> dict[str, list[tuple[Actor, dict[str, Any]]]]:
    """What agents wrote, by bucket: a thread of comments, follows, opinions."""
    zone, national = ACTORS["zone_urssaf"], ACTORS["national"]

    def on(name: str, actor: Actor, **pairs: str) -> dict[str, str]:
        return {"siret": planted[name], "siren": planted[name][:9], "author": actor.email, **pairs}

    def said(actor: Actor, day: str, text: str) -> dict[str, Any]:
        return {"date": f"{day}T09:30:00+01:00", "name": actor.name, "text": text}

    first = "00000000-0000-4000-8000-000000000001"
    answer = {"uuid": "00000000-0000-4000-8000-000000000002", "follows": first}
    pair = batch_of(BATCHES[-1], ALGO)
    followed = {"actif": True, "motif": "Signalée par le comité départemental", "date": "2026-02-10T10:00:00+01:00"}
    return {
        COMMENT: [
            (
                zone,
                {
                    "key": on("alerte", zone, uuid=first),
                    "scope": [],
                    "value": said(zone, "2026-02-10", "<p>Dirigeant rencontré ; carnet de commandes <b>plein</b>.</p>"),
                },
            ),
            (
                national,
                {
                    "key": on("alerte", national, **answer),
                    "scope": [],
                    "value": said(national, "2026-02-11", "<p>Merci. Un plan d'apurement est demandé.</p>"),
                },
            ),
        ],
        FOLLOW: [
            (
                zone,
                {
                    "key": on(name, zone),
                    "scope": [AUTHOR],
                    "value": {**followed, "categorie": "source_interne"},
                },
            )
            for name in ("suivie", "alerte")
        ],
        OPINION: [
            (
                zone,
                {
                    "key": on("alerte", zone, batch=pair),
                    "scope": [scope],
                    "value": {"utile": True, "motifs": [], "date": "2026-02-10T10:05:00+01:00"},
                },
            )
            for scope in (AUTHOR, "stats")
        ],
    }


def _apart(sheets: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give a sheet for each scope, as any door of a store takes them."""
    for each in sheets:
        for scope in each.get("scopes", [each.get("scope", [])]):
            yield {**{name: facts for name, facts in each.items() if name != "scopes"}, "scope": scope}


def publish_fictitious(store: Store | StoreDoor, *, companies: int = 120, seed: int = 0) -> Planted:
    """Publish fictitious lists into a store.

    Parameters
    ----------
    store
        A store; or a door of one whose person has the badges ``manager`` and ``datawriter``, through which nothing is
        written that only its author may write (follows and opinions).
    companies
        How many, 20 at least: three établissements for two of them, the named cases first.
    seed
        Of what is drawn.

    Returns
    -------
    Planted
        What to look for, and what must not be found.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.store import open_store
    >>> with open_store(Path(tempfile.mkdtemp()) / "registre.sqlite") as store:
    ...     planted = publish_fictitious(store, companies=20)
    ...     agent = ACTORS["zone_urssaf"]
    ...     seen = store.get(agent, "public", {"siret": planted.siret["alerte"], "batch": planted.batches[-1]})
    >>> sorted(each["key"]["type"] for each in seen)
    ['detail', 'detection']
    """
    draw = Random(seed)  # noqa: S311 - fictitious companies need no secret
    secret = _Secret(draw)
    made = list(_companies(max(companies, 20), draw))
    whole = isinstance(store, Store)
    door: StoreDoor = Desk(store, PUBLISHER) if isinstance(store, Store) else store
    if isinstance(store, Store):
        store.install(POLICIES)
    else:
        door.put("system", policy_sheets())
    reference = (*_lists(made), *label_sheets(_ACTIVITIES))
    public = _sheets(made, draw, secret)
    if isinstance(store, Store):
        count = store.replace(PUBLISHER, {REFERENCE: reference, PUBLIC: public}).sheets
    else:
        count = door.put(REFERENCE, _apart(reference)) + door.put(PUBLIC, _apart(public))
    named = {each.name: each for each in made if each.name}
    for bucket, sheets in _written({name: each.siret for name, each in named.items()}).items():
        for actor, sheet in sheets:
            if whole:
                assert isinstance(store, Store)  # noqa: S101 - narrows the type
                count += store.put(actor, bucket, [sheet])
            elif bucket == COMMENT:
                count += door.put(bucket, [sheet])
    return Planted(
        {name: each.siret for name, each in named.items()},
        {name: each.siren for name, each in named.items()},
        frozenset(secret.taken["urssaf"]),
        frozenset(secret.taken["dgefp"]),
        frozenset(secret.taken["bdf"]),
        frozenset(secret.taken["score"]),
        tuple(siret for each in made for siret, _, _ in each.places),
        tuple(batch_of(batch, ALGO) for batch in BATCHES),
        count,
    )
