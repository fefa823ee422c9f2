"""The exported page: one file, nothing outside, charts that draw in a real browser, a PDF that holds them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sample_report import sample_table

from workbench.atomic import replacing
from workbench.errors import WorkbenchError
from workbench.reports import charts, sections, tables
from workbench.reports.html import export_html
from workbench.reports.pdf import export_pdf, find_chromium

OUTSIDE = re.compile(
    r"""(?:src|href|action|data|poster)\s*=\s*["'`]?\s*https?:|url\(\s*["']?https?:|@import""", re.IGNORECASE
)

needs_chromium = pytest.mark.skipif(find_chromium() is None, reason="Chromium absent: install it to run browser tests")


def shown(*things: Any) -> dict[str, Any]:
    outputs = []
    for thing in things:
        data = thing._repr_mimebundle_() if hasattr(thing, "_repr_mimebundle_") else {"text/html": thing._repr_html_()}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    return {"cell_type": "code", "metadata": {}, "source": ["secret = 1"], "outputs": outputs, "execution_count": 1}


def html_cell(html: str) -> dict[str, Any]:
    output = {"output_type": "display_data", "data": {"text/html": [html]}, "metadata": {}}
    return {"cell_type": "code", "metadata": {}, "source": "", "outputs": [output], "execution_count": 1}


def markdown(text: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text, **more}


