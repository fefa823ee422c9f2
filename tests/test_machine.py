"""What a server frees goes back to the machine."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading

import pytest

from workbench.machine import memory_given_back

HOLES = """
import time
from workbench.machine import memory_given_back

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 // 2**20

with memory_given_back(0.2):
    before = resident()
    pieces = [bytes(2000) for _ in range(60_000)]
    kept = pieces[::50]
    held = resident()
    del pieces
    end = time.monotonic() + 20
    while resident() > before + (held - before) // 3 and time.monotonic() < end:
        time.sleep(0.05)
    print(before, held, resident())
"""


def test_memory_between_two_things_that_live_is_given_back() -> None:
    if not hasattr(ctypes.CDLL(None), "malloc_trim"):
        pytest.skip("the C library is not that of GNU: its memory is its own matter")
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, timeout=60, check=True)
    before, held, after = map(int, done.stdout.split())
    assert held - before > 100
    assert after - before < (held - before) / 2


def test_it_ends_with_what_it_serves() -> None:
    with memory_given_back():
        assert any(each.name == "workbench-memory" for each in threading.enumerate())
    assert not any(each.name == "workbench-memory" for each in threading.enumerate())
