"""What a client asks when it sends a browser to the embedded issuer: read, checked, refused in the protocol's words.

Until the client and its address are known, a refusal is shown to the person and sent nowhere; afterwards it goes back
to the client (RFC 6749, 4.1.2.1). Only the authorization code flow with PKCE S256 is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from workbench.identity.keys import is_local

__all__ = ["AuthorizationRequest", "Client", "OAuthError", "answer_address", "read_request"]

SCOPES = ("openid", "email", "profile", "offline_access")
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
LONGEST = 2000


class OAuthError(Exception):
    """A refusal in the words of OAuth 2.0.

    Parameters
    ----------
    code
        ``invalid_request``, ``invalid_grant``…
    description
        English, for the developer of a client.
    redirect, state
        Where to send it; empty when it is for the person alone.
    """

    def __init__(self, code: str, description: str, redirect: str = "", state: str = "") -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description
        self.redirect = redirect
        self.state = state


@dataclass(frozen=True)
class Client:
    """Someone whom the issuer sends people back to: a public client, which PKCE protects.

    Parameters
    ----------
    identifier
        Its ``client_id``.
    redirects
        Addresses, compared sign by sign; the port of an address of this machine may be any (RFC 8252, 7.3).
    after_logout
        Addresses to go to after a logout, compared in the same way.
    """

    identifier: str
    redirects: tuple[str, ...]
    after_logout: tuple[str, ...] = ()

    def allows(self, address: str) -> bool:
        """Say whether codes may be sent to an address.

        Examples
        --------
        >>> client = Client("tableaux", ("http://127.0.0.1/retour",))
        >>> client.allows("http://127.0.0.1:8866/retour"), client.allows("http://127.0.0.1:8866/retour/../x")
        (True, False)
        """
        return _is_among(address, self.redirects)

    def allows_after_logout(self, address: str) -> bool:
        """Say whether people may be sent to an address after they log out."""
        return _is_among(address, self.after_logout)


def _is_among(address: str, known: Iterable[str]) -> bool:
    return any(address == each or _without_port(address) == each for each in known)


def _without_port(address: str) -> str | None:
    """Return an address of this machine without its port; None for another machine's."""
    try:
        parts = urlsplit(address)
        if parts.scheme != "http" or not is_local(parts.hostname) or parts.port is None:
            return None
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
        plain = f"http://{host}"
        # Rebuilt, it must be what was given: no user, nothing that two readers take for two things.
        return (
            plain + address.removeprefix(f"{plain}:{parts.port}")
            if address.startswith(f"{plain}:{parts.port}/")
            else None
        )
    except ValueError:
        return None


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request that may be granted."""

    client: Client
    redirect: str
    scope: str
    state: str
    nonce: str
    challenge: str
    prompt: str
    max_age: int | None
    login_hint: str


def read_request(parameters: Iterable[tuple[str, str]], clients: Mapping[str, Client]) -> AuthorizationRequest:
    """Check the parameters of the authorization endpoint.

    Raises
    ------
    OAuthError
        With ``redirect`` once the client and its address are known.
    """
    given: dict[str, str] = {}
    twice = False
    for name, value in parameters:
        twice = twice or name in given
        given[name] = value
    client = clients.get(given.get("client_id", ""))
    redirect = given.get("redirect_uri", "")
    if client is None:
        raise OAuthError("invalid_client", "unknown client_id")
    if not client.allows(redirect):
        raise OAuthError("invalid_request", "redirect_uri is not one of the client's")
    state = given.get("state", "")

    def refuse(code: str, description: str) -> OAuthError:
        return OAuthError(code, description, redirect, state)

    if twice or any(len(value) > LONGEST for value in given.values()):
        raise refuse("invalid_request", "a parameter is given twice or is too long")
    for name, code in (("request", "request_not_supported"), ("request_uri", "request_uri_not_supported")):
        if name in given:
            raise refuse(code, f"{name} is not supported")
    if given.get("response_type") != "code":
        raise refuse("unsupported_response_type", "response_type must be code")
    if given.get("response_mode", "query") != "query":
        raise refuse("invalid_request", "response_mode must be query")
    asked = given.get("scope", "").split()
    if "openid" not in asked:
        raise refuse("invalid_scope", "scope must hold openid")
    if given.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(given.get("code_challenge", "")):
        raise refuse("invalid_request", "PKCE with S256 is required")
    prompt = given.get("prompt", "")
    if prompt not in ("", "none", "login", "consent", "select_account"):
        raise refuse("invalid_request", "unknown prompt")
    max_age = given.get("max_age", "")
    if max_age and not re.fullmatch(r"[0-9]{1,9}", max_age):
        raise refuse("invalid_request", "max_age must be a number of seconds")
    return AuthorizationRequest(
        client=client,
        redirect=redirect,
        scope=" ".join(each for each in SCOPES if each in asked),
        state=state,
        nonce=given.get("nonce", ""),
        challenge=given["code_challenge"],
        prompt=prompt,
        max_age=int(max_age) if max_age else None,
        login_hint=given.get("login_hint", ""),
    )


def answer_address(redirect: str, **parameters: str) -> str:
    """Return where to send the browser back, with what is not empty.

    Examples
    --------
    >>> answer_address("https://example.fr/retour?x=1", code="abc", state="")
    'https://example.fr/retour?x=1&code=abc'
    """
    kept = {name: value for name, value in parameters.items() if value}
    return f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(kept)}"
