"""Explanations of a serie's figures: each with the trame that served it.

Where an exercice is of one nomenclature, a figure is explained with its trame, as if it had been evaluated alone. Where
budgets of several nomenclatures meet, the explanation follows `merging`, as the figure did.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from workbench.evaluation.explain import Explainer, Explanation, combined, terms, total
from workbench.evaluation.forms import Condition
from workbench.evaluation.merging import Merged, Part, Sum, Whole, merge
from workbench.evaluation.serie_plan import linear_codes
from workbench.formules.tree import Segment
from workbench.trames import Trame, trames_of

__all__ = ["SerieExplainer"]


class SerieExplainer(Explainer):
    """Walks the formules of several trames over the amounts that an evaluation kept."""

    def serving(self, exercice: int, condition: Condition) -> tuple[Trame, ...]:
        """The trames that read a part of the perimeter in an exercice."""
        trames = self.provenance.trames_by_exercice[exercice]
        return tuple(one for one in trames if condition.nomenclature in (None, one.nomenclature))

    def segments(self, code: str, exercice: int, condition: Condition) -> tuple[Segment, ...]:
        """The segments of the trame in use."""
        (trame,) = self.serving(exercice, condition) or (self.provenance.trame,)
        return trame[code].tree.segments if code in trame else ()

    def libelles(self, exercice: int, condition: Condition) -> dict[str, str]:
        """Labels of the comptes, in the chart that was in use."""
        trames = self.serving(exercice, condition)
        if len(trames) != 1:
            return self.provenance.libelles
        return self.provenance.libelles_by_nomenclature[str(trames[0].nomenclature)]

    @cached_property
    def linear(self) -> set[str]:
        """The indicateurs that are weighted sums of amounts in every trame."""
        trame = self.provenance.trame
        trees = [{one.code: one.tree for one in part.indicateurs} for part in trames_of(trame)]
        return linear_codes(trees, trame.order)

    def indicateur(self, code: str, exercice: int, condition: Condition) -> Explanation:
        """Explain one figure."""
        key = (code, exercice, condition)
        if key not in self.known and len(self.serving(exercice, condition)) > 1:
            trame = self.provenance.trame
            segments = {
                str(part.nomenclature): [
                    segment
                    for segment in (part[code].tree.segments if code in part else ())
                    if segment.covers(exercice)
                ]
                for part in trames_of(trame)
            }
            merged, _ = merge(segments, self.linear.__contains__)
            children = tuple(child for one in merged for child in self.merged(one, exercice, condition))
            self.known[key] = Explanation("indicateur", code, trame[code].libelle, total(children), children)
        return super().indicateur(code, exercice, condition)

    def merged(self, merged: Merged, exercice: int, condition: Condition) -> tuple[Explanation, ...]:
        """What segments of several trames add together."""
        narrowed = condition.narrowed(merged.condition)
        if narrowed is None or not self.met(narrowed, exercice):
            return ()
        children = self.sum(merged.terms, exercice, narrowed)
        if not merged.absolute:
            return children
        inner = Explanation("operation", "somme", "", total(children), children)
        inner = replace(inner, sign=-1 if inner.amount < 0 else 1)
        return (Explanation("segment", "somme des nomenclatures", "valeur absolue", abs(inner.amount), (inner,)),)

    def sum(self, summed: Sum, exercice: int, condition: Condition) -> tuple[Explanation, ...]:
        """The terms of a sum over several nomenclatures."""
        found = []
        for sign, term in summed:
            if isinstance(term, Whole):
                inner = self.expression(term.node, exercice, condition)
            elif isinstance(term, Part):
                part = replace(condition, nomenclature=term.nomenclature)
                if not self.met(part, exercice):
                    continue
                read = self.expression(term.node, exercice, part)
                inner = Explanation("segment", f"budgets en {term.nomenclature}", "", read.amount, terms(read))
            else:
                sides = [self.sum(side, exercice, condition) for side in (term.left, term.right)]
                left, right = (Explanation("operation", "somme", "", total(side), side) for side in sides)
                inner = combined(term.operator, left, right)
            found.append(replace(inner, sign=sign))
        return tuple(found)
