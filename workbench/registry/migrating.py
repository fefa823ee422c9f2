"""The door to Alembic: brings a room's tables to the version of this software, and says how they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from workbench.registry.room import Room

__all__ = ["differences", "upgrade"]


def upgrade(connection: Connection, room: Room, to: str = "head") -> None:
    """Run the revisions that the database lacks, within the transaction of the caller: all of them or none.

    Parameters
    ----------
    connection
        In a transaction that no other migration shares.
    room
        Whose tables.
    to
        A revision; the last one by default.
    """
    script = ScriptDirectory(str(room.folder), version_locations=[str(room.folder)])

    def steps(current: Any, _context: MigrationContext) -> Sequence[Any]:
        return script._upgrade_revs(to, current)

    environment = EnvironmentContext(Config(), script, fn=steps, destination_rev=to)
    environment.configure(
        connection=connection,
        version_table=room.version_table.name,
        target_metadata=room.metadata,
        transactional_ddl=True,  # SQLite can, once the driver is kept from opening transactions by itself
    )
    environment.run_migrations()


def differences(connection: Connection, room: Room) -> list[Any]:
    """Return how the database differs from what the room declares, in Alembic's words; empty when it does not.

    The tests of a room call it after opening a new registry: a table declared without its revision is then seen.
    """
    wanted = {*room.metadata.tables, room.version_table.name}

    def ours(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "table" or name in wanted - {room.version_table.name}

    context = MigrationContext.configure(
        connection,
        opts={"version_table": room.version_table.name, "compare_type": True, "include_name": ours},
    )
    return list(compare_metadata(context, room.metadata))
