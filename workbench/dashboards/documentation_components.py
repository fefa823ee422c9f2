"""The widgets of Documentation: lists one inside the other, what is chosen, the comments on it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import traitlets

from workbench.dashboards.components import Component, stylesheet
from workbench.widgets.component import source

__all__ = ["Comments", "Library"]

_source = partial(source, folder=Path(__file__).parent / "static")
_css = stylesheet() + _source("production.css", "documentation.css")


class Library(Component):
    """Nomenclatures, trames and indicateurs, and what is chosen among them.

    Messages: ``search`` (text), ``choose`` (field, value, trame), ``draw`` (place), ``export``.
    """

    _esm = _source("dom.js", "documentation.js")
    _css = _css
    state = traitlets.Dict().tag(sync=True)
    detail: traitlets.Dict[str, Any] | None = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)


class Comments(Component):
    """Comments on what is chosen; hidden when nothing is.

    Messages: ``write`` (text), ``change`` (id, text), ``remove`` (id).
    """

    _esm = _source("dom.js", "comments.js")
    _css = _css
    about = traitlets.Unicode().tag(sync=True)
    comments: traitlets.List[Any] = traitlets.List().tag(sync=True)
