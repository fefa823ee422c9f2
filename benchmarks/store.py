"""The store at the size of a country: one key, and a filtered, sorted page of 50, against rows read with no rights.

    python benchmarks/store.py --country [--url postgresql+psycopg://… | --sqlite]

``--country`` is 1 000 000 sheets over 300 000 keys, ten times what is measured without it. The store is measured at a
tenth of its size, then whole: what is flat takes the same time. ``--explain`` shows the plans of PostgreSQL.
Without an address, a PostgreSQL server of the tests' own is started, with its usual settings for speed.
The floor is the same SQL with nothing of rights in it: no scope, no policy, no release date; it reads the same objects.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, event, text, true

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from workbench.store import Store, open_store
from workbench.store.policies import access
from workbench.store.question import Question, question
from workbench.store.reading import Eyes, found_objects, seen

DEPARTMENTS = [f"{n:02d}" for n in range(1, 96)]
KINDS = [[], ["detection"], ["urssaf"], ["bdf"]]
PUBLICATION = 100_000
AGENTS = {
    "region": SimpleNamespace(email="a@exemple.fr", badges=frozenset({"region 2", "detection", "urssaf"})),
    "one department": SimpleNamespace(email="b@exemple.fr", badges=frozenset({"21", "detection"})),
    "France": SimpleNamespace(email="c@exemple.fr", badges=frozenset({*DEPARTMENTS, "detection", "urssaf", "bdf"})),
}


class NoRights(Eyes):
    """Eyes that see everything, without asking."""

    def sees(self, _sheet: FromClause) -> ColumnElement[bool]:
        return true()


def sheets(keys: int, count: int) -> Iterator[dict[str, Any]]:
    """Write sheets as the publication of a list does: by department and by source."""
    draw = random.Random(1)  # noqa: S311 - examples
    for number in range(count):
        key = number % keys
        turn = number // keys
        scope = [DEPARTMENTS[key % 95], *KINDS[turn % 4]]
        value: dict[str, Any] = {"score": round(draw.random(), 6), "effectif": draw.randrange(500)}
        if turn % 4 >= 2:
            value = {f"source_{turn % 4}": [draw.randrange(1000) for _ in range(12)], "effectif": draw.randrange(500)}
        yield {"key": {"type": "detection", "siret": f"{key:014d}", "batch": "2601"}, "scope": scope, "value": value}


def policies() -> list[dict[str, Any]]:
    lending = [
        {"match": "^public$", "scope": [f"region {n}"], "promote": DEPARTMENTS[8 * n : 8 * n + 8]} for n in range(12)
    ]
    keyed = [
        {"match": "^public$", "key": {"type": "secret"}, "read": ["secret"]},
        {"match": "^comment$", "key": {"author": "$user.email"}, "promote": ["datawriter"]},
        {"match": ".*", "write": ["datawriter"]},
    ]
    return [
        {"key": {"type": "policy", "name": str(n)}, "scope": [], "value": value}
        for n, value in enumerate([*lending, *keyed])
    ]


def published(store: Store, writer: Any, keys: int, first: int, last: int) -> None:
    """Publish some of the sheets, a hundred thousand at a time, and say how it goes."""
    begun = time.perf_counter()
    every = sheets(keys, last)
    for _ in zip(range(first), every, strict=False):
        pass
    done = first
    while done < last:
        done += store.put(writer, "public", islice(every, min(PUBLICATION, last - done)))
        spent = time.perf_counter() - begun
        left = spent / (done - first) * (last - done)
        print(f"\r{done} of {last} sheets, {spent:.0f} s, {left:.0f} s left   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    with store.registry.write() as connection:
        connection.execute(text("ANALYZE"))
    print(f"{last} sheets over {keys} keys, {(last - first) / (time.perf_counter() - begun):.0f} a second", flush=True)


def median_ms(measured: Callable[[], object], times: int) -> float:
    measured()
    spent = []
    for _ in range(times):
        begun = time.perf_counter()
        measured()
        spent.append((time.perf_counter() - begun) * 1000)
    return statistics.median(spent)


def measure(store: Store, keys: int, times: int) -> None:
    draw = random.Random(2)  # noqa: S311 - examples
    batch = {"type": "detection", "batch": "2601"}
    order = [{"field": "score", "order": -1}]
    least = [{"field": "effectif", "operator": ">=", "value": 50}]

    def one(name: str) -> Question:
        departments = range(95) if name == "France" else [20]
        key = draw.randrange(keys // 95) * 95 + draw.choice(list(departments))
        return question({"key": {"siret": f"{key % keys:014d}", "type": "detection", "batch": "2601"}})

    def page(_: str) -> Question:
        return question({"key": batch, "filter": least, "sort": order, "limit": 50})

    for name, who in AGENTS.items():
        for what, asking in (("one key", one), ("page of 50", page)):
            run(store, name, who, what, asking, times)


def run(store: Store, name: str, who: Any, what: str, asking: Callable[[str], Question], times: int) -> None:
    now = datetime.now(UTC)
    with store.registry.read() as connection:
        rights = Eyes(access(store._policies.at(connection, now), "public", who), "public", now)
        rows = read(connection, rights, asking(name))

        def ours() -> object:
            return read(connection, rights, asking(name))

        def floor() -> object:
            return read(connection, NoRights(rights.access, "public", now), asking(name))

        without, with_rights = median_ms(floor, times), median_ms(ours, times)
    whole = median_ms(lambda: store.answer(who, "public", asking(name)), times)
    print(
        f"{name:15} {what:11} {len(rows):3} objects  no rights {without:7.2f} ms  rights {with_rights:7.2f} ms "
        f"(× {with_rights / without:4.2f})  with policies, clock and journal {whole:7.2f} ms",
        flush=True,
    )


def explain(store: Store) -> None:
    """Show the plan of each statement of both questions."""
    now = datetime.now(UTC)
    batch = {"type": "detection", "batch": "2601"}
    least = [{"field": "effectif", "operator": ">=", "value": 50}]
    page = question({"key": batch, "filter": least, "sort": [{"field": "score", "order": -1}], "limit": 50})
    one = question({"key": {"siret": f"{20:014d}", "type": "detection", "batch": "2601"}})
    statements: list[tuple[str, Any]] = []

    def listen(*given: Any) -> None:
        statements.append((given[2], given[3]))

    with store.registry.write() as connection:
        for name, who in AGENTS.items():
            eyes = Eyes(access(store._policies.at(connection, now), "public", who), "public", now)
            for asked in (one, page):
                statements.clear()
                event.listen(connection, "before_cursor_execute", listen)
                read(connection, eyes, asked)
                event.remove(connection, "before_cursor_execute", listen)
                print(f"--- {name}: {asked}", flush=True)
                for statement, values in statements:
                    plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", values)
                    print("\n".join(plan.scalars()), flush=True)


def read(connection: Connection, eyes: Eyes, asked: Question) -> list[dict[str, Any]]:
    return seen(connection, eyes, found_objects(connection, eyes, asked))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--country", action="store_true")
    parser.add_argument("--sheets", type=int)
    parser.add_argument("--keys", type=int)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--url")
    parser.add_argument("--sqlite", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        address = asked.url
        if asked.sqlite:
            address = str(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "registre.sqlite")
        elif address is None:
            from postgresql_server import postgresql_server

            address = stack.enter_context(postgresql_server())()
        store = stack.enter_context(open_store(address))
        writer = SimpleNamespace(email="w@exemple.fr", badges=frozenset({"datawriter", "manager"}))
        store.put(writer, "system", policies())
        size = asked.sheets or (1_000_000 if asked.country else 100_000)
        keys = asked.keys or size * 3 // 10
        published(store, writer, keys, 0, size // 10)
        measure(store, min(keys, size // 10), asked.times)
        published(store, writer, keys, size // 10, size)
        measure(store, keys, asked.times)
        if asked.explain:
            explain(store)


if __name__ == "__main__":
    main()
