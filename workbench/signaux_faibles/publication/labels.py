"""Labels that screens need whatever the rights: activities, procedures, régions, départements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.history.sirene_views import SECTIONS
from workbench.signaux_faibles.publication.objects import REFERENCE
from workbench.signaux_faibles.publication.territories import DEPARTEMENTS, FORMER_REGIONS, REGIONS
from workbench.signaux_faibles.variables.naf import read_naf
from workbench.store import Reader, Store

__all__ = ["PROCEDURES", "label_sheets", "published_activities", "published_reference", "read_activities"]

LEAVES = 5
"""The level of the NAF that activities are of."""

PROCEDURES = {
    "in_bonis": "In bonis",
    "plan_continuation": "Plan de redressement",
    "sauvegarde": "Sauvegarde",
    "plan_sauvegarde": "Plan de sauvegarde",
    "redressement": "Redressement judiciaire",
    "liquidation": "Liquidation judiciaire",
}
"""What ``etat_procol`` may be."""


def read_activities(folder: str | Path) -> dict[str, str]:
    """Read the labels of activities, by code without point, from the files of INSEE's nomenclature.

    Raises
    ------
    WorkbenchError
        ``fichier_illisible``.
    """
    rows = read_naf(folder).to_pylist()
    return {row["code"].replace(".", ""): row["libelle"] for row in rows if row["niveau"] == LEAVES}


def published_reference(store: Store, reader: Reader, kind: str) -> list[dict[str, Any]]:
    """Return the objects of a type of the bucket ``reference``, none when none was published."""
    try:
        return store.get(reader, REFERENCE, {"type": kind})
    except WorkbenchError as error:
        if error.code != "sans_donnees":
            raise
        return []


def published_activities(store: Store, reader: Reader) -> dict[str, str]:
    """Return the labels of activities that were published, by code with its point."""
    return {
        code: label
        for each in published_reference(store, reader, "naf")
        for code, label in (each["value"].get("codes") or {}).items()
    }


def label_sheets(activities: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Give the labels as sheets of the bucket ``reference``.

    Parameters
    ----------
    activities
        Labels of the NAF by code with its point; those of the sections are known.
    """
    values: dict[str, dict[str, Any]] = {
        "naf": {"sections": {letter: label for letter, (_, _, label) in SECTIONS.items()}, "codes": dict(activities)},
        "procol": {"libelles": PROCEDURES},
        "regions": {
            "regions": {name: list(codes) for name, codes in REGIONS.items()},
            "anciennes": {name: list(codes) for name, codes in FORMER_REGIONS.items()},
        },
        "departements": {"libelles": dict(DEPARTEMENTS)},
    }
    for name, value in values.items():
        yield {"key": {"type": name}, "scope": [], "value": value}
