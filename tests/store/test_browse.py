"""Browsing a list answers as reading does, and is never late: what was kept is what would be read."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from conftest_store import MANAGER, Agent, Clock, agent, policy, sheet
from sqlalchemy import event

from workbench.errors import WorkbenchError
from workbench.store import Client, Desk, Store
from workbench.store.browsing import browsing

BADGES = ["21", "39", "score", "urssaf"]
VALUES: list[Any] = [None, 0, -1, 2.5, True, "é", "Zoé", "b", [1], {"a": 1}]
EMAILS = ["ada@exemple.fr", "bob@exemple.fr"]
FOLLOWED = {"bucket": "suivi", "key": {"author": "$user.email"}, "same": "siret", "value": {"actif": True}}


def read(store: Store, who: Agent, key: dict[str, str], **asked: Any) -> list[Any]:
    try:
        return [(each["key"], each["value"]) for each in store.get(who, "public", key, **asked)]
    except WorkbenchError as error:
        if error.code != "sans_donnees":
            raise
        return []


def browse(store: Store, who: Agent, key: dict[str, str], **asked: Any) -> list[Any]:
    found = store.browse(who, "public", key=key, **asked)
    return [(each["key"], each["value"]) for each in found["objects"]]


@pytest.mark.parametrize("seed", [3])
def test_it_answers_as_reading_does(store: Store, clock: Clock, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - examples
    rules = [
        policy("region", match="^public$", scope=["39"], promote=["21"]),
        policy("mine", match="^public$", key={"by": "$user.email"}, promote=["urssaf"]),
        policy("closed", match="public", key={"n": "3"}, read=["score"]),
        policy("followed", match="^public$", promote=["score", "urssaf"], when=FOLLOWED),
    ]
    store.put(MANAGER, "system", rules)
    for turn in range(3):
        for email in EMAILS:
            follows = [{"siret": str(draw.randrange(9)), "author": email} for _ in range(2)]
            store.put(agent(), "suivi", [sheet(key, [], {"actif": draw.random() < 0.8}) for key in follows])
        written = []
        for _ in range(25):
            key = {"type": draw.choice("xy"), "n": draw.choice("123"), "siret": str(draw.randrange(9))}
            if draw.random() < 0.4:
                key["by"] = draw.choice(EMAILS)
            value = {name: draw.choice(VALUES) for name in "pqr"}
            scope = draw.sample(BADGES, draw.choice([0, 1, 1, 2]))
            later = clock.now + timedelta(hours=draw.choice([0, 0, 1, 2]))
            written.append(sheet(key, scope, value, releaseDate=later))
        store.put(agent(), "public", written)
        for _ in range(6):
            who = Agent(draw.choice(EMAILS), frozenset(draw.sample(BADGES, draw.choice([0, 1, 2, 4]))))
            key = draw.choice([{"type": "x"}, {"type": "y", "n": "3"}, {"type": "z"}])
            other = draw.choice([0, 2.5, True, "é", "b"])
            asked: dict[str, Any] = {}
            if draw.random() < 0.7:
                operator = draw.choice(["=", "!=", "<", ">="])
                asked["filter"] = [{"field": draw.choice("pqs"), "operator": operator, "value": other}]
            if draw.random() < 0.3:
                operator = draw.choice(["in", "not in"])
                asked["filter"] = [{"field": "q", "operator": operator, "value": [other, "Zoé", True]}]
            if draw.random() < 0.7:
                asked["sort"] = [{"field": draw.choice("pqs"), "order": draw.choice([1, -1])}]
            expected = read(store, who, key, **asked)
            assert browse(store, who, key, **asked) == expected
            assert browse(store, who, key, **asked, limit=3, offset=2) == expected[2:5]
            found = store.browse(who, "public", key=key, counts=["p", "key.n", "s"], **asked)
            assert found["total"] == len(expected)
            assert found["counts"]["s"] == []
            assert dict(found["counts"]["key.n"]) == {
                n: count for n in "123" if (count := sum(key["n"] == n for key, _ in expected))
            }
            texts = [value["p"] for _, value in expected if value.get("p") in ("é", "Zoé", "b")]
            assert [pair for pair in found["counts"]["p"] if isinstance(pair[0], str)] == [
                [text, texts.count(text)] for text in sorted(set(texts))
            ]
        clock.advance(hours=1 if turn == 1 else 0)


def test_who_follows_shares_the_list_with_those_of_her_rights(store: Store) -> None:
    store.put(MANAGER, "system", [policy("followed", match="^public$", promote=["score"], when=FOLLOWED)])
    places = [{"type": "x", "siret": str(number)} for number in range(40)]
    store.put(agent(), "public", [sheet(key, ["score"] if n % 2 else [], {"p": n}) for n, key in enumerate(places)])
    readers = [Agent(email, frozenset()) for email in ("ada@exemple.fr", "bob@exemple.fr", "cleo@exemple.fr")]
    for number, who in enumerate(readers[:2]):
        value = {"actif": True}
        store.put(agent(), "suivi", [sheet({"siret": str(2 * number + 1), "author": who.email}, [], value)])
    read: list[str] = []
    event.listen(store.registry.engine, "before_cursor_execute", lambda *told: read.append(told[2]))
    counted = [store.browse(who, "public", key={"type": "x"}, sort=[{"field": "p", "order": -1}]) for who in readers]
    assert [each["total"] for each in counted] == [21, 21, 20]
    assert [each["value"]["p"] for each in counted[1]["objects"]][-4:] == [4, 3, 2, 0]
    # The list was read once, and what each follows beside it.
    assert sum("ORDER BY store_object.digest" in each for each in read) == 3
    store.browse(readers[0], "public", key={"type": "x"})
    assert sum("ORDER BY store_object.digest" in each for each in read) == 3


def test_what_is_kept_is_what_would_be_read(store: Store, clock: Clock) -> None:
    """Publications, releases, ends, policies and purges are seen by the next question."""
    key = {"type": "x", "n": "1"}
    who = agent("21")

    def seen() -> Any:
        return store.browse(who, "public", key={"type": "x"})["objects"]

    store.put(agent(), "public", [sheet(key, ["21"], {"p": 1})])
    assert seen() == [{"key": {**key, "bucket": "public"}, "value": {"p": 1}}]
    store.put(agent(), "public", [sheet(key, ["21"], {"p": 2})])
    assert seen()[0]["value"] == {"p": 2}
    soon, end = clock.now + timedelta(hours=1), clock.now + timedelta(hours=2)
    store.put(agent(), "public", [sheet(key, ["21"], {"p": 3}, releaseDate=soon, expires=end)])
    assert seen()[0]["value"] == {"p": 2}
    clock.advance(hours=1)
    assert seen()[0]["value"] == {"p": 3}
    clock.advance(hours=1)
    assert seen()[0]["value"] == {"p": None}
    store.put(MANAGER, "system", [policy("closed", match="public", key={"n": "1"}, read=["score"])])
    assert seen() == []
    store.put(MANAGER, "system", [policy("closed", match=None)])
    assert len(seen()) == 1
    clock.advance(days=2)
    store.purge(MANAGER, timedelta(days=1))
    assert seen() == []


def test_columns_words_and_pairs_of_the_key(store: Store) -> None:
    names = ["Boulangerie Éclair", "MENUISERIE DE L'ÉTANG", "Café", 12]
    written = [
        sheet({"type": "x", "siret": f"{1234567890001 + n:014d}"}, [], {"nom": name, "q": n, "s": [n]})
        for n, name in enumerate(names)
    ]
    store.put(agent(), "public", written)

    def found(value: str) -> list[Any]:
        text = {"value": value, "fields": ["nom", "key.siret", "absent"]}
        answer = store.browse(agent(), "public", key={"type": "x"}, text=text, columns=["q"], sort=[{"field": "q"}])
        assert all(set(each["value"]) == {"q"} for each in answer["objects"])
        return [each["value"]["q"] for each in answer["objects"]]

    assert found("etang") == [1]
    assert found("ÉCLAIR") == [0]
    assert found("l'étang") == [1]
    assert found("01 234 567 890 003") == [2]
    assert found("zzz") == []
    assert found("") == [0, 1, 2, 3]
    excluded = {"field": "key.siret", "operator": "not in", "value": ["01234567890001"]}
    answer = store.browse(agent(), "public", key={"type": "x"}, filter=[excluded], limit=1)
    assert (answer["total"], len(answer["objects"])) == (3, 1)


def test_a_question_is_written_in_the_journal_and_says_the_badges(store: Store) -> None:
    store.put(MANAGER, "system", [policy("region", match="^public$", scope=["bfc"], promote=["21", "39"])])
    answer = store.browse(agent("bfc"), "public", key={"type": "x"})
    assert answer == {"objects": [], "total": 0, "counts": {}, "badges": ["21", "39", "bfc"]}
    entry = store.journal(MANAGER)[0]
    assert (entry["action"], entry["bucket"], entry["query"], entry["outcome"]) == (
        "browse",
        "public",
        {"key": {"type": "x"}},
        "0",
    )


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"key": {}},
        {"key": {"bucket": "system"}},
        {"key": {"type": "x"}, "date": "2019-10-31T10:00:00Z"},
        {"key": {"type": "x"}, "text": {"value": "a"}},
        {"key": {"type": "x"}, "text": {"value": "a\0", "fields": []}},
        {"key": {"type": "x"}, "columns": "nom"},
        {"key": {"type": "x"}, "counts": [1]},
        {"key": {"type": "x"}, "limit": 0},
        {"key": {"type": "x"}, "filter": [{"field": "a", "operator": "~", "value": 1}]},
    ],
)
def test_what_is_not_understood_is_refused(asked: Any) -> None:
    with pytest.raises(WorkbenchError) as refused:
        browsing(asked)
    assert refused.value.status == 400


def test_many_ask_at_once(store: Store) -> None:
    written = [sheet({"type": "x", "siret": str(n)}, [str(n % 3)], {"q": n}) for n in range(90)]
    store.put(agent(), "public", written)
    totals: list[tuple[int, int]] = []

    def ask(badge: int) -> None:
        totals.append((badge, store.browse(agent(str(badge)), "public", key={"type": "x"})["total"]))

    threads = [threading.Thread(target=ask, args=(n % 4,)) for n in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(totals) == [(badge, 30 if badge < 3 else 0) for badge in range(4) for _ in range(3)]


def test_the_doors_ask_the_same(store: Store) -> None:
    assert {name for name in vars(Client) if name in ("browse", "search", "total")} == {"browse", "search", "total"}
    store.put(agent(), "public", [sheet({"type": "x", "siret": "1"}, [], {"q": 1}, search="Café")])
    desk = Desk(store, SimpleNamespace(email="a@exemple.fr", badges=frozenset()))
    assert desk.browse("public", key={"type": "x"})["total"] == 1
    assert desk.total("public", text="cafe") == {"total": 1, "more": False}
    assert desk.search("public", text="cafe")[0]["value"] == {"q": 1}
