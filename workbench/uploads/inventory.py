"""The inventory of a storage: one row an upload, one column a metadata key met (specification, 1.6)."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.errors import WorkbenchError
from workbench.uploads.storage import Storage

__all__ = ["Row", "inventory", "inventory_table"]

ARRIVING, UNREADABLE = "arriving", "unreadable"


@dataclass(frozen=True)
class Row:
    """One upload.

    Parameters
    ----------
    identifier
        Of the upload.
    created
        When, in UTC, ISO 8601.
    size
        Bytes of the whole file; None when nobody told.
    arrived
        Bytes that came; None when they are no more in ``tusd/``.
    state
        ``arriving``, ``finishing``, ``quarantined``, ``published`` or ``unreadable``.
    reason
        Why it is in quarantine, or cannot be read.
    metadata
        As in ``.info``.
    """

    identifier: str
    created: str
    size: int | None
    arrived: int | None
    state: str
    reason: str
    metadata: dict[str, str]


def inventory(storage: Storage, space: str | None = None) -> list[Row]:
    """Return the uploads of a storage, or of one of its spaces, the oldest first."""
    found = [each for each in storage.identifiers() if space is None or _is_of(storage, each, space)]
    rows = [row for each in found if (row := _row(storage, each)) is not None]
    return sorted(rows, key=lambda row: (row.created, row.identifier))


def _is_of(storage: Storage, identifier: str, space: str) -> bool:
    try:
        return storage.cached_info(identifier).space == space
    except (FileNotFoundError, WorkbenchError):
        return False  # removed meanwhile, or of nobody that can be told


def _row(storage: Storage, identifier: str) -> Row | None:
    try:
        created = storage.created(identifier).isoformat(timespec="seconds").replace("+00:00", "Z")
    except FileNotFoundError:
        return None
    try:
        arrived: int | None = storage.data_path(identifier).stat().st_size
    except FileNotFoundError:
        arrived = None
    try:
        info, outcome = storage.info(identifier), storage.outcome(identifier)
    except WorkbenchError as error:
        if error.code == "depot_inconnu":
            return None
        return Row(identifier, created, None, arrived, UNREADABLE, error.message, {})
    state, reason = (outcome.state, outcome.reason) if outcome is not None else (ARRIVING, "")
    return Row(identifier, created, info.size, arrived, state, reason, info.metadata)


def inventory_table(rows: list[Row]) -> list[list[str]]:
    """Return rows as texts under a head: date, identifier, size, then ``md-<key>`` for each key met, then the state.

    Examples
    --------
    >>> row = Row("0f", "2026-11-22T09:00:00Z", 5, 5, "published", "", {"filename": "a.csv"})
    >>> inventory_table([row])
    [['date', 'id', 'size', 'md-filename', 'arrived', 'state', 'reason'],
     ['2026-11-22T09:00:00Z', '0f', '5', 'a.csv', '5', 'published', '']]
    """
    keys = sorted({key for row in rows for key in row.metadata})
    table = [["date", "id", "size", *(f"md-{key}" for key in keys), "arrived", "state", "reason"]]
    for row in rows:
        values = [row.metadata.get(key, "") for key in keys]
        table.append([row.created, row.identifier, _text(row.size), *values, _text(row.arrived), row.state, row.reason])
    return table


def _text(number: int | None) -> str:
    return "" if number is None else str(number)
