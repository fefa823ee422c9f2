"""A report from beginning to end, on the fictitious communes: refused, empty, done, failed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import openpyxl
import pytest

from workbench.dgfip import connect, import_balances, import_population, perimetre, select_budgets
from workbench.dgfip.demonstration import write_demonstration
from workbench.errors import WorkbenchError
from workbench.evaluation import evaluate
from workbench.reports import ParametersError, State, export_html, publish_report, run_report
from workbench.reports.notebook import execute_notebook
from workbench.reports.request import find_notebook
from workbench.store import Desk, open_store
from workbench.trames import load_trame

SIRET = "99900003200019"  # a commune with too little savings


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four fictitious communes, four exercices."""
    folder = tmp_path_factory.mktemp("base")
    files = write_demonstration(folder / "fichiers", communes=4, exercices=4)
    with connect(folder / "base.duckdb", read_only=False) as opened:
        import_balances(opened, list(files.balances))
        import_population(opened, files.population)
    return folder / "base.duckdb"


@pytest.fixture
def trames(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_TRAMES", str(project / "trames"))
    monkeypatch.setenv("WORKBENCH_NOTEBOOKS", str(project / "notebooks"))
    return project / "trames"


@pytest.fixture
def request_(base: Path, trames: Path, tmp_path: Path) -> dict[str, Any]:
    """A right request; tests change one thing in it."""
    return {
        "trame": trames / "ofgl_agregats_m14.yaml", "base": base, "sirets": [SIRET], "exercices": range(2021, 2024),
        "to": tmp_path / "sortie",
    }  # fmt: skip


@pytest.fixture(scope="module")
def done(base: Path, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The report of one commune, made once, asked for as analysts do: relative paths, arrays of numpy."""
    folder = tmp_path_factory.mktemp("rapport")
    with contextlib.chdir(folder.parent):
        return run_report(
            trame=project / "trames" / "ofgl_agregats_m14.yaml",
            base=os.path.relpath(str(base)),
            sirets=np.array([SIRET]),
            exercices=np.arange(2021, 2024),
            to=folder.name,
            notebook=project / "notebooks" / "40_rapport_collectivite.ipynb",
        )


def only_state(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_report_is_done_and_says_so(done: Any) -> None:
    assert done.state is State.DONE
    assert (done.message, done.warnings) == ("", ())
    stem = f"ofgl_agregats_m14_{SIRET}_2021_2023"
    assert only_state(done.manifest.parent) == [f"{stem}.{kind}" for kind in ("html", "ipynb", "json", "xlsx")]
    manifest = json.loads(done.manifest.read_text(encoding="utf-8"))
    assert manifest["etat"] == "DONE"
    assert manifest["parametres"]["sirets"] == [SIRET]
    assert (manifest["parametres"]["exercice_min"], manifest["parametres"]["exercice_max"]) == (2021, 2023)
    assert manifest["instantane"]
    assert set(manifest["fichiers"]) == {"notebook", "html", "excel"}
    assert all(len(one["sha256"]) == 64 and one["octets"] > 0 for one in manifest["fichiers"].values())
    assert manifest["versions"]["papermill"]


def test_the_report_tells_the_commune(done: Any) -> None:
    page = done.files["html"].read_text(encoding="utf-8")
    text = re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    for heading in ("Ce qui ressort", "Périmètre", "Indicateurs par thème", "Comparaison des exercices", "Graphiques",
                    "D’où vient un chiffre", "Définitions", "Sources"):  # fmt: skip
        assert heading in text, heading
    assert "(fictive)" in text
    assert "Données fictives de démonstration" in text
    assert "seuil d’alerte" in text
    assert "Traceback" not in text
    assert page.count("wb-graphique") > 8
    assert "import workbench" not in text
    assert str(done.manifest.parent) not in page


def test_the_workbook_holds_the_same_figures(done: Any) -> None:
    page = done.files["html"].read_text(encoding="utf-8")
    workbook = openpyxl.load_workbook(done.files["excel"], read_only=True)
    values = {
        float(cell) for sheet in workbook for row in sheet.iter_rows(values_only=True) for cell in row
        if isinstance(cell, int | float) and abs(cell) > 100_000
    }  # fmt: skip
    workbook.close()
    shown = {f"{value:,.0f}".replace(",", "\u202f") for value in values if value > 0}
    assert len(shown) > 20
    assert sum(text in page for text in shown) / len(shown) > 0.9


def test_the_executed_notebook_can_be_opened_and_holds_no_path_of_the_moment(done: Any) -> None:
    import nbformat

    notebook = nbformat.read(done.files["notebook"], as_version=4)
    nbformat.validate(notebook)
    text = done.files["notebook"].read_text(encoding="utf-8")
    assert "partiel" not in text
    assert "An Exception" not in text
    assert "plotly.js v" not in text  # figures are data; the page alone carries the library


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], None], str, str]] = {
    "siret court": (lambda r: r.update(sirets=["2131090020001"]), "siret_malforme", "n'est pas un SIRET"),
    "siret en nombre": (lambda r: r.update(sirets=[21310900200013.5]), "siret_malforme", "n'est pas un SIRET"),
    "siret arabe": (lambda r: r.update(sirets=["٢١٣١٠٩٠٠٢٠٠٠١٣"]), "siret_malforme", "n'est pas un SIRET"),
    "aucun siret": (lambda r: r.update(sirets=[]), "sirets_vides", "Aucun SIRET"),
    "années inversées": (lambda r: r.update(exercices=[2023, 2021]), "exercices_inverses", "2023, vient après"),
    "range inversé": (lambda r: r.update(exercices=range(2023, 2022)), "exercices_inverses", "2023, vient après"),
    "aucune année": (lambda r: r.update(exercices=[]), "exercices_vides", "Aucun exercice"),
    "année en texte": (lambda r: r.update(exercices=["2021"]), "exercice_impossible", "2021"),
    "année lointaine": (lambda r: r.update(exercices=[20221]), "exercice_impossible", "20221"),
    "trame absente": (lambda r: r.update(trame="absente.yaml"), "trame_fichier_absent", "absente.yaml"),
    "trame inconnue": (lambda r: r.update(trame="ofgl_agregat_m14"), "trame_absente", "ofgl_agregat_m14"),
    "base absente": (lambda r: r.update(base="nulle/part.duckdb"), "base_absente", "part.duckdb"),
    "modèle absent": (lambda r: r.update(model="absent.xlsx"), "modele_absent", "absent.xlsx"),
    "paramètre inconnu": (lambda r: r.update(parameters={"titres": "x"}), "parametre_inconnu", "« titre »"),
    "mauvais type": (lambda r: r.update(title=Decimal(3)), "parametre_mal_type", "il faut un texte"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_parameters_are_refused_before_anything_runs(
    request_: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, code, words = REFUSED[name]
    change(request_)
    monkeypatch.setattr("workbench.reports.report.execute_notebook", lambda *_, **__: pytest.fail("something ran"))
    with pytest.raises(ParametersError) as caught:
        run_report(**request_)
    assert code in [problem.code for problem in caught.value.problems]
    assert words in str(caught.value)
    assert only_state(request_["to"]) == []


def test_all_problems_of_a_request_come_at_once(request_: dict[str, Any]) -> None:
    request_.update(sirets=["1", "2"], exercices=[], base="nulle/part.duckdb", parameters={"inconnu": 1})
    with pytest.raises(ParametersError) as caught:
        run_report(**request_)
    codes = [problem.code for problem in caught.value.problems]
    assert codes == ["siret_malforme", "siret_malforme", "exercices_vides", "base_absente", "parametre_inconnu"]


def test_an_absent_notebook_is_said(request_: dict[str, Any]) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run_report(**request_, notebook="99_inconnu.ipynb")
    assert caught.value.code == "notebook_absent"


def test_an_empty_perimeter_is_a_state_not_a_failure(request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.reports.report.execute_notebook", lambda *_, **__: pytest.fail("something ran"))
    result = run_report(**{**request_, "sirets": ["99999999999999"]})
    assert result.state is State.EMPTY
    assert result.message == (
        "Il n'y a pas de comptes dans la base pour le SIRET 99999999999999, exercices 2021 à 2023, nomenclature M14."
    )
    assert only_state(request_["to"]) == [result.manifest.name]
    assert json.loads(result.manifest.read_text(encoding="utf-8"))["etat"] == "EMPTY"


def broken(project: Path, folder: Path, source: str) -> Path:
    """The report notebook with one more cell before its last."""
    content = json.loads((project / "notebooks" / "40_rapport_collectivite.ipynb").read_text(encoding="utf-8"))
    cell = {
        "cell_type": "code",
        "id": "panne",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    content["cells"].insert(-1, cell)
    path = folder / "modele_casse.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_failed_report_keeps_the_notebook_and_the_older_report(
    request_: dict[str, Any], project: Path, tmp_path: Path
) -> None:
    to = request_["to"]
    to.mkdir()
    stem = f"ofgl_agregats_m14_{SIRET}_2021_2023"
    (to / f"{stem}.html").write_text("le rapport d'hier", encoding="utf-8")
    result = run_report(**request_, notebook=broken(project, tmp_path, "tableau.loc['INCONNU']"))
    assert result.state is State.FAILED
    assert "KeyError" in result.message
    assert re.search(r"\nOù : cellule \[\d+\], ligne 1, sous « .+ »\.$", result.message)
    assert only_state(to) == [f"{stem}.echec.ipynb", f"{stem}.html", f"{stem}.json"]
    assert (to / f"{stem}.html").read_text(encoding="utf-8") == "le rapport d'hier"
    kept = json.loads(result.files["echec"].read_text(encoding="utf-8"))
    assert "Le rapport a échoué" in "".join(kept["cells"][0]["source"])
    marked = [cell for cell in kept["cells"] if "echec" in cell["metadata"].get("tags", [])]
    assert "tableau.loc['INCONNU']" in "".join(marked[-1]["source"])
    manifest = json.loads(result.manifest.read_text(encoding="utf-8"))
    assert (manifest["etat"], manifest["erreur"]) == ("FAILED", "KeyError")
    page = export_html(result.files["echec"], tmp_path / "echec.html").read_text(encoding="utf-8")
    assert "Cette partie a échoué" in page


def test_a_folder_that_cannot_be_written_is_said_before_anything_runs(
    request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.reports.report.execute_notebook", lambda *_, **__: pytest.fail("a notebook ran"))
    with pytest.raises(WorkbenchError) as refused:
        run_report(**request_ | {"to": Path("/proc/self")})
    assert refused.value.code == "dossier_non_inscriptible"
    assert "il n'existe pas" in str(refused.value)


def test_a_disk_that_fills_up_is_said_and_leaves_nothing(
    request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("workbench.reports.report._write_notebook", full)
    with pytest.raises(WorkbenchError) as refused:
        run_report(**request_)
    assert refused.value.code == "dossier_non_inscriptible"
    assert "le disque est plein" in str(refused.value)
    assert list(request_["to"].iterdir()) == []


def test_a_password_reaches_the_kernel_and_no_file(
    request_: dict[str, Any], project: Path, tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address of a server base: here a stand-in that the parent opens and the kernel only shows it received."""
    address = "postgresql+psycopg://moi:m0t-secret@serveur/base"
    real = connect(base)
    monkeypatch.setattr(real, "url", address)
    source = "import os\nprint('reçu' if 'm0t' + '-secret' in os.environ['WORKBENCH_BASE'] else 'rien')\n"
    source += "raise KeyError(os.environ['WORKBENCH_BASE'])"
    path = broken(project, tmp_path, source)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["cells"] = [content["cells"][0], content["cells"][-2]]
    path.write_text(json.dumps(content), encoding="utf-8")
    result = run_report(**{**request_, "base": real}, notebook=path)
    assert result.state is State.FAILED
    assert "reçu" in result.files["echec"].read_text(encoding="utf-8")
    assert "moi:***@serveur" in result.message
    assert not any(b"m0t-secret" in file.read_bytes() for file in request_["to"].iterdir())


def test_a_name_can_be_chosen_and_what_is_not_wanted_is_not_made(request_: dict[str, Any], tmp_path: Path) -> None:
    request_.update(to=tmp_path / "neuf" / "vallon.html", excel=False, html=False, title="Mon titre", exercices=[2021])
    result = run_report(**request_)
    assert result.state is State.DONE
    assert only_state(tmp_path / "neuf") == ["vallon.ipynb", "vallon.json"]
    assert "Mon titre" in result.files["notebook"].read_text(encoding="utf-8")


def test_a_code_of_trame_and_all_nomenclatures(request_: dict[str, Any]) -> None:
    request_.update(trame="ofgl_agregats_m14", exercices=range(2021, 2025), nomenclature="toutes", html=False)
    result = run_report(**request_)
    assert result.state is State.DONE
    text = result.files["notebook"].read_text(encoding="utf-8")
    assert "La nomenclature passe de M14 en 2023 à M57" in text


def test_a_serie_covers_the_exercices_on_both_sides_of_a_change(base: Path, request_: dict[str, Any]) -> None:
    with connect(base) as opened:
        kept = select_budgets(opened, perimetre(nomenclature="M14+M57", types=["101"])).to_pandas()
    changing = kept.groupby("siret")["nomenclature"].nunique()
    siret = str(changing[changing == 2].index[0])
    own = kept[kept["siret"] == siret]
    years = own["exercice"].tolist()
    trame = request_["trame"].with_name("ofgl_agregats.yaml")
    result = run_report(**request_ | {"trame": trame, "sirets": [siret], "exercices": range(years[0], years[-1] + 1)})
    assert result.state is State.DONE, result.message
    manifest = json.loads(result.manifest.read_text(encoding="utf-8"))
    assert manifest["trame"]["code"] == "ofgl_agregats"
    page = result.files["html"].read_text(encoding="utf-8")
    assert "évalués avec la trame ofgl_agregats_m14" in page
    assert "évalués avec la trame ofgl_agregats_m57" in page
    workbook = openpyxl.load_workbook(result.files["excel"], data_only=True)
    numbers = {
        float(cell.value)
        for sheet in workbook.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, int | float)
    }
    with connect(base) as opened:
        for half in ("ofgl_agregats_m14", "ofgl_agregats_m57"):
            table = evaluate(load_trame(trame.with_name(f"{half}.yaml")), opened, sirets=siret, exercices=years)
            assert len(table) >= 84
            for code in ("OFGL_RECETTES_FONCTIONNEMENT", "OFGL_EPARGNE_BRUTE", "OFGL_ENCOURS_DETTE"):
                assert all(any(abs(value - one) < 0.01 for one in numbers) for value in table.loc[code]), code


def test_without_chromium_the_report_is_done_with_a_warning(
    request_: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CHROMIUM", str(tmp_path / "absent"))
    result = run_report(**request_, pdf=True, html=False, excel=False)
    assert result.state is State.DONE
    assert "Chromium est introuvable" in result.warnings[0]
    assert set(result.files) == {"notebook"}


@pytest.mark.parametrize("name", ["00_prise_en_main.ipynb"])
def test_the_tutorial_runs(base: Path, trames: Path, tmp_path: Path, name: str) -> None:
    execution = execute_notebook(find_notebook(name), {"base": str(base), "texte": ""}, folder=tmp_path)
    assert execution.cause == ""
    assert (tmp_path / "prise_en_main.xlsx").is_file()
    outputs = [output for cell in execution.notebook.cells for output in cell.get("outputs", [])]
    assert "(fictive)" in json.dumps(outputs, ensure_ascii=False)


def test_notebooks_are_french_and_carry_nothing(project: Path) -> None:
    for path in sorted((project / "notebooks").glob("*.ipynb")):
        content = json.loads(path.read_text(encoding="utf-8"))
        for cell in content["cells"]:
            assert not cell.get("outputs"), path
            assert cell.get("execution_count") is None, path
        assert any("parameters" in cell["metadata"].get("tags", []) for cell in content["cells"]), path


def test_what_was_made_can_be_published(done: Any, tmp_path: Path) -> None:
    ada = SimpleNamespace(email="ada@exemple.fr", badges=frozenset[str]())
    with open_store(tmp_path / "registre.sqlite") as store:
        report = publish_report(done, store=Desk(store, ada))
        assert set(report.files) == {"valeurs", "classeur", "page"}
        assert report.file("page").content == done.files["html"].read_bytes()
        assert (report.values().shape[1], report.card["avertissements"]) == (3, [])
