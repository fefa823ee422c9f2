"""Charts of one or two indicateurs over many collectivités: distribution, evolution, scatter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from plotly.graph_objs._figure import Figure

from workbench.reports.charts import COLOURS, SYMBOLS, Chart, blank_figure, scaled, short_name
from workbench.reports.numbers import NO_BREAK, format_number, format_value, unite_of
from workbench.reports.panorama import Panorama
from workbench.reports.series import name_of

__all__ = ["distribution_chart", "distribution_labels", "distribution_rows", "evolution_chart", "scatter_chart"]

BINS = 24
"""Bars of a distribution."""

MOST_POINTS = 3000
"""Points of a scatter; beyond, squares of a grid say how many there are."""

SQUARES = 40
SOFT = "#56616b"


def _ends(values: Any, count: int) -> Any:
    """Edges of bars or squares: from the 1st to the 99th hundredth, so that a few extremes do not hide the rest."""
    low, high = (float(each) for each in np.quantile(values, [0.01, 0.99]))
    if high > low:
        return np.linspace(low, high, count + 1)
    # Half a unit is nothing beside a large amount that all share.
    margin = max(0.5, abs(low) * 1e-6)
    return np.array([low - margin, low + margin])


def distribution_rows(seen: Panorama, exercice: int) -> list[tuple[float, float, int]]:
    """Return the bars of the distribution: first value, last one, how many collectivités; extremes in the end ones."""
    values = seen.ranking(exercice)["value"].to_numpy(dtype=np.float64)
    if not len(values):
        return []
    edges = _ends(values, BINS)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    ends = edges.astype(float).tolist()
    return list(zip(ends[:-1], ends[1:], counts.tolist(), strict=True))


def distribution_labels(seen: Panorama, exercice: int) -> list[str]:
    """Return the bars of the distribution in words; those at the ends say that they hold what goes beyond."""
    rows, told, unite = distribution_rows(seen, exercice), seen.statistics(exercice), seen.indicateur.unite
    bounds = [(format_value(low, unite), format_value(high, unite)) for low, high, _ in rows]
    labels = [f"de {low} à {high}" for low, high in bounds]
    if rows and told["minimum"] < rows[0][0]:
        labels[0] = f"moins de {bounds[0][1]}"
    if rows and told["maximum"] > rows[-1][1]:
        labels[-1] = f"{bounds[-1][0]} et plus"
    return labels


def distribution_chart(seen: Panorama, exercice: int, followed: Mapping[str, str]) -> Chart:
    """Draw how the values of an exercice are spread, with the median, the quartiles, and some collectivités.

    Parameters
    ----------
    seen
        What `workbench.reports.panorama.panorama` gave; with a value in the exercice.
    exercice
        Which one.
    followed
        Names of the collectivités that are pointed at, by SIRET.
    """
    one = seen.indicateur
    bars = distribution_rows(seen, exercice)
    factor, suffix = scaled(one.unite, [bars[0][0], bars[-1][1]])
    figure = blank_figure(f"Distribution, {exercice}", "", f"{name_of(one)}, nombre de collectivités")
    figure.add_bar(
        x=[(low + high) / 2 * factor for low, high, _ in bars],
        y=[count for *_, count in bars],
        width=[(high - low) * factor for low, high, _ in bars],
        customdata=[
            f"{format_number(count)} : {label}"
            for label, (*_, count) in zip(distribution_labels(seen, exercice), bars, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        marker={"color": COLOURS[0], "opacity": 0.75, "line": {"color": "#ffffff", "width": 1}},
        showlegend=False,
    )
    top = max(count for *_, count in bars) * 1.08
    told = seen.statistics(exercice)
    half = f"{format_value(told['quartile_1'], one.unite)} à {format_value(told['quartile_3'], one.unite)}"
    lines = [("1er quartile", told["quartile_1"], "dot"), ("Médiane", told["median"], "dash")]
    for name, value, dash in [*lines, ("3e quartile", told["quartile_3"], "dot")]:
        _vertical(figure, value * factor, top, f"{name}{NO_BREAK}: {format_value(value, one.unite)}", SOFT, dash)
    for place, (siret, name) in enumerate(followed.items()):
        own = seen.of(siret).get(exercice)
        if own is not None:
            colour = COLOURS[1 + place % (len(COLOURS) - 1)]
            # One outside of the bars is drawn at their end.
            shown = min(max(own, bars[0][0]), bars[-1][1]) * factor
            _vertical(figure, shown, top, f"{short_name(name)}{NO_BREAK}: {format_value(own, one.unite)}", colour)
    figure.update_layout(
        hovermode="closest",
        bargap=0,
        xaxis={"type": "linear", "ticksuffix": suffix, "separatethousands": True, "automargin": True},
        yaxis={"ticksuffix": "", "rangemode": "tozero"},
        meta={
            "description": f"Graphique : distribution de {name_of(one)} en {exercice}. Médiane "
            f"{format_value(told['median'], one.unite)}, la moitié centrale de {half}, "
            f"{format_number(told['count'])} collectivités."
        },
    )
    return Chart(figure)


def _vertical(figure: Figure, x: float, top: float, name: str, colour: str, dash: str = "solid") -> None:
    figure.add_scatter(
        x=[x, x],
        y=[0, top],
        mode="lines",
        name=escape(name),
        hoverinfo="name",
        line={"color": colour, "width": 2.5 if dash == "solid" else 1.5, "dash": dash},
    )


def evolution_chart(seen: Panorama, followed: Mapping[str, str]) -> Chart:
    """Draw the median and the quartiles of each exercice, and the values of some collectivités."""
    one = seen.indicateur
    statistics = seen.evolution
    series: list[tuple[str, Sequence[float | None], dict[str, Any], str]] = [
        ("Médiane", statistics["median"].tolist(), {"color": COLOURS[0], "width": 3}, "circle"),
        ("1er quartile", statistics["quartile_1"].tolist(), {"color": SOFT, "width": 1.5, "dash": "dot"}, ""),
        ("3e quartile", statistics["quartile_3"].tolist(), {"color": SOFT, "width": 1.5, "dash": "dot"}, ""),
    ]
    for place, (siret, name) in enumerate(followed.items()):
        own = seen.of(siret)
        colour = COLOURS[1 + place % (len(COLOURS) - 1)]
        symbol = SYMBOLS[1 + place % (len(SYMBOLS) - 1)]
        series.append((name, [own.get(year) for year in seen.exercices], {"color": colour, "width": 2.5}, symbol))
    factor, suffix = scaled(one.unite, [value for _, values, *_ in series for value in values if value is not None])
    figure = blank_figure("Évolution", suffix, f"{name_of(one)}, {unite_of(one.unite).heading}")
    for name, values, line, symbol in series:
        figure.add_scatter(
            x=[str(year) for year in seen.exercices],
            y=[None if value is None else value * factor for value in values],
            customdata=[format_value(value, one.unite) for value in values],
            hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
            name=escape(short_name(name)),
            mode="lines+markers" if symbol else "lines",
            connectgaps=False,
            line=line,
            marker={"size": 8, "symbol": symbol or "circle", "color": line["color"]},
        )
    first, last = statistics.iloc[0], statistics.iloc[-1]
    figure.update_layout(
        meta={
            "description": f"Graphique : évolution de {name_of(one)}. Médiane "
            f"{format_value(float(first['median']), one.unite)} en {int(first['exercice'])}, "
            f"{format_value(float(last['median']), one.unite)} en {int(last['exercice'])}."
        }
    )
    return Chart(figure)


def scatter_chart(seen: Panorama, exercice: int, followed: Mapping[str, str]) -> Chart | None:
    """Draw the two indicateurs against each other; None when there is one only."""
    if seen.other is None:
        return None
    one, other = seen.indicateur, seen.other
    rows = seen.ranking(exercice)
    x, y = rows["other"].to_numpy(dtype=np.float64), rows["value"].to_numpy(dtype=np.float64)
    (x_factor, x_suffix), (y_factor, y_suffix) = scaled(other.unite, x.tolist()), scaled(one.unite, y.tolist())
    figure = blank_figure(f"Nuage de points, {exercice}", y_suffix)
    if len(rows) > MOST_POINTS:
        _add_squares(figure, x * x_factor, y * y_factor)
    else:
        figure.add_scatter(
            x=(x * x_factor).tolist(),
            y=(y * y_factor).tolist(),
            text=[escape(name) for name in rows["libelle"]],
            customdata=_said(rows, seen),
            hovertemplate="%{text}<br>%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            mode="markers",
            marker={"size": 6, "color": COLOURS[0], "opacity": 0.55},
            name="Collectivités",
            showlegend=False,
        )
    for place, (siret, name) in enumerate(followed.items()):
        own = rows[rows["siret"] == siret]
        if len(own):
            figure.add_scatter(
                x=(own["other"] * x_factor).tolist(),
                y=(own["value"] * y_factor).tolist(),
                customdata=_said(own, seen),
                hovertemplate="%{fullData.name}<br>%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
                mode="markers",
                name=escape(short_name(name)),
                marker={
                    "size": 13,
                    "color": COLOURS[1 + place % (len(COLOURS) - 1)],
                    "symbol": SYMBOLS[1 + place % (len(SYMBOLS) - 1)],
                    "line": {"color": "#ffffff", "width": 1},
                },
            )
    varied = len(rows) > 2 and float(np.ptp(x)) > 0 and float(np.ptp(y)) > 0
    together = f" Corrélation linéaire{NO_BREAK}: {format_number(float(np.corrcoef(x, y)[0, 1]), 2)}." if varied else ""
    figure.update_layout(
        hovermode="closest",
        height=440,
        legend={"y": -0.24},
        xaxis={
            "type": "linear",
            "ticksuffix": x_suffix,
            "separatethousands": True,
            "automargin": True,
            "title": {"text": escape(short_name(name_of(other), 60)), "font": {"size": 12}},
            "zeroline": False,
        },
        yaxis={"title": {"text": escape(short_name(name_of(one), 60)), "font": {"size": 12}}, "rangemode": "normal"},
        meta={
            "description": f"Graphique : {name_of(one)} selon {name_of(other)} en {exercice}, "
            f"{format_number(len(rows))} collectivités.{together}"
        },
    )
    if together:
        figure.update_layout(title={"subtitle": {"text": together.strip()}})
    return Chart(figure)


def _said(rows: Any, seen: Panorama) -> list[list[str]]:
    assert seen.other is not None  # noqa: S101 - two indicateurs are drawn
    return [
        [
            f"{name_of(seen.indicateur)} : {format_value(value, seen.indicateur.unite)}",
            f"{name_of(seen.other)} : {format_value(other, seen.other.unite)}",
        ]
        for value, other in zip(rows["value"].tolist(), rows["other"].tolist(), strict=True)
    ]


def _add_squares(figure: Figure, x: Any, y: Any) -> None:
    """Draw how many collectivités are in each square, extremes in those at the edges."""
    edges = [_ends(each, SQUARES) for each in (x, y)]
    inside = [np.clip(each, ends[0], ends[-1]) for each, ends in zip((x, y), edges, strict=True)]
    counts: Any = np.histogram2d(inside[0], inside[1], bins=(edges[0], edges[1]))[0]
    middles = [((ends[:-1] + ends[1:]) / 2).tolist() for ends in edges]
    figure.add_heatmap(
        x=middles[0],
        y=middles[1],
        z=[[None if not count else float(np.log10(count)) for count in line] for line in counts.T],
        customdata=counts.T.astype(int).tolist(),
        hovertemplate="%{customdata} collectivités<extra></extra>",
        colorscale=[[0, "#dfe6f5"], [1, COLOURS[0]]],
        showscale=False,
    )
