"""Reports: workbooks, executed notebooks, pages and PDF files, and the figures and sentences they show.

Names are loaded when first used: a workbook does not pay for notebooks, nor a notebook for openpyxl.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.reports.charts_query import query_chart
    from workbench.reports.excel import write_excel
    from workbench.reports.excel_balance import write_balance
    from workbench.reports.excel_query import write_query
    from workbench.reports.excel_strates import write_strates
    from workbench.reports.html import export_html
    from workbench.reports.parameters import ParametersError
    from workbench.reports.pdf import export_pdf
    from workbench.reports.report import ReportResult, State, run_report

__all__ = [
    "ParametersError",
    "ReportResult",
    "State",
    "export_html",
    "export_pdf",
    "query_chart",
    "run_report",
    "write_balance",
    "write_excel",
    "write_query",
    "write_strates",
]

_MODULES = {
    "ParametersError": "parameters",
    "ReportResult": "report",
    "State": "report",
    "export_html": "html",
    "export_pdf": "pdf",
    "query_chart": "charts_query",
    "run_report": "report",
    "write_balance": "excel_balance",
    "write_excel": "excel",
    "write_strates": "excel_strates",
    "write_query": "excel_query",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'workbench.reports' has no attribute {name!r}")
    return getattr(import_module(f"workbench.reports.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
