"""Hidden windows, rows, columns and values, merged cells, and cells below objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openpyxl.utils import get_column_letter

from xlsxattn.checker.cell_formulas import span
from xlsxattn.checker.cells import MAX_COLUMNS, Area
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.one_reading import MAX_ROWS
from xlsxattn.contract.names import parse
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.appearance.own_ranges import OwnRanges
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.sheet_view import SheetView

MAX_SHOWN = 3
"""Maximum number of row or column groups in a message."""


def hidden_cells(book: Book, ranges: OwnRanges) -> Iterator[Finding]:
    """A hidden window, and hidden, merged or covered cells of our ranges."""
    if book.calculation.hides_window:
        yield Finding(Kind.HIDDEN_WINDOW)
    if book.calculation.hides_tabs:
        yield Finding(Kind.HIDDEN_WINDOW, values={"what": say("sheet tabs")})
    for tab in ranges.sheets:
        view = book.views.get(tab)
        if view is None:
            continue
        yield from _hidden_stretches(tab, view, ranges)
        if not view.shows_values:
            yield Finding(Kind.HIDDEN_CELLS, sheet=tab, values={"what": say("formulas")})
        if not view.shows_zeros:
            yield Finding(Kind.HIDDEN_CELLS, sheet=tab)
        if view.frozen_rows:
            yield Finding(Kind.HIDDEN_CELLS, sheet=tab, values={"frozen": view.frozen_rows})
        if view.frozen_columns:
            yield Finding(Kind.HIDDEN_CELLS, sheet=tab, values={"frozen_columns": view.frozen_columns})
        yield from _merged(view, ranges)
        yield from _covered(book, view, ranges)


def _hidden_stretches(tab: str, view: SheetView, ranges: OwnRanges) -> Iterator[Finding]:
    """One finding for all hidden rows of a sheet, and one for all hidden columns."""
    folded = [stretch for stretch in view.folded_rows if _cuts(_rows(tab, *stretch), ranges)]
    rows = {f"{a + 1}:{b + 1}": _rows(tab, a, b) for a, b in (*view.hidden_rows, *folded)}
    columns = {_letters(a, b): Area(tab, 0, a, MAX_ROWS, b - a + 1) for a, b in view.hidden_columns}
    for key, stretches in (("rows", rows), ("columns", columns)):
        touched = {text: [name for name, _ in ranges.touched(area)] for text, area in stretches.items()}
        first = {
            text: names[0] for text, names in touched.items() if not all(map(_is_number_of_words, names))
        }
        if first:
            shown = ", ".join(list(first)[:MAX_SHOWN]) + ", ..." * (len(first) > MAX_SHOWN)
            yield Finding(Kind.HIDDEN_CELLS, next(iter(first.values())), sheet=tab, values={key: shown})


def _is_number_of_words(name: str) -> bool:
    """Whether a range holds the rows of words in the vocabulary, which the first screen hides."""
    place = parse(name)
    return place.block == "Ids" and not place.context and bool(place.sheet)


def _rows(tab: str, first: int, last: int) -> Area:
    return Area(tab, first, 0, last - first + 1, MAX_COLUMNS)


def _cuts(area: Area, ranges: OwnRanges) -> bool:
    """Whether rows contain only a part of a range; the row groups of built workbooks contain whole ranges."""
    return any(cells.rows < ranges.areas[name].rows for name, cells in ranges.touched(area))


def _letters(first: int, last: int) -> str:
    """Columns in A1 notation: ``C:E``."""
    return ":".join(get_column_letter(col + 1) for col in (first, last))


def _merged(view: SheetView, ranges: OwnRanges) -> Iterator[Finding]:
    for area in view.merged:
        if name := next((n for n, _ in ranges.touched(area)), ""):
            yield Finding(Kind.MERGED_CELLS, name, area.address(), values={"cells": span(area)})


def _covered(book: Book, view: SheetView, ranges: OwnRanges) -> Iterator[Finding]:
    """Cells below objects; typed cells may be in an ordinary table, and below the buttons of a filter."""
    inputs = {*book.manifest.inputs} if any(one.is_table for one in view.objects) else set()
    for one in view.objects:
        touched = ((n, cells) for n, cells in ranges.touched(one.area) if not (one.is_table and n in inputs))
        if first := next(touched, None):
            name, cells = first
            values = {"behind": one.what} if one.is_behind else {"what": one.what, "cells": span(one.area)}
            yield Finding(Kind.COVERED_CELLS, name, cells.address(), values=values)
