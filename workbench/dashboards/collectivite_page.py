"""The page of a collectivité: the components, and what each message of the browser does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.config import settings
from workbench.dashboards.collectivite import CollectiviteView
from workbench.dashboards.components import (
    Actions,
    Charts,
    Component,
    FigureTable,
    Form,
    Remarks,
    SituationTable,
)
from workbench.dashboards.documents import Document
from workbench.dgfip import connect
from workbench.errors import WorkbenchError
from workbench.reports.situation import Situation
from workbench.widgets.background import Background

__all__ = ["CollectivitePage", "collectivite_page", "notice"]

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
        self._turn = self._situation_turn = 0
        self.charts = Charts(address=os.environ.get("WORKBENCH_PLOTLY", ""))
        self.remarks = Remarks()
        self.situation = SituationTable()
        self.compared = Charts(address=os.environ.get("WORKBENCH_PLOTLY", ""), title="Graphiques de la comparaison")
        self._components: tuple[Component, ...] = (
            *(self.form, self.actions, self.remarks, self.table, self.charts),
            *(self.situation, self.compared),
        )
        self._background = Background()
        self._say()
        self.form.receive(self._on_form, self._on_incident)
        self.table.receive(self._on_table, self._on_incident)
        self.charts.receive(self._on_charts, self._on_incident)
        self.actions.receive(self._on_actions, self._on_incident)
        self.remarks.receive(self._on_table, self._on_incident)
        self.situation.receive(self._on_situation, self._on_incident)
        self.compared.receive(self._on_compared, self._on_incident)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for component in self._components:
            display(component)  # type: ignore[no-untyped-call]

    def _say(self, error: WorkbenchError | None = None) -> None:
        self.actions.notices = [*([] if error is None else [notice(error)]), *self._view.notices()]

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
        self.remarks.remarks = self._view.remarks() if self._view.table is not None else None
        self.actions.files = self._view.documents()
        self._say(error)
        self._draw()
        self._compare()

    def _compare(self) -> None:
        """Compare beside the kernel, once the figures are there: they are what was asked first."""
        job = self._view.situation.job()
        self._show_situation()
        if job is None:
            self._background.cancel("situation")
            return
        self._background.start("situation", lambda _: job(), self._compared, self._not_compared)

    def _compared(self, found: Situation) -> None:
        self._view.situation.take(found)
        self.actions.files = self._view.documents()
        self._show_situation()

    def _not_compared(self, error: WorkbenchError) -> None:
        state = self._view.situation.shown()
        self.situation.state = None if state is None else {**state, "error": f"{error.message} {error.hint}".strip()}

    def _show_situation(self) -> None:
        situation = self._view.situation
        self.situation.drawn = list(situation.drawn)
        self.situation.state = situation.shown()
        self._situation_turn += 1
        self.compared.announce(self._situation_turn if situation.found is not None else 0)

    def _on_situation(self, message: Mapping[str, Any]) -> None:
        situation = self._view.situation
        try:
            match message:
                case {"kind": "search", "text": text, "serial": int(serial)}:
                    self.situation.send({"kind": "suggestions", "serial": serial, "options": situation.search(text)})
                    return
                case {"kind": "exercice", "value": exercice}:
                    situation.choose_exercice(exercice)
                case {"kind": "draw", "code": code}:
                    situation.draw(code)
                case {"kind": "peer", "value": siret}:
                    situation.add_peer(siret)
                case {"kind": "unpeer", "value": siret}:
                    situation.remove_peer(siret)
                case {"kind": "like"}:
                    situation.propose_peers()
                case _:
                    return
        except WorkbenchError as error:
            self._say(error)
            self._show_situation()
            return
        self._say()
        if message["kind"] in ("exercice", "draw"):
            self._show_situation()
        else:
            situation.found = None
            self._compare()

    def _on_compared(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "figures"}:
                self.compared.show(self._view.situation.charts())
            case {"kind": "library"}:
                self.compared.send_library()

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
        name = message.get("file")
        if name == "pdf":
            # A browser prints it: that takes seconds.
            self._background.start("pdf", lambda _: self._view.document(name), self._give, self._say)
            return
        try:
            self._give(self._view.document(name))
        except WorkbenchError as error:
            self._say(error)

    def _give(self, document: Document | None) -> None:
        if document is not None:
            self.actions.give(document.name, document.content, document.media_type)

    def _on_incident(self, reference: str) -> None:
        message = "Cette action n'a pas abouti."
        hint = f"Réessayez ; si l'erreur revient, signalez la référence {reference}."
        self.actions.notices = [{"kind": "erreur", "message": message, "hint": hint}]


def notice(error: WorkbenchError) -> dict[str, str]:
    """Return an error as pages show it."""
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
        return Actions(notices=[notice(error)])
