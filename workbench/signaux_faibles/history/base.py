"""An open history: what was known of companies as of any batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
from sqlalchemy import Executable, Select, Table, Text, false, func, insert, select, union

from workbench.engines import Cancellation, Engine, QueryEngine, Snapshot, Store, Writer, open_store
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.batches import check_key
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.order import Deliveries, Delivery, TypeDeliveries
from workbench.signaux_faibles.history.states import life_spans, runs_table, state_of
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.sources import source_named, sources

__all__ = ["History", "KnownBatch", "open_history"]


@dataclass(frozen=True)
class KnownBatch:
    """A batch that a history knows.

    Parameters
    ----------
    key
        ``AAMM``, maybe with a suffix; keys are ordered as texts.
    name
        A label.
    types
        Types of the files compacted, by name.
    complete_types
        Those of them that replaced all that was known.
    pending_types
        Types that were imported and wait to be compacted.
    start, end
        First month, and the month after the last one.
    effectif_end
        Last month of known workforce; None when the descriptor does not tell it.
    with_perimetre
        Whether a filter said which companies to read.
    imported
        When it was last imported, UTC.
    """

    key: str
    name: str
    types: tuple[str, ...]
    complete_types: tuple[str, ...]
    pending_types: tuple[str, ...]
    start: date | None
    end: date | None
    effectif_end: date | None
    with_perimetre: bool
    imported: datetime


class History:
    """A history open on one snapshot; `open_history` makes it.

    Selects made here are run by `fetch`, alone or as parts of others. They read the snapshot, which stays what it is
    while the history is open; `refresh` goes to the current one.

    Attributes
    ----------
    url : str
        Path or address, without its password.
    snapshot : str
        Identifier of the snapshot read.
    read_only : bool
        Whether imports are refused.
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
            self._present = frozenset(engine.tables())
            _require_known(engine, self._present, self.url)
            self._deliveries = read_deliveries(engine)
        except BaseException:
            engine.close()
            raise
        return engine, opened

    def fetch(self, statement: Executable, tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Run a statement that reads.

        Parameters
        ----------
        statement
            A SQLAlchemy Core select over those that the methods of a history return.
        tables
            Arrow tables visible to this statement only, under these names.

        Returns
        -------
        pyarrow.Table
            Integers as int64, text as string, amounts (``DECIMAL`` in the base) as float64, dates as date32, NULL as
            null.

        Raises
        ------
        WorkbenchError
            ``requete_refusee`` with the engine's own words, ``base_fermee`` after `close`.
        """
        return self._engine.fetch(statement, tables)

    def fetch_within(self, statement: Executable, seconds: float, cancellation: Cancellation | None = None) -> pa.Table:
        """Run a statement that reads within a time; see `workbench.engines.interface.QueryEngine.fetch_within`."""
        if not isinstance(self._engine, QueryEngine):
            raise WorkbenchError("requete_moteur", chemin=self.url)
        return self._engine.fetch_within(statement, seconds, cancellation)

    def state(self, source: str, as_of: str | None = None) -> Select[Any]:
        """Return what was known of a source as of a batch: the tuples alive then.

        Parameters
        ----------
        source
            Type: ``debit``, ``effectif``…
        as_of
            Key of a batch; the latest one by default. Batches that came later, whenever they were imported before or
            after it, change nothing of it.

        Returns
        -------
        sqlalchemy.Select
            ``siret`` or ``siren`` (`source.scope.key`), then the fields of the source, with ``periode`` and the field
            of the months where it has months; each tuple once, in no order.

        Raises
        ------
        WorkbenchError
            ``source_inconnue``, ``batch_cle``.

        Examples
        --------
        >>> import tempfile
        >>> with open_history(tempfile.mkdtemp() + "/h.duckdb", read_only=False) as history:
        ...     history.fetch(history.state("paydex", "1802")).column_names
        ['siren', 'date_valeur', 'nb_jours']
        """
        key = source_named(source).scope.key
        names = [key, *(name for name, _ in schema.stored_fields(source))]
        alive = self.runs(source, as_of)
        return alive.with_only_columns(*(alive.selected_columns[each] for each in names))

    def runs(self, source: str, as_of: str | None = None) -> Select[Any]:
        """Return the rows of `state` with the columns of the table besides: ``hash``, ``added``, ``seen``."""
        return state_of(source_named(source), self._deliveries.of(source), self._until(as_of), self.has(source))

    def spans(self, source: str) -> Select[Any]:
        """Return every tuple ever known of a source, with the batches between which it was.

        Returns
        -------
        sqlalchemy.Select
            Key, fields, ``hash``, ``batch_added``, and ``batch_removed`` (the batch whose complete file had it no
            more; NULL while it is alive). A tuple that went and came back has a row each time.
        """
        return life_spans(source_named(source), self._deliveries.of(source), self.has(source))

    def has(self, source: str) -> bool:
        """Whether a file of this type was ever imported."""
        return schema.facts(source).name in self._present

    def _until(self, as_of: str | None) -> str | None:
        return None if as_of is None else check_key(as_of)

    def batches(self) -> list[KnownBatch]:
        """Return the batches, in the order of their keys."""
        rows = self.fetch(select(schema.batches).order_by(schema.batches.c.batch)).to_pylist()
        return [self._known(row) for row in rows]

    def _known(self, row: Mapping[str, Any]) -> KnownBatch:
        own = self._deliveries.at(row["batch"])
        return KnownBatch(
            row["batch"],
            row["name"] or "",
            tuple(each.type for each in own if each.compacted),
            tuple(each.type for each in own if each.compacted and each.complete),
            tuple(each.type for each in own if each.pending),
            row["start"],
            row["end"],
            row["effectif_end"],
            row["with_perimetre"],
            row["imported"],
        )

    def batch(self, as_of: str | None = None) -> KnownBatch:
        """Return the latest batch up to this key of which something was compacted.

        Raises
        ------
        WorkbenchError
            ``historique_vide`` when there is none.
        """
        found = self._compacted(as_of)
        if not found:
            raise WorkbenchError("historique_vide", chemin=self.url, batch=as_of or "")
        return found[-1]

    def _compacted(self, as_of: str | None) -> list[KnownBatch]:
        until = self._until(as_of)
        return [each for each in self.batches() if each.types and (until is None or each.key <= until)]

    def deliveries(self) -> tuple[Delivery, ...]:
        """Return what each batch brought of each type, by batch then type."""
        return self._deliveries.every

    def deliveries_of(self, source: str) -> TypeDeliveries:
        """Return the deliveries of a type that were compacted, in the order of their batches."""
        return self._deliveries.of(source)

    def perimetre(self, as_of: str | None = None) -> Select[Any]:
        """Return the companies of a batch: the filter of `batch`.

        Returns
        -------
        sqlalchemy.Select
            One column ``siren``, each once. A batch that was read without filter has for perimeter every company that
            the history knows then.
        """
        known = self._compacted(as_of)
        if known and known[-1].with_perimetre:
            at = schema.perimetres
            return select(at.c.siren).where(at.c.batch == known[-1].key)
        return self._every_siren(as_of)

    def _every_siren(self, as_of: str | None) -> Select[Any]:
        parts = []
        for type_ in filter(self.has, sources()):
            alive = self.runs(type_, as_of).subquery()
            key = alive.c[source_named(type_).scope.key]
            parts.append(select(func.left(key, constant(9), type_=Text()).label("siren")))
        if not parts:
            return select(schema.perimetres.c.siren).where(false())
        return select(union(*parts).subquery("sirens").c.siren)

    def indexed(self, as_of: str | None = None) -> Select[Any]:
        """Return the établissements that variables are computed for: those of which a batch told an effectif (4.5).

        Returns
        -------
        sqlalchemy.Select
            One column ``siret``, each once, whether the effectif is still known or not.
        """
        at = runs_table(source_named("effectif"), self.has("effectif"))
        found = select(at.c.siret).distinct()
        until = self._until(as_of)
        return found if until is None else found.where(at.c.added <= until)

    def counts(self, as_of: str | None = None) -> dict[str, int]:
        """Return how many tuples of each type are alive."""
        found = dict.fromkeys(sources(), 0)
        for type_ in filter(self.has, sources()):
            alive = self.runs(type_, as_of).with_only_columns(func.count().label("n"), maintain_column_froms=True)
            found[type_] = int(self.fetch(alive)["n"][0].as_py())
        return found

    def require_writable(self) -> None:
        """Refuse an import into a history that is open for reading, or on an old snapshot."""
        if self.read_only:
            raise WorkbenchError("base_lecture_seule", chemin=self.url)
        if self._pinned:
            raise WorkbenchError("base_ancien_etat", chemin=self.url, snapshot=self.snapshot)

    @contextmanager
    def write(self, tables: Iterable[Table] = ()) -> Iterator[Writer]:
        """Give a writer of the next snapshot, published when the block ends well; then this history reads it.

        Parameters
        ----------
        tables
            Those that will be loaded.

        Raises
        ------
        WorkbenchError
            ``base_lecture_seule``, ``base_ancien_etat``, ``import_en_cours``.
        """
        self.require_writable()
        with self.store.lock():
            # Someone else may have written since this history was opened.
            self.refresh()
            with self.store.write() as writer:
                writer.create(tables)
                yield writer
            self.refresh()

    def refresh(self) -> str:
        """Go to the current snapshot and return its identifier."""
        if not self._pinned:
            engine, opened = self._open(None)
            self._engine.close()
            self._engine, self.snapshot = engine, opened
        return self.snapshot

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots, oldest first."""
        return self.store.snapshots()

    def prune_snapshots(self, keep: int = 1) -> list[str]:
        """Remove all but the latest snapshots; return those removed."""
        return self.store.prune(keep)

    def close(self) -> None:
        """Give back the files; closing twice does nothing."""
        self._engine.close()

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        access = "lecture seule" if self.read_only else "lecture et import"
        return f"<History {self.url}, état {self.snapshot}, {access}>"


def read_deliveries(engine: Engine) -> Deliveries:
    """Return what batches brought, as a snapshot or a writer knows it."""
    at = schema.deliveries
    return Deliveries(Delivery(**row) for row in engine.fetch(select(at)).to_pylist())


def _require_known(engine: Engine, present: frozenset[str], url: str) -> None:
    if schema.versions.name not in present:
        raise WorkbenchError("historique_etranger", chemin=url)
    found = engine.fetch(select(func.max(schema.versions.c.version).label("version")))["version"][0].as_py() or 1
    if found > schema.VERSION:
        raise WorkbenchError("base_plus_recente", chemin=url, version=found, connue=schema.VERSION)


def open_history(address: str | Path, read_only: bool = True, *, snapshot: str | None = None) -> History:
    """Open a history of companies.

    Parameters
    ----------
    address
        Path of a DuckDB file, ``duckdb:///path`` or ``postgresql://user@host/base``.
    read_only
        False to import into it; one that is absent is then created, empty.
    snapshot
        Identifier of an older snapshot, which is then only read.

    Raises
    ------
    WorkbenchError
        ``base_absente`` when nothing is there and ``read_only`` is true, ``historique_moteur`` for an engine that holds
        no history, ``historique_etranger``, ``base_plus_recente``, ``base_illisible``, ``serveur_injoignable``.

    Examples
    --------
    >>> import tempfile
    >>> with open_history(tempfile.mkdtemp() + "/historique.duckdb", read_only=False) as history:
    ...     history.batches(), history.fetch(history.state("debit")).num_rows
    ([], 0)
    """
    if str(address).startswith("spark:"):
        raise WorkbenchError("historique_moteur", moteur="spark")
    store = open_store(str(address))
    if snapshot is None and not read_only and not store.exists():
        with store.lock(), store.write() as writer:
            writer.create(schema.batch_tables())
            writer.execute(insert(schema.versions).values(version=schema.VERSION))
    return History(store, read_only, snapshot)
