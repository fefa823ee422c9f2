"""The Spark engine: a reader of one snapshot, and work sent to where its rows are.

Statements that name a large table run as Spark SQL over the files that the snapshot names, each in a
session of Spark that holds nothing else; only queries pass. Statements over small tables alone run
on the driver (`workbench.engines.spark_small`): a table of one task's work leaves Spark nothing to
share out. `SparkEngine.map_groups` sends a function to the executors, and `SparkEngine.map_statements`
statements that DuckDB runs there; they read the files themselves.
"""

from __future__ import annotations

import base64
import json
import os
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any, ClassVar
from uuid import uuid4

import numpy as np
import pyarrow as pa
from sqlalchemy import Executable

from workbench.engines.arrow_types import plain, without_dictionaries
from workbench.engines.duckdb import compile_statement as compile_duckdb
from workbench.engines.interface import GroupFunction, Task
from workbench.engines.limits import Cancellation, within
from workbench.engines.spark_address import SparkAddress
from workbench.engines.spark_dialect import compile_statement, written_statement
from workbench.engines.spark_place import Hold, Place, spark_path
from workbench.engines.spark_session import READER, session_of
from workbench.engines.spark_small import SmallTables
from workbench.engines.spark_snapshots import DataFile, StoredTable
from workbench.engines.spark_task import RESULT, MapFiles, RunStatements, packed, unpacked
from workbench.errors import WorkbenchError

__all__ = ["SparkEngine"]

_COMMANDS = (
    "org.apache.spark.sql.catalyst.plans.logical.Command",
    "org.apache.spark.sql.catalyst.plans.logical.ParsedStatement",
)
_QUERY = re.compile(r"\s*(\(\s*)*(SELECT|WITH|VALUES)\b", re.IGNORECASE)
"""How a query begins: some statements that are none (EXECUTE IMMEDIATE) have the shape of one until they run."""
_FOREIGN = ("reflect", "java_method", "try_reflect")
"""Functions that call any method of the JVM."""
_SQL_TYPES = {
    "string": "STRING",
    "int16": "SMALLINT",
    "int32": "INT",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
}
_TASKS_AT_ONCE = 32
"""Tasks of one job at most: what they give is in memory together."""


