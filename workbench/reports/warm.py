"""What a first report builds and the next ones find, made in the process that kernels are forked from.

`warm` reads nothing but the package's own files, `know_trame` the trame that it is given; nothing stays open.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

__all__ = ["KNOW_TRAME", "know_trame", "known_trames", "warm"]

KNOW_TRAME = "workbench.reports.warm:know_trame"
"""`know_trame`, as a `workbench.kernels.client.Wish` names what is known."""

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
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "plotly.io._renderers",
    "nbformat.v4",
    "IPython.core.magics",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "psutil",
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


def know_trame(path: str) -> None:
    """Compile a trame, for the kernels of all the reports that are made of it.

    Parameters
    ----------
    path
        Of its file, as `workbench.trames.load_trame` takes it.
    """
    from workbench.evaluation.kernel import program_of
    from workbench.evaluation.plan import compile_trame
    from workbench.trames import load_trame

    trame = load_trame(path)
    program_of(compile_trame(trame))
    for indicateur in trame.indicateurs:
        _ = indicateur.tree


def known_trames(folder: Path) -> list[tuple[str, str, str]]:
    """Return what kernels that evaluate the trames of a folder find done."""
    files = [path for path in sorted(folder.glob("*.yaml")) if path.is_file()]
    return [(KNOW_TRAME, str(path), str(path.stat().st_mtime_ns)) for path in files]
