"""What keeps a query from lasting: a time limit, and a switch that another thread may throw."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.errors import WorkbenchError

__all__ = ["Cancellation", "watched"]

_AGAIN = 0.05
"""Seconds between two interruptions: one that comes before the engine has begun is lost."""


class Cancellation:
    """A switch: whoever holds it may stop the queries that were given it, from any thread.

    Examples
    --------
    >>> switch = Cancellation()
    >>> switch.cancel()
    >>> switch.cancelled
    True
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._watchers: list[threading.Event] = []
        self.cancelled = False

    def cancel(self) -> None:
        """Stop the queries that run under this switch, and those that would begin."""
        with self._guard:
            self.cancelled = True
            waiting = list(self._watchers)
        for each in waiting:
            each.set()

    def _join(self, wake: threading.Event) -> None:
        with self._guard:
            self._watchers.append(wake)
            if self.cancelled:
                wake.set()

    def _leave(self, wake: threading.Event) -> None:
        with self._guard:
            self._watchers.remove(wake)


@contextmanager
def watched(
    interrupt: Callable[[], object], seconds: float, cancellation: Cancellation | None = None
) -> Iterator[None]:
    """Interrupt what the block runs once its time is over, or when the switch is thrown.

    Parameters
    ----------
    interrupt
        Stops what runs; may be called several times, and when nothing runs.
    seconds
        Time that the block has.
    cancellation
        A switch that others hold.

    Raises
    ------
    WorkbenchError
        ``requete_trop_longue``, ``requete_annulee``: in the place of what the block raised.

    Examples
    --------
    >>> with watched(lambda: None, 10):
    ...     pass
    """
    switch = cancellation or Cancellation()
    wake, over = threading.Event(), threading.Event()
    reasons: list[str] = []

    def watch() -> None:
        wake.wait(seconds)
        if over.is_set():
            return
        reasons.append("requete_annulee" if switch.cancelled else "requete_trop_longue")
        while not over.is_set():
            interrupt()
            over.wait(_AGAIN)

    watcher = threading.Thread(target=watch, name="workbench-limit", daemon=True)
    switch._join(wake)
    watcher.start()
    try:
        try:
            yield
        finally:
            over.set()
            wake.set()
            watcher.join()
            switch._leave(wake)
    except BaseException as error:
        # An interruption that we asked for may look like Ctrl-C.
        if reasons:
            raise WorkbenchError(reasons[0], secondes=f"{seconds:g}") from error
        raise
    if reasons:
        raise WorkbenchError(reasons[0], secondes=f"{seconds:g}")
