"""Columns of a table as arrays: numbers, texts, months and marks, whatever a file wrote them as.

A CSV knows texts alone, and pandas makes numbers of years with holes: what has one meaning is read, the rest refused
with the first value that has none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbench.errors import WorkbenchError

__all__ = ["categories_of", "marks_of", "months_of", "numbers_of", "texts_of"]

MARKS: Mapping[str, float] = {
    **dict.fromkeys(("1", "1.0", "true", "vrai", "oui", "yes", "t", "o", "y"), 1.0),
    **dict.fromkeys(("0", "0.0", "false", "faux", "non", "no", "f", "n"), 0.0),
}
"""Spellings of yes and no, without accents nor capitals."""

MONTH = r"^\d{4}(-\d{2}(-\d{2}([T ].*)?)?)?$"
"""A year, a month or a day, with an hour perhaps."""


def _plain(table: pa.Table, name: str) -> pa.ChunkedArray:
    column = table.column(name)
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _refused(name: str, found: str) -> WorkbenchError:
    return WorkbenchError("detection_valeurs", colonne=name, type=found)


def _first(column: pa.ChunkedArray, wrong: pa.ChunkedArray) -> str:
    """Say the first value that is not read, and on which row: the first one is 1."""
    place = int(np.flatnonzero(pc.fill_null(wrong, False).to_numpy())[0])
    return f"« {column[place].as_py()} » (ligne {place + 1})"


def _all_known(column: pa.ChunkedArray, name: str) -> None:
    if column.null_count:
        place = int(np.flatnonzero(column.is_null().to_numpy())[0]) + 1
        raise _refused(name, f"{column.null_count} valeur(s) absente(s), la première ligne {place}")


def numbers_of(table: pa.Table, name: str, default: float | None) -> np.ndarray:
    """Return a column as float64; what is absent or infinite (a ratio to nothing) is the default, or NaN.

    Raises
    ------
    WorkbenchError
        ``detection_valeurs``.

    Examples
    --------
    >>> numbers_of(pa.table({"dette": ["12,5", " 3 ", ""]}), "dette", None).tolist()
    [12.5, 3.0, nan]
    """
    column = _plain(table, name)
    if _is_text(column.type):
        column = _read_numbers(column, name)
    elif pa.types.is_boolean(column.type) or pa.types.is_null(column.type):
        column = column.cast(pa.int8())
    elif not (
        pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    ):
        raise _refused(name, str(column.type))
    numbers: np.ndarray = column.cast(pa.float64(), safe=False).to_numpy()
    absent = ~np.isfinite(numbers)
    if absent.any():
        numbers = np.where(absent, np.nan if default is None else default, numbers)
    return numbers


def _read_numbers(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    # Thousands may be parted by any space, decimals by a comma.
    bare = pc.replace_substring(pc.replace_substring_regex(column, r"[\s\x{00a0}\x{202f}]", ""), ",", ".")
    empty = pc.is_in(pc.utf8_lower(bare), value_set=pa.array(["", "nan", "na", "null", "none"], bare.type))
    bare = pc.if_else(empty, pa.scalar(None, bare.type), bare)
    written = pc.match_substring_regex(bare, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    infinite = pc.match_substring_regex(pc.utf8_lower(bare), r"^[+-]?inf(inity)?$")
    wrong = pc.invert(pc.or_(written, infinite))
    if pc.any(wrong).as_py():
        raise _refused(name, f"{_first(column, wrong)}, qui n'est pas un nombre")
    return pc.if_else(infinite, pa.scalar(None, bare.type), bare).cast(pa.float64())


def texts_of(table: pa.Table, name: str) -> np.ndarray:
    """Return a column of keys as texts; none may be absent.

    Raises
    ------
    WorkbenchError
        ``detection_valeurs``.
    """
    column = _plain(table, name)
    try:
        texts = column.cast(pa.string())
    except pa.ArrowException as error:
        raise _refused(name, str(column.type)) from error
    _all_known(texts, name)
    found: np.ndarray = texts.to_numpy().astype(object)
    return found


def categories_of(table: pa.Table, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a column of texts as numbers, NaN where it is absent, and the texts they stand for, sorted."""
    column = _plain(table, name)
    try:
        texts = column.cast(pa.string()).dictionary_encode().combine_chunks()
    except pa.ArrowException as error:
        raise _refused(name, str(column.type)) from error
    known = np.asarray(texts.dictionary.to_pylist(), dtype=object)
    places = np.empty(len(known), dtype=np.float64)
    order = np.argsort(known, kind="stable")
    places[order] = np.arange(len(known))
    numbers = texts.indices.cast(pa.float64()).to_numpy(zero_copy_only=False)
    absent = np.isnan(numbers)
    found = np.full(len(numbers), np.nan)
    found[~absent] = places[numbers[~absent].astype(np.int64)]
    return found, tuple(known[order].tolist())


