"""A person in a browser: what her pages look like, what they complained of, what axe-core finds in them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from browsers import CONTRASTS
from people import PASSWORD

__all__ = ["Visit", "capture", "on_paper"]

CAPTURES = os.environ.get("WORKBENCH_CAPTURES")
"""The folder of the documentation's pictures, when ``make captures`` has them made again."""

PICTURED = {
    "accueil": "accueil",
    "collectivite-analyste": "collectivite",
    "comparaison-analyste": "comparaison",
    "depot-arrive": "depot",
    "detection-national": "detection",
    "documentation": "documentation",
    "entreprise-national": "entreprise",
    "production": "production",
    "recherche": "recherche",
}
"""What is shown of which screen."""

LOOKED_AT = "WORKBENCH_ECRANS" in os.environ
"""Whether somebody will look at screenshots: a long page takes seconds to draw whole."""

playwright = pytest.importorskip("playwright.sync_api")

SHEET_WIDTH = 719
"""Pixels between the margins of an A4 page that a browser prints."""

COUNTED = """() => addEventListener("beforeprint", () => {
  const charts = [...document.querySelectorAll(".wb-chart")];
  const traces = ".main-svg .trace, .main-svg .layer-above, .main-svg .slice";
  const drawn = charts.filter((each) => each.querySelector(traces));
  const widest = Math.max(0, ...charts.map((each) => each.querySelector(".main-svg")?.clientWidth ?? 0));
  window.counted = { charts: charts.length, drawn: drawn.length, widest };
})"""
"""What is there when a browser prints, once the page did what it does then."""


def capture(page: Any, name: str) -> None:
    """Take the picture of a page for the documentation, when pictures are made again."""
    if CAPTURES and name in PICTURED:
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=Path(CAPTURES, f"{PICTURED[name]}.png"))


class Visit:
    """A browser of one person, and what it complained of."""

    def __init__(self, browser: Any, server: Any, axe: str, folder: Path) -> None:
        self.context = browser.new_context(
            viewport={"width": 1280, "height": 900}, locale="fr-FR", accept_downloads=True
        )
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()
        self.server, self.axe, self.folder = server, axe, folder
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        self.received: list[str] = []
        self.page.on("websocket", lambda opened: opened.on("framereceived", self._received))
        own = [f"{scheme}127.0.0.1:{server.port + more}" for scheme in ("http://", "ws://") for more in (0, 1)]
        own += [f"blob:{server.url}", "data:"]
        self.page.on(
            "request", lambda asked: None if asked.url.startswith(tuple(own)) else self.elsewhere.append(asked.url)
        )

    def _heard(self, message: Any) -> None:
        # The browser itself reports the status of a page that is refused.
        if message.type == "error" and "status of 40" not in message.text:
            self.complaints.append(message.text)

    def _received(self, frame: Any) -> None:
        self.received.append(frame if isinstance(frame, str) else bytes(frame).decode(errors="replace"))

    def log_in(self, name: str) -> None:
        page = self.page
        page.goto(f"{self.server.url}/")
        page.get_by_label("Adresse électronique").fill(f"{name}@exemple.fr")
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.get_by_role("button", name="Se connecter").click()
        playwright.expect(page.get_by_role("heading", name="Tableaux de bord")).to_be_visible()

    def open(self, name: str) -> Any:
        self.page.goto(f"{self.server.url}/voila/render/{name}.ipynb")
        return self.page

    def check(self, name: str) -> None:
        """Look for what some people could not use, at full width and on a phone; keep what it looks like."""
        page = self.page
        self._keep(name)
        capture(page, name)
        assert page.evaluate(CONTRASTS, "main") == []
        if self.axe:
            page.evaluate(self.axe)
            found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
            serious = [
                (each["id"], [node["html"][:160] for node in each["nodes"]][:4])
                for each in found["violations"]
                if each["impact"] in ("serious", "critical")
            ]
            assert serious == [], name
        page.set_viewport_size({"width": 380, "height": 800})
        # Plotly draws again for the new width.
        page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
        self._keep(f"{name}-telephone")
        page.set_viewport_size({"width": 1280, "height": 900})

    def _keep(self, name: str) -> None:
        if LOOKED_AT:
            self.page.screenshot(path=self.folder / f"{name}.png", full_page=True)

    def print(self, name: str) -> None:
        """Print to PDF, as the browser does."""
        self.page.emulate_media(media="print")
        self.page.set_viewport_size({"width": 718, "height": 1047})  # A4 without its margins
        cut = "[...document.querySelectorAll('table')].filter((one) => one.getBoundingClientRect().right > innerWidth)"
        assert self.page.evaluate(f"{cut}.length") == 0, name
        assert self.page.locator("input:visible, select:visible").count() == 0, name
        self.page.set_viewport_size({"width": 1280, "height": 900})
        if LOOKED_AT:
            self.page.pdf(path=self.folder / f"{name}.pdf", format="A4", print_background=True)
        self.page.emulate_media(media="screen")


def on_paper(page: Any, path: Path, *, least: int) -> int:
    """Print a page where nobody scrolled: each chart is drawn there, no wider than the sheet; return how many."""
    for each in page.locator(".wb-charts:visible, .wb-sheet:visible").all():
        playwright.expect(each).to_have_attribute("data-paper", "ready", timeout=60_000)
    page.evaluate(COUNTED)
    assert page.evaluate("document.querySelectorAll('.wb-chart:not(.js-plotly-plot)').length") > 0
    page.pdf(path=path, format="A4")
    counted = page.evaluate("window.counted")
    assert counted["drawn"] == counted["charts"] >= least
    assert counted["widest"] <= SHEET_WIDTH
    # The screen has its widths back.
    wider = "(each) => each.clientWidth > each.closest('.wb-chart').clientWidth + 1"
    found = f"[...document.querySelectorAll('.wb-chart .main-svg')].filter({wider}).length"
    page.wait_for_function(f"{found} === 0", timeout=5_000)
    return int(counted["drawn"])
