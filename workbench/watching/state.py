"""What is measured when a collector asks: jobs, kernels, bases, uploads, room on the disk.

Jobs are counted from the registry, so that one server tells of the workers of all machines, and a worker needs no port
of its own. A part that cannot be measured is said to have failed; the others are given all the same.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import case, func, select

from workbench.config import settings
from workbench.engines import open_store
from workbench.kernels.census import NAMES, kernel_processes
from workbench.registry import open_registry
from workbench.registry.address import registry_url
from workbench.reports.jobs_tables import ROOM, JobState, jobs
from workbench.uploads.configuration import has_storage, open_storage, upload_settings
from workbench.uploads.inventory import inventory

__all__ = ["State"]

_LOG = logging.getLogger(__name__)

BUCKETS = (1, 5, 15, 60, 300, 1800)


class State(Collector):
    """The collector.

    Parameters
    ----------
    base
        The accounting base that is served; that of the settings by default.
    """

    def __init__(self, base: str | None = None) -> None:
        self._base = base

    def describe(self) -> list[Metric]:
        """Return nothing: what there is is known when it is asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Measure."""
        failed = GaugeMetricFamily("workbench_unmeasured", "Parts that could not be measured", labels=["part"])
        for part, measure in self._parts().items():
            try:
                found = list(measure())
            except Exception as error:  # noqa: BLE001 - one that is away does not hide the others
                _LOG.warning("%s was not measured: %s", part, type(error).__name__)
                failed.add_metric([part], 1)
            else:
                failed.add_metric([part], 0)
                yield from found
        yield failed

    def _parts(self) -> dict[str, Callable[[], Iterator[Metric]]]:
        return {
            "jobs": self._jobs,
            "kernels": self._kernels,
            "bases": self._bases,
            "uploads": self._uploads,
            "disk": self._disk,
        }

    def _jobs(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("workbench_jobs", "Jobs by state", labels=["state"])
        oldest = GaugeMetricFamily("workbench_oldest_waiting_job_seconds", "Age of the oldest job that waits")
        workers = GaugeMetricFamily("workbench_busy_workers", "Workers that hold a job")
        durations = HistogramMetricFamily("workbench_job_seconds", "Seconds that jobs took", labels=["state"])
        with open_registry(rooms=[ROOM]) as registry, registry.read() as connection:
            counted = dict.fromkeys(JobState, 0)
            for state, count in connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state)):
                counted[JobState(state)] = count
            first = select(func.min(jobs.c.created)).where(jobs.c.state == JobState.PENDING)
            begun = connection.execute(first).scalar_one()
            now = registry.now(connection)
            holding = select(func.count(jobs.c.worker.distinct())).where(jobs.c.state == JobState.RUNNING)
            workers.add_metric([], connection.execute(holding).scalar_one())
            within = [func.sum(case((jobs.c.seconds <= most, 1), else_=0)) for most in BUCKETS]
            asked = select(jobs.c.state, func.count(), func.sum(jobs.c.seconds), *within)
            asked = asked.where(jobs.c.seconds.is_not(None)).group_by(jobs.c.state)
            for state, count, total, *below in connection.execute(asked):
                buckets = [(str(float(most)), float(number)) for most, number in zip(BUCKETS, below, strict=True)]
                durations.add_metric([state.lower()], [*buckets, ("+Inf", float(count))], total)
        for state, count in counted.items():
            states.add_metric([state.lower()], count)
        oldest.add_metric([], max(0.0, (now - begun).total_seconds()) if begun else 0.0)
        yield from (states, oldest, workers, durations)

    def _kernels(self) -> Iterator[Metric]:
        count = GaugeMetricFamily("workbench_kernels", "Kernels of this machine", labels=["state"])
        memory = GaugeMetricFamily("workbench_kernel_memory_bytes", "Memory of kernels (PSS)", labels=["state"])
        largest = GaugeMetricFamily("workbench_kernel_memory_most_bytes", "The largest kernel (PSS)", labels=["state"])
        found = kernel_processes()
        for state in NAMES.values():
            sizes = [each.memory for each in found if each.state == state]
            count.add_metric([state], len(sizes))
            memory.add_metric([state], sum(sizes))
            largest.add_metric([state], max(sizes, default=0))
        yield from (count, memory, largest)

    def _bases(self) -> Iterator[Metric]:
        age = GaugeMetricFamily("workbench_import_age_seconds", "Age of the current snapshot", labels=["base"])
        size = GaugeMetricFamily("workbench_base_bytes", "Size of the current snapshot", labels=["base"])
        number = GaugeMetricFamily("workbench_snapshots", "Snapshots kept", labels=["base"])
        for name, url in {"base": self._base or settings().base, "historique": settings().history}.items():
            store = open_store(url)
            kept = store.snapshots() if store.exists() else []
            number.add_metric([name], len(kept))
            for current in (each for each in kept if each.current):
                age.add_metric([name], (datetime.now(UTC) - current.date).total_seconds())
                size.add_metric([name], current.size)
        yield from (age, size, number)

    def _uploads(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("workbench_uploads", "Uploads by state", labels=["state"])
        found = upload_settings()
        counted = Counter(row.state for row in inventory(open_storage(found))) if has_storage(found) else Counter()
        for state in ("arriving", "finishing", "quarantined", "published", "unreadable"):
            states.add_metric([state], counted[state])
        yield states

    def _disk(self) -> Iterator[Metric]:
        free = GaugeMetricFamily("workbench_free_bytes", "Bytes left on the disk of a place", labels=["place"])
        places = {"rapports": settings().reports, "depot": upload_settings().base}
        url = registry_url(settings().registry)
        if url.drivername == "sqlite":
            places["registre"] = Path(str(url.database)).parent
        for name, path in places.items():
            there = next((each for each in (path.absolute(), *path.absolute().parents) if each.exists()), None)
            if there is not None:
                free.add_metric([name], shutil.disk_usage(there).free)
        yield free
