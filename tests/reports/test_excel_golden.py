"""Workbooks of the reference material, from the CSV bases to the cells.

The dumps were written by the system that these reports replace; where it was wrong (X01 to X06), the
expected value is worked out here from the dump's own cells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from workbench.dgfip import Base, connect, import_cci
from workbench.errors import WorkbenchError
from workbench.evaluation import evaluate
from workbench.evaluation.results import IndicateurTable
from workbench.reports.excel import report_filename, write_excel
from workbench.reports.excel_balance import balance_filename, write_balance
from workbench.trames import Trame, load_trame

pytestmark = pytest.mark.shared

REPORTS = (
    "m14_one_siret_8y",
    "m14_two_sirets_8y",
    "m14_one_siret_1y",
    "m14_one_siret_2y",
    "m14_one_siret_3y",
    "m14_siren_8y",
    "m14_mixte",
    "m14_gap_year",
    "m14_late_start",
)
EMPTY = ("empty_wrong_nomenclature", "empty_wrong_institution", "empty_unknown_siret", "unknown_siren", "finess")


@pytest.fixture(scope="module")
def bases(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Base]]:
    folder = tmp_path_factory.mktemp("bases")
    opened = {}
    for name in ("small", "small_gaps"):
        source = shared / "golden" / "data" / name
        base = opened[name] = connect(str(folder / f"{name}.duckdb"), read_only=False)
        import_cci(
            base,
            execution=source / "execution.csv",
            collectivite=source / "collectivite.csv",
            comptes=source / "comptes.csv",
        )
    yield opened
    for base in opened.values():
        base.close()


@pytest.fixture(scope="module")
def trame(project: Path) -> Trame:
    return load_trame(project / "trames" / "m14_basique.yaml")


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, dict[str, Any]]:
    return {case["label"]: case for case in json.loads((shared / "golden" / "rapports" / "log.json").read_text())}


@pytest.fixture(scope="module")
def model(shared: Path) -> Path:
    return shared / "data" / "balances" / "reference" / "Modele_M14_basique.xlsx"


def evaluate_case(case: dict[str, Any], bases: dict[str, Base], trame: Trame) -> IndicateurTable:
    kind = case["options"].get("type_ident", "SIRET")
    idents = {"SIRET": "sirets", "SIREN": "sirens", "FINESS": "finess"}[kind]
    return evaluate(
        trame,
        bases[case["dataset"]],
        exercices=range(case["exmin"], case["exmax"] + 1),
        nomenclature=case["nomenclature"],
        types=[str(code) for code in case["institutions"]],
        **{idents: case["idents"]},
    )


def cells(path: Path) -> dict[str, dict[str, Any]]:
    """What a workbook shows, in the shape of the dumps."""
    return {
        sheet.title: {
            cell.coordinate: {
                "v": cell.value,
                "nf": cell.number_format,
                "b": bool(cell.font.b),
                "i": bool(cell.font.i),
            }
            for row in sheet.iter_rows()
            for cell in row
            if cell.value is not None
        }
        for sheet in openpyxl.load_workbook(path).worksheets
    }


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert set(found) == set(expected)
    for place, cell in expected.items():
        value = found[place].pop("v")
        wanted = cell.pop("v")
        if isinstance(wanted, float):
            assert value == pytest.approx(wanted, rel=1e-9, abs=1e-9), place
        else:
            assert (value, type(value)) == (wanted, type(wanted)), place
        assert found[place] == cell, place


@pytest.mark.parametrize("label", REPORTS)
def test_report(
    label: str,
    cases: dict[str, dict[str, Any]],
    bases: dict[str, Base],
    trame: Trame,
    model: Path,
    shared: Path,
    tmp_path: Path,
) -> None:
    case = cases[label]
    table = evaluate_case(case, bases, trame)
    path = write_excel(table, model, tmp_path / "rapport.xlsx")
    found = cells(path)
    dump = shared / "golden" / "rapports" / f"{label}.json"
    if dump.is_file():
        expected = json.loads(dump.read_text())
        for sheet, content in expected.items():
            if sheet == "Tableau unique":
                correct_variation(content["cells"])
            merged = {str(area) for area in openpyxl.load_workbook(path)[sheet].merged_cells.ranges}
            assert merged == set(content["merged"])
            assert_same(found.pop(sheet), content["cells"])
        assert not found
    stem = re.sub(r"\d{8}_\d{6}\.xlsx$", "", case["report_name"])
    assert report_filename(table.provenance).startswith(stem)


def correct_variation(content: dict[str, Any]) -> None:
    """X01: the exponent of the mean annual variation is one over the number of years, not one less."""
    exercices = {
        cell["v"]: place[:-1]
        for place, cell in content.items()
        if re.fullmatch("[D-Z]9", place) and isinstance(cell["v"], int)
    }
    first, last = min(exercices), max(exercices)
    (total,) = [place[:-1] for place, cell in content.items() if cell["v"] == "Var. annuelle moyenne"]
    for row in range(10, 16):
        if f"{total}{row}" in content:
            ratio = content[f"{exercices[last]}{row}"]["v"] / content[f"{exercices[first]}{row}"]["v"]
            wrong = content[f"{total}{row}"]["v"]
            assert wrong == pytest.approx(ratio ** (1 / (last - first - 1)) - 1, rel=1e-9)
            content[f"{total}{row}"]["v"] = ratio ** (1 / (last - first)) - 1


@pytest.mark.parametrize(
    ("label", "exercices", "selection"),
    [
        ("m14_one_siret_1y", [2018], "small/21310900200013"),
        ("m14_one_siret_2y", [2017, 2018], "small/21310900200013"),
        ("m14_one_siret_3y", [2016, 2017, 2018], "small/21310900200013"),
        ("m14_mixte", list(range(2011, 2019)), "small/21130872100011"),
        ("m14_gap_year", [2011, 2012, 2013, 2015, 2016, 2017, 2018], "small/21330893500013"),
        ("m14_late_start", list(range(2013, 2019)), "small/21810886800017"),
    ],
)
def test_values_of_the_other_reports(
    label: str,
    exercices: list[int],
    selection: str,
    cases: dict[str, dict[str, Any]],
    bases: dict[str, Base],
    trame: Trame,
    model: Path,
    shared: Path,
    tmp_path: Path,
) -> None:
    reference = json.loads((shared / "golden" / "m14_basique" / "values.json").read_text())[selection]
    years = exercices  # small_gaps is small without some exercices: values are the same
    path = write_excel(evaluate_case(cases[label], bases, trame), model, tmp_path / "rapport.xlsx")
    sheet = openpyxl.load_workbook(path)["Tableau unique"]
    assert [cell.value for cell in sheet[9]][3 : len(years) + 4] == [*years, "Var. annuelle moyenne"]
    for row in range(10, 16):
        known = dict(zip(reference["exercices"], reference["values"][sheet.cell(row, 2).value], strict=True))
        values = [known[year] for year in years]
        found = [cell.value for cell in sheet[row]][3 : len(years) + 4]
        assert found[:-1] == pytest.approx(values, rel=1e-9, abs=1e-6)
        if values[0] == 0 or values[0] * values[-1] < 0:
            assert found[-1] is None
        elif len(years) == 1:
            assert found[-1] == 0
        else:
            assert found[-1] == pytest.approx((values[-1] / values[0]) ** (1 / (years[-1] - years[0])) - 1, rel=1e-9)
    perimetre = openpyxl.load_workbook(path)["Périmètre"]
    states: dict[int, str] = {}
    for row in perimetre.iter_rows(min_row=2, values_only=True):
        states[row[6]] = "Mixte" if row[6] in states else {"D": "Definitif", "P": "Provisoire"}[row[7]]
    assert sorted(states) == years
    assert [states[year] for year in years] == [
        state for year, state in zip(reference["exercices"], reference["dp"], strict=True) if year in years
    ]


def test_several_sirets_are_added_up(
    cases: dict[str, dict[str, Any]], bases: dict[str, Base], trame: Trame, model: Path, shared: Path, tmp_path: Path
) -> None:
    references = json.loads((shared / "golden" / "m14_basique" / "values.json").read_text())
    case = cases["m14_two_sirets_8y"]
    path = write_excel(evaluate_case(case, bases, trame), model, tmp_path / "rapport.xlsx")
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["Tableau unique"]
    assert sheet["C3"].value == "Etablissements multiples (n° SIRET : Etablissements multiples)"
    parts = [references[f"small/{siret}"]["values"]["M14_CE_PFA_1000"] for siret in case["idents"]]
    found = [cell.value for cell in sheet[10]][3:11]
    assert found == pytest.approx([sum(values) for values in zip(*parts, strict=True)], rel=1e-12)
    rows = [row[:7:6] for row in workbook["Périmètre"].iter_rows(min_row=2, values_only=True)]
    years = [2018 - index // 2 for index in range(16)]
    kept = [row for index, row in enumerate(rows) if row not in rows[:index]]
    assert kept == list(zip(sorted(case["idents"]) * 8, years, strict=True))


def test_a_siren_brings_its_annexes(
    cases: dict[str, dict[str, Any]], bases: dict[str, Base], trame: Trame, model: Path, tmp_path: Path
) -> None:
    path = write_excel(evaluate_case(cases["m14_siren_8y"], bases, trame), model, tmp_path / "rapport.xlsx")
    rows = list(openpyxl.load_workbook(path)["Périmètre"].iter_rows(min_row=2, values_only=True))
    assert {row[1:3] for row in rows} == {("101 - Commune (BP)", "BP"), ("410 - Commune (BA)", "BA")}
    assert {row[5] for row in rows} == {"M14"}


@pytest.mark.parametrize("label", EMPTY)
def test_nothing_to_report(
    label: str, cases: dict[str, dict[str, Any]], bases: dict[str, Base], trame: Trame, model: Path, tmp_path: Path
) -> None:
    table = evaluate_case(cases[label], bases, trame)
    with pytest.raises(WorkbenchError) as caught:
        write_excel(table, model, tmp_path / "rapport.xlsx")
    assert caught.value.code == "rapport_vide"
    assert not list(tmp_path.iterdir())


def test_balance_of_a_siret(
    cases: dict[str, dict[str, Any]], bases: dict[str, Base], shared: Path, tmp_path: Path
) -> None:
    case = cases["balance_siret"]
    path = write_balance(bases["small"], case["idents"], range(2017, 2019), tmp_path / "balance.xlsx")
    expected = json.loads((shared / "golden" / "rapports" / "balance_siret.json").read_text())["Balances des comptes"]
    # X06: the label and the SIRET were printed as Python lists.
    assert expected["cells"]["C2"]["v"] == "['LOTISSEMENT 001'] (n° SIRET : ['21310900200021'])"
    expected["cells"]["C2"]["v"] = "LOTISSEMENT 001 (n° SIRET : 21310900200021)"
    assert_same(cells(path)["Balances des comptes"], expected["cells"])
    sheet = openpyxl.load_workbook(path)["Balances des comptes"]
    assert {str(area) for area in sheet.merged_cells.ranges} == set(expected["merged"])
    stem = re.sub(r"\d{8}_\d{6}\.xlsx$", "", case["report_name"])
    assert balance_filename(case["idents"], "SIRET", [2017, 2018]).startswith(stem)


def test_balance_of_a_siren(cases: dict[str, dict[str, Any]], bases: dict[str, Base], tmp_path: Path) -> None:
    case = cases["balance_siren"]
    path = write_balance(bases["small"], sirens=case["idents"], exercices=[2018], to=tmp_path)
    assert re.sub(r"\d{8}_\d{6}\.xlsx$", "", path.name) == re.sub(r"\d{8}_\d{6}\.xlsx$", "", case["report_name"])
    sheet = openpyxl.load_workbook(path)["Balances des comptes"]
    rows = list(sheet.iter_rows(min_row=9, values_only=True))
    sirets = [row[1] for row in rows]
    assert len(set(sirets)) > 1
    assert {siret[:9] for siret in sirets} == {"213109002"}
    assert [row[:6:5] for row in rows] == [(2018, row[5]) for row in rows]
    keys = [(row[0], row[1], row[5]) for row in rows]
    assert keys == sorted(keys)
    assert len(keys) == len(set(keys))


def test_balance_adds_up_to_the_source(bases: dict[str, Base], shared: Path, tmp_path: Path) -> None:
    """Every amount of a budget, added from the CSV file in cents, is found again in the workbook."""
    import csv
    from decimal import Decimal

    siret, exercice = "21310900200013", 2016
    sums: dict[tuple[str, str], Decimal] = {}
    with (shared / "golden" / "data" / "small" / "execution.csv").open() as lines:
        for line in csv.DictReader(lines):
            if line["ident"] == siret and int(line["exercice"]) == exercice:
                for side, column in (("D", "cptdeb"), ("C", "cptcre")):
                    key = (line["comptes"], side + line["cptop"])
                    sums[key] = sums.get(key, Decimal(0)) + Decimal(line[column])
    path = write_balance(bases["small"], [siret], [exercice], tmp_path / "balance.xlsx")
    sheet = openpyxl.load_workbook(path)["Balances des comptes"]
    rows = {row[5]: row[6:] for row in sheet.iter_rows(min_row=9, values_only=True)}
    assert set(rows) == {compte for compte, _ in sums}
    for compte, found in rows.items():

        def amount(*codes: str, compte: str = compte) -> Decimal:
            return sum((sums.get((compte, code), Decimal(0)) for code in codes), Decimal(0))

        debit, credit = amount("D1", "D2", "D3", "D4", "D7"), amount("C1", "C2", "C3", "C4", "C7")
        assert found == tuple(
            float(value)
            for value in (
                amount("D1"),
                amount("C1"),
                amount("D2"),
                amount("C2"),
                amount("D6"),
                amount("C6"),
                amount("D3", "D4"),
                amount("C3", "C4"),
                amount("D7"),
                amount("C7"),
                amount("D2", "D3", "D4", "D7"),
                amount("C2", "C3", "C4", "C7"),
                debit,
                credit,
                max(debit - credit, Decimal(0)),
                max(credit - debit, Decimal(0)),
            )
        ), compte


def test_balance_of_nothing(bases: dict[str, Base], tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        write_balance(bases["small"], ["00000000000000"], [2017, 2018], tmp_path / "balance.xlsx")
    assert caught.value.code == "rapport_vide"
    assert "SIRET 00000000000000" in str(caught.value)
    for options in ({}, {"sirets": [], "sirens": ["213109002"]}, {"sirets": []}):
        with pytest.raises(WorkbenchError) as caught:
            write_balance(bases["small"], exercices=[2018], to=tmp_path / "balance.xlsx", **options)  # type: ignore[arg-type]
        assert caught.value.code == "balance_identifiants"
    with pytest.raises(WorkbenchError) as caught:
        write_balance(bases["small"], ["21310900200013"], [], tmp_path / "balance.xlsx")
    assert caught.value.code == "exercices_vides"
    assert not list(tmp_path.iterdir())
