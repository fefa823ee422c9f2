"""Fictitious communes: who they are, before any account is written.

Nobody may mistake one for a real commune, so each carries three marks: ``(fictive)`` in its label,
a SIREN that starts with 999 and fails the control key of real SIRENs, as its SIRETs do, and an
INSEE number from 900 on, which no commune of these départements has. The names are built from
syllables of which no combination names a commune of France. The *départements* are real:
dashboards group and map by département, and their labels come from the reference table.

A commune depends on the seed and on its own number alone: asking for more communes adds some and
changes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["Commune", "Draw", "commune", "key_fails"]

DEPARTEMENTS = (("031", "076"), ("038", "084"), ("059", "032"), ("02A", "094"), ("029", "053"), ("101", "001"))
"""Codes of départements and of their régions; a letter and an overseas one among them."""

PROFILES = (
    ("solide", 0.150, 0.180, 380, 640),
    ("ordinaire", 0.115, 0.150, 620, 980),
    ("ordinaire", 0.115, 0.150, 680, 1040),
    ("fragile", 0.055, 0.085, 1800, 2300),
    ("ordinaire", 0.105, 0.140, 640, 1020),
    ("solide", 0.150, 0.180, 300, 560),
    ("degradation", 0.045, 0.140, 900, 1150),
    ("ordinaire", 0.115, 0.150, 560, 900),
    ("redressement", 0.050, 0.135, 1450, 1800),
    ("ordinaire", 0.110, 0.150, 700, 1080),
)
"""Name, bounds of the rate of gross savings, bounds of the debt an inhabitant in euros: the ten
situations that communes take in turn."""

_STARTS = ("Brav", "Crav", "Dramb", "Estr", "Fauv", "Gluv", "Jarv", "Kerv", "Lomb", "Morv", "Nauv", "Ombr")
_MIDDLES = ("and", "ovel", "iqu", "ulm", "est", "avan", "erl", "ouc")
_ENDS = ("ambe", "erilles", "evoux", "ignac", "oncelles", "uze", "armont", "iolles")
_PLACES = ("sur-Ourvelle", "en-Faublaye", "les-Trevanges", "sur-Melugne", "en-Drouvais", "la-Feinte", "sous-Vaugramme")
_STRIDE = 331
"""Prime to the number of names, so that no two communes share one."""

_SWITCH = (2024, 2023, 2022, 2024, 2021, 2023, 2020, 2022, 2024)
"""First exercice in M57, which communes take in turn; the law's date, 2024, is the commonest."""


class Draw:
    """Reproducible draws: one stream a text, whatever else was drawn before.

    Only `random.Random.random` is used, the one draw that Python promises not to change.
    """

    def __init__(self, *parts: object) -> None:
        self._random = Random("/".join(map(str, parts)))  # noqa: S311 - fiction needs no secret

    def between(self, low: float, high: float) -> float:
        """Draw a number of an interval."""
        return low + (high - low) * self._random.random()

    def chance(self, probability: float) -> bool:
        """Draw whether something happens."""
        return self._random.random() < probability


@dataclass(frozen=True)
class Commune:
    """A fictitious commune and what makes its accounts its own.

    Parameters
    ----------
    number
        Its number in the demonstration, from 0 on.
    libelle
        Label of its main budget.
    siren, departement, region, insee
        Codes, as texts.
    inhabitants
        Population of the first exercice.
    growth
        Yearly growth of the population.
    profile
        ``solide``, ``ordinaire``, ``fragile``, ``degradation`` or ``redressement``.
    savings_first, savings_last
        Rate of gross savings (CAF brute over recettes réelles) of the first and last exercice.
    debt
        Outstanding debt an inhabitant, first exercice, in euros.
    revenue
        Recettes réelles de fonctionnement an inhabitant, first exercice, in euros.
    personnel
        Share of personnel in dépenses réelles de fonctionnement.
    switch
        First exercice in M57.
    water, parking
        Whether it has an annexe budget of water (M49), of parking (M4).
    """

    number: int
    libelle: str
    siren: str
    departement: str
    region: str
    insee: str
    inhabitants: int
    growth: float
    profile: str
    savings_first: float
    savings_last: float
    debt: float
    revenue: float
    personnel: float
    switch: int
    water: bool
    parking: bool

    def population(self, year: int) -> int:
        """Count the inhabitants in the exercice of rank ``year``, from 0 on."""
        return round(self.inhabitants * (1 + self.growth) ** year)

    def siret(self, budget: int) -> str:
        """Give the SIRET of the budget of rank ``budget``; its key fails, as a real one's does not."""
        return _failing(f"{self.siren}{budget + 1:04d}")


