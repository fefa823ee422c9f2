"""Learning, validation and test: apart by company and by time, and asserted to be so.

No company is on two sides. What is learnt from was known before the first month of the test: a row of a month looks
as far ahead as its horizon, so learning and validation end that many months before the test begins. Companies are
drawn by the hash of their SIREN and of the seed: neither the order of the rows nor the other companies change the draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.dataset import Dataset, draw, month
from workbench.signaux_faibles.detection.leaks import check_columns

__all__ = [
    "Parts",
    "Windows",
    "check_parts",
    "check_shares",
    "cross_parts",
    "draw",
    "part_numbers",
    "resample",
    "split",
]

SHARES = (0.6, 0.2, 0.2)
"""Companies of learning, validation and test (specification 6.2)."""


@dataclass(frozen=True)
class Windows:
    """The months of each part, from a first one to before a last one.

    Parameters
    ----------
    train, test
        Months, as texts: ``("2016-01", "2019-06")``.
    validation
        Where thresholds and calibration are found; the months of learning by default, on other companies.
    known_until
        The month after the last one whose events are known: rows that look further are refused. None trusts the table.
    """

    train: tuple[str, str]
    test: tuple[str, str]
    validation: tuple[str, str] | None = None
    known_until: str | None = None


@dataclass(frozen=True)
class Parts:
    """What is learnt from, what thresholds are found on, and what the model is judged on."""

    train: Dataset
    validation: Dataset
    test: Dataset


def split(
    dataset: Dataset,
    windows: Windows,
    *,
    shares: tuple[float, float, float] = SHARES,
    seed: int = 0,
    allowed: tuple[str, ...] = (),
) -> Parts:
    """Part a dataset by company and by time.

    Strong signals are left out of what is learnt from and of validation: they are evident. The test keeps them, so that
    it can be judged with and without.

    Parameters
    ----------
    dataset
        With a known target.
    windows
        The months of each part.
    shares
        Of companies: learning, validation, test.
    seed
        Of the draw.
    allowed
        Variables that predict the target almost alone and may.

    Raises
    ------
    WorkbenchError
        Those of `check_parts`; ``detection_vide`` for a part without positives or without negatives.
    """
    check_shares(shares)
    for window in (windows.train, windows.validation or windows.train, windows.test):
        _rows_inside(dataset.periodes, window)
    places = part_numbers(dataset, windows, shares, seed)
    parts = Parts(*(dataset.take(places == number) for number in range(3)))
    check_parts(parts, windows, allowed=allowed)
    return parts


def part_numbers(dataset: Dataset, windows: Windows, shares: tuple[float, float, float], seed: int) -> np.ndarray:
    """Return the part of each row: 0 learning, 1 validation, 2 test, -1 none.

    A row's part depends on its company and its month alone: rows may be parted wherever they are.
    """
    drawn = draw(dataset.names, seed)[dataset.companies]
    first, second = shares[0], shares[0] + shares[1]
    found = np.full(len(dataset), -1, dtype=np.int8)
    for number, (window, chosen) in enumerate(
        (
            (windows.train, drawn < first),
            (windows.validation or windows.train, (drawn >= first) & (drawn < second)),
            (windows.test, drawn >= second),
        )
    ):
        found[_part(dataset, window, chosen, strong=number == 2)] = number
    return found


def check_shares(shares: tuple[float, float, float]) -> None:
    """Refuse shares that are none.

    Raises
    ------
    WorkbenchError
        ``detection_parts``.
    """
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise WorkbenchError("detection_parts", parts=shares)


def cross_parts(
    dataset: Dataset,
    windows: Windows,
    *,
    folds: int = 5,
    validation: float = 0.2,
    seed: int = 0,
    allowed: tuple[str, ...] = (),
) -> Iterator[Parts]:
    """Part a dataset several times: each company is judged once, by a model that never saw it.

    Fold after fold, the companies of the fold are the test; of the others, a share is for validation (none when
    it is 0).
    """
    drawn = draw(dataset.names, seed)
    fold = np.floor(drawn * folds).astype(np.int32)[dataset.companies]
    apart = draw(dataset.names, seed + 1)[dataset.companies] < validation
    for place in range(folds):
        others = fold != place
        parts = Parts(
            dataset.take(_part(dataset, windows.train, others & ~apart, strong=False)),
            dataset.take(_part(dataset, windows.validation or windows.train, others & apart, strong=False)),
            dataset.take(_part(dataset, windows.test, ~others, strong=True)),
        )
        check_parts(parts, windows, allowed=allowed, empty=("validation",) if validation == 0 else ())
        yield parts


def _part(dataset: Dataset, window: tuple[str, str], companies: np.ndarray, *, strong: bool) -> np.ndarray:
    """Return which rows of some companies are in a window, their target known."""
    start, end = map(month, window)
    inside = (dataset.periodes >= start) & (dataset.periodes < end)
    rows: np.ndarray = companies & inside & (dataset.target >= 0)
    return rows if strong else rows & ~dataset.strong


def _rows_inside(periodes: np.ndarray, window: tuple[str, str]) -> None:
    start, end = map(month, window)
    if not ((periodes >= start) & (periodes < end)).any():
        first, last = periodes.min(), periodes.max()
        cause = f"aucune ligne de {start} à avant {end}, la table va de {first} à {last}"
        raise WorkbenchError("detection_vide", cause=cause)


def check_parts(parts: Parts, windows: Windows, *, allowed: tuple[str, ...] = (), empty: tuple[str, ...] = ()) -> None:
    """Refuse parts between which something leaks.

    Parameters
    ----------
    parts
        As `split` makes them, or made otherwise: nothing is assumed.
    windows
        For the month until which events are known.
    allowed, empty
        Variables that may predict almost alone, and parts that may be empty.

    Raises
    ------
    WorkbenchError
        ``detection_fuite_siren`` for a company on two sides, ``detection_fuite_temps`` for learning or validation that
        looks into the months of the test, ``detection_cible_inconnue`` for rows whose horizon is not over,
        ``detection_fuite_suspecte`` for a variable that gives the target away, ``detection_vide``.
    """
    sides = {"l'apprentissage": parts.train, "la validation": parts.validation, "le test": parts.test}
    for (first, one), second in zip(sides.items(), ("validation", "test", "train"), strict=True):
        other = getattr(parts, second)
        shared = np.intersect1d(np.unique(one.names[one.companies]), np.unique(other.names[other.companies]))
        if len(shared):
            label = {"validation": "la validation", "test": "le test", "train": "l'apprentissage"}[second]
            raise WorkbenchError("detection_fuite_siren", nombre=len(shared), un=first, autre=label, exemple=shared[0])
    horizon = parts.train.declaration.horizon
    if parts.train.declaration.periode and len(parts.test):
        begins = parts.test.periodes.min()
        for label, part in list(sides.items())[:2]:
            if len(part) and part.periodes.max() + horizon >= begins:
                raise WorkbenchError(
                    "detection_fuite_temps", partie=label, fin=part.periodes.max(), horizon=horizon, debut=begins
                )
    for name, part in (("train", parts.train), ("validation", parts.validation), ("test", parts.test)):
        if windows.known_until and len(part) and part.periodes.max() + horizon >= month(windows.known_until):
            raise WorkbenchError(
                "detection_cible_inconnue", mois=part.periodes.max(), horizon=horizon, connu=windows.known_until
            )
        if name not in empty and not 0 < part.positives < len(part):
            raise WorkbenchError(
                "detection_vide",
                cause=f"{ {'train': 'l’apprentissage', 'validation': 'la validation', 'test': 'le test'}[name] } a "
                f"{len(part)} ligne(s) dont {part.positives} défaillance(s) : il faut des deux",
            )
    check_columns(parts.train, allowed=allowed)


def resample(dataset: Dataset, share: float, *, seed: int = 0, adding: bool = True) -> Dataset:
    """Draw rows again so that positives are a share of all: 35 % in 2021 to 2025, 20 % in 2021.

    Parameters
    ----------
    dataset
        What is learnt from; never what probabilities are calibrated or judged on.
    share
        Of positives, in the end; a dataset that has more is left as it is.
    seed
        Of the draw.
    adding
        Draw positives with replacement, as lists of 2019 were learnt; otherwise leave negatives out, which is faster.
    """
    positive = np.flatnonzero(dataset.target == 1)
    negative = np.flatnonzero(dataset.target == 0)
    if not 0 < share < 1:
        raise WorkbenchError("detection_parts", parts=share)
    if len(positive) >= share * len(dataset):
        return dataset
    random = np.random.default_rng(seed)
    if adding:
        more = round(len(negative) * share / (1 - share)) - len(positive)
        positive = np.concatenate([positive, random.choice(positive, size=more, replace=True)])
    else:
        kept = round(len(positive) * (1 - share) / share)
        negative = random.choice(negative, size=kept, replace=False)
    return dataset.take(np.sort(np.concatenate([positive, negative])))
