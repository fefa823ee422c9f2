"""The Excel pseudo-paramétrage of a trame, in and out; docs/trames.md is its reference.

Columns A to D of the first sheet are those of the old system. What it has no room for goes beside (E to G, and a second
sheet), where it does not look, so that a trame comes back from its workbook exactly as it was.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill

from workbench.errors import WorkbenchError
from workbench.formules import check_formule
from workbench.trames.atomic import replace_file, trame_path
from workbench.trames.checks import check_field, check_textes, excerpt, require_right
from workbench.trames.excel_cells import as_text, cell_name, opened, put_text, rows, saved
from workbench.trames.model import Formule, Indicateur, Trame
from workbench.trames.problems import TrameError, TrameProblem, nearest
from workbench.trames.reading import TRAME_KEYS
from workbench.trames.segments import split_texte

__all__ = ["check_pseudo_parametrage", "export_pseudo_parametrage", "import_pseudo_parametrage", "pseudo_parametrage"]

_TITLES = {
    "A": "Code",
    "B": "Libellé",
    "C": "Formule",
    "D": "Description",
    "E": "Référence",
    "F": "Thème",
    "G": "Unité",
}
_FIELDS = dict(zip("ABCDEFG", ("code", "libelle", "texte", "description", "reference", "theme", "unite"), strict=True))
_OURS = "EFG"
_FIELD_TITLES = ("Champ", "Valeur")
_TRAME_SHEET = "Trame"
_SHEET = "Indicateurs"
_LISTS = ("types_etablissement", "types_identifiant")
_MAX_ROWS = 20_000
_MAX_FIELDS = 200


@dataclass(slots=True)
class _Row:
    """A row that is not blank: its texts by field."""

    number: int
    texts: dict[str, str]


@dataclass(slots=True)
class _Import:
    """What has been read of a workbook, and all that is wrong in it."""

    name: str
    sheet: str
    rows: list[_Row] = field(default_factory=list)
    trame: dict[str, Any] = field(default_factory=dict)
    problems: list[TrameProblem] = field(default_factory=list)

    def fail(self, column: str, row: int, message: str, hint: str = "", *, sheet: str = "") -> None:
        where = cell_name(sheet or self.sheet, column, row)
        self.problems.append(TrameProblem(where, message, hint, line=row))


def import_pseudo_parametrage(
    path: str | Path, *, code: str | None = None, libelle: str | None = None, nomenclature: str | None = None
) -> Trame:
    """Read a trame from an Excel pseudo-paramétrage.

    Parameters
    ----------
    path
        The workbook, ``.xlsx``.
    code, libelle, nomenclature
        Of the trame; they win over those that the workbook holds. Without any code, the stem of the file is one.

    Returns
    -------
    Trame
        All the indicateurs of the first sheet, in the order of its rows.

    Raises
    ------
    TrameError
        With every error of the workbook, each by sheet and cell; nothing is imported.
    WorkbenchError
        When the file does not exist.
    """
    path = trame_path(path)
    read = _read(path)
    given = {"code": code, "libelle": libelle, "nomenclature": nomenclature}
    fields = {**read.trame, **{key: value for key, value in given.items() if value is not None}}
    fields.setdefault("code", _code_of(path.stem))
    if wrong := check_field("code", fields["code"]):
        read.problems.append(TrameProblem(path.name, *wrong))
    if errors := [problem for problem in read.problems if problem.severity == "error"]:
        raise TrameError.of(path.name, errors)
    return Trame(indicateurs=tuple(_indicateur(row) for row in read.rows), **fields)


def check_pseudo_parametrage(path: str | Path) -> list[TrameProblem]:
    """Say everything that is wrong or doubtful in a pseudo-paramétrage; empty when there is nothing to say.

    Raises
    ------
    TrameError
        When the file is no workbook that can be opened.
    WorkbenchError
        When the file does not exist.
    """
    return _read(trame_path(path)).problems


def _read(path: Path) -> _Import:
    with opened(path) as workbook:
        if not workbook.worksheets:
            raise TrameError.of(path.name, [TrameProblem(path.name, "le classeur n'a aucune feuille de calcul")])
        first = workbook.worksheets[0]
        read = _Import(path.name, first.title)
        _read_rows(first, read)
        for sheet in workbook.worksheets[1:]:
            if sheet.title == _TRAME_SHEET:
                _read_trame(sheet, read)
    _check(read)
    indicateurs = cell_name(read.sheet, "", 0).rpartition("!")[0]
    read.problems.sort(key=lambda one: (one.where.rpartition("!")[0] != indicateurs, one.line, one.where))
    return read


def _code_of(stem: str) -> str:
    """Make a code of the name of a file: no accents, no blanks."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("_.-") or "trame"


