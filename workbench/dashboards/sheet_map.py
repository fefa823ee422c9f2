"""Where a place of the world falls on the drawn map of the départements.

``departements.json`` is a Mercator projection of the métropole (its source draws it so) and, for each département
overseas, a frame of its own. The coefficients were fitted to points whose coordinates are known: the north of
Bray-Dunes, the east of Lauterbourg, the south of Lamanère, Ouessant, Cap Corse, the Lavezzi, Paris. They are right to
about four kilometres, which is one unit or two of a drawing 613 wide.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache

from workbench.dashboards.components import outlines

__all__ = ["OVERSEAS", "drawn_departement", "inset_place", "place"]

_X, _LEFT = 41.63, 214.23
_Y, _TOP = -2366.025, 2462.63

OVERSEAS: Mapping[str, tuple[str, tuple[float, float, float, float]]] = {
    "971": ("101", (-61.81, -61.0, 15.83, 16.51)),
    "972": ("103", (-61.23, -60.81, 14.39, 14.88)),
    "973": ("102", (-54.6, -51.63, 2.11, 5.76)),
    "974": ("104", (55.22, 55.84, -21.39, -20.87)),
    "976": ("106", (45.04, 45.30, -13.0, -12.65)),
}
"""Départements overseas: their code on the map, and their west, east, south and north."""

_INSET = ("075", "092", "093", "094")
_LARGER = 6


def drawn_departement(departement: str) -> str:
    """Return the code of a département on the map.

    Examples
    --------
    >>> drawn_departement("33"), drawn_departement("2A"), drawn_departement("974")
    ('033', '02A', '104')
    """
    if departement in OVERSEAS:
        return OVERSEAS[departement][0]
    return departement.zfill(3)


def place(latitude: object, longitude: object, departement: str) -> tuple[float, float] | None:
    """Return where a point is on the drawing; None when it is nowhere there.

    Parameters
    ----------
    latitude, longitude
        Degrees (WGS 84); anything else is nowhere.
    departement
        Which frame, for what is overseas.

    Examples
    --------
    >>> place(48.8566, 2.3522, "75")
    (312.2, 143.9)
    """
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in (latitude, longitude)):
        return None
    north, east = float(latitude), float(longitude)  # type: ignore[arg-type] # said just above
    if not (math.isfinite(north) and math.isfinite(east) and abs(north) < 85):
        return None
    if departement in OVERSEAS:
        return _overseas(north, east, departement)
    mercator = math.log(math.tan(math.pi / 4 + math.radians(north) / 2))
    x, y = _X * east + _LEFT, _Y * mercator + _TOP
    size = outlines()
    return (round(x, 1), round(y, 1)) if 0 <= x <= size["width"] and 0 <= y <= size["height"] else None


def _overseas(north: float, east: float, departement: str) -> tuple[float, float] | None:
    code, (west, right, south, top) = OVERSEAS[departement]
    across, up = (east - west) / (right - west), (north - south) / (top - south)
    if not (-0.1 <= across <= 1.1 and -0.1 <= up <= 1.1):
        return None
    x0, y0, x1, y1 = _bounds(code)
    return round(x0 + across * (x1 - x0), 1), round(y1 - up * (y1 - y0), 1)


def inset_place(point: tuple[float, float], departement: str) -> tuple[float, float] | None:
    """Return where a point of Paris and its neighbours is on the larger drawing of them; None for others."""
    if departement.zfill(3) not in _INSET:
        return None
    boxes = [_bounds(code) for code in _INSET]
    left, top = min(box[0] for box in boxes), min(box[1] for box in boxes)
    return round(18 + (point[0] - left) * _LARGER, 1), round(30 + (point[1] - top) * _LARGER, 1)


@cache
def _bounds(code: str) -> tuple[float, float, float, float]:
    points = [point for ring in rings(outlines()["paths"][code]) for point in ring]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def rings(path: str) -> list[list[tuple[float, float]]]:
    """Read the rings of an outline: a first point, then relative lines.

    Examples
    --------
    >>> rings("M1 2l3 0 0-1z")
    [[(1.0, 2.0), (4.0, 2.0), (4.0, 1.0)]]
    """
    found = []
    for ring in filter(None, path.split("z")):
        numbers = [float(each) for each in re.findall(r"-?\d*\.?\d+", ring)]
        points = [(numbers[0], numbers[1])]
        for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
            points.append((points[-1][0] + dx, points[-1][1] + dy))
        found.append(points)
    return found
