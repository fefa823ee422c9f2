"""Every room that keeps something in the registry: what is backed up, upgraded and counted whole.

A process opens the rooms that it needs; only what is about the registry as a whole asks for all of them. A test holds
this list to the rooms that the package declares.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.registry import Room

__all__ = ["DECLARED", "all_rooms"]

DECLARED = (
    "workbench.identity.tables",
    "workbench.store.tables",
    "workbench.discussion.comments",
    "workbench.reports.jobs_tables",
    "workbench.reports.api_numbers",
    "workbench.reports.schedules",
    "workbench.signaux_faibles.detection.registered",
)
"""Modules whose ``ROOM`` is one of them."""


def all_rooms() -> tuple[Room, ...]:
    """Return the rooms.

    Examples
    --------
    >>> sorted(room.name for room in all_rooms())[:3]
    ['api', 'detection', 'discussion']
    """
    return tuple(import_module(each).ROOM for each in DECLARED)
