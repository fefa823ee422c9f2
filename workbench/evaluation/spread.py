"""How many values are spread: exact order statistics without sorting them all.

Floats are compared by their bits. One pass counts values by the first sixteen bits, which tells in
which class of values a rank falls; only these classes are then gathered and sorted.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numba
import numpy as np
import numpy.typing as npt
from numba import types

from workbench.evaluation.kept_loops import keep_loops
from workbench.evaluation.parallel import in_threads

__all__ = ["CLASSES", "ZERO", "count_leading_bits", "histogram_and_extremes", "ranked"]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_KEPT = keep_loops(numba.config)

_ROWS_AT_ONCE = 1 << 18

ZERO = 1 << 15
CLASSES = (1 << 16) + 2
"""One for each beginning, one for zero alone, and one for the zeros of those that do not count."""

_BITS = types.Array(types.int64, 1, "C")
_VALUES = types.Array(types.float64, 1, "C")
_MASK = types.Array(types.boolean, 1, "C")


@numba.njit(nogil=True)
def _class_of(bits):  # type: ignore[no-untyped-def]
    if bits == 0:
        return ZERO
    # The bits of floats order as integers do, in reverse for negative ones.
    leading = ((bits ^ ((bits >> 63) & 0x7FFFFFFFFFFFFFFF)) >> 48) + ZERO
    return leading + (leading >= ZERO)


@numba.njit(types.void(_BITS, _MASK, _BITS), nogil=True, cache=_KEPT)
def _count(bits, present, counts):  # type: ignore[no-untyped-def]
    for row in range(len(bits)):
        if present[row]:
            counts[_class_of(bits[row])] += 1
        elif bits[row] == 0:
            counts[-1] += 1


@numba.njit(types.int64(_BITS, _MASK, _MASK, _BITS), nogil=True, cache=_KEPT)
def _gather(bits, present, wanted, found):  # type: ignore[no-untyped-def]
    number = 0
    for row in range(len(bits)):
        if present[row] and wanted[_class_of(bits[row])]:
            found[number] = bits[row]
            number += 1
    return number


@numba.njit(
    types.UniTuple(types.int64, 2)(_VALUES, _MASK, _VALUES, _BITS, types.float64, types.float64, _BITS, _BITS),
    nogil=True,
    cache=_KEPT,
)
def _fill(values, present, edges, counts, low, high, lowest, highest):  # type: ignore[no-untyped-def]
    last = len(counts) - 1
    bars = len(counts) / (edges[-1] - edges[0]) if edges[-1] > edges[0] else 0.0
    # Half of the room for those equal to the last one kept, half for those beyond it.
    low_ties, high_ties, lows, highs = len(lowest) // 2, len(highest) // 2, 0, 0
    for row in range(len(values)):
        if not present[row]:
            continue
        value = values[row]
        if value < edges[1]:
            bar = 0
        elif value >= edges[last]:
            bar = last
        else:
            # The product is rounded: the edges themselves decide.
            bar = min(int((value - edges[0]) * bars), last)
            while value < edges[bar]:
                bar -= 1
            while value >= edges[bar + 1]:
                bar += 1
        counts[bar] += 1
        if value <= low and (value < low or low_ties > 0):
            low_ties -= value == low
            lowest[lows % len(lowest)] = row
            lows += 1
        if value >= high and (value > high or high_ties > 0):
            high_ties -= value == high
            highest[highs % len(highest)] = row
            highs += 1
    return lows, highs


def count_leading_bits(values: Floats, present: Mask, counts: Integers) -> None:
    """Count values by their leading bits, into ``counts`` of shape (`CLASSES`,)."""
    _count(values.view(np.int64), present, counts)


def ranked(values: Floats, present: Mask, counts: Integers, ranks: Sequence[int]) -> Floats:
    """The values of some ranks.

    Parameters
    ----------
    values, present
        Finite values, no negative zero, and which of them count; shape (rows,).
    counts
        What `count_leading_bits` counted over them.
    ranks
        From 0, the smallest value's.

    Examples
    --------
    >>> values, counts = np.array([3.0, -1, 8, 0]), np.zeros(CLASSES, dtype=np.int64)
    >>> everyone = np.ones(4, dtype=bool)
    >>> count_leading_bits(values, everyone, counts)
    >>> ranked(values, everyone, counts, [0, 1, 3]).tolist()
    [-1.0, 0.0, 8.0]
    """
    counts = counts[:-1]
    wanted_ranks = np.asarray(ranks, dtype=np.int64)
    classes = np.searchsorted(np.cumsum(counts), wanted_ranks, side="right")
    wanted = np.zeros(CLASSES, dtype=bool)
    wanted[classes] = True
    wanted[ZERO] = False
    rows = len(values)

    def gather(first: int, last: int) -> Floats:
        found = np.empty(last - first, dtype=np.int64)
        number = _gather(values[first:last].view(np.int64), present[first:last], wanted, found)
        return np.sort(found[:number].view(np.float64))

    near = np.sort(np.concatenate([np.zeros(0), *in_threads(gather, _chunks(rows))]))
    # Ranks among those gathered: what lies in other classes before is taken away.
    place = wanted_ranks - np.cumsum(np.where(wanted[:-1], 0, counts))[classes]
    return np.where(classes == ZERO, 0.0, near[place.clip(0, len(near) - 1)] if len(near) else 0.0)


def histogram_and_extremes(
    values: Floats, present: Mask, edges: Floats, low: float, high: float, count: int
) -> tuple[Integers, Integers, Integers]:
    """Count values between evenly spaced edges, and find the ``count`` lowest and highest.

    Parameters
    ----------
    values, present
        As for `ranked`.
    edges
        Ascending; values beyond count in the first and last bars.
    low, high
        The values of the ``count``-th from the bottom and from the top.
    count
        How many extremes.

    Returns
    -------
    tuple
        Counts, shape (edges - 1,); the rows of the lowest, most extreme first, then the first rows among
        equals; the rows of the highest.

    Examples
    --------
    >>> values, everyone = np.array([-5.0, 1, 2, 9]), np.ones(4, dtype=bool)
    >>> [each.tolist() for each in histogram_and_extremes(values, everyone, np.array([0.0, 2, 4]), 1.0, 2.0, 2)]
    [[2, 2], [0, 1], [3, 2]]
    """

    def fill(first: int, last: int) -> tuple[Integers, Integers, Integers]:
        counts, lowest, highest = (np.zeros(size, dtype=np.int64) for size in (len(edges) - 1, 2 * count, 2 * count))
        part = slice(first, last)
        lows, highs = _fill(values[part], present[part], edges, counts, low, high, lowest, highest)
        return counts, lowest[:lows] + first, highest[:highs] + first

    parts = list(in_threads(fill, _chunks(len(values))))
    nothing = np.zeros(0, dtype=np.int64)
    lowest = np.concatenate([nothing, *(part[1] for part in parts)])
    highest = np.concatenate([nothing, *(part[2] for part in parts)])
    return (
        np.sum([np.zeros(len(edges) - 1, dtype=np.int64), *(part[0] for part in parts)], axis=0),
        lowest[np.argsort(values[lowest], kind="stable")][:count],
        highest[np.argsort(-values[highest], kind="stable")][:count],
    )


def _chunks(rows: int) -> list[tuple[int, int]]:
    bounds = [*range(0, rows, _ROWS_AT_ONCE), rows]
    return list(pairwise(bounds))
