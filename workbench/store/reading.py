"""Reading: which objects answer a question, and what one person sees of them. Everything is decided in the database.

An object is found by its key, then asked for what is visible: of each first-level property, the last inserted of the
sheets that this person may see at that date. Filters and orders compare that, never what is hidden.

A sorted page walks the index of the property's values and keeps those that are the visible ones: its cost follows the
page. When a pair of the key names few objects, they are taken first.

No order is that of the objects' identifiers: they tell when an object began, be it by a sheet that is hidden. Objects
come in the order of their keys' digests, equal values in that of the sheets that hold them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)

from workbench.store.files import FILE_NAME
from workbench.store.keys import canonical, comparable, loads
from workbench.store.policies import Access
from workbench.store.question import Filter, Question
from workbench.store.rule_sql import found, has_pairs, object_allowed, scope_allowed
from workbench.store.tables import FILE, KEY, OBJECT, PROPERTY, PROPERTY_FILE, SHEET

__all__ = [
    "Eyes",
    "asked_objects",
    "found_objects",
    "has_visible_property",
    "passing",
    "seen",
    "seen_file",
    "visible_objects",
    "visible_properties",
]

FEW = 200
"""Objects of a pair that are looked at one by one."""

PART = 1000
"""Objects assembled by one statement."""

# Aliases are made once: building one costs more than finding a row. One stands alone in its own subquery, whatever is
# around it; those that may be nested in one another are different.
_RANKED = PROPERTY.alias("ranked")
_WINNER = PROPERTY.alias("winner")
_LATER = PROPERTY.alias("later")
_SHEET = SHEET.alias("seen")


@dataclass(frozen=True)
class Eyes:
    """What one person may see at one date.

    Parameters
    ----------
    access
        What policies mean for her in the bucket.
    bucket
        The bucket.
    date
        Sheets released later are not seen.
    """

    access: Access
    bucket: str
    date: datetime

    def sees(self, sheet: FromClause) -> ColumnElement[bool]:
        """Say that a row of sheets or of properties is visible, its object being allowed."""
        return and_(sheet.c.released <= self.date, scope_allowed(self.access, sheet.c.scope_id, sheet.c.object_id))

    def last(self, row: FromClause) -> ColumnElement[bool]:
        """Say that no later visible sheet has this property."""
        later = _LATER
        return not_(
            found(
                select(1)
                .select_from(later)
                .correlate_except(later)
                .where(
                    later.c.object_id == row.c.object_id,
                    later.c.name == row.c.name,
                    later.c.sheet_id > row.c.sheet_id,
                    self.sees(later),
                )
            )
        )


def found_objects(connection: Connection, eyes: Eyes, asked: Question) -> list[int]:
    """Return the objects of the page, in order."""
    # Nothing is answered sooner when the key is nobody's: it would tell it from a key that is hidden.
    few = _few(connection, asked)
    if asked.sort is None:
        wanted = _objects(eyes, asked, few).order_by(OBJECT.c.digest).limit(asked.limit).offset(asked.offset or None)
        return list(connection.execute(wanted).scalars())
    # Those that have the property, then those that have not: the page may stand astride.
    end = None if asked.limit is None else asked.offset + asked.limit
    ranked = list(connection.execute(_ranked(eyes, asked, few).limit(end)).scalars())
    if end is None or len(ranked) < end:
        rest = _objects(eyes, asked, few).where(not_(_has_rank(eyes, asked.sort.field, OBJECT.c.id)))
        left = None if end is None else end - len(ranked)
        ranked += connection.execute(rest.order_by(OBJECT.c.digest).limit(left)).scalars()
    return ranked[asked.offset : end]


def _few(connection: Connection, asked: Question) -> list[int] | None:
    """Return the objects of the rarest pair, when they are few; None otherwise."""
    if not asked.key:
        return None
    pairs = list(asked.key.items())
    given = {f"name_{number}": name for number, (name, _) in enumerate(pairs)}
    given |= {f"value_{number}": value for number, (_, value) in enumerate(pairs)}
    listed: dict[int, list[int]] = {number: [] for number in range(len(pairs))}
    for number, identifier in connection.execute(_of_pairs(len(pairs)), given):
        listed[number].append(identifier)
    rarest = min(listed.values(), key=len)
    return sorted(rarest) if len(rarest) <= FEW else None


@lru_cache(maxsize=16)
def _of_pairs(count: int) -> CompoundSelect[Any]:
    """List the first objects of each of so many pairs."""
    parts = []
    for number in range(count):
        same = (KEY.c.name == bindparam(f"name_{number}"), KEY.c.value == bindparam(f"value_{number}"))
        # Ordered as its index: a planner that believes the pair common would read the table from its beginning.
        rows = select(KEY.c.object_id).where(*same).order_by(KEY.c.object_id).limit(FEW + 1).subquery()
        parts.append(select(literal(number).label("pair"), rows.c.object_id))
    return union_all(*parts)


def passing(eyes: Eyes, filters: Sequence[Filter], object_id: Any) -> ColumnElement[bool]:
    """Say that an object is this person's to see, and that its visible properties pass filters."""
    shown = has_visible_property(eyes, object_id) if not filters else true()
    return and_(object_allowed(eyes.access, object_id), shown, *(_passes(eyes, each, object_id) for each in filters))


