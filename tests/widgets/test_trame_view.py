"""A trame being edited, without a browser: every gesture of the editor, and what the file becomes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.plans import Compte, PlanComptes, PlansComptes
from workbench.widgets.trame_view import TrameView

TEXT = """\
# celle de la maison
code: maison
libelle: Trame de la maison
nomenclature: M57
indicateurs:
  - code: A_VENTES # brutes
    libelle: Ventes
    formule: C70[TA:BR]
  - code: A_RABAIS
    theme: Déductions
    formule: D709[TA:BR]
  - code: A_NET
    formule: A_VENTES-A_RABAIS
"""


def plan(nomenclature: str, exercice: int, *comptes: tuple[str, str]) -> PlanComptes:
    return PlanComptes(nomenclature, exercice, tuple(Compte(*each) for each in sorted(comptes)))


PLANS = PlansComptes.of(
    [
        plan(
            "M57",
            2024,
            ("7", "Produits"),
            ("70", "Ventes"),
            ("701", "Produits finis"),
            ("709", "Rabais"),
            ("75", "Loyers"),
        ),
        plan("M4", 2024, ("7", "Produits"), ("70", "Ventes"), ("7099", "Rabais"), ("71", "Loyers")),
    ]
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of shared trames, with one; that of private ones is beside it."""
    shared = tmp_path / "trames"
    shared.mkdir()
    monkeypatch.setenv("WORKBENCH_TRAMES", str(shared))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "private"))
    (shared / "maison.yaml").write_text(TEXT, encoding="utf-8")
    return shared


@pytest.fixture
def view(folder: Path) -> TrameView:
    return TrameView("maison", plans=PLANS)


@pytest.fixture
def base(demonstration_base: str) -> Iterator[wb.Base]:
    with wb.connect(demonstration_base) as opened:
        yield opened


def codes(view: TrameView) -> list[str]:
    return [each["code"] for each in view.state()["rows"]]


def test_three_indicateurs_make_a_trame(folder: Path, base: wb.Base, demonstration_siret: str) -> None:
    view = TrameView(base=base, sirets=[demonstration_siret])
    assert view.state()["page"] == "choose"
    view.create("essai", "M57", "Essai")
    for code, formule in (
        ("A_VENTES", "C70-D709[TA:BR]"),
        ("A_IMPOTS", "C73-D739[TA:BR]"),
        ("A_PART", "A_VENTES/$POP"),
    ):
        view.add(code)
        view.draft.write(formule)
    assert codes(view) == ["A_VENTES", "A_IMPOTS", "A_PART"]
    assert view.save() == "essai.yaml est enregistré."
    saved = wb.load_trame(folder / "essai.yaml")
    assert saved["A_PART"].texte == "A_VENTES/$POP"
    table: Any = view.table()
    values = wb.evaluate(saved, base, sirets=demonstration_siret, exercices=table["exercices"])
    from workbench.reports.numbers import format_value

    shown = {each["code"]: each["cells"] for each in table["rows"]}
    assert shown["A_IMPOTS"] == [format_value(each, decimals=2) for each in values.loc["A_IMPOTS"]]
    view.close()
    assert ("essai", "A_PART") in [(each["name"], each["code"]) for each in view.search("A_PART")]
    assert ("essai", "A_IMPOTS") in [(each["name"], each["code"]) for each in view.search("739")]


def test_a_private_trame_is_elsewhere(folder: Path) -> None:
    view = TrameView()
    view.create("mienne", "M57", "", True)
    assert view.name == "~/mienne"
    assert (folder.parent / "private" / "mienne.yaml").is_file()
    assert not (folder / "mienne.yaml").exists()
    view.close()
    view.open("~/mienne")
    assert view.name == "~/mienne"


def test_a_wrong_formule_is_kept_aside(view: TrameView, folder: Path) -> None:
    view.select("A_VENTES")
    view.draft.write("C70[TA:")
    view.select("A_NET")
    assert view.drafts == {"A_VENTES": "C70[TA:"}
    assert any(each["code"] == "A_VENTES" and "Brouillon" in each["message"] for each in view.state()["problems"])
    view.edit("libelle", "Ventes nettes")
    assert "à corriger n'y sont pas : A_VENTES" in view.save()
    assert "C70[TA:BR]" in (folder / "maison.yaml").read_text(encoding="utf-8")
    with pytest.raises(WorkbenchError) as refused:
        view.close()
    assert refused.value.code == "trame_non_enregistree"
    view.select("A_VENTES")
    assert view.draft.texte == "C70[TA:"
    view.undo()
    assert (view.draft.texte, view.drafts) == ("C70[TA:BR]", {})
    view.close()


