"""Sentences drawn from figures: what crosses a threshold, what changed much, what limits the reading.

Thresholds are data (``seuils.yaml``): each rule names the indicateurs it reads by patterns of
codes, and the text or the usage that founds it. The other comments hold for any trame. A comment
always says which exercice, which rule and which source; it never concludes for its reader.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from workbench.evaluation.results import IndicateurTable
from workbench.reports.numbers import format_rate, format_value, growth, typeset, unite_of
from workbench.reports.series import exercices_of, indicateurs_of, name_of, values_of
from workbench.trames.model import Indicateur

__all__ = ["Comment", "Gravite", "Seuil", "comments", "enumerate_words", "enumerate_years", "load_seuils"]

Gravite = Literal["alerte", "vigilance", "information"]
GRAVITES: tuple[Gravite, ...] = ("alerte", "vigilance", "information")

MATERIALITY = 0.01
"""A change below this share of the largest amount of the exercice is not worth a sentence."""

LARGEST_CHANGES = 3


@dataclass(frozen=True)
class Comment:
    """One sentence for the reader of a report.

    Parameters
    ----------
    gravite
        ``"alerte"``, ``"vigilance"`` or ``"information"``.
    regle
        Stable name of the rule that speaks.
    texte
        French, whole sentences.
    source
        The text, usage or data that founds the rule.
    indicateur
        Code of the indicateur; empty when the comment is about the perimetre.
    exercice
        The exercice concerned; None for several.
    """

    gravite: Gravite
    regle: str
    texte: str
    source: str
    indicateur: str = ""
    exercice: int | None = None


@dataclass(frozen=True)
class Seuil:
    """One rule of ``seuils.yaml``; the file's heading says what each field is."""

    regle: str
    indicateurs: tuple[str, ...]
    unite: str
    comparaison: Literal[">", "<"]
    seuil: float
    gravite: Gravite
    famille: str
    constat: str
    source: str
    explication: str = ""
    types: tuple[str, ...] = ()

    def reads(self, indicateur: Indicateur) -> bool:
        """Whether the rule is about this indicateur."""
        return indicateur.unite == self.unite and any(
            fnmatchcase(indicateur.code, pattern) for pattern in self.indicateurs
        )

    def crossed(self, value: float) -> bool:
        """Whether a value, as stored, crosses the threshold.

        A rate or a duration of exactly 0 is what a division by zero gives: it crosses nothing.
        """
        if not math.isfinite(value) or (value == 0 and self.unite != "euros"):
            return False
        shown = value * unite_of(self.unite).factor
        return shown > self.seuil if self.comparaison == ">" else shown < self.seuil

    @property
    def seuil_texte(self) -> str:
        """The threshold as the sentence says it: « 12 ans »."""
        decimals = 0 if float(self.seuil).is_integer() else 1
        return format_value(self.seuil / unite_of(self.unite).factor, self.unite, decimals=decimals)


@cache
def load_seuils(path: Path | None = None) -> tuple[Seuil, ...]:
    r"""Read the thresholds.

    Parameters
    ----------
    path
        Another file of the same form; the package's own by default.

    Raises
    ------
    TypeError, ValueError
        A rule lacks a field or has one that is unknown; such a file is a defect of its author.

    Examples
    --------
    >>> [seuil.seuil_texte.replace("\u00a0", " ") for seuil in load_seuils() if seuil.famille.startswith("capacite")]
    ['0 an', '15 ans', '12 ans', '10 ans', '9 ans']
    """
    from ruamel.yaml import YAML

    text = (path or Path(__file__).with_name("seuils.yaml")).read_text(encoding="utf-8")
    return tuple(_seuil(row) for row in YAML(typ="safe", pure=True).load(text))


def _seuil(row: Mapping[str, Any]) -> Seuil:
    known = {field.name for field in fields(Seuil)}
    if unknown := set(row) - known:
        raise ValueError(f"unknown fields in rule {row.get('regle')}: {sorted(unknown)}")
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    seuil = Seuil(**values)
    if seuil.comparaison not in {">", "<"} or seuil.gravite not in GRAVITES:
        raise ValueError(f"impossible comparison or gravity in rule {seuil.regle}")
    return seuil


