"""What a query adds up and what it keeps: measures and conditions, read from what people write."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from workbench.errors import WorkbenchError, require_kind
from workbench.types_appel import SOLDES, TYPES_APPEL, Side, TypeAppel

__all__ = ["Filter", "Measure", "cents", "checked_fonction", "checked_text", "nearest", "shown"]

_LISTED = 20
"""Names that a message lists; beyond, only the nearest."""

OPERATORS = (">", ">=", "<", "<=", "=", "!=")
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
                mesure=shown(text),
                raison="elle ne s'écrit pas ainsi",
                conseil="Écrivez C70, D60, SC16, SD16 ou S51 : un sens, puis les premiers chiffres du compte.",
            )
        kind = type_appel.strip().upper()
        if kind not in TYPES_APPEL:
            raise WorkbenchError(
                "requete_choix",
                quoi="Le type d'appel",
                valeur=shown(type_appel),
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
                "requete_choix", quoi="L'opérateur", valeur=shown(operator), conseil=f"Écrivez {' '.join(OPERATORS)}."
            )
        try:
            amount = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or abs(amount) >= 10**15:
            raise WorkbenchError(
                "requete_valeur",
                valeur=shown(value),
                quoi="un filtre",
                conseil="Donnez un montant en euros : 1000 ou 1000.50.",
            )
        return cls(measure, operator, amount)


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
            "requete_valeur", valeur=shown(text), quoi=parametre, conseil="Retirez les caractères invisibles."
        )
    return text


def checked_fonction(value: object) -> str:
    """Return the first characters of a functional code.

    Raises
    ------
    WorkbenchError
        ``requete_valeur``.

    Examples
    --------
    >>> checked_fonction(" 93-212 ")
    '93-212'
    """
    code = value.strip().upper() if isinstance(value, str) else ""
    if not re.fullmatch(r"[0-9A-Z][0-9A-Z.-]{0,19}", code, re.ASCII):
        raise WorkbenchError(
            "requete_valeur", valeur=shown(value), quoi="une fonction", conseil="Écrivez ses premiers chiffres : 932."
        )
    return code


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


def shown(value: object) -> str:
    """Return a value as a message quotes it: short, nothing invisible."""
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
