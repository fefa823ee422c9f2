"""The end of an upload that arrived whole: hooks one after another, then its names outside the working area.

A hook that fails leaves the file in quarantine: in ``tusd/``, unreadable, with a ``.state`` that says why. `replay`
runs what is left. A stop in the middle leaves no ``.state``, or ``finishing``: `recover` takes both up.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from workbench.errors import WorkbenchError
from workbench.uploads.hooks import Arrival, Hook, HookError
from workbench.uploads.mail import Mail
from workbench.uploads.outcome import FINISHING, PUBLISHED, QUARANTINED, Outcome, now_text
from workbench.uploads.storage import Storage
from workbench.uploads.writer import Writer

__all__ = ["Finisher"]

_LOG = logging.getLogger(__name__)


class Finisher:
    """What is done with files that arrived whole.

    Parameters
    ----------
    storage
        Where they are.
    hooks
        What runs before they are visible, in this order.
    mail
        Who tells of a quarantine; None when nobody can.
    """

    def __init__(self, storage: Storage, hooks: Sequence[Hook] = (), mail: Mail | None = None) -> None:
        self.storage = storage
        self.hooks = tuple(hooks)
        self.mail = mail

    def finish(self, writer: Writer, *, again: bool = False) -> Outcome:
        """Run what is left for an upload that is held open; returns what became of it.

        Parameters
        ----------
        writer
            The upload, whole.
        again
            Take up a quarantine too.
        """
        info = writer.info
        before = self.storage.outcome(info.identifier)
        if before is not None and (before.state == PUBLISHED or (before.state == QUARANTINED and not again)):
            return before
        passed = before.passed if before is not None else ()
        # What is published must be what was verified: all bytes on the disk.
        writer.commit()
        arrival = Arrival(info, self.storage.data_path(info.identifier), self.storage.place(info))
        step = "depot"
        try:
            self.storage.check_place(info)
            for hook in self.hooks:
                step = hook.name
                if hook.once and hook.name in passed:
                    continue
                hook.run(arrival)
                if hook.once:
                    passed = (*passed, hook.name)
                    self._settle(writer, FINISHING, passed)
            step = "depot"
            self.storage.publish(info)
            return self._settle(writer, PUBLISHED, passed)
        except HookError as failure:
            return self._quarantine(writer, step, failure, passed)
        except WorkbenchError as error:
            return self._quarantine(writer, step, HookError(_inner(error), error.message), passed)
        except OSError as error:
            detail = f"{error.strerror} : {error.filename}"
            refusal = HookError("il n'a pas pu être placé dans son espace", detail)
            return self._quarantine(writer, step, refusal, passed)

    def _settle(self, writer: Writer, state: str, passed: tuple[str, ...]) -> Outcome:
        outcome = Outcome(state, now_text(), passed=passed)
        self.storage.settle(writer.info.identifier, outcome)
        return outcome

    def _quarantine(self, writer: Writer, step: str, failure: HookError, passed: tuple[str, ...]) -> Outcome:
        info = writer.info
        outcome = Outcome(QUARANTINED, now_text(), step, failure.reason, failure.detail, passed)
        self.storage.settle(info.identifier, outcome)
        _LOG.error("upload %s is in quarantine (%s): %s %s", info.identifier, step, failure.reason, failure.detail)
        if self.mail is not None:
            try:
                self.mail.tell_failure(info, failure.reason, failure.detail)
            except HookError as untold:
                _LOG.error("nobody could be told of upload %s: %s", info.identifier, untold.detail)
        return outcome

    def recover(self) -> list[Outcome]:
        """Finish what a stop interrupted: uploads that are whole and have no end."""
        return [outcome for each in self.storage.identifiers() if (outcome := self._recover(each)) is not None]

    def _recover(self, identifier: str) -> Outcome | None:
        try:
            outcome = self.storage.outcome(identifier)
            if outcome is not None and outcome.state != FINISHING:
                return None
            with self.storage.open(identifier) as writer:
                return self.finish(writer) if writer.complete else None
        except WorkbenchError as error:
            if error.code not in ("depot_occupe", "depot_inconnu"):
                _LOG.error("upload %s: %s", identifier, error.message)
            return None

    def replay(self, identifier: str) -> Outcome:
        """Run again what is left for an upload in quarantine, or stopped.

        Raises
        ------
        WorkbenchError
            ``depot_inconnu``, ``depot_occupe``, ``depot_illisible``; ``depot_demande`` when it has not arrived whole.
        """
        with self.storage.open(identifier) as writer:
            if not writer.complete:
                raise WorkbenchError("depot_demande", cause="il n'est pas arrivé en entier")
            return self.finish(writer, again=True)

    def quarantined(self) -> list[str]:
        """Return the uploads in quarantine."""
        found = []
        for identifier in self.storage.identifiers():
            outcome = self.storage.outcome(identifier)
            if outcome is not None and outcome.state == QUARANTINED:
                found.append(identifier)
        return found


def _inner(error: WorkbenchError) -> str:
    return str(error.details.get("cause", "son espace n'est pas utilisable"))
