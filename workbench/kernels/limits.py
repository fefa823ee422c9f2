"""What a kernel may use, and who watches it.

A kernel that goes too far is first told so, by a signal that becomes an error of the cell in French: its memory is
freed and the notebook stays. One that does not listen, because it swallows the error or stays inside a library, is
ended, and those who asked for it learn the cause. Everything is measured from outside the interpreter, in ``/proc``.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

__all__ = [
    "HEARING_SECONDS",
    "MEMORY",
    "MEMORY_SHARE",
    "TICK",
    "TIME",
    "Limits",
    "Supervision",
    "machine_memory",
    "proportional_bytes",
]

TICK = 0.25
"""Seconds between two measures."""

GRACE = 4.0
"""Seconds between being told and being ended."""

TIME = "temps"
MEMORY = "memoire"

SIGNALS = {TIME: getattr(signal, "SIGXCPU", None), MEMORY: getattr(signal, "SIGUSR2", None)}

MEMORY_SHARE = 0.75
"""The part of the machine's memory that kernels of reports may use together."""

HEARING_SECONDS = 60
"""Between the answer of a cell and the last of what it shows: after nbclient's four, a busy machine loses figures."""

BEYOND = 1.5
"""Times its memory at which a kernel is ended at once."""


@dataclass(frozen=True)
class Limits:
    """What a kernel may use; zero is no limit.

    Parameters
    ----------
    memory
        Bytes resident, with those of the programs it starts; pages shared with others count in part.
    seconds
        Of one execution, in wall-clock time.
    output
        Bytes printed by one execution; what follows is dropped, and said.
    writable
        Folders it may write in, with all that is below; empty, as the user may. See `workbench.kernels.confinement`.
    """

    memory: int = 0
    seconds: float = 0.0
    output: int = 50_000_000
    writable: tuple[str, ...] = ()

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Limits:
        """Return the limits that a message or a variable describes; unknown names are refused by ``TypeError``."""
        known = {each.name for each in fields(cls)}
        if unknown := set(values) - known:
            raise TypeError(", ".join(sorted(unknown)))
        return cls(**{**values, "writable": tuple(values.get("writable", ()))})

    def write(self) -> dict[str, Any]:
        """Return what `read` takes."""
        return asdict(self)


def machine_memory() -> int:
    """Return the bytes that this machine, or the control group of this process, may use."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = int(Path(name).read_text())
        except (OSError, ValueError):
            continue
        total = min(total, limit)
    return total


@dataclass
class Supervision:
    """Follows one kernel; `tick` is called a few times a second by whoever holds its process.

    Parameters
    ----------
    pid
        The kernel, leader of its session.
    limits
        What it may use.
    send
        Sends it a signal; by default by its number.
    """

    pid: int
    limits: Limits
    send: Callable[[int], None]
    busy_since: float | None = None
    cause: str = ""
    """Why it was ended; empty while it was not."""
    _told: dict[str, float] = field(default_factory=dict)

    def busy(self, is_busy: bool) -> None:
        """Note that an execution starts or ends."""
        self.busy_since = time.monotonic() if is_busy else None
        self._told.clear()

    @property
    def needed(self) -> bool:
        """Whether there is something to measure now."""
        return bool(self.limits.memory) or bool(self.limits.seconds and self.busy_since is not None)

    def tick(self) -> None:
        """Measure; tell the kernel, or end it."""
        now = time.monotonic()
        if self.limits.seconds and self.busy_since is not None and now - self.busy_since > self.limits.seconds:
            self._exceeded(TIME, now, at_once=False)
        if self.limits.memory:
            used = self._resident()
            if used > self.limits.memory:
                used = self._proportional()
            if used > self.limits.memory:
                self._exceeded(MEMORY, now, at_once=used > BEYOND * self.limits.memory)
            else:
                self._told.pop(MEMORY, None)

    def _exceeded(self, cause: str, now: float, *, at_once: bool) -> None:
        told = self._told.setdefault(cause, now)
        if at_once or now - told > GRACE:
            self.cause = cause
            self.send(signal.SIGKILL)
        elif told == now and self.busy_since is not None:
            # When nothing runs, nobody is told: a cell that just ended may have yet to give its memory back.
            self.send(int(SIGNALS[cause] or signal.SIGINT))

    def _resident(self) -> int:
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, IndexError, ValueError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(proportional_bytes, _children(self.pid)))

    def _proportional(self) -> int:
        return sum(map(proportional_bytes, (self.pid, *_children(self.pid))))


def _children(pid: int) -> list[int]:
    """Return the processes below a process; those that left it by a double fork are not found."""
    found: list[int] = []
    pending = [pid]
    while pending:
        parent = pending.pop()
        try:
            tasks = list(Path(f"/proc/{parent}/task").iterdir())
        except OSError:
            continue
        for task in tasks:
            try:
                pending += (below := [int(each) for each in (task / "children").read_text().split()])
            except OSError:
                continue
            found += below
    return found


def proportional_bytes(pid: int) -> int:
    """Return the memory of a process, its part of what it shares; 0 when it is gone or the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
