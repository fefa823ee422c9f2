"""A file that is nearly plain, made plain: only its odd lines go through the careful reader.

What fits goes to the copy as it is, thousands of lines at a time. Where a block does not fit it is halved until the odd
line is found; from there `workbench.signaux_faibles.records` reads, and gives way as soon as its record ends. A line
that is no record leaves a blank row in its place, so that the rows of the copy keep their numbers.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from workbench.signaux_faibles.declaration import Source
from workbench.signaux_faibles.records import Lines, records
from workbench.signaux_faibles.reshaping import as_they_are

__all__ = ["BOM", "Shape", "Splice", "one_line", "spliced"]

_FEW = 32
"""Lines below which a block is not halved any more."""
BOM = b"\xef\xbb\xbf"


class Shape:
    """What the lines of a plain file have in common: as many cells as the first one, quotes in their place.

    Parameters
    ----------
    delimiter
        One character.
    first
        The first line, without its end nor the mark of its encoding.
    """

    def __init__(self, delimiter: bytes, first: bytes) -> None:
        bare, quoted = rb'[^"%b]*+' % re.escape(delimiter), rb'"[^"]*+(?:""[^"]*+)*+"'
        cell = rb"(?:%b|%b)" % (quoted, bare)
        self._well = re.compile(rb"%b(?:%b%b)*+" % (cell, re.escape(delimiter), cell))
        self._quoted = re.compile(quoted)
        self._others = bytes(each for each in range(256) if each not in delimiter + b"\n")
        self.width = self._quoted.sub(b"", first).count(delimiter) + 1
        self._line = delimiter * (self.width - 1) + b"\n"

    def fits(self, block: bytes) -> bool:
        """Whether every line of a block is plain; a block is whole lines with their ends, and holds no lone return."""
        if block.startswith((b"\n", b"\r")) or b"\n\n" in block or b"\n\r" in block:
            return False
        bare = block
        if b'"' in block:
            for ended in block.removeprefix(BOM).split(b"\n"):
                if b'"' in ended and not self._well.fullmatch(ended.removesuffix(b"\r")):
                    return False
            bare = self._quoted.sub(b"", block)
        return bare.translate(None, self._others) == self._line * block.count(b"\n")


@dataclass(frozen=True)
class Splice:
    """What was made of a file.

    Parameters
    ----------
    refused
        Lines that are no records.
    quotes
        Whether the copy has quotes.
    broken
        Whether one of its cells holds the end of a line.
    """

    refused: int
    quotes: bool
    broken: bool


class _Feed:
    """The lines of a file, block after block."""

    def __init__(self, contents: Iterable[bytes]) -> None:
        self._blocks = _whole_lines(contents)
        self.block = b""
        self.at = 0

    def more(self) -> bool:
        """Whether something is left; goes to the next block where the present one is over."""
        while self.at >= len(self.block):
            self.block, self.at = next(self._blocks, b""), 0
            if not self.block:
                return False
        return True

    def __iter__(self) -> Iterator[str]:
        while self.more():
            start, self.at = self.at, self.block.index(b"\n", self.at) + 1
            yield self.block[start : self.at].decode()


def _whole_lines(contents: Iterable[bytes]) -> Iterator[bytes]:
    tail = b""
    for content in contents:
        block = tail + content
        cut = block.rfind(b"\n") + 1
        tail = block[cut:]
        if cut:
            yield block[:cut]
    if tail:
        yield tail + b"\n"


def spliced(contents: Iterable[bytes], shape: Shape, source: Source, good: BinaryIO, bad: TextIO) -> Splice:
    """Write a plain copy of a file, and its lines that are no records apart.

    Parameters
    ----------
    contents
        Its bytes: UTF-8 whose lines all end alike, the first of them plain.
    shape
        Of its first line.
    source
        What it holds.
    good
        Receives the copy.
    bad
        Receives rows ``ligne, valeur, motif``.
    """
    feed = _Feed(contents)
    careful = _Careful(feed, shape, source, bad)
    ends: list[int] = []
    block = b""
    number = 0
    quotes = False
    while feed.more():
        if block is not feed.block:
            block, ends = feed.block, [len(feed.block)]
        while feed.at >= ends[-1]:
            ends.pop()
        piece = block[feed.at : ends[-1]]
        if shape.fits(piece):
            good.write(piece)
            number += piece.count(b"\n")
            quotes = quotes or b'"' in piece
            feed.at = ends[-1]
            continue
        middle = block.rfind(b"\n", feed.at, feed.at + len(piece) // 2) + 1
        if middle > feed.at and piece.count(b"\n") > _FEW:
            ends.append(middle)
            continue
        number, written = careful.read(number, ends[-1])
        good.write(written)
        quotes = quotes or b'"' in written
    return Splice(careful.refused, quotes, careful.broken)


class _Careful:
    """The careful reader, for some lines at a time."""

    def __init__(self, feed: _Feed, shape: Shape, source: Source, bad: TextIO) -> None:
        self._feed = feed
        self._lines = Lines(feed)
        self._shape = shape
        self._source = source
        self._apart = csv.writer(bad, delimiter=";", lineterminator="\n")
        self._blank = [""] * shape.width
        self.refused = 0
        self.broken = False

    def read(self, number: int, end: int) -> tuple[int, bytes]:
        """Read records until a place of the block; return how many there were so far, and what to write of these."""
        block = self._feed.block
        text = io.StringIO()
        returned = b"\r\n" in block
        writer = csv.writer(text, delimiter=self._source.delimiter, lineterminator="\r\n" if returned else "\n")
        layout = self._source.layout
        found = records(self._lines, self._source.delimiter, lenient=self._source.lenient)
        # A record may end in another block, and lines that it gives back are to be read before anything else.
        while self._lines.returned or (self._feed.block is block and self._feed.at < end):
            record = next(found, None)
            if record is None:
                break
            number += 1
            row = next(as_they_are(iter([record]), self._shape.width, 0, padded=False))
            _, cells, raw, reason = row
            if cells is None:
                self.refused += 1
                self._apart.writerow([number - (1 if layout.header else 0), one_line(raw), reason])
                text.write(self._source.delimiter.join(self._blank) + ("\r\n" if returned else "\n"))
                continue
            self.broken = self.broken or any("\n" in each or "\r" in each for each in cells)
            writer.writerow(cells)
        return number, text.getvalue().encode()


def one_line(raw: str) -> str:
    """Return what is quoted of a line that is no record."""
    return raw[:500].replace("\r", " ").replace("\n", " ")
