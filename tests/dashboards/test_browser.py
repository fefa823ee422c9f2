"""The dashboard as a person meets it, in a real Chromium.

Screenshots go to the folder of ``WORKBENCH_ECRANS``, else to pytest's.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import openpyxl
import pytest

pytest.importorskip("voila")
playwright = pytest.importorskip("playwright.sync_api")

from browsers import CONTRASTS, opened_browser  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COMMUNE = "21310900200013"

HOSTILE = """
code: hostile
libelle: "<img src=x onerror='window.hacked=1'>"
description: "</script><script>window.hacked=1</script>"
nomenclature: M14
indicateurs:
  - code: H_H
    libelle: "<b onclick='window.hacked=1'>Charges</b>"
    description: "<script>window.hacked=1</script>"
    reference: "<i>plan</i>"
    formules:
      - texte: D6[TA:BX]
"""


class Visit:
    """A page, and everything it asked for and complained of."""

    def __init__(self, page: Any, server: Any) -> None:
        self.page = page
        self.server = server
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, name: str = "collectivite.ipynb") -> Any:
        self.page.goto(f"{self.server.url}/voila/render/{name}")
        return self.page

    def choose_commune(self) -> Any:
        page = self.open()
        page.get_by_label("Trame", exact=True).select_option("m14_basique")
        field = page.get_by_role("combobox", name="Collectivité")
        field.click()
        page.keyboard.type("exemple 001")
        playwright.expect(page.get_by_role("option").filter(has_text="213")).to_have_count(1)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        playwright.expect(page.locator(".wb-figure").first).to_be_visible()
        return page

    @property
    def elsewhere(self) -> list[str]:
        own = (self.server.url, self.server.url.replace("http", "ws"), f"blob:{self.server.url}", "data:")
        return [url for url in self.requests if not url.startswith(own)]


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(os.environ.get("WORKBENCH_ECRANS") or tmp_path_factory.mktemp("ecrans"))


@pytest.fixture(scope="module")
def server(
    serve: Callable[..., Any],
    golden_base: Path,
    project: Path,
    tmp_path_factory: pytest.TempPathFactory,
    write_notebook: Callable[..., Path],
) -> Any:
    folder = tmp_path_factory.mktemp("dashboards")
    trames = tmp_path_factory.mktemp("trames")
    for name in ("m14_basique.yaml", "ofgl_agregats_m14.yaml"):
        (trames / name).write_bytes((project / "trames" / name).read_bytes())
    (trames / "hostile.yaml").write_text(HOSTILE)
    (folder / "collectivite.ipynb").write_bytes((project / "dashboards" / "collectivite.ipynb").read_bytes())
    write_notebook(folder / "panne.ipynb", "1 / 0")
    write_notebook(folder / "ipywidgets.ipynb", "import ipywidgets\nipywidgets.IntSlider(description='Curseur')")
    return serve(folder, golden_base, trames)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def visit(browser: Any, server: Any) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR", accept_downloads=True)
    context.set_default_timeout(30_000)
    yield Visit(context.new_page(), server)
    context.close()


def cents(text: str) -> int:
    return int("".join(letter for letter in text.replace("−", "-") if letter in "-0123456789"))


def plain(text: str | None) -> str:
    return (text or "").replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.shared
def test_from_a_name_typed_to_an_explained_figure_and_a_workbook(
    visit: Visit, shared: Path, tmp_path: Path, screenshots: Path
) -> None:
    golden = json.loads((shared / "golden" / "m14_basique" / "values.json").read_text())[f"small/{COMMUNE}"]
    expected = golden["values"]["M14_CE_PFA_1000"][golden["exercices"].index(2017)]
    page = visit.choose_commune()
    assert page.title() == "Comptes d'une collectivité"
    assert page.locator("html").get_attribute("lang") == "fr"
    playwright.expect(page.get_by_role("heading", level=2).filter(has_text="COMMUNE-EXEMPLE 001")).to_be_visible()
    playwright.expect(page.get_by_role("combobox", name="Collectivité")).to_have_value("COMMUNE-EXEMPLE 001")
    assert "Chargement" not in page.locator("main").inner_text()

    # A figure, by the mouse.
    row = page.get_by_role("row").filter(has_text="Ressources fiscales propres").first
    figure = row.get_by_role("button", name=re.compile("2017 : expliquer"))
    assert plain(figure.text_content()) == f"{expected:,.0f}".replace(",", " ")
    figure.click()
    why = page.get_by_role("region", name=re.compile("^Explication"))
    playwright.expect(why).to_be_visible()
    assert f"{expected:_.2f} €".replace(".", ",").replace("_", " ") in plain(why.get_by_role("heading").text_content())
    assert figure.get_attribute("aria-expanded") == "true"

    # It adds up, and so does the next level.
    for path in ("", "0"):
        branch = why.locator(f'details[data-path="{path}"]')
        if branch.get_attribute("open") is None:
            branch.locator("summary").first.click()
        lines = branch.locator("> ul > li")
        playwright.expect(lines.last).to_contain_text("Total")
        total = 0
        for index in range(lines.count() - 1):
            line = lines.nth(index)
            sign = -1 if line.locator(".wb-sign").first.text_content() == "−" else 1
            total += sign * cents(line.locator(".wb-amount").first.text_content())
        assert total == cents(lines.last.locator(".wb-amount").text_content())
    playwright.expect(why).to_contain_text("73111 Taxes foncières et d'habitation")
    page.screenshot(path=screenshots / "explication.png", full_page=True)
    assert page.evaluate(CONTRASTS, "main") == []

    # Closed by Escape, the focus is where it was.
    why.get_by_role("button", name="Fermer").focus()
    page.keyboard.press("Escape")
    playwright.expect(why).to_have_count(0)
    playwright.expect(figure).to_be_focused()

    # Another, by the keyboard.
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("region", name=re.compile("2016"))).to_be_visible()

    # The workbook.
    with page.expect_download() as download:
        page.get_by_role("button", name="Télécharger le tableau (Excel)").click()
    assert download.value.suggested_filename == f"m14_basique_{COMMUNE}_2011-2018.xlsx"
    download.value.save_as(tmp_path / "rapport.xlsx")
    workbook = openpyxl.load_workbook(tmp_path / "rapport.xlsx", data_only=True)
    values = [cell for sheet in workbook for line in sheet.iter_rows(values_only=True) for cell in line]
    assert round(expected, 2) in values

    # The charts.
    page.get_by_role("button", name="Aller aux graphiques").click()
    playwright.expect(page.locator(".wb-chart .main-svg").first).to_be_visible()
    page.locator(".wb-chart").first.hover()
    buttons = page.locator(".wb-chart").first.locator(".modebar-btn")
    titles = [buttons.nth(index).get_attribute("data-title") for index in range(buttons.count())]
    # plotly.js would offer to send the figures to its makers.
    assert titles == ["Télécharger l'image (PNG)", "Agrandir", "Déplacer", "Revenir à l'échelle de départ"]
    page.screenshot(path=screenshots / "graphiques.png")

    assert visit.elsewhere == []
    assert visit.complaints == []


@pytest.mark.shared
def test_a_choice_of_indicateurs_is_drawn(visit: Visit) -> None:
    page = visit.choose_commune()
    page.get_by_role("button", name="Montrer dans le graphique : Charges de personnel").click()
    playwright.expect(page.get_by_text("1 indicateur choisi pour le graphique")).to_be_visible()
    page.get_by_role("button", name="Voir le graphique").click()
    playwright.expect(page.get_by_role("heading", name="Graphiques")).to_be_focused()
    playwright.expect(page.get_by_role("img", name=re.compile("Charges de personnel"))).to_be_visible()
    page.get_by_role("button", name="Tout retirer").click()
    playwright.expect(page.get_by_text("choisi pour le graphique")).to_be_hidden()
    assert visit.complaints == []


@pytest.mark.shared
def test_the_period_and_the_nomenclature_change_the_table(visit: Visit) -> None:
    page = visit.choose_commune()
    page.get_by_label("De", exact=True).select_option("2016")
    playwright.expect(page.locator(".wb-table").first.locator("thead th")).to_have_text(
        ["Indicateur", "Unité", "2016", "2017", "2018 prov."]
    )
    page.get_by_label("Trame", exact=True).select_option("ofgl_agregats_m14")
    playwright.expect(page.get_by_role("heading", level=2).filter(has_text="OFGL")).to_be_visible()
    playwright.expect(page.locator(".wb-table").first.locator("thead th")).to_have_count(5)


@pytest.mark.shared
def test_everything_is_reached_by_the_keyboard(visit: Visit) -> None:
    page = visit.choose_commune()
    page.get_by_label("Nomenclature", exact=True).focus()
    reached = []
    for _ in range(30):
        reached.append(page.evaluate("[document.activeElement.tagName, document.activeElement.className].join(' ')"))
        visible = page.evaluate(
            "document.activeElement.matches(':focus-visible') && getComputedStyle(document.activeElement).outlineStyle"
        )
        assert visible == "solid", reached
        page.keyboard.press("Tab")
        if "wb-figure" in reached[-1]:
            break
    assert sum("SELECT" in one for one in reached) == 4
    assert any("INPUT" in one for one in reached)
    assert sum("wb-button" in one for one in reached) >= 2
    assert "wb-figure" in reached[-1]


@pytest.mark.shared
def test_a_phone_shows_it_all_without_scrolling_sideways(visit: Visit, screenshots: Path) -> None:
    visit.page.set_viewport_size({"width": 390, "height": 844})
    page = visit.choose_commune()
    page.locator(".wb-figure").first.click()
    playwright.expect(page.get_by_role("region", name=re.compile("^Explication"))).to_be_in_viewport()
    page.screenshot(path=screenshots / "telephone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    box = page.locator(".wb-why-body").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390


@pytest.mark.shared
def test_markup_in_a_trame_stays_text(visit: Visit) -> None:
    page = visit.choose_commune()
    page.get_by_label("Trame", exact=True).select_option("hostile")
    playwright.expect(page.get_by_role("heading", level=2).filter(has_text="<img src=x onerror=")).to_be_visible()
    page.locator(".wb-figure").first.click()
    playwright.expect(page.get_by_role("region", name=re.compile("^Explication"))).to_contain_text("<script>")
    page.get_by_role("button", name="Aller aux graphiques").click()
    playwright.expect(page.locator(".wb-chart .main-svg").first).to_be_visible()
    assert page.evaluate("window.hacked") is None


@pytest.mark.shared
def test_a_search_without_result_says_so(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("combobox", name="Collectivité").click()
    page.keyboard.type("zzzzzz")
    playwright.expect(page.get_by_role("listbox")).to_contain_text("Aucune collectivité ne répond")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    playwright.expect(page.get_by_role("combobox", name="Collectivité")).to_have_value("")


@pytest.mark.shared
def test_a_page_left_alone_stays_alive(visit: Visit) -> None:
    page = visit.choose_commune()
    page.wait_for_timeout(10_000)  # two rounds of the server's pings
    page.locator(".wb-figure").first.click()
    playwright.expect(page.get_by_role("region", name=re.compile("^Explication"))).to_be_visible()
    assert visit.complaints == []


@pytest.mark.shared
def test_a_kernel_that_dies_is_told(visit: Visit) -> None:
    page = visit.open()
    playwright.expect(page.get_by_role("combobox", name="Collectivité")).to_be_visible()
    os.kill(max(visit.server.kernels()), signal.SIGKILL)
    playwright.expect(page.get_by_text("La connexion avec le serveur est perdue")).to_be_visible()


@pytest.mark.shared
def test_a_notebook_that_fails_is_told_in_french(visit: Visit) -> None:
    page = visit.open("panne.ipynb")
    playwright.expect(page.get_by_role("status")).to_contain_text("Cette page n'a pas pu être préparée")
    assert "ZeroDivisionError" not in page.content()


@pytest.mark.shared
def test_other_widgets_are_shown_by_the_front_end_of_voila(visit: Visit) -> None:
    page = visit.open("ipywidgets.ipynb")
    playwright.expect(page.get_by_text("Curseur")).to_be_visible()
    playwright.expect(page.get_by_role("slider")).to_be_visible()
    assert visit.elsewhere == []


def test_without_a_base_the_page_says_what_to_do(
    browser: Any, serve: Callable[..., Any], project: Path, tmp_path: Path, screenshots: Path
) -> None:
    server = serve(project / "dashboards", tmp_path / "absente.duckdb", project / "trames")
    page = browser.new_page()
    Visit(page, server).open()
    playwright.expect(page.get_by_role("alert")).to_contain_text("n'existe pas")
    playwright.expect(page.get_by_role("alert")).to_contain_text("workbench base import")
    page.screenshot(path=screenshots / "sans_base.png")
    page.close()


@pytest.mark.shared
def test_the_notebook_runs_in_jupyterlab_too(project: Path, golden_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nbclient import NotebookClient

    monkeypatch.setenv("WORKBENCH_BASE", str(golden_base))
    monkeypatch.setenv("WORKBENCH_TRAMES", str(project / "trames"))
    monkeypatch.setenv("PYTHONPATH", str(project))
    notebook = nbformat.read(project / "dashboards" / "collectivite.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    NotebookClient(notebook, timeout=120).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert len(outputs) == 7
    assert all("application/vnd.jupyter.widget-view+json" in output["data"] for output in outputs)