def notebook(folder: Path, *cells: dict[str, Any]) -> Path:
    path = folder / "rapport.ipynb"
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def page(folder: Path, *cells: dict[str, Any]) -> str:
    return export_html(notebook(folder, *cells), folder / "rapport.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole report of the fictitious commune, as a page."""
    folder = tmp_path_factory.mktemp("page")
    table = sample_table()
    path = notebook(
        folder,
        shown(sections.title(table), sections.warnings(table)),
        markdown("## Ce qui ressort"),
        shown(sections.commentary(table)),
        markdown("## Périmètre"),
        shown(sections.perimetre(table)),
        markdown("## Indicateurs par thème"),
        shown(tables.values(table)),
        markdown("## Comparaison des exercices"),
        shown(tables.comparison(table)),
        markdown("## Graphiques"),
        shown(*charts.charts(table)),
        markdown("## Définitions"),
        shown(sections.definitions(table)),
        shown(sections.sources(table)),
    )
    return export_html(path, folder / "rapport.html")


def test_nothing_in_the_page_points_outside(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert not OUTSIDE.search(text)
    assert set(re.findall(r"https?://[\w.-]+", text)) <= {"http://www.w3.org"}  # names of XML vocabularies
    assert "cdn" not in re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)


def test_plotly_is_there_once_and_code_is_not(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert text.count("plotly.js v") == 1
    assert text.count("<script>") == 2
    assert "secret = 1" not in text
    assert text.startswith('<!DOCTYPE html>\n<html lang="fr">')
    assert "<title>Vallombreuse-les-Essais</title>" in text


def test_labels_from_data_are_escaped(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "<dont élus>" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert "Frais de personnel &lt;dont élus&gt;" in text


def test_a_page_without_chart_carries_no_library(tmp_path: Path) -> None:
    text = page(tmp_path, markdown("# Bonjour"))
    assert len(text) < 20_000
    assert "<script" not in text
    assert "script-src 'none'" in text


@pytest.mark.parametrize(
    "html",
    [
        "<script src='https://cdn.plot.ly/plotly-3.min.js'></script>",
        "<script>require.config({paths: {plotly: ['https://cdn.plot.ly/plotly']}})</script>",
        "<link rel=stylesheet href='https://fonts.example/font-awesome.css'>",
        "<img src='https://traceur.example/p.gif'>",
        "<img src='//traceur.example/p.gif' srcset='https://traceur.example/2.gif 2x'>",
        "<iframe src='https://traceur.example'>x</iframe>",
        "<style>@import url(https://traceur.example/a.css);</style>",
        "<style>p { background: url('https://traceur.example/b.png') }</style>",
        "<p style='background:url(https://traceur.example/b.png)'>x</p>",
        "<svg><image xlink:href='https://traceur.example/p.svg'/></svg>",
        "<form action='https://traceur.example'><button formaction='https://traceur.example'>x</button></form>",
        "<object data='https://traceur.example/a.swf'></object>",
        "<a href='javascript:alert(1)' onclick='alert(1)' ping='https://traceur.example'>x</a>",
        "<base href='https://traceur.example/'>",
        "<meta http-equiv=refresh content='0; url=https://traceur.example'>",
        "<SCRIPT>fetch('https://traceur.example')</SCRIPT>",
        "<video poster='https://traceur.example/p.png'></video>",
        "<img src=x onerror='fetch(`https://traceur.example`)'>",
    ],
)
def test_what_runs_or_points_outside_is_taken_away(tmp_path: Path, html: str) -> None:
    for cell in (html_cell(html), markdown(html)):
        body = page(tmp_path, cell).partition("<body>")[2]
        assert "example" not in body
        assert "cdn" not in body
        assert not re.search(r"<script|<iframe|<object|<link|<base|<meta|\son\w+=|javascript:", body, re.IGNORECASE)


def test_a_link_becomes_its_printed_address(tmp_path: Path) -> None:
    text = page(tmp_path, markdown("[la loi](https://www.legifrance.gouv.fr/loda) et [plus bas](#fin)"))
    assert '<a>la loi <span class="wb-adresse">(https://www.legifrance.gouv.fr/loda)</span></a>' in text
    assert '<a href="#fin">' in text
    assert not OUTSIDE.search(text)


def test_pictures_beside_the_notebook_are_embedded_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    picture = b"\x89PNG\r\n\x1a\n0000"
    (tmp_path / "inside" / "carte.png").write_bytes(picture)
    (tmp_path / "dehors.png").write_bytes(picture)
    (tmp_path / "inside" / "notes.txt").write_text("secret")
    text = page(
        tmp_path / "inside",
        markdown("![c](carte.png) ![d](../dehors.png) ![n](notes.txt)"),
        markdown("![a](attachment:a.png)", attachments={"a.png": {"image/png": "QUJD"}}),
    )
    assert text.count("data:image/png;base64,iVBOR") == 1
    assert "data:image/png;base64,QUJD" in text
    assert "dehors" not in text.replace('alt="d"', "")
    assert "notes.txt" not in text


def test_other_outputs(tmp_path: Path) -> None:
    def output(**fields: Any) -> dict[str, Any]:
        return {"cell_type": "code", "metadata": {}, "source": "", "outputs": [fields], "execution_count": 1}

    text = page(
        tmp_path,
        output(output_type="stream", name="stdout", text=["\x1b[31ma < b\x1b[0m\n"]),
        output(output_type="stream", name="stderr", text="avertissement interne"),
        output(output_type="error", ename="WorkbenchError", evalue="La base n'existe pas.", traceback=["File /secret"]),
        output(output_type="display_data", data={"image/png": "QUJD\n", "text/plain": "<carte>"}, metadata={}),
        output(output_type="execute_result", data={"text/plain": "42 < 43"}, metadata={}),
        output(output_type="display_data", data={"text/markdown": "| a |\n|---|\n| 1 |"}, metadata={}),
        {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": "", "outputs": [], "execution_count": 1},
        {"cell_type": "raw", "metadata": {}, "source": "brut"},
    )
    assert "<pre>a &lt; b\n</pre>" in text
    assert "avertissement interne" not in text
    assert "Cette partie a échoué" in text
    assert "/secret" not in text
    assert '<img src="data:image/png;base64,QUJD" alt="&lt;carte&gt;">' in text
    assert "<pre>42 &lt; 43</pre>" in text
    assert "<td>1</td>" in text


@pytest.mark.parametrize("content", ["pas du JSON", "[]", '{"nbformat": 3, "worksheets": []}'])
def test_what_is_no_notebook_is_refused_and_nothing_written(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.ipynb").write_text(content, encoding="utf-8")
    with pytest.raises(WorkbenchError) as caught:
        export_html(tmp_path / "x.ipynb", tmp_path / "x.html")
    assert caught.value.code == "notebook_illisible"
    assert [path.name for path in tmp_path.iterdir()] == ["x.ipynb"]
    with pytest.raises(WorkbenchError, match="n'existe pas"):
        export_html(tmp_path / "y.ipynb", tmp_path / "x.html")


def test_a_failed_write_leaves_the_older_file(tmp_path: Path) -> None:
    target = tmp_path / "rapport.html"
    target.write_text("ancien", encoding="utf-8")

    def interrupted() -> None:
        with replacing(target) as partial:
            partial.write_text("à moit", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text(encoding="utf-8") == "ancien"
    assert list(tmp_path.iterdir()) == [target]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    program = find_chromium()
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=program, args=arguments)
        yield launched
        launched.close()


@needs_chromium
@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 420])
def test_charts_draw_without_network(report: Path, browser: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True, locale="fr-FR")
    view = context.new_page()
    requests: list[str] = []
    faults: list[str] = []
    view.on("request", lambda request: requests.append(request.url))
    view.on("pageerror", lambda error: faults.append(str(error)))
    view.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    view.goto(report.as_uri())
    figures = view.locator("figure.wb-graphique")
    view.wait_for_function("document.querySelectorAll('svg.main-svg').length > 0")
    drawn = view.evaluate(
        "[...document.querySelectorAll('figure.wb-graphique')].map(f => f.querySelectorAll('.trace, .bars').length)"
    )
    assert figures.count() == len(drawn) == 5
    assert all(drawn)
    assert requests == [report.as_uri()]
    assert faults == []
    assert "M€" in view.locator("svg.main-svg .ytick").first.text_content()
    # The page itself never scrolls sideways; wide tables do, in their frame.
    assert view.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert view.locator("[aria-label^='Graphique']").count() == 5
    context.close()


@needs_chromium
@pytest.mark.browser
def test_charts_fit_the_paper_from_a_browser_too(report: Path, browser: Any) -> None:
    view = browser.new_page(viewport={"width": 1280, "height": 900})
    view.goto(report.as_uri())
    view.wait_for_function("document.querySelectorAll('svg.main-svg').length > 0")
    widths = "[...document.querySelectorAll('.wb-trace')].map(d => d._fullLayout.width)"
    view.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert set(view.evaluate(widths)) == {500}
    view.evaluate("window.dispatchEvent(new Event('afterprint'))")
    view.wait_for_function(f"Math.min(...{widths}) > 500")
    view.close()


@needs_chromium
@pytest.mark.browser
def test_pdf_holds_pages(report: Path, tmp_path: Path) -> None:
    pdf = export_pdf(report, tmp_path / "dossier neuf" / "rapport.pdf")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert len(content) > 50_000  # empty charts would weigh much less
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 3
    assert list(pdf.parent.iterdir()) == [pdf]


def test_without_chromium_the_hint_says_what_to_do(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_CHROMIUM", str(tmp_path / "absent"))
    with pytest.raises(WorkbenchError) as caught:
        export_pdf(report, tmp_path / "rapport.pdf")
    assert caught.value.code == "chromium_absent"
    assert "WORKBENCH_CHROMIUM" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("program", "timeout", "cause"),
    [
        ("#!/bin/sh\nsleep 600 & sleep 600\n", 0.5, "n'a pas fini"),
        ("#!/bin/sh\nexit 7\n", 60, "code 7"),
        ("#!/bin/sh\nexit 0\n", 60, "code 0"),
    ],
)
def test_a_browser_that_fails_is_said_and_leaves_nothing(
    report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, timeout: float, cause: str
) -> None:
    fake = tmp_path / "faux-chromium"
    fake.write_text(program, encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("WORKBENCH_CHROMIUM", str(fake))
    with pytest.raises(WorkbenchError) as caught:
        export_pdf(report, tmp_path / "sortie" / "rapport.pdf", timeout=timeout)
    assert cause in caught.value.message
    assert list((tmp_path / "sortie").iterdir()) == []
