"""The product behind the real nginx, with TLS: what people reach by the one address, and what they do not.

Apache's equivalent is read by Apache itself, where it is installed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from people import PASSWORD, form_token, make_people, token_of

from workbench.deployment.files import Installation, texts
from workbench.dgfip import connect
from workbench.identity.people import People
from workbench.identity.tables import ROOM
from workbench.registry import open_registry
from workbench.uploads.body import BLOCK

pytest.importorskip("voila")

PATIENCE = 60.0
PROTOCOL = "v1.kernel.websocket.jupyter.org"
WHOLE = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/erreurs.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/corps;
    proxy_temp_path {folder}/reponses;
    fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u;
    scgi_temp_path {folder}/s;
    include {folder}/workbench.conf;
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def until(true: Callable[[], bool], told: Callable[[], str]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, told()
        time.sleep(0.02)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate of this machine, signed by itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificat.pem").write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "cle.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "certificat.pem", folder / "cle.pem"


@dataclass
class Site:
    """The product and its proxy."""

    url: str
    plain_url: str
    server: Any
    place: Path
    trust: ssl.SSLContext

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.trust, trust_env=False, timeout=PATIENCE)


@pytest.fixture(scope="module")
def site(
    serve: Callable[..., Any],
    tmp_path_factory: pytest.TempPathFactory,
    project: Path,
    write_notebook: Callable[..., Path],
) -> Iterator[Site]:
    program = shutil.which("nginx", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
    if program is None:
        pytest.skip("nginx absent: the proxy is not tried")
    place = tmp_path_factory.mktemp("mandataire")
    certificate, key = make_certificate(place)
    https, plain = free_port(), free_port()
    url = f"https://localhost:{https}"
    (place / "tableaux").mkdir()
    write_notebook(
        place / "tableaux" / "vue.ipynb", "from IPython.display import HTML\nHTML(f'<p>VU {6 * 7}</p>')", title="Vue"
    )
    for name in ("tusd", "public", "urssaf"):
        (place / "depot" / name).mkdir(parents=True)
    variables = make_people(place, {"anne": []})
    with open_registry(place / "registre.sqlite", rooms=[ROOM]) as registry:
        People(registry).set_space("anne@exemple.fr", "urssaf")
    variables |= {
        "WORKBENCH_PUBLIC_URL": url,
        "WORKBENCH_DEPOT": str(place / "depot"),
        "WORKBENCH_DEPOT_RESERVE": "0",
    }
    connect(place / "base.duckdb", read_only=False).close()
    server = serve(place / "tableaux", place / "base.duckdb", project / "trames", **variables)
    installation = Installation(
        "localhost",
        certificate=str(certificate),
        key=str(key),
        https_port=https,
        http_port=plain,
        dashboards_port=server.port,
        depot_port=server.port,
        access_log=str(place / "acces.log"),
    )
    (place / "workbench.conf").write_text(texts(installation)["nginx/workbench.conf"])
    user = "user root;" if os.geteuid() == 0 else ""
    (place / "nginx.conf").write_text(WHOLE.format(folder=place, user=user))
    command = [program, "-p", str(place), "-c", str(place / "nginx.conf"), "-e", str(place / "erreurs.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    found = Site(url, f"http://localhost:{plain}", server, place, ssl.create_default_context(cafile=certificate))
    try:
        with found.client() as web:
            until(lambda: answers(web), (place / "erreurs.log").read_text)
        yield found
    finally:
        running.terminate()
        running.wait(PATIENCE)


def answers(web: httpx.Client) -> bool:
    try:
        web.get("/nulle-part")
    except httpx.TransportError:
        return False
    return True


@pytest.fixture(scope="module")
def anne(site: Site) -> Iterator[httpx.Client]:
    """A browser in which Anne logged in, by the proxy's address."""
    with site.client() as web:
        web.follow_redirects = True
        form = web.get("/")
        fields = {"form_token": form_token(form.text), "email": "anne@exemple.fr", "password": PASSWORD}
        answer = web.post(str(form.url), data=fields)
        assert (answer.status_code, str(answer.url)) == (200, f"{site.url}/")
        yield web


# --- one origin, and what is said of it


def test_a_person_logs_in_by_the_address_that_she_knows(site: Site, anne: httpx.Client) -> None:
    session = next(each for each in anne.cookies.jar if each.name.startswith("__Host-workbench"))
    assert session.secure
    assert session.domain == "localhost.local"
    page = anne.get("/").text
    assert f"127.0.0.1:{site.server.port}" not in page


def test_the_headers_of_every_answer(anne: httpx.Client) -> None:
    for path in ("/", "/aide", "/nulle-part", "/voila/files/x", "/statique/plotly.min.js", "/files/x", "/magasin/x"):
        headers = anne.get(path).headers
        assert headers["strict-transport-security"].startswith("max-age="), path
        assert headers.get_list("x-content-type-options") == ["nosniff"], path
        assert headers["x-frame-options"] == "SAMEORIGIN", path
        assert "ornado" not in headers.get("server", ""), path
        assert headers["server"] == "nginx", path
    policy = anne.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'self'" in policy


