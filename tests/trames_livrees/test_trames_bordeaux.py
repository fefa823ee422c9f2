"""The shipped M14 trames on the balance of Bordeaux 2019 (DGFIP, Licence Ouverte), summed again by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest


def near(value: float) -> object:
    """The same to the tenth of a cent."""
    return pytest.approx(value, abs=0.001)


@pytest.mark.shared
def test_published_figures_of_bordeaux(bordeaux: Mapping[str, pd.Series]) -> None:
    ofgl, sheet = bordeaux["ofgl_agregats_m14"], bordeaux["comptes_individuels_m14"]
    assert ofgl["OFGL_DEPENSES_FONCTIONNEMENT"] == near(294_082_496.89)
    assert ofgl["OFGL_RECETTES_FONCTIONNEMENT"] == near(351_954_165.22)
    assert ofgl["OFGL_EPARGNE_BRUTE"] == near(57_871_668.33)
    assert sheet["CI_CAF"] == near(57_871_668.33)
    assert sheet["CI_RESULTAT_COMPTABLE"] == near(45_947_719.67)
    for figure in (ofgl["OFGL_ENCOURS_DETTE"], sheet["CI_ENCOURS_DETTE"]):
        assert figure == near(252_257_675.39)
    assert bordeaux["ratios_legaux_m14"]["RATIO_ENCOURS_DETTE"] == near(252_257_675.39)


AS_PUBLISHED = (
    "achats_et_charges_externes",
    "autres_dotations_de_fonctionnement",
    "autres_dotations_et_subventions",
    "charges_financieres",
    "concours_de_l_etat",
    "credits_de_tresorerie",
    "depots_au_tresor",
    "depenses_d_equipement",
    "depenses_fonctionnement",
    "dotation_globale_de_fonctionnement",
    "encours_dette",
    "encours_de_dette_depots_et_cautionnements_recus",
    "encours_de_dette_dettes_bancaires_et_assimilees",
    "epargne_de_gestion",
    "fctva",
    "fiscalite_reversee",
    "fonds_de_soutien_aux_emprunts_a_risque",
    "perequations_et_compensations_fiscales",
    "produit_des_cessions_d_immobilisations",
    "recettes_d_investissement_hors_emprunts",
    "recettes_fonctionnement",
    "subventions_aux_personnes_de_droit_prive",
    "subventions_d_equipement_versees",
    "travaux_en_regie",
)
"""Aggregates whose published formula holds for Bordeaux's M14 accounts as it is written."""


def published_formula(texte: str, balance: Any) -> float:
    """Read a formula in the OFGL's own notation: DN60 (achats) + … - DN621 (…)."""
    while "(" in texte:
        texte = re.sub(r"\([^()]*\)", "", texte)
    terms = {
        "D": lambda compte: balance.debit("reel", compte),
        "C": lambda compte: balance.credit("reel", compte),
        "DN": lambda compte: balance.charge("reel", compte),
        "CN": lambda compte: balance.produit("reel", compte),
        "OOC": lambda compte: balance.credit("ordre", compte),
        "SDN": lambda compte: balance.charge("solde", compte),
        "SCN": lambda compte: balance.produit("solde", compte),
        "SD": lambda compte: balance.charge("solde", compte),
        "SC": lambda compte: balance.produit("solde", compte),
    }
    found = re.findall(r"([+-]?)\s*\b(OOC|SDN|SCN|SD|SC|DN|CN|D|C)(\d+)\b", texte)
    assert re.sub(r"[+-]?\s*\b[A-Z]+\d+\b", "", texte).strip() == "", texte
    return sum((-1 if sign == "-" else 1) * terms[kind](compte) for sign, kind, compte in found)


@pytest.mark.shared
@pytest.mark.parametrize("name", AS_PUBLISHED)
def test_agrees_with_the_formula_the_ofgl_publishes(
    name: str, shared: Path, balance: Any, bordeaux: Mapping[str, pd.Series]
) -> None:
    published = pd.read_csv(shared / "data/ofgl/ofgl_agregats.csv").set_index("indicateur")["formule_ofgl"]
    expected = published_formula(str(published[f"ofgl_{name}"]), balance)
    assert bordeaux["ofgl_agregats_m14"][f"OFGL_{name.upper()}"] == near(expected)


