"""Companies that do not exist, and what happens to them month after month.

Nobody is described: the check digit of every SIREN is wrong. Some companies run into difficulty at some month, each of
one cause: they leave contributions unpaid, lose their staff, pay their suppliers late, or their accounts sink. Three in
four of them end in a collective procedure some months later; the others recover. A few fail without a sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

__all__ = ["CAUSES", "Company", "Establishment", "Month", "companies"]

CAUSES = ("dette_urssaf", "effectif", "paiement_fournisseurs", "sante_financiere")
"""Why companies run into difficulty: themes of the detection."""

_RECOVERING = 0.25
_SUDDEN = 0.01
_LIQUIDATED = 0.5
_WEAK_YEARS = 2


@dataclass(frozen=True)
class Month:
    """A month of an établissement.

    Parameters
    ----------
    day
        Its first day.
    effectif
        Employees.
    due, paid
        Contributions, euros.
    unpaid
        What is left of the employer's part, euros.
    settled
        The month when what was left is paid at last; None when it never is.
    partial
        Hours of partial activity.
    """

    day: date
    effectif: int
    due: float
    paid: float
    unpaid: int
    settled: date | None = None
    partial: int = 0

    @property
    def period(self) -> str:
        """Its code at the URSSAF: year, quarter, month of the quarter."""
        return f"{self.day.year}{(self.day.month - 1) // 3 + 1}{(self.day.month - 1) % 3 + 1}"


@dataclass(frozen=True)
class Establishment:
    """An établissement: its SIRET, its account and its months."""

    siret: str
    compte: str
    months: tuple[Month, ...]

    @property
    def late(self) -> list[Month]:
        """Months with something unpaid."""
        return [month for month in self.months if month.unpaid]


@dataclass(frozen=True)
class Company:
    """A company that does not exist.

    Parameters
    ----------
    siren, name, ape, departement, establishments
        Who it is.
    falls
        The month when its difficulties begin.
    cause
        One of `CAUSES`; empty without difficulties.
    fails
        The month of its first judgment, within the series or after it; None when there is none.
    liquidated
        Whether that judgment ends it; otherwise it opens a redressement.
    delays
        Days of delay in paying suppliers, month after month.
    margins
        Gross operating margin, percent of the turnover, by year.
    """

    siren: str
    name: str
    ape: str
    departement: str
    establishments: tuple[Establishment, ...]
    falls: date | None
    cause: str
    fails: date | None
    liquidated: bool
    delays: tuple[int, ...]
    margins: dict[int, float]

    @property
    def years(self) -> range:
        """Years that its series touch."""
        months = self.establishments[0].months
        return range(months[0].day.year, months[-1].day.year + 1)

    @property
    def failed(self) -> bool:
        """Whether its judgment is within its series."""
        return self.fails is not None and self.fails <= self.establishments[0].months[-1].day

    @property
    def late(self) -> Iterator[tuple[Establishment, Month]]:
        """Months with something unpaid."""
        return ((place, month) for place in self.establishments for month in place.late)

    def accounts(self, year: int) -> dict[str, float]:
        """Return the accounts of a year, in euros, percents and days; empty without employees."""
        months = [month for place in self.establishments for month in place.months if month.day.year == year]
        sales = round(sum(month.effectif for month in months) / len(months) * len(self.establishments) * 110_000)
        if not sales:
            return {}
        margin = self.margins[year]
        return {
            "chiffre_d_affaires": sales,
            "marge_brute": round(sales * 0.55),
            "ebe": round(sales * margin / 100),
            "ebit": round(sales * (margin - 2) / 100),
            "resultat_net": round(sales * (margin - 4) / 100),
            "taux_d_endettement": round(max(5.0, 90 - 3 * margin), 2),
            "ratio_de_liquidite": round(max(20.0, 95 + 4 * margin), 2),
            "ratio_de_vetuste": 55.5,
            "autonomie_financiere": round(max(-40.0, 20 + 1.5 * margin), 2),
            "poids_bfr_exploitation_sur_ca": 12.5,
            "couverture_des_interets": round(max(0.0, 40 - 2 * margin), 2),
            "caf_sur_ca": round(0.7 * margin, 2),
            "capacite_de_remboursement": round(max(0.5, 6 - 0.3 * margin), 2),
            "marge_ebe": margin,
            "resultat_courant_avant_impots_sur_ca": round(margin - 3, 2),
            "poids_bfr_exploitation_sur_ca_jours": 45.5,
            "rotation_des_stocks_jours": 30.5,
            "credit_clients_jours": 48.5,
            "credit_fournisseurs_jours": 52.5,
        }


@dataclass(frozen=True)
class _Story:
    """What happens to a company, by places of months; a place after the last one is not known yet."""

    falls: int
    fails: int
    recovers: int
    cause: str
    liquidated: bool

    def depth(self, place: int) -> float:
        """How deep in difficulty it is, from 0 to 1."""
        if not self.falls <= place < self.recovers:
            return 0.0
        gone = (place - self.falls + 1) / max(1, min(self.fails, self.recovers) - self.falls)
        return min(1.0, 0.3 + 0.7 * gone)


_NEVER = 1_000_000


def companies(number: int, months: int, end: date, seed: int = 0, *, troubled: float = 0.1) -> Iterator[Company]:
    """Invent companies and their months.

    Parameters
    ----------
    number
        How many.
    months
        Length of their series, which ends the month before ``end``.
    end
        A first day of month.
    seed
        Of the numbers drawn.
    troubled
        Share of them that run into difficulty; the second one always does, and leaves contributions unpaid.
    """
    # Python promises of this one draw that it will not change.
    draw = Random(seed).random  # noqa: S311 - fictitious companies need no secret
    days = [_shifted(end, -each) for each in range(months, 0, -1)]
    for position in range(number):
        siren = _wrong_siren(position)
        size = max(2, round(2 * 200 ** draw()))
        story = _story(draw, months, troubled, planted=position == 1)
        departement = _one_of(draw(), ("01", "2A", "59", "75", "974"))
        furlough = position == 1 or draw() < 0.06
        places = []
        for establishment in range(1 + int(3 * draw() ** 3)):
            own = max(1, size // (establishment + 1))
            series = tuple(_months(draw, days, own, story, furlough))
            places.append(
                Establishment(f"{siren}{establishment + 1:05d}", f"{position:012d}{establishment:06d}", series)
            )
        ape = _one_of(draw(), ("10.71A", "25.62B", "41.20A", "49.41A", "62.02A"))
        yield Company(
            siren,
            f"ENTREPRISE FICTIVE {position + 1}",
            ape,
            departement,
            tuple(places),
            days[story.falls] if story.falls < months else None,
            story.cause if story.falls < months else "",
            _shifted(days[0], story.fails) if story.fails < _NEVER else None,
            story.liquidated,
            tuple(_delays(draw, months, story)),
            dict(_margins(draw, days, story)),
        )


def _story(draw: Callable[[], float], months: int, troubled: float, *, planted: bool) -> _Story:
    drawn, cause, lead, end = draw(), _one_of(draw(), CAUSES), draw(), draw()
    liquidated = draw() < _LIQUIDATED
    begins = months // 3 if months < 48 else months // 8
    falls = begins + int(draw() * (months - begins))
    if not planted and drawn >= troubled:
        # A few fail without a sign.
        fails = falls if drawn > 1 - _SUDDEN else _NEVER
        return _Story(_NEVER, fails, _NEVER, "", liquidated)
    # Difficulties show a year before a judgment, or as long as short series let them.
    after = falls + min(11 + int(9 * lead), max(3, months // 4))
    if planted:
        # Within the series, whatever is drawn.
        return _Story(falls=months // 2, fails=months // 2 + 3, recovers=_NEVER, cause=CAUSES[0], liquidated=False)
    if end < _RECOVERING:
        return _Story(falls, _NEVER, after, cause, liquidated)
    return _Story(falls, after, _NEVER, cause, liquidated)


def _months(draw: Callable[[], float], days: list[date], size: int, story: _Story, furlough: bool) -> Iterator[Month]:
    spell = int(draw() * len(days)) if story.falls == _NEVER else story.falls
    for place, day in enumerate(days):
        depth = story.depth(place)
        lost = (0.55 if story.cause == "effectif" else 0.08) * depth
        ended = story.liquidated and place > story.fails + 2
        effectif = 0 if ended else max(0, round(size * (1 - lost) * (0.97 + 0.06 * draw())))
        due = round(effectif * (900 + 200 * draw()), 2)
        forgotten, rest = draw() < 0.01, draw()
        left = 0.0
        if story.cause == "dette_urssaf" and depth:
            left = depth
        elif place >= story.fails - 1 or forgotten:
            left = 0.4 * rest
        unpaid = round(due * 0.6 * left)
        # What healthy companies forget is paid three months later, as what is owed by those who recover.
        settled = None
        if unpaid and place < story.fails - 1:
            paid_at = story.recovers if depth and story.recovers < _NEVER else place + 3 if not depth else _NEVER
            settled = _shifted(days[0], paid_at) if paid_at < len(days) else None
        partial = effectif * 35 if furlough and spell <= place < spell + 6 else 0
        yield Month(day, effectif, due, round(due * (1 - left), 2), unpaid, settled, partial)


def _delays(draw: Callable[[], float], months: int, story: _Story) -> Iterator[int]:
    usual = int(8 * draw())
    for place in range(months):
        worse = 60 * story.depth(place) if story.cause == "paiement_fournisseurs" else 0.0
        yield round(max(0.0, usual + worse + 4 * draw() - 2))


def _margins(draw: Callable[[], float], days: list[date], story: _Story) -> Iterator[tuple[int, float]]:
    usual = 4 + 10 * draw()
    first = days[0].year * 12 + days[0].month - 1
    for year in range(days[0].year, days[-1].year + 1):
        closing = year * 12 + 11 - first
        worse = 0.0
        if story.cause == "sante_financiere":
            # Accounts are known months after they close: they sink before anything else shows.
            until = min(story.fails, story.recovers) - closing
            worse = max(0.0, 1 - max(0, until) / (12 * _WEAK_YEARS)) if closing < story.recovers else 0.0
        yield year, round(usual + 3 * draw() - 1.5 - 30 * worse, 2)


def _one_of(drawn: float, values: tuple[str, ...]) -> str:
    return values[int(drawn * len(values))]


def _shifted(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def _wrong_siren(position: int) -> str:
    """Return a SIREN that no company can have.

    Examples
    --------
    >>> _wrong_siren(0)
    '900000005'
    """
    start = f"9{position:07d}"
    # Luhn's key: every second digit doubled, from the right of the whole number.
    total = sum(sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(start))
    return f"{start}{(10 - total % 10 + 4) % 10}"
