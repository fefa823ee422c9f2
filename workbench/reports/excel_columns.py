"""Open columns in the rows of a table, as a spreadsheet would, and carry along all that refers to them.

A model holds one column of values (D) and one of totals (E). A report of n exercices needs n - 1 more
between the two. Inserting whole columns would also stretch titles above the table and cut notes below
it, so only the rows of the table open (`Opening`): there, every cell right of the opened column moves n - 1
columns to the right with its value, style, comment and hyperlink. What surrounds the table stays in place.

What points to those cells follows: formulas of the whole workbook, defined names, charts, merged cells,
conditional formats, data validations, autofilter, print area, column widths. A reference ``c1:c2`` becomes:

======================  =================================================
columns of the model    columns of the report
======================  =================================================
both left of D          unchanged
D alone                 formulas: D; conditional formats, validations and
                        charts: every exercice
from D or before to E   the same start, the end moved with E
both right of D         both moved
======================  =================================================

A conditional format on D is repeated on each exercice rather than spread over one wide range: a colour
scale or a "ten largest" keeps comparing the values of one exercice, as in the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from openpyxl.cell.cell import MergedCell
from openpyxl.formatting.formatting import ConditionalFormatting, ConditionalFormattingList
from openpyxl.formatting.rule import Rule
from openpyxl.utils.cell import column_index_from_string, get_column_letter
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.cell_range import CellRange, MultiCellRange
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.worksheet import Worksheet

from workbench.reports.excel_references import LAST_COLUMN, Opening, map_references, sheet_of, shift_references

__all__ = ["open_columns", "widen"]

EXPRESSIONS = "formula"
"""openpyxl's name for the texts of a rule; here a formule is a text of a trame, nothing else."""


def open_columns(workbook: Workbook, sheet: Worksheet, opening: Opening) -> list[str]:
    """Open columns in a sheet.

    Returns
    -------
    list of str
        French sentences on what could not be kept as it was.
    """
    remarks = _release(sheet, opening)
    if not opening.count:
        return remarks
    _move_merged(sheet, opening)
    _move_cells(sheet, opening)
    _map_conditional_formats(sheet, opening)
    for validation in sheet.data_validations.dataValidation:
        validation.sqref = MultiCellRange([opening.spread(area) for area in validation.sqref.ranges])
        for name in ("formula1", "formula2"):
            if getattr(validation, name):
                setattr(validation, name, map_references(getattr(validation, name), sheet.title, opening))
    for drawn in (*_drawn(sheet, "_charts"), *_drawn(sheet, "_images")):
        _move_anchor(drawn.anchor, opening)
    if sheet.auto_filter.ref:
        sheet.auto_filter.ref = opening.spread(CellRange(sheet.auto_filter.ref)).coord
    _map_formulas(workbook, opening)
    return remarks


def _release(sheet: Worksheet, opening: Opening) -> list[str]:
    """Free what would make the file invalid: tables, whose header cells must be texts, over the rows to open."""
    remarks = []
    for table in list(sheet.tables.values()):
        name = table.name
        area = CellRange(table.ref)
        if not opening.touches(area.min_row, area.max_row):
            continue
        if area.min_col > opening.column:
            table.ref = opening.mapped(area).coord
            if table.autoFilter is not None:
                table.autoFilter.ref = table.ref
        elif area.max_col >= opening.column:
            del sheet.tables[name]
            remarks.append(
                f"Feuille « {sheet.title} » : le tableau Excel « {name} » ({table.ref}) devient une plage ordinaire, "
                "car il entoure les colonnes d'exercices."
            )
    return remarks


def _move_merged(sheet: Worksheet, opening: Opening) -> None:
    for area in list(sheet.merged_cells.ranges):
        inside = opening.first <= area.min_row and area.max_row <= opening.last
        if inside and area.min_col > opening.column:
            sheet.merged_cells.ranges.discard(area)
            area.shift(col_shift=opening.count)
            sheet.merged_cells.ranges.add(area)


