"""Collectivités side by side, with the medians of their strates: what the comparative report shows, cell by cell.

Bodies of different sizes are compared in euros per inhabitant and in ratios: each indicateur in euros is divided by
the population, by the engine itself, unless the trame has its own of the code ``…_HABITANT``. Medians are those of
`workbench.strates`: the compared collectivité counts in its own group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any

from workbench.dgfip import Base
from workbench.display import MISSING
from workbench.evaluation import StrateTable, evaluate, strates
from workbench.evaluation.part import readers_of_population
from workbench.evaluation.results import IndicateurTable
from workbench.reports.comments import enumerate_words
from workbench.reports.numbers import NO_BREAK, format_number, format_value, typeset
from workbench.reports.sections import EmptyReportError, Section
from workbench.reports.series import NO_THEME, name_of
from workbench.trames import Indicateur, Serie, Trame, serie_of

__all__ = [
    "HABITANT",
    "Comparison",
    "compare_collectivites",
    "compared_indicateurs",
    "places",
    "side_by_side",
    "title",
    "warnings",
    "with_population",
]

HABITANT = "_HABITANT"
"""What ends the code of an amount per inhabitant."""

MOST = 12
"""Collectivités that a table shows; the others are in the workbook."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Collectivités evaluated apart by one trame.

    Parameters
    ----------
    trame
        The trame, with its amounts per inhabitant.
    indicateurs
        What is compared, each with the heading it is shown under, in the order of the trame.
    tables
        The figures of each collectivité that has accounts, by SIRET, in the order asked for.
    strates
        Their places, and the medians of their groups, in each exercice.
    absents
        The SIRET that have no account.
    """

    trame: Trame
    indicateurs: tuple[tuple[str, Indicateur], ...]
    tables: Mapping[str, IndicateurTable]
    strates: StrateTable
    absents: tuple[str, ...] = ()

    @cached_property
    def names(self) -> dict[str, str]:
        """The last name of each collectivité, by SIRET."""
        return {siret: str(table.provenance.budgets.to_pylist()[-1]["libelle"]) for siret, table in self.tables.items()}

    @cached_property
    def exercices(self) -> tuple[int, ...]:
        """The exercices that one of them has, ascending."""
        return tuple(sorted({year for table in self.tables.values() for year in table.provenance.exercices}))

    @cached_property
    def exercice(self) -> int:
        """The last exercice that all of them have; the last one where they share none."""
        shared = set.intersection(*(set(table.provenance.exercices) for table in self.tables.values()))
        return max(shared or self.exercices)

    @cached_property
    def ranked(self) -> dict[tuple[str, str, int], dict[str, Any]]:
        """The row of ranks of (indicateur, siret, exercice)."""
        return {(row["indicateur"], row["siret"], row["exercice"]): row for row in self.strates.ranks.to_pylist()}

    @cached_property
    def unpeopled(self) -> frozenset[tuple[str, int]]:
        """The (siret, exercice) without inhabitants, or whose population no source gives."""
        return frozenset(
            (siret, int(row["exercice"]))
            for siret, table in self.tables.items()
            for row in table.provenance.budgets.to_pylist()
            if not row["population"]
        )

    @cached_property
    def _per_inhabitant(self) -> frozenset[str]:
        return readers_of_population(self.trame)

    def value(self, code: str, siret: str, exercice: int) -> float | None:
        """The figure; None where the collectivité has no accounts, or no inhabitants and the indicateur counts them."""
        table: Any = self.tables[siret]
        if exercice not in table.columns or (code in self._per_inhabitant and (siret, exercice) in self.unpeopled):
            return None
        return float(table.at[code, exercice])

    def median(self, code: str, siret: str, exercice: int) -> float | None:
        """The median of the strate of this collectivité; None where it has none."""
        row = self.ranked.get((code, siret, exercice))
        return None if row is None else float(row["median"])

    @cached_property
    def strate_of(self) -> dict[str, str]:
        """The strate of each collectivité in the exercice compared; empty for a body that has none."""
        return self.strates_in(self.exercice)

    def strates_in(self, exercice: int) -> dict[str, str]:
        """Return the strate of each collectivité in an exercice; empty for a body that has none."""
        found = {siret: row["strate"] for (_, siret, year), row in self.ranked.items() if year == exercice}
        return {siret: str(found.get(siret, "")) for siret in self.tables}

    def groups(self, sirets: Iterable[str], exercice: int) -> dict[str, str]:
        """Return the strates in the order of the collectivités, each with one collectivité that belongs to it."""
        strates, found = self.strates_in(exercice), dict[str, str]()
        for siret in sirets:
            if name := strates[siret]:
                found.setdefault(name, siret)
        return found


def compare_collectivites(
    trame: Trame, base: Base, *, sirets: Iterable[str], exercices: Iterable[int], **choice: Any
) -> Comparison:
    """Evaluate collectivités apart, per inhabitant, with the statistics of their strates.

    Parameters
    ----------
    trame
        A trame or a serie.
    base
        An open base; its column blocks are made the first time.
    sirets
        At least one SIRET.
    exercices
        The period.
    **choice
        ``nomenclature``, as for `workbench.evaluate`.

    Raises
    ------
    EmptyReportError
        ``rapport_vide``: none of them has accounts.

    Examples
    --------
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> seen = compare_collectivites(trame, base, sirets=[demonstration_siret], exercices=[2024])
    >>> [one.code for _, one in seen.indicateurs], seen.exercice
    (['A_PRODUITS_HABITANT'], 2024)
    """
    asked = list(dict.fromkeys(sirets))
    years = list(exercices)
    whole = with_population(trame)
    tables = {siret: evaluate(whole, base, sirets=[siret], exercices=years, **choice) for siret in asked}
    present = {siret: table for siret, table in tables.items() if len(table.columns)}
    if not present:
        raise EmptyReportError(
            "rapport_vide",
            perimetre=f"les SIRET {enumerate_words(asked)}",
            exercices=f"exercices {years[0]} à {years[-1]}",
            nomenclature="",
        )
    return Comparison(
        whole,
        tuple(compared_indicateurs(whole)),
        present,
        strates(whole, base, exercices=years, sirets=list(present), **choice),
        tuple(siret for siret in asked if siret not in present),
    )


def with_population(trame: Trame) -> Trame:
    """Return the trame with each of its amounts per inhabitant, after the amount."""
    if isinstance(trame, Serie):
        parts = [with_population(one) for one in trame.trames]
        return serie_of(parts, code=trame.code, libelle=trame.libelle, reference=trame.reference)
    with_both: list[Indicateur] = []
    for one in trame.indicateurs:
        with_both.append(one)
        if one.unite == "euros" and one.code + HABITANT not in trame:
            with_both.append(_per_inhabitant(one))
    return replace(trame, indicateurs=tuple(with_both), modele="")


def _per_inhabitant(one: Indicateur) -> Indicateur:
    return Indicateur.from_texte(
        one.code + HABITANT,
        f"{one.code}/$POP",
        f"{name_of(one)} par habitant",
        theme=one.theme,
        unite="euros_par_habitant",
        reference=one.reference,
    )


def compared_indicateurs(trame: Trame) -> Iterator[tuple[str, Indicateur]]:
    """Give what sizes do not blur: ratios, and amounts per inhabitant, each under the heading of the amount."""
    taken: set[str] = set()
    for one in trame.indicateurs:
        shown = trame[one.code + HABITANT] if one.unite == "euros" else one
        if shown.code not in taken:
            taken.add(shown.code)
            yield one.theme or NO_THEME, shown


def title(comparison: Comparison, titre: str = "") -> Section:
    """Head the report: who is compared, by which trame, in which exercice."""
    heading = titre or f"Comparaison de {len(comparison.tables)} collectivités"
    if len(comparison.tables) == 1 and not titre:
        heading = f"{next(iter(comparison.names.values()))} et sa strate"
    trame = comparison.trame
    years = comparison.exercices
    period = f"exercices {years[0]} à {years[-1]}" if len(years) > 1 else f"exercice {years[0]}"
    facts = " · ".join([trame.libelle or trame.code, period, f"comparés en {comparison.exercice}"])
    people = [f"{name} ({siret})" for siret, name in comparison.names.items()]
    listed = "".join(f"<li>{escape(each)}</li>" for each in people)
    html = (
        f'<header class="wb-titre"><h1>{escape(typeset(heading))}</h1><p>{escape(facts)}</p></header><ul>{listed}</ul>'
    )
    return Section(html, "\n".join([heading, facts, *people]))


def warnings(comparison: Comparison) -> Section:
    """Show what must be known before the figures are read; nothing when there is nothing."""
    said = []
    if comparison.absents:
        said.append(f"Sans comptes sur la période, donc absents : SIRET {enumerate_words(comparison.absents)}.")
    late = [
        name for siret, name in comparison.names.items() if comparison.exercice not in comparison.tables[siret].columns
    ]
    if late:
        said.append(
            f"Aucun exercice n'est commun à toutes : pas de comptes en {comparison.exercice} pour "
            f"{enumerate_words(late)}."
        )
    alone = [name for siret, name in comparison.names.items() if not comparison.strate_of[siret] and name not in late]
    if alone:
        said.append(f"Sans strate, donc sans médiane : {enumerate_words(alone)}.")
    for siret, table in comparison.tables.items():
        said += [f"{comparison.names[siret]} : {each}" for each in table.provenance.avertissements]
    said += comparison.strates.avertissements
    kept = list(dict.fromkeys(said))
    if not kept:
        return Section("", "Aucun avertissement.")
    items = "".join(f"<li>{escape(typeset(sentence))}</li>" for sentence in kept)
    html = f'<aside class="wb-avertissements"><h2>Avertissements</h2><ul>{items}</ul></aside>'
    return Section(html, "\n".join(f"- {sentence}" for sentence in kept))


def side_by_side(comparison: Comparison, exercice: int | None = None) -> Section:
    """Show one exercice: a column a collectivité, then the median of each strate among them."""
    year = exercice or comparison.exercice
    shown = list(comparison.tables)[:MOST]
    groups = comparison.groups(shown, year)
    heads = [*(comparison.names[siret] for siret in shown), *(f"Médiane : {name}" for name in groups)]
    parts, lines = [], []
    for theme, indicateurs in _by_theme(comparison).items():
        rows = []
        for one in indicateurs:
            values = [comparison.value(one.code, siret, year) for siret in shown]
            values += [comparison.median(one.code, siret, year) for siret in groups.values()]
            cells = [_said(value, one) for value in values]
            rows.append(_row(one, cells))
            lines.append(f"{name_of(one)} : {' ; '.join(cells)}")
        parts.append(_table(f"{theme}, {year}", heads, rows))
    notes = [
        "Montants par habitant. La médiane est la valeur que la moitié des collectivités de la strate ne dépasse pas."
    ]
    if len(comparison.tables) > len(shown):
        notes.append(f"{len(shown)} collectivités affichées sur {len(comparison.tables)} ; le classeur les a toutes.")
    return Section(
        "".join(parts) + "".join(f'<p class="wb-detail">{escape(typeset(note))}</p>' for note in notes),
        "\n".join([" ; ".join(heads), *lines, *notes]),
    )


def places(comparison: Comparison, exercice: int | None = None) -> Section:
    """Show the rank of each collectivité in its strate, 1 being the highest value."""
    year = exercice or comparison.exercice
    shown = [siret for siret in comparison.tables if comparison.strate_of[siret]][:MOST]
    if not shown:
        sentence = "Aucune de ces collectivités n’a de strate\u00a0: il n’y a pas de rang."
        return Section(f"<p>{sentence}</p>", sentence)
    parts, lines = [], []
    for theme, indicateurs in _by_theme(comparison).items():
        rows = []
        for one in indicateurs:
            cells = [_rank(comparison.ranked.get((one.code, siret, year))) for siret in shown]
            rows.append(_row(one, cells))
            lines.append(f"{name_of(one)} : {' ; '.join(cells)}")
        parts.append(_table(f"{theme}, {year}", [comparison.names[siret] for siret in shown], rows))
    listed = "".join(
        f"<li>{escape(comparison.names[siret])}\u00a0: {escape(comparison.strate_of[siret])}</li>" for siret in shown
    )
    note = (
        "Rang 1 : la valeur la plus élevée, qui n’est pas toujours la meilleure. Entre parenthèses, l’effectif de la "
        "strate."
    )
    html = f'<ul>{listed}</ul>{"".join(parts)}<p class="wb-detail">{typeset(note)}</p>'
    return Section(html, "\n".join([*lines, note]))


def _by_theme(comparison: Comparison) -> dict[str, list[Indicateur]]:
    themes: dict[str, list[Indicateur]] = {}
    for theme, one in comparison.indicateurs:
        themes.setdefault(theme, []).append(one)
    return themes


def _said(value: float | None, one: Indicateur) -> str:
    return MISSING if value is None else format_value(value, one.unite)


def _rank(row: Mapping[str, Any] | None) -> str:
    return MISSING if row is None else f"{format_number(row['rank'])}{NO_BREAK}({format_number(row['count'])})"


def _row(one: Indicateur, cells: Sequence[str]) -> str:
    head = f'<th scope="row" title="{escape(one.code)}">{escape(name_of(one))}</th>'
    figures = "".join(f'<td class="wb-nombre">{escape(cell)}</td>' for cell in cells)
    return f"<tr>{head}{figures}</tr>"


def _table(caption: str, heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col" class="wb-nombre wb-long">{escape(typeset(name))}</th>' for name in heads)
    return (
        f'<div class="wb-cadre"><table class="wb-tableau"><caption>{escape(caption)}</caption>'
        f'<thead><tr><th scope="col">Indicateur</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )
