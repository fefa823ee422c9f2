"""The same trame, evaluated by a loop over variables and by the workbench: ``python benchmarks/old_loop.py``.

The loop does what section 3 of the specification describes: for one collectivité, each variable
filters its balances by the prefix of the compte, groups by exercice and sums the columns of its type
d'appel; formules are then computed vector by vector in the order of their references.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import select
from synthetic import make_base, make_trame

import workbench as wb
from workbench.dgfip.cells import prepare_cells
from workbench.dgfip.schema import balances
from workbench.evaluation.each import Selection, values_of_blocks
from workbench.evaluation.plan import compile_trame, order_of
from workbench.formules import SOLDES
from workbench.formules.tree import Number, Population, Reference, Unary, Variable

YEARS = list(range(2014, 2024))
LOOPED = 3


def series(node, rows: pd.DataFrame, known: Mapping[str, pd.Series], people: pd.Series) -> pd.Series:
    if isinstance(node, Number):
        return pd.Series(float(node.value), index=YEARS)
    if isinstance(node, Population):
        return people
    if isinstance(node, Variable):
        kept = rows[rows["compte"].str.startswith(node.compte)]
        total = pd.Series(0.0, index=YEARS)
        for column, sign in SOLDES[node.type_appel, node.side].items():
            total = total + sign * kept.groupby("exercice")[column].sum().reindex(YEARS, fill_value=0) / 100
        return total
    if isinstance(node, Reference):
        value = known[node.indicateur]
        return value.shift(-node.offset) if node.offset else value
    if isinstance(node, Unary):
        value = series(node.operand, rows, known, people)
        return -value if node.operator == "-" else value
    left, right = (series(side, rows, known, people).fillna(0) for side in (node.left, node.right))
    if node.operator == "/":
        return (left / right.where(right != 0)).where(right != 0)
    return {"+": left.add, "-": left.sub, "*": left.mul, "^": left.pow}[node.operator](right)


def loop(trame: wb.Trame, rows: pd.DataFrame, people: pd.Series) -> dict[str, pd.Series]:
    trees = {indicateur.code: indicateur.tree for indicateur in trame.indicateurs}
    known: dict[str, pd.Series] = {}
    for code in order_of(trees):
        total = pd.Series(0.0, index=YEARS)
        for segment in trees[code].segments:
            value = series(segment.expression, rows, known, people).fillna(0)
            if segment.absolute is not None:
                value = value.abs()
            total = total + value.where([segment.covers(year) for year in YEARS], 0.0)
        known[code] = total
    return known


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder) / "base.duckdb", 1_000)
        trame = make_trame(300)
        cells = prepare_cells(base)
        sirets = cells.descriptions.sirets[:LOOPED].tolist()
        fetched = base.fetch(select(balances).where(balances.c.siret.in_(sirets))).to_pandas()
        grid = wb.evaluate_each(trame, base, wb.perimetre(sirets=sirets), YEARS).to_pandas()
        unit, people = cells.descriptions.unit, cells.descriptions.population
        spent, worst = [], 0.0
        for number, siret in enumerate(sirets):
            rows = fetched[fetched["siret"] == siret]
            start = time.perf_counter()
            found = loop(trame, rows, pd.Series(people[unit == number], index=YEARS))
            spent.append((time.perf_counter() - start) / (len(YEARS) * len(found)))
            own = grid[grid["siret"] == siret].pivot_table(
                index="exercice", columns="indicateur", values="value", observed=True
            )
            for code, value in found.items():
                gap = np.abs(own[code].to_numpy() - value.to_numpy()) / np.maximum(np.abs(value.to_numpy()), 1e-2)
                worst = max(worst, float(gap.max()))
        plan = compile_trame(trame)
        everything = Selection(cells, wb.perimetre(), YEARS)
        times = []
        for _ in range(6):
            start = time.perf_counter()
            count = sum(len(taken) for taken, _ in values_of_blocks(plan, cells, everything))
            times.append((time.perf_counter() - start) / (count * len(plan.codes)))
        old, ours = float(np.median(spent)), float(np.median(times))
        print(f"{'loop':<12}{old * 1e9:>14.1f} ns a value")
        print(f"{'workbench':<12}{ours * 1e9:>14.1f} ns a value")
        print(f"{'ratio':<12}{old / ours:>14.0f}")
        print(f"largest relative difference {worst:.1e}")


if __name__ == "__main__":
    main()