def comments(
    table: IndicateurTable, *, seuils: Sequence[Seuil] | None = None, variation: float = 0.10
) -> list[Comment]:
    """Draw the comments of a table of figures.

    Parameters
    ----------
    table
        What `workbench.evaluation.evaluate` gave: one row an indicateur, one column an exercice.
    seuils
        The thresholds; the package's own by default.
    variation
        Change from one exercice to the next, as a fraction, from which it is worth a sentence.

    Returns
    -------
    list of Comment
        Alerts first, then vigilance, then information; inside each, in the order of the trame.

    Examples
    --------
    ``comments(table)[0].texte`` reads, for a commune whose debt is 13,1 years of its savings:
    « Capacité de désendettement : 13,1 ans en 2019, au-delà du plafond national de référence du
    bloc communal, 12 ans. »
    """
    rules = load_seuils() if seuils is None else tuple(seuils)
    crossed = list(_threshold_comments(table, rules))
    told = {comment.indicateur for comment in crossed}
    found = [*_perimetre_comments(table), *crossed, *_variation_comments(table, variation, told)]
    typeset_ones = (replace(one, texte=typeset(one.texte), source=typeset(one.source)) for one in found)
    return sorted(typeset_ones, key=lambda comment: GRAVITES.index(comment.gravite))


def enumerate_words(words: Iterable[object]) -> str:
    """Join words as a sentence does.

    Examples
    --------
    >>> enumerate_words([2016, 2017, 2019])
    '2016, 2017 et 2019'
    """
    *before, last = [str(word) for word in words]
    return f"{', '.join(before)} et {last}" if before else last


def enumerate_years(years: Iterable[int]) -> str:
    """Join ascending years as a sentence does, three in a row and more as a stretch.

    Examples
    --------
    >>> enumerate_years([2010, 2012, 2013, 2014, 2019, 2020])
    '2010, 2012 à 2014, 2019 et 2020'
    """
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    words: list[str] = []
    for run in runs:
        words.extend([f"{run[0]} à {run[-1]}"] if len(run) > 2 else map(str, run))
    return enumerate_words(words)


def _threshold_comments(table: IndicateurTable, rules: Sequence[Seuil]) -> Iterable[Comment]:
    budgets = table.provenance.budgets
    types = set(budgets.column("type_etablissement").to_pylist())
    rules = [rule for rule in rules if not rule.types or types & set(rule.types)]
    exercices = exercices_of(table)
    for indicateur in indicateurs_of(table):
        values = values_of(table, indicateur.code)
        told: set[str] = set()
        for still in (True, False):  # what holds at the end of the period speaks for its famille
            for rule in rules:
                crossed = [
                    exercice for exercice in exercices if rule.reads(indicateur) and rule.crossed(values[exercice])
                ]
                if rule.famille in told or not crossed or (crossed[-1] == exercices[-1]) is not still:
                    continue
                told.add(rule.famille)
                yield (_threshold_comment if still else _past_threshold_comment)(indicateur, rule, values, crossed)


def _threshold_comment(
    indicateur: Indicateur, rule: Seuil, values: Mapping[int, float], crossed: Sequence[int]
) -> Comment:
    last = crossed[-1]
    constat = rule.constat.format(seuil=rule.seuil_texte)
    sentences = [f"{name_of(indicateur)} : {format_value(values[last], indicateur.unite)} en {last}, {constat}."]
    if rule.explication:
        sentences.append(rule.explication)
    if len(crossed) == len(values) > 1:
        sentences.append("C'est le cas de tous les exercices du rapport.")
    elif before := crossed[:-1]:
        sentences.append(f"C'était déjà le cas en {enumerate_years(before)}.")
    elif len(values) > 1:
        sentences.append("Ce n'était pas le cas des exercices précédents du rapport.")
    return Comment(rule.gravite, rule.regle, " ".join(sentences), rule.source, indicateur.code, last)


def _past_threshold_comment(
    indicateur: Indicateur, rule: Seuil, values: Mapping[int, float], crossed: Sequence[int]
) -> Comment:
    past = enumerate_words(f"{format_value(values[exercice], indicateur.unite)} en {exercice}" for exercice in crossed)
    last = max(values)
    texte = (
        f"{name_of(indicateur)} : {past}, {rule.constat.format(seuil=rule.seuil_texte)}. "
        f"Ce n'est plus le cas en {last} ({format_value(values[last], indicateur.unite)})."
    )
    return Comment("information", rule.regle, texte, rule.source, indicateur.code, crossed[-1])


