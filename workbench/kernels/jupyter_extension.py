"""What a Jupyter server does of kernels when it starts: it has the first one prepared, so that nobody waits for it.

Installed as ``etc/jupyter/jupyter_server_config.d/workbench-kernels.json``; switched off as any other extension,
``jupyter server extension disable workbench.kernels.jupyter_extension``.
"""

from __future__ import annotations

import os
from typing import Any

from workbench.kernels.client import reserve
from workbench.kernels.environment import kernel_environment
from workbench.kernels.provisioner import specification
from workbench.kernels.runtime import address_of, with_package
from workbench.kernels.wire import Reader

__all__: list[str] = []

_reservation: Reader | None = None


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Prepare kernels as long as the server lives; where none can be, kernels are plain and nothing is said yet."""
    global _reservation  # noqa: PLW0603 - it lives as long as the process
    try:
        configured = specification().metadata["kernel_provisioner"]["config"]
        address = address_of(configured["preload"], with_package(kernel_environment(os.environ)))
        _reservation = reserve(address, tuple(configured.get("options", ())), configured["ready"])
    except OSError as error:
        server.log.debug("no prepared kernel: %s", error)
