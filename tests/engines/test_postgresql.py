"""What is PostgreSQL's own: addresses and passwords, rights, what a snapshot costs and gives back."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterator

import pytest
from postgresql_server import reader
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, column, delete, func, insert, select, table

from workbench.engines import open_store
from workbench.engines.postgresql_dialect import compile_statement
from workbench.engines.postgresql_session import Address, Session
from workbench.engines.postgresql_store import PostgreSQLStore
from workbench.errors import WorkbenchError

notes = Table("notes", MetaData(), Column("n", Integer), Column("texte", Text))


@pytest.fixture
def url(new_postgresql: Callable[[], str]) -> str:
    return new_postgresql()


@pytest.fixture
def administration(url: str) -> Iterator[Session]:
    session = Session(Address(url), {})
    yield session
    session.close()


def add(store: PostgreSQLStore, *numbers: int, without: int | None = None) -> None:
    with store.lock(), store.write() as writer:
        writer.create([notes])
        for n in numbers:
            writer.execute(insert(notes).values(n=n, texte="x"))
        writer.loaded()
        if without is not None:
            writer.execute(delete(notes).where(notes.c.n == without))


def stored(session: Session) -> list[tuple[int, int, int]]:
    rows = session.query("SELECT n, depuis, jusqu_a FROM workbench.notes ORDER BY n, depuis")
    return [tuple(row.values()) for row in rows]  # type: ignore[misc]


def test_a_password_is_shown_nowhere(url: str) -> None:
    host = url.partition("?")[2]
    wrong = f"postgresql+psycopg://postgres:s3cret@/base_absente?{host}&sslpassword=s3cret"
    store = open_store(wrong)
    assert store.url.startswith("postgresql://postgres@/base_absente?host=")
    assert "s3cret" not in store.url
    assert "s3cret" not in repr(vars(store)["_address"])
    with pytest.raises(WorkbenchError) as error:
        store.exists()
    assert error.value.code == "serveur_injoignable"
    assert "base_absente" in error.value.message
    for shown in (error.value.message, str(error.value), repr(error.value), repr(error.value.details)):
        assert "s3cret" not in shown
    with pytest.raises(WorkbenchError) as error:
        open_store("postgresql://user:s3cret@host:port/base")
    assert error.value.code == "adresse_invalide"
    assert "s3cret" not in str(error.value)


def test_a_password_still_serves_after_a_journey(url: str) -> None:
    store = PostgreSQLStore(url.replace("postgres@", "postgres:s3cret@"))
    add(store, 1)
    copy = pickle.loads(pickle.dumps(store))  # noqa: S301
    assert copy.exists()
    assert copy._address._full == store._address._full


def test_a_missing_driver_names_its_extra(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(WorkbenchError, match=r"workbench\[postgres\]"):
        PostgreSQLStore(url).exists()


def test_rows_are_stored_once_and_go_with_their_last_snapshot(url: str, administration: Session) -> None:
    store, for_ever = PostgreSQLStore(url), 2**31 - 1
    add(store, 1, 2)
    add(store, 3, without=2)
    add(store, 4, 5, without=5)
    assert stored(administration) == [(1, 1, for_ever), (2, 1, 2), (3, 2, for_ever), (4, 3, for_ever)]
    reader, _ = store.open("00000001")
    assert store.prune(keep=1) == ["00000001", "00000002"]
    # Someone still reads the first one, so the row that it alone sees stays.
    assert stored(administration)[1] == (2, 1, 2)
    assert reader.fetch(select(notes.c.n).order_by(notes.c.n)).column(0).to_pylist() == [1, 2]
    reader.close()
    assert store.prune(keep=1) == []
    assert stored(administration) == [(1, 1, for_ever), (3, 2, for_ever), (4, 3, for_ever)]
    schemas = administration.query(
        "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'workbench%' ORDER BY 1"
    )
    assert [each["name"] for each in schemas] == ["workbench", "workbench_00000003"]


def test_the_readers_role_reads_snapshots_and_nothing_else(url: str) -> None:
    as_reader = reader(url, "agent")
    add(PostgreSQLStore(url), 1)
    store = PostgreSQLStore(as_reader)
    engine, _ = store.open()
    assert engine.fetch(select(notes.c.n)).column(0).to_pylist() == [1]
    with pytest.raises(WorkbenchError, match="permission denied"):
        engine.fetch(select(table("notes", column("n"), schema="workbench").c.n))
    engine.close()
    with pytest.raises(WorkbenchError, match="permission denied"):
        add(store, 2)


def test_a_table_that_came_later_is_absent_from_older_snapshots(url: str) -> None:
    store = PostgreSQLStore(url)
    add(store, 1)
    later = Table("later", MetaData(), Column("n", Integer))
    with store.lock(), store.write() as writer:
        writer.create([notes, later])
        writer.execute(insert(later).values(n=5))
    for snapshot, tables in (("00000001", {"notes"}), ("00000002", {"notes", "later"})):
        engine, _ = store.open(snapshot)
        assert engine.tables() == tables
        engine.close()


def test_a_session_that_the_server_ended_is_replaced(url: str, administration: Session) -> None:
    store = PostgreSQLStore(url)
    add(store, 1)
    engine, _ = store.open()
    administration.query(
        "SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(WorkbenchError) as error:
        engine.fetch(select(notes.c.n))
    assert error.value.code == "requete_refusee"
    assert engine.fetch(select(notes.c.n)).column(0).to_pylist() == [1]
    engine.close()


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (func.sum(column("n", BigInteger)), "sum(n)::bigint"),
        (func.sum(column("n", BigInteger)).over(), "(sum(n) OVER ())::bigint"),
        (func.arg_max(column("a"), column("b")), "(array_agg(a ORDER BY b DESC) FILTER (WHERE a IS NOT NULL))[1]"),
        (func.contains(column("a"), "x"), "(strpos(a, $1) > 0)"),
        (func.left(column("a"), 2), "left(a, $1)"),
    ],
)
def test_how_functions_are_written(expression: object, written: str) -> None:
    text, _ = compile_statement(select(expression.label("f")))  # type: ignore[attr-defined]
    assert text == f"SELECT {written} AS f"
