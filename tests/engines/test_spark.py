"""What is Spark's own: addresses, files kept from one snapshot to the next, where work is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from object_store import BUCKET, object_store
from pyarrow import compute, fs
from spark_cluster import SHORT_LIVED, require_spark, standalone_cluster, submitted
from sqlalchemy import BigInteger, Column, Integer, MetaData, Select, Table, Text, column, func, insert, select, table

from workbench.engines import Cancellation, Mapper, QueryEngine, open_store
from workbench.engines import spark_snapshots as snapshots_module
from workbench.engines.spark import SparkEngine
from workbench.engines.spark_address import read_address
from workbench.engines.spark_dialect import compile_statement
from workbench.engines.spark_place import ObjectStore, spark_path
from workbench.engines.spark_snapshots import Snapshots
from workbench.engines.spark_store import SparkStore
from workbench.errors import WorkbenchError

notes = Table("notes", MetaData(), Column("n", Integer), Column("texte", Text))
lines = Table(
    "lignes",
    MetaData(),
    Column("cle", Text, nullable=False),
    Column("n", BigInteger),
    info={"sorted_by": ("cle", "n")},
)


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots_module, "_LINES_OF_FILE", 10)
    monkeypatch.setattr(snapshots_module, "_LINES_OF_GROUP", 4)


@pytest.fixture
def store(new_spark: Callable[[], str]) -> SparkStore:
    from pyspark import cloudpickle

    # Executors cannot import the tests: their functions travel whole.
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    return SparkStore(new_spark())


def fill(store: SparkStore, rows: list[tuple[str, int]]) -> None:
    given = table("donnees", column("cle"), column("n"))
    with store.lock(), store.write() as writer:
        writer.create([lines, notes])
        data = pa.table({"cle": [key for key, _ in rows], "n": [n for _, n in rows]})
        writer.execute(insert(lines).from_select(["cle", "n"], select(given.c.cle, given.c.n)), {"donnees": data})


def described(store: SparkStore, number: str) -> dict:
    return json.loads(Path(store.address.place, number, "etat.json").read_text())["tables"]


KEYS = [f"k{number:02d}" for number in range(12)]
ROWS = [(key, place) for number, key in enumerate(reversed(KEYS)) for place in range(1 + number % 5)]


@pytest.mark.parametrize(
    ("url", "place", "kind", "master"),
    [
        ("spark:///srv/comptes", "/srv/comptes", None, None),
        ("spark:///srv/comptes/?master=local[*]", "/srv/comptes", None, "local[*]"),
        (
            "spark:///srv/mes%20comptes?master=local-cluster[2,1,512]",
            "/srv/mes comptes",
            None,
            "local-cluster[2,1,512]",
        ),
        ("spark:///srv/c?master=spark://m1:7077,m2:7077", "/srv/c", None, "spark://m1:7077,m2:7077"),
        ("spark://s3://seau/base?master=yarn", "s3://seau/base", "s3", "yarn"),
    ],
)
def test_an_address_says_where_and_who(url: str, place: str, kind: str | None, master: str | None) -> None:
    address = read_address(url)
    assert (address.place, address.store, address.master) == (place, kind, master)
    assert read_address(address.public) == address


@pytest.mark.parametrize(
    "url",
    [
        "spark://",
        "spark://?master=local[2]",
        "spark://maitre:7077",
        "spark://maitre:7077/comptes",
        "spark:///c?master=",
        "spark:///c?master=mesos://x:1",
        "spark:///c?master=local[zéro]",
        "spark:///c?secret_key=s3cret",
        "spark:///c?master=local&secret_key=s3cret",
        "spark:///c?master=spark://user:s3cret@m:7077",
        "spark://ftp://seau/base",
        "spark://s3://AKIA:s3cret@seau/base",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(WorkbenchError) as error:
        open_store(url)
    assert error.value.code == "adresse_spark"
    assert "s3cret" not in str(error.value)
    assert "spark:///dossier/base?master=local[4]" in error.value.hint


def test_files_have_plain_names_for_spark() -> None:
    assert spark_path(read_address("spark:///a/b[1]*"), "x.parquet") == "file:///a/b\\[1\\]\\*/x.parquet"
    assert spark_path(read_address("spark://s3://seau/b"), "x.parquet") == "s3a://seau/b/x.parquet"


def test_missing_pieces_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SparkStore(f"spark://{tmp_path}/base")
    with store.lock(), store.write() as writer:
        writer.create([notes])
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pyspark", None)
        with pytest.raises(WorkbenchError, match=r"workbench\[spark\]"):
            store.open()
    require_spark()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(WorkbenchError) as error:
        store.open()
    assert error.value.code == "java_absent"


def test_one_master_a_process(store: SparkStore, tmp_path: Path) -> None:
    fill(store, ROWS)
    engine, _ = store.open()
    assert list(engine.map_groups("lignes", ["cle"], pa.table({"cle": ["k01"]}), count))
    other = SparkStore(f"spark://{store.address.place}?master=local[3]")
    opened, _ = other.open()
    with pytest.raises(WorkbenchError) as error:
        list(opened.map_groups("lignes", ["cle"], pa.table({"cle": ["k01"]}), count))
    assert error.value.code == "spark_autre_maitre"
    # Without a master in the address, it is the one that runs.
    opened, _ = SparkStore(f"spark://{store.address.place}").open()
    assert list(opened.map_groups("lignes", ["cle"], pa.table({"cle": ["k01"]}), count))


@pytest.mark.usefixtures("small_files")
def test_files_are_sorted_and_keep_keys_whole(store: SparkStore) -> None:
    fill(store, ROWS)
    files = described(store, "00000001")["lignes"]["files"]
    assert len(files) > 1
    assert sum(each["rows"] for each in files) == len(ROWS)
    ends = [end for each in files for end in (each["first"], each["last"])]
    assert ends == sorted(ends)
    assert all(last < first for last, first in zip(ends[1::2], ends[2::2], strict=False))


@pytest.mark.usefixtures("small_files")
def test_what_does_not_change_is_not_written_again(store: SparkStore) -> None:
    fill(store, ROWS)
    with store.lock(), store.write() as writer:
        writer.execute(insert(notes).values(n=1, texte="x"))
    before, after = described(store, "00000001"), described(store, "00000002")
    assert before["lignes"] == after["lignes"]
    assert [each["name"] for each in after["notes"]["files"]] == ["00000002/notes/000000.parquet"]
    assert store.prune(keep=1) == ["00000001"]
    root = Path(store.address.place)
    assert sorted(each.name for each in (root / "00000001").iterdir()) == ["lignes"]
    fill(store, [("z", 1)])
    assert store.prune(keep=1) == ["00000002"]
    assert not (root / "00000001").exists()
    engine, _ = store.open()
    assert engine.fetch(select(func.count().label("n")).select_from(lines)).column(0).to_pylist() == [len(ROWS) + 1]
    assert engine.fetch(select(notes)).to_pylist() == [{"n": 1, "texte": "x"}]
    engine.close()


def test_what_an_interrupted_import_left_goes(store: SparkStore) -> None:
    fill(store, ROWS)
    left = Path(store.address.place, "00000002", "lignes")
    left.mkdir(parents=True)
    (left / "000000.parquet").write_bytes(b"half")
    fill(store, ROWS)
    assert [each.id for each in store.snapshots()] == ["00000001", "00000003"]
    assert not left.exists()


def test_a_damaged_base_says_so(store: SparkStore) -> None:
    fill(store, ROWS)
    Path(store.address.place, "00000001", "etat.json").write_text("{")
    with pytest.raises(WorkbenchError) as error:
        store.open()
    assert error.value.code == "base_illisible"


def count(rows: pa.Table, given: pa.Table) -> Iterator[pa.RecordBatch]:
    """Count the rows of each given key; says which process did it."""
    for key in given["cle"].to_pylist():
        found = compute.sum(compute.equal(rows["cle"].cast(pa.string()), key)).as_py()
        yield pa.record_batch({"cle": [key], "lignes": [found or 0], "processus": [os.getpid()]})


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize("wanted", [KEYS, KEYS[3:4], [], ["a", "k03", "k055", "z"]])
def test_work_goes_to_the_rows(store: SparkStore, wanted: list[str]) -> None:
    fill(store, ROWS)
    engine, _ = store.open()
    assert isinstance(engine, Mapper)
    given = pa.table({"cle": pa.array(wanted, pa.string())})
    done = [row for batch in engine.map_groups("lignes", ["cle", "n"], given, count) for row in batch.to_pylist()]
    expected = [(key, sum(1 for each, _ in ROWS if each == key)) for key in wanted]
    assert [(row["cle"], row["lignes"]) for row in done] == expected
    assert all(row["processus"] != os.getpid() for row in done)
    engine.close()


def fail(rows: pa.Table, given: pa.Table) -> Iterator[pa.RecordBatch]:
    raise ValueError("panne")


@pytest.mark.usefixtures("small_files")
def test_work_that_fails_or_is_left_ends(store: SparkStore) -> None:
    fill(store, ROWS)
    engine, _ = store.open()
    given = pa.table({"cle": KEYS})
    with pytest.raises(WorkbenchError) as error:
        list(engine.map_groups("lignes", ["cle"], given, fail))
    assert error.value.code == "requete_refusee"
    batches = engine.map_groups("lignes", ["cle"], given, count)
    next(batches)
    batches.close()
    assert len(list(engine.map_groups("lignes", ["cle"], given, count))) == len(KEYS)
    engine.close()


@pytest.mark.usefixtures("small_files")
def test_a_statement_reads_the_files_of_its_keys(store: SparkStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SparkEngine, "small_sorted_rows", -1)
    fill(store, ROWS)
    engine, _ = store.open()
    given = table("cles", column("cle"))
    statement = select(func.count().label("n")).select_from(lines)
    narrowed = statement.execution_options(narrowed_by={"lignes": ("cles", "cle")})
    joined = narrowed.join(given, given.c.cle == lines.c.cle)
    tables = {"cles": pa.table({"cle": [KEYS[0]]})}
    for _ in range(2):
        assert engine.fetch(joined, tables).column(0).to_pylist() == [sum(1 for key, _ in ROWS if key == KEYS[0])]
        # Without its join, the statement counts what was read: some files and not all.
        assert 0 < engine.fetch(narrowed, tables).column(0)[0].as_py() < len(ROWS)
        assert engine.fetch(statement).column(0).to_pylist() == [len(ROWS)]
    engine.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT reflect('java.lang.System', 'getProperty', 'user.home')",
        "SELECT java_method('java.lang.System', 'getProperty', 'user.home')",
        "SELECT * FROM parquet.`/`",
        "SELECT TRANSFORM(cle) USING 'cat' AS (a) FROM lignes",
        "SELECT * FROM lignes WHERE cle IN (SELECT TRANSFORM(cle) USING 'cat' AS (a) FROM lignes)",
        "WITH a AS (SELECT 1) INSERT INTO lignes SELECT * FROM a",
        "SET spark.sql.runSQLOnFiles = true",
        "CREATE TEMPORARY VIEW x AS SELECT 1",
        "EXECUTE IMMEDIATE 'SET spark.sql.runSQLOnFiles = true'",
        "WITH a AS (SELECT 1) EXECUTE IMMEDIATE 'CREATE TEMPORARY VIEW x AS SELECT 1'",
        "BEGIN CREATE TEMPORARY VIEW x AS SELECT 1; END",
    ],
)
def test_a_statement_only_reads(store: SparkStore, monkeypatch: pytest.MonkeyPatch, statement: str) -> None:
    from sqlalchemy import text

    monkeypatch.setattr(SparkEngine, "small_sorted_rows", -1)
    fill(store, ROWS)
    engine, _ = store.open()
    with pytest.raises(WorkbenchError) as error:
        engine.fetch(text(f"{statement} -- lignes"))
    assert error.value.code == "requete_refusee"
    engine.close()


def test_a_query_has_a_time(store: SparkStore, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store, ROWS)
    counted = select(func.count().label("n")).select_from(lines)

    def long(tables: int) -> Select[tuple[int]]:
        others = [lines.alias(f"l{number}") for number in range(tables - 1)]
        # A condition on all of them, and that no statistics settle: no planner can tell that nothing meets it.
        total = sum((other.c.n for other in others), start=lines.c.n)
        return select(func.count().label("n")).select_from(lines, *others).where(total % 1000 == 999)

    # Spark's tasks see that they are cancelled between rows of their first table: those of more tables would go on.
    for small_rows, endless in ((500_000, long(10)), (-1, long(5))):
        # By the driver, then by Spark.
        monkeypatch.setattr(SparkEngine, "small_sorted_rows", small_rows)
        engine, _ = store.open()
        assert isinstance(engine, QueryEngine)
        assert engine.fetch_within(counted, 60).column(0).to_pylist() == [len(ROWS)]
        with pytest.raises(WorkbenchError) as error:
            engine.fetch_within(endless, 2)
        assert error.value.code == "requete_trop_longue"
        switch = Cancellation()
        threading.Timer(1, switch.cancel).start()
        with pytest.raises(WorkbenchError) as error:
            engine.fetch_within(endless, 60, switch)
        assert error.value.code == "requete_annulee"
        assert engine.fetch_within(counted, 60).column(0).to_pylist() == [len(ROWS)]
        text, values = engine.written(counted.where(lines.c.cle == "k01"))
        assert ("$1" in text, values) == (True, ["k01"])
        with pytest.raises(WorkbenchError) as error:
            engine.fetch_text("SELECT 1", [], 10, 10)
        assert error.value.code == "requete_moteur"
        engine.close()


def test_objects_instead_of_a_folder(tmp_path: Path) -> None:
    place = ObjectStore(fs.LocalFileSystem(), str(tmp_path / "seau"), "spark://s3://seau")
    snapshots = Snapshots(place)
    assert snapshots.current() is None
    assert snapshots.known() == snapshots.described() == []
    for number in range(1, 4):
        before = snapshots.current()
        name = snapshots.begin()
        rows = pa.table({"cle": ["a", "b"], "n": [1, number]})
        stored = snapshots.write_table(name, "lignes", rows.to_reader(), ("cle",))
        snapshots.publish(name, {"lignes": stored}, before)
    assert snapshots.current() == "00000003"
    assert [each.id for each in snapshots.described()] == ["00000001", "00000002", "00000003"]
    # Someone else published since this writer began.
    with pytest.raises(WorkbenchError) as error:
        snapshots.publish("00000004", {}, "00000002")
    assert error.value.code == "import_en_cours"
    assert snapshots.prune(1) == ["00000001", "00000002"]
    assert snapshots.known() == ["00000003"]
    # Objects have no locks: what was pruned stays a day for those who read it.
    assert (tmp_path / "seau" / "00000001" / "lignes" / "000000.parquet").exists()
    long_ago = 1_000_000_000
    for number in ("00000001", "00000002"):
        os.utime(tmp_path / "seau" / number / "oublie.json", (long_ago, long_ago))
    assert snapshots.prune(1) == []
    assert not (tmp_path / "seau" / "00000001").exists()


CLUSTER = """
import json, sys
import workbench as wb

