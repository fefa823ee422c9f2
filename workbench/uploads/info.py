"""What is known of an upload: its ``.info``, read and written as tusd does."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["Info"]


@dataclass(frozen=True)
class Info:
    """One upload.

    Parameters
    ----------
    identifier
        Random; drawn by the server.
    size
        Bytes of the whole file; None while it is not told.
    metadata
        Texts by name; ``goup-path`` and ``email`` are the server's.

    Examples
    --------
    >>> info = Info("0f", 5, {"filename": "a.csv", "private": "true", "goup-path": "urssaf"})
    >>> info.private, info.space, info.filename
    (True, 'urssaf', 'a.csv')
    """

    identifier: str
    size: int | None
    metadata: dict[str, str]

    @property
    def space(self) -> str:
        """The space that it belongs to."""
        return self.metadata.get("goup-path", "")

    @property
    def email(self) -> str:
        """Whose upload it is; empty when unknown."""
        return self.metadata.get("email", "")

    @property
    def filename(self) -> str:
        """The name that the client gives the file: a text, never a path of ours."""
        return self.metadata.get("filename", "")

    @property
    def private(self) -> bool:
        """Whether it is for its space alone: the metadata say exactly ``true`` (specification, 1.3)."""
        return self.metadata.get("private") == "true"

    def of_size(self, size: int) -> Info:
        """Return the same upload, its size told."""
        return replace(self, size=size)

    def to_json(self, path: Path | None = None) -> str:
        """Write the content of ``.info``; with the place of the data, as later versions of tusd do."""
        content: dict[str, Any] = {
            "ID": self.identifier,
            "Size": self.size or 0,
            "SizeIsDeferred": self.size is None,
            "Offset": 0,
            "MetaData": self.metadata,
            "IsPartial": False,
            "IsFinal": False,
            "PartialUploads": None,
        }
        if path is not None:
            content["Storage"] = {"Path": str(path), "Type": "filestore"}
        return json.dumps(content, ensure_ascii=False)

    @classmethod
    def from_json(cls, identifier: str, text: str) -> Info:
        """Read the content of ``.info``.

        Raises
        ------
        WorkbenchError
            ``depot_illisible``.
        """
        try:
            content = json.loads(text)
            deferred, size, metadata = content["SizeIsDeferred"], content["Size"], content["MetaData"] or {}
            right = content["ID"] == identifier and isinstance(deferred, bool) and isinstance(metadata, dict)
            right = right and type(size) is int and size >= 0
            right = right and all(isinstance(value, str) for value in metadata.values())
        except (ValueError, TypeError, KeyError) as error:
            raise WorkbenchError("depot_illisible", envoi=identifier, cause=str(error)[:100]) from error
        if not right:
            raise WorkbenchError("depot_illisible", envoi=identifier, cause="son .info n'a pas la forme attendue")
        return cls(identifier, None if deferred else size, metadata)
