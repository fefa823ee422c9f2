"""The registry and the accounting base, brought to the version of this software by one order.

Servers do it too for the rooms that they open; an operator who upgrades prefers to see it done, once, before they
start. Nothing goes down: the way back is a backup.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.registry import open_registry
from workbench.registry.address import registry_url
from workbench.registry.copying import revisions_of
from workbench.rooms import all_rooms

__all__ = ["BaseStep", "RoomStep", "upgrade_base", "upgrade_registry"]


@dataclass(frozen=True)
class RoomStep:
    """What an upgrade does to a room of the registry.

    Parameters
    ----------
    room
        Its name.
    before, after
        Its versions; ``before`` is None for one that was not there.
    """

    room: str
    before: str | None
    after: str


@dataclass(frozen=True)
class BaseStep:
    """What an upgrade does to the accounting base.

    Parameters
    ----------
    behind
        Whether it was of an older version.
    text
        What is said of it, in French.
    """

    behind: bool
    text: str


def upgrade_registry(address: str | Path | None = None, *, check: bool = False) -> list[RoomStep]:
    """Bring every room of a registry to the version of this software, in one transaction.

    Parameters
    ----------
    address
        The registry; that of the settings by default.
    check
        Only say what would be done.

    Returns
    -------
    list of RoomStep
        Those that were, or would be, changed.

    Raises
    ------
    WorkbenchError
        ``registre_recent``: later software made it, nothing is changed; those of a registry.
    """
    rooms = all_rooms()
    url = registry_url(settings().registry if address is None else address)
    if check and url.drivername == "sqlite" and not Path(str(url.database)).exists():
        return [RoomStep(room.name, None, room.version) for room in rooms]
    with open_registry(address, rooms=[]) as registry:
        with registry.read() as connection:
            before = revisions_of(connection, rooms)
        newer = [room.name for room in rooms if (before[room.name] or "") > room.version]
        if newer:
            raise WorkbenchError("registre_recent", adresse=registry.place, tables=", ".join(newer))
        if not check:
            registry.bring_up(rooms)
    return [RoomStep(room.name, before[room.name], room.version) for room in rooms if before[room.name] != room.version]


def upgrade_base(url: str | None = None, *, check: bool = False) -> BaseStep | None:
    """Complete the tables of the accounting base, in a new snapshot; None where there is no base.

    Parameters
    ----------
    url
        The base; that of the settings by default.
    check
        Only say what would be done.

    Raises
    ------
    WorkbenchError
        ``base_plus_recente``, ``import_en_cours``.
    """
    from workbench.dgfip import connect
    from workbench.dgfip.base_version import version_of
    from workbench.dgfip.migration import migrate
    from workbench.dgfip.schema import VERSION
    from workbench.engines import open_store

    store = open_store(url or settings().base)
    if not store.exists():
        return None
    if check:
        engine, _ = store.open()
        try:
            found = version_of(engine, engine.columns(), engine.url)
        finally:
            engine.close()
        if found == VERSION:
            return BaseStep(False, f"Base comptable : à jour, version {VERSION}.")
        return BaseStep(True, f"Base comptable : {found} → {VERSION}")
    with connect(url or settings().base, read_only=False) as base:
        done = migrate(base)
    return BaseStep(done.changed, f"Base comptable : {done}")
