"""Assisted queries: figures equal to a naive computation, statements that no value can bend, limits."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from workbench.dgfip import (
    Base,
    Query,
    connect,
    import_balances,
    import_comptes,
    import_population,
    perimetre,
    query,
    select_budgets,
    write_demonstration,
)
from workbench.dgfip.queries_measures import OPERATORS, Measure
from workbench.dgfip.queries_spec import DIMENSIONS
from workbench.dgfip.queries_text import readable
from workbench.dgfip.relations import RELATIONS, joined
from workbench.dgfip.schema import balances, budgets, collectivites, imports, metadata
from workbench.engines import Cancellation
from workbench.errors import WorkbenchError
from workbench.types_appel import SOLDES


@pytest.fixture(scope="module")
def base(new_url: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    """The demonstration base on each engine."""
    folder = tmp_path_factory.mktemp("requetes")
    written = write_demonstration(folder, communes=6)
    with connect(new_url(), read_only=False) as opened:
        import_balances(opened, written.balances)
        import_population(opened, written.population)
        import_comptes(opened, written.comptes)
        yield opened


@pytest.fixture(scope="module")
def rows(base: Base) -> pd.DataFrame:
    """Every row of the balances, with what its budget is: what a naive computation starts from."""
    known = select_budgets(base, perimetre()).to_pandas()
    places = base.fetch(
        select(collectivites.c.siret, collectivites.c.exercice, collectivites.c.departement)
    ).to_pandas()
    lines = base.fetch(select(balances)).to_pandas().drop(columns="etat")
    return lines.merge(known, on=["siret", "exercice"]).merge(places, on=["siret", "exercice"])


def naive(rows: pd.DataFrame, side: str, prefix: str, type_appel: str) -> pd.Series[Any]:
    """Cents of each row, straight from the table of types d'appel."""
    total = pd.Series(0, index=rows.index)
    for column, coefficient in SOLDES[type_appel, side].items():  # type: ignore[index]
        total = total + coefficient * rows[column]
    return total.where(rows["compte"].str.startswith(prefix), 0)


def frame(query_: Query) -> pd.DataFrame:
    return query_.run().to_frame()


# --- figures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("type_appel", "side"), sorted(SOLDES))
def test_every_type_appel_is_the_naive_sum(base: Base, rows: pd.DataFrame, type_appel: str, side: str) -> None:
    asked = query(base).measure(f"{side}1", type_appel=type_appel, libelle="x").by("collectivite", "exercice")
    found = frame(asked).set_index(["siret", "exercice"])["x"]
    wanted = naive(rows, side, "1", type_appel).groupby([rows["siret"], rows["exercice"]]).sum()
    assert len(found) == len(wanted) > 30
    # Exact: the double nearest to the cents.
    assert (found.sort_index() == wanted.sort_index() / 100).all()
    assert len(set(wanted)) > 1 or type_appel == "NB"


@pytest.mark.parametrize("names", [("departement", "exercice"), ("nomenclature",), ("siren",), ("source", "etat"), ()])
def test_groups_add_up(base: Base, rows: pd.DataFrame, names: tuple[str, ...]) -> None:
    found = frame(query(base).by(*names).measure("C7", "D60", "S51"))
    wanted = pd.DataFrame(
        {
            "C7": naive(rows, "C", "7", "SX"),
            "D60": naive(rows, "D", "60", "SX"),
            "S51": naive(rows, "SD", "51", "SX") - naive(rows, "SC", "51", "SX"),
        }
    )
    summed = wanted.groupby([rows[name] for name in names]).sum() if names else wanted.sum().to_frame().T
    assert found[["C7", "D60", "S51"]].to_numpy().tolist() == (summed.to_numpy() / 100).tolist()
    assert (found["C7"] > 0).any()


