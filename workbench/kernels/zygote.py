"""The process that forks kernels: imports once, opens nothing, starts no thread, then forks for whoever asks.

It serves one user: its socket is in a folder that nobody else can enter, and the kernel of the system says who calls.
A connection is the life of one kernel, or the wish that some be kept ready: it carries what is wanted, then the
kernel's number and a handle on it, then how it ended; when the one who asked closes it, by dying too, the kernel is
ended. It watches what kernels use, keeps a few ready for those who said they would want more, learns once what the
kernels of one work all begin by doing, and ends when nobody has needed it for a while.

Standard library only, and one thread: whatever a library does at import, or when something is learnt, is seen before
the next fork, and a zygote that has a second thread refuses to fork.

It is one module because it is one loop over one state, and all that a kernel inherits is seen here.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.kernels.limits import GRACE, TICK, Limits, Supervision
from workbench.kernels.wire import Reader, send

__all__ = ["call_process", "main", "threads"]

IDLE_SECONDS = 600.0
"""Without a kernel that somebody uses, a zygote ends after this."""

MOST_READY = 8

MOST_KNOWN = 256


def threads() -> int:
    """Return the number of threads of this process, those of libraries included.

    Examples
    --------
    >>> threads() >= 1
    True
    """
    return len(os.listdir("/proc/self/task"))  # noqa: PTH208


@dataclass(eq=False)
class _Kernel:
    """One kernel, forked."""

    pid: int
    handle: int
    pipe: socket.socket
    reader: Reader
    name: str
    options: tuple[str, ...] | None
    supervision: Supervision
    client: _Client | None = None
    connection: dict[str, Any] | None = None
    ends_at: float | None = None

    def send(self, number: int) -> None:
        """Send a signal to the kernel, and to all it started when it is the last one."""
        with contextlib.suppress(OSError):
            if number == signal.SIGKILL:
                os.killpg(self.pid, number)
            signal.pidfd_send_signal(self.handle, number)


@dataclass(eq=False)
class _Client:
    """One who asks for a kernel, or only whether it is there."""

    wire: socket.socket
    reader: Reader
    kernel: _Kernel | None = None


@dataclass
class _Zygote:
    """See the module."""

    folder: Path
    listener: socket.socket
    lock: int
    refusal: str = ""
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    kernels: set[_Kernel] = field(default_factory=set)
    clients: set[_Client] = field(default_factory=set)
    wanted_ready: dict[tuple[str, ...], int] = field(default_factory=dict)
    processors: tuple[int, ...] = field(default_factory=lambda: tuple(sorted(os.sched_getaffinity(0))))
    used_at: float = field(default_factory=time.monotonic)
    known: set[tuple[str, ...]] = field(default_factory=set)
    lessons: list[tuple[str, ...]] = field(default_factory=list)
    made: int = 0

    def serve(self, idle: float) -> None:
        """Fork until nobody needs it."""
        self._watch(self.listener, self._accept)
        path = Path(self.listener.getsockname())
        identity = _identity(path)
        while True:
            for key, _ in sorted(self.selector.select(self._pause()), key=lambda each: each[0].data[0]):
                if key.fd in self.selector.get_map():
                    key.data[1]()
            now = time.monotonic()
            for kernel in list(self.kernels):
                self._follow(kernel, now)
            if not self._fill() and self.lessons and not self.refusal:
                self._learn(self.lessons.pop(0))  # one a turn, so that those who ask meanwhile do not wait
            if any(kernel.client for kernel in self.kernels) or self.clients:
                self.used_at = now
            is_replaced = _identity(path) != identity
            if now - self.used_at > (0 if is_replaced else idle):
                break
        if _identity(path) == identity:
            path.unlink(missing_ok=True)
        self._end()

    def _pause(self) -> float:
        """Return how long nothing has to be looked at."""
        if self.lessons and not self.refusal:
            return 0.0
        busy = any(each.ends_at or (each.client and each.supervision.needed) for each in self.kernels)
        return TICK if busy else 5.0

    def _watch(self, watched: Any, call: Callable[[], None], order: int = 1) -> None:
        self.selector.register(watched, selectors.EVENT_READ, (order, call))

    # Who asks

    def _accept(self) -> None:
        wire, _ = self.listener.accept()
        wire.settimeout(5)
        credentials = wire.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        if struct.unpack("3i", credentials)[1] != os.getuid():
            wire.close()
            return
        client = _Client(wire, Reader(wire))
        self.clients.add(client)
        self._watch(wire, lambda: self._hear(client))

    def _hear(self, client: _Client) -> None:
        try:
            messages = client.reader.read()
        except (OSError, ValueError):
            messages, client.reader.ended = [], True
        for message, files in messages:
            try:
                self._answer(client, message, files)
            except (OSError, KeyError, TypeError, ValueError) as error:
                self._tell(client, {"refused": f"{type(error).__name__}: {error}"})
            finally:
                for each in files:
                    os.close(each)
        if client.reader.ended:
            self._forget(client)
            if client.kernel is not None:
                client.kernel.client = None
                self._stop(client.kernel)

    def _forget(self, client: _Client) -> None:
        if client in self.clients:
            self.clients.discard(client)
            self.selector.unregister(client.wire)
            client.reader.close()

    def _tell(self, client: _Client, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
        with contextlib.suppress(OSError):
            send(client.wire, message, files)

    def _answer(self, client: _Client, message: dict[str, Any], files: tuple[int, ...]) -> None:
        if self.refusal:
            self._tell(client, {"refused": self.refusal})
        elif "prepare" in message:
            self.wanted_ready[tuple(map(str, message["prepare"]))] = min(MOST_READY, int(message["ready"]))
            self.lessons.extend(tuple(map(str, lesson)) for lesson in message["known"][:MOST_KNOWN])
        elif "kernel" not in message or client.kernel is not None:
            ready = sum(each.connection is not None and each.client is None for each in self.kernels)
            self._tell(client, {"here": os.getpid(), "kernels": len(self.kernels), "ready": ready})
        else:
            self._give(client, message["kernel"], files)

    def _give(self, client: _Client, wish: Mapping[str, Any], files: tuple[int, ...]) -> None:
        """Give a kernel: one that is ready, else a new one."""
        options = tuple(map(str, wish["options"]))
        limits = Limits.read(wish["limits"])
        for lesson in wish["known"]:
            self._learn(tuple(map(str, lesson)))
        if self.refusal:
            self._tell(client, {"refused": self.refusal})
            return
        kernel = None
        if not wish["exact"] and not limits.writable:
            self.wanted_ready[options] = min(MOST_READY, int(wish["ready"]))
            kernel = next((each for each in self.kernels if self._suits(each, options)), None)
        kernel = kernel or self._fork(None)
        kernel.client, client.kernel = client, kernel
        kernel.supervision.limits = limits
        assignment = {
            "connection_file": str(wish["connection_file"]),
            "options": options,
            "environment": dict(wish["environment"]),
            "folder": str(wish["folder"]),
            "umask": int(wish["umask"]),
            "news": str(wish["news"]),
            "limits": limits.write(),
            "processors": self.processors,
        }
        with socket.socket(fileno=os.dup(client.wire.fileno())) as copy:
            send(kernel.pipe, assignment, (copy.fileno(), *files))
        self._tell(client, {"pid": kernel.pid, "connection": kernel.connection}, (kernel.handle,))

    def _learn(self, lesson: tuple[str, ...]) -> None:
        """Do once what all kernels of the same work would do: ``module:function``, its argument, a version of it."""
        if lesson in self.known:
            return
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()  # what was learnt is bounded where it is kept
        self.known.add(lesson)
        try:
            module, _, function = lesson[0].partition(":")
            getattr(importlib.import_module(module), function)(lesson[1])
        except Exception as error:  # noqa: BLE001 - the kernel that needs it will say so
            print(f"{lesson}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
        self._settle()

    def _settle(self) -> None:
        """Refuse to fork beside a thread, and let kernels share what was made: a collection would write on it."""
        if (count := threads()) != 1:
            self.refusal = f"{count} threads after the imports"
            print(self.refusal, file=sys.stderr, flush=True)  # noqa: T201
        gc.collect()
        gc.freeze()

    def _suits(self, kernel: _Kernel, options: tuple[str, ...]) -> bool:
        return (
            kernel.connection is not None
            and kernel.client is None
            and kernel.ends_at is None
            and kernel.options == options
        )

    # Kernels

    def _fork(self, options: tuple[str, ...] | None) -> _Kernel:
        """Fork a kernel: with options, one that is made in advance; without, one that is wanted now."""
        ours, theirs = socket.socketpair()
        ours.settimeout(5)
        self.made += 1
        name = f"noyau-{os.getpid()}-{self.made}"
        pid = os.fork()
        if pid == 0:
            self._close_all()
            ours.close()
            from workbench.kernels.forked import run

            run(theirs, self.folder, None if options is None else {"name": name, "options": options})
        theirs.close()
        kernel = _Kernel(
            pid, os.pidfd_open(pid), ours, Reader(ours), name, options, Supervision(pid, Limits(), _nothing)
        )
        kernel.supervision.send = kernel.send
        self.kernels.add(kernel)
        self._watch(ours, lambda: self._listen(kernel))
        self._watch(kernel.handle, lambda: self._reap(kernel), order=0)
        return kernel

    def _close_all(self) -> None:
        """In the child: nothing of the zygote's stays open, and nothing of it will be closed a second time."""
        self.listener.close()
        os.close(self.lock)
        for client in self.clients:
            client.reader.close()
        for kernel in self.kernels:
            kernel.reader.close()
            os.close(kernel.handle)
        self.selector.close()

    def _listen(self, kernel: _Kernel) -> None:
        try:
            messages = kernel.reader.read()
        except (OSError, ValueError):
            messages, kernel.reader.ended = [], True
        for message, _ in messages:
            if "ready" in message:
                kernel.connection = message["ready"]
            elif "busy" in message:
                kernel.supervision.busy(bool(message["busy"]))
        if kernel.reader.ended:
            self.selector.unregister(kernel.pipe)

    def _follow(self, kernel: _Kernel, now: float) -> None:
        if kernel.ends_at is not None:
            if now > kernel.ends_at:
                kernel.send(signal.SIGKILL)
        elif kernel.client is not None and kernel.supervision.needed:
            kernel.supervision.tick()

    def _stop(self, kernel: _Kernel) -> None:
        if kernel.ends_at is None:
            kernel.ends_at = time.monotonic() + GRACE
            kernel.send(signal.SIGTERM)

    def _reap(self, kernel: _Kernel) -> None:
        _, status = os.waitpid(kernel.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(OSError):
            os.killpg(kernel.pid, signal.SIGKILL)  # what it started and left behind
        self.selector.unregister(kernel.handle)
        os.close(kernel.handle)
        if kernel.pipe.fileno() in self.selector.get_map():
            self.selector.unregister(kernel.pipe)
        kernel.reader.close()
        self.kernels.discard(kernel)
        if kernel.client is None:
            for left in self.folder.glob(f"{kernel.name}[-.]*"):
                left.unlink(missing_ok=True)
            if kernel.options is not None and kernel.connection is None:
                self.wanted_ready.pop(kernel.options, None)  # it cannot start: do not try for ever
        else:
            self._tell(kernel.client, {"ended": code, "cause": kernel.supervision.cause})
            kernel.client.kernel = None
            self._forget(kernel.client)

    def _fill(self) -> bool:
        """Make kernels in advance, one a turn, so that those who ask meanwhile do not wait; whether one was made."""
        if self.refusal:
            return False
        for options, wanted in self.wanted_ready.items():
            waiting = [each for each in self.kernels if each.options == options and each.client is None]
            if len(waiting) < wanted and not any(each.connection is None for each in waiting):
                self._fork(options)
                return True
        return False

    def _end(self) -> None:
        for kernel in self.kernels:
            kernel.send(signal.SIGKILL)
            for left in self.folder.glob(f"{kernel.name}[-.]*"):
                left.unlink(missing_ok=True)


def call_process(name: str) -> None:
    """Give this process a name for those who list the processes of the machine."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name)


def _nothing(_: int) -> None:
    """Stand for the signals of a kernel that is not there yet."""


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def _preload(modules: list[str]) -> None:
    """Import, on one processor: some libraries start a thread for each of them."""
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    # jsonschema compiles 38 grammars of it at import when it is there, for a check that no kernel makes.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    for name in modules:
        module, _, function = name.partition(":")
        try:
            found = importlib.import_module(module)
            if function:
                getattr(found, function)()
        except Exception as error:  # noqa: BLE001 - a notebook that needs it will say so
            print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201
    os.sched_setaffinity(0, processors)


def main() -> None:
    """Serve: ``python -m workbench.kernels.zygote '{"socket": …, "lock": …, "log": …, "preload": […], "idle": …}'``.

    Returns at once in the process that was called, once somebody listens.
    """
    asked = json.loads(sys.argv[1])
    os.umask(0o077)
    lock = os.open(asked["lock"], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another listens already
    path = Path(asked["socket"])
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(64)
        if os.fork():
            os._exit(0)
        os.setsid()
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for taken, number in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(taken, number)
        os.close(nothing)
        os.close(log)
        call_process("noyaux")
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _preload([f"workbench.kernels.{each}" for each in ("forked", "application", "launch", "confinement")])
        _preload(asked["preload"])
        zygote = _Zygote(path.parent, listener, lock)
        zygote._settle()
        zygote.serve(asked.get("idle", IDLE_SECONDS))


if __name__ == "__main__":
    main()
