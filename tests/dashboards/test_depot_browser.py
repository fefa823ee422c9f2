"""The upload page in a real Chromium, over the real server: files that are cut and arrive, and who sees what.

Screenshots go to ``WORKBENCH_ECRANS``, or to pytest's temporary folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest

pytest.importorskip("voila")
playwright = pytest.importorskip("playwright.sync_api")

from browsers import CONTRASTS, opened_browser  # noqa: E402
from visits import capture  # noqa: E402

from workbench.identity.issuing import Issuer  # noqa: E402
from workbench.identity.people import People  # noqa: E402
from workbench.identity.signing import SigningKeys  # noqa: E402
from workbench.identity.tables import ROOM  # noqa: E402
from workbench.registry import open_registry  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PASSWORD = "quatre mots sans rapport"  # noqa: S105 - of fictitious people
SPACES = {"ada": "urssaf", "bob": "dgefp", "noa": "dares", "eve": ""}
SLOW = 3_000_000
"""Bytes a second, when something is to be done in the middle."""

SCAN = """#!/bin/sh
grep -q VIRUS "$1" && { echo "$1: Essai FOUND"; exit 1; }
exit 0
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("depot")
    SigningKeys(root / "cles")
    with open_registry(root / "registre.sqlite", rooms=[ROOM]) as registry:
        for name, space in SPACES.items():
            People(registry).add(f"{name}@exemple.fr", PASSWORD, given_name=name.title(), family_name="Exemple")
            People(registry).set_space(f"{name}@exemple.fr", space)
    for name in ("tusd", "public", "urssaf", "dgefp", "dares"):
        (root / "depot" / name).mkdir(parents=True)
    (root / "scan.sh").write_text(SCAN)
    (root / "scan.sh").chmod(0o755)
    return root


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], place: Path, project: Path) -> Any:
    folder = place / "dashboards"
    folder.mkdir()
    (folder / "depot.ipynb").write_bytes((project / "dashboards" / "depot.ipynb").read_bytes())
    return serve(
        folder,
        place / "base.duckdb",
        place / "trames",
        WORKBENCH_REGISTRE=str(place / "registre.sqlite"),
        WORKBENCH_IDENTITE=str(place / "cles"),
        WORKBENCH_DEPOT=str(place / "depot"),
        WORKBENCH_DEPOT_ANTIVIRUS=str(place / "scan.sh"),
        WORKBENCH_DEPOT_RESERVE="0",
        WORKBENCH_DEPOT_TAILLE=str(200 * 1024 * 1024),
        # Known elsewhere by another name: the page stays with the server that it came from.
        WORKBENCH_DEPOT_URL="https://depot.exemple.fr/files/",
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


class Visit:
    """The browser of one person, who logged in."""

    def __init__(self, browser: Any, server: Any, name: str) -> None:
        self.context = browser.new_context(viewport={"width": 1100, "height": 1000}, locale="fr-FR")
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()
        self.link = self.context.new_cdp_session(self.page)
        self.link.send("Network.enable")
        self.complaints: list[str] = []
        self.sent: list[tuple[str, dict[str, str]]] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.sent.append((request.url, request.headers)))
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.goto(f"{server.url}/voila/render/depot.ipynb")
        self.page.fill("#email", f"{name}@exemple.fr")
        self.page.fill("#password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(".wb-ready")

    def choose(self, *paths: Path) -> None:
        self.page.locator('input[type="file"]').set_input_files(list(paths))

    def row(self, name: str) -> Any:
        return self.page.locator(".wb-depot-file").filter(has_text=name)

    def network(self, rate: int = -1, *, offline: bool = False) -> None:
        """Let so many bytes a second out, -1 for as many as there are; or cut everything."""
        limits = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate}
        self.link.send("Network.emulateNetworkConditions", limits)

    def wait_for_part(self, name: str) -> None:
        """Wait until a part of a file is acknowledged, and not the whole."""
        bar = self.row(name).locator("progress")
        playwright.expect(bar).to_be_visible()
        self.page.wait_for_function("(bar) => bar.value > 0.3 && bar.value < 0.9", arg=bar.element_handle())


