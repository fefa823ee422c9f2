"""Values written to a DuckDB file: the table is there whole, or the file is as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import workbench as wb
from workbench.dgfip import cells as cells_module
from workbench.dgfip.cells import prepare_cells
from workbench.dgfip.cells_format import block_bounds
from workbench.evaluation import each

YEARS = range(2000, 2100)
TRAME = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]", "A_TAUX": "A_PRODUITS/(D6-C6)[TA:BX]"})


@pytest.fixture
def base(demonstration_base: str):
    with wb.connect(demonstration_base) as opened:
        yield opened


@pytest.fixture
def small_blocks(base: wb.Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches, so that something can happen between two."""
    monkeypatch.setattr("workbench.dgfip.cells_build.block_bounds", lambda unit: block_bounds(unit, 20))
    monkeypatch.setattr(each, "_ROWS_AT_ONCE", 20)
    monkeypatch.setattr(cells_module, "_folders", lambda _: [tmp_path / "cells"])
    assert len(prepare_cells(base)) > 2


def _rows(path: Path, table: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.table(table).fetchall()


def _left(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()} - {"cells"}


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_the_table_holds_the_values(base: wb.Base, tmp_path: Path, small_blocks, layout: str) -> None:
    path = tmp_path / "valeurs.duckdb"
    seen = []
    count = wb.write_each(
        TRAME, base, path, None, YEARS, layout=layout, table="essai", progress=lambda *done: seen.append(done)
    )
    grid = wb.evaluate_each(TRAME, base, None, YEARS).to_pylist()
    rows = _rows(path, "essai")
    assert count == len(rows)
    assert seen[-1][0] == seen[-1][1]
    if layout == "long":
        assert rows == [(row["siret"], row["exercice"], row["indicateur"], row["value"]) for row in grid]
    else:
        assert [(*row[:2], value) for row in rows for value in row[2:]] == [
            (row["siret"], row["exercice"], row["value"]) for row in grid
        ]
    assert _left(tmp_path) == {"valeurs.duckdb"}
    with duckdb.connect(str(path), read_only=True) as connection:
        kinds = dict(zip(connection.table("essai").columns, connection.table("essai").types, strict=True))
    assert (str(kinds["siret"]), str(kinds["exercice"])) == ("VARCHAR", "SMALLINT")


def test_other_tables_stay_and_the_same_one_gives_way(base: wb.Base, tmp_path: Path) -> None:
    path = tmp_path / "valeurs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table mine as select 42 as answer")
        connection.execute("create table valeurs as select 'old' as x")
    wb.write_each(TRAME, base, path, None, YEARS)
    first = _rows(path, "valeurs")
    assert len(first[0]) == 4
    wb.write_each(TRAME, base, path, None, [2022])
    assert {row[1] for row in _rows(path, "valeurs")} == {2022}
    assert _rows(path, "mine") == [(42,)]
    assert wb.write_each(TRAME, base, path, None, [1900], table="vide") == 0
    assert _rows(path, "vide") == []
    assert _left(tmp_path) == {"valeurs.duckdb"}


@pytest.mark.parametrize("there_before", [False, True])
def test_stopped_or_failed_leaves_nothing(base: wb.Base, tmp_path: Path, small_blocks, there_before: bool) -> None:
    path = tmp_path / "valeurs.duckdb"
    if there_before:
        with duckdb.connect(str(path)) as connection:
            connection.execute("create table valeurs as select 1 as x")
    before = path.read_bytes() if there_before else None
    assert wb.write_each(TRAME, base, path, None, YEARS, progress=lambda *_: False) == 0

    def interrupt(_done: int, _total: int) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wb.write_each(TRAME, base, path, None, YEARS, progress=interrupt)
    with pytest.raises(wb.WorkbenchError, match="A_ABSENT"):
        wb.write_each(wb.trame_from_formules({"A_B": "A_ABSENT"}), base, path, None, YEARS)
    assert (path.read_bytes() if path.exists() else None) == before
    assert _left(tmp_path) == ({"valeurs.duckdb"} if there_before else set())


