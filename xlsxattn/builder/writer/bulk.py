"""Writes large blocks of numbers without XlsxWriter, which only writes a blank first cell of each row.

When the archive is packed, this cell is replaced by all cells of the row, formatted at once. Numbers are the
shortest decimals that round to the same float32 (or float64).
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
"""Minimum number of cells of a block written in bulk."""
MIN_COLUMNS = 8
THREADS = 2
"""Threads that compress: zlib-ng releases the GIL; memory holds one compressed block per thread."""
_DIMENSION = re.compile(rb'(<dimension ref="[A-Z]+\d+:)([A-Z]+)')
_SPANS = re.compile(rb' spans="\d+:\d+"')
"""The optional range of columns of a row, which is wrong without the bulk cells."""
_NUMBERS = orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True, slots=True)
class NumberBlock:
    """A block of numbers, and its first cell, counted from 0."""

    row: int
    col: int
    values: Numbers

    @property
    def bottom(self) -> int:
        """Its last row."""
        return self.row + len(self.values) - 1


def numbers(block: Block) -> Numbers | None:
    """The values of a block that is written in bulk, else None: it must be large, and all numbers."""
    values = block.values
    if len(values) == 0 or block.rows * block.cols < MIN_COUNT or block.cols < MIN_COLUMNS:
        return None
    if isinstance(values, np.ndarray):
        return values
    plain = all(isinstance(value, float) for row in values for value in row)
    return np.array(values, np.float64) if plain else None


def strips(sheets: Sequence[PlacedSheet]) -> dict[str, list[NumberBlock]]:
    """The blocks written in bulk, by the name of their sheet's part in the archive."""
    by_part: dict[str, list[NumberBlock]] = {}
    for i, sheet in enumerate(sheets, 1):
        bulk = [NumberBlock(p.row, p.col, n) for p in sheet.placed if (n := numbers(p.block)) is not None]
        if bulk:
            by_part[f"xl/worksheets/sheet{i}.xml"] = sorted(bulk, key=lambda strip: (strip.row, strip.col))
    return by_part


def cells(sheets: Sequence[PlacedSheet]) -> int:
    """Number of cells written in bulk."""
    return sum(strip.values.size for bulk in strips(sheets).values() for strip in bulk)


class Packer:
    """Packs a workbook, and inserts its bulk cells."""

    def __init__(self, spool: IO[bytes], tick: Tick) -> None:
        """Use ``spool`` for compressed data; call ``tick`` with the number of cells written."""
        self.spool, self.tick = spool, tick
        self.lock = Lock()

    def pack(self, source: Path, target: Path, bulk: Mapping[str, Sequence[NumberBlock]]) -> None:
        """Copy XlsxWriter's archive with the bulk cells inserted."""
        with zipfile.ZipFile(source) as original, packing.PackingArchive(target, "w") as archive:
            for info in original.infolist():
                if info.filename in bulk:
                    pieces = self._pieces(original.read(info), bulk[info.filename])
                    chunks = (c for p in pieces for c in packing.read(self.spool, p.start, p.length))
                    archive.add_deflated(info.filename, chunks, *packing.joined(pieces))
                else:
                    archive.copy(original, info)

    def _pieces(self, xml: bytes, bulk: Sequence[NumberBlock]) -> list[packing.DeflatedPart]:
        """A sheet in compressed pieces, alternating between XML without bulk cells and bands of strips."""
        stretches: list[tuple[bytes, Sequence[NumberBlock]]] = []
        done = 0
        xml = _DIMENSION.sub(lambda match: match[1] + _rightmost(bulk, match[2]), xml, count=1)
        for band in _bands(bulk):
            first = xml.index(b'<row r="%d"' % (_top(band) + 1), done)
            end = xml.index(b"</row>", xml.index(b'<row r="%d"' % (_bottom(band) + 1), first)) + 6
            stretches += [(xml[done:first], ()), (_SPANS.sub(b"", xml[first:end]), band)]
            done = end
        with ThreadPoolExecutor(THREADS) as pool:
            pieces = list(pool.map(lambda stretch: self._piece(*stretch), stretches))
        return [*pieces, self._piece(xml[done:], (), last=True)]

    def _piece(self, xml: bytes, band: Sequence[NumberBlock], *, last: bool = False) -> packing.DeflatedPart:
        return packing.deflated(self._filled(xml, band) if band else [xml], self.spool, self.lock, last=last)

    def _filled(self, xml: bytes, band: Sequence[NumberBlock]) -> Iterator[bytes]:
        """The XML of a band's rows with the bulk cells, row by row."""
        makers = [_Rows(strip) for strip in band]
        done = 0
        for row in range(_top(band), _bottom(band) + 1):
            for maker in makers:
                if maker.strip.row <= row <= maker.strip.bottom:
                    start, end, style = maker.find_first_cell(xml, done, row)
                    yield xml[done:start]
                    yield maker.cells(row, style)
                    done = end
                    with self.lock:
                        self.tick(maker.columns)
        yield xml[done:]


class _Rows:
    """Formats the cells of a strip, a row at a time."""

    def __init__(self, strip: NumberBlock) -> None:
        self.strip, self.columns = strip, strip.values.shape[1]
        self.letters = [cell(0, strip.col + j)[:-1] for j in range(self.columns)]
        self.templates: dict[bytes, bytes] = {}

    def find_first_cell(self, xml: bytes, begin: int, row: int) -> tuple[int, int, bytes]:
        """Start and end of the blank cell that XlsxWriter wrote for a row, and its style."""
        start = xml.index(b'<c r="%s%d" ' % (self.letters[0].encode(), row + 1), begin)
        end = xml.index(b"/>", start)
        return start, end + 2, xml[xml.index(b" ", start + 3) : end]

    def cells(self, row: int, style: bytes) -> bytes:
        """The XML of a row's cells, from a template with the columns and the style."""
        if style not in self.templates:
            cells = (b'<c r="%s#"%s><v>%%b</v></c>' % (c.encode(), style) for c in self.letters)
            self.templates[style] = b"".join(cells)
        values = np.ascontiguousarray(self.strip.values[row - self.strip.row])
        texts = orjson.dumps(values, option=_NUMBERS)[1:-1].split(b",")
        return self.templates[style].replace(b"#", b"%d" % (row + 1)) % tuple(texts)


def _rightmost(bulk: Sequence[NumberBlock], letters: bytes) -> bytes:
    """Letters of the last column of a sheet, including bulk cells."""
    right = max(strip.col + strip.values.shape[1] - 1 for strip in bulk)
    return max(letters, cell(0, right)[:-1].encode(), key=lambda column: (len(column), column))


def _bands(bulk: Sequence[NumberBlock]) -> list[list[NumberBlock]]:
    """Group strips that share rows, from top to bottom."""
    bands: list[list[NumberBlock]] = []
    for strip in bulk:
        if bands and strip.row <= _bottom(bands[-1]):
            bands[-1].append(strip)
        else:
            bands.append([strip])
    return [sorted(band, key=lambda strip: strip.col) for band in bands]


def _top(band: Sequence[NumberBlock]) -> int:
    return min(strip.row for strip in band)


def _bottom(band: Sequence[NumberBlock]) -> int:
    return max(strip.bottom for strip in band)
