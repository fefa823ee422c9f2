"""Agents who open a dashboard and use it: seconds, memory, growth of the server, against a stock Voila.

    python benchmarks/agents.py [--runs 5] [--agents 1 30] [--browser] [--base BASE]

Both serve `dashboards/collectivite.ipynb` on one base, in turn, in one run; figures are medians. An agent is what a
browser does without drawing: she reads the page to its end, connects to her kernel, has the state of the widgets
(interactive), searches a collectivité and is answered, chooses it and has its table (interaction). All the agents of a
round begin together; ``last`` is the slowest of them. Their memory is the proportional set size (PSS) of all that
serves them but the server itself, shared pages and prepared kernels with it, over their number. ``--browser`` adds a
Chromium, which draws. On a shared machine the ratios hold, not the seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

PAGE = "/voila/render/collectivite.ipynb"
KERNEL = re.compile(r"""(?:kernelId"?\s*[:=]\s*|workbench_connect\([^)]*?,\s*)["']([0-9a-f-]{36})["']""")
SERVE = "import sys\nfrom workbench.dashboards.server import serve\nserve(int(sys.argv[1]), sys.argv[2], sys.argv[3])"
PROTOCOL = "v1.kernel.websocket.jupyter.org"
FIGURES = ("first content", "interactive", "search", "table")


class Server:
    """Ours or a stock Voila, serving."""

    def __init__(self, name: str, base: str, trames: str) -> None:
        self.name = name
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        ours = [sys.executable, "-c", SERVE, str(port), base, trames]
        stock = [sys.executable, "-m", "voila", "dashboards", f"--port={port}", "--no-browser"]
        known = {"PYTHONPATH": str(PROJECT), "WORKBENCH_BASE": base, "WORKBENCH_TRAMES": trames}
        self.process = subprocess.Popen(
            ours if name == "ours" else stock, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **known},
        )  # fmt: skip
        for _ in range(600):
            time.sleep(0.1)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
        raise SystemExit(f"{name} does not answer")

    def served(self) -> float:
        """PSS of all that serves, but the server: its children, and the zygote and its kernels, which are nobody's."""
        words = {pid: words_of(pid) for pid in running()}
        mark = f'"{os.environ["WORKBENCH_RUNTIME"]}/'
        forked = {pid for pid in words if self.name == "ours" and mark in words[pid]}
        return sum(map(pss, children_of(self.process.pid) | forked))

    def own(self) -> float:
        return pss(self.process.pid)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def running() -> list[int]:
    """Return the numbers of the processes."""
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def told(pid: int, name: str) -> str:
    """Return a file of a process; nothing of one that has just ended."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def words_of(pid: int) -> str:
    """Return the command of a process."""
    return told(pid, "cmdline")


def children_of(pid: int) -> set[int]:
    """Return all that a process has started, and what that has started."""
    parents = {each: told(each, "stat").rpartition(")")[2].split() for each in running()}
    found = {pid}
    while more := {each for each, rest in parents.items() if rest and int(rest[1]) in found} - found:
        found |= more
    return found - {pid}


def pss(pid: int) -> float:
    """MB of a process, pages that several have divided between them."""
    found = re.search(r"^Pss:\s+(\d+)", told(pid, "smaps_rollup"), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def message(kind: str, content: dict[str, Any], metadata: dict[str, Any] | None = None) -> bytes:
    """Write a message of version 1 of the websocket protocol."""
    header = {"msg_id": uuid.uuid4().hex, "username": "", "session": "agent", "msg_type": kind, "version": "5.3"}
    header["date"] = "2026-11-22T12:00:00Z"
    parts = [b"shell", *(json.dumps(part).encode() for part in (header, {}, metadata or {}, content))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return struct.pack(f"<{len(offsets) + 1}Q", len(offsets), *offsets) + b"".join(parts)


def read(frame: bytes) -> tuple[str, dict[str, Any]]:
    """Return the type and the content of a message."""
    (count,) = struct.unpack_from("<Q", frame)
    offsets = struct.unpack_from(f"<{count}Q", frame, 8)
    kind = json.loads(frame[offsets[1] : offsets[2]])["msg_type"]
    return kind, json.loads(frame[offsets[4] : offsets[5]])


def _incident(content: dict[str, Any]) -> str:
    """Return the error that a page shows; nothing when it shows none."""
    notices = (content["data"].get("state") or {}).get("notices") or []
    return " ".join(f"{one['message']} {one['hint']}" for one in notices if one.get("kind") == "erreur")


class Agent:
    """A visitor without a browser."""

    page = PAGE

    def __init__(self, url: str) -> None:
        self.url = url
        self.web = httpx.AsyncClient(base_url=url, timeout=300)
        self.wire: Any = None
        self.kernel = self.form = ""
        self.times: dict[str, float] = {}
        self.step = "nothing"
        self.last = "nothing"

    @property
    def told(self) -> str:
        """Where she is, and what she heard last."""
        return f"waiting for {self.step}; kernel {self.kernel or 'unknown'}; last heard: {self.last}"

    async def open(self) -> None:
        """Read the page, connect, ask for the widgets."""
        start = time.perf_counter()
        text = ""
        self.step = "the page"
        async with self.web.stream("GET", self.page) as answer:
            async for part in answer.aiter_text():
                text += part
                if "first content" not in self.times and "widget-view+json" in text:
                    self.times["first content"] = time.perf_counter() - start
        found = KERNEL.search(text)
        if found is None or "first content" not in self.times:
            raise RuntimeError(f"no dashboard at {self.url}: {text[:300]}")
        self.kernel = found[1]
        self.step = "the connection"
        cookies = "; ".join(f"{name}={value}" for name, value in self.web.cookies.items())
        address = f"{self.url.replace('http', 'ws')}/api/kernels/{self.kernel}/channels?session_id={uuid.uuid4()}"
        self.wire = await websocket_connect(
            HTTPRequest(address, headers={"Cookie": cookies}, connect_timeout=300, request_timeout=300),
            subprotocols=[PROTOCOL],
            max_message_size=2**30,
        )
        control = uuid.uuid4().hex
        self.step = "the states of the widgets"
        opened = {"comm_id": control, "target_name": "jupyter.widget.control", "data": {}}
        await self.wire.write_message(message("comm_open", opened, {"version": "1.0.0"}), binary=True)
        asked = {"comm_id": control, "data": {"method": "request_states"}}
        await self.wire.write_message(message("comm_msg", asked), binary=True)
        said = await self.hear(lambda data: data.get("method") == "update_states")
        self.times["interactive"] = time.perf_counter() - start
        self.form = next(name for name, one in said["states"].items() if self.told_to(one["state"]))

    def told_to(self, state: dict[str, Any]) -> bool:
        """Whether a component is the one that she talks to."""
        return "trames" in (state.get("state") or {})

    async def hear(self, wanted: Any) -> dict[str, Any]:
        """Wait for the data of a comm message."""
        while True:
            frame = await asyncio.wait_for(self.wire.read_message(), 300)
            if frame is None:
                raise RuntimeError("the kernel's connection closed")
            kind, content = read(frame)
            self.last = f"{kind} {json.dumps(content)[:200]}"
            wrong = _incident(content) if kind == "comm_msg" else ""
            if wrong:
                raise RuntimeError(f"the page says: {wrong}")
            if kind == "comm_msg" and wanted(content["data"]):
                return dict(content["data"])

    async def tell(self, content: dict[str, Any]) -> None:
        asked = {"comm_id": self.form, "data": {"method": "custom", "content": content}}
        await self.wire.write_message(message("comm_msg", asked), binary=True)

    async def use(self, siret: str) -> None:
        """Search a collectivité, choose it, have its table."""
        start = time.perf_counter()
        self.step = "the proposals"
        await self.tell({"kind": "search", "text": siret[:9], "serial": 1})
        said = await self.hear(lambda data: data.get("content", {}).get("kind") == "suggestions")
        self.times["search"] = time.perf_counter() - start
        if siret not in json.dumps(said):
            raise RuntimeError(f"{siret} is not proposed: {said}")
        start = time.perf_counter()
        self.step = "the table"
        await self.tell({"kind": "choose", "field": "collectivite", "value": siret})
        await self.hear(lambda data: data.get("state", {}).get("table") is not None)
        self.times["table"] = time.perf_counter() - start

    async def leave(self) -> None:
        """Close the page, as a browser does: its kernel ends."""
        if self.wire is not None:
            self.wire.close()
        fields = {"_xsrf": self.web.cookies.get("_xsrf", "")}
        await self.web.post(f"/voila/api/shutdown/{self.kernel}", data=fields)
        await self.web.aclose()


async def round_of(server: Server, count: int, siret: str) -> dict[str, float]:
    """Have agents open and use the dashboard together; median and last of each figure, memory, growth."""
    before = server.own()
    agents = [Agent(server.url) for _ in range(count)]
    await asyncio.gather(*(agent.open() for agent in agents))
    await asyncio.gather(*(agent.use(siret) for agent in agents))
    found: dict[str, float] = {}
    for name in FIGURES:
        values = [agent.times[name] for agent in agents]
        found[name] = statistics.median(values)
        if count > 1:
            found[f"{name}, last"] = max(values)
    found["PSS an agent"] = server.served() / count
    await asyncio.gather(*(agent.leave() for agent in agents))
    await asyncio.sleep(3)  # kernels end, others are prepared
    found["server growth an open"] = max(server.own() - before, 0.0) / count
    return found


@contextmanager
def chromium() -> Iterator[Any]:
    sys.path.insert(0, str(PROJECT / "tests"))
    from browsers import CHROMIUM_OPTIONS, find_chromium
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_OPTIONS))
        yield opened
        opened.close()


def drawn(browser: Any, server: Server, siret: str) -> dict[str, float]:
    """Open and use the dashboard in a browser: seconds until its field is there, until the table is drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="fr-FR")
    page = context.new_page()
    page.set_default_timeout(120_000)
    start = time.perf_counter()
    page.goto(f"{server.url}{PAGE}", wait_until="commit")
    field = page.get_by_role("combobox", name="Collectivité")
    field.wait_for(state="visible")
    found = {"interactive": time.perf_counter() - start}
    field.fill(siret[:9])
    page.get_by_role("option").first.wait_for(state="visible")
    start = time.perf_counter()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".wb-figure").first.wait_for(state="visible")
    found["table"] = time.perf_counter() - start
    context.close()
    time.sleep(3)
    return found


