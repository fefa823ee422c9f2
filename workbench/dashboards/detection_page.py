"""The page of the detection list: one component, and what each message of the browser does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from workbench.dashboards.company_components import CompanyList
from workbench.dashboards.components import Actions
from workbench.dashboards.detection import DetectionView
from workbench.dashboards.detection_files import list_csv, list_workbook
from workbench.dashboards.documents import Document
from workbench.dashboards.notices import incident, notice_of
from workbench.errors import WorkbenchError
from workbench.store import Client
from workbench.widgets.background import Background

__all__ = ["DetectionPage", "detection_page"]

_FILES: Mapping[str, Callable[[DetectionView], Document]] = {"csv": list_csv, "xlsx": list_workbook}


class DetectionPage:
    """Shows a list; displayed in a notebook, it is the dashboard.

    Parameters
    ----------
    view
        What to show.
    """

    def __init__(self, view: DetectionView) -> None:
        self._view = view
        self._background = Background()
        # The browser says first what it remembers of her choices: nothing is shown that would change at once.
        self.list = CompanyList(form={"person": view.person})
        self.list.receive(self._on_message, self._on_incident)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.list)  # type: ignore[no-untyped-call]

    def _on_message(self, message: Mapping[str, Any]) -> None:
        match message:
            case {"kind": "recall"}:
                self._try(lambda: self._view.recall(message.get("choices")))
            case {"kind": "choose", "field": field, "value": value}:
                self._try(lambda: self._view.choose(field, value))
            case {"kind": "reset"}:
                self._try(self._view.reset)
            case {"kind": "download", "file": name} if isinstance(name, str) and name in _FILES:
                # Beside the kernel: forty thousand companies take seconds, and she may go on.
                view = copy(self._view)
                self._background.start("file", lambda _: _FILES[name](view), self._give, self._failed)

    def _try(self, change: Callable[[], None]) -> None:
        """Change something and show; what is refused is told, and nothing has changed."""
        before = self._view.choices, self._view.page
        try:
            change()
            answer, form = self._view.answer(), self._view.form()
        except WorkbenchError as error:
            self._view.choices, self._view.page = before
            self._failed(error)
            self.list.send({"kind": "refused"})
            return
        self.list.form, self.list.answer = form, answer
        self.list.notices = []

    def _give(self, document: Document) -> None:
        self.list.give(document.name, document.content, document.media_type)
        self.list.notices = []

    def _failed(self, error: WorkbenchError) -> None:
        self.list.notices = [notice_of(error)]

    def _on_incident(self, reference: str) -> None:
        self.list.notices = [incident(reference)]


def detection_page() -> DetectionPage | Actions:
    """Return the detection list of the person of this kernel; what prevents it is said in its place."""
    try:
        return DetectionPage(DetectionView(Client()))
    except WorkbenchError as error:
        return Actions(notices=[notice_of(error)])
