"""The life of a kernel after the fork.

What a process keeps of its parent is put right first: files, session, signals, random numbers, time zone, variables.
A kernel made in advance stops before it reads anything of its user's and waits; another is wanted already and knows
by which connection file. Both end through `os._exit`: the stack below belongs to the zygote.
"""

from __future__ import annotations

import atexit
import contextlib
import locale
import logging
import os
import random
import select
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from workbench.kernels.limits import GRACE, Limits
from workbench.kernels.wire import Reader, send

__all__ = ["run"]

LIKELIER_VICTIM = "300"
"""What is added to a kernel's score when the system is short of memory: it ends before the server does."""


def run(pipe: socket.socket, folder: Path, ready: Mapping[str, Any] | None) -> NoReturn:
    """Become a kernel; never returns.

    Parameters
    ----------
    pipe
        To the zygote, which says what is wanted and learns of executions.
    folder
        Where a kernel made in advance has its sockets.
    ready
        Options of a kernel made in advance; None when it is wanted already.
    """
    status = 1
    try:
        _settle()
        status = _Life(pipe, folder).live(ready)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - nothing may go up into the zygote
        with contextlib.suppress(Exception):
            traceback.print_exc()
    finally:
        _leave(status)


def _settle() -> None:
    """Put right what a fork keeps of its parent."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1, signal.SIGUSR2, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(LIKELIER_VICTIM)


def _leave(status: int) -> NoReturn:
    """End as an interpreter does, without unwinding the zygote's stack."""
    try:
        threading._shutdown()  # type: ignore[attr-defined] # joins the threads of the notebook
        atexit._run_exitfuncs()
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


class _Life:
    """One kernel, from the fork to its end."""

    def __init__(self, pipe: socket.socket, folder: Path) -> None:
        self.pipe = pipe
        self.folder = folder
        self.reader = Reader(pipe)
        self.client: int | None = None

    def live(self, ready: Mapping[str, Any] | None) -> int:
        from workbench.kernels.application import OPTIONS, KernelApplication
        from workbench.kernels.zygote import call_process

        application = KernelApplication.instance(parent_handle=1)  # watched here, not by its parent's number
        KernelApplication.notify = staticmethod(self._notify)
        call_process("noyau" if ready is None else "noyau-pret")
        if ready is None:
            wanted = self._wanted()
            application.limits = self._take(wanted)
            application.initialize([*OPTIONS, "-f", wanted["connection_file"], *wanted["options"]])  # type: ignore[no-untyped-call]
        else:
            own = self.folder / ready["name"]
            application.ip = str(own)
            application.transport = "ipc"
            application.session.key = os.urandom(32).hex().encode()

            def wait() -> None:
                # The file of this kernel is the client's, from now on.
                atexit.unregister(application.cleanup_connection_file)
                own.with_suffix(".json").unlink(missing_ok=True)
                send(self.pipe, {"ready": _connection(application)})
                wanted = self._wanted()
                application.connection_file = wanted["connection_file"]
                application.limits = self._take(wanted)
                call_process("noyau")

            application.taken_over = wait
            application.initialize([*OPTIONS, "-f", str(own.with_suffix(".json")), *ready["options"]])  # type: ignore[no-untyped-call]
        _introduce(application.shell)
        threading.Thread(target=self._outlive, name="workbench-client", daemon=True).start()
        application.start()  # type: ignore[no-untyped-call]
        return 0

    def _wanted(self) -> dict[str, Any]:
        """Wait for what is asked; without a zygote nobody will ask."""
        while not self.reader.ended:
            for message, files in self.reader.read():
                self.client, *streams = files
                self._redirect(streams)
                return message
        raise SystemExit(0)

    def _redirect(self, streams: list[int]) -> None:
        """Send what goes below Python to the standard output and error of the one who asks."""
        for number, (stream, taken) in enumerate(zip((sys.stdout, sys.stderr), streams, strict=True), start=1):
            # Once the kernel has its own streams, the descriptor that stood here is a copy.
            kept: int = getattr(stream, "_original_stdstream_copy", number)
            os.dup2(taken, kept, inheritable=kept <= 2)
            os.close(taken)

    def _take(self, wanted: Mapping[str, Any]) -> Limits:
        """Take the folder, the variables and the limits of the one who asks."""
        from workbench.kernels.application import KernelApplication
        from workbench.kernels.launch import settle

        os.environ.clear()
        os.environ.update(wanted["environment"])
        os.umask(wanted["umask"])
        tempfile.tempdir = None  # its folder is read from the variables, once
        time.tzset()
        with contextlib.suppress(locale.Error):
            locale.setlocale(locale.LC_CTYPE, "")
        os.sched_setaffinity(0, wanted["processors"])
        with contextlib.suppress(OSError):
            os.chdir(wanted["folder"])
        for entry in reversed(os.environ.get("PYTHONPATH", "").split(os.pathsep)):
            if entry and entry not in sys.path:
                sys.path.insert(0, entry)
        KernelApplication.news = wanted["news"]
        limits = Limits.read(wanted["limits"])
        settle(limits)
        return limits

    def _notify(self, is_busy: bool) -> None:
        with contextlib.suppress(OSError):
            send(self.pipe, {"busy": is_busy})

    def _outlive(self) -> None:
        """End when the one who asked is gone, even if the zygote, which would see to it, is gone too."""
        poll = select.poll()
        poll.register(self.client or 0, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        poll.poll()
        logging.getLogger("workbench").info("the client is gone")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os.killpg(0, signal.SIGKILL)


def _introduce(shell: Any) -> None:
    """Tell the libraries that looked for a kernel when they were imported, and found none, that there is one now."""
    widgets, figures = sys.modules.get("ipywidgets"), sys.modules.get("plotly.io")
    if widgets is not None:
        widgets.load_ipython_extension(shell)
    if figures is not None:
        with contextlib.suppress(ValueError):  # an unknown name, which plotly would refuse when imported
            figures.renderers.default = os.environ.get("PLOTLY_RENDERER") or "plotly_mimetype"


def _connection(application: Any) -> dict[str, Any]:
    names: Callable[[str], str] = "{}_port".format
    ports = {names(each): getattr(application, names(each)) for each in ("shell", "iopub", "stdin", "hb", "control")}
    return {
        **ports,
        "ip": application.ip,
        "transport": application.transport,
        "key": application.session.key.decode(),
        "signature_scheme": application.session.signature_scheme,
        "kernel_name": "workbench",
    }
