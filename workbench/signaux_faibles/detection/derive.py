"""Variables derived from others of the same company: ratios, and what was known of it some months before.

Months are counted by the calendar, never by rows; a window of twelve months holds twelve; a value that is not known is
absent, and nothing is filled from later months.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from workbench.signaux_faibles.detection.columns import Variable

__all__ = ["OPERATIONS", "History", "derive"]

Values = np.ndarray


@dataclass(frozen=True)
class History:
    """The rows of each company, ready to be looked up by month.

    Parameters
    ----------
    keys
        Company and month as one number, ascending; companies are further apart than any look back.
    order
        Rows of the table in the order of `keys`.
    place
        Where each row of the table stands in `keys`.
    """

    keys: Values
    order: Values
    place: Values

    @classmethod
    def of(cls, companies: Values, months: Values, reach: int) -> History:
        """Sort the rows of companies and months (numbers) once, for looks back of `reach` months."""
        first = int(months.min()) if len(months) else 0
        width = (int(months.max()) - first if len(months) else 0) + reach + 1
        keys = companies.astype(np.int64) * width + (months.astype(np.int64) - first)
        order = np.argsort(keys, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return cls(keys[order], order, place)

    def before(self, values: Values, months: int) -> Values:
        """Return the value of each row's company some months before, absent where there is no row."""
        wanted = self.keys - months
        found = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        past = np.where(self.keys[found] == wanted, values[self.order][found], np.nan)
        placed: Values = past[self.place]
        return placed

    def window(self, values: Values, months: int) -> tuple[Values, Values]:
        """Return the sum and the number of the values known in the `months` months that end with each row's."""
        ordered = values[self.order]
        known = ~np.isnan(ordered)
        starts = np.searchsorted(self.keys, self.keys - months, side="right")
        limits = np.column_stack([starts, np.arange(1, len(starts) + 1)]).ravel()
        # A sum for each window: differences of running sums would leave the rounding of all companies before.
        sums = np.add.reduceat(np.append(np.where(known, ordered, 0.0), 0.0), limits)[::2]
        counts = np.add.reduceat(np.append(known.astype(np.float64), 0.0), limits)[::2]
        return sums[self.place], counts[self.place]

    def first(self, months: Values) -> Values:
        """Return the months between the first row of each company and each row."""
        ordered = months[self.order]
        starts = np.flatnonzero(np.diff(self.keys - ordered, prepend=self.keys[:1] - ordered[:1] - 1))
        earliest = np.repeat(ordered[starts], np.diff(np.append(starts, len(ordered))))
        found: Values = (ordered - earliest)[self.place].astype(np.float64)
        return found


def _ratio(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    return np.where(of[1] > 0, of[0] / np.where(of[1] > 0, of[1], 1.0), np.nan)


def _difference(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    found: Values = of[0] - sum(of[1:])
    return found


def _log(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    found: Values = np.sign(of[0]) * np.log1p(np.abs(of[0]))
    return found


def _lag(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    return history.before(of[0], variable.months)


def _diff(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    found: Values = of[0] - history.before(of[0], variable.months)
    return found


def _growth(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    past = of[1] if len(of) > 1 else history.before(of[0], variable.months)
    both = (of[0] > 0) & (past > 0)
    return np.where(both, np.log(np.where(both, of[0], 1.0) / np.where(both, past, 1.0)), np.nan)


def _mean(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    sums, counts = history.window(of[0], variable.months)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _negative(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    marks = np.where(np.isnan(of[0]), np.nan, of[0] < 0)
    sums, counts = history.window(marks, variable.months)
    return np.where(counts > 0, sums, np.nan)


def _age(variable: Variable, of: list[Values], history: History, months: Values) -> Values:  # noqa: ARG001
    return history.first(months)


OPERATIONS: Mapping[str, Callable[[Variable, list[Values], History, Values], Values]] = MappingProxyType(
    {
        "ratio": _ratio,
        "difference": _difference,
        "log": _log,
        "lag": _lag,
        "diff": _diff,
        "growth": _growth,
        "mean": _mean,
        "negative": _negative,
        "age": _age,
    }
)
"""By name: ratio a / b (absent unless b > 0); difference a - b - …; log sign(a) ln(1 + |a|); lag, the value N months
before; diff, the change in N months; growth, the logarithm of the ratio of both (absent unless both are positive), the
second of two variables being the value before; mean of what is known in the N months that end now; negative, how many
of them are below zero; age, months since the company's first row."""


def derive(columns: dict[str, Values], variables: tuple[Variable, ...], companies: Values, months: Values) -> None:
    """Add the derived variables to the columns, in their order.

    Parameters
    ----------
    columns
        float64 arrays by name, one value a row; changed in place.
    variables
        Those of a declaration.
    companies, months
        Number of the company and number of the month of each row; no pair twice.

    Examples
    --------
    >>> columns = {"ca": np.array([100.0, 150.0, 80.0])}
    >>> wanted = (Variable("ca_diff12m", "sante_financiere", operation="diff", of=("ca",), months=12),)
    >>> derive(columns, wanted, np.array([0, 0, 1]), np.array([0, 12, 12]))
    >>> columns["ca_diff12m"].tolist()
    [nan, 50.0, nan]
    """
    wanted = [each for each in variables if each.operation]
    if not wanted:
        return
    history = History.of(companies, months, max(each.months for each in wanted))
    for each in wanted:
        columns[each.name] = OPERATIONS[each.operation](each, [columns[name] for name in each.of], history, months)
