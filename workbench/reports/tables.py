"""The tables of a report: values by theme, and the comparison of exercices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from workbench.evaluation.results import IndicateurTable
from workbench.reports.numbers import format_number, format_rate, format_value, growth, mean_growth, unite_of
from workbench.reports.sections import Section
from workbench.reports.series import by_theme, exercices_of, name_of, values_of
from workbench.trames.model import Indicateur

__all__ = ["comparison", "values"]

NONE = "–"

WIDTH, HEIGHT = 72, 18


def values(table: IndicateurTable) -> Section:
    """Show the figures, one table a theme, with the shape of each series beside it.

    A theme whose indicateurs share one unit says it once, in the caption.
    """
    exercices = exercices_of(table)
    head = "".join(f'<th scope="col" class="wb-nombre">{exercice}</th>' for exercice in exercices)
    shape = '<th scope="col" class="wb-forme">Évolution</th>' if len(exercices) > 1 else ""
    parts, lines = [], []
    for theme, indicateurs in by_theme(table).items():
        unites = {indicateur.unite for indicateur in indicateurs}
        only = unites.pop() if len(unites) == 1 else ""
        caption = theme + (f", {unite_of(only).heading}" if only else "")
        rows = []
        for indicateur in indicateurs:
            series = values_of(table, indicateur.code)
            cells = [_cell(value, indicateur, shared=bool(only)) for value in series.values()]
            drawn = f'<td class="wb-forme">{_sparkline(series)}</td>' if shape else ""
            rows.append(f"<tr>{_row_head(indicateur)}{''.join(map(_number, cells))}{drawn}</tr>")
            lines.append(f"{name_of(indicateur)} : {' ; '.join(cells)}")
        parts.append(_table(caption, f'<th scope="col">Indicateur</th>{head}{shape}', rows))
    return Section("".join(parts), "\n".join(lines))


def comparison(table: IndicateurTable) -> Section:
    """Compare exercices: the last with the first, with the one before, and the mean yearly rate (TVAM).

    The TVAM over m calendar years is (last / first)^(1/m) − 1. A change that has no sense, from
    zero or across zero, is left out; rates and durations change by points and years, not by per cent.
    """
    exercices = exercices_of(table)
    if len(exercices) < 2:
        sentence = "Un seul exercice\u00a0: il n’y a rien à comparer."
        return Section(f"<p>{sentence}</p>", sentence)
    first, before, last = exercices[0], exercices[-2], exercices[-1]
    heads = [str(first), str(last), f"Écart {first}–{last}", f"Variation {first}–{last}", "TVAM",
             f"Variation {before}–{last}"]  # fmt: skip
    head = "".join(f'<th scope="col" class="wb-nombre">{text}</th>' for text in heads)
    parts, lines = [], []
    for theme, indicateurs in by_theme(table).items():
        rows = []
        for indicateur in indicateurs:
            series = values_of(table, indicateur.code)
            cells = [
                format_value(series[first], indicateur.unite),
                format_value(series[last], indicateur.unite),
                _gap(series[last] - series[first], indicateur.unite),
                *_rates(series, indicateur.unite, (first, before, last)),
            ]
            rows.append(f"<tr>{_row_head(indicateur)}{''.join(map(_number, cells))}</tr>")
            lines.append(f"{name_of(indicateur)} : {' ; '.join(cells)}")
        parts.append(_table(theme, f'<th scope="col">Indicateur</th>{head}', rows))
    note = (
        '<p class="wb-detail">TVAM\u00a0: taux de variation annuel moyen sur la période. Entre deux montants négatifs, '
        "un taux positif dit que le montant s’éloigne de zéro.</p>"
    )
    return Section("".join(parts) + note, "\n".join(lines))


def _rates(series: Mapping[int, float], unite: str, exercices: tuple[int, int, int]) -> list[str]:
    first, before, last = exercices
    if unite in {"pourcentage", "annees"}:
        return [NONE, NONE, _gap(series[last] - series[before], unite)]
    whole = growth(series[first], series[last])
    yearly = mean_growth(series[first], series[last], last - first)
    latest = growth(series[before], series[last])
    return [NONE if rate is None else format_rate(rate) for rate in (whole, yearly, latest)]


def _gap(gap: float, unite: str) -> str:
    if unite == "pourcentage":
        return format_number(gap * unite_of(unite).factor, 1, sign=True) + "\u00a0pt"
    return format_value(gap, unite, sign=True)


def _cell(value: float, indicateur: Indicateur, *, shared: bool) -> str:
    if shared:
        rule = unite_of(indicateur.unite)
        return format_number(value * rule.factor, rule.decimals)
    return format_value(value, indicateur.unite)


def _number(text: str) -> str:
    return f'<td class="wb-nombre">{escape(text)}</td>'


def _row_head(indicateur: Indicateur) -> str:
    return f'<th scope="row" title="{escape(indicateur.code)}">{escape(name_of(indicateur))}</th>'


def _table(caption: str, head: str, rows: Sequence[str]) -> str:
    return (
        f'<div class="wb-cadre"><table class="wb-tableau"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _sparkline(series: Mapping[int, float]) -> str:
    """Draw the shape of a series; calendar years are evenly apart, an absent one leaves no point."""
    years, points = list(series), list(series.values())
    if not any(points):
        return ""
    low, high = min(0.0, *points), max(0.0, *points)
    span = (high - low) or 1.0
    step = (WIDTH - 6) / max(years[-1] - years[0], 1)
    dots = [(3 + (year - years[0]) * step, 3 + (HEIGHT - 6) * (high - value) / span) for year, value in series.items()]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    zero = 3 + (HEIGHT - 6) * high / span
    return (
        f'<svg class="wb-courbe" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">'
        f'<line x1="0" x2="{WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}"/><polyline points="{path}"/>'
        f'<circle cx="{dots[-1][0]:.1f}" cy="{dots[-1][1]:.1f}" r="2"/></svg>'
    )
