"""Charts of a table of figures, as plotly figures that read as French text does.

A figure carries in ``layout.meta`` its alternative text, and in the ``meta`` of each trace the code
of the indicateur it draws, so that a click can be answered. Amounts are drawn in euros, thousands
or millions, whichever reads best; what appears under the pointer is always the whole figure.

`bundle` gives the form that JupyterLab draws and that `workbench.reports.export_html` embeds:
plotly's own display loads half of Jupyter to do the same.

It is one module because all charts are made of the same few parts, which nothing else needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from fnmatch import fnmatchcase
from html import escape
from typing import Any

from plotly.graph_objs._figure import Figure

from workbench.evaluation.results import IndicateurTable
from workbench.reports.comments import Seuil, load_seuils
from workbench.reports.numbers import NO_BREAK, THOUSANDS, format_value, unite_of
from workbench.reports.series import by_theme, exercices_of, indicateurs_of, name_of, values_of
from workbench.trames.model import Indicateur

__all__ = [
    "CONFIG",
    "KEY_CHARTS",
    "PLOTLY_MIME",
    "Chart",
    "KeyChart",
    "blank_figure",
    "bundle",
    "charts",
    "key_charts",
    "scaled",
    "short_name",
    "theme_charts",
]

PLOTLY_MIME = "application/vnd.plotly.v1+json"

FONTS = "Marianne, 'Segoe UI', 'Liberation Sans', Arial, sans-serif"

COLOURS = ("#1f4e8c", "#c8611a", "#1d7a6d", "#8a3f86", "#9a7200", "#56616b")
"""Six hues that hold 3:1 against white and stay apart for colour-blind readers; shapes repeat the difference."""

ALERT, WATCH = "#b3261e", "#9a7200"

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")

MOST_SERIES = 6
"""Beyond, lines cannot be told apart; the largest are drawn and the heading says so."""

CONFIG: dict[str, Any] = {
    "locale": "fr",
    "displaylogo": False,
    "responsive": True,
    "showTips": False,
    # Plotly offers to send the figures to its own server: no address to send them to, and no button.
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}


Patterns = tuple[str, ...]


@dataclass(frozen=True)
class KeyChart:
    """A chart that is drawn when the trame holds what it needs.

    Parameters
    ----------
    title
        French.
    bars, lines
        Amounts drawn as bars, then amounts drawn as lines over them. Each is a choice of patterns of
        codes; the shortest code that one of them matches is drawn.
    ratio
        Patterns of a duration or a rate, drawn on its own axis with the thresholds that apply.
    """

    title: str
    bars: tuple[Patterns, ...] = ()
    lines: tuple[Patterns, ...] = ()
    ratio: Patterns = ()


KEY_CHARTS: tuple[KeyChart, ...] = (
    KeyChart(
        "Section de fonctionnement",
        bars=(
            ("*_RECETTES_FONCTIONNEMENT", "*_RECETTES_DE_FONCTIONNEMENT", "*_PRODUITS_FONCTIONNEMENT", "*_RRF"),
            ("*_DEPENSES_FONCTIONNEMENT", "*_DEPENSES_DE_FONCTIONNEMENT", "*_CHARGES_FONCTIONNEMENT", "*_DRF"),
        ),
        lines=(("*_EPARGNE_BRUTE", "*_CAF", "*_CAF_BRUTE"),),
    ),
    KeyChart(
        "Épargnes",
        bars=(
            ("*_EPARGNE_GESTION", "*_EPARGNE_DE_GESTION"),
            ("*_EPARGNE_BRUTE", "*_CAF", "*_CAF_BRUTE"),
            ("*_EPARGNE_NETTE", "*_CAF_NETTE"),
        ),
        ratio=("*_TAUX*EPARGNE_BRUTE",),
    ),
    KeyChart(
        "Dette et capacité de désendettement",
        bars=(("*_ENCOURS_DETTE", "*_ENCOURS_DE_DETTE", "*_ENCOURS_DE_LA_DETTE"),),
        ratio=("*_CAPACITE_DESENDETTEMENT", "*_CAPACITE_DE_DESENDETTEMENT"),
    ),
    KeyChart(
        "Section d’investissement",
        bars=(
            ("*_RECETTES_INVESTISSEMENT", "*_RECETTES_D_INVESTISSEMENT", "*_RESSOURCES_INVESTISSEMENT"),
            ("*_DEPENSES_INVESTISSEMENT", "*_DEPENSES_D_INVESTISSEMENT", "*_EMPLOIS_INVESTISSEMENT"),
        ),
        lines=(("*_DEPENSES_EQUIPEMENT", "*_DEPENSES_D_EQUIPEMENT", "*_EQUIPEMENT_BRUT"),),
    ),
)


class Chart:
    """A figure that any Jupyter front end shows, and that its text stands for where none does.

    Parameters
    ----------
    figure
        A plotly figure of this module.
    """

    def __init__(self, figure: Figure) -> None:
        self.figure = figure

    @property
    def description(self) -> str:
        """The alternative text."""
        return _description(self.figure)

    def content(self) -> dict[str, Any]:
        """Return what plotly.js draws: ``data``, ``layout``, ``config``."""
        return dict(bundle(self.figure)[PLOTLY_MIME])

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        return bundle(self.figure)


def charts(table: IndicateurTable) -> list[Chart]:
    """Return the charts of a report: key figures when the trame has them, then one a theme and unit."""
    first = key_charts(table)
    drawn = {trace.meta for figure in first for trace in figure.data}
    return [Chart(figure) for figure in [*first, *theme_charts(table, drawn)]]


def bundle(figure: Figure) -> dict[str, Any]:
    """Return the representations of a figure: plotly's data, and its alternative text."""
    content = figure.to_plotly_json()  # type: ignore[no-untyped-call]
    content["config"] = CONFIG
    return {PLOTLY_MIME: content, "text/plain": _description(figure)}


