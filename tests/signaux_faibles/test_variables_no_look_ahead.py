"""No variable but those to be predicted reads what was not known at its month, delays of delivery included."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from facts_of_companies import Given, computed, setting
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_companies import companies, facts_of
from reference_rules import first_day, month

from workbench.engines import Engine, scratch_writer
from workbench.signaux_faibles.variables import Definition, Scope, variables_of

OF = setting("2017-01", "2019-07", "2019-05")
KNOWN: dict[str, Callable[[dict[str, Any]], int]] = {
    "effectif": lambda row: month(row["periode"]) + OF.delay - 1,
    "effectif_ent": lambda row: month(row["periode"]) + OF.delay - 1,
    "cotisation": lambda row: month(row["periode_debut"]),
    "debit": lambda row: month(row["date_traitement"]) + (row["date_traitement"].day > 20),
    "procol": lambda row: month(row["date_effet"]),
    "delai": lambda row: month(row["date_creation"]),
    "ccsf": lambda row: month(row["date_traitement"]) + 1,
    "apdemande": lambda row: month(row["periode_debut"]),
    "apconso": lambda row: month(row["periode"]),
    "admin_urssaf": lambda row: month(row["periode"]),
    "reporder": lambda row: month(row["periode"]),
    "paydex": lambda row: month(row["date_valeur"]),
    "bdf": lambda row: month(row["arrete_bilan_bdf"]) + 8,
    "diane": lambda row: month(row["arrete_bilan_diane"]) + 8,
}
"""The first month at which a fact of a source is known."""
ALWAYS = {"periode": dt.date(2016, 1, 1), "numero_compte": "1", "effectif": 7}
"""Every établissement has a first workforce: changing later ones takes none of them away."""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with scratch_writer(tmp_path_factory.mktemp("variables")) as writer:
        yield writer


def leaking(
    engine: Engine,
    seed: int,
    after: int,
    definition: str,
    scope: Scope = Scope.ETABLISSEMENT,
    codes: Sequence[str] = (),
) -> set[str]:
    """The variables that some change of what is known later than a month alters at that month or before."""
    drawn, others = companies(seed, 30), companies(seed + 1, 30)
    mixed = [
        {
            type_: [row for row in rows if KNOWN[type_](row) <= after]
            + [row for row in other[type_] if KNOWN[type_](row) > after]
            for type_, rows in each.items()
        }
        for each, other in zip(drawn, others, strict=True)
    ]
    for each in (*drawn, *mixed):
        each["effectif"].append(ALWAYS)
    of = setting("2017-01", "2019-07", "2019-05", definition)
    found = []
    for each in (drawn, mixed):
        reader = Given(engine, facts_of(each, establishments=2))
        rows = computed(reader, reader.relations, of, codes, scope)
        found.append([row for row in rows if row["periode"] <= first_day(after)])
    assert len(found[0]) == len(found[1]) > 0
    return {
        code
        for first, second in zip(*found, strict=True)
        for code in first
        if first[code] != second[code] and not _close(first[code], second[code])
    }


def _close(first: Any, second: Any) -> bool:
    return isinstance(first, float) and isinstance(second, float) and abs(first - second) <= 1e-9 * abs(first)


def targets(scope: Scope, definition: Definition) -> set[str]:
    return {code for code, each in variables_of(scope, definition).items() if each.target}


# A seed has no simpler seed: nothing is gained by looking for one.
@settings(max_examples=2, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32), after=st.integers(2017 * 12 + 12, 2019 * 12 + 4), scope=st.sampled_from(Scope))
def test_no_variable_reads_what_comes_later(engine: Engine, seed: int, after: int, scope: Scope) -> None:
    assert leaking(engine, seed, after, "corrige", scope) <= targets(scope, Definition.CORRIGE)


def test_what_is_to_be_predicted_looks_ahead_and_so_does_the_reference(engine: Engine) -> None:
    found = leaking(engine, 1, 2018 * 12, "corrige", Scope.ENTREPRISE)
    assert {"failure"} <= found <= targets(Scope.ENTREPRISE, Definition.CORRIGE)
    codes = ("outcome", "time_til_outcome", "effectif", "cotisation", "apart_heures_autorisees", "date_ccsf")
    assert leaking(engine, 1, 2018 * 12, "corrige", codes=codes) == {"outcome", "time_til_outcome"}
    assert leaking(engine, 1, 2018 * 12, "compat", codes=codes) == set(codes) - {"date_ccsf"}
