"""Double entry for fictitious budgets: what is posted balances, whatever is posted.

A ledger holds one budget for one exercice. Its accounts are *postes*: comptes of the detailed
charts (M14, M49), which a `Chart` translates to the nomenclature of the exercice when the balance
is written. So a budget crosses the change of nomenclature with one ledger, and each poste of the opening finds
its compte in the new chart.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

__all__ = ["Chart", "Ledger", "Position", "carry_result", "chart", "settle", "shares"]

ENTRY_D, ENTRY_C, BUDGET_D, BUDGET_C, OTHER_D, OTHER_C, ORDER_D, ORDER_C = range(8)
"""Columns of an account: balance d'entrée, opérations budgétaires net of annulations, non
budgétaires, and d'ordre (inside the budgétaires), debit then credit."""


class Ledger:
    """The accounts of one budget during one exercice, in cents.

    Every verb posts a debit and a credit of the same amount; an amount of 0 posts nothing, and a negative amount
    of a budgetary verb is an annulation, which lowers the column that it corrects.
    """

    def __init__(self) -> None:
        self.postes: dict[str, list[int]] = {}

    def _poste(self, poste: str) -> list[int]:
        return self.postes.setdefault(poste, [0] * 8)

    def enter(self, poste: str, amount: int) -> None:
        """Open an account with a debit, or a credit when the amount is negative."""
        if amount:
            self._poste(poste)[ENTRY_D if amount > 0 else ENTRY_C] += abs(amount)

    def move(self, debit: str, credit: str, amount: int) -> None:
        """Post outside the budget; a negative amount goes the other way."""
        if amount < 0:
            debit, credit, amount = credit, debit, -amount
        if amount:
            self._poste(debit)[OTHER_D] += amount
            self._poste(credit)[OTHER_C] += amount

    def spend(self, poste: str, amount: int, by: str) -> None:
        """Post a budgetary expense, owed to a third party."""
        if amount:
            self._poste(poste)[BUDGET_D] += amount
            self._poste(by)[OTHER_C if amount > 0 else OTHER_D] += abs(amount)

    def receive(self, poste: str, amount: int, by: str) -> None:
        """Post a budgetary receipt, due by a third party."""
        if amount:
            self._poste(poste)[BUDGET_C] += amount
            self._poste(by)[OTHER_D if amount > 0 else OTHER_C] += abs(amount)

    def order(self, debit: str, credit: str, amount: int) -> None:
        """Post an opération d'ordre budgétaire: budgetary on both sides, no money moves."""
        if amount > 0:
            for poste, budget, order in ((debit, BUDGET_D, ORDER_D), (credit, BUDGET_C, ORDER_C)):
                amounts = self._poste(poste)
                amounts[budget] += amount
                amounts[order] += amount

    def closing(self, poste: str) -> int:
        """Give the closing balance: positive for a debit, negative for a credit."""
        amounts = self.postes.get(poste)
        return sum(amounts[0:6:2]) - sum(amounts[1:6:2]) if amounts else 0

    def posted(self, poste: str, column: int) -> int:
        """Give the amount of one column of an account."""
        amounts = self.postes.get(poste)
        return amounts[column] if amounts else 0

    def result(self) -> int:
        """Give the result of the exercice: receipts less expenses of classes 6 and 7."""
        return -sum(self.closing(poste) for poste in self.postes if poste[0] in "67")

    def real(self, classe: str) -> int:
        """Give the dépenses (class 6) or recettes (class 7) réelles de fonctionnement.

        Real budgetary operations, net, without provisions nor disposals of assets.
        """
        apart = ("675", "676", "68") if classe == "6" else ("775", "776", "777", "78")
        chosen = [
            amounts for poste, amounts in self.postes.items() if poste[0] == classe and not poste.startswith(apart)
        ]
        net = sum((a[BUDGET_D] - a[ORDER_D]) - (a[BUDGET_C] - a[ORDER_C]) for a in chosen)
        return net if classe == "6" else -net

    def investment(self) -> int:
        """Give the budgetary receipts less expenses of the section d'investissement."""
        chosen = [amounts for poste, amounts in self.postes.items() if poste[0] in "12"]
        return sum(amounts[BUDGET_C] - amounts[BUDGET_D] for amounts in chosen)

    def ordered(self) -> int:
        """Give the total of the opérations d'ordre, one side."""
        return sum(amounts[ORDER_D] for amounts in self.postes.values())

    def closed(self) -> Ledger:
        """Open the next exercice: classes 6 and 7 become the result, on the poste 12."""
        following = Ledger()
        for poste in sorted(self.postes):
            if poste[0] not in "67":
                following.enter(poste, self.closing(poste))
        following.enter("12", -self.result())
        return following


