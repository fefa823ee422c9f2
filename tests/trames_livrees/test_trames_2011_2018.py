"""The shipped M14 trames on a fictitious CCI base, 2011-2018: reference values, and comptes renumbered on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from workbench.trames import Trame

Comptes = tuple[str, ...]


def near(value: float) -> object:
    """The same to the tenth of a cent."""
    return pytest.approx(value, abs=0.001)


@pytest.fixture(scope="module")
def fictitious(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fictitious") / "base.duckdb"
    folder = shared / "golden/data/small"
    with wb.connect(path, read_only=False) as base:
        wb.import_cci(base, execution=folder / "execution.csv", collectivite=folder / "collectivite.csv")
    return path


@pytest.mark.shared
def test_the_seven_published_formules_give_their_reference_values(
    shared: Path, fictitious: Path, shipped: Callable[[str], Trame]
) -> None:
    cases = json.loads((shared / "golden/m14_basique/values.json").read_text(encoding="utf-8"))
    assert len(cases) == 12
    with wb.connect(fictitious) as base:
        for name, case in cases.items():
            sirets = name.removeprefix("small/").split("+")
            got = wb.evaluate(
                shipped("m14_basique"), base, sirets=sirets, exercices=case["exercices"], nomenclature=None
            )
            assert list(got.columns) == case["exercices"], name
            assert set(got.index) == set(case["values"]), name
            for code, values in case["values"].items():
                assert got.loc[code].to_list() == pytest.approx(values, rel=1e-9, abs=0.005), (name, code)


@pytest.mark.shared
def test_renumbered_comptes_are_followed_year_by_year(
    shared: Path,
    fictitious: Path,
    shipped: Callable[[str], Trame],
    balance_of: Callable[[pd.DataFrame], Any],
) -> None:
    siret = "21590879900012"
    rows = pd.read_csv(shared / "golden/data/small/execution.csv", dtype=str)
    rows = rows[(rows["ident"] == siret) & rows["comptes"].notna()]
    sides = {"DEB": ("cptdeb", "cptcre"), "CRE": ("cptcre", "cptdeb")}
    for side, (own, other) in sides.items():
        own_cents, other_cents = ((rows[name].astype(float) * 100).round().astype("int64") for name in (own, other))
        operation = rows["cptop"]
        # Annulations are recorded on the opposite side and subtract.
        rows["OBNET" + side] = own_cents.where(operation == "2", 0) - other_cents.where(operation == "7", 0)
        for prefix, operations in (("BE", ["1"]), ("ONB", ["3", "4"]), ("OOB", ["6"])):
            rows[prefix + side] = own_cents.where(operation.isin(operations), 0)
    rows = rows.rename(columns={"comptes": "COMPTE"})
    with wb.connect(fictitious) as base:
        ofgl = wb.evaluate(shipped("ofgl_agregats_m14"), base, sirets=[siret], exercices=range(2011, 2019))
        sheet = wb.evaluate(shipped("comptes_individuels_m14"), base, sirets=[siret], exercices=range(2011, 2019))
    reversed_tax: dict[int, Comptes] = {
        year: ("7321", "7322", "7328", "739111", "739112", "739113", "739118")
        if year < 2012
        else ("7321", "7322", "7328", "739113", "739118", "73921", "73922", "73928")
        if year < 2017
        else ("7321", "7328", "739113", "739118", "73921", "73928")
        for year in range(2011, 2019)
    }
    local: dict[int, Comptes] = {
        year: ("731", "7323", "739117", "739116")
        if year < 2012
        else ("731", "7323", "739117", "73923")
        if year < 2017
        else ("731", "73221", "739117", "739221")
        for year in range(2011, 2019)
    }
    assert len(set(ofgl.loc["OFGL_FISCALITE_REVERSEE"])) > 1
    for year in range(2011, 2019):
        b = balance_of(rows[rows["exercice"] == str(year)])
        fcct = b.charge("reel", "65541")
        assert ofgl.loc["OFGL_FISCALITE_REVERSEE", year] == near(b.produit("reel", *reversed_tax[year]) - fcct)
        assert sheet.loc["CI_IMPOTS_LOCAUX", year] == near(b.produit("budgetaire", *local[year]))
