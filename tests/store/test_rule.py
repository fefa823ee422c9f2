"""The one rule: whatever sheets, policies, people and dates, the database answers as lines written from the text."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from conftest_store import MANAGER, Agent, Clock, agent, empty, policy, sheet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from workbench.errors import WorkbenchError
from workbench.store import Store, file_property
from workbench.store.keys import digest

BADGES = ["a", "b", "c", "d"]
EMAILS = ["ada@exemple.fr", "bob@exemple.fr"]

badges = st.lists(st.sampled_from(BADGES), max_size=3, unique=True)
few_badges = st.lists(st.sampled_from(BADGES), max_size=1)
hours = st.sampled_from([-2, -1, -1, 0, 0, 0, 1])
pairs = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["x", "y"]), "n": st.sampled_from(["1", "2"]), "by": st.sampled_from(EMAILS)}
)
scalars = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, True, False, "t", "u", "é", None]))
values = st.dictionaries(st.sampled_from(["p", "q", "r"]), st.one_of(scalars, st.just([1])), min_size=1, max_size=3)
sheets = st.lists(st.tuples(pairs, badges, values, hours), min_size=3, max_size=12)
policy_keys = st.one_of(
    st.just({}),
    st.fixed_dictionaries({}, optional={"type": st.sampled_from(["x", "y"]), "n": st.sampled_from(["1", "2"])}),
    st.sampled_from([{"by": "$user.email"}, {"bucket": "rule"}, {"bucket": "other"}]),
    st.just({"type": "x"}),
)
policies = st.lists(
    st.tuples(
        st.sampled_from(["k", "l", "m", "o"]),
        st.fixed_dictionaries(
            {"match": st.sampled_from(["^rule$", "^rule$", "ul", ".*", "^other$"])},
            optional={
                "key": policy_keys,
                "scope": st.one_of(st.just([]), few_badges),
                "read": st.one_of(st.just([]), few_badges),
                "promote": badges,
            },
        ),
        hours,
    ),
    min_size=1,
    max_size=6,
)
agents = st.builds(Agent, st.sampled_from(EMAILS), st.frozensets(st.sampled_from(BADGES), max_size=3))
fields = st.sampled_from(["p", "q", "r", "unknown"])
comparisons = st.one_of(
    st.tuples(fields, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), scalars.filter(lambda v: v is not None)),
    st.tuples(
        fields,
        st.sampled_from(["in", "not in"]),
        st.lists(scalars.filter(lambda v: v is not None), max_size=3),
    ),
)
questions = st.tuples(
    agents,
    st.fixed_dictionaries(
        {},
        optional={
            "key": pairs,
            "date": hours,
            "filter": st.lists(comparisons, max_size=2),
            "sort": st.tuples(fields, st.sampled_from([1, -1])),
            "limit": st.integers(1, 4),
            "offset": st.integers(0, 3),
        },
    ),
)


def visible(
    rules: list[dict[str, Any]],
    who: Agent,
    key: dict[str, str],
    scope: list[str],
    own: list[Any] = [],  # noqa: B006 - never changed
    bucket: str = "rule",
) -> bool:
    """7.1.2, steps 4 and 5; a policy that says when looks at the objects of her own, which have no condition."""
    full = {**key, "bucket": bucket}
    relevant = [
        each
        for each in rules
        if re.search(each["match"], bucket)
        and set(each.get("scope", [])) <= who.badges
        and {n: v.replace("$user.email", who.email) for n, v in each.get("key", {}).items()}.items() <= full.items()
        and ("when" not in each or holds_when(rules, each["when"], who, key, own))
    ]
    lent = {badge for each in relevant for badge in each.get("promote", [])}
    asked = {badge for each in relevant for badge in each.get("read", [])}
    return who.badges | lent >= set(scope) | asked


def holds_when(
    rules: list[dict[str, Any]], when: dict[str, Any], who: Agent, key: dict[str, str], own: list[Any]
) -> bool:
    plain = [each for each in rules if "when" not in each]
    pairs = {name: text.replace("$user.email", who.email) for name, text in when["key"].items()}
    seen: dict[bytes, tuple[dict[str, str], dict[str, Any]]] = {}
    for theirs, scope, value, released in own:
        if released <= 0 and visible(plain, who, theirs, scope, bucket=when["bucket"]):
            seen.setdefault(digest(theirs), (theirs, {}))[1].update(value)
    return any(
        pairs.items() <= theirs.items()
        and when["same"] in key
        and theirs.get(when["same"]) == key[when["same"]]
        and all(passes(value.get(name), "=", wanted) for name, wanted in when.get("value", {}).items())
        for theirs, value in seen.values()
    )


def kind(value: Any) -> int:
    return next((n for n, types in ((1, bool), (2, (int, float)), (3, str)) if isinstance(value, types)), 9)


def passes(value: Any, operator: str, other: Any) -> bool:
    if kind(value) == 9:
        return False
    if operator in ("in", "not in", "=", "!="):
        others = other if isinstance(other, list) else [other]
        same = any(kind(value) == kind(each) and value == each for each in others)
        return same if operator in ("in", "=") else not same
    if kind(value) != kind(other):
        return False
    return bool({"<": value < other, "<=": value <= other, ">": value > other, ">=": value >= other}[operator])


def expected(
    stored: list[Any], rules: list[dict[str, Any]], who: Agent, asked: dict[str, Any], own: list[Any]
) -> list[tuple[dict[str, str], Any]]:
    """7.1.2, steps 3 to 9."""
    found: dict[bytes, tuple[dict[str, str], dict[str, Any]]] = {}
    holds: dict[tuple[bytes, str], int] = {}
    date = min(asked.get("date", 0), 0)
    for number, (key, scope, value, released) in enumerate(stored):
        if released <= date and visible(rules, who, key, scope, own) and asked.get("key", {}).items() <= key.items():
            mark = digest({**key, "bucket": "rule"})
            found.setdefault(mark, (key, {}))[1].update(value)
            holds.update({(mark, name): number for name in value})
    rows = [found[mark] for mark in sorted(found)]
    for field, operator, other in asked.get("filter", []):
        rows = [row for row in rows if passes(row[1].get(field), operator, other)]
    if "sort" in asked:
        field, order = asked["sort"]
        has = [
            (holds[digest({**row[0], "bucket": "rule"}), field], row) for row in rows if kind(row[1].get(field)) != 9
        ]
        has.sort(key=lambda each: (kind(each[1][1][field]), each[1][1][field], each[0]), reverse=order == -1)
        rows = [row for _, row in has] + [row for row in rows if kind(row[1].get(field)) == 9]
    start = asked.get("offset", 0)
    return rows[start : start + asked["limit"]] if "limit" in asked else rows[start:]


def answer(store: Store, clock: Clock, who: Agent, asked: dict[str, Any]) -> list[tuple[dict[str, str], Any]]:
    page = dict(asked)
    if "date" in page:
        page["date"] = clock.now + timedelta(hours=page["date"])
    if "filter" in page:
        page["filter"] = [{"field": f, "operator": o, "value": v} for f, o, v in page["filter"]]
    if "sort" in page:
        page["sort"] = [{"field": page["sort"][0], "order": page["sort"][1]}]
    try:
        found = store.get(who, "rule", **page)
    except WorkbenchError as error:
        if error.code != "sans_donnees":
            raise
        return []
    return [({n: v for n, v in each["key"].items() if n != "bucket"}, each["value"]) for each in found]


def check(
    store: Store,
    clock: Clock,
    stored: list[Any],
    written: list[Any],
    asked: list[Any],
    own: list[Any] = [],  # noqa: B006 - never changed
) -> None:
    def moment(released: int) -> Any:
        return clock.now + timedelta(hours=released)

    empty(store)
    store.protect()
    store.put(agent(), "rule", [sheet(k, s, v, releaseDate=moment(h)) for k, s, v, h in stored])
    if own:
        store.put(agent(), "own", [sheet(k, s, v, releaseDate=moment(h)) for k, s, v, h in own])
    store.put(MANAGER, "system", [{**policy(name, **value), "releaseDate": moment(h)} for name, value, h in written])
    rules: dict[str, dict[str, Any]] = {}
    for name, value, released in written:
        if released <= 0:
            rules.setdefault(name, {}).update(value)
    for who, question in asked:
        assert answer(store, clock, who, question) == expected(stored, list(rules.values()), who, question, own)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sheets, policies, st.lists(questions, min_size=6, max_size=8))
def test_the_database_answers_as_the_text(
    store: Store, clock: Clock, stored: list[Any], written: list[Any], asked: list[Any]
) -> None:
    check(store, clock, stored, written, asked)


@pytest.mark.parametrize("seed", range(12))
def test_the_database_answers_as_the_text_when_policies_meet(store: Store, clock: Clock, seed: int) -> None:
    """Hypothesis seldom draws policies that concern the same sheets: here nearly all do."""
    draw = random.Random(seed)  # noqa: S311 - examples

    def some(badges: int) -> list[str]:
        return draw.sample(BADGES, badges)

    def key() -> dict[str, str]:
        pairs = {"type": draw.choice("xy"), "n": draw.choice("12"), "by": draw.choice(EMAILS)}
        return {name: value for name, value in pairs.items() if draw.random() < 0.7}

    written: list[Any] = [
        (
            f"p{number}",
            {
                "match": draw.choice(["^rule$", "ul", ".*"]),
                "key": draw.choice([{"type": "x"}, {"type": "y"}, {"n": "1"}, {"by": "$user.email"}, {}]),
                "scope": some(draw.choice([0, 0, 1])),
                "read": some(draw.choice([0, 0, 1])),
                "promote": some(draw.choice([0, 1, 2])),
            },
            0,
        )
        for number in range(draw.choice([2, 4, 6]))
    ]
    stored: list[Any] = [
        (key(), some(draw.choice([0, 1, 1, 2])), {draw.choice("pqr"): draw.choice([0, 1, 2, "t", None])}, 0)
        for _ in range(14)
    ]
    asked: list[Any] = [
        (
            Agent(draw.choice(EMAILS), frozenset(some(draw.choice([0, 1, 2])))),
            draw.choice([{}, {"sort": ("p", -1)}, {"filter": [("p", ">", 0)]}, {"key": {"n": "1"}, "sort": ("q", 1)}]),
        )
        for _ in range(12)
    ]
    check(store, clock, stored, written, asked)


@pytest.mark.parametrize("seed", range(10))
def test_a_policy_lends_for_what_the_reader_has_of_her_own(store: Store, clock: Clock, seed: int) -> None:
    """Conditions of every shape, on objects seen or not, of hers or of another, now or later: both doors agree."""
    draw = random.Random(f"when {seed}")  # noqa: S311 - examples

    def some(badges: int) -> list[str]:
        return draw.sample(BADGES, badges)

    def when() -> dict[str, Any]:
        found: dict[str, Any] = {"bucket": "own", "key": {"by": "$user.email"}, "same": draw.choice(["n", "n", "type"])}
        if draw.random() < 0.3:
            found["key"]["type"] = draw.choice("xy")
        if draw.random() < 0.8:
            found["value"] = {draw.choice("pq"): draw.choice([True, 1, "t"])}
        return found

    written: list[Any] = [
        (f"w{number}", {"match": "rule", "when": when(), "scope": some(number % 2), "promote": some(2)}, 0)
        for number in range(3)
    ]
    written.append(("own", {"match": "own", "read": some(1)}, 0))
    written.append(("hers", {"match": "own", "key": {"by": "$user.email"}, "promote": some(2)}, 0))
    written.append(("keyed", {"match": "rule", "key": {"type": "x"}, "promote": some(1), "read": some(1)}, 0))

    def key() -> dict[str, str]:
        pairs = {"type": draw.choice("xy"), "n": draw.choice("123"), "by": draw.choice(EMAILS)}
        return {name: value for name, value in pairs.items() if draw.random() < 0.8}

    own = [
        (key(), some(draw.choice([0, 0, 1])), {draw.choice("pq"): draw.choice([True, 1, False, "t", None])}, hour)
        for hour in [0] * 10 + [-1, -1, 1, 1]
    ]
    stored = [
        (key(), some(draw.choice([1, 1, 2])), {draw.choice("pqr"): draw.choice([0, 1, "t"])}, 0) for _ in range(16)
    ]
    asked: list[Any] = [
        (
            Agent(draw.choice(EMAILS), frozenset(some(draw.choice([0, 1, 2])))),
            draw.choice([{}, {"sort": ("p", -1)}, {"filter": [("p", ">", 0)]}, {"key": {"n": "1"}, "sort": ("q", 1)}]),
        )
        for _ in range(10)
    ]
    check(store, clock, stored, written, asked, own)
    for who, _ in asked:
        rules = [value for _, value, _ in written]
        expected_keys = {digest({**k, "bucket": "rule"}) for k, s, _, _ in stored if visible(rules, who, k, s, own)}
        explained = store.why(MANAGER, "rule", of=who)
        seen = {digest(each["key"]) for each in explained if any(one["visible"] for one in each["sheets"])}
        assert seen == expected_keys


def told(call: Callable[[], Any]) -> Any:
    """What a person learns of a call: its answer, or the words of its refusal."""
    try:
        return call()
    except WorkbenchError as error:
        return error.code, error.status, str(error)


def learnt(store: Store, who: Agent, turn: random.Random) -> list[Any]:
    """Ask what she likes, publish, and ask again; return all that she was told."""
    hers = file_property(b"<p>hers</p>", "a.html", "text/html")
    everything: list[Any] = []
    for _ in range(2):
        for key in ({}, {"type": "x"}, {"n": "1"}):
            for field in "pq":
                limit, offset = turn.choice([1, 2, None]), turn.choice([0, 0, 1])
                order = [{"field": field, "order": turn.choice([1, -1])}]
                condition = {"field": field, "operator": turn.choice([">=", "!=", "="]), "value": turn.choice([0, "t"])}
                pages: list[dict[str, Any]] = [{"sort": order, "limit": limit, "offset": offset}, {}]
                pages.append({"filter": [condition]})
                everything += [told(lambda key=key, page=page: store.get(who, "rule", key, **page)) for page in pages]
                everything.append(told(lambda key=key, field=field: store.file(who, "rule", key, field)))
        everything += [told(lambda: store.why(who, "rule")), told(lambda: store.journal(who))]
        everything.append(told(lambda: store.purge(who, timedelta(0))))
        for key in ({"type": "x", "n": "1"}, {"n": "new"}):
            mine = [sheet(key, [], {"p": turn.choice([0, 1, 5]), "f": hers})]
            everything.append(told(lambda mine=mine: store.put(who, "rule", mine)))
    return everything


@pytest.mark.parametrize("seed", range(2))
def test_nothing_that_a_person_does_tells_what_is_hidden(store: Store, clock: Clock, seed: int) -> None:
    """Two stores that differ by what she may not see alone tell her the same, word for word."""
    draw = random.Random(f"hidden {seed}")  # noqa: S311 - examples

    def some(badges: int) -> list[str]:
        return draw.sample(BADGES, badges)

    who = Agent(EMAILS[0], frozenset(some(draw.choice([0, 1, 2]))))
    rules: dict[str, dict[str, Any]] = {
        f"p{number}": {
            "match": "rule",
            "key": draw.choice([{"type": "x"}, {"n": "1"}, {}, {"by": "$user.email"}]),
            "read": some(draw.choice([0, 0, 1])),
            "promote": some(draw.choice([0, 1])),
            "write": some(draw.choice([0, 0, 1])),
        }
        for number in range(3)
    }
    page = file_property(b"<p>others</p>", "b.html", "text/html")
    stored: list[Any] = []
    for _ in range(24):
        key = {"type": draw.choice("xy"), "n": draw.choice("12")}
        key = {name: value for name, value in key.items() if draw.random() < 0.8}
        value = {draw.choice("pqr"): draw.choice([0, 1, 2, "t", None, page]) for _ in range(2)}
        stored.append((key, some(draw.choice([0, 1, 1, 2])), value, draw.choice([0, 0, 0, 9])))
    heard = []
    hidden = 0
    for whole in (True, False):
        empty(store)
        store.protect()
        store.put(MANAGER, "system", [policy(name, **value) for name, value in rules.items()])
        begun = clock.now
        writer = agent(*BADGES)
        for key, scope, value, hours in stored:
            clock.advance(seconds=1)
            seen = hours == 0 and visible(list(rules.values()), who, key, scope)
            hidden += not seen
            if whole or seen:
                store.put(writer, "rule", [sheet(key, scope, value, releaseDate=clock.now + timedelta(hours=hours))])
        heard.append(learnt(store, who, random.Random(seed)))  # noqa: S311 - examples
        clock.now = begun
    assert hidden > 10
    assert heard[0] == heard[1]


def test_a_hidden_key_takes_the_statements_of_one_that_is_not_there(store: Store) -> None:
    store.put(MANAGER, "system", [policy("p", match="rule", key={"type": "x"}, read=["a"])])
    store.put(agent(), "rule", [sheet({"n": "1"}, ["b"], {"p": 1}), sheet({"n": "2", "type": "x"}, [], {"p": 1})])
    statements: list[str] = []
    event.listen(store.registry.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    counted = set()
    for key in ({"n": "1"}, {"n": "2"}, {"n": "2", "type": "x"}, {"n": "3"}):
        for asked in ({}, {"sort": [{"field": "p"}], "limit": 2}):
            statements.clear()
            assert told(lambda key=key, asked=asked: store.get(agent(), "rule", key, **asked))[0] == "sans_donnees"
            counted.add((bool(asked), len(statements)))
        statements.clear()
        assert told(lambda key=key: store.file(agent(), "rule", key, "p"))[0] == "sans_donnees"
        counted.add((None, len(statements)))
    assert len(counted) == 3