def test_references_follow_a_new_name(view: TrameView) -> None:
    view.select("A_VENTES")
    view.draft.write("C70+C75[TA:BR]")
    view.rename("A_VENTES", "A_PRODUITS")
    view.select("A_NET")
    assert view.draft.texte == "A_PRODUITS-A_RABAIS"
    assert view.state()["selected"]["uses"] == []
    assert view.session is not None
    assert view.session["A_PRODUITS"].texte == "C70+C75[TA:BR]"


def test_what_is_used_is_not_deleted(view: TrameView) -> None:
    with pytest.raises(WorkbenchError, match="A_NET"):
        view.delete("A_VENTES")
    view.delete("A_NET")
    view.delete("A_VENTES")
    assert codes(view) == ["A_RABAIS"]
    assert view.selected == "A_RABAIS"
    view.undo()
    view.undo()
    assert codes(view) == ["A_VENTES", "A_RABAIS", "A_NET"]
    view.redo()
    assert codes(view) == ["A_VENTES", "A_RABAIS"]


def test_copies_and_order(view: TrameView) -> None:
    view.duplicate("A_VENTES", "A_AUTRES")
    assert (view.selected, view.draft.texte) == ("A_AUTRES", "C70[TA:BR]")
    view.move("A_AUTRES", "down")
    view.move("A_AUTRES", "down")
    view.move("A_AUTRES", "down")
    assert codes(view) == ["A_VENTES", "A_RABAIS", "A_NET", "A_AUTRES"]
    view.move("A_AUTRES", "up")
    assert codes(view)[2] == "A_AUTRES"
    view.move("A_AUTRES", "first")
    assert codes(view)[0] == "A_AUTRES"
    view.edit("theme", "Divers")
    assert view.state()["themes"] == ["Divers", "Déductions"]


def test_saving_says_what_it_changes_and_keeps_the_rest(view: TrameView, folder: Path) -> None:
    assert view.changes() == []
    view.select("A_VENTES")
    view.draft.write("C75[TA:BR]")
    [change] = view.changes()
    assert change["lines"] == ["- C70[TA:BR]", "+ C75[TA:BR]", "Lit en plus : 75 Loyers", "Ne lit plus : 70 Ventes"]
    view.save()
    written = (folder / "maison.yaml").read_text(encoding="utf-8")
    assert written == TEXT.replace("C70[TA:BR]", "C75[TA:BR]")


def test_two_editors_do_not_overwrite_each_other(view: TrameView, folder: Path) -> None:
    other = TrameView("maison")
    other.edit("libelle", "Vu par l'autre")
    other.save()
    view.describe("libelle", "Ma trame")
    with pytest.raises(WorkbenchError) as refused:
        view.save()
    assert refused.value.code == "trame_changee"
    assert view.state()["conflict"]
    assert "Vu par l'autre" in (folder / "maison.yaml").read_text(encoding="utf-8")
    # One's own version stays; what it would undo of the other's is seen before anything is written.
    view.reread(True)
    assert any("Vu par l'autre" in line for each in view.changes() for line in each["lines"])
    view.reread(False)
    assert view.state()["trame"]["libelle"] == "Trame de la maison"
    view.undo()
    assert view.state()["trame"]["libelle"] == "Ma trame"


def test_the_file_of_a_trame(view: TrameView, folder: Path) -> None:
    view.edit("libelle", "Autre")
    for refused in (view.rename_trame, view.duplicate_trame):
        with pytest.raises(WorkbenchError, match="enregistr"):
            refused("nouvelle")
    view.undo()
    view.duplicate_trame("copie")
    assert (view.name, sorted(each.name for each in folder.iterdir())) == ("copie", ["copie.yaml", "maison.yaml"])
    view.rename_trame("copie_2")
    assert sorted(each.name for each in folder.iterdir()) == ["copie_2.yaml", "maison.yaml"]
    view.delete_trame()
    assert view.state()["page"] == "choose"
    assert sorted(each.name for each in folder.iterdir()) == ["maison.yaml"]


@pytest.mark.parametrize("name", ["../maison", "/etc/passwd", "a/b", "maison.yaml", "~/../x", "", None, 3, "x" * 5000])
def test_no_name_becomes_a_path(view: TrameView, folder: Path, name: object) -> None:
    before = sorted(folder.parent.rglob("*"))
    for gesture in (
        view.open,
        view.compare,
        view.rename_trame,
        view.duplicate_trame,
        lambda each: view.create(each, "M57"),
    ):
        with pytest.raises(WorkbenchError):
            gesture(name)
    assert sorted(folder.parent.rglob("*")) == before
    assert view.name == "maison"


