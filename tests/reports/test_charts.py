"""Charts read as French text does, keep gaps, name what they draw, and never load plotly's display."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from sample_report import EXERCICES, INDICATEURS, VALUES, sample_table

from workbench.reports.charts import PLOTLY_MIME, bundle, charts, key_charts, theme_charts


def titled(figures: list[object], start: str) -> object:
    return next(figure for figure in figures if figure.layout.title.text.startswith(start))  # type: ignore[attr-defined]


def test_key_charts_are_drawn_when_the_trame_has_them() -> None:
    titles = [figure.layout.title.text for figure in key_charts(sample_table())]
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
    assert figure.layout.title.text.endswith("les 6 plus importants de 8")  # the ninth is zero everywhere


def test_one_exercice_gives_bars() -> None:
    values = {code: series[:1] for code, series in VALUES.items()}
    (figure, *_) = theme_charts(sample_table(values, EXERCICES[:1]))
    assert {trace.type for trace in figure.data} == {"bar"}


def test_a_report_does_not_draw_twice() -> None:
    titles = [chart.figure.layout.title.text for chart in charts(sample_table())]
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
        "figure = charts._figure('Essai', ' €'); figure.add_bar(x=['2018'], y=[1.0]); charts.bundle(figure)\n"
        "print([name for name in ('nbformat', 'jsonschema', 'rfc3987_syntax') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "[]"
