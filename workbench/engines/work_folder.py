"""A folder for work in progress, gone with it: at the end, or at the next work where a process was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["work_folder"]


@contextmanager
def work_folder(parent: Path | None = None, prefix: str = "workbench-import-") -> Iterator[Path]:
    """Give a folder of one's own, after removing those whose processes ended without doing so.

    Parameters
    ----------
    parent
        Where; the system's folder of temporary files by default.
    prefix
        How the names of such folders begin.

    Yields
    ------
    pathlib.Path
        An empty folder, removed when the block ends unless it was moved away.

    Examples
    --------
    >>> with work_folder() as folder:
    ...     folder.is_dir()
    True
    >>> folder.exists()
    False
    """
    parent = parent or Path(tempfile.gettempdir())
    for each in parent.glob(f"{prefix}*"):
        _remove_abandoned(each)
    folder, descriptor = _locked(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _locked(parent: Path, prefix: str) -> tuple[Path, int]:
    """Make a folder and hold it; the system lets go of it when the process ends, however it ends."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        descriptor = _hold(folder)
        if descriptor is not None:
            if folder.exists():
                return folder, descriptor
            # Another process took it for abandoned, just before it was held.
            os.close(descriptor)


def _hold(folder: Path) -> int | None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned(folder: Path) -> None:
    with suppress(OSError):
        if folder.lstat().st_uid != os.geteuid():
            return
        descriptor = _hold(folder)
        if descriptor is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)
