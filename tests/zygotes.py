"""A folder of sockets of the tests' own; the zygotes that listen there end with the tests."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def zygotes(folder: Path) -> list[int]:
    """Process numbers of the zygotes of a folder and of their kernels, which keep its command line."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and f'"{folder}/' in (process / "cmdline").read_text():
                found.append(int(process.name))
    return found


def kernels(folder: Path) -> set[int]:
    """Process numbers of the kernels that somebody uses."""
    found = set()
    for pid in zygotes(folder):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == "noyau":
                found.add(pid)
    return found


@contextmanager
def runtime() -> Iterator[Path]:
    """A folder for sockets, whose path is short, as long as the tests run."""
    folder = Path(tempfile.mkdtemp(prefix="wb-", dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_RUNTIME", str(folder))
        yield folder
        for pid in zygotes(folder) if Path("/proc/self").exists() else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