@dataclass
class Position:
    """What an exercice hands to the next.

    Parameters
    ----------
    ledger
        Opened with the opening balances of the exercice to come.
    attached
        Expenses attached to the exercice before, by poste.
    investment
        Cumulated result of the section d'investissement.
    equipment
        Purchases of the exercice before.
    """

    ledger: Ledger
    attached: dict[str, int] = field(default_factory=dict)
    investment: int = 0
    equipment: int = 0


def carry_result(ledger: Ledger, need: int, saved: float = 0.0) -> None:
    """Decide what becomes of the last result.

    It is carried forward (110, 119) outside the budget; then the need of the section
    d'investissement, and a share ``saved`` of the rest, is capitalised by a budgetary receipt
    (1068).
    """
    result = -ledger.closing("12")
    cleared = min(max(0, result), ledger.closing("119"))
    ledger.move("12", "119", cleared)
    ledger.move("12", "110", max(0, result - cleared))
    covered = min(max(0, -result), -ledger.closing("110"))
    ledger.move("110", "12", covered)
    ledger.move("119", "12", max(0, -result - covered))
    available = -ledger.closing("110")
    reserve = min(available, max(0, need))
    ledger.receive("1068", reserve + round((available - reserve) * saved), by="110")


def settle(
    ledger: Ledger,
    bank: str,
    receivables: Mapping[str, float],
    payables: Mapping[str, float],
    vary: Callable[[], float],
) -> None:
    """Cash what is due and pay what is owed, but for a share of the year's operations, by third party."""
    for poste, share in receivables.items():
        left = round(ledger.posted(poste, OTHER_D) * share * vary())
        ledger.move(bank, poste, max(0, ledger.closing(poste) - left))
    for poste, share in payables.items():
        left = round(ledger.posted(poste, OTHER_C) * share * vary())
        ledger.move(poste, bank, max(0, -ledger.closing(poste) - left))


class Chart:
    """Translates postes to the comptes of one nomenclature, and names those.

    Parameters
    ----------
    rows
        Rows of the table of postes: ``poste``, one column a nomenclature, ``libelle``.
    nomenclature
        ``M14``, ``M14A``, ``M57``, ``M57A``, ``M49`` or ``M4``.
    """

    def __init__(self, rows: Iterable[Mapping[str, str]], nomenclature: str) -> None:
        self.comptes: dict[str, str] = {}
        self.libelles: dict[str, str] = {}
        for row in rows:
            compte = row[nomenclature]
            if compte:
                self.comptes[row["poste"]] = compte
                # Where several postes share a compte, its name is that of the poste of the same number.
                if compte not in self.libelles or row["poste"] == compte:
                    self.libelles[compte] = row["libelle"]

    def balance(self, ledger: Ledger) -> dict[str, list[int]]:
        """Sum the postes of a ledger by compte; opening balances are netted there."""
        balance: dict[str, list[int]] = {}
        for poste, amounts in ledger.postes.items():
            summed = balance.setdefault(self.comptes[poste], [0] * 8)
            for column, amount in enumerate(amounts):
                summed[column] += amount
        for amounts in balance.values():
            entry = amounts[ENTRY_D] - amounts[ENTRY_C]
            amounts[ENTRY_D], amounts[ENTRY_C] = max(0, entry), max(0, -entry)
        return {compte: balance[compte] for compte in sorted(balance) if any(balance[compte])}


@cache
def chart(nomenclature: str) -> Chart:
    """Load the chart of a nomenclature from ``demonstration_tables/``.

    Examples
    --------
    >>> chart("M57").comptes["6574"], chart("M57A").comptes["6574"], chart("M14A").comptes["64111"]
    ('65748', '65748', '6411')
    >>> chart("M57").libelles["65748"]
    'Subventions de fonctionnement aux associations et personnes de droit privé'
    """
    name = "comptes.csv" if nomenclature[:3] in {"M14", "M57"} else "comptes_m4.csv"
    text = resources.files("workbench.dgfip").joinpath("demonstration_tables", name).read_text(encoding="utf-8")
    return Chart(csv.DictReader(text.splitlines(), delimiter=";"), nomenclature)


def shares(total: int, weights: Mapping[str, float], whole: int = 1) -> dict[str, int]:
    """Share an amount by weights, exactly; the greatest weight takes what rounding leaves.

    Parameters
    ----------
    total
        Cents.
    weights
        Any sign; their sum must not be 0.
    whole
        Amounts are multiples of this many cents, the greatest one apart.

    Examples
    --------
    >>> shares(1000, {"a": 1, "b": 1, "c": 2}), shares(100, {"a": 3, "b": -1})
    ({'a': 250, 'b': 250, 'c': 500}, {'a': 150, 'b': -50})
    """
    if not weights:
        return {}
    scale = sum(weights.values())
    parts = {name: round(total * weight / scale / whole) * whole for name, weight in weights.items()}
    greatest = max(weights, key=lambda name: weights[name])
    parts[greatest] += total - sum(parts.values())
    return parts
