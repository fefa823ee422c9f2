"""Where a Spark base lives: snapshots of parquet files at a place, read by a session of Spark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from workbench.engines.duckdb import DuckDBWriter
from workbench.engines.interface import Snapshot, Writer
from workbench.engines.spark_address import read_address
from workbench.engines.spark_place import open_place
from workbench.engines.spark_session import require_spark
from workbench.engines.spark_snapshots import Snapshots
from workbench.engines.spark_writer import SparkWriter
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.engines.spark import SparkEngine

__all__ = ["SparkStore"]


class SparkStore:
    """The snapshots of one Spark base; only reading one starts Spark.

    Parameters
    ----------
    url
        ``spark:///folder?master=local[4]``; see `workbench.engines.spark_address`.
    """

    def __init__(self, url: str) -> None:
        self.address = read_address(url)
        self.url = self.address.public
        self._place = open_place(self.address)
        self._snapshots = Snapshots(self._place)

    def __reduce__(self) -> tuple[type[SparkStore], tuple[str]]:
        return SparkStore, (self.url,)

    def exists(self) -> bool:
        """Whether something has been published here."""
        with self._place.errors("base_illisible"):
            return self._snapshots.current() is not None

    def open(self, snapshot: str | None = None) -> tuple[SparkEngine, str]:
        """Open a reader on a snapshot, the current one by default, and say which it is."""
        require_spark()
        from workbench.engines.spark import SparkEngine

        with self._place.errors("base_illisible"):
            while True:
                number = self._chosen(snapshot)
                try:
                    # From here on pruning waits for this reader; it may have come just before.
                    held = self._snapshots.hold(number)
                    tables, mark = self._snapshots.read(number), self._snapshots.mark(number)
                except FileNotFoundError:
                    continue
                return SparkEngine(self.address, self._place, tables, held, mark), number

    def _chosen(self, snapshot: str | None) -> str:
        if snapshot is None:
            current = self._snapshots.current()
            if current is None:
                raise WorkbenchError("base_absente", chemin=self.url)
            if current not in self._snapshots.known():
                detail = f"l'état {current}, courant, n'est plus là"
                raise WorkbenchError("base_illisible", chemin=self.url, detail=detail)
            return current
        known = self._snapshots.known()
        if snapshot not in known:
            said = ", ".join(known) or "aucun"
            raise WorkbenchError("snapshot_absent", snapshot=snapshot, chemin=self.url, connus=said)
        return snapshot

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other writers out; raises ``import_en_cours`` when one is at work."""
        with self._place.lock():
            yield

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """Give a writer of the next snapshot, published when the block ends well."""
        current = self._snapshots.current()
        before = {} if current is None else self._snapshots.read(current)
        with self._place.errors():
            number = self._snapshots.begin()
        try:
            with TemporaryDirectory(prefix="workbench-") as folder:
                stage = DuckDBWriter(Path(folder) / "chargement.duckdb", self.url)
                writer = SparkWriter(self._snapshots, stage, before)
                try:
                    yield writer
                    with self._place.errors():
                        tables = writer.written(number)
                finally:
                    writer.close()
            with self._place.errors():
                self._snapshots.publish(number, tables, current)
        except BaseException:
            with self._place.errors():
                if number not in self._snapshots.known():
                    self._place.remove(number)
            raise

    def snapshots(self) -> list[Snapshot]:
        """List the snapshots, oldest first."""
        with self._place.errors("base_illisible"):
            return self._snapshots.described()

    def prune(self, keep: int) -> list[str]:
        """Remove all but the ``keep`` latest and the current one; return what was removed."""
        if keep < 1:
            raise WorkbenchError("snapshots_a_garder", nombre=keep)
        with self.lock(), self._place.errors():
            return self._snapshots.prune(keep)
