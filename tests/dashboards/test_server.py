"""What the server of dashboards serves, to whom, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from workbench.dashboards.application import is_incident
from workbench.dashboards.listing import dashboards_of
from workbench.dashboards.server import _absolute, serve
from workbench.errors import WorkbenchError

pytest.importorskip("voila")
pytestmark = pytest.mark.slow

SHOW_ENVIRONMENT = """
import json, os, sys
from IPython.display import HTML
HTML("<pre id='seen'>" + json.dumps({"environment": dict(os.environ), "python": sys.executable}) + "</pre>")
"""

SHOW_LATE = """
import time
from IPython.display import HTML, display
kernel = get_ipython().kernel
publish = kernel._publish_status
def late(status, *others, **named):
    if status == "idle":
        kernel._publish_status = publish
        time.sleep(5)
        display(HTML(f"<p>montant {6 * 7}</p>"))
    publish(status, *others, **named)
kernel._publish_status = late
"""
"""What a busy server sees: the answer of a cell at once, and long afterwards what it showed."""


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_notebook: Callable[..., Path]) -> Path:
    root = tmp_path_factory.mktemp("projet")
    folder = root / "dashboards"
    (folder / "sous").mkdir(parents=True)
    write_notebook(folder / "vue.ipynb", SHOW_ENVIRONMENT, title="Ce que voit un noyau", kernel="un-autre-noyau")
    write_notebook(folder / "panne.ipynb", "SECRET_SOURCE = 1", "1 / 0", title="Une panne")
    write_notebook(folder / "mort.ipynb", "import os; os._exit(1)", "2", title="Un noyau mort")
    write_notebook(folder / "lent.ipynb", SHOW_LATE, "1", title="Un noyau lent à dire")
    write_notebook(folder / ".cache.ipynb", "1")
    write_notebook(folder / "sous" / "autre.ipynb", "1")
    write_notebook(root / "dehors.ipynb", "1")
    (folder / "image.png").write_bytes(b"secret image")
    (folder / "notes.txt").write_text("secret notes")
    return folder


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], folder: Path) -> Any:
    secrets = {"AWS_SECRET_ACCESS_KEY": "s3cr3t", "MY_TOKEN": "s3cr3t"}
    return serve(folder, folder.parent / "base.duckdb", folder.parent / "trames", **secrets)


def page(server: Any, name: str) -> str:
    answer = httpx.get(f"{server.url}/voila/render/{name}", timeout=60)
    assert answer.status_code == 200
    return answer.text


def test_lists_the_notebooks_of_the_folder_only(folder: Path) -> None:
    assert {name: one.title for name, one in dashboards_of(folder).items()} == {
        "lent.ipynb": "Un noyau lent à dire",
        "mort.ipynb": "Un noyau mort",
        "panne.ipynb": "Une panne",
        "vue.ipynb": "Ce que voit un noyau",
    }


def test_a_notebook_that_is_not_one_is_listed_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "abime.ipynb").write_text("{")
    assert dashboards_of(tmp_path)["abime.ipynb"].title == "abime"


def test_refuses_a_folder_without_notebook(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="ne contient aucun tableau de bord") as error:
        serve_folder(tmp_path)
    assert error.value.code == "tableaux_absents"


def test_refuses_a_port_that_is_taken(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(WorkbenchError) as error:
        serve(taken.getsockname()[1], folder=folder)
    assert error.value.code == "port_occupe"


def test_refuses_a_folder_of_kernels_that_others_enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path(os.environ["WORKBENCH_RUNTIME"]) / "ouvert"
    opened.mkdir()
    opened.chmod(0o755)
    monkeypatch.setenv("WORKBENCH_RUNTIME", str(opened))
    with pytest.raises(WorkbenchError, match="d'autres y entrent") as error:
        serve_folder(folder)
    assert error.value.code == "noyau_dossier"


def serve_folder(folder: Path) -> None:
    serve(0, folder=folder)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("base.duckdb", "{here}/base.duckdb"),
        ("duckdb:///base.duckdb", "duckdb:///{here}/base.duckdb"),
        ("duckdb:////data/base.duckdb", "duckdb:////data/base.duckdb"),
        ("/data/base.duckdb", "/data/base.duckdb"),
        ("postgresql+psycopg://host/base", "postgresql+psycopg://host/base"),
    ],
)
def test_a_kernel_finds_the_base_from_its_own_folder(
    given: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert _absolute(given) == expected.format(here=tmp_path)


def test_a_base_that_is_a_link_stays_one(tmp_path: Path) -> None:
    # Each import points the link at its new snapshot: a visitor who comes after it must see it.
    (tmp_path / "base.duckdb").symlink_to("base.duckdb.d/00000002.duckdb")
    assert _absolute(str(tmp_path / "base.duckdb")) == str(tmp_path / "base.duckdb")


def test_index_lists_the_dashboards_in_french(server: Any) -> None:
    answer = httpx.get(f"{server.url}/")
    assert answer.status_code == 200
    assert '<html lang="fr">' in answer.text
    assert re.findall(r'href="/voila/render/([^"]+)"><strong>([^<]+)<', answer.text) == [
        ("lent.ipynb", "Un noyau lent à dire"),
        ("mort.ipynb", "Un noyau mort"),
        ("panne.ipynb", "Une panne"),
        ("vue.ipynb", "Ce que voit un noyau"),
    ]
    assert "cdn" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/voila/files/image.png",
        "/voila/files/notes.txt",
        "/voila/files/..%2fdehors.ipynb",
        "/voila/files/image.png/",
        "/voila/tree",
        "/voila/tree/sous",
        "/voila/api/contents",
        "/voila/api/contents/notes.txt",
        "/voila/query/00000000-0000-0000-0000-000000000000",
        "/voila/render/notes.txt",
        "/voila/render/image.png",
        "/voila/render/.cache.ipynb",
        "/voila/render/sous/autre.ipynb",
        "/voila/render/sous%2fautre.ipynb",
        "/voila/render/../dehors.ipynb",
        "/voila/render/..%2fdehors.ipynb",
        "/voila/render/..%2f..%2f..%2fetc%2fpasswd",
        "/voila/render//etc/passwd",
        "/voila/render/vue.ipynb/",
        "/voila/render/",
        "/voila/static/../../../../etc/passwd",
        "/voila/static/..%2f..%2f..%2fetc%2fpasswd",
        "/statique/package.json",
        "/statique/..%2f__init__.py",
        "/statique/../pyproject.toml",
        "/api/sessions",
        "/api/contents",
        "/api/terminals",
        "/api/kernels",
        "/lab",
        "/static/x.js",
    ],
)
def test_serves_nothing_else(server: Any, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        # By hand: a client would tidy the path up.
        wire.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(65536), b"")).decode()
    status = int(answer.split()[1])
    assert status in (403, 404), answer[:300]
    assert "secret" not in answer
    assert "root:" not in answer


def test_unknown_page_is_told_in_french(server: Any) -> None:
    answer = httpx.get(f"{server.url}/inconnu")
    assert answer.status_code == 404
    assert "Cette page n&#39;existe pas" in answer.text or "Cette page n'existe pas" in answer.text
    assert "https://" not in answer.text


def test_refuses_another_host_name(server: Any) -> None:
    # What a page of the web reaches when its name is made to resolve to this machine.
    answer = httpx.get(f"{server.url}/voila/render/vue.ipynb", headers={"Host": "evil.example"})
    assert answer.status_code == 403


def test_policy_forbids_other_addresses(server: Any) -> None:
    policy = httpx.get(f"{server.url}/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_plotly_is_served_once_for_long(server: Any) -> None:
    answer = httpx.get(f"{server.url}/statique/plotly.min.js?v=1")
    assert answer.status_code == 200
    assert "plotly.js" in answer.text[:200]
    assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_kernel_sees_no_secret_and_runs_this_interpreter(server: Any, folder: Path) -> None:
    text = page(server, "vue.ipynb")
    output = re.search(r'cell-output\+json">(.*?)</script>', text, re.DOTALL)
    assert output
    html = json.loads(output[1])["data"]["text/html"]
    seen = json.loads(re.search(r"<pre id='seen'>(.*)</pre>", html, re.DOTALL)[1])  # type: ignore[index]
    assert seen["python"] == sys.executable
    assert not [name for name, value in seen["environment"].items() if "s3cr3t" in value]
    assert seen["environment"]["WORKBENCH_BASE"] == str(folder.parent / "base.duckdb")
    assert seen["environment"]["WORKBENCH_TRAMES"] == str(folder.parent / "trames")
    assert "HTTP_COOKIE" not in seen["environment"]


def test_a_visitor_finds_nothing_of_the_one_before(server: Any) -> None:
    """Whether her kernel was made before she came or not: it was nobody's."""
    seen = []
    for visitor in ("alice", "bob", "chloe"):
        text = page(server, f"vue.ipynb?qui={visitor}")
        output = re.search(r'cell-output\+json">(.*?)</script>', text, re.DOTALL)
        assert output
        html = json.loads(output[1])["data"]["text/html"]
        facts = json.loads(re.search(r"<pre id='seen'>(.*)</pre>", html, re.DOTALL)[1])  # type: ignore[index]
        kernel = re.search(r'"kernelId": "([0-9a-f-]+)"', text)
        assert kernel
        assert facts["environment"]["QUERY_STRING"] == f"qui={visitor}"
        others = {"alice", "bob", "chloe"} - {visitor}
        assert not [value for value in facts["environment"].values() if any(each in value for each in others)]
        seen.append(kernel[1])
    assert len(set(seen)) == 3
    assert len(server.kernels()) >= 3


