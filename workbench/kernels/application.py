"""The kernel itself, the same whether it is forked or launched: IPython's, which keeps within its limits.

Three things are added: what an execution prints is counted and cut; whoever watches is told when an execution starts
and ends; a limit that is reached becomes an error of the cell, in French.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from workbench.errors import WorkbenchError
from workbench.kernels.limits import MEMORY, SIGNALS, TIME, Limits

# jsonschema compiles 38 grammars of it at import when it is there, for a check that no kernel makes.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from ipykernel.iostream import OutStream  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402

__all__ = ["OPTIONS", "BoundedStream", "KernelApplication", "KernelLimitError", "size_text"]

OPTIONS = ("--log-level=ERROR",)
"""Of every kernel: what it logs is read by an operator."""


class KernelLimitError(WorkbenchError):
    """A cell went beyond what its kernel may use; shown as its sentence, because no line of the cell is at fault."""

    def _render_traceback_(self) -> list[str]:
        return [f"\x1b[31m{self.message}\x1b[0m", self.hint]


def size_text(size: float) -> str:
    """Write a number of bytes as a French reader expects.

    Examples
    --------
    >>> size_text(1.5 * 2**30).split()
    ['1,5', 'Go']
    """
    power = next((each for each in range(3) if size < 1024 ** (each + 1)), 3)
    number = f"{size / 1024**power:.1f}".replace(".0", "").replace(".", ",")
    return f"{number}\N{NO-BREAK SPACE}{('octets', 'ko', 'Mo', 'Go')[power]}"


class BoundedStream(OutStream):
    """What a cell prints, up to a number of bytes an execution, for the two streams together."""

    most = 0
    _printed = 0
    _lock = threading.Lock()

    @classmethod
    def begin(cls, most: int) -> None:
        """Start counting an execution."""
        BoundedStream.most = most
        BoundedStream._printed = 0

    def write(self, string: str) -> int | None:  # type: ignore[override] # as in ipykernel
        """Publish a text, or drop it once the execution has printed its share."""
        if not self.most or not isinstance(string, str):
            return super().write(string)
        with self._lock:
            before = BoundedStream._printed
            BoundedStream._printed = before + len(string)
        if before + len(string) <= self.most:
            return super().write(string)
        if before <= self.most:
            cut = f"\n… Sortie coupée : cette cellule a écrit plus de {size_text(self.most)}. Le reste est perdu.\n"
            super().write(string[: self.most - before] + cut)
        return len(string)


class KernelApplication(IPKernelApp):
    """An IPython kernel within limits.

    ``limits`` are what it may use, ``notify`` is told True when an execution starts and False when it ends, ``news``
    is a sentence shown by the first execution, ``taken_over`` is called before the kernel listens to anybody.
    """

    name = "workbench-kernel"
    limits = Limits()
    notify: Callable[[bool], None] = staticmethod(lambda _: None)
    news = ""
    taken_over: Callable[[], None] = staticmethod(lambda: None)

    _running = False
    _reached = ""

    def init_io(self) -> None:
        """Count what is printed."""
        self.outstream_class = "workbench.kernels.application.BoundedStream"
        super().init_io()  # type: ignore[no-untyped-call]

    def init_path(self) -> None:
        """Wait to be wanted: what follows reads the folder and the variables of the one who asks."""
        self.taken_over()
        super().init_path()  # type: ignore[no-untyped-call]

    def init_shell(self) -> None:
        """Follow the executions."""
        super().init_shell()  # type: ignore[no-untyped-call]
        if self.shell is not None:
            self.shell.events.register("pre_run_cell", self._starts)
            self.shell.events.register("post_run_cell", self._ends)
        for cause, number in SIGNALS.items():
            if number is not None:
                signal.signal(number, lambda *_, cause=cause: self._exceeds(cause))

    def _starts(self, *_: Any) -> None:
        BoundedStream.begin(self.limits.output)
        self._running, self._reached = True, ""
        self.notify(True)
        if self.news:
            print(self.news, file=sys.stderr)  # noqa: T201
            KernelApplication.news = ""

    def _ends(self, *_: Any) -> None:
        self._running = False
        self.notify(False)
        if self._reached:  # a coroutine was cancelled: IPython says how, not why
            print(self._error(self._reached).message, file=sys.stderr)  # noqa: T201
            self._reached = ""

    def _exceeds(self, cause: str) -> None:
        """Raise in the cell that runs, wherever it is."""
        if not self._running:
            return
        try:
            waits = asyncio.current_task() is None
        except RuntimeError:
            waits = False
        if waits:  # the event loop sleeps for the cell: an exception here would end the loop
            self._reached = cause
            os.kill(os.getpid(), signal.SIGINT)
            asyncio.get_running_loop().call_soon_threadsafe(lambda: None)  # IPython's cancellation does not wake it
            return
        raise self._error(cause)

    def _error(self, cause: str) -> KernelLimitError:
        if cause == MEMORY:
            return KernelLimitError("noyau_memoire", limite=size_text(self.limits.memory))
        assert cause == TIME  # noqa: S101
        return KernelLimitError("noyau_temps", secondes=f"{self.limits.seconds:g}".replace(".", ","))