def test_comptes_are_listed_as_they_exist(base: Base, rows: pd.DataFrame) -> None:
    chosen = rows[rows["nomenclature"].eq("M57") & rows["exercice"].eq(2023)]
    asked = query(base).where(nomenclature="M57", comptes=["60", "61"]).exercices(2023).measure("D")
    for name, digits in (("chapitre", 2), ("compte", 99), ("classe", 1)):
        found = frame(asked.by(name))
        own = chosen[chosen["compte"].str.startswith(("60", "61"))]
        wanted = naive(own, "D", "", "SX").groupby(own["compte"].str[:digits]).sum()
        assert found[name].tolist() == wanted.index.tolist()
        assert found["D"].tolist() == (wanted / 100).tolist()
    assert (frame(asked.by("compte"))["compte_libelle"] != "").any()
    assert frame(asked.by("fonction"))["D"].sum() == pytest.approx(frame(asked)["D"].sum())


def test_inhabitants_are_counted_once_a_siren(base: Base, rows: pd.DataFrame) -> None:
    asked = query(base).measure("C70", per_inhabitant=True).measure("C70", libelle="total")
    once = rows.drop_duplicates(["siret", "exercice"]).groupby(["departement", "exercice", "siren"])["population"].max()
    inhabitants = once.groupby(["departement", "exercice"]).sum()
    total = naive(rows, "C", "70", "SX").groupby([rows["departement"], rows["exercice"]]).sum()
    found = frame(asked.by("departement", "exercice"))
    assert found["C70/hab"].tolist() == [
        float(np.float64(cents) / np.float64(people) / 100) for cents, people in zip(total, inhabitants, strict=True)
    ]
    # A grouping by compte divides by the same inhabitants.
    parts = frame(asked.by("departement", "exercice", "chapitre"))
    again = parts.groupby(["departement", "exercice"])["C70/hab"].sum()
    assert again.to_numpy() == pytest.approx(found["C70/hab"].to_numpy())


def test_a_budget_without_such_a_compte_counts_zero(base: Base, rows: pd.DataFrame) -> None:
    found = frame(query(base).measure("C9").by("collectivite", "exercice"))
    assert len(found) == len(rows.drop_duplicates(["siret", "exercice"]))
    assert set(found["C9"]) == {0.0}
    assert len(frame(query(base).measure("C9").by("compte"))) == 0


def test_criteria_are_those_of_a_perimetre(base: Base) -> None:
    for criteria in (
        {"departements": ["031", "029"]},
        {"nomenclature": "m14"},
        {"types": "101", "population": (1000, 20000)},
        {"sirens": "999000065"},
        {"departements": []},
    ):
        wanted = select_budgets(base, perimetre(**criteria), [2019, 2023])  # type: ignore[arg-type]
        asked = query(base).where(**criteria).exercices([2019, 2023]).by("collectivite", "exercice")  # type: ignore[arg-type]
        found = frame(asked)
        assert sorted(zip(found["siret"], found["exercice"], strict=True)) == sorted(
            zip(wanted["siret"].to_pylist(), wanted["exercice"].to_pylist(), strict=True)
        )
        assert asked.count() == len(found)
        assert frame(
            query(base).where(perimetre(**criteria)).exercices([2019, 2023]).by("collectivite", "exercice")
        ).equals(found)  # type: ignore[arg-type]


def test_a_name_is_searched_by_words(base: Base) -> None:
    everything = frame(query(base).by("collectivite"))
    label = everything["libelle"].iloc[0]
    word = re.findall(r"\w{5,}", label)[0]
    found = frame(query(base).where(name=word.lower()).by("collectivite"))
    assert label in set(found["libelle"])
    assert found["libelle"].str.contains(word).all()
    assert 0 < len(found) < len(everything)


def test_an_epci_is_a_criterion_where_the_base_knows_it(base: Base) -> None:
    result = query(base).where(epci="200000001").by("collectivite").run()
    assert len(result) == 0
    assert "EPCI" in " ".join(result.notices)