def test_page_is_french_and_hides_its_source(server: Any) -> None:
    text = page(server, "vue.ipynb")
    assert '<html lang="fr">' in text
    assert "<title>Ce que voit un noyau</title>" in text
    assert "Chargement du tableau de bord…" in text
    assert "json.dumps" not in text
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)


def test_what_a_kernel_says_late_is_shown(server: Any) -> None:
    html = page(server, "lent.ipynb")
    assert "montant 42" in html


def test_a_page_whose_kernel_dies_while_it_is_prepared_says_so(server: Any) -> None:
    text = page(server, "mort.ipynb")
    assert "Cette page n'a pas pu être préparée" in text
    assert "os._exit" not in text
    assert text.rstrip().endswith("</html>")


def test_a_failed_notebook_shows_no_traceback(server: Any) -> None:
    text = page(server, "panne.ipynb")
    assert "Cette page n'a pas pu être préparée" in text
    assert "ZeroDivisionError" not in text
    assert "SECRET_SOURCE" not in text
    # The operator has it.
    assert "ZeroDivisionError" in server.log.read_text()


def frame(kind: str, content: dict[str, Any]) -> bytes:
    """Write a message in version 1 of the websocket protocol."""
    header = {"msg_id": kind, "username": "", "session": "x", "msg_type": kind, "version": "5.3", "date": ""}
    parts = [b"shell", *(json.dumps(part).encode() for part in (header, {}, {}, content))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join(number.to_bytes(8, "little") for number in (len(offsets), *offsets)) + b"".join(parts)


def kernel_of(server: Any) -> str:
    found = re.search(r'"kernelId": "([0-9a-f-]+)"', page(server, "vue.ipynb"))
    assert found
    return found[1]


def test_a_visitor_can_neither_execute_code_nor_stall_the_server(server: Any, tmp_path: Path) -> None:
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    witness = tmp_path / "witness"
    url = f"ws://127.0.0.1:{server.port}/api/kernels/{kernel_of(server)}/channels?session_id=x"

    async def attempt() -> list[str]:
        wire = await websocket_connect(HTTPRequest(url), subprotocols=["v1.kernel.websocket.jupyter.org"])
        for hostile in (b"\xff" * 16, b"", b"\x06" + b"\x00" * 7, b"\x06" + b"\x00" * 100, "{}"):
            await wire.write_message(hostile, binary=isinstance(hostile, bytes))
        code = {"code": f"open({str(witness)!r}, 'w')", "silent": False, "store_history": False}
        await wire.write_message(frame("execute_request", code), binary=True)
        await wire.write_message(frame("kernel_info_request", {}), binary=True)
        kinds: list[str] = []
        while "kernel_info_reply" not in kinds:
            raw = await asyncio.wait_for(wire.read_message(), 20)
            assert isinstance(raw, bytes)
            start, end = (int.from_bytes(raw[8 * place : 8 * place + 8], "little") for place in (2, 3))
            kinds.append(json.loads(raw[start:end])["msg_type"])
        wire.close()
        while await asyncio.wait_for(wire.read_message(), 120) is not None:
            pass
        return kinds

    kinds = asyncio.run(attempt())
    assert "execute_reply" not in kinds
    assert not witness.exists()


def test_the_old_protocol_is_refused(server: Any) -> None:
    address = f"{server.url}/api/kernels/{kernel_of(server)}/channels"
    assert httpx.get(address, headers=UPGRADE).status_code == 400


def test_a_page_of_another_site_cannot_connect(server: Any) -> None:
    address = f"{server.url}/api/kernels/{kernel_of(server)}/channels"
    asked = {**UPGRADE, "Sec-WebSocket-Protocol": "v1.kernel.websocket.jupyter.org"}
    assert httpx.get(address, headers={**asked, "Origin": "https://evil.example"}).status_code == 403


def test_closing_the_page_ends_its_kernel(server: Any) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        text = client.get("/voila/render/vue.ipynb").text
        kernel = re.search(r'"kernelId": "([0-9a-f-]+)"', text)
        assert kernel
        address = f"/voila/api/shutdown/{kernel[1]}"
        assert client.post(address).status_code == 403  # another site cannot do it
        before = len(server.kernels())
        assert client.post(address, data={"_xsrf": client.cookies["_xsrf"]}).status_code == 204
        assert len(server.kernels()) == before - 1


def test_interrupting_ends_the_server_and_its_kernels(serve: Callable[..., Any], folder: Path) -> None:
    server = serve(folder, folder / "base.duckdb", folder)
    page(server, "vue.ipynb")
    kernels = server.kernels()
    assert kernels
    assert server.stop() == 0
    end = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in kernels) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in kernels if Path(f"/proc/{pid}").exists()]
    assert "Traceback" not in server.log.read_text()
    assert f"http://127.0.0.1:{server.port}/" in server.log.read_text()


