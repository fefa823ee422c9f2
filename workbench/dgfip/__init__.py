"""The accounting base: schema, importers, reference tables, controls, selection."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.dgfip.bad_rows import BadRow, BadRowsError
from workbench.dgfip.balances_import import import_balances
from workbench.dgfip.base import Base, connect, prune_snapshots, snapshots
from workbench.dgfip.catalogue import BaseInfo, base_info, find_collectivites, libelles_comptes
from workbench.dgfip.cci_import import import_cci
from workbench.dgfip.comptes_import import import_comptes
from workbench.dgfip.control import Control
from workbench.dgfip.control_report import ControlReport, controls
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.population_import import import_population
from workbench.dgfip.queries import Query, query
from workbench.dgfip.queries_result import QueryResult
from workbench.dgfip.queries_sql import sql
from workbench.dgfip.reference import departements, libelle_type_budget, libelle_type_etablissement
from workbench.dgfip.reference_import import import_reference, libelles_reference
from workbench.dgfip.selection import Perimetre, perimetre, select_budgets, sum_comptes

if TYPE_CHECKING:
    from workbench.dgfip.demonstration import Demonstration, write_demonstration
    from workbench.dgfip.download import DownloadReport, download_balances

__all__ = [
    "BadRow",
    "BadRowsError",
    "Base",
    "BaseInfo",
    "Control",
    "ControlReport",
    "Demonstration",
    "DownloadReport",
    "ImportReport",
    "Perimetre",
    "Query",
    "QueryResult",
    "base_info",
    "connect",
    "controls",
    "departements",
    "download_balances",
    "find_collectivites",
    "import_balances",
    "import_cci",
    "import_comptes",
    "import_population",
    "import_reference",
    "libelle_type_budget",
    "libelle_type_etablissement",
    "libelles_comptes",
    "libelles_reference",
    "perimetre",
    "prune_snapshots",
    "query",
    "select_budgets",
    "snapshots",
    "sql",
    "sum_comptes",
    "write_demonstration",
]

# Downloads load an HTTP library and the demonstration its tables: only those who ask pay for them.
_LATER = {
    "Demonstration": "demonstration",
    "DownloadReport": "download",
    "download_balances": "download",
    "write_demonstration": "demonstration",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
