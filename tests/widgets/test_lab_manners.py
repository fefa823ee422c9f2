"""JupyterLab as an analyst finds it once the package is installed: in French, with its tiles and its kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lab_server import Lab

from workbench.kernels.client import is_possible

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]


def test_a_notebook_runs_with_widgets_in_french_and_without_network(lab: Lab, project: Path) -> None:
    opened = lab.open(
        "import workbench; print(workbench.__file__)",
        "import ipywidgets\nipywidgets.IntSlider(description='Curseur', value=3)",
        "1 / 0",
    )
    assert str(project) in opened.run(0).inner_text()
    opened.run(1).get_by_role("slider").wait_for()
    opened.write(2, "6 * 7")
    assert "42" in opened.run(2).inner_text()
    opened.theme("JupyterLab Dark")
    opened.screenshot("jupyterlab")
    assert opened.page.get_by_role("menuitem", name="Fichier").is_visible()
    assert opened.page.locator("html").get_attribute("lang") == "fr-FR"
    # Neither a question about news nor an error.
    assert opened.page.locator(".Toastify__toast").count() == 0
    # Since the window was opened, not this notebook only.
    assert [url for url in lab.window.requests if not opened.is_own(url)] == []
    assert lab.window.complaints == []


def test_the_tiles_of_the_launcher_open_a_notebook_and_a_tutorial(lab: Lab) -> None:
    lab.window.clear()
    page = lab.window.page
    page.wait_for_selector("text=Nouveau notebook d’analyse")
    tiles = [each.strip() for each in page.locator(".jp-LauncherCard-label:visible").all_inner_texts()]
    assert "Prise en main" in tiles
    assert "Comptes publics (workbench)" in tiles
    page.screenshot(path=lab.window.screenshots / "launcher.png")
    page.locator(".jp-LauncherCard:visible", has_text="Nouveau notebook d’analyse").first.click()
    page.wait_for_selector("text=%load_ext workbench")
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    )
    assert [each["kernel"]["name"] for each in lab.server.sessions()] == ["workbench"]
    if is_possible():
        from zygotes import kernels

        assert kernels(Path(os.environ["WORKBENCH_RUNTIME"]))
    page.screenshot(path=lab.window.screenshots / "notebook.png")
    page.keyboard.press("Control+Shift+L")
    page.locator(".jp-LauncherCard:visible", has_text="Prise en main").first.click()
    page.wait_for_selector(".jp-Notebook .jp-MarkdownCell:visible")
