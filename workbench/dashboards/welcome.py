"""What a person finds when she comes in: her word on confidentiality, the news, the lists, whom she follows.

All of it is in the store, under her rights. Her word and what she read are dated sheets of hers in the bucket `BUCKET`:
the store dates them, keeps each of them, and nobody writes there for another. Here is the state, without HTTP.
"""

from __future__ import annotations

import hashlib
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from workbench.dashboards.dates import day_done, month_name
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.signaux_faibles.publication.objects import (
    FOLLOW,
    IDENTITY,
    LIST,
    PUBLIC,
    REFERENCE,
    directory_facts,
    list_order,
)
from workbench.store import Desk, Store
from workbench.store.first_policies import AUTHOR
from workbench.store.policies import EMAIL, MANAGER
from workbench.store.usage import PARIS

__all__ = [
    "BUCKET",
    "DUTIES",
    "MONTHS",
    "POLICIES",
    "Duties",
    "Entry",
    "Welcome",
    "data_dates",
    "day_of",
    "in_months",
    "news",
]

BUCKET = "agent"
"""The bucket of what agents state of themselves."""

MONTHS = 2
"""How long a word is good for."""

MOST_FOLLOWED = 8
MOST_NEWS = 6

_READS = "$agent"

POLICIES: Mapping[str, Mapping[str, Any]] = {
    "agents": {"match": f"^{BUCKET}$", "read": [_READS], "write": [AUTHOR]},
    "agents, auteur": {"match": f"^{BUCKET}$", "key": {"auteur": EMAIL}, "promote": [AUTHOR, _READS]},
    "agents, preuve": {"match": f"^{BUCKET}$", "scope": [MANAGER], "promote": [_READS]},
}
"""Only she writes what she states; she reads it, and who keeps the rights of the store may prove it."""

CONFIDENTIAL = frozenset({"detection", "score", "urssaf", "dgefp", "bdf", "pge"})
"""Badges that open what professional secrecy covers: their holders give their word."""


