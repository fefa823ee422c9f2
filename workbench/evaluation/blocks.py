"""The linear part of a plan on column blocks, for whole bases.

A formule names prefixes of comptes; the cell columns of a base, sorted by amount then compte, fall
into a few hundred runs between the bounds of these prefixes. Cells are first added up run by run,
then one small sparse matrix, the folded weights, takes runs to the weighings of the plan. Both are
sums of integers held in float64: the order in which they are made changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

from workbench.dgfip.cells import Block, Chart
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
        self.first, self.last = cuts[used], cuts[used + 1]
        self.runs = self._runs()
        variants, self.columns = self._variants(program.weights, len(program.column))
        self.conditions: list[tuple[Condition, Integers]] = []
        self.fixed: list[One | Inhabitants] = []
        matrices = []
        for condition in sorted(program.conditions, key=lambda each: (each != ALL, repr(each))):
            rows, atoms = [], []
            for number, (first, last) in reach.items():
                if self.cells[number].condition == condition:
                    of_atom = segment_of[np.arange(first, last)]
                    rows.append(of_atom)
                    atoms.append(np.full(len(of_atom), number))
            row, atom = np.concatenate(rows), np.concatenate(atoms)
            chosen = np.arange(len(used)) if condition == ALL else np.unique(row)
            self.conditions.append((condition, chosen))
            incidence = sparse.csr_array(
                (np.ones(len(row)), (np.searchsorted(chosen, row), atom)), shape=(len(chosen), variants.shape[0])
            )
            matrices.append(incidence @ variants)
        if ALL not in program.conditions:
            self.conditions.insert(0, (ALL, np.arange(len(used))))
            matrices.insert(0, sparse.csr_array((len(used), variants.shape[1])))
        for each, number in program.atoms.items():
            if not isinstance(each, Cell):
                assert isinstance(each, One | Inhabitants)  # noqa: S101 - vectors are no atoms of a program
                self.fixed.append(each)
                matrices.append(variants[[number]])
        weights = sparse.csr_array(sparse.vstack(matrices, format="csr"))
        weights.eliminate_zeros()
        self.inputs = weights.shape[0]
        self.product = sparse.csr_array(weights.T)
        self.product.sort_indices()

    def _runs(self) -> list[tuple[int, int, int, int]]:
        """Cell columns that follow each other, as (first segment, last segment, first column, last column)."""
        if not len(self.first):
            return []
        breaks = np.flatnonzero(self.first[1:] != self.last[:-1]) + 1
        firsts, lasts = np.append(0, breaks), np.append(breaks, len(self.first))
        return [(int(a), int(b), int(self.first[a]), int(self.last[b - 1])) for a, b in zip(firsts, lasts, strict=True)]

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

    def segments(self, block: Block, first: int, last: int, out: Floats) -> None:
        """Add up the cells of budget-years ``first`` to ``last`` of a block, segment by segment, into ``out``."""
        whole = (last - first) * _NARROW > block.size
        positions, values, pointers, total = [], [], [np.zeros(1, dtype=np.int32)], 0
        for first_segment, last_segment, first_column, last_column in self.runs:
            start, end = block.pointers[first_column], block.pointers[last_column]
            ends = block.pointers[self.last[first_segment:last_segment]] - start
            position, value = block.positions[start:end], block.values[start:end]
            if not whole:
                inside = np.flatnonzero((position >= first) & (position < last))
                position, value, ends = position[inside], value[inside], np.searchsorted(inside, ends)
            positions.append(position)
            values.append(value)
            pointers.append((ends + total).astype(np.int32))
            total += len(position)
        space = _workspace(total)
        position_of, value_of = space
        if positions:
            np.concatenate(positions, out=position_of[:total], casting="unsafe")
            np.concatenate(values, out=value_of[:total], casting="unsafe")
        if not whole:
            position_of[:total] -= first
        size = block.size if whole else last - first
        shape = (len(self.first), size)
        indptr = np.concatenate(pointers)
        cells = sparse.csr_array((value_of[:total], position_of[:total], indptr), shape=shape)
        if whole and size != out.shape[1]:
            out[:] = cells.toarray()[:, first:last]
        else:
            cells.toarray(out=out)
        self._large(block, first, last, out)

    def presence(self, block: Block, first: int, last: int) -> Mask:
        """Whether each budget-year of a part of a block has a cell that the plan reads, were their sum 0."""
        found = np.zeros(block.size, dtype=bool)
        for _, _, first_column, last_column in self.runs:
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
        np.add.at(out, (segment[inside], position[inside] - first), block.large_values[inside].astype(np.float64))


_LOCAL = threading.local()


def _workspace(cells: int) -> tuple[npt.NDArray[np.int32], Floats]:
    """Memory of this thread for the cells of a block, kept from one to the next."""
    kept: tuple[npt.NDArray[np.int32], Floats] | None = getattr(_LOCAL, "cells", None)
    if kept is None or len(kept[0]) < cells:
        kept = _LOCAL.cells = (np.empty(cells * 5 // 4, dtype=np.int32), np.empty(cells * 5 // 4))
    return kept


def _inputs(rows: int, columns: int) -> Floats:
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
    inputs = _inputs(prepared.inputs, size)
    segments = inputs[: len(prepared.first)]
    prepared.segments(block, first, last, segments)
    filled = len(prepared.first)
    for condition, chosen in prepared.conditions[1:]:
        np.multiply(segments[chosen], meets[condition], out=inputs[filled : filled + len(chosen)])
        filled += len(chosen)
    for atom in prepared.fixed:
        inputs[filled] = 1.0 if isinstance(atom, One) else population[atom.condition]
        filled += 1
    found = prepared.product @ inputs
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
