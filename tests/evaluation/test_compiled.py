"""The compiled loops give, to the bit, what the kernel gives row by row; order statistics are exact."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.dgfip.cells import _mapped
from workbench.dgfip.cells_format import ROWS_PER_BLOCK, block_bounds, write_cells
from workbench.dgfip.schema import AMOUNTS
from workbench.evaluation import kernel
from workbench.evaluation.each import Selection, values_of_blocks
from workbench.evaluation.forms import ALL, Condition
from workbench.evaluation.parallel import in_threads
from workbench.evaluation.plan import Weigh, compile_trame
from workbench.evaluation.spread import CLASSES, ZERO, count_leading_bits, histogram_and_extremes, ranked

COMPTES = ["60", "601", "6064", "61", "70", "7011", "702", "73", "7311", "74", "75"]
FORMULES = {
    "A_PRODUITS": "C7-D7[TA:BX]",
    "A_CHARGES": "D6-C6[TA:BX]",
    "A_SOLDE": "A_PRODUITS-A_CHARGES",
    "A_TAUX": "A_SOLDE/A_PRODUITS*100",
    "A_HABITANT": "A_PRODUITS/$POP",
    "A_TIERS": "C70[TA:BX]/3+A_TAUX",
    "A_AVANT": "A_SOLDE-A_SOLDE[OS:M1]",
    "A_APRES": "A_TAUX[OS:P2]",
    "A_LOIN": "A_CHARGES[OS:M30]",
    "A_PERIODE": "C7[TA:BX][RE-MAX:2009]C73-D73[TA:BX][RE-MIN:2010]",
    "A_ANNEXE": "A_CHARGES+1[TB:BA]",
    "A_TYPE": "C70[TA:BR][TE:101]",
    "A_ABSOLU": "A_CHARGES-A_PRODUITS[CAL:ABS]",
    "A_PUISSANCE": "(A_PRODUITS/A_CHARGES)^1.5",
    "A_CARRE": "A_SOLDE^2/1000",
    "A_NUL": "C70-C70[TA:BX]+5",
    "A_PEU": "D6*0.0123457[TA:BX]",
}


class Sample:
    """Cells of random budget-years, in files and as the kernel reads them."""

    def __init__(self, folder: Path, units: int, years: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        there = rng.random((units, years)) < 0.9
        # One that is longer than any tile.
        there[units // 2] = True
        self.unit, year = np.nonzero(there)
        self.exercice = year + 2000
        rows = len(self.unit)
        self.population = rng.integers(0, 5_000, rows).astype(np.float64)
        self.kind = np.where(rng.random(rows) < 0.3, "3", "1")
        self.type = np.where(rng.random(rows) < 0.5, "101", "202")
        self.amounts = np.zeros((len(AMOUNTS), rows, len(COMPTES)), dtype=np.int64)
        for number in range(len(AMOUNTS)):
            drawn = rng.integers(-10_000, 10_000, self.amounts.shape[1:]) * (rng.random(self.amounts.shape[1:]) < 0.4)
            self.amounts[number] = np.where(rng.random(drawn.shape) < 0.01, drawn * 10_000_000, drawn)
        # A column that nearly all have, and one in long runs.
        self.amounts[AMOUNTS.index("credit_2"), :, COMPTES.index("73")] = rng.integers(1, 10**9, rows)
        self.amounts[AMOUNTS.index("debit_2"), : rows // 2, COMPTES.index("61")] = 7
        bounds = block_bounds(self.unit)
        columns = np.stack(np.nonzero(self.amounts.any(axis=1))).astype(np.int64)
        table = pa.table(
            {
                "siret": pa.array([f"{each:014d}" for each in self.unit], pa.string()).dictionary_encode(),
                "exercice": pa.array(self.exercice, pa.int64()),
                "population": pa.array(self.population.astype(np.int64), pa.int64()),
                "type_budget": pa.array(self.kind.tolist(), pa.string()).dictionary_encode(),
                "type_etablissement": pa.array(self.type.tolist(), pa.string()).dictionary_encode(),
                "departement": pa.array([f"{each % 7:03d}" for each in self.unit], pa.string()).dictionary_encode(),
            }
        )
        write_cells(folder, table, COMPTES, columns, bounds, self._blocks(bounds, columns))
        self.cells = _mapped(folder)

    def _blocks(self, bounds, columns) -> Iterator[tuple]:
        for first, last in pairwise(bounds.tolist()):
            part = self.amounts[columns[0], first:last, columns[1]]
            column, position = np.nonzero(part)
            yield position, column, part[column, position]

    def expected(self, plan, taken) -> np.ndarray:
        amount, line, compte = np.nonzero(self.amounts[:, taken])
        amounts = {name: np.zeros(len(line), dtype=np.int64) for name in AMOUNTS}
        for number, name in enumerate(AMOUNTS):
            of_amount = amount == number
            amounts[name][of_amount] = self.amounts[number, taken[line[of_amount]], compte[of_amount]]

        def meets(condition: Condition) -> np.ndarray:
            kinds = np.where(self.kind[taken] == "1", "BP", "BA")
            pairs = zip(kinds, self.type[taken], strict=True)
            return np.array([condition.accepts(kind, type_, "M14") for kind, type_ in pairs], dtype=bool)

        met = {condition: meets(condition) for condition in plan.conditions() | {ALL}}
        rows = kernel.Rows(unit=self.unit[taken], exercice=self.exercice[taken])
        selected = {condition: mask[line] for condition, mask in met.items() if condition != ALL}
        cells = kernel.Cells(line, compte, COMPTES, amounts, selected)
        people = {condition: self.population[taken] * mask for condition, mask in met.items()}
        return kernel.run(plan, rows, cells, people, met)


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Sample:
    made = Sample(tmp_path_factory.mktemp("cells") / "x", units=60, years=ROWS_PER_BLOCK + 20, seed=3)
    assert max(np.diff(made.cells.bounds)) > ROWS_PER_BLOCK
    return made


def found(plan, sample: Sample, chosen: wb.Perimetre, years: list[int] | None) -> tuple[np.ndarray, np.ndarray]:
    parts = list(values_of_blocks(plan, sample.cells, Selection(sample.cells, chosen, years)))
    return np.concatenate([rows for rows, _ in parts]), np.concatenate([values.T for _, values in parts])


@pytest.mark.parametrize(
    ("criteria", "years"),
    [
        ({}, None),
        ({}, [2001]),
        ({}, list(range(2000, 2300, 2))),
        ({"departements": ["003", "005"]}, None),
        ({"departements": ["003"], "types": ["101"]}, [2004, 2005, 2006]),
        ({"sirets": [f"{30:014d}"]}, None),
        ({"population": (100, 4_000)}, None),
    ],
)
def test_same_as_the_kernel(sample: Sample, criteria: dict, years: list[int] | None) -> None:
    plan = compile_trame(wb.trame_from_formules(FORMULES))
    rows, values = found(plan, sample, wb.perimetre(**criteria), years)
    expected = sample.expected(plan, rows)
    for number, code in enumerate(plan.codes):
        assert np.array_equal(values[:, number], expected[:, number]), code
    assert np.count_nonzero(values) > len(rows)


@given(
    lines=st.lists(
        st.sampled_from(["C7", "D6", "C70", "D601", "A_UN", "5", "$POP", "0.37", "(A_UN-A_UN)"]), min_size=1, max_size=5
    ),
    operators=st.lists(st.sampled_from("+-*/^"), min_size=4, max_size=4),
    brackets=st.sampled_from(["", "[OS:M1]", "[RE-MIN:2050]", "[TB:BP]", "[TE:101]", "[CAL:ABS]"]),
)
@settings(max_examples=20, deadline=None)
def test_random_formules(sample: Sample, lines: list[str], operators: list[str], brackets: str) -> None:
    text = lines[0] + "".join(operator + each for operator, each in zip(operators, lines[1:], strict=False))
    kind = "[TA:BX]" if any(each[0] in "CD" for each in lines) else ""
    if "[OS" in brackets and kind:
        brackets = ""
    if any(each.severity == "error" for each in wb.check_formule(text + kind + brackets, known_indicateurs=["A_UN"])):
        return
    trame = wb.trame_from_formules({"A_UN": "C7-D7[TA:BX]", "A_DEUX": text + kind + brackets})
    plan = compile_trame(trame)
    rows, values = found(plan, sample, wb.perimetre(departements=["001"]), None)
    expected = sample.expected(plan, rows)
    weights = (weight for each in plan.instructions if isinstance(each, Weigh) for part in each.form.parts
               for weight in part.values())  # fmt: skip
    if any(weight.denominator > kernel._DENOMINATOR_LIMIT for weight in weights):
        # Weights are floats then (5^0.37): what is added up before it is weighed shows in the last bits.
        assert np.allclose(values, expected, rtol=1e-12, atol=1e-6)
    else:
        assert np.array_equal(values, expected)


_numbers = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 1e-310, -1e-310, 1e300, -1e300]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-3, 3).map(float),
)


@given(
    values=st.lists(_numbers.map(lambda value: value + 0.0), min_size=1, max_size=60),
    absent=st.sets(st.integers(0, 59), max_size=20),
)
@example(values=[0.0] * 6 + [-1.0], absent=set())
@example(values=[0.0] * 6 + [1.0], absent=set())
def test_ranks_and_extremes_are_exact(values: list[float], absent: set[int]) -> None:
    array = np.array(values)
    present = np.array([number not in absent for number in range(len(values))])
    kept = np.sort(array[present])
    counts = np.zeros(CLASSES, dtype=np.int64)
    count_leading_bits(array, present, counts)
    assert counts[:-1].sum() == len(kept)
    assert counts[ZERO] + counts[-1] == np.count_nonzero(array == 0)
    if not len(kept):
        return
    ranks = list(range(len(kept)))
    assert ranked(array, present, counts, ranks).tolist() == kept.tolist()
    edges = np.linspace(kept[len(kept) // 4] / 4, kept[-1] / 4, 6)
    if not np.isfinite(edges).all():
        return
    many = min(3, len(kept))
    bars, lowest, highest = histogram_and_extremes(array, present, edges, kept[many - 1], kept[-many], many)
    inner = np.searchsorted(kept, edges[1:-1], side="left")
    assert bars.tolist() == np.diff(np.concatenate([[0], inner, [len(kept)]])).tolist()
    rows = np.flatnonzero(present)
    assert lowest.tolist() == rows[np.argsort(array[rows], kind="stable")][:many].tolist()
    assert highest.tolist() == rows[np.argsort(-array[rows], kind="stable")][:many].tolist()


def test_threads_keep_order_and_stop() -> None:
    seen = []

    def task(number: int) -> int:
        seen.append(number)
        if number == 60:
            raise ValueError("60")
        return number

    results = in_threads(task, [(number,) for number in range(50)])
    assert list(results) == list(range(50))
    seen.clear()
    results = in_threads(task, [(number,) for number in range(50)])
    assert next(results) == 0
    results.close()
    assert len(seen) < 50
    with pytest.raises(ValueError, match="60"):
        list(in_threads(task, [(number,) for number in range(70)]))
