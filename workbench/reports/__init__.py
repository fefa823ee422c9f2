"""Reports: workbooks, executed notebooks, pages and PDF files, and the figures and sentences they show.

Names are loaded when first used: a workbook does not pay for notebooks, nor a notebook for openpyxl.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.reports.batch import BatchResult, run_batch, submit_batch
    from workbench.reports.charts_query import query_chart
    from workbench.reports.excel import write_excel
    from workbench.reports.excel_balance import write_balance
    from workbench.reports.excel_query import write_query
    from workbench.reports.excel_strates import write_strates
    from workbench.reports.html import export_html
    from workbench.reports.parameters import ParametersError
    from workbench.reports.pdf import export_pdf
    from workbench.reports.published import PublishedReport, published_report, published_reports
    from workbench.reports.publishing import publish_report
    from workbench.reports.report import ReportResult, State, run_report

__all__ = [
    "BatchResult",
    "ParametersError",
    "PublishedReport",
    "ReportResult",
    "State",
    "export_html",
    "export_pdf",
    "publish_report",
    "published_report",
    "published_reports",
    "query_chart",
    "run_batch",
    "run_report",
    "submit_batch",
    "write_balance",
    "write_excel",
    "write_query",
    "write_strates",
]

_MODULES = {
    "BatchResult": "batch",
    "ParametersError": "parameters",
    "ReportResult": "report",
    "State": "report",
    "export_html": "html",
    "export_pdf": "pdf",
    "PublishedReport": "published",
    "publish_report": "publishing",
    "published_report": "published",
    "published_reports": "published",
    "query_chart": "charts_query",
    "run_batch": "batch",
    "run_report": "report",
    "submit_batch": "batch",
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
