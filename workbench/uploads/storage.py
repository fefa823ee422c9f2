"""The files of uploads: made, found, published, removed. It knows nothing of HTTP and nothing of what the files mean.

In ``tusd/``, an upload is ``<id>.bin`` and ``<id>.info`` (specification, 1.4), then ``<id>.state`` once it arrived
whole. It exists when its ``.info`` does. Names come from random identifiers and from the verified name of a space:
nothing that a client writes becomes part of a path.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.uploads.info import Info
from workbench.uploads.layout import PUBLIC, SEED, TUSD, Layout, check_space
from workbench.uploads.outcome import Outcome
from workbench.uploads.ownership import Ownership
from workbench.uploads.protocol import IDENTIFIER
from workbench.uploads.writer import Writer, sync_folder, write_durably

__all__ = ["EXTENSIONS", "Limits", "Storage"]

EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "checksum",
    "expiration",
    "termination",
)
"""What this storage can do of tus's extensions."""


@dataclass(frozen=True)
class Limits:
    """How much and how long.

    Parameters
    ----------
    largest
        Bytes of one file.
    quota
        Bytes of all the files of one space that are in ``tusd/``; None for no limit.
    spare
        Bytes of the disk that uploads leave free.
    unfinished
        How long an upload may stay without a new byte.
    """

    largest: int = 1024**4
    quota: int | None = None
    spare: int = 256 * 1024**2
    unfinished: timedelta = timedelta(days=7)


