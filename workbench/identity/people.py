"""The people of the embedded issuer: added, listed, changed and removed by the person who runs the machine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from workbench.errors import WorkbenchError
from workbench.identity.actor import check_badge, check_email, is_space
from workbench.identity.passwords import check_password, hash_password, needs_new_hash, password_matches
from workbench.identity.tables import badges, families, logins, people
from workbench.identity.throttle import count_attempt, forget_attempt
from workbench.registry import Registry, new_identifier

__all__ = ["People", "Person", "find_person"]


@dataclass(frozen=True)
class Person:
    """Someone whom the embedded issuer knows."""

    email: str
    subject: str
    given_name: str
    family_name: str
    badges: tuple[str, ...]
    created: datetime
    space: str = ""


def find_person(connection: Connection, email: str) -> Person | None:
    """Read a person and her badges within a transaction."""
    row = connection.execute(select(people).where(people.c.email == email)).one_or_none()
    if row is None:
        return None
    held = connection.scalars(select(badges.c.badge).where(badges.c.email == email).order_by(badges.c.badge))
    return Person(row.email, row.subject, row.given_name, row.family_name, tuple(held), row.created, row.space)


class People:
    """The people of a registry.

    Parameters
    ----------
    registry
        Opened with the room `tables.ROOM`.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def add(
        self, email: str, password: str, *, given_name: str = "", family_name: str = "", held: Iterable[str] = ()
    ) -> Person:
        """Add a person.

        Raises
        ------
        WorkbenchError
            ``email_malforme``, ``badge_malforme``, ``mot_de_passe_refuse``, ``personne_existante``.
        """
        email = check_email(email)
        wanted = sorted({check_badge(each) for each in held})
        check_password(password, email)
        password_hash = hash_password(password)
        try:
            with self.registry.write() as connection:
                connection.execute(
                    insert(people).values(
                        email=email,
                        subject=new_identifier(),
                        given_name=given_name.strip(),
                        family_name=family_name.strip(),
                        password_hash=password_hash,
                        created=self.registry.now(connection),
                    )
                )
                _hold(connection, email, wanted)
                return _found(connection, email)
        except IntegrityError as error:
            raise WorkbenchError("personne_existante", email=email) from error

    def get(self, email: str) -> Person:
        """Return a person.

        Raises
        ------
        WorkbenchError
            ``personne_inconnue``.
        """
        with self.registry.read() as connection:
            return _found(connection, check_email(email))

    def all(self) -> list[Person]:
        """Return everyone, by e-mail."""
        with self.registry.read() as connection:
            held: dict[str, list[str]] = {}
            for row in connection.execute(select(badges).order_by(badges.c.badge)):
                held.setdefault(row.email, []).append(row.badge)
            return [
                Person(
                    row.email,
                    row.subject,
                    row.given_name,
                    row.family_name,
                    tuple(held.get(row.email, ())),
                    row.created,
                    row.space,
                )
                for row in connection.execute(select(people).order_by(people.c.email))
            ]

    def count(self) -> int:
        """Return how many there are."""
        with self.registry.read() as connection:
            return connection.execute(select(func.count()).select_from(people)).scalar_one()

    def remove(self, email: str) -> None:
        """Remove a person, her sessions and her refresh tokens; her access tokens last a few minutes more."""
        with self.registry.write() as connection:
            person = _found(connection, check_email(email))
            connection.execute(delete(people).where(people.c.email == person.email))

    def set_badges(self, email: str, held: Iterable[str]) -> Person:
        """Replace the badges of a person; her next access token has them."""
        wanted = sorted({check_badge(each) for each in held})
        with self.registry.write() as connection:
            person = _found(connection, check_email(email))
            connection.execute(delete(badges).where(badges.c.email == person.email))
            _hold(connection, person.email, wanted)
            return _found(connection, person.email)

    def set_space(self, email: str, space: str) -> Person:
        """Give a person an upload space, or none; her next access token names it.

        Raises
        ------
        WorkbenchError
            ``personne_inconnue``, ``espace_malforme``.
        """
        if space and not is_space(space):
            raise WorkbenchError("espace_malforme", espace="".join(each for each in space[:80] if each.isprintable()))
        with self.registry.write() as connection:
            person = _found(connection, check_email(email))
            connection.execute(update(people).where(people.c.email == person.email).values(space=space))
            return _found(connection, person.email)

    def set_password(self, email: str, password: str) -> None:
        """Change a password; the person is logged out everywhere."""
        email = check_email(email)
        check_password(password, email)
        password_hash = hash_password(password)
        with self.registry.write() as connection:
            _found(connection, email)
            connection.execute(update(people).where(people.c.email == email).values(password_hash=password_hash))
            log_out_everywhere(connection, email)

    def authenticate(self, email: str, password: str, address: str) -> Person:
        """Return the person whose e-mail and password these are.

        Parameters
        ----------
        email, password
            As typed.
        address
            Where the attempt comes from.

        Raises
        ------
        WorkbenchError
            ``connexion_refusee``, the same for a wrong password and for an unknown person; ``trop_d_essais``.
        """
        typed = email.strip().lower()[:300]
        count_attempt(self.registry, typed, address)
        with self.registry.read() as connection:
            stored = connection.scalar(select(people.c.password_hash).where(people.c.email == typed))
        if not password_matches(stored, password) or stored is None:
            raise WorkbenchError("connexion_refusee")
        forget_attempt(self.registry, typed, address)
        with self.registry.write() as connection:
            if needs_new_hash(stored):
                connection.execute(
                    update(people).where(people.c.email == typed).values(password_hash=hash_password(password))
                )
            person = find_person(connection, typed)
        if person is None:  # removed meanwhile
            raise WorkbenchError("connexion_refusee")
        return person


def log_out_everywhere(connection: Connection, email: str) -> None:
    """End the sessions of a person and revoke her refresh tokens."""
    connection.execute(delete(logins).where(logins.c.email == email))
    connection.execute(update(families).where(families.c.email == email).values(revoked=True))


def _found(connection: Connection, email: str) -> Person:
    person = find_person(connection, email)
    if person is None:
        raise WorkbenchError("personne_inconnue", email=email)
    return person


def _hold(connection: Connection, email: str, wanted: list[str]) -> None:
    if wanted:
        connection.execute(insert(badges), [{"email": email, "badge": badge} for badge in wanted])
