"""The result of a query as one chart: its groupings say which.

Exercices run along the axis and make lines; without them, groups are bars, the largest first. What is left out is said
under the title, never hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import pyarrow as pa

from workbench.dgfip import QueryResult
from workbench.errors import WorkbenchError, require_kind
from workbench.reports.charts import COLOURS, MOST_SERIES, SYMBOLS, Chart, _figure, _scale, _wrapped
from workbench.reports.numbers import format_value

__all__ = ["query_chart"]

MOST_BARS = 30
"""Beyond, labels cannot be read."""

_EURO, _EURO_HAB = "euros", "euros_par_habitant"


def query_chart(result: QueryResult, measures: Sequence[str] | None = None) -> Chart:
    """Draw the result of a query.

    Parameters
    ----------
    result
        What `Query.run` gave.
    measures
        Which columns of amounts to draw; those of the first one's unit by default.

    Returns
    -------
    Chart
        Lines over the exercices when they are a grouping, one line a group (the six largest) or a measure; bars
        otherwise (the thirty largest groups). It shows in a notebook, needs no network, and has an alternative text.

    Raises
    ------
    WorkbenchError
        ``requete_sans_montant`` when no column holds amounts, ``requete_choix`` for a column that is none.
    """
    require_kind(result, QueryResult, "result", "le résultat d'une requête", "Passez ce que rend wb.query(…).run().")
    table = result.table
    amounts = [name for name in table.column_names if pa.types.is_floating(table.schema.field(name).type)]
    for name in measures or ():
        if name not in amounts:
            raise WorkbenchError(
                "requete_choix", quoi="La mesure", valeur=str(name)[:60], conseil=f"Connues : {', '.join(amounts)}."
            )
    if not amounts or not table.num_rows:
        raise WorkbenchError("requete_sans_montant")
    drawn = list(measures or amounts)
    unite = _unite(result, drawn[0])
    drawn = [name for name in drawn if _unite(result, name) == unite]
    keys = _keys(table, set(amounts))
    if "exercice" in table.column_names:
        return _over_exercices(table, drawn, [key for key in keys if key != "exercice"], unite)
    return _bars(table, drawn, keys, unite)


def _unite(result: QueryResult, name: str) -> str:
    spec = result.spec
    by_name = {each.name: each for each in spec.measures} if spec is not None else {}
    return _EURO_HAB if name in by_name and by_name[name].per_inhabitant else _EURO


def _keys(table: pa.Table, amounts: set[str]) -> list[str]:
    """Return the columns that tell groups apart, a label in the place of its code."""
    names = [name for name in table.column_names if name not in amounts]
    labelled = {name for name in names if f"{name}_libelle" in names}
    if "libelle" in names and "siret" in names:
        names.remove("siret")
    return [name for name in names if not name.endswith("_libelle") or name.removesuffix("_libelle") not in labelled]


def _groups(table: pa.Table, keys: Sequence[str]) -> list[str]:
    """Return the name of the group of each row: codes with their label."""
    columns = []
    for key in keys:
        codes = table.column(key).to_pylist()
        label = f"{key}_libelle"
        if label in table.column_names and key not in {"etat", "source"}:
            texts = table.column(label).to_pylist()
            columns.append([f"{code} {text}".strip() for code, text in zip(codes, texts, strict=True)])
        else:
            columns.append(["–" if code is None else str(code) for code in codes])
    if not columns:
        return ["Ensemble"] * int(table.num_rows)
    return [" · ".join(parts) for parts in zip(*columns, strict=True)]


def _over_exercices(table: pa.Table, drawn: Sequence[str], keys: Sequence[str], unite: str) -> Chart:
    years = [int(year) for year in table.column("exercice").to_pylist()]
    groups = _groups(table, keys)
    series: dict[str, dict[int, float]] = {}
    # Several groups and several measures would be a tangle: the first measure is drawn.
    names = drawn if len(set(groups)) == 1 else drawn[:1]
    for name in names:
        for year, group, value in zip(years, groups, table.column(name).to_pylist(), strict=True):
            key = name if len(names) > 1 or not keys else group
            if value is not None:
                series.setdefault(key, {})[year] = value
    largest = sorted(series, key=lambda key: -sum(map(abs, series[key].values())))[:MOST_SERIES]
    axis = list(range(min(years), max(years) + 1))
    factor, suffix = _scale(_EURO, (value for key in largest for value in series[key].values()))
    heading = [_heading(unite)]
    if len(series) > len(largest):
        heading.append(f"les {len(largest)} plus importants de {len(series)}")
    title = ", ".join(names)
    figure = _figure(title, suffix, ", ".join(heading))
    for place, key in enumerate(largest):
        values = series[key]
        points: dict[str, Any] = {
            "x": [str(year) for year in axis],
            "y": [values[year] * factor if year in values else None for year in axis],
            "customdata": [_written(values.get(year), unite) for year in axis],
            "hovertemplate": "%{customdata}<extra>%{fullData.name}</extra>",
            "name": escape(_wrapped(key)),
        }
        colour = COLOURS[place % len(COLOURS)]
        if len(axis) == 1:
            figure.add_bar(**points, marker={"color": colour})
        else:
            figure.add_scatter(
                **points,
                mode="lines+markers",
                connectgaps=False,
                line={"color": colour, "width": 2.5},
                marker={"color": colour, "size": 8, "symbol": SYMBOLS[place % len(SYMBOLS)]},
            )
    told = []
    for key in largest:
        first, last = min(series[key]), max(series[key])
        ends = dict.fromkeys((first, last))
        told.append(f"{key} : {', '.join(f'{_written(series[key][year], unite)} en {year}' for year in ends)}.")
    return _described(figure, title, told)


def _bars(table: pa.Table, drawn: Sequence[str], keys: Sequence[str], unite: str) -> Chart:
    groups = _groups(table, keys)
    columns = {name: table.column(name).to_pylist() for name in drawn}
    first = columns[drawn[0]]
    ranked = sorted(range(len(groups)), key=lambda row: -abs(first[row] or 0.0))[:MOST_BARS]
    kept = sorted(ranked, key=lambda row: first[row] or 0.0)
    factor, suffix = _scale(_EURO, (columns[name][row] or 0.0 for name in drawn for row in kept))
    heading = [_heading(unite)]
    if len(groups) > len(kept):
        heading.append(f"les {len(kept)} plus importants de {len(groups)}")
    title = ", ".join(drawn)
    figure = _figure(title, "", ", ".join(heading))
    # A label of its own for each group: two that are written the same stay two bars.
    labels = [escape(_wrapped(groups[row])) for row in kept]
    for place, name in enumerate(drawn):
        values = [columns[name][row] for row in kept]
        figure.add_bar(
            y=list(range(len(kept))),
            x=[None if value is None else value * factor for value in values],
            orientation="h",
            customdata=[
                f"{escape(groups[row])}<br>{_written(value, unite)}" for row, value in zip(kept, values, strict=True)
            ],
            hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
            name=escape(_wrapped(name)),
            marker={"color": COLOURS[place % len(COLOURS)]},
        )
    figure.update_layout(
        height=max(240, 110 + len(kept) * (14 + 10 * len(drawn))),
        hovermode="closest",
        showlegend=len(drawn) > 1,
        legend={"traceorder": "reversed"},
        xaxis={
            "type": "linear",
            "ticksuffix": suffix,
            "separatethousands": True,
            "gridcolor": "#e3e6ea",
            "showgrid": True,
            "rangemode": "tozero",
            "nticks": 6,
        },
        yaxis={
            "tickmode": "array",
            "tickvals": list(range(len(kept))),
            "ticktext": labels,
            "ticksuffix": " ",
            "showgrid": False,
            "automargin": True,
            "rangemode": "normal",
        },
    )
    told = [f"{groups[row]} : {_written(first[row], unite)}." for row in reversed(kept[-5:])]
    return _described(figure, title, told)


def _heading(unite: str) -> str:
    return "En euros par habitant" if unite == _EURO_HAB else "En euros"


def _written(value: float | None, unite: str) -> str:
    text = format_value(value, "euros", decimals=2)
    return f"{text} par habitant" if unite == _EURO_HAB and value is not None else text


def _described(figure: Any, title: str, told: Sequence[str]) -> Chart:
    figure.update_layout(meta={"description": " ".join([f"Graphique : {title}.", *told])})
    return Chart(figure)
