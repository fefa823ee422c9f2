"""The cleaned views, on companies small enough to compute by hand from the rules of the specification (5.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from history_files import say_rows, source_text

from workbench.signaux_faibles.history import History, open_history, views
from workbench.signaux_faibles.history import procol_views as procol
from workbench.signaux_faibles.history import sirene_views as sirene

A, B, OUT = "111111111", "222222222", "999999999"
A1, A2, B1 = f"{A}00001", f"{A}00002", f"{B}00001"
SCHOOL, ABROAD, CHURCH = "333333333", "444444444", "555555555"


def debit(siret: str, number: str, rank: int, treated: int, amount: int, employees: int = 0) -> dict[str, object]:
    return {
        "siret": siret,
        "num_cpte": "1",
        "Num_Ecn": number,
        "Num_Hist_Ecn": rank,
        "Dt_trt_ecn": treated,
        "Periode": "201711",
        "Mt_PP": amount,
        "Mt_PO": employees,
        "Recours_en_cours": 0,
    }


def place(siret: str, **more: object) -> dict[str, object]:
    return {
        "siren": siret[:9],
        "nic": siret[9:],
        "etablissementSiege": "true",
        "codeCommuneEtablissement": "75056",
        "codePostalEtablissement": "75001",
        "nomenclatureActivitePrincipaleEtablissement": "NAFRev2",
        "activitePrincipaleEtablissement": "52.21Z",
        "etatAdministratifEtablissement": "A",
        **more,
    }


def unit(siren: str, **more: object) -> dict[str, object]:
    return {
        "siren": siren,
        "denominationUniteLegale": f"SOCIÉTÉ {siren[0]}",
        "categorieJuridiqueUniteLegale": "5499",
        "activitePrincipaleUniteLegale": "52.21Z",
        "nomenclatureActivitePrincipaleUniteLegale": "NAFRev2",
        "etatAdministratifUniteLegale": "A",
        **more,
    }


def request_(siret: str, first: str, last: str, hours: float, motive: int) -> dict[str, object]:
    return {
        "ID_DA": f"{siret}{first}",
        "ETAB_SIRET": siret,
        "DATE_STATUT": first,
        "DATE_DEB": first,
        "DATE_FIN": last,
        "HTA": hours,
        "MOTIF_RECOURS_SE": motive,
    }


FILES = {
    "debit": source_text(
        "debit",
        [
            # Number 1 owes 100 in January, pays 40 on the 20th and 10 more on the 21st, which counts in February.
            debit(A1, "1", 1, 1170105, 10000, 3000),
            debit(A1, "1", 2, 1170120, 6000, 3000),
            debit(A1, "1", 3, 1170121, 5000, 0),
            # Number 2 begins in February, and is twice in that month: the highest rank wins.
            debit(A1, "2", 2, 1170203, 2500),
            debit(A1, "2", 1, 1170204, 9900),
            debit(OUT + "00001", "1", 1, 1170105, 100),
        ],
        "siret",
    ),
    "cotisation": source_text(
        "cotisation",
        [
            {"siret": A1, "Compte": "1", "periode": "201711", "cotis_due": "10,50"},
            {"siret": A1, "Compte": "2", "periode": "201711", "cotis_due": "4.50"},
            {"siret": A1, "Compte": "2", "periode": "201712", "cotis_due": "1"},
        ],
        "siret",
    ),
    "delai": source_text(
        "delai",
        [
            {"siret": siret, "Date_creation": "01/02/2017", "Date_echeance": "01/08/2017", "Duree_delai": 181}
            for siret in (A1, OUT + "00001")
        ],
        "siret",
    ),
    "effectif": f"siret;compte;eff201711;eff201712\n{A1};1;5;6\n{A1};2;7;\n{A2};3;0;\n{OUT}00001;4;9;9\n",
    "effectif_ent": f"siren;eff201711;eff201712\n{A};12.0;6.4\n{OUT};1;1\n",
    "apdemande": source_text(
        "apdemande",
        [
            request_(A1, "2017-01-15", "2017-02-28", 151.67, 1),
            request_(A1, "2017-02-01", "2017-02-10", 303.34, 3),
            request_(A1, "2017-02-01", "2017-02-11", 0, 1),
        ],
    ),
    "apconso": source_text(
        "apconso",
        [
            {"ID_DA": "1", "ETAB_SIRET": A1, "MOIS": "2017-02-01", "HEURES": 151.67, "MONTANTS": 1, "EFFECTIFS": 1},
            {"ID_DA": "2", "ETAB_SIRET": A1, "MOIS": "2017-03-01", "HEURES": 75.835, "MONTANTS": 1, "EFFECTIFS": 1},
        ],
    ),
    "procol": source_text(
        "procol",
        [
            {"Siret": A1, "Dt_effet": "26MAY2014", "Lib_actx_stdx": "redressement_ouverture"},
            {"Siret": A2, "Dt_effet": "26MAY2015", "Lib_actx_stdx": "redressement_plan_continuation"},
            {"Siret": A1, "Dt_effet": "10JAN2017", "Lib_actx_stdx": "liquidation_ouverture"},
            {"Siret": A1, "Dt_effet": "01MAR2017", "Lib_actx_stdx": "solde_procedure_liquidation"},
            {"Siret": B1, "Dt_effet": "01MAR2017", "Lib_actx_stdx": "sauvegarde_ouverture"},
            {"Siret": B1, "Dt_effet": "01APR2017", "Lib_actx_stdx": "fin_procedure_sauvegarde"},
        ],
    ),
    "sirene": source_text(
        "sirene",
        [
            place(A1, numeroVoieEtablissement="2", indiceRepetitionEtablissement="B", typeVoieEtablissement="AV",
                  libelleVoieEtablissement="DU PRADO", libelleCommuneEtablissement="PARIS"),
            place(A2, etablissementSiege="false"),
            place(B1),
            place(SCHOOL + "00001"),
            place(CHURCH + "00001"),
            place(ABROAD + "00001", codeCommuneEtablissement="", codePostalEtablissement=""),
            place(ABROAD + "00002", etablissementSiege="false"),
        ],
        ),
    "sirene_ul": source_text(
        "sirene_ul",
        [
            unit(A),
            unit(B, denominationUniteLegale="", prenom1UniteLegale="MARIE", nomUniteLegale="DUPONT",
                 categorieJuridiqueUniteLegale="1000"),
            unit(SCHOOL, activitePrincipaleUniteLegale="84.12Z"),
            unit(ABROAD),
            unit(CHURCH, categorieJuridiqueUniteLegale="7210"),
        ],
    ),
    "sirene_histo": source_text(
        "sirene_histo",
        [
            {"siret": A1, "dateDebut": start, "dateFin": "", "etatAdministratifEtablissement": state,
             "changementEtatAdministratifEtablissement": "false"}
            for start, state in (("2010-01-01", "A"), ("2012-01-01", "A"), ("2015-03-01", "F"), ("2016-01-01", "A"))
        ],
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    folder = tmp_path_factory.mktemp("views")
    address = str(folder / "historique.duckdb")
    if request.param == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_postgresql")
        address = new_database()
    with open_history(address, read_only=False) as opened:
        say_rows(opened, folder, "1802", FILES, [A, B, SCHOOL, ABROAD, CHURCH])
        yield opened


def rows(history: History, statement: Any, *names: str) -> list[tuple[Any, ...]]:
    found = history.fetch(statement).to_pylist()
    return sorted(tuple(row[name] for name in names or row) for row in found)


def month(number: int, year: int = 2017) -> date:
    return date(year, number, 1)


def test_companies_watched(history: History) -> None:
    assert rows(history, views.clean_filter(history)) == [(A,), (B,)]


def test_debts(history: History) -> None:
    assert rows(history, views.clean_debit(history)) == [
        (A1, month(1), 30.0, 60.0, False),
        (A1, month(2), 0.0, 75.0, True),
    ]


def test_contributions(history: History) -> None:
    assert rows(history, views.clean_cotisation(history)) == [(A1, month(1), 15.0), (A1, month(2), 1.0)]


def test_delays_pass_through(history: History) -> None:
    assert rows(history, views.clean_delai(history), "siret", "duree_delai") == [(A1, 181)]


def test_workforce(history: History) -> None:
    assert rows(history, views.clean_effectif(history)) == [
        (A1, month(1), 12, False),
        (A1, month(2), 6, True),
        (A2, month(1), 0, False),
    ]
    assert rows(history, views.clean_effectif_ent(history)) == [(A, month(1), 12, False), (A, month(2), 6, True)]


def test_partial_activity(history: History) -> None:
    found = rows(history, views.clean_ap(history))
    labels = [views.MOTIVES[1], f"{views.MOTIVES[1]}; {views.MOTIVES[3]}", None]
    assert [(row[0], row[1], row[4], row[5]) for row in found] == [
        (A1, month(1), labels[0], False),
        (A1, month(2), labels[1], False),
        (A1, month(3), labels[2], True),
    ]
    assert [row[2:4] for row in found] == [(1.0, None), (pytest.approx(3.0), 1.0), (None, 0.5)]


def test_procedures(history: History) -> None:
    names = ("siren", "date_effet", "libelle")
    assert rows(history, procol.clean_procol(history), *names) == [
        (A, date(2014, 5, 26), "Redressement judiciaire"),
        (A, date(2015, 5, 26), "Plan de redressement"),
        (A, date(2017, 1, 10), "Liquidation judiciaire"),
        (B, date(2017, 3, 1), "Sauvegarde"),
        (B, date(2017, 4, 1), "In bonis"),
    ]

    def at(year: int, number: int, day: int = 1) -> list[tuple[Any, ...]]:
        return rows(history, procol.procol_at_date(history, date(year, number, day)), "siren", "libelle")

    assert at(2014, 5, 25) == []
    assert at(2014, 5, 26) == [(A, "Redressement judiciaire")]
    assert at(2016, 1) == [(A, "Plan de redressement")]
    # The gravest of two that last, whichever came last; the one that has ended counts no more.
    assert at(2017, 3) == [(A, "Liquidation judiciaire"), (B, "Sauvegarde")]
    assert at(2017, 4) == [(A, "Liquidation judiciaire")]


def test_old_plans_are_forgotten(history: History, tmp_path: Path) -> None:
    text = source_text(
        "procol", [{"Siret": A1, "Dt_effet": "01FEB2006", "Lib_actx_stdx": "sauvegarde_plan_continuation"}]
    )
    with open_history(tmp_path / "h.duckdb", read_only=False) as other:
        say_rows(other, tmp_path, "1802", {"procol": text}, [A])
        found = rows(other, procol.clean_procol_at_date(other), "siren", "periode", "libelle")
        assert found == [(A, month(1, 2016), "Plan de sauvegarde")]


def test_procedures_month_by_month(history: History) -> None:
    found = rows(history, procol.clean_procol_at_date(history), "siren", "periode", "libelle")
    plan = [(A, month(n, 2016), "Plan de redressement") for n in range(1, 13)] + [(A, month(1), "Plan de redressement")]
    after = [(A, month(n), "Liquidation judiciaire") for n in range(2, 13)]
    after += [(A, month(n, 2018), "Liquidation judiciaire") for n in (1, 2)]
    assert found == [*plan, *after, (B, month(3), "Sauvegarde")]


def test_directory(history: History) -> None:
    found = {row[0]: row for row in rows(history, sirene.clean_sirene(history), "siret", "adresse", "section")}
    assert len(found) == 7
    assert found[A1] == (A1, "2 BIS AVENUE DU PRADO, 75001 PARIS", "H")
    names = ("siren", "raison_sociale", "libelle_statut")
    units = {row[0]: row for row in rows(history, sirene.clean_sirene_ul(history), *names)}
    assert units[A] == (A, "SOCIÉTÉ 1", "Société commerciale")
    assert units[B] == (B, "MARIE DUPONT EI", "Entrepreneur individuel")


def test_changes_of_state(history: History) -> None:
    assert rows(history, sirene.clean_sirene_histo(history)) == [
        (A1, date(2010, 1, 1), date(2015, 2, 28), True),
        (A1, date(2015, 3, 1), date(2015, 12, 31), False),
        (A1, date(2016, 1, 1), None, True),
    ]
