"""The widgets of the dashboards: a form, a table whose figures unfold, a chart, messages and files.

A component shows what its traits say and sends messages; it decides nothing. Its traits go from the kernel to
the browser only. A browser can set any trait and send any message, so Python never reads a trait back, and
`Component.receive` hands each message to a function that must check it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import anywidget
import traitlets

__all__ = ["Actions", "Charts", "Component", "FigureTable", "Form", "stylesheet"]

STATIC = Path(__file__).parent / "static"

_log = logging.getLogger(__name__)

Message = Mapping[str, Any]


@cache
def _source(*names: str) -> str:
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def stylesheet() -> str:
    """Return the CSS of the dashboards."""
    return _source("page.css")


class Component(anywidget.AnyWidget):
    """A widget that shows traits and sends messages."""

    _css = stylesheet()

    def receive(self, answer: Callable[[Message], None], incident: Callable[[str], None]) -> None:
        """Call a function with each message that is a mapping; the page stays alive whatever happens in it.

        Parameters
        ----------
        answer
            Handles a message, of which it believes nothing.
        incident
            Tells the visitor that it failed, with a reference that the operator finds in the log.
        """

        def received(_: Any, content: Any, __: Any) -> None:
            try:
                if isinstance(content, dict):
                    answer(content)
            except Exception:  # noqa: BLE001 - the last line of defence: what went wrong is for the operator
                reference = secrets.token_hex(4)
                _log.exception("incident %s: %s", reference, type(self).__name__)
                incident(reference)
            finally:
                self.send({"kind": "done"})

        self.on_msg(received)


class Form(Component):
    """The choices: nomenclature, trame, collectivité, exercices.

    Messages: ``choose`` (field, value), ``search`` (text, serial).
    """

    _esm = _source("dom.js", "combobox.js", "form.js")
    state = traitlets.Dict().tag(sync=True)


class FigureTable(Component):
    """Figures by indicateur and exercice.

    Messages: ``explain`` (code, exercice), ``expand`` (path), ``draw`` (code).
    """

    _esm = _source("dom.js", "table.js")
    table: traitlets.Dict[str, Any] | None = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    drawn: traitlets.List[Any] = traitlets.List().tag(sync=True)


class Charts(Component):
    """Plotly figures, each with its alternative text.

    Messages: ``figures``, when they are about to be seen; ``library``, when the page has no address to fetch
    plotly.js from.
    """

    _esm = _source("dom.js", "chart.js")
    address = traitlets.Unicode().tag(sync=True)
    figures: traitlets.List[Any] = traitlets.List().tag(sync=True)
    turn = traitlets.Int().tag(sync=True)

    def announce(self, turn: int) -> None:
        """Say that there are new figures, to be asked for when they are about to be seen.

        Parameters
        ----------
        turn
            Another number each time; 0 for no figure, which hides the charts.
        """
        self.figures = []
        self.turn = turn

    def show(self, figures: Sequence[Mapping[str, Any]]) -> None:
        """Show figures that were asked for."""
        self.figures = [dict(figure) for figure in figures]
        if not figures:
            self.send({"kind": "none"})

    def send_library(self) -> None:
        """Send plotly.js itself, once for a notebook."""
        import importlib.resources

        source = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
        self.send({"kind": "library"}, buffers=[source.read_bytes()])


class Actions(Component):
    """Messages to the reader and files to take away.

    Messages: ``download`` (file).
    """

    _esm = _source("dom.js", "actions.js")
    notices: traitlets.List[Any] = traitlets.List().tag(sync=True)
    files: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def say(self, notices: Sequence[Mapping[str, str]]) -> None:
        """Replace the messages: kind (information, avertissement or erreur), message, hint."""
        self.notices = [dict(notice) for notice in notices]

    def give(self, name: str, content: bytes, media_type: str) -> None:
        """Make the browser save a file."""
        self.send({"kind": "file", "name": name, "type": media_type}, buffers=[content])
