"""Strategies for hypothesis: syntax trees, and texts that look like formules."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import strategies as st

from workbench.formules import (
    SOLDES,
    Binary,
    Node,
    Number,
    Population,
    Reference,
    Segment,
    SyntaxTree,
    Unary,
    Variable,
)

names = st.from_regex(r"[A-Z0-9]{1,5}(_[A-Z0-9]{1,5}){1,3}", fullmatch=True)

numbers = st.builds(
    lambda digits, places: Number(Decimal(digits).scaleb(-places)),
    st.integers(min_value=0, max_value=10**20),
    st.integers(min_value=0, max_value=7),
)

variables = st.builds(
    lambda pair, compte: Variable(pair[1], compte, pair[0]),
    # few pairs, so that runs of one type d'appel appear
    st.sampled_from([("BX", "C"), ("BX", "D"), ("BX", "SD"), ("SX", "C"), *sorted(SOLDES)]),
    st.from_regex(r"[0-9]{1,6}", fullmatch=True),
)

references = st.builds(Reference, names, st.one_of(st.just(0), st.integers(min_value=-99, max_value=99)))

leaves: st.SearchStrategy[Node] = st.one_of(variables, variables, references, numbers, st.just(Population()))

nodes: st.SearchStrategy[Node] = st.recursive(
    leaves,
    lambda children: st.one_of(
        st.builds(Unary, st.sampled_from("+-"), children),
        st.builds(Binary, st.sampled_from("+-*/^"), children, children),
        st.builds(Binary, st.sampled_from("+-*/^"), children, children),
    ),
    max_leaves=25,
)

exercices = st.none() | st.integers(min_value=0, max_value=9999)

segments = st.builds(
    Segment,
    nodes,
    exercices,
    exercices,
    st.sampled_from([None, "BP", "BA"]),
    st.none() | st.from_regex(r"[0-9]{3}|[A-Z0-9#-]{1,4}", fullmatch=True),
    st.none() | st.from_regex(r"[A-Z0-9#-]{1,6}", fullmatch=True),
)

trees = st.lists(segments, min_size=1, max_size=4).map(lambda parts: SyntaxTree(tuple(parts)))

_PIECES = [
    *"+-*/^()[]",
    *("C70", "D60", "SC16", "SD2", "7", "0.5", "A_B", "M14_CE_PFA", "$POP"),
    *("[TA:BX]", "[TA: SX]", "[TA:ZZ]", "[OS:M1]", "[OS:P12]", "[OS:M123]", "[FOO:1]", "[TA BX]", "[TA:BX"),
    *("[RE-MIN:2014]", "[RE - MAX : # ]", "[TB:BP]", "[TE:101]", "[CAL:ABS]", "[RE-MIN:20XX]"),
    *(" ", "\n", "\u00a0", ",", "%", "é", "C", "EPARGNE", "$", "_"),
]

formule_like = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=30).map("".join)
"""Texts made of the pieces of formules, right or wrong, with anything between."""

old_pieces = st.lists(
    st.sampled_from(
        [
            *("C70", "SD16", "7", "A_B", "C_D", "$POP", "A_B", "C70", "(A_B", "7)"),
            *("+", "-", "*", "/", "^", "(", ")", "+", "-", "*"),
            *("[TA:BX]", "[TA:BX]", "[OS:M1]", "[RE-MIN:2014]", "[TB:BP]"),
        ]
    ),
    min_size=1,
    max_size=14,
).map(" ".join)
"""Texts of the old language, right one time in a few, with blanks between words."""
