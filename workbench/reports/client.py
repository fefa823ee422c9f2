"""Reports on demand as a dashboard asks for them, for the person it works for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import unquote

import httpx

from workbench.identity.kernel_token import kernel_token
from workbench.identity.service_client import ServiceClient

__all__ = ["ReportsClient"]

ADDRESS = "WORKBENCH_RAPPORTS"
"""The variable by which a server tells its kernels where reports are."""

_ROUTES = {"report": "/reports/", "balance": "/reports/balances/", "aggregate": "/reports/aggregates/"}


class ReportsClient:
    """The reports of a service; each method raises what `ServiceClient.ask` does.

    Parameters
    ----------
    url, token, transport
        As for `ServiceClient`; the address that the server gave by default.

    Examples
    --------
    >>> ReportsClient("https://exemple.fr/rapports/").service.url
    'https://exemple.fr/rapports'
    """

    def __init__(
        self,
        url: str | None = None,
        token: Callable[[], str] = kernel_token,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        address = url or os.environ.get(ADDRESS, "")
        self.service = ServiceClient("les rapports à la demande", address, token, transport=transport)

    def person(self) -> dict[str, Any]:
        """Return who asks: ``name, email, badges``."""
        found: dict[str, Any] = self.service.json("GET", "/users/authenticate/")
        return found

    def requests(
        self, limit: int, offset: int = 0, sort: str = "number", descending: bool = True
    ) -> tuple[list[dict[str, Any]], int]:
        """Return some of her requests, after how many others, and how many there are; the fields are the service's.

        Parameters
        ----------
        limit, offset
            How many, after how many.
        sort, descending
            A name of `workbench.reports.jobs_tables.SORTS`, and which way.
        """
        asked: dict[str, str | int] = {"limit": limit, "offset": offset, "sort": sort, "descending": descending}
        answer = self.service.ask("GET", "/reports/", params=asked)
        found: list[dict[str, Any]] = answer.json()
        return found, int(answer.headers["x-total-count"])

    def ask(self, kind: Literal["report", "balance", "aggregate"], wanted: Mapping[str, Any]) -> int:
        """Ask for a report; return its number."""
        return int(self.service.json("POST", _ROUTES[kind], json=dict(wanted))["report_id"])

    def cancel(self, number: int) -> None:
        """Cancel a request of hers that has not ended."""
        self.service.ask("POST", f"/reports/{int(number)}/cancel/", json={})

    def download(self, number: int) -> tuple[str, bytes, str]:
        """Return the file of a request of hers: its name, its bytes, its media type."""
        answer = self.service.ask("GET", f"/reports/{int(number)}/download/")
        said = answer.headers.get("content-disposition", "")
        name = unquote(said.partition("filename*=")[2].partition("''")[2]) or said.partition('filename="')[2].rstrip(
            '"'
        )
        return name or f"rapport_{number}.xlsx", answer.content, answer.headers.get("content-type", "")

    def publish(self, number: int, badges: Sequence[str] | None, release: str | None = None) -> dict[str, Any]:
        """Publish the report of a request of hers: ``name, version``; to all who have an account when badges are none.

        Parameters
        ----------
        number
            Of the request.
        badges
            What reading it takes, all of them; empty for anyone with an account, None for herself alone.
        release
            When its readers see it, as ISO 8601 writes it; at once by default.
        """
        asked = {"badges": None if badges is None else list(badges), "release": release}
        found: dict[str, Any] = self.service.json("POST", f"/reports/{int(number)}/publication/", json=asked)
        return found
