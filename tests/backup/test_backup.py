"""A whole installation saved while people write, and restored in an empty folder: same figures, same rights."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select

from workbench.backup import read_manifest, restore_backup, take_backup
from workbench.backup.manifest import NAME
from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.discussion import ROOM as DISCUSSION
from workbench.discussion import add_comment, comments
from workbench.errors import WorkbenchError
from workbench.identity.people import People
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM as IDENTITY
from workbench.registry import open_registry
from workbench.reports.jobs_tables import ROOM as REPORTS
from workbench.reports.jobs_tables import jobs
from workbench.store import open_store

JEANNE = SimpleNamespace(email="jeanne@exemple.fr", badges={"bfc"})
PAUL = SimpleNamespace(email="paul@exemple.fr", badges={"idf"})
PROJECT = Path(__file__).resolve().parents[2]


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(str(stop.value.code))


def describe(folder: Path, registry: str) -> dict[str, str]:
    """Return the settings of an installation in a folder."""
    return {
        "WORKBENCH_BASE": str(folder / "base.duckdb"),
        "WORKBENCH_HISTORIQUE": str(folder / "historique.duckdb"),
        "WORKBENCH_REGISTRE": registry,
        "WORKBENCH_IDENTITE": str(folder / "identite"),
        "WORKBENCH_DEPOT": str(folder / "depot"),
        "WORKBENCH_REPORTS": str(folder / "rapports"),
        "WORKBENCH_TRAMES": str(folder / "trames"),
        "WORKBENCH_TRAMES_PRIVEES": str(folder / "trames-privees"),
        "WORKBENCH_REQUETES": str(folder / "requetes"),
        "WORKBENCH_REQUETES_PRIVEES": str(folder / "requetes-privees"),
    }


def install(folder: Path, registry: str, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an installation that holds something of everything."""
    for name, value in describe(folder, registry).items():
        monkeypatch.setenv(name, value)
    shutil.copytree(Path(base).with_name("base.duckdb.d"), folder / "base.duckdb.d")
    (folder / "base.duckdb").symlink_to(Path(base).readlink())
    (folder / "trames").mkdir()
    shutil.copy(PROJECT / "trames" / "ofgl_agregats_m57.yaml", folder / "trames")
    SigningKeys(folder / "identite")
    depot = folder / "depot"
    for name in ("tusd", "public", "urssaf"):
        (depot / name).mkdir(parents=True)
    whole = depot / "tusd" / "0a.bin"
    whole.write_bytes(b"siren;montant\n" * 1000)
    (depot / "urssaf" / "debits.csv").hardlink_to(whole)
    (depot / "tusd" / "0a.info").write_text("{}")
    (depot / "tusd" / "0b.bin").write_bytes(b"une partie")
    report = folder / "rapports" / "api" / "2026-01-02"
    report.mkdir(parents=True)
    (report / "rapport.html").write_text("<p>Rapport</p>", encoding="utf-8")
    (report / ".travail-xyz").mkdir()
    (report / ".travail-xyz" / "moitie.html").write_text("moitié")
    with open_store() as store:
        policies = {"bucket": "system", "type": "policy"}
        manager = SimpleNamespace(email="responsable@exemple.fr", badges={"manager"})
        sheet = {"key": {**policies, "name": "prive"}, "scope": [], "value": {"match": "^prive$", "read": ["bfc"]}}
        store.put(manager, "system", [sheet])
        store.put(JEANNE, "prive", [{"key": {"siren": "1"}, "scope": ["bfc"], "value": {"effectif": 12}}])
    with open_registry(rooms=[DISCUSSION, IDENTITY, REPORTS]) as opened:
        add_comment("À relire.", author=JEANNE.email, registry=opened)
        People(opened).add(JEANNE.email, "quatre mots sans rapport", held=["bfc"])
        now = datetime(2026, 1, 2, tzinfo=UTC)
        row: dict[str, Any] = {"id": "01", "position": 0, "author": JEANNE.email, "created": now, "shared": True}
        row |= {"kind": "report", "spec": {}, "folder": str(report), "stem": "rapport", "row": {}, "state": "DONE"}
        row |= {"attempts": 1, "cause": "", "warnings": [], "files": {"html": "rapport.html"}, "facts": {}}
        with opened.write() as connection:
            connection.execute(insert(jobs).values(row))


