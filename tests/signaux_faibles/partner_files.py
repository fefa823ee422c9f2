"""Small files as partners write them, and how tests read them."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from workbench.signaux_faibles.reading import FileContent, read_source

SIRET = "11111111100011"
OTHER = "22222222200022"
ACCOUNTS = (
    "Urssaf_gestion;Dep;Compte;Etat_compte;Siren;Siret;Date_crea_siret;Date_disp_siret\n"
    f"117;75;636043216536562844;1;111111111;{SIRET};1100101;1170101\n"
    f"117;75;636043216536562844;1;222222222;{OTHER};1170101;\n"
    f"117;75;450359886246036238;1;111111111;{SIRET};1100101;1181101\n"
    f"117;75;111982477292496174;1;111111111;{SIRET};;\n"
)


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    """Write a file, compressed when its name says so."""
    content = text.encode(encoding)
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def lines(header: str, *rows: str) -> str:
    """Put a header and rows together."""
    return "\n".join([header, *rows, ""])


def read_text(folder: Path, type_: str, text: str, **options: Any) -> FileContent:
    """Read a text as a source."""
    return read_source(type_, write(folder, f"{type_}.csv", text), **options)


def counters(content: FileContent) -> tuple[int, int, int, int]:
    """Return parsed, rejected, skipped, valid."""
    report = content.report
    return report.lines_parsed, report.lines_rejected, report.lines_skipped, report.lines_valid


def columns(content: FileContent, *names: str) -> list[tuple[Any, ...]]:
    """Return some fields of the tuples."""
    return [tuple(row[name] for name in names) for row in content.tuples.to_pylist()]


def reasons(content: FileContent) -> list[tuple[int, str, str]]:
    """Return line, column and value of what was refused."""
    return [(row["ligne"], row["colonne"], row["valeur"]) for row in content.rejected.to_pylist()]