def months_of(table: pa.Table, name: str, *, required: bool) -> np.ndarray:
    """Return a column of dates as months: dates, texts that begin with AAAA, or years as numbers (January).

    Raises
    ------
    WorkbenchError
        ``detection_valeurs``, for a date that is required and absent too.

    Examples
    --------
    >>> months_of(pa.table({"fin": ["2020-02-15", "2021"]}), "fin", required=True).tolist()
    [datetime.date(2020, 2, 1), datetime.date(2021, 1, 1)]
    """
    column = _plain(table, name)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if required:
        _all_known(column, name)
    if _is_text(column.type):
        wrong = pc.invert(pc.match_substring_regex(column, MONTH))
        if pc.any(wrong).as_py():
            raise _refused(name, f"{_first(column, wrong)}, qui n'est pas une date écrite AAAA-MM-JJ")
        column = pc.utf8_slice_codeunits(column, 0, 10)
    try:
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
            return _years(column, name)
        if _is_text(column.type):
            found: np.ndarray = column.to_numpy().astype("M8[D]").astype("M8[M]")
        else:
            found = column.cast(pa.timestamp("us"), safe=False).to_numpy().astype("M8[M]")
    except (ValueError, pa.ArrowException) as error:
        raise _refused(name, f"{column.type}, et non des dates écrites AAAA-MM-JJ") from error
    return found


def _years(column: pa.ChunkedArray, name: str) -> np.ndarray:
    numbers: np.ndarray = pc.fill_null(column, 1970).to_numpy()
    wrong = (numbers != np.floor(numbers)) | (numbers < 1800) | (numbers > 2200)
    if wrong.any():
        raise _refused(name, f"{numbers[wrong][0]:g}, qui n'est pas une année")
    found: np.ndarray = (numbers.astype(np.int64) - 1970).astype("M8[Y]").astype("M8[M]")
    found[column.is_null().to_numpy()] = np.datetime64("NaT")
    return found


def marks_of(table: pa.Table, name: str) -> np.ndarray:
    """Return a column of marks as int8: 1, 0, or -1 where it is absent.

    Raises
    ------
    WorkbenchError
        ``detection_valeurs``.

    Examples
    --------
    >>> marks_of(pa.table({"defaut": ["Oui", "non", None]}), "defaut").tolist()
    [1, 0, -1]
    """
    column = _plain(table, name)
    if _is_text(column.type):
        by_text = {text: _mark(text) for text in column.unique().to_pylist()}
        unread = sorted(text for text, mark in by_text.items() if mark is None and text is not None)
        if unread:
            shown = ", ".join(f"« {text} »" for text in unread[:3])
            raise _refused(name, f"{shown}, où l'on attend 0 ou 1, oui ou non, vrai ou faux")
        read = pa.array([by_text[text] for text in column.to_pylist()], pa.float64())
        table, column = pa.table({name: read}), read
    marks = numbers_of(table, name, None)
    if not np.isin(marks[~np.isnan(marks)], (0, 1)).all():
        raise _refused(name, "autre chose que 0 et 1")
    return np.where(np.isnan(marks), -1, marks).astype(np.int8)


def _mark(text: str | None) -> float | None:
    if text is None or not text.strip():
        return None if text is None else float("nan")
    plain = unicodedata.normalize("NFKD", text)
    return MARKS.get("".join(each for each in plain if not unicodedata.combining(each)).strip().lower())
