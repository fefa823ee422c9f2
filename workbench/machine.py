"""The machine: how many processors are ours, and the memory of a server that stays up for months."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["memory_given_back", "processors"]

EVERY_SECONDS = 60.0

ARENAS = 2
"""Threads share so many heaps: with eight a processor, each keeps the holes of its own busiest moment."""

M_ARENA_MAX = -8


def processors() -> int:
    """Return how many processors this process may use.

    Examples
    --------
    >>> processors() >= 1
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def memory_given_back(seconds: float = EVERY_SECONDS) -> Iterator[bool]:
    """Give back to the machine, now and then, what this process has freed.

    The allocator of the C library keeps what was freed between two things that live: after thirty pages at once, a
    third of what the server holds, and a little more each hour. Nothing is done where that library is another one.

    Parameters
    ----------
    seconds
        Between two times.

    Yields
    ------
    bool
        Whether this system lets it be done.

    Examples
    --------
    >>> with memory_given_back() as possible:
    ...     possible in (True, False)
    True
    """
    library = ctypes.CDLL(None)
    if not hasattr(library, "malloc_trim"):
        yield False
        return
    library.mallopt(M_ARENA_MAX, ARENAS)
    ended = threading.Event()

    def give_back() -> None:
        while not ended.wait(seconds):
            library.malloc_trim(0)

    thread = threading.Thread(target=give_back, name="workbench-memory", daemon=True)
    thread.start()
    try:
        yield True
    finally:
        ended.set()
        thread.join()
