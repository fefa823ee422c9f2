"""Files that must be refused: what is said, and that nothing changes."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from balance_files import HEADER, row, stored, write_csv, write_parquet

from workbench.dgfip import BadRowsError, Base, connect, import_balances, snapshots
from workbench.engines.duckdb_store import DuckDBStore
from workbench.errors import WorkbenchError


@pytest.fixture
def base(engine_url: str) -> Iterator[Base]:
    with connect(engine_url, read_only=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def empty(new_url: Callable[[], str]) -> Iterator[Base]:
    """Return a base that stays empty, since nothing here gets in."""
    with connect(new_url(), read_only=False) as opened:
        yield opened


def refusal(base: Base, paths: Any) -> WorkbenchError:
    with pytest.raises(WorkbenchError) as error:
        import_balances(base, paths)
    assert stored(base) == []
    assert len(snapshots(base)) == 1
    if isinstance(base.store, DuckDBStore):
        assert not (base.store.folder / ".import").exists()
    assert str(error.value)
    return error.value


@pytest.mark.parametrize(
    ("column", "value", "advice"),
    [
        ("BEDEB", "12 345,00", "1234,56"),
        ("OBNETCRE", "abc", "1234,56"),
        ("OOBCRE", "0,123", "1234,56"),
        ("SD", "x", "1234,56"),
        ("EXER", "20I9", "année"),
        ("EXER", "", "année"),
        ("EXER", "3019", "année"),
        ("IDENT", "", "quatorze chiffres"),
        ("IDENT", "2.13301E+13", "quatorze chiffres"),
        ("IDENT", "213300635-0001", "quatorze chiffres"),
        ("IDENT", "213300635000171", "quatorze chiffres"),
    ],
)
def test_a_bad_value_says_where(empty: Base, tmp_path: Path, column: str, value: str, advice: str) -> None:
    rows = [row(str(compte)) for compte in range(60, 66)]
    rows[3][column] = value
    error = refusal(empty, write_csv(tmp_path / "x.csv", rows))
    assert isinstance(error, BadRowsError)
    [bad] = error.rows
    assert (bad.file, bad.line, bad.column, bad.value) == ("x.csv", 5, column, value)
    assert advice in bad.advice
    assert f"x.csv, ligne 5, colonne {column} : « {value} »" in str(error)
    assert "Rien n'a été importé" in str(error)


def test_lines_are_counted_as_an_editor_does(empty: Base, tmp_path: Path) -> None:
    rows = [row("60", LBUDG="deux\nlignes"), row("61"), row("62", BECRE="?")]
    path = write_csv(tmp_path / "x.csv", rows)
    lines = path.read_text().split("\n")
    path.write_text("\n".join([lines[0], "", *lines[1:3], "", *lines[3:]]))
    error = refusal(empty, path)
    assert isinstance(error, BadRowsError)
    assert (
        error.rows[0].line
        == path.read_text().split("\n").index(next(x for x in path.read_text().split("\n") if "?" in x)) + 1
    )


def test_twenty_bad_rows_are_listed(empty: Base, tmp_path: Path) -> None:
    rows = [row(str(compte), BEDEB="?" if compte % 2 else 0) for compte in range(100, 200)]
    error = refusal(empty, write_csv(tmp_path / "x.csv.gz", rows))
    assert isinstance(error, BadRowsError)
    assert [bad.line for bad in error.rows] == list(range(3, 43, 2))


def test_a_bad_value_of_a_second_file_undoes_the_first(empty: Base, tmp_path: Path) -> None:
    good = write_csv(tmp_path / "a.csv", [row(exercice=2018)])
    assert refusal(empty, [good, write_csv(tmp_path / "b.csv", [row(BEDEB="?")])]).details["fichier"] == "b.csv"


def test_bad_values_of_a_parquet_file(empty: Base, tmp_path: Path) -> None:
    rows = [row("60"), row("61")]
    path = write_parquet(tmp_path / "x.parquet", rows)
    table = pq.read_table(path)
    position = table.column_names.index("bedeb")
    pq.write_table(table.set_column(position, "bedeb", pa.array([1.0, 0.005])), path)
    error = refusal(empty, path)
    assert isinstance(error, BadRowsError)
    assert [(bad.line, bad.column, bad.value) for bad in error.rows] == [(2, "BEDEB", "0.005")]


@pytest.mark.parametrize("cells", [28, 30])
def test_rows_of_another_width(empty: Base, tmp_path: Path, cells: int) -> None:
    path = write_csv(tmp_path / "x.csv", [row("60"), row("61"), row("62")])
    lines = path.read_text().splitlines()
    lines[2] = ";".join([*lines[2].split(";"), "x"][:cells])
    path.write_text("\n".join(lines) + "\n")
    error = refusal(empty, path)
    assert isinstance(error, BadRowsError)
    assert [(bad.line, bad.advice) for bad in error.rows] == [(3, f"29 colonnes attendues, {cells} lues")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "fichier_vide"),
        (b"\n\n", "fichier_vide"),
        ((";".join(HEADER) + "\n").encode(), "fichier_sans_ligne"),
        (b"PK\x03\x04....", "fichier_illisible"),
        (b"PAR1....", "fichier_illisible"),
        (";".join(HEADER).encode("utf-16"), "encodage_inconnu"),
        (b"\x81\x8d;x\n", "encodage_inconnu"),
        ((";".join([*HEADER, "SD"]) + "\n").encode(), "colonne_double"),
    ],
)
def test_files_that_are_no_balance(empty: Base, tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    error = refusal(empty, tmp_path / "x.csv")
    assert error.code == code
    assert error.details["fichier"] == "x.csv"


def test_missing_columns_are_named_with_their_neighbours(empty: Base, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [row()], without=("OBNETCRE", "SD"))
    path.write_text(path.read_text().replace("OBNETDEB", "OBNET_DEB"))
    error = refusal(empty, path)
    assert error.code == "colonnes_absentes"
    assert "il y manque OBNETDEB, OBNETCRE." in error.message
    assert "OBNET_DEB pour OBNETDEB" in error.message


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.999])
def test_a_cut_archive_is_refused(empty: Base, tmp_path: Path, kept: float) -> None:
    path = write_csv(tmp_path / "x.csv.gz", [row(str(compte)) for compte in range(1000, 2000)])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert refusal(empty, path).code == "fichier_tronque"


def test_an_archive_cut_between_two_lines_is_refused(empty: Base, tmp_path: Path) -> None:
    whole = write_csv(tmp_path / "x.csv", [row("60"), row("61")]).read_bytes()
    stream = gzip.compress(whole)
    (tmp_path / "x.csv.gz").write_bytes(stream[:-8])
    assert refusal(empty, tmp_path / "x.csv.gz").code == "fichier_tronque"
    broken = bytearray(stream)
    broken[-6] ^= 0xFF
    (tmp_path / "x.csv.gz").write_bytes(bytes(broken))
    assert refusal(empty, tmp_path / "x.csv.gz").code == "fichier_tronque"


def test_archives_end_to_end_are_one_file(base: Base, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [row("60"), row("61")])
    head, *lines = path.read_bytes().splitlines(keepends=True)
    (tmp_path / "y.csv.gz").write_bytes(gzip.compress(head + lines[0]) + gzip.compress(lines[1]))
    assert import_balances(base, tmp_path / "y.csv.gz").rows == 2


def test_absent_files_and_folders(empty: Base, tmp_path: Path) -> None:
    assert refusal(empty, tmp_path / "absent.csv").code == "fichier_absent"
    assert refusal(empty, str(tmp_path / "*.gz")).code == "fichier_absent"
    assert refusal(empty, []).code == "fichier_absent"
    error = refusal(empty, tmp_path)
    assert error.code == "fichier_dossier"
    assert "/*.csv" in error.hint


def test_two_files_with_one_budget(empty: Base, tmp_path: Path) -> None:
    one = write_csv(tmp_path / "nature.csv", [row("60"), row("60", exercice=2020)])
    other = write_csv(tmp_path / "fonction.csv", [row("60", FONCTION="01")])
    error = refusal(empty, [one, other])
    assert error.code == "budget_double"
    assert "nature.csv et fonction.csv" in error.message
    assert "exercice 2019" in error.message


def test_a_name_that_looks_like_a_pattern(base: Base, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x[1]*?.csv", [row()])
    write_csv(tmp_path / "x1a.csv", [row("61", exercice=2020)])
    assert import_balances(base, path).exercices == (2019,)


def test_a_base_for_reading_refuses(base: Base, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "x.csv", [row()])
    with connect(base.url) as reader:
        assert refusal(reader, path).code == "base_lecture_seule"
    with connect(base.url, read_only=False, snapshot="00000001") as old:
        assert refusal(old, path).code == "base_ancien_etat"


SLOW_IMPORT = """
import sys
from workbench.dgfip import connect, import_balances

def wait(sentence, fraction):
    print(sentence, flush=True)
    if fraction == 1.0:
        sys.stdin.readline()

with connect(sys.argv[1], read_only=False) as base:
    print(import_balances(base, sys.argv[2], progress=wait))
"""


def test_kill_in_the_middle_of_an_import(base: Base, tmp_path: Path, project: Path) -> None:
    import_balances(base, write_csv(tmp_path / "old.csv", [row("60")]))
    new = write_csv(tmp_path / "new.csv", [row("61")])
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_IMPORT, base.url, str(new)],
        cwd=project,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "Remplacement des budgets\n":
            pass
        with pytest.raises(WorkbenchError) as error:
            import_balances(base, new)
        assert error.value.code == "import_en_cours"
        process.kill()
    assert [each["compte"] for each in stored(base)] == ["60"]
    with connect(base.url) as reader:
        assert [each["compte"] for each in stored(reader)] == ["60"]
    assert import_balances(base, new).budgets_replaced == 1
    assert [each["compte"] for each in stored(base)] == ["61"]
    assert [each.id for each in snapshots(base)] == ["00000001", "00000002", "00000003"]