def _texts(cells: tuple[Any, ...], row: int, read: _Import, columns: str, sheet: str = "") -> dict[str, str]:
    texts = {}
    for column, cell in zip(columns, cells, strict=False):
        text, instead = as_text(cell)
        if instead:
            hint = "mettez la cellule au format Texte et ressaisissez-la"
            read.fail(column, row, f"la cellule contient {instead} ; un texte est attendu", hint, sheet=sheet)
        texts[column] = text
    return texts


def _read_rows(sheet: Any, read: _Import) -> None:
    ours = ""
    for number, cells in enumerate(rows(sheet, read.name, len(_TITLES)), 1):
        if number == 1:
            titles = {column: as_text(cell)[0].strip() for column, cell in zip(_TITLES, cells, strict=False)}
            ours = "".join(column for column in _OURS if titles.get(column) == _TITLES[column])
            if check_field("code_indicateur", titles.get("A", "")) is None and titles.get("C"):
                hint = "insérez une ligne de titres au-dessus : la première ligne n'est pas lue"
                read.fail("A", 1, "la première ligne est un indicateur et non des titres", hint)
            continue
        columns = "ABCD" + ours
        if all(cell.value is None for column, cell in zip(_TITLES, cells, strict=False) if column in columns):
            continue
        if len(read.rows) == _MAX_ROWS:
            read.fail("A", number, f"la feuille a plus de {_MAX_ROWS} lignes", "répartissez-la en plusieurs trames")
            return
        before = len(read.problems)
        kept = tuple(cell for column, cell in zip(_TITLES, cells, strict=False) if column in columns)
        texts = _texts(kept, number, read, columns)
        texts = {column: text.strip() if column in "ACG" else text for column, text in texts.items()}
        if not any(text.strip() for text in texts.values()) and len(read.problems) == before:
            continue
        in_error = {problem.where for problem in read.problems[before:]}
        if not texts.get("A") and cell_name(read.sheet, "A", number) not in in_error:
            read.fail(
                "A", number, "le code de l'indicateur manque", "écrivez-le, par exemple CAF_BRUTE, ou videz la ligne"
            )
        if not texts.get("C") and not ours and cell_name(read.sheet, "C", number) not in in_error:
            read.fail("C", number, "la formule manque", "écrivez-la ; 0 pour un indicateur qui vaut toujours 0")
        read.rows.append(_Row(number, {_FIELDS[column]: text for column, text in texts.items()}))


def _read_trame(sheet: Any, read: _Import) -> None:
    keys = [key for key in TRAME_KEYS if key != "indicateurs"]
    for number, cells in enumerate(islice(rows(sheet, read.name, 2), _MAX_FIELDS), 1):
        texts = _texts(cells, number, read, "AB", sheet.title)
        key, value = texts.get("A", "").strip(), texts.get("B", "")
        if number == 1:
            if (key, value.strip()) != _FIELD_TITLES:
                read.problems = [one for one in read.problems if not one.where.startswith(f"{_TRAME_SHEET}!")]
                return
        elif key and key not in keys:
            hint = nearest(key, keys) or "champs admis : " + ", ".join(keys)
            read.fail("A", number, f"champ inconnu : « {key} »", hint, sheet=sheet.title)
        elif key in read.trame:
            read.fail("A", number, f"le champ « {key} » est écrit deux fois", "gardez l'un des deux", sheet=sheet.title)
        elif key and value:
            values = [one for part in value.split(",") if (one := part.strip())] if key in _LISTS else [value]
            for one in values:
                if wrong := check_field(key, one):
                    read.fail("B", number, *wrong, sheet=sheet.title)
            read.trame[key] = tuple(values) if key in _LISTS else value


