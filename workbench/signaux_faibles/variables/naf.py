"""The nomenclature of activities (NAF rév. 2): sections by code, labels from INSEE's files where they are given."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa

from workbench.errors import WorkbenchError

__all__ = ["LABELS", "SECTIONS", "naf_tables", "read_naf"]

SECTIONS = {
    "A": (1, 3),
    "B": (5, 9),
    "C": (10, 33),
    "D": (35, 35),
    "E": (36, 39),
    "F": (41, 43),
    "G": (45, 47),
    "H": (49, 53),
    "I": (55, 56),
    "J": (58, 63),
    "K": (64, 66),
    "L": (68, 68),
    "M": (69, 75),
    "N": (77, 82),
    "O": (84, 84),
    "P": (85, 85),
    "Q": (86, 88),
    "R": (90, 93),
    "S": (94, 96),
    "T": (97, 98),
    "U": (99, 99),
}
"""First and last divisions of each section."""
LABELS = "variables_naf"
"""The table of labels: ``niveau`` from 1 (sections) to 5, ``code``, ``libelle``."""


def read_naf(folder: str | Path) -> pa.Table:
    """Read the labels of the five levels, files ``naf1.csv`` to ``naf5.csv`` as INSEE's nomenclature has them.

    Parameters
    ----------
    folder
        Where they are; the first column is a code without dot, the second its label, ``;`` between them.

    Returns
    -------
    pyarrow.Table
        ``niveau``, ``code``, ``libelle``.

    Raises
    ------
    WorkbenchError
        ``fichier_illisible``.
    """
    rows: list[tuple[int, str, str]] = []
    for level in range(1, 6):
        path = Path(folder) / f"naf{level}.csv"
        try:
            with path.open(encoding="utf-8-sig", newline="") as stream:
                lines = list(csv.reader(stream, delimiter=";"))[1:]
        except (OSError, UnicodeError, csv.Error) as error:
            raise WorkbenchError("fichier_illisible", fichier=str(path), detail=str(error)) from error
        rows += [(level, line[0].strip(), line[1].strip()) for line in lines if len(line) > 1]
    return _table(list(dict.fromkeys(rows)))


def naf_tables(labels: pa.Table | None) -> dict[str, pa.Table]:
    """Return the table that statements name; empty when no labels are given."""
    return {LABELS: _table([]) if labels is None else labels}


def _table(rows: list[tuple[int, str, str]]) -> pa.Table:
    return pa.table(
        {
            "niveau": pa.array([level for level, _, _ in rows], pa.int32()),
            "code": pa.array([code for _, code, _ in rows], pa.string()),
            "libelle": pa.array([label for _, _, label in rows], pa.string()),
        }
    )