def key_charts(table: IndicateurTable, seuils: Sequence[Seuil] | None = None) -> list[Figure]:
    """Draw the charts of `KEY_CHARTS` that the table has the figures of.

    Parameters
    ----------
    table
        One row an indicateur, one column an exercice.
    seuils
        Thresholds to draw over a ratio; the package's own by default.
    """
    rules = load_seuils() if seuils is None else tuple(seuils)
    figures = []
    for model in KEY_CHARTS:
        bars, lines = _chosen(table, model.bars), _chosen(table, model.lines)
        ratio = _first(indicateurs_of(table), model.ratio)
        if bars:
            figures.append(_key_chart(table, model.title, bars, lines, ratio, rules))
    return figures


def theme_charts(table: IndicateurTable, drawn: Set[str] = frozenset()) -> list[Figure]:
    """Draw one chart a theme and unit: lines over the exercices, bars when there is one exercice.

    Parameters
    ----------
    table
        One row an indicateur, one column an exercice.
    drawn
        Codes shown elsewhere; a chart that would show nothing else is left out.
    """
    figures: list[Figure] = []
    for theme, indicateurs in by_theme(table).items():
        by_unite: dict[str, list[Indicateur]] = {}
        for indicateur in indicateurs:
            if any(values_of(table, indicateur.code).values()):
                by_unite.setdefault(indicateur.unite, []).append(indicateur)
        figures.extend(
            _theme_chart(table, theme, unite, group)
            for unite, group in by_unite.items()
            if not {indicateur.code for indicateur in group} <= drawn
        )
    return figures


def _theme_chart(table: IndicateurTable, theme: str, unite: str, group: Sequence[Indicateur]) -> Figure:
    largest = sorted(group, key=lambda one: -sum(map(abs, values_of(table, one.code).values())))[:MOST_SERIES]
    drawn = [indicateur for indicateur in group if indicateur in largest]
    heading = unite_of(unite).heading
    if len(group) > len(drawn):
        heading = f"{heading}, les {len(drawn)} plus importants de {len(group)}"
    factor, suffix = scaled(unite, (value for one in drawn for value in values_of(table, one.code).values()))
    figure = blank_figure(theme, suffix, heading)
    for position, indicateur in enumerate(drawn):
        if len(exercices_of(table)) == 1:
            _add_bars(figure, table, indicateur, position, factor)
        else:
            _add_line(figure, table, indicateur, position, factor)
    return _described(figure, table, f"{theme}, {heading}", drawn)


