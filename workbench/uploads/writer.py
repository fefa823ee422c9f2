"""One upload open for writing, by one process at a time.

The length of the data file *is* the offset, and nothing is acknowledged before `Writer.commit`: what it says is on the
disk. Without it a power loss may take the end of the file, never what precedes, on file systems that write data before
lengths (ext4 as it comes, XFS, Btrfs, ZFS). Where bytes must match a checksum, a file ``<id>.verified`` says how far
they did: what a stop left beyond is cut off, nobody acknowledged it.

The lock is the kernel's, on the data file: it ends with the process, whatever ends it.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.uploads.info import Info
from workbench.uploads.protocol import Checksum

__all__ = ["Writer", "sync_folder", "write_durably"]


class Writer:
    """An upload that this process alone may change until it is closed.

    Parameters
    ----------
    info
        What is known of the upload.
    path
        Its data file.
    verified
        Where it is told how far bytes were verified, for an upload that has checksums.

    Raises
    ------
    WorkbenchError
        ``depot_occupe`` when another writer has it, ``depot_inconnu`` when it is no more.
    """

    def __init__(self, info: Info, path: Path, verified: Path) -> None:
        self.info = info
        self.path = path
        self._verified = verified
        self._sum: Any = None
        self._checksum: Checksum | None = None
        self._guard = threading.Lock()  # a thread may still write when its request is given up
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            raise WorkbenchError("depot_inconnu") from error
        try:
            self._take()
        except BaseException:
            os.close(self._file)
            raise

    def _take(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorkbenchError("depot_occupe") from error
        if os.fstat(self._file).st_nlink == 0:
            raise WorkbenchError("depot_inconnu")
        self.offset = os.fstat(self._file).st_size
        self._tells = False
        try:
            kept = int(self._verified.read_text(encoding="ascii"))
        except FileNotFoundError:
            pass
        except ValueError as error:
            raise WorkbenchError("depot_illisible", envoi=self.info.identifier, cause="son .verified") from error
        else:
            self._tells = True
            self._cut(kept)
        self._start = self.offset

    @property
    def changed(self) -> datetime:
        """When the last byte came."""
        return datetime.fromtimestamp(os.fstat(self._file).st_mtime, UTC)

    @property
    def complete(self) -> bool:
        """Whether every byte is there."""
        return self.info.size is not None and self.offset >= self.info.size

    def begin(self, checksum: Checksum | None) -> None:
        """Begin the bytes of one request."""
        with self._guard:
            self._start = self.offset
            if checksum is not None:
                if not self._tells:
                    write_durably(self._verified, f"{self.offset:020}")
                    self._tells = True
                self._checksum, self._sum = checksum, checksum.new()
            elif self._tells:
                self._verified.unlink()
                sync_folder(self._verified.parent)
                self._tells = False

    def append(self, pieces: Sequence[bytes]) -> None:
        """Write bytes at the end.

        Raises
        ------
        OSError
            What the disk refuses; `offset` counts what was written nevertheless.
        """
        with self._guard:
            for piece in pieces:
                if self._sum is not None:
                    self._sum.update(piece)
            left = [memoryview(piece) for piece in pieces if piece]
            while left:
                written = os.pwritev(self._file, left[:_MOST_PIECES], self.offset)
                self.offset += written
                while left and written >= len(left[0]):
                    written -= len(left.pop(0))
                if left and written:
                    left[0] = left[0][written:]

    def settle(self) -> None:
        """Put on the disk what came so far, while more is written: less is left to wait for at the end."""
        with self._guard:
            file = os.dup(self._file)
        try:
            os.fdatasync(file)
        finally:
            os.close(file)

    def commit(self) -> int:
        """Put on the disk what came, and return the offset, which may be acknowledged.

        Raises
        ------
        WorkbenchError
            ``depot_somme``: the bytes are not those of the checksum, and were cut off.
        """
        with self._guard:
            if self._checksum is not None and not hmac.compare_digest(self._sum.digest(), self._checksum.digest):
                self._discard()
                raise WorkbenchError("depot_somme")
            os.fdatasync(self._file)
            if self._checksum is not None:
                self._tell()
            self._checksum = self._sum = None
            return self.offset

    def _tell(self) -> None:
        if self.complete:
            self._verified.unlink()  # a stop may bring it back: it then says what is true
            self._tells = False
            return
        opened = os.open(self._verified, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.pwrite(opened, f"{self.offset:020}".encode(), 0)
            os.fdatasync(opened)
        finally:
            os.close(opened)

    def discard(self) -> None:
        """Cut off what came since `begin`."""
        with self._guard:
            self._discard()

    def give_up(self) -> None:
        """Keep what came before a request was cut, unless its checksum can no more be told."""
        with self._guard:
            if self._checksum is not None:
                self._discard()
            else:
                os.fdatasync(self._file)

    def _discard(self) -> None:
        self._cut(self._start)
        self._checksum = self._sum = None

    def _cut(self, length: int) -> None:
        if length < self.offset:
            os.ftruncate(self._file, length)
            self.offset = length
            os.fsync(self._file)

    def close(self) -> None:
        """Let others write."""
        with self._guard:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_MOST_PIECES = 512  # of the 1024 that Linux takes at once


def sync_folder(folder: Path) -> None:
    """Put the names of a folder on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_durably(path: Path, text: str) -> None:
    """Write a small file of which a power loss leaves the old content or the new, whole."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        opened = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)
