"""The query panel without a browser: what each message does, what none can do, what the next cell has."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import workbench as wb
from workbench.dgfip import Base, connect, query
from workbench.errors import WorkbenchError
from workbench.widgets.assisted_query import QueryForm, QueryPanel, query_panel
from workbench.widgets.background import Background
from workbench.widgets.component import source


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_REQUETES", str(tmp_path / "requetes"))
    monkeypatch.setenv("WORKBENCH_REQUETES_PRIVEES", str(tmp_path / "privees"))


@pytest.fixture
def base(demonstration_base: str) -> Any:
    with connect(demonstration_base) as opened:
        yield opened


@pytest.fixture
def panel(base: Base) -> Any:
    opened = query_panel(base, query().measure("C70").by("departement", "exercice"))
    yield opened
    opened.close()


def until(told: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not told():
        assert time.monotonic() < end
        time.sleep(0.01)


def sent(panel: QueryPanel, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    messages: list[Any] = []
    monkeypatch.setattr(
        type(panel.widget), "send", lambda _, content, buffers=None: messages.append((content, buffers))
    )
    return messages


def say(panel: QueryPanel, **message: Any) -> None:
    panel._on_message(message)


def test_the_public_names(base: Base) -> None:
    assert wb.query_panel is query_panel
    assert wb.QueryPanel is QueryPanel
    # Asked twice: the module of this room never takes the place of the function.
    assert callable(wb.widgets.query_panel)  # type: ignore[attr-defined]
    assert "application/vnd.jupyter.widget-view+json" in query_panel(base)._repr_mimebundle_()[0]


def test_count_and_sql_follow_a_change(panel: QueryPanel) -> None:
    until(lambda: panel.widget.count == {"state": "counted", "rows": 48})
    before = panel.widget.sql["text"]
    say(panel, kind="change", field="by", value=["exercice"])
    until(lambda: panel.widget.count == {"state": "counted", "rows": 8})
    assert panel.widget.sql["text"] != before
    say(panel, kind="change", field="by", value=[])
    say(panel, kind="change", field="measures", value={"action": "remove", "index": 0})
    assert panel.widget.count["state"] == "empty"
    assert panel.widget.count["hint"] == "Ajoutez une mesure ou un regroupement."


def test_only_the_last_of_many_changes_is_counted(panel: QueryPanel) -> None:
    for year in range(2017, 2025):
        say(panel, kind="change", field="exercices", value=[year])
    say(panel, kind="change", field="exercices", value=[2023, 2024])
    until(lambda: panel.widget.count["state"] == "counted")
    assert panel.widget.count["rows"] == 12


def test_the_next_cell_has_the_same_objects(panel: QueryPanel) -> None:
    with pytest.raises(WorkbenchError) as caught:
        _ = panel.dataframe
    assert caught.value.code == "panneau_sans_resultat"
    say(panel, kind="run")
    frame = panel.dataframe
    assert isinstance(frame, pd.DataFrame)
    pd.testing.assert_frame_equal(frame, panel.query.run().to_frame())
    until(lambda: not panel.widget.running)
    assert panel.widget.result["rows"] == len(frame) == 48
    panel.query = query().measure("D60").by("exercice")
    assert panel.widget.form["by"] == ["exercice"]
    assert panel.widget.result["stale"]
    panel.run()
    assert panel.dataframe.shape == (8, 2)
    assert panel.chart().description.startswith("Graphique : D60.")
    with pytest.raises(WorkbenchError):
        panel.query = "C70"  # type: ignore[assignment]


def test_a_run_is_stopped(panel: QueryPanel) -> None:
    say(panel, kind="run")
    say(panel, kind="stop")
    until(lambda: not panel.widget.running)
    assert panel.widget.notices[0]["message"] == "La requête a été arrêtée à la demande."
    assert panel.widget.notices[0]["kind"] == "information"
    assert panel.result is None
    say(panel, kind="run")
    assert len(panel.dataframe) == 48


def test_a_time_limit_is_said(panel: QueryPanel) -> None:
    say(panel, kind="change", field="seconds", value="0,000001")
    say(panel, kind="run")
    until(lambda: not panel.widget.running)
    assert "augmentez le délai" in panel.widget.notices[0]["hint"]


def test_pages_chart_and_files(panel: QueryPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = sent(panel, monkeypatch)
    say(panel, kind="export", file="csv")
    assert messages == []
    panel.run()
    assert messages[-1][0]["page"]["rows"][0][0] == "029"
    say(panel, kind="page", first=40)
    assert len(messages[-1][0]["page"]["rows"]) == 8
    say(panel, kind="chart")
    assert messages[-1][0]["figure"]["data"][0]["type"] == "scatter"
    assert messages[-1][0]["alternative"].startswith("Graphique : C70")
    say(panel, kind="export", file="csv")
    content, (data,) = messages[-1]
    assert (content["kind"], content["name"]) == ("file", "requete.csv")
    assert data.startswith(b"\xef\xbb\xbfdepartement;")
    say(panel, kind="search", what="measures", text="C70", serial=7)
    until(lambda: messages[-1][0].get("serial") == 7)
    assert messages[-1][0]["options"][0]["value"] == "C70"
    panel.query = query().by("exercice")
    panel.run()
    say(panel, kind="chart")
    assert messages[-1][0]["figure"] is None
    assert "pas de montant" in messages[-1][0]["message"]


def test_a_refusal_is_a_sentence(panel: QueryPanel) -> None:
    before = panel.query
    say(panel, kind="change", field="departements", value=["999"])
    assert panel.query is before
    (notice,) = panel.widget.notices
    assert (notice["kind"], notice["code"]) == ("erreur", "perimetre_invalide")
    say(panel, kind="change", field="exercices", value=[2020])
    assert panel.widget.notices == []


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"kind": "drop"},
        {"kind": "change"},
        {"kind": "search", "what": "measures", "text": "x", "serial": "1"},
        {"kind": "saved", "action": "__init__", "name": "x"},
        {"kind": "saved", "action": ["save"]},
        {"kind": "page", "first": "0"},
        {"kind": "export", "file": "../../etc/passwd"},
        {"kind": ["run"]},
    ],
)
def test_other_messages_do_nothing(panel: QueryPanel, message: dict[str, Any]) -> None:
    until(lambda: panel.widget.count["state"] == "counted")
    before = (panel.query, panel.widget.form, panel.widget.result)
    panel._on_message(message)
    assert (panel.query, panel.widget.form, panel.widget.result) == before


def test_what_the_browser_sets_is_never_read(panel: QueryPanel) -> None:
    panel.widget.set_state({"form": {"by": ["compte"]}, "running": True, "result": {"rows": 1}})
    assert panel.query.spec.dimensions == ("departement", "exercice")
    say(panel, kind="change", field="exercices", value=[2020])
    assert panel.widget.form["by"] == ["departement", "exercice"]


def test_saved_queries(panel: QueryPanel) -> None:
    say(panel, kind="saved", action="save", name="Ventes", description="x", shared=False, replace=False)
    assert [each["name"] for each in panel.widget.saved] == ["Ventes"]
    say(panel, kind="saved", action="save", name="Ventes", description="x", shared=False, replace=False)
    assert panel.widget.notices[0]["code"] == "requete_existe"
    say(panel, kind="clear")
    assert panel.query.spec.measures == ()
    say(panel, kind="saved", action="open", name="Ventes", shared=False)
    assert panel.query.spec.dimensions == ("departement", "exercice")
    say(panel, kind="saved", action="delete", name="Ventes", shared=False)
    assert panel.widget.saved == []


def test_without_a_base_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        query_panel(tmp_path / "absente.duckdb")
    assert caught.value.code == "base_absente"


def test_components_name_no_other_server_and_write_no_markup() -> None:
    for text in (QueryForm._esm, source("lab.css", "query_panel.css")):
        assert "http" not in text
        for way in (".innerHTML", "insertAdjacentHTML", ".outerHTML", "document.write", "eval("):
            assert way not in text


def test_an_incident_has_a_reference(caplog: pytest.LogCaptureFixture) -> None:
    background = Background()
    errors: list[WorkbenchError] = []
    background.start("essai", lambda _: 1 / 0, print, errors.append)
    background.wait("essai")
    until(lambda: bool(errors))
    assert errors[0].code == "panneau_incident"
    assert errors[0].details["reference"] in caplog.text
