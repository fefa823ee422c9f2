"""Variables of fictitious companies against their floor: python benchmarks/variables.py [companies...] [--months 120].

The floor is to read every column of the facts once and to write the same output: the same rows, in the same order, one
file a month, encoded and compressed alike, each in one piece. Both are the median of five passes, of one above five
million rows. Facts are made by SQL: a workforce and a contribution a month, debts of a company in five, a procedure in
twenty, a balance sheet a year.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Column, MetaData, Table, select

from workbench.engines import open_store
from workbench.signaux_faibles.variables import AT_ONCE, Computation, Scope, Setting, write_variables
from workbench.signaux_faibles.variables.context import fields_of
from workbench.signaux_faibles.variables.output import month_writer
from workbench.signaux_faibles.variables.plan import chosen

FAMILIES = ("effectif", "cotisations", "procedures", "delais", "activite_partielle", "sommes", "cible")
SIREN = "printf('%09d', n // {each})"
SIRET = SIREN + " || printf('%05d', n % {each})"
MONTH = "(DATE '2010-01-01' + to_months(CAST(m AS INTEGER)))::DATE"
GRID = "range({companies}) a(n), range({months}) b(m)"
FACTS = {
    "effectif": (
        SIRET,
        {"numero_compte": "'1'", "periode": MONTH, "effectif": "10 + n % 40"},
        GRID,
        "true",
    ),
    "cotisation": (
        SIRET,
        {
            "numero_compte": "'1'",
            "periode_debut": MONTH,
            "periode_fin": f"({MONTH} + to_months(1))::DATE",
            "encaisse": "0",
            "du": "1000 + n % 977",
        },
        GRID,
        "true",
    ),
    "debit": (
        SIRET,
        {
            "numero_compte": "'1'",
            "numero_ecart_negatif": "(m // 4)::VARCHAR",
            "date_traitement": f"({MONTH} + CAST(n % 28 AS INTEGER))::DATE",
            "part_ouvriere": "(n * 7 + m * 13) % 3000",
            "part_patronale": "(n * 5 + m * 11) % 3000",
            "numero_historique": "m",
            "periode_debut": f"date_trunc('year', {MONTH})::DATE",
            "periode_fin": f"(date_trunc('year', {MONTH}) + to_months(3))::DATE",
        },
        GRID,
        "n % 5 = 0",
    ),
    "procol": (
        SIRET,
        {"date_effet": MONTH, "action_procol": "'redressement'", "stade_procol": "'ouverture'"},
        GRID,
        "n % 20 = 0 AND m = (n * 31) % {months}",
    ),
    "diane": (
        SIREN,
        {"arrete_bilan_diane": MONTH, "exercice_diane": "m // 12", "ca": "n + m", "valeur_ajoutee": "n - m"},
        GRID,
        "m % 12 = 11 AND n % {each} = 0",
    ),
}


_PASSES, _LONG = 5, 5_000_000


def make(path: Path, companies: int, months: int, each: int = 1) -> int:
    """Fill a base; return its rows."""
    store, rows = open_store(str(path)), 0
    with store.lock(), store.write() as writer:
        writer.create(_tables().values())
    with duckdb.connect(str(path.resolve())) as connection:
        for type_, (key, values, source, condition) in FACTS.items():
            names = ", ".join(f'"{name}"' for name in (next(iter(fields_of(type_))), *values))
            wanted = ", ".join((key.format(each=each), *values.values()))
            where = condition.format(months=months, each=each)
            connection.execute(
                f"INSERT INTO faits_{type_} ({names}) SELECT {wanted} "  # noqa: S608 - text of ours
                f"FROM {source.format(companies=companies * each, months=months)} WHERE {where} ORDER BY n, m"
            )
            found = connection.execute(f"SELECT count(*) FROM faits_{type_}").fetchone()  # noqa: S608
            rows += int(found[0]) if found else 0
    return rows


def reading(path: Path, passes: int) -> tuple[float, float]:
    """Return the seconds, on the clock and of the processor, that reading every column of the facts takes."""
    found = []
    for _ in range(passes):
        with duckdb.connect(str(path.resolve()), read_only=True) as connection, Stopwatch() as read:
            for type_ in FACTS:
                connection.execute(f"SELECT count(COLUMNS(*)) FROM faits_{type_}").fetchall()  # noqa: S608
        found.append((read.wall, read.processor))
    return _median(found)


def writing(folder: Path, to: Path, passes: int) -> tuple[float, float]:
    """Return the seconds that writing again what a folder of variables holds takes, month by month."""
    found = []
    to.mkdir()
    for _ in range(passes):
        wall = processor = 0.0
        for month in sorted(folder.glob("periode=*")):
            table = pa.concat_tables(
                pq.ParquetFile(each).read() for each in sorted(month.glob("*.parquet"))
            ).combine_chunks()
            with Stopwatch() as write, month_writer(to / f"{month.name}.parquet", table.schema) as writer:
                writer.write_table(table)
            wall, processor = wall + write.wall, processor + write.processor
        found.append((wall, processor))
    return _median(found)


def _median(found: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(wall for wall, _ in found), statistics.median(processor for _, processor in found)


def _tables() -> dict[str, Table]:
    metadata = MetaData()
    return {
        type_: Table(f"faits_{type_}", metadata, *(Column(name, kind) for name, kind in fields_of(type_).items()))
        for type_ in FACTS
    }


def measure(companies: int, months: int, every: bool, each: int, at: Path | None) -> None:
    """Print one line."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        base = root / "base.duckdb" if at is None else at / f"{companies}_{each}_{months}.duckdb"
        if not base.exists():
            make(base, companies, months, each)
        engine, _ = open_store(str(base)).open()
        relations = {type_: select(table) for type_, table in _tables().items()}
        end = date(2010 + months // 12, months % 12 + 1, 1)
        setting = Setting(date(2010, 1, 1), end, date(end.year - (end.month == 1), (end.month - 2) % 12 + 1, 1))
        codes = chosen((), Scope.ETABLISSEMENT, setting.definition, () if every else FAMILIES)
        work = Computation(engine, relations, setting, codes=codes, at_once=AT_ONCE)
        with Stopwatch() as spent:
            written = write_variables(work, root / "variables")
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        engine.close()
        passes = _PASSES if written.rows <= _LONG else 1
        read, write = reading(base, passes), writing(root / "variables", root / "plancher", passes)
        wall, processor = read[0] + write[0], read[1] + write[1]
        print(
            f"{companies:>8} × {months} : "
            f"{written.rows / 1e6:6.2f} M rows of {len(codes)}, {spent.wall:6.1f} s, "
            f"{written.rows / spent.wall / 1e3:6.0f} k rows/s, {memory:4.1f} GB, floor {wall:5.1f} s, "
            f"× {spent.wall / wall:4.1f}; processor {spent.processor:5.1f} s, "
            f"floor {read[1]:4.2f} + {write[1]:4.2f} s, × {spent.processor / processor:4.1f}",
            flush=True,
        )


class Stopwatch:
    """Seconds of a block, on the clock and of the processor: a machine that is shared slows the first only."""

    def __enter__(self) -> Stopwatch:
        self.wall, self.processor = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.processor = time.perf_counter() - self.wall, time.process_time() - self.processor


def main() -> None:
    """Measure each number of companies in a process of its own: memory is that of one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("companies", type=int, nargs="*", default=[1_000, 4_000])
    parser.add_argument("--months", type=int, default=120)
    parser.add_argument("--each", type=int, default=1, help="établissements of a company")
    parser.add_argument("--every", action="store_true", help="every variable, those of balance sheets among them")
    parser.add_argument("--bases", type=Path, help="a folder that keeps facts from one time to the next")
    parser.add_argument("--here", action="store_true", help="in this process")
    asked = parser.parse_args()
    for companies in asked.companies:
        if asked.here:
            measure(companies, asked.months, asked.every, asked.each, asked.bases)
        else:
            own = [str(companies), "--months", str(asked.months), "--each", str(asked.each), "--here"]
            own += ["--every"] if asked.every else []
            own += ["--bases", str(asked.bases)] if asked.bases else []
            subprocess.run([sys.executable, __file__, *own], check=True)


if __name__ == "__main__":
    main()
