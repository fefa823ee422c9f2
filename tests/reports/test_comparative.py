"""Collectivités side by side: figures per inhabitant, medians of strates, files of the comparative report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import workbench as wb
from workbench.dgfip import Base
from workbench.reports import State, run_report
from workbench.reports.comparative import Comparison, compare_collectivites, places, side_by_side, title, warnings
from workbench.reports.comparative_charts import comparative_charts
from workbench.reports.excel_comparative import write_comparison
from workbench.reports.sections import EmptyReportError
from workbench.trames import Trame

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = re.compile(
    r"""(?:src|href|action|data|poster)\s*=\s*["'`]?\s*https?:|url\(\s*["']?https?:|@import""", re.IGNORECASE
)
ABSENT = "99999999900009"


@pytest.fixture(scope="module")
def base() -> Base:
    return wb.open_demonstration(communes=8)


@pytest.fixture(scope="module")
def trame() -> Trame:
    return wb.load_trame(ROOT / "trames" / "ofgl_agregats_m57.yaml")


@pytest.fixture(scope="module")
def sirets(base: Base) -> list[str]:
    found: list[str] = wb.find_collectivites(base, nomenclature="M57")["siret"].tolist()
    return found[:3]


@pytest.fixture(scope="module")
def comparison(base: Base, trame: Trame, sirets: list[str]) -> Comparison:
    return compare_collectivites(trame, base, sirets=[*sirets, ABSENT], exercices=range(2020, 2025))


def test_amounts_are_compared_by_inhabitant(
    comparison: Comparison, base: Base, trame: Trame, sirets: list[str]
) -> None:
    table: Any = wb.evaluate(trame, base, sirets=[sirets[0]], exercices=[2024])
    inhabitants = table.provenance.budgets.to_pylist()[0]["population"]
    value = comparison.value("OFGL_TVA_HABITANT", sirets[0], 2024)
    assert value == pytest.approx(table.at["OFGL_TVA", 2024] / inhabitants)
    codes = [one.code for _, one in comparison.indicateurs]
    assert len(codes) == len(set(codes))
    assert not [one.code for _, one in comparison.indicateurs if one.unite == "euros"]
    assert codes.count("OFGL_EPARGNE_BRUTE_HABITANT") == 1  # the trame has its own
    assert comparison.trame["OFGL_EPARGNE_BRUTE_HABITANT"] == trame["OFGL_EPARGNE_BRUTE_HABITANT"]


def test_medians_are_those_of_the_strate(comparison: Comparison, sirets: list[str]) -> None:
    code = "OFGL_EPARGNE_BRUTE_HABITANT"
    for siret in sirets:
        row = comparison.ranked[(code, siret, 2024)]
        same = [
            each
            for each in comparison.strates.statistics.to_pylist()
            if (each["indicateur"], each["strate"], each["exercice"]) == (code, comparison.strate_of[siret], 2024)
        ]
        assert [each["median"] for each in same] == [comparison.median(code, siret, 2024)]
        assert row["value"] == pytest.approx(comparison.value(code, siret, 2024))


def test_an_absent_collectivite_is_said(comparison: Comparison, sirets: list[str]) -> None:
    assert comparison.absents == (ABSENT,)
    assert list(comparison.tables) == sirets
    assert ABSENT in warnings(comparison).text
    assert comparison.exercice == 2024
    assert "comparés en 2024" in title(comparison).text


def test_a_year_without_accounts_is_a_dash(comparison: Comparison, sirets: list[str]) -> None:
    first = min(comparison.exercices)
    late = [siret for siret in sirets if first not in comparison.tables[siret].columns]
    assert late, "the demonstration has communes that came to M57 at different times"
    assert comparison.value("OFGL_TVA_HABITANT", late[0], first) is None
    assert "—" in side_by_side(comparison, first).text
    assert "—" in places(comparison, first).text


def test_sections_hold_every_indicateur(comparison: Comparison) -> None:
    section = side_by_side(comparison)
    assert section.text.count("\n") > len(comparison.indicateurs)
    assert section.html.count('<th scope="row"') == len(comparison.indicateurs)
    assert "Médiane\u00a0: communes" in section.html
    assert places(comparison).html.count("<table") == section.html.count("<table")


def test_charts_have_a_line_each(comparison: Comparison, sirets: list[str]) -> None:
    drawn = comparative_charts(comparison)
    assert len(drawn) == 6
    assert all(len(chart.figure.data) >= len(sirets) for chart in drawn)
    assert all(chart._repr_mimebundle_()["text/plain"].startswith("Graphique : ") for chart in drawn)
    assert len(comparative_charts(comparison, ["OFGL_TVA_HABITANT"])) == 1


def test_a_serie_is_compared_through_the_change_of_nomenclature(base: Base, sirets: list[str]) -> None:
    serie = wb.load_trame(ROOT / "trames" / "ofgl_agregats.yaml")
    seen = compare_collectivites(serie, base, sirets=sirets[:2], exercices=range(2017, 2025))
    assert min(seen.exercices) == 2017
    assert seen.value("OFGL_RECETTES_FONCTIONNEMENT_HABITANT", sirets[0], 2017)


def test_the_workbook_has_both_sheets(comparison: Comparison, sirets: list[str], tmp_path: Path) -> None:
    path = write_comparison(comparison, tmp_path / "comparaison.xlsx")
    workbook = openpyxl.load_workbook(path, read_only=True)
    assert workbook.sheetnames == ["Comparaison", "Valeurs"]
    first = list(workbook["Comparaison"].iter_rows(values_only=True))
    assert first[0][3:6] == tuple(comparison.names.values())
    assert len(first) == len(comparison.indicateurs) + 1
    values = list(workbook["Valeurs"].iter_rows(values_only=True))
    years = sum(len(table.columns) for table in comparison.tables.values())
    assert len(values) == 1 + len(comparison.indicateurs) * years
    assert {row[0] for row in values[1:]} == set(sirets)
    workbook.close()


def test_nothing_to_compare_is_empty(base: Base, trame: Trame) -> None:
    with pytest.raises(EmptyReportError, match=ABSENT):
        compare_collectivites(trame, base, sirets=[ABSENT], exercices=[2024])


def test_the_comparative_report(base: Base, sirets: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_TRAMES", str(ROOT / "trames"))
    monkeypatch.setenv("WORKBENCH_NOTEBOOKS", str(ROOT / "notebooks"))
    result = run_report(
        trame="ofgl_agregats_m57", sirets=sirets, exercices=range(2020, 2025), to=tmp_path, base=base.url, compare=True
    )
    assert result.state is State.DONE, result.message
    assert set(result.files) == {"notebook", "excel", "html"}
    assert result.files["html"].name == "ofgl_agregats_m57_comparaison_3-budgets_2020_2024.html"
    page = result.files["html"].read_text(encoding="utf-8")
    assert not OUTSIDE.search(page)
    assert "default-src 'none'" in page
    assert page.count('class="wb-graphique"') == 6
    assert json.loads(result.manifest.read_text(encoding="utf-8"))["notebook"]["nom"] == "45_rapport_comparatif.ipynb"
    with pytest.raises(wb.WorkbenchError, match="modele"):
        run_report(
            trame="ofgl_agregats_m57", sirets=sirets, exercices=[2024], to=tmp_path, base=base.url, compare=True,
            model=result.files["excel"],
        )  # fmt: skip