def test_a_page_that_leaves_is_no_incident() -> None:
    from tornado.websocket import WebSocketClosedError

    def record(error: Exception) -> logging.LogRecord:
        told = (type(error), error, None)
        return logging.LogRecord("asyncio", logging.ERROR, __file__, 1, "never retrieved", (), told)

    assert not is_incident(record(WebSocketClosedError()))
    assert is_incident(record(OSError("disque plein")))
    assert is_incident(logging.LogRecord("asyncio", logging.ERROR, __file__, 1, "x", (), None))


def test_a_page_that_comes_to_a_busy_kernel_is_let_in_once_it_will_hear_it() -> None:
    from jupyter_client.session import Session

    from workbench.dashboards.application import DashboardKernelSpecManager, FilteredKernelManager, SubscribedConnection

    async def visit() -> list[str]:
        kernels = FilteredKernelManager(kernel_spec_manager=DashboardKernelSpecManager())
        name = await kernels.start_kernel(kernel_name="python3", env=dict(os.environ))
        kernel = kernels.get_kernel(name)
        try:
            kernel.execution_state = "busy"
            connection = SubscribedConnection(parent=kernel)
            connection.session.key = kernel.session.key
            connection.create_stream()
            connected = connection.nudge()
            assert not connected.done()
            await asyncio.wait_for(connected, 60)
            iopub = connection.channels["iopub"]
            heard = []
            asker: Session = connection.session
            asked = asker.send(connection.channels["shell"], "kernel_info_request")["header"]["msg_id"]
            for _ in range(200):
                while iopub.socket.poll(0):
                    said = asker.deserialize(asker.feed_identities(iopub.socket.recv_multipart())[1])
                    if said["parent_header"].get("msg_id") == asked:
                        heard.append(said["content"]["execution_state"])
                if heard[-1:] == ["idle"]:
                    break
                await asyncio.sleep(0.05)
            for stream in connection.channels.values():
                stream.close()
            return heard
        finally:
            await kernels.shutdown_kernel(name, now=True)

    assert asyncio.run(visit()) == ["busy", "idle"]