def _key_chart(
    table: IndicateurTable,
    title: str,
    bars: Sequence[Indicateur],
    lines: Sequence[Indicateur],
    ratio: Indicateur | None,
    rules: Sequence[Seuil],
) -> Figure:
    amounts = [*bars, *lines]
    factor, suffix = scaled("euros", (value for one in amounts for value in values_of(table, one.code).values()))
    figure = blank_figure(title, suffix)
    for position, indicateur in enumerate(bars):
        _add_bars(figure, table, indicateur, position, factor)
    for position, indicateur in enumerate(lines, start=len(bars)):
        _add_line(figure, table, indicateur, position, factor)
    if ratio is not None:
        figure.update_traces(selector={"type": "bar"}, marker_opacity=0.4)  # the ratio is what the chart tells
        _add_line(figure, table, ratio, len(amounts), unite_of(ratio.unite).factor, axis="y2")
        _add_thresholds(figure, table, ratio, rules)
        _align_zeros(figure, [value * factor for one in amounts for value in values_of(table, one.code).values()])
    return _described(figure, table, title, [*amounts, *([ratio] if ratio else [])])


def _add_bars(figure: Figure, table: IndicateurTable, indicateur: Indicateur, position: int, factor: float) -> None:
    figure.add_bar(**_points(table, indicateur, factor), marker={"color": COLOURS[position % len(COLOURS)]})


def _add_line(
    figure: Figure, table: IndicateurTable, indicateur: Indicateur, position: int, factor: float, axis: str = "y"
) -> None:
    colour = COLOURS[position % len(COLOURS)]
    figure.add_scatter(
        **_points(table, indicateur, factor),
        mode="lines+markers",
        connectgaps=False,
        line={"color": colour, "width": 2.5, "dash": "dot" if axis == "y2" else "solid"},
        marker={"color": colour, "size": 8, "symbol": SYMBOLS[position % len(SYMBOLS)]},
        yaxis=axis,
    )


def _add_thresholds(figure: Figure, table: IndicateurTable, ratio: Indicateur, rules: Sequence[Seuil]) -> None:
    """Give the ratio its axis, from zero to above the thresholds that come near its values."""
    unite = unite_of(ratio.unite)
    shown = [value * unite.factor for value in values_of(table, ratio.code).values()]
    types = set(table.provenance.budgets.column("type_etablissement").to_pylist())
    applying = [
        rule for rule in rules if rule.reads(ratio) and rule.seuil and (not rule.types or types & set(rule.types))
    ]
    top = max([*shown, *(rule.seuil for rule in applying), 1.0]) * 1.15
    bottom = min(0.0, *shown) * 1.15
    figure.update_layout(
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "zeroline": False,
            "range": [bottom, top],
            "tickmode": "auto",
            "nticks": 6,
            "automargin": True,
            "ticksuffix": unite.suffix,
            "tickfont": {"color": COLOURS[-1]},
        }
    )
    first, last = exercices_of(table)[0], exercices_of(table)[-1]
    for rule in applying:
        figure.add_scatter(
            x=[str(first), str(last)],
            y=[rule.seuil, rule.seuil],
            yaxis="y2",
            mode="lines",
            name=f"Seuil{NO_BREAK}: {rule.seuil_texte}",
            hoverinfo="skip",
            line={"color": ALERT if rule.gravite == "alerte" else WATCH, "width": 1.5, "dash": "dash"},
        )


def _align_zeros(figure: Figure, amounts: Sequence[float]) -> None:
    """Put the zeros of both axes on one line: otherwise a rate seems to follow an amount that it does not."""
    low, high = figure.layout.yaxis2.range
    ends = [(min(0.0, *amounts) * 1.1, max(0.0, *amounts) * 1.1), (low, high)]
    below = max(-bottom / (top - bottom) if top > bottom else 0.0 for bottom, top in ends)
    for axis, (bottom, top) in zip(("yaxis", "yaxis2"), ends, strict=True):
        if below < 1 and top > 0:
            figure.update_layout({axis: {"range": [min(bottom, -top * below / (1 - below)), top]}})


