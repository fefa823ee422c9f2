"""Figures as a French reader expects them: 57 871 668 €, 1 234 €/hab., 12,3 %, 4,4 ans.

Thousands are parted by a narrow no-break space, the unit by a no-break space, so that no figure
breaks at the end of a line; the minus sign is the typographic one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "ABSENT",
    "MINUS",
    "NO_BREAK",
    "THOUSANDS",
    "UNITES",
    "Unite",
    "format_number",
    "format_rate",
    "format_value",
    "typeset",
    "unite_of",
]

THOUSANDS = "\u202f"
NO_BREAK = "\u00a0"
MINUS = "\u2212"
ABSENT = "n. d."

APOSTROPHE = re.compile(r"(?<=\w)'(?=\w)")
PUNCTUATION = re.compile(r" ([;:!?»])")
QUOTE = re.compile(r"« ")


@dataclass(frozen=True)
class Unite:
    """How an unit is written.

    Parameters
    ----------
    suffix
        What follows the figure, no-break space included.
    decimals
        Figures after the comma in tables.
    heading
        What the unit is called in a heading: « en euros ».
    factor
        What a stored value is multiplied by to be shown: a rate of 0.123 is shown as 12,3 %.
    """

    suffix: str
    decimals: int
    heading: str
    factor: float = 1.0


UNITES: Mapping[str, Unite] = MappingProxyType(
    {
        "euros": Unite(f"{NO_BREAK}€", 0, "en euros"),
        "euros_par_habitant": Unite(f"{NO_BREAK}€/hab.", 0, "en euros par habitant"),
        "pourcentage": Unite(f"{NO_BREAK}%", 1, "en pourcentage", 100.0),
        "annees": Unite(f"{NO_BREAK}ans", 1, "en années"),
        "ratio": Unite("", 3, "en ratio"),
    }
)
"""The units of `workbench.trames.Indicateur.unite`."""


def unite_of(name: str) -> Unite:
    """Return the unit of this name; a plain number with two decimals when it is not in `UNITES`."""
    return UNITES.get(name, Unite("", 2, name))


def format_number(value: float | None, decimals: int = 0, *, sign: bool = False) -> str:
    r"""Write a number in French.

    Parameters
    ----------
    value
        None, NaN and infinities are written « n. d. ».
    decimals
        Figures after the comma.
    sign
        Whether to write the plus of what is above 0.

    Examples
    --------
    >>> format_number(1234567.891, 2).replace("\u202f", " ")
    '1 234 567,89'
    >>> format_number(-0.04, 1), format_number(3, sign=True)
    ('0,0', '+3')
    """
    if value is None or not math.isfinite(value):
        return ABSENT
    text = f"{abs(value):,.{decimals}f}".replace(",", THOUSANDS).replace(".", ",")
    if not text.strip(f"0,{THOUSANDS}"):  # rounds to zero: no sign
        return text
    if value < 0:
        return MINUS + text
    return f"+{text}" if sign else text


def format_value(value: float | None, unite: str = "euros", *, decimals: int | None = None, sign: bool = False) -> str:
    r"""Write a value of an indicateur with its unit.

    Parameters
    ----------
    value
        In the unit of the indicateur; a rate is stored as a fraction.
    unite
        A key of `UNITES`.
    decimals
        Figures after the comma; those of the unit by default.

    Examples
    --------
    >>> format_value(0.1234, "pourcentage").replace("\u00a0", " ")
    '12,3 %'
    >>> format_value(1.04, "annees").replace("\u00a0", " ")
    '1,0 an'
    """
    rule = unite_of(unite)
    number = format_number(
        None if value is None else value * rule.factor, rule.decimals if decimals is None else decimals, sign=sign
    )
    if number == ABSENT:
        return number
    suffix = rule.suffix
    if unite == "annees" and value is not None and abs(value) < 2:  # French plurals start at two
        suffix = suffix.removesuffix("s")
    return number + suffix


def format_rate(rate: float | None, decimals: int = 1) -> str:
    r"""Write a change: « +3,2 % ».

    Examples
    --------
    >>> format_rate(0.032).replace("\u00a0", " ")
    '+3,2 %'
    """
    return format_value(rate, "pourcentage", decimals=decimals, sign=True)


def typeset(text: str) -> str:
    r"""Give a sentence its French spacing: no break before ; : ! ? », none after «, curly apostrophes.

    Examples
    --------
    >>> typeset("L'épargne : 3 ans").replace("\u00a0", "~")
    'L’épargne~: 3 ans'
    """
    curly = APOSTROPHE.sub("’", text)
    return QUOTE.sub("«" + NO_BREAK, PUNCTUATION.sub(NO_BREAK + r"\1", curly))
