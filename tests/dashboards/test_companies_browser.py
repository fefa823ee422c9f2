"""The detection list and the search as four actors of different rights meet them, in a real Chromium.

What is confidential is looked for where it must not be: the page, the messages that its kernel sent, the files that are
taken away. Each page is read by axe-core. Screenshots go to ``WORKBENCH_ECRANS``.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from people import make_people

pytest.importorskip("voila")
playwright = pytest.importorskip("playwright.sync_api")

from browsers import opened_browser  # noqa: E402
from visits import Visit  # noqa: E402

from workbench.signaux_faibles.publication.demonstration import (  # noqa: E402
    ACTORS,
    Planted,
    publish_fictitious,
    spellings,
)
from workbench.store import open_store  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAMES = {who: actor.email.partition("@")[0] for who, actor in ACTORS.items()}
COMPANIES = 60


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("entreprises")


@pytest.fixture(scope="module")
def planted(place: Path) -> Planted:
    with open_store(place / "registre.sqlite") as store:
        return publish_fictitious(store, companies=COMPANIES)


@pytest.fixture(scope="module")
def server(
    serve: Callable[..., Any], write_notebook: Callable[..., Path], place: Path, project: Path, planted: Planted
) -> Any:
    assert planted.sheets
    folder = place / "tableaux"
    folder.mkdir()
    for name in ("detection.ipynb", "recherche.ipynb"):
        shutil.copy(project / "dashboards" / name, folder)
    write_notebook(folder / "etablissement.ipynb", "print('fiche')", title="Fiche")
    variables = make_people(place, {NAMES[who]: sorted(actor.badges) for who, actor in ACTORS.items()})
    return serve(folder, place / "base.duckdb", project / "trames", **variables)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


class Heard(Visit):
    """A visit that keeps what the kernel sent to the page."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.frames: list[bytes] = []
        self.page.on("websocket", self._listen)

    def _listen(self, socket: Any) -> None:
        socket.on(
            "framereceived", lambda frame: self.frames.append(frame if isinstance(frame, bytes) else frame.encode())
        )

    def everything(self) -> str:
        """What this browser received: the page, the messages of its kernel."""
        content: str = self.page.content()
        return content + b"\n".join(self.frames).decode(errors="replace")

    def download(self, name: str) -> bytes:
        with self.page.expect_download() as taken:
            self.page.get_by_role("button", name=name).click()
        return Path(taken.value.path()).read_bytes()


@pytest.fixture
def visiting(browser: Any, server: Any, axe: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = Path(os.environ.get("WORKBENCH_ECRANS") or tmp_path_factory.mktemp("ecrans"))
    folder.mkdir(exist_ok=True, parents=True)
    opened: list[Heard] = []

    def visit(who: str) -> Heard:
        opened.append(Heard(browser, server, axe, folder))
        opened[-1].log_in(NAMES[who])
        return opened[-1]

    yield visit
    for each in opened:
        each.context.close()
        assert each.complaints == []
        assert each.elsewhere == []


def text_of(workbook: bytes) -> str:
    read = openpyxl.load_workbook(io.BytesIO(workbook), read_only=True)
    return "\n".join(str(cell) for sheet in read for row in sheet.iter_rows(values_only=True) for cell in row)


def nothing_of(figures: frozenset[Any], *texts: str) -> None:
    found = [figure for figure in figures for each in spellings(figure) for text in texts if each in text]
    assert found == []


def test_an_agent_of_a_zone_sees_no_level_and_no_figure_of_the_urssaf(visiting: Any, planted: Planted) -> None:
    visit = visiting("zone")
    page = visit.open("detection")
    playwright.expect(page.locator(".wb-company").first).to_be_visible()
    playwright.expect(page.get_by_text("Niveaux de risque non autorisés")).to_be_visible()
    assert page.locator('.wb-urssaf[data-state="interdit"]').count() == page.locator(".wb-company").count()
    playwright.expect(page.get_by_text("Dette Urssaf en hausse")).to_have_count(0)
    page.locator("summary", has_text="Filtres").click()
    playwright.expect(page.get_by_text("Premières alertes seulement")).to_be_hidden()
    playwright.expect(page.get_by_text("Sans délai de paiement Urssaf")).to_be_hidden()
    visit.check("detection-zone")
    page.get_by_role("button", name="Retirer le filtre").first.click()
    playwright.expect(page.get_by_label("Filtres actifs")).not_to_contain_text("Industrie manufacturière")
    files = [visit.download("Télécharger (CSV)").decode("utf-8-sig"), text_of(visit.download("Télécharger (Excel)"))]
    assert "Non autorisé" in files[1]
    nothing_of(planted.urssaf | planted.score | planted.dgefp | planted.bdf, visit.everything(), *files)
    assert not any(word in files[0] for word in ("Alerte", "alerte seuil"))


def test_paper_says_in_words_what_the_screen_lets_choose(visiting: Any) -> None:
    visit = visiting("zone_urssaf")
    page = visit.open("detection")
    playwright.expect(page.locator(".wb-company").first).to_be_visible()
    assert page.locator(".wb-printed:visible").count() == 0
    # The line is written when a browser prints, and not before.
    page.pdf(path=visit.folder / "detection.pdf", format="A4")
    page.emulate_media(media="print")
    line = page.locator("#printed")
    playwright.expect(line).to_contain_text("Document confidentiel. Imprimé le")
    playwright.expect(line).to_contain_text("selon ses droits")
    written = page.locator(".wb-found .wb-printed")
    playwright.expect(written).to_contain_text("liste du 28/02/2026, par risque.")
    playwright.expect(written).to_contain_text("Industrie manufacturière ; 20 salariés ou plus")
    playwright.expect(written).to_contain_text("Dernières données connues")
    playwright.expect(page.get_by_label("Nom ou SIRET")).to_be_hidden()
    page.set_viewport_size({"width": 718, "height": 1047})
    out = "(one) => one.getBoundingClientRect().right > one.closest('.wb-company').getBoundingClientRect().right"
    assert page.evaluate(f"[...document.querySelectorAll('.wb-company dd')].filter({out}).length") == 0
    assert page.evaluate("getComputedStyle(document.querySelector('.wb-company')).breakInside") == "avoid"
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.get_by_role("button", name="Tableau").click()
    playwright.expect(page.locator("table.wb-companies")).to_be_visible()
    page.emulate_media(media="print")
    # An icon alone says nothing on paper: each of those shown has its words.
    labels = set(page.locator(".wb-results svg[aria-label]").evaluate_all("(all) => all.map((one) => one.ariaLabel)"))
    told = page.locator(".wb-legend li").all_inner_texts()
    assert labels
    assert {one.removeprefix("montant ") for one in told} == labels
    page.emulate_media(media="screen")
    visit.print("detection-tableau")


def test_the_words_of_a_search_are_on_paper(visiting: Any) -> None:
    visit = visiting("national")
    page = visit.open("recherche")
    page.get_by_label("Raison sociale, SIREN ou SIRET").fill("armor")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(".wb-hit").first).to_be_visible()
    page.emulate_media(media="print")
    playwright.expect(page.get_by_text("Recherche : « armor ».")).to_be_visible()
    playwright.expect(page.get_by_role("link", name="Fiche de l'entreprise")).to_have_count(0)
    page.emulate_media(media="screen")
    visit.print("recherche")


