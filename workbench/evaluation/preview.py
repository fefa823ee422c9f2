"""What a formule says of a whole base, while it is being written."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.dgfip import Base, Perimetre
from workbench.dgfip import perimetre as make_perimetre
from workbench.dgfip.cells import Cells, prepare_cells
from workbench.display import facts, frame_table, html_table, view
from workbench.errors import WorkbenchError
from workbench.evaluation.each import Selection, values_of_column
from workbench.evaluation.plan import Plan, compile_trame
from workbench.formules import parse_formule
from workbench.formules.tree import Reference, walk
from workbench.numbers import format_number
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

    def __str__(self) -> str:
        said = ", ".join(f"{level:.0%} {format_number(value, 2)}" for level, value in self.quantiles.items())
        counts = f"{format_number(self.budgets)} budgets-exercices, {format_number(self.sans_comptes)} sans ces comptes"
        return f"{counts}, {format_number(self.nuls)} nuls\nQuantiles : {said or 'aucun'}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        quantiles = [(f"{level:.0%}".replace("%", "\u00a0%"), value) for level, value in self.quantiles.items()]
        return view(
            facts([("Valeurs", str(self).partition("\n")[0])]),
            html_table(("Quantile", "Valeur"), quantiles, caption="Répartition") if quantiles else "",
            frame_table(self.plus_bas, caption="Les plus bas"),
            frame_table(self.plus_hauts, caption="Les plus hauts"),
            frame_table(self.valeurs, caption="Collectivités choisies") if len(self.valeurs) else "",
        )


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
    from workbench.evaluation.spread import CLASSES, count_leading_bits

    plan = _formule_alone(compile_trame(_with_references(formule, trame)))
    cells = prepare_cells(base)
    if cells is None:
        raise WorkbenchError("cellules_absentes", chemin=base.url)
    chosen = perimetre or make_perimetre()
    if chosen.nomenclature is None and trame is not None and trame.nomenclature:
        chosen = make_perimetre(**{**vars(chosen), "nomenclature": trame.nomenclature})
    selection = Selection(cells, chosen, None if exercices is None else list(exercices), base)
    counts: dict[int, npt.NDArray[np.int64]] = {}

    def count(values: npt.NDArray[np.float64], present: npt.NDArray[np.bool_]) -> None:
        own = counts.setdefault(threading.get_ident(), np.zeros(CLASSES, dtype=np.int64))
        count_leading_bits(values, present, own)

    values, present = values_of_column(plan, cells, selection, count)
    total = np.sum(list(counts.values()), axis=0) if counts else np.zeros(CLASSES, dtype=np.int64)
    return _summary(cells, selection.taken, values, present, total, sirets)


@lru_cache(maxsize=64)
def _formule_alone(plan: Plan) -> Plan:
    output = plan.codes.index(_CODE)
    return replace(plan, codes=(_CODE,), outputs=(plan.outputs[output],))


def _summary(
    cells: Cells,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    present: npt.NDArray[np.bool_],
    counts: npt.NDArray[np.int64],
    sirets: Sequence[str],
) -> Preview:
    from workbench.evaluation.spread import ZERO, histogram_and_extremes, ranked

    count = int(counts[:-1].sum())
    ranks = [max(int(np.ceil(level * count)) - 1, 0) for level in _QUANTILES] if count else []
    ends = [min(_EXTREMES, count) - 1, count - min(_EXTREMES, count)] if count else []
    of_ranks = ranked(values, present, counts, ranks + ends)
    levels, (low, high) = of_ranks[: len(ranks)], of_ranks[len(ranks) :] if count else (0.0, 0.0)
    edges = np.linspace(levels[0], levels[-1], _BINS + 1) if count else np.zeros(_BINS + 1)
    bars, lowest, highest = histogram_and_extremes(values, present, edges, low, high, _EXTREMES)
    return Preview(
        budgets=len(values),
        sans_comptes=len(values) - count,
        nuls=int(counts[ZERO] + counts[-1]),
        quantiles=dict(zip(_QUANTILES, (float(level) for level in levels), strict=False)),
        bornes=edges,
        effectifs=bars,
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
