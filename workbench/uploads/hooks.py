"""What runs when a file arrived whole, before anything of it is visible: one interface, and the refusal it raises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from workbench.uploads.info import Info

__all__ = ["Arrival", "Hook", "HookError"]


@dataclass(frozen=True)
class Arrival:
    """A file that arrived whole.

    Parameters
    ----------
    info
        What is known of it; its size is told.
    data
        Where its bytes are, in the working area.
    place
        Where they will be.
    """

    info: Info
    data: Path
    place: Path


class HookError(Exception):
    """A hook says no, or cannot say.

    Parameters
    ----------
    reason
        French, for the uploader: nothing of the machine.
    detail
        For the operator.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason, detail)


class Hook(Protocol):
    """One step. It may run twice for one file: when a stop came before its end was written."""

    name: str
    once: bool
    """A hook that passed is not run again by a replay."""

    def run(self, arrival: Arrival) -> None:
        """Do the step, or raise `HookError`."""
