"""Captions, the lines of code above blocks: whether they state the formula of the block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.cell_formulas import SIDE_BY_SIDE, braced, has_expected_formula, shortened
from xlsxattn.checker.cells import Area
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.contract.names import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.appearance.cell_styles import Styles
    from xlsxattn.checker.appearance.own_ranges import OwnRanges
    from xlsxattn.checker.reading.book import Book

    Corners = Mapping[tuple[str, int, int], str]

MONO = "Consolas"
"""The font of captions; also used in the manifest, but nowhere else."""
_OPENS = ("{=", "=", "{")
_AFTER_TITLE = (", ", "，", ": ", "：")
"""What follows the title of a sheet in labels and notes."""
_INDENT = "    "
"""The indent of the continuation lines of a long formula."""
_HEAD = 2
"""Rows of the title and the line below it: free text, which may look like a formula."""
_MAX_DISTANCE = 3
"""Maximum number of rows from a caption's last line to its block, with labels or longer captions between."""
_MAX_PARTS = 2
"""Up to this many formulas side by side are all shown; of more, only the first and the last."""


def other_captions(book: Book, ranges: OwnRanges, styles: Styles) -> Iterator[Finding]:
    """Captions that differ from the formula of their block; a wrong formula has its own finding."""
    corners = {
        (area.sheet, area.row, area.col): name
        for name, area in ranges.areas.items()
        if name in book.manifest.formulas and not parse(name).label
    }
    titles = _titles(book, ranges)
    for (tab, row, col), text in book.typed.items():
        if (
            tab in ranges.sheets
            and row >= _HEAD
            and isinstance(text, str)
            and _is_caption(text, Area(tab, row, col, 1, 1), styles)
        ):
            stated, last = _joined(book, tab, row, col, text)
            names = _below(corners, tab, last, col)
            if not names or any(stated == caption(book, name) for name in names):
                continue
            name = next((n for n in names if has_expected_formula(book, n)), "")
            if name and not _is_of_sheet(text, titles) and not _is_typed(book, text):
                yield _other(name, (tab, row, col), stated, caption(book, name))


def _is_caption(text: str, cell: Area, styles: Styles) -> bool:
    """Whether a text is a formula, or has the font of formulas."""
    if text.startswith(_OPENS):
        return True
    style = None if text.startswith(_INDENT) else styles.first(cell)
    return style is not None and style.font == MONO


def _titles(book: Book, ranges: OwnRanges) -> set[str]:
    """The titles of the sheets, in full and as in their tabs, which lack some characters."""
    first_row = (text for (tab, row, _), text in book.typed.items() if row == 0 and tab in ranges.sheets)
    return {*ranges.sheets, *(text for text in first_row if isinstance(text, str))}


def _is_of_sheet(text: str, titles: set[str]) -> bool:
    """Whether a text is or starts with the title of a sheet, which may look like a formula.

    The title of a sheet may also have more in it, such as the number of a layer.
    """
    label = tuple(text + after for after in _AFTER_TITLE)
    return any(
        text == title
        or text.startswith(tuple(title + after for after in _AFTER_TITLE))
        or title.startswith(label)
        for title in titles
    )


def _is_typed(book: Book, text: str) -> bool:
    """Whether an input has this text: a word, or a dimension or class that also labels a column."""
    areas = [book.names[name] for name in book.manifest.inputs if name in book.names]
    return any(
        area.sheet == tab and 0 <= row - area.row < area.rows and 0 <= col - area.col < area.cols
        for (tab, row, col), typed in book.typed.items()
        if typed == text
        for area in areas
    )


def caption(book: Book, name: str) -> str:
    """The expected caption of a range."""
    array = [braced(text, array=True) for text in book.manifest.formulas[name][1].split(SIDE_BY_SIDE)]
    return SIDE_BY_SIDE.join(array if len(array) <= _MAX_PARTS else (array[0], "...", array[-1]))


def _joined(book: Book, tab: str, row: int, col: int, text: str) -> tuple[str, int]:
    """A caption with its continuation lines joined, and the row of its last line."""
    while isinstance(line := book.typed.get((tab, row + 1, col)), str) and line.startswith(_INDENT):
        text, row = text + line.removeprefix(_INDENT), row + 1
    return text, row


def _below(corners: Corners, tab: str, row: int, col: int) -> list[str]:
    """The nearest ranges below a caption that start in its column or the next."""
    for down in range(1, _MAX_DISTANCE + 1):
        places = ((tab, row + down, col + right) for right in (1, 0))
        if names := [corners[at] for at in places if at in corners]:
            return names
    return []


def _other(name: str, at: tuple[str, int, int], stated: str, right: str) -> Finding:
    cell = Area(*at, 1, 1).address()
    values = {"stated": shortened(stated), "right": shortened(right)}
    return Finding(Kind.CAPTION, name, cell, values=values)
