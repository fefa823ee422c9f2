"""The workbench: financial analysis of public bodies, in notebooks and dashboards.

Public names are loaded when first used, so that ``import workbench`` and ``workbench --help`` cost
nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.dgfip import (
        Base,
        Cancellation,
        Perimetre,
        Query,
        QueryResult,
        SavedQuery,
        chapitres,
        comptes,
        connect,
        controls,
        delete_query,
        download_balances,
        duplicate_query,
        find_collectivites,
        fonctions,
        import_balances,
        import_cci,
        import_comptes,
        import_plan_comptes,
        import_population,
        import_reference,
        load_query,
        perimetre,
        plan_comptes,
        plans_comptes,
        query,
        read_query,
        rename_query,
        save_query,
        saved_queries,
        sql,
        strate_of,
    )
    from workbench.errors import WorkbenchError
    from workbench.evaluation import (
        Explanation,
        IndicateurTable,
        Preview,
        StrateTable,
        contributions,
        evaluate,
        evaluate_each,
        evaluate_each_batches,
        explain,
        explain_each,
        preview,
        rank_each_batches,
        strates,
        write_each,
    )
    from workbench.formules import Diagnostic, check_formule, parse_formule
    from workbench.reports import run_report, write_balance, write_excel, write_query, write_strates
    from workbench.trames import (
        Formule,
        Indicateur,
        Serie,
        Trame,
        compare_trames,
        export_pseudo_parametrage,
        load_trame,
        save_trame,
        serie_of,
        trame_from_formules,
    )

__version__ = "0.1.0"

__all__ = [
    "Base",
    "Cancellation",
    "Diagnostic",
    "Explanation",
    "Formule",
    "Indicateur",
    "IndicateurTable",
    "Perimetre",
    "Preview",
    "Query",
    "QueryResult",
    "SavedQuery",
    "Serie",
    "StrateTable",
    "Trame",
    "WorkbenchError",
    "chapitres",
    "check_formule",
    "compare_trames",
    "comptes",
    "connect",
    "contributions",
    "controls",
    "delete_query",
    "download_balances",
    "duplicate_query",
    "evaluate",
    "evaluate_each",
    "evaluate_each_batches",
    "explain",
    "explain_each",
    "export_pseudo_parametrage",
    "find_collectivites",
    "fonctions",
    "import_balances",
    "import_cci",
    "import_comptes",
    "import_plan_comptes",
    "import_population",
    "import_reference",
    "load_query",
    "load_trame",
    "parse_formule",
    "perimetre",
    "plan_comptes",
    "plans_comptes",
    "preview",
    "query",
    "rank_each_batches",
    "read_query",
    "rename_query",
    "run_report",
    "save_query",
    "save_trame",
    "saved_queries",
    "serie_of",
    "sql",
    "strate_of",
    "strates",
    "trame_from_formules",
    "write_balance",
    "write_each",
    "write_excel",
    "write_query",
    "write_strates",
]

_ROOMS = {
    "workbench.dgfip": (
        "Base",
        "Cancellation",
        "Perimetre",
        "Query",
        "QueryResult",
        "SavedQuery",
        "chapitres",
        "comptes",
        "connect",
        "controls",
        "delete_query",
        "download_balances",
        "duplicate_query",
        "find_collectivites",
        "fonctions",
        "import_balances",
        "import_cci",
        "import_comptes",
        "import_plan_comptes",
        "import_population",
        "import_reference",
        "load_query",
        "perimetre",
        "plan_comptes",
        "plans_comptes",
        "query",
        "read_query",
        "rename_query",
        "save_query",
        "saved_queries",
        "sql",
        "strate_of",
    ),
    "workbench.errors": ("WorkbenchError",),
    "workbench.evaluation": (
        "Explanation",
        "IndicateurTable",
        "Preview",
        "StrateTable",
        "contributions",
        "evaluate",
        "evaluate_each",
        "evaluate_each_batches",
        "explain",
        "explain_each",
        "preview",
        "rank_each_batches",
        "strates",
        "write_each",
    ),
    "workbench.formules": ("Diagnostic", "check_formule", "parse_formule"),
    "workbench.reports": ("run_report", "write_balance", "write_excel", "write_query", "write_strates"),
    "workbench.trames": (
        "Formule",
        "Indicateur",
        "Serie",
        "Trame",
        "compare_trames",
        "export_pseudo_parametrage",
        "load_trame",
        "save_trame",
        "serie_of",
        "trame_from_formules",
    ),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(import_module(room), name)


def load_ipython_extension(shell: Any) -> None:
    """Bring the magics to a notebook; ``%load_ext workbench`` calls it."""
    # By name: the rooms import this package, and magics stand above them.
    import_module("workbench.magics").load(shell)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
