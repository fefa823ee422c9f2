"""The detection list without a browser: every filter, what is exported, the four actors of the demonstration."""

from __future__ import annotations

import csv
import io
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from workbench.dashboards.detection import EMPTY, Choices, DetectionView
from workbench.dashboards.detection_files import CSV_COLUMNS, HEADS, list_csv, list_workbook
from workbench.dashboards.detection_row import company_row, level_of
from workbench.dashboards.listing import dashboards_of
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.publication import withdraw
from workbench.signaux_faibles.publication.demonstration import (
    ACTORS,
    PUBLISHER,
    Planted,
    publish_fictitious,
    spellings,
)
from workbench.store import Desk, Store, open_store

pytestmark = pytest.mark.usefixtures("planted")

ALL = {"sections": None, "effectif": 0, "state": "tous"}


@pytest.fixture
def view(companies: tuple[Store, Planted]) -> Any:
    store, _ = companies

    def make(who: str, **chosen: Any) -> DetectionView:
        made = DetectionView(Desk(store, ACTORS[who]))
        for name, value in {**ALL, **chosen}.items():
            made.choose(name, value)
        if "procedures" not in chosen:
            made.choose("procedures", [each["value"] for each in made.form()["procedures"]])
        return made

    return make


def sirets(view: DetectionView) -> set[str]:
    found: set[str] = set()
    answer = view.answer()
    for page in range(answer["pages"]):
        view.choose("page", page)
        shown = view.answer()
        assert (shown["first"], shown["last"]) == (len(found) + 1, len(found) + len(shown["rows"]))
        found |= {row["siret"] for row in shown["rows"]}
    view.choose("page", 0)
    assert len(found) == answer["total"]
    return found


def visible(store: Store, planted: Planted, who: str) -> list[dict[str, Any]]:
    """What the store gives, read plainly."""
    return store.get(ACTORS[who], "public", {"type": "detection", "batch": planted.batches[-1]})


def expected(store: Store, planted: Planted, who: str, passes: Any) -> set[str]:
    return {each["key"]["siret"] for each in visible(store, planted, who) if passes(each["value"])}


def test_the_first_choices_are_those_of_the_specification(store: Store, planted: Planted) -> None:
    view = DetectionView(Desk(store, ACTORS["national"]))
    assert view.choices.sections == ("C",)
    assert view.choices.effectif == 20
    assert "redressement" not in (view.choices.procedures or ())
    assert "liquidation" not in (view.choices.procedures or ())
    assert view.choices.batch == planted.batches[-1]
    assert [each["label"] for each in view.chips()] == [
        "Industrie manufacturière",
        "20 salariés ou plus",
        "Sans : Redressement judiciaire, Liquidation judiciaire",
        "Établissements ouverts",
    ]
    wanted = expected(
        store,
        planted,
        "national",
        lambda value: (
            value["section"] == "C"
            and (value["dernier_effectif"] or 0) >= 20
            and value["etat_procol"] not in ("redressement", "liquidation")
            and value["etat_administratif"] == "A"
        ),
    )
    assert sirets(view) == wanted


