"""Compiled loops are kept where this account may write, and work where it may write nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench.evaluation.kept_loops import keep_loops
from workbench.kernels.confinement import is_confinable

CONFINED = """
import sys
from pathlib import Path
from workbench.kernels.confinement import confine
assert confine(sys.argv[1:])
import numba
import numpy as np
from workbench.evaluation.spread import _count
counts = np.zeros(1 << 17, dtype=np.int64)
_count(np.array([0, 5], dtype=np.int64), np.array([True, False]), counts)
print(counts.sum(), numba.config.CACHE_DIR)
"""


def test_beside_their_source_when_it_can_be(tmp_path: Path) -> None:
    compiler = SimpleNamespace(CACHE_DIR="")
    assert keep_loops(compiler, tmp_path)
    assert compiler.CACHE_DIR == ""


def test_in_the_cache_of_the_account_when_the_product_is_another_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiler = SimpleNamespace(CACHE_DIR="")
    assert keep_loops(compiler, Path("/proc/root-s"))
    assert str(tmp_path / "workbench" / "boucles") == compiler.CACHE_DIR


def test_nowhere_is_said_and_what_was_asked_for_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nobody-s")
    assert not keep_loops(SimpleNamespace(CACHE_DIR=""), Path("/proc/root-s"))
    asked = SimpleNamespace(CACHE_DIR=str(tmp_path / "asked"))
    assert keep_loops(asked, tmp_path)
    assert str(tmp_path / "asked") == asked.CACHE_DIR


@pytest.mark.parametrize("own", [True, False])
def test_a_confined_kernel_of_an_installed_product_has_its_loops(tmp_path: Path, project: Path, own: bool) -> None:
    if not is_confinable():
        pytest.skip("Landlock absent: this system confines nothing")
    cache, other = tmp_path / "workbench", tmp_path / "other"
    cache.mkdir()
    other.mkdir()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    variables |= {"PYTHONPATH": str(project), "XDG_CACHE_HOME": str(tmp_path), "TMPDIR": str(other)}
    answer = subprocess.run(
        [sys.executable, "-c", CONFINED, str(cache if own else other)],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split(" ", 1) == ["1", f"{cache / 'boucles' if own else ''}\n"]
