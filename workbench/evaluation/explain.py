"""From a figure down to the comptes and amounts it is made of.

The explanation follows the formule as it is written, in exact arithmetic: each node's value is the
result of its operation on its children's, and the root's, rounded once, is the table's figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isclose
from typing import Any, Literal

import pandas as pd

from workbench.display import view
from workbench.errors import WorkbenchError
from workbench.evaluation.evaluate import kind_of_budget
from workbench.evaluation.explanation_html import tree_html, written
from workbench.evaluation.fold import Leaf, Operator, fold
from workbench.evaluation.forms import ALL, Condition
from workbench.evaluation.kernel import prefix_range
from workbench.evaluation.plan import condition_of, power
from workbench.evaluation.results import IndicateurTable, Provenance
from workbench.formules import SOLDES, print_segment
from workbench.formules.tree import Node, Number, Population, Reference, Segment, Variable
from workbench.trames import Serie

__all__ = ["Explainer", "Explanation", "combined", "explain", "terms", "total"]

Kind = Literal["indicateur", "segment", "operation", "variable", "compte", "nombre", "population", "decalage"]

_DEEP = 50
"""References in a row that recursion bears with ease."""

_SYMBOLS = {"*": "×", "/": "÷", "^": "puissance"}


@dataclass(frozen=True)
class Explanation:
    """One node of an explanation.

    Parameters
    ----------
    kind
        ``indicateur``, ``segment`` (one of several, or one under conditions), ``operation``,
        ``variable``, ``compte``, ``nombre``, ``population`` or ``decalage`` (another exercice).
    label
        The code, the text of the formule or the number of the compte.
    libelle
        In words; may be empty.
    amount
        The exact value, in euros or in the unit of the figure.
    sign
        1 or -1: how the node enters the sum above it.
    children
        What it is made of. The value of a sum is the sum of ``sign × amount``.
    """

    kind: Kind
    label: str
    libelle: str
    amount: Fraction
    children: tuple[Explanation, ...] = ()
    sign: int = 1

    @property
    def value(self) -> float:
        """The value, rounded once."""
        return float(self.amount)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Explanation]]:
        """Yield (depth, node) for the node and everything below, in reading order."""
        stack = [(depth, self)]
        while stack:
            level, node = stack.pop()
            yield level, node
            stack.extend((level + 1, child) for child in reversed(node.children))

    def to_frame(self) -> pd.DataFrame:
        """Flatten the tree: one row a node, columns niveau, nature, signe, element, libelle, valeur."""
        return pd.DataFrame(
            [(level, node.kind, node.sign, node.label, node.libelle, node.value) for level, node in self.walk()],
            columns=["niveau", "nature", "signe", "element", "libelle", "valeur"],
        )

    def comptes(self) -> pd.DataFrame:
        """List the comptes that enter the figure, with what each contributes.

        Returns
        -------
        pandas.DataFrame
            Columns compte, libelle, montant and contribution, in euros: one row a compte of a
            variable. Contributions add up to the figure when the formule is linear; they are
            missing under a quotient, a product of figures or a power.
        """
        rows = [
            (node.label, node.libelle, node.value, None if weight is None else float(weight * node.amount))
            for weight, node in self._weighted()
            if node.kind == "compte"
        ]
        frame = pd.DataFrame(rows, columns=["compte", "libelle", "montant", "contribution"])
        return frame.astype({"montant": "float64", "contribution": "float64"})

    def _weighted(self) -> Iterator[tuple[Fraction | None, Explanation]]:
        """Yield every node with what one euro of it moves here, None under what is not linear."""
        stack: list[tuple[Fraction | None, Explanation]] = [(Fraction(1), self)]
        while stack:
            weight, node = stack.pop()
            yield weight, node
            stack.extend(reversed(_weights(node, weight)))

    def __str__(self) -> str:
        lines = []
        for level, node in self.walk():
            name = f"{node.label} — {node.libelle}" if node.libelle else node.label
            lines.append(f"{'  ' * level}{'−' if node.sign < 0 else ''}{name} : {written(node.amount)}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return view(f'<div class="workbench-explication">{"".join(tree_html(self))}</div>')


def explain(table: IndicateurTable, code: str, exercice: int | str) -> Explanation:
    """Say where one figure of a table comes from.

    Parameters
    ----------
    table
        The result of `evaluate`, or a part of it.
    code
        An indicateur of the trame.
    exercice
        One of the table's exercices.

    Returns
    -------
    Explanation
        A tree of indicateurs, operations, variables, comptes and amounts, rich in a notebook. Its
        value is the table's, exactly where the formule is linear.

    Raises
    ------
    WorkbenchError
        ``indicateur_absent`` or ``exercice_absent`` when the evaluation gave no such figure,
        ``table_sans_provenance`` for what `evaluate` did not return.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> table = wb.evaluate(trame, base, sirets=[demonstration_siret], exercices=range(2020, 2100))
    >>> exercice = table.columns[-1]
    >>> why = wb.explain(table, "A_PRODUITS", exercice)
    >>> bool(why.value == table.at["A_PRODUITS", exercice])
    True
    >>> bool(round(why.comptes()["contribution"].sum(), 2) == round(why.value, 2))
    True
    """
    provenance = getattr(table, "provenance", None)
    if provenance is None:
        raise WorkbenchError("table_sans_provenance")
    if isinstance(exercice, str) and exercice.strip().isdecimal():
        exercice = int(exercice)
    if code not in provenance.trame.codes:
        raise WorkbenchError("indicateur_absent", indicateur=code, trame=provenance.trame.code)
    if exercice not in provenance.exercices:
        known = ", ".join(str(year) for year in provenance.exercices) or "aucun"
        raise WorkbenchError("exercice_absent", exercice=exercice, exercices=known)
    if isinstance(provenance.trame, Serie):
        from workbench.evaluation.serie_explain import SerieExplainer

        explainer: Explainer = SerieExplainer(provenance)
    else:
        explainer = Explainer(provenance)
    why = explainer.explain(code, int(exercice))
    if code in table.index and exercice in table.columns:
        shown = float(table[exercice].loc[[code]].to_numpy()[0])
        # Arithmetic on a table keeps its provenance, which then speaks of other figures; rounding is no lie.
        if not isclose(shown, why.value, rel_tol=1e-6, abs_tol=0.5 if abs(why.value) >= 100 else 0.005):
            raise WorkbenchError("tableau_modifie", indicateur=code, exercice=exercice)
    return why


class Explainer:
    """Walks formules over the amounts that an evaluation kept."""

    def __init__(self, provenance: Provenance) -> None:
        if provenance.cells is None:
            raise WorkbenchError("explication_impossible")
        self.provenance = provenance
        self.exercices = set(provenance.exercices)
        self.retained: list[dict[str, Any]] = provenance.budgets.to_pylist()
        self.known: dict[tuple[str, int, Condition], Explanation] = {}

    def explain(self, code: str, exercice: int) -> Explanation:
        """Explain one figure of the table."""
        trame = self.provenance.trame
        chain = {code}
        todo = [code]
        while todo:
            new = [name for name in trame.dependencies(todo.pop()) if name not in chain]
            chain.update(new)
            todo.extend(new)
        if len(chain) > _DEEP:
            # From the bottom up, so that a long chain of references needs no deep recursion.
            for each in (each for each in trame.order if each in chain):
                for year in self.provenance.exercices:
                    self.indicateur(each, year, ALL)
        return self.indicateur(code, exercice, ALL)

    def indicateur(self, code: str, exercice: int, condition: Condition) -> Explanation:
        """Explain an indicateur on a part of the perimeter."""
        key = (code, exercice, condition)
        if key not in self.known:
            indicateur = self.provenance.trame[code]
            segments = [
                (segment, narrowed)
                for segment in self.segments(code, exercice, condition)
                if (narrowed := condition.narrowed(condition_of(segment))) is not None
                and segment.covers(exercice)
                and self.met(narrowed, exercice)
            ]
            if len(segments) == 1 and _unconditional(segments[0][0]):
                children = terms(self.expression(segments[0][0].expression, exercice, condition))
            else:
                children = tuple(self.segment(segment, exercice, narrowed) for segment, narrowed in segments)
            self.known[key] = Explanation("indicateur", code, indicateur.libelle, total(children), children)
        return self.known[key]

    def segments(self, code: str, exercice: int, condition: Condition) -> tuple[Segment, ...]:  # noqa: ARG002
        """The segments that define an indicateur in an exercice, on a part of the perimeter."""
        return self.provenance.trame[code].tree.segments

    def libelles(self, exercice: int, condition: Condition) -> dict[str, str]:  # noqa: ARG002
        """Labels of the comptes, in the chart that was in use."""
        return self.provenance.libelles

    def segment(self, segment: Segment, exercice: int, condition: Condition) -> Explanation:
        """Explain one of several segments."""
        inner = self.expression(segment.expression, exercice, condition)
        text = print_segment(segment)
        if segment.absolute is None:
            return Explanation("segment", text, "", inner.amount, terms(inner))
        absolute = replace(inner, sign=-1 if inner.amount < 0 else 1)
        return Explanation("segment", text, "valeur absolue", abs(inner.amount), (absolute,))

    def expression(self, expression: Node, exercice: int, condition: Condition) -> Explanation:
        """Explain an expression, bottom-up."""
        return fold(
            expression,
            leaf=lambda node: self.leaf(node, exercice, condition),
            opposite=lambda inner: Explanation("operation", "opposé", "", -inner.amount, (replace(inner, sign=-1),)),
            total=_sum,
            combined=combined,
        )

    def leaf(self, node: Leaf, exercice: int, condition: Condition) -> Explanation:
        """Explain a number, ``$POP``, a variable or a reference."""
        if isinstance(node, Number):
            return Explanation("nombre", f"{node.value:f}", "", Fraction(node.value))
        if isinstance(node, Population):
            inhabitants = Fraction(self.population(exercice, condition))
            return Explanation("population", "$POP", f"habitants en {exercice}", inhabitants)
        if isinstance(node, Variable):
            return self.variable(node, exercice, condition)
        return self.reference(node, exercice, condition)

    def reference(self, node: Reference, exercice: int, condition: Condition) -> Explanation:
        """Explain what refers to an indicateur, of this exercice or of another."""
        if not node.offset:
            return self.indicateur(node.indicateur, exercice, condition)
        # Another exercice may have been kept under another nomenclature: all of it is seen.
        condition = replace(condition, nomenclature=None)
        other = exercice + node.offset
        label = f"{node.indicateur} en {other}"
        if other not in self.exercices or not self.met(condition, other):
            return Explanation("decalage", label, "hors de la période ou sans comptes : compte pour 0", Fraction(0))
        inner = self.indicateur(node.indicateur, other, condition)
        return Explanation("decalage", label, inner.libelle, inner.amount, (inner,))

    def variable(self, node: Variable, exercice: int, condition: Condition) -> Explanation:
        """Explain a variable by its comptes."""
        coefficients = SOLDES[node.type_appel, node.side]
        amounts = self.provenance.amounts.get(exercice, {})
        comptes = list(amounts)
        libelles = self.libelles(exercice, condition)
        first, last = prefix_range(comptes, node.compte)
        children = []
        for compte in comptes[first:last]:
            cents = sum(
                sign * int(line[column])
                for traits, line in amounts[compte]
                if condition.accepts(*traits)
                for column, sign in coefficients.items()
            )
            if cents:
                children.append(Explanation("compte", compte, libelles.get(compte, ""), Fraction(cents, 100)))
        label = f"{node.side}{node.compte}[TA:{node.type_appel}]"
        libelle = libelles.get(node.compte, "")
        return Explanation("variable", label, libelle, total(children), tuple(children))

    def population(self, exercice: int, condition: Condition) -> int:
        """Count the inhabitants once a SIREN."""
        counted: dict[str, int] = {}
        for budget in self.budgets(exercice, condition):
            siren = budget["siren"]
            counted[siren] = max(counted.get(siren, 0), int(budget["population"] or 0))
        return sum(counted.values())

    def met(self, condition: Condition, exercice: int) -> bool:
        """Whether some budget of an exercice meets a condition."""
        return condition == ALL or any(True for _ in self.budgets(exercice, condition))

    def budgets(self, exercice: int, condition: Condition) -> Iterator[dict[str, Any]]:
        """Yield the budgets of an exercice that meet a condition."""
        for budget in self.retained:
            if budget["exercice"] == exercice and condition.accepts(
                kind_of_budget(budget["type_budget"]), budget["type_etablissement"] or "", budget["nomenclature"] or ""
            ):
                yield budget


def _sum(terms: Sequence[tuple[int, Explanation]]) -> Explanation:
    children = tuple(replace(inner, sign=sign) for sign, inner in terms)
    return Explanation("operation", "somme", "", total(children), children)


def combined(operator: Operator, left: Explanation, right: Explanation) -> Explanation:
    """Explain a product, a quotient or a power."""
    libelle = ""
    if operator == "*":
        amount = left.amount * right.amount
    elif operator == "^":
        amount = power(left.amount, right.amount)
    elif right.amount:
        amount = left.amount / right.amount
    else:
        amount, libelle = Fraction(0), "diviseur nul : le quotient compte pour 0"
    return Explanation("operation", _SYMBOLS[operator], libelle, amount, (left, right))


def _unconditional(segment: Segment) -> bool:
    return segment.absolute is None and condition_of(segment) == ALL


def terms(inner: Explanation) -> tuple[Explanation, ...]:
    """The terms of a sum, so that a sum is not shown inside what is a sum already."""
    return inner.children if inner.kind == "operation" and inner.label == "somme" else (inner,)


def total(children: Iterable[Explanation]) -> Fraction:
    """Add up what stands under a sum."""
    return sum((child.sign * child.amount for child in children), Fraction(0))


def _weights(node: Explanation, weight: Fraction | None) -> list[tuple[Fraction | None, Explanation]]:
    if weight is None:
        return [(None, child) for child in node.children]
    if node.kind != "operation" or node.label not in _SYMBOLS.values():
        return [(weight * child.sign, child) for child in node.children]
    left, right = node.children
    left_weight = right_weight = None
    if node.label == _SYMBOLS["*"]:
        left_weight = weight * right.amount if _constant(right) else None
        right_weight = weight * left.amount if _constant(left) else None
    elif node.label == _SYMBOLS["/"] and _constant(right):
        left_weight = weight / right.amount if right.amount else Fraction(0)
    return [(left_weight, left), (right_weight, right)]


def _constant(node: Explanation) -> bool:
    return all(part.kind in ("nombre", "operation") for _, part in node.walk())