with wb.connect(sys.argv[1], read_only=False) as base:
    wb.import_cci(base, execution=sys.argv[2], collectivite=sys.argv[3])
    trame = wb.trame_from_formules({"A_B": "C70[TA:BX]", "A_C": "A_B-A_B[OS:M1]", "A_D": "A_B/$POP"})
    each = wb.evaluate_each(trame, base, exercices=range(2015, 2018), nomenclature=None)
    table = wb.evaluate(trame, base, sirets=["21000000100011"], exercices=range(2015, 2018), nomenclature=None)
print(json.dumps([each["value"].to_pylist(), table.to_numpy().tolist()]))
"""


def evaluated(url: str, folder: Path, **variables: str) -> str:
    years, sirets = (2015, 2016, 2017), ("21000000100011", "21000000200019")
    execution, collectivite = folder / "execution.csv", folder / "collectivite.csv"
    rows = [f"{y},{s},,701,2,0,{y}.{n}7,D" for n, s in enumerate(sirets) for y in years]
    execution.write_text("exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n" + "\n".join(rows) + "\n")
    header = "exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype"
    said = [f"{y},{s},099,001,VILLE,{30 + n},M14,,M14,VILLE,1,101" for n, s in enumerate(sirets) for y in years]
    collectivite.write_text("\n".join([header, *said]) + "\n")
    run = subprocess.run(
        [sys.executable, "-c", CLUSTER, url, str(execution), str(collectivite)],
        capture_output=True,
        text=True,
        timeout=280,
        env={
            **os.environ,
            **SHORT_LIVED,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_SUBMIT_ARGS": submitted("512m"),
            **variables,
        },
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("expected")
    return evaluated(str(folder / "base.duckdb"), folder)


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    with object_store() as found:
        yield found


@pytest.mark.slow
def test_a_cluster_over_an_object_store_gives_the_same(
    expected: str, variables: dict[str, str], tmp_path: Path
) -> None:
    with standalone_cluster(tmp_path) as master:
        url = f"spark://s3://{BUCKET}/grappe?master={master}"
        assert evaluated(url, tmp_path, **variables) == expected


@pytest.mark.usefixtures("variables")
def test_a_base_in_an_object_store() -> None:
    store = SparkStore(f"spark://s3://{BUCKET}/base")
    for number in range(3):
        fill(store, [("a", number), ("b", 2)])
    assert [each.id for each in store.snapshots()] == ["00000001", "00000002", "00000003"]
    engine, _ = store.open()
    assert engine.fetch(select(lines.c.n).where(lines.c.cle == "a")).column(0).to_pylist() == [0, 1, 2]
    assert store.prune(keep=1) == ["00000001", "00000002"]
    assert [each.id for each in store.snapshots()] == ["00000003"]
    engine.close()
    with pytest.raises(WorkbenchError) as error:
        open_store("spark://s3://absent/base").open()
    assert error.value.code in {"base_absente", "base_illisible"}


@pytest.mark.parametrize(
    ("expression", "written"),
    [
        (func.sum(column("n", BigInteger)), "sum(n)"),
        (func.arg_max(column("a"), column("b")), "max_by(a, b) FILTER (WHERE a IS NOT NULL)"),
        (func.starts_with(column("a"), "x"), "startswith(a, :starts_with_1)"),
        (func.row_number().over(order_by=[column("a").desc(), column("b")]), None),
        (column("a", Text).cast(BigInteger), "CAST(a AS BIGINT)"),
        (column("n", Integer).cast(Text), "CAST(n AS STRING)"),
        (column("a b"), "`a b`"),
        (column("a`b"), "`a``b`"),
    ],
)
def test_how_expressions_are_written(expression: object, written: str | None) -> None:
    text, _ = compile_statement(select(expression.label("f")))  # type: ignore[attr-defined]
    if written is None:
        written = "row_number() OVER (ORDER BY a DESC NULLS LAST, b NULLS LAST)"
    assert text == f"SELECT {written} AS f"
