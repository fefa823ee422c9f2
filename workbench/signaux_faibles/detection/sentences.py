"""Two or three sentences that an agent can check: each holds one fact of the company, and what it does to the risk."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.numbers import NO_BREAK, UNITES, format_number, format_value, typeset
from workbench.signaux_faibles.detection.columns import Declaration, Variable
from workbench.signaux_faibles.detection.explanations import Explanation

__all__ = ["Sentence", "sentences"]

LEAST = 0.005
"""Points of probability from which a fact is worth a sentence: half a point of percent."""

UNITS = {
    "%": f"{NO_BREAK}%",
    "jours": f"{NO_BREAK}jours",
    "heures": f"{NO_BREAK}heures",
    "salaries": f"{NO_BREAK}salariés",
    "cotisation": f"{NO_BREAK}fois la cotisation mensuelle moyenne",
}
"""What follows a figure, for the units that `workbench.numbers` has not."""


@dataclass(frozen=True)
class Sentence:
    """A sentence and the fact that it is tied to.

    Parameters
    ----------
    text
        French.
    entity, periode
        Whose fact, and of which month.
    variable, value
        The fact: a column of the table, or derived; None when it is not known.
    contribution
        Points of probability that it brings.
    theme
        Of the variable.
    """

    text: str
    entity: str
    periode: str
    variable: str
    value: float | None
    contribution: float
    theme: str

    def __str__(self) -> str:
        return self.text


def sentences(explanation: Explanation, row: int, *, most: int = 3) -> list[Sentence]:
    """Say in words what weighs the most on a company: one variable a sentence, two of a theme at the most.

    Parameters
    ----------
    explanation, row
        Of which company.
    most
        How many sentences at the most, of what raises the risk and of what lowers it alike.

    Returns
    -------
    list of Sentence
        Empty for a company whose probability no fact moves.
    """
    points = explanation.contributions[row]
    told: list[Sentence] = []
    features: set[str] = set()
    themes: list[str] = []
    for place in sorted(range(len(points)), key=lambda each: -abs(points[each])):
        variable = explanation.declaration.given[place]
        feature = explanation.declaration.feature_of(variable.name)
        if len(told) == most or abs(points[place]) < LEAST:
            break
        if feature in features or themes.count(variable.theme) == 2:
            continue
        features.add(feature)
        themes.append(variable.theme)
        told.append(_sentence(explanation, row, place))
    return told


def _sentence(explanation: Explanation, row: int, place: int) -> Sentence:
    variable = explanation.declaration.given[place]
    value = float(explanation.matrix[row, place])
    points = float(explanation.contributions[row, place])
    named = title(explanation.declaration, variable)
    if math.isnan(value):
        fact = f"On ne connaît pas {named}"
    else:
        verb = "sont de" if named.startswith("les ") else "est de"
        compared = _compared(variable, value, explanation.references.get(variable.name, ()))
        fact = f"{named[0].upper()}{named[1:]} {verb} {_figure(variable, value)}{compared}"
    moved = format_number(abs(points) * 100, 1)
    plural = "s" if abs(points) * 100 >= 2 else ""
    effect = "alourdit" if points > 0 else "allège"
    text = f"{fact} : cela {effect} le risque de {moved}{NO_BREAK}point{plural}."
    return Sentence(
        typeset(text),
        str(explanation.entities[row]),
        str(explanation.periodes[row]),
        variable.name,
        None if math.isnan(value) else value,
        points,
        variable.theme,
    )


def title(declaration: Declaration, variable: Variable) -> str:
    """Return how a sentence calls a variable, article included: « la variation en 12 mois de la dette »."""
    if variable.label or not variable.operation:
        return variable.label or f"la variable « {variable.name} »"
    by_name = {each.name: each for each in declaration.variables}
    of = title(declaration, by_name[variable.of[0]])
    months = f"{variable.months}{NO_BREAK}mois"
    forms = {
        "lag": f"{of} il y a {months}",
        "diff": f"la variation en {months} {_of(of)}",
        "mean": f"la moyenne sur {months} {_of(of)}",
        "growth": f"l'évolution en {months} {_of(of)}",
    }
    return forms.get(variable.operation, f"la variable « {variable.name} »")


def _of(named: str) -> str:
    for article, contracted in (("le ", "du "), ("les ", "des ")):
        if named.startswith(article):
            return contracted + named[len(article) :]
    return f"de {named}"


def _figure(variable: Variable, value: float) -> str:
    if variable.operation == "growth":
        # The logarithm of a ratio: people read a share.
        grown = math.expm1(value) * 100
        return ("+" if grown > 0 else "") + format_number(grown, 0) + UNITS["%"]
    if variable.unit in UNITES:
        return format_value(value, variable.unit)
    decimals = 0 if abs(value) >= 100 or value == int(value) else 2
    return format_number(value, decimals) + UNITS.get(variable.unit, "")


def _compared(variable: Variable, value: float, deciles: tuple[float, ...]) -> str:
    if not deciles:
        return ""
    if value > deciles[-1]:
        return ", plus que dans neuf entreprises sur dix"
    if value < deciles[0]:
        return ", moins que dans neuf entreprises sur dix"
    return f" (médiane : {_figure(variable, deciles[4])})"
