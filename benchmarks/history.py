"""Import and compaction of a history against their floors: python benchmarks/history.py [companies] [months].

Import is measured against DuckDB's `read_csv` of the same bytes into a table, compaction against one EXCEPT over the
same rows, in the same DuckDB with the same memory. The second month says what the first one said, but for one line in
fifty: that is what months are like.

``--lines 1_000_000 4_000_000`` measures sizes one after another instead, on files of contributions (five lines in six)
and of debts that DuckDB writes, each with a wrong line and one that is no record; the memory told is the peak so far.
A national month is 72 million lines of contributions. Seconds depend on the machine and on who else uses it: only
ratios measured in one run mean something, and `docs/architecture/14_history.md` has no others.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from workbench.signaux_faibles.batches import Batch, month_of
from workbench.signaux_faibles.demonstration import write_delivery
from workbench.signaux_faibles.history import compact, import_batch, open_history

LIMIT: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "2GB"}
TYPES = ("debit", "cotisation", "effectif", "apconso", "apdemande")


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _described(key: str) -> Batch:
    from workbench.signaux_faibles.demonstration_files import FILES

    files = {name: (f"/{key}/" + FILES[name].name.format(key=key, century=f"20{key[:4]}"),) for name in TYPES}
    return Batch(key, files, TYPES, end=month_of(key))


def _shorten(root: Path, earlier: str, later: str) -> None:
    """Write a file again without one line in fifty."""
    source, target = (root / path.lstrip("/") for path in (earlier, later))
    target.parent.mkdir(exist_ok=True)
    opened: Any = gzip.open if source.suffix == ".gz" else open
    with opened(source, "rb") as lines, opened(target, "wb") as kept:
        kept.writelines(line for number, line in enumerate(lines) if number % 50 != 49)


def _read(connection: duckdb.DuckDBPyConnection, root: Path, batch: Batch) -> None:
    for name, (path,) in batch.files.items():
        relation = connection.read_csv(str(root / path.lstrip("/")), all_varchar=True, ignore_errors=True)
        relation.create(f"{name}_{batch.key}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("companies", type=int, nargs="?", default=2_000)
    parser.add_argument("months", type=int, nargs="?", default=60)
    parser.add_argument("--lines", type=int, nargs="+", default=[])
    asked = parser.parse_args()
    keys = ("1801", "1802")
    for lines in asked.lines:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            for place, key in enumerate(keys):
                write_lines(root / key, lines, shortened=place == 1)
            described = [Batch(key, {each: (f"/{key}/{each}.csv",) for each in LINES}, LINES) for key in keys]
            print(f"{lines} lines", flush=True)
            measure(root, described, LINES)
    if asked.lines:
        return
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_delivery(root, keys[0], number=asked.companies, months=asked.months, errors=1, types=TYPES)
        batches = [_described(key) for key in keys]
        for kind in TYPES:
            _shorten(root, batches[0].files[kind][0], batches[1].files[kind][0])
        print(f"{asked.companies} companies, {asked.months} months")
        measure(root, batches, TYPES)


LINES = ("debit", "cotisation")
_KEYS = "printf('%018d', r // 60), (2013 + r % 60 // 12) || (1 + r % 12 // 3)::VARCHAR || (1 + r % 3)"
_SIRET = "printf('%09d%05d', 100000000 + r // 120 * 7 % 800000000, r // 60 % 2 + 1)"
_AMOUNT = "replace(((hash(r + {}) % 20000000) / 100)::DECIMAL(12, 2)::VARCHAR, '.', ',')"
_WRITTEN = {
    "cotisation": (
        "Compte;periode;enc_direct;cotis_due;Siret",
        5 / 6,
        f"{_KEYS}, {_AMOUNT.format(0)}, {_AMOUNT.format(1)}, {_SIRET}",
    ),
    "debit": (
        (
            "num_cpte;Periode;Siren;Dt_immat;Etat_cpte;Cd_pro_col;Num_Ecn;Num_Hist_Ecn;Dt_trt_ecn;Mt_PO;Mt_PP;Cd_op_ecn;"
            "Motif_ecn;Recours_en_cours;Siret"
        ),
        1 / 6,
        (
            f"{_KEYS}, left({_SIRET}, 9), 1100101, 1 + r % 3, r % 2, 1000 + r % 900, r % 9, "
            "1170101 + r % 12 * 100 + r % 28, "
            f"hash(r) % 1000000, hash(r + 7) % 1000000, r % 4, r % 5, r % 2, {_SIRET}"
        ),
    ),
}


def write_lines(folder: Path, lines: int, *, shortened: bool) -> None:
    """Write large files of lines that are right but for two; a shortened one lacks one line in fifty."""
    folder.mkdir()
    for kind, (header, share, columns) in _WRITTEN.items():
        path, body = folder / f"{kind}.csv", folder / "body.csv"
        kept = "WHERE r % 50 <> 49" if shortened else ""
        # The numbers and the path are ours.
        duckdb.execute(
            f"COPY (SELECT concat_ws(';', {columns}) FROM range({int(lines * share)}) t(r) {kept}) "  # noqa: S608
            f"TO '{body}' (HEADER false, QUOTE '', DELIMITER '|')"
        )
        wrong = ["x" if name in {"Periode", "periode"} else "1" for name in header.split(";")]
        with path.open("wb") as target, body.open("rb") as rows:
            target.write(f"{header}\n{';'.join(wrong)}\n1;2\n".encode())
            shutil.copyfileobj(rows, target, 1 << 20)
        body.unlink()


def measure(root: Path, batches: list[Batch], types: tuple[str, ...]) -> None:
    """Import and compact two batches, and print what each costs against its floor."""
    size = sum((root / path.lstrip("/")).stat().st_size for (path,) in batches[1].files.values())
    print(f"{size / 1e6:.0f} MB a batch", flush=True)
    with closing(duckdb.connect(str(root / "floor.duckdb"), config=dict(LIMIT))) as connection:
        floors = [timed(partial(_read, connection, root, batch)) for batch in batches]
    with open_history(root / "h.duckdb", read_only=False) as history:
        for batch, floor in zip(batches, floors, strict=True):
            spent = timed(partial(import_batch, history, batch, root, no_filter=True))
            print(f"import {batch.key}: {spent:6.2f} s, floor {floor:6.2f} s, {spent / floor:5.1f} x", flush=True)
            if batch is batches[1]:
                # The rows that are about to be compared.
                shutil.copyfile((root / "h.duckdb").resolve(), root / "copy.duckdb")
                except_ = _except(root / "copy.duckdb", batch.key, types)
                merged = timed(partial(compact, history))
                print(
                    f"compact {batch.key}: {merged:6.2f} s, EXCEPT {except_:6.2f} s, {merged / except_:5.1f} x",
                    flush=True,
                )
            else:
                print(f"compact {batch.key}: {timed(partial(compact, history)):6.2f} s")
        counts = {kind: count for kind, count in history.counts().items() if count}
    print(f"tuples: {counts}; base {(root / 'h.duckdb').stat().st_size / 1e6:.0f} MB")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


def _except(path: Path, key: str, types: tuple[str, ...]) -> float:
    spent = 0.0
    with closing(duckdb.connect(str(path), config=dict(LIMIT))) as connection:
        for kind in types:
            own = "siret, hash"
            connection.execute(
                f"CREATE TEMP TABLE kept_{kind} AS SELECT {own} FROM imported_{kind} WHERE batch = '{key}'"  # noqa: S608
            )
            text = f"CREATE TEMP TABLE found_{kind} AS SELECT {own} FROM history_{kind} EXCEPT FROM kept_{kind}"  # noqa: S608
            spent += timed(partial(connection.execute, text))
    return spent


if __name__ == "__main__":
    main()
