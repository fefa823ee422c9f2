"""Requests kept for as long as their readers need them: afterwards their files go, then their rows.

Only what was asked one at a time, of the service, is purged: the files of a batch are where its author chose.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, select

from workbench.registry import Registry
from workbench.reports.jobs_tables import ENDED, jobs

__all__ = ["purge_requests"]


def purge_requests(registry: Registry, older_than: timedelta, place: Path) -> int:
    """Delete the requests that ended longer ago than a delay, with their files; return how many.

    Interrupted, it can be run again: a row goes once its files are gone.

    Parameters
    ----------
    registry
        Where jobs are.
    older_than
        The delay, from the end of each.
    place
        The folder of the service: files elsewhere are their authors'.
    """
    place = place.absolute()
    with registry.read() as connection:
        limit = registry.now(connection) - older_than
        asked = select(jobs.c.id, jobs.c.folder, jobs.c.files)
        asked = asked.where(jobs.c.batch.is_(None), jobs.c.state.in_(ENDED), jobs.c.ended < limit)
        found = [row for row in connection.execute(asked) if Path(row.folder).is_relative_to(place)]
    for row in found:
        folder = Path(row.folder)
        for name in row.files.values():
            path = folder / name
            if path.parent == folder:
                path.unlink(missing_ok=True)
        with registry.write() as connection:
            connection.execute(delete(jobs).where(jobs.c.id == row.id, jobs.c.state.in_(ENDED)))
    for emptied in {Path(row.folder) for row in found} - {place}:
        if emptied.is_dir() and not any(emptied.iterdir()):
            emptied.rmdir()
    return len(found)
