"""The session of Spark: one a process, started when a base is first read."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError

__all__ = ["READER", "require_spark", "session_of"]

_GUARD = threading.Lock()

_SETTINGS = {
    "spark.app.name": "workbench",
    "spark.ui.showConsoleProgress": "false",
    # Same text, same order, same failures as on the other engines, whatever the cluster's habits.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
}
READER = {
    **{name: value for name, value in _SETTINGS.items() if name.startswith("spark.sql.")},
    # No statement reads a file that the base does not name.
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
_ALONE = {
    "spark.sql.shuffle.partitions": str(min(2 * (os.cpu_count() or 1), 16)),
    # A session of ours on one machine: no server beside it, no more tasks than there is work.
    "spark.ui.enabled": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


def require_spark() -> None:
    """Refuse to open a Spark base where Spark cannot run.

    Raises
    ------
    WorkbenchError
        ``moteur_absent`` without pyspark, ``java_absent`` without Java.
    """
    if sys.modules.get("pyspark", True) is None or find_spec("pyspark") is None:
        raise WorkbenchError("moteur_absent", moteur="Spark", extra="spark")
    home = os.environ.get("JAVA_HOME")
    found = (Path(home) / "bin" / "java").exists() if home else shutil.which("java") is not None
    if not found:
        raise WorkbenchError("java_absent")


def session_of(master: str | None) -> Any:
    """Return this process's session, started on a master when there is none.

    Parameters
    ----------
    master
        As Spark writes it; None for the session that runs, else ``local[*]``.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    WorkbenchError
        ``spark_autre_maitre`` when the session of this process has another master,
        ``spark_demarrage`` when none starts.
    """
    require_spark()
    # pandas is not used between Spark and us: rows come and go as Arrow.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    # A refused statement is said by an error, once.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    with _GUARD:
        running = SparkContext._active_spark_context
        if running is not None and master is not None and running.master != master:
            raise WorkbenchError("spark_autre_maitre", demande=master, courant=running.master)
        if running is not None:
            return SparkSession(running)
        return _start(master or "local[*]")


def _start(master: str) -> Any:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master)
    settings = dict(_SETTINGS)
    if master.startswith("local"):
        settings |= _ALONE
        if "SPARK_CONF_DIR" not in os.environ:
            log = Path(__file__).with_name("spark_log4j2.properties")
            settings["spark.driver.extraJavaOptions"] = f'"-Dlog4j2.configurationFile={log.as_uri()}"'
    # Executors on this machine run this code, from wherever it is; elsewhere it is installed.
    settings["spark.executorEnv.PYTHONPATH"] = str(Path(__file__).parents[2])
    given = os.environ.get("PYSPARK_SUBMIT_ARGS", "")
    for name, value in settings.items():
        if f"{name}=" in given:
            # Whoever gives a setting knows better.
            continue
        builder = builder.config(name, value)
    before = os.environ.get("PYSPARK_PYTHON")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        return builder.getOrCreate()
    except Exception as error:  # py4j's errors have no common class, nor has a JVM that dies
        detail = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise WorkbenchError("spark_demarrage", maitre=master, detail=detail[:300]) from error
    finally:
        if before is None:
            del os.environ["PYSPARK_PYTHON"]
