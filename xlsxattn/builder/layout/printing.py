"""How a laid-out sheet is printed: which cells, at which scale, and where one page ends and the next begins.

A4, or A3 where a sheet is wide, one page wide: landscape, or upright where many rows would still be readable.
Lengths are points, those of columns pixels.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.layout.placed import PlacedSheet

MAX_ROWS, MAX_COLS = 1_048_576, 16_384
MARGIN_SIDE, MARGIN_TOP, MARGIN_BOTTOM = 0.25, 0.35, 0.45
"""Inches; below, the footer stands within the margin."""
A4, A3 = (72 * 11.69, 72 * 8.27), (72 * 16.54, 72 * 11.69)
"""The long and the short side of the papers."""
MIN_UPRIGHT, MIN_SMALL = 0.6, 0.35
"""The scales below which an upright page, and one of A4 at all, would be too small to read."""
MIN_SHRUNK, MIN_TYPE_SIZE = 0.8, 6 / 11
"""How much smaller a sheet may be printed to save a page; the scale at which numbers are 6 points."""
STEPS = 20
POINTS_A_PIXEL = 0.75
SPARE = 0.95
"""How much of a page is counted on: fonts that stand in for others make rows a little taller."""
ONE_PAGE = 60
PIXELS_A_CHARACTER, PIXELS_A_COLUMN = 7.0, 5.0


class TooLargeError(ValueError):
    """A page that no spreadsheet can hold."""


def pixels(sheet: PlacedSheet, columns: range) -> float:
    """How wide some columns are together."""
    usual = theme.LOOKS["number"].width
    return sum(PIXELS_A_CHARACTER * sheet.widths.get(c, usual) + PIXELS_A_COLUMN for c in columns)


def finish(
    sheet: PlacedSheet, row: int, pieces: Sequence[tuple[int, int]], *, all_of_it: bool = True
) -> None:
    """Decide what is printed, to the last line of words, and where its pages end.

    Args:
        sheet: with everything placed.
        row: the last row.
        pieces: first row, and row after the last, of what should not be torn, the whole before its parts.
        all_of_it: whether more than the first page is worth printing.

    Raises:
        TooLargeError: the page needs more rows or columns than a sheet has.
    """
    col = _last_column(sheet)
    if row > MAX_ROWS or col >= MAX_COLS:
        sentence = (
            "sheet '{tab}' would need {rows:,} rows and {cols:,} columns; "
            "a sheet has {most_rows:,} and {most_cols:,}"
        )
        most = {"most_rows": MAX_ROWS, "most_cols": MAX_COLS}
        raise TooLargeError(say(sentence, tab=sheet.tab, rows=row, cols=col + 1, **most))
    gaps = {bar.where.right + 1 for bar in sheet.bars}
    for c in gaps:
        sheet.widths.setdefault(c, 3.0)
    for text in sheet.texts:
        need, right = theme.pixels(text.text, text.look), text.col
        while (need := need - pixels(sheet, range(right, right + 1))) > 0:
            right += 1
        col = max(col, right)
    for c in range(1, col + 1):
        sheet.widths.setdefault(c, theme.LOOKS["number"].width)
    sheet.last, sheet.one_page = (row, col), row <= ONE_PAGE
    sheet.large = _scale(sheet, A4[0]) < MIN_SMALL
    if not sheet.one_page:
        sheet.upright = _scale(sheet, A4[1]) >= MIN_UPRIGHT
        sheet.breaks = _breaks(sheet, pieces, page_height(sheet))
        if all_of_it:
            _shrink(sheet, pieces)
    if not all_of_it and not sheet.one_page:
        room = page_height(sheet)
        row = sum(points <= room for points in _above(sheet, row + 1)[1:]) - 1
        row = min([row, *(first - 1 for first in sheet.breaks)])
        sheet.last, sheet.breaks, sheet.one_page = (row, col), [], True


def _shrink(sheet: PlacedSheet, pieces: Sequence[tuple[int, int]]) -> None:
    """Print a sheet a little smaller where that saves a page.

    By a wider margin at its right: it is always one page wide, whatever the fonts are.
    """
    room, across = page_height(sheet), _across(sheet)
    natural = best = _scale(sheet, across)
    for i in range(1, STEPS + 1):
        scale = natural * (1 - (1 - MIN_SHRUNK) * i / STEPS)
        found = _breaks(sheet, pieces, room * natural / scale)
        if scale >= MIN_TYPE_SIZE and len(found) < len(sheet.breaks):
            best, sheet.breaks = scale, found
    if best < natural:
        wide = POINTS_A_PIXEL * pixels(sheet, range(sheet.last[1] + 1))
        sheet.margin_right = across / 72 - MARGIN_SIDE - best * wide / 72


def _last_column(sheet: PlacedSheet) -> int:
    texts = (text.col + text.cols - 1 for text in sheet.texts)
    areas = (p.area.right for p in sheet.placed)
    return max([1, *texts, *areas, *(bar.where.right for bar in sheet.bars)])


def page_height(sheet: PlacedSheet) -> float:
    """Points of a sheet's rows that a page holds: more where the sheet is wide and printed smaller."""
    down = _paper(sheet)[0 if sheet.upright else 1]
    return SPARE * (down - 72 * (MARGIN_TOP + MARGIN_BOTTOM)) / _scale(sheet, _across(sheet))


def _paper(sheet: PlacedSheet) -> tuple[float, float]:
    return A3 if sheet.large else A4


def _across(sheet: PlacedSheet) -> float:
    return _paper(sheet)[1 if sheet.upright else 0]


def _scale(sheet: PlacedSheet, across: float) -> float:
    """How large a sheet is printed to fit a page's width."""
    wide = POINTS_A_PIXEL * pixels(sheet, range(sheet.last[1] + 1))
    return min(1.0, (across - 72 * (MARGIN_SIDE + sheet.margin_right)) / wide)


def tall(sheet: PlacedSheet, first: int, after: int) -> float:
    """Points of some rows."""
    return sum(sheet.heights.get(row, sheet.row) for row in range(first, after))


def _above(sheet: PlacedSheet, rows: int) -> list[float]:
    """Points above each of so many rows, and above the one after them."""
    return list(accumulate((sheet.heights.get(row, sheet.row) for row in range(rows)), initial=0.0))


def repeated(sheet: PlacedSheet) -> int:
    """The row that stands on top of every page but the first: the lanes' headings, or else the title.

    Headings one below the other would each stand above what is not theirs.
    """
    tops = {bar.where.top for bar in sheet.bars}
    return tops.pop() if len(tops) == 1 else 0


def _breaks(sheet: PlacedSheet, pieces: Sequence[tuple[int, int]], page: float) -> list[int]:
    """The rows that begin a page of so many points, each a piece's first; what is taller is torn anyway."""
    found: list[int] = []
    head = tall(sheet, repeated(sheet), repeated(sheet) + 1)
    last = max((after for _, after in pieces), default=0)
    above = _above(sheet, last)
    begun = 0
    for first, after in pieces:
        used = above[after] - above[begun] + (head if begun else 0.0)
        if used > page and first > begun and first > sheet.frozen:
            found.append(first)
            begun = first
    return found
