"""The files of a detection list: what is seen of it, no more, in the columns that agents know (specification 8.1)."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from workbench.dashboards.detection import DetectionView
from workbench.dashboards.detection_row import LEVELS, level_of
from workbench.dashboards.documents import CSV, Document
from workbench.reports.excel_detection import write_detection

__all__ = ["list_csv", "list_workbook"]

CSV_COLUMNS = (
    "batch", "siren", "siret", "departement", "raison_sociale", "dernier_effectif", "code_activite",
    "libelle_activite", "score", "alert",
)  # fmt: skip

_RENAMED = {"code_activite": "activite"}

HEADS = (
    ("Liste", 14), ("Siren", 12), ("Siret", 16), ("Département", 12), ("Raison sociale", 40),
    ("Dernier effectif entreprise", 14), ("Code activité", 12), ("Libellé activité", 40), ("Niveau", 24),
    ("Première alerte", 14), ("Exercice", 10), ("CA (k€)", 12), ("EBE (k€)", 12),
    ("Résultat d'exploitation (k€)", 14), ("Procédure collective", 26), ("Établissement", 14),
)  # fmt: skip


def list_csv(view: DetectionView) -> Document:
    """Return the list as CSV, every cell quoted; a value that is not visible is empty, as one that is not known."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for each in view.exported():
        facts: Mapping[str, Any] = {**each["value"], **each["key"]}
        writer.writerow([_cell(facts.get(_RENAMED.get(name, name))) for name in CSV_COLUMNS])
    return Document("liste.csv", text.getvalue().encode("utf-8-sig"), CSV)


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    # A spreadsheet would run it.
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def list_workbook(view: DetectionView) -> Document:
    """Return the list as a workbook: data and what it was chosen by."""
    name = "liste.xlsx"
    with tempfile.TemporaryDirectory() as folder:
        path = write_detection(HEADS, _rows(view), view.parameters(), Path(folder) / name)
        return Document(name, path.read_bytes())


def _rows(view: DetectionView) -> Iterable[list[Any]]:
    for each in view.exported():
        key, value = each["key"], each["value"]
        first = value.get("premiere_alerte")
        yield [
            view.list_label,
            key.get("siren"),
            key.get("siret"),
            value.get("departement"),
            value.get("raison_sociale"),
            value.get("dernier_effectif"),
            value.get("activite"),
            value.get("libelle_activite"),
            LEVELS[level_of(value)][0],
            "" if first is None else "oui" if first else "non",
            value.get("annee_ca"),
            value.get("ca"),
            value.get("excedent_brut_d_exploitation"),
            value.get("resultat_expl"),
            view.procedure(value.get("etat_procol")),
            {"A": "ouvert", "F": "fermé"}.get(value.get("etat_administratif"), ""),
        ]
