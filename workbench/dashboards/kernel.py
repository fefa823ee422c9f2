"""Launch the kernel of a dashboard: ``python -m workbench.dashboards.kernel -f connection.json``.

A dashboard's kernel answers one visitor through its widgets and keeps no history. What goes wrong in it is
written to the server's log: everything else that a kernel prints goes to the page.
"""

from __future__ import annotations

import logging
import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run an IPython kernel until its server ends it."""
    # A copy of the descriptor, because the kernel turns its standard error into messages for the page.
    journal = logging.StreamHandler(os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1))
    journal.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger("workbench").addHandler(journal)

    # jsonschema compiles 38 grammars of it at import when it is there, for a check that no kernel makes.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance(["--HistoryManager.enabled=False", "--log-level=ERROR", *sys.argv[1:]])


if __name__ == "__main__":
    main()
