"""What many processes write: one database, SQLite by default or PostgreSQL, whose tables the rooms above declare.

A room declares its tables and its migrations once, then opens the registry with them:

>>> import tempfile
>>> from sqlalchemy import Column, Text
>>> from workbench.registry import Room, new_metadata
>>> metadata = new_metadata()
>>> room = Room("essai", metadata, migrations="workbench.essai.migrations")
>>> room.table("note", Column("id", Text, primary_key=True)).name
'essai_note'

``open_registry(url, rooms=[room])`` brings the database to the version of this software; ``registry.read()`` and
``registry.write()`` are its transactions.
"""

from __future__ import annotations

from workbench.registry.columns import Moment, new_identifier
from workbench.registry.database import Registry, open_registry
from workbench.registry.room import Room, new_metadata

__all__ = ["Moment", "Registry", "Room", "new_identifier", "new_metadata", "open_registry"]
