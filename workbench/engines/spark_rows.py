"""Rows that executors read from parquet and make ready, kept where they are: the driver sees counts and samples.

A function is given all the rows of some keys at once, as an Arrow table, and returns rows of numbers. It runs on the
executors, where this code is installed; what it refuses comes back as a text in the column `REFUSAL`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset

from workbench.engines.spark_session import session_of
from workbench.errors import WorkbenchError

__all__ = ["REFUSAL", "SparkRows", "spark_failure"]

REFUSAL = "refus"

BUCKET = 250_000
"""Rows given to the function at once, more or less: keys are spread over buckets of that many."""

RowFunction = Callable[[pa.Table], pa.Table]


def spark_failure(error: Exception, master: str | None) -> WorkbenchError:
    """Say what Spark refused, in its first line."""
    detail = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return WorkbenchError("requete_refusee", chemin=master or "Spark", detail=detail[:300])


class SparkRows:
    """Rows on the executors.

    Parameters
    ----------
    master
        As Spark writes it; None for the session that runs, else ``local[*]``.
    paths
        Files or folders of parquet, which the driver and the executors reach by the same names.
    columns
        What is read of them.
    key
        Column of texts; fourteen digits are a SIRET, whose key is its SIREN. A key's rows are seen together.
    function
        From rows of the files to rows of `schema`.
    schema
        Of the function's rows: `REFUSAL`, whatever marks them, and float32 columns.
    """

    def __init__(
        self,
        master: str | None,
        paths: Sequence[str | Path],
        columns: Sequence[str],
        key: str,
        function: RowFunction,
        schema: pa.Schema,
    ) -> None:
        self._master = master
        session = session_of(master)
        from pyspark import StorageLevel
        from pyspark.sql import functions as sql
        from pyspark.sql.pandas.types import from_arrow_schema

        self._sql = sql
        try:
            frames, rows = [], 0
            for path in paths:
                found = pyarrow.dataset.dataset(str(path), format="parquet", partitioning="hive")
                rows += found.count_rows()
                reader = session.read.option("basePath", str(path)) if Path(path).is_dir() else session.read
                frame = reader.parquet(*found.files)
                frames.append(frame.select([sql.col(f"`{name}`") for name in columns if name in frame.columns]))
            frame = frames[0]
            for other in frames[1:]:
                frame = frame.unionByName(other, allowMissingColumns=True)
            text = sql.col(f"`{key}`").cast("string")
            company = sql.when(text.rlike("^[0-9]{14}$"), sql.substring(text, 1, 9)).otherwise(text)
            buckets = max(rows // BUCKET + 1, session.sparkContext.defaultParallelism)
            bucket = sql.pmod(sql.xxhash64(company), sql.lit(buckets))

            def of_bucket(table: pa.Table) -> pa.Table:
                # Spark counts the arguments of a function, and those of an object wrongly.
                return function(table)

            made = frame.groupBy(bucket).applyInArrow(of_bucket, schema=from_arrow_schema(schema))
            self.frame = made.persist(StorageLevel.DISK_ONLY)
            refused = self.frame.where(sql.col(REFUSAL).isNotNull()).select(REFUSAL).limit(1).collect()
        except (OSError, pa.ArrowException) as error:
            listed = ", ".join(map(str, paths))
            raise WorkbenchError("fichier_illisible", fichier=listed, detail=str(error).splitlines()[0]) from error
        except Exception as error:  # errors of Spark and of py4j have no common class
            raise spark_failure(error, master) from error
        self.refusal: str | None = refused[0][0] if refused else None

    def __enter__(self) -> SparkRows:
        return self

    def __exit__(self, *_: object) -> None:
        self.frame.unpersist()

    def where(self, **marks: int) -> Any:
        """Return the rows that have some marks, as Spark's frame."""
        frame = self.frame
        for name, value in marks.items():
            frame = frame.where(self._sql.col(name) == value)
        return frame

    def described(self, frame: Any, mark: str, key: str, month: str) -> dict[str, Any]:
        """Return rows, marked rows, keys, first and last months, and what tells the rows from others."""
        sql = self._sql
        names = [name for name in frame.columns if name != REFUSAL]
        row = sql.xxhash64(*[sql.col(name) for name in names])
        found = self._done(
            lambda: frame.agg(
                sql.count("*").alias("rows"),
                sql.sum((sql.col(mark) == 1).cast("int")).alias("marked"),
                sql.countDistinct(key).alias("keys"),
                sql.min(month).alias("first"),
                sql.max(month).alias("last"),
                sql.sum(row.cast("decimal(38,0)")).alias("sum"),
                sql.bit_xor(row).alias("xor"),
            ).first()
        )
        return dict(found.asDict())

    def on_two_sides(self, key: str, side: str) -> list[str]:
        """Return some keys that rows of several sides have."""
        sql = self._sql
        frame = self.frame.groupBy(key).agg(sql.countDistinct(side).alias("sides")).where("sides > 1").limit(3)
        return [row[0] for row in self._done(frame.collect)]

    def taken(self, frame: Any, keys: Sequence[str], *, one_in: int = 1) -> pa.Table:
        """Bring rows to the driver: all, or one in some, the same whatever the cluster."""
        sql = self._sql
        if one_in > 1:
            frame = frame.where(sql.pmod(sql.xxhash64(*keys), sql.lit(one_in)) == 0)
        found: pa.Table = self._done(frame.toArrow)
        return found.sort_by([(key, "ascending") for key in keys])

    def medians(self, frame: Any, names: Sequence[str]) -> tuple[float, ...]:
        """Return the median of each column of float32, of the values known; 0 where none is.

        Exact, in two passes: the halves of the bits of a float32 are counted one after the other.
        """
        high = self._counts(frame, names, {})
        wanted: dict[int, list[tuple[int, int]]] = {}
        for place in range(len(names)):
            bins, counts = high.get(place, (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)))
            below = np.cumsum(counts)
            total = int(below[-1]) if len(below) else 0
            for rank in sorted({(total - 1) // 2, total // 2}) if total else []:
                chosen = int(np.searchsorted(below, rank, side="right"))
                wanted.setdefault(place, []).append((int(bins[chosen]), rank - int(below[chosen] - counts[chosen])))
        low = self._counts(
            frame, names, {place: sorted({each[0] for each in found}) for place, found in wanted.items()}
        )
        medians = []
        for place in range(len(names)):
            middle = []
            for high_bits, rank in wanted.get(place, []):
                bins, counts = low[place * 65_536 + high_bits]
                key = (high_bits << 16) | int(bins[int(np.searchsorted(np.cumsum(counts), rank, side="right"))])
                middle.append(_float_of(key))
            medians.append(float(np.median(np.array(middle, dtype=np.float32))) if middle else 0.0)
        return tuple(medians)

    def _counts(
        self, frame: Any, names: Sequence[str], inside: dict[int, list[int]]
    ) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Count the high halves of the values' bits by column, or the low halves of those with some high halves."""
        sql = self._sql
        counted = frame.select(*names).mapInArrow(_Counter(inside), "groupe bigint, rang int, nombre bigint")
        found = self._done(counted.groupBy("groupe", "rang").agg(sql.sum("nombre").alias("nombre")).toArrow)
        groups, ranks, counts = (found.column(name).to_numpy() for name in ("groupe", "rang", "nombre"))
        order = np.lexsort((ranks, groups))
        groups, ranks, counts = groups[order], ranks[order].astype(np.int64), counts[order]
        limits = np.flatnonzero(np.diff(groups, prepend=-1))
        pairs = zip(limits, np.append(limits[1:], len(groups)), strict=True)
        return {int(groups[start]): (ranks[start:end], counts[start:end]) for start, end in pairs}

    def _done(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:  # errors of Spark and of py4j have no common class
            raise spark_failure(error, self._master) from error


class _Counter:
    """Counts of halves of bits; travels to the executors."""

    def __init__(self, inside: dict[int, list[int]]) -> None:
        self.inside = inside

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counts: dict[int, np.ndarray] = {}
        for batch in batches:
            for place, column in enumerate(batch.columns):
                values = column.to_numpy(zero_copy_only=False).astype(np.float32, copy=False)
                keys = _keys_of(values[~np.isnan(values)])
                high, low = keys >> np.uint32(16), keys & np.uint32(0xFFFF)
                if not self.inside:
                    counts[place] = counts.get(place, 0) + np.bincount(high, minlength=65_536)
                    continue
                for bits in self.inside.get(place, ()):
                    group = place * 65_536 + bits
                    counts[group] = counts.get(group, 0) + np.bincount(low[high == bits], minlength=65_536)
        for group, found in counts.items():
            ranks = np.flatnonzero(found)
            yield pa.record_batch(
                {
                    "groupe": pa.array(np.full(len(ranks), group, dtype=np.int64)),
                    "rang": pa.array(ranks.astype(np.int32)),
                    "nombre": pa.array(found[ranks].astype(np.int64)),
                }
            )


def _keys_of(values: np.ndarray) -> np.ndarray:
    """Return whole numbers in the order of the values."""
    bits = (values + np.float32(0)).view(np.uint32)
    found: np.ndarray = np.where(bits >> np.uint32(31), ~bits, bits | np.uint32(0x80000000))
    return found


def _float_of(key: int) -> np.float32:
    bits = key ^ 0x80000000 if key >> 31 else key ^ 0xFFFFFFFF
    found: np.float32 = np.array([bits], dtype=np.uint32).view(np.float32)[0]
    return found
