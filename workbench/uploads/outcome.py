"""What became of an upload that arrived whole: a small file beside its ``.info``, in the working area only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from workbench.errors import WorkbenchError

__all__ = ["PUBLISHED", "QUARANTINED", "Outcome", "now_text"]

PUBLISHED = "published"
QUARANTINED = "quarantined"
FINISHING = "finishing"


@dataclass(frozen=True)
class Outcome:
    """How far an upload that arrived whole has come.

    Parameters
    ----------
    state
        ``finishing``, ``quarantined`` or ``published``.
    at
        When, in UTC, ISO 8601.
    hook
        The hook that failed; empty when none did.
    reason
        Why, in French, for the uploader.
    detail
        What the operator must know beside.
    passed
        The hooks that need not run again.
    """

    state: str
    at: str
    hook: str = ""
    reason: str = ""
    detail: str = ""
    passed: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Write the content of ``.state``."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, identifier: str, text: str) -> Outcome:
        """Read the content of ``.state``.

        Raises
        ------
        WorkbenchError
            ``depot_illisible``.
        """
        try:
            content = json.loads(text)
            return cls(**{**content, "passed": tuple(content["passed"])})
        except (ValueError, TypeError, KeyError) as error:
            raise WorkbenchError("depot_illisible", envoi=identifier, cause="son .state") from error


def now_text() -> str:
    """Return this moment as files have it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
