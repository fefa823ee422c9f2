"""What Jupyter calls to have a kernel: a fork of the zygote, or a plain process when there is none, saying so.

The kernel specification names it (``spec/kernel.json``), so that JupyterLab, papermill and Voila have the same kernels.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from jupyter_client.connect import LocalPortCache
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Bool, CaselessStrEnum, Float, Integer, List, Unicode

from workbench.kernels.client import ForkedProcess, Wish, ZygoteError, is_possible, is_running, obtain, start
from workbench.kernels.environment import KEPT, kernel_environment
from workbench.kernels.launch import LIMITS
from workbench.kernels.limits import MEMORY, TIME, Limits, machine_memory
from workbench.kernels.runtime import address_of, with_package

__all__ = ["NAME", "SPECIFICATION", "Provisioned", "WorkbenchProvisioner", "specification"]

NAME = "workbench-provisioner"
"""Name of the entry point."""

LAUNCHER = "workbench.kernels.launch"

SPECIFICATION = Path(__file__).parent / "spec"

SENTENCES = {
    MEMORY: "Le noyau précédent a été arrêté : il dépassait la mémoire qui lui est donnée.",
    TIME: "Le noyau précédent a été arrêté : une cellule dépassait le temps qui lui est donné.",
}


class WorkbenchProvisioner(LocalProvisioner):
    """Gives kernels that have imported their libraries already."""

    preload = List(Unicode(), help="Modules that kernels have imported already.").tag(config=True)
    options = List(Unicode(), help="Options of IPython's command line.").tag(config=True)
    ready = Integer(0, help="Kernels kept ready for the next ones.").tag(config=True)
    zygote = CaselessStrEnum(
        ("always", "running", "never"),
        default_value="always",
        help="Whether to start a zygote when there is none, use one that runs, or have plain kernels.",
    ).tag(config=True)
    memory = Integer(0, help="Bytes that a kernel may use; 0 for no limit.").tag(config=True)
    memory_share = Float(0.0, help="Share of the machine's memory that a kernel may use, when memory is 0.").tag(
        config=True
    )
    seconds = Float(0.0, help="Seconds that an execution may take; 0 for no limit.").tag(config=True)
    output = Integer(Limits().output, help="Bytes that an execution may print.").tag(config=True)
    writable = List(Unicode(), help="Folders that a kernel may write in; empty, as the user may.").tag(config=True)
    filtered = Bool(True, help="Whether the server's secrets are kept from kernels.").tag(config=True)
    kept = List(Unicode(), sorted(KEPT), help="Variables never taken for a secret of the server's.").tag(config=True)
    known: List[list[str]] = List(help="What kernels find done: module:function, its argument, a version of it.").tag(
        config=True
    )
    last_cause = Unicode(help="Why the last kernel was ended, when a limit was reached.")

    is_forked = False
    process: Any = None
    has_started = False

    def limits(self) -> Limits:
        """Return what a kernel may use."""
        memory = self.memory or int(self.memory_share * machine_memory())
        return Limits(memory, self.seconds, self.output, tuple(self.writable))

    def _finalize_env(self, env: dict[str, str]) -> None:
        super()._finalize_env(env)
        env.update(with_package(env))
        if self.filtered:
            kept = kernel_environment(env, kept=frozenset(self.kept) | set(self.kernel_spec.env))
            env.clear()
            env.update(kept)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Launch a kernel, forked when possible."""
        plain = self._why_plain(cmd, kwargs)
        if not plain:
            try:
                return await self._fork(cmd, kwargs)
            except (ZygoteError, OSError) as error:
                plain = str(error) or type(error).__name__
        if self.zygote != "never" and plain != "running":
            self.log.warning(
                "Noyau ordinaire, plus lent à s'ouvrir : les noyaux préparés sont indisponibles (%s).", plain
            )
        self.is_forked = False
        environment = {**kwargs["env"], LIMITS: json.dumps(self.limits().write())}
        with_options = [*cmd, *self.options] if LAUNCHER in cmd else cmd
        return await super().launch_kernel(with_options, **{**kwargs, "env": environment})

    def _why_plain(self, cmd: list[str], kwargs: Mapping[str, Any]) -> str:
        if self.zygote == "never":
            return "never"
        if not is_possible():
            return f"système {sys.platform}"
        if LAUNCHER not in cmd or cmd[0] != sys.executable:
            return "une autre commande que celle du noyau"
        if kwargs.get("independent") or any(each in kwargs for each in ("stdin", "preexec_fn", "executable")):
            return "un processus particulier est demandé"
        return ""

    async def _fork(self, cmd: list[str], kwargs: Mapping[str, Any]) -> Any:
        environment: dict[str, str] = kwargs["env"]
        address = address_of(self.preload, environment)
        if self.zygote == "running":
            if not is_running(address):
                raise ZygoteError("running")
        else:
            start(address)
        after = cmd[cmd.index(LAUNCHER) + 1 :]
        connection_file = Path(after[after.index("-f") + 1])
        rest = tuple(after[: after.index("-f")] + after[after.index("-f") + 2 :])
        process = await obtain(
            address,
            Wish(
                connection_file=connection_file,
                options=(*rest, *self.options),
                folder=Path(kwargs.get("cwd") or Path.cwd()),
                environment=environment,
                limits=self.limits(),
                exact=not self._may_choose(),
                ready=self.ready,
                news=SENTENCES.get(self.last_cause, ""),
                known=tuple(map(tuple, self.known)),
            ),
            (_stream(kwargs.get("stdout"), 1), _stream(kwargs.get("stderr"), 2)),
        )
        self.last_cause = ""
        self.is_forked = True
        self.process = process
        self.pid = self.pgid = process.pid
        if process.connection is not None:
            self._return_ports()
            info: Any = {**process.connection, "key": process.connection["key"].encode()}
            self.connection_info = info
        return self.connection_info

    def _may_choose(self) -> bool:
        """Whether nobody knows yet where the kernel will listen: it starts for the first time, locally, in clear."""
        manager: Any = self.parent
        info = self.connection_info or {}
        return bool(self.ready and manager is not None and not self.has_started and "curve_publickey" not in info)

    async def post_launch(self, **kwargs: Any) -> None:
        """Remember that clients know where the kernel listens."""
        self.has_started = True
        await super().post_launch(**kwargs)

    def _return_ports(self) -> None:
        """Give back the ports that were reserved before the kernel chose."""
        if self.ports_cached:
            cache = LocalPortCache.instance()
            for name in ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port"):
                cache.return_port(int(self.connection_info[name]))
            self.ports_cached = False
            manager: Any = self.parent
            manager.cache_ports = False  # a restart finds files, not ports

    async def wait(self) -> int | None:
        """Wait for the end; a fork is gone in a few milliseconds."""
        while isinstance(self.process, ForkedProcess) and await self.poll() is None:
            await asyncio.sleep(0.005)
        return await super().wait()

    async def poll(self) -> int | None:
        """Say whether it runs, and note why it ended."""
        code = await super().poll()
        self._note()
        return code

    def _note(self) -> None:
        if isinstance(self.process, ForkedProcess) and self.process.cause and not self.last_cause:
            self.last_cause = self.process.cause
            self.log.warning(SENTENCES[self.process.cause].replace(" précédent", f" {self.kernel_id}"))

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel and what it started; one that has ended is left in peace."""
        if self.process and self.process.poll() is None:
            await super().send_signal(signum)

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of the process."""
        if isinstance(self.process, ForkedProcess):
            self.process.close()
        await super().cleanup(restart=restart)