@pytest.mark.parametrize(
    ("chosen", "passes"),
    [
        ({}, lambda _: True),
        ({"sections": ["F", "I"]}, lambda value: value["section"] in "FI"),
        ({"sections": []}, lambda _: False),
        ({"zone": "departement:29"}, lambda value: value["departement"] == "29"),
        ({"zone": "region:Bretagne"}, lambda value: value["departement"] in ("22", "29", "35", "56")),
        ({"zone": "mine"}, lambda value: value["departement"] in ("22", "29", "35", "56")),
        ({"effectif": 100}, lambda value: (value["dernier_effectif"] or 0) >= 100),
        ({"procedures": ["sauvegarde"]}, lambda value: value["etat_procol"] == "sauvegarde"),
        ({"state": "fermes"}, lambda value: value["etat_administratif"] == "F"),
        ({"state": "ouverts"}, lambda value: value["etat_administratif"] == "A"),
        ({"first": True}, lambda value: value.get("premiere_alerte") is True),
        ({"delai": True}, lambda value: value.get("delai_urssaf") is False),
        ({"recent": True}, lambda value: value["date_creation"] <= "2023-02-28"),
        ({"words": "fœderis"}, lambda value: "FŒDERIS" in value["raison_sociale"]),
        ({"words": "absente de la liste"}, lambda _: False),
    ],
)
def test_each_filter(store: Store, planted: Planted, view: Any, chosen: dict[str, Any], passes: Any) -> None:
    seen = view("zone_urssaf", **chosen)
    wanted = expected(store, planted, "zone_urssaf", passes)
    assert sirets(seen) == wanted
    answer = seen.answer()
    assert answer["message"] == ("" if wanted else EMPTY)
    # Filters in force are said, and each is removed by its chip.
    said = seen.chips()
    assert len(said) == (1 if chosen else 0)
    for chip in said:
        seen.choose(chip["field"], chip["value"])
    assert sirets(seen) == expected(store, planted, "zone_urssaf", lambda _: True)


def test_what_she_follows(store: Store, planted: Planted, view: Any) -> None:
    everything = view("zone_urssaf")
    followed = {row["siret"] for row in everything.answer()["rows"] if row["followed"]}
    assert followed == {planted.siret["suivie"], planted.siret["alerte"]}
    assert sirets(view("zone_urssaf", followed=True)) == sirets(everything) - followed
    # In her zone, with the places there of companies from elsewhere: all but what she sees by following alone.
    around = view("zone_urssaf", zone="mine", implantations=True)
    assert sirets(around) == sirets(everything) - {planted.siret["suivie"]}
    assert sirets(view("zone_urssaf", zone="mine")) < sirets(around)


def test_the_quick_filter_takes_a_siret_however_it_is_written(planted: Planted, view: Any) -> None:
    siret = planted.siret["alerte"]
    for text in (siret, f"{siret[:3]} {siret[3:6]} {siret[6:9]} {siret[9:]}", siret[:9]):
        assert sirets(view("zone", words=text)) == {siret}


def test_orders_and_counters(store: Store, planted: Planted, view: Any) -> None:
    ranks = {"eleve": 2, "modere": 1, "aucun": 0}
    by_risk = view("national")
    answer = by_risk.answer()
    levels = [each["value"].get("alert") for each in visible(store, planted, "national")]
    standing = [
        each["value"].get("alert")
        for each in visible(store, planted, "national")
        if level_of(each["value"]) != "defaillance"
    ]
    assert (answer["high"], answer["moderate"]) == tuple(map(standing.count, ("Alerte seuil F1", "Alerte seuil F2")))
    assert answer["hidden"] == standing.count(None)
    assert answer["failed"] == len(levels) - len(standing)
    shown = [ranks[row["level"]["code"]] for row in answer["rows"] if row["level"]["code"] in ranks]
    assert shown == sorted(shown, reverse=True)
    by_risk.choose("sort", "nom")
    names = [row["name"] for row in by_risk.answer()["rows"]]
    assert names == sorted(names)
    by_risk.choose("sort", "effectif")
    staff = [row["effectif"] for row in by_risk.answer()["rows"]]
    numbers = [int(each.replace("\u202f", "")) for each in staff if each != "n/c"]
    assert numbers == sorted(numbers, reverse=True)


def test_counters_count_the_levels_that_cards_show(view: Any) -> None:
    for who in ("national", "zone_urssaf"):
        seen = view(who, shown="tableau")
        answer = seen.answer()
        levels: list[str] = []
        for page in range(answer["pages"]):
            seen.choose("page", page)
            levels += [row["level"]["code"] for row in seen.answer()["rows"]]
        assert levels.count("defaillance")
        assert (answer["high"], answer["moderate"], answer["failed"], answer["hidden"]) == tuple(
            levels.count(code) for code in ("eleve", "modere", "defaillance", "interdit")
        )
    seen.choose("state", "fermes")
    assert seen.answer()["failed"] == seen.answer()["total"]


