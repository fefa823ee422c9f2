"""A serie where other works of the evaluation meet it: strates, ranks, contributions, one value explained, files."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest
from changing_base import CHANGE, EARLY, LATE, LINEAR, NEVER, YEARS, two, write_base

import workbench as wb
from workbench.evaluation.part import part_of, readers_of_population
from workbench.evaluation.plan import compile_trame

SIRETS = list(CHANGE)
TWICE = two(
    {"A_N": "C7311[TA:BX]", "A_RATIO": "A_N/$POP", "A_FIN": "A_ANCIEN*2", "A_ANCIEN": "C775[TA:BX]"},
    {"A_N": "C73111[TA:BX]", "A_RATIO": "A_N/D64[TA:BX]", "A_FIN": "A_NOUVEAU+1", "A_NOUVEAU": "C74/$POP[TA:BX]"},
)


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wb.Base]:
    with wb.connect(write_base(tmp_path_factory.mktemp("changing"), CHANGE)) as base:
        yield base


@pytest.fixture(scope="module")
def grid(changing: wb.Base) -> pd.DataFrame:
    return wb.evaluate_each(LINEAR, changing, exercices=YEARS).to_pandas()


def test_a_part_of_a_serie_is_a_serie(changing: wb.Base) -> None:
    whole = wb.evaluate(TWICE, changing, sirets=SIRETS, exercices=YEARS)
    for code in TWICE.codes:
        part = part_of(TWICE, [code])
        assert (part.nomenclature, code in part) == ("M14+M57", True)
        assert set(part.codes) <= {code, "A_N", "A_ANCIEN", "A_NOUVEAU"}
        found = wb.evaluate(part, changing, sirets=SIRETS, exercices=YEARS)
        assert found.loc[code].tolist() == whole.loc[code].tolist()
        assert compile_trame(part).codes == part.codes
    # The first reads inhabitants in M14 alone, the last ones in M57 alone.
    assert readers_of_population(TWICE) == {"A_RATIO", "A_NOUVEAU", "A_FIN"}


@pytest.mark.parametrize("at_once", [None, 1])
def test_strates_compare_inside_a_nomenclature(
    changing: wb.Base, grid: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, at_once: int | None
) -> None:
    if at_once:
        # As on a base so large that indicateurs are evaluated one after the other.
        monkeypatch.setattr(import_module("workbench.evaluation.strates"), "_HELD", at_once)
    table = wb.strates(LINEAR, changing, exercices=YEARS, sirets=SIRETS, type_budget=None, by=["nomenclature"])
    of_year = {(siret, year): "M57" if year >= CHANGE[siret] else "M14" for siret in SIRETS for year in YEARS}
    expected = grid.astype({"siret": str, "indicateur": str})
    expected["nomenclature"] = [of_year[key] for key in zip(expected["siret"], expected["exercice"], strict=True)]
    statistics = table.to_pandas()
    assert len(statistics) == len(expected.groupby(["indicateur", "nomenclature", "exercice"]))
    for (code, name, year), own in expected.groupby(["indicateur", "nomenclature", "exercice"]):
        row = statistics[
            (statistics["indicateur"] == code) & (statistics["nomenclature"] == name) & (statistics["exercice"] == year)
        ].iloc[0]
        values = np.sort(own["value"].to_numpy())
        assert row["count"] == len(values)
        assert row["median"] == pytest.approx(values[(len(values) + 1) // 2 - 1], abs=1e-9), (code, name, year)
        assert (row["minimum"], row["maximum"]) == pytest.approx((values[0], values[-1]), abs=1e-9)
    ranks = table.ranks.to_pandas().astype({"siret": str, "indicateur": str, "nomenclature": str})
    joined = ranks.merge(expected, on=["siret", "exercice", "indicateur", "nomenclature"], validate="one_to_one")
    assert len(joined) == len(expected)
    assert (joined["value_x"] - joined["value_y"]).abs().max() < 1e-9
    ranked = pd.concat(
        batch.to_pandas()
        for batch in wb.rank_each_batches(LINEAR, changing, exercices=YEARS, type_budget=None, by=["nomenclature"])
    ).astype({"siret": str, "indicateur": str, "nomenclature": str})
    again = ranked.merge(ranks, on=["siret", "exercice", "indicateur", "nomenclature"], validate="one_to_one")
    assert len(again) == len(ranks)
    assert (again["rank_x"] == again["rank_y"]).all()


@pytest.mark.parametrize("serie", [LINEAR, TWICE], ids=["linear", "twice"])
@pytest.mark.parametrize("year", [2020, 2022, 2024])
def test_contributions_to_figures_of_a_serie(changing: wb.Base, serie: wb.Serie, year: int) -> None:
    table = wb.evaluate(serie, changing, sirets=SIRETS, exercices=YEARS)
    without = {
        siret: wb.evaluate(serie, changing, sirets=[other for other in SIRETS if other != siret], exercices=YEARS)
        for siret in SIRETS
    }
    alone = {siret: wb.evaluate(serie, changing, sirets=siret, exercices=YEARS) for siret in SIRETS}
    natures = {}
    for code in serie.codes:
        shares = wb.contributions(table, code, year)
        value = table.loc[code, year]
        natures[code] = shares.attrs["nature"]
        assert shares.attrs["valeur"] == pytest.approx(value, rel=1e-12)
        rows = shares[shares["siret"].notna()].set_index("siret")
        assert set(rows.index) == set(SIRETS)
        for siret in SIRETS:
            assert rows.loc[siret, "valeur"] == pytest.approx(alone[siret].loc[code, year], rel=1e-9, abs=1e-6)
            effect = value - without[siret].loc[code, year]
            assert rows.loc[siret, "effet"] == pytest.approx(effect, rel=1e-9, abs=1e-6), (code, siret)
        total = shares[["contribution", "numerateur", "denominateur"]].sum(min_count=1)
        if natures[code] == "lineaire":
            assert total["contribution"] == pytest.approx(value, rel=1e-9, abs=1e-6), code
        if natures[code] == "quotient":
            quotient = total["numerateur"] / total["denominateur"] if total["denominateur"] else 0
            assert quotient == pytest.approx(value, rel=1e-9), code
    if serie is LINEAR:
        for code in ("A_IMPOTS", "A_PRODUITS", "A_ACHATS", "A_VARIATION", "A_ANCIEN", "A_NOUVEAU"):
            assert natures[code] == "lineaire", code
        for code in ("A_RATIO", "A_HABITANT", "A_DIRECT"):
            assert natures[code] == "quotient", code


def test_one_value_of_a_serie_explained_alone(changing: wb.Base, grid: pd.DataFrame) -> None:
    # Seven has no common factor with the rows of a collectivité: every indicateur is met.
    for row in grid.iloc[::7].itertuples():
        why = wb.explain_each(LINEAR, changing, str(row.siret), str(row.indicateur), row.exercice, exercices=YEARS)
        assert why.value == pytest.approx(row.value, rel=1e-12, abs=1e-9), row
    with pytest.raises(wb.WorkbenchError) as error:
        wb.explain_each(LINEAR, changing, "21000000100029", "A_IMPOTS", 2022, exercices=YEARS)
    assert error.value.code == "budget_absent"
    before = wb.explain_each(LINEAR, changing, LATE, "A_IMPOTS", 2022, exercices=YEARS).comptes()
    after = wb.explain_each(LINEAR, changing, EARLY, "A_IMPOTS", 2022, exercices=YEARS).comptes()
    assert (before["compte"].tolist()[0], set(after["compte"])) == ("7311", {"73111"})
    with pytest.raises(wb.WorkbenchError):
        wb.explain_each(LINEAR, changing, NEVER, "A_NULLE_PART", 2022)


def test_a_serie_written_to_files(changing: wb.Base, grid: pd.DataFrame, tmp_path: Path) -> None:
    wb.write_each(LINEAR, changing, tmp_path / "tout.parquet", exercices=YEARS, layout="long")
    found = parquet.read_table(tmp_path / "tout.parquet").to_pandas()
    keys = ["siret", "exercice", "indicateur"]
    assert found[keys].astype(str).to_numpy().tolist() == grid[keys].astype(str).to_numpy().tolist()
    assert (found["value"] - grid["value"]).abs().max() < 1e-9
