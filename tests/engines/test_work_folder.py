"""Folders of work in progress do not outlive it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.engines import work_folder

WORK = """
import sys, time
from pathlib import Path
from workbench.engines import work_folder
with work_folder(Path(sys.argv[1]), "w-") as folder:
    (folder / "large").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    time.sleep(60)
"""


def test_it_goes_with_its_block(tmp_path: Path) -> None:
    with work_folder(tmp_path, "w-") as first, work_folder(tmp_path, "w-") as second:
        assert first != second
        assert sorted(tmp_path.iterdir()) == sorted([first, second])
        (first / "file").touch()
        second.rename(tmp_path / "kept")
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_an_error_removes_it(tmp_path: Path) -> None:
    def fail() -> None:
        with work_folder(tmp_path, "w-"):
            raise RuntimeError("panne")

    with pytest.raises(RuntimeError, match="panne"):
        fail()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_a_dead_process_left_goes_next_time(tmp_path: Path, how: signal.Signals) -> None:
    (tmp_path / "w-file").write_text("not a folder", encoding="utf-8")
    (tmp_path / "w-link").symlink_to(tmp_path.parent)
    with subprocess.Popen(
        [sys.executable, "-c", WORK, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        with work_folder(tmp_path, "w-"):
            assert (left / "large").exists(), "someone is at work there"
        os.kill(process.pid, how)
        process.wait()
    assert left.exists() == (how == signal.SIGKILL)
    with work_folder(tmp_path, "w-"):
        assert not left.exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["w-file", "w-link"]
    assert tmp_path.parent.exists()
