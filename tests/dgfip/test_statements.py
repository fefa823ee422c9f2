"""The statements as each engine receives them: a change of SQL shows as a change of text files.

Run with ``WORKBENCH_WRITE_STATEMENTS=1`` to write them again, and read the difference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sqlalchemy.schema import CreateTable

import workbench as wb
from workbench.dgfip import base_info, find_collectivites, libelles_comptes, select_budgets
from workbench.dgfip.cells_build import build_cells
from workbench.dgfip.cells_stored import StoredCells, sum_lines
from workbench.dgfip.schema import VERSION, derived, metadata
from workbench.engines.duckdb import compile_statement as compile_duckdb
from workbench.engines.postgresql_dialect import compile_statement as compile_postgresql
from workbench.engines.postgresql_tables import _stored
from workbench.engines.spark_dialect import compile_statement as compile_spark

STATEMENTS = Path(__file__).parent / "statements"
COMPILERS: dict[str, Callable[[Any], str]] = {
    "duckdb": lambda statement: compile_duckdb(statement)[0],
    "postgresql": lambda statement: compile_postgresql(statement)[0],
    "spark": lambda statement: compile_spark(statement)[0],
}
"""Engine to the text that it runs: an engine that compiles SQL adds its line."""

SIRETS = pa.array(["21310001100011", "21310002900011"])
YEARS = pa.array([2020, 2020])
TRAME = {"A_PRODUITS": "C7-D7[TA:BX]", "A_HABITANT": "A_PRODUITS/$POP"}


def _select(base: wb.Base) -> None:
    select_budgets(base, wb.perimetre())
    wide = wb.perimetre(nomenclature="M57", departements=["031"], types=["101"], population=(1, 99))
    select_budgets(base, wide, [2020, 2021])
    select_budgets(base, wb.perimetre(sirets=["21310001100011"], sirens=["213100029"], finess=["310000001"]))


def _evaluate(base: wb.Base) -> None:
    trame = wb.trame_from_formules(TRAME)
    table = wb.evaluate(trame, base, perimetre=wb.perimetre(types=["101"]), exercices=range(2020, 2100))
    wb.explain(table, "A_HABITANT", int(table.columns[0]))


def _stored_cells(base: wb.Base) -> None:
    stored = StoredCells(base, [], np.zeros((2, 0), dtype=int), {}, np.zeros(0, dtype=int))
    for read in (stored.read_slice, stored.read_some):
        # A base in a file keeps no cells of its own: the statement is made, and refused.
        with pytest.raises(wb.WorkbenchError):
            read(SIRETS, YEARS)


ASKED: dict[str, Callable[[wb.Base], object]] = {
    "select_budgets": _select,
    "evaluate": _evaluate,
    "sum_lines": lambda base: sum_lines(base.fetch, SIRETS, YEARS, pa.array(["701"])),
    "stored_cells": _stored_cells,
    "controls": wb.controls,
    "find_collectivites": lambda base: find_collectivites(base, "étain 12"),
    "base_info": base_info,
    "libelles_comptes": lambda base: libelles_comptes(base, "M57"),
}


@pytest.fixture
def recorded(demonstration_base: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[wb.Base, list[Any]]]:
    """A base whose statements are noted as they are run."""
    statements: list[Any] = []
    run = wb.Base.fetch

    def fetch(base: wb.Base, statement: Any, tables: Any = None) -> pa.Table:
        statements.append(statement)
        return run(base, statement, tables)

    monkeypatch.setattr(wb.Base, "fetch", fetch)
    with wb.connect(demonstration_base) as base:
        yield base, statements


def _compare(name: str, engine: str, texts: list[str]) -> None:
    # Blanks at the ends of lines carry nothing.
    found = ";\n\n".join(re.sub(r"[ \t]+\n", "\n", text).strip() for text in dict.fromkeys(texts)) + ";\n"
    path = STATEMENTS / name / f"{engine}.sql"
    if os.environ.get("WORKBENCH_WRITE_STATEMENTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ASKED)
def test_statements_are_those_written_down(recorded: tuple[wb.Base, list[Any]], name: str) -> None:
    base, statements = recorded
    ASKED[name](base)
    assert statements
    for engine, compiled in COMPILERS.items():
        _compare(name, engine, [compiled(each) for each in statements])


def test_statements_that_make_blocks(recorded: tuple[wb.Base, list[Any]], tmp_path: Path) -> None:
    base, statements = recorded
    build_cells(base, tmp_path / "cells")
    for engine, compiled in COMPILERS.items():
        _compare("build_cells", engine, [compiled(each) for each in statements])


def test_tables_change_with_their_version() -> None:
    tables = [*metadata.sorted_tables, *derived.sorted_tables]
    folder = f"tables_{VERSION}"
    _compare(folder, "duckdb", [COMPILERS["duckdb"](CreateTable(each)) for each in tables])
    _compare(folder, "postgresql", [COMPILERS["postgresql"](CreateTable(_stored(each))) for each in tables])


def test_every_file_is_compared() -> None:
    known = {*ASKED, "build_cells", f"tables_{VERSION}"}
    assert {each.name for each in STATEMENTS.iterdir()} == known
    assert {each.stem for each in STATEMENTS.glob("*/*.sql")} == set(COMPILERS)
