"""A RabbitMQ node of the tests' own: an ordinary process on a free port, its folders, its cookie, its names.

The programs are the system's (package ``rabbitmq-server``); nothing of the system's own node is read or written.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PACKAGED = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The program itself: what Debian puts in the PATH changes user first, and serves one node."""

USER, PASSWORD = "essai", "motdepasse-secret"
START_SECONDS = 120

# A scheduler, and one that sleeps: a node takes all processors to wait, by default.
SETTINGS = f"""
default_user = {USER}
default_pass = {PASSWORD}
loopback_users = none
disk_free_limit.absolute = 1MB
log.console = false
log.file.level = warning
"""


def _programs() -> tuple[str, str]:
    server = str(PACKAGED) if PACKAGED.is_file() else shutil.which("rabbitmq-server")
    names = shutil.which("epmd")
    if server is None or names is None:
        pytest.skip("RabbitMQ absent: rabbitmq-server (and its Erlang) not installed")
    return server, names


def _free_ports(number: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


class RabbitMQ:
    """A node, that can be killed and started again with what it kept.

    Parameters
    ----------
    folder
        Where it keeps everything.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server, self.names = _programs()
        self.port, distribution, names_port = _free_ports(3)
        (folder / "plugins").write_text("[].")
        (folder / "rabbitmq.conf").write_text(SETTINGS)
        (folder / "environment").touch()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")} | {
            "HOME": str(folder),  # where Erlang keeps its cookie
            "ERL_EPMD_PORT": str(names_port),
            "RABBITMQ_NODENAME": f"essai{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }
        # The register of names that a node would leave behind, as a process of ours.
        self._names = self._guarded([self.names, "-port", str(names_port), "-address", "127.0.0.1"])
        self._node: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}//"

    def _guarded(self, command: list[str]) -> subprocess.Popen[bytes]:
        # The shell waits for a pipe of ours that closes however we end, and kills its group then.
        guard = ["sh", "-c", '"$@" & read -r _; kill -KILL 0', "sh", *command]
        with (self.folder / "output").open("ab") as output:
            return subprocess.Popen(
                guard,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env=self.environment,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start the node, and wait until it serves."""
        self._node = self._guarded([self.server])
        deadline = time.monotonic() + START_SECONDS
        while not self._serves():
            assert self._node.poll() is None, (self.folder / "output").read_text()
            assert time.monotonic() < deadline, (self.folder / "output").read_text()
            time.sleep(0.1)

    def _serves(self) -> bool:
        """Whether it answers the first words of the protocol: its port opens before that."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as link:
            link.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(link.recv(1))
        return False

    def kill(self) -> None:
        """End the node at once, as a machine that loses its power."""
        if self._node is not None:
            _end(self._node)
            self._node = None

    def close(self) -> None:
        """End all that was started."""
        self.kill()
        _end(self._names)


def _end(guard: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(guard.pid, signal.SIGKILL)
    guard.communicate()


@contextmanager
def rabbitmq_server() -> Iterator[RabbitMQ]:
    """Run a node."""
    _programs()
    with tempfile.TemporaryDirectory(prefix="wb-mq-", ignore_cleanup_errors=True) as name:
        node = RabbitMQ(Path(name))
        try:
            node.start()
            yield node
        finally:
            node.close()
