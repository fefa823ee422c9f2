"""A forked kernel is a kernel as any other: what it must not keep of the process it comes from, and how it ends."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from workbench.kernels.client import is_possible, reserve
from workbench.kernels.runtime import address_of, with_package

pytestmark = pytest.mark.skipif(not is_possible(), reason="kernels are forked on Linux only")


def zygote_of(kernel: Any) -> int:
    return int(kernel.value("__import__('os').getppid()"))


def gone(pid: int, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_the_zygote_of_the_package_has_imported_opened_nothing_and_started_no_thread(
    new_kernel: Callable[..., Any],
) -> None:
    """With all that the specification names: numba, pyarrow, duckdb and OpenBLAS start threads if let."""
    from workbench.kernels.provisioner import specification

    preload = specification().metadata["kernel_provisioner"]["config"]["preload"]
    kernel = new_kernel(preload=preload, env={"OPENBLAS_NUM_THREADS": "4"})
    assert kernel.is_forked
    zygote = zygote_of(kernel)
    assert len(list(Path(f"/proc/{zygote}/task").iterdir())) == 1
    opened = [str(each.readlink()) for each in Path(f"/proc/{zygote}/fd").iterdir()]
    files = [each for each in opened if each.startswith("/") and not each.endswith((".lock", ".log"))]
    assert files == ["/dev/null"]
    modules = [each.partition(":")[0] for each in preload]
    assert kernel.value(f"[each for each in {modules} if each not in __import__('sys').modules]") == []
    assert kernel.value("__import__('sys').modules.get('rfc3987_syntax') is None")
    assert (
        kernel.value("__import__('duckdb').sql('SELECT sum(range) FROM range(1000000)').fetchone()[0]") == 499999500000
    )
    assert kernel.value("(__import__('numpy').ones((300, 300)) @ __import__('numpy').ones((300, 300))).sum()") == 2.7e7


def test_two_kernels_of_a_zygote_share_nothing_that_shows(new_kernel: Callable[..., Any], tmp_path: Path) -> None:
    facts = (
        "import json, os, random, signal, sys, threading, time, numpy\n"
        "print(json.dumps({'random': random.random(), 'numpy': numpy.random.random(), 'folder': os.getcwd(), "
        "'mine': os.environ.get('MINE'), 'session': os.getsid(0) == os.getpid(), 'zone': time.strftime('%Z'), "
        "'parent': os.environ.get('JPY_PARENT_PID'), 'zygote': os.getppid(), 'first': sys.path[0], "
        "'executable': sys.executable, 'argv': len(sys.argv), "
        "'interrupt': signal.getsignal(signal.SIGTERM) is signal.SIG_DFL}))"
    )
    found = []
    for name, zone in (("a", "Europe/Paris"), ("b", "America/Cayenne")):
        folder = tmp_path / name
        folder.mkdir()
        kernel = new_kernel(folder, {"MINE": name, "TZ": zone})
        found.append(json.loads(kernel.run(facts)[0]))
        assert found[-1]["folder"] == str(folder)
        assert found[-1]["mine"] == name
    first, second = found
    assert first["zygote"] == second["zygote"]
    assert first["random"] != second["random"]
    assert first["numpy"] != second["numpy"]
    assert first["zone"] in {"CET", "CEST"}
    assert second["zone"] == "-03"
    for each in found:
        assert each["session"]
        assert each["interrupt"]
        assert each["parent"] is None
        assert each["executable"] == sys.executable


def test_libraries_imported_before_the_kernel_know_that_they_are_in_one(new_kernel: Callable[..., Any]) -> None:
    """Widgets answer the page, and figures are shown in it, as in a kernel that imports them itself."""
    preload = ["ipykernel.ipkernel", "ipywidgets", "plotly.io"]
    for variables, renderer in (({}, "plotly_mimetype"), ({"PLOTLY_RENDERER": "json"}, "json")):
        kernel = new_kernel(preload=preload, env=variables)
        assert kernel.is_forked
        assert kernel.value("'ipywidgets' in __import__('sys').modules")
        targets = kernel.value("sorted(__import__('comm').get_comm_manager().targets)")
        assert {"jupyter.widget", "jupyter.widget.control"} <= set(targets)
        assert kernel.value("__import__('plotly.io').io.renderers.default") == renderer


def test_what_is_known_is_learnt_once_and_its_failure_harms_nobody(
    new_kernel: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "lessons.py").write_text(
        "import threading\nfound = []\n"
        "def learn(text):\n    found.append(text)\n    assert text != 'bad'\n"
        "def thread(_):\n    threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    variables = {"PYTHONPATH": str(tmp_path)}

    def found(*known: tuple[str, str, str]) -> Any:
        kernel = new_kernel(env=variables, known=list(known))
        assert kernel.is_forked
        return kernel.value("getattr(__import__('sys').modules.get('lessons'), 'found', None)")

    assert found() is None
    assert found(("lessons:learn", "a", "1"), ("lessons:absent", "a", "1"), ("nowhere:learn", "a", "1")) == ["a"]
    assert found(("lessons:learn", "a", "1"), ("lessons:learn", "bad", "1")) == ["a", "bad"]
    assert found(("lessons:learn", "bad", "1"), ("lessons:learn", "a", "2")) == ["a", "bad", "a"]
    assert found() == ["a", "bad", "a"]
    # A thread would not survive the fork: from here on, kernels are plain ones.
    kernel = new_kernel(env=variables, known=[("lessons:thread", "", "1")])
    assert not kernel.is_forked
    assert kernel.value("1 + 1") == 2


def test_what_a_server_reserves_is_learnt_before_anybody_asks(new_kernel: Callable[..., Any]) -> None:
    preload = ["numpy"]
    first = new_kernel(env={}, preload=preload)
    assert not first.value("'colorsys' in __import__('sys').modules")
    reader = reserve(
        address_of(preload, with_package(os.environ)), (), 0, [("importlib:import_module", "colorsys", "1")]
    )
    assert reader is not None
    try:
        second = new_kernel(env={}, preload=preload)
        assert zygote_of(second) == zygote_of(first)
        assert second.value("'colorsys' in __import__('sys').modules")
    finally:
        reader.close()


def open_files(pid: int) -> set[str]:
    """Return what a process has open, but what it closes meanwhile."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(each.readlink()))
    return found


