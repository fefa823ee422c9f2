"""Explanations in the forms that datapi and the front read: those of 2021 (specification 6.3) and of today (6.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit

from workbench.signaux_faibles.detection.columns import THEMES
from workbench.signaux_faibles.detection.explanations import Explanation

__all__ = ["SELECTED", "displayed", "macro", "micro", "radar", "relative", "selection"]

SELECTED = 4 * 0.07
"""Log-odds from which a variable is told of."""

ONE_ITEM = "paiement_fournisseurs"
"""The theme that is one item of a selection: its variables are classes of one delay."""


def _label(theme: str) -> str:
    return THEMES[theme][1] if theme in THEMES else theme


def displayed(explanation: Explanation) -> np.ndarray:
    """Return contributions that add up to 100 p alone: what all companies start from is spread over them.

    A row is multiplied by 100 p / (p - start), as the front's waterfall wants. Where p hardly exceeds the start, that
    would blow small contributions up: the start is then shared out by their sizes.

    Returns
    -------
    numpy.ndarray
        Points of percent: a row a company, a column a variable.
    """
    points, probabilities, start = explanation.contributions, explanation.probabilities, explanation.start
    above = probabilities > 2 * start
    factor = np.where(above, probabilities / np.where(above, probabilities - start, 1.0), 1.0)
    sizes = np.abs(points)
    whole = sizes.sum(axis=1)
    share = np.where(above, 0.0, start / np.where(whole > 0, whole, 1.0))
    found: np.ndarray = 100 * (points * factor[:, None] + sizes * share[:, None])
    return found


def _micro(explanation: Explanation) -> tuple[np.ndarray, np.ndarray]:
    every = displayed(explanation)
    given = explanation.declaration.given
    names = [explanation.declaration.feature_of(each.name) for each in given]
    by_feature = np.array([[name == feature for feature in explanation.features] for name in names], dtype=np.float64)
    by_theme = np.array(
        [[each.theme == theme for theme in explanation.declaration.themes] for each in given], dtype=np.float64
    )
    return every @ by_theme, every @ by_feature


def macro(explanation: Explanation) -> list[dict[str, float]]:
    """Return, company after company, points of percent by theme (labels of 6.4): they add up to 100 p."""
    themes, _ = _micro(explanation)
    names = [_label(theme) for theme in explanation.declaration.themes]
    return [dict(zip(names, row, strict=True)) for row in themes.tolist()]


def micro(explanation: Explanation) -> list[dict[str, dict[str, float]]]:
    """Return, company after company, points of percent by theme and variable: they add up to those of `macro`."""
    _, features = _micro(explanation)
    themes = [explanation.theme_of(feature) for feature in explanation.features]
    found = []
    for row in features.tolist():
        one: dict[str, dict[str, float]] = {}
        for theme, feature, value in zip(themes, explanation.features, row, strict=True):
            one.setdefault(_label(theme), {})[feature] = value
        found.append(one)
    return found


def radar(explanation: Explanation) -> list[dict[str, float]]:
    """Return, company after company, a mark from 0 to 1 by theme: the logistic function of Σ (φ - b / n), as in 2021.

    Keys are without accents: one made radars flat in 2024.
    """
    given = [each.theme for each in explanation.declaration.given]
    sizes = np.array([given.count(theme) for theme in explanation.declaration.themes], dtype=np.float64)
    marks = expit(explanation.log_by_theme - explanation.log_start * sizes / len(given))
    return [dict(zip(explanation.declaration.themes, row, strict=True)) for row in marks.tolist()]


def relative(explanation: Explanation) -> list[dict[str, float]]:
    """Return, company after company, the part of each theme in all that weighs: φ / (|b| + Σ |φ|), as in 2021."""
    weighs = abs(explanation.log_start) + np.abs(explanation.log_contributions).sum(axis=1)
    parts = explanation.log_by_theme / np.where(weighs > 0, weighs, 1.0)[:, None]
    return [dict(zip(explanation.declaration.themes, row, strict=True)) for row in parts.tolist()]


def selection(explanation: Explanation) -> list[dict[str, Any]]:
    """Return, company after company, the variables that concern and those that reassure, the strongest first.

    Returns
    -------
    list of dict
        ``selectConcerning`` and ``selectReassuring``: lists of pairs, theme and variable; late payments are one item.
    """
    given = explanation.declaration.given
    items = [
        (each.theme, "" if each.theme == ONE_ITEM else explanation.declaration.feature_of(each.name)) for each in given
    ]
    known = list(dict.fromkeys(items))
    member = np.array([[item == each for each in known] for item in items], dtype=np.float64)
    found = []
    for row in (explanation.log_contributions @ member).tolist():
        ranked = sorted(zip(row, known, strict=True), key=lambda pair: -abs(pair[0]))
        named = [(value, [theme, name or theme]) for value, (theme, name) in ranked]
        found.append(
            {
                "selectConcerning": [item for value, item in named if value >= SELECTED],
                "selectReassuring": [item for value, item in named if value <= -SELECTED],
            }
        )
    return found
