"""Print settings of a sheet: print area, scale and page breaks.

Sheets are printed on A4, one page wide; in landscape, or in portrait if a long sheet stays readable. Of a
lane that is too wide, such as one of a large model, only the first columns are printed, and the footer says
so. Heights are in points, widths of columns in pixels.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.layout.formulas import letters
from xlsxattn.language import MessageError, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.builder.layout.placed import PlacedSheet
    from xlsxattn.language import Tell

MAX_ROWS, MAX_COLS = 1_048_576, 16_384
MARGIN_SIDE, MARGIN_TOP, MARGIN_BOTTOM = 0.25, 0.35, 0.45
"""In inches; the bottom margin contains the footer."""
A4 = 72 * 11.69, 72 * 8.27
"""Long and short side of the paper in points."""
MIN_PORTRAIT = 0.6
"""Minimum scale for portrait."""
MIN_SHRUNK, MIN_TYPE_SIZE = 0.8, 6 / 11
"""Minimum relative scale to save a page; the scale at which numbers have 6 points."""
STEPS = 20
POINTS_A_PIXEL = 0.75
USABLE = 0.95
"""Usable part of a page's height, since fallback fonts make rows slightly taller."""
UNPRINTED = "columns {first} to {last} are not printed"
ONE_PAGE = 60
"""Sheets with at most this many rows are printed on one page."""
PIXELS_A_CHARACTER, PIXELS_A_COLUMN = 7.0, 5.0


class TooLargeError(MessageError, ValueError):
    """A page exceeds the size limits of spreadsheets."""


def pixels(sheet: PlacedSheet, columns: Iterable[int]) -> float:
    """Total width of some columns in pixels."""
    default = theme.LOOKS["number"].width
    return sum(PIXELS_A_CHARACTER * sheet.widths.get(c, default) + PIXELS_A_COLUMN for c in columns)


def finish(
    sheet: PlacedSheet,
    row: int,
    sections: Sequence[tuple[int, int]],
    tell: Tell,
    *,
    first_page_only: bool = False,
) -> None:
    """Choose the print area, orientation and page breaks of a sheet.

    Args:
        sheet: the sheet, with everything placed.
        row: the last row.
        sections: ranges of rows (first, after the last) to keep on one page; a whole before its parts.
        tell: translates a text.
        first_page_only: print only the first page.

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
    _leave_out(sheet, tell)
    if not sheet.one_page:
        sheet.portrait = _scale(sheet, A4[1]) >= MIN_PORTRAIT
        sheet.breaks = _breaks(sheet, sections, page_height(sheet))
        if not first_page_only:
            _shrink(sheet, sections)
    if first_page_only and not sheet.one_page:
        room = page_height(sheet)
        row = sum(bottom <= room for bottom in _tops(sheet, row + 1)[1:]) - 1
        row = min([row, *(first - 1 for first in sheet.breaks)])
        sheet.last, sheet.breaks, sheet.one_page = (row, sheet.last[1]), [], True


def _leave_out(sheet: PlacedSheet, tell: Tell) -> None:
    """Print only the columns with which numbers can be read, and say in the footer which are left out.

    Lanes side by side are printed whole, however small: without the last one, a sentence would be missing.
    """
    row, end = sheet.last
    side_by_side = len({bar.where.left for bar in sheet.bars}) > 1
    if side_by_side or _scale(sheet, A4[0]) >= MIN_TYPE_SIZE:
        return
    room = (A4[0] - 72 * (MARGIN_SIDE + sheet.margin_right)) / MIN_TYPE_SIZE / POINTS_A_PIXEL
    widths = accumulate(pixels(sheet, [col]) for col in range(end + 1))
    sheet.last = row, sum(width <= room for width in widths) - 1
    first, last = letters(sheet.last[1] + 1), letters(end)
    sheet.footer = tell(say(UNPRINTED, first=first, last=last))


def _shrink(sheet: PlacedSheet, sections: Sequence[tuple[int, int]]) -> None:
    """Print a sheet slightly smaller if that saves a page.

    This is done by a wider right margin, because the sheet is always scaled to one page width.
    """
    height, across = page_height(sheet), _across(sheet)
    natural = best = _scale(sheet, across)
    for i in range(1, STEPS + 1):
        scale = natural * (1 - (1 - MIN_SHRUNK) * i / STEPS)
        breaks = _breaks(sheet, sections, height * natural / scale)
        if scale >= MIN_TYPE_SIZE and len(breaks) < len(sheet.breaks):
            best, sheet.breaks = scale, breaks
    if best < natural:
        width = POINTS_A_PIXEL * pixels(sheet, range(sheet.last[1] + 1))
        sheet.margin_right = across / 72 - MARGIN_SIDE - best * width / 72


def _last_column(sheet: PlacedSheet) -> int:
    texts = (text.col + text.cols - 1 for text in sheet.texts)
    areas = (p.area.right for p in sheet.placed)
    return max([1, *texts, *areas, *(bar.where.right for bar in sheet.bars)])


def page_height(sheet: PlacedSheet) -> float:
    """Height of a page in points of the sheet's rows, at the scale of print."""
    down = A4[0 if sheet.portrait else 1]
    return USABLE * (down - 72 * (MARGIN_TOP + MARGIN_BOTTOM)) / _scale(sheet, _across(sheet))


def _across(sheet: PlacedSheet) -> float:
    return A4[1 if sheet.portrait else 0]


def _scale(sheet: PlacedSheet, across: float) -> float:
    """The scale at which a sheet fits the width of a page."""
    width = POINTS_A_PIXEL * pixels(sheet, range(sheet.last[1] + 1))
    room = across - 72 * (MARGIN_SIDE + sheet.margin_right)
    return min(1.0, room / width)


def row_heights(sheet: PlacedSheet, first: int, after: int) -> float:
    """Total height of some rows in points."""
    return sum(_height(sheet, row) for row in range(first, after))


def _height(sheet: PlacedSheet, row: int) -> float:
    """Height of a row in points; 0 in a collapsed group."""
    return 0.0 if row in sheet.closed else sheet.heights.get(row, sheet.row)


def _tops(sheet: PlacedSheet, rows: int) -> list[float]:
    """Points above each of the first rows, and above the one after them."""
    return list(accumulate((_height(sheet, row) for row in range(rows)), initial=0.0))


def repeated(sheet: PlacedSheet) -> int:
    """The row repeated on top of every page but the first: the lanes' headings, or the title.

    Headings of stacked lanes are not repeated, since each would be above rows of the other lanes.
    """
    tops = {bar.where.top for bar in sheet.bars}
    return tops.pop() if len(tops) == 1 else 0


def _breaks(sheet: PlacedSheet, sections: Sequence[tuple[int, int]], page: float) -> list[int]:
    """First rows of new pages of a height in points; sections taller than a page are split anyway."""
    breaks: list[int] = []
    head = row_heights(sheet, repeated(sheet), repeated(sheet) + 1)
    last = max((after for _, after in sections), default=0)
    tops = _tops(sheet, last)
    page_start = 0
    for first, after in sections:
        used = tops[after] - tops[page_start] + (head if page_start else 0.0)
        if used > page and first > page_start and first > sheet.frozen:
            breaks.append(first)
            page_start = first
    return breaks
