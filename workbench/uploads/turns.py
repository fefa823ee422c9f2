"""Who writes an upload now, within one process: the newcomer is right, since it is the same client whose link was cut.

A connection that died may look alive for minutes. So a new request on an upload has the one that is reading cut: what
it received is kept, and the newcomer learns the true offset. Between processes, the lock of `Writer` decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from workbench.errors import WorkbenchError

__all__ = ["Turn", "Turns"]


@dataclass
class Turn:
    """One holder of an upload at a time."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0
    interrupt: Callable[[], object] | None = None
    """What has the holder leave; None while it cannot."""


class Turns:
    """The turns of all uploads of a process.

    Parameters
    ----------
    patience
        Seconds that a newcomer waits for the holder to leave.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._turns: dict[str, Turn] = {}

    @asynccontextmanager
    async def take(self, identifier: str) -> AsyncIterator[Turn]:
        """Hold an upload.

        Raises
        ------
        WorkbenchError
            ``depot_occupe``.
        """
        turn = self._turns.setdefault(identifier, Turn())
        turn.asked += 1
        try:
            if turn.interrupt is not None:
                turn.interrupt()
            try:
                await asyncio.wait_for(turn.lock.acquire(), self.patience)
            except TimeoutError as error:
                raise WorkbenchError("depot_occupe") from error
            try:
                yield turn
            finally:
                turn.interrupt = None
                turn.lock.release()
        finally:
            turn.asked -= 1
            if not turn.asked:
                self._turns.pop(identifier, None)
