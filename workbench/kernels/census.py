"""The kernels of this user that run, and their memory: counted by name, whichever server they serve."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workbench.kernels.limits import proportional_bytes

__all__ = ["NAMES", "KernelProcess", "kernel_processes"]

NAMES = {"noyau": "used", "noyau-pret": "ready", "noyaux": "zygote"}
"""Names of processes, and what they are."""


@dataclass(frozen=True)
class KernelProcess:
    """A process that holds a kernel, or makes them.

    Parameters
    ----------
    pid
        Its number.
    state
        ``used``, ``ready`` or ``zygote``.
    memory
        Bytes, its part of what it shares with others (PSS).
    """

    pid: int
    state: str
    memory: int


def kernel_processes() -> list[KernelProcess]:
    """Return the kernels of this user; none where the system does not tell."""
    found: list[KernelProcess] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            name = (entry / "comm").read_text().strip()
            if name not in NAMES or entry.stat().st_uid != os.geteuid():
                continue
        except OSError:
            continue
        pid = int(entry.name)
        if memory := proportional_bytes(pid):
            found.append(KernelProcess(pid, NAMES[name], memory))
    return found
