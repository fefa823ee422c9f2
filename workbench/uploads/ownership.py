"""Give published files their owner and group, where this process may; say at the start where it may not."""

from __future__ import annotations

import grp
import logging
import os
import pwd
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.uploads.layout import Layout

__all__ = ["Ownership", "read_groups"]

CAP_CHOWN = 0

_LOG = logging.getLogger(__name__)


class Ownership:
    """Who gets the files of a layout.

    Parameters
    ----------
    layout
        Which owner and group are wanted.
    groups
        Numbers of groups by name, beside those that the system knows.
    """

    def __init__(self, layout: Layout, groups: Mapping[str, int] | None = None) -> None:
        self.layout = layout
        self.groups = dict(groups or {})
        self._said: set[str] = set()

    def remarks(self) -> list[str]:
        """Return, for the operator at the start, what will not be given; French."""
        found = []
        if self.layout.owned_by_space and not may_chown():
            found.append(
                "Ce service n'a pas le droit de changer le propriétaire des fichiers (CAP_CHOWN) : les fichiers "
                "transmis resteront au compte du service, avec les groupes dont il est membre."
            )
        for name in sorted({self.layout.public_group, self.layout.private_group} - {""}):
            number = self._group(name)
            if number is None:
                found.append(f"Le groupe {name} n'existe pas : les fichiers garderont celui du service.")
            elif not may_chown() and number not in {os.getegid(), *os.getgroups()}:
                found.append(f"Ce service n'est pas membre du groupe {name} : il ne pourra pas le donner aux fichiers.")
        return found

    def give(self, path: Path, space: str, *, private: bool) -> None:
        """Give a file, or a folder, its owner and group; what is not possible is logged once."""
        owner = -1
        if self.layout.owned_by_space:
            try:
                owner = pwd.getpwnam(space).pw_uid
            except KeyError:
                self._say(f"L'utilisateur {space} n'existe pas sur cette machine : ses fichiers restent au service.")
        self.give_group(path, self.layout.group(space, private=private))
        if owner >= 0:
            try:
                os.chown(path, owner, -1, follow_symlinks=False)
            except PermissionError:
                self._say(f"Le propriétaire {space} n'a pas pu être donné aux fichiers : il y faut CAP_CHOWN.")

    def give_group(self, path: Path, name: str) -> None:
        """Give a group to a file or folder."""
        number = self._group(name)
        if number is None:
            self._say(f"Le groupe {name} n'existe pas : les fichiers gardent celui du service.")
            return
        try:
            os.chown(path, -1, number, follow_symlinks=False)
        except PermissionError:
            self._say(f"Le groupe {name} n'a pas pu être donné : le service n'en est pas membre.")

    def _group(self, name: str) -> int | None:
        if name in self.groups:
            return self.groups[name]
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError:
            return None

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            _LOG.warning(sentence)


def may_chown() -> bool:
    """Say whether this process may give files away."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return os.geteuid() == 0
    effective = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) & (1 << CAP_CHOWN))


def read_groups(path: Path) -> dict[str, int]:
    r"""Read a text file of groups, ``gid name`` a line.

    Raises
    ------
    WorkbenchError
        ``depot_reglage``.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "groupes"
    >>> written = path.write_text("2001 urssaf\n2002 dgefp\n")
    >>> read_groups(path)
    {'urssaf': 2001, 'dgefp': 2002}
    """
    found = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in lines:
            if line.strip() and not line.startswith("#"):
                number, name = line.split()
                found[name] = int(number)
    except (OSError, ValueError) as error:
        raise WorkbenchError(
            "depot_reglage",
            reglage="WORKBENCH_DEPOT_GROUPES",
            valeur=str(path),
            conseil="Donnez un fichier dont chaque ligne est : gid nom.",
        ) from error
    return found
