"""The plan of a serie: one program for budgets of several nomenclatures.

Each trame of the serie reads the budgets of its own nomenclature; `merging` says how their definitions go together,
and this module lowers the result. An offset crosses a change of nomenclature: the exercice before is read with the
trame that served it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from workbench.evaluation.fold import Leaf
from workbench.evaluation.forms import ALL, Atom, Condition, Form, Vector
from workbench.evaluation.merging import Merged, Part, Sum, Whole, is_linear, merge
from workbench.evaluation.order import order_of
from workbench.evaluation.plan import Combine, Compiler, Instruction, Plan, Weigh, condition_of
from workbench.formules.tree import Reference, Segment, SyntaxTree, walk

__all__ = ["SerieCompiler", "linear_codes"]

_NOTHING = SyntaxTree(())


def linear_codes(parts: Iterable[Mapping[str, SyntaxTree]], order: Iterable[str]) -> set[str]:
    """The indicateurs that are weighted sums of amounts in every trame.

    Parameters
    ----------
    parts
        The trees of each trame, by code.
    order
        The codes, each after those it refers to.
    """
    trames = list(parts)
    linear: set[str] = set()
    for code in order:
        segments = [segment for trees in trames for segment in trees.get(code, _NOTHING).segments]
        if all(segment.absolute is None and is_linear(segment.expression, linear.__contains__) for segment in segments):
            linear.add(code)
    return linear


class SerieCompiler(Compiler):
    """Lowers the trees of several trames.

    Parameters
    ----------
    parts
        By nomenclature, the trees of its trame by code.
    codes
        Those of the serie, in its order.
    """

    def __init__(self, parts: Mapping[str, Mapping[str, SyntaxTree]], codes: Iterable[str]) -> None:
        super().__init__(
            {
                code: SyntaxTree(tuple(s for trees in parts.values() for s in trees.get(code, _NOTHING).segments))
                for code in codes
            }
        )
        self.parts = parts
        self.linear = linear_codes(parts.values(), order_of(self.trees))
        self.apart: dict[str, None] = {}

    def plan(self) -> Plan:
        """Compile; what no output needs is left out."""
        return replace(_pruned(super().plan()), apart=tuple(self.apart))

    def _needed(self, order: list[str]) -> dict[str, dict[Condition, None]]:
        every = [ALL, *(Condition(nomenclature=one) for one in self.parts)]
        needed: dict[str, dict[Condition, None]] = {code: dict.fromkeys(every) for code in order}
        for code in reversed(order):
            for segment in self.trees[code].segments:
                names = {node.indicateur for node in walk(segment.expression) if isinstance(node, Reference)}
                for condition in list(needed[code]):
                    narrowed = condition.narrowed(condition_of(segment))
                    if narrowed is None or narrowed in every:
                        continue
                    wide = replace(narrowed, nomenclature=None)
                    read = [wide, *(replace(wide, nomenclature=one) for one in self.parts)]
                    for name in names:
                        needed[name].update(dict.fromkeys(read))
        return needed

    def _indicateur(self, code: str, condition: Condition) -> Form:
        if condition.nomenclature is not None:
            return self._tree(self.parts[condition.nomenclature].get(code, _NOTHING), condition)
        whole: dict[tuple[tuple[Segment, ...], ...], list[bool]] = {}
        for span in range(self.spans):
            first = self.breakpoints[span - 1] if span else (self.breakpoints[0] - 1 if self.breakpoints else 0)
            found = tuple(
                tuple(segment for segment in trees.get(code, _NOTHING).segments if segment.covers(first))
                for trees in self.parts.values()
            )
            whole.setdefault(found, [False] * self.spans)[span] = True
        forms = []
        for segments, spans in whole.items():
            merged, apart = merge(dict(zip(self.parts, segments, strict=True)), self.linear.__contains__)
            if apart:
                self.apart[code] = None
            for each in merged:
                form = self._merged(each, condition)
                if form is not None:
                    forms.append((1, form.kept(spans)))
        return Form.sum(forms, self.spans)

    def _merged(self, merged: Merged, condition: Condition) -> Form | None:
        narrowed = condition.narrowed(merged.condition)
        if narrowed is None:
            return None
        form = self._sum(merged.terms, narrowed)
        if narrowed != condition:
            form = self._within(form, narrowed)
        return self._absolute(form) if merged.absolute else form

    def _sum(self, terms: Sum, condition: Condition) -> Form:
        forms = []
        for sign, term in terms:
            if isinstance(term, Whole):
                form = self._expression(term.node, condition)
            elif isinstance(term, Part):
                part = replace(condition, nomenclature=term.nomenclature)
                form = self._within(self._expression(term.node, part), part)
            else:
                form = self._combine(term.operator, self._sum(term.left, condition), self._sum(term.right, condition))
            forms.append((sign, form))
        return Form.sum(forms, self.spans)

    def _leaf(self, node: Leaf, condition: Condition) -> Form:
        if not isinstance(node, Reference) or not node.offset or condition.nomenclature is None:
            return super()._leaf(node, condition)
        # The other exercice may have been kept under another nomenclature: all of it is seen, here and now.
        return self._within(super()._leaf(node, replace(condition, nomenclature=None)), condition)


def _pruned(plan: Plan) -> Plan:
    """The plan without the instructions that no output needs."""
    needed = {output.index for output in plan.outputs}
    for index in reversed(range(len(plan.instructions))):
        if index in needed:
            needed.update(_operands(plan.instructions[index]))
    place = {index: Vector(number) for number, index in enumerate(sorted(needed))}
    return replace(
        plan,
        instructions=tuple(_moved(plan.instructions[index], place) for index in sorted(needed)),
        outputs=tuple(place[output.index] for output in plan.outputs),
    )


def _operands(instruction: Instruction) -> set[int]:
    if isinstance(instruction, Weigh):
        return {atom.index for part in instruction.form.parts for atom in part if isinstance(atom, Vector)}
    if isinstance(instruction, Combine):
        return {instruction.left.index, instruction.right.index}
    return {instruction.operand.index}


def _moved(instruction: Instruction, place: Mapping[int, Vector]) -> Instruction:
    def moved(atom: Atom) -> Atom:
        return place[atom.index] if isinstance(atom, Vector) else atom

    if isinstance(instruction, Weigh):
        form = instruction.form.map(lambda part: {moved(atom): weight for atom, weight in part.items()})
        return Weigh(form)
    if isinstance(instruction, Combine):
        return replace(instruction, left=place[instruction.left.index], right=place[instruction.right.index])
    return replace(instruction, operand=place[instruction.operand.index])