def test_what_is_refused(base: wb.Base, tmp_path: Path, demonstration_base: str) -> None:
    (tmp_path / "texte.duckdb").write_text("not a database, though long enough to be read as one" * 100)
    link = tmp_path / "lien.duckdb"
    link.symlink_to(demonstration_base)
    snapshot = Path(os.path.realpath(demonstration_base))
    size = snapshot.stat().st_size
    for path, table, code in (
        (tmp_path / "x.duckdb", "a b", "table_nom"),
        (tmp_path / "x.duckdb", 'a";drop', "table_nom"),
        (tmp_path / "x.parquet", "valeurs", "table_sans_fichier"),
        (tmp_path / "texte.duckdb", None, "base_illisible"),
        (tmp_path / "absent" / "x.duckdb", None, "valeurs_ecriture"),
        (Path(demonstration_base), "valeurs", "valeurs_dans_la_base"),
        (link, "valeurs", "valeurs_dans_la_base"),
        (snapshot, "valeurs", "valeurs_dans_la_base"),
    ):
        with pytest.raises(wb.WorkbenchError) as refused:
            wb.write_each(TRAME, base, path, None, YEARS, table=table)
        assert refused.value.code == code, path
    assert snapshot.stat().st_size == size
    assert _left(tmp_path) == {"texte.duckdb", "lien.duckdb"}


def test_a_file_that_another_process_writes_is_left_alone(base: wb.Base, tmp_path: Path) -> None:
    path = tmp_path / "valeurs.duckdb"
    program = (
        "import duckdb, sys, time\n"
        "c = duckdb.connect(sys.argv[1])\n"
        "c.execute('create table a (x int)')\n"
        "print(1, flush=True)\n"
        "time.sleep(60)\n"
    )
    holding = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    try:
        assert holding.stdout is not None
        holding.stdout.readline()
        with pytest.raises(wb.WorkbenchError) as refused:
            wb.write_each(TRAME, base, path, None, YEARS)
        assert refused.value.code == "base_illisible"
    finally:
        holding.kill()
        holding.wait()
        holding.stdout.close()
    assert {name for name in _left(tmp_path) if name.startswith(".")} == set()


def test_a_signal_leaves_nothing(demonstration_base: str, tmp_path: Path) -> None:
    program = (
        "import sys, time, workbench as wb\n"
        "base = wb.connect(sys.argv[1])\n"
        "trame = wb.trame_from_formules({'A_B': 'C7[TA:BX]'})\n"
        "def slow(done, total):\n    print(done, flush=True)\n    time.sleep(30)\n"
        "wb.write_each(trame, base, sys.argv[2], None, range(2000, 2100), progress=slow)\n"
    )
    path = tmp_path / "valeurs.duckdb"
    running = subprocess.Popen(
        [sys.executable, "-c", program, demonstration_base, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert running.stdout is not None
        running.stdout.readline()
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert b"KeyboardInterrupt" in said
    assert _left(tmp_path) == set()


def test_csv_says_what_parquet_says(base: wb.Base, small_blocks, tmp_path: Path) -> None:
    rows = wb.write_each(TRAME, base, tmp_path / "v.parquet", None, YEARS, layout="long")
    assert wb.write_each(TRAME, base, tmp_path / "v.csv", None, YEARS, layout="long") == rows
    found = pd.read_csv(tmp_path / "v.csv", dtype={"siret": str})
    expected = pd.read_parquet(tmp_path / "v.parquet")
    assert found["siret"].tolist() == expected["siret"].tolist()
    assert found["value"].tolist() == expected["value"].tolist()
    with pytest.raises(wb.WorkbenchError) as refused:
        wb.write_each(TRAME, base, tmp_path / "v.txt", None, YEARS)
    assert refused.value.code == "valeurs_extension"
    assert sorted(path.name for path in tmp_path.glob("v*")) == ["v.csv", "v.parquet"]
