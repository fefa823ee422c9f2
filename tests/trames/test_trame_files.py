"""Trames in files: load, save, list, find."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trame_strategies import trames, unhurried

from workbench.errors import WorkbenchError
from workbench.trames import (
    Formule,
    Indicateur,
    Trame,
    TrameError,
    check_trame_file,
    find_trame,
    list_trames,
    load_trame,
    modele_path,
    save_trame,
    trame_from_formules,
)
from workbench.trames.reading import read_yaml
from workbench.trames.rewriting import updated_yaml
from workbench.trames.writing import trame_yaml

COMMENTED = """\
# La trame des comptes.
code: essai   # son nom
libelle: "Essai"

indicateurs:  # dans l'ordre
  # Fonctionnement
  - code: A_VENTES      # compte 70
    libelle: 'Ventes'
    # loi de 2016
    formules:
      # avant
      - texte: C70[TA:BX]   # brut
        jusqu_a: 2016
      # après
      - {texte: "C701[TA:BX]", depuis: 2017}

  # Ratios
  - libelle: Par habitant
    formule: >-
      A_VENTES
      /$POP
    code: A_PART
  - {code: A_ZERO}
# fin
"""


def essai(tmp_path: Path) -> Path:
    path = tmp_path / "essai.yaml"
    path.write_text(COMMENTED)
    return path


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@unhurried
@given(trames())
def test_yaml_round_trip(trame) -> None:
    read, problems = read_yaml(trame_yaml(trame), "autre")
    assert read == trame
    assert all(problem.severity == "warning" for problem in problems)


@unhurried
@given(trames(), trames(), st.randoms())
def test_rewriting_any_trame_as_any_other(before, after, random) -> None:
    mixed = [one for one in before.indicateurs if one.code not in after and not one.references]
    after = replace(after, indicateurs=(*mixed[:2], *after.indicateurs))
    text = trame_yaml(before)
    # a comment before each line that starts a key or an element, never inside a text on several lines
    commented = re.sub(r"^(?=(  - )?(code|libelle|formules?|indicateurs):)", "# remarque\n", text, flags=re.MULTILINE)
    if read_yaml(commented, "x")[0] == before:
        text = commented
    new = updated_yaml(text, before, after)
    assert read_yaml(new, "x")[0] == after
    assert updated_yaml(new, after, after) == new


def test_unchanged_file_is_not_touched(tmp_path) -> None:
    path = essai(tmp_path)
    os.utime(path, (1, 1))
    save_trame(load_trame(path), path)
    assert path.read_text() == COMMENTED
    assert path.stat().st_mtime == 1


def test_loaded_values(tmp_path) -> None:
    trame = load_trame(essai(tmp_path))
    assert trame["A_VENTES"] == Indicateur(
        "A_VENTES", "Ventes", (Formule("C70[TA:BX]", None, 2016), Formule("C701[TA:BX]", 2017, None))
    )
    assert trame["A_PART"] == Indicateur("A_PART", "Par habitant", (Formule("A_VENTES /$POP"),))
    assert trame["A_ZERO"] == Indicateur("A_ZERO")


def changed(tmp_path: Path, trame: Trame) -> tuple[list[str], list[str]]:
    path = essai(tmp_path)
    save_trame(trame, path)
    assert load_trame(path) == trame
    return lines_changed(COMMENTED, path.read_text())


def test_changing_a_text_changes_its_line_alone(tmp_path) -> None:
    trame = load_trame(essai(tmp_path))
    gone, new = changed(tmp_path, trame.with_indicateur(replace(trame["A_VENTES"], libelle="Ventes : total")))
    assert gone == ["    libelle: 'Ventes'"]
    assert new == ["    libelle: 'Ventes : total'"]


def test_changing_a_formule_keeps_its_comment(tmp_path) -> None:
    trame = load_trame(essai(tmp_path))
    first, second = trame["A_VENTES"].formules
    one = replace(trame["A_VENTES"], formules=(replace(first, texte="C70-D709[TA:BX]"), second))
    gone, new = changed(tmp_path, trame.with_indicateur(one))
    assert gone == ["      - texte: C70[TA:BX]   # brut"]
    assert new == ["      - texte: C70-D709[TA:BX]   # brut"]


def test_adding_a_formule_and_a_year(tmp_path) -> None:
    trame = load_trame(essai(tmp_path))
    first, second = trame["A_VENTES"].formules
    parts = (Formule("C7[TA:BX]", None, 2010), replace(first, exercice_min=2011), second)
    gone, new = changed(tmp_path, trame.with_indicateur(replace(trame["A_VENTES"], formules=parts)))
    assert gone == []
    assert new == ["      - texte: C7[TA:BX]", "        jusqu_a: 2010", "        depuis: 2011"]


def test_from_formules_to_formule_and_back(tmp_path) -> None:
    path = essai(tmp_path)
    trame = load_trame(path)
    single = trame.with_indicateur(replace(trame["A_VENTES"], formules=(Formule("C70[TA:BX]"),)))
    save_trame(single, path)
    text = path.read_text()
    assert "    # loi de 2016\n    formule: C70[TA:BX]\n" in text
    assert "formules:" not in text
    assert load_trame(path) == single
    save_trame(trame, path)
    assert load_trame(path) == trame
    assert "# Ratios" in path.read_text()


def test_moving_takes_the_comments_along(tmp_path) -> None:
    path = essai(tmp_path)
    trame = load_trame(path)
    save_trame(replace(trame, indicateurs=trame.indicateurs[::-1]), path)
    text = path.read_text()
    assert text.index("A_ZERO") < text.index("# Ratios") < text.index("Par habitant") < text.index("# Fonctionnement")
    assert text.endswith("# fin\n")
    assert text.count("#") == COMMENTED.count("#")
    assert load_trame(path).codes == ("A_ZERO", "A_PART", "A_VENTES")
    assert "  - code: A_VENTES      # compte 70\n    libelle: 'Ventes'\n    # loi de 2016\n    formules:\n" in text


def test_removing_takes_the_comments_above_away(tmp_path) -> None:
    path = essai(tmp_path)
    save_trame(load_trame(path).without_indicateur("A_PART"), path)
    text = path.read_text()
    assert "Ratios" not in text
    for kept in ("# Fonctionnement", "# brut", "# après", "# fin", "# dans l'ordre"):
        assert kept in text


def test_adding_at_the_end_and_in_the_head(tmp_path) -> None:
    trame = load_trame(essai(tmp_path))
    new_trame = replace(trame.with_indicateur(Indicateur("A_Z", "Z")), nomenclature="M14", description="un\n\ndeux")
    gone, new = changed(tmp_path, new_trame)
    assert gone == []
    assert new == ["description: |-", "  un", "  deux", "nomenclature: M14", "  - code: A_Z", "    libelle: Z"]


def test_emptying_and_filling(tmp_path) -> None:
    path = essai(tmp_path)
    trame = load_trame(path)
    save_trame(replace(trame, indicateurs=()), path)
    assert load_trame(path).codes == ()
    save_trame(trame, path)
    assert load_trame(path) == trame
    assert path.read_text().startswith("# La trame des comptes.\n")


def test_line_endings_and_byte_order_mark_stay(tmp_path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + COMMENTED.replace("\n", "\r\n").encode())
    trame = load_trame(path)
    save_trame(trame.with_indicateur(Indicateur("A_Z", "Z")), path)
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf#")
    assert content.count(b"\n") == content.count(b"\r\n")
    assert "A_Z" in load_trame(path)


def test_no_final_line_break(tmp_path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text("indicateurs:\n- code: A_B\n  formule: C70[TA:BX]")
    trame = load_trame(path)
    save_trame(trame.with_indicateur(Indicateur("A_C")), path)
    assert path.read_text() == "indicateurs:\n- code: A_B\n  formule: C70[TA:BX]\n- code: A_C"


def test_flow_layout_is_written_afresh_only_without_comments(tmp_path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text("{code: essai, indicateurs: [{code: A_B}]}")
    save_trame(Trame("essai", (Indicateur("A_C"),)), path)
    assert path.read_text() == "code: essai\nindicateurs:\n  - code: A_C\n"
    path.write_text("{code: essai, # le nom\n indicateurs: [{code: A_B}]}")
    before = path.read_text()
    with pytest.raises(WorkbenchError, match="commentaires"):
        save_trame(Trame("essai", (Indicateur("A_C"),)), path)
    assert path.read_text() == before


def test_wrong_trame_is_not_saved(tmp_path) -> None:
    path = essai(tmp_path)
    wrong = load_trame(path).with_indicateur(Indicateur("A_Z", formules=(Formule("C70"),)))
    with pytest.raises(TrameError, match="type d'appel"):
        save_trame(wrong, path)
    with pytest.raises(TrameError):
        save_trame(wrong, tmp_path / "neuf.yaml")
    assert [one.name for one in tmp_path.iterdir()] == ["essai.yaml"]
    assert path.read_text() == COMMENTED


def test_broken_file_is_never_overwritten(tmp_path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text("libele: x\n")
    with pytest.raises(TrameError, match="libele"):
        save_trame(Trame("essai", ()), path)
    assert path.read_text() == "libele: x\n"


def test_saving_is_atomic(tmp_path, monkeypatch) -> None:
    path = essai(tmp_path)
    trame = load_trame(path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WorkbenchError, match="le disque est plein") as caught:
        save_trame(replace(trame, libelle="Autre"), path)
    assert caught.value.code == "trame_ecriture"
    assert path.read_text() == COMMENTED
    assert [one.name for one in tmp_path.iterdir()] == ["essai.yaml"]


def test_saving_follows_links_and_keeps_rights(tmp_path) -> None:
    path = essai(tmp_path)
    path.chmod(0o640)
    link = tmp_path / "lien.yaml"
    link.symlink_to(path)
    save_trame(replace(load_trame(link), libelle="Autre"), link)
    assert link.is_symlink()
    assert load_trame(path).libelle == "Autre"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_saving_into_no_folder(tmp_path) -> None:
    with pytest.raises(WorkbenchError, match="le dossier n'existe pas"):
        save_trame(Trame("essai", ()), tmp_path / "rien" / "essai.yaml")


@pytest.mark.parametrize("name", ["essai.json", "essai", "essai.xls", "essai.xlsm"])
def test_other_kinds_of_files(tmp_path, name) -> None:
    (tmp_path / name).write_text("x")
    for action in (lambda: load_trame(tmp_path / name), lambda: save_trame(Trame("essai", ()), tmp_path / name)):
        with pytest.raises(WorkbenchError) as caught:
            action()
        assert caught.value.code == "trame_format"


def test_missing_file(tmp_path) -> None:
    for name in ("rien.yaml", "rien.xlsx"):
        with pytest.raises(WorkbenchError) as caught:
            load_trame(tmp_path / name)
        assert caught.value.code == "trame_fichier_absent"


def test_not_utf8_says_where(tmp_path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_bytes("code: essai\nlibelle: épargne\n".encode("latin-1"))
    with pytest.raises(TrameError) as caught:
        load_trame(path)
    assert (caught.value.errors[0].line, caught.value.errors[0].column) == (2, 10)
    assert "UTF-8" in str(caught.value)


def test_too_big(tmp_path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text("libelle: " + "x" * (1 << 20))
    with pytest.raises(TrameError, match="1 Mio"):
        load_trame(path)


def test_too_many_values(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("workbench.trames.yaml_nodes._MAX_NODES", 1000)
    path = tmp_path / "essai.yaml"
    path.write_text("types_identifiant: [" + "x," * 1500 + "]")
    with pytest.raises(TrameError, match="trop de valeurs"):
        load_trame(path)


def test_warnings_do_not_stop_loading(tmp_path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text(
        "indicateurs:\n  - code: 2A_B\n    formules:\n      - texte: C70[TA:BX]\n"
        "        depuis: 2015\n        jusqu_a: 2012\n  - code: A_C\n    formule: C70[TA:BX]-C70[TA:BR]\n"
    )
    assert load_trame(path).codes == ("2A_B", "A_C")
    problems = check_trame_file(path)
    assert [(one.severity, one.line) for one in problems] == [("warning", 2), ("warning", 5), ("warning", 8)]


def test_place_of_an_error_in_every_way_of_writing(tmp_path) -> None:
    path = tmp_path / "essai.yaml"
    for written, line, column in (
        ("  formule: C70[TA:BX]+A_Z", 3, 23),
        ("  formule:   'C70[TA:BX]+A_Z'", 3, 26),
        ('  formule: "C70[TA:BX]+A_Z"', 3, 24),
        ("  formule: >-\n    C70[TA:BX]\n\n    + A_Z", 6, 7),
        ("  formule: |\n    C70[TA:BX]\n    + A_Z", 5, 7),
        ("  formule: C70[TA:BX]\n    + A_Z", 4, 7),
        ("  formules: [{texte: '1'}, {depuis: 2012, texte: 'C70[TA:BX]+A_Z'}]", 3, 62),
        ("  formules:\n  - texte: C70[TA:BX]\n    depuis: 2012\n  - texte: \u00a0A_Z", 6, 13),
    ):
        path.write_text(f"indicateurs:\n- code: A_B\n{written}\n")
        with pytest.raises(TrameError) as caught:
            load_trame(path)
        assert [(one.line, one.column) for one in caught.value.errors] == [(line, column)], written


def test_example_of_the_reference(project) -> None:
    example = re.search(r"```yaml\n(.*?)```", (project / "docs" / "trames.md").read_text(), re.DOTALL)
    assert example is not None
    trame, problems = read_yaml(example[1], "x")
    assert problems == []
    assert trame is not None
    assert trame.code == "m14_basique"
    assert [len(one.formules) for one in trame.indicateurs] == [3, 1, 1]


def test_list_and_find(tmp_path) -> None:
    essai(tmp_path)
    (tmp_path / "autre.yml").write_text("libelle: Autre\nnomenclature: M57\nindicateurs: [{code: A_B}]")
    (tmp_path / "casse.yaml").write_text("libele: x")
    (tmp_path / "modele.xlsx").write_text("")
    (tmp_path / "sous.yaml").mkdir()
    summaries = list_trames(tmp_path)
    assert [one.path.name for one in summaries] == ["autre.yml", "casse.yaml", "essai.yaml"]
    assert [one.code for one in summaries] == ["autre", "casse", "essai"]
    assert [one.indicateurs for one in summaries] == [1, 0, 3]
    assert [len(one.errors) for one in summaries] == [0, 2, 0]
    assert str(summaries[0]) == "autre, Autre, M57, 1 indicateur"
    assert "libele" in str(summaries[1])
    assert find_trame("autre", tmp_path).nomenclature == "M57"
    with pytest.raises(TrameError, match="libele"):
        find_trame("casse", tmp_path)
    with pytest.raises(WorkbenchError, match="« essai »".replace(" ", "\u00a0")):
        find_trame("essais", tmp_path)
    (tmp_path / "copie.yaml").write_text(COMMENTED)
    with pytest.raises(TrameError, match=r"copie\.yaml"):
        find_trame("essai", tmp_path)
    with pytest.raises(WorkbenchError):
        list_trames(tmp_path / "rien")


def test_folder_of_the_settings(tmp_path, monkeypatch) -> None:
    essai(tmp_path)
    monkeypatch.setenv("WORKBENCH_TRAMES", str(tmp_path))
    assert [one.code for one in list_trames()] == ["essai"]
    assert find_trame("essai").code == "essai"


def test_modele_may_not_leave_the_folder(tmp_path) -> None:
    folder = tmp_path / "trames"
    folder.mkdir()
    (tmp_path / "secret.xlsx").write_text("")
    (folder / "lien.xlsx").symlink_to(tmp_path / "secret.xlsx")
    (folder / "modele.xlsx").write_text("")
    trame = trame_from_formules({"A_B": "1"})
    assert modele_path(trame, folder / "t.yaml") is None
    assert modele_path(replace(trame, modele="modele.xlsx"), folder / "t.yaml") == folder / "modele.xlsx"
    for outside in ("lien.xlsx", "../secret.xlsx"):
        with pytest.raises(TrameError, match="sort du dossier"):
            modele_path(replace(trame, modele=outside), folder / "t.yaml")
    with pytest.raises(WorkbenchError) as caught:
        modele_path(replace(trame, modele="rien.xlsx"), folder / "t.yaml")
    assert caught.value.code == "modele_absent"


def test_three_hundred_indicateurs_load_quickly(tmp_path) -> None:
    import time

    path = tmp_path / "grande.yaml"
    formules = {f"A_{n}": f"C{n}[TA:BX]-D{n}[TA:BX]" + (f"+A_{n - 1}" if n % 10 else "") for n in range(300)}
    save_trame(trame_from_formules(formules), path)
    start = time.process_time()
    load_trame(path)
    assert time.process_time() - start < 30


@unhurried
@given(trames(), st.data())
def test_one_changed_libelle_changes_one_line(trame, data) -> None:
    text = re.sub(r"^(  - code: .*)$", r"  # remarque\n\1  # fin de ligne", trame_yaml(trame), flags=re.MULTILINE)
    if not trame.codes or read_yaml(text, "x")[0] != trame:
        return
    one = trame[data.draw(st.sampled_from(trame.codes))]
    new = updated_yaml(text, trame, trame.with_indicateur(replace(one, libelle=one.libelle + " bis")))
    before, after = text.split("\n"), new.split("\n")
    where = next(rank for rank, line in enumerate(after) if rank >= len(before) or line != before[rank])
    kept = len(before) - where - (1 if one.libelle else 0)
    assert before[where + (1 if one.libelle else 0) :] == after[where + 1 :]
    assert len(after) == where + 1 + kept


def test_loaded_by_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_TRAMES", str(tmp_path / "partagees"))
    monkeypatch.setenv("WORKBENCH_TRAMES_PRIVEES", str(tmp_path / "privees"))
    for folder, code in (("partagees", "commune"), ("privees", "essai")):
        (tmp_path / folder).mkdir()
        save_trame(trame_from_formules({"A_B": "C70[TA:BX]"}, code=code), tmp_path / folder / f"{code}.yaml")
    assert load_trame("commune").code == "commune"
    assert load_trame("~/essai").code == "essai"
    for absent in ("essai", "~/commune"):
        with pytest.raises(WorkbenchError) as caught:
            load_trame(absent)
        assert caught.value.code == "trame_absente"
    with pytest.raises(WorkbenchError) as caught:
        load_trame("partagees/commune")
    assert caught.value.code == "trame_format"
