"""The total of a row of exercices: mean, sum, mean annual variation."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workbench.evaluation.results import IndicateurTable

__all__ = ["LABELS", "mean_annual_variation", "row_values", "total"]

LABELS = {"$totalV": "Var. annuelle moyenne", "$totalM": "Moyenne", "$totalC": "Cumul sur les années"}
"""Total markers of a model, and the label that takes their place."""


def row_values(table: IndicateurTable) -> dict[str, list[float]]:
    """Return the values of each indicateur, one an exercice; a negative zero becomes zero."""
    rows = (table.to_numpy(dtype=float) + 0.0).tolist()
    return {str(code): row for code, row in zip(table.index, rows, strict=True)}


def mean_annual_variation(values: Sequence[float], exercices: Sequence[int]) -> float | None:
    """Compute the mean annual variation (TVAM) between the first and the last exercice.

    It is ``(last / first) ** (1 / m) - 1`` where m is the number of years from the first exercice to the
    last, missing exercices included.

    Returns
    -------
    float or None
        A rate (0.018 for 1.8 %); 0 with a single exercice, -1 when the last value is 0; None when the
        first value is 0 or the last has the opposite sign.

    Examples
    --------
    >>> mean_annual_variation([100.0, 0.0, 121.0], [2016, 2017, 2018])
    0.1000...
    >>> mean_annual_variation([-100.0, -25.0], [2014, 2016])
    -0.5
    >>> mean_annual_variation([100.0, -25.0], [2014, 2016]) is None
    True
    """
    first, last = values[0], values[-1]
    if not (math.isfinite(first) and math.isfinite(last)) or first == 0 or (last != 0 and (first < 0) != (last < 0)):
        return None
    years = exercices[-1] - exercices[0]
    return float((last / first) ** (1 / years) - 1) if years else 0.0


def total(marker: str, values: Sequence[float], exercices: Sequence[int]) -> float | None:
    """Compute what a total marker stands for; None where it does not apply.

    Examples
    --------
    >>> total("$totalM", [1.0, 0.0, 5.0], [2016, 2017, 2018])
    2.0
    >>> total("$totalC", [0.1, 0.2, 0.3], [2016, 2017, 2018])
    0.6
    """
    if marker == "$totalV":
        return mean_annual_variation(values, exercices)
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None
    return math.fsum(finite) / len(finite) if marker == "$totalM" else math.fsum(finite)
