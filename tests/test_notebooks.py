"""The tutorials run from their first cell to their last, on what they make themselves, and say real figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.reports import export_html
from workbench.reports.notebook import execute_notebook

ROOT = Path(__file__).resolve().parents[1]

TUTORIALS = {
    "00_prise_en_main": ("Épargne brute", "674\u202f633", "prise_en_main.xlsx"),
    "10_ecrire_une_formule": ("n&#x27;est pas fermé", "1\u202f330\u202f375\u00a0€", "Répartition"),
    "20_construire_une_trame": ("Taux d’épargne brute", "aucune différence", "compté 2 fois", "MON_EPARGNE le cite"),
    "30_interroger_la_base_dgfip": ("tronqué", "1er quartile", "Seules sont admises les lectures", "SQL"),
    "50_mois_signaux_faibles": ("Batch 1802", "sigfaible_debits.csv", "n'est pas une date", "complète", "Retirés"),
    "55_variables_d_une_entreprise": (
        "Cotisations et dettes sociales",
        "montant_part_patronale",
        "futur_connu",
        "Sources",
    ),
    "70_exploitation": ("Rapports en attente", "registre", "Aucun journal"),
}
"""What each one shows, among other things."""


def test_every_tutorial_is_tried() -> None:
    reports = {"40_rapport_collectivite", "45_rapport_comparatif"}
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} >= set(TUTORIALS) | reports


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_carry_no_output(path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["metadata"]["kernelspec"]["name"] == "python3"
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
    assert len({cell["id"] for cell in content["cells"]}) == len(content["cells"])
    assert sum("parameters" in cell["metadata"].get("tags", []) for cell in content["cells"]) == 1


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_runs(name: str, tmp_path: Path) -> None:
    execution = execute_notebook(
        ROOT / "notebooks" / f"{name}.ipynb",
        {},
        folder=tmp_path,
        environment={
            "WORKBENCH_TRAMES": str(ROOT / "trames"),
            "WORKBENCH_REGISTRE": str(tmp_path / "registre.sqlite"),
            "WORKBENCH_TRAMES_PRIVEES": str(tmp_path / "trames-privees"),
            "WORKBENCH_REQUETES_PRIVEES": str(tmp_path / "requetes-privees"),
        },
    )
    assert not execution.failed, f"{execution.cell}: {execution.cause}"
    shown = json.dumps(execution.notebook, ensure_ascii=False)
    for said in TUTORIALS[name]:
        assert said in shown, said
    assert not [output for output in _outputs(execution.notebook) if output.get("name") == "stderr"]
    written = tmp_path / "carnet.ipynb"
    written.write_text(shown, encoding="utf-8")
    page = export_html(written, tmp_path / "carnet.html").read_text(encoding="utf-8")
    assert page.count("<style>") <= 2


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
