"""Remove from the working area what nobody will finish, and what was published long ago."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from workbench.errors import WorkbenchError
from workbench.uploads.outcome import PUBLISHED
from workbench.uploads.protocol import IDENTIFIER
from workbench.uploads.storage import Storage

__all__ = ["purge"]


def purge(storage: Storage, published: timedelta | None = None) -> int:
    """Remove what stayed unfinished too long, and what was published longer ago than a delay; returns how many.

    Published files keep the names that they have outside ``tusd/``; the service no longer recognises them.
    """
    now, count = datetime.now(UTC), 0
    for identifier in storage.identifiers():
        try:
            if not _is_over(storage, identifier, now, published):
                continue
            with storage.open(identifier) as writer:
                # A byte, or the last one, may have come before the lock.
                if _is_over(storage, identifier, now, published):
                    storage.remove(writer)
                    count += 1
        except (OSError, WorkbenchError):
            continue  # busy, removed meanwhile, or for the operator to look at
    _purge_orphans(storage, now)
    return count


def _is_over(storage: Storage, identifier: str, now: datetime, published: timedelta | None) -> bool:
    outcome = storage.outcome(identifier)
    if outcome is not None:
        kept = published if outcome.state == PUBLISHED else None
        return kept is not None and datetime.fromisoformat(outcome.at) + kept < now
    size = storage.info(identifier).size
    whole = size is not None and storage.data_path(identifier).stat().st_size >= size
    return not whole and storage.expires(identifier) < now


def _purge_orphans(storage: Storage, now: datetime) -> None:
    """Remove the data of creations that a stop cut before there was an ``.info``."""
    known = set(storage.identifiers())
    for entry in list(os.scandir(storage.tusd)):
        # A file being written has a name that begins with a dot.
        identifier = entry.name.lstrip(".").partition(".")[0]
        if identifier in known or not IDENTIFIER.fullmatch(identifier) or entry.name == f"{identifier}.info":
            continue
        try:
            if datetime.fromtimestamp(entry.stat().st_mtime, UTC) + timedelta(days=1) < now:
                os.unlink(entry.path)  # noqa: PTH108
        except FileNotFoundError:
            continue
