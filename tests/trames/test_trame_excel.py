"""The Excel pseudo-paramétrage, in and out."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from openpyxl import Workbook, load_workbook
from trame_strategies import trames, unhurried

from workbench.errors import WorkbenchError
from workbench.trames import (
    Formule,
    Indicateur,
    Trame,
    TrameError,
    check_trame_file,
    export_archive,
    export_model_with_formules,
    export_pseudo_parametrage,
    import_pseudo_parametrage,
    load_trame,
    save_trame,
    trame_from_formules,
)
from workbench.trames.excel_cells import MAX_CELL

TITLES = ["Shortlib", "LongLib", "Formule_finale"]


def written(tmp_path: Path, rows: list[list[Any]], titles: list[Any] = TITLES, name: str = "essai.xlsx") -> Path:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Result"
    for row in [titles, *rows]:
        sheet.append(row)
    path = tmp_path / name
    workbook.save(path)
    return path


def errors(path: Path) -> list[tuple[str, str]]:
    with pytest.raises(TrameError) as caught:
        import_pseudo_parametrage(path)
    return [(error.where, str(error).replace("\u00a0", " ")) for error in caught.value.errors]


@settings(unhurried, max_examples=30)
@given(trames())
def test_round_trip_is_exact(tmp_path_factory, trame) -> None:
    path = tmp_path_factory.mktemp("excel") / "essai.xlsx"
    assert load_trame(export_pseudo_parametrage(trame, path)) == trame


def test_texts_that_spreadsheets_and_xml_mistreat(tmp_path) -> None:
    texts = ["=1+1", "+C70", "-x", "@sum", "#N/A", "TRUE", "1E5", "_x0041_", "__x000D_", "\ufffe \uffff", "a\u2028b"]
    trame = Trame(
        "essai",
        tuple(
            Indicateur(f"A_{rank}", text, (Formule("-C70[TA:BX]"),), description=text + "\n" + text)
            for rank, text in enumerate(texts)
        ),
    )
    path = export_pseudo_parametrage(trame, tmp_path / "essai.xlsx")
    assert load_trame(path) == trame
    for row in load_workbook(path).worksheets[0].iter_rows(min_row=2):
        for cell in row:
            assert cell.data_type in {"s", "n"}
            assert cell.data_type == "s" or cell.value is None
            if cell.value is not None:
                assert cell.number_format == "@"
                assert cell.quotePrefix is (cell.value[0] in "=+-@")


def test_old_system_finds_its_columns(tmp_path) -> None:
    trame = trame_from_formules(
        {"A_B": "C70[TA:BX][RE-MAX:2016]+C701[TA:BX][RE-MIN:2017]"}, libelles={"A_B": "Ventes"}, nomenclature="M14"
    )
    sheet = load_workbook(export_pseudo_parametrage(trame, tmp_path / "essai.xlsx")).worksheets[0]
    assert [cell.value for cell in sheet[2]][:4] == [
        "A_B",
        "Ventes",
        "C70[TA:BX][RE-MIN:#][RE-MAX:2016]+C701[TA:BX][RE-MIN:2017][RE-MAX:#]",
        None,
    ]


@pytest.mark.shared
def test_published_workbook(shared, tmp_path) -> None:
    path = shared / "data" / "balances" / "reference" / "M14_basique_Pseudo_parametrage.xlsx"
    trame = import_pseudo_parametrage(path, nomenclature="M14", code="m14_basique")
    assert trame.code == "m14_basique"
    assert trame.nomenclature == "M14"
    assert [code.removeprefix("M14_CE_") for code in trame.codes] == [
        *("PFA_1000", "PFA_1080", "PFA_1090", "PFA_1560", "BIL_1450", "AN02_1050", "AN09_1000")
    ]
    assert trame["M14_CE_PFA_1000"].formules == (
        Formule("C73-D73-C732+D739114+D739116[TA: BX]", None, 2011),
        Formule("+C73-D73-C732+D7392-D73921-D73922[TA: BX]", 2012, 2016),
        Formule("+C73-D73-C732+D7392-D739211-D739212[TA: BX]", 2017, None),
    )
    assert [len(one.formules) for one in trame.indicateurs] == [3, 1, 1, 1, 1, 4, 1]
    assert trame["M14_CE_PFA_1080"].libelle == "Charges à caractère général"
    # what the workbook says is what the trame says again
    cells = {row[0].value: row[2].value for row in load_workbook(path).worksheets[0].iter_rows(min_row=2)}
    assert {one.code: one.texte for one in trame.indicateurs} == cells
    assert load_trame(path).code == "M14_basique_Pseudo_parametrage"
    for suffix in ("yaml", "xlsx"):
        assert load_trame(save_trame(trame, tmp_path / f"m14_basique.{suffix}")) == trame


def test_rows_in_any_order_blanks_and_four_columns(tmp_path) -> None:
    path = written(
        tmp_path,
        [
            ["A_PART", None, " A_VENTES / $POP ", "par habitant", "note de l'auteur", 3],
            [],
            [None, "  ", None],
            [" A_VENTES ", " Ventes ", "C 70 + C 71 [ TA : B X ] [RE - MIN: 2012 ][RE - MAX : # ]"],
        ],
        [*TITLES, "Description", "Remarques", "Rang"],
    )
    assert import_pseudo_parametrage(path).indicateurs == (
        Indicateur("A_PART", "", (Formule("A_VENTES / $POP"),), "par habitant"),
        Indicateur("A_VENTES", "Ventes", (Formule("C70+C71[TA:BX]", 2012, None),)),
    )


def test_blanks_stay_where_the_formule_can_be_read_with_them(tmp_path) -> None:
    path = written(tmp_path, [["A_B", "", "C70 +\nC71 [TA: BX]"]])
    assert import_pseudo_parametrage(path)["A_B"].formules == (Formule("C70 + C71 [TA: BX]"),)


def test_every_error_by_cell(tmp_path) -> None:
    path = written(
        tmp_path,
        [
            ["A_B", "Ventes", "C70+(C71[TA:BX]"],
            ["a_b", None, "C70[TA:BX]"],
            ["A_C", None, 12],
            ["A_D", None, date(2020, 1, 1)],
            ["A_E", None, "=C2"],
            ["A_F", None, None],
            [None, "sans code", "C70[TA:BX]"],
            ["A_B", None, "A_Z[OS:M1]"],
            [2012, None, "1"],
            ["A_G", 5, "1"],
            ["A_H", None, "C70[TA:BX][RE-MIN:20XX]"],
            ["A_I", None, "A_J"],
            ["A_J", None, "A_I"],
            ["A_K", None, True],
        ],
    )
    found = errors(path)
    assert [where for where, _ in found] == [
        *("Result!C2", "Result!A3", "Result!C4", "Result!C5", "Result!C6", "Result!C7", "Result!A8", "Result!A9"),
        *("Result!C9", "Result!A10", "Result!B11", "Result!C12", "Result!C13", "Result!C14", "Result!C15"),
    ]
    words = dict(found)
    assert "caractère 5" in words["Result!C2"]
    assert "C70+(C71[TA:BX]\n        ^" in words["Result!C2"]
    assert "code d'indicateur impossible" in words["Result!A3"]
    assert "un nombre" in words["Result!C4"]
    assert "une date" in words["Result!C5"]
    assert "une formule Excel" in words["Result!C6"]
    assert "la formule manque" in words["Result!C7"]
    assert "le code de l'indicateur manque" in words["Result!A8"]
    assert "déjà celui de Result!A2" in words["Result!A9"]
    assert "A_Z n'existe pas" in words["Result!C9"]
    assert "un nombre" in words["Result!A10"]
    assert "un nombre" in words["Result!B11"]
    assert "20XX" in words["Result!C12"]
    assert "dépend de lui-même" in words["Result!C13"]
    assert "un booléen" in words["Result!C15"]


def test_excel_error_cell(tmp_path) -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Ma feuille"
    sheet.append(TITLES)
    sheet.append(["A_B", "", "#REF!"])
    workbook.save(tmp_path / "essai.xlsx")
    assert [where for where, _ in errors(tmp_path / "essai.xlsx")] == ["'Ma feuille'!C2"]


def test_missing_title_row_is_told(tmp_path) -> None:
    path = written(tmp_path, [["A_C", "", "1"]], ["A_B", "", "C70[TA:BX]"])
    (where, message), *rest = errors(path)
    assert where == "Result!A1"
    assert "insérez une ligne de titres" in message
    assert not rest


def test_warnings_are_listed_apart(tmp_path) -> None:
    path = written(tmp_path, [["2A_B", "", "C70[TA:BX]-C70[TA:BR]"]])
    assert import_pseudo_parametrage(path).codes == ("2A_B",)
    assert [(one.where, one.severity) for one in check_trame_file(path)] == [
        ("Result!A2", "warning"),
        ("Result!C2", "warning"),
    ]


def test_fields_of_the_trame(tmp_path) -> None:
    path = written(tmp_path, [["A_B", "", "1"]])
    workbook = load_workbook(path)
    sheet = workbook.create_sheet("Trame")
    for row in [("Champ", "Valeur"), ("code", "autre"), ("types_identifiant", "SIRET, SIREN"), ("nomenclature", "M57")]:
        sheet.append(row)
    workbook.save(path)
    trame = load_trame(path)
    assert (trame.code, trame.types_identifiant, trame.nomenclature) == ("autre", ("SIRET", "SIREN"), "M57")
    assert import_pseudo_parametrage(path, code="mien", nomenclature="M14", libelle="L").code == "mien"
    for row in [("libele", "x"), ("code", "encore"), ("modele", "../x.xlsx"), ("libelle", 3)]:
        sheet.append(row)
    workbook.save(path)
    assert [where for where, _ in errors(path)] == ["Trame!A5", "Trame!A6", "Trame!B7", "Trame!B8"]


def test_another_sheet_called_trame_is_left_alone(tmp_path) -> None:
    path = written(tmp_path, [["A_B", "", "1"]])
    workbook = load_workbook(path)
    workbook.create_sheet("Trame").append([1, 2])
    workbook.save(path)
    assert load_trame(path).code == "essai"


def test_code_made_of_the_name_of_the_file(tmp_path) -> None:
    path = written(tmp_path, [["A_B", "", "1"]], name="Épargne brute (v2).xlsx")
    assert load_trame(path).code == "Epargne_brute_v2"
    with pytest.raises(TrameError, match="code de trame"):
        import_pseudo_parametrage(path, code="../x")


def test_empty_first_sheet(tmp_path) -> None:
    assert load_trame(written(tmp_path, [])).codes == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "n'est pas un classeur Excel"),
        (b"code: essai", "n'est pas un classeur Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "mot de passe"),
    ],
)
def test_no_workbook(tmp_path, content, words) -> None:
    path = tmp_path / "essai.xlsx"
    path.write_bytes(content)
    with pytest.raises(TrameError, match=words):
        load_trame(path)


def test_truncated_workbook(tmp_path) -> None:
    path = written(tmp_path, [["A_B", "", "1"]])
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(TrameError, match="abîmé"):
        load_trame(path)


def rezipped(path: Path, change: dict[str, bytes]) -> Path:
    """The workbook with some parts replaced or added."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()} | change
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "name", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml", "[Content_Types].xml"]
)
def test_damaged_parts(tmp_path, name) -> None:
    path = rezipped(written(tmp_path, [["A_B", "", "1"]]), {name: b"<a><b>"})
    with pytest.raises(TrameError, match="abîmé"):
        load_trame(path)


