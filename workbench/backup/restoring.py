"""A backup restored on a machine that has nothing: checked, put in place, brought to this version, proved.

Files are restored under one folder, with a file of settings that names them. It takes its name when all is proved: an
interrupted restoration leaves nothing that looks whole. A database of PostgreSQL must be empty.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from workbench.backup.golden import check_figures
from workbench.backup.manifest import Manifest, hash_of, read_manifest, verify
from workbench.backup.places import base_variable, folder_variable
from workbench.errors import WorkbenchError
from workbench.registry import Registry, open_registry
from workbench.registry.copying import SQLITE, check_sqlite, restore_registry, revisions_of
from workbench.reports.jobs_tables import batches, jobs
from workbench.rooms import all_rooms

__all__ = ["SETTINGS", "Restored", "restore_backup"]

SETTINGS = "workbench.env"
"""The file of settings of a restored installation, as systemd and the shell read it."""


@dataclass(frozen=True)
class Restored:
    """What a restoration did.

    Parameters
    ----------
    manifest
        Of the backup.
    folder
        Where files are.
    settings
        What the restored installation is run with, by name.
    figures
        How many figures were evaluated again and found the same.
    upgraded
        Rooms of the registry that were brought to this version.
    """

    manifest: Manifest
    folder: Path
    settings: dict[str, str]
    figures: int
    upgraded: tuple[str, ...]


def _quiet(_said: str) -> None:
    pass


def restore_backup(
    source: Path,
    to: Path,
    *,
    registry: str | None = None,
    programs: Path | None = None,
    tell: Callable[[str], None] = _quiet,
) -> Restored:
    """Restore a backup, whole or not at all.

    Parameters
    ----------
    source
        Folder of the backup.
    to
        A folder that is not there yet, or is empty.
    registry
        Address of an empty PostgreSQL database, when the registry was one.
    programs
        Folder of PostgreSQL's programs; the PATH by default.
    tell
        Told what is being done, in French.

    Raises
    ------
    WorkbenchError
        ``sauvegarde_illisible``, ``sauvegarde_abimee``, ``sauvegarde_recente``, ``restauration_non_vide``,
        ``restauration_registre``, ``restauration_figures``, ``sauvegarde_outil``, ``registre_recent``.
    """
    manifest = read_manifest(source)
    to = Path(os.path.abspath(to))  # noqa: PTH100 - as for `take_backup`
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise WorkbenchError("restauration_non_vide", cible=to)
    if (manifest.registry["kind"] == SQLITE) != (registry is None):
        needed = "un fichier" if manifest.registry["kind"] == SQLITE else "une base PostgreSQL"
        raise WorkbenchError("restauration_registre", sorte=needed)
    tell("Empreintes…")
    verify(source, manifest)
    partial = to.with_name(f".{to.name}.{secrets.token_hex(4)}.partiel")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        restored = _Restoring(source, manifest, partial, to, registry, programs, tell).restore()
        partial.rename(to)
    except OSError as error:
        raise WorkbenchError("sauvegarde_place", chemin=to, cause=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return restored


class _Restoring:
    def __init__(
        self,
        source: Path,
        manifest: Manifest,
        folder: Path,
        final: Path,
        registry: str | None,
        programs: Path | None,
        tell: Callable[[str], None],
    ) -> None:
        self._source = source
        self._manifest = manifest
        self._folder = folder
        self._final = final
        self._address = registry
        self._programs = programs
        self._tell = tell
        self._settings: dict[str, str] = {}

    def restore(self) -> Restored:
        self._tell("Fichiers…")
        for name in self._manifest.places:
            (self._folder / name).mkdir(mode=0o700)
            self._settings[folder_variable(name)] = str(self._final / name)
        for each in self._manifest.files:
            self._file(each.path, each.mode, each.same, each.sha256)
        self._tell("Registre…")
        upgraded = self._registry()
        figures = self._bases()
        lines = [f"{name}={value}" for name, value in sorted(self._settings.items())]
        settings = self._folder / SETTINGS
        settings.write_text("\n".join(lines) + "\n", encoding="utf-8")
        settings.chmod(0o600)
        return Restored(self._manifest, self._final, dict(self._settings), figures, upgraded)

    def _file(self, path: str, mode: int, same: str, digest: str) -> None:
        target = self._folder / self._place_of(path)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if same:
            target.hardlink_to(self._folder / self._place_of(same))
            return
        shutil.copyfile(self._source / path, target)
        shutil.copystat(self._source / path, target)
        target.chmod(mode)
        if hash_of(target) != digest:
            raise WorkbenchError("sauvegarde_abimee", chemin=self._source, fichier=path)

    def _place_of(self, path: str) -> str:
        """Return where a file goes: a snapshot beside the link of its base, the others under their own names."""
        first, _, rest = path.partition("/")
        saved = self._manifest.bases.get(first)
        if saved is None or saved["kind"] != "duckdb":
            return path
        if saved["snapshot"].split(".")[0].isdigit():
            return f"{first}.duckdb.d/{rest}"
        return rest.replace(saved["snapshot"], f"{first}.duckdb", 1)

    def _bases(self) -> int:
        for name, saved in self._manifest.bases.items():
            if saved["kind"] != "duckdb":
                continue  # the operator restores it by pg_restore, into a database of her choice
            link = self._folder / f"{name}.duckdb"
            if not link.exists():
                link.symlink_to(Path(f"{name}.duckdb.d") / saved["snapshot"])
            self._settings[base_variable(name)] = str(self._final / link.name)
        if not self._manifest.figures:
            return 0
        self._tell("Chiffres témoins…")
        return check_figures(self._folder / "base.duckdb", self._folder / "trames", self._manifest.figures)

    def _registry(self) -> tuple[str, ...]:
        kind = self._manifest.registry["kind"]
        copy, rooms = self._folder / "registre", all_rooms()
        if kind == SQLITE:
            address = str(copy / "registre.sqlite")
            check_sqlite(Path(address))
            self._settings["WORKBENCH_REGISTRE"] = str(self._final / "registre" / "registre.sqlite")
        else:
            address = str(self._address)
            with open_registry(address, rooms=[]) as registry:
                restore_registry(copy, kind, registry, rooms, self._programs)
            shutil.rmtree(copy)
        with open_registry(address, rooms=[]) as registry, registry.read() as connection:
            before = revisions_of(connection, rooms)
        with open_registry(address, rooms=[room for room in rooms if before[room.name]]) as registry:
            self._relocate(registry)
        return tuple(room.name for room in rooms if before[room.name] not in (None, room.version))

    def _relocate(self, registry: Registry) -> None:
        """Have the registry name the folder of the reports where it is now."""
        old = self._manifest.places.get("rapports")
        if old is None or not self._manifest.registry["revisions"].get("reports"):
            return
        with registry.write() as connection:
            for table in (jobs, batches):
                named: Any = connection.execute(select(table.c.folder).distinct()).scalars().all()
                for folder in named:
                    if Path(folder).is_relative_to(old):
                        moved = self._final / "rapports" / Path(folder).relative_to(old)
                        same = table.c.folder == folder
                        connection.execute(update(table).where(same).values(folder=str(moved)))
