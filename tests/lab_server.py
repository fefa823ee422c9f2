"""A real JupyterLab in its own process, with the package as if installed, and its window in a browser.

One server and one window serve every test: a first page costs seconds, a notebook opened in it does not. Each test has
notebooks and kernels of its own, and sees only what its own notebooks asked for and complained of.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from browsers import opened_browser
from installation import install

__all__ = ["Lab", "LabPage", "LabServer", "LabWindow", "running_lab"]

# jsonschema compiles 38 grammars of rfc3987_syntax at import when it is there: two seconds.
LAUNCH = """
import sys
sys.modules["rfc3987_syntax"] = None
from jupyterlab.labapp import main
sys.exit(main())
"""

# What a user chose; all the rest, French included, is what the package brings.
CHOICES = {
    # Cells out of sight stay in the page, where tests look for them.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


class LabServer:
    """A running JupyterLab, whose files and settings are in a folder of its own.

    Parameters
    ----------
    folder
        Where everything is written; notebooks are in ``notebooks``.
    project
        The checkout that kernels import.
    variables
        Added to the environment of the server, hence of its kernels.
    """

    def __init__(self, folder: Path, project: Path, **variables: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = secrets.token_hex(16)
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.log = folder / "server.log"
        settings = folder / "settings"
        own = {
            "JUPYTER_CONFIG_DIR": folder / "config",
            "JUPYTER_DATA_DIR": folder / "data",
            "JUPYTER_RUNTIME_DIR": folder / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": settings,
            "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
            "IPYTHONDIR": folder / "ipython",
            "XDG_DATA_HOME": folder / "xdg",
        }
        for path in (self.notebooks, *own.values()):
            path.mkdir(parents=True, exist_ok=True)
        for name, values in CHOICES.items():
            package, plugin = name.split(":")
            path = settings / package / f"{plugin}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        prefix = folder / "installed"
        environment = {
            **os.environ,
            **{name: str(path) for name, path in own.items()},
            **install(prefix, project),
            **variables,
        }
        command = [
            *(sys.executable, "-c", LAUNCH, "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"),
            *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.notebooks}"),
            f"--LabApp.app_settings_dir={prefix / 'share' / 'jupyter' / 'lab' / 'settings'}",
            *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
        ]
        with self.log.open("w") as sink:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environment, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 90
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if httpx.get(f"{self.url}/api/status", params={"token": self.token}, timeout=5).is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        self.stop()
        pytest.fail(self.log.read_text())

    def write(self, name: str, sources: Sequence[str]) -> str:
        """Write a notebook of code cells and return its name."""
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        metadata = {
            "kernelspec": {"name": "workbench", "display_name": "Comptes publics (workbench)", "language": "python"},
            "language_info": {"name": "python"},
        }
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), self.notebooks / name)
        return name

    def sessions(self) -> list[dict[str, Any]]:
        """Return what runs: one session a notebook."""
        answer = httpx.get(f"{self.url}/api/sessions", params={"token": self.token}, timeout=30)
        found: list[dict[str, Any]] = answer.json()
        return found

    def end_kernels(self) -> None:
        """End every kernel: a test leaves none to the next."""
        with httpx.Client(base_url=self.url, params={"token": self.token}, timeout=30) as client:
            for session in client.get("/api/sessions").json():
                client.delete(f"/api/sessions/{session['id']}")

    def stop(self) -> None:
        """End the server and its kernels."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def running_lab(folder: Path, project: Path, **variables: str) -> Iterator[LabServer]:
    """Start JupyterLab, and stop it at the end."""
    server = LabServer(folder, project, **variables)
    try:
        yield server
    finally:
        server.stop()


class LabWindow:
    """JupyterLab in one window of a browser, opened when it is first needed.

    Parameters
    ----------
    server
        What it shows.
    screenshots
        Folder of the pictures.
    """

    def __init__(self, server: LabServer, screenshots: Path) -> None:
        self.server = server
        self.screenshots = screenshots
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.is_spoiled = False
        self._opened = ExitStack()
        self._page: Any = None

    @property
    def page(self) -> Any:
        """Playwright's page, where JupyterLab has started."""
        if self._page is None:
            browser = self._opened.enter_context(opened_browser())
            context = browser.new_context(locale="fr-FR", accept_downloads=True)
            context.set_default_timeout(30_000)
            page = context.new_page()
            page.on("request", lambda request: self.requests.append(request.url))
            page.on("websocket", lambda channel: self.requests.append(channel.url))
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on("console", self._heard)
            address = f"{self.server.url}/lab/workspaces/essai-{secrets.token_hex(4)}"
            page.goto(f"{address}?token={self.server.token}&reset")
            page.locator(".jp-LauncherCard").first.wait_for(timeout=90_000)
            page.evaluate("() => window.jupyterapp.commands.execute('application:toggle-left-area')")
            self._page = page
        return self._page

    def _heard(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} {message.location.get('url', '')}".strip())

    def spoil(self, name: str) -> str:
        """Say what the window shows where a test failed; the next test has another."""
        self.is_spoiled = True
        if self._page is None:
            return "not open"
        path = self.screenshots / f"failed_{name}.png"
        try:
            self._page.screenshot(path=path, timeout=10_000)
            focus = self._page.evaluate("() => document.activeElement?.outerHTML.slice(0, 300)")
        except Exception as error:  # noqa: BLE001 - a browser that died must not hide why
            return f"no picture: {error}"
        return "\n".join((str(path), f"focus: {focus}", *self.complaints))

    def clear(self) -> None:
        """Close the documents, and end their kernels; a window where a test failed is not used again."""
        if self.is_spoiled:
            self.close()
        if self._page is not None:
            self._page.evaluate(
                """async () => {
                    for (const each of [...window.jupyterapp.shell.widgets("main")]) {
                        if (each.context) each.context.model.dirty = false;
                        each.close();
                    }
                    await window.jupyterapp.commands.execute("apputils:change-theme", {theme: "JupyterLab Light"});
                }"""
            )
            self._page.locator(".jp-LauncherCard:visible").first.wait_for()
        self.server.end_kernels()

    def close(self) -> None:
        """Close the browser: while Playwright is there, its event loop is that of the thread."""
        self._page, self.is_spoiled = None, False
        self._opened.close()


