"""What an analyst handles in a notebook: panels and editors over the rooms below, which decide everything.

A panel is a view (its state, without widgets: `query_view`) and a component (what shows it: `assisted_query`, whose
JavaScript is in ``static``). Names are loaded when first used: a script that draws nothing pays for no widget.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.widgets.assisted_query import QueryPanel, query_panel
    from workbench.widgets.formule_editing import FormuleEditor, formule_editor
    from workbench.widgets.trame_editing import TrameEditor, trame_editor

__all__ = ["FormuleEditor", "QueryPanel", "TrameEditor", "formule_editor", "query_panel", "trame_editor"]

_MODULES = {
    "FormuleEditor": "formule_editing",
    "QueryPanel": "assisted_query",
    "TrameEditor": "trame_editing",
    "formule_editor": "formule_editing",
    "query_panel": "assisted_query",
    "trame_editor": "trame_editing",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'workbench.widgets' has no attribute {name!r}")
    return getattr(import_module(f"workbench.widgets.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
