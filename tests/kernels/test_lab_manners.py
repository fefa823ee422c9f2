"""JupyterLab as an analyst finds it once the package is installed: in French, with its tiles and its kernel."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from workbench.kernels.client import is_possible

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHROMIUM_OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")

START = "import sys\nsys.modules['rfc3987_syntax'] = None\nfrom jupyterlab.labapp import main\nsys.exit(main())"


@pytest.fixture(scope="module")
def lab(installed: Path, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab whose user has changed nothing."""
    home = tmp_path_factory.mktemp("home")
    root = home / "travail"
    (root / "notebooks").mkdir(parents=True)
    shutil.copy(project / "notebooks" / "00_prise_en_main.ipynb", root / "notebooks")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = installed / "share" / "jupyter" / "lab" / "settings"
    command = [
        sys.executable, "-c", START, "--no-browser", "--allow-root", f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=",
        f"--ServerApp.root_dir={root}", f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.user_settings_dir={home / 'settings'}", f"--LabApp.workspaces_dir={home / 'workspaces'}",
    ]  # fmt: skip
    log = home / "lab.log"
    with log.open("w") as sink:
        server = subprocess.Popen(
            command, env={**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home / "config")},
            stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and server.poll() is None:
            try:
                httpx.get(f"{address}/api", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            pytest.fail(log.read_text())
        yield address
    finally:
        for number in (signal.SIGINT, signal.SIGINT):
            server.send_signal(number)
            time.sleep(0.2)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    found = os.environ.get("WORKBENCH_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(CHROMIUM_OPTIONS))
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.goto(f"{lab}/lab")
        opened.wait_for_selector(".jp-LauncherCard", timeout=60_000)
        yield opened
        browser.close()


def test_the_interface_is_french_and_asks_nothing(page: Any) -> None:
    page.wait_for_selector("text=Fichier")
    assert page.locator("html").get_attribute("lang") == "fr-FR"
    page.wait_for_timeout(500)
    assert page.locator(".Toastify__toast").count() == 0


def test_the_tiles_of_the_launcher(page: Any) -> None:
    page.wait_for_selector("text=Nouveau notebook d’analyse")
    tiles = [each.strip() for each in page.locator(".jp-LauncherCard-label").all_inner_texts()]
    assert "Prise en main" in tiles
    assert "Comptes publics (workbench)" in tiles
    if folder := os.environ.get("WORKBENCH_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/launcher.png")


def test_a_new_notebook_is_ready_to_work_in_a_prepared_kernel(page: Any, lab: str) -> None:
    page.locator(".jp-LauncherCard", has_text="Nouveau notebook d’analyse").first.click()
    page.wait_for_selector("text=%load_ext workbench")
    end = time.monotonic() + 30
    while not (sessions := httpx.get(f"{lab}/api/sessions").json()) and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert [each["kernel"]["name"] for each in sessions] == ["workbench"]
    if is_possible():
        from zygotes import kernels

        assert kernels(Path(os.environ["WORKBENCH_RUNTIME"]))
    if folder := os.environ.get("WORKBENCH_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/notebook.png")


def test_a_tutorial_opens(page: Any) -> None:
    page.keyboard.press("Control+Shift+L")
    page.wait_for_selector(".jp-LauncherCard:visible")
    page.locator(".jp-LauncherCard:visible", has_text="Prise en main").first.click()
    page.wait_for_selector(".jp-Notebook .jp-MarkdownCell:visible", timeout=30_000)
