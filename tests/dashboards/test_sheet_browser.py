"""The sheets as four actors meet them, in a real Chromium: what is shown, what is said of rights, what is written.

What an actor has no right to is looked for everywhere it could leak: the page, the messages of the kernel, the files,
the memory of the kernel itself. Screenshots go to the folder of ``WORKBENCH_ECRANS``, else to pytest's.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from people import make_people

pytest.importorskip("voila")
playwright = pytest.importorskip("playwright.sync_api")

from browsers import opened_browser  # noqa: E402
from visits import Visit as Browsing  # noqa: E402
from visits import on_paper  # noqa: E402

from workbench.signaux_faibles.publication.demonstration import (  # noqa: E402
    ACTORS,
    Planted,
    publish_fictitious,
)
from workbench.store import open_store  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fiches")


@pytest.fixture(scope="module")
def people(place: Path) -> dict[str, str]:
    return make_people(place, {one.email.split("@")[0]: sorted(one.badges) for one in ACTORS.values()})


@pytest.fixture(scope="module")
def planted(place: Path, people: dict[str, str]) -> Planted:
    with open_store(Path(people["WORKBENCH_REGISTRE"])) as store:
        return publish_fictitious(store, companies=20)


@pytest.fixture(scope="module")
def server(
    serve: Callable[..., Any],
    place: Path,
    project: Path,
    demonstration_base: str,
    people: dict[str, str],
    planted: Planted,
) -> Any:
    assert planted.sheets
    folder = place / "tableaux"
    folder.mkdir(exist_ok=True)
    for name in ("etablissement.ipynb", "entreprise.ipynb"):
        shutil.copy(project / "dashboards" / name, folder)
    return serve(folder, Path(demonstration_base), project / "trames", **people)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


class Visit(Browsing):
    """A visit of sheets, by an actor of the fictitious publication."""

    def log_in(self, name: str) -> None:
        super().log_in(ACTORS[name].email.partition("@")[0])

    def open(self, name: str) -> Any:
        self.page.goto(f"{self.server.url}/voila/render/{name}")
        return self.page

    def block(self, name: str) -> Any:
        return self.page.locator(f'[data-name="{name}"]')

    def draw(self) -> None:
        """Look at each chart, which draws it."""
        for place in range(self.page.locator(".wb-chart").count()):
            chart = self.page.locator(".wb-chart").nth(place)
            chart.scroll_into_view_if_needed()
            playwright.expect(chart.locator(".main-svg").first).to_be_visible()
        self.page.evaluate("window.scrollTo(0, 0)")

    def close(self) -> None:
        """Leave; nothing was complained of, nor asked elsewhere."""
        self.context.close()
        assert self.complaints == []
        assert self.elsewhere == []

    def file(self, label: str) -> tuple[str, bytes]:
        """Take a file away."""
        with self.page.expect_download(timeout=120_000) as download:
            self.page.get_by_role("button", name=label).click()
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("WORKBENCH_ECRANS") or tmp_path_factory.mktemp("ecrans"))
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def visit(browser: Any, server: Any, axe: str, screens: Path) -> Iterator[Visit]:
    opened = Visit(browser, server, axe, screens)
    yield opened
    opened.close()


NARROW = rb"(?: |\xa0|\xc2\xa0|\xe2\x80\xaf|\\u202f|\\u00a0)?"
WIDE = rb"(?:\x2f\x20|\xa0\x00|\x20\x00)?"
WRITTEN = (
    re.compile(rb"7" + NARROW + rb"(3\d\d)" + NARROW + rb"(\d{3})"),
    re.compile(rb"7\x00" + WIDE + rb"(3\x00\d\x00\d\x00)" + WIDE + rb"(\d\x00\d\x00\d\x00)"),
)
"""How a planted figure, seven digits that begin with 73, is written, one byte a letter or two.