@pytest.fixture
def visiting(browser: Any, server: Any) -> Iterator[Callable[[str], Visit]]:
    opened: list[Visit] = []

    def visit(name: str) -> Visit:
        opened.append(Visit(browser, server, name))
        return opened[-1]

    yield visit
    for each in opened:
        each.context.close()


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(os.environ.get("WORKBENCH_ECRANS") or tmp_path_factory.mktemp("ecrans"))


def new_file(path: Path, megabytes: int) -> str:
    content = random.Random(megabytes).randbytes(megabytes * 1024 * 1024)  # noqa: S311 - the same file each time
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def arrived(folder: Path, filename: str) -> list[str]:
    """Return the sums of the files of a name that are in a folder."""
    return [
        hashlib.sha256(path.with_suffix(".bin").read_bytes()).hexdigest()
        for path in folder.glob("*.info")
        if json.loads(path.read_text(encoding="utf-8"))["MetaData"]["filename"] == filename
    ]


def test_two_files_one_of_which_is_cut_arrive(
    visiting: Callable[[str], Visit], server: Any, place: Path, tmp_path: Path, screenshots: Path
) -> None:
    drawn = token_hex(3)  # what another run left does not count
    large, small = tmp_path / f"effectif été {drawn}.csv", tmp_path / f"debit {drawn}.csv"
    expected = new_file(large, 24), new_file(small, 1)
    visit = visiting("ada")
    page = visit.page
    visit.choose(large, small)
    page.get_by_text("Votre espace seulement (urssaf)").click()
    page.get_by_label("Lot (facultatif)").fill("2611")
    page.screenshot(path=screenshots / "depot-choix.png")
    visit.network(SLOW)
    page.get_by_role("button", name="Envoyer 2 fichiers dans votre espace privé").click()
    visit.wait_for_part(large.name)
    visit.network(offline=True)
    playwright.expect(visit.row(large.name)).to_contain_text("Connexion coupée")
    page.screenshot(path=screenshots / "depot-coupure.png")
    assert page.evaluate(CONTRASTS, "main") == []
    visit.network()
    for path in (large, small):
        playwright.expect(visit.row(path.name)).to_contain_text("Arrivé en entier.")
    assert arrived(place / "depot" / "urssaf", large.name) == [expected[0]]
    assert arrived(place / "depot" / "urssaf", small.name) == [expected[1]]
    assert not arrived(place / "depot" / "public", large.name)
    (info,) = [each for each in (place / "depot" / "urssaf").glob("*.info") if large.name in each.read_text("utf-8")]
    kept = json.loads(info.read_text(encoding="utf-8"))["MetaData"]
    assert (kept["private"], kept["batch"], kept["email"]) == ("true", "2611", "ada@exemple.fr")

    # The list says so, and the same file is not sent twice.
    table = page.get_by_role("table")
    playwright.expect(table.get_by_role("row").filter(has_text=large.name)).to_contain_text("Transmis")
    page.reload()
    page.wait_for_selector(".wb-ready")
    visit.choose(small)
    page.get_by_text("Votre espace seulement (urssaf)").click()
    page.get_by_label("Lot (facultatif)").fill("2611")
    page.get_by_role("button", name="Envoyer le fichier").click()
    playwright.expect(visit.row(small.name)).to_contain_text("Déjà arrivé")
    page.screenshot(path=screenshots / "depot-arrive.png")
    capture(page, "depot-arrive")
    assert page.evaluate(CONTRASTS, "main") == []
    assert len(arrived(place / "depot" / "urssaf", small.name)) == 1

    # Nothing that the page holds or sends is a token.
    ours = [headers for url, headers in visit.sent if "/files/" in url]
    assert ours
    assert not any("authorization" in headers for headers in ours)
    assert not re.search(r"eyJ[\w-]+\.[\w-]+\.", page.content() + page.evaluate("JSON.stringify({...localStorage})"))
    assert {httpx.URL(url).host for url, _ in visit.sent if url.startswith("http")} == {"127.0.0.1"}
    assert visit.complaints == []


