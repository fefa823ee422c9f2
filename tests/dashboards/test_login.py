"""The dashboards when people are asked who they are: login, each to her own kernels, logout."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsers import opened_browser

from workbench.identity.issuing import Issuer
from workbench.identity.people import People
from workbench.identity.signing import SigningKeys
from workbench.identity.tables import ROOM
from workbench.registry import open_registry
from workbench.store import Client, StoreError

pytest.importorskip("voila")
pytestmark = pytest.mark.slow

PASSWORD = "quatre mots sans rapport"  # noqa: S105
TELL = """
import os
from IPython.display import HTML
from workbench.identity.kernel_token import kernel_token
names = sorted(name for name in os.environ if 'TOKEN' in name or 'HTTP_' in name)
HTML(f"<pre id='seen'>{kernel_token()} {names}</pre>")
"""
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "v1.kernel.websocket.jupyter.org",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("identite")
    SigningKeys(root / "cles")
    with open_registry(root / "registre.sqlite", rooms=[ROOM]) as registry:
        for name in ("jane", "john", "joan"):
            People(registry).add(
                f"{name}@example.fr", PASSWORD, given_name=name.title(), family_name="Doe", held=[f"of {name}"]
            )
    return root


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], place: Path, write_notebook: Callable[..., Path]) -> Any:
    folder = place / "dashboards"
    folder.mkdir()
    (place / "tmp").mkdir()
    write_notebook(folder / "vue.ipynb", TELL, title="Ce que voit un noyau")
    write_notebook(folder / "autre.ipynb", "1", title="Une autre page")
    variables = {
        "WORKBENCH_REGISTRE": str(place / "registre.sqlite"),
        "WORKBENCH_IDENTITE": str(place / "cles"),
        "WORKBENCH_CLIENT_SECRET": "",
        "MY_TOKEN": "s3cr3t",
        "TMPDIR": str(place / "tmp"),
    }
    return serve(folder, place / "base.duckdb", place / "trames", **variables)


@contextmanager
def log_in(server: Any, name: str = "jane", then: str = "/") -> Iterator[httpx.Client]:
    """Give a browser in which a person logged in."""
    with httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as web:
        form = web.get(then)
        assert form.url.path == "/authorize", form.text
        token = re.search(r'name="form_token" value="([^"]+)"', form.text)
        assert token
        fields = {"form_token": token[1], "email": f"{name}@example.fr", "password": PASSWORD}
        answer = web.post(str(form.url), data=fields)
        assert answer.status_code == 200
        assert answer.url.path == then
        yield web


def test_the_store_answers_at_the_same_address_to_the_same_people(server: Any, place: Path) -> None:
    with open_registry(place / "registre.sqlite", rooms=[ROOM]) as registry:
        issuer = Issuer(f"http://127.0.0.1:{server.port + 1}", registry, SigningKeys(place / "cles"), [])
        tokens = {name: issuer.token_for(f"{name}@example.fr") for name in ("jane", "john")}
    address = f"{server.url}/magasin"
    assert address in server.log.read_text(encoding="utf-8")
    sheet = {"key": {"n": "1"}, "scope": ["of jane"], "value": {"a": "é" * 300_000}}
    with Client(address, tokens["jane"]) as jane, Client(address, tokens["john"]) as john:
        assert jane.put("public", [sheet]) == 1
        assert jane.get("public")[0]["value"] == sheet["value"]
        with pytest.raises(StoreError) as caught:
            john.get("public")
        assert caught.value.status == 404
    assert httpx.get(f"{address}/openapi.json").json()["info"]["title"] == "workbench store"
    with log_in(server) as web:
        # What a browser sends by itself opens nothing there.
        assert web.post(f"{address}/data/get/public", json={}).status_code == 401


@pytest.fixture
def jane(server: Any) -> Iterator[httpx.Client]:
    with log_in(server) as web:
        yield web


@pytest.fixture
def john(server: Any) -> Iterator[httpx.Client]:
    with log_in(server, "john") as web:
        yield web


def kernel_of(web: httpx.Client) -> str:
    found = re.search(r'"kernelId": "([0-9a-f-]+)"', web.get("/voila/render/vue.ipynb").text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "path",
    ["/", "/voila/render/vue.ipynb", "/voila/render/inconnu.ipynb", "/nowhere", "/voila/files/x", "/api/contents"],
)
def test_nothing_is_told_before_a_login(server: Any, path: str) -> None:
    answer = httpx.get(f"{server.url}{path}")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("/login?next=")


@pytest.mark.parametrize("token", ["?token=", "?token=x"])
def test_no_other_token_opens(server: Any, token: str) -> None:
    headers = {"Authorization": "token x", "X-Workbench-Email": "jane@example.fr"}
    assert httpx.get(f"{server.url}/{token}", headers=headers).status_code == 302


def test_a_login_leads_to_the_page_that_was_asked(server: Any) -> None:
    with log_in(server, then="/voila/render/autre.ipynb") as web:
        page = web.get("/")
    assert "Jane Doe" in page.text
    assert "Se déconnecter" in page.text


@pytest.mark.parametrize("then", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_a_login_leads_nowhere_else(server: Any, jane: httpx.Client, then: str) -> None:
    answer = jane.get("/login", params={"next": then}, follow_redirects=False)
    assert answer.headers["location"] == "/"


def test_the_cookie_is_out_of_reach_and_new(server: Any) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as web:
        web.cookies.set(f"workbench_{server.port}", "fixed-by-another", domain="127.0.0.1", path="/")
        form = web.get("/", follow_redirects=True)
        token = re.search(r'name="form_token" value="([^"]+)"', form.text)
        assert token
        fields = {"form_token": token[1], "email": "jane@example.fr", "password": PASSWORD}
        answer = web.get(web.post(str(form.url), data=fields).headers["location"])
    session = next(
        each for each in answer.headers.get_list("set-cookie") if each.startswith(f"workbench_{server.port}=")
    )
    assert "fixed-by-another" not in session
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert re.search(r"(?i)max-age|expires", session) is None


def test_a_kernel_works_for_its_agent_and_has_no_other_secret(server: Any, jane: httpx.Client) -> None:
    from workbench.identity.configuration import identity_settings
    from workbench.identity.tokens import TokenVerifier

    page = jane.get("/voila/render/vue.ipynb").text
    seen = re.search(
        r"<pre id='seen'>(\S+) (\[.*?\])", page.replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0027", "'")
    )
    assert seen, page[-3000:]
    verifier = TokenVerifier(identity_settings().with_issuer(f"http://127.0.0.1:{server.port + 1}").rules())
    actor = verifier.verify(seen[1])
    assert (actor.email, actor.badges) == ("jane@example.fr", {"of jane"})
    assert seen[2] == "['WORKBENCH_TOKEN_FILE']"


def test_another_agent_cannot_touch_a_kernel_she_knows(server: Any, jane: httpx.Client, john: httpx.Client) -> None:
    kernel = kernel_of(jane)
    kernel_of(john)
    xsrf = {"X-XSRFToken": john.cookies["_xsrf"]}
    unknown = "00000000-0000-4000-8000-000000000000"
    for each in (kernel, unknown):  # the same answer: it tells nobody what exists
        assert john.get(f"/api/kernels/{each}").status_code == 403
        assert john.delete(f"/api/kernels/{each}", headers=xsrf).status_code == 403
        assert john.post(f"/voila/api/shutdown/{each}", headers=xsrf).status_code == 403
        assert john.get(f"/api/kernels/{each}/channels", headers=UPGRADE).status_code == 403
    assert jane.get(f"/api/kernels/{kernel}").status_code == 200
    with httpx.Client(base_url=server.url) as nobody:
        assert nobody.get(f"/api/kernels/{kernel}/channels", headers=UPGRADE).status_code == 403
        assert nobody.get(f"/api/kernels/{kernel}").status_code == 403
    assert jane.post(f"/voila/api/shutdown/{kernel}", data={"_xsrf": jane.cookies["_xsrf"]}).status_code == 204
    assert jane.get(f"/api/kernels/{kernel}").status_code == 403


def test_a_login_cannot_be_finished_in_another_browser(server: Any) -> None:
    with httpx.Client(base_url=server.url, timeout=60) as victim, httpx.Client(timeout=60) as attacker:
        form = attacker.get(f"{server.url}/", follow_redirects=True)
        token = re.search(r'name="form_token" value="([^"]+)"', form.text)
        assert token
        fields = {"form_token": token[1], "email": "john@example.fr", "password": PASSWORD}
        back = attacker.post(str(form.url), data=fields).headers["location"]
        answer = victim.get(back)
        assert answer.status_code == 401
        assert "n&#39;a pas commencé dans ce navigateur" in answer.text
        assert victim.get("/").status_code == 302
        assert attacker.get(back).status_code == 302  # its own browser finishes it
        assert attacker.get(back).status_code == 401  # once
    for wrong in ("", "?state=", "?state=é&code=x", "?code=x&state=" + "a" * 64, "?error=access_denied"):
        assert httpx.get(f"{server.url}/oidc/retour{wrong}").status_code == 401


def test_logging_out_ends_the_session_and_its_kernels(server: Any, jane: httpx.Client) -> None:
    kernel_of(jane)
    cookies = dict(jane.cookies)
    before = len(server.kernels())
    assert jane.post("/logout").status_code == 403  # another site cannot do it
    page = jane.post("/logout", data={"_xsrf": jane.cookies["_xsrf"]})
    assert "Votre session est terminée." in page.text
    assert len(server.kernels()) == before - 1
    with httpx.Client(base_url=server.url, cookies=cookies) as stolen:
        assert stolen.get("/").status_code == 302
    leaving = re.search(r'content="0; url=([^"]+)"', page.text)
    assert leaving
    assert jane.get(leaving[1].replace("&amp;", "&")).url.path == "/authorize"  # logged out there too


def test_a_person_who_is_removed_is_out_when_her_token_ends(server: Any, place: Path) -> None:
    with log_in(server, "joan") as web:
        with open_registry(place / "registre.sqlite", rooms=[ROOM]) as registry:
            People(registry).remove("joan@example.fr")
        assert web.get("/").url.path == "/"  # five minutes at most
        answer = web.get(f"http://127.0.0.1:{server.port + 1}/authorize", params={"client_id": "tableaux"})
        assert answer.status_code == 400


@pytest.mark.browser
def test_a_person_logs_in_and_out_with_the_keyboard(server: Any, tmp_path: Path) -> None:
    folder = Path(os.environ.get("WORKBENCH_SCREENSHOTS") or tmp_path)
    with opened_browser() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 700}, locale="fr-FR")
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.goto(f"{server.url}/")
        page.wait_for_selector("#email")
        assert page.evaluate("document.activeElement.id") == "email"
        page.screenshot(path=folder / "connexion.png")
        page.keyboard.type("jane@example.fr")
        page.keyboard.press("Tab")
        page.keyboard.type("pas le bon mot de passe")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        assert "inexact" in page.inner_text("[role=alert]")
        assert page.evaluate("document.activeElement.id") == "password"
        page.screenshot(path=folder / "refus.png")
        problems.clear()  # the browser reports the 401 itself
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Tableaux de bord")
        page.screenshot(path=folder / "accueil.png")
        page.set_viewport_size({"width": 380, "height": 700})
        page.screenshot(path=folder / "accueil-etroit.png")
        page.goto(f"{server.url}/voila/render/autre.ipynb")
        page.wait_for_selector("a:has-text('Se déconnecter')")
        page.screenshot(path=folder / "tableau.png")
        page.goto(f"{server.url}/")
        page.click("text=Se déconnecter")
        page.wait_for_selector("#email")
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=folder / "connexion-sombre.png")
        page.goto(f"{server.url}/logout")
        page.wait_for_selector("#email")
        assert problems == []
        browser.close()


def test_interrupting_leaves_no_token_behind(server: Any, place: Path, jane: httpx.Client) -> None:
    def left() -> list[Path]:
        return list((place / "tmp").glob("workbench-*"))

    kernel_of(jane)
    assert left()
    assert server.stop() == 0
    end = time.monotonic() + 60
    while left() and time.monotonic() < end:
        time.sleep(0.05)
    assert not left()
    assert "Traceback" not in server.log.read_text()


def test_the_log_holds_no_secret(server: Any) -> None:
    log = server.log.read_text()
    assert PASSWORD not in log
    assert "eyJ" not in log
