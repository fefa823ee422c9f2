"""A sheet as a Word file or a PDF: the items that its reader sees, and nothing that is not among them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from io import BytesIO
from typing import Any

from workbench.dashboards.components import outlines
from workbench.dashboards.dates import moment
from workbench.dashboards.documents import Document, pdf_document
from workbench.dashboards.sheet_items import Block, Item
from workbench.errors import WorkbenchError
from workbench.store.usage import PARIS

__all__ = ["DOCX", "sheet_docx", "sheet_name", "sheet_parts", "sheet_pdf"]

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

# What XML 1.0 has no place for; python-docx would refuse the whole file.
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

NOTICE = "Document confidentiel, établi selon les droits de la personne qui l'a demandé."


def sheet_name(kind: str, name: str, number: str) -> str:
    """Return the name of a file: ASCII, of what is read on the sheet.

    Examples
    --------
    >>> sheet_name("ETABLISSEMENT", "Mécanique d'Armor & Cie", "80000000100012")
    'ETABLISSEMENT-MECANIQUE-D-ARMOR-CIE-80000000100012'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    words = re.sub(r"[^A-Z0-9]+", "-", plain).strip("-")[:60].strip("-")
    return "-".join(each for each in (kind, words, number) if each)


def _clean(words: object) -> str:
    return _IMPOSSIBLE.sub("\N{REPLACEMENT CHARACTER}", str(words))


def _words(one: str | Mapping[str, str]) -> str:
    return one if isinstance(one, str) else str(one["text"])


def _made() -> str:
    return f"{NOTICE} Établi le {moment(datetime.now(PARIS))}."


def sheet_docx(
    name: str, head: Mapping[str, Any], blocks: Sequence[Block], threads: Sequence[Mapping[str, Any]]
) -> Document:
    """Write a sheet as a Word file.

    Parameters
    ----------
    name
        Name of the file.
    head, blocks, threads
        What the page shows: charts become tables of their figures.

    Raises
    ------
    WorkbenchError
        ``extra_absent`` where python-docx is not installed.
    """
    try:
        import docx
        from docx.shared import Cm, Pt
    except ModuleNotFoundError as error:
        raise WorkbenchError("extra_absent", bibliotheque="python-docx", extra="jupyter") from error
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Cm(2)
    document.styles["Normal"].font.size = Pt(10)
    document.core_properties.title = _clean(head["name"])
    document.core_properties.author = ""
    document.core_properties.language = "fr-FR"
    document.add_heading(_clean(head["name"]), 0)
    document.add_paragraph(_clean(head["line"]))
    if head["chips"]:
        document.add_paragraph(_clean(" · ".join(each["text"] for each in head["chips"]))).runs[0].bold = True
    for block in blocks:
        document.add_heading(_clean(block["title"]), 1)
        for item in block["items"]:
            _add(document, item)
    if threads:
        document.add_heading("Commentaires", 1)
        for level, one in _flat(threads):
            words = document.add_paragraph(_clean(f"{one['author']}, {one['when']}"))
            words.runs[0].italic = True
            said = document.add_paragraph(_clean(one["typed"]))
            for each in (words, said):
                each.paragraph_format.left_indent = Cm(0.8 * level)
    document.add_paragraph(_clean(_made())).runs[0].italic = True
    content = BytesIO()
    document.save(content)
    return Document(name, content.getvalue(), DOCX)


def _add(document: Any, item: Item) -> None:
    match item["kind"]:
        case "facts":
            _add_table(document, [], item["pairs"])
        case "table":
            if item["caption"]:
                document.add_paragraph(_clean(item["caption"])).runs[0].bold = True
            _add_table(document, item["heads"], item["rows"])
        case "chart":
            document.add_paragraph(_clean(item["alternative"]))
            if item["rows"]:
                _add_table(document, item["rows"]["head"], item["rows"]["body"])
        case "map":
            document.add_paragraph(_clean(item["description"]))
        case _:
            document.add_paragraph(_clean(item["text"]))


