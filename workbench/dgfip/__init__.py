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
from workbench.dgfip.epci_import import import_epci
from workbench.dgfip.import_report import ImportReport
from workbench.dgfip.migration import Migration, migrate
from workbench.dgfip.plan_import import import_plan_comptes
from workbench.dgfip.plan_reading import chapitres, comptes, fonctions, plan_comptes, plans_comptes
from workbench.dgfip.population_import import import_population
from workbench.dgfip.queries import Query, query
from workbench.dgfip.queries_result import QueryResult
from workbench.dgfip.queries_sql import sql
from workbench.dgfip.reference import departements, libelle_type_budget, libelle_type_etablissement
from workbench.dgfip.reference_import import import_reference, libelles_reference
from workbench.dgfip.selection import Perimetre, keeps_nomenclature, perimetre, select_budgets, sum_comptes
from workbench.dgfip.strates import BudgetStrate, Strate, strate_of
from workbench.engines import Cancellation

if TYPE_CHECKING:
    from workbench.dgfip.demonstration import Demonstration, write_demonstration
    from workbench.dgfip.download import DownloadReport, download_balances
    from workbench.dgfip.queries_saved import (
        SavedQuery,
        delete_query,
        duplicate_query,
        load_query,
        read_query,
        rename_query,
        save_query,
        saved_queries,
    )

__all__ = [
    "BadRow",
    "BadRowsError",
    "Base",
    "BaseInfo",
    "BudgetStrate",
    "Cancellation",
    "Control",
    "ControlReport",
    "Demonstration",
    "DownloadReport",
    "ImportReport",
    "Migration",
    "Perimetre",
    "Query",
    "QueryResult",
    "SavedQuery",
    "Strate",
    "base_info",
    "chapitres",
    "comptes",
    "connect",
    "controls",
    "delete_query",
    "departements",
    "download_balances",
    "duplicate_query",
    "find_collectivites",
    "fonctions",
    "import_balances",
    "import_cci",
    "import_comptes",
    "import_epci",
    "import_plan_comptes",
    "import_population",
    "import_reference",
    "keeps_nomenclature",
    "libelle_type_budget",
    "libelle_type_etablissement",
    "libelles_comptes",
    "libelles_reference",
    "load_query",
    "migrate",
    "perimetre",
    "plan_comptes",
    "plans_comptes",
    "prune_snapshots",
    "query",
    "read_query",
    "rename_query",
    "save_query",
    "saved_queries",
    "select_budgets",
    "snapshots",
    "sql",
    "strate_of",
    "sum_comptes",
    "write_demonstration",
]

# Downloads load an HTTP library, saved queries a YAML one and the demonstration its tables: only those who ask pay.
_LATER = {
    "SavedQuery": "queries_saved",
    "delete_query": "queries_saved",
    "duplicate_query": "queries_saved",
    "load_query": "queries_saved",
    "read_query": "queries_saved",
    "rename_query": "queries_saved",
    "save_query": "queries_saved",
    "saved_queries": "queries_saved",
    "Demonstration": "demonstration",
    "DownloadReport": "download",
    "download_balances": "download",
    "write_demonstration": "demonstration",
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
