"""Reports of the store: found, read back, withdrawn. `publishing` writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.reports.published_balance import read_balance
from workbench.store import StoredFile, StoreDoor, my_store
from workbench.store.files import FILE_NAME
from workbench.store.first_policies import AUTHOR, REPORTS

__all__ = [
    "BUCKET",
    "FILES",
    "PROPERTIES",
    "PublishedReport",
    "published_report",
    "published_reports",
    "report_of",
    "versions_of",
]

BUCKET = REPORTS

SUFFIXES = {"valeurs": ".json", "classeur": ".xlsx", "page": ".html", "pdf": ".pdf"}

FILES = tuple(SUFFIXES)
"""The properties that are files."""

PROPERTIES = (
    *("titre", "trame", "trame_libelle", "trame_version", "nomenclature", "base", "instantane", "siret", "sirets"),
    *("exercice_min", "exercice_max", "comparatif", "parametres", "avertissements", "date", "notebook", "logiciels"),
    *("publie", "empreinte", "nature"),
    *FILES,
)
"""The properties of the card of a report; its author sees ``lecteurs`` too."""

_THERE = {"field": "publie", "operator": "!=", "value": ""}
"""A report that was withdrawn is null there, and passes no condition."""


@dataclass(frozen=True)
class PublishedReport:
    """One version of a report, as far as a person sees it.

    Parameters
    ----------
    author, name, version
        What names it.
    card
        What is said of it: ``titre``, ``trame``, ``trame_version``, ``instantane``, ``sirets``, ``exercice_min``…
    added
        When what is visible of it was last published.
    store
        Where it is read; None for the store of the settings.
    """

    author: str
    name: str
    version: str
    card: Mapping[str, Any] = field(repr=False)
    added: datetime = field(repr=False)
    store: StoreDoor | None = field(default=None, repr=False, compare=False)

    @property
    def key(self) -> dict[str, str]:
        """Its key in the bucket ``rapport``."""
        return {"auteur": self.author, "rapport": self.name, "version": self.version}

    @property
    def title(self) -> str:
        """Its title, for people."""
        return str(self.card.get("titre") or self.name)

    @property
    def files(self) -> dict[str, str]:
        """The name of each file, by the property that holds it."""
        held = {name: self.card.get(name) for name in FILES}
        described = {name: each.get(FILE_NAME) for name, each in held.items() if isinstance(each, Mapping)}
        return {name: str(each["name"]) for name, each in described.items() if isinstance(each, Mapping)}

    def _door(self) -> AbstractContextManager[StoreDoor]:
        return nullcontext(self.store) if self.store is not None else my_store()

    def file(self, name: str) -> StoredFile:
        """Read one of its `files`: ``classeur``, ``page``, ``pdf``, ``valeurs``.

        Raises
        ------
        WorkbenchError
            404 when the report has no such file, or is no longer visible.
        """
        with self._door() as door:
            return door.file(BUCKET, self.key, name)

    def values(self) -> pd.DataFrame:
        """Read its figures.

        Returns
        -------
        pandas.DataFrame
            One row an indicateur code, one int column an exercice, float64 in the unit of each indicateur, as
            `workbench.evaluate` gave them. Of a comparison, one row a SIRET and an indicateur. Of a balance, one row
            an exercice and a compte, one column an amount (``debit_1``…), in euros.
        """
        content = json.loads(self.file("valeurs").content)
        if self.card.get("nature") == "balance":
            return read_balance(content)
        tables = {
            tuple(each["sirets"]): pd.DataFrame.from_dict(
                each["valeurs"], orient="index", columns=each["exercices"], dtype="float64"
            )
            for each in content["tableaux"]
        }
        for one in tables.values():
            one.index.name, one.columns.name = "indicateur", "exercice"
        if not self.card.get("comparatif"):
            return next(iter(tables.values()))
        apart: pd.DataFrame = pd.concat({each[0]: one for each, one in tables.items()}, names=["siret", "indicateur"])
        return apart

    def save(self, folder: Path | str) -> dict[str, Path]:
        """Write its files into a folder, under their names; those of the same names are replaced.

        Returns
        -------
        dict
            Path of each, by the property that holds it.
        """
        written = {}
        for name in self.files:
            found = self.file(name)
            # A name is another person's words: it leads nowhere else, and hides no file of another kind.
            stem = re.sub(r"[^\w.'-]+", "-", Path(found.name).stem).lstrip(".-") or "rapport"
            to = Path(folder) / f"{stem}{SUFFIXES[name]}"
            with replacing(to) as partial:
                partial.write_bytes(found.content)
            written[name] = to
        return written

    def withdraw(self) -> None:
        """Withdraw it from all its readers and from its author, who alone may; `Store.purge` then deletes it.

        Raises
        ------
        WorkbenchError
            ``ecriture_interdite`` (403) for anyone but its author.
        """
        nothing: dict[str, Any] = dict.fromkeys(PROPERTIES)
        # A null that ends nothing would stay after a purge: only her own sheet says who reads.
        sheets = [{"key": self.key, "scope": [AUTHOR], "value": {**nothing, "lecteurs": None}}]
        sheets += [{"key": self.key, "scope": scope, "value": nothing} for scope in self.card.get("lecteurs") or []]
        with self._door() as door:
            door.put(BUCKET, sheets)

    def _repr_html_(self) -> str:
        from workbench.display import safe, view

        code, version = self.card.get("trame"), str(self.card.get("trame_version"))[:12]
        years = f"{self.card.get('exercice_min')} à {self.card.get('exercice_max')}"
        lines = [
            ("Rapport", self.name),
            ("Auteur", self.author),
            ("Version", self.version),
            ("Trame", f"{code} ({version})" if code else "Balance : tous les comptes"),
            ("Exercices", years),
            ("Base", f"{self.card.get('base')}, état {self.card.get('instantane')}"),
            ("Fichiers", ", ".join(self.files.values())),
        ]
        rows = "".join(f"<tr><th>{safe(name)}</th><td>{safe(value)}</td></tr>" for name, value in lines)
        return view(f"<p>{safe(self.title)}</p><table>{rows}</table>")


def report_of(
    key: Mapping[str, str], card: Mapping[str, Any], added: datetime, store: StoreDoor | None
) -> PublishedReport:
    """Return the report of an object of the store."""
    return PublishedReport(key["auteur"], key["rapport"], key["version"], card, added, store)


def versions_of(door: StoreDoor, key: Mapping[str, str], store: StoreDoor | None = None) -> list[PublishedReport]:
    """Return what is visible under a key, the last published first."""
    return _found(door, key, [], None, store)


def _found(
    door: StoreDoor,
    key: Mapping[str, str],
    conditions: list[dict[str, Any]],
    limit: int | None,
    store: StoreDoor | None,
) -> list[PublishedReport]:
    order = [{"field": "publie", "order": -1}]
    try:
        rows = door.get(BUCKET, key, filter=[_THERE, *conditions], sort=order, limit=limit)
    except WorkbenchError as error:
        if error.status != 404:
            raise
        return []
    # Whoever has an account may put anything under her own name: what is no report is left out.
    named = {"auteur", "rapport", "version"}
    return [report_of(row["key"], row["value"], row["addDate"], store) for row in rows if named <= row["key"].keys()]


def published_reports(
    *,
    author: str | None = None,
    name: str | None = None,
    mine: bool = False,
    trame: str | None = None,
    siret: str | None = None,
    limit: int = 100,
    store: StoreDoor | None = None,
) -> list[PublishedReport]:
    """List the published reports that one sees, the last published first.

    Parameters
    ----------
    author, name
        Those of an author, of a name: all its versions.
    mine
        One's own.
    trame, siret
        Those made with a trame (its code), on one budget.
    limit
        How many at most.
    store
        Where; see `workbench.publish_report`.

    Returns
    -------
    list of PublishedReport
        Empty when none is visible.
    """
    conditions = [
        {"field": field, "operator": "=", "value": value}
        for field, value in (("trame", trame), ("siret", siret))
        if value is not None
    ]
    with nullcontext(store) if store is not None else my_store() as door:
        named = {"auteur": door.email if mine else author, "rapport": name}
        key = {pair: value for pair, value in named.items() if value is not None}
        return _found(door, key, conditions, limit, store)


def published_report(
    name: str, *, author: str | None = None, version: str | None = None, store: StoreDoor | None = None
) -> PublishedReport:
    """Return a published report: its last version that one sees, or a given one.

    Parameters
    ----------
    name
        Its name.
    author
        Its author, when several have a report of that name; the last published of them all by default.
    version
        One of its versions.
    store
        Where; see `workbench.publish_report`.

    Raises
    ------
    WorkbenchError
        ``rapport_inconnu`` (404), be it there and hidden, or not.
    """
    named = {"auteur": author, "rapport": name, "version": version}
    key = {pair: value for pair, value in named.items() if value is not None}
    with nullcontext(store) if store is not None else my_store() as door:
        found = _found(door, key, [], 1, store)
    if not found:
        raise WorkbenchError("rapport_inconnu", rapport=name)
    return found[0]
