"""Where the files of a Spark base are: a folder, or a prefix of an object store.

A folder gives what a store of objects does not: a lock that the system frees when its process ends,
and a hold on a snapshot. On objects, two writers are told apart when they publish, and what was
pruned is removed a day later.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyarrow import fs

from workbench.engines.spark_address import STORES, SparkAddress
from workbench.errors import WorkbenchError

__all__ = ["Folder", "Hold", "ObjectStore", "Place", "open_place"]

_GRACE = timedelta(days=1)
"""How long a reader of an object store may go on with a snapshot that was pruned."""


class Hold:
    """A lock on a file that many may share; let go when it is closed, or forgotten.

    Parameters
    ----------
    descriptor
        Of the file, already locked.
    """

    def __init__(self, descriptor: int) -> None:
        self.close = weakref.finalize(self, os.close, descriptor)


class Place:
    """Files by their names inside a base, names using slashes.

    Parameters
    ----------
    files
        A file system of pyarrow; processes elsewhere receive a copy of it.
    root
        Path of the base in it.
    url
        What the user calls the base.
    """

    def __init__(self, files: fs.FileSystem, root: str, url: str) -> None:
        self.files = files
        self.root = root.rstrip("/")
        self.url = url

    def path(self, name: str) -> str:
        """Path of a file for pyarrow."""
        return f"{self.root}/{name}"

    @contextmanager
    def errors(self, code: str = "base_non_inscriptible") -> Iterator[None]:
        """Say in words what the system refuses."""
        try:
            yield
        except OSError as error:
            raise WorkbenchError(code, chemin=self.url, detail=error.strerror or str(error).split("\n")[0]) from error

    def read(self, name: str) -> bytes | None:
        """Return the content of a small file, None when it is not there."""
        try:
            with self.files.open_input_stream(self.path(name)) as stream:
                content: bytes = stream.read()
                return content
        except FileNotFoundError:
            return None

    def names(self, folder: str = "") -> list[str]:
        """Return the names directly inside a folder, sorted."""
        where = self.path(folder).rstrip("/")
        found = self.files.get_file_info(fs.FileSelector(where, allow_not_found=True))
        return sorted(each.base_name for each in found)

    def size(self, name: str) -> int:
        """Bytes of a file."""
        return int(self.files.get_file_info(self.path(name)).size or 0)

    def modified(self, name: str) -> datetime:
        """When a file was written."""
        when = self.files.get_file_info(self.path(name)).mtime
        return when if isinstance(when, datetime) else datetime.now(UTC)

    def remove(self, name: str) -> None:
        """Remove a file or a folder and all in it; nothing when it is not there."""
        kind = self.files.get_file_info(self.path(name)).type
        if kind == fs.FileType.Directory:
            self.files.delete_dir(self.path(name))
        elif kind != fs.FileType.NotFound:
            self.files.delete_file(self.path(name))

    def open(self, name: str) -> Any:
        """Open a new file for writing; its folder is made."""
        path = self.path(name)
        self.files.create_dir(path.rpartition("/")[0], recursive=True)
        return self.files.open_output_stream(path)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all."""
        with self.open(name) as stream:
            stream.write(content)

    def rename(self, name: str, to: str) -> None:
        """Give a file another name."""
        self.files.move(self.path(name), self.path(to))

    def finish(self, name: str) -> None:
        """Wait until a file is where no power cut reaches it."""

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other writers out where the place can."""
        yield

    def hold(self, name: str) -> Hold | None:  # noqa: ARG002
        """Keep a file from being taken for one that nobody reads."""
        return None

    def held(self, name: str) -> bool:
        """Whether somebody may still read what this file describes."""
        return datetime.now(UTC) - self.modified(name) < _GRACE


class ObjectStore(Place):
    """A prefix of an object store."""


class Folder(Place):
    """A folder of this machine, or one that all machines see."""

    def _local(self, name: str = "") -> Path:
        return Path(self.root, name)

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole or not at all."""
        target = self._local(name)
        target.parent.mkdir(exist_ok=True)
        work = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            work.write_bytes(content)
            _synchronise(work)
            work.replace(target)
            _synchronise(target.parent)
        finally:
            work.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file or a folder and all in it; nothing when it is not there."""
        path = self._local(name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def finish(self, name: str) -> None:
        """Wait until a file is on the disk."""
        _synchronise(self._local(name))

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other writers out; raises ``import_en_cours`` when one is at work."""
        if not self._local().parent.is_dir():
            raise WorkbenchError("dossier_absent", dossier=str(self._local().parent))
        with self.errors():
            self._local().mkdir(exist_ok=True)
            handle = self._local(".verrou").open("a")
        with handle:
            try:
                # The system frees this lock when the process ends, however it ends.
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise WorkbenchError("import_en_cours", chemin=self.url) from error
            yield

    def hold(self, name: str) -> Hold | None:
        """Keep a file from being taken for one that nobody reads; raises FileNotFoundError."""
        descriptor = os.open(self._local(name), os.O_RDONLY)
        with contextlib.suppress(OSError):
            # Some shared file systems have no locks: pruning there spares no reader.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return Hold(descriptor)

    def held(self, name: str) -> bool:
        """Whether somebody reads what this file describes."""
        with self._local(name).open("rb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False


def open_place(address: SparkAddress) -> Place:
    """Return the place that an address names.

    Raises
    ------
    WorkbenchError
        ``base_illisible`` when the object store does not answer to this address.
    """
    if address.store is None:
        return Folder(fs.LocalFileSystem(), address.place, address.public)
    scheme, _, rest = address.place.partition("://")
    known = {"s3a": "s3", "gcs": "gs", "abfss": "abfs"}.get(scheme, scheme)
    try:
        files, root = fs.FileSystem.from_uri(f"{known}://{rest}")
    except (OSError, ValueError) as error:
        detail = str(error).split("\n", 1)[0]
        raise WorkbenchError("base_illisible", chemin=address.public, detail=detail) from error
    return ObjectStore(files, root, address.public)


def spark_path(address: SparkAddress, name: str) -> str:
    """Return a file of a base as Spark calls it: never a pattern, never the cluster's default file system."""
    scheme, _, rest = address.place.partition("://")
    path = f"{STORES[scheme]}://{rest}/{name}" if address.store else f"file://{address.place}/{name}"
    return "".join("\\" + letter if letter in "{}[]*?\\^" else letter for letter in path)


def _synchronise(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
