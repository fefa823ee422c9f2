"""A client of an issuer: sends a browser to log in, and turns what comes back into verified tokens.

Nothing here waits politely: the calls are plain HTTP and belong in a thread of a server that serves others.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.configuration import IdentitySettings
from workbench.identity.keys import TIMEOUT_SECONDS, IssuerKeys, is_local
from workbench.identity.strict_json import read_object
from workbench.identity.tokens import TokenVerifier

__all__ = ["Pending", "RelyingParty", "Tokens"]


@dataclass(frozen=True)
class Tokens:
    """What an issuer gave for one person."""

    actor: Actor
    access: str = field(repr=False)
    refresh: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)


@dataclass(frozen=True)
class Pending:
    """A login that began: what only its browser and this server know."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect: str

    @staticmethod
    def begin(redirect: str) -> Pending:
        """Draw the secrets of a login."""
        state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
        return Pending(state, nonce, verifier, redirect)


class RelyingParty:
    """One client of one issuer.

    Parameters
    ----------
    settings
        With an issuer.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        self.settings = settings
        self.keys = IssuerKeys(settings.issuer, settings.algorithms)
        self.verifier = TokenVerifier(settings.rules(), self.keys)
        self._identity = TokenVerifier(settings.rules(identity_token=True), self.keys)

    def login_address(self, pending: Pending) -> str:
        """Return where to send a browser to log in.

        Raises
        ------
        WorkbenchError
            ``emetteur_injoignable``.
        """
        print_ = hashlib.sha256(pending.verifier.encode()).digest()
        parameters = {
            "client_id": self.settings.client,
            "redirect_uri": pending.redirect,
            "response_type": "code",
            "scope": "openid email profile",
            "state": pending.state,
            "nonce": pending.nonce,
            "code_challenge": base64.urlsafe_b64encode(print_).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        address = self._endpoint("authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"

    def redeem(self, pending: Pending, code: str) -> Tokens:
        """Exchange the code that came back for tokens, and check that they are of this login.

        Raises
        ------
        WorkbenchError
            ``connexion_echouee``, ``jeton_refuse``, ``jeton_etranger``, ``jeton_expire``, ``emetteur_injoignable``.
        """
        answer = self._ask(
            "token_endpoint",
            grant_type="authorization_code",
            code=code,
            redirect_uri=pending.redirect,
            code_verifier=pending.verifier,
        )
        tokens = self._tokens(answer)
        claims = self._identity.claims(tokens.identity)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), pending.nonce.encode()):
            raise WorkbenchError("jeton_refuse", raison="il n'est pas de cette connexion")
        if claims["sub"] != tokens.actor.subject:
            raise WorkbenchError("jeton_refuse", raison="ses deux jetons ne sont pas de la même personne")
        email = claims.get("email", tokens.actor.email)
        if not isinstance(email, str) or email.lower() != tokens.actor.email:
            raise WorkbenchError("jeton_refuse", raison="ses deux jetons n'ont pas la même adresse électronique")
        return tokens

    def refresh(self, tokens: Tokens) -> Tokens:
        """Return new tokens of the same person.

        Raises
        ------
        WorkbenchError
            As `redeem`; ``jeton_refuse`` too when the new token is another person's.
        """
        if not tokens.refresh:
            raise WorkbenchError("jeton_expire")
        answer = self._ask("token_endpoint", grant_type="refresh_token", refresh_token=tokens.refresh)
        found = self._tokens({"refresh_token": tokens.refresh, "id_token": tokens.identity, **answer})
        if (found.actor.email, found.actor.subject) != (tokens.actor.email, tokens.actor.subject):
            raise WorkbenchError("jeton_refuse", raison="il est d'une autre personne que la session")
        # An answer may bring a new ID token; the former one, which may have expired, was verified when it came.
        if "id_token" in answer and self._identity.claims(found.identity)["sub"] != found.actor.subject:
            raise WorkbenchError("jeton_refuse", raison="ses deux jetons ne sont pas de la même personne")
        return found

    def renew(self, refresh_token: str) -> dict[str, Any]:
        """Return what the issuer answers to a refresh token: ``access_token``, and the next refresh token if any.

        Raises
        ------
        WorkbenchError
            ``connexion_echouee``, ``emetteur_injoignable``.
        """
        answer = self._ask("token_endpoint", grant_type="refresh_token", refresh_token=refresh_token)
        if not isinstance(answer.get("access_token"), str):
            raise WorkbenchError("connexion_echouee", cause="l'émetteur a répondu autre chose que des jetons")
        return answer

    def revoke(self, tokens: Tokens) -> None:
        """Tell the issuer that a session is over, as far as it listens."""
        try:
            if tokens.refresh and self.keys.endpoint("revocation_endpoint"):
                self._ask("revocation_endpoint", token=tokens.refresh, token_type_hint="refresh_token")  # noqa: S106
        except WorkbenchError:
            # The session ends here whatever happens there.
            return

    def logout_address(self, tokens: Tokens, back: str) -> str:
        """Return where to send a browser to log out of the issuer too; empty when it has no such place."""
        try:
            address = self.keys.endpoint("end_session_endpoint")
        except WorkbenchError:
            return ""
        parameters = {
            "id_token_hint": tokens.identity,
            "client_id": self.settings.client,
            "post_logout_redirect_uri": back,
        }
        return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}" if address else ""

    def _tokens(self, answer: dict[str, Any]) -> Tokens:
        access, refresh, identity = (answer.get(name, "") for name in ("access_token", "refresh_token", "id_token"))
        if not all(isinstance(each, str) for each in (access, refresh, identity)):
            raise WorkbenchError("connexion_echouee", cause="l'émetteur a répondu autre chose que des jetons")
        return Tokens(self.verifier.verify(access), access, refresh, identity)

    def _endpoint(self, name: str) -> str:
        address = self.keys.endpoint(name)
        if not address:
            raise WorkbenchError("emetteur_injoignable", emetteur=self.settings.issuer, cause=f"il n'a pas de {name}")
        return address

    def _ask(self, endpoint: str, **form: str) -> dict[str, Any]:
        address = self._endpoint(endpoint)
        secret = self.settings.client_secret
        if secret:
            form["client_secret"] = secret
        try:
            trusts_proxies = not is_local(urlsplit(address).hostname)
            with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=trusts_proxies) as web:
                answer = web.post(address, data={"client_id": self.settings.client, **form})
            if answer.status_code >= 500:
                raise WorkbenchError(
                    "emetteur_injoignable", emetteur=self.settings.issuer, cause=f"il répond {answer.status_code}"
                )
            found = read_object(answer.content or b"{}")
        except httpx.HTTPError as error:
            raise WorkbenchError("emetteur_injoignable", emetteur=self.settings.issuer, cause=str(error)) from error
        except ValueError as error:
            raise WorkbenchError("connexion_echouee", cause="l'émetteur n'a pas répondu en JSON") from error
        if answer.status_code != httpx.codes.OK:
            cause = "".join(sign for sign in str(found.get("error", answer.status_code))[:60] if sign.isprintable())
            raise WorkbenchError("connexion_echouee", cause=cause)
        return found
