"""What an examination says: one finding a fact, its state, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from workbench.errors import WorkbenchError

__all__ = ["Check", "Finding", "State", "doubt", "fine", "refused", "unconcerned", "wrong"]


class State(StrEnum):
    """What is thought of a fact."""

    FINE = "bon"
    UNCONCERNED = "sans objet"
    DOUBT = "à voir"
    WRONG = "à corriger"


@dataclass(frozen=True)
class Finding:
    """One fact.

    Parameters
    ----------
    subject
        What was looked at, in French.
    state
        What is thought of it.
    said
        The fact, in French.
    advice
        What to do; empty when there is nothing to do.
    """

    subject: str
    state: State
    said: str
    advice: str = ""


Check = Callable[[], Iterable[Finding]]
"""Looks at one thing. A `WorkbenchError` that it raises becomes a finding."""


def fine(subject: str, said: str) -> Finding:
    """Return a good finding."""
    return Finding(subject, State.FINE, said)


def unconcerned(subject: str, said: str) -> Finding:
    """Return a finding about what this installation does not have."""
    return Finding(subject, State.UNCONCERNED, said)


def doubt(subject: str, said: str, advice: str) -> Finding:
    """Return a finding that someone should look at."""
    return Finding(subject, State.DOUBT, said, advice)


def wrong(subject: str, said: str, advice: str) -> Finding:
    """Return a finding to be put right."""
    return Finding(subject, State.WRONG, said, advice)


def refused(subject: str, error: WorkbenchError) -> Finding:
    """Return what an error says, as a finding to be put right."""
    return wrong(subject, error.message, error.hint)
