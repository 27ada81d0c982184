"""Long runs of plain numbers, which are removed from large sheets before parsing and restored in copies.

A run consists of adjacent cells of a row, each of exactly the form ``<c r="B7" s="5"><v>0.25</v></c>``. Runs
are removed only from rows that contain nothing but cells, so that the rest of the sheet parses as before.
Nothing is removed from unusual XML (comments, other namespaces, nested elements, cells without an address).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import orjson

from xlsxattn.checker.cells import MAX_COLUMNS, column_of, letters_of
from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from xlsxattn.checker.cells import Area, Value

    Numbers = NDArray[np.float64]

LARGE = 4 << 20
"""Minimum size in bytes of a sheet from which runs are removed."""
MIN_COUNT = 32
_BLOCK = 1 << 20
_MAX_ROW_SIZE = 16 << 20
_MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_END, _NEXT = b"</v></c>", b'</v></c><c r="'
_DATA = b"<sheetData>"
_MIN_CELL_SIZE = len(b'<c r="A1"><v>1</v></c>')
_UNUSUAL = (b"<!", b"<?", b"xmlns=")
_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml[^<>]*\?>)?\s*<worksheet [^<>]*%s[^<>]*>[^!?]*" % _MAIN)
_STYLE, _NUMBER = rb'(?: s="\d{1,6}")?(?: t="n")?', rb"[-0-9.eE+]{1,32}"
_CELL = rb'<c r="[A-Z]{1,3}\d{1,7}"%s><v>%s</v></c>' % (_STYLE, _NUMBER)
_CELLS = re.compile(rb'<c r="([A-Z]+)(\d+)"([^<>]*)>')
_NUMBER_OF = re.compile(rb' r="(\d{1,7})"')
_STYLE_OF = re.compile(rb' s="(\d+)"')
_RUN = re.compile(rb"(?:%s){%d,}" % (_CELL, MIN_COUNT))
_FLAT = re.compile(
    rb'(?:<n/>|<c r="[A-Z]{1,3}\d{1,7}"[^<>]*/>|<c r="[A-Z]{1,3}\d{1,7}"[^<>/]*>'
    rb"(?:<f[^<>]*/>|<f[^<>]*>[^<]*</f>)?(?:<v/>|<v>[^<]*</v>|<is><t[^<>]*>[^<]*</t></is>)?</c>)*"
)


def _letters(column: int) -> bytes:
    """The letters of a column, from 0."""
    return letters_of(column + 1).encode()


def _place(letters: bytes) -> int:
    """The index of a column, from 0; MAX_COLUMNS if it does not exist."""
    column = column_of(letters.decode())
    return MAX_COLUMNS if column is None else column - 1


class NumberRuns:
    """The runs of a sheet: row → (first column, numbers), with rows and columns from 0.

    Attributes:
        styles: style index → row, first column and length of its runs.
    """

    def __init__(self) -> None:
        self.rows: dict[int, list[tuple[int, Numbers]]] = {}
        self.cells = 0
        self.styles: dict[int, list[tuple[int, int, int]]] = {}

    def add(self, row: int, col: int, values: Numbers) -> None:
        """Add a run.

        Raises:
            AmbiguousError: it overlaps another run.
        """
        runs = self.rows.setdefault(row, [])
        if any(left < col + len(values) and col < left + len(other) for left, other in runs):
            raise AmbiguousError(say("row {row} has a duplicate cell", row=row + 1))
        runs.append((col, values))
        self.cells += len(values)

    def within(self, row: int, left: int, right: int) -> Iterator[tuple[int, Numbers]]:
        """The numbers in a range of columns of a row: (first column, numbers)."""
        for col, values in self.rows.get(row, ()):
            first, last = max(col, left), min(col + len(values) - 1, right)
            if first <= last:
                yield first, values[first - col : last - col + 1]

    def copy(self) -> NumberRuns:
        """A copy from which runs can be removed."""
        other = NumberRuns()
        other.rows, other.cells = {row: list(runs) for row, runs in self.rows.items()}, self.cells
        other.styles = self.styles
        return other

    def after(self, typed: Mapping[tuple[int, int], float]) -> NumberRuns:
        """A copy with edits."""
        other = self.copy()
        for (row, col), value in typed.items():
            runs = list(other.rows.get(row, ()))
            for i, (first, values) in enumerate(runs):
                if first <= col < first + len(values):
                    runs[i] = first, values.copy()
                    runs[i][1][col - first] = value
                    other.rows[row] = runs
        return other

    def cut(self, row: int, left: int, right: int) -> list[tuple[int, Numbers]]:
        """Remove a range of columns of a row, and return it: (first column, numbers)."""
        removed = list(self.within(row, left, right))
        if removed:
            others = [*self.within(row, 0, left - 1), *self.within(row, right + 1, MAX_COLUMNS)]
            self.rows[row] = others
            self.cells -= sum(len(values) for _, values in removed)
            if not others:
                del self.rows[row]
        return removed

    def fill(self, grids: Mapping[str, list[list[Value]]], areas: Mapping[str, Area]) -> None:
        """Copy the numbers into the grids of areas."""
        for name, grid in grids.items():
            area = areas[name]
            for i, line in enumerate(grid, area.row):
                for first, values in self.within(i, area.col, area.col + area.cols - 1):
                    line[first - area.col : first - area.col + len(values)] = values.tolist()

    def share(self, block: Numbers, row: int, col: int) -> None:
        """Replace runs by views of a block that contains a copy of them, to save memory."""
        for i, numbers in enumerate(block, row):
            self.rows[i] = [
                (first, numbers[first - col : first - col + len(values)])
                if col <= first and first + len(values) <= col + len(numbers)
                else (first, values)
                for first, values in self.rows[i]
            ]

    def block(self, row: int, col: int, rows: int, cols: int) -> Numbers | None:
        """The numbers of a rectangle; None unless runs fill it completely."""
        block = np.empty((rows, cols))
        for i in range(rows):
            filled = 0
            for first, values in self.within(row + i, col, col + cols - 1):
                block[i, first - col : first - col + len(values)] = values
                filled += len(values)
            if filled < cols:
                return None
        return block


class Stripped:
    """A reader of a sheet's part that removes its runs.

    Attributes:
        runs: the runs removed so far.
    """

    def __init__(self, source: IO[bytes]) -> None:
        """Wrap the stream of a part."""
        self.source, self.runs = source, NumberRuns()
        self._rest, self._inside, self._sure = b"", False, True
        self._before: list[tuple[int, bytes, int]] = []

    def read(self, _size: int = -1) -> bytes:
        """The next chunk; empty only at end of file."""
        while block := self.source.read(_BLOCK):
            if left := self._left(self._rest + block):
                return left
        left, self._rest = self._rest, b""
        return left

    def _left(self, xml: bytes) -> bytes:
        """The rest of a chunk without its runs; incomplete rows are kept for the next chunk."""
        head = b""
        if not self._inside and self._sure:
            start = xml.find(_DATA) + len(_DATA)
            if start < len(_DATA) and len(xml) < _BLOCK:
                self._rest = xml
                return b""
            head, xml = xml[:start], xml[start:]
            self._inside, self._sure = True, _HEAD.fullmatch(head) is not None and head.count(b"xmlns=") == 1
        self._sure = self._sure and len(self._rest) < _MAX_ROW_SIZE
        if not self._sure:
            self._rest = b""
            return head + xml
        *rows, self._rest = xml.split(b"</row>")
        return head + b"".join([self._without_runs(row) + b"</row>" for row in rows])

    def _without_runs(self, row: bytes) -> bytes:
        start = row.find(b">", row.rfind(b"<row ")) + 1
        cells = row[start:]
        found: Sequence[_Run] = ()
        if self._sure and start and len(cells) > MIN_COUNT * _MIN_CELL_SIZE:
            tag = row[row.rfind(b"<row ") : start]
            found = _in_row(tag, self._as_before(tag, cells) or _found(cells))
        kept = b"<n/>".join([cells[a:b] for a, b in _between(found, len(cells))])
        self._sure = self._sure and not any(sign in row[:start] + kept for sign in _UNUSUAL)
        if not found or not self._sure or kept.count(b"<n/>") > len(found) or not _FLAT.fullmatch(kept):
            return row
        self._before = [(run.col, run.style, len(run.values)) for run in found]
        for run in found:
            self.runs.add(run.row, run.col, run.values)
            style = _STYLE_OF.search(run.style)
            places = self.runs.styles.setdefault(int(style[1]) if style else 0, [])
            places.append((run.row, run.col, len(run.values)))
        return row[:start] + kept.replace(b"<n/>", b"")

    def _as_before(self, tag: bytes, cells: bytes) -> list[_Run]:
        """Runs at the columns of the previous row, if there are no others; faster than a full search."""
        match = _NUMBER_OF.search(tag)
        number, found, at = match[1] if match else b"", list[_Run](), 0
        for col, style, count in self._before if match else ():
            start = cells.find(b'<c r="%s%s"' % (_letters(col), number), at)
            run = _run(cells, start, col, number, style, count) if start >= 0 else None
            following = _letters(col + count) if col + count < MAX_COLUMNS else b""
            if run is None or cells.startswith(b'<c r="%s%s"%s><v>' % (following, number, style), run.end):
                return []  # there is none, or it is longer
            found.append(run)
            at = run.end
        return found if len(cells) - at < MIN_COUNT * _MIN_CELL_SIZE else []


class _Run(NamedTuple):
    """A run: its start and end in the XML of a row, its location, style and numbers."""

    start: int
    end: int
    row: int
    col: int
    style: bytes
    values: Numbers


def _in_row(tag: bytes, found: Sequence[_Run]) -> Sequence[_Run]:
    """The same runs if the row numbers of their cells match that of the row; otherwise none."""
    match = _NUMBER_OF.search(tag)
    return found if match and all(run.row == int(match[1]) - 1 for run in found) else ()


@lru_cache(maxsize=256)
def _openings(col: int, style: bytes, count: int) -> bytes:
    """The start tags of adjacent cells, with # for their row."""
    return b"|".join([b'%s#"%s><v>' % (_letters(each), style) for each in range(col, col + count)])


