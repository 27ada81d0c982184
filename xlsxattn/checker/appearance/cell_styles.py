"""Cells of our ranges whose style hides the value or shows something else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

from xlsxattn.checker.appearance.colours import BLACK, MIN_CONTRAST, WHITE, Palette, contrast, rgb, spelled
from xlsxattn.checker.appearance.number_formats import colours, same, verdict
from xlsxattn.checker.cell_formulas import shortened
from xlsxattn.checker.cells import MAX_COLUMNS, Area
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.grid import PER_POINT
from xlsxattn.checker.reading.one_reading import MAX_ROWS
from xlsxattn.checker.reading.sheet_view import joined
from xlsxattn.checker.reading.strings import MIN_POINTS, SYMBOL_FONTS
from xlsxattn.contract.first_screen import FORMATS, THEN
from xlsxattn.contract.names import FRONT, parse
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from xlsxattn.checker.appearance.colours import RGB
    from xlsxattn.checker.appearance.own_ranges import OwnRanges
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.language import Phrase

SYMBOLS = 2
"""The set of characters for which Windows chooses a font of symbols."""
MAX_INDENT = 6
"""Maximum indent of a text, about 9 pixels each; numbers are in columns of about 9 characters."""
LARGE_POINTS = 24.0
"""Font size in points above which a text may be larger than its row."""
MIN_ROTATED_POINTS = 30.0
"""Minimum height in points of a row with rotated numbers."""
STRUCK = say("its text is struck through, as if by a minus sign")
FORMATS_WITH_WORDS: Mapping[str, tuple[str, ...]] = {
    "Times": ('[>1]"occurs "0" times";""', '[>1]"stands "0" times";""'),  # the second until version 0.1
    "Ids": ('0;-0;"not in the vocabulary"',),
    "MaskValue": ('0;"−∞";0',),
    "Position": ('"position "0',),
    "Rank": ('"no. "0',),
}
"""The number formats with words that are built, by block."""
FORMATS_OF_LABELS = {"FocusBefore_Rows": FORMATS["Before_Rows"], "FocusAfter_Rows": (THEN,)}
"""The same for labels on attention sheets, as on the first screen."""


@dataclass(frozen=True, slots=True)
class CellStyle:
    """The style of a cell: number format, colours, font, font size, and what else makes it unreadable.

    ``inks`` are the colour of the font and those of the number format.
    """

    number_format: str
    inks: tuple[RGB, ...]
    paper: RGB
    font: str
    points: float
    is_rotated: bool
    how: tuple[Phrase, ...]

    @property
    def ink(self) -> RGB:
        """The colour of the font."""
        return self.inks[0]

    @property
    def faintest(self) -> RGB:
        """The text colour with the lowest contrast."""
        return min(self.inks, key=lambda ink: contrast(ink, self.paper))

    @property
    def uses_symbol_font(self) -> bool:
        """Whether its font shows symbols instead of letters and digits."""
        return re.sub(r"\s", "", self.font).casefold().startswith(SYMBOL_FONTS)


class Styles:
    """The styles of a workbook's cells, cached."""

    def __init__(self, book: Book) -> None:
        """Read the styles of a workbook."""
        self._workbook: Any = book.workbook
        self.book, self.palette = book, Palette(book.theme, cast("Any", book.workbook)._colors)
        self._known: dict[int, CellStyle] = {}

    def numbered(self, number: int) -> CellStyle:
        """The style with an index in the file; the first one if there is none."""
        known = self._workbook._cell_styles
        return self.of(known[number if number < len(known) else 0])

    def of(self, style: Any) -> CellStyle:
        """Convert an openpyxl style."""
        if id(style) not in self._known:
            self._known[id(style)] = self._read(style)
        return self._known[id(style)]

    def first(self, area: Area) -> CellStyle | None:
        """The style of the first cell of an area; None if the cell does not exist."""
        cells = self._workbook[area.sheet]._cells
        cell = cells.get((area.row + 1, area.col + 1))
        return None if cell is None else self.of(cell._style)

    def _read(self, style: Any) -> CellStyle:
        book, number = self._workbook, style.numFmtId
        font = book._fonts[style.fontId]
        custom = dict(enumerate(book._number_formats, BUILTIN_FORMATS_MAX_SIZE))
        # without a code, a format depends on the language of the program
        code = custom.get(number) or BUILTIN_FORMATS.get(number, f"[{number}]")
        ink = self.palette.seen(font.color, BLACK)
        papers = self.palette.behind(book._fills[style.fillId], WHITE)
        paper = min(papers, key=lambda paper: contrast(ink, paper))
        inks = (ink, *map(rgb, colours(str(code))))
        alignment = book._alignments[style.alignmentId]
        from_theme = self.palette.fonts.get(str(font.scheme), "")
        return CellStyle(
            str(code),
            inks,
            paper,
            from_theme or str(font.name or ""),
            float(font.sz or MIN_POINTS),
            bool(alignment.textRotation),
            tuple(_unreadable(font, alignment, book._borders[style.borderId])),
        )


def _unreadable(font: Any, alignment: Any, border: Any) -> Iterator[Phrase]:
    """What makes a text unreadable apart from its colours and its font."""
    if alignment.horizontal == "fill":
        yield say("its alignment repeats the text until the cell is full")
    if alignment.indent > MAX_INDENT:
        yield say("its indent moves the text out of the cell")
    if font.charset == SYMBOLS:
        yield say("its font has the character set of symbols")
    if font.strike:  # like a minus sign
        yield STRUCK
    if border.diagonal is not None and border.diagonal.style and (border.diagonalUp or border.diagonalDown):
        yield say("diagonal borders cross its text")


