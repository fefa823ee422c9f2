"""Where a PostgreSQL base lives: one database, its snapshots, the lock of its writer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.engines.duckdb import DuckDBWriter
from workbench.engines.interface import Snapshot, Writer
from workbench.engines.postgresql import PostgreSQLEngine, PostgreSQLWriter
from workbench.engines.postgresql_session import Address, Session
from workbench.engines.postgresql_tables import WRITERS, Snapshots
from workbench.engines.work_folder import work_folder
from workbench.errors import WorkbenchError

__all__ = ["PostgreSQLStore"]

# A writer that is killed in the middle of a statement must not keep its lock until the statement ends.
_WRITER = {"client_connection_check_interval": "2s"}


class PostgreSQLStore:
    """The snapshots of one PostgreSQL base.

    Parameters
    ----------
    url
        ``postgresql://user@host/base``; a password in it serves to connect and is shown nowhere.
    """

    def __init__(self, url: str) -> None:
        self._given = url
        self._address = Address(url)
        self.url = self._address.public
        self._holding: Session | None = None

    def __reduce__(self) -> tuple[type[PostgreSQLStore], tuple[str]]:
        return PostgreSQLStore, (self._given,)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        session = Session(self._address, _WRITER)
        try:
            yield session
        finally:
            session.close()

    def exists(self) -> bool:
        """Whether something has been published here."""
        with self._session() as session:
            return bool(Snapshots(session).numbers())

    def open(self, snapshot: str | None = None) -> tuple[PostgreSQLEngine, str]:
        """Open a reader on a snapshot, the current one by default, and say which it is."""
        session = PostgreSQLEngine.session(self._address)
        try:
            number = self._choose(Snapshots(session), snapshot)
            return PostgreSQLEngine(self._address, number, session), f"{number:08d}"
        except BaseException:
            session.close()
            raise

    def _choose(self, snapshots: Snapshots, snapshot: str | None) -> int:
        while True:
            known = snapshots.numbers()
            if snapshot is None and not known:
                raise WorkbenchError("base_absente", chemin=self.url)
            wanted = known[-1] if snapshot is None else {f"{each:08d}": each for each in known}.get(snapshot)
            if wanted is None:
                said = ", ".join(f"{each:08d}" for each in known) or "aucun"
                raise WorkbenchError("snapshot_absent", snapshot=snapshot, chemin=self.url, connus=said)
            snapshots.hold(wanted)
            # From here on pruning waits for this reader; it may have come just before.
            if wanted in snapshots.numbers():
                return wanted

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other writers out; raises ``import_en_cours`` when one is at work."""
        with self._session() as session:
            # The server frees this lock when the connection ends, however the process does.
            if not session.query("SELECT pg_try_advisory_lock($1, 0) AS free", WRITERS)[0]["free"]:
                raise WorkbenchError("import_en_cours", chemin=self.url)
            self._holding = session
            try:
                yield
            finally:
                self._holding = None

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """Give a writer of the next snapshot, published when the block ends well."""
        session = self._holding
        if session is None:
            raise RuntimeError("a writer needs the lock")
        with work_folder() as folder, session.transaction():
            number = Snapshots(session).begin()
            stage = DuckDBWriter(folder / "chargement.duckdb", self.url)
            try:
                writer = PostgreSQLWriter(session, stage, number)
                yield writer
                writer.loaded()
            finally:
                stage.close()
            Snapshots(session).publish(number)

    def snapshots(self) -> list[Snapshot]:
        """List the snapshots, oldest first."""
        with self._session() as session:
            return Snapshots(session).described()

    def prune(self, keep: int) -> list[str]:
        """Remove all but the ``keep`` latest; return what was removed."""
        if keep < 1:
            raise WorkbenchError("snapshots_a_garder", nombre=keep)
        with self.lock():
            assert self._holding is not None  # noqa: S101 - the lock is held here
            return [f"{each:08d}" for each in Snapshots(self._holding).prune(keep)]
