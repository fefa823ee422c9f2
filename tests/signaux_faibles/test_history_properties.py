"""What holds of any batches in any order: states are those of the files, replayed one after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import column, delete, insert, select, table

from workbench.engines import Writer, scratch_writer
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.compaction import covers, measured, merge
from workbench.signaux_faibles.history.maintenance import forget
from workbench.signaux_faibles.history.order import Deliveries, Delivery
from workbench.signaux_faibles.history.states import life_spans, state_of
from workbench.signaux_faibles.sources import source_named

TYPE = "paydex"
SOURCE = source_named(TYPE)
KEYS = ["1812", "1901", "1902", "1903", "1904"]
FACTS = st.sets(st.tuples(st.sampled_from(["111111111", "222222222"]), st.integers(1, 3)))
Fact = tuple[str, int]

deliveries = st.dictionaries(st.sampled_from(KEYS), st.tuples(st.booleans(), FACTS), min_size=1)
"""Batch to whether it is complete, and its facts."""


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    with scratch_writer(tmp_path_factory.mktemp("merging")) as opened:
        opened.create([schema.deliveries, *schema.type_tables(TYPE)])
        yield opened


class Merged:
    """A history of one type, empty at first, that deliveries are merged into."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.every: dict[str, Delivery] = {}
        for each in (schema.deliveries, *schema.type_tables(TYPE)):
            writer.execute(delete(each))

    def say(self, batch: str, complete: bool, facts: set[Fact]) -> None:
        rows = pa.table(
            {
                "batch": pa.array([batch] * len(facts), pa.string()),
                "siren": pa.array([siren for siren, _ in facts], pa.string()),
                "hash": pa.array([number for _, number in facts], pa.int64()),
            }
        )
        given_rows = table("donnes", *(column(name) for name in rows.column_names))
        waiting = schema.imported(TYPE)
        names = ["batch", "file", "siren", "hash", "nb_jours"]
        chosen = select(
            given_rows.c.batch, given_rows.c.batch, given_rows.c.siren, given_rows.c.hash, given_rows.c.hash
        )
        self.writer.execute(insert(waiting).from_select(names, chosen), {"donnes": rows})
        known = self.every.get(batch, Delivery(batch, TYPE, complete=False, compacted=False))
        self.every[batch] = replace(known, pending=True, pending_complete=complete)

    def merge(self) -> None:
        merge(self.writer, Deliveries(self.every.values()))
        for batch, each in self.every.items():
            if each.pending:
                self.every[batch] = Delivery(batch, TYPE, complete=each.pending_complete, compacted=True)

    def state(self, until: str | None = None) -> list[Fact]:
        known = Deliveries(self.every.values()).of(TYPE)
        rows = self.writer.fetch(state_of(SOURCE, known, until, True)).to_pylist()
        return sorted((row["siren"], row["hash"]) for row in rows)

    def runs(self) -> list[tuple[str, ...]]:
        rows = self.writer.fetch(select(schema.facts(TYPE))).to_pylist()
        return sorted(tuple(str(value) for value in row.values()) for row in rows)


def replayed(files: dict[str, tuple[bool, set[Fact]]], until: str) -> set[Fact]:
    """Read the files one after another: a complete one replaces what is known, another adds to it."""
    known: set[Fact] = set()
    for batch in sorted(files):
        if batch <= until:
            complete, facts = files[batch]
            known = set(facts) if complete else known | facts
    return known


@settings(max_examples=8)
@given(files=deliveries, order=st.randoms(use_true_random=False), together=st.booleans())
def test_any_order_gives_the_states_of_the_files(writer: Writer, files, order, together) -> None:  # type: ignore[no-untyped-def]
    merged = Merged(writer)
    # Files of one batch may come in several times, which is nothing but a longer list of facts.
    parts = [(batch, complete, {fact}) for batch, (complete, facts) in files.items() for fact in facts]
    parts = parts[:3] + [(batch, complete, facts) for batch, (complete, facts) in files.items()]
    order.shuffle(parts)
    for batch, complete, facts in parts:
        merged.say(batch, complete, facts)
        if not together:
            merged.merge()
    merged.merge()
    for until in KEYS:
        # Each fact once, though several deliveries say it.
        assert merged.state(until) == sorted(replayed(files, until)), until
    assert merged.state() == sorted(replayed(files, KEYS[-1]))

    known = Deliveries(merged.every.values()).of(TYPE)
    spans = merged.writer.fetch(life_spans(SOURCE, known, True)).to_pylist()
    for until in KEYS:
        alive = [
            (row["siren"], row["hash"])
            for row in spans
            if row["batch_added"] <= until and (row["batch_removed"] is None or row["batch_removed"] > until)
        ]
        assert sorted(alive) == sorted(replayed(files, until))
    for batch, (_, facts) in files.items():
        rows = schema.facts(TYPE)
        said = merged.writer.fetch(select(rows.c.siren, rows.c.hash).where(covers(rows, batch))).to_pylist()
        assert sorted((row["siren"], row["hash"]) for row in said) == sorted(facts)
        change = measured(merged.writer, SOURCE, known, batch)
        earlier = [key for key in files if key < batch]
        before = replayed(files, max(earlier)) if earlier else set()
        now = replayed(files, batch)
        assert (change.added, change.removed, change.before) == (len(now - before), len(before - now), len(before))

    # The rows themselves do not tell in which order they were made.
    as_made = merged.runs()
    again = Merged(writer)
    for batch in sorted(files):
        again.say(batch, *files[batch])
    again.merge()
    assert again.runs() == as_made


@settings(max_examples=4)
@given(files=deliveries, since=st.sampled_from(KEYS))
def test_purging_leaves_what_would_be_without(writer: Writer, files, since) -> None:  # type: ignore[no-untyped-def]
    merged = Merged(writer)
    for batch, (complete, facts) in files.items():
        merged.say(batch, complete, facts)
    merged.merge()
    forget(writer, TYPE, Deliveries(merged.every.values()).of(TYPE).before(since), since)
    left = merged.runs()
    without = Merged(writer)
    for batch in (each for each in files if each < since):
        without.say(batch, *files[batch])
    without.merge()
    assert without.runs() == left


def test_a_scratch_is_really_read(writer: Writer, tmp_path: Path) -> None:
    """The model is not satisfied by empty tables."""
    merged = Merged(writer)
    merged.say("1901", False, {("111111111", 1)})
    assert merged.state() == []
    merged.merge()
    assert merged.state() == [("111111111", 1)]
