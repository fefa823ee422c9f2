"""An Excel-only batch against the floor of writing its files.

    python benchmarks/batch.py --lines 3000 --processes 2

The floor is the same workbooks written in a loop by as many processes, from tables evaluated beforehand: nothing is
asked of a registry, nothing is checked, nothing can be taken up again. Processor time is what to compare on a machine
that does other things.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from workbench.dgfip import (
    connect,
    import_balances,
    import_comptes,
    import_population,
    perimetre,
    select_budgets,
    write_demonstration,
)
from workbench.evaluation import evaluate_apart
from workbench.registry import open_registry
from workbench.reports import write_excel
from workbench.reports.batch import run_batch, submit_batch
from workbench.reports.jobs_tables import ROOM, JobState
from workbench.trames import load_trame

PERIODS = 8


def _demonstration(folder: Path, communes: int) -> Path:
    written = write_demonstration(folder / "sources", communes=communes)
    path = folder / "base.duckdb"
    with connect(path, read_only=False) as base:
        import_balances(base, written.balances)
        import_population(base, written.population)
        import_comptes(base, written.comptes)
    return path


def _write(
    base: str, trame: str, sirets: list[str], years: list[tuple[int, int]], to: str, ready: Any, told: Any
) -> None:
    """One process of the floor: evaluates, waits for the others, writes."""
    loaded = load_trame(trame)
    with connect(base) as opened:
        tables = [
            (f"{siret}_{first}_{last}", table)
            for first, last in years
            for siret, table in evaluate_apart(loaded, opened, perimetre(sirets=sirets), range(first, last + 1))
        ]
    ready.wait()
    before = time.process_time()
    for name, table in tables:
        write_excel(table, None, Path(to) / f"{name}.xlsx")
    told.put(time.process_time() - before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=3000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--trame", default="trames/ofgl_agregats_m57.yaml")
    parser.add_argument("--registry", default=None, help="address; a SQLite file by default")
    given = parser.parse_args()
    communes = max(6, -(-given.lines // PERIODS))
    with tempfile.TemporaryDirectory(prefix="workbench-banc-") as name:
        folder = Path(name)
        base = _demonstration(folder, communes)
        with connect(base) as opened:
            found = select_budgets(opened, perimetre(types=["101"], nomenclature="M57"), None).to_pandas()
        # Whole histories only: a period that a commune lacks would be a line without a file.
        counted = found.groupby("siret")["exercice"].agg(["min", "max"])
        last = int(found["exercice"].max())
        sirets = [str(siret) for siret in counted.index]
        years = [(last - period % 2, last + period) for period in range(PERIODS)]
        lines = [(siret, *period) for period in years for siret in sirets][: given.lines]
        listed = folder / "liste.csv"
        rows = [f"{siret};{low};{high};Commune {place}" for place, (siret, low, high) in enumerate(lines)]
        listed.write_text("\n".join(["IDENTIFIANT;EXERCICE_MIN;EXERCICE_MAX;LIBELLE_DE_BUDGET", *rows]))

        def floor() -> tuple[float, float]:
            (folder / "plancher").mkdir()
            processes = multiprocessing.get_context("spawn")
            ready, told = processes.Barrier(given.processes + 1), processes.Queue()
            started = [
                processes.Process(
                    target=_write,
                    args=(str(base), given.trame, part, years, str(folder / "plancher"), ready, told),
                )
                for part in (sirets[place :: given.processes] for place in range(given.processes))
            ]
            for each in started:
                each.start()
            ready.wait()
            clock = time.perf_counter()
            spent = sum(told.get() for _ in started)
            return time.perf_counter() - clock, spent

        def batch() -> tuple[float, float]:
            clock, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            own = time.process_time()
            with open_registry(given.registry or folder / "registre.sqlite", rooms=[ROOM]) as registry:
                kept = submit_batch(registry, listed, trame=given.trame, to=folder / "lot", author="banc", base=base)
                result = run_batch(registry, kept, workers=given.processes)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if result.counts[JobState.DONE] != len(lines):
                raise SystemExit(f"not all done: {result.counts}")
            return time.perf_counter() - clock, spent + time.process_time() - own

        costs = []
        for title, work, to in (("floor", floor, "plancher"), ("batch", batch, "lot")):
            clock, spent = work()
            made = len([path for path in (folder / to).glob("*.xlsx") if not path.name.startswith("Log_")])
            each = f"{spent / made * 1000:.0f} ms of processor each"
            print(f"{title}: {made} workbooks in {clock:.1f} s, {made / clock * 60:.0f} a minute, {each}", flush=True)
            costs.append((clock / made, spent / made))
        (floor_clock, floor_spent), (clock, spent) = costs
        print(f"ratio: {clock / floor_clock:.2f} by the clock, {spent / floor_spent:.2f} of processor")


if __name__ == "__main__":
    main()
