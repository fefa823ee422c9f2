"""The one rule: whatever sheets, policies, people and dates, the database answers as ten lines written from the text."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from conftest_store import MANAGER, Agent, Clock, agent, empty, policy, sheet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.store import Store

BADGES = ["a", "b", "c", "d"]
EMAILS = ["ada@exemple.fr", "bob@exemple.fr"]

badges = st.lists(st.sampled_from(BADGES), max_size=3, unique=True)
few_badges = st.lists(st.sampled_from(BADGES), max_size=1)
hours = st.integers(-3, 3)
pairs = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["x", "y"]), "n": st.sampled_from(["1", "2"]), "by": st.sampled_from(EMAILS)}
)
scalars = st.one_of(st.integers(-2, 2), st.sampled_from([0.5, True, False, "t", "u", "é", None]))
values = st.dictionaries(st.sampled_from(["p", "q", "r"]), st.one_of(scalars, st.just([1])), max_size=3)
sheets = st.lists(st.tuples(pairs, badges, values, hours), max_size=12)
policy_keys = st.one_of(
    st.just({}),
    st.fixed_dictionaries({}, optional={"type": st.sampled_from(["x", "y"]), "n": st.sampled_from(["1", "2"])}),
    st.just({"by": "$user.email"}),
    st.sampled_from([{"bucket": "rule"}, {"bucket": "other"}]),
)
policies = st.lists(
    st.tuples(
        st.sampled_from(["k", "l", "m", "o"]),
        st.fixed_dictionaries(
            {"match": st.sampled_from(["^rule$", "ul", ".*", "^other$"])},
            optional={"key": policy_keys, "scope": few_badges, "read": few_badges, "promote": badges},
        ),
        hours,
    ),
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


def visible(rules: list[dict[str, Any]], who: Agent, key: dict[str, str], scope: list[str]) -> bool:
    """7.1.2, steps 4 and 5."""
    full = {**key, "bucket": "rule"}
    relevant = [
        each
        for each in rules
        if re.search(each["match"], "rule")
        and set(each.get("scope", [])) <= who.badges
        and {n: v.replace("$user.email", who.email) for n, v in each.get("key", {}).items()}.items() <= full.items()
    ]
    lent = {badge for each in relevant for badge in each.get("promote", [])}
    asked = {badge for each in relevant for badge in each.get("read", [])}
    return who.badges | lent >= set(scope) | asked


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
    stored: list[Any], rules: list[dict[str, Any]], who: Agent, asked: dict[str, Any]
) -> list[tuple[dict[str, str], Any]]:
    """7.1.2, steps 3 to 9."""
    found: dict[Any, tuple[dict[str, str], dict[str, Any]]] = {}
    date = min(asked.get("date", 0), 0)
    for key, scope, value, released in stored:
        mark = tuple(sorted(key.items()))
        found.setdefault(mark, (key, {}))
        if released <= date and visible(rules, who, key, scope) and asked.get("key", {}).items() <= key.items():
            found[mark][1].update(value)
    rows = [(key, value) for key, value in found.values() if value]
    for field, operator, other in asked.get("filter", []):
        rows = [row for row in rows if passes(row[1].get(field), operator, other)]
    if "sort" in asked:
        field, order = asked["sort"]
        first = list(enumerate(rows))
        has = [(n, row) for n, row in first if kind(row[1].get(field)) != 9]
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


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(sheets, policies, st.lists(questions, min_size=1, max_size=8))
def test_the_database_answers_as_the_text(
    store: Store, clock: Clock, stored: list[Any], written: list[Any], asked: list[Any]
) -> None:
    empty(store)
    store.protect()

    def moment(released: int) -> Any:
        return clock.now + timedelta(hours=released)

    store.put(agent(), "rule", [sheet(k, s, v, releaseDate=moment(h)) for k, s, v, h in stored])
    store.put(MANAGER, "system", [{**policy(name, **value), "releaseDate": moment(h)} for name, value, h in written])
    rules: dict[str, dict[str, Any]] = {}
    for name, value, released in written:
        if released <= 0:
            rules.setdefault(name, {}).update(value)
    for who, question in asked:
        assert answer(store, clock, who, question) == expected(stored, list(rules.values()), who, question)
