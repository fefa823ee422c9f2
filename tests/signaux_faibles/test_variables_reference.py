"""The reference rules: statements give what plain loops give, on companies drawn at random."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import reference_rules as rules
from facts_of_companies import Given, computed, setting
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from random_companies import Company, companies, facts_of

from workbench.engines import Engine, scratch_writer

START, END = "2017-01", "2019-07"
SETTINGS = {
    "dans les temps": setting(START, END, "2019-06", "compat"),
    "tard": setting(START, END, "2019-03", "compat"),
    "en avance": setting(START, END, "2019-08", "compat"),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with scratch_writer(tmp_path_factory.mktemp("variables")) as writer:
        yield writer


def expected(company: Company, of: Any) -> rules.Values:
    debts = rules.cotisations(company["cotisation"], company["debit"], of)
    workforce = rules.effectif(company["effectif"], of)
    failures = rules.procedures(company["procol"], of)
    parts = [
        workforce,
        debts,
        failures,
        rules.target(failures, debts),
        rules.delais(company["delai"], debts, of),
        rules.activite_partielle(company["apdemande"], company["apconso"], workforce, of),
        rules.bilans(company["bdf"], company["diane"], of),
    ]
    return {t: {name: value for part in parts for name, value in part[t].items()} for t in workforce}


CODES = (
    *("effectif", "effectif_reporte", "effectif_past_6", "effectif_past_12", "effectif_past_18", "effectif_past_24"),
    *("cotisation", "cotisation_moy12m", "ratio_dette", "ratio_dette_moy12m", "tag_debit", "tag_default"),
    "interessante_urssaf",
    *(
        f"montant_part_{name}{past}"
        for name in ("ouvriere", "patronale")
        for past in ("", "_past_1", "_past_2", "_past_3", "_past_6", "_past_12")
    ),
    *("etat_proc_collective", "date_proc_collective", "tag_failure"),
    *("time_til_outcome", "outcome", "time_til_default", "time_til_failure"),
    *("delai_nb_jours_restants", "delai_nb_jours_total", "delai_montant_echeancier", "delai_deviation_remboursement"),
    *(
        "apart_heures_autorisees",
        "apart_heures_consommees",
        "apart_motif_recours",
        "apart_heures_consommees_cumulees",
        "ratio_apart",
    ),
    *("arrete_bilan_bdf", "annee_bdf", "exercice_bdf", "arrete_bilan_diane", "exercice_diane"),
    *(f"{name}{past}" for name in rules.BDF if name != "frais_financier" for past in ("", "_past_1", "_past_2")),
    *(f"{name}{past}" for name in rules.DIANE for past in ("", "_past_1", "_past_2")),
)


def same(found: Any, wanted: Any) -> bool:
    if isinstance(found, float) and wanted is not None:
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == wanted)


# A seed has no simpler seed: nothing is gained by looking for one.
@settings(max_examples=1, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32), name=st.sampled_from(list(SETTINGS)))
def test_statements_follow_the_reference(engine: Engine, seed: int, name: str) -> None:
    of, drawn = SETTINGS[name], companies(seed, 40)
    reader = Given(engine, facts_of(drawn))
    rows = computed(reader, reader.relations, of, CODES)
    assert len(rows) == len(drawn) * (of.after - of.first)
    wanted = [expected(each, of) for each in drawn]
    said = dict.fromkeys(CODES, 0)
    for row in rows:
        values = wanted[int(row["siren"])][rules.month(row["periode"])]
        wrong = {code: (row[code], values.get(code)) for code in CODES if not same(row[code], values.get(code))}
        assert not wrong, (row["siren"], row["periode"])
        for code in CODES:
            said[code] += row[code] is not None
    # A rule that no company drawn meets would be held by nothing.
    assert min(said.values()) > 0, said
