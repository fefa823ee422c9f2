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
        Perimetre,
        connect,
        controls,
        download_balances,
        find_collectivites,
        import_balances,
        import_cci,
        import_comptes,
        import_population,
        import_reference,
        perimetre,
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
    from workbench.reports import run_report, write_balance, write_excel, write_strates
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
    "Diagnostic",
    "Explanation",
    "Formule",
    "Indicateur",
    "IndicateurTable",
    "Perimetre",
    "Preview",
    "Serie",
    "StrateTable",
    "Trame",
    "WorkbenchError",
    "check_formule",
    "compare_trames",
    "connect",
    "contributions",
    "controls",
    "download_balances",
    "evaluate",
    "evaluate_each",
    "evaluate_each_batches",
    "explain",
    "explain_each",
    "export_pseudo_parametrage",
    "find_collectivites",
    "import_balances",
    "import_cci",
    "import_comptes",
    "import_population",
    "import_reference",
    "load_trame",
    "parse_formule",
    "perimetre",
    "preview",
    "rank_each_batches",
    "run_report",
    "save_trame",
    "serie_of",
    "strate_of",
    "strates",
    "trame_from_formules",
    "write_balance",
    "write_each",
    "write_excel",
    "write_strates",
]

_ROOMS = {
    "workbench.dgfip": (
        "Base",
        "Perimetre",
        "connect",
        "controls",
        "download_balances",
        "find_collectivites",
        "import_balances",
        "import_cci",
        "import_comptes",
        "import_population",
        "import_reference",
        "perimetre",
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
    "workbench.reports": ("run_report", "write_balance", "write_excel", "write_strates"),
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


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
