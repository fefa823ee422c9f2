"""References of formulas when columns open in a table: which cells move, how a formula that names them reads after.

A reference is read with its sheet, its columns and its rows; names, tables and whatever openpyxl's tokenizer cannot
cut stay as they are. See `workbench.reports.excel_columns` for what moves and why.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from openpyxl.formula.tokenizer import Token, Tokenizer, TokenizerError
from openpyxl.utils.cell import column_index_from_string, get_column_letter
from openpyxl.worksheet.cell_range import CellRange

__all__ = ["LAST_COLUMN", "Opening", "map_references", "repeat_expression", "sheet_of", "shift_references"]

LAST_COLUMN = 16384
_CELL = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})$")
_COLUMN = re.compile(r"(\$?)([A-Za-z]{1,3})()()$")


@dataclass(frozen=True)
class Opening:
    """``count`` columns opened right of ``column``, on the rows ``first`` to ``last`` of a sheet."""

    sheet: str
    first: int
    last: int
    column: int
    count: int

    def moved(self, column: int) -> int:
        """Return where a column goes."""
        return min(column + self.count, LAST_COLUMN) if column > self.column else column

    def touches(self, first: int | None, last: int | None) -> bool:
        """Say whether the rows ``first`` to ``last`` (None: all) meet the opened rows."""
        return (first is None or first <= self.last) and (last is None or last >= self.first)

    def mapped(self, area: CellRange) -> CellRange:
        """Return the range after the opening; one that ends in the opened column is left as it is."""
        if not self.touches(area.min_row, area.max_row):
            return CellRange(area.coord)
        return CellRange(
            min_col=self.moved(area.min_col),
            max_col=self.moved(area.max_col),
            min_row=area.min_row,
            max_row=area.max_row,
        )

    def spread(self, area: CellRange) -> CellRange:
        """Like `mapped`, but a range that ends in the opened column reaches the last one opened."""
        result = self.mapped(area)
        if area.max_col == self.column and self.touches(area.min_row, area.max_row):
            result.expand(right=self.count)
        return result


def _replace(text: str, change: Callable[[str], str]) -> str:
    """Rewrite each reference of a formula; a formula that openpyxl cannot cut stays as it is."""
    leading = text.startswith("=")
    try:
        tokenizer = Tokenizer(text if leading else "=" + text)
    except TokenizerError:
        return text
    for token in tokenizer.items:
        if token.type == Token.OPERAND and token.subtype == Token.RANGE:
            token.value = change(token.value)
    text = "=" + "".join(token.value for token in tokenizer.items)
    return text if leading else text[1:]


def sheet_of(reference: str) -> tuple[str, str | None, str]:
    """Cut ``'Feuille 1'!A1`` into its prefix as written, the sheet's name (None without one) and the range."""
    prefix, mark, area = reference.rpartition("!")
    if not mark:
        return "", None, reference
    return prefix + mark, prefix[1:-1].replace("''", "'") if prefix.startswith("'") else prefix, area


def _ends(area: str) -> list[re.Match[str]] | None:
    ends = [_CELL.match(end) or _COLUMN.match(end) for end in area.split(":")]
    found = [end for end in ends if end is not None]
    return found if len(found) == len(ends) <= 2 else None


def map_references(
    text: str, home: str, opening: Opening, *, follow: int = 0, spread: bool = False, absolute_only: bool = False
) -> str:
    """Map the references of a formula written on the sheet ``home``.

    ``follow`` moves relative references to the opened column by that many columns (the formula is copied
    to another exercice); ``spread`` stretches a reference to it, on one row, over every exercice;
    ``absolute_only`` leaves relative columns: in a rule over several columns they mean "so many further".

    Examples
    --------
    >>> opening = Opening("Tableau", first=9, last=15, column=4, count=7)
    >>> map_references("=SUM(E10:E15)-$D10+E20", "Tableau", opening)
    '=SUM(L10:L15)-$D10+E20'
    >>> map_references("='Tableau'!C10:E10", "Autre", opening)
    "='Tableau'!C10:L10"
    """

    def change(reference: str) -> str:
        prefix, sheet, area = sheet_of(reference)
        ends = _ends(area)
        if ends is None or (home if sheet is None else sheet).casefold() != opening.sheet.casefold():
            return reference
        rows = [int(end[4]) if end[4] else None for end in ends]
        first, last = (rows[0], rows[-1]) if None not in rows else (None, None)
        if not opening.touches(first, last):
            return reference
        texts = []
        for end in ends:
            column = column_index_from_string(end[2].upper())
            if column == opening.column and not end[1]:
                column += follow
            elif end[1] or not absolute_only:
                column = opening.moved(column)
            texts.append(f"{end[1]}{get_column_letter(column)}{end[3]}{end[4]}")
        if spread and first == last and column_index_from_string(ends[-1][2].upper()) == opening.column:
            end = ends[-1]
            texts = [texts[0], f"{end[1]}{get_column_letter(opening.column + opening.count)}{end[3]}{end[4]}"]
        return prefix + ":".join(texts)

    return _replace(text, change)


def repeat_expression(text: str, home: str, opening: Opening, columns: int) -> str:
    """Rewrite a formula of the opened column, already mapped, for the exercice ``columns`` further.

    Examples
    --------
    >>> opening = Opening("Tableau", first=9, last=15, column=4, count=7)
    >>> repeat_expression("=D10/$D$11-$C10", "Tableau", opening, 2)
    '=F10/$D$11-$C10'
    """
    identity = Opening(opening.sheet, opening.first, opening.last, opening.column, 0)
    return map_references(text, home, identity, follow=columns)


def shift_references(text: str, columns: int, rows: int) -> str:
    """Read at another anchor the relative references of a conditional format's formula."""

    def change(reference: str) -> str:
        prefix, _, area = sheet_of(reference)
        ends = _ends(area)
        if ends is None or not (columns or rows):
            return reference
        texts = []
        for end in ends:
            column = column_index_from_string(end[2].upper()) + (0 if end[1] else columns)
            row = str(int(end[4]) + (0 if end[3] else rows)) if end[4] else ""
            if not 1 <= column <= LAST_COLUMN or row.startswith(("-", "0")):
                return reference
            texts.append(f"{end[1]}{get_column_letter(column)}{end[3]}{row}")
        return prefix + ":".join(texts)

    return _replace(text, change)
