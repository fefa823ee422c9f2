"""Snapshots: one writer, atomic publication, nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from workbench.engines.duckdb import DuckDBWriter
from workbench.engines.duckdb_store import DuckDBStore
from workbench.errors import WorkbenchError

numbers = Table("numbers", MetaData(), Column("n", Integer))


def add(store: DuckDBStore, n: int) -> None:
    with store.lock(), store.write() as writer:
        writer.create([numbers])
        writer.execute(insert(numbers).values(n=n))


def total(store: DuckDBStore, snapshot: str | None = None) -> int:
    engine, _ = store.open(snapshot)
    value = engine.fetch(select(func.sum(numbers.c.n))).column(0)[0].as_py()
    engine.close()
    return int(value)


@pytest.fixture
def store(tmp_path: Path) -> DuckDBStore:
    return DuckDBStore(str(tmp_path / "base.duckdb"))


def test_each_write_is_a_snapshot(store: DuckDBStore) -> None:
    for n in (1, 10, 100):
        add(store, n)
    assert [total(store, each.id) for each in store.snapshots()] == [1, 11, 111]
    assert [each.id for each in store.snapshots()] == ["00000001", "00000002", "00000003"]
    assert [each.current for each in store.snapshots()] == [False, False, True]
    assert store.path.readlink() == Path("base.duckdb.d/00000003.duckdb")
    assert sorted(each.name for each in store.folder.iterdir()) == [
        ".verrou",
        "00000001.duckdb",
        "00000002.duckdb",
        "00000003.duckdb",
    ]


def test_a_failed_write_changes_nothing(store: DuckDBStore) -> None:
    add(store, 1)

    def fail() -> None:
        with store.lock(), store.write() as writer:
            writer.execute(insert(numbers).values(n=10))
            raise RuntimeError("panne")

    with pytest.raises(RuntimeError, match="panne"):
        fail()
    assert total(store) == 1
    assert len(store.snapshots()) == 1
    assert not (store.folder / ".import").exists()


def test_prune_keeps_the_current_one(store: DuckDBStore) -> None:
    for n in (1, 10, 100, 1000):
        add(store, n)
    # An operator went back to the second one.
    store.path.unlink()
    store.path.symlink_to(Path("base.duckdb.d/00000002.duckdb"))
    assert store.prune(keep=1) == ["00000001", "00000003"]
    assert total(store) == 11
    add(store, 5)
    assert [each.id for each in store.snapshots() if each.current] == ["00000005"]
    assert total(store) == 16
    with pytest.raises(WorkbenchError, match="au moins un"):
        store.prune(keep=0)


def test_a_plain_file_is_read_then_adopted(store: DuckDBStore, tmp_path: Path) -> None:
    writer = DuckDBWriter(tmp_path / "plain.duckdb")
    writer.create([numbers])
    writer.execute(insert(numbers).values(n=7))
    writer.close()
    shutil.copy(tmp_path / "plain.duckdb", store.path)
    assert total(store) == 7
    assert [(each.id, each.current) for each in store.snapshots()] == [("base.duckdb", True)]
    add(store, 1)
    assert store.path.is_symlink()
    assert total(store, "00000001") == 7
    assert total(store) == total(store, "00000002") == 8


def test_a_plain_file_keeps_the_journal_that_a_crash_left(store: DuckDBStore, tmp_path: Path) -> None:
    writer = DuckDBWriter(store.path)
    writer.create([numbers])
    writer.execute(insert(numbers).values(n=7))
    writer.checkpoint()
    writer.execute(insert(numbers).values(n=30))
    for name in ("base.duckdb", "base.duckdb.wal"):
        shutil.copy(tmp_path / name, tmp_path / f"copy_{name}")
    writer.close()
    for name in ("base.duckdb", "base.duckdb.wal"):
        (tmp_path / f"copy_{name}").replace(tmp_path / name)
    assert total(store) == 37
    add(store, 100)
    assert total(store) == 137
    assert total(store, "00000001") == 37
    store.prune(keep=1)
    assert sorted(each.name for each in store.folder.iterdir()) == [".verrou", "00000002.duckdb"]


def test_a_foreign_file_is_neither_read_nor_replaced(store: DuckDBStore) -> None:
    store.path.write_text("ceci n'est pas une base")
    with pytest.raises(WorkbenchError) as error:
        add(store, 1)
    assert error.value.code == "base_illisible"
    assert store.path.read_text() == "ceci n'est pas une base"


def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as error:
        add(DuckDBStore(str(tmp_path / "absent" / "base.duckdb")), 1)
    assert error.value.code == "dossier_absent"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's right to write everywhere."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


def test_a_folder_without_rights_is_named() -> None:
    # Not under tmp_path, whose parents only their owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        with as_nobody(), pytest.raises(WorkbenchError) as error:
            add(DuckDBStore(str(Path(folder) / "base.duckdb")), 1)
    assert error.value.code == "base_non_inscriptible"


WRITE_AND_WAIT = """
import sys, time
from sqlalchemy import Column, Integer, MetaData, Table, insert
from workbench.engines.duckdb_store import DuckDBStore

numbers = Table("numbers", MetaData(), Column("n", Integer))
store = DuckDBStore(sys.argv[1])
with store.lock(), store.write() as writer:
    writer.execute(insert(numbers).values(n=1000))
    print("written", flush=True)
    time.sleep(60)
"""


def test_kill_in_the_middle_of_a_write(store: DuckDBStore, project: Path) -> None:
    add(store, 1)
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, store.url], cwd=project, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        with pytest.raises(WorkbenchError, match="Un autre import est en cours"):
            add(store, 10)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (store.folder / ".import").exists()
    assert total(store) == 1
    deadline = time.monotonic() + 60
    while True:
        try:
            add(store, 10)
            break
        except WorkbenchError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert total(store) == 11
    assert not (store.folder / ".import").exists()
    assert [each.id for each in store.snapshots()] == ["00000001", "00000002"]
