"""How much the application is used: accesses, actions a person, a day. Counts, never what was looked at.

The state of the page, without widget: a period is chosen, counts are read from the store, tables and files made.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Protocol

from workbench.dashboards.documents import Document, csv_document
from workbench.errors import WorkbenchError
from workbench.numbers import format_number
from workbench.reports.excel_tables import write_tables
from workbench.store.usage import PARIS

__all__ = ["PERIODS", "StatistiquesView", "UsageDoor", "kind_of"]

PERIODS: Mapping[str, tuple[str, int]] = {
    "semaine": ("7 derniers jours", 7),
    "mois": ("30 derniers jours", 30),
    "trimestre": ("90 derniers jours", 90),
    "annee": ("12 derniers mois", 365),
}
"""What may be chosen: words and days, today among them."""

SEARCHES, SHEETS, LISTS = "Recherche", "Fiche", "Liste de détection"
ADMINISTRATION, OTHER = "Administration", "Autre consultation"
MOST_SHOWN = 50
MOST_DAYS = 31

_KINDS: Mapping[tuple[str, str, str], str] = {
    ("get", "public", "siret"): SHEETS,
    ("get", "public", "siren"): SHEETS,
    ("get", "public", "detail_siret"): SHEETS,
    ("get", "public", "detail_siren"): SHEETS,
    ("get", "public", "detection"): LISTS,
    ("browse", "public", "detection"): LISTS,
    ("get", "public", ""): SEARCHES,
    ("put", "comment", ""): "Commentaire écrit",
    ("put", "suivi", ""): "Suivi commencé ou arrêté",
    ("put", "opinion", ""): "Avis sur une détection",
    ("get", "rapport", ""): "Rapports publiés",
    ("file", "rapport", ""): "Fichier d’un rapport",
    ("put", "rapport", ""): "Rapport publié ou retiré",
}
_LEFT_OUT = frozenset({"agent", "comment", "reference", "opinion", "suivi", "dgfip"})
"""Buckets that pages read by themselves."""
_BESIDES = frozenset(
    {
        ("get", "public", "identite"),
        ("get", "public", "identite_siret"),
        ("get", "public", "detection_siren"),
        ("get", "public", "entreprise_siren"),
        ("browse", "public", ""),
    }
)
"""What a sheet or a list reads besides, by itself: names, past alerts, the company, counts."""
_ASKED = frozenset({"get", "put", "file", "browse"})


class UsageDoor(Protocol):
    """What counts: a client of the store, or a desk."""

    def usage(self, since: datetime | str, until: datetime | str) -> list[dict[str, Any]]:
        """See `workbench.store.Store.usage`."""


def kind_of(action: str, bucket: str, kind: str) -> str | None:
    """Return what an entry of the journal is, in French; None for what no person does.

    Examples
    --------
    >>> kind_of("get", "public", "siret"), kind_of("get", "reference", "naf"), kind_of("purge", "system", "")
    ('Fiche', None, 'Administration')
    """
    entry = (action, bucket, kind if bucket == "public" else "")
    if entry in _KINDS:
        return _KINDS[entry]
    if action == "search":
        return SEARCHES
    # How many a search would find is asked after it, by the page.
    if entry in _BESIDES or bucket in _LEFT_OUT or action == "total":
        return None
    return ADMINISTRATION if bucket == "system" or action not in _ASKED else OTHER


@dataclass(frozen=True)
class _Access:
    day: str
    reader: str
    kind: str
    count: int


class StatistiquesView:
    """The state of the page of statistics.

    Parameters
    ----------
    door
        What counts, for a person who may.
    today
        The last day counted.
    """

    def __init__(self, door: UsageDoor, today: date) -> None:
        self._door, self._today = door, today
        self.period = "mois"
        self._accesses: list[_Access] = []

    @property
    def first(self) -> date:
        """The first day counted."""
        return self._today - timedelta(days=PERIODS[self.period][1] - 1)

    def choose(self, period: Any) -> bool:
        """Choose a period; say whether it is one."""
        if not isinstance(period, str) or period not in PERIODS:
            return False
        self.period = period
        return True

    def refresh(self) -> None:
        """Count again.

        Raises
        ------
        WorkbenchError
            What the store refuses: who has no right to count is told so.
        """
        begins = datetime.combine(self.first, time(), PARIS)
        ends = datetime.combine(self._today + timedelta(days=1), time(), PARIS)
        counts: dict[tuple[str, str, str], int] = defaultdict(int)
        for each in self._door.usage(begins, ends):
            kind = kind_of(each["action"], each["bucket"], each["kind"])
            if kind is not None and each["reader"] != "system":
                counts[each["day"], each["reader"], kind] += each["count"]
        self._accesses = [_Access(*key, count) for key, count in sorted(counts.items())]

    # --- tables

    def by_day(self, *, weekly: bool = False) -> list[dict[str, Any]]:
        """Return a row a day, or a week from its Monday: ``day``, ``actions``, ``people``, ``searches``, ``sheets``."""

        def place(day: date) -> str:
            return (day - timedelta(days=day.weekday() if weekly else 0)).isoformat()

        days = [self.first + timedelta(days=each) for each in range(PERIODS[self.period][1])]
        # Days without an access too.
        found: dict[str, list[_Access]] = {place(day): [] for day in days}
        for each in self._accesses:
            found.setdefault(place(date.fromisoformat(each.day)), []).append(each)
        return [
            {
                "day": day,
                "actions": sum(each.count for each in rows),
                "people": len({each.reader for each in rows}),
                "searches": sum(each.count for each in rows if each.kind == SEARCHES),
                "sheets": sum(each.count for each in rows if each.kind == SHEETS),
            }
            for day, rows in sorted(found.items())
        ]

    def by_person(self) -> list[dict[str, Any]]:
        """Return one row a person, the most active first: ``reader``, ``actions``, ``days``, ``last``."""
        actions: dict[str, int] = defaultdict(int)
        days: dict[str, set[str]] = defaultdict(set)
        for each in self._accesses:
            actions[each.reader] += each.count
            days[each.reader].add(each.day)
        ordered = sorted(actions, key=lambda reader: (-actions[reader], reader))
        return [
            {"reader": reader, "actions": actions[reader], "days": len(days[reader]), "last": max(days[reader])}
            for reader in ordered
        ]

    def by_kind(self) -> list[tuple[str, int]]:
        """Return how many accesses of each kind, the most first."""
        found: dict[str, int] = defaultdict(int)
        for each in self._accesses:
            found[each.kind] += each.count
        return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))

    # --- what is shown

    def state(self) -> dict[str, Any]:
        """Return what the page shows, ready to read."""
        people, days = self.by_person(), self.by_day()
        total = sum(each.count for each in self._accesses)
        most = max((each["actions"] for each in days), default=0)
        weekly = len(days) > MOST_DAYS
        weeks = self.by_day(weekly=True) if weekly else days
        largest = max((each["actions"] for each in weeks), default=0) or 1
        return {
            "period": self.period,
            "periods": [{"value": value, "label": label} for value, (label, _) in PERIODS.items()],
            "title": f"Du {_french(self.first.isoformat())} au {_french(self._today.isoformat())}",
            "figures": [
                {"label": "Actions", "value": format_number(total)},
                {"label": "Personnes", "value": format_number(len(people))},
                {"label": "Actions le jour le plus chargé", "value": format_number(most)},
            ],
            "kinds": [[kind, format_number(count), _share(count, total)] for kind, count in self.by_kind()],
            "days": {
                "head": "Semaine du" if weekly else "Jour",
                "rows": [
                    {
                        "day": _french(each["day"]),
                        "cells": [format_number(each[name]) for name in ("actions", "people", "searches", "sheets")],
                        "width": round(100 * each["actions"] / largest),
                    }
                    for each in reversed(weeks)
                ],
            },
            "people": [
                [each["reader"], format_number(each["actions"]), format_number(each["days"]), _french(each["last"])]
                for each in people[:MOST_SHOWN]
            ],
            "more": max(0, len(people) - MOST_SHOWN),
        }

    def tables(self) -> dict[str, tuple[Sequence[str], list[list[Any]]]]:
        """Return heads and rows of the files, by name."""
        accesses = [[each.day, each.reader, each.kind, each.count] for each in self._accesses]
        people = [[each["reader"], each["actions"], each["days"], each["last"]] for each in self.by_person()]
        days = [[each[name] for name in ("day", "actions", "people", "searches", "sheets")] for each in self.by_day()]
        return {
            "accès": (["jour", "personne", "genre", "nombre"], accesses),
            "par personne": (["personne", "actions", "jours", "dernier_jour"], people),
            "par jour": (["jour", "actions", "personnes", "recherches", "fiches"], days),
        }

    def document(self, kind: Any) -> Document:
        """Return a file to take away: ``xlsx``, or ``csv`` of the accesses.

        Raises
        ------
        WorkbenchError
            ``question_invalide`` for another kind.
        """
        name = f"statistiques-{self.first:%Y%m%d}-{self._today:%Y%m%d}"
        if kind == "csv":
            heads, rows = self.tables()["accès"]
            columns = {head: [row[place] for row in rows] for place, head in enumerate(heads)}
            return csv_document(f"{name}.csv", columns)
        if kind != "xlsx":
            raise WorkbenchError("question_invalide", cause="le fichier demandé n'existe pas")
        with tempfile.TemporaryDirectory() as folder:
            written = write_tables(self.tables(), Path(folder) / f"{name}.xlsx")
            return Document(f"{name}.xlsx", written.read_bytes())


def _share(count: int, total: int) -> str:
    return f"{format_number(100 * count / total, 0)} %" if total else ""


def _french(day: str) -> str:
    return f"{date.fromisoformat(day):%d/%m/%Y}"
