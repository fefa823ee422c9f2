"""Every room that keeps something in the registry: what is backed up, upgraded and watched whole.

A process opens the rooms that it needs, by what they declare; only what is about the registry as a whole asks for all
of them, and then for their versions alone: nothing else of a room is imported here. A test holds this list to the rooms
that the package declares.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from workbench.registry import Room, new_metadata

__all__ = ["DECLARED", "all_rooms"]

DECLARED = {
    "identity": "workbench.identity.migrations",
    "store": "workbench.store.migrations",
    "discussion": "workbench.discussion.migrations",
    "reports": "workbench.reports.migrations",
    "api": "workbench.reports.api_migrations",
    "schedules": "workbench.reports.schedules_migrations",
    "detection": "workbench.signaux_faibles.detection.migrations",
}
"""Their names, and their packages of revisions."""


class _Known(Room):
    """A room of which the version alone is asked: to find its revisions imports none of what is beside them."""

    @cached_property
    def folder(self) -> Path:
        """The folder of the revisions."""
        return Path(__file__).parents[1].joinpath(*self.migrations.split("."))


def all_rooms() -> tuple[Room, ...]:
    """Return the rooms, without their tables.

    Examples
    --------
    >>> sorted(room.name for room in all_rooms())[:3]
    ['api', 'detection', 'discussion']
    """
    return tuple(_Known(name, new_metadata(), migrations) for name, migrations in DECLARED.items())
