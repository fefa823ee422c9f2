"""A serie: trames that take over from one another when budgets change their nomenclature.

Each trame of a serie holds the definitions for the budgets kept under its nomenclature; a code that several of
them give is one figure, followed through the change. A serie is read wherever a trame is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from workbench.display import html_table, view
from workbench.errors import WorkbenchError, require_kind
from workbench.trames.model import Indicateur, Trame
from workbench.trames.trame_html import coloured

__all__ = ["Serie", "serie_of", "trames_of"]

_SHOWN = 60


@dataclass(frozen=True, repr=False)
class Serie(Trame):
    """Trames of several nomenclatures as one; `serie_of` makes it.

    Its indicateurs are those of all its trames, each with the texts of the last trame that has it, which is the one
    in force; ``reference`` says those of every trame. ``nomenclature`` joins theirs: ``"M14+M57"``.

    Parameters
    ----------
    trames
        In order of succession, each of another nomenclature.
    """

    trames: tuple[Trame, ...] = ()

    def dependencies(self, code: str) -> tuple[str, ...]:
        """List the indicateurs that the formule of ``code`` names in some trame of the serie."""
        named = (name for trame in self.trames if code in trame for name in trame.dependencies(code))
        return tuple(dict.fromkeys(named))

    def uses(self, code: str) -> tuple[str, ...]:
        """List the indicateurs whose formule names ``code`` in some trame, in the order of the serie."""
        users = {user for trame in self.trames for user in trame.uses(code)}
        return tuple(each for each in self.codes if each in users)

    def with_indicateur(self, indicateur: Indicateur) -> NoReturn:  # noqa: ARG002 - as Trame has it
        """Refuse: an indicateur is changed in one of the trames."""
        self._refuse()

    def without_indicateur(self, code: str) -> NoReturn:  # noqa: ARG002 - as Trame has it
        """Refuse: an indicateur is removed from one of the trames."""
        self._refuse()

    def rename_indicateur(self, code: str, new_code: str) -> NoReturn:  # noqa: ARG002 - as Trame has it
        """Refuse: an indicateur is renamed in each of the trames."""
        self._refuse()

    def _repr_html_(self) -> str:
        rows = []
        for one in self.indicateurs[:_SHOWN]:
            cells = [coloured(trame[one.code].texte) if one.code in trame else None for trame in self.trames]
            rows.append((one.code, one.libelle, *cells))
        heads = ("Code", "Libellé", *(str(trame.nomenclature) for trame in self.trames))
        title = f"{self.libelle or self.code} · {', '.join(trame.code for trame in self.trames)}"
        return view(html_table(heads, rows, caption=title, heads=2, shown=_SHOWN, total=len(self), rest=".trames"))

    def _refuse(self) -> NoReturn:
        raise WorkbenchError("serie_figee", serie=self.code, trames=", ".join(one.code for one in self.trames))


def serie_of(
    trames: Iterable[Trame],
    *,
    code: str = "serie",
    libelle: str = "",
    description: str = "",
    reference: str = "",
    modele: str = "",
) -> Serie:
    """Make one serie of trames that take over from one another.

    Parameters
    ----------
    trames
        In order of succession: the M14 one before the M57 one. Each has a nomenclature of its own.
    code, libelle, description, reference, modele
        As of a trame.

    Returns
    -------
    Serie
        Read wherever a trame is: `workbench.evaluate` takes for each budget and exercice the trame of the
        nomenclature that the budget kept its accounts under.

    Raises
    ------
    WorkbenchError
        ``serie_impossible``: fewer than two trames, one without nomenclature, two of the same, or a code that is in
        euros in one and a ratio in another.

    Examples
    --------
    >>> from workbench.trames import trame_from_formules
    >>> m14 = trame_from_formules({"A_IMPOTS": "C731[TA:BR]"}, nomenclature="M14", code="a_m14")
    >>> m57 = trame_from_formules({"A_IMPOTS": "C7311[TA:BR]"}, nomenclature="M57", code="a_m57")
    >>> serie = serie_of([m14, m57], code="a")
    >>> serie.nomenclature, serie.codes, serie["A_IMPOTS"].texte
    ('M14+M57', ('A_IMPOTS',), 'C7311[TA:BR]')
    """
    require_kind(trames, Iterable, "trames", "une liste de trames", "wb.serie_of([trame_m14, trame_m57])")
    given = tuple(trames)
    for one in given:
        require_kind(one, Trame, "trames", "une liste de trames", "wb.serie_of([trame_m14, trame_m57])")
    if cause := next(_faults(given), None):
        raise WorkbenchError("serie_impossible", serie=code, cause=cause)
    return Serie(
        code,
        tuple(_indicateur(name, given) for name in _codes(given)),
        libelle,
        description,
        reference,
        "+".join(str(one.nomenclature) for one in given),
        _union(one.types_etablissement for one in given),
        _union(one.types_identifiant for one in given),
        modele,
        given,
    )


def trames_of(trame: Trame) -> tuple[Trame, ...]:
    """The trames of a serie, or the trame itself."""
    return trame.trames if isinstance(trame, Serie) else (trame,)


def _faults(trames: tuple[Trame, ...]) -> Iterator[str]:
    if len(trames) < 2:
        yield "il en faut au moins deux"
    seen: dict[str, str] = {}
    unites: dict[str, tuple[str, str]] = {}
    for one in trames:
        if isinstance(one, Serie):
            yield f"{one.code} est elle-même une série"
        nomenclature = one.nomenclature
        if nomenclature is None:
            yield f"{one.code} n'a pas de nomenclature"
            return
        for other, code in seen.items():
            if _overlap(nomenclature, other):
                yield f"{code} et {one.code} portent toutes deux sur {nomenclature}"
        seen[nomenclature] = one.code
        for indicateur in one.indicateurs:
            unite, code = unites.setdefault(indicateur.code, (indicateur.unite, one.code))
            if unite != indicateur.unite:
                yield f"{indicateur.code} est en {unite} dans {code} et en {indicateur.unite} dans {one.code}"


def _overlap(one: str, other: str) -> bool:
    """Whether some nomenclature meets both criteria."""
    return any(
        left.rstrip("*").startswith(right.rstrip("*"))
        if right.endswith("*")
        else right.startswith(left.rstrip("*"))
        if left.endswith("*")
        else left == right
        for left in one.split("+")
        for right in other.split("+")
    )


def _codes(trames: tuple[Trame, ...]) -> list[str]:
    """Every code once: the order of the last trame, what only an earlier one has after what precedes it there."""
    codes = list(trames[-1].codes)
    for trame in reversed(trames[:-1]):
        place = 0
        for code in trame.codes:
            if code in codes:
                place = codes.index(code) + 1
            else:
                codes.insert(place, code)
                place += 1
    return codes


def _indicateur(code: str, trames: tuple[Trame, ...]) -> Indicateur:
    holders = [trame for trame in trames if code in trame]
    current = holders[-1][code]
    references = {trame.nomenclature: trame[code].reference for trame in holders if trame[code].reference}
    if len(set(references.values())) < 2:
        return current
    return replace(current, reference="\n".join(f"{name} : {text}" for name, text in references.items()))


def _union(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """What some trame is meant for; empty, which is all, as soon as one is meant for all."""
    given = list(lists)
    return tuple(dict.fromkeys(text for each in given for text in each)) if all(given) else ()
