"""Metrics and logs as tables, for the operator's notebook."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pandas as pd
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from workbench.config import settings
from workbench.errors import WorkbenchError
from workbench.watching.requests import REQUESTS
from workbench.watching.state import State

__all__ = ["log_events", "measures"]


def measures(address: str = "", token: str = "") -> pd.DataFrame:
    """Read the metrics of a server, or measure here what needs none.

    Parameters
    ----------
    address
        Address of the server: ``http://127.0.0.1:8866``; empty to measure from this process.
    token
        What it asks of collectors; ``WORKBENCH_METRICS_TOKEN`` by default.

    Returns
    -------
    pandas.DataFrame
        One row a sample: ``metric``, ``labels`` (``state=done``, separated by commas), ``value`` in the metric's unit.

    Raises
    ------
    WorkbenchError
        ``metriques_refusees``.
    """
    if address:
        families = list(text_string_to_metric_families(_asked(address, token or settings().metrics_token)))
    else:
        registry = CollectorRegistry()
        registry.register(State())
        families = [*REQUESTS.registry.collect(), *registry.collect()]
    samples = [sample for family in families for sample in family.samples if not sample.name.endswith("_created")]
    rows = [
        (each.name, ",".join(f"{name}={value}" for name, value in sorted(each.labels.items())), each.value)
        for each in samples
    ]
    return pd.DataFrame(rows, columns=["metric", "labels", "value"])


def _asked(address: str, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(f"{address.rstrip('/')}/metriques", headers=headers, timeout=30)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise WorkbenchError("metriques_refusees", adresse=address, cause=type(error).__name__) from error
    if answer.status_code != httpx.codes.OK:
        raise WorkbenchError("metriques_refusees", adresse=address, cause=f"le service a répondu {answer.status_code}")
    return answer.text


def log_events(path: Path) -> pd.DataFrame:
    """Read a log of lines of JSON; what is no such line is passed over.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    pandas.DataFrame
        One row an event, one column a field; ``time`` is a moment, UTC.
    """
    rows = []
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                content = json.loads(line)
            except ValueError:
                continue
            if isinstance(content, dict) and "time" in content:
                rows.append(content)
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=["time", "level", "logger", "message"])
    return table.assign(time=pd.to_datetime(table["time"], utc=True))
