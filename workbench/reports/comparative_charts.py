"""Charts of collectivités side by side: one line each over the exercices, and the median of their strate."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from plotly.graph_objs._figure import Figure

from workbench.reports.charts import COLOURS, MOST_SERIES, SYMBOLS, Chart, blank_figure, short_name
from workbench.reports.comparative import Comparison
from workbench.reports.numbers import format_value, unite_of
from workbench.reports.series import name_of
from workbench.trames import Indicateur

__all__ = ["KEY_ENDINGS", "comparative_charts"]

KEY_ENDINGS = (
    ("EPARGNE_BRUTE_HABITANT", "CAF_HABITANT", "CAF_BRUTE_HABITANT"),
    ("TAUX_D_EPARGNE_BRUTE", "TAUX_EPARGNE_BRUTE"),
    ("ENCOURS_DETTE_HABITANT", "ENCOURS_DE_DETTE_HABITANT", "ENCOURS_DE_LA_DETTE_HABITANT"),
    ("CAPACITE_DESENDETTEMENT", "CAPACITE_DE_DESENDETTEMENT"),
    ("DEPENSES_D_EQUIPEMENT_HABITANT", "DEPENSES_EQUIPEMENT_HABITANT", "EQUIPEMENT_BRUT_HABITANT"),
    ("FRAIS_PERSONNEL_HABITANT", "CHARGES_PERSONNEL_HABITANT"),
)
"""Endings of the codes that are drawn, one chart a group."""

MOST_DRAWN = 4


def comparative_charts(comparison: Comparison, codes: Sequence[str] = ()) -> list[Chart]:
    """Draw one chart an indicateur.

    Parameters
    ----------
    comparison
        What `workbench.reports.comparative.compare_collectivites` gave.
    codes
        The indicateurs; those of `KEY_ENDINGS` that the trame has, or its first four, by default.
    """
    known = {one.code: one for _, one in comparison.indicateurs}
    chosen = [known[code] for code in codes] or [
        one
        for endings in KEY_ENDINGS
        if (one := next((known[code] for code in known if code.endswith(endings)), None)) is not None
    ]
    return [Chart(_drawn(comparison, one)) for one in chosen or list(known.values())[:MOST_DRAWN]]


def _drawn(comparison: Comparison, one: Indicateur) -> Figure:
    rule = unite_of(one.unite)
    sirets = list(comparison.tables)[:MOST_SERIES]
    left_out = len(comparison.tables) - len(sirets)
    subtitle = rule.heading + (f", les {len(sirets)} premières" if left_out else "")
    figure = blank_figure(name_of(one), rule.suffix, subtitle)
    told = [f"Graphique : {name_of(one)}, {subtitle}."]
    years = range(comparison.exercices[0], comparison.exercices[-1] + 1)
    for place, siret in enumerate(sirets):
        values = [comparison.value(one.code, siret, year) for year in years]
        colour = COLOURS[place % len(COLOURS)]
        _add(figure, one, years, values, comparison.names[siret], {"color": colour, "width": 2.5}, SYMBOLS[place])
        last = next((value for value in reversed(values) if value is not None), None)
        told.append(f"{comparison.names[siret]} : {format_value(last, one.unite)}.")
    strates = {comparison.strate_of[siret] for siret in sirets}
    if len(strates) == 1 and (name := strates.pop()):
        medians = [comparison.median(one.code, sirets[0], year) for year in years]
        _add(figure, one, years, medians, f"Médiane : {name}", {"color": "#56616b", "width": 1.5, "dash": "dash"})
        told.append(f"Médiane de la strate : {format_value(medians[-1], one.unite)}.")
    figure.update_layout(meta={"description": " ".join(told)})
    return figure


def _add(
    figure: Figure,
    one: Indicateur,
    years: range,
    values: Sequence[float | None],
    name: str,
    line: dict[str, object],
    symbol: str = "",
) -> None:
    factor = unite_of(one.unite).factor
    figure.add_scatter(
        x=[str(year) for year in years],
        y=[None if value is None else value * factor for value in values],
        customdata=[format_value(value, one.unite) for value in values],
        hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
        name=escape(short_name(name)),
        meta=one.code,
        mode="lines+markers" if symbol else "lines",
        connectgaps=False,
        line=line,
        marker={"size": 8, "symbol": symbol or "circle"},
    )
