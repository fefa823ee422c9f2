"""The widgets of the dashboards: a form, a table whose figures unfold, a chart, messages and files.

What they share with those of notebooks is `workbench.widgets.component`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import traitlets

from workbench.widgets.component import Charts as PlainCharts
from workbench.widgets.component import Component as PlainComponent
from workbench.widgets.component import source

__all__ = [
    "Actions",
    "Charts",
    "ComparaisonForm",
    "Component",
    "FigureTable",
    "Form",
    "Ranking",
    "Remarks",
    "SituationTable",
    "outlines",
    "stylesheet",
]

_source = partial(source, folder=Path(__file__).parent / "static")


def stylesheet() -> str:
    """Return the CSS of the dashboards."""
    return _source("page.css")


def outlines() -> dict[str, Any]:
    """Return the outlines of the départements, as ``outlines/build.mjs`` wrote them."""
    found: dict[str, Any] = json.loads(_source("departements.json"))
    return found


class Component(PlainComponent):
    """A widget that shows traits and sends messages, with the look of the dashboards."""

    _css = stylesheet()


class Charts(PlainCharts, Component):
    """Plotly figures, with the look of the dashboards, under a title of their own where there is one."""

    title = traitlets.Unicode().tag(sync=True)


class Form(Component):
    """The choices: nomenclature, trame, collectivité, exercices.

    Messages: ``choose`` (field, value), ``search`` (text, serial).
    """

    _esm = _source("dom.js", "combobox.js", "form.js")
    state = traitlets.Dict().tag(sync=True)


class FigureTable(Component):
    """Figures by indicateur and exercice.

    Messages: ``explain`` (code, exercice), ``expand`` (path), ``draw`` (code).
    """

    _esm = _source("dom.js", "table.js")
    table: traitlets.Dict[str, Any] | None = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    drawn: traitlets.List[Any] = traitlets.List().tag(sync=True)


class Remarks(Component):
    """What thresholds and changes say of the figures, each with its rule.

    Messages: ``explain`` (code, exercice).
    """

    _esm = _source("dom.js", "remarks.js")
    remarks: traitlets.List[Any] | None = traitlets.List(allow_none=True, default_value=None).tag(sync=True)


class SituationTable(Component):
    """A collectivité among its like.

    Messages: ``exercice`` (value), ``search`` (text, serial), ``peer`` (value), ``unpeer`` (value), ``like``,
    ``draw`` (code).
    """

    _esm = _source("dom.js", "combobox.js", "situation.js")
    state: traitlets.Dict[str, Any] | None = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    drawn: traitlets.List[Any] = traitlets.List().tag(sync=True)


class ComparaisonForm(Component):
    """The choices of a comparison: indicateurs, and the perimeter as in the assisted query.

    Messages: ``change`` (field, value), ``search`` (what, text, serial).
    """

    _esm = _source("dom.js", "combobox.js", "query_fields.js", "comparaison.js")
    lists: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    form: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)


class Ranking(Component):
    """Many collectivités: figures of the whole, map of the départements, ranking.

    Messages: ``change`` (field, value), ``search`` (what, text, serial).
    """

    _esm = _source("dom.js", "combobox.js", "map.js", "ranking.js")
    outlines: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    state: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)


class Actions(Component):
    """Messages to the reader and files to take away.

    Messages: ``download`` (file).
    """

    _esm = _source("dom.js", "actions.js")
    notices: traitlets.List[Any] = traitlets.List().tag(sync=True)
    files: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def say(self, notices: Sequence[Mapping[str, str]]) -> None:
        """Replace the messages: kind (information, avertissement or erreur), message, hint."""
        self.notices = [dict(notice) for notice in notices]
