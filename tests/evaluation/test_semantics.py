"""The semantics of section 3 of the specification on figures small enough to check by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb

Row = tuple[int, str, str, int, float, float]
"""exercice, siret, compte, operation, debit, credit"""

PRINCIPAL = "99900000100011"
ANNEXE = "99900000100029"
OTHER = "99900000200019"


@pytest.fixture
def make_base(new_url: Callable[[], str], tmp_path: Path) -> Callable[..., wb.Base]:
    """Build a base from a few rows, through the CCI importer."""
    bases: list[wb.Base] = []

    def make(rows: list[Row], budgets: dict[str, dict[str, str]] | None = None) -> wb.Base:
        number = len(bases)
        execution = tmp_path / f"execution_{number}.csv"
        lines = [f"{year},{siret},,{compte},{op},{debit},{credit},D" for year, siret, compte, op, debit, credit in rows]
        execution.write_text("exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n" + "\n".join(lines) + "\n")
        collectivite = tmp_path / f"collectivite_{number}.csv"
        described = []
        for year, siret in dict.fromkeys((row[0], row[1]) for row in rows):
            about = {"mpoid": "1000", "cnome": "M14", "cbudg": "1", "ctype": "101"} | (budgets or {}).get(siret, {})
            described.append(
                f"{year},{siret},099,001,VILLE,{about['mpoid']},{about['cnome']},,{about['cnome']},VILLE,"
                f"{about['cbudg']},{about['ctype']}"
            )
        collectivite.write_text(
            "exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype\n" + "\n".join(described) + "\n"
        )
        base = wb.connect(new_url(), read_only=False)
        wb.import_cci(base, execution=execution, collectivite=collectivite)
        bases.append(base)
        return base

    yield make
    for base in bases:
        base.close()


def _values(base: wb.Base, formules: dict[str, str], **options) -> wb.IndicateurTable:
    options = {"sirets": [PRINCIPAL], "exercices": range(2011, 2019), "nomenclature": None} | options
    return wb.evaluate(wb.trame_from_formules(formules), base, **options)


def test_sums_are_exact(make_base) -> None:
    rows = [(2015, PRINCIPAL, f"70{digit}", 2, 0, 0.1) for digit in range(3)]
    base = make_base([*rows, (2015, PRINCIPAL, "60", 2, 0.3, 0)])
    table = _values(base, {"A_ZERO": "C70-D60[TA:BX]", "A_GUARDED": "1/A_ZERO", "A_TEN": "A_ZERO*10+7"})
    assert table[2015].tolist() == [0, 0, 7]


def test_annexe_segments_look_at_annexe_budgets_only(make_base) -> None:
    base = make_base(
        [(2015, PRINCIPAL, "70", 2, 0, 100), (2015, ANNEXE, "70", 2, 0, 7)], {ANNEXE: {"cbudg": "3", "ctype": "201"}}
    )
    formules = {
        "A_ALL": "C70[TA:BX]",
        "A_BP": "C70[TA:BX][TB:BP]",
        "A_BA": "A_ALL[TB:BA]",
        "A_TYPE": "A_ALL*2[TE:201]",
        "A_BOTH": "A_BP[TB:BA]",
        "A_POP": "$POP",
        "A_POP_BA": "$POP[TB:BA]",
    }
    table = _values(base, formules, sirets=[PRINCIPAL, ANNEXE])
    assert table[2015].tolist() == [107, 100, 7, 14, 0, 1000, 1000]
    assert any("mêle budgets principaux et annexes" in sentence for sentence in table.provenance.avertissements)
    assert _values(base, formules)[2015].tolist() == [100, 100, 0, 0, 0, 1000, 0]
    assert wb.explain(table, "A_TYPE", 2015).value == 14


def test_a_condition_that_no_budget_meets_silences_numbers_too(make_base) -> None:
    years = (2013, 2014, 2015)
    rows = [(year, PRINCIPAL, "70", 2, 0, 100) for year in years] + [(2014, ANNEXE, "70", 2, 0, 7)]
    base = make_base(rows, {ANNEXE: {"cbudg": "3", "ctype": "201", "mpoid": ""}})
    formules = {
        "A_NUMBER": "0.5[TB:BA]",
        "A_ROOM": "C70+10[TA:BX]",
        "A_BA": "A_ROOM*2+1[TB:BA]",
        "A_POWER": "(C70[TA:BX])^0[TE:201]",
        "A_ABS": "3-C70[TA:BX][CAL:ABS][TB:BA]",
        "A_BEFORE": "A_ROOM[OS:M1][TB:BA]",
        "A_AFTER": "A_ROOM[OS:P1][TB:BP]",
        "A_NESTED": "A_NUMBER+1[TE:201]",
        "A_POP": "$POP+1[TB:BA]",
        "A_SUM": "A_ROOM-5[TB:BP]C70+2[TA:BX][TB:BA]",
    }
    both = _values(base, formules, sirets=[PRINCIPAL, ANNEXE])
    nothing = [0, 0, 0]
    assert both.loc["A_NUMBER"].tolist() == [0, 0.5, 0]
    assert both.loc["A_BA"].tolist() == [0, 35, 0]
    assert both.loc["A_POWER"].tolist() == [0, 1, 0]
    assert both.loc["A_ABS"].tolist() == [0, 4, 0]
    assert both.loc["A_BEFORE"].tolist() == nothing
    assert both.loc["A_AFTER"].tolist() == [110, 110, 0]
    assert both.loc["A_NESTED"].tolist() == [0, 1.5, 0]
    assert both.loc["A_POP"].tolist() == [0, 1, 0]
    assert both.loc["A_SUM"].tolist() == [105, 114, 105]
    for code in formules:
        for year in years:
            assert wb.explain(both, code, year).value == both.at[code, year]

    alone = _values(base, formules)
    for code in ("A_NUMBER", "A_BA", "A_POWER", "A_ABS", "A_BEFORE", "A_NESTED", "A_POP"):
        assert alone.loc[code].tolist() == nothing, code
    grid = wb.evaluate_each(
        wb.trame_from_formules(formules), base, wb.perimetre(sirets=[PRINCIPAL]), years, nomenclature=None
    )
    each = {(row["indicateur"], row["exercice"]): row["value"] for row in grid.to_pylist()}
    assert each == {(code, year): alone.at[code, year] for code in formules for year in years}


def test_population_of_budgets_that_are_not_there(make_base) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 100)])
    table = _values(base, {"A_POP": "$POP[TE:999]", "A_BA": "100/$POP[TB:BA]"}, sirets=["99900000900012"])
    assert table.shape == (2, 0)
    table = _values(base, {"A_POP": "$POP[TE:999]", "A_BA": "100/$POP[TB:BA]"})
    assert table[2015].tolist() == [0, 0]


def test_population_counts_a_siren_once(make_base) -> None:
    rows = [(2015, siret, "70", 2, 0, 1.0) for siret in (PRINCIPAL, ANNEXE, OTHER)]
    base = make_base(rows, {OTHER: {"mpoid": "50"}})
    table = _values(base, {"A_POP": "$POP"}, sirets=[PRINCIPAL, ANNEXE, OTHER])
    assert table.at["A_POP", 2015] == 1050


def test_offsets_follow_the_calendar(make_base) -> None:
    base = make_base([(year, PRINCIPAL, "70", 2, 0, year) for year in (2011, 2012, 2014)])
    table = _values(base, {"A_B": "C70[TA:BX]", "A_M1": "A_B[OS:M1]", "A_P2": "A_B[OS:P2]", "A_DIFF": "A_B-A_B[OS:M1]"})
    assert table.columns.tolist() == [2011, 2012, 2014]
    assert table.loc["A_M1"].tolist() == [0, 2011, 0]
    assert table.loc["A_P2"].tolist() == [0, 2014, 0]
    assert table.loc["A_DIFF"].tolist() == [2011, 1, 2014]


def test_an_offset_of_a_masked_indicateur_reads_the_mask_of_its_own_exercice(make_base) -> None:
    base = make_base([(year, PRINCIPAL, "70", 2, 0, 10) for year in (2011, 2012, 2013)])
    table = _values(base, {"A_B": "C70[TA:BX][RE-MAX:2011]", "A_NEXT": "A_B[OS:M1]+0"})
    assert table.loc["A_B"].tolist() == [10, 0, 0]
    assert table.loc["A_NEXT"].tolist() == [0, 10, 0]


def test_nomenclature_filters_by_exercice(make_base) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 5)], {PRINCIPAL: {"cnome": "M57"}})
    assert _values(base, {"A_B": "C70[TA:BX]"}, nomenclature="M57").at["A_B", 2015] == 5
    empty = _values(base, {"A_B": "C70[TA:BX]"}, nomenclature="M14")
    assert empty.shape == (1, 0)
    assert "Aucun budget" in empty.provenance.avertissements[0]


def test_establishment_types_filter(make_base) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 5)])
    assert _values(base, {"A_B": "C70[TA:BX]"}, types=["201"]).shape == (1, 0)
    assert _values(base, {"A_B": "C70[TA:BX]"}, types=["101"]).shape == (1, 1)


def test_powers_and_quotients_without_a_value_are_zero(make_base) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 4)])
    formules = {
        "A_B": "C70[TA:BX]",
        "A_ROOT": "(0-A_B)^0.5",
        "A_POLE": "(A_B-A_B)^(0-1)",
        "A_ONE": "(A_B/(A_B-A_B))^0",
        "A_HUGE": "A_B^1000",
        "A_HALF": "A_B^0.5",
        "A_SUM": "A_B/0+5",
    }
    assert _values(base, formules)[2015].tolist() == [4, 0, 0, 1, 0, 2, 5]


def test_an_unknown_reference_and_a_ring_are_refused(make_base) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 4)])
    with pytest.raises(wb.WorkbenchError, match="A_C"):
        _values(base, {"A_B": "A_C+1"})
    with pytest.raises(wb.WorkbenchError, match=r"A_B.*A_C.*A_B"):
        _values(base, {"A_B": "A_C+1", "A_C": "A_B+1"})


def test_no_exercice_is_refused(make_base) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 4)])
    with pytest.raises(wb.WorkbenchError, match="exercice"):
        _values(base, {"A_B": "1"}, exercices=[])


@pytest.mark.parametrize("written", [2015, "2015", ["2015"], (2015, 2015), [2015.0], range(2015, 2016)])
def test_exercices_are_read_however_they_are_written(make_base, written: object) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 4)])
    table = _values(base, {"A_B": "C70[TA:BX]"}, exercices=written)
    assert table[2015].tolist() == [4]
    assert wb.explain(table, "A_B", "2015").value == 4


@pytest.mark.parametrize("written", ["2O15", [None], [2015.5], [True], [15], ["2011-2018"], {"début": 2011}])
def test_what_is_no_exercice_is_refused(make_base, written: object) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 4)])
    with pytest.raises(wb.WorkbenchError, match=r"n'est pas un exercice") as caught:
        _values(base, {"A_B": "1"}, exercices=written)
    assert caught.value.code == "exercice_invalide"


@pytest.mark.parametrize(
    ("parametre", "value"),
    [("trame", "m14.yaml"), ("trame", None), ("base", "base.duckdb"), ("perimetre", "M14"), ("nomenclature", 14)],
)
def test_arguments_of_another_kind_are_refused(make_base, parametre: str, value: object) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 4)])
    given = {"trame": wb.trame_from_formules({"A_B": "1"}), "base": base, "exercices": [2015]} | {parametre: value}
    for function in (wb.evaluate, wb.evaluate_each):
        with pytest.raises(wb.WorkbenchError, match=parametre) as caught:
            function(**given)
        assert caught.value.code == "argument_inattendu"


def test_a_nomenclature_is_read_as_a_perimetre_reads_it(make_base) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 4)])
    assert _values(base, {"A_B": "C70[TA:BX]"}, nomenclature=" m14 ").shape == (1, 1)


def test_only_a_table_of_evaluate_is_explained(make_base) -> None:
    table = _values(make_base([(2015, PRINCIPAL, "70", 2, 0, 1)]), {"A_B": "C70[TA:BX]"})
    for other in (None, table[2015], table.to_dict()):
        with pytest.raises(wb.WorkbenchError) as caught:
            wb.explain(other, "A_B", 2015)
        assert caught.value.code == "table_sans_provenance"


def test_zero_has_no_sign(make_base) -> None:
    table = _values(
        make_base([(2015, PRINCIPAL, "70", 2, 0, 1)]), {"A_B": "-(C9[TA:BX]*C70[TA:BX])", "A_C": "-C9[TA:BX]"}
    )
    assert [str(value) for value in table[2015]] == ["0.0", "0.0"]


def test_a_long_chain_of_indicateurs(make_base) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 0.01)])
    formules = {"A_0": "C70[TA:BX]"} | {f"A_{step}": f"A_{step - 1}/1+A_0" for step in range(1, 600)}
    table = _values(base, formules)
    assert table.at["A_599", 2015] == 6.0
    assert wb.explain(table, "A_599", 2015).value == 6.0


@pytest.mark.parametrize("operator", ["+", "*"])
def test_a_long_formule(make_base, operator: str) -> None:
    base = make_base([(2015, PRINCIPAL, "70", 2, 0, 1)])
    table = _values(base, {"A_B": "C70[TA:BX]", "A_LONG": operator.join(["A_B"] * 4000)})
    expected = 4000 if operator == "+" else 1
    assert table.at["A_LONG", 2015] == expected
    assert wb.explain(table, "A_LONG", 2015).value == expected


def test_the_explanation_of_a_linear_figure_is_its_comptes(make_base) -> None:
    rows = [
        (2015, PRINCIPAL, "706", 2, 0, 10.5),
        (2015, PRINCIPAL, "7062", 2, 0, 0.25),
        (2015, PRINCIPAL, "60", 2, 3, 0),
    ]
    base = make_base(rows)
    table = _values(base, {"A_B": "C70-D60[TA:BX]*2", "A_C": "A_B/2-1", "A_R": "A_B/A_C"})
    why = wb.explain(table, "A_B", 2015)
    assert why.value == table.at["A_B", 2015] == 15.5
    comptes = why.comptes().set_index("compte")
    assert comptes["montant"].to_dict() == {"706": 10.5, "7062": 0.25, "60": 3.0}
    assert comptes["contribution"].to_dict() == {"706": 21.0, "7062": 0.5, "60": -6.0}
    halved = wb.explain(table, "A_C", 2015)
    assert halved.value == table.at["A_C", 2015] == 6.75
    assert halved.comptes()["contribution"].sum() == 7.75
    assert wb.explain(table, "A_R", 2015).comptes()["contribution"].isna().all()
    assert "706" in str(why)
    assert "<details" in why._repr_html_()


def test_explaining_what_is_not_there(make_base) -> None:
    table = _values(make_base([(2015, PRINCIPAL, "70", 2, 0, 1)]), {"A_B": "C70[TA:BX]"})
    with pytest.raises(wb.WorkbenchError, match="A_Z"):
        wb.explain(table, "A_Z", 2015)
    with pytest.raises(wb.WorkbenchError, match="2015"):
        wb.explain(table, "A_B", 2016)


def test_a_part_of_a_table_still_explains_itself(make_base) -> None:
    table = _values(make_base([(2015, PRINCIPAL, "70", 2, 0, 1)]), {"A_B": "C70[TA:BX]", "A_C": "A_B"})
    assert wb.explain(table.loc[["A_C"]], "A_C", 2015).value == 1
    assert wb.explain(table.copy(), "A_C", 2015).value == 1


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=30),
    st.integers(1, 99),
)
def test_weights_keep_integers(cents: list[int], divisor: int) -> None:
    """A sum that is exactly zero in cents is exactly zero whatever constants divide it."""
    import numpy as np

    from workbench.evaluation import kernel
    from workbench.evaluation.plan import compile_trame

    plan = compile_trame(wb.trame_from_formules({"A_B": f"C7/{divisor}-C7/{divisor}[TA:BE]", "A_S": "C7[TA:BE]"}))
    lines = len(cents)
    amounts = {name: np.array(cents, dtype=np.int64) for name in ("credit_1",)}
    cells = kernel.Cells(
        row=np.zeros(lines, dtype=np.int64),
        compte=np.arange(lines),
        comptes=[f"7{number:02d}" for number in range(lines)],
        amounts=amounts,
        selected={},
    )
    rows = kernel.Rows(unit=np.zeros(1, dtype=np.int64), exercice=np.array([2015]))
    values = kernel.run(plan, rows, cells, {}, {})
    assert values[0, 0] == 0
    assert values[0, 1] == sum(cents) / 100


def test_open_data_warns_of_net_annulations(demonstration: tuple[str, str], make_base) -> None:
    path, siret = demonstration
    doubtful = wb.trame_from_formules({"A_B": "SC70[TA:BR]", "A_C": "C70[TA:BR]"})
    with wb.connect(path) as base:
        table = wb.evaluate(doubtful, base, sirets=[siret], exercices=range(2000, 2100))
        assert any("SC70 en [TA:BR]" in sentence for sentence in table.provenance.avertissements)
    from_cci = wb.evaluate(
        doubtful, make_base([(2015, PRINCIPAL, "70", 2, 0, 1)]), sirets=[PRINCIPAL], exercices=[2015]
    )
    assert not from_cci.provenance.avertissements


def test_a_table_that_was_changed_does_not_explain_itself(make_base) -> None:
    table = _values(make_base([(2015, PRINCIPAL, "70", 2, 0, 10)]), {"A_B": "C70[TA:BX]"})
    with pytest.raises(wb.WorkbenchError, match="modifié"):
        wb.explain(table * 2, "A_B", 2015)
