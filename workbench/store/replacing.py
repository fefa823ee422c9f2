"""Replacing: what some keys hold becomes what is given, and only what differs is written.

An object is looked at whole: when a scope is no longer written, its nulls come before the sheets that stay, or they
would hide them from who reads both. Sheets are compared to what their own scope says, as of their release: who
publishes again the same thing writes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, select

from workbench.errors import WorkbenchError
from workbench.store.item import NULL, Item, item
from workbench.store.keys import checked_badges, digest, loads
from workbench.store.rule_sql import has_pairs
from workbench.store.tables import KEY, OBJECT, PROPERTY, SCOPE_BADGE

__all__ = ["REPLACING_LOCK", "Replaced", "Replacing", "scoped_items"]

REPLACING_LOCK = 0x77627375
"""On PostgreSQL, one replacement has it: what it compared to stays what it was."""

PART = 400
"""Objects looked up by one statement."""

_Rows = dict[frozenset[str], dict[str, list[tuple[datetime, str]]]]
"""Of an object: by scope and property, what was inserted, in order: release and value."""


@dataclass
class Replaced:
    """What replacing changes.

    Attributes
    ----------
    new, changed, withdrawn, same : int
        Objects: that nothing showed before, that differ, that nothing shows any more, that stay as they are.
    sheets : int
        Sheets written.
    by_type : dict
        The first four by the pair ``type`` of the objects.
    """

    new: int = 0
    changed: int = 0
    withdrawn: int = 0
    same: int = 0
    sheets: int = 0
    by_type: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What the journal keeps."""
        names = ("new", "changed", "withdrawn", "same", "sheets")
        return " ".join(f"{name}={getattr(self, name)}" for name in names)

    def count(self, key: Mapping[str, str], what: str) -> None:
        """Count an object."""
        setattr(self, what, getattr(self, what) + 1)
        of_type = self.by_type.setdefault(key.get("type", ""), {"new": 0, "changed": 0, "withdrawn": 0, "same": 0})
        of_type[what] += 1


def scoped_items(bucket: str, written: Iterable[Any]) -> Iterator[list[Item]]:
    """Read sheets, each of which may be written under several scopes: ``scopes``, a list of lists, for ``scope``.

    Raises
    ------
    WorkbenchError
        Those of `workbench.store.item.item`.
    """
    for number, each in enumerate(written):
        scopes = each.get("scopes") if isinstance(each, Mapping) else None
        if scopes is None:
            yield [item(bucket, each, number)]
            continue
        first = item(bucket, {name: value for name, value in each.items() if name != "scopes"}, number)
        yield [replace(first, scope=checked_badges(badges, f"[{number}].scopes")) for badges in scopes]


def _timeline(rows: Sequence[tuple[datetime, str]], moment: datetime) -> tuple[str, tuple[tuple[datetime, str], ...]]:
    """Return what a scope says of a property at a moment, and what it will say later."""
    current = NULL
    later: list[tuple[datetime, str]] = []
    for released, value in reversed(rows):
        if later and released >= later[-1][0]:
            # Inserted before what will hide it.
            continue
        if released <= moment:
            current = value
            break
        later.append((released, value))
    changes: list[tuple[datetime, str]] = []
    before = current
    for change in reversed(later):
        if change[1] != before:
            changes.append(change)
        before = change[1]
    return current, tuple(changes)


def _says(rows: Sequence[tuple[datetime, str]], moment: datetime) -> bool:
    """Tell whether a scope says something of a property, now or later."""
    current, later = _timeline(rows, moment)
    return current != NULL or any(value != NULL for _, value in later)


