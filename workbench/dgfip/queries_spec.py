"""What an assisted query asks: measures, groupings, criteria; no base, no SQL.

Everything that a person writes is checked here, so that a wrong value is an error that says what to write and never
reaches an engine.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, cast

from workbench.dgfip.selection import Perimetre
from workbench.errors import WorkbenchError, require_kind
from workbench.types_appel import SOLDES, TYPES_APPEL, Side, TypeAppel

__all__ = ["DIMENSIONS", "MOST_ROWS", "Dimension", "Filter", "Measure", "QuerySpec", "cents", "checked_text", "nearest"]

MOST_ROWS = 1_000_000
"""Most rows of a result: what a sheet of a spreadsheet holds."""

_LISTED = 20
"""Names that a message lists; beyond, only the nearest."""

OPERATORS = (">", ">=", "<", "<=", "=", "!=")


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
            Dimension("epci", ("siren_epci",), "chaque groupement de rattachement, où la source le donne"),
            Dimension("nomenclature", ("nomenclature",), "chaque nomenclature"),
            Dimension("type_etablissement", ("type_etablissement",), "chaque type d'établissement"),
            Dimension("type_budget", ("type_budget",), "budgets principaux et annexes"),
            Dimension("etat", ("etat",), "comptes définitifs, provisoires ou mixtes"),
            Dimension("source", ("source",), "balances ouvertes ou base CCI"),
            Dimension("classe", ("classe",), "le premier chiffre du compte", of_compte=True),
            Dimension("chapitre", ("chapitre",), "les deux premiers chiffres du compte", of_compte=True),
            Dimension("compte", ("compte",), "chaque compte", of_compte=True),
            Dimension("fonction", ("fonction",), "chaque code fonctionnel", of_compte=True),
        )
    }
)
"""What `by` takes."""

_VARIABLE = re.compile(r"(SC|SD|S|C|D)([0-9][0-9A-Z]{0,19})?")
_NET: Mapping[str, tuple[tuple[Side, int], ...]] = {"S": (("SD", 1), ("SC", -1))}


@dataclass(frozen=True)
class Measure:
    """An amount that a query adds up; `Measure.of` makes it from what people write.

    Parameters
    ----------
    side
        C, D, SC or SD as in a formule; S is the net closing balance, SD minus SC.
    compte
        Prefix of the comptes that count; empty for all.
    type_appel
        Which movements count.
    libelle
        Heading of the column; empty for the variable itself.
    per_inhabitant
        Whether the sum is divided by the inhabitants of the group.
    """

    side: str
    compte: str = ""
    type_appel: TypeAppel = "SX"
    libelle: str = ""
    per_inhabitant: bool = False

    @classmethod
    def of(cls, text: str, *, type_appel: str = "SX", libelle: str = "", per_inhabitant: bool = False) -> Measure:
        """Read a measure.

        Parameters
        ----------
        text
            ``C70``, ``D60``, ``SC16``, ``SD16`` as in a formule, ``S51`` for SD51 − SC51; without digits, all comptes.
        type_appel
            SX, SS, BR, BO, NB, BE or BX.
        libelle
            Heading of the column.
        per_inhabitant
            In euros per inhabitant.

        Raises
        ------
        WorkbenchError
            ``requete_mesure``, ``requete_choix``.

        Examples
        --------
        >>> Measure.of("c70", type_appel="BX").name
        'C70[TA:BX]'
        >>> Measure.of("S51").combination
        {'debit_1': 1, 'debit_2': 1, 'debit_3': 1, 'debit_4': 1, 'credit_7': -1,
         'credit_1': -1, 'credit_2': -1, 'credit_3': -1, 'credit_4': -1, 'debit_7': 1}
        """
        require_kind(text, str, "measure", "un texte", 'Par exemple .measure("C70").')
        require_kind(type_appel, str, "type_appel", "un texte", 'Par exemple type_appel="BX".')
        found = _VARIABLE.fullmatch(re.sub(r"[ \t]", "", text).upper()) if text.isascii() else None
        if not found:
            raise WorkbenchError(
                "requete_mesure",
                mesure=_shown(text),
                raison="elle ne s'écrit pas ainsi",
                conseil="Écrivez C70, D60, SC16, SD16 ou S51 : un sens, puis les premiers chiffres du compte.",
            )
        kind = type_appel.strip().upper()
        if kind not in TYPES_APPEL:
            raise WorkbenchError(
                "requete_choix",
                quoi="Le type d'appel",
                valeur=_shown(type_appel),
                conseil=f"Choisissez parmi {', '.join(TYPES_APPEL)}.",
            )
        measure = cls(
            found[1],
            found[2] or "",
            cast("TypeAppel", kind),
            checked_text(libelle, "libelle").strip(),
            bool(per_inhabitant),
        )
        if any((measure.type_appel, side) not in SOLDES for side, _ in measure._sides):
            raise WorkbenchError(
                "requete_mesure",
                mesure=measure.name,
                raison=f"le type d'appel {kind} n'existe pas pour les soldes",
                conseil="Demandez les débits (D) ou les crédits (C).",
            )
        return measure

    @property
    def _sides(self) -> tuple[tuple[Side, int], ...]:
        return _NET.get(self.side) or ((cast("Side", self.side), 1),)

    @property
    def combination(self) -> dict[str, int]:
        """Coefficients of the amount columns of ``balances``."""
        total: dict[str, int] = {}
        for side, sign in self._sides:
            for column, coefficient in SOLDES[self.type_appel, side].items():
                total[column] = total.get(column, 0) + sign * coefficient
        return {column: coefficient for column, coefficient in total.items() if coefficient}

    @property
    def variable(self) -> str:
        """The variable as a formule writes it; without its type d'appel when it is SX."""
        return f"{self.side}{self.compte}" + ("" if self.type_appel == "SX" else f"[TA:{self.type_appel}]")

    @property
    def name(self) -> str:
        """The heading of its column in a result."""
        return self.libelle or self.variable + ("/hab" if self.per_inhabitant else "")


