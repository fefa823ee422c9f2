"""A backup taken while everyone works.

The order makes it coherent: the registry first, in one state; then the files that it speaks of, which were in place
before it said so; last the bases, whose snapshots never change. So whatever had been acknowledged when the backup
began is in it; what came meanwhile may be, or not.

It is made beside its destination and takes its name once its manifest is on the disk.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench import __version__
from workbench.backup.copied import Copied
from workbench.backup.golden import figures_of
from workbench.backup.manifest import Manifest, write_manifest
from workbench.backup.places import bases, folders
from workbench.config import settings
from workbench.engines.duckdb_store import DuckDBStore
from workbench.errors import WorkbenchError
from workbench.registry import open_registry
from workbench.registry.address import registry_url
from workbench.registry.copying import copy_registry, dump_database, revisions_of
from workbench.rooms import all_rooms
from workbench.uploads.configuration import upload_settings

__all__ = ["take_backup"]

PARTIAL = ".partiel"


def _quiet(_said: str) -> None:
    pass


def take_backup(
    to: Path,
    *,
    more: Iterable[Path] = (),
    programs: Path | None = None,
    tell: Callable[[str], None] = _quiet,
) -> Manifest:
    """Save the installation that the settings describe, whole or not at all.

    Parameters
    ----------
    to
        A folder that is not there yet, or is empty.
    more
        Files to save besides: settings, secrets.
    programs
        Folder of PostgreSQL's programs; the PATH by default.
    tell
        Told what is being done, in French.

    Returns
    -------
    Manifest
        What it holds; ``remarks`` says what it does not.

    Raises
    ------
    WorkbenchError
        ``sauvegarde_existe``, ``sauvegarde_vide``, ``sauvegarde_place``, ``sauvegarde_outil``; those of the registry.
    """
    # Not resolved: the last part may be a name that is not there yet.
    to = Path(os.path.abspath(to))  # noqa: PTH100
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise WorkbenchError("sauvegarde_existe", chemin=to)
    partial = to.with_name(f".{to.name}.{secrets.token_hex(4)}{PARTIAL}")
    try:
        _check_there_is_something()
        to.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700)
        manifest = _Taking(partial, programs, tell).take(tuple(more))
        write_manifest(partial, manifest)
        _on_disk(partial)
        partial.rename(to)
        _on_disk(to.parent)
    except OSError as error:
        raise WorkbenchError("sauvegarde_place", chemin=to, cause=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest


def _check_there_is_something() -> None:
    """Refuse where nothing of an installation is: another account, or settings that were not given."""
    registry, base = registry_url(settings().registry), settings().base
    kept_in_files = registry.drivername == "sqlite" and ("://" not in base or base.startswith("duckdb://"))
    if kept_in_files and not Path(str(registry.database)).exists() and not DuckDBStore(base).exists():
        raise WorkbenchError("sauvegarde_vide", registre=registry.database, base=base)


def _on_disk(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Taking:
    def __init__(self, folder: Path, programs: Path | None, tell: Callable[[str], None]) -> None:
        self._copied = Copied(folder)
        self._folder = folder
        self._programs = programs
        self._tell = tell
        self._remarks: list[str] = []

    def take(self, more: tuple[Path, ...]) -> Manifest:
        started = _now()
        registry = self._registry()
        places = dict(self._places())
        for number, each in enumerate(more):
            self._copied.file(each, f"reglages/{number:02d}-{each.name}", mode=0o600)
        events, depot = upload_settings().events, upload_settings().base
        if events.is_file() and not events.absolute().is_relative_to(depot.absolute()):
            self._copied.file(events, "reglages/evenements.ndjson")
        saved = {name: kind for name, url in bases().items() if (kind := self._base(name, url))}
        return Manifest(
            product=__version__,
            started=started,
            ended=_now(),
            registry=registry,
            bases=saved,
            places=places,
            remarks=list(self._remarks),
            figures=self._figures(saved),
            files=tuple(self._copied.files),
        )

    def _registry(self) -> dict[str, Any]:
        self._tell("Registre…")
        to = self._folder / "registre"
        to.mkdir(mode=0o700)
        rooms = all_rooms()
        with open_registry(rooms=[]) as registry:
            kind = copy_registry(registry, rooms, to, self._programs)
            with registry.read() as connection:
                revisions = revisions_of(connection, rooms)
        for path in sorted(to.rglob("*")):
            if path.is_file():
                path.chmod(0o600)
                self._copied.made(path)
        return {"kind": kind, "revisions": revisions}

    def _places(self) -> Iterable[tuple[str, str]]:
        for name, source in folders().items():
            if not source.is_dir():
                self._remarks.append(f"Le dossier {name} n'existe pas : rien n'en est sauvegardé.")
                continue
            self._tell(f"Dossier {name}…")
            (self._folder / name).mkdir(mode=0o700)
            for path in self._copied.tree(source, name):
                self._remarks.append(f"Le lien {path} n'est pas suivi.")
            yield name, str(source.absolute())

    def _base(self, name: str, url: str) -> dict[str, Any] | None:
        scheme, separator, _ = url.partition("://")
        if separator and scheme.partition("+")[0] in {"postgresql", "postgres"}:
            self._tell(f"Base {name}…")
            to = self._folder / name / "base.dump"
            to.parent.mkdir(mode=0o700)
            # Its server's version is not asked: a program that is too old says so itself.
            if not dump_database(registry_url(url), 0, to, self._programs):
                raise WorkbenchError("sauvegarde_outil", outil="pg_dump", adresse=name, cause="il est absent")
            self._copied.made(to)
            return {"kind": "pg_dump"}
        if separator and scheme != "duckdb":
            self._remarks.append(f"La base {name} n'est pas sauvegardée : faites-le par les moyens de son stockage.")
            return None
        store = DuckDBStore(url)
        if not store.exists():
            self._remarks.append(f"La base {name} n'existe pas : rien n'en est sauvegardé.")
            return None
        self._tell(f"Base {name}…")
        return {"kind": "duckdb", "snapshot": self._snapshot(store, name)}

    def _snapshot(self, store: DuckDBStore, name: str) -> str:
        while True:
            file = store.path.resolve()
            try:
                self._copied.snapshot(file, f"{name}/{file.name}")
            except FileNotFoundError:
                if store.path.resolve() == file:
                    raise
                continue  # pruned since: a later one is current
            journal = file.with_name(f"{file.name}.wal")
            if journal.exists():
                self._copied.file(journal, f"{name}/{journal.name}")
            return file.name

    def _figures(self, saved: dict[str, Any]) -> list[dict[str, Any]]:
        if saved.get("base", {}).get("kind") != "duckdb" or not (self._folder / "trames").is_dir():
            return []
        self._tell("Chiffres témoins…")
        return figures_of(self._folder / "base" / saved["base"]["snapshot"], self._folder / "trames")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
