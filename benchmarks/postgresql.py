"""A base on PostgreSQL beside the same on DuckDB: ``python benchmarks/postgresql.py [collectivités] [url]``.

Without a URL the tests' own server runs. The floor of the cells is the driver's: the same packed
rows read by one COPY of the whole table, no snapshot asked for, nothing unpacked.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import column, select, table
from synthetic import make_base, make_trame

import workbench as wb
from workbench.dgfip import cells as cells_module
from workbench.dgfip.cells import prepare_cells
from workbench.dgfip.cells_stored import stored_cells
from workbench.dgfip.schema import budgets
from workbench.engines.postgresql_session import Address, Session
from workbench.evaluation import each

REPEAT = 5
AT_ONCE = 16_380
AIM = 8e6
YEARS = range(2014, 2024)


def median(action: Callable[[], object], repeat: int = REPEAT) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@contextmanager
def address() -> Iterator[str]:
    if len(sys.argv) > 2:
        yield sys.argv[2]
        return
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from postgresql_server import postgresql_server

    with postgresql_server() as new_database:
        yield new_database()


def read(base: wb.Base, rows: pa.Table) -> int:
    """Every cell of some budgets, as Arrow: position of the budget, cell column, cents."""
    stored, count = stored_cells(base), 0
    # Ten exercices a collectivité: a slice never parts one.
    for start in range(0, rows.num_rows, AT_ONCE):
        part = rows.slice(start, AT_ONCE)
        found = stored.read_slice(part["siret"].combine_chunks(), part["exercice"].combine_chunks())
        count += len(pa.table(dict(zip(("budget", "colonne", "centimes"), map(pa.array, found), strict=True))))
    return count


def row(name: str, ours: float, peer: float, aim: str = "") -> None:
    print(f"{name:<58}{ours * 1e3:>10.1f} {peer * 1e3:>10.1f} {ours / peer:>7.2f}   {aim}", flush=True)


def without_blocks(action: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        kept = each.open_cells, each.prepare_cells
        each.open_cells = each.prepare_cells = lambda _: None
        try:
            return action()
        finally:
            each.open_cells, each.prepare_cells = kept

    return run


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    with tempfile.TemporaryDirectory() as name, address() as url:
        cells_module.user_cache_path = lambda _: Path(name) / "cache"
        start = time.perf_counter()
        duckdb = make_base(Path(name) / "bench.duckdb", count)
        middle = time.perf_counter()
        postgresql = make_base(url, count)
        print(f"{'':<58}{'ours ms':>10} {'peer ms':>10} {'ratio':>7}   aim")
        row("base filled (peer: DuckDB)", time.perf_counter() - middle, middle - start)
        key = (budgets.c.siret, budgets.c.exercice)
        rows = postgresql.fetch(select(*key).order_by(*key))
        cells = read(postgresql, rows)
        spent = median(lambda: read(postgresql, rows))
        session = Session(Address(url), {})
        names = ("siret", "exercice", "import_id", "codes", "cents")
        packed = select(table("cells", *map(column, names), schema="workbench"))
        floor = median(lambda: session.fetch(packed))
        session.close()
        row(f"{cells} cells to Arrow (peer: one COPY)", spent, floor)
        verdict = "reached" if cells / spent >= AIM else "MISSED"
        print(f"{'':<4}{cells / spent / 1e6:.1f} M cells/s; aim {AIM / 1e6:.0f} M: {verdict}")
        sizes = [count // part * 10 for part in (8, 4, 2, 1)]
        times = [median(lambda s=size: read(postgresql, rows.slice(0, s))) for size in sizes]
        print(f"{'':<4}growth exponent {np.polyfit(np.log(sizes), np.log(times), 1)[0]:.2f} over {sizes} budget-years")

        trame = make_trame(300)
        few = wb.perimetre(sirets=sorted(set(rows["siret"].to_pylist()))[: max(1, count // 10)])
        bases = (postgresql, duckdb)
        run = [median(without_blocks(lambda b=base: wb.evaluate_each(trame, b, few, YEARS)), 3) for base in bases]
        row(f"evaluate_each, {max(1, count // 10) * 10} budget-years, no blocks (peer: DuckDB)", *run, aim="≤ 1.5")
        run = [median(lambda b=base: prepare_cells(b), 1) for base in bases]
        row("blocks made (peer: DuckDB)", *run)
        run = [median(lambda b=base: wb.evaluate_each(trame, b, few, YEARS)) for base in bases]
        row("the same evaluate_each, from blocks (peer: DuckDB)", *run, aim="≤ 1.1")
        run = [median(lambda b=base: wb.preview("C70[TA:BX]", b)) for base in bases]
        row("preview (peer: DuckDB)", *run, aim="≤ 1.1")
        postgresql.close()
        duckdb.close()


if __name__ == "__main__":
    main()
