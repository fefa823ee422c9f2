"""The whole product under load, then its parts killed one after the other: python benchmarks/load.py [--minutes 20].

One `workbench up` where people log in, on fictitious communes. At once and without a pause: agents who open
`collectivite`, search, choose and leave; files sent by tus; reports of which the workers never lack; the same balances
imported again, each import a new snapshot under those who read. Each minute gives its figures; after the first ones,
which warm, memory must be flat. Then each part is killed while the same goes on: the time until it serves again, and
whether all that was acknowledged is there in the end.

    --agents 30 --uploads 20 --workers 4 --megabytes 8 --kills 3
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT), str(PROJECT / "benchmarks"), str(PROJECT / "tests" / "dashboards")]

AUTHOR = "agent00@exemple.fr"
WARM_MINUTES = 3


@dataclass
class Journal:
    """What happened: durations by kind, and what went wrong; one for all threads."""

    guard: threading.Lock = field(default_factory=threading.Lock)
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    excused: bool = False
    begun: float = 0.0  # when the youngest page that became ready was asked for

    def ready(self, begun: float) -> None:
        with self.guard:
            self.begun = max(self.begun, begun)

    def took(self, kind: str, seconds: float) -> None:
        with self.guard:
            self.times[kind].append(seconds)

    def failed(self, what: str, error: BaseException) -> None:
        if not self.excused:
            with self.guard:
                self.wrong.append(f"{time.strftime('%H:%M:%S')} {what}: {type(error).__name__} {str(error)[:200]}")
            print(f"error: {self.wrong[-1]}", flush=True)

    def emptied(self) -> dict[str, list[float]]:
        with self.guard:
            found, self.times = self.times, defaultdict(list)
        return found


class Installation:
    """A base, people, a depot, and the server."""

    def __init__(self, root: Path, agents: int, workers: int) -> None:
        from people import make_people

        from workbench.dgfip import connect, import_balances, import_population, write_demonstration
        from workbench.identity.people import People
        from workbench.identity.tables import ROOM
        from workbench.registry import open_registry

        self.root, self.workers = root, workers
        self.written = write_demonstration(root / "sources", communes=6)
        self.base = str(root / "base.duckdb")
        with connect(self.base, read_only=False) as opened:
            import_balances(opened, self.written.balances)
            import_population(opened, self.written.population)
        self.names = [f"agent{number:02}" for number in range(agents)]
        variables = make_people(root, {each: ["analyste"] for each in self.names})
        with open_registry(variables["WORKBENCH_REGISTRE"], rooms=[ROOM]) as registry:
            for each in self.names:
                People(registry).set_space(f"{each}@exemple.fr", each)
        self.serve(variables)

    def serve(self, variables: dict[str, str]) -> None:
        """Start what is installed."""
        for each in ("tusd", "public"):
            (self.root / "depot" / each).mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        os.environ |= {
            **variables,
            "PYTHONPATH": str(PROJECT),
            "WORKBENCH_BASE": self.base,
            "WORKBENCH_DEPOT": str(self.root / "depot"),
            "WORKBENCH_REPORTS": str(self.root / "rapports"),
            "WORKBENCH_HISTORIQUE": str(self.root / "historique.duckdb"),
            "WORKBENCH_RUNTIME": str(self.root / "r"),
            "WORKBENCH_ISSUER": "",
        }
        self.log = (self.root / "journal").open("w")
        self.start()

    def start(self) -> None:
        up = ["up", "--port", str(self.port), "--base", self.base, "--workers", str(self.workers)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli", *up], cwd=PROJECT, stdout=self.log, stderr=self.log
        )
        for _ in range(600):
            time.sleep(0.1)
            if self.process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}/", timeout=5).status_code < 500:
                    return
            except httpx.TransportError:
                continue
        raise SystemExit(f"no answer: {(self.root / 'journal').read_text()[-2000:]}")

    def children(self, word: str) -> list[psutil.Process]:
        """Processes of the server whose command has a word."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        return [each for each in found if word in " ".join(_words(each))]

    def zygotes(self) -> list[psutil.Process]:
        """What kernels are forked from, which is nobody's child."""
        mark = f"{self.root}/r/"
        return [each for each in psutil.process_iter() if mark in " ".join(_words(each)) and each.pid != os.getpid()]

    def memory(self) -> dict[str, float]:
        """MB (PSS) of the server, of its children, of the kernels with their zygote."""
        from agents import pss

        children = psutil.Process(self.process.pid).children(recursive=True)
        return {
            "server": pss(self.process.pid),
            "workers": sum(pss(each.pid) for each in children),
            "kernels": sum(pss(each.pid) for each in self.zygotes()),
        }

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


