"""CCI dumps: CSV and COPY text, pivot, duplicates, and the golden base to the cent."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from balance_files import stored
from sqlalchemy import select

from workbench.dgfip import (
    BadRowsError,
    Base,
    connect,
    import_cci,
    import_reference,
    libelles_comptes,
    libelles_reference,
    perimetre,
    select_budgets,
    snapshots,
    sum_comptes,
)
from workbench.dgfip.layouts_cci import COLLECTIVITE
from workbench.dgfip.schema import collectivites, doublons
from workbench.errors import WorkbenchError

SIRET = "21310900200013"
EXECUTION = """exercice,ident,fonction,comptes,cptop,cptdeb,cptcre,dp
2011,21310900200013,01,1021,1,0.0,98688083.66,D
2011,21310900200013,01,1021,2,5.10,310922.93,D
2011,21310900200013,01,1021,7,,0.01,D
2011,21310900200013,,60,5,7,0,P
"""
COLLECTIVITES = """exer,ident,ndept,insee,lcomm,mpoid,nomen,cnome,lbudg,cbudg,ctype,finess
2011,21310900200013,31,900,VILLE,12345,M14A,M14,BUDGET VILLE,1,101,
"""


@pytest.fixture
def base(engine_url: str) -> Iterator[Base]:
    with connect(engine_url, read_only=False) as opened:
        yield opened


def write(tmp_path: Path, execution: str = EXECUTION, collectivite: str = COLLECTIVITES) -> dict[str, Path]:
    (tmp_path / "execution.csv").write_text(execution)
    (tmp_path / "collectivite.csv").write_text(collectivite)
    return {"execution": tmp_path / "execution.csv", "collectivite": tmp_path / "collectivite.csv"}


def test_operations_become_columns(base: Base, tmp_path: Path) -> None:
    report = import_cci(base, **write(tmp_path))
    assert (report.rows, report.budgets_new, report.exercices) == (4, 1, (2011,))
    first, second = stored(base)
    assert (first["fonction"], first["compte"], first["etat"]) == ("", "60", "P")
    assert {name: value for name, value in first.items() if value and name[-1] in "1234567"} == {"debit_5": 700}
    assert {name: value for name, value in second.items() if value and name[-1] in "1234567"} == {
        "credit_1": 9868808366,
        "debit_2": 510,
        "credit_2": 31092293,
        "credit_7": 1,
    }
    assert second["solde_debit"] is second["solde_credit"] is None
    [budget] = select_budgets(base, perimetre(departements="31")).to_pylist()
    assert budget == {
        "siret": SIRET,
        "exercice": 2011,
        "siren": SIRET[:9],
        "libelle": "BUDGET VILLE",
        "population": 12345,
        "nomenclature": "M14",
        "nomenclature_detail": "M14A",
        "type_budget": "1",
        "type_etablissement": "101",
        "etat": "M",
        "source": "cci",
    }


def test_copy_text(base: Base, new_url: Callable[[], str], tmp_path: Path) -> None:
    execution = "".join(
        "\t".join(cell or "\\N" for cell in [*cells, "2019-10-10 12:20:27", "", ""]) + "\n"
        for cells in list(csv.reader(EXECUTION.splitlines()))[1:]
    )
    given = next(csv.DictReader(COLLECTIVITES.splitlines()))
    given |= {"lbudg": 'Régie "des\\teaux" d\\\\nord', "finess": "310000001"}
    collectivite = "\t".join(given.get(name) or "\\N" for name in COLLECTIVITE.order) + "\n"
    paths = write(tmp_path, execution, collectivite)
    (tmp_path / "execution.txt.gz").write_bytes(gzip.compress(execution.encode()))
    (tmp_path / "comptes.txt").write_text("60\t60 - Achats\t\\N\n601\t\\N\t\\N\n60\t60 - Autre\t\\N\n")
    report = import_cci(base, tmp_path / "execution.txt.gz", paths["collectivite"], comptes=tmp_path / "comptes.txt")
    assert report.rows == 4
    budget = select_budgets(base, perimetre(finess="310000001")).to_pylist()[0]
    assert budget["libelle"] == 'Régie "des\teaux" d\\nord'
    with connect(new_url(), read_only=False) as other:
        import_cci(other, **write(tmp_path))
        assert stored(other) == stored(base)
    assert libelles_comptes(base, "M14") == {"60": "Achats", "601": ""}


def test_duplicates_add_up_and_are_recorded(base: Base, tmp_path: Path) -> None:
    doubled = EXECUTION + "2011,21310900200013,01,1021,2,1.00,0,D\n2011,21310900200013,01,1021,2,2.00,0,D\n"
    twice = COLLECTIVITES + COLLECTIVITES.splitlines()[1].replace("VILLE", "AUTRE") + "\n"
    report = import_cci(base, **write(tmp_path, doubled, twice))
    assert next(each for each in stored(base) if each["compte"] == "1021")["debit_2"] == 810
    assert select_budgets(base, perimetre()).column("libelle").to_pylist() == ["BUDGET VILLE"]
    rows = base.fetch(
        select(doublons.c.source, doublons.c.compte, doublons.c.operation, doublons.c.lignes).order_by(
            doublons.c.source
        )
    ).to_pylist()
    assert rows == [
        {"source": "balances", "compte": "1021", "operation": 2, "lignes": 3},
        {"source": "collectivites", "compte": None, "operation": None, "lignes": 2},
    ]
    assert report.controls is not None
    assert report.controls["doublons"].count == 1
    assert report.controls["collectivites_doubles"].count == 1


@pytest.mark.parametrize(
    ("old", "new", "column"),
    [
        (",7,,0.01,D", ",8,,0.01,D", "CPTOP"),
        (",7,,0.01,D", ",1.5,,0.01,D", "CPTOP"),
        (",7,,0.01,D", ",7,,0.01,X", "DP"),
        (",7,,0.01,D", ",7,,0.01,", "DP"),
        (",7,,0.01,D", ",7,1;2,0.01,D", "CPTDEB"),
    ],
)
def test_bad_rows(base: Base, tmp_path: Path, old: str, new: str, column: str) -> None:
    with pytest.raises(BadRowsError) as error:
        import_cci(base, **write(tmp_path, EXECUTION.replace(old, new)))
    [bad] = error.value.rows
    assert (bad.file, bad.line, bad.column) == ("execution.csv", 4, column)
    assert len(snapshots(base)) == 1


def test_bad_rows_of_copy_text_name_their_position(base: Base, tmp_path: Path) -> None:
    line = "2011\t21310900200013\t\\N\t60\t9\t0\t0\tD\n"
    with pytest.raises(BadRowsError, match="ligne 1, colonne n° 5 : « 9 »"):
        import_cci(base, **write(tmp_path, line))
    with pytest.raises(WorkbenchError, match="a 3 colonnes"):
        import_cci(base, **write(tmp_path, "2011\tx\t1\n"))


def test_a_bad_population_is_refused(base: Base, tmp_path: Path) -> None:
    with pytest.raises(BadRowsError, match="MPOID : « douze »"):
        import_cci(base, **write(tmp_path, collectivite=COLLECTIVITES.replace("12345", "douze")))


def test_the_same_dumps_again_change_nothing(base: Base, tmp_path: Path) -> None:
    paths = write(tmp_path)
    first = import_cci(base, **paths)
    again = import_cci(base, **paths)
    assert again.snapshot == first.snapshot
    assert again.budgets_unchanged == 1
    more = import_cci(base, **write(tmp_path, EXECUTION.replace("60,5,7,0", "61,5,7,0")))
    assert more.budgets_replaced == 1
    assert [each["compte"] for each in stored(base)] == ["1021", "61"] or [each["compte"] for each in stored(base)] == [
        "61",
        "1021",
    ]
    assert base.fetch(select(collectivites)).num_rows == 1


def test_a_description_alone_leaves_the_balances(base: Base, tmp_path: Path) -> None:
    import_cci(base, **write(tmp_path))
    rows = stored(base)
    other = EXECUTION.replace("2011,", "2012,")
    renamed = COLLECTIVITES.replace("BUDGET VILLE", "NOUVEAU NOM")
    import_cci(base, **write(tmp_path, other, renamed))
    assert [each for each in stored(base) if each["exercice"] == 2011] == rows
    assert select_budgets(base, perimetre(), 2011).column("libelle").to_pylist() == ["NOUVEAU NOM"]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["small", "small_gaps"])
def test_the_golden_base_to_the_cent(base: Base, shared: Path, name: str) -> None:
    folder = shared / "golden" / "data" / name
    report = import_cci(base, folder / "execution.csv", folder / "collectivite.csv", comptes=folder / "comptes.csv")
    wanted: Counter[tuple[int, str, str]] = Counter()
    rows = 0
    with (folder / "execution.csv").open(encoding="utf-8") as stream:
        for each in csv.DictReader(stream):
            rows += 1
            for side, column in (("debit", "cptdeb"), ("credit", "cptcre")):
                key = (int(each["exercice"]), each["comptes"], f"{side}_{each['cptop']}")
                wanted[key] += int(Decimal(each[column]) * 100)
    budgets = select_budgets(base, perimetre(), None)
    groups = budgets.select(["siret", "exercice"]).append_column("groupe", pa.array([3] * len(budgets), pa.int64()))
    summed = sum_comptes(base, groups)
    assert {field.type for field in summed.schema if field.name[-1].isdigit()} == {pa.int64()}
    found = {
        (each["exercice"], each["compte"], column): value
        for each in summed.to_pylist()
        for column, value in each.items()
        if column[-1].isdigit() and value
    }
    assert found == {key: value for key, value in wanted.items() if value}
    assert report.rows == rows
    assert report.controls is not None
    assert report.controls["comptes_inconnus"].ok
    assert report.controls["exercices_manquants"].ok is (name == "small")


@pytest.mark.shared
def test_the_reference_tables(base: Base, shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "balances" / "reference"
    report = import_reference(base, folder)
    assert len(report.files) == 7
    assert report.rows == 106 + 9 + 26 + 6 + 47 + 4 + 97
    assert libelles_reference(base, "type_etablissement")["101"] == "Commune (BP)"
    assert libelles_reference(base, "departement")["033"] == "GIRONDE"
    assert libelles_reference(base, "nature_juridique")["1"] == "Collectivités territoriales"
    assert not import_reference(base, folder).changed
    with pytest.raises(WorkbenchError, match="aucune table de référence"):
        import_reference(base, tmp_path)
    with pytest.raises(WorkbenchError, match="Connues : departement"):
        libelles_reference(base, "inconnue")


@pytest.mark.shared
def test_shipped_codes_are_those_of_the_source(base: Base, shared: Path) -> None:
    shipped = {
        nature: libelles_reference(base, nature) for nature in ("departement", "type_etablissement", "operation")
    }
    import_reference(base, shared / "data" / "balances" / "reference")
    for nature, labels in shipped.items():
        assert set(libelles_reference(base, nature)) == set(labels), nature


@pytest.mark.shared
def test_the_reference_collectivites(base: Base, shared: Path, tmp_path: Path) -> None:
    """Toulouse, Pessac, Mazamet 2009-2019, as the CCI base dumps them."""
    reference = shared / "data" / "balances" / "reference" / "collectivite.csv"
    execution = write(tmp_path, EXECUTION.replace(SIRET, "21310555400017"))["execution"]
    report = import_cci(base, execution, reference)
    assert base.fetch(select(collectivites)).num_rows == 33
    [budget] = select_budgets(base, perimetre(sirens="213105554"), 2011).to_pylist()
    assert (budget["libelle"], budget["population"], budget["nomenclature"]) == ("TOULOUSE", 446340, "M14")
    assert report.controls is not None
    assert report.controls["collectivites_sans_balance"].count == 32
