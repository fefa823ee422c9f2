"""The M57 trame on made-up balances that hold every compte of the chart, summed again by hand.

No whole M57 balance is at hand: amounts are drawn at random, so that a compte forgotten, counted twice or taken on the
wrong side shows. 2016, 2017 and 2023 are the three numberings of the M57 taxes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.trames import Trame

SIRET = "20000000000017"
AMOUNTS = ["BEDEB", "BECRE", "OBNETDEB", "OBNETCRE", "ONBDEB", "ONBCRE", "OOBDEB", "OOBCRE"]
EXERCICES = (2016, 2017, 2023)
TIERS = ("454", "455", "458")


def near(value: float) -> object:
    """The same to the tenth of a cent."""
    return pytest.approx(value, abs=0.001)


@pytest.fixture(scope="module")
def made_up(shared: Path) -> dict[int, pd.DataFrame]:
    """One balance an exercice, in cents: every final compte of the chart, opening amounts for the balance sheet."""
    path = shared / "data/plans_de_comptes/plan_de_comptes_totem_2013_2024.csv.gz"
    chart = pd.read_csv(path, sep=";", dtype=str, usecols=["annee", "norme", "compte", "Supprime"])
    chart = chart[(chart["norme"] == "M57") & chart["Supprime"].isna()]
    draw = np.random.default_rng(57)
    balances = {}
    for exercice in EXERCICES:
        comptes = sorted(chart.loc[chart["annee"] == str(exercice), "compte"].unique())
        # In sorted order, a compte that others subdivide is followed by one of them.
        leaves = [one for one, following in pairwise([*comptes, ""]) if not following.startswith(one)]
        rows = pd.DataFrame({"COMPTE": [compte for compte in leaves if compte[0] in "1234567"]})
        for name in AMOUNTS:
            rows[name] = draw.integers(1, 1_000_000_00, len(rows))
        for side in ("DEB", "CRE"):
            rows["OBNET" + side] += rows["OOB" + side]
            rows["BE" + side] = rows["BE" + side].where(rows["COMPTE"].str[0].isin(list("12345")), 0)
        balances[exercice] = rows
    return balances


@pytest.fixture(scope="module")
def values(
    made_up: dict[int, pd.DataFrame], shipped: Callable[[str], Trame], tmp_path_factory: pytest.TempPathFactory
) -> pd.DataFrame:
    """The values of the trame, by the product."""
    folder = tmp_path_factory.mktemp("m57")
    parts = [
        rows.assign(EXER=exercice, **{name: rows[name] / 100 for name in AMOUNTS}) for exercice, rows in made_up.items()
    ]
    identity = {"IDENT": SIRET, "SIREN": SIRET[:9], "NDEPT": "069", "LBUDG": "METROPOLE EXEMPLE", "CBUDG": "1"}
    rows = pd.concat(parts).assign(**identity, CTYPE="405", NOMEN="M57", CATEG="Métropole", BAL="DEF")
    rows.to_csv(folder / "m57.csv", sep=";", index=False, float_format="%.2f")
    with wb.connect(folder / "base.duckdb", read_only=False) as base:
        wb.import_balances(base, [folder / "m57.csv"])
        return pd.DataFrame(wb.evaluate(shipped("ofgl_agregats_m57"), base, sirets=[SIRET], exercices=EXERCICES))


def fiscalite(exercice: int) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The comptes of local taxes by numbering: what is in, what is out."""
    if exercice < 2017:
        reversee = ("73121", "73122", "73128", "739115", "739118", "739121", "739122", "739128")
        return {
            "locaux": (("731", "7391"), ()),
            "reversee": (reversee, ()),
            "teom": (("7331",), ()),
            "vm": (("7327",), ()),
        }
    if exercice < 2018:
        reversee = ("73121", "73128", "739115", "739118", "739121", "739128")
        locaux = (("731", "7391"), ("73123", "731224"))
        return {"locaux": locaux, "reversee": (reversee, ()), "teom": (("7331",), ()), "vm": (("7327",), ())}
    locaux = (("7311", "732", "7333", "7334", "73911", "7392", "73933", "73934"), ("7323", "73223"))
    reversee = ("7321", "7328", "73921", "73928")
    return {"locaux": locaux, "reversee": (reversee, ()), "teom": (("73133",), ()), "vm": (("73156",), ())}


