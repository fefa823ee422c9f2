"""Who is logged in to a server, and whose each of its kernels is. Kept in memory: a restart logs everyone out."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from workbench.identity.relying import Pending, Tokens

__all__ = ["KernelOwners", "Session", "Sessions"]

LONGEST_SECONDS = 10 * 3600
MOST_SESSIONS = 5000
PENDING_SECONDS = 600
MOST_PENDING = 2000


@dataclass(eq=False)
class Session:
    """A browser of one person; the person never changes, her tokens do."""

    identifier: str
    tokens: Tokens = field(repr=False)
    ends: float

    @property
    def email(self) -> str:
        """Whose session it is."""
        return self.tokens.actor.email


class Sessions:
    """The sessions of a server, and the logins that began; bounded, so that nobody fills the memory.

    Parameters
    ----------
    clock
        Seconds of a monotonic clock.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._pending: dict[str, tuple[Pending, str, float]] = {}

    def open(self, tokens: Tokens) -> tuple[str, Session]:
        """Open a session; return the secret of its cookie, of which only a print is kept."""
        secret = secrets.token_urlsafe(32)
        identifier = _print(secret)
        self._sessions[identifier] = Session(identifier, tokens, self._clock() + LONGEST_SECONDS)
        while len(self._sessions) > MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        return secret, self._sessions[identifier]

    def find(self, secret: str) -> Session | None:
        """Return the session of a cookie; None when it is unknown or over."""
        session = self._sessions.get(_print(secret)) if secret else None
        return session if session is not None and self.lives(session) else None

    def lives(self, session: Session) -> bool:
        """Say whether a session goes on."""
        return self._sessions.get(session.identifier) is session and session.ends > self._clock()

    def end(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.identifier, None)

    def all(self) -> list[Session]:
        """Return every session, those whose time is over too."""
        return list(self._sessions.values())

    def begin(self, pending: Pending, then: str) -> None:
        """Keep a login that began, and the page it is for."""
        now = self._clock()
        self._pending = {state: each for state, each in self._pending.items() if each[2] > now}
        self._pending[pending.state] = (pending, then, now + PENDING_SECONDS)
        while len(self._pending) > MOST_PENDING:
            del self._pending[next(iter(self._pending))]

    def take(self, state: str) -> tuple[Pending, str] | None:
        """Return a login that began, once."""
        found = self._pending.pop(state, None)
        return (found[0], found[1]) if found is not None and found[2] > self._clock() else None


def _print(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class KernelOwners:
    """Whose each kernel is: no one else attaches to it, even with its identifier.

    Examples
    --------
    >>> owners = KernelOwners()
    >>> owners.add("k1", "jane@example.fr", "session")
    >>> owners.owns("jane@example.fr", "k1"), owners.owns("john@example.fr", "k1"), owners.owns("john@example.fr", "k2")
    (True, False, False)
    """

    def __init__(self) -> None:
        self._owners: dict[str, tuple[str, str]] = {}

    def add(self, kernel: str, email: str, session: str) -> None:
        """Say whose a kernel is, and for which session it was started."""
        self._owners[kernel] = (email, session)

    def remove(self, kernel: str) -> None:
        """Forget a kernel that ended."""
        self._owners.pop(kernel, None)

    def owns(self, email: str, kernel: str) -> bool:
        """Say whether a kernel is a person's; an unknown one is nobody's."""
        found = self._owners.get(kernel)
        return found is not None and found[0] == email

    def of_session(self, session: str) -> Iterable[str]:
        """Return the kernels that a session started."""
        return [kernel for kernel, (_, owner) in self._owners.items() if owner == session]
