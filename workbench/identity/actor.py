"""Who asks: the person a verified token names, and the badges she holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["Actor", "actor_of", "badge_path", "check_badge", "check_email", "is_space"]

LONGEST_EMAIL = 254
LONGEST_BADGE = 100
MOST_BADGES = 2000

_SPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_TAKEN = frozenset({"tusd", "public"})

_EMAIL = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, as long as her token lasts.

    Parameters
    ----------
    email
        Her e-mail in lower case: what policies and the journal know her by.
    given_name, family_name
        Her names; may be empty.
    badges
        The badges she holds; none by default.
    expires_at
        When what is known of her ceases to hold, in UTC.
    subject
        The issuer's own identifier of her.
    space
        The upload space that her token names (claim ``goup_path``); empty when it names none.

    Examples
    --------
    >>> jane = Actor("jane@example.fr", "Jane", "Doe", frozenset({"bfc", "crp"}), datetime(2030, 1, 1, tzinfo=UTC))
    >>> jane.name, jane.holds(["bfc"]), jane.holds(["bfc", "urssaf"]), jane.holds([])
    ('Jane Doe', True, False, True)
    """

    email: str
    given_name: str
    family_name: str
    badges: frozenset[str]
    expires_at: datetime
    subject: str = ""
    space: str = ""

    @property
    def name(self) -> str:
        """Her names, or her e-mail when she has none."""
        return f"{self.given_name} {self.family_name}".strip() or self.email

    def holds(self, badges: Iterable[str]) -> bool:
        """Say whether she holds every one of the badges."""
        return self.badges.issuperset(badges)


def check_email(email: str) -> str:
    """Return an e-mail in lower case.

    Raises
    ------
    WorkbenchError
        ``email_malforme``.

    Examples
    --------
    >>> check_email(" Jane@Example.FR ")
    'jane@example.fr'
    """
    found = email.strip().lower()
    if len(found) > LONGEST_EMAIL or ".." in found or not _EMAIL.fullmatch(found):
        raise WorkbenchError("email_malforme", email=_shown(email))
    return found


def check_badge(badge: str) -> str:
    """Return a badge, which is a text of one line that neither begins nor ends with a space, nor begins with ``$``.

    Badges in ``$`` are lent by policies; no issuer gives them.

    Raises
    ------
    WorkbenchError
        ``badge_malforme``.

    Examples
    --------
    >>> check_badge("France entière")
    'France entière'
    """
    if not badge or len(badge) > LONGEST_BADGE or badge != badge.strip() or not badge.isprintable() or badge[0] == "$":
        raise WorkbenchError("badge_malforme", badge=_shown(badge))
    return badge


def is_space(name: str) -> bool:
    """Say whether a text may name an upload space: a user of a machine and a folder, neither the service's nor all's.

    Examples
    --------
    >>> is_space("urssaf"), is_space("../tusd"), is_space("Public"), is_space("")
    (True, False, False, False)
    """
    return _SPACE.fullmatch(name) is not None and name.lower() not in _TAKEN


def _shown(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text[:80])


def badge_path(claim: str) -> tuple[str, ...]:
    """Return the steps to a claim: names joined by dots, or a JSON pointer when a name has dots itself.

    Examples
    --------
    >>> badge_path("resource_access.workbench.roles")
    ('resource_access', 'workbench', 'roles')
    >>> badge_path("/https:~1~1example.fr~1badges")
    ('https://example.fr/badges',)
    """
    if claim.startswith("/"):
        return tuple(step.replace("~1", "/").replace("~0", "~") for step in claim[1:].split("/"))
    return tuple(claim.split("."))


def actor_of(claims: Mapping[str, Any], badges_at: tuple[str, ...], *, unverified_email: bool = False) -> Actor:
    """Return the person that verified claims name.

    Parameters
    ----------
    claims
        Claims of a token whose signature and dates were checked.
    badges_at
        Steps to the list of the badges; a claim that is not there gives none.
    unverified_email
        Accept an e-mail that the issuer says nobody verified.

    Raises
    ------
    WorkbenchError
        ``jeton_refuse``: no usable e-mail, or badges that are not a list of texts.
    """
    email = claims.get("email")
    if not isinstance(email, str):
        raise WorkbenchError("jeton_refuse", raison="il ne porte pas d'adresse électronique")
    if claims.get("email_verified", True) is not True and not unverified_email:
        raise WorkbenchError("jeton_refuse", raison="l'émetteur n'a pas vérifié l'adresse électronique")
    try:
        return Actor(
            email=check_email(email),
            given_name=_name(claims.get("given_name")),
            family_name=_name(claims.get("family_name")),
            badges=_badges(claims, badges_at),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            subject=claims["sub"],
            space=_space(claims),
        )
    except WorkbenchError as error:
        if error.code == "jeton_refuse":
            raise
        raise WorkbenchError("jeton_refuse", raison=error.message.rstrip(".")) from error


def _name(value: Any) -> str:
    return "".join(sign for sign in value[:200] if sign.isprintable()).strip() if isinstance(value, str) else ""


def _space(claims: Mapping[str, Any]) -> str:
    """Return the upload space; spellings that disagree, or that are no plain text, name none."""
    nested = claims.get("value")
    places = [claims.get("goup_path"), claims.get("goup-path"), claims.get("value.goup-path")]
    places.append(nested.get("goup-path") if isinstance(nested, Mapping) else None)
    found = [each for each in places if each is not None]
    first = found[0] if found else ""
    return first if isinstance(first, str) and all(each == first for each in found) else ""


def _badges(claims: Mapping[str, Any], steps: tuple[str, ...]) -> frozenset[str]:
    found: Any = claims
    for step in steps:
        if not isinstance(found, Mapping):
            raise WorkbenchError("jeton_refuse", raison="les badges n'y sont pas où ils devraient être")
        if step not in found:
            return frozenset()
        found = found[step]
    if not isinstance(found, list) or len(found) > MOST_BADGES or not all(isinstance(each, str) for each in found):
        raise WorkbenchError("jeton_refuse", raison="ses badges ne sont pas une liste de textes")
    return frozenset(check_badge(each) for each in found)