def test_the_page_that_no_longer_is_leaves_the_last(view: Any) -> None:
    seen = view("national", shown="cartes")
    seen.choose("page", 1)
    assert seen.answer()["page"] == 1
    seen.choose("words", "fœderis")
    assert seen.answer()["page"] == 0
    seen.choose("page", 77)
    assert seen.answer()["page"] == seen.answer()["pages"] - 1


@pytest.mark.parametrize("who", ["zone", "zone_urssaf", "national"])
def test_the_files_are_what_is_seen(store: Store, planted: Planted, view: Any, who: str) -> None:
    for chosen in ({}, {"sections": ["C", "F"], "effectif": 20, "words": "o"}):
        seen = view(who, **chosen)
        text = list_csv(seen).content.decode("utf-8-sig")
        assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())
        rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
        assert next(csv.reader(io.StringIO(text), delimiter=";")) == list(CSV_COLUMNS)
        assert {row["siret"] for row in rows} == sirets(seen)
        known = {each["key"]["siret"]: each["value"] for each in visible(store, planted, who)}
        for row in rows:
            value = known[row["siret"]]
            assert row["batch"] == planted.batches[-1]
            assert row["score"] == str(value.get("score", ""))
            assert row["alert"] == (value.get("alert") or "")
            assert row["libelle_activite"] == value["libelle_activite"]
        book = openpyxl.load_workbook(io.BytesIO(list_workbook(seen).content), read_only=True)
        lines = [list(row) for row in book["Liste"].iter_rows(values_only=True)]
        assert lines[0] == [name for name, _ in HEADS]
        assert [line[2] for line in lines[1:]] == [row["siret"] for row in rows]
        shown = {row["siret"]: row["level"]["name"] for row in seen.answer()["rows"]}
        assert all(line[8] == shown[line[2]] for line in lines[1:] if line[2] in shown)
        parameters = {str(row[0]): row[1] for row in book["Paramètres"].iter_rows(min_row=2, values_only=True)}
        assert parameters["Lot"] == planted.batches[-1]


def test_a_name_is_never_a_formula(store: Store) -> None:
    class Trapped(DetectionView):
        def exported(self) -> list[dict[str, Any]]:
            return [{"key": {"siret": "1", "siren": "1"}, "value": {"raison_sociale": '=cmd|"x"', "score": -0.5}}]

    seen = Trapped(Desk(store, ACTORS["national"]))
    rows = list(csv.DictReader(io.StringIO(list_csv(seen).content.decode("utf-8-sig")), delimiter=";"))
    assert (rows[0]["raison_sociale"], rows[0]["score"]) == ('\'=cmd|"x"', "-0.5")
    book = openpyxl.load_workbook(io.BytesIO(list_workbook(seen).content))
    assert book["Liste"]["E2"].data_type == "s"


@pytest.mark.parametrize("who", list(ACTORS))
def test_nothing_confidential_is_held_for_who_lacks_the_badge(store: Store, planted: Planted, who: str) -> None:
    """The memory of a view, all that it showed, and its files hold no planted figure that its badges do not open."""
    seen = DetectionView(Desk(store, ACTORS[who]))
    badges = ACTORS[who].badges
    shown: list[Any] = [seen.form(), seen.answer()]
    if "detection" in badges:
        for name, value in ALL.items():
            seen.choose(name, value)
        shown += [seen.answer(), list_csv(seen).content.decode(), seen.exported()]
    else:
        assert shown[0]["message"]
        assert shown[1]["rows"] == []
    held = {name: value for name, value in vars(seen).items() if name != "_door"}
    text = repr(shown) + repr(held) + pickle.dumps(held, 0).decode("latin-1")
    for badge in ("urssaf", "dgefp", "bdf", "score"):
        if badge not in badges:
            figures = getattr(planted, badge)
            assert not [each for figure in figures for each in spellings(figure) if each in text], badge
    if "urssaf" not in badges:
        assert "Dette Urssaf en hausse" not in text
        assert "Dette Urssaf sans hausse" not in text


