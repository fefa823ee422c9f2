"""Cells kept in a base on a server are the sums of its balances, snapshot by snapshot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select

import workbench as wb
from workbench.dgfip import cells as cells_module
from workbench.dgfip import cells_stored, prune_snapshots
from workbench.dgfip.cells import open_cells, prepare_cells
from workbench.dgfip.cells_stored import stored_cells
from workbench.dgfip.schema import balances, budgets, cells
from workbench.evaluation import each

HEADER = (
    "EXER;IDENT;NDEPT;LBUDG;INSEE;CBUDG;CTYPE;NOMEN;SIREN;COMPTE;"
    "BEDEB;BECRE;OBNETDEB;OBNETCRE;ONBDEB;ONBCRE;OOBDEB;OOBCRE;SD;SC"
)
TRAME = {"A_A": "C7-D7[TA:BX]", "A_B": "A_A/A_D", "A_D": "SD16[TA:SX]", "A_E": "A_A[OS:M1]+A_D", "A_F": "D6[TA:BX]"}
FIRST = [
    "2020;21310001100011;031;UN;001;1;101;M14;213100011;701;0;0;0;12,5;0;12,5",
    "2020;21310001100011;031;UN;001;1;101;M14;213100011;601;0;0;7;0;7;0",
    "2020;21310001100011;031;UN;001;1;101;M14;213100011;164;30000000000,01;0;1;0;0;0",
    "2021;21310001100011;031;UN;001;1;101;M14;213100011;701;0;0;0;20;0;20",
    "2021;21310002900011;031;DEUX;002;1;101;M14;213100029;701;0;0;0;0;0;0",
]
SECOND = [
    "2021;21310001100011;031;UN;001;1;101;M14;213100011;7018;0;0;0;21;0;21",
    "2022;21310001100011;031;UN;001;1;101;M14;213100011;1641;0;0;0;4;0;4",
]


def write(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    # Operations outside the budget are nothing here.
    whole = [";0;0;0;0;".join([";".join(each.split(";")[:-2]), ";".join(each.split(";")[-2:])]) for each in lines]
    path.write_text("\n".join([HEADER, *whole]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def base(new_postgresql: Callable[[], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cells_module, "user_cache_path", lambda _: tmp_path / "cache")
    with wb.connect(new_postgresql(), read_only=False) as opened:
        wb.import_balances(opened, write(tmp_path, "un.csv", FIRST))
        yield opened


def without_blocks(base: wb.Base, monkeypatch: pytest.MonkeyPatch) -> dict:
    with monkeypatch.context() as patch:
        patch.setattr(each, "open_cells", lambda _: None)
        patch.setattr(each, "prepare_cells", lambda _: None)
        return grid(base)


def grid(base: wb.Base) -> dict:
    return wb.evaluate_each(
        wb.trame_from_formules(TRAME), base, exercices=range(2019, 2024), nomenclature=None
    ).to_pydict()


def packed(base: wb.Base) -> dict[tuple[str, int], int]:
    rows = base.fetch(select(cells)).to_pylist()
    return {(row["siret"], row["exercice"]): len(row["codes"]) // 4 for row in rows}


@pytest.mark.parametrize("lines", [1, 2, 1000])
def test_cells_are_the_sums_of_balances(new_postgresql, tmp_path: Path, monkeypatch, lines: int) -> None:
    monkeypatch.setattr(cells_module, "user_cache_path", lambda _: tmp_path / "cache")
    monkeypatch.setattr(cells_stored, "_LINES_AT_ONCE", lines)
    with wb.connect(new_postgresql(), read_only=False) as base:
        wb.import_balances(base, write(tmp_path, "un.csv", FIRST))
        assert packed(base) == {
            ("21310001100011", 2020): 4,
            ("21310001100011", 2021): 1,
            ("21310002900011", 2021): 0,
        }
        stored = stored_cells(base)
        assert stored is not None
        assert stored.comptes == ["164", "601", "701"]
        prepared = prepare_cells(base)
        assert prepared is not None
        # 30 000 000 000.01 euros do not fit in 32 bits of cents.
        assert 3_000_000_000_001 in np.asarray(prepared.arrays["large_values"])
        assert prepared.folder.parent.parent == tmp_path / "cache" / "cells"
        assert grid(base) == without_blocks(base, monkeypatch)


def test_each_snapshot_has_its_own(base: wb.Base, tmp_path: Path, monkeypatch) -> None:
    before = grid(base)
    wb.import_balances(base, write(tmp_path, "deux.csv", SECOND))
    prepared = prepare_cells(base)
    assert prepared is not None
    assert prepared.chart.comptes == ("164", "1641", "601", "701", "7018")
    assert packed(base)[("21310001100011", 2021)] == 1
    after = grid(base)
    assert after == without_blocks(base, monkeypatch) != before
    with wb.connect(base.store._given, snapshot="00000002") as older:  # type: ignore[attr-defined]
        assert prepare_cells(older).folder != prepared.folder
        assert grid(older) == before
    folders = prepared.folder.parent
    assert len(list(folders.iterdir())) == 2
    # The cache of pruned snapshots goes when another is made.
    prune_snapshots(base)
    wb.import_balances(base, write(tmp_path, "trois.csv", FIRST[3:4]))
    assert prepare_cells(base) is not None
    assert len(list(folders.iterdir())) == 2
    assert grid(base) == without_blocks(base, monkeypatch)


def test_a_recreated_base_does_not_read_the_cache_of_another(base: wb.Base, new_postgresql, tmp_path: Path) -> None:
    marks = {base.mark}
    with wb.connect(new_postgresql(), read_only=False) as other:
        wb.import_balances(other, tmp_path / "un.csv")
        assert other.snapshot == base.snapshot
        marks.add(other.mark)
    assert len(marks) == 2


def test_a_base_without_cells_reads_and_is_completed(base: wb.Base, tmp_path: Path, monkeypatch) -> None:
    expected = grid(base)
    with base.store.lock(), base.store.write() as writer:
        writer.loaded()
        writer.execute(delete(cells).where(cells.c.exercice == 2020))
        assert writer.fetch(select(budgets.c.siret)).num_rows == 3
    base.refresh()
    assert without_blocks(base, monkeypatch) == expected
    assert open_cells(base) is None
    assert prepare_cells(base) is not None
    assert grid(base) == expected
    with base.store.lock(), base.store.write() as writer:
        writer.loaded()
        writer.execute(delete(cells))
    base.refresh()
    wb.import_balances(base, write(tmp_path, "deux.csv", SECOND))
    assert len(packed(base)) == 4
    assert grid(base) == without_blocks(base, monkeypatch)


def test_amounts_of_no_compte_are_no_cells(new_postgresql, tmp_path: Path) -> None:
    with wb.connect(new_postgresql(), read_only=False) as base:
        line = "2020;21310001100011;031;UN;001;1;101;M14;213100011;;0;0;0;12,5;0;12,5"
        wb.import_balances(base, write(tmp_path, "un.csv", [line]))
        assert base.fetch(select(balances.c.credit_2)).column(0).to_pylist() == [1250]
        assert packed(base) == {("21310001100011", 2020): 0}


def test_a_base_of_zeros_has_blocks(engine_url: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(cells_module, "user_cache_path", lambda _: tmp_path / "cache")
    with wb.connect(engine_url, read_only=False) as base:
        wb.import_balances(base, write(tmp_path, "un.csv", FIRST[4:]))
        assert prepare_cells(base) is not None
        assert set(grid(base)["value"]) == {0.0}
        assert grid(base) == without_blocks(base, monkeypatch)
        assert wb.preview("C70[TA:BX]", base).budgets == 1
