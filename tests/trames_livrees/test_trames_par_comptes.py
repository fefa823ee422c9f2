"""Every shipped formule on made-up balances that hold every compte of the chart, summed again by hand.

Real balances use few comptes. Here amounts are drawn at random on all of them, so that a compte forgotten, counted
twice or taken on the wrong side shows. The exercices are those of the successive numberings of the comptes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.formules import parse_formule
from workbench.formules.tree import Variable, walk
from workbench.trames import Trame

SIRET = "20000000000017"
PEOPLE = 50_000
AMOUNTS = ["BEDEB", "BECRE", "OBNETDEB", "OBNETCRE", "ONBDEB", "ONBCRE", "OOBDEB", "OOBCRE"]
EXERCICES = {"M14": (2011, 2014, 2022), "M57": (2016, 2017, 2023)}
CHARTS = {2011: 2013}
"""The first chart at hand is that of 2013."""
BEFORE_2013 = ["6741"]
"""Comptes that the definitions of 2011 name and the chart of 2013 has lost."""
CASES = [(nomenclature, exercice) for nomenclature, exercices in EXERCICES.items() for exercice in exercices]
TRAMES = {"M14": ("ofgl_agregats_m14", "comptes_individuels_m14", "ratios_legaux_m14"), "M57": ("ofgl_agregats_m57",)}
Comptes = tuple[str, ...]


@pytest.fixture(scope="module")
def made_up(shared: Path) -> Mapping[tuple[str, int], pd.DataFrame]:
    """One balance a case, in cents: every final compte of the chart, opening amounts for the balance sheet."""
    path = shared / "data/plans_de_comptes/plan_de_comptes_totem_2013_2024.csv.gz"
    chart = pd.read_csv(path, sep=";", dtype=str, usecols=["annee", "norme", "compte", "Supprime"])
    draw = np.random.default_rng(57)
    balances = {}
    for nomenclature, exercice in CASES:
        year = CHARTS.get(exercice, exercice)
        # The chart keeps the comptes it has just deleted: they serve the numbering before.
        kept = chart["Supprime"].isna() | (year != exercice)
        comptes = set(chart.loc[kept & (chart["norme"] == nomenclature) & (chart["annee"] == str(year)), "compte"])
        comptes |= set(BEFORE_2013) if year != exercice else set()
        # In sorted order, a compte that others subdivide is followed by one of them.
        leaves = [one for one, following in pairwise([*sorted(comptes), ""]) if not following.startswith(one)]
        rows = pd.DataFrame({"COMPTE": [compte for compte in leaves if compte[0] in "1234567"]})
        for name in AMOUNTS:
            rows[name] = draw.integers(1, 1_000_000_00, len(rows))
        for side in ("DEB", "CRE"):
            rows["OBNET" + side] += rows["OOB" + side]
            rows["BE" + side] = rows["BE" + side].where(rows["COMPTE"].str[0].isin(list("12345")), 0)
        balances[nomenclature, exercice] = rows
    return balances


@pytest.fixture(scope="module")
def values(
    made_up: Mapping[tuple[str, int], pd.DataFrame],
    shipped: Callable[[str], Trame],
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, pd.DataFrame]:
    """The values of each trame, by the product."""
    folder = tmp_path_factory.mktemp("made_up")
    identity = {"IDENT": SIRET, "SIREN": SIRET[:9], "NDEPT": "069", "LBUDG": "EXEMPLE", "CBUDG": "1", "CTYPE": "101"}
    parts = [
        rows.assign(EXER=exercice, NOMEN=nomenclature, **{name: rows[name] / 100 for name in AMOUNTS})
        for (nomenclature, exercice), rows in made_up.items()
    ]
    rows = pd.concat(parts).assign(**identity, CATEG="Commune", BAL="DEF")
    rows.to_csv(folder / "balance.csv", sep=";", index=False, float_format="%.2f")
    people = pd.DataFrame({"siret": SIRET, "exercice": rows["EXER"].unique(), "population": PEOPLE})
    people.to_csv(folder / "population.csv", sep=";", index=False)
    with wb.connect(folder / "base.duckdb", read_only=False) as base:
        wb.import_balances(base, [folder / "balance.csv"])
        wb.import_population(base, folder / "population.csv")
        return {
            name: pd.DataFrame(wb.evaluate(shipped(name), base, sirets=[SIRET], exercices=EXERCICES[nomenclature]))
            for nomenclature, names in TRAMES.items()
            for name in names
        }


def read_from_comptes(trame: Trame, exercice: int) -> set[str]:
    """The codes whose formule, in this exercice, reads a compte itself."""
    return {
        indicateur.code
        for indicateur in trame.indicateurs
        for segment in parse_formule(indicateur.texte).segments
        if segment.covers(exercice) and any(isinstance(node, Variable) for node in walk(segment.expression))
    }


def compare(got: Mapping[str, float], expected: Mapping[str, float], trame: Trame, exercice: int) -> None:
    """All of `expected` is found, and nothing read from comptes is left unchecked."""
    assert read_from_comptes(trame, exercice) - set(expected) == set()
    assert {code: got[code] for code in expected} == {
        code: pytest.approx(value, abs=0.001) for code, value in expected.items()
    }
    for code in trame.codes:
        if code.endswith("_HABITANT") and not code.startswith("RATIO"):
            assert got[code] == pytest.approx(got[code.removesuffix("_HABITANT")] / PEOPLE, rel=1e-12), code


def ofgl_taxes(b: Any, nomenclature: str, exercice: int) -> dict[str, float]:
    """Local taxes, whose comptes changed number most."""
    teom, transport, tva = ("7331",), ("7342",), ("7382",)
    locaux: tuple[Comptes, Comptes] = (("731", "732", "7391", "7392"), ())
    if nomenclature == "M14":
        conventions = ("739113", "739118")
        if exercice < 2012:
            reversee = ("7321", "7322", "7328", "739111", "739112", *conventions)
        elif exercice < 2017:
            reversee = ("7321", "7322", "7328", "73921", "73922", "73928", *conventions)
        else:
            reversee = ("7321", "7328", "73921", "73928", *conventions)
            locaux = (locaux[0], ("7323", "73224"))
    elif exercice < 2018:
        versees = ("739115", "739118", "739121", "739128")
        reversee = ("73121", "73128", *versees) if exercice == 2017 else ("73121", "73122", "73128", "739122", *versees)
        locaux = (("731", "7391"), ("73123", "731224") if exercice == 2017 else ())
        transport = ("7327",)
    else:
        locaux = (("7311", "732", "7333", "7334", "73911", "7392", "73933", "73934"), ("7323", "73223"))
        reversee = ("7321", "7328", "73921", "73928")
        teom, transport, tva = ("73133",), ("73156",), ("735", "7395")
    return {
        "IMPOTS_LOCAUX": b.produit("reel", *locaux[0], sauf=locaux[1]),
        "FISCALITE_REVERSEE": b.produit("reel", *reversee),
        "TAXE_D_ENLEVEMENT_DES_ORDURES_MENAGERES": b.produit("reel", *teom),
        "VERSEMENT_TRANSPORT": b.produit("reel", *transport),
        "TVA": b.produit("reel", *tva) if exercice >= 2021 else 0.0,
    }


@pytest.mark.shared
@pytest.mark.parametrize(("nomenclature", "exercice"), CASES)
def test_the_ofgl_aggregates(
    nomenclature: str,
    exercice: int,
    made_up: Mapping[tuple[str, int], pd.DataFrame],
    values: Mapping[str, pd.DataFrame],
    shipped: Callable[[str], Trame],
    balance_of: Callable[[pd.DataFrame], Any],
) -> None:
    b = balance_of(made_up[nomenclature, exercice])
    m57 = nomenclature == "M57"
    fonds = "65561" if m57 else "65541"
    tiers = ("454", "455", "458") if m57 else ("454", "456", "457", "458")
    etat = ("741", "742", "744", "745", "746", "7483", *(("743",) if m57 else ()))
    aides = ("651", "652", "655", "656", "657") if m57 else ("655", "657")
    subventions = ("204", "2324") if m57 else ("204",)
    section = ("102", "103", "13", "20", "21", "23", "26", "27", *tiers)
    courantes = ("60", "61", "62", "63", "64", "65")
    fcct, recu = b.charge("reel", fonds), b.produit("reel", "74752")
    taxes = ofgl_taxes(b, nomenclature, exercice)
    locaux = taxes["IMPOTS_LOCAUX"] - fcct + recu
    if exercice >= 2012:  # the fund dates from 2016; no earlier formule knows it
        taxes["FISCALITE_REVERSEE"] += recu - fcct
    impots = b.produit("reel", "73") - fcct + recu
    ecarts = {compte: b.charge("reel", compte) for compte in ("16449", "166")}
    actif = sum(min(b.debit("reel", compte), b.credit("reel", compte)) for compte in ecarts)
    emprunts, capital = (side("reel", "16", sauf=("1688", "169")) for side in (b.credit, b.debit))
    avances = b.credit("reel", "237", "238")
    expected = {
        **taxes,
        "RECETTES_FONCTIONNEMENT": b.produit("reel", "7", sauf=("775", "776", "777", "78")) - fcct,
        "IMPOTS_ET_TAXES": impots,
        "IMPOTS_LOCAUX": locaux,
        "AUTRES_IMPOTS_ET_TAXES": impots - locaux,
        "CONCOURS_DE_L_ETAT": b.produit("reel", *etat),
        "DOTATION_GLOBALE_DE_FONCTIONNEMENT": b.produit("reel", "741"),
        "AUTRES_DOTATIONS_DE_FONCTIONNEMENT": b.produit("reel", *(c for c in etat if c not in {"741", "7483"})),
        "PEREQUATIONS_ET_COMPENSATIONS_FISCALES": b.produit("reel", "7483"),
        "SUBVENTIONS_RECUES_ET_PARTICIPATIONS": b.produit("reel", "74", sauf=(*etat, "74752")),
        "VENTES_DE_BIENS_ET_SERVICES": b.produit("reel", "70"),
        "AUTRES_RECETTES_DE_FONCTIONNEMENT": b.produit(
            "reel", "71", "72", "75", "76", "77", "79", sauf=("775", "776", "777")
        ),
        "DEPENSES_FONCTIONNEMENT": b.charge("reel", "6", sauf=("675", "676", "68", fonds)),
        "ACHATS_ET_CHARGES_EXTERNES": b.charge("reel", "60", "61", "62", sauf=("621",)),
        "FRAIS_PERSONNEL": b.charge("reel", "64", "621", "631", "633"),
        "DEPENSES_D_INTERVENTION": b.charge("reel", *aides, sauf=(fonds,)),
        "SUBVENTIONS_AUX_PERSONNES_DE_DROIT_PRIVE": b.charge("reel", "6574"),
        "CHARGES_FINANCIERES": b.charge("reel", "66"),
        "AUTRES_DEPENSES_DE_FONCTIONNEMENT": b.charge(
            "reel", "635", "637", "65", "67", "69", sauf=("675", "676", *aides)
        ),
        "EPARGNE_DE_GESTION": b.produit("reel", "70", "71", "72", "73", "74", "75", *courantes),
        "TRAVAUX_EN_REGIE": b.credit("ordre", "72"),
        "RECETTES_D_INVESTISSEMENT_HORS_EMPRUNTS": b.produit("reel", "775")
        + b.credit("reel", *section, sauf=("139", "237", "238", "2768")),
        "FCTVA": b.credit("reel", "10222"),
        "AUTRES_DOTATIONS_ET_SUBVENTIONS": b.credit("reel", "102", "13", sauf=("10222", "139")),
        "AUTRES_RECETTES_D_INVESTISSEMENT": b.produit("reel", "775")
        + b.credit("reel", "103", "20", "21", "23", "26", "27", *tiers, sauf=("237", "238", "2768")),
        "PRODUIT_DES_CESSIONS_D_IMMOBILISATIONS": b.produit("reel", "775"),
        "DEPENSES_D_INVESTISSEMENT_HORS_REMB": b.debit("reel", *section, sauf=("139", "2768")) - avances,
        "DEPENSES_D_EQUIPEMENT": b.debit("reel", "20", "21", "23", sauf=subventions) - avances,
        "SUBVENTIONS_D_EQUIPEMENT_VERSEES": b.debit("reel", *subventions),
        "AUTRES_DEPENSES_D_INVESTISSEMENT": b.debit(
            "reel", "102", "103", "13", "26", "27", *tiers, sauf=("139", "2768")
        ),
        "EMPRUNTS_YC_GAD": emprunts,
        "REMBOURSEMENTS_D_EMPRUNTS_YC_GAD": capital,
        "GESTION_ACTIVE_DE_LA_DETTE": actif,
        "EMPRUNTS_HORS_GAD": emprunts - actif,
        "REMBOURSEMENTS_D_EMPRUNTS_HORS_GAD": capital - actif,
        "ENCOURS_DETTE": b.produit("solde", "16", sauf=("1688", "169")),
        "ENCOURS_DE_DETTE_DETTES_BANCAIRES_ET_ASSIMILEES": b.produit(
            "solde", "163", "164", "167", "1681", "1682", sauf=("1676",)
        ),
        "ENCOURS_DE_DETTE_DEPOTS_ET_CAUTIONNEMENTS_RECUS": b.produit("solde", "165"),
        "FONDS_DE_SOUTIEN_AUX_EMPRUNTS_A_RISQUE": b.charge("solde", "44121"),
        "FONDS_DE_ROULEMENT": b.charge(
            "solde", "3", "4", "5", "1632", "1688", "2768", sauf=("39", "481", "49", "59", *tiers)
        ),
        "DEPOTS_AU_TRESOR": b.charge("solde", "515"),
        "CREDITS_DE_TRESORERIE": b.produit("solde", "519"),
        "FCCT_VERSE": fcct,
        "FCCT_RECU": recu,
        "ECART_16449": abs(ecarts["16449"]),
        "ECART_166": abs(ecarts["166"]),
    }
    if m57:
        expected["FRAIS_D_HEBERGEMENT"] = b.charge("reel", "652")
    name = f"ofgl_agregats_{nomenclature.lower()}"
    got = values[name][exercice]
    compare(got, {f"OFGL_{key}": value for key, value in expected.items()}, shipped(name), exercice)


@pytest.mark.shared
@pytest.mark.parametrize("exercice", EXERCICES["M14"])
def test_the_sheet_of_the_dgfip(
    exercice: int,
    made_up: Mapping[tuple[str, int], pd.DataFrame],
    values: Mapping[str, pd.DataFrame],
    shipped: Callable[[str], Trame],
    balance_of: Callable[[pd.DataFrame], Any],
) -> None:
    b, op = balance_of(made_up["M14", exercice]), "budgetaire"
    section = ("1", "2", "39", "481", "49", "59")
    ressources, emplois = b.credit(op, *section, sauf=("11", "12")), b.debit(op, *section, sauf=("11", "12"))
    bancaires = ("163", "164", "1671", "1672", "1675", "1678", "1681")
    temporaires = ("16449",) if exercice < 2012 else ("16449", "1645")
    capital = b.debit(op, *bancaires, "1682", sauf=temporaires)
    if exercice < 2012:
        locaux = ("731", "7323", "739117", "739116")
    else:
        locaux = ("731", "7323", "739117", "73923") if exercice < 2017 else ("731", "73221", "739117", "739221")
    tiers = b.debit(op, "4541", "45611", "45621", "4571", "4581")
    tiers -= b.credit(op, "4542", "45612", "45622", "4572", "4582")
    resultat = b.produit(op, "6", "7")
    caf = b.produit(op, "6", "7", sauf=("6741", "675", "676", "68", "775", "776", "777", "78"))
    expected = {
        "PRODUITS_FONCTIONNEMENT": b.produit(op, "7"),
        "IMPOTS_LOCAUX": b.produit(op, *locaux),
        "AUTRES_IMPOTS_ET_TAXES": b.produit(op, "73", sauf=("731", "732", "739")),
        "DGF": b.produit(op, "741"),
        "CHARGES_FONCTIONNEMENT": b.charge(op, "6"),
        "CHARGES_PERSONNEL": b.charge(op, "621", "631", "633", "64"),
        "ACHATS_ET_CHARGES_EXTERNES": b.charge(op, "60", "61", "62", sauf=("621",)),
        "CHARGES_FINANCIERES": b.charge(op, "66"),
        "CONTINGENTS": b.charge(op, "655"),
        "SUBVENTIONS_VERSEES": b.charge(op, "657"),
        "RESULTAT_COMPTABLE": resultat,
        "RESSOURCES_INVESTISSEMENT": ressources,
        "EMPRUNTS": b.credit(op, *bancaires, sauf=temporaires),
        "SUBVENTIONS_RECUES": b.credit(op, "13"),
        "FCTVA": b.credit(op, "10222"),
        "RETOUR_DE_BIENS": b.credit(op, "18", "22", "24"),
        "EMPLOIS_INVESTISSEMENT": emplois,
        "DEPENSES_EQUIPEMENT": b.debit(op, "20", "21", "23") - b.credit(op, "237", "238"),
        "REMBOURSEMENT_EMPRUNTS": b.debit(op, *bancaires, sauf=temporaires),
        "CHARGES_A_REPARTIR": b.debit(op, "481"),
        "IMMOBILISATIONS_AFFECTEES": b.debit(op, "18", "22", "24"),
        "BESOIN_RESIDUEL": emplois - ressources,
        "SOLDE_COMPTE_DE_TIERS": tiers,
        "BESOIN_INVESTISSEMENT": emplois - ressources + tiers,
        "RESULTAT_ENSEMBLE": resultat - (emplois - ressources + tiers),
        "EXCEDENT_BRUT_FONCTIONNEMENT": b.produit(
            op, *["70", "71", "72", "73", "74", "75", "60", "61", "62", "63", "64", "65"]
        ),
        "CAF": caf,
        "CAF_NETTE": caf - capital,
        "ENCOURS_DETTE": b.produit("solde", "16", sauf=("166", "1688", "169")),
        "ANNUITE_DETTE": b.charge(op, "6611") + capital,
        "FONDS_DE_ROULEMENT": b.charge(
            "solde", "3", "4", "5", "1688", "269", "279", sauf=("39", "454", "456", "457", "458", "481", "49", "59")
        ),
    }
    got = values["comptes_individuels_m14"][exercice]
    trame = shipped("comptes_individuels_m14")
    compare(got, {f"CI_{key}": value for key, value in expected.items()}, trame, exercice)
    for code in trame.codes:
        for whole in ("PRODUITS", "CHARGES"):
            if code.endswith(f"_{whole}"):
                share = got[code.removesuffix(f"_{whole}")] / got[f"CI_{whole}_FONCTIONNEMENT"]
                assert got[code] == pytest.approx(share, rel=1e-12), code


@pytest.mark.shared
@pytest.mark.parametrize("exercice", EXERCICES["M14"])
def test_the_legal_ratios(
    exercice: int,
    made_up: Mapping[tuple[str, int], pd.DataFrame],
    values: Mapping[str, pd.DataFrame],
    shipped: Callable[[str], Trame],
    balance_of: Callable[[pd.DataFrame], Any],
) -> None:
    b = balance_of(made_up["M14", exercice])
    regie = b.credit("ordre", "72")
    depenses = b.debit("reel", "6", "7") - regie
    recettes = b.credit("reel", "6", "7", sauf=("775",))
    tiers = ("454", "456", "457", "458")
    equipement = b.debit("reel", "20", "21", "23", *tiers, sauf=("204",)) + regie
    hors_dette = ("1645", "16449", "165", "166", "1688", "169")
    capital = b.debit("reel", "16", sauf=hors_dette)
    encours = b.produit("solde", "16", sauf=("1645", "16449", "166", "1688", "169"))
    expected = {
        "01_DRF_HABITANT": depenses / PEOPLE,
        "02_IMPOSITIONS_DIRECTES_HABITANT": b.credit("reel", "731") / PEOPLE,
        "03_RRF_HABITANT": recettes / PEOPLE,
        "04_EQUIPEMENT_BRUT_HABITANT": equipement / PEOPLE,
        "05_ENCOURS_DETTE_HABITANT": encours / PEOPLE,
        "06_DGF_HABITANT": b.credit("reel", "741") / PEOPLE,
        "07_PERSONNEL_DRF": b.debit("reel", "621", "631", "633", "64") / depenses,
        "09_DRF_ET_DETTE_RRF": (depenses + capital) / recettes,
        "10_EQUIPEMENT_BRUT_RRF": equipement / recettes,
        "11_ENCOURS_DETTE_RRF": encours / recettes,
        "DRF": depenses,
        "RRF": recettes,
        "EQUIPEMENT_BRUT": equipement,
        "REMBOURSEMENT_DETTE": capital,
        "ENCOURS_DETTE": encours,
    }
    got = values["ratios_legaux_m14"][exercice]
    trame = shipped("ratios_legaux_m14")
    assert {f"RATIO_{key}" for key in expected} == set(trame.codes)
    compare(got, {f"RATIO_{key}": value for key, value in expected.items()}, trame, exercice)
    for key, value in expected.items():
        assert got[f"RATIO_{key}"] == pytest.approx(value, rel=1e-12), key
