"""The widgets of the detection list and of the search."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import traitlets

from workbench.dashboards.components import Component, stylesheet
from workbench.widgets.component import source

__all__ = ["CompanyList", "CompanySearch"]

_source = partial(source, folder=Path(__file__).parent / "static")
_css = stylesheet() + _source("companies.css")


class CompanyList(Component):
    """A detection list: its filters, its counters, a page of it.

    Messages: ``recall`` (choices), once; ``choose`` (field, value); ``reset``; ``download`` (file).
    """

    _esm = _source("dom.js", "companies.js", "detection.js")
    _css = _css
    form: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    answer: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    notices: traitlets.List[Any] = traitlets.List().tag(sync=True)


class CompanySearch(Component):
    """The search of companies: what is asked, a page of what is found.

    Messages: ``search`` (text, choices), ``turn`` (page).
    """

    _esm = _source("dom.js", "companies.js", "recherche.js")
    _css = _css
    form: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    answer: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    total: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    notices: traitlets.List[Any] = traitlets.List().tag(sync=True)
