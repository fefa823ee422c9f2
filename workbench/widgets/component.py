"""What every widget is made of: traits that show, messages that are checked.

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

__all__ = ["Charts", "Component", "Message", "source"]

STATIC = Path(__file__).parent / "static"

_log = logging.getLogger(__name__)

Message = Mapping[str, Any]


@cache
def source(*names: str, folder: Path = STATIC) -> str:
    """Return files of JavaScript or CSS as one text: each from a folder, else from this room's.

    Parameters
    ----------
    *names
        Names of files, in the order in which they are joined.
    folder
        Where to look first; a room above adds its own files to those here.
    """
    found = (folder / name if (folder / name).is_file() else STATIC / name for name in names)
    return "\n".join(path.read_text(encoding="utf-8") for path in found)


class Component(anywidget.AnyWidget):
    """A widget that shows traits and sends messages."""

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

    def give(self, name: str, content: bytes, media_type: str) -> None:
        """Make the browser save a file."""
        self.send({"kind": "file", "name": name, "type": media_type}, buffers=[content])

    def send_library(self) -> None:
        """Send plotly.js itself, once for a notebook."""
        import importlib.resources

        library = importlib.resources.files("plotly") / "package_data" / "plotly.min.js"
        self.send({"kind": "library"}, buffers=[library.read_bytes()])


class Charts(Component):
    """Plotly figures, each with its alternative text.

    Messages: ``figures``, when they are about to be seen, or the page is left alone: it may be printed; ``library``,
    when the page has no address to fetch plotly.js from.
    """

    _esm = source("dom.js", "plotly.js", "paper.js", "chart.js")
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
