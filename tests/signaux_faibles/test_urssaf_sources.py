"""The files of the URSSAF: effectif, cotisation, debit, delai, ccsf, procol, accounts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from partner_files import ACCOUNTS, OTHER, SIRET, columns, counters, lines, read_text, reasons, write

from workbench.signaux_faibles.reading import read_source, tuple_values
from workbench.signaux_faibles.sources import source_named

DEBIT = (
    "num_cpte;Siren;Dt_immat;Etat_cpte;Cd_pro_col;Periode;Num_Ecn;Num_Hist_Ecn;Dt_trt_ecn;Mt_PO;Mt_PP;Cd_op_ecn;"
    "Motif_ecn;Recours_en_cours"
)


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    return write(tmp_path, "sigfaible_etablissement_utf8.csv", ACCOUNTS)


def test_effectif_gives_a_tuple_a_month_and_keeps_zeros(tmp_path: Path) -> None:
    content = read_text(
        tmp_path,
        "effectif",
        lines(
            "Compte;SIRET;rais_soc;ape_ins;dep;eff202041;eff202042;eff202043;base;UR_EMET",
            f"1;{SIRET};A;5221Z;75;1 234;0;;116;75",
            f"2;{OTHER};B;5221Z;99;-;;;116;75",
            "3;123;C;5221Z;75;10;;;116;75",
        ),
    )
    assert counters(content) == (3, 1, 0, 2)
    assert columns(content, "siret", "numero_compte", "periode", "effectif") == [
        (SIRET, "1", date(2020, 10, 1), 1234),
        (SIRET, "1", date(2020, 11, 1), 0),
    ]
    assert content.report.first_rejected == ((3, "siret invalide : 123"),)


@pytest.mark.parametrize(("type_", "key", "name"), [("effectif", SIRET, "siret"), ("effectif_ent", SIRET[:9], "siren")])
def test_effectif_by_the_rules_of_2021_has_no_zeros(tmp_path: Path, type_: str, key: str, name: str) -> None:
    text = lines(f"{name};compte;eff202041;eff202042", f"{key};1;0;12", f"{key};1;;0")
    content = read_text(tmp_path, type_, text, era="H21")
    assert columns(content, "periode", "effectif") == [(date(2020, 11, 1), 12)]
    assert counters(content) == (2, 0, 0, 2)


def test_effectif_ent_drops_decimals_and_a_wrong_month_takes_nothing_from_the_others(tmp_path: Path) -> None:
    content = read_text(
        tmp_path, "effectif_ent", lines("siren;eff201011;eff201012", "111111111;12.9;1 0", "222222222;a;7")
    )
    assert counters(content) == (2, 1, 0, 1)
    assert content.report.lines_partial == 1
    assert columns(content, "siren", "effectif") == [("111111111", 12), ("111111111", 10), ("222222222", 7)]
    assert reasons(content) == [(2, "2010-01", "a")]


PERIODS = {
    "1022": (date(2010, 5, 1), date(2010, 6, 1)),
    "9912": (date(1999, 2, 1), date(1999, 3, 1)),
    "201712": (date(2017, 2, 1), date(2017, 3, 1)),
    "201720": (date(2017, 4, 1), date(2017, 7, 1)),
    "201762": (date(2017, 1, 1), date(2018, 1, 1)),
    "201743": (date(2017, 12, 1), date(2018, 1, 1)),
}
NO_PERIODS = ("", "2017", "20171", "201714", "201752", "201763", "2017120", "abcdef")


def test_periods_of_the_urssaf(tmp_path: Path) -> None:
    rows = [f"{SIRET};1;{code};1,25;2.5" for code in (*PERIODS, *NO_PERIODS)]
    content = read_text(tmp_path, "cotisation", lines("Siret;Compte;periode;enc_direct;cotis_due", *rows))
    assert columns(content, "periode_debut", "periode_fin") == list(PERIODS.values())
    assert set(columns(content, "encaisse", "du")) == {(1.25, 2.5)}
    first = len(PERIODS) + 1
    assert reasons(content) == [(line, "periode", code) for line, code in enumerate(NO_PERIODS, start=first)]


def test_cotisation_by_account(tmp_path: Path, accounts: Path) -> None:
    text = lines(
        "Compte;periode;enc_direct;cotis_due",
        "636043216536562844;201641;100,50;200",
        "636043216536562844;201711;;200",
        "unknown;201711;x;200",
        "450359886246036238;201842;1;1",
        "111982477292496174;201711;x;1",
        "111982477292496174;2017;1;1",
    )
    content = read_text(tmp_path, "cotisation", text, comptes=[accounts])
    # An account that nobody knows is left aside whatever else is wrong; a date that cannot be read is an error.
    assert counters(content) == (6, 2, 2, 2)
    assert columns(content, "siret", "encaisse", "du") == [(SIRET, 100.5, 200.0), (OTHER, None, 200.0)]
    assert reasons(content) == [(5, "enc_direct", "x"), (6, "periode", "2017")]
    assert content.report.era == "H21"
    narrowed = read_text(tmp_path, "cotisation", text, comptes=[accounts], perimetre=["222222222"])
    assert counters(narrowed) == (6, 2, 3, 1)
    assert columns(narrowed, "siret") == [(OTHER,)]


def test_accounts_are_required_where_no_siret_is_named(tmp_path: Path) -> None:
    content = read_text(tmp_path, "cotisation", lines("Compte;periode;enc_direct;cotis_due", "1;201711;1;1"))
    assert content.report.is_fatal
    assert "fichier de comptes" in content.report.fatal_errors[0]


def test_debit(tmp_path: Path) -> None:
    rows = (
        f"1;;;1;0;201511;397;2;1150121;12345;-5;1;1;0;{SIRET}",
        f"1;;;1;0;201511;397;3;1150120;0;7.5;1;;true;{SIRET}",
    )
    content = read_text(tmp_path, "debit", lines(DEBIT + ";Siret", *rows))
    assert counters(content) == (2, 0, 0, 2)
    first, second = content.tuples.to_pylist()
    assert first == {
        "siret": SIRET,
        "numero_compte": "1",
        "numero_ecart_negatif": "397",
        "date_traitement": date(2015, 1, 21),
        "part_ouvriere": 123.45,
        "part_patronale": -0.05,
        "numero_historique": 2,
        "etat_compte": 1,
        "code_procedure_collective": "0",
        "periode_debut": date(2015, 1, 1),
        "periode_fin": date(2015, 2, 1),
        "code_operation_ecart_negatif": "1",
        "code_motif_ecart_negatif": "1",
        "recours_en_cours": False,
        "periode_prise_en_compte": date(2015, 2, 1),
        "debit_id": f"{SIRET}2015010120150201397",
    }
    assert (second["part_patronale"], second["recours_en_cours"]) == (0.08, True)
    assert second["periode_prise_en_compte"] == date(2015, 1, 1)
    assert tuple_values(source_named("debit"), first)["periode"]["end"] == "2015-02-01T00:00:00Z"


WRONG = [
    (3, "x", "Etat_cpte"),
    (5, "1", "Periode"),
    (7, "1.5", "Num_Hist_Ecn"),
    (8, "", "Dt_trt_ecn"),
    (8, "1150231", "Dt_trt_ecn"),
    (8, "2015-01-01", "Dt_trt_ecn"),
    (9, "", "Mt_PO"),
    (10, "douze", "Mt_PP"),
    (13, "peut-être", "Recours_en_cours"),
    (13, "", "Recours_en_cours"),
    (14, "1234", "Siret"),
    (14, "1111111110001A", "Siret"),
]


def test_any_error_of_a_debit_leaves_no_tuple(tmp_path: Path) -> None:
    rows = []
    for place, value, _ in WRONG:
        cells = f"1;;;1;0;201511;397;2;1150121;12345;5;1;1;0;{SIRET}".split(";")
        cells[place] = value
        rows.append(";".join(cells))
    content = read_text(tmp_path, "debit", lines(DEBIT + ";Siret", *rows))
    assert counters(content) == (len(WRONG), len(WRONG), 0, 0)
    assert content.tuples.num_rows == 0
    assert reasons(content) == [(line, column, value) for line, (_, value, column) in enumerate(WRONG, start=1)]


def test_lines_that_are_no_records_are_counted_and_named(tmp_path: Path) -> None:
    good = f"1;;;1;0;201511;397;2;1150121;12345;5;1;1;0;{SIRET}"
    content = read_text(
        tmp_path, "debit", lines(DEBIT + ";Siret", good, "1;;;1", good.replace("397", '3"97'), "", good + ";", good)
    )
    assert counters(content) == (5, 3, 0, 2)
    assert [line for line, _ in content.report.first_rejected] == [2, 3, 4]
    assert "guillemet" in content.rejected["motif"][1].as_py()


@pytest.mark.parametrize(
    ("code", "day"), [("1180203", (2018, 2, 3)), ("990612", (1999, 6, 12)), ("1050824", (2005, 8, 24))]
)
def test_dates_of_the_urssaf(tmp_path: Path, code: str, day: tuple[int, int, int]) -> None:
    header = "Siret;Compte;Date_de_traitement;Code_externe_stade;Code_externe_action"
    content = read_text(tmp_path, "ccsf", lines(header, f"{SIRET};1;{code};APPROB;CCSF"))
    assert columns(content, "date_traitement", "stade", "action") == [(date(*day), "APPROB", "CCSF")]


def test_ccsf_knows_its_stages(tmp_path: Path, accounts: Path) -> None:
    header = "Compte;Date_de_traitement;Code_externe_stade;Code_externe_action"
    rows = [f"111982477292496174;1170101;{stage};CCSF" for stage in ("DEBUT", "REFUS", "FIN", "REJ", "AUTRE")]
    content = read_text(tmp_path, "ccsf", lines(header, *rows, "111982477292496174;1170101;FIN;X"), comptes=[accounts])
    assert counters(content) == (6, 2, 0, 4)
    assert reasons(content) == [(5, "Code_externe_stade", "AUTRE"), (6, "Code_externe_action", "X")]


DELAI = (
    "Numero_compte_externe;Numero_structure;Date_creation;Date_echeance;Duree_delai;Denomination_premiere_ligne;"
    "Indic_6M;Annee_creation;Montant_global_echeancier;Code_externe_stade;Code_externe_action"
)


def test_delai(tmp_path: Path, accounts: Path) -> None:
    rows = (
        "111982477292496174;C1;10/01/2017;10/07/2017;181;ACME;INF;2017;1234,56;APPROB;SUR ACCORD",
        "111982477292496174;C1;2017-01-10;10/07/2017;181;ACME;INF;2017;1234,56;APPROB;SUR ACCORD",
        "111982477292496174;C1;10/01/2017;31/02/2017;cent;ACME;INF;2017;beaucoup;APPROB;SUR ACCORD",
        "personne;C1;10/01/2017;10/07/2017;181;ACME;INF;2017;1234.56;APPROB;SUR ACCORD",
    )
    content = read_text(tmp_path, "delai", lines(DELAI, *rows), comptes=[accounts])
    assert counters(content) == (4, 2, 1, 1)
    assert columns(content, "numero_contentieux", "duree_delai", "montant_echeancier", "indic_6m", "action") == [
        ("C1", 181, 1234.56, "INF", "SUR ACCORD")
    ]
    assert reasons(content) == [
        (2, "Date_creation", "2017-01-10"),
        (3, "Date_echeance", "31/02/2017"),
        (3, "Duree_delai", "cent"),
        (3, "Montant_global_echeancier", "beaucoup"),
    ]


def test_procol_splits_its_label(tmp_path: Path) -> None:
    labels = {
        "Solde_procedure_redressement": ("redressement", "solde_procedure"),
        "REDRESSEMENT_plan_continuation": ("redressement", "plan_continuation"),
        "liquidation_Ouverture": ("liquidation", "ouverture"),
        "inclusion_autre_procedure_sauvegarde": ("sauvegarde", "inclusion_autre_procedure"),
        "cloture_insuffisance_liquidation_actif": ("liquidation", "cloture_insuffisance_actif"),
    }
    wrong = ("sauvegarde", "redressement_inconnu", "ouverture", "")
    header = "SIRET;siren;dt_effet;cat_v2;lib_actx_stdx"
    rows = [f"{SIRET};;26MAY2014;;{label}" for label in (*labels, *wrong)]
    content = read_text(tmp_path, "procol", lines(header, *rows, f"{SIRET};;26MAI14;;liquidation_ouverture"))
    assert columns(content, "action_procol", "stade_procol") == list(labels.values())
    assert counters(content) == (10, 5, 0, 5)
    assert [value for _, _, value in reasons(content)] == [*wrong, "26MAI14"]
    older = read_text(tmp_path, "procol", lines(header, *rows), era="H21")
    assert counters(older) == (9, 2, 0, 7)
    assert ("redressement", "inconnu") in columns(older, "action_procol", "stade_procol")


def test_accounts_give_a_tuple_a_month(tmp_path: Path, accounts: Path) -> None:
    content = read_source("admin_urssaf", accounts, start=date(2018, 12, 1), end=date(2019, 1, 1))
    assert counters(content) == (3, 1, 0, 2)
    assert content.report.journal()["headRejected"] == [
        "Line 2: Pas de siret associé au compte 450359886246036238 à la période 2018-12-01 00:00:00 +0000 UTC"
    ]
    assert columns(content, "numero_compte", "siret") == [
        ("111982477292496174", SIRET),
        ("636043216536562844", OTHER),
    ]


def test_accounts_of_others_are_left_out(tmp_path: Path, accounts: Path) -> None:
    content = read_source(
        "admin_urssaf", accounts, start=date(2016, 12, 1), end=date(2017, 2, 1), perimetre=["222222222"]
    )
    assert counters(content) == (2, 0, 1, 1)
    assert columns(content, "siret", "periode") == [(OTHER, date(2017, 1, 1))]


HEAD = "Compte;Siret;Date_crea_siret;Date_disp_siret"


@pytest.mark.parametrize(
    ("entries", "month", "expected"),
    [
        # Closing dates rule, whatever the order of the lines.
        ([("A", "", ""), ("B", "", "1160101")], date(2015, 12, 1), "B"),
        ([("A", "", ""), ("B", "", "1160101")], date(2016, 1, 1), "A"),
        # An établissement that did not exist yet does not take the debt of another.
        ([("A", "1160101", "1170101"), ("B", "1100101", "1180101")], date(2015, 1, 1), "B"),
        ([("A", "1160101", "1170101"), ("B", "1100101", "1180101")], date(2016, 6, 1), "A"),
        # Alone, it is the best that is known.
        ([("A", "1160101", "")], date(2015, 1, 1), "A"),
        ([("A", "", "1150101")], date(2015, 1, 1), None),
        ([("A", "", "1150101")], date(2014, 12, 1), "A"),
    ],
)
def test_an_account_belongs_to_whom_it_is_attached_at_the_date(
    tmp_path: Path, entries: list[tuple[str, str, str]], month: date, expected: str | None
) -> None:
    names = {"A": SIRET, "B": OTHER}
    path = write(tmp_path, "a.csv", lines(HEAD, *(f"1;{names[name]};{start};{end}" for name, start, end in entries)))
    after = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    content = read_source("admin_urssaf", path, start=month, end=after)
    assert columns(content, "siret") == ([(names[expected],)] if expected else [])


def test_a_later_file_of_accounts_replaces_what_is_known_of_an_account(tmp_path: Path) -> None:
    first = write(tmp_path, "a.csv", lines(HEAD, f"1;{SIRET};;", f"2;{SIRET};;"))
    second = write(tmp_path, "b.csv", lines(HEAD, f"1;{OTHER};;1200101"))
    text = lines("Compte;periode;enc_direct;cotis_due", "1;201711;1;1", "2;201711;1;1", "1;202111;1;1")
    content = read_text(tmp_path, "cotisation", text, comptes=[first, second])
    assert columns(content, "siret") == [(OTHER,), (SIRET,)]
    assert counters(content) == (3, 0, 1, 2)


def test_a_wrong_closing_date_stops_the_accounts(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", lines(HEAD, f"1;{SIRET};;hier"))
    content = read_source("admin_urssaf", path, end=date(2017, 1, 1))
    assert content.report.is_fatal
    assert "hier" in content.report.fatal_errors[0]
