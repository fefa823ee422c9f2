"""What every workbook written or read here shares: safe texts, atomic files, models read without silent loss.

- A text that comes from data is stored as a string, never as a formula, whatever it begins with
  (``=``, ``+``, ``-``, ``@``): a label must not run in the reader's spreadsheet.
- A workbook is written beside its destination, then renamed: a reader never meets half a file and a
  failure leaves the previous one in place.
- A model is opened with its images (kept byte for byte, with or without Pillow) and rich texts. What openpyxl
  cannot carry over (text boxes, sparklines, macros…) is named, so that nothing disappears in silence.
"""

from __future__ import annotations

import io
import logging
import re
import tempfile
import threading
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.drawing.image import Image
from openpyxl.reader import drawings
from openpyxl.workbook.workbook import Workbook

from workbench.atomic import replacing
from workbench.errors import WorkbenchError, reason, require_kind

__all__ = ["copy_cell", "destination", "open_folder", "open_model", "save", "set_text", "sheet_title", "writing"]

log = logging.getLogger(__name__)

CELL_LIMIT = 32767
"""Characters that a cell can hold."""

LOST: tuple[tuple[str, str, str], ...] = (
    (r"xl/drawings/drawing\d+\.xml$", r"<xdr:(sp|grpSp|cxnSp)[ >]", "des formes ou zones de texte"),
    (r"xl/worksheets/sheet\d+\.xml$", r"x14:sparklineGroup", "des graphiques sparkline"),
    (r"xl/worksheets/sheet\d+\.xml$", r"x14:conditionalFormatting", "des mises en forme conditionnelles étendues"),
    (r"xl/worksheets/sheet\d+\.xml$", r"x14:dataValidation ", "des listes de validation étendues"),
    (r"xl/worksheets/sheet\d+\.xml$", r"<legacyDrawingHF", "des images d'en-tête ou de pied de page"),
    (r"xl/vbaProject\.bin$", "", "des macros"),
    (r"xl/ctrlProps/", "", "des contrôles de formulaire"),
    (r"xl/embeddings/", "", "des objets incorporés"),
    (r"xl/slicers/", "", "des segments (slicers)"),
    (r"xl/media/.*\.(emf|wmf|svg)$", "", "des images vectorielles"),
    (r"xl/threadedComments/", "", "des fils de commentaires"),
)
"""Parts that openpyxl drops: path in the package, content sought (none: its presence is enough), name for people."""

