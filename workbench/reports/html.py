"""An executed notebook as one HTML page that opens anywhere, without network and without a server.

The page holds its text, its figures and the one library that draws them. Nothing in it points
outside: what an output would load from elsewhere is taken away, links become their printed
addresses, and a content security policy makes the browser refuse what would remain. Scripts of
outputs are dropped too; charts come from plotly's data, not from plotly's pages.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from html import escape
from html.parser import HTMLParser
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from workbench.atomic import replacing
from workbench.display import STYLE
from workbench.errors import WorkbenchError

__all__ = ["export_html", "read_notebook"]

PLOTLY_MIME = "application/vnd.plotly.v1+json"

HIDDEN_TAGS = frozenset({"parameters", "injected-parameters", "remove_cell", "remove-cell"})

FORBIDDEN_ELEMENTS = frozenset({"script", "iframe", "object", "embed", "applet", "frame", "frameset", "noscript"})
FORBIDDEN_TAGS = frozenset({"link", "base", "meta"})
VOID_TAGS = frozenset({"area", "br", "col", "hr", "img", "input", "source", "track", "wbr"})
ADDRESSES = frozenset(
    {"src", "srcset", "href", "xlink:href", "poster", "background", "action", "formaction", "data", "ping", "cite"}
)

CSS_OUTSIDE = re.compile(r"@import[^;]*;?|url\(\s*(?!['\"]?(?:data:|#))[^)]*\)", re.IGNORECASE)

# Tile servers and homepages that plotly.js would only reach for maps; XML namespaces are names, not addresses.
PLOTLY_OUTSIDE = re.compile(r"https?://(?!www\.w3\.org/)")

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def export_html(notebook: Path | str, to: Path | str) -> Path:
    """Write an executed notebook as one page that needs no network.

    Parameters
    ----------
    notebook
        Path of an executed notebook, format 4. Its code is not shown; its first heading becomes
        the title of the page.
    to
        Path of the page; written whole or not at all.

    Returns
    -------
    pathlib.Path
        ``to``.

    Raises
    ------
    WorkbenchError
        ``notebook_absent`` or ``notebook_illisible``.

    Examples
    --------
    >>> import json, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> cells = [{"cell_type": "markdown", "metadata": {}, "source": ["# Commune fictive"]}]
    >>> content = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    >>> written = (folder / "rapport.ipynb").write_text(content, encoding="utf-8")
    >>> page = export_html(folder / "rapport.ipynb", folder / "rapport.html").read_text(encoding="utf-8")
    >>> "<title>Commune fictive</title>" in page
    True
    """
    source = Path(notebook)
    body = "\n".join(_cells(read_notebook(source), source.parent))
    with replacing(Path(to)) as partial:
        partial.write_text(_page(body), encoding="utf-8")
    return Path(to)


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook of format 4 as plain data; raises ``notebook_absent`` or ``notebook_illisible``."""
    if not path.is_file():
        raise WorkbenchError("notebook_absent", chemin=path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WorkbenchError("notebook_illisible", chemin=path, cause="ce n'est pas du JSON") from error
    if not isinstance(content, dict) or content.get("nbformat") != 4 or not isinstance(content.get("cells"), list):
        raise WorkbenchError("notebook_illisible", chemin=path, cause="il n'est pas au format 4")
    return content


def _cells(content: Mapping[str, Any], folder: Path) -> Iterator[str]:
    for cell in content["cells"]:
        if HIDDEN_TAGS & set(cell.get("metadata", {}).get("tags", [])):
            continue
        if cell["cell_type"] == "markdown":
            yield f'<section class="wb-texte">{_markdown(_text(cell["source"]), cell, folder)}</section>'
        elif cell["cell_type"] == "code":
            outputs = "\n".join(filter(None, (_output(output, folder) for output in cell.get("outputs", []))))
            if outputs:
                yield f'<section class="wb-sortie">{outputs}</section>'


def _output(output: Mapping[str, Any], folder: Path) -> str:
    kind = output["output_type"]
    if kind == "stream":
        text = ANSI.sub("", _text(output["text"]))
        return f"<pre>{escape(text)}</pre>" if output["name"] == "stdout" and text.strip() else ""
    if kind == "error":
        message = escape(ANSI.sub("", _text(output["evalue"])))
        return f'<div class="wb-echec"><b>Cette partie a échoué.</b> {message}</div>'
    data = output["data"]
    if PLOTLY_MIME in data:
        return _chart(data)
    if "text/html" in data:
        return _offline(_text(data["text/html"]), folder)
    if "image/svg+xml" in data:
        return _offline(_text(data["image/svg+xml"]), folder)
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            alternative = escape(_text(data.get("text/plain", "")))
            return f'<img src="data:{mime};base64,{_text(data[mime]).strip()}" alt="{alternative}">'
    if "text/markdown" in data:
        return _markdown(_text(data["text/markdown"]), {}, folder)
    return f"<pre>{escape(_text(data['text/plain']))}</pre>" if _text(data.get("text/plain", "")).strip() else ""


def _chart(data: Mapping[str, Any]) -> str:
    chart = data[PLOTLY_MIME]
    described = chart.get("layout", {}).get("meta", {})
    description = described.get("description", "") if isinstance(described, dict) else ""
    # Inside a script element only "<" could end the data early.
    content = json.dumps(chart, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    height = int(chart.get("layout", {}).get("height") or 400)
    return (
        f'<figure class="wb-graphique"><div class="wb-trace" role="img" style="height:{height}px" '
        f'aria-label="{escape(description or "Graphique")}"></div>'
        f'<script type="application/json">{content}</script></figure>'
    )


def _markdown(text: str, cell: Mapping[str, Any], folder: Path) -> str:
    import mistune

    for name, bundle in cell.get("attachments", {}).items():
        for mime, content in bundle.items():
            text = text.replace(f"attachment:{name}", f"data:{mime};base64,{_text(content).strip()}")
    render = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "url"])
    return _offline(str(render(text)), folder)


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


