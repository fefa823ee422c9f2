"""Files that are either the old one or the new one, never half of each."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from workbench.errors import WorkbenchError

__all__ = ["replace_file"]


def replace_file(path: Path, content: bytes, trame: str) -> None:
    """Write a file beside its target, then rename it over the target.

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
    target = path.resolve()
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        cause = "le dossier n'existe pas" if not target.parent.is_dir() else (error.strerror or str(error))
        raise WorkbenchError("trame_ecriture", trame=trame, chemin=path, cause=cause) from error


def _umask() -> int:
    """Read the rights that new files do not get; the system only tells them while setting them."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
