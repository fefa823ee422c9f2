"""Controls: each finds what was put there, and says it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from balance_files import SIRET, row, write_csv

from workbench.dgfip import (
    Base,
    ControlReport,
    connect,
    controls,
    import_balances,
    import_cci,
    import_comptes,
    import_plan_comptes,
    import_population,
    libelles_comptes,
)
from workbench.errors import WorkbenchError

BALANCED = [row("1", BEDEB=500), row("2", BECRE=500, OBNETDEB=7, OOBDEB=3), row("6", OBNETCRE=7, OOBCRE=3)]


@pytest.fixture
def base(engine_url: str) -> Iterator[Base]:
    with connect(engine_url, read_only=False) as opened:
        yield opened


def controlled(base: Base, tmp_path: Path, rows: list[dict[str, Any]]) -> ControlReport:
    report = import_balances(base, write_csv(tmp_path / "x.csv", rows)).controls
    assert report is not None
    return report


def failed(report: ControlReport) -> dict[str, int]:
    return {each.code: each.count for each in report if each.ok is False and each.code != "population_absente"}


def test_a_sound_balance_passes(base: Base, tmp_path: Path) -> None:
    report = controlled(base, tmp_path, BALANCED)
    assert failed(report) == {}
    assert report["comptes_inconnus"].ok is None
    assert report["siret_cle"].count == 0
    assert "✓ Les balances d'entrée s'équilibrent" in str(report)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("1", BEDEB=1)], {"balance_entree": 1, "soldes_totaux": 1}),
        ([row("1", OBNETDEB=1), row("2", ONBCRE=1)], {}),
        ([row("1", OBNETDEB=1)], {"operations": 1, "soldes_totaux": 1}),
        ([row("1", OOBDEB=1)], {"operations_ordre": 1}),
        ([row("1", SD=5), row("2", SC=5)], {"soldes_lignes": 2}),
        ([row("1", SD=5, SC=5)], {"soldes_cotes": 1}),
        ([row("1"), row("1"), row("1", FONCTION="01"), row("1", BAL="PRO")], {"doublons": 1, "etats_mixtes": 1}),
        ([row(""), row("1")], {"comptes_absents": 1}),
        ([row(exercice=2015), row(exercice=2019), row(exercice=2020)], {"exercices_manquants": 1}),
        ([row("1"), row("2", LBUDG="AUTRE NOM")], {"collectivites_doubles": 1}),
        ([row(siret="213300635")], {"siret_malforme": 1}),
    ],
)
def test_each_control_finds_its_case(
    base: Base, tmp_path: Path, rows: list[dict[str, Any]], expected: dict[str, int]
) -> None:
    assert failed(controlled(base, tmp_path, rows)) == expected


def test_details_are_in_euros(base: Base, tmp_path: Path) -> None:
    report = controlled(base, tmp_path, [row("1", BEDEB=150)])
    assert report["balance_entree"].details.to_dict("records") == [
        {"siret": SIRET, "exercice": 2019, "debits": 1.5, "credits": 0.0, "ecart": 1.5}
    ]
    assert list(report.to_frame().columns) == ["code", "controle", "conforme", "nombre", "explication"]
    assert not report.ok
    page = report._repr_html_()
    assert "<caption>Contrôles" in page
    assert SIRET in page


def test_an_import_is_controlled_alone(base: Base, tmp_path: Path) -> None:
    controlled(base, tmp_path, [row("1", BEDEB=1)])
    assert failed(controlled(base, tmp_path, [row("1", "21310555400017"), row("2", "21310555400017")])) == {}
    assert failed(controls(base)) == {"balance_entree": 1, "soldes_totaux": 1}


def test_annulations_count_on_the_other_side(base: Base, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(
        "exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp\n"
        f"2011,{SIRET},,60,2,10,0,D\n2011,{SIRET},,60,7,0,4,D\n2011,{SIRET},,512,3,0,5,D\n2011,{SIRET},,471,4,0,1,D\n"
        "2012,21310555400017,,9,4,1,1,D\n"
    )
    (tmp_path / "c.csv").write_text(f"exer,ident,lbudg,cnome,mpoid\n2011,{SIRET},X,M14,-3\n2013,{SIRET},X,M14,5\n")
    (tmp_path / "p.csv").write_text("comptes,libelles\n60,Achats\n512,Compte au Trésor\n471,Recettes à classer\n")
    report = import_cci(base, tmp_path / "e.csv", tmp_path / "c.csv", tmp_path / "p.csv").controls
    assert report is not None
    assert failed(report) == {
        "balances_sans_collectivite": 1,
        "collectivites_sans_balance": 1,
        "population_negative": 1,
    }
    assert report["soldes_totaux"].ok is report["soldes_lignes"].ok is None
    assert report["comptes_inconnus"].ok


def test_unknown_comptes(base: Base, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(
        f"exercice,ident,comptes,cptop,cptdeb,cptcre,dp\n2011,{SIRET},60,2,0,0,D\n2011,{SIRET},9999,2,0,0,D\n"
    )
    (tmp_path / "c.csv").write_text(f"exer,ident,lbudg,cnome\n2011,{SIRET},X,M14\n")
    (tmp_path / "p.csv").write_text("comptes,libelles\n60,Achats\n")
    report = import_cci(base, tmp_path / "e.csv", tmp_path / "c.csv", tmp_path / "p.csv").controls
    assert report is not None
    assert failed(report) == {"comptes_inconnus": 1}
    assert report["comptes_inconnus"].details.to_dict("records") == [
        {"nomenclature": "M14", "compte": "9999", "lignes": 1}
    ]


def test_an_imported_chart_tells_unknown_comptes_and_names_the_others(base: Base, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(
        "exercice,ident,comptes,cptop,cptdeb,cptcre,dp\n"
        + "".join(f"{year},{SIRET},{compte},2,0,0,D\n" for year in (2023, 2024, 2025) for compte in ("60", "9999"))
    )
    (tmp_path / "c.csv").write_text(
        "exer,ident,lbudg,cnome\n" + "".join(f"{year},{SIRET},X,M57A\n" for year in (2023, 2024, 2025))
    )
    (tmp_path / "plan.csv").write_text("compte;libelle\n6;Charges\n60;Achats\n", encoding="utf-8")
    import_cci(base, tmp_path / "e.csv", tmp_path / "c.csv")
    assert controls(base)["comptes_inconnus"].ok is None
    import_plan_comptes(base, tmp_path / "plan.csv", nomenclature="M57", exercices=[2023, 2024])
    found = controls(base)["comptes_inconnus"]
    assert (found.ok, found.count) == (False, 1)
    assert found.details.to_dict("records") == [{"nomenclature": "M57A", "compte": "9999", "lignes": 2}]
    assert "non vérifiées : M57A en 2025" in found.explanation
    assert libelles_comptes(base, "M57") == {"6": "Charges", "60": "Achats"}
    (tmp_path / "p.csv").write_text("comptes,libelles\n60,60 - Achats et variations\n")
    import_comptes(base, tmp_path / "p.csv")
    assert libelles_comptes(base, "M57") == {"6": "Charges", "60": "Achats et variations"}
    assert libelles_comptes(base) == {"6": "Charges", "60": "Achats et variations"}


def test_a_wrong_check_digit_is_information(base: Base, tmp_path: Path) -> None:
    report = controlled(base, tmp_path, [row(siret="21330063500018")])
    assert report["siret_cle"].count == 1
    assert report["siret_cle"].ok


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("siren;population\n213300635;-5\n", "ligne 2, colonne POPULATION : « -5 »"),
        ("siren;population\n213300635;\n", "ligne 2, colonne POPULATION"),
        ("siren;population\n2133;5\n21330063X5;5\n", "ligne 3, colonne SIREN : « 21330063X5 »"),
        ("code_commune;population;exercice\n33063;5;20l9\n", "colonne EXERCICE : « 20l9 »"),
        ("siren;population\n213300635;5\n213300635;6\n", "deux populations à 213300635"),
        ("nom;population\nBordeaux;5\n", "SIREN, SIRET ou CODE_COMMUNE"),
        ("siren;habitants\n213300635;5\n", "il y manque POPULATION"),
        ("siren;population\n", "aucune ligne"),
    ],
)
def test_bad_populations(base: Base, tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "p.csv").write_text(content)
    with pytest.raises(WorkbenchError) as error:
        import_population(base, tmp_path / "p.csv")
    assert said in str(error.value)
    assert base.snapshot == "00000001"


def test_a_newer_population_replaces(base: Base, tmp_path: Path) -> None:
    import_balances(base, write_csv(tmp_path / "x.csv", [row()]))
    for number in (5, 6):
        (tmp_path / "p.csv").write_text(f"siren,population,exercice\n213300635,{number},2019\n")
        assert import_population(base, tmp_path / "p.csv").rows == 1
    assert controls(base)["population_absente"].count == 0
    assert not import_population(base, tmp_path / "p.csv").changed
    from workbench.dgfip import perimetre, select_budgets

    assert select_budgets(base, perimetre()).column("population").to_pylist() == [6]
