"""The demonstration goes in through the importers, whole, and every control passes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.dgfip import (
    Base,
    connect,
    controls,
    find_collectivites,
    import_balances,
    import_population,
    open_demonstration,
    perimetre,
    plan_comptes,
    select_budgets,
    sum_comptes,
)
from workbench.dgfip.demonstration import Demonstration, write_demonstration


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Demonstration:
    return write_demonstration(tmp_path_factory.mktemp("demonstration"), communes=15)


@pytest.fixture(scope="module")
def base(demonstration: Demonstration, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    with connect(str(tmp_path_factory.mktemp("base") / "demonstration.duckdb"), read_only=False) as base:
        report = import_balances(base, demonstration.balances)
        assert report.rows == demonstration.rows
        assert report.ignored_columns == ()
        import_population(base, demonstration.population)
        yield base


def test_every_control_passes(base: Base) -> None:
    report = controls(base)
    assert report.ok, str(report)
    made = {control.code for control in report if control.ok}
    assert {"balance_entree", "operations", "operations_ordre", "soldes_totaux", "soldes_lignes", "doublons"} <= made
    assert {"exercices_manquants", "population_absente", "balances_sans_collectivite"} <= made


def test_no_siret_has_a_valid_key(base: Base, demonstration: Demonstration) -> None:
    sirets = {one.siret(0) for one in demonstration.communes}
    assert controls(base)["siret_cle"].count >= len(sirets)


def test_perimetres_find_what_was_written(base: Base, demonstration: Demonstration) -> None:
    exercices = demonstration.exercices
    principals = select_budgets(base, perimetre(types=["101"]), exercices)
    assert principals.num_rows == 15 * 8
    assert select_budgets(base, perimetre(types=["410"]), exercices).num_rows > 0
    for nomenclature in ("M14", "M57", "M49"):
        assert select_budgets(base, perimetre(nomenclature=nomenclature), exercices).num_rows > 0
    m14 = select_budgets(base, perimetre(nomenclature="M14", types=["101"]), exercices).num_rows
    m57 = select_budgets(base, perimetre(nomenclature="M57", types=["101"]), exercices).num_rows
    assert m14 + m57 == 15 * 8
    one = demonstration.communes[3]
    there = select_budgets(base, perimetre(departements=[one.departement], population=(1, 300_000)), exercices)
    assert one.siret(0) in there.column("siret").to_pylist()


def test_sums_are_those_of_the_files(base: Base, demonstration: Demonstration) -> None:
    budgets = select_budgets(base, perimetre(sirens=[demonstration.communes[0].siren]), [2019])
    groups = budgets.select(["siret", "exercice"]).append_column("groupe", [[0] * budgets.num_rows])
    summed = sum_comptes(base, groups).to_pydict()
    totals = {name: sum(summed[name]) for name in summed if name.startswith(("debit", "credit"))}
    assert totals["debit_1"] == totals["credit_1"] > 0
    assert totals["debit_2"] + totals["debit_3"] == totals["credit_2"] + totals["credit_3"] > 0
    assert totals["debit_6"] == totals["credit_6"] > 0


def test_a_name_is_found_and_says_that_it_is_fiction(base: Base, demonstration: Demonstration) -> None:
    found = find_collectivites(base, demonstration.communes[1].libelle.split("-")[0].lower(), 10)
    assert len(found) > 0
    assert all(label.endswith("(fictive)") for label in found["libelle"])


def test_importing_again_changes_nothing(base: Base, demonstration: Demonstration) -> None:
    assert not import_balances(base, demonstration.balances).changed


def test_a_pattern_takes_all_balances_and_nothing_else(demonstration: Demonstration) -> None:
    folder = demonstration.notice.parent
    assert {Path(path).parent for path in (*demonstration.balances, demonstration.population)} == {folder}
    assert sorted(folder.glob("balances-*")) == sorted(demonstration.balances)


def test_a_demonstration_in_one_call_is_made_once_and_read_again(tmp_path: Path) -> None:
    with open_demonstration(tmp_path / "essai", communes=2) as base:
        snapshot, found = base.snapshot, find_collectivites(base, nomenclature="M57")
        assert len(found) == 2
        assert base.read_only
        assert "70311" in plan_comptes("M57", 2024, base=base)
    assert sorted(each.name for each in (tmp_path / "essai").iterdir()) == ["base.duckdb", "base.duckdb.d", "sources"]
    with open_demonstration(tmp_path / "essai", communes=9) as again:
        assert again.snapshot == snapshot
        assert find_collectivites(again, nomenclature="M57").equals(found)
