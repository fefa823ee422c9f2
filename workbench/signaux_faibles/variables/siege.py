"""What an entreprise is: the place and the activity of its head office, its legal form.

Models never learn from these, which are those of the batch: they say who is in the perimeter, and what measures are
broken down by.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from workbench.signaux_faibles.variables.context import Context, entites
from workbench.signaux_faibles.variables.declaration import TEXT, Family, Level, Scope, Variable
from workbench.signaux_faibles.variables.entreprise import legal_units
from workbench.signaux_faibles.variables.etablissement import places

__all__ = ["ENTREPRISE_SIEGE"]

_PLACE = {
    "departement": ("département du siège : 01, 2A, 971", "vide dans Sirene"),
    "region": ("région du département du siège", "département inconnu"),
    "code_ape": ("activité du siège, sans point, si elle a 4 chiffres et une lettre", "autre forme"),
    "code_naf": ("section de code_ape (une lettre)", "code_ape inconnu"),
}


def _rows(context: Context) -> Select[Any]:
    place, unit = places(context).subquery("sieges"), legal_units(context).subquery("formes")
    joined = entites.outerjoin(place, place.c.numero == entites.c.numero).outerjoin(
        unit, unit.c.siren_numero == entites.c.siren_numero
    )
    return select(entites.c.numero, *(place.c[name] for name in _PLACE), unit.c.statut_juridique).select_from(joined)


ENTREPRISE_SIEGE = Family(
    "siege",
    "Siège et forme juridique",
    Scope.ENTREPRISE,
    (
        *(
            Variable(
                name,
                TEXT,
                words,
                "",
                ("sirene",),
                undefined,
            )
            for name, (words, undefined) in _PLACE.items()
        ),
        Variable("statut_juridique", TEXT, "catégorie juridique", "", ("sirene_ul",), "vide dans Sirene"),
    ),
    Level.ENTITY,
    _rows,
)
