"""Values of each collectivité on the disk: a parquet or CSV file, or a table of a DuckDB file, whole or absent."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from pyarrow import csv, parquet

from workbench.dgfip import Base, Perimetre
from workbench.dgfip.schema import metadata
from workbench.engines import table_names, writing_table
from workbench.engines.arrow_types import without_dictionaries
from workbench.errors import WorkbenchError
from workbench.evaluation.each import Layout, Progress, evaluate_each_batches
from workbench.evaluation.evaluate import OF_THE_TRAME, NomenclatureFilter
from workbench.trames import Trame

__all__ = ["TABLE", "write_each"]

TABLE = "valeurs"
"""The table of a DuckDB file, unless another is named."""

_DUCKDB = ".duckdb"
_FILES = (".parquet", ".csv")


class _Sink(Protocol):
    def write(self, batch: pa.RecordBatch) -> None: ...


class _StoppedError(Exception):
    """The caller told the evaluation to stop: what was written must not take its place."""


def write_each(
    trame: Trame,
    base: Base,
    to: str | Path,
    perimetre: Perimetre | None = None,
    exercices: Iterable[int | str] | int | str = (),
    *,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
    layout: Layout = "wide",
    table: str | None = None,
    progress: Progress | None = None,
) -> int:
    """Evaluate a trame for every collectivité and write the values to a parquet or CSV file or a DuckDB table.

    Memory does not grow with the base. The values take their place once they are whole; what was
    there before stays when the evaluation fails, is stopped or interrupted (Ctrl-C), and nothing of the
    unfinished work is left.

    Parameters
    ----------
    trame, base, perimetre, exercices, nomenclature, layout, progress
        As for `evaluate_each_batches`; an evaluation that ``progress`` stops writes nothing.
    to
        Path of the file, in an existing folder, that ends with ``.parquet``, ``.csv`` (a comma, a
        decimal point, UTF-8) or ``.duckdb``, which receives a table and keeps its others.
    table
        The table of a DuckDB file, ``valeurs`` by default; one of the same name is replaced.

    Returns
    -------
    int
        Number of rows written; 0 when the evaluation was stopped.

    Raises
    ------
    WorkbenchError
        ``valeurs_extension``; ``valeurs_ecriture`` when the file cannot be written; ``table_nom``,
        ``table_sans_fichier`` for a table that cannot be; ``valeurs_dans_la_base`` for an accounting base;
        ``base_illisible`` when it is no DuckDB file, or another process is writing it; and as
        `evaluate_each`.

    Examples
    --------
    >>> import tempfile
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = write_each(trame, base, f"{folder}/valeurs.parquet", exercices=range(2020, 2100))
    ...     again = write_each(trame, base, f"{folder}/valeurs.duckdb", exercices=range(2020, 2100), table="essai")
    >>> rows == again > 0
    True
    """
    target = Path(to)
    name = _table_of(target, table)
    stopped = False

    def watched(done: int, total: int) -> bool | None:
        nonlocal stopped
        answer = progress(done, total) if progress is not None else None
        # Said before the last batch only: once all is computed, nothing is left to stop.
        stopped = answer is False and done < total
        return answer

    batches = evaluate_each_batches(
        trame, base, perimetre, exercices, nomenclature=nomenclature, layout=layout, progress=watched
    )
    schema = _schema(layout, [indicateur.code for indicateur in trame.indicateurs])
    rows = 0
    try:
        with writing_table(target, name, schema, str(to)) if name else _file(target, schema) as sink:
            for batch in _unless(batches, lambda: stopped):
                sink.write(batch)
                rows += batch.num_rows
    except _StoppedError:
        return 0
    except OSError as error:
        raise WorkbenchError("valeurs_ecriture", chemin=str(to), detail=error.strerror or str(error)) from error
    return rows


def _unless(batches: Iterator[pa.RecordBatch], stopped: Callable[[], bool]) -> Iterator[pa.RecordBatch]:
    """The batches; raises at the end of those of an evaluation that was stopped."""
    yield from batches
    if stopped():
        raise _StoppedError


def _table_of(target: Path, table: str | None) -> str | None:
    """The table to write, None for another file; what cannot be is refused before anything is computed."""
    if target.suffix.lower() != _DUCKDB:
        if target.suffix.lower() not in _FILES:
            raise WorkbenchError("valeurs_extension", chemin=str(target))
        if table is not None:
            raise WorkbenchError("table_sans_fichier", chemin=str(target))
        return None
    name = table or TABLE
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name):
        raise WorkbenchError("table_nom", nom=name[:80])
    # Labels came later: a base without them is one all the same.
    if target.exists() and set(metadata.tables) - {"references"} <= table_names(target, str(target)):
        raise WorkbenchError("valeurs_dans_la_base", chemin=str(target))
    return name


@contextmanager
def _file(target: Path, schema: pa.Schema) -> Iterator[_Sink]:
    """Give what receives rows; they become the file once the block ends well."""
    work: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".valeurs-", delete=False) as file:
            work = Path(file.name)
            if target.suffix.lower() == ".csv":
                with csv.CSVWriter(file, without_dictionaries(schema)) as lines:
                    yield _CsvSink(lines)
            else:
                with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                    yield _ParquetSink(writer)
        work.chmod(0o644)
        work.replace(target)
    finally:
        if work is not None:
            work.unlink(missing_ok=True)


class _ParquetSink:
    def __init__(self, writer: parquet.ParquetWriter) -> None:
        self.writer = writer

    def write(self, batch: pa.RecordBatch) -> None:
        self.writer.write_batch(batch)


class _CsvSink:
    def __init__(self, writer: csv.CSVWriter) -> None:
        self.writer = writer

    def write(self, batch: pa.RecordBatch) -> None:
        self.writer.write_batch(batch.cast(without_dictionaries(batch.schema)))


def _schema(layout: Layout, codes: list[str]) -> pa.Schema:
    siret, exercice = ("siret", pa.dictionary(pa.int32(), pa.string())), ("exercice", pa.int16())
    if layout == "wide":
        return pa.schema([siret, exercice, *((code, pa.float64()) for code in codes)])
    return pa.schema([siret, exercice, ("indicateur", siret[1]), ("value", pa.float64())])