def test_filters_compare_exactly_and_order_is_settled(base: Base) -> None:
    asked = query(base).measure("C70").measure("C70", per_inhabitant=True).by("collectivite", "exercice")
    everything = frame(asked)
    middle = sorted(everything["C70"])[len(everything) // 2]
    for operator, kept in (
        (">", everything["C70"] > middle),
        (">=", everything["C70"] >= middle),
        ("<", everything["C70"] < middle),
        ("<=", everything["C70"] <= middle),
        ("=", everything["C70"] == middle),
        ("!=", everything["C70"] != middle),
    ):
        filtered = asked.filter("C70", operator, middle)
        assert frame(filtered)["C70"].tolist() == everything[kept]["C70"].tolist()
        assert filtered.count() == int(kept.sum())
    assert len(frame(asked.having("C70", ">", f"{middle:.2f}1"))) == int((everything["C70"] > middle).sum())
    ordered = frame(asked.order_by("-C70", "exercice"))
    assert ordered["C70"].tolist() == sorted(everything["C70"], reverse=True)
    assert frame(asked.order_by("exercice"))["exercice"].is_monotonic_increasing
    rich = asked.filter("C70/hab", ">", 100)
    assert (frame(rich)["C70/hab"] > 100).all()
    assert 0 < rich.count() < len(everything)


def test_a_truncated_result_says_so(base: Base) -> None:
    asked = query(base).measure("C70").by("collectivite", "exercice")
    whole = asked.run()
    assert not whole.truncated
    assert whole.notices == ()
    assert asked.count() == len(whole)
    exact = asked.run(limit=len(whole))
    assert not exact.truncated
    cut = asked.limit(5).run()
    assert cut.truncated
    assert len(cut) == 5
    assert "tronqué" in cut.notices[0]
    assert "tronqué" in cut._repr_html_()
    assert cut.to_frame().attrs["truncated"] is True


def test_a_query_never_changes(base: Base) -> None:
    first = query(base).where(departements="031")
    second = first.measure("C70").by("exercice")
    assert first.spec.measures == ()
    assert second.spec.perimetre == first.spec.perimetre
    assert second == first.measure("C70").by("exercice")


# --- values cannot bend a statement ---------------------------------------------------------------------------------

HOSTILE = st.one_of(
    st.sampled_from(
        [
            "'; DROP TABLE balances; --",
            '"; DELETE FROM budgets; --',
            "/* */ OR 1=1",
            "ʼ OR ʼ1ʼ=ʼ1",
            "＇；－－",
            "\\'; --",
            "$1",
            ":param",
            "%s",
            "%(x)s",
            "M57\x00",
            "\ud800",
            "l'an{0}",
            "%",
            "_",
            "\u202e",
        ]
    ),
    st.text(max_size=20),
)


def shape(query_: Query) -> str:
    return query_.sql().text


def attempt(make: Callable[[], Query]) -> Query | None:
    """Make a query; a value that is refused at the door never reaches an engine."""
    try:
        return make()
    except WorkbenchError:
        return None


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile=HOSTILE)
@example(hostile="M57\x00")
@example(hostile="0+0")
@example(hostile="+")
@example(hostile="+M57")
def test_hostile_values_change_values_only(base: Base, hostile: str) -> None:
    start = query(base).measure("C70").by("collectivite", "exercice")
    asked = attempt(lambda: start.where(nomenclature=hostile))
    if asked is not None and asked.spec.perimetre.nomenclature is not None:
        several = "+".join("M57" for _ in asked.spec.perimetre.nomenclature.split("+"))
        assert shape(asked) == shape(start.where(nomenclature=several))
        known = asked.spec.perimetre.nomenclature in {"M14", "M57", "M4", "M49"}
        assert known or len(asked.run()) == 0
    named = attempt(lambda: start.where(name=hostile))
    if named is not None and named.spec.name is not None:
        from workbench.dgfip.catalogue import words_of

        words = words_of(named.spec.name)
        if words:
            assert shape(named) == shape(start.where(name=" ".join("a" for _ in words)))
            labels = frame(named)["libelle"]
            assert all(word in " ".join(words_of(label)) for label in labels for word in words)
        else:
            with pytest.raises(WorkbenchError):
                named.run()
    for make in (
        lambda: start.where(departements=hostile),
        lambda: start.where(types=hostile),
        lambda: start.where(sirets=hostile),
        lambda: start.where(epci=hostile),
        lambda: start.where(comptes=hostile),
        lambda: start.measure(hostile),
        lambda: start.measure("C60", type_appel=hostile),
        lambda: start.by(hostile),
        lambda: start.filter("C70", hostile, 1),
        lambda: start.filter("C70", ">", hostile),
        lambda: start.order_by(hostile).run() and start,
    ):
        accepted = attempt(make)  # type: ignore[arg-type]
        if accepted is not None:
            text = shape(accepted)
            # A comparison is one of the words of the interface, and of every statement.
            assert hostile not in text or hostile in OPERATORS or re.fullmatch(r"\w*", hostile.strip(), re.ASCII)
    labelled = attempt(lambda: query(base).measure("C70", libelle=hostile).by("exercice"))
    if labelled is not None:
        assert shape(labelled) == shape(query(base).measure("C70", libelle="ventes").by("exercice"))
        result = attempt(lambda: labelled) and labelled.run()
        assert result is not None
        assert result.table.column(1).to_pylist() == frame(query(base).measure("C70").by("exercice"))["C70"].tolist()
        assert hostile.strip() == "" or result.table.column_names[1] == hostile.strip()
        lines = result.to_csv().split("\n")
        assert not any(line.startswith(("=", "+", "-", "@")) for line in lines[:1])


