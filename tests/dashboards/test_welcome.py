"""What a person finds when she comes in, without HTTP: her word, the news, the lists, whom she follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from workbench.dashboards import welcome as room
from workbench.dashboards.home import Home
from workbench.dashboards.listing import Dashboard
from workbench.dashboards.welcome import BUCKET, DUTIES, MONTHS, Entry, Welcome, data_dates, day_of, in_months, news
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.registry import open_registry
from workbench.signaux_faibles.publication.demonstration import ACTORS, publish_fictitious
from workbench.store import Desk, Store
from workbench.store.tables import ROOM

NOW = datetime(2026, 3, 31, 9, tzinfo=UTC)
ENTRIES = (
    Entry(date(2026, 3, 20), "Pour tous"),
    Entry(date(2026, 3, 25), "Pour les listes", badges=frozenset({"detection"})),
)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def person(name: str) -> Actor:
    found = ACTORS[name]
    given, _, family = found.name.partition(" ")
    return Actor(found.email, given, family, found.badges, datetime.max.replace(tzinfo=UTC))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store(open_registry(tmp_path / "registre.sqlite", rooms=[ROOM]), clock) as opened:
        opened.protect(only_if_open=True)
        yield opened


@pytest.fixture
def welcome(store: Store) -> Welcome:
    return Welcome(store, ENTRIES)


# --- her word


def test_a_word_is_good_for_two_months(welcome: Welcome, clock: Clock) -> None:
    zone = person("zone")
    assert welcome.must_promise(zone, clock())
    welcome.promise(zone)
    assert not welcome.must_promise(zone, clock())
    until = in_months(NOW, MONTHS)
    assert not welcome.must_promise(zone, until - timedelta(seconds=1))
    assert welcome.must_promise(zone, until)
    clock.now = until
    welcome.promise(zone)
    assert not welcome.must_promise(zone, until + timedelta(days=1))


def test_only_those_who_read_secrets_give_their_word(welcome: Welcome, clock: Clock) -> None:
    assert not welcome.must_promise(person("sans_droit"), clock())
    assert welcome.must_promise(person("national"), clock())


def test_one_word_is_not_another_s_nor_of_other_words(
    welcome: Welcome, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    welcome.promise(person("zone"))
    assert welcome.must_promise(person("national"), clock())
    changed = room.Duties("2", DUTIES.purpose, DUTIES.rules, DUTIES.penalties, DUTIES.word)
    monkeypatch.setattr(room, "DUTIES", changed)
    assert welcome.must_promise(person("zone"), clock())


def test_a_word_is_proved_by_who_keeps_the_rights_and_by_no_one_else(
    welcome: Welcome, store: Store, clock: Clock
) -> None:
    zone = person("zone")
    welcome.promise(zone)
    clock.now += timedelta(days=70)
    welcome.promise(zone)
    keeper = Actor("garde@exemple.fr", "G", "D", frozenset({"manager"}), datetime.max.replace(tzinfo=UTC))
    key = {"auteur": zone.email, "type": "confidentialite"}
    (now,) = store.get(keeper, BUCKET, key)
    (then,) = store.get(keeper, BUCKET, key, date=NOW + timedelta(days=1))
    assert now["addDate"] - then["addDate"] == timedelta(days=70)
    assert now["value"]["empreinte"] == DUTIES.fingerprint
    with pytest.raises(WorkbenchError, match="Aucune donnée"):
        store.get(person("national"), BUCKET, key)
    # Nobody gives it for her, not even who keeps the rights.
    for other in (person("national"), keeper):
        with pytest.raises(WorkbenchError):
            Desk(store, other).put(BUCKET, [{"key": key, "scope": [], "value": {"empreinte": DUTIES.fingerprint}}])


def test_the_words_say_what_the_law_says() -> None:
    said = " ".join((DUTIES.purpose, *DUTIES.rules, DUTIES.penalties))
    for word in ("mot de passe", "226-13", "432-12", "465-1", "cinq ans", "500 000 €"):
        assert word in said.replace("\u00a0", " ")


# --- news, lists, follows


def test_news_are_counted_until_they_are_read(welcome: Welcome, store: Store) -> None:
    publish_fictitious(store, companies=20)
    zone = person("zone")
    found = welcome.news(zone)
    assert found["unread"] == len(found["entries"]) == len(ENTRIES) + 2
    assert sum("Liste" in each["title"] for each in found["entries"]) == 2
    assert [each["iso"] for each in found["entries"]] == sorted(
        (each["iso"] for each in found["entries"]), reverse=True
    )
    welcome.read_news(zone, date(2026, 3, 22))
    assert welcome.news(zone)["unread"] == 3
    welcome.read_news(zone, date(2026, 3, 25))
    assert welcome.news(zone)["unread"] == 2
    welcome.read_news(zone, NOW.date())
    assert welcome.news(zone)["unread"] == 0
    assert welcome.news(zone)["entries"]
    # Each has her own count; who has no list is told of none.
    assert welcome.news(person("national"))["unread"] == len(ENTRIES) + 2
    assert [each["title"] for each in welcome.news(person("sans_droit"))["entries"]] == ["Pour tous"]


def test_a_list_is_news_from_the_day_it_was_published(welcome: Welcome, store: Store, clock: Clock) -> None:
    zone, clock.now = person("zone"), datetime(2026, 4, 10, 22, 30, tzinfo=UTC)
    welcome.read_news(zone, date(2026, 4, 9))
    publish_fictitious(store, companies=20)
    # Its data end on February 28; it is published on April 11 in Paris.
    assert {each["day"] for each in welcome.lists(zone)} == {"11/04/2026"}
    found = welcome.news(zone)
    assert found["unread"] == 2
    assert all(each["iso"] == "2026-04-11" for each in found["entries"][:2])
    # Nothing that is published again as it is becomes news.
    clock.now += timedelta(days=30)
    publish_fictitious(store, companies=20)
    assert {each["day"] for each in welcome.lists(zone)} == {"11/04/2026"}


def test_lists_are_dated_source_by_source(welcome: Welcome, store: Store) -> None:
    publish_fictitious(store, companies=20)
    first = welcome.lists(person("zone"))[0]
    assert first["name"] == "Février 2026"
    assert ("Dettes sociales", "15/02/2026") in first["sources"]
    assert welcome.lists(person("sans_droit")) == []


def test_months_and_moments_are_written_as_people_read_them() -> None:
    told = {"effectif": "2026-02", "procol": "2026-01-31"}
    assert data_dates(told) == [("Effectifs", "février 2026"), ("Procédures collectives", "31/01/2026")]
    assert day_of("2026-03-01T23:30:00+00:00") == "02/03/2026"


def test_follows_are_one_s_own_and_named(welcome: Welcome, store: Store) -> None:
    planted = publish_fictitious(store, companies=20)
    found = welcome.follows(person("zone_urssaf"))
    assert {each["siret"] for each in found["rows"]} == {planted.siret["suivie"], planted.siret["alerte"]}
    assert all(each["name"] and not each["name"].startswith("SIRET") for each in found["rows"])
    assert found["more"] == 0
    assert welcome.follows(person("national"))["rows"] == []


def test_the_news_of_this_version_are_readable() -> None:
    assert news()
    assert all(each.title and each.text for each in news())
    assert all(not each.title.endswith(".") for each in news())


def test_home_asks_for_her_word_first_and_says_the_rest(demonstration_base: str, tmp_path: Path) -> None:
    boards = {"etablissement.ipynb": Dashboard("etablissement.ipynb", "Établissement", badges=("detection",))}
    home = Home(boards, demonstration_base, "seule@localhost", str(tmp_path / "registre.sqlite"))
    zone = person("zone")
    assert home.duties(None) is None
    assert home.duties(zone) is DUTIES
    home.promise(zone)
    assert home.duties(zone) is None
    shown = home.page(zone)
    assert shown["sheet"] == "etablissement.ipynb"
    assert shown["news"]["unread"] == sum(each.concerns(zone.badges) for each in news())
    home.read_news(zone, "ceci n'est pas un jour")
    home.read_news(zone, shown["news"]["entries"][0]["iso"])
    assert home.page(zone)["news"]["unread"] == 0
    assert home.page(person("sans_droit"))["sheet"] == ""
    assert home.page(None)["news"] is None
    home.close()
