"""The reference rules: statements give what plain loops give, on companies drawn at random."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reference_rules as rules
from facts_of_companies import Facts, Given, computed, setting
from hypothesis import given, settings
from hypothesis import strategies as st
from workbench.engines import Engine, open_store, scratch_writer

START, END = "2017-01", "2019-07"
SETTINGS = {"dans les temps": setting(START, END, "2019-06", "compat"), "tard": setting(START, END, "2019-03", "compat"),
            "en avance": setting(START, END, "2019-08", "compat")}
MONTHS = st.integers(2016 * 12 + 6, 2019 * 12 + 8)
DAYS = st.dates(datetime.date(2016, 3, 1), datetime.date(2019, 9, 30))
AMOUNTS = st.sampled_from([0, 0, 10.25, 100, 333.33, 1000, 5000])


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with scratch_writer(tmp_path_factory.mktemp("variables")) as writer:
        yield writer


def span(draw: Any) -> dict[str, datetime.date]:
    start = draw(MONTHS)
    return {
        "periode_debut": rules.first_day(start),
        "periode_fin": rules.first_day(start + draw(st.sampled_from([1, 1, 3, 12]))),
    }


@st.composite
def called(draw: Any) -> dict[str, Any]:
    return {"numero_compte": "1", "du": draw(st.sampled_from([0, 100, 120.36, -12, 900])), "encaisse": 0, **span(draw)}


@st.composite
def debit(draw: Any) -> dict[str, Any]:
    start = draw(st.sampled_from([2017 * 12, 2017 * 12 + 1]))
    return {
        "numero_compte": draw(st.sampled_from("12")),
        "numero_ecart_negatif": draw(st.sampled_from("ab")),
        "date_traitement": draw(DAYS),
        "numero_historique": draw(st.integers(1, 1000)),
        "part_ouvriere": draw(AMOUNTS),
        "part_patronale": draw(AMOUNTS),
        "periode_debut": rules.first_day(start),
        "periode_fin": rules.first_day(start + 1),
    }


@st.composite
def regular(draw: Any) -> list[dict[str, Any]]:
    """A contribution every month, some missing: without it means over a year are seldom defined."""
    missing = draw(st.sets(MONTHS, max_size=2))
    due = draw(st.sampled_from([50, 100.5, 1200]))
    return [
        {"numero_compte": "1", "du": due, "encaisse": 0, "periode_debut": rules.first_day(t), "periode_fin": rules.first_day(t + 1)}
        for t in range(2017 * 12, 2019 * 12 + 6)
        if t not in missing
    ]


EFFECTIF = st.fixed_dictionaries(
    {"periode": MONTHS.map(rules.first_day), "numero_compte": st.sampled_from("12"), "effectif": st.sampled_from([0, 5, 12, 13])}
)
EVENT = st.fixed_dictionaries(
    {
        "date_effet": DAYS,
        "action_procol": st.sampled_from(["liquidation", "redressement", "sauvegarde"]),
        "stade_procol": st.sampled_from(
            ["ouverture", "plan_continuation", "abandon_procedure", "fin_procedure", "solde_procedure"]
        ),
    }
)
DELAI = st.fixed_dictionaries(
    {
        "date_creation": DAYS,
        "date_echeance": DAYS,
        "duree_delai": st.sampled_from([-1, 0, 90, 360]),
        "montant_echeancier": st.sampled_from([100, 5000.5]),
        "numero_contentieux": st.just("c"),
    }
)
REQUEST = st.tuples(DAYS, st.integers(0, 120), st.sampled_from("ab"), st.integers(1, 5)).map(
    lambda drawn: {
        "id_demande": f"00000000{drawn[2]}{drawn[3]}",
        "periode_debut": drawn[0],
        "periode_fin": drawn[0] + datetime.timedelta(days=drawn[1]),
        "date_statut": drawn[0],
        "hta": float(drawn[1] * 7),
        "motif_recours_se": drawn[3],
    }
)
CONSUMED = st.fixed_dictionaries(
    {
        "id_conso": st.sampled_from(["00000000a1", "00000000a9", "00000000b2", "00000000c1"]),
        "periode": MONTHS.map(rules.first_day),
        "heure_consomme": st.sampled_from([0.0, 10.0, 12.5]),
    }
)
MAYBE = st.sampled_from([None, 1.0, 25.5, 360.0])


def one_each(rows: st.SearchStrategy[Any], key: str, size: int) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of distinct keys, so that no rule leaves anything to chance."""
    return st.lists(rows, max_size=size, unique_by=lambda row: row[key])


