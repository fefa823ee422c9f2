"""Charts of accounts: imported on every engine or read from files, refused whole when a cell is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

import workbench as wb
from workbench.dgfip.bad_rows import BadRowsError
from workbench.dgfip.schema import plans
from workbench.errors import WorkbenchError
from workbench.plans import PlanComptes

TOTEM = (
    "annee;norme;declinaison;compte;parent;libelle;lib_court;DEquip;DR;DOES;DOIS;REquip;RR;ROES;ROIS;"
    "RegrTotalise;Supprime;SupprimeDepuis;PourEtatSeul\n"
    "2023;M57;M57_D;73;;Impôts;Impôts;;;;;;;;;1;;;\n"
    "2023;M57;M57_D;731;73;Fiscalité locale;Fisc.;0;;;;0;731;;;;;;\n"
    "2023;M57;M57_D;7318;731;Autres;Autres;0;;;;0;731;;;;1;2022-01-01;\n"
    "2023;M57;M57_A;73;;Impôts et taxes;Impôts;;;;;;;;;1;;;\n"
    "2023;M57;M57_A;739;73;Reversements;Rev.;0;014;;;0;;;;;;;\n"
)
FONCTIONS = (
    "annee;norme;declinaison;fonction;parent;libelle;lib_court\n"
    "2023;M57;M57_D;0;;Services;S\n2023;M57;M57_D;01;0;Non ventilé;N\n"
)
CHAPITRES = "annee;norme;declinaison;chapitre;libelle;section;type;special\n2023;M57;M57_D;731;Fiscalité;F;C;0\n"
SIMPLE = "compte,libelle\n7,Produits\n70,Ventes\n701,Ventes de produits\n75,Autres produits\n"


@pytest.fixture
def totem(tmp_path: Path) -> Path:
    folder = tmp_path / "plans"
    folder.mkdir()
    for name, text in (("plan", TOTEM), ("fonctions", FONCTIONS), ("chapitres", CHAPITRES)):
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def _looked_at(plan: PlanComptes) -> None:
    assert [each.numero for each in plan] == ["73", "731", "7318", "739"]
    # The largest variant gives the label.
    assert (plan["73"].libelle, plan["73"].variantes) == ("Impôts", ("M57_D", "M57_A"))
    assert dict(plan["731"].chapitres) == {"recette_reelle": "731"}
    assert plan["7318"].supprime
    assert [each.code for each in plan.chapitres] == ["731"]
    assert [(each.code, each.parent) for each in plan.fonctions] == [("0", ""), ("01", "0")]
    assert "LGPL" in plan.source


def test_a_chart_reads_the_same_from_a_base_and_from_its_files(engine_url: str, totem: Path) -> None:
    with wb.connect(engine_url, read_only=False) as base:
        report = wb.import_plan_comptes(base, totem)
        assert report.rows == 8
        assert report.exercices == (2023,)
        assert any("LGPL" in note for note in report.notes)
        plan = wb.plan_comptes("M57", 2023, base=base)
        _looked_at(plan)
        assert plan == wb.plan_comptes("M57", path=totem)
        assert base.fetch(select(plans.c.licence).distinct()).column(0).to_pylist()[0].startswith("Plans de comptes")
        # Twice is once.
        assert not wb.import_plan_comptes(base, totem).changed
        # A newer file replaces the charts that it carries, whole.
        (totem / "plan.csv").write_text(TOTEM.replace("Fiscalité locale", "Fiscalité"), encoding="utf-8")
        assert wb.import_plan_comptes(base, totem).rows == 5
        newer = wb.plan_comptes("M57", base=base)
        assert (len(newer), newer["731"].libelle) == (4, "Fiscalité")
        assert len(newer.chapitres) == 1
        # And the first file again is no longer current.
        (totem / "plan.csv").write_text(TOTEM, encoding="utf-8")
        assert wb.import_plan_comptes(base, totem).changed
        _looked_at(wb.plan_comptes("M57", base=base))


def test_tables_of_comptes_fonctions_chapitres(totem: Path) -> None:
    table = wb.comptes("M57", 2023, path=totem)
    assert list(table.index) == ["73", "731", "739"]
    assert table.loc["739", ["libelle", "parent", "niveau", "final", "variantes"]].tolist() == [
        "Reversements", "73", 2, True, "M57_A",
    ]  # fmt: skip
    assert table.loc["739", "chapitre_depense_reelle"] == "014"
    assert "7318" in wb.comptes("M57", path=totem, supprimes=True).index
    assert list(wb.comptes("M57", path=totem, variante="M57_A")["libelle"]) == ["Impôts et taxes", "Reversements"]
    assert wb.fonctions("M57", path=totem).loc["01", "parent"] == "0"
    assert wb.chapitres("M57", path=totem).loc["731", "section"] == "F"
    with pytest.raises(WorkbenchError) as error:
        wb.comptes("M57", path=totem, variante="M57_X")
    assert "M57_A, M57_D" in str(error.value)


def test_a_simple_csv_says_its_comptes_and_its_reader_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "plan.csv"
    path.write_text(SIMPLE, encoding="utf-8")
    with pytest.raises(WorkbenchError) as error:
        wb.plans_comptes(path=path)
    assert (error.value.code, error.value.details["colonne"]) == ("plan_sans_precision", "NOMENCLATURE")
    found = wb.plans_comptes(path=path, nomenclature="M57", exercices=range(2022, 2024))
    assert found.keys == (("M57", 2022), ("M57", 2023))
    plan = found.plan("M57")
    # A parent is the longest compte that a number starts with.
    assert [each.parent for each in plan] == ["", "7", "70", "7"]
    assert plan.source == "plan.csv"


@pytest.mark.parametrize(
    ("before", "after", "line", "column", "said"),
    [
        ("2023;M57;M57_D;731;73", "2023;M57;M57_D;73x;73", 3, "COMPTE", "en chiffres"),
        ("2023;M57;M57_D;731;73", "20x3;M57;M57_D;731;73", 3, "ANNEE", "année"),
        ("731;73;Fiscalité locale", "731;74;Fiscalité locale", 3, "PARENT", "parent"),
        ("731;73;Fiscalité locale", "731;73;  ", 3, "LIBELLE", "libellé"),
        ("2023;M57;M57_D;7318;731", "2023;M57;M57_D;731;73", 4, "COMPTE", "déjà donné à la ligne 3"),
        ("2023;M57;M57_D;731;73", "2023;M57;m57_D;731;73", 3, "DECLINAISON", "capitales"),
        ("2023;M57;M57_D;731;73", "2023;M57;M57_D;;731;73", 3, "", "19 colonnes attendues"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_imported(
    totem: Path, tmp_path: Path, before: str, after: str, line: int, column: str, said: str
) -> None:
    assert before in TOTEM
    (totem / "plan.csv").write_text(TOTEM.replace(before, after, 1), encoding="utf-8")
    with wb.connect(tmp_path / "base.duckdb", read_only=False) as base:
        with pytest.raises(BadRowsError) as error:
            wb.import_plan_comptes(base, totem)
        row = error.value.rows[0]
        assert (row.file, row.line, row.column) == ("plan.csv", line, column)
        assert said in row.advice
        assert base.snapshot == "00000001"
        assert base.fetch(select(plans)).num_rows == 0


def test_other_refusals(totem: Path, tmp_path: Path) -> None:
    (totem / "encore.csv").write_text(TOTEM, encoding="utf-8")
    (tmp_path / "vide").mkdir()
    (tmp_path / "autre.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    (tmp_path / "sans.csv").write_text(TOTEM.partition("\n")[0] + "\n", encoding="utf-8")
    with wb.connect(tmp_path / "base.duckdb", read_only=False) as base:
        for path, code in (
            (totem, "plan_double"),
            (tmp_path / "vide", "fichier_absent"),
            (tmp_path / "autre.csv", "colonnes_absentes"),
            (tmp_path / "sans.csv", "fichier_sans_ligne"),
        ):
            with pytest.raises(WorkbenchError) as error:
                wb.import_plan_comptes(base, path)
            assert error.value.code == code
        assert base.snapshot == "00000001"
        with pytest.raises(WorkbenchError) as error:
            wb.plan_comptes("M57", 2024, base=base)
        assert error.value.code == "plan_absent"


def test_a_base_of_before_has_no_chart(demonstration_base: str) -> None:
    with wb.connect(demonstration_base) as base:
        assert wb.plans_comptes(base).keys == ()


@pytest.mark.shared
def test_the_charts_of_totem(shared: Path) -> None:
    folder = shared / "data" / "plans_de_comptes"
    found = wb.plans_comptes(path=folder)
    assert found.exercices("M57") == tuple(range(2015, 2025))
    assert found.exercices("M4*") == tuple(range(2013, 2025))
    plan = found.plan("M57", 2024)
    assert plan["739211"].libelle == "Attribution de compensation"
    assert plan["7391113"].supprime
    assert plan.path("739211") == ("73", "739", "7392", "73921", "739211")
    assert {each.section for each in plan.chapitres} == {"F", "I"}
    assert {"M41", "M49"} <= set(found.nomenclatures)
