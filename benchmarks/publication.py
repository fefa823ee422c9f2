"""Publishing companies and reading them: seconds of CPU and of clock, by number of companies.

    python benchmarks/publication.py --companies 3000 [--address postgresql://…]

A fictitious publication (two lists) is written, written again (nothing changes), then read as each of the demonstration
actors does: the first page of a list by score, and a company with all its établissements, with no follow and with 300.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.publication.demonstration import ACTORS, publish_fictitious
from workbench.signaux_faibles.publication.rights import AUTHOR
from workbench.store import open_store


def timed(name: str, call: Callable[[], Any], times: int = 1) -> Any:
    clocks, cpus, found = [], [], None
    for _ in range(times):
        clock, cpu = time.perf_counter(), time.process_time()
        try:
            found = call()
        except WorkbenchError as error:
            found = error.code
        clocks.append(time.perf_counter() - clock)
        cpus.append(time.process_time() - cpu)
    print(f"{name:60} {statistics.median(clocks):9.3f} s {statistics.median(cpus):9.3f} s CPU", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--companies", type=int, default=3000)
    parser.add_argument("--address", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        address = given.address or str(Path(folder) / "registre.sqlite")
        with open_store(address) as store:
            planted = timed("publish", lambda: publish_fictitious(store, companies=given.companies))
            print(f"  {len(planted.sirets)} établissements, {planted.sheets} sheets")
            timed("publish again", lambda: publish_fictitious(store, companies=given.companies))
            if not given.address:
                print(f"  {Path(address).stat().st_size / 1e6:.0f} MB")
            page = {"type": "detection", "batch": planted.batches[-1]}
            by_score = [{"field": "score", "order": -1}]
            for follows in (0, 300):
                for name, actor in ACTORS.items():
                    for siret in planted.sirets[:follows]:
                        key = {"siret": siret, "siren": siret[:9], "author": actor.email}
                        value = {"actif": True, "categorie": "autre", "motif": "mesure"}
                        store.put(actor, "suivi", [{"key": key, "scope": [AUTHOR], "value": value}])
                    timed(
                        f"{name}, {follows} follows: 50 first of the list",
                        lambda actor=actor: store.get(actor, "public", page, sort=by_score, limit=50),
                        5,
                    )
                    timed(
                        f"{name}, {follows} follows: a company",
                        lambda actor=actor: store.get(actor, "public", {"siren": planted.siren["alerte"]}),
                        5,
                    )


if __name__ == "__main__":
    main()
