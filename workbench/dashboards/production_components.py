"""The widgets of Production: the choices of a request, the requests of a person, the reports published for her."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import traitlets

from workbench.dashboards.components import Component, stylesheet
from workbench.widgets.component import source

__all__ = ["PublishedReports", "RequestForm", "Requests"]

_source = partial(source, folder=Path(__file__).parent / "static")
_css = stylesheet() + _source("production.css")


class RequestForm(Component):
    """The choices of a request.

    Messages: ``choose`` (field, value), ``search`` (text, serial), ``add`` (value), ``remove`` (value), ``create``.
    """

    _esm = _source("dom.js", "combobox.js", "production_form.js")
    _css = _css
    state = traitlets.Dict().tag(sync=True)


class Requests(Component):
    """Her requests, which it asks for again every five seconds while one is being made.

    Messages: ``refresh``, ``sort`` (column), ``turn`` (page), ``resize`` (size), ``download`` (number), ``cancel``
    (number), ``publish`` (number, badges, release).
    """

    _esm = _source("dom.js", "production_history.js")
    _css = _css
    table = traitlets.Dict().tag(sync=True)


class PublishedReports(Component):
    """The reports published for her.

    Messages: ``list``, ``file`` (place, name).
    """

    _esm = _source("dom.js", "production_published.js")
    _css = _css
    rows: traitlets.List[Any] = traitlets.List().tag(sync=True)
