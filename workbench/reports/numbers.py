"""Changes between figures, and the figures of `workbench.numbers` as reports write them."""

from __future__ import annotations

import math

from workbench.numbers import (
    ABSENT,
    MINUS,
    NO_BREAK,
    THOUSANDS,
    UNITES,
    Unite,
    format_number,
    format_rate,
    format_value,
    typeset,
    unite_of,
)

__all__ = [
    "ABSENT",
    "MINUS",
    "NO_BREAK",
    "THOUSANDS",
    "UNITES",
    "Unite",
    "format_number",
    "format_rate",
    "format_value",
    "growth",
    "mean_growth",
    "typeset",
    "unite_of",
]


def growth(first: float, last: float) -> float | None:
    """Return the change from first to last, as a fraction of first: of a deficit halved, −0.5, as its TVAM.

    None where it has no sense: from zero, or from one sign to the other.

    Examples
    --------
    >>> growth(200.0, 250.0), growth(0.0, 3.0), growth(-2.0, 3.0)
    (0.25, None, None)
    """
    if not (math.isfinite(first) and math.isfinite(last)) or first == 0 or first * last < 0:
        return None
    return (last - first) / first


def mean_growth(first: float, last: float, years: int) -> float | None:
    """Return the mean yearly rate of change (TVAM) over ``years`` years: (last / first)^(1/years) − 1.

    None where it has no sense: no year between the two, from zero, from one sign to the other.

    Examples
    --------
    >>> round(mean_growth(100.0, 121.0, 2), 6)
    0.1
    """
    if years < 1 or growth(first, last) is None:
        return None
    return float((last / first) ** (1 / years)) - 1