class _OfflineWriter(HTMLParser):
    """Copies HTML, leaving out what runs or points outside."""

    def __init__(self, folder: Path) -> None:
        super().__init__(convert_charrefs=False)
        self.folder = folder.resolve()
        self.parts: list[str] = []
        self.dropped: list[str] = []  # open elements whose content is left out
        self.links: list[str] = []  # what to print where each open link ends
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN_ELEMENTS:
            self.dropped.append(tag)
        if self.dropped or tag in FORBIDDEN_TAGS:
            return
        self.in_style = tag == "style"
        if tag == "a":
            self.links.append(_printed_address(dict(attrs).get("href") or ""))
        kept = [(name, value) for name, value in map(self._attribute, attrs) if name]
        written = "".join(f" {name}" if value is None else f' {name}="{escape(value)}"' for name, value in kept)
        self.parts.append(f"<{tag}{written}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN_ELEMENTS:
            return
        self.handle_starttag(tag, attrs)
        if tag not in VOID_TAGS:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.dropped:
            if tag == self.dropped[-1]:
                self.dropped.pop()
            return
        if tag in FORBIDDEN_TAGS or tag in VOID_TAGS:
            return
        self.in_style = False
        if tag == "a" and self.links:
            self.parts.append(self.links.pop())
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self.dropped:
            self.parts.append(CSS_OUTSIDE.sub("", data) if self.in_style else data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def _attribute(self, attribute: tuple[str, str | None]) -> tuple[str, str | None]:
        name, value = attribute
        if name.startswith("on"):
            return "", None
        if name == "style" and value:
            return name, CSS_OUTSIDE.sub("", value)
        if name not in ADDRESSES or value is None:
            return name, value
        address = value.strip()
        if address.startswith(("#", "data:image/")):
            return name, address
        return (name, embedded) if name == "src" and (embedded := self._embedded(address)) else ("", None)

    def _embedded(self, address: str) -> str:
        """Return the picture of a file beside the notebook, as data; empty for anything else."""
        path = (self.folder / address).resolve()
        mime = guess_type(path.name)[0] or ""
        if (
            ":" in address
            or not mime.startswith("image/")
            or not path.is_relative_to(self.folder)
            or not path.is_file()
        ):
            return ""
        return f"data:{mime};base64,{b64encode(path.read_bytes()).decode()}"


def _printed_address(address: str) -> str:
    outside = address.strip()
    return f' <span class="wb-adresse">({escape(outside)})</span>' if outside.startswith(("http:", "https:")) else ""


def _offline(html: str, folder: Path) -> str:
    writer = _OfflineWriter(folder)
    writer.feed(html)
    writer.close()
    return "".join(writer.parts)


@cache
def _plotly() -> str:
    script = files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")
    return PLOTLY_OUTSIDE.sub("hors-ligne:", script).replace("</script", "<\\/script")


@cache
def _own(name: str) -> str:
    return files("workbench.reports").joinpath(name).read_text(encoding="utf-8")


def _page(body: str) -> str:
    # The look of views comes with each output: once is enough for a page.
    before, style, after = body.partition(STYLE)
    body = before + style + after.replace(STYLE, "")
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.DOTALL)
    title = re.sub(r"<[^>]+>", "", heading[1]).strip() if heading else "Rapport"
    scripts = [_plotly(), _own("report.js")] if "wb-graphique" in body else []
    hashes = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    allowed = hashes or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_own('report.css')}\n</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body>\n</html>\n"
    )