def asked_objects(eyes: Eyes, asked: Question, few: Sequence[int] | None, object_id: Any) -> list[ColumnElement[bool]]:
    """Say that an object is allowed, has the key asked, and passes the filters."""
    conditions = [has_pairs(object_id, asked.key), object_allowed(eyes.access, object_id)]
    conditions += [_passes(eyes, each, object_id) for each in asked.filters]
    if few is not None:
        conditions.insert(0, object_id.in_(few))
    return conditions


def has_visible_property(eyes: Eyes, object_id: Any) -> ColumnElement[bool]:
    """Say that something of an object is visible."""
    row = _WINNER
    return found(select(1).select_from(row).correlate_except(row).where(row.c.object_id == object_id, eyes.sees(row)))


def _objects(eyes: Eyes, asked: Question, few: Sequence[int] | None) -> Select[Any]:
    return (
        select(OBJECT.c.id)
        .where(OBJECT.c.bucket == eyes.bucket, has_visible_property(eyes, OBJECT.c.id))
        .where(*asked_objects(eyes, asked, few, OBJECT.c.id))
    )


def _ranked(eyes: Eyes, asked: Question, few: Sequence[int] | None) -> Select[Any]:
    assert asked.sort is not None  # noqa: S101 - narrows the type
    row = _RANKED
    order = [row.c.rank, row.c.number, row.c.text, row.c.sheet_id]
    return (
        select(row.c.object_id)
        .where(row.c.bucket == eyes.bucket, row.c.name == asked.sort.field, row.c.rank.is_not(None))
        .where(eyes.sees(row), eyes.last(row))
        .where(*asked_objects(eyes, asked, few, row.c.object_id))
        .order_by(*(each.desc() if asked.sort.descending else each for each in order))
    )


def _winner(eyes: Eyes, field: str, object_id: Any, condition: Any) -> ColumnElement[bool]:
    """Say that the visible value of a property passes a condition on its row."""
    row = _WINNER
    return found(
        select(1)
        .select_from(row)
        .correlate_except(row)
        .where(row.c.object_id == object_id, row.c.name == field, condition(row), eyes.sees(row), eyes.last(row))
    )


def _has_rank(eyes: Eyes, field: str, object_id: Any) -> ColumnElement[bool]:
    return _winner(eyes, field, object_id, lambda row: row.c.rank.is_not(None))


def _passes(eyes: Eyes, asked: Filter, object_id: Any) -> ColumnElement[bool]:
    def condition(row: FromClause) -> ColumnElement[bool]:
        if asked.operator in ("in", "=", "not in", "!="):
            values = asked.value if isinstance(asked.value, tuple) else (asked.value,)
            same = or_(false(), *(_same(row, values, rank) for rank in (1, 2, 3)))
            # A property of another kind is different; a list, an object or a null does not compare.
            return same if asked.operator in ("in", "=") else and_(row.c.rank.is_not(None), not_(same))
        rank, number, text = comparable(asked.value)
        column, value = (row.c.text, text) if rank == 3 else (row.c.number, number)
        comparison = {"<": column < value, "<=": column <= value, ">": column > value, ">=": column >= value}
        return and_(row.c.rank == rank, comparison[asked.operator])

    return _winner(eyes, asked.field, object_id, condition)


def _same(row: FromClause, values: Sequence[Any], rank: int) -> ColumnElement[bool]:
    compared = [(comparable(value), value) for value in values]
    ours = [(each[1], each[2], value) for each, value in compared if each[0] == rank]
    if not ours:
        return false()
    if rank == 3:
        # The comparable text is cut: the whole of it is in the value.
        whole = row.c.value.in_([canonical(value) for _, _, value in ours])
        return and_(row.c.rank == rank, row.c.text.in_([text for _, text, _ in ours]), whole)
    return and_(row.c.rank == rank, row.c.number.in_([number for number, _, _ in ours]))


def seen(connection: Connection, eyes: Eyes, objects: Sequence[int]) -> list[dict[str, Any]]:
    """Assemble what this person sees of objects that `found_objects` returned.

    Returns
    -------
    list of dict
        ``key`` (with the bucket), ``value``, ``addDate`` (the last addition of a visible sheet), in the given order.
    """
    answer: list[dict[str, Any]] = []
    left = iter(objects)
    while part := list(islice(left, PART)):
        objects_seen = {
            identifier: {"key": loads(key), "value": {}, "addDate": added}
            for identifier, key, added in connection.execute(_heads(eyes, part))
        }
        for identifier, name, value in connection.execute(_values(eyes, part)):
            objects_seen[identifier]["value"][name] = loads(value)
        answer += [objects_seen[identifier] for identifier in part if objects_seen[identifier]["value"]]
    return answer


