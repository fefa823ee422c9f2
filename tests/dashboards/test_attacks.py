"""What an attacker tries against the running server, where people log in: each is refused.

Anne is the victim; Eve has an account and no badge; nobody is who has none.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from people import PASSWORD, form_token, logged_in, make_people, token_of

from workbench.kernels.confinement import is_confinable

pytest.importorskip("voila")
pytestmark = pytest.mark.slow

PROTOCOL = "v1.kernel.websocket.jupyter.org"
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-of-the-service",
    "WORKBENCH_BROKER": "amqp://guest:s3cr3t-of-the-service@127.0.0.1:1/",
    "PGPASSWORD": "s3cr3t-of-the-service",
    "WORKBENCH_OPENDATA_KEY": "s3cr3t-of-the-service",
}
WITNESS = """
import json, os
from IPython.display import HTML
WITNESS = 1
facts = {"environment": dict(os.environ), "uid": os.getuid()}
try:
    open(PLACE, "w")
    facts["wrote"] = True
except OSError as error:
    facts["wrote"] = False
HTML("<pre id='seen'>" + json.dumps(facts) + "</pre>")
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("attaques")


@pytest.fixture(scope="module")
def server(
    serve: Callable[..., Any], place: Path, project: Path, demonstration_base: str, write_notebook: Callable[..., Path]
) -> Any:
    folder = place / "tableaux"
    folder.mkdir()
    write_notebook(folder / "vue.ipynb", f"PLACE = {str(place / 'ecrit')!r}", WITNESS, title="Vue")
    reserved = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("SECRET_OF_RESERVED = 1")],
        metadata={"title": "Réservée", "badges": ["analyste"], "kernelspec": {"name": "python3", "display_name": ""}},
    )
    nbformat.write(reserved, folder / "reservee.ipynb")
    write_notebook(place / "dehors.ipynb", "SECRET_OUTSIDE = 1")
    variables = make_people(place, {"anne": ["analyste", "bfc"], "eve": []})
    return serve(folder, Path(demonstration_base), project / "trames", **variables, **SECRETS)


@pytest.fixture(scope="module")
def anne(server: Any) -> Iterator[httpx.Client]:
    with logged_in(server, "anne") as web:
        yield web


@pytest.fixture(scope="module")
def eve(server: Any) -> Iterator[httpx.Client]:
    with logged_in(server, "eve") as web:
        yield web


@pytest.fixture(scope="module")
def page(anne: httpx.Client) -> str:
    return anne.get("/voila/render/vue.ipynb").text


@pytest.fixture(scope="module")
def kernel(page: str) -> str:
    """Anne's kernel, whose identifier the attackers know."""
    found = re.search(r'"kernelId": "([0-9a-f-]+)"', page)
    assert found
    return found[1]


def cookies_of(web: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in web.cookies.items())


