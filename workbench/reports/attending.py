"""What goes with the workers of a machine: the dead replaced, jobs announced, batches concluded, schedules begun."""

from __future__ import annotations

import logging
from collections.abc import Callable

from workbench.errors import WorkbenchError
from workbench.registry import Registry
from workbench.reports.batch import conclude_shared
from workbench.reports.jobs_announce import Announcer, configured_broker, place_remark
from workbench.reports.jobs_pool import Pool
from workbench.reports.jobs_worker import PASSING
from workbench.reports.schedules import run_due

__all__ = ["Attendant"]

log = logging.getLogger(__name__)


class Attendant:
    """Looks after a pool that works for everyone, about once a second.

    Parameters
    ----------
    registry
        Opened with the rooms of jobs and of schedules.
    tell
        Called with the sentences that whoever started the workers should read.

    Raises
    ------
    WorkbenchError
        ``courtier_adresse``, ``courtier_injoignable``, ``courtier_refuse``, ``extra_absent``.
    """

    def __init__(self, registry: Registry, tell: Callable[[str], None]) -> None:
        broker = configured_broker()
        self._registry = registry
        self._announcer = None if broker is None else Announcer(registry, broker, tell)
        self.place = registry.place if broker is None else f"{registry.place}, messages {broker.place}"
        """Where jobs are kept and heard of, without a password."""
        remark = place_remark(registry)
        if remark:
            tell(remark)
        if self._announcer is not None:
            self._announcer.check()

    def look(self, running: Pool) -> None:
        """Do what is to be done now; what passes, as a registry that restarts, is only logged.

        Raises
        ------
        WorkbenchError
            ``travailleurs_arretes``, and what does not pass by itself.
        """
        running.mend()
        try:
            if self._announcer is not None:
                self._announcer.look()
            conclude_shared(self._registry)
            run_due(self._registry)
        except WorkbenchError as error:
            if error.code not in PASSING:
                raise
            log.warning("%s", error.message)
