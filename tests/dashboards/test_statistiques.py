"""What the page of statistics says, from a real store and without a browser."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pytest

pytest.importorskip("anywidget")

from workbench.dashboards.detection import DetectionView
from workbench.dashboards.detection_files import list_csv
from workbench.dashboards.entreprise import EntrepriseView
from workbench.dashboards.etablissement import EtablissementView
from workbench.dashboards.recherche import SearchView
from workbench.dashboards.statistiques import PERIODS, StatistiquesView, kind_of
from workbench.dashboards.statistiques_page import Statistics, statistiques_page
from workbench.errors import WorkbenchError
from workbench.registry import open_registry
from workbench.signaux_faibles.publication.demonstration import ACTORS, Planted
from workbench.store import Desk, Store
from workbench.store.first_policies import FIRST
from workbench.store.tables import ROOM
from workbench.store.usage import PARIS

TODAY = date(2026, 3, 15)
STATS = SimpleNamespace(email="chiffres@exemple.fr", badges=frozenset({"stats"}))
SIREN = "912345678"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Two people over some days: Ada reads sheets each day, Bob searches once."""
    moment = [datetime(2026, 3, 1, 10, tzinfo=UTC)]
    ada = SimpleNamespace(email="ada@exemple.fr", badges=frozenset({"detection"}))
    bob = SimpleNamespace(email="bob@exemple.fr", badges=frozenset({"detection"}))
    with Store(open_registry(tmp_path / "registre.sqlite", rooms=[ROOM]), lambda: moment[0]) as opened:
        opened.protect(only_if_open=True)
        opened.install(FIRST)
        key = {"siren": SIREN, "type": "detail"}
        opened.put(ada, "public", [{"key": key, "scope": [], "value": {"effectif": 12}}])
        for _ in range(5):
            opened.get(ada, "public", key)
            opened.get(ada, "public", key)
            moment[0] += timedelta(days=1)
        opened.get(bob, "public", filter=[{"field": "effectif", "operator": "=", "value": 12}])
        # An hour before midnight in winter is the next day in Paris.
        moment[0] = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
        opened.get(bob, "public", key)
        moment[0] = datetime(2026, 3, 15, 9, tzinfo=UTC)
        yield opened


@pytest.fixture
def view(store: Store) -> StatistiquesView:
    made = StatistiquesView(Desk(store, STATS), TODAY)
    made.refresh()
    return made


def test_accesses_are_counted_by_kind_person_and_day(view: StatistiquesView) -> None:
    assert dict(view.by_kind())["Fiche"] == 11
    assert dict(view.by_kind())["Recherche"] == 1
    people = {each["reader"]: each for each in view.by_person()}
    assert (people["ada@exemple.fr"]["actions"], people["ada@exemple.fr"]["days"]) == (11, 5)
    assert people["bob@exemple.fr"]["last"] == "2026-03-11"
    assert "system" not in people
    days = {each["day"]: each for each in view.by_day()}
    assert len(days) == PERIODS["mois"][1]
    assert days["2026-03-06"] == {"day": "2026-03-06", "actions": 1, "people": 1, "searches": 1, "sheets": 0}
    assert days["2026-03-07"]["actions"] == 0
    assert sum(each["actions"] for each in days.values()) == sum(count for _, count in view.by_kind())


def test_what_pages_do_is_counted_once(companies: tuple[Store, Planted]) -> None:
    store, planted = companies
    ada = Desk(store, SimpleNamespace(email="ada@exemple.fr", badges=ACTORS["national"].badges))
    siret = planted.siret["alerte"]

    def counted() -> dict[str, int]:
        today = datetime.now(PARIS).date()
        found: Counter[str] = Counter()
        for each in store.usage(STATS, *(datetime.combine(today + timedelta(days), time(), PARIS) for days in (-1, 2))):
            kind = kind_of(each["action"], each["bucket"], each["kind"])
            if each["reader"] == "ada@exemple.fr" and kind is not None:
                found[kind] += each["count"]
        return dict(found)

    listed = DetectionView(ada)
    listed.form()
    listed.answer()
    assert counted() == {"Liste de détection": 1}
    listed.choose("effectif", 50)
    listed.answer()
    list_csv(listed)
    assert counted() == {"Liste de détection": 3}
    search = SearchView(ada)
    search.search("fictive", {})
    search.answer()
    search.total()
    assert counted() == {"Liste de détection": 3, "Recherche": 1}
    sheet = EtablissementView(ada, siret)
    assert sheet.blocks()
    assert sheet.comments()
    assert sheet.opinion()
    assert EntrepriseView(ada, siret[:9]).blocks()
    assert counted() == {"Liste de détection": 3, "Recherche": 1, "Fiche": 2}


