"""The compiled loops of whole-base evaluation: one pass over the cells, block by block.

The budget-years of a block, some hundred, go through the whole plan while their vectors stay in the
cache of a core: cells are added up, weighed, and the instructions run. The loops hold no lock, so that
blocks share the cores. What they compute, and in which order, is what `kernel` does on the same plan,
to the bit. They are one module because loops that call each other are compiled and kept together.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from numba import types

from workbench.evaluation.kept_loops import keep_loops
from workbench.evaluation.kernel import EVERY_SPAN

__all__ = [
    "ABSOLUTE",
    "DIVIDE",
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

_KEPT = keep_loops(numba.config)

WEIGH, SHIFT, WITHIN, ABSOLUTE, MULTIPLY, DIVIDE, POWER = range(7)

FEW = 50
"""A plan that reads this many times fewer columns than a block has runs looks for each of them."""

SPARSE = 16
"""From one budget-year wanted out of this many, a block is added up whole."""

ONES = -1
"""Stands for the constant 1 in a list of populations."""


class Steps(NamedTuple):
    """A plan as arrays. Vectors are rows of one table: inputs, then columns of weights, then results.

    Parameters
    ----------
    breakpoints
        Where spans of exercices begin.
    columns
        The cell columns that are read, ascending.
    class_of_column
        The class of each cell column; -1 for one that is read without weight, -2 for one that is not read.
    classes
        How many classes there are, in an array of one.
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
        Vectors added to a weighing, in a span or in `workbench.evaluation.kernel.EVERY_SPAN`.
    outputs, output_scales
        The vector of each indicateur, and what divides it.
    height
        Vectors in all, in an array of one.
    """

    breakpoints: Integers
    columns: Integers
    class_of_column: Integers
    classes: Integers
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
    """Budget-years of some blocks.

    Parameters
    ----------
    values, positions, runs, large_values, large_positions, large_columns
        The cells of a base, as `workbench.dgfip.cells.Cells` says.
    spans, bounds
        Where those of each block are, and its budget-years.
    blocks
        The first of these blocks and the one after the last, in an array of two.
    taken
        The budget-years evaluated, ascending; shape (rows,).
    unit, exercice
        Of each budget-year of the base.
    masks, people
        Who meets each condition, shape (conditions, rows); each population, shape (populations, rows).
    """

    values: npt.NDArray[np.int32]
    positions: npt.NDArray[np.uint16]
    runs: npt.NDArray[np.int32]
    large_values: Integers
    large_positions: npt.NDArray[np.uint16]
    large_columns: npt.NDArray[np.int32]
    spans: Integers
    bounds: Integers
    blocks: Integers
    taken: Integers
    unit: Integers
    exercice: Integers
    masks: npt.NDArray[np.bool_]
    people: npt.NDArray[np.float64]


def _array(dtype: Any, dimensions: int = 1) -> Any:
    return types.Array(dtype, dimensions, "C")


def _mapped(dtype: Any, dimensions: int = 1) -> Any:
    """An array of a file mapped read-only."""
    return types.Array(dtype, dimensions, "C", readonly=True)


_INTEGERS, _FLOATS = _array(types.int64), _array(types.float64)
_TABLE, _MATRIX, _MASKS = _array(types.int64, 2), _array(types.float64, 2), _array(types.boolean, 2)
_STEPS = types.NamedTuple(
    (
        *(_INTEGERS,) * 9,
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
        *(_mapped(types.int32), _mapped(types.uint16), _mapped(types.int32, 2)),
        *(_mapped(types.int64), _mapped(types.uint16), _mapped(types.int32)),
        _TABLE,
        *(_INTEGERS,) * 5,
        _MASKS,
        _MATRIX,
    ),
    Part,
)


@numba.njit(nogil=True)
def _add_all(values, positions, runs, span, class_of_column, flat, width):  # type: ignore[no-untyped-def]
    """Add up the cells of a block whose budget-years are all evaluated, class by class."""
    # Unsigned numbers, and one flat table: no index has to be looked at for being negative.
    first = end = np.uint64(span[0])
    for number in range(span[2], span[5]):
        begin, end = end, first + np.uint64(runs[number, 1])
        class_ = class_of_column[runs[number, 0]]
        if class_ >= 0:
            row = np.uint64(class_) * width
            for cell in range(begin, end):
                flat[row + np.uint64(positions[cell])] += values[cell]


@numba.njit(nogil=True)
def _keep_some(x, classes, taken, start, rows, first):  # type: ignore[no-untyped-def]
    """Bring the rows evaluated of a block added up whole to the front of each class."""
    for number in range(classes):
        sums = x[number]
        # A row only moves forward: what it is written over has been read.
        for row in range(rows):
            sums[row] = sums[taken[start + row] - first]


@numba.njit(nogil=True)
def _add_some(values, positions, begin, end, place, whole, flat, row):  # type: ignore[no-untyped-def]
    """Add up the cells of a column whose budget-years are evaluated."""
    if whole:
        for cell in range(np.uint64(begin), np.uint64(end)):
            flat[row + np.uint64(positions[cell])] += values[cell]
        return
    for cell in range(np.uint64(begin), np.uint64(end)):
        found = place[np.uint64(positions[cell])]
        if found >= 0:
            flat[row + np.uint64(found)] += values[cell]


@numba.njit(nogil=True)
def _mark(positions, begin, end, place, whole, present):  # type: ignore[no-untyped-def]
    """Mark the rows that have a cell in a column."""
    if whole:
        for cell in range(np.uint64(begin), np.uint64(end)):
            present[np.uint64(positions[cell])] = True
        return
    for cell in range(np.uint64(begin), np.uint64(end)):
        found = place[np.uint64(positions[cell])]
        if found >= 0:
            present[np.uint64(found)] = True


@numba.njit(nogil=True)
def _add_up(values, positions, runs, span, columns, class_of_column, place, whole, flat, width, present):  # type: ignore[no-untyped-def]
    """Add up the cells of rows of a block, class by class, looking for columns when they are few."""
    first_cell, run_, last = span[0], span[2], span[5]
    few = len(columns) * FEW < last - run_
    index = 0
    while run_ < last and index < len(columns):
        if few:
            high = last
            while run_ < high:
                middle = (run_ + high) >> 1
                if runs[middle, 0] < columns[index]:
                    run_ = middle + 1
                else:
                    high = middle
            if run_ == last:
                return
            index += 1
        if not few or runs[run_, 0] == columns[index - 1]:
            number = class_of_column[runs[run_, 0]]
            begin = first_cell + (runs[run_ - 1, 1] if run_ > span[2] else 0)
            end = first_cell + runs[run_, 1]
            if number >= 0:
                _add_some(values, positions, begin, end, place, whole, flat, np.uint64(number) * width)
            if number >= -1 and len(present):
                _mark(positions, begin, end, place, whole, present)
            run_ += 1


@numba.njit(nogil=True)
def _add_large(part, span, class_of_column, place, x, present):  # type: ignore[no-untyped-def]
    """Add the large amounts of a block."""
    values, positions, columns = part.large_values, part.large_positions, part.large_columns
    for large in range(span[1], span[4]):
        number, row = class_of_column[columns[large]], place[positions[large]]
        if row >= 0 and number >= -1:
            if number >= 0:
                x[number, row] += values[large]
            if len(present):
                present[row] = True


@numba.njit(nogil=True)
def _inputs(steps, part, x, start, rows):  # type: ignore[no-untyped-def]
    """What is weighed after the classes; returns the number of inputs."""
    filled = steps.classes[0]
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
        if span == EVERY_SPAN:
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
            elif operation == DIVIDE and left_scale == 1.0 and right_scale == 1.0:
                for row in range(rows):
                    target[row] = one[row] / two[row]
            elif operation == DIVIDE:
                for row in range(rows):
                    target[row] = (one[row] / left_scale) / (two[row] / right_scale)
            else:
                for row in range(rows):
                    target[row] = (one[row] / left_scale) ** (two[row] / right_scale)
            _finite(target, rows)


@numba.njit(types.void(_STEPS, _PART, _MATRIX, _array(types.boolean)), nogil=True, cache=_KEPT, error_model="numpy")
def run(steps, part, out, present):  # type: ignore[no-untyped-def]
    """Evaluate a plan on budget-years of some blocks.

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
    # Fields are read once: each reading of one counts a reference, which loops would pay for.
    taken, units, exercices, bounds, spans = part.taken, part.unit, part.exercice, part.bounds, part.spans
    values, positions, runs = part.values, part.positions, part.runs
    columns, class_of_column, breakpoints = steps.columns, steps.class_of_column, steps.breakpoints
    outputs, output_scales = steps.outputs, steps.output_scales
    classes, height = steps.classes[0], steps.height[0]
    timed = len(breakpoints) > 0 or np.any(steps.tape[:, 0] == SHIFT)
    longest = 0
    for block in range(part.blocks[0], part.blocks[1]):
        longest = max(longest, bounds[block + 1] - bounds[block])
    # A width that is no power of two: vectors would otherwise share the same places of the cache.
    x = np.empty((height, longest + 8))
    flat, stride = x.reshape(-1), np.uint64(x.shape[1])
    place, unit = np.empty(longest, np.int64), np.empty(longest, np.int64)
    exercice, span_of = np.empty(longest, np.int64), np.empty(longest, np.int64)
    start = 0
    for block in range(part.blocks[0], part.blocks[1]):
        first, last = bounds[block], bounds[block + 1]
        end = start
        while end < len(taken) and taken[end] < last:
            end += 1
        rows = end - start
        if rows == 0:
            continue
        whole = rows == last - first
        if not whole or spans[block, 4] > spans[block, 1]:
            place[: last - first] = -1
            for row in range(rows):
                place[taken[start + row] - first] = row
        if timed:
            for row in range(rows):
                unit[row], exercice[row], span_of[row] = units[taken[start + row]], exercices[taken[start + row]], 0
            for number in range(len(breakpoints)):
                for row in range(rows):
                    span_of[row] += exercice[row] >= breakpoints[number]
        marked = present[start:end] if len(present) else present
        many = len(columns) * FEW >= spans[block, 5] - spans[block, 2] and len(present) == 0
        # Asking of each cell whether its budget-year is wanted costs more than adding up those that are not.
        all_added = many and rows * SPARSE >= last - first
        for number in range(classes):
            for row in range(last - first if all_added else rows):
                x[number, row] = 0.0
        if all_added:
            _add_all(values, positions, runs, spans[block], class_of_column, flat, stride)
            if not whole:
                _keep_some(x, classes, taken, start, rows, first)
        else:
            _add_up(values, positions, runs, spans[block], columns, class_of_column, place, whole, flat, stride, marked)
        _add_large(part, spans[block], class_of_column, place, x, marked)
        inputs = _inputs(steps, part, x, start, rows)
        _weigh(steps, x, inputs, rows)
        _instructions(steps, part, x, start, rows, unit, exercice, span_of)
        for number in range(len(outputs)):
            source, scale = x[outputs[number]], output_scales[number]
            target = out[number, start:end]
            # Adding zero turns a negative zero into zero. A division by one is no work, but costs as any.
            if scale == 1.0:
                for row in range(rows):
                    target[row] = source[row] + 0.0
            else:
                for row in range(rows):
                    target[row] = source[row] / scale + 0.0
        start = end
