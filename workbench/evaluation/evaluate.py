"""Evaluation of a trame over a perimeter taken as one body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from workbench.dgfip import Base, Perimetre, keeps_nomenclature, select_budgets, sum_comptes
from workbench.dgfip import perimetre as make_perimetre
from workbench.dgfip.schema import AMOUNTS
from workbench.dgfip.selection import Codes
from workbench.errors import require_kind
from workbench.evaluation import kernel
from workbench.evaluation.exercices import wanted_exercices
from workbench.evaluation.forms import ALL, Condition
from workbench.evaluation.plan import Plan, compile_trame
from workbench.evaluation.results import IndicateurTable, Provenance
from workbench.formules.tree import Variable, walk
from workbench.trames import Serie, Trame, trames_of

__all__ = [
    "OF_THE_TRAME",
    "Held",
    "NomenclatureFilter",
    "accepted",
    "cells_of",
    "chosen_perimetre",
    "evaluate",
    "frame_of",
    "groups_of",
    "hold",
    "kind_of_budget",
    "population_of",
    "presence_of",
    "require_arguments",
    "warnings_of",
]


_TRAITS = ["kind", "type_etablissement", "nomenclature"]
"""What conditions look at in a budget."""


class _Default(Enum):
    OF_THE_TRAME = "of the trame"


OF_THE_TRAME: Final = _Default.OF_THE_TRAME
"""Filter on the nomenclature that the trame names."""

NomenclatureFilter = str | None | Literal[_Default.OF_THE_TRAME]


def evaluate(
    trame: Trame,
    base: Base,
    *,
    exercices: Iterable[int | str] | int | str,
    sirets: Codes | None = None,
    sirens: Codes | None = None,
    finess: Codes | None = None,
    perimetre: Perimetre | None = None,
    nomenclature: NomenclatureFilter = OF_THE_TRAME,
    types: Codes | None = None,
) -> IndicateurTable:
    """Evaluate a trame over a perimeter taken as one body: comptes are summed, then formules read.

    Parameters
    ----------
    trame
        What to compute. Of a `Serie`, each budget is read, exercice by exercice, with the trame of the
        nomenclature that it then kept its accounts under.
    base
        An open accounting base.
    exercices
        The period, or a single exercice; those without figures are left out of the result. An offset
        that leaves the period counts 0.
    sirets, sirens, finess
        Identifiers; all budgets of a SIREN or of a FINESS number.
    perimetre
        Other criteria, instead of or in addition to identifiers.
    nomenclature
        Keep the (siret, exercice) pairs of this nomenclature: the trame's by default, None for all (of
        a serie, for all those of its trames).
    types
        Keep these establishment types only (``["101"]``).

    Returns
    -------
    IndicateurTable
        A float64 DataFrame: one row an indicateur, in the order of the trame, one int column an
        exercice present in the base, in the unit of each indicateur (euros unless it says
        otherwise). An absent compte counts 0, as does a quotient by zero. Without any budget
        retained it has no column, and its provenance says why.

    Raises
    ------
    WorkbenchError
        ``indicateur_inconnu`` or ``cycle_indicateurs``; ``exercices_vides`` without exercice,
        ``exercice_invalide`` for what is no year; ``argument_inattendu`` for what is no trame, base,
        perimeter or nomenclature.
    FormuleSyntaxError
        When a formule is not of the language.

    Notes
    -----
    Functional specification, sections 3.1 to 3.5 and 5.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> table = wb.evaluate(trame, base, sirets=[demonstration_siret], exercices=range(2020, 2100))
    >>> table.index.tolist(), table.dtypes.unique().tolist()
    (['A_PRODUITS'], [dtype('float64')])
    """
    require_arguments(trame, base, perimetre, nomenclature)
    plan = compile_trame(trame)
    wanted = wanted_exercices(exercices)
    given = make_perimetre(sirets=sirets, sirens=sirens, finess=finess, types=types)
    chosen = chosen_perimetre(trame, perimetre, nomenclature, given)
    held = hold(base, chosen, wanted, apart=bool(plan.conditions() - {ALL}))
    values = held.values(plan)
    table = IndicateurTable(
        values.T,
        index=pd.Index(plan.codes, name="indicateur", dtype="str"),
        columns=pd.Index(held.exercices, name="exercice", dtype="int64"),
    )
    table.provenance = Provenance(
        trame=trame,
        base=base.url,
        snapshot=base.snapshot,
        budgets=held.budgets,
        exercices_demandes=(wanted[0], wanted[-1]),
        exercices=held.exercices,
        nomenclature=chosen.nomenclature,
        avertissements=tuple(warnings_of(trame, plan, chosen, held.frame)),
        cells=held.cells,
        figures=table.to_numpy(copy=True),
    )
    return table


@dataclass(frozen=True, eq=False)
class Held:
    """The accounts of a perimeter taken as one body, in memory; `hold` reads them.

    Parameters
    ----------
    budgets, frame
        The budgets, and the same with the kind of each.
    parts
        The traits that conditions look at, one row a group of budgets.
    sums
        Cents by exercice, compte and group.
    """

    budgets: pa.Table
    frame: pd.DataFrame
    parts: pd.DataFrame
    sums: pa.Table

    @cached_property
    def exercices(self) -> tuple[int, ...]:
        """The exercices that have accounts, ascending."""
        return tuple(sorted({int(exercice) for exercice in self.frame["exercice"]}))

    @property
    def cells(self) -> pa.Table:
        """The sums, with the traits of each group."""
        groupe = self.sums["groupe"].to_numpy()
        table = self.sums
        for name in _TRAITS:
            table = table.append_column(name, pa.array(self.parts[name].to_numpy()[groupe].tolist(), pa.string()))
        return table

    def values(self, plan: Plan) -> npt.NDArray[np.float64]:
        """Run a plan; its conditions need groups held apart. Shape (exercices, outputs of the plan)."""
        present = np.array(self.exercices, dtype=np.int64)
        rows = kernel.Rows(unit=np.zeros(len(present), dtype=np.int64), exercice=present)
        row_of_budget = np.searchsorted(present, self.frame["exercice"].to_numpy(dtype=np.int64))
        groupe = self.sums["groupe"].to_numpy()
        conditional = plan.conditions() - {ALL}
        selected = {condition: accepted(self.parts, condition)[groupe] for condition in conditional}
        cells = cells_of(self.sums, np.searchsorted(present, self.sums["exercice"].to_numpy()), selected)
        population = population_of(plan, self.frame, row_of_budget, len(present))
        return kernel.run(plan, rows, cells, population, presence_of(plan, self.frame, row_of_budget, len(present)))


def hold(base: Base, chosen: Perimetre, wanted: Sequence[int], *, apart: bool) -> Held:
    """Read the accounts of a perimeter; ``apart`` keeps those of each kind of budget to themselves."""
    budgets = select_budgets(base, chosen, wanted)
    frame = frame_of(budgets)
    if apart:
        parts = frame[_TRAITS].drop_duplicates().reset_index(drop=True)
        frame["groupe"] = _positions(frame, parts, _TRAITS)
    else:
        parts = pd.DataFrame({name: [""] for name in _TRAITS})
        frame["groupe"] = 0
    return Held(budgets, frame, parts, sum_comptes(base, groups_of(frame)))


def kind_of_budget(type_budget: str | None) -> str:
    """Return ``"BP"`` for a budget principal or principal rattaché, ``"BA"`` for an annexe, else nothing.

    Examples
    --------
    >>> [kind_of_budget(code) for code in ("1", "2", "3", "4", None)]
    ['BP', 'BP', 'BA', 'BA', '']
    """
    return {"1": "BP", "2": "BP", "3": "BA", "4": "BA"}.get(type_budget or "", "")


def require_arguments(trame: object, base: object, perimetre: object, nomenclature: object) -> None:
    """Refuse at the door what is no trame, no base or no perimeter."""
    require_kind(trame, Trame, "trame", "une trame", "Chargez-la : wb.load_trame, ou wb.trame_from_formules.")
    require_kind(base, Base, "base", "une base ouverte", 'Ouvrez-la : wb.connect("base.duckdb").')
    require_kind(
        perimetre, (Perimetre, type(None)), "perimetre", "un périmètre", 'Par exemple wb.perimetre(departements="031").'
    )
    require_kind(
        nomenclature,
        (str, type(None), _Default),
        "nomenclature",
        "un texte, ou None pour toutes",
        'Par exemple nomenclature="M57".',
    )


def chosen_perimetre(
    trame: Trame, perimetre: Perimetre | None, nomenclature: NomenclatureFilter, given: Perimetre | None = None
) -> Perimetre:
    """The perimeter asked for, with what is given beside it and the filter on the nomenclature."""
    chosen = perimetre or make_perimetre()
    if given is not None:
        chosen = replace(chosen, **{name: value for name, value in vars(given).items() if value is not None})
    if nomenclature is OF_THE_TRAME or (nomenclature is None and isinstance(trame, Serie)):
        return chosen if chosen.nomenclature else replace(chosen, nomenclature=trame.nomenclature)
    return replace(chosen, nomenclature=make_perimetre(nomenclature=nomenclature).nomenclature)


def frame_of(budgets: pa.Table) -> pd.DataFrame:
    """Budgets as a frame, with the kind of each, BP or BA."""
    frame: pd.DataFrame = budgets.to_pandas()
    frame["kind"] = [kind_of_budget(code) for code in frame["type_budget"]]
    frame["type_etablissement"] = frame["type_etablissement"].fillna("")
    frame["nomenclature"] = frame["nomenclature"].fillna("")
    return frame


def groups_of(frame: pd.DataFrame) -> pa.Table:
    """The groups that `sum_comptes` reads."""
    return pa.table(
        {
            "siret": pa.array(frame["siret"].tolist(), pa.string()),
            "exercice": pa.array(frame["exercice"].tolist(), pa.int64()),
            "groupe": pa.array(frame["groupe"].tolist(), pa.int64()),
        }
    )


def _positions(frame: pd.DataFrame, parts: pd.DataFrame, columns: list[str]) -> list[int]:
    known = {key: position for position, key in enumerate(parts.itertuples(index=False, name=None))}
    return [known[key] for key in frame[columns].itertuples(index=False, name=None)]


def cells_of(
    sums: pa.Table, row: npt.NDArray[np.int64], selected: dict[Condition, npt.NDArray[np.bool_]]
) -> kernel.Cells:
    """Sums of comptes as the kernel reads them."""
    encoded = sums["compte"].combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    order = sorted(range(len(names)), key=names.__getitem__)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(names))
    codes = encoded.indices.to_numpy()
    return kernel.Cells(
        row=row,
        compte=rank[codes] if len(codes) else np.zeros(0, dtype=np.int64),
        comptes=[names[position] for position in order],
        amounts={name: sums[name].to_numpy() for name in AMOUNTS},
        selected=selected,
    )


def population_of(
    plan: Plan, frame: pd.DataFrame, row: npt.NDArray[np.int64], rows: int
) -> dict[Condition, npt.NDArray[np.float64]]:
    """Inhabitants of each row: one count a SIREN, whatever its number of budgets."""
    if not plan.reads_population():
        return {}
    counted = pd.DataFrame({"row": row, "siren": frame["siren"], "population": frame["population"].fillna(0)})
    result = {}
    for condition in plan.conditions():
        once = counted[accepted(frame, condition)].groupby(["row", "siren"])["population"].max().groupby("row").sum()
        result[condition] = once.reindex(range(rows), fill_value=0).to_numpy(dtype=np.float64)
    return result


def presence_of(
    plan: Plan, frame: pd.DataFrame, row: npt.NDArray[np.int64], rows: int
) -> dict[Condition, npt.NDArray[np.bool_]]:
    """Whether some budget of each row meets a condition."""
    result = {}
    for condition in plan.narrowings():
        result[condition] = np.zeros(rows, dtype=bool)
        result[condition][row[accepted(frame, condition)]] = True
    return result


def accepted(budgets: pd.DataFrame, condition: Condition) -> npt.NDArray[np.bool_]:
    """Which budgets, or kinds of budget, meet a condition."""
    meeting = [condition.accepts(*traits) for traits in zip(*(budgets[name] for name in _TRAITS), strict=True)]
    return np.array(meeting, dtype=bool)


def _succession(serie: Serie, plan: Plan, frame: pd.DataFrame) -> Iterator[str]:
    """Which trame serves which exercices, and what a change of nomenclature may break."""
    by_exercice: dict[int, set[str]] = {}
    for exercice, name in zip(frame["exercice"].tolist(), frame["nomenclature"].tolist(), strict=True):
        by_exercice.setdefault(exercice, set()).add(name)
    for trame in serie.trames:
        kept = str(trame.nomenclature)
        years = sorted(
            exercice for exercice, names in by_exercice.items() if any(keeps_nomenclature(kept, name) for name in names)
        )
        if years:
            when = f"en {years[0]}" if len(years) == 1 else f"de {years[0]} à {years[-1]}"
            yield f"Comptes tenus en {kept.replace('+', ' ou ')} {when} : évalués avec la trame {trame.code}."
    mixed = [str(exercice) for exercice, names in by_exercice.items() if len(names) > 1]
    if mixed and plan.apart:
        yield (
            f"Le périmètre mêle des nomenclatures en {', '.join(mixed)} : {', '.join(plan.apart)} y "
            "additionne ce que chaque trame donne de ses budgets, faute de définitions qui se lisent ensemble."
        )


def warnings_of(trame: Trame, plan: Plan, chosen: Perimetre, frame: pd.DataFrame) -> Iterator[str]:
    """French sentences to show beside the figures of some budgets."""
    if frame.empty:
        filter_ = f" en nomenclature {chosen.nomenclature}" if chosen.nomenclature else ""
        yield f"Aucun budget du périmètre n'a de comptes{filter_} sur la période."
        return
    if any(condition.type_budget for condition in plan.conditions()) and len(set(frame["kind"]) - {""}) > 1:
        yield (
            "Le périmètre mêle budgets principaux et annexes : chaque segment [TB:BP] ou [TB:BA] "
            "n'est évalué que sur les budgets qu'il vise."
        )
    if isinstance(trame, Serie):
        yield from _succession(trame, plan, frame)
    if plan.reads_population():
        absent = sorted(set(frame.loc[frame["population"].isna(), "exercice"]))
        if absent:
            years = ", ".join(str(exercice) for exercice in absent)
            yield f"Population inconnue en {years} : $POP y compte 0 et les montants par habitant y valent 0."
        inhabited = frame["population"].fillna(1).gt(0).groupby(frame["exercice"]).any()
        empty = [str(exercice) for exercice, some in inhabited.items() if not some]
        if empty:
            yield f"Aucun habitant en {', '.join(empty)} : les montants par habitant y valent 0."
    if (frame["source"] == "balances").any():
        doubtful = sorted(
            {
                f"{node.side}{node.compte}"
                for one in trames_of(trame)
                for indicateur in one.indicateurs
                for segment in indicateur.tree.segments
                for node in walk(segment.expression)
                if isinstance(node, Variable) and node.type_appel == "BR" and node.side in ("SC", "SD")
            }
        )
        if doubtful:
            yield (
                f"{', '.join(doubtful)} en [TA:BR] : les balances ouvertes ne donnent pas les annulations à part, "
                "ces soldes peuvent différer de ceux d'une base CCI."
            )
