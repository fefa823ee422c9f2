"""A real JupyterLab: the server once a session, the browser once a module, a clean state for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import opened_browser
from lab_server import Lab, LabServer, running_lab


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[LabServer]:
    """A server of notebooks, whose kernels import the checkout."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("jupyterlab")
    queries = {
        "WORKBENCH_REQUETES": str(folder / "requetes"),
        "WORKBENCH_REQUETES_PRIVEES": str(folder / "requetes_privees"),
    }
    with running_lab(folder, project, **queries) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser."""
    with opened_browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the pictures, under the one of ``--basetemp``."""
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture
def lab(browser: Any, lab_server: LabServer, screenshots: Path) -> Iterator[Lab]:
    """JupyterLab: ``lab.open("import workbench as wb", …)`` opens a notebook of those cells."""
    opened = Lab(browser, lab_server, screenshots)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def lab_base(demonstration_base: str) -> str:
    """Path of a base of six fictitious communes, 2017 to 2024."""
    return demonstration_base