@dataclass(frozen=True)
class Duties:
    """What a person gives her word for.

    Parameters
    ----------
    version
        Of the words: another one is asked for again.
    purpose
        What the data are for.
    rules
        What one must and must not do.
    penalties
        What the law provides for, and where.
    word
        What is ticked.
    """

    version: str
    purpose: str
    rules: tuple[str, ...]
    penalties: str
    word: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the words, kept with her word."""
        said = "\n".join((self.version, self.purpose, *self.rules, self.penalties, self.word))
        return hashlib.sha256(said.encode()).hexdigest()


DUTIES = Duties(
    "1",
    "Ces données servent à aider des entreprises avant qu’il ne soit trop tard. Elles ne servent à rien d’autre.",
    (
        "Votre compte est à vous seul : vous ne prêtez ni votre mot de passe, ni une session ouverte.",
        "Vous ne dites à personne qui n’a pas à le savoir ce que vous lisez ici, ni qu’une entreprise y figure.",
        "Vous n’écrivez rien qui puisse nuire à une entreprise ou à une personne.",
        "Ce que vous consultez est inscrit dans un journal.",
    ),
    "Manquer au secret professionnel, prendre un intérêt dans une affaire que l’on surveille ou se servir d’une "
    "information privilégiée est un délit : articles 226-13 et 432-12 du code pénal, L. 465-1 du code monétaire et "
    "financier ; jusqu’à cinq ans d’emprisonnement et 500 000 € d’amende.",
    "J’ai lu ce qui précède et j’engage ma responsabilité.",
)


@dataclass(frozen=True)
class Entry:
    """Something new.

    Parameters
    ----------
    day
        Since when.
    title, text
        French.
    badges
        Whom it is for: who holds one of them; everybody when empty.
    """

    day: date
    title: str
    text: str = ""
    badges: frozenset[str] = frozenset()

    def concerns(self, badges: frozenset[str]) -> bool:
        """Say whether it is for a person.

        Examples
        --------
        >>> Entry(date(2026, 11, 22), "x", badges=frozenset({"stats"})).concerns(frozenset({"detection"}))
        False
        """
        return not self.badges or bool(self.badges & badges)


@cache
def news() -> tuple[Entry, ...]:
    """Return what is new in this version for agents, the newest first, from ``nouveautes.yaml``."""
    from ruamel.yaml import YAML

    path = Path(__file__).parent / "share" / "nouveautes.yaml"
    read: Sequence[Mapping[str, Any]] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    found = (
        Entry(each["date"], each["titre"], each.get("texte", ""), frozenset(each.get("badges", ()))) for each in read
    )
    return tuple(sorted(found, key=lambda each: each.day, reverse=True))


def in_months(moment: datetime, months: int) -> datetime:
    """Return the same moment some months later, or the end of a shorter month.

    Examples
    --------
    >>> in_months(datetime(2025, 12, 31, 9), 2)
    datetime.datetime(2026, 2, 28, 9, 0)
    """
    total = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(total, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


class Welcome:
    """What people find when they come in.

    Parameters
    ----------
    store
        Where it is; its policies are installed.
    entries
        What is new; `news` by default.
    """

    def __init__(self, store: Store, entries: Sequence[Entry] | None = None) -> None:
        store.install(POLICIES)
        self._store = store
        self._entries = news() if entries is None else tuple(entries)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    # --- her word

    def must_promise(self, actor: Actor, now: datetime) -> bool:
        """Say whether a person has yet to give her word, or to give it again."""
        if not CONFIDENTIAL & actor.badges:
            return False
        given = self._own(actor, "confidentialite")
        if given is None or given["value"].get("empreinte") != DUTIES.fingerprint:
            return True
        until: datetime = in_months(given["addDate"], MONTHS)
        return until <= now

    def promise(self, actor: Actor) -> None:
        """Keep the word of a person: who, when, and for which words."""
        said = {"texte": DUTIES.version, "empreinte": DUTIES.fingerprint, "mots": DUTIES.word}
        self._state(actor, "confidentialite", said)

    # --- news

    def news(self, actor: Actor) -> dict[str, Any]:
        """Return what is new for a person: ``entries``, and how many she has not read yet."""
        read = self._own(actor, "nouveautes")
        until = date.fromisoformat(read["value"]["jusque"]) if read else date.min
        every = [*self._of_lists(actor), *(each for each in self._entries if each.concerns(actor.badges))]
        every.sort(key=lambda each: each.day, reverse=True)
        unread = [each for each in every if each.day > until]
        shown = every[: max(MOST_NEWS, len(unread))]
        return {
            "unread": len(unread),
            "entries": [
                {
                    "day": f"{each.day:%d/%m/%Y}",
                    "iso": each.day.isoformat(),
                    "title": each.title,
                    "text": each.text,
                    "unread": each.day > until,
                }
                for each in shown
            ],
        }

    def read_news(self, actor: Actor, until: date) -> None:
        """Note that a person read what is new until a day, which she saw on the page."""
        self._state(actor, "nouveautes", {"jusque": until.isoformat()})

    def _of_lists(self, actor: Actor) -> list[Entry]:
        return [Entry(day, f"Liste « {each['libelle']} » publiée") for day, each in self._published(actor)]

    # --- data and follows

    def lists(self, actor: Actor) -> list[dict[str, Any]]:
        """Return the lists that a person may open, the newest first: ``name``, ``day``, and dates by source."""
        return [
            {"name": str(each["libelle"]), "day": f"{day:%d/%m/%Y}", "sources": data_dates(each.get("donnees"))}
            for day, each in self._published(actor)
        ]

    def _published(self, actor: Actor) -> list[tuple[date, dict[str, Any]]]:
        """Return the lists that a person may open, and the day since when each can be read."""
        if "detection" not in actor.badges:
            return []
        found = self._read(actor, REFERENCE, {"type": LIST.name})
        # A list that was withdrawn is null.
        there = sorted((each for each in found if each["value"].get("libelle")), key=list_order, reverse=True)
        return [(_readable_since(each), each["value"]) for each in there]

    def follows(self, actor: Actor) -> dict[str, Any]:
        """Return the companies that a person follows: the latest ``rows``, and how many ``more``."""
        found = self._read(actor, FOLLOW, {"author": actor.email})
        active = [each for each in found if each["value"].get("actif") is True]
        active.sort(key=lambda each: str(each["value"].get("date") or ""), reverse=True)
        rows = []
        for each in active[:MOST_FOLLOWED]:
            siret = each["key"]["siret"]
            known = self._read(actor, PUBLIC, {"siret": siret, "type": IDENTITY.name})
            name = directory_facts(known[0]["value"]).get("raison_sociale") if known else None
            rows.append({"siret": siret, "name": name or f"SIRET {siret}", "since": day_of(each["value"].get("date"))})
        return {"rows": rows, "more": max(0, len(active) - MOST_FOLLOWED)}

    # --- the store

    def _own(self, actor: Actor, what: str) -> dict[str, Any] | None:
        found = self._read(actor, BUCKET, {"auteur": actor.email, "type": what})
        return found[0] if found else None

    def _state(self, actor: Actor, what: str, value: Mapping[str, Any]) -> None:
        sheet = {"key": {"auteur": actor.email, "type": what}, "scope": [], "value": dict(value)}
        Desk(self._store, actor).put(BUCKET, [sheet])

    def _read(self, actor: Actor, bucket: str, key: Mapping[str, str]) -> list[dict[str, Any]]:
        try:
            return self._store.get(actor, bucket, key)
        except WorkbenchError as error:
            if error.code != "sans_donnees":
                raise
            return []


def _readable_since(sheet: Mapping[str, Any]) -> date:
    """Return the day a list was published: its own date is that of its data, or of its release."""
    added: date = sheet["addDate"].astimezone(PARIS).date()
    try:
        return max(added, date.fromisoformat(str(sheet["value"].get("date"))[:10]))
    except ValueError:
        return added


_SOURCES = {
    "apconso": "Activité partielle consommée",
    "apdemande": "Activité partielle demandée",
    "bdf": "Banque de France",
    "cotisation": "Cotisations",
    "debit": "Dettes sociales",
    "delai": "Délais de paiement",
    "diane": "Bilans (Diane)",
    "effectif": "Effectifs",
    "effectif_ent": "Effectifs des entreprises",
    "ellisphere": "Groupes",
    "paydex": "Retards de paiement",
    "procol": "Procédures collectives",
    "ratios_inpi": "Comptes publiés (INPI)",
    "sirene": "Établissements (Sirene)",
    "sirene_ul": "Entreprises (Sirene)",
}
"""Sources of the data of companies, as people call them."""


def data_dates(told: Any) -> list[tuple[str, str]]:
    """Return the sources of a list, as people call them, and until when each is known.

    Examples
    --------
    >>> data_dates({"debit": "2026-01-31", "procol": "2026-02"})
    [('Dettes sociales', '31/01/2026'), ('Procédures collectives', 'février 2026')]
    """
    found: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    return sorted((_SOURCES.get(name, name), day_of(day)) for name, day in found.items())


def day_of(value: Any) -> str:
    """Write a day, or a month, as people read it; that of a moment in Paris; an empty text for what is none.

    Examples
    --------
    >>> day_of("2026-02"), day_of("2026-01-31T23:30:00+00:00")
    ('février 2026', '01/02/2026')
    """
    if not isinstance(value, str):
        return ""
    return month_name(value) if len(value) == len("2026-02") else day_done(value) or value
