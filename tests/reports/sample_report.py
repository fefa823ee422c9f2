"""A table of figures made by hand: a fictitious commune whose finances get worse, M14 then M57."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from workbench.evaluation.results import IndicateurTable, Provenance
from workbench.trames.model import Formule, Indicateur, Trame

SIRET = "99900000100011"

EXERCICES = (2018, 2019, 2020, 2022)


def _one(code: str, libelle: str, theme: str, unite: str = "euros") -> Indicateur:
    return Indicateur(code, libelle, (Formule("C7[TA:BX]"),), "Ce que dit l'indicateur.", "Une référence", theme, unite)


INDICATEURS = (
    _one("T_RECETTES_FONCTIONNEMENT", "Recettes de fonctionnement", "Fonctionnement"),
    _one("T_DEPENSES_FONCTIONNEMENT", "Dépenses de fonctionnement", "Fonctionnement"),
    _one("T_FRAIS_PERSONNEL", "Frais de personnel <dont élus>", "Fonctionnement"),
    _one("T_EPARGNE_BRUTE", "Épargne brute", "Épargnes"),
    _one("T_EPARGNE_NETTE", "Épargne nette", "Épargnes"),
    _one("T_TAUX_D_EPARGNE_BRUTE", "Taux d’épargne brute", "Épargnes", "pourcentage"),
    _one("T_ENCOURS_DETTE", "Encours de dette", "Dette"),
    _one("T_CAPACITE_DE_DESENDETTEMENT", "Capacité de désendettement", "Dette", "annees"),
    _one("T_ENCOURS_HABITANT", "Encours de dette par habitant", "Dette", "euros_par_habitant"),
)

VALUES: Mapping[str, Sequence[float]] = {
    "T_RECETTES_FONCTIONNEMENT": (12_000_000.0, 12_150_000.0, 11_900_000.0, 12_300_000.0),
    "T_DEPENSES_FONCTIONNEMENT": (10_400_000.0, 10_700_000.0, 10_900_000.0, 11_480_000.0),
    "T_FRAIS_PERSONNEL": (6_000_000.0, 6_150_000.0, 6_300_000.0, 7_150_000.0),
    "T_EPARGNE_BRUTE": (1_600_000.0, 1_450_000.0, 1_000_000.0, 820_000.0),
    "T_EPARGNE_NETTE": (700_000.0, 510_000.25, 30_000.0, -180_000.0),
    "T_TAUX_D_EPARGNE_BRUTE": (0.1333, 0.1193, 0.0840, 0.0667),
    "T_ENCOURS_DETTE": (9_000_000.0, 9_400_000.0, 10_200_000.0, 10_900_000.0),
    "T_CAPACITE_DE_DESENDETTEMENT": (5.625, 6.48, 10.2, 13.29),
    "T_ENCOURS_HABITANT": (900.0, 938.1, 1016.2, 1084.6),
}


def budgets(exercices: Sequence[int] = EXERCICES, **changes: object) -> pa.Table:
    """One row an exercice; the last is provisional, the chart changes in 2020."""
    rows = [
        {
            "siret": SIRET,
            "exercice": exercice,
            "siren": SIRET[:9],
            "libelle": "Vallombreuse-les-Essais",
            "population": 10_000 + 30 * position,
            "nomenclature": "M14" if exercice < 2020 else "M57",
            "nomenclature_detail": "M14" if exercice < 2020 else "M57A",
            "type_budget": "1",
            "type_etablissement": "101",
            "etat": "P" if exercice == exercices[-1] else "D",
            **changes,
        }
        for position, exercice in enumerate(exercices)
    ]
    return pa.Table.from_pylist(rows)


def sample_table(
    values: Mapping[str, Sequence[float]] = VALUES,
    exercices: Sequence[int] = EXERCICES,
    *,
    indicateurs: Sequence[Indicateur] = INDICATEURS,
    budgets_table: pa.Table | None = None,
    avertissements: tuple[str, ...] = ("Un budget annexe & son budget principal sont mêlés.",),
) -> IndicateurTable:
    """Build the table as an evaluation would hand it over."""
    chosen = tuple(indicateur for indicateur in indicateurs if indicateur.code in values)
    table = IndicateurTable({year: [values[one.code][i] for one in chosen] for i, year in enumerate(exercices)})
    table.index = [one.code for one in chosen]
    table.provenance = Provenance(
        trame=Trame("essai", chosen, libelle="Trame d'essai", reference="Sans autorité", nomenclature=None),
        base="base.duckdb",
        snapshot="20240102T030405",
        budgets=budgets(exercices) if budgets_table is None else budgets_table,
        exercices_demandes=(exercices[0], exercices[-1]),
        exercices=tuple(exercices),
        nomenclature=None,
        avertissements=avertissements,
    )
    return table
