"""Agents who open the screens of companies in a real server: milliseconds, and memory an agent.

    python benchmarks/screens.py [--alerts 40000] [--agents 1 30] [--runs 3]

A list is published, people log in, and each has a page and a kernel of her own, without a browser (`agents.Agent`).
« first content » is a page with something to show, « ready » one that answers; then what is done on it. All the agents
of a round do each thing together. Memory is the proportional set size (PSS) of kernels, those in reserve and what they
are forked from with them, over the number of agents whose page is open. The first reading of the list, which those of
the same rights share, is told apart. On a shared machine the ratios hold, not the seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "dashboards"))

from agents import Agent, pss
from companies import PEOPLE, SECTIONS, WORDS, publish
from load import Installation
from people import logged_in, make_people

from workbench.dgfip import connect
from workbench.signaux_faibles.publication.demonstration import publish_fictitious
from workbench.store import open_store


class Detection(Agent):
    """She reads the list, and filters it."""

    page = "/voila/render/detection.ipynb"

    def told_to(self, state: dict[str, Any]) -> bool:
        return "person" in (state.get("form") or {})

    async def answered(self, what: str, **asked: Any) -> None:
        """Ask, and wait for the page of the list."""
        start = time.perf_counter()
        self.step = what
        await self.tell(asked)
        await self.hear(lambda data: "answer" in data.get("state", {}))
        self.times[what] = time.perf_counter() - start

    async def use(self, draw: str) -> None:
        await self.answered("list shown", kind="recall", choices=None)
        # Not the sector of the first filters: an answer that is the same would not be sent again.
        others = random.Random(draw).sample(list(SECTIONS)[1:], 3)  # noqa: S311 - examples
        await self.answered("filter change", kind="choose", field="sections", value=others)


class Search(Detection):
    """She searches by name."""

    page = "/voila/render/recherche.ipynb"

    def told_to(self, state: dict[str, Any]) -> bool:
        return "total" in state

    async def use(self, draw: str) -> None:
        await self.answered("search", kind="search", text=random.Random(draw).choice(WORDS), choices={})  # noqa: S311


class Sheet(Agent):
    """She opens a sheet, which is whole when the page is."""

    siret: ClassVar[str] = ""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.page = f"/voila/render/etablissement.ipynb?siret={self.siret}"

    def told_to(self, state: dict[str, Any]) -> bool:
        return bool(state.get("blocks"))

    async def use(self, draw: str) -> None:
        """Nothing else: she reads."""


SCREENS: dict[str, type[Agent]] = {"detection": Detection, "search": Search, "sheet": Sheet}


class Published(Installation):
    """A server with a list, and people who may read it all."""

    def __init__(self, root: Path, agents: int, alerts: int) -> None:
        self.root, self.workers = root, 0
        self.base = str(root / "base.duckdb")
        connect(self.base, read_only=False).close()
        self.names = [f"agent{number:02}" for number in range(agents)]
        variables = make_people(root, {each: sorted(PEOPLE["national"]) for each in self.names})
        with open_store(variables["WORKBENCH_REGISTRE"]) as store:
            Sheet.siret = publish_fictitious(store, companies=60).siret["plusieurs_departements"]
            publish(store, SimpleNamespace(only=["list"], alerts=alerts))
        self.serve(variables)


async def round_of(place: Installation, screen: type[Agent], cookies: list[dict[str, str]], run: int) -> dict[str, Any]:
    """Have agents open a screen and use it together; return the seconds of each thing, and MB."""
    before = pss(place.process.pid)
    agents = [screen(place.url) for _ in cookies]
    for agent, held in zip(agents, cookies, strict=True):
        agent.web.cookies.update(held)
    await asyncio.gather(*(agent.open() for agent in agents))
    await asyncio.gather(*(agent.use(f"{run} {number}") for number, agent in enumerate(agents)))
    memory = {"kernels": place.memory()["kernels"] / len(agents), "server": pss(place.process.pid) - before}
    await asyncio.gather(*(agent.leave() for agent in agents))
    await asyncio.sleep(3)  # kernels end, others are prepared
    return {"times": [agent.times for agent in agents], **memory}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=40_000)
    parser.add_argument("--agents", type=int, nargs="+", default=[1, 30])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--screens", nargs="+", default=list(SCREENS), choices=list(SCREENS))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wb-") as folder:
        place = Published(Path(folder), max(asked.agents), asked.alerts)
        try:
            cookies = []
            for name in place.names:
                with logged_in(place, name) as web:
                    cookies.append(dict(web.cookies))
            for screen in asked.screens:
                first = asyncio.run(round_of(place, SCREENS[screen], cookies[:1], -1))
                said = ", ".join(f"{what} {1000 * spent:.0f} ms" for what, spent in first["times"][0].items())
                print(f"{screen:10} the first opening after publication: {said}", flush=True)
                for agents in asked.agents:
                    here = cookies[:agents]
                    found = [asyncio.run(round_of(place, SCREENS[screen], here, run)) for run in range(asked.runs)]
                    show(f"{screen:10} {agents:3} agents", found)
        finally:
            place.stop()


def show(title: str, found: list[dict[str, Any]]) -> None:
    """Print medians, p95, memory."""
    spent: dict[str, list[float]] = defaultdict(list)
    for times in (each for one in found for each in one["times"]):
        for what, seconds in times.items():
            spent["ready" if what == "interactive" else what].append(1000 * seconds)
    for what, durations in spent.items():
        last = sorted(durations)[min(len(durations) - 1, int(0.95 * len(durations)))]
        print(f"{title}  {what:14} median {statistics.median(durations):8.0f} ms   p95 {last:8.0f} ms", flush=True)
    kernels, server = (statistics.median(one[name] for one in found) for name in ("kernels", "server"))
    print(f"{title}  memory (PSS): {kernels:.1f} MB an agent, server + {server:.0f} MB\n", flush=True)


if __name__ == "__main__":
    main()
