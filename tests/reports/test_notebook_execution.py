"""The door to papermill, on small real notebooks in real kernels: what ends well, what fails, what dies."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workbench.reports.notebook import Execution, execute_notebook


def notebook(folder: Path, *sources: str, parameters: str = "n: int = 1") -> Path:
    def code(source: str, tags: list[str]) -> dict[str, Any]:
        return {
            "cell_type": "code", "id": f"c{abs(hash(source)) % 10**8}", "metadata": {"tags": tags}, "source": source,
            "outputs": [], "execution_count": None,
        }  # fmt: skip

    heading = {"cell_type": "markdown", "id": "titre", "metadata": {}, "source": "## Partie **une**"}
    cells = [code(parameters, ["parameters"]), heading, *(code(source, []) for source in sources)]
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    path = folder / "essai.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def run(folder: Path, *sources: str, given: Mapping[str, Any] | None = None, **options: Any) -> Execution:
    work = folder / "travail"
    work.mkdir(exist_ok=True)
    return execute_notebook(notebook(folder, *sources), given or {"n": 2}, folder=work, **options)


def printed(execution: Execution) -> str:
    return "".join(
        output.text for cell in execution.notebook.cells for output in cell.get("outputs", []) if "text" in output
    )


def test_a_notebook_runs_with_its_parameters_here_and_leaves_its_model_alone(tmp_path: Path) -> None:
    before = Path.cwd()
    told: list[tuple[int, int, str]] = []
    execution = run(
        tmp_path,
        "import os, sys, workbench\n"
        "print(n, os.getcwd(), sys.executable, workbench.__file__, os.environ['CLE'], sep='|')",
        environment={"CLE": "a$HOME"},
        progress=lambda *step: told.append(step),
    )
    assert not execution.failed
    package = Path(sys.modules["workbench"].__file__ or "")
    assert printed(execution).strip() == f"2|{tmp_path / 'travail'}|{sys.executable}|{package}|a$HOME"
    assert Path.cwd() == before
    assert "outputs" in json.loads((tmp_path / "essai.ipynb").read_text())["cells"][2]
    assert not json.loads((tmp_path / "essai.ipynb").read_text())["cells"][2]["outputs"]
    assert told[-1] == (4, 4, "")
    assert (3, 4, "Partie **une**") in told
    nbformat.validate(execution.notebook)
    assert str(tmp_path) not in json.dumps(execution.notebook.metadata)  # no path of the machine in what is handed over


LATE = """
import time
kernel = get_ipython().kernel
publish = kernel._publish_status
def late(status, *others, **named):
    if status == "idle":
        kernel._publish_status = publish
        time.sleep({seconds})
        display("montant " + str(n))
    publish(status, *others, **named)
