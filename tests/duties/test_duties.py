"""How long things are kept, and what is told to a person of herself."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from declared_rooms import declared_rooms
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.discussion import ROOM as DISCUSSION
from workbench.discussion import add_comment, comments
from workbench.duties import known_of, purge_all, retention
from workbench.errors import WorkbenchError
from workbench.identity.people import People
from workbench.identity.tables import ROOM as IDENTITY
from workbench.registry import Registry, open_registry
from workbench.reports.jobs_tables import ROOM as REPORTS
from workbench.reports.jobs_tables import jobs
from workbench.store import Store, open_store
from workbench.store.tables import JOURNAL
from workbench.uploads.outcome import Outcome

ANNE = SimpleNamespace(email="anne@exemple.fr", badges={"bfc"})
PAUL = SimpleNamespace(email="paul@exemple.fr", badges={"bfc"})
MANAGER = SimpleNamespace(email="responsable@exemple.fr", badges={"manager"})
NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=400)


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(str(stop.value.code))


def job(identifier: str, author: str, ended: datetime, folder: Path, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"id": identifier, "position": 0, "author": author, "created": ended, "shared": True}
    row |= {"kind": "report", "spec": {}, "folder": str(folder), "stem": identifier, "row": {}, "state": "DONE"}
    row |= {"attempts": 1, "cause": "", "warnings": [], "files": {"html": f"{identifier}.html"}, "facts": {}}
    return row | {"ended": ended, "token": "jeton-secret"} | more


@pytest.fixture
def registry(registry_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A registry with old things and recent ones, of two people."""
    monkeypatch.setenv("WORKBENCH_REGISTRE", registry_address)
    monkeypatch.setenv("WORKBENCH_REPORTS", str(tmp_path / "rapports"))
    monkeypatch.setenv("WORKBENCH_DEPOT", str(tmp_path / "depot"))
    with open_registry(rooms=[DISCUSSION, REPORTS, IDENTITY]) as opened, open_store() as now:
        past = Store(now.registry, clock=lambda: OLD)
        for store in (past, now):
            key = {"agent": ANNE.email, "n": str(store is past)}
            store.put(ANNE, "suivi", [{"key": key, "scope": [], "value": {"siren": "1"}}])
            store.get(PAUL, "suivi")
        folder = tmp_path / "rapports" / "api" / "2025"
        folder.mkdir(parents=True)
        rows = [job("vieux", ANNE.email, OLD, folder), job("recent", ANNE.email, NOW, folder)]
        for row in rows:
            (folder / f"{row['id']}.html").write_text("<p>")
        with opened.write() as connection:
            connection.execute(insert(jobs), rows)
            table = DISCUSSION.metadata.tables["discussion_comment"]
            connection.execute(insert(table).values(id="0", author=PAUL.email, created=OLD, text="Ancien."))
        add_comment("À relire.", author=ANNE.email, registry=opened)
        People(opened).add(ANNE.email, "quatre mots sans rapport", given_name="Anne", held=["bfc"])
        tusd = tmp_path / "depot" / "tusd"
        tusd.mkdir(parents=True)
        for number, (email, at) in enumerate([(ANNE.email, OLD), (PAUL.email, OLD), (ANNE.email, NOW)]):
            name = f"{number:032x}"
            info = {"ID": name, "Size": 3, "SizeIsDeferred": False, "MetaData": {"goup-path": "x", "email": email}}
            (tusd / f"{name}.info").write_text(json.dumps(info))
            (tusd / f"{name}.bin").write_bytes(b"abc")
            outcome = Outcome("published", at.isoformat(timespec="seconds"))
            (tusd / f"{name}.state").write_text(outcome.to_json())
        yield opened


def entries(registry: Registry) -> list[Any]:
    with registry.read() as connection:
        return list(connection.execute(select(JOURNAL).order_by(JOURNAL.c.id)))


