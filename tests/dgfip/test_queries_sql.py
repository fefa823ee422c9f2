"""SQL under guard: what is not one reading of the base's tables is refused by the engine, in French, with its place."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from postgresql_server import reader

from workbench.dgfip import Base, connect, import_balances, sql, write_demonstration
from workbench.engines import Cancellation
from workbench.errors import WorkbenchError

LONG = {
    "duckdb": "SELECT count(*) AS n FROM range(100000000) a, range(100000) b WHERE a.range + b.range = -1",
    "postgresql": "SELECT count(*) AS n FROM generate_series(1, 1000000000) a WHERE a = -1",
}
ENDLESS = {
    "duckdb": "SELECT a.range AS n FROM range(100000000) a, range(100000) b",
    "postgresql": "SELECT a AS n FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b",
}


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """The engines that take SQL: Spark refuses it."""
    if request.param == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        return new_database
    return lambda: str(tmp_path_factory.mktemp("base") / "base.duckdb")


@pytest.fixture(scope="module")
def base(new_url: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """A base on each engine, opened by someone who only reads."""
    written = write_demonstration(tmp_path_factory.mktemp("sql"), communes=2)
    url = new_url()
    as_reader = reader(url, "lectrice") if url.startswith("postgresql") else url
    with connect(url, read_only=False) as opened:
        import_balances(opened, written.balances)
    with connect(as_reader) as opened:
        yield opened


@pytest.fixture
def kind(base: Base) -> str:
    return "postgresql" if base.url.startswith("postgresql") else "duckdb"


def refused(base: Base, text: str, **options: object) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as error:
        sql(base, text, **options)  # type: ignore[arg-type]
    assert "Traceback" not in str(error.value)
    return error.value


def test_a_select_reads(base: Base) -> None:
    result = sql(base, "SELECT exercice, count(*) AS lignes FROM balances GROUP BY exercice ORDER BY 1;")
    assert result.table.column_names == ["exercice", "lignes"]
    assert len(result) > 5
    assert not result.truncated
    with_ = sql(base, "WITH b AS (SELECT siret FROM budgets) SELECT count(DISTINCT siret) AS n FROM b")
    assert with_.table.column(0)[0].as_py() > 1
    assert sql(base, "VALUES (1), (2)").table.column(0).to_pylist() == [1, 2]


def test_values_are_bound(base: Base) -> None:
    hostile = "'; DROP TABLE balances; --"
    found = sql(base, "SELECT count(*) AS n FROM budgets WHERE siret <> $1 AND exercice >= $2", [hostile, 2020])
    assert found.table.column(0)[0].as_py() > 0
    assert refused(base, "SELECT siret FROM budgets WHERE siret = $1").code == "sql_valeurs"
    assert sql(base, "SELECT CAST($1 AS text) AS x", [None]).table.column(0).to_pylist() == [None]
    assert sql(base, "SELECT CAST($1 AS integer) + 1 AS x", [np.int64(1)]).table.column(0).to_pylist() == [2]
    assert refused(base, "SELECT CAST($1 AS text) AS x", parameters=[object()]).code == "argument_inattendu"
    assert refused(base, "SELECT siret FROM budgets WHERE siret = $1", parameters=["a\x00"]).code == "requete_valeur"


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM balances",
        "INSERT INTO comptes VALUES ('M57', '1', 'x')",
        "UPDATE comptes SET libelle = ''",
        "CREATE TABLE x AS SELECT 1 AS n",
        "CREATE TEMP TABLE x (n integer)",
        "DROP TABLE balances",
        "COPY balances TO '/tmp/sortie.csv'",
        "COPY (SELECT 1) TO PROGRAM 'touch /tmp/sortie.csv'",
        "ATTACH '/tmp/x.duckdb' AS x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 1",
        "SET statement_timeout = 0",
        "RESET ALL",
        "BEGIN",
        "COMMIT",
        "VACUUM",
        "CALL force_checkpoint()",
        "PREPARE x AS SELECT 1",
        "EXPORT DATABASE '/tmp/x'",
        "DO $$ BEGIN END $$",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT * FROM pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "WITH x AS (DELETE FROM balances RETURNING *) SELECT * FROM x",
        "SELECT * INTO x FROM balances",
        "SELECT * FROM enable_logging(storage = 'file', storage_path = '/tmp/sortie.csv')",
        "WITH x AS (SELECT * FROM main.Enable_Logging()) SELECT * FROM x",
        "SELECT 1 AS n WHERE 1 IN (SELECT 1 FROM query('SELECT * FROM enable_profiling()'))",
        "DESCRIBE SELECT * FROM enable_profiling(save_location = '/tmp/sortie.csv')",
        "PRAGMA enable_profiling",
        "PRAGMA database_list",
        "EXPLAIN ANALYZE DELETE FROM balances",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM balances",
        "SELECT 1; COMMIT; DELETE FROM balances; --",
        "SELECT 1) TO PROGRAM 'touch /tmp/sortie.csv' --",
        "",
        "  ",
        "-- rien",
        ";",
    ],
)
def test_anything_else_is_refused(base: Base, text: str) -> None:
    before = sql(base, "SELECT count(*) AS n FROM balances").table.column(0)[0].as_py()
    error = refused(base, text)
    assert error.code in {"sql_interdite", "sql_incorrecte", "sql_plusieurs", "sql_vide"}
    assert not os.path.exists("/tmp/sortie.csv")  # noqa: PTH110, S108
    assert sql(base, "SELECT count(*) AS n FROM balances").table.column(0)[0].as_py() == before > 0


@pytest.mark.parametrize(
    "text",
    ["SELECT set_config('default_transaction_read_only', 'off', false)", "SELECT current_setting('search_path')"],
)
def test_settings_last_no_longer_than_a_query(base: Base, kind: str, text: str) -> None:
    if kind == "postgresql":
        sql(base, text)
    else:
        refused(base, text.replace("search_path", "nope"))
    assert refused(base, "DELETE FROM balances").code in {"sql_interdite", "sql_incorrecte"}


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("SELECT nope FROM balances", (1, 8), "la colonne « nope » n'existe pas"),
        ("SELECT siret,\n  comptes\nFROM balances", (2, 3), "Vouliez-vous dire « compte »"),
        ("SELECT *\nFROM balance", (2, 6), "Vouliez-vous dire « balances »"),
        ("SELEC 1", (1, 1), "pas comprise près de « SELEC »"),
        ("SELECT 'é', nope FROM balances", (1, 13), "« nope »"),
        ("SELECT siret FROM balances WHERE", None, "trop tôt"),
        ("SELECT siret, count(*) FROM balances", None, "GROUP BY"),
        ("SELECT CAST('x' AS integer) AS n", None, "pas le type attendu"),
    ],
)
def test_a_mistake_is_shown_in_its_place(base: Base, text: str, place: tuple[int, int] | None, said: str) -> None:
    message = str(refused(base, text))
    assert said in message
    if place is not None:
        line, column = place
        assert f", ligne {line}, colonne {column} :" in message
        shown = message.split("\n")
        caret = next(at for at, each in enumerate(shown) if each.strip() == "^")
        assert shown[caret].index("^") - 2 == column - 1
        assert shown[caret - 1] == "  " + text.split("\n")[line - 1]


def test_rows_are_cut_and_said(base: Base, kind: str) -> None:
    result = sql(base, ENDLESS[kind], limit=1000)
    assert len(result) == 1000
    assert result.truncated
    assert "tronqué" in result.notices[0]
    exact = sql(base, "SELECT exercice FROM budgets", limit=10_000)
    assert not sql(base, "SELECT exercice FROM budgets", limit=len(exact)).truncated


def test_a_long_query_is_cut(base: Base, kind: str) -> None:
    error = refused(base, LONG[kind], timeout=0.3)
    assert error.code == "requete_trop_longue"
    assert "0.3 s" in error.message
    assert len(sql(base, "SELECT 1 AS n")) == 1


def test_a_query_is_cancelled_from_another_thread(base: Base, kind: str) -> None:
    switch = Cancellation()
    timer = threading.Timer(0.3, switch.cancel)
    timer.start()
    assert refused(base, LONG[kind], cancellation=switch).code == "requete_annulee"
    timer.join()
    assert len(sql(base, "SELECT 1 AS n")) == 1


def test_ctrl_c_stops_a_query(base: Base, kind: str) -> None:
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        sql(base, LONG[kind])
    timer.join()
    assert len(sql(base, "SELECT 1 AS n")) == 1


def test_a_role_with_powers_is_refused(new_postgresql: Callable[[], str], tmp_path: object) -> None:
    url = new_postgresql()
    with connect(url, read_only=False) as opened:
        error = refused(opened, "SELECT pg_read_file('/etc/passwd')")
    assert error.code == "sql_role"
    assert "postgres" in error.message


def test_a_closed_base_says_so(base: Base) -> None:
    other = connect(base.store.url, snapshot=base.snapshot) if not base.url.startswith("postgresql") else None
    if other is None:
        return
    other.close()
    assert refused(other, "SELECT 1").code == "base_fermee"
