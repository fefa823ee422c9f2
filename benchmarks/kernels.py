"""Kernels made in advance against stock ones: readiness, reports a minute, memory, a dashboard's first content.

    python benchmarks/kernels.py [--runs 5] [--reports 8] [--only ready memory reports dashboard]

On a base of fictitious communes. Stock is `python -m ipykernel_launcher`, papermill and Voila as they come. The floor
of a report is its cells in a process that runs them in a loop. On a shared machine the ratios hold, not the seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

IMPORTS = (
    "import pandas, pyarrow, duckdb, sqlalchemy, ipywidgets, workbench as wb\nwb.connect, wb.evaluate, wb.run_report"
)
WORKERS = 2

WORKER = """
import sys, time
kind, first, count, base, trame, siret, to = sys.argv[1:]
from pathlib import Path
model = "notebooks/40_rapport_collectivite.ipynb"
numbers = range(int(first), int(first) + int(count))
given = dict(base=base, trame=trame, sirets=[siret], exercice_min=2020, exercice_max=2024)
start = time.perf_counter()
if kind.startswith("floor"):
    import json
    from IPython.core.interactiveshell import InteractiveShell
    from workbench.reports.html import export_html
    cells = json.loads(Path(model).read_text())["cells"]
    cells = [cell for cell in cells if cell["cell_type"] == "code"]
    from IPython.utils.io import capture_output
    for number in (-1, *numbers):
        if number == int(first):
            start = time.perf_counter()
        shell = InteractiveShell()
        with capture_output():
            for rank, cell in enumerate(cells):
                done = shell.run_cell("".join(cell["source"]), store_history=False)
                assert done.success, done
                if rank == 0:
                    shell.user_ns.update(given)
                    if kind == "floor-all":
                        shell.user_ns["excel"] = f"{to}/{first}_{number}.xlsx"
elif kind.startswith("stock"):
    import papermill
    from workbench.reports.html import export_html
    for number in (-1, *numbers):
        if number == int(first):
            start = time.perf_counter()
        out = f"{to}/{first}_{number}.ipynb"
        more = {"excel": f"{to}/{first}_{number}.xlsx"} if kind == "stock-all" else {}
        papermill.execute_notebook(model, out, {**given, **more}, progress_bar=False, kernel_name="python3")
        if kind == "stock-all":
            export_html(Path(out), Path(f"{to}/{first}_{number}.html"))
else:
    from workbench.reports import run_report
    name, _, what = kind.partition("-")
    for number in (-1, *numbers):
        if number == int(first):
            start = time.perf_counter()
        done = run_report(
            trame=trame, sirets=[siret], exercices=range(2020, 2025), to=f"{to}/{first}_{number}.ipynb", base=base,
            kernel=name, excel=what == "all", html=what == "all",
        )
        assert done.state == "DONE", done
print(time.perf_counter() - start)
"""


def median(values: list[float]) -> float:
    return statistics.median(values)


def row(name: str, ours: float, peer: float, unit: str, *, more_is_better: bool = False) -> None:
    ratio = ours / peer if more_is_better else peer / ours
    print(f"| {name} | {ours:.2f} {unit} | {peer:.2f} {unit} | ×{ratio:.1f} |", flush=True)


def manager(**settings: Any) -> Any:
    from jupyter_client.manager import AsyncKernelManager

    from workbench.kernels.provisioner import Provisioned

    if not settings:
        return AsyncKernelManager(kernel_name="python3")
    return type("Manager", (Provisioned, AsyncKernelManager), {"provisioner_settings": settings})()


async def opened(kernel: Any) -> tuple[Any, float]:
    """Start a kernel and run its imports; the client and the seconds."""
    start = time.perf_counter()
    await kernel.start_kernel(env={**os.environ, "PYTHONPATH": str(PROJECT)})
    client = kernel.client()
    client.start_channels()
    message = client.execute(IMPORTS)
    while True:
        reply = await client.get_shell_msg(timeout=120)
        if reply["parent_header"].get("msg_id") == message:
            break
    if reply["content"]["status"] != "ok":
        raise SystemExit(reply["content"])
    return client, time.perf_counter() - start


async def closed(kernel: Any, client: Any) -> None:
    client.stop_channels()
    await kernel.shutdown_kernel(now=True)


def pss(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) / 1024  # type: ignore[index]


async def ready(runs: int) -> None:
    settings = {"forked": {"ready": 0}, "prepared": {"ready": 2}}
    times: dict[str, list[float]] = {"stock": [], "forked": [], "prepared": []}
    for name in ("forked", "prepared"):  # the zygote, and the first prepared ones
        kernel = manager(**settings[name])
        client, _ = await opened(kernel)
        await closed(kernel, client)
    await asyncio.sleep(3)
    for _ in range(runs):
        for name, found in times.items():
            kernel = manager(**settings.get(name, {}))
            client, seconds = await opened(kernel)
            found.append(seconds)
            await closed(kernel, client)
            await asyncio.sleep(1)
    row("ready with imports, forked", median(times["forked"]), median(times["stock"]), "s")
    row("ready with imports, prepared", median(times["prepared"]), median(times["stock"]), "s")


async def memory(count: int) -> None:
    found = {}
    for name, settings in (("stock", {}), ("ours", {"ready": 0})):
        kernels = []
        for _ in range(count):
            kernel = manager(**settings)
            kernels.append((kernel, (await opened(kernel))[0]))
        pids = [kernel.provisioner.pid for kernel, _ in kernels]
        found[name] = sum(map(pss, pids)) / count
        if name == "ours":
            zygote = int(Path(f"/proc/{pids[0]}/stat").read_text().rsplit(")", 1)[1].split()[1])
            found["zygote"] = pss(zygote)
        for kernel, client in kernels:
            await closed(kernel, client)
    row(f"PSS a kernel, {count} open", found["ours"], found["stock"], "MB")
    row(
        f"PSS a kernel, {count} open, its part of the zygote with it",
        found["ours"] + found["zygote"] / count,
        found["stock"],
        "MB",
    )


def campaign(kind: str, reports: int, base: str, siret: str, to: Path) -> float:
    """Make reports with two workers; how many a minute, once each has made its first one."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    each = reports // WORKERS
    given = (base, str(PROJECT / "trames" / "ofgl_agregats_m57.yaml"), siret)
    workers = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", WORKER, kind, str(rank * each), str(each), *given, str(to)],
            cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)}, stdout=subprocess.PIPE, text=True,
        )
        for rank in range(WORKERS)
    ]  # fmt: skip
    spent = [float(worker.communicate()[0]) for worker in workers]

    return 60 * each * WORKERS / max(spent)


