"""``workbench user``: the people of this machine."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.identity.people import People
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM
from workbench.identity.tokens import TokenRules, TokenVerifier
from workbench.registry import open_registry

PASSWORD = "quatre mots sans rapport"  # noqa: S105


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    monkeypatch.setenv("WORKBENCH_IDENTITE", str(tmp_path / "cles"))
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = "") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with pytest.raises(SystemExit) as stop:
        main(["user", *words])
    return int(str(stop.value.code))


def test_people_are_added_listed_changed_and_removed(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "add",
        "Jane@Example.fr",
        "--given-name",
        "Jane",
        "--family-name",
        "Doe",
        "--badge",
        "crp",
        "--badge",
        "bfc",
    )
    assert run(monkeypatch, *words, typed=f"{PASSWORD}\n") == ExitCode.OK
    assert run(monkeypatch, *words, typed=f"{PASSWORD}\n") == ExitCode.REFUSED
    assert run(monkeypatch, "password", "jane@example.fr", typed=f"{PASSWORD} encore\r\n") == ExitCode.OK
    with open_registry(rooms=[ROOM]) as registry:
        assert People(registry).authenticate("jane@example.fr", f"{PASSWORD} encore", "x").badges == ("bfc", "crp")
    assert run(monkeypatch, "badges", "jane@example.fr", "--badge", "France entière") == ExitCode.OK
    assert run(monkeypatch, "space", "jane@example.fr", "urssaf") == ExitCode.OK
    assert run(monkeypatch, "space", "jane@example.fr", "tusd") == ExitCode.REFUSED
    capsys.readouterr()
    assert run(monkeypatch, "list") == ExitCode.OK
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["email"], row["prenom"], row["badges"]) == ("jane@example.fr", "Jane", "France entière")
    assert row["espace"] == "urssaf"
    assert run(monkeypatch, "remove", "jane@example.fr") == ExitCode.OK
    assert "Il n'y a plus personne" in capsys.readouterr().err
    for words in (("remove",), ("badges",), ("password",), ("token",)):
        assert run(monkeypatch, *words, "jane@example.fr", typed=PASSWORD) == ExitCode.REFUSED


def test_a_password_is_never_an_argument(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "add", "jane@example.fr", PASSWORD) == ExitCode.USAGE
    assert run(monkeypatch, "add", "jane@example.fr", "--password", PASSWORD) == ExitCode.USAGE
    assert run(monkeypatch, "add", "jane@example.fr", typed="") == ExitCode.REFUSED
    assert run(monkeypatch, "add", "jane@example.fr", typed="court\n") == ExitCode.REFUSED
    with open_registry(rooms=[ROOM]) as registry:
        assert People(registry).count() == 0


def test_a_typed_password_is_asked_twice_and_not_shown(place: Path) -> None:
    import pty

    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "workbench.cli", "user", "add", "jane@example.fr"]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=dict(os.environ)
    )
    os.close(theirs)
    said = b""
    for question in ("Mot de passe", "Encore une fois"):
        while question.encode() not in said:
            said += os.read(mine, 1000)
        os.write(mine, f"{PASSWORD}\n".encode())
        said = said.replace(b"Mot de passe", b"")
    assert process.wait(60) == 0
    try:
        said += os.read(mine, 10_000)
    except OSError:  # the other end is closed
        said += b""
    os.close(mine)
    assert PASSWORD.encode() not in said


def test_a_token_for_a_script_is_data(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "add", "jane@example.fr", "--badge", "bfc", typed=PASSWORD)
    capsys.readouterr()
    assert run(monkeypatch, "token", "jane@example.fr", "--hours", "2", "--port", "9000") == ExitCode.OK
    out = capsys.readouterr().out
    keys = SigningKeys(place / "cles")

    class Keys:
        get = cached = staticmethod(keys.key)

    verifier = TokenVerifier(TokenRules("http://127.0.0.1:9001", "workbench"), Keys())  # type: ignore[arg-type]
    assert verifier.verify(out.rstrip("\n")).badges == {"bfc"}
    assert run(monkeypatch, "token", "jane@example.fr", "--hours", "25") == ExitCode.USAGE


def test_keys_are_changed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "rotate-keys") == ExitCode.OK
    assert run(monkeypatch, "rotate-keys", "--now") == ExitCode.OK
    assert len(list((place / "cles").glob("*.json"))) == 1
