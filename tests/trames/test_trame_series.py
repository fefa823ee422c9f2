"""The file of a serie: read, listed, checked; what is wrong in it; what it refuses to become."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench as wb
from workbench.trames import (
    Serie,
    check_trame_file,
    compare_trames,
    export_archive,
    export_pseudo_parametrage,
    find_trame,
    list_trames,
)

M14 = """code: a_m14
nomenclature: M14
types_etablissement: ["101"]
indicateurs:
  - {code: A_IMPOTS, libelle: Impôts, reference: Plan M14, formule: "C731[TA:BR]"}
  - {code: A_ANCIEN, libelle: Ancien, formule: "C77[TA:BR]"}
  - {code: A_PART, libelle: Part, unite: pourcentage, formule: A_IMPOTS/A_ANCIEN}
"""
M57 = """code: a_m57
nomenclature: M57
types_etablissement: ["101", "401"]
indicateurs:
  - {code: A_IMPOTS, libelle: Impôts locaux, reference: Plan M57, formule: "C7311[TA:BR]"}
  - {code: A_PART, libelle: Part, unite: pourcentage, formule: A_IMPOTS/A_IMPOTS}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a_m14.yaml").write_text(M14, encoding="utf-8")
    (tmp_path / "a_m57.yaml").write_text(M57, encoding="utf-8")
    (tmp_path / "a.yaml").write_text("code: a\nlibelle: Suivi\nserie: [a_m14, a_m57]\n", encoding="utf-8")
    return tmp_path


def test_a_serie_is_loaded_where_a_trame_is(folder: Path) -> None:
    serie = wb.load_trame(folder / "a.yaml")
    assert isinstance(serie, Serie)
    assert [trame.code for trame in serie.trames] == ["a_m14", "a_m57"]
    assert (serie.code, serie.libelle, serie.nomenclature) == ("a", "Suivi", "M14+M57")
    assert serie.types_etablissement == ("101", "401")
    # The order of the last trame, and what only the first has in its place.
    assert serie.codes == ("A_IMPOTS", "A_ANCIEN", "A_PART")
    assert serie["A_IMPOTS"].libelle == "Impôts locaux"
    assert serie["A_IMPOTS"].reference == "M14 : Plan M14\nM57 : Plan M57"
    assert serie.dependencies("A_PART") == ("A_IMPOTS", "A_ANCIEN")
    assert serie.uses("A_ANCIEN") == ("A_PART",)
    assert serie.order.index("A_ANCIEN") < serie.order.index("A_PART")
    assert find_trame("a", folder) == serie
    assert check_trame_file(folder / "a.yaml") == []
    summary = next(one for one in list_trames(folder) if one.code == "a")
    assert (summary.nomenclature, summary.indicateurs, summary.errors) == ("M14+M57", 3, ())
    assert compare_trames(serie, wb.load_trame(folder / "a.yaml")).same


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("serie: [a_m14, a_m75]", (1, 16), "il n'y a pas de trame a_m75 dans ce dossier"),
        ("serie: [a_m14, ../a_m57]", (1, 16), "code de trame impossible : « ../a_m57 »"),
        ("serie: [a_m14]", (0, 0), "il en faut au moins deux"),
        ("serie: [a_m14, a_m14]", (0, 0), "a_m14 et a_m14 portent toutes deux sur M14"),
        ("serie: [a_m14, a]", (1, 16), "la trame a est en erreur"),
        ("serie: [a_m14, a_faux]", (1, 16), "la trame a_faux est en erreur"),
        ("serie: [a_m14, a_ratio]", (0, 0), "A_IMPOTS est en euros dans a_m14 et en ratio dans a_m57"),
        ("serie: a_m14", (1, 8), "« serie » attend une liste"),
        ("serie: [a_m14, a_m57]\nindicateurs: []", (2, 1), "clé inconnue : « indicateurs »"),
        ("serie: [a_m14, a_m57]\nnomenclature: M14", (2, 1), "clé inconnue : « nomenclature »"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(folder: Path, text: str, place: tuple[int, int], message: str) -> None:
    (folder / "a_faux.yaml").write_text("nomenclature: M57\nindicateurs: [{code: A_B, formule: C70}]", encoding="utf-8")
    (folder / "a_ratio.yaml").write_text(M57.replace("Plan M57,", "Plan M57, unite: ratio,"), encoding="utf-8")
    (folder / "a.yaml").write_text(text, encoding="utf-8")
    problem = check_trame_file(folder / "a.yaml")[0]
    assert message in problem.message.replace("\N{NO-BREAK SPACE}", " ")
    assert (problem.line, problem.column) == place
    with pytest.raises(wb.WorkbenchError):
        wb.load_trame(folder / "a.yaml")


def test_a_serie_is_written_nowhere(folder: Path) -> None:
    serie = wb.load_trame(folder / "a.yaml")
    before = (folder / "a.yaml").read_text(encoding="utf-8")
    attempts = (
        lambda: wb.save_trame(serie, folder / "a.yaml"),
        lambda: wb.save_trame(serie, folder / "b.yaml"),
        lambda: export_pseudo_parametrage(serie, folder / "b.xlsx"),
        lambda: export_archive(serie, None, folder / "b.zip"),
    )
    for attempt in attempts:
        with pytest.raises(wb.WorkbenchError) as caught:
            attempt()
        assert caught.value.code == "serie_ecriture"
        assert "a_m14, a_m57" in str(caught.value)
    assert (folder / "a.yaml").read_text(encoding="utf-8") == before
    assert sorted(path.name for path in folder.iterdir()) == ["a.yaml", "a_m14.yaml", "a_m57.yaml"]