def test_going_back_from_a_sheet_finds_the_search_as_it_was(visiting: Any) -> None:
    page = visiting("national").open("recherche")
    page.get_by_label("Raison sociale, SIREN ou SIRET").fill("brest")
    page.locator("summary", has_text="Recherche avancée").click()
    page.get_by_label("Sièges sociaux seulement").check()
    page.get_by_role("button", name="Rechercher").click()
    names = page.locator(".wb-hit h3 a")
    playwright.expect(names.first).to_be_visible()
    found = names.all_inner_texts()
    names.first.click()
    page.wait_for_url("**/etablissement.ipynb?**")
    page.go_back()
    playwright.expect(names).to_have_text(found)
    playwright.expect(page.get_by_label("Raison sociale, SIREN ou SIRET")).to_have_value("brest")
    playwright.expect(page.get_by_label("Sièges sociaux seulement")).to_be_checked()


def test_an_agent_with_levels_filters_by_the_keyboard(visiting: Any, planted: Planted) -> None:
    visit = visiting("zone_urssaf")
    page = visit.open("detection")
    playwright.expect(page.locator(".wb-company").first).to_be_visible()
    page.locator("summary", has_text="Filtres").focus()
    page.keyboard.press("Enter")
    sectors = page.get_by_role("button", name="Secteurs d'activité")
    sectors.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Secteurs d'activité")
    playwright.expect(dialog).to_be_visible()
    visit.page.screenshot(path=visit.folder / "detection-secteurs.png")
    page.keyboard.press("Escape")
    playwright.expect(dialog).to_be_hidden()
    playwright.expect(sectors).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Tout sélectionner").press("Enter")
    dialog.get_by_role("button", name="Appliquer").press("Enter")
    playwright.expect(sectors).to_contain_text("Tout secteur confondu")
    page.get_by_label("Effectif minimum", exact=True).fill("0")
    page.keyboard.press("Tab")
    page.get_by_label("Établissements", exact=True).select_option("tous")
    for name in ("Redressement judiciaire", "Liquidation judiciaire"):
        box = page.get_by_role("checkbox", name=name)
        box.focus()
        page.keyboard.press("Space")
        playwright.expect(page.get_by_label("Filtres actifs")).not_to_contain_text(name)
    playwright.expect(page.get_by_role("listitem").filter(has_text="en risque élevé")).to_be_visible()
    states = {each.get_attribute("data-state") for each in page.locator(".wb-urssaf").all()}
    assert states == {"oui", "non", "interdit", "inconnu"} or states == {"oui", "non", "interdit"}
    visit.check("detection-urssaf")
    whole = visit.download("Télécharger (CSV)").decode("utf-8-sig")
    quick = page.get_by_label("Nom ou SIRET")
    quick.fill(planted.siret["fermee"][:9])
    playwright.expect(page.locator(".wb-company")).to_have_count(1)
    playwright.expect(page.locator(".wb-company")).to_contain_text("Fermé ou en défaillance")
    few = visit.download("Télécharger (CSV)").decode("utf-8-sig")
    assert few.count("\r\n") == 2
    assert whole.count("\r\n") > 10
    page.get_by_role("button", name="Retirer le filtre : « ").click()
    page.get_by_role("button", name="Tableau").click()
    playwright.expect(page.get_by_role("table")).to_be_visible()
    visit.check("detection-tableau")
    nothing_of(planted.dgefp | planted.bdf | planted.urssaf, visit.everything(), whole)
    # Scores are in the file of who may read them, never on the page.
    nothing_of(planted.score, page.content())
    # Choices are remembered; what was looked for is not.
    page.reload()
    playwright.expect(page.get_by_role("table")).to_be_visible()
    playwright.expect(page.get_by_label("Filtres actifs")).not_to_contain_text("Industrie")
    page.get_by_label("Nom ou SIRET").fill("aucune entreprise ne s'appelle ainsi")
    playwright.expect(page.get_by_text("ne font ressortir aucune des entreprises")).to_be_visible()
    page.get_by_label("Nom ou SIRET").fill(planted.siret["alerte"])
    link = page.get_by_role("row").nth(1).get_by_role("link")
    playwright.expect(page.get_by_role("row")).to_have_count(2)
    link.press("Enter")
    page.wait_for_url(f"**/etablissement.ipynb?siret={planted.siret['alerte']}")


