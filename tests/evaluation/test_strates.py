"""Statistics and ranks inside strates, against a computation by hand with pandas."""

from __future__ import annotations

import html
import itertools
import math
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.dgfip import strates as classes_module
from workbench.dgfip.strates import echelles, strates_of_type
from workbench.evaluation.groups import Groups, Ranked

TRAME = {
    "A_PRODUITS": "C7-D7[TA:BX]",
    "A_CHARGES": "D6-C6[TA:BX]",
    "A_TAUX": "(A_PRODUITS-A_CHARGES)/A_PRODUITS",
    "A_HABITANT": "A_PRODUITS/$POP",
    "A_DEUX_HABITANT": "A_HABITANT*2",
    "A_EVOLUTION": "A_PRODUITS-A_PRODUITS[OS:M1]",
    "A_ANNEXE": "C7[TA:BX][TB:BA]",
    "A_RARE": "C775[TA:BX]",
}


# --- order inside groups, against the definitions read literally --------------------------------------------------


def _groups(of_row: list[int]) -> Groups:
    known = sorted(set(of_row))
    place = {label: number for number, label in enumerate(known)}
    return Groups(np.array([place[each] for each in of_row]), len(known), {"exercice": np.array(known)})


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([-2.5, -1.0, 0.0, 0.1, 0.30000000000000004, 7.0]), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_quantiles_ranks_and_percentiles_follow_their_definitions(drawn) -> None:
    of_row = [group for group, _, _ in drawn]
    values = np.array([value for _, value, _ in drawn])
    kept = np.array([keep for _, _, keep in drawn])
    groups = _groups(of_row)
    for mask in (None, kept):
        counted = np.ones(len(drawn), dtype=bool) if mask is None else mask
        sorted_ = Ranked(groups, values, mask).sort()
        members = {
            group: [values[row] for row in range(len(drawn)) if counted[row] and groups.of_row[row] == group]
            for group in range(groups.count)
        }
        assert sorted_.count.tolist() == [len(members[group]) for group in range(groups.count)]
        assert sorted_.filled.tolist() == [group for group, each in members.items() if each]
        assert sorted_.nonzero.tolist() == [sum(v != 0 for v in each) for each in members.values() if each]
        for numerator, denominator in ((1, 4), (1, 2), (3, 4), (1, 10), (0, 1), (1, 1)):
            expected = [
                next(v for v in sorted(each) if sum(w <= v for w in each) * denominator >= numerator * len(each))
                for each in members.values()
                if each
            ]
            assert sorted_.quantile(numerator, denominator).tolist() == expected
        rows, below, equal = Ranked(groups, values, mask).places()
        assert sorted(rows.tolist()) == np.flatnonzero(counted).tolist()
        some = np.flatnonzero(counted)
        few_below, few_equal = sorted_.places_of(some)
        found = {row: pair for row, *pair in zip(rows.tolist(), below.tolist(), equal.tolist(), strict=True)}
        for number, row in enumerate(some.tolist()):
            own = members[int(groups.of_row[row])]
            expected = [sum(v < values[row] for v in own), sum(v == values[row] for v in own)]
            assert found[row] == [few_below[number], few_equal[number]] == expected