class Load:
    """What goes on until it is told to stop."""

    def __init__(self, place: Installation, journal: Journal, options: argparse.Namespace) -> None:
        self.place, self.journal, self.options = place, journal, options
        self.stopped = threading.Event()
        self.sent: dict[str, str] = {}
        self.asked: list[str] = []
        self.imports = 0
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        works: list[Callable[[], None]] = [self._agents, self._reports, self._imports]
        works += [lambda number=number: self._uploads(number) for number in range(self.options.uploads)]
        for work in works:
            self._threads.append(threading.Thread(target=work, daemon=True))
            self._threads[-1].start()

    def stop(self) -> None:
        self.stopped.set()
        for each in self._threads:
            each.join(300)

    # --- agents

    def _agents(self) -> None:
        asyncio.run(self._all_agents())

    async def _all_agents(self) -> None:
        await asyncio.gather(*(self._agent(name) for name in self.place.names))

    async def _agent(self, name: str) -> None:
        from agents import Agent
        from people import logged_in

        def cookies() -> dict[str, str]:
            with logged_in(self.place, name) as web:
                return dict(web.cookies)

        held: dict[str, str] = {}
        while not self.stopped.is_set():
            agent = Agent(self.place.url)
            try:
                if not held:
                    start = time.perf_counter()
                    held = await asyncio.to_thread(cookies)
                    self.journal.took("login", time.perf_counter() - start)
                agent.web.cookies.update(held)
                begun = time.perf_counter()
                await asyncio.wait_for(agent.open(), 120)
                self.journal.ready(begun)
                await asyncio.wait_for(agent.use(self.place.written.example), 120)
                await asyncio.sleep(2)  # she reads
                await agent.leave()
                for kind, seconds in agent.times.items():
                    self.journal.took(kind, seconds)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong is counted
                self.journal.failed(f"agent {name} {agent.told}", error)
                held = {}
                with suppress(Exception):  # or her kernel would stay until it is culled
                    await asyncio.wait_for(agent.leave(), 30)
                await asyncio.sleep(1)

    # --- reports

    def _reports(self) -> None:
        from workbench.registry import open_registry
        from workbench.reports.jobs import Wanted, jobs_of, submit
        from workbench.reports.jobs_spec import JobSpec
        from workbench.reports.jobs_tables import ROOM, JobState

        spec = JobSpec(
            "report",
            (2020, 2099),
            base=self.place.base,
            trame=str(PROJECT / "trames" / "ofgl_agregats_m57.yaml"),
            sirets=(self.place.written.example,),
            formats=("html",),
        )
        with open_registry(os.environ["WORKBENCH_REGISTRE"], rooms=[ROOM]) as registry:
            while not self.stopped.is_set():
                try:
                    waiting = jobs_of(registry, AUTHOR, states=[JobState.PENDING])
                    if len(waiting) < 2 * self.options.workers:
                        wanted = [Wanted(spec, [f"rapport {len(self.asked) + number}"]) for number in range(4)]
                        batch = submit(registry, wanted, author=AUTHOR, folder=self.place.root / "faits")
                        self.asked += [batch.id] if batch else []
                except Exception as error:  # noqa: BLE001
                    self.journal.failed("submit", error)
                self.stopped.wait(1)

    def ended(self) -> tuple[int, dict[str, int]]:
        """How many reports were asked for, and how they ended, once all did or some minutes passed."""
        from workbench.registry import open_registry
        from workbench.reports.jobs import jobs_of
        from workbench.reports.jobs_tables import ENDED, ROOM

        with open_registry(os.environ["WORKBENCH_REGISTRE"], rooms=[ROOM]) as registry:
            for _ in range(600):
                jobs = [job for batch in self.asked for job in jobs_of(registry, AUTHOR, batch=batch)]
                if all(job.state in ENDED for job in jobs):
                    break
                time.sleep(1)
        found: dict[str, int] = defaultdict(int)
        for job in jobs:
            there = all((self.place.root / "faits" / name).is_file() for name in job.files.values())
            found[job.state.value if there else f"{job.state.value} without its file"] += 1
            if self.options.verbose and job.cause:
                print(job.cause, file=sys.stderr)
        return len(jobs), dict(found)

    # --- files

    def _uploads(self, number: int) -> None:
        from people import token_of

        from workbench.uploads.client import UploadClient

        name = self.place.names[number % len(self.place.names)]
        folder = self.place.root / "envois" / str(number)
        folder.mkdir(parents=True)
        client = UploadClient(
            f"{self.place.url}/files/",
            lambda: token_of(self.place, self.place.root, name),
            chunk=2**20,
            memory=folder / "memoire",
            retry_seconds=[1.0] * 120,
        )
        turn = 0
        while not self.stopped.is_set():
            path = folder / f"fichier_{turn}.csv"
            path.write_bytes(os.urandom(self.options.megabytes * 2**20))
            start = time.perf_counter()
            try:
                sent = client.send(path)
                self.journal.took("upload", time.perf_counter() - start)
                self.sent[sent.url.rpartition("/")[2]] = hashlib.sha256(path.read_bytes()).hexdigest()
            except Exception as error:  # noqa: BLE001
                self.journal.failed(f"upload {name}", error)
            path.unlink()
            turn += 1
            self.stopped.wait(self.options.pause)

    def lost(self) -> list[str]:
        """The uploads that were acknowledged whole and are not there, byte for byte."""
        found = []
        for identifier, digest in self.sent.items():
            path = self.place.root / "depot" / "tusd" / f"{identifier}.bin"
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                found.append(identifier)
        return found

    # --- imports

    def _imports(self) -> None:
        balances = [str(each) for each in self.place.written.balances]
        while not self.stopped.is_set():
            start = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "workbench.cli", "base", "import", *balances, "--base", self.place.base],
                cwd=PROJECT,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                self.journal.failed("import", RuntimeError(done.stderr[-300:]))
            else:
                self.journal.took("import", time.perf_counter() - start)
                self.imports += 1
            subprocess.run(
                [sys.executable, "-m", "workbench.cli", "base", "prune", "--base", self.place.base],
                cwd=PROJECT,
                capture_output=True,
                check=False,
            )
            self.stopped.wait(20)