def frame(kind: str, content: dict[str, Any], channel: bytes = b"shell") -> bytes:
    """Write a message in version 1 of the websocket protocol."""
    header = {"msg_id": kind, "username": "", "session": "x", "msg_type": kind, "version": "5.3", "date": ""}
    parts = [channel, *(json.dumps(part).encode() for part in (header, {}, {}, content))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join(number.to_bytes(8, "little") for number in (len(offsets), *offsets)) + b"".join(parts)


async def answers(server: Any, kernel: str, cookie: str, *frames: bytes) -> list[str]:
    """Send frames to a kernel; return the kinds of its answers until it says what it is."""
    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    url = f"ws://127.0.0.1:{server.port}/api/kernels/{kernel}/channels?session_id=x"
    wire = await websocket_connect(HTTPRequest(url, headers={"Cookie": cookie}), subprotocols=[PROTOCOL])
    for each in (*frames, frame("kernel_info_request", {})):
        await wire.write_message(each, binary=True)
    kinds: list[str] = []
    while "kernel_info_reply" not in kinds:
        raw = await asyncio.wait_for(wire.read_message(), 120)
        assert isinstance(raw, bytes), kinds
        start, end = (int.from_bytes(raw[8 * place : 8 * place + 8], "little") for place in (2, 3))
        kinds.append(json.loads(raw[start:end])["msg_type"])
    wire.close()
    while await asyncio.wait_for(wire.read_message(), 120) is not None:
        pass
    return kinds


# --- code on the kernel's channels


def test_no_message_makes_a_kernel_run_code_or_tell_of_it(
    server: Any, anne: httpx.Client, kernel: str, tmp_path: Path
) -> None:
    witness = tmp_path / "temoin"
    code = f"open({str(witness)!r}, 'w')"
    hostile = [
        frame(kind, content, channel)
        for channel in (b"shell", b"control")
        for kind, content in (
            ("execute_request", {"code": code, "silent": False, "store_history": False}),
            ("execute_request", {"code": "1", "silent": True, "user_expressions": {"x": code}}),
            ("complete_request", {"code": "WITN", "cursor_pos": 4}),
            ("inspect_request", {"code": "WITNESS", "cursor_pos": 7, "detail_level": 1}),
            ("history_request", {"output": False, "raw": True, "hist_access_type": "tail", "n": 10}),
            ("is_complete_request", {"code": code}),
            ("debug_request", {"type": "request", "command": "evaluate", "arguments": {"expression": code}}),
            ("create_subshell_request", {}),
            ("interrupt_request", {}),
            ("shutdown_request", {"restart": False}),
            ("comm_open", {"comm_id": "x", "target_name": "../../etc/passwd", "data": {}}),
            ("comm_open", {"comm_id": "y", "target_name": "jupyter.widget", "target_module": "os", "data": {}}),
            ("comm_msg", {"comm_id": "absent", "data": {"method": "custom", "content": {"kind": "x"}}}),
            ("input_reply", {"value": code}),
        )
    ]
    kinds = asyncio.run(answers(server, kernel, cookies_of(anne), *hostile))
    refused = {f"{kind}_reply" for kind in ("execute", "complete", "inspect", "history", "is_complete", "debug")}
    refused |= {"create_subshell_reply", "interrupt_reply", "shutdown_reply", "execute_result", "error"}
    assert not refused & set(kinds), kinds
    assert not witness.exists()
    # Nothing ended it.
    assert anne.get(f"/api/kernels/{kernel}").status_code == 200


def test_no_trait_that_a_browser_sets_is_believed(server: Any) -> None:
    """Components never read a trait back, nor a message that is not one of theirs: see the pages' own tests."""
    from workbench.dashboards.production_components import Requests

    table = Requests()
    before = table.table
    table._handle_custom_msg({"kind": "download", "number": 1}, [])
    assert table.table == before


# --- another's kernel


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": PROTOCOL,
}


@pytest.mark.parametrize("path", ["", "/channels", "/interrupt", "/restart"])
def test_another_s_kernel_is_nobody_s(
    server: Any, anne: httpx.Client, eve: httpx.Client, kernel: str, path: str
) -> None:
    absent = "00000000-0000-4000-8000-000000000000"
    with httpx.Client(base_url=server.url, timeout=60) as nobody:
        for web in (eve, nobody):
            web.get("/")
            headers = UPGRADE | {"X-XSRFToken": web.cookies.get("_xsrf", "")}
            told = [
                (
                    web.get(f"/api/kernels/{each}{path}", headers=headers, follow_redirects=False).status_code,
                    web.post(f"/api/kernels/{each}{path}", headers=headers, follow_redirects=False).status_code,
                )
                for each in (kernel, absent)
            ]
            assert told[0] == told[1]  # it tells nobody what exists
            # Or sent to log in: nobody is told more.
            assert set(told[0]) <= ({403, 404, 405} if web is eve else {302, 403, 404, 405})
            assert web.post(f"/voila/api/shutdown/{kernel}", headers=headers).status_code == 403
            assert web.delete(f"/api/kernels/{kernel}", headers=headers).status_code == 403
    assert anne.get(f"/api/kernels/{kernel}").status_code == 200


def test_kernels_are_neither_listed_nor_started_by_a_client(eve: httpx.Client) -> None:
    headers = {"X-XSRFToken": eve.cookies["_xsrf"]}
    for path in ("/api/kernels", "/api/kernels/", "/api/sessions", "/api/terminals", "/api/kernelspecs"):
        assert eve.get(path).status_code == 404
        assert eve.post(path, headers=headers, json={"name": "python3"}).status_code == 404


def test_a_page_of_another_site_does_not_connect(server: Any, anne: httpx.Client, kernel: str) -> None:
    address = f"/api/kernels/{kernel}/channels"
    for origin in ("https://evil.example", f"http://127.0.0.1:{server.port + 1}", "null"):
        assert anne.get(address, headers={**UPGRADE, "Origin": origin}).status_code == 403


