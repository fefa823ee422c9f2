"""What an analyst handles in a notebook: panels and editors over the rooms below, which decide everything.

A panel is a view (its state, without widgets: `query_view`) and a component (what shows it: `assisted_query`, whose
JavaScript is in ``static``). Names are loaded when first used: a script that draws nothing pays for no widget.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.widgets.assisted_query import QueryPanel, query_panel

__all__ = ["QueryPanel", "query_panel"]

_MODULES = {"QueryPanel": "assisted_query", "query_panel": "assisted_query"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'workbench.widgets' has no attribute {name!r}")
    return getattr(import_module(f"workbench.widgets.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
