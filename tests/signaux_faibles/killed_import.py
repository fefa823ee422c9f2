"""Run as a program: imports a batch in processes that die at their first step, then at their second, until one ends.

Before each attempt, says on a line what the history holds.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from history_files import SIRET, batch_of, letters, say

from workbench.signaux_faibles.history import import_batch, open_history

FACTS = {"1901": {SIRET: "ab"}, "1902": {SIRET: "ac"}}


def attempt(root: Path, last: int) -> None:
    """Import the second batch, dying after so many steps."""
    steps = 0

    def dying(_done: int, _total: int, _step: str) -> None:
        nonlocal steps
        steps += 1
        if steps > last:
            sys.stdout.flush()
            os._exit(9)

    with open_history(root / "h.duckdb", read_only=False) as history:
        known = {batch: letters(history, batch) for batch in FACTS}
        sys.stdout.write(json.dumps({"known": known, "batches": [each.key for each in history.batches()]}) + "\n")
        batch = batch_of(root, "1902", {"apconso": FACTS["1902"]}, ["apconso"])
        import_batch(history, batch, root, no_filter=True, compacted=True, progress=dying)


def prepare(root: Path) -> None:
    """Import the first batch."""
    with open_history(root / "h.duckdb", read_only=False) as history:
        say(history, root, "1901", {"apconso": FACTS["1901"]})


def in_child(work: object, *arguments: object) -> int:
    """Do some work in a process of its own and return its exit code."""
    child = os.fork()
    if child == 0:
        work(*arguments)  # type: ignore[operator]
        sys.stdout.flush()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    assert in_child(prepare, folder) == 0
    number = 0
    while in_child(attempt, folder, number):
        number += 1
    # Once more: an import that has ended is imported again.
    assert in_child(attempt, folder, 1_000) == 0
    sys.stdout.write(f"{number}\n")
