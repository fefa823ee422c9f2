"""The journal, why, purge: who may, what is kept, what is gone."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from conftest_store import MANAGER, Agent, Clock, agent, policy, sheet
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DatabaseError

from workbench.errors import WorkbenchError
from workbench.registry.migrating import differences
from workbench.store import Store, file_property
from workbench.store.tables import JOURNAL, KEPT, KEY, OBJECT, PROPERTY, ROOM, SHEET

K = {"siren": "012345678"}
DAY = timedelta(days=1)


def code(call: Any, *arguments: Any, **named: Any) -> tuple[str, int]:
    with pytest.raises(WorkbenchError) as caught:
        call(*arguments, **named)
    return caught.value.code, caught.value.status


def test_the_tables_are_those_declared(store: Store) -> None:
    with store.registry.read() as connection:
        assert differences(connection, ROOM) == []


def test_every_question_is_in_the_journal(store: Store, clock: Clock) -> None:
    ada = agent("bfc", email="ada@exemple.fr")
    store.put(ada, "public", [sheet(K, ["bfc"], {"a": 1})])
    store.get(ada, "public", K, filter=[{"field": "a", "operator": ">", "value": 0}], limit=3)
    clock.advance(hours=1)
    assert code(store.get, agent(), "public", date=clock.now) == ("sans_donnees", 404)
    assert code(store.put, ada, "system", [policy("a", match=".")]) == ("ecriture_interdite", 403)
    entries = store.journal(MANAGER)
    assert [(each["reader"], each["action"], each["bucket"], each["outcome"]) for each in entries] == [
        ("ada@exemple.fr", "put", "system", "ecriture_interdite"),
        ("agent@exemple.fr", "get", "public", "0"),
        ("ada@exemple.fr", "get", "public", "1"),
        ("ada@exemple.fr", "put", "public", "1"),
        ("system", "protect", "system", "1"),
    ]
    assert entries[2]["query"] == {
        "key": K,
        "filters": [{"field": "a", "operator": ">", "value": 0}],
        "limit": 3,
    }
    assert store.journal(MANAGER, email="ada@exemple.fr", since=clock.now)[0]["outcome"] == "ecriture_interdite"
    assert store.journal(MANAGER, limit=1)[0]["action"] == "journal"


def test_who_may_read_the_journal(store: Store) -> None:
    assert code(store.journal, agent()) == ("acces_interdit", 403)
    assert code(store.why, agent(), "public") == ("acces_interdit", 403)
    assert code(store.purge, agent(), DAY) == ("acces_interdit", 403)
    auditor = policy("auditor", match="^system$", key={"type": "journal"}, scope=["auditeur"], promote=["manager"])
    store.put(MANAGER, "system", [auditor])
    assert store.journal(agent("auditeur"))
    assert code(store.get, agent("auditeur"), "system") == ("sans_donnees", 404)
    assert code(store.purge, agent("auditeur"), DAY) == ("acces_interdit", 403)


def test_no_journal_no_data(store: Store) -> None:
    store.put(agent(), "public", [sheet(K, [], {"a": 1})])
    with store.registry.write() as connection:
        connection.execute(text("ALTER TABLE store_journal RENAME TO store_journal_away"))
    try:
        assert code(store.get, agent(), "public") == ("journal_impossible", 500)
        assert code(store.put, agent(), "public", [sheet({"b": "1"}, [], {"a": 1})]) == ("journal_impossible", 500)
    finally:
        with store.registry.write() as connection:
            connection.execute(text("ALTER TABLE store_journal_away RENAME TO store_journal"))
    assert len(store.get(agent(), "public")) == 1


@pytest.mark.parametrize("table", KEPT, ids=lambda table: table.name)
def test_nothing_is_changed_or_deleted(store: Store, table: Any) -> None:
    store.put(agent(), "public", [sheet(K, ["x"], {"a": 1, "f": file_property(b"a", "a.txt")}, search="a")])
    column = next(iter(table.columns))
    for statement in (delete(table), update(table).values({column.name: column})):
        with pytest.raises(DatabaseError, match="append-only"), store.registry.write() as connection:
            connection.execute(statement)


def test_why(store: Store, clock: Clock) -> None:
    store.put(MANAGER, "system", [policy("lent", match="public", key={"type": "x"}, promote=["21"])])
    key = {"type": "x"}
    store.put(agent(), "public", [sheet(key, ["21"], {"a": 1, "b": 1})])
    store.put(agent(), "public", [sheet(key, ["21", "crp"], {"a": 2})])
    store.put(agent(), "public", [sheet(key, [], {"b": 2}, releaseDate=clock.now + DAY)])
    ((explained,), (for_crp,)) = (
        store.why(MANAGER, "public", key, of=who) for who in (agent(), agent("crp", email="crp@exemple.fr"))
    )
    assert explained["key"] == {"bucket": "public", "type": "x"}
    assert explained["policies"] == [{"name": "lent", "match": "public", "key": {"type": "x"}, "promote": ["21"]}]
    first, second, third = explained["sheets"]
    assert (first["visible"], first["missing"], first["properties"]) == (True, [], {"a": None, "b": None})
    assert (second["visible"], second["missing"], second["properties"]) == (False, ["crp"], {"a": first["id"]})
    assert (third["visible"], third["released"]) == (False, False)
    assert for_crp["sheets"][0]["properties"] == {"a": second["id"], "b": None}
    assert store.journal(MANAGER)[0]["query"] == {"key": key, "of": "crp@exemple.fr", "badges": ["crp"]}


def counts(store: Store) -> list[int]:
    with store.registry.read() as connection:
        return [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (OBJECT, KEY, SHEET, PROPERTY)
        ]


def test_purge(store: Store, clock: Clock) -> None:
    empty = counts(store)
    other = {"siren": "876543210"}
    store.put(agent(), "public", [sheet(K, ["x"], {"a": 1, "b": 2}, expires=clock.now + DAY)])
    store.put(agent(), "public", [sheet(other, ["x"], {"a": 1}), sheet(other, ["y"], {"a": None, "c": 1})])
    clock.advance(days=30)
    assert store.purge(MANAGER, 30 * DAY) == {"properties": 0, "sheets": 0, "objects": 0, "files": 0}
    before = store.get(agent("x", "y"), "public", other)
    assert store.purge(MANAGER, 29 * DAY) == {"properties": 4, "sheets": 2, "objects": 1, "files": 0}
    assert code(store.get, agent("x"), "public", K) == ("sans_donnees", 404)
    # A null that hides what another scope still reads stays.
    assert store.get(agent("x", "y"), "public", other) == before
    assert store.get(agent("x"), "public", other)[0]["value"] == {"a": 1}
    assert [now - then for now, then in zip(counts(store), empty, strict=True)] == [1, 1, 2, 3]
    assert [(each["action"], each["outcome"]) for each in store.journal(MANAGER) if each["action"] == "purge"] == [
        ("purge", "properties=4 sheets=2 objects=1 files=0"),
        ("purge", "properties=0 sheets=0 objects=0 files=0"),
    ]
    assert code(store.purge, MANAGER, -DAY) == ("question_invalide", 400)


def test_a_purged_policy_is_out_of_force_and_the_others_stay(store: Store, clock: Clock) -> None:
    lent: dict[str, Any] = policy("lent", match="public", promote=["21"])
    store.put(MANAGER, "system", [{**lent, "expires": clock.now + DAY}, policy("b", match="public", promote=["22"])])
    store.put(agent(), "public", [sheet(K, ["22"], {"a": 1})])
    clock.advance(days=2)
    assert store.purge(MANAGER, timedelta(0))["objects"] == 1
    assert len(store.get(agent(), "public")) == 1


def test_no_token_is_kept(store: Store) -> None:
    class Bearer(Agent):
        token = "un.jeton.secret"  # noqa: S105 - what must not be found

    store.put(Bearer(), "public", [sheet(K, [], {"a": 1})])
    store.get(Bearer(), "public")
    with store.registry.read() as connection:
        rows = [tuple(row) for row in connection.execute(select(JOURNAL))]
    assert len(rows) == 3
    assert "secret" not in json.dumps(rows, default=str)
