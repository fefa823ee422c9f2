"""What runs when a file arrived: a real ClamAV, a real SMTP server, the log of events; quarantine and its end."""

from __future__ import annotations

import json
import shutil
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest_uploads import Service
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.errors import WorkbenchError
from workbench.identity.issuing import Issuer
from workbench.uploads.antivirus import Antivirus
from workbench.uploads.configuration import open_finisher, upload_settings
from workbench.uploads.events import EventLog, read_events
from workbench.uploads.finishing import Finisher
from workbench.uploads.hooks import HookError
from workbench.uploads.info import Info
from workbench.uploads.mail import Mail, MailServer, mail_server
from workbench.uploads.storage import Limits, Storage

PLATFORM = "depot@exemple.fr"
EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!" + "$H+H*"
"""The text that every antivirus calls a virus; in two pieces, so that this file is none."""


class Letters:
    """What a real SMTP server received."""

    def __init__(self) -> None:
        self.received: list[tuple[str, list[str], Any]] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        from email import message_from_bytes
        from email.policy import default

        letter = message_from_bytes(envelope.content, policy=default)
        self.received.append((envelope.mail_from, envelope.rcpt_tos, letter))
        return "250 OK"


@pytest.fixture(scope="module")
def post() -> Iterator[tuple[Letters, MailServer]]:
    controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed")
    letters = Letters()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    door = controller.Controller(letters, hostname="127.0.0.1", port=port, ready_timeout=30)
    door.start()
    yield letters, MailServer("127.0.0.1", port)
    door.stop()


@pytest.fixture
def letters(post: tuple[Letters, MailServer]) -> Letters:
    found = post[0]
    found.received.clear()
    found.refused.clear()
    return found


def finisher_of(depot: Path, *hooks: Any, mail: Mail | None = None) -> Finisher:
    return Finisher(Storage(depot, limits=Limits(spare=0)), hooks, mail)


def scanner(folder: Path, body: str) -> Antivirus:
    """A command in the manner of ClamAV."""
    path = folder / "scan.sh"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return Antivirus(str(path))


# --- antivirus


def test_a_real_clamav_keeps_the_eicar_string_out(tmp_path: Path, depot: Path, issuer: Issuer) -> None:
    if not shutil.which("clamscan"):
        pytest.skip("ClamAV absent: the package clamav is not installed")
    signatures = tmp_path / "local.ndb"
    signatures.write_text(f"Essai.EICAR:0:0:{EICAR.encode().hex()}\n")
    command = f"clamscan --no-summary --alert-exceeds-max=yes --database={signatures}"
    service = Service(depot, issuer, finisher_of(depot, Antivirus(command)))
    path, clean = service.send(b"siren;montant\n")
    assert clean.status == 204
    path, answer = service.send(EICAR.encode(), private="true")
    assert (answer.status, answer.code) == (500, "depot_echec")
    assert list((depot / "urssaf").iterdir()) == []
    outcome = service.storage.outcome(path.rpartition("/")[2])
    assert outcome is not None
    assert (outcome.state, outcome.hook) == ("quarantined", "antivirus")
    assert "Essai.EICAR" in outcome.detail
    impossible = finisher_of(depot, Antivirus(f"clamscan --database={tmp_path / 'absente.ndb'}"))
    path, answer = Service(depot, issuer, impossible).send(b"clean")
    assert answer.status == 500
    assert "n'a pas pu être fait" in json.loads(answer.body)["detail"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("exit 1", "malveillant"),
        ("exit 2", "n'a pas pu être fait"),
        ("kill -9 $$", "n'a pas pu être fait"),
        ("sleep 30", "n'a pas abouti"),
    ],
)
def test_what_is_not_clean_stays_in_quarantine_until_it_is(
    tmp_path: Path, depot: Path, issuer: Issuer, body: str, reason: str
) -> None:
    hook = scanner(tmp_path, body)
    hook.seconds = 0.3 if "sleep" in body else 30
    service = Service(depot, issuer, finisher_of(depot, hook, EventLog(tmp_path / "evenements.ndjson")))
    path, answer = service.send(b"abc", filename="a.csv")
    assert (answer.status, answer.code) == (500, "depot_echec")
    assert reason in json.loads(answer.body)["detail"]
    assert str(tmp_path) not in answer.body.decode()
    assert list((depot / "public").iterdir()) == []
    # Whoever asks again is told: neither that all is well, nor to send it again.
    assert service("HEAD", path).status == 423
    assert service("PATCH", path, body=b"", content_type="application/offset+octet-stream", upload_offset="3").code == (
        "depot_quarantaine"
    )
    assert service("HEAD", path, "bob").status == 404
    assert service("DELETE", path).status == 404
    assert list(read_events(tmp_path / "evenements.ndjson")) == []
    name = path.rpartition("/")[2]
    assert service.finisher.replay(name).state == "quarantined"
    scanner(tmp_path, 'test -r "$1"')
    assert service.finisher.replay(name).state == "published"
    assert service("HEAD", path).status == 200
    assert [each.id for each in read_events(tmp_path / "evenements.ndjson")] == [name]


