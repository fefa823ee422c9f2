"""Comments as a dashboard reads and writes them, for the person it works for."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx

from workbench.identity.kernel_token import kernel_token
from workbench.identity.service_client import ServiceClient

__all__ = ["CommentsClient"]

ADDRESS = "WORKBENCH_COMMENTAIRES"
"""The variable by which a server tells its kernels where comments are."""


class CommentsClient:
    """The comments of a service; each method raises what `ServiceClient.ask` does.

    Parameters
    ----------
    url, token, transport
        As for `ServiceClient`; the address that the server gave by default.

    Examples
    --------
    >>> CommentsClient("https://exemple.fr/commentaires").service.url
    'https://exemple.fr/commentaires'
    """

    def __init__(
        self,
        url: str | None = None,
        token: Callable[[], str] = kernel_token,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        address = url or os.environ.get(ADDRESS, "")
        self.service = ServiceClient("les commentaires", address, token, transport=transport, timeout=20)

    def about(self, trame: str | None = None, indicateur: str | None = None) -> list[dict[str, Any]]:
        """Return comments, the latest first: ``id, author, created, edited, trame, indicateur, text, mine``."""
        asked = {"trame": trame, "indicateur": indicateur}
        found: list[dict[str, Any]] = self.service.json(
            "GET", "/comments/", params={name: value for name, value in asked.items() if value is not None}
        )
        return found

    def write(self, text: str, trame: str | None = None, indicateur: str | None = None) -> None:
        """Write a comment."""
        self.service.ask("POST", "/comments/", json={"text": text, "trame": trame, "indicateur": indicateur})

    def change(self, identifier: str, text: str) -> None:
        """Change a comment of hers."""
        self.service.ask("PATCH", f"/comments/{quote(identifier, safe='')}/", json={"text": text})

    def remove(self, identifier: str) -> None:
        """Remove a comment of hers."""
        self.service.ask("DELETE", f"/comments/{quote(identifier, safe='')}/")