class SparkEngine:
    """A reader of one snapshot, for several threads of one process: each takes a session.

    Parameters
    ----------
    address
        Where the base is and who computes.
    place
        Its files.
    tables
        What the snapshot reads.
    held
        Keeps the snapshot from being removed until it is closed.
    mark
        What tells the snapshot from any other of its number.
    """

    small_rows: ClassVar[int] = 5_000_000
    """Rows up to which a table in no order is the driver's."""
    small_sorted_rows: ClassVar[int] = 500_000
    """Rows up to which a sorted table is the driver's."""

    def __init__(
        self, address: SparkAddress, place: Place, tables: dict[str, StoredTable], held: Hold | None, mark: str
    ) -> None:
        self.url = address.public
        self.mark = mark
        self._address = address
        self._place = place
        self._tables = tables
        self._held = held
        self._process = os.getpid()
        self._guard = threading.Lock()
        self._closed = False
        self._idle: list[Any] = []
        self._copies: dict[bool, SmallTables] = {}
        self._large = _words(name for name, table in tables.items() if not self._is_small(table))
        self._sorted = _words(name for name, table in tables.items() if table.key)

    def _is_small(self, table: StoredTable) -> bool:
        return sum(file.rows for file in table.files) <= (self.small_sorted_rows if table.key else self.small_rows)

    def _copy(self, *, with_sorted: bool) -> SmallTables:
        """The driver's copy of small tables, the sorted ones only when a statement needs them."""
        with self._guard:
            if with_sorted not in self._copies:
                kept = {
                    name: each
                    for name, each in self._tables.items()
                    if self._is_small(each) and (with_sorted or not each.key)
                }
                self._copies[with_sorted] = SmallTables(kept, self._place)
            return self._copies[with_sorted]

    def _require_open(self) -> None:
        if self._closed:
            raise WorkbenchError("base_fermee", chemin=self.url)
        if self._process != os.getpid():
            # The JVM would answer two processes over one connection.
            raise WorkbenchError("base_autre_processus", chemin=self.url)

    @contextmanager
    def _session(self) -> Iterator[Any]:
        self._require_open()
        with self._guard:
            session = self._idle.pop() if self._idle else None
        session = session or self._new_session()
        yield session
        # One in which something failed is left to be forgotten.
        with self._guard:
            self._idle.append(session)

    def _new_session(self) -> Any:
        session = session_of(self._address.master).newSession()
        for name, value in READER.items():
            session.conf.set(name, value)
        registry = session._jsparkSession.sessionState().functionRegistry()
        identifier, some = session._jvm.org.apache.spark.sql.catalyst.FunctionIdentifier, session._jvm.scala.Some
        for name in _FOREIGN:
            registry.dropFunction(identifier(name, some("builtin"), some("system")))
        for name in self._tables:
            self._view(session, name)
        return session

    def _view(self, session: Any, name: str, keys: pa.ChunkedArray | None = None) -> None:
        """Make a table one that statements name: all of it, or the files that may hold some keys."""
        table = self._tables[name]
        columns = ", ".join(f"`{column}` {_SQL_TYPES[kind]}" for column, kind in table.columns)
        kept = table.files if keys is None or table.key is None else _holding(table.files, keys)
        files = [spark_path(self._address, file.name) for file in kept]
        rows = session.read.schema(columns).parquet(*files) if files else session.createDataFrame([], columns)
        rows.createOrReplaceTempView(name)

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads; see `workbench.engines.interface.Engine.fetch`."""
        text, values = compile_statement(statement)
        if not self._large.search(text):
            self._require_open()
            return self._copy(with_sorted=self._sorted.search(text) is not None).fetch(statement, tables)
        narrowed = statement.get_execution_options().get("narrowed_by", {})
        with self._session() as session, self._errors():
            given = dict(tables or {})
            try:
                for name, rows in given.items():
                    session.createDataFrame(rows.cast(without_dictionaries(rows.schema))).createOrReplaceTempView(name)
                for name, (other, column) in narrowed.items():
                    self._view(session, name, given[other][column])
                _require_query(session, text)
                return plain(session.sql(text, args=values).toArrow())
            finally:
                for name in given:
                    session.catalog.dropTempView(name)
                for name in narrowed:
                    self._view(session, name)

    def written(self, statement: Executable) -> tuple[str, list[Any]]:
        """Return the text of a statement in Spark's words, and its bound values in order."""
        return written_statement(statement)

    def fetch_within(
        self,
        statement: Executable,
        seconds: float,
        cancellation: Cancellation | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Run a statement within a time; see `workbench.engines.interface.QueryEngine.fetch_within`."""
        self._require_open()
        text, _ = compile_statement(statement)
        if not self._large.search(text):
            copy = self._copy(with_sorted=self._sorted.search(text) is not None)
            return copy.fetch_within(statement, seconds, cancellation, tables)
        context = session_of(self._address.master).sparkContext
        group = f"workbench-{uuid4()}"

        def work() -> pa.Table:
            # The jobs of this thread and of those that it starts are the group's.
            context.setJobGroup(group, "workbench", interruptOnCancel=True)
            return self.fetch(statement, tables)

        return within(work, lambda: context.cancelJobGroup(group), seconds, cancellation)

    def fetch_text(
        self,
        text: str,  # noqa: ARG002 - see the interface
        parameters: Sequence[Any],  # noqa: ARG002
        rows: int,  # noqa: ARG002
        seconds: float,  # noqa: ARG002
        cancellation: Cancellation | None = None,  # noqa: ARG002
    ) -> tuple[pa.Table, bool]:
        """Refuse: a text that a person wrote reaches files and settings in too many of Spark's ways."""
        raise WorkbenchError("requete_moteur", chemin=self.url)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except WorkbenchError:
            raise
        except Exception as error:  # errors of Spark, of py4j and of Arrow have no common class
            raise self._said(error) from error

    def _said(self, error: Exception) -> WorkbenchError:
        text = str(error)
        missing = text.rpartition("ModuleNotFoundError: No module named ")[2].split("\n")[0].strip("'\" ")
        if "ModuleNotFoundError" in text:
            return WorkbenchError("spark_executants", module=missing)
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return WorkbenchError("requete_refusee", chemin=self.url, detail=lines[0] if lines else type(error).__name__)

    def tables(self) -> set[str]:
        """Return the names of the tables of the snapshot."""
        return set(self.columns())

    def columns(self) -> dict[str, set[str]]:
        """Return the names of the columns of each table of the snapshot."""
        self._require_open()
        return {name: {column for column, _ in each.columns} for name, each in self._tables.items()}

    def close(self) -> None:
        """Let go of the snapshot; closing twice does nothing."""
        with self._guard:
            self._closed = True
            self._idle.clear()
            if self._process == os.getpid():
                for each in self._copies.values():
                    each.close()
            self._copies.clear()
        if self._held is not None:
            self._held.close()
            self._held = None

    def map_groups(
        self, table: str, columns: Sequence[str], given: pa.Table, function: GroupFunction
    ) -> Iterator[pa.RecordBatch]:
        """Run a function where rows are; see `workbench.engines.interface.Mapper`."""
        self._require_open()
        stored = self._tables[table]
        if stored.key is None:
            raise ValueError(f"{table} is in no order")
        work = MapFiles(self._place.files, stored.key, tuple(columns), function)
        tasks = self._tasks(stored, given.combine_chunks())
        lines = (_line(number, json.dumps(files), rows) for number, (files, rows) in enumerate(tasks))
        return (batch for rows in self._results(work, lines) for batch in _batches(rows))

    def map_statements(self, tasks: Iterable[Task]) -> Iterator[pa.Table]:
        """Run statements where rows are; see `workbench.engines.interface.Mapper`."""
        self._require_open()
        lines = (self._statement_line(number, each) for number, each in enumerate(tasks))
        for rows in self._results(RunStatements(self._place.files), lines):
            yield from (unpacked(each.as_buffer()) for each in _in_order(rows))

    def _statement_line(self, number: int, task: Task) -> pa.RecordBatch:
        text, values = compile_duckdb(task.statement)
        named = [name for name in self._tables if _words([name]).search(text)]
        described = {
            "texte": text,
            "valeurs": values,
            "premier": task.first,
            "dernier": task.last,
            "tables": [self._described(name, task) for name in named],
        }
        given = {"nom": list(task.tables), "lignes": [packed(each) for each in task.tables.values()]}
        kinds = pa.schema([("nom", pa.string()), ("lignes", pa.binary())])
        return _line(number, json.dumps(described), pa.table(given, kinds))

    def _described(self, name: str, task: Task) -> dict[str, Any]:
        stored = self._tables[name]
        files = [
            file
            for file in stored.files
            if stored.key is None or (str(file.first) <= task.last and str(file.last) >= task.first)
        ]
        return {
            "nom": name,
            "cle": stored.key,
            "schema": base64.b64encode(packed(stored.schema.empty_table())).decode(),
            "fichiers": [self._place.path(file.name) for file in files],
        }

    def _tasks(self, stored: StoredTable, given: pa.Table) -> list[tuple[list[str], pa.Table]]:
        """One task a file that some given row is for; rows whose key no file holds go with their neighbours."""
        keys = np.asarray(given.column(0).to_pylist(), dtype=str)
        tasks, done = [], 0
        for number, file in enumerate(stored.files):
            last = number == len(stored.files) - 1
            end = len(keys) if last else int(np.searchsorted(keys, str(file.last), side="right"))
            if end > done:
                tasks.append(([self._place.path(file.name)], given.slice(done, end - done)))
                done = end
        if not stored.files and len(keys):
            raise WorkbenchError("requete_refusee", chemin=self.url, detail="aucune ligne")
        return tasks

    def _results(self, work: MapFiles | RunStatements, lines: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        session = session_of(self._address.master)
        context = session.sparkContext
        at_once = max(1, min(context.defaultParallelism, _TASKS_AT_ONCE))
        group = f"workbench-{uuid4()}"

        def run(some: list[pa.RecordBatch]) -> pa.Table:
            context.setJobGroup(group, "workbench", interruptOnCancel=True)
            # One batch a partition.
            return session.createDataFrame(pa.Table.from_batches(some)).mapInArrow(work, RESULT).toArrow()

        # Two jobs at a time: the tasks of one take the places that the last tasks of the other leave.
        pool = ThreadPoolExecutor(2, thread_name_prefix=group)
        waiting: deque[Future[pa.Table]] = deque()
        try:
            while some := list(islice(lines, at_once)):
                waiting.append(pool.submit(run, some))
                if len(waiting) == 3:
                    with self._errors():
                        rows = waiting.popleft().result()
                    yield rows
            while waiting:
                with self._errors():
                    rows = waiting.popleft().result()
                yield rows
        finally:
            for each in waiting:
                each.cancel()
            if waiting:
                context.cancelJobGroup(group)
            pool.shutdown(wait=True)


def _words(names: Iterable[str]) -> re.Pattern[str]:
    """What finds one of some names in a statement."""
    return re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names) or r"(?!)")


