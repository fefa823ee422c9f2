"""The parts of a report, each drawn from one table of figures; what a report notebook shows, cell by cell.

A section is shown by any Jupyter front end, has a text form for the others, and carries class names
that ``report.css`` dresses in the exported page. Whatever comes from data is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from workbench.dgfip import Base
from workbench.dgfip.schema import imports
from workbench.display import view
from workbench.errors import WorkbenchError
from workbench.evaluation import Explanation, explain
from workbench.evaluation.results import IndicateurTable
from workbench.reports.comments import Comment, comments, enumerate_words, enumerate_years
from workbench.reports.numbers import format_number, typeset
from workbench.reports.series import indicateurs_of, name_of, values_of

__all__ = [
    "EmptyReportError",
    "Section",
    "commentary",
    "definitions",
    "explanation",
    "perimetre",
    "require_figures",
    "sources",
    "title",
    "warnings",
]

ATTRIBUTIONS: Mapping[str, str] = {
    "balances": "DGFiP, balances comptables publiées sur data.economie.gouv.fr, Licence Ouverte 2.0",
    "population": "Population : source indiquée à l'import",
    "cci": "DGFiP, comptes de gestion, accès réservé",
}

FICTION = "Données fictives de démonstration"

KEY_FIGURES = ("EPARGNE_BRUTE", "CAF_BRUTE", "EPARGNE_NETTE", "RESULTAT")

STATES = {"D": "définitifs", "P": "provisoires", "M": "mixtes"}


class EmptyReportError(WorkbenchError):
    """The base holds no account of what a report is asked for."""


class Section:
    """A part of a report.

    Parameters
    ----------
    html
        What is shown; safe already.
    text
        The same in plain text.
    """

    def __init__(self, html: str, text: str) -> None:
        self.html = html
        self.text = text

    def _repr_html_(self) -> str:
        return view(self.html)

    def __repr__(self) -> str:
        return self.text


def require_figures(table: IndicateurTable) -> IndicateurTable:
    """Return the table, unless the perimetre has no account at all.

    Raises
    ------
    EmptyReportError
        ``rapport_vide``: the base holds no account of this perimetre for these exercices.
    """
    if len(table.columns):
        return table
    provenance = table.provenance
    first, last = provenance.exercices_demandes
    raise EmptyReportError(
        "rapport_vide",
        perimetre="ce périmètre",
        exercices=f"exercice {first}" if first == last else f"exercices {first} à {last}",
        nomenclature=f", nomenclature {provenance.nomenclature}" if provenance.nomenclature else "",
    )


def title(table: IndicateurTable, titre: str = "") -> Section:
    """Head the report: whose accounts, which trame, which exercices.

    Parameters
    ----------
    table
        What `workbench.evaluate` gave.
    titre
        Title of the report; the name of the collectivité by default.
    """
    provenance = table.provenance
    labels = _labels(table)
    heading = titre or (next(iter(labels.values())) if len(labels) == 1 else f"Périmètre de {len(labels)} budgets")
    sirets = list(labels)
    who = f"SIRET {sirets[0]}" if len(sirets) == 1 else "Comptes consolidés"
    facts = [
        provenance.trame.libelle or provenance.trame.code,
        f"exercice {provenance.exercices[0]}"
        if len(provenance.exercices) == 1
        else f"exercices {enumerate_years(provenance.exercices)}",
        who,
    ]
    html = f'<header class="wb-titre"><h1>{escape(typeset(heading))}</h1><p>{escape(" · ".join(facts))}</p></header>'
    return Section(html, f"{heading}\n{' · '.join(facts)}")


def warnings(table: IndicateurTable) -> Section:
    """Show the warnings of the evaluation; nothing when there is none."""
    sentences = table.provenance.avertissements
    if not sentences:
        return Section("", "Aucun avertissement.")
    items = "".join(f"<li>{escape(typeset(sentence))}</li>" for sentence in sentences)
    html = f'<aside class="wb-avertissements"><h2>Avertissements</h2><ul>{items}</ul></aside>'
    return Section(html, "\n".join(f"- {sentence}" for sentence in sentences))


def perimetre(table: IndicateurTable) -> Section:
    """List the budgets retained: name, SIRET, type, nomenclature, and the population of each exercice."""
    provenance = table.provenance
    rows: dict[str, dict[int, Mapping[str, Any]]] = {}
    for row in provenance.budgets.to_pylist():
        rows.setdefault(row["siret"], {})[int(row["exercice"])] = row
    head = "".join(f'<th scope="col" class="wb-nombre">{exercice}</th>' for exercice in provenance.exercices)
    body, lines = [], []
    for siret, by_exercice in rows.items():
        last = by_exercice[max(by_exercice)]
        charts = dict.fromkeys(str(row["nomenclature_detail"] or "") for row in by_exercice.values())
        kind = "budget principal" if last["type_budget"] in {"1", "2"} else "budget annexe"
        populations = "".join(_population_cell(by_exercice.get(exercice)) for exercice in provenance.exercices)
        body.append(
            f'<tr><th scope="row">{escape(str(last["libelle"]))}'
            f'<span class="wb-detail">{escape(siret)} · {kind}</span></th>'
            f"<td>{escape(' puis '.join(charts))}</td>{populations}</tr>"
        )
        lines.append(f"{last['libelle']} ({siret}, {kind}, {' puis '.join(charts)})")
    states = {row["etat"] for row in provenance.budgets.to_pylist()}
    note = f"Population de chaque exercice. Comptes {enumerate_words(sorted(STATES[state] for state in states))}."
    html = (
        f'<div class="wb-cadre"><table class="wb-tableau"><caption>{note}</caption><thead><tr>'
        f'<th scope="col">Budget</th><th scope="col">Nomenclature</th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )
    return Section(html, "\n".join(lines))


def commentary(table: IndicateurTable, remarks: Iterable[Comment] | None = None) -> Section:
    """Show the comments that thresholds and comparisons give, each with its source.

    Parameters
    ----------
    table
        What `workbench.evaluate` gave.
    remarks
        Comments to show; those of `workbench.reports.comments.comments` by default.
    """
    found = comments(table) if remarks is None else list(remarks)
    if not found:
        sentence = "Aucun seuil n’est franchi et aucune variation n’est forte."
        return Section(f"<p>{sentence}</p>", sentence)
    items = "".join(
        f'<li class="wb-{remark.gravite}"><span class="wb-gravite">{remark.gravite.capitalize()}</span> '
        f'{escape(remark.texte)} <span class="wb-detail">{escape(remark.source)}</span></li>'
        for remark in found
    )
    text = "\n".join(f"- [{remark.gravite}] {remark.texte} ({remark.source})" for remark in found)
    return Section(f'<ul class="wb-commentaires">{items}</ul>', text)


def explanation(table: IndicateurTable, code: str = "", exercice: int | None = None) -> Explanation:
    """Explain one figure down to its comptes.

    Parameters
    ----------
    table
        What `workbench.evaluate` gave.
    code
        The indicateur; by default the brute savings when the trame has them, otherwise the first
        figure that is not zero.
    exercice
        The last one by default.
    """
    year = exercice or table.provenance.exercices[-1]
    return explain(table, code or _key_figure(table, year), year)


def definitions(table: IndicateurTable) -> Section:
    """List what each indicateur means: description, formule and the text that defines it."""
    items, lines = [], []
    for indicateur in indicateurs_of(table):
        parts = [part for part in (indicateur.description, indicateur.reference) if part]
        texts = "".join(f"<dd>{escape(typeset(part))}</dd>" for part in parts)
        items.append(
            f'<dt>{escape(name_of(indicateur))} <span class="wb-detail">{escape(indicateur.code)}</span></dt>'
            f"{texts}<dd><code>{escape(indicateur.texte)}</code></dd>"
        )
        lines.append(f"{name_of(indicateur)} ({indicateur.code}) : {indicateur.texte}")
    html = f"<details><summary>{len(items)} définitions</summary><dl>{''.join(items)}</dl></details>"
    return Section(html, "\n".join(lines))


def sources(table: IndicateurTable, base: Base | None = None, *, date: datetime | None = None) -> Section:
    """Say where the figures come from and how to find them again.

    Parameters
    ----------
    table
        What `workbench.evaluate` gave.
    base
        The base, to name the imports it holds; without it they are left out.
    date
        When the report was made; now, at Paris, by default.
    """
    provenance = table.provenance
    made = date or datetime.now(ZoneInfo("Europe/Paris"))
    trame = provenance.trame
    facts = [
        ("Trame", " · ".join(filter(None, [trame.libelle, trame.code, trame.reference]))),
        ("Nomenclature", provenance.nomenclature or "toutes"),
        ("Instantané de la base", provenance.snapshot),
        *_imports(base),
        ("Rapport produit le", f"{made:%d/%m/%Y} à {made:%Hh%M}, workbench {_version()}"),
    ]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    note = "Les montants sont en euros, additionnés au centime\u00a0; un quotient dont le diviseur est nul vaut zéro."
    html = f'<footer class="wb-sources"><dl>{rows}</dl><p>{note}</p></footer>'
    return Section(html, "\n".join(f"{name} : {value}" for name, value in facts))


def _imports(base: Base | None) -> list[tuple[str, str]]:
    if base is None:
        return []
    rows = base.fetch(select(imports.c.source, imports.c.fichier, imports.c.date)).to_pylist()
    origins: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: str(row["source"])):
        invented = "fictif" in row["fichier"] or "fictive" in row["fichier"]
        origin = FICTION if invented else ATTRIBUTIONS.get(row["source"], str(row["source"]))
        origins.setdefault(origin, []).append(str(row["date"]))
    return [
        (
            "Données",
            f"{origin} ({len(dates)} fichier{'s' if len(dates) > 1 else ''}, dernier import le {_day(max(dates))})",
        )
        for origin, dates in origins.items()
    ]


def _day(instant: str) -> str:
    return f"{datetime.fromisoformat(instant):%d/%m/%Y}"


def _population_cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return '<td class="wb-nombre wb-absent">absent</td>'
    state = "" if row["etat"] == "D" else f'<span class="wb-detail">{STATES[row["etat"]]}</span>'
    return f'<td class="wb-nombre">{format_number(row["population"])}{state}</td>'


def _labels(table: IndicateurTable) -> dict[str, str]:
    """Return the latest label of each budget, by SIRET; rows come by ascending exercice."""
    return {row["siret"]: str(row["libelle"]) for row in table.provenance.budgets.to_pylist()}


def _key_figure(table: IndicateurTable, exercice: int) -> str:
    codes = [indicateur.code for indicateur in indicateurs_of(table)]
    for ending in KEY_FIGURES:
        for code in codes:
            if code.endswith(ending) and values_of(table, code)[exercice]:
                return code
    return next((code for code in codes if values_of(table, code)[exercice]), codes[0])


def _version() -> str:
    try:
        return version("workbench")
    except PackageNotFoundError:
        from workbench import __version__

        return __version__
