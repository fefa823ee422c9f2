"""Statistics of strates and ranks as files: a workbook for people, parquet and CSV for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from pyarrow import csv, parquet

from workbench.atomic import replacing
from workbench.engines.arrow_types import without_dictionaries
from workbench.errors import WorkbenchError, require_kind
from workbench.evaluation.strates import StrateTable
from workbench.reports.excel_files import save, set_text

__all__ = ["write_strates"]

_LAST_ROW = 1_048_576
_HEADINGS = {
    "indicateur": "Indicateur",
    "siret": "SIRET",
    "exercice": "Exercice",
    "type_etablissement": "Type d'établissement",
    "nomenclature": "Nomenclature",
    "strate": "Strate",
    "departement": "Département",
    "count": "Collectivités",
    "nonzero": "Valeurs non nulles",
    "minimum": "Minimum",
    "quartile_1": "Premier quartile",
    "median": "Médiane",
    "quartile_3": "Troisième quartile",
    "maximum": "Maximum",
    "value": "Valeur",
    "rank": "Rang (1 : la plus élevée)",
    "percentile": "Rang centile",
}


def write_strates(table: StrateTable, to: str | Path) -> Path:
    """Write statistics of strates to a file; ranks too where the file has room for two tables.

    Parameters
    ----------
    table
        What `strates` returns.
    to
        Path ending with ``.xlsx`` (a sheet of statistics, a sheet of ranks when some were asked for),
        ``.parquet`` or ``.csv`` (the ranks when some were asked for, the statistics otherwise).

    Returns
    -------
    pathlib.Path
        The file, whole; an older one stays when writing fails.

    Raises
    ------
    WorkbenchError
        ``tableau_extension``, ``classeur_trop_long`` beyond the rows of a sheet, ``valeurs_ecriture``,
        ``classeur_non_inscriptible``.

    Examples
    --------
    >>> import tempfile
    >>> import workbench as wb
    >>> base = wb.connect(demonstration_base)
    >>> trame = wb.trame_from_formules({"A_PRODUITS": "C7-D7[TA:BX]"}, nomenclature="M57")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = wb.write_strates(wb.strates(trame, base), f"{folder}/strates.csv")
    ...     path.read_text(encoding="utf-8").split(",")[0]
    '"indicateur"'
    """
    require_kind(table, StrateTable, "table", "un tableau de strates", "Calculez-le : wb.strates(trame, base).")
    require_kind(to, (str, Path), "to", "le chemin d'un fichier", 'Par exemple to="strates.xlsx".')
    path = Path(to)
    rows = table.ranks if table.ranks.num_rows else table.statistics
    kind = path.suffix.lower()
    if kind not in {".xlsx", ".parquet", ".csv"}:
        raise WorkbenchError("tableau_extension", chemin=str(to))
    if kind == ".xlsx":
        return save(_workbook(table), path)
    try:
        with replacing(path) as partial:
            if kind == ".parquet":
                parquet.write_table(rows, partial, compression="zstd")
            else:
                csv.write_csv(rows.cast(without_dictionaries(rows.schema)), partial)
    except OSError as error:
        raise WorkbenchError("valeurs_ecriture", chemin=str(to), detail=error.strerror or str(error)) from error
    return path


def _workbook(table: StrateTable) -> Workbook:
    workbook = Workbook(write_only=True)
    sheets = [("Strates", table.statistics), *([("Rangs", table.ranks)] if table.ranks.num_rows else [])]
    for title, rows in sheets:
        if rows.num_rows >= _LAST_ROW:
            raise WorkbenchError("classeur_trop_long", lignes=rows.num_rows + 1)
        sheet = workbook.create_sheet(title)
        sheet.freeze_panes = "A2"
        headings = []
        for name in rows.column_names:
            cell = WriteOnlyCell(sheet, value=_HEADINGS.get(name, name))
            cell.font = Font(bold=True)
            headings.append(cell)
        sheet.append(headings)
        for batch in rows.to_batches(max_chunksize=10_000):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                sheet.append([_cell(sheet, value) for value in row])
    notes = workbook.create_sheet("Lecture")
    for text in (
        f"Trame {table.trame}, instantané {table.snapshot}.",
        "Un quantile de niveau p est la plus petite valeur que la part p des collectivités au moins ne dépasse pas.",
        "Rang : 1 est la valeur la plus élevée ; les ex aequo partagent le premier de leurs rangs.",
        "Rang centile : part des valeurs inférieures et de la moitié des égales, en pour cent.",
        "Un compte absent vaut 0 et compte ; une population inconnue écarte des indicateurs par habitant.",
        *table.avertissements,
    ):
        notes.append([_cell(notes, text)])
    return workbook


def _cell(sheet: Any, value: object) -> object:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet)
    set_text(cell, value)
    return cell