def _add_table(document: Any, heads: Sequence[str], rows: Sequence[Sequence[str | Mapping[str, str]]]) -> None:
    every = [list(heads), *rows] if heads else list(rows)
    table = document.add_table(rows=len(every), cols=max(len(row) for row in every), style="Light Grid Accent 1")
    # Cells by row: python-docx finds each cell of a table by counting all of them.
    for row, written in zip(table.rows, every, strict=True):
        for cell, words in zip(row.cells, written, strict=False):
            cell.text = _clean(_words(words))
    document.add_paragraph()


def _flat(threads: Sequence[Mapping[str, Any]], level: int = 0) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for one in threads:
        yield level, one
        yield from _flat(one["answers"], level + 1)


def sheet_pdf(
    name: str, head: Mapping[str, Any], blocks: Sequence[Block], threads: Sequence[Mapping[str, Any]]
) -> Document:
    """Print a sheet: its charts are drawn, its map is an outline.

    Parameters
    ----------
    name
        Name of the file.
    head, blocks, threads
        What the page shows.

    Raises
    ------
    WorkbenchError
        ``chromium_absent``, ``pdf_echec``.
    """
    return pdf_document(name, sheet_parts(head, blocks, threads))


def sheet_parts(
    head: Mapping[str, Any], blocks: Sequence[Block], threads: Sequence[Mapping[str, Any]]
) -> list[str | Mapping[str, Any]]:
    """Return what is printed of a sheet: HTML whose texts are escaped, and charts."""
    marks = " · ".join(each["text"] for each in head["chips"])
    top = f"<h1>{escape(head['name'])}</h1><p>{escape(head['line'])}</p><p><b>{escape(marks)}</b></p>"
    parts: list[str | Mapping[str, Any]] = [f'<header class="wb-titre">{top}</header>']
    for block in blocks:
        parts.append(f"<h2>{escape(block['title'])}</h2>")
        parts += [_printed(item) for item in block["items"]]
    if threads:
        said = "".join(
            f'<div style="margin-left:{2 * level}em"><p><i>{escape(one["author"])}, {escape(one["when"])}</i></p>'
            + "".join(f"<p>{escape(line)}</p>" for line in one["typed"].split("\n"))
            + "</div>"
            for level, one in _flat(threads)
        )
        parts.append(f"<h2>Commentaires</h2>{said}")
    parts.append(f"<p><i>{escape(_made())}</i></p>")
    return parts


def _printed(item: Item) -> str | Mapping[str, Any]:
    match item["kind"]:
        case "facts":
            return _table("", [], item["pairs"])
        case "table":
            return _table(item["caption"], item["heads"], item["rows"])
        case "chart":
            return item
        case "map":
            return _drawn(item)
        case _:
            return f"<p>{escape(item['text'])}</p>"


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str | Mapping[str, str]]]) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in heads)
    lines = "".join(f"<tr>{_line(*map(_words, row))}</tr>" for row in rows)
    return (
        f'<div class="wb-cadre"><table class="wb-tableau"><caption>{escape(caption)}</caption>'
        f"{f'<thead><tr>{head}</tr></thead>' if heads else ''}<tbody>{lines}</tbody></table></div>"
    )


def _line(first: str, *rest: str) -> str:
    return f'<th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(each)}</td>" for each in rest)


def _drawn(item: Item) -> str:
    known = outlines()
    drawn = [*known["paths"].items(), *known["inset"].items()]
    shades = ["#c3cff0" if code in item["areas"] else "#f1f2f6" for code, _ in drawn]
    areas = "".join(
        f'<path d="{path}" fill="{shade}" stroke="#9aa0ad" stroke-width="0.6"/>'
        for (_, path), shade in zip(drawn, shades, strict=True)
    )
    points = "".join(
        f'<circle cx="{each["x"]}" cy="{each["y"]}" r="6" fill="#000091" stroke="#fff" stroke-width="1.5"/>'
        for each in item["points"]
    )
    return (
        f'<svg viewBox="0 0 {known["width"]} {known["height"]}" width="260" role="img" '
        f'aria-label="{escape(item["description"])}">{areas}{points}</svg><p>{escape(item["description"])}</p>'
    )
