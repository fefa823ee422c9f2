"""Controls of a base, as a report that an analyst reads.

Each control is one function that asks the base one question; nothing is ever mended. A control
passes (``ok`` true), fails (false), or could not be made (None).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from workbench.dgfip import budget_controls, reference_controls
from workbench.dgfip.base import Base
from workbench.dgfip.control import Control, Scope
from workbench.dgfip.import_report import grouped
from workbench.display import Markup, frame_table, html_table, safe, view
from workbench.errors import require_kind

__all__ = ["ControlReport", "controls"]

ORDER = (
    budget_controls.unbalanced_totals,
    budget_controls.soldes,
    budget_controls.duplicates,
    budget_controls.missing_comptes,
    budget_controls.mixed_etats,
    budget_controls.missing_exercices,
    reference_controls.unknown_comptes,
    reference_controls.unmatched_budgets,
    reference_controls.repeated_descriptions,
    reference_controls.populations_given,
    reference_controls.sirets,
)
"""What is asked, in the order of the report."""

_MARKS = {True: "✓", False: "✗", None: "–"}
_CLASSES = {True: "wb-oui", False: "wb-non", None: "wb-absent"}


@dataclass(frozen=True)
class ControlReport:
    """The controls of a base or of an import.

    Parameters
    ----------
    controls
        In a fixed order.

    Examples
    --------
    >>> print(ControlReport((Control("doublons", "Aucune ligne en double", True, 0),)))
    Contrôles : 1 conforme sur 1
      ✓ Aucune ligne en double
    """

    controls: tuple[Control, ...]

    @property
    def ok(self) -> bool:
        """Whether no control failed."""
        return all(control.ok is not False for control in self.controls)

    def __iter__(self) -> Iterator[Control]:
        return iter(self.controls)

    def __len__(self) -> int:
        return len(self.controls)

    def __getitem__(self, code: str) -> Control:
        return next(control for control in self.controls if control.code == code)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a control: ``code, controle, conforme, nombre, explication``."""
        return pd.DataFrame(
            {
                "code": [control.code for control in self.controls],
                "controle": [control.title for control in self.controls],
                "conforme": pd.array([control.ok for control in self.controls], dtype="boolean"),
                "nombre": [control.count for control in self.controls],
                "explication": [control.explanation for control in self.controls],
            }
        )

    def _head(self) -> str:
        passed = sum(control.ok is True for control in self.controls)
        return f"Contrôles : {passed} conforme{'s' if passed > 1 else ''} sur {len(self.controls)}"

    def __str__(self) -> str:
        lines = [self._head()]
        for control in self.controls:
            count = f" : {grouped(control.count)}" if control.count else ""
            lines.append(f"  {_MARKS[control.ok]} {control.title}{count}")
            if control.explanation and control.ok is not True:
                lines.append(f"      {control.explanation}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _ipython_key_completions_(self) -> list[str]:
        return [control.code for control in self.controls]

    def _repr_html_(self) -> str:
        rows = []
        for control in self.controls:
            why = safe(control.explanation)
            if len(control.details):
                table = frame_table(control.details, shown=20, rest=f'["{control.code}"].details')
                why += f"<details><summary>Détail</summary>{table}</details>"
            mark = Markup(f'<span class="{_CLASSES[control.ok]}">{_MARKS[control.ok]}</span>')
            rows.append((mark, control.title, control.count, Markup(why)))
        head = ("", "Contrôle", "Nombre", "Explication")
        return view(html_table(head, rows, caption=self._head(), heads=2))


def controls(base: Base, import_id: int | None = None) -> ControlReport:
    """Control the balances of a base.

    Parameters
    ----------
    base
        An open base.
    import_id
        Only the budgets brought by this import and later ones; None for all.

    Returns
    -------
    ControlReport
        One `Control` a question: title, whether it passed, how many cases, the first thousand of
        them in ``details`` (amounts in euros), and what it means.
    """
    require_kind(base, Base, "base", "une base ouverte", 'Ouvrez-la : wb.connect("base.duckdb").')
    scope = Scope(base, import_id)
    return ControlReport(tuple(control for ask in ORDER for control in ask(scope)))
