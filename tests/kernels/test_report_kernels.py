"""Notebooks of reports in prepared kernels: the same outcome as in plain ones, and the truth when they go too far."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workbench.kernels.client import is_possible
from workbench.kernels.confinement import is_confinable
from workbench.reports.notebook import Execution, execute_notebook
from workbench.reports.warm import KNOW_TRAME
from workbench.trames import save_trame, trame_from_formules

pytestmark = [
    pytest.mark.usefixtures("own_runtime"),
    pytest.mark.skipif(not is_possible(), reason="kernels are forked on Linux only"),
]

ZYGOTE = "import os\nprint(os.getppid())"


def run(folder: Path, *sources: str, kernel: str | None = "workbench", timeout: float = 60, **more: Any) -> Execution:
    cells = [nbformat.v4.new_code_cell("n: int = 1", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "modele.ipynb")
    work = folder / "travail"
    work.mkdir(exist_ok=True)
    return execute_notebook(folder / "modele.ipynb", {"n": 2}, folder=work, kernel=kernel, timeout=timeout, **more)


def printed(execution: Execution) -> str:
    outputs = [output for cell in execution.notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if "text" in output)


def test_reports_share_a_zygote_that_a_single_one_does_not_start(tmp_path: Path) -> None:
    first = run(tmp_path, "import sys\nprint('pandas' in sys.modules)", ZYGOTE)
    assert not first.failed, first.cause
    loaded, zygote = printed(first).split()
    assert loaded == "True"
    assert printed(run(tmp_path, ZYGOTE)).strip() == zygote
    assert printed(run(tmp_path, ZYGOTE, kernel=None)).strip() == zygote  # it runs: it is used
    assert printed(run(tmp_path, ZYGOTE, kernel="python3")).strip() != zygote


def test_the_trame_of_a_batch_is_compiled_once_for_all_its_reports(tmp_path: Path) -> None:
    path = tmp_path / "essai.yaml"
    count = (
        "from workbench.evaluation.kernel import program_of\nfrom workbench.evaluation.plan import compile_trame\n"
        "from workbench.trames import load_trame\n"
        f"program_of(compile_trame(load_trame({str(path)!r})))\nprint(program_of.cache_info().misses)"
    )
    before = None
    for version, formule in (("1", "C70[TA:BX]"), ("1", "C70[TA:BX]"), ("2", "C71[TA:BX]")):
        save_trame(trame_from_formules({"A_B": formule}, code="essai", nomenclature="M57"), path)
        execution = run(tmp_path, count, known=[(KNOW_TRAME, str(path), version)])
        assert not execution.failed, execution.cause
        misses = int(printed(execution))
        assert before is None or misses == before + (version == "2")  # the zygote's, and none of the kernel's own
        before = misses


def test_an_unknown_kernel_is_replaced_and_said(tmp_path: Path) -> None:
    execution = run(tmp_path, "print('oui')", kernel="absent")
    assert not execution.failed
    assert execution.warnings == (
        "Le noyau « absent » n'est pas installé sur cette machine : un noyau Python ordinaire l'a remplacé.",
    )


@pytest.mark.parametrize("kernel", ["workbench", "python3"])
def test_a_report_that_eats_memory_fails_with_its_cause_and_leaves_the_others(tmp_path: Path, kernel: str) -> None:
    (tmp_path / "autre").mkdir()
    execution = run(
        tmp_path, "import numpy, time\nheap = numpy.ones(150_000_000)\ntime.sleep(30)", kernel=kernel, memory=400 << 20
    )
    assert execution.failed
    assert "mémoire" in execution.cause
    assert not run(tmp_path / "autre", "print('oui')", kernel=kernel).failed


def test_a_report_without_end_fails_in_its_time_with_its_kernel(tmp_path: Path) -> None:
    execution = run(tmp_path, ZYGOTE.replace("getppid", "getpid"), "while True: pass", timeout=8)
    assert execution.failed
    assert "n'a pas fini dans les 8 secondes" in execution.cause
    assert not Path(f"/proc/{int(printed(execution))}").exists()


def test_a_report_that_prints_a_hundred_megabytes_is_cut(tmp_path: Path) -> None:
    execution = run(tmp_path, "for _ in range(100):\n    print('x' * 1_000_000)")
    assert not execution.failed
    assert len(printed(execution)) < 10_100_000
    assert "… Sortie coupée" in printed(execution)


@pytest.mark.skipif(not is_confinable(), reason="this system has no Landlock")
@pytest.mark.parametrize("kernel", ["workbench", "python3"])
def test_a_report_that_writes_elsewhere_fails_and_nothing_is_written(tmp_path: Path, kernel: str) -> None:
    (tmp_path / "voisin.xlsx").write_text("gardé")
    execution = run(
        tmp_path,
        "import tempfile\nopen('ici', 'w').close()\ntempfile.TemporaryFile().close()",
        f"open({str(tmp_path / 'voisin.xlsx')!r}, 'w')",
        kernel=kernel,
    )
    assert execution.error == "PermissionError"
    assert execution.cause.startswith("Le notebook a voulu écrire hors de son dossier")
    assert (tmp_path / "voisin.xlsx").read_text() == "gardé"
    assert (tmp_path / "travail" / "ici").exists()
    assert sys.platform == "linux"
