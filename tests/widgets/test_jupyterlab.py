"""The JupyterLab of the other tests is a real one, in French, which imports the checkout and nothing from outside."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_server import Lab

pytestmark = [pytest.mark.browser, pytest.mark.slow]


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
    assert opened.elsewhere == []
    assert opened.complaints == []