def test_macros_are_refused(tmp_path) -> None:
    path = rezipped(written(tmp_path, [["A_B", "", "1"]]), {"xl/vbaProject.bin": b"x"})
    with pytest.raises(TrameError, match="macros"):
        load_trame(path)
    macro = tmp_path / "essai.xlsm"
    path.rename(macro)
    with pytest.raises(TrameError, match=r"\.xlsm"):
        import_pseudo_parametrage(macro)


def test_zip_bomb_is_refused_before_it_is_read(tmp_path) -> None:
    path = rezipped(written(tmp_path, [["A_B", "", "1"]]), {"xl/media/x.bin": b"\0" * (101 << 20)})
    assert path.stat().st_size < 1 << 20
    with pytest.raises(TrameError, match="trop gros"):
        load_trame(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("declared", ['e "aaaaaaaaaa"', 'e SYSTEM "file:///etc/hostname"'])
def test_entities_are_refused(tmp_path, encoding, declared) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY {declared}>]><x>&e;</x>'
    path = rezipped(written(tmp_path, [["A_B", "", "1"]]), {"xl/worksheets/sheet1.xml": text.encode(encoding)})
    with pytest.raises(TrameError, match="entités XML"):
        load_trame(path)


def test_wrong_dimension_record_cuts_nothing(tmp_path) -> None:
    path = written(tmp_path, [["A_B", "", "1"], ["A_C", "", "2"]])
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").replace(b'ref="A1:C3"', b'ref="A1"')
    assert load_trame(rezipped(path, {"xl/worksheets/sheet1.xml": sheet})).codes == ("A_B", "A_C")


