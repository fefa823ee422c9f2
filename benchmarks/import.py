"""Import of a national millésime: ``python benchmarks/import.py [rows] [url]``.

The file is made from a seed as the portal exports it (nature presentation, csv.gz, lower-case
header, dots), budget by budget in double entry, streamed to disk and removed at the end: 115 rows a
budget on average, a few amounts a row. The import runs in a process of its own, whose peak memory
is printed. The floor is DuckDB's typed parse of the same file into a table of its own, in a process
of its own too. Rows halved and quartered give the growth exponent and show what memory does.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv
from synthetic import SEED, chart

ROWS = 7_000_000
LINES = 115
AIM = 3.0
TEXTS = (
    *("exer", "ident", "ndept", "lbudg", "insee", "cbudg", "ctype", "cstyp", "nomen", "siren", "cregi", "cacti"),
    *("secteur", "finess", "codbud1", "categ", "bal", "compte"),
)
AMOUNTS = ("bedeb", "becre", "obnetdeb", "obnetcre", "onbdeb", "onbcre", "oobdeb", "oobcre", "sd", "sc")
TYPES = {"exer": "INTEGER"} | dict.fromkeys(AMOUNTS, "DECIMAL(18,2)")

PARSE = """
import json, resource, sys, time
import duckdb
path, into, columns = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
start = time.perf_counter()
connection = duckdb.connect(into)
options = dict(delimiter=";", header=True, quotechar='"', auto_detect=False)
connection.read_csv(path, columns=columns, **options).create("parsed")
connection.close()
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""
IMPORT = """
import json, resource, sys, time
import workbench as wb
start = time.perf_counter()
with wb.connect(sys.argv[2], read_only=False) as base:
    report = wb.import_balances(base, sys.argv[1])
assert report.rows == int(sys.argv[3]), report
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def write_millesime(path: Path, rows: int, seed: int = SEED) -> int:
    """Write a file of about ``rows`` rows, a thousand budgets at a time; return their number."""
    rng = np.random.default_rng(seed)
    comptes = np.array(chart(np.random.default_rng(SEED)))
    share = rng.permutation(1 / np.arange(1, len(comptes) + 1) ** 0.9)
    share = np.minimum(share * LINES / share.sum(), 0.97)
    share = np.minimum(share * LINES / share.sum(), 0.99)
    written = first = 0
    with gzip.open(path, "wb", compresslevel=1) as stream:
        while written < rows:
            budget, compte = np.nonzero(rng.random((1_000, len(comptes))) < share)
            budget, compte = budget[: rows - written], compte[: rows - written]
            part = _rows(rng, budget + first, comptes[compte])
            options = csv.WriteOptions(include_header=written == 0, delimiter=";", quoting_style="needed")
            csv.write_csv(part, stream, options)
            written, first = written + len(part), first + 1_000
    return written


def _rows(rng: np.random.Generator, budget: np.ndarray, compte: np.ndarray) -> pa.Table:
    numbers, which = np.unique(budget, return_inverse=True)
    described = {
        "exer": ["2023"] * len(numbers),
        "ident": [f"2{number // 10:08d}0{number % 10:04d}" for number in numbers],
        "ndept": [f"{number // 7000 % 95 + 1:03d}" for number in numbers],
        "lbudg": [f"COMMUNE {number // 10:07d}" for number in numbers],
        "insee": [f"{number // 10 % 700:03d}" for number in numbers],
        "cbudg": ["1" if number % 10 == 0 else "3" for number in numbers],
        "ctype": ["101"] * len(numbers),
        "cstyp": ["00"] * len(numbers),
        "nomen": ["M57"] * len(numbers),
        "siren": [f"2{number // 10:08d}" for number in numbers],
        "cregi": ["076"] * len(numbers),
        **{name: [""] * len(numbers) for name in ("cacti", "secteur", "finess", "codbud1", "categ")},
        "bal": ["DEF"] * len(numbers),
    }
    names = {name: pa.array(texts).take(which) for name, texts in described.items()} | {"compte": compte}
    cents = np.zeros((8, len(budget)), dtype=np.int64)
    drawn = np.exp(rng.normal(12, 2, cents.shape)).astype(np.int64) + 1
    kept = rng.random(cents.shape) < np.array([0.2, 0.2, 0.5, 0.5, 0.15, 0.15, 0.1, 0.1])[:, np.newaxis]
    management = np.isin(compte.astype("U1"), ["6", "7"])
    kept[:2] &= ~management
    cents[kept] = drawn[kept]
    # The last row of each budget, a compte of class 7 or not, balances each operation.
    starts = np.flatnonzero(np.diff(budget, prepend=-1))
    last = np.append(starts[1:], len(budget)) - 1
    for debit in range(0, 8, 2):
        gap = np.add.reduceat(cents[debit] - cents[debit + 1], starts)
        cents[debit, last] += np.maximum(-gap, 0)
        cents[debit + 1, last] += np.maximum(gap, 0)
    solde = (cents[0:6:2] - cents[1:6:2]).sum(axis=0)
    cents = np.vstack([cents, np.maximum(solde, 0), np.maximum(-solde, 0)])
    return pa.table(names | {name: cents[place] / 100 for place, name in enumerate(AMOUNTS)})


def run(code: str, *arguments: str) -> tuple[float, float]:
    """Seconds and peak memory, in GB, of a process."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True)
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak / 1e6


def size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file() and not each.is_symlink())


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    columns = json.dumps({name: TYPES.get(name, "VARCHAR") for name in (*TEXTS, *AMOUNTS)})
    print(
        f"{'rows':>10}{'file MB':>9}{'ours s':>9}{'floor s':>9}{'ratio':>7}{'peak GB':>9}{'floor GB':>9}{'base MB':>9}"
    )
    sizes, times = [rows // 4, rows // 2, rows], []
    for count in sizes:
        with tempfile.TemporaryDirectory(prefix="import-") as name:
            path = Path(name) / "millesime.csv.gz"
            start = time.perf_counter()
            written = write_millesime(path, count)
            made = time.perf_counter() - start
            floor, floor_peak = run(PARSE, str(path), str(Path(name) / "parsed.duckdb"), columns)
            (Path(name) / "parsed.duckdb").unlink()
            url = sys.argv[2] if len(sys.argv) > 2 else str(Path(name) / "base" / "base.duckdb")
            (Path(name) / "base").mkdir()
            spent, peak = run(IMPORT, str(path), url, str(written))
            times.append(spent)
            print(
                f"{written:>10}{path.stat().st_size / 1e6:>9.0f}{spent:>9.1f}{floor:>9.1f}{spent / floor:>9.2f}"
                f"{peak:>9.2f}{floor_peak:>9.2f}{size(Path(name) / 'base') / 1e6:>9.0f}"
                f"   file made in {made:.0f} s",
                flush=True,
            )
    ratio = "reached" if times[-1] / floor <= AIM else "MISSED"
    exponent = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    print(f"growth exponent {exponent:.2f}; aim ≤ {AIM:.0f} floors: {ratio}")


if __name__ == "__main__":
    main()
