"""The page that compares many collectivités: the components, and what each message of the browser does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from workbench.config import settings
from workbench.dashboards.collectivite_page import notice
from workbench.dashboards.comparaison import ComparaisonView
from workbench.dashboards.components import Actions, Charts, ComparaisonForm, Component, Ranking, outlines
from workbench.dashboards.documents import Document
from workbench.dgfip import connect
from workbench.errors import WorkbenchError
from workbench.reports.panorama import Panorama
from workbench.widgets.background import Background

__all__ = ["ComparaisonPage", "comparaison_page"]


class ComparaisonPage:
    """Shows a view; displayed in a notebook, it is the dashboard.

    Parameters
    ----------
    view
        What to show.
    """

    def __init__(self, view: ComparaisonView) -> None:
        self._view = view
        self.form = ComparaisonForm(lists=view.lists(), form=view.form())
        self.actions = Actions()
        self.ranking = Ranking(outlines=outlines(), state={"pending": True})
        self.charts = Charts(address=os.environ.get("WORKBENCH_PLOTLY", ""))
        self._components: tuple[Component, ...] = (self.form, self.actions, self.ranking, self.charts)
        self._background = Background()
        self._turn = 0
        self.form.receive(self._on_message, self._on_incident)
        self.ranking.receive(self._on_message, self._on_incident)
        self.charts.receive(self._on_charts, self._on_incident)
        self.actions.receive(self._on_actions, self._on_incident)
        self._compare()

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for component in self._components:
            display(component)  # type: ignore[no-untyped-call]

    def _on_message(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "search", "what": what, "text": text, "serial": int(serial)}:
                options = self._view.search(what, text)
                component = self.ranking if what == "followed" else self.form
                component.send({"kind": "suggestions", "what": what, "serial": serial, "options": options})
            case {"kind": "change", "field": field, "value": value}:
                self._choose(field, value)

    def _choose(self, field: object, value: object) -> None:
        try:
            again = self._view.choose(field, value)
            self.actions.notices = []
            if again:
                self._compare()
            elif self._view.found is None:
                # What is being computed will be shown so.
                self.form.form = self._view.form()
            else:
                self._show(charts=field not in ("order", "page", "carte"))
        except WorkbenchError as refused:
            # Nothing has changed here; the browser shows a choice that was not taken.
            self.form.send({"kind": "refused"})
            self._failed(refused)

    def _compare(self) -> None:
        """Compute beside the kernel, whose visitor may go on choosing: the latest choice wins."""
        job = self._view.job()
        self.ranking.state = {**self.ranking.state, "pending": True}
        self.form.form = self._view.form()
        # Files are of what is shown: none until it is there.
        self.actions.files = []
        self._background.start("comparaison", lambda _: job(), self._take, self._not_compared)

    def _not_compared(self, error: WorkbenchError) -> None:
        self.ranking.state = {"pending": False, "empty": ""}
        self.charts.announce(0)
        self._failed(error)

    def _take(self, found: Panorama) -> None:
        self._view.take(found)
        self._show(charts=True)

    def _show(self, *, charts: bool) -> None:
        self.form.form = self._view.form()
        self.ranking.state = {**self._view.shown(), "notes": self._view.notes()}
        self.actions.files = self._view.documents()
        if charts:
            self._turn += 1
            self.charts.announce(self._turn if self._view.documents() else 0)

    def _failed(self, error: WorkbenchError) -> None:
        self.actions.notices = [notice(error)]

    def _on_charts(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "figures"}:
                self.charts.show(self._view.charts())
            case {"kind": "library"}:
                self.charts.send_library()

    def _on_actions(self, message: Mapping[str, Any]) -> None:
        name = message.get("file")
        if message.get("kind") == "download":
            self._background.start("file", lambda _: self._view.document(name), self._give, self._failed)

    def _give(self, document: Document | None) -> None:
        if document is not None:
            self.actions.give(document.name, document.content, document.media_type)

    def _on_incident(self, reference: str) -> None:
        message = "Cette action n'a pas abouti."
        hint = f"Réessayez ; si l'erreur revient, signalez la référence {reference}."
        self.actions.notices = [{"kind": "erreur", "message": message, "hint": hint}]


def comparaison_page() -> ComparaisonPage | Actions:
    """Open the base of the settings and return the page; what prevents it is said in its place."""
    current = settings()
    try:
        return ComparaisonPage(ComparaisonView(connect(current.base), current.trames))
    except WorkbenchError as error:
        return Actions(notices=[notice(error)])
