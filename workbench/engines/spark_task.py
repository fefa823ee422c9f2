"""What runs on the machines of a Spark cluster: a function over the rows of a few parquet files.

A task is one row: the names of its files, and what was given for the keys in them. Files are read
here, by pyarrow, so that rows do not pass through the JVM; results go back as opaque bytes, one
Arrow stream a batch, for the same reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import fs, parquet

from workbench.engines.interface import GroupFunction

__all__ = ["RESULT", "MapFiles", "packed", "unpacked"]

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
                    yield pa.record_batch(
                        {
                            "numero": pa.array([task["numero"]], pa.int64()),
                            "rang": pa.array([rank], pa.int64()),
                            "lot": pa.array([packed(result)], pa.binary()),
                        }
                    )

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