def _run(cells: bytes, start: int, col: int, row: bytes, style: bytes, count: int) -> _Run | None:
    """The run of ``count`` cells at ``start``, if all are plain numbers of the same style."""
    if col + count > MAX_COLUMNS:
        return None
    wanted = _openings(col, style, count).replace(b"#", row).split(b"|")
    pieces = cells[start + 6 :].split(_NEXT, count - 1)
    if len(pieces) < count or not all(map(bytes.startswith, pieces, wanted)):
        return None
    pieces[-1], _, rest = pieces[-1].partition(_END)
    try:
        values = _finite(map(bytes.removeprefix, pieces, wanted), count)
    except ValueError:
        return None
    return _Run(start, len(cells) - len(rest), int(row) - 1, col, style, values)


def _found(cells: bytes) -> list[_Run]:
    """All runs in the XML of a row."""
    found: list[_Run] = []
    for stretch in _RUN.finditer(cells):
        at = stretch.start()
        for column, row, style, count in _side_by_side(_CELLS.findall(stretch[0])):
            run = _run(cells, at, column, row, style, count)
            if run is None:
                return []
            found.append(run)
            at = run.end
    return found


def _between(found: Sequence[_Run], end: int) -> Iterator[tuple[int, int]]:
    """The start and end of the XML between runs."""
    at = 0
    for run in found:
        yield at, run.start
        at = run.end
    yield at, end


def _side_by_side(cells: Sequence[tuple[bytes, bytes, bytes]]) -> Iterator[tuple[int, bytes, bytes, int]]:
    """Group adjacent cells (column, row, style): (first column, row, style, count)."""
    start = 0
    for i, (column, row, style) in enumerate(cells, 1):
        if i == len(cells) or (_place(cells[i][0]), *cells[i][1:]) != (_place(column) + 1, row, style):
            yield _place(cells[start][0]), row, style, i - start
            start = i


def _finite(texts: Iterable[bytes], count: int) -> Numbers:
    values = np.array(orjson.loads(b"[%s]" % b",".join(texts)), np.float64)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise ValueError(count)
    return values
