"""What a first report builds and the next ones find: called once in the process that kernels are forked from.

Nothing is opened and nothing is read but the package's own files.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["warm"]

LATE = (
    "workbench.engines.duckdb",
    "workbench.engines.duckdb_store",
    "workbench.evaluation.kernel",
    "workbench.evaluation.plan",
    "workbench.evaluation.evaluate",
    "workbench.evaluation.contributions",
    "workbench.reports.comments",
    "workbench.reports.tables",
    "workbench.reports.report",
    "nbformat.v4",
    "IPython.core.magics",
    "IPython.core.completerlib",
)
"""Modules that are imported where they serve, so that the command line starts quickly."""


def warm() -> None:
    """Import what is imported late, build the grammar of formules and the tables by which plotly checks a figure."""
    from workbench.evaluation.plan import compile_trame
    from workbench.reports.comments import load_seuils
    from workbench.trames import trame_from_formules

    for name in LATE:
        importlib.import_module(name)
    compile_trame(trame_from_formules({"A_B": "C70[TA:BX]/$POP-D60[TA:BX]^2"}, nomenclature="M57"))
    load_seuils()
    go: Any = importlib.import_module("plotly.graph_objects")
    figure = go.Figure([go.Scatter(x=[1], y=[1], name="", line={"width": 1}), go.Bar(x=[1], y=[1])])
    figure.update_layout(title="", xaxis={"title": ""}, yaxis={"title": ""}, legend={"orientation": "h"})
    figure.to_plotly_json()
