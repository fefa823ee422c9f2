"""Asking a zygote for a kernel, and holding the kernel it gives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.kernels.limits import Limits
from workbench.kernels.runtime import Address
from workbench.kernels.wire import Reader, send

__all__ = ["ForkedProcess", "Wish", "ZygoteError", "is_possible", "is_running", "obtain", "reserve", "start"]

START_SECONDS = 60.0
ANSWER_SECONDS = 0.2


class ZygoteError(Exception):
    """No kernel came: the text says why, for a log."""


@dataclass(frozen=True)
class Wish:
    """A kernel that is wanted.

    Parameters
    ----------
    connection_file
        Where its connection is written.
    options
        Of IPython's command line.
    folder
        Where it works.
    environment
        Its variables, all of them.
    limits
        What it may use.
    exact
        Whether the connection file already says where it listens; else it may choose.
    ready
        Number of kernels to keep ready for the next ones who wish the same.
    news
        Shown by its first execution.
    known
        What the kernel finds done: ``module:function``, the argument that it is called with, a version of what that
        names. The zygote calls it once, before it forks.
    """

    connection_file: Path
    options: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]
    limits: Limits = field(default_factory=Limits)
    exact: bool = True
    ready: int = 0
    news: str = ""
    known: tuple[tuple[str, ...], ...] = ()


def is_possible() -> bool:
    """Whether this system has what kernels are forked with."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and hasattr(socket, "send_fds")


def is_running(address: Address) -> bool:
    """Whether a zygote has finished its imports and would answer now."""
    try:
        with contextlib.closing(Reader(_connect(address))) as reader:
            send(reader.wire, {"ask": "here"})
            reader.wire.settimeout(ANSWER_SECONDS)
            return any("here" in message for message, _ in reader.read())
    except (OSError, ValueError):
        return False


def start(address: Address, idle: float | None = None) -> None:
    """Start a zygote unless one listens; it imports while this returns.

    Raises
    ------
    ZygoteError
        When it does not start.
    """
    with contextlib.suppress(OSError):
        _connect(address).close()
        return
    _sweep(address.folder)
    asked: dict[str, Any] = {"preload": address.preload}
    asked.update(socket=str(address.socket), lock=str(address.lock), log=str(address.log))
    if idle is not None:
        asked["idle"] = idle
    command = [sys.executable, "-P", "-m", "workbench.kernels.zygote", json.dumps(asked)]
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, this package
            command, env=dict(address.environment), cwd=address.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=START_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ZygoteError(f"{type(error).__name__}: {error}") from error
    if done.returncode:
        raise ZygoteError(done.stderr.decode(errors="replace")[-2000:])


def reserve(
    address: Address, options: tuple[str, ...], ready: int, known: Sequence[tuple[str, ...]] = ()
) -> Reader | None:
    """Start a zygote and have kernels prepared before anybody asks, as long as what is returned is not closed.

    ``known`` is learnt meanwhile, as that of a `Wish`. None, and nothing prepared, where kernels cannot be forked: they
    will be plain.
    """
    if not is_possible():
        return None
    try:
        start(address)
        reader = Reader(_connect(address))
    except (OSError, ZygoteError):
        return None
    with contextlib.suppress(OSError):
        send(reader.wire, {"prepare": options, "ready": ready, "known": known})
    return reader


def _sweep(folder: Path) -> None:
    """Remove the files of zygotes that are gone."""
    import fcntl

    for lock in folder.glob("*.lock"):
        with lock.open("r+") as opened, contextlib.suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for suffix in (".sock", ".log", ".lock"):
                lock.with_suffix(suffix).unlink(missing_ok=True)


def _connect(address: Address) -> socket.socket:
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        wire.settimeout(5)
        wire.connect(str(address.socket))
        credentials = wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        if struct.unpack("3i", credentials)[1] != os.getuid():
            raise PermissionError(str(address.socket))  # noqa: TRY301 - closed below
    except BaseException:
        wire.close()
        raise
    return wire


async def obtain(address: Address, wish: Wish, streams: tuple[int, int] = (1, 2)) -> ForkedProcess:
    """Ask for a kernel and wait for it, while the imports of a young zygote end.

    Parameters
    ----------
    address
        The zygote; it listens already.
    wish
        What is wanted.
    streams
        Where what the kernel writes below Python goes: its standard output and error.

    Raises
    ------
    ZygoteError
        When none comes.
    """
    reader = None
    try:
        reader = Reader(_connect(address))
        message = {
            "connection_file": str(wish.connection_file), "options": wish.options, "folder": str(wish.folder),
            "environment": dict(wish.environment), "limits": wish.limits.write(), "exact": wish.exact,
            "ready": wish.ready, "news": wish.news, "known": wish.known, "umask": _umask(),
        }  # fmt: skip
        send(reader.wire, {"kernel": message}, streams)
        reader.wire.setblocking(False)
        async with asyncio.timeout(START_SECONDS):
            while not (messages := _read(reader)):
                if reader.ended:
                    raise ZygoteError("the zygote ended")  # noqa: TRY301 - closed below
                await asyncio.sleep(0.005)
        answer, files = messages[0]
        if "refused" in answer or len(files) != 1:
            raise ZygoteError(str(answer.get("refused", answer)))  # noqa: TRY301 - closed below
        return ForkedProcess(answer["pid"], files[0], reader, answer["connection"])
    except (OSError, ValueError, TimeoutError, ZygoteError) as error:
        if reader is not None:
            reader.close()
        raise error if isinstance(error, ZygoteError) else ZygoteError(f"{type(error).__name__}: {error}") from error


def _read(reader: Reader) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
    try:
        return reader.read()
    except BlockingIOError:
        return []


def _umask() -> int:
    """Return the mask of this process, without the instant of another one that setting it would make."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("Umask:"):
            return int(line.split()[1], 8)
    return 0o022


class ForkedProcess:
    """A kernel that a zygote forked, with the few methods that Jupyter calls of a process.

    It ends when this object is closed or its process ends.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, handle: int, reader: Reader, connection: dict[str, Any] | None) -> None:
        self.pid = pid
        self.connection = connection
        self.returncode: int | None = None
        self.cause = ""
        self._handle = handle
        self._reader = reader

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        if self.returncode is None and self._has_ended():
            # The zygote, who is its parent, learns it at the same time and says how.
            end = time.monotonic() + ANSWER_SECONDS
            self.returncode = -int(signal.SIGKILL)
            while not self._hear() and time.monotonic() < end:
                time.sleep(0.002)
            self.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            time.sleep(0.01)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal; a process that has ended is left in peace."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Let go of it: a kernel that still runs is ended by its zygote."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
            self._reader.close()

    def _has_ended(self) -> bool:
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return bool(poll.poll(0))

    def _hear(self) -> bool:
        """Read what the zygote says; whether nothing more will come."""
        try:
            messages = self._reader.read()
        except BlockingIOError:
            return False
        except (OSError, ValueError):
            return True
        for message, _ in messages:
            if "ended" in message:
                self.returncode, self.cause = int(message["ended"]), str(message["cause"])
                return True
        return self._reader.ended
