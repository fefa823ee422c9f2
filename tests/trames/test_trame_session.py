"""Editing trames: sessions, whole trames, series that follow, private ones; what lands in the text files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trame_strategies import codes, trames, unhurried

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.trames import (
    DependentIndicateurError,
    Formule,
    TrameError,
    UnknownIndicateurError,
    find_trame,
    series_of,
    trame_file,
)

TEXT = """\
# Les ventes
code: a_m57
nomenclature: M57
indicateurs:
  # le compte 70
  - code: A_VENTES  # remarque
    formule: C70[TA:BR]

  - code: A_PART
    formules:
      - texte: A_VENTES/$POP  # par habitant
        depuis: 2016
"""
SERIE = "# série\ncode: a\nserie:\n  - a_m14 # avant\n  - a_m57\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_TRAMES", str(tmp_path / "trames"))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "privees"))
    (tmp_path / "trames").mkdir()
    (tmp_path / "trames" / "a_m57.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "trames" / "a_m14.yaml").write_text(
        TEXT.replace("M57", "M14").replace("a_m57", "a_m14"), encoding="utf-8"
    )
    (tmp_path / "trames" / "a.yaml").write_text(SERIE, encoding="utf-8")
    return tmp_path / "trames"


def test_a_session_edits_the_text_and_keeps_the_rest(folder: Path) -> None:
    session = wb.edit_trame("a_m57")
    session.add("A_DETTE", "SC16-SD16[TA:SX]", libelle="Dette", before="A_PART")
    session.edit("A_VENTES", libelle="Ventes")
    session.edit("A_PART", "A_VENTES/1000", exercice_min=2020)
    session.duplicate("A_DETTE", "A_DETTE_BIS")
    assert session.changed
    assert (folder / "a_m57.yaml").read_text(encoding="utf-8") == TEXT
    assert [each.code for each in session.diff().added] == ["A_DETTE", "A_DETTE_BIS"]
    session.save()
    assert not session.changed
    text = (folder / "a_m57.yaml").read_text(encoding="utf-8")
    assert text.splitlines() == [
        "# Les ventes",
        "code: a_m57",
        "nomenclature: M57",
        "indicateurs:",
        "  # le compte 70",
        "  - code: A_VENTES  # remarque",
        "    libelle: Ventes",
        "    formule: C70[TA:BR]",
        "",
        "  - code: A_DETTE",
        "    libelle: Dette",
        "    formule: SC16-SD16[TA:SX]",
        "",
        "  - code: A_DETTE_BIS",
        "    libelle: Dette",
        "    formule: SC16-SD16[TA:SX]",
        "",
        "  - code: A_PART",
        "    formules:",
        "      - texte: A_VENTES/1000  # par habitant",
        "        depuis: 2020",
    ]


def test_renaming_follows_in_formulas_and_deleting_is_refused_while_used(folder: Path) -> None:
    session = wb.edit_trame("a_m57")
    with pytest.raises(DependentIndicateurError) as error:
        session.delete("A_VENTES")
    assert error.value.details["utilise_par"] == "A_PART"
    session.rename("A_VENTES", "A_PRODUITS")
    assert session["A_PART"].formules == (Formule("A_PRODUITS/$POP", 2016),)
    assert session.uses("A_PRODUITS") == ("A_PART",)
    # The serie follows the old code in its other trame: said before anything is written.
    assert "a_m14" in session.notices[0]
    assert 'wb.rename_indicateur("a", "A_VENTES"' in session.notices[0]
    session.delete("A_PART")
    session.delete("A_PRODUITS")
    assert len(session) == 0
    session.save()
    assert wb.load_trame(folder / "a_m57.yaml").codes == ()


def test_order(folder: Path) -> None:
    session = wb.edit_trame("a_m57")
    for code in ("A_C", "A_D"):
        session.add(code, "C71[TA:BX]")
    session.move("A_D", "first")
    session.move("A_VENTES", after="A_C")
    assert session.trame.codes == ("A_D", "A_PART", "A_C", "A_VENTES")
    session.reorder(["A_C"])
    assert session.trame.codes == ("A_C", "A_D", "A_PART", "A_VENTES")
    for wrong in ({}, {"to": "first", "after": "A_C"}):
        with pytest.raises(WorkbenchError, match="un seul endroit"):
            session.move("A_C", **wrong)
    assert [session.undo() for _ in range(6)] == [True, True, True, True, True, False]
    assert session.trame == session.saved
    assert session.redo()
    assert "A_C" in session


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda one: one.add("A_VENTES", "C70[TA:BX]"), TrameError),
        (lambda one: one.add("A_X", "C70[TA:ZZ]"), TrameError),
        (lambda one: one.add("A_X", "A_Y"), TrameError),
        (lambda one: one.add("pas un code", "C70[TA:BX]"), TrameError),
        (lambda one: one.add("A_X", "C70[TA:BX]", unite="francs"), TrameError),
        (lambda one: one.add("A_X", "C70[TA:BX]", couleur="rouge"), WorkbenchError),
        (lambda one: one.add("A_X", "C70[TA:BX]", after="A_Y"), UnknownIndicateurError),
        (lambda one: one.edit("A_VENTES", "A_PART"), TrameError),
        (lambda one: one.edit("A_Y", "C70[TA:BX]"), UnknownIndicateurError),
        (lambda one: one.rename("A_VENTES", "A_PART"), TrameError),
        (lambda one: one.duplicate("A_VENTES", "A_PART"), TrameError),
        (lambda one: one.describe(couleur="rouge"), WorkbenchError),
        (lambda one: one.uses("A_Y"), UnknownIndicateurError),
    ],
)
def test_a_wrong_change_changes_nothing(folder: Path, act: object, error: type[Exception]) -> None:
    session = wb.edit_trame("a_m57")
    with pytest.raises(error):
        act(session)  # type: ignore[operator]
    assert not session.changed
    assert not session.undo()


def test_another_hand_in_the_file_is_not_written_over(folder: Path) -> None:
    session = wb.edit_trame("a_m57")
    session.describe(libelle="Mien")
    (folder / "a_m57.yaml").write_text(TEXT.replace("C70", "C71"), encoding="utf-8")
    with pytest.raises(WorkbenchError) as error:
        session.save()
    assert error.value.code == "trame_changee"
    assert "C71" in (folder / "a_m57.yaml").read_text(encoding="utf-8")


def test_a_figure_is_renamed_in_all_trames_of_its_serie(folder: Path) -> None:
    written = wb.rename_indicateur("a_m14", "A_VENTES", "A_PRODUITS")
    assert [path.name for path in written] == ["a_m14.yaml", "a_m57.yaml"]
    serie = wb.load_trame(folder / "a.yaml")
    assert serie.codes == ("A_PRODUITS", "A_PART")
    assert "# remarque" in (folder / "a_m57.yaml").read_text(encoding="utf-8")
    assert wb.rename_indicateur("a", "A_PRODUITS", "A_VENTES") == written
    assert (folder / "a_m57.yaml").read_text(encoding="utf-8") == TEXT
    # All, or none: the other trame has this code already.
    wb.edit_trame("a_m14").save()
    session = wb.edit_trame("a_m14")
    session.add("A_X", "C7[TA:BX]")
    session.save()
    with pytest.raises(TrameError):
        wb.rename_indicateur("a_m57", "A_VENTES", "A_X")
    assert (folder / "a_m57.yaml").read_text(encoding="utf-8") == TEXT
    with pytest.raises(UnknownIndicateurError):
        wb.rename_indicateur("a", "A_Y", "A_Z")


def test_whole_trames(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wb.create_trame("~/essais", "M57", "Essais")
    assert path == folder.parent / "privees" / "essais.yaml"
    assert find_trame("~/essais").libelle == "Essais"
    with pytest.raises(WorkbenchError) as error:
        wb.create_trame("~/essais")
    assert error.value.code == "trame_existe"
    copy = wb.duplicate_trame("a_m57", "~/copie")
    assert copy.read_text(encoding="utf-8") == TEXT.replace("code: a_m57", "code: copie")
    assert wb.delete_trame("~/copie") == copy
    assert not copy.exists()
    with pytest.raises(WorkbenchError) as error:
        wb.delete_trame("a_m57")
    assert (error.value.code, error.value.details["series"]) == ("trame_utilisee", "a")
    renamed = wb.rename_trame("a_m57", "b_m57")
    assert renamed.read_text(encoding="utf-8") == TEXT.replace("code: a_m57", "code: b_m57")
    assert (folder / "a.yaml").read_text(encoding="utf-8") == SERIE.replace("a_m57", "b_m57")
    assert series_of(renamed) == [folder / "a.yaml"]
    assert wb.load_trame(folder / "a.yaml").codes == ("A_VENTES", "A_PART")
    assert wb.edit_trame("nouvelle", create=True, nomenclature="M14").trame.nomenclature == "M14"
    for wrong in ("~/../a", "../a", "a b", "/etc/passwd", "~//x"):
        with pytest.raises(WorkbenchError):
            trame_file(wrong, new=True)
    with pytest.raises(WorkbenchError):
        wb.edit_trame("a")  # a serie


def test_several_files_are_written_all_or_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.trames import library

    before = {path: path.read_bytes() for path in folder.iterdir()}
    written = library.replace_file

    def refuse(path: Path, content: bytes, trame: str) -> None:
        if path.name == "a_m57.yaml":
            raise WorkbenchError("trame_ecriture", trame=trame, chemin=path, cause="disque plein")
        written(path, content, trame)

    monkeypatch.setattr(library, "replace_file", refuse)
    with pytest.raises(WorkbenchError, match="disque plein"):
        wb.rename_indicateur("a", "A_VENTES", "A_PRODUITS")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@unhurried
@given(trames(), codes, st.data())
def test_renaming_and_back_is_nothing(trame: wb.Trame, code: str, data: st.DataObject) -> None:
    if not trame.codes or code in trame:
        return
    old = data.draw(st.sampled_from(trame.codes))
    renamed = trame.rename_indicateur(old, code)
    assert renamed.rename_indicateur(code, old) == trame
    assert {*renamed.codes} == {*trame.codes} - {old} | {code}
    assert all(old not in one.references for one in renamed.indicateurs)