def seen_file(connection: Connection, eyes: Eyes, identifier: int, name: str) -> tuple[dict[str, Any], bytes] | None:
    """Return the file that is the visible value of a property of an object that `found_objects` returned.

    Returns
    -------
    tuple or None
        What is said of it, and its content as it is kept; None when what is visible is no file, or nothing is.
    """
    row = _WINNER
    wanted = (
        select(row.c.value, FILE.c.content)
        .select_from(row)
        .join(
            PROPERTY_FILE,
            and_(
                PROPERTY_FILE.c.object_id == row.c.object_id,
                PROPERTY_FILE.c.name == row.c.name,
                PROPERTY_FILE.c.sheet_id == row.c.sheet_id,
            ),
        )
        .join(FILE, FILE.c.id == PROPERTY_FILE.c.file_id)
        .where(row.c.object_id == identifier, row.c.name == name, eyes.sees(row), eyes.last(row))
    )
    found = connection.execute(wanted).one_or_none()
    return None if found is None else (loads(found.value)[FILE_NAME], bytes(found.content))


def visible_objects(
    connection: Connection, eyes: Eyes, key: Mapping[str, str], among: Mapping[str, frozenset[str]] | None = None
) -> Select[Any]:
    """Select identifier and key of the objects of a key that policies allow, in the order of their keys' digests.

    Of those that have one of the values of a pair of ``among`` alone, when it is given.
    """
    allowed = _allowed(connection, eyes, key, among).subquery()
    return select(OBJECT.c.id, OBJECT.c.key).join(allowed, allowed.c.object_id == OBJECT.c.id).order_by(OBJECT.c.digest)


def visible_properties(
    connection: Connection, eyes: Eyes, key: Mapping[str, str], among: Mapping[str, frozenset[str]] | None = None
) -> Select[Any]:
    """Select ``object_id, name, sheet_id, value`` of every visible row of properties of those objects, in no order."""
    allowed, row = _allowed(connection, eyes, key, among).subquery(), _WINNER
    return (
        select(row.c.object_id, row.c.name, row.c.sheet_id, row.c.value)
        .select_from(allowed)
        .join(row, row.c.object_id == allowed.c.object_id)
        .where(eyes.sees(row))
    )


def _allowed(
    connection: Connection, eyes: Eyes, key: Mapping[str, str], among: Mapping[str, frozenset[str]] | None
) -> Select[Any]:
    """Select the objects of a key that policies allow, by the pair that names the fewest of them."""
    if among is not None:
        few = or_(false(), *(and_(KEY.c.name == name, KEY.c.value.in_(sorted(among[name]))) for name in sorted(among)))
        return (
            select(KEY.c.object_id)
            .distinct()
            .join(OBJECT, OBJECT.c.id == KEY.c.object_id)
            .where(few, OBJECT.c.bucket == eyes.bucket)
            .where(has_pairs(KEY.c.object_id, key), object_allowed(eyes.access, KEY.c.object_id))
        )

    def count(pair: tuple[str, str]) -> int:
        named = select(func.count()).select_from(KEY).where(KEY.c.name == pair[0], KEY.c.value == pair[1])
        return connection.execute(named).scalar_one()

    name, value = min(key.items(), key=count)
    rest = {each: other for each, other in key.items() if each != name}
    return (
        select(KEY.c.object_id)
        .join(OBJECT, OBJECT.c.id == KEY.c.object_id)
        .where(KEY.c.name == name, KEY.c.value == value, OBJECT.c.bucket == eyes.bucket)
        .where(has_pairs(KEY.c.object_id, rest), object_allowed(eyes.access, KEY.c.object_id))
    )


def _heads(eyes: Eyes, part: list[int]) -> Select[Any]:
    sheet = _SHEET
    added = (
        select(func.max(sheet.c.added))
        .select_from(sheet)
        .correlate_except(sheet)
        .where(sheet.c.object_id == OBJECT.c.id, eyes.sees(sheet))
        .scalar_subquery()
    )
    return select(OBJECT.c.id, OBJECT.c.key, added).where(OBJECT.c.id.in_(part))


def _values(eyes: Eyes, part: list[int]) -> Select[Any]:
    row = _WINNER
    turn = func.row_number().over(partition_by=[row.c.object_id, row.c.name], order_by=row.c.sheet_id.desc())
    rows = (
        select(row.c.object_id, row.c.name, row.c.value, turn.label("turn"))
        .where(row.c.object_id.in_(part), eyes.sees(row))
        .where(true())
        .subquery()
    )
    return (
        select(rows.c.object_id, rows.c.name, rows.c.value)
        .where(rows.c.turn == 1)
        .order_by(rows.c.object_id, rows.c.name)
    )