# --- identity


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Workbench-Email": "anne@exemple.fr"},
        {"x_workbench_email": "anne@exemple.fr", "X-WORKBENCH-BADGES": "analyste"},
        {"X-Forwarded-User": "anne@exemple.fr", "X-Remote-User": "anne@exemple.fr", "Remote-User": "anne"},
        {"Authorization": "Basic YW5uZUBleGVtcGxlLmZyOng="},
        {"Authorization": "token anne"},
        {"Cookie": "workbench=anne; username-127-0-0-1=anne; _xsrf=x"},
    ],
)
def test_no_header_makes_anyone(server: Any, eve: httpx.Client, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{server.url}/", headers=headers)
    assert answer.status_code == 302
    if "Cookie" not in headers:
        assert "anne@exemple.fr" not in eve.get("/", headers=headers).text
        assert eve.get("/voila/render/reservee.ipynb", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "query",
    ["?token=x", "?user=anne@exemple.fr", "?email=anne@exemple.fr&badges=analyste", "?voila-template=x", "?next=/"],
)
def test_no_query_makes_anyone(server: Any, eve: httpx.Client, query: str) -> None:
    assert httpx.get(f"{server.url}/voila/render/vue.ipynb{query}").status_code == 302
    assert eve.get(f"/voila/render/reservee.ipynb{query}").status_code == 403
    assert "anne@exemple.fr" not in eve.get(f"/{query}").text


def test_a_bearer_token_opens_services_and_no_page(server: Any, place: Path, eve: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {token_of(server, place, 'anne')}"}
    assert httpx.get(f"{server.url}/", headers=headers).status_code == 302
    assert httpx.get(f"{server.url}/rapports/reports/", headers=headers).status_code == 200
    # And a cookie opens no service: no other site can use it.
    for path in ("/rapports/reports/", "/commentaires/comments/", "/magasin/data/policies"):
        assert eve.get(path).status_code == 401


def test_a_session_cannot_be_chosen_for_someone(server: Any) -> None:
    chosen = "a" * 43
    with httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as web:
        web.cookies.set(f"workbench_{server.port}", chosen, domain="127.0.0.1", path="/")
        form = web.get("/")
        assert form.url.path == "/authorize"
        fields = {"form_token": form_token(form.text), "email": "anne@exemple.fr", "password": PASSWORD}
        assert web.post(str(form.url), data=fields).status_code == 200
    stolen = httpx.get(f"{server.url}/", headers={"Cookie": f"workbench_{server.port}={chosen}"})
    assert stolen.status_code == 302


# --- forms from elsewhere


@pytest.mark.parametrize("fields", [{}, {"_xsrf": ""}, {"_xsrf": "x"}, {"_xsrf": "2|00000000|0|0"}])
def test_no_form_of_another_site_is_taken(eve: httpx.Client, kernel: str, fields: dict[str, str]) -> None:
    for path in ("/", "/logout", f"/voila/api/shutdown/{kernel}"):
        answer = eve.post(path, data={**fields, "text": "Écrit par un autre site"})
        assert answer.status_code == 403
    page = eve.get("/").text
    assert "Écrit par un autre site" not in page
    assert "Eve Durand" in page  # still logged in


def test_no_login_is_forced_from_another_site(server: Any) -> None:
    issuer = f"http://127.0.0.1:{server.port + 1}"
    with httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as web:
        form = web.get("/")
        fields = {"email": "eve@exemple.fr", "password": PASSWORD}
        for wrong in ({}, {"form_token": "x"}):
            assert web.post(str(form.url), data=fields | wrong).status_code in (400, 403)
        assert str(form.url).startswith(issuer)
        assert web.get("/", follow_redirects=False).status_code == 302


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "application/json"])
def test_no_request_of_a_report_comes_from_another_site(eve: httpx.Client, kind: str) -> None:
    # What a page elsewhere can have a browser send: its cookies, and no token.
    body = b'{"identifiers": ["21330063500017"], "financial_year_min": 2020, "financial_year_max": 2021}'
    headers = {"Content-Type": kind, "Origin": "https://evil.example"}
    for path in ("/rapports/reports/balances/", "/commentaires/comments/", "/rapports/reports/1/publication/"):
        answer = eve.post(path, content=body, headers=headers)
        assert answer.status_code == 401
        assert "access-control-allow-origin" not in answer.headers


# --- files and notebooks


