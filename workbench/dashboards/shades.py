"""The shades of a map: classes of as many values as can be, and their legend."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.reports.numbers import format_value, unite_of
from workbench.reports.panorama import quantile_of

__all__ = ["shades_of"]

CLASSES = 5

Floats = npt.NDArray[np.float64]


def shades_of(values: Floats, unite: str) -> tuple[npt.NDArray[np.int64], list[dict[str, Any]]]:
    """Return the class of each value, from the lowest to the highest, and the legend; equal values share a class.

    Examples
    --------
    >>> shades_of(np.array([3.0, 1.0, 3.0]), "euros")[0].tolist()
    [1, 0, 1]
    """
    ascending = np.sort(values)
    edges = np.array([quantile_of(ascending, level, CLASSES) for level in range(1, CLASSES)])
    classes = np.searchsorted(edges, values, side="left")
    decimals = unite_of(unite).decimals
    legend = _legend(values, classes, unite, decimals)
    if len({each["label"] for each in legend}) < len(legend):
        # Two shades are not told apart by the same words.
        legend = _legend(values, classes, unite, decimals + 2)
    return classes, legend


def _legend(values: Floats, classes: npt.NDArray[np.int64], unite: str, decimals: int) -> list[dict[str, Any]]:
    legend = []
    for shade in np.unique(classes).tolist():
        inside = values[classes == shade]
        low, high = (format_value(float(each), unite, decimals=decimals) for each in (inside.min(), inside.max()))
        legend.append({"shade": shade, "label": low if low == high else f"{low} à {high}", "count": len(inside)})
    return legend
