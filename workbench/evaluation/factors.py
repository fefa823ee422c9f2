"""Folded weights as a few sparse matrices in a row, so that what indicateurs share is added up once.

A total of totals folds into hundreds of cells. When all that enters one column of weights enters
another with the same weights, the second is the first plus the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["Level", "factorise"]

_DEPTH = 4
"""Matrices in a row; beyond, going through memory once more costs what it saves."""


@dataclass(frozen=True, eq=False)
class Level:
    """Columns computed together.

    Parameters
    ----------
    columns
        Which columns of the folded weights.
    product
        Rows: these columns; columns: the inputs, then the results of the levels before.
    """

    columns: tuple[int, ...]
    product: sparse.csr_array


def factorise(weights: sparse.csr_array) -> list[Level]:
    """Factorise folded weights of shape (inputs, columns) exactly.

    Examples
    --------
    >>> weights = sparse.csr_array(np.array([[1.0, 1], [1, 1], [1, 1], [0, 1]]))
    >>> [level.product.toarray().tolist() for level in factorise(weights)]
    [[[1.0, 1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0, 1.0, 1.0]]]
    """
    by_column = sparse.csc_array(weights)
    by_column.sort_indices()
    inputs, count = by_column.shape
    rest = [_column(by_column, column) for column in range(count)]
    whole = [dict(terms) for terms in rest]
    # Only sums of integers may change their order without changing their result.
    exact = np.array([all(weight.is_integer() for weight in terms.values()) for terms in rest], dtype=bool)
    support = by_column.copy()
    support.data = np.ones_like(support.data)
    shared = (support.T @ support).toarray()
    size = shared.diagonal()
    order = np.argsort(size, kind="stable")
    level = np.zeros(count, dtype=np.int64)
    used: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for position, column in enumerate(order):
        if not exact[column]:
            continue
        before = order[:position][::-1]
        inside = before[(size[before] > 1) & (shared[before, column] == size[before]) & exact[before]]
        for other in inside[level[inside] < _DEPTH - 1]:
            sign = _taken(rest[column], whole[other])
            if sign:
                used[column].append((int(other), sign))
                level[column] = max(level[column], level[other] + 1)
    return _levels(inputs, rest, used, level)


def _column(matrix: sparse.csc_array, column: int) -> dict[int, float]:
    part = slice(matrix.indptr[column], matrix.indptr[column + 1])
    return dict(zip(matrix.indices[part].tolist(), matrix.data[part].tolist(), strict=True))


def _taken(rest: dict[int, float], other: dict[int, float]) -> float:
    """Take another column, or its opposite, out of what is left of one; 0 when it is not in it."""
    first, weight = next(iter(other.items()))
    sign = rest.get(first, 0.0) / weight
    if abs(sign) != 1 or any(rest.get(row) != sign * each for row, each in other.items()):
        return 0.0
    for row in other:
        del rest[row]
    return sign


def _levels(
    inputs: int, rest: list[dict[int, float]], used: list[list[tuple[int, float]]], level: npt.NDArray[np.int64]
) -> list[Level]:
    levels: list[Level] = []
    place: dict[int, int] = {}
    for number in range(int(level.max(initial=-1)) + 1):
        columns = np.flatnonzero(level == number).tolist()
        width = inputs + len(place)
        entries = [
            (row, source, weight)
            for row, column in enumerate(columns)
            for source, weight in (*rest[column].items(), *((place[other], sign) for other, sign in used[column]))
        ]
        product = sparse.csr_array(
            (
                np.array([weight for _, _, weight in entries], dtype=np.float64),
                ([row for row, _, _ in entries], [source for _, source, _ in entries]),
            ),
            shape=(len(columns), width),
        )
        product.sort_indices()
        levels.append(Level(tuple(columns), product))
        place.update((column, width + row) for row, column in enumerate(columns))
    return levels
