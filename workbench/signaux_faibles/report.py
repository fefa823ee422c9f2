"""What reading a file did: counters, the errors that made it unreadable, the first rejected rows, a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from workbench.errors import WorkbenchError

__all__ = ["FileReport", "unknown_type"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class FileReport:
    """What reading a file did.

    A line is in one of three: valid, rejected (it has an error), skipped (outside of the perimeter, or about an
    account that has no SIRET then). Some rejected lines are stored all the same, without the wrong cell:
    ``lines_partial`` counts them.

    Parameters
    ----------
    type
        Name of the source; empty for a file of a type that nobody knows.
    path
        As the batch names the file.
    batch
        Key of the batch.
    lines_parsed
        Lines of data: the header and empty lines are none.
    lines_rejected, lines_skipped
        See above.
    lines_partial
        Rejected lines that gave a tuple.
    tuples
        Tuples given, several a line in some sources.
    fatal_errors
        Why the file could not be read at all.
    first_rejected
        Line and French reason of the first rejected rows; all of them are in the table of rejected rows.
    sha256, era
        Of the bytes, and the rules followed.
    start, date
        When the reading began and ended, UTC.
    """

    SHOWN: ClassVar[int] = 200

    type: str
    path: str
    batch: str = ""
    lines_parsed: int = 0
    lines_rejected: int = 0
    lines_skipped: int = 0
    lines_partial: int = 0
    tuples: int = 0
    fatal_errors: tuple[str, ...] = ()
    first_rejected: tuple[tuple[int, str], ...] = ()
    sha256: str = ""
    era: str = ""
    start: datetime = field(default_factory=_now, compare=False)
    date: datetime = field(default_factory=_now, compare=False)

    @classmethod
    def fatal(cls, type_: str, path: str, batch: str, error: WorkbenchError) -> FileReport:
        """Return the report of a file that could not be read."""
        return cls(type_, path, batch, fatal_errors=(error.message,))

    @property
    def lines_valid(self) -> int:
        """Lines without error that concern the perimeter."""
        return self.lines_parsed - self.lines_rejected - self.lines_skipped

    @property
    def is_fatal(self) -> bool:
        """Whether the file could not be read at all."""
        return bool(self.fatal_errors)

    @property
    def summary(self) -> str:
        """One French sentence."""
        return (
            f"{self.path}: intégration terminée, {self.lines_parsed} lignes traitées, "
            f"{len(self.fatal_errors)} erreurs fatales, {self.lines_rejected} lignes rejetées, "
            f"{self.lines_skipped} lignes filtrées, {self.lines_valid} lignes valides"
        )

    def journal(self, report_type: str = "CheckBatch") -> dict[str, Any]:
        """Return the entry of the journal, as the specification names its fields (3.1).

        Parameters
        ----------
        report_type
            ``CheckBatch``, ``ImportBatch``…
        """
        from workbench import __version__

        return {
            "batchKey": self.batch,
            "parserCode": self.type,
            "reportType": report_type,
            "date": self.date.isoformat(),
            "startDate": self.start.isoformat(),
            "commitHash": __version__,
            "priority": "info",
            "linesParsed": self.lines_parsed,
            "linesRejected": self.lines_rejected,
            "linesSkipped": self.lines_skipped,
            "linesValid": self.lines_valid,
            "isFatal": self.is_fatal,
            "headFatal": [f"Fatal: {message}" for message in self.fatal_errors],
            "headRejected": [f"Line {line}: {reason}" for line, reason in self.first_rejected],
            "summary": self.summary,
        }

    def __str__(self) -> str:
        lines = [self.summary]
        lines += [f"  Erreur fatale : {message}" for message in self.fatal_errors]
        lines += [f"  ligne {line} : {reason}" for line, reason in self.first_rejected[:5]]
        if self.lines_rejected > len(self.first_rejected[:5]):
            lines.append("  … ; --rejected FICHIER les garde toutes.")
        if self.lines_partial:
            lines.append(f"  Dont gardées sans la valeur refusée : {self.lines_partial}")
        return "\n".join(lines)


def unknown_type(type_: str, batch: str) -> dict[str, Any]:
    """Return the entry of the journal for a type of file that nobody knows.

    Examples
    --------
    >>> unknown_type("interim", "1802")["headFatal"]
    ['Type de fichier non reconnu: interim']
    """
    entry = FileReport(type_, "", batch).journal("ImportBatch_error")
    entry["headFatal"] = [f"Type de fichier non reconnu: {type_}"]
    entry["summary"] = entry["headFatal"][0]
    return entry