def _variation_comments(table: IndicateurTable, least: float, told: Set[str]) -> Iterable[Comment]:
    exercices = exercices_of(table)
    if len(exercices) < 2:
        return
    before, last = exercices[-2:]
    amounts = [indicateur for indicateur in indicateurs_of(table) if indicateur.unite == "euros"]
    largest = max((abs(values_of(table, indicateur.code)[last]) for indicateur in amounts), default=0.0)
    changes: list[tuple[float, Indicateur, float, float]] = []
    for indicateur in amounts:
        values = values_of(table, indicateur.code)
        first, end = values[before], values[last]
        if abs(end - first) < MATERIALITY * largest:
            continue
        rate = growth(first, end)
        if first * end < 0 and indicateur.code not in told:
            change = f"{format_value(first)} en {before}, {format_value(end)} en {last}"
            texte = f"{name_of(indicateur)} change de signe : {change}."
            yield Comment("vigilance", "changement_de_signe", texte, "Comparaison des exercices", indicateur.code, last)
        elif rate is not None and abs(rate) >= least:
            changes.append((rate, indicateur, first, end))
    changes.sort(key=lambda change: -abs(change[0]))
    for rate, indicateur, first, end in changes[:LARGEST_CHANGES]:
        texte = (
            f"{name_of(indicateur)} : {format_rate(rate)} de {before} à {last} "
            f"(de {format_value(first)} à {format_value(end)}, soit {format_value(end - first, sign=True)})."
        )
        source = (
            f"Plus fortes variations, à partir de {format_value(least, 'pourcentage', decimals=0)} en valeur absolue"
        )
        yield Comment("information", "forte_variation", texte, source, indicateur.code, last)


def _perimetre_comments(table: IndicateurTable) -> Iterable[Comment]:
    provenance = table.provenance
    first, last = provenance.exercices_demandes
    if missing := [exercice for exercice in range(first, last + 1) if exercice not in provenance.exercices]:
        texte = f"La base n'a pas de comptes de ce périmètre pour {enumerate_years(missing)} ; " + (
            "cet exercice est absent du rapport." if len(missing) == 1 else "ces exercices sont absents du rapport."
        )
        yield Comment("vigilance", "exercices_absents", texte, "Base comptable")
    rows = provenance.budgets.select(["siret", "exercice", "libelle", "etat", "nomenclature_detail"]).to_pylist()
    yield from _state_comments(rows)
    yield from _stability_comments(rows, provenance.exercices)


def _state_comments(rows: Sequence[Mapping[str, Any]]) -> Iterable[Comment]:
    if provisional := sorted({int(row["exercice"]) for row in rows if row["etat"] != "D"}):
        texte = (
            f"Les comptes de {enumerate_years(provisional)} sont provisoires, en tout ou partie : "
            "les chiffres peuvent encore changer."
        )
        yield Comment("vigilance", "comptes_provisoires", texte, "État des comptes dans la base")


def _stability_comments(rows: Sequence[Mapping[str, Any]], exercices: Sequence[int]) -> Iterable[Comment]:
    present: dict[str, set[int]] = {}
    labels: dict[str, str] = {}
    charts: dict[int, set[str]] = {}
    for row in rows:
        present.setdefault(row["siret"], set()).add(int(row["exercice"]))
        labels[row["siret"]] = row["libelle"]
        charts.setdefault(int(row["exercice"]), set()).add(row["nomenclature_detail"] or "non précisée")
    for siret, years in present.items():
        if absent := [exercice for exercice in exercices if exercice not in years]:
            texte = (
                f"Le budget {labels[siret]} ({siret}) n'a pas de comptes pour {enumerate_years(absent)} : "
                "le périmètre n'est pas le même tous les exercices."
            )
            yield Comment("vigilance", "perimetre_variable", texte, "Base comptable")
    ordered = sorted(charts)
    for before, after in pairwise(ordered):
        if charts[before] != charts[after]:
            texte = (
                f"La nomenclature passe de {enumerate_words(sorted(charts[before]))} en {before} à "
                f"{enumerate_words(sorted(charts[after]))} en {after} : comparez avec prudence de part et d'autre."
            )
            yield Comment("vigilance", "changement_de_nomenclature", texte, "Base comptable", exercice=after)
