"""What a formule says of a whole base, while it is being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.dgfip import Base, Perimetre
from workbench.dgfip import perimetre as make_perimetre
from workbench.dgfip.cells import Cells, prepare_cells
from workbench.errors import WorkbenchError
from workbench.evaluation.each import Selection, values_of_blocks
from workbench.evaluation.plan import compile_trame
from workbench.formules import parse_formule
from workbench.formules.tree import Reference, walk
from workbench.trames import Trame, serie_of, trame_from_formules, trames_of

__all__ = ["Preview", "preview"]

_CODE = "APERCU_FORMULE"
_QUANTILES = (0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99)
_BINS = 40
_EXTREMES = 5


@dataclass(frozen=True)
class Preview:
    """What a formule gives over a base.

    Parameters
    ----------
    budgets
        Budget-years evaluated.
    sans_comptes
        Those that have none of the comptes that the formule names.
    nuls
        Those whose value is 0, the former included.
    quantiles
        Level to value over all budget-years but those without comptes: the smallest value that at
        least this part of them does not exceed.
    bornes, effectifs
        Histogram of the same between the first and last quantile: edges, shape (n + 1,), and counts,
        shape (n,); values beyond the edges are counted in the first and last bars.
    plus_bas, plus_hauts
        Extremes: siret, exercice, libelle, value, most extreme first.
    valeurs
        siret, exercice, value of the chosen collectivités.
    """

    budgets: int
    sans_comptes: int
    nuls: int
    quantiles: Mapping[float, float]
    bornes: npt.NDArray[np.float64]
    effectifs: npt.NDArray[np.int64]
    plus_bas: pd.DataFrame
    plus_hauts: pd.DataFrame
    valeurs: pd.DataFrame


def preview(
    formule: str,
    base: Base,
    *,
    trame: Trame | None = None,
    sirets: Sequence[str] = (),
    perimetre: Perimetre | None = None,
    exercices: Sequence[int] | None = None,
) -> Preview:
    """Evaluate a formule over a whole base and say how its values are spread.

    Parameters
    ----------
    formule
        Text of a formule.
    base
        An open base; its column blocks are made the first time.
    trame
        Where the indicateurs that the formule refers to are found; its nomenclature is that of the
        budgets kept.
    sirets
        Collectivités whose values are wanted beside.
    perimetre
        Other criteria; None for the whole base.
    exercices
        The period; None for all exercices of the base.

    Returns
    -------
    Preview
        Distribution, extremes, budget-years without comptes, values of the chosen collectivités.

    Raises
    ------
    FormuleSyntaxError
        When the formule is not of the language.
    WorkbenchError
        ``indicateur_inconnu``; ``cellules_absentes`` when no folder receives the blocks.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> seen = preview("C70[TA:BX]", base, sirets=[demonstration_siret])
    >>> seen.budgets > 0, list(seen.quantiles)[4], set(seen.valeurs["siret"]) == {demonstration_siret}
    (True, 0.5, True)
    """
    plan = compile_trame(_with_references(formule, trame))
    cells = prepare_cells(base)
    if cells is None:
        raise WorkbenchError("cellules_absentes", chemin=base.url)
    chosen = perimetre or make_perimetre()
    if chosen.nomenclature is None and trame is not None and trame.nomenclature:
        chosen = make_perimetre(**{**vars(chosen), "nomenclature": trame.nomenclature})
    selection = Selection(cells, chosen, None if exercices is None else list(exercices))
    output = plan.codes.index(_CODE)
    positions, values, present = [], [], []
    for rows, outputs in values_of_blocks(plan, cells, selection, presence=True):
        positions.append(rows)
        values.append(outputs[output])
        present.append(outputs[-1])
    if not positions:
        return _summary(cells, np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=bool), sirets)
    return _summary(
        cells, np.concatenate(positions), np.concatenate(values), np.concatenate(present).astype(bool), sirets
    )


def _summary(
    cells: Cells,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    present: npt.NDArray[np.bool_],
    sirets: Sequence[str],
) -> Preview:
    ranked = np.sort(values[present])
    count = len(ranked)
    levels = [ranked[max(int(np.ceil(level * count)) - 1, 0)] for level in _QUANTILES] if count else []
    edges = np.linspace(levels[0], levels[-1], _BINS + 1) if count else np.zeros(_BINS + 1)
    inner = np.searchsorted(ranked, edges[1:-1], side="left")
    effectifs = np.diff(np.concatenate([[0], inner, [count]])).astype(np.int64)
    low, high = (ranked[min(_EXTREMES, count) - 1], ranked[-min(_EXTREMES, count)]) if count else (0.0, 0.0)
    lowest = np.flatnonzero(present & (values <= low))
    highest = np.flatnonzero(present & (values >= high))
    lowest = lowest[np.argsort(values[lowest], kind="stable")][:_EXTREMES]
    highest = highest[np.argsort(-values[highest], kind="stable")][:_EXTREMES]
    return Preview(
        budgets=len(values),
        sans_comptes=len(values) - count,
        nuls=int(np.count_nonzero(values == 0)),
        quantiles=dict(zip(_QUANTILES, (float(level) for level in levels), strict=False)),
        bornes=edges,
        effectifs=effectifs,
        plus_bas=_named(cells, rows[lowest], values[lowest]),
        plus_hauts=_named(cells, rows[highest], values[highest]),
        valeurs=_of_sirets(cells, rows, values, sirets),
    )


def _of_sirets(
    cells: Cells, rows: npt.NDArray[np.int64], values: npt.NDArray[np.float64], sirets: Sequence[str]
) -> pd.DataFrame:
    known, unit = cells.descriptions.sirets, cells.descriptions.unit
    parts = []
    for siret in dict.fromkeys(str(each) for each in sirets):
        number = int(np.searchsorted(known, siret))
        if number < len(known) and known[number] == siret:
            # Rows are sorted by SIRET: those of one are a slice.
            first, last = np.searchsorted(unit, [number, number + 1])
            low, high = np.searchsorted(rows, [first, last])
            parts.append(np.arange(low, high))
    taken = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    return _named(cells, rows[taken], values[taken])


def _named(cells: Cells, rows: npt.NDArray[np.int64], values: npt.NDArray[np.float64]) -> pd.DataFrame:
    described = cells.descriptions
    return pd.DataFrame(
        {
            "siret": described.sirets[described.unit[rows]].astype(object),
            "exercice": described.exercice[rows],
            "libelle": described.table["libelle"].take(rows).to_pylist(),
            "value": values,
        }
    )


def _with_references(formule: str, trame: Trame | None) -> Trame:
    """The formule and the indicateurs it reads, through others or not, in each trame of a serie."""
    if trame is None:
        return trame_from_formules({_CODE: formule})
    parts = [
        trame_from_formules(_needed(formule, part, trame), nomenclature=part.nomenclature, code=part.code)
        for part in trames_of(trame)
    ]
    return parts[0] if len(parts) == 1 else serie_of(parts, code=trame.code)


def _needed(formule: str, part: Trame, whole: Trame) -> dict[str, str]:
    needed = {_CODE: formule}
    todo = [parse_formule(formule)]
    while todo:
        for segment in todo.pop().segments:
            for node in walk(segment.expression):
                if not isinstance(node, Reference) or node.indicateur in needed:
                    continue
                if node.indicateur in part:
                    needed[node.indicateur] = part[node.indicateur].texte
                    todo.append(part[node.indicateur].tree)
                elif node.indicateur in whole:
                    # Defined for other nomenclatures only: worth 0 here.
                    needed[node.indicateur] = "0"
    return needed
