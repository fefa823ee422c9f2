"""Communes on the map: where each is on the drawing of the départements, and what is shown of it.

Places are made by ``outlines/``: decision 37 says from what. A commune that has none is said, not guessed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.dashboards.shades import shades_of
from workbench.reports.numbers import format_number, format_value
from workbench.reports.panorama import Panorama

__all__ = ["MOST_PLACED", "commune_map", "places_of_communes"]

MOST_PLACED = 1_500
"""Communes that a map shows at most: all those of a département, or of a région."""

LEAST_SIDE = 24.0
"""The smallest side of what is drawn, in units of the drawing, which is 613 wide."""

LARGEST, SMALLEST = 0.035, 0.006
"""Radius of the most peopled commune, and the least radius, as parts of that side."""


@lru_cache(maxsize=1)
def places_of_communes() -> Mapping[str, tuple[float, float]]:
    """Return the place of communes on the drawing, by SIREN.

    Examples
    --------
    >>> places_of_communes()["213105554"]  # Toulouse
    (275.3, 458.6)
    """
    path = Path(__file__).parent / "static" / "communes.csv"
    with path.open(encoding="ascii", newline="") as file:
        return {row["siren"]: (float(row["x"]), float(row["y"])) for row in csv.DictReader(file)}


def commune_map(found: Panorama, exercice: int) -> dict[str, Any]:
    """Return the map of an exercice: a disc a commune, as large as its population, shaded by its value.

    Returns
    -------
    dict
        ``places`` (``siret, name, x, y, radius, shade, value, people``, the largest first), ``legend``, ``box`` (what
        of the drawing is seen: ``x, y, width, height``), ``note``. Without places, the note says why.
    """
    rows = found.ranking(exercice)
    known = places_of_communes()
    places = rows["siret"].str[:9].map(known)
    there = rows[places.notna()]
    empty: dict[str, Any] = {"scale": "commune", "places": [], "legend": [], "box": None}
    if not len(there):
        return {**empty, "note": "Aucune commune du périmètre n'a de place connue sur la carte."}
    if len(there) > MOST_PLACED:
        count, most = format_number(len(there)), format_number(MOST_PLACED)
        note = f"La carte montre au plus {most} communes ; le périmètre en a {count} : choisissez des départements."
        return {**empty, "note": note}
    points = np.array(places[places.notna()].tolist())
    people = there["population"].fillna(0).clip(lower=0).to_numpy(dtype=np.float64)
    box = _box(points)
    side = max(box["width"], box["height"])
    radii = np.maximum(LARGEST * np.sqrt(people / max(people.max(), 1)), SMALLEST) * side
    values = there["value"].to_numpy(dtype=np.float64)
    unite = found.indicateur.unite
    shades, legend = shades_of(values, unite)
    names, sirets = there["libelle"].tolist(), there["siret"].tolist()
    drawn = [
        {
            "siret": sirets[index],
            "name": names[index],
            "x": round(float(points[index, 0]), 1),
            "y": round(float(points[index, 1]), 1),
            "radius": round(float(radii[index]), 2),
            "shade": int(shades[index]),
            "value": format_value(float(values[index]), unite),
            "people": format_number(people[index]) if people[index] else "",
        }
        # Small discs are drawn over large ones.
        for index in np.argsort(-people, kind="stable").tolist()
    ]
    absent = len(rows) - len(there)
    missing = "collectivités du périmètre ne sont pas" if absent > 1 else "collectivité du périmètre n'est pas"
    cause = "faute d'une place connue (souvent moins de 500 habitants)"
    note = f"{format_number(absent)} {missing} sur la carte, {cause} ; le classement donne tout."
    return {"scale": "commune", "places": drawn, "legend": legend, "box": box, "note": note if absent else ""}


def _box(points: Any) -> dict[str, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.maximum((high - low) * 1.16, LEAST_SIDE)
    corner = (low + high - size) / 2
    named = zip(("x", "y", "width", "height"), [*corner, *size], strict=True)
    return {name: round(float(value), 1) for name, value in named}
