"""A random number by établissement and month, which makes samples reproducible. The file has no header."""

from __future__ import annotations

from workbench.signaux_faibles.declaration import Column, Layout, Scope, Source, read
from workbench.signaux_faibles.kinds import DATE_ISO, DECIMAL

SOURCE = Source(
    type="reporder",
    title="d'ordres de tirage",
    scope=Scope.ETABLISSEMENT,
    delimiter=",",
    columns=tuple(Column(name) for name in ("siret", "periode", "random_order")),
    key=lambda cells: cells.text("siret"),
    key_column="siret",
    fields=(
        read("periode", "periode", DATE_ISO, required=True),
        read("random_order", "random_order", DECIMAL),
    ),
    layout=Layout({"siret": 0, "periode": 1, "random_order": 2}, header=False),
)
