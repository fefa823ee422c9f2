"""Companies that do not exist, and what happens to them month after month.

Nobody is described: the check digit of every SIREN is wrong. A tenth of the companies run into difficulty at some
month: their workforce falls, they pay no contributions any more, ask for partial activity and for delays, and end in a
collective procedure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

__all__ = ["Company", "Establishment", "Month", "companies"]


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
    """

    day: date
    effectif: int
    due: float
    paid: float
    unpaid: int

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


@dataclass(frozen=True)
class Company:
    """A company that does not exist; ``falls`` is the month when its difficulties begin."""

    siren: str
    name: str
    ape: str
    departement: str
    establishments: tuple[Establishment, ...]
    falls: date | None

    @property
    def years(self) -> range:
        """Years that its series touch."""
        months = self.establishments[0].months
        return range(months[0].day.year, months[-1].day.year + 1)

    @property
    def late(self) -> Iterator[tuple[Establishment, Month]]:
        """Months with something unpaid."""
        return ((place, month) for place in self.establishments for month in place.months if month.unpaid)


def companies(number: int, months: int, end: date, seed: int = 0) -> Iterator[Company]:
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
    """
    # Python promises of this one draw that it will not change.
    draw = Random(seed).random  # noqa: S311 - fictitious companies need no secret
    days = [_shifted(end, -each) for each in range(months, 0, -1)]
    for position in range(number):
        siren = _wrong_siren(position)
        size = max(2, round(2 * 200 ** draw()))
        falls = months // 3 + int(draw() * (months - months // 3)) if draw() < 0.1 or position == 1 else None
        departement = _one_of(draw(), ("01", "2A", "59", "75", "974"))
        places = []
        for establishment in range(1 + int(3 * draw() ** 3)):
            own = max(1, size // (establishment + 1))
            series = tuple(_month(draw, day, own, place, falls) for place, day in enumerate(days))
            places.append(
                Establishment(f"{siren}{establishment + 1:05d}", f"{position:012d}{establishment:06d}", series)
            )
        ape = _one_of(draw(), ("10.71A", "25.62B", "41.20A", "49.41A", "62.02A"))
        yield Company(
            siren, f"ENTREPRISE FICTIVE {position + 1}", ape, departement, tuple(places), days[falls] if falls else None
        )


def _month(draw: Callable[[], float], day: date, size: int, place: int, falls: int | None) -> Month:
    fallen = falls is not None and place >= falls
    lost = min(0.8, 0.1 * (place - falls)) if fallen and falls is not None else 0.0
    effectif = max(0, round(size * (1 - lost) * (0.95 + 0.1 * draw())))
    due = round(effectif * (900 + 200 * draw()), 2)
    return Month(day, effectif, due, 0.0 if fallen else due, round(due * 0.3) if fallen else 0)


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
