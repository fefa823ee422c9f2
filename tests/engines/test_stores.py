"""What every engine does alike: snapshots, one writer, exact types, nothing but reading."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    table,
    text,
    update,
)

from workbench.engines import Engine, Store, open_store
from workbench.errors import WorkbenchError

numbers = Table("numbers", MetaData(), Column("n", Integer))
mixed = Table(
    "references",
    MetaData(),
    Column("petit", SmallInteger, nullable=False),
    Column("grand", BigInteger, nullable=False),
    Column("code", String(3)),
    Column("libelle", Text),
)
HOSTILE = "60'; DROP TABLE numbers; --"
ROWS = [
    (1, 10**15, "a", "l'an"),
    (2, -1, None, "Étain"),
    (3, 2**62, "é", None),
    (4, 0, "B", "zinc\\n"),
    (5, 0, "b", ""),
]


def add(store: Store, n: int) -> None:
    with store.lock(), store.write() as writer:
        writer.create([numbers])
        writer.execute(insert(numbers).values(n=n))


def values(store: Store, snapshot: str | None = None) -> list[int]:
    engine, _ = store.open(snapshot)
    rows = engine.fetch(select(numbers.c.n).order_by(numbers.c.n)).column(0).to_pylist()
    engine.close()
    return rows


@pytest.fixture(autouse=True, scope="module")
def spark_computes_all(spark_computes: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workbench.engines.spark.SparkEngine.small_rows", -1)
        yield


@pytest.fixture
def store(engine_url: str) -> Store:
    return open_store(engine_url)


@pytest.fixture
def engine(store: Store) -> Iterator[Engine]:
    with store.lock(), store.write() as writer:
        writer.create([mixed])
        for row in ROWS:
            writer.execute(insert(mixed).values(dict(zip(mixed.c.keys(), row, strict=True))))
    opened, _ = store.open()
    yield opened
    opened.close()


def test_nothing_is_there_at_first(store: Store) -> None:
    assert not store.exists()
    assert store.snapshots() == []
    with pytest.raises(WorkbenchError) as error:
        store.open()
    assert error.value.code == "base_absente"


def test_each_write_is_a_snapshot(store: Store) -> None:
    for n in (1, 10, 100):
        add(store, n)
    kept = store.snapshots()
    assert [(each.id, each.current) for each in kept] == [
        ("00000001", False),
        ("00000002", False),
        ("00000003", True),
    ]
    assert [values(store, each.id) for each in kept] == [[1], [1, 10], [1, 10, 100]]
    assert [each.date for each in kept] == sorted(each.date for each in kept)
    assert all(each.date.utcoffset() is not None and each.size > 0 for each in kept)


def test_what_is_loaded_then_published(store: Store) -> None:
    for n in (1, 2, 3):
        add(store, n)
    with store.lock(), store.write() as writer:
        writer.create([numbers])
        assert writer.execute(insert(numbers).from_select(["n"], select(literal(20).label("n")))) == 1
        writer.execute(delete(numbers).where(numbers.c.n == 3))
        writer.loaded()
        writer.loaded()
        assert writer.fetch(select(func.count()).select_from(numbers)).column(0).to_pylist() == [3]
        assert writer.execute(update(numbers).where(numbers.c.n >= 2).values(n=numbers.c.n * 10)) == 2
        older = numbers.alias("older")
        smallest = select(func.min(older.c.n)).scalar_subquery()
        assert writer.execute(delete(numbers).where(numbers.c.n == smallest)) == 1
        writer.execute(insert(numbers).values(n=7))
    assert values(store) == [7, 20, 200]
    assert values(store, "00000003") == [1, 2, 3]
    assert values(store, "00000001") == [1]


def test_a_reader_keeps_its_snapshot(store: Store) -> None:
    add(store, 1)
    engine, opened = store.open()
    add(store, 10)
    assert store.prune(keep=1) == ["00000001"]
    assert [each.id for each in store.snapshots()] == ["00000002"]
    assert engine.fetch(select(numbers.c.n)).column(0).to_pylist() == [1]
    assert opened == "00000001"
    engine.close()
    with pytest.raises(WorkbenchError) as error:
        store.open("00000001")
    assert error.value.code == "snapshot_absent"
    assert values(store) == [1, 10]
    add(store, 100)
    assert store.prune(keep=1) == ["00000002"]
    assert values(store) == [1, 10, 100]


def test_a_failed_write_changes_nothing(store: Store) -> None:
    add(store, 1)

    def fail() -> None:
        with store.lock(), store.write() as writer:
            writer.create([numbers])
            writer.execute(insert(numbers).values(n=10))
            writer.loaded()
            writer.execute(delete(numbers))
            raise RuntimeError("panne")

    with pytest.raises(RuntimeError, match="panne"):
        fail()
    assert values(store) == [1]
    assert [each.id for each in store.snapshots()] == ["00000001"]
    add(store, 2)
    assert [each.id for each in store.snapshots()] == ["00000001", "00000002"]


def test_an_absent_snapshot_lists_the_others(store: Store) -> None:
    add(store, 1)
    for wrong in ("00000009", "../base", "", "1"):
        with pytest.raises(WorkbenchError, match="conservés : 00000001"):
            store.open(wrong)
    with pytest.raises(WorkbenchError, match="au moins un"):
        store.prune(keep=0)


def test_two_writers_at_once(store: Store, engine_url: str) -> None:
    add(store, 1)
    with store.lock(), pytest.raises(WorkbenchError) as error:
        add(open_store(engine_url), 10)
    assert error.value.code == "import_en_cours"
    assert error.value.status == 409
    add(store, 10)
    assert values(store) == [1, 10]


WRITE_AND_WAIT = """
import sys, time
from sqlalchemy import Column, Integer, MetaData, Table, delete, insert
from workbench.engines import open_store

