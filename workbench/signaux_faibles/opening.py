"""From a path to rows that an engine reads fast: which bytes, which encoding, is the file plain.

A file is read once whole: its compression is verified to the last byte (a cut ``.gz`` would otherwise pass for a
short file), its encoding decided, and each line looked at from afar. A plain file, whose lines all have as many cells
and whose quotes are all in their place, goes to the engine as it is. Any other goes through
`workbench.signaux_faibles.records` to a copy that is plain, each row with its number, and to a list of the lines that
are no records.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from workbench.engines import FileSource
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.records import Record, records
from workbench.signaux_faibles.reshaping import projection

__all__ = ["OpenFile", "file_path", "open_file"]

_CHUNK = 1 << 20
_NUMBER = "n"
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class OpenFile:
    """A file ready for an engine.

    Parameters
    ----------
    path
        As given.
    sha256
        Of its bytes as stored.
    encoding
        Encoding found.
    header
        Names of the columns as written; their places when there is none.
    file
        How an engine reads it.
    numbered
        Whether the first column of ``file`` is the number of the row, because some rows are left out.
    refused
        Rows that are no records, columns ``ligne, valeur, motif``; None when there is none.
    """

    path: Path
    sha256: str
    encoding: str
    header: tuple[str, ...]
    file: FileSource
    numbered: bool = False
    refused: FileSource | None = None


def file_path(text: str | Path) -> Path:
    """Return the path of a file of a batch, without the mark of a compressed one.

    Examples
    --------
    >>> str(file_path("gzip:1802/sigfaible_pcoll.csv.gz"))
    '1802/sigfaible_pcoll.csv.gz'
    """
    return Path(str(text).removeprefix("gzip:"))


def open_file(path: str | Path, source: Source, work: Path) -> OpenFile:
    """Look at a file and make it readable.

    Parameters
    ----------
    path
        An existing file; ``gzip:`` before it says that it is compressed, as ``.gz`` at its end does.
    source
        What it should hold.
    work
        A folder for a copy, when one is needed.

    Raises
    ------
    WorkbenchError
        Anything that makes the whole file unreadable: ``fichier_absent``, ``fichier_vide``, ``fichier_illisible``,
        ``fichier_tronque``, ``encodage_inconnu``, ``classeur_feuilles``.
    """
    real = file_path(path)
    try:
        with real.open("rb") as stream:
            magic = stream.read(4)
    except FileNotFoundError as error:
        raise WorkbenchError("fichier_absent", fichier=str(real)) from error
    except OSError as error:
        raise WorkbenchError("fichier_illisible", fichier=real.name, detail=error.strerror) from error
    if not magic:
        raise WorkbenchError("fichier_vide", fichier=real.name)
    if magic == b"PK\x03\x04":
        from workbench.signaux_faibles.excel import sheet_rows

        digest = hashlib.sha256(real.read_bytes()).hexdigest()
        rows = (Record(number, cells, "") for number, cells in enumerate(sheet_rows(real), start=1))
        return _copied(real, source, work, digest, "utf-8", rows, padded=True)
    compressed = str(path).startswith("gzip:") or real.suffix == ".gz" or magic[:2] == b"\x1f\x8b"
    look = _look(real, compressed, source)
    if look.plain and not source.layout.years:
        header = next(csv.reader([look.first], delimiter=source.delimiter))
        file = FileSource(
            real,
            tuple(f"c{place}" for place in range(len(header))),
            ("VARCHAR",) * len(header),
            delimiter=source.delimiter,
            quote='"' if look.quotes else "",
            header=source.layout.header,
            gzip=compressed,
        )
        return OpenFile(real, look.sha256, look.encoding, _names(header, source), file)
    with _open_text(real, compressed, look.encoding) as stream:
        split = records(stream, source.delimiter, lenient=source.lenient)
        return _copied(real, source, work, look.sha256, look.encoding, split)


def _names(header: list[str], source: Source) -> tuple[str, ...]:
    if source.layout.positions:
        return tuple(str(place) for place in range(len(header)))
    return tuple(header)


@dataclass(frozen=True)
class _Look:
    sha256: str
    encoding: str
    plain: bool
    quotes: bool
    first: str


def _look(path: Path, compressed: bool, source: Source) -> _Look:
    """Read every byte of a file, and tell whether it is plain."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    watch = _Watch(source.delimiter.encode())
    encoding = ""
    for content in _contents(path, compressed, digest):
        if not encoding:
            encoding = _UTF_16.get(content[:2], "utf-8")
        if encoding == "utf-8":
            try:
                decoder.decode(content)
            except UnicodeDecodeError:
                encoding = "cp1252"
        watch.add(content)
    watch.end()
    if not encoding or not watch.first.strip():
        raise WorkbenchError("fichier_vide", fichier=path.name)
    if encoding == "utf-8":
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding = "cp1252"
    plain = watch.plain and encoding == "utf-8"
    return _Look(digest.hexdigest(), encoding, plain, watch.quotes, watch.first.decode() if plain else "")