Both begin with a letter, which lets a search run through the memory of a process in a second.
"""


def found_in(content: bytes, figures: frozenset[int]) -> set[int]:
    """Return the figures that are written somewhere, with or without spaces of thousands, or kept as doubles."""
    texts = {b"7" + b"".join(found.groups()) for pattern in WRITTEN for found in pattern.finditer(content)}
    seen = {int(text.replace(b"\x00", b"")) for text in texts}
    return (seen & figures) | {figure for figure in figures if struct.pack("<d", figure) in content}


def figures_of(people: dict[str, str], planted: Planted, siren: str) -> frozenset[int]:
    """Return the planted figures of the URSSAF that a company has, as who sees everything reads them."""
    with open_store(Path(people["WORKBENCH_REGISTRE"])) as store:
        found = json.dumps(store.get(ACTORS["national"], "public", {"siren": siren}), default=str)
    return frozenset(int(each) for each in re.findall(r"\b73\d{5}\b", found)) & planted.urssaf


def memory_of(process: int) -> Iterator[bytes]:
    """Give what a process holds in its writable memory, whole regions."""
    files = Path(f"/proc/{process}")
    with (files / "maps").open() as maps, (files / "mem").open("rb", buffering=0) as memory:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found is None or "[v" in line:
                continue
            first, last = (int(each, 16) for each in found.groups())
            try:
                memory.seek(first)
                yield memory.read(last - first)
            except OSError:  # a region that went away meanwhile
                continue


def docx_text(content: bytes) -> bytes:
    """Return all the parts of a Word file."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return b"".join(parts.read(name) for name in parts.namelist())


def test_what_an_actor_may_not_see_is_nowhere(
    browser: Any, server: Any, axe: str, screens: Path, planted: Planted, people: dict[str, str]
) -> None:
    """Looked for in the page, the messages, the files and the memory of the kernels, then found by who may."""
    siret = planted.siret["alerte"]
    figures = figures_of(people, planted, siret[:9])
    assert len(figures) > 5
    held: dict[str, set[int]] = {}
    for actor in ("zone", "national"):
        visit = Visit(browser, server, axe, screens)
        visit.log_in(actor)
        visit.open(f"etablissement.ipynb?siret={siret}")
        playwright.expect(visit.block("urssaf")).to_be_visible()
        visit.draw()
        visit.check(f"etablissement-{actor}")
        name, docx = visit.file("Télécharger la fiche (Word)")
        assert name.endswith(f"-{siret}.docx")
        dom = visit.page.evaluate("document.documentElement.outerHTML").encode()
        memory: set[int] = set()
        opened = False
        for process in server.kernels():
            regions = list(memory_of(process))
            # A kernel that waits for a visitor has not heard of this company.
            if any(siret.encode() in region for region in regions):
                opened = True
                memory = memory.union(*(found_in(region, figures) for region in regions))
        assert opened
        held = {
            "page": found_in(dom, figures),
            "messages": found_in("".join(visit.received).encode(), figures),
            "file": found_in(docx_text(docx), figures),
            "memory": memory,
        }
        if actor == "zone":
            assert not any(held.values()), held
            playwright.expect(visit.block("urssaf")).to_contain_text("Vous n’avez pas accès")
            assert visit.block("urssaf").locator(".wb-chart").count() == 0
        else:
            assert all(held.values()), held
            name, pdf = visit.file("Télécharger la fiche (PDF)")
            assert name.endswith(".pdf")
            assert pdf.startswith(b"%PDF")
        visit.close()


def test_a_company_and_its_places(visit: Visit, planted: Planted, screens: Path) -> None:
    visit.log_in("national")
    page = visit.open(f"entreprise.ipynb?siren={planted.siren['plusieurs_departements']}")
    places = visit.block("etablissements")
    playwright.expect(places).to_be_visible()
    on_paper(page, screens / "entreprise.pdf", least=1)
    # A block that does not fit goes on overleaf: a page is not left half empty for it.
    assert len(re.findall(rb"/Type /Page\b", (screens / "entreprise.pdf").read_bytes())) <= 7
    assert str(page.locator("#printed").text_content()).startswith("Document confidentiel. Imprimé le ")
    visit.draw()
    visit.check("entreprise-national")
    assert visit.block("carte").locator("circle.wb-place").count() >= 4
    first = places.locator("tbody tr").first.inner_text()
    places.get_by_label("Trier par").select_option("dette")
    playwright.expect(places.locator("caption")).to_have_text("Par dette sociale")
    assert places.locator("tbody tr").count() == 4
    assert first
    page.emulate_media(media="print")
    playwright.expect(page.get_by_role("button", name="Télécharger la fiche (Word)")).to_be_hidden()
    page.emulate_media(media="screen")
    places.get_by_role("link").last.click()
    playwright.expect(page.get_by_role("heading", name="Comptes annuels")).to_be_visible()
    assert "etablissement.ipynb?siret=" in page.url


