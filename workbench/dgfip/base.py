"""An open accounting base, and the way to open one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
from sqlalchemy import Executable

from workbench.config import settings
from workbench.dgfip.base_version import complete, missing_tables, standing_in, version_of, write_version
from workbench.display import facts, view
from workbench.engines import Cancellation, Engine, Mapper, QueryEngine, Snapshot, Store, Writer, open_store
from workbench.errors import WorkbenchError

__all__ = ["Base", "connect", "prune_snapshots", "snapshots"]


class Base:
    """An accounting base open on one snapshot; `connect` makes it.

    The snapshot stays the same while the base is open, whatever others import meanwhile. It can be
    sent to another process (pickled), which opens the same snapshot again.

    Parameters
    ----------
    store
        Where the base lives.
    read_only
        Whether imports are refused.
    snapshot
        Identifier of a snapshot; None for the current one.

    Attributes
    ----------
    url : str
        Path or URL as given to `connect`, without its password.
    snapshot : str
        Identifier of the snapshot read.
    read_only : bool
        Whether imports are refused.
    version : int
        Version of the tables of the snapshot; `workbench.dgfip.schema.VERSION` for one of today.
    """

    def __init__(self, store: Store, read_only: bool = True, snapshot: str | None = None) -> None:
        self.store = store
        self.url = store.url
        self.read_only = read_only
        self._pinned = snapshot is not None
        self._engine: Engine
        self._engine, self.snapshot = self._open(snapshot)

    def _open(self, snapshot: str | None) -> tuple[Engine, str]:
        engine, opened = self.store.open(snapshot)
        try:
            present = engine.columns()
            self._missing = missing_tables(present, self.url)
            self.version = version_of(engine, present, self.url)
        except BaseException:
            engine.close()
            raise
        self._tables = frozenset(present)
        return engine, opened

    @property
    def mark(self) -> str:
        """What tells this snapshot from any other of its number; empty where its content alone does."""
        return self._engine.mark

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """Give a writer of the next snapshot, with all the tables of this version; the caller holds the lock."""
        with self.store.write() as writer:
            complete(writer)
            write_version(writer, self.version)
            yield writer

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads.

        Parameters
        ----------
        statement
            A SQLAlchemy Core select over the tables of `workbench.dgfip.schema`; may name the keys of
            ``tables`` as tables.
        tables
            Arrow tables visible to this statement only.

        Returns
        -------
        pyarrow.Table
            Integers as int64, text as string, NULL as null.

        Raises
        ------
        WorkbenchError
            ``requete_refusee`` with the engine's own words, ``base_fermee`` after `close`.
        """
        return self._engine.fetch(self._readable(statement), tables)

    def fetch_within(
        self,
        statement: Executable,
        seconds: float,
        cancellation: Cancellation | None = None,
        tables: Mapping[str, pa.Table] | None = None,
    ) -> pa.Table:
        """Run a statement that reads within a time; see `workbench.engines.interface.QueryEngine.fetch_within`."""
        return self.queries.fetch_within(self._readable(statement), seconds, cancellation, tables)

    def _readable(self, statement: Executable) -> Executable:
        return standing_in(statement, self._missing) if self._missing else statement

    @property
    def queries(self) -> QueryEngine:
        """The engine, for queries with a time limit; refused by engines that have none (``requete_moteur``)."""
        if not isinstance(self._engine, QueryEngine):
            raise WorkbenchError("requete_moteur", chemin=self.url)
        return self._engine

    def mapper(self) -> Mapper | None:
        """The engine, if it computes where its rows are; None when rows are fetched to be computed."""
        return self._engine if isinstance(self._engine, Mapper) else None

    def has_table(self, name: str) -> bool:
        """Whether the snapshot has this table; those written before it existed do not."""
        return name in self._tables

    def require_writable(self) -> None:
        """Refuse an import into a base that is open for reading, or on an old snapshot."""
        if self.read_only:
            raise WorkbenchError("base_lecture_seule", chemin=self.url)
        if self._pinned:
            raise WorkbenchError("base_ancien_etat", chemin=self.url, snapshot=self.snapshot)

    def refresh(self) -> str:
        """Move to the current snapshot and return its identifier."""
        if not self._pinned:
            engine, opened = self._open(None)
            self._engine.close()
            self._engine, self.snapshot = engine, opened
        return self.snapshot

    def close(self) -> None:
        """Give back the files; closing twice does nothing."""
        self._engine.close()

    def __enter__(self) -> Base:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        access = "lecture seule" if self.read_only else "lecture et import"
        return f"<Base {self.url}, état {self.snapshot}, {access}>"

    def _repr_html_(self) -> str:
        access = "lecture seule" if self.read_only else "lecture et import"
        lines = [("Adresse", self.url), ("État", self.snapshot), ("Ouverte en", access)]
        return view(facts(lines, "Base de comptes"))

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.store, self.read_only, self.snapshot)


