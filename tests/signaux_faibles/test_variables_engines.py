"""One plan: every engine gives what DuckDB gives, whatever the definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from facts_of_companies import Given, computed, engine_with, setting
from random_companies import companies, facts_of
from workbench.engines import scratch_writer
from workbench.signaux_faibles.variables import Definition, Scope, variables_of

SPARK_CODES = (
    *(
        "effectif",
        "effectif_reporte",
        "effectif_past_6",
        "cotisation",
        "ratio_dette",
        "tag_default",
        "interessante_urssaf",
    ),
    *("montant_part_ouvriere_past_2", "etat_proc_collective", "date_proc_collective", "time_til_outcome", "outcome"),
    *(
        "delai_nb_jours_restants",
        "delai_deviation_remboursement",
        "apart_heures_autorisees",
        "ratio_apart",
        "date_ccsf",
    ),
    *("code_naf", "region", "age", "paydex_nb_jours_past_3", "ca", "ca_past_1", "poids_frng", "debit_entreprise"),
)
"""Some of each family: Spark plans three hundred columns for minutes."""


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-9, abs_tol=1e-9)
    return bool(first == second) and type(first) is type(second)


def _facts() -> dict[str, list[dict[str, Any]]]:
    facts = facts_of(companies(11, 8), establishments=2)
    facts["sirene"] = [
        {"siret": "00000000000000", "ape": "25.62B", "departement": "2A", "siege": True, "date_creation": "1999-01-01"},
        {"siret": "00000000000001", "ape": "", "departement": "", "siege": False, "latitude": 1.5},
    ]
    facts["sirene_ul"] = [{"siren": "000000000", "nom_unite_legale": "DURAND", "prenom1_unite_legale": "ANNE"}]
    return facts


@pytest.mark.parametrize("new_url", ["postgresql", "spark"], indirect=True)
def test_engines_agree(
    new_url: Callable[[], str], tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, facts = new_url(), _facts()
    spark = url.startswith("spark")
    if spark:
        from workbench.engines.spark import SparkEngine

        monkeypatch.setattr(SparkEngine, "small_sorted_rows", -1)
        monkeypatch.setattr(SparkEngine, "small_rows", -1)
    with engine_with(url, facts) as (engine, relations), scratch_writer(tmp_path) as duckdb:
        reader = Given(duckdb, facts)
        for definition, scope in _asked(spark):
            known = variables_of(scope, definition)
            codes = tuple(code for code in SPARK_CODES if code in known) if spark else tuple(known)
            of = setting("2018-01", "2019-01" if spark else "2019-07", None, definition.value)
            wanted = computed(reader, reader.relations, of, codes, scope)
            found = computed(engine, relations, of, codes, scope)
            assert len(found) == len(wanted) > 0
            for first, second in zip(wanted, found, strict=True):
                wrong = {code: (first[code], second[code]) for code in first if not _same(first[code], second[code])}
                assert not wrong, (definition, first["periode"], first["siren"])


def _asked(spark: bool) -> list[tuple[Definition, Scope]]:
    if spark:
        return [(Definition.CORRIGE, Scope.ETABLISSEMENT), (Definition.COMPAT, Scope.ETABLISSEMENT)]
    return [(definition, scope) for definition in Definition for scope in Scope]
