"""Verify a token: what is checked, in which order, and what each refusal is called.

A token that is *not ours* (not signed JSON at all, or another issuer's) is ``jeton_etranger``: another door may know
it. One that says it is ours and is *wrong* is ``jeton_refuse``; ``jeton_expire`` is the one refusal that asking for
another token mends. All are 401. The library checks the signature and nothing else decides it; the rest is here, in
this order:

1. the form: three parts of canonical base64url, two JSON objects without a name given twice;
2. the issuer, which the token merely claims: another one makes it foreign;
3. the header: only the members of `HEADERS`, an algorithm of the configuration, a known type, an identifier of key;
4. the signature, by the issuer's key of that identifier;
5. the claims: audience, dates with `TokenRules.leeway`, type.
"""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor, actor_of
from workbench.identity.keys import IssuerKeys, PublicKey
from workbench.identity.strict_json import read_object

__all__ = ["ALGORITHMS", "TokenRules", "TokenVerifier"]

ALGORITHMS = ("RS256", "ES256")
"""What may be configured; a symmetric algorithm cannot, nor ``none``."""

HEADERS = frozenset({"alg", "kid", "typ", "x5t", "x5t#S256"})
"""Members of a header that are read or harmless: one that brings a key, or an extension, is refused."""

LONGEST_TOKEN = 32 * 1024
LATEST = 253402300800
"""The year 10 000, which no date reaches."""

_PART = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class TokenRules:
    """What a token must be.

    Parameters
    ----------
    issuer
        Address of the issuer, exactly as tokens write it.
    audience
        Whom tokens must be for.
    algorithms
        Of `ALGORITHMS`; a token chooses none.
    badges_at
        Steps to the claim of the badges; Keycloak's client roles by default.
    leeway
        Seconds that the clocks of two machines may differ.
    identity_token
        The rules are for ID tokens, which say who logged in, and not for access tokens, which open services.
    unverified_email
        Accept an e-mail that the issuer says nobody verified.

    Raises
    ------
    WorkbenchError
        ``identite_reglage``.

    Examples
    --------
    >>> TokenRules("https://id.example.fr", "workbench").badges_at
    ('resource_access', 'workbench', 'roles')
    >>> TokenRules("https://id.example.fr", "workbench", algorithms=("none",))
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: Le réglage de l'identité « algorithmes » ne convient pas : none.
    Écrivez RS256 ou ES256.
    """

    issuer: str
    audience: str
    algorithms: tuple[str, ...] = ("RS256",)
    badges_at: tuple[str, ...] = ()
    leeway: int = 30
    identity_token: bool = False
    unverified_email: bool = False
    types: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        if not self.algorithms or not set(self.algorithms) <= set(ALGORITHMS):
            given = ", ".join(self.algorithms) or "aucun"
            raise WorkbenchError(
                "identite_reglage", reglage="algorithmes", valeur=given, conseil="Écrivez RS256 ou ES256."
            )
        if not self.audience:
            raise WorkbenchError(
                "identite_reglage", reglage="audience", valeur="vide", conseil="Donnez WORKBENCH_AUDIENCE."
            )
        if not 0 <= self.leeway <= 300:
            raise WorkbenchError(
                "identite_reglage", reglage="décalage", valeur=self.leeway, conseil="Donnez de 0 à 300 secondes."
            )
        types = {"jwt"} if self.identity_token else {"jwt", "at+jwt", "application/at+jwt"}
        object.__setattr__(self, "types", frozenset(types))
        if not self.badges_at:
            object.__setattr__(self, "badges_at", ("resource_access", self.audience, "roles"))


class _Read(NamedTuple):
    token: str
    algorithm: str
    key: str
    claims: dict[str, Any]


