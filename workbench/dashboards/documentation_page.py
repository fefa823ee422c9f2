"""The page of Documentation: the components, and what each message of the browser does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from workbench.config import settings
from workbench.dashboards.components import Actions, Component
from workbench.dashboards.documentation import DocumentationView
from workbench.dashboards.documentation_components import Comments, Library
from workbench.dashboards.notices import incident, notice_of
from workbench.dgfip import connect, libelles_comptes
from workbench.discussion.client import CommentsClient
from workbench.errors import WorkbenchError
from workbench.store.usage import PARIS

__all__ = ["DocumentationPage", "documentation_page"]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class DocumentationPage:
    """Shows the library of trames; displayed in a notebook, it is the dashboard.

    Parameters
    ----------
    view
        What is shown.
    comments
        The service of comments; None where there is none.
    """

    def __init__(self, view: DocumentationView, comments: CommentsClient | None) -> None:
        self._view = view
        self._client = comments
        self.actions = Actions()
        self.library = Library(state=view.state())
        self.comments = Comments()
        self._components: tuple[Component, ...] = (self.library, self.actions, self.comments)
        self.library.receive(self._on_library, self._on_incident)
        self.comments.receive(self._on_comments, self._on_incident)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for component in self._components:
            display(component)  # type: ignore[no-untyped-call]

    def _try(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except WorkbenchError as error:
            self.actions.say([notice_of(error)])
            return False
        return True

    def _on_library(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "search", "text": text}:
                self._view.search(text)
                self.library.state = self._view.state()
            case {"kind": "choose", "field": name, "value": value}:
                self.actions.say([])
                before = self._view.about
                self._try(lambda: self._view.choose(name, value, message.get("trame")))
                self.library.state = self._view.state()
                if self._view.about != before:
                    self.library.detail = self._view.detail()
                    self._try(self._read)
            case {"kind": "draw", "place": place}:
                self.library.send({"kind": "drawing", "place": place, "svg": self._view.drawing(place)})
            case {"kind": "export"}:
                self._try(self._export)

    def _export(self) -> None:
        found = self._view.export()
        if found is not None:
            self.library.give(*found, XLSX)

    def _read(self) -> None:
        """Read the comments on what is chosen."""
        about = self._view.about
        self.comments.comments = []
        self.comments.about = "" if about is None or self._client is None else about[1] or about[0]
        if about is not None and self._client is not None:
            self.comments.comments = [_shown(each) for each in self._client.about(*about)]

    def _on_comments(self, message: Mapping[str, Any]) -> None:
        client, about = self._client, self._view.about
        if client is None or about is None:
            return
        match message:
            case {"kind": "write", "text": str(text)}:
                done = self._try(lambda: client.write(text, *about))
            case {"kind": "change", "id": str(identifier), "text": str(text)}:
                done = self._try(lambda: client.change(identifier, text))
            case {"kind": "remove", "id": str(identifier)}:
                done = self._try(lambda: client.remove(identifier))
            case _:
                return
        if done:
            self.actions.say([])
            self._try(self._read)
            self.comments.send({"kind": "kept"})

    def _on_incident(self, reference: str) -> None:
        self.actions.say([incident(reference)])


def _shown(comment: Mapping[str, Any]) -> dict[str, Any]:
    moment = datetime.fromisoformat(comment["created"]).astimezone(PARIS)
    changed = ", modifié" if comment["edited"] else ""
    return {
        "id": comment["id"],
        "head": f"{comment['author']}, {moment:%d/%m/%Y à %H:%M}{changed}",
        "text": comment["text"],
        "mine": comment["mine"],
    }


def documentation_page() -> DocumentationPage | Actions:
    """Read the trames of the settings and return the page; what prevents it is said in its place."""
    current = settings()
    try:
        try:
            with connect(current.base) as base:
                libelles = libelles_comptes(base)
        except WorkbenchError:
            # A drawing then shows numbers alone: formules are read without a base.
            libelles = {}
        view = DocumentationView(current.trames, libelles)
        return DocumentationPage(view, _comments())
    except WorkbenchError as error:
        return Actions(notices=[notice_of(error)])


def _comments() -> CommentsClient | None:
    try:
        return CommentsClient()
    except WorkbenchError:
        return None
