"""What every dashboard needs and no visitor changes: done once in the process that kernels are forked from.

Importing the pages reads their scripts and styles; the reference tables are read here. No base is opened: DuckDB has
threads, which do not survive a fork.
"""

from __future__ import annotations

import importlib

from workbench.dgfip import reference

__all__ = ["warm"]

PAGES = (
    "collectivite_page",
    "comparaison_page",
    "depot_page",
    "detection_page",
    "documentation_page",
    "production_page",
    "recherche_page",
    "sheet_page",
    "statistiques_page",
)


def warm() -> None:
    """Import the pages and read the reference tables."""
    for name in PAGES:
        importlib.import_module(f"workbench.dashboards.{name}")
    reference.departements()
    reference.types_etablissement()
    reference.types_budget()
    reference.nomenclatures()
    reference.nomenclatures_repliees()
