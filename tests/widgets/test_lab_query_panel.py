"""The query panel as an analyst meets it, in a real JupyterLab: nothing is written in SQL."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from browsers import CONTRASTS
from lab_server import Lab, LabPage

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]


def opened_panel(lab: Lab, base: str, *more: str, **size: Any) -> LabPage:
    page = lab.open(f"import workbench as wb\npanel = wb.query_panel({base!r})\npanel", *more, **size)
    page.run(0)
    expect(page.page.locator(".wb-panel").get_by_role("button", name="Exécuter")).to_be_visible()
    return page


def pick(page: Any, label: str, text: str, option: str | re.Pattern[str]) -> None:
    field = page.get_by_role("combobox", name=label)
    field.click()
    field.press_sequentially(text)
    page.locator(".wb-listbox:visible").get_by_role("option").filter(has_text=option).first.click()


def plain(text: str | None) -> str:
    return (text or "").replace("\u202f", " ").replace("\u00a0", " ")


def test_a_query_from_nothing_to_a_saved_one(lab: Lab, lab_base: str, tmp_path: Path) -> None:
    opened = opened_panel(lab, lab_base, "panel.dataframe.shape, panel.query.spec.dimensions")
    page, panel = opened.page, opened.page.locator(".wb-panel")
    count, sql = page.locator(".wb-count"), page.locator(".wb-sql").first
    expect(count).to_have_text("Ajoutez une mesure ou un regroupement.")
    opened.screenshot("panneau_vide")

    # Count and SQL follow each choice.
    pick(page, "Ajouter une mesure", "70", re.compile("^70"))
    expect(count).to_have_text("1 ligne")
    panel.locator(".wb-sql-box summary").click()
    expect(sql).to_contain_text("starts_with")
    panel.get_by_label("Regroupement", exact=True).select_option("departement")
    expect(count).to_have_text("6 lignes")
    expect(sql).to_contain_text("departement")
    panel.get_by_label("Regroupement", exact=True).select_option("exercice")
    expect(count).to_have_text("48 lignes")
    pick(page, "Départements", "haute", "Haute-Garonne")
    expect(count).to_have_text("8 lignes")
    expect(panel.locator(".wb-values")).to_contain_text("'031'")
    for year in ("2023", "2024"):
        panel.get_by_role("button", name=year, exact=True).click()
    expect(count).to_have_text("2 lignes")
    panel.get_by_label("Intitulé de C70", exact=True).fill("Ventes")
    page.keyboard.press("Tab")
    expect(panel.get_by_label("Intitulé de Ventes")).to_have_value("Ventes")
    opened.screenshot("panneau_construit")

    # Run, by the keyboard.
    page.keyboard.press("Control+Enter")
    rows = panel.locator(".wb-rows tbody tr")
    expect(rows).to_have_count(2)
    expect(panel.locator(".wb-result-title")).to_be_focused()
    expect(panel.locator(".wb-rows thead")).to_contain_text("Ventes")
    expect(rows.first).to_contain_text("Haute-Garonne")
    opened.screenshot("panneau_tableau")
    assert "((2, 4), ('departement', 'exercice'))" in opened.run(1).inner_text()

    # Files.
    with page.expect_download() as download:
        panel.get_by_role("button", name="Excel").click()
    download.value.save_as(tmp_path / "requete.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "requete.xlsx")["Résultat"]
    table = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert table[0] == ["departement", "departement_libelle", "exercice", "Ventes"]
    with page.expect_download() as download:
        panel.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "requete.csv")
    lines = (tmp_path / "requete.csv").read_text("utf-8-sig").splitlines()
    assert [line.split(";")[:3] for line in lines[1:]] == [["031", "Haute-Garonne", year] for year in ("2023", "2024")]
    assert float(lines[1].split(";")[3].replace(",", ".")) == table[1][3]

    # The chart.
    panel.get_by_role("tab", name="Graphique").click()
    expect(panel.locator(".wb-chart .main-svg").first).to_be_visible()
    expect(panel.get_by_role("img", name=re.compile("^Graphique : Ventes"))).to_be_visible()
    opened.screenshot("panneau_graphique")
    opened.theme("JupyterLab Dark")
    page.wait_for_timeout(900)
    opened.screenshot("panneau_sombre")
    assert page.evaluate(CONTRASTS, ".wb-panel") == []
    opened.theme("JupyterLab Light")
    page.wait_for_timeout(900)
    assert page.evaluate(CONTRASTS, ".wb-panel") == []

    # Saved, changed, and found again in another notebook.
    panel.get_by_role("button", name="Enregistrer…").click()
    panel.get_by_label("Nom", exact=True).fill("Ventes de Haute-Garonne")
    panel.get_by_label("Description", exact=True).fill("Pour le rapport")
    page.keyboard.press("Enter")
    expect(panel.locator(".wb-opened")).to_have_text("Ventes de Haute-Garonne")
    panel.get_by_role("button", name="Tous", exact=True).click()
    expect(panel.locator(".wb-opened")).to_contain_text("(modifiée)")
    expect(panel.get_by_text("La requête a changé depuis")).to_be_visible()

    other = opened_panel(lab, lab_base, width=760)
    page, panel = other.page, other.page.locator(".wb-panel")
    panel.get_by_role("button", name="Ouvrir…").click()
    expect(panel.get_by_text("Pour le rapport")).to_be_visible()
    other.screenshot("panneau_etroit")
    panel.get_by_role("button", name="Ouvrir : Ventes de Haute-Garonne").click()
    expect(panel.locator(".wb-count")).to_have_text("2 lignes")
    panel.get_by_role("button", name="Exécuter").click()
    expect(panel.locator(".wb-rows tbody tr")).to_have_count(2)
    other.screenshot("panneau_etroit_resultat", panel)
    for each in (opened, other):
        assert each.elsewhere == []
        assert each.complaints == []


HOSTILE = "<img src=x onerror=window.hacked=1>"
HEADER = (
    "EXER;IDENT;NDEPT;LBUDG;INSEE;CBUDG;CTYPE;NOMEN;SIREN;COMPTE;"
    "BEDEB;BECRE;OBNETDEB;OBNETCRE;ONBDEB;ONBCRE;OOBDEB;OOBCRE;SD;SC"
)


@pytest.fixture(scope="module")
def hostile_base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A base whose every label is markup, or the end of a statement."""
    import workbench as wb

    folder = tmp_path_factory.mktemp("hostile")
    rows = [
        f"2024;2131000{number}100011;031;{HOSTILE} '--{number};00{number};1;101;M57;2131000{number}1;"
        f"701;0;0;0;{number}5;0;0;0;0;0;{number}5"
        for number in (1, 2, 3)
    ]
    (folder / "balances.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    (folder / "comptes.csv").write_text(f"nomenclature;compte;libelle\nM57;701;{HOSTILE} ventes\n")
    (folder / "epci.csv").write_text(
        f"exercice;siren_epci;libelle_epci;siren_membre\n2024;200000172;{HOSTILE} groupe;213100011\n"
    )
    with wb.connect(folder / "base.duckdb", read_only=False) as base:
        wb.import_balances(base, folder / "balances.csv")
        wb.import_comptes(base, folder / "comptes.csv")
        wb.import_epci(base, folder / "epci.csv")
    return str(folder / "base.duckdb")


def test_hostile_labels_are_text_and_a_cut_result_says_so(lab: Lab, hostile_base: str) -> None:
    opened = opened_panel(lab, hostile_base)
    page, panel = opened.page, opened.page.locator(".wb-panel")
    pick(page, "Ajouter une mesure", "ventes", f"701 {HOSTILE} ventes")
    panel.get_by_label("Intitulé de C701", exact=True).fill(f"{HOSTILE} '; --")
    panel.get_by_label("Intitulé de C701", exact=True).press("Tab")
    panel.get_by_label("Regroupement", exact=True).select_option("collectivite")
    pick(page, "Collectivités", "213100011", HOSTILE)
    expect(panel.locator(".wb-chip").filter(has_text=HOSTILE)).to_have_count(1)
    expect(panel.locator(".wb-count")).to_have_text("1 ligne")
    panel.get_by_role("button", name=re.compile("^Retirer <img")).first.click()
    pick(page, "Membres d'un EPCI", "groupe", f"{HOSTILE} groupe")
    expect(panel.locator(".wb-count")).to_have_text("1 ligne")
    panel.get_by_role("button", name=f"Retirer {HOSTILE} groupe").click()
    expect(panel.locator(".wb-count")).to_have_text("3 lignes")

    panel.get_by_text("Comptes et fonctions lus, conditions, ordre et limites").click()
    panel.get_by_label("Lignes, au plus", exact=True).fill("2")
    panel.get_by_label("Lignes, au plus", exact=True).press("Enter")
    panel.get_by_role("button", name="Exécuter").click()
    expect(panel.locator(".wb-rows tbody tr")).to_have_count(2)
    expect(panel.get_by_text("Résultat tronqué : seules les 2 premières lignes sont données.")).to_be_visible()
    expect(panel.locator(".wb-rows tbody")).to_contain_text(f"{HOSTILE} '--1")
    expect(panel.locator(".wb-rows thead")).to_contain_text(f"{HOSTILE} '; --")

    # By a click on a heading, the last comes first.
    panel.locator(".wb-rows th button").last.click()
    expect(panel.locator(".wb-rows tbody tr").first).to_contain_text("'--3")
    opened.screenshot("panneau_hostile")

    # What is refused is a sentence.
    panel.get_by_label("Population, au moins").fill("beaucoup")
    panel.get_by_label("Population, au moins").press("Tab")
    expect(panel.get_by_role("alert")).to_contain_text("population")
    expect(panel.get_by_role("alert")).not_to_contain_text("Traceback")

    panel.get_by_role("tab", name="Graphique").click()
    expect(panel.locator(".wb-chart .main-svg").first).to_be_visible()
    expect(panel.locator(".wb-chart")).to_contain_text("<img")
    panel.get_by_role("button", name="Enregistrer…").click()
    panel.get_by_label("Nom", exact=True).fill(f"{HOSTILE} ../../x")
    page.keyboard.press("Enter")
    expect(panel.locator(".wb-opened")).to_have_text(f"{HOSTILE} ../../x")
    assert page.evaluate("window.hacked") is None
    assert panel.locator("img").count() == 0
    assert opened.elsewhere == []
    assert opened.complaints == []
