"""A worker: takes jobs, makes them, keeps them meanwhile, and stops in good order.

The main thread works; another one renews the lease. When a job is lost (cancelled, or believed abandoned), that
thread interrupts the main one, which drops what it was making. A registry that does not answer is waited for: what was
made is kept until it can be told.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select

from workbench.errors import WorkbenchError, reason
from workbench.logs import REQUEST, event
from workbench.registry import Registry, new_identifier, open_registry
from workbench.reports.jobs_leases import LEASE_SECONDS, Claim, Outcome, claim, conclude, release, renew
from workbench.reports.jobs_tables import ROOM, JobState, jobs

if TYPE_CHECKING:
    from workbench.reports.jobs_broker import Broker

__all__ = ["Worker", "sweep", "worker_name"]

log = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
TOLD_SECONDS = 1.0
"""How long outcomes of a group wait for one another, to be told together."""

PATIENCE_SECONDS = 900.0
"""How long a worker waits for a registry that does not answer."""

PASSING = ("registre_inaccessible", "registre_occupe")

Told = TypeVar("Told")


class _LostError(BaseException):
    """What was being made is no longer this worker's; a `BaseException`, that no job may swallow."""


class _StopError(BaseException):
    """The worker was asked to stop."""


def _nothing() -> None:
    pass


def worker_name() -> str:
    """Name a worker: its machine, its process, and a part that no other has.

    Examples
    --------
    >>> worker_name() != worker_name()
    True
    """
    return f"{socket.gethostname()}:{os.getpid()}:{new_identifier()[-8:]}"


def sweep(registry: Registry, folder: Path) -> None:
    """Remove from a folder the work of workers that are gone."""
    left = list(folder.glob(".travail-*")) if folder.is_dir() else []
    if not left:
        return
    # Listed before: a folder is made after its token is known to the registry.
    with registry.read() as connection:
        held = select(jobs.c.token).where(jobs.c.state == JobState.RUNNING).distinct()
        alive = set(connection.execute(held).scalars())
    for path in left:
        if path.name.removeprefix(".travail-") not in alive:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _for_request(request: str | None) -> Iterator[None]:
    """Name the request that is worked for, in the logs of this process and of the kernels that it starts."""
    before = os.environ.pop(REQUEST, None)
    if request:
        os.environ[REQUEST] = request
    try:
        yield
    finally:
        os.environ.pop(REQUEST, None)
        if before is not None:
            os.environ[REQUEST] = before


