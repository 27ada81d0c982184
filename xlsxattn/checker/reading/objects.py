"""Objects that lie over the cells of a sheet: charts, pictures, shapes, controls, tables, pivot tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpyxl.utils import range_boundaries
from openpyxl.xml.functions import fromstring

from xlsxattn.checker.cells import MAX_COLUMNS, Area
from xlsxattn.checker.reading.grid import PER_PIXEL
from xlsxattn.checker.reading.one_reading import MAX_ROWS
from xlsxattn.checker.reading.package import linked, tag_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xlsxattn.checker.reading.archive import GuardedArchive
    from xlsxattn.checker.reading.grid import Grid
    from xlsxattn.language import Phrase

_TOLERANCE = 6 * PER_PIXEL
"""The overlap of an object with a cell that is ignored, as programs round the places of objects."""
_ANCHORS = ("twoCellAnchor", "oneCellAnchor", "absoluteAnchor", "anchor")
_NOTE = re.compile(rb"""ObjectType=["']Note["']""")
_CLIENT_DATA = re.compile(rb"<(?:\w+:)?ClientData.*?</(?:\w+:)?ClientData>", re.DOTALL)
_LEGACY_ANCHOR = re.compile(rb"<(?:\w+:)?Anchor>([^<]*)<")
_LEGACY_NUMBERS = 8


@dataclass(frozen=True, slots=True)
class Object:
    """An object over cells: what it is, and the cells.

    ``is_table``: an ordinary table, or a filter, which may be over typed cells. ``is_behind``: it is behind
    the cells.
    """

    what: Phrase
    area: Area
    is_table: bool = False
    is_behind: bool = False


def objects_of(archive: GuardedArchive, part: str, tab: str, root: Any, grid: Grid) -> Iterator[Object]:
    """The objects of a sheet.

    Args:
        archive: the workbook.
        part: the sheet's part.
        tab: its tab.
        root: the part, without its rows.
        grid: the sizes of its rows and columns.

    Raises:
        ValueError: an invalid number or range.
    """
    anchors = _Anchors(grid)
    shape = say("a chart, picture or shape")
    found = {cells for cells in map(anchors.cells, _anchors(root)) if cells}
    for drawing in linked(archive, part, "/drawing"):
        found |= {cells for cells in map(anchors.cells, _anchors(fromstring(archive.read(drawing)))) if cells}
    for drawing in linked(archive, part, "/vmlDrawing"):
        found |= {*anchors.legacy(archive.read(drawing))}
    for top, left, bottom, right in sorted(found):
        yield Object(shape, Area(tab, top, left, bottom - top + 1, right - left + 1))
    for kind, what in (("/pivotTable", say("a pivot table")), ("/table", say("a table"))):
        for target in linked(archive, part, kind):
            table = fromstring(archive.read(target))
            at = next((one.get("ref") for one in table.iter() if tag_of(one) == "location"), table.get("ref"))
            plain = kind == "/table" and table.get("tableType", "worksheet") == "worksheet"
            yield Object(what, _area(tab, str(at)), is_table=plain)
    yield from _in_the_sheet(tab, root)


def _in_the_sheet(tab: str, root: Any) -> Iterator[Object]:
    """Objects that the sheet itself states: a background picture, sparklines and the buttons of a filter."""
    for one in root if root is not None else ():
        if tag_of(one) == "picture":
            yield Object(say("a picture"), Area(tab, 0, 0, MAX_ROWS, MAX_COLUMNS), is_behind=True)
        if tag_of(one) == "autoFilter" and one.get("ref"):
            yield from _buttons(_area(tab, one.get("ref")), one)
        for sparkline in (child for child in one.iter() if tag_of(child) == "sparkline"):
            for cells in (child for child in sparkline if tag_of(child) == "sqref"):
                yield from (Object(say("a sparkline"), _area(tab, ref)) for ref in str(cells.text).split())


def _buttons(area: Area, autofilter: Any) -> Iterator[Object]:
    """The buttons of a filter, in the first row of its area."""
    hidden = {
        column.get("colId")
        for column in autofilter
        if column.get("hiddenButton") in ("1", "true") or column.get("showButton") in ("0", "false")
    }
    for i in range(area.cols):
        if str(i) not in hidden:
            cell = Area(area.sheet, area.row, area.col + i, 1, 1)
            yield Object(say("the button of a filter"), cell, is_table=True)


def _area(tab: str, ref: str) -> Area:
    first, top, last, bottom = range_boundaries(ref)
    if first is None or top is None or last is None or bottom is None:
        raise ValueError(say("{ref} covers whole rows or columns", ref=ref))
    (left, right), (top, bottom) = sorted((first, last)), sorted((top, bottom))  # corners in any order
    return Area(tab, top - 1, left - 1, bottom - top + 1, right - left + 1)


class _Anchors:
    """Finds the cells under the objects of a sheet."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def cells(self, anchor: Any) -> tuple[int, int, int, int] | None:
        """The cells under an object: first row and column, last row and column; None if there are none."""
        start, end, size = (
            next((one for one in anchor if tag_of(one) == name), None) for name in ("from", "to", "ext")
        )
        place = next((one for one in anchor if tag_of(one) == "pos"), None)
        spans = []
        for axis, key, extent, length, most in (
            ("row", "y", "cy", self._grid.height, MAX_ROWS),
            ("col", "x", "cx", self._grid.width, MAX_COLUMNS),
        ):
            first, offset = _corner(start, axis) if start is not None else (0, 0.0)
            offset += float(place.get(key)) if place is not None and start is None else 0.0
            if end is not None:
                last, rest = _corner(end, axis)
            else:
                long = float(size.get(extent)) if size is not None else 0.0
                last, rest = _walked(first, offset + long, length, most)
            first, offset = _walked(first, offset, length, most)
            first += offset >= length(first) - _TOLERANCE
            last -= rest <= _TOLERANCE
            spans.append((first, min(last, most - 1)))
        (top, bottom), (left, right) = spans
        return (top, left, bottom, right) if top <= bottom and left <= right else None

    def legacy(self, xml: bytes) -> Iterator[tuple[int, int, int, int]]:
        """The cells under the controls and the visible notes of a legacy drawing."""
        for data in _CLIENT_DATA.findall(xml):
            match = _LEGACY_ANCHOR.search(data)
            numbers = [int(text) for text in match[1].split(b",")] if match else []
            if len(numbers) != _LEGACY_NUMBERS or (_NOTE.search(data) and b"Visible" not in data):
                continue
            left, _, top, _, right, behind, bottom, below = numbers
            yield top, left, bottom - (below <= 0), right - (behind <= 0)


def _walked(at: int, offset: float, length: Callable[[int], float], most: int) -> tuple[int, float]:
    """The row or column at an offset from the start of another one, and the rest of the offset."""
    while at < most and offset >= length(at):
        offset -= length(at)
        at += 1
    return at, offset


def _corner(corner: Any, axis: str) -> tuple[int, float]:
    said = {tag_of(one): one.text for one in corner}
    return int(said[axis]), float(said.get(f"{axis}Off") or 0)


def _anchors(root: Any) -> Iterator[Any]:
    """The anchors of objects that hide what is below them: neither lines nor empty frames."""
    for anchor in root.iter():
        if tag_of(anchor) in _ANCHORS and not _is_transparent(anchor):
            yield anchor


def _is_transparent(anchor: Any) -> bool:
    names = {tag_of(one) for one in anchor.iter()}
    hidden = any(one.get("hidden") in ("1", "true") for one in anchor.iter() if tag_of(one) == "cNvPr")
    line = "cxnSp" in names and not names & {"sp", "pic", "graphicFrame"}
    frame = "noFill" in names and not names & {
        "t",
        "pic",
        "graphicFrame",
        "solidFill",
        "gradFill",
        "blipFill",
    }
    return hidden or line or frame