def test_without_levels_nothing_looks_like_one(view: Any) -> None:
    seen = view("zone")
    form, answer = seen.form(), seen.answer()
    assert (answer["high"], answer["moderate"]) == (None, None)
    assert {row["level"]["code"] for row in answer["rows"]} == {"interdit", "defaillance"}
    assert {row["urssaf"]["state"] for row in answer["rows"]} == {"interdit"}
    assert form["offers"] == {"first": False, "delai": False}
    assert "risque" not in [each["value"] for each in form["sorts"]]
    assert form["chosen"]["sort"] == "nom"
    # A choice that is not hers changes nothing.
    seen.choose("delai", True)
    seen.choose("first", True)
    assert seen.answer()["total"] == answer["total"]
    assert seen.chips() == []


@pytest.mark.parametrize(
    ("value", "state", "name"),
    [
        ({}, "interdit", "Dette Urssaf : non autorisé"),
        ({"urssaf": None}, "inconnu", "Dette Urssaf : non connu"),
        ({"urssaf": True}, "oui", "Dette Urssaf en hausse"),
        ({"urssaf": False}, "non", "Dette Urssaf sans hausse"),
    ],
)
def test_no_right_is_never_no_rise(value: dict[str, Any], state: str, name: str) -> None:
    row = company_row({"key": {"siret": "1"}, "value": value}, {}, {}, ())
    assert row["urssaf"] == {"state": state, "name": name}


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ({"alert": "Alerte seuil F1", "etat_administratif": "A", "etat_procol": "in_bonis"}, "eleve"),
        ({"alert": "Alerte seuil F2"}, "modere"),
        ({"alert": "Pas d'alerte", "etat_procol": "plan_sauvegarde"}, "aucun"),
        ({"alert": "Alerte seuil F1", "etat_administratif": "F"}, "defaillance"),
        ({"etat_procol": "redressement"}, "defaillance"),
        ({"alert": None}, "perimetre"),
        ({}, "interdit"),
    ],
)
def test_levels(value: dict[str, Any], level: str) -> None:
    assert level_of(value) == level


@pytest.mark.parametrize(
    ("diff", "to"), [(0.11, "hausse"), (-0.2, "baisse"), (0.1, None), (-0.1, None), (None, None), (0, None)]
)
def test_the_arrow_of_a_change(diff: float | None, to: str | None) -> None:
    row = company_row({"key": {"siret": "1"}, "value": {"alert": "Alerte seuil F1", "diff": diff}}, {}, {}, ())
    assert (row["change"] or {}).get("to") == to


@pytest.mark.parametrize(
    ("value", "shown", "trend"),
    [
        ({"ca": 1234, "variation_ca": 1.06}, "1\u202f234 k€", "hausse"),
        ({"ca": 0, "variation_ca": 0.94}, "0 k€", "baisse"),
        ({"ca": 10, "variation_ca": 1.0}, "10 k€", ""),
        ({"ca": None}, "n/c", ""),
    ],
)
def test_revenue_and_its_arrow(value: dict[str, Any], shown: str, trend: str) -> None:
    ca = company_row({"key": {"siret": "1"}, "value": value}, {}, {}, ())["ca"]
    assert (ca["text"], ca["trend"]) == (shown, trend)


@pytest.mark.parametrize(
    ("result", "ratio", "trend"),
    [(-200, 2.0, "baisse"), (-50, 0.5, "hausse"), (100, -1.0, "hausse"), (110, 1.1, "hausse"), (100, 1.0, "")],
)
def test_a_loss_that_doubles_is_no_rise(result: float, ratio: float, trend: str) -> None:
    value = {"resultat_expl": result, "variation_resultat_expl": ratio}
    assert company_row({"key": {"siret": "1"}, "value": value}, {}, {}, ())["rex"]["trend"] == trend


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch", "2401.autre"), ("sections", ["C", "ZZ"]), ("sections", "C"), ("zone", "departement:999"),
        ("zone", ["mine"]), ("effectif", -1), ("effectif", True), ("effectif", "20"), ("procedures", ["x"]),
        ("state", []), ("words", 3), ("words", "a\0"), ("sort", "urssaf"), ("shown", "carte"), ("first", 1),
        ("page", -1), ("page", True), ("unknown", 1), (None, None), (["batch"], 1),
    ],
)  # fmt: skip
def test_what_is_not_offered_is_refused_and_changes_nothing(view: Any, name: Any, value: Any) -> None:
    seen = view("zone")
    before = seen.choices
    with pytest.raises(WorkbenchError) as refused:
        seen.choose(name, value)
    assert refused.value.code == "choix_inconnu"
    assert seen.choices == before


