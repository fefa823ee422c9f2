"""What is wrong in a trame: every problem with its place, and the exceptions that carry them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from workbench.errors import WorkbenchError

__all__ = ["DependentIndicateurError", "TrameError", "TrameProblem", "UnknownIndicateurError", "nearest", "sentence"]


def nearest(word: str, known: Iterable[str]) -> str:
    """French hint that offers the known word nearest to ``word``; empty when none is near.

    Examples
    --------
    >>> nearest("libele", ["code", "libelle"])
    'vouliez-vous dire « libelle » ?'
    >>> nearest("xyz", ["code", "libelle"])
    ''
    """
    found = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"vouliez-vous dire « {found[0]} » ?" if found else ""


def _typographic(text: str) -> str:
    """Put no-break spaces where French punctuation wants them."""
    return re.sub(r" (?=[:;!?»])", "\u00a0", text).replace("« ", "«\u00a0")


def sentence(hint: str) -> str:
    """Make a hint a sentence of its own: capital first, French punctuation."""
    return _typographic(hint[:1].upper() + hint[1:])


@dataclass(frozen=True, slots=True)
class TrameProblem:
    """One problem of a trame.

    Parameters
    ----------
    where
        Place, for people: ``"ligne 12, colonne 14"`` of a file, ``"Result!C7"`` of a workbook, the code of an
        indicateur when there is no file.
    message
        French sentence, without the final full stop.
    hint
        What to do, in French; empty when there is nothing to offer.
    excerpt
        The stretch of formule concerned over a line of carets; empty when the problem is not in a formule.
    line, column
        One-based place in a text file; 0 when the problem has none.
    severity
        ``"error"``: the trame cannot be used; ``"warning"``: it can, but look at it.
    """

    where: str
    message: str
    hint: str = ""
    excerpt: str = ""
    line: int = 0
    column: int = 0
    severity: Literal["error", "warning"] = "error"

    def __post_init__(self) -> None:
        message = self.message.removesuffix(".")
        if re.match(r"[A-Z](['’]|[a-zé]*\s)", message):  # after the place and a colon, a capital would be out of place
            message = message[0].lower() + message[1:]
        object.__setattr__(self, "message", _typographic(message))
        object.__setattr__(self, "hint", _typographic(self.hint))

    def __str__(self) -> str:
        text = f"{self.where}\u00a0: {self.message}"
        if self.excerpt:
            text += "\n" + "\n".join("    " + line for line in self.excerpt.splitlines())
        return f"{text}\n    → {self.hint}" if self.hint else text


class TrameError(WorkbenchError):
    """A trame that cannot be read, checked or written; carries every problem, not the first alone.

    Attributes
    ----------
    errors : list of TrameProblem
        All of them, in the order of the source.
    source : str
        The file, or the code of the trame.

    Examples
    --------
    >>> error = TrameError.of("essai.yaml", [TrameProblem("ligne 3, colonne 5", "clé inconnue : libele")])
    >>> print(error)
    La trame essai.yaml comporte 1 erreur.
    ligne 3, colonne 5 : clé inconnue : libele
    """

    @classmethod
    def of(cls, source: str, problems: Iterable[TrameProblem]) -> TrameError:
        """Build the error of a trame that has these problems."""
        found = list(problems)
        count = f"{len(found)} erreur{'s' if len(found) > 1 else ''}"
        return cls("trame_invalide", source=source, nombre=count, liste="\n".join(map(str, found)), errors=found)

    @property
    def errors(self) -> list[TrameProblem]:
        """Every problem."""
        return list(self.details["errors"])

    @property
    def source(self) -> str:
        """The file, or the code of the trame."""
        return str(self.details["source"])


class UnknownIndicateurError(WorkbenchError, KeyError):
    """No indicateur of the trame has this code."""

    @classmethod
    def of(cls, code: str, trame: str, known: Iterable[str]) -> UnknownIndicateurError:
        """Build the error, with the nearest code as a hint."""
        return cls("trame_indicateur_inconnu", indicateur=code, trame=trame, proche=sentence(nearest(code, known)))


class DependentIndicateurError(WorkbenchError):
    """An indicateur that other formules name cannot be removed."""

    @classmethod
    def of(cls, code: str, users: Iterable[str]) -> DependentIndicateurError:
        """Build the error, with the indicateurs that need ``code``."""
        return cls("trame_indicateur_utilise", indicateur=code, utilise_par=", ".join(users))