def test_no_open_file_of_another_kernel_or_of_the_zygote_is_inherited(new_kernel: Callable[..., Any]) -> None:
    first = new_kernel()
    other = new_kernel()
    theirs, before, own = (open_files(pid) for pid in (zygote_of(other), first.provisioner.pid, other.provisioner.pid))
    wire = {each for each in theirs & own if each.startswith("socket:")}
    assert len(wire) == 1  # that of its own client, whose end it must see
    assert not {each for each in before & own if each.startswith("socket:")}
    assert not [each for each in own if "pidfd" in each or each.endswith(".lock")]


def test_the_secrets_of_the_server_are_not_seen(
    new_kernel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "s3cr3t")
    monkeypatch.setenv("OIDC_CLIENT_SECRET", "s3cr3t")
    monkeypatch.setenv("PGPASSWORD", "mine")
    kernel = new_kernel(env={"GIVEN_TOKEN": "given"})
    seen = kernel.value("dict(__import__('os').environ)")
    assert "s3cr3t" not in seen.values()
    assert seen["PGPASSWORD"] == "mine"
    assert seen["GIVEN_TOKEN"] == "given"  # noqa: S105
    for pid in (kernel.provisioner.pid, zygote_of(kernel)):
        assert b"s3cr3t" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_ready_kernel_is_given_at_once_and_listens_where_only_its_user_may(new_kernel: Callable[..., Any]) -> None:
    first = new_kernel(ready=1, options=["--HistoryManager.enabled=False"])
    assert first.manager.transport == "tcp"
    second = None
    for _ in range(200):  # the next ones are prepared while the first works
        time.sleep(0.3)
        second = new_kernel(env={"MINE": "2"}, ready=1, options=["--HistoryManager.enabled=False"])
        if second.manager.transport == "ipc":
            break
    assert second is not None
    assert second.manager.transport == "ipc"
    assert second.value("__import__('os').environ['MINE']") == "2"
    assert Path(second.manager.ip).parent.stat().st_mode & 0o077 == 0
    second.manager.restart_kernel(now=True)
    second.client.stop_channels()
    second.connect()
    assert second.value("1 + 1") == 2
    assert second.manager.transport == "ipc"
    assert second.value("__import__('os').environ['MINE']") == "2"


def test_interrupting_and_restarting(new_kernel: Callable[..., Any]) -> None:
    kernel = new_kernel()
    kernel.value("1")
    request = kernel.client.execute("import time\nwhile True: time.sleep(0.01)")
    time.sleep(0.5)
    kernel.manager.interrupt_kernel()
    reply = kernel.client.get_shell_msg(timeout=60)
    assert reply["parent_header"]["msg_id"] == request
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    before = kernel.provisioner.pid
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=30)
    assert kernel.value("'time' in globals()") is False
    assert kernel.provisioner.pid != before
    assert gone(before)


def test_what_a_kernel_leaves_to_its_end_is_done(new_kernel: Callable[..., Any], tmp_path: Path) -> None:
    kernel = new_kernel(tmp_path)
    kernel.run("import atexit\natexit.register(lambda: open('fin', 'w').write('dite'))")
    pid = kernel.provisioner.pid
    kernel.manager.shutdown_kernel()
    assert (tmp_path / "fin").read_text() == "dite"
    assert gone(pid)