def _stream(asked: Any, default: int) -> int:
    """Return the descriptor of a stream given to Popen; anything but a file is what this process has."""
    if isinstance(asked, int) and asked >= 0:
        return asked
    try:
        return int(asked.fileno())
    except (AttributeError, OSError, ValueError):
        return default


def specification() -> KernelSpec:
    """Return the kernel of the package, as it is installed for Jupyter."""
    return KernelSpec.from_resource_dir(str(SPECIFICATION))


class Provisioned:
    """Mixed into a kernel manager of ours: the kernel of the package, without looking for what is installed.

    Attributes
    ----------
    provisioner_settings
        Traits of the provisioner that differ from those of the specification.
    """

    provisioner_settings: ClassVar[Mapping[str, Any]] = {}

    @property
    def kernel_spec(self) -> KernelSpec:
        """Return the kernel of the package, whatever name is asked."""
        return specification()

    async def _async_pre_start_kernel(self, **options: Any) -> Any:
        manager: Any = self
        manager.kernel_id = manager.kernel_id or options.pop("kernel_id", str(uuid.uuid4()))
        if manager.provisioner is None:
            manager.provisioner = self._new_provisioner()
        return await super()._async_pre_start_kernel(**options)  # type: ignore[misc]

    def _new_provisioner(self) -> WorkbenchProvisioner:
        spec = self.kernel_spec
        configured = spec.metadata["kernel_provisioner"]["config"]
        return WorkbenchProvisioner(
            kernel_id=self.kernel_id,  # type: ignore[attr-defined]
            kernel_spec=spec,
            parent=self,
            **{**configured, **self.provisioner_settings},
        )
