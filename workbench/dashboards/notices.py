"""What goes wrong, as a visitor reads it: never where the server keeps its files."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import WorkbenchError

__all__ = ["ASK_FOR_BADGES", "NOTHING_OPENED", "incident", "notice", "notice_of"]

NOTHING_OPENED = "Aucune collectivité ne vous est ouverte : vos badges n'en couvrent aucune."
ASK_FOR_BADGES = "Demandez un badge de département et un badge de nomenclature à qui administre le service."

_PATHS = {"chemin", "dossier"}


def notice(message: str, hint: str = "", kind: str = "information") -> dict[str, str]:
    """Return a message of a page.

    Examples
    --------
    >>> notice("Rapport demandé.")["kind"]
    'information'
    """
    return {"kind": kind, "message": message, "hint": hint}


def notice_of(error: WorkbenchError) -> dict[str, str]:
    """Return an error as a message of a page.

    Examples
    --------
    >>> notice_of(WorkbenchError("base_absente", chemin="/srv/base.duckdb"))["message"]
    "La base base.duckdb n'existe pas."
    """
    named = {name: Path(value).name if name in _PATHS else value for name, value in error.details.items()}
    error = type(error)(error.code, **named)
    return notice(error.message, error.hint, "erreur")


def incident(reference: str) -> dict[str, str]:
    """Return what is said of a failure that nobody foresaw; the operator finds its reference in the log."""
    hint = f"Réessayez ; si l'erreur revient, signalez la référence {reference}."
    return notice("Cette action n'a pas abouti.", hint, "erreur")
