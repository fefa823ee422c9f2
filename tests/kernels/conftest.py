"""Real kernels, with a folder of sockets of the tests' own and zygotes that end with them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from installation import install

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from jupyter_client.blocking.client import BlockingKernelClient  # noqa: E402
from jupyter_client.manager import KernelManager  # noqa: E402

from workbench.kernels.provisioner import Provisioned  # noqa: E402

LIGHT = ("numpy",)


class Kernel:
    """A kernel and its client."""

    def __init__(self, folder: Path | None = None, env: dict[str, str] | None = None, **settings: Any) -> None:
        chosen = {"preload": LIGHT, "ready": 0, "memory_share": 0.0, **settings}
        self.manager = type("Manager", (Provisioned, KernelManager), {"provisioner_settings": chosen})()
        options: dict[str, Any] = {} if folder is None else {"cwd": str(folder)}
        if env is not None:
            options["env"] = {**os.environ, **env}
        self.manager.start_kernel(**options)
        self.connect()

    def connect(self) -> None:
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=120)

    @property
    def provisioner(self) -> Any:
        return self.manager.provisioner

    @property
    def is_forked(self) -> bool:
        return bool(self.provisioner.is_forked)

    def run(self, code: str, timeout: float = 60) -> tuple[str, dict[str, Any]]:
        """Run a cell; return what it printed and its reply."""
        printed: list[str] = []

        def hook(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])

        reply = self.client.execute_interactive(code, timeout=timeout, output_hook=hook)
        return "".join(printed), reply["content"]

    def value(self, code: str) -> Any:
        """Run a cell that prints one value as JSON."""
        printed, reply = self.run(f"import json\nprint(json.dumps({code}))")
        assert reply["status"] == "ok", reply
        return json.loads(printed)

    def is_alive(self) -> bool:
        return bool(self.manager.is_alive())

    def ended(self, seconds: float = 60) -> bool:
        end = time.monotonic() + seconds
        while self.is_alive() and time.monotonic() < end:
            time.sleep(0.05)
        return not self.is_alive()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="session")
def own_runtime(kernel_runtime: Path) -> Iterator[Path]:
    """Nothing of the user's profile either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(kernel_runtime / "ipython"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(kernel_runtime / "jupyter"))
        yield kernel_runtime


@pytest.fixture
def new_kernel(own_runtime: Path) -> Iterator[Callable[..., Kernel]]:
    """A function that starts a kernel; it is closed at the end of the test."""
    made: list[Kernel] = []

    def new(*arguments: Any, **settings: Any) -> Kernel:
        made.append(Kernel(*arguments, **settings))
        return made[-1]

    yield new
    for kernel in made:
        kernel.close()


@pytest.fixture(scope="session")
def installed(own_runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package as if installed: its entry point and its kernel specification, found by Jupyter's own means."""
    project = Path(__file__).resolve().parents[2]
    folder = tmp_path_factory.mktemp("installed")
    variables = install(folder, project, preload=list(LIGHT), ready=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        for name, value in variables.items():
            patch.setenv(name, value)
        yield folder
