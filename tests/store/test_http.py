"""The store over HTTP, behind a real issuer: statuses, one error shape, the client, and no 500 whatever is sent."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest
import uvicorn
from conftest_store import MANAGER, empty, policy, sheet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from workbench.errors import WorkbenchError
from workbench.identity.app import create_app as create_issuer_app
from workbench.identity.issuing import Issuer
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM as PEOPLE
from workbench.identity.tokens import TokenRules, TokenVerifier
from workbench.registry import open_registry
from workbench.store import Client, Store, StoredFile, StoreError, file_property, open_store
from workbench.store.app import create_app

K = {"siren": "012345678"}
PASSWORD = "quatre mots sans rapport"  # noqa: S105 - of fictitious people
HELD = {"ada@exemple.fr": ["bfc"], "bob@exemple.fr": ["crp"], MANAGER.email: ["manager"]}


@pytest.fixture(scope="module")
def service(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Store, Issuer]]:
    """An issuer and a store on one server; its address, the store, the issuer."""
    folder: Path = tmp_path_factory.mktemp("issuer")
    with (
        socket.socket() as listening,
        open_store(address) as store,
        open_registry(folder / "people.sqlite", rooms=[PEOPLE]) as registry,
    ):
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        issuer = Issuer(f"{url}/id", registry, SigningKeys(folder / "keys"), {})
        for email, held in HELD.items():
            issuer.people.add(email, PASSWORD, held=held)
        verifier = TokenVerifier(TokenRules(issuer.url, issuer.audience))
        routes = [Mount("/id", create_issuer_app(issuer)), Mount("/", create_app(store, verifier))]
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield url, store, issuer
        server.should_exit = True
        thread.join()


@pytest.fixture
def client(service: tuple[str, Store, Issuer]) -> Iterator[Callable[[str], Client]]:
    """A function that gives the client of a person, on a store that is empty at first."""
    url, store, issuer = service
    empty(store)
    store.protect()
    opened: list[Client] = []

    def of(email: str) -> Client:
        opened.append(Client(url, lambda: issuer.token_for(email)))
        return opened[-1]

    yield of
    for each in opened:
        each.close()


def refused(call: Any, *arguments: Any, **named: Any) -> tuple[int, str]:
    with pytest.raises(StoreError) as caught:
        call(*arguments, **named)
    assert caught.value.message
    return caught.value.status, caught.value.details["refus"]


def test_the_client(client: Callable[[str], Client]) -> None:
    ada, bob = client("ada@exemple.fr"), client("bob@exemple.fr")
    begins = datetime.now(UTC)
    sheets = [sheet({**K, "n": str(n)}, ["bfc"] if n else [], {"a": n, "é": "ç/"}) for n in range(3)]
    assert ada.put("public", sheets) == 3
    assert [each["value"]["a"] for each in ada.get("public", K, sort=[{"field": "a", "order": -1}])] == [2, 1, 0]
    found = bob.get("public", date=datetime.now(UTC) + timedelta(days=1))
    assert [each["value"] for each in found] == [{"a": 0, "é": "ç/"}]
    assert begins <= found[0]["addDate"] <= datetime.now(UTC)
    assert refused(bob.get, "public", {"n": "1"}) == refused(bob.get, "nothing/à voir") == (404, "sans_donnees")
    assert refused(ada.put, "system", [policy("a", match=".")]) == (403, "ecriture_interdite")
    assert refused(ada.put, "public", [sheet(K, [], {"a": 1}), {}]) == (400, "objet_invalide")
    assert refused(ada.journal) == refused(ada.why, "public") == (403, "acces_interdit")
    assert refused(ada.policies) == (404, "sans_donnees")
    manager = client(MANAGER.email)
    assert [each["key"]["name"] for each in manager.policies()] == ["system"]
    assert manager.journal(email="ada@exemple.fr", since=begins)[-1]["outcome"] == "3"
    assert manager.why("public", {"n": "1"}, of={"badges": ["crp"]})[0]["sheets"][0]["missing"] == ["bfc"]


def test_a_file_through_the_client(client: Callable[[str], Client], send: Callable[..., httpx.Response]) -> None:
    ada, bob = client("ada@exemple.fr"), client("bob@exemple.fr")
    content = bytes(range(256)) * 5000
    assert ada.put("public", [sheet(K, ["bfc"], {"a": file_property(content, "l'état (é).xlsx", "text/html")})]) == 1
    assert ada.file("public", K, "a") == StoredFile("l'état (é).xlsx", "text/html", content)
    assert refused(bob.file, "public", K, "a") == refused(bob.file, "public", {"n": "1"}, "a") == (404, "sans_donnees")
    answer = send("POST", "/data/file/public", json={"key": K, "property": "a"})
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert (answer.headers["content-type"], answer.headers["x-content-type-options"]) == ("text/html", "nosniff")


def test_arrow(client: Callable[[str], Client]) -> None:
    ada = client("ada@exemple.fr")
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    table = pa.table(
        {
            "key": pa.array([[("siren", "1")], [("siren", "2")]], pa.map_(pa.string(), pa.string())),
            "scope": pa.array([["bfc"], None], pa.list_(pa.string())),
            "value": pa.array([{"a": 1, "n": {"x": [1]}}, {"a": None, "n": None}]),
            "releaseDate": pa.array([moment, None], pa.timestamp("us", "UTC")),
        }
    )
    assert ada.put_table("public", table) == 2
    found = ada.get("public", date=moment)
    assert [(each["key"]["siren"], each["value"]) for each in found] == [("1", {"a": 1, "n": {"x": [1]}})]
    assert ada.get("public", {"siren": "2"})[0]["value"] == {"a": None, "n": None}
    as_text = pa.table({"key": ['{"siren": "3"}'], "value": ['{"a": 3}']})
    assert ada.put_table("public", as_text) == 1
    assert refused(ada.put_table, "public", as_text.append_column("other", pa.array([1]))) == (400, "arrow_invalide")


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def send(http: httpx.Client, service: tuple[str, Store, Issuer]) -> Callable[..., httpx.Response]:
    """A function that sends a request, as Ada or another."""
    url, _, issuer = service
    tokens = {email: f"Bearer {issuer.token_for(email)}" for email in HELD}

    def request(method: str, path: str, who: str = "ada@exemple.fr", **options: Any) -> httpx.Response:
        token = options.pop("token", tokens[who])
        return http.request(
            method, url + path, headers={"Authorization": token} | options.pop("headers", {}), **options
        )

    return request


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("POST", "/data/get/public", {"token": "Basic x"}, 401),
        ("POST", "/data/put/system", {"token": "Bearer a.b.c", "content": b"{"}, 401),
        ("POST", "/data/get/public", {"content": b'{"key":'}, 400),
        ("POST", "/data/get/public", {"content": b"[]"}, 400),
        ("POST", "/data/get/public", {"content": b'{"limit": NaN}'}, 400),
        ("POST", "/data/get/public", {"content": b"[" * 100_000}, 400),
        ("POST", "/data/get/%00", {}, 400),
        ("POST", "/data/get/%ff", {}, 404),
        ("POST", "/data/get/", {}, 400),
        ("POST", "/data/get/public", {"json": {"key": {"bucket": "system"}}}, 400),
        ("POST", "/data/put/public", {"json": {"key": {}}}, 400),
        ("POST", "/data/put/public", {"content": b'{"a"\n', "headers": {"Content-Type": "application/x-ndjson"}}, 400),
        ("GET", "/data/journal?limit=a", {}, 400),
        ("GET", "/data/journal?email=%00", {}, 400),
        ("POST", "/data/why/a", {"json": {"of": {"email": "\0"}}}, 400),
        ("POST", "/data/file/a", {"json": {"key": {}}}, 400),
        ("POST", "/data/file/a", {"json": {"key": {}, "property": 1}}, 400),
        ("POST", "/data/file/a", {"json": {"key": {}, "property": "a"}}, 404),
        ("POST", "/data/get/a", {"content": b'{"key": {"a": "\\ud800"}}'}, 400),
        ("POST", "/data/get/a", {"content": b'{"sort": [{"field": "\\ud800"}]}'}, 400),
        ("GET", "/data/get/public", {}, 405),
        ("GET", "/data", {}, 404),
        ("GET", "/docs", {}, 404),
    ],
)
def test_one_error_shape(
    send: Callable[..., httpx.Response], method: str, path: str, options: dict[str, Any], status: int
) -> None:
    answer = send(method, path, **dict(options))
    assert answer.status_code == status
    said = answer.json()
    assert said["status_code"] == status
    assert said["detail"].endswith(".")
    assert answer.headers["cache-control"] == "no-store"


def test_what_the_service_says_of_itself(service: tuple[str, Store, Issuer]) -> None:
    document = httpx.get(f"{service[0]}/openapi.json").json()
    assert set(document["paths"]) == {
        f"/data/{path}"
        for path in (
            *("get/{bucket}", "browse/{bucket}", "search/{bucket}", "total/{bucket}", "file/{bucket}", "put/{bucket}"),
            *("why/{bucket}", "policies", "journal", "usage", "purge"),
        )
    }
    assert "text/html" not in str(document)


def test_an_address_that_does_not_answer() -> None:
    with pytest.raises(WorkbenchError, match="ne répond pas"), Client("http://127.0.0.1:9", lambda: "x") as client:
        client.get("public")


texts = st.text(max_size=5)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
words = st.sampled_from(
    ["key", "scope", "value", "date", "filter", "sort", "limit", "offset", "releaseDate", "expires", "field",
     "operator", "order", "of", "badges", "email", "type", "policy", "name", "match", "days"]
)  # fmt: skip
anything = st.recursive(
    scalars, lambda each: st.lists(each, max_size=3) | st.dictionaries(words | texts, each, max_size=4), max_leaves=8
)
nearly = st.fixed_dictionaries(
    {},
    optional={
        "key": st.dictionaries(texts, texts | scalars, max_size=2),
        "filter": st.lists(
            st.fixed_dictionaries(
                {"field": texts, "operator": st.sampled_from(["=", "<", "in", "not in"]), "value": anything}
            ),
            max_size=2,
        ),
        "sort": st.lists(st.fixed_dictionaries({"field": texts}, optional={"order": anything}), max_size=2),
        "limit": st.integers(),
        "offset": st.integers(),
        "date": st.datetimes(timezones=st.just(UTC)).map(str) | texts,
    },
)
published = st.lists(
    st.fixed_dictionaries(
        {"key": st.dictionaries(texts, texts, max_size=2), "value": st.dictionaries(texts, anything, max_size=3)},
        optional={"scope": st.lists(texts, max_size=2), "releaseDate": st.datetimes(timezones=st.just(UTC)).map(str)},
    ),
    max_size=3,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.sampled_from(["get/public", "put/public", "why/public", "purge", "put/system"]),
    anything | nearly | published,
    texts,
)
def test_no_500(send: Callable[..., httpx.Response], path: str, body: Any, noise: str) -> None:
    email = MANAGER.email if path in ("why/public", "purge", "put/system") else "ada@exemple.fr"
    for content in (json.dumps(body).encode(), noise.encode(errors="replace")):
        answer = send("POST", f"/data/{path}", email, content=content)
        assert answer.status_code in (200, 400, 403, 404), (path, content, answer.text)
