"""Passwords: argon2id, what is refused, and an answer that takes as long for an unknown person."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from workbench.errors import WorkbenchError

__all__ = ["SHORTEST", "check_password", "hash_password", "needs_new_hash", "password_matches"]

SHORTEST = 12
LONGEST = 256

# Each computation takes 64 MiB: a flood of logins must not take the machine.
_ROOM = threading.BoundedSemaphore(2)
_HASHER = PasswordHasher()


def check_password(password: str, email: str = "") -> None:
    """Refuse a password that is short, repeated or the e-mail itself; no sort of sign is imposed.

    Raises
    ------
    WorkbenchError
        ``mot_de_passe_refuse``.

    Examples
    --------
    >>> check_password("quatre mots sans rapport")
    >>> check_password("court")
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: Ce mot de passe ne convient pas : il a moins de 12 signes.
    Choisissez une phrase de quatre mots ou plus.
    """
    lowered = password.strip().lower()
    reason = ""
    if len(password) < SHORTEST:
        reason = f"il a moins de {SHORTEST} signes"
    elif len(password) > LONGEST:
        reason = f"il a plus de {LONGEST} signes"
    elif len(set(lowered)) < 5:
        reason = "il répète les mêmes signes"
    elif email and (lowered in email or email in lowered):
        reason = "il reprend l'adresse électronique"
    elif not password.isprintable():
        reason = "il a des signes qui ne s'écrivent pas"
    if reason:
        raise WorkbenchError("mot_de_passe_refuse", raison=reason)


def hash_password(password: str) -> str:
    """Return what is stored of a password."""
    with _ROOM:
        return _HASHER.hash(_normal(password))


def password_matches(password_hash: str | None, password: str) -> bool:
    """Say whether a password is the one; ``None``, for a person who does not exist, takes the same time."""
    with _ROOM:
        try:
            same = _HASHER.verify(password_hash or _nobody(), _normal(password[: LONGEST + 1]))
        except (Argon2Error, InvalidHashError):
            return False
    return same and password_hash is not None


def needs_new_hash(password_hash: str) -> bool:
    """Say whether a hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def _normal(password: str) -> str:
    # The same letters typed on two machines may be composed differently.
    return unicodedata.normalize("NFC", password)


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe())
