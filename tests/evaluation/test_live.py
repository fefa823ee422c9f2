"""Accounts held in memory give what `evaluate` and `explain` give."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.evaluation.live import Accounts

FORMULES = {
    "A_PRODUITS": "C7-D7[TA:BX]",
    "A_CHARGES": "D6-C6[TA:BR]",
    "A_SOLDE": "A_PRODUITS-A_CHARGES",
    "A_TAUX": "A_SOLDE*100/A_PRODUITS",
    "A_AVANT": "A_SOLDE-A_SOLDE[OS:M1]",
    "A_HABITANT": "A_PRODUITS/$POP",
    "A_PRINCIPAL": "C7[TA:BX][TB:BP]",
    "A_ANNEXE": "C7[TA:BX][TB:BA]",
    "A_REGION": "C7[TA:BX][TE:301]",
    "A_ABSOLU": "D6-C7[TA:BX][CAL:ABS]",
    "A_PUISSANCE": "A_TAUX^2/0",
    "A_ANNEES": "C73[TA:BX][RE-MAX:2020]+C74[TA:BX][RE-MIN:2021]",
}


@pytest.mark.parametrize("nomenclature", [None, "M57", "M14"])
def test_values_are_those_of_evaluate(
    demonstration_base: str, demonstration_siret: str, nomenclature: str | None
) -> None:
    trame = wb.trame_from_formules(FORMULES, nomenclature=nomenclature)
    with wb.connect(demonstration_base) as base:
        accounts = Accounts(base, sirets=[demonstration_siret], exercices=range(2000, 2100), nomenclature=nomenclature)
        table = wb.evaluate(trame, base, sirets=[demonstration_siret], exercices=range(2000, 2100))
    # The base is closed: nothing more is read.
    assert accounts.exercices == tuple(table.columns)
    assert accounts.exercices
    whole = accounts.table(trame)
    for code in FORMULES:
        assert accounts.values(trame, code) == table.loc[code].to_dict() == whole[code], code
        for exercice in accounts.exercices:
            why = accounts.explain(trame, code, exercice)
            assert why.value == pytest.approx(table.at[code, exercice], rel=1e-12, abs=1e-9)
    assert any(table.loc["A_PRODUITS"])


def test_a_figure_goes_down_to_its_comptes(demonstration_base: str, demonstration_siret: str) -> None:
    trame = wb.trame_from_formules(FORMULES)
    with wb.connect(demonstration_base) as base:
        accounts = Accounts(base, sirets=demonstration_siret, exercices=2024)
    comptes = accounts.explain(trame, "A_PRODUITS", 2024).comptes()
    assert comptes["contribution"].sum() == pytest.approx(accounts.values(trame, "A_PRODUITS")[2024])
    assert comptes["libelle"].str.len().gt(0).any()


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda accounts, trame: accounts.values(trame, "A_RIEN"), "indicateur_absent"),
        (lambda accounts, trame: accounts.explain(trame, "A_PRODUITS", 1950), "exercice_absent"),
    ],
)
def test_what_is_not_there_is_said(
    demonstration_base: str,
    demonstration_siret: str,
    ask: Callable[[Accounts, wb.Trame], object],
    code: str,
) -> None:
    with wb.connect(demonstration_base) as base:
        accounts = Accounts(base, sirets=demonstration_siret, exercices=2024)
    with pytest.raises(WorkbenchError) as refused:
        ask(accounts, wb.trame_from_formules(FORMULES))
    assert refused.value.code == code


def test_nobody_has_no_value(demonstration_base: str) -> None:
    with wb.connect(demonstration_base) as base:
        accounts = Accounts(base, sirets="00000000000000", exercices=range(2000, 2100))
    assert accounts.values(wb.trame_from_formules(FORMULES), "A_TAUX") == {}