class Replacing:
    """One replacement in a bucket, within the caller's transaction.

    Parameters
    ----------
    connection
        The transaction.
    bucket
        Where.
    now
        The moment.
    replaced
        Where what changes is counted.
    whole
        Whether what is given of an object is all of it; otherwise scopes that are not given stay as they are.
    """

    def __init__(
        self, connection: Connection, bucket: str, now: datetime, replaced: Replaced, *, whole: bool = True
    ) -> None:
        self._whole = whole
        self._connection = connection
        self._bucket = bucket
        self._now = now
        self._touched: set[bytes] = set()
        self._scopes: dict[int, frozenset[str]] = {}
        self.replaced = replaced

    def differences(
        self, sheets: Iterable[list[Item]], within: Iterable[Mapping[str, str]], released: datetime | None = None
    ) -> Iterator[Item]:
        """Give the sheets to write.

        Parameters
        ----------
        sheets
            Those wanted; the ones of an object follow one another.
        within
            Keys: an object that has one of them and is not given is withdrawn.
        released
            When what is withdrawn is; None at once.

        Raises
        ------
        WorkbenchError
            ``objet_invalide`` when the sheets of an object do not follow one another.
        """
        objects = (
            (mark, [each for part in group for each in part])
            for mark, group in groupby((each for each in sheets if each), lambda each: digest(each[0].key))
        )
        while part := list(islice(objects, PART)):
            for mark, _ in part:
                if mark in self._touched:
                    cause = "les feuillets d'un même objet doivent se suivre"
                    raise WorkbenchError("objet_invalide", endroit="[]", cause=cause)
                self._touched.add(mark)
            stored = self._stored([mark for mark, _ in part])
            for mark, wanted in part:
                yield from self._object(stored.get(mark, {}), wanted)
        for key in within:
            yield from self._withdrawn(key, released)

    def _object(self, stored: _Rows, wanted: list[Item]) -> Iterator[Item]:
        given = {each.scope for each in wanted}
        orphans = {scope: dict(names) for scope, names in stored.items() if self._whole or scope in given}
        changed = []
        for each in wanted:
            texts = each.texts
            own = stored.get(each.scope, {})
            moment = self._now if each.released is None else max(each.released, self._now)
            if not all(self._as_wanted(own.get(name, ()), text, moment, each.expires) for name, text in texts.items()):
                changed.append(each)
            for name in texts:
                orphans.get(each.scope, {}).pop(name, None)
        released = wanted[0].released
        nulls = list(self._nulls(wanted[0].key, orphans, released))
        known = any(_says(rows, self._now) for names in stored.values() for rows in names.values())
        found = [*nulls, *wanted] if nulls else changed
        empty = not self._whole and all(text == NULL for each in wanted for text in each.texts.values())
        change = "withdrawn" if empty else "changed" if known else "new"
        self.replaced.count(wanted[0].key, change if found else "same")
        self.replaced.sheets += len(found)
        yield from found

    @staticmethod
    def _as_wanted(rows: Sequence[tuple[datetime, str]], text: str, moment: datetime, expires: datetime | None) -> bool:
        after = () if expires is None or text == NULL else ((expires, NULL),)
        # A null that was never written hides nothing, and yet a property that is there is shown.
        return bool(rows) and _timeline(rows, moment) == (text, after)

    def _nulls(
        self, key: dict[str, str], left: Mapping[frozenset[str], Mapping[str, Any]], released: datetime | None
    ) -> Iterator[Item]:
        for scope in sorted(left, key=sorted):
            names = [name for name, rows in sorted(left[scope].items()) if _says(rows, released or self._now)]
            if names:
                yield Item(key, scope, dict.fromkeys(names), released)

    def _withdrawn(self, key: Mapping[str, str], released: datetime | None) -> Iterator[Item]:
        wanted = select(OBJECT.c.digest, OBJECT.c.key).where(OBJECT.c.bucket == self._bucket)
        if key:
            (name, value), *rest = key.items()
            pair = KEY.alias("withdrawn")
            wanted = wanted.join(pair, pair.c.object_id == OBJECT.c.id).where(
                pair.c.name == name, pair.c.value == value, has_pairs(OBJECT.c.id, dict(rest))
            )
        rows = [(bytes(mark), text) for mark, text in self._connection.execute(wanted.order_by(OBJECT.c.digest))]
        left = iter([each for each in rows if each[0] not in self._touched])
        while part := list(islice(left, PART)):
            stored = self._stored([mark for mark, _ in part])
            for mark, text in part:
                self._touched.add(mark)
                found = list(self._nulls(loads(text), stored.get(mark, {}), released))
                if found:
                    self.replaced.count(found[0].key, "withdrawn")
                    self.replaced.sheets += len(found)
                    yield from found

    def _stored(self, marks: Sequence[bytes]) -> dict[bytes, _Rows]:
        rows = self._connection.execute(
            select(OBJECT.c.digest, PROPERTY.c.scope_id, PROPERTY.c.name, PROPERTY.c.released, PROPERTY.c.value)
            .select_from(OBJECT)
            .join(PROPERTY, PROPERTY.c.object_id == OBJECT.c.id)
            .where(OBJECT.c.bucket == self._bucket, OBJECT.c.digest.in_(marks))
            .order_by(PROPERTY.c.object_id, PROPERTY.c.sheet_id)
        ).all()
        self._read_scopes({each.scope_id for each in rows} - self._scopes.keys())
        found: dict[bytes, _Rows] = {}
        for mark, scope_id, name, released, value in rows:
            of_scope = found.setdefault(bytes(mark), {}).setdefault(self._scopes[scope_id], {})
            of_scope.setdefault(name, []).append((released, value))
        return found

    def _read_scopes(self, lacking: set[int]) -> None:
        badges: dict[int, set[str]] = defaultdict(set)
        left = iter(sorted(lacking))
        while part := list(islice(left, PART)):
            asked = select(SCOPE_BADGE.c.scope_id, SCOPE_BADGE.c.badge).where(SCOPE_BADGE.c.scope_id.in_(part))
            for scope_id, badge in self._connection.execute(asked):
                badges[scope_id].add(badge)
        self._scopes |= {scope_id: frozenset(badges.get(scope_id, ())) for scope_id in lacking}