def test_nothing_is_written_when_the_trame_is_wrong(tmp_path) -> None:
    path = tmp_path / "essai.xlsx"
    with pytest.raises(TrameError):
        export_pseudo_parametrage(Trame("essai", (Indicateur("A_B", formules=(Formule("C70"),)),)), path)
    long = Trame("essai", (Indicateur("A_B", description="x" * (MAX_CELL + 1)),))
    with pytest.raises(TrameError, match="D2"):
        export_pseudo_parametrage(long, path)
    with pytest.raises(WorkbenchError, match=r"\.csv"):
        export_pseudo_parametrage(Trame("essai", ()), tmp_path / "essai.csv")
    assert list(tmp_path.iterdir()) == []


def test_model_with_formules(tmp_path) -> None:
    trame = trame_from_formules({"A_B": "-C70[TA:BX]", "A_C": "A_B/$POP"})
    trame = trame.with_indicateur(Indicateur("A_B", "", trame["A_B"].formules, "=Ventes"))
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet["C1"] = "$libsiret"
    sheet["B9"], sheet["D9"], sheet["F9"] = " A_B ", "=1+1", "à remplacer"
    sheet["B10"], sheet["F10"] = "A_INCONNU", "à garder"
    workbook.create_sheet("Autre")["B2"] = "A_C"
    model = tmp_path / "modele.xlsx"
    workbook.save(model)
    before = model.read_bytes()
    result = load_workbook(export_model_with_formules(trame, model, tmp_path / "avec.xlsx"))
    assert model.read_bytes() == before
    first, other = result.worksheets
    assert (first["F9"].value, first["F9"].data_type, first["G9"].value, first["G9"].data_type) == (
        *("-C70[TA:BX]", "s"),
        *("=Ventes", "s"),
    )
    assert (first["D9"].value, first["D9"].data_type, first["C1"].value) == ("=1+1", "f", "$libsiret")
    assert (first["F10"].value, first["G10"].value) == ("à garder", None)
    assert other["F2"].value == "A_B/$POP"
    with pytest.raises(WorkbenchError) as caught:
        export_model_with_formules(trame, tmp_path / "rien.xlsx", tmp_path / "x.xlsx")
    assert caught.value.code == "modele_absent"


