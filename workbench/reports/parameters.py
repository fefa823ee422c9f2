"""What a report notebook accepts, and whether what is given fits, before anything runs.

A notebook declares its parameters in the cell tagged ``parameters``, one annotated assignment a
line: ``exercice_min: int = 2019``. The annotations are read, never executed; the papermill library
would ignore them, warn of an unknown name and fail in the middle of a badly typed one.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import WorkbenchError
from workbench.reports.html import read_notebook

__all__ = ["Parameter", "ParametersError", "check_parameters", "plain", "read_parameters"]

NAMES = {
    "str": "un texte",
    "int": "un nombre entier",
    "float": "un nombre",
    "bool": "vrai ou faux",
    "date": "une date (2019-12-31)",
}

OF_EACH = {"str": "de textes", "int": "de nombres entiers", "float": "de nombres", "bool": "de oui et de non"}


class ParametersError(WorkbenchError):
    """Parameters that do not fit; carries every problem, not the first alone."""

    @classmethod
    def of(cls, problems: Sequence[WorkbenchError]) -> ParametersError:
        """Gather problems in one error.

        Examples
        --------
        >>> print(ParametersError.of([WorkbenchError("siret_malforme", siret="123")]))
        Rien n'a été lancé, 1 paramètre à corriger :
        - « 123 » n'est pas un SIRET. Un SIRET a 14 chiffres, sans espace : 21310900200013.
        """
        number = f"{len(problems)} paramètre{'s' if len(problems) > 1 else ''} à corriger"
        lines = "\n".join(f"- {' '.join(str(problem).split())}" for problem in problems)
        return cls("parametres_refuses", nombre=number, liste=lines, problemes=tuple(problems))

    @property
    def problems(self) -> tuple[WorkbenchError, ...]:
        """Every problem, in the order of the notebook's parameters."""
        found: tuple[WorkbenchError, ...] = self.details["problemes"]
        return found


@dataclass(frozen=True)
class Parameter:
    """A parameter that a notebook declares.

    Parameters
    ----------
    name
        The variable.
    kind
        ``"str"``, ``"int"``, ``"float"``, ``"bool"``, ``"date"`` or one of them in a list:
        ``"list[str]"``; empty when the notebook says none.
    optional
        Whether None is accepted.
    required
        Whether a value must be given: the notebook declares no default.
    default
        The default, when it is a plain value.
    help
        The comment at the end of the line.
    """

    name: str
    kind: str = ""
    optional: bool = False
    required: bool = False
    default: Any = None
    help: str = ""

    @property
    def expected(self) -> str:
        """What to give, in French."""
        inner = self.kind.removeprefix("list[").removesuffix("]")
        if self.kind.startswith("list["):
            return f"une liste {OF_EACH.get(inner, 'de valeurs')}"
        return NAMES.get(inner, "une valeur")


def read_parameters(notebook: Path) -> dict[str, Parameter]:
    """Read the parameters that a notebook declares, in its order.

    Parameters
    ----------
    notebook
        Path of a notebook of format 4.

    Raises
    ------
    WorkbenchError
        ``notebook_absent``, ``notebook_illisible`` or ``notebook_sans_parametres``.
    """
    for cell in read_notebook(notebook)["cells"]:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            return _declared("".join(cell["source"]), notebook)
    raise WorkbenchError("notebook_sans_parametres", chemin=notebook)


def check_parameters(
    declared: Mapping[str, Parameter], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[WorkbenchError]]:
    """Compare what is given with what a notebook declares.

    Parameters
    ----------
    declared
        What `read_parameters` found.
    given
        Values by name; dates, paths, decimals, ranges and numpy values are made plain.

    Returns
    -------
    tuple of dict and list of WorkbenchError
        The plain values, and every problem: ``parametre_inconnu``, ``parametre_mal_type``,
        ``parametre_manquant``.

    Examples
    --------
    >>> declared = {"sirets": Parameter("sirets", "list[str]"), "exercice_min": Parameter("exercice_min", "int")}
    >>> values, problems = check_parameters(declared, {"sirets": "21310900200013", "exercise_min": 2019})
    >>> [problem.code for problem in problems]
    ['parametre_mal_type', 'parametre_inconnu']
    >>> print(problems[1])
    Le notebook n'a pas de paramètre « exercise_min ».
    Vouliez-vous dire « exercice_min » ?
    """
    values: dict[str, Any] = {}
    problems: list[WorkbenchError] = []
    for name, value in given.items():
        parameter = declared.get(name)
        if parameter is None:
            problems.append(WorkbenchError("parametre_inconnu", nom=name, conseil=_nearest(name, declared)))
            continue
        try:
            values[name] = plain(value)
        except (TypeError, ValueError):
            problems.append(_badly_typed(parameter, value))
            continue
        if not _fits(parameter, values[name]):
            problems.append(_badly_typed(parameter, value))
    problems.extend(
        WorkbenchError("parametre_manquant", nom=parameter.name, attendu=parameter.expected)
        for parameter in declared.values()
        if parameter.required and parameter.name not in given
    )
    return values, problems


