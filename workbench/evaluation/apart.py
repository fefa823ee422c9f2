"""Evaluation of a trame for some collectivités, a table for each, in one plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from workbench.dgfip import Base, Perimetre, select_budgets
from workbench.dgfip.schema import AMOUNTS
from workbench.evaluation.each import evaluate_each_batches
from workbench.evaluation.evaluate import OF_THE_TRAME, NomenclatureFilter, chosen_perimetre, frame_of, warnings_of
from workbench.evaluation.exercices import wanted_exercices
from workbench.evaluation.plan import compile_trame
from workbench.evaluation.results import IndicateurTable, Provenance
from workbench.trames import Trame

__all__ = ["evaluate_apart"]

_WITHOUT_CELLS = pa.schema(
    [
        ("groupe", pa.int64()),
        ("exercice", pa.int64()),
        ("compte", pa.string()),
        *((name, pa.int64()) for name in AMOUNTS),
    ]
)


def evaluate_apart(
    trame: Trame,
    base: Base,
    perimetre: Perimetre | None,
    exercices: Iterable[int | str] | int | str,
    *,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
) -> Iterator[tuple[str, IndicateurTable]]:
    """Evaluate a trame for each collectivité of a perimeter, as `evaluate` would one by one, but all at once.

    Parameters
    ----------
    trame, base, perimetre, exercices, nomenclature
        As for `workbench.evaluate_each`.

    Yields
    ------
    tuple of str and IndicateurTable
        SIRET and table, in the order of SIRETs; none for a SIRET without accounts. The figures are those of
        `workbench.evaluate`; their provenance holds no sums of comptes, so that nothing is explained from it.

    Raises
    ------
    WorkbenchError, FormuleSyntaxError
        As for `evaluate`.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> siret, table = next(evaluate_apart(trame, base, wb.perimetre(types=["101"]), range(2020, 2100)))
    >>> len(siret), table.index.tolist()
    (14, ['A_PRODUITS'])
    """
    plan = compile_trame(trame)
    wanted = wanted_exercices(exercices)
    chosen = chosen_perimetre(trame, perimetre, nomenclature)
    budgets = select_budgets(base, chosen, wanted).sort_by([("siret", "ascending"), ("exercice", "ascending")])
    frame = frame_of(budgets)
    sirets = frame["siret"].to_numpy(dtype=str)
    index = pd.Index(plan.codes, name="indicateur", dtype="str")
    nothing = _WITHOUT_CELLS.empty_table()
    for batch in evaluate_each_batches(trame, base, perimetre, wanted, nomenclature=nomenclature, layout="wide"):
        names = batch.column("siret").cast(pa.string()).to_numpy(zero_copy_only=False).astype(str)
        values = np.vstack([batch.column(place).to_numpy() for place in range(2, batch.num_columns)])
        years = batch.column("exercice").to_numpy()
        firsts = np.flatnonzero(np.r_[len(names) > 0, names[1:] != names[:-1]]).tolist()
        for first, end in zip(firsts, [*firsts[1:], len(names)], strict=True):
            siret = str(names[first])
            low, high = np.searchsorted(sirets, siret, "left"), np.searchsorted(sirets, siret, "right")
            present = tuple(int(year) for year in years[first:end])
            table = IndicateurTable(
                values[:, first:end], index=index, columns=pd.Index(present, name="exercice", dtype="int64")
            )
            table.provenance = Provenance(
                trame=trame,
                base=base.url,
                snapshot=base.snapshot,
                budgets=budgets.slice(low, high - low),
                exercices_demandes=(wanted[0], wanted[-1]),
                exercices=present,
                nomenclature=chosen.nomenclature,
                avertissements=tuple(warnings_of(trame, plan, chosen, frame.iloc[low:high])),
                cells=nothing,
            )
            yield siret, table