def test_archive(tmp_path) -> None:
    trame = trame_from_formules({"A_B": "-C70[TA:BX]"}, code="essai")
    model = tmp_path / "modele.xlsx"
    Workbook().save(model)
    with zipfile.ZipFile(export_archive(trame, model, tmp_path / "essai.zip")) as archive:
        assert sorted(archive.namelist()) == [
            *("essai_modele_et_formules.xlsx", "essai_pseudo_parametrage.xlsx", "modele.xlsx")
        ]
        archive.extract("essai_pseudo_parametrage.xlsx", tmp_path)
    assert load_trame(tmp_path / "essai_pseudo_parametrage.xlsx") == trame
    with zipfile.ZipFile(export_archive(trame, None, tmp_path / "essai.zip")) as archive:
        assert archive.namelist() == ["essai_pseudo_parametrage.xlsx"]


@pytest.mark.shared
def test_published_model(shared, tmp_path) -> None:
    folder = shared / "data" / "balances" / "reference"
    trame = load_trame(folder / "M14_basique_Pseudo_parametrage.xlsx")
    path = export_model_with_formules(trame, folder / "Modele_M14_basique.xlsx", tmp_path / "avec.xlsx")
    sheet = load_workbook(path)["Tableau unique"]
    shown = {sheet.cell(row, 2).value: sheet.cell(row, 6).value for row in range(10, 16)}
    assert shown == {code: trame[code].texte for code in shown}
    assert len(shown) == 6
