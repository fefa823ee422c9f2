"""The rooms of the registry, with their tables."""

from __future__ import annotations

from importlib import import_module

from workbench.registry import Room

MODULES = (
    "workbench.identity.tables",
    "workbench.store.tables",
    "workbench.discussion.comments",
    "workbench.reports.jobs_tables",
    "workbench.reports.api_numbers",
    "workbench.reports.schedules",
    "workbench.signaux_faibles.detection.registered",
)
"""What declares a room."""


def declared_rooms() -> list[Room]:
    return [import_module(each).ROOM for each in MODULES]
