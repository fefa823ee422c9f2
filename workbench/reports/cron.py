"""When a batch starts, from the text of a cron: the door to croniter, the time of Paris, the words for what is wrong.

A cron speaks of the clock on the wall in France. The hour that a night of March has not is read as the one after it;
the hour that a night of October has twice counts once, the first time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from croniter import croniter
from croniter.croniter import CroniterBadDateError, CroniterError

from workbench.errors import WorkbenchError

__all__ = ["ZONE", "checked_cron", "next_run"]

ZONE = ZoneInfo("Europe/Paris")

FIELDS = ("minute", "heure", "jour du mois", "mois", "jour de la semaine")
BOUNDS = ("de 0 à 59", "de 0 à 23", "de 1 à 31", "de 1 à 12", "de 0 (dimanche) à 6 (samedi)")
NAMED = ("@hourly", "@midnight", "@daily", "@weekly", "@monthly", "@yearly", "@annually")

LEAST = timedelta(hours=1)
"""Between two starts: a batch is thousands of reports, and a star in the field of minutes is a mistake."""

LOOKED_AT = 60


def checked_cron(text: str, now: datetime) -> str:
    """Return a cron with one blank between its fields.

    Parameters
    ----------
    text
        Five fields, or one of ``@hourly``, ``@daily``, ``@weekly``, ``@monthly``, ``@yearly``.
    now
        An aware moment, after which it must have a date.

    Raises
    ------
    WorkbenchError
        ``cron_invalide``: which field, and what it may be.

    Examples
    --------
    >>> checked_cron("0  6 1 * *", datetime(2026, 11, 22, tzinfo=UTC))
    '0 6 1 * *'
    >>> checked_cron("0 25 1 * *", datetime(2026, 11, 22, tzinfo=UTC))
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: « 0 25 1 * * » ne dit pas quand partir : l'heure « 25 » ne va pas de 0 à 23.
    ...
    """
    fields = text.lower().split()
    kept = " ".join(fields)
    if kept not in NAMED:
        if len(fields) != len(FIELDS):
            raise _wrong(text, f"il y a {len(fields)} champ{'s' if len(fields) > 1 else ''} au lieu de cinq")
        for place, field in enumerate(fields):
            if not _is_right(place, field):
                article = "l'" if FIELDS[place] == "heure" else "la " if FIELDS[place] == "minute" else "le "
                raise _wrong(text, f"{article}{FIELDS[place]} « {field} » ne va pas {BOUNDS[place]}")
    try:
        walls = list(islice(_walls(kept, now.astimezone(ZONE).replace(tzinfo=None)), LOOKED_AT))
    except CroniterBadDateError:
        raise _wrong(text, "aucune date ne lui convient") from None
    except CroniterError:
        raise _wrong(text, "ses champs ne vont pas ensemble") from None
    if any(later - sooner < LEAST for sooner, later in pairwise(walls)):
        raise _wrong(text, "deux départs seraient à moins d'une heure l'un de l'autre")
    return kept


def _is_right(place: int, field: str) -> bool:
    # croniter also reads signs for chance and for hashes, which say nothing here.
    if field.startswith(("h", "r")):
        return False
    try:
        croniter.expand(" ".join("*" if each != place else field for each in range(len(FIELDS))))
    except (CroniterError, ValueError):
        return False
    return True


def _wrong(text: str, cause: str) -> WorkbenchError:
    shown = "".join(sign if sign.isprintable() else "?" for sign in text[:80])
    return WorkbenchError("cron_invalide", cron=shown, cause=cause)


def next_run(cron: str, after: datetime) -> datetime:
    """Return the first moment after another one that a cron names.

    Parameters
    ----------
    cron
        As `checked_cron` gives it.
    after
        An aware moment.

    Returns
    -------
    datetime
        In UTC.

    Examples
    --------
    >>> winter = datetime(2026, 11, 22, tzinfo=UTC)
    >>> print(next_run("0 6 1 * *", winter), next_run("0 6 1 7 *", winter))
    2026-12-01 05:00:00+00:00 2027-07-01 04:00:00+00:00
    """
    for wall in _walls(cron, after.astimezone(ZONE).replace(tzinfo=None)):
        # Of an hour that comes twice, the first time is meant; one that does not exist is as many minutes later.
        moment = wall.replace(tzinfo=ZONE).astimezone(UTC)
        if moment > after:
            return moment
    raise AssertionError("a cron that was checked has always a date")


def _walls(cron: str, after: datetime) -> Iterator[datetime]:
    """Give the dates on the wall, one after another."""
    dates = croniter(cron, after)
    while True:
        yield dates.get_next(datetime)
