"""The registry: transactions, versions, refusals, on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, ForeignKey, Integer, Text, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import JSON

from workbench.errors import WorkbenchError
from workbench.registry import Moment, Registry, Room, new_identifier, new_metadata, open_registry
from workbench.registry.migrating import differences

HERE = Path(__file__).parent


def _room(migrations: str, *more: Column) -> Room:
    room = Room("sample", new_metadata(), migrations)
    room.table("author", Column("email", Text, primary_key=True))
    room.table(
        "note",
        Column("id", Text, primary_key=True),
        Column("author", Text, ForeignKey("sample_author.email"), nullable=False),
        Column("moment", Moment, nullable=False),
        Column("detail", JSON),
        *more,
    )
    return room


ROOM = _room("sample_migrations")
LATER = _room("later_migrations", Column("rank", Integer, index=True))
AUTHOR, NOTE = ROOM.metadata.tables["sample_author"], ROOM.metadata.tables["sample_note"]


def write_note(registry: Registry, detail: Any = None, moment: datetime | None = None) -> str:
    with registry.write() as connection:
        if not connection.execute(select(AUTHOR)).first():
            connection.execute(insert(AUTHOR).values(email="a@b.fr"))
        identifier = new_identifier()
        row = {"id": identifier, "author": "a@b.fr", "moment": moment or registry.now(connection), "detail": detail}
        connection.execute(insert(NOTE).values(row))
    return identifier


@pytest.mark.parametrize("room", [ROOM, LATER], ids=["first", "later"])
def test_a_new_registry_holds_what_the_room_declares(registry_address: str, room: Room) -> None:
    with open_registry(registry_address, rooms=[room]) as registry, registry.read() as connection:
        assert differences(connection, room) == []


def test_a_table_without_its_revision_is_seen(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[ROOM]) as registry, registry.read() as connection:
        assert differences(connection, LATER)


def test_rows_survive_and_come_back_the_same(registry_address: str) -> None:
    paris = timezone(timedelta(hours=2))
    moment = datetime(2026, 7, 1, 1, 30, 0, 123456, tzinfo=paris)
    with open_registry(registry_address, rooms=[ROOM]) as registry:
        write_note(registry, {"mot": "été", "liste": [1, None]}, moment)
    with open_registry(registry_address, rooms=[ROOM]) as registry, registry.read() as connection:
        row = connection.execute(select(NOTE)).one()
    assert row.detail == {"mot": "été", "liste": [1, None]}
    assert row.moment == moment
    assert row.moment.tzinfo is UTC


def _write_author_twice(registry: Registry) -> None:
    with registry.write() as connection:
        connection.execute(insert(AUTHOR).values(email="x@y.fr"))
        connection.execute(insert(AUTHOR).values(email="x@y.fr"))


def test_a_transaction_that_fails_leaves_nothing(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[ROOM]) as registry:
        with pytest.raises(IntegrityError):
            _write_author_twice(registry)
        with registry.read() as connection:
            assert connection.execute(select(AUTHOR)).all() == []


def test_references_are_held(registry_address: str) -> None:
    with (
        open_registry(registry_address, rooms=[ROOM]) as registry,
        pytest.raises(IntegrityError),
        registry.write() as connection,
    ):
        connection.execute(insert(NOTE).values(id="1", author="personne", moment=datetime.now(UTC)))


def test_a_reader_sees_one_state(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[ROOM]) as registry:
        write_note(registry)
        with registry.read() as connection:
            before = connection.execute(select(NOTE.c.id)).all()
            write_note(registry)
            assert connection.execute(select(NOTE.c.id)).all() == before
        with registry.read() as connection:
            assert len(connection.execute(select(NOTE.c.id)).all()) == 2


def test_writers_take_turns(registry_address: str) -> None:
    """Read, then write what was read plus one: none is lost, whoever else does the same."""
    with open_registry(registry_address, rooms=[ROOM]) as registry:
        identifier = write_note(registry, 0)

        def add() -> None:
            with open_registry(registry_address, rooms=[ROOM]) as mine:
                for _ in range(20):
                    with mine.write() as connection:
                        one = select(NOTE.c.detail).where(NOTE.c.id == identifier).with_for_update()
                        count = connection.execute(one).scalar_one()
                        connection.execute(update(NOTE).where(NOTE.c.id == identifier).values(detail=count + 1))

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with registry.read() as connection:
            assert connection.execute(select(NOTE.c.detail)).scalar_one() == 80


OPENING = """
import sys
sys.path.insert(0, sys.argv[2])
from test_registry import ROOM, write_note, open_registry
with open_registry(sys.argv[1], rooms=[ROOM]) as registry:
    pass