SIGNATURES = ((b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif"), (b"BM", "bmp"), (b"II*\0", "tiff"))

_reader_lock = threading.Lock()


def set_text(cell: Any, text: str) -> None:
    """Store a text as a string, even when it looks like a formula.

    Characters that a workbook cannot hold are dropped, and so is what exceeds a cell's 32 767 characters.
    """
    cleaned = ILLEGAL_CHARACTERS_RE.sub("", text)[:CELL_LIMIT]
    cell.value = cleaned
    if cleaned[:1] in ("=", "+", "-", "@"):
        cell.data_type = "s"
        cell.quotePrefix = True  # or the spreadsheet makes a formula of it as soon as someone edits the cell


def sheet_title(workbook: Workbook, wanted: str) -> str:
    """Make a title that a sheet may bear: no forbidden character, 31 at most, not taken yet."""
    base = re.sub(r"[\[\]:*?/\\]", " ", ILLEGAL_CHARACTERS_RE.sub("", wanted))
    base = " ".join(base.split()).strip("'")[:31].strip() or "Feuille"
    taken = {title.casefold() for title in workbook.sheetnames}
    title, number = base, 2
    while title.casefold() in taken:
        suffix = f" ({number})"
        title, number = base[: 31 - len(suffix)] + suffix, number + 1
    return title


def destination(to: str | Path, filename: str) -> Path:
    """Resolve where a workbook goes: ``to`` itself, or ``filename`` inside it when ``to`` is a folder."""
    require_kind(to, (str, Path), "to", "le chemin d'un classeur", 'Par exemple to="rapport.xlsx".')
    path = Path(to)
    if path.is_dir():
        return path / filename
    if path.suffix.lower() != ".xlsx":
        raise WorkbenchError("classeur_extension", chemin=str(to))
    return path


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a file to write beside ``path``; it takes its place once whole, and disappears on failure."""
    try:
        with replacing(path) as partial:
            yield partial
    except OSError as error:
        raise WorkbenchError("classeur_non_inscriptible", chemin=str(path)) from error


def save(workbook: Workbook, path: Path) -> Path:
    """Write a workbook in one step: all of it or nothing."""
    with writing(path) as partial:
        workbook.save(partial)
    return path


def open_folder(folder: Path) -> None:
    """Make a folder if it is not there, and check that files can be made in it.

    Raises
    ------
    WorkbenchError
        ``dossier_non_inscriptible``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Rights alone do not say it: a read-only disk, a quota, an access list.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise WorkbenchError("dossier_non_inscriptible", dossier=folder, cause=reason(error)) from error


class _KeptImage(Image):
    """An image carried over byte for byte; openpyxl's own class needs Pillow and re-encodes some formats."""

    def __init__(self, img: io.BytesIO) -> None:
        self.content = img.getvalue()
        self.ref = img
        self.width, self.height = 0, 0  # the anchor of the model gives the size
        kinds = [kind for signature, kind in SIGNATURES if self.content.startswith(signature)]
        if not kinds:
            raise OSError("unknown image format")
        self.format = kinds[0]

    def _data(self) -> bytes:
        return self.content


@contextmanager
def _images_kept() -> Iterator[None]:
    """Let openpyxl's reader build `_KeptImage`; it offers no hook, and without Pillow drops every image silently."""
    with _reader_lock:
        saved = drawings.Image, drawings.PILImage  # type: ignore[attr-defined]
        drawings.Image, drawings.PILImage = _KeptImage, True  # type: ignore[attr-defined,assignment]
        try:
            yield
        finally:
            drawings.Image, drawings.PILImage = saved  # type: ignore[attr-defined]


def open_model(path: str | Path) -> tuple[Workbook, list[str]]:
    """Open a model workbook to fill a copy of it.

    Returns
    -------
    tuple
        The workbook, and French sentences naming what the copy will not carry over.

    Raises
    ------
    WorkbenchError
        ``modele_absent``, or ``modele_illisible`` for what is not an Excel 2007+ workbook.
    """
    require_kind(path, (str, Path), "model", "le chemin d'un classeur", 'Par exemple model="modele.xlsx".')
    path = Path(path)
    if not path.is_file():
        raise WorkbenchError("modele_absent", chemin=str(path))
    content = path.read_bytes()
    try:
        lost = _lost_parts(content)
        with _images_kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they announce is in LOST, in French
            workbook = openpyxl.load_workbook(io.BytesIO(content), rich_text=True)
    # A damaged package fails anywhere in openpyxl, with any kind of exception.
    except Exception as error:
        log.debug("model %s not readable", path, exc_info=True)
        raise WorkbenchError("modele_illisible", chemin=str(path)) from error
    if not workbook.worksheets:
        raise WorkbenchError("modele_illisible", chemin=str(path))
    workbook.template = False
    return workbook, [f"Le modèle contient {name} que le classeur produit ne reprend pas." for name in lost]


def _lost_parts(content: bytes) -> list[str]:
    found: dict[str, None] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        for part in package.namelist():
            for path, sought, name in LOST:
                if re.match(path, part) and (
                    not sought or re.search(sought, package.read(part).decode("utf-8", "replace"))
                ):
                    found[name] = None
    return list(found)


def copy_cell(source: Any, target: Any) -> None:
    """Give ``target`` the style, number format and hyperlink of ``source``; its value stays."""
    target._style = copy(source._style)
    if source.hyperlink is not None:
        target.hyperlink = copy(source.hyperlink)