def test_who_sees_everything_turns_pages(visiting: Any, planted: Planted) -> None:
    visit = visiting("national")
    page = visit.open("detection")
    playwright.expect(page.locator(".wb-company").first).to_be_visible()
    page.locator("summary", has_text="Filtres").click()
    page.get_by_label("Zone", exact=True).select_option(label="Bretagne")
    playwright.expect(page.get_by_label("Filtres actifs")).to_contain_text("Bretagne")
    while page.get_by_role("button", name="Retirer le filtre").count():
        before = page.get_by_role("button", name="Retirer le filtre").count()
        page.get_by_role("button", name="Retirer le filtre").first.click()
        playwright.expect(page.get_by_role("button", name="Retirer le filtre")).to_have_count(before - 1)
    assert page.get_by_text("Page 1 sur").is_visible()
    first = page.locator(".wb-company h3").first.inner_text()
    page.get_by_role("button", name="Page suivante").click()
    playwright.expect(page.get_by_text("Page 2 sur 2")).to_be_visible()
    assert page.locator(".wb-company h3").first.inner_text() != first
    playwright.expect(page.locator(".wb-found h2")).to_be_focused()
    visit.check("detection-national")


def test_who_has_no_right_searches_and_opens_no_list(visiting: Any, planted: Planted) -> None:
    visit = visiting("sans_droit")
    page = visit.open("detection")
    playwright.expect(page.get_by_role("heading", name="Cette page ne vous est pas ouverte")).to_be_visible()
    page = visit.open("recherche")
    field = page.get_by_label("Raison sociale, SIREN ou SIRET")
    field.fill("bo")
    field.press("Enter")
    playwright.expect(page.get_by_text("Écrivez au moins 3 lettres ou chiffres")).to_be_visible()
    field.fill("SOCIETE")
    field.press("Enter")
    playwright.expect(page.locator(".wb-hit").first).to_be_visible()
    playwright.expect(page.get_by_role("heading", name="résultat")).to_be_visible()
    page.locator("summary", has_text="Recherche avancée").click()
    playwright.expect(page.get_by_label("Effectif minimum")).to_be_hidden()
    visit.check("recherche")
    page.get_by_label("Zone", exact=True).select_option("departement:29")
    page.get_by_label("Sièges sociaux seulement").check()
    field.press("Enter")
    playwright.expect(page.locator(".wb-hit").filter(has_text="Secondaire")).to_have_count(0)
    field.fill("rien de tel")
    field.press("Enter")
    playwright.expect(page.get_by_text("Aucun résultat pour cette recherche.")).to_be_visible()
    nothing_of(planted.urssaf | planted.score | planted.dgefp | planted.bdf, visit.everything())
    page.get_by_label("Zone", exact=True).select_option("")
    page.get_by_label("Sièges sociaux seulement").uncheck()
    siret = planted.siret["hors_zone"]
    field.fill(f"{siret[:3]} {siret[3:6]} {siret[6:9]} {siret[9:]}")
    field.press("Enter")
    page.wait_for_url(f"**/etablissement.ipynb?siret={siret}")
