"""Notebooks that go too far are bounded, told in French, and the others do not notice; forked and plain alike."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.kernels.client import is_possible
from workbench.kernels.confinement import is_confinable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measured in /proc")

MEGABYTE = 1 << 20


@pytest.fixture(params=["forked", "plain"])
def bounded(request: pytest.FixtureRequest, new_kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A function that starts a kernel with limits, in the two ways there are."""
    forked = request.param == "forked"
    if forked and not is_possible():
        pytest.skip("kernels are forked on Linux only")

    def new(*arguments: Any, **settings: Any) -> Any:
        kernel = new_kernel(*arguments, zygote="always" if forked else "never", **settings)
        assert kernel.is_forked == forked
        return kernel

    return new


def test_a_cell_without_end_becomes_an_error(bounded: Callable[..., Any]) -> None:
    kernel = bounded(seconds=0.5)
    _, reply = kernel.run("kept = 1\nwhile True: pass")
    assert reply["ename"] == "KernelLimitError"
    assert reply["evalue"].startswith("Cette cellule n'a pas fini dans les 0,5 secondes")
    assert "boucle" in reply["evalue"]
    assert len(reply["traceback"]) == 2  # the sentence and the hint, no line of the cell
    printed, reply = kernel.run("import asyncio\nawait asyncio.sleep(20)")
    assert reply["status"] == "error"
    assert "Cette cellule n'a pas fini" in printed
    assert kernel.value("kept") == 1


def test_a_cell_that_does_not_listen_is_ended_with_its_kernel(bounded: Callable[..., Any]) -> None:
    kernel = bounded(seconds=0.3)
    kernel.client.execute("import time\nwhile True:\n    try: time.sleep(0.01)\n    except BaseException: pass")
    assert kernel.ended()
    if kernel.is_forked:
        assert kernel.provisioner.last_cause == "temps"
        kernel.manager.restart_kernel(now=True)
        kernel.client.wait_for_ready(timeout=30)
        assert "Le noyau précédent a été arrêté" in kernel.run("1")[0]
        assert "précédent" not in kernel.run("1")[0]


@pytest.mark.flaky(reruns=2)  # how much memory comes between two measures is the machine's
def test_memory_that_grows_becomes_an_error_and_is_freed(bounded: Callable[..., Any]) -> None:
    kernel = bounded(memory=400 * MEGABYTE)
    slowly = "import time\nheap = []\nwhile True:\n    heap.append(b'x' * 8_000_000)\n    time.sleep(0.12)"
    _, reply = kernel.run(f"def grow():\n    {slowly.replace(chr(10), chr(10) + '    ')}\ngrow()")
    assert reply["ename"] == "KernelLimitError"
    assert "400\N{NO-BREAK SPACE}Mo" in reply["evalue"]
    assert kernel.value("1 + 1") == 2


def test_a_kernel_at_rest_has_the_time_to_give_its_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.kernels import limits

    sent: list[int] = []
    held = limits.Supervision(os.getpid(), limits.Limits(memory=100 * MEGABYTE), sent.append)
    monkeypatch.setattr(held, "_resident", lambda: 120 * MEGABYTE)
    monkeypatch.setattr(held, "_proportional", lambda: 120 * MEGABYTE)
    held.busy(True)
    held.tick()
    assert sent == [limits.SIGNALS[limits.MEMORY]]
    held.busy(False)
    held.tick()
    assert sent[1:] == []
    monkeypatch.setattr(limits, "GRACE", -1.0)
    held.tick()
    assert (sent[1:], held.cause) == ([signal.SIGKILL], limits.MEMORY)


def test_memory_taken_at_once_ends_the_kernel_and_leaves_the_others(bounded: Callable[..., Any]) -> None:
    other = bounded(memory=300 * MEGABYTE)
    kernel = bounded(memory=300 * MEGABYTE)
    kernel.client.execute("import numpy, time\nheap = numpy.ones(90_000_000)\ntime.sleep(30)")
    assert kernel.ended()
    if kernel.is_forked:
        assert kernel.provisioner.last_cause == "memoire"
    assert other.value("1 + 1") == 2


def test_the_programs_that_a_kernel_starts_count(bounded: Callable[..., Any]) -> None:
    kernel = bounded(memory=300 * MEGABYTE)
    program = "import time\nheap = []\nwhile True: heap.append(b'x' * 8_000_000), time.sleep(0.12)"
    _, reply = kernel.run(f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {program!r}])")
    assert reply["ename"] == "KernelLimitError"
    assert kernel.value("1 + 1") == 2


def test_a_hundred_megabytes_printed_are_cut(bounded: Callable[..., Any]) -> None:
    kernel = bounded(output=100_000)
    printed, reply = kernel.run("for _ in range(100):\n    print('x' * 1_000_000)", timeout=60)
    assert reply["status"] == "ok"
    assert len(printed) < 101_000
    assert "… Sortie coupée : cette cellule a écrit plus de 97,7\N{NO-BREAK SPACE}ko." in printed
    assert kernel.run("print('suite')")[0] == "suite\n"  # each execution has its share


@pytest.mark.skipif(not is_confinable(), reason="this system has no Landlock")
def test_writing_outside_its_folders_is_refused(bounded: Callable[..., Any], tmp_path: Path) -> None:
    inside, outside = tmp_path / "dedans", tmp_path / "dehors"
    inside.mkdir()
    outside.mkdir()
    (outside / "sien").write_text("gardé")
    kernel = bounded(
        inside, {"IPYTHONDIR": str(inside)}, writable=[str(inside)], options=["--HistoryManager.enabled=False"]
    )
    assert kernel.run("open('essai', 'w').write('oui')")[1]["status"] == "ok"
    assert kernel.value(f"open({str(outside / 'sien')!r}).read()") == "gardé"
    for attempt in (
        f"open({str(outside / 'autre')!r}, 'w')",
        f"open({str(outside / 'sien')!r}, 'a')",
        f"__import__('os').remove({str(outside / 'sien')!r})",
        f"__import__('os').rename('essai', {str(outside / 'essai')!r})",
        f"__import__('subprocess').run(['touch', {str(outside / 'autre')!r}], check=True)",
        f"__import__('threading').Thread(target=open, args=({str(outside / 'autre')!r}, 'w')).start()",
    ):
        kernel.run(attempt)
        assert [each.name for each in outside.iterdir()] == ["sien"], attempt
    assert (outside / "sien").read_text() == "gardé"


def test_nothing_is_confined_that_was_not_asked(bounded: Callable[..., Any], tmp_path: Path) -> None:
    kernel = bounded(tmp_path)
    assert kernel.run(f"open({os.fspath(tmp_path / 'libre')!r}, 'w').close()")[1]["status"] == "ok"