@dataclass(frozen=True)
class Filter:
    """A condition on a measure: which groups stay.

    Parameters
    ----------
    measure
        Name of the measure.
    operator
        One of ``> >= < <= = !=``.
    value
        In euros, exact.
    """

    measure: str
    operator: str
    value: Decimal

    @classmethod
    def of(cls, measure: str, operator: str, value: Any) -> Filter:
        """Read a condition.

        Raises
        ------
        WorkbenchError
            ``requete_choix``, ``requete_valeur``.

        Examples
        --------
        >>> Filter.of("C70", ">", 1000.5)
        Filter(measure='C70', operator='>', value=Decimal('1000.5'))
        """
        if operator not in OPERATORS:
            raise WorkbenchError(
                "requete_choix", quoi="L'opérateur", valeur=_shown(operator), conseil=f"Écrivez {' '.join(OPERATORS)}."
            )
        try:
            amount = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or abs(amount) >= 10**15:
            raise WorkbenchError(
                "requete_valeur",
                valeur=_shown(value),
                quoi="un filtre",
                conseil="Donnez un montant en euros : 1000 ou 1000.50.",
            )
        return cls(measure, operator, amount)


@dataclass(frozen=True)
class QuerySpec:
    """What a query asks, whatever the base.

    Parameters
    ----------
    perimetre
        Which budgets.
    name
        Words of their label, in any order; None for no criterion.
    epci
        SIRENs of the groupements that they belong to; None for no criterion.
    exercices
        None for all.
    comptes
        Prefixes of the comptes read; None for all.
    measures, dimensions, filters
        What is added up, by what, and which groups stay.
    order
        Columns, ``-`` before one for descending.
    limit
        Most rows; None for the limit of the run.
    """

    perimetre: Perimetre = field(default_factory=Perimetre)
    name: str | None = None
    epci: tuple[str, ...] | None = None
    exercices: tuple[int, ...] | None = None
    comptes: tuple[str, ...] | None = None
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
        raise WorkbenchError("requete_choix", quoi="La mesure", valeur=_shown(name), conseil=nearest(name, known))

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
                    mesure=_shown(measure.name),
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
                    valeur=_shown(bare),
                    conseil=nearest(bare, [*self.columns, *(each.name for each in self.measures)]),
                )
        return self


def checked_text(value: object, parametre: str) -> str:
    """Return a text that every engine and file can hold.

    Raises
    ------
    WorkbenchError
        ``argument_inattendu``, ``requete_valeur`` for a control character or half a surrogate pair.

    Examples
    --------
    >>> checked_text("l'an", "name")
    "l'an"
    """
    require_kind(value, str, parametre, "un texte")
    text = cast("str", value)
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]", text):
        raise WorkbenchError(
            "requete_valeur", valeur=_shown(text), quoi=parametre, conseil="Retirez les caractères invisibles."
        )
    return text


def nearest(wrong: object, known: Iterable[str]) -> str:
    """Return what to write instead of a name that does not exist.

    Examples
    --------
    >>> nearest("chapitres", ["chapitre", "compte"])
    'Vouliez-vous dire « chapitre » ? Connus : chapitre, compte.'
    """
    names = list(known)
    close = difflib.get_close_matches(str(wrong), names, 1)
    listed = f"Connus : {', '.join(names)}." if names else "Il n'y en a aucun."
    if len(names) > _LISTED:
        listed = ""
    return f"Vouliez-vous dire « {close[0]} » ? {listed}".rstrip() if close else listed


def _shown(value: object) -> str:
    text = ascii(value)[1:-1] if isinstance(value, str) and not value.isprintable() else str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def cents(value: Decimal) -> int | float:
    """Return an amount in cents: an integer when it is one, so that comparison is exact.

    Examples
    --------
    >>> cents(Decimal("10.5")), cents(Decimal("0.001"))
    (1050, 0.1)
    """
    scaled = value * 100
    return int(scaled) if scaled == int(scaled) else float(scaled)
