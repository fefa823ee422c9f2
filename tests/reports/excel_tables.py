"""Tables of indicateurs built by hand, for the tests of workbooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from workbench.evaluation.results import IndicateurTable, Provenance
from workbench.trames.model import Formule, Indicateur, Trame


def budgets(exercices: Sequence[int], sirets: Sequence[str] = ("21990001900019",), etats: str = "") -> pa.Table:
    """One row a (siret, exercice); ``etats`` gives a letter an exercice, D when it is empty."""
    rows = [
        {
            "siret": siret,
            "exercice": exercice,
            "siren": siret[:9],
            "libelle": f"VILLE {number}",
            "population": 1000 + exercice,
            "nomenclature": "M14",
            "nomenclature_detail": "M14",
            "type_budget": "1",
            "type_etablissement": "101",
            "etat": etats[index] if etats else "D",
        }
        for index, exercice in enumerate(exercices)
        for number, siret in enumerate(sirets, start=1)
    ]
    return pa.Table.from_pylist(rows)


def make_table(
    values: Mapping[str, Sequence[float]],
    exercices: Sequence[int],
    perimetre: pa.Table | None = None,
    indicateurs: Sequence[Indicateur] = (),
    avertissements: tuple[str, ...] = (),
) -> IndicateurTable:
    """A table with its provenance."""
    table = IndicateurTable(dict(values), index=list(exercices), dtype="float64").T
    known = {indicateur.code: indicateur for indicateur in indicateurs}
    trame = Trame(
        "essai",
        tuple(known.get(code, Indicateur(code, f"Libellé {code}", (Formule("C70[TA:BX]"),))) for code in values),
        libelle="Analyse d'essai",
        nomenclature="M14",
    )
    table = IndicateurTable(table)
    table.provenance = Provenance(
        trame,
        "duckdb:///essai.duckdb",
        "0001",
        budgets(exercices) if perimetre is None else perimetre,
        (exercices[0], exercices[-1]),
        tuple(exercices),
        "M14",
        avertissements,
    )
    return table
