"""``%%dgfip`` in a real IPython shell: results, options, errors without traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from workbench.config import settings

pytest.importorskip("IPython")


@pytest.fixture
def shell(demonstration_base: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("WORKBENCH_BASE", demonstration_base)
    config = Config()
    config.HistoryManager.enabled = False
    opened = InteractiveShell.instance(config=config)
    opened.run_line_magic("load_ext", "workbench")
    yield opened
    InteractiveShell.clear_instance()


def test_a_cell_gives_rows(shell: Any) -> None:
    result = shell.run_cell("%%dgfip\nSELECT exercice, count(*) AS n FROM budgets GROUP BY exercice ORDER BY 1")
    assert isinstance(result.result, wb.QueryResult)
    assert len(result.result) > 3


def test_python_and_sql_read_the_same_base(shell: Any, demonstration_base: str) -> None:
    with wb.connect() as base:
        assert base.url == demonstration_base


def test_options(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.user_ns["valeurs"] = [2023]
    result = shell.run_cell("%%dgfip --limit 2 -t 10 -p valeurs -o df\nSELECT siret FROM budgets WHERE exercice = $1")
    assert result.result is None
    assert isinstance(shell.user_ns["df"], pd.DataFrame)
    assert len(shell.user_ns["df"]) == 2
    assert "tronqué" in capsys.readouterr().out


def test_the_base_of_the_notebook_goes_first(
    shell: Any, demonstration_base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_BASE", "absente.duckdb")
    shell.run_cell("import workbench as wb")
    shell.user_ns["chemin"] = demonstration_base
    shell.run_cell("base = wb.connect(chemin); autre = wb.connect(chemin)")
    assert len(shell.run_cell("%%dgfip\nSELECT 1 AS un").result) == 1
    assert len(shell.run_cell("%%dgfip -b autre\nSELECT 1 AS un").result) == 1


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("%%dgfip\nSELECT nope FROM budgets", "ligne 1, colonne 8"),
        ("%%dgfip\nDELETE FROM budgets", "refusée"),
        ("%%dgfip\nSELECT 1; SELECT 2", "plusieurs instructions"),
        ("%%dgfip --limit 0\nSELECT 1", "De 1 à"),
        ("%%dgfip -b nulle\nSELECT 1", "nulle n'est pas une base ouverte"),
        ("%%dgfip -o a.b\nSELECT 1", "n'est pas un nom de variable"),
    ],
)
def test_errors_have_no_traceback(shell: Any, capsys: pytest.CaptureFixture[str], cell: str, said: str) -> None:
    shell.run_cell(cell)
    shown = "".join(capsys.readouterr())
    assert said in shown
    assert "Traceback" not in shown
    assert "magics.py" not in shown


def test_an_error_is_safe_html() -> None:
    from workbench.magics import ShownError

    html = ShownError(wb.WorkbenchError("requete_absente", nom="<script>", conseil=""))._repr_html_()
    assert "<script>" not in html


def test_a_formule_is_checked_in_its_cell(shell: Any) -> None:
    view = shell.run_cell("%%formule\nC70-D709[TA:BX").result
    assert [fix.replacement for fixes in view.fixes for fix in fixes] == ["[TA:BX]"]
    assert not view.right
    assert "wavy underline" in view._repr_html_()
    assert shell.run_cell("%%formule A_VENTES -o ventes\nC70-D709[TA:BX]").result.right
    assert shell.user_ns["ventes"] == wb.Indicateur.from_texte("A_VENTES", "C70-D709[TA:BX]")


def test_a_formule_goes_into_a_session(shell: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = wb.edit_trame(tmp_path / "essai.yaml", create=True, nomenclature="M57")
    shell.user_ns["session"] = session
    shell.user_ns["trame"] = wb.trame_from_formules({"A_B": "C70[TA:BX]"})
    shell.run_cell("%%formule A_VENTES -t session\nC70[TA:BX]")
    shell.run_cell("%%formule A_VENTES -t session\nC701[TA:BX]")
    assert session["A_VENTES"].texte == "C701[TA:BX]"
    # Known names are those of the trame.
    assert not shell.run_cell("%%formule -t trame\nA_C/2").result.right
    assert shell.run_cell("%%formule -t trame\nA_B/2").result.right
    # A formule that is wrong leaves the session as it was.
    shell.run_cell("%%formule A_VENTES -t session\nC70[TA:BX]+A_INCONNU")
    assert session["A_VENTES"].texte == "C701[TA:BX]"
    for cell in (
        "%%formule -t absente\nC70",
        "%%formule -o x\nC70",
        "%%formule A_B -o a.b\nC70",
        "%%formule non -t session\nC70[TA:BX]",
    ):
        shell.run_cell(cell)
    shown = "".join(capsys.readouterr())
    assert "n'est pas une trame" in shown
    assert "Traceback" not in shown
    assert "magics.py" not in shown


def test_an_error_of_python_says_the_line_of_the_cell(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_cell("deux = 2\ndef ouvre(chemin):\n    return wb.connect(chemin)\nimport workbench as wb\nouvre('rien')")
    shown = capsys.readouterr().out
    assert "La base rien n'existe pas." in shown
    assert "workbench base import" in shown
    assert "ligne 3 : return wb.connect(chemin)" in shown
    assert "Traceback" not in shown
    shell.run_cell("1 / 0")
    assert "Traceback" in capsys.readouterr().out


def test_shared_folders_are_found_from_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "notebooks" / "2026"
    below.mkdir(parents=True)
    (tmp_path / "trames").mkdir()
    monkeypatch.delenv("WORKBENCH_TRAMES", raising=False)
    monkeypatch.chdir(below)
    assert settings().trames == tmp_path / "trames"
    assert settings().notebooks == tmp_path / "notebooks"
    assert settings().reports == Path("rapports")
    (below / "trames").mkdir()
    assert settings().trames == Path("trames")
    monkeypatch.setenv("WORKBENCH_TRAMES", "ailleurs")
    assert settings().trames == Path("ailleurs")
