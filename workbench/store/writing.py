"""Publishing: sheets checked against the policies, then added, all of them or none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from workbench.errors import WorkbenchError
from workbench.registry import new_identifier
from workbench.store.files import LARGEST_FILE, add_files
from workbench.store.item import NULL, Item, check_policy, concerns_policies
from workbench.store.keys import BUCKET, canonical, comparable, digest
from workbench.store.policies import Access
from workbench.store.policies_stored import changed
from workbench.store.rows import add_new_rows, add_rows, new_numbers, prefer_indexes
from workbench.store.tables import CHANGE, KEY, OBJECT, PROPERTY, SCOPE, SCOPE_BADGE, SHEET, TEXT

__all__ = ["check_rights", "publish"]

PART = 2000
"""Sheets added by one statement, if their files do not weigh more than the heaviest one."""


def check_rights(access: Access, written: Item, number: int) -> None:
    """Refuse what the person may not write.

    Raises
    ------
    WorkbenchError
        ``ecriture_interdite``, ``valeur_interdite``; ``politique_invalide`` once the rights are there.
    """
    place = f"[{number}]"
    if access.closed or access.missing_to_write(written.key):
        raise WorkbenchError("ecriture_interdite", endroit=place)
    allowed = access.writable(written.key)
    if allowed is not None and not written.value.keys() <= allowed:
        raise WorkbenchError("valeur_interdite", endroit=place)
    if written.key.get("type") == "credentials":
        raise WorkbenchError(
            "objet_invalide", endroit=place, cause="les mots de passe se tiennent avec workbench user, pas ici"
        )
    if concerns_policies(written):
        check_policy(written, place)


def publish(connection: Connection, access: Access, items: Iterable[Item], author: str, now: datetime) -> int:
    """Add sheets in the caller's transaction; return how many.

    Raises
    ------
    WorkbenchError
        Those of `check_rights`; what was added is for the caller to undo.
    """
    publication = new_identifier()
    prefer_indexes(connection)
    count = 0
    policies = False
    moments: dict[tuple[str, str | None], set[datetime]] = {}
    for part in _parts(items):
        for number, written in part:
            check_rights(access, written, number)
            if written.expires is not None and written.expires <= (written.released or now):
                cause = "expires précède sa publication"
                raise WorkbenchError("objet_invalide", endroit=f"[{number}]", cause=cause)
        if not policies and any(concerns_policies(written) for _, written in part):
            changed(connection)
            policies = True
        sheets = list(_sheets([written for _, written in part], now))
        _add(connection, sheets, author, publication, now)
        for written, _, moment in sheets:
            where = (written.key[BUCKET], written.key.get("type"))
            moments.setdefault(where, {now}).add(max(moment, now))
        count += len(part)
    changes = [(*where, moment) for where, found in moments.items() for moment in sorted(found)]
    if changes:
        buckets, types, ats = zip(*changes, strict=True)
        add_rows(connection, CHANGE, {"bucket": buckets, "type": types, "at": ats})
    return count


def _parts(items: Iterable[Item]) -> Iterator[list[tuple[int, Item]]]:
    """Part numbered items so that neither their rows nor their files fill the memory."""
    part: list[tuple[int, Item]] = []
    weight = 0
    for number, written in enumerate(items):
        part.append((number, written))
        weight += sum(len(each.content) for each in written.files.values())
        if len(part) == PART or weight >= LARGEST_FILE:
            yield part
            part, weight = [], 0
    if part:
        yield part


def _sheets(items: Iterable[Item], now: datetime) -> Iterator[tuple[Item, dict[str, Any], datetime]]:
    """Give the sheets of an item: its own, and the one that ends it."""
    for written in items:
        yield written, written.value, written.released or now
        if written.expires is not None:
            yield written, dict.fromkeys(written.value), written.expires


def _add(
    connection: Connection,
    sheets: Sequence[tuple[Item, dict[str, Any], datetime]],
    author: str,
    publication: str,
    now: datetime,
) -> None:
    objects = _objects(connection, [written.key for written, _, _ in sheets])
    scopes = _scopes(connection, [written.scope for written, _, _ in sheets])
    numbers = new_numbers(connection, SHEET, len(sheets))
    size = len(sheets)
    identifiers = [objects[digest(written.key)] for written, _, _ in sheets]
    scope_ids = [scopes[written.scope] for written, _, _ in sheets]
    released = [moment for _, _, moment in sheets]
    add_rows(
        connection,
        SHEET,
        {
            "id": numbers,
            "object_id": identifiers,
            "scope_id": scope_ids,
            "publication": [publication] * size,
            "added": [now] * size,
            "released": released,
            "author": [author] * size,
        },
    )
    rows: dict[str, list[Any]] = {column.name: [] for column in PROPERTY.columns}
    facts = zip(sheets, identifiers, scope_ids, numbers, strict=True)
    # Sheets of several scopes share their values: each is written once. All are held by `sheets`.
    known: dict[int, list[tuple[Any, ...]]] = {}
    for (written, value, moment), object_id, scope_id, number in facts:
        cells = known.get(id(value))
        if cells is None:
            stored = written.texts if value is written.value else dict.fromkeys(value, NULL)
            cells = known[id(value)] = [(name, *comparable(each), stored[name]) for name, each in value.items()]
        for name, rank, amount, text, whole in cells:
            row = (object_id, name, number, scope_id, moment, written.key[BUCKET], rank, amount, text, whole)
            for column, cell in zip(rows.values(), row, strict=True):
                column.append(cell)
    add_rows(connection, PROPERTY, rows)
    texts: dict[str, list[Any]] = {column.name: [] for column in TEXT.columns}
    ended = _texts_ended(connection, sheets, identifiers, scope_ids)
    for (written, value, moment), object_id, scope_id, number in zip(
        sheets, identifiers, scope_ids, numbers, strict=True
    ):
        words = _words(written, value, has_text=(object_id, scope_id) in ended)
        if words is not None:
            text = (number, object_id, scope_id, moment, written.key[BUCKET], words)
            for column, cell in zip(texts.values(), text, strict=True):
                column.append(cell)
    add_rows(connection, TEXT, texts)
    held = zip(sheets, identifiers, numbers, strict=True)
    # The sheet that ends an item has its names, and nulls for values.
    add_files(
        connection,
        [(object_id, number, item.files) for (item, value, _), object_id, number in held if value is item.value],
    )


def _words(written: Item, value: Mapping[str, Any], *, has_text: bool) -> str | None:
    """Return the text of a sheet: what ends a sheet, or makes all of it null, ends what it was found by."""
    if value is written.value and written.search is not None:
        return written.search
    ends = written.search is not None or has_text
    return "" if ends and value and all(each is None for each in value.values()) else None


def _texts_ended(
    connection: Connection,
    sheets: Sequence[tuple[Item, dict[str, Any], datetime]],
    identifiers: Sequence[int],
    scope_ids: Sequence[int],
) -> set[tuple[int, int]]:
    """Return the objects and scopes that have a text and are given nothing but nulls."""
    emptied = {
        (object_id, scope_id)
        for (_, value, _), object_id, scope_id in zip(sheets, identifiers, scope_ids, strict=True)
        if value and all(each is None for each in value.values())
    }
    if not emptied:
        return set()
    known = select(TEXT.c.object_id, TEXT.c.scope_id).where(TEXT.c.object_id.in_({each for each, _ in emptied}))
    return emptied & {(object_id, scope_id) for object_id, scope_id in connection.execute(known)}


def _objects(connection: Connection, keys: Sequence[dict[str, str]]) -> dict[bytes, int]:
    """Return the identifier of each key, by its digest; new ones are added."""
    bucket = keys[0][BUCKET]
    wanted = {digest(key): key for key in keys}
    found = _known(connection, bucket, list(wanted))
    lacking = [mark for mark in wanted if mark not in found]
    if not lacking:
        return found
    # Numbered as published, added in one order whoever writes: two writers of the same keys never cross.
    numbers = dict(zip(lacking, new_numbers(connection, OBJECT, len(lacking)), strict=True))
    lacking.sort()
    new = add_new_rows(
        connection,
        OBJECT,
        {
            "id": [numbers[mark] for mark in lacking],
            "bucket": [bucket] * len(lacking),
            "digest": lacking,
            "key": [canonical(wanted[mark]) for mark in lacking],
        },
    )
    found |= _known(connection, bucket, lacking)
    ours = set(new)
    pairs = [
        (identifier, name, value)
        for mark in lacking
        if (identifier := found[mark]) in ours
        for name, value in wanted[mark].items()
        if name != BUCKET
    ]
    columns = list(zip(*pairs, strict=True)) or [(), (), ()]
    add_rows(connection, KEY, dict(zip(("object_id", "name", "value"), columns, strict=True)))
    return found


def _known(connection: Connection, bucket: str, marks: Sequence[bytes]) -> dict[bytes, int]:
    rows = connection.execute(
        select(OBJECT.c.digest, OBJECT.c.id).where(OBJECT.c.bucket == bucket, OBJECT.c.digest.in_(marks))
    )
    return {bytes(mark): identifier for mark, identifier in rows}


def _scopes(connection: Connection, scopes: Sequence[frozenset[str]]) -> dict[frozenset[str], int]:
    marked = {digest(sorted(scope)): scope for scope in set(scopes)}
    marks = {mark: marked[mark] for mark in sorted(marked)}

    def known() -> dict[bytes, int]:
        rows = connection.execute(select(SCOPE.c.digest, SCOPE.c.id).where(SCOPE.c.digest.in_(list(marks))))
        return {bytes(mark): identifier for mark, identifier in rows}

    found = known()
    lacking = [mark for mark in marks if mark not in found]
    if lacking:
        ours = set(add_new_rows(connection, SCOPE, {"digest": lacking}))
        found = known()
        pairs = [(found[mark], badge) for mark in lacking if found[mark] in ours for badge in sorted(marks[mark])]
        columns = list(zip(*pairs, strict=True)) or [(), ()]
        add_rows(connection, SCOPE_BADGE, dict(zip(("scope_id", "badge"), columns, strict=True)))
    return {marks[mark]: identifier for mark, identifier in found.items()}
