"""The store from elsewhere: what notebooks and dashboards use, with the token of the person they work for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import httpx

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.identity.kernel_token import kernel_token
from workbench.store.bulk import ARROW, NDJSON
from workbench.store.files import StoredFile

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Client", "StoreError"]


class StoreError(WorkbenchError):
    """What a store refused: its words, its status, and its code in ``details["refus"]``."""

    @property
    def status(self) -> int:
        """The HTTP status that the store answered."""
        return int(self.details["statut"])


class Client:
    """A store reached over HTTP.

    Parameters
    ----------
    url
        Address of the service; ``WORKBENCH_STORE`` by default.
    token
        The bearer token, or what gives it for each request; the one of this kernel's person by default.
    transport
        How requests travel; for tests and proxies.
    timeout
        Seconds that an answer may take.

    Examples
    --------
    >>> Client("https://store.example", token="...").url
    'https://store.example'
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | Callable[[], str] = kernel_token,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 60.0,
    ) -> None:
        self.url = (url or settings().store).rstrip("/")
        self._token = token
        self._http = httpx.Client(timeout=timeout, transport=transport)

    @property
    def email(self) -> str:
        """The address of the person, as her token says it: the service alone verifies it.

        Raises
        ------
        WorkbenchError
            ``jeton_absent``: no token, or none that says an address.
        """
        part = self._bearer().split(".")[1:2]
        try:
            claims = json.loads(base64.urlsafe_b64decode(part[0] + "=" * (-len(part[0]) % 4)))
            return str(claims["email"]).lower()
        except (ValueError, LookupError, TypeError) as error:
            raise WorkbenchError("jeton_absent") from error

    @property
    def badges(self) -> frozenset[str] | None:
        """The badges that her token says, for words alone: the service verifies them; None when it does not say."""
        part = self._bearer().split(".")[1:2]
        try:
            claims = json.loads(base64.urlsafe_b64decode(part[0] + "=" * (-len(part[0]) % 4)))
            resources = claims["resource_access"].values()
            return frozenset(str(role) for each in resources for role in each["roles"])
        except (ValueError, LookupError, TypeError, AttributeError):
            return None

    def _bearer(self) -> str:
        return self._token if isinstance(self._token, str) else self._token()

    def get(
        self,
        bucket: str,
        key: Mapping[str, str] | None = None,
        *,
        date: datetime | str | None = None,
        filter: Iterable[Mapping[str, Any]] | None = None,  # noqa: A002 - the interface's word
        sort: Iterable[Mapping[str, Any]] | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[dict[str, Any]]:
        """Read what the person may see of a bucket; parameters and answer of `Store.get`, ``addDate`` as a datetime.

        Raises
        ------
        StoreError
            The store's refusal; 404 when nothing is visible.
        WorkbenchError
            ``magasin_injoignable``, ``jeton_absent``.
        """
        filters, order = (None if each is None else list(each) for each in (filter, sort))
        asked = {"key": key, "date": date, "filter": filters, "sort": order, "limit": limit, "offset": offset}
        return _dated(self._post(f"get/{quote(bucket, safe='')}", _given(asked)), "addDate")

    def browse(self, bucket: str, **asked: Any) -> dict[str, Any]:
        """Read a page of a long list, and count it; parameters, answer and errors of `Store.browse`."""
        answer: dict[str, Any] = self._post(f"browse/{quote(bucket, safe='')}", _given(asked))
        return answer

    def search(self, bucket: str, **asked: Any) -> list[dict[str, Any]]:
        """Find objects by their words; parameters, answer and errors of `Store.search`."""
        return _dated(self._post(f"search/{quote(bucket, safe='')}", _given(asked)), "addDate")

    def total(self, bucket: str, **asked: Any) -> dict[str, Any]:
        """Count what a search finds; parameters of `search`, answer of `Store.total`."""
        answer: dict[str, Any] = self._post(f"total/{quote(bucket, safe='')}", _given(asked))
        return answer

    def file(
        self,
        bucket: str,
        key: Mapping[str, str],
        property: str,  # noqa: A002 - the interface's word
        *,
        date: datetime | str | None = None,
    ) -> StoredFile:
        """Read a file; parameters of `Store.file`.

        Raises
        ------
        StoreError, WorkbenchError
            As `get`.
        """
        asked = _text(_given({"key": key, "property": property, "date": date})).encode()
        answer = self._answer(
            "POST", f"file/{quote(bucket, safe='')}", content=asked, headers={"Content-Type": "application/json"}
        )
        if not answer.is_success:
            raise self._refusal(answer)
        kind = answer.headers.get("content-type", "")
        name = answer.headers.get("content-disposition", "").partition("filename*=UTF-8''")[2]
        return StoredFile(unquote(name), kind, answer.content)

    def put(self, bucket: str, sheets: Iterable[Mapping[str, Any]]) -> int:
        """Publish sheets, all of them or none, sent as they come; returns how many."""
        lines = (f"{_text(dict(sheet))}\n".encode() for sheet in sheets)
        return int(self._send(f"put/{quote(bucket, safe='')}", lines, NDJSON)["published"])

    def put_table(self, bucket: str, table: pa.Table) -> int:
        """Publish one sheet a row of an Arrow table (columns ``key``, ``scope``, ``value``…); returns how many."""
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return int(self._send(f"put/{quote(bucket, safe='')}", sink.getvalue().to_pybytes(), ARROW)["published"])

    def policies(self) -> list[dict[str, Any]]:
        """Read the policies, for those who may."""
        return _dated(self._ask("GET", "policies"), "addDate")

    def why(
        self,
        bucket: str,
        key: Mapping[str, str] | None = None,
        *,
        of: Mapping[str, Any] | None = None,
        date: datetime | str | None = None,
    ) -> list[dict[str, Any]]:
        """Explain what a person (``{email, badges}``) sees of objects, for those who may."""
        answer: list[dict[str, Any]] = self._post(
            f"why/{quote(bucket, safe='')}", _given({"key": key, "of": of, "date": date})
        )
        return answer

    def journal(
        self,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        email: str | None = None,
        bucket: str | None = None,
        limit: int = 1000,
    ) -> list[dict[str, Any]]:
        """Read the journal, the last entries first, for those who may."""
        asked = {"since": since, "until": until, "email": email, "bucket": bucket, "limit": limit}
        given = {name: _date(value) if isinstance(value, datetime) else value for name, value in _given(asked).items()}
        return _dated(self._ask("GET", "journal", params=given), "at")

    def usage(self, since: datetime | str, until: datetime | str) -> list[dict[str, Any]]:
        """Count what was asked by day, person and kind of thing, for those who may; see `Store.usage`."""
        asked = {"since": since, "until": until}
        given = {name: _date(value) if isinstance(value, datetime) else value for name, value in asked.items()}
        answer: list[dict[str, Any]] = self._ask("GET", "usage", params=given)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _post(self, path: str, asked: Mapping[str, Any]) -> Any:
        return self._send(path, _text(asked).encode(), "application/json")

    def _send(self, path: str, content: bytes | Iterator[bytes], kind: str) -> Any:
        return self._ask("POST", path, content=content, headers={"Content-Type": kind})

    def _ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        answer = self._answer(method, path, headers, **options)
        if answer.is_success:
            return self._read(answer)
        raise self._refusal(answer)

    def _answer(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self._bearer()}"} | dict(headers or {})
        try:
            return self._http.request(method, f"{self.url}/data/{path}", headers=sent, **options)
        except httpx.HTTPError as error:
            raise WorkbenchError("magasin_injoignable", adresse=self.url, cause=type(error).__name__) from error

    def _read(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError as error:
            raise WorkbenchError("magasin_injoignable", adresse=self.url, cause=type(error).__name__) from error

    def _refusal(self, answer: httpx.Response) -> StoreError:
        read = self._read(answer)
        detail = read if isinstance(read, dict) else {}
        return StoreError(
            "magasin_refus",
            detail=detail.get("detail", "La demande est refusée."),
            statut=answer.status_code,
            refus=detail.get("code", ""),
        )


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise WorkbenchError("date_invalide", endroit="date", recu=value.isoformat())
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _text(value: Any) -> str:
    return json.dumps(value, allow_nan=False, default=_date)


def _dated(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [{**row, name: datetime.fromisoformat(row[name])} for row in rows]
