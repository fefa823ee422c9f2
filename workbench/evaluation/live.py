"""Values of a formule as it is being written: the accounts are read once, then each keystroke reads memory.

Nothing of the base is asked again, so that an answer takes as long on a distant base as on a file. The values are those
of `evaluate`, the explanations those of `explain`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workbench.dgfip import Base, libelles_comptes
from workbench.dgfip import perimetre as make_perimetre
from workbench.dgfip.selection import Codes
from workbench.errors import WorkbenchError
from workbench.evaluation.evaluate import hold
from workbench.evaluation.exercices import wanted_exercices
from workbench.evaluation.explain import Explainer, Explanation
from workbench.evaluation.part import part_of
from workbench.evaluation.plan import compile_trame
from workbench.evaluation.results import Provenance
from workbench.trames import Trame

__all__ = ["Accounts"]


class Accounts:
    """The accounts of some collectivités taken as one body, held in memory.

    Parameters
    ----------
    base
        An open base; read now, and not again.
    sirets
        The collectivités; with several, their accounts are added up.
    exercices
        The period; exercices without accounts are left out.
    nomenclature
        Keep the budget-years of this nomenclature (``"M57"``); None for all.

    Raises
    ------
    WorkbenchError
        ``exercices_vides``, ``exercice_invalide``, as `evaluate`.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> accounts = Accounts(base, sirets=[demonstration_siret], exercices=range(2020, 2100))
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]", "A_DOUBLE": "A_PRODUITS*2"})
    >>> found = accounts.values(trame, "A_DOUBLE")
    >>> table = wb.evaluate(trame, base, sirets=[demonstration_siret], exercices=range(2020, 2100), nomenclature=None)
    >>> found == table.loc["A_DOUBLE"].to_dict()
    True
    >>> bool(accounts.explain(trame, "A_DOUBLE", 2024).value == found[2024])
    True
    """

    def __init__(
        self, base: Base, *, sirets: Codes, exercices: Iterable[int | str] | int | str, nomenclature: str | None = None
    ) -> None:
        wanted = wanted_exercices(exercices)
        # Kept apart: a formule that comes later may look at the kind of budget.
        self._held = hold(base, make_perimetre(sirets=sirets, nomenclature=nomenclature), wanted, apart=True)
        self._provenance = Provenance(
            trame=Trame("apercu", ()),
            base=base.url,
            snapshot=base.snapshot,
            budgets=self._held.budgets,
            exercices_demandes=(wanted[0], wanted[-1]),
            exercices=self._held.exercices,
            nomenclature=nomenclature,
            cells=self._held.cells,
        )
        # The labels of the last nomenclature: a number may mean something else in the one before.
        last = next(reversed(self.nomenclatures), None)
        # What takes long to make does not depend on the formule.
        self._ready = {"amounts": self._provenance.amounts, "libelles": libelles_comptes(base, nomenclature or last)}

    @property
    def exercices(self) -> tuple[int, ...]:
        """The exercices that have accounts, ascending."""
        return self._held.exercices

    @property
    def nomenclatures(self) -> tuple[str, ...]:
        """The nomenclatures that the accounts were kept in, over the period."""
        return tuple(dict.fromkeys(name for name in self._held.budgets["nomenclature"].to_pylist() if name))

    def values(self, trame: Trame, code: str) -> dict[int, float]:
        """Evaluate an indicateur of a trame.

        Parameters
        ----------
        trame
            One trame, not a serie.
        code
            One of its indicateurs; only what it needs is evaluated.

        Returns
        -------
        dict of int to float
            By exercice, ascending, in the unit of the indicateur.

        Raises
        ------
        WorkbenchError
            ``indicateur_absent``, ``indicateur_inconnu``, ``cycle_indicateurs``.
        FormuleSyntaxError
            When a formule that it needs cannot be read.
        """
        plan = compile_trame(part_of(trame, [code]))
        column = self._held.values(plan)[:, plan.codes.index(code)]
        return dict(zip(self.exercices, column.tolist(), strict=True))

    def table(self, trame: Trame) -> dict[str, dict[int, float]]:
        """Evaluate all the indicateurs of a trame: by code, in its order, then by exercice; raises as `values`."""
        if not trame.indicateurs:
            return {}
        plan = compile_trame(trame)
        found = self._held.values(plan)
        return {
            code: dict(zip(self.exercices, found[:, plan.codes.index(code)].tolist(), strict=True))
            for code in trame.codes
        }

    def explain(self, trame: Trame, code: str, exercice: int) -> Explanation:
        """Say where a value comes from; raises as `values`, and ``exercice_absent``."""
        if exercice not in self.exercices:
            known = ", ".join(str(year) for year in self.exercices) or "aucun"
            raise WorkbenchError("exercice_absent", exercice=exercice, exercices=known)
        provenance = replace(self._provenance, trame=part_of(trame, [code]))
        vars(provenance).update(self._ready)
        return Explainer(provenance).explain(code, exercice)