kernel._publish_status = late
"""
"""What a busy machine does: the answer of a cell is read at once, and long afterwards what it showed."""


def shown(execution: Execution) -> str:
    outputs = [output for cell in execution.notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.data["text/plain"] for output in outputs if output.output_type == "display_data")


def test_what_a_cell_shows_late_is_not_lost(tmp_path: Path) -> None:
    execution = run(tmp_path, LATE.format(seconds=5), "print('suite')")
    assert not execution.failed
    assert shown(execution) == "'montant 2'"
    assert printed(execution) == "suite\n"


def test_a_report_whose_figures_never_arrive_fails_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.reports.notebook.HEARING_SECONDS", 1)
    execution = run(tmp_path, LATE.format(seconds=4), "print('suite')")
    assert execution.failed
    assert execution.cause == "Ce que la cellule affiche n'est pas arrivé dans les 1 s qui ont suivi sa fin."


def test_neither_the_path_nor_kernelspecs_nor_startup_files_of_the_user_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "jupyter" / "kernels" / "python3"
    trap.mkdir(parents=True)
    (trap / "kernel.json").write_text(json.dumps({"argv": ["false"], "display_name": "piège", "language": "python"}))
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("raise SystemExit('démarrage du lecteur')")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    assert printed(run(tmp_path, "import sys\nprint(sys.executable)")).strip() == sys.executable


def test_a_failing_cell_is_marked_and_the_rest_is_pending(tmp_path: Path) -> None:
    execution = run(tmp_path, "print('avant')", "1 / 0", "print('après')")
    assert execution.failed
    assert execution.error == "ZeroDivisionError"
    assert execution.cause == "Erreur inattendue dans le notebook : ZeroDivisionError : division by zero"
    cells = execution.notebook.cells
    assert cells[0].source.startswith("# Le rapport a échoué")
    assert "division by zero" in cells[0].source
    failing = next(i for i, cell in enumerate(cells) if cell.source == "1 / 0")
    assert "echec" in cells[failing].metadata["tags"]
    assert "La cellule suivante a échoué" in cells[failing - 1].source
    assert cells[failing].metadata.papermill["status"] == "failed"
    assert cells[-1].metadata.papermill["status"] == "pending"
    assert "An Exception was encountered" not in json.dumps(execution.notebook)
    assert printed(execution).strip() == "avant"


def test_our_own_errors_are_told_in_their_words(tmp_path: Path) -> None:
    execution = run(
        tmp_path, "from workbench.errors import WorkbenchError\nraise WorkbenchError('base_absente', chemin='b.duckdb')"
    )
    assert execution.error == "WorkbenchError"
    assert execution.cause.startswith("La base b.duckdb n'existe pas.")


@pytest.mark.parametrize(
    ("sources", "place"),
    [
        (("a = 2", "\nb = 0\na / b"), "cellule [4], ligne 3"),
        (("def diviser(a):\n    x = 1\n    return x / a", "1\n\n\n\ndiviser(0)"), "cellule [4], ligne 5"),
        (("a = 2\nb = = 3",), "cellule [3], ligne 2"),
        (("", "import os\nos._exit(9)"), "cellule [3]"),
    ],
    ids=["line", "function of another cell", "syntax", "dead kernel"],
)
def test_where_it_failed_is_said(sources: tuple[str, ...], place: str, tmp_path: Path) -> None:
    execution = run(tmp_path, *sources)
    assert execution.place == f"Où : {place}, sous « Partie **une** »."
    assert execution.place in execution.notebook.cells[0].source


def test_a_late_notebook_is_stopped_and_its_kernel_with_it(tmp_path: Path) -> None:
    execution = run(tmp_path, "import os\nprint(os.getpid(), flush=True)", "import time\ntime.sleep(60)", timeout=8)
    assert execution.error == "CellTimeoutError"
    assert "n'a pas fini dans les 8 secondes" in execution.cause
    failing = next(cell for cell in execution.notebook.cells if "sleep" in cell.source)
    assert failing.metadata.papermill["status"] == "failed"  # papermill says completed
    assert not Path(f"/proc/{int(printed(execution))}").exists()


def test_a_dead_kernel_is_a_failure(tmp_path: Path) -> None:
    execution = run(tmp_path, "print('avant')", "import os\nos._exit(9)", "print('après')")
    assert execution.failed
    assert "s'est arrêté" in execution.cause
    statuses = {
        cell.source: cell.metadata.papermill["status"]
        for cell in execution.notebook.cells
        if "papermill" in cell.metadata
    }
    assert statuses["import os\nos._exit(9)"] == "failed"
    assert statuses["print('après')"] == "pending"


def test_threads_run_at_once_each_in_its_folder(tmp_path: Path) -> None:
    found: dict[str, str] = {}

    def one(name: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        found[name] = printed(
            run(
                folder,
                "import os, time\ntime.sleep(0.5)\nprint(n, os.path.basename(os.path.dirname(os.getcwd())))",
                given={"n": name},
            )
        )

    threads = [threading.Thread(target=one, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert {name: text.strip() for name, text in found.items()} == {"a": "a a", "b": "b b"}


def test_the_grammar_of_addresses_is_never_compiled() -> None:
    """It costs two seconds to each process that imports jsonschema; see `_quick_imports`."""
    import subprocess

    program = (
        "import sys\nfrom workbench.reports.notebook import _quick_imports\n"
        "with _quick_imports():\n    import papermill.execute\n"
        "print('rfc3987_syntax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=os.environ)
    assert done.stdout.strip() == "False", done.stderr


def test_an_interruption_shuts_the_kernel_down(tmp_path: Path) -> None:
    """As a reader who presses Ctrl-C: the exception goes on, no kernel stays."""
    import subprocess
    import time

    (tmp_path / "travail").mkdir()
    path = notebook(tmp_path, "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(120)")
    program = (
        "from pathlib import Path\nfrom workbench.reports.notebook import execute_notebook\n"
        f"execute_notebook(Path({str(path)!r}), {{'n': 1}}, folder=Path({str(tmp_path / 'travail')!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True)
    written = tmp_path / "travail" / "pid"
    for _ in range(300):
        if written.is_file() and written.read_text():
            break
        time.sleep(0.1)
    kernel = int(written.read_text())
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=40)
    assert "KeyboardInterrupt" in error
    for _ in range(50):
        if not Path(f"/proc/{kernel}").exists():
            break
        time.sleep(0.1)
    assert not Path(f"/proc/{kernel}").exists()


def test_a_report_can_be_run_from_a_notebook_or_a_server(tmp_path: Path) -> None:
    """Where an event loop runs already, and is left as it was."""
    import asyncio

    async def inside() -> str:
        return printed(run(tmp_path, "print('dedans')"))

    assert asyncio.run(inside()).strip() == "dedans"
