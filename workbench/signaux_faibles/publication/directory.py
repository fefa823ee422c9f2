"""Publishing the directory: every établissement that a history knows, found by its name, SIREN or SIRET by everyone.

Millions of them are published by slices, each a transaction of the store: companies whose SIREN begin alike. What was
published of a slice is remembered by its fingerprint and its établissements, in a bucket that only publishers read, in
the same transaction. So an interrupted publication goes on where it was, the same again reads and writes nothing, and
an établissement that is no longer there is withdrawn. What lists say besides (`IDENTITY`'s other scopes) stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Boolean, Subquery, Text, func, select

from workbench.errors import WorkbenchError
from workbench.numbers import format_number
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.sirene_views import clean_sirene, clean_sirene_ul
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.publication.labels import label_sheets, published_activities
from workbench.signaux_faibles.publication.objects import (
    DIRECTORY,
    IDENTITY,
    PUBLIC,
    REFERENCE,
    Place,
    key_of,
    shared_sheets_of,
)
from workbench.signaux_faibles.publication.rights import POLICIES
from workbench.signaux_faibles.publication.series import plain
from workbench.signaux_faibles.publication.territories import DEPARTEMENTS
from workbench.signaux_faibles.publication.written import dotted, identity_of
from workbench.store import Reader, Store
from workbench.store.keys import digest

__all__ = ["PART", "Directory", "publish_directory"]

PART = 5000
"""Établissements of a transaction, or those of one slice when they are more."""

DIGITS = 3
"""Digits of the SIREN that name a slice."""

VERSION = 1
"""Of what is written of an établissement: another one publishes everything again."""

_NOWHERE = Place((), alerted=False)

_PLACE = (
    "siret", "siege", "departement", "commune", "code_postal", "adresse", "ape", "section", "date_creation",
    "est_actif", "latitude", "longitude",
)  # fmt: skip
_UNIT = ("raison_sociale", "statut_juridique", "activite_principale", "section", "est_actif")
_OF_UNIT = "unite_"
_COLUMNS = (*_PLACE, *(_OF_UNIT + name for name in _UNIT))


@dataclass
class Directory:
    """What a publication of the directory changes, or would change.

    Attributes
    ----------
    places : int
        Établissements that are published.
    nowhere : int
        Those that are not, for want of a département.
    slices, untouched : int
        How many slices there are, and how many of them are as they were published.
    by_change : dict
        Établissements that are ``new``, ``changed``, ``withdrawn`` and the ``same``.
    dry_run : bool
        Whether nothing was written.
    """

    places: int = 0
    nowhere: int = 0
    slices: int = 0
    untouched: int = 0
    by_change: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("new", "changed", "withdrawn", "same"), 0))
    dry_run: bool = False

    def lines(self) -> list[str]:
        """Say it, in French."""
        would = " (simulation : rien n'est écrit)" if self.dry_run else ""
        new, changed, withdrawn, same = (format_number(self.by_change[name]) for name in self.by_change)
        found = [
            f"Annuaire : {format_number(self.places)} établissements{would}.",
            f"  établissements : nouveaux {new}, modifiés {changed}, retirés {withdrawn}, inchangés {same}",
        ]
        if self.untouched:
            slices = format_number(self.slices)
            found.append(f"  tranches déjà publiées ainsi : {format_number(self.untouched)} sur {slices}")
        if self.nowhere:
            found.append(f"  sans département connu, non publiés : {format_number(self.nowhere)}")
        return found


@dataclass(frozen=True)
class _Slice:
    """Établissements whose SIREN begin by some digits, and their fingerprint."""

    digits: str
    mark: str
    rows: pa.Table


def publish_directory(
    store: Store,
    reader: Reader,
    history: History,
    *,
    as_of: str | None = None,
    activities: Mapping[str, str] | None = None,
    open_only: bool = False,
    again: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
) -> Directory:
    """Publish all the établissements that a history knows, for everyone to find.

    Parameters
    ----------
    store
        Where; the policies of companies are installed there.
    reader
        Who publishes: with the badge ``datawriter``.
    history
        An open history.
    as_of
        Key of the batch; the latest one by default.
    activities
        Labels of activities, by code without point; those published stay when none is given.
    open_only
        Leave out the établissements that are closed.
    again
        Compare every établissement to what the store holds, even where the fingerprint says that nothing changed.
    dry_run
        Only say what would change.
    progress
        Called after each transaction with how many établissements are done, of how many, and a word; whatever it raises
        stops the publication, and what is published stays: the same call goes on from there.

    Raises
    ------
    WorkbenchError
        ``annuaire_vide``; those of `workbench.store.Store.replace`.
    """
    if not dry_run:
        store.install(POLICIES)
    labels = {dotted(code) or "": label for code, label in (activities or {}).items()}
    labels = labels or published_activities(store, reader)
    asked = _known_places(history, as_of, open_only)
    counted = select(asked.c.chiffre, func.count(asked.c.siret.distinct()).label("nombre")).group_by(asked.c.chiffre)
    counts = {each["chiffre"]: each["nombre"] for each in history.fetch(counted).to_pylist()}
    total = sum(counts.values())
    if not total:
        raise WorkbenchError("annuaire_vide")
    if not dry_run:
        store.replace(reader, {REFERENCE: label_sheets(labels)}, whole=False)
    known = _fingerprints(store, reader)
    found = Directory(dry_run=dry_run)
    waiting: list[_Slice] = []
    done = 0

    def write() -> None:
        if waiting:
            _write(store, reader, waiting, labels, found)
            waiting.clear()
        if progress is not None:
            progress(done, total, "établissements")

    # What was published of companies that are nowhere any more is withdrawn last: nothing is hidden before its change.
    gone = dict(known)
    for digit in sorted(counts):
        wanted = select(asked).where(asked.c.chiffre == constant(digit)).order_by(*(asked.c[name] for name in _COLUMNS))
        for each in _slices(_once(history.fetch(wanted)), labels):
            done += each.rows.num_rows
            found.slices += 1
            located = each.rows.num_rows - _count_nowhere(each.rows)
            found.places += located
            found.nowhere += each.rows.num_rows - located
            if gone.pop(each.digits, None) == each.mark and not again:
                found.untouched += 1
                found.by_change["same"] += located
                continue
            waiting.append(each)
            if sum(one.rows.num_rows for one in waiting) >= PART:
                write()
    empty = pa.table({name: pa.array([], pa.string()) for name in _COLUMNS})
    nothing = _mark(empty, labels)
    waiting += [_Slice(digits, nothing, empty) for digits, mark in sorted(gone.items()) if mark != nothing]
    write()
    return found


def _known_places(history: History, as_of: str | None, open_only: bool) -> Subquery:
    """Select établissements with what is known of their company, and the first digit of their SIREN."""
    places = clean_sirene(history, as_of).subquery("places")
    units = clean_sirene_ul(history, as_of).subquery("units")
    siren = func.left(places.c.siret, constant(9), type_=Text())
    wanted = select(
        func.left(places.c.siret, constant(1), type_=Text()).label("chiffre"),
        *(places.c[name] for name in _PLACE),
        *(units.c[name].label(_OF_UNIT + name) for name in _UNIT),
    ).outerjoin(units, units.c.siren == siren)
    if open_only:
        wanted = wanted.where(
            func.coalesce(places.c.est_actif, constant(True), type_=Boolean()),
            func.coalesce(units.c.est_actif, constant(True), type_=Boolean()),
        )
    return wanted.subquery("annuaire")


def _once(rows: pa.Table) -> pa.Table:
    """Keep the first row of each établissement, in the order of their SIRET: a source may say one twice."""
    sirets = rows["siret"]
    if len(sirets) < 2:
        return rows
    other = pc.not_equal(sirets.slice(1), sirets.slice(0, len(sirets) - 1))
    return rows.filter(pa.chunked_array([[True], *other.chunks]))


def _slices(rows: pa.Table, labels: Mapping[str, str]) -> Iterator[_Slice]:
    """Part établissements, in the order of their SIRET, by the first digits of their SIREN."""
    rows = rows.combine_chunks()
    digits = pc.run_end_encode(pc.utf8_slice_codeunits(rows["siret"], 0, DIGITS).combine_chunks())
    start = 0
    for value, end in zip(digits.values.to_pylist(), digits.run_ends.to_pylist(), strict=True):
        part = rows.slice(start, end - start)
        yield _Slice(value, _mark(part, labels), part)
        start = end


def _mark(rows: pa.Table, labels: Mapping[str, str]) -> str:
    """Return the fingerprint of what is published of établissements."""
    told = hashlib.sha256(f"{VERSION} {digest(dict(labels)).hex()}".encode())
    columns = [pc.fill_null(pc.cast(rows[name], pa.string()), "\0") for name in _COLUMNS]
    for chunk in pc.binary_join_element_wise(*columns, "\x1f").chunks:
        told.update("\x1e".join(chunk.to_pylist()).encode())
    return told.hexdigest()


def _count_nowhere(rows: pa.Table) -> int:
    located = pc.is_in(rows["departement"], value_set=pa.array(DEPARTEMENTS, pa.string()))
    return sum(not each for each in located.to_pylist())


def _write(store: Store, reader: Reader, slices: Sequence[_Slice], labels: Mapping[str, str], found: Directory) -> None:
    """Publish slices in one transaction, and remember them."""
    before = {each.digits: _places_of(store, reader, each.digits) for each in slices}
    now: dict[str, list[str]] = {each.digits: [] for each in slices}

    def sheets() -> Iterator[dict[str, Any]]:
        for each in slices:
            ours = now[each.digits]
            for row in _rows(each.rows):
                place = {**row, "siege": bool(row["siege"])}
                if place["departement"] in DEPARTEMENTS:
                    ours.append(place["siret"])
                    yield _sheet(place["siret"], identity_of(_unit(place), place, _labelled(labels)))
            for siret in sorted(set(before[each.digits]).difference(ours)):
                yield _sheet(siret, {})

    def memory() -> Iterator[dict[str, Any]]:
        for each in slices:
            for kind, value in (("empreinte", each.mark), ("etablissements", now[each.digits])):
                key = {"type": kind, "tranche": each.digits}
                yield {"key": key, "scope": [], "value": {kind: value}}

    # The bucket of the memory comes second: what it says is known once the sheets were read.
    replaced = store.replace(reader, {PUBLIC: sheets(), DIRECTORY: memory()}, whole=False, dry_run=found.dry_run)
    for name, count in replaced.by_type.get(IDENTITY.name, {}).items():
        found.by_change[name] += count


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Give rows as they are published: no date, no NaN."""
    columns = [plain(table[name], month=False) for name in table.column_names]
    for row in zip(*columns, strict=True):
        yield dict(zip(table.column_names, row, strict=True))


def _unit(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[_OF_UNIT + name] for name in _UNIT}


def _labelled(labels: Mapping[str, str]) -> Callable[[str], str | None]:
    return lambda ape: labels.get(dotted(ape) or "")


def _sheet(siret: str, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Write what everyone sees of an établissement; nulls when there is nothing to say."""
    key = key_of(IDENTITY, {"siret": siret, "siren": siret[:9]})
    return next(shared_sheets_of(IDENTITY, key, {"sirene": dict(identity) or None, **identity}, _NOWHERE))


def _fingerprints(store: Store, reader: Reader) -> dict[str, str]:
    """Return the fingerprints of what is published, by slice."""
    found = store.browse(reader, DIRECTORY, key={"type": "empreinte"}, columns=["empreinte"])
    return {each["key"]["tranche"]: each["value"]["empreinte"] for each in found["objects"]}


def _places_of(store: Store, reader: Reader, digits: str) -> list[str]:
    """Return the établissements that were published of a slice."""
    try:
        (found,) = store.get(reader, DIRECTORY, {"type": "etablissements", "tranche": digits})
    except WorkbenchError as error:
        if error.code != "sans_donnees":
            raise
        return []
    return list(found["value"]["etablissements"])
