"""The service under the address of the dashboards, as ``workbench up`` mounts it."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("tornado")

from conftest_uploads import CHUNK, Service, verifier
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from workbench.dashboards.mounting import MountedHandler
from workbench.errors import WorkbenchError
from workbench.identity.issuing import Issuer
from workbench.server import SERVICES, opened_services
from workbench.uploads.finishing import Finisher
from workbench.uploads.hooks import Arrival
from workbench.uploads.storage import Limits, Storage

OURS = [each for each in SERVICES if each.path in ("/files", "/envois")]


@asynccontextmanager
async def mounted(application: Any) -> AsyncIterator[int]:
    """Serve an application as the dashboards do; gives the port."""
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(web.Application([("/files/.*", MountedHandler, {"asgi": application, "root": "/files"})]))
    server.add_sockets(sockets)
    yield sockets[0].getsockname()[1]
    server.stop()
    await server.close_all_connections()


@pytest.fixture
def configured(depot: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_DEPOT", str(depot))
    monkeypatch.setenv("WORKBENCH_DEPOT_RESERVE", "0")
    return depot


def run(issuer: Issuer, asking: Callable[[httpx.AsyncClient], Awaitable[None]], application: Any = None) -> None:
    async def body() -> None:
        with opened_services(verifier(issuer), OURS) as found:
            async with (
                mounted(application or found[0].application) as port,
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
            ):
                client.headers = httpx.Headers(
                    {"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {issuer.token_for('ada@exemple.fr')}"}
                )
                await asking(client)

    asyncio.run(body())


def test_a_file_goes_through_the_mount_and_its_hooks(
    configured: Path, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scan.sh").write_text('#!/bin/sh\n! grep -q VIRUS "$1"\n')
    (tmp_path / "scan.sh").chmod(0o755)
    monkeypatch.setenv("WORKBENCH_DEPOT_ANTIVIRUS", str(tmp_path / "scan.sh"))
    content = random.Random(1).randbytes(3_000_000)  # noqa: S311 - the same bytes each time

    async def asking(client: httpx.AsyncClient) -> None:
        made = await client.post("/files/", headers={"Upload-Length": "3000000"})
        url = made.headers["location"]
        assert re.fullmatch(rf"{client.base_url}/files/[0-9a-f]{{32}}".replace(".", r"\."), url)
        part = {"Content-Type": CHUNK, "Upload-Offset": "0"}
        assert (await client.patch(url, headers=part, content=content[:1_000_000])).headers[
            "upload-offset"
        ] == "1000000"
        assert (await client.head(url)).headers["upload-offset"] == "1000000"
        assert (await client.patch(url, headers=part, content=content)).status_code == 409
        over = {**part, "Upload-Offset": "1000000", "X-HTTP-Method-Override": "PATCH"}
        assert (await client.post(url, headers=over, content=content[1_000_000:])).status_code == 204
        assert (configured / "public" / f"{url[-32:]}.bin").read_bytes() == content
        wrong = {"Upload-Length": "5", "Content-Type": CHUNK}
        assert (await client.post("/files/", headers=wrong, content=b"VIRUS")).status_code == 500
        assert len(list((configured / "public").glob("*.bin"))) == 1

    run(issuer, asking)


def test_who_leaves_before_the_end_finds_it_done_once(depot: Path, issuer: Issuer) -> None:
    begun, going = asyncio.Event(), asyncio.Event()
    runs: list[str] = []
    loop: Any = None

    class Slow:
        name = "slow"
        once = False

        def run(self, arrival: Arrival) -> None:
            runs.append(arrival.info.identifier)
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(going.wait(), loop).result(60)

    service = Service(depot, issuer, Finisher(Storage(depot, limits=Limits(spare=0)), [Slow()]))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await service.app({**scope, "root_path": ""}, receive, send)

    async def asking(client: httpx.AsyncClient) -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        url = (await client.post("/files/", headers={"Upload-Length": "3"})).headers["location"]
        headers = {"Content-Type": CHUNK, "Upload-Offset": "0"}
        leaving = asyncio.ensure_future(client.patch(url, headers=headers, content=b"abc"))
        await asyncio.wait_for(begun.wait(), 60)
        leaving.cancel()
        # Held still: nobody finishes it a second time beside.
        assert (await client.head(url)).status_code == 423
        going.set()
        for _ in range(600):
            if (await client.head(url)).status_code == 200:
                break
            await asyncio.sleep(0.05)
        assert (depot / "public" / f"{url[-32:]}.bin").read_bytes() == b"abc"
        assert runs == [url[-32:]]

    run(issuer, asking, application)


WORDS = ["POST", "PATCH", "HEAD", "GET", "DELETE", "OPTIONS", "PUT", "X"]
PLACES = [
    "/files/",
    "/files/{}",
    "/files/{}.info",
    "/files/..%2f..%2fetc/passwd",
    "/files/%00",
    "/files//",
    "/files/é",
    "*",
]
HEADERS = [
    "Upload-Length: 5",
    "Upload-Length: -1",
    "Upload-Length: 5\r\nUpload-Length: 6",
    "Upload-Offset: 0",
    "Upload-Offset: 99999999999999999999",
    f"Content-Type: {CHUNK}",
    "Content-Length: 5",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: x",
    "Content-Length: 99999999999999",
    "Transfer-Encoding: chunked",
    "Tus-Resumable: 1.0.0",
    "Upload-Metadata: private dHJ1ZQ==,../../x Li4vLi4=",
    "Upload-Metadata: é \xff",
    "X-HTTP-Method-Override: PATCH",
    "X-Forwarded-Host: a b\tc",
    "Expect: 100-continue",
    "Connection: upgrade\r\nUpgrade: websocket",
    "Cookie: a=b; _xsrf=2|1|1|1",
    "X-XSRFToken: 2|1|1|1",
    ": empty",
    "No colon",
]


def test_odd_requests_are_answered_and_leave_nothing_outside(
    configured: Path, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes as anybody can write them, through both servers; drawn anew at each run."""
    drawn = random.Random()  # noqa: S311
    seed = drawn.getrandbits(64)
    drawn.seed(seed)
    before = {path.name for path in configured.parent.iterdir()}

    async def asking(client: httpx.AsyncClient) -> None:
        url = (await client.post("/files/", headers={"Upload-Length": "5"})).headers["location"]
        for _ in range(150):
            place = drawn.choice(PLACES).replace("{}", url[-32:])
            lines = [f"{drawn.choice(WORDS)} {place} HTTP/1.1", "Host: x", *drawn.sample(HEADERS, drawn.randrange(5))]
            if drawn.random() < 0.8:
                lines += [f"Authorization: {client.headers['authorization']}", "Tus-Resumable: 1.0.0"]
            body = drawn.choice(["", "abcde", "5\r\nabcde\r\n0\r\n\r\n", "\0" * 20])
            request = "\r\n".join([*lines, "", body]).encode("latin-1")
            reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
            writer.write(request)
            writer.write_eof()
            answer = await asyncio.wait_for(reader.read(), 60)
            writer.close()
            status = re.match(rb"HTTP/1.1 (\d{3})", answer)
            # Nothing is said to who cannot be understood, or sent less than she announced.
            assert status is None or int(status[1]) < 500, (seed, request, answer)
        assert (await client.options("/files/")).status_code == 204

    caplog.set_level(logging.CRITICAL, "tornado")
    run(issuer, asking)
    assert {path.name for path in configured.parent.iterdir()} == before
    kinds = {re.sub("[0-9a-f]{32}", "id", str(path.relative_to(configured))) for path in configured.rglob("*")}
    parts = {f"tusd/id{each}" for each in (".bin", ".info", ".state")}
    shown = {f"{folder}/id{each}" for folder in ("public", "urssaf") for each in (".bin", ".info")}
    assert kinds <= {"tusd", "public", "urssaf", "dgefp", "tusd/evenements.ndjson"} | parts | shown


def test_a_server_without_depot_says_so_and_serves_the_rest(
    issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("WORKBENCH_DEPOT", raising=False)
    monkeypatch.chdir(tmp_path)
    with opened_services(verifier(issuer), OURS) as found:
        assert found == []
    assert caplog.messages == ["Le dépôt de fichiers n'est pas servi : donnez son dossier dans WORKBENCH_DEPOT."]
    # One that is named and is not there is a mistake, told at the start.
    monkeypatch.setenv("WORKBENCH_DEPOT", str(tmp_path / "absent"))
    with pytest.raises(WorkbenchError) as absent, opened_services(verifier(issuer), OURS):
        pass
    assert absent.value.code == "depot_absent"