def test_identifiers_are_a_table_whatever_their_number(base: Base) -> None:
    start = query(base).by("collectivite")
    one = start.where(sirets="99900006500019")
    many = start.where(sirets=[f"{n:014d}" for n in range(3000)] + ["99900006500019"])
    assert shape(one) == shape(many)
    assert one.run().table.equals(many.run().table)
    assert many.sql().tables == {"perimetre_sirets": 3001}


# --- what is refused, with what to write ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: query().measure("70"), "un sens"),
        (lambda: query().measure("C70", type_appel="BZ"), "SX, SS, BR"),
        (lambda: query().measure("SC16", type_appel="BO"), "n'existe pas pour les soldes"),
        (lambda: query().by("chapitres"), "Vouliez-vous dire « chapitre »"),
        (lambda: query().measure("C70").filter("C71", ">", 1), "Connus : C70"),
        (lambda: query().measure("C70").filter("C70", "~", 1), "> >= <"),
        (lambda: query().measure("C70").filter("C70", ">", "mille"), "montant en euros"),
        (lambda: query().measure("C70", "C71", libelle="x"), "une seule mesure"),
        (lambda: query().exercices(19), "n'est pas un exercice"),
        (lambda: query().exercices("2019"), "n'est pas un exercice"),
        (lambda: query().exercices([]), "Aucun exercice"),
        (lambda: query().exercices(2023, 2019), "Échangez"),
        (lambda: query().limit(0), "De 1 à"),
        (lambda: query().limit(10**9), "De 1 à"),
        (lambda: query().where(departements="999"), "départe"),
        (lambda: query().run(), "ne demande rien"),
        (lambda: query().measure("C70").run(), "quelle base"),
    ],
)
def test_a_mistake_says_what_to_write(make: Callable[[], object], said: str) -> None:
    with pytest.raises(WorkbenchError) as error:
        make()
    assert said in str(error.value)


def test_mistakes_of_the_whole_are_said_when_run(base: Base) -> None:
    for asked, code in (
        (query(base).measure("C70").measure("C70"), "requete_mesure"),
        (query(base).measure("C70", libelle="siret").by("collectivite"), "requete_mesure"),
        (query(base).measure("C70").order_by("C71"), "requete_choix"),
        (query(base), "requete_vide"),
    ):
        for run in (asked.run, asked.count, asked.sql):
            with pytest.raises(WorkbenchError) as error:
                run()
            assert error.value.code == code