class Storage:
    """The uploads of a folder.

    Parameters
    ----------
    base
        The folder; it holds ``tusd/``, ``public/`` and one folder a space.
    layout
        How files lie in it.
    limits
        How much and how long.
    groups
        Numbers of groups that the system does not know.

    Raises
    ------
    WorkbenchError
        ``depot_absent``: the folder or its ``tusd/`` is missing, or this process may not write there.
    """

    def __init__(
        self,
        base: Path,
        layout: Layout = SEED,
        limits: Limits | None = None,
        groups: Mapping[str, int] | None = None,
    ) -> None:
        self.base = base
        self.tusd = base / TUSD
        self.layout = layout
        self.limits = limits or Limits()
        self.ownership = Ownership(layout, groups)
        for folder in (base, self.tusd):
            if not folder.is_dir():
                raise WorkbenchError("depot_absent", dossier=folder, cause="n'existe pas")
        if not os.access(self.tusd, os.R_OK | os.W_OK | os.X_OK):
            raise WorkbenchError("depot_absent", dossier=self.tusd, cause="ne peut pas être écrit par ce service")
        self._read: dict[str, tuple[int, Info]] = {}

    def remarks(self) -> list[str]:
        """Return, for the operator at the start, what will not be as it should; French."""
        found = self.ownership.remarks()
        try:
            self._check_folder(PUBLIC)
        except WorkbenchError as error:
            found.insert(0, error.message)
        return found

    # --- finding

    def info(self, identifier: str) -> Info:
        """Return what is known of an upload.

        Raises
        ------
        WorkbenchError
            ``depot_inconnu``, ``depot_illisible``.
        """
        if not IDENTIFIER.fullmatch(identifier):
            raise WorkbenchError("depot_inconnu")
        try:
            return Info.from_json(identifier, self._info_path(identifier).read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise WorkbenchError("depot_inconnu") from error
        except UnicodeDecodeError as error:
            raise WorkbenchError("depot_illisible", envoi=identifier, cause="son .info n'est pas du texte") from error

    def outcome(self, identifier: str) -> Outcome | None:
        """Return what became of an upload; None while it has not arrived whole."""
        try:
            text = self._state_path(identifier).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return Outcome.from_json(identifier, text)

    def settle(self, identifier: str, outcome: Outcome) -> None:
        """Write what becomes of an upload."""
        write_durably(self._state_path(identifier), outcome.to_json())

    def identifiers(self) -> list[str]:
        """Return the uploads of ``tusd/``, in the order of their names."""
        with os.scandir(self.tusd) as entries:
            names = [entry.name.removesuffix(".info") for entry in entries if entry.name.endswith(".info")]
        return sorted(name for name in names if IDENTIFIER.fullmatch(name))

    def data_path(self, identifier: str) -> Path:
        """Return where the bytes of an upload are, in ``tusd/``."""
        return self.tusd / f"{identifier}{self.layout.suffix}"

    def created(self, identifier: str) -> datetime:
        """Return when an upload was created, or its length told."""
        return datetime.fromtimestamp(self._info_path(identifier).stat().st_mtime, UTC)

    def expires(self, identifier: str) -> datetime:
        """Return when an unfinished upload is given up: some time after its last byte."""
        last = self.data_path(identifier).stat().st_mtime
        return datetime.fromtimestamp(last, UTC) + self.limits.unfinished

    # --- writing

    def create(self, metadata: Mapping[str, str], size: int | None) -> Info:
        """Make an upload; when this returns, a power loss does not take it.

        Raises
        ------
        WorkbenchError
            ``depot_espace_absent``, ``depot_espace_indisponible``, ``depot_trop_grand``, ``depot_quota``,
            ``depot_plein``.
        """
        info = Info(secrets.token_hex(16), size, dict(metadata))
        check_space(info.space)
        self._check_folder(self.layout.folder(info.space, private=info.private))
        with self._counting():
            self.check_room(info, size or 0)
            path = self.data_path(info.identifier)
            with full_disk_told():
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
                self._write_info(info)
        return info

    def open(self, identifier: str) -> Writer:
        """Open an upload for writing; errors of `Writer` and of `info`."""
        info = self.info(identifier)
        writer = Writer(info, self.data_path(identifier), self.tusd / f"{identifier}.verified")
        # The length may have been told by another writer between the reading and the lock.
        try:
            writer.info = self.info(identifier)
        except BaseException:
            writer.close()
            raise
        return writer

    def set_size(self, writer: Writer, size: int) -> None:
        """Tell the length of an upload that was created without.

        Raises
        ------
        WorkbenchError
            ``depot_demande``: another length was told, or more bytes are there; what `create` raises of room.
        """
        if writer.info.size is not None:
            if writer.info.size != size:
                raise WorkbenchError("depot_demande", cause="la taille de l'envoi est déjà fixée")
            return
        if size < writer.offset:
            raise WorkbenchError("depot_demande", cause="la taille est inférieure à ce qui est déjà arrivé")
        with self._counting():
            self.check_room(writer.info, size)
            writer.info = writer.info.of_size(size)
            with full_disk_told():
                self._write_info(writer.info)

    def check_room(self, info: Info, size: int) -> None:
        """Refuse bytes for which there is no room; errors of `create`."""
        if size > self.limits.largest:
            raise WorkbenchError("depot_trop_grand", limite=self.limits.largest)
        if self.limits.quota is not None:
            left = self.room_of(info)
            if left is not None and size > left:
                quota, room = self.limits.quota, max(left, 0)
                raise WorkbenchError("depot_quota", espace=info.space, reste=room, quota=quota)
        try:
            arrived = self.data_path(info.identifier).stat().st_size
        except FileNotFoundError:
            arrived = 0
        if size - arrived > max(0, shutil.disk_usage(self.tusd).free - self.limits.spare):
            raise WorkbenchError("depot_plein")

    def room_of(self, info: Info) -> int | None:
        """Return how long an upload may be, in bytes, for its space to stay within its quota; None without quota."""
        if self.limits.quota is None:
            return None
        used = 0
        for identifier in self.identifiers():
            if identifier == info.identifier:
                continue
            try:
                other = self.cached_info(identifier)
                if other.space == info.space:
                    used += other.size if other.size is not None else self.data_path(identifier).stat().st_size
            except (FileNotFoundError, WorkbenchError):
                continue  # removed meanwhile, or of nobody that can be told
        return self.limits.quota - used

    # --- ending

    def publish(self, info: Info) -> None:
        """Give an upload that arrived whole its names outside ``tusd/``, its owner and its mode.

        The ``.info`` comes first: who watches for data finds it. Doing it again does no harm.

        Raises
        ------
        OSError
            A name cannot be given.
        """
        name = self.layout.folder(info.space, private=info.private)
        folder = self._check_folder(name)
        sources = [self._info_path(info.identifier), self.data_path(info.identifier)]
        for source in sources:
            _link(source, folder / source.name)
        for source in sources:
            source.chmod(self.layout.file_mode)
            self.ownership.give(source, info.space, private=info.private)
        sync_folder(folder)

    def place(self, info: Info) -> Path:
        """Return where the bytes of an upload are once published."""
        folder = self.base / self.layout.folder(info.space, private=info.private)
        return folder / self.data_path(info.identifier).name

    def check_place(self, info: Info) -> None:
        """Refuse (``depot_espace_indisponible``) when an upload could not be published."""
        self._check_folder(self.layout.folder(info.space, private=info.private))

    def remove(self, writer: Writer) -> None:
        """Remove an upload from ``tusd/``; names given elsewhere stay."""
        identifier = writer.info.identifier
        # The .info first: without it the upload is no more, whatever stops the rest.
        for path in (
            self._info_path(identifier),
            self.tusd / f"{identifier}.verified",
            self._state_path(identifier),
            self.data_path(identifier),
        ):
            path.unlink(missing_ok=True)
        sync_folder(self.tusd)

    # --- places

    def _info_path(self, identifier: str) -> Path:
        return self.tusd / f"{identifier}.info"

    def _state_path(self, identifier: str) -> Path:
        return self.tusd / f"{identifier}.state"

    def _write_info(self, info: Info) -> None:
        place = self.data_path(info.identifier) if self.layout.tells_path else None
        write_durably(self._info_path(info.identifier), info.to_json(place))

    def cached_info(self, identifier: str) -> Info:
        """Return what is known of an upload, read again when it changed; errors of `info`, or FileNotFoundError."""
        moment = self._info_path(identifier).stat().st_mtime_ns
        kept = self._read.get(identifier)
        if kept is None or kept[0] != moment:
            kept = self._read[identifier] = (moment, self.info(identifier))
        return kept[1]

    def _check_folder(self, name: str) -> Path:
        folder = self.base / name
        if self.layout.makes_folders and not folder.exists():
            try:
                folder.mkdir()
            except FileExistsError:
                pass
            except OSError as error:
                raise _unusable(name, f"son dossier n'a pas pu être créé ({error.strerror})") from error
            else:
                folder.chmod(self.layout.directory_mode)
                self.ownership.give_group(folder, self.layout.group(name, private=name != PUBLIC))
                sync_folder(self.base)
        if folder.is_symlink() or not folder.is_dir():
            raise _unusable(name, "son dossier n'existe pas")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise _unusable(name, "le service n'a pas le droit d'y écrire")
        if folder.stat().st_dev != self.tusd.stat().st_dev:
            raise _unusable(name, "son dossier n'est pas sur le disque de tusd")
        return folder

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Count and take room one at a time, whatever the number of processes, when there is a quota to keep."""
        if self.limits.quota is None:
            yield
            return
        opened = os.open(self.tusd, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield
        finally:
            os.close(opened)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        if not target.samefile(source):
            raise


def _unusable(name: str, reason: str) -> WorkbenchError:
    return WorkbenchError("depot_espace_indisponible", espace=name, cause=reason)


@contextmanager
def full_disk_told() -> Iterator[None]:
    """Call a full disk ``depot_plein``."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WorkbenchError("depot_plein") from error
        raise
