"""The page of a collectivité: the components, and what each message of the browser does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.config import settings
from workbench.dashboards.collectivite import CollectiviteView
from workbench.dashboards.components import Actions, Charts, Component, FigureTable, Form
from workbench.dgfip import connect
from workbench.errors import WorkbenchError

__all__ = ["CollectivitePage", "collectivite_page"]

_PATHS = {"chemin", "dossier"}


class CollectivitePage:
    """Shows a view; displayed in a notebook, it is the dashboard.

    Parameters
    ----------
    view
        What to show.
    """

    def __init__(self, view: CollectiviteView) -> None:
        self._view = view
        self.actions = Actions()
        self.form = Form(state=view.form())
        self.table = FigureTable()
        self._turn = 0
        self.charts = Charts(address=os.environ.get("WORKBENCH_PLOTLY", ""))
        self._components: tuple[Component, ...] = (self.form, self.actions, self.table, self.charts)
        self._say()
        self.form.receive(self._on_form, self._on_incident)
        self.table.receive(self._on_table, self._on_incident)
        self.charts.receive(self._on_charts, self._on_incident)
        self.actions.receive(self._on_actions, self._on_incident)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for component in self._components:
            display(component)  # type: ignore[no-untyped-call]

    def _say(self, error: WorkbenchError | None = None) -> None:
        self.actions.notices = [*([] if error is None else [_notice(error)]), *self._view.notices()]

    def _on_form(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "search", "text": text, "serial": int(serial)}:
                self.form.send({"kind": "suggestions", "serial": serial, "options": self._view.search(text)})
            case {"kind": "choose", "field": field, "value": value}:
                self._choose(field, value)

    def _choose(self, field: object, value: object) -> None:
        error = None
        try:
            self._view.choose(field, value)
        except WorkbenchError as refused:
            error = refused
        if error is not None and error.code == "choix_inconnu":
            # Nothing has changed here; the browser shows a choice that was not taken.
            self.form.send({"kind": "refused"})
        self.form.state = self._view.form()
        self.table.table = self._view.figures()
        self.actions.files = self._view.documents()
        self._say(error)
        self._draw()

    def _draw(self) -> None:
        self.table.drawn = list(self._view.drawn)
        self._turn += 1
        self.charts.announce(self._turn if self._view.table is not None else 0)

    def _on_table(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "explain", "code": code, "exercice": exercice}:
                explanation = self._view.explanation(code, exercice)
                if explanation is not None:
                    self.table.send({"kind": "explanation", "explanation": explanation})
            case {"kind": "expand", "path": path}:
                node = self._view.expansion(path)
                if node is not None:
                    self.table.send({"kind": "children", "path": path, "node": node})
            case {"kind": "draw", "code": code}:
                self._view.draw(code)
                self._draw()
            case {"kind": "undraw"}:
                self._view.undraw()
                self._draw()

    def _on_charts(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "figures"}:
                self.charts.show(self._view.charts())
            case {"kind": "library"}:
                self.charts.send_library()

    def _on_actions(self, message: Mapping[str, Any]) -> None:
        if message.get("kind") != "download":
            return
        try:
            document = self._view.document(message.get("file"))
        except WorkbenchError as error:
            self._say(error)
            return
        if document is not None:
            self.actions.give(document.name, document.content, document.media_type)

    def _on_incident(self, reference: str) -> None:
        message = "Cette action n'a pas abouti."
        hint = f"Réessayez ; si l'erreur revient, signalez la référence {reference}."
        self.actions.notices = [{"kind": "erreur", "message": message, "hint": hint}]


def _notice(error: WorkbenchError) -> dict[str, str]:
    # Where the server keeps its files is not a visitor's concern.
    named = {name: Path(value).name if name in _PATHS else value for name, value in error.details.items()}
    error = WorkbenchError(error.code, **named)
    return {"kind": "erreur", "message": error.message, "hint": error.hint}


def collectivite_page() -> CollectivitePage | Actions:
    """Open the base of the settings and return the page; what prevents it is said in its place."""
    current = settings()
    try:
        return CollectivitePage(CollectiviteView(connect(current.base), current.trames))
    except WorkbenchError as error:
        return Actions(notices=[_notice(error)])