def _points(table: IndicateurTable, indicateur: Indicateur, factor: float) -> dict[str, Any]:
    """Every exercice asked for between the first and last present; an absent one leaves a gap."""
    values = values_of(table, indicateur.code)
    years = range(min(values), max(values) + 1)
    return {
        "x": [str(year) for year in years],
        "y": [values[year] * factor if year in values else None for year in years],
        "customdata": [format_value(values.get(year), indicateur.unite) for year in years],
        "hovertemplate": "%{customdata}<extra>%{fullData.name}</extra>",
        "name": escape(short_name(name_of(indicateur))),
        "meta": indicateur.code,
    }


def scaled(unite: str, values: Iterable[float]) -> tuple[float, str]:
    """Return what values are multiplied by to read best, and what follows them."""
    rule = unite_of(unite)
    if unite != "euros":
        return rule.factor, rule.suffix
    largest = max((abs(value) for value in values), default=0.0)
    for size, suffix in ((1e6, "M€"), (1e3, "k€")):
        if largest >= 5 * size:
            return 1 / size, NO_BREAK + suffix
    return 1.0, rule.suffix


def blank_figure(title: str, suffix: str, subtitle: str = "") -> Figure:
    """Return a figure without trace, dressed as all charts of a report."""
    grid = {"gridcolor": "#e3e6ea", "zerolinecolor": "#8b949e", "zerolinewidth": 1}
    return Figure(  # type: ignore[no-untyped-call]
        layout={
            "template": "none",
            "title": {
                "text": f"<b>{escape(title)}</b>",
                "subtitle": {"text": escape(subtitle), "font": {"size": 12, "color": "#5a6470"}},
                "font": {"size": 15},
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "pad": {"l": 12},
            },
            "font": {"family": FONTS, "size": 13, "color": "#1b1f24"},
            "separators": f",{THOUSANDS}",
            "height": 360,
            "margin": {"l": 12, "r": 16, "t": 56, "b": 40},
            "barmode": "group",
            "bargap": 0.25,
            "hovermode": "x unified",
            "showlegend": True,
            "legend": {"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
            "xaxis": {"type": "category", "fixedrange": False, "showgrid": False, "linecolor": "#8b949e"},
            "yaxis": {
                **grid,
                "ticksuffix": suffix,
                "separatethousands": True,
                "automargin": True,
                "rangemode": "tozero",
            },
        }
    )  # fmt: skip


def _described(figure: Figure, table: IndicateurTable, title: str, drawn: Sequence[Indicateur]) -> Figure:
    """Put the alternative text where every front end keeps it."""
    exercices = exercices_of(table)
    sentences = [f"Graphique : {title}."]
    for indicateur in drawn:
        values = values_of(table, indicateur.code)
        ends = dict.fromkeys((exercices[0], exercices[-1]))
        told = ", ".join(f"{format_value(values[year], indicateur.unite)} en {year}" for year in ends)
        sentences.append(f"{name_of(indicateur)} : {told}.")
    figure.update_layout(meta={"description": " ".join(sentences)})
    return figure


def _description(figure: Figure) -> str:
    meta = figure.layout.meta
    return str(meta["description"]) if isinstance(meta, dict) and "description" in meta else "Graphique"


def _chosen(table: IndicateurTable, slots: Sequence[Patterns]) -> list[Indicateur]:
    amounts = [indicateur for indicateur in indicateurs_of(table) if indicateur.unite == "euros"]
    found = [_first(amounts, patterns) for patterns in slots]
    return [indicateur for indicateur in found if indicateur is not None]


def _first(indicateurs: Sequence[Indicateur], patterns: Patterns) -> Indicateur | None:
    """Return the indicateur of the shortest code: « recettes » before « autres recettes »."""
    matching = [one for one in indicateurs if any(fnmatchcase(one.code, pattern) for pattern in patterns)]
    return min(matching, key=lambda one: len(one.code), default=None)


def short_name(name: str, width: int = 42) -> str:
    """Cut a long name so that the legend stays beside the chart, not over it."""
    if len(name) <= width:
        return name
    return name[: width - 1].rsplit(" ", 1)[0].rstrip(" ,;(") + "…"
