"""The accounting base: schema, importers, reference tables, controls, selection."""

from __future__ import annotations

from workbench.dgfip.bad_rows import BadRow, BadRowsError
from workbench.dgfip.balances_import import import_balances
from workbench.dgfip.base import Base, connect, prune_snapshots, snapshots
from workbench.dgfip.catalogue import BaseInfo, base_info, find_collectivites, libelles_comptes
from workbench.dgfip.cci_import import import_cci
from workbench.dgfip.control import Control
from workbench.dgfip.control_report import ControlReport, controls
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.population_import import import_population
from workbench.dgfip.reference import departements, libelle_type_budget, libelle_type_etablissement
from workbench.dgfip.selection import Perimetre, perimetre, select_budgets, sum_comptes

__all__ = [
    "BadRow",
    "BadRowsError",
    "Base",
    "BaseInfo",
    "Control",
    "ControlReport",
    "ImportReport",
    "Perimetre",
    "base_info",
    "connect",
    "controls",
    "departements",
    "find_collectivites",
    "import_balances",
    "import_cci",
    "import_population",
    "libelle_type_budget",
    "libelle_type_etablissement",
    "libelles_comptes",
    "perimetre",
    "prune_snapshots",
    "select_budgets",
    "snapshots",
    "sum_comptes",
]
