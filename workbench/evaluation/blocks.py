"""A plan made ready for column blocks, for whole bases.

A formule names prefixes of comptes; the cell columns of a base, sorted by amount then compte, fall
into a few hundred runs between the bounds of these prefixes. Runs that weigh alike in all indicateurs
are one class; the folded weights take classes to the weighings of the plan. All of it becomes the
arrays that the compiled loops go through. These are sums of integers held in float64: their order
changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from workbench.dgfip.cells import Cells, Chart
from workbench.evaluation import compiled
from workbench.evaluation.factors import factorise
from workbench.evaluation.forms import ALL, Cell, Condition, Inhabitants, One
from workbench.evaluation.kernel import Program, prefix_range, program_of
from workbench.evaluation.plan import Combine, Plan, Shift, Weigh, Within

__all__ = ["Prepared", "prepare", "run_blocks"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_OPERATIONS = {"*": compiled.MULTIPLY, "/": compiled.DIVIDE, "^": compiled.POWER}


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
        variants, variant_spans = self._variants(program.weights, len(program.column))
        conditions = [ALL, *sorted(program.conditions - {ALL}, key=repr)]
        folded = [self._folded(condition, reach, segment_of, len(used), variants) for condition in conditions]
        # Runs that weigh alike in all indicateurs are added up as one class.
        class_of, members = _classes(sparse.csr_array(sparse.hstack(folded, format="csr")))
        class_of_column = np.full(len(chart.amount) + len(chart.groups), -2, dtype=np.int64)
        for number in range(-1, len(members)):
            of_class = np.flatnonzero(class_of == number)
            for start, end in _joined(first[of_class], last[of_class]):
                for piece in chart.pieces(start, end):
                    class_of_column[slice(*piece)] = number
        self.conditions = sorted(plan.conditions() - {ALL}, key=repr)
        self.populations: list[Condition] = []
        conditioned, condition_of, fixed, matrices = [], [], [], []
        for condition, matrix in zip(conditions, folded, strict=True):
            of_classes = sparse.csr_array(matrix[members])
            of_classes.eliminate_zeros()
            chosen = np.arange(len(members))
            if condition != ALL:
                chosen = np.flatnonzero(np.diff(of_classes.indptr))
                conditioned += chosen.tolist()
                condition_of += [self.conditions.index(condition)] * len(chosen)
            matrices.append(of_classes[chosen])
        for each, number in program.atoms.items():
            if not isinstance(each, Cell):
                assert isinstance(each, One | Inhabitants)  # noqa: S101 - vectors are no atoms of a program
                fixed.append(compiled.ONES if isinstance(each, One) else len(self.populations))
                self.populations += [each.condition] if isinstance(each, Inhabitants) else []
                matrices.append(variants[[number]])
        weights = sparse.csr_array(sparse.vstack(matrices, format="csr"))
        levels = factorise(weights)
        place = {
            column: weights.shape[0] + row for row, column in enumerate(c for level in levels for c in level.columns)
        }
        self.steps = compiled.Steps(
            breakpoints=_integers(plan.breakpoints),
            columns=np.flatnonzero(class_of_column >= -1),
            class_of_column=class_of_column,
            classes=_integers([len(members)]),
            conditioned=_integers(conditioned),
            condition=_integers(condition_of),
            fixed=_integers(fixed),
            weight_starts=_integers(
                [0, *np.cumsum([count for level in levels for count in np.diff(level.product.indptr).tolist()])]
            ),
            weight_sources=_integers([source for level in levels for source in level.product.indices.tolist()]),
            weights=_floats([weight for level in levels for weight in level.product.data.tolist()]),
            **self._tape(program, variant_spans, place, weights.shape[0] + len(place)),
        )

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

    def _tape(
        self, program: Program, variant_spans: list[list[list[int]]], place: Mapping[int, int], height: int
    ) -> dict[str, Any]:
        """The instructions as the compiled loops read them."""
        row_of: list[int] = []
        tape: list[list[int]] = []
        scales: list[list[float]] = []
        variants: list[tuple[int, int]] = []
        terms: list[tuple[int, int, float]] = []
        firsts = np.append(0, np.cumsum([len(spans) for spans in variant_spans])).tolist()
        for index, instruction in enumerate(self.plan.instructions):
            scale = [1.0, 1.0]
            if isinstance(instruction, Weigh):
                column = firsts[program.column[index]]
                row = place[column]
                begun = len(variants)
                for number, spans in enumerate(variant_spans[program.column[index]]):
                    variants += [(place[column + number], span) for span in spans] if number else []
                counts = [len(terms)]
                for listed in (program.vector_terms[index], program.inexact_terms[index]):
                    terms += [
                        (span, row_of[vector.index], weight) for span, weighted in listed for vector, weight in weighted
                    ]
                    counts.append(len(terms))
                scale[0] = program.divisor[index]
                tape.append([compiled.WEIGH, row, begun, len(variants), *counts, index not in program.bounded])
            else:
                row, height = height, height + 1
                if isinstance(instruction, Combine):
                    operands = (instruction.left.index, instruction.right.index)
                    scale = [program.scale[each] for each in operands]
                    step = [_OPERATIONS[instruction.operator], row, *(row_of[each] for each in operands)]
                else:
                    source = row_of[instruction.operand.index]
                    if isinstance(instruction, Shift):
                        step = [compiled.SHIFT, row, source, instruction.offset]
                    elif isinstance(instruction, Within):
                        step = [compiled.WITHIN, row, source, self.conditions.index(instruction.condition)]
                    else:
                        step = [compiled.ABSOLUTE, row, source, 0]
                tape.append(step + [0] * (8 - len(step)))
            row_of.append(row)
            scales.append(scale)
        return {
            "tape": np.asarray(tape, dtype=np.int64).reshape(-1, 8),
            "scales": np.asarray(scales, dtype=np.float64).reshape(-1, 2),
            "variants": _integers([row for row, _ in variants]),
            "variant_spans": _integers([span for _, span in variants]),
            "term_spans": _integers([span for span, _, _ in terms]),
            "term_sources": _integers([row for _, row, _ in terms]),
            "term_weights": _floats([weight for _, _, weight in terms]),
            "outputs": _integers([row_of[output.index] for output in self.plan.outputs]),
            "output_scales": _floats([program.scale[output.index] for output in self.plan.outputs]),
            "height": _integers([height]),
        }

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


def _integers(values: Sequence[int]) -> Integers:
    return np.asarray(values, dtype=np.int64)


def _floats(values: Sequence[float]) -> Floats:
    return np.asarray(values, dtype=np.float64)


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


@lru_cache(maxsize=64)
def prepare(plan: Plan, chart: Chart) -> Prepared:
    """A plan made ready for a chart; the last 64 are kept."""
    return Prepared(plan, chart)


def run_blocks(
    prepared: Prepared,
    cells: Cells,
    blocks: tuple[int, int],
    taken: Integers,
    masks: npt.NDArray[np.bool_],
    people: Floats,
    out: Floats,
    present: Mask,
) -> None:
    """Evaluate a plan on budget-years of some blocks.

    Parameters
    ----------
    prepared
        The plan, made ready for the chart of the cells.
    cells
        The cells of a base.
    blocks
        The first block, and the one after the last.
    taken
        The budget-years wanted, all of these blocks, ascending; offsets see no other.
    masks, people
        Who meets each of ``prepared.conditions``, shape (conditions, rows), and the inhabitants of each
        of ``prepared.populations``, shape (populations, rows).
    out
        Receives the values, shape (indicateurs, rows).
    present
        Receives whether a budget-year has a cell that the plan reads, were their sum 0; shape (rows,), false
        before, or empty when nobody asks.
    """
    part = compiled.Part(
        **cells.arrays,
        spans=cells.spans,
        bounds=cells.bounds,
        blocks=_integers(blocks),
        taken=taken,
        unit=cells.descriptions.unit,
        exercice=cells.descriptions.exercice,
        masks=masks,
        people=people,
    )
    compiled.run(prepared.steps, part, out, present)
