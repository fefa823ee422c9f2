"""From a path to rows: which files, how they are written, which columns they have.

A file is read once whole before anything is imported: its SHA-256 says whether it is known, its
compression is verified to the last byte (a cut ``.gz`` would otherwise pass for a short file) and
its encoding decided. Bytes that are no UTF-8 are taken for Windows-1252 and rewritten aside.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from glob import glob
from pathlib import Path
from typing import IO

from workbench.dgfip.layouts import Layout, match_layout
from workbench.engines import FileSource, parquet_columns
from workbench.errors import WorkbenchError, require_kind

__all__ = ["SourceFile", "expand_paths", "open_source", "record_lines"]

_CHUNK = 1 << 18
_DELIMITERS = (";", "\t", ",", "|")


@dataclass(frozen=True)
class SourceFile:
    """A file that a layout fits.

    Parameters
    ----------
    path
        As given; its name is what messages say.
    sha256
        Of its bytes.
    file
        How an engine reads it.
    header
        Names as written; empty without a header.
    positions
        Our column names to positions in the file.
    ignored
        Columns that nothing reads.
    escaped
        Whether text follows PostgreSQL's COPY conventions (backslashes).
    encoding
        Encoding found.
    """

    path: Path
    sha256: str
    file: FileSource
    header: tuple[str, ...]
    positions: Mapping[str, int]
    ignored: tuple[str, ...] = ()
    escaped: bool = False
    encoding: str = "utf-8"

    @property
    def name(self) -> str:
        """Name of the file, without its folder."""
        return self.path.name

    def column_name(self, name: str) -> str:
        """Return the source's own name of one of our columns, for messages."""
        position = self.positions[name]
        return self.header[position].strip().upper() if self.header else f"n° {position + 1}"


