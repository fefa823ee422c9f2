"""The embedded issuer itself: codes, tokens, their rotation and their end. It knows neither HTTP nor screens.

An access token lives minutes and is checked by its signature alone. A refresh token serves once and gives another:
one that comes back was stolen, from the client or by it, and its whole family is revoked with what either of the two
holds (RFC 9700, 4.14). A code that comes back does the same. Revocations are kept before a refusal is told, since a
refusal undoes the transaction it is raised in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from joserfc import jws
from joserfc.errors import JoseError
from sqlalchemy import Connection, delete, insert, select, update

from workbench.identity.authorization import AuthorizationRequest, Client, OAuthError
from workbench.identity.people import People, Person, find_person
from workbench.identity.signing import ALGORITHM, SigningKeys
from workbench.identity.strict_json import read_object
from workbench.identity.tables import codes, families, logins, print_of, refresh_tokens
from workbench.registry import Registry, new_identifier

__all__ = ["Issuer", "Login"]

ACCESS = timedelta(minutes=5)
CODE = timedelta(seconds=60)
LOGIN = timedelta(hours=10)
REFRESH_IDLE = timedelta(hours=2)
LONGEST_TOKEN = timedelta(hours=24)
"""Of the tokens made for a script."""

VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class Login(NamedTuple):
    """A browser that logged in."""

    person: Person
    since: datetime
    print: str


class Issuer:
    """Issues tokens for the people of a registry.

    Parameters
    ----------
    url
        Address of the issuer, as tokens write it; no slash at the end.
    registry
        Opened with the room `tables.ROOM`.
    keys
        What it signs with.
    clients
        Whom it sends people back to.
    audience
        Whom access tokens are for; badges are under that name, as Keycloak's client roles.
    """

    def __init__(
        self,
        url: str,
        registry: Registry,
        keys: SigningKeys,
        clients: Iterable[Client] = (),
        audience: str = "workbench",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.url = url.rstrip("/")
        self.registry = registry
        self.people = People(registry)
        self.keys = keys
        self.clients = {client.identifier: client for client in clients}
        self.audience = audience
        self.clock = clock

    def document(self) -> dict[str, Any]:
        """Return the discovery document (OpenID Connect Discovery 1.0)."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "revocation_endpoint": f"{self.url}/revoke",
            "end_session_endpoint": f"{self.url}/logout",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": ["openid", "email", "profile", "offline_access"],
            "claims_supported": ["sub", "email", "email_verified", "given_name", "family_name", "name", "auth_time"],
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "authorization_response_iss_parameter_supported": True,
            "ui_locales_supported": ["fr"],
        }

    # --- browsers

    def open_login(self, person: Person) -> str:
        """Open a session of the issuer's own and return the secret that its cookie holds."""
        secret = secrets.token_urlsafe(32)
        with self.registry.write() as connection:
            now = self.now()
            connection.execute(delete(logins).where(logins.c.expires <= now))
            connection.execute(
                insert(logins).values(print=print_of(secret), email=person.email, created=now, expires=now + LOGIN)
            )
        return secret

    def find_login(self, secret: str) -> Login | None:
        """Return the session of a cookie, None when it is unknown or over."""
        if not secret:
            return None
        with self.registry.read() as connection:
            row = connection.execute(select(logins).where(logins.c.print == print_of(secret))).one_or_none()
            if row is None or row.expires <= self.now():
                return None
            person = find_person(connection, row.email)
        return Login(person, row.created, row.print) if person else None

    def close_login(self, login: Login) -> None:
        """End a session and every refresh token that came from it."""
        with self.registry.write() as connection:
            connection.execute(delete(logins).where(logins.c.print == login.print))
            connection.execute(update(families).where(families.c.login == login.print).values(revoked=True))

    # --- grants

    def grant_code(self, request: AuthorizationRequest, login: Login) -> str:
        """Return a code, for one minute and one use."""
        code = secrets.token_urlsafe(32)
        with self.registry.write() as connection:
            now = self.now()
            connection.execute(delete(families).where(families.c.expires <= now))
            family = new_identifier()
            connection.execute(
                insert(families).values(
                    id=family,
                    email=login.person.email,
                    client=request.client.identifier,
                    scope=request.scope,
                    login=login.print,
                    nonce=request.nonce or None,
                    logged_in=login.since,
                    expires=now + LOGIN,
                    revoked=False,
                )
            )
            connection.execute(
                insert(codes).values(
                    print=print_of(code),
                    family=family,
                    redirect=request.redirect,
                    challenge=request.challenge,
                    expires=now + CODE,
                    used=False,
                )
            )
        return code

    def redeem_code(self, client: str, code: str, redirect: str, verifier: str) -> dict[str, Any]:
        """Exchange a code for tokens.

        Raises
        ------
        OAuthError
            ``invalid_grant``.
        """
        with self.registry.write() as connection:
            row = connection.execute(
                select(codes).where(codes.c.print == print_of(code)).with_for_update()
            ).one_or_none()
            answer = None
            if row is not None:
                family = self._family(connection, row.family, client)
                right = row.redirect == redirect and _proves(verifier, row.challenge)
                if family is not None and right and not row.used and row.expires > self.now():
                    connection.execute(update(codes).where(codes.c.print == row.print).values(used=True))
                    answer = self._tokens(connection, family)
                elif family is not None:
                    # Used twice, or by someone who does not know its verifier: what it gave ends.
                    _revoke(connection, row.family)
        if answer is None:
            raise OAuthError("invalid_grant", "the code is unknown, used, expired or not this client's")
        return answer

    def refresh(self, client: str, token: str) -> dict[str, Any]:
        """Exchange a refresh token for new tokens; it serves once.

        Raises
        ------
        OAuthError
            ``invalid_grant``.
        """
        with self.registry.write() as connection:
            row = connection.execute(
                select(refresh_tokens).where(refresh_tokens.c.print == print_of(token)).with_for_update()
            ).one_or_none()
            answer = None
            if row is not None:
                family = self._family(connection, row.family, client)
                if row.used:
                    _revoke(connection, row.family)
                elif family is not None and row.expires > self.now():
                    connection.execute(
                        update(refresh_tokens).where(refresh_tokens.c.print == row.print).values(used=True)
                    )
                    answer = self._tokens(connection, family)
        if answer is None:
            raise OAuthError("invalid_grant", "the refresh token is unknown, used, expired or revoked")
        return answer

    def revoke(self, client: str, token: str) -> None:
        """End the family of a refresh token; what is unknown is over already (RFC 7009, 2.2)."""
        with self.registry.write() as connection:
            row = connection.execute(
                select(refresh_tokens.c.family).where(refresh_tokens.c.print == print_of(token))
            ).one_or_none()
            if row is not None and self._family(connection, row.family, client) is not None:
                _revoke(connection, row.family)

    def token_for(self, email: str, lifetime: timedelta = timedelta(hours=1)) -> str:
        """Return an access token of a person for a script, for a day at most; nothing revokes it.

        Raises
        ------
        WorkbenchError
            ``personne_inconnue``.
        """
        return self._access_token(self.people.get(email), min(lifetime, LONGEST_TOKEN), "workbench", "openid")

    def subject_of_hint(self, token: str) -> str:
        """Return the subject of an ID token of ours, expired or not; empty for any other text."""
        try:
            head, body, _ = token.split(".")
            claims = read_object(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
            header = read_object(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
            key = self.keys.key(str(header.get("kid")))
            if key is None or claims.get("iss") != self.url:
                return ""
            jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
        except (ValueError, JoseError):
            return ""
        return str(claims.get("sub", ""))

    def now(self) -> datetime:
        """Return the moment by the issuer's clock."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def _family(self, connection: Connection, family: str, client: str) -> Any:
        """Return the row of a family that still lives and is this client's, and hold it."""
        row = connection.execute(select(families).where(families.c.id == family).with_for_update()).one_or_none()
        alive = row is not None and not row.revoked and row.expires > self.now() and row.client == client
        return row if alive else None

    def _tokens(self, connection: Connection, family: Any) -> dict[str, Any]:
        person = find_person(connection, family.email)
        if person is None:
            raise OAuthError("invalid_grant", "the person is no more")
        refresh = secrets.token_urlsafe(32)
        expires = min(family.expires, self.now() + REFRESH_IDLE)
        connection.execute(
            insert(refresh_tokens).values(print=print_of(refresh), family=family.id, expires=expires, used=False)
        )
        access = self._access_token(person, ACCESS, family.client, family.scope)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(ACCESS.total_seconds()),
            "refresh_token": refresh,
            "id_token": self._id_token(person, family, access),
            "scope": family.scope,
        }

    def _access_token(self, person: Person, lifetime: timedelta, client: str, scope: str) -> str:
        claims = {
            **self._claims(person, lifetime),
            "aud": self.audience,
            "azp": client,
            "client_id": client,
            "jti": new_identifier(),
            "scope": scope,
            **self.userinfo(person),
            "resource_access": {self.audience: {"roles": list(person.badges)}},
        }
        if person.space:
            claims["goup_path"] = person.space
        return self.keys.sign(claims, "at+jwt")

    def _id_token(self, person: Person, family: Any, access: str) -> str:
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            **self._claims(person, ACCESS),
            "aud": family.client,
            "azp": family.client,
            "auth_time": int(family.logged_in.timestamp()),
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            **self.userinfo(person),
        }
        if family.nonce:
            claims["nonce"] = family.nonce
        return self.keys.sign(claims, "JWT")

    def _claims(self, person: Person, lifetime: timedelta) -> dict[str, Any]:
        now = int(self.clock())
        return {"iss": self.url, "sub": person.subject, "iat": now, "exp": now + int(lifetime.total_seconds())}

    @staticmethod
    def userinfo(person: Person) -> dict[str, Any]:
        """Return the claims that say who a person is."""
        return {
            "sub": person.subject,
            "email": person.email,
            "email_verified": True,
            "given_name": person.given_name,
            "family_name": person.family_name,
            "name": f"{person.given_name} {person.family_name}".strip() or person.email,
        }


def _proves(verifier: str, challenge: str) -> bool:
    """Check PKCE: the challenge is the print of the verifier (RFC 7636, 4.6)."""
    if not VERIFIER.fullmatch(verifier):
        return False
    found = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(found, challenge)


def _revoke(connection: Connection, family: str) -> None:
    connection.execute(update(families).where(families.c.id == family).values(revoked=True))
