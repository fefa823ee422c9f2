"""Excel reports: a model filled with a table of indicateurs, or a workbook laid out here when there is none."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.workbook.workbook import Workbook

from workbench.errors import WorkbenchError, require_kind
from workbench.evaluation.results import IndicateurTable, Provenance
from workbench.reports.excel_default import build_default
from workbench.reports.excel_files import destination, open_model, save
from workbench.reports.excel_model import fill_model
from workbench.reports.excel_perimetre import SEVERAL, append_perimetre

__all__ = ["report_filename", "write_excel"]

log = logging.getLogger(__name__)


def write_excel(
    table: IndicateurTable,
    model: str | Path | None = None,
    to: str | Path = ".",
    *,
    remarks: list[str] | None = None,
) -> Path:
    """Write a table of indicateurs as a workbook.

    Parameters
    ----------
    table
        What `workbench.evaluate` returns, or a selection of its rows and columns. Values are written as
        they are, float64 in the unit of each indicateur.
    model
        A model workbook (.xlsx), read and never changed; its convention is in
        `workbench.reports.excel_model`. None for a workbook with one sheet a thème, the definitions and the
        perimeter.
    to
        The file to write, replaced in one step; or an existing folder, where it is named by
        `report_filename`. Folders above are made when they lack.
    remarks
        A list that receives French sentences on what the reader should check (a code of the model that the
        table does not hold, a text replaced by a total…). They are logged as warnings too.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    WorkbenchError
        ``rapport_vide`` for a table without exercice, ``rapport_sans_indicateur`` for one without row,
        ``rapport_colonnes`` when a column is none of the evaluation's exercices, ``table_sans_provenance``,
        ``modele_absent``, ``modele_illisible``, ``modele_sans_convention``, ``modele_ecrase`` when ``to`` is
        the model itself, ``classeur_extension``, ``classeur_non_inscriptible``.

    Notes
    -----
    The convention of models: specification of OpenAnafi, 6.1 and 6.2, with the corrections X01 to X05.
    """
    provenance = getattr(table, "provenance", None)
    if provenance is None:
        raise WorkbenchError("table_sans_provenance")
    if not len(table.columns):
        first, last = provenance.exercices_demandes
        raise WorkbenchError(
            "rapport_vide",
            perimetre="ce périmètre",
            exercices=f"exercice {first}" if first == last else f"exercices {first} à {last}",
            nomenclature=f", nomenclature {provenance.nomenclature}" if provenance.nomenclature else "",
        )
    if not len(table.index):
        raise WorkbenchError("rapport_sans_indicateur")
    table = table.set_axis([int(name) if str(name).isdecimal() else name for name in table.columns], axis=1)
    others = [column for column in table.columns if column not in provenance.exercices]
    if others or not table.columns.is_unique:
        raise WorkbenchError("rapport_colonnes", colonnes=", ".join(str(column) for column in others or table.columns))
    table = table[sorted(table.columns)]
    exercices = pa.array([int(exercice) for exercice in table.columns])
    kept = pc.is_in(provenance.budgets["exercice"].cast(pa.int64()), value_set=exercices)
    budgets = provenance.budgets.filter(kept)
    path = destination(to, report_filename(provenance))
    found: list[str] = []
    if model is None:
        workbook = Workbook()
        build_default(workbook, table, budgets)
    else:
        require_kind(model, (str, Path), "model", "le chemin d'un classeur", 'Par exemple model="modele.xlsx".')
        if path.exists() and Path(model).exists() and path.samefile(model):
            raise WorkbenchError("modele_ecrase", chemin=str(path))
        workbook, found = open_model(model)
        found += fill_model(workbook, table, budgets)
    append_perimetre(workbook, budgets)
    for remark in found:
        log.warning("%s", remark)
    if remarks is not None:
        remarks += found
    return save(workbook, path)


def report_filename(provenance: Provenance, kind: str = "SIRET", now: datetime | None = None) -> str:
    """Name a report: ``FRAME_{siret}_{kind}_{first year}_{last year}_{date}_{time}.xlsx``.

    Parameters
    ----------
    provenance
        Gives the SIRET, ``Etablissements multi`` when there are several, and the first and last exercices
        present in the base.
    kind
        How the perimeter was chosen: SIRET, SIREN or FINESS.
    now
        Moment of the report; the local time by default.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from datetime import datetime
    >>> from workbench.evaluation.results import Provenance
    >>> from workbench.trames.model import Trame
    >>> budgets = pa.table({"siret": ["21310900200013"], "exercice": [2018]})
    >>> provenance = Provenance(Trame("essai", ()), "duckdb", "1", budgets, (2011, 2018), (2013, 2018), "M14")
    >>> report_filename(provenance, now=datetime(2026, 11, 21, 20, 19, 43))
    'FRAME_21310900200013_SIRET_2013_2018_20261121_201943.xlsx'
    """
    moment = now or datetime.now(UTC).astimezone()
    sirets = pc.unique(provenance.budgets["siret"]).to_pylist()
    who = str(sirets[0]) if len(sirets) == 1 else SEVERAL
    exercices = provenance.exercices or provenance.exercices_demandes
    return f"FRAME_{who[:20]}_{kind}_{exercices[0]}_{exercices[-1]}_{moment:%Y%m%d_%H%M%S}.xlsx"
