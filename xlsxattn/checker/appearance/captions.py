"""The line of code above a block: whether it states the formula that the block has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.cell_formulas import SIDE_BY_SIDE, braced, shortened, stands
from xlsxattn.checker.cells import Area
from xlsxattn.checker.findings import Finding, Kind
from xlsxattn.contract.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.appearance.cell_styles import Styles
    from xlsxattn.checker.appearance.own_ranges import OwnRanges
    from xlsxattn.checker.reading.book import Book

    Corners = Mapping[tuple[str, int, int], str]

MONO = "Consolas"
"""The font of captions, and of nothing else but the manifest."""
_OPENS = ("{=", "=", "{")
_GOES_ON = "    "
"""What a second line of a long formula begins with."""
_HEAD = 2
"""Rows of a sheet's title and of the line below it: a person's words, which may look like a formula."""
_MAX_DISTANCE = 3
"""Rows from a caption's last line to its block: others' longer captions and labels stand between."""
_MAX_PARTS = 2
"""Formulas side by side of which each is shown; of more, the first and the last."""


def other_captions(book: Book, ranges: OwnRanges, styles: Styles) -> Iterator[Finding]:
    """Captions that state another formula than the block below; a block without its own is told elsewhere."""
    corners = {
        (area.sheet, area.row, area.col): name
        for name, area in ranges.areas.items()
        if name in book.manifest.formulas and not parse(name).label
    }
    for (tab, row, col), text in book.typed.items():
        if (
            tab in ranges.sheets
            and row >= _HEAD
            and isinstance(text, str)
            and _is_caption(text, Area(tab, row, col, 1, 1), styles)
        ):
            stated, last = _whole(book, tab, row, col, text)
            names = _below(corners, tab, last, col)
            if not names or any(stated == caption(book, name) for name in names):
                continue
            name = next((n for n in names if stands(book, n)), "")
            if name:
                yield _other(name, (tab, row, col), stated, caption(book, name))


def _is_caption(text: str, cell: Area, styles: Styles) -> bool:
    """Whether a text is a formula, or stands in the font of formulas."""
    if text.startswith(_OPENS):
        return True
    style = None if text.startswith(_GOES_ON) else styles.first(cell)
    return style is not None and style.font == MONO


def caption(book: Book, name: str) -> str:
    """The formula of a range as its caption states it."""
    array = [braced(text, array=True) for text in book.manifest.formulas[name][1].split(SIDE_BY_SIDE)]
    return SIDE_BY_SIDE.join(array if len(array) <= _MAX_PARTS else (array[0], "...", array[-1]))


def _whole(book: Book, tab: str, row: int, col: int, text: str) -> tuple[str, int]:
    """A caption with the lines that it goes on in; and the last one's row."""
    while isinstance(line := book.typed.get((tab, row + 1, col)), str) and line.startswith(_GOES_ON):
        text, row = text + line.removeprefix(_GOES_ON), row + 1
    return text, row


def _below(corners: Corners, tab: str, row: int, col: int) -> list[str]:
    """The ranges that begin in the next row in which some do, below a caption or right of it."""
    for down in range(1, _MAX_DISTANCE + 1):
        places = ((tab, row + down, col + right) for right in (1, 0))
        if found := [corners[at] for at in places if at in corners]:
            return found
    return []


def _other(name: str, at: tuple[str, int, int], stated: str, right: str) -> Finding:
    cell = Area(*at, 1, 1).address()
    values = {"stated": shortened(stated), "right": shortened(right)}
    return Finding(Kind.CAPTION, name, cell, values=values)
