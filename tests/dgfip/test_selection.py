"""Which budgets a perimetre takes, and how people may write it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from balance_files import row, write_csv
from sqlalchemy import select

from workbench.dgfip import (
    Base,
    Perimetre,
    base_info,
    connect,
    find_collectivites,
    import_balances,
    import_population,
    perimetre,
    prune_snapshots,
    select_budgets,
    snapshots,
    sum_comptes,
)
from workbench.dgfip.identifiers import list_identifiers
from workbench.dgfip.schema import balances
from workbench.dgfip.selection import BUDGETS
from workbench.errors import WorkbenchError

VILLE, EAU, OPERA, AUTRE = "21330063500017", "21330063500025", "26330000100015", "21310555400017"
BASE_TERRE = "21970105900017"


@pytest.fixture(scope="module")
def url(new_url: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("selection")
    rows = [row(str(compte), VILLE, year, OBNETDEB=year) for year in (2018, 2019, 2020) for compte in (60, 611)]
    rows += [
        row("60", EAU, 2019, LBUDG="RÉGIE DE L'EAU", NOMEN="M49A", CBUDG="3", CTYPE="410"),
        row("60", AUTRE, 2019, LBUDG="SAINT-ÉTIENNE-DU-BOIS", NDEPT="031", INSEE="555", NOMEN="M14A"),
        row("60", AUTRE, 2020, LBUDG="Saint-Étienne du Bois", NDEPT="031", INSEE="555", NOMEN="M57"),
        row("60", OPERA, 2020, LBUDG="OPERA", CTYPE="433", FINESS="330000001"),
        row("60", BASE_TERRE, 2020, LBUDG="BASSE-TERRE", NDEPT="101", INSEE="105", BAL="PRO"),
        row(None, BASE_TERRE, 2020, LBUDG="BASSE-TERRE", NDEPT="101", INSEE="105", BECRE=100),  # type: ignore[arg-type]
    ]
    address = new_url()
    with connect(address, read_only=False) as base:
        import_balances(base, write_csv(folder / "x.csv", rows))
        (folder / "p1.csv").write_text(
            "Code_commune,Exercice,PTOT\n33063,2018,900\n33063,2019,1000\n31555,,500\n97105,,7\n"
        )
        (folder / "p2.csv").write_text("siret;annee;population\n21330063500017;2020;1100\n")
        for name in ("p1.csv", "p2.csv"):
            import_population(base, folder / name)
    return address


@pytest.fixture
def base(url: str) -> Iterator[Base]:
    with connect(url) as opened:
        yield opened


def pairs(budgets: pa.Table) -> list[tuple[int, str]]:
    return list(zip(budgets.column("exercice").to_pylist(), budgets.column("siret").to_pylist(), strict=True))


def test_everything_is_sorted_and_typed(base: Base) -> None:
    budgets = select_budgets(base, perimetre())
    assert budgets.schema == BUDGETS
    assert pairs(budgets) == sorted(pairs(budgets))
    assert len(budgets) == 8
    etats = dict(zip(pairs(budgets), budgets.column("etat").to_pylist(), strict=True))
    assert etats[2020, BASE_TERRE] == "M"
    assert set(etats.values()) == {"D", "M"}


@pytest.mark.parametrize(
    ("criteria", "exercices", "expected"),
    [
        ({"sirets": "2133 0063 5000 17"}, range(2018, 2020), [(2018, VILLE), (2019, VILLE)]),
        ({"sirets": [21330063500017]}, 2020, [(2020, VILLE)]),
        ({"sirens": "213 300 635"}, [2019], [(2019, VILLE), (2019, EAU)]),
        ({"finess": "330000001"}, None, [(2020, OPERA)]),
        ({"finess": "330000001", "sirets": EAU}, None, [(2019, EAU), (2020, OPERA)]),
        ({"sirets": ["99999999999999"]}, None, []),
        ({"sirets": []}, None, []),
        ({"nomenclature": " m14 "}, [2019], [(2019, AUTRE), (2019, VILLE)]),
        ({"nomenclature": "M14"}, 2020, [(2020, OPERA), (2020, VILLE), (2020, BASE_TERRE)]),
        ({"nomenclature": "M49"}, None, [(2019, EAU)]),
        ({"nomenclature": "M57"}, None, [(2020, AUTRE)]),
        ({"nomenclature": "m14 + m57", "sirets": AUTRE}, None, [(2019, AUTRE), (2020, AUTRE)]),
        ({"nomenclature": "M4*"}, None, [(2019, EAU)]),
        ({"nomenclature": "M57+M4*"}, None, [(2019, EAU), (2020, AUTRE)]),
        ({"nomenclature": "M_4*+%*"}, None, []),
        ({"departements": 31}, None, [(2019, AUTRE), (2020, AUTRE)]),
        ({"departements": ["971"]}, None, [(2020, BASE_TERRE)]),
        ({"types": [410, "433"]}, None, [(2019, EAU), (2020, OPERA)]),
        ({"departements": "33", "types": 101}, [2019], [(2019, VILLE)]),
        ({"population": (1000, 1100)}, None, [(2019, VILLE), (2019, EAU), (2020, VILLE)]),
        ({"population": (0, 900)}, None, [(2018, VILLE), (2019, AUTRE), (2020, AUTRE), (2020, BASE_TERRE)]),
        ({"population": (1001, None)}, None, [(2020, VILLE)]),
        ({"population": (0, None), "types": "433"}, None, [(2020, OPERA)]),
        ({"sirets": [VILLE, EAU, AUTRE], "nomenclature": "M14"}, [2019], [(2019, AUTRE), (2019, VILLE)]),
    ],
)  # fmt: skip
def test_criteria(base: Base, criteria: dict[str, object], exercices: object, expected: list[tuple[int, str]]) -> None:
    budgets = select_budgets(base, perimetre(**criteria), exercices)  # type: ignore[arg-type]
    assert pairs(budgets) == sorted(expected)


def test_populations_by_commune_reach_its_budgets_alone(base: Base) -> None:
    budgets = select_budgets(base, perimetre())
    known = dict(zip(pairs(budgets), budgets.column("population").to_pylist(), strict=True))
    assert known == {
        (2018, VILLE): 900,
        (2019, VILLE): 1000,
        (2019, EAU): 1000,
        (2019, AUTRE): 500,
        (2020, AUTRE): 500,
        (2020, VILLE): 1100,
        (2020, OPERA): None,
        (2020, BASE_TERRE): 7,
    }


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        ({"sirets": "213300635"}, "sirens=[…]"),
        ({"sirets": "2133006350001"}, "celui-ci en a 13"),
        ({"sirets": "2133006350001'"}, "14 caractères"),
        ({"sirens": "21330063500017"}, "sirets=[…]"),
        ({"finess": "33"}, "celui-ci en a 2"),
        ({"departements": "099"}, "031, 31 ou 02A"),
        ({"types": "commune"}, "trois chiffres"),
        ({"population": (5000, 1000)}, "croissantes"),
        ({"population": (-1, 1000)}, "croissantes"),
        ({"population": (1000,)}, "deux bornes"),
    ],
)
def test_what_cannot_be_a_criterion(criteria: dict[str, object], said: str) -> None:
    with pytest.raises(WorkbenchError) as error:
        perimetre(**criteria)  # type: ignore[arg-type]
    assert said in str(error.value)


def test_a_perimetre_says_itself_and_travels() -> None:
    wanted = perimetre(departements=[31, "2A"], types="101", population=(0, 5000), nomenclature="M14")
    assert str(wanted) == "nomenclature M14, departements 031, 02A, types 101, population ∞, 5000"
    assert pickle.loads(pickle.dumps(wanted)) == wanted  # noqa: S301
    assert hash(wanted) == hash(Perimetre(None, None, None, "M14", ("031", "02A"), ("101",), (None, 5000)))
    assert str(perimetre()) == "tous les budgets"


def test_groups_add_up(base: Base) -> None:
    groups = pa.table(
        {"siret": [VILLE, VILLE, EAU, BASE_TERRE], "exercice": [2018, 2019, 2019, 2020], "groupe": [2, 1, 1, 1]}
    )
    summed = sum_comptes(base, groups)
    keys = ("groupe", "exercice", "compte", "debit_2", "credit_1")
    assert [tuple(each[key] for key in keys) for each in summed.to_pylist()] == [
        (1, 2019, "60", 2019, 0),
        (1, 2019, "611", 2019, 0),
        (1, 2020, "60", 0, 0),
        (2, 2018, "60", 2018, 0),
        (2, 2018, "611", 2018, 0),
    ]
    assert {field.type for field in summed.schema} == {pa.int64(), pa.string()}
    assert sum_comptes(base, groups.slice(0, 0)).num_rows == 0


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("saint etienne", {}, [AUTRE]),
        ("BOIS  Étienne", {}, [AUTRE]),
        ("l'eau", {}, [EAU]),
        ("2133 0063", {}, [VILLE, EAU]),
        ("", {"departement": "33"}, [VILLE, OPERA, EAU]),
        ("", {"nomenclature": "M14", "departement": 31}, [AUTRE]),
        ("", {"nomenclature": "M57+M4*"}, [AUTRE, EAU]),
        ("e", {"limit": 1}, [BASE_TERRE]),
        ("%", {"limit": 2}, [BASE_TERRE, VILLE]),
        ("zzz", {}, []),
        ("' OR 1=1 --", {}, []),
    ],
)
def test_search(base: Base, text: str, options: dict[str, object], expected: list[str]) -> None:
    assert list(find_collectivites(base, text, **options)["siret"]) == expected  # type: ignore[arg-type]


def test_search_gives_the_latest_label(base: Base) -> None:
    [found] = find_collectivites(base, "21310555400017").to_dict("records")
    assert found == {
        "siret": AUTRE,
        "libelle": "Saint-Étienne du Bois",
        "departement": "031",
        "type_etablissement": "101",
        "nomenclature": "M57",
        "premier_exercice": 2019,
        "dernier_exercice": 2020,
    }


def test_info(base: Base) -> None:
    info = base_info(base)
    assert (info.exercices, info.sirets, info.budgets, info.rows) == ((2018, 2019, 2020), 5, 8, 12)
    assert info.nomenclatures == {"M14": 6, "M49": 1, "M57": 1}
    assert list(info.imports["source"]) == ["balances", "population", "population"]
    assert "Exercices : 2018 à 2020" in str(info)


def test_a_base_travels_with_its_snapshot(url: str, engine_url: str) -> None:
    with connect(url, snapshot="00000001") as old:
        copy = pickle.loads(pickle.dumps(old))  # noqa: S301
        assert copy.snapshot == "00000001"
        assert copy.read_only
        assert copy.fetch(select(balances)).num_rows == 0
        copy.close()
    with pytest.raises(WorkbenchError) as error:
        connect(engine_url)
    assert error.value.code == "base_absente"
    with pytest.raises(WorkbenchError) as error:
        connect(engine_url)
    assert error.value.code == "base_absente"


def test_snapshots_of_a_base(new_url: Callable[[], str], tmp_path: Path) -> None:
    url, absent = new_url(), new_url()
    with connect(url, read_only=False) as base:
        import_balances(base, write_csv(tmp_path / "x.csv", [row()]))
        assert base.snapshot == "00000002"
        with connect(url, snapshot="00000001") as old:
            assert len(select_budgets(old, perimetre())) == 0
        assert len(select_budgets(base, perimetre())) == 1
        assert prune_snapshots(base) == ["00000001"]
        assert [each.id for each in snapshots(url)] == ["00000002"]
    with pytest.raises(WorkbenchError, match="n'existe pas"):
        prune_snapshots(absent)
    assert snapshots(absent) == []


def test_looking_for_a_base_leaves_nothing(tmp_path: Path) -> None:
    for look in (connect, prune_snapshots):
        with pytest.raises(WorkbenchError, match="n'existe pas"):
            look(tmp_path / "absente.duckdb")
    assert not list(tmp_path.iterdir())


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    from workbench.engines.duckdb import DuckDBWriter

    writer = DuckDBWriter(tmp_path / "other.duckdb")
    writer.create([balances])
    writer.close()
    with pytest.raises(WorkbenchError) as error:
        connect(tmp_path / "other.duckdb")
    assert error.value.code == "base_etrangere"
    assert "collectivites" in str(error.value)


def test_identifiers_as_lists_show_them(base: Base) -> None:
    def listed(kind: str, **criteria: object) -> list[tuple[str, ...]]:
        return [tuple(row.values()) for row in list_identifiers(base, kind, **criteria).to_pylist()]  # type: ignore[arg-type]

    assert {row[0] for row in listed("SIRET", departements="033")} == {VILLE, OPERA, EAU}
    assert listed("SIRET", departements=33, types="410") == [(EAU, "410", "RÉGIE DE L'EAU", "3")]
    # One line by label: that of the latest exercice under each nomenclature.
    assert {row[2] for row in listed("SIRET", departements="031")} == {"SAINT-ÉTIENNE-DU-BOIS", "Saint-Étienne du Bois"}
    # A body is what its budget principal is called; its annexe budgets give no line.
    assert [row[0] for row in listed("SIREN", departements="033")].count(VILLE[:9]) == 1
    assert "RÉGIE DE L'EAU" not in {row[2] for row in listed("SIREN")}
    assert [row[:3] for row in listed("FINESS")] == [("330000001", "433", "OPERA")]
    assert listed("SIRET", departements="02A") == []
    with pytest.raises(WorkbenchError):
        list_identifiers(base, "SIRET", departements="999")
