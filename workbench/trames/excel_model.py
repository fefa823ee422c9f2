"""The model workbook of a trame with its formules written beside, and the bundle of all that a trame is in Excel."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.trames.atomic import replace_file
from workbench.trames.checks import require_right
from workbench.trames.excel import pseudo_parametrage
from workbench.trames.excel_cells import as_text, opened, put_text, saved
from workbench.trames.model import Trame

__all__ = ["export_archive", "export_model_with_formules"]

_CODE, _FORMULE, _DESCRIPTION = 2, 6, 7


def export_model_with_formules(trame: Trame, model: str | Path, path: str | Path) -> Path:
    """Write a copy of a model workbook that shows the formules.

    On every row of every sheet whose column B is the code of an indicateur, column F receives its formule and column
    G its description, as texts. The model itself is left alone.

    Parameters
    ----------
    trame
        The trame.
    model
        The model workbook, ``.xlsx``.
    path
        The workbook to write; replaced when it exists.

    Returns
    -------
    Path
        The workbook.

    Raises
    ------
    TrameError
        When the trame is wrong, or the model no workbook.
    WorkbenchError
        When the model does not exist, or the path cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".xlsx":
        raise WorkbenchError("trame_format", chemin=path, suffixe=path.suffix)
    replace_file(path, _model_with_formules(trame, Path(model)), trame.code)
    return path


def export_archive(trame: Trame, model: str | Path | None, path: str | Path) -> Path:
    """Write a zip of the pseudo-paramétrage, the model and the model with its formules.

    Parameters
    ----------
    trame
        The trame.
    model
        The model workbook; None for a trame that has none, then the archive holds the pseudo-paramétrage alone.
    path
        The ``.zip`` to write; replaced when it exists.

    Returns
    -------
    Path
        The archive.
    """
    path = Path(path)
    parts = {f"{trame.code}_pseudo_parametrage.xlsx": pseudo_parametrage(trame)}
    if model is not None:
        parts[f"{trame.code}_modele_et_formules.xlsx"] = _model_with_formules(trame, Path(model))
        parts[Path(model).name] = Path(model).read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    replace_file(path, buffer.getvalue(), trame.code)
    return path


def _model_with_formules(trame: Trame, model: Path) -> bytes:
    require_right(trame)
    if not model.is_file():
        raise WorkbenchError("modele_absent", chemin=model)
    with opened(model, read_only=False) as workbook:
        for sheet in workbook.worksheets:
            for row in range(1, sheet.max_row + 1):
                code = as_text(sheet.cell(row, _CODE))[0].strip()
                if code in trame:
                    put_text(sheet.cell(row, _FORMULE), trame[code].texte or "0")
                    put_text(sheet.cell(row, _DESCRIPTION), trame[code].description)
        return saved(workbook)
