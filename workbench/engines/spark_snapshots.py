"""How a Spark base keeps its snapshots: parquet files that never change, and what each snapshot reads.

::

    comptes/                        the place
        courant.json                the current snapshot
        00000007/etat.json          what snapshot 7 reads: tables, columns, files, bounds of their keys
        00000007/balances/*.parquet the files that it brought; 8 may read them too

``etat.json`` is written once all files are there and ``courant.json`` last, each whole or not at
all, so a reader finds either the old snapshot or the new one. A pruned snapshot that someone reads
is renamed ``oublie.json``: it is listed no more, and its files go at the next pruning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pyarrow as pa
from pyarrow import compute, parquet

from workbench.engines.interface import Snapshot
from workbench.engines.spark_place import Hold, Place
from workbench.errors import WorkbenchError

__all__ = ["TYPES", "DataFile", "Snapshots", "StoredTable"]

_NUMBER = re.compile(r"[0-9]{8}")
_FORMAT = 1
_LINES_OF_FILE = 500_000
"""Rows after which the next change of key begins another file: the work of one task, about a second."""
_LINES_OF_GROUP = 65_536

TYPES = {
    "string": pa.string(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
}
"""Types of columns by their names in ``etat.json``."""


@dataclass(frozen=True)
class DataFile:
    """One parquet file.

    Parameters
    ----------
    name
        Inside the place.
    rows, size
        Rows and bytes.
    first, last
        Smallest and largest key, for a table that is sorted; no key is in two files.
    """

    name: str
    rows: int
    size: int
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True)
class StoredTable:
    """A table as a snapshot reads it.

    Parameters
    ----------
    columns
        Names and types (`TYPES`).
    files
        In the order of their keys.
    order
        The columns that rows are sorted by; empty for a table in no order.
    """

    columns: tuple[tuple[str, str], ...]
    files: tuple[DataFile, ...]
    order: tuple[str, ...] = ()

    @property
    def key(self) -> str | None:
        """The column whose rows are kept together, None for a table in no order."""
        return self.order[0] if self.order else None

    @property
    def schema(self) -> pa.Schema:
        """Columns as Arrow types."""
        return pa.schema([(name, TYPES[kind]) for name, kind in self.columns])


class Snapshots:
    """The snapshots at a place.

    Parameters
    ----------
    place
        Where the base is.
    """

    def __init__(self, place: Place) -> None:
        self.place = place

    def current(self) -> str | None:
        """The snapshot that readers open, None when nothing has been published."""
        content = self.place.read("courant.json")
        return None if content is None else str(self._parsed(content)["etat"])

    def known(self) -> list[str]:
        """The snapshots that can be opened, oldest first."""
        numbers = [name for name in self.place.names() if _NUMBER.fullmatch(name)]
        return [number for number in numbers if "etat.json" in self.place.names(number)]

    def described(self) -> list[Snapshot]:
        """Describe the snapshots, oldest first."""
        current = self.current()
        found = []
        for number in self.known():
            content = self.place.read(f"{number}/etat.json")
            if content is not None:
                said = self._parsed(content)
                size = sum(file["size"] for table in said["tables"].values() for file in table["files"])
                date = datetime.fromisoformat(said["date"])
                found.append(Snapshot(number, date, size + len(content), number == current))
        return found

    def hold(self, number: str) -> Hold | None:
        """Keep a snapshot from being removed; raises FileNotFoundError when it is gone."""
        return self.place.hold(f"{number}/etat.json")

    def read(self, number: str) -> dict[str, StoredTable]:
        """Return the tables of a snapshot.

        Raises
        ------
        WorkbenchError
            ``base_illisible`` when what it reads is described otherwise than this version writes.
        FileNotFoundError
            When it is gone.
        """
        return self._tables(f"{number}/etat.json")

    def mark(self, number: str) -> str:
        """Return what tells a snapshot from any other: its date to the microsecond, its files, their sizes.

        Raises
        ------
        FileNotFoundError
            When it is gone.
        """
        name = f"{number}/etat.json"
        content = self.place.read(name)
        if content is None:
            raise FileNotFoundError(name)
        return sha256(content).hexdigest()

    def _tables(self, name: str) -> dict[str, StoredTable]:
        content = self.place.read(name)
        if content is None:
            raise FileNotFoundError(name)
        said = self._parsed(content)
        try:
            if said["format"] != _FORMAT:
                raise WorkbenchError("base_illisible", chemin=self.place.url, detail=f"format {said['format']} inconnu")
            return {
                table: StoredTable(
                    tuple((str(column), str(kind)) for column, kind in each["columns"]),
                    tuple(DataFile(**file) for file in each["files"]),
                    tuple(str(column) for column in each["order"]),
                )
                for table, each in said["tables"].items()
            }
        except (KeyError, TypeError, ValueError) as error:
            raise WorkbenchError("base_illisible", chemin=self.place.url, detail=name) from error

    def _parsed(self, content: bytes) -> Any:
        try:
            return json.loads(content)
        except ValueError as error:
            detail = "un fichier json est abîmé"
            raise WorkbenchError("base_illisible", chemin=self.place.url, detail=detail) from error

    def begin(self) -> str:
        """Return the number of the next snapshot, after removing what an interrupted import left."""
        numbers = [name for name in self.place.names() if _NUMBER.fullmatch(name)]
        for number in numbers:
            if not {"etat.json", "oublie.json"} & set(self.place.names(number)) and not self._used(number):
                self.place.remove(number)
        # Pruned numbers may live on with their readers: they are not given again.
        return f"{max((int(number) for number in numbers), default=0) + 1:08d}"

    def _used(self, number: str) -> bool:
        return any(name.startswith(f"{number}/") for name in self._referred())

    def _referred(self) -> set[str]:
        """The files that some snapshot reads, those that are forgotten but still read included."""
        found = set()
        for number in (name for name in self.place.names() if _NUMBER.fullmatch(name)):
            for name in {"etat.json", "oublie.json"} & set(self.place.names(number)):
                tables = self._tables(f"{number}/{name}").values()
                found |= {file.name for table in tables for file in table.files}
        return found

    def write_table(self, number: str, name: str, rows: pa.RecordBatchReader, order: tuple[str, ...]) -> StoredTable:
        """Write the rows of a table into files, cut where the key changes.

        Parameters
        ----------
        number, name
            The snapshot being written and the table.
        rows
            In this order; read batch by batch.
        order
            Columns, the first of them the key: text without nulls; empty for a table in no order.
        """
        key = order[0] if order else None
        files: list[DataFile] = []
        for part in _parts(rows, key):
            file = f"{number}/{name}/{len(files):06d}.parquet"
            with self.place.open(file) as stream:
                parquet.write_table(part, stream, compression="zstd", row_group_size=_LINES_OF_GROUP)
            self.place.finish(file)
            ends = (part[key][0].as_py(), part[key][-1].as_py()) if key else (None, None)
            files.append(DataFile(file, part.num_rows, self.place.size(file), *ends))
        kinds = {kind: kind_name for kind_name, kind in TYPES.items()}
        return StoredTable(tuple((field.name, kinds[field.type]) for field in rows.schema), tuple(files), order)

    def publish(self, number: str, tables: dict[str, StoredTable], before: str | None) -> None:
        """Make a snapshot the current one.

        Raises
        ------
        WorkbenchError
            ``import_en_cours`` when another writer published since ``before`` was the current one.
        """
        date = datetime.now(UTC).isoformat(timespec="microseconds")
        said = {"format": _FORMAT, "date": date, "tables": {name: asdict(table) for name, table in tables.items()}}
        content = json.dumps(said, ensure_ascii=False, indent=1).encode()
        if self.current() != before or self.place.read(f"{number}/etat.json") is not None:
            raise WorkbenchError("import_en_cours", chemin=self.place.url)
        self.place.write(f"{number}/etat.json", content)
        self.place.write("courant.json", json.dumps({"etat": number}).encode())

    def prune(self, keep: int) -> list[str]:
        """Remove all but the ``keep`` latest and the current one; return which."""
        current = self.current()
        removed = [number for number in self.known()[:-keep] if number != current]
        for number in removed:
            self.place.rename(f"{number}/etat.json", f"{number}/oublie.json")
        self._sweep()
        return removed

    def _sweep(self) -> None:
        numbers = [name for name in self.place.names() if _NUMBER.fullmatch(name)]
        for number in numbers:
            if "oublie.json" in self.place.names(number) and not self.place.held(f"{number}/oublie.json"):
                self.place.remove(f"{number}/oublie.json")
        referred = self._referred()
        for number in numbers:
            described = False
            for name in self.place.names(number):
                if name in {"etat.json", "oublie.json"}:
                    described = True
                    continue
                kept = [file for file in self.place.names(f"{number}/{name}") if f"{number}/{name}/{file}" in referred]
                described |= bool(kept)
                for file in self.place.names(f"{number}/{name}") if kept else ():
                    if file not in kept:
                        self.place.remove(f"{number}/{name}/{file}")
                if not kept:
                    self.place.remove(f"{number}/{name}")
            if not described:
                self.place.remove(number)


def _parts(rows: pa.RecordBatchReader, key: str | None) -> Iterator[pa.Table]:
    """Cut a stream of rows where the key changes, a few hundred thousand rows at a time."""
    waiting = rows.schema.empty_table()
    for batch in rows:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        while waiting.num_rows > 2 * _LINES_OF_FILE:
            cut = _LINES_OF_FILE
            if key is not None:
                cut = _end_of_key(waiting[key], cut)
                if cut == waiting.num_rows:
                    # One key for all that waits: its end has not come yet.
                    break
            yield waiting.slice(0, cut)
            waiting = waiting.slice(cut)
    if waiting.num_rows:
        yield waiting


def _end_of_key(column: pa.ChunkedArray, place: int) -> int:
    """The place after the last row that has the same key as the row before ``place``."""
    same = compute.equal(column.slice(place - 1), column[place - 1])
    end = compute.index(same, False).as_py()
    return len(column) if end < 0 else place - 1 + int(end)
