"""The compiled loops of whole-base evaluation: one pass over the cells of a block, a few rows at a time.

Some hundred budget-years at once (a tile, which parts no SIRET) go through the whole plan while their
vectors stay in the cache of a core: cells are added up, weighed, and the instructions run. The loops
hold no lock, so that blocks share the cores. What they compute, and in which order, is what `kernel`
does on the same plan, to the bit. They are one module because loops that call each other are compiled
and kept together.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from numba import types

__all__ = [
    "ABSOLUTE",
    "DIVIDE",
    "EVERY",
    "MULTIPLY",
    "ONES",
    "POWER",
    "SHIFT",
    "WEIGH",
    "WITHIN",
    "Part",
    "Steps",
    "run",
]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

WEIGH, SHIFT, WITHIN, ABSOLUTE, MULTIPLY, DIVIDE, POWER = range(7)

TILE = 192
"""Rows that go through the plan together: the vectors of some hundred indicateurs then stay in the cache of a core."""

STRETCH = 2048
"""Rows whose cells are added up together; the sums of a class then fit in the fastest cache."""

RUN = 16
"""Cells of a column that are added up without looking where they end."""

EVERY = -1
"""Stands for all spans in a list of spans."""

ONES = -1
"""Stands for the constant 1 in a list of populations."""


class Steps(NamedTuple):
    """A plan as arrays. Vectors are rows of one table: inputs, then columns of weights, then results.

    Parameters
    ----------
    breakpoints
        Where spans of exercices begin.
    columns, class_starts
        The cell columns that are added up, class by class, and where each class begins.
    class_of_column
        The class of each cell column; -1 for one that is read without weight, -2 for one that is not read.
    ignored
        The cell columns that are read without weight.
    conditioned, condition
        Inputs after the classes: a class where a condition is met, and which condition.
    fixed
        Inputs after them: a population by its number, or `ONES`.
    weight_starts, weight_sources, weights
        For each column of weights its terms; a source is a vector before it.
    tape
        One row an instruction: operation, target, then what it needs; shape (instructions, 8).
        WEIGH: first and last variant, first and last exact term, last inexact term, whether it may overflow.
        SHIFT: source, offset. WITHIN: source, condition. ABSOLUTE: source. Others: left, right.
    scales
        For each instruction what divides: its sum (WEIGH), or its left and right operands; shape (instructions, 2).
    variants, variant_spans
        Columns of weights that stand for their weighing in a span.
    term_spans, term_sources, term_weights
        Vectors added to a weighing, in a span or in `EVERY` one.
    outputs, output_scales
        The vector of each indicateur, and what divides it.
    height
        Vectors in all, in an array of one.
    """

    breakpoints: Integers
    columns: Integers
    class_starts: Integers
    class_of_column: Integers
    ignored: Integers
    conditioned: Integers
    condition: Integers
    fixed: Integers
    weight_starts: Integers
    weight_sources: Integers
    weights: Floats
    tape: npt.NDArray[np.int64]
    scales: npt.NDArray[np.float64]
    variants: Integers
    variant_spans: Integers
    term_spans: Integers
    term_sources: Integers
    term_weights: Floats
    outputs: Integers
    output_scales: Floats
    height: Integers


class Part(NamedTuple):
    """Budget-years of a block.

    Parameters
    ----------
    pointers, positions, values, large_columns, large_positions, large_values
        The cells of the block.
    first
        Its first budget-year, in an array of one.
    taken
        The budget-years evaluated, ascending; shape (rows,).
    unit, exercice
        Of each budget-year of the base.
    masks, people
        Who meets each condition, shape (conditions, rows); each population, shape (populations, rows).
    """

    pointers: npt.NDArray[np.int32]
    positions: npt.NDArray[np.uint16]
    values: npt.NDArray[np.int32]
    large_columns: npt.NDArray[np.int32]
    large_positions: npt.NDArray[np.uint16]
    large_values: Integers
    first: Integers
    taken: Integers
    unit: Integers
    exercice: Integers
    masks: npt.NDArray[np.bool_]
    people: npt.NDArray[np.float64]


def _array(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C")


def _mapped(dtype: Any) -> Any:
    """An array of a file mapped read-only."""
    return types.Array(dtype, 1, "C", readonly=True)


_INTEGERS, _FLOATS = _array(types.int64), _array(types.float64)
_TABLE, _MATRIX, _MASKS = _array(types.int64, 2), _array(types.float64, 2), _array(types.boolean, 2)
_POINTERS, _POSITIONS, _VALUES = _mapped(types.int32), _mapped(types.uint16), _mapped(types.int32)
_STEPS = types.NamedTuple(
    (
        *(_INTEGERS,) * 10,
        _FLOATS,
        _TABLE,
        _MATRIX,
        *(_INTEGERS,) * 4,
        _FLOATS,
        _INTEGERS,
        _FLOATS,
        _INTEGERS,
    ),
    Steps,
)
_PART = types.NamedTuple(
    (
        *(_POINTERS, _POSITIONS, _VALUES, _mapped(types.int32), _mapped(types.uint16), _mapped(types.int64)),
        *(_INTEGERS,) * 4,
        _MASKS,
        _MATRIX,
    ),
    Part,
)


@numba.njit(nogil=True)
def _end(unit, taken, start, size):  # type: ignore[no-untyped-def]
    """The end of at most ``size`` rows from ``start`` that part no unit; a longer unit is taken whole."""
    end = min(start + size, len(taken))
    while start < end < len(taken) and unit[taken[end]] == unit[taken[end - 1]]:
        end -= 1
    if end == start:
        end = start + 1
        while end < len(taken) and unit[taken[end]] == unit[taken[start]]:
            end += 1
    return end


@numba.njit(nogil=True)
def _from(positions, low, high, wanted):  # type: ignore[no-untyped-def]
    """Where the positions from ``wanted`` on begin, in a slice of ascending ones."""
    while low < high:
        middle = (low + high) >> 1
        if positions[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(nogil=True)
def _add_up(steps, part, cursor, heads, following, start, end, place, sums, present):  # type: ignore[no-untyped-def]
    """Add up the cells of rows ``start`` to ``end``, class by class."""
    # Fields are read once: each reading of one counts a reference, which loops would pay for.
    pointers, positions, values, taken = part.pointers, part.positions, part.values, part.taken
    columns, class_starts, class_of_column = steps.columns, steps.class_starts, steps.class_of_column
    large_positions, large_columns, large_values = part.large_positions, part.large_columns, part.large_values
    first = taken[start] - part.first[0]
    last = taken[end - 1] - part.first[0] + 1
    rows = end - start
    dense = last - first == rows
    if not dense:
        place[: last - first] = -1
        for row in range(rows):
            place[taken[start + row] - taken[start]] = row
    for number in range(len(class_starts) - 1):
        total = sums[number]
        for row in range(rows):
            total[row] = 0.0
        for index in range(class_starts[number], class_starts[number + 1]):
            cell, stop = cursor[index], pointers[columns[index] + 1]
            if cell < stop and positions[cell] < first:
                cell = _from(positions, cell, stop, first)
            begin = cell
            while cell + RUN <= stop and positions[cell + RUN - 1] < last:
                row = positions[cell] - first
                if dense and positions[cell + RUN - 1] - first == row + RUN - 1:
                    # Positions only grow: those in between are all there.
                    for step in range(RUN):
                        total[row + step] += values[cell + step]
                elif dense:
                    for step in range(RUN):
                        total[positions[cell + step] - first] += values[cell + step]
                else:
                    for step in range(RUN):
                        row = place[positions[cell + step] - first]
                        if row >= 0:
                            total[row] += values[cell + step]
                cell += RUN
            while cell < stop and positions[cell] < last:
                row = positions[cell] - first
                if not dense:
                    row = place[row]
                if row >= 0:
                    total[row] += values[cell]
                cell += 1
            if len(present):
                _mark(positions, begin, cell, first, dense, place, present[start:])
            cursor[index] = cell
    if len(present):
        for column in steps.ignored:
            low = _from(positions, pointers[column], pointers[column + 1], first)
            high = _from(positions, low, pointers[column + 1], last)
            _mark(positions, low, high, first, dense, place, present[start:])
    for group in range(first // STRETCH, (last - 1) // STRETCH + 1):
        large = heads[group]
        while large >= 0:
            row = large_positions[large] - first
            if 0 <= row < last - first:
                if not dense:
                    row = place[row]
                if row >= 0:
                    number = class_of_column[large_columns[large]]
                    if number >= 0:
                        sums[number, row] += large_values[large]
                    if len(present):
                        present[start + row] = True
            large = following[large]


@numba.njit(nogil=True)
def _large(class_of_column, columns, positions, following):  # type: ignore[no-untyped-def]
    """Large amounts that are read, by groups of positions: the first of each, -1 for none; then each one's next."""
    heads = np.full(65536 // STRETCH, -1)
    for large in range(len(columns)):
        if class_of_column[columns[large]] >= -1:
            group = positions[large] // STRETCH
            following[large], heads[group] = heads[group], large
    return heads


@numba.njit(nogil=True)
def _mark(positions, low, high, first, dense, place, present):  # type: ignore[no-untyped-def]
    for cell in range(low, high):
        row = positions[cell] - first
        if not dense:
            row = place[row]
        if row >= 0:
            present[row] = True


@numba.njit(nogil=True)
def _inputs(steps, part, sums, begin, x, start, rows):  # type: ignore[no-untyped-def]
    """What is weighed: the classes, from row ``begin`` of their sums, and what follows; returns their number."""
    filled = len(steps.class_starts) - 1
    for number in range(filled):
        source, target = sums[number], x[number]
        for row in range(rows):
            target[row] = source[begin + row]
    for index in range(len(steps.conditioned)):
        source, mask, target = x[steps.conditioned[index]], part.masks[steps.condition[index]], x[filled]
        for row in range(rows):
            target[row] = source[row] if mask[start + row] else 0.0
        filled += 1
    for number in steps.fixed:
        target = x[filled]
        for row in range(rows):
            target[row] = 1.0 if number == ONES else part.people[number, start + row]
        filled += 1
    return filled


@numba.njit(nogil=True)
def _weigh(steps, x, inputs, rows):  # type: ignore[no-untyped-def]
    """Each column of weights, from the inputs and the columns before it."""
    starts, sources, weights = steps.weight_starts, steps.weight_sources, steps.weights
    for number in range(len(starts) - 1):
        total = x[inputs + number]
        for row in range(rows):
            total[row] = 0.0
        term, end = starts[number], starts[number + 1]
        # Four terms a pass: the total is read and written a quarter as often, added up in the same order.
        while term + 4 <= end:
            one, two = x[sources[term]], x[sources[term + 1]]
            three, four = x[sources[term + 2]], x[sources[term + 3]]
            by_one, by_two, by_three, by_four = weights[term], weights[term + 1], weights[term + 2], weights[term + 3]
            for row in range(rows):
                pair = (total[row] + by_one * one[row]) + by_two * two[row]
                total[row] = (pair + by_three * three[row]) + by_four * four[row]
            term += 4
        while term < end:
            source, weight = x[sources[term]], weights[term]
            for row in range(rows):
                total[row] += weight * source[row]
            term += 1


@numba.njit(nogil=True)
def _finite(vector, rows):  # type: ignore[no-untyped-def]
    for row in range(rows):
        if not np.isfinite(vector[row]):
            vector[row] = 0.0


@numba.njit(nogil=True)
def _add_terms(steps, x, total, first, last, spans, rows):  # type: ignore[no-untyped-def]
    for term in range(first, last):
        source, weight, span = x[steps.term_sources[term]], steps.term_weights[term], steps.term_spans[term]
        if span == EVERY:
            for row in range(rows):
                total[row] += weight * source[row]
        else:
            for row in range(rows):
                if spans[row] == span:
                    total[row] += weight * source[row]


@numba.njit(nogil=True)
def _shift(source, target, unit, exercice, offset, rows):  # type: ignore[no-untyped-def]
    """A vector seen ``offset`` exercices away, inside the same unit."""
    for row in range(rows):
        wanted = exercice[row] + offset
        other = row + offset
        if not (0 <= other < rows and unit[other] == unit[row] and exercice[other] == wanted):
            # Some exercice is missing: what is wanted, if there, is nearer.
            step = 1 if offset > 0 else -1
            other = row
            while 0 <= other < rows and unit[other] == unit[row] and (wanted - exercice[other]) * step > 0:
                other += step
        there = 0 <= other < rows and unit[other] == unit[row] and exercice[other] == wanted
        target[row] = source[other] if there else 0.0


@numba.njit(nogil=True, error_model="numpy")
def _instructions(steps, part, x, start, rows, unit, exercice, spans):  # type: ignore[no-untyped-def]
    tape, scales, variants, variant_spans, masks = (
        steps.tape,
        steps.scales,
        steps.variants,
        steps.variant_spans,
        part.masks,
    )
    for number in range(len(tape)):
        operation, target = tape[number, 0], x[tape[number, 1]]
        left, right = tape[number, 2], tape[number, 3]
        left_scale, right_scale = scales[number, 0], scales[number, 1]
        if operation == WEIGH:
            for index in range(left, right):
                variant, span = x[variants[index]], variant_spans[index]
                for row in range(rows):
                    if spans[row] == span:
                        target[row] = variant[row]
            exact, inexact, last = tape[number, 4], tape[number, 5], tape[number, 6]
            _add_terms(steps, x, target, exact, inexact, spans, rows)
            if inexact < last:
                for row in range(rows):
                    target[row] = target[row] / left_scale
                _add_terms(steps, x, target, inexact, last, spans, rows)
            if tape[number, 7]:
                _finite(target, rows)
        elif operation == SHIFT:
            _shift(x[left], target, unit, exercice, right, rows)
        elif operation == WITHIN:
            source, mask = x[left], masks[right]
            for row in range(rows):
                target[row] = source[row] if mask[start + row] else 0.0
        elif operation == ABSOLUTE:
            source = x[left]
            for row in range(rows):
                target[row] = abs(source[row])
        else:
            one, two = x[left], x[right]
            if operation == MULTIPLY:
                for row in range(rows):
                    target[row] = (one[row] / left_scale) * (two[row] / right_scale)
            elif operation == DIVIDE:
                for row in range(rows):
                    target[row] = (one[row] / left_scale) / (two[row] / right_scale)
            else:
                for row in range(rows):
                    target[row] = (one[row] / left_scale) ** (two[row] / right_scale)
            _finite(target, rows)


@numba.njit(types.void(_STEPS, _PART, _MATRIX, _array(types.boolean)), nogil=True, cache=True, error_model="numpy")
def run(steps, part, out, present):  # type: ignore[no-untyped-def]
    """Evaluate a plan on budget-years of a block.

    Parameters
    ----------
    steps, part
        The plan and the budget-years.
    out
        Receives the values, shape (outputs, rows).
    present
        Receives whether a budget-year has a cell that the plan reads, were their sum 0; shape (rows,), false
        before, or empty when nobody asks.
    """
    taken, units, exercices, breakpoints = part.taken, part.unit, part.exercice, steps.breakpoints
    outputs, output_scales = steps.outputs, steps.output_scales
    count = len(taken)
    # Widths that are no power of two: rows of one table would otherwise share the same places of the cache.
    x = np.empty((steps.height[0], min(TILE, count) + 8))
    sums = np.empty((len(steps.class_starts) - 1, min(STRETCH, count) + 8))
    unit, exercice, spans = np.empty(TILE, np.int64), np.empty(TILE, np.int64), np.empty(TILE, np.int64)
    place = np.empty(taken[-1] + 1 - taken[0], dtype=np.int64)
    cursor = np.empty(len(steps.columns), dtype=np.int64)
    for index in range(len(steps.columns)):
        cursor[index] = part.pointers[steps.columns[index]]
    following = np.empty(len(part.large_columns), dtype=np.int64)
    heads = _large(steps.class_of_column, part.large_columns, part.large_positions, following)
    begin = 0
    while begin < count:
        stop = _end(units, taken, begin, STRETCH)
        if stop - begin > sums.shape[1]:
            sums = np.empty((len(sums), stop - begin))
        _add_up(steps, part, cursor, heads, following, begin, stop, place, sums, present)
        start = begin
        while start < stop:
            end = _end(units, taken, start, TILE)
            rows = end - start
            if rows > x.shape[1]:
                x = np.empty((len(x), rows))
            if rows > len(unit):
                unit, exercice, spans = np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows, np.int64)
            for row in range(rows):
                unit[row], exercice[row] = units[taken[start + row]], exercices[taken[start + row]]
                spans[row] = 0
            for number in range(len(breakpoints)):
                for row in range(rows):
                    spans[row] += exercice[row] >= breakpoints[number]
            inputs = _inputs(steps, part, sums, start - begin, x, start, rows)
            _weigh(steps, x, inputs, rows)
            _instructions(steps, part, x, start, rows, unit, exercice, spans)
            for number in range(len(outputs)):
                source, scale = x[outputs[number]], output_scales[number]
                target = out[number, start:end]
                # Adding zero turns a negative zero into zero.
                for row in range(rows):
                    target[row] = source[row] / scale + 0.0
            start = end
        begin = stop