class _Watch:
    """Looks at whole lines, a block at a time: as many delimiters on each as on the first, quotes in their place."""

    def __init__(self, delimiter: bytes) -> None:
        bare, quoted = rb'[^"%b]*+' % re.escape(delimiter), rb'"[^"]*+(?:""[^"]*+)*+"'
        cell = rb"(?:%b|%b)" % (quoted, bare)
        self._well = re.compile(rb"%b(?:%b%b)*+" % (cell, re.escape(delimiter), cell))
        self._quoted = re.compile(quoted)
        self._delimiter = delimiter
        self._others = bytes(each for each in range(256) if each not in delimiter + b"\n")
        self._shape = b""
        self._tail = b""
        self._lines = self._returns = 0
        self.first = b""
        self.plain = True
        self.quotes = False

    def add(self, content: bytes) -> None:
        block = self._tail + content
        cut = block.rfind(b"\n") + 1
        block, self._tail = block[:cut], block[cut:]
        self._block(block)

    def end(self) -> None:
        if self._tail:
            self._block(self._tail + b"\n")
        # All ends of lines alike: "\n", or "\r\n".
        self.plain = self.plain and self._returns in {0, self._lines}

    def _block(self, block: bytes) -> None:
        if not block:
            return
        if not self.first:
            self.first = block[: block.find(b"\n")].removeprefix(codecs.BOM_UTF8).rstrip(b"\r")
            self._shape = self._delimiter * self._quoted.sub(b"", self.first).count(self._delimiter) + b"\n"
        if not self.plain:
            return
        lines = block.count(b"\n")
        self._lines += lines
        returns = block.count(b"\r")
        self._returns += returns
        if b"\0" in block or (returns and returns != block.count(b"\r\n")) or block.startswith((b"\n", b"\r")):
            self.plain = False
        if b"\n\n" in block or b"\n\r" in block:
            self.plain = False
        bare = block
        if b'"' in block:
            self.quotes = True
            self._quoted_lines(block)
            bare = self._quoted.sub(b"", block) if self.plain else b""
        if bare.translate(None, self._others) != self._shape * lines:
            self.plain = False

    def _quoted_lines(self, block: bytes) -> None:
        for ended in block.removeprefix(codecs.BOM_UTF8).split(b"\n"):
            if b'"' in ended and not self._well.fullmatch(ended.removesuffix(b"\r")):
                self.plain = False
                return


def _contents(path: Path, compressed: bool, digest: hashlib._Hash) -> Iterator[bytes]:
    """Give the bytes of a file, decompressed; the digest is of the bytes as stored."""
    inflate = zlib.decompressobj(wbits=31) if compressed else None
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            while chunk:
                if inflate is None:
                    yield chunk
                    break
                try:
                    content = inflate.decompress(chunk, _CHUNK * 8)
                except zlib.error as error:
                    raise WorkbenchError("fichier_tronque", fichier=path.name) from error
                if content:
                    yield content
                # A gzip file may be several end to end.
                chunk = inflate.unconsumed_tail or inflate.unused_data
                if inflate.eof:
                    if chunk.strip(b"\0"):
                        inflate = zlib.decompressobj(wbits=31)
                    else:
                        chunk = b""
    if inflate is not None and not inflate.eof:
        raise WorkbenchError("fichier_tronque", fichier=path.name)


@contextmanager
def _open_text(path: Path, compressed: bool, encoding: str) -> Iterator[IO[str]]:
    real = "utf-8-sig" if encoding == "utf-8" else encoding
    if compressed:
        with gzip.open(path, "rt", encoding=real, newline="\n") as stream:
            yield stream
    else:
        with path.open(encoding=real, newline="\n") as stream:
            yield stream


def _copied(
    path: Path,
    source: Source,
    work: Path,
    sha256: str,
    encoding: str,
    rows: Iterable[Record],
    padded: bool = False,
) -> OpenFile:
    """Write a plain copy of what can be split, with the numbers of the rows, and the rest apart."""
    copy, refused = work / f"{sha256[:16]}-{source.type}.csv", work / f"{sha256[:16]}-{source.type}-refus.csv"
    kept = iter(rows)
    header: tuple[str, ...] = ()
    try:
        with (
            copy.open("w", encoding="utf-8", newline="") as good,
            refused.open("w", encoding="utf-8", newline="") as bad,
        ):
            writer = csv.writer(good, delimiter=";", lineterminator="\n")
            apart = csv.writer(bad, delimiter=";", lineterminator="\n")
            header, project, kept = projection(path, source, kept, padded=padded)
            writer.writerow([_NUMBER, *header])
            apart.writerow(["ligne", "valeur", "motif"])
            count = 0
            for number, cells, raw, reason in project(kept):
                if cells is None:
                    apart.writerow([number, _one_line(raw), reason])
                    count += 1
                else:
                    writer.writerow([number, *cells])
    except UnicodeDecodeError as error:
        raise WorkbenchError("encodage_inconnu", fichier=path.name) from error
    if not count:
        refused.unlink()
    columns = (_NUMBER, *(f"c{place}" for place in range(len(header))))
    file = FileSource(copy, columns, ("BIGINT", *("VARCHAR",) * len(header)), ordered=True)
    apart_file = FileSource(refused, ("ligne", "valeur", "motif"), ("BIGINT", "VARCHAR", "VARCHAR"))
    return OpenFile(path, sha256, encoding, header, file, numbered=True, refused=apart_file if count else None)


def _one_line(raw: str) -> str:
    return raw[:500].replace("\r", " ").replace("\n", " ")