def table(title: str, found: dict[str, list[dict[str, float]]]) -> None:
    """Print the medians of both servers."""
    for name in found["ours"][0]:
        unit = "MB" if name.startswith(("PSS", "server")) else "s"
        ours, stock = (statistics.median(each[name] for each in found[kind]) for kind in ("ours", "stock"))
        ratio = f"×{stock / ours:.1f}" if ours else "–"
        print(f"| {title}: {name} | {ours:.2f} {unit} | {stock:.2f} {unit} | {ratio} |", flush=True)


def made_base(folder: Path) -> tuple[str, str]:
    """Make a base of fictitious communes; its path and a SIRET of it."""
    from workbench.dgfip import connect, import_balances, import_population, write_demonstration

    written = write_demonstration(folder / "sources", communes=6)
    base = str(folder / "base.duckdb")
    with connect(base, read_only=False) as opened:
        import_balances(opened, written.balances)
        import_population(opened, written.population)
    return base, written.example


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--agents", type=int, nargs="+", default=[1, 30])
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--base", help="a base of yours, with --siret")
    parser.add_argument("--siret")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wb-") as name:
        os.environ["WORKBENCH_RUNTIME"] = f"{name}/r"
        base, siret = (options.base, options.siret) if options.base else made_base(Path(name))
        servers = [Server(each, base, str(PROJECT / "trames")) for each in ("ours", "stock")]
        try:
            for server in servers:  # the zygote, caches, the first imports
                asyncio.run(round_of(server, 1, siret))
            print("| | ours | stock Voila | ratio |\n|---|---|---|---|", flush=True)
            for count in options.agents:
                found: dict[str, list[dict[str, float]]] = {"ours": [], "stock": []}
                for _ in range(options.runs):
                    for server in servers:
                        found[server.name].append(asyncio.run(round_of(server, count, siret)))
                table(f"{count} at once" if count > 1 else "one agent", found)
            if options.browser:
                found = {"ours": [], "stock": []}
                with chromium() as browser:
                    for _ in range(options.runs):
                        for server in servers:
                            found[server.name].append(drawn(browser, server, siret))
                table("one browser", found)
        finally:
            for server in servers:
                server.stop()
            for lock in (Path(name) / "r").glob("*.sock"):  # a zygote whose socket is gone ends
                lock.unlink()


if __name__ == "__main__":
    main()
