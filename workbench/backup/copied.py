"""Files copied into a backup, hashed as they are read; those that change no more may be given a second name instead."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from workbench.backup.manifest import PART, SavedFile, hash_of

__all__ = ["Copied"]


class Copied:
    """The files of a backup, as they come.

    Parameters
    ----------
    folder
        Where the backup is being made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[SavedFile] = []
        self._known: dict[tuple[int, int], str] = {}

    def made(self, path: Path) -> None:
        """Note a file that was written there by something else."""
        state = path.stat()
        self._note(path.relative_to(self.folder).as_posix(), state.st_size, hash_of(path), stat.S_IMODE(state.st_mode))

    def file(self, source: Path, to: str, mode: int | None = None) -> None:
        """Copy a file as it is now; another name of one that was copied becomes another name of its copy.

        Raises
        ------
        FileNotFoundError
            When it is gone.
        """
        target = self.folder / to
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with source.open("rb") as read:
            state = os.fstat(read.fileno())
            inode = (state.st_dev, state.st_ino)
            if state.st_nlink > 1 and inode in self._known:
                self._again(self._known[inode], to)
                return
            digest, size = hashlib.sha256(), 0
            with target.open("xb") as written:
                while part := read.read(PART):
                    digest.update(part)
                    size += written.write(part)
                written.flush()
                os.fsync(written.fileno())
        rights = stat.S_IMODE(state.st_mode) if mode is None else mode
        target.chmod(rights)
        os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))
        self._note(to, size, digest.hexdigest(), rights)
        if state.st_nlink > 1:
            self._known[inode] = to

    def snapshot(self, source: Path, to: str) -> None:
        """Keep a file that nobody will change: by a second name where the disk is the same, else by a copy."""
        target = self.folder / to
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            target.hardlink_to(source)
        except FileNotFoundError:
            raise
        except OSError:
            self.file(source, to)
            return
        self.made(target)

    def tree(self, source: Path, to: str) -> Iterator[str]:
        """Copy a folder, what is being written there under a name that begins with a dot left aside.

        Yields
        ------
        str
            Paths of what was not followed.
        """
        for place, folders, names in os.walk(source):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            inside = Path(place).relative_to(source)
            for each in folders:
                if (Path(place) / each).is_symlink():
                    yield str(Path(place) / each)
            for name in sorted(names):
                path = Path(place) / name
                if name.startswith("."):
                    continue
                try:
                    if path.is_file():
                        self.file(path, (Path(to) / inside / name).as_posix())
                except FileNotFoundError:
                    continue  # removed or renamed since the folder was read

    def _note(self, path: str, size: int, digest: str, mode: int) -> None:
        self.files.append(SavedFile(path, size, digest, mode))

    def _again(self, first: str, to: str) -> None:
        (self.folder / to).hardlink_to(self.folder / first)
        known = next(each for each in self.files if each.path == first)
        self.files.append(SavedFile(to, known.size, known.sha256, known.mode, same=first))
