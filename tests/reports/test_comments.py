"""The sentences of a report: which rule speaks, when, with which words and source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sample_report import EXERCICES, INDICATEURS, SIRET, VALUES, budgets, sample_table

from workbench.reports.comments import Comment, comments, enumerate_words, enumerate_years, load_seuils
from workbench.reports.numbers import format_number, format_rate, format_value, growth, mean_growth, typeset

NARROW, WIDE = "\u202f", "\u00a0"


def spoken(table: object) -> dict[str, Comment]:
    return {comment.regle: comment for comment in comments(table)}  # type: ignore[arg-type]


def debt(years: float, type_etablissement: str = "101") -> dict[str, Comment]:
    values = {"T_CAPACITE_DE_DESENDETTEMENT": (years,)}
    return spoken(sample_table(values, (2022,), budgets_table=budgets((2022,), type_etablissement=type_etablissement)))


@pytest.mark.parametrize(
    ("years", "type_etablissement", "rule"),
    [
        (12.0, "101", None),
        (12.01, "101", "capacite_desendettement_plafond_bloc_communal"),
        (15.0, "402", "capacite_desendettement_plafond_bloc_communal"),
        (15.01, "402", "capacite_desendettement_critique"),
        (10.5, "201", "capacite_desendettement_plafond_departements"),
        (10.5, "301", "capacite_desendettement_plafond_regions"),
        (10.5, "101", None),
        (13.0, "501", None),
        (15.5, "501", "capacite_desendettement_critique"),
        (-3.0, "101", "capacite_desendettement_negative"),
        (0.0, "101", None),
    ],
)
def test_debt_capacity_speaks_once_by_its_own_ceiling(years: float, type_etablissement: str, rule: str | None) -> None:
    found = [name for name in debt(years, type_etablissement) if name.startswith("capacite")]
    assert found == ([rule] if rule else [])


def test_a_threshold_says_value_exercice_rule_and_source() -> None:
    comment = spoken(sample_table())["capacite_desendettement_plafond_bloc_communal"]
    assert comment.texte == (
        f"Capacité de désendettement{WIDE}: 13,3{WIDE}ans en 2022, au-delà du plafond national de référence du bloc "
        f"communal, 12{WIDE}ans. Ce n’était pas le cas des exercices précédents du rapport."
    )
    assert "2018-32 du 22 janvier 2018" in comment.source
    assert "art. 29" in comment.source
    assert (comment.gravite, comment.exercice) == ("vigilance", 2022)


def test_earlier_crossings_are_told() -> None:
    values = {"T_EPARGNE_NETTE": (-1.0, 5.0, -2.0, -3.0)}
    assert "C’était déjà le cas en 2018 et 2020." in spoken(sample_table(values))["epargne_nette_negative"].texte
    always = {"T_EPARGNE_NETTE": (-1.0, -5.0, -2.0, -3.0)}
    assert "C’est le cas de tous les exercices" in spoken(sample_table(always))["epargne_nette_negative"].texte


def test_a_crossing_that_is_over_is_information() -> None:
    comment = spoken(sample_table({"T_EPARGNE_NETTE": (5.0, -100.0, 7.0, 9.0)}))["epargne_nette_negative"]
    assert comment.gravite == "information"
    assert f"{format_value(-100.0)} en 2019" in comment.texte
    assert f"Ce n’est plus le cas en 2022 (9{WIDE}€)." in comment.texte


@pytest.mark.parametrize(
    ("rate", "rule"),
    [
        (0.0799, "taux_epargne_brute_faible"),
        (0.08, "taux_epargne_brute_vigilance"),
        (0.1, None),
        (-0.02, "taux_epargne_brute_faible"),
        (0.0, None),
    ],
)
def test_savings_rate(rate: float, rule: str | None) -> None:
    found = [name for name in spoken(sample_table({"T_TAUX_D_EPARGNE_BRUTE": (rate,)}, (2022,))) if "taux" in name]
    assert found == ([rule] if rule else [])


def test_a_rule_ignores_another_unit() -> None:
    odd = replace(INDICATEURS[7], unite="euros")
    table = sample_table({odd.code: (40.0,)}, (2022,), indicateurs=(odd,))
    assert not [name for name in spoken(table) if name.startswith("capacite")]


def test_every_rule_can_speak() -> None:
    """Each threshold of the file, on an indicateur made for it, is crossed by a value just beyond."""
    for rule in load_seuils():
        beyond = rule.seuil + (0.001 if rule.comparaison == ">" else -0.001)
        factor = 100.0 if rule.unite == "pourcentage" else 1.0
        code = "A_" + rule.indicateurs[0].replace("*", "").strip("_")
        one = replace(INDICATEURS[0], code=code, unite=rule.unite)
        table = sample_table(
            {code: (beyond / factor,)}, (2022,), indicateurs=(one,),
            budgets_table=budgets((2022,), type_etablissement=(rule.types or ("101",))[0]),
        )  # fmt: skip
        assert rule.regle in [found.regle for found in comments(table, seuils=[rule])], rule.regle
        assert rule.crossed(rule.seuil / factor) is False


def test_what_limits_the_reading_is_told() -> None:
    found = spoken(sample_table())
    assert "2021" in found["exercices_absents"].texte
    assert "2022 sont provisoires" in found["comptes_provisoires"].texte
    assert "M14 en 2019 à M57A en 2020" in found["changement_de_nomenclature"].texte


def test_a_perimeter_that_changes_is_told() -> None:
    two = budgets().to_pylist() + budgets((2022,), siret="99900000200019", libelle="CCAS").to_pylist()
    table = sample_table(budgets_table=budgets().from_pylist(two))
    assert "CCAS (99900000200019) n’a pas de comptes pour 2018 à 2020" in spoken(table)["perimetre_variable"].texte


def test_a_sound_stable_commune_gets_no_comment() -> None:
    values = {"T_EPARGNE_NETTE": (100.0, 101.0), "T_CAPACITE_DE_DESENDETTEMENT": (4.0, 4.1)}
    sound = sample_table(values, (2018, 2019), budgets_table=budgets((2018, 2019), etat="D"))
    assert comments(sound) == []


def test_only_large_material_changes_speak() -> None:
    values = {
        "T_RECETTES_FONCTIONNEMENT": (10_000_000.0, 10_900_000.0),  # +9 %: below the bound
        "T_DEPENSES_FONCTIONNEMENT": (8_000_000.0, 9_000_000.0),  # +12,5 %
        "T_FRAIS_PERSONNEL": (10_000.0, 30_000.0),  # +200 %, of nothing much
    }
    found = [one for one in comments(sample_table(values, (2018, 2019))) if one.regle == "forte_variation"]
    assert [one.indicateur for one in found] == ["T_DEPENSES_FONCTIONNEMENT"]
    assert f"+12,5{WIDE}% de 2018 à 2019" in found[0].texte


def test_a_change_of_sign_speaks_unless_a_threshold_did() -> None:
    balance = replace(INDICATEURS[0], code="T_SOLDE", libelle="Solde")
    table = sample_table({"T_SOLDE": (500.0, -500.0)}, (2018, 2019), indicateurs=(balance,))
    assert "Solde change de signe" in spoken(table)["changement_de_signe"].texte
    assert "changement_de_signe" not in spoken(sample_table())


def test_alerts_come_first() -> None:
    order = [one.gravite for one in comments(sample_table())]
    assert order == sorted(order, key=["alerte", "vigilance", "information"].index)


def test_one_exercice_compares_nothing() -> None:
    values = {code: series[-1:] for code, series in VALUES.items()}
    assert "forte_variation" not in spoken(sample_table(values, EXERCICES[-1:]))


@pytest.mark.parametrize("fault", ["- regle: x\n", "- {regle: x, surprise: 1}\n"])
def test_a_file_of_thresholds_with_a_fault_is_refused(tmp_path: Path, fault: str) -> None:
    (tmp_path / "seuils.yaml").write_text(fault, encoding="utf-8")
    with pytest.raises((TypeError, ValueError)):
        load_seuils(tmp_path / "seuils.yaml")


def test_words() -> None:
    assert enumerate_words(["a"]) == "a"
    assert enumerate_words("abc") == "a, b et c"
    assert enumerate_years([2018]) == "2018"
    assert enumerate_years(range(2010, 2020)) == "2010 à 2019"
    assert SIRET not in " ".join(one.texte for one in comments(sample_table()))


@pytest.mark.parametrize(
    ("value", "unite", "text"),
    [
        (57_871_668.33, "euros", f"57{NARROW}871{NARROW}668{WIDE}€"),
        (-1234.5, "euros_par_habitant", f"\u22121{NARROW}234{WIDE}€/hab."),
        (0.12345, "pourcentage", f"12,3{WIDE}%"),
        (1.94, "annees", f"1,9{WIDE}an"),
        (2.0, "annees", f"2,0{WIDE}ans"),
        (0.5, "ratio", "0,500"),
        (float("nan"), "euros", "n. d."),
        (None, "euros", "n. d."),
        (-0.2, "euros", f"0{WIDE}€"),
    ],
)
def test_french_figures(value: float | None, unite: str, text: str) -> None:
    assert format_value(value, unite) == text


def test_rates_of_change() -> None:
    assert format_rate(-0.155) == f"\u221215,5{WIDE}%"
    assert growth(-100.0, -50.0) == -0.5  # a deficit halved
    assert growth(0.0, 1.0) is None
    assert mean_growth(100.0, 0.0, 3) == -1.0
    assert mean_growth(100.0, 100.0, 0) is None
    assert mean_growth(100.0, -5.0, 2) is None
    assert format_number(1e15, 0).count(NARROW) == 5


def test_typography_leaves_codes_alone() -> None:
    assert typeset("a:b « c » : d'e ; f !") == f"a:b «{WIDE}c{WIDE}»{WIDE}: d’e{WIDE}; f{WIDE}!"
