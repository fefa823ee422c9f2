"""The one kernel: runs a plan on cells, the same on every engine and for any number of rows.

A row is a (unit, exercice): a consolidated perimeter in one exercice, or one collectivité in one
exercice. All linear parts are one sparse product, cells by weights. Amounts stay integer cents,
held in float64, exact below 2**53; a weighted sum is brought to one common denominator so that it is
an integer too, and is divided once, at the end. An exact zero is therefore zero, which the guard of
a division relies on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, lcm

import numpy as np
import numpy.typing as npt
from scipy import sparse

from workbench.evaluation.forms import Atom, Cell, Condition, Inhabitants, One, Vector
from workbench.evaluation.plan import Absolute, Combine, Plan, Shift, Weigh, Within

__all__ = ["Cells", "Program", "Rows", "execute", "prefix_range", "program_of", "run"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_DENOMINATOR_LIMIT = 10**6
"""Beyond this common denominator integers would soon leave 2**53: weights become floats."""

_LARGE = 10**200
"""Weights below it cannot take a sum of amounts beyond what a float holds."""


@dataclass(frozen=True, eq=False)
class Rows:
    """What is evaluated.

    Parameters
    ----------
    unit, exercice
        One entry a row, sorted by unit then exercice, no two alike; shape (rows,).
    """

    unit: Integers
    exercice: Integers

    def shifted(self, offset: int) -> Integers:
        """For each row, the row of the same unit ``offset`` exercices away; -1 where there is none."""
        keys = self.unit * 100_000 + self.exercice
        wanted = keys + offset
        position = np.searchsorted(keys, wanted)
        position[position == len(keys)] = 0
        return np.where(keys[position] == wanted, position, -1) if len(keys) else position


@dataclass(frozen=True, eq=False)
class Cells:
    """The amounts of the base, in cents, one line a (part of a row, compte).

    Parameters
    ----------
    row
        The row each line belongs to, shape (lines,).
    compte
        Index into ``comptes`` of each line, shape (lines,).
    comptes
        Account numbers, ascending.
    amounts
        Columns of cents by name, each of shape (lines,).
    selected
        For each condition of the plan, the lines of budgets that meet it; all lines when absent.
    """

    row: Integers
    compte: Integers
    comptes: Sequence[str]
    amounts: Mapping[str, Integers]
    selected: Mapping[Condition, npt.NDArray[np.bool_]]


def run(
    plan: Plan,
    rows: Rows,
    cells: Cells,
    population: Mapping[Condition, Floats],
    presence: Mapping[Condition, npt.NDArray[np.bool_]],
) -> Floats:
    """Evaluate a plan.

    Parameters
    ----------
    plan
        The compiled trame.
    rows
        What is evaluated.
    cells
        Amounts of the base.
    population
        Inhabitants of each row for each condition that the plan reads, shape (rows,) each.
    presence
        Whether some budget of each row meets each of the plan's narrowings, shape (rows,) each.

    Returns
    -------
    numpy.ndarray
        Shape (rows, indicateurs of the trame), in the unit of each indicateur; never missing.
    """
    program = program_of(plan)
    spans = np.searchsorted(np.asarray(plan.breakpoints, dtype=np.int64), rows.exercice, side="right")
    exact = program.linear(rows, spans, cells, population)
    outputs = execute(plan, exact.T, spans, rows.shifted, presence)
    return np.column_stack(outputs) if outputs else np.zeros((len(rows.unit), 0))


def execute(
    plan: Plan,
    linear: Sequence[Floats] | Floats,
    spans: Integers,
    shifted: Callable[[int], Integers],
    presence: Mapping[Condition, npt.NDArray[np.bool_]],
) -> list[Floats]:
    """Run the instructions of a plan, its linear parts being known.

    Parameters
    ----------
    plan
        The compiled trame.
    linear
        For each weighing, in their order, what no other vector enters; shape (weighings, rows), overwritten.
    spans
        The span of each row.
    shifted
        For an offset, the row of the same unit that far away, -1 for none.
    presence
        Whether some budget of each row meets each of the plan's narrowings, shape (rows,) each.

    Returns
    -------
    list of numpy.ndarray
        The values of each indicateur, shape (rows,) each.
    """
    program = program_of(plan)
    of_span = {span: slice(None) if program.spans == 1 else spans == span for span in range(program.spans)}
    vectors: list[Floats] = []
    values: dict[int, Floats] = {}
    positions: dict[int, Integers] = {}

    def value(index: int) -> Floats:
        if program.scale[index] == 1:
            return vectors[index]
        if index not in values:
            values[index] = vectors[index] / program.scale[index]
        return values[index]

    def added(stored: Floats, terms: VectorTerms) -> None:
        for span, weighted in terms:
            if span == EVERY_SPAN:
                for vector, weight in weighted:
                    stored += vectors[vector.index] if weight == 1 else weight * vectors[vector.index]
                continue
            rows = of_span[span]
            for vector, weight in weighted:
                stored[rows] += weight * vectors[vector.index][rows]

    for index, instruction in enumerate(plan.instructions):
        if isinstance(instruction, Weigh):
            stored = linear[program.column[index]]
            added(stored, program.vector_terms[index])
            if program.inexact_terms[index]:
                stored = stored / program.divisor[index]
                added(stored, program.inexact_terms[index])
            vectors.append(stored if index in program.bounded else _finite(stored))
        elif isinstance(instruction, Shift):
            if instruction.offset not in positions:
                positions[instruction.offset] = shifted(instruction.offset)
            position = positions[instruction.offset]
            source = vectors[instruction.operand.index]
            vectors.append(np.where(position >= 0, source[position], 0.0))
        elif isinstance(instruction, Within):
            vectors.append(np.where(presence[instruction.condition], vectors[instruction.operand.index], 0.0))
        elif isinstance(instruction, Absolute):
            vectors.append(np.abs(vectors[instruction.operand.index]))
        else:
            vectors.append(_combined(instruction, value(instruction.left.index), value(instruction.right.index)))
    # Adding zero turns a negative zero, which would be printed "-0", into zero.
    return [value(output.index) + 0.0 for output in plan.outputs]


def _combined(instruction: Combine, left: Floats, right: Floats) -> Floats:
    with np.errstate(all="ignore"):
        if instruction.operator == "/":
            # By zero, a quotient is infinite or no number, and so counts 0.
            return _finite(left / right)
        if instruction.operator == "*":
            return _finite(left * right)
        return np.array([_power(base, exponent) for base, exponent in zip(left.tolist(), right.tolist(), strict=True)])


def _power(base: float, exponent: float) -> float:
    # One by one: vector units round powers otherwise than the mathematical library, which every engine has.
    try:
        value = base**exponent
    except (OverflowError, ZeroDivisionError):
        return 0.0
    return value if isinstance(value, float) and isfinite(value) else 0.0


def _finite(values: Floats) -> Floats:
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, 0.0)


EVERY_SPAN = -1

VectorTerms = list[tuple[int, list[tuple[Vector, float]]]]


class Program:
    """What of a plan does not depend on data: denominators and weights, as arrays."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.spans = len(plan.breakpoints) + 1
        self.scale: list[float] = []
        self.divisor: dict[int, float] = {}
        self.column: dict[int, int] = {}
        self.vector_terms: dict[int, VectorTerms] = {}
        self.inexact_terms: dict[int, VectorTerms] = {}
        self.bounded: set[int] = set()
        self.atoms: dict[Atom, int] = {}
        self._exact: list[bool] = []
        entries: list[list[tuple[int, int, float]]] = [[] for _ in range(self.spans)]
        for index, instruction in enumerate(plan.instructions):
            if isinstance(instruction, Weigh):
                self._weigh(index, instruction, entries)
            elif isinstance(instruction, Combine):
                self._exact.append(False)
                self.scale.append(1.0)
            else:
                self._exact.append(self._exact[instruction.operand.index])
                self.scale.append(self.scale[instruction.operand.index])
        shape = (len(self.atoms), len(self.column))
        self.weights = [
            sparse.csr_array(
                (
                    np.array([weight for _, _, weight in span], dtype=np.float64),
                    ([atom for atom, _, _ in span], [column for _, column, _ in span]),
                ),
                shape=shape,
            )
            for span in entries
        ]
        self.conditions = {atom.condition for atom in self.atoms if isinstance(atom, Cell)}
        self.read_conditions = plan.conditions()
        self.reads_population = plan.reads_population()

    def _weigh(self, index: int, instruction: Weigh, entries: list[list[tuple[int, int, float]]]) -> None:
        parts = instruction.form.parts
        denominator = 1
        inexact_vector = False
        for part in {id(part): part for part in parts}.values():
            for atom, weight in part.items():
                scale = self._scale_of(atom)
                if scale is None:
                    inexact_vector = True
                elif denominator <= _DENOMINATOR_LIMIT:
                    denominator = lcm(denominator, (weight / scale).denominator)
        integers = denominator <= _DENOMINATOR_LIMIT
        if not integers:
            denominator = 1
        self.divisor[index] = float(denominator)
        column = self.column[index] = len(self.column)
        self.vector_terms[index], self.inexact_terms[index] = [], []
        for span, part in enumerate(parts):
            exact_terms, inexact_terms = [], []
            for atom, weight in part.items():
                scale = self._scale_of(atom)
                if isinstance(atom, Vector):
                    if scale is None:
                        inexact_terms.append((atom, float(weight)))
                    else:
                        exact_terms.append((atom, float(weight / scale * denominator)))
                else:
                    number = self.atoms.setdefault(atom, len(self.atoms))
                    entries[span].append((number, column, float(weight / (scale or 1) * denominator)))
            if exact_terms:
                self.vector_terms[index].append((span, exact_terms))
            if inexact_terms:
                self.inexact_terms[index].append((span, inexact_terms))
        for by_span in (self.vector_terms, self.inexact_terms):
            by_span[index] = self._shared(by_span[index])
        if not any(isinstance(atom, Vector) or abs(weight) > _LARGE for part in parts for atom, weight in part.items()):
            self.bounded.add(index)
        self._exact.append(integers and not inexact_vector)
        self.scale.append(1.0 if inexact_vector else float(denominator))

    def _shared(self, terms: VectorTerms) -> VectorTerms:
        """The same terms in all spans are said once."""
        alike = len(terms) == self.spans and all(weighted == terms[0][1] for _, weighted in terms)
        return [(EVERY_SPAN, terms[0][1])] if alike else terms

    def _scale_of(self, atom: Atom) -> int | None:
        """By what an atom's stored number is divided to give its value; None for one that is no integer."""
        if isinstance(atom, Vector):
            return int(self.scale[atom.index]) if self._exact[atom.index] else None
        return 100 if isinstance(atom, Cell) else 1

    def linear(self, rows: Rows, spans: Integers, cells: Cells, population: Mapping[Condition, Floats]) -> Floats:
        """The part of every weighing that no other vector enters, shape (rows, weighings)."""
        result = np.zeros((len(rows.unit), len(self.column)))
        values = self._values(rows, cells, population)
        for span in np.unique(spans):
            of_span = spans == span
            result[of_span] = (values[of_span] @ self.weights[int(span)]).toarray()
        return result

    def _values(self, rows: Rows, cells: Cells, population: Mapping[Condition, Floats]) -> sparse.csr_array:
        """The value of each atom in each row, shape (rows, atoms), in cents for cells."""
        total = sparse.csr_array((len(rows.unit), len(self.atoms)), dtype=np.float64)
        for condition in self.conditions:
            total = total + self._cells_of(condition, len(rows.unit), cells)
        fixed = [(number, atom) for atom, number in self.atoms.items() if not isinstance(atom, Cell)]
        for number, atom in fixed:
            column = np.ones(len(rows.unit)) if isinstance(atom, One) else np.zeros(len(rows.unit))
            if isinstance(atom, Inhabitants):
                column = population[atom.condition]
            where = np.nonzero(column)[0]
            total = total + sparse.csr_array((column[where], (where, np.full(len(where), number))), shape=total.shape)
        return sparse.csr_array(total)

    def _cells_of(self, condition: Condition, rows: int, cells: Cells) -> sparse.csr_array:
        atoms = [(atom, number) for atom, number in self.atoms.items() if isinstance(atom, Cell)]
        atoms = [(atom, number) for atom, number in atoms if atom.condition == condition]
        columns = {name: position for position, name in enumerate(dict.fromkeys(atom.column for atom, _ in atoms))}
        width = len(columns)
        row_parts, column_parts, value_parts = [], [], []
        selected = cells.selected.get(condition)
        for name, position in columns.items():
            amounts = cells.amounts[name]
            lines = np.nonzero(amounts if selected is None else amounts * selected)[0]
            row_parts.append(cells.row[lines])
            column_parts.append(cells.compte[lines] * width + position)
            value_parts.append(amounts[lines].astype(np.float64))
        matrix = sparse.csr_array(
            (np.concatenate(value_parts), (np.concatenate(row_parts), np.concatenate(column_parts))),
            shape=(rows, len(cells.comptes) * width),
        )
        places, numbers = [], []
        for atom, number in atoms:
            first, last = prefix_range(cells.comptes, atom.compte)
            places.append(np.arange(first, last) * width + columns[atom.column])
            numbers.append(np.full(last - first, number))
        place = np.concatenate(places)
        incidence = sparse.csr_array(
            (np.ones(len(place)), (place, np.concatenate(numbers))), shape=(matrix.shape[1], len(self.atoms))
        )
        return sparse.csr_array(matrix @ incidence)


def prefix_range(comptes: Sequence[str], prefix: str) -> tuple[int, int]:
    """Where the comptes that start with a prefix stand in an ascending list, end excluded.

    Examples
    --------
    >>> prefix_range(["60", "7", "70", "706", "71"], "70")
    (2, 4)
    """
    return bisect_left(comptes, prefix), bisect_left(comptes, prefix + chr(0x10FFFF))


@lru_cache(maxsize=64)
def program_of(plan: Plan) -> Program:
    """The arrays of a plan, kept as long as the plan is in use."""
    return Program(plan)