def test_a_command_that_is_not_there_is_no_answer(depot: Path, issuer: Issuer) -> None:
    service = Service(depot, issuer, finisher_of(depot, Antivirus("no-such-antivirus --quick")))
    assert service.send(b"abc")[1].status == 500
    for wrong in ("", "'"):
        with pytest.raises(WorkbenchError):
            Antivirus(wrong)


# --- e-mail


def test_the_uploader_is_told_and_the_platform_has_a_copy(
    depot: Path, issuer: Issuer, post: tuple[Letters, MailServer], letters: Letters
) -> None:
    mail = Mail(post[1], PLATFORM)
    service = Service(depot, issuer, finisher_of(depot, mail, mail=mail))
    assert service.send(b"abc", filename="effectif été.csv")[1].status == 204
    ((sender, to, letter),) = letters.received
    assert (sender, sorted(to)) == (PLATFORM, ["ada@exemple.fr", PLATFORM])
    assert (letter["subject"], letter["to"]) == ("Fichier transmis avec succès", "ada@exemple.fr")
    assert letter["bcc"] is None
    assert "effectif été.csv" in letter.get_content()
    service.send(b"abc")
    assert len(letters.received) == 1


def test_a_quarantine_is_told_to_the_uploader_and_to_the_operator(
    tmp_path: Path, depot: Path, issuer: Issuer, post: tuple[Letters, MailServer], letters: Letters
) -> None:
    mail = Mail(post[1], PLATFORM)
    hook = scanner(tmp_path, "echo /srv/secret: Win.Test; exit 1")
    service = Service(depot, issuer, finisher_of(depot, hook, mail, mail=mail))
    path, _ = service.send(b"abc", filename="a.csv")
    (_, to, uploader), (_, operator, detailed) = letters.received
    assert (to, operator) == (["ada@exemple.fr"], [PLATFORM])
    assert uploader["subject"] == detailed["subject"] == "Fichier non transmis"
    assert "secret" not in uploader.get_content()
    assert "secret" in detailed.get_content()
    assert f"workbench upload replay {path.rpartition('/')[2]}" in detailed.get_content()


def test_a_server_of_mail_that_is_away_keeps_the_file_until_replay(
    depot: Path, issuer: Issuer, post: tuple[Letters, MailServer], letters: Letters, tmp_path: Path
) -> None:
    mail = Mail(MailServer("127.0.0.1", 9), PLATFORM, seconds=5)
    log = EventLog(tmp_path / "evenements.ndjson")
    service = Service(depot, issuer, finisher_of(depot, mail, log, mail=mail))
    path, answer = service.send(b"abc", filename="a.csv")
    assert (answer.status, answer.code) == (500, "depot_echec")
    assert list((depot / "public").iterdir()) == []
    mail.server = post[1]
    letters.refused.add("ada@exemple.fr")
    assert service.finisher.replay(path.rpartition("/")[2]).hook == "courriel"
    letters.refused.clear()
    letters.received.clear()
    assert service.finisher.replay(path.rpartition("/")[2]).state == "published"
    assert [letter["subject"] for _, _, letter in letters.received] == ["Fichier transmis avec succès"]


@settings(max_examples=40)
@given(
    filename=st.text(max_size=80) | st.sampled_from(["a\r\nBcc: x@exemple.fr", "a\n.\nMAIL FROM:<x>", "\r\n\r\nSalut"]),
    email=st.sampled_from(
        ["ada@exemple.fr", "a@b.fr\r\nBcc: x@exemple.fr", "x@y.fr, z@y.fr", "", "<a@b.fr>", "a b@c.fr"]
    ),
)
def test_no_header_and_no_recipient_is_a_clients(post: tuple[Letters, MailServer], filename: str, email: str) -> None:
    letters, server = post
    letters.received.clear()
    mail = Mail(server, PLATFORM)
    info = Info("0" * 32, 3, {"filename": filename, "email": email, "goup-path": "a\r\nBcc: x@exemple.fr"})
    try:
        mail.tell_failure(info, "raison", "détail\r\nBcc: x@exemple.fr")
    except HookError as error:
        assert "adresse" in error.reason  # noqa: PT017
    known = {"from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version"}
    known |= {"content-type", "content-transfer-encoding", "x-peer"}
    for _, to, letter in letters.received:
        assert set(to) <= {"ada@exemple.fr", PLATFORM}
        assert {name.lower() for name, _ in letter.items()} <= known
        assert sorted(letter.get_all("to")) in ([PLATFORM], ["ada@exemple.fr"])


def test_addresses_of_mail_servers(monkeypatch: pytest.MonkeyPatch, depot: Path) -> None:
    assert mail_server("smtp://127.0.0.1:2525").port == 2525
    assert mail_server("smtps://u:p%40@h").password == "p@"  # noqa: S105
    for wrong in ("smtp.exemple.fr", "http://h", "smtp://", "smtp://h:x", "smtp://h/path"):
        with pytest.raises(WorkbenchError):
            mail_server(wrong)
    with pytest.raises(WorkbenchError) as refused:
        mail_server("smtp://ada:secret@h/path")
    assert "ada" not in str(refused.value)
    monkeypatch.setenv("WORKBENCH_DEPOT_SMTP", "smtp://ada:secret@h")
    with pytest.raises(WorkbenchError) as refused:
        upload_settings(depot)
    assert "EXPEDITEUR" in str(refused.value)
    monkeypatch.setenv("WORKBENCH_DEPOT_EXPEDITEUR", PLATFORM)
    assert "secret" not in repr(upload_settings(depot))
    assert [hook.name for hook in open_finisher(upload_settings(depot)).hooks] == ["courriel", "evenement"]


