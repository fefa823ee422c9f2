"""The kernel specification, through Jupyter's own means: what papermill and nbclient run when it is installed."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from workbench.kernels.client import is_possible

pytestmark = pytest.mark.usefixtures("installed")

CODE = "import json, os, sys\nprint(json.dumps({'parent': open(f'/proc/{os.getppid()}/cmdline').read(), 'n': n}))"


def notebook() -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(CODE)]
    metadata = {"kernelspec": {"name": "workbench", "display_name": "Comptes publics", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def seen(executed: nbformat.NotebookNode) -> dict[str, object]:
    found: dict[str, object] = json.loads(executed.cells[-1].outputs[0].text)
    return found


def test_jupyter_lists_it_with_its_icon() -> None:
    from jupyter_client.kernelspec import KernelSpecManager

    manager = KernelSpecManager()
    assert "workbench" in manager.find_kernel_specs()
    spec = manager.get_kernel_spec("workbench")
    assert spec.display_name == "Comptes publics (workbench)"
    assert spec.interrupt_mode == "signal"
    names = {each.name for each in Path(spec.resource_dir).iterdir()}
    assert {"logo-svg.svg", "logo-32x32.png", "logo-64x64.png"} <= names


def test_nbclient_runs_it() -> None:
    from nbclient import NotebookClient

    executed = NotebookClient(notebook(), kernel_name="workbench", timeout=60).execute()
    assert seen(executed)["n"] == 1
    if is_possible():
        assert "workbench.kernels.zygote" in str(seen(executed)["parent"])


def test_papermill_runs_it(tmp_path: Path) -> None:
    import papermill

    nbformat.write(notebook(), tmp_path / "a.ipynb")
    executed = papermill.execute_notebook(
        tmp_path / "a.ipynb", tmp_path / "b.ipynb", {"n": 3}, progress_bar=False, kernel_name="workbench"
    )
    assert seen(executed)["n"] == 3
    if is_possible():
        assert "workbench.kernels.zygote" in str(seen(executed)["parent"])
