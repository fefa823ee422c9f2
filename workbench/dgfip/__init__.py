"""The accounting base: schema, importers, reference tables, controls, selection."""

from __future__ import annotations

from workbench.dgfip.bad_rows import BadRow, BadRowsError
from workbench.dgfip.balances_import import import_balances
from workbench.dgfip.base import Base, connect, prune_snapshots, snapshots
from workbench.dgfip.cci_import import import_cci
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.selection import Perimetre, perimetre, select_budgets, sum_comptes

__all__ = [
    "BadRow",
    "BadRowsError",
    "Base",
    "ImportReport",
    "Perimetre",
    "connect",
    "import_balances",
    "import_cci",
    "perimetre",
    "prune_snapshots",
    "select_budgets",
    "snapshots",
    "sum_comptes",
]