def test_a_kernel_that_is_starting_can_be_asked_since_when_it_is_idle() -> None:
    from workbench.dashboards.application import DashboardKernel

    assert datetime.now(UTC) - DashboardKernel().last_activity < timedelta(minutes=1)


def test_kernels_that_end_leave_no_logger() -> None:
    from workbench.dashboards.application import DashboardApplication, DashboardKernel, DashboardKernelManager

    kernels = DashboardKernelManager(parent=DashboardApplication())
    told = DashboardKernel(parent=kernels).event_logger
    before = set(logging.root.manager.loggerDict)
    assert all(DashboardKernel(parent=kernels).event_logger is told for _ in range(5))
    assert set(logging.root.manager.loggerDict) == before


def test_a_kernel_of_a_dashboard_takes_no_port_and_leaves_no_socket() -> None:
    from workbench.dashboards.application import DashboardKernelSpecManager, FilteredKernelManager

    async def visits() -> tuple[list[Any], list[Path]]:
        kernels = FilteredKernelManager(kernel_spec_manager=DashboardKernelSpecManager())
        # More at once than are kept ready.
        names = [await kernels.start_kernel(kernel_name="python3", env=dict(os.environ)) for _ in range(4)]
        managers = [kernels.get_kernel(name) for name in names]
        folders = [Path(each.connection_file).parent for each in managers]
        told = []
        for each in managers:
            client = each.client()
            # Nothing here is told by the heartbeat, whose thread makes its socket whenever it comes to run.
            client.start_channels(hb=False)
            await client.wait_for_ready(timeout=60)
            client.stop_channels()
            told.append(each.get_connection_info()["transport"])
        assert all(folder.stat().st_mode & 0o077 == 0 for folder in folders)
        for name in names:
            await kernels.shutdown_kernel(name, now=True)
        return told, folders

    told, folders = asyncio.run(visits())
    assert told == ["ipc"] * 4
    assert not any(folder.exists() for folder in folders)


def test_sockets_of_a_server_that_was_killed_are_removed() -> None:
    from workbench.kernels.runtime import runtime_folder, sockets_folder

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = runtime_folder() / f"p{gone.pid}-abc"
    left.mkdir()
    (left / "k-ipc-1").touch()
    ours = sockets_folder()
    try:
        assert not left.exists()
        other = sockets_folder()
        assert ours.exists()
        other.rmdir()
    finally:
        ours.rmdir()


def test_a_page_whose_kernel_dies_before_it_answers_says_so_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from voila.notebook_renderer import NotebookRenderer

    from workbench.dashboards.application import UNOPENED, DashboardRenderer

    async def broken(*_: Any) -> Any:
        yield "<html>", None
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(NotebookRenderer, "generate_content_generator", broken)

    async def parts() -> list[str]:
        renderer = DashboardRenderer.__new__(DashboardRenderer)
        renderer._turn = AsyncExitStack()
        return [text async for text, _ in renderer.generate_content_generator("a", None)]

    first, last = asyncio.run(parts())
    assert first == "<html>"
    assert UNOPENED in last
    assert last.endswith("</html>")
