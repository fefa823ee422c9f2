"""Heads of groups (Ellisphère): who holds a company, directly or not, for more than half. Columns go by their place."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Layout, Scope, Source, read
from workbench.signaux_faibles.kinds import DECIMAL, INTEGER, TEXT

_PLACES = {
    "code_groupe": 0,
    "personne_pou_m_groupe": 1,
    "siren_groupe": 2,
    "refid_groupe": 3,
    "raison_sociale_groupe": 4,
    "adresse_groupe": 5,
    "niveau_detention": 9,
    "part_financiere": 10,
    "code_filiere": 12,
    "personne_pou_m_filiere": 13,
    "siren": 14,
    "refid_filiere": 15,
}
_KINDS = {"niveau_detention": INTEGER, "part_financiere": DECIMAL}

SOURCE = Source(
    type="ellisphere",
    title="de têtes de groupe Ellisphère",
    scope=Scope.ENTREPRISE,
    columns=tuple(Column(name) for name in _PLACES),
    key=lambda cells: cells.text("siren"),
    key_column="siren",
    fields=tuple(
        read(name, name, _KINDS.get(name, TEXT), unit="%" if name == "part_financiere" else "")
        for name in _PLACES
        if name != "siren"
    ),
    layout=Layout(_PLACES),
)
