"""Which process runs which tests, in what order, and what the log says meanwhile."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

__all__ = ["ByFile", "ToldAtOnce", "in_order"]

LONG_SECONDS = 60
"""From where the log names a test that passed, so that what a slow machine makes long is known."""


def in_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """Put Spark and browsers first: what is long is not left to the end, where one process would wait for the other."""
    return sorted(items, key=lambda item: (not _on_spark(item.nodeid), item.get_closest_marker("browser") is None))


def _on_spark(nodeid: str) -> bool:
    _, _, drawn = nodeid.partition("[")
    return "test_spark" in nodeid or not {"spark", "new_spark"}.isdisjoint(drawn.rstrip("]").split("-"))


class ByFile(LoadScopeScheduling):
    """One process runs a file, so that what its tests share is made once; all that needs Spark, and JupyterLab, too."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return "spark" if _on_spark(nodeid) else "lab" if "/test_lab_" in path else path


class ToldAtOnce:
    """Names what failed or was long when it is known: a run that is cut has no summary."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a line, and the end of the traceback."""
        wrong = report.outcome not in ("passed", "skipped")
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or not (wrong or report.duration > LONG_SECONDS):
            return
        terminal.ensure_newline()
        terminal.write_line(f"{report.outcome} {report.nodeid} {report.when} {report.duration:.0f} s")
        if wrong:
            terminal.write_line(report.longreprtext[-3000:])
