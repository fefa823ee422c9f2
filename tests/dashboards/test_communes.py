"""The map by commune: who is placed, how large, how dark, and what is said of who is not."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import workbench as wb
from workbench.dashboards import communes
from workbench.dashboards.communes import commune_map, places_of_communes
from workbench.reports.panorama import Panorama

TOULOUSE, BORDEAUX, PESSAC, ABSENT = "21310555400017", "21330063500017", "21330318300012", "99900006500019"


def seen(rows: list[tuple[str, float | None, float]]) -> Panorama:
    trame = wb.trame_from_formules({"A_B": "C7-D7[TA:BX]"}, nomenclature="M57")
    grid = pd.DataFrame(
        [
            {
                "siret": siret,
                "exercice": 2024,
                "libelle": f"Commune {siret[:9]}",
                "departement": "031",
                "population": float("nan") if people is None else people,
                "etat": "D",
                "value": value,
                "other": float("nan"),
            }
            for siret, people, value in rows
        ]
    )
    return Panorama(trame["A_B"], None, (2024,), grid)


def test_a_disc_is_as_large_as_its_people_and_as_dark_as_its_value() -> None:
    shown = commune_map(seen([(TOULOUSE, 400_000.0, 1.0), (BORDEAUX, 100_000.0, 3.0), (PESSAC, None, 2.0)]), 2024)
    first, second, third = shown["places"]
    assert [one["siret"] for one in shown["places"]] == [TOULOUSE, BORDEAUX, PESSAC]  # small ones over large ones
    assert first["radius"] == pytest.approx(2 * second["radius"], abs=0.02)  # the area, not the radius
    assert 0 < third["radius"] < second["radius"]
    assert first["shade"] < third["shade"] < second["shade"]
    assert third["people"] == ""
    box = shown["box"]
    for one in shown["places"]:
        assert box["x"] < one["x"] < box["x"] + box["width"]
        assert box["y"] < one["y"] < box["y"] + box["height"]
    assert shown["note"] == ""
    json.dumps(shown, allow_nan=False)


def test_who_has_no_place_is_said() -> None:
    shown = commune_map(seen([(TOULOUSE, 400_000.0, 1.0), (ABSENT, 10.0, 2.0)]), 2024)
    assert len(shown["places"]) == 1
    assert shown["note"].startswith("1 collectivité du périmètre n'est pas")
    assert commune_map(seen([(ABSENT, 10.0, 2.0)]), 2024)["places"] == []
    assert "Aucune commune" in commune_map(seen([(ABSENT, 10.0, 2.0)]), 2024)["note"]


def test_a_page_stays_light() -> None:
    sirets = [f"{siren}00015" for siren in list(places_of_communes())[: communes.MOST_PLACED + 1]]
    shown = commune_map(seen([(siret, 1_000.0, float(rank)) for rank, siret in enumerate(sirets)]), 2024)
    assert shown["places"] == []
    assert "choisissez des départements" in shown["note"]
    shown = commune_map(seen([(siret, 1_000.0, float(rank)) for rank, siret in enumerate(sirets[:-1])]), 2024)
    assert len(json.dumps(shown["places"])) < 300_000


def test_communes_are_where_their_departement_is_drawn(project: Path) -> None:
    places = places_of_communes()
    assert len(places) > 14_000
    drawing = json.loads((project / "workbench" / "dashboards" / "static" / "departements.json").read_text())
    assert all(0 < x < drawing["width"] and 0 < y < drawing["height"] for x, y in places.values())
    paris, bordeaux, strasbourg = (places[siren] for siren in ("217500016", "213300635", "216704825"))
    assert bordeaux[0] < paris[0] < strasbourg[0]
    assert paris[1] < bordeaux[1]
    # Saint-Denis de La Réunion is in its frame.
    frame = next(each for each in drawing["frames"] if each["name"] == "La Réunion")
    x, y = places["219740115"]
    assert frame["x"] < x < frame["x"] + drawing["side"]
    assert frame["y"] < y < frame["y"] + drawing["side"]
