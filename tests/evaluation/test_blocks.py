"""Column blocks give the same figures as the balances, to the bit, and are only a cache."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import workbench as wb
from workbench.dgfip import cells as cells_module
from workbench.dgfip import prune_snapshots, select_budgets
from workbench.dgfip.cells import open_cells, prepare_cells
from workbench.dgfip.cells_format import block_bounds
from workbench.evaluation import each

YEARS = range(2000, 2100)
TRAME = {
    "A_PRODUITS": "C7-D7[TA:BX]",
    "A_CHARGES": "D6-C6[TA:BX]",
    "A_SOLDE": "A_PRODUITS-A_CHARGES",
    "A_TAUX": "A_SOLDE/A_PRODUITS",
    "A_HABITANT": "A_PRODUITS/$POP",
    "A_EVOLUTION": "A_PRODUITS-A_PRODUITS[OS:M1]",
    "A_SUIVANT": "A_SOLDE[OS:P2]",
    "A_ANCIEN": "C7[TA:BX][RE-MAX:2021]C70[TA:BX][RE-MIN:2022]",
    "A_ANNEXE": "C7[TA:BX][TB:BA]A_CHARGES[TB:BP]",
    "A_TYPE": "C7[TA:BX][TE:101]",
    "A_ABSOLU": "A_CHARGES-A_PRODUITS[CAL:ABS]",
    "A_DETTE": "SC16[TA:SX]*0.3+7",
    "A_TIERS": "D6[TA:BX]/3",
    "A_RIEN": "C9999[TA:BX]",
}


@pytest.fixture
def base(tmp_path: Path) -> wb.Base:
    """A base of its own, without blocks."""
    from workbench.dgfip import write_demonstration

    written = write_demonstration(tmp_path / "sources", communes=2)
    with wb.connect(tmp_path / "base.duckdb", read_only=False) as opened:
        wb.import_balances(opened, written.balances[:3])
        wb.import_population(opened, written.population)
        yield opened


@pytest.fixture
def without_blocks(monkeypatch):
    """Evaluate from the balances themselves."""

    def run(trame, opened, *arguments, **options):
        with monkeypatch.context() as patch:
            patch.setattr(each, "open_cells", lambda _: None)
            patch.setattr(each, "prepare_cells", lambda _: None)
            return wb.evaluate_each(trame, opened, *arguments, **options)

    return run


def _same(found: pa.Table, expected: pa.Table) -> None:
    assert found.schema == expected.schema
    assert found.num_rows == expected.num_rows
    for name in ("siret", "exercice", "indicateur"):
        assert found[name].to_pylist() == expected[name].to_pylist()
    assert np.array_equal(found["value"].to_numpy(), expected["value"].to_numpy())


@pytest.mark.parametrize("rows", [7, 60, 16384])
def test_same_figures_as_balances(tmp_path, demonstration_base, without_blocks, monkeypatch, rows: int) -> None:
    trame = wb.trame_from_formules(TRAME)
    monkeypatch.setattr("workbench.dgfip.cells_build.block_bounds", lambda unit: block_bounds(unit, rows))
    monkeypatch.setattr("workbench.dgfip.cells_build._LINES_AT_ONCE", 500)
    monkeypatch.setattr(cells_module, "_folders", lambda _: [tmp_path / "cells"])
    with wb.connect(demonstration_base) as opened:
        cells = prepare_cells(opened)
        assert cells is not None
        assert (len(cells) > 1) == (rows < 16384)
        for perimetre in (
            None,
            wb.perimetre(types=["101"]),
            wb.perimetre(population=(None, 2000)),
            wb.perimetre(sirets=cells.descriptions.sirets[:1].tolist()),
            wb.perimetre(sirets=[]),
        ):
            for years in (YEARS, [2021, 2022], [2020, 2023]):
                expected = without_blocks(trame, opened, perimetre, years)
                _same(wb.evaluate_each(trame, opened, perimetre, years), expected)


@pytest.mark.shared
def test_golden_formules_on_blocks(shared: Path, tmp_path: Path, without_blocks) -> None:
    cases = json.loads((shared / "golden" / "formules" / "cases.json").read_text())["cases"]
    known = json.loads((shared / "golden" / "formules" / "base_trame.json").read_text())["trame"]
    formules = {each_["name"]: each_["formula"] for each_ in known}
    formules |= {f"CASE_{case['id']}": case["formula"] for case in cases if case["reference_error"] is None}
    trame = wb.trame_from_formules(formules)
    folder = shared / "golden" / "data" / "small_gaps"
    with wb.connect(tmp_path / "base.duckdb", read_only=False) as opened:
        wb.import_cci(opened, execution=folder / "execution.csv", collectivite=folder / "collectivite.csv")
        expected = without_blocks(trame, opened, None, YEARS, nomenclature=None)
        assert prepare_cells(opened) is not None
        _same(wb.evaluate_each(trame, opened, None, YEARS, nomenclature=None), expected)
        assert np.count_nonzero(expected["value"].to_numpy()) > 1000


_terms = st.builds(
    "{}{}{}".format,
    st.sampled_from(["C7", "D6", "C70", "D601", "SC16", "SD1", "C7311", "A_UN"]),
    st.sampled_from(["", "", "*2", "/3", "*0.07", "/D6", "*C7"]),
    st.sampled_from(["", "+C1", "-D2", "+$POP", "+5", "/(C6-C6)"]),
)
_segments = st.builds(
    "{}[TA:{}]{}".format,
    _terms,
    st.sampled_from(["BX", "SX", "BR", "BO"]),
    st.sampled_from(["", "[RE-MIN:2022]", "[RE-MAX:2020]", "[TB:BP]", "[TB:BA]", "[TE:101]", "[CAL:ABS]"]),
)


@given(segments=st.lists(_segments, min_size=1, max_size=3), offset=st.sampled_from(["", "[OS:M1]", "[OS:P1]"]))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_formules(demonstration_base, without_blocks, segments, offset) -> None:
    formules = {"A_UN": "C7[TA:BX]", "A_DEUX": "".join(segments), "A_TROIS": f"A_DEUX{offset}-A_UN"}
    if any(wb.check_formule(each_, known_indicateurs=list(formules)) for each_ in formules.values()):
        # Some combinations of brackets are no formule; what is refused is another room's test.
        errors = [d for f in formules.values() for d in wb.check_formule(f, known_indicateurs=list(formules))]
        if any(diagnostic.severity == "error" for diagnostic in errors):
            return
    trame = wb.trame_from_formules(formules)
    with wb.connect(demonstration_base) as opened:
        assert prepare_cells(opened) is not None
        _same(wb.evaluate_each(trame, opened, None, YEARS), without_blocks(trame, opened, None, YEARS))


def test_large_amounts_stay_exact(tmp_path: Path, without_blocks) -> None:
    siret = "99900000100011"
    (tmp_path / "execution.csv").write_text(
        "exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n"
        f"2015,{siret},,701,2,0,450359962737.04,D\n2015,{siret},,702,2,0,0.01,D\n2015,{siret},,60,2,21474836.47,0,D\n"
        f"2015,{siret},,61,2,21474836.48,0,D\n"
    )
    (tmp_path / "collectivite.csv").write_text(
        "exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype\n"
        f"2015,{siret},099,001,VILLE,10,M14,,M14,VILLE,1,101\n"
    )
    with wb.connect(tmp_path / "base.duckdb", read_only=False) as opened:
        wb.import_cci(opened, execution=tmp_path / "execution.csv", collectivite=tmp_path / "collectivite.csv")
        assert prepare_cells(opened) is not None
        trame = wb.trame_from_formules({"A_B": "C70[TA:BX]", "A_C": "D60[TA:BX]", "A_D": "D61[TA:BX]"})
        values = wb.evaluate_each(trame, opened, None, [2015])["value"].to_pylist()
    assert values == [450359962737.05, 21474836.47, 21474836.48]


def test_selection_is_that_of_the_base(demonstration_base) -> None:
    with wb.connect(demonstration_base) as opened:
        rows = prepare_cells(opened).descriptions
        sirets = rows.sirets.tolist()
        for criteria in (
            {},
            {"sirets": sirets[1:3]},
            {"sirens": [sirets[0][:9]], "sirets": [sirets[-1]]},
            {"nomenclature": "M57"},
            {"nomenclature": "M57", "types": ["101"]},
            {"departements": ["031", "033", "001"]},
            {"population": (1000, None)},
            {"population": (None, 1000)},
            {"sirets": [], "types": ["101"]},
        ):
            for years in (None, [2021], [2020, 2022], [1900]):
                chosen = wb.perimetre(**criteria)
                taken = rows.taken(chosen, years)
                expected = select_budgets(opened, chosen, years).to_pylist()
                names = ("siret", "exercice", "population", "nomenclature", "type_budget", "etat")
                found = rows.table.take(pa.array(taken)).select(names).to_pylist()
                assert found == sorted(
                    ({name: row[name] for name in names} for row in expected),
                    key=lambda row: (row["siret"], row["exercice"]),
                )


def test_blocks_are_a_cache(base: wb.Base) -> None:
    assert open_cells(base) is None
    cells = prepare_cells(base)
    folder = cells.folder
    assert prepare_cells(base) is cells
    with wb.connect(base.url) as again:
        assert open_cells(again).count == cells.count
    (folder / "values.npy").write_bytes(b"")
    with wb.connect(base.url) as again:
        assert open_cells(again) is None
        assert prepare_cells(again).count == cells.count
    assert not list(folder.parent.glob(".cells-*"))


def test_blocks_go_with_their_snapshot(base: wb.Base, tmp_path: Path) -> None:
    first = prepare_cells(base).folder
    wb.import_balances(base, [max((tmp_path / "sources").glob("balances*"))])
    base.refresh()
    second = prepare_cells(base).folder
    assert first != second
    assert second.is_dir()
    prune_snapshots(base, keep=1)
    assert not first.exists()
    assert second.is_dir()


def test_unwritable_folder_falls_back_to_the_cache(base: wb.Base, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    beside, cache = tmp_path / "file" / "1.cells-1", tmp_path / "cache" / "1.cells-1"
    monkeypatch.setattr(cells_module, "_folders", lambda _: [beside, cache])
    assert prepare_cells(base).folder == cache
    monkeypatch.setattr(cells_module, "_folders", lambda _: [beside])
    with wb.connect(base.url) as again:
        assert prepare_cells(again) is None


def test_wide_batches_hold_the_same_values(demonstration_base) -> None:
    trame = wb.trame_from_formules(TRAME)
    with wb.connect(demonstration_base) as opened:
        long = wb.evaluate_each(trame, opened, None, YEARS)
        wide = pa.Table.from_batches(
            list(wb.evaluate_each_batches(trame, opened, None, YEARS, layout="wide"))
        ).unify_dictionaries()
    assert wide.column_names == ["siret", "exercice", *TRAME]
    width = len(TRAME)
    assert wide["siret"].to_pylist() == long["siret"].to_pylist()[::width]
    for number, code in enumerate(TRAME):
        assert np.array_equal(wide[code].to_numpy(), long["value"].to_numpy()[number::width])


def test_written_whole_or_not_at_all(demonstration_base, tmp_path: Path) -> None:
    trame = wb.trame_from_formules(TRAME)
    target = tmp_path / "valeurs.parquet"
    seen = []
    with wb.connect(demonstration_base) as opened:
        rows = wb.write_each(trame, opened, target, exercices=YEARS, progress=lambda *done: seen.append(done))
        table = parquet.read_table(target)
        assert rows == table.num_rows == seen[-1][0] == seen[-1][1]
        before = target.read_bytes()
        with pytest.raises(wb.WorkbenchError, match="indicateur"):
            wb.write_each(wb.trame_from_formules({"A_B": "A_ABSENT"}), opened, target, exercices=YEARS)
        with pytest.raises(wb.WorkbenchError) as refused:
            wb.write_each(trame, opened, tmp_path / "absent" / "x.parquet", exercices=YEARS)
        assert refused.value.code == "valeurs_ecriture"
        # Nothing retained is a file without rows, not a failure.
        assert wb.write_each(trame, opened, tmp_path / "vide.parquet", exercices=[1900]) == 0
    assert target.read_bytes() == before
    assert parquet.read_table(tmp_path / "vide.parquet").num_rows == 0
    assert sorted(each_.name for each_ in tmp_path.iterdir()) == ["valeurs.parquet", "vide.parquet"]


def test_stopped_writes_nothing(demonstration_base, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("workbench.dgfip.cells_build.block_bounds", lambda unit: block_bounds(unit, 20))
    monkeypatch.setattr(each, "_ROWS_AT_ONCE", 20)
    monkeypatch.setattr(cells_module, "_folders", lambda _: [tmp_path / "cells"])
    trame = wb.trame_from_formules(TRAME)
    seen = []

    def stop(done: int, total: int) -> bool:
        seen.append(done)
        return len(seen) < 2

    with wb.connect(demonstration_base) as opened:
        prepare_cells(opened)
        assert wb.write_each(trame, opened, tmp_path / "x.parquet", exercices=YEARS, progress=stop) == 0
        assert len(list(wb.evaluate_each_batches(trame, opened, exercices=YEARS, progress=stop))) == 1
    assert len(seen) == 3
    assert not (tmp_path / "x.parquet").exists()


def test_preview_against_evaluation(demonstration_base, demonstration_siret) -> None:
    trame = wb.trame_from_formules(TRAME)
    with wb.connect(demonstration_base) as opened:
        seen = wb.preview("A_SOLDE/A_PRODUITS*100", opened, trame=trame, sirets=[demonstration_siret, "absent"])
        asked = wb.trame_from_formules(TRAME | {"A_ESSAI": "A_SOLDE/A_PRODUITS*100"})
        grid = wb.evaluate_each(asked, opened, None, YEARS).to_pandas()
    grid = grid[grid["indicateur"] == "A_ESSAI"]
    values = np.sort(grid["value"].to_numpy())
    assert seen.budgets == len(values)
    assert seen.sans_comptes == 0
    assert seen.quantiles[0.5] == values[int(np.ceil(len(values) * 0.5)) - 1]
    assert seen.effectifs.sum() == len(values)
    assert seen.plus_hauts["value"].tolist() == values[::-1][:5].tolist()
    assert seen.plus_bas["value"].tolist() == values[:5].tolist()
    own = grid[grid["siret"] == demonstration_siret]
    assert seen.valeurs["value"].tolist() == own["value"].tolist()


def test_preview_counts_budgets_without_comptes(demonstration_base) -> None:
    with wb.connect(demonstration_base) as opened:
        seen = wb.preview("C9999[TA:BX]", opened)
    assert seen.sans_comptes == seen.budgets == seen.nuls > 0
    assert seen.quantiles == {}
    assert seen.plus_hauts.empty
