"""The period of an evaluation or of a balance, however it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from workbench.errors import WorkbenchError

__all__ = ["wanted_exercices"]

_YEAR = re.compile(r"([1-9][0-9]{3})(\.0+)?")
"""A year as a number or a text; pandas reads a column of years that has holes as 2018.0."""


def wanted_exercices(exercices: Iterable[int | str] | int | str | None) -> list[int]:
    """Read the exercices asked for: each once, ascending.

    Parameters
    ----------
    exercices
        Years, or a single one; a year may be a text (``"2023"``).

    Raises
    ------
    WorkbenchError
        ``exercices_vides``, or ``exercice_invalide`` for what is no year of four digits.

    Examples
    --------
    >>> wanted_exercices(range(2021, 2023)), wanted_exercices(2023), wanted_exercices(["2023", 2021])
    ([2021, 2022], [2023], [2021, 2023])
    >>> wanted_exercices(["2O23"])
    Traceback (most recent call last):
        ...
    workbench.errors.WorkbenchError: « 2O23 » n'est pas un exercice.
    Donnez des années à quatre chiffres : range(2018, 2024), [2019, 2021] ou 2023.
    """
    if exercices is None:
        raise WorkbenchError("exercices_vides")
    several = exercices if isinstance(exercices, Iterable) and not isinstance(exercices, str) else [exercices]
    wanted = sorted({_year(exercice) for exercice in several})
    if not wanted:
        raise WorkbenchError("exercices_vides")
    return wanted


def _year(exercice: object) -> int:
    found = _YEAR.fullmatch(str(exercice).strip())
    if found is None:
        raise WorkbenchError("exercice_invalide", valeur=str(exercice)[:60])
    return int(found[1])
