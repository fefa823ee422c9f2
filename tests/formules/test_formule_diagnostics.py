"""One bad text for each diagnostic, with its words and its place."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from formule_strategies import formule_like
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.formules import (
    DIAGNOSTICS,
    Diagnostic,
    FormuleSyntaxError,
    Span,
    check_formule,
    format_diagnostic,
    parse_formule,
)
from workbench.formules.words import MAX_DEPTH, MAX_LENGTH


@dataclass(frozen=True)
class Bad:
    """A text, the code it must give, the excerpt that is pointed at, words of the sentence and of the hint."""

    code: str
    text: str
    excerpt: str
    sentence: str
    hint: str = ""
    known: Any = None
    name: str | None = None


BAD = [
    Bad("texte_trop_long", "1" * (MAX_LENGTH + 1), "", "100001 caractères ; la limite est de 100000", "Répartissez"),
    Bad("formule_trop_longue", "1" + "+1" * 6000, "1", "plus de 12000 éléments", "Répartissez"),
    Bad(
        "imbrication_trop_profonde",
        "(" * (MAX_DEPTH + 1) + "1",
        "(",
        "Plus de 200 parenthèses ou signes",
        "Répartissez",
    ),
    Bad("nombre_trop_long", "1+" + "2" * 29, "2" * 29, "29 chiffres ; la limite est de 28"),
    Bad("compte_trop_long", "C" + "7" * 21 + "[TA:BX]", "C" + "7" * 21, "21 chiffres ; la limite est de 20"),
    Bad("caractere_inattendu", "A_B%2", "%", "« % » n'a pas de sens", "pourcentage"),
    Bad("caractere_inattendu", "A_B−2", "−", "« − » n'a pas de sens", "Écrivez « - »"),
    Bad("caractere_inattendu", "A_B×2", "×", "« × » n'a pas de sens", "Écrivez « * »"),
    Bad("caractere_inattendu", ".5*A_B", ".", "« . » n'a pas de sens", "Écrivez 0.5"),
    Bad("caractere_inattendu", "A_B]", "]", "« ] » n'a pas de sens", "pas été ouvert"),
    Bad("caractere_inattendu", "A_B=C_D", "=", "« = » n'a pas de sens", "sans signe égal"),
    Bad("virgule_decimale", "0,5*A_B", ",", "La virgule n'est pas acceptée", "le point : 0.5"),
    Bad("mot_inconnu", "EPARGNE", "EPARGNE", "« EPARGNE » n'est ni un nombre", "au moins un souligné : A_EPARGNE"),
    Bad("mot_inconnu", "c70[TA:BX]", "c70", "« c70 » n'est ni", "Écrivez C70, en capitales"),
    Bad("mot_inconnu", "m14_épargne", "m14_épargne", "n'est ni", "Écrivez M14_EPARGNE, en capitales et sans accent"),
    Bad("mot_inconnu", "C7O[TA:BX]", "C7O", "« C7O » n'est ni", "Écrivez C70, avec des chiffres"),
    Bad("mot_inconnu", "C 70[TA:BX]", "C", "« C » n'est ni", "Supprimez le blanc : C70"),
    Bad("mot_inconnu", "SD[TA:BX]", "SD", "« SD » n'est ni", "SD suivi d'un numéro de compte : SD70"),
    Bad("mot_inconnu", "A_B/$POPX", "$POPX", "« $POPX » n'est ni", "$POP, la population"),
    Bad("mot_inconnu", "A__B", "A__B", "« A__B » n'est ni", "A_B"),
    Bad("crochet_non_ferme", "C70[TA:BX+2", "[TA:BX", "« [TA:BX » n'est pas fermé", "Écrivez [TA:BX]"),
    Bad("crochet_non_ferme", "A_B[", "[", "« [ » n'est pas fermé", "Crochets acceptés : [TA:…], [OS:…], [RE-MIN:…]"),
    Bad("crochet_mal_forme", "C70[TA BX]", "[TA BX]", "« [TA BX] » est mal formé", "Écrivez [TA:BX]"),
    Bad("crochet_mal_forme", "C70[ta:bx]", "[ta:bx]", "mal formé", "Écrivez [TA:BX]"),
    Bad("crochet_mal_forme", "C70[TA:]", "[TA:]", "mal formé", "Écrivez [TA:BX]"),
    Bad("crochet_mal_forme", "A_B[RE_MIN=2014]", "[RE_MIN=2014]", "mal formé", "Écrivez [RE-MIN:2014]"),
    Bad("crochet_mal_forme", "A_B[]", "[]", "mal formé", "[CAL:…]"),
    Bad("crochet_inconnu", "A_B[FOO:1]", "[FOO:1]", "« [FOO:1] » est inconnu", "[TA:…], [OS:…]"),
    Bad("crochet_inconnu", "A_B[MIN:2014]", "[MIN:2014]", "inconnu", "Écrivez [RE-MIN:2014]"),
    Bad(
        "crochet_double",
        "A_B[RE-MIN:2012][RE-MIN:2014]",
        "[RE-MIN:2014]",
        "plusieurs crochets RE-MIN : seul le premier, « [RE-MIN:2012] »",
        "Supprimez « [RE-MIN:2014] »",
    ),
    Bad("crochet_sans_expression", "[TA:BX]", "[TA:BX]", "« [TA:BX] » n'a rien à sa gauche", "après ce qu'il complète"),
    Bad("crochet_sans_expression", "A_B*([OS:M1]2)", "[OS:M1]", "n'a rien à sa gauche"),
    Bad(
        "crochet_mal_place",
        "C70[RE-MIN:2014][TA:BX]",
        "[TA:BX]",
        "« [TA:BX] » suit « [RE-MIN:2014] », qui termine le segment",
        "avant « [RE-MIN:2014] »",
    ),
    Bad(
        "condition_entre_parentheses",
        "(A_B[RE-MIN:2014])",
        "[RE-MIN:2014]",
        "ne peut pas se trouver entre parenthèses",
        "à la fin du segment",
    ),
    Bad("type_appel_absent", "C70+D60[TA:BX]+D61", "D61", "La variable D61 n'a pas de type d'appel", "SX, SS, BR, BO"),
    Bad(
        "type_appel_incorrect",
        "C70[TA:ZZ]",
        "[TA:ZZ]",
        "Le type d'appel « ZZ » n'existe pas",
        "SX, SS, BR, BO, NB, BE, BX",
    ),
    Bad(
        "type_appel_impossible",
        "SD16-SC16[TA:NB]",
        "SD16",
        "Le type d'appel NB n'existe pas pour SD16",
        "SX, SS, BR, BE, BX ; avec NB, écrivez D16",
    ),
    Bad("type_appel_sans_variable", "C70[TA:BX][TA:BR]", "[TA:BR]", "« [TA:BR] » ne donne son type d'appel à aucune"),
    Bad("type_appel_sans_variable", "A_B[TA:BX]", "[TA:BX]", "à aucune variable", "depuis le [TA:…] précédent"),
    Bad(
        "type_appel_autre_segment",
        "C73[RE-MAX:2013]C74[TA:BX]",
        "C73",
        "La variable C73 reçoit son type d'appel d'un autre segment, par « [TA:BX] »",
        "à la fin du segment de C73",
    ),
    Bad(
        "variable_deux_types_appel",
        "C16[TA:BE]+C16[TA:BR]",
        "C16",
        "C16 a deux types d'appel dans le même segment, BE et BR",
        "OpenAnafi appliquait partout le dernier",
    ),
    Bad("decalage_incorrect", "A_B[OS:M123]+0", "[OS:M123]", "Le décalage « M123 » n'existe pas", "de 0 à 99"),
    Bad("decalage_incorrect", "A_B[OS:1]", "[OS:1]", "Le décalage « 1 » n'existe pas", "M ou P"),
    Bad(
        "decalage_sans_indicateur",
        "2[OS:M1]",
        "[OS:M1]",
        "« [OS:M1] » ne suit aucun indicateur",
        "faites-en un indicateur",
    ),
    Bad("decalage_sans_indicateur", "A_B[OS:M1][OS:M2]", "[OS:M2]", "« [OS:M2] » ne suit aucun indicateur"),
    Bad("decalage_eloigne", "A_B+C10[TA:SS][OS:M1]", "[OS:M1]", "« [OS:M1] » décale A_B seul", "juste après A_B"),
    Bad("decalage_eloigne", "(A_B-C_D)[OS:M1]", "[OS:M1]", "décale C_D seul"),
    Bad(
        "exercice_incorrect",
        "A_B[RE-MIN:20XX]",
        "[RE-MIN:20XX]",
        "« 20XX » n'est pas un exercice",
        "[RE-MIN:2014], ou #",
    ),
    Bad("exercice_incorrect", "A_B[RE-MAX:14]", "[RE-MAX:14]", "« 14 » n'est pas un exercice", "[RE-MAX:2014]"),
    Bad(
        "exercices_inverses",
        "A_B[RE-MIN:2015][RE-MAX:2013]",
        "[RE-MAX:2013]",
        "Le premier exercice, 2015, est après le dernier, 2013",
        "Inversez",
    ),
    Bad(
        "type_budget_incorrect",
        "A_B[TB:XX]",
        "[TB:XX]",
        "Le type de budget « XX » n'existe pas",
        "BP pour un budget principal",
    ),
    Bad(
        "type_etablissement_inhabituel",
        "A_B[TE:ABC]",
        "[TE:ABC]",
        "« ABC » n'est pas un type d'établissement",
        "[TE:101]",
    ),
    Bad("formule_vide", "", "", "La formule est vide", "C70[TA:BX]"),
    Bad("formule_vide", " \u00a0\n", "", "La formule est vide"),
    Bad("operateur_manquant", "A_B(C_D)", "A_B(", "Il manque un opérateur entre « A_B » et « ( »", "+ - * / ou ^"),
    Bad("operateur_manquant", "A_B C_D", "A_B C_D", "entre « A_B » et « C_D »"),
    Bad("operateur_manquant", "10 000", "10 000", "entre « 10 » et « 000 »", "sans blanc : 10000"),
    Bad("operande_manquante", "*A_B", "*", "Il manque une valeur avant « * »"),
    Bad("operande_manquante", "A_B**2", "**", "Il manque une valeur entre « * » et « * »", "La puissance s'écrit ^"),
    Bad("operande_manquante", "(A_B+)", "+)", "Il manque une valeur entre « + » et « ) »"),
    Bad("operande_manquante", "A_B[RE-MIN:2014]*2", "*", "avant « * » : le crochet qui précède termine le segment"),
    Bad("operateur_final", "A_B+", "+", "se termine par l'opérateur « + »", "supprimez-le"),
    Bad("parentheses_vides", "A_B*()", "()", "Ces parenthèses sont vides", "expression"),
    Bad("parenthese_non_fermee", "2*(A_B+(1)", "(", "n'est jamais fermée", "Ajoutez « ) »"),
    Bad("parenthese_non_ouverte", "A_B)+1", ")", "n'a pas été ouverte", "Supprimez-la"),
    Bad(
        "indicateur_inconnu",
        "A_B+M14_EPARNGE",
        "M14_EPARNGE",
        "L'indicateur M14_EPARNGE n'existe pas",
        "Vouliez-vous dire M14_EPARGNE ?",
        known=["A_B", "M14_EPARGNE"],
    ),
    Bad("cycle", "1+A_B", "A_B", "L'indicateur A_B dépend de lui-même : A_B → A_B", "références", name="A_B"),
    Bad("cycle", "1+C_D", "C_D", "A_B → C_D → E_F → A_B", known={"C_D": "E_F*2", "E_F": "A_B", "A_B": ""}, name="A_B"),
    Bad(
        "nom_impossible", "1", "1", "Aucune formule ne peut citer l'indicateur « Épargne »", "A_EPARGNE", name="Épargne"
    ),
    Bad("nom_impossible", "2*EPARGNE", "EPARGNE", "Aucune formule ne peut citer", "A_EPARGNE", known=["EPARGNE"]),
    Bad("nom_ambigu", "1", "1", "OpenAnafi ne pouvait pas citer l'indicateur C12_AB", "I_C12_AB", name="C12_AB"),
    Bad("nom_ambigu", "1", "1", "comme le nombre 1", "I_1A_B", name="1A_B"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.code}-{bad.text[:20]}")
def test_bad_text_is_told(bad: Bad) -> None:
    found = check_formule(bad.text, bad.known, name=bad.name)
    of_code = [diagnostic for diagnostic in found if diagnostic.code == bad.code]
    assert of_code, found
    diagnostic = of_code[0]
    assert bad.text[diagnostic.span.start : diagnostic.span.end] == bad.excerpt
    assert bad.sentence in diagnostic.message
    assert bad.hint in diagnostic.hint
    assert diagnostic.severity == DIAGNOSTICS[bad.code].severity
    # Nothing else is an error: one mistake is told once. (A variable without its bracket is a second mistake.)
    others = {other.code for other in found if other.severity == "error"} - {bad.code}
    assert others <= {"type_appel_absent"}


def test_every_diagnostic_has_its_bad_text() -> None:
    assert {bad.code for bad in BAD} | {"texte_attendu"} == set(DIAGNOSTICS)


@pytest.mark.parametrize("value", [None, 12, ["C70[TA:BX]"], b"1"])
def test_what_is_no_text_is_told(value: object) -> None:
    (diagnostic,) = check_formule(value)  # type: ignore[arg-type]
    assert diagnostic.code == "texte_attendu"
    assert diagnostic.message == f"Une formule est un texte, et non {type(value).__name__}."
    with pytest.raises(FormuleSyntaxError, match="Une formule est un texte") as caught:
        parse_formule(value)  # type: ignore[arg-type]
    assert caught.value.diagnostics == [diagnostic]


def test_a_single_known_name_is_a_name() -> None:
    assert check_formule("A_B", known_indicateurs="A_B") == []


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("C70+*é5)", ["type_appel_absent", "operande_manquante", "mot_inconnu", "parenthese_non_ouverte"]),
        (
            "(C70[TA:ZZ]+SD16[TA:BO]+A_B[OS:M123]*)+",
            [
                "type_appel_incorrect",
                "type_appel_impossible",
                "decalage_incorrect",
                "operande_manquante",
                "operateur_final",
            ],
        ),
        (
            "A_B(2+(C_D[TB:X]",
            [
                "operateur_manquant",
                "parenthese_non_fermee",
                "parenthese_non_fermee",
                "condition_entre_parentheses",
                "type_budget_incorrect",
            ],
        ),
        ("7)C70", ["parenthese_non_ouverte", "operateur_manquant", "type_appel_absent"]),
        ("C70[TA:BX]/()*(", ["parentheses_vides", "parenthese_non_fermee"]),
        ("A_B[RE-MIN:20][RE-MAX:X]C_D[RE-MIN:1]", ["exercice_incorrect"] * 3),
        ("A_B % C_D", ["caractere_inattendu"]),
        ("A_B[TA BX]C70", ["crochet_mal_forme", "operateur_manquant", "type_appel_absent"]),
        (")", ["parenthese_non_ouverte"]),
        ("%", ["caractere_inattendu"]),
        ("[TA:BX][RE-MIN:2014]", ["crochet_sans_expression", "crochet_sans_expression"]),
    ],
)
def test_all_mistakes_are_told_in_one_pass(text: str, codes: list[str]) -> None:
    found = [diagnostic.code for diagnostic in check_formule(text) if diagnostic.severity == "error"]
    assert sorted(found) == sorted(codes)


def test_diagnostics_come_in_the_order_of_the_text() -> None:
    starts = [diagnostic.span.start for diagnostic in check_formule("C70+*é5)+A_C", ["A_B"])]
    assert len(starts) == 5
    assert starts == sorted(starts)


def test_format_points_at_the_line_and_the_column() -> None:
    text = "C70[TA:BX]\n  + D60"
    (diagnostic,) = check_formule(text)
    assert format_diagnostic(text, diagnostic).split("\n")[:3] == [
        "Erreur, ligne 2, colonne 5 : La variable D60 n'a pas de type d'appel.",
        "      + D60",
        "        ^^^",
    ]


def test_format_cuts_a_long_line_around_the_place() -> None:
    text = "A_B+" * 500 + "C70" + "+A_B" * 500
    (diagnostic,) = check_formule(text)
    title, excerpt, caret, _hint = format_diagnostic(text, diagnostic).split("\n")
    assert "colonne 2001" in title
    assert len(excerpt) < 150
    assert excerpt.startswith("    …")
    assert excerpt.endswith("…")
    assert excerpt[caret.index("^") : caret.rindex("^") + 1] == "C70"


def test_format_titles_warnings_apart() -> None:
    (warning,) = check_formule("A_B[TE:ABC]")
    assert format_diagnostic("A_B[TE:ABC]", warning).startswith("Attention, ligne 1, colonne 4 : ")


@given(text=formule_like, start=st.integers(-5, 200), end=st.integers(-5, 200))
@settings(max_examples=66, deadline=None)
def test_format_accepts_any_place(text: str, start: int, end: int) -> None:
    rows = format_diagnostic(text, Diagnostic("cycle", "error", Span(start, end), "Phrase.")).split("\n")
    assert len(rows) == 3
    assert set(rows[2].strip()) == {"^"}


def test_the_exception_shows_and_carries_everything() -> None:
    with pytest.raises(FormuleSyntaxError) as raised:
        parse_formule("C70+(A_B[TE:X]")
    error = raised.value
    assert error.code == "formule_incorrecte"
    assert error.texte == "C70+(A_B[TE:X]"
    assert {diagnostic.code for diagnostic in error.diagnostics} == {
        "type_appel_absent",
        "parenthese_non_fermee",
        "condition_entre_parentheses",
        "type_etablissement_inhabituel",
    }
    assert "La variable C70 n'a pas de type d'appel" in str(error)
    assert "    ^^^" in str(error)
    assert "n'est jamais fermée" in str(error)
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert twin.diagnostics == error.diagnostics
    assert str(twin) == str(error)


def test_the_exception_stays_short() -> None:
    with pytest.raises(FormuleSyntaxError) as raised:
        parse_formule("+".join(f"C{compte}" for compte in range(100)))
    assert "… et 90 autres erreurs." in str(raised.value)
    assert len(raised.value.diagnostics) == 100
