"""The linear part of a plan on column blocks, for whole bases.

A formule names prefixes of comptes; the cell columns of a base, sorted by amount then compte, fall
into a few hundred runs between the bounds of these prefixes. Cells are first added up run by run,
those that weigh alike together, then small sparse matrices, the folded weights, take them to the
weighings of the plan. These are sums of integers held in float64: their order changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

from workbench.dgfip.cells import Block, Chart
from workbench.evaluation.factors import factorise
from workbench.evaluation.forms import ALL, Cell, Condition, Inhabitants, One
from workbench.evaluation.kernel import execute, prefix_range, program_of
from workbench.evaluation.plan import Plan

__all__ = ["Prepared", "prepare", "run_block"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_NARROW = 4
"""A part of a block this many times smaller than it is cut out first."""


class Prepared:
    """A plan made ready for one chart of cell columns.

    Parameters
    ----------
    plan
        The compiled trame.
    chart
        The cell columns of a base.
    """

    def __init__(self, plan: Plan, chart: Chart) -> None:
        program = program_of(plan)
        self.plan = plan
        self.cells = {number: atom for atom, number in program.atoms.items() if isinstance(atom, Cell)}
        spans = {
            number: chart.span(atom.column, *prefix_range(chart.comptes, atom.compte))
            for number, atom in self.cells.items()
        }
        cuts = np.unique(np.array([bound for span in spans.values() for bound in span], dtype=np.int64))
        covered = np.zeros(max(len(cuts) - 1, 0), dtype=bool)
        reach = {number: tuple(np.searchsorted(cuts, span)) for number, span in spans.items()}
        for first, last in reach.values():
            covered[first:last] = True
        used = np.flatnonzero(covered)
        segment_of = np.cumsum(covered) - covered
        first, last = cuts[used], cuts[used + 1]
        self.chart = chart
        self.read = [piece for start, end in _joined(first, last) for piece in chart.pieces(start, end)]
        variants, self.columns = self._variants(program.weights, len(program.column))
        conditions = [ALL, *sorted(program.conditions - {ALL}, key=repr)]
        folded = [self._folded(condition, reach, segment_of, len(used), variants) for condition in conditions]
        # Runs that weigh alike in all indicateurs are added up as one class.
        class_of, members = _classes(sparse.csr_array(sparse.hstack(folded, format="csr")))
        self._place(first, last, class_of, len(members))
        self.conditions: list[tuple[Condition, Integers]] = []
        self.fixed: list[One | Inhabitants] = []
        matrices = []
        for condition, matrix in zip(conditions, folded, strict=True):
            of_classes = sparse.csr_array(matrix[members])
            of_classes.eliminate_zeros()
            chosen = np.flatnonzero(np.diff(of_classes.indptr)) if condition != ALL else np.arange(len(members))
            self.conditions.append((condition, chosen))
            matrices.append(of_classes[chosen])
        for each, number in program.atoms.items():
            if not isinstance(each, Cell):
                assert isinstance(each, One | Inhabitants)  # noqa: S101 - vectors are no atoms of a program
                self.fixed.append(each)
                matrices.append(variants[[number]])
        weights = sparse.csr_array(sparse.vstack(matrices, format="csr"))
        self.inputs = weights.shape[0]
        self.levels = factorise(weights)
        self.height = self.inputs + sum(len(level.columns) for level in self.levels)

    def _folded(
        self,
        condition: Condition,
        reach: Mapping[int, tuple[int, ...]],
        segment_of: Integers,
        segments: int,
        variants: sparse.csc_array,
    ) -> sparse.csr_array:
        """What each run of cell columns weighs in each variant, on the part that meets a condition."""
        rows, atoms = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for number, (first, last) in reach.items():
            if self.cells[number].condition == condition:
                rows.append(segment_of[first:last])
                atoms.append(np.full(last - first, number))
        row, atom = np.concatenate(rows), np.concatenate(atoms)
        incidence = sparse.csr_array((np.ones(len(row)), (row, atom)), shape=(segments, variants.shape[0]))
        return sparse.csr_array(incidence @ variants)

    def _place(self, first: Integers, last: Integers, class_of: Integers, classes: int) -> None:
        """Which cell columns are copied, class by class."""
        self.classes = classes
        pieces: list[tuple[int, int]] = []
        counts = []
        for number in range(classes):
            members = np.flatnonzero(class_of == number)
            ranges = _joined(first[members], last[members])
            found = [piece for start, end in ranges for piece in self.chart.pieces(start, end)]
            pieces += found
            counts.append(len(found))
        bounds = np.asarray(pieces, dtype=np.int64).reshape(-1, 2)
        self.piece_first, self.piece_last = bounds[:, 0], bounds[:, 1]
        self.class_pieces = np.append(0, np.cumsum(counts)).astype(np.int64)
        # The columns of the pieces one by one, and the class of each, for parts of blocks and large amounts.
        self.each_column = np.concatenate([np.zeros(0, dtype=np.int64), *(np.arange(*piece) for piece in pieces)])
        piece_of = np.repeat(np.arange(len(bounds)), bounds[:, 1] - bounds[:, 0])
        self.each_class = np.searchsorted(self.class_pieces, piece_of, side="right") - 1
        self.class_of_column = np.full(len(self.chart.amount) + len(self.chart.groups), -1, dtype=np.int64)
        self.class_of_column[self.each_column] = self.each_class
        self.is_read = np.zeros(len(self.class_of_column), dtype=bool)
        for start, end in self.read:
            self.is_read[start:end] = True

    @staticmethod
    def _variants(weights: list[sparse.csr_array], columns: int) -> tuple[sparse.csc_array, list[list[list[int]]]]:
        """Each distinct column of weights once, and for each weighing the spans of each of its variants."""
        by_span = [sparse.csc_array(each) for each in weights]
        for each in by_span:
            each.sort_indices()
        taken: list[tuple[Integers, Floats]] = []
        spans_of: list[list[list[int]]] = []
        for column in range(columns):
            known: dict[tuple[bytes, bytes], list[int]] = {}
            for span, each in enumerate(by_span):
                part = slice(each.indptr[column], each.indptr[column + 1])
                index, data = each.indices[part], each.data[part]
                key = (index.astype(np.int64).tobytes(), data.tobytes())
                if key not in known:
                    known[key] = []
                    taken.append((index, data))
                known[key].append(span)
            spans_of.append(list(known.values()))
        pointers = np.append(0, np.cumsum([len(index) for index, _ in taken])).astype(np.int64)
        index = np.concatenate([index for index, _ in taken]) if taken else np.zeros(0, dtype=np.int64)
        data = np.concatenate([data for _, data in taken]) if taken else np.zeros(0)
        shape = (by_span[0].shape[0], len(taken))
        return sparse.csc_array((data, index, pointers), shape=shape), spans_of

    def add_up(self, block: Block, first: int, last: int, out: Floats) -> None:
        """Add up the cells of budget-years ``first`` to ``last`` of a block, class by class, into ``out``."""
        if (last - first) * _NARROW <= block.size:
            self._add_up_part(block, first, last, out)
            return
        starts, ends = block.pointers[self.piece_first], block.pointers[self.piece_last]
        slices = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True) if end > start]
        pointers = np.append(0, np.cumsum(ends - starts))[self.class_pieces].astype(np.int32)
        position, value = _workspace(int(pointers[-1]))
        if slices:
            np.concatenate([block.positions[each] for each in slices], out=position, casting="unsafe")
            np.concatenate([block.values[each] for each in slices], out=value, casting="unsafe")
        cells = sparse.csr_array((value, position, pointers), shape=(self.classes, block.size))
        if last - first == block.size:
            cells.toarray(out=out)
        else:
            out[:] = cells.toarray()[:, first:last]
        self._large(block, first, last, out)

    def _add_up_part(self, block: Block, first: int, last: int, out: Floats) -> None:
        """The same for a few budget-years, found in each column by bisection."""
        starts, ends = block.pointers[self.each_column], block.pointers[self.each_column + 1]
        low = _bisected(block.positions, starts, ends, first)
        high = _bisected(block.positions, low, ends, last)
        counts = high - low
        total = int(counts.sum())
        offsets = np.repeat(low - (np.cumsum(counts) - counts), counts) + np.arange(total)
        row = np.repeat(self.each_class, counts)
        out[:] = 0.0
        position = block.positions[offsets].astype(np.int64) - first
        np.add.at(out, (row, position), block.values[offsets].astype(np.float64))
        self._large(block, first, last, out)

    def presence(self, block: Block, first: int, last: int) -> Mask:
        """Whether each budget-year of a part of a block has a cell that the plan reads, were their sum 0."""
        found = np.zeros(block.size, dtype=bool)
        for first_column, last_column in self.read:
            found[block.positions[block.pointers[first_column] : block.pointers[last_column]]] = True
        if len(block.large_columns):
            found[block.large_positions[self.is_read[block.large_columns]]] = True
        return found[first:last]

    def _large(self, block: Block, first: int, last: int, out: Floats) -> None:
        if not len(block.large_columns):
            return
        row = self.class_of_column[block.large_columns]
        read = np.flatnonzero(row >= 0)
        position = block.large_positions[read].astype(np.int64) - first
        inside = (position >= 0) & (position < last - first)
        read, position = read[inside], position[inside]
        np.add.at(out, (row[read], position), block.large_values[read].astype(np.float64))


def _bisected(values: npt.NDArray[np.uint16], first: Integers, last: Integers, wanted: int) -> Integers:
    """In each slice of ascending values, where those from ``wanted`` on begin."""
    low, high = first.astype(np.int64), last.astype(np.int64)
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) // 2
        before = (low < high) & (values[np.minimum(middle, len(values) - 1)] < wanted)
        low = np.where(before, middle + 1, low)
        high = np.where(before, high, middle)
    return low


def _joined(first: Integers, last: Integers) -> list[tuple[int, int]]:
    """Ranges that follow each other, as one."""
    if not len(first):
        return []
    breaks = np.flatnonzero(first[1:] != last[:-1]) + 1
    starts, ends = np.append(0, breaks), np.append(breaks, len(first)) - 1
    return list(zip(first[starts].tolist(), last[ends].tolist(), strict=True))


def _classes(rows: sparse.csr_array) -> tuple[Integers, list[int]]:
    """The class of each row, -1 for one of zeros, and one row of each class."""
    rows.eliminate_zeros()
    rows.sort_indices()
    known: dict[tuple[bytes, bytes], int] = {}
    members: list[int] = []
    class_of = np.full(rows.shape[0], -1, dtype=np.int64)
    for row in range(rows.shape[0]):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        if part.start == part.stop:
            continue
        key = (rows.indices[part].tobytes(), rows.data[part].tobytes())
        if key not in known:
            known[key] = len(members)
            members.append(row)
        class_of[row] = known[key]
    return class_of, members


_LOCAL = threading.local()


def _workspace(cells: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """Memory of this thread for the cells of a block, kept from one to the next."""
    kept: tuple[npt.NDArray[np.int32], Floats] | None = getattr(_LOCAL, "cells", None)
    if kept is None or len(kept[0]) < cells:
        kept = _LOCAL.cells = (np.empty(cells * 5 // 4, dtype=np.int32), np.empty(cells * 5 // 4))
    return kept[0][:cells], kept[1][:cells]


def _space(rows: int, columns: int) -> Floats:
    kept: Floats | None = getattr(_LOCAL, "inputs", None)
    if kept is None or kept.size < rows * columns:
        kept = _LOCAL.inputs = np.empty(rows * columns)
    return kept[: rows * columns].reshape(rows, columns)


@lru_cache(maxsize=64)
def prepare(plan: Plan, chart: Chart) -> Prepared:
    """A plan made ready for a chart; the last 64 are kept."""
    return Prepared(plan, chart)


def run_block(
    prepared: Prepared,
    block: Block,
    *,
    first: int,
    last: int,
    unit: Integers,
    exercice: Integers,
    kept: Mask | None,
    meets: Mapping[Condition, Mask],
    population: Mapping[Condition, Floats],
) -> list[Floats]:
    """Evaluate a plan on budget-years of a block.

    Parameters
    ----------
    prepared
        The plan, made ready for the chart of the block.
    block
        Cells.
    first, last
        Budget-years of the block, the last excluded, all those of a unit together.
    unit, exercice
        Of each of them; shape (last - first,).
    kept
        Those that the perimeter takes; others are seen by no offset. None for all.
    meets, population
        For each condition that the plan reads, who meets it and the inhabitants.

    Returns
    -------
    list of numpy.ndarray
        One vector an indicateur, shape (last - first,), those that are not kept included.
    """
    size = last - first
    inputs = _space(prepared.height, size)
    classes = inputs[: prepared.classes]
    prepared.add_up(block, first, last, classes)
    filled = prepared.classes
    for condition, chosen in prepared.conditions[1:]:
        np.multiply(classes[chosen], meets[condition], out=inputs[filled : filled + len(chosen)])
        filled += len(chosen)
    for atom in prepared.fixed:
        inputs[filled] = 1.0 if isinstance(atom, One) else population[atom.condition]
        filled += 1
    found: dict[int, Floats] = {}
    for number, level in enumerate(prepared.levels, 1):
        vectors = level.product @ inputs[:filled]
        found.update(zip(level.columns, vectors, strict=True))
        if number < len(prepared.levels):
            inputs[filled : filled + len(vectors)] = vectors
            filled += len(vectors)
    plan = prepared.plan
    spans = np.zeros(size, dtype=np.int64)
    if plan.breakpoints:
        spans = np.searchsorted(np.asarray(plan.breakpoints, dtype=np.int64), exercice, side="right")
    linear: list[Floats] = []
    row = 0
    for variants in prepared.columns:
        vector = found[row]
        for number, of_variant in enumerate(variants[1:], 1):
            np.copyto(vector, found[row + number], where=np.isin(spans, of_variant))
        linear.append(vector)
        row += len(variants)
    return execute(plan, linear, spans, lambda offset: _shifted(unit, exercice, kept, offset), meets)


def _shifted(unit: Integers, exercice: Integers, kept: Mask | None, offset: int) -> Integers:
    keys = unit * 100_000 + exercice
    wanted = keys + offset
    position = np.searchsorted(keys, wanted)
    position[position == len(keys)] = 0
    found = keys[position] == wanted
    if kept is not None:
        found &= kept[position]
    return np.where(found, position, -1)
