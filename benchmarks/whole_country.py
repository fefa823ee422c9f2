"""The live aims, each as a ratio in one run: ``python benchmarks/whole_country.py [folder]``.

The floor is what DuckDB takes to sum two integer columns of the same cells. A country of 1.4 million
budget-years is simulated by going through the blocks of a smaller base several times.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from synthetic import make_base, make_trame

import workbench as wb
from workbench.dgfip.cells import Cells, Descriptions, open_cells, prepare_cells
from workbench.evaluation import compiled
from workbench.evaluation.blocks import prepare, run_blocks
from workbench.evaluation.each import _NOBODY, Selection, _facts, _parts, values_of_blocks
from workbench.evaluation.plan import Plan, compile_trame

COUNTRY = 1_400_000
COLLECTIVITES = 3_000
REPEAT = 5


def median(action: Callable[[], object], repeat: int = REPEAT) -> float:
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def row(name: str, ours: float, peer: float, aim: str, unit: float = 1e3) -> None:
    print(f"{name:<62}{ours * unit:>10.1f} {peer * unit:>10.1f} {ours / peer:>8.2f}   {aim}")


def evaluate_all(plan: Plan, cells: Cells, selection: Selection, times: int = 1) -> int:
    return sum(len(rows) for _ in range(times) for rows, _ in values_of_blocks(plan, cells, selection))


def growth(name: str, sizes: list[int], times: list[float]) -> None:
    exponent = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    print(f"{name:<62}{exponent:>10.2f}   {sizes} {[round(each * 1e3, 1) for each in times]} ms")


def tiled(cells: Cells, times: int) -> Cells:
    """The same blocks, several times: a larger base for what reads through it once."""
    table = pa.concat_tables([cells.descriptions.table] * times).combine_chunks()
    bounds = np.concatenate([cells.bounds[:-1] + number * len(cells.descriptions) for number in range(times)])
    return replace(
        cells,
        descriptions=Descriptions(table),
        bounds=np.append(bounds, len(cells.descriptions) * times),
        spans=np.tile(cells.spans, (times, 1)),
    )


def profile(plan: Plan, cells: Cells, selection: Selection) -> None:
    """Where one thread spends its time: the loops are run again without their last steps."""
    prepared = prepare(plan, cells.chart)
    steps = prepared.steps
    nothing = np.zeros(0, dtype=np.int64)
    cells_alone = steps._replace(
        weight_starts=np.zeros(1, dtype=np.int64),
        tape=np.zeros((0, 8), dtype=np.int64),
        outputs=nothing,
    )
    stages = {
        "cells added up": cells_alone,
        "weights": steps._replace(tape=cells_alone.tape, outputs=nothing),
        "instructions": steps._replace(outputs=nothing),
        "values written": steps,
    }
    parts = _parts(cells, selection, 8_192)

    def run(chosen: compiled.Steps) -> None:
        prepared.steps = chosen
        for blocks, taken in parts:
            run_blocks(
                prepared,
                cells,
                blocks,
                *_facts(prepared, selection, taken),
                np.empty((len(plan.outputs), len(taken))),
                _NOBODY,
            )

    before = 0.0
    for name, chosen in stages.items():
        spent = median(lambda c=chosen: run(c))
        print(f"  {name:<60}{(spent - before) * 1e3:>10.1f} ms")
        before = spent
    prepared.steps = steps


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    path = folder / "bench.duckdb"
    base = wb.connect(path) if path.exists() else make_base(path, COLLECTIVITES)
    start = time.perf_counter()
    built = open_cells(base) is None
    cells = prepare_cells(base)
    budgets = len(cells.descriptions)
    print(f"{budgets} budget-years, {len(cells)} blocks")
    if built:
        print(f"blocks made in {time.perf_counter() - start:.1f} s")
    connection = duckdb.connect()
    # The cells alone: the sums of short prefixes that blocks keep beside them are no part of the floor.
    leaves = len(cells.chart.amount)
    runs = cells.arrays["runs"]
    number = np.repeat(np.arange(len(cells)), cells.spans[:, 5] - cells.spans[:, 2])
    lengths = np.diff(np.append(0, runs[:, 1] + cells.spans[number, 0]))
    column = np.repeat(runs[:, 0], lengths)
    own, large = column < leaves, cells.arrays["large_columns"] < leaves
    numbers = np.append(cells.arrays["positions"][own], cells.arrays["large_positions"][large]).astype(np.int64)
    amounts = np.append(cells.arrays["values"][own], cells.arrays["large_values"][large]).astype(np.int64)
    print(f"{len(numbers)} cells, {len(numbers) / budgets:.0f} a budget-year, and {cells.count - len(numbers)} sums")
    connection.register("given", pa.table({"n": numbers, "v": amounts}))
    connection.execute("create table cells as select * from given")
    connection.unregister("given")
    del numbers, amounts
    floor = median(lambda: connection.execute("select sum(n), sum(v) from cells").fetchall())
    connection.close()
    everything = Selection(cells, wb.perimetre(), None)
    print(f"\n{'':<62}{'ours ms':>10} {'floor ms':>10} {'ratio':>8}   aim")
    folder_of_trames = Path(__file__).parents[1] / "trames"
    shipped = [wb.load_trame(path) for path in sorted(folder_of_trames.glob("*m14*.yaml"))]
    together = {indicateur.code: indicateur.texte for trame in shipped for indicateur in trame.indicateurs}
    plans = {
        f"{len(together)} indicateurs of the shipped M14 trames": compile_trame(wb.trame_from_formules(together)),
        "300 synthetic indicateurs": compile_trame(make_trame(300)),
        "85 indicateurs of the OFGL M57 trame": compile_trame(
            wb.load_trame(folder_of_trames / "ofgl_agregats_m57.yaml")
        ),
    }
    for name, plan in plans.items():
        evaluate_all(plan, cells, everything)
        row(f"whole base, {name}", median(lambda p=plan: evaluate_all(p, cells, everything)), floor, "≤ 4 floors")
    times = -(-COUNTRY // budgets)
    for name, plan in plans.items():
        spent = median(lambda p=plan: evaluate_all(p, cells, everything, times), 1)
        row(f"{times * budgets} budget-years, {name}", spent, floor * times, "≤ 2 000 ms")

    trame = make_trame(300)
    siret = str(cells.descriptions.sirets[len(cells.descriptions.sirets) // 2])
    years = range(2014, 2024)
    for name, chosen, aim in (
        ("one collectivité x 10 exercices x 300", wb.perimetre(sirets=[siret]), "≤ 5 ms"),
        ("a département x 10 exercices x 300", wb.perimetre(departements=["031"]), "≤ 25 ms"),
    ):
        wb.evaluate_each(trame, base, chosen, years)
        rows = Selection(cells, chosen, list(years)).count
        spent = median(lambda c=chosen: wb.evaluate_each(trame, base, c, years), 9)
        row(f"{name} ({rows} budget-years)", spent, floor, aim)

    large = tiled(cells, times)
    wb.evaluation.preview.__globals__["prepare_cells"] = lambda _: large
    for formule in ("C71[TA:BX]", "C71[TA:BX]/(C7[TA:BX]-D7[TA:BX])"):
        wb.preview(formule, base)
        spent = median(lambda f=formule: wb.preview(f, base))
        row(f"preview of {formule}, {times * budgets} budget-years", spent, floor * times, "≤ 25 ms")

    print("\nwhere one thread spends its time, 300 synthetic indicateurs on the whole base")
    profile(plans["300 synthetic indicateurs"], cells, everything)
    print("\ngrowth exponents (1 is linear)")
    sizes = [budgets // 8, budgets // 4, budgets // 2, budgets]
    spent = []
    for size in sizes:
        part = Selection(cells, wb.perimetre(), None)
        part.taken, part.count = np.arange(size), size
        spent.append(median(lambda s=part: evaluate_all(plans["300 synthetic indicateurs"], cells, s)))
    growth("budget-years", sizes, spent)
    sizes = [40, 80, 160, 320]
    spent = []
    for size in sizes:
        plan = compile_trame(make_trame(size))
        prepare(plan, cells.chart)
        spent.append(median(lambda p=plan: evaluate_all(p, cells, everything)))
    growth("indicateurs", sizes, spent)
    sizes = [2, 4, 8]
    spent = []
    for size in sizes:
        part = Selection(cells, wb.perimetre(), list(range(2024 - size, 2024)))
        spent.append(median(lambda s=part: evaluate_all(plans["300 synthetic indicateurs"], cells, s)))
    growth("exercices asked of a base of ten", sizes, spent)
    print(f"\npeak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB (aim < 4 GB)")


if __name__ == "__main__":
    main()
