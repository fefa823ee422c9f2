"""Worked examples of each family, values written by hand from the rules; where definitions differ, both."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from facts_of_companies import SIRET, Facts, Given, computed, day, setting

from workbench.engines import Engine, scratch_writer
from workbench.signaux_faibles.variables import Scope, Setting

Values = Callable[..., dict[str, dict[str, Any]]]
ONE = [{"periode": "2018-01", "numero_compte": "1", "effectif": 10}]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with scratch_writer(tmp_path_factory.mktemp("variables")) as writer:
        yield writer


@pytest.fixture
def values(engine: Engine) -> Values:
    """Values by month (``2018-01``) then code; facts without workforce are given one."""

    def found(of: Setting, facts: Facts, *codes: str, siret: str = SIRET, naf: pa.Table | None = None) -> Any:
        reader = Given(engine, {"effectif": ONE, **facts})
        rows = computed(reader, reader.relations, of, codes, Scope.ETABLISSEMENT, naf)
        return {f"{row['periode']:%Y-%m}": row for row in rows if row["siret"] == siret}

    return found


def over(found: dict[str, dict[str, Any]], code: str) -> list[Any]:
    return [row[code] for row in found.values()]


def test_workforce_is_carried_and_the_past_is_shifted_by_the_delay(values: Values) -> None:
    # Known until October: k = 3 for a batch of January.
    told = [{"periode": f"2018-{n:02d}", "numero_compte": "1", "effectif": 100 + n} for n in range(1, 11) if n != 9]
    codes = ("effectif", "effectif_reporte", "effectif_past_6")
    compat = values(setting("2018-01", "2019-01", "2018-10", "compat"), {"effectif": told}, *codes)
    assert over(compat, "effectif") == [101, 102, 103, 104, 105, 106, 107, 108, 110, 110, 110, 110]
    assert over(compat, "effectif_reporte") == [0] * 8 + [1, 0, 1, 1]
    # t = 2018-12: e(2018-12 − 6 − 3 + 1) = e(2018-04).
    assert over(compat, "effectif_past_6") == [None] * 8 + [101, 102, 103, 104]
    corrige = values(setting("2018-01", "2019-01", "2018-10"), {"effectif": told}, *codes)
    # What a batch of the next month would know: October's is known at the end of December; September's never was.
    assert over(corrige, "effectif") == [None, None, 101, 102, 103, 104, 105, 106, 107, 108, 108, 110]
    assert over(corrige, "effectif_reporte") == [None, None, *[0] * 8, 1, 0]
    assert over(corrige, "effectif_past_6") == over(compat, "effectif_past_6")


def test_workforce_of_several_accounts_and_of_nobody(values: Values) -> None:
    told = [
        {"periode": "2018-01", "numero_compte": "2", "effectif": 5},
        {"periode": "2018-01", "numero_compte": "1", "effectif": 20},
        {"periode": "2018-02", "numero_compte": "1", "effectif": 0},
        {"periode": "2018-03", "numero_compte": "1", "effectif": 8},
    ]
    codes = ("effectif", "effectif_reporte")
    compat = values(setting("2018-01", "2018-04", None, "compat"), {"effectif": told}, *codes)
    assert over(compat, "effectif") == [5, 8, 8]
    assert over(compat, "effectif_reporte") == [0, 1, 0]
    corrige = values(setting("2018-01", "2018-04"), {"effectif": told}, *codes)
    assert over(corrige, "effectif") == [25, 0, 8]
    assert over(corrige, "effectif_reporte") == [0, 0, 0]


def test_a_workforce_of_nobody_is_carried_and_past_as_zero_in_the_reference(values: Values) -> None:
    told = [{"periode": month, "numero_compte": "1", "effectif": n} for month, n in (("2018-01", 3), ("2018-04", 0))]
    found = values(
        setting("2018-01", "2018-12", "2018-04", "compat"), {"effectif": told}, "effectif", "effectif_past_6"
    )
    assert over(found, "effectif") == [3, *[0] * 10]
    # k = 8: e(t − 6 − 8 + 1), of which only 2018-12 and later would know 2018.
    assert over(found, "effectif_past_6") == [None] * 11
    early = values(setting("2018-01", "2018-12", "2018-11", "compat"), {"effectif": told}, "effectif_past_6")
    assert over(early, "effectif_past_6") == [None] * 6 + [3, None, None, 0, None]


def test_a_workforce_ahead_of_the_batch(values: Values) -> None:
    # k = −2, as in the reference documents: the shift is N + k − 1.
    told = [{"periode": f"2015-{n:02d}", "numero_compte": "1", "effectif": 100 + n} for n in range(1, 13)]
    of = setting("2015-01", "2016-01", "2016-03", "compat")
    assert of.delay == -2
    found = values(of, {"effectif": told}, "effectif", "effectif_past_6")
    assert over(found, "effectif_past_6") == [None] * 3 + [101 + n for n in range(9)]
    shifted = values(setting("2015-01", "2016-01", "2016-03"), {"effectif": told}, "effectif_past_6")
    assert over(shifted, "effectif_past_6") == [None] * 6 + [101 + n for n in range(6)]


def test_a_carried_workforce_ends_after_a_year(values: Values) -> None:
    found = values(setting("2018-01", "2019-03"), {}, "effectif", "effectif_reporte")
    assert over(found, "effectif") == [10] * 12 + [None, None]
    assert over(found, "effectif_reporte") == [0] + [1] * 11 + [None, None]


def _called(first: int, last: int, due: float, year: int = 2018) -> list[dict[str, Any]]:
    months = [f"{year + n // 12}-{n % 12 + 1:02d}" for n in range(first - 1, last + 1)]
    return [
        {"numero_compte": "1", "du": due, "periode_debut": start, "periode_fin": end}
        for start, end in itertools.pairwise(months)
    ]


def _debit(treated: str, workers: float, number: int = 1, gap: str = "a", employer: float = 0) -> dict[str, Any]:
    return {
        "numero_compte": "1",
        "numero_ecart_negatif": gap,
        "numero_historique": number,
        "date_traitement": treated,
        "part_ouvriere": workers,
        "part_patronale": employer,
        "periode_debut": "2018-01",
        "periode_fin": "2018-02",
    }


@pytest.mark.parametrize("definition", ["compat", "corrige"])
def test_contributions_are_spread_over_their_period(values: Values, definition: str) -> None:
    called = [
        {"numero_compte": "1", "du": 300, "periode_debut": "2018-01", "periode_fin": "2018-04"},
        {"numero_compte": "2", "du": 10.5, "periode_debut": "2018-02", "periode_fin": "2018-03"},
    ]
    of = setting("2018-01", "2018-06", None, definition)
    found = values(of, {"cotisation": called, "debit": [_debit("2018-01-05", 0)]}, "cotisation")
    assert over(found, "cotisation") == [100.0, 110.5, 100.0, None, None]


@pytest.mark.parametrize("definition", ["compat", "corrige"])
def test_a_debit_counts_from_its_month_until_the_twentieth(values: Values, definition: str) -> None:
    debits = [
        _debit("2018-02-20", 100, 1, employer=7),
        _debit("2018-04-21", 60, 2),
        _debit("2018-04-02", 5, 1, gap="b"),
    ]
    of = setting("2018-01", "2018-08", None, definition)
    codes = ("montant_part_ouvriere", "montant_part_patronale", "montant_part_ouvriere_past_2", "interessante_urssaf")
    found = values(of, {"cotisation": _called(1, 7, 100), "debit": debits}, *codes)
    assert over(found, "montant_part_ouvriere") == [0, 100, 100, 105, 65, 65, 65]
    assert over(found, "montant_part_patronale") == [0, 7, 7, 7, 0, 0, 0]
    assert over(found, "montant_part_ouvriere_past_2") == [None, None, 0, 100, 100, 105, 65]
    assert over(found, "interessante_urssaf") == [True] + [False] * 6


def test_a_debt_is_of_interest_again_after_six_months(values: Values) -> None:
    debits = [_debit("2018-01-05", 50, 1), _debit("2018-02-05", 0, 2)]
    of = setting("2018-01", "2018-09")
    found = values(of, {"cotisation": _called(1, 8, 100), "debit": debits}, "interessante_urssaf")
    assert over(found, "interessante_urssaf") == [False] * 6 + [True, True]


def test_debits_out_of_order(values: Values) -> None:
    debits = [_debit("2018-01-05", 100, 1), _debit("2018-05-05", 40, 2), _debit("2018-03-05", 10, 3)]
    facts = {"cotisation": _called(1, 6, 100), "debit": debits}
    compat = values(setting("2018-01", "2018-07", None, "compat"), facts, "montant_part_ouvriere")
    # The second one is replaced before it counts, and the first one stands beside the third.
    assert over(compat, "montant_part_ouvriere") == [100, 100, 110, 110, 10, 10]
    corrige = values(setting("2018-01", "2018-07"), facts, "montant_part_ouvriere")
    assert over(corrige, "montant_part_ouvriere") == [100, 100, 10, 10, 40, 40]


def test_without_debit_the_reference_knows_nothing(values: Values) -> None:
    codes = ("cotisation", "montant_part_ouvriere", "interessante_urssaf", "tag_debit")
    facts = {"cotisation": _called(1, 2, 100)}
    compat = values(setting("2018-01", "2018-03", None, "compat"), facts, *codes)["2018-01"]
    assert [compat[code] for code in codes] == [None, None, True, None]
    corrige = values(setting("2018-01", "2018-03"), facts, *codes)["2018-01"]
    assert [corrige[code] for code in codes] == [100, 0, True, False]


@pytest.mark.parametrize("definition", ["compat", "corrige"])
def test_ratios_need_a_whole_year(values: Values, definition: str) -> None:
    of = setting("2018-01", "2019-03", None, definition)
    facts = {"cotisation": _called(1, 14, 200), "debit": [_debit("2018-12-05", 100)]}
    found = values(of, facts, "cotisation_moy12m", "ratio_dette", "ratio_dette_moy12m", "tag_debit", "tag_default")
    assert over(found, "cotisation_moy12m") == [None] * 11 + [200] * 3
    assert over(found, "ratio_dette") == [None] * 11 + [0.5] * 3
    assert over(found, "ratio_dette_moy12m") == pytest.approx([None] * 11 + [0.5 / 12, 1 / 12, 1.5 / 12])
    no = None if definition == "compat" else False
    assert over(found, "tag_debit") == [no] * 11 + [True] * 3
    assert over(found, "tag_default") == [no] * 14


def test_three_months_unpaid(values: Values) -> None:
    # The ratio exceeds 1 from December 2018; contributions lack in April 2019, so there is no ratio until they return
    # for twelve months: the reference skips these months, and they are no consecutive months.
    called = _called(1, 13, 100) + _called(16, 30, 100)
    facts = {"cotisation": called, "debit": [_debit("2018-12-05", 150)]}
    compat = values(setting("2018-01", "2020-07", None, "compat"), facts, "ratio_dette", "tag_default")
    rated = [month for month, row in compat.items() if row["ratio_dette"] is not None]
    assert rated == ["2018-12", "2019-01", "2020-03", "2020-04", "2020-05", "2020-06"]
    assert [month for month, row in compat.items() if row["tag_default"]] == [
        "2020-03",
        "2020-04",
        "2020-05",
        "2020-06",
    ]
    corrige = values(setting("2018-01", "2020-07"), facts, "tag_default")
    assert [month for month, row in corrige.items() if row["tag_default"]] == ["2020-05", "2020-06"]


def _event(date: str, action: str, stage: str) -> dict[str, Any]:
    return {"date_effet": date, "action_procol": action, "stade_procol": stage}


@pytest.mark.parametrize(
    ("action", "stage", "compat", "corrige"),
    [
        ("liquidation", "ouverture", "liquidation", "liquidation"),
        ("liquidation", "fin_procedure", "liquidation", "liquidation"),
        ("liquidation", "abandon_procedure", "in_bonis", "in_bonis"),
        ("redressement", "fin_procedure", "in_bonis", "in_bonis"),
        ("redressement", "plan_continuation", "continuation", "plan_continuation"),
        ("sauvegarde", "plan_continuation", "sauvegarde", "plan_sauvegarde"),
        ("sauvegarde", "ouverture", "plan_sauvegarde", "sauvegarde"),
        ("redressement", "solde_procedure", "plan_redressement", "redressement"),
    ],
)
def test_states_of_procedures(values: Values, action: str, stage: str, compat: str, corrige: str) -> None:
    facts = {"procol": [_event("2018-02-27", action, stage)]}
    for definition, name in (("compat", compat), ("corrige", corrige)):
        of = setting("2018-01", "2018-04", None, definition)
        found = values(of, facts, "etat_proc_collective", "date_proc_collective")
        assert over(found, "etat_proc_collective") == ["in_bonis", name, name]
        assert over(found, "date_proc_collective") == [None, day("2018-02-27"), day("2018-02-27")]


def test_a_failure_that_ends(values: Values) -> None:
    events = [_event("2018-02-10", "redressement", "ouverture"), _event("2018-05-03", "redressement", "fin_procedure")]
    compat = values(setting("2018-01", "2018-08", None, "compat"), {"procol": events}, "tag_failure")
    assert over(compat, "tag_failure") == [None] + [True] * 6
    corrige = values(setting("2018-01", "2018-08"), {"procol": events}, "tag_failure")
    assert over(corrige, "tag_failure") == [False, True, True, True, False, False, False]


def test_the_target_looks_eighteen_months_ahead(values: Values) -> None:
    facts = {"procol": [_event("2018-11-10", "liquidation", "ouverture")]}
    codes = ("time_til_outcome", "outcome", "time_til_failure", "time_til_default")
    for definition in ("compat", "corrige"):
        found = values(setting("2017-01", "2019-01", None, definition), facts, *codes)
        assert over(found, "time_til_outcome") == [*range(22, 0, -1), 0, 0]
        assert over(found, "time_til_failure") == over(found, "time_til_outcome")
        assert over(found, "time_til_default") == [None] * 24
        assert over(found, "outcome") == [False] * 4 + [True] * 20
    more = values(setting("2017-01", "2019-01"), facts, "signal_fort", "futur_connu", "outcome_failure")
    assert over(more, "signal_fort") == [False] * 22 + [True] * 2
    # The last month whose eighteen next ones are all known is 2018-12 − 18 = 2017-06.
    assert over(more, "futur_connu") == [True] * 6 + [False] * 18
    assert over(more, "outcome_failure") == [False] * 4 + [True] * 20


def test_after_the_last_event(values: Values) -> None:
    called = _called(1, 16, 100, 2017)
    debits = [_debit("2017-12-05", 150, 1), _debit("2018-04-05", 0, 2)]
    facts = {"cotisation": called, "debit": debits}
    codes = ("tag_default", "time_til_outcome", "outcome")
    compat = values(setting("2017-01", "2018-08", None, "compat"), facts, *codes)
    # Ratios from December 2017, above 1 until March: three months in February.
    assert [month for month, row in compat.items() if row["tag_default"]] == ["2018-02", "2018-03"]
    assert over(compat, "time_til_outcome")[-6:] == [0, 0, -1, -2, -3, -4]
    assert over(compat, "outcome")[-4:] == [True] * 4
    corrige = values(setting("2017-01", "2018-08"), facts, *codes)
    assert over(corrige, "time_til_outcome") == over(compat, "time_til_outcome")
    assert over(corrige, "outcome")[-4:] == [False] * 4


def _delai(created: str, due: str, amount: float, days: int = 360) -> dict[str, Any]:
    return {"date_creation": created, "date_echeance": due, "duree_delai": days, "montant_echeancier": amount}


@pytest.mark.parametrize("definition", ["compat", "corrige"])
def test_a_payment_delay(values: Values, definition: str) -> None:
    facts = {
        "cotisation": _called(1, 5, 100),
        "debit": [_debit("2018-01-05", 600)],
        "delai": [_delai("2018-02-20", "2018-04-15", 1000, 60), _delai("2018-02-20", "2018-05-15", 1000, 0)],
    }
    of = setting("2018-01", "2018-06", None, definition)
    found = values(
        of,
        facts,
        "delai_nb_jours_restants",
        "delai_nb_jours_total",
        "delai_montant_echeancier",
        "delai_deviation_remboursement",
    )
    # From 1 February to 15 April: 73 days; from 1 March: 45.
    assert over(found, "delai_nb_jours_restants") == [None, 73, 45, None, None]
    assert over(found, "delai_nb_jours_total") == [None, 60, 60, None, None]
    assert over(found, "delai_montant_echeancier") == [None, 1000, 1000, None, None]
    expected = [None, (600 - 1000 * 73 / 60) / 1000, (600 - 1000 * 45 / 60) / 1000, None, None]
    assert over(found, "delai_deviation_remboursement") == pytest.approx(expected)


def test_payment_delays_that_overlap(values: Values) -> None:
    facts = {
        "cotisation": _called(1, 5, 100),
        "debit": [_debit("2018-01-05", 600)],
        "delai": [_delai("2018-01-02", "2018-06-01", 1000, 300), _delai("2018-02-02", "2018-04-01", 200, 100)],
    }
    codes = ("delai_nb_jours_restants", "delai_montant_echeancier", "delai_deviation_remboursement")
    compat = values(setting("2018-01", "2018-05", None, "compat"), facts, *codes)["2018-02"]
    assert [compat[code] for code in codes] == pytest.approx([59, 200, (600 - 200 * 59 / 100) / 200])
    corrige = values(setting("2018-01", "2018-05"), facts, *codes)["2018-02"]
    deviation = (600 - 1000 * 120 / 300 - 200 * 59 / 100) / 1200
    assert [corrige[code] for code in codes] == pytest.approx([120, 1200, deviation])


AP = (
    *("apart_heures_autorisees", "apart_heures_consommees", "apart_motif_recours"),
    *("apart_heures_consommees_cumulees", "ratio_apart"),
)


def _request(name: str, start: str, end: str, hours: float, motive: int = 1) -> dict[str, Any]:
    return {"id_demande": name, "periode_debut": start, "periode_fin": end, "hta": hours, "motif_recours_se": motive}


def test_partial_activity(values: Values) -> None:
    facts = {
        "effectif": [{"periode": f"2018-{n:02d}", "numero_compte": "1", "effectif": 10} for n in range(1, 6)],
        "apdemande": [_request("00000000011", "2018-01-31", "2018-03-02", 310, 2)],
        "apconso": [
            {"id_conso": "00000000011", "periode": "2018-02", "heure_consomme": 15.767},
            {"id_conso": "00000000012", "periode": "2018-03", "heure_consomme": 5},
            {"id_conso": "00000000099", "periode": "2018-04", "heure_consomme": 1},
        ],
    }
    compat = values(setting("2018-01", "2018-06", None, "compat"), facts, *AP)
    assert over(compat, "apart_heures_autorisees") == [310, 310, 310, None, None]
    # The first nine characters link all three.
    assert over(compat, "apart_heures_consommees") == [None, 15.767, 5, 1, None]
    assert over(compat, "apart_motif_recours") == [None, 2, 2, 2, None]
    assert over(compat, "apart_heures_consommees_cumulees") == [0, 15.767, 20.767, None, None]
    assert over(compat, "ratio_apart") == pytest.approx([None, 0.01, 5 / 1576.7, 1 / 1576.7, None])
    corrige = values(setting("2018-01", "2018-06"), facts, *AP)
    # 31 days, of which one in January and two in March.
    assert over(corrige, "apart_heures_autorisees") == pytest.approx([10, 280, 20, None, None])
    assert over(corrige, "apart_heures_consommees") == [None, 15.767, 5, 1, None]
    assert over(corrige, "apart_motif_recours") == [None, 2, None, None, None]
    assert over(corrige, "apart_heures_consommees_cumulees") == [None, 15.767, 15.767, None, None]


def test_requests_that_overlap(values: Values) -> None:
    facts = {
        "apdemande": [
            _request("00000000100", "2018-01-01", "2018-01-31", 31),
            _request("00000000200", "2018-01-11", "2018-01-20", 100),
        ],
        "apconso": [{"id_conso": "00000000100", "periode": "2018-01", "heure_consomme": 4}],
    }
    compat = values(setting("2018-01", "2018-02", None, "compat"), facts, "apart_heures_autorisees")
    assert over(compat, "apart_heures_autorisees") == [100]
    corrige = values(setting("2018-01", "2018-02"), facts, "apart_heures_autorisees")
    assert over(corrige, "apart_heures_autorisees") == pytest.approx([131])
    alone = {"apdemande": facts["apdemande"][:1]}
    assert over(values(setting("2018-01", "2018-02", None, "compat"), alone, *AP), "apart_heures_autorisees") == [None]
    assert over(values(setting("2018-01", "2018-02"), alone, *AP), "apart_heures_autorisees") == pytest.approx([31])


def test_place_activity_and_age(values: Values) -> None:
    naf = pa.table(
        {"niveau": pa.array([1, 5], pa.int32()), "code": ["C", "2562B"], "libelle": ["Industrie", "Mécanique"]}
    )
    sirene = {"departement": "2A", "ape": "25.62B", "date_creation": "1999-05-02", "code_commune": "", "latitude": 42.5}
    codes = (
        "region",
        "code_ape",
        "code_ape_niveau2",
        "code_naf",
        "libelle_naf",
        "libelle_ape5",
        "age",
        "code_commune",
        "latitude",
    )
    found = values(setting("2018-12", "2019-02"), {"sirene": [sirene]}, *codes, naf=naf)["2019-01"]
    assert [found[code] for code in codes] == ["Corse", "2562B", "25", "C", "Industrie", "Mécanique", 20, None, 42.5]
    compat = values(setting("2018-12", "2019-02", None, "compat"), {"sirene": [sirene]}, "region")["2019-01"]
    assert compat["region"] is None
    old = {"departement": "972", "ape": "ABCDE", "date_creation": "1900-01-01"}
    found = values(setting("2018-12", "2019-02"), {"sirene": [old]}, "region", "code_ape", "age", "libelle_naf")[
        "2019-01"
    ]
    assert [found[code] for code in ("region", "code_ape", "age", "libelle_naf")] == ["Martinique", None, None, None]


def test_account_order_and_ccsf(values: Values) -> None:
    facts = {
        "admin_urssaf": [{"numero_compte": "123", "periode": "2018-02"}],
        "reporder": [{"random_order": 0.25, "periode": "2018-01"}],
        "ccsf": [{"date_traitement": "2018-02-01"}, {"date_traitement": "2018-01-31"}],
    }
    found = values(setting("2018-01", "2018-04"), facts, "compte_urssaf", "random_order", "date_ccsf")
    assert over(found, "compte_urssaf") == [None, "123", None]
    assert over(found, "random_order") == [0.25, None, None]
    assert over(found, "date_ccsf") == [None, day("2018-01-31"), day("2018-02-01")]


def test_the_entreprise(values: Values) -> None:
    person = {
        "nom_unite_legale": "DURAND",
        "nom_usage_unite_legale": "MARTIN",
        "prenom1_unite_legale": "ANNE",
        "statut_juridique": "1000",
    }
    facts = {
        "sirene_ul": [{**person, "date_creation": "2010-03-04"}],
        "paydex": [{"date_valeur": "2018-01-15", "nb_jours": 3}, {"date_valeur": "2018-01-31", "nb_jours": 9}],
    }
    codes = ("raison_sociale", "statut_juridique", "age_entreprise", "paydex_nb_jours", "paydex_nb_jours_past_3")
    found = values(setting("2018-01", "2018-06"), facts, *codes)
    assert over(found, "raison_sociale")[0] == "DURAND*MARTIN/ANNE/"
    assert over(found, "statut_juridique")[0] == "1000"
    assert over(found, "age_entreprise") == [8] * 5
    assert over(found, "paydex_nb_jours") == [9, None, None, None, None]
    assert over(found, "paydex_nb_jours_past_3") == [None, None, None, 9, None]
    compat = values(setting("2018-01", "2018-06", None, "compat"), facts, *codes)
    # Without a balance sheet the reference says nothing of the entreprise.
    assert over(compat, "raison_sociale") == [None] * 5


def test_sums_over_the_etablissements(values: Values) -> None:
    other = SIRET[:9] + "00029"
    told = [
        {"periode": "2018-01", "numero_compte": "1", "effectif": 10},
        {"periode": "2018-02", "numero_compte": "1", "effectif": 10},
        {"periode": "2018-02", "numero_compte": "2", "effectif": 4, "siret": other},
    ]
    debits = [_debit("2018-02-01", 30), {**_debit("2018-02-01", 12), "siret": other}]
    codes = ("effectif_entreprise", "debit_entreprise", "nbr_etablissements_connus", "apart_entreprise")
    found = values(setting("2018-01", "2018-03"), {"effectif": told, "debit": debits}, *codes)
    assert over(found, "effectif_entreprise") == [10, 14]
    assert over(found, "debit_entreprise") == [0, 42]
    assert over(found, "nbr_etablissements_connus") == [1, 2]
    assert over(found, "apart_entreprise") == [None, None]
    compat = values(setting("2018-01", "2018-03", None, "compat"), {"effectif": told, "debit": debits}, *codes)
    assert over(compat, "nbr_etablissements_connus") == [2, 2]
    # Without contributions the reference has no debt to sum.
    assert over(compat, "debit_entreprise") == [None, None]


@pytest.mark.parametrize("definition", ["compat", "corrige"])
def test_balance_sheets_stand_seven_months_after_their_closing(values: Values, definition: str) -> None:
    facts = {
        "bdf": [{"arrete_bilan_bdf": "2016-12-31", "annee_bdf": 2017, "taux_marge": 30, "delai_fournisseur": 60}],
        "diane": [
            {
                "arrete_bilan_diane": "2016-12-31",
                "exercice_diane": 2016,
                "ca": 500,
                "couverture_ca_fdr": 36,
                "interets": 10,
                "excedent_brut_d_exploitation": 60,
                "produits_financiers": 5,
                "produit_exceptionnel": 0,
                "charge_exceptionnelle": 10,
                "charges_financieres": 5,
            }
        ],
    }
    of = setting("2017-01", "2020-01", None, definition)
    codes = (
        "taux_marge",
        "exercice_bdf",
        "ca",
        "ca_past_1",
        "ca_past_2",
        "poids_frng",
        "frais_financier",
        "taux_marge_past_1",
    )
    found = values(of, facts, *codes)
    said = {code: [month for month, row in found.items() if row[code] is not None] for code in codes}
    assert (said["taux_marge"][0], said["taux_marge"][-1], len(said["taux_marge"])) == ("2017-08", "2018-08", 13)
    assert (said["ca"][0], said["ca"][-1], len(said["ca"])) == ("2017-08", "2018-09", 14)
    assert found["2017-08"]["exercice_bdf"] == 2016
    # Diane alone stands in September 2018.
    assert found["2018-09"]["exercice_bdf"] == (0 if definition == "compat" else None)
    assert found["2018-09"]["poids_frng"] == pytest.approx(10)
    assert found["2018-01"]["frais_financier"] == pytest.approx(20)
    if definition == "compat":
        # Two months of the next year have a balance sheet that stands.
        assert said["ca_past_1"] == ["2018-08", "2018-09"]
    else:
        assert (said["ca_past_1"][0], said["ca_past_1"][-1], len(said["ca_past_1"])) == ("2018-08", "2019-09", 14)
        assert said["ca_past_2"] == ["2019-08", "2019-09", "2019-10", "2019-11", "2019-12"]
        assert said["taux_marge_past_1"][0] == "2018-08"


def test_the_latest_balance_sheet_wins_even_where_it_is_empty(values: Values) -> None:
    sheets = [
        {"arrete_bilan_diane": "2016-12-31", "exercice_diane": 2016, "ca": 500, "production": 7},
        {"arrete_bilan_diane": "2017-12-31", "exercice_diane": 2017, "ca": None, "production": 8},
    ]
    found = values(setting("2017-01", "2020-01"), {"diane": sheets}, "ca", "production", "ca_past_1")
    assert found["2018-07"]["ca"] == 500
    assert found["2018-08"]["ca"] is None
    assert found["2018-09"]["production"] == 8
    # In August and September both stood: the past is the latest that is not empty.
    assert [found[month]["ca_past_1"] for month in ("2019-08", "2019-09", "2019-10")] == [500, 500, None]


@pytest.mark.parametrize("definition", ["compat", "corrige"])
def test_the_past_of_a_ratio_of_the_bank_is_what_stood_then(values: Values, definition: str) -> None:
    # Only Diane's past is said to be of "every non-null field": 5.8.
    sheets = [
        {"arrete_bilan_bdf": "2016-12-31", "annee_bdf": 2016, "taux_marge": 30, "poids_frng": 5},
        {"arrete_bilan_bdf": "2017-06-30", "annee_bdf": 2017, "taux_marge": None, "poids_frng": None},
        {"arrete_bilan_bdf": "2018-12-31", "annee_bdf": 2018, "taux_marge": 9, "poids_frng": 9},
        {"arrete_bilan_bdf": "2019-12-31", "annee_bdf": 2019, "taux_marge": 9, "poids_frng": 9},
    ]
    diane = [{"arrete_bilan_diane": "2017-06-30", "exercice_diane": 2017, "couverture_ca_fdr": 36}]
    codes = ("taux_marge", "taux_marge_past_1", "taux_marge_past_2", "poids_frng", "poids_frng_past_2")
    of = setting("2017-01", "2021-01", None, definition)
    found = values(of, {"bdf": sheets, "diane": diane}, *codes)
    # From February to August 2018 both sheets stand, and the later one is empty.
    assert [found[month]["taux_marge"] for month in ("2018-01", "2018-02", "2018-08")] == [30, None, None]
    assert [found[month]["taux_marge_past_1"] for month in ("2019-02", "2019-03")] == [None, None]
    assert [found[month]["taux_marge_past_2"] for month in ("2020-01", "2020-02", "2020-08")] == [30, None, None]
    # Diane's figures then stand in, at t and in the past alike.
    assert [found[month]["poids_frng"] for month in ("2018-01", "2018-02")] == [5, pytest.approx(10)]
    assert [found[month]["poids_frng_past_2"] for month in ("2020-01", "2020-02")] == [5, pytest.approx(10)]


def test_ratios_made_of_diane_have_the_past_that_the_output_has(values: Values) -> None:
    # Stands from August 2017: before the first month of the output, then in it.
    sheets = [
        {"arrete_bilan_diane": "2016-12-31", "exercice_diane": 2016, "ca": 500, "couverture_ca_fdr": 36},
        {"arrete_bilan_diane": "2017-12-31", "exercice_diane": 2017},
    ]
    codes = ("ca_past_1", "poids_frng_past_1")
    told = values(setting("2018-01", "2019-06", None, "compat"), {"diane": sheets}, *codes)
    said = {code: [month for month, row in told.items() if row[code] is not None] for code in codes}
    assert (said["ca_past_1"][0], said["poids_frng_past_1"][0]) == ("2018-08", "2019-01")
    corrige = values(setting("2018-01", "2019-06"), {"diane": sheets}, *codes)
    assert next(month for month, row in corrige.items() if row["poids_frng_past_1"] is not None) == "2018-08"
