"""What a backup says of itself, written last: a folder without it is no backup."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["FORMAT", "NAME", "Manifest", "SavedFile", "hash_of", "read_manifest", "verify", "write_manifest"]

FORMAT = 1
NAME = "manifeste.json"
PART = 1024 * 1024


@dataclass(frozen=True)
class SavedFile:
    """A file of a backup.

    Parameters
    ----------
    path
        Inside the backup, its parts separated by ``/``.
    size
        Bytes.
    sha256
        Of its content.
    mode
        Rights, as ``chmod`` takes them.
    same
        Path of the file that it is another name of; empty for none.
    """

    path: str
    size: int
    sha256: str
    mode: int
    same: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds.

    Parameters
    ----------
    product
        Version of the software.
    started, ended
        UTC, ISO 8601: what was acknowledged before the first is in the backup.
    registry
        ``kind`` of the copy, and ``revisions`` of the rooms.
    bases
        By name: ``kind`` and, of a file, ``snapshot``.
    places
        Folders that were saved, by name, and where they were.
    remarks
        What was not saved, and why; French.
    figures
        What a restored base must give again: ``trame``, ``siret``, ``exercices`` and ``values`` by indicateur.
    files
        Every file.
    """

    product: str
    started: str
    ended: str
    registry: Mapping[str, Any]
    bases: Mapping[str, Mapping[str, Any]]
    places: Mapping[str, str]
    remarks: Sequence[str]
    figures: Sequence[Mapping[str, Any]]
    files: Sequence[SavedFile] = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(each.size for each in self.files if not each.same)


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file.

    Examples
    --------
    >>> hash_of(Path("/dev/null"))[:12]
    'e3b0c44298fc'
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(PART):
            digest.update(part)
    return digest.hexdigest()


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it, with its own hash."""
    content = {"format": FORMAT, **asdict(manifest)}
    path = folder / NAME
    with path.open("w", encoding="utf-8") as file:
        json.dump(content | {"digest": _digest(content)}, file, ensure_ascii=False, indent=1, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o600)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup.

    Raises
    ------
    WorkbenchError
        ``sauvegarde_illisible`` when there is none or it was changed; ``sauvegarde_recente`` when later software wrote
        it.
    """
    try:
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
        digest, written = content.pop("digest"), content["format"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkbenchError("sauvegarde_illisible", chemin=folder) from error
    if isinstance(written, int) and written > FORMAT:
        raise WorkbenchError("sauvegarde_recente", chemin=folder)
    if _digest(content) != digest:
        raise WorkbenchError("sauvegarde_illisible", chemin=folder)
    del content["format"]
    files = tuple(SavedFile(**each) for each in content.pop("files"))
    for each in files:
        for path in (each.path, each.same or each.path):
            parts = PurePosixPath(path).parts
            if PurePosixPath(path).is_absolute() or ".." in parts or not parts:
                raise WorkbenchError("sauvegarde_illisible", chemin=folder)
    return Manifest(**content, files=files)


def verify(folder: Path, manifest: Manifest) -> None:
    """Read every file of a backup again.

    Raises
    ------
    WorkbenchError
        ``sauvegarde_abimee``, which names the first that is not what was saved.
    """
    for each in manifest.files:
        path = folder / each.path
        try:
            sound = not path.is_symlink() and path.stat().st_size == each.size and hash_of(path) == each.sha256
        except OSError:
            sound = False
        if not sound:
            raise WorkbenchError("sauvegarde_abimee", chemin=folder, fichier=each.path)
