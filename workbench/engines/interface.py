"""What every engine offers; no engine knows what its rows mean.

Three roles. A `Store` is the place where a base lives: it opens readers, gives one writer at a
time, and keeps snapshots. An `Engine` reads one snapshot. A `Writer` reads files, fills tables and
publishes them all at once, or nothing. An engine that computes on several machines is a `Mapper`
besides: work goes to the rows, and not the rows to the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa
from sqlalchemy import Executable, FromClause, Table

from workbench.engines.limits import Cancellation

__all__ = ["Engine", "FileSource", "GroupFunction", "Mapper", "QueryEngine", "Snapshot", "Store", "Task", "Writer"]


class Engine(Protocol):
    """An open door to one store of tables.

    Statements are SQLAlchemy Core expressions with bound values; results are Arrow tables, so that
    no difference of dialect or driver reaches the caller.
    """

    url: str
    mark: str
    """Tells this snapshot from any other that ever bore its number; empty where its content alone does."""

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads.

        Parameters
        ----------
        statement
            A select; may name the keys of ``tables`` as tables. Its execution option ``narrowed_by``,
            table to (key of ``tables``, column), says that the rows of a sorted table whose key is
            not there do not matter; an engine may use it or not.
        tables
            Arrow tables visible to this statement only.

        Returns
        -------
        pyarrow.Table
            Integers as int64, text as string, NULL as null.
        """
        ...

    def tables(self) -> set[str]:
        """Return the names of the tables of the snapshot."""
        ...

    def columns(self) -> dict[str, set[str]]:
        """Return the names of the columns of each table of the snapshot."""
        ...

    def close(self) -> None:
        """Give back the connection; closing twice does nothing."""
        ...


