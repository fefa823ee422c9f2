"""Coming in, in a real Chromium: her word first, then the news and her follows, and the statistics of use.

Each page is also read by axe-core, which finds no serious violation. Screenshots go to the folder of
``WORKBENCH_ECRANS``, else to pytest's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from people import PASSWORD, make_people

pytest.importorskip("voila")
playwright = pytest.importorskip("playwright.sync_api")

from browsers import CONTRASTS, opened_browser  # noqa: E402

from workbench.signaux_faibles.publication.demonstration import ACTORS, publish_fictitious  # noqa: E402
from workbench.store import open_store  # noqa: E402

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(
    serve: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory, project: Path, demonstration_base: str
) -> Any:
    place = tmp_path_factory.mktemp("entree")
    (place / "tableaux").mkdir()
    shutil.copy(project / "dashboards" / "statistiques.ipynb", place / "tableaux")
    held = {one.email.partition("@")[0]: sorted(one.badges) for one in ACTORS.values()}
    held["zone.urssaf"] = [*held["zone.urssaf"], "stats"]
    variables = make_people(place, held, promised=False)
    with open_store(variables["WORKBENCH_REGISTRE"]) as store:
        publish_fictitious(store, companies=20)
    return serve(place / "tableaux", Path(demonstration_base), project / "trames", **variables)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    complaints: list[str] = []
    with opened_browser() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR", accept_downloads=True)
        context.set_default_timeout(60_000)
        opened = context.new_page()
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        yield opened
        context.close()
    assert complaints == []


def check(page: Any, axe: str, name: str, folder: Path) -> None:
    """Take screenshots, wide and on a phone; look for what some people could not use."""
    to = Path(os.environ.get("WORKBENCH_ECRANS") or folder)
    to.mkdir(exist_ok=True)
    page.screenshot(path=to / f"{name}.png", full_page=True)
    assert page.evaluate(CONTRASTS, "main") == []
    if axe:
        page.evaluate(axe)
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        serious = [
            (each["id"], [node["html"][:160] for node in each["nodes"]][:4])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], name
    page.set_viewport_size({"width": 380, "height": 800})
    page.screenshot(path=to / f"{name}-telephone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    page.set_viewport_size({"width": 1280, "height": 900})


def log_in(page: Any, server: Any, name: str) -> None:
    page.goto(f"{server.url}/")
    page.get_by_label("Adresse électronique").fill(f"{name}@exemple.fr")
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()


def test_her_word_comes_first(page: Any, server: Any, axe: str, tmp_path: Path) -> None:
    log_in(page, server, "zone.urssaf")
    dialog = page.get_by_role("dialog", name="Avant d’entrer")
    playwright.expect(dialog).to_be_visible()
    check(page, axe, "engagement", tmp_path)
    # Nothing else opens, whatever the address, nor without the tick.
    page.goto(f"{server.url}/voila/render/statistiques.ipynb")
    playwright.expect(dialog).to_be_visible()
    page.get_by_role("button", name="Entrer").click()
    playwright.expect(dialog).to_be_visible()
    page.get_by_role("checkbox").evaluate("box => box.required = false")
    page.get_by_role("button", name="Entrer").click()
    playwright.expect(dialog).to_be_visible()
    # By the keyboard alone: the box has the focus when the page opens.
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    playwright.expect(page.get_by_role("heading", name="Tableaux de bord")).to_be_visible()

    playwright.expect(page.get_by_role("heading", name="Nouveautés")).to_contain_text("non lue")
    playwright.expect(page.get_by_role("region", name="Mes suivis").get_by_role("listitem")).to_have_count(2)
    check(page, axe, "accueil-agent", tmp_path)
    page.get_by_role("button", name="Tout marquer comme lu").click()
    playwright.expect(page.get_by_role("heading", name="Nouveautés")).not_to_contain_text("non lue")
    page.reload()
    playwright.expect(dialog).to_have_count(0)

    page.goto(f"{server.url}/voila/render/statistiques.ipynb")
    table = page.get_by_role("table", name="Par personne")
    playwright.expect(table).to_contain_text("zone.urssaf@exemple.fr")
    check(page, axe, "statistiques", tmp_path)
    page.get_by_label("Période").select_option("annee")
    playwright.expect(page.get_by_role("columnheader", name="Semaine du")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Accès en CSV").click()
    assert waiting.value.suggested_filename.startswith("statistiques-")
