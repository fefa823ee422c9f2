"""The editors in a real JupyterLab: what an analyst types, sees and takes away."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from browsers import CONTRASTS
from lab_server import Lab, LabPage
from openpyxl import load_workbook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

OPEN = """
import os
os.environ["WORKBENCH_TRAMES"] = {trames!r}
import workbench as wb
base = wb.connect({base!r})
"""


@pytest.fixture
def start(demonstration_base: str, tmp_path: Path, project: Path) -> tuple[str, Path]:
    """The first lines of a notebook, and the folder of its trames."""
    folder = tmp_path / "trames"
    folder.mkdir()
    shutil.copy(project / "trames" / "ofgl_agregats_m57.yaml", folder)
    return OPEN.format(trames=str(folder), base=demonstration_base), folder


def expect(locator: Any) -> Any:
    from playwright.sync_api import expect as expected

    return expected(locator)


def code_of(output: Any) -> Any:
    return output.locator(".wb-editor .cm-content")


def accept(page: LabPage, code: Any, text: str) -> None:
    """Take the first proposal: CodeMirror hears no Enter in the moment that follows the display of proposals."""
    expect(page.page.locator(".wb-floating .cm-tooltip-autocomplete li[aria-selected='true']")).to_be_visible()
    for _ in range(50):
        page.page.wait_for_timeout(100)
        page.page.keyboard.press("Enter")
        if code.text_content() == text:
            break
    expect(code).to_have_text(text)


def settled(page: LabPage) -> None:
    """Nothing was asked of elsewhere, nothing went wrong, and every text can be read."""
    assert page.elsewhere == []
    assert page.complaints == []
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.theme(theme)
        assert page.page.evaluate(CONTRASTS, ".wb-editor") == []
    assert page.page.evaluate(
        "() => [...document.querySelectorAll('.wb-editor')].every((each) => each.scrollWidth <= each.clientWidth + 1)"
    )


def test_a_mistake_is_mended_from_its_hint(lab: Lab, start: tuple[str, Path], demonstration_siret: str) -> None:
    page = lab.open(
        f"{start[0]}\nsirets = ['{demonstration_siret}']\n"
        "editor = wb.formule_editor(base=base, nomenclature='M57', sirets=sirets)\neditor",
        "print(editor.formule, editor.right)",
    )
    output = page.run(0)
    code_of(output).click()
    page.page.keyboard.type("C70-D709[TA:BZ")
    page.page.keyboard.press("Escape")
    expect(output.locator(".wb-state")).to_have_text("✗ 1 erreur")
    marked = output.locator(".cm-lintRange-error")
    expect(marked).to_have_text("[TA:BZ]")
    marked.hover()
    tip = page.page.locator(".wb-floating .cm-tooltip-lint")
    expect(tip).to_contain_text("BZ")
    expect(tip.get_by_role("button", name="Écrire [TA:BR]")).to_be_visible()
    page.screenshot("formule_wrong")
    problem = output.locator(".wb-problems li")
    expect(problem).to_contain_text("Erreur")
    problem.get_by_role("button", name="Écrire [TA:BR]").click()
    expect(code_of(output)).to_have_text("C70-D709[TA:BR]")
    expect(output.locator(".wb-state")).to_have_text("✓ Formule correcte")
    expect(output.locator(".wb-drawing svg")).to_contain_text("D709 [BR]")
    figures = output.locator(".wb-values .wb-figure")
    expect(figures.last).to_contain_text("€")
    expect(output.locator(".wb-why h4")).to_contain_text("2024 :")
    before = figures.first.text_content()
    code_of(output).press("End")
    page.page.keyboard.type("*0")
    expect(figures.first).to_have_text(re.compile(r"^0,00.€$"))
    assert before != figures.first.text_content()
    figures.first.click()
    expect(output.locator(".wb-why h4")).not_to_contain_text("2024 :")
    page.screenshot("formule_right")
    assert "C70-D709[TA:BR]*0 True" in page.run(1).text_content()
    settled(page)


@pytest.mark.slow
def test_comptes_are_completed_and_the_keyboard_is_enough(lab: Lab, start: tuple[str, Path]) -> None:
    page = lab.open(
        f"{start[0]}\ntrame = wb.load_trame({str(start[1] / 'ofgl_agregats_m57.yaml')!r})\n"
        "editor = wb.formule_editor(trame=trame, base=base)\neditor",
        "print(repr(editor.formule))",
        width=760,
    )
    output = page.run(0)
    press = page.page.keyboard.press
    code_of(output).focus()
    page.page.keyboard.type("C731")
    options = page.page.locator(".wb-floating .cm-tooltip-autocomplete li")
    expect(options.first).to_be_visible()
    page.screenshot("formule_completion")
    label = options.first.locator(".cm-completionLabel").text_content()
    assert options.first.locator(".cm-completionDetail").text_content()
    accept(page, code_of(output), str(label))
    page.page.keyboard.type("[TA:B")
    expect(options.first).to_contain_text("[TA:BX]")
    accept(page, code_of(output), f"{label}[TA:BX]")
    # A mistake, then the Tab key to its button: no mouse.
    page.page.keyboard.type("/OFGL_RECETES")
    press("Escape")
    fix = output.locator(".wb-problems .wb-small").first
    expect(fix).to_be_visible()
    for _ in range(8):
        press("Tab")
        if fix.evaluate("(node) => node === document.activeElement"):
            break
    press("Enter")
    expect(output.locator(".wb-state")).to_contain_text("Formule correcte")
    expect(output.locator(".cm-content")).to_be_focused()
    press("Control+z")
    expect(code_of(output)).to_have_text(f"{label}[TA:BX]/OFGL_RECETES")
    page.screenshot("formule_narrow")
    settled(page)


def test_a_trame_of_three_indicateurs(
    lab: Lab, start: tuple[str, Path], demonstration_siret: str, tmp_path: Path
) -> None:
    opening, folder = start
    page = lab.open(
        f"{opening}\neditor = wb.trame_editor(base=base, sirets=['{demonstration_siret}'])\neditor",
        f"essai = wb.load_trame({str(folder / 'essai.yaml')!r})\n"
        f"wb.evaluate(essai, base, sirets='{demonstration_siret}', exercices=2024)",
        "wb.catalogue().search('A_PART')",
        height=1400,
    )
    output = page.run(0)
    expect(output.locator(".wb-found")).to_contain_text("ofgl_agregats_m57")
    making = output.get_by_role("region", name="Créer une trame")
    making.get_by_label("Code").fill("essai")
    making.get_by_label("Libellé").fill("Trame d'essai")
    page.screenshot("trame_choose")
    making.get_by_role("button", name="Créer").click()
    adding = output.locator(".wb-add")
    for code, formule in (("A_VENTES", "C70-D709[TA:BR"), ("A_IMPOTS", "C73-D739[TA:BR"), ("A_PART", "A_VENTES/$POP")):
        adding.get_by_label("Code").fill(code)
        adding.get_by_label("Code").press("Enter")
        expect(output.locator(".wb-code-name")).to_have_text(code)
        # The formule is what one writes next: the caret is there.
        expect(code_of(output)).to_be_focused()
        page.page.keyboard.type(formule)
        page.page.keyboard.press("Escape")
        expect(output.locator(".wb-state")).to_have_text("✓ Formule correcte")
    expect(output.locator(".wb-values .wb-figure").last).to_contain_text("€")
    page.screenshot("trame_edit")
    output.get_by_role("button", name="Renommer", exact=True).click()
    output.get_by_label("Nouveau code").first.fill("A_PAR_HABITANT")
    page.page.keyboard.press("Enter")
    expect(output.locator(".wb-code-name")).to_have_text("A_PAR_HABITANT")
    output.get_by_role("button", name="Annuler", exact=True).click()
    expect(output.locator(".wb-list")).to_contain_text("A_PART")
    output.locator(".wb-list button", has_text="A_VENTES").click()
    expect(output.locator(".wb-detail > .wb-hint")).to_have_text("Cité par : A_PART")
    output.get_by_role("button", name="Supprimer", exact=True).click()
    expect(output.locator(".wb-notice[data-kind='erreur']")).to_contain_text("A_PART")
    output.get_by_role("button", name="Enregistrer…").click()
    expect(output.get_by_role("row", name=re.compile("A_PART"))).to_contain_text("A_VENTES/$POP")
    page.screenshot("trame_changes")
    output.get_by_role("button", name="Enregistrer dans essai.yaml").click()
    expect(output.locator(".wb-chip")).to_have_text("Enregistrée")
    assert "A_VENTES/$POP" in (folder / "essai.yaml").read_text(encoding="utf-8")
    output.get_by_role("tab", name="Tableau").click()
    expect(output.get_by_role("row", name=re.compile("A_IMPOTS"))).to_contain_text("€")
    output.get_by_role("tab", name="La trame").click()
    with page.page.expect_download() as waiting:
        output.get_by_role("button", name="Pseudo-paramétrage (Excel)").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    rows = {row[0]: row[2] for row in load_workbook(path).worksheets[0].iter_rows(values_only=True)}
    assert rows["A_PART"] == "A_VENTES/$POP"
    assert "A_IMPOTS" in page.run(1).text_content()
    assert "essai" in page.run(2).text_content()
    settled(page)
    output.get_by_role("button", name="Fermer").click()
    output.get_by_label("Chercher").fill("A_PART")
    output.locator(".wb-found button", has_text="dans essai").click()
    expect(output.locator(".wb-code-name")).to_have_text("A_PART")


@pytest.mark.slow
def test_another_editor_of_the_same_file_is_noticed(lab: Lab, start: tuple[str, Path]) -> None:
    opening, folder = start
    (folder / "commune.yaml").write_text(
        "code: commune\nnomenclature: M57\nindicateurs:\n  - code: A_B\n    formule: C70[TA:BR]\n", encoding="utf-8"
    )
    page = lab.open(
        f"{opening}\neditor = wb.trame_editor('commune', base)\neditor",
        "other = wb.edit_trame('commune')\nother.edit('A_B', libelle='Vu ailleurs')\nother.save()",
        width=700,
    )
    output = page.run(0)
    expect(code_of(output)).to_have_text("C70[TA:BR]")
    code_of(output).click()
    page.page.keyboard.press("End")
    page.page.keyboard.type("*2")
    expect(output.locator(".wb-chip")).to_contain_text("Modifiée")
    page.run(1)
    output.get_by_role("button", name="Enregistrer…").click()
    output.get_by_role("button", name="Enregistrer dans commune.yaml").click()
    expect(output.locator(".wb-editing > .wb-notice")).to_contain_text("Rien n'a été écrit")
    page.screenshot("trame_conflict")
    assert "*2" not in (folder / "commune.yaml").read_text(encoding="utf-8")
    output.get_by_role("button", name="Garder ma version").click()
    expect(output.locator(".wb-panel-changes")).to_contain_text("Vu ailleurs")
    settled(page)
