"""Findings on content that other programs read or calculate differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.cell_formulas import span
from xlsxattn.checker.cell_sets import Cover
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.contract.names import is_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from xlsxattn.checker.cells import Area
    from xlsxattn.checker.finding_kinds import Severity
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.strings import Doubt

_KEYS: Mapping[Doubt, str] = {"rich value": "rich"}


def settings(book: Book) -> Iterator[Finding]:
    """Calculation settings that change values or leave old ones."""
    calculation = book.calculation
    if not calculation.full_precision:
        yield Finding(Kind.PRECISION_AS_DISPLAYED)
    if calculation.iterates and not book.by_gnumeric:  # which turns it on in every workbook it saves
        yield Finding(Kind.ITERATIVE_CALCULATION)
    if calculation.manual:
        yield Finding(Kind.MANUAL_CALCULATION)
    if calculation.from_1904:
        yield Finding(Kind.DATES_1904)


def doubtful_cells(book: Book) -> Iterator[Finding]:
    """Cells of ranges whose values programs read in different ways."""
    if not book.doubts:
        return
    numbers = {name for name in book.manifest.inputs if not is_text(name)}
    doubts = {at: doubt for at, doubt in book.doubts.items() if doubt != "empty"}
    for name, area in book.own_names.items():
        # a word may be an empty text
        for at, doubt in (book.doubts if name in numbers else doubts).items():
            tab, down, right = at[0], at[1] - area.row, at[2] - area.col
            if tab == area.sheet and 0 <= down < area.rows and 0 <= right < area.cols:
                values = {_KEYS.get(doubt, doubt): book.saved.get(at)}
                severity: Severity = "warning" if doubt in ("blanks", "faint") else "error"
                where = area.address(down, right)
                yield Finding(Kind.DOUBTFUL_VALUE, name, where, values=values, severity=severity)


def overlapping_blocks(book: Book) -> Iterator[Finding]:
    """Formulas that share a cell with an array formula."""
    areas = [formula.area for formula in book.formulas.values()]
    if Cover(areas).size == sum(area.rows * area.cols for area in areas):
        return
    filled: dict[tuple[str, int, int], Area] = {}
    for area in areas:
        other = next((filled[at] for at in area.cells() if at in filled), None)
        filled |= dict.fromkeys(area.cells(), area)
        if other:
            values = {"cells": span(area), "filled": span(other)}
            yield Finding(Kind.OVERLAPPING_FORMULAS, "", area.address(), values=values)


def names(book: Book) -> Iterator[Finding]:
    """Names that are redefined on one of our sheets, or hidden from the list of names."""
    own = {name.lower(): name for name in book.own_names}
    tabs = {area.sheet for area in book.own_names.values()}
    worksheets: Any = book.workbook.worksheets
    for ws in worksheets:
        for name in ws.defined_names if ws.title in tabs else ():
            if name.lower() in own:
                yield Finding(Kind.SHADOWED_NAME, own[name.lower()], values={"tab": ws.title})
    if hidden := [own[name] for name in own if name in book.calculation.hidden]:
        yield Finding(Kind.HIDDEN_NAME, hidden[0], values={"n": len(hidden) - 1} if hidden[1:] else {})


def ambiguities(book: Book) -> Iterator[Finding]:
    """All findings of this module."""
    for finder in (settings, names, doubtful_cells, overlapping_blocks):
        yield from finder(book)
