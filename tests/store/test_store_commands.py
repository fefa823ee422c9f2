"""``workbench store``: what goes in comes out, under the rights of whom it is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli.exits import ExitCode
from workbench.cli.main import main


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*words: str) -> tuple[int, list[Any], str]:
        with pytest.raises(SystemExit) as stop:
            main(["store", *words, "--registre", str(tmp_path / "registre.sqlite")])
        said = capsys.readouterr()
        return int(str(stop.value.code)), [json.loads(line) for line in said.out.splitlines()], said.err

    return command


def test_from_a_file_to_the_journal(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "liste.ndjson"
    sheet = {"key": {"siren": "1"}, "scope": ["bfc"], "value": {"effectif": 12}, "expires": "2030-01-01T00:00:00Z"}
    path.write_text(json.dumps(sheet) + "\n" + json.dumps({**sheet, "key": {"siren": "2"}}), encoding="utf-8")
    assert run("put", "public", str(path), "--email", "ada@exemple.fr")[0] == ExitCode.OK
    code, rows, _ = run("get", "public", "--badge", "bfc", "--sort", "-effectif", "--limit", "1")
    assert (code, [row["value"] for row in rows]) == (ExitCode.OK, [{"effectif": 12}])
    condition = '{"field": "effectif", "operator": ">", "value": 12}'
    assert run("get", "public", "--badge", "bfc", "--filter", condition)[0] == ExitCode.EMPTY
    assert run("get", "public", "--key", "siren=1")[0] == ExitCode.EMPTY
    assert run("get", "public", "--key", "siren")[0] == ExitCode.USAGE
    assert run("journal")[0] == ExitCode.REFUSED
    _, entries, _ = run("journal", "--badge", "manager", "--reader", "ada@exemple.fr")
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [("put", "2")]
    _, explained, _ = run("why", "public", "--key", "siren=1", "--of-badge", "crp", "--badge", "manager")
    assert [each["missing"] for each in explained[0]["sheets"]] == [["bfc"], ["bfc"]]
    code, _, said = run("purge", "--days", "0", "--badge", "manager")
    assert code == ExitCode.OK
    assert "0 feuillets" in said


def test_a_file_that_is_refused_leaves_nothing(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "liste.json"
    path.write_text('[{"key": {"siren": "1"}, "value": {"a": 1}}, {"key": {}}]', encoding="utf-8")
    code, _, said = run("put", "public", str(path))
    assert code == ExitCode.REFUSED
    assert "[1]" in said
    assert run("get", "public")[0] == ExitCode.EMPTY
    assert run("put", "public", str(tmp_path / "absent.json"))[0] == ExitCode.USAGE
    assert run("protect", "--manager", "chef")[0] == ExitCode.OK
    assert run("journal", "--badge", "chef")[0] == ExitCode.OK
