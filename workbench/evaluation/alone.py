"""The explanation of one value among those of `evaluate_each`, without evaluating the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import select

from workbench.dgfip import Base, Perimetre, select_budgets
from workbench.dgfip import perimetre as make_perimetre
from workbench.dgfip.schema import collectivites
from workbench.errors import WorkbenchError
from workbench.evaluation.evaluate import (
    OF_THE_TRAME,
    NomenclatureFilter,
    chosen_perimetre,
    evaluate,
    require_arguments,
)
from workbench.evaluation.exercices import wanted_exercices
from workbench.evaluation.explain import Explanation, explain
from workbench.evaluation.part import part_of
from workbench.trames import Trame

__all__ = ["explain_each"]


def explain_each(
    trame: Trame,
    base: Base,
    siret: str,
    code: str,
    exercice: int | str,
    *,
    perimetre: Perimetre | None = None,
    exercices: Iterable[int | str] | int | str | None = None,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
) -> Explanation:
    """Say where one value of `evaluate_each` comes from; only this collectivité is read.

    Parameters
    ----------
    trame, base, perimetre, exercices, nomenclature
        What `evaluate_each` was given; exercices None for all those of the base. The period matters
        to offsets, which count 0 when they leave it.
    siret, code, exercice
        The value: a collectivité, an indicateur, an exercice.

    Returns
    -------
    Explanation
        As `explain` gives; its value is that of `evaluate_each`, exactly where the formule is linear.

    Raises
    ------
    WorkbenchError
        ``budget_absent`` when `evaluate_each` gives no such value, the perimeter leaving this
        budget-year out or the base having no accounts of it; ``indicateur_absent``; as `evaluate`.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> grid = wb.evaluate_each(trame, base, exercices=[2024]).to_pandas().set_index("siret")
    >>> why = wb.explain_each(trame, base, demonstration_siret, "A_PRODUITS", 2024)
    >>> bool(why.value == grid.at[demonstration_siret, "value"])
    True
    """
    require_arguments(trame, base, perimetre, nomenclature)
    year = wanted_exercices(exercice)[0]
    part = part_of(trame, [code])
    own = make_perimetre(sirets=siret)
    wanted = _known(base, own) if exercices is None else wanted_exercices(exercices)
    kept = _kept(base, chosen_perimetre(trame, perimetre, nomenclature), own, wanted)
    if year not in kept:
        raise WorkbenchError("budget_absent", siret=siret, exercice=year)
    # The perimeter has chosen: what it left out in some exercices is left out of the period too.
    table = evaluate(part, base, exercices=kept, perimetre=own, nomenclature=None)
    provenance = replace(
        table.provenance,
        trame=trame,
        nomenclature=chosen_perimetre(trame, perimetre, nomenclature).nomenclature,
        exercices_demandes=(wanted[0], wanted[-1]),
    )
    table.provenance = provenance
    return explain(table, code, year)


def _known(base: Base, own: Perimetre) -> list[int]:
    described = collectivites.c
    statement = select(described.exercice).where(described.siret.in_(own.sirets or ())).distinct()
    return sorted(base.fetch(statement)["exercice"].to_pylist()) or [0]


def _kept(base: Base, chosen: Perimetre, own: Perimetre, wanted: list[int]) -> list[int]:
    """The exercices in which a perimeter holds one budget."""
    # Identifiers of a perimeter add up, so that one more would widen it: this budget takes their place.
    alone = replace(chosen, sirets=own.sirets, sirens=None, finess=None)
    kept = set(select_budgets(base, alone, wanted)["exercice"].to_pylist())
    if chosen.sirets is None and chosen.sirens is None and chosen.finess is None:
        return sorted(kept)
    named = {
        siret for siret in own.sirets or () if siret in (chosen.sirets or ()) or siret[:9] in (chosen.sirens or ())
    }
    if named:
        return sorted(kept)
    described = collectivites.c
    statement = select(described.exercice).where(
        described.siret.in_(own.sirets or ()), described.finess.in_(chosen.finess or ())
    )
    return sorted(kept & set(base.fetch(statement)["exercice"].to_pylist()))