# --- a whole base, on both engines -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(new_url, tmp_path_factory: pytest.TempPathFactory):
    """Communes of every size, a groupement, a région, annexe budgets, one commune without population."""
    folder = tmp_path_factory.mktemp("strates")
    rng = np.random.default_rng(7)
    sizes = [0, 100, 249, 250, 250, 300, 499, 500, 1999, 2000, 9999, 10000, 99999, 100000, "", ""]
    bodies = [(f"2100000{number:02d}00010", "101", "1", size, number % 2) for number, size in enumerate(sizes)]
    bodies += [(f"2100000{number:02d}00028", "410", "3", size, number % 2) for number, size in enumerate(sizes[:4])]
    bodies += [("20000000100010", "403", "1", 14999, 0), ("20000000200010", "403", "1", 15000, 1)]
    bodies += [("23000000100010", "301", "1", 3000000, 0), ("21000009900010", "101", "2", 420, 1)]
    execution, described = [], []
    for year in (2018, 2019, 2020):
        for siret, type_, kind, size, side in bodies:
            if siret.startswith("210000005") and year == 2019:
                continue
            # Few distinct amounts, so that values tie.
            for compte, column in (("70", "credit"), ("60", "debit"), ("775", "credit")):
                if compte == "775" and rng.random() < 0.7:
                    continue
                euros = int(rng.integers(0, 4)) * 100.25
                debit, credit = (euros, 0) if column == "debit" else (0, euros)
                execution.append(f"{year},{siret},,{compte},2,{debit},{credit},D")
            chart = "M71" if type_ == "301" else "M14"
            described.append(
                f"{year},{siret},{'031' if side else '033'},001,V,{size},{chart},,{chart},V,{kind},{type_}"
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


def _strate_by_hand(row: pd.Series) -> str:
    if row["type_budget"] not in ("1", "2") or row["type_etablissement"] not in ("101", "403"):
        return "sans strate"
    if pd.isna(row["population"]):
        return "population inconnue"
    return [s for s in strates_of_type(row["type_etablissement"]) if s.minimum <= row["population"]][-1].libelle


def _by_hand(base: wb.Base, trame: wb.Trame, by: list[str], principal: bool, zeros: bool, exercices) -> pd.DataFrame:
    """Value, group, rank and percentile of every budget-year, computed one by one."""
    from workbench.dgfip import select_budgets

    budgets = select_budgets(base, wb.perimetre(), exercices).to_pandas()
    budgets["strate"] = [_strate_by_hand(row) for _, row in budgets.iterrows()]
    budgets["departement"] = ["031" if int(siret[7:9]) % 2 else "033" for siret in budgets["siret"]]
    for siret, code in (("20000000100010", "033"), ("20000000200010", "031"), ("23000000100010", "033")):
        budgets.loc[budgets["siret"] == siret, "departement"] = code
    budgets.loc[budgets["siret"] == "21000009900010", "departement"] = "031"
    grid = wb.evaluate_each(trame, base, None, exercices, nomenclature=None).to_pandas()
    grid = grid.astype({"siret": str, "indicateur": str}).merge(budgets, on=["siret", "exercice"])
    if principal:
        grid = grid[grid["type_budget"].isin(["1", "2"])]
    grid = grid[(grid["population"] > 0) | ~grid["indicateur"].isin(["A_HABITANT", "A_DEUX_HABITANT"])]
    if not zeros:
        grid = grid[grid["value"] != 0]
    grouped = grid.groupby(["indicateur", *by, "exercice"])["value"]
    greater = grouped.transform(lambda own: [(own > value).sum() for value in own])
    lower = grouped.transform(lambda own: [(own < value).sum() for value in own])
    count = grouped.transform("count")
    return grid.assign(
        rank=greater.astype(int) + 1, percentile=(lower + (count - greater - lower) / 2) / count * 100, count=count
    )


@pytest.mark.parametrize("by", ["strate", "departement", ["departement", "strate"], []])
@pytest.mark.parametrize(("principal", "zeros"), [(True, True), (False, True), (True, False)])
def test_statistics_and_ranks_against_pandas(base: wb.Base, by, principal: bool, zeros: bool) -> None:
    trame = wb.trame_from_formules(TRAME)
    columns = {"strate": ["type_etablissement", "nomenclature", "strate"]} | {
        "departement": ["type_etablissement", "nomenclature", "departement"]
    }
    dimensions = columns[by] if isinstance(by, str) else by
    years = [2018, 2019, 2020]
    expected = _by_hand(base, trame, dimensions, principal, zeros, years)
    options = {"by": by, "nomenclature": None, "type_budget": "BP" if principal else None, "zeros": zeros}
    sirets = ["21000000400010", "21000001400010", "20000000100010", "21000000100028"]
    table = wb.strates(trame, base, None, years, sirets=sirets, **options)

    statistics = table.to_pandas()
    keys = ["indicateur", *dimensions, "exercice"]
    grouped = expected.groupby(keys, observed=True)["value"]
    assert not statistics.duplicated(keys).any()
    assert len(statistics) == grouped.ngroups > 8
    for row in statistics.to_dict("records"):
        key = tuple(row[name] for name in keys)
        own = sorted(grouped.get_group(key))
        assert row["count"] == len(own), key
        assert row["nonzero"] == sum(value != 0 for value in own)
        found = [row[name] for name in ("minimum", "quartile_1", "median", "quartile_3", "maximum")]
        assert found == [own[0], *(own[math.ceil(len(own) * p / 4) - 1] for p in (1, 2, 3)), own[-1]]
    assert statistics["indicateur"].drop_duplicates().tolist() == [c for c in TRAME if c in set(expected["indicateur"])]

    every = pa.Table.from_batches(list(wb.rank_each_batches(trame, base, None, years, **options)))
    for found, wanted in (
        (every.unify_dictionaries().to_pandas(), expected),
        (table.ranks.to_pandas(), expected[expected["siret"].isin(sirets)]),
    ):
        merged = found.astype({"siret": str, "indicateur": str}).merge(
            wanted, on=["indicateur", "siret", "exercice"], suffixes=("", "_expected"), how="outer", indicator=True
        )
        assert (merged["_merge"] == "both").all()
        for name in ("value", "rank", "count"):
            assert (merged[name] == merged[f"{name}_expected"]).all(), name
        assert np.allclose(merged["percentile"], merged["percentile_expected"], rtol=0, atol=1e-12)
        medians = merged.merge(statistics[[*keys, "median"]].astype({"indicateur": str}), on=keys, suffixes=("", "_of"))
        assert (medians["median"] == medians["median_of"]).all()
        assert len(medians) == len(merged)


def test_several_goes_give_the_same(base: wb.Base, monkeypatch: pytest.MonkeyPatch) -> None:
    trame = wb.trame_from_formules(TRAME)
    whole = wb.strates(trame, base, nomenclature=None)
    seen = []
    monkeypatch.setattr(import_module("workbench.evaluation.strates"), "_HELD", 8 * 3 * 70)
    again = wb.strates(trame, base, nomenclature=None, progress=lambda *done: seen.append(done))
    assert again.statistics.equals(whole.statistics)
    assert len(seen) > 1
    assert seen[-1][0] == seen[-1][1]
    stopped = wb.strates(trame, base, nomenclature=None, progress=lambda done, total: done < total / 2)
    assert 0 < stopped.statistics.num_rows < whole.statistics.num_rows


def test_the_perimeter_is_that_of_evaluate_each(base: wb.Base) -> None:
    trame = wb.trame_from_formules(TRAME, nomenclature="M14")
    chosen = wb.perimetre(types=["101"], population=(250, 2000))
    table = wb.strates(trame, base, chosen, range(2019, 2021), by=[])
    grid = wb.evaluate_each(trame, base, chosen, range(2019, 2021)).to_pandas()
    grid = grid[grid["indicateur"] == "A_EVOLUTION"]
    rows = table.to_pandas().query("indicateur == 'A_EVOLUTION'")
    for row in rows.to_dict("records"):
        own = grid[grid["exercice"] == row["exercice"]]["value"]
        assert (row["count"], row["minimum"], row["maximum"]) == (len(own), own.min(), own.max())
    assert len(rows) == 2


def test_what_is_said(base: wb.Base) -> None:
    trame = wb.trame_from_formules(TRAME)
    assert any("sans population" in each for each in wb.strates(trame, base).avertissements)
    nothing = wb.strates(trame, base, exercices=[1950])
    assert nothing.statistics.num_rows == 0
    assert "Aucun budget" in nothing.avertissements[0]
    for options, code in (
        ({"by": "commune"}, "regroupement_inconnu"),
        ({"by": ["region"]}, "regroupement_inconnu"),
        ({"echelle": "insee"}, "echelle_inconnue"),
    ):
        with pytest.raises(wb.WorkbenchError) as refused:
            wb.strates(trame, base, **options)
        assert refused.value.code == code


# --- classes ------------------------------------------------------------------------------------------------------


def test_classes_are_whole_and_sourced() -> None:
    labels = set()
    for echelle in echelles():
        for type_ in ("101", "401", "402", "403", "404", "405", "201"):
            classes = strates_of_type(type_, echelle)
            assert all(after.minimum == before.maximum for before, after in itertools.pairwise(classes))
            if classes:
                assert (classes[0].minimum, classes[-1].maximum) == (0, None)
                assert all(len(each.source) > 40 for each in classes)
        labels |= {each.libelle for classes in classes_module._scales()[echelle].values() for each in classes}
    assert len(labels) == 35
    for type_ in ("301", "410", "421", ""):
        assert strates_of_type(type_) == ()


def test_strate_of_agrees_with_the_table(base: wb.Base) -> None:
    trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"})
    every = pa.Table.from_batches(list(wb.rank_each_batches(trame, base, nomenclature=None, type_budget=None)))
    seen = set()
    for row in every.to_pylist():
        where = wb.strate_of(base, row["siret"], row["exercice"])
        assert (where.libelle, where.type_etablissement) == (row["strate"], row["type_etablissement"])
        assert where.departement in ("031", "033")
        seen.add(where.libelle)
    assert len(seen) > 8
    with pytest.raises(wb.WorkbenchError) as refused:
        wb.strate_of(base, "21000000000010", 1999)
    assert refused.value.code == "budget_absent"


@pytest.mark.shared
def test_classes_are_those_of_published_sheets(shared: Path) -> None:
    found = []
    for path in sorted((shared / "data" / "ofgl" / "nosfinanceslocales").glob("commune_*.html")):
        raw = path.read_bytes()
        try:
            page = raw.decode("utf-8")
        except UnicodeDecodeError:
            page = raw.decode("latin-1")
        page = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
        inhabitants = int(re.search(r"er janvier de l'exercice : ([\d ]+) habitants", page)[1].replace(" ", ""))
        printed = re.search(r"strate (communes de .*? hab) appartenant", page)[1]
        own = next(each for each in reversed(strates_of_type("101")) if each.minimum <= inhabitants)
        assert own.libelle == f"{printed}.", path.name
        found.append(own.libelle)
    assert len(set(found)) == 3
