from __future__ import annotations

from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from excel_tables import budgets, make_table
from hypothesis import given
from hypothesis import strategies as st

from workbench.reports.excel import report_filename, write_excel
from workbench.reports.excel_files import sheet_title
from workbench.reports.excel_totals import mean_annual_variation, total
from workbench.trames.model import Formule, Indicateur

EXERCICES = (2016, 2017, 2018)
INDICATEURS = (
    Indicateur(
        "A_RECETTES",
        "Recettes",
        (Formule("C70[TA:BX]", None, 2017), Formule("C74[TA:BX]", 2018)),
        "Ce que la commune encaisse.",
        "Instruction M14, tome 2",
        "Fonctionnement",
    ),
    Indicateur("A_TAUX", "=Taux d'épargne", (), "", "", "Fonctionnement", "pourcentage"),
    Indicateur(
        "A_DETTE", "Encours de dette", (Formule("SC16[TA:SX]"),), "", "", "Dette : stock/flux", "euros_par_habitant"
    ),
)
VALUES = {"A_RECETTES": (1000.0, 1100.0, 1210.0), "A_TAUX": (0.1, 0.2, 0.125), "A_DETTE": (-5.0, 0.0, 5.0)}


@pytest.fixture
def written(tmp_path: Path) -> openpyxl.Workbook:
    table = make_table(
        VALUES, EXERCICES, budgets(EXERCICES, etats="DMP"), INDICATEURS, ("Population absente en 2017.",)
    )
    return openpyxl.load_workbook(write_excel(table, to=tmp_path / "rapport.xlsx"))


def test_one_sheet_a_theme_then_definitions_then_perimetre(written: openpyxl.Workbook) -> None:
    assert written.sheetnames == ["Fonctionnement", "Dette stock flux", "Définitions", "Périmètre"]


def test_a_theme(written: openpyxl.Workbook) -> None:
    sheet = written["Fonctionnement"]
    assert [sheet.cell(row, 1).value for row in range(1, 5)] == [
        "Analyse d'essai – Fonctionnement",
        "VILLE 1 (n° SIRET : 21990001900019) – 3\u202f018 habitants en 2018",
        "Exercices 2016 – 2018, nomenclature M14",
        "Avertissement : Population absente en 2017.",
    ]
    assert [cell.value for cell in sheet[6]] == [
        "Indicateur",
        "Code",
        "Unité",
        2016,
        2017,
        2018,
        "Variation annuelle moyenne",
        "Écart sur la période",
    ]
    assert [cell.value for cell in sheet[7]][3:6] == ["Définitif", "Mixte", "Provisoire"]
    assert [cell.value for cell in sheet[8]] == [
        "Recettes",
        "A_RECETTES",
        "€",
        1000,
        1100,
        1210,
        pytest.approx(0.1),
        210,
    ]
    assert [cell.value for cell in sheet[9]][3:] == [0.1, 0.2, 0.125, None, pytest.approx(2.5)]
    assert sheet["A9"].value == "=Taux d'épargne"
    assert sheet["A9"].data_type == "s"
    assert sheet["D8"].number_format.startswith("#,##0")
    assert sheet["D9"].number_format.startswith("0.0%")
    assert sheet["G8"].number_format.startswith("0.0%")


def test_print_and_panes(written: openpyxl.Workbook) -> None:
    sheet = written["Fonctionnement"]
    assert sheet.freeze_panes == "D8"
    assert sheet.print_title_rows == "$6:$6"
    assert sheet.page_setup.orientation == "landscape"
    assert (sheet.page_setup.paperSize, sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) == (9, 1, 0)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage


def test_a_change_of_sign_has_a_difference_but_no_rate(written: openpyxl.Workbook) -> None:
    assert [cell.value for cell in written["Dette stock flux"][8]][6:] == [None, 10]


def test_definitions(written: openpyxl.Workbook) -> None:
    rows = list(written["Définitions"].iter_rows(min_row=2, values_only=True))
    assert rows[0] == (
        "A_RECETTES",
        "Recettes",
        "€",
        "C70[TA:BX]",
        "jusqu'en 2017",
        "Ce que la commune encaisse.",
        "Instruction M14, tome 2",
    )
    assert rows[1][3:5] == ("C74[TA:BX]", "à partir de 2018")
    assert [row[0] for row in rows] == ["A_RECETTES", "A_RECETTES", "A_TAUX", "A_DETTE"]


def test_one_exercice_has_no_variation(tmp_path: Path) -> None:
    table = make_table({"A_RECETTES": (1000.0,)}, (2018,), indicateurs=INDICATEURS)
    sheet = openpyxl.load_workbook(write_excel(table, to=tmp_path / "r.xlsx")).worksheets[0]
    assert [cell.value for cell in sheet[5]] == ["Indicateur", "Code", "Unité", 2018]
    assert sheet["A3"].value == "Exercice 2018, nomenclature M14"


def test_a_selection_of_rows_and_columns(tmp_path: Path) -> None:
    table = make_table(VALUES, EXERCICES, indicateurs=INDICATEURS).loc[["A_DETTE"], [2017, 2018]]
    workbook = openpyxl.load_workbook(write_excel(table, to=tmp_path / "r.xlsx"))
    assert workbook.sheetnames == ["Dette stock flux", "Définitions", "Périmètre"]
    assert workbook["Périmètre"].max_row == 3


def test_several_sirets(tmp_path: Path) -> None:
    perimetre = budgets(EXERCICES, ("21990001900019", "21990002700012"))
    table = make_table({"A_RECETTES": (1.0, 2.0, 3.0)}, EXERCICES, perimetre, INDICATEURS)
    sheet = openpyxl.load_workbook(write_excel(table, to=tmp_path / "r.xlsx")).worksheets[0]
    assert sheet["A2"].value == "Périmètre consolidé de 2 budgets (feuille Périmètre)"
    assert report_filename(table.provenance, "SIREN", datetime(2026, 1, 2, 3, 4, 5)) == (  # noqa: DTZ001
        "FRAME_Etablissements multi_SIREN_2016_2018_20260102_030405.xlsx"
    )


@given(st.text(max_size=60))
def test_sheet_titles_are_always_possible(wanted: str) -> None:
    workbook = openpyxl.Workbook()
    for _ in range(3):
        workbook.create_sheet(sheet_title(workbook, wanted))
    titles = [title.casefold() for title in workbook.sheetnames]
    assert len(set(titles)) == 4
    assert all(0 < len(title) <= 31 for title in workbook.sheetnames)


@given(
    st.lists(st.floats(min_value=-1e12, max_value=1e12), min_size=1, max_size=9),
    st.integers(min_value=2000, max_value=2020),
)
def test_variation_leads_from_the_first_value_to_the_last(values: list[float], start: int) -> None:
    exercices = list(range(start, start + len(values)))
    rate = mean_annual_variation(values, exercices)
    if values[0] == 0 or (values[-1] != 0 and (values[0] > 0) != (values[-1] > 0)):
        assert rate is None
    elif len(values) == 1:
        assert rate == 0
    elif rate is not None and rate < 1e9 and rate > -1 + 1e-6:
        assert values[0] * (1 + rate) ** (len(values) - 1) == pytest.approx(values[-1], rel=1e-6, abs=1e-9)


def test_missing_exercices_count_in_the_variation() -> None:
    assert mean_annual_variation([100.0, 121.0], [2014, 2016]) == pytest.approx(0.1)


def test_sum_is_exact() -> None:
    assert total("$totalC", [0.1] * 10, list(range(10))) == 1
