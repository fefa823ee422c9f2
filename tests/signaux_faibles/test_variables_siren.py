"""Variables of entreprises: sums, months and not rows, nothing from later."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from facts_of_companies import SIRET, Facts, Given, computed, setting

from workbench.engines import Engine, scratch_writer
from workbench.signaux_faibles.variables import Scope, Setting

OTHER = SIRET[:9] + "00029"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with scratch_writer(tmp_path_factory.mktemp("variables")) as writer:
        yield writer


def values(engine: Engine, of: Setting, facts: Facts, *codes: str) -> dict[str, list[Any]]:
    reader = Given(engine, facts)
    rows = computed(reader, reader.relations, of, codes, Scope.ENTREPRISE)
    return {code: [row[code] for row in rows] for code in codes}


def _effectif(month: str, count: int, siret: str = SIRET, compte: str = "1") -> dict[str, Any]:
    return {"periode": month, "numero_compte": compte, "effectif": count, "siret": siret}


def _due(month: str, after: str, due: float, siret: str = SIRET) -> dict[str, Any]:
    return {"numero_compte": siret[-1], "du": due, "periode_debut": month, "periode_fin": after, "siret": siret}


def _debit(treated: str, workers: float, siret: str = SIRET) -> dict[str, Any]:
    return {
        "numero_compte": siret[-1],
        "numero_ecart_negatif": "a",
        "numero_historique": 1,
        "date_traitement": treated,
        "part_ouvriere": workers,
        "part_patronale": 0,
        "periode_debut": "2018-01",
        "periode_fin": "2018-02",
        "siret": siret,
    }


def test_sums_over_etablissements(engine: Engine) -> None:
    facts = {
        # Both name no account: they are two établissements all the same.
        "effectif": [_effectif("2018-01", 10, compte=""), _effectif("2018-01", 4, OTHER, ""), _effectif("2018-02", 7)],
        "cotisation": [_due("2018-01", "2018-04", 300), _due("2018-02", "2018-03", 50, OTHER)],
        "debit": [_debit("2018-01-05", 20), _debit("2018-02-05", 8, OTHER)],
        "apconso": [
            {"id_conso": "a", "periode": "2018-02", "heure_consomme": 5.0},
            {"id_conso": "b", "periode": "2018-02", "heure_consomme": 2.0, "siret": OTHER},
        ],
        "apdemande": [
            {
                "id_demande": "a",
                "periode_debut": "2018-01-31",
                "periode_fin": "2018-02-09",
                "hta": 100,
                "motif_recours_se": 1,
            },
            {
                "id_demande": "b",
                "periode_debut": "2018-01-31",
                "periode_fin": "2018-02-09",
                "hta": 100,
                "motif_recours_se": 6,
            },
        ],
    }
    codes = (
        "effectif",
        "cotisation",
        "dette_sociale_ouvriere",
        "dette_par_effectif",
        "ap_heures_consommees",
        "ap_heures_autorisees",
    )
    found = values(engine, setting("2018-01", "2018-04"), facts, *codes)
    assert found["effectif"] == [14, 7, 7]
    compat = values(engine, setting("2018-01", "2018-04", None, "compat"), facts, "effectif")
    assert compat["effectif"] == [14, 7, 7]
    assert found["cotisation"] == [100, 150, 100]
    assert found["dette_sociale_ouvriere"] == [20, 28, 28]
    assert found["dette_par_effectif"] == pytest.approx([20 / 14, 4, 4])
    assert found["ap_heures_consommees"] == [0, 7, 0]
    assert found["ap_heures_autorisees"] == pytest.approx([10, 90, 0])


def test_lags_and_means_are_of_months(engine: Engine) -> None:
    months = [f"2017-{n:02d}" for n in range(1, 13)] + [f"2018-{n:02d}" for n in range(1, 8)]
    called = [
        _due(start, after, 100 * place)
        for place, (start, after) in enumerate(itertools.pairwise(months), 1)
        if start != "2018-03"
    ]
    facts = {
        "effectif": [_effectif("2017-01", 10)],
        "cotisation": called,
        "debit": [_debit("2017-06-05", 60)],
        "paydex": [{"date_valeur": "2017-05-31", "nb_jours": 3}, {"date_valeur": "2018-05-31", "nb_jours": 10}],
    }
    codes = (
        *("cotisation_lag12m", "cotisation_mean3m", "cotisation_mean12m", "dette_sur_cotisation_mean12m"),
        *("dette_sociale_ouvriere_lag6m", "dette_sociale_ouvriere_mean12m", "paydex_nb_jours_diff12m"),
    )
    found = values(engine, setting("2018-01", "2018-07"), facts, *codes)
    # Months before the first one of the output are read.
    assert found["cotisation_lag12m"] == [100, 200, 300, 400, 500, 600]
    # March is missing: it is no month to step over.
    assert found["cotisation_mean3m"] == [1200, 1300, None, None, None, 1700]
    assert found["cotisation_mean12m"][:3] == [750, 850, None]
    assert found["dette_sur_cotisation_mean12m"][0] == pytest.approx(60 / 750)
    assert found["dette_sociale_ouvriere_lag6m"] == [60] * 6
    # Debts from June: eight months out of twelve in January.
    assert found["dette_sociale_ouvriere_mean12m"] == pytest.approx([40, 45, 50, 55, 60, 60])
    assert found["paydex_nb_jours_diff12m"] == [None, None, None, None, 7, None]


def test_the_target_of_an_entreprise(engine: Engine) -> None:
    events = [
        {"date_effet": "2017-01-10", "action_procol": "sauvegarde", "stade_procol": "plan_continuation"},
        {"date_effet": "2018-09-10", "action_procol": "redressement", "stade_procol": "ouverture"},
        {"date_effet": "2018-11-10", "action_procol": "liquidation", "stade_procol": "ouverture", "siret": OTHER},
    ]
    facts = {"effectif": [_effectif("2017-01", 10)], "procol": events}
    found = values(engine, setting("2017-01", "2018-11"), facts, "failure", "signal_fort", "futur_connu")
    assert found["failure"] == [False] * 2 + [True] * 18 + [None, None]
    assert found["signal_fort"] == [False] * 20 + [True, True]
    assert found["futur_connu"] == [True] * 4 + [False] * 18
    compat = values(engine, setting("2017-01", "2018-11", None, "compat"), facts, "failure")
    assert compat["failure"] == [False] * 2 + [True] * 20
    alone = values(
        engine, setting("2018-01", "2018-02"), {"effectif": [_effectif("2018-01", 1)]}, "failure", "signal_fort"
    )
    assert alone == {"failure": [False], "signal_fort": [False]}


def test_published_ratios_stand_from_the_eighth_month(engine: Engine) -> None:
    rows = [{"date_cloture_exercice": "2017-12-31", "chiffre_d_affaires": 900.0, "ebe": None}]
    facts = {"effectif": [_effectif("2018-01", 10)], "ratios_inpi": rows}
    found = values(engine, setting("2018-07", "2019-11"), facts, "chiffre_d_affaires", "ebe")
    assert found["chiffre_d_affaires"] == [None] + [900.0] * 13 + [None, None]
    assert found["ebe"] == [None] * 16
