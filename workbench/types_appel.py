"""The types d'appel: which movements of a compte a variable adds up.

A type d'appel and a side choose a linear combination of the amounts of the operations (``workbench.dgfip.schema``:
1 balance d'entrée, 2 budgétaires, 3 and 4 d'ordre non budgétaires, 6 d'ordre budgétaires, 7 annulations). Annulations
are recorded on the opposite side and subtract.

Two rows look odd and are kept, because existing formules were tuned on them: SC and SD are not netted (formules write
``SD2-SC2`` themselves), and under BR they subtract the annulations of their own side.

It stands below the rooms because two of them that do not know each other read it: the language of formules and the
assisted queries of the base.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args

__all__ = ["SIDES", "SOLDES", "TYPES_APPEL", "Side", "TypeAppel"]

Side = Literal["C", "D", "SC", "SD"]
TypeAppel = Literal["SX", "SS", "BR", "BO", "NB", "BE", "BX"]

TYPES_APPEL: Mapping[str, str] = MappingProxyType(
    {
        "SX": "solde, balance d'entrée comprise",
        "SS": "mouvements de l'exercice (C, D), ou solde avec la balance d'entrée (SC, SD)",
        "BR": "opérations budgétaires réelles",
        "BO": "opérations budgétaires d'ordre",
        "NB": "opérations d'ordre non budgétaires",
        "BE": "balance d'entrée",
        "BX": "opérations budgétaires, réelles et d'ordre",
    }
)
"""What each type d'appel counts, in French."""

SIDES: Mapping[str, str] = MappingProxyType(
    {"C": "crédits", "D": "débits", "SC": "solde créditeur", "SD": "solde débiteur"}
)
"""What each side counts, in French."""


# Sides are relative here: "own" is credit for C and SC, debit for D and SD.
_MOVEMENTS = {"own_2": 1, "own_3": 1, "own_4": 1, "other_7": -1}
_ALL = {"own_1": 1, **_MOVEMENTS}
_BUDGETARY = {"own_2": 1, "other_7": -1}

_PLAIN: dict[TypeAppel, dict[str, int]] = {
    "SX": _ALL,
    "SS": _MOVEMENTS,
    "BR": {"own_2": 1, "own_6": -1, "other_7": -1},
    "BO": {"own_6": 1},
    "NB": {"own_3": 1, "own_4": 1},
    "BE": {"own_1": 1},
    "BX": _BUDGETARY,
}
_SOLDE: dict[TypeAppel, dict[str, int]] = {
    "SX": _ALL,
    "SS": _ALL,
    "BR": {"own_2": 1, "own_6": -1, "own_7": -1},
    "BE": {"own_1": 1},
    "BX": _BUDGETARY,
}


def _column(relative: str, side: Side) -> str:
    position, operation = relative.split("_")
    credit = side.endswith("C") == (position == "own")
    return f"{'credit' if credit else 'debit'}_{operation}"


SOLDES: Mapping[tuple[TypeAppel, Side], Mapping[str, int]] = MappingProxyType(
    {
        (type_appel, side): MappingProxyType(
            {_column(relative, side): coefficient for relative, coefficient in combination.items()}
        )
        for side in get_args(Side)
        for type_appel, combination in (_PLAIN if side in {"C", "D"} else _SOLDE).items()
    }
)
"""Coefficients of the amount columns, by (type d'appel, side); 24 pairs.

BO and NB do not exist for SC and SD: those four pairs are absent.

Examples
--------
>>> dict(SOLDES["BX", "C"])
{'credit_2': 1, 'debit_7': -1}
>>> ("BO", "SC") in SOLDES
False
"""
