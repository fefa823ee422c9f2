"""A base brought to the tables of this version, without an import."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.dgfip.base import Base
from workbench.dgfip.cells_stored import complete_cells, imports_without_cells
from workbench.dgfip.publication import begin
from workbench.dgfip.schema import VERSION

__all__ = ["Migration", "migrate"]


@dataclass(frozen=True)
class Migration:
    """What `migrate` did.

    Parameters
    ----------
    before, after
        Versions of the base's tables.
    snapshot
        The snapshot that is current now.
    changed
        Whether it is a new one.
    """

    before: int
    after: int
    snapshot: str
    changed: bool

    def __str__(self) -> str:
        if not self.changed:
            return f"La base est à jour : ses tables sont de la version {self.after}."
        return f"Tables passées de la version {self.before} à la version {self.after} : instantané {self.snapshot}."


def migrate(base: Base) -> Migration:
    """Complete the tables of an older base, and the sums that a server keeps of them, in a new snapshot.

    An import does the same for what it touches; an older base reads as it is, only slower.

    Parameters
    ----------
    base
        Opened with ``read_only=False``; it sees the new snapshot afterwards.

    Returns
    -------
    Migration
        The versions before and after; a base of this version is left as it is.

    Raises
    ------
    WorkbenchError
        ``base_lecture_seule``, ``base_ancien_etat``, ``import_en_cours``.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.dgfip import connect
    >>> folder = tempfile.TemporaryDirectory()
    >>> with connect(folder.name + "/base.duckdb", read_only=False) as base:
    ...     print(migrate(base))
    La base est à jour : ses tables sont de la version 4.
    >>> folder.cleanup()
    """
    with begin(base):
        before = base.version
        if before == VERSION and not imports_without_cells(base):
            return Migration(before, before, base.snapshot, changed=False)
        with base.write() as writer:
            writer.loaded()
            complete_cells(writer)
        base.refresh()
    return Migration(before, base.version, base.snapshot, changed=True)