def _stays(sheet: Worksheet, opening: Opening) -> set[tuple[int, int]]:
    """Cells of merged ranges that begin left of the opening, or that leave its rows: they keep their place."""
    kept: set[tuple[int, int]] = set()
    for area in sheet.merged_cells.ranges:
        inside = opening.first <= area.min_row and area.max_row <= opening.last
        if not inside or area.min_col <= opening.column:
            kept.update(cell for row in area.rows for cell in row)
    return kept


def _move_cells(sheet: Worksheet, opening: Opening) -> None:
    cells = sheet._cells
    kept = _stays(sheet, opening)
    places = sorted(
        (
            place
            for place in cells
            if opening.first <= place[0] <= opening.last and place[1] > opening.column and place not in kept
        ),
        reverse=True,
    )
    for row, column in places:
        cell = cells.pop((row, column))
        cell.column = opening.moved(column)
        cells[row, cell.column] = cell
        if not isinstance(cell, MergedCell) and cell.hyperlink is not None:
            cell.hyperlink.ref = cell.coordinate


def _drawn(sheet: Worksheet, kind: str) -> list[Any]:
    """Return the charts or images of a sheet, which openpyxl has no public list of."""
    return list(getattr(sheet, kind))


def _move_anchor(anchor: object, opening: Opening) -> None:
    """Keep a chart or image that stands right of the table from being covered by it; anchors count from 0."""
    start, end = getattr(anchor, "_from", None), getattr(anchor, "to", None)
    if start is None or start.col < opening.column:
        return
    if opening.touches(start.row + 1, (end or start).row + 1):
        start.col += opening.count
        if end is not None:
            end.col += opening.count


def widen(sheet: Worksheet, opening: Opening, total_width: float | None) -> None:
    """Give the opened columns the width of the first, and the column after them ``total_width`` if there is a total."""
    spans: list[tuple[int, int, ColumnDimension]] = []
    for letter, dimension in sheet.column_dimensions.items():
        low = dimension.min or column_index_from_string(letter)
        high = dimension.max or low
        for start, end, shift, stretch in (
            (low, min(high, opening.column - 1), 0, 0),
            (max(low, opening.column), min(high, opening.column), 0, opening.count),
            (max(low, opening.column + 1), high, opening.count, 0),
        ):
            if start <= end and start + shift <= LAST_COLUMN:
                spans.append((start + shift, min(end + shift + stretch, LAST_COLUMN), dimension))
    target = opening.column + opening.count + 1
    sheet.column_dimensions.clear()
    for start, end, dimension in spans:
        pieces = [(start, end)]
        if total_width is not None and start <= target <= end:
            pieces = [(start, target - 1), (target + 1, end)]
        for low, high in pieces:
            if low <= high:
                piece = copy(dimension)
                piece.index, piece.min, piece.max = get_column_letter(low), low, high
                sheet.column_dimensions[piece.index] = piece
    if total_width is not None:
        letter = get_column_letter(target)
        sheet.column_dimensions[letter] = ColumnDimension(sheet, index=letter, width=total_width, customWidth=True)


def _map_conditional_formats(sheet: Worksheet, opening: Opening) -> None:
    ranked: list[tuple[int, int, MultiCellRange, Rule]] = []
    for formatting in sheet.conditional_formatting:
        for rule in formatting.rules:
            for order, areas, mapped in _mapped_rules(sheet.title, formatting.sqref, rule, opening):
                ranked.append((rule.priority, order, areas, mapped))
    ranked.sort(key=lambda item: item[:2])
    result = ConditionalFormattingList()
    for priority, (_, _, areas, rule) in enumerate(ranked, start=1):
        rule.priority = priority
        result.add(ConditionalFormatting(areas), rule)
    sheet.conditional_formatting = result


