"""What an assisted query asks: measures, groupings, criteria; no base, no SQL.

Everything that a person writes is checked here, so that a wrong value is an error that says what to write and never
reaches an engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from workbench.dgfip.import_report import grouped
from workbench.dgfip.queries_measures import Filter, Measure, nearest, shown
from workbench.dgfip.selection import Perimetre
from workbench.errors import WorkbenchError

__all__ = [
    "DEFAULT_ROWS",
    "DEFAULT_SECONDS",
    "DIMENSIONS",
    "MOST_ROWS",
    "Dimension",
    "QuerySpec",
    "checked_rows",
    "checked_seconds",
]

MOST_ROWS = 1_000_000
"""Most rows of a result: what a sheet of a spreadsheet holds."""

DEFAULT_ROWS = 100_000
DEFAULT_SECONDS = 60.0
"""What a query may give and take when nobody says."""


@dataclass(frozen=True)
class Dimension:
    """Something that a query may group by.

    Parameters
    ----------
    name
        What people write in ``by``.
    columns
        Columns of the result.
    meaning
        French.
    of_compte
        Whether it parts the rows of one budget.
    """

    name: str
    columns: tuple[str, ...]
    meaning: str
    of_compte: bool = False


DIMENSIONS: Mapping[str, Dimension] = MappingProxyType(
    {
        each.name: each
        for each in (
            Dimension("collectivite", ("siret", "libelle"), "chaque budget, avec son dernier libellé"),
            Dimension("siren", ("siren",), "chaque organisme, tous budgets réunis"),
            Dimension("exercice", ("exercice",), "chaque exercice"),
            Dimension("departement", ("departement",), "chaque département"),
            Dimension("region", ("region",), "chaque région"),
            Dimension("epci", ("siren_epci",), "chaque EPCI dont la collectivité est membre, où une source le dit"),
            Dimension("nomenclature", ("nomenclature",), "chaque nomenclature"),
            Dimension("type_etablissement", ("type_etablissement",), "chaque type d'établissement"),
            Dimension("type_budget", ("type_budget",), "budgets principaux et annexes"),
            Dimension("etat", ("etat",), "comptes définitifs, provisoires ou mixtes"),
            Dimension("source", ("source",), "balances ouvertes ou base CCI"),
            Dimension("classe", ("classe",), "le premier chiffre du compte", of_compte=True),
            Dimension("chapitre", ("chapitre",), "les deux premiers chiffres du compte", of_compte=True),
            Dimension(
                "chapitre_budgetaire",
                ("chapitre_budgetaire",),
                "le chapitre du budget (011, 012, 65…) où le plan de comptes range le compte",
                of_compte=True,
            ),
            Dimension("compte", ("compte",), "chaque compte", of_compte=True),
            Dimension("fonction", ("fonction",), "chaque code fonctionnel", of_compte=True),
        )
    }
)
"""What `by` takes."""


@dataclass(frozen=True)
class QuerySpec:
    """What a query asks, whatever the base.

    Parameters
    ----------
    perimetre
        Which budgets.
    name
        Words of their label, in any order; None for no criterion.
    exercices
        None for all.
    comptes
        Prefixes of the comptes read; None for all.
    fonctions
        Prefixes of the functional codes read; None for all.
    measures, dimensions, filters
        What is added up, by what, and which groups stay.
    order
        Columns, ``-`` before one for descending.
    limit
        Most rows; None for the limit of the run.
    """

    perimetre: Perimetre = field(default_factory=Perimetre)
    name: str | None = None
    exercices: tuple[int, ...] | None = None
    comptes: tuple[str, ...] | None = None
    fonctions: tuple[str, ...] | None = None
    measures: tuple[Measure, ...] = ()
    dimensions: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    order: tuple[str, ...] = ()
    limit: int | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the engine groups by, in the order of the groupings."""
        return tuple(column for name in self.dimensions for column in DIMENSIONS[name].columns)

    @property
    def headings(self) -> tuple[str, ...]:
        """Names of the columns of the result, labels of codes apart."""
        return (*self.columns, *(measure.name for measure in self.measures))

    @property
    def ordering(self) -> list[tuple[str, bool]]:
        """Columns to order by, and whether descending."""
        known = set(self.headings) | {each.variable for each in self.measures}
        return [
            (name, False) if name in known else (name.removeprefix("-"), name.startswith("-")) for name in self.order
        ]

    def measure(self, name: str) -> Measure:
        """Return a measure by its name, else the first one of this variable.

        Raises
        ------
        WorkbenchError
            ``requete_choix`` with the names that exist.
        """
        for given in ("name", "variable"):
            for each in self.measures:
                if getattr(each, given) == name:
                    return each
        known = [each.name for each in self.measures]
        raise WorkbenchError("requete_choix", quoi="La mesure", valeur=shown(name), conseil=nearest(name, known))

    def checked(self) -> QuerySpec:
        """Return itself when its parts agree.

        Raises
        ------
        WorkbenchError
            ``requete_vide``, ``requete_mesure``, ``requete_choix``.
        """
        if not self.measures and not self.dimensions:
            raise WorkbenchError("requete_vide")
        seen = set(self.columns) | {f"{column}_libelle" for column in self.columns}
        for measure in self.measures:
            if measure.name in seen:
                raise WorkbenchError(
                    "requete_mesure",
                    mesure=shown(measure.name),
                    raison="une autre colonne porte déjà ce nom",
                    conseil="Donnez-lui un autre libelle=.",
                )
            seen.add(measure.name)
        for condition in self.filters:
            self.measure(condition.measure)
        for bare, _ in self.ordering:
            if bare not in self.columns and bare not in {each.variable for each in self.measures} | seen:
                raise WorkbenchError(
                    "requete_choix",
                    quoi="La colonne de tri",
                    valeur=shown(bare),
                    conseil=nearest(bare, [*self.columns, *(each.name for each in self.measures)]),
                )
        return self


def checked_rows(value: object) -> int:
    """Return a number of rows, refused when it is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_ROWS:
        raise WorkbenchError(
            "requete_valeur", valeur=str(value)[:60], quoi="une limite", conseil=f"De 1 à {grouped(MOST_ROWS)} lignes."
        )
    return value


def checked_seconds(value: float) -> float:
    """Return a time limit, refused when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3600:
        raise WorkbenchError(
            "requete_valeur", valeur=str(value)[:60], quoi="un délai", conseil="De quelques secondes à 3600."
        )
    return float(value)
