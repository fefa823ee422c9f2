"""The pages of public accounts as a person meets them, in a real Chromium: one server, the keyboard, a phone.

Screenshots go to the folder of ``WORKBENCH_ECRANS``, else to pytest's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("voila")
playwright = pytest.importorskip("playwright.sync_api")

from browsers import CONTRASTS, opened_browser  # noqa: E402
from visits import on_paper  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATIENCE = 60_000
"""Milliseconds: the first comparison of a machine compiles its loops."""


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(os.environ.get("WORKBENCH_ECRANS") or tmp_path_factory.mktemp("ecrans"))


@pytest.fixture(scope="module")
def server(
    serve: Callable[..., Any], demonstration_base: str, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    folder = tmp_path_factory.mktemp("dashboards")
    trames = tmp_path_factory.mktemp("trames")
    for path in (project / "trames").glob("comptes_individuels*.yaml"):
        (trames / path.name).write_bytes(path.read_bytes())
    for name in ("collectivite.ipynb", "comparaison.ipynb"):
        (folder / name).write_bytes((project / "dashboards" / name).read_bytes())
    return serve(folder, Path(demonstration_base), trames)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with opened_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR", accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("console", lambda said: said.type in ("error", "warning") and opened.complaints.append(said.text))
    yield opened
    context.close()


def by_keyboard(page: Any, name: str, text: str) -> None:
    """Type into a field that proposes, and take the first proposal."""
    field = page.get_by_role("combobox", name=name, exact=True)
    field.focus()
    page.keyboard.type(text)
    proposals = page.locator(f"#{field.get_attribute('aria-controls')} [role=option]:not([aria-disabled])")
    playwright.expect(proposals.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def on_a_phone(page: Any, path: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=path, full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_collectivite_among_its_like(
    page: Any, server: Any, screenshots: Path, demonstration_siret: str, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/voila/render/collectivite.ipynb")
    page.get_by_label("Nomenclature", exact=True).select_option("M14+M57")
    by_keyboard(page, "Collectivité", demonstration_siret)
    playwright.expect(page.locator(".wb-figure").first).to_be_visible()

    # What thresholds say leads to the accounts.
    remarks = page.locator(".wb-remarks-host")
    playwright.expect(remarks.get_by_role("heading", name="Points d'attention")).to_be_visible()
    link = remarks.get_by_role("button", name="Voir les comptes de").first
    link.focus()
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("region", name="Explication")).to_be_visible()
    page.get_by_role("button", name="Fermer").click()

    # The strate comes after the figures.
    situation = page.locator(".wb-situation")
    playwright.expect(situation.locator("tbody tr").first).to_be_visible(timeout=PATIENCE)
    playwright.expect(situation).to_contain_text("hab.")
    playwright.expect(page.get_by_role("button", name="Télécharger la comparaison (Excel)")).to_be_visible()
    by_keyboard(page, "Comparer aussi à", "fictive")
    playwright.expect(situation.locator(".wb-chip")).to_have_count(1)
    playwright.expect(situation.get_by_role("columnheader")).to_have_count(12)
    situation.get_by_label("Exercice comparé").select_option("2023")
    playwright.expect(situation.locator("caption")).to_contain_text("2023")

    # Per inhabitant.
    page.get_by_role("radio", name="Par habitant").focus()
    page.keyboard.press("Space")
    playwright.expect(page.locator(".wb-table .wb-unit", has_text="€/hab.").first).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("button", name="Télécharger le tableau (CSV)").click()
    download.value.save_as(tmp_path / "tableau.csv")
    assert "2024" in (tmp_path / "tableau.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    page.locator(".wb-charts").last.scroll_into_view_if_needed()
    playwright.expect(page.locator(".wb-charts").last.locator(".main-svg").first).to_be_visible()
    page.locator(".wb-chart-rows summary").last.click()
    playwright.expect(page.locator(".wb-chart-rows table").last).to_be_visible()
    assert page.evaluate(CONTRASTS, "main") == []
    page.screenshot(path=screenshots / "collectivite.png", full_page=True)
    on_a_phone(page, screenshots / "collectivite_telephone.png")
    assert page.complaints == []


def test_many_collectivites_compared(page: Any, server: Any, screenshots: Path, tmp_path: Path) -> None:
    page.goto(f"{server.url}/voila/render/comparaison.ipynb")
    rows = page.locator(".wb-classement tbody tr")
    playwright.expect(rows).to_have_count(6, timeout=PATIENCE)
    shaded = page.locator(".wb-area[data-shade]")
    playwright.expect(shaded).to_have_count(6)
    assert page.locator(".wb-map").get_attribute("aria-label").startswith("Carte")

    # A département, as in the assisted query; it is taken away by its chip.
    by_keyboard(page, "Départements", "garonne")
    playwright.expect(rows).to_have_count(1)
    playwright.expect(shaded).to_have_count(1)
    remove = page.get_by_role("button", name="Retirer 31 Haute-Garonne")
    remove.focus()
    page.keyboard.press("Enter")
    playwright.expect(rows).to_have_count(6)

    # From the map, then from the table beside it, which the keyboard goes through.
    page.locator('.wb-area[data-code="031"]').click()
    playwright.expect(rows).to_have_count(1)
    page.locator(".wb-compare .wb-chip button").first.click()
    playwright.expect(rows).to_have_count(6)
    page.locator(".wb-places button").first.focus()
    page.keyboard.press("Enter")
    playwright.expect(rows).to_have_count(1)
    page.locator(".wb-compare .wb-chip button").first.click()
    playwright.expect(rows).to_have_count(6)

    # One is followed, and the focus stays where it was.
    page.get_by_label("Second indicateur (nuage de points)").select_option(index=2)
    playwright.expect(page.locator(".wb-classement thead th")).to_have_count(6)
    follow = page.locator(".wb-classement .wb-draw").nth(1)
    follow.focus()
    page.keyboard.press("Enter")
    playwright.expect(page.locator(".wb-pinned")).to_have_count(1)
    assert page.evaluate("document.activeElement.className") == "wb-draw"
    page.get_by_role("button", name="▼").focus()
    page.keyboard.press("Enter")
    playwright.expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)

    with page.expect_download() as download:
        page.get_by_role("button", name="Télécharger le classement (CSV)").click()
    download.value.save_as(tmp_path / "classement.csv")
    assert len((tmp_path / "classement.csv").read_text(encoding="utf-8-sig").splitlines()) == 7
    page.locator(".wb-charts .wb-title").scroll_into_view_if_needed()
    playwright.expect(page.locator(".wb-chart .main-svg").first).to_be_visible()
    assert page.evaluate(CONTRASTS, "main") == []
    page.screenshot(path=screenshots / "comparaison.png", full_page=True)
    on_a_phone(page, screenshots / "comparaison_telephone.png")
    assert page.complaints == []


def test_every_chart_is_on_paper(
    page: Any, server: Any, demonstration_siret: str, screenshots: Path, tmp_path: Path
) -> None:
    page.goto(f"{server.url}/voila/render/collectivite.ipynb")
    page.get_by_label("Nomenclature", exact=True).select_option("M14+M57")
    by_keyboard(page, "Collectivité", demonstration_siret)
    playwright.expect(page.locator(".wb-situation tbody tr").first).to_be_visible(timeout=PATIENCE)
    on_paper(page, screenshots / "collectivite.pdf", least=3)

    page.goto(f"{server.url}/voila/render/comparaison.ipynb")
    playwright.expect(page.locator(".wb-classement tbody tr")).to_have_count(6, timeout=PATIENCE)
    on_paper(page, screenshots / "comparaison.pdf", least=2)
    assert page.complaints == []


def test_who_prints_at_once_waits_for_the_charts(page: Any, server: Any, demonstration_siret: str) -> None:
    page.add_init_script("window.print = () => { window.printed = document.querySelectorAll('.wb-chart').length }")
    page.goto(f"{server.url}/voila/render/collectivite.ipynb")
    page.get_by_label("Nomenclature", exact=True).select_option("M14+M57")
    by_keyboard(page, "Collectivité", demonstration_siret)
    playwright.expect(page.locator(".wb-charts[data-paper=waiting]").first).to_be_attached()
    page.keyboard.press("Control+p")
    page.wait_for_function("window.printed > 1")
    assert page.complaints == []
