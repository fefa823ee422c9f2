"""Writers and readers at once, and writers killed in the middle: each read sees whole publications."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest_store import agent
from publisher import SIZE

from workbench.errors import WorkbenchError
from workbench.store import Store, open_store

READER = agent("x")


def seen(store: Store) -> list[dict[str, Any]]:
    try:
        return [each["value"] for each in store.get(READER, "public")]
    except WorkbenchError as error:
        if error.code != "sans_donnees":
            raise
        return []


def last_whole(found: list[dict[str, Any]], name: str) -> int:
    """Return the last array of a writer that is seen, and check that all of it is."""
    turns = {value.get(name, -1) for value in found}
    assert len(turns) <= 1, f"{name}: {sorted(turns)}"
    assert len(found) in (0, SIZE)
    return next(iter(turns), -1)


def acknowledged(process: subprocess.Popen[str]) -> int:
    # Not `communicate`, which forgets what was read ahead with the first line.
    assert process.stdout is not None
    with process.stdout as stream:
        output = stream.read()
    process.wait(60)
    return max((int(line) for line in output.splitlines() if line.isdigit()), default=-1)


@pytest.mark.usefixtures("store")
def test_killed_writers_and_readers_at_once(address: str, project: Path) -> None:
    command = [sys.executable, str(project / "tests" / "store" / "publisher.py"), address]
    writers = {
        name: subprocess.Popen(
            [*command, name], stdout=subprocess.PIPE, text=True, cwd=project, env={"PYTHONPATH": str(project)}
        )
        for name in ("a", "b")
    }
    for process in writers.values():
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    before = {"a": -1, "b": -1}
    with open_store(address) as reader:
        deadline = time.monotonic() + 120
        while max(before.values()) < 3 and time.monotonic() < deadline:
            found = seen(reader)
            for name, last in before.items():
                before[name] = last_whole(found, name)
                assert before[name] >= last
        for process in writers.values():
            process.kill()
        told = {name: acknowledged(process) for name, process in writers.items()}
        assert max(told.values()) > 0
        after = seen(reader)
        for name, last in told.items():
            # An array may be kept whose acknowledgement was cut; none that was acknowledged is lost.
            assert last_whole(after, name) in (last, last + 1)
        assert {tuple(value["last"])[1] for value in after} <= {turn + n for turn in told.values() for n in (0, 1)}


@pytest.mark.parametrize("refused", [{"key": {"a": 1}, "value": {}}, {"key": {}}], ids=["key", "value"])
def test_a_stream_that_goes_wrong_leaves_nothing(store: Store, refused: dict[str, Any]) -> None:
    def stream() -> Any:
        for n in range(2100):
            yield {"key": {"n": str(n)}, "value": {"n": n}}
        yield refused

    with pytest.raises(WorkbenchError, match=r"\[2100\]"):
        store.put(agent(), "public", stream())
    assert seen(store) == []
