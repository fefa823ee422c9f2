"""Small balances written in every layout that exists."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from workbench.dgfip.base import Base
from workbench.dgfip.schema import AMOUNTS, balances

HEADER = str.split(
    "EXER;IDENT;NDEPT;LBUDG;INSEE;CBUDG;CTYPE;CSTYP;NOMEN;SIREN;CREGI;CACTI;SECTEUR;FINESS;CODBUD1;CATEG;BAL;"
    "FONCTION;COMPTE;BEDEB;BECRE;OBNETDEB;OBNETCRE;ONBDEB;ONBCRE;OOBDEB;OOBCRE;SD;SC",
    ";",
)
MONEY = HEADER[19:]
SIRET = "21330063500017"
_SIDES = ((1, "DEB"), (-1, "CRE"))


def row(compte: str = "60", siret: str = SIRET, exercice: int = 2019, **values: Any) -> dict[str, Any]:
    """Return a row in the source's words; amounts are cents."""
    plain: dict[str, Any] = {
        "EXER": exercice,
        "IDENT": siret,
        "NDEPT": "033",
        "LBUDG": "BORDEAUX",
        "INSEE": "063",
        "CBUDG": "1",
        "CTYPE": "101",
        "CSTYP": "00",
        "NOMEN": "M14",
        "SIREN": siret[:9],
        "CREGI": "075",
        "CACTI": "40",
        "SECTEUR": None,
        "FINESS": None,
        "CODBUD1": None,
        "CATEG": "Commune",
        "BAL": "DEF",
        "FONCTION": None,
        "COMPTE": compte,
        **dict.fromkeys(MONEY, 0),
    }
    plain |= values
    sides = [(sign, plain[f"{kind}{side}"]) for kind in ("BE", "OBNET", "ONB") for sign, side in _SIDES]
    solde = sum(sign * amount for sign, amount in sides if isinstance(amount, int))
    return {
        **plain,
        "SD": max(0, solde),
        "SC": max(0, -solde),
        **{k: v for k, v in values.items() if k in {"SD", "SC"}},
    }


def euros(cents: int, decimal: str, trim: bool) -> str:
    """Write an amount as the layouts do: always two decimals, or as few as a float shows."""
    text = f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"
    if trim and text.endswith("0"):
        text = text[:-1]
    return text.replace(".", decimal)


def write_csv(
    path: Path,
    rows: Iterable[dict[str, Any]],
    *,
    delimiter: str = ";",
    decimal: str = ",",
    lower: bool = False,
    without: Sequence[str] = (),
    extra: dict[str, str] | None = None,
    encoding: str = "utf-8",
    trim: bool = False,
) -> Path:
    """Write a delimited file, compressed when its name ends with .gz."""
    header = [name for name in HEADER if name not in without]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerow([name.lower() if lower else name for name in header] + list(extra or {}))
    for each in rows:
        cells = [
            euros(each[name], decimal, trim) if name in MONEY and isinstance(each[name], int) else each[name]
            for name in header
        ]
        writer.writerow(["" if cell is None else cell for cell in cells] + list((extra or {}).values()))
    content = buffer.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_parquet(path: Path, rows: Iterable[dict[str, Any]], codes_as_numbers: bool = True) -> Path:
    """Write what a program makes of the API's parquet: floats, dates, codes that lost their zeros."""
    listed = list(rows)
    columns: dict[str, pa.Array] = {}
    for name in HEADER:
        values = [each[name] for each in listed]
        if name in MONEY:
            columns[name.lower()] = pa.array([value / 100 for value in values], pa.float64())
        elif name == "EXER":
            columns["exer"] = pa.array([f"{value}-01-01" for value in values]).cast(pa.date32())
        elif codes_as_numbers and name in {"IDENT", "SIREN", "INSEE", "CTYPE", "CBUDG", "CREGI"}:
            columns[name.lower()] = pa.array([int(value) for value in values], pa.int64())
        else:
            columns[name.lower()] = pa.array(values, pa.string())
    pq.write_table(pa.table(columns), path)
    return path


def stored(base: Base) -> list[dict[str, Any]]:
    """Return the rows of a base, sorted, without their import."""
    names = ["exercice", "siret", "fonction", "compte", "etat", *AMOUNTS, "solde_debit", "solde_credit"]
    rows = base.fetch(select(*(balances.c[name] for name in names))).to_pylist()
    return sorted(rows, key=lambda each: tuple("" if value is None else str(value) for value in each.values()))


def expected(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a base must hold after the import of these rows."""
    wanted = []
    for each in rows:
        amounts = dict.fromkeys(AMOUNTS, 0)
        for operation, kind in (("1", "BE"), ("2", "OBNET"), ("3", "ONB"), ("6", "OOB")):
            amounts[f"debit_{operation}"] = each[f"{kind}DEB"]
            amounts[f"credit_{operation}"] = each[f"{kind}CRE"]
        wanted.append(
            {
                "exercice": each["EXER"],
                "siret": each["IDENT"],
                "fonction": each["FONCTION"] or "",
                "compte": each["COMPTE"],
                "etat": "D" if each["BAL"] == "DEF" else "P",
                **amounts,
                "solde_debit": each["SD"],
                "solde_credit": each["SC"],
            }
        )
    return sorted(wanted, key=lambda each: tuple("" if value is None else str(value) for value in each.values()))
