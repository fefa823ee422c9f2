"""A machine that knows nobody: its owner works alone, and the services of her server know her kernels by one secret.

The server draws a token when it starts, gives it to its kernels in a file (`kernel_token`) and to nobody else, so that
services answer kernels and no page of the web, as they do where people log in.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from datetime import UTC, datetime
from typing import Any

from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.tokens import TokenRules, TokenVerifier

__all__ = ["ALONE", "AloneVerifier"]

ALONE = "WORKBENCH_SEUL"
"""Tells the kernels of a server that nobody logs in: they work for the owner of the machine, who sees all of it."""

LATEST = datetime(9999, 1, 1, tzinfo=UTC)


class AloneVerifier(TokenVerifier):
    """Takes one token, its own, for the person of the machine; she holds no badge.

    Parameters
    ----------
    email
        Her address.

    Examples
    --------
    >>> verifier = AloneVerifier("anne@exemple.fr")
    >>> verifier.verify(verifier.token).email
    'anne@exemple.fr'
    >>> verifier.verify("x.y.z")
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: Ce jeton n'est pas de l'émetteur de ce service.
    Demandez-en un à l'émetteur configuré.
    """

    def __init__(self, email: str) -> None:
        super().__init__(TokenRules("http://localhost", "workbench"))
        self._actor_alone = Actor(email.lower(), "", "", frozenset(), LATEST, subject="alone")
        parts = ({"alg": "none"}, {"email": email.lower()})
        header, claims = (base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts)
        self.token = f"{header}.{claims}.{secrets.token_urlsafe(32)}"

    def verify(self, token: str) -> Actor:
        """Return the person of the machine.

        Raises
        ------
        WorkbenchError
            ``jeton_etranger`` for any other token.
        """
        if not hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self.token.encode()):
            raise WorkbenchError("jeton_etranger")
        return self._actor_alone

    async def verify_async(self, token: str) -> Actor:
        """Do as `verify`."""
        return self.verify(token)

    def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of the token; same error as `verify`."""
        return {"email": self.verify(token).email}
