"""ASGI applications under the address of the dashboards: what goes through, what does not, what stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

pytest.importorskip("tornado")

from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from workbench.dashboards.mounting import SHORT_BODY, MountedHandler
from workbench.server import Service, _Together

HTML = [(b"content-type", b"text/html"), (b"x-one", b"1"), (b"x-one", b"2")]


@asynccontextmanager
async def served(application: Any, lend: Any = None) -> AsyncIterator[httpx.AsyncClient]:
    place = {"asgi": application, "root": "/ici", "lend": lend}
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(web.Application([("/ici/.*", MountedHandler, place)]))
    server.add_sockets(sockets)
    url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        yield client
    server.stop()
    await server.close_all_connections()


def run(application: Any, asking: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def body() -> None:
        async with served(application) as client:
            await asking(client)

    asyncio.run(body())


async def answer(send: Any, status: int, body: bytes, headers: list[tuple[bytes, bytes]] = HTML) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def test_a_request_is_told_as_it_came_without_its_cookies() -> None:
    scopes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await answer(send, 203, b"<p>\xe9</p>")

    async def asking(client: httpx.AsyncClient) -> None:
        headers = {"Cookie": "workbench_1=secret", "Authorization": "Bearer abc"}
        found = await client.get("/ici/a%2Fb/%C3%A9?x=1&y=%20", headers=headers)
        assert (found.status_code, found.content) == (203, b"<p>\xe9</p>")
        assert found.headers["content-type"] == "text/html"
        assert found.headers.get_list("x-one") == ["1", "2"]
        assert "etag" not in found.headers
        assert (await client.head("/ici/")).content == b""
        assert (await client.get("/ici")).status_code == (await client.get("/autre/")).status_code == 404

    run(application, asking)
    seen = scopes[0]
    names = [name for name, _ in seen["headers"]]
    assert b"cookie" not in names
    assert b"authorization" in names
    assert (seen["root_path"], seen["type"]) == ("/ici", "http")


def test_paths_are_decoded_once() -> None:
    paths: list[tuple[str, bytes, bytes]] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        paths.append((scope["path"], scope["raw_path"], scope["query_string"]))
        await answer(send, 200, b"")

    async def asking(client: httpx.AsyncClient) -> None:
        await client.get("/ici/a%252Fb/%C3%A9?x=%20")

    run(application, asking)
    assert paths == [("/ici/a%2Fb/é", b"/ici/a%252Fb/%C3%A9", b"x=%20")]


def test_bodies_come_part_by_part_and_go_so() -> None:
    async def application(_: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            part = await receive()
            more = part["more_body"]
            await send({"type": "http.response.body", "body": part["body"].swapcase(), "more_body": more})

    async def asking(client: httpx.AsyncClient) -> None:
        sent = b"abc" * 500_000
        found = await client.post("/ici/", content=sent)
        assert found.content == sent.swapcase()
        assert (await client.post("/ici/")).content == b""

    run(application, asking)


def test_a_refusal_does_not_wait_for_the_body() -> None:
    sent = 0

    async def application(_: Any, receive: Any, send: Any) -> None:
        await answer(send, 401, b"{}")

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(2000):
            sent += 1
            yield bytes(100_000)

    async def asking(client: httpx.AsyncClient) -> None:
        try:
            found = await client.post("/ici/", content=parts())
            assert found.status_code == 401
        except httpx.TransportError:
            pass  # closed before the client, which was still sending, read the answer
        assert (await client.get("/ici/")).status_code == 401

    run(application, asking)


def test_a_connection_outlives_what_is_refused_at_once() -> None:
    clients = set()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 401, b"{}")

    async def asking(client: httpx.AsyncClient) -> None:
        for body in (b"", b"x" * 50_000):
            for _ in range(5):
                found = await client.post("/ici/", content=body)
                assert found.status_code == 401
                clients.add(found.extensions["network_stream"].get_extra_info("client_addr"))
        assert len(clients) == 1

    run(application, asking)


def test_a_defect_is_a_500_in_the_shape_of_errors() -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/after"):
            await answer(send, 500, b"said")
        raise RuntimeError("defect")

    async def asking(client: httpx.AsyncClient) -> None:
        found = await client.get("/ici/")
        assert (found.status_code, found.json()["status_code"]) == (500, 500)
        assert (await client.get("/ici/after")).text == "said"

    run(application, asking)


def test_who_goes_away_is_not_waited_for() -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def application(_: Any, receive: Any, send: Any) -> None:
        begun.set()
        try:
            await receive()
            await receive()
        finally:
            stopped.set()

    async def asking(client: httpx.AsyncClient) -> None:
        request = asyncio.ensure_future(client.get("/ici/"))
        await asyncio.wait_for(begun.wait(), 60)
        request.cancel()
        await asyncio.wait_for(stopped.wait(), 60)

    run(application, asking)


def test_services_together_live_and_are_told_apart() -> None:
    from contextlib import contextmanager

    events: list[str] = []

    def service(path: str) -> Service:
        @contextmanager
        def opened(_: Any, __: Any) -> Any:
            async def application(scope: Any, receive: Any, send: Any) -> None:
                await answer(send, 200, (scope["root_path"] + " " + scope["path"]).encode())

            events.append(f"open {path}")
            yield application
            events.append(f"close {path}")

        return Service(path, path, opened)

    together = _Together([service("/a"), service("/b")], verifier=None)  # type: ignore[arg-type]

    async def body() -> None:
        said: asyncio.Queue[Any] = asyncio.Queue()
        told: asyncio.Queue[Any] = asyncio.Queue()
        living = asyncio.ensure_future(together({"type": "lifespan"}, told.get, said.put))
        await told.put({"type": "lifespan.startup"})
        assert (await said.get())["type"] == "lifespan.startup.complete"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(together), base_url="http://x") as client:
            assert (await client.get("/b/c")).text == "/b /b/c"
            assert (await client.get("/bc")).status_code == 404
        await told.put({"type": "lifespan.shutdown"})
        await living
        assert (await said.get())["type"] == "lifespan.shutdown.complete"

    asyncio.run(body())
    assert events == ["open /a", "open /b", "close /b", "close /a"]


def test_a_connection_serves_again_after_a_refusal_or_says_that_it_will_not() -> None:
    async def application(_: Any, __: Any, send: Any) -> None:
        await answer(send, 401, b"{}")

    async def asking(client: httpx.AsyncClient) -> None:
        for _ in range(40):
            for method in ("GET", "HEAD", "POST", "PATCH", "DELETE"):
                found = await client.request(method, "/ici/x")
                assert found.status_code == 401
                assert "connection" not in found.headers
            # A short body is read whatever the answer; a long one is not waited for.
            assert "connection" not in (await client.post("/ici/x", content=b"abc")).headers
            with suppress(httpx.WriteError):
                found = await client.post("/ici/x", content=bytes(SHORT_BODY + 1))
                assert (found.status_code, found.headers["connection"]) == (401, "close")

    run(application, asking)


def test_a_token_is_lent_to_who_has_none() -> None:
    seen: list[list[bytes]] = []

    async def application(scope: Any, _: Any, send: Any) -> None:
        seen.append([value for name, value in scope["headers"] if name == b"authorization"])
        await answer(send, 200, b"")

    async def lend(handler: Any) -> str | None:
        return "lent" if handler.request.headers.get("X-Ours") else None

    async def body() -> None:
        async with served(application, lend) as client:
            await client.get("/ici/", headers={"X-Ours": "1"})
            await client.get("/ici/")
            await client.get("/ici/", headers={"X-Ours": "1", "Authorization": "Bearer own"})

    asyncio.run(body())
    assert seen == [[b"Bearer lent"], [], [b"Bearer own"]]
