"""Whether facts are what their type says (specification 3.5): rules as data, run as statements over whole tables.

A rule names fields and what must hold of each; adding one is a line of `RULES`. A field that must not be empty may
still be an empty text where the source writes so: what is refused is NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Text, false, func, null, or_, select, union_all

from workbench.signaux_faibles.batches import check_key
from workbench.signaux_faibles.history import schema
from workbench.signaux_faibles.history.base import History
from workbench.signaux_faibles.history.states import alive_at
from workbench.signaux_faibles.kinds import constant
from workbench.signaux_faibles.reading import tuple_values
from workbench.signaux_faibles.sources import source_named, sources
from workbench.signaux_faibles.sources.procol import ACTIONS, STAGES

__all__ = ["RULES", "Rule", "Validation", "entries", "offending", "validate"]

Wrong = Callable[[ColumnElement[Any]], ColumnElement[bool]]


@dataclass(frozen=True)
class Rule:
    """What must hold of fields of a type.

    Parameters
    ----------
    fields
        Names.
    wrong
        When a value, not empty, breaks it; None for the rule that a value is there.
    reason
        French, said of a row after the name of the field.
    """

    fields: tuple[str, ...]
    wrong: Wrong | None
    reason: str


def _there(*fields: str) -> Rule:
    return Rule(fields, None, "valeur absente")


def _one_of(field: str, *known: str) -> Rule:
    return Rule((field,), lambda value: value.not_in([constant(each) for each in known]), f"hors de {', '.join(known)}")


def _at_least(field: str, least: float) -> Rule:
    return Rule((field,), lambda value: value < constant(least), f"inférieur à {least:g}".replace(".", ","))


def _digits(field: str, count: int, *, empty: bool = False) -> Rule:
    """Return the rule of a text of so many digits: what is left once digits are taken away must be nothing."""

    def wrong(value: ColumnElement[Any]) -> ColumnElement[bool]:
        bare = func.translate(value, constant("0123456789"), constant(""), type_=Text())
        broken = or_(func.length(value) != constant(count), func.length(bare) != constant(0))
        return broken & (value != constant("")) if empty else broken

    return Rule((field,), wrong, f"n'a pas {count} chiffres")


def _every(type_: str, *besides: str) -> Rule:
    """Return the rule that all the fields of a type are there, some left out."""
    return _there(*(name for name, _ in schema.stored_fields(type_) if name not in besides))


RULES: dict[str, tuple[Rule, ...]] = {
    "admin_urssaf": (_every("admin_urssaf"),),
    "apconso": (_every("apconso"),),
    "apdemande": (_every("apdemande"),),
    "bdf": (_every("bdf"),),
    "ccsf": (
        _every("ccsf"),
        _one_of("stade", "DEBUT", "REFUS", "APPROB", "FIN", "REJ"),
        _one_of("action", "CCSF"),
    ),
    "cotisation": (_every("cotisation"),),
    # Files that name accounts give no identifier.
    "debit": (_every("debit", "debit_id"),),
    "delai": (_every("delai"), _at_least("duree_delai", 1), _at_least("montant_echeancier", 0.01)),
    "diane": (),
    "effectif": (_every("effectif"),),
    "effectif_ent": (_every("effectif_ent"),),
    "ellisphere": (
        _one_of("personne_pou_m_groupe", "P", "M", ""),
        _one_of("personne_pou_m_filiere", "P", "M", ""),
        _digits("siren_groupe", 9, empty=True),
    ),
    "paydex": (_every("paydex"),),
    "procol": (_every("procol"), _one_of("action_procol", *ACTIONS), _one_of("stade_procol", *STAGES)),
    "ratios_inpi": (),
    "reporder": (_every("reporder"),),
    "sirene": (_digits("siren", 9),),
    "sirene_histo": (_there("est_actif", "changement_statut_actif"),),
    "sirene_ul": (_there("raison_sociale", "statut_juridique"), _digits("statut_juridique", 4)),
}
"""Type to rules. A type that is not there has none; every key must be one, of nine or fourteen digits."""


@dataclass(frozen=True)
class Validation:
    """What is wrong of facts.

    Parameters
    ----------
    count
        Reasons found, over all rows.
    by_type
        Type to how many of them.
    """

    count: int
    by_type: dict[str, int]

    def __str__(self) -> str:
        if not self.count:
            return "Tous les faits sont conformes."
        return "\n".join(f"{type_} : {count} fait(s) non conforme(s)" for type_, count in self.by_type.items())


def validate(
    history: History, *, waiting: bool = False, as_of: str | None = None, types: Iterable[str] = ()
) -> Validation:
    """Count the facts that break a rule.

    Parameters
    ----------
    history
        The history.
    waiting
        Whether to look at what was imported and not compacted, instead of what is known.
    as_of
        A batch; the latest one by default.
    types
        All by default.

    Raises
    ------
    WorkbenchError
        ``source_inconnue``, ``batch_cle``.
    """
    counts = {}
    for type_ in types or sources():
        found = history.fetch(
            select(func.count().label("n")).select_from(
                offending(history, type_, waiting=waiting, as_of=as_of).subquery("offending")
            )
        )
        if count := int(found["n"][0].as_py()):
            counts[type_] = count
    return Validation(sum(counts.values()), counts)


def offending(history: History, type_: str, *, waiting: bool = False, as_of: str | None = None) -> Select[Any]:
    """Return every fact of a type that breaks a rule: ``batch, type, key, hash, field, reason``, and what it says.

    One row a fact and rule broken. ``batch`` is the one that brought the fact, ``said_<name>`` are its own fields.
    """
    source = source_named(type_)
    rows = schema.imported(type_) if waiting else schema.facts(type_)
    batch = rows.c.batch if waiting else rows.c.added
    until = None if as_of is None else check_key(as_of)
    alive = constant(True) if waiting else alive_at(rows, history.deliveries_of(type_), until)
    key = rows.c[source.scope.key]
    key_rule = _digits(source.scope.key, source.scope.digits)
    parts: list[Select[Any]] = []
    for rule in (key_rule, *RULES.get(type_, ())):
        for name in rule.fields:
            value = rows.c[name]
            broken = value.is_(None) if rule.wrong is None else rule.wrong(value)
            parts.append(_row(batch, type_, key, rows, name, rule.reason).where(broken, alive))
    if not history.has(type_):
        texts = ("batch", "type", "key", "field", "reason")
        empty: list[ColumnElement[Any]] = [null().cast(Text).label(name) for name in texts]
        empty.insert(3, null().cast(BigInteger).label("hash"))
        empty += [null().cast(kind).label(f"said_{name}") for name, kind in schema.stored_fields(type_)]
        return select(*empty).where(false())
    found = union_all(*parts).subquery("found")
    return select(found).order_by(found.c.key, found.c.hash, found.c.batch, found.c.field)


def entries(
    history: History, type_: str, *, waiting: bool = False, as_of: str | None = None
) -> Iterator[dict[str, Any]]:
    """Give each fact of a type that breaks rules once, as the specification's ``validate`` writes it (3.5).

    Yields
    ------
    dict
        ``_id`` (SIREN or SIRET), ``batchKey``, ``dataHash``, ``dataObject``, ``dataType``, and ``reason``, which says
        every rule broken.
    """
    source = source_named(type_)
    names = [name for name, _ in schema.stored_fields(type_)]
    every = history.fetch(offending(history, type_, waiting=waiting, as_of=as_of))
    rows = (row for batch in every.to_batches(10_000) for row in batch.to_pylist())
    for (batch, key, content), same in groupby(rows, lambda row: (row["batch"], row["key"], row["hash"])):
        found = list(same)
        # One fact may be in several files of a batch.
        reasons = dict.fromkeys(row["reason"] for row in found)
        yield {
            "_id": key,
            "batchKey": batch,
            "dataHash": content,
            "dataObject": tuple_values(source, {name: found[0][f"said_{name}"] for name in names}),
            "dataType": type_,
            "reason": " ; ".join(reasons),
        }


def _row(batch: Any, type_: str, key: Any, rows: Any, field: str, reason: str) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [
        batch.label("batch"),
        constant(type_).cast(Text).label("type"),
        key.label("key"),
        rows.c.hash.label("hash"),
        constant(field).cast(Text).label("field"),
        constant(f"{field} : {reason}").cast(Text).label("reason"),
        *(rows.c[name].label(f"said_{name}") for name, _ in schema.stored_fields(type_)),
    ]
    return select(*columns)
