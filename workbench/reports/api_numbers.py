"""Numbers for what HTTP clients name by an integer: scripts of the old application keep ``id`` and ``report_id`` so.

Here trames have codes and jobs long identifiers. A number is given the first time that a thing is shown, and is that
thing's for ever: a trame that comes back under its code has its number back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from sqlalchemy import Column, Connection, Integer, Text, UniqueConstraint, insert, select
from sqlalchemy.exc import IntegrityError

from workbench.registry import Registry, Room, new_metadata

__all__ = ["ROOM", "name_of", "new_number", "numbers_of"]

ROOM = Room("api", new_metadata(), "workbench.reports.api_migrations")

_numbers = ROOM.table(
    "number",
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("kind", "name"),
)

LARGEST = 2**31 - 1
_TOGETHER = 5_000
"""Names of one statement: databases count parameters."""


def numbers_of(registry: Registry, kind: str, names: Iterable[str]) -> dict[str, int]:
    """Return the number of each thing, given now to those that have none.

    Parameters
    ----------
    registry
        Opened with `ROOM`.
    kind
        What they are: ``frame``, ``indicator``, ``report``…
    names
        What each is called here.
    """
    wanted = list(dict.fromkeys(names))
    found: dict[str, int] = {}
    for part in _parts(wanted):
        with registry.read() as connection:
            known = _known(connection, kind, part)
        absent = [name for name in part if name not in known]
        if absent:
            known |= _given(registry, kind, absent)
        found |= known
    return found


def new_number(connection: Connection, kind: str, name: str) -> int:
    """Give a number to what is being made in a transaction, and has none."""
    added = connection.execute(insert(_numbers).values(kind=kind, name=name))
    return int(added.inserted_primary_key[0])  # type: ignore[index]


def _given(registry: Registry, kind: str, names: list[str]) -> dict[str, int]:
    while True:
        try:
            with registry.write() as connection:
                known = _known(connection, kind, names)
                rows = [{"kind": kind, "name": name} for name in names if name not in known]
                if rows:
                    connection.execute(insert(_numbers), rows)
                return _known(connection, kind, names)
        except IntegrityError:
            # Another request gave a number to one of them at the same moment: it is known now.
            continue


def _known(connection: Connection, kind: str, names: list[str]) -> dict[str, int]:
    chosen = select(_numbers.c.name, _numbers.c.number).where(_numbers.c.kind == kind, _numbers.c.name.in_(names))
    return {row.name: row.number for row in connection.execute(chosen)}


def _parts(names: list[str]) -> Iterator[list[str]]:
    left = iter(names)
    while part := list(islice(left, _TOGETHER)):
        yield part


def name_of(registry: Registry, kind: str, number: int) -> str | None:
    """Return what has a number, None when nothing of this kind has it."""
    if not 0 < number <= LARGEST:
        return None
    with registry.read() as connection:
        chosen = select(_numbers.c.name).where(_numbers.c.number == number, _numbers.c.kind == kind)
        name: str | None = connection.execute(chosen).scalar_one_or_none()
    return name
