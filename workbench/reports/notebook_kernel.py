"""The kernel of a report: ours where there is one, and waited for no longer than it takes.

Imported when a notebook is executed, because it needs Jupyter.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from platformdirs import user_cache_path

from workbench.kernels.environment import KEPT
from workbench.kernels.limits import MEMORY_SHARE, machine_memory
from workbench.kernels.prompt import PromptClient
from workbench.kernels.provisioner import Provisioned

__all__ = ["chosen_kernel", "kernel_manager"]

MOST_PRINTED = 10_000_000
"""Bytes that a cell of a report may print: nobody reads more, and every reader of the file would carry them."""

POLL_SECONDS = 0.01
"""Between two looks at a kernel that ends: Jupyter's tenth of a second is one of a report's few."""


def chosen_kernel(name: str | None) -> tuple[Any, tuple[str, ...]]:
    """Return how to have a kernel (a rule for ours, a specification for another), and what to say of it."""
    rules = {None: "running", "workbench": "always", "python3": "never"}
    if name is None or name in rules:
        return rules[name], ()
    try:
        return KernelSpecManager().get_kernel_spec(name), ()
    except NoSuchKernel:
        said = f"Le noyau « {name} » n'est pas installé sur cette machine : un noyau Python ordinaire l'a remplacé."
        return "running", (said,)


def kernel_manager(
    chosen: Any,
    folder: Path,
    sockets: Path,
    environment: Mapping[str, str],
    memory: int,
    known: Sequence[tuple[str, str, str]],
) -> type[Any]:
    """Return a manager whose kernel has this package, no profile of the user's, and writes in its folder only."""
    package = Path(__file__).resolve().parents[1]
    (sockets / "tmp").mkdir()
    variables = {
        "PYTHONPATH": str(package.parent),
        "IPYTHONDIR": str(folder / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TMPDIR": str(sockets / "tmp"),
        **environment,
    }
    # Caches of the package and of its compiled loops stay writable: they are made again from what is read.
    caches = (user_cache_path("workbench"), package / "evaluation" / "__pycache__")
    for cache in caches:
        with suppress(OSError):
            cache.mkdir(parents=True, exist_ok=True)

    class Installed:
        @property
        def kernel_spec(self) -> Any:
            return chosen

    own: Any = Provisioned if isinstance(chosen, str) else Installed

    class ReportKernelManager(own, AsyncKernelManager):  # type: ignore[misc]
        cause = ""
        provisioner_settings: ClassVar[Mapping[str, Any]] = {
            "zygote": chosen,
            "ready": 0,
            "options": ["--HistoryManager.enabled=False"],
            "memory": memory or int(MEMORY_SHARE * machine_memory()),
            "output": MOST_PRINTED,
            "writable": [str(each) for each in (folder, sockets, *caches)],
            "kept": [*KEPT, *variables],
            "known": list(known),
        }
        client_factory = PromptClient

        def __init__(self, **options: Any) -> None:
            if os.name != "nt":
                # Sockets in a folder of ours alone: nobody else on the machine can listen or connect.
                options.update(transport="ipc", connection_file=str(sockets / "noyau.json"))
            super().__init__(**options)

        async def _async_finish_shutdown(
            self, waittime: float | None = None, pollinterval: float = POLL_SECONDS, restart: bool = False
        ) -> None:
            await super()._async_finish_shutdown(waittime, pollinterval, restart)

        finish_shutdown = _async_finish_shutdown

        async def _async_start_kernel(self, **options: Any) -> None:
            await super()._async_start_kernel(**{**options, "env": {**options.get("env", os.environ), **variables}})

        start_kernel = _async_start_kernel

        async def _async_is_alive(self) -> bool:
            alive = bool(await super()._async_is_alive())
            type(self).cause = getattr(self.provisioner, "last_cause", "")
            return alive

        is_alive = _async_is_alive

    return ReportKernelManager
