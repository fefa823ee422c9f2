"""The state of the query panel, without a browser: what may be changed, what is refused, what hostile values can do."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workbench.dgfip import (
    Base,
    connect,
    query,
    save_query,
)
from workbench.errors import WorkbenchError
from workbench.widgets.query_changes import FIELDS, changed
from workbench.widgets.query_view import QueryPanelView, notice


@pytest.fixture(scope="module")
def base(demonstration_base: str) -> Iterator[Base]:
    with connect(demonstration_base) as opened:
        yield opened


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_REQUETES", str(tmp_path / "requetes"))
    monkeypatch.setenv("WORKBENCH_REQUETES_PRIVEES", str(tmp_path / "privees"))
    monkeypatch.setenv("LOGNAME", "alice")


@pytest.fixture
def view(base: Base) -> QueryPanelView:
    return QueryPanelView(base)


def built(view: QueryPanelView) -> QueryPanelView:
    view.change("measures", {"action": "add", "text": "C70"})
    view.change("by", ["departement", "exercice"])
    return view


# --- what is asked ---------------------------------------------------------------------------------------------------


def test_a_query_is_built_as_in_python(view: QueryPanelView, base: Base) -> None:
    for field, value in [
        ("departements", ["031", "02A"]),
        ("types", ["101"]),
        ("nomenclature", "M57"),
        ("population", ["1 000", "250 000"]),
        ("name", "fictive"),
        ("exercices", [2023, 2024]),
        ("comptes", ["7"]),
        ("measures", {"action": "add", "text": "C70"}),
        ("measures", {"action": "edit", "index": 0, "key": "type_appel", "value": "BR"}),
        ("measures", {"action": "edit", "index": 0, "key": "libelle", "value": "Ventes"}),
        ("measures", {"action": "add", "text": "D60"}),
        ("measures", {"action": "edit", "index": 1, "key": "per_inhabitant", "value": True}),
        ("by", ["collectivite", "exercice"]),
        ("filters", {"action": "add", "measure": "Ventes", "operator": ">", "value": "1 000,50 €"}),
        ("order", ["-Ventes", "siret"]),
        ("limit", "1 000"),
    ]:
        view.change(field, value)
    wanted = (
        query(base)
        .where(departements=["031", "02A"], types="101", nomenclature="M57", population=(1000, 250_000))
        .where(name="fictive", comptes="7")
        .exercices(2023, 2024)
        .measure("C70", type_appel="BR", libelle="Ventes")
        .measure("D60", per_inhabitant=True)
        .by("collectivite", "exercice")
        .filter("Ventes", ">", "1000.50")
        .order_by("-Ventes", "siret")
        .limit(1000)
    )
    assert view.query == wanted
    assert view.count() == wanted.count() > 0
    assert view.sql()["text"] == wanted.sql().text
    view.run()
    assert view.result is not None
    assert view.result.to_frame().equals(wanted.run().to_frame())


def test_conditions_and_order_follow_a_measure(view: QueryPanelView) -> None:
    built(view)
    view.change("filters", {"action": "add", "measure": "C70", "operator": ">", "value": "10"})
    view.change("order", ["-C70", "exercice"])
    view.change("measures", {"action": "edit", "index": 0, "key": "libelle", "value": "-Ventes"})
    assert view.query.spec.filters[0].measure == "-Ventes"
    assert view.query.spec.ordering == [("-Ventes", True), ("exercice", False)]
    assert view.count() == 48
    view.change("by", ["departement"])
    assert view.query.spec.ordering == [("-Ventes", True)]
    view.change("measures", {"action": "remove", "index": 0})
    assert (view.query.spec.filters, view.query.spec.order) == ((), ())


def test_a_balance_has_no_ordre_part(view: QueryPanelView) -> None:
    built(view)
    view.change("measures", {"action": "edit", "index": 0, "key": "type_appel", "value": "BO"})
    view.change("measures", {"action": "edit", "index": 0, "key": "side", "value": "SC"})
    assert view.query.spec.measures[0].type_appel == "SX"
    assert "BO" not in view.form()["measures"][0]["types"]


def test_what_is_cleared_is_no_criterion(view: QueryPanelView) -> None:
    built(view)
    before = view.query
    for field, value, nothing in [
        ("departements", ["031"], []),
        ("sirets", ["99900000800012"], []),
        ("epci", ["998000314"], []),
        ("comptes", ["7"], []),
        ("fonctions", ["932"], []),
        ("exercices", [2020], []),
        ("nomenclature", "M14", ""),
        ("name", "x", " "),
        ("population", ["1", "2"], ["", ""]),
        ("limit", "5", ""),
        ("order", ["exercice"], []),
    ]:
        view.change(field, value)
        assert view.query != before, field
        view.change(field, nothing)
        assert view.query == before, field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("departements", ["999"]),
        ("departements", "031"),
        ("departements", [31]),
        ("types", ["abc"]),
        ("sirets", ["123"]),
        ("epci", ["x"]),
        ("population", ["10", "5"]),
        ("population", ["beaucoup", ""]),
        ("population", None),
        ("exercices", ["2020"]),
        ("exercices", [True]),
        ("measures", {"action": "add", "text": "70"}),
        ("measures", {"action": "edit", "index": 7, "key": "libelle", "value": "x"}),
        ("measures", {"action": "edit", "index": 0, "key": "__class__", "value": "x"}),
        ("measures", {"action": "edit", "index": 0, "key": "side", "value": "X"}),
        ("filters", {"action": "add", "measure": "absente", "operator": ">", "value": "1"}),
        ("filters", {"action": "add", "measure": "C70", "operator": "LIKE", "value": "1"}),
        ("filters", {"action": "add", "measure": "C70", "operator": ">", "value": "un"}),
        ("by", ["mois"]),
        ("order", ["absente"]),
        ("fonctions", ["932' --"]),
        ("limit", "0"),
        ("limit", "tout"),
        ("limit", 10**9),
        ("seconds", "0"),
        ("seconds", "longtemps"),
        ("spec", "x"),
        (["by"], []),
    ],
)
def test_what_is_refused_changes_nothing(view: QueryPanelView, field: Any, value: Any) -> None:
    before = built(view).query
    with pytest.raises(WorkbenchError) as caught:
        view.change(field, value)
    assert view.query is before
    said = notice(caught.value)
    assert said["message"].endswith(".")
    assert ".measure(" not in said["hint"]


def test_proposals(view: QueryPanelView) -> None:
    proposed = [each["value"] for each in view.search("measures", "C70")]
    assert proposed[0] == "C70"
    assert len(proposed) > 5
    assert all(each.startswith("C70") for each in proposed)
    assert all(each["value"].startswith("SD16") for each in view.search("measures", "sd 16"))
    (first, *_) = view.search("comptes", "701")
    assert first["value"] == "701"
    assert any("impots" in each["label"].lower().replace("ô", "o") for each in view.search("measures", "impot"))
    (town, *_) = view.search("sirets", "fictive")
    assert town["value"].startswith("999")
    assert f"SIRET {town['value']}" in town["detail"]
    assert view.search("sirets", town["value"][:9])[0]["value"] == town["value"]
    assert [each["value"] for each in view.search("epci", "communauté 31")] == ["998000314"]
    assert view.search("epci", "99800031")[0]["label"].startswith("COMMUNAUTE DE COMMUNES DU 31")
    assert view.search("tables", "x") == view.search("measures", 3) == view.search("sirets", "zzzzz") == []


def test_names_stand_beside_identifiers(view: QueryPanelView) -> None:
    siret = view.search("sirets", "fictive")[0]["value"]
    fresh = QueryPanelView(view.base, query().where(sirets=siret, sirens="999000016", epci="998000314"))
    form = fresh.form()
    assert form["sirets"][0]["label"].endswith("(fictive)")
    assert form["epci"][0]["label"].startswith("COMMUNAUTE")
    assert form["others"] == [{"field": "sirens", "label": "SIRENS : 999000016"}]
    fresh.change("sirens", [])
    assert fresh.form()["others"] == []


# --- what comes out --------------------------------------------------------------------------------------------------


def test_the_result_is_read_by_pages(view: QueryPanelView) -> None:
    built(view)
    assert view.summary() is view.page(0)
    view.run()
    summary = view.summary()
    assert summary is not None
    assert [each["kind"] for each in summary["columns"]] == ["text", "text", "number", "amount"]
    page = view.page(40)
    assert page is not None
    assert (page["first"], len(page["rows"])) == (40, 8)
    assert view.page(48, 10) == {"first": 48, "rows": []}
    for first, count in [(-1, 10), (0, 0), (0, 10_000), ("0", 10), (True, 1), (0.5, 1), (None, 1)]:
        assert view.page(first, count) is None
    assert not summary["stale"]
    view.change("exercices", [2020])
    assert view.summary()["stale"]  # type: ignore[index]


def test_a_truncated_result_says_so(view: QueryPanelView) -> None:
    built(view).change("limit", "10")
    view.run()
    summary = view.summary()
    assert summary is not None
    assert summary["truncated"]
    assert summary["notices"] == ["Résultat tronqué : seules les 10 premières lignes sont données."]
    assert view.count() == 48


def test_files_hold_the_same_figures(view: QueryPanelView) -> None:
    assert view.document("excel") is None
    built(view).run()
    excel, text = view.document("excel"), view.document("csv")
    assert excel is not None
    assert text is not None
    assert (excel.name, text.name) == ("requete.xlsx", "requete.csv")
    rows = list(openpyxl.load_workbook(io.BytesIO(excel.content))["Résultat"].iter_rows(values_only=True))
    lines = [line.split(";") for line in text.content.decode("utf-8-sig").splitlines()]
    assert rows[0] == tuple(lines[0])
    assert [row[3] for row in rows[1:]] == [float(line[3].replace(",", ".")) for line in lines[1:]]
    for other in ("pdf", None, "../x", 3):
        assert view.document(other) is None


# --- saved queries ---------------------------------------------------------------------------------------------------


def test_queries_are_kept_and_found(view: QueryPanelView) -> None:
    built(view).save("Ventes", "Pour le rapport", False)
    assert view.form()["opened"]["name"] == "Ventes"
    assert not view.form()["modified"]
    view.change("exercices", [2020])
    assert view.form()["modified"]
    with pytest.raises(WorkbenchError) as caught:
        view.save("Ventes")
    assert notice(caught.value)["hint"] == "Choisissez un autre nom, ou remplacez-la."
    view.save("Ventes", replaced=True)
    view.duplicate("Ventes", "Ventes (copie)")
    view.rename("Ventes", "Ventes 2020")
    assert [each["name"] for each in view.saved()] == ["Ventes 2020", "Ventes (copie)"]
    assert view.form()["opened"]["name"] == "Ventes 2020"
    view.clear()
    assert view.query.spec.measures == ()
    view.open("Ventes (copie)")
    assert view.query.spec.exercices == (2020,)
    assert view.run() is not None
    view.delete("Ventes (copie)")
    view.delete("Ventes 2020")
    assert view.saved() == []
    with pytest.raises(WorkbenchError, match="Ventes"):
        view.open("Ventes")


def test_a_query_of_someone_else_is_read_and_copied_only(view: QueryPanelView, monkeypatch: pytest.MonkeyPatch) -> None:
    save_query(built(view).query, "Commune", shared=True)
    monkeypatch.setenv("LOGNAME", "bob")
    (found,) = view.saved()
    assert (found["owner"], found["mine"], found["shared"]) == ("alice", False, True)
    for act in (view.delete, lambda name: view.rename(name, "x1"), lambda name: view.save(name, "", True, True)):
        with pytest.raises(WorkbenchError) as caught:
            act("Commune")
        assert caught.value.code == "requete_proprietaire"
    view.duplicate("Commune", "La mienne")
    assert [each["owner"] for each in view.saved()] == ["bob", "alice"]


# --- hostile values --------------------------------------------------------------------------------------------------

HOSTILE = [
    "'; DROP TABLE balances; --",
    '" OR ""="',
    "/* x */ UNION SELECT * FROM imports",
    "\\'; COMMIT; --",
    "％' OR １=１",
    "ʼ；−−",
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "C70) FROM balances; --",
    "\u202e07C",
    "$1",
    ":x",
    "%s",
    "{0}",
    "é\u0301",
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))


def shape(view: QueryPanelView) -> str:
    return str(view.sql()["text"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=texts, heading=texts, other=texts, amount=texts)
@example("'; --", "<script>", '"; --', "1; --")
@example("a b", "ok", "autre", "10")
def test_a_text_never_bends_the_statement(base: Base, name: str, heading: str, other: str, amount: str) -> None:
    def asked(name: str, heading: str, other: str, amount: str) -> QueryPanelView | None:
        view = QueryPanelView(base)
        built(view)
        view.change("measures", {"action": "add", "text": "D60"})
        for field, value in [
            ("name", name),
            ("measures", {"action": "edit", "index": 0, "key": "libelle", "value": heading}),
            ("measures", {"action": "edit", "index": 1, "key": "libelle", "value": other}),
        ]:
            try:
                view.change(field, value)
            except WorkbenchError:
                return None
        measure = view.query.spec.measures[0].name
        try:
            view.change("filters", {"action": "add", "measure": measure, "operator": ">", "value": amount})
        except WorkbenchError:
            view.change("filters", {"action": "add", "measure": measure, "operator": ">", "value": "1"})
        view.change("order", [f"-{measure}"])
        return view

    def words(text: str) -> str:
        from workbench.dgfip.catalogue import words_of

        return " ".join(f"mot{place}" for place, _ in enumerate(words_of(text)))

    view = asked(name, heading, other, amount)
    if view is None or not shape(view):
        return
    harmless = asked(words(name), "Ventes", "Achats", "1")
    assert harmless is not None
    if not name.strip():
        harmless.change("name", "")
    assert shape(view) == shape(harmless)
    view.run()


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["action", "index", "key", "value", "text", "measure", "operator"]), inner, max_size=5
        ),
        st.fixed_dictionaries({"action": st.sampled_from(["add", "edit", "remove"]), "text": texts, "index": inner}),
    ),
    max_leaves=8,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from([*FIELDS, "seconds", "", "__init__"]), value=values)
@pytest.mark.filterwarnings("error")
def test_whatever_a_browser_sends_is_taken_or_refused_in_french(base: Base, field: str, value: Any) -> None:
    view = built(QueryPanelView(base))
    before = view.query
    refusal = None
    try:
        view.change(field, value)
    except WorkbenchError as error:
        refusal = error
    assert refusal is None or (view.query is before and refusal.message)
    view.form()
    view.sql()
    view.search(value, value)
    view.page(value, value)


def test_every_dimension_has_a_name(view: QueryPanelView) -> None:
    lists = view.lists()
    assert all(each["label"] != each["value"] for each in lists["by"])
    assert [each["value"] for each in lists["exercices"]] == list(range(2017, 2025))


@pytest.mark.parametrize(
    "act", [lambda view: view.save(3), lambda view: view.open(None), lambda view: view.rename("a", 1)]
)
def test_names_are_texts(view: QueryPanelView, act: Callable[[QueryPanelView], object]) -> None:
    built(view)
    with pytest.raises(WorkbenchError):
        act(view)


def test_changed_leaves_its_argument() -> None:
    start = query()
    assert changed(start, "by", ["exercice"]).spec.dimensions == ("exercice",)
    assert start.spec.dimensions == ()
