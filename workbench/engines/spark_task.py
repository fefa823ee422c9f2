"""What runs on the machines of a Spark cluster: a function, or a statement, over the rows of a few parquet files.

A task is one row: the names of its files, and what was given for the keys in them. Files are read
here, by pyarrow, so that rows do not pass through the JVM; results go back as opaque bytes, one
Arrow stream a batch, for the same reason. Statements are run by DuckDB, as the driver runs those on
small tables.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import dataset, fs, parquet

from workbench.engines.interface import GroupFunction

__all__ = ["RESULT", "MapFiles", "RunStatements", "packed", "unpacked"]

RESULT = "numero bigint, rang bigint, lot binary"
"""What a task gives: its number, the number of the batch, the batch."""

_FEW = 200
"""Keys below which a file is read by the row groups that hold them."""


@dataclass(frozen=True)
class MapFiles:
    """The work of a task; travels to the executors.

    Parameters
    ----------
    files
        The file system of the base.
    key
        The column that files are sorted by.
    columns
        What is read.
    function
        What is called on the rows of each task.
    """

    files: fs.FileSystem
    key: str
    columns: tuple[str, ...]
    function: GroupFunction

    def __call__(self, tasks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Do tasks one after the other."""
        for batch in tasks:
            for task in batch.to_pylist():
                given = unpacked(task["donnees"]).combine_chunks()
                rows = self._rows(json.loads(task["fichiers"]), given)
                for rank, result in enumerate(self.function(rows, given)):
                    yield _result(task["numero"], rank, result)

    def _rows(self, names: Sequence[str], given: pa.Table) -> pa.Table:
        keys = given.column(0).unique().to_pylist()
        parts = []
        for name in names:
            with self.files.open_input_file(name) as stream:
                file = parquet.ParquetFile(stream, read_dictionary=[self.key, *self.columns])
                groups = list(range(file.metadata.num_row_groups))
                if len(keys) < _FEW:
                    groups = [group for group in groups if _holds(file, group, self.key, keys)]
                parts.append(file.read_row_groups(groups, columns=list(self.columns)))
        return pa.concat_tables(parts).unify_dictionaries()


@dataclass(frozen=True)
class RunStatements:
    """The work of a task that is a statement; travels to the executors.

    Parameters
    ----------
    files
        The file system of the base.
    """

    files: fs.FileSystem

    def __call__(self, tasks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Do tasks one after the other."""
        # Tasks that are functions do without.
        from workbench.engines.duckdb import fetch_given

        for batch in tasks:
            for task in batch.to_pylist():
                asked = json.loads(task["fichiers"])
                given = {each["nom"]: unpacked(each["lignes"]) for each in unpacked(task["donnees"]).to_pylist()}
                read = {each["nom"]: self._rows(each, asked["premier"], asked["dernier"]) for each in asked["tables"]}
                yield _result(task["numero"], 0, fetch_given(asked["texte"], asked["valeurs"], {**read, **given}))

    def _rows(self, stored: Mapping[str, Any], first: str, last: str) -> pa.Table:
        schema = unpacked(base64.b64decode(stored["schema"])).schema
        key = stored["cle"]
        between = None if key is None else (dataset.field(key) >= first) & (dataset.field(key) <= last)
        parts = [
            parquet.read_table(name, filesystem=self.files, schema=schema, filters=between)
            for name in stored["fichiers"]
        ]
        return pa.concat_tables(parts) if parts else schema.empty_table()


def _result(number: int, rank: int, rows: pa.RecordBatch | pa.Table) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "numero": pa.array([number], pa.int64()),
            "rang": pa.array([rank], pa.int64()),
            "lot": pa.array([packed(rows)], pa.binary()),
        }
    )


def _holds(file: parquet.ParquetFile, group: int, key: str, keys: Sequence[str]) -> bool:
    """Whether a row group may hold one of the keys."""
    place = file.schema_arrow.get_field_index(key)
    statistics = file.metadata.row_group(group).column(place).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    return any(statistics.min <= each <= statistics.max for each in keys)


def packed(rows: pa.RecordBatch | pa.Table) -> bytes:
    """Return rows as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write(rows)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def unpacked(content: bytes) -> pa.Table:
    """Return rows from bytes."""
    with pa.ipc.open_stream(content) as reader:
        return reader.read_all()
