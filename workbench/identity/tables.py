"""What the embedded issuer keeps in the registry: people, and prints of what it gave them.

No secret is stored: a password is its argon2 hash; a code, a session or a refresh token is the SHA-256 of a random
value of 256 bits, which nobody can search for.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Text

from workbench.registry import Moment, Room, new_metadata

__all__ = ["ROOM", "attempts", "badges", "codes", "families", "logins", "people", "print_of", "refresh_tokens"]

ROOM = Room("identity", new_metadata(), "workbench.identity.migrations")


def _of_person(*, index: bool = True) -> Column[str]:
    return Column("email", Text, ForeignKey("identity_person.email", ondelete="CASCADE"), nullable=False, index=index)


people = ROOM.table(
    "person",
    Column("email", Text, primary_key=True),
    Column("subject", Text, nullable=False, unique=True),
    Column("given_name", Text, nullable=False),
    Column("family_name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("space", Text, nullable=False, server_default=""),
)

badges = ROOM.table(
    "badge",
    Column("email", Text, ForeignKey("identity_person.email", ondelete="CASCADE"), primary_key=True),
    Column("badge", Text, primary_key=True),
)

logins = ROOM.table(
    "login",
    Column("print", Text, primary_key=True),
    _of_person(),
    Column("created", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
)
"""Browsers that logged in to the issuer itself."""

families = ROOM.table(
    "family",
    Column("id", Text, primary_key=True),
    _of_person(),
    Column("client", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("login", Text, index=True),
    Column("nonce", Text),
    Column("logged_in", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("revoked", Boolean, nullable=False),
)
"""All refresh tokens that come from one login, one after another."""

codes = ROOM.table(
    "code",
    Column("print", Text, primary_key=True),
    Column("family", Text, ForeignKey("identity_family.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("redirect", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("used", Boolean, nullable=False),
)

refresh_tokens = ROOM.table(
    "refresh",
    Column("print", Text, primary_key=True),
    Column("family", Text, ForeignKey("identity_family.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires", Moment, nullable=False),
    Column("used", Boolean, nullable=False),
)

attempts = ROOM.table(
    "attempt",
    Column("print", Text, primary_key=True),
    Column("since", Moment, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
)
"""Logins that failed, by print of an e-mail or of an address."""


def print_of(secret: str) -> str:
    """Return what is stored of a random secret.

    Examples
    --------
    >>> print_of("secret")[:12]
    '2bb80d537b1d'
    """
    return hashlib.sha256(secret.encode()).hexdigest()
