"""The pages as an agent, an analyst and a stranger meet them, in a real Chromium, with a worker that makes reports.

Each page is also read by axe-core, which finds no serious violation. Screenshots go to the folder of ``--basetemp``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import openpyxl
import pytest
from people import make_people

pytest.importorskip("voila")
playwright = pytest.importorskip("playwright.sync_api")

from browsers import opened_browser  # noqa: E402
from visits import Visit  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("personnes")


@pytest.fixture(scope="module")
def server(serve: Callable[..., Any], place: Path, project: Path, demonstration_base: str) -> Any:
    folder = place / "tableaux"
    folder.mkdir()
    for name in ("production.ipynb", "documentation.ipynb"):
        shutil.copy(project / "dashboards" / name, folder)
    reserved = nbformat.v4.new_notebook(metadata={"title": "Réservée aux analystes", "badges": ["analyste"]})
    nbformat.write(reserved, folder / "reservee.ipynb")
    variables = make_people(place, {"anne": ["bfc"], "benoit": ["analyste", "bfc"], "eve": []})
    return serve(folder, Path(demonstration_base), project / "trames", **variables, TEST_WORKERS="1")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def visit(browser: Any, server: Any, axe: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    folder = Path(os.environ.get("WORKBENCH_ECRANS") or tmp_path_factory.mktemp("ecrans"))
    folder.mkdir(exist_ok=True)
    opened = Visit(browser, server, axe, folder)
    yield opened
    opened.context.close()
    assert opened.complaints == []
    assert opened.elsewhere == []


def test_a_stranger_logs_in_and_opens_what_is_hers(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{visit.server.url}/voila/render/reservee.ipynb")
    playwright.expect(page.get_by_label("Mot de passe")).to_be_visible()
    visit.check("connexion")
    visit.log_in("eve")
    playwright.expect(page.get_by_text("Vous n’avez aucun badge")).to_be_visible()
    playwright.expect(page.get_by_role("link", name="Réservée")).to_have_count(0)
    page.goto(f"{visit.server.url}/voila/render/reservee.ipynb")
    playwright.expect(page.get_by_role("heading", name="Cette page ne vous est pas ouverte")).to_be_visible()
    visit.check("refus")
    page.goto(f"{visit.server.url}/rien")
    playwright.expect(page.get_by_role("heading", name="Cette page n'existe pas")).to_be_visible()
    visit.check("absente")
    page.goto(f"{visit.server.url}/aide")
    playwright.expect(page.get_by_text("Réservée")).to_have_count(0)
    visit.check("aide")


def test_an_agent_comments_asks_for_a_report_and_publishes_it(visit: Visit, tmp_path: Path) -> None:
    visit.log_in("anne")
    page = visit.page
    playwright.expect(page.get_by_text("vos badges").or_(page.get_by_text("votre badge : bfc"))).to_be_visible()
    page.get_by_label("Votre commentaire").fill("Où est <b>la M4</b> ?\n<script>window.hacked = 1</script>")
    page.get_by_role("button", name="Publier le commentaire").click()
    playwright.expect(page.locator(".wb-said").first).to_contain_text("<b>la M4</b>")
    assert page.evaluate("window.hacked") is None
    visit.check("accueil")

    page = visit.open("production")
    page.get_by_label("Nomenclature").select_option("M57")
    page.get_by_label("Trame", exact=True).select_option("ofgl_agregats_m57")
    create = page.get_by_role("button", name="Créer le rapport")
    playwright.expect(create).to_have_attribute("aria-disabled", "true")
    page.get_by_role("combobox", name="Ajouter une collectivité").click()
    page.keyboard.type("fictive")
    playwright.expect(page.get_by_role("option").filter(has_text="(fictive)").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    playwright.expect(page.locator(".wb-chip")).to_have_count(1)
    # The slider, by the keyboard: it stays within the years of what is chosen.
    page.get_by_label("Premier exercice").focus()
    page.keyboard.press("Home")
    playwright.expect(page.get_by_label("Premier exercice")).to_have_attribute("aria-valuetext", "2023")
    create.dblclick()
    playwright.expect(page.get_by_text(re.compile("La demande n° [0-9]+ est enregistrée"))).to_be_visible()
    # A double click asks once.
    playwright.expect(page.get_by_text("1 demande.", exact=True)).to_be_visible()
    # The list changes by itself once the worker has made it.
    download = page.get_by_role("button", name=re.compile("^Télécharger le rapport")).first
    playwright.expect(download).to_be_visible(timeout=120_000)
    with page.expect_download() as given:
        download.click()
    given.value.save_as(tmp_path / "rapport.xlsx")
    assert "ofgl_agregats_m57" in given.value.suggested_filename
    assert openpyxl.load_workbook(tmp_path / "rapport.xlsx").sheetnames
    page.get_by_role("button", name=re.compile("^Publier le rapport")).first.click()
    playwright.expect(page.get_by_role("heading", name=re.compile("^Publier le rapport"))).to_be_focused()
    visit.check("production")
    page.get_by_role("checkbox", name="bfc").check()
    page.get_by_role("button", name="Publier", exact=True).click()
    playwright.expect(page.get_by_text("est publié pour qui détient bfc")).to_be_visible()
    playwright.expect(page.get_by_role("region", name="Rapports publiés").locator("tbody tr")).to_have_count(1)
    page.get_by_label("Toutes celles qui répondent à des critères").check()
    playwright.expect(page.get_by_label("au moins")).to_be_visible()
    visit.check("production-criteres")
    page.emulate_media(media="print")
    playwright.expect(page.get_by_role("button", name="Créer le rapport")).to_be_hidden()
    playwright.expect(page.get_by_role("heading", name="Vos rapports")).to_be_visible()
    page.screenshot(path=visit.folder / "production-papier.png", full_page=True)


def test_an_analyst_reads_what_is_published_and_the_documentation(visit: Visit) -> None:
    visit.log_in("benoit")
    page = visit.page
    playwright.expect(page.get_by_role("link", name="Réservée aux analystes")).to_be_visible()
    page = visit.open("production")
    playwright.expect(page.get_by_text("Vous n'avez encore rien demandé.")).to_be_visible()
    with page.expect_download() as given:
        page.get_by_role("button", name=re.compile("^Classeur :")).click()
    assert given.value.suggested_filename.endswith(".xlsx")

    page = visit.open("documentation")
    page.get_by_role("button", name=re.compile("^M57")).first.click()
    page.locator(".wb-pick[data-key='trame  ofgl_agregats_m57']").click()
    playwright.expect(page.get_by_role("heading", name=re.compile("OFGL"))).to_be_visible()
    page.get_by_label("Rechercher").fill("épargne brute par habitant")
    playwright.expect(page.locator(".wb-pick[data-key^=indicateur]").first).to_contain_text("par habitant")
    page.locator(".wb-pick[data-key^=indicateur]").first.click()
    playwright.expect(page.get_by_role("heading", name="Épargne brute par habitant")).to_be_visible()
    page.get_by_role("button", name="Arbre").first.click()
    playwright.expect(page.locator(".wb-drawing svg").first).to_be_visible()
    page.get_by_label("Votre commentaire").fill("À revoir : <img src=x onerror='window.hacked=1'>")
    page.get_by_role("button", name="Publier le commentaire").click()
    playwright.expect(page.locator(".wb-said-text")).to_contain_text("<img src=x")
    visit.check("documentation")
    page.get_by_role("button", name=re.compile("^Modifier mon commentaire")).click()
    page.get_by_label("Votre commentaire, à modifier").fill("Revu.")
    page.get_by_role("button", name="Enregistrer").click()
    playwright.expect(page.locator(".wb-said-text")).to_have_text("Revu.")
    page.get_by_role("button", name=re.compile("^Retirer le filtre Indicateur")).click()
    with page.expect_download() as given:
        page.get_by_role("button", name=re.compile("^Télécharger")).click()
    assert given.value.suggested_filename.endswith(".xlsx")
    assert page.evaluate("window.hacked") is None


def test_a_session_that_ends_is_told_and_nothing_typed_is_lost(visit: Visit) -> None:
    visit.log_in("anne")
    home = visit.page
    home.get_by_label("Votre commentaire").fill("Une longue remarque")
    other = visit.context.new_page()
    other.goto(f"{visit.server.url}/voila/render/documentation.ipynb")
    playwright.expect(other.get_by_role("heading", name="Trames")).to_be_visible()
    third = visit.context.new_page()
    third.goto(f"{visit.server.url}/logout")
    third.get_by_role("button", name="Se déconnecter").click()
    playwright.expect(third.get_by_label("Mot de passe")).to_be_visible()
    playwright.expect(other.get_by_text("Votre session a pris fin.")).to_be_visible()
    home.get_by_role("button", name="Publier le commentaire").click()
    playwright.expect(home.get_by_role("heading", name="Votre session a pris fin")).to_be_visible()
    playwright.expect(home.get_by_label("Ce que vous aviez écrit")).to_have_value("Une longue remarque")
    visit.check("session")


def test_a_server_that_is_gone_is_told(visit: Visit) -> None:
    visit.log_in("benoit")
    page = visit.open("documentation")
    playwright.expect(page.get_by_role("heading", name="Trames")).to_be_visible()
    assert visit.server.stop() == 0
    playwright.expect(page.get_by_text("il ne répond plus")).to_be_visible()
    assert "Traceback" not in visit.server.log.read_text(encoding="utf-8")
    visit.complaints.clear()  # the browser says that it cannot connect