class Worker:
    """Takes jobs one after another.

    Parameters
    ----------
    registry
        Address of the registry; that of the settings when None.
    batch
        Only the jobs of this batch; else any that is shared.
    name
        Its name among workers.
    kernel, memory
        What executes notebooks, and the bytes it may use; see `workbench.reports.notebook.execute_notebook`.
    lease
        Seconds after which its jobs are given to others when it is silent.
    """

    def __init__(
        self,
        registry: str | Path | None = None,
        *,
        batch: str | None = None,
        name: str | None = None,
        kernel: str | None = None,
        memory: int = 0,
        lease: float = LEASE_SECONDS,
    ) -> None:
        self.registry = open_registry(registry, rooms=[ROOM])
        self.batch = batch
        self.name = name or worker_name()
        self.kernel = kernel
        self.memory = memory
        self.lease = lease
        self.stopping = False
        self._at_work = False
        self._lost = False
        self._end_of_hearing: Callable[[], None] = _nothing

    def run(self, *, until_idle: bool = False) -> int:
        """Work until asked to stop (SIGTERM, SIGINT), or until there is nothing left to do.

        Returns
        -------
        int
            How many jobs it concluded.
        """
        done = 0
        with self._signals():
            while not self.stopping:
                held = self._patiently(lambda: claim(self.registry, self.name, batch=self.batch, lease=self.lease))
                if held is not None:
                    done += self._make(held)
                elif until_idle:
                    break
                else:
                    self._rest(IDLE_SECONDS)
        return done

    def listen(self, broker: Broker) -> None:
        """Work on the jobs that a broker announces, until asked to stop (SIGTERM, SIGINT)."""
        self._end_of_hearing = broker.stop
        with self._signals():
            broker.consume(self.name, self._announced)

    def _announced(self, job: str) -> bool:
        """Make a job that was announced, if it is still to be made; False to let another worker hear of it."""
        if self.stopping:
            return False
        try:
            held = self._patiently(lambda: claim(self.registry, self.name, job=job, lease=self.lease))
            if held is not None:
                self._make(held)
        except _StopError:
            return False
        return True

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Hear signals while a block works, then close the registry."""
        previous = {number: signal.signal(number, self._asked_to_stop) for number in (signal.SIGTERM, signal.SIGINT)}
        previous[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, self._job_lost)
        try:
            yield
        except _StopError:
            pass
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
            self.registry.close()

    def _rest(self, seconds: float) -> None:
        self._at_work = True
        try:
            if not self.stopping:
                time.sleep(seconds)
        finally:
            self._at_work = False

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        self._end_of_hearing()
        if self._at_work:
            self._at_work = False
            raise _StopError

    def _was_asked_to_stop(self) -> bool:
        # A signal changes it at any moment, behind the back of whoever reads the attribute twice.
        return self.stopping

    def _job_lost(self, _number: int, _frame: FrameType | None) -> None:
        if self._at_work and self._lost:
            self._at_work = False
            raise _LostError

    def _patiently(self, ask: Callable[[], Told]) -> Told:
        """Ask the registry, again while it does not answer."""
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.2
        while True:
            try:
                return ask()
            except WorkbenchError as error:
                if error.code not in PASSING or time.monotonic() > deadline:
                    raise
                if self.stopping and error.code in PASSING and pause > 1:
                    raise
                log.warning("%s", error.message)
                time.sleep(pause)
                pause = min(pause * 1.5, 5.0)

    def _make(self, held: Claim) -> int:
        folder = held.jobs[0].folder
        work = folder / f".travail-{held.token}"
        done = 0
        try:
            with self._kept(held), _for_request(held.jobs[0].request):
                done = self._work(held, work)
        except _LostError:
            log.info("jobs lost or cancelled: %s", held.token)
        except _StopError:
            self._patiently(lambda: release(self.registry, held.token))
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
        # What was not concluded, after a loss of some of the jobs, is to be made again.
        self._patiently(lambda: release(self.registry, held.token))
        return done

    def _work(self, held: Claim, work: Path) -> int:
        from workbench.reports.jobs_run import run_jobs

        waiting: list[Outcome] = []
        told, done = time.monotonic(), 0
        for outcome in self._making(held, work, run_jobs):
            waiting.append(outcome)
            if time.monotonic() - told >= TOLD_SECONDS:
                done += self._tell(held, waiting)
                waiting, told = [], time.monotonic()
        if waiting:
            done += self._tell(held, waiting)
        return done

    def _making(self, held: Claim, work: Path, make: Callable[..., Iterator[Outcome]]) -> Iterator[Outcome]:
        try:
            work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            cause = f"Le dossier {work.parent} ne peut pas être écrit : {reason(error)}."
            yield from (Outcome(job.id, JobState.FAILED, cause=cause) for job in held.jobs)
            return
        made = make(held.jobs, work, self.kernel, self.memory)
        while True:
            self._at_work = True
            try:
                if self.stopping:
                    raise _StopError
                if self._lost:
                    raise _LostError
                outcome = next(made, None)
            finally:
                self._at_work = False
            if outcome is None:
                return
            if self._was_asked_to_stop() and outcome.state is JobState.FAILED:
                # The signal may have come inside a library, which took it for an error of its own: to be made again.
                raise _StopError
            yield outcome

    def _tell(self, held: Claim, outcomes: list[Outcome]) -> int:
        for each in outcomes:
            event(log, "job", job=each.job, state=str(each.state), seconds=each.seconds)
        try:
            return len(self._patiently(lambda: conclude(self.registry, held.token, outcomes)))
        except OSError as error:
            cause = f"Les fichiers n'ont pas pu être mis à leur place : {reason(error)}."
            failed = [Outcome(each.job, JobState.FAILED, cause=cause) for each in outcomes]
            return len(self._patiently(lambda: conclude(self.registry, held.token, failed)))

    @contextmanager
    def _kept(self, held: Claim) -> Iterator[None]:
        """Renew the lease while a block works; interrupt it when a job is no longer held."""
        over = threading.Event()
        self._lost = False
        main = threading.main_thread().ident

        def keep() -> None:
            while not over.wait(self.lease / 5):
                try:
                    still = renew(self.registry, held.token, lease=self.lease)
                except WorkbenchError as error:
                    log.warning("%s", error.message)
                    continue
                if not still and not over.is_set():
                    self._lost = True
                    # Again until it is heard: the main thread may be telling the registry just now.
                    while not over.wait(0.2):
                        with suppress(ProcessLookupError, ValueError):
                            signal.pthread_kill(main or 0, signal.SIGUSR1)
                    return

        keeper = threading.Thread(target=keep, name="workbench-lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()
            self._lost = False
