"""A report on paper: Chromium prints the HTML page.

The browser is a program of the machine, found on the PATH or named by ``WORKBENCH_CHROMIUM``. It
runs with a profile of its own, resolves no address, and is killed with its children if it is late.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from workbench.atomic import replacing
from workbench.config import settings
from workbench.errors import WorkbenchError

__all__ = ["export_pdf", "find_chromium"]

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

DRAWING_MILLISECONDS = 10_000
"""Virtual time given to the page's scripts; it passes as fast as they run."""


def find_chromium() -> str | None:
    """Return the path of a Chromium that can print, None when the machine has none."""
    chosen = settings().chromium
    for program in (chosen,) if chosen else PROGRAMS:
        if found := shutil.which(program):
            return found
    return None


def export_pdf(html: Path | str, to: Path | str, *, timeout: float = 120) -> Path:
    """Print a page as PDF.

    Parameters
    ----------
    html
        Path of a page written by `workbench.reports.export_html`.
    to
        Path of the PDF; written whole or not at all.
    timeout
        Seconds after which Chromium is killed.

    Returns
    -------
    pathlib.Path
        ``to``.

    Raises
    ------
    WorkbenchError
        ``chromium_absent`` when the machine has none, ``pdf_echec`` when it printed nothing.
    """
    program = find_chromium()
    if program is None:
        raise WorkbenchError("chromium_absent")
    page = Path(html).resolve()
    if not page.is_file():
        raise WorkbenchError("pdf_echec", chemin=page.name, cause="la page n'existe pas")
    with tempfile.TemporaryDirectory(prefix="workbench-chromium-") as profile, replacing(Path(to)) as partial:
        cause = _print(program, page, partial.resolve(), Path(profile), timeout)
        if cause:
            raise WorkbenchError("pdf_echec", chemin=page.name, cause=cause)
    return Path(to)


def _print(program: str, page: Path, to: Path, profile: Path, timeout: float) -> str:
    """Run Chromium; return why there is no PDF, empty when there is one."""
    arguments = [
        program,
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",  # containers give /dev/shm 64 MB
        "--disable-extensions",
        "--disable-background-networking",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--no-first-run",
        "--no-default-browser-check",
        f"--user-data-dir={profile}",
        f"--virtual-time-budget={DRAWING_MILLISECONDS}",
        "--no-pdf-header-footer",
        f"--print-to-pdf={to}",
        f"{page.as_uri()}#impression",  # the page draws its charts for the paper at once
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.insert(1, "--no-sandbox")  # Chromium refuses its sandbox to root
    process = subprocess.Popen(  # noqa: S603 - a fixed program and our own file
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired:
        return f"il n'a pas fini en {timeout:g} secondes"
    finally:
        _kill_group(process)
    if status != 0 or not to.is_file() or not to.read_bytes().startswith(b"%PDF"):
        return f"il s'est arrêté avec le code {status}"
    return ""


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the browser and every process it started, whether or not it ended well."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
