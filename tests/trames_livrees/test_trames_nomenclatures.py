"""Shipped trames of every nomenclature, on real figures where there are some, else on every compte of the charts.

The expected sums are written as sets of comptes from the published definitions, and added up with pandas.
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
from workbench.trames import Trame

BORDEAUX, GRENOBLE = "21330063500017", "21380185500015"
AMOUNTS = ["BEDEB", "BECRE", "OBNETDEB", "OBNETCRE", "ONBDEB", "ONBCRE", "OOBDEB", "OOBCRE"]
CASES = {
    "ofgl_agregats_m52": ("M52", 2019, "201"),
    "ofgl_agregats_m71": ("M71", 2019, "301"),
    "ofgl_agregats_m57_departements_regions": ("M57", 2024, "701"),
    "ofgl_agregats_m4": ("M49", 2019, "101"),
    "comptes_individuels_m52": ("M52", 2013, "201"),
    "comptes_individuels_m71": ("M71", 2013, "301"),
    "comptes_individuels_m57": ("M57", 2022, "101"),
    "comptes_individuels_groupements_m14": ("M14", 2018, "402"),
}


@pytest.mark.shared
def test_real_cities_on_both_sides_of_the_change(shared: Path, tmp_path: Path, shipped: Callable[[str], Trame]) -> None:
    folder = shared / "data/balances"
    serie, m14 = shipped("ofgl_agregats"), shipped("ofgl_agregats_m14")
    with wb.connect(tmp_path / "base.duckdb", read_only=False) as base:
        wb.import_balances(base, [folder / "balance_bordeaux_2019.csv", folder / "balances_communes_2024_extrait.csv"])
        one = wb.evaluate(serie, base, sirets=BORDEAUX, exercices=range(2015, 2025))
        alone = wb.evaluate(m14, base, sirets=BORDEAUX, exercices=range(2015, 2025))
        both = wb.evaluate(serie, base, sirets=[BORDEAUX, GRENOBLE], exercices=range(2015, 2025))
    pd.testing.assert_frame_equal(pd.DataFrame(one).loc[list(m14.codes)], pd.DataFrame(alone))
    # Published or found again from the balance: 57 871 668.33 and 252 257 675.39 euros.
    assert one.loc["OFGL_EPARGNE_BRUTE", 2019] == 57_871_668.33
    assert one.loc["OFGL_ENCOURS_DETTE", 2019] == 252_257_675.39
    # Grenoble 2024, in M57: subsidies received at 1318 (680 305.58), a sale of land is an opération d'ordre.
    assert list(both.columns) == [2019, 2024]
    assert both.loc["OFGL_EPARGNE_BRUTE", 2019] == 57_871_668.33
    assert both.loc["OFGL_AUTRES_DOTATIONS_ET_SUBVENTIONS", 2024] == 680_305.58
    served = {year: [trame.code for trame in trames] for year, trames in both.provenance.trames_by_exercice.items()}
    assert served == {2019: ["ofgl_agregats_m14"], 2024: ["ofgl_agregats_m57"]}
    why = wb.explain(both, "OFGL_AUTRES_DOTATIONS_ET_SUBVENTIONS", 2024)
    assert why.comptes()["compte"].tolist() == ["1318"]


@pytest.fixture(scope="module")
def made_up(shared: Path) -> Mapping[str, pd.DataFrame]:
    """For each trame a balance, in cents, with every final compte of its chart."""
    path = shared / "data/plans_de_comptes/plan_de_comptes_totem_2013_2024.csv.gz"
    chart = pd.read_csv(path, sep=";", dtype=str, usecols=["annee", "norme", "compte", "Supprime"])
    chart = chart[chart["Supprime"].isna()]
    draw = np.random.default_rng(52)
    balances = {}
    for name, (nomenclature, exercice, _) in CASES.items():
        norme = "M4" if nomenclature.startswith("M4") else nomenclature
        comptes = set(chart.loc[(chart["norme"] == norme) & (chart["annee"] == str(exercice)), "compte"])
        leaves = [one for one, following in pairwise([*sorted(comptes), ""]) if not following.startswith(one)]
        rows = pd.DataFrame({"COMPTE": [compte for compte in leaves if compte[0] in "1234567"]})
        for amount in AMOUNTS:
            rows[amount] = draw.integers(1, 1_000_000_00, len(rows))
        for side in ("DEB", "CRE"):
            rows["OBNET" + side] += rows["OOB" + side]
            rows["BE" + side] = rows["BE" + side].where(rows["COMPTE"].str[0].isin(list("12345")), 0)
        balances[name] = rows
    return balances


@pytest.fixture(scope="module")
def found(
    made_up: Mapping[str, pd.DataFrame], shipped: Callable[[str], Trame], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, pd.Series]:
    """The values of each trame, by the product."""
    folder = tmp_path_factory.mktemp("nomenclatures")
    with wb.connect(folder / "base.duckdb", read_only=False) as base:
        parts = []
        for number, (name, (nomenclature, exercice, type_)) in enumerate(CASES.items()):
            siret = f"2000000{number:02d}00017"
            identity = {"IDENT": siret, "SIREN": siret[:9], "NDEPT": "069", "LBUDG": "X", "CBUDG": "1", "CTYPE": type_}
            euros = {amount: made_up[name][amount] / 100 for amount in AMOUNTS}
            parts.append(made_up[name].assign(EXER=exercice, NOMEN=nomenclature, **identity, **euros))
        rows = pd.concat(parts).assign(CATEG="", BAL="DEF")
        rows.to_csv(folder / "balance.csv", sep=";", index=False, float_format="%.2f")
        wb.import_balances(base, [folder / "balance.csv"])
        return {
            name: pd.Series(
                wb.evaluate(shipped(name), base, sirets=f"2000000{number:02d}00017", exercices=exercice)[exercice]
            )
            for number, (name, (_, exercice, _)) in enumerate(CASES.items())
        }


def ofgl(b: Any, nomenclature: str) -> dict[str, float]:
    """What the OFGL defines for départements and régions, in the comptes of each chart."""
    m57, m52, m71 = (nomenclature == one for one in ("M57", "M52", "M71"))
    out = ("7311", "732", "7333", "7334", "73911", "7392", "73933", "73934")
    locaux: tuple[tuple[str, ...], tuple[str, ...]] = (out, ("7323", "73223", "73225", "739225"))
    if not m57:
        locaux = ((("731", "7391", "7398") if m71 else ("731", "7391")), ())
    reversee = ("7321", "7328", "73921", "73928") if m57 else ("73123", "73128", "73913", *(("7398",) if m71 else ()))
    etat = {"M57": ("741", "742", "743", "744", "745", "746", "7483"), "M52": ("741", "744", "746", "7483")}
    concours = etat.get(nomenclature, ("741", "744", "745", "746", "7483"))
    aides = ("651", "655", "656", "657") if m71 else ("651", "652", "655", "656", "657")
    tiers = ("454", "455", "458")
    section = ("102", "103", "13", "20", "21", "23", "26", "27", *tiers)
    subventions = ("204", "2324") if m57 else ("204",)
    avances = b.credit("reel", "237", "238")
    energie = {"M57": ("73142", "731774", "731775"), "M52": ("7352",), "M71": ("732", "73842", "7385")}
    expected = {
        "RECETTES_FONCTIONNEMENT": b.produit("reel", "7", sauf=("775", "776", "777", "78")),
        "IMPOTS_ET_TAXES": b.produit("reel", "73"),
        "IMPOTS_LOCAUX": b.produit("reel", *locaux[0], sauf=locaux[1]),
        "FISCALITE_REVERSEE": b.produit("reel", *reversee),
        "TVA": b.produit("reel", *{"M57": ("735", "7395"), "M52": ("7381",), "M71": ("733",)}[nomenclature]),
        "TICPE": b.produit("reel", *energie[nomenclature]),
        "CONCOURS_DE_L_ETAT": b.produit("reel", *concours),
        "SUBVENTIONS_RECUES_ET_PARTICIPATIONS": b.produit("reel", "74", sauf=concours),
        "DEPENSES_FONCTIONNEMENT": b.charge("reel", "6", sauf=("675", "676", "68")),
        "DEPENSES_D_INTERVENTION": b.charge("reel", *aides),
        "RECETTES_D_INVESTISSEMENT_HORS_EMPRUNTS": b.produit("reel", "775")
        + b.credit("reel", *section, sauf=("139", "237", "238", "2768")),
        "DEPENSES_D_INVESTISSEMENT_HORS_REMB": b.debit("reel", *section, sauf=("139", "2768")) - avances,
        "DEPENSES_D_EQUIPEMENT": b.debit("reel", "20", "21", "23", sauf=subventions) - avances,
        "SUBVENTIONS_D_EQUIPEMENT_VERSEES": b.debit("reel", *subventions),
        "ENCOURS_DETTE": b.produit("solde", "16", sauf=("1688", "169")),
        "FONDS_DE_ROULEMENT": b.charge(
            "solde", "3", "4", "5", "1632", "1688", "2768", sauf=("39", "481", "49", "59", *tiers)
        ),
    }
    if not m71:
        avant = ("73121", "73122", "73123") if m57 else ("7321", "7322")
        recu, verse = (("73225",), ("739225",)) if m57 else (("7326",), ("73926",))
        expected |= {
            "ALLOCATIONS_APA": b.charge("reel", "65114"),
            "ALLOCATIONS_PCH": b.charge("reel", "651121", "651122"),
            "ALLOCATIONS_RSA": b.charge("reel", "6515", "6517"),
            "CONTRIBUTIONS_AUX_SDIS": b.charge("reel", "6553"),
            "FRAIS_D_HEBERGEMENT": b.charge("reel", "652"),
            "CNSA": b.produit("reel", "74781"),
            "FMDI": b.produit("reel", "74783"),
            "TSCA": b.produit("reel", "73171" if m57 else "7342"),
            "DDEC": b.credit("reel", "133121" if m57 else "1332"),
            "DMTO_AVANT_PEREQ": b.produit("reel", *avant),
            "DMTO_APRES_PEREQ": b.produit("reel", *avant, *recu, *verse),
        }
    if not m52:
        expected |= {
            "CARTES_GRISES": b.produit("reel", "73153" if m57 else "7344"),
            "DRES": b.credit("reel", "133122" if m57 else "1332"),
        }
    return {f"OFGL_{code}": value for code, value in expected.items()}


def services(b: Any) -> dict[str, float]:
    """The OFGL's aggregates in the charts M4x, and the income statement."""
    section = ("102", "103", "13", "20", "21", "23", "26", "27", "458")
    avances = b.credit("reel", "237", "238")
    resultat = b.produit("budgetaire", "6", "7")
    return {
        "OFGL_RECETTES_FONCTIONNEMENT": b.produit("reel", "7", sauf=("775", "777", "78")),
        "OFGL_DEPENSES_FONCTIONNEMENT": b.charge("reel", "6", sauf=("675", "68")),
        "OFGL_AUTRES_RECETTES_DE_FONCTIONNEMENT": b.produit(
            "reel", "71", "72", "75", "76", "77", "79", sauf=("775", "777")
        ),
        "OFGL_SUBVENTIONS_RECUES_ET_PARTICIPATIONS": b.produit("reel", "74"),
        "OFGL_VENTES_DE_BIENS_ET_SERVICES": b.produit("reel", "70"),
        "OFGL_DEPENSES_D_INVESTISSEMENT_HORS_REMB": b.debit("reel", *section, sauf=("139", "2768")) - avances,
        "OFGL_RECETTES_D_INVESTISSEMENT_HORS_EMPRUNTS": b.produit("reel", "775")
        + b.credit("reel", *section, sauf=("139", "237", "238", "2768")),
        "OFGL_ENCOURS_DETTE": b.produit("solde", "16", sauf=("1688", "169")),
        "OFGL_FONDS_DE_ROULEMENT": b.charge(
            "solde", "3", "4", "5", "1632", "1688", "2768", sauf=("39", "458", "481", "49", "59")
        ),
        "M4_RESULTAT_EXERCICE": resultat,
        "M4_CAF": resultat + b.charge("budgetaire", "675", "68") - b.produit("budgetaire", "775", "777", "78"),
        "M4_REVERSEMENT_EXCEDENT": b.charge("reel", "672"),
    }


