"""Counts of what was asked: who may, what they say, and what they never say."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from conftest_store import MANAGER, Clock, agent, sheet

from workbench.errors import WorkbenchError
from workbench.store import Desk, Store
from workbench.store.first_policies import FIRST

K = {"siren": "012345678", "type": "detail"}
STATS = agent("stats", email="chiffres@exemple.fr")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def first(store: Store) -> None:
    store.install(FIRST)


def test_what_is_asked_is_counted_by_day_person_and_kind(store: Store, clock: Clock) -> None:
    ada = agent("bfc", email="ada@exemple.fr")
    begins = clock.now
    store.put(ada, "public", [sheet(K, ["bfc"], {"a": 1})])
    for _ in range(3):
        store.get(ada, "public", K)
    clock.advance(hours=48)
    store.get(ada, "public", K)
    store.get(ada, "public", filter=[{"field": "a", "operator": "=", "value": 1}])
    found = Desk(store, STATS).usage(begins, clock.now + DAY)
    of_ada = [each for each in found if each["reader"] == "ada@exemple.fr"]
    counts = [(each["action"], each["bucket"], each["kind"], each["count"]) for each in of_ada]
    assert sorted(counts) == [
        ("get", "public", "", 1),
        ("get", "public", "detail_siren", 1),
        ("get", "public", "detail_siren", 3),
        ("put", "public", "", 1),
    ]
    assert len({each["day"] for each in of_ada}) == 2
    assert "012345678" not in json.dumps(found)
    assert {"usage"} == {each["action"] for each in found if each["reader"] == STATS.email}


def test_a_kind_is_a_word_and_never_what_was_asked(store: Store, clock: Clock) -> None:
    for type_ in ("012345678", "DUPONT Jeanne", "x" * 40, "e.mail@exemple.fr"):
        with pytest.raises(WorkbenchError):
            store.get(agent(), "public", {"type": type_})
    assert {each["kind"] for each in store.usage(STATS, clock.now - DAY, clock.now + DAY)} <= {"", "policy"}


def test_who_may_count(store: Store, clock: Clock) -> None:
    assert store.usage(MANAGER, clock.now - DAY, clock.now + DAY)
    for refused in (agent(), agent("bfc", "detection")):
        with pytest.raises(WorkbenchError) as caught:
            store.usage(refused, clock.now - DAY, clock.now + DAY)
        assert caught.value.code == "acces_interdit"
    # Counting opens neither the journal nor why, nor any policy.
    for call in (store.journal, lambda who: store.why(who, "public"), lambda who: store.get(who, "system")):
        with pytest.raises(WorkbenchError):
            call(STATS)


def test_a_period_has_a_beginning_and_an_end(store: Store, clock: Clock) -> None:
    for begins, ends in ((clock.now, clock.now), (clock.now, clock.now - DAY), (clock.now - 800 * DAY, clock.now)):
        with pytest.raises(WorkbenchError) as caught:
            store.usage(STATS, begins, ends)
        assert caught.value.code == "question_invalide"
