"""Replacing what keys hold: only what differs is written, and whatever was there, what is read is what was given."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from conftest_store import MANAGER, Agent, Clock, agent, policy, sheet

from workbench.errors import WorkbenchError
from workbench.store import Store

SCOPES = [["a"], ["b"], ["a", "b"], []]


def seen(store: Store, *badges: str) -> dict[str, Any]:
    try:
        return {each["key"]["n"]: each["value"] for each in store.get(agent(*badges), "list")}
    except WorkbenchError as error:
        if error.code != "sans_donnees":
            raise
        return {}


def given(n: str, scopes: list[list[str]], **value: Any) -> dict[str, Any]:
    return {"key": {"n": n, "batch": "1", "type": "x"}, "scopes": scopes, "value": value}


def replaced(store: Store, *sheets: dict[str, Any], **options: Any) -> Any:
    return store.replace(MANAGER, {"list": sheets}, within={"list": [{"batch": "1"}]}, **options)


def test_the_same_again_writes_nothing(store: Store) -> None:
    sheets = [given("1", [["a"], ["b"]], p=1, q=[{"r": 0.1}]), given("2", [[]], p=None)]
    first = replaced(store, *sheets)
    assert (first.new, first.sheets) == (2, 3)
    again = replaced(store, *sheets)
    assert (again.new, again.changed, again.withdrawn, again.same, again.sheets) == (0, 0, 0, 2, 0)
    assert again.by_type == {"x": {"new": 0, "changed": 0, "withdrawn": 0, "same": 2}}


def test_a_dry_run_says_and_does_nothing(store: Store) -> None:
    replaced(store, given("1", [[]], p=1), given("2", [[]], p=2))
    found = replaced(store, given("1", [[]], p=5), given("3", [[]], p=3), dry_run=True)
    assert (found.new, found.changed, found.withdrawn, found.same) == (1, 1, 1, 0)
    assert seen(store) == {"1": {"p": 1}, "2": {"p": 2}}
    assert store.journal(MANAGER, bucket="list")[1]["action"] == "replace?"


def test_a_scope_that_goes_hides_nothing_from_who_reads_another(store: Store) -> None:
    replaced(store, given("1", [["a"], ["b"]], p=1))
    found = replaced(store, given("1", [["a"]], p=1))
    assert (found.changed, found.sheets) == (1, 2)
    assert seen(store, "a") == seen(store, "a", "b") == {"1": {"p": 1}}
    assert seen(store, "b") == {"1": {"p": None}}
    assert replaced(store, given("1", [["a"]], p=1)).sheets == 0


def test_what_expires_or_comes_later_is_part_of_what_is_compared(store: Store, clock: Clock) -> None:
    end = clock.now + timedelta(days=30)
    replaced(store, given("1", [[]], p=1) | {"expires": end})
    assert replaced(store, given("1", [[]], p=1) | {"expires": end}).sheets == 0
    assert replaced(store, given("1", [[]], p=1)).changed == 1
    clock.advance(days=40)
    assert seen(store) == {"1": {"p": 1}}
    later = clock.now + timedelta(days=1)
    assert replaced(store, given("1", [[]], p=2) | {"releaseDate": later}).changed == 1
    assert replaced(store, given("1", [[]], p=2) | {"releaseDate": later}).sheets == 0
    assert seen(store) == {"1": {"p": 1}}
    clock.advance(days=2)
    assert seen(store) == {"1": {"p": 2}}
    replaced(store, given("1", [[]], p=2) | {"expires": clock.now + timedelta(days=1)})
    clock.advance(days=2)
    assert seen(store) == {"1": {"p": None}}
    assert replaced(store, given("1", [[]], p=2)).new == 1


def test_withdrawal_leaves_nulls_once(store: Store) -> None:
    replaced(store, given("1", SCOPES, p=1), given("2", [["a"]], p=1, q=2))
    store.put(agent(), "list", [sheet({"n": "3", "batch": "2"}, [], {"p": 3})])
    assert replaced(store).withdrawn == 2
    assert seen(store, "a", "b") == {"1": {"p": None}, "2": {"p": None, "q": None}, "3": {"p": 3}}
    assert (replaced(store).withdrawn, replaced(store).sheets) == (0, 0)


def test_all_or_nothing_and_the_rights(store: Store) -> None:
    store.put(MANAGER, "system", [policy("w", match="list", write=["w"])])
    for who, code in ((agent("w"), "acces_interdit"), (MANAGER, "ecriture_interdite")):
        with pytest.raises(WorkbenchError) as refusal:
            store.replace(who, {"list": [given("1", [[]], p=1)]})
        assert refusal.value.code == code
        with pytest.raises(WorkbenchError):
            store.replace(who, {"list": [given("1", [[]], p=1)]}, dry_run=True)
    both = Agent("w@exemple.fr", frozenset({"manager", "w"}))
    one, other = given("1", [[]], p=1), given("2", [[]], p=1)
    for wrong in ([one, other, one], [one, {"value": {}}], [one, given("2", [[1]], p=1)]):  # type: ignore[list-item]
        with pytest.raises(WorkbenchError):
            store.replace(both, {"other": [one], "list": wrong})
        assert seen(store) == {}
    assert store.replace(both, {"other": [one], "list": [one, other]}).new == 3


@pytest.mark.parametrize("seed", range(8))
def test_whatever_was_there_what_is_read_is_what_was_given(store: Store, clock: Clock, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - examples
    badges = [draw.sample("ab", draw.choice([0, 1, 2])) for _ in range(3)]
    for _ in range(5):
        clock.advance(hours=1)
        sheets = []
        for n in draw.sample("1234", 3):
            for names in draw.choice([["p", "q"], ["p"]]):
                scopes = draw.sample(SCOPES, draw.choice([1, 2, 3]))
                sheets.append(given(n, scopes, **{names: draw.choice([0, 1, "t", [1]])}))
        replaced(store, *sheets)
        for who in badges:
            expected: dict[str, Any] = {}
            for each in sheets:
                if any(set(scope) <= set(who) for scope in each["scopes"]):
                    expected.setdefault(each["key"]["n"], {}).update(each["value"])
            shown = {
                n: {name: value for name, value in found.items() if value is not None}
                for n, found in seen(store, *who).items()
            }
            assert {n: value for n, value in shown.items() if value} == expected
        assert replaced(store, *sheets, dry_run=True).sheets == 0