def shown(values: list[float]) -> str:
    if not values:
        return "–"
    ordered = sorted(values)
    return f"{statistics.median(ordered):.2f} / {ordered[-(-95 * len(ordered) // 100) - 1]:.2f}"


KINDS = ("login", "first content", "interactive", "search", "table", "upload", "import")


def watch(load: Load, minutes: int) -> list[dict[str, float]]:
    """Print a line a minute: median and 95th percentile of each kind, seconds; memory; what went wrong."""
    print("| minute | " + " | ".join(KINDS) + " | server MB | workers MB | kernels MB | errors |")
    print("|---" * (len(KINDS) + 5) + "|", flush=True)
    memories = []
    for minute in range(1, minutes + 1):
        time.sleep(60)
        memory = load.place.memory()
        memories.append(memory)
        times = load.journal.emptied()
        cells = [shown(times.get(kind, [])) for kind in KINDS]
        sizes = [f"{memory[name]:.0f}" for name in ("server", "workers", "kernels")]
        print(f"| {minute} | " + " | ".join([*cells, *sizes, str(len(load.journal.wrong))]) + " |", flush=True)
    return memories


def kills(load: Load, runs: int) -> None:
    """Kill each part in turn; print how long until what it serves is served again."""
    place = load.place
    load.journal.excused = True

    def one_page() -> None:
        killed = time.perf_counter()
        _until(lambda: load.journal.begun > killed)

    def one_report() -> None:
        before = _done(load)
        _until(lambda: _done(load) > before)

    def server() -> None:
        place.process.kill()
        place.process.wait()
        place.start()

    def first(found: list[psutil.Process]) -> None:
        if not found:
            raise SystemExit("nothing to kill")
        found[0].kill()

    parts: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "a worker of reports": (lambda: first(place.children("jobs_pool")), one_report),
        "the zygote of kernels": (
            lambda: first(sorted(place.zygotes(), key=lambda each: each.create_time())),
            one_page,
        ),
        "the server, started again at once": (server, one_page),
    }
    print("\n| killed | answers after, s | served again after, s | logins since, median / 95th, s |\n|---|---|---|---|")
    for name, (kill, again) in parts.items():
        answers, waits, logins = [], [], []
        for _ in range(runs):
            load.journal.emptied()
            start = time.perf_counter()
            kill()
            answers.append(time.perf_counter() - start)
            again()
            waits.append(time.perf_counter() - start)
            time.sleep(5)
            logins += load.journal.emptied().get("login", [])
        cells = [", ".join(f"{each:.1f}" for each in values) for values in (answers, waits)]
        print(f"| {name} | {' | '.join(cells)} | {shown(logins)} |", flush=True)


def _until(condition: Callable[[], bool]) -> None:
    start = time.perf_counter()
    while not condition():
        if time.perf_counter() - start > 300:
            raise SystemExit("not served again in five minutes")
        time.sleep(0.1)


def _done(load: Load) -> int:
    return sum(1 for each in (load.place.root / "faits").glob("*.html"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--agents", type=int, default=30)
    parser.add_argument("--uploads", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--megabytes", type=int, default=8)
    parser.add_argument("--pause", type=float, default=10.0, help="seconds between two files of a partner")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wb-charge-") as name:
        place = Installation(Path(name), options.agents, options.workers)
        journal = Journal()
        load = Load(place, journal, options)
        try:
            load.start()
            memories = watch(load, options.minutes)
            if len(memories) > WARM_MINUTES:
                for part in ("server", "workers", "kernels"):
                    kept = [each[part] for each in memories[WARM_MINUTES:]]
                    half = len(kept) // 2 or 1
                    drift = statistics.median(kept[-half:]) - statistics.median(kept[:half])
                    print(f"{part}: {drift:+.0f} MB from the first half to the second, after {WARM_MINUTES} minutes")
            if options.kills:
                kills(load, options.kills)
            load.stop()
            asked, ended = load.ended()
            print(f"\n{asked} reports asked for: {ended}; {len(load.sent)} files acknowledged, lost: {load.lost()}; ")
            print(f"{load.imports} imports; {len(journal.wrong)} errors outside of the kills")
        finally:
            load.stopped.set()
            place.stop()
            for each in place.zygotes():
                each.kill()


if __name__ == "__main__":
    main()
