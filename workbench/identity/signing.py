"""The keys that the embedded issuer signs with: files of their owner alone, which replace one another.

Every key of the folder is published. The newest that has been published for a minute signs, so that whoever fetches
keys knows it before it serves; one that was replaced stays published as long as what it signed may live.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from workbench.errors import WorkbenchError
from workbench.registry import new_identifier

__all__ = ["ALGORITHM", "SigningKeys"]

ALGORITHM = "RS256"
"""What OpenID Connect obliges every client to know."""

PUBLISHED_SECONDS = 60
LIFE_SECONDS = 90 * 86400
KEPT_SECONDS = 2 * 86400
"""Longer than any token lives."""


class _Signing(NamedTuple):
    created: float
    identifier: str
    key: RSAKey


class SigningKeys:
    """The keys of a folder.

    Parameters
    ----------
    folder
        Made if it is not there, with a first key.
    clock
        Seconds since 1970.

    Raises
    ------
    WorkbenchError
        ``cle_illisible``: a file that others may read, or that holds no key.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self._clock = clock
        self._seen = -1
        self._keys: list[_Signing] = []
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise WorkbenchError("cle_illisible", chemin=folder, cause=error.strerror) from error
        if not self._read():
            self.rotate()

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """Return the public halves, as they are published."""
        return {"keys": [{**each.key.as_dict(private=False), **_public(each)} for each in self._read()]}

    def sign(self, claims: dict[str, Any], kind: str) -> str:
        """Return a token of these claims; ``kind`` is its ``typ``."""
        signing = self._current()
        head = {"alg": ALGORITHM, "kid": signing.identifier, "typ": kind}
        return jwt.encode(head, claims, signing.key, algorithms=[ALGORITHM])

    def key(self, identifier: str) -> RSAKey | None:
        """Return a key by its identifier."""
        return next((each.key for each in self._read() if each.identifier == identifier), None)

    def rotate(self, *, at_once: bool = False) -> str:
        """Make a new key and return its identifier.

        Parameters
        ----------
        at_once
            Withdraw the others at once, as when one was stolen: everyone logs in again.
        """
        now = self._clock()
        identifier = new_identifier()
        # An integer to the millisecond is what a file system and JSON both keep.
        document = RSAKey.generate_key(2048, private=True).as_dict(private=True)
        content = json.dumps({**document, "kid": identifier, "created": now})
        partial = self.folder / f".{identifier}.partial"
        descriptor = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.folder / f"{identifier}.json")
        self._seen = -1
        keys = self._read()
        for place, each in enumerate(keys[:-1]):
            if at_once or keys[place + 1].created < now - KEPT_SECONDS:
                (self.folder / f"{each.identifier}.json").unlink(missing_ok=True)
                self._seen = -1
        return identifier

    def _current(self) -> _Signing:
        keys = self._read()
        if not keys or self._clock() - keys[-1].created > LIFE_SECONDS:
            self.rotate()
            keys = self._read()
        known = [each for each in keys if each.created <= self._clock() - PUBLISHED_SECONDS]
        return known[-1] if known else keys[0]

    def _read(self) -> list[_Signing]:
        """Return the keys of the folder, oldest first; read again when another process changed it."""
        changed = self.folder.stat().st_mtime_ns
        if changed != self._seen:
            self._keys = sorted(_read_key(path) for path in self.folder.glob("*.json"))
            self._seen = changed
        return self._keys


def _public(signing: _Signing) -> dict[str, str]:
    return {"kid": signing.identifier, "use": "sig", "alg": ALGORITHM}


def _read_key(path: Path) -> _Signing:
    try:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode) or state.st_mode & 0o077 or state.st_uid != os.geteuid():
            raise WorkbenchError("cle_illisible", chemin=path, cause="d'autres que son propriétaire peuvent la lire")
        document = json.loads(path.read_text(encoding="utf-8"))
        created, identifier = float(document.pop("created")), str(document.pop("kid"))
        return _Signing(created, identifier, RSAKey.import_key(document))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, JoseError) as error:
        raise WorkbenchError("cle_illisible", chemin=path, cause=type(error).__name__) from error
