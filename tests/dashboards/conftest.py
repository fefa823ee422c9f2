"""A server of dashboards in its own process, and a browser."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from zygotes import kernels

HERE = Path(__file__).parent
PING_SECONDS = 4
SERVE = f"""
import os
import sys
from functools import partial
from jupyter_server.base import websocket
websocket.WS_PING_INTERVAL = {PING_SECONDS * 1000}
from workbench.dashboards.server import serve
from workbench.server import opened_services
port, base, trames, folder = sys.argv[1:]
workers = int(os.environ.get("TEST_WORKERS", "0"))
serve(int(port), base, trames, folder=folder, services=partial(opened_services, base=base), workers=workers)
"""


def _two_ports() -> int:
    """Return a free port whose next one, which the issuer of the machine takes, is free too."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


class Server:
    """A running server."""

    def __init__(self, folder: Path, base: Path, trames: Path, log: Path, project: Path, **variables: str) -> None:
        self.port = _two_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        self._before = self._all_kernels()
        command = [sys.executable, "-c", SERVE, str(self.port), str(base), str(trames), str(folder)]
        with log.open("w") as sink:
            self.process = subprocess.Popen(
                command,
                cwd=project,
                # Whoever runs the tests may have an issuer, or people in a registry of her own.
                env={
                    **os.environ,
                    "WORKBENCH_ISSUER": "",
                    "WORKBENCH_REGISTRE": str(log.parent / "registre"),
                    "WORKBENCH_TRAMES": str(trames),
                    "WORKBENCH_REPORTS": str(log.parent / "rapports"),
                    **variables,
                },
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 240
        while time.monotonic() < end and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/nowhere", timeout=5)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        self.process.kill()  # nobody else knows of it yet
        pytest.fail(self.log.read_text())

    def kernels(self) -> list[int]:
        """Process numbers of the kernels that run."""
        return sorted(self._all_kernels() - self._before)

    def _all_kernels(self) -> set[int]:
        return kernels(Path(os.environ["WORKBENCH_RUNTIME"]))

    def stop(self) -> int:
        """Interrupt as Ctrl-C does and return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server of a folder; it is stopped at the end of the module."""
    started: list[Server] = []

    def start(folder: Path, base: Path, trames: Path, **variables: str) -> Server:
        log = tmp_path_factory.mktemp("log") / "server.log"
        started.append(Server(folder, base, trames, log, project, **variables))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def write_notebook() -> Callable[..., Path]:
    """Return a function that writes a notebook of code cells."""

    def write(path: Path, *sources: str, title: str = "Essai", kernel: str = "python3") -> Path:
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        metadata = {
            "title": title,
            "kernelspec": {"name": kernel, "display_name": kernel, "language": "python"},
            "language_info": {"name": "python"},
        }
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
        return path

    return write


@pytest.fixture(scope="session")
def golden_base(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of the small golden dump: 11 budgets, 2011 to 2018."""
    from workbench.dgfip import connect, import_cci

    path = tmp_path_factory.mktemp("base") / "base.duckdb"
    dump = shared / "golden" / "data" / "small"
    with connect(path, read_only=False) as base:
        import_cci(
            base, execution=dump / "execution.csv", collectivite=dump / "collectivite.csv", comptes=dump / "comptes.csv"
        )
    return path


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program of axe-core, as the lock file pins it; empty without npm: then contrasts alone are read."""
    if not shutil.which("npm"):
        return ""
    folder = tmp_path_factory.mktemp("axe")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "axe" / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text() if done.returncode == 0 else ""


@pytest.fixture(scope="session")
def companies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """A store where fictitious lists are published, and what was planted in them; to be read only."""
    # Learning takes long to import, for who tests other pages.
    from workbench.signaux_faibles.publication.demonstration import publish_fictitious
    from workbench.store import open_store

    with open_store(tmp_path_factory.mktemp("entreprises") / "registre.sqlite") as opened:
        yield opened, publish_fictitious(opened, companies=40)


@pytest.fixture
def store(companies: tuple[Any, Any]) -> Any:
    return companies[0]


@pytest.fixture
def planted(companies: tuple[Any, Any]) -> Any:
    return companies[1]