def _mapped_rules(
    sheet: str, areas: MultiCellRange, rule: Rule, opening: Opening
) -> Iterator[tuple[int, MultiCellRange, Rule]]:
    """Cut a rule in three: on values (one copy an exercice), right of them (moved), elsewhere; formulas follow."""
    ranges = list(areas.ranges)
    anchor = min(area.min_col for area in ranges), min(area.min_row for area in ranges)
    opened = [area for area in ranges if opening.touches(area.min_row, area.max_row)]
    on_values = [area for area in opened if area.min_col == area.max_col == opening.column]
    right = [area for area in opened if area.min_col > opening.column]
    elsewhere = [area for area in ranges if area not in on_values and area not in right]

    def rebuilt(group: list[CellRange], change: Callable[[str], str]) -> tuple[MultiCellRange, Rule]:
        copied = copy(rule)
        copied.dxf = rule.dxf  # the copy goes through XML, where the format is only a number
        expressions: list[str] = getattr(copied, EXPRESSIONS)
        expressions[:] = [change(text) for text in expressions]
        return MultiCellRange(sorted(group, key=lambda area: (area.min_col, area.min_row))), copied

    def moved(text: str, group: list[CellRange], columns: int) -> str:
        """Read the formula where the group begins, then map it; D follows the copy, the rest the opening."""
        origin = min(area.min_col for area in group), min(area.min_row for area in group)
        local = shift_references(text, origin[0] - anchor[0], origin[1] - anchor[1])
        return map_references(local, sheet, opening, follow=columns)

    if elsewhere:
        one_column = len({column for area in elsewhere for column in (area.min_col, area.max_col)}) == 1
        yield (
            0,
            *rebuilt(
                [opening.spread(area) for area in elsewhere],
                lambda text: (
                    moved(text, elsewhere, 0)
                    if one_column
                    else map_references(text, sheet, opening, absolute_only=True)
                ),
            ),
        )
    for index in range(opening.count + 1 if on_values else 0):
        group = [CellRange(area.coord) for area in on_values]
        for area in group:
            area.shift(col_shift=index)
        yield 1 + index, *rebuilt(group, lambda text, index=index: moved(text, on_values, index))  # type: ignore[misc]
    if right:
        yield 2 + opening.count, *rebuilt([opening.mapped(area) for area in right], lambda text: moved(text, right, 0))


def _map_formulas(workbook: Workbook, opening: Opening) -> None:
    for sheet in workbook.worksheets:
        for cell in list(sheet._cells.values()):
            value = cell.value
            if isinstance(value, ArrayFormula):
                value.text = map_references(str(value.text), sheet.title, opening)
                if sheet.title == opening.sheet:
                    value.ref = opening.mapped(CellRange(value.ref)).coord
            elif cell.data_type == "f" and isinstance(value, str):
                cell.value = map_references(value, sheet.title, opening)
        for chart in _drawn(sheet, "_charts"):
            _map_chart(chart, sheet.title, opening)
        for name in sheet.defined_names.values():
            name.attr_text = map_references(str(name.attr_text or ""), sheet.title, opening)
    for name in workbook.defined_names.values():
        if name.attr_text and "#REF!" not in name.attr_text:
            name.attr_text = map_references(str(name.attr_text), "", opening)
    sheet = workbook[opening.sheet]
    if sheet.print_area:
        areas = [sheet_of(area)[2] for area in str(sheet.print_area).split(",")]
        sheet.print_area = [opening.spread(CellRange(area.replace("$", ""))).coord for area in areas]


def _map_chart(chart: object, home: str, opening: Opening) -> None:
    """Stretch a series over the first exercice to all of them."""
    for part in getattr(chart, "_charts", [chart]):
        for series in getattr(part, "ser", ()):
            for name in ("cat", "val", "xVal", "yVal", "bubbleSize", "tx"):
                source = getattr(series, name, None)
                for kind in ("numRef", "strRef", "multiLvlStrRef"):
                    reference = getattr(source, kind, None)
                    if reference is not None and reference.f:
                        reference.f = map_references(reference.f, home, opening, spread=name != "tx")