def test_the_log_holds_no_question(site: Site, anne: httpx.Client) -> None:
    anne.get("/aide?nom=Martin", headers={"Referer": f"{site.url}/?code=012345678"})
    with httpx.Client(trust_env=False) as web:
        web.get(f"{site.plain_url}/aide?nom=Martin")
    written = (site.place / "acces.log").read_text()
    assert '"GET /aide" 200' in written
    assert '"GET /aide" 301' in written
    assert "Martin" not in written
    assert "code=" not in written
    assert "012345678" not in written


def test_plain_http_leads_to_tls_and_another_name_nowhere(site: Site) -> None:
    with httpx.Client(trust_env=False) as web:
        answer = web.get(f"{site.plain_url}/aide?a=1")
        assert (answer.status_code, answer.headers["location"]) == (301, f"{site.url}/aide?a=1")
    with site.client() as web:
        assert web.get("/", headers={"Host": "attaque.exemple"}).status_code == 421
        assert web.get("/", headers={"Host": "127.0.0.1"}).status_code == 421


@pytest.mark.parametrize(
    "path",
    [
        "/voila/files/vue.ipynb",
        "/voila/files",
        "/voila/%66iles/vue.ipynb",
        "/voila//files/vue.ipynb",
        "/voila/static/..%2ffiles/vue.ipynb",
        "/voila/static/../files/vue.ipynb",
        "/voila/tree",
        "/voila/query/x",
        "/api/contents/vue.ipynb",
        "/api/sessions",
        "/api/terminals",
    ],
)
def test_what_is_closed_stays_closed(site: Site, anne: httpx.Client, path: str) -> None:
    cookies = "; ".join(f"{each.name}={each.value}" for each in anne.cookies.jar)
    wanted = f"GET {path} HTTP/1.1\r\nHost: localhost:{httpx.URL(site.url).port}\r\nCookie: {cookies}\r\n"
    with wire(site) as sent:
        sent.sendall(f"{wanted}Connection: close\r\n\r\n".encode())
        answer = read_all(sent)
    assert b" 404 " in answer.splitlines()[0], answer[:300]
    assert b"VU" not in answer


# --- the channel of a page


async def channel(site: Site, kernel: str, cookies: str, origin: str) -> str:
    from tornado.httpclient import HTTPClientError, HTTPRequest
    from tornado.websocket import websocket_connect

    url = f"{site.url.replace('https', 'wss')}/api/kernels/{kernel}/channels?session_id=x"
    asked = HTTPRequest(url, headers={"Cookie": cookies, "Origin": origin}, ssl_options=site.trust)
    try:
        opened = await asyncio.wait_for(websocket_connect(asked, subprotocols=[PROTOCOL]), PATIENCE)
    except HTTPClientError as error:
        return str(error.code)
    await opened.write_message(kernel_info(), binary=True)
    said = ""
    while "kernel_info_reply" not in said:
        raw = await asyncio.wait_for(opened.read_message(), PATIENCE)
        assert isinstance(raw, bytes)
        said = raw.decode("utf-8", "replace")
    opened.close()
    while await asyncio.wait_for(opened.read_message(), PATIENCE) is not None:
        pass
    return "kernel_info_reply"


def kernel_info() -> bytes:
    header = b'{"msg_id":"1","username":"","session":"x","msg_type":"kernel_info_request","version":"5.3","date":""}'
    parts = [b"shell", header, b"{}", b"{}", b"{}"]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join(number.to_bytes(8, "little") for number in (len(offsets), *offsets)) + b"".join(parts)


def test_a_page_is_rendered_and_speaks_with_its_kernel(site: Site, anne: httpx.Client) -> None:
    page = anne.get("/voila/render/vue.ipynb")
    assert page.status_code == 200
    assert "VU 42" in page.text
    found = re.search(r'"kernelId": "([0-9a-f-]+)"', page.text)
    assert found
    cookies = "; ".join(f"{each.name}={each.value}" for each in anne.cookies.jar)
    assert asyncio.run(channel(site, found[1], cookies, "https://attaque.exemple")) == "403"
    assert asyncio.run(channel(site, found[1], "", site.url)) in ("401", "403")
    assert asyncio.run(channel(site, found[1], cookies, site.url)) == "kernel_info_reply"


# --- large files


def wire(site: Site) -> ssl.SSLSocket:
    """Open a connection to the proxy, to send what no client would cut so."""
    plain = socket.create_connection(("127.0.0.1", httpx.URL(site.url).port or 443), PATIENCE)
    return site.trust.wrap_socket(plain, server_hostname="localhost")


def read_all(sent: ssl.SSLSocket) -> bytes:
    found = b""
    while part := sent.recv(65536):
        found += part
    return found


@pytest.fixture
def uploading(site: Site) -> Iterator[httpx.Client]:
    with site.client() as web:
        token = token_of(site.server, site.place, "anne")
        web.headers.update({"Tus-Resumable": "1.0.0", "Authorization": f"Bearer {token}"})
        yield web