def test_each_duration_is_applied_and_told(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_CONSERVATION_COMMENTAIRES", "300")
    before = entries(registry)
    gone = {each.name: (each.days, each.count) for each in purge_all("exploitant@exemple.fr")}
    old = [each for each in before if each.at < NOW - timedelta(days=365)]
    assert old
    assert gone["journal"] == (365, len(old))
    assert gone["comments"] == (300, 1)
    assert gone["reports"] == (365, 1)
    assert gone["uploads"] == (365, 2)
    assert [path.name for path in (tmp_path / "rapports").rglob("*.html")] == ["recent.html"]
    assert [each.text for each in comments(registry=registry)] == ["À relire."]
    left = entries(registry)
    assert {each.id for each in before} - {each.id for each in left} == {each.id for each in old}
    told = [each for each in left if each.action == "retention"]
    assert {json.loads(each.query)["what"]: int(each.outcome) for each in told} == {
        name: count for name, (_, count) in gone.items()
    }
    assert {each.reader for each in told} == {"exploitant@exemple.fr"}
    # Again, there is nothing left to do, and it is told too.
    assert {each.count for each in purge_all("exploitant@exemple.fr")} == {0}


def test_without_a_limit_nothing_goes(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOURNAL", "EXPIRES", "RAPPORTS", "DEPOT"):
        monkeypatch.setenv(f"WORKBENCH_CONSERVATION_{name}", "illimitee")
    before = len(entries(registry))
    assert [(each.days, each.count) for each in purge_all("x")] == [(None, 0)] * 5
    assert len(entries(registry)) == before
    for wrong in ("0", "-1", "un an", "99999999", "1.5"):
        monkeypatch.setenv("WORKBENCH_CONSERVATION_JOURNAL", wrong)
        with pytest.raises(WorkbenchError) as error:
            retention()
        assert error.value.code == "conservation_reglage"


def test_the_journal_is_emptied_by_no_other_door(registry: Registry) -> None:
    purge_all("x")
    with pytest.raises(DBAPIError), registry.engine.begin() as connection:
        connection.execute(JOURNAL.delete())
    assert entries(registry)


def test_a_person_is_told_all_and_nothing_of_others(registry: Registry, tmp_path: Path) -> None:
    found = known_of("Anne@Exemple.fr", "dpo@exemple.fr")
    assert found["account"][0]["given_name"] == "Anne"
    assert [each["badge"] for each in found["badges"]] == ["bfc"]
    assert [each["action"] for each in found["accesses"]] == ["put", "put"]
    assert {each["value"] for each in found["objects"]} == {"1"}
    assert [each["key"]["agent"] for each in found["sheets"]] == [ANNE.email] * 2
    assert [each["text"] for each in found["comments"]] == ["À relire."]
    assert {each["id"] for each in found["reports"]} == {"vieux", "recent"}
    assert len(found["uploads"]) == 2
    written = json.dumps(found)
    for secret in ("argon2", "jeton-secret", PAUL.email, MANAGER.email):
        assert secret not in written
    # A second export tells of the first only to who reads the journal, and the journal has both.
    assert [json.loads(each.query) for each in entries(registry) if each.action == "person"] == [{"of": ANNE.email}]
    assert not any(
        rows for rows in known_of("inconnue@exemple.fr", "dpo@exemple.fr").values() if isinstance(rows, list)
    )


def test_every_column_that_names_a_person_is_looked_at() -> None:
    """A table that gains a column of e-mails is then exported, or this test says so."""
    named = {
        f"{table.name}.{column.name}"
        for room in declared_rooms()
        for table in room.metadata.sorted_tables
        for column in table.c
        if column.name in ("email", "author", "reader", "agent", "person")
    }
    assert named == {
        "detection_list.author",
        "detection_model.author",
        "discussion_comment.author",
        "identity_badge.email",
        "identity_family.email",
        "identity_login.email",
        "identity_person.email",
        "reports_batch.author",
        "reports_job.author",
        "schedules_entry.author",
        "store_journal.reader",
        "store_sheet.author",
    }


def test_the_commands(registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = tmp_path / "anne.json"
    assert run("person", "export", ANNE.email, "--to", str(to)) == ExitCode.OK
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert json.loads(to.read_text(encoding="utf-8"))["email"] == ANNE.email
    assert run("person", "export", ANNE.email, "--to", str(to)) == ExitCode.USAGE
    assert run("person", "export", "inconnue@exemple.fr", "--to", str(tmp_path / "x.json")) == ExitCode.EMPTY
    assert run("purge", "--email", "exploitant@exemple.fr") == ExitCode.OK
    said = capsys.readouterr()
    assert said.out == ""
    assert "commentaires : conservés sans limite" in said.err
    with registry.read() as connection:
        assert connection.execute(select(func.count()).select_from(jobs)).scalar_one() == 1