def test_a_server_that_asks_for_a_password(post: tuple[Letters, MailServer]) -> None:
    mail = Mail(MailServer(post[1].host, post[1].port, user="u", password="p"), PLATFORM)  # noqa: S106
    with pytest.raises(smtplib.SMTPNotSupportedError):
        mail._connection()


# --- events


def test_batches_read_what_arrived_once_and_go_on_from_there(depot: Path, issuer: Issuer) -> None:
    service = Service(depot, issuer, open_finisher(upload_settings(depot)))
    log = depot / "tusd" / "evenements.ndjson"
    first, _ = service.send(b"abc", filename="a.csv", batch="1802", private="true")
    (event,) = read_events(log)
    assert (event.id, event.space, event.private, event.size) == (first.rpartition("/")[2], "urssaf", True, 3)
    assert event.metadata["batch"] == "1802"
    assert event.path.read_bytes() == b"abc"
    assert event.path.with_suffix(".info").exists()
    with log.open("ab") as file:
        file.write(b'{"id": "half')  # a stop in the middle of a line
    second, _ = service.send(b"de")
    assert [each.id for each in read_events(log, event.after)] == [second.rpartition("/")[2]]
    assert len(list(read_events(log))) == 2
    lines = log.read_bytes()
    log.write_bytes(lines + lines)
    assert len(list(read_events(log))) == 2


def test_a_log_that_cannot_be_written_keeps_the_file(depot: Path, issuer: Issuer, tmp_path: Path) -> None:
    service = Service(depot, issuer, finisher_of(depot, EventLog(tmp_path / "absent" / "evenements.ndjson")))
    path, answer = service.send(b"abc")
    assert answer.status == 500
    assert list((depot / "public").iterdir()) == []
    (tmp_path / "absent").mkdir()
    assert service.finisher.replay(path.rpartition("/")[2]).state == "published"


def test_a_space_that_went_away_keeps_the_file(service: Service, depot: Path) -> None:
    path = service.create(3, private="true")
    (depot / "urssaf").rmdir()
    answer = service("PATCH", path, body=b"abc", upload_offset="0")
    assert (answer.status, answer.code) == (500, "depot_echec")
    (depot / "urssaf").mkdir()
    blocked = depot / "urssaf" / f"{path.rpartition('/')[2]}.bin"
    blocked.write_text("something else")
    assert service.finisher.replay(path.rpartition("/")[2]).state == "quarantined"
    assert blocked.read_text() == "something else"
    blocked.unlink()
    assert service.finisher.replay(path.rpartition("/")[2]).state == "published"


# --- the operator's commands


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["upload", *words])
    return int(str(stop.value.code))


def test_the_operator_sees_and_replays_a_quarantine(
    depot: Path, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKBENCH_DEPOT", str(depot))
    assert run("list") == ExitCode.EMPTY
    hook = scanner(tmp_path, "exit 2")
    monkeypatch.setenv("WORKBENCH_DEPOT_ANTIVIRUS", str(tmp_path / "scan.sh"))
    monkeypatch.setenv("WORKBENCH_DEPOT_RESERVE", "0")
    service = Service(depot, issuer, open_finisher(upload_settings()))
    path, _ = service.send(b"abc", filename="a\x1b[31m.csv")
    name = path.rpartition("/")[2]
    part = service.create(10).rpartition("/")[2]
    capsys.readouterr()
    assert run("list", "--quarantine") == ExitCode.OK
    shown = capsys.readouterr().out
    assert name in shown
    assert part not in shown
    assert "\x1b" not in shown
    assert run("list") == ExitCode.OK
    assert part in capsys.readouterr().out
    assert run("replay") == ExitCode.FINDINGS
    assert "en quarantaine" in capsys.readouterr().err
    scanner(tmp_path, "exit 0")
    assert hook.command
    assert run("replay", name) == ExitCode.OK
    assert run("replay", "x") == ExitCode.REFUSED
    assert run("replay", part) == ExitCode.REFUSED
    assert run("purge", "--days", "0") == ExitCode.OK
    assert len(list((depot / "public").iterdir())) == 2


def test_a_storage_is_not_served_without_identity(
    depot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    monkeypatch.delenv("WORKBENCH_ISSUER", raising=False)
    assert run("serve", "--depot", str(depot), "--port", "0") == ExitCode.REFUSED
    assert "s'identifie" in capsys.readouterr().err
    assert run("serve", "--depot", str(tmp_path / "absent")) == ExitCode.REFUSED
    monkeypatch.setenv("WORKBENCH_DEPOT_QUOTA", "beaucoup")
    assert run("list", "--depot", str(depot)) == ExitCode.REFUSED
