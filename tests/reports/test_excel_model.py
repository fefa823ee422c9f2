from __future__ import annotations

import io
import struct
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import openpyxl
import pytest
from excel_tables import budgets, make_table
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule, ColorScaleRule, FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils.cell import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.table import Table

from workbench.errors import WorkbenchError
from workbench.evaluation.results import IndicateurTable
from workbench.reports.excel import write_excel

EXERCICES = (2015, 2016, 2018)
RED = PatternFill(bgColor="FFFF0000")


def table(values: dict[str, tuple[float, ...]] | None = None, **options: object) -> IndicateurTable:
    return make_table(
        values or {"A_A": (100.0, 110.0, 133.1), "A_B": (1.5, -2.0, 4.0), "A_C": (0.0, 3.0, 9.0)},
        EXERCICES,
        **options,  # type: ignore[arg-type]
    )


def model() -> openpyxl.Workbook:
    """Two blocks under one header, columns of comments right of the total, notes around."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Tableau"
    sheet["C1"] = "$libsiret (n° SIRET : $siret)"
    sheet["G1"] = "à côté du titre"
    sheet["C3"], sheet["D3"], sheet["E3"], sheet["F3"] = "en €", "$exges", "$totalV", "Commentaire"
    sheet["D3"].font = Font(name="Calibri", size=13, bold=True)
    sheet["D3"].border = Border(bottom=Side(style="thick"))
    for row, code in ((4, "A_A"), (5, "A_B"), (6, "A_C")):
        sheet.cell(row, 2, code)
        sheet.cell(row, 3, f"Libellé {code}")
        cell = sheet.cell(row, 4, f"${code}")
        cell.number_format = "#,##0.00"
        cell.font = Font(name="Arial", size=9)
        sheet.cell(row, 6, f"remarque {code}").comment = Comment("note", "auteur")
    sheet["C9"] = "note sous le tableau"
    sheet["F9"] = "note à droite"
    return workbook


def fill(workbook: openpyxl.Workbook, tmp_path: Path, data: IndicateurTable | None = None) -> openpyxl.Workbook:
    path = tmp_path / "modele.xlsx"
    workbook.save(path)
    before = path.read_bytes()
    to = write_excel(table() if data is None else data, path, tmp_path / "rapport.xlsx")
    assert path.read_bytes() == before
    check_package(to)
    return openpyxl.load_workbook(to)


def check_package(path: Path) -> None:
    """What makes a spreadsheet offer a repair: overlapping column definitions or merges, doubled cells, bad tables."""
    with zipfile.ZipFile(path) as package:
        assert package.testzip() is None
        assert len(package.namelist()) == len(set(package.namelist()))
    workbook = openpyxl.load_workbook(path)
    names = [name.casefold() for sheet in workbook.worksheets for name in sheet.tables]
    assert len(names) == len(set(names))
    for sheet in workbook.worksheets:
        spans = sorted((d.min, d.max) for d in sheet.column_dimensions.values() if d.min)
        assert all(low <= high for low, high in spans)
        assert all(first[1] < second[0] for first, second in pairwise(spans)), spans
        merged = list(sheet.merged_cells.ranges)
        assert all(a.isdisjoint(b) for i, a in enumerate(merged) for b in merged[i + 1 :])
        priorities = [rule.priority for item in sheet.conditional_formatting for rule in item.rules]
        assert len(priorities) == len(set(priorities))
        for item in sheet.tables.values():
            header = next(iter(sheet[item.ref]))
            assert [cell.value for cell in header] == [column.name for column in item.tableColumns]


def row(sheet: object, number: int) -> list[object]:
    return [cell.value for cell in sheet[number]]  # type: ignore[index]


def covered(sheet: object, cell: str) -> list[str]:
    return [str(item.sqref) for item in sheet.conditional_formatting if cell in item]  # type: ignore[attr-defined]


def test_values_totals_and_what_stands_right(tmp_path: Path) -> None:
    sheet = fill(model(), tmp_path)["Tableau"]
    assert row(sheet, 3)[2:8] == ["en €", 2015, 2016, 2018, "Var. annuelle moyenne", "Commentaire"]
    assert row(sheet, 4)[3:6] == [100.0, 110.0, 133.1]
    assert row(sheet, 4)[6] == pytest.approx((133.1 / 100) ** (1 / 3) - 1, rel=1e-12)
    assert row(sheet, 5)[6] == pytest.approx((4 / 1.5) ** (1 / 3) - 1, rel=1e-12)
    assert row(sheet, 6)[3:8] == [0, 3, 9, None, "remarque A_C"]
    assert sheet["H6"].comment.text == "note"
    assert sheet["G1"].value == "à côté du titre"
    assert sheet["F9"].value == "note à droite"
    assert [sheet.cell(4, column).number_format for column in range(4, 8)] == ["#,##0.00"] * 3 + ["0.0%"]
    assert sheet["G4"].font.i
    assert sheet["G4"].font.name == "Arial"
    assert sheet["F4"].font.sz == 9
    assert sheet["E3"].font.b
    assert sheet["E3"].border.bottom.style == "thick"
    assert (sheet["G3"].font.name, sheet["G3"].font.sz, sheet["G3"].font.i) == ("Arial", 7, True)
    assert sheet.column_dimensions["G"].width == 17
    assert sheet["C1"].value == "VILLE 1 (n° SIRET : 21990001900019)"
    assert sheet["C1"].border.bottom.style == "thick"


def test_one_exercice_keeps_the_total_in_column_e(tmp_path: Path) -> None:
    data = make_table({"A_A": (100.0,), "A_B": (0.0,), "A_C": (2.0,)}, (2018,))
    sheet = fill(model(), tmp_path, data)["Tableau"]
    assert row(sheet, 3)[3:6] == [2018, "Var. annuelle moyenne", "Commentaire"]
    assert row(sheet, 4)[3:6] == [100, 0, "remarque A_A"]
    assert row(sheet, 5)[3:6] == [0, None, "remarque A_B"]
    assert sheet.column_dimensions["E"].width == 17


def test_two_exercices_have_a_finite_variation(tmp_path: Path) -> None:
    data = make_table({"A_A": (100.0, 90.0), "A_B": (-10.0, -5.0), "A_C": (10.0, 0.0)}, (2017, 2018))
    sheet = fill(model(), tmp_path, data)["Tableau"]
    assert sheet["F4"].value == pytest.approx(-0.1)
    assert sheet["F5"].value == pytest.approx(-0.5)
    assert sheet["F6"].value == -1


def test_opposite_sign_and_letter_n_leave_the_variation_empty(tmp_path: Path) -> None:
    workbook = model()
    workbook["Tableau"]["E4"] = "N"
    data = table({"A_A": (100.0, 1.0, 50.0), "A_B": (1.0, 1.0, -1.0), "A_C": (1.0, 1.0, 1.0)})
    sheet = fill(workbook, tmp_path, data)["Tableau"]
    assert [sheet[f"G{line}"].value for line in (4, 5, 6)] == [None, None, 0]


@pytest.mark.parametrize(
    ("marker", "label", "figure", "number_format"),
    [("$totalM", "Moyenne", 343.1 / 3, "#,##0.00"), ("$totalC", "Cumul sur les années", 343.1, "#,##0_-")],
)
def test_mean_and_sum(tmp_path: Path, marker: str, label: str, figure: float, number_format: str) -> None:
    workbook = model()
    workbook["Tableau"]["E3"] = marker
    workbook["Tableau"]["E5"] = "N"
    sheet = fill(workbook, tmp_path)["Tableau"]
    assert sheet["G3"].value == label
    assert sheet["G4"].value == pytest.approx(figure, rel=1e-12)
    assert sheet["G4"].number_format == number_format
    assert sheet["G5"].value is not None


def test_each_block_has_its_own_marker(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    for line, code in ((9, "A_A"), (10, "A_B"), (13, "A_C")):
        sheet.cell(line, 2, code)
    sheet["D8"], sheet["E8"] = "$exges", "$totalC"
    sheet["E12"] = "autre chose"
    filled = fill(workbook, tmp_path)["Tableau"]
    assert filled["G8"].value == "Cumul sur les années"
    assert filled["G9"].value == pytest.approx(343.1)
    assert filled["G10"].value == pytest.approx(3.5)
    assert filled["G13"].value is None
    assert filled["F13"].value == 9
    assert filled["G12"].value == "autre chose"


def test_a_text_in_the_total_cell_is_not_lost_in_silence(tmp_path: Path) -> None:
    workbook = model()
    workbook["Tableau"]["E5"] = "voir annexe"
    workbook.save(tmp_path / "modele.xlsx")
    remarks: list[str] = []
    write_excel(table(), tmp_path / "modele.xlsx", tmp_path / "rapport.xlsx", remarks=remarks)
    assert len(remarks) == 1
    assert "« Tableau », cellule E5" in remarks[0]
    assert "voir annexe" in remarks[0]


def test_unknown_code_is_left_and_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    workbook = model()
    workbook["Tableau"]["B5"] = "A_ABSENT"
    workbook["Tableau"]["B12"] = "Une légende"
    sheet = fill(workbook, tmp_path)["Tableau"]
    assert sheet["D5"].value == "$A_B"
    assert sheet["E5"].value is None
    assert sheet["H5"].value == "remarque A_B"
    assert "« Tableau », cellule B5 : « A_ABSENT »" in caplog.text
    assert len(caplog.records) == 1


def test_header_on_row_one_and_total_of_the_last_row(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet["D1"], sheet["E1"], sheet["B2"] = "$exges", "$totalV", "A_A"
    filled = fill(workbook, tmp_path).worksheets[0]
    assert row(filled, 1)[3:] == [2015, 2016, 2018, "Var. annuelle moyenne"]
    assert filled["G2"].value == pytest.approx(0.1)


def test_etats_in_the_table_and_elsewhere(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    sheet["D2"], sheet["C2"] = "$dp", "État"
    sheet["C2"].font = Font(name="Courier New", size=8)
    sheet["I12"], sheet["J12"], sheet["H12"] = "état : $dp", "suite", "avant"
    data = table(perimetre=budgets(EXERCICES, etats="DPM"))
    filled = fill(workbook, tmp_path, data)["Tableau"]
    assert row(filled, 2)[3:6] == ["Definitif", "Provisoire", "Mixte"]
    assert [filled.cell(2, column).font.name for column in (4, 5, 6)] == ["Courier New"] * 3
    assert filled["E2"].alignment.horizontal == "center"
    assert [filled.cell(12, column).value for column in range(8, 13)] == [
        "avant",
        "Definitif",
        "Provisoire",
        "Mixte",
        "suite",
    ]


def test_several_sirets(tmp_path: Path) -> None:
    data = table(perimetre=budgets(EXERCICES, ("21990001900019", "21990002700012")))
    workbook = fill(model(), tmp_path, data)
    assert workbook["Tableau"]["C1"].value == "Etablissements multiples (n° SIRET : Etablissements multiples)"
    assert workbook.sheetnames[-1] == "Périmètre"
    assert workbook["Périmètre"].max_row == 7


def test_perimetre_is_last_latest_first_with_both_states(tmp_path: Path) -> None:
    workbook = fill(model(), tmp_path, table(perimetre=budgets(EXERCICES, etats="DMP")))
    sheet = workbook.worksheets[-1]
    assert sheet.title == "Périmètre"
    assert [(sheet.cell(line, 7).value, sheet.cell(line, 8).value) for line in range(2, 6)] == [
        (2018, "P"),
        (2016, "D"),
        (2016, "P"),
        (2015, "D"),
    ]
    assert row(sheet, 2)[:7] == ["21990001900019", "101 - Commune (BP)", "BP", "VILLE 1", 3018, "M14", 2018]


def test_perimetre_covers_the_exercices_shown(tmp_path: Path) -> None:
    data = table()[[2016, 2018]]
    sheet = fill(model(), tmp_path, data)["Périmètre"]
    assert {sheet.cell(line, 7).value for line in range(2, sheet.max_row + 1)} == {2016, 2018}


def test_perimeter_marker_becomes_a_table(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook.create_sheet("Budgets")
    sheet["A1"], sheet["A3"] = "Budgets retenus", "$perimeter"
    filled = fill(workbook, tmp_path)["Budgets"]
    assert row(filled, 3) == [
        "Code budget",
        "Nomenclature",
        "Type d'établissement",
        "Exercice",
        "Identifiant",
        "Libellé",
        "Population",
    ]
    assert row(filled, 4) == ["1", "M14", "101", 2018, "21990001900019", "VILLE 1", 3018]
    (item,) = filled.tables.values()
    assert item.ref == "A3:G6"
    assert item.tableStyleInfo.name == "TableStyleMedium9"
    assert item.tableStyleInfo.showRowStripes


def test_perimeter_marker_spares_what_stands_below(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook.create_sheet("Budgets")
    sheet["A1"], sheet["A2"] = "$perimeter", "dessous"
    filled = fill(workbook, tmp_path)["Budgets"]
    assert filled["A1"].value is None
    assert filled["A2"].value == "dessous"
    assert filled["A4"].value == "Code budget"


# --- conditional formats


def test_rules_on_values_are_repeated_and_rules_on_totals_follow(tmp_path: Path) -> None:
    workbook = model()
    formats = workbook["Tableau"].conditional_formatting
    formats.add("D4:D6", CellIsRule(operator="lessThan", formula=["0"], fill=RED))
    formats.add("E4:E6", CellIsRule(operator="lessThan", formula=["-0.5"], font=Font(bold=True)))
    formats.add("C4:C6", FormulaRule(formula=["E4<0"], fill=RED))
    formats.add("F4:F6", FormulaRule(formula=["$F4<>$D4"], fill=RED))
    formats.add("C9", FormulaRule(formula=["$E$5>1"], fill=RED))
    sheet = fill(workbook, tmp_path)["Tableau"]
    for column in "DEF":
        assert covered(sheet, f"{column}4") == [f"{column}4:{column}6"]
    assert covered(sheet, "G4") == ["G4:G6"]
    assert covered(sheet, "H5") == ["H4:H6"]
    rules = {str(item.sqref): item.rules[0] for item in sheet.conditional_formatting}
    assert rules["E4:E6"].dxf.fill.bgColor.rgb == "FFFF0000"
    assert rules["G4:G6"].formula == ["-0.5"]
    assert rules["G4:G6"].dxf.font.b
    assert rules["C4:C6"].formula == ["G4<0"]
    assert rules["H4:H6"].formula == ["$H4<>$D4"]
    assert rules["C9"].formula == ["$G$5>1"]


def test_rules_over_several_ranges(tmp_path: Path) -> None:
    workbook = model()
    formats = workbook["Tableau"].conditional_formatting
    formats.add("D4:D5 D6", FormulaRule(formula=["D4>$C4"], fill=RED))
    formats.add("C4:C6 D4:D6 E4:E6", FormulaRule(formula=["C4=$D$4"], fill=RED))
    formats.add("C3:E6", FormulaRule(formula=["$E3>0"], fill=RED))
    sheet = fill(workbook, tmp_path)["Tableau"]
    by_range = {
        frozenset(str(item.sqref).split()): [rule.formula[0] for rule in item.rules]
        for item in sheet.conditional_formatting
    }
    assert by_range[frozenset({"E4:E5", "E6"})] == ["E4>$C4"]
    assert by_range[frozenset({"C4:C6"})] == ["C4=$D$4"]
    assert by_range[frozenset({"F4:F6"})] == ["F4=$D$4"]
    assert by_range[frozenset({"G4:G6"})] == ["G4=$D$4"]
    assert by_range[frozenset({"C3:G6"})] == ["$G3>0"]


def test_a_rule_that_ends_on_the_first_exercice_reaches_the_last(tmp_path: Path) -> None:
    workbook = model()
    workbook["Tableau"].conditional_formatting.add("B4:D6", FormulaRule(formula=["$D4<0"], fill=RED))
    workbook["Tableau"].conditional_formatting.add("B20:D21", FormulaRule(formula=["$D20<0"], fill=RED))
    sheet = fill(workbook, tmp_path)["Tableau"]
    rules = {str(item.sqref): item.rules[0].formula for item in sheet.conditional_formatting}
    assert rules == {"B4:F6": ["$D4<0"], "B20:D21": ["$D20<0"]}


def test_a_colour_scale_keeps_comparing_one_exercice(tmp_path: Path) -> None:
    workbook = model()
    scale = ColorScaleRule(start_type="min", start_color="FFFFFF", end_type="max", end_color="FF0000")
    workbook["Tableau"].conditional_formatting.add("D4:D6", scale)
    sheet = fill(workbook, tmp_path)["Tableau"]
    found = {str(item.sqref): item.rules[0].colorScale for item in sheet.conditional_formatting}
    assert set(found) == {"D4:D6", "E4:E6", "F4:F6"}
    assert found["F4:F6"].color[1].rgb == "00FF0000"


def test_rules_keep_their_order_and_their_stops(tmp_path: Path) -> None:
    workbook = model()
    formats = workbook["Tableau"].conditional_formatting
    formats.add("D4:D6", CellIsRule(operator="lessThan", formula=["0"], stopIfTrue=True, fill=RED))
    formats.add("D4:D6", CellIsRule(operator="lessThan", formula=["10"], fill=RED))
    sheet = fill(workbook, tmp_path)["Tableau"]
    for column in "DEF":
        (item,) = [item for item in sheet.conditional_formatting if f"{column}4" in item]
        rules = sorted(item.rules, key=lambda rule: rule.priority)
        assert [(rule.formula, bool(rule.stopIfTrue)) for rule in rules] == [(["0"], True), (["10"], False)]


# --- what surrounds the table


def test_formulas_and_names_follow_the_columns(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    sheet["D7"], sheet["E7"] = "=SUM(D4:D6)/$D$4", "=AVERAGE(E4:E6)"
    sheet["D7"].number_format = "0.00"
    sheet["F5"] = "=E5*2+D5"
    sheet["C10"] = "=SUM(D4:E4)+E20"
    other = workbook.create_sheet("Autre")
    other["A1"] = "='Tableau'!E4&Tableau!$F$5&A2"
    workbook.defined_names["TOTAUX"] = DefinedName("TOTAUX", attr_text="Tableau!$E$4:$E$6")
    workbook.defined_names["ROMPU"] = DefinedName("ROMPU", attr_text="#REF!")
    filled = fill(workbook, tmp_path)
    sheet = filled["Tableau"]
    assert [sheet.cell(7, column).value for column in range(4, 8)] == [
        "=SUM(D4:D6)/$D$4",
        "=SUM(E4:E6)/$D$4",
        "=SUM(F4:F6)/$D$4",
        "=AVERAGE(G4:G6)",
    ]
    assert sheet["F7"].number_format == "0.00"
    assert sheet["H5"].value == "=G5*2+D5"
    assert sheet["C10"].value == "=SUM(D4:G4)+E20"
    assert filled["Autre"]["A1"].value == "='Tableau'!G4&Tableau!$H$5&A2"
    assert filled.defined_names["TOTAUX"].attr_text == "Tableau!$G$4:$G$6"
    assert filled.defined_names["ROMPU"].attr_text == "#REF!"


def test_merged_cells(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    sheet.merge_cells("C1:F1")
    sheet.merge_cells("F4:F5")
    sheet.insert_rows(6)
    for area in ("C6:F6", "D3:D3"):
        sheet.merge_cells(area)
    sheet["C6"] = "Section"
    filled = fill(workbook, tmp_path)["Tableau"]
    assert {str(area) for area in filled.merged_cells.ranges} >= {"C1:F1", "H4:H5", "C6:F6"}
    assert filled["C6"].value == "Section"
    assert filled["H4"].value == "remarque A_A"


def test_a_merge_over_values_opens_and_says_so(tmp_path: Path) -> None:
    workbook = model()
    workbook["Tableau"].merge_cells("C4:E4")
    workbook.save(tmp_path / "modele.xlsx")
    remarks: list[str] = []
    to = write_excel(table(), tmp_path / "modele.xlsx", tmp_path / "rapport.xlsx", remarks=remarks)
    assert "C4:E4" in remarks[0]
    assert openpyxl.load_workbook(to)["Tableau"]["E4"].value == 110


def test_a_header_merged_over_two_rows_is_so_for_each_exercice(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet["D1"], sheet["E1"], sheet["B3"], sheet["D3"] = "$exges", "$totalV", "A_A", "x"
    sheet.merge_cells("D1:D2")
    sheet.merge_cells("E1:E2")
    filled = fill(workbook, tmp_path).worksheets[0]
    assert {str(area) for area in filled.merged_cells.ranges} == {"D1:D2", "E1:E2", "F1:F2", "G1:G2"}
    assert row(filled, 1)[3:] == [2015, 2016, 2018, "Var. annuelle moyenne"]
    assert filled["G3"].value == pytest.approx(0.1)


def test_styles_links_and_widths_of_column_d(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    sheet["D4"].hyperlink = Hyperlink(ref="D4", location="'Autre'!A1", tooltip="Voir")
    sheet["D4"].alignment = Alignment(horizontal="right", indent=1)
    sheet["F5"].hyperlink = "https://example.org/"
    sheet.column_dimensions["D"].width = 21
    sheet.column_dimensions["E"].width = 5
    sheet.column_dimensions["F"].width = 33
    sheet.column_dimensions.group("G", "J", hidden=True)
    workbook.create_sheet("Autre")
    filled = fill(workbook, tmp_path)["Tableau"]
    for column in "DEF":
        assert filled[f"{column}4"].hyperlink.location == "'Autre'!A1"
        assert filled[f"{column}4"].hyperlink.ref == f"{column}4"
        assert filled[f"{column}4"].alignment.indent == 1
    assert filled["D4"].value == 100
    assert filled["H5"].hyperlink.target == "https://example.org/"
    dimensions = filled.column_dimensions
    widths = {
        get_column_letter(index): dimension.width
        for dimension in dimensions.values()
        for index in range(dimension.min, dimension.max + 1)
    }
    assert [widths[letter] for letter in "DEFGH"] == [21, 21, 21, 17, 33]
    assert any(dimension.hidden and dimension.min == 9 for dimension in dimensions.values())


def test_validations_filters_print_areas(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    validation = DataValidation(type="list", formula1="$F$4:$F$6")
    validation.add("E4:E6")
    sheet.add_data_validation(validation)
    sheet.auto_filter.ref = "C3:F6"
    sheet.print_area = "A1:F9"
    filled = fill(workbook, tmp_path)["Tableau"]
    (item,) = filled.data_validations.dataValidation
    assert (str(item.sqref), item.formula1) == ("G4:G6", "$H$4:$H$6")
    assert filled.auto_filter.ref == "C3:H6"
    assert filled.print_area == "'Tableau'!$A$1:$H$9"


def test_a_chart_covers_every_exercice(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=4, min_row=4), from_rows=True)
    chart.set_categories(Reference(sheet, min_col=4, min_row=3))
    sheet.add_chart(chart, "H4")
    filled = fill(workbook, tmp_path)["Tableau"]
    (series,) = filled._charts[0].series
    assert series.val.numRef.f == "'Tableau'!$D$4:$F$4"
    assert series.cat.numRef.f == "'Tableau'!$D$3:$F$3"
    assert filled._charts[0].anchor._from.col == 9


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixel = zlib.compress(b"\0\xff\0\0")
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", pixel)
        + chunk(b"IEND", b"")
    )


def add_part(path: Path, drawing: str, image: bytes | None) -> None:
    """Give the first sheet of a saved workbook a drawing, as a spreadsheet would."""
    source = zipfile.ZipFile(io.BytesIO(path.read_bytes()))
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    with zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            if name == "xl/worksheets/_rels/sheet1.xml.rels":
                continue
            text = source.read(name)
            if name == "xl/worksheets/sheet1.xml":
                tag = f'<drawing xmlns:r="{office}" r:id="rIdD"/>'.encode()
                text = text.replace(b"</worksheet>", tag + b"</worksheet>")
            if name == "[Content_Types].xml":
                kind = b"application/vnd.openxmlformats-officedocument.drawing+xml"
                text = text.replace(
                    b"</Types>",
                    b'<Default Extension="png" ContentType="image/png"/>'
                    b'<Override PartName="/xl/drawings/drawing1.xml" ContentType="' + kind + b'"/></Types>',
                )
            target.writestr(name, text)
        target.writestr(
            "xl/worksheets/_rels/sheet1.xml.rels",
            f'{head}<Relationships xmlns="{package}"><Relationship Id="rIdD" Type="{office}/drawing" '
            'Target="/xl/drawings/drawing1.xml"/></Relationships>',
        )
        target.writestr("xl/drawings/drawing1.xml", head + drawing)
        if image is not None:
            target.writestr("xl/media/image1.png", image)
            target.writestr(
                "xl/drawings/_rels/drawing1.xml.rels",
                f'{head}<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{office}/image" '
                'Target="/xl/media/image1.png"/></Relationships>',
            )


DRAWING = (
    '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><xdr:oneCellAnchor>'
    "<xdr:from><xdr:col>0</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>0</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>"
    '<xdr:ext cx="95250" cy="47625"/>{shape}<xdr:clientData/></xdr:oneCellAnchor></xdr:wsDr>'
)
PICTURE = (
    '<xdr:pic><xdr:nvPicPr><xdr:cNvPr id="1" name="Logo"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill>'
    '<a:blip r:embed="rId1"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr>'
    '<a:prstGeom prst="rect"/></xdr:spPr></xdr:pic>'
)
SHAPE = (
    '<xdr:sp macro="" textlink=""><xdr:nvSpPr><xdr:cNvPr id="2" name="Zone"/><xdr:cNvSpPr/></xdr:nvSpPr>'
    '<xdr:spPr><a:prstGeom prst="rect"/></xdr:spPr></xdr:sp>'
)


def test_a_logo_is_kept_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "modele.xlsx"
    model().save(path)
    add_part(path, DRAWING.format(shape=PICTURE), png())
    to = write_excel(table(), path, tmp_path / "rapport.xlsx")
    with zipfile.ZipFile(to) as package:
        (media,) = [name for name in package.namelist() if name.startswith("xl/media/")]
        assert package.read(media) == png()
        drawing = package.read("xl/drawings/drawing1.xml").decode()
        assert 'cx="95250"' in drawing


def test_a_text_box_that_cannot_be_kept_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "modele.xlsx"
    model().save(path)
    add_part(path, DRAWING.format(shape=SHAPE), None)
    write_excel(table(), path, tmp_path / "rapport.xlsx")
    assert "des formes ou zones de texte" in caplog.text


def test_rich_text_is_kept(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    sheet["C9"] = CellRichText("note ", TextBlock(InlineFont(b=True), "grasse"))
    sheet["C11"] = CellRichText("budget ", TextBlock(InlineFont(b=True), "$libsiret"))
    path = tmp_path / "modele.xlsx"
    workbook.save(path)
    to = write_excel(table(), path, tmp_path / "rapport.xlsx")
    filled = openpyxl.load_workbook(to, rich_text=True)["Tableau"]
    assert isinstance(filled["C9"].value, CellRichText)
    assert filled["C9"].value[1].font.b
    assert str(filled["C11"].value) == "budget VILLE 1"


def test_an_excel_table_around_the_exercices_becomes_a_range(tmp_path: Path) -> None:
    workbook = model()
    sheet = workbook["Tableau"]
    sheet["B3"] = "Code"
    sheet.add_table(Table(displayName="Valeurs", ref="B3:F6"))
    path = tmp_path / "modele.xlsx"
    workbook.save(path)
    remarks: list[str] = []
    to = write_excel(table(), path, tmp_path / "rapport.xlsx", remarks=remarks)
    check_package(to)
    assert not openpyxl.load_workbook(to)["Tableau"].tables
    assert any("« Valeurs »" in remark for remark in remarks)


def test_every_sheet_is_filled(tmp_path: Path) -> None:
    workbook = model()
    copied = workbook.copy_worksheet(workbook["Tableau"])
    copied.sheet_state = "hidden"
    filled = fill(workbook, tmp_path)
    assert filled[copied.title]["F4"].value == 133.1
    assert filled[copied.title].sheet_state == "hidden"


# --- injection, errors


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SOMME(A1)", "=cmd|' /C calc'!A0", "a\x07b"])
def test_labels_never_become_formulas(tmp_path: Path, label: str) -> None:
    perimetre = budgets(EXERCICES)
    perimetre = perimetre.set_column(3, "libelle", [[label] * perimetre.num_rows])
    workbook = model()
    workbook["Tableau"]["C1"] = "$libsiret"
    workbook.create_sheet("Budgets")["A1"] = "$perimeter"
    filled = fill(workbook, tmp_path, table(perimetre=perimetre))
    expected = label.replace("\x07", "")
    for cell in (filled["Tableau"]["C1"], filled["Budgets"]["F2"], filled["Périmètre"]["D2"]):
        assert cell.value == expected
        assert cell.data_type == "s"


def test_values_that_a_workbook_cannot_hold_are_left_empty(tmp_path: Path) -> None:
    data = table({"A_A": (float("nan"), -0.0, float("inf")), "A_B": (1.0, 2.0, 3.0), "A_C": (1.0, 2.0, 3.0)})
    sheet = fill(model(), tmp_path, data)["Tableau"]
    assert row(sheet, 4)[3:7] == [None, 0, None, None]


def refused(code: str, *args: object, **options: object) -> str:
    with pytest.raises(WorkbenchError) as caught:
        write_excel(*args, **options)  # type: ignore[arg-type]
    assert caught.value.code == code
    return str(caught.value)


def test_models_that_are_none(tmp_path: Path) -> None:
    to = tmp_path / "rapport.xlsx"
    to.write_bytes(b"ancien")
    assert "absent.xlsx" in refused("modele_absent", table(), tmp_path / "absent.xlsx", to)
    path = tmp_path / "faux.xlsx"
    path.write_text("ceci n'est pas un classeur")
    assert "faux.xlsx" in refused("modele_illisible", table(), path, to)
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    refused("modele_illisible", table(), path, to)
    model().save(path)
    path.write_bytes(path.read_bytes()[:-400])
    refused("modele_illisible", table(), path, to)
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("bonjour.txt", "bonjour")
    refused("modele_illisible", table(), path, to)
    workbook = openpyxl.Workbook()
    workbook.active.title = "Vide"
    workbook.save(path)
    assert "« Vide »" in refused("modele_sans_convention", table(), path, to)
    assert to.read_bytes() == b"ancien"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["faux.xlsx", "rapport.xlsx"]


def test_destinations(tmp_path: Path) -> None:
    path = tmp_path / "modele.xlsx"
    model().save(path)
    before = path.read_bytes()
    refused("modele_ecrase", table(), path, path)
    assert path.read_bytes() == before
    refused("classeur_extension", table(), path, tmp_path / "rapport.xls")
    refused("rapport_vide", table()[[]], path, tmp_path / "rapport.xlsx")
    refused("rapport_sans_indicateur", table().iloc[:0], path, tmp_path / "rapport.xlsx")
    assert "total" in refused("rapport_colonnes", table().assign(total=1.0), path, tmp_path / "rapport.xlsx")
    assert "path" not in refused("argument_inattendu", table(), path, None)
    assert "model" in refused("argument_inattendu", table(), 3, tmp_path / "rapport.xlsx")
    refused("classeur_non_inscriptible", table(), path, path / "rapport.xlsx")
    assert [item.name for item in tmp_path.iterdir()] == ["modele.xlsx"]
    named = write_excel(table(), path, tmp_path)
    assert named.name.startswith("FRAME_21990001900019_SIRET_2015_2018_")
    assert write_excel(table(), path, tmp_path / "a" / "b" / "rapport.xlsx").is_file()


def test_a_failed_save_leaves_the_previous_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, to = tmp_path / "modele.xlsx", tmp_path / "rapport.xlsx"
    model().save(path)
    to.write_bytes(b"ancien")

    def fail(*args: object) -> None:
        raise OSError("disque plein")

    monkeypatch.setattr("openpyxl.workbook.workbook.Workbook.save", fail)
    assert "la place sur le disque" in refused("classeur_non_inscriptible", table(), path, to)
    assert to.read_bytes() == b"ancien"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_plain_frame_has_no_provenance(tmp_path: Path) -> None:
    import pandas as pd

    refused("table_sans_provenance", pd.DataFrame({2018: [1.0]}), None, tmp_path / "rapport.xlsx")
