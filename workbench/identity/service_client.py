"""A service of the product asked over HTTP, with the token of the person that a kernel works for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from workbench.errors import WorkbenchError
from workbench.identity.kernel_token import kernel_token
from workbench.logs import REQUEST_HEADER, current_request

__all__ = ["ServiceClient"]


class ServiceClient:
    """A service, as one person reaches it.

    Parameters
    ----------
    libelle
        What it is called, in French.
    url
        Its address.
    token
        What gives the bearer token for each request; that of this kernel's person by default.
    transport
        How requests travel; for tests.
    timeout
        Seconds that an answer may take.

    Raises
    ------
    WorkbenchError
        ``service_absent`` without an address.
    """

    def __init__(
        self,
        libelle: str,
        url: str,
        token: Callable[[], str] = kernel_token,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 60.0,
    ) -> None:
        if not url:
            raise WorkbenchError("service_absent", service=libelle)
        self.libelle = libelle
        self.url = url.rstrip("/")
        self._token = token
        self._http = httpx.Client(timeout=timeout, transport=transport)

    def ask(
        self, method: str, path: str, *, json: Any = None, params: Mapping[str, str | int] | None = None
    ) -> httpx.Response:
        """Send a request; return the answer when it is a success.

        Raises
        ------
        WorkbenchError
            ``session_finie``: no token, or one that is over; ``service_refus`` with the service's own words and
            status; ``service_injoignable``.
        """
        try:
            headers = {"Authorization": f"Bearer {self._token()}"}
        except WorkbenchError as error:
            raise WorkbenchError("session_finie") from error
        if request := current_request():
            headers[REQUEST_HEADER] = request
        options = {} if json is None else {"json": json}
        try:
            answer = self._http.request(method, f"{self.url}{path}", headers=headers, params=params, **options)
        except httpx.HTTPError as error:
            raise WorkbenchError("service_injoignable", service=self.libelle) from error
        if answer.is_success:
            return answer
        if answer.status_code == 401:
            raise WorkbenchError("session_finie")
        try:
            told = answer.json()
        except ValueError as error:
            raise WorkbenchError("service_injoignable", service=self.libelle) from error
        detail = told.get("detail") if isinstance(told, dict) else None
        raise ServiceError(
            "service_refus",
            detail=str(detail or "La demande est refusée."),
            conseil=str(told.get("hint", "")) if isinstance(told, dict) else "",
            statut=answer.status_code,
        )

    def json(self, method: str, path: str, **options: Any) -> Any:
        """Send a request and read its answer; errors of `ask`."""
        answer = self.ask(method, path, **options)
        try:
            return answer.json()
        except ValueError as error:
            raise WorkbenchError("service_injoignable", service=self.libelle) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ServiceError(WorkbenchError):
    """What a service refused, with its status."""

    @property
    def status(self) -> int:
        """The HTTP status that the service answered."""
        return int(self.details["statut"])
