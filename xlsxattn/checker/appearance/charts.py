"""Charts on our sheets that plot other data than they should."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from openpyxl.utils import range_boundaries

from xlsxattn.checker.appearance.number_formats import verdict
from xlsxattn.checker.cell_formulas import shortened
from xlsxattn.checker.cells import Area
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.one_reading import NUMBER
from xlsxattn.contract.names import COLS, HEADING, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.appearance.own_ranges import OwnRanges
    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.sheet_view import Series

CHARTED = ("FocusAttention", "Attention", "X", "Output", "Cosine", "Plotted")
"""The blocks that charts plot."""
_SAVED_DIGITS = 1e-9
"""Allowed difference of a value that a chart stores: programs save 10 to 17 digits."""
_EMPTY_LABEL = "None"
"""What openpyxl saves for an empty label."""
_REFERENCE = re.compile(r"(?:'((?:[^']|'')+)'|([^'!\"(),]+))!(\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?)")


def misleading_charts(book: Book, ranges: OwnRanges) -> Iterator[Finding]:
    """Charts with a wrong or typed series; one finding per chart, for its first such series."""
    for tab in ranges.sheets:
        for chart in book.views[tab].charts if tab in book.views else ():
            wrong = _wrong_series(chart, tab, ranges)
            if wrong is not None:
                yield Finding(Kind.CHART, sheet=tab, values={"reference": shortened(wrong)} if wrong else {})
            elif old := next(_old_values(book, chart), None):
                yield Finding(Kind.CHART, cell=old[0].address(), values={"old": old[1]})


def _old_values(book: Book, chart: tuple[Series, ...]) -> Iterator[tuple[Area, str]]:
    """Values that a chart stores, which previews show, and that differ from the saved ones of their cells."""
    for series in chart:
        for key, points in series.cached.items():
            area = area_of(series.references[key])
            if area is None:
                continue
            for place, text in points:
                at = area.sheet, area.row + place // area.cols, area.col + place % area.cols
                saved = book.saved.get(at)
                if place < area.rows * area.cols and saved is not None and not _is_shown(saved, text):
                    yield Area(*at, 1, 1), shortened(text)


def _is_shown(saved: Value, text: str) -> bool:
    """Whether a stored text is the value of a cell, as programs save it."""
    number = float(text) if NUMBER.fullmatch(text) else None
    if isinstance(saved, float):  # a label may have the number format of its cell
        return number is None or math.isclose(number, saved, rel_tol=_SAVED_DIGITS, abs_tol=_SAVED_DIGITS)
    if number is not None:  # 0 is stored for a text among numbers
        return True
    words = str(saved).strip()
    return text.strip() == words or (not words and text == _EMPTY_LABEL)


def _wrong_series(chart: tuple[Series, ...], tab: str, ranges: OwnRanges) -> str | None:
    """The reference of the first wrong series; "" if its numbers are typed; None if there is none."""
    before = (-1, -1, 0)
    for series in chart:
        references = series.references
        read = {key: area_of(text) for key, text in references.items()}
        wrong = _wrong_values(series, read, tab, ranges)
        if wrong is not None:
            return wrong
        values = read.get("val") or read["yVal"]
        at = (values.col, values.row, values.rows) if values else before
        if at <= before:  # series are in the order of their cells, so two were swapped
            return references.get("val") or references["yVal"]
        before = at
    return None


def _wrong_values(series: Series, read: Mapping[str, Area | None], tab: str, ranges: OwnRanges) -> str | None:
    """The wrong reference of a series; "" if it is typed; None if all references are right."""
    if series.types_labels or any(map(verdict, series.formats)):
        return ""
    references = series.references
    both = ("xVal", "yVal") if "yVal" in references else ("cat", "val")
    for key in both:
        area = read.get(key)
        if area is None or area.sheet != tab:
            return references.get(key, "")
    labels, values = (read[key] for key in both)
    title = read.get("tx")
    if title is not None and not _is_heading(title, values, ranges):
        return references["tx"]
    if not _is_charted(values, ranges, points="yVal" in references):
        return references[both[1]]
    fits = (
        _are_points(labels, values, ranges) if "yVal" in references else _are_labels(labels, values, ranges)
    )
    return None if fits else references[both[0]]


def _is_charted(area: Area | None, ranges: OwnRanges, *, points: bool) -> bool:
    """Whether an area consists of whole ranges that charts plot, or is a column of one."""
    if area is None:
        return False
    touched = [(name, cells) for name, cells in ranges.touched(area) if parse(name).block in CHARTED]
    whole = all(
        cells.rows == ranges.areas[name].rows and (points or cells.cols == ranges.areas[name].cols)
        for name, cells in touched
        if not parse(name).label
    )
    shown = sum(cells.rows * cells.cols for name, cells in touched if not parse(name).label)
    return whole and shown == area.rows * area.cols


def _are_labels(labels: Area | None, values: Area | None, ranges: OwnRanges) -> bool:
    """Whether labels are the column labels above the values, or the row labels next to them."""
    if labels is None or values is None:
        return False
    names = [parse(name) for name, cells in ranges.touched(labels) if cells == ranges.areas[name] == labels]
    blocks = {parse(name).block for name, _ in ranges.touched(values)}
    if (labels.col, labels.cols) == (values.col, values.cols):
        return labels.row < values.row and any(name.label == COLS and name.block in blocks for name in names)
    beside = (labels.row, labels.rows) == (values.row, values.rows)
    return beside and any(name.block in ("Depths", "StepNumber") for name in names)


def _are_points(across: Area | None, up: Area | None, ranges: OwnRanges) -> bool:
    """Whether two areas are columns of the same range, the x values left of the y values."""
    if across is None or up is None:
        return False
    rows = (across.row, across.rows) == (up.row, up.rows)
    one, other = ({name for name, _ in ranges.touched(area)} for area in (across, up))
    return rows and across.col < up.col and bool(one & other)


def _is_heading(title: Area, values: Area | None, ranges: OwnRanges) -> bool:
    """Whether the title of a series is the heading of its sentence."""
    contexts = {parse(name).context for name, _ in ranges.touched(values)} if values else set()
    names = [parse(name) for name, _ in ranges.touched(title)]
    return any(name.block == HEADING and name.context in contexts for name in names)


def area_of(reference: str) -> Area | None:
    """The cells of a reference such as ``Sheet!$A$1:$B$2``; None for other references."""
    match = _REFERENCE.fullmatch(reference.strip())
    if match is None:
        return None
    first, top, last, bottom = range_boundaries(match[3].replace("$", ""))
    if first is None or top is None or last is None or bottom is None:
        return None
    (left, right), (top, bottom) = sorted((first, last)), sorted((top, bottom))  # corners in any order
    tab = (match[1] or match[2]).replace("''", "'")
    return Area(tab, top - 1, left - 1, bottom - top + 1, right - left + 1)