def plain(value: Any) -> Any:
    """Make a value plain JSON, as a notebook's parameter must be.

    Parameters
    ----------
    value
        None, a bool, number, text, date, path, decimal, numpy scalar or array, or a list, tuple,
        set, range or text-keyed mapping of them. Dates become ISO 8601 text, sets sorted lists.

    Raises
    ------
    TypeError
        A value that has no plain form.
    ValueError
        NaN or infinity, which JSON does not have.

    Examples
    --------
    >>> plain({"exercices": range(2017, 2020), "date": date(2020, 1, 2), "seuil": Decimal("0.5")})
    {'exercices': [2017, 2018, 2019], 'date': '2020-01-02', 'seuil': 0.5}
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, bool | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            raise ValueError("NaN and infinities have no plain form")
        return float(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys must be text")
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(inner) for inner in value)
    if isinstance(value, list | tuple | range):
        return [plain(inner) for inner in value]
    raise TypeError(f"{type(value).__name__} has no plain form")


def _declared(source: str, notebook: Path) -> dict[str, Parameter]:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        cause = f"la cellule de paramètres a une erreur à la ligne {error.lineno}"
        raise WorkbenchError("notebook_illisible", chemin=notebook, cause=cause) from error
    lines = source.splitlines()
    found: dict[str, Parameter] = {}
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            kind, optional = _kind(node.annotation)
            name, value = node.target.id, node.value
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            kind, optional, name, value = "", True, node.targets[0].id, node.value
        else:
            continue
        comment = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :].partition("#")[2].strip()
        found[name] = Parameter(name, kind, optional, value is None, _literal(value), comment)
    return found


def _kind(annotation: ast.expr) -> tuple[str, bool]:
    text = ast.unparse(annotation).replace(" ", "").strip("'\"")
    if text.startswith("Optional[") and text.endswith("]"):
        text = text[9:-1] + "|None"
    parts = text.split("|")
    kinds = [part for part in parts if part != "None"]
    known = len(kinds) == 1 and kinds[0].removeprefix("list[").removesuffix("]") in NAMES
    return (kinds[0] if known else "", "None" in parts or not known)


def _literal(value: ast.expr | None) -> Any:
    try:
        return None if value is None else ast.literal_eval(value)
    except ValueError:
        return None


def _fits(parameter: Parameter, value: Any) -> bool:
    if value is None:
        return parameter.optional
    if parameter.kind.startswith("list["):
        inner = parameter.kind[5:-1]
        return isinstance(value, list) and all(_is(inner, one) for one in value)
    return not parameter.kind or _is(parameter.kind, value)


def _is(kind: str, value: Any) -> bool:
    if kind == "date":
        try:
            return isinstance(value, str) and bool(date.fromisoformat(value[:10]))
        except ValueError:
            return False
    if kind == "bool" or isinstance(value, bool):  # a bool is an int for Python, not for people
        return kind == "bool" and isinstance(value, bool)
    return isinstance(value, {"str": str, "int": int, "float": int | float}[kind])


def _badly_typed(parameter: Parameter, value: Any) -> WorkbenchError:
    shown = repr(value)
    hint = f"Par exemple : {parameter.default!r}." if parameter.default not in (None, "", []) else parameter.help
    return WorkbenchError(
        "parametre_mal_type",
        nom=parameter.name,
        valeur=shown if len(shown) <= 60 else f"{shown[:59]}…",
        attendu=parameter.expected,
        conseil=hint,
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    if near := get_close_matches(name, names, n=1):
        return f"Vouliez-vous dire « {near[0]} » ?"
    return f"Paramètres acceptés : {', '.join(names)}."
