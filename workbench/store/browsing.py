"""Browsing a long list: its pages, its counts, without reading it again at each question.

What a key holds for those who have the same rights is read once (`View`) and kept as long as it would be read alike:
`stamp` changes with every publication in the bucket, at each moment when one of them is released or ends, and with a
purge. Rights are read again at each question; what they mean names the view. What a person's own objects lend her, the
companies she follows, is a small view beside the shared one (`workbench.store.overlay`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, or_, select

from workbench.errors import WorkbenchError
from workbench.store.fetching import fetched
from workbench.store.keys import checked_text, digest, loads
from workbench.store.overlay import Overlay
from workbench.store.policies import Access
from workbench.store.question import Filter, Sort, question
from workbench.store.reading import Eyes, visible_objects, visible_properties
from workbench.store.tables import CHANGE
from workbench.store.view import Column, View
from workbench.store.words import words_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Browsing", "Views", "browsed", "browsing", "meaning", "read_view", "stamp"]

MOST_OBJECTS = 200_000
"""Objects of a key that are kept in memory; more are to be read by pages."""

MOST_CELLS = 12_000_000
"""Cells of all that is kept, about twenty bytes each."""

MOST_FIELDS = 200


@dataclass(frozen=True)
class Browsing:
    """What is asked of a list.

    Parameters
    ----------
    key
        Pairs that the objects must have.
    filters
        All must pass; a field ``key.name`` is a pair of the key.
    words, among
        Words to be found in one of some fields.
    sort
        The order; that of keys' digests when it is None.
    limit, offset
        The page; none for everything.
    columns
        Properties that are written; None for all.
    counts
        Fields whose values are counted among what passes.
    """

    key: Mapping[str, str]
    filters: tuple[Filter, ...] = ()
    words: str = ""
    among: tuple[str, ...] = ()
    sort: Sort | None = None
    limit: int | None = None
    offset: int = 0
    columns: tuple[str, ...] | None = None
    counts: tuple[str, ...] = field(default=())


def browsing(asked: Any) -> Browsing:
    """Read what the HTTP interface receives.

    Parameters
    ----------
    asked
        ``{key, filter, text: {value, fields}, sort, limit, offset, columns, counts}``; ``key`` is required.

    Raises
    ------
    WorkbenchError
        ``question_invalide``, ``cle_invalide``, ``seau_invalide``.

    Examples
    --------
    >>> browsing({"key": {"type": "detection"}, "text": {"value": "Été", "fields": ["nom"]}, "limit": 50}).words
    'ete'
    """
    if not isinstance(asked, Mapping) or not asked.get("key"):
        raise _refused("key, qui nomme la liste, est attendu")
    own = {"text", "columns", "counts"}
    rest = question({name: value for name, value in asked.items() if name not in own})
    if rest.date is not None:
        raise _refused("champ inconnu « date »")
    text = asked.get("text")
    words: str = ""
    among: tuple[str, ...] = ()
    if text is not None:
        if not isinstance(text, Mapping) or set(text) != {"value", "fields"}:
            raise _refused("text est un objet {value, fields}")
        words, among = words_of(checked_text(text["value"], "text.value")), _names(text["fields"], "text.fields") or ()
    return Browsing(
        rest.key,
        rest.filters,
        words,
        among,
        rest.sort,
        rest.limit,
        rest.offset,
        _names(asked.get("columns"), "columns"),
        _names(asked.get("counts"), "counts") or (),
    )


def _refused(cause: str) -> WorkbenchError:
    return WorkbenchError("question_invalide", cause=cause)


def _names(names: Any, place: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    if not isinstance(names, list | tuple) or len(names) > MOST_FIELDS:
        raise _refused(f"{place} est une liste de {MOST_FIELDS} noms au plus")
    return tuple(checked_text(name, place) for name in names)


def browsed(view: View | Overlay, asked: Browsing) -> dict[str, Any]:
    """Answer from a view: ``objects`` of the page, ``total`` of what passes, ``counts`` by field."""
    rows = view.rows(asked.filters, asked.words, asked.among)
    end = None if asked.limit is None else asked.offset + asked.limit
    page = view.ordered(rows, asked.sort)[asked.offset : end] if asked.limit != 0 else ()
    return {
        "objects": view.objects(page, asked.columns),
        "total": len(rows),
        "counts": {name: view.counts(rows, name) for name in asked.counts},
    }


def stamp(connection: Connection, bucket: str, key: Mapping[str, str], date: datetime) -> tuple[int, int]:
    """Return what changes when objects of a key would be read otherwise."""
    # A purge says so in no bucket.
    counted = select(func.count(), func.max(CHANGE.c.id)).where(CHANGE.c.bucket.in_([bucket, ""]), CHANGE.c.at <= date)
    if "type" in key:
        counted = counted.where(or_(CHANGE.c.type.is_(None), CHANGE.c.type == key["type"]))
    count, last = connection.execute(counted).one()
    return int(count), int(last or 0)


def read_view(
    connection: Connection, eyes: Eyes, key: Mapping[str, str], among: Mapping[str, frozenset[str]] | None = None
) -> View:
    """Read all that a person sees of a key, or of the objects that have a pair of ``among``.

    Raises
    ------
    WorkbenchError
        ``question_invalide`` when she sees too much of it to be kept.
    """
    heads = list(connection.execute(visible_objects(connection, eyes, key, among).limit(MOST_OBJECTS + 1)))
    if len(heads) > MOST_OBJECTS:
        raise _refused(f"cette clé laisse plus de {MOST_OBJECTS} objets")
    identifiers = np.array([identifier for identifier, _ in heads], np.int64)
    ascending = np.argsort(identifiers)
    reading = _Reading(identifiers[ascending], ascending)
    for part in fetched(connection, visible_properties(connection, eyes, key, among)):
        reading.add(part)
    visible, columns = reading.columns()
    return View(_all_loads([heads[row][1] for row in visible]), columns)


class _Reading:
    """Properties as they come, in no order: of each object and name, the value of the last visible sheet.

    Parameters
    ----------
    identifiers
        Those of the objects, ascending.
    rows
        The place of each of them in the view.
    """

    def __init__(self, identifiers: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> None:
        self._identifiers = identifiers
        self._rows = rows
        self._found: dict[str, tuple[dict[str, int], npt.NDArray[np.int32], npt.NDArray[np.int64]]] = {}

    def add(self, part: pa.Table) -> None:
        """Take rows of ``object_id, name, sheet_id, value``."""
        # Of those of one object in a part, the last is written last.
        part = part.sort_by("sheet_id").combine_chunks()
        rows = self._rows[np.searchsorted(self._identifiers, part["object_id"].to_numpy())]
        sheet_ids = part["sheet_id"].to_numpy()
        names, values = (part[name].combine_chunks().dictionary_encode() for name in ("name", "value"))
        of_names, of_values = (each.indices.to_numpy() for each in (names, values))
        texts = values.dictionary.to_pylist()
        for number, name in enumerate(names.dictionary.to_pylist()):
            ours = np.flatnonzero(of_names == number)
            if name not in self._found:
                size = len(self._rows)
                self._found[name] = ({}, np.full(size, -1, np.int32), np.zeros(size, np.int64))
            known, codes, sheets = self._found[name]
            ours = ours[sheet_ids[ours] > sheets[rows[ours]]]
            distinct, places = np.unique(of_values[ours], return_inverse=True)
            coded = np.array([known.setdefault(texts[each], len(known)) for each in distinct], np.int32)
            codes[rows[ours]] = coded[places]
            sheets[rows[ours]] = sheet_ids[ours]

    def columns(self) -> tuple[npt.NDArray[np.int64], dict[str, Column]]:
        """Return the rows of the objects that have something visible, and the columns of these."""
        has = np.zeros(len(self._rows), np.bool_)
        for _, codes, _ in self._found.values():
            has |= codes >= 0
        visible = np.flatnonzero(has)
        return visible, {
            name: Column(codes[visible], _all_loads(list(values)), sheets[visible])
            for name, (values, codes, sheets) in self._found.items()
        }


def _all_loads(texts: list[str]) -> list[Any]:
    """Read texts that the store wrote in JSON, all at once."""
    read: list[Any] = loads(f"[{','.join(texts)}]")
    return read


def meaning(access: Access, bucket: str, key: Mapping[str, str]) -> bytes:
    """Name what a person's rights mean for the objects of a key: alike for those who see alike."""
    keyed = [
        {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(each).items()}
        for each in access.keyed
    ]
    return digest([bucket, dict(key), sorted(access.granted), sorted(access.required), access.closed, keyed])


class Views:
    """What was read, the least used forgotten first; threads share it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, tuple[tuple[int, int], View]] = OrderedDict()
        self._reading: dict[bytes, threading.Lock] = {}
        self._lock = threading.Lock()

    def kept(self, name: bytes, at: tuple[int, int]) -> View | None:
        """Return a view that would be read alike."""
        with self._lock:
            found = self._kept.get(name)
            if found is None or found[0] != at:
                return None
            self._kept.move_to_end(name)
            return found[1]

    def keep(self, name: bytes, at: tuple[int, int], view: View) -> None:
        """Keep a view in place of an earlier one."""
        with self._lock:
            self._kept[name] = (at, view)
            self._kept.move_to_end(name)
            cells = sum(each.cells for _, each in self._kept.values())
            while cells > MOST_CELLS and len(self._kept) > 1:
                _, (_, gone) = self._kept.popitem(last=False)
                cells -= gone.cells

    def turn(self, name: bytes) -> threading.Lock:
        """Return the lock of those who read the same view: one reads, the others wait for it."""
        with self._lock:
            if len(self._reading) > 1000:
                self._reading = {each: lock for each, lock in self._reading.items() if lock.locked()}
            return self._reading.setdefault(name, threading.Lock())