class TokenVerifier:
    """Turns tokens of one issuer into actors.

    Parameters
    ----------
    rules
        What a token must be.
    keys
        Keys of the issuer; by default those that discovery finds.
    clock
        Seconds since 1970.
    """

    def __init__(
        self, rules: TokenRules, keys: IssuerKeys | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.rules = rules
        self.keys = keys or IssuerKeys(rules.issuer, rules.algorithms)
        self._clock = clock

    def verify(self, token: str) -> Actor:
        """Return whom a token names.

        Raises
        ------
        WorkbenchError
            ``jeton_etranger``, ``jeton_refuse``, ``jeton_expire`` (401), ``emetteur_injoignable`` (503).
        """
        return self._actor(self.claims(token))

    async def verify_async(self, token: str) -> Actor:
        """Do as `verify`; only the fetching of keys leaves the event loop."""
        read = self._read(token)
        key = self.keys.cached(read.key)
        if key is None:
            key = await asyncio.to_thread(self.keys.get, read.key)
        return self._actor(self._check(read, key))

    def claims(self, token: str) -> dict[str, Any]:
        """Return the verified claims of a token; same errors as `verify`."""
        read = self._read(token)
        return self._check(read, self.keys.get(read.key))

    def _actor(self, claims: Mapping[str, Any]) -> Actor:
        return actor_of(claims, self.rules.badges_at, unverified_email=self.rules.unverified_email)

    def _read(self, token: str) -> _Read:
        if len(token) > LONGEST_TOKEN:
            raise WorkbenchError("jeton_etranger")
        parts = token.split(".")
        if len(parts) != 3:
            raise WorkbenchError("jeton_etranger")
        try:
            header = read_object(_decoded(parts[0]))
            claims = read_object(_decoded(parts[1]))
        except ValueError as error:
            raise WorkbenchError("jeton_etranger") from error
        if claims.get("iss") != self.rules.issuer:
            raise WorkbenchError("jeton_etranger")
        unknown = set(header) - HEADERS
        if unknown:
            raise _refused(f"son en-tête a ce qui n'est pas admis : {min(unknown)[:30]!r}")
        algorithm, kind, key = header.get("alg"), header.get("typ", "JWT"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self.rules.algorithms:
            raise _refused("son algorithme n'est pas celui qui est configuré")
        if not isinstance(kind, str) or kind.lower() not in self.rules.types:
            raise _refused("il n'est pas du type attendu")
        if not isinstance(key, str) or not key:
            raise _refused("il ne nomme pas sa clé")
        try:
            _decoded(parts[2])
        except ValueError as error:
            raise _refused("sa signature n'est pas lisible") from error
        return _Read(token, algorithm, key, claims)

    def _check(self, read: _Read, key: PublicKey) -> dict[str, Any]:
        if not isinstance(key, RSAKey if read.algorithm == "RS256" else ECKey):
            raise _refused("sa clé n'est pas de son algorithme")
        try:
            jws.deserialize_compact(read.token, key, algorithms=[read.algorithm])
        except (JoseError, ValueError) as error:
            raise _refused("sa signature est fausse") from error
        self._check_dates(read.claims)
        self._check_purpose(read.claims)
        return read.claims

    def _check_dates(self, claims: Mapping[str, Any]) -> None:
        now = self._clock()
        for name in ("exp", "iat", "nbf"):
            value = claims.get(name)
            if value is None and name == "nbf" and name not in claims:
                continue
            # Neither NaN nor an infinity lies between; an integer of any length may be compared.
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LATEST:
                raise _refused(f"sa date {name} n'en est pas une")
        if claims["exp"] <= now - self.rules.leeway:
            raise WorkbenchError("jeton_expire")
        if claims.get("nbf", 0) > now + self.rules.leeway or claims["iat"] > now + self.rules.leeway:
            raise _refused("il n'est pas encore valable")

    def _check_purpose(self, claims: Mapping[str, Any]) -> None:
        audience = claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience
        if not isinstance(audiences, list) or self.rules.audience not in audiences:
            raise _refused("il n'est pas pour ce service")
        if not all(isinstance(each, str) for each in audiences):
            raise _refused("ses destinataires ne sont pas des textes")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject:
            raise _refused("il ne dit pas de qui il est")
        kind = claims.get("typ")
        if self.rules.identity_token:
            party = claims.get("azp", self.rules.audience)
            if kind not in (None, "ID") or party != self.rules.audience or (len(audiences) > 1 and "azp" not in claims):
                raise _refused("ce n'est pas un jeton d'identité pour ce service")
        elif kind not in (None, "Bearer") or "at_hash" in claims or "c_hash" in claims or "events" in claims:
            # Keycloak writes the kind of a token among its claims; a hash of another token is an ID token's.
            raise _refused("ce n'est pas un jeton d'accès")


def _refused(reason: str) -> WorkbenchError:
    return WorkbenchError("jeton_refuse", raison=reason)


def _decoded(part: str) -> bytes:
    """Decode base64url as it must be written: no padding, no other sign, no bit to spare."""
    if not _PART.fullmatch(part):
        raise ValueError("not base64url")
    content = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(content).rstrip(b"=").decode() != part:
        raise ValueError("not canonical")
    return content
