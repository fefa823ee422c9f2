"""Identity in a real Jupyter Server: who is let in, and her own kernels."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from issuer_documents import PASSWORD
from test_openid_peers import free_port

from workbench.identity.configuration import identity_settings
from workbench.identity.embedded import serve_issuer
from workbench.identity.people import People
from workbench.identity.tables import ROOM
from workbench.registry import open_registry

pytest.importorskip("jupyter_server")
pytestmark = pytest.mark.slow

CONFIGURATION = """
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from workbench.identity.jupyter import AgentAuthorizer, OidcIdentityProvider, OwnedKernels


class OwnedKernelManager(OwnedKernels, AsyncMappingKernelManager):
    pass


c.ServerApp.identity_provider_class = OidcIdentityProvider
c.ServerApp.authorizer_class = AgentAuthorizer
c.ServerApp.kernel_manager_class = OwnedKernelManager
c.ServerApp.base_url = "/labo/"
c.OidcIdentityProvider.public_url = "http://127.0.0.1:{port}"
c.OidcIdentityProvider.badges = ["analyste"]
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = {port}
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.ServerApp.jpserver_extensions = {{}}
"""

# jsonschema compiles 38 grammars of rfc3987_syntax at import when it is there: two seconds.
START = "import sys\nsys.modules['rfc3987_syntax'] = None\nfrom jupyter_server.serverapp import main\nsys.exit(main())"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, signing_folder: Path) -> Iterator[str]:
    root = tmp_path_factory.mktemp("jupyter")
    port = free_port()
    (root / "jupyter_server_config.py").write_text(CONFIGURATION.format(port=port))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_REGISTRE", str(root / "registre.sqlite"))
        patch.setenv("WORKBENCH_IDENTITE", str(signing_folder))
        with open_registry(rooms=[ROOM]) as registry:
            people = People(registry)
            people.add("jane@example.fr", PASSWORD, given_name="Jane", family_name="Doe", held=["analyste"])
            people.add("joan@example.fr", PASSWORD, held=["analyste"])
            people.add("john@example.fr", PASSWORD)
        url = f"http://127.0.0.1:{port}"
        # Under a path, the return address is under it too.
        with serve_issuer(identity_settings(), f"{url}/labo", "127.0.0.1", free_port()) as issuer:
            variables = {
                "WORKBENCH_ISSUER": issuer,
                "JUPYTER_CONFIG_DIR": str(root),
                "JUPYTER_DATA_DIR": str(root / "data"),
                "JUPYTER_RUNTIME_DIR": str(root / "run"),
                "JUPYTER_CONFIG_PATH": str(root),
                "TMPDIR": str(root),
            }
            command = [sys.executable, "-c", START, f"--ServerApp.root_dir={root}"]
            with (root / "log").open("w") as log:
                process = subprocess.Popen(
                    command, env={**os.environ, **variables}, stdout=log, stderr=subprocess.STDOUT
                )
                end = time.monotonic() + 60
                while time.monotonic() < end and process.poll() is None:
                    try:
                        httpx.get(f"{url}/labo/api", timeout=2)
                        break
                    except httpx.TransportError:
                        time.sleep(0.1)
                else:
                    pytest.fail((root / "log").read_text())
                try:
                    yield f"{url}/labo/"
                finally:
                    process.terminate()
                    process.wait(20)


@contextmanager
def log_in(server: str, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server, timeout=30, follow_redirects=True) as web:
        form = web.get("login", params={"next": "/labo/api/status"})
        token = re.search(r'name="form_token" value="([^"]+)"', form.text)
        assert token, form.text
        fields = {"form_token": token[1], "email": f"{name}@example.fr", "password": PASSWORD}
        web.post(str(form.url), data=fields)
        web.get("logout")  # sets the cookie against forged requests
        yield web


def test_nobody_enters_without_a_login(server: str) -> None:
    for headers in ({}, {"Authorization": "token x"}, {"X-Workbench-Email": "jane@example.fr"}):
        assert httpx.get(f"{server}api/contents?token=", headers=headers).status_code in (302, 403)


def test_a_badge_lets_in_and_its_absence_does_not(server: str) -> None:
    with log_in(server, "jane") as jane, log_in(server, "john") as john:
        assert jane.get("api/contents").status_code == 200
        me = jane.get("api/me").json()["identity"]
        assert (me["username"], me["name"]) == ("jane@example.fr", "Jane Doe")
        assert set(me) == {"username", "name", "display_name", "initials", "avatar_url", "color"}
        for path in ("api/contents", "api/kernels", "api/status", "api/me", "files/x", "static/favicon.ico", "view/x"):
            assert john.get(path).status_code == 403, path
        assert "Se déconnecter" in john.get("logout").text


def test_a_kernel_is_its_agents(server: str) -> None:
    with log_in(server, "jane") as jane, log_in(server, "joan") as joan:
        xsrf = {"X-XSRFToken": jane.cookies["_xsrf"]}
        kernel = jane.post("api/kernels", json={"name": "python3"}, headers=xsrf).json()["id"]
        assert jane.get(f"api/kernels/{kernel}").status_code == 200
        assert joan.get(f"api/kernels/{kernel}").status_code == 403
        theirs = {"X-XSRFToken": joan.cookies["_xsrf"]}
        assert joan.post(f"api/kernels/{kernel}/interrupt", headers=theirs).status_code == 403
        assert joan.delete(f"api/kernels/{kernel}", headers=theirs).status_code == 403
        assert jane.delete(f"api/kernels/{kernel}", headers=xsrf).status_code == 204


def test_a_logout_closes_the_door(server: str) -> None:
    with log_in(server, "jane") as jane:
        kept = dict(jane.cookies)
        assert "Se déconnecter" in jane.get("logout").text
        answer = jane.post("logout", data={"_xsrf": jane.cookies["_xsrf"]})
        assert "Votre session est terminée." in answer.text
        with httpx.Client(base_url=server, cookies=kept) as stolen:
            assert stolen.get("api/contents").status_code == 403
