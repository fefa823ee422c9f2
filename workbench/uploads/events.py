"""What arrived, one JSON line a file, appended durably: what batches read to know what is new.

A line is written just before its file becomes visible, and may be written twice when a stop came between; readers take
an identifier once, as `read_events` does.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.uploads.hooks import Arrival, HookError
from workbench.uploads.outcome import now_text
from workbench.uploads.writer import sync_folder

__all__ = ["Event", "EventLog", "read_events"]


@dataclass(frozen=True)
class Event:
    """A file that was transmitted.

    Parameters
    ----------
    id
        Of the upload.
    at
        When, in UTC, ISO 8601.
    space
        Whose it is.
    private
        Whether it is for that space alone.
    path
        Where its bytes are; ``.info`` is beside.
    size
        In bytes.
    metadata
        As in ``.info``: ``filename``, ``batch``…
    after
        Where to read on from, in bytes of the log.
    """

    id: str
    at: str
    space: str
    private: bool
    path: Path
    size: int
    metadata: dict[str, str]
    after: int


class EventLog:
    """A hook that appends to the log of what arrived.

    Parameters
    ----------
    path
        Its file; many processes may append to it.
    """

    name = "evenement"
    once = False

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, arrival: Arrival) -> None:
        """Append a line; when this returns it is on the disk."""
        info = arrival.info
        line = {
            "id": info.identifier,
            "at": now_text(),
            "space": info.space,
            "private": info.private,
            "path": str(arrival.place.absolute()),
            "size": info.size,
            "metadata": info.metadata,
        }
        try:
            self._append(json.dumps(line, ensure_ascii=True).encode() + b"\n")
        except OSError as error:
            raise HookError("son arrivée n'a pas pu être inscrite", f"{self.path} : {error.strerror}") from error

    def _append(self, line: bytes) -> None:
        new = not self.path.exists()
        opened = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            end = os.fstat(opened).st_size
            # A stop in the middle of a line leaves its beginning: it is of no file, and would spoil the next one.
            while end and os.pread(opened, 1, end - 1) != b"\n":
                end -= 1
            os.ftruncate(opened, end)
            done = 0
            try:
                while done < len(line):
                    done += os.pwrite(opened, line[done:], end + done)
            finally:
                if done < len(line):
                    os.ftruncate(opened, end)
            os.fsync(opened)
        finally:
            os.close(opened)
        if new:
            sync_folder(self.path.parent)


def read_events(path: Path, after: int = 0) -> Iterator[Event]:
    """Yield what arrived, in order, each file once.

    Parameters
    ----------
    path
        The log.
    after
        `Event.after` of the last event that was dealt with; 0 for all.

    Examples
    --------
    >>> import tempfile
    >>> list(read_events(Path(tempfile.mkdtemp()) / "evenements.ndjson"))
    []
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    seen: set[str] = set()
    with file:
        file.seek(after)
        for line in file:
            after += len(line)
            if not line.endswith(b"\n"):
                return  # being written
            content = json.loads(line)
            if content["id"] not in seen:
                seen.add(content["id"])
                yield Event(**{**content, "path": Path(content["path"]), "after": after})
