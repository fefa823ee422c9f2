"""What each collectivité brings to a consolidated figure.

A perimeter taken as one body is read after its comptes are summed. Where the indicateur is *linear*
(sums, differences, products and quotients by constants, other exercices of such), what each
collectivité brings is the indicateur read on its own comptes, and the parts add up to the figure.
Three things need a word:

- A constant (``C70+10``) is counted once for the perimeter: it is a line of its own, of no collectivité.
- The inhabitants of a SIREN are counted once, whatever its number of budgets: they go to the budget
  that gives the greatest population, the principal first, then the lowest SIRET.
- An offset brings what a collectivité had in the other exercice, were it no longer in the perimeter.

Where the indicateur is *not linear*, no part is given, because there is none that adds up and means
something. Two things are said instead. A quotient of two linear figures (times a constant or not) has a
numerator and a denominator, and each collectivité's parts in both add up to both: with Σn and Σd their
totals, the figure is Σn/Σd. And for whatever is not linear, as for what is, the *effect* is the figure less
what it would be without the collectivité, all other things being equal: `evaluate` on the perimeter less
that budget gives exactly this. Effects do not add up to the figure, save in linear indicateurs that
read neither a constant nor a population shared by two budgets.

The figures come from the plan and the kernel that evaluate the table, run on all "perimeters less
one" at once, from sums per collectivité that the engine adds up a few thousand budgets at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from workbench.dgfip import Base, connect, sum_comptes
from workbench.dgfip.schema import AMOUNTS
from workbench.errors import WorkbenchError
from workbench.evaluation import kernel
from workbench.evaluation.evaluate import accepted, cells_of, frame_of, groups_of
from workbench.evaluation.forms import ALL, Condition, Vector
from workbench.evaluation.part import part_of
from workbench.evaluation.plan import Absolute, Combine, Plan, Shift, Weigh, compile_trame
from workbench.evaluation.results import IndicateurTable, Provenance

__all__ = ["COLUMNS", "contributions"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

COLUMNS = ("siret", "libelle", "valeur", "contribution", "part", "numerateur", "denominateur", "effet")

_SIRETS_AT_ONCE = 2_000

_WORDS = {
    "lineaire": "Indicateur linéaire : les contributions s'additionnent exactement, et font le chiffre.",
    "quotient": (
        "Quotient : aucune contribution ne s'additionne. Le chiffre est la somme des numérateurs divisée par celle des "
        "dénominateurs ; l'effet est l'écart avec le chiffre sans la collectivité."
    ),
    "autre": (
        "Indicateur non linéaire : aucune contribution ne s'additionne. L'effet est l'écart avec le chiffre sans la "
        "collectivité."
    ),
}


def contributions(table: IndicateurTable, code: str, exercice: int | str) -> pd.DataFrame:
    """Say what each collectivité brings to one figure of a consolidated perimeter.

    Parameters
    ----------
    table
        The result of `evaluate`; its base is read again, on the same snapshot.
    code
        An indicateur of the trame.
    exercice
        One of the table's exercices.

    Returns
    -------
    pandas.DataFrame
        One row a collectivité, in the unit of the indicateur: ``siret``, ``libelle``, ``valeur`` (the
        indicateur for it alone, 0 when it has no budget that exercice), ``contribution`` and ``part``
        (contribution over figure) when the indicateur is linear, ``numerateur`` and ``denominateur``
        when it is a quotient of two linear figures, ``effet`` (figure less what it would be without
        the collectivité; the whole figure for one that is alone). What does not apply is missing. A
        row without siret holds the constants of the formule, when there are some. Sorted by
        contribution or effect, the largest in absolute value first. ``attrs["nature"]`` is ``lineaire``,
        ``quotient`` or ``autre``, ``attrs["lecture"]`` says it in French, ``attrs["valeur"]`` is the figure.

    Raises
    ------
    WorkbenchError
        ``indicateur_absent``, ``exercice_absent``, ``table_sans_provenance``; ``snapshot_absent`` or
        ``base_absente`` when the base the table came from is gone.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> table = wb.evaluate(trame, base, perimetre=wb.perimetre(types=["101"]), exercices=[2024])
    >>> shares = wb.contributions(table, "A_PRODUITS", 2024)
    >>> bool(abs(shares["contribution"].sum() - table.at["A_PRODUITS", 2024]) < 0.005)
    True
    """
    provenance = getattr(table, "provenance", None)
    if provenance is None:
        raise WorkbenchError("table_sans_provenance")
    if code not in provenance.trame.codes:
        raise WorkbenchError("indicateur_absent", indicateur=code, trame=provenance.trame.code)
    if isinstance(exercice, str) and exercice.strip().isdecimal():
        exercice = int(exercice)
    if exercice not in provenance.exercices:
        known = ", ".join(str(year) for year in provenance.exercices) or "aucun"
        raise WorkbenchError("exercice_absent", exercice=exercice, exercices=known)
    plan = compile_trame(part_of(provenance.trame, [code]))
    plan = replace(plan, codes=(code,), outputs=(plan.outputs[plan.codes.index(code)],))
    with _base(provenance) as base:
        return _frame(plan, _Parts(plan, base, provenance, int(exercice)), code)


def _base(provenance: Provenance) -> Base:
    try:
        return connect(provenance.base, snapshot=provenance.snapshot)
    except WorkbenchError as error:
        if error.code != "snapshot_absent":
            raise
        # A file given as it is has no numbered snapshot: the current one is it, if its name says so.
        base = connect(provenance.base)
        if base.snapshot == provenance.snapshot:
            return base
        base.close()
        raise


def _frame(plan: Plan, parts: _Parts, code: str) -> pd.DataFrame:
    whole, without = parts.figures()
    columns: dict[str, Any] = {name: np.full(len(parts.sirets), np.nan) for name in COLUMNS[2:]}
    columns |= {"siret": parts.sirets, "libelle": parts.libelles}
    columns["valeur"] = parts.alone()
    columns["effet"] = whole - without
    output = plan.outputs[0]
    constants: dict[str, float] = {}
    quotient = _quotient(plan, output, parts.exercice)
    nature = "autre"
    if _linear(plan, output):
        nature = "lineaire"
        columns["contribution"], constants["contribution"] = parts.linear(output)
        if whole:
            columns["part"] = columns["contribution"] / whole
            constants["part"] = constants["contribution"] / whole
    elif quotient is not None:
        nature = "quotient"
        factor, left, right = quotient
        for name, side, times in (("numerateur", left, factor), ("denominateur", right, 1.0)):
            values, constant = parts.linear(side)
            columns[name], constants[name] = values * times, constant * times
    frame = pd.DataFrame({name: columns[name] for name in COLUMNS})
    size = frame["contribution" if nature == "lineaire" else "effet"].abs()
    frame = frame.loc[size.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
    if any(constants.get(name) for name in ("contribution", "numerateur", "denominateur")):
        line: dict[str, Any] = {name: constants.get(name, np.nan) for name in COLUMNS[2:]}
        frame.loc[len(frame)] = {"siret": None, "libelle": "constantes de la formule", **line}
    frame.attrs |= {"nature": nature, "lecture": _WORDS[nature], "valeur": whole, "indicateur": code}
    return frame


class _Parts:
    """What each collectivité of a perimeter brings to the weighings of a plan, and what the plan makes of it.

    Budget-years are those of the exercices that the figure may read. *Cases* are pairs of a
    collectivité and such an exercice, all of them, in this order.
    """

    def __init__(self, plan: Plan, base: Base, provenance: Provenance, exercice: int) -> None:
        self.plan = plan
        self.exercice = exercice
        self.program = kernel.program_of(plan)
        self.years: Integers = np.asarray(_reached(plan, exercice, provenance.exercices), dtype=np.int64)
        self.year = int(np.searchsorted(self.years, exercice))
        frame = frame_of(provenance.budgets)
        frame = frame[frame["exercice"].isin(self.years)].sort_values(["siret", "exercice"], ignore_index=True)
        self.sirets, unit = np.unique(frame["siret"].to_numpy(dtype=str), return_inverse=True)
        self.unit: Integers = unit.astype(np.int64)
        self.frame = frame.assign(groupe=self.unit)
        self.column: Integers = np.searchsorted(self.years, frame["exercice"].to_numpy(dtype=np.int64))
        self.case: Integers = self.unit * len(self.years) + self.column
        # The label of the exercice where there is one, else that of the nearest.
        order = (frame["exercice"] - exercice).abs().sort_values(kind="stable", ascending=False).index
        names = dict(zip(frame["siret"].loc[order], frame["libelle"].loc[order], strict=True))
        self.libelles = [names[siret] for siret in self.sirets.tolist()]
        self.meets = {condition: accepted(self.frame, condition) for condition in plan.conditions()}
        self.ones = self._fixed(np.arange(len(self.years)), {})
        self.comptes = self._comptes(base)
        own, attributed, removed = self._inhabitants()
        self.own = self.comptes + own + self.ones[:, self.column]
        self.shared = self.comptes + attributed
        self.removed = self.comptes + removed

    def _fixed(self, column: Integers, population: Mapping[Condition, Floats]) -> Floats:
        """Weighings of some exercices without any compte, constants included, shape (weighings, rows)."""
        nothing = np.zeros(0, dtype=np.int64)
        cells = kernel.Cells(nothing, nothing, [], dict.fromkeys(AMOUNTS, nothing), {})
        rows = kernel.Rows(np.arange(len(column)), self.years[column])
        none = np.zeros(len(column))
        given = {condition: population.get(condition, none) for condition in self.plan.conditions()}
        found: Floats = self.program.linear(rows, self._spans(self.years[column]), cells, given).T
        return found

    def _comptes(self, base: Base) -> Floats:
        """What comptes bring to the weighings of each budget-year, shape (weighings, budget-years)."""
        found = np.zeros((len(self.program.column), len(self.frame)))
        for start in range(0, len(self.sirets), _SIRETS_AT_ONCE):
            first, last = np.searchsorted(self.unit, [start, start + _SIRETS_AT_ONCE])
            part = self.frame.iloc[first:last]
            sums = sum_comptes(base, groups_of(part))
            years = part["exercice"].to_numpy(dtype=np.int64)
            keys = self.unit[first:last] * 100_000 + years
            row = np.searchsorted(keys, sums["groupe"].to_numpy() * 100_000 + sums["exercice"].to_numpy())
            selected = {condition: mask[first:last][row] for condition, mask in self.meets.items() if condition != ALL}
            rows = kernel.Rows(self.unit[first:last], years)
            nobody = dict.fromkeys(self.meets, np.zeros(len(part)))
            found[:, first:last] = self.program.linear(
                rows, self._spans(years), cells_of(sums, row, selected), nobody
            ).T
        # Constants are no compte's.
        return found - self.ones[:, self.column]

    def _inhabitants(self) -> tuple[Floats, Floats, Floats]:
        """What inhabitants bring to each budget-year: its own, those that go to it, those that leave with it."""
        if not self.plan.reads_population():
            nothing = np.zeros((len(self.program.column), len(self.frame)))
            return nothing, nothing, nothing
        own: dict[Condition, Floats] = {}
        attributed: dict[Condition, Floats] = {}
        removed: dict[Condition, Floats] = {}
        for condition, mask in self.meets.items():
            counted = self.frame.assign(population=self.frame["population"].fillna(0).astype("float64"))[mask]
            counted = counted.assign(secondary=~counted["type_budget"].isin(["1", "2"]))
            counted = counted.sort_values(["population", "secondary", "siret"], ascending=[False, True, True])
            grouped = counted.groupby(["siren", "exercice"], sort=False)
            first = grouped.cumcount() == 0
            following = grouped["population"].shift(-1).fillna(0.0)
            for target, values in (
                (own, counted["population"]),
                (attributed, counted["population"].where(first, 0.0)),
                (removed, (counted["population"] - following).where(first, 0.0)),
            ):
                target[condition] = values.reindex(self.frame.index, fill_value=0.0).to_numpy(dtype=np.float64)
        ones = self.ones[:, self.column]
        return (
            self._fixed(self.column, own) - ones,
            self._fixed(self.column, attributed) - ones,
            self._fixed(self.column, removed) - ones,
        )

    def _spans(self, years: Integers) -> Integers:
        return np.searchsorted(np.asarray(self.plan.breakpoints, dtype=np.int64), years, side="right")

    def _cases(self, values: Floats) -> Floats:
        """Values of budget-years as values of cases, 0 where there is no budget."""
        found = np.zeros((len(values), len(self.sirets) * len(self.years)))
        found[:, self.case] = values
        return found

    def _total(self) -> Floats:
        """Weighings of the whole perimeter, shape (weighings, exercices)."""
        of_exercices = [self.shared[:, self.column == column].sum(axis=1) for column in range(len(self.years))]
        found: Floats = self.ones + np.column_stack(of_exercices)
        return found

    def _counts(self, mask: Mask) -> tuple[Integers, Integers]:
        """How many budgets of a mask there are in each exercice, and in each case."""
        in_case = np.bincount(self.case[mask], minlength=len(self.sirets) * len(self.years))
        return in_case.reshape(len(self.sirets), len(self.years)).sum(axis=0), in_case

    def figures(self) -> tuple[float, Floats]:
        """The figure of the perimeter, and that of the perimeter without each collectivité."""
        here = np.ones(len(self.frame), dtype=bool)
        presence = {condition: self._counts(self.meets[condition]) for condition in self.plan.narrowings()}
        everyone = {condition: whole > 0 for condition, (whole, _) in presence.items()}
        total = self._total()
        whole = self._run(self.plan, total.copy(), np.ones(len(self.years), dtype=bool), everyone)[0][self.year]
        count, own = self._counts(here)
        rest = np.tile(total, (1, len(self.sirets))) - self._cases(self.removed)
        left = np.tile(count, len(self.sirets)) - own > 0
        others = {
            condition: np.tile(every, len(self.sirets)) - each > 0 for condition, (every, each) in presence.items()
        }
        without = self._run(self.plan, rest, left, others)[0]
        return float(whole), np.where(left, without, 0.0).reshape(len(self.sirets), -1)[:, self.year]

    def alone(self) -> Floats:
        """The figure of each collectivité alone, 0 for one that has no budget in the exercice."""
        own = self._counts(np.ones(len(self.frame), dtype=bool))[1] > 0
        presence = {condition: self._counts(self.meets[condition])[1] > 0 for condition in self.plan.narrowings()}
        values = self._run(self.plan, self._cases(self.own), own, presence)[0]
        return np.where(own, values, 0.0).reshape(len(self.sirets), -1)[:, self.year]

    def linear(self, output: Vector) -> tuple[Floats, float]:
        """What each collectivité brings to a linear vector, and what constants bring."""
        plan = replace(self.plan, outputs=(output,))
        there = np.ones(len(self.years), dtype=bool)
        presence = {condition: self._counts(self.meets[condition])[0] > 0 for condition in self.plan.narrowings()}
        constant = self._run(plan, self.ones.copy(), there, presence)[0][self.year]
        of_cases = {condition: np.tile(each, len(self.sirets)) for condition, each in presence.items()}
        values = self._run(plan, self._cases(self.shared), np.tile(there, len(self.sirets)), of_cases)[0]
        return values.reshape(len(self.sirets), -1)[:, self.year], float(constant)

    def _run(self, plan: Plan, linear: Floats, there: Mask, presence: Mapping[Condition, Mask]) -> list[Floats]:
        """Run the instructions on rows that are exercices, once or for each collectivité; ``linear`` is spent."""
        width = len(self.years)
        times = len(there) // width

        def shifted(offset: int) -> Integers:
            wanted = self.years + offset
            place = np.searchsorted(self.years, wanted)
            place[place == width] = 0
            known = np.where(self.years[place] == wanted, place, -1)
            position = np.tile(known, times) + np.repeat(np.arange(times) * width, width)
            position[np.tile(known < 0, times)] = -1
            return np.where((position >= 0) & there[position], position, -1)

        return kernel.execute(plan, linear, np.tile(self._spans(self.years), times), shifted, presence)


def _reached(plan: Plan, exercice: int, present: Sequence[int]) -> list[int]:
    """The exercices that a figure may read, ascending."""
    offsets = {instruction.offset for instruction in plan.instructions if isinstance(instruction, Shift)}
    reached, todo = {exercice}, [exercice]
    while todo:
        year = todo.pop()
        new = {year + offset for offset in offsets} & set(present) - reached
        reached |= new
        todo.extend(new)
    return sorted(reached)


def _linear(plan: Plan, output: Vector) -> bool:
    """Whether nothing that a vector is made of is a product, a quotient, a power or an absolute value."""
    seen, todo = {output.index}, [output.index]
    while todo:
        instruction = plan.instructions[todo.pop()]
        if isinstance(instruction, Combine | Absolute):
            return False
        if isinstance(instruction, Weigh):
            operands = {atom.index for part in instruction.form.parts for atom in part if isinstance(atom, Vector)}
        else:
            operands = {instruction.operand.index}
        todo.extend(operands - seen)
        seen |= operands
    return True


def _quotient(plan: Plan, output: Vector, exercice: int) -> tuple[float, Vector, Vector] | None:
    """A factor, a linear numerator and a linear denominator, when a vector is their quotient; else None."""
    factor = Fraction(1)
    instruction = plan.instructions[output.index]
    while isinstance(instruction, Weigh):
        terms = instruction.form.parts[plan.span(exercice)]
        if len(terms) != 1:
            return None
        ((atom, weight),) = terms.items()
        if not isinstance(atom, Vector):
            return None
        factor *= weight
        instruction = plan.instructions[atom.index]
    if not isinstance(instruction, Combine) or instruction.operator != "/":
        return None
    if not (_linear(plan, instruction.left) and _linear(plan, instruction.right)):
        return None
    return float(factor), instruction.left, instruction.right