"""


def test_processes_that_make_one_registry_at_once(registry_address: str) -> None:
    command = [sys.executable, "-c", OPENING, registry_address, str(HERE)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [each.communicate()[1] for each in started] == [""] * 4
    with open_registry(registry_address, rooms=[ROOM]) as registry, registry.read() as connection:
        assert differences(connection, ROOM) == []


def test_an_older_registry_is_migrated_with_its_rows(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[ROOM]) as registry:
        write_note(registry, "gardé")
    with pytest.raises(WorkbenchError) as refused:
        open_registry(registry_address, rooms=[LATER], migrate=False)
    assert refused.value.code == "registre_ancien"
    with open_registry(registry_address, rooms=[LATER]) as registry, registry.read() as connection:
        row = connection.execute(select(LATER.metadata.tables["sample_note"])).one()
        assert (row.detail, row.rank) == ("gardé", None)
        assert differences(connection, LATER) == []


def test_a_later_registry_is_refused_untouched(registry_address: str) -> None:
    open_registry(registry_address, rooms=[LATER]).close()
    with pytest.raises(WorkbenchError) as refused:
        open_registry(registry_address, rooms=[ROOM])
    assert refused.value.code == "registre_recent"


def test_a_migration_that_fails_leaves_the_version_before(registry_address: str, tmp_path: Path, monkeypatch) -> None:
    open_registry(registry_address, rooms=[ROOM]).close()
    package = tmp_path / "broken_migrations"
    package.mkdir()
    for path in (HERE / "later_migrations").glob("*.py"):
        (package / path.name).write_text(path.read_text())
    last = package / "r0002_rank.py"
    last.write_text(last.read_text() + "    raise RuntimeError('cut')\n")
    monkeypatch.syspath_prepend(tmp_path)
    broken = _room("broken_migrations", Column("rank", Integer, index=True))
    with pytest.raises(RuntimeError, match="cut"):
        open_registry(registry_address, rooms=[broken])
    with open_registry(registry_address, rooms=[ROOM]) as registry, registry.read() as connection:
        assert "rank" not in {column["name"] for column in inspect(connection).get_columns("sample_note")}


def test_rooms_keep_their_versions_apart(registry_address: str) -> None:
    other = Room("other", new_metadata(), "sample_migrations")
    open_registry(registry_address, rooms=[LATER]).close()
    with open_registry(registry_address, rooms=[]) as registry, registry.read() as connection:
        assert not inspect(connection).has_table(other.version_table.name)


def test_a_forked_child_gets_connections_of_its_own(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[ROOM]) as registry:
        write_note(registry)
        code = """
import os, sys
sys.path.insert(0, sys.argv[2])
from test_registry import *
registry = open_registry(sys.argv[1], rooms=[ROOM])
write_note(registry)
child = os.fork()
write_note(registry)
if child:
    assert os.waitpid(child, 0)[1] == 0
    write_note(registry)
else:
    os._exit(0)
"""
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, registry_address, str(HERE)], check=True, timeout=60
        )
        with registry.read() as connection:
            assert len(connection.execute(select(NOTE.c.id)).all()) == 5


def test_a_naive_moment_is_refused(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[ROOM]) as registry, pytest.raises(Exception, match="without time zone"):
        write_note(registry, moment=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


def test_nan_does_not_enter(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[ROOM]) as registry, pytest.raises(Exception, match="JSON compliant"):
        write_note(registry, {"valeur": float("nan")})


def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "registre.sqlite"
    with open_registry(path, rooms=[ROOM]) as registry:
        write_note(registry)
        rights = {each.name: each.stat().st_mode & 0o777 for each in path.parent.iterdir()}
        assert set(rights.values()) == {0o600}
        assert len(rights) > 1
        assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    open_registry(path, rooms=[ROOM]).close()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("mysql://x:secret@y/z", "registre_adresse"),
        ("sqlite:///:memory:", "registre_adresse"),
        ("://", "registre_adresse"),
        ("postgresql+psycopg://x:secret@/absent?host=/nulle-part", "registre_inaccessible"),
        ("FOLDER", "registre_inaccessible"),
        ("FILE", "registre_illisible"),
        ("FILE/dedans", "registre_inaccessible"),
    ],
)
def test_an_address_that_leads_nowhere(address: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "texte").write_text("ceci n'est pas une base de données, et il faut quelques mots pour le voir\n" * 30)
    address = address.replace("FOLDER", str(tmp_path)).replace("FILE", str(tmp_path / "texte"))
    with pytest.raises(WorkbenchError) as refused:
        open_registry(address, rooms=[ROOM])
    assert refused.value.code == code
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(refused.value.details)


def test_a_busy_file_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("workbench.registry.database.BUSY_SECONDS", 0.1)
    path = tmp_path / "registre.sqlite"
    with open_registry(path, rooms=[ROOM]) as one, open_registry(path, rooms=[ROOM]) as two, one.write():
        with pytest.raises(WorkbenchError) as refused, two.write():
            pass
        assert refused.value.code == "registre_occupe"
        with two.read() as connection:
            assert connection.execute(select(NOTE)).all() == []


def _write_where_it_is_forbidden(registry: Registry) -> None:
    sqlite = registry.url.drivername == "sqlite"
    with registry.write() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON" if sqlite else "SET TRANSACTION READ ONLY")
        connection.execute(insert(AUTHOR).values(email="x@y.fr"))


def test_a_registry_that_may_only_be_read(registry_address: str) -> None:
    with open_registry(registry_address, rooms=[ROOM]) as registry, pytest.raises(WorkbenchError) as refused:
        _write_where_it_is_forbidden(registry)
    assert refused.value.code == "registre_lecture_seule"


def test_identifiers_sort_by_time_and_never_meet() -> None:
    drawn = [new_identifier() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert [each[:8] for each in drawn] == sorted(each[:8] for each in drawn)
