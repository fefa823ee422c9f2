"""A storage, people with spaces, real tokens, and a service that is called without a network."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from workbench.identity.issuing import Issuer
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM
from workbench.identity.tokens import TokenRules, TokenVerifier
from workbench.registry import open_registry
from workbench.uploads.app import create_app
from workbench.uploads.finishing import Finisher
from workbench.uploads.storage import Limits, Storage

PASSWORD = "quatre mots sans rapport"  # noqa: S105 - of fictitious people
SPACES = {"ada@exemple.fr": "urssaf", "bob@exemple.fr": "dgefp", "eve@exemple.fr": ""}
CHUNK = "application/offset+octet-stream"


class OwnKeys:
    """The issuer's public keys, without a network."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer

    def cached(self, identifier: str) -> Any:
        return self.issuer.keys.key(identifier)

    get = cached


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """An issuer that knows three people: two have a space, one has none."""
    folder = tmp_path_factory.mktemp("issuer")
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with (
        pytest.MonkeyPatch.context() as patched,
        open_registry(folder / "people.sqlite", rooms=[ROOM]) as registry,
    ):
        patched.setattr("workbench.identity.passwords._HASHER", quick)
        found = Issuer("https://id.exemple.fr", registry, SigningKeys(folder / "keys"))
        for email, space in SPACES.items():
            found.people.add(email, PASSWORD)
            found.people.set_space(email, space)
        yield found


def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(TokenRules(issuer.url, issuer.audience), OwnKeys(issuer))  # type: ignore[arg-type]


@pytest.fixture
def depot(tmp_path: Path) -> Path:
    """The folder of a storage in the seed's layout, with the spaces of two people."""
    return make_depot(tmp_path / "depot")


def make_depot(base: Path) -> Path:
    for name in ("tusd", "public", "urssaf", "dgefp"):
        (base / name).mkdir(parents=True)
    return base


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])

    @property
    def identifier(self) -> str:
        return self.headers["location"].rpartition("/")[2]


class Service:
    """The application over a storage, asked as a server would."""

    def __init__(self, base: Path, issuer: Issuer, finisher: Finisher | None = None, **options: Any) -> None:
        limits = options.pop("limits", None) or Limits(spare=0)
        self.base = base
        self.issuer = issuer
        self.finisher = finisher or Finisher(Storage(base, limits=limits))
        self.storage = self.finisher.storage
        self.app = create_app(self.finisher, verifier(issuer), **{"patience": 0.2, "idle": 5.0, **options})
        self.tokens = {each.partition("@")[0]: issuer.token_for(each) for each in SPACES}

    def __call__(
        self,
        method: str,
        path: str = "/files/",
        who: str | None = "ada",
        body: bytes | Iterable[bytes] | None = None,
        cut: bool = False,
        raw: Iterable[tuple[bytes, bytes]] | None = None,
        **headers: str | None,
    ) -> Answer:
        """Ask; a header is written ``upload_offset="0"``, and None leaves one of the usual ones out."""
        return asyncio.run(self.ask(method, path, who, body, cut, raw, **headers))

    async def ask(
        self,
        method: str,
        path: str = "/files/",
        who: str | None = "ada",
        body: bytes | Iterable[bytes] | None = None,
        cut: bool = False,
        raw: Iterable[tuple[bytes, bytes]] | None = None,
        receive: Any = None,
        **headers: str | None,
    ) -> Answer:
        pieces = [body] if isinstance(body, bytes) else list(body or [])
        given: dict[str, str | None] = {"tus_resumable": "1.0.0", "host": "depot.exemple.fr"}
        if who is not None:
            given["authorization"] = f"Bearer {self.tokens[who]}"
        if pieces:
            given |= {"content_type": CHUNK, "content_length": str(sum(map(len, pieces)))}
        given |= headers
        kept = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
        written = [(name.encode(), value.encode()) for name, value in kept.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "scheme": "http",
            "headers": [*written, *(raw or [])],
            "root_path": "",
        }
        return await ask(self.app, scope, receive or channel(pieces, cut))

    # --- what clients do

    def create(self, content: bytes | int = b"", who: str = "ada", **metadata: str) -> str:
        """Create an upload and return its address on the service."""
        length = content if isinstance(content, int) else len(content)
        answer = self("POST", who=who, upload_length=str(length), upload_metadata=encoded(metadata))
        assert answer.status == 201, answer
        return f"/files/{answer.identifier}"

    def send(self, content: bytes, who: str = "ada", **metadata: str) -> tuple[str, Answer]:
        """Create an upload and send it at once; returns its address and the last answer."""
        path = self.create(content, who, **metadata)
        return path, self("PATCH", path, who, content, upload_offset="0")


def channel(pieces: list[bytes], cut: bool = False) -> Any:
    """Give the body as a server does: its pieces, then its end, or the news that the client left."""
    left = list(pieces)

    async def receive() -> MutableMapping[str, Any]:
        if left:
            piece = left.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(left) or cut}
        if cut or pieces:
            return {"type": "http.disconnect"}
        pieces.append(b"")
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


async def ask(app: Any, scope: Mapping[str, Any], receive: Any) -> Answer:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(dict(scope), receive, send)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:]))


def encoded(metadata: Mapping[str, str]) -> str:
    """Write metadata, ``goup_path`` standing for ``goup-path``."""
    pairs = (
        f"{name.replace('_', '-')} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items()
    )
    return ",".join(pairs)


@pytest.fixture
def service(depot: Path, issuer: Issuer) -> Service:
    return Service(depot, issuer)
