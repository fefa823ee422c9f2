"""Spark: the whole trame for each collectivité, against a ``mapInArrow`` that does nothing.

    python benchmarks/spark.py [--budgets 4000] [--exercices 10] [--master "local[2]"]

In one run over the same snapshot, median of five, taken in turn:

* nothing: Spark reads the same columns of the same files, hands them to a ``mapInArrow`` that gives
  no row back;
* identity: the same, giving the rows back to a sink that drops them;
* ours: ``evaluate_each_batches``, every batch received by the driver.

The data are those of ``benchmarks/synthetic.py``.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

from synthetic import make_base, make_trame

import workbench as wb
from workbench.engines.spark_session import session_of
from workbench.evaluation.plan import compile_trame

REPEAT = 5


def nothing(batches):
    for _ in batches:
        pass
    yield from ()


def identity(batches):
    yield from batches


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--budgets", type=int, default=4_000)
    parser.add_argument("--exercices", type=int, default=10)
    parser.add_argument("--indicateurs", type=int, default=300)
    parser.add_argument("--master", default="local[2]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(f"spark://{folder}/base?master={given.master}", given.budgets, given.exercices)
        trame = make_trame(given.indicateurs)
        columns = sorted({cell.column for cell in compile_trame(trame).cells()})
        session = session_of(given.master)
        files = f"{folder}/base/*/balances/*.parquet"
        rows = session.read.parquet(files).select("siret", "exercice", "compte", *columns)
        print(
            f"{rows.count():,} balances, {given.budgets * given.exercices:,} budget-years, {given.indicateurs} "
            f"indicateurs, {len(columns)} amount columns, {given.master}"
        )

        def ours(layout: str) -> Callable[[], object]:
            period = range(1990, 2100)
            return lambda: sum(
                b.num_rows for b in wb.evaluate_each_batches(trame, base, exercices=period, layout=layout)
            )

        actions = {
            "mapInArrow, nothing": lambda: (
                rows.mapInArrow(nothing, "n bigint").write.format("noop").mode("overwrite").save()
            ),
            "mapInArrow, identity": lambda: (
                rows.mapInArrow(identity, rows.schema).write.format("noop").mode("overwrite").save()
            ),
            "evaluate_each, wide": ours("wide"),
            "evaluate_each, long": ours("long"),
        }
        times: dict[str, list[float]] = {name: [] for name in actions}
        for turn in range(REPEAT + 1):
            for name, action in actions.items():
                start = time.perf_counter()
                action()
                # The first turn starts Python on the executors and compiles.
                if turn:
                    times[name].append(time.perf_counter() - start)
                print(f"{turn} {name} {time.perf_counter() - start:.2f} s", file=sys.stderr, flush=True)
        medians = {name: statistics.median(each) for name, each in times.items()}
        floor = medians["mapInArrow, nothing"]
        print(f"\n{'':<26}{'seconds':>10}{'x nothing':>12}{'x identity':>12}")
        for name, each in medians.items():
            print(f"{name:<26}{each:>10.2f}{each / floor:>12.2f}{each / medians['mapInArrow, identity']:>12.2f}")
        base.close()


if __name__ == "__main__":
    main()
