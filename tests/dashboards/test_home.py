"""What the first page says, without HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workbench import __version__
from workbench.dashboards.home import Home, _shown, rights_in_words
from workbench.dashboards.listing import Dashboard, dashboards_of
from workbench.discussion import Comment
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor

DASHBOARDS = {
    "a.ipynb": Dashboard("a.ipynb", "Ouverte"),
    "b.ipynb": Dashboard("b.ipynb", "Réservée", badges=("analyste", "bfc")),
}


def person(*badges: str, space: str = "") -> Actor:
    return Actor("anne@exemple.fr", "Anne", "Durand", frozenset(badges), datetime.max.replace(tzinfo=UTC), space=space)


@pytest.fixture
def home(demonstration_base: str, tmp_path: Path) -> Iterator[Home]:
    opened = Home(DASHBOARDS, demonstration_base, "seule@localhost", str(tmp_path / "registre.sqlite"))
    yield opened
    opened.close()


def test_one_finds_what_one_may_open(home: Home) -> None:
    assert [each.title for each in home.page(person("bfc"))["dashboards"]] == ["Ouverte"]
    assert len(home.page(person("bfc", "analyste"))["dashboards"]) == 2
    assert len(home.page(None)["dashboards"]) == 2


def test_a_comment_is_dated_as_clocks_are_in_paris() -> None:
    said = Comment("1", "a@exemple.fr", datetime(2026, 1, 31, 23, 30, tzinfo=UTC), None, None, None, "Bien")
    assert _shown(said, "")["date"] == "01/02/2026 à 00:30"


def test_the_data_are_dated(home: Home) -> None:
    shown = home.page(None)
    said = dict(shown["data"])
    assert said["Exercices"] == "2017 à 2024"
    assert said["Balances des données ouvertes"].startswith("importées le ")
    assert shown["version"] == __version__


def test_without_a_base_the_page_says_so_and_no_folder(tmp_path: Path) -> None:
    opened = Home(DASHBOARDS, str(tmp_path / "absente.duckdb"), "seule@localhost", str(tmp_path / "registre.sqlite"))
    problem = opened.page(None)["data_problem"]
    assert "absente.duckdb" in problem["message"]
    assert str(tmp_path) not in str(problem)
    opened.close()


def test_without_a_registry_the_page_still_shows(demonstration_base: str, tmp_path: Path) -> None:
    (tmp_path / "registre").write_text("ceci n'est pas un registre" * 100)
    opened = Home(DASHBOARDS, demonstration_base, "seule@localhost", str(tmp_path / "registre"))
    shown = opened.page(None)
    assert "pas disponibles" in shown["comments_problem"]["message"]
    assert shown["data"]


def test_comments_are_each_one_s_own(home: Home) -> None:
    home.comment(person(), "Bonjour\x00")
    (said,) = home.page(None)["comments"]
    assert (said["author"], said["text"], said["mine"]) == ("anne@exemple.fr", "Bonjour", False)
    with pytest.raises(WorkbenchError):
        home.remove(None, said["id"])
    with pytest.raises(WorkbenchError):
        home.comment(person(), "  ")
    home.remove(person(), said["id"])
    assert home.page(None)["comments"] == []


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (person(), "aucun badge"),
        (person("bfc"), "votre badge : bfc"),
        (person("bfc", "crp"), "vos badges : bfc, crp"),
        (person("manager"), "droits d’accès"),
        (person(space="urssaf"), "l’espace urssaf"),
        (None, "seule@localhost"),
    ],
)
def test_rights_are_said_in_words(who: Actor | None, expected: str) -> None:
    assert expected in " ".join(rights_in_words(who, "seule@localhost"))


def test_accounts_that_badges_open_are_said_so() -> None:
    assert "toutes les collectivités" in rights_in_words(person("bfc"), "x@localhost")[0]
    assert "que vos badges ouvrent" in rights_in_words(person("bfc"), "x@localhost", is_open=False)[0]


def test_badges_that_are_not_understood_open_to_nobody(tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text('{"metadata": {"title": "X", "badges": "analyste", "order": 3}}')
    assert not dashboards_of(tmp_path)["x.ipynb"].opens_to(frozenset({"analyste"}))
