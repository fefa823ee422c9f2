"""A real JupyterLab: one server, and one window for tests that follow each other; kernels of its own for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_server import Lab, LabServer, LabWindow, running_lab

WINDOW = pytest.StashKey[LabWindow]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Keep a picture of the window where a test failed, and leave it: the next one has another."""
    report = yield
    if report.failed and (window := item.session.stash.get(WINDOW, None)):
        report.sections.append(("window", window.spoil(item.name)))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[Any]:
    """Close the window before a test that does not use it: an event loop runs as long as it is open."""
    result = yield
    if "lab" not in getattr(nextitem, "fixturenames", ()) and (window := item.session.stash.get(WINDOW, None)):
        window.close()
    return result


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[LabServer]:
    """A server of notebooks, whose kernels import the checkout; the tutorials are there when its window opens."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("jupyterlab")
    queries = {
        "WORKBENCH_REQUETES": str(folder / "requetes"),
        "WORKBENCH_REQUETES_PRIVEES": str(folder / "requetes_privees"),
    }
    tutorials = folder / "notebooks" / "notebooks"
    tutorials.mkdir(parents=True)
    shutil.copy(project / "notebooks" / "00_prise_en_main.ipynb", tutorials)
    with running_lab(folder, project, **queries) as server:
        yield server


@pytest.fixture(scope="session")
def lab_window(
    request: pytest.FixtureRequest, lab_server: LabServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabWindow]:
    """The window; its pictures are under the folder of ``--basetemp``."""
    window = LabWindow(lab_server, tmp_path_factory.mktemp("screenshots"))
    request.session.stash[WINDOW] = window
    yield window
    window.close()


@pytest.fixture
def lab(lab_window: LabWindow) -> Lab:
    """JupyterLab: ``lab.open("import workbench as wb", …)`` opens a notebook of those cells; no query is saved yet."""
    for name in ("requetes", "requetes_privees"):
        shutil.rmtree(lab_window.server.folder / name, ignore_errors=True)
    return Lab(lab_window)


@pytest.fixture(scope="session")
def lab_base(demonstration_base: str) -> str:
    """Path of a base of six fictitious communes, 2017 to 2024."""
    return demonstration_base
