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
            with storage.open(identifier) as writer:
                outcome = storage.outcome(identifier)
                if not writer.complete:
                    over = storage.expires(identifier) < now
                elif published is not None and outcome is not None and outcome.state == PUBLISHED:
                    over = datetime.fromisoformat(outcome.at) + published < now
                else:
                    over = False
                if over:
                    storage.remove(writer)
                    count += 1
        except (FileNotFoundError, WorkbenchError):
            continue  # busy, removed meanwhile, or for the operator to look at
    _purge_orphans(storage, now)
    return count


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