def test_errors_are_said_in_french(visit: Visit, planted: Planted) -> None:
    visit.log_in("sans_droit")
    page = visit.open(f"etablissement.ipynb?siret={planted.siret['fermee']}")
    playwright.expect(page.get_by_role("list", name="Situation")).to_contain_text("Fermé")
    playwright.expect(visit.block("finances")).to_contain_text("Vous n’avez pas accès")
    visit.check("etablissement-sans-droit")
    page = visit.open("etablissement.ipynb?siret=12")
    playwright.expect(page.get_by_role("alert")).to_contain_text("n'est pas un SIRET")
    visit.check("siret-malforme")
    field = page.get_by_label("SIRET de l'établissement")
    field.fill("80000000000000")
    field.press("Enter")
    playwright.expect(page.get_by_role("alert")).to_contain_text("ne vous est visible")
    page = visit.open("entreprise.ipynb")
    playwright.expect(page.get_by_label("SIREN de l'entreprise")).to_be_visible()


def test_a_follow_opens_and_words_are_kept_by_the_keyboard_alone(visit: Visit, planted: Planted) -> None:
    visit.log_in("zone_urssaf")
    page = visit.open(f"etablissement.ipynb?siret={planted.siret['hors_zone']}")
    playwright.expect(visit.block("urssaf")).to_contain_text("si vous la suivez")
    toggle = page.get_by_role("button", name="Suivre cette entreprise")
    toggle.focus()
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_label("Origine")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("Signalée <b>hier</b>")
    visit.check("suivre")
    page.get_by_label("Motif").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    playwright.expect(visit.block("urssaf").locator(".wb-chart")).to_be_visible()
    playwright.expect(page.get_by_text("Signalée <b>hier</b>")).to_be_visible()
    playwright.expect(page.get_by_role("button", name="Suivie")).to_be_focused()

    page.get_by_label("Nouveau commentaire").focus()
    page.keyboard.type("<script>window.hacked = 1</script> & vu")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    said = page.locator(".wb-threads > li")
    playwright.expect(said).to_contain_text("<script>window.hacked = 1</script> & vu")
    playwright.expect(page.get_by_label("Nouveau commentaire")).to_have_value("")
    page.get_by_role("button", name="Modifier mon commentaire").focus()
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_label("Votre commentaire, à modifier")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("Vu le dirigeant")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    playwright.expect(said.locator("> .wb-said-text")).to_have_text("Vu le dirigeant")
    playwright.expect(said).to_contain_text("Versions précédentes (1)")
    page.get_by_role("button", name="Répondre à").press("Enter")
    page.keyboard.type("Noté")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("heading", name="Commentaires (2)")).to_be_visible()
    assert page.evaluate("window.hacked") is None

    page.get_by_role("radio", name="Inutile").check()
    page.get_by_role("checkbox", name="Entreprise déjà suivie").check()
    page.get_by_role("button", name="Donner mon avis").click()
    playwright.expect(page.get_by_text("Votre avis du")).to_be_visible()
    visit.check("suivie")
    page.reload()
    playwright.expect(page.get_by_role("radio", name="Inutile")).to_be_checked()
    playwright.expect(page.get_by_text("Vu le dirigeant")).to_be_visible()


def test_a_second_click_says_nothing_more_and_words_begun_elsewhere_stay(visit: Visit, planted: Planted) -> None:
    visit.log_in("national")
    page = visit.open(f"etablissement.ipynb?siret={planted.siret['plan_sauvegarde']}")
    said = page.locator(".wb-threads-host")
    new = said.get_by_label("Nouveau commentaire")
    new.fill("Une fois")
    said.get_by_role("button", name="Publier le commentaire").dblclick()
    playwright.expect(new).to_have_value("")
    said.get_by_role("button", name="Modifier mon commentaire").click()
    begun = said.get_by_label("Votre commentaire, à modifier")
    begun.fill("Commencé")
    new.fill("Autre chose")
    said.get_by_role("button", name="Publier le commentaire").click()
    playwright.expect(said.get_by_role("heading")).to_have_text("Commentaires (2)")
    playwright.expect(new).to_have_value("")
    playwright.expect(begun).to_have_value("Commencé")