def commune(seed: int | str, number: int) -> Commune:
    """Invent the commune of a number.

    Examples
    --------
    >>> one = commune(2024, 3)
    >>> one.libelle, one.siren, one.profile
    ('OMBRESTUZE-SUR-MELUGNE (fictive)', '999000032', 'fragile')
    >>> key_fails(one.siren), key_fails(one.siret(0))
    (True, True)
    """
    draw = Draw(seed, "commune", number)
    name, low, high, debt_low, debt_high = PROFILES[number % len(PROFILES)]
    # The golden ratio spreads sizes evenly, however many communes are asked for.
    rank = (number * 0.6180339887498949 + 0.93) % 1.0
    inhabitants = round(150 * (250_000 / 150) ** rank**1.25)
    departement, region = DEPARTEMENTS[number % len(DEPARTEMENTS)]
    savings = draw.between((low + high) / 2, high), draw.between((low + high) / 2, high)
    if name == "degradation":
        savings = high - draw.between(0.0, 0.015), low + draw.between(0.0, 0.02)
    elif name == "redressement":
        savings = low + draw.between(0.0, 0.015), high - draw.between(0.0, 0.015)
    elif name == "fragile":
        savings = high - draw.between(0.0, 0.01), low + draw.between(0.0, 0.01)
    return Commune(
        number=number,
        libelle=_name(seed, number),
        siren=_failing(f"999{number:05d}"),
        departement=departement,
        region=region,
        insee=f"{900 + number // len(DEPARTEMENTS):03d}",
        inhabitants=inhabitants,
        growth=draw.between(-0.006, 0.014),
        profile=name,
        savings_first=savings[0],
        savings_last=savings[1],
        debt=draw.between(debt_low, debt_high),
        revenue=1000 + 420 * rank + draw.between(-40, 60),
        personnel=draw.between(0.515, 0.555) + 0.03 * rank,
        switch=_SWITCH[number % len(_SWITCH)],
        water=number % 3 == 0 and inhabitants > 700,
        parking=number % 4 == 1 and inhabitants > 6000,
    )


def groupement(departement: str) -> tuple[str, str, str]:
    """Invent the EPCI of a département: its SIREN, whose key fails, its name and its nature.

    Examples
    --------
    >>> groupement("031")
    ('998000314', 'COMMUNAUTE DE COMMUNES DU 31 (fictive)', 'CC')
    """
    digits = "".join(letter if letter.isdecimal() else str(ord(letter) % 10) for letter in departement)
    return _failing(f"99800{digits}"), f"COMMUNAUTE DE COMMUNES DU {departement.lstrip('0')} (fictive)", "CC"


def _name(seed: int | str, number: int) -> str:
    """Build a name from its syllables; the label is in capitals without accents, as published ones."""
    names = len(_STARTS) * len(_MIDDLES) * len(_ENDS)
    rank = (int(Draw(seed, "names").between(0, names)) + number * _STRIDE) % names
    rank, start = divmod(rank, len(_STARTS))
    end, middle = divmod(rank, len(_MIDDLES))
    place = _PLACES[number % len(_PLACES)]
    return f"{_STARTS[start]}{_MIDDLES[middle]}{_ENDS[end]}-{place}".upper() + " (fictive)"


def key_fails(digits: str) -> bool:
    """Tell whether a number fails the control key (Luhn) of SIRENs and SIRETs."""
    return _luhn(digits) != 0


def _luhn(digits: str) -> int:
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10


def _failing(digits: str) -> str:
    """Add a last digit that is not the control key, by five."""
    right = (10 - _luhn(digits + "0")) % 10
    return f"{digits}{(right + 5) % 10}"
