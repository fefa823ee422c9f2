"""A month of fictitious companies from its files to its report, by the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from history_files import SIRET, batch_of

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.signaux_faibles.batches import load_batch, save_batch
from workbench.signaux_faibles.demonstration import write_delivery
from workbench.signaux_faibles.history import open_history
from workbench.signaux_faibles.history.export import parts

TYPES = ("effectif", "debit", "apconso", "sirene_ul")


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(each) for each in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of fictitious companies, imported and compacted."""
    folder = tmp_path_factory.mktemp("mois")
    for key in ("1801", "1802"):
        write_delivery(folder, key, number=8, months=12, errors=1, types=TYPES, seed=3)
        descriptor = folder / f"{key}.yaml"
        assert run("signaux", "prepare", folder, key, "--to", descriptor) == ExitCode.OK
        text = descriptor.read_text(encoding="utf-8").replace("à confirmer", "non")
        descriptor.write_text(text, encoding="utf-8")
    base = folder / "h.duckdb"
    assert run("signaux", "import", folder / "1801.yaml", "--root", folder, "--compact", "--base", base) == ExitCode.OK
    return folder


def test_a_month(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ("--base", root / "h.duckdb")
    before = open_history(root / "h.duckdb")
    past = before.counts("1801")
    before.close()
    capsys.readouterr()
    assert run("signaux", "import", root / "1802.yaml", "--root", root, *base) == ExitCode.OK
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert {each["reportType"] for each in reports} == {"ImportBatch"}
    assert sum(each["linesRejected"] for each in reports) >= 4
    run("signaux", "validate", "--waiting", *base)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {each["batchKey"] for each in said} <= {"1802"}
    assert run("signaux", "batches", *base) == ExitCode.OK
    assert "en attente : apconso, debit" in capsys.readouterr().out.splitlines()[1]
    assert run("signaux", "compact", "--since-batch", "1807", *base) == ExitCode.REFUSED
    assert run("signaux", "compact", "--since-batch", "1802", *base) == ExitCode.OK
    captured = capsys.readouterr()
    changes = {each["type"]: each for each in json.loads(captured.out)["changes"]}
    with open_history(root / "h.duckdb") as history:
        assert history.counts("1801") == past
        now = history.counts()
        for type_, change in changes.items():
            assert change["before"] + change["added"] - change["removed"] == change["alive"] == now[type_], type_
            assert change["before"] == past[type_]
        assert changes["effectif"]["complete"]
        assert changes["effectif"]["removed"] > 0
        assert changes["debit"]["removed"] == 0
    assert run("signaux", "compact", *base) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == {"changes": []}

    assert run("signaux", "state", "effectif", "--as-of", "1801", "--limit", "3", *base) == ExitCode.OK
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 3
    assert set(rows[0]) == {"siret", "numero_compte", "periode", "effectif"}
    assert run("signaux", "state", "effectif", *base) == ExitCode.OK
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == now["effectif"]
    with open_history(root / "h.duckdb") as history:
        # What is read part after part is what is read at once.
        said = pa.concat_tables(parts(history, history.state("effectif"), at_once=1))
        assert said["siret"].to_pylist() == [row["siret"] for row in rows]
        assert said.sort_by([(name, "ascending") for name in said.column_names]) == history.fetch(
            history.state("effectif")
        ).sort_by([(name, "ascending") for name in said.column_names])
    assert run("signaux", "state", "interim", *base) == ExitCode.REFUSED
    assert run("signaux", "validate", "--as-of", "18", *base) == ExitCode.REFUSED
    capsys.readouterr()

    assert run("signaux", "rejected", "1802", *base) == ExitCode.OK
    rejected = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {(each["fichier"], int(each["ligne"])) for each in rejected} >= {("/1802/sigfaible_debits.csv", 2)}
    lines = {(each["fichier"], each["ligne"]) for each in rejected}
    assert len(lines) == sum(each["linesRejected"] for each in reports)

    target = root / "livraison"
    assert run("signaux", "export", target, *base) == ExitCode.OK
    report = (target / "rapport.md").read_text(encoding="utf-8")
    assert report.startswith("# Batch 1802")
    assert "| effectif | complète |" in report
    table = pq.read_table(target / "debit.parquet")
    assert table.num_rows == now["debit"]
    assert str(table.schema.field("part_patronale").type) == "decimal128(38, 2)"
    # A view of what was never imported is a file all the same, without rows.
    assert pq.read_table(target / "clean_sirene_histo.parquet").num_rows == 0
    assert str(root) not in report


def test_pruning_and_purging(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ("--base", tmp_path / "h.duckdb")
    for key, kept in (("1901", ["111111111", "222222222"]), ("1902", ["111111111"])):
        facts = {SIRET: "a", "22222222200000": "b"}
        save_batch(batch_of(tmp_path, key, {"apconso": facts}, perimetre=kept), tmp_path / f"{key}.yaml")
        assert load_batch(tmp_path / f"{key}.yaml").key == key
        assert run("signaux", "import", tmp_path / f"{key}.yaml", "--root", tmp_path, "--compact", *base) == ExitCode.OK
    capsys.readouterr()
    for more in ((), ("--delete",)):
        assert run("signaux", "prune", "1902", *more, *base) == ExitCode.OK
        assert json.loads(capsys.readouterr().out) == {"count": 1}
    assert run("signaux", "purge", *base) == ExitCode.USAGE
    assert run("signaux", "purge", "--since-batch", "1902", *base) == ExitCode.OK
    assert "1902" in capsys.readouterr().err
    with open_history(tmp_path / "h.duckdb") as history:
        assert [each.key for each in history.batches()] == ["1901", "1902"]
    sure = "--i-understand-what-im-doing"
    assert run("signaux", "purge", "--since-batch", "1902", sure, *base) == ExitCode.OK
    assert run("signaux", "import", tmp_path / "1902.yaml", "--root", tmp_path, *base) == ExitCode.OK
    assert run("signaux", "purge", "--waiting", sure, *base) == ExitCode.OK
    with open_history(tmp_path / "h.duckdb") as history:
        assert [each.key for each in history.batches()] == ["1901"]
        assert history.counts()["apconso"] == 1