def test_a_browser_is_recalled_but_not_believed(store: Store, planted: Planted) -> None:
    seen = DetectionView(Desk(store, ACTORS["zone"]))
    seen.choose("sections", ["C", "F"])
    seen.choose("shown", "tableau")
    remembered = seen.remembered()
    assert "words" not in remembered
    other = DetectionView(Desk(store, ACTORS["zone"]))
    other.recall({**remembered, "effectif": "x", "zone": "departement:974999", "unknown": 1, "procedures": None})
    assert other.choices.sections == ("C", "F")
    assert other.choices.shown == "tableau"
    assert (other.choices.effectif, other.choices.zone) == (20, "")
    other.reset()
    assert other.choices.sections == Choices().sections
    wrongs: list[object] = [None, [], "x", {"sections": [[]]}]
    for wrong in wrongs:
        other.recall(wrong)
        assert other.choices.effectif == 20


def test_sources_are_named_as_people_call_them(view: Any) -> None:
    named = [each["source"] for each in view("national").form()["list"]["data"]]
    assert "Dettes sociales" in named
    assert not any(name.islower() for name in named)


def test_a_list_that_was_withdrawn_is_not_offered(tmp_path: Path) -> None:
    with open_store(tmp_path / "registre.sqlite") as store:
        planted = publish_fictitious(store, companies=20)
        withdraw(store, PUBLISHER, *planted.batches[-1].split("."))
        seen = DetectionView(Desk(store, ACTORS["national"]))
        assert [each["value"] for each in seen.form()["lists"]] == [planted.batches[0]]
        assert seen.answer()["total"]


def test_a_long_text_is_shortened_and_a_refusal_is_in_french(view: Any) -> None:
    seen = view("national", words="x" * 300)
    assert len(seen.choices.words) == 200
    with pytest.raises(WorkbenchError, match="Effectif minimum : « 200000 »"):
        seen.choose("effectif", 200_000)


def test_a_company_is_recent_until_its_third_birthday(planted: Planted, view: Any) -> None:
    seen = view("national", recent=True)
    for listed, oldest in (("2026-03-31", "2023-03-31"), ("2024-02-29", "2021-02-28")):
        seen._lists[planted.batches[-1]]["date"] = listed
        assert {"field": "date_creation", "operator": "<=", "value": oldest} in seen.question()["filter"]


def test_older_lists_may_be_read(planted: Planted, view: Any) -> None:
    seen = view("national")
    assert [each["value"] for each in seen.form()["lists"]] == list(reversed(planted.batches))
    assert planted.siret["sortie"] not in sirets(seen)
    seen.choose("batch", planted.batches[0])
    assert planted.siret["sortie"] in sirets(seen)


def test_each_reading_is_in_the_journal(store: Store, view: Any) -> None:
    seen = view("national", words="goëland")
    count = len(list_csv(seen).content.splitlines()) - 1
    manager = SimpleNamespace(email="m@exemple.fr", badges=frozenset({"manager"}))
    entry = store.journal(manager, email=ACTORS["national"].email, limit=1)[0]
    assert (entry["action"], entry["outcome"], entry["query"]["words"]) == ("browse", str(count), "goeland")


def test_the_notebook_is_reserved(project: Path) -> None:
    found = dashboards_of(project / "dashboards")
    assert found["detection.ipynb"].badges == ("detection",)
    assert found["recherche.ipynb"].badges == ()
