"""A serie of trames: each budget under the trame of its nomenclature, one series across the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from changing_base import CHANGE, EARLY, LATE, LINEAR, SUMS, YEARS, two, write_base
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.evaluation.plan import compile_trame
from workbench.trames import Trame


@pytest.fixture(scope="module")
def changing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wb.Base]:
    with wb.connect(write_base(tmp_path_factory.mktemp("changing"), CHANGE)) as base:
        yield base


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wb.Base]:
    with wb.connect(write_base(tmp_path_factory.mktemp("unchanged"), dict.fromkeys(CHANGE, 9999))) as base:
        yield base


def test_one_budget_is_read_with_the_trame_of_each_year(changing: wb.Base) -> None:
    m14, m57 = LINEAR.trames
    for siret, change in CHANGE.items():
        table = wb.evaluate(LINEAR, changing, sirets=siret, exercices=YEARS)
        assert list(table.columns) == list(YEARS)
        before = wb.evaluate(m14, changing, sirets=siret, exercices=YEARS)
        after = wb.evaluate(m57, changing, sirets=siret, exercices=YEARS)
        assert list(before.columns) == [year for year in YEARS if year < change]
        for code in set(LINEAR.codes) - {"A_VARIATION"}:
            for year in YEARS:
                source, trame = (before, m14) if year < change else (after, m57)
                assert table.loc[code, year] == (source.loc[code, year] if code in trame else 0), (siret, code, year)


def test_an_offset_crosses_the_change(changing: wb.Base) -> None:
    table = wb.evaluate(LINEAR, changing, sirets=EARLY, exercices=YEARS)
    assert table.loc["A_PRODUITS", 2020] != 0
    for year in YEARS[1:]:
        difference = table.loc["A_PRODUITS", year] - table.loc["A_PRODUITS", year - 1]
        assert table.loc["A_VARIATION", year] == pytest.approx(difference, abs=1e-6)


def test_a_perimeter_that_changes_little_by_little(changing: wb.Base) -> None:
    together = wb.evaluate(LINEAR, changing, sirets=list(CHANGE), exercices=YEARS)
    apart = [wb.evaluate(LINEAR, changing, sirets=siret, exercices=YEARS) for siret in CHANGE]
    for year in YEARS:
        added = {code: sum(one.loc[code, year] for one in apart) for code in SUMS}
        for code, value in added.items():
            assert together.loc[code, year] == pytest.approx(value, abs=1e-4), (code, year)
        # Three SIREN: their inhabitants are counted once each, whatever the nomenclature.
        assert together.loc["A_RATIO", year] == pytest.approx(added["A_IMPOTS"] / added["A_PRODUITS"], rel=1e-12)
        assert together.loc["A_HABITANT", year] == pytest.approx(added["A_IMPOTS"] / 6000, rel=1e-12)
    # Numerators and denominators that each trame reads by itself are added before they are divided.
    parts = two({"A_N": "C7311[TA:BR]", "A_D": "D64[TA:BR]"}, {"A_N": "C73111[TA:BR]", "A_D": "D641[TA:BR]"})
    read = wb.evaluate(parts, changing, sirets=list(CHANGE), exercices=YEARS)
    assert (together.loc["A_DIRECT"] - read.loc["A_N"] / read.loc["A_D"]).abs().max() < 1e-12
    assert compile_trame(LINEAR).apart == ()


def test_the_provenance_says_which_trame_served(changing: wb.Base) -> None:
    table = wb.evaluate(LINEAR, changing, sirets=list(CHANGE), exercices=[2020, 2022, 2024])
    served = {year: [one.code for one in trames] for year, trames in table.provenance.trames_by_exercice.items()}
    assert served == {2020: ["t_m14"], 2022: ["t_m14", "t_m57"], 2024: ["t_m14", "t_m57"]}
    assert table.provenance.nomenclature == "M14+M57"
    assert "Comptes tenus en M57 de 2022 à 2024 : évalués avec la trame t_m57." in table.provenance.avertissements
    # The water budget, which no trame of the serie reads, is left out even when no filter is asked for.
    every = wb.evaluate(LINEAR, changing, sirens=EARLY[:9], exercices=[2022], nomenclature=None)
    assert every.provenance.budgets["siret"].to_pylist() == [EARLY]
    only = wb.evaluate(LINEAR, changing, sirets=EARLY, exercices=YEARS, nomenclature="M57")
    assert list(only.columns) == [2021, 2022, 2023, 2024]


def test_every_figure_explains_itself(changing: wb.Base) -> None:
    for sirets in ([EARLY], list(CHANGE)):
        table = wb.evaluate(LINEAR, changing, sirets=sirets, exercices=YEARS)
        for code in LINEAR.codes:
            for year in YEARS:
                why = wb.explain(table, code, year)
                assert why.value == pytest.approx(table.loc[code, year], rel=1e-12, abs=1e-9), (code, year)
    comptes = wb.explain(table, "A_IMPOTS", 2022).comptes()
    assert set(comptes["compte"]) == {"7311", "73111"}
    assert comptes["contribution"].sum() == pytest.approx(table.loc["A_IMPOTS", 2022], abs=0.01)


def test_definitions_of_different_shapes_are_added_and_said(changing: wb.Base) -> None:
    serie = two({"A_B": "C70[TA:BX]/D64[TA:BX]"}, {"A_B": "C70[TA:BX]"})
    assert compile_trame(serie).apart == ("A_B",)
    table = wb.evaluate(serie, changing, sirets=[EARLY, LATE], exercices=[2020, 2022])
    parts = [wb.evaluate(serie, changing, sirets=siret, exercices=[2020, 2022]) for siret in (EARLY, LATE)]
    assert table.loc["A_B", 2022] == pytest.approx(sum(one.loc["A_B", 2022] for one in parts), rel=1e-12)
    assert any("mêle des nomenclatures en 2022 : A_B" in one for one in table.provenance.avertissements)
    assert wb.explain(table, "A_B", 2022).value == pytest.approx(table.loc["A_B", 2022], rel=1e-12)


def test_kinds_of_budget_inside_a_serie(changing: wb.Base) -> None:
    serie = two(
        {"A_B": "C70[TA:BX][TB:BP]+D60[TA:BX][TB:BA]", "A_C": "A_B/D64[TA:BX]"},
        {"A_B": "C7[TA:BX][TB:BP]+D606[TA:BX][TB:BA]", "A_C": "A_B/D64[TA:BX]"},
    )
    together = wb.evaluate(serie, changing, sirets=list(CHANGE), exercices=YEARS)
    apart = [wb.evaluate(serie, changing, sirets=siret, exercices=YEARS) for siret in CHANGE]
    assert (together.loc["A_B"] - sum(one.loc["A_B"] for one in apart)).abs().max() < 1e-4
    for year in YEARS:
        for code in serie.codes:
            assert wb.explain(together, code, year).value == pytest.approx(together.loc[code, year], rel=1e-12)


def test_every_collectivite_apart(changing: wb.Base) -> None:
    grid = wb.evaluate_each(LINEAR, changing, exercices=YEARS).to_pandas()
    assert set(grid["siret"]) == set(CHANGE)
    for siret, own in grid.groupby("siret", observed=True):
        table = wb.evaluate(LINEAR, changing, sirets=str(siret), exercices=YEARS)
        wide = own.pivot_table(index="indicateur", columns="exercice", values="value", observed=True)
        assert (wide.loc[list(LINEAR.codes)] - pd.DataFrame(table)).abs().max().max() < 1e-9


def test_blocks_of_a_whole_base_agree(tmp_path: Path) -> None:
    from workbench.dgfip.cells import prepare_cells

    with wb.connect(write_base(tmp_path, CHANGE)) as base:
        rows = wb.evaluate_each(LINEAR, base, exercices=YEARS).to_pandas()
        assert prepare_cells(base) is not None
        blocks = wb.evaluate_each(LINEAR, base, exercices=YEARS).to_pandas()
    assert (
        rows[["siret", "exercice", "indicateur"]]
        .astype(str)
        .equals(blocks[["siret", "exercice", "indicateur"]].astype(str))
    )
    assert (rows["value"] - blocks["value"]).abs().max() < 1e-9


def test_a_preview_reads_each_budget_with_its_trame(tmp_path: Path) -> None:
    with wb.connect(write_base(tmp_path, CHANGE)) as base:
        seen = wb.preview("A_IMPOTS+A_ANCIEN", base, trame=LINEAR, sirets=[EARLY])
        table = wb.evaluate(LINEAR, base, sirets=EARLY, exercices=YEARS)
    assert seen.budgets == len(CHANGE) * len(YEARS)
    expected = table.loc["A_IMPOTS"] + table.loc["A_ANCIEN"]
    assert seen.valeurs["exercice"].tolist() == list(YEARS)
    assert seen.valeurs["value"].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


leaf = st.one_of(
    st.tuples(st.sampled_from("CD"), st.sampled_from(("1", "16", "6", "60", "64", "7", "73", "7311"))).map("".join),
    st.integers(1, 9).map(str),
    st.just("$POP"),
    st.just("A_A"),
)
term = st.recursive(
    leaf, lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}{t[1]}{t[2]})")
)
texte = st.tuples(term, st.sampled_from(("", "[CAL:X]", "[TB:BP]", "[RE-MIN:2021]", "[RE-MAX:2021]"))).map(
    lambda drawn: f"{drawn[0]}+0*C1[TA:BX]{drawn[1]}"
)
first = st.sampled_from(["C7-D7[TA:BX]", "C73[TA:BX]/D64[TA:BX]"])


@settings(max_examples=12)
@given(first, first, texte, texte, st.booleans())
def test_where_nothing_changes_a_serie_is_its_trame(
    unchanged: wb.Base, a14: str, a57: str, b14: str, b57: str, alike: bool
) -> None:
    serie = two({"A_A": a14, "A_B": b14}, {"A_A": a57, "A_B": b14 if alike else b57})
    expected = wb.evaluate(serie.trames[0], unchanged, sirets=list(CHANGE), exercices=YEARS)
    found = wb.evaluate(serie, unchanged, sirets=list(CHANGE), exercices=YEARS)
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected), rtol=1e-12)


@settings(max_examples=12)
@given(first, first, texte, texte)
def test_one_budget_anywhere_is_its_trame(changing: wb.Base, a14: str, a57: str, b14: str, b57: str) -> None:
    serie = two({"A_A": a14, "A_B": b14}, {"A_A": a57, "A_B": b57})
    found = wb.evaluate(serie, changing, sirets=EARLY, exercices=YEARS)
    parts = [wb.evaluate(trame, changing, sirets=EARLY, exercices=YEARS) for trame in serie.trames]
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.concat(map(pd.DataFrame, parts), axis=1), rtol=1e-12)
    mixed = wb.evaluate(serie, changing, sirets=list(CHANGE), exercices=[2022])
    why = wb.explain(mixed, "A_B", 2022)
    assert why.value == pytest.approx(mixed.loc["A_B", 2022], rel=1e-9, abs=1e-9)


def refused(make: Callable[[], object]) -> str:
    with pytest.raises(wb.WorkbenchError) as caught:
        make()
    return f"{caught.value.code} {caught.value}"


def test_what_is_no_serie_is_refused() -> None:
    m14, m57 = LINEAR.trames
    ratio = Trame("r", tuple(wb.Indicateur(one.code, unite="ratio", formules=one.formules) for one in m57.indicateurs))
    assert "au moins deux" in refused(lambda: wb.serie_of([m14]))
    assert "portent toutes deux sur M14" in refused(lambda: wb.serie_of([m14, m14]))
    assert "r n'a pas de nomenclature" in refused(lambda: wb.serie_of([m14, ratio]))
    assert "est elle-même une série" in refused(lambda: wb.serie_of([m14, LINEAR]))
    assert "serie_figee" in refused(lambda: LINEAR.with_indicateur(m14["A_RATIO"]))
    assert "argument_inattendu" in refused(lambda: wb.serie_of("t_m14"))  # type: ignore[arg-type]