def test_a_page_that_is_reloaded_takes_a_file_up(
    visiting: Callable[[str], Visit], place: Path, tmp_path: Path, screenshots: Path
) -> None:
    path = tmp_path / f"cotisation {token_hex(3)}.csv"
    expected = new_file(path, 25)
    visit = visiting("ada")
    page = visit.page
    visit.network(SLOW)
    # What nobody chose to share stays in its space.
    playwright.expect(page.get_by_label("Votre espace seulement")).to_be_checked()
    page.get_by_text("Tous les utilisateurs de la plateforme").click()
    visit.choose(path)
    page.keyboard.press("Enter")  # the focus is on the button that sends
    visit.wait_for_part(path.name)
    page.get_by_role("button", name=f"Suspendre : {path.name}").click()
    playwright.expect(visit.row(path.name)).to_contain_text("Suspendu")
    playwright.expect(page.get_by_role("button", name=f"Reprendre : {path.name}")).to_be_focused()
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("button", name=f"Suspendre : {path.name}")).to_be_focused()
    page.reload()
    page.wait_for_selector(".wb-ready")
    visit.network()
    listed = page.get_by_role("row").filter(has_text=path.name)
    playwright.expect(listed).to_contain_text("Inachevé")
    playwright.expect(listed).to_contain_text("Choisissez de nouveau ce fichier")
    page.screenshot(path=screenshots / "depot-inacheve.png")
    before = {each.name for each in (place / "depot" / "tusd").glob("*.bin")}
    visit.sent.clear()
    page.get_by_text("Tous les utilisateurs de la plateforme").click()
    visit.choose(path)
    page.get_by_role("button", name="Envoyer le fichier dans l'espace partagé").click()
    playwright.expect(visit.row(path.name)).to_contain_text("Arrivé en entier")
    offsets = [int(headers["upload-offset"]) for url, headers in visit.sent if "upload-offset" in headers]
    assert min(offsets) > 0
    assert {each.name for each in (place / "depot" / "tusd").glob("*.bin")} == before
    assert arrived(place / "depot" / "public", path.name) == [expected]
    assert visit.complaints == []


