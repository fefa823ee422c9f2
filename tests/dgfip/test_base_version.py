"""A base of an earlier version reads, what it lacks being empty, and the next import completes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Column, MetaData, Table, Text, func, insert, select

import workbench as wb
from workbench.dgfip import base_info, find_collectivites, migrate, prune_snapshots, select_budgets, snapshots
from workbench.dgfip.reference_import import libelles_reference
from workbench.dgfip.schema import AMOUNTS, VERSION, cells, collectivites, metadata, populations, references, versions
from workbench.engines import open_store
from workbench.errors import WorkbenchError

BALANCES = (
    "EXER;IDENT;NDEPT;LBUDG;INSEE;CBUDG;CTYPE;NOMEN;SIREN;COMPTE;"
    "BEDEB;BECRE;OBNETDEB;OBNETCRE;ONBDEB;ONBCRE;OOBDEB;OOBCRE;SD;SC\n"
    "2020;21310001100011;031;UN;001;1;101;M14;213100011;701;0;0;0;12,5;0;0;0;0;0;12,5\n"
)
# What came after the first version of the tables, and could come after this one.
LATER = ("references", "populations", "doublons", "comptes", "versions", "membres_epci")
WITHOUT = ("commune", "siren_epci")


@pytest.fixture
def older(engine_url: str, tmp_path: Path) -> str:
    """A base of one budget as an earlier version wrote it: fewer tables, fewer columns, no cells."""
    reduced = MetaData()
    for table in metadata.sorted_tables:
        if table.name not in LATER:
            columns = [each._copy() for each in table.columns if each.name not in WITHOUT]
            Table(table.name, reduced, *columns, info=table.info)
    described = {each.name: None for each in collectivites.c} | {
        "exercice": 2019, "siret": "21310001100011", "siren": "213100011", "libelle": "ANCIENNE", "import_id": 1,
        "nomenclature": "M14", "type_budget": "1", "type_etablissement": "101", "population": 12,
    }  # fmt: skip
    amounts = dict.fromkeys(AMOUNTS, 0)
    key = {"exercice": 2019, "siret": "21310001100011", "etat": "D", "import_id": 1}
    store = open_store(engine_url)
    with store.lock(), store.write() as writer:
        writer.create(reduced.sorted_tables)
        for name, row in (
            ("balances", {**key, "fonction": "", "compte": "701", **amounts, "credit_2": 700}),
            ("budgets", {**key, "lignes": 1}),
            ("collectivites", described),
            ("imports", {"import_id": 1, "fichier": "x.csv", "sha256": "0" * 64, "source": "balances",
                         "date": "2024-01-01T00:00:00Z", "lignes": 1, "budgets": 1}),
        ):  # fmt: skip
            kept = {each: value for each, value in row.items() if each in reduced.tables[name].c}
            writer.execute(insert(reduced.tables[name]).values(**kept))
    (tmp_path / "balances.csv").write_text(BALANCES, encoding="utf-8")
    return engine_url


def products(base: wb.Base) -> dict[int, float]:
    trame = wb.trame_from_formules({"A_PRODUITS": "C7[TA:BX]", "A_HABITANT": "A_PRODUITS/$POP"}, nomenclature="M14")
    table = wb.evaluate(trame, base, sirets=["21310001100011"], exercices=range(2018, 2022))
    apart = wb.evaluate_each(trame, base, exercices=range(2018, 2022))
    assert sorted(table.to_numpy().ravel()) == sorted(apart["value"].to_pylist())
    return table.loc["A_PRODUITS"].to_dict()


def test_an_older_base_reads_as_it_is(older: str) -> None:
    with wb.connect(older) as base:
        assert base.version == 1
        assert base.fetch(select(populations)).num_rows == 0
        assert base.fetch(select(func.count().label("n")).select_from(references)).column(0).to_pylist() == [0]
        named = collectivites.alias("named")
        for source in (collectivites, named):
            rows = base.fetch(select(source.c.libelle, source.c.commune).where(source.c.commune.is_(None)))
            assert rows.to_pylist() == [{"libelle": "ANCIENNE", "commune": None}]
        assert base.fetch(select(collectivites)).column_names == list(collectivites.c.keys())
        assert select_budgets(base, wb.perimetre()).to_pylist()[0]["population"] == 12
        assert products(base) == {2019: 7.0}
        assert len(find_collectivites(base, "ancienne")) == 1
        assert libelles_reference(base, "operation")
        assert "2019" in str(base_info(base))
        assert "701" in str(wb.explain(_table(base), "A_PRODUITS", 2019))
        wb.controls(base)
        asked = wb.query(base).measure("C7")
        assert asked.by("epci").run().table.to_pylist() == [{"siren_epci": None, "siren_epci_libelle": "", "C7": 7.0}]
        assert len(asked.where(epci="200000172").by("epci").run()) == 0
    assert [each.id for each in snapshots(older)] == ["00000001"]


def _table(base: wb.Base) -> object:
    trame = wb.trame_from_formules({"A_PRODUITS": "C7[TA:BX]"}, nomenclature="M14")
    return wb.evaluate(trame, base, sirets=["21310001100011"], exercices=range(2018, 2022))


def test_an_import_completes_an_older_base(older: str, tmp_path: Path) -> None:
    with wb.connect(older, read_only=False) as base:
        wb.import_balances(base, tmp_path / "balances.csv")
        assert base.version == VERSION
        assert all(base.has_table(each) for each in metadata.tables)
        assert base.fetch(select(collectivites.c.commune)).column(0).to_pylist() == [None, None]
        assert products(base) == {2019: 7.0, 2020: 12.5}
        if base.has_table(cells.name):
            assert base.fetch(select(cells.c.exercice).order_by(cells.c.exercice)).column(0).to_pylist() == [2019, 2020]
        # Twice is once.
        assert not migrate(base).changed
    with wb.connect(older, snapshot="00000001") as before:
        assert (before.version, products(before)) == (1, {2019: 7.0})


def test_a_population_completes_it_too(older: str, tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    path.write_text("SIREN;EXERCICE;POPULATION\n213100011;2020;34\n", encoding="utf-8")
    with wb.connect(older, read_only=False) as base:
        wb.import_population(base, path)
        assert base.version == VERSION
        assert products(base) == {2019: 7.0}


def test_migrating_makes_one_snapshot(older: str) -> None:
    with wb.connect(older, read_only=False) as base:
        done = migrate(base)
        assert (done.before, done.after, done.snapshot, done.changed) == (1, VERSION, "00000002", True)
        assert f"version 1 à la version {VERSION}" in str(done)
        assert base.fetch(select(versions.c.version)).column(0).to_pylist() == [VERSION]
        assert products(base) == {2019: 7.0}
        again = migrate(base)
        assert (again.changed, again.snapshot) == (False, "00000002")
        assert "à jour" in str(again)
    assert prune_snapshots(older) == ["00000001"]
    with wb.connect(older) as base, pytest.raises(WorkbenchError, match="lecture"):
        migrate(base)


def test_a_newer_base_is_refused(older: str) -> None:
    with wb.connect(older, read_only=False) as base:
        migrate(base)
    store = open_store(older)
    with store.lock(), store.write() as writer:
        writer.loaded()
        writer.execute(insert(versions).values(version=VERSION + 1))
    with pytest.raises(WorkbenchError) as error:
        wb.connect(older)
    assert error.value.code == "base_plus_recente"
    assert "plus récente" in str(error.value)
    with wb.connect(older, snapshot="00000002") as base:
        assert products(base) == {2019: 7.0}


def test_a_column_that_cannot_be_null_is_no_later_addition(engine_url: str) -> None:
    store = open_store(engine_url)
    with store.lock(), store.write() as writer:
        writer.create([each for each in metadata.sorted_tables if each.name != "budgets"])
        writer.create([Table("budgets", MetaData(), Column("siret", Text))])
    with pytest.raises(WorkbenchError) as error:
        wb.connect(engine_url)
    assert error.value.code == "base_etrangere"
    assert "budgets.exercice" in str(error.value)
