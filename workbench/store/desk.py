"""The store as one person reaches it: by HTTP with her token (`Client`), or in this process (`Desk`)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Protocol

from workbench.config import is_set, settings
from workbench.identity.kernel_token import TOKEN_FILE
from workbench.store.client import Client
from workbench.store.files import StoredFile
from workbench.store.keys import Reader
from workbench.store.searching import search
from workbench.store.store import Store, open_store

__all__ = ["Desk", "StoreDoor", "my_store"]


class StoreDoor(Protocol):
    """What `Client` and `Desk` share."""

    @property
    def email(self) -> str:
        """The address of the person."""

    @property
    def badges(self) -> frozenset[str] | None:
        """The badges that she is known to hold, for words alone; None when they are not known."""

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
        """Read what the person may see of a bucket; see `Store.get`."""

    def browse(self, bucket: str, **asked: Any) -> dict[str, Any]:
        """Read a page of a long list, and count it; see `Store.browse`."""

    def search(self, bucket: str, **asked: Any) -> list[dict[str, Any]]:
        """Find objects by their words; see `Store.search`."""

    def total(self, bucket: str, **asked: Any) -> dict[str, Any]:
        """Count what a search finds; see `Store.total`."""

    def file(
        self,
        bucket: str,
        key: Mapping[str, str],
        property: str,  # noqa: A002 - the interface's word
        *,
        date: datetime | str | None = None,
    ) -> StoredFile:
        """Read a file; see `Store.file`."""

    def put(self, bucket: str, sheets: Iterable[Mapping[str, Any]]) -> int:
        """Publish sheets, all of them or none; see `Store.put`."""


class Desk:
    """A store of this process, for one person.

    Parameters
    ----------
    store
        The store.
    reader
        Who asks and publishes.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> agent = SimpleNamespace(email="agent@exemple.fr", badges=frozenset({"bfc"}))
    >>> with open_store(Path(tempfile.mkdtemp()) / "registre.sqlite") as store:
    ...     desk = Desk(store, agent)
    ...     desk.put("public", [{"key": {"siren": "012345678"}, "scope": ["bfc"], "value": {"effectif": 12}}])
    ...     desk.get("public")[0]["value"]
    1
    {'effectif': 12}
    """

    def __init__(self, store: Store, reader: Reader) -> None:
        self.store = store
        self.reader = reader

    @property
    def email(self) -> str:
        """The address of the person."""
        return self.reader.email

    @property
    def badges(self) -> frozenset[str]:
        """The badges of the person."""
        return frozenset(self.reader.badges)

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
        """Read what the person may see of a bucket; see `Store.get`."""
        options: dict[str, Any] = {"date": date, "filter": filter, "sort": sort, "limit": limit, "offset": offset}
        return self.store.get(self.reader, bucket, key, **options)

    def browse(self, bucket: str, **asked: Any) -> dict[str, Any]:
        """Read a page of a long list, and count it; see `Store.browse`."""
        return self.store.browse(self.reader, bucket, **asked)

    def search(self, bucket: str, **asked: Any) -> list[dict[str, Any]]:
        """Find objects by their words; see `Store.search`."""
        return self.store.search(self.reader, bucket, **asked)

    def total(self, bucket: str, **asked: Any) -> dict[str, Any]:
        """Count what a search finds; see `Store.total`."""
        return self.store.total(self.reader, bucket, search(asked))

    def file(
        self,
        bucket: str,
        key: Mapping[str, str],
        property: str,  # noqa: A002 - the interface's word
        *,
        date: datetime | str | None = None,
    ) -> StoredFile:
        """Read a file; see `Store.file`."""
        return self.store.file(self.reader, bucket, key, property, date=date)

    def put(self, bucket: str, sheets: Iterable[Mapping[str, Any]]) -> int:
        """Publish sheets, all of them or none; see `Store.put`."""
        return self.store.put(self.reader, bucket, sheets)

    def usage(self, since: datetime | str, until: datetime | str) -> list[dict[str, Any]]:
        """Count what was asked by day, person and kind of thing, for those who may; see `Store.usage`."""
        return self.store.usage(self.reader, since, until)


@contextmanager
def my_store() -> Iterator[StoreDoor]:
    """Open the store of the person who works here.

    ``WORKBENCH_STORE`` names a service, or a server gave this kernel the token of its agent: that service, by HTTP.
    Else the registry, as ``WORKBENCH_COURRIEL`` and without badges: for who holds a registry of her own.

    Raises
    ------
    WorkbenchError
        Those of `workbench.registry.open_registry`.
    """
    if is_set("WORKBENCH_STORE") or os.environ.get(TOKEN_FILE):
        with Client() as client:
            yield client
        return
    with open_store() as store:
        yield Desk(store, SimpleNamespace(email=settings().email.lower(), badges=frozenset[str]()))
