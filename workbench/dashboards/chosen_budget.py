"""A budget that a visitor chose, read from the base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.dgfip import Base, perimetre, select_budgets
from workbench.errors import WorkbenchError

__all__ = ["MOST_CHARACTERS", "Collectivite", "read_collectivite", "unknown_choice"]

MOST_CHARACTERS = 80
"""Characters of a search or of a choice that are read."""


@dataclass(frozen=True)
class Collectivite:
    """A budget that was chosen.

    Parameters
    ----------
    siret
        Fourteen characters.
    libelle
        Its latest label.
    exercices
        Exercices that have comptes, ascending, by nomenclature.
    """

    siret: str
    libelle: str
    exercices: Mapping[str, tuple[int, ...]]


def read_collectivite(base: Base, siret: str) -> Collectivite:
    """Read a budget and its exercices; the SIRET comes from a browser.

    Raises
    ------
    WorkbenchError
        ``choix_inconnu``.
    """
    found: list[dict[str, Any]] = []
    if siret.isalnum() and siret.isascii() and len(siret) == 14:
        found = select_budgets(base, perimetre(sirets=[siret])).to_pylist()
    if not found:
        raise unknown_choice("Collectivité", siret)
    exercices: dict[str, list[int]] = {}
    for budget in found:
        exercices.setdefault(budget["nomenclature"] or "", []).append(budget["exercice"])
    return Collectivite(siret, found[-1]["libelle"], {name: tuple(years) for name, years in exercices.items()})


def unknown_choice(field: str, value: str) -> WorkbenchError:
    """Return the refusal of a choice that is not offered."""
    return WorkbenchError("choix_inconnu", champ=field, valeur=value[:MOST_CHARACTERS])
