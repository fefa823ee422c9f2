"""Figures that prove a base: evaluated when it is saved, and again when it is restored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from workbench.dgfip import Base, connect
from workbench.dgfip.schema import budgets, collectivites
from workbench.errors import WorkbenchError
from workbench.evaluation import evaluate
from workbench.trames import load_trame

__all__ = ["check_figures", "figures_of"]

MOST_TRAMES = 3
EXERCICES = 3
"""Latest exercices of a budget that are evaluated."""


def figures_of(base: str | Path, trames: Path) -> list[dict[str, Any]]:
    """Evaluate some trames of a folder for one budget each.

    Parameters
    ----------
    base
        Address of the base.
    trames
        Folder of the trames; those whose nomenclature no budget follows are passed over.

    Returns
    -------
    list of dict
        ``trame`` (file name), ``siret``, ``exercices``, ``values``: those of each indicateur, in its unit, one an
        exercice; empty without budget or trame.
    """
    found: list[dict[str, Any]] = []
    with connect(base) as opened:
        for path in sorted(trames.glob("*.yaml")):
            if len(found) == MOST_TRAMES:
                break
            try:
                trame = load_trame(path)
                chosen = _budget(opened, getattr(trame, "nomenclature", None))
                if chosen is not None:
                    figures = {"trame": path.name, "siret": chosen[0], "exercices": chosen[1]}
                    found.append(figures | {"values": _values(opened, trame, *chosen)})
            except WorkbenchError:
                continue  # a trame that is being written proves nothing
    return found


def _budget(base: Base, nomenclature: str | None) -> tuple[str, list[int]] | None:
    """Return the budget of a nomenclature that has most rows, and its latest exercices."""
    same = (collectivites.c.siret == budgets.c.siret) & (collectivites.c.exercice == budgets.c.exercice)
    rows = select(budgets.c.siret).join(collectivites, same).where(collectivites.c.nomenclature == nomenclature)
    most = rows.group_by(budgets.c.siret).order_by(func.sum(budgets.c.lignes).desc(), budgets.c.siret).limit(1)
    chosen = base.fetch(most)["siret"].to_pylist()
    if not chosen:
        return None
    years = select(budgets.c.exercice).join(collectivites, same).where(budgets.c.siret == chosen[0])
    years = years.where(collectivites.c.nomenclature == nomenclature).order_by(budgets.c.exercice.desc())
    return chosen[0], sorted(base.fetch(years.limit(EXERCICES))["exercice"].to_pylist())


def _values(base: Base, trame: Any, siret: str, exercices: Sequence[int]) -> dict[str, list[float]]:
    table = evaluate(trame, base, sirets=[siret], exercices=exercices)
    return {str(code): [float(value) for value in row] for code, row in zip(table.index, table.to_numpy(), strict=True)}


def check_figures(base: str | Path, trames: Path, expected: Sequence[Mapping[str, Any]]) -> int:
    """Evaluate again; return how many figures were found to be the same.

    Raises
    ------
    WorkbenchError
        ``restauration_figures`` for the first that differs.
    """
    count = 0
    with connect(base) as opened:
        for each in expected:
            trame = load_trame(trames / each["trame"])
            given = _values(opened, trame, each["siret"], each["exercices"])
            for code in each["values"].keys() | given.keys():
                told, now = each["values"].get(code, []), given.get(code, [])
                if len(told) != len(now) or not all(map(_same, told, now)):
                    raise WorkbenchError("restauration_figures", trame=each["trame"], indicateur=code)
                count += len(told)
    return count


def _same(one: float, other: float) -> bool:
    # Powers may differ by their last digit from one processor to another; sums and quotients do not.
    return math.isclose(one, other, rel_tol=1e-12, abs_tol=0)
