"""Large blocks of plain numbers, which go past XlsxWriter: it writes each row's first cell, blank.

In its place the row's cells are put in while the archive is packed, their text made in one go. Numbers are
the shortest decimal text that gives back the same float32 (or float64).
"""

from __future__ import annotations

import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import orjson

from xlsxattn.builder.layout.formulas import cell
from xlsxattn.builder.writer import packing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.layout.placed import PlacedSheet

    Numbers = NDArray[np.floating[Any]]
    Tick = Callable[[int], None]

MIN_COUNT = 4096
"""Cells of a block that goes past XlsxWriter."""
MIN_COLUMNS = 8
THREADS = 2
"""So many deflate at a time: zlib-ng lets others run, and memory holds so many blocks, deflated."""
_DIMENSION = re.compile(rb'(<dimension ref="[A-Z]+\d+:)([A-Z]+)')
_SPANS = re.compile(rb' spans="\d+:\d+"')
"""Which columns a row has: of no use to anybody, and XlsxWriter does not know of the bulk."""
_NUMBERS = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, slots=True)
class Strip:
    """A block of numbers and its first cell, counted from 0."""

    row: int
    col: int
    values: Numbers

    @property
    def bottom(self) -> int:
        """Its last row."""
        return self.row + len(self.values) - 1


def numbers(block: Block) -> Numbers | None:
    """A block's values where they go past XlsxWriter, else nothing: enough of them, and numbers alone."""
    values = block.values
    if len(values) == 0 or block.rows * block.cols < MIN_COUNT or block.cols < MIN_COLUMNS:
        return None
    if isinstance(values, np.ndarray):
        return values
    plain = all(isinstance(value, float) for row in values for value in row)
    return np.array(values, np.float64) if plain else None


def strips(sheets: Sequence[PlacedSheet]) -> dict[str, list[Strip]]:
    """The blocks that go past XlsxWriter, by the name of the part that XlsxWriter makes of their sheet."""
    found: dict[str, list[Strip]] = {}
    for i, sheet in enumerate(sheets, 1):
        own = [Strip(p.row, p.col, n) for p in sheet.placed if (n := numbers(p.block)) is not None]
        if own:
            found[f"xl/worksheets/sheet{i}.xml"] = sorted(own, key=lambda strip: (strip.row, strip.col))
    return found


def cells(sheets: Sequence[PlacedSheet]) -> int:
    """How many cells go past XlsxWriter."""
    return sum(strip.values.size for own in strips(sheets).values() for strip in own)


class Packer:
    """Packs a workbook with its bulk."""

    def __init__(self, spool: IO[bytes], tick: Tick) -> None:
        """Keep what is deflated in ``spool``; ``tick`` is told how many cells were done."""
        self.spool, self.tick = spool, tick
        self.lock = Lock()

    def pack(self, source: Path, target: Path, bulk: Mapping[str, Sequence[Strip]]) -> None:
        """Copy XlsxWriter's archive, the bulk put into its sheets."""
        with zipfile.ZipFile(source) as made, packing.PackingArchive(target, "w") as archive:
            for info in made.infolist():
                if info.filename in bulk:
                    pieces = self._pieces(made.read(info), bulk[info.filename])
                    chunks = (c for p in pieces for c in packing.read(self.spool, p.start, p.length))
                    archive.add_deflated(info.filename, chunks, *packing.joined(pieces))
                else:
                    archive.copy(made, info)

    def _pieces(self, xml: bytes, own: Sequence[Strip]) -> list[packing.DeflatedPart]:
        """A sheet as deflated pieces: what lies between strips, and the rows of strips that share rows."""
        stretches: list[tuple[bytes, Sequence[Strip]]] = []
        at = 0
        xml = _DIMENSION.sub(lambda found: found[1] + _rightmost(own, found[2]), xml, count=1)
        for band in _bands(own):
            first = xml.index(b'<row r="%d"' % (_top(band) + 1), at)
            end = xml.index(b"</row>", xml.index(b'<row r="%d"' % (_bottom(band) + 1), first)) + 6
            stretches += [(xml[at:first], ()), (_SPANS.sub(b"", xml[first:end]), band)]
            at = end
        with ThreadPoolExecutor(THREADS) as pool:
            pieces = list(pool.map(lambda stretch: self._piece(*stretch), stretches))
        return [*pieces, self._piece(xml[at:], (), last=True)]

    def _piece(self, xml: bytes, band: Sequence[Strip], *, last: bool = False) -> packing.DeflatedPart:
        return packing.deflated(self._filled(xml, band) if band else [xml], self.spool, self.lock, last=last)

    def _filled(self, xml: bytes, band: Sequence[Strip]) -> Iterator[bytes]:
        """The XML of some rows with their bulk, row by row."""
        makers = [_Rows(strip) for strip in band]
        at = 0
        for row in range(_top(band), _bottom(band) + 1):
            for maker in makers:
                if maker.strip.row <= row <= maker.strip.bottom:
                    start, behind, style = maker.place(xml, at, row)
                    yield xml[at:start]
                    yield maker.cells(row, style)
                    at = behind
                    with self.lock:
                        self.tick(maker.columns)
        yield xml[at:]


class _Rows:
    """Makes the cells of one strip, a row at a time."""

    def __init__(self, strip: Strip) -> None:
        self.strip, self.columns = strip, strip.values.shape[1]
        self.letters = [cell(0, strip.col + j)[:-1] for j in range(self.columns)]
        self.templates: dict[bytes, bytes] = {}

    def place(self, xml: bytes, at: int, row: int) -> tuple[int, int, bytes]:
        """Where XlsxWriter has put the row's first cell, from and to; and its style."""
        start = xml.index(b'<c r="%s%d" ' % (self.letters[0].encode(), row + 1), at)
        end = xml.index(b"/>", start)
        return start, end + 2, xml[xml.index(b" ", start + 3) : end]

    def cells(self, row: int, style: bytes) -> bytes:
        """A row's cells: the texts of its numbers in a template that has the columns and the style."""
        if style not in self.templates:
            made = b"".join(b'<c r="%s#"%s><v>%%b</v></c>' % (c.encode(), style) for c in self.letters)
            self.templates[style] = made
        values = np.ascontiguousarray(self.strip.values[row - self.strip.row])
        texts = orjson.dumps(values, option=_NUMBERS)[1:-1].split(b",")
        return self.templates[style].replace(b"#", b"%d" % (row + 1)) % tuple(texts)


def _rightmost(own: Sequence[Strip], letters: bytes) -> bytes:
    """The last column that a sheet uses, its bulk included."""
    right = max(strip.col + strip.values.shape[1] - 1 for strip in own)
    return max(letters, cell(0, right)[:-1].encode(), key=lambda column: (len(column), column))


def _bands(own: Sequence[Strip]) -> list[list[Strip]]:
    """Strips by rows: those that share a row with another of the same band, from top to bottom."""
    found: list[list[Strip]] = []
    for strip in own:
        if found and strip.row <= _bottom(found[-1]):
            found[-1].append(strip)
        else:
            found.append([strip])
    return [sorted(band, key=lambda strip: strip.col) for band in found]


def _top(band: Sequence[Strip]) -> int:
    return min(strip.row for strip in band)


def _bottom(band: Sequence[Strip]) -> int:
    return max(strip.bottom for strip in band)
