"""Strategies for hypothesis: right trames, with every field that a file can carry."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

from workbench.trames import UNITES, Formule, Indicateur, Trame

# The machine that runs the tests may be busy.
unhurried = settings(deadline=None, max_examples=25)

# Whatever a person may type or paste; control characters are refused by the checks.
characters = st.characters(exclude_categories=["Cc", "Cs"])
lines = st.text(characters, max_size=30) | st.sampled_from(
    [
        "Oui",
        "2019",
        "~",
        "null",
        "- tiret",
        "a: b",
        "a #b",
        "'",
        '"',
        "=1+1",
        "+C70",
        "@x",
        "#N/A",
        "_x0041_",
        "{a}",
        "[a]",
    ]
)
paragraphs = st.lists(lines, max_size=3).map("\n".join)
codes = st.from_regex(r"[A-Z]{1,3}_[A-Z0-9]{1,4}(_[A-Z]{1,2})?", fullmatch=True)
years = st.none() | st.integers(min_value=2008, max_value=2030)
blanks = st.sampled_from(["", "", "", " ", "  "])

variables = st.from_regex(r"(C|D|SC|SD)[1-7][0-9]{0,4}", fullmatch=True)
endings = st.sampled_from(["[TA:BX]", "[TA: SX]", "[ TA : BE ]"])
conditions = st.sampled_from(["[TB:BP]", "[TB:BA]", "[TE:101]", "[CAL:ABS]", "[TB:BP][CAL:ABS]", "[TE:101] [TB:BP]"])


@st.composite
def expressions(draw: st.DrawFn, references: list[str]) -> str:
    """A sum that starts with a sign or not, each part of which has its type d'appel."""
    parts = []
    for number in range(draw(st.integers(1, 4))):
        sign = draw(st.sampled_from("+-*/") if number else st.sampled_from(["", "+", "-"]))
        operand = draw(st.sampled_from(["$POP", "0.5", "(7-2)", *references]) if draw(st.booleans()) else variables)
        closing = draw(endings) if operand[0] in "CDS" and "_" not in operand else ""
        parts.append(sign + draw(blanks) + operand + draw(blanks) + closing)
    return "".join(parts)


@st.composite
def textes(draw: st.DrawFn, references: list[str]) -> str:
    """One segment or several, all but the last with conditions."""
    number = draw(st.integers(1, 3))
    closings = [draw(blanks) + draw(conditions) for _ in range(number - 1)] + [draw(st.just("") | conditions)]
    return "".join(draw(expressions(references)) + closing + draw(blanks) for closing in closings)


@st.composite
def trames(draw: st.DrawFn) -> Trame:
    names = draw(st.lists(codes, max_size=5, unique=True))
    indicateurs = []
    for rank, name in enumerate(names):
        formules = [
            Formule(draw(textes(names[:rank])), *draw(st.tuples(years, years))) for _ in range(draw(st.integers(0, 3)))
        ]
        if formules and draw(st.booleans()):
            # A type d'appel that binds the variables of the formule before: the two do not stand alone.
            first, last = draw(years), draw(years)
            formules = [Formule("C70-D709", first, last), Formule("+C71[TA:BX]", 2012, None), *formules]
        indicateurs.append(
            Indicateur(
                name,
                draw(lines),
                tuple(formules),
                draw(paragraphs),
                draw(paragraphs),
                draw(lines),
                draw(st.sampled_from(UNITES)),
            )
        )
    return Trame(
        draw(st.from_regex(r"[a-z][a-z0-9_.-]{0,8}[a-z]", fullmatch=True)),
        tuple(draw(st.permutations(indicateurs))),
        draw(lines),
        draw(paragraphs),
        draw(paragraphs),
        draw(st.none() | st.sampled_from(["M14", "M57", "M57 A"])),
        tuple(draw(st.lists(st.from_regex(r"[0-9]{3}", fullmatch=True), max_size=2))),
        tuple(draw(st.lists(st.sampled_from(["SIRET", "SIREN", "FINESS"]), max_size=2, unique=True))),
        draw(st.sampled_from(["", "modele.xlsx", "modeles/m 14.xlsx"])),
    )
