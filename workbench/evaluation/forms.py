"""Linear forms: what a formule is before any figure is known.

A form gives, for each span of exercices between two breakpoints, a weighted sum of atoms: cells of
the accounting base, inhabitants, constants, and vectors that an instruction computes. Weights are
exact fractions, in the unit of the result (euros for cells). Sums, differences and products by a
constant stay inside a form; everything else becomes an instruction (see `plan`).

A missing value (a quotient by zero, an offset out of the period) counts 0 wherever it is read: as
an operand of ``+ - * ^``, as a divisor (whose quotient is then missing, hence 0) and as a result. A
missing value is therefore carried as 0 from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from workbench.dgfip import keeps_nomenclature

__all__ = ["ALL", "ONE", "Atom", "Cell", "Condition", "Form", "Inhabitants", "One", "Vector"]


@dataclass(frozen=True, slots=True)
class Condition:
    """The part of a perimeter that a segment looks at.

    Parameters
    ----------
    type_budget
        Budgets of one kind, ``"BP"`` or ``"BA"``.
    type_etablissement
        Budgets of one establishment type.
    nomenclature
        In a serie, the budgets that one of its trames serves: its nomenclature.
    """

    type_budget: Literal["BP", "BA"] | None = None
    type_etablissement: str | None = None
    nomenclature: str | None = None

    def narrowed(self, other: Condition) -> Condition | None:
        """Both conditions together; None when no budget can meet them."""
        for mine, theirs in (
            (self.type_budget, other.type_budget),
            (self.type_etablissement, other.type_etablissement),
            (self.nomenclature, other.nomenclature),
        ):
            if mine is not None and theirs is not None and mine != theirs:
                return None
        return Condition(
            self.type_budget or other.type_budget,
            self.type_etablissement or other.type_etablissement,
            self.nomenclature or other.nomenclature,
        )

    def accepts(self, type_budget: str, type_etablissement: str, nomenclature: str) -> bool:
        """Whether a budget of this kind (``"BP"``, ``"BA"``), type and nomenclature is in the part."""
        return (
            self.type_budget in (None, type_budget)
            and self.type_etablissement in (None, type_etablissement)
            and (self.nomenclature is None or keeps_nomenclature(self.nomenclature, nomenclature))
        )


ALL = Condition()


@dataclass(frozen=True, slots=True)
class Cell:
    """One amount column summed over the comptes that start with ``compte``; stored in cents."""

    compte: str
    column: str
    condition: Condition = ALL


@dataclass(frozen=True, slots=True)
class Inhabitants:
    """The population of a part of the perimeter."""

    condition: Condition = ALL


@dataclass(frozen=True, slots=True)
class One:
    """The constant 1."""


@dataclass(frozen=True, slots=True)
class Vector:
    """The result of an instruction."""

    index: int


Atom = Cell | Inhabitants | One | Vector
ONE = One()
Terms = Mapping[Atom, Fraction]
_NOTHING: Terms = {}


@dataclass(frozen=True, slots=True)
class Form:
    """A weighted sum of atoms for each span of exercices.

    Parameters
    ----------
    parts
        One mapping atom to weight a span, weights non-zero. Spans that agree share one mapping,
        and operations work once on what is shared.
    """

    parts: tuple[Terms, ...]

    @classmethod
    def of(cls, atom: Atom, spans: int, weight: Fraction = Fraction(1)) -> Form:
        """One atom, alike in all spans."""
        return cls(((({atom: weight}) if weight else _NOTHING),) * spans)

    @classmethod
    def sum(cls, signed: Sequence[tuple[int, Form]], spans: int) -> Form:
        """Add many signed forms at once, in time proportional to their terms."""
        seen: dict[tuple[int, ...], Terms] = {}
        parts = []
        for span in range(spans):
            key = tuple(id(form.parts[span]) for _, form in signed)
            if key not in seen:
                seen[key] = _total([(sign, form.parts[span]) for sign, form in signed])
            parts.append(seen[key])
        return cls(tuple(parts))

    def map(self, change: Callable[[Terms], Terms]) -> Form:
        """Apply a change to each distinct part once."""
        seen: dict[int, Terms] = {}
        for part in self.parts:
            if id(part) not in seen:
                seen[id(part)] = change(part)
        return Form(tuple(seen[id(part)] for part in self.parts))

    def scaled(self, factor: Fraction) -> Form:
        """Every weight times a constant."""
        if factor == 1:
            return self
        if factor == 0:
            return self.map(lambda _: _NOTHING)
        return self.map(lambda part: {atom: weight * factor for atom, weight in part.items()})

    def kept(self, spans: Iterable[bool]) -> Form:
        """The form on the spans that are true, nothing on the others."""
        return Form(tuple(part if keep else _NOTHING for part, keep in zip(self.parts, spans, strict=True)))

    def constants(self) -> tuple[Fraction, ...] | None:
        """The value in each span when no atom but 1 takes part, else None."""
        values = []
        for part in self.parts:
            if any(atom is not ONE for atom in part):
                return None
            values.append(part.get(ONE, Fraction(0)))
        return tuple(values)

    def by_constants(self, factors: tuple[Fraction, ...]) -> Form:
        """Each span times its own constant."""
        if len(set(factors)) == 1:
            return self.scaled(factors[0])
        return Form(
            tuple(
                {atom: weight * factor for atom, weight in part.items()} if factor else _NOTHING
                for part, factor in zip(self.parts, factors, strict=True)
            )
        )

    def vector(self) -> Vector | None:
        """The single vector that the form is equal to, if it is one."""
        first = self.parts[0]
        if len(first) != 1:
            return None
        ((atom, weight),) = first.items()
        if (
            not isinstance(atom, Vector)
            or weight != 1
            or any(part is not first and part != first for part in self.parts)
        ):
            return None
        return atom

    def key(self) -> tuple[frozenset[tuple[Atom, Fraction]], ...]:
        """A value equal for equal forms, for finding again what is already computed."""
        seen: dict[int, frozenset[tuple[Atom, Fraction]]] = {}
        for part in self.parts:
            if id(part) not in seen:
                seen[id(part)] = frozenset(part.items())
        return tuple(seen[id(part)] for part in self.parts)


def _total(signed: list[tuple[int, Terms]]) -> Terms:
    total: dict[Atom, Fraction] = {}
    for sign, part in signed:
        for atom, weight in part.items():
            total[atom] = total.get(atom, Fraction(0)) + sign * weight
    return {atom: weight for atom, weight in total.items() if weight}
