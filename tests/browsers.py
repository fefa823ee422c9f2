"""The browser of the tests, and what it looks for on any page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["CHROMIUM_OPTIONS", "CONTRASTS", "find_chromium", "opened_browser"]

CHROMIUM_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

CONTRASTS = """(root) => {
  const channel = (value) => ((value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const rgba = (text) => text.match(/[\\d.]+/g).map(Number);
  const poor = [];
  const walker = document.createTreeWalker(document.querySelector(root), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest(".wb-chart, .wb-sr, script, style, option, :disabled")) continue;
    let behind = element;
    while (behind && (rgba(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
    const ground = behind ? getComputedStyle(behind).backgroundColor : "rgb(255, 255, 255)";
    const [a, b] = [getComputedStyle(element).color, ground]
      .map((text) => light(rgba(text)))
      .sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.className} ${walker.currentNode.data.trim()}`);
  }
  return poor;
}"""
"""Texts under a selector whose contrast with what is behind them is less than 4.5 to 1."""


def find_chromium() -> str:
    """Return the program of a browser; the test skips where there is none."""
    found = os.environ.get("WORKBENCH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium on this machine")
    return found


@contextmanager
def opened_browser() -> Iterator[Any]:
    """Open a browser for the tests of one module.

    Not for a session: Playwright keeps an event loop running in the thread, where notebooks of other tests could not
    be executed.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    program = find_chromium()
    # A busy machine is slow, not wrong.
    playwright.expect.set_options(timeout=30_000)
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=list(CHROMIUM_OPTIONS))
        try:
            yield opened
        finally:
            opened.close()
