"""The files that pages give: what is seen, as a spreadsheet, as text for one, on paper."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pyarrow as pa

from workbench.dgfip.queries_result import csv_text
from workbench.reports.charts import PLOTLY_MIME
from workbench.reports.html import export_html
from workbench.reports.pdf import export_pdf
from workbench.reports.sections import Section

__all__ = ["CSV", "PDF", "XLSX", "Document", "csv_document", "html_table", "pdf_document"]

CSV = "text/csv;charset=utf-8"
PDF = "application/pdf"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Document:
    """A file for the visitor.

    Parameters
    ----------
    name
        ASCII name of the file.
    content
        Its bytes.
    media_type
        MIME type.
    """

    name: str
    content: bytes
    media_type: str = XLSX


def csv_document(name: str, columns: Mapping[str, Sequence[Any]]) -> Document:
    r"""Return columns as CSV, as a French spreadsheet opens it: semicolons, commas, a mark of UTF-8.

    Examples
    --------
    >>> csv_document("essai.csv", {"Produits (€)": [12.5]}).content.decode("utf-8-sig")
    'Produits (€)\n12,50\n'
    """
    table = pa.table({heading: pa.array(values) for heading, values in columns.items()})
    return Document(name, csv_text(table).encode("utf-8-sig"), CSV)


def html_table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of a report; the first cell of a row says what it is of.

    Examples
    --------
    >>> "<th scope='row'>A &lt; B</th>" in html_table("", ["x", "y"], [["A < B", "1"]]).replace('"', "'")
    True
    """
    first, *others = heads
    head = f'<th scope="col">{escape(first)}</th>' + "".join(
        f'<th scope="col" class="wb-nombre wb-long">{escape(name)}</th>' for name in others
    )
    lines = "".join(f"<tr>{_row(*row)}</tr>" for row in rows)
    return (
        f'<div class="wb-cadre"><table class="wb-tableau"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _row(first: str, *rest: str) -> str:
    cells = "".join(f'<td class="wb-nombre">{escape(cell)}</td>' for cell in rest)
    return f'<th scope="row">{escape(first)}</th>{cells}'


def _output(part: Section | str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(part, Mapping):
        return {PLOTLY_MIME: {name: dict(part)[name] for name in ("data", "layout", "config")}}
    return {"text/html": part if isinstance(part, str) else part.html}


def pdf_document(
    name: str, sections: Iterable[Section | str | Mapping[str, Any]], figures: Iterable[Mapping[str, Any]] = ()
) -> Document:
    """Print sections of a report, then charts, on paper.

    Parameters
    ----------
    name
        Name of the file.
    sections
        Parts of `workbench.reports.sections`, HTML that is safe already, or charts, where they stand among them.
    figures
        Charts as plotly reads them.

    Raises
    ------
    WorkbenchError
        ``chromium_absent``, ``pdf_echec``.
    """
    outputs = [_output(part) for part in (*sections, *figures)]
    cells = [
        {
            "cell_type": "code",
            "source": "",
            "metadata": {},
            "outputs": [{"output_type": "display_data", "data": data, "metadata": {}}],
        }
        for data in outputs
    ]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
        (folder / "page.ipynb").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        page = export_html(folder / "page.ipynb", folder / "page.html")
        return Document(name, export_pdf(page, folder / "page.pdf").read_bytes(), PDF)
