"""Where a zygote listens: a folder of the user's alone, and a name made of all that its imports depend on.

Two servers of one user share a zygote when they run the same interpreter on the same code with the same variables
that a library reads at import; anything else has its own. What is installed or edited changes the name, so the next
kernel comes from a new zygote and the old one ends when nothing uses it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.config import text_of

__all__ = ["Address", "address_of", "runtime_folder", "runtime_path", "sockets_folder", "with_package"]

LONGEST = 70
"""Bytes of the folder: a socket's path has at most 107, and a kernel adds its own part."""

STARTUP_PREFIXES = ("PYTHON", "LD_", "OMP_", "OPENBLAS_", "MKL_", "NUMBA_", "MALLOC_", "JE_", "ARROW_", "DUCKDB_")
"""Variables read once by the interpreter or a library: kernels that differ in them need different zygotes."""

QUIET_LIBRARIES = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
"""What keeps libraries from starting threads when they are imported: a thread does not survive a fork."""

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Address:
    """One zygote: its files and how it is started.

    Parameters
    ----------
    folder
        Folder of the user's alone.
    name
        Digest of all that its imports depend on.
    preload
        Modules that it imports; ``module:function`` also calls the function.
    environment
        Variables that it starts with.
    """

    folder: Path
    name: str
    preload: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / f"{self.name}.sock"

    @property
    def lock(self) -> Path:
        """Held as long as it lives."""
        return self.folder / f"{self.name}.lock"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / f"{self.name}.log"


def runtime_path() -> Path:
    """Return where the folder of sockets is, or would be: what is asked for when it is short enough."""
    asked = text_of("WORKBENCH_RUNTIME")
    session = os.environ.get("XDG_RUNTIME_DIR")
    short = Path("/tmp") / f"workbench-{os.getuid()}"  # noqa: S108 - checked below: ours, closed, not a link
    candidates = [Path(asked)] if asked else [Path(session) / "workbench"] if session and Path(session).is_dir() else []
    candidates += [Path(tempfile.gettempdir()) / f"workbench-{os.getuid()}", short]
    return next((each for each in candidates if len(os.fsencode(each)) <= LONGEST), short)


def runtime_folder() -> Path:
    """Return the folder of sockets, made when absent: of this user, open to nobody else.

    Raises
    ------
    PermissionError
        When what is there belongs to another, is a link, or is open to others; other errors of the system.
    """
    folder = runtime_path()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.lstat()
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "il est à un autre, ou d'autres y entrent", str(folder))
    return folder


def sockets_folder() -> Path:
    """Return a new folder for the sockets of one kernel, closed to others; who asks removes it.

    Those of processes that are gone without having removed theirs are removed first.
    """
    folder = runtime_folder()
    for each in folder.glob("p*-*"):
        owner = each.name[1:].partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists() and Path("/proc/self").exists():
            shutil.rmtree(each, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"p{os.getpid()}-", dir=folder))


def address_of(preload: Iterable[str], environment: Mapping[str, str]) -> Address:
    """Return the zygote that serves kernels of these variables, started or not.

    Parameters
    ----------
    preload
        Modules to import.
    environment
        Variables of the kernel.
    """
    preload = tuple(preload)
    started_with = _zygote_environment(environment)
    facts = [sys.executable, sys.version, sys.prefix, list(sys.warnoptions), preload, started_with, _code()]
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return Address(runtime_folder(), name, preload, started_with)


def _zygote_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Keep what imports may read, nothing that may be a secret."""
    kept = {
        name: value
        for name, value in environment.items()
        if name.startswith((*STARTUP_PREFIXES, "LC_"))
        or name in {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "VIRTUAL_ENV"}
    }
    return {**with_package(kept), **QUIET_LIBRARIES}


def with_package(environment: Mapping[str, str]) -> dict[str, str]:
    """Return variables with which an interpreter finds this very package, installed or not."""
    if PACKAGE.parent.name in {"site-packages", "dist-packages"}:
        return dict(environment)
    entries = [str(PACKAGE.parent), *environment.get("PYTHONPATH", "").split(os.pathsep)]
    return {**environment, "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, entries)))}


def _code() -> list[object]:
    """Describe the code of the package and what is installed beside it, without reading it."""
    described: list[object] = [
        [str(entry), Path(entry).stat().st_mtime_ns] for entry in sys.path if entry.endswith("-packages")
    ]
    pending = [str(PACKAGE)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in sorted(entries, key=lambda each: each.name):
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "__pycache__":
                        pending.append(entry.path)
                elif entry.name.endswith((".py", ".yaml", ".json", ".lark", ".js", ".css")):
                    state = entry.stat()
                    described.append([entry.path, state.st_mtime_ns, state.st_size])
    return described
