"""What a person changes in a query, from values that a browser sent: each is checked, none is believed.

`changed` gives another `Query` or raises; the query that was there stays as it was. Everything goes through the methods
of `Query`, which check what they are given: this module only knows the shapes of messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from workbench.dgfip.queries import Query
from workbench.dgfip.queries_measures import Measure
from workbench.errors import WorkbenchError
from workbench.types_appel import SOLDES, TYPES_APPEL

__all__ = ["allowed_types", "changed", "number_of"]

_MOST = 5_000
"""Most values of one list: a browser that sends more is no person."""


def changed(query: Query, field: object, value: object) -> Query:
    """Return a query with one thing changed.

    Parameters
    ----------
    query
        What is asked now.
    field
        One of the keys of `FIELDS`.
    value
        What the person chose: a text, a number, a list of texts, or an action on a list (``measures``, ``filters``).

    Raises
    ------
    WorkbenchError
        ``choix_inconnu`` for what no form sends, and those of the methods of `Query`.

    Examples
    --------
    >>> changed(Query(), "measures", {"action": "add", "text": "C70"}).spec.measures[0].name
    'C70'
    >>> changed(Query(), "population", ["1 000", ""]).spec.perimetre.population
    (1000, None)
    """
    change = FIELDS.get(field) if isinstance(field, str) else None
    if change is None:
        raise WorkbenchError("choix_inconnu", champ="Panneau", valeur=str(field)[:60])
    return _tidy(change(query, value))


def allowed_types(side: str) -> list[str]:
    """List the types d'appel that a side has.

    Examples
    --------
    >>> allowed_types("SD")
    ['SX', 'SS', 'BR', 'BE', 'BX']
    """
    sides = ("SC", "SD") if side == "S" else (side,)
    return [each for each in TYPES_APPEL if all((each, one) in SOLDES for one in sides)]


def number_of(text: str) -> str:
    r"""Return a number as it is written in French, without its blanks and with a dot.

    Examples
    --------
    >>> number_of("1\u202f234,50 €")
    '1234.50'
    """
    return re.sub(r"[\s€]", "", text).replace(",", ".")


def _unknown(value: object) -> WorkbenchError:
    return WorkbenchError("choix_inconnu", champ="Panneau", valeur=str(value)[:60])


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > _MOST or not all(isinstance(each, str) for each in value):
        raise _unknown(value)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _unknown(value)
    return value


def _position(value: object, length: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < length:
        raise _unknown(value)
    return value


def _criterion(name: str) -> Callable[[Query, object], Query]:
    def change(query: Query, value: object) -> Query:
        chosen = _texts(value)
        spec = query.spec
        cleared = replace(query, spec=replace(spec, perimetre=replace(spec.perimetre, **{name: None})))
        given: dict[str, Any] = {name: chosen}
        return cleared.where(**given) if chosen else cleared

    return change


def _nomenclature(query: Query, value: object) -> Query:
    text = _text(value)
    cleared = replace(query, spec=replace(query.spec, perimetre=replace(query.spec.perimetre, nomenclature=None)))
    return cleared.where(nomenclature=text) if text.strip() else cleared


def _population(query: Query, value: object) -> Query:
    if not isinstance(value, list) or len(value) != 2:
        raise _unknown(value)
    bounds = [number_of(_text(each)) for each in value]
    if not all(re.fullmatch(r"[0-9]{0,9}", each, re.ASCII) for each in bounds):
        raise WorkbenchError(
            "perimetre_invalide",
            critere="population",
            valeur=" à ".join(map(str, value))[:60],
            conseil="Écrivez des nombres d'habitants, par exemple 1 000 et 5 000, ou rien.",
        )
    low, high = (int(each) if each else None for each in bounds)
    return query.where(population=(low, high))


def _name(query: Query, value: object) -> Query:
    return query.where(name=_text(value)[:500])


def _comptes(query: Query, value: object) -> Query:
    chosen = _texts(value)
    return query.where(comptes=chosen) if chosen else replace(query, spec=replace(query.spec, comptes=None))


def _fonctions(query: Query, value: object) -> Query:
    chosen = _texts(value)
    return query.where(fonctions=chosen) if chosen else replace(query, spec=replace(query.spec, fonctions=None))


def _exercices(query: Query, value: object) -> Query:
    if not isinstance(value, list) or len(value) > _MOST:
        raise _unknown(value)
    return query.exercices(value) if value else replace(query, spec=replace(query.spec, exercices=None))


def _by(query: Query, value: object) -> Query:
    return query.by(*_texts(value))


def _measures(query: Query, value: object) -> Query:
    measures = query.spec.measures
    match value:
        case {"action": "add", "text": str(text)}:
            return query.measure(text)
        case {"action": "remove", "index": index}:
            place = _position(index, len(measures))
            gone = measures[place].name
            spec = replace(
                query.spec,
                measures=measures[:place] + measures[place + 1 :],
                filters=tuple(each for each in query.spec.filters if each.measure != gone),
            )
            return replace(query, spec=spec)
        case {"action": "edit", "index": index, "key": str(key), "value": given}:
            place = _position(index, len(measures))
            return _renamed(query, place, _edited(measures[place], key, given))
        case _:
            raise _unknown(value)


def _edited(measure: Measure, key: str, value: object) -> Measure:
    parts: dict[str, Any] = {
        "side": measure.side,
        "type_appel": measure.type_appel,
        "libelle": measure.libelle,
        "per_inhabitant": measure.per_inhabitant,
    }
    if key not in parts:
        raise _unknown(key)
    parts[key] = value is True if key == "per_inhabitant" else _text(value)
    side = parts.pop("side")
    if key == "side" and parts["type_appel"] not in allowed_types(side):
        # Balances have no d'ordre part: the person who asks for one means the whole.
        parts["type_appel"] = "SX"
    return Measure.of(f"{side}{measure.compte}", **parts)


def _renamed(query: Query, place: int, measure: Measure) -> Query:
    """Put a measure in the place of another; conditions and order follow its name."""
    spec = query.spec
    old, new = spec.measures[place].name, measure.name
    filters = tuple(replace(each, measure=new) if each.measure == old else each for each in spec.filters)
    order = tuple(
        f"{'-' if descending else ''}{new}" if bare == old else f"{'-' if descending else ''}{bare}"
        for bare, descending in spec.ordering
    )
    measures = (*spec.measures[:place], measure, *spec.measures[place + 1 :])
    return replace(query, spec=replace(spec, measures=measures, filters=filters, order=order))


def _filters(query: Query, value: object) -> Query:
    filters = query.spec.filters
    match value:
        case {"action": "add", "measure": str(measure), "operator": str(operator), "value": str(amount)}:
            return query.filter(measure, operator, number_of(amount))
        case {"action": "remove", "index": index}:
            place = _position(index, len(filters))
            return replace(query, spec=replace(query.spec, filters=filters[:place] + filters[place + 1 :]))
        case _:
            raise _unknown(value)


def _order(query: Query, value: object) -> Query:
    ordered = query.order_by(*_texts(value))
    known = set(ordered.spec.headings)
    for bare, _ in ordered.spec.ordering:
        if bare not in known:
            raise _unknown(bare)
    return ordered


def _limit(query: Query, value: object) -> Query:
    text = number_of(_text(value))
    if not text:
        return query.limit(None)
    return query.limit(int(text) if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) else cast("int", _text(value)))


def _tidy(query: Query) -> Query:
    """Drop the order by columns that the query has no more."""
    known = set(query.spec.headings)
    order = tuple(f"{'-' if descending else ''}{bare}" for bare, descending in query.spec.ordering if bare in known)
    return query if order == query.spec.order else query.order_by(*order)


FIELDS: Mapping[str, Callable[[Query, object], Query]] = {
    **{name: _criterion(name) for name in ("departements", "types", "sirets", "sirens", "finess", "epci")},
    "nomenclature": _nomenclature,
    "population": _population,
    "name": _name,
    "comptes": _comptes,
    "fonctions": _fonctions,
    "exercices": _exercices,
    "by": _by,
    "measures": _measures,
    "filters": _filters,
    "order": _order,
    "limit": _limit,
}
"""What may be changed, by the name that the form gives it."""
