"""Publishing a list: what would change, the publication itself, its withdrawal; atomic, and the same again is nothing.

A list is one transaction of the store: until it is committed, nobody sees any of it. What the same keys hold already
is compared, so that only what differs is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import WorkbenchError
from workbench.numbers import format_number
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.publication.facts import Facts
from workbench.signaux_faibles.publication.labels import label_sheets, published_activities, published_reference
from workbench.signaux_faibles.publication.listed import Listed, Source, listed
from workbench.signaux_faibles.publication.objects import (
    ALERTS,
    BATCH,
    LIST,
    PUBLIC,
    REFERENCE,
    Place,
    batch_of,
    key_of,
    shared_sheets_of,
)
from workbench.signaux_faibles.publication.rights import POLICIES
from workbench.signaux_faibles.publication.written import Alert, Terms, company_sheets, dotted
from workbench.store import Reader, Store
from workbench.store.keys import checked_moment
from workbench.store.replacing import Replaced

__all__ = ["COUNTED", "KINDS_SAID", "Publication", "plan_publication", "publish", "withdraw"]

_NOWHERE = Place((), alerted=False)

_COUNTS = ("entreprises", "alertes")
"""What a card says of how many companies there are: it depends on rights, and is not published."""

KINDS_SAID = {
    "detection": "entreprises de la liste",
    "detail": "établissements",
    "entreprise": "fiches d'entreprise",
    "identite": "identités",
    "liste": "liste",
    "alertes": "mémoire des alertes",
}
"""How kinds of objects are called."""

COUNTED = {"new": "nouveaux", "changed": "modifiés", "withdrawn": "retirés", "same": "inchangés"}
"""What is counted of them, and how it is said."""


@dataclass(frozen=True)
class Publication:
    """What a publication changes, or would change.

    Parameters
    ----------
    pair, label
        The list.
    companies, alerts
        How many are published, and how many of them are in alert.
    nowhere
        Companies that are not published, for want of a département.
    unwatched
        Published companies that the cleaned views leave out: their series are empty.
    replaced
        Objects and sheets; see `workbench.store.replacing.Replaced`.
    dry_run
        Whether nothing was written.
    """

    pair: str
    label: str
    companies: int
    alerts: int
    nowhere: tuple[str, ...]
    unwatched: int
    replaced: Replaced
    dry_run: bool

    def lines(self) -> list[str]:
        """Say it, in French."""
        would = " (simulation : rien n'est écrit)" if self.dry_run else ""
        companies, alerts = format_number(self.companies), format_number(self.alerts)
        found = [f"{self.label} ({self.pair}) : {companies} entreprises, dont {alerts} en alerte{would}."]
        for name, said in KINDS_SAID.items():
            counts = self.replaced.by_type.get(name)
            if counts:
                told = ", ".join(f"{word} {format_number(counts[each])}" for each, word in COUNTED.items())
                found.append(f"  {said}, objets : {told}")
        found.append(f"  {format_number(self.replaced.sheets)} feuillets{' à écrire' if self.dry_run else ' écrits'}")
        if self.nowhere:
            shown = ", ".join(self.nowhere[:3]) + ("…" if len(self.nowhere) > 3 else "")
            count = format_number(len(self.nowhere))
            found.append(f"  {count} entreprises sans département connu ne sont pas publiées : {shown}")
        if self.unwatched:
            found.append(
                f"  {format_number(self.unwatched)} entreprises hors du périmètre suivi : leurs séries sont vides"
            )
        return found


def publish(
    store: Store,
    reader: Reader,
    source: Source,
    history: History,
    *,
    as_of: str | None = None,
    card: Mapping[str, Any] | None = None,
    badge: str | None = None,
    released: str | None = None,
    expires: str | None = None,
    activities: Mapping[str, str] | None = None,
    alerts_only: bool = False,
    dry_run: bool = False,
) -> Publication:
    """Publish a list, and what the history knows of its companies.

    Parameters
    ----------
    store
        Where; the policies of companies are installed there.
    reader
        Who publishes: with the badge ``datawriter``.
    source
        The list, or the parquet of one.
    history
        An open history.
    as_of
        Key of the batch; that of the list by default.
    card
        The list's card; its own by default.
    badge
        What reading this list takes besides: a badge of its algorithm.
    released, expires
        When it is seen, and when it no longer is: moments with a time zone.
    activities
        Labels of activities, by code without point; those published stay when none is given.
    alerts_only
        Leave out the companies that are not in alert, and have never been.
    dry_run
        Only say what would change.

    Returns
    -------
    Publication
        Companies without département are not published: they are named.

    Raises
    ------
    WorkbenchError
        ``publication_liste``, ``historique_vide``, ``fichier_illisible``; those of `workbench.store.Store.replace`.
        Nothing is published then.
    """
    told = listed(source, card=card)
    for name, moment in (("released", released), ("expires", expires)):
        if moment is not None:
            checked_moment(moment, name)
    if not dry_run:
        store.install(POLICIES)
    before, ever = _alerted(store, reader, told)
    everyone = ever | set(told.alerts)
    entities: dict[str, list[Alert]] = {}
    for alert in _entities(told):
        entities.setdefault(alert.entity[:9], []).append(alert)
    sirens = [siren for siren in sorted(entities) if not alerts_only or siren in everyone]
    facts = Facts(history, sirens, as_of or told.batch, dict(activities or {}))
    terms = Terms(told.pair, () if badge is None else (badge,), released, expires)
    companies = {siren: facts.company(siren) for siren in sirens}
    published = [siren for siren in sirens if companies[siren].departements]
    if not published:
        # It would withdraw all that this list shows.
        raise WorkbenchError("publication_liste", cause="l'historique ne situe aucune de ses entreprises")

    def public() -> Iterator[dict[str, Any]]:
        for siren in published:
            yield from company_sheets(
                facts,
                companies[siren],
                entities[siren],
                terms,
                alerted=siren in everyone,
                alerted_before=siren in before,
            )

    pair = {BATCH: told.pair}
    reference = [*_list_sheets(told, facts, terms), *_labels(store, reader, activities)]
    replaced = store.replace(
        reader,
        {PUBLIC: public(), REFERENCE: reference},
        within={PUBLIC: [pair], REFERENCE: [pair]},
        released=released,
        dry_run=dry_run,
    )
    in_alert = set(told.alerts)
    return Publication(
        told.pair,
        told.label,
        len(published),
        sum(siren in in_alert for siren in published),
        tuple(siren for siren in sirens if not companies[siren].departements),
        sum(siren not in facts.watched for siren in published),
        replaced,
        dry_run,
    )


def plan_publication(store: Store, reader: Reader, source: Source, history: History, **options: Any) -> Publication:
    """Say what `publish` would change, and write nothing."""
    return publish(store, reader, source, history, **{**options, "dry_run": True})


def withdraw(
    store: Store, reader: Reader, batch: str, algo: str, *, released: str | None = None, dry_run: bool = False
) -> Replaced:
    """Withdraw a list: what was published of it becomes null, in one transaction.

    What agents wrote about it stays, as do the identities. What other lists show of a company that was in alert in this
    one alone is closed again when they are published again.

    Parameters
    ----------
    store, reader
        Where, and who.
    batch, algo
        Which list.
    released
        When; at once by default.
    dry_run
        Only say what would change.

    Raises
    ------
    WorkbenchError
        ``publication_absente`` when nothing of it is shown; those of `workbench.store.Store.replace`.
    """
    pair = {BATCH: batch_of(batch, algo)}
    replaced = store.replace(reader, {}, within={PUBLIC: [pair], REFERENCE: [pair]}, released=released, dry_run=dry_run)
    if not replaced.withdrawn:
        raise WorkbenchError("publication_absente", liste=batch_of(batch, algo))
    return replaced


def _entities(told: Listed) -> Iterator[Alert]:
    rows = zip(told.entities, told.probabilities.tolist(), told.differences.tolist(), told.ranks.tolist(), strict=True)
    for entity, score, difference, rank in rows:
        change = None if difference is None or math.isnan(difference) else difference
        yield Alert(entity, score, change, int(rank), told.explanations.get(entity) if rank else None)


def _alerted(store: Store, reader: Reader, told: Listed) -> tuple[set[str], set[str]]:
    """Return the companies in alert in the lists before this one, and in any other."""
    before: set[str] = set()
    every: set[str] = set()
    for memory in published_reference(store, reader, ALERTS.name):
        sirens: Iterable[str] = memory["value"].get("sirens") or ()
        pair = memory["key"][BATCH]
        if pair == told.pair:
            continue
        every |= set(sirens)
        if pair.split(".")[0] < told.batch:
            before |= set(sirens)
    return before, every


def _labels(store: Store, reader: Reader, activities: Mapping[str, str] | None) -> Iterator[dict[str, Any]]:
    """Give the labels; those of activities that were published stay when none is given."""
    told = {dotted(code) or "": label for code, label in (activities or {}).items()}
    return label_sheets(told or published_activities(store, reader))


def _list_sheets(told: Listed, facts: Facts, terms: Terms) -> Iterator[dict[str, Any]]:
    about = {
        "libelle": told.label,
        "algo": told.algo,
        "periode": told.periode,
        "date": facts.end.isoformat() if terms.released is None else terms.released[:10],
        "donnees": facts.last_days(),
        "seuils": dict(told.thresholds) or None,
        "carte": {name: value for name, value in told.card.items() if name not in _COUNTS},
    }
    key = {BATCH: told.pair}
    yield from shared_sheets_of(LIST, key_of(LIST, key), about, _NOWHERE, also=terms.also, **terms.dates)
    # Whoever has been in alert stays so: this memory does not expire with the list.
    yield from shared_sheets_of(ALERTS, key_of(ALERTS, key), {"sirens": told.alerts}, _NOWHERE)
