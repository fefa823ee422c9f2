"""Workers of this machine, as processes of their own: begun, watched, replaced when one dies, ended together.

A worker ends by itself when the process that began it is gone, however it went: its standard input closes.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_log_path

from workbench.errors import WorkbenchError
from workbench.kernels.limits import MEMORY_SHARE, machine_memory
from workbench.logs import configure_logs, is_json
from workbench.registry import Registry
from workbench.reports.jobs_announce import configured_broker
from workbench.reports.jobs_leases import LEASE_SECONDS, recover
from workbench.reports.jobs_worker import Worker, worker_name

__all__ = ["Pool", "pool"]

log = logging.getLogger(__name__)

STOP_SECONDS = 20.0
DEATHS_SECONDS = 2.0
"""Least time between two replacements of a worker."""

MOST_FAILURES = 5
"""Workers that end by themselves with an error before all are given up: what cannot start is not started for ever."""


@dataclass
class _Started:
    process: subprocess.Popen[bytes]
    name: str
    since: float


class Pool:
    """Workers of a batch, or of all shared jobs when it is None: these listen to the broker of messages, if any.

    Parameters
    ----------
    registry
        Where the jobs are.
    batch
        Which jobs.
    size
        How many workers.
    kernel
        Name of the kernelspec that executes notebooks.
    lease
        Seconds after which the jobs of a silent worker are given to others.
    """

    def __init__(
        self, registry: Registry, batch: str | None, size: int, kernel: str | None, lease: float = LEASE_SECONDS
    ) -> None:
        self.registry = registry
        # What one kernel may use alone, shared by as many as there are workers.
        memory = int(MEMORY_SHARE * machine_memory() / size)
        self.options = [
            "--batch",
            batch or "",
            "--kernel",
            kernel or "",
            "--memory",
            str(memory),
            "--lease",
            str(lease),
        ]
        self.failures = 0
        self.workers = [self._start() for _ in range(size)]

    def _start(self) -> _Started:
        name = worker_name()
        package = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        process = subprocess.Popen(  # noqa: S603 - this interpreter and our own module
            [sys.executable, "-m", "workbench.reports.jobs_pool", "--name", name, *self.options],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # The address may hold a password: other people of the machine can read arguments.
            env=os.environ | {"WORKBENCH_REGISTRE": self.registry.address, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C is for the process that people see, which then stops the workers
        )
        return _Started(process, name, time.monotonic())

    def mend(self) -> None:
        """Replace the workers that died, and give back at once what they held.

        Raises
        ------
        WorkbenchError
            ``travailleurs_arretes`` when they do not die but fail, again and again.
        """
        dead = [each for each in self.workers if each.process.poll() is not None]
        if not dead:
            return
        with suppress(WorkbenchError):  # else their leases will run out
            recover(self.registry, [each.name for each in dead])
        for each in dead:
            if time.monotonic() - each.since < DEATHS_SECONDS:
                continue
            log.info("worker %s died with status %s", each.name, each.process.returncode)
            self.failures += each.process.returncode > 0
            if self.failures >= MOST_FAILURES:
                raise WorkbenchError("travailleurs_arretes", journal=log_file())
            each.process.stdin.close()  # type: ignore[union-attr]
            self.workers[self.workers.index(each)] = self._start()

    def stop(self) -> None:
        """End the workers: what they had not concluded is given back."""
        for each in self.workers:
            with suppress(ProcessLookupError):
                each.process.send_signal(signal.SIGTERM)
            with suppress(OSError):
                each.process.stdin.close()  # type: ignore[union-attr]
        deadline = time.monotonic() + STOP_SECONDS
        for each in self.workers:
            try:
                each.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()
        with suppress(WorkbenchError):
            recover(self.registry, [each.name for each in self.workers])


@contextmanager
def pool(
    registry: Registry, batch: str | None, size: int, kernel: str | None, lease: float = LEASE_SECONDS
) -> Iterator[Pool]:
    """Run workers while a block lasts."""
    workers = Pool(registry, batch, size, kernel, lease)
    try:
        yield workers
    finally:
        workers.stop()


def log_file() -> Path:
    """Return the file where the operator finds what workers say."""
    return user_log_path("workbench") / "travailleurs.log"


def _end_with_parent() -> None:
    # Not through sys.stdin: at the end of the interpreter, its lock would be held by this thread.
    while os.read(0, 4096):
        pass
    # In good order first; a worker that hears nothing any more is ended.
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    os._exit(1)


def _main() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    for option in ("--name", "--batch", "--kernel"):
        parser.add_argument(option, default="")
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--lease", type=float, default=LEASE_SECONDS)
    given = parser.parse_args()
    if is_json():
        configure_logs()
    else:
        with suppress(OSError):  # without a log, they still work
            log_file().parent.mkdir(parents=True, exist_ok=True)
            configure_logs(log_file().open("a", encoding="utf-8"))
    worker = Worker(
        batch=given.batch or None,
        name=given.name,
        kernel=given.kernel or None,
        memory=given.memory,
        lease=given.lease,
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # The jobs of one batch may be nobody else's: only this registry knows them.
    broker = None if given.batch else configured_broker()
    if broker is None:
        worker.run()
    else:
        worker.listen(broker)


if __name__ == "__main__":
    _main()
