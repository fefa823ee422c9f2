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
        self.read = _joined(first, last)
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
        self.first, self.last, self.class_of = first, last, class_of
        kept = np.flatnonzero(class_of >= 0)
        order = kept[np.argsort(class_of[kept], kind="stable")]
        # Neighbours of one class are one piece.
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (class_of[order[1:]] != class_of[order[:-1]]) | (first[order[1:]] != last[order[:-1]])
        starts = np.flatnonzero(fresh)
        ends = np.append(starts[1:], len(order))
        self.piece_first = first[order[starts]]
        self.piece_last = last[order[ends - 1]] if len(order) else first[:0]
        self.class_pieces = np.searchsorted(class_of[order[starts]], np.arange(classes + 1))

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
        starts, ends = block.pointers[self.piece_first], block.pointers[self.piece_last]
        slices = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True) if end > start]
        pointers = np.append(0, np.cumsum(ends - starts))[self.class_pieces]
        total = int(pointers[-1])
        position, value = _workspace(total)
        if slices and (last - first) * _NARROW > block.size:
            np.concatenate([block.positions[each] for each in slices], out=position, casting="unsafe")
            np.concatenate([block.values[each] for each in slices], out=value, casting="unsafe")
        elif slices:
            positions = np.concatenate([block.positions[each] for each in slices])
            inside = np.flatnonzero((positions >= first) & (positions < last))
            values = np.concatenate([block.values[each] for each in slices])
            position, value = positions[inside].astype(np.int32) - first, values[inside].astype(np.float64)
            pointers = np.searchsorted(inside, pointers)
            total = 0
        # Cells were copied for the whole block when most of it is wanted.
        width = last - first if not total else block.size
        cells = sparse.csr_array((value, position, pointers.astype(np.int32)), shape=(self.classes, width))
        if width == out.shape[1]:
            cells.toarray(out=out)
        else:
            out[:] = cells.toarray()[:, first:last]
        self._large(block, first, last, out)

    def presence(self, block: Block, first: int, last: int) -> Mask:
        """Whether each budget-year of a part of a block has a cell that the plan reads, were their sum 0."""
        found = np.zeros(block.size, dtype=bool)
        for first_column, last_column in self.read:
            found[block.positions[block.pointers[first_column] : block.pointers[last_column]]] = True
        if len(block.large_columns) and len(self.first):
            segment = np.searchsorted(self.first, block.large_columns, side="right") - 1
            inside = (segment >= 0) & (block.large_columns < self.last[segment])
            found[block.large_positions[inside]] = True
        return found[first:last]

    def _large(self, block: Block, first: int, last: int, out: Floats) -> None:
        if not len(self.first) or not len(block.large_columns):
            return
        segment = np.searchsorted(self.first, block.large_columns, side="right") - 1
        position = block.large_positions.astype(np.int64)
        inside = (segment >= 0) & (block.large_columns < self.last[segment]) & (position >= first) & (position < last)
        inside &= self.class_of[segment] >= 0
        place = (self.class_of[segment[inside]], position[inside] - first)
        np.add.at(out, place, block.large_values[inside].astype(np.float64))


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
    spans = np.searchsorted(np.asarray(plan.breakpoints, dtype=np.int64), exercice, side="right")
    linear: list[Floats] = []
    row = 0
    for variants in prepared.columns:
        vector = found[row]
        for number, of_variant in enumerate(variants[1:], 1):
            np.copyto(vector, found[row + number], where=np.isin(spans, of_variant))
        linear.append(vector)
        row += len(variants)
    return execute(plan, linear, spans, lambda offset: _shifted(unit, exercice, kept, offset))


def _shifted(unit: Integers, exercice: Integers, kept: Mask | None, offset: int) -> Integers:
    keys = unit * 100_000 + exercice
    wanted = keys + offset
    position = np.searchsorted(keys, wanted)
    position[position == len(keys)] = 0
    found = keys[position] == wanted
    if kept is not None:
        found &= kept[position]
    return np.where(found, position, -1)
