"""Rows read as columns: the same from both databases, whatever their texts hold and however they are parted."""

from __future__ import annotations

import pytest
from conftest_store import Agent, Clock, agent, sheet
from sqlalchemy import select

from workbench.store import Store, fetching
from workbench.store.tables import PROPERTY

TEXTS = ["", ",", '"', '""', "a\nb", "a\r\nb", "\\.", "\\N", "NULL", "NaN", "é\u202f€", " x ", "%s", "12", "\t"]


@pytest.fixture(params=[2, 50_000])
def part(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    size: int = request.param
    monkeypatch.setattr(fetching, "PART", size)
    return size


def test_texts_come_as_they_are_kept(store: Store, part: int) -> None:
    who = agent("a", "21")
    store.put(who, "public", [sheet({"n": str(n)}, [], {text or "vide": text}) for n, text in enumerate(TEXTS)])
    asked = select(PROPERTY.c.object_id, PROPERTY.c.name, PROPERTY.c.value).where(PROPERTY.c.bucket == "public")
    with store.registry.read() as connection:
        parts = list(fetching.fetched(connection, asked))
        rows = sorted(tuple(row) for row in connection.execute(asked))
    assert sorted(tuple(row.values()) for each in parts for row in each.to_pylist()) == rows
    assert len(rows) == len(TEXTS)
    assert len(parts) == -(-len(TEXTS) // part)


def test_the_last_sheet_wins_whatever_part_it_comes_in(store: Store, clock: Clock, part: int) -> None:
    assert part
    who: Agent = agent("a", "21", "39")
    for turn in range(4):
        store.put(
            who, "public", [sheet({"n": str(n)}, [["21", "39"][turn % 2]], {"x": turn, "y": n}) for n in range(5)]
        )
    for badges, last in [(("21", "39"), 3), (("21",), 2), ((), None)]:
        reader = agent("b", *badges)
        found = store.browse(reader, "public", key={"n": "3"})["objects"]
        assert [each["value"] for each in found] == ([] if last is None else [{"x": last, "y": 3}])
        assert found == [
            {"key": each["key"], "value": each["value"]}
            for each in (store.get(reader, "public", {"n": "3"}) if found else [])
        ]


def test_nothing_is_a_view_of_nothing(store: Store) -> None:
    assert store.browse(agent("a"), "public", key={"n": "1"})["total"] == 0