def test_a_killed_kernel_is_seen_and_leaves_the_others(new_kernel: Callable[..., Any]) -> None:
    killed, other = new_kernel(), new_kernel()
    child = killed.value("__import__('subprocess').Popen(['sleep', '60']).pid")
    os.kill(killed.provisioner.pid, signal.SIGKILL)
    assert killed.ended()
    assert killed.provisioner.process.returncode == -signal.SIGKILL
    killed.manager.interrupt_kernel()  # a dead process is left in peace
    assert gone(child)
    assert other.value("1 + 1") == 2


def test_a_killed_zygote_leaves_its_kernels_and_is_replaced(new_kernel: Callable[..., Any]) -> None:
    kernel = new_kernel()
    zygote = zygote_of(kernel)
    os.kill(zygote, signal.SIGKILL)
    assert gone(zygote)
    assert kernel.value("1 + 1") == 2
    after = new_kernel()
    assert after.is_forked
    assert zygote_of(after) != zygote
    os.kill(kernel.provisioner.pid, signal.SIGKILL)
    assert kernel.ended()


CLIENT = """
import sys, time
from conftest import Kernel
kernel = Kernel()
print(kernel.provisioner.pid, kernel.is_forked, kernel.value("__import__('os').getppid()"), flush=True)
kernel.client.execute("while True: pass")
time.sleep(60)
"""


@pytest.mark.parametrize("zygote_too", [False, True])
def test_a_kernel_ends_with_the_process_that_asked_for_it(own_runtime: Path, project: Path, zygote_too: bool) -> None:
    path = os.pathsep.join((str(Path(__file__).parent), str(project / "tests"), str(project)))
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert client.stdout is not None
    pid, is_forked, zygote = client.stdout.readline().split()
    assert is_forked == "True"
    if zygote_too:
        os.kill(int(zygote), signal.SIGKILL)
    client.kill()
    client.wait()
    client.stdout.close()
    assert gone(int(pid))


def test_an_unused_zygote_ends(own_runtime: Path) -> None:
    from workbench.kernels.client import is_running, start
    from workbench.kernels.runtime import address_of

    address = address_of(("string", "textwrap"), os.environ)
    start(address, idle=0.2)
    end = time.monotonic() + 60
    while address.socket.exists() and time.monotonic() < end:
        time.sleep(0.1)
    assert not address.socket.exists()
    assert not is_running(address)


def test_what_is_installed_or_edited_changes_the_zygote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from workbench.kernels import runtime

    package = tmp_path / "workbench"
    (package / "room").mkdir(parents=True)
    (package / "room" / "module.py").write_text("one = 1")
    monkeypatch.setattr(runtime, "PACKAGE", package)
    monkeypatch.setenv("WORKBENCH_RUNTIME", str(tmp_path / "r"))
    names = [runtime.address_of(["numpy"], {}).name for _ in range(2)]
    assert names[0] == names[1]
    (package / "room" / "module.py").write_text("one = 11")
    names.append(runtime.address_of(["numpy"], {}).name)
    names.append(runtime.address_of(["numpy"], {"PYTHONHASHSEED": "1"}).name)
    names.append(runtime.address_of(["numpy", "json"], {}).name)
    assert len(set(names)) == 4
    assert runtime.address_of(["numpy"], {"SOME_TOKEN": "x"}).environment.get("SOME_TOKEN") is None


@pytest.mark.parametrize("refusal", ["threads", "folder"])
def test_without_a_zygote_a_plain_kernel_and_a_word_of_it(
    new_kernel: Callable[..., Any],
    own_runtime: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    refusal: str,
) -> None:
    settings = {}
    if refusal == "threads":
        (tmp_path / "noisy.py").write_text(
            "import threading, time\nthreading.Thread(target=time.sleep, args=(300,), daemon=True).start()"
        )
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        settings = {"preload": ["noisy"]}
    else:
        opened = own_runtime / "open"  # a short path, as sockets need
        opened.mkdir()
        opened.chmod(0o755)  # whatever the mask of this process
        monkeypatch.setenv("WORKBENCH_RUNTIME", str(opened))
    with caplog.at_level(logging.WARNING):
        kernel = new_kernel(**settings)
    assert not kernel.is_forked
    assert kernel.value("1 + 1") == 2
    assert kernel.value("__import__('sys').modules['rfc3987_syntax'] is None")
    assert "Noyau ordinaire" in caplog.text


def test_a_zygote_is_not_started_when_one_is_only_used_if_it_runs(
    new_kernel: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    kernel = new_kernel(zygote="running", preload=["string", "struct"])
    assert not kernel.is_forked
    assert "Noyau ordinaire" not in caplog.text
    new_kernel(preload=["string", "struct"])
    assert new_kernel(zygote="running", preload=["string", "struct"]).is_forked
