"""The upload page: one component, to which the browser says when the list is to be read again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import traitlets

from workbench.dashboards.components import Actions, Component, stylesheet
from workbench.dashboards.depot import DepotView, open_depot
from workbench.errors import WorkbenchError
from workbench.widgets.component import source

__all__ = ["Uploads", "depot_page"]

_source = partial(source, folder=Path(__file__).parent / "static")


class Uploads(Component):
    """Files that the browser sends, and the list of those that were sent.

    Messages: ``refresh``.
    """

    _esm = _source("dom.js", "tus.js", "depot_file.js", "depot.js")
    _css = stylesheet() + _source("depot.css")
    place = traitlets.Dict().tag(sync=True)
    arrivals = traitlets.Dict({"rows": [], "more": 0}).tag(sync=True)
    notices: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, view: DepotView, **traits: Any) -> None:
        super().__init__(**traits)
        self._view = view
        self.refresh()
        self.receive(self._on_message, self._on_incident)

    def refresh(self) -> None:
        """Show what the service knows now; what prevents it is said, and what was shown stays."""
        try:
            self._view.refresh()
        except WorkbenchError as error:
            self.notices = [_notice(error)]
            return
        self.notices = []
        self.place = self._view.place()
        self.arrivals = self._view.arrivals()

    def _on_message(self, message: Mapping[str, Any]) -> None:
        if message.get("kind") == "refresh":
            self.refresh()

    def _on_incident(self, reference: str) -> None:
        message = "La liste des envois n'a pas pu être lue."
        hint = f"Réessayez ; si l'erreur revient, signalez la référence {reference}."
        self.notices = [{"kind": "erreur", "message": message, "hint": hint}]


def _notice(error: WorkbenchError) -> dict[str, str]:
    return {"kind": "erreur", "message": error.message, "hint": error.hint}


def depot_page() -> Uploads | Actions:
    """Return the upload page of the agent of this kernel; what prevents it is said in its place."""
    try:
        return Uploads(DepotView(open_depot()))
    except WorkbenchError as error:
        return Actions(notices=[_notice(error)])
