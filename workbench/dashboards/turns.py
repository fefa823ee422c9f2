"""Pages that open each in her turn: served together, thirty would all be ready at the time of the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from workbench.machine import processors

__all__ = ["Turns"]

PATIENCE = 10.0
"""Seconds after which a page no longer waits: those before it may be held by something else than the processor."""


class Turns:
    """How many pages a server prepares at once.

    Parameters
    ----------
    most
        As many; by default, two for each processor.
    patience
        Seconds that a page waits for its turn before it goes on without.

    Examples
    --------
    >>> async def page(turns: Turns, told: list[str]) -> None:
    ...     async with turns.taken():
    ...         told.append("begins")
    ...         await asyncio.sleep(0.01)
    ...         told.append("ends")
    >>> async def pages() -> list[str]:
    ...     turns, told = Turns(most=1), []
    ...     await asyncio.gather(page(turns, told), page(turns, told))
    ...     return told
    >>> asyncio.run(pages())
    ['begins', 'ends', 'begins', 'ends']
    """

    def __init__(self, most: int | None = None, patience: float = PATIENCE) -> None:
        self._free = asyncio.Semaphore(most or 2 * processors())
        self._patience = patience

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Wait for a turn, and give it back in the end."""
        has_turn = False
        with suppress(TimeoutError):
            has_turn = await asyncio.wait_for(self._free.acquire(), self._patience)
        try:
            yield
        finally:
            if has_turn:
                self._free.release()
