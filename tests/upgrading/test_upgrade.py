"""A registry of each released version is brought to this one; one of a later version is refused."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from declared_rooms import MODULES, declared_rooms
from sqlalchemy import create_engine, inspect, select, text, update

from workbench.cli.exits import ExitCode
from workbench.cli.main import main
from workbench.discussion import comments
from workbench.errors import WorkbenchError
from workbench.identity.people import People
from workbench.registry import open_registry
from workbench.registry.migrating import differences
from workbench.reports.jobs import jobs_of
from workbench.rooms import DECLARED, all_rooms
from workbench.store import Store
from workbench.upgrading import upgrade_base, upgrade_registry

HERE = Path(__file__).parent
RELEASED = sorted({re.sub(r"\.\w+\.sql$", "", path.name) for path in HERE.glob("registre_*.sql")})
"""One file a released version and a database: what its registry was, with a few rows."""

JEANNE = SimpleNamespace(email="jeanne@exemple.fr", badges={"bfc"})


@pytest.fixture(params=RELEASED)
def released(request: pytest.FixtureRequest, registry_address: str) -> str:
    """The address of a registry that a released version made."""
    kind = "postgresql" if registry_address.startswith("postgresql") else "sqlite"
    written = (HERE / f"{request.param}.{kind}.sql").read_text(encoding="utf-8")
    if kind == "sqlite":
        with closing(sqlite3.connect(registry_address)) as connection:
            connection.executescript(written)
    else:
        engine = create_engine(registry_address)
        with engine.begin() as connection:
            connection.exec_driver_sql(written.replace("%", "%%"))
        engine.dispose()
    return registry_address


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(words)
    return int(str(stop.value.code))


def test_every_room_is_known() -> None:
    package = HERE.parents[1] / "workbench"
    declares = re.compile(r"^ROOM = Room\(", re.MULTILINE)
    declaring = [path for path in package.rglob("*.py") if declares.search(path.read_text(encoding="utf-8"))]
    names = {".".join(path.relative_to(package.parent).with_suffix("").parts) for path in declaring}
    assert names == set(MODULES)
    assert {room.name: room.migrations for room in declared_rooms()} == DECLARED
    for known, room in zip(all_rooms(), declared_rooms(), strict=True):
        assert (known.name, known.folder, known.version) == (room.name, room.folder, room.version)


def test_a_released_registry_keeps_all_it_held(released: str) -> None:
    upgrade_registry(released)
    rooms = declared_rooms()
    with open_registry(released, rooms=rooms, migrate=False) as registry:
        with registry.read() as connection:
            assert [differences(connection, room) for room in rooms] == [[]] * len(rooms)
        store = Store(registry)
        assert store.get(JEANNE, "public", {"siren": "012345678"})[0]["value"] == {"effectif": 12}
        assert [each.text for each in comments(registry=registry)] == ["À relire."]
        assert [job.files for job in jobs_of(registry, author=JEANNE.email)] == [{"html": "rapport.html"}]
        assert People(registry).get(JEANNE.email).badges == ("bfc",)
        assert store.put(JEANNE, "public", [{"key": {"siren": "2"}, "scope": [], "value": {}}]) == 1
    assert upgrade_registry(released) == []


def test_an_upgrade_says_what_it_does_and_what_it_would(
    released: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_BASE", str(tmp_path / "absente.duckdb"))
    steps = upgrade_registry(released, check=True)
    code = run("upgrade", "--check", "--registre", released)
    assert code == (ExitCode.FINDINGS if steps else ExitCode.OK)
    assert run("upgrade", "--registre", released) == ExitCode.OK
    said = capsys.readouterr().err
    for step in steps:
        assert said.count(f"{step.room} : {step.before} → {step.after}") == 2
    assert run("upgrade", "--check", "--registre", released) == ExitCode.OK
    assert "Tout est à la version" in capsys.readouterr().err


def test_a_later_registry_is_refused_by_name_and_left_as_it_is(
    released: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = next(room for room in all_rooms() if room.name == "store")
    with open_registry(released, rooms=[]) as registry, registry.write() as connection:
        connection.execute(update(store.version_table).values(version_num="9999"))
    assert run("upgrade", "--registre", released) == ExitCode.REFUSED
    said = capsys.readouterr().err
    assert "version plus récente que ce logiciel (store)" in said
    assert "Mettez le logiciel à jour" in said
    with open_registry(released, rooms=[]) as registry, registry.read() as connection:
        assert connection.execute(select(store.version_table.c.version_num)).scalar_one() == "9999"

    from workbench.identity.alone import AloneVerifier
    from workbench.server import opened_services

    # Servers do not start on it either.
    monkeypatch.setenv("WORKBENCH_REGISTRE", released)
    with pytest.raises(WorkbenchError) as error, opened_services(AloneVerifier("a@b.fr")):
        pass
    assert error.value.code == "registre_recent"


def test_an_upgrade_that_fails_changes_nothing(released: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of two rooms come together or not at all."""
    with open_registry(released, rooms=[]) as registry, registry.write() as connection:
        for name in ("discussion_version", "discussion_comment", "api_version", "api_number"):
            connection.execute(text(f"DROP TABLE {name}"))

    from workbench.registry import migrating

    done: list[object] = []
    whole = migrating.upgrade

    def failing(connection: object, room: object, to: str = "head") -> None:
        if done:
            raise RuntimeError("power cut")
        done.append(room)
        whole(connection, room, to)  # type: ignore[arg-type]

    monkeypatch.setattr(migrating, "upgrade", failing)
    with pytest.raises(RuntimeError):
        upgrade_registry(released)
    with open_registry(released, rooms=[]) as registry, registry.read() as connection:
        assert not {"discussion_comment", "api_number"} & set(inspect(connection).get_table_names())


def test_the_base_of_accounts_too(tmp_path: Path, demonstration_base: str) -> None:
    assert upgrade_base(str(tmp_path / "absente.duckdb")) is None
    current = upgrade_base(demonstration_base, check=True)
    assert current is not None
    assert not current.behind
