"""What Documentation lists, says and exports, without a browser; its comments through the real service."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from in_process import InProcess

from workbench.dashboards.documentation import DocumentationView
from workbench.discussion import ROOM
from workbench.discussion.app import create_app
from workbench.discussion.client import CommentsClient
from workbench.errors import WorkbenchError
from workbench.identity.actor import Actor
from workbench.identity.tokens import TokenRules
from workbench.registry import open_registry


class Names:
    """Takes an e-mail for a token."""

    rules = TokenRules("https://id.exemple.fr", "workbench")

    async def verify_async(self, token: str) -> Actor:
        return Actor(token, "", "", frozenset(), datetime(9999, 1, 1, tzinfo=UTC))


@pytest.fixture
def view(project: Path) -> DocumentationView:
    return DocumentationView(project / "trames", {"70": "Ventes"})


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["value"] for item in items]


def test_filters_are_chained(view: DocumentationView) -> None:
    everything = view.state()
    view.choose("nomenclature", "M57")
    narrowed = view.state()
    assert "m14_basique" in names(everything["trames"])
    assert "m14_basique" not in names(narrowed["trames"])
    view.choose("trame", "ofgl_agregats_m57")
    state = view.state()
    assert 0 < state["found"] < everything["found"]
    assert {each["trame"] for each in state["indicateurs"]} == {"ofgl_agregats_m57"}
    assert [chip["field"] for chip in state["chips"]] == ["nomenclature", "trame"]
    view.choose("nomenclature", "M14")
    assert view.state()["chosen"] == {"nomenclature": "M14", "trame": "", "indicateur": ""}


def test_a_search_takes_accents_and_case_apart(view: DocumentationView) -> None:
    view.search("EPARGNE brute")
    found = view.state()
    assert found["indicateurs"]
    assert all("pargne brute" in one["label"] for one in found["indicateurs"])
    view.search("zzz")
    assert view.state()["found"] == 0


def test_an_indicateur_is_told_with_its_formules_and_their_trees(view: DocumentationView) -> None:
    view.choose("indicateur", "OFGL_EPARGNE_BRUTE", "ofgl_agregats_m57")
    said = view.detail()
    assert said is not None
    assert said["title"] == "Épargne brute"
    assert [each["texte"] for each in said["formules"]] == ["OFGL_RECETTES_FONCTIONNEMENT-OFGL_DEPENSES_FONCTIONNEMENT"]
    assert {link["label"] for link in said["links"]} == {"Utilise", "Utilisé par"}
    drawing = view.drawing(0)
    assert drawing is not None
    assert "Recettes de fonctionnement" in drawing
    for wrong in (1, -1, True, "0", None):
        assert view.drawing(wrong) is None


def test_formules_are_told_by_exercices_and_by_trame_of_a_serie(view: DocumentationView, project: Path) -> None:
    view.choose("indicateur", "OFGL_EPARGNE_BRUTE", "ofgl_agregats")
    said = view.detail()
    assert said is not None
    assert [each["validite"].partition(",")[0] for each in said["formules"]] == ["M14", "M57"]
    view.choose("trame", "ofgl_agregats")
    of_serie = view.detail()
    assert of_serie is not None
    assert of_serie["file"] == ""
    assert "Série de" in [fact["name"] for fact in of_serie["facts"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nomenclature", "M99"),
        ("trame", "../m14_basique"),
        ("indicateur", "A_B"),
        ("indicateur", "__class__"),
        ("trame", None),
        ("x", ""),
        ([], ""),
    ],
)
def test_what_is_not_there_changes_nothing(view: DocumentationView, name: Any, value: Any) -> None:
    view.choose("trame", "m14_basique")
    before = view.state()
    with pytest.raises(WorkbenchError):
        view.choose(name, value)
    assert view.state() == before


def test_the_light_export_is_the_model_with_its_formules_or_the_formules(view: DocumentationView) -> None:
    assert view.export() is None
    view.choose("trame", "ofgl_agregats_m57")
    found = view.export()
    assert found is not None
    cells = {
        str(cell)
        for sheet in openpyxl.load_workbook(io.BytesIO(found[1]))
        for row in sheet.iter_rows(values_only=True)
        for cell in row
    }
    assert "OFGL_RECETTES_FONCTIONNEMENT-OFGL_DEPENSES_FONCTIONNEMENT" in cells


# --- comments


@pytest.fixture
def service(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("WORKBENCH_TRAMES", str(project / "trames"))
    with open_registry(tmp_path / "registre.sqlite", rooms=[ROOM]) as registry:
        app = create_app(registry, Names())  # type: ignore[arg-type] # what it asks of a verifier

        def client(email: str) -> CommentsClient:
            transport = InProcess(app)
            return CommentsClient("http://testserver", lambda: email, transport=transport)

        yield client


def test_everybody_reads_comments_and_changes_her_own(service: Any) -> None:
    anne, eve = service("anne@exemple.fr"), service("eve@exemple.fr")
    anne.write("Que dit <b>7391</b> ?", "m14_basique")
    said = eve.about("m14_basique")[0]
    assert (said["text"], said["author"], said["mine"]) == ("Que dit <b>7391</b> ?", "anne@exemple.fr", False)
    for act in (lambda: eve.change(said["id"], "faux"), lambda: eve.remove(said["id"])):
        with pytest.raises(WorkbenchError) as refused:
            act()
        assert refused.value.status == 404
    anne.change(said["id"], "Que disent 7391 et 7392 ?")
    assert eve.about("m14_basique")[0]["edited"]
    anne.remove(said["id"])
    assert eve.about("m14_basique") == []


@pytest.mark.parametrize(
    ("text", "trame"), [("", None), ("x" * 6_000, None), ("x", "inconnue"), ("x", "~/mienne"), ("x", "../m14")]
)
def test_a_comment_that_cannot_be_kept_is_refused(service: Any, text: str, trame: str | None) -> None:
    anne = service("anne@exemple.fr")
    with pytest.raises(WorkbenchError) as refused:
        anne.write(text, trame)
    assert 400 <= refused.value.status < 500
    assert anne.about() == []


def test_ones_own_trames_are_not_asked_about(service: Any) -> None:
    with pytest.raises(WorkbenchError) as refused:
        service("anne@exemple.fr").about("~/mienne")
    assert refused.value.status == 404
