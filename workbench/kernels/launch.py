"""Launch a plain kernel: ``python -m workbench.kernels.launch -f connection.json``.

It is what the kernel specification names, and what runs where nothing can be forked. Its limits, which a forked
kernel's zygote watches, are watched by a thread of its own.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time

from workbench.kernels.limits import TICK, Limits, Supervision
from workbench.logs import formatter

__all__ = ["LIMITS", "main", "settle"]

LIMITS = "WORKBENCH_KERNEL_LIMITS"
"""Variable that carries the limits of a plain kernel, as JSON."""


def settle(limits: Limits) -> None:
    """Do what every kernel does once its folder and its variables are there, before anything of a notebook runs.

    What goes wrong in the package is written to the server's log: everything else that a kernel prints goes to its
    reader.
    """
    from workbench.kernels.confinement import confine

    if limits.writable and not confine(limits.writable):
        logging.getLogger("workbench").warning("writing is not confined: this system cannot")
    # A copy of the descriptor, because the kernel turns its standard error into messages for the page.
    error = getattr(sys.stderr, "_original_stdstream_copy", 2)
    journal = logging.StreamHandler(os.fdopen(os.dup(error), "w", buffering=1))
    journal.setFormatter(formatter())
    logging.getLogger("workbench").addHandler(journal)


def _send(number: int) -> None:
    if number == signal.SIGKILL and os.getpgid(0) == os.getpid():
        os.killpg(0, number)  # and what it started
    os.kill(os.getpid(), number)


def main() -> None:
    """Run an IPython kernel until its client ends it."""
    from workbench.kernels.application import OPTIONS, KernelApplication

    limits = Limits.read(json.loads(os.environ.pop(LIMITS, "{}")))
    settle(limits)
    KernelApplication.limits = limits
    supervision = Supervision(os.getpid(), limits, _send)
    KernelApplication.notify = staticmethod(supervision.busy)

    def watch() -> None:
        while True:
            time.sleep(TICK)
            if supervision.needed:
                supervision.tick()

    if limits.memory or limits.seconds:
        threading.Thread(target=watch, name="workbench-limits", daemon=True).start()
    KernelApplication.launch_instance([*OPTIONS, *sys.argv[1:]])


if __name__ == "__main__":
    main()
