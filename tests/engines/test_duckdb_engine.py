"""The DuckDB reader: what comes out, and what it refuses."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import BigInteger, column, func, insert, literal, select, table, text

from workbench.dgfip.schema import AMOUNTS, balances
from workbench.engines import open_store
from workbench.engines.duckdb import DuckDBEngine, DuckDBWriter
from workbench.errors import WorkbenchError


@pytest.fixture
def engine(tmp_path: Path) -> DuckDBEngine:
    writer = DuckDBWriter(tmp_path / "x.duckdb")
    writer.create([balances])
    amounts = dict.fromkeys(AMOUNTS, 1)
    for compte in ("60", None, "l'an"):
        row = {"exercice": 2019, "siret": "2" * 14, "fonction": "", "compte": compte, "etat": "D", "import_id": 1}
        assert writer.execute(insert(balances).values(**row, **amounts)) == 1
    writer.close()
    return DuckDBEngine(tmp_path / "x.duckdb", "x.duckdb")


def test_types_are_plain(engine: DuckDBEngine) -> None:
    rows = engine.fetch(
        select(balances.c.exercice, balances.c.compte, balances.c.debit_1, func.sum(balances.c.debit_1).label("total"))
        .group_by(*balances.c[:3], balances.c.compte, balances.c.debit_1)
        .order_by(balances.c.compte)
    )
    assert rows.schema.types == [pa.int64(), pa.string(), pa.int64(), pa.int64()]
    assert rows.column("compte").to_pylist() == ["60", "l'an", None]


def test_values_are_bound(engine: DuckDBEngine) -> None:
    hostile = "60'; DROP TABLE balances; --"
    found = engine.fetch(select(balances.c.compte).where(balances.c.compte.in_([hostile, "l'an", "100%"])))
    assert found.column(0).to_pylist() == ["l'an"]
    assert engine.fetch(select(literal(hostile))).column(0).to_pylist() == [hostile]


def test_tables_of_a_call_are_seen_by_it_alone(engine: DuckDBEngine) -> None:
    given = table("donnees", column("n"))
    statement = select(func.sum(given.c.n).cast(BigInteger))
    assert engine.fetch(statement, {"donnees": pa.table({"n": [1, 2, 3]})}).column(0).to_pylist() == [6]
    with pytest.raises(WorkbenchError) as error:
        engine.fetch(statement)
    assert error.value.code == "requete_refusee"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "COPY balances TO 'out.csv'",
        "ATTACH 'other.duckdb'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "DELETE FROM balances",
    ],
)
def test_a_reader_reaches_neither_files_nor_rows(engine: DuckDBEngine, statement: str) -> None:
    with pytest.raises(WorkbenchError) as error:
        engine.fetch(text(statement))
    assert error.value.code == "requete_refusee"
    assert engine.fetch(select(func.count()).select_from(balances)).column(0).to_pylist() == [3]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("exer;ident\n")
    with pytest.raises(WorkbenchError) as error:
        DuckDBEngine(tmp_path / "x.duckdb", "x.duckdb")
    assert error.value.code == "base_illisible"


def test_an_unknown_engine_is_named() -> None:
    with pytest.raises(WorkbenchError, match="« oracle »"):
        open_store("oracle://serveur/base")


def test_an_interruption_is_no_failure_of_the_statement(tmp_path: Path) -> None:
    long = (
        "import sys; from pathlib import Path; from sqlalchemy import text\n"
        "from workbench.engines.duckdb import DuckDBWriter\n"
        "writer = DuckDBWriter(Path(sys.argv[1])); print('ready', flush=True)\n"
        "writer.execute(text('CREATE TABLE t AS SELECT count(*) FROM range(3000000) a, range(3000000) b'))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", long, tmp_path / "x.duckdb"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert said.strip().endswith("KeyboardInterrupt")