def reports(runs: int, count: int, base: str, siret: str, work: Path) -> None:
    for what, label in (("notebook", "notebook only"), ("all", "notebook, Excel and HTML")):
        found: dict[str, list[float]] = {"workbench": [], "stock": [], "floor": []}
        campaign(f"workbench-{what}", 2, base, siret, work / "warm")  # the zygote
        for _ in range(runs):
            for kind, values in found.items():
                values.append(campaign(f"{kind}-{what}", count, base, siret, work / kind))
        ours, stock, floor = (median(found[kind]) for kind in ("workbench", "stock", "floor"))
        row(f"reports a minute, {label}", ours, stock, "/min", more_is_better=True)
        row(f"reports a minute, {label}, against the floor", ours, floor, "/min", more_is_better=True)


def first_content(url: str) -> float:
    """Seconds until the outputs of the notebook are in the page that is being received."""
    import httpx

    start = time.perf_counter()
    received = ""
    with httpx.stream("GET", url, timeout=120) as answer:
        for text in answer.iter_text():
            received += text
            if "widget-view+json" in received:
                break
    return time.perf_counter() - start


def dashboard(runs: int, base: str) -> None:
    times = {}
    serve = "import sys\nfrom workbench.dashboards.server import serve\nserve(int(sys.argv[1]), sys.argv[2], 'trames')"
    for name in ("ours", "stock"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        own = [sys.executable, "-c", serve, str(port), base]
        voila = [sys.executable, "-m", "voila", "dashboards", f"--port={port}", "--no-browser"]
        server = subprocess.Popen(
            own if name == "ours" else voila, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "WORKBENCH_BASE": base},
        )  # fmt: skip
        try:
            for _ in range(300):
                time.sleep(0.1)
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
            url = f"http://127.0.0.1:{port}/voila/render/collectivite.ipynb"
            first_content(url)
            found = []
            for _ in range(runs):
                time.sleep(3)
                found.append(first_content(url))
            times[name] = median(found)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()
    row("dashboard, first content in the page", times["ours"], times["stock"], "s")


def main() -> None:
    from workbench.dgfip import connect, import_balances, import_population, write_demonstration

    kinds = ("ready", "memory", "reports", "dashboard")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--reports", type=int, default=8)
    parser.add_argument("--kernels", type=int, default=4)
    parser.add_argument("--only", nargs="*", choices=kinds, default=kinds)
    options = parser.parse_args()
    print("| | ours | peer | ratio |\n|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="wb-") as name:
        work = Path(name)
        os.environ["WORKBENCH_RUNTIME"] = str(work / "r")
        written = write_demonstration(work / "sources", communes=6)
        base = str(work / "base.duckdb")
        with connect(base, read_only=False) as opened_base:
            import_balances(opened_base, written.balances)
            import_population(opened_base, written.population)
        if "ready" in options.only:
            asyncio.run(ready(options.runs))
        if "memory" in options.only:
            asyncio.run(memory(options.kernels))
        if "reports" in options.only:
            reports(options.runs, options.reports, base, written.example, work)
        if "dashboard" in options.only:
            dashboard(options.runs, base)
        for lock in (work / "r").glob("*.sock"):  # a zygote whose socket is gone ends
            lock.unlink()


if __name__ == "__main__":
    main()
