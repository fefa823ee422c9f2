"""The charts of a sheet, as plotly figures with their figures in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from plotly.graph_objs._figure import Figure

from workbench.dashboards.dates import month_name, read_day
from workbench.dashboards.sheet_items import Item, chart, euros, in_days, thousands
from workbench.numbers import NO_BREAK, format_number
from workbench.reports.charts import ALERT, COLOURS, blank_figure, scaled

__all__ = [
    "HOURS",
    "activity_chart",
    "contributions_chart",
    "delays_chart",
    "finances_chart",
    "months_between",
    "radar_chart",
    "waterfall_chart",
]

HOURS = 151.67
"""Hours of a full-time month: an ETP of partial activity (specification 5.9)."""

LOCKDOWNS = (("2020-03-17", "2020-05-11"), ("2020-10-30", "2020-12-15"), ("2021-04-03", "2021-05-03"))
"""Lockdowns of the métropole, first and last days (decrees 2020-260, 2020-1310 and 2021-384)."""

Rows = Sequence[Mapping[str, Any]]


def months_between(first: date, last: date) -> Iterator[str]:
    """Give months as « AAAA-MM ».

    Examples
    --------
    >>> list(months_between(date(2020, 12, 1), date(2021, 1, 31)))
    ['2020-12', '2021-01']
    """
    for number in range(12 * first.year + first.month - 1, 12 * last.year + last.month):
        yield f"{number // 12}-{number % 12 + 1:02}"


def _blank(suffix: str, height: int = 320) -> Figure:
    figure = blank_figure("", suffix)
    figure.update_layout(title=None, height=height, margin={"l": 12, "r": 16, "t": 12, "b": 40})
    figure.update_yaxes(exponentformat="none")
    figure.update_xaxes(ticks="outside", ticklen=6, tickcolor="rgba(0,0,0,0)")
    return figure


def _by_month(figure: Figure, months: Sequence[str]) -> None:
    figure.update_xaxes(type="date", tickformat="%m/%Y", hoverformat="%m/%Y", nticks=6, tickangle=0)
    for first, last in LOCKDOWNS:
        if months[0] <= first[:7] <= months[-1]:
            figure.add_vrect(x0=first, x1=last, fillcolor="#8b949e", opacity=0.18, line_width=0, layer="below")


def activity_chart(staff: Mapping[str, float], allowed: Mapping[str, float], used: Mapping[str, float]) -> Item:
    """Draw employees, and hours of partial activity as full-time equivalents.

    Parameters
    ----------
    staff
        Employees by month.
    allowed, used
        Hours by month; empty when the reader may not see them.
    """
    months = sorted({*staff, *allowed, *used})
    every = list(months_between(_first(months[0]), _first(months[-1])))
    figure = _blank("")
    told = []
    for name, hours, colour in (
        ("activité partielle autorisée (ETP)", allowed, "#f0c08f"),
        ("activité partielle consommée (ETP)", used, COLOURS[1]),
    ):
        if hours:
            values = [hours.get(each, 0.0) / HOURS for each in every]
            words = [f"{format_number(value, 1)}{NO_BREAK}ETP" for value in values]
            figure.add_bar(x=every, y=values, name=name, customdata=words, marker={"color": colour}, **_HOVER)
            told.append(f"{name}, au plus {format_number(max(values), 1)}")
    if staff:
        known: list[float | None] = [staff.get(each) for each in every]
        words = ["" if value is None else f"{format_number(value)}{NO_BREAK}salariés" for value in known]
        figure.add_scatter(
            x=every, y=known, name="effectif (salariés)", customdata=words, mode="lines+markers", connectgaps=False,
            line={"color": COLOURS[0], "width": 2.5}, marker={"color": COLOURS[0], "size": 5}, **_HOVER,
        )  # fmt: skip
        ends = [min(staff), max(staff)]
        told.insert(0, "effectif, " + ", ".join(f"{format_number(staff[each])} en {month_name(each)}" for each in ends))
    figure.update_layout(barmode="overlay")
    _by_month(figure, every)
    return chart(figure, f"Graphique : {' ; '.join(told)}.")


_HOVER = {"hovertemplate": "%{customdata}<extra>%{fullData.name}</extra>"}


def _first(month: str) -> date:
    found = read_day(month)
    assert found is not None  # noqa: S101 - months that were read already
    return found


def contributions_chart(
    months: Sequence[str], due: Mapping[str, float], employer: Mapping[str, float], employee: Mapping[str, float]
) -> Item:
    """Draw contributions called as a line and debts stacked: the employer's part, the employees'.

    Parameters
    ----------
    months
        Those drawn, ascending.
    due, employer, employee
        Euros by month.
    """
    factor, suffix = scaled("euros", (*due.values(), *employer.values(), *employee.values()))
    figure = _blank(suffix)
    for name, values, colour in (
        ("dette, part patronale", employer, COLOURS[1]),
        ("dette, part ouvrière", employee, COLOURS[3]),
    ):
        shown = [values.get(each, 0.0) for each in months]
        figure.add_bar(
            x=list(months), y=[factor * each for each in shown], name=name, customdata=[euros(each) for each in shown],
            marker={"color": colour}, **_HOVER,
        )  # fmt: skip
    called = [due.get(each) for each in months]
    figure.add_scatter(
        x=list(months), y=[None if each is None else factor * each for each in called], name="cotisations appelées",
        customdata=[euros(each) for each in called], mode="lines+markers", connectgaps=False,
        line={"color": COLOURS[0], "width": 2.5}, marker={"color": COLOURS[0], "size": 5}, **_HOVER,
    )  # fmt: skip
    figure.update_layout(barmode="stack")
    _by_month(figure, months)
    last = months[-1]
    debt = employer.get(last, 0.0) + employee.get(last, 0.0)
    return chart(
        figure,
        f"Graphique : cotisations appelées et dette de {month_name(months[0])} à {month_name(last)} ; "
        f"dette de {euros(debt)} à la fin.",
    )


def finances_chart(years: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> Item:
    """Draw revenue as bars, results as lines, in thousands of euros by exercice (ascending)."""
    figure = _blank(f"{NO_BREAK}k€")
    told = []
    for place, (name, values) in enumerate(series.items()):
        words = [thousands(each) for each in values]
        shared: dict[str, Any] = {"x": list(years), "y": list(values), "name": name, "customdata": words, **_HOVER}
        if place == 0:
            figure.add_bar(**shared, marker={"color": "#a9bcd8"})
        else:
            colour = COLOURS[(0, 2, 1)[(place - 1) % 3]]
            figure.add_scatter(
                **shared,
                mode="lines+markers",
                line={"color": colour, "width": 2.5},
                marker={"color": colour, "size": 8},
            )
        known = [(year, value) for year, value in zip(years, values, strict=True) if value is not None]
        if known:
            told.append(f"{name}, {thousands(known[-1][1])} en {known[-1][0]}")
    return chart(figure, f"Graphique par exercice : {' ; '.join(told)}.")


def waterfall_chart(
    start: float, themes: Mapping[str, float], end: float, thresholds: Sequence[tuple[str, float]]
) -> Item:
    """Draw how themes lead from what all companies start from to a probability.

    Parameters
    ----------
    start, end
        Percents.
    themes
        Points of percent by label, that add up to ``end - start``.
    thresholds
        Names and percents of the levels.
    """
    names = ["Moyenne", *themes, "Probabilité"] if start else [*themes, "Probabilité"]
    values = [start, *themes.values(), end] if start else [*themes.values(), end]
    kinds = ["absolute"] if start else []
    kinds += ["relative"] * len(themes) + ["total"]
    words = [
        f"{format_number(value, 1, sign=kind == 'relative')}{NO_BREAK}{'pt' if kind == 'relative' else '%'}"
        for value, kind in zip(values, kinds, strict=True)
    ]
    figure = _blank(f"{NO_BREAK}%", 360)
    figure.add_waterfall(
        x=names, y=values, measure=kinds, name="contribution", customdata=words, text=words, textposition="outside",
        increasing={"marker": {"color": ALERT}}, decreasing={"marker": {"color": COLOURS[2]}},
        totals={"marker": {"color": COLOURS[0]}}, connector={"line": {"color": "#8b949e", "width": 1}},
        cliponaxis=False, showlegend=False, **_HOVER,
    )  # fmt: skip
    for name, value in thresholds:
        figure.add_hline(
            y=value, line={"color": COLOURS[5], "dash": "dash", "width": 1}, annotation_text=name,
            annotation_position="top left", annotation_font_size=12,
        )  # fmt: skip
    # On a phone the names are slanted, and take the room that they need.
    figure.update_xaxes(tickvals=names, ticktext=[_on_two_lines(name) for name in names], automargin=True)
    told = ", ".join(f"{name} {text}" for name, text in zip(names, words, strict=True))
    return chart(figure, f"Graphique : de la moyenne à la probabilité de cette entreprise : {told}.")


def _on_two_lines(name: str) -> str:
    """Part a long name, which a narrow screen would cut."""
    if len(name) < 16 or " " not in name:
        return name
    first, last = max(
        ((name[:place], name[place + 1 :]) for place, letter in enumerate(name) if letter == " "),
        key=lambda parts: -max(map(len, parts)),
    )
    return f"{first}<br>{last}"


def radar_chart(marks: Mapping[str, float]) -> Item:
    """Draw marks from 0 to 10 by theme: the higher, the more it concerns."""
    names, values = list(marks), [10 * value for value in marks.values()]
    words = [f"{format_number(value, 1)} sur 10" for value in values]
    figure = _blank("", 340)
    figure.add_scatterpolar(
        r=[*values, values[0]], theta=[*names, names[0]], fill="toself", fillcolor="rgba(31,78,140,.25)",
        line={"color": COLOURS[0], "width": 2}, marker={"size": 7}, mode="lines+markers", name="risque",
        text=[*words, words[0]], hovertemplate="%{theta} : %{text}<extra></extra>", showlegend=False,
    )  # fmt: skip
    figure.update_layout(
        polar={
            "radialaxis": {"range": [0, 10], "gridcolor": "#e3e6ea"},
            "angularaxis": {
                "gridcolor": "#e3e6ea",
                "tickvals": names,
                "ticktext": [_on_two_lines(each) for each in names],
            },
        },
        margin={"l": 70, "r": 70, "t": 36, "b": 36},
    )
    item = chart(
        figure, "Graphique : " + ", ".join(f"{name} {word}" for name, word in zip(names, words, strict=True)) + "."
    )
    item["rows"] = {"head": ["Thème", "Note"], "body": [list(pair) for pair in zip(names, words, strict=True)]}
    return item


def delays_chart(rows: Sequence[tuple[str, object, float]]) -> Item:
    """Draw days of delay by month: how each is written, its date, its days."""
    figure = _blank(f"{NO_BREAK}j", 240)
    words = [in_days(days) for _, _, days in rows]
    figure.add_scatter(
        x=[f"{_first(str(when)):%Y-%m-%d}" for _, when, _ in rows], y=[days for _, _, days in rows], customdata=words,
        name="retard moyen", mode="lines+markers", showlegend=False, line={"color": COLOURS[0], "width": 2.5}, **_HOVER,
    )  # fmt: skip
    figure.update_xaxes(type="date", tickformat="%m/%Y", nticks=6, tickangle=0)
    return chart(figure, f"Graphique : retard de paiement, {words[0]} en {rows[0][0]}, {words[-1]} en {rows[-1][0]}.")
