"""Charts read as French text does, keep gaps, name what they draw, and never load plotly's display."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from sample_report import EXERCICES, INDICATEURS, VALUES, sample_table

from workbench.reports.charts import PLOTLY_MIME, bundle, charts, key_charts, theme_charts


def title_of(figure: Any) -> str:
    """Title and subtitle, as a reader sees them."""
    title = figure.layout.title
    return ", ".join(filter(None, [title.text.removeprefix("<b>").removesuffix("</b>"), title.subtitle.text]))


def titled(figures: list[Any], start: str) -> Any:
    return next(figure for figure in figures if title_of(figure).startswith(start))


def test_key_charts_are_drawn_when_the_trame_has_them() -> None:
    titles = [title_of(figure) for figure in key_charts(sample_table())]
    assert titles == ["Section de fonctionnement", "Épargnes", "Dette et capacité de désendettement"]
    only = {"T_FRAIS_PERSONNEL": VALUES["T_FRAIS_PERSONNEL"]}
    assert key_charts(sample_table(only)) == []


def test_an_absent_exercice_leaves_a_gap() -> None:
    figure = titled(theme_charts(sample_table()), "Fonctionnement")
    assert list(figure.data[0].x) == ["2018", "2019", "2020", "2021", "2022"]
    assert figure.data[0].y[3] is None
    assert [*figure.data[0].y[:3], figure.data[0].y[4]] == pytest.approx([12.0, 12.15, 11.9, 12.3])
    assert figure.data[0].connectgaps is False


def test_the_whole_figure_is_under_the_pointer_and_the_code_answers_a_click() -> None:
    trace = titled(theme_charts(sample_table()), "Fonctionnement").data[0]
    assert trace.customdata[0] == "12\u202f000\u202f000\u00a0€"
    assert trace.meta == "T_RECETTES_FONCTIONNEMENT"
    assert "%{customdata}" in trace.hovertemplate


def test_french_separators_and_units() -> None:
    figures = theme_charts(sample_table())
    assert all(figure.layout.separators == ",\u202f" for figure in figures)
    assert titled(figures, "Fonctionnement").layout.yaxis.ticksuffix == "\u00a0M€"
    rate = titled(figures, "Épargnes, en pourcentage")
    assert rate.layout.yaxis.ticksuffix == "\u00a0%"
    assert rate.data[0].y[0] == pytest.approx(13.33)


def test_thresholds_that_apply_are_drawn_and_named() -> None:
    figure = titled(key_charts(sample_table()), "Dette")
    names = [trace.name for trace in figure.data]
    assert names[2:] == ["Seuil\u00a0: 15\u00a0ans", "Seuil\u00a0: 12\u00a0ans"]
    assert figure.layout.yaxis2.range[1] > 15


def test_zeros_of_both_axes_are_on_one_line() -> None:
    figure = titled(key_charts(sample_table()), "Épargnes")
    (low, high), (low2, high2) = figure.layout.yaxis.range, figure.layout.yaxis2.range
    assert low < -180
    assert -low / (high - low) == pytest.approx(-low2 / (high2 - low2))


def test_too_many_series_are_cut_and_the_title_says_so() -> None:
    from dataclasses import replace

    many = tuple(replace(INDICATEURS[0], code=f"T_SERIE_{i}", libelle=f"Série {i}") for i in range(9))
    table = sample_table({one.code: [float(i)] * 4 for i, one in enumerate(many)}, indicateurs=many)
    (figure,) = theme_charts(table)
    assert [trace.meta for trace in figure.data] == [f"T_SERIE_{i}" for i in range(3, 9)]
    assert title_of(figure).endswith("les 6 plus importants de 8")  # the ninth is zero everywhere


def test_one_exercice_gives_bars() -> None:
    values = {code: series[:1] for code, series in VALUES.items()}
    (figure, *_) = theme_charts(sample_table(values, EXERCICES[:1]))
    assert {trace.type for trace in figure.data} == {"bar"}


def test_a_report_does_not_draw_twice() -> None:
    titles = [title_of(chart.figure) for chart in charts(sample_table())]
    assert "Épargnes, en pourcentage" not in titles  # wholly in the key chart
    assert "Fonctionnement, en euros" in titles  # staff costs are nowhere else
    assert len(titles) == len(set(titles))


def test_bundle_is_plain_json_with_a_text_alternative() -> None:
    for chart in charts(sample_table()):
        content = bundle(chart.figure)
        text = json.dumps(content[PLOTLY_MIME], allow_nan=False)
        assert "http" not in text
        assert content[PLOTLY_MIME]["config"]["locale"] == "fr"
        assert content["text/plain"].startswith("Graphique")
        assert "en 2022" in content["text/plain"]


def test_charts_do_not_load_notebook_machinery() -> None:
    """A kernel that draws must not pay for nbformat, which costs two to three seconds."""
    program = (
        "import sys, workbench.reports.charts as charts\n"
        "from plotly.graph_objs import Figure\n"
        "figure = Figure(layout={'template': 'none'}); figure.add_bar(x=['2018'], y=[1.0]); charts.bundle(figure)\n"
        "print([name for name in ('nbformat', 'jsonschema', 'rfc3987_syntax') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"


def test_the_shortest_code_of_a_choice_is_drawn() -> None:
    """« Autres recettes » ends as « recettes » does."""
    from dataclasses import replace

    pair = tuple(
        replace(INDICATEURS[0], code=code)
        for code in ("T_AUTRES_RECETTES_DE_FONCTIONNEMENT", "T_RECETTES_DE_FONCTIONNEMENT")
    )
    table = sample_table({one.code: (1.0, 2.0) for one in pair}, (2018, 2019), indicateurs=pair)
    (figure,) = key_charts(table)
    assert [trace.meta for trace in figure.data] == ["T_RECETTES_DE_FONCTIONNEMENT"]


def test_a_label_is_text_for_plotly() -> None:
    (trace,) = (
        trace for figure in theme_charts(sample_table()) for trace in figure.data if trace.meta == "T_FRAIS_PERSONNEL"
    )
    assert trace.name == "Frais de personnel &lt;dont élus&gt;"
