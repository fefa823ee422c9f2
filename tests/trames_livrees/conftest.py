"""Balances summed by sets of comptes, with pandas, straight from the published files.

A road to figures that owes nothing to the language of formules, nor to its evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

import workbench as wb
from workbench.trames import Trame

FOLDER = Path(__file__).resolve().parents[2] / "trames"
M14 = ("m14_basique", "ofgl_agregats_m14", "comptes_individuels_m14", "ratios_legaux_m14")
BORDEAUX = "21330063500017"
AMOUNTS = ["BEDEB", "BECRE", "OBNETDEB", "OBNETCRE", "ONBDEB", "ONBCRE", "OOBDEB", "OOBCRE"]
Comptes = tuple[str, ...]


@cache
def _shipped(name: str) -> Trame:
    return wb.load_trame(FOLDER / f"{name}.yaml")


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Trame]:
    """Give a shipped trame by its code."""
    return _shipped


class Balance:
    """Sums of a balance by sets of comptes, in integer cents: `prefixes`, without those that start as `sauf`."""

    def __init__(self, rows: pd.DataFrame) -> None:
        """Keep the sums by compte of `rows`: COMPTE and the AMOUNTS in cents."""
        sums = rows.groupby("COMPTE")[AMOUNTS].sum()
        parts = {}
        for side in ("DEB", "CRE"):
            parts["reel", side] = sums["OBNET" + side] - sums["OOB" + side]
            parts["ordre", side] = sums["OOB" + side]
            parts["budgetaire", side] = sums["OBNET" + side]
            parts["entree", side] = sums["BE" + side]
            parts["solde", side] = sums["BE" + side] + sums["OBNET" + side] + sums["ONB" + side]
        self.sums = pd.DataFrame(parts)

    def _total(self, part: str, side: str, prefixes: Comptes, sauf: Comptes) -> int:
        index = self.sums.index.astype(str)
        chosen = [c.startswith(prefixes) and not (sauf and c.startswith(sauf)) for c in index]
        return int(self.sums.loc[chosen, (part, side)].sum())

    def debit(self, part: str, *prefixes: str, sauf: Comptes = ()) -> float:
        return self._total(part, "DEB", prefixes, sauf) / 100

    def credit(self, part: str, *prefixes: str, sauf: Comptes = ()) -> float:
        return self._total(part, "CRE", prefixes, sauf) / 100

    def charge(self, part: str, *prefixes: str, sauf: Comptes = ()) -> float:
        """Débit moins crédit."""
        return (self._total(part, "DEB", prefixes, sauf) - self._total(part, "CRE", prefixes, sauf)) / 100

    def produit(self, part: str, *prefixes: str, sauf: Comptes = ()) -> float:
        """Crédit moins débit."""
        return -self.charge(part, *prefixes, sauf=sauf)


@pytest.fixture(scope="session")
def balance_of() -> Callable[[pd.DataFrame], Balance]:
    """Build a balance from rows: COMPTE and the eight amounts in cents."""
    return Balance


@pytest.fixture(scope="session")
def balance(shared: Path) -> Balance:
    """Bordeaux 2019, budget principal."""
    rows = pd.read_csv(shared / "data/balances/balance_bordeaux_2019.csv", sep=";", dtype=str)
    for name in AMOUNTS:
        rows[name] = rows[name].str.replace(",", "").astype("int64")
    return Balance(rows)


@pytest.fixture(scope="session")
def bordeaux(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, pd.Series]:
    """The values of each M14 trame for Bordeaux 2019, by the product."""
    folder = tmp_path_factory.mktemp("bordeaux")
    with wb.connect(folder / "base.duckdb", read_only=False) as base:
        wb.import_balances(base, [shared / "data/balances/balance_bordeaux_2019.csv"])
        return {
            name: pd.Series(wb.evaluate(_shipped(name), base, sirets=[BORDEAUX], exercices=[2019])[2019])
            for name in M14
        }