# --- limits ---------------------------------------------------------------------------------------------------------


def test_time_and_cancellation(base: Base) -> None:
    asked = query(base).measure("C").by("compte", "collectivite", "exercice")
    with pytest.raises(WorkbenchError) as error:
        asked.run(timeout=0.0001)
    assert error.value.code == "requete_trop_longue"
    switch = Cancellation()
    switch.cancel()
    with pytest.raises(WorkbenchError) as error:
        asked.run(cancellation=switch)
    assert error.value.code == "requete_annulee"
    assert len(asked.run()) > 100


# --- presentation ---------------------------------------------------------------------------------------------------


def test_exports(base: Base, tmp_path_factory: pytest.TempPathFactory) -> None:
    result = query(base).measure("C70", libelle="=Ventes").by("collectivite").exercices(2023).run()
    path = tmp_path_factory.mktemp("csv") / "ventes.csv"
    assert result.to_csv(path) == str(path)
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfsiret;libelle;'=Ventes\n")
    again = pd.read_csv(path, sep=";", decimal=",", dtype={"siret": str}, encoding="utf-8-sig")
    assert again["'=Ventes"].tolist() == result.to_frame()["=Ventes"].tolist()
    with pytest.raises(WorkbenchError) as error:
        result.to_csv(path / "impossible.csv")
    assert error.value.code == "requete_ecriture"
    assert path.read_bytes() == raw
    html = result._repr_html_()
    assert "&lt;" not in html.split("<tbody>")[0]
    assert re.search(r"\d\u202f\d{3},\d\d</td>", html)


def test_the_sql_is_readable_and_its_values_apart(base: Base) -> None:
    asked = query(base).where(departements="031", nomenclature="M57").measure("C70").by("collectivite")
    shown = asked.sql()
    assert "031" not in shown.text
    assert {"031", "M57", "70"} <= set(shown.values)
    assert "\nGROUP BY" in re.sub("\n +", "\n", shown.text)
    assert "-- $1 = " in str(shown)
    statement, _ = base.queries.written(select(balances.c.compte).where(balances.c.compte == "x"))
    assert re.sub(r"\s+", "", readable(statement)) == re.sub(r"\s+", "", statement)


def test_relations_join_every_table_they_name() -> None:
    assert {each.name for relation in RELATIONS for each in (relation.left, relation.right)} <= set(metadata.tables)
    assert str(joined(collectivites, budgets)).count("JOIN") == 1
    assert str(joined(collectivites, imports)).count("JOIN") == 2
    assert str(joined(collectivites, imports, budgets)).count("JOIN") == 2
    with pytest.raises(ValueError, match="no relation"):
        joined(collectivites, metadata.tables["references"])


def test_every_dimension_runs(base: Base) -> None:
    for name in DIMENSIONS:
        found = query(base).by(name).measure("C7", per_inhabitant=True).measure("D6").run()
        assert len(found) == query(base).by(name).measure("C7", per_inhabitant=True).measure("D6").count() > 0, name
        assert len(query(base).by(name).run()) > 0, name


def test_measures_read_as_in_a_formule() -> None:
    assert Measure.of(" sd 16 ").variable == "SD16"
    assert Measure.of("C").compte == ""
    assert Measure.of("S51").combination["debit_1"] == 1


def test_a_query_stops_from_another_thread(base: Base) -> None:
    switch = Cancellation()
    found: list[str] = []

    def run() -> None:
        try:
            query(base).measure("C").by("compte", "collectivite", "exercice").run(cancellation=switch)
            found.append("done")
        except WorkbenchError as error:
            found.append(error.code)

    thread = threading.Thread(target=run)
    thread.start()
    switch.cancel()
    thread.join(120)
    assert found[0] in {"requete_annulee", "done"}
