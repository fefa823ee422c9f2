"""Writing the files of trames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.atomic import replacing
from workbench.errors import WorkbenchError, require_kind

__all__ = ["alone_in", "replace_file", "trame_path"]


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder while its files are compared and written: other sessions wait, in this process and in others.

    Where the system or the file system has no such lock, nothing is held; comparing before writing remains.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def trame_path(path: object) -> Path:
    """Return the path of a trame's file; raise WorkbenchError for what is no path."""
    require_kind(path, (str, Path), "path", "le chemin d'un fichier", 'Par exemple "trames/m14_basique.yaml".')
    return Path(str(path))


def replace_file(path: Path, content: bytes, trame: str) -> None:
    """Put a file in its place in one step.

    Parameters
    ----------
    path
        The target; a symbolic link is followed, so that the link stays one. Its rights are kept when it exists.
    content
        The whole content.
    trame
        Code of the trame, for the error.

    Raises
    ------
    WorkbenchError
        When the folder is missing or refuses; the target is as it was.
    """
    if not path.resolve().parent.is_dir():
        raise WorkbenchError("trame_ecriture", trame=trame, chemin=path, cause="le dossier n'existe pas")
    try:
        with replacing(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise WorkbenchError("trame_ecriture", trame=trame, chemin=path, cause=error.strerror or str(error)) from error
