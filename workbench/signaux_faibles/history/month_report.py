"""What a batch brought to a history, in words and tables: the report of a month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from workbench.numbers import format_number
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.compaction import Change, changes

__all__ = ["batch_changes", "file_reports", "month_report"]


def batch_changes(history: History, batch: str) -> list[Change]:
    """Return what a batch changed of each type, against the delivery before it."""
    own = [each for each in history.deliveries() if each.batch == batch and each.compacted]
    return [changes(history, each.type, batch) for each in own]


def file_reports(history: History, batch: str) -> list[dict[str, Any]]:
    """Return the counters of each file of a batch, as they were read."""
    at = schema.reports
    return list(history.fetch(select(at).where(at.c.batch == batch).order_by(at.c.type, at.c.file)).to_pylist())


def month_report(history: History, as_of: str | None = None, written: Mapping[str, int] | None = None) -> str:
    """Return the report of a batch in Markdown: files, changes, what is worth a look, files written.

    Parameters
    ----------
    history
        The history.
    as_of
        The batch; the latest one by default.
    written
        Files of an export and their rows.
    """
    batch = history.batch(as_of)
    found = batch_changes(history, batch.key)
    lines = [f"# Batch {batch.key}{f' — {batch.name}' if batch.name else ''}", ""]
    lines += [f"Importé le {batch.imported:%d/%m/%Y à %H:%M} (UTC)."]
    if batch.effectif_end is not None:
        lines += [f"Dernier mois d'effectifs : {batch.effectif_end:%m/%Y}."]
    lines += ["", "## Fichiers lus", ""]
    lines += _table(
        ("Type", "Fichier", "Lignes", "Valides", "Rejetées", "Filtrées", "Erreur fatale"),
        [
            (
                each["type"],
                each["file"],
                *(each[f"lines_{name}"] for name in ("parsed", "valid", "rejected", "skipped")),
                each["fatal"],
            )
            for each in file_reports(history, batch.key)
        ],
    )
    lines += ["", "## Ce qui change", ""]
    lines += _table(
        ("Type", "Livraison", "Faits lus", "Ajoutés", "Retirés", "En vigueur", "Avant"),
        [
            (
                each.type,
                "complète" if each.complete else "ajout",
                each.given,
                each.added,
                each.removed,
                each.alive,
                each.before,
            )
            for each in found
        ],
    )
    odd = [each for each in found if each.is_suspicious]
    lines += ["", "## À vérifier", ""]
    lines += [f"- {each}" for each in odd] or ["Rien."]
    if written:
        lines += ["", "## Fichiers écrits", ""]
        lines += _table(("Fichier", "Lignes"), list(written.items()))
    return "\n".join([*lines, ""])


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return lines + ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]


def _cell(value: Any) -> str:
    if isinstance(value, int):
        return format_number(value, 0)
    return str(value).replace("|", "\\|").replace("\n", " ")