def _check(read: _Import) -> None:
    """Check the rows together: codes, units, formules."""
    first: dict[str, int] = {}
    textes: list[tuple[str, str]] = []
    for row in read.rows:
        code = row.texts.get("code", "").strip()
        for column, name in _FIELDS.items():
            rule = "code_indicateur" if name == "code" else name
            value = row.texts.get(name, "")
            if value and (name != "texte") and (wrong := check_field(rule, value)):
                read.fail(column, row.number, *wrong)
        if code and first.setdefault(code, row.number) != row.number:
            other = cell_name(read.sheet, "A", first[code])
            hint = "renommez ou retirez l'un des deux ; OpenAnafi ne gardait que le dernier"
            read.fail("A", row.number, f"le code {code} est déjà celui de {other}", hint)
        row.texts["texte"] = _without_blanks(row.texts.get("texte", ""))
        textes.append((code, row.texts["texte"]))
    for rank, diagnostic, about_code in check_textes(textes, [code for code, _ in textes if code]):
        row, character = read.rows[rank], diagnostic.span.start + 1
        if about_code:
            read.fail("A", row.number, diagnostic.message, diagnostic.hint)
            read.problems[-1] = replace(read.problems[-1], severity=diagnostic.severity)
            continue
        where, message = (
            cell_name(read.sheet, "C", row.number),
            f"{diagnostic.message.removesuffix('.')} (caractère {character})",
        )
        shown = excerpt(textes[rank][1], diagnostic.span)
        problem = TrameProblem(where, message, diagnostic.hint, shown, row.number, character, diagnostic.severity)
        read.problems.append(problem)


def _without_blanks(texte: str) -> str:
    """Remove the blanks of a formule where it can only be read without them, as the old system always did.

    Blanks between two words never change a meaning: where the text can be read with them, they stay.
    """
    bare = re.sub(r" ", "", texte)
    if bare == texte or not _wrong(texte) or _wrong(bare):
        return texte
    return bare


def _wrong(texte: str) -> bool:
    return any(diagnostic.severity == "error" for diagnostic in check_formule(texte))


def _indicateur(row: _Row) -> Indicateur:
    fields = dict(row.texts)
    formules = tuple(Formule(*part) for part in split_texte(fields.pop("texte")))
    return Indicateur(formules=formules, **fields)


def export_pseudo_parametrage(trame: Trame, path: str | Path) -> Path:
    """Write a trame as an Excel pseudo-paramétrage, which reads back as the same trame.

    Parameters
    ----------
    trame
        The trame.
    path
        The workbook to write, ``.xlsx``; replaced when it exists.

    Returns
    -------
    Path
        The workbook.

    Raises
    ------
    TrameError
        When the trame is wrong, or a text too long for a cell; nothing is written.
    WorkbenchError
        When the path is not that of an .xlsx, or cannot be written.
    """
    path = trame_path(path)
    if path.suffix.lower() != ".xlsx":
        raise WorkbenchError("trame_format", chemin=path, suffixe=path.suffix)
    replace_file(path, pseudo_parametrage(trame), trame.code)
    return path


def pseudo_parametrage(trame: Trame) -> bytes:
    """Return the workbook of a trame as bytes; see `export_pseudo_parametrage`."""
    require_right(trame)
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = _SHEET
    described = [[getattr(one, name) for name in _FIELDS.values()] for one in trame.indicateurs]
    _fill(sheet, list(_TITLES.values()), described, widths=(24, 44, 90, 50, 40, 20, 18))
    fields: Iterator[tuple[str, Any]] = ((key, getattr(trame, key)) for key in TRAME_KEYS if key != "indicateurs")
    described = [[key, ", ".join(value) if key in _LISTS else value] for key, value in fields if value]
    _fill(workbook.create_sheet(_TRAME_SHEET), list(_FIELD_TITLES), described, widths=(24, 90))
    return saved(workbook)


def _fill(sheet: Any, titles: list[str], texts: list[list[str]], widths: tuple[int, ...]) -> None:
    for column, (title, width) in enumerate(zip(titles, widths, strict=True), 1):
        cell = sheet.cell(1, column, title)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="DDE5EE")
        sheet.column_dimensions[cell.column_letter].width = width
    for number, row in enumerate(texts, 2):
        for column, text in enumerate(row, 1):
            cell = sheet.cell(number, column)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
            put_text(cell, text)
    sheet.freeze_panes = "A2"