@pytest.mark.parametrize("value", [None, 3, ["A_NET"], {"a": 1}, "A_RIEN", "<b>", "é" * 5000])
def test_nothing_of_the_browser_is_believed(view: TrameView, value: Any) -> None:
    before = view.state()
    for gesture in (
        view.select, view.delete, view.export,
        lambda each: view.rename(each, "A_X"), lambda each: view.rename("A_NET", each), view.add,
        lambda each: view.move(each, "up"), lambda each: view.edit(each, "x"), lambda each: view.describe(each, "x"),
        lambda each: view.duplicate("A_NET", each), lambda each: view.transpose(each, each),
        lambda each: view.transposed(each, each), view.adopt,
    ):  # fmt: skip
        try:
            gesture(value)
        except WorkbenchError:
            continue
        # A code that is right is a gesture: it is taken back.
        assert value == "A_RIEN"
        view.undo()
    after = view.state()
    for name in ("rows", "trame", "changed"):
        assert after[name] == before[name]


def test_comptes_are_looked_at(view: TrameView) -> None:
    view.select("A_VENTES")
    view.draft.write("C70+C701[TA:BR]")
    found = {(each["kind"], each["code"]) for each in view.lint()["rows"]}
    assert ("Compté deux fois", "A_VENTES") in found
    assert ("Non lu", "") in found
    with pytest.raises(WorkbenchError) as refused:
        TrameView("maison").lint()
    assert refused.value.code == "plans_absents"


def test_two_trames_are_compared(view: TrameView, folder: Path) -> None:
    (folder / "autre.yaml").write_text(TEXT.replace("maison\n", "autre\n", 2).replace("C70", "C75"), encoding="utf-8")
    answer = view.compare("autre")
    assert answer["title"] == "De autre à maison"
    assert any("Lit en plus : 70 Ventes" in each["lines"] for each in answer["rows"])


def test_a_trame_is_moved_to_another_nomenclature(view: TrameView, folder: Path) -> None:
    assert view.transposition_choices() == {"before": ["2024"], "after": ["M4 2024"]}
    answer = view.transpose("2024", "M4 2024")
    become = {each["before"]: (each["after"], each["sure"]) for each in answer["rows"]}
    assert become == {"70": ("70", True), "709": ("7099", True)}
    answer = view.transposed("709", "71")
    assert {each["before"]: each["after"] for each in answer["rows"]}["709"] == "71"
    with pytest.raises(WorkbenchError):
        view.transposed("709", "99")
    view.adopt("maison_m4")
    assert view.session is not None
    assert view.session["A_RABAIS"].texte == "D71[TA:BR]"
    assert view.session.trame.nomenclature == "M4"
    assert wb.load_trame(folder / "maison.yaml")["A_RABAIS"].texte == "D709[TA:BR]"


def test_exports_are_of_the_trame_as_it_stands(view: TrameView, tmp_path: Path) -> None:
    view.select("A_VENTES")
    view.draft.write("C75[TA:BR]")
    given = view.export("pseudo")
    path = tmp_path / given.name
    path.write_bytes(given.content)
    from workbench.trames import import_pseudo_parametrage

    assert import_pseudo_parametrage(path)["A_VENTES"].texte == "C75[TA:BR]"
    assert zipfile.ZipFile(BytesIO(view.export("archive").content)).namelist() == ["maison_pseudo_parametrage.xlsx"]
    with pytest.raises(WorkbenchError):
        view.export("modele")


def test_models_go_out_with_their_formules(view: TrameView, folder: Path) -> None:
    from openpyxl import Workbook, load_workbook

    assert [each["value"] for each in view.state()["documents"]] == ["pseudo", "archive"]
    path = folder / "maison.yaml"
    path.write_text(TEXT.replace("indicateurs:", "modele: maison.xlsx\nindicateurs:"), encoding="utf-8")
    view.reread(False)
    with pytest.raises(WorkbenchError) as refused:
        view.export("modele")
    assert refused.value.code == "modele_absent"
    book = Workbook()
    book.worksheets[0]["B3"] = "A_NET"
    book.save(folder / "maison.xlsx")
    names = {each["value"]: view.export(each["value"]).name for each in view.state()["documents"]}
    assert names["formules"] == "maison_modele_et_formules.xlsx"
    shown = load_workbook(BytesIO(view.export("formules").content)).worksheets[0]
    assert shown["F3"].value == "A_VENTES-A_RABAIS"
    assert view.export("modele").content == (folder / "maison.xlsx").read_bytes()
    assert len(zipfile.ZipFile(BytesIO(view.export("archive").content)).namelist()) == 3


def test_a_trame_value_is_an_unsaved_change_of_its_file(folder: Path) -> None:
    trame = wb.load_trame(folder / "maison.yaml").rename_indicateur("A_NET", "A_RESTE")
    view = TrameView(trame)
    assert view.state()["changed"]
    view.undo()
    assert not view.state()["changed"]