TIERS = ("454", "456", "457", "458")


@pytest.mark.shared
def test_flows_explain_the_balance_sheet_to_the_cent(balance: Any, bordeaux: Mapping[str, pd.Series]) -> None:
    # Two independent readings of one balance: what came in less what went out, closing less opening working capital.
    got = bordeaux["ofgl_agregats_m14"]
    sauf = ("39", "49", "59", "481", *TIERS)
    opening = balance.charge("entree", "3", "4", "5", "1632", "1688", "2768", sauf=sauf)
    assert got["OFGL_VARIATION_DU_FONDS_DE_ROULEMENT"] == near(-5_604_240.00)
    assert got["OFGL_VARIATION_DU_FONDS_DE_ROULEMENT"] == near(got["OFGL_FONDS_DE_ROULEMENT"] - opening)


IDENTITIES = (
    ("RECETTES_FONCTIONNEMENT", "DEPENSES_FONCTIONNEMENT", "EPARGNE_BRUTE"),
    ("EPARGNE_BRUTE", "EPARGNE_NETTE", "REMBOURSEMENTS_D_EMPRUNTS_HORS_GAD"),
    ("ANNUITE_DE_LA_DETTE", "REMBOURSEMENTS_D_EMPRUNTS_HORS_GAD", "CHARGES_FINANCIERES"),
    ("RECETTES_TOTALES", "DEPENSES_TOTALES", "VARIATION_DU_FONDS_DE_ROULEMENT"),
    ("VARIATION_DU_FONDS_DE_ROULEMENT", "CAPACITE_OU_BESOIN_DE_FINANCEMENT", "FLUX_NET_DE_DETTE"),
    (
        "CONCOURS_DE_L_ETAT",
        "DOTATION_GLOBALE_DE_FONCTIONNEMENT",
        "AUTRES_DOTATIONS_DE_FONCTIONNEMENT",
        "PEREQUATIONS_ET_COMPENSATIONS_FISCALES",
    ),
    (
        "RECETTES_FONCTIONNEMENT",
        "IMPOTS_ET_TAXES",
        "CONCOURS_DE_L_ETAT",
        "SUBVENTIONS_RECUES_ET_PARTICIPATIONS",
        "VENTES_DE_BIENS_ET_SERVICES",
        "AUTRES_RECETTES_DE_FONCTIONNEMENT",
    ),
    (
        "DEPENSES_FONCTIONNEMENT",
        "ACHATS_ET_CHARGES_EXTERNES",
        "FRAIS_PERSONNEL",
        "DEPENSES_D_INTERVENTION",
        "CHARGES_FINANCIERES",
        "AUTRES_DEPENSES_DE_FONCTIONNEMENT",
    ),
)
"""A total and what it is the sum of."""


@pytest.mark.shared
def test_identities_of_the_ofgl(bordeaux: Mapping[str, pd.Series]) -> None:
    got = bordeaux["ofgl_agregats_m14"]
    for total, *parts in IDENTITIES:
        keys = [f"OFGL_{part}" for part in parts]
        assert got[f"OFGL_{total}"] == near(got[keys].sum()), total


@pytest.mark.shared
def test_the_sheet_of_the_dgfip_closes(balance: Any, bordeaux: Mapping[str, pd.Series]) -> None:
    # Its overall result is that of all the budgetary operations of the year, whatever the comptes.
    got = bordeaux["comptes_individuels_m14"]
    assert got["CI_RESULTAT_ENSEMBLE"] == near(balance.produit("budgetaire", ""))
    assert got["CI_RESULTAT_ENSEMBLE"] == near(53_217_193.71)


@pytest.mark.shared
def test_ratios_of_bordeaux(bordeaux: Mapping[str, pd.Series]) -> None:
    got = bordeaux["ofgl_agregats_m14"]
    assert got["OFGL_TAUX_D_EPARGNE_BRUTE"] == pytest.approx(57_871_668.33 / 351_954_165.22, rel=1e-12)
    assert got["OFGL_CAPACITE_DE_DESENDETTEMENT"] == pytest.approx(252_257_675.39 / 57_871_668.33, rel=1e-12)
