"""What an import did, for the person who asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.display import facts, view

if TYPE_CHECKING:
    from workbench.dgfip.control_report import ControlReport

__all__ = ["ImportReport"]


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Parameters
    ----------
    files
        Names of the files given.
    rows
        Rows read from the files that were imported.
    budgets_new, budgets_replaced, budgets_unchanged
        Budgets (siret, exercice): first seen, replaced by these files, and those of files that the
        base already held.
    exercices
        Exercices of the imported budgets, ascending.
    ignored_columns
        Columns of the files that nothing reads.
    notes
        French sentences on what was supposed or left out.
    snapshot
        The snapshot written, or the current one when nothing changed.
    controls
        Controls of the imported budgets; None when nothing changed.
    """

    files: tuple[str, ...]
    rows: int = 0
    budgets_new: int = 0
    budgets_replaced: int = 0
    budgets_unchanged: int = 0
    exercices: tuple[int, ...] = ()
    ignored_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    snapshot: str = ""
    controls: ControlReport | None = None

    @property
    def changed(self) -> bool:
        """Whether the base changed."""
        return self.rows > 0

    def _lines(self) -> list[tuple[str, str]]:
        years = f"{self.exercices[0]} à {self.exercices[-1]}" if len(self.exercices) > 1 else str(*self.exercices)
        counts = (
            (self.budgets_new, "nouveau", "nouveaux"),
            (self.budgets_replaced, "remplacé", "remplacés"),
            (self.budgets_unchanged, "inchangé", "inchangés"),
        )
        said = ", ".join(f"{grouped(count)} {one if count == 1 else many}" for count, one, many in counts if count)
        lines = [
            ("Fichiers", ", ".join(self.files)),
            ("Lignes lues", grouped(self.rows)),
            ("Budgets", said),
            ("Exercices", years),
            ("Colonnes ignorées", ", ".join(self.ignored_columns)),
            ("État de la base", self.snapshot),
        ]
        return [(title, text) for title, text in lines if text] + [("À savoir", note) for note in self.notes]

    def __str__(self) -> str:
        head = "Import terminé" if self.changed else "Rien à importer : la base contient déjà ces fichiers"
        text = "\n".join([head, *(f"  {title} : {value}" for title, value in self._lines())])
        return f"{text}\n{self.controls}" if self.controls is not None else text

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head = "Import terminé" if self.changed else "Rien à importer : la base contient déjà ces fichiers"
        controls = self.controls._repr_html_() if self.controls is not None else ""
        return view(facts(self._lines(), head)) + controls


def grouped(number: int) -> str:
    """Return a number with its thousands apart, as French typography has it.

    Examples
    --------
    >>> grouped(1234567).replace(chr(0x202f), "_")
    '1_234_567'
    """
    return f"{number:,}".replace(",", "\u202f")
