"""What keeps a query from lasting: a time limit, and a switch that another thread may throw."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from workbench.errors import WorkbenchError

__all__ = ["Cancellation", "within"]

Result = TypeVar("Result")

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


def within(
    work: Callable[[], Result],
    interrupt: Callable[[], object],
    seconds: float,
    cancellation: Cancellation | None = None,
) -> Result:
    """Do some work within a time, in a thread of its own.

    Drivers wait in native code, some of them deaf to Ctrl-C: so the caller's thread waits here, where Python hears
    everything, and has the engine stop.

    Parameters
    ----------
    work
        What the engine does.
    interrupt
        Stops what runs; may be called several times, and when nothing runs.
    seconds
        Time that the work has.
    cancellation
        A switch that others hold.

    Raises
    ------
    WorkbenchError
        ``requete_trop_longue``, ``requete_annulee``, once the engine has stopped.
    KeyboardInterrupt
        On Ctrl-C, once the engine has stopped.

    Examples
    --------
    >>> within(lambda: 1 + 1, lambda: None, 10)
    2
    """
    switch = cancellation or Cancellation()
    wake, over = threading.Event(), threading.Event()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again below, in the caller's thread
            errors.append(error)
        finally:
            over.set()
            wake.set()

    def stop() -> None:
        interrupt()
        while not over.wait(_AGAIN):
            interrupt()

    switch._join(wake)
    try:
        if switch.cancelled:
            raise WorkbenchError("requete_annulee")
        threading.Thread(target=run, name="workbench-query", daemon=True).start()
        try:
            wake.wait(seconds)
        except KeyboardInterrupt:
            stop()
            raise
        if not over.is_set():
            reason = "requete_annulee" if switch.cancelled else "requete_trop_longue"
            stop()
            raise WorkbenchError(reason, secondes=f"{seconds:g}")
    finally:
        switch._leave(wake)
    if errors:
        raise errors[0]
    return results[0]
