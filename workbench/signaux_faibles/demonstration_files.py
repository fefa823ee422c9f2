"""How each partner would write what happens to fictitious companies: names of files, columns, codes."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from workbench.signaux_faibles.demonstration_companies import Company, Establishment, Month
from workbench.signaux_faibles.sources import source_named

__all__ = ["FILES", "PartnerFile"]

Row = Sequence[Any]


Companies = Sequence[Company]


@dataclass(frozen=True)
class PartnerFile:
    """How a file is written.

    Parameters
    ----------
    name
        A template: ``{key}`` is the batch, ``{century}`` its key with the century.
    header, rows
        From the companies, and whether a SIRET stands for an account.
    wrong
        A column and what its cell becomes to be refused; None for no such error.
    splits
        Whether a line that is no record can be put in.
    """

    name: str
    header: Callable[[Companies, bool], list[str]]
    rows: Callable[[Companies, bool], Iterator[Row]]
    wrong: tuple[str, str] | None
    delimiter: str = ";"
    encoding: str = "utf-8"
    headed: bool = True
    splits: bool = True
    lines_a_row: Callable[[Companies], int] = lambda _: 1


def _urssaf(day: date) -> str:
    return f"{day.year - 1900}{day:%m%d}"


def _fixed(text: str) -> Callable[[Companies, bool], list[str]]:
    return lambda *_: text.split()


def _with_siret(text: str) -> Callable[[Companies, bool], list[str]]:
    return lambda _, by_siret: [*text.split(), "Siret"] if by_siret else text.split()


def _siret(place: Establishment, by_siret: bool) -> list[str]:
    return [place.siret] if by_siret else []


def _places(companies: Companies) -> Iterator[tuple[Company, Establishment]]:
    return ((company, place) for company in companies for place in company.establishments)


def _all_months(companies: Companies) -> list[str]:
    return [f"eff{month.period}" for month in companies[0].establishments[0].months]


def _effectif_header(companies: Companies, _: bool) -> list[str]:
    return ["compte", "siret", "rais_soc", "ape_ins", "dep", *_all_months(companies), "base", "UR_EMET"]


def _effectif(companies: Companies, _: bool) -> Iterator[Row]:
    for company, place in _places(companies):
        head = (place.compte, place.siret, f'{company.name} "BIS"', company.ape.replace(".", ""), company.departement)
        yield (*head, *(f"{month.effectif:_}".replace("_", " ") for month in place.months), "116", "117")


def _effectif_ent(companies: Companies, _: bool) -> Iterator[Row]:
    for company in companies:
        series = zip(*(place.months for place in company.establishments), strict=True)
        yield (company.siren, company.name, *(f"{sum(month.effectif for month in at)}.0" for at in series))


def _comptes(companies: Companies, _: bool) -> Iterator[Row]:
    for company, place in _places(companies):
        yield ("117", company.departement, place.compte, "1", company.siren, place.siret, "1100101", "")


def _cotisation(companies: Companies, by_siret: bool) -> Iterator[Row]:
    for _, place in _places(companies):
        for month in place.months:
            amounts = (f"{month.paid:.2f}".replace(".", ","), f"{month.due:.2f}".replace(".", ","))
            yield (place.compte, month.period, *amounts, *_siret(place, by_siret))


def _debit(companies: Companies, by_siret: bool) -> Iterator[Row]:
    for company, place in _places(companies):
        for month in place.late:
            gap = f"{month.day:%y%m}"
            cents = month.unpaid * 100
            head = (place.compte, company.siren, "1100101", "1", "0", month.period, gap)
            treated = _urssaf(month.day.replace(day=5 + month.unpaid % 20))
            yield (*head, "1", treated, cents // 4, cents, "1", "2", "0", *_siret(place, by_siret))
            if month.settled is not None:
                paid = _urssaf(month.settled.replace(day=10))
                yield (*head, "2", paid, 0, 0, "1", "2", "0", *_siret(place, by_siret))


def _delai(companies: Companies, by_siret: bool) -> Iterator[Row]:
    for company, place in _places(companies):
        for month in _owed(company, place)[:1]:
            dates = (month.day.strftime("%d/%m/%Y"), month.day.replace(year=month.day.year + 1).strftime("%d/%m/%Y"))
            rest = ("365", company.name, "SUP", month.day.year, f"{month.unpaid * 6},50", "APPROB", "SUR ACCORD")
            yield (place.compte, f"C{month.unpaid}", *dates, *rest, *_siret(place, by_siret))


def _ccsf(companies: Companies, by_siret: bool) -> Iterator[Row]:
    for company, place in _places(companies):
        for month in _owed(company, place)[2:3]:
            yield (place.compte, _urssaf(month.day), "APPROB", "CCSF", *_siret(place, by_siret))


def _owed(company: Company, place: Establishment) -> list[Month]:
    """Months left unpaid by a company in difficulty, not by oversight."""
    return [month for month in place.late if company.falls is not None and month.day >= company.falls]


def _procol(companies: Companies, _: bool) -> Iterator[Row]:
    for company, place in _places(companies):
        if company.fails is not None and company.failed:
            when = company.fails.strftime("%d%b%Y").upper()
            label = "Liquidation_ouverture" if company.liquidated else "Redressement_ouverture"
            yield (place.siret, company.siren, when, "x", label)


def _apconso(companies: Companies, _: bool) -> Iterator[Row]:
    for _company, place in _places(companies):
        for month in place.months:
            if month.partial:
                staff = f"{month.effectif}.0"
                yield (f"DA{place.siret}", place.siret, month.day, f"{month.partial}.5", month.partial * 8, staff)


def _apdemande(companies: Companies, _: bool) -> Iterator[Row]:
    for _company, place in _places(companies):
        furloughed = [month for month in place.months if month.partial]
        if furloughed:
            month = furloughed[0]
            staff = (month.effectif, month.effectif)
            last = furloughed[-1].day
            dates = (month.day, month.day, last.replace(day=monthrange(last.year, last.month)[1]))
            hours = f"{sum(each.partial for each in furloughed)}.5"
            rest = (hours, "8000,75", month.effectif, 1, 2, 1, 0, "500.5", month.effectif, "4000.0")
            yield (f"DA{place.siret}", place.siret, *staff, *dates, *rest)


_SIRENE = [column.name for column in source_named("sirene").columns]


def _sirene(companies: Companies, _: bool) -> Iterator[Row]:
    for company, place in _places(companies):
        commune = {"974": "97411"}.get(company.departement, f"{company.departement}001")
        known = {
            "siren": place.siret[:9],
            "nic": place.siret[9:],
            "etablissementSiege": str(place.siret.endswith("00001")).lower(),
            "numeroVoieEtablissement": "12",
            "indiceRepetitionEtablissement": "B",
            "typeVoieEtablissement": "AV",
            "libelleVoieEtablissement": "DES INVENTIONS, PROLONGÉE",
            "libelleCommuneEtablissement": "COMMUNE FICTIVE",
            "codeCommuneEtablissement": commune,
            "codePostalEtablissement": commune.replace("2A", "20"),
            "activitePrincipaleEtablissement": company.ape,
            "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
            "dateCreationEtablissement": "2005-03-01",
            "longitude": "2.35",
            "latitude": "48.85",
            "etatAdministratifEtablissement": "A",
        }
        yield [known.get(name, "") for name in _SIRENE]


_SIRENE_UL = [column.name for column in source_named("sirene_ul").columns]


def _sirene_ul(companies: Companies, _: bool) -> Iterator[Row]:
    for company in companies:
        known = {
            "siren": company.siren,
            "denominationUniteLegale": company.name,
            "categorieJuridiqueUniteLegale": "5710",
            "dateCreationUniteLegale": "2005-03-01",
            "activitePrincipaleUniteLegale": company.ape,
            "nomenclatureActivitePrincipaleUniteLegale": "NAFRev2",
            "etatAdministratifUniteLegale": "A",
        }
        yield [known.get(name, "") for name in _SIRENE_UL]


def _sirene_histo(companies: Companies, _: bool) -> Iterator[Row]:
    for _company, place in _places(companies):
        yield (place.siret, "2005-03-01", "", "A", "false")


def _bdf(companies: Companies, _: bool) -> Iterator[Row]:
    for company in companies:
        spaced = f"{company.siren[:3]} {company.siren[3:6]} {company.siren[6:]}"
        for year in company.years:
            yield (spaced, year, f"31DEC{year}", company.name, "Industrie", "12.5", "30.25", "60", "10", "", "1.5")


_DIANE = [column.name for column in source_named("diane").columns if column.name != "Annee"]
_DIANE_FIXED = ("Nom de l'entreprise", "Numéro Siren", "Statut juridique", "Procédure collective")


def _diane_header(companies: Companies, _: bool) -> list[str]:
    names = ["Marquée", *_DIANE_FIXED, "Dernière année disponible"]
    for name in (*_DIANE, "Achats de march. kEUR"):
        if name not in _DIANE_FIXED:
            names += [f"{name} {year}" for year in companies[0].years]
    return names


def _diane(companies: Companies, _: bool) -> Iterator[Row]:
    for company in companies:
        row: list[Any] = ["", company.name, company.siren, "SA", "Oui" if company.falls else "Non", company.years[-1]]
        for name in (*_DIANE, "Achats de march. kEUR"):
            if name not in _DIANE_FIXED:
                whole = {"Date de clôture": "31/12/{}", "Nombre de mois": "12"}.get(name, "12,5")
                row += [whole.format(year) for year in company.years]
        yield row


def _ellisphere(companies: Companies, _: bool) -> Iterator[Row]:
    for company in companies[1:]:
        head = companies[0]
        yield (
            *("G1", "M", head.siren, "R1", head.name, "12 avenue des Inventions", "", "", ""),
            *(1, 75.5, "", "F1", "M", company.siren, "R2"),
        )


def _paydex(companies: Companies, _: bool) -> Iterator[Row]:
    for company in companies:
        for month, days in zip(company.establishments[0].months, company.delays, strict=True):
            yield (company.siren, days, f"{days} jours", month.day.strftime("%d/%m/%Y"))


_RATIOS = [column.name for column in source_named("ratios_inpi").columns]


def _ratios_inpi(companies: Companies, _: bool) -> Iterator[Row]:
    for company in companies:
        for year in company.years:
            closed = {"siren": company.siren, "date_cloture_exercice": f"{year}-12-31", "type_bilan": "C"}
            known = {**closed, **company.accounts(year), "confidentiality": "Public"}
            yield [known.get(name, "") for name in _RATIOS]


def _reporder(companies: Companies, _: bool) -> Iterator[Row]:
    for _company, place in _places(companies):
        for number, month in enumerate(place.months):
            yield (place.siret, month.day, f"0.{number + 1:03d}")


FILES = {
    "admin_urssaf": PartnerFile(
        "sigfaible_etablissement_utf8.csv",
        _fixed("Urssaf_gestion Dep Compte Etat_compte Siren Siret Date_crea_siret Date_disp_siret"),
        _comptes,
        None,
        splits=False,
    ),
    "effectif": PartnerFile("sigfaible_effectif_siret.csv", _effectif_header, _effectif, ("siret", "123")),
    "effectif_ent": PartnerFile(
        "sigfaible_effectif_siren.csv",
        lambda companies, _: ["siren", "rais_soc", *_all_months(companies)],
        _effectif_ent,
        ("siren", "12345678"),
    ),
    "cotisation": PartnerFile(
        "sigfaible_cotisdues.csv.gz",
        _with_siret("Compte periode enc_direct cotis_due"),
        _cotisation,
        ("enc_direct", "néant"),
    ),
    "debit": PartnerFile(
        "sigfaible_debits.csv",
        _with_siret(
            "num_cpte Siren Dt_immat Etat_cpte Cd_pro_col Periode Num_Ecn Num_Hist_Ecn Dt_trt_ecn Mt_PO Mt_PP "
            "Cd_op_ecn Motif_ecn Recours_en_cours"
        ),
        _debit,
        ("Mt_PO", ""),
    ),
    "delai": PartnerFile(
        "sigfaible_delais.csv",
        _with_siret(
            "Numero_compte_externe Numero_structure Date_creation Date_echeance Duree_delai "
            "Denomination_premiere_ligne Indic_6M Annee_creation Montant_global_echeancier "
            "Code_externe_stade Code_externe_action"
        ),
        _delai,
        ("Date_echeance", "2018-01-01"),
    ),
    "ccsf": PartnerFile(
        "sigfaible_ccsf.csv",
        _with_siret("Compte Date_de_traitement Code_externe_stade Code_externe_action"),
        _ccsf,
        ("Code_externe_stade", "OUBLI"),
    ),
    "procol": PartnerFile(
        "sigfaible_pcoll.csv",
        _fixed("Siret Siren Dt_effet Cat_v2 Lib_actx_stdx"),
        _procol,
        ("Lib_actx_stdx", "faillite"),
    ),
    "apconso": PartnerFile(
        "consommation_ap.csv",
        _fixed("ID_DA ETAB_SIRET MOIS HEURES MONTANTS EFFECTIFS"),
        _apconso,
        ("MOIS", "mars"),
        delimiter=",",
    ),
    "apdemande": PartnerFile(
        "demande_ap.csv",
        _fixed(
            "ID_DA ETAB_SIRET EFF_ENT EFF_ETAB DATE_STATUT DATE_DEB DATE_FIN HTA MTA EFF_AUTO MOTIF_RECOURS_SE "
            "PERIMETRE_AP RECOURS_ANTERIEUR AVIS_CE S_HEURE_CONSOM_TOT S_EFF_CONSOM_TOT S_MONTANT_CONSOM_TOT"
        ),
        _apdemande,
        ("ETAB_SIRET", ""),
        delimiter=",",
    ),
    "sirene": PartnerFile(
        "StockEtablissement_utf8_geo.csv",
        lambda *_: list(_SIRENE),
        _sirene,
        ("longitude", "est"),
        delimiter=",",
    ),
    "sirene_ul": PartnerFile("sireneUL.csv", lambda *_: list(_SIRENE_UL), _sirene_ul, ("siren", "?"), delimiter=","),
    "sirene_histo": PartnerFile(
        "StockEtablissementHistorique_utf8.csv",
        _fixed("siret dateDebut dateFin etatAdministratifEtablissement changementEtatAdministratifEtablissement"),
        _sirene_histo,
        ("dateDebut", "2005"),
        delimiter=",",
    ),
    "diane": PartnerFile(
        "Diane_fictive.csv",
        _diane_header,
        _diane,
        None,
        encoding="utf-16-le",
        splits=False,
        lines_a_row=lambda companies: len(companies[0].years),
    ),
    "paydex": PartnerFile(
        "E_{century}281200_Retro-Paydex_{century}28.csv",
        _fixed("SIREN NB_JOURS NB_JOURS_LIB DATE_VALEUR"),
        _paydex,
        ("DATE_VALEUR", "hier"),
    ),
    "ellisphere": PartnerFile(
        "Ellisphère-Tête de groupe-{key}.xlsx",
        lambda *_: [f"colonne {number}" for number in range(16)],
        _ellisphere,
        ("colonne 9", "deux"),
        splits=False,
    ),
    "bdf": PartnerFile(
        "bdf.csv",
        _fixed(
            "D1 ANNEE ARRETE_BILAN DENOM SECTEUR POIDS_FRNG TX_MARGE DELAI_FRS "
            "POIDS_DFISC_SOC POIDS_FIN_CT POIDS_FRAIS_FIN"
        ),
        _bdf,
        ("ARRETE_BILAN", "31DÉCEMBRE"),
        encoding="cp1252",
    ),
    "ratios_inpi": PartnerFile(
        "ratios_inpi_bce.csv", lambda *_: list(_RATIOS), _ratios_inpi, ("chiffre_d_affaires", "beaucoup")
    ),
    "reporder": PartnerFile(
        "reporder.csv",
        _fixed("siret periode random_order"),
        _reporder,
        ("periode", "2018"),
        delimiter=",",
        headed=False,
    ),
}
"""Every file, by type."""
