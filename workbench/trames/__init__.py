"""Trames: the indicateurs of an analysis, in files people write, and in the workbooks they already have.

`model` holds the values; `files` loads and saves them; `reading` and `yaml_nodes` read YAML, `writing` and `rewriting`
write it, `excel` is the pseudo-paramétrage; `checks` and `problems` say what is wrong; `compare` says what changed.
What needs openpyxl is loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.trames.checks import check_trame
from workbench.trames.compare import TrameComparison, compare_trames
from workbench.trames.completion import Completion, complete_formule
from workbench.trames.comptes_check import CompteRemark, CompteRemarks, check_comptes
from workbench.trames.files import (
    TrameSummary,
    check_trame_file,
    find_trame,
    find_trame_file,
    list_trames,
    load_trame,
    modele_path,
    save_trame,
)
from workbench.trames.from_formules import trame_from_formules
from workbench.trames.library import (
    create_trame,
    delete_trame,
    duplicate_trame,
    rename_trame,
    series_of,
    trame_file,
    trame_folders,
)
from workbench.trames.model import UNITES, Formule, Indicateur, Trame
from workbench.trames.problems import DependentIndicateurError, TrameError, TrameProblem, UnknownIndicateurError
from workbench.trames.search import Catalogue, catalogue
from workbench.trames.serie import Serie, serie_of, trames_of
from workbench.trames.session import TrameSession, edit_trame, rename_indicateur
from workbench.trames.transposition import Transposition, transpose

if TYPE_CHECKING:
    from workbench.trames.excel import export_pseudo_parametrage, import_pseudo_parametrage
    from workbench.trames.excel_model import export_archive, export_model_with_formules

__all__ = [
    "UNITES",
    "Catalogue",
    "Completion",
    "CompteRemark",
    "CompteRemarks",
    "DependentIndicateurError",
    "Formule",
    "Indicateur",
    "Serie",
    "Trame",
    "TrameComparison",
    "TrameError",
    "TrameProblem",
    "TrameSession",
    "TrameSummary",
    "Transposition",
    "UnknownIndicateurError",
    "catalogue",
    "check_comptes",
    "check_trame",
    "check_trame_file",
    "compare_trames",
    "complete_formule",
    "create_trame",
    "delete_trame",
    "duplicate_trame",
    "edit_trame",
    "export_archive",
    "export_model_with_formules",
    "export_pseudo_parametrage",
    "find_trame",
    "find_trame_file",
    "import_pseudo_parametrage",
    "list_trames",
    "load_trame",
    "modele_path",
    "rename_indicateur",
    "rename_trame",
    "save_trame",
    "serie_of",
    "series_of",
    "trame_file",
    "trame_folders",
    "trame_from_formules",
    "trames_of",
    "transpose",
]

_EXCEL = {
    "export_archive": "excel_model",
    "export_model_with_formules": "excel_model",
    "export_pseudo_parametrage": "excel",
    "import_pseudo_parametrage": "excel",
}


def __getattr__(name: str) -> Any:
    if name not in _EXCEL:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_EXCEL[name]}"), name)