class LabPage:
    """A notebook open in JupyterLab.

    Parameters
    ----------
    window
        Where it is open.
    name
        Name of the notebook.
    """

    def __init__(self, window: LabWindow, name: str) -> None:
        self.window = window
        self.page = window.page
        self.server = window.server
        self.name = name
        self._before = len(window.requests), len(window.complaints)

    @property
    def requests(self) -> list[str]:
        """Addresses asked for since this notebook was opened."""
        return self.window.requests[self._before[0] :]

    @property
    def complaints(self) -> list[str]:
        """What the page complained of since this notebook was opened."""
        return self.window.complaints[self._before[1] :]

    def _open(self) -> None:
        self.page.evaluate(
            """async (path) => {
                const opened = await window.jupyterapp.commands.execute("docmanager:open", {path, factory: "Notebook"});
                await opened.context.ready;
                await opened.revealed;
            }""",
            self.name,
        )
        self.cell(0).wait_for()
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=90_000,
        )

    def command(self, name: str, **arguments: Any) -> None:
        """Run a command of JupyterLab, as its menus do."""
        self.page.evaluate("([name, given]) => window.jupyterapp.commands.execute(name, given)", [name, arguments])

    def theme(self, name: str) -> None:
        """Change the theme: ``JupyterLab Light`` or ``JupyterLab Dark``."""
        self.command("apputils:change-theme", theme=name)
        self.page.locator(f"body[data-jp-theme-name='{name}']").wait_for(state="attached")

    def cell(self, index: int) -> Any:
        """Return a cell, counted from 0."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell").nth(index)

    def output(self, index: int) -> Any:
        """Return what a cell shows under itself."""
        return self.cell(index).locator(".jp-Cell-outputWrapper")

    def write(self, index: int, source: str) -> None:
        """Replace the text of a cell, as a person does."""
        editor = self.cell(index).locator(".cm-content")
        editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def run(self, index: int, timeout: float = 60) -> Any:
        """Run a cell and wait for its end; return what it shows."""
        cell = self.cell(index)
        before = cell.locator(".jp-InputPrompt").first.text_content()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(
            """([cell, before]) => {
                const text = cell.querySelector(".jp-InputPrompt").textContent;
                return text !== before && /\\[\\d+\\]/.test(text);
            }""",
            arg=[cell.element_handle(), before],
            timeout=timeout * 1000,
        )
        return self.output(index)

    def run_all(self, timeout: float = 120) -> None:
        """Run every cell and wait for the end of the last."""
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(
            """() => [...document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-CodeCell")].every(
                (cell) => /\\[\\d+\\]/.test(cell.querySelector(".jp-InputPrompt").textContent))""",
            timeout=timeout * 1000,
        )

    def screenshot(self, name: str, of: Any = None) -> Path:
        """Take a picture of the page, or of a part of it."""
        path = self.window.screenshots / f"{name}.png"
        (of or self.page).screenshot(path=path)
        return path

    def is_own(self, url: str) -> bool:
        """Whether an address is that of this machine's server."""
        own = (self.server.url, self.server.url.replace("http", "ws"), f"blob:{self.server.url}", "data:")
        return url.startswith(own)

    @property
    def elsewhere(self) -> list[str]:
        """Addresses that were asked for outside this machine's server."""
        return [url for url in self.requests if not self.is_own(url)]


class Lab:
    """JupyterLab as one test meets it.

    Parameters
    ----------
    window
        What all tests share.
    """

    def __init__(self, window: LabWindow) -> None:
        self.window = window
        self.server = window.server

    def open(self, *sources: str, width: int = 1280, height: int = 900, name: str = "") -> LabPage:
        """Open a notebook of code cells with a new kernel; the one that was open is closed, and its kernel ends.

        Parameters
        ----------
        *sources
            Cells; none opens a notebook that the server's folder already holds.
        width, height
            Size of the window, in pixels.
        name
            Name of the notebook; by default, one that no other has.
        """
        name = name or f"essai_{secrets.token_hex(4)}.ipynb"
        if sources:
            self.server.write(name, sources)
        self.window.clear()
        self.window.page.set_viewport_size({"width": width, "height": height})
        opened = LabPage(self.window, name)
        opened._open()
        return opened
