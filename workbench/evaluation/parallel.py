"""Work on several cores of one process, for loops that hold no lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from workbench.machine import processors

__all__ = ["in_threads", "share_of"]

Result = TypeVar("Result")

_WORTH_A_THREAD = 1_024
"""Rows from which a part is worth a thread of its own."""


def in_threads(task: Callable[..., Result], arguments: Sequence[tuple[Any, ...]]) -> Iterator[Result]:
    """The results of a task that holds no lock, in order; a few are made ahead of their use."""
    threads = min(processors(), len(arguments))
    if threads <= 1:
        yield from (task(*each) for each in arguments)
        return
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[Result]] = deque()
        try:
            for each in arguments:
                ahead.append(pool.submit(task, *each))
                if len(ahead) > 2 * threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def share_of(rows: int, most: int) -> int:
    """How many rows a part has, ``most`` at the most: every core has its part, unless they are too few to share.

    A few exercices of the whole country are few rows, of many blocks.

    Examples
    --------
    >>> share_of(10, 8_192), share_of(10**9, 8_192)
    (1024, 8192)
    """
    return min(max(-(-rows // processors()), _WORTH_A_THREAD), most)