numbers = Table("numbers", MetaData(), Column("n", Integer))
store = open_store(sys.argv[1])
with store.lock(), store.write() as writer:
    writer.create([numbers])
    writer.execute(insert(numbers).values(n=1000))
    writer.loaded()
    writer.execute(delete(numbers).where(numbers.c.n == 1))
    print("written", flush=True)
    time.sleep(60)
"""


def test_kill_in_the_middle_of_a_write(store: Store, engine_url: str) -> None:
    add(store, 1)
    with subprocess.Popen(
        [sys.executable, "-c", WRITE_AND_WAIT, engine_url], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        assert values(store) == [1]
        with pytest.raises(WorkbenchError, match="Un autre import est en cours"):
            add(store, 10)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert values(store) == [1]
    deadline = time.monotonic() + 60
    while True:
        try:
            add(store, 10)
            break
        except WorkbenchError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert values(store) == [1, 10]
    assert [each.id for each in store.snapshots()] == ["00000001", "00000002"]


def test_types_are_plain(engine: Engine) -> None:
    c = mixed.c
    rows = engine.fetch(
        select(c.petit, c.grand, c.libelle, func.sum(c.petit).label("total"), func.sum(c.petit).over().label("tout"))
        .group_by(c.petit, c.grand, c.libelle)
        .order_by(c.petit)
    )
    assert rows.schema.types == [pa.int64(), pa.int64(), pa.string(), pa.int64(), pa.int64()]
    assert rows.schema.names == ["petit", "grand", "libelle", "total", "tout"]
    assert rows.column("total").to_pylist() == [1, 2, 3, 4, 5]
    assert set(rows.column("tout").to_pylist()) == {15}
    assert rows.column("grand").to_pylist() == [row[1] for row in ROWS]
    assert rows.column("libelle").to_pylist() == [row[3] for row in ROWS]
    share = engine.fetch(select((c.petit * 1.5).label("part")).where(c.petit == 3))
    assert (share.schema.types, share.column(0).to_pylist()) == ([pa.float64()], [4.5])
    assert engine.fetch(select(c.petit).where(c.petit > 9)).schema.types == [pa.int64()]


def test_text_is_sorted_as_python_does(engine: Engine) -> None:
    codes = engine.fetch(select(mixed.c.code).order_by(mixed.c.code)).column(0).to_pylist()
    assert codes == ["B", "a", "b", "é", None]
    between = engine.fetch(select(mixed.c.code).where(mixed.c.code >= "a", mixed.c.code < "c").order_by(mixed.c.code))
    assert between.column(0).to_pylist() == ["a", "b"]


def test_values_are_bound(engine: Engine) -> None:
    found = engine.fetch(select(mixed.c.libelle).where(mixed.c.libelle.in_([HOSTILE, "l'an", "100%"])))
    assert found.column(0).to_pylist() == ["l'an"]
    assert engine.fetch(select(literal(HOSTILE))).column(0).to_pylist() == [HOSTILE]
    assert engine.fetch(select(mixed.c.libelle).where(mixed.c.libelle == "zinc\\n")).num_rows == 1


def test_tables_of_a_call_are_seen_by_it_alone(engine: Engine) -> None:
    given = table("donnees", column("n"), column("code"))
    rows = pa.table({"n": pa.array([1, None, 3], pa.int32()), "code": pa.array(["b", "a", "zz"])})
    total = select(func.sum(given.c.n).cast(BigInteger))
    joined = select(given.c.code, mixed.c.petit).join(mixed, mixed.c.code == given.c.code).order_by(given.c.code)
    for _ in range(2):
        assert engine.fetch(total, {"donnees": rows}).column(0).to_pylist() == [4]
        assert engine.fetch(joined, {"donnees": rows}).to_pydict() == {"code": ["a", "b"], "petit": [1, 5]}
    many = pa.table({"n": range(5000), "code": [str(n) for n in range(5000)]})
    assert engine.fetch(total, {"donnees": many}).column(0).to_pylist() == [5000 * 4999 // 2]
    assert engine.fetch(total, {"donnees": many.slice(0, 0)}).column(0).to_pylist() == [None]
    with pytest.raises(WorkbenchError) as error:
        engine.fetch(total)
    assert error.value.code == "requete_refusee"


@pytest.mark.parametrize(
    "statement",
    [
        'DELETE FROM "references"',
        "CREATE TABLE other (n integer)",
        "COPY \"references\" TO '/tmp/out.csv'",
        'SELECT 1; DELETE FROM "references"',
        'DROP TABLE "references"',
    ],
)
def test_a_reader_changes_nothing(engine: Engine, statement: str) -> None:
    for tables in (None, {"donnees": pa.table({"n": [1]})}):
        with pytest.raises(WorkbenchError) as error:
            engine.fetch(text(statement), tables)
        assert error.value.code == "requete_refusee"
        assert engine.fetch(select(func.count()).select_from(mixed)).column(0).to_pylist() == [5]


def test_tables_are_named(engine: Engine) -> None:
    assert engine.tables() == {"references"}


def test_a_column_that_comes_later(store: Store) -> None:
    add(store, 1)
    wider = Table("numbers", MetaData(), Column("n", Integer), Column("texte", Text))
    with store.lock(), store.write() as writer:
        assert writer.columns() == {"numbers": {"n"}}
        writer.create([wider])
        assert writer.columns() == {"numbers": {"n", "texte"}}
        writer.execute(insert(wider).values(n=2, texte="deux"))
        writer.loaded()
        writer.execute(update(wider).where(wider.c.n == 1).values(texte="un"))
    with store.lock(), store.write() as writer:
        writer.create([wider])
        writer.loaded()
        writer.execute(insert(wider).values(n=3))
    engine, _ = store.open()
    assert engine.columns() == {"numbers": {"n", "texte"}}
    rows = engine.fetch(select(wider.c.n, wider.c.texte).order_by(wider.c.n)).to_pylist()
    assert rows == [{"n": 1, "texte": "un"}, {"n": 2, "texte": "deux"}, {"n": 3, "texte": None}]
    engine.close()
    engine, _ = store.open("00000001")
    assert engine.fetch(select(numbers.c.n)).column(0).to_pylist() == [1]
    engine.close()


def test_a_mark_is_of_one_snapshot(new_url: Callable[[], str]) -> None:
    marks = []
    for number in (1, 1, 2):
        store = open_store(new_url())
        for _ in range(number):
            add(store, 7)
        engine, _ = store.open()
        again, _ = store.open()
        assert engine.mark == again.mark
        marks.append(engine.mark)
        engine.close()
        again.close()
    # Where it is empty, content alone tells snapshots apart.
    assert len(set(marks)) == 3 or set(marks) == {""}


def test_several_threads_read(engine: Engine) -> None:
    given = table("donnees", column("n"))
    found: list[int] = []

    def read(n: int) -> None:
        for _ in range(5):
            rows = engine.fetch(select(given.c.n), {"donnees": pa.table({"n": [n]})})
            found.append(rows.column(0)[0].as_py() - n)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0] * 20


def test_a_closed_engine_says_so(engine: Engine) -> None:
    engine.close()
    engine.close()
    with pytest.raises(WorkbenchError, match="est fermée"):
        engine.fetch(select(literal(1)))


def test_a_fork_does_not_share_a_connection(engine: Engine) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            engine.fetch(select(literal(1)))
            os.write(writing, b"shared")
        except WorkbenchError as error:
            os.write(writing, error.code.encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert answer.read() == "base_autre_processus"
    assert engine.fetch(select(literal(1).label("un"))).column(0).to_pylist() == [1]


def test_a_store_travels(store: Store) -> None:
    add(store, 1)
    assert values(pickle.loads(pickle.dumps(store))) == [1]  # noqa: S301
