"""The period of an evaluation or of a balance, however it is written."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral, Real

from workbench.errors import WorkbenchError

__all__ = ["wanted_exercices"]


def wanted_exercices(exercices: Iterable[int] | int | None) -> list[int]:
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
    year = -1
    if isinstance(exercice, str) and exercice.strip().isdecimal():
        year = int(exercice)
    elif isinstance(exercice, Integral) and not isinstance(exercice, bool):
        year = int(exercice)
    elif isinstance(exercice, Real) and not isinstance(exercice, bool) and exercice == exercice // 1:
        year = int(exercice)
    if not 1000 <= year <= 9999:
        raise WorkbenchError("exercice_invalide", valeur=str(exercice)[:60])
    return year
