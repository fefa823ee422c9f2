"""Where a DuckDB base lives: numbered snapshot files and a symbolic link to the current one.

``base.duckdb`` is a relative link to ``base.duckdb.d/00000007.duckdb``. A writer fills a copy in
``base.duckdb.d/.import`` and, once it is closed, moves it to its number and swaps the link: two
renames, so a reader finds either the old snapshot or the new one. A regular file found at the
link's place is read as it is and becomes the first snapshot at the first import.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from workbench.engines.duckdb import DuckDBEngine, DuckDBWriter
from workbench.engines.interface import Snapshot
from workbench.errors import WorkbenchError

__all__ = ["DuckDBStore"]

_NUMBER = re.compile(r"[0-9]{8}")


class DuckDBStore:
    """The snapshots of one DuckDB base.

    Parameters
    ----------
    url
        Path of the base as the user wrote it, relative to the current folder or absolute; a
        leading ``duckdb:///`` is dropped.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.path = Path(os.path.abspath(url.removeprefix("duckdb:///")))  # noqa: PTH100 - resolve() would follow the link
        self.folder = self.path.with_name(self.path.name + ".d")
        self._work = self.folder / ".import"

    def exists(self) -> bool:
        """Whether something has been published here."""
        return self.path.exists()

    def open(self, snapshot: str | None = None) -> tuple[DuckDBEngine, str]:
        """Open a reader on a snapshot, the current one by default, and say which it is."""
        if snapshot is None:
            if not self.exists():
                raise WorkbenchError("base_absente", chemin=self.url)
            # Resolved once: this reader keeps its file whatever is published afterwards.
            target = self.path.resolve()
        else:
            target = self._file(snapshot)
            if not _NUMBER.fullmatch(snapshot) or not target.exists():
                known = ", ".join(each.id for each in self.snapshots()) or "aucun"
                raise WorkbenchError("snapshot_absent", snapshot=snapshot, chemin=self.url, connus=known)
        if not target.is_file():
            raise WorkbenchError("base_illisible", chemin=self.url, detail="ce chemin est un dossier")
        return DuckDBEngine(target, self.url), self._id(target)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other writers out; raises ``import_en_cours`` when one is at work."""
        if not self.path.parent.is_dir():
            raise WorkbenchError("dossier_absent", dossier=str(Path(self.url).parent))
        with self._files():
            self.folder.mkdir(exist_ok=True)
            handle = (self.folder / ".verrou").open("a")
        with handle:
            try:
                # The system frees this lock when the process ends, however it ends.
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise WorkbenchError("import_en_cours", chemin=self.url) from error
            yield

    @contextmanager
    def write(self) -> Iterator[DuckDBWriter]:
        """Give a writer on a copy of the current snapshot, published when the block ends well."""
        copy = self._work / "base.duckdb"
        try:
            with self._files():
                # What an interrupted import left behind.
                shutil.rmtree(self._work, ignore_errors=True)
                self._work.mkdir(parents=True)
                if self.exists():
                    self._adopt()
                    _with_journal(shutil.copyfile, self.path.resolve(), copy)
            writer = DuckDBWriter(copy, self.url)
            try:
                yield writer
                writer.checkpoint()
            finally:
                writer.close()
            with self._files():
                self._publish(copy)
        finally:
            shutil.rmtree(self._work, ignore_errors=True)

    @contextmanager
    def _files(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise WorkbenchError("base_non_inscriptible", chemin=self.url, detail=error.strerror) from error

    def snapshots(self) -> list[Snapshot]:
        """List the snapshots, oldest first."""
        current = self.path.resolve() if self.path.exists() else None
        files = [self.path] if current == self.path else []
        files += sorted(each for each in self.folder.glob("*.duckdb") if _NUMBER.fullmatch(each.stem))
        return [
            Snapshot(
                id=self._id(each),
                date=datetime.fromtimestamp(each.stat().st_mtime, UTC),
                size=each.stat().st_size,
                current=each == current,
            )
            for each in files
        ]

    def prune(self, keep: int) -> list[str]:
        """Remove all but the ``keep`` latest and the current one; return what was removed."""
        if keep < 1:
            raise WorkbenchError("snapshots_a_garder", nombre=keep)
        with self.lock():
            numbered = [each for each in self.snapshots() if _NUMBER.fullmatch(each.id)]
            removed = [each.id for each in numbered[:-keep] if not each.current]
            for each in removed:
                self._file(each).unlink()
                _journal(self._file(each)).unlink(missing_ok=True)
        return removed

    def _file(self, snapshot: str) -> Path:
        return self.folder / f"{snapshot}.duckdb"

    def _id(self, file: Path) -> str:
        return file.stem if file.parent == self.folder.resolve() and _NUMBER.fullmatch(file.stem) else file.name

    def _next_file(self) -> Path:
        numbers = [int(each.stem) for each in self.folder.glob("*.duckdb") if _NUMBER.fullmatch(each.stem)]
        return self._file(f"{max(numbers, default=0) + 1:08d}")

    def _adopt(self) -> None:
        """Make a regular file the first snapshot, without a moment when the base is absent."""
        if self.path.is_symlink():
            return
        DuckDBEngine(self.path, self.url).close()
        first = self._next_file()
        _with_journal(lambda source, target: Path(target).hardlink_to(source), self.path, first)
        self._point(first)
        _journal(self.path).unlink(missing_ok=True)

    def _publish(self, copy: Path) -> None:
        target = self._next_file()
        _synchronise(copy)
        copy.rename(target)
        self._point(target)

    def _point(self, target: Path) -> None:
        link = self._work / "lien"
        link.symlink_to(Path(self.folder.name) / target.name)
        link.replace(self.path)
        _synchronise(self.folder)
        _synchronise(self.path.parent)


def _journal(file: Path) -> Path:
    return file.with_name(file.name + ".wal")


def _with_journal(copy: Callable[[Path, Path], object], source: Path, target: Path) -> None:
    """Copy a database file and the journal that a crash may have left beside it."""
    copy(source, target)
    if _journal(source).exists():
        copy(_journal(source), _journal(target))


def _synchronise(path: Path) -> None:
    """Wait until a file or folder is on the disk, so that a power cut cannot undo the order of renames."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
