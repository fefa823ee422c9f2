"""The page of statistics: a period, its figures, its tables, its files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import traitlets

from workbench.dashboards.components import Actions, Component, stylesheet
from workbench.dashboards.statistiques import StatistiquesView
from workbench.errors import WorkbenchError
from workbench.identity.kernel_token import kernel_token
from workbench.store import Client
from workbench.store.usage import PARIS
from workbench.widgets.component import source

__all__ = ["Statistics", "statistiques_page"]

_source = partial(source, folder=Path(__file__).parent / "static")


class Statistics(Component):
    """The figures of a period.

    Messages: ``period`` (value), ``download`` (file).
    """

    _esm = _source("dom.js", "statistiques.js")
    _css = stylesheet() + _source("statistiques.css")
    state = traitlets.Dict().tag(sync=True)
    notices: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, view: StatistiquesView, **traits: Any) -> None:
        super().__init__(**traits)
        self._view = view
        self._show()
        self.receive(self._on_message, self._on_incident)

    def _show(self) -> None:
        try:
            self._view.refresh()
        except WorkbenchError as error:
            self.notices = [_notice(error)]
            return
        self.notices = []
        self.state = self._view.state()

    def _on_message(self, message: Mapping[str, Any]) -> None:
        match message.get("kind"):
            case "period":
                if self._view.choose(message.get("value")):
                    self._show()
            case "download":
                try:
                    document = self._view.document(message.get("file"))
                except WorkbenchError as error:
                    self.notices = [_notice(error)]
                    return
                self.give(document.name, document.content, document.media_type)

    def _on_incident(self, reference: str) -> None:
        message = "Les statistiques n'ont pas pu être lues."
        hint = f"Réessayez ; si l'erreur revient, signalez la référence {reference}."
        self.notices = [{"kind": "erreur", "message": message, "hint": hint}]


def _notice(error: WorkbenchError) -> dict[str, str]:
    return {"kind": "erreur", "message": error.message, "hint": error.hint}


def statistiques_page() -> Statistics | Actions:
    """Return the page of statistics of the person of this kernel; what prevents it is said in its place."""
    try:
        return Statistics(StatistiquesView(Client(token=kernel_token), datetime.now(PARIS).date()))
    except WorkbenchError as error:
        return Actions(notices=[_notice(error)])