def misleading_cells(book: Book, ranges: OwnRanges, styles: Styles) -> Iterator[Finding]:
    """Cells with a misleading number format, or with unreadable text.

    There is one finding for each range and problem.
    """
    seen: dict[tuple[str, Kind, str], Finding] = {}
    more: dict[tuple[str, Kind, str], int] = {}
    for area, style in _doubtful(book, ranges, styles):
        for name, cells in ranges.touched(area):
            for kind, values in (*_faults(name, style), *_in_low_rows(book, cells, style)):
                key = name, kind, str(values)
                more[key] = more.get(key, -1) + cells.rows * cells.cols
                seen.setdefault(key, Finding(kind, name, cells.address(), values=values))
    for key, finding in seen.items():
        yield Finding(finding.kind, finding.range, finding.cell, values=finding.values, more=more[key])


def _doubtful(book: Book, ranges: OwnRanges, styles: Styles) -> Iterator[tuple[Area, CellStyle]]:
    """Cells, and runs of cells, whose style may mislead."""
    doubtful: dict[int, CellStyle | None] = {}  # openpyxl style → the style, or None if it is plain
    for tab in ranges.sheets:
        worksheet: Any = book.workbook[tab]
        rows_of: dict[tuple[int, CellStyle], list[int]] = {}
        for (row, col), cell in worksheet._cells.items():
            key = id(cell._style)
            if key not in doubtful:
                read = styles.of(cell._style)
                doubtful[key] = None if _is_plain(read) else read
            if odd := doubtful[key]:
                rows_of.setdefault((col - 1, odd), []).append(row - 1)
        for (col, odd), rows in rows_of.items():
            yield from ((Area(tab, first, col, last - first + 1, 1), odd) for first, last in joined(rows))
        yield from _of_missing_cells(book, tab, ranges, styles)
        for number, places in book.runs[tab].styles.items() if tab in book.runs else ():
            style = styles.numbered(number)
            if not _is_plain(style):
                yield from ((Area(tab, row, col, 1, cells), style) for row, col, cells in places)


def _of_missing_cells(
    book: Book, tab: str, ranges: OwnRanges, styles: Styles
) -> Iterator[tuple[Area, CellStyle]]:
    """Cells that are not in the file, as in an array formula, with the style of their row or column."""
    view = book.views.get(tab)
    if view is None:
        return
    known = {(row - 1, col - 1) for row, col in book.workbook[tab]._cells}
    runs = book.runs.get(tab)
    strips = [(Area(tab, a, 0, b - a + 1, MAX_COLUMNS), number) for a, b, number in view.row_styles]
    strips += [(Area(tab, 0, a, MAX_ROWS, b - a + 1), number) for a, b, number in view.column_styles]
    found: dict[Area, CellStyle] = {}
    for strip, style in ((strip, styles.numbered(number)) for strip, number in strips):
        for _, cells in () if _is_plain(style) else ranges.touched(strip):
            for _, row, col in cells.cells():
                if (row, col) not in known and not (runs and next(runs.within(row, col, col), None)):
                    found.setdefault(Area(tab, row, col, 1, 1), style)
    yield from found.items()


def _is_plain(style: CellStyle) -> bool:
    readable = contrast(style.faintest, style.paper) >= MIN_CONTRAST and style.points >= MIN_POINTS
    usual = not (style.uses_symbol_font or style.is_rotated or style.how or style.points > LARGE_POINTS)
    return readable and usual and not verdict(style.number_format)


def _worded(name: str) -> Collection[str]:
    """The number formats with words that a range may have."""
    place = parse(name)
    labelled = "_".join(filter(None, (place.block, place.label)))
    if place.sheet == FRONT:
        return FORMATS.get(labelled, ())
    if labelled in FORMATS_OF_LABELS:
        return FORMATS_OF_LABELS[labelled]
    return FORMATS_WITH_WORDS.get(place.block, ())


def _faults(name: str, style: CellStyle) -> Iterator[tuple[Kind, dict[str, Any]]]:
    code = style.number_format
    effect = verdict(code)
    if effect and code not in (built := _worded(name)) and not any(same(code, one) for one in built):
        yield Kind.MISLEADING_FORMAT, {"hiding" if effect == "hides" else "format": shortened(code)}
    if contrast(style.faintest, style.paper) < MIN_CONTRAST:
        yield Kind.UNREADABLE, {"ink": spelled(style.faintest), "paper": spelled(style.paper)}
    if style.points < MIN_POINTS:
        yield Kind.UNREADABLE, {"points": style.points}
    if style.uses_symbol_font:
        yield Kind.UNREADABLE, {"font": shortened(style.font)}
    yield from ((Kind.UNREADABLE, {"how": how}) for how in style.how)


def _in_low_rows(book: Book, cells: Area, style: CellStyle) -> Iterator[tuple[Kind, dict[str, Any]]]:
    """Rotated or large text in rows that only show a part of it."""
    if not (style.is_rotated or style.points > LARGE_POINTS):
        return
    grid = book.views[cells.sheet].grid
    rows = range(cells.row, cells.row + cells.rows)
    if style.is_rotated and min(map(grid.height, rows)) < MIN_ROTATED_POINTS * PER_POINT:
        yield Kind.UNREADABLE, {"how": say("its text is rotated, and its row is too low for it")}
    elif any(grid.is_fixed(row) and grid.height(row) < style.points * PER_POINT for row in rows):
        yield Kind.UNREADABLE, {"how": say("its text is too large for its row")}
