"""Files as values: a workbook, a page, kept once whoever publishes it, read by the rule of the property that holds it.

A first-level property written ``{"$file": {"name", "type", "content"}}``, its content in base64, is kept as
``{"$file": {"name", "type", "bytes", "sha256"}}``, the content apart. A content is asked for by the key of its object
and the name of the property, never by its digest; a property that gives a digest instead of a content is refused.
So who sees the property reads the file, and knowing a digest gives nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from workbench.errors import WorkbenchError
from workbench.store.tables import FILE, PROPERTY_FILE

__all__ = ["FILE_NAME", "LARGEST_FILE", "StoredFile", "add_files", "file_property", "taken_files"]

FILE_NAME = "$file"
"""The only member of a value that is a file."""

LARGEST_FILE = 32 * 1024 * 1024
"""Bytes of a file: it passes through memory."""

_KIND = re.compile(r"[a-z]+/[a-zA-Z0-9.+-]{1,100}")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\"]')


@dataclass(frozen=True)
class StoredFile:
    """A file that was published.

    Parameters
    ----------
    name
        Its name, without folder.
    kind
        Its media type.
    content
        Its bytes.
    """

    name: str
    kind: str
    content: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """The digest of the content."""
        return hashlib.sha256(self.content).hexdigest()


def file_property(content: bytes | Path, name: str, kind: str = "application/octet-stream") -> dict[str, Any]:
    """Write the value of a property that is a file, for `Store.put` and `Client.put`.

    Examples
    --------
    >>> file_property(b"a;b", "liste.csv", "text/csv")
    {'$file': {'name': 'liste.csv', 'type': 'text/csv', 'content': 'YTti'}}
    """
    whole = content.read_bytes() if isinstance(content, Path) else content
    return {FILE_NAME: {"name": name, "type": kind, "content": base64.b64encode(whole).decode()}}


def taken_files(value: Mapping[str, Any], place: str) -> tuple[dict[str, Any], dict[str, StoredFile]]:
    """Part a value from the contents of its files.

    Returns
    -------
    tuple
        The value, its files described; the files, by property.

    Raises
    ------
    WorkbenchError
        ``objet_invalide``, ``fichier_trop_long``.

    Examples
    --------
    >>> value, files = taken_files({"a": 1, "liste": file_property(b"a;b", "liste.csv", "text/csv")}, "[0]")
    >>> value["liste"]["$file"]["bytes"], files["liste"].content
    (3, b'a;b')
    """
    described, files = dict(value), {}
    for name, given in value.items():
        if isinstance(given, Mapping) and FILE_NAME in given:
            files[name] = found = _file(given, place)
            facts = {"name": found.name, "type": found.kind, "bytes": len(found.content), "sha256": found.sha256}
            described[name] = {FILE_NAME: facts}
    return described, files


def _file(given: Mapping[str, Any], place: str) -> StoredFile:
    facts = given[FILE_NAME]
    if len(given) > 1 or not isinstance(facts, Mapping) or set(facts) != {"name", "type", "content"}:
        raise _refused(place, "un fichier s'écrit {$file: {name, type, content}}")
    name, kind, content = facts["name"], facts["type"], facts["content"]
    if not isinstance(name, str) or not 0 < len(name) <= 200 or _FORBIDDEN.search(name) or name in (".", ".."):
        raise _refused(place, "un fichier a un nom impossible")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise _refused(place, "un fichier a un nom impossible") from None
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise _refused(place, f"le type du fichier {name} n'en est pas un")
    if not isinstance(content, str):
        raise _refused(place, f"le contenu du fichier {name} n'est pas un texte")
    if len(content) > LARGEST_FILE * 4 // 3 + 4:
        raise WorkbenchError("fichier_trop_long", fichier=name, taille=LARGEST_FILE // 1024**2)
    try:
        whole = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise _refused(place, f"le contenu du fichier {name} n'est pas en base64") from None
    if len(whole) > LARGEST_FILE:
        raise WorkbenchError("fichier_trop_long", fichier=name, taille=LARGEST_FILE // 1024**2)
    return StoredFile(name, kind, whole)


def _refused(place: str, cause: str) -> WorkbenchError:
    return WorkbenchError("objet_invalide", endroit=place, cause=cause)


def add_files(connection: Connection, files: Sequence[tuple[int, int, Mapping[str, StoredFile]]]) -> None:
    """Keep the files of sheets, given as (object, sheet, files by property): a content is kept once."""
    contents = {bytes.fromhex(each.sha256): each.content for _, _, named in files for each in named.values()}
    if not contents:
        return
    new = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    # In one order whoever writes: two writers of the same contents never cross.
    for mark in sorted(contents):
        if connection.execute(select(FILE.c.id).where(FILE.c.digest == mark)).first() is None:
            row = new(FILE).values(digest=mark, content=zlib.compress(contents[mark]))
            connection.execute(row.on_conflict_do_nothing())
    numbers = {
        bytes(mark): number
        for mark, number in connection.execute(
            select(FILE.c.digest, FILE.c.id).where(FILE.c.digest.in_(list(contents)))
        )
    }
    links = [
        {"object_id": object_id, "name": name, "sheet_id": sheet_id, "file_id": numbers[bytes.fromhex(each.sha256)]}
        for object_id, sheet_id, named in files
        for name, each in named.items()
    ]
    connection.execute(insert(PROPERTY_FILE), links)


def content_of(packed: bytes) -> bytes:
    """Return a content as it was given."""
    return zlib.decompress(packed)