def test_weeks_have_the_people_of_their_days(view: StatistiquesView) -> None:
    weeks = {each["day"]: each for each in view.by_day(weekly=True)}
    assert weeks["2026-03-02"]["people"] == 2
    assert all(date.fromisoformat(day).weekday() == 0 for day in weeks)
    assert view.choose("annee")
    view.refresh()
    assert view.state()["days"]["head"] == "Semaine du"


def test_a_period_is_one_of_those_offered(view: StatistiquesView) -> None:
    assert not view.choose("siècle")
    assert not view.choose(["mois"])
    assert view.choose("semaine")
    view.refresh()
    assert view.state()["title"] == "Du 09/03/2026 au 15/03/2026"
    # Two countings, and what Bob read.
    assert dict(view.by_kind()) == {"Administration": 2, "Fiche": 1}


def test_files_say_what_the_page_says_and_nothing_of_what_was_read(view: StatistiquesView) -> None:
    text = view.document("csv").content.decode("utf-8-sig")
    assert text.splitlines()[0] == "jour;personne;genre;nombre"
    workbook = openpyxl.load_workbook(io.BytesIO(view.document("xlsx").content))
    assert workbook.sheetnames == ["accès", "par personne", "par jour"]
    rows = list(workbook["par jour"].iter_rows(values_only=True))
    assert [dict(zip(rows[0], row, strict=True))["actions"] for row in rows[1:]] == [
        each["actions"] for each in view.by_day()
    ]
    said = json.dumps(view.state()) + text + str([list(each.values) for each in workbook.worksheets])
    assert SIREN not in said
    with pytest.raises(WorkbenchError):
        view.document("pdf")


def test_the_page_shows_what_was_chosen_and_believes_nothing(view: StatistiquesView) -> None:
    page = Statistics(view)
    page._on_message({"kind": "period", "value": "semaine"})
    assert page.state["period"] == "semaine"
    page._on_message({"kind": "period", "value": {"x": 1}})
    page._on_message({"kind": "download", "file": "../../etc"})
    assert page.state["period"] == "semaine"
    assert page.notices[0]["kind"] == "erreur"


def test_who_may_not_count_is_told_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = SimpleNamespace(email="ada@exemple.fr", badges=frozenset({"detection"}))
    page = Statistics(StatistiquesView(Desk(store, nobody), TODAY))
    assert page.notices[0]["kind"] == "erreur"
    assert page.state == {}
    monkeypatch.delenv("WORKBENCH_TOKEN_FILE", raising=False)
    assert statistiques_page().notices[0]["kind"] == "erreur"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (("get", "public", "detection"), "Liste de détection"),
        (("browse", "public", "detection"), "Liste de détection"),
        (("browse", "public", ""), None),
        (("search", "public", "identite"), "Recherche"),
        (("total", "public", "identite"), None),
        (("get", "public", "siret"), "Fiche"),
        (("get", "public", "entreprise_siren"), None),
        (("get", "rapport", "m57"), "Rapports publiés"),
        (("put", "comment", ""), "Commentaire écrit"),
        (("get", "agent", "confidentialite"), None),
        (("get", "system", "policy"), "Administration"),
        (("why", "public", ""), "Administration"),
        (("get", "ailleurs", ""), "Autre consultation"),
    ],
)
def test_entries_are_named_in_words(entry: tuple[str, str, str], expected: str | None) -> None:
    assert kind_of(*entry) == expected
