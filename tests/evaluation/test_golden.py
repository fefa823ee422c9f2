"""The reference values of the formula language, on the two fictitious bases kept beside the project."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import workbench as wb
from workbench.formules import check_formule

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, list[dict]]:
    return json.loads((shared / "golden" / "formules" / "cases.json").read_text())


@pytest.fixture(scope="module")
def expected(shared: Path) -> dict[tuple[str, str], dict[int, tuple[str, float]]]:
    """(case, selection) → exercice → (verdict, reference value)."""
    values: dict[tuple[str, str], dict[int, tuple[str, float]]] = defaultdict(dict)
    with (shared / "golden" / "formules" / "values.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["reference"]:
                reference = float(row["upstream"] if row["verdict"] == "same" else row["reference"])
                values[row["case"], row["selection"]][int(row["exercice"])] = (row["verdict"], reference)
    return values


@pytest.fixture(scope="module")
def bases(shared: Path, new_url: Callable[[], str], request: pytest.FixtureRequest) -> Iterator[dict[str, wb.Base]]:
    opened = {}
    for name in ("small", "small_gaps"):
        folder = shared / "golden" / "data" / name
        opened[name] = wb.connect(new_url(), read_only=False)
        wb.import_cci(
            opened[name],
            execution=folder / "execution.csv",
            collectivite=folder / "collectivite.csv",
            comptes=folder / "comptes.csv",
        )
    request.getfixturevalue("spark_computes")
    for base in opened.values():
        base.refresh()
    yield opened
    for base in opened.values():
        base.close()


@pytest.fixture(scope="module")
def base_formules(shared: Path) -> dict[str, str]:
    trame = json.loads((shared / "golden" / "formules" / "base_trame.json").read_text())["trame"]
    return {indicateur["name"]: indicateur["formula"] for indicateur in trame}


def _evaluable(case: dict) -> bool:
    # T270 writes `[RE - MIN : 2014 ]`: the reference refuses it, the specification (1.1) keeps it.
    return case["reference_error"] is None


def test_every_value(golden, expected, bases, base_formules) -> None:
    cases = {f"CASE_{case['id']}": case for case in golden["cases"] if _evaluable(case)}
    trame = wb.trame_from_formules(base_formules | {code: case["formula"] for code, case in cases.items()})
    compared = 0
    for name, selection in golden["selections"].items():
        table = wb.evaluate(
            trame,
            bases[selection["dataset"]],
            sirets=selection["idents"],
            exercices=range(min(selection["exercices"]), max(selection["exercices"]) + 1),
            nomenclature=None,
        )
        assert table.columns.tolist() == selection["exercices"]
        for code, case in cases.items():
            for exercice, (verdict, reference) in expected[case["id"], name].items():
                found = table.at[code, exercice]
                if case["id"] == "T262":  # C16[BE]+C16[BR]-C16[SX]: the reference keeps a rounding residue
                    assert found == pytest.approx(reference, abs=1e-6)
                else:
                    assert found == pytest.approx(reference, rel=1e-9, abs=1e-12), (
                        case["formula"],
                        name,
                        exercice,
                        verdict,
                    )
                compared += 1
    assert compared > 12_000


def test_errors_have_a_position(golden, base_formules) -> None:
    wrong = [case for case in golden["cases"] if not _evaluable(case) and case["id"] != "T270"]
    assert len(wrong) > 15
    for case in wrong:
        errors = [
            diagnostic
            for diagnostic in check_formule(case["formula"], known_indicateurs=base_formules)
            if diagnostic.severity == "error"
        ]
        assert errors, case["formula"]
        for error in errors:
            assert 0 <= error.span.start <= error.span.end <= len(case["formula"])
            assert error.message


def test_blanks_inside_a_year_bracket(golden, bases, base_formules) -> None:
    (case,) = (case for case in golden["cases"] if case["id"] == "T270")
    formules = {"A_SPACED": case["formula"], "A_PLAIN": case["formula"].replace(" ", "")}
    table = wb.evaluate(
        wb.trame_from_formules(formules), bases["small"], sirets=["21310900200013"], exercices=range(2011, 2019)
    )
    assert table.loc["A_SPACED"].tolist() == table.loc["A_PLAIN"].tolist()
    assert table.loc["A_SPACED", [2011, 2012, 2013]].tolist() == [0, 0, 0]
    assert (table.loc["A_SPACED", [2014, 2018]] > 0).all()


def test_base_trame(shared, bases, base_formules) -> None:
    reference = json.loads((shared / "golden" / "formules" / "base_trame.json").read_text())["selections"]
    trame = wb.trame_from_formules(base_formules)
    for name, selection in reference.items():
        dataset, sirets = name.split("/")
        table = wb.evaluate(
            trame, bases[dataset], sirets=sirets.split("+"), exercices=selection["exercices"], nomenclature=None
        )
        for code, values in selection["upstream"].items():
            assert table.loc[code].tolist() == pytest.approx(values, rel=1e-9, abs=1e-9), (name, code)


def test_m14_basique(shared, project, bases) -> None:
    reference = json.loads((shared / "golden" / "m14_basique" / "values.json").read_text())
    trame = wb.load_trame(project / "trames" / "m14_basique.yaml")
    assert len(reference) == 12
    for name, selection in reference.items():
        dataset, sirets = name.split("/")
        table = wb.evaluate(
            trame, bases[dataset], sirets=sirets.split("+"), exercices=selection["exercices"], nomenclature=None
        )
        assert table.columns.tolist() == selection["exercices"]
        for code, values in selection["values"].items():
            assert table.loc[code].tolist() == pytest.approx(values, rel=1e-9, abs=1e-9), (name, code)


def test_each_collectivite_apart_gives_the_same(golden, bases, base_formules) -> None:
    trame = wb.trame_from_formules(base_formules)
    for dataset, base in bases.items():
        grid = wb.evaluate_each(trame, base, wb.perimetre(), range(2011, 2019), nomenclature=None).to_pandas()
        alone = grid.set_index(["siret", "indicateur", "exercice"]).sort_index()["value"]
        for siret in grid["siret"].unique():
            table = wb.evaluate(trame, base, sirets=[siret], exercices=range(2011, 2019), nomenclature=None)
            for code in table.index:
                assert alone[siret, code].tolist() == table.loc[code].tolist(), (dataset, siret, code)


def test_every_explanation_adds_up(golden, bases, base_formules) -> None:
    cases = {f"CASE_{case['id']}": case["formula"] for case in golden["cases"] if _evaluable(case)}
    trame = wb.trame_from_formules(base_formules | cases)
    table = wb.evaluate(
        trame, bases["small_gaps"], sirets=["21590879900012"], exercices=range(2011, 2019), nomenclature=None
    )
    for code in table.index:
        for exercice in (2011, 2014, 2018):
            why = wb.explain(table, code, exercice)
            assert why.value == pytest.approx(table.at[code, exercice], rel=1e-9, abs=1e-9), (code, exercice)
            for _, node in why.walk():
                if node.kind in ("indicateur", "segment", "variable") and node.children:
                    assert sum(child.sign * child.amount for child in node.children) == node.amount