def test_a_file_is_kept_while_it_is_sent(site: Site, uploading: httpx.Client) -> None:
    half = os.urandom(5_000_000)
    made = uploading.post("/files/", headers={"Upload-Length": str(2 * len(half))})
    assert made.status_code == 201, made.text
    url = made.headers["location"]
    assert url.startswith(f"{site.url}/files/")
    identifier = url.rpartition("/")[2]
    arriving = site.place / "depot" / "tusd" / f"{identifier}.bin"
    lines = [
        f"PATCH /files/{identifier} HTTP/1.1",
        f"Host: {httpx.URL(site.url).netloc.decode()}",
        f"Authorization: {uploading.headers['Authorization']}",
        "Tus-Resumable: 1.0.0",
        "Upload-Offset: 0",
        "Content-Type: application/offset+octet-stream",
        f"Content-Length: {2 * len(half)}",
        "Connection: close",
    ]
    with wire(site) as sent:
        sent.sendall("\r\n".join([*lines, "", ""]).encode() + half)
        # The first half is on the server's disk before the second is sent: nothing was held back on the way.
        until(lambda: arriving.exists() and arriving.stat().st_size >= BLOCK, lambda: str(list(site.place.iterdir())))
        sent.sendall(half)
        answer = read_all(sent)
    assert b" 204 " in answer.splitlines()[0], answer[:500]
    published = list((site.place / "depot" / "public").glob(f"{identifier}*"))
    assert [path.read_bytes() for path in published if path.suffix == ".bin"] == [half + half]
    assert not any(path.is_file() for name in ("corps", "reponses") for path in (site.place / name).rglob("*"))


def test_a_cut_leaves_what_had_arrived(site: Site, uploading: httpx.Client) -> None:
    content = os.urandom(6_000_000)
    url = uploading.post("/files/", headers={"Upload-Length": str(len(content))}).headers["location"]
    identifier = url.rpartition("/")[2]
    lines = [
        f"PATCH /files/{identifier} HTTP/1.1",
        f"Host: {httpx.URL(site.url).netloc.decode()}",
        f"Authorization: {uploading.headers['Authorization']}",
        "Tus-Resumable: 1.0.0",
        "Upload-Offset: 0",
        "Content-Type: application/offset+octet-stream",
        f"Content-Length: {len(content)}",
    ]
    arriving = site.place / "depot" / "tusd" / f"{identifier}.bin"
    with wire(site) as sent:
        sent.sendall("\r\n".join([*lines, "", ""]).encode() + content[:5_000_000])
        until(lambda: arriving.exists() and arriving.stat().st_size >= BLOCK, lambda: "nothing arrived")
    left: list[int] = []

    def free() -> bool:
        answer = uploading.head(url)
        left[:] = [int(answer.headers.get("upload-offset", 0))] if answer.status_code == 200 else []
        return bool(left) and left[0] > 0

    until(free, lambda: "the upload stays held")
    part = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(left[0])}
    assert uploading.patch(url, headers=part, content=content[left[0] :]).status_code == 204


def test_what_a_client_says_of_its_way_is_not_believed(site: Site, uploading: httpx.Client) -> None:
    forged = {
        "Upload-Length": "3",
        "X-Forwarded-Host": "attaque.exemple",
        "X-Forwarded-Proto": "ftp",
        "X-Forwarded-For": "192.0.2.1",
        "Forwarded": "host=attaque.exemple",
    }
    assert uploading.post("/files/", headers=forged).headers["location"].startswith(f"{site.url}/files/")


# --- Apache


def test_apache_reads_its_configuration(tmp_path: Path) -> None:
    program = shutil.which("apache2", path=os.pathsep.join((os.environ["PATH"], "/usr/sbin")))
    modules = Path("/usr/lib/apache2/modules")
    if program is None or not modules.is_dir():
        pytest.skip("Apache absent: its configuration is not read")
    certificate, key = make_certificate(tmp_path)
    installation = Installation(
        "localhost", certificate=str(certificate), key=str(key), https_port=8443, http_port=8080
    )
    (tmp_path / "workbench.conf").write_text(texts(installation)["apache/workbench.conf"])
    loaded = (
        "mpm_event",
        "authz_core",
        "ssl",
        "socache_shmcb",
        "proxy",
        "proxy_http",
        "headers",
        "setenvif",
        "rewrite",
        "env",
    )
    lines = [f"LoadModule {name}_module {modules}/mod_{name}.so" for name in (*loaded, "alias")]
    lines += [f"ServerRoot {tmp_path}", "ServerName localhost", f"PidFile {tmp_path}/pid", f"ErrorLog {tmp_path}/log"]
    lines += ["Listen 8443", "Listen 8080", f"Include {tmp_path}/workbench.conf"]
    (tmp_path / "apache.conf").write_text("\n".join(lines) + "\n")
    command = [program, "-t", "-f", str(tmp_path / "apache.conf")]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr.strip()) == (0, "Syntax OK")
