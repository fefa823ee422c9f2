"""Which process runs which tests, in what order, and what the log says meanwhile."""

from __future__ import annotations

import pytest

__all__ = ["ToldAtOnce", "grouped"]

LONG_SECONDS = 60
"""From where the log names a test that passed, so that what a slow machine makes long is known."""


def grouped(items: list[pytest.Item]) -> list[pytest.Item]:
    """Have one process run a file, so that what its tests share is made once, and all that needs Spark.

    Files whose tests name a group of their own go together too: they share a server.
    Spark and browsers come first: what is long is not left to the end, where one process would wait for the other.
    """
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        item.add_marker(pytest.mark.xdist_group("spark" if _rank(item) == 0 else item.nodeid.partition("::")[0]))
    return sorted(items, key=_rank)


def _rank(item: pytest.Item) -> int:
    drawn = getattr(item, "callspec", None)
    chosen = {value for value in drawn.params.values() if isinstance(value, str)} if drawn else set()
    if chosen & {"spark", "new_spark"} or item.path.name == "test_spark.py":
        return 0
    return 1 if item.get_closest_marker("browser") else 2


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
