"""Trames, indicateurs and their formules, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from workbench.formules.tree import SyntaxTree

__all__ = ["Formule", "Indicateur", "Trame"]


@dataclass(frozen=True)
class Formule:
    """A text and the exercices it is valid for.

    Parameters
    ----------
    texte
        One or several segments without RE-MIN or RE-MAX brackets; TB, TE and CAL stay in the text.
    exercice_min, exercice_max
        First and last exercice, both included; None for no bound.
    """

    texte: str
    exercice_min: int | None = None
    exercice_max: int | None = None


@dataclass(frozen=True)
class Indicateur:
    """A named figure: the sum of its formules, each where it is valid.

    Parameters
    ----------
    code
        Upper-case letters, digits and underscores, at least one underscore (``M14_CE_PFA_1000``).
    libelle
        Name for people; may be empty.
    formules
        In the order of the source; without any, the indicateur is 0 everywhere.
    description, reference, theme, unite
        For people: what it tells, the text that defines it, its heading, its unit
        (``"euros"``, ``"euros_par_habitant"``, ``"pourcentage"``, ``"annees"``, ``"ratio"``).
    """

    code: str
    libelle: str = ""
    formules: tuple[Formule, ...] = ()
    description: str = ""
    reference: str = ""
    theme: str = ""
    unite: str = "euros"

    @property
    def texte(self) -> str:
        """The whole formule in the language, years as RE-MIN and RE-MAX brackets."""
        raise NotImplementedError

    @cached_property
    def tree(self) -> SyntaxTree:
        """The syntax tree of `texte`; raises FormuleSyntaxError."""
        raise NotImplementedError


@dataclass(frozen=True)
class Trame:
    """An ordered set of indicateurs over one nomenclature.

    Parameters
    ----------
    code, libelle, description, reference
        For people and files; ``code`` is the stem of the file.
    nomenclature
        Chart of accounts (``"M14"``); None when the trame is bound to none.
    indicateurs
        In order; codes are unique.
    types_etablissement
        Establishment types it is meant for (``("101",)``); empty for all.
    types_identifiant
        Identifier kinds it is meant for (``("SIRET", "SIREN")``); empty for all.
    modele
        Path of the Excel model workbook, relative to the trame's file; empty for none.
    """

    code: str
    indicateurs: tuple[Indicateur, ...]
    libelle: str = ""
    description: str = ""
    reference: str = ""
    nomenclature: str | None = None
    types_etablissement: tuple[str, ...] = ()
    types_identifiant: tuple[str, ...] = ()
    modele: str = ""

    def __getitem__(self, code: str) -> Indicateur:
        """Return the indicateur of this code; KeyError when there is none."""
        raise NotImplementedError

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the indicateurs, in order."""
        return tuple(indicateur.code for indicateur in self.indicateurs)