@pytest.fixture
def installed(tmp_path: Path, registry_address: str, demonstration_base: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "service"
    folder.mkdir()
    install(folder, registry_address, demonstration_base, monkeypatch)
    return folder


def refuses(code: str, asked: Any, *given: Any, **options: Any) -> None:
    with pytest.raises(WorkbenchError) as error:
        asked(*given, **options)
    assert error.value.code == code


@pytest.fixture
def empty_registry(registry_address: str, request: pytest.FixtureRequest) -> str | None:
    """Where a PostgreSQL registry is restored; None for a file."""
    if registry_address.startswith("postgresql"):
        new: Any = request.getfixturevalue("new_postgresql")
        return str(new())
    return None


class Writer:
    """Someone who comments and publishes as fast as she is answered, and remembers what was acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.failures: list[Exception] = []

    def _write(self) -> None:
        try:
            with open_registry(rooms=[DISCUSSION]) as registry, open_store() as store:
                while not self._over.is_set():
                    text = f"acquis {len(self.acknowledged)}"
                    add_comment(text, author=PAUL.email, registry=registry)
                    store.put(JEANNE, "public", [{"key": {"n": text}, "scope": [], "value": {"n": 1}}])
                    self.acknowledged.append(text)
        except Exception as error:  # noqa: BLE001 - told by the test
            self.failures.append(error)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def wait(self, count: int) -> None:
        for _ in range(3000):
            if len(self.acknowledged) >= count or self.failures:
                break
            self._over.wait(0.01)
        assert len(self.acknowledged) >= count, self.failures

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert not self.failures


def test_all_that_was_acknowledged_comes_back_with_its_rights(
    installed: Path, empty_registry: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup, machine = tmp_path / "sauvegarde", tmp_path / "autre"
    with Writer() as writer:
        writer.wait(5)
        before = list(writer.acknowledged)
        manifest = take_backup(backup)
        meanwhile = len(writer.acknowledged)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert manifest == read_manifest(backup)
    assert manifest.registry["kind"] == ("sqlite" if empty_registry is None else "tables")
    assert [each["trame"] for each in manifest.figures] == ["ofgl_agregats_m57.yaml"]

    # The machine that was saved is lost.
    shutil.rmtree(installed)
    restored = restore_backup(backup, machine, registry=empty_registry)
    assert restored.figures > 50
    assert restored.upgraded == ()
    settings = dict(line.split("=", 1) for line in (machine / "workbench.env").read_text().splitlines())
    assert settings == restored.settings
    if empty_registry is not None:
        settings["WORKBENCH_REGISTRE"] = empty_registry
    for name in describe(installed, ""):
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with open_registry(rooms=[DISCUSSION, IDENTITY, REPORTS]) as registry, open_store() as store:
        told = {each.text for each in comments(registry=registry)}
        assert told >= {"À relire.", *before}
        assert len(told) <= meanwhile + 2
        published = {each["key"]["n"] for each in store.get(JEANNE, "public")}
        assert published >= set(before)
        # What came meanwhile is there in order, without a hole: a comment goes before its object.
        assert told - {"À relire."} >= published
        assert published == {f"acquis {number}" for number in range(len(published))}
        assert store.get(JEANNE, "prive")[0]["value"] == {"effectif": 12}
        refuses("sans_donnees", store.get, PAUL, "prive")
        refuses("acces_interdit", store.journal, PAUL)
        store.put(JEANNE, "public", [{"key": {"n": "après"}, "scope": [], "value": {}}])
        assert People(registry).get(JEANNE.email).badges == ("bfc",)
        with registry.read() as connection:
            job = connection.execute(select(jobs)).one()
        assert (Path(job.folder) / job.files["html"]).read_text(encoding="utf-8") == "<p>Rapport</p>"
        assert Path(job.folder).is_relative_to(machine)

    assert SigningKeys(Path(settings["WORKBENCH_IDENTITE"])).jwks()["keys"]
    depot = machine / "depot"
    assert (depot / "tusd" / "0a.bin").samefile(depot / "urssaf" / "debits.csv")
    assert (depot / "tusd" / "0b.bin").read_bytes() == b"une partie"
    assert not list(machine.rglob(".travail*"))
    for path in [*(machine / "cles").glob("*.json"), machine / "workbench.env"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of nearly nothing, in a file."""
    folder = tmp_path / "service"
    (folder / "trames").mkdir(parents=True)
    for name, value in describe(folder, str(folder / "registre.sqlite")).items():
        monkeypatch.setenv(name, value)
    (folder / "depot" / "tusd").mkdir(parents=True)
    (folder / "depot" / "tusd" / "0a.bin").write_bytes(b"contenu")
    add_comment("À relire.", author=JEANNE.email)
    return folder


@pytest.mark.parametrize("room", ["registre", "depot"])
def test_an_interrupted_backup_leaves_nothing_that_looks_whole(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    from workbench.backup import copied

    def cut(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copied.Copied, "made" if room == "registre" else "file", cut)
    refuses("sauvegarde_place", take_backup, tmp_path / "sauvegarde")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["service"]


def test_a_backup_cut_by_force_has_no_manifest(small: Path, tmp_path: Path) -> None:
    """A process that is killed cannot clean; what it leaves is neither named as asked nor taken for a backup."""
    from workbench.backup import taking

    child = os.fork()
    if child == 0:
        vars(taking)["write_manifest"] = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        try:
            take_backup(tmp_path / "sauvegarde")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert not (tmp_path / "sauvegarde").exists()
    left = next(path for path in tmp_path.iterdir() if path.name.endswith(".partiel"))
    assert (left / "registre").is_dir()
    refuses("sauvegarde_illisible", restore_backup, left, tmp_path / "autre")


def test_nothing_is_replaced(small: Path, tmp_path: Path) -> None:
    refuses("sauvegarde_existe", take_backup, small)
    backup = tmp_path / "sauvegarde"
    take_backup(backup)
    refuses("sauvegarde_existe", take_backup, backup)
    refuses("restauration_non_vide", restore_backup, backup, small)
    refuses("restauration_registre", restore_backup, backup, tmp_path / "autre", registry="postgresql://serveur/base")
    assert not (tmp_path / "autre").exists()


def test_the_address_of_a_registry_of_postgresql_is_asked_for(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not among the settings that are written: started without it, the service would open an empty registry."""
    from workbench.backup import Restored

    manifest = take_backup(tmp_path / "sauvegarde")
    restored = Restored(manifest, tmp_path / "service", {}, 0, ())
    monkeypatch.setattr("workbench.backup.restore_backup", lambda *_, **__: restored)
    words = ["restore", str(tmp_path / "sauvegarde"), "--to", str(tmp_path / "autre")]
    for more, asked in (([], False), (["--registre", "postgresql://serveur/base"], True)):
        with pytest.raises(SystemExit):
            main([*words, *more])
        assert ("WORKBENCH_REGISTRE_FILE" in capsys.readouterr().err) is asked


def test_where_nothing_is_a_backup_is_refused(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another account, or settings that were not given: an empty backup would be believed."""
    monkeypatch.setenv("WORKBENCH_REGISTRE", str(tmp_path / "absent" / "registre.sqlite"))
    monkeypatch.setenv("WORKBENCH_BASE", str(tmp_path / "absent.duckdb"))
    refuses("sauvegarde_vide", take_backup, tmp_path / "sauvegarde")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["service"]


def test_a_disk_that_the_registry_fills_is_told(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.registry import copying

    connect = sqlite3.connect

    def narrow(*arguments: Any, **options: Any) -> sqlite3.Connection:
        opened = connect(*arguments, **options)
        opened.execute("PRAGMA max_page_count = 1")
        return opened

    monkeypatch.setattr(copying.sqlite3, "connect", narrow)
    refuses("sauvegarde_place", take_backup, tmp_path / "sauvegarde")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["service"]


def test_a_damaged_backup_is_refused_whole(small: Path, tmp_path: Path) -> None:
    backup = tmp_path / "sauvegarde"
    manifest = take_backup(backup)
    for each in manifest.files:
        path = backup / each.path
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(WorkbenchError) as error:
            restore_backup(backup, tmp_path / "autre")
        assert error.value.code == "sauvegarde_abimee"
        assert each.path in error.value.message
        path.write_bytes(content)
    written = (backup / NAME).read_text(encoding="utf-8")
    for changed in (
        written.replace('"product": "', '"product": "9'),
        written.replace("depot/tusd/0a.bin", "../../ailleurs"),
        written[:-40],
    ):
        (backup / NAME).write_text(changed, encoding="utf-8")
        refuses("sauvegarde_illisible", restore_backup, backup, tmp_path / "autre")
    (backup / NAME).write_text(json.dumps(json.loads(written) | {"format": 2}), encoding="utf-8")
    refuses("sauvegarde_recente", restore_backup, backup, tmp_path / "autre")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sauvegarde", "service"]


def test_paths_that_leave_the_backup_are_refused(small: Path, tmp_path: Path) -> None:
    """Whoever can write a manifest can write its hash."""
    from dataclasses import replace

    from workbench.backup.manifest import write_manifest

    backup = tmp_path / "sauvegarde"
    manifest = take_backup(backup)
    first = manifest.files[0]
    for path in ("../ailleurs", "/etc/passwd", "depot/../../x", ""):
        write_manifest(backup, replace(manifest, files=[replace(first, path=path)]))
        refuses("sauvegarde_illisible", read_manifest, backup)


def test_figures_that_differ_stop_a_restoration(
    tmp_path: Path, demonstration_base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from workbench.backup.manifest import write_manifest

    folder = tmp_path / "service"
    folder.mkdir()
    install(folder, str(folder / "registre.sqlite"), demonstration_base, monkeypatch)
    backup = tmp_path / "sauvegarde"
    manifest = take_backup(backup)
    told = manifest.figures[0]
    code, values = next((code, values) for code, values in told["values"].items() if values[0])
    wrong = {**told, "values": {**told["values"], code: [values[0] + 0.01, *values[1:]]}}
    write_manifest(backup, replace(manifest, figures=[wrong]))
    refuses("restauration_figures", restore_backup, backup, tmp_path / "autre")
    assert not (tmp_path / "autre").exists()


def test_the_commands(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "reglages.toml"
    settings.write_text("secret", encoding="utf-8")
    backup = str(tmp_path / "sauvegarde")
    assert run("backup", "--to", backup, "--with", str(settings)) == ExitCode.OK
    said = capsys.readouterr()
    assert said.out == ""
    assert "La base historique n'existe pas" in said.err
    assert stat.S_IMODE((Path(backup) / "reglages" / "00-reglages.toml").stat().st_mode) == 0o600
    assert run("restore", backup, "--to", str(tmp_path / "autre")) == ExitCode.OK
    assert "workbench.env" in capsys.readouterr().err
    with closing(sqlite3.connect(tmp_path / "autre" / "registre" / "registre.sqlite")) as connection:
        assert connection.execute("SELECT text FROM discussion_comment").fetchall() == [("À relire.",)]
    assert run("restore", str(small), "--to", str(tmp_path / "x")) == ExitCode.REFUSED


def test_programs_of_postgresql_are_used_when_they_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The dump of the server's own programs, and a base of accounts beside the registry."""
    pytest.importorskip("psycopg")
    new: Any = request.getfixturevalue("new_postgresql")
    from postgresql_server import _programs

    folder = tmp_path / "service"
    folder.mkdir()
    for name, value in describe(folder, new()).items():
        monkeypatch.setenv(name, value)
    add_comment("À relire.", author=JEANNE.email)
    manifest = take_backup(tmp_path / "sauvegarde", programs=_programs())
    assert manifest.registry["kind"] == "pg_dump"
    target = str(new())
    restore_backup(tmp_path / "sauvegarde", tmp_path / "autre", registry=target, programs=_programs())
    monkeypatch.setenv("WORKBENCH_REGISTRE", target)
    assert [each.text for each in comments()] == ["À relire."]
    refuses(
        "restauration_non_vide",
        restore_backup,
        tmp_path / "sauvegarde",
        tmp_path / "encore",
        registry=target,
        programs=_programs(),
    )
