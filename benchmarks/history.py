"""Import and compaction of a history against their floors: python benchmarks/history.py [companies] [months].

Import is measured against DuckDB's `read_csv` of the same bytes into a table, compaction against one EXCEPT over the
same rows, in the same DuckDB with the same memory. The second month says what the first one said, but for one line in
fifty: that is what months are like.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from workbench.signaux_faibles.batches import Batch, month_of
from workbench.signaux_faibles.demonstration import write_delivery
from workbench.signaux_faibles.history import compact, import_batch, open_history

LIMIT: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "2GB"}
TYPES = ("debit", "cotisation", "effectif", "apconso", "apdemande")


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _described(key: str) -> Batch:
    from workbench.signaux_faibles.demonstration_files import FILES

    files = {name: (f"/{key}/" + FILES[name].name.format(key=key, century=f"20{key[:4]}"),) for name in TYPES}
    return Batch(key, files, TYPES, end=month_of(key))


def _shorten(root: Path, earlier: str, later: str) -> None:
    """Write a file again without one line in fifty."""
    source, target = (root / path.lstrip("/") for path in (earlier, later))
    target.parent.mkdir(exist_ok=True)
    opened: Any = gzip.open if source.suffix == ".gz" else open
    with opened(source, "rb") as lines, opened(target, "wb") as kept:
        kept.writelines(line for number, line in enumerate(lines) if number % 50 != 49)


def _read(connection: duckdb.DuckDBPyConnection, root: Path, batch: Batch) -> None:
    for name, (path,) in batch.files.items():
        relation = connection.read_csv(str(root / path.lstrip("/")), all_varchar=True, ignore_errors=True)
        relation.create(f"{name}_{batch.key}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("companies", type=int, nargs="?", default=2_000)
    parser.add_argument("months", type=int, nargs="?", default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        keys = ("1801", "1802")
        write_delivery(root, keys[0], number=asked.companies, months=asked.months, errors=1, types=TYPES)
        batches = [_described(key) for key in keys]
        for kind in TYPES:
            _shorten(root, batches[0].files[kind][0], batches[1].files[kind][0])
        size = sum((root / path.lstrip("/")).stat().st_size for (path,) in batches[1].files.values())
        print(f"{asked.companies} companies, {asked.months} months: {size / 1e6:.0f} MB a batch")
        with closing(duckdb.connect(str(root / "floor.duckdb"), config=dict(LIMIT))) as connection:
            floors = [timed(partial(_read, connection, root, batch)) for batch in batches]
        with open_history(root / "h.duckdb", read_only=False) as history:
            for batch, floor in zip(batches, floors, strict=True):
                spent = timed(partial(import_batch, history, batch, root, no_filter=True))
                print(f"import {batch.key}: {spent:6.2f} s, floor {floor:6.2f} s, {spent / floor:5.1f} x")
                if batch is batches[1]:
                    # The rows that are about to be compared.
                    target = (root / "h.duckdb").resolve()
                    (root / "copy.duckdb").write_bytes(target.read_bytes())
                    except_ = _except(root / "copy.duckdb", batch.key)
                    merged = timed(partial(compact, history))
                    print(f"compact {batch.key}: {merged:6.2f} s, EXCEPT {except_:6.2f} s, {merged / except_:5.1f} x")
                else:
                    print(f"compact {batch.key}: {timed(partial(compact, history)):6.2f} s")
            counts = {kind: count for kind, count in history.counts().items() if count}
        print(f"tuples: {counts}; base {(root / 'h.duckdb').stat().st_size / 1e6:.0f} MB")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _except(path: Path, key: str) -> float:
    spent = 0.0
    with closing(duckdb.connect(str(path), config=dict(LIMIT))) as connection:
        for kind in TYPES:
            own = "siret, hash"
            connection.execute(
                f"CREATE TEMP TABLE kept_{kind} AS SELECT {own} FROM imported_{kind} WHERE batch = '{key}'"  # noqa: S608
            )
            text = f"CREATE TEMP TABLE found_{kind} AS SELECT {own} FROM history_{kind} EXCEPT FROM kept_{kind}"  # noqa: S608
            spent += timed(partial(connection.execute, text))
    return spent


if __name__ == "__main__":
    main()
