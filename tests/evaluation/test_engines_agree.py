"""The same random figures and trames on DuckDB and on each other engine: every value is equal, bit for bit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from changing_base import CHANGE, EARLY, LINEAR, write_base
from changing_base import YEARS as CHANGING_YEARS
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import workbench as wb
from workbench.dgfip import find_collectivites, select_budgets, sum_comptes
from workbench.dgfip.cells import prepare_cells

YEARS = (2015, 2016, 2017)
SIRETS = ("21000000100011", "21000000100029", "21000000200019")
COMPTES = ("6", "60", "601", "6011", "64", "7", "70", "701", "7011", "73111", "1")
LABELS = ("ÉTAIN", "etain-sur-mer", "L'Œuf", "Saint Étienne", "zoé", "100 %", "a\\b")

amounts = st.one_of(st.integers(-(10**4), 10**4), st.integers(-(10**13), 10**13), st.just(0))
rows = st.lists(
    st.tuples(
        st.sampled_from(YEARS),
        st.sampled_from(SIRETS),
        st.sampled_from(COMPTES),
        st.integers(1, 7),
        amounts,
        amounts,
        st.sampled_from("DP"),
    ),
    min_size=1,
    max_size=40,
)
words = st.tuples(
    st.sampled_from(["C", "D", "SC", "SD"]), st.sampled_from(COMPTES), st.sampled_from("+-*/"), st.integers(2, 9)
)
formules = st.lists(
    st.tuples(st.lists(words, min_size=1, max_size=3), st.sampled_from(["BX", "BR", "BE"])),
    min_size=1,
    max_size=12,
)


def euros(cents: int) -> str:
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def write(folder: Path, drawn: list[tuple[int, str, str, int, int, int, str]]) -> dict[str, Path]:
    execution, collectivite = folder / "execution.csv", folder / "collectivite.csv"
    lines = [f"{y},{s},,{c},{op},{euros(d)},{euros(k)},{dp}" for y, s, c, op, d, k, dp in drawn]
    execution.write_text("exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n" + "\n".join(lines) + "\n")
    described = []
    for number, (year, siret) in enumerate(sorted({(each[0], each[1]) for each in drawn})):
        label = LABELS[number % len(LABELS)]
        described.append(f'{year},{siret},099,001,VILLE,{number},M14,,M14,"{label}",{1 + number % 3},101')
    header = "exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype"
    collectivite.write_text("\n".join([header, *described]) + "\n", encoding="utf-8")
    return {"execution": execution, "collectivite": collectivite}


def trame(drawn: list[tuple[list[tuple[str, str, str, int]], str]]) -> wb.Trame:
    texts = {}
    for number, (parts, kind) in enumerate(drawn):
        text = "".join(f"{operator}({side}{compte}*{times})" for side, compte, operator, times in parts)
        texts[f"A_{number}"] = f"1{text}[TA:{kind}]"
        texts[f"R_{number}"] = f"A_{number}/A_0-A_{number}[TA:{kind}]" if number else "$POP/3"
    return wb.trame_from_formules(texts)


@pytest.fixture(scope="module", params=["new_postgresql", "new_spark"])
def new_other(request: pytest.FixtureRequest) -> Callable[[], str]:
    """A function that returns the URL of a base that is not there yet, on another engine than DuckDB."""
    new_url: Callable[[], str] = request.getfixturevalue(request.param)
    return new_url


def everything_of_a_serie(base: wb.Base, folder: Path) -> list[object]:
    sirets = list(CHANGE)
    each = wb.evaluate_each(LINEAR, base, exercices=CHANGING_YEARS)
    together = wb.evaluate(LINEAR, base, sirets=sirets, exercices=CHANGING_YEARS)
    wb.write_each(LINEAR, base, folder / "serie.parquet", exercices=CHANGING_YEARS)
    compared = wb.strates(LINEAR, base, exercices=CHANGING_YEARS, sirets=sirets, by=["nomenclature"])
    seen = wb.preview("A_IMPOTS-A_IMPOTS[OS:M1]", base, trame=LINEAR, sirets=sirets)
    why = wb.explain_each(LINEAR, base, EARLY, "A_VARIATION", 2021, exercices=CHANGING_YEARS)
    return [
        each.to_pydict(),
        together.to_csv(),
        list(together.provenance.avertissements),
        parquet.read_table(folder / "serie.parquet").to_pydict(),
        *(wb.contributions(together, code, 2022).to_csv() for code in ("A_IMPOTS", "A_RATIO", "A_VARIATION")),
        compared.statistics.to_pydict(),
        compared.ranks.to_pydict(),
        (seen.budgets, seen.quantiles, seen.valeurs.to_csv()),
        str(why),
        wb.query(base).where(nomenclature="M14+M57").by("collectivite", "exercice").measure("C7").run().to_csv(),
    ]


@pytest.mark.usefixtures("spark_computes")
def test_a_serie_is_read_alike(new_other: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.dgfip.cells.user_cache_path", lambda _: tmp_path / "cache")
    found = []
    for url in (str(tmp_path / "base.duckdb"), new_other()):
        with wb.connect(write_base(tmp_path, CHANGE, url)) as base:
            found.append(everything_of_a_serie(base, tmp_path))
    for on_duckdb, on_other in zip(*found, strict=True):
        assert on_duckdb == on_other


@pytest.mark.slow
@settings(max_examples=2, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(rows, rows, formules)
@pytest.mark.usefixtures("spark_computes")
def test_values_are_equal(new_other: Callable[[], str], first, second, drawn) -> None:
    asked = trame(drawn)
    found = []
    with tempfile.TemporaryDirectory() as name:
        for url in (str(Path(name) / "base.duckdb"), new_other()):
            with wb.connect(url, read_only=False) as base:
                # The second import replaces some budgets of the first.
                for each in (first, second):
                    wb.import_cci(base, **write(Path(name), each))
                budgets = select_budgets(base, wb.perimetre())
                groups = budgets.select(["siret", "exercice"]).append_column("groupe", [range(len(budgets))])
                searches = [find_collectivites(base, text).to_dict("records") for text in ("", "e", "étain", "oeuf")]
                together = wb.evaluate(asked, base, sirets=SIRETS, exercices=YEARS, nomenclature=None)
                apart = wb.evaluate_each(asked, base, wb.perimetre(), YEARS, nomenclature=None)
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr("workbench.dgfip.cells.user_cache_path", lambda _: Path(name) / "cache")
                    assert prepare_cells(base) is not None
                    blocks = wb.evaluate_each(asked, base, wb.perimetre(), YEARS, nomenclature=None)
                assert blocks.to_pydict() == apart.to_pydict()
                found.append(
                    (
                        budgets,
                        sum_comptes(base, groups),
                        searches,
                        str(wb.controls(base)),
                        together.to_csv(),
                        apart,
                    )
                )
    for on_duckdb, on_other in zip(*found, strict=True):
        assert on_duckdb == on_other
