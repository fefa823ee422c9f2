"""What a reader asks: a key, a date, filters, an order, a page; checked before anything is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workbench.errors import WorkbenchError
from workbench.store.keys import BUCKET, canonical, checked_key, checked_moment

__all__ = ["OPERATORS", "Filter", "Question", "Sort", "question"]

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in", "not in")

FARTHEST = 2**31 - 1
MOST_FILTERS = 50
MOST_VALUES = 5000


@dataclass(frozen=True)
class Filter:
    """A condition on a first-level property: it passes when the property is visible, not null, and compares so."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True)
class Sort:
    """An order by one property: booleans, numbers, then texts; what has none of these comes last."""

    field: str
    descending: bool = False


@dataclass(frozen=True)
class Question:
    """A question, checked.

    Parameters
    ----------
    key
        Pairs that the objects must have; empty for all the bucket.
    date
        As of when; None for now. A date to come is now.
    filters
        All must pass.
    sort
        None for an order that depends on keys alone.
    limit, offset
        The page; ``limit`` None for everything.
    """

    key: Mapping[str, str]
    date: datetime | None = None
    filters: tuple[Filter, ...] = ()
    sort: Sort | None = None
    limit: int | None = None
    offset: int = 0


def question(asked: Any) -> Question:
    """Read a question as the HTTP interface receives it.

    Parameters
    ----------
    asked
        ``{key, date, filter: [{field, operator, value}], sort: [{field, order}], limit, offset}``, all optional;
        ``order`` is 1 or -1.

    Raises
    ------
    WorkbenchError
        ``seau_invalide`` when the key names the bucket, ``cle_invalide``, ``date_invalide``, ``question_invalide``.

    Examples
    --------
    >>> question({"key": {"type": "detail"}, "sort": [{"field": "score", "order": -1}], "limit": 50}).sort
    Sort(field='score', descending=True)
    """
    if not isinstance(asked, Mapping):
        raise _refused("un objet JSON est attendu")
    unknown = sorted(str(name) for name in set(asked) - {"key", "date", "filter", "sort", "limit", "offset"})
    if unknown:
        raise _refused(f"champ inconnu « {unknown[0][:60]} »")
    key = checked_key(asked["key"]) if asked.get("key") is not None else {}
    if BUCKET in key:
        raise WorkbenchError("seau_invalide", cause="la clé d'une lecture ne le nomme pas")
    return Question(
        key,
        checked_moment(asked["date"], "date") if asked.get("date") is not None else None,
        _filters(asked.get("filter")),
        _sort(asked.get("sort")),
        _count(asked.get("limit"), "limit", 1),
        _count(asked.get("offset"), "offset", 0) or 0,
    )


def _refused(cause: str) -> WorkbenchError:
    return WorkbenchError("question_invalide", cause=cause.encode(errors="replace").decode())


def _count(value: Any, name: str, least: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= FARTHEST:
        raise _refused(f"{name} doit être un entier d'au moins {least}")
    return int(value)


def _field(each: Any, place: str) -> str:
    field = each.get("field") if isinstance(each, Mapping) else None
    if not isinstance(field, str):
        raise _refused(f"chaque élément de {place} nomme une propriété dans field")
    try:
        field.encode()
    except UnicodeEncodeError:
        raise _refused(f"field de {place} n'est pas un texte") from None
    if "\0" in field:
        raise _refused(f"field de {place} contient un caractère nul")
    return field


def _filters(filters: Any) -> tuple[Filter, ...]:
    if filters is None:
        return ()
    if not isinstance(filters, list | tuple) or len(filters) > MOST_FILTERS:
        raise _refused(f"filter doit être une liste de {MOST_FILTERS} conditions au plus")
    return tuple(_filter(each) for each in filters)


def _filter(each: Any) -> Filter:
    field = _field(each, "filter")
    operator, value = each.get("operator"), each.get("value")
    if operator not in OPERATORS:
        raise _refused(f"operator est l'un de {' '.join(OPERATORS)}")
    listed = operator in ("in", "not in")
    values = value if listed else [value]
    if not isinstance(values, list | tuple) or len(values) > MOST_VALUES:
        raise _refused(f"« {operator} » attend une liste de {MOST_VALUES} valeurs au plus")
    if not all(isinstance(one, bool | int | float | str) for one in values):
        raise _refused("une condition compare à un nombre, un texte ou un booléen")
    try:
        canonical(values)
    except (ValueError, TypeError):
        raise _refused("une condition compare à une valeur que JSON sait écrire") from None
    return Filter(field, operator, tuple(values) if listed else value)


def _sort(sort: Any) -> Sort | None:
    if sort is None or sort == []:
        return None
    if not isinstance(sort, list | tuple) or len(sort) != 1:
        raise _refused("sort est une liste d'un seul critère")
    order = sort[0].get("order", 1) if isinstance(sort[0], Mapping) else 1
    if isinstance(order, bool) or order not in (1, -1):
        raise _refused("order vaut 1 (croissant) ou -1 (décroissant)")
    return Sort(_field(sort[0], "sort"), order == -1)
