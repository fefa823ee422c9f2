"""The page of the search: one component, and what each message of the browser does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from workbench.dashboards.company_components import CompanySearch
from workbench.dashboards.components import Actions
from workbench.dashboards.notices import incident, notice_of
from workbench.dashboards.recherche import SearchView
from workbench.errors import WorkbenchError
from workbench.store import Client
from workbench.widgets.background import Background

__all__ = ["SearchPage", "recherche_page"]


class SearchPage:
    """Shows a search; displayed in a notebook, it is the dashboard.

    Parameters
    ----------
    view
        What to show.
    """

    def __init__(self, view: SearchView) -> None:
        self._view = view
        self._background = Background()
        self.search = CompanySearch(form=view.form(), answer=view.answer())
        self.search.receive(self._on_message, self._on_incident)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.search)  # type: ignore[no-untyped-call]

    def _on_message(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "search", "text": text, "choices": choices}:
                self._try(lambda: self._view.search(text, choices), again=True)
            case {"kind": "turn", "page": page}:
                self._try(lambda: self._view.turn(page), again=False)

    def _try(self, change: Callable[[], None], *, again: bool) -> None:
        before = self._view.asked, self._view.page
        try:
            change()
            answer = self._view.answer()
        except WorkbenchError as error:
            self._view.asked, self._view.page = before
            self._failed(error)
            return
        self.search.notices = []
        self.search.form, self.search.answer = self._view.form(), answer
        if again:
            # Apart: a page shows before all that is found is counted.
            self.search.total = {}
            view = copy(self._view)
            self._background.start("total", lambda _: view.total(), self._count, self._failed)

    def _count(self, total: Mapping[str, Any]) -> None:
        self.search.total = dict(total)

    def _failed(self, error: WorkbenchError) -> None:
        self.search.notices = [notice_of(error)]

    def _on_incident(self, reference: str) -> None:
        self.search.notices = [incident(reference)]


def recherche_page() -> SearchPage | Actions:
    """Return the search of the person of this kernel; what prevents it is said in its place."""
    try:
        return SearchPage(SearchView(Client()))
    except WorkbenchError as error:
        return Actions(notices=[notice_of(error)])
