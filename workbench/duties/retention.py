"""How long each thing is kept, in days, by settings; an empty one keeps it without limit where there is no default."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from workbench.config.reading import text_of
from workbench.errors import WorkbenchError

__all__ = ["DEFAULTS", "VARIABLES", "Retention", "retention"]

VARIABLES = {
    "journal": "WORKBENCH_CONSERVATION_JOURNAL",
    "expired": "WORKBENCH_CONSERVATION_EXPIRES",
    "reports": "WORKBENCH_CONSERVATION_RAPPORTS",
    "uploads": "WORKBENCH_CONSERVATION_DEPOT",
    "comments": "WORKBENCH_CONSERVATION_COMMENTAIRES",
}

DEFAULTS = {"journal": 365, "expired": 365, "reports": 365, "uploads": 365, "comments": None}
"""Days. A year is the most that the CNIL advises for a journal of accesses (délibération 2021-122); what people wrote
to one another on a trame is kept as long as it unless the controller decides otherwise."""

LONGEST = 36_500


@dataclass(frozen=True)
class Retention:
    """The durations in force; None keeps without limit.

    Parameters
    ----------
    journal
        Entries of the store's journal, since they were written (``WORKBENCH_CONSERVATION_JOURNAL``).
    expired
        Properties of the store, since a null ended them (``WORKBENCH_CONSERVATION_EXPIRES``).
    reports
        Reports asked of the service, since they ended (``WORKBENCH_CONSERVATION_RAPPORTS``).
    uploads
        Uploads in the working area, since they were published (``WORKBENCH_CONSERVATION_DEPOT``).
    comments
        Comments, since they were written (``WORKBENCH_CONSERVATION_COMMENTAIRES``).
    """

    journal: timedelta | None
    expired: timedelta | None
    reports: timedelta | None
    uploads: timedelta | None
    comments: timedelta | None


def retention() -> Retention:
    """Read the durations of the settings.

    Raises
    ------
    WorkbenchError
        ``conservation_reglage`` for what is no number of days.

    Examples
    --------
    >>> retention().comments is None
    True
    """
    return Retention(
        journal=_duration("journal", text_of("WORKBENCH_CONSERVATION_JOURNAL")),
        expired=_duration("expired", text_of("WORKBENCH_CONSERVATION_EXPIRES")),
        reports=_duration("reports", text_of("WORKBENCH_CONSERVATION_RAPPORTS")),
        uploads=_duration("uploads", text_of("WORKBENCH_CONSERVATION_DEPOT")),
        comments=_duration("comments", text_of("WORKBENCH_CONSERVATION_COMMENTAIRES")),
    )


def _duration(name: str, written: str) -> timedelta | None:
    written = written.strip()
    if not written:
        days = DEFAULTS[name]
        return None if days is None else timedelta(days=days)
    if written == "illimitee":
        return None
    if not written.isascii() or not written.isdigit() or not 0 < int(written) <= LONGEST:
        raise WorkbenchError("conservation_reglage", reglage=VARIABLES[name], valeur=written)
    return timedelta(days=int(written))
