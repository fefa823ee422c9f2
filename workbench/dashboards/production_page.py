"""The page of Production: the components, and what each message of the browser does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.config import settings
from workbench.dashboards.components import Actions, Component
from workbench.dashboards.history import RequestsView, published_file, published_rows
from workbench.dashboards.notices import incident, notice, notice_of
from workbench.dashboards.production import ProductionView
from workbench.dashboards.production_components import PublishedReports, RequestForm, Requests
from workbench.dgfip import connect
from workbench.errors import WorkbenchError
from workbench.reports.client import ReportsClient
from workbench.reports.published import PublishedReport
from workbench.store import Client, StoreDoor

__all__ = ["ProductionPage", "production_page"]


class ProductionPage:
    """Shows the choices and her requests; displayed in a notebook, it is the dashboard.

    Parameters
    ----------
    view
        The choices.
    reports
        The service of reports.
    store
        The service of the store.
    """

    def __init__(self, view: ProductionView, reports: ReportsClient, store: StoreDoor) -> None:
        self._view = view
        self._client = reports
        self._store = store
        self._requests = RequestsView(reports)
        self._published: Sequence[PublishedReport] = ()
        self.actions = Actions()
        self.form = RequestForm(state=view.form())
        self.requests = Requests()
        self.published = PublishedReports()
        self._components: tuple[Component, ...] = (self.form, self.actions, self.requests, self.published)
        for component, answer in (
            (self.form, self._on_form),
            (self.requests, self._on_requests),
            (self.published, self._on_published),
        ):
            component.receive(answer, self._on_incident)
        self._try(self._begin)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for component in self._components:
            display(component)  # type: ignore[no-untyped-call]

    def _begin(self) -> None:
        self._requests.meet()
        self._refresh()
        self._list()

    def _try(self, act: Callable[[], object]) -> bool:
        """Do something; what is refused is told, and nothing has changed."""
        try:
            act()
        except WorkbenchError as error:
            self.actions.say([notice_of(error)])
            return False
        return True

    def _refresh(self) -> None:
        self._requests.refresh()
        self.requests.table = self._requests.table()

    def _list(self) -> None:
        self.published.rows, self._published = published_rows(self._store)

    def _on_form(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "search", "text": text, "serial": int(serial)}:
                self.form.send({"kind": "suggestions", "serial": serial, "options": self._view.search(text)})
            case {"kind": "choose", "field": name, "value": value}:
                self._changed(lambda: self._view.choose(name, value))
            case {"kind": "add", "value": value}:
                self._changed(lambda: self._view.add(value))
            case {"kind": "remove", "value": value}:
                self._changed(lambda: self._view.remove(value))
            case {"kind": "create"}:
                self._try(self._create)

    def _changed(self, change: Callable[[], None]) -> None:
        if not self._try(change):
            # Nothing has changed here; the browser shows a choice that was not taken.
            self.form.send({"kind": "refused"})
            return
        self.actions.say([])
        self.form.state = self._view.form()

    def _create(self) -> None:
        kind, body = self._view.wanted()
        number = self._client.ask(kind, body)
        self.actions.say(
            [notice(f"La demande n° {number} est enregistrée.", "Elle se fait pendant ce temps : suivez-la plus bas.")]
        )
        self._refresh()

    def _on_requests(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "refresh"}:
                self._try(self._refresh)
            case {"kind": "sort", "column": column}:
                self._try(lambda: self._requests.sort(column))
            case {"kind": "turn", "page": page}:
                self._try(lambda: self._requests.turn(page))
            case {"kind": "resize", "size": size}:
                self._try(lambda: self._requests.resize(size))
            case {"kind": "cancel", "number": number}:
                self._try(lambda: self._requests.cancel(number))
            case {"kind": "download", "number": number}:
                self._try(lambda: self._download(number))
            case {"kind": "publish", "number": number, "badges": badges, "release": release}:
                self._try(lambda: self._publish(number, badges, release))
        self.requests.table = self._requests.table()

    def _download(self, number: object) -> None:
        found = self._requests.download(number)
        if found is not None:
            name, content, kind = found
            self.requests.give(name, content, kind)

    def _publish(self, number: object, badges: object, release: object) -> None:
        said = self._requests.publish(number, badges, release)
        self.actions.say([notice(said)])
        self.requests.send({"kind": "published"})
        self._list()

    def _on_published(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "list"}:
                self._try(self._list)
            case {"kind": "file", "place": place, "name": name}:
                self._try(lambda: self._file(place, name))

    def _file(self, place: object, name: object) -> None:
        found = published_file(self._published, place, name)
        if found is not None:
            self.published.give(found.name, found.content, found.kind)

    def _on_incident(self, reference: str) -> None:
        self.actions.say([incident(reference)])


def production_page() -> ProductionPage | Actions:
    """Open the base and the services that the server names, and return the page; what prevents it is said instead."""
    current = settings()
    try:
        reports = ReportsClient()
        return ProductionPage(ProductionView(connect(current.base), current.trames), reports, Client())
    except WorkbenchError as error:
        return Actions(notices=[notice_of(error)])
