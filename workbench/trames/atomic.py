"""Writing the files of trames."""

from __future__ import annotations

from pathlib import Path

from workbench.atomic import replacing
from workbench.errors import WorkbenchError, require_kind

__all__ = ["replace_file", "trame_path"]


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