@runtime_checkable
class QueryEngine(Engine, Protocol):
    """An engine that people question freely: each query has a time limit and can be stopped."""

    def written(self, statement: Executable) -> tuple[str, list[Any]]:
        """Return the text of a statement as this engine runs it, and its bound values in order."""
        ...

    def fetch_within(
        self,
        statement: Executable,
        seconds: float,
        cancellation: Cancellation | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Run a statement that reads, as `Engine.fetch`, within a time.

        Raises
        ------
        WorkbenchError
            ``requete_trop_longue``, ``requete_annulee`` and those of `Engine.fetch`.
        KeyboardInterrupt
            When Ctrl-C stopped it.
        """
        ...

    def fetch_text(
        self,
        text: str,
        parameters: Sequence[Any],
        rows: int,
        seconds: float,
        cancellation: Cancellation | None = None,
    ) -> tuple[pa.Table, bool]:
        """Run a text that a person wrote, in a session of its own that can do nothing but read.

        The engine itself judges the text: one statement, that reads, without files nor settings.

        Parameters
        ----------
        text
            One statement; values are ``$1``, ``$2``…
        parameters
            Those values, in order.
        rows
            Most rows to give.
        seconds, cancellation
            Limits.

        Returns
        -------
        tuple of pyarrow.Table and bool
            The rows, and whether there were more.

        Raises
        ------
        WorkbenchError
            ``sql_vide``, ``sql_plusieurs``, ``sql_interdite``, ``sql_incorrecte``, ``sql_valeurs``,
            ``sql_role``, ``requete_trop_longue``, ``requete_annulee``.
        """
        ...


GroupFunction = Callable[[pa.Table, pa.Table], Iterable[pa.RecordBatch]]
"""Takes the rows of some groups and what was given for these groups; gives batches."""


@dataclass(frozen=True)
class Task:
    """One of the statements that an engine runs where its rows are, each by itself.

    Parameters
    ----------
    statement
        A select, as for `Engine.fetch`.
    tables
        Arrow tables visible to it only.
    first, last
        Keys: of sorted tables, it reads the rows between these only.
    """

    statement: Executable
    tables: Mapping[str, pa.Table]
    first: str
    last: str


@runtime_checkable
class Mapper(Protocol):
    """What an engine offers besides when it computes where its rows are."""

    def map_groups(
        self, table: str, columns: Sequence[str], given: pa.Table, function: GroupFunction
    ) -> Iterator[pa.RecordBatch]:
        """Run a function over the rows of a table, groups of one key being kept whole.

        Parameters
        ----------
        table
            One that is sorted by a key (``info["sorted_by"]`` of its description).
        columns
            What the function reads of it.
        given
            Rows of the caller's, sorted by their first column, which holds keys; only the groups of
            these keys are wanted.
        function
            Called elsewhere, so it must pickle. It gets rows in their order, those of some other keys
            among them, and the given rows of the same span of keys.

        Yields
        ------
        pyarrow.RecordBatch
            What the function gives, in the order of the keys; closing the iterator stops the work.
        """
        ...

    def map_statements(self, tasks: Iterable[Task]) -> Iterator[pa.Table]:
        """Run statements, several at the same time, each over the rows of its own span of keys.

        Parameters
        ----------
        tasks
            What to run; taken as there is room.

        Yields
        ------
        pyarrow.Table
            What each gives, in their order, with the types of `Engine.fetch`; closing the iterator stops the work.
        """
        ...


@dataclass(frozen=True)
class Snapshot:
    """One state of a base, kept as an import left it.

    Parameters
    ----------
    id
        Its number on eight digits, ``00000001`` for the first.
    date
        When it was written, UTC.
    size
        Bytes.
    current
        Whether readers that name no snapshot open this one.
    """

    id: str
    date: datetime
    size: int
    current: bool


@dataclass(frozen=True)
class FileSource:
    """A file of rows, described so fully that an engine guesses nothing.

    Parameters
    ----------
    path
        An existing file.
    columns
        Names given to the columns, in the file's order.
    types
        Physical type of each column, in DuckDB's words; text for a delimited file.
    kind
        ``csv`` or ``parquet``.
    delimiter, quote, null
        Of a delimited file; an empty quote means that quotes are ordinary characters.
    header
        Whether the first line holds names, to be skipped.
    gzip
        Whether the file is compressed.
    ordered
        Whether rows must come in the file's order, at the price of one thread.
    """

    path: Path
    columns: tuple[str, ...]
    types: tuple[str, ...]
    kind: str = "csv"
    delimiter: str = ";"
    quote: str = '"'
    null: str = ""
    header: bool = True
    gzip: bool = False
    ordered: bool = False


class Writer(Engine, Protocol):
    """An engine that fills the next snapshot; readers see nothing of it before it is published.

    It works in two times. First it loads: statements see the rows of `source` and what was loaded
    so far, and whether they see older rows of the base is left to the engine; a delete touches both.
    After `loaded` they see the whole base, new rows included, and no file any more.
    """

    remote: bool
    """Whether rows reach readers through a network: what spares them rows is then worth keeping."""

    def create(self, tables: Iterable[Table]) -> None:
        """Create the tables that do not exist yet, and add the columns that the others lack."""
        ...

    def drop(self, tables: Iterable[Table]) -> None:
        """Drop tables that exist."""
        ...

    def execute(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> int:
        """Run a statement that writes; return the number of rows it touched."""
        ...

    def source(self, file: FileSource) -> FromClause:
        """Return the rows of a file as something to select from, read when the statement runs."""
        ...

    def loaded(self) -> None:
        """Go from loading to publishing: what was loaded is in the base from here on.

        The end of `Store.write` does it for who did not; doing it twice does nothing.
        """
        ...


class Store(Protocol):
    """The place where a base lives."""

    url: str

    def exists(self) -> bool:
        """Whether something has been published here."""
        ...

    def open(self, snapshot: str | None = None) -> tuple[Engine, str]:
        """Open a reader on a snapshot, the current one by default, and say which it is."""
        ...

    def lock(self) -> AbstractContextManager[None]:
        """Keep other writers out; raises ``import_en_cours`` when one is at work."""
        ...

    def write(self) -> AbstractContextManager[Writer]:
        """Give a writer on a copy of the current snapshot, published when the block ends well.

        The caller holds the lock. When the block raises, or the process dies, nothing changes for
        readers.
        """
        ...

    def snapshots(self) -> list[Snapshot]:
        """List the snapshots, oldest first."""
        ...

    def prune(self, keep: int) -> list[str]:
        """Remove all but the ``keep`` latest and the current one; return what was removed."""
        ...
