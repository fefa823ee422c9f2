"""Charts of accounts, as values: the comptes of a nomenclature in an exercice, their hierarchy, chapters and functions.

It stands below the rooms because several that do not know each other read it: the base stores charts, trames are
checked against them, the language completes comptes from them. Nothing here reads a file or a base.

It is one module because the values and what joins them are read together, and no room could hold a part of them.
A compte is under another when its number starts with the other's: charts are built so, and formules read comptes so.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from workbench.display import html_table, safe, view
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Chapitre", "Compte", "Fonction", "PlanComptes", "PlansComptes", "plain_words", "years_text"]

_SHOWN = 30


def plain_words(text: str) -> tuple[str, ...]:
    """Cut a text into the words that it is searched by: lower case, without accents.

    Examples
    --------
    >>> plain_words("Dégrèvement d'impôts")
    ('degrevement', 'd', 'impots')
    """
    plain = unicodedata.normalize("NFD", text.lower().replace("œ", "oe"))
    kept = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return tuple(re.findall(r"[a-z0-9]+", kept))


def years_text(exercices: Iterable[int]) -> str:
    """Write years in French, runs together.

    Examples
    --------
    >>> years_text([2013, 2014, 2015, 2019, 2021, 2022])
    'de 2013 à 2015, en 2019, de 2021 à 2022'
    """
    runs: list[list[int]] = []
    for year in sorted(set(exercices)):
        if runs and year == runs[-1][1] + 1:
            runs[-1][1] = year
        else:
            runs.append([year, year])
    return ", ".join(f"en {first}" if first == last else f"de {first} à {last}" for first, last in runs)


@dataclass(frozen=True, slots=True)
class Compte:
    """An account of a chart.

    Parameters
    ----------
    numero
        Its digits.
    libelle, libelle_court
        Its label, and the short one that budget forms print; the latter may be empty.
    parent
        The compte that it details; empty at the top.
    chapitres
        Pairs of a kind of operation (``depense_reelle``, ``recette_ordre``…) and the chapter that it goes to.
    variantes
        The variants of the chart that have it.
    totalise
        Whether budget forms show it as a total of those below.
    supprime
        Whether the chart keeps it as deleted: no entry is made there any more.
    """

    numero: str
    libelle: str
    parent: str = ""
    libelle_court: str = ""
    chapitres: tuple[tuple[str, str], ...] = ()
    variantes: tuple[str, ...] = ()
    totalise: bool = False
    supprime: bool = False

    def __str__(self) -> str:
        return f"{self.numero} {self.libelle}" + (" (supprimé)" if self.supprime else "")


@dataclass(frozen=True, slots=True)
class Chapitre:
    """A budget chapter: ``section`` is F (fonctionnement) or I (investissement); ``nature`` is that of its source."""

    code: str
    libelle: str
    section: str = ""
    nature: str = ""
    variantes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fonction:
    """A functional code: what an operation serves."""

    code: str
    libelle: str
    parent: str = ""
    variantes: tuple[str, ...] = ()


_T = TypeVar("_T", Compte, Chapitre, Fonction)


@dataclass(frozen=True)
class PlanComptes:
    """A chart of accounts in an exercice; `workbench.plan_comptes` gives it.

    Parameters
    ----------
    nomenclature
        ``"M57"``, or the criterion that several charts meet (``"M4*"``).
    exercice
        The year that the chart is that of.
    comptes
        Sorted by number, each once.
    chapitres, fonctions
        Sorted by code; empty where none was imported.
    source
        The file that it comes from, and its licence.

    Examples
    --------
    >>> comptes = (Compte("7", "Produits"), Compte("70", "Ventes", "7"), Compte("701", "Finis", "70"))
    >>> plan = PlanComptes("M57", 2024, comptes)
    >>> plan["70"].libelle, [each.numero for each in plan.under("70")], plan.path("701")
    ('Ventes', ['70', '701'], ('7', '70', '701'))
    >>> plan.is_final("701"), "71" in plan, plan.reads("71")
    (True, False, False)
    """

    nomenclature: str
    exercice: int
    comptes: tuple[Compte, ...]
    chapitres: tuple[Chapitre, ...] = ()
    fonctions: tuple[Fonction, ...] = ()
    source: str = ""

    @cached_property
    def _numeros(self) -> list[str]:
        return [each.numero for each in self.comptes]

    @cached_property
    def _by_numero(self) -> dict[str, Compte]:
        return {each.numero: each for each in self.comptes}

    @cached_property
    def _words(self) -> list[str]:
        return [" " + " ".join(plain_words(each.libelle)) for each in self.comptes]

    def __len__(self) -> int:
        return len(self.comptes)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Compte]:
        return iter(self.comptes)

    def __contains__(self, numero: object) -> bool:
        return numero in self._by_numero

    def __getitem__(self, numero: str) -> Compte:
        """Return a compte; raise WorkbenchError (``compte_inconnu``), which names the nearest one above."""
        found = self._by_numero.get(numero)
        if found is None:
            above = self.nearest_above(str(numero))
            conseil = f"Le plus proche : {above}." if above else "Cherchez-le par son libellé : plan.search."
            raise WorkbenchError(
                "compte_inconnu",
                compte=numero,
                nomenclature=self.nomenclature,
                exercice=self.exercice,
                conseil=conseil,
            )
        return found

    def _span(self, prefix: str) -> tuple[int, int]:
        return bisect_left(self._numeros, prefix), bisect_left(self._numeros, prefix + ":")

    def under(self, prefix: str) -> tuple[Compte, ...]:
        """List the comptes whose number starts with a prefix, the compte of that number included."""
        first, last = self._span(prefix)
        return self.comptes[first:last]

    def reads(self, prefix: str) -> bool:
        """Whether some compte in use starts with a prefix."""
        return any(not each.supprime for each in self.under(prefix))

    def children(self, numero: str) -> tuple[Compte, ...]:
        """List the comptes just below one; those at the top for an empty number."""
        return tuple(each for each in self.under(numero) if each.parent == numero and each.numero != numero)

    def is_final(self, numero: str) -> bool:
        """Whether no other compte starts with this number."""
        first, last = self._span(numero)
        return last - first <= 1

    def path(self, numero: str) -> tuple[str, ...]:
        """List the comptes above a number, from the top, then the number itself when it is one."""
        return tuple(numero[:end] for end in range(1, len(numero) + 1) if numero[:end] in self._by_numero)

    def nearest_above(self, numero: str) -> Compte | None:
        """Return the longest compte that a number starts with; None when there is none."""
        path = self.path(numero)
        return self._by_numero[path[-1]] if path else None

    def libelle(self, prefix: str) -> str:
        """Return the label of a prefix: that of the compte, else what it would be under; empty when unknown."""
        found = self._by_numero.get(prefix)
        if found is not None:
            return found.libelle
        above = self.nearest_above(prefix)
        return f"{above.libelle} (partie)" if above else ""

    def of_variante(self, variante: str) -> PlanComptes:
        """Return the chart with what one variant has alone; what names no variant is kept."""

        def kept(given: tuple[_T, ...]) -> tuple[_T, ...]:
            return tuple(each for each in given if not each.variantes or variante in each.variantes)

        return replace(self, comptes=kept(self.comptes), chapitres=kept(self.chapitres), fonctions=kept(self.fonctions))

    def search(self, text: str, limit: int | None = None) -> tuple[Compte, ...]:
        """Find comptes by the beginnings of the words of their label, or by the first digits of their number."""
        if text.strip().isdecimal():
            return self.under(text.strip())[:limit]
        words = [" " + word for word in plain_words(text)]
        found = [
            each for each, said in zip(self.comptes, self._words, strict=True) if all(word in said for word in words)
        ]
        return tuple(found[:limit])

    def to_frame(self, supprimes: bool = False) -> pd.DataFrame:
        """Return the comptes as a table.

        Parameters
        ----------
        supprimes
            Whether to keep those that the chart marks as deleted.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``compte`` (text); columns ``libelle``, ``libelle_court``, ``parent``, ``niveau`` (1 at the top),
            ``classe``, ``final``, ``totalise``, ``supprime``, ``variantes``, and one column a kind of operation with
            the chapter that it goes to. ``attrs`` says the nomenclature, the exercice and the source.
        """
        import pandas as pd

        from workbench.frames import ShownFrame

        kept = [each for each in self.comptes if supprimes or not each.supprime]
        kinds = tuple(dict.fromkeys(kind for each in kept for kind, _ in each.chapitres))
        frame = ShownFrame(
            {
                "libelle": [each.libelle for each in kept],
                "libelle_court": [each.libelle_court for each in kept],
                "parent": [each.parent for each in kept],
                "niveau": [len(self.path(each.numero)) for each in kept],
                "classe": [each.numero[0] for each in kept],
                "final": [self.is_final(each.numero) for each in kept],
                "totalise": [each.totalise for each in kept],
                "supprime": [each.supprime for each in kept],
                "variantes": ["+".join(each.variantes) for each in kept],
                **{f"chapitre_{kind}": [dict(each.chapitres).get(kind, "") for each in kept] for kind in kinds},
            },
            index=pd.Index([each.numero for each in kept], name="compte"),
        )
        frame.attrs.update(nomenclature=self.nomenclature, exercice=self.exercice, source=self.source)
        return frame

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._numeros)

    def __str__(self) -> str:
        return f"Plan de comptes {self.nomenclature}, {self.exercice} : {len(self)} comptes"

    def __repr__(self) -> str:
        return f"<{self}>"

    def _repr_html_(self) -> str:
        shown = [each for each in self.comptes if len(each.numero) <= 2][:100] or self.comptes[:_SHOWN]
        table = html_table(
            ("Compte", "Libellé"),
            [(each.numero, each.libelle) for each in shown],
            caption=str(self),
            shown=100,
            total=len(self),
            rest=".to_frame()",
        )
        return view(table, f'<p class="wb-detail">{safe(self.source)}</p>' if self.source else "")


@dataclass(frozen=True)
class PlansComptes:
    """The charts of a base or of a file: each is read when it is asked for.

    Parameters
    ----------
    keys
        The pairs of nomenclature and exercice that there are.
    load
        Gives the chart of a criterion on the nomenclature and an exercice, of one variant or of all.
    """

    keys: tuple[tuple[str, int], ...]
    load: Callable[[str, int, str | None], PlanComptes] = field(repr=False)
    _kept: dict[tuple[str, int, str | None], PlanComptes] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, plans: Iterable[PlanComptes]) -> PlansComptes:
        """Gather charts that are already there, one a nomenclature and exercice.

        Examples
        --------
        >>> plans = PlansComptes.of([PlanComptes("M57", 2023, ()), PlanComptes("M57", 2024, ())])
        >>> plans.exercices("M57"), plans.nomenclatures
        ((2023, 2024), ('M57',))
        """
        given = {(each.nomenclature, each.exercice): each for each in plans}

        def load(nomenclature: str, exercice: int, variante: str | None) -> PlanComptes:
            taken = [each for key, each in given.items() if _takes(nomenclature, exercice, key)]
            found = merged(nomenclature, exercice, taken)
            return found if variante is None else found.of_variante(variante)

        return cls(tuple(sorted(given)), load)

    def __str__(self) -> str:
        known = ", ".join(f"{name} ({years_text(self.exercices(name))})" for name in self.nomenclatures)
        return f"Plans de comptes : {known or 'aucun'}"

    def __repr__(self) -> str:
        return f"<{self}>"

    def _repr_html_(self) -> str:
        rows = [(name, years_text(self.exercices(name))) for name in self.nomenclatures]
        return view(html_table(("Nomenclature", "Exercices"), rows, caption="Plans de comptes"))

    @property
    def nomenclatures(self) -> tuple[str, ...]:
        """The nomenclatures that have a chart."""
        return tuple(dict.fromkeys(nomenclature for nomenclature, _ in self.keys))

    def exercices(self, nomenclature: str) -> tuple[int, ...]:
        """List the exercices that have a chart of a nomenclature, or of one that meets a criterion (``M4*``)."""
        return tuple(sorted({year for name, year in self.keys if meets(nomenclature, name)}))

    def plan(self, nomenclature: str, exercice: int | None = None, variante: str | None = None) -> PlanComptes:
        """Return a chart.

        Parameters
        ----------
        nomenclature
            One (``M57``), several (``M52+M71``) or a family (``M4*``), whose comptes are then joined.
        exercice
            The year; None for the last that there is.
        variante
            Only the comptes of this variant (``"M57_A"``); None for those of all.

        Raises
        ------
        WorkbenchError
            ``plan_absent``, ``variante_absente``, which name what there is.
        """
        years = self.exercices(nomenclature)
        year = years[-1] if exercice is None and years else exercice
        if year is None or year not in years:
            known = years_text(years) if years else f"aucun ; nomenclatures connues : {', '.join(self.nomenclatures)}"
            raise WorkbenchError(
                "plan_absent", nomenclature=nomenclature, exercice=f" de {exercice}" if exercice else "", connus=known
            )
        key = (nomenclature, year, variante)
        if key not in self._kept:
            if variante is not None:
                whole = self.plan(nomenclature, year)
                variantes = sorted({name for each in whole for name in each.variantes})
                if variante not in variantes:
                    raise WorkbenchError(
                        "variante_absente",
                        variante=variante,
                        nomenclature=nomenclature,
                        connues=", ".join(variantes) or "aucune",
                    )
            self._kept[key] = self.load(nomenclature, year, variante)
        return self._kept[key]


def meets(criterion: str, nomenclature: str) -> bool:
    """Whether a nomenclature meets a criterion: one, several joined by ``+``, any with a ``*`` at its end."""
    return any(
        nomenclature.startswith(one[:-1]) if one.endswith("*") else nomenclature == one for one in criterion.split("+")
    )


def _takes(criterion: str, exercice: int, key: tuple[str, int]) -> bool:
    return key[1] == exercice and meets(criterion, key[0])


def merged(nomenclature: str, exercice: int, plans: Iterable[PlanComptes]) -> PlanComptes:
    """Join charts of one exercice: each compte once, with the label of the chart that has the most comptes.

    A compte that one of them still uses is no deleted one.
    """
    ordered = sorted(plans, key=lambda each: (-len(each.comptes), each.nomenclature))
    if len(ordered) == 1 and ordered[0].nomenclature == nomenclature:
        return ordered[0]
    comptes: dict[str, Compte] = {}
    chapitres: dict[tuple[str, str], Chapitre] = {}
    fonctions: dict[str, Fonction] = {}
    for plan in ordered:
        for one in plan.comptes:
            known = comptes.get(one.numero)
            comptes[one.numero] = one if known is None else _joined(known, one)
        for chapitre in plan.chapitres:
            key = (chapitre.code, chapitre.section)
            chapitres[key] = _together(chapitres.get(key, chapitre), chapitre)
        for fonction in plan.fonctions:
            fonctions[fonction.code] = _together(fonctions.get(fonction.code, fonction), fonction)
    return PlanComptes(
        nomenclature,
        exercice,
        tuple(comptes[numero] for numero in sorted(comptes)),
        tuple(chapitres[key] for key in sorted(chapitres)),
        tuple(fonctions[code] for code in sorted(fonctions)),
        " ; ".join(dict.fromkeys(each.source for each in ordered if each.source)),
    )


def _together(one: _T, other: _T) -> _T:
    """Say of the first that the variants of the other have it too."""
    return replace(one, variantes=tuple(dict.fromkeys((*one.variantes, *other.variantes))))


def _joined(one: Compte, other: Compte) -> Compte:
    return _together(one, other) if other.supprime or not one.supprime else _together(other, one)
