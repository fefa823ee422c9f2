"""The page's components: what each message of a browser does, and what none can do."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anywidget")

from workbench.dashboards.collectivite_page import CollectivitePage, collectivite_page
from workbench.dashboards.components import Actions, Charts, FigureTable, Form, stylesheet
from workbench.errors import WorkbenchError


class NoSituation:
    """What a view compares when it compares nothing."""

    found = None
    drawn: tuple[str, ...] = ()

    def job(self) -> None:
        return None

    def shown(self) -> None:
        return None


class Recorder:
    """A view that answers what it is told to, and keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refuses: Exception | None = None
        self.drawn: tuple[str, ...] = ()
        self.table: object = None
        self.figures_asked = 0
        self.situation = NoSituation()

    def form(self) -> dict[str, Any]:
        return {"collectivite": "", "asked": len(self.asked)}

    def notices(self) -> list[dict[str, str]]:
        return []

    def figures(self) -> dict[str, Any] | None:
        return {"exercices": [2017], "groups": []}

    def charts(self) -> list[dict[str, Any]]:
        self.figures_asked += 1
        return [{"data": [], "layout": {}, "config": {}, "alternative": ""}]

    def remarks(self) -> list[dict[str, Any]]:
        return []

    def documents(self) -> list[dict[str, str]]:
        return [{"value": "rapport", "label": "Rapport", "description": ""}]

    def __getattr__(self, name: str) -> Any:
        def record(*values: Any) -> Any:
            if self.refuses:
                raise self.refuses
            self.asked.append((name, *values))
            return [] if name == "search" else None

        return record


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    messages: list[dict[str, Any]] = []

    def send(self: Any, content: dict[str, Any], buffers: Any = None) -> None:
        messages.append({**content, "to": type(self).__name__, **({"buffers": buffers} if buffers else {})})

    for component in (Form, FigureTable, Charts, Actions):
        monkeypatch.setattr(component, "send", send)
    return messages


@pytest.fixture
def view() -> Recorder:
    return Recorder()


@pytest.fixture
def page(view: Recorder, sent: list[dict[str, Any]]) -> CollectivitePage:
    return CollectivitePage(view)  # type: ignore[arg-type]


def receive(component: Any, content: Any) -> None:
    """Hand over a message as the browser's, through ipywidgets."""
    component._handle_custom_msg(content, [])


def test_a_choice_reaches_the_view_and_the_page_shows_what_follows(page: CollectivitePage, view: Recorder) -> None:
    receive(page.form, {"kind": "choose", "field": "trame", "value": "essai"})
    assert view.asked == [("choose", "trame", "essai")]
    assert page.form.state["asked"] == 1
    assert page.table.table == {"exercices": [2017], "groups": []}
    assert page.actions.files[0]["value"] == "rapport"


def test_a_refused_choice_is_said_and_the_form_goes_back(
    page: CollectivitePage, view: Recorder, sent: list[dict[str, Any]]
) -> None:
    view.refuses = WorkbenchError("choix_inconnu", champ="Trame", valeur="<b>")
    receive(page.form, {"kind": "choose", "field": "trame", "value": "<b>"})
    assert page.actions.notices[0]["kind"] == "erreur"
    assert page.actions.notices[0]["message"] == "Trame : « <b> » ne fait pas partie des choix."
    assert {"kind": "refused", "to": "Form"} in sent


@pytest.mark.parametrize(
    "content",
    [
        None,
        "choose",
        [],
        {},
        {"kind": "unknown"},
        {"kind": ["choose"]},
        {"kind": "choose"},
        {"kind": "choose", "field": "trame"},
        {"kind": "search", "text": "x", "serial": "1"},
        {"kind": "explain", "code": "E_P"},
        {"kind": "expand"},
        {"kind": "draw"},
    ],
)
def test_a_message_that_is_none_is_left_alone(
    page: CollectivitePage, view: Recorder, sent: list[dict[str, Any]], content: Any
) -> None:
    for component in (page.form, page.table, page.charts, page.actions):
        receive(component, content)
    assert view.asked == []
    assert [message["kind"] for message in sent] == ["done"] * 4
    assert page.actions.notices == []


def test_every_message_is_answered(page: CollectivitePage, sent: list[dict[str, Any]]) -> None:
    receive(page.form, {"kind": "search", "text": "ville", "serial": 7})
    assert sent == [
        {"kind": "suggestions", "serial": 7, "options": [], "to": "Form"},
        {"kind": "done", "to": "Form"},
    ]


def test_an_unforeseen_failure_gives_a_reference_and_no_detail(
    page: CollectivitePage, view: Recorder, sent: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    view.refuses = RuntimeError("secret detail")
    with caplog.at_level(logging.ERROR):
        receive(page.table, {"kind": "explain", "code": "E_P", "exercice": 2017})
    (notice,) = page.actions.notices
    assert "secret" not in str(notice)
    reference = notice["hint"].rstrip(".").split()[-1]
    assert f"incident {reference}" in caplog.text
    assert "secret detail" in caplog.text
    assert sent[-1] == {"kind": "done", "to": "FigureTable"}


def test_traits_set_by_a_browser_are_not_believed(page: CollectivitePage, view: Recorder) -> None:
    page.table.set_state({"table": {"exercices": [1], "groups": []}, "drawn": ["SECRET_X"]})
    page.form.set_state({"state": {"trame": "../../secret"}})
    receive(page.table, {"kind": "undraw"})
    assert page.table.drawn == []
    assert view.asked == [("undraw",)]


def test_plotly_is_sent_to_a_notebook_that_asks_for_it(page: CollectivitePage, sent: list[dict[str, Any]]) -> None:
    pytest.importorskip("plotly")
    receive(page.charts, {"kind": "library"})
    assert sent[0]["kind"] == "library"
    assert b"plotly.js" in sent[0]["buffers"][0][:200]


def test_charts_are_computed_when_they_are_about_to_be_seen(page: CollectivitePage, view: Recorder) -> None:
    receive(page.form, {"kind": "choose", "field": "trame", "value": "essai"})
    assert (page.charts.turn, page.charts.figures) == (0, [])  # no table: nothing to draw
    view.table = object()
    receive(page.form, {"kind": "choose", "field": "trame", "value": "essai"})
    assert page.charts.turn == 2
    assert view.figures_asked == 0
    receive(page.charts, {"kind": "figures"})
    assert len(page.charts.figures) == 1
    receive(page.table, {"kind": "draw", "code": "E_P"})
    assert (page.charts.turn, page.charts.figures) == (3, [])


def test_without_a_base_the_page_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_BASE", str(tmp_path / "absente.duckdb"))
    page = collectivite_page()
    assert isinstance(page, Actions)
    (notice,) = page.notices
    assert notice["kind"] == "erreur"
    assert notice["message"] == "La base absente.duckdb n'existe pas."  # without its folder
    assert "workbench base import" in notice["hint"]


def test_components_name_no_other_server() -> None:
    for component in (Form, FigureTable, Charts, Actions):
        source = component._esm
        assert ".innerHTML" not in source
        assert "http" not in source.replace("http://www.w3.org", "")
    assert "http" not in stylesheet().replace("http://www.w3.org", "")
