"""A month of fictitious companies through the command line: prepared, checked, read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.signaux_faibles.batches import load_batch
from workbench.signaux_faibles.demonstration import Delivery, write_delivery
from workbench.signaux_faibles.perimetre import read_filter


def run(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(each) for each in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    return write_delivery(
        tmp_path_factory.mktemp("batchs"), "1802", number=12, months=14, errors=2, by_siret=False, seed=1
    )


@pytest.fixture(scope="module")
def descriptor(delivery: Delivery) -> Path:
    path = delivery.folder.parent / "1802.yaml"
    assert run("signaux", "prepare", delivery.folder.parent, "1802", "--to", path, "--name", "fictif") == ExitCode.OK
    return path


def test_every_file_is_recognised(delivery: Delivery, descriptor: Path) -> None:
    batch = load_batch(descriptor)
    assert set(batch.files) == {*delivery.lines, "filter"}
    assert not batch.unknown
    large = {
        company.siren
        for company in delivery.companies
        for place in company.establishments
        if any(month.effectif >= 10 for month in place.months)
    }
    assert read_filter(delivery.folder / "filter_siren_1802.csv") == sorted(large)


def test_the_same_seed_gives_the_same_bytes(delivery: Delivery, tmp_path: Path) -> None:
    again = write_delivery(tmp_path, "1802", number=12, months=14, errors=2, by_siret=False, seed=1)
    for path in again.folder.iterdir():
        if path.suffix != ".xlsx":
            assert path.read_bytes() == (delivery.folder / path.name).read_bytes(), path.name


def test_check_finds_what_was_put_in(
    delivery: Delivery, descriptor: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = tmp_path / "refus.csv"
    code = run(
        *("signaux", "check", descriptor, "--root", delivery.folder.parent, "--no-filter", "--rejected", refused)
    )
    assert code == ExitCode.FINDINGS
    reports = {each["parserCode"]: each for each in json.loads(capsys.readouterr().out)["reports"]}
    for type_, count in delivery.lines.items():
        if type_ == "admin_urssaf":
            continue
        injected = {(error.line, error.column) for error in delivery.errors if error.type == type_}
        report = reports[type_]
        assert report["linesParsed"] == count, type_
        assert report["linesRejected"] == len(injected), type_
        assert report["linesSkipped"] == 0, type_
        assert not report["isFatal"], type_
    with refused.open(encoding="utf-8", newline="") as stream:
        found = {(row["fichier"], int(row["ligne"])) for row in csv.DictReader(stream)}
    assert found == {(error.file, error.line) for error in delivery.errors}
    accounts = sum(len(company.establishments) for company in delivery.companies)
    # Months of accounts go from 2016 to the batch.
    assert reports["admin_urssaf"]["linesValid"] == accounts * 25


def test_check_with_a_perimeter_and_some_types(
    delivery: Delivery, descriptor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = delivery.folder.parent
    assert run("signaux", "check", descriptor, "--root", root, "--parsers", "paydex") == ExitCode.FINDINGS
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    kept = set(read_filter(delivery.folder / "filter_siren_1802.csv"))
    small = [company for company in delivery.companies if company.siren not in kept]
    assert report["linesSkipped"] == 14 * len(small) > 0
    assert report["linesValid"] == 14 * len(kept)
    assert run("signaux", "check", descriptor, "--root", root, "--parsers", "interim") == ExitCode.REFUSED


def test_unknown_types_only_give_an_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"key": "1802", "files": {"interim": ["1802/x"], "paydex": ["1802/absent"]}}))
    assert run("signaux", "check", path, "--root", tmp_path) == ExitCode.REFUSED
    assert "filtre" in capsys.readouterr().err
    assert run("signaux", "check", path, "--root", tmp_path, "--no-filter") == ExitCode.FINDINGS
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert [each["reportType"] for each in reports] == ["CheckBatch", "ImportBatch_error"]
    assert reports[1]["headFatal"] == ["Type de fichier non reconnu: interim"]
    path.write_text(json.dumps({"key": "1802", "files": {"paydex": ["../absent"]}}))
    assert run("signaux", "check", path, "--root", tmp_path, "--no-filter") == ExitCode.REFUSED


def test_parse_file_writes_one_object_a_line(
    delivery: Delivery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts, refused = delivery.folder / "sigfaible_etablissement_utf8.csv", tmp_path / "refus.csv"
    path = delivery.folder / "sigfaible_debits.csv"
    code = run("signaux", "parse-file", "debit", path, "--comptes", accounts, "--rejected", refused)
    assert code == ExitCode.FINDINGS
    read = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = [row for row in read if row["part_patronale"]]
    assert len(read) - len(rows) == sum(
        month.settled is not None for each in delivery.companies for _, month in each.late
    )
    months = [(place, month) for company in delivery.companies for place, month in company.late]
    assert [row["siret"] for row in rows] == [place.siret for place, _ in months]
    assert [row["part_patronale"] for row in rows] == [month.unpaid for _, month in months]
    assert rows[0]["periode"]["start"] == f"{months[0][1].day.isoformat()}T00:00:00Z"
    assert refused.read_text(encoding="utf-8").count("\n") == 1 + 4
    assert run("signaux", "parse-file", "debit", path) == ExitCode.REFUSED
    assert run("signaux", "parse-file", "interim", path) == ExitCode.REFUSED


def test_prepare_writes_every_form(delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
    root = delivery.folder.parent
    for form, key in (("mongodb", "_id"), ("prepare-import", "id"), ("now", "key")):
        assert run("signaux", "prepare", root, "1802", "--form", form) == ExitCode.OK
        assert key in json.loads(capsys.readouterr().out)
    assert run("signaux", "prepare", root, "1802") == ExitCode.OK
    assert "types_complets:" in capsys.readouterr().out
    assert run("signaux", "prepare", root, "1813") == ExitCode.REFUSED
