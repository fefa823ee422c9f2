"""Categories as shares of failures (target encoding, specification 6.2): an activity is what happened to its companies.

The share of a category is drawn towards that of all by `PRIOR` rows, so that three rows of a rare activity do not speak
for it. A row that is learnt from would find its own target in the share of its category: companies are in `FOLDS`
folds, and a row takes the share of the companies of the other folds, with a little noise. (Leaving one row out, as in
2019, leaves in the other months of its company; leaving its company out tells those that failed by their lower shares.)
Rows that are judged or detected take the share as learnt, without noise; a category never met takes that of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.signaux_faibles.detection.dataset import Dataset, draw

__all__ = ["Encoding", "encoded", "learn_encodings", "shares_of_others"]

PRIOR = 30.0
"""Rows that the share of all is worth."""

NOISE = 0.02
"""At the most, either way, on what is learnt from."""

FOLDS = 10

DRAW = 2_000_003
"""Added to the seed for the folds."""

ABSENT = ""
"""The category of rows that have none: it has a share too."""


@dataclass(frozen=True)
class Encoding:
    """The shares of a variable's categories.

    Parameters
    ----------
    shares
        By category, `ABSENT` among them.
    overall
        That of all rows.
    """

    shares: Mapping[str, float]
    overall: float

    def values(self, numbers: np.ndarray, texts: tuple[str, ...]) -> np.ndarray:
        """Return the share of each row, float32, from the numbers of its category among some texts."""
        table = np.array([self.shares.get(text, self.overall) for text in (*texts, ABSENT)], dtype=np.float32)
        found: np.ndarray = table[_places(numbers, texts)]
        return found

    def to_json(self) -> dict[str, Any]:
        """Return the numbers."""
        return {"parts": dict(sorted(self.shares.items())), "ensemble": self.overall}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Encoding:
        """Read what `to_json` gives."""
        return cls({str(text): float(share) for text, share in content["parts"].items()}, float(content["ensemble"]))


def _places(numbers: np.ndarray, texts: tuple[str, ...]) -> np.ndarray:
    """Number the categories, those absent last."""
    return np.where(np.isnan(numbers), len(texts), numbers).astype(np.int64)


def learn_encodings(train: Dataset, *, seed: int = 0) -> tuple[dict[str, Encoding], Dataset]:
    """Learn the shares of the categories, and give the rows learnt from what does not tell them their own target.

    Parameters
    ----------
    train
        What is learnt from, its target known.
    seed
        Of the noise.

    Returns
    -------
    tuple of (dict, Dataset)
        By variable, its shares; the rows, encoded from the companies of other folds, with noise. The same dataset when
        it has no categories.
    """
    if not train.categories:
        return {}, train
    found, matrix = {}, train.matrix.copy()
    random = np.random.default_rng(seed)
    for place, name, texts in _categories(train):
        counts, failures, overall = _sums(train, place, texts)
        shares = (failures + PRIOR * overall) / (counts + PRIOR)
        known = {text: float(share) for text, share, rows in zip((*texts, ABSENT), shares, counts, strict=True) if rows}
        found[name] = Encoding(known, overall)
        noise = random.uniform(-NOISE, NOISE, len(train))
        matrix[:, place] = shares_of_others(train, place, texts, seed=seed) + noise
    return found, replace(train, matrix=matrix, categories={})


def shares_of_others(dataset: Dataset, place: int, texts: tuple[str, ...], *, seed: int = 0) -> np.ndarray:
    """Return, row by row, the share of the category of a column among the companies of the other folds."""
    folds = np.floor(draw(dataset.names, seed + DRAW) * FOLDS).astype(np.int64)[dataset.companies]
    counts, failures, overall = _sums(dataset, place, texts)
    size = len(texts) + 1
    categories = _places(dataset.matrix[:, place], texts)
    pairs = categories + size * folds
    positive = dataset.target == 1
    own, own_failures = (np.bincount(pairs, weights=each, minlength=size * FOLDS)[pairs] for each in (None, positive))
    found: np.ndarray = (failures[categories] - own_failures + PRIOR * overall) / (counts[categories] - own + PRIOR)
    return found


def _sums(dataset: Dataset, place: int, texts: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return rows and failures of each category, and the share of failures of all."""
    categories = _places(dataset.matrix[:, place], texts)
    positive = dataset.target == 1
    size = len(texts) + 1
    return (
        np.bincount(categories, minlength=size),
        np.bincount(categories, weights=positive, minlength=size),
        float(positive.mean()),
    )


def _categories(dataset: Dataset) -> list[tuple[int, str, tuple[str, ...]]]:
    given = enumerate(dataset.declaration.given)
    return [(place, each.name, dataset.categories[each.name]) for place, each in given if each.category]


def encoded(dataset: Dataset, encodings: Mapping[str, Encoding]) -> Dataset:
    """Return the rows as a model sees them: categories in the place of which their shares stand, as learnt.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from workbench.signaux_faibles.detection.columns import Declaration, Variable
    >>> from workbench.signaux_faibles.detection.dataset import build_dataset
    >>> declaration = Declaration("essai", (Variable("dette", "dette_urssaf"),)).encoding("code_naf")
    >>> rows = {"siren": ["800000001", "800000002"], "periode": ["2020"] * 2, "dette": [0, 0], "code_naf": ["C", "?"]}
    >>> shares = {"taux_code_naf": Encoding({"C": 0.25}, 0.5)}
    >>> encoded(build_dataset(pa.table(rows), declaration), shares).matrix[:, 1].tolist()
    [0.25, 0.5]
    """
    if not dataset.categories:
        return dataset
    matrix = dataset.matrix.copy()
    for place, name, texts in _categories(dataset):
        matrix[:, place] = encodings[name].values(matrix[:, place], texts)
    return replace(dataset, matrix=matrix, categories={})
