"""The examination of an installation: each check, good, then with what it is there to find."""

from __future__ import annotations

import http.server
import json
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.config.declared import GIVEN, SETTINGS
from workbench.deployment import machine_checks as machine
from workbench.deployment import service_checks as services
from workbench.deployment.examination import checks, examine
from workbench.deployment.findings import Finding, State
from workbench.errors import WorkbenchError
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM
from workbench.registry import open_registry


@pytest.fixture(autouse=True)
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Path) -> Path:
    """An installation that has nothing but its settings."""
    for each in (*SETTINGS, *GIVEN):
        if each.name != "WORKBENCH_RUNTIME":
            monkeypatch.delenv(each.name, raising=False)
    for name in ("trames", "notebooks", "dashboards"):
        (tmp_path / name).symlink_to(project / name)
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "registre.sqlite"))
    monkeypatch.setenv("WORKBENCH_IDENTITE", str(tmp_path / "identite"))
    monkeypatch.setenv("WORKBENCH_REPORTS", str(tmp_path / "rapports"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def worst(found: Iterable[Finding]) -> Finding:
    order = list(State)
    return max(found, key=lambda each: order.index(each.state))


# --- ports


def test_a_free_port_and_one_that_another_holds() -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        number = door.getsockname()[1]
    assert worst(machine.port("dépôt", number)).state is State.FINE
    with answering({}) as number:
        for service in machine.OURS:
            found = worst(machine.port(service, number))
            assert found.state is State.WRONG
            assert str(number) in found.advice


def test_a_port_that_our_service_holds() -> None:
    policy = {"Content-Security-Policy": "default-src 'self'; frame-ancestors 'self'", "Tus-Resumable": "1.0.0"}
    with answering(policy) as number:
        for service in machine.OURS:
            assert worst(machine.port(service, number)).said == "le service y répond"


def test_our_services_say_what_they_are_known_by(project: Path) -> None:
    from workbench.uploads.protocol import VERSION

    pages = (project / "workbench" / "dashboards" / "application.py").read_text(encoding="utf-8")
    known_by = machine.OURS["tableaux de bord"][3]
    assert f'"{known_by}"' in pages
    assert machine.OURS["dépôt"][3] == VERSION


@contextmanager
def answering(
    headers: dict[str, str], body: Callable[[], bytes] = bytes, moment: datetime | None = None
) -> Iterator[int]:
    """Serve one answer to everything; gives the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            for name, value in {"Date": format_datetime(moment or datetime.now(UTC), usegmt=True), **headers}.items():
                self.send_header(name, value)
            content = body()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_OPTIONS = do_GET  # noqa: N815 - the name that the library looks for

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


# --- folders, disks, libraries, programs


def test_folders(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(machine.folders()).state is State.FINE
    (installation / "rapports").mkdir()
    (installation / "rapports").chmod(0o777)
    found = worst(machine.folders())
    assert (found.subject, found.state) == ("dossier des rapports", State.WRONG)
    assert "chmod o-w" in found.advice
    (installation / "rapports").chmod(0o750)
    (installation / "identite").mkdir(mode=0o755)
    found = worst(machine.folders())
    assert (found.subject, found.state) == ("dossier des clés", State.WRONG)
    (installation / "identite").chmod(0o700)
    monkeypatch.setenv("WORKBENCH_TRAMES", str(installation / "rien"))
    assert worst(machine.folders()).subject == "dossier des trames"
    (installation / "rien").write_text("")
    assert "n'est pas un dossier" in worst(machine.folders()).said


def test_a_folder_that_this_account_may_not_write(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (installation / "rapports").mkdir()

    def access(path: Any, rights: int) -> bool:
        return not (Path(path).name == "rapports" and rights & os.W_OK)

    monkeypatch.setattr(os, "access", access)  # root may write anywhere
    found = worst(machine.folders())
    assert (found.subject, found.state) == ("dossier des rapports", State.WRONG)
    assert "écrire" in found.said


@pytest.mark.parametrize(
    ("total", "free", "state"),
    [
        (1000, 500, State.FINE),
        (1000, 100, State.DOUBT),
        (1000, 30, State.WRONG),
        (40, 20, State.FINE),
        (20, 1, State.WRONG),
    ],
)
def test_disks(total: int, free: int, state: State) -> None:
    usage = {Path("donnees"): (total * machine.GIB, free * machine.GIB)}
    assert worst(machine.disks(usage)).state is state


def test_the_disks_of_this_machine_are_measured() -> None:
    assert all("Gio" in each.said for each in machine.disks())


def test_libraries(tmp_path: Path) -> None:
    click_version = version("click")
    lock = tmp_path / "lock"
    lock.write_text(f"click=={click_version} \\\n    --hash=sha256:0\nabsente-partout==1.0\n")
    assert worst(machine.libraries(lock)).state is State.FINE
    lock.write_text("click==0.0.1 ; python_version < '4' \\\n")
    found = worst(machine.libraries(lock))
    assert found.state is State.DOUBT
    assert f"click {click_version} au lieu de 0.0.1" in found.said
    assert "installées" in next(iter(machine.libraries())).said or worst(machine.libraries()).state is State.DOUBT
    assert worst(machine.libraries(tmp_path / "rien")).state is State.DOUBT


def test_the_library_of_threads() -> None:
    assert worst(machine.openmp("json", "libc.so.6")).state is State.FINE
    assert worst(machine.openmp("json", "libnulle-part.so.1")).advice == "apt install libgomp1"
    assert worst(machine.openmp("module_qui_n_existe_pas")).state is State.UNCONCERNED


def test_chromium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CHROMIUM", str(tmp_path / "absent"))
    assert worst(machine.chromium()).state is State.DOUBT
    (tmp_path / "absent").write_text("#!/bin/sh\n")
    (tmp_path / "absent").chmod(0o755)
    assert worst(machine.chromium()).state is State.FINE


def test_zygotes(tmp_path: Path) -> None:
    for number, name, threads in (("10", "noyaux", 1), ("11", "noyau", 5)):
        for thread in range(threads):
            (tmp_path / number / "task" / str(thread)).mkdir(parents=True)
        (tmp_path / number / "comm").write_text(f"{name}\n")
    assert worst(machine.zygotes(tmp_path.iterdir())).said == "1 en marche, d'un seul fil"
    (tmp_path / "10" / "task" / "9").mkdir()
    assert worst(machine.zygotes(tmp_path.iterdir())).state is State.WRONG
    assert worst(machine.zygotes([])).state is State.UNCONCERNED
    assert worst(machine.zygotes()).state in State


# --- settings and secrets


def test_settings(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(services.configuration()).state is State.FINE
    monkeypatch.setenv("WORKBENCH_DEPOT_TAIL", "3")
    assert "WORKBENCH_DEPOT_TAILLE" in worst(services.configuration()).said
    (installation / "w.toml").write_text("bases = 3")
    monkeypatch.setenv("WORKBENCH_CONFIG", str(installation / "w.toml"))
    found = worst(examine({"réglages": services.configuration}))
    assert (found.state, "ligne 1" in found.said) == (State.WRONG, True)


def test_secrets(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(services.secrets()).state is State.UNCONCERNED
    monkeypatch.setenv("WORKBENCH_CLIENT_SECRET", "s3cr3t")
    found = worst(services.secrets())
    assert (found.state, "WORKBENCH_CLIENT_SECRET_FILE" in found.advice) == (State.DOUBT, True)
    monkeypatch.delenv("WORKBENCH_CLIENT_SECRET")
    secret = installation / "secret"
    secret.write_text("s3cr3t")
    secret.chmod(0o600)
    monkeypatch.setenv("WORKBENCH_CLIENT_SECRET_FILE", str(secret))
    assert worst(services.secrets()).state is State.FINE
    secret.chmod(0o640)
    found = worst(services.secrets())
    assert (found.state, f"chmod 600 {secret}" in found.advice) == (State.WRONG, True)
    assert "s3cr3t" not in repr(list(services.secrets()))


def test_signing_keys_that_others_may_read(installation: Path) -> None:
    SigningKeys(installation / "identite")
    assert worst(services.secrets()).state is State.FINE
    next((installation / "identite").glob("*.json")).chmod(0o644)
    assert worst(services.secrets()).subject == "clé de signature"


# --- registry, base, depot


def test_registry(installation: Path) -> None:
    assert worst(services.registry()).state is State.UNCONCERNED
    with open_registry(rooms=[ROOM]) as opened:
        assert worst(services.registry()).state is State.FINE
        for found, state in (("0000", State.DOUBT), ("9999", State.WRONG)):
            with opened.write() as connection:
                connection.execute(update(ROOM.version_table).values(version_num=found))
            assert worst(services.registry()).state is state
    (installation / "registre.sqlite").write_bytes(b"ce n'est pas une base" * 100)
    (installation / "registre.sqlite-wal").unlink(missing_ok=True)
    assert worst(examine({"registre": services.registry})).state is State.WRONG


@pytest.fixture
def base(installation: Path) -> str:
    """A base without any figure."""
    from workbench.dgfip import connect

    path = installation / "base.duckdb"
    with connect(path, read_only=False):
        return str(path)


def test_base(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_BASE", f"{base}.absente")
    found = worst(examine({"base": services.base}))
    assert (found.state, "n'existe pas" in found.said) == (State.WRONG, True)
    monkeypatch.setenv("WORKBENCH_BASE", base)
    assert worst(services.base()).state is State.FINE
    found = worst(services.base(oldest_days=-1))
    assert (found.state, "workbench base download" in found.advice) == (State.DOUBT, True)


def test_depot(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(services.depot()).state is State.UNCONCERNED
    place = installation / "depot"
    for name in ("tusd", "public", "urssaf"):
        (place / name).mkdir(parents=True)
    (installation / "groupes").write_text(f"{os.getegid()} users\n{os.getegid()} urssaf\n")
    monkeypatch.setenv("WORKBENCH_DEPOT_GROUPES", str(installation / "groupes"))
    assert worst(services.depot()).state in (State.FINE, State.DOUBT)
    assert not list(place.rglob(".controle-*"))
    # Another file system: what a link cannot cross.
    (place / "urssaf").rmdir()
    (place / "urssaf").symlink_to("/dev/shm")  # noqa: S108
    if (place / "urssaf").stat().st_dev == place.stat().st_dev:
        pytest.skip("one file system only on this machine")
    found = worst(services.depot())
    assert (found.state, "urssaf" in found.said) == (State.WRONG, True)
    monkeypatch.setenv("WORKBENCH_DEPOT", str(installation / "rien"))
    assert worst(examine({"dépôt": services.depot})).state is State.WRONG


# --- broker, issuer, clock


def test_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(services.broker()).state is State.UNCONCERNED
    pytest.importorskip("celery", reason="Celery absent: no broker is spoken to")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        monkeypatch.setenv("WORKBENCH_BROKER", f"amqp://atelier:s3cr3t@127.0.0.1:{door.getsockname()[1]}/campagne")
        found = worst(examine({"serveur de messages": services.broker}))
    assert found.state is State.WRONG
    assert "s3cr3t" not in found.said + found.advice


def documents(address: str, signing: SigningKeys, **more: Any) -> dict[str, Any]:
    return {
        "issuer": address,
        "jwks_uri": f"{address}/jwks",
        "authorization_endpoint": f"{address}/a",
        "token_endpoint": f"{address}/t",
        "id_token_signing_alg_values_supported": ["RS256"],
        **signing.jwks(),
        **more,
    }


@pytest.fixture
def announced(installation: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Finding]:
    """Examine an issuer whose one document, keys included, has something changed."""
    keys = SigningKeys(installation / "cles")

    def look(**more: Any) -> Finding:
        document: dict[str, Any] = {}
        with answering({"Content-Type": "application/json"}, lambda: json.dumps(document).encode()) as number:
            address = f"http://127.0.0.1:{number}"
            document.update(documents(address, keys, **more))
            monkeypatch.setenv("WORKBENCH_ISSUER", address)
            return worst(examine({"émetteur": services.issuer}))

    return look


def test_issuer(announced: Callable[..., Finding], monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(services.issuer()).state is State.DOUBT  # nobody logs in
    assert announced().state is State.FINE
    assert "signe par" in announced(id_token_signing_alg_values_supported=["HS256"]).said
    assert "n'annonce pas" in announced(token_endpoint="").said
    assert "clés" in announced(keys=[]).said
    assert "se nomme" in announced(issuer="https://autre.exemple.fr").said
    monkeypatch.setenv("WORKBENCH_ISSUER", "http://127.0.0.1:9")
    assert worst(examine({"émetteur": services.issuer})).state is State.WRONG


def test_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    assert worst(services.clock()).state is State.UNCONCERNED
    for late, state in ((0, State.FINE), (20, State.DOUBT), (3600, State.WRONG)):
        with answering({}, moment=datetime.now(UTC) - timedelta(seconds=late)) as number:
            monkeypatch.setenv("WORKBENCH_ISSUER", f"http://127.0.0.1:{number}")
            assert worst(services.clock()).state is state


def test_an_issuer_that_is_away_tells_no_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_ISSUER", "http://127.0.0.1:9")
    found = worst(examine({"horloge": services.clock}))
    assert (found.state, "abouti" in found.said) == (State.DOUBT, False)


# --- the whole


def test_what_fails_hides_nothing_else() -> None:
    def broken() -> list[Finding]:
        raise ZeroDivisionError

    def away() -> list[Finding]:
        raise WorkbenchError("base_absente", chemin="b.duckdb")

    found = examine({"un": broken, "deux": away, "trois": machine.disks})
    assert [each.state for each in found[:2]] == [State.WRONG, State.WRONG]
    assert len(found) > 2


def test_every_check_is_named_once() -> None:
    assert len(checks()) == 16


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], base: str) -> None:
    def run(*words: str) -> int:
        with pytest.raises(SystemExit) as stop:
            main(["doctor", *words])
        return int(str(stop.value.code))

    monkeypatch.setenv("WORKBENCH_BASE", f"{base}.absente")
    assert run("--json") == ExitCode.FINDINGS
    found = json.loads(capsys.readouterr().out)
    assert {each["subject"] for each in found if each["state"] == "à corriger"} == {"base comptable"}
    assert all(each["advice"] for each in found if each["state"] in ("à corriger", "à voir"))
    monkeypatch.setenv("WORKBENCH_BASE", base)
    assert run() == ExitCode.OK
    shown = capsys.readouterr()
    assert "base comptable" in shown.out
    assert "0 à corriger" in shown.err