def expand_paths(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the files that paths and patterns name, each once, in order.

    Raises
    ------
    WorkbenchError
        ``fichier_absent``, ``fichier_dossier``.
    """
    files: dict[Path, Path] = {}
    require_kind(paths, (str, Path, Iterable), "fichier", "un chemin ou une liste de chemins")
    for each in [paths] if isinstance(paths, str | Path) else paths:
        require_kind(each, (str, Path), "fichier", "un chemin")
        path = Path(each)
        found = [path] if path.exists() else sorted(Path(name) for name in glob(str(each), recursive=True))  # noqa: PTH207 - absolute patterns too
        if not found:
            raise WorkbenchError("fichier_absent", fichier=str(each))
        for file in found:
            if file.is_dir():
                raise WorkbenchError("fichier_dossier", fichier=str(file))
            files.setdefault(file.resolve(), file)
    if not files:
        raise WorkbenchError("fichier_absent", fichier="(aucun)")
    return list(files.values())


def open_source(path: Path, layout: Layout, work: Path) -> SourceFile:
    """Look at a file and fit a layout to it.

    Parameters
    ----------
    path
        An existing file: delimited text, gzip or not, or parquet.
    layout
        What it should hold.
    work
        A folder for a copy in UTF-8, when one is needed.

    Raises
    ------
    WorkbenchError
        ``fichier_vide``, ``fichier_illisible``, ``fichier_tronque``, ``encodage_inconnu``,
        ``colonnes_absentes``, ``colonne_double``, ``nombre_colonnes``.
    """
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
    except OSError as error:
        raise WorkbenchError("fichier_illisible", fichier=path.name, detail=error.strerror) from error
    if not magic:
        raise WorkbenchError("fichier_vide", fichier=path.name)
    if magic == b"PAR1":
        return _open_parquet(path, layout)
    if magic == b"PK\x03\x04":
        raise WorkbenchError("fichier_illisible", fichier=path.name, detail="c'est une archive zip ou un classeur")
    compressed = magic[:2] == b"\x1f\x8b"
    sha256, encoding = _fingerprint(path, compressed)
    readable = path
    if encoding != "utf-8":
        readable = work / f"{sha256[:16]}.csv"
        with _open_text(path, compressed, encoding) as source, readable.open("w", encoding="utf-8", newline="") as copy:
            try:
                shutil.copyfileobj(source, copy)
            except UnicodeDecodeError as error:
                raise WorkbenchError("encodage_inconnu", fichier=path.name) from error
    file = FileSource(readable, (), (), gzip=compressed and readable is path)
    with _open_text(readable, file.gzip, "utf-8-sig") as stream:
        line = stream.readline()
    if not line.strip():
        raise WorkbenchError("fichier_vide", fichier=path.name)
    delimiter = max(_DELIMITERS, key=line.count)
    copy_text = bool(layout.order) and delimiter == "\t"
    cells = line.rstrip("\r\n").split("\t") if copy_text else next(csv.reader([line], delimiter=delimiter))
    names = {each for column in layout.columns for each in column.names}
    has_header = not layout.order or any(cell.strip().lower() in names for cell in cells)
    header = tuple(cells) if has_header else ()
    if has_header:
        positions, ignored = match_layout(layout, header, path.name)
    else:
        required = max(layout.order.index(column.names[0]) for column in layout.columns if column.required) + 1
        if not required <= len(cells) <= len(layout.order):
            raise WorkbenchError(
                "nombre_colonnes",
                fichier=path.name,
                nature=layout.title,
                nombre=len(cells),
                attendu=len(layout.order),
                colonnes=", ".join(layout.order[:12]),
            )
        positions, ignored = match_layout(layout, layout.order[: len(cells)], path.name)
    file = replace(
        file,
        columns=tuple(f"c{position}" for position in range(len(cells))),
        types=("VARCHAR",) * len(cells),
        delimiter=delimiter,
        quote="" if copy_text else '"',
        null="\\N" if copy_text else "",
        header=has_header,
    )
    return SourceFile(path, sha256, file, header, positions, ignored, copy_text, encoding)


def record_lines(source: SourceFile) -> Iterator[tuple[int, list[str]]]:
    """Give the number of the first line of each record, header apart, and its cells.

    A quoted cell may hold line ends and empty lines do not count, so record n is not line n.
    """
    file = source.file
    with _open_text(file.path, file.gzip, "utf-8-sig") as stream:
        if source.escaped:
            rows: Iterator[tuple[int, list[str]]] = (
                (number, line.rstrip("\r\n").split("\t")) for number, line in enumerate(stream, start=1)
            )
        else:
            rows = _csv_records(stream, file.delimiter)
        skip = file.header
        for number, cells in rows:
            if cells in ([], [""]):
                continue
            if not skip:
                yield number, cells
            skip = False


def _csv_records(stream: IO[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(stream, delimiter=delimiter)
    first = 1
    for cells in reader:
        yield first, cells
        first = reader.line_num + 1


def _open_parquet(path: Path, layout: Layout) -> SourceFile:
    columns = parquet_columns(path)
    header = tuple(columns)
    positions, ignored = match_layout(layout, header, path.name)
    sha256, _ = _fingerprint(path, compressed=False, text=False)
    file = FileSource(path, header, tuple(columns.values()), kind="parquet")
    return SourceFile(path, sha256, file, header, positions, ignored)


@contextmanager
def _open_text(path: Path, compressed: bool, encoding: str) -> Iterator[IO[str]]:
    if compressed:
        with gzip.open(path, "rt", encoding=encoding, newline="") as stream:
            yield stream
    else:
        with path.open(encoding=encoding, newline="") as stream:
            yield stream


def _fingerprint(path: Path, compressed: bool, text: bool = True) -> tuple[str, str]:
    """Return the SHA-256 of a file and its encoding, having read every byte of it."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8 = text
    inflate = zlib.decompressobj(wbits=31) if compressed else None
    first = True
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            while chunk:
                content = chunk
                if inflate is None:
                    chunk = b""
                else:
                    try:
                        content = inflate.decompress(chunk)
                    except zlib.error as error:
                        raise WorkbenchError("fichier_tronque", fichier=path.name) from error
                    # A gzip file may be several end to end.
                    chunk = inflate.unused_data
                    if inflate.eof and chunk.strip(b"\0"):
                        inflate = zlib.decompressobj(wbits=31)
                    elif inflate.eof:
                        chunk = b""
                if first and content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
                    raise WorkbenchError("encodage_inconnu", fichier=path.name)
                first = first and not content
                if utf8:
                    try:
                        decoder.decode(content)
                    except UnicodeDecodeError:
                        utf8 = False
    if inflate is not None and not inflate.eof:
        raise WorkbenchError("fichier_tronque", fichier=path.name)
    if utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            utf8 = False
    return digest.hexdigest(), "utf-8" if utf8 or not text else "cp1252"
