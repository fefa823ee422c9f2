"""One plan: every engine gives what DuckDB gives, whatever the definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from facts_of_companies import Given, computed, engine_with, setting
from random_companies import companies, facts_of
from reference_rules import DIANE

from workbench.engines import Mapper, scratch_writer
from workbench.signaux_faibles.variables import Scope, Setting, variables_of
from workbench.signaux_faibles.variables import compute as computing
from workbench.signaux_faibles.variables.bilans import DIANE_FIELDS


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
    return bool(first == second) and type(first) is type(second)


def _facts(number: int) -> dict[str, list[dict[str, Any]]]:
    facts = facts_of(companies(11, number), establishments=2)
    facts["sirene"] = [
        {"siret": "00000000000000", "ape": "25.62B", "departement": "2A", "siege": True, "date_creation": "1999-01-01"},
        {"siret": "00000000000001", "ape": "", "departement": "", "siege": False, "latitude": 1.5},
    ]
    facts["sirene_ul"] = [{"siren": "000000000", "nom_unite_legale": "DURAND", "prenom1_unite_legale": "ANNE"}]
    return facts


def _held(reader: Given, engine: Any, relations: Any, of: Setting, codes: tuple[str, ...], scope: Scope) -> None:
    wanted = computed(reader, reader.relations, of, codes, scope)
    with pytest.MonkeyPatch.context() as patch:
        if isinstance(engine, Mapper):
            # Every company is a task of its own, whatever its size.
            patch.setattr(computing, "_CELLS", 1)
        found = computed(engine, relations, of, codes, scope)
    assert len(found) == len(wanted) > 0
    for first, second in zip(wanted, found, strict=True):
        wrong = {code: (first[code], second[code]) for code in first if not _same(first[code], second[code])}
        assert not wrong, (of.definition, first["periode"], first["siren"])


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("definition", ["corrige", "compat"])
def test_postgresql_agrees(new_postgresql: Callable[[], str], tmp_path: Path, definition: str, scope: Scope) -> None:
    facts = _facts(8)
    with engine_with(new_postgresql(), facts) as (engine, relations), scratch_writer(tmp_path) as duckdb:
        of = setting("2018-01", "2019-07", None, definition)
        # All fields of Diane are read alike: some of them do.
        left = {name for name in DIANE_FIELDS if name not in (*DIANE, "arrete_bilan_diane", "exercice_diane")}
        codes = [code for code in variables_of(scope, of.definition) if code.partition("_past_")[0] not in left]
        _held(Given(duckdb, facts), engine, relations, of, tuple(codes), scope)


@pytest.mark.slow
def test_spark_agrees(new_spark: Callable[[], str], tmp_path: Path) -> None:
    facts = _facts(2)
    with engine_with(new_spark(), facts) as (engine, relations), scratch_writer(tmp_path) as duckdb:
        assert isinstance(engine, Mapper)
        reader = Given(duckdb, facts)
        for definition, scope in (("corrige", "etablissement"), ("compat", "etablissement"), ("corrige", "entreprise")):
            of = setting("2018-01", "2018-10", None, definition)
            _held(reader, engine, relations, of, (), Scope(scope))
