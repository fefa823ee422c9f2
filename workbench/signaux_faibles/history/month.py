"""A month of the operator, step by step: what the notebook of the month shows, as tables that people read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from workbench.config import settings
from workbench.signaux_faibles.batches import Batch, load_batch
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.base import History, open_history
from workbench.signaux_faibles.history.compaction import Compaction, compact
from workbench.signaux_faibles.history.importing import BatchImport, import_batch
from workbench.signaux_faibles.history.month_report import batch_changes, file_reports, month_report
from workbench.signaux_faibles.history.validation import offending, validate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Month", "open_month"]

_SHOWN = 1_000
"""Rows that a table for people holds at most."""

_TYPES = ("effectif", "debit", "cotisation", "delai", "apconso", "apdemande", "procol", "sirene_ul", "sirene_histo")
"""Files of the fictitious month: enough to see everything that happens to a file."""


class Month:
    """A batch and the history that it goes into; `open_month` makes it.

    Attributes
    ----------
    batch : Batch
        Its descriptor.
    history : History
        Open for writing.
    """

    def __init__(self, history: History, batch: Batch, root: Path, no_filter: bool) -> None:
        self.history = history
        self.batch = batch
        self._root = root
        self._no_filter = no_filter

    def files(self) -> pd.DataFrame:
        """Return the files of the batch, and whether each type replaces all that was known."""
        rows = [
            {"Type": type_, "Fichier": path, "Livraison": self._delivery(type_)}
            for type_, paths in self.batch.files.items()
            for path in paths
        ]
        return _frame(rows, ["Type", "Fichier", "Livraison"])

    def _delivery(self, type_: str) -> str:
        if type_ in self.batch.to_confirm:
            return f"à confirmer : {self.batch.to_confirm[type_]}"
        return "complète" if type_ in self.batch.complete_types else "ajout"

    def read(self) -> BatchImport:
        """Import the files, which wait to be compacted."""
        return import_batch(self.history, self.batch, self._root, no_filter=self._no_filter)

    def reports(self) -> pd.DataFrame:
        """Return the counters of each file."""
        names = {
            "type": "Type",
            "lines_parsed": "Lignes",
            "lines_valid": "Valides",
            "lines_rejected": "Rejetées",
            "lines_skipped": "Filtrées",
            "tuples": "Faits",
            "fatal": "Erreur fatale",
        }
        rows = file_reports(self.history, self.batch.key)
        return _frame([{said: row[name] for name, said in names.items()} for row in rows], [*names.values()])

    def rejected(self) -> pd.DataFrame:
        """Return the first rejected rows: all of them are in the base."""
        at = schema.rejected_rows
        statement = select(
            at.c.file.label("Fichier"),
            at.c.line.label("Ligne"),
            at.c.field.label("Colonne"),
            at.c.value.label("Valeur"),
            at.c.reason.label("Motif"),
        )
        chosen = statement.where(at.c.batch == self.batch.key).order_by(at.c.file, at.c.line).limit(_SHOWN)
        found: pd.DataFrame = self.history.fetch(chosen).to_pandas()
        return found

    def wrong(self) -> pd.DataFrame:
        """Return the first facts that wait and break a rule of their type."""
        rows: list[dict[str, Any]] = []
        for type_ in validate(self.history, waiting=True).by_type:
            found = self.history.fetch(offending(self.history, type_, waiting=True).limit(_SHOWN)).to_pylist()
            rows += [{"Type": type_, "Clé": row["key"], "Motif": row["reason"]} for row in found]
        return _frame(rows[:_SHOWN], ["Type", "Clé", "Motif"])

    def compact(self) -> Compaction:
        """Make facts of what waits."""
        return compact(self.history)

    def changes(self) -> pd.DataFrame:
        """Return what the batch changed of each type, with what is worth a look."""
        rows = [
            {
                "Type": each.type,
                "Livraison": "complète" if each.complete else "ajout",
                "Faits lus": each.given,
                "Ajoutés": each.added,
                "Retirés": each.removed,
                "En vigueur": each.alive,
                "Avant": each.before,
                "À vérifier": "oui" if each.is_suspicious else "",
            }
            for each in batch_changes(self.history, self.batch.key)
        ]
        columns = ["Type", "Livraison", "Faits lus", "Ajoutés", "Retirés", "En vigueur", "Avant", "À vérifier"]
        return _frame(rows, columns)

    def report(self) -> str:
        """Return the report of the batch, in Markdown."""
        return month_report(self.history, self.batch.key)

    def close(self) -> None:
        """Close the history."""
        self.history.close()


def _frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=columns)


def open_month(descriptor: str = "", root: str = "", base: str = "", *, no_filter: bool = False) -> Month:
    """Open the month of a batch.

    Parameters
    ----------
    descriptor
        Its descriptor, in which nothing is left to confirm; empty for a month of fictitious companies, whose history
        already has the month before.
    root
        Folder of all batches; that of the descriptor by default.
    base
        Path or address of the history; that of the settings by default, one apart for fictitious companies.
    no_filter
        Whether to read without a perimeter.

    Raises
    ------
    WorkbenchError
        ``batch_descripteur``, ``batch_cle`` and what `open_history` raises.
    """
    if not descriptor:
        return _fictitious(base)
    history = open_history(base or settings().history, read_only=False)
    return Month(history, load_batch(Path(descriptor)), Path(root or Path(descriptor).parent), no_filter)


def _fictitious(base: str) -> Month:
    from workbench.signaux_faibles.demonstration import write_delivery
    from workbench.signaux_faibles.prepare import prepare_batch

    root = Path(tempfile.mkdtemp(prefix="workbench-mois-"))
    found = []
    for key in ("1801", "1802"):
        write_delivery(root, key, number=20, months=24, types=_TYPES, seed=1)
        found.append(prepare_batch(root, key))
    history = open_history(base or str(root / "historique.duckdb"), read_only=False)
    import_batch(history, found[0], root, compacted=True)
    return Month(history, found[1], root, no_filter=False)
