"""From a trame to a program: weights where a formule is linear, instructions where it is not.

A trame is compiled once for all exercices and all perimeters. The years named by RE-MIN and
RE-MAX cut time into spans inside which nothing changes; each indicateur becomes a `Form` over these
spans; sums of indicateurs fold into their own cells, so that most of a trame is one sparse matrix.
What is left (quotients, products, powers, absolute values, offsets) is a short list of
instructions in the order in which they can run.

A segment restricted to a kind of budget or to an establishment type is evaluated, with all that it
refers to, on that part of the perimeter: for one budget this is the condition of the language; for
several it is the only reading that does not depend on which budget comes first. Where no budget of an
exercice meets the condition the segment counts 0, its numbers and powers included.

The program is data: it names no table, no column of an engine and no exercice of a base.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from weakref import ref

from workbench.evaluation.fold import Leaf, Operator, fold
from workbench.evaluation.forms import ALL, ONE, Atom, Cell, Condition, Form, Inhabitants, Vector
from workbench.evaluation.order import order_of
from workbench.formules import SOLDES, parse_formule
from workbench.formules.tree import (
    Node,
    Number,
    Population,
    Reference,
    Segment,
    SyntaxTree,
    Variable,
    walk,
)
from workbench.trames import Serie, Trame, trames_of

__all__ = [
    "Absolute",
    "Combine",
    "Compiler",
    "Instruction",
    "Plan",
    "Shift",
    "Weigh",
    "Within",
    "compile_trame",
    "condition_of",
    "power",
]


@dataclass(frozen=True, slots=True)
class Weigh:
    """A vector that a form gives."""

    form: Form


@dataclass(frozen=True, slots=True)
class Combine:
    """A vector from two: ``*``, ``/`` (0 where the divisor is 0) or ``^`` (0 where it is not a number)."""

    operator: Operator
    left: Vector
    right: Vector


@dataclass(frozen=True, slots=True)
class Absolute:
    """The absolute value of a vector."""

    operand: Vector


@dataclass(frozen=True, slots=True)
class Shift:
    """A vector seen ``offset`` exercices away, 0 where that exercice has no figures."""

    operand: Vector
    offset: int


@dataclass(frozen=True, slots=True)
class Within:
    """A vector where some budget of the row meets a condition, 0 where none does."""

    operand: Vector
    condition: Condition


Instruction = Weigh | Combine | Absolute | Shift | Within


@dataclass(frozen=True, eq=False)
class Plan:
    """A compiled trame.

    Parameters
    ----------
    breakpoints
        Exercices at which some segment begins to count or has just ceased to, ascending: span i
        holds the exercices from ``breakpoints[i-1]`` on, before ``breakpoints[i]``.
    instructions
        In the order in which they run; the vector of index i is the result of instruction i.
    outputs
        The vector of each indicateur, in the order of the trame.
    apart
        Of a serie, the indicateurs whose definitions cannot be read together when a row holds budgets of
        several nomenclatures: there each part is evaluated by itself and the results are added.
    """

    codes: tuple[str, ...]
    breakpoints: tuple[int, ...]
    instructions: tuple[Instruction, ...]
    outputs: tuple[Vector, ...]
    apart: tuple[str, ...] = ()

    def span(self, exercice: int) -> int:
        """The span an exercice falls in."""
        return bisect_right(self.breakpoints, exercice)

    def cells(self) -> set[Cell]:
        """Every cell that some weight reads."""
        return {atom for atom in self._atoms() if isinstance(atom, Cell)}

    def conditions(self) -> set[Condition]:
        """Every part of a perimeter that the plan looks at."""
        return {atom.condition for atom in self._atoms() if isinstance(atom, Cell | Inhabitants)} | self.narrowings()

    def narrowings(self) -> set[Condition]:
        """Every condition that some row may not meet at all, which cells alone do not tell."""
        return {instruction.condition for instruction in self.instructions if isinstance(instruction, Within)}

    def reads_population(self) -> bool:
        """Whether ``$POP`` matters to some result."""
        return any(isinstance(atom, Inhabitants) for atom in self._atoms())

    def _atoms(self) -> Iterator[object]:
        for instruction in self.instructions:
            if isinstance(instruction, Weigh):
                for part in {id(part): part for part in instruction.form.parts}.values():
                    yield from part


def compile_trame(trame: Trame) -> Plan:
    """Compile a trame; equal formules give the same plan object.

    Raises
    ------
    WorkbenchError
        ``indicateur_inconnu`` when a formule refers to none of the trame, ``cycle_indicateurs``
        when indicateurs refer to each other in a ring.
    FormuleSyntaxError
        When a formule is not of the language.

    Examples
    --------
    >>> from workbench.trames import trame_from_formules
    >>> plan = compile_trame(trame_from_formules({"A_B": "C70[TA:BX]", "A_C": "A_B/A_B"}))
    >>> [type(instruction).__name__ for instruction in plan.instructions]
    ['Weigh', 'Combine']
    """
    known = _PLANS.get(id(trame))
    if known is not None and known[0]() is trame:
        return known[1]
    plan = _compile_serie(_textes(trame), trame.codes) if isinstance(trame, Serie) else _compile(_textes(trame)[0][1])
    # A trame does not change: the texts of one that is at hand are not put together again.
    number = id(trame)
    _PLANS[number] = ref(trame, lambda _: _PLANS.pop(number, None)), plan
    return plan


_PLANS: dict[int, tuple[ref[Trame], Plan]] = {}


_Textes = tuple[tuple[str, str], ...]


def _textes(trame: Trame) -> tuple[tuple[str, _Textes], ...]:
    return tuple(
        (one.nomenclature or "", tuple((indicateur.code, indicateur.texte) for indicateur in one.indicateurs))
        for one in trames_of(trame)
    )


def _trees(formules: _Textes) -> dict[str, SyntaxTree]:
    return {code: parse_formule(texte) if texte else SyntaxTree(()) for code, texte in formules}


@lru_cache(maxsize=64)
def _compile(formules: _Textes) -> Plan:
    return Compiler(_trees(formules)).plan()


@lru_cache(maxsize=64)
def _compile_serie(parts: tuple[tuple[str, _Textes], ...], codes: tuple[str, ...]) -> Plan:
    from workbench.evaluation.serie_plan import SerieCompiler

    return SerieCompiler({nomenclature: _trees(formules) for nomenclature, formules in parts}, codes).plan()


def condition_of(segment: Segment) -> Condition:
    """The part of the perimeter that a segment looks at."""
    return Condition(segment.type_budget, segment.type_etablissement)


class Compiler:
    """Lowers the trees of one trame; holds the instructions while they grow."""

    def __init__(self, trees: dict[str, SyntaxTree]) -> None:
        self.trees = trees
        self.breakpoints = tuple(sorted(set(_years(trees.values()))))
        self.spans = len(self.breakpoints) + 1
        self.instructions: list[Instruction] = []
        self.known: dict[object, Vector] = {}
        self.rounded: set[int] = set()
        self.vanishing: set[int] = set()
        """Vectors that are 0 in a row without any amount nor inhabitant."""
        self.forms: dict[tuple[str, Condition], Form] = {}

    def plan(self) -> Plan:
        """Compile all of the trame."""
        order = order_of(self.trees)
        needed = self._needed(order)
        for code in order:
            for condition in needed[code]:
                form = self._indicateur(code, condition)
                # What refers to an indicateur reads the figure that the table shows: a quotient rounded
                # in it is not unrounded elsewhere.
                self.forms[code, condition] = Form.of(self._vector(form), self.spans) if self._rounded(form) else form
        outputs = tuple(self._vector(self.forms[code, ALL]) for code in self.trees)
        return Plan(tuple(self.trees), self.breakpoints, tuple(self.instructions), outputs)

    def _rounded(self, form: Form) -> bool:
        return any(atom.index in self.rounded for part in form.parts for atom in part if isinstance(atom, Vector))

    def _needed(self, order: list[str]) -> dict[str, dict[Condition, None]]:
        """For each indicateur, the parts of the perimeter on which some formule reads it."""
        needed: dict[str, dict[Condition, None]] = {code: {ALL: None} for code in order}
        for code in reversed(order):
            for segment in self.trees[code].segments:
                names = [node.indicateur for node in walk(segment.expression) if isinstance(node, Reference)]
                for condition in list(needed[code]):
                    narrowed = condition.narrowed(condition_of(segment))
                    if narrowed is not None:
                        for name in names:
                            needed[name][narrowed] = None
        return needed

    def _indicateur(self, code: str, condition: Condition) -> Form:
        return self._tree(self.trees[code], condition)

    def _tree(self, tree: SyntaxTree, condition: Condition) -> Form:
        segments = []
        for segment in tree.segments:
            narrowed = condition.narrowed(condition_of(segment))
            if narrowed is None:
                continue
            form = self._expression(segment.expression, narrowed)
            if narrowed != condition:
                form = self._within(form, narrowed)
            if segment.absolute is not None:
                form = self._absolute(form)
            segments.append((1, form.kept(self._covered(segment))))
        return Form.sum(segments, self.spans)

    def _covered(self, segment: Segment) -> list[bool]:
        firsts = [self.breakpoints[0] - 1 if self.breakpoints else 0, *self.breakpoints]
        return [segment.covers(first) for first in firsts]

    def _expression(self, expression: Node, condition: Condition) -> Form:
        form: Form = fold(
            expression,
            leaf=lambda node: self._leaf(node, condition),
            opposite=lambda form: form.scaled(Fraction(-1)),
            total=lambda terms: Form.sum(terms, self.spans),
            combined=self._combine,
        )
        return form

    def _leaf(self, node: Leaf, condition: Condition) -> Form:
        if isinstance(node, Number):
            return Form.of(ONE, self.spans, Fraction(node.value))
        if isinstance(node, Population):
            return Form.of(Inhabitants(condition), self.spans)
        if isinstance(node, Variable):
            coefficients = SOLDES[node.type_appel, node.side]
            terms: dict[Atom, Fraction] = {
                Cell(node.compte, column, condition): Fraction(sign) for column, sign in coefficients.items()
            }
            return Form((terms,) * self.spans)
        form = self.forms[node.indicateur, condition]
        return self._shift(self._within(form, condition), node.offset) if node.offset else form

    def _combine(self, operator: Operator, left: Form, right: Form) -> Form:
        left_constants, right_constants = left.constants(), right.constants()
        if operator == "*":
            if right_constants is not None:
                return left.by_constants(right_constants)
            if left_constants is not None:
                return right.by_constants(left_constants)
        if operator == "/":
            if right_constants is not None:
                return left.by_constants(tuple(1 / value if value else Fraction(0) for value in right_constants))
            if left_constants is not None and not any(left_constants):
                return left
        if operator == "^":
            if right_constants is not None and set(right_constants) == {Fraction(1)}:
                return left
            if left_constants is not None and right_constants is not None:
                values = [power(base, exponent) for base, exponent in zip(left_constants, right_constants, strict=True)]
                return Form.of(ONE, self.spans).by_constants(tuple(values))
        return self._result(Combine(operator, self._vector(left), self._vector(right)))

    def _absolute(self, form: Form) -> Form:
        constants = form.constants()
        if constants is not None:
            return Form.of(ONE, self.spans).by_constants(tuple(abs(value) for value in constants))
        return self._result(Absolute(self._vector(form)))

    def _shift(self, form: Form, offset: int) -> Form:
        return self._result(Shift(self._vector(form), offset))

    def _within(self, form: Form, condition: Condition) -> Form:
        """The form where some budget meets the condition, 0 elsewhere."""
        if condition == ALL or self._vanishes(form):
            return form
        return self._result(Within(self._vector(form), condition))

    def _vanishes(self, form: Form) -> bool:
        return all(
            isinstance(atom, Cell | Inhabitants) or (isinstance(atom, Vector) and atom.index in self.vanishing)
            for part in {id(part): part for part in form.parts}.values()
            for atom in part
        )

    def _vanishing(self, instruction: Instruction) -> bool:
        if isinstance(instruction, Weigh):
            return self._vanishes(instruction.form)
        if isinstance(instruction, Combine):
            # 0 ^ 0 is 1, and a shift brings the amounts of another exercice.
            sides = (instruction.left, instruction.right)
            return instruction.operator != "^" and any(side.index in self.vanishing for side in sides)
        return isinstance(instruction, Within) or (
            isinstance(instruction, Absolute) and instruction.operand.index in self.vanishing
        )

    def _vector(self, form: Form) -> Vector:
        already = form.vector()
        if already is not None:
            return already
        return self._emit(form.key(), Weigh(form))

    def _result(self, instruction: Combine | Absolute | Shift | Within) -> Form:
        return Form.of(self._emit(instruction, instruction), self.spans)

    def _emit(self, key: object, instruction: Instruction) -> Vector:
        if key not in self.known:
            index = len(self.instructions)
            self.known[key] = Vector(index)
            self.instructions.append(instruction)
            if (
                isinstance(instruction, Combine)
                or (isinstance(instruction, Weigh) and self._rounded(instruction.form))
                or (isinstance(instruction, Absolute | Shift | Within) and instruction.operand.index in self.rounded)
            ):
                self.rounded.add(index)
            if self._vanishing(instruction):
                self.vanishing.add(index)
        return self.known[key]


def _years(trees: Iterable[SyntaxTree]) -> Iterator[int]:
    for tree in trees:
        for segment in tree.segments:
            if segment.exercice_min is not None:
                yield segment.exercice_min
            if segment.exercice_max is not None:
                yield segment.exercice_max + 1


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """Raise as IEEE 754 does; 0 where the result is no finite real number."""
    try:
        value = float(base) ** float(exponent)
    except (OverflowError, ZeroDivisionError):
        return Fraction(0)
    if isinstance(value, complex) or not isfinite(value):
        return Fraction(0)
    return Fraction(Decimal(value))
