"""The query panel in JupyterLab: the widget, and what each message of the browser does.

Counting, searching and running happen beside the kernel (`workbench.widgets.background`): cells go on, and a run can be
stopped. `QueryPanel` keeps the view and the widget in step; the view decides everything.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import traitlets

from workbench.config import settings
from workbench.dgfip import Base, Cancellation, Query, QueryResult, connect
from workbench.errors import WorkbenchError, require_kind
from workbench.widgets.background import Background
from workbench.widgets.component import Component, Message, source
from workbench.widgets.query_view import QueryPanelView, notice

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QueryForm", "QueryPanel", "query_panel"]

_PAUSE = 0.2
"""Seconds without a change before rows are counted."""

_SAVED_ACTIONS = ("save", "open", "rename", "duplicate", "delete")


class QueryForm(Component):
    """The widget: a form, a summary, a table, a chart.

    Messages: ``change`` (field, value), ``search`` (what, text, serial), ``run``, ``stop``, ``page`` (first),
    ``chart``, ``export`` (file), ``clear``, ``library``, and ``saved`` (action, and its values).
    """

    _esm = source(
        *("dom.js", "combobox.js", "plotly.js", "query_saved.js", "query_fields.js", "query_form.js"),
        *("query_result.js", "query_panel.js"),
    )
    _css = source("lab.css", "query_panel.css")
    address = traitlets.Unicode().tag(sync=True)
    lists: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    form: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    sql: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    count: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)
    result: traitlets.Dict[str, Any] | None = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    saved: traitlets.List[Any] = traitlets.List().tag(sync=True)
    notices: traitlets.List[Any] = traitlets.List().tag(sync=True)
    running = traitlets.Bool().tag(sync=True)


class QueryPanel:
    """An assisted query that a person builds on screen; `query_panel` makes it.

    The next cell has the same objects: ``panel.query``, ``panel.result``, ``panel.dataframe``.

    Parameters
    ----------
    view
        The state.

    Examples
    --------
    >>> from workbench.dgfip import connect, query
    >>> with connect(demonstration_base) as base:
    ...     panel = query_panel(base, query(base).measure("C70", libelle="Ventes").by("exercice"))
    ...     panel.run()
    ...     panel.dataframe.shape, panel.query.spec.dimensions
    ((8, 2), ('exercice',))
    """

    def __init__(self, view: QueryPanelView) -> None:
        self.view = view
        self._background = Background()
        # Threads count and run while messages come.
        self._guard = threading.RLock()
        self.widget = QueryForm(address=os.environ.get("WORKBENCH_PLOTLY", ""), lists=view.lists(), form=view.form())
        self.widget.receive(self._on_message, self._on_incident)
        self._show()
        self._list_saved()

    # --- for the next cell

    @property
    def query(self) -> Query:
        """What is asked now."""
        return self.view.query

    @query.setter
    def query(self, query: Query) -> None:
        require_kind(query, Query, "query", "une requête", "Faites-la avec wb.query(base).")
        self.view.ask(query)
        self._show()

    @property
    def result(self) -> QueryResult | None:
        """What the last run gave, once it has; None before any."""
        self._background.wait("run")
        return self.view.result

    @property
    def dataframe(self) -> pd.DataFrame:
        """The rows of `result`; WorkbenchError (``panneau_sans_resultat``) before any."""
        found = self.result
        if found is None:
            raise WorkbenchError("panneau_sans_resultat")
        return found.to_frame()

    def run(self) -> None:
        """Run the query and show its result, as the button does; Ctrl-C stops it."""
        self._background.cancel("run")
        self.view.run()
        self._shown()

    def chart(self) -> Any:
        """Return the chart of the result, as `workbench.query_chart` draws it."""
        found = self.result
        if found is None:
            raise WorkbenchError("panneau_sans_resultat")
        from workbench.reports.charts_query import query_chart

        return query_chart(found)

    def close(self) -> None:
        """Stop what is underway and take the panel away."""
        self._background.stop()
        self.widget.close()

    def _repr_mimebundle_(self, **given: Any) -> Any:
        return self.widget._repr_mimebundle_(**given)

    def __repr__(self) -> str:
        return f"<Panneau de requête sur {self.view.base.url}>\n{self.view.query}"

    # --- what the browser asks

    def _on_message(self, message: Message) -> None:
        try:
            self._answer(message)
        except WorkbenchError as error:
            self.widget.notices = [notice(error)]
            # The browser shows a choice that was not taken.
            self.widget.send({"kind": "refused"})

    def _answer(self, message: Message) -> None:
        match message:
            case {"kind": "change", "field": field, "value": value}:
                self.view.change(field, value)
                self._show()
            case {"kind": "search", "what": what, "text": text, "serial": int(serial)}:
                self._search(what, text, serial)
            case {"kind": "run"}:
                self._run()
            case {"kind": "stop"}:
                self._background.cancel("run")
            case {"kind": "page", "first": first}:
                self.widget.send({"kind": "page", "page": self.view.page(first)})
            case {"kind": "chart"}:
                self._chart()
            case {"kind": "export", "file": file}:
                document = self.view.document(file)
                if document is not None:
                    self.widget.give(document.name, document.content, document.media_type)
            case {"kind": "clear"}:
                self.view.clear()
                self._show()
            case {"kind": "library"}:
                self.widget.send_library()
            case {"kind": "saved", "action": str(action)} if action in _SAVED_ACTIONS:
                self._on_saved(action, message)

    def _search(self, what: object, text: object, serial: int) -> None:
        def show(options: list[dict[str, Any]]) -> None:
            self.widget.send({"kind": "suggestions", "what": what, "serial": serial, "options": options})

        self._background.start("search", lambda _: self.view.search(what, text), show, self._failed)

    def _run(self) -> None:
        self.widget.notices = []
        self.widget.running = True

        def work(switch: Cancellation) -> QueryResult:
            return self.view.run(switch)

        self._background.start("run", work, lambda _: self._shown(), self._not_run)

    def _not_run(self, error: WorkbenchError) -> None:
        self.widget.running = False
        self._failed(error)

    def _failed(self, error: WorkbenchError) -> None:
        self.widget.notices = [notice(error)]

    def _shown(self) -> None:
        """Show the result, its first page with it."""
        self.widget.running = False
        self.widget.notices = []
        self.widget.result = self.view.summary()
        self.widget.send({"kind": "page", "page": self.view.page(0), "new": True})

    def _chart(self) -> None:
        try:
            drawn = self.view.chart()
        except WorkbenchError as error:
            self.widget.send({"kind": "figure", "figure": None, "message": f"{error.message} {error.hint}".strip()})
            return
        if drawn is None:
            self.widget.send({"kind": "figure", "figure": None, "message": "Il n'y a rien à représenter."})
            return
        self.widget.send({"kind": "figure", "figure": drawn.content(), "alternative": drawn.description, "message": ""})

    def _show(self) -> None:
        """Show the query, its SQL at once, and how many rows it has when that is known."""
        self.widget.notices = []
        self.widget.form = self.view.form()
        sql = self.view.sql()
        self.widget.sql = sql
        self.widget.result = self.view.summary()
        if sql["notice"] is not None:
            self._background.cancel("count")
            self.widget.count = {"state": "empty", "message": sql["notice"]["message"], "hint": sql["notice"]["hint"]}
            return
        self.widget.count = {"state": "counting"}
        self._background.start("count", self.view.count, self._counted, self._not_counted, delay=_PAUSE)

    def _counted(self, rows: int) -> None:
        self.widget.count = {"state": "counted", "rows": rows}

    def _not_counted(self, error: WorkbenchError) -> None:
        if error.code != "requete_annulee":
            said = notice(error)
            self.widget.count = {"state": "unknown", "message": said["message"], "hint": said["hint"]}

    def _on_saved(self, action: str, message: Message) -> None:
        name, shared = message.get("name"), message.get("shared")
        match action:
            case "save":
                self.view.save(name, message.get("description", ""), shared, message.get("replace"))
            case "open":
                self.view.open(name, shared)
            case "rename":
                self.view.rename(name, message.get("to"), shared)
            case "duplicate":
                self.view.duplicate(name, message.get("to"), shared)
            case "delete":
                self.view.delete(name, shared)
        self._list_saved()
        self._show()
        self.widget.send({"kind": "saved", "action": action})

    def _list_saved(self) -> None:
        try:
            self.widget.saved = self.view.saved()
        except WorkbenchError as error:
            self.widget.saved = []
            self.widget.notices = [notice(error)]

    def _on_incident(self, reference: str) -> None:
        self.widget.notices = [notice(WorkbenchError("panneau_incident", reference=reference))]


def query_panel(base: Base | str | Path | None = None, query: Query | None = None) -> QueryPanel:
    """Open a panel that builds a query without SQL, in JupyterLab.

    Parameters
    ----------
    base
        An open base, or its path or URL; None for the one of the settings.
    query
        What to begin with: one made with `workbench.query`, or a saved one (`workbench.load_query`).

    Returns
    -------
    QueryPanel
        Shown by being the last line of a cell. ``panel.query``, ``panel.result`` and ``panel.dataframe`` give the next
        cell what the panel has.

    Raises
    ------
    WorkbenchError
        ``base_absente``, ``requete_moteur`` for an engine that takes no queries with a time limit.
    """
    if base is None and query is not None:
        base = query.base
    opened = base if isinstance(base, Base) else connect(base if base is not None else settings().base)
    opened.queries  # noqa: B018 - refused here rather than at the first run
    return QueryPanel(QueryPanelView(opened, query))
