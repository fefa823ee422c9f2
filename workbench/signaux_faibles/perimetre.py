"""The companies that a batch is about: the filter file, read and written."""

from __future__ import annotations

import csv
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Column, MetaData, Table, Text, column, insert, select, table

from workbench.atomic import replacing
from workbench.engines import Writer
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.opening import file_path

__all__ = ["load_perimetre", "read_filter", "write_filter"]

_SIREN = re.compile(r"[0-9]{9}")


def read_filter(path: str | Path) -> list[str]:
    """Read the SIREN of a filter file: first column, a first line ``siren`` or none.

    Raises
    ------
    WorkbenchError
        ``filtre_siren`` on the first value that is no SIREN, ``filtre_vide``, ``fichier_absent``.
    """
    import gzip

    real = file_path(path)
    found: dict[str, None] = {}
    try:
        opened = gzip.open if real.suffix == ".gz" or str(path).startswith("gzip:") else open
        with opened(real, "rt", encoding="utf-8-sig", newline="") as stream:
            for number, row in enumerate(csv.reader(stream, delimiter=";"), start=1):
                value = row[0].strip() if row else ""
                if not row or (number == 1 and value.lower() == "siren"):
                    continue
                if not _SIREN.fullmatch(value):
                    raise WorkbenchError("filtre_siren", fichier=real.name, ligne=number, valeur=value)
                found[value] = None
    except FileNotFoundError as error:
        raise WorkbenchError("fichier_absent", fichier=str(real)) from error
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise WorkbenchError("fichier_illisible", fichier=real.name, detail=str(error)) from error
    if not found:
        raise WorkbenchError("filtre_vide", fichier=real.name)
    return list(found)


def write_filter(path: Path, sirens: Iterable[str]) -> int:
    """Write a filter file, sorted and each SIREN once; an existing file is never replaced.

    Returns
    -------
    int
        How many.

    Raises
    ------
    WorkbenchError
        ``filtre_existe``.
    """
    if path.exists():
        raise WorkbenchError("filtre_existe", fichier=str(path))
    kept = sorted(set(sirens))
    with replacing(path) as partial:
        partial.write_text("\n".join(["siren", *kept, ""]), encoding="utf-8")
    return len(kept)


@contextmanager
def load_perimetre(writer: Writer, sirens: Iterable[str] | None) -> Iterator[Table | None]:
    """Put SIREN in a table of the writer for the time of a block; None where there is no perimeter."""
    if sirens is None:
        yield None
        return
    kept = Table(f"perimetre_{secrets.token_hex(4)}", MetaData(), Column("siren", Text), prefixes=["TEMPORARY"])
    try:
        writer.create([kept])
        rows = pa.table({"siren": pa.array(sorted(set(sirens)), pa.string())})
        given = table("donnes", column("siren"))
        writer.execute(insert(kept).from_select(["siren"], select(given.c.siren)), {"donnes": rows})
        yield kept
    finally:
        writer.drop([kept])
