"""The widgets of sheets: who it is and what is done with it, what is known of it, what people say of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import traitlets

from workbench.dashboards.components import Component, stylesheet
from workbench.widgets.component import source

__all__ = ["SheetBlocks", "SheetHead", "SheetOpinion", "SheetThreads"]

_source = partial(source, folder=Path(__file__).parent / "static")
_css = stylesheet() + _source("documentation.css", "sheet.css")


class SheetHead(Component):
    """The name, the marks, the links, the follow; a field for another number.

    Messages: ``follow``, ``unfollow`` (category, reason), ``download`` (file).
    """

    _esm = _source("dom.js", "sheet_head.js")
    _css = _css
    state: traitlets.Dict[str, Any] | None = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    asked = traitlets.Dict().tag(sync=True)


class SheetBlocks(Component):
    """The blocks of a sheet.

    Messages: ``sort`` (value), ``library``.
    """

    _esm = _source("dom.js", "plotly.js", "paper.js", "map.js", "sheet_blocks.js")
    _css = _css
    address = traitlets.Unicode().tag(sync=True)
    outlines: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    blocks: traitlets.List[Any] = traitlets.List().tag(sync=True)


class SheetOpinion(Component):
    """Was the detection useful; hidden where nothing is asked.

    Messages: ``judge`` (useful, reasons, comment).
    """

    _esm = _source("dom.js", "sheet_opinion.js")
    _css = _css
    state: traitlets.Dict[str, Any] | None = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)


class SheetThreads(Component):
    """Threads of comments.

    Messages: ``write`` (text, follows), ``change`` (id, text).
    """

    _esm = _source("dom.js", "sheet_threads.js")
    _css = _css
    threads: traitlets.List[Any] = traitlets.List().tag(sync=True)
