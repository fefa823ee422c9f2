"""What a download asks for: identifiers and exercices, checked before any call.

Each text is held to its form (digits, a département's code, a dataset's name) so that nothing else reaches a
query, and a long selection is cut into queries of a bounded length.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workbench.dgfip.opendata import one_of
from workbench.errors import WorkbenchError

__all__ = ["Selection", "dataset_names", "select", "years"]

BATCH = 100
"""Identifiers a request: addresses stay well below the few thousand characters that proxies admit."""
_OVERSEAS = {"971": "101", "972": "103", "973": "102", "974": "104", "975": "105", "976": "106"}


@dataclass(frozen=True)
class Selection:
    """Identifiers asked for; a query holds sirens or sirets, each with the départements."""

    sirets: tuple[str, ...] = ()
    sirens: tuple[str, ...] = ()
    departements: tuple[str, ...] = ()

    def where(self) -> str:
        """Write the condition of one query."""
        chosen = (("siren", self.sirens), ("ident", self.sirets), ("ndept", self.departements))
        return " and ".join(one_of(column, values) for column, values in chosen if values)

    def name(self) -> str:
        """Name the selection in a file's name: plainly when it is one identifier."""
        chosen = [("siren", self.sirens), ("siret", self.sirets), ("departement", self.departements)]
        told = [(kind, values) for kind, values in chosen if values]
        if len(told) == 1 and len(told[0][1]) == 1:
            return f"{told[0][0]}-{told[0][1][0]}"
        return f"selection-{hashlib.sha256(self.where().encode()).hexdigest()[:12]}"

    def batches(self) -> Iterator[Selection]:
        """Cut a long selection into queries; the order of identifiers decides, so names are stable."""
        if not self.sirets and not self.sirens:
            yield self
        for start in range(0, len(self.sirens), BATCH):
            yield Selection(sirens=self.sirens[start : start + BATCH], departements=self.departements)
        for start in range(0, len(self.sirets), BATCH):
            yield Selection(sirets=self.sirets[start : start + BATCH], departements=self.departements)


def _texts(values: Iterable[str] | None) -> list[str]:
    """List the values; a lone text would otherwise be read letter by letter."""
    return [values] if isinstance(values, str) else [str(value).strip() for value in values or ()]


def _checked(values: Iterable[str] | None, form: str, nature: str | None) -> tuple[str, ...]:
    texts = _texts(values)
    for text in texts:
        # Digits of other alphabets are digits to `\d`, and to no portal.
        if not (text.isascii() and re.fullmatch(form, text)):
            if nature is None:
                raise WorkbenchError("telechargement_jeu", valeur=text)
            raise WorkbenchError("telechargement_identifiant", nature=nature, valeur=text)
    return tuple(sorted(set(texts)))


def _departement(text: str) -> str:
    """Write a département as the balances do: three characters, overseas from 101 on."""
    code = text.upper()
    if not (code.isascii() and re.fullmatch(r"\d{1,3}|0?2[AB]", code)):
        raise WorkbenchError("telechargement_identifiant", nature="Département", valeur=text)
    return _OVERSEAS.get(code, code.zfill(3))


def select(sirets: Iterable[str] | None, sirens: Iterable[str] | None, departements: Iterable[str] | None) -> Selection:
    """Check the identifiers of a download.

    Raises
    ------
    WorkbenchError
        ``telechargement_sans_selection``, ``telechargement_identifiant``.

    Examples
    --------
    >>> select(["21330063500017"], None, ["33", "974"])
    Selection(sirets=('21330063500017',), sirens=(), departements=('033', '104'))
    """
    persons = _checked(sirens, r"\d{9}", "SIREN")
    selection = Selection(
        # A budget of a person who is asked for whole comes with her.
        sirets=tuple(each for each in _checked(sirets, r"\d{14}", "SIRET") if each[:9] not in persons),
        sirens=persons,
        departements=tuple(sorted({_departement(each) for each in _texts(departements)})),
    )
    if selection == Selection():
        raise WorkbenchError("telechargement_sans_selection")
    return selection


def years(exercices: Iterable[int] | int) -> list[int]:
    """Check the exercices of a download; sorted, each once.

    Raises
    ------
    WorkbenchError
        ``telechargement_sans_exercice``, ``telechargement_exercice``.

    Examples
    --------
    >>> years(range(2021, 2019, -1))
    [2020, 2021]
    """
    listed = [exercices] if isinstance(exercices, int) else list(exercices)
    for year in listed:
        if isinstance(year, bool) or not isinstance(year, int) or not 2000 <= year <= 2100:
            raise WorkbenchError("telechargement_exercice", valeur=year)
    if not listed:
        raise WorkbenchError("telechargement_sans_exercice")
    return sorted(set(listed))


def dataset_names(datasets: Iterable[str] | None) -> tuple[str, ...] | None:
    """Check the identifiers of datasets, which become parts of addresses and of file names."""
    return None if datasets is None else _checked(datasets, r"[a-z0-9][a-z0-9_-]*", None)
