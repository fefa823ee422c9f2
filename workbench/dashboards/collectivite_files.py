"""The files of the page of a collectivité."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.dashboards.documents import Document, csv_document, html_table, pdf_document
from workbench.dgfip import Base
from workbench.evaluation.results import IndicateurTable
from workbench.reports.excel import write_excel
from workbench.reports.excel_balance import write_balance
from workbench.reports.excel_comparative import write_comparison
from workbench.reports.sections import commentary, sources, title, warnings
from workbench.reports.series import exercices_of, indicateurs_of, name_of, values_of
from workbench.reports.situation import Situation
from workbench.reports.tables import values

if TYPE_CHECKING:
    from workbench.dashboards.collectivite import CollectiviteView

__all__ = ["balance", "comparison", "figures_csv", "page_pdf", "workbook"]


def _written(name: str, write: Callable[[Path], object]) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return Document(name, path.read_bytes())


def workbook(table: IndicateurTable, model: Path | None, name: str) -> Document:
    """Return the table as a workbook, on the trame's model when there is one."""
    return _written(name, lambda path: write_excel(table, model=model, to=path))


def balance(base: Base, siret: str, exercices: range, name: str) -> Document:
    """Return all the comptes of a budget as a workbook."""
    return _written(name, lambda path: write_balance(base, [siret], exercices, path))


def comparison(found: Situation, exercice: int | None, name: str) -> Document:
    """Return the comparison with the strate and the peers as a workbook, an exercice side by side."""
    return _written(name, lambda path: write_comparison(found.comparison, path, exercice))


def figures_csv(table: IndicateurTable, name: str) -> Document:
    """Return the table as CSV: one row an indicateur, one column an exercice, values in the unit of the indicateur."""
    shown = indicateurs_of(table)
    columns: dict[str, list[Any]] = {
        "code": [one.code for one in shown],
        "indicateur": [name_of(one) for one in shown],
        "theme": [one.theme for one in shown],
        "unite": [one.unite for one in shown],
    }
    for exercice in exercices_of(table):
        columns[str(exercice)] = [values_of(table, one.code)[exercice] for one in shown]
    return csv_document(name, columns)


def page_pdf(view: CollectiviteView, name: str) -> Document:
    """Print what the page shows: figures, remarks, comparison, charts."""
    table = view.table
    assert table is not None  # noqa: S101 - the view gives files once it has a table
    parts: list[Any] = [title(table), warnings(table)]
    if view.amounts is not None:
        parts += ["<h2>Points d’attention</h2>", commentary(view.amounts)]
    parts += ["<h2>Indicateurs</h2>", values(table)]
    seen = view.situation.shown()
    if seen is not None and not seen["pending"]:
        heads = ["Indicateur", "Unité", seen["name"], "Médiane", "Quartiles", "Rang", "Médiane dép.", *seen["columns"]]
        parts.append(f"<h2>Parmi les semblables, {seen['exercice']}</h2>")
        for group in seen["groups"]:
            rows = [
                [
                    *(
                        row[part]
                        for part in ("libelle", "unite", "value", "median", "quartiles", "rank", "departement")
                    ),
                    *row["peers"],
                ]
                for row in group["rows"]
            ]
            parts.append(html_table(group["theme"], heads, rows))
        parts.append("".join(f'<p class="wb-detail">{escape(note)}</p>' for note in seen["notes"]))
    parts.append(sources(table))
    return pdf_document(name, parts, [*view.charts(), *view.situation.charts()])