def test_refusals_are_told_in_french(
    visiting: Callable[[str], Visit], tmp_path: Path, place: Path, screenshots: Path
) -> None:
    visit = visiting("bob")
    page = visit.page
    drawn = token_hex(3)
    infected, sound, huge = (tmp_path / f"{name} {drawn}.csv" for name in ("infecte", "sain", "enorme"))
    infected.write_text("VIRUS")
    sound.write_text("a;b")
    with huge.open("wb") as file:
        file.truncate(201 * 1024 * 1024)
    visit.choose(infected, sound, huge)
    playwright.expect(visit.row(huge.name)).to_contain_text("dépasse la taille admise, 209,7 Mo")
    page.get_by_role("button", name="Envoyer 2 fichiers").click()
    playwright.expect(visit.row(infected.name)).to_contain_text("n'est pas transmis")
    playwright.expect(visit.row(sound.name)).to_contain_text("Arrivé en entier.")
    listed = page.get_by_role("row").filter(has_text=infected.name)
    playwright.expect(listed).to_contain_text("En quarantaine")
    page.set_viewport_size({"width": 390, "height": 900})
    page.screenshot(path=screenshots / "depot-etroit.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(CONTRASTS, "main") == []
    # The same again: it is not sent once more, and is told to be in quarantine.
    visit.choose(infected)
    page.get_by_role("button", name="Envoyer le fichier").click()
    playwright.expect(visit.row(infected.name).nth(1)).to_contain_text("en quarantaine")

    # Whose session ends is told so; what is left can be taken up.
    visit.context.clear_cookies()
    visit.choose(sound)
    page.get_by_text("Votre espace seulement (dgefp)").click()
    page.get_by_role("button", name="Envoyer le fichier").click()
    playwright.expect(visit.row(sound.name).nth(1)).to_contain_text("Votre session est terminée.")
    playwright.expect(visit.row(sound.name).nth(1).get_by_role("link", name="Se connecter")).to_be_visible()
    assert visit.complaints == []


def test_who_has_no_space_is_told_so_and_a_stranger_sees_nothing(
    visiting: Callable[[str], Visit], server: Any, screenshots: Path
) -> None:
    page = visiting("eve").page
    playwright.expect(page.get_by_role("alert")).to_contain_text("ne nomme pas d'espace de dépôt")
    playwright.expect(page.get_by_role("button", name="Choisir des fichiers…")).to_be_hidden()
    page.screenshot(path=screenshots / "depot-sans-espace.png")
    other = visiting("noa").page
    playwright.expect(other.get_by_role("button", name="Choisir des fichiers…")).to_be_visible()
    playwright.expect(other.get_by_text("Aucun envoi pour le moment.")).to_be_visible()
    answer = httpx.get(f"{server.url}/voila/render/depot.ipynb")
    assert (answer.status_code, answer.headers["location"][:6]) == (302, "/login")
    assert httpx.get(f"{server.url}/envois/").status_code == 401


# --- without a browser: what another site could have one do


@contextmanager
def logged_in(server: Any, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60, follow_redirects=True) as web:
        form = web.get("/voila/render/depot.ipynb")
        token = re.search(r'name="form_token" value="([^"]+)"', form.text)
        assert token
        fields = {"form_token": token[1], "email": f"{name}@exemple.fr", "password": PASSWORD}
        assert web.post(str(form.url), data=fields).status_code == 200
        yield web


CREATION = {"Tus-Resumable": "1.0.0", "Upload-Length": "3"}


def test_a_session_opens_the_depot_to_our_pages_only(server: Any, place: Path) -> None:
    before = len(list((place / "depot" / "tusd").iterdir()))
    with logged_in(server, "ada") as web:
        proof = {"X-XSRFToken": web.cookies["_xsrf"]}
        for headers in (
            {},
            {"X-XSRFToken": "x"},
            {"X-XSRFToken": ""},
            {**proof, "Origin": "https://elsewhere.example"},
            {**proof, "Origin": f"http://127.0.0.1:{server.port + 1}"},
            {**proof, "Origin": "null"},
            {**proof, "Sec-Fetch-Site": "cross-site"},
            {**proof, "Sec-Fetch-Site": "same-site"},
            {**proof, "Authorization": "Bearer x.y.z"},
        ):
            answer = web.post("/files/", headers={**CREATION, **headers})
            assert answer.status_code == 401, headers
        assert web.post(f"/files/?_xsrf={proof['X-XSRFToken']}", headers=CREATION).status_code == 401
        # The list is for kernels, which have a token; the store knows no session at all.
        assert web.get("/envois/", headers=proof).status_code == 401
        assert web.post("/magasin/data/get/public", json={}, headers=proof).status_code == 401
        assert len(list((place / "depot" / "tusd").iterdir())) == before
        answer = web.post("/files/", headers={**CREATION, **proof, "Origin": server.url})
        assert answer.status_code == 201
        path = f"/files/{answer.headers['location'].rpartition('/')[2]}"
        assert web.head(path, headers={**CREATION, **proof}).headers["upload-offset"] == "0"
        with logged_in(server, "bob") as other:
            theirs = {"X-XSRFToken": other.cookies["_xsrf"]}
            assert other.head(path, headers={**CREATION, **theirs}).status_code == 404
        assert web.delete(path, headers={**CREATION, **proof}).status_code == 204


def test_each_verb_through_the_mount(server: Any, place: Path) -> None:
    with open_registry(place / "registre.sqlite", rooms=[ROOM]) as registry:
        issuer = Issuer(f"http://127.0.0.1:{server.port + 1}", registry, SigningKeys(place / "cles"), [])
        tokens = {name: issuer.token_for(f"{name}@exemple.fr") for name in SPACES}
    chunk = "application/offset+octet-stream"
    with httpx.Client(base_url=server.url, timeout=60) as web:

        def ask(method: str, path: str, who: str | None, content: bytes = b"", **more: str) -> httpx.Response:
            headers = {"Tus-Resumable": "1.0.0", **({"Authorization": f"Bearer {tokens[who]}"} if who else {})}
            headers |= {name.replace("_", "-"): value for name, value in more.items()}
            return web.request(method, path, headers=headers, content=content)

        for private, folder in (("dHJ1ZQ==", "urssaf"), ("ZmFsc2U=", "public")):

            def creation(who: str | None) -> httpx.Response:
                return ask("POST", "/files/", who, upload_length="3", upload_metadata=f"private {private}")  # noqa: B023

            assert [creation(who).status_code for who in ("bob", "eve", None)] == [201, 403, 401]
            part, whole = ("/files/" + creation("ada").headers["location"].rpartition("/")[2] for _ in range(2))
            sent = ask("PATCH", whole, "ada", b"abc", content_type=chunk, upload_offset="0")
            assert (sent.status_code, sent.headers["upload-offset"]) == (204, "3")
            assert (place / "depot" / folder / f"{whole.rpartition('/')[2]}.bin").read_bytes() == b"abc"
            for who in ("ada", "bob", "eve", None):
                wrong = 401 if who is None else 404
                mine = who == "ada"
                for path in (part, whole):
                    assert ask("HEAD", path, who).status_code == (200 if mine else wrong)
                    assert ask("GET", path, who).status_code == wrong
                    offset = {"upload_offset": "3" if path == whole else "0", "content_type": chunk}
                    assert ask("PATCH", path, who, **offset).status_code == (204 if mine else wrong)
                    over = ask("POST", path, who, **offset, x_http_method_override="PATCH")
                    assert over.status_code == (204 if mine else wrong)
                    if not (mine and path == part):
                        assert ask("DELETE", path, who).status_code == wrong
                assert ask("GET", "/files/", who).status_code == wrong
            assert ask("DELETE", part, "ada").status_code == 204
        assert ask("OPTIONS", "/files/", "ada").headers["tus-extension"].startswith("creation,")
        assert web.options("/files/").status_code == 401
        for path in ("/files/..%2ftusd", "/files/%00", "/files/a/../b"):
            assert ask("PATCH", path, "ada", content_type=chunk, upload_offset="0").status_code in (404, 405), path
        mine = web.get("/envois/", headers={"Authorization": f"Bearer {tokens['bob']}"}).json()
        assert {each["metadata"]["goup-path"] for each in mine["uploads"]} == {"dgefp"}
        assert web.get("/envois/", headers={"Authorization": f"Bearer {tokens['eve']}"}).status_code == 403


def test_memory_does_not_grow_with_what_is_sent(server: Any, place: Path) -> None:
    def peak() -> int:
        lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))

    with logged_in(server, "noa") as web:
        ours = {"Tus-Resumable": "1.0.0", "X-XSRFToken": web.cookies["_xsrf"]}

        def send(megabytes: int) -> None:
            length = {"Upload-Length": str(megabytes * 1024 * 1024)}
            url = web.post("/files/", headers={**ours, **length}).headers["location"]
            part = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
            content = (bytes(1024 * 1024) for _ in range(megabytes))
            path = f"/files/{url.rpartition('/')[2]}"
            assert web.patch(path, headers={**ours, **part}, content=content, timeout=120).status_code == 204

        send(8)
        before = peak()
        send(96)
        assert peak() - before < 24 * 1024


def test_the_log_holds_no_secret(server: Any) -> None:
    log = server.log.read_text()
    assert "Dépôt" in log or "dépôt" in log
    assert PASSWORD not in log
    assert "eyJ" not in log
    assert "Traceback" not in log