def sheet(b: Any, name: str) -> dict[str, float]:
    """Lines of the DGFIP's sheets that their definitions give by comptes."""
    part = "budgetaire"
    bank = ("163", "164", "1671", "1672", "1675", "1678", "1681", "1682")
    capital = b.debit(part, *bank, sauf=("16449", "1645"))
    resultat = b.produit(part, "6", "7")
    caf = resultat + b.charge(part, "675", "676", "68") - b.produit(part, "775", "776", "777", "78")
    expected = {
        "PRODUITS_FONCTIONNEMENT": b.produit(part, "7"),
        "CHARGES_PERSONNEL": b.charge(part, "621", "631", "633", "64"),
        "RESSOURCES_INVESTISSEMENT": b.credit(part, "1", "2", "39", "481", "49", "59", sauf=("11", "12")),
        "CAF": caf,
        "CAF_NETTE": caf - capital,
        "ANNUITE_DETTE": b.charge(part, "6611") + capital,
    }
    if name.endswith(("m52", "m71")):
        sauf = ("16449", "1645", "1675", "1676", "1687", "1688", "165", "166", "169")
        expected |= {
            "EMPRUNTS": b.credit(part, "16", sauf=sauf),
            "DEPENSES_EQUIPEMENT": b.debit(part, "20", "21", "23", sauf=("204",)) - b.credit(part, "236", "237", "238"),
            "IMPOTS_LOCAUX": b.produit(part, "7311", "7318", "73911", "73918"),
            "FONDS_DE_ROULEMENT": b.charge(
                "solde", "3", "4", "5", "1688", "269", "279", sauf=("39", "454", "456", "457", "458", "481", "49", "59")
            ),
        }
    else:
        expected["DEPENSES_EQUIPEMENT"] = b.debit(part, "20", "21", "23") - b.credit(part, "237", "238")
    if name.endswith("m52"):
        expected["AUTRES_IMPOTS_ET_TAXES"] = b.produit(part, "73", sauf=("731", "739")) - b.charge(part, "73913")
        expected["ENCOURS_DETTE"] = b.produit("solde", *bank)
    elif name.endswith("m71"):
        expected["TICPE"] = b.produit(part, "732", "7383")
        expected["ENCOURS_DETTE"] = b.produit("solde", "16", sauf=("166", "1688", "169"))
    elif name.endswith("m57"):
        expected["IMPOTS_LOCAUX"] = b.produit(part, "7311", "73221") - b.charge(part, "739111", "739221")
        expected["AUTRES_IMPOTS_ET_TAXES"] = b.produit(part, "73", sauf=("7311", "732", "739"))
    else:
        expected["REVERSEMENTS_DE_FISCALITE"] = b.charge(part, "739", sauf=("739116", "739221"))
    return {f"CI_{code}": value for code, value in expected.items()}


@pytest.mark.shared
@pytest.mark.parametrize("name", CASES)
def test_every_nomenclature_adds_up_what_its_definitions_say(
    name: str,
    made_up: Mapping[str, pd.DataFrame],
    found: Mapping[str, pd.Series],
    balance_of: Callable[[pd.DataFrame], Any],
) -> None:
    b = balance_of(made_up[name])
    if name == "ofgl_agregats_m4":
        expected = services(b)
    else:
        expected = ofgl(b, CASES[name][0]) if name.startswith("ofgl") else sheet(b, name)
    assert len(expected) >= 8
    assert {code: found[name][code] for code in expected} == {
        code: pytest.approx(value, abs=0.001) for code, value in expected.items()
    }