def _holding(files: Iterable[DataFile], keys: pa.ChunkedArray) -> list[DataFile]:
    """The files that may hold one of some keys."""
    wanted = np.unique(np.asarray(keys.drop_null().to_pylist(), dtype=str))
    firsts = np.searchsorted(wanted, np.asarray([file.first for file in files], dtype=str), side="left")
    lasts = np.searchsorted(wanted, np.asarray([file.last for file in files], dtype=str), side="right")
    return [file for file, first, last in zip(files, firsts, lasts, strict=True) if last > first]


def _line(number: int, files: str, given: pa.Table) -> pa.RecordBatch:
    """What a task is told."""
    return pa.record_batch(
        {
            "numero": pa.array([number], pa.int64()),
            "fichiers": pa.array([files], pa.string()),
            "donnees": pa.array([packed(given)], pa.binary()),
        }
    )


def _in_order(rows: pa.Table) -> pa.ChunkedArray:
    return rows.sort_by([("numero", "ascending"), ("rang", "ascending")])["lot"]


def _batches(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    for line in _in_order(rows):
        yield from unpacked(line.as_buffer()).to_batches()


def _require_query(session: Any, text: str) -> None:
    """Refuse what is not a query, before anything runs."""
    from py4j.java_gateway import is_instance_of

    plan = session._jsparkSession.sessionState().sqlParser().parsePlan(text)
    root = plan
    while root.getClass().getSimpleName() == "UnresolvedWith":
        root = root.child()
    gateway = session.sparkContext._gateway
    if (
        not _QUERY.match(text)
        or any(is_instance_of(gateway, root, name) for name in _COMMANDS)
        or "ScriptTransformation" in plan.treeString()
    ):
        raise ValueError("seule une lecture est possible")