@pytest.mark.parametrize(
    "path",
    [
        "/voila/files/vue.ipynb",
        "/voila/files/..%2fdehors.ipynb",
        "/voila/files/%2e%2e/dehors.ipynb",
        "/voila/render/..%2fdehors.ipynb",
        "/voila/render/../dehors.ipynb",
        "/voila/render/%2e%2e%2fdehors.ipynb",
        "/voila/render/..%252fdehors.ipynb",
        "/voila/render//etc/passwd",
        "/voila/render/vue.ipynb/",
        "/voila/render/vue.ipynb%00",
        "/voila/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/statique/..%2f__init__.py",
        "/voila/labextensions/..%2f..%2fetc%2fpasswd",
        "/voila/query/00000000-0000-0000-0000-000000000000",
        "/voila/tree",
        "/tree",
        "/lab",
        "/notebooks/vue.ipynb",
        "/edit/vue.ipynb",
        "/files/vue.ipynb",
        "/nbconvert/html/vue.ipynb",
        "/api/contents/vue.ipynb",
        "/vue.ipynb",
        "/tableaux/vue.ipynb",
        "/rapports/../vue.ipynb",
        "/magasin/..%2f..%2fetc%2fpasswd",
        "/commentaires/..%2f",
    ],
)
def test_no_path_leads_to_a_file_or_a_source(server: Any, eve: httpx.Client, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as wire:
        # By hand: a client would tidy the path up.
        asked = f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\nCookie: {cookies_of(eve)}\r\n\r\n"
        wire.sendall(asked.encode())
        answer = b"".join(iter(lambda: wire.recv(65536), b"")).decode(errors="replace")
    assert int(answer.split()[1]) in (400, 401, 403, 404), answer[:300]
    for secret in ("root:", "SECRET_OUTSIDE", "SECRET_OF_RESERVED", "nbformat", "s3cr3t"):
        assert secret not in answer


def test_a_notebook_opens_to_its_badges_alone_and_shows_no_source(anne: httpx.Client, eve: httpx.Client) -> None:
    refused = eve.get("/voila/render/reservee.ipynb")
    assert refused.status_code == 403
    assert "Cette page ne vous est pas ouverte" in refused.text
    assert "Réservée" not in eve.get("/").text
    assert "Réservée" in anne.get("/").text
    shown = anne.get("/voila/render/reservee.ipynb")
    assert shown.status_code == 200
    assert "SECRET_OF_RESERVED" not in shown.text


# --- the kernel itself


def test_a_kernel_has_no_secret_of_the_service_and_its_limits(page: str, place: Path) -> None:
    plain = page.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0027", "'")
    seen = re.search(r"<pre id='seen'>(.*?)</pre>", plain, re.DOTALL)
    assert seen, page[-2000:]
    facts = json.loads(seen[1].replace('\\"', '"').replace("\\\\", "\\"))
    environment = facts["environment"]
    assert not [name for name, value in environment.items() if "s3cr3t" in value]
    for name in ("WORKBENCH_REGISTRE", "WORKBENCH_IDENTITE", "WORKBENCH_CLIENT_SECRET", "WORKBENCH_BROKER", *SECRETS):
        assert name not in environment
    assert {name for name in environment if "TOKEN" in name} == {"WORKBENCH_TOKEN_FILE"}
    if is_confinable():
        assert facts["wrote"] is False
        assert not (place / "ecrit").exists()


def test_a_name_of_a_person_is_never_markup(server: Any, place: Path) -> None:
    from workbench.identity.people import People
    from workbench.identity.tables import ROOM
    from workbench.registry import open_registry

    with open_registry(place / "registre.sqlite", rooms=[ROOM]) as registry:
        People(registry).add("mallory@exemple.fr", PASSWORD, given_name="<script>alert(1)</script>", family_name="")
    with logged_in(server, "mallory") as web:
        form = re.search(r'name="_xsrf" value="([^"]+)"', web.get("/").text)
        assert form
        said = web.post("/", data={"_xsrf": form[1], "text": "</p><script>alert(2)</script>"})
        assert said.status_code == 200
        shown = said.text + web.get("/voila/render/vue.ipynb").text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(2)" in shown


def test_the_log_tells_no_secret(server: Any, place: Path) -> None:
    log = server.log.read_text(encoding="utf-8")
    assert PASSWORD not in log
    assert "eyJ" not in log
    assert "s3cr3t" not in log
