"""Batches, workers and comments as a shell sees them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

import workbench as wb
from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.identity.people import People
from workbench.identity.tables import ROOM as PEOPLE
from workbench.registry import open_registry
from workbench.reports.schedules import ROOM as SCHEDULES


class Shell:
    """Runs commands as one person, with the registry of the test."""

    def __init__(
        self, folder: Path, email: str, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self.email, self.patch, self.capture = folder, email, patch, capture

    def other(self, email: str) -> Shell:
        return Shell(self.folder, email, self.patch, self.capture)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        environment = os.environ | {"WORKBENCH_REGISTRE": str(self.folder / "registre.sqlite")}
        command = [sys.executable, "-m", "workbench.cli", *map(str, arguments)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments: object) -> tuple[int, str, str]:
        self.patch.setenv("WORKBENCH_REGISTRE", str(self.folder / "registre.sqlite"))
        self.patch.setenv("WORKBENCH_COURRIEL", self.email)
        self.capture.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(each) for each in arguments])
        said = self.capture.readouterr()
        return int(str(stop.value.code)), said.out, said.err


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path, "anne@exemple.fr", monkeypatch, capsys)


@pytest.fixture
def trame(tmp_path: Path) -> Path:
    path = tmp_path / "essai.yaml"
    wb.save_trame(wb.trame_from_formules({"A_B": "C7-D7[TA:BX]"}, nomenclature="M57", code="essai"), path)
    return path


@pytest.fixture
def liste(tmp_path: Path, demonstration_siret: str) -> Path:
    path = tmp_path / "liste.csv"
    path.write_text(f"IDENTIFIANT,EXERCICE_MIN,EXERCICE_MAX\n{demonstration_siret},2020,2024\n", encoding="utf-8")
    return path


def test_a_batch_by_its_commands(
    shell: Shell, tmp_path: Path, trame: Path, liste: Path, demonstration_base: str
) -> None:
    to = tmp_path / "campagne"
    code, said, told = shell.run("report", "batch", liste, "--trame", trame, "--to", to, "--base", demonstration_base)
    assert (code, [Path(line).exists() for line in said.splitlines()]) == (ExitCode.OK, [True, True]), told
    assert "terminé : 1" in told
    code, said, _ = shell.run("report", "status")
    lot, _, name, counted = said.strip().split("\t")
    assert (code, name, counted) == (ExitCode.OK, "liste.csv", "terminé : 1")
    code, said, _ = shell.run("report", "status", lot[:20])
    assert said.startswith("1\tTerminé\tEtat_essai_")
    other = shell.other("benoit@exemple.fr")
    assert other.run("report", "status")[:2] == (ExitCode.OK, "")
    for words in (["status"], ["cancel"], ["retry"], ["resume"]):
        code, said, told = other.run("report", *words, lot)
        assert (code, said) == (ExitCode.REFUSED, "")
        assert "workbench report status" in told
    assert shell.run("report", "cancel", lot)[2].startswith("Annulés : 0")
    # Published twice, it is there once; no longer, once its trame asks for other figures.
    for _ in range(2):
        code, _, told = shell.run("report", "publish", lot, "--badge", "bfc")
        assert (code, "1 rapport" in told) == (ExitCode.OK, True), told
    code, said, _ = shell.run("report", "published", "--mine")
    assert (code, [line.split("\t")[4] for line in said.splitlines()]) == (ExitCode.OK, ["essai"])
    wb.save_trame(wb.trame_from_formules({"A_B": "C7[TA:BX]"}, nomenclature="M57", code="essai"), trame)
    code, _, told = shell.run("report", "publish", lot)
    assert (code, "Ligne 1 : " in told) == (ExitCode.FINDINGS, True), told
    assert other.run("report", "published")[0] == ExitCode.EMPTY


def test_a_list_that_is_refused(shell: Shell, tmp_path: Path, trame: Path, demonstration_base: str) -> None:
    bad = tmp_path / "mauvaise.csv"
    bad.write_text("IDENTIFIANT;EXERCICE_MIN;EXERCICE_MAX\n123;2020;2024\n", encoding="utf-8")
    code, said, told = shell.run(
        "report", "batch", bad, "--trame", trame, "--to", tmp_path / "to", "--base", demonstration_base
    )
    assert (code, said) == (ExitCode.REFUSED, "")
    assert "mauvaise.csv" in told
    assert "ligne 2, colonne IDENTIFIANT" in told
    assert "Traceback" not in told
    assert not (tmp_path / "to").exists()


def test_a_worker_makes_what_is_shared(
    shell: Shell, tmp_path: Path, trame: Path, liste: Path, demonstration_base: str
) -> None:
    to = tmp_path / "campagne"
    code, said, told = shell.run(
        "report", "batch", liste, "--trame", trame, "--to", to, "--base", demonstration_base, "--shared"
    )
    assert (code, told.count("workbench report status")) == (ExitCode.OK, 1), told
    planned = tmp_path / "planification"
    asked = (liste, "--trame", trame, "--to", planned, "--base", demonstration_base, "--cron", "0 6 1 * *")
    assert shell.run("report", "schedule", "add", *asked)[0] == ExitCode.OK
    with open_registry(tmp_path / "registre.sqlite", rooms=[SCHEDULES]) as registry, registry.write() as connection:
        connection.execute(
            update(SCHEDULES.metadata.tables["schedules_entry"]).values(due=datetime(2026, 1, 1, tzinfo=UTC))
        )
    worker = shell.start("worker", "--workers", 1)
    try:
        deadline = time.monotonic() + 120
        while not (list(to.glob("Index_*.html")) and list(planned.glob("*/Index_*.html"))):
            assert time.monotonic() < deadline
            assert worker.poll() is None
            time.sleep(0.2)
    finally:
        worker.send_signal(signal.SIGINT)
        _, told = worker.communicate(timeout=60)
    assert worker.returncode == ExitCode.OK, told
    assert sorted(path.suffix for path in to.iterdir()) == [".html", ".xlsx", ".xlsx"]
    assert shell.run("report", "status", said.strip())[1].startswith("1\tTerminé")
    assert len(list(planned.glob("2026-01-01_01h00/*.xlsx"))) == 2


def two_ports() -> int:
    """Find a free port whose next one is free too: that of the issuer."""
    while True:
        with socket.socket() as one, socket.socket() as two, suppress(OSError):
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            two.bind(("127.0.0.1", port + 1))
            return port


def test_the_reports_are_served(
    shell: Shell, tmp_path: Path, trame: Path, demonstration: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    base, siret = demonstration
    monkeypatch.setenv("WORKBENCH_IDENTITE", str(tmp_path / "identite"))
    monkeypatch.setenv("WORKBENCH_TRAMES", str(trame.parent))
    monkeypatch.setenv("WORKBENCH_REPORTS", str(tmp_path / "rapports"))
    port = two_ports()
    options = ("report", "serve", "--port", port, "--base", base, "--workers", 1)
    code, _, told = shell.run(*options)
    assert (code, "workbench user add" in told) == (ExitCode.REFUSED, True)
    with open_registry(tmp_path / "registre.sqlite", rooms=[PEOPLE]) as registry:
        People(registry).add("anne@exemple.fr", "quatre mots sans rapport")
    server = shell.start(*options)
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert f"http://127.0.0.1:{port}/" in line
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            login = {"username": "anne@exemple.fr", "password": "quatre mots sans rapport"}
            client.headers["Authorization"] = (
                f"Bearer {client.post('/users/authenticate/', json=login).json()['token']}"
            )
            (frame,) = client.get("/frames/").json()
            asked = {
                "frame": frame["id"],
                "financial_year_min": 2020,
                "financial_year_max": 2024,
                "identifiers": [siret],
            }
            report = client.post("/reports/", json=asked).json()["report_id"]
            deadline = time.monotonic() + 120
            while client.get(f"/reports/{report}/").json()["state"] == "PENDING":
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert client.get(f"/reports/{report}/download").content[:2] == b"PK"
        assert httpx.get(f"http://127.0.0.1:{port}/sante").json() == {"etat": "vivant"}
        metrics = httpx.get(f"http://127.0.0.1:{port}/metriques").text
        assert re.search(r'^workbench_\w+_count\{[^}]*service="/rapports"', metrics, re.MULTILINE), metrics
    finally:
        server.send_signal(signal.SIGTERM)
        _, told = server.communicate(timeout=60)
    assert server.returncode == ExitCode.OK, told
    assert [path.suffix for path in (tmp_path / "rapports").rglob("*.*")] == [".xlsx"]


def test_comments_by_their_commands(shell: Shell) -> None:
    code, said, _ = shell.run("comment", "add", "À relire <b>vite</b>")
    identifier = said.strip()
    assert (code, len(identifier)) == (ExitCode.OK, 26)
    code, said, _ = shell.run("comment", "list")
    assert said.startswith(f"{identifier}\nanne@exemple.fr, ")
    assert said.endswith("À relire <b>vite</b>\n")
    other = shell.other("benoit@exemple.fr")
    assert other.run("comment", "remove", identifier)[0] == ExitCode.REFUSED
    assert shell.run("comment", "edit", identifier, "Relu")[0] == ExitCode.OK
    assert other.run("comment", "list")[1].endswith("Relu\n")
    assert shell.run("comment", "remove", identifier)[0] == ExitCode.OK
    assert shell.run("comment", "list")[:2] == (ExitCode.OK, "")