@pytest.mark.shared
@pytest.mark.parametrize("exercice", EXERCICES)
def test_the_m57_aggregates_by_hand(
    exercice: int, made_up: dict[int, pd.DataFrame], values: pd.DataFrame, balance_of: Callable[[pd.DataFrame], Any]
) -> None:
    b = balance_of(made_up[exercice])
    taxes = {key: b.produit("reel", *inside, sauf=out) for key, (inside, out) in fiscalite(exercice).items()}
    fcct, recu = b.charge("reel", "65561"), b.produit("reel", "74752")
    assert fcct != 0
    assert recu != 0
    impots = b.produit("reel", "73") - fcct + recu
    concours = b.produit("reel", "741", "742", "743", "744", "745", "746", "7483")
    recettes = b.produit("reel", "7", sauf=("775", "776", "777", "78")) - fcct
    depenses = b.charge("reel", "6", sauf=("675", "676", "68", "65561"))
    personnel = b.charge("reel", "64", "621", "631", "633")
    achats = b.charge("reel", "60", "61", "62", sauf=("621",))
    intervention = b.charge("reel", "651", "652", "655", "656", "657", sauf=("65561",))
    actif = sum(min(b.debit("reel", compte), b.credit("reel", compte)) for compte in ("16449", "166"))
    emprunts = b.credit("reel", "16", sauf=("1688", "169")) - actif
    capital = b.debit("reel", "16", sauf=("1688", "169")) - actif
    investissement = ("102", "103", "13", "20", "21", "23", "26", "27", *TIERS)
    avances = b.credit("reel", "237", "238")
    hors_emprunts = b.produit("reel", "775") + b.credit("reel", *investissement, sauf=("139", "237", "238", "2768"))
    hors_remb = b.debit("reel", *investissement, sauf=("139", "2768")) - avances
    expected = {
        "RECETTES_FONCTIONNEMENT": recettes,
        "IMPOTS_ET_TAXES": impots,
        "IMPOTS_LOCAUX": taxes["locaux"] - fcct + recu,
        "FISCALITE_REVERSEE": taxes["reversee"] - fcct + recu,
        "AUTRES_IMPOTS_ET_TAXES": b.produit("reel", "73") - taxes["locaux"],
        "TAXE_D_ENLEVEMENT_DES_ORDURES_MENAGERES": taxes["teom"],
        "VERSEMENT_TRANSPORT": taxes["vm"],
        "TVA": b.produit("reel", "735", "7395") if exercice >= 2021 else 0,
        "CONCOURS_DE_L_ETAT": concours,
        "SUBVENTIONS_RECUES_ET_PARTICIPATIONS": b.produit("reel", "74") - concours - recu,
        "AUTRES_RECETTES_DE_FONCTIONNEMENT": b.produit(
            "reel", "71", "72", "75", "76", "77", "79", sauf=("775", "776", "777")
        ),
        "DEPENSES_FONCTIONNEMENT": depenses,
        "FRAIS_PERSONNEL": personnel,
        "ACHATS_ET_CHARGES_EXTERNES": achats,
        "DEPENSES_D_INTERVENTION": intervention,
        "FRAIS_D_HEBERGEMENT": b.charge("reel", "652"),
        "AUTRES_DEPENSES_DE_FONCTIONNEMENT": b.charge(
            "reel", "635", "637", "653", "654", "658", "67", sauf=("675", "676")
        ),
        "EPARGNE_BRUTE": recettes - depenses,
        "EPARGNE_NETTE": recettes - depenses - capital,
        "TRAVAUX_EN_REGIE": b.credit("ordre", "72"),
        "RECETTES_D_INVESTISSEMENT_HORS_EMPRUNTS": hors_emprunts,
        "AUTRES_RECETTES_D_INVESTISSEMENT": b.produit("reel", "775")
        + b.credit("reel", "103", "20", "21", "23", "26", "27", *TIERS, sauf=("237", "238", "2768")),
        "DEPENSES_D_INVESTISSEMENT_HORS_REMB": hors_remb,
        "DEPENSES_D_EQUIPEMENT": b.debit("reel", "20", "21", "23", sauf=("204", "2324")) - avances,
        "SUBVENTIONS_D_EQUIPEMENT_VERSEES": b.debit("reel", "204", "2324"),
        "AUTRES_DEPENSES_D_INVESTISSEMENT": b.debit(
            "reel", "102", "103", "13", "26", "27", *TIERS, sauf=("139", "2768")
        ),
        "GESTION_ACTIVE_DE_LA_DETTE": actif,
        "EMPRUNTS_HORS_GAD": emprunts,
        "REMBOURSEMENTS_D_EMPRUNTS_HORS_GAD": capital,
        "ENCOURS_DETTE": b.produit("solde", "16", sauf=("1688", "169")),
        "ENCOURS_DE_DETTE_DETTES_BANCAIRES_ET_ASSIMILEES": b.produit(
            "solde", "163", "164", "167", "1681", "1682", sauf=("1676",)
        ),
        "VARIATION_DU_FONDS_DE_ROULEMENT": recettes + hors_emprunts + emprunts - depenses - hors_remb - capital,
        "FONDS_DE_ROULEMENT": b.charge(
            "solde", "3", "4", "5", "1632", "1688", "2768", sauf=("39", "481", "49", "59", *TIERS)
        ),
        "DEPOTS_AU_TRESOR": b.charge("solde", "515"),
        "CREDITS_DE_TRESORERIE": b.produit("solde", "519"),
    }
    got = values[exercice]
    assert {key: got[f"OFGL_{key}"] for key in expected} == {key: near(value) for key, value in expected.items()}
