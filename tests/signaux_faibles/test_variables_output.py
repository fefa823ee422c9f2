"""Variables of a history, in a folder by month and on the standard output, by the command line."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from facts_of_companies import Given, setting
from random_companies import companies, facts_of

from workbench.cli.main import main
from workbench.engines import scratch_writer
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.batches import save_batch
from workbench.signaux_faibles.demonstration import write_delivery
from workbench.signaux_faibles.history import import_batch, open_history
from workbench.signaux_faibles.history.compaction import compact
from workbench.signaux_faibles.prepare import prepare_batch
from workbench.signaux_faibles.variables import (
    Computation,
    Scope,
    compute_variables,
    output,
    relations_of,
    setting_of,
    write_variables,
)
from workbench.signaux_faibles.variables import compute as computing
from workbench.signaux_faibles.variables.company import open_company

TYPES = ("effectif", "debit", "cotisation", "procol", "sirene", "sirene_ul")
CODES = ("effectif", "montant_part_ouvriere", "tag_failure", "date_proc_collective", "departement")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("livraison")
    write_delivery(root, "1802", number=6, months=12, errors=0, types=TYPES)
    batch = prepare_batch(root, "1802").confirmed()
    save_batch(batch, root / "1802.yaml")
    path = str(root / "historique.duckdb")
    with open_history(path, read_only=False) as opened:
        import_batch(opened, batch, root)
        compact(opened)
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["signaux", "variables", *arguments])
    return int(ended.value.code or 0)


def test_a_folder_by_month(history: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "variables"
    asked = [part for code in CODES for part in ("--variable", code)]
    assert run("--base", history, "--to", str(to), "--start", "2017-08", *asked) == 0
    assert "6 mois écrit(s)" in capfd.readouterr().err
    table = pq.read_table(to)
    assert set(table.column_names) == {"siret", "siren", "periode", *CODES}
    assert output.read_manifest(to)["batch"] == "1802"
    assert sum(output.read_manifest(to)["periodes"].values()) == table.num_rows > 6
    assert table["effectif"].null_count < table.num_rows
    # Nothing changed: files stay the same ones.
    before = {each: each.stat().st_ino for each in sorted(to.resolve().rglob("*.parquet"))}
    assert run("--base", history, "--to", str(to), "--start", "2017-08", *asked) == 0
    assert "0 mois écrit(s), 6 inchangé(s)" in capfd.readouterr().err
    assert [each.stat().st_ino for each in sorted(to.resolve().rglob("*.parquet"))] == list(before.values())
    assert len(list((tmp_path / ".variables.versions").iterdir())) == 1
    # Months that are missing are added to those that are there.
    assert run("--base", history, "--to", str(to), "--start", "2017-07", "--missing", *asked) == 0
    assert "1 mois écrit(s), 6 inchangé(s)" in capfd.readouterr().err
    assert min(output.read_manifest(to)["periodes"]) == "2017-07-01"
    assert run("--base", history, "--to", str(to), "--start", "2017-07", "--missing", *asked) == 0
    assert "aucun mois ne manque" in capfd.readouterr().err
    # Months of other variables, or of other companies, are not what is missing.
    assert run("--base", history, "--to", str(to), "--start", "2017-07", "--missing", "--variable", "effectif") != 0
    assert "ne sont pas celles demandées" in capfd.readouterr().err
    assert run("--base", history, "--to", str(to), "--missing", "--siren", "900000013", *asked) != 0
    assert "ne sont pas celles demandées" in capfd.readouterr().err


def test_one_company_on_the_standard_output(history: str, capfd: pytest.CaptureFixture[str]) -> None:
    with open_history(history) as opened:
        siret = opened.fetch(opened.indexed())["siret"][0].as_py()
    assert (
        run("--base", history, "--batch", "1802", "--siren", siret[:9], "--family", "procedures", "--start", "2017-12")
        == 0
    )
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    assert {row["siren"] for row in rows} == {siret[:9]}
    assert [row["periode"] for row in rows if row["siret"] == siret] == ["2017-12-01", "2018-01-01"]
    assert list(rows[0]) == ["siret", "siren", "periode", "etat_proc_collective", "date_proc_collective", "tag_failure"]


def test_what_is_not_known_is_refused(history: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("--base", history, "--variable", "moyenne") != 0
    assert "moyenne" in capfd.readouterr().err
    assert run("--base", history, "--family", "moyenne") != 0
    assert "cotisations" in capfd.readouterr().err
    assert run("--base", history, "--variable", "outcome_failure", "--definition", "compat") != 0
    capfd.readouterr()
    assert run("--base", history, "--siren", "000000000") != 0
    assert capfd.readouterr().out == ""
    assert run("--base", history, "--siren", "12") != 0
    assert "12 » n'est pas un SIREN" in capfd.readouterr().err
    assert run("--base", history, "--month", "2031-01") != 0
    assert "2031-01" in capfd.readouterr().err
    assert run("--base", history, "--to", "/proc/variables") != 0
    assert "ne peuvent pas être écrites dans /proc/variables" in capfd.readouterr().err


def test_parts_at_the_same_time_give_what_one_gives(history: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_history(history) as opened:
        of = setting_of(opened, start=date(2017, 12, 1))
        one = Computation(opened, relations_of(opened), of, Scope.ETABLISSEMENT, CODES)
        whole = pa.concat_tables(compute_variables(one))
        monkeypatch.setattr(computing, "_CELLS", 1)
        parts = list(compute_variables(replace(one, at_once=2)))
    keys = [("siret", "ascending"), ("periode", "ascending")]
    assert len(parts) > 2
    assert pa.concat_tables(parts).sort_by(keys).equals(whole.sort_by(keys))


def test_parts_give_what_the_whole_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scratch_writer(tmp_path) as engine:
        reader = Given(engine, facts_of(companies(3, 12), establishments=3))
        work = Computation(reader, reader.relations, setting("2018-01", "2018-04"), Scope.ETABLISSEMENT, CODES)
        whole = list(compute_variables(work))
        monkeypatch.setattr(computing, "_CELLS", 4 * 3 * (len(CODES) + 3))
        monkeypatch.setattr(output, "_CHUNKS", 1)
        told: list[tuple[int, int]] = []
        parts = list(compute_variables(work, lambda done, total, _: told.append((done, total))))
        # Four at a time, then the rest of the company: it is never cut.
        assert (len(whole), [each.num_rows for each in parts]) == (1, [18, 18])
        assert told == [(0, 12), (6, 12), (12, 12)]
        rows = [row for each in parts for row in each.to_pylist()]
        assert sorted(map(str, rows)) == sorted(map(str, whole[0].to_pylist()))
        written = write_variables(work, tmp_path / "sortie")
        assert (written.rows, len(written.changed)) == (36, 3)
        folder = tmp_path / "sortie" / "periode=2018-01-01"
        # Parts that fit together are one row group.
        assert [pq.ParquetFile(each).num_row_groups for each in folder.iterdir()] == [1]
        together = pq.read_table(folder)
        monkeypatch.setattr(output, "_HELD", 1)
        write_variables(work, tmp_path / "sortie")
        assert sorted(each.name for each in folder.iterdir()) == ["partie-0000.parquet", "partie-0001.parquet"]
        assert pq.read_table(folder).equals(together)


def test_a_failure_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    with scratch_writer(tmp_path) as engine:
        reader = Given(engine, facts_of(companies(3, 2)))
        of = setting("2018-01", "2018-04")
        to = tmp_path / "sortie"
        write_variables(Computation(reader, reader.relations, of, Scope.ETABLISSEMENT, CODES), to)
        before = sorted((str(each), each.stat().st_ino) for each in to.resolve().rglob("*"))

        def fail(done: int, _total: int, _words: str) -> None:
            if done:
                raise KeyboardInterrupt

        again = Computation(reader, reader.relations, of, Scope.ETABLISSEMENT, CODES[:1])
        with pytest.raises(KeyboardInterrupt):
            write_variables(again, to, progress=fail)
        assert sorted((str(each), each.stat().st_ino) for each in to.resolve().rglob("*")) == before
        assert len(list((tmp_path / ".sortie.versions").iterdir())) == 1
        some = Computation(reader, reader.relations, of, Scope.ETABLISSEMENT, CODES[:1], months=[of.start])
        with pytest.raises(WorkbenchError, match="pas celles"):
            write_variables(some, to)
        (tmp_path / "autre").mkdir()
        with pytest.raises(WorkbenchError, match="ne contient pas"):
            write_variables(some, tmp_path / "autre")


def test_a_company_in_a_notebook(history: str) -> None:
    with pytest.raises(WorkbenchError, match="compat, corrige"):
        open_company(base=history, definition="autre")
    company = open_company("12", history)
    with pytest.raises(WorkbenchError, match="SIREN"):
        company.variables("effectif")
    with pytest.raises(WorkbenchError, match="entreprise"):
        company.variables("effectif", scope="groupe")
    company.close()
