"""From a path to rows that an engine reads fast: which bytes, which encoding, is the file plain.

A file is read once whole: its compression is verified to the last byte (a cut ``.gz`` would otherwise pass for a
short file), its encoding decided, and each line looked at from afar. A plain file, whose lines all have as many cells
and whose quotes are all in their place, goes to the engine as it is, or as a copy that is not compressed, which several
threads may read. One that is plain but for some lines goes through `workbench.signaux_faibles.splicing`, to a copy that
is plain and a list of the lines that are no records. Any other goes through `workbench.signaux_faibles.records`
whole, to such a copy and such a list, each row with its number.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import secrets
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from workbench.engines import FileSource
from workbench.errors import WorkbenchError
from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.records import Record, records
from workbench.signaux_faibles.reshaping import projection
from workbench.signaux_faibles.splicing import BOM, Shape, one_line, spliced

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
        Whether the first column of ``file`` is the number of the row, because some rows are left out; where it is not,
        a blank row stands in the place of each line that is refused.
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
    inflated = work / f"{secrets.token_hex(8)}-{source.type}.csv" if compressed else None
    kept = False
    try:
        look = _look(real, inflated, source)
        if look.encoding == "utf-8" and not look.wild and not source.layout.years:
            opened = _plain(real, inflated or real, source, look, work)
            kept = opened.file.path == inflated
            return opened
    finally:
        if inflated is not None and not kept:
            inflated.unlink(missing_ok=True)
    with _open_text(real, compressed, look.encoding) as stream:
        split = records(stream, source.delimiter, lenient=source.lenient)
        return _copied(real, source, work, look.sha256, look.encoding, split)


def _plain(path: Path, content: Path, source: Source, look: _Look, work: Path) -> OpenFile:
    """Describe a file that is plain, or a copy of it that is."""
    header = next(csv.reader([look.first], delimiter=source.delimiter))
    file = FileSource(
        content,
        tuple(f"c{place}" for place in range(len(header))),
        ("VARCHAR",) * len(header),
        delimiter=source.delimiter,
        quote='"' if look.quotes else "",
        header=source.layout.header,
    )
    if look.plain:
        return OpenFile(path, look.sha256, look.encoding, _names(header, source), file)
    copy, apart = work / f"{look.sha256[:16]}-{source.type}.csv", work / f"{look.sha256[:16]}-{source.type}-refus.csv"
    with content.open("rb") as stream, copy.open("wb") as good, apart.open("w", encoding="utf-8", newline="") as bad:
        bad.write("ligne;valeur;motif\n")
        found = spliced(_chunks(stream), Shape(source.delimiter.encode(), look.first.encode()), source, good, bad)
    if not found.refused:
        apart.unlink()
    file = replace(file, path=copy, quote='"' if found.quotes else "", ordered=found.broken)
    refused = FileSource(apart, ("ligne", "valeur", "motif"), ("BIGINT", "VARCHAR", "VARCHAR"))
    return OpenFile(
        path, look.sha256, look.encoding, _names(header, source), file, refused=refused if found.refused else None
    )


def _names(header: list[str], source: Source) -> tuple[str, ...]:
    if source.layout.positions:
        return tuple(str(place) for place in range(len(header)))
    return tuple(header)


@dataclass(frozen=True)
class _Look:
    sha256: str
    encoding: str
    plain: bool
    wild: bool
    quotes: bool
    first: str


def _look(path: Path, inflated: Path | None, source: Source) -> _Look:
    """Read every byte of a file, and tell how plain it is; what a compressed one holds is written down."""
    digest = hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    watch = _Watch(source.delimiter.encode())
    encoding = ""
    with ExitStack() as stack:
        # Digests are computed without holding the other thread up.
        digests = stack.enter_context(ThreadPoolExecutor(1))
        copy = stack.enter_context(inflated.open("wb")) if inflated is not None else None
        for content in _contents(path, copy is not None, digest, digests):
            if not encoding:
                encoding = _UTF_16.get(content[:2], "utf-8")
            if encoding == "utf-8":
                try:
                    decoder.decode(content)
                except UnicodeDecodeError:
                    encoding = "cp1252"
            watch.add(content)
            if copy is not None and not watch.wild and encoding == "utf-8":
                copy.write(content)
    watch.end()
    if not encoding or not watch.first.strip():
        raise WorkbenchError("fichier_vide", fichier=path.name)
    if encoding == "utf-8":
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            encoding = "cp1252"
    wild = watch.wild or encoding != "utf-8"
    return _Look(digest.hexdigest(), encoding, watch.plain, wild, watch.quotes, "" if wild else watch.first.decode())


class _Watch:
    """Looks at whole lines, a block at a time: is each plain, and if not may the odd ones be taken apart."""

    def __init__(self, delimiter: bytes) -> None:
        self._delimiter = delimiter
        self._shape: Shape | None = None
        self._tail = b""
        self._lines = self._returns = 0
        self.first = b""
        self.plain = True
        self.wild = False
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
        self.wild = self.wild or self._returns not in {0, self._lines}

    def _block(self, block: bytes) -> None:
        if not block:
            return
        if self._shape is None:
            self.first = block[: block.find(b"\n")].removeprefix(BOM).rstrip(b"\r")
            self._shape = Shape(self._delimiter, self.first)
            # Its first line says what the others should be.
            self.wild = self._shape.width == 1 or not self._shape.fits(self.first + b"\n")
        if self.wild:
            return
        self._lines += block.count(b"\n")
        returns = block.count(b"\r")
        self._returns += returns
        self.wild = b"\0" in block or (returns > 0 and returns != block.count(b"\r\n"))
        self.quotes = self.quotes or b'"' in block
        self.plain = self.plain and not self.wild and self._shape.fits(block)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _contents(path: Path, compressed: bool, digest: hashlib._Hash, digests: ThreadPoolExecutor) -> Iterator[bytes]:
    """Give the bytes of a file, decompressed; the digest is of the bytes as stored."""
    inflate = zlib.decompressobj(wbits=31) if compressed else None
    with path.open("rb") as stream:
        for stored in _chunks(stream):
            digested = digests.submit(digest.update, stored)
            yield from (stored,) if inflate is None else ()
            chunk = stored
            while inflate is not None and chunk:
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
            digested.result()
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
                    apart.writerow([number, one_line(raw), reason])
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
