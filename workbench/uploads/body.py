"""Bytes from the network to the disk: two blocks in memory whatever the length, one coming in, one being written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from typing import Any

from workbench.uploads.writer import Writer

__all__ = ["Receive", "drain", "receive_body"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

BLOCK = 2 * 1024 * 1024
SETTLE = 8 * 1024 * 1024
"""Bytes after which the disk is asked to write: the last wait is short, and a power loss takes little."""

MOST_DRAINED = 1024 * 1024


class Overflow(Exception):  # noqa: N818 - an end, not a defect
    """More bytes came than there may be."""


async def receive_body(
    receive: Receive, writer: Writer, limit: int | None, idle: float, executor: Executor, watch: Callable[..., object]
) -> bool:
    """Write a body at the end of an upload; returns whether it came whole.

    Parameters
    ----------
    receive
        The ASGI channel.
    writer
        Where it goes.
    limit
        Bytes that there may be at most; None for no limit.
    idle
        Seconds without a byte after which the sender is gone.
    executor
        Where the disk is waited for.
    watch
        Told what cuts the reading short.

    Raises
    ------
    Overflow
        More than ``limit`` came.
    OSError
        What the disk refuses.
    """
    sink = _Sink(writer, executor)
    loop = asyncio.get_running_loop()
    last = loop.time()
    timer: asyncio.TimerHandle | None = None

    async def read() -> bool:
        nonlocal last
        came = 0
        while True:
            message = await receive()
            last = loop.time()
            if message["type"] != "http.request":
                return False
            piece = message.get("body", b"")
            came += len(piece)
            if limit is not None and came > limit:
                raise Overflow
            if piece:
                await sink.add(piece)
            if not message.get("more_body", False):
                return True

    def look() -> None:
        nonlocal timer
        if loop.time() - last >= idle:
            reader.cancel()
        else:
            timer = loop.call_later(last + idle - loop.time(), look)

    reader = asyncio.ensure_future(read())
    timer = loop.call_later(idle, look)
    watch(reader.cancel)
    try:
        return await reader
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if not reader.cancelled() or (current is not None and current.cancelling()):
            reader.cancel()
            raise
        return False
    finally:
        if timer is not None:
            timer.cancel()
        watch(None)
        await sink.finish()


class _Sink:
    def __init__(self, writer: Writer, executor: Executor) -> None:
        self.writer = writer
        self.executor = executor
        self.pieces: list[bytes] = []
        self.size = 0
        self.unsettled = 0
        self.writing: asyncio.Future[None] | None = None
        self.settling: asyncio.Future[None] | None = None

    async def add(self, piece: bytes) -> None:
        self.pieces.append(piece)
        self.size += len(piece)
        if self.size >= BLOCK:
            await self._wait()
            self._start()

    def _start(self) -> None:
        pieces, self.pieces = self.pieces, []
        self.unsettled += self.size
        self.size = 0
        loop = asyncio.get_running_loop()
        self.writing = loop.run_in_executor(self.executor, self.writer.append, pieces)
        if self.unsettled >= SETTLE and (self.settling is None or self.settling.done()):
            self.unsettled = 0
            self.settling = loop.run_in_executor(self.executor, self.writer.settle)

    async def _wait(self) -> None:
        if self.writing is not None:
            # A reading that is cut leaves the thread its time: `finish` waits for it.
            await asyncio.shield(self.writing)
            self.writing = None

    async def finish(self) -> None:
        """Write what is left in memory."""
        try:
            await self._wait()
            if self.pieces:
                self._start()
                await self._wait()
        finally:
            if self.settling is not None:
                await asyncio.shield(self.settling)


async def drain(receive: Receive, seconds: float = 2) -> None:
    """Read what is left of a refused request when it is short: its sender then hears the answer."""
    left = MOST_DRAINED
    try:
        async with asyncio.timeout(seconds):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
