"""The values in force: the environment first, then files of secrets, then the file of settings.

For one setting, from the first that is there and not empty:

1. ``WORKBENCH_X``;
2. for what may be a secret, the file that ``WORKBENCH_X_FILE`` names, then ``x`` in ``$CREDENTIALS_DIRECTORY``, where
   systemd puts what a unit loads;
3. ``x`` in the file of settings that ``WORKBENCH_CONFIG`` names, then, for a secret, the file of its ``x_file``.

The file is TOML, flat. It is refused whole when it holds a key that nobody reads or a value that is not of its kind,
or when others than its owner may read a secret in it.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from workbench.config.declared import PREFIX, SETTINGS, Kind, Setting, setting_of
from workbench.errors import WorkbenchError

__all__ = ["CONFIG", "Found", "Values", "is_set", "nearest", "read_values", "text_of"]

CONFIG = "WORKBENCH_CONFIG"
CREDENTIALS = "CREDENTIALS_DIRECTORY"

_KEYS = {each.key: each for each in SETTINGS}
_FILE_KEYS = {f"{each.key}_file": each for each in SETTINGS if each.secrecy}


@dataclass(frozen=True)
class Found:
    """A value and where it comes from.

    Parameters
    ----------
    text
        The value.
    place
        Where it was found, in French.
    path
        The file of a secret, None for any other.
    """

    text: str
    place: str
    path: Path | None = None


class Values:
    """The values in force at one moment.

    Parameters
    ----------
    environment
        The variables.
    path
        The file of settings, None for none.

    Raises
    ------
    WorkbenchError
        ``reglage_fichier``, ``reglage_inconnu``, ``reglage_valeur``, ``reglage_secret_ouvert``.
    """

    def __init__(self, environment: Mapping[str, str], path: Path | None) -> None:
        self._environment = environment
        self.path = path
        self._written = _read(path) if path is not None else {}

    def text(self, name: str, default: str = "") -> str:
        """Return the value of a setting as text, the default when nothing sets it; see `find`."""
        found = self.find(setting_of(name))
        return found.text if found is not None else default

    def find(self, setting: Setting) -> Found | None:
        """Return the value of a setting and its place, None when nothing sets it.

        Raises
        ------
        WorkbenchError
            ``reglage_secret_ouvert``, ``reglage_secret_illisible``.
        """
        text = self._environment.get(setting.name)
        if text or (text is not None and setting.may_be_empty):
            return Found(text, "variable")
        if setting.secrecy and (found := self._credential(setting)):
            return found
        text = self._written.get(setting.key)
        if text or (text is not None and setting.may_be_empty):
            return Found(text, "fichier des réglages")
        if setting.secrecy and (named := self._written.get(f"{setting.key}_file", "")):
            return _secret(Path(named))
        return None

    def _credential(self, setting: Setting) -> Found | None:
        if named := self._environment.get(setting.file_name, ""):
            return _secret(Path(named), self._credentials)
        path = self._credentials / setting.key if self._credentials else None
        return _secret(path, self._credentials) if path is not None and path.is_file() else None

    @property
    def _credentials(self) -> Path | None:
        folder = self._environment.get(CREDENTIALS, "")
        return Path(folder) if folder else None


def read_values(environment: Mapping[str, str] | None = None) -> Values:
    """Read the values in force; errors of `Values`.

    Examples
    --------
    >>> read_values({"WORKBENCH_AUDIENCE": "ateliers"}).text("WORKBENCH_AUDIENCE")
    'ateliers'
    """
    environment = os.environ if environment is None else environment
    named = environment.get(CONFIG, "")
    return Values(environment, Path(named) if named else None)


def text_of(name: str) -> str:
    """Return the value of one setting, empty when it is not set; errors of `Values`."""
    return read_values().text(name)


def is_set(name: str) -> bool:
    """Say whether something sets a setting."""
    return bool(text_of(name))


def nearest(word: str) -> str:
    """Return the key that a misspelt one most looks like.

    Examples
    --------
    >>> nearest("depot_tail")
    'depot_taille'
    """
    known = [*_KEYS, *_FILE_KEYS]
    lowered = word.lower().removeprefix(PREFIX.lower())
    return next(iter(difflib.get_close_matches(lowered, known, n=1, cutoff=0.0)))


def _read(path: Path) -> Mapping[str, str]:
    try:
        state = path.stat()
    except OSError as error:
        raise WorkbenchError("reglage_fichier", fichier=path, cause=error.strerror or "illisible") from error
    return _parsed(path, state.st_mtime_ns, state.st_size, state.st_ino, stat.S_IMODE(state.st_mode))


@lru_cache(maxsize=8)
def _parsed(path: Path, _changed: int, _size: int, _inode: int, mode: int) -> Mapping[str, str]:
    try:
        content = path.read_text(encoding="utf-8")
        document = tomllib.loads(content)
    except OSError as error:
        raise WorkbenchError("reglage_fichier", fichier=path, cause=error.strerror or "illisible") from error
    except ValueError as error:
        raise WorkbenchError("reglage_fichier", fichier=path, cause=f"ce n'est pas du TOML ({error})") from error
    found = {}
    for key, value in document.items():
        setting = _KEYS.get(key) or _FILE_KEYS.get(key)
        line = _line(content, key)
        if setting is None:
            raise WorkbenchError("reglage_inconnu", fichier=path, ligne=line, cle=key, voisin=nearest(key))
        kind = setting.kind if key == setting.key else Kind.FILE
        text = _text(kind, value)
        problem = "la valeur n'est pas de ce genre" if text is None else ""
        if text is not None and key == setting.key:
            problem = setting.problem(text)
        if problem:
            raise WorkbenchError(
                "reglage_valeur", fichier=path, ligne=line, cle=key, genre=kind.value, conseil=f"{problem}."
            )
        if key == setting.key and setting.hides(text or "") and mode & 0o077:
            raise WorkbenchError("reglage_secret_ouvert", fichier=path, droits=f"{mode:o}")
        found[key] = text or ""
    return found


def _text(kind: Kind, value: object) -> str | None:
    """Return a value of TOML as the environment would say it, None when it is not of the kind."""
    if kind is Kind.FLAG:
        return str(int(value)) if isinstance(value, bool) else None
    if kind is Kind.INTEGER:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
    if kind is Kind.NAMES and isinstance(value, list):
        return ",".join(value) if all(isinstance(each, str) for each in value) else None
    return value if isinstance(value, str) else None


def _line(content: str, key: str) -> int:
    """Return the line of a key, or of its table, counted from 1."""
    written = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}["']?\s*[=\].]""")
    return next((number for number, line in enumerate(content.splitlines(), 1) if written.match(line)), 1)


def _secret(path: Path, credentials: Path | None = None) -> Found | None:
    """Return what a file of secrets holds: its first line; None when it is empty."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or "ce n'est pas du texte"
        raise WorkbenchError("reglage_secret_illisible", fichier=path, cause=cause) from error
    # systemd lends a unit its files by an access list, which the mode shows as the group's right.
    lent = credentials is not None and path.parent == credentials
    if mode & (0o007 if lent else 0o077):
        raise WorkbenchError("reglage_secret_ouvert", fichier=path, droits=f"{mode:o}")
    return Found(text, f"secret de {path}", path) if text else None
