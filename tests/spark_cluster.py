"""Spark for the tests: one session in this process, and a standalone cluster on the loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

MASTER = os.environ.get("WORKBENCH_SPARK_MASTER", "local[2]")
"""Where the tests' statements run; ``local-cluster[2,1,1024]`` is a cluster of two workers on this machine."""
SETTINGS = {
    # Tables of the tests have a few rows: compiling a statement would cost a hundred times running it.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.ui.enabled": "false",
}
# A machine that lives a minute is best compiled lightly.
SHORT_LIVED = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


def submitted(memory: str) -> str:
    """How a session of the tests is begun, with so much memory for its driver."""
    settings = " ".join(f"--conf {name}={value}" for name, value in SETTINGS.items())
    return f"--driver-memory {memory} {settings} pyspark-shell"


def require_spark() -> None:
    pytest.importorskip("pyspark", reason="Spark absent: pyspark not installed")
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        pytest.skip("Spark absent: no Java on this machine")


@contextmanager
def spark_session() -> Iterator[None]:
    """Allow a session of a little memory, and stop it at the end."""
    require_spark()
    from pyspark import SparkContext

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", submitted("1g"))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        for name, value in SHORT_LIVED.items():
            patch.setenv(name, value)
        yield
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.stop()


@contextmanager
def standalone_cluster(folder: Path, workers: int = 1) -> Iterator[str]:
    """Run a master and workers; give the master's address."""
    require_spark()
    import pyspark

    program = Path(pyspark.__file__).parent / "bin" / "spark-class"
    environment = {
        **os.environ,
        **SHORT_LIVED,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_NO_DAEMONIZE": "1",
    }
    environment |= {"PYSPARK_PYTHON": sys.executable, "SPARK_WORKER_DIR": str(folder / "work")}
    log = folder / "master.log"

    def run(name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (folder / f"{name}.log").open("wb") as output:
            command = [program, f"org.apache.spark.deploy.{name}", *arguments]
            return subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=folder)

    def stop(process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def wait_for(words: str) -> str:
        deadline = time.monotonic() + 120
        while True:
            found = [line for line in log.read_text().splitlines() if words in line]
            if found:
                return found[0]
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)

    with ExitStack() as running:
        master = run("master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        log = folder / "master.Master.log"
        running.callback(stop, master)
        address = wait_for("Starting Spark master at").rpartition(" ")[2]
        for _ in range(workers):
            options = ("--cores", "1", "--memory", "1g", "--webui-port", "0", "--host", "127.0.0.1")
            running.callback(stop, run("worker.Worker", *options, address))
        wait_for("Registering worker")
        yield address
