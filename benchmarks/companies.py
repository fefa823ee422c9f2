"""The screens of companies at the size of a country: a list of 40 000 alerts, a search among many établissements.

    python benchmarks/companies.py [--only list search] [--alerts 40000] [--identities 50000 200000] [--agents 1 30]
                                   [--times 10] [--url postgresql+psycopg://… | --postgresql] [--explain]

The service of the store runs in its own process; agents are threads of others, each with her view of a screen, as a
kernel has. The directory is published by slices, as `publish_directory` does, and searched at each of its sizes. Told
of each gesture: median and p95 in milliseconds for one agent and for thirty at once. « first paint »
is a page that opens: labels, lists, follows, the first page of the list. The first reading of a list after its
publication, which all those of the same rights then share, is told apart; so is the memory of the service. What a
page and a kernel add is `benchmarks/screens.py`'s. On a shared machine the ratios hold, not the seconds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
from sqlalchemy import event, text

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from workbench.dashboards.detection import DetectionView
from workbench.dashboards.recherche import SearchView
from workbench.identity.actor import Actor
from workbench.identity.tokens import TokenRules
from workbench.signaux_faibles.publication.directory import PART
from workbench.signaux_faibles.publication.labels import label_sheets
from workbench.signaux_faibles.publication.objects import (
    DETECTION,
    IDENTITY,
    LIST,
    SHOWN,
    Place,
    key_of,
    shared_sheets_of,
    sheets_of,
)
from workbench.signaux_faibles.publication.rights import AUTHOR, POLICIES, WRITER
from workbench.signaux_faibles.publication.territories import DEPARTEMENTS, FRANCE, region_of
from workbench.store import Client, Desk, Store, open_store

PUBLISHER = SimpleNamespace(email="p@exemple.fr", badges=frozenset({WRITER, "manager"}))
BATCH = "2603.banc"
"""The list; the last of all, which is the one that is shown first."""
WORDS = [
    "ateliers",
    "mecanique",
    "bois",
    "transports",
    "boulangerie",
    "batiment",
    "dupont",
    "martin",
    "garage",
    "durand",
]
SECTIONS = {"C": "25.62B", "F": "41.20A", "G": "46.39B", "H": "49.41A", "I": "56.10A", "J": "62.02A"}
BADGES = ("detection", "score", "urssaf", "dgefp", "bdf")
PEOPLE = {
    "national": frozenset({*BADGES, FRANCE}),
    "region": frozenset({*BADGES, "Bretagne"}),
    "departement": frozenset({*BADGES, "35"}),
}
QUERIES = {
    "rare name": "zyx17 boulangerie",
    "two words": "garage dup",
    "common word": "mecanique",
    "siren": "800012345",
    "word of every text": "commune",
}


def facts(number: int, draw: random.Random) -> dict[str, Any]:
    """Make a fictitious company up."""
    code = draw.choice(list(DEPARTEMENTS))
    section = draw.choice(list(SECTIONS))
    rare = f"zyx{number % 5000} " if number % 50 == 0 else ""
    return {
        "siren": f"8{number:08d}",
        "siret": f"8{number:08d}00011",
        "raison_sociale": f"{rare}{draw.choice(WORDS)} {draw.choice(WORDS)} {number}".upper(),
        "siege": True,
        "departement": code,
        "departements": [code],
        "region": region_of(code),
        "commune": f"COMMUNE {number % 3000}",
        "code_postal": f"{code:0<5}"[:5],
        "activite": SECTIONS[section],
        "libelle_activite": "Activité fictive",
        "section": section,
        "etat_administratif": "F" if draw.random() < 0.1 else "A",
        "date_creation": "2001-02-03",
        "dernier_effectif": draw.randrange(10, 900),
        "ca": draw.randrange(100, 90_000),
        "annee_ca": 2025,
        "variation_ca": round(draw.uniform(0.8, 1.2), 3),
        "resultat_expl": draw.randrange(-900, 900),
        "variation_resultat_expl": 0.98,
        "excedent_brut_d_exploitation": draw.randrange(-900, 900),
        "etat_procol": "in_bonis" if draw.random() < 0.95 else "sauvegarde",
        "score": round(draw.random(), 6),
        "alert": draw.choice(["Alerte seuil F1", "Alerte seuil F2"]),
        "diff": round(draw.uniform(-0.2, 0.2), 6),
        "premiere_alerte": draw.random() < 0.2,
        "urssaf": draw.random() < 0.4,
        "delai_urssaf": draw.random() < 0.1,
        "activite_partielle": False,
    }


def alerts(count: int) -> Iterator[dict[str, Any]]:
    """Write a list as publication does."""
    draw = random.Random(1)  # noqa: S311 - examples
    for number in range(count):
        told = facts(number, draw) | {"batch": BATCH}
        place = Place((told["departement"],), alerted=True)
        yield from sheets_of(DETECTION, key_of(DETECTION, told), told, place)


def identities(first: int, count: int) -> Iterator[dict[str, Any]]:
    """Write what a search finds: the sheet for everyone, as the directory has it."""
    draw = random.Random(first)  # noqa: S311 - examples
    for number in range(first, first + count):
        told = facts(number, draw) | {"adresse": f"{number % 200} RUE DES ESSAIS", "categorie_juridique": "5710"}
        told |= {"latitude": round(draw.uniform(42, 51), 6), "longitude": round(draw.uniform(-4, 8), 6)}
        value = {"sirene": {name: told.get(name) for name in SHOWN}, **told}
        yield next(shared_sheets_of(IDENTITY, key_of(IDENTITY, told), value, Place((), alerted=False)))


def publish(store: Store, asked: argparse.Namespace) -> None:
    """Fill the store."""
    store.install(POLICIES)
    about = {"libelle": "Février 2026", "date": "2026-02-28", "donnees": {}}
    store.put(PUBLISHER, "reference", label_sheets({}))
    key = key_of(LIST, {"batch": BATCH})
    store.put(PUBLISHER, "reference", sheets_of(LIST, key, about, Place((), alerted=False)))
    if "list" in asked.only:
        begun = time.perf_counter()
        written = store.put(PUBLISHER, "public", alerts(asked.alerts))
        print(f"list of {asked.alerts}, {written} sheets in {time.perf_counter() - begun:.0f} s", flush=True)
        analyze(store)


def extend(store: Store, first: int, last: int) -> None:
    """Publish more of the directory."""
    begun, cpu = time.perf_counter(), time.process_time()
    for start in range(first, last, PART):
        store.replace(PUBLISHER, {"public": identities(start, min(PART, last - start))}, whole=False)
    spent, cpu = time.perf_counter() - begun, time.process_time() - cpu
    rate = (last - first) / spent
    print(f"\ndirectory of {last}: {rate:.0f} établissements a second, CPU of Python {cpu / spent:.0%}", flush=True)
    analyze(store)


def analyze(store: Store) -> None:
    """Let the database know what it holds, as it does by itself within minutes; say how much room that takes."""
    with store.registry.write() as connection:
        connection.execute(text("ANALYZE"))
        if connection.dialect.name == "postgresql":
            size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
            print(f"database: {size / 1e6:.0f} MB", flush=True)


class Anyone:
    """Takes a token for the name of one of `PEOPLE`."""

    rules = TokenRules("https://id.exemple.fr", "workbench")

    async def verify_async(self, token: str) -> Actor:
        name, _, badges = token.partition("+")
        return Actor(f"{name}@exemple.fr", name, "", PEOPLE[badges], datetime(9999, 1, 1, tzinfo=UTC))


def service(address: str, port: int) -> None:
    """Serve a store."""
    import uvicorn

    from workbench.store.app import create_app

    with open_store(address) as store:
        uvicorn.run(create_app(store, Anyone()), port=port, log_level="error")  # type: ignore[arg-type]


@contextmanager
def served(address: str) -> Iterator[tuple[str, psutil.Process]]:
    """Serve a store in another process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=service, args=(address, port), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                httpx.get(f"{url}/openapi.json", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.join()


def door(url: str, name: str, badges: str) -> Client:
    """Reach the service as a person."""
    # The e-mail address of a kernel is read in its token; here the token is a name.
    client = type("Agent", (Client,), {"email": f"{name}@exemple.fr"})
    return client(url, token=f"{name}+{badges}", timeout=600)


def list_gestures(url: str, name: str, badges: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give what an agent does with a list."""
    draw = random.Random(name)  # noqa: S311 - examples
    reached = door(url, name, badges)
    opened: list[DetectionView] = []

    def opening() -> None:
        view = DetectionView(reached)
        view.recall(None)
        view.answer()
        view.form()
        opened[:] = [view]

    def change() -> None:
        view = opened[0]
        view.choose("sections", draw.sample(list(SECTIONS), 3))
        view.choose("effectif", draw.choice([0, 10, 20, 50, 100]))
        view.answer()
        view.form()

    def quick() -> None:
        opened[0].choose("words", draw.choice(WORDS))
        opened[0].answer()
        opened[0].choose("words", "")

    def sheet() -> None:
        siret = opened[0].answer()["rows"][0]["siret"]
        reached.get("public", {"siret": siret})

    yield "first paint", opening
    yield "filter change", change
    yield "quick filter", quick
    yield "sheet opening", sheet


def search_gestures(url: str, name: str, badges: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give what an agent does with the search."""
    view = SearchView(door(url, name, badges))

    def asking(words: str, **choices: Any) -> Callable[[], object]:
        def ask() -> None:
            view.search(words, choices)
            view.answer()

        return ask

    for what, words in QUERIES.items():
        yield what, asking(words)
    yield "two words, zone", asking(QUERIES["two words"], zone="departement:35", state="ouverts")

    def total() -> None:
        view.search(QUERIES["common word"], {})
        view.total()

    yield "total of a common word", total


def at_once(agents: int, times: int, gestures: Callable[..., Any], url: str, badges: str) -> dict[str, list[float]]:
    """Let so many agents do each gesture so many times, all at once; return the milliseconds of each."""
    spent: dict[str, list[float]] = {}
    lock = threading.Lock()
    barrier = threading.Barrier(agents)
    failed: list[Exception] = []

    def work(number: int) -> None:
        try:
            for what, gesture in gestures(url, f"agent{number}", badges):
                barrier.wait(600)
                for _ in range(times):
                    begun = time.perf_counter()
                    gesture()
                    with lock:
                        spent.setdefault(what, []).append(1000 * (time.perf_counter() - begun))
        except Exception as error:  # noqa: BLE001 - said by the main thread
            failed.append(error)
            barrier.abort()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(agents)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if failed:
        raise failed[0]
    return spent


def show(name: str, agents: int, spent: dict[str, list[float]]) -> None:
    """Print medians and p95."""
    for what, durations in spent.items():
        last = sorted(durations)[min(len(durations) - 1, int(0.95 * len(durations)))]
        median = statistics.median(durations)
        print(f"{name:12} {agents:3} agents  {what:24} median {median:8.1f} ms   p95 {last:8.1f} ms", flush=True)


def explain(store: Store) -> None:
    """Show the plan of each statement of a search."""
    statements: list[tuple[str, Any]] = []
    desk = Desk(store, SimpleNamespace(email="a@exemple.fr", badges=PEOPLE["region"]))
    event.listen(store.registry.engine, "before_cursor_execute", lambda *given: statements.append((given[2], given[3])))
    for what, words in QUERIES.items():
        statements.clear()
        desk.search("public", text=words, key={"type": "identite"}, limit=21)
        print(f"--- {what}", flush=True)
        with store.registry.read() as connection:
            sqlite = connection.dialect.name == "sqlite"
            for statement, values in [each for each in statements if "store_text" in each[0]]:
                prefix = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN (ANALYZE, BUFFERS)"
                for row in connection.exec_driver_sql(f"{prefix} {statement}", values):
                    print("   ", row[-1], flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=["list", "search"], choices=["list", "search"])
    parser.add_argument("--alerts", type=int, default=40_000)
    parser.add_argument("--identities", type=int, nargs="+", default=[50_000, 200_000])
    parser.add_argument("--agents", type=int, nargs="+", default=[1, 30])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--people", nargs="+", default=list(PEOPLE), choices=list(PEOPLE))
    parser.add_argument("--follows", type=int, default=0, help="companies that each agent follows, for the list")
    parser.add_argument("--url")
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--explain", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = asked.url or str(folder / "registre.sqlite")
        if asked.postgresql:
            from postgresql_server import SETTINGS, postgresql_server

            # A directory writes gigabytes: what is done is not kept twice.
            SETTINGS["max_wal_size"] = "512MB"
            address = stack.enter_context(postgresql_server())()
        with open_store(address) as store:
            publish(store, asked)
        url, process = stack.enter_context(served(address))
        if "list" in asked.only:
            for name in asked.people:
                before = process.memory_info().rss
                begun = time.perf_counter()
                DetectionView(door(url, "first", name)).form()
                grown = (process.memory_info().rss - before) / 2**20
                spent = time.perf_counter() - begun
                print(f"{name:12} first reading of the list {spent:.1f} s, service + {grown:.0f} MiB", flush=True)
                measure(asked, url, name, list_gestures)
            if asked.follows:
                with open_store(address) as store:
                    follow(store, asked)
                print(f"\neach agent follows {asked.follows} companies of her own", flush=True)
                for name in asked.people:
                    measure(asked, url, name, list_gestures)
        if "search" in asked.only:
            published = 0
            for size in sorted(asked.identities):
                with open_store(address) as store:
                    extend(store, published, size)
                    published = size
                    if asked.explain:
                        explain(store)
                for name in asked.people:
                    measure(asked, url, name, search_gestures)
        print(f"service: {process.memory_info().rss / 2**20:.0f} MiB", flush=True)


def follow(store: Store, asked: argparse.Namespace) -> None:
    """Let each agent follow companies that nobody else follows."""
    for agent in range(max(asked.agents)):
        writer = SimpleNamespace(email=f"agent{agent}@exemple.fr", badges=frozenset({AUTHOR}))
        numbers = (agent * asked.follows + each for each in range(asked.follows))
        keys = ({"siret": f"8{n:08d}00011", "siren": f"8{n:08d}", "author": writer.email} for n in numbers)
        store.put(writer, "suivi", [{"key": key, "scope": [AUTHOR], "value": {"actif": True}} for key in keys])


def measure(asked: argparse.Namespace, url: str, name: str, gestures: Callable[..., Any]) -> None:
    """Time gestures for each number of agents."""
    for agents in asked.agents:
        show(name, agents, at_once(agents, asked.times, gestures, url, name))


if __name__ == "__main__":
    main()
