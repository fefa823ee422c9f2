"""Where tables come from: Arrow, pandas, files of parquet or CSV; only the columns that a declaration names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import pyarrow as pa

from workbench.errors import WorkbenchError
from workbench.signaux_faibles.detection.columns import Declaration

__all__ = ["Source", "columns_read", "read_table"]

Source: TypeAlias = "pa.Table | pd.DataFrame | str | Path | Sequence[str | Path]"

CSV = (".csv", ".csv.gz")

DELIMITERS = (";", ",", "\t", "|")


def columns_read(declaration: Declaration, *, around: bool) -> tuple[list[str], list[str]]:
    """Return the columns that a table must have, and those that are taken where it has them.

    Parameters
    ----------
    declaration
        Of the table.
    around
        Whether the perimeter is decided on its columns.
    """
    perimetre = ("effectif", "activite", "categorie", "active") if around else ()
    wanted = {
        *(each.category or each.name for each in declaration.variables if not each.operation),
        *(getattr(declaration, name) for name in ("entity", "periode", "target", "til", "event", "strong", "known")),
        *(getattr(declaration, name) for name in perimetre),
    } - {""}
    required = sorted({declaration.column(name) for name in wanted})
    perhaps = {*declaration.groups.values(), *(each.name for each in declaration.variables if each.operation)}
    return required, sorted({declaration.column(name) for name in perhaps} - set(required))


def read_table(source: Source, declaration: Declaration, *, around: bool) -> pa.Table:
    """Return the columns of a table that a declaration names.

    Raises
    ------
    WorkbenchError
        ``detection_colonnes``, ``fichier_illisible``.
    """
    required, perhaps = columns_read(declaration, around=around)
    names = sorted({*required, *perhaps})
    if isinstance(source, pa.Table):
        table = source
    elif isinstance(source, pd.DataFrame):
        table = _from_pandas(source, names)
    else:
        table = _read(source, names)
    missing = [name for name in required if name not in table.column_names]
    if missing:
        raise WorkbenchError("detection_colonnes", colonnes=", ".join(missing), declaration=declaration.name)
    return table.select([name for name in names if name in table.column_names])


def _from_pandas(frame: pd.DataFrame, names: list[str]) -> pa.Table:
    columns = {}
    for name in (each for each in names if each in frame.columns):
        try:
            columns[name] = pa.chunked_array([pa.Array.from_pandas(frame[name])])
        except (pa.ArrowException, ValueError) as error:
            raise WorkbenchError("detection_valeurs", colonne=name, type="des valeurs de plusieurs sortes") from error
    return pa.table(columns)


def _read(source: str | Path | Sequence[str | Path], names: list[str]) -> pa.Table:
    import pyarrow.dataset

    parts = []
    for path in [source] if isinstance(source, str | Path) else list(source):
        try:
            if str(path).lower().endswith(CSV):
                parts.append(_read_csv(Path(path), names))
                continue
            part = pyarrow.dataset.dataset(str(path), format="parquet", partitioning="hive")
            parts.append(part.to_table(columns=[name for name in names if name in part.schema.names]))
        except (OSError, UnicodeDecodeError, EOFError, pa.ArrowException) as error:
            detail = str(error).splitlines()[0]
            raise WorkbenchError("fichier_illisible", fichier=str(path), detail=detail) from error
    try:
        return pa.concat_tables(parts, promote_options="permissive")
    except pa.ArrowException as error:
        listed = ", ".join(map(str, source)) if not isinstance(source, str | Path) else str(source)
        raise WorkbenchError(
            "fichier_illisible", fichier=listed, detail=f"leurs colonnes ne sont pas de même sorte ({error})"
        ) from error


def _read_csv(path: Path, names: list[str]) -> pa.Table:
    """Read columns as texts: a SIREN may begin with 0, a decimal may follow a comma; `values` reads them."""
    from pyarrow import csv

    with pa.CompressedInputStream(str(path), "gzip") if path.suffix == ".gz" else path.open("rb") as stream:
        header = stream.read(1 << 16).splitlines()[:1]
    line = header[0].decode("utf-8-sig") if header else ""
    delimiter = max(DELIMITERS, key=line.count)
    present = [name for name in names if name in {each.strip().strip('"') for each in line.split(delimiter)}]
    if not present:
        return pa.table({})
    return csv.read_csv(
        path,
        parse_options=csv.ParseOptions(delimiter=delimiter),
        convert_options=csv.ConvertOptions(
            include_columns=present,
            column_types=dict.fromkeys(present, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        ),
    )