def _reopen(store: Store, read_only: bool, snapshot: str) -> Base:
    known = {each.id for each in store.snapshots() if each.current}
    # A base that read the current snapshot may import again from its copy; an older one may not.
    return Base(store, read_only, None if snapshot in known else snapshot)


def connect(url: str | Path | None = None, read_only: bool = True, *, snapshot: str | None = None) -> Base:
    """Open an accounting base.

    Parameters
    ----------
    url
        Path of a DuckDB base, ``duckdb:///path``, ``postgresql://user@host/base``, or
        ``spark:///folder?master=local[4]`` (`workbench.engines.spark_address`); None for the base of the settings.
    read_only
        False to import into it; an absent base is then created, empty.
    snapshot
        Identifier of an older snapshot (`snapshots` lists them), which is then only read.

    Returns
    -------
    Base
        Open on the current snapshot, or the one asked for.

    Raises
    ------
    WorkbenchError
        ``base_absente`` when nothing is there and ``read_only`` is true, ``snapshot_absent``,
        ``serveur_injoignable`` when a server opens no session,
        ``base_illisible`` or ``base_etrangere`` when the file is no base of the workbench,
        ``base_plus_recente`` when a later version wrote it.

    Examples
    --------
    >>> import tempfile
    >>> from sqlalchemy import select
    >>> from workbench.dgfip.schema import balances
    >>> folder = tempfile.TemporaryDirectory()
    >>> with connect(folder.name + "/base.duckdb", read_only=False) as base:
    ...     base.snapshot, base.fetch(select(balances)).num_rows
    ('00000001', 0)
    >>> folder.cleanup()
    """
    store = open_store(str(url if url is not None else settings().base))
    if snapshot is None and not read_only and not store.exists():
        with store.lock(), store.write() as writer:
            complete(writer)
            write_version(writer, 0)
    return Base(store, read_only, snapshot)


def snapshots(base: Base | str | Path) -> list[Snapshot]:
    """List the snapshots of a base, oldest first.

    Parameters
    ----------
    base
        An open base, or its path or URL.

    Returns
    -------
    list of Snapshot
        ``id``, ``date`` (UTC), ``size`` (bytes), ``current``.

    Examples
    --------
    >>> snapshots("absente.duckdb")
    []
    """
    return _store(base).snapshots()


def prune_snapshots(base: Base | str | Path, keep: int = 1) -> list[str]:
    """Remove all but the latest snapshots of a base; the current one always stays.

    Parameters
    ----------
    base
        An open base, or its path or URL.
    keep
        How many to keep, at least one.

    Returns
    -------
    list of str
        Identifiers of the snapshots removed. A reader that has one of them open keeps reading it.

    Raises
    ------
    WorkbenchError
        ``snapshots_a_garder`` when ``keep`` is below 1, ``base_absente``, ``import_en_cours``.
    """
    store = _store(base)
    if not store.exists():
        raise WorkbenchError("base_absente", chemin=store.url)
    removed = store.prune(keep)
    from workbench.dgfip.cells import remove_cells

    remove_cells(getattr(store, "folder", None), removed)
    return removed


def _store(base: Base | str | Path) -> Store:
    return base.store if isinstance(base, Base) else open_store(str(base))
