"""Work done beside the kernel, whose person goes on: the latest of a kind wins, a switch stops it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from workbench.engines import Cancellation
from workbench.errors import WorkbenchError

__all__ = ["Background"]

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Background:
    """Threads that work for a panel, one at a time a kind.

    What they found is handed over in the loop of the kernel when there is one, since widgets are not for threads; else,
    in the thread itself.

    Examples
    --------
    >>> found = []
    >>> background = Background()
    >>> background.start("somme", lambda switch: 1 + 1, found.append, print)
    >>> background.wait("somme")
    >>> found
    [2]
    """

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._switches: dict[str, Cancellation] = {}
        self._threads: dict[str, threading.Thread] = {}
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def start(
        self,
        kind: str,
        work: Callable[[Cancellation], Result],
        done: Callable[[Result], object],
        failed: Callable[[WorkbenchError], object],
        delay: float = 0.0,
    ) -> None:
        """Begin some work, in the place of what is underway of its kind.

        Parameters
        ----------
        kind
            What tells works from one another.
        work
            What to do; it gives its switch to the engine.
        done, failed
            Called with the outcome, unless other work of this kind has begun meanwhile.
        delay
            Seconds to wait before: a person who types changes her mind.
        """
        self.cancel(kind)
        switch = Cancellation()

        def run() -> None:
            try:
                _pause(switch, delay)
                found = work(switch)
            except WorkbenchError as error:
                self._hand(kind, switch, failed, error)
            except Exception:  # noqa: BLE001 - what went wrong is for the operator
                reference = secrets.token_hex(4)
                _log.exception("incident %s: %s", reference, kind)
                self._hand(kind, switch, failed, WorkbenchError("panneau_incident", reference=reference))
            else:
                self._hand(kind, switch, done, found)

        with self._guard:
            self._switches[kind] = switch
            self._threads[kind] = threading.Thread(target=run, name=f"workbench-{kind}", daemon=True)
            self._threads[kind].start()

    def _hand(self, kind: str, switch: Cancellation, receive: Callable[[Any], object], found: Any) -> None:
        def hand() -> None:
            with self._guard:
                if self._switches.get(kind) is switch:
                    receive(found)

        if self._loop is not None and self._loop.is_running():
            self._loop.call_soon_threadsafe(hand)
        else:
            hand()

    def cancel(self, kind: str) -> None:
        """Stop what is underway of a kind; nothing happens when nothing is."""
        with self._guard:
            switch = self._switches.get(kind)
        if switch is not None:
            switch.cancel()

    def wait(self, kind: str, seconds: float | None = None) -> None:
        """Wait for the end of what is underway of a kind."""
        with self._guard:
            thread = self._threads.get(kind)
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    def stop(self) -> None:
        """Stop everything."""
        for kind in list(self._switches):
            self.cancel(kind)


def _pause(switch: Cancellation, seconds: float) -> None:
    """Wait, and raise WorkbenchError (``requete_annulee``) as soon as the switch is thrown."""
    wake = threading.Event()
    switch._join(wake)
    try:
        if wake.wait(seconds) if seconds else switch.cancelled:
            raise WorkbenchError("requete_annulee")
    finally:
        switch._leave(wake)
