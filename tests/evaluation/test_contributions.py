"""One value among many explained alone, and what each collectivité brings to a consolidated figure."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench as wb
from workbench.evaluation.contributions import COLUMNS

YEARS = range(2014, 2019)
FORMULES = {
    "A_PRODUITS": "C7-D7[TA:BX]",
    "A_CHARGES": "D6-C6[TA:BX]",
    "A_SOLDE": "A_PRODUITS-A_CHARGES",
    "A_MOITIE": "A_SOLDE/2+C70*0.5[TA:BX]",
    "A_ANCIEN": "C7[TA:BX][RE-MAX:2015]C70*3[TA:BX][RE-MIN:2016]",
    "A_ANNEXE": "C7[TA:BX][TB:BA]A_CHARGES[TB:BP]",
    "A_TYPE": "C7[TA:BX][TE:101]",
    "A_AVANT": "A_PRODUITS-A_PRODUITS[OS:M1]",
    "A_APRES": "A_SOLDE[OS:P1][TB:BP]",
    "A_LOIN": "A_AVANT[OS:M1]+A_APRES",
    "A_CONSTANTE": "A_PRODUITS+10",
    "A_CONSTANTE_BA": "A_CHARGES-0.5[TB:BA]",
    "A_CONSTANTE_AVANT": "A_CONSTANTE[OS:M1]",
    "A_POP": "$POP*2",
    "A_POP_BA": "$POP[TB:BA]A_PRODUITS",
    "A_TAUX": "A_SOLDE/A_PRODUITS*100",
    "A_HABITANT": "A_PRODUITS/$POP",
    "A_RAPPORT": "(A_PRODUITS+7)/(A_CHARGES-3)",
    "A_ABSOLU": "A_CHARGES-A_PRODUITS[CAL:ABS]",
    "A_PUISSANCE": "A_PRODUITS^2",
    "A_PRODUIT": "A_PRODUITS*A_CHARGES/1000",
    "A_TAUX_AVANT": "A_TAUX[OS:M1]+A_HABITANT",
}
LINEAR = [code for code in FORMULES if code < "A_PR" or code in ("A_PRODUITS", "A_SOLDE", "A_TYPE")]
LINEAR = [code for code in LINEAR if code not in ("A_ABSOLU", "A_HABITANT")]
QUOTIENTS = ["A_TAUX", "A_HABITANT", "A_RAPPORT"]
PRINCIPALS = ["99900000100011", "99900000200019", "99900000300017"]
ANNEXES = ["99900000100029", "99900000100037", "99900000400023"]
SIRETS = [*PRINCIPALS, *ANNEXES]


@pytest.fixture(scope="module")
def base(new_url, tmp_path_factory: pytest.TempPathFactory):
    """Bodies with annexe budgets, one with a principal that is absent some years, a SIREN with two populations."""
    folder = tmp_path_factory.mktemp("contributions")
    rng = np.random.default_rng(3)
    execution, described = [], []
    for siret in SIRETS:
        annexe = siret in ANNEXES
        for year in YEARS:
            if (siret, year) in {(PRINCIPALS[1], 2015), (ANNEXES[0], 2014), (ANNEXES[1], 2016), (PRINCIPALS[2], 2018)}:
                continue
            for compte, column in (("70", 1), ("706", 1), ("74", 1), ("60", 0), ("6411", 0), ("7", 0)):
                amount = int(rng.integers(-5_000, 100_000))
                debit, credit = (0, amount) if column else (amount, 0)
                execution.append(f"{year},{siret},,{compte},2,{debit / 100},{credit / 100},D")
            population = {ANNEXES[0]: 1200 + year - 2014, ANNEXES[2]: ""}.get(siret, 1201)
            described.append(
                f"{year},{siret},099,001,VILLE,{population},M14,{'750000000' if annexe else ''},M14,"
                f"BUDGET {siret[-5:]},{'3' if annexe else '1'},{'410' if annexe else '101'}"
            )
    (folder / "execution.csv").write_text(
        "exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n" + "\n".join(execution) + "\n"
    )
    (folder / "collectivite.csv").write_text(
        "exer,ident,ndept,insee,lcomm,mpoid,nomen,finess,cnome,lbudg,cbudg,ctype\n" + "\n".join(described) + "\n"
    )
    with wb.connect(new_url(), read_only=False) as opened:
        wb.import_cci(opened, execution=folder / "execution.csv", collectivite=folder / "collectivite.csv")
        yield opened


TRAME = wb.trame_from_formules(FORMULES)


@cache
def _evaluated(base: wb.Base, sirets: tuple[str, ...], trame: wb.Trame, exercices: tuple[int, ...]):
    return wb.evaluate(trame, base, sirets=list(sirets), exercices=exercices, nomenclature=None)


@cache
def _each(base: wb.Base, sirets: tuple[str, ...], trame: wb.Trame) -> list[dict]:
    return wb.evaluate_each(trame, base, wb.perimetre(sirets=sirets), YEARS, nomenclature=None).to_pylist()


def _table(base: wb.Base, sirets, trame: wb.Trame = TRAME, exercices=YEARS) -> wb.IndicateurTable:
    return _evaluated(base, tuple(sirets), trame, tuple(exercices))


def _value(table: wb.IndicateurTable, code: str, year: int) -> float:
    return float(table.at[code, year]) if year in table.columns else 0.0


def _check(base: wb.Base, trame: wb.Trame, sirets: list[str], code: str, year: int) -> str:
    """Hold every column of the contributions against evaluations made one by one; return the nature."""
    table = _table(base, sirets, trame)
    shares = wb.contributions(table, code, year)
    value = table.at[code, year]
    assert tuple(shares.columns) == COLUMNS
    assert shares.attrs["valeur"] == value
    rows = shares[shares["siret"].notna()].set_index("siret")
    reached = set(_table(base, sirets, trame).provenance.budgets["siret"].to_pylist())
    assert set(rows.index) <= reached
    each = _each(base, tuple(sirets), trame)
    alone = {row["siret"]: row["value"] for row in each if (row["indicateur"], row["exercice"]) == (code, year)}
    for siret in sirets:
        others = [other for other in sirets if other != siret]
        without = _value(_table(base, others, trame), code, year) if others else 0.0
        if siret not in rows.index:
            assert siret not in alone
            assert without == value
            continue
        assert rows.at[siret, "valeur"] == alone.get(siret, 0.0), siret
        assert rows.at[siret, "effet"] == pytest.approx(value - without, rel=1e-9, abs=1e-6), siret
    nature = shares.attrs["nature"]
    total = shares[["contribution", "numerateur", "denominateur"]].sum(min_count=1)
    if nature == "lineaire":
        assert total["contribution"] == pytest.approx(value, rel=1e-12, abs=1e-9)
        if value:
            assert shares["part"].sum() == pytest.approx(1, rel=1e-9)
        assert shares[["numerateur", "denominateur"]].isna().all(axis=None)
    else:
        assert shares[["contribution", "part"]].isna().all(axis=None)
    if nature == "quotient":
        expected = total["numerateur"] / total["denominateur"] if total["denominateur"] else 0.0
        assert expected == pytest.approx(value, rel=1e-9, abs=1e-9)
    return nature


@pytest.mark.parametrize("code", FORMULES)
def test_against_evaluations_made_one_by_one(base: wb.Base, code: str) -> None:
    expected = "lineaire" if code in LINEAR else "quotient" if code in QUOTIENTS else "autre"
    for sirets, years in ((SIRETS, (2016, 2018)), ([PRINCIPALS[0], *ANNEXES[:2]], (2014,)), ([ANNEXES[2]], (2015,))):
        for year in years:
            if year in _table(base, sirets).columns:
                assert _check(base, TRAME, sirets, code, year) == expected, (sirets, year)


def test_contributions_of_sums_are_exact_to_the_cent(base: wb.Base) -> None:
    table = _table(base, SIRETS)
    grid = _each(base, tuple(SIRETS), TRAME)
    for code in ("A_PRODUITS", "A_SOLDE", "A_ANCIEN", "A_ANNEXE", "A_TYPE"):
        for year in (2015, 2017):
            shares = wb.contributions(table, code, year)
            own = {row["siret"]: row["value"] for row in grid if (row["indicateur"], row["exercice"]) == (code, year)}
            # Read on its own comptes, to the bit: nothing is shared between collectivités here.
            assert dict(zip(shares["siret"], shares["contribution"], strict=True)) == own
            cents = sum(round(Fraction(value) * 100) for value in shares["contribution"])
            assert cents == round(Fraction(table.at[code, year]) * 100)
            assert shares["contribution"].abs().is_monotonic_decreasing


def test_an_offset_brings_those_that_have_left(base: wb.Base) -> None:
    # PRINCIPALS[2] has no accounts in 2018 and those of 2017 count.
    shares = wb.contributions(_table(base, PRINCIPALS), "A_AVANT", 2018).set_index("siret")
    before = _table(base, [PRINCIPALS[2]]).at["A_PRODUITS", 2017]
    assert shares.at[PRINCIPALS[2], "contribution"] == -before != 0
    assert shares.at[PRINCIPALS[2], "valeur"] == 0
    assert shares.at[PRINCIPALS[2], "libelle"] == f"BUDGET {PRINCIPALS[2][-5:]}"
    # A period that stops before leaves nothing to bring.
    alone = wb.contributions(_table(base, PRINCIPALS, exercices=[2018]), "A_AVANT", 2018)
    assert PRINCIPALS[2] not in set(alone["siret"])


def test_constants_and_inhabitants_are_counted_once(base: wb.Base) -> None:
    table = _table(base, SIRETS)
    shares = wb.contributions(table, "A_CONSTANTE", 2016)
    line = shares[shares["siret"].isna()]
    assert line["contribution"].tolist() == [10]
    assert line["libelle"].tolist() == ["constantes de la formule"]
    shares = wb.contributions(table, "A_POP", 2016).set_index("siret")["contribution"]
    # Budgets of the first SIREN: 1201 for the principal, 1202 for an annexe; the greatest is counted.
    assert shares[PRINCIPALS[0]] == 0
    assert shares[ANNEXES[0]] == 2 * 1202
    assert shares[ANNEXES[2]] == 0
    effects = wb.contributions(table, "A_POP", 2016).set_index("siret")["effet"]
    assert effects[ANNEXES[0]] == 2 * (1202 - 1201)


def test_words_and_refusals(base: wb.Base, tmp_path: Path) -> None:
    table = _table(base, SIRETS)
    assert "exactement" in wb.contributions(table, "A_SOLDE", "2016").attrs["lecture"]
    assert "Quotient" in wb.contributions(table, "A_TAUX", 2016).attrs["lecture"]
    assert "non linéaire" in wb.contributions(table, "A_ABSOLU", 2016).attrs["lecture"]
    for arguments, code in (
        ((table, "A_Z", 2016), "indicateur_absent"),
        ((table, "A_SOLDE", 1999), "exercice_absent"),
        ((table * 1, "A_SOLDE", "hier"), "exercice_absent"),
    ):
        with pytest.raises(wb.WorkbenchError) as refused:
            wb.contributions(*arguments)
        assert refused.value.code == code
    with pytest.raises(wb.WorkbenchError) as refused:
        wb.contributions(table.to_numpy(), "A_SOLDE", 2016)
    assert refused.value.code == "table_sans_provenance"


_terms = st.builds(
    "{}{}{}".format,
    st.sampled_from(["C7", "D6", "C70", "D64", "A_UN", "A_UN[OS:M1]", "A_UN[OS:P1]"]),
    st.sampled_from(["", "", "*2", "/3", "*0.07", "/D6", "*C7"]),
    st.sampled_from(["", "", "+C7", "-D6", "+$POP", "+5"]),
)
_segments = st.builds(
    "{}[TA:BX]{}".format,
    _terms,
    st.sampled_from(["", "[RE-MIN:2016]", "[RE-MAX:2016]", "[TB:BP]", "[TB:BA]", "[TE:101]", "[CAL:ABS]"]),
)


@given(
    segments=st.lists(_segments, min_size=1, max_size=2),
    sirets=st.lists(st.sampled_from(SIRETS), min_size=1, max_size=4, unique=True),
    year=st.sampled_from(list(YEARS)),
)
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_formules(base: wb.Base, segments: list[str], sirets: list[str], year: int) -> None:
    formules = {"A_UN": "C7+1[TA:BX]", "A_DEUX": "".join(segments)}
    errors = [d for f in formules.values() for d in wb.check_formule(f, known_indicateurs=list(formules))]
    if any(diagnostic.severity == "error" for diagnostic in errors):
        return
    trame = wb.trame_from_formules(formules)
    if year in _table(base, sirets, trame).columns:
        _check(base, trame, sirets, "A_DEUX", year)
    grid = wb.evaluate_each(trame, base, wb.perimetre(sirets=sirets), YEARS, nomenclature=None).to_pylist()
    for row in [row for row in grid if row["exercice"] == year][:2]:
        why = wb.explain_each(trame, base, row["siret"], row["indicateur"], year, exercices=YEARS, nomenclature=None)
        assert why.value == pytest.approx(row["value"], rel=1e-12, abs=1e-9)


# --- one value among many -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "criteria",
    [
        {},
        {"types": ["101"]},
        {"sirets": PRINCIPALS},
        {"sirens": [PRINCIPALS[0][:9]], "sirets": [ANNEXES[2]]},
        {"finess": ["750000000"], "sirets": [PRINCIPALS[1]]},
        {"population": (1202, None)},
    ],
)
@pytest.mark.parametrize("years", [YEARS, [2015, 2016]])
def test_each_value_is_explained_alone(base: wb.Base, criteria, years) -> None:
    chosen = wb.perimetre(**criteria)
    grid = wb.evaluate_each(TRAME, base, chosen, years, nomenclature=None).to_pylist()
    some = grid[:: max(1, len(grid) // 12)]
    assert some
    for row in some:
        why = wb.explain_each(
            TRAME,
            base,
            row["siret"],
            row["indicateur"],
            row["exercice"],
            perimetre=chosen,
            exercices=years,
            nomenclature=None,
        )
        assert why.value == pytest.approx(row["value"], rel=1e-12), row
        assert why.label == row["indicateur"]
    there = {(row["siret"], row["exercice"]) for row in grid}
    for siret, year in sorted({(siret, year) for siret in SIRETS for year in YEARS} - there)[::9]:
        with pytest.raises(wb.WorkbenchError) as refused:
            wb.explain_each(TRAME, base, siret, "A_SOLDE", year, perimetre=chosen, exercices=years, nomenclature=None)
        assert refused.value.code == "budget_absent"


def test_the_period_of_an_explanation_is_that_of_the_base(base: wb.Base) -> None:
    why = wb.explain_each(TRAME, base, PRINCIPALS[0], "A_AVANT", 2016, nomenclature=None)
    grid = wb.evaluate_each(TRAME, base, None, YEARS, nomenclature=None).to_pylist()
    wanted = (PRINCIPALS[0], 2016, "A_AVANT")
    assert [why.value] == [r["value"] for r in grid if (r["siret"], r["exercice"], r["indicateur"]) == wanted]
    assert why.value != wb.explain_each(TRAME, base, PRINCIPALS[0], "A_PRODUITS", 2016, nomenclature=None).value
    with pytest.raises(wb.WorkbenchError) as refused:
        wb.explain_each(TRAME, base, PRINCIPALS[0], "A_Z", 2016)
    assert refused.value.code == "indicateur_absent"
    with pytest.raises(wb.WorkbenchError) as refused:
        wb.explain_each(TRAME, base, "99999999900011", "A_SOLDE", 2016)
    assert refused.value.code == "budget_absent"
