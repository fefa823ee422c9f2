"""How a room declares what it keeps: its tables, and the scripts that bring them from one version to the next.

Revisions of a room are modules of its package of migrations, named ``r0001_first_words.py``, ``r0002_…``: one straight
line, whose identifiers are ``0001``, ``0002``… Each holds ``revision``, ``down_revision`` and ``upgrade()``, in
Alembic's manner; nothing goes down, since a registry is restored from a copy. Each room has a version of its own,
in the table ``<room>_version``: a process opens the rooms it needs and no other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Column, MetaData, String, Table

__all__ = ["Room", "new_metadata"]

REVISION = re.compile(r"r(\d{4})_\w+")

NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s_index",
    "uq": "%(table_name)s_%(column_0_N_name)s_unique",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_reference",
    "pk": "%(table_name)s_key",
}
"""Every constraint has a name, the same on both databases: a migration can then change it."""


def new_metadata() -> MetaData:
    """Return metadata whose constraints all get a name."""
    return MetaData(naming_convention=NAMES)


@dataclass(frozen=True, eq=False)
class Room:
    """What a room keeps in the registry.

    Parameters
    ----------
    name
        The room, in lower-case letters; its tables begin with it.
    metadata
        Made by `new_metadata`; the tables of the room and no other.
    migrations
        The package of its revisions, dotted: ``"workbench.identity.migrations"``.

    Examples
    --------
    >>> Room("reports", new_metadata(), "workbench.reports.migrations").version_table.name
    'reports_version'
    """

    name: str
    metadata: MetaData
    migrations: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]{1,20}", self.name):
            raise ValueError(f"the name of a room is lower-case letters: {self.name}")

    def table(self, name: str, *columns: Any) -> Table:
        """Declare a table, ``<room>_<name>``, with its columns, constraints and indexes."""
        return Table(f"{self.name}_{name}", self.metadata, *columns)

    @cached_property
    def version_table(self) -> Table:
        """The table that holds the version of the room; Alembic's, under the room's name."""
        return Table(f"{self.name}_version", MetaData(), Column("version_num", String(32), primary_key=True))

    @cached_property
    def folder(self) -> Path:
        """The folder of the revisions."""
        found = find_spec(self.migrations)
        if found is None or not found.submodule_search_locations:
            raise ModuleNotFoundError(f"no package of migrations {self.migrations}")
        return Path(next(iter(found.submodule_search_locations)))

    @cached_property
    def version(self) -> str:
        """The last revision that this software knows."""
        known = [match[1] for path in self.folder.glob("r*.py") if (match := REVISION.fullmatch(path.stem))]
        return max(known)