BDF_ROW = st.fixed_dictionaries(
    {"arrete_bilan_bdf": DAYS, "annee_bdf": st.integers(2015, 2019), **dict.fromkeys(rules.BDF, st.sampled_from([1.5, 20.0]))}
)
DIANE_ROW = st.fixed_dictionaries(
    {"arrete_bilan_diane": DAYS, "exercice_diane": st.integers(2015, 2019), **dict.fromkeys(rules.DIANE, MAYBE)}
)
COMPANY = st.fixed_dictionaries(
    {
        "effectif": st.lists(EFFECTIF, min_size=1, max_size=12, unique_by=lambda row: (row["periode"], row["numero_compte"])),
        "cotisation": st.one_of(regular(), regular(), st.lists(called(), max_size=12)),
        "debit": st.lists(debit(), max_size=6, unique_by=lambda row: row["numero_historique"]),
        "procol": one_each(EVENT, "date_effet", 3),
        "delai": one_each(DELAI, "date_creation", 2),
        "apdemande": one_each(REQUEST, "periode_debut", 3),
        "apconso": st.lists(CONSUMED, max_size=6, unique_by=lambda row: (row["id_conso"], row["periode"])),
        "bdf": one_each(BDF_ROW, "arrete_bilan_bdf", 3),
        "diane": one_each(DIANE_ROW, "arrete_bilan_diane", 4),
    }
)


def expected(company: dict[str, Any], of: Any) -> rules.Values:
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
    *(f"montant_part_{name}{past}" for name in ("ouvriere", "patronale") for past in ("", "_past_1", "_past_2", "_past_3", "_past_6", "_past_12")),
    *("etat_proc_collective", "date_proc_collective", "tag_failure"),
    *("time_til_outcome", "outcome", "time_til_default", "time_til_failure"),
    *("delai_nb_jours_restants", "delai_nb_jours_total", "delai_montant_echeancier", "delai_deviation_remboursement"),
    *("apart_heures_autorisees", "apart_heures_consommees", "apart_motif_recours", "apart_heures_consommees_cumulees", "ratio_apart"),
    *("arrete_bilan_bdf", "annee_bdf", "exercice_bdf", "arrete_bilan_diane", "exercice_diane"),
    *(f"{name}{past}" for name in rules.BDF if name != "frais_financier" for past in ("", "_past_1", "_past_2")),
    *(f"{name}{past}" for name in rules.DIANE for past in ("", "_past_1", "_past_2")),
)


def same(found: Any, wanted: Any) -> bool:
    if isinstance(found, float) and wanted is not None:
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == wanted)


@settings(max_examples=6)
@given(companies=st.lists(COMPANY, min_size=8, max_size=12), name=st.sampled_from(list(SETTINGS)))
def test_statements_follow_the_reference(engine: Engine, companies: list[dict[str, Any]], name: str) -> None:
    of = SETTINGS[name]
    facts: dict[str, list[dict[str, Any]]] = {type_: [] for type_ in companies[0]}
    for place, company in enumerate(companies):
        siren = f"{place:09d}"
        for type_, rows in company.items():
            key = {"siren": siren} if type_ in {"bdf", "diane"} else {"siret": siren + "00011"}
            facts[type_] += [{**row, **key} for row in rows]
    reader = Given(engine, facts)
    rows = computed(reader, reader.relations, of, CODES)
    assert len(rows) == len(companies) * (of.after - of.first)
    for row in rows:
        wanted = expected(companies[int(row["siren"])], of)[rules.month(row["periode"])]
        wrong = {code: (row[code], wanted.get(code)) for code in CODES if not same(row[code], wanted.get(code))}
        assert not wrong, (row["siren"], row["periode"])
