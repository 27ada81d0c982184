"""The cells of an exercise to compute, and which ranges wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.cells import Area
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.contract.exercise import Region, answered, mark_of, region, region_of
from xlsxattn.contract.names import WORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.reading.book import Book


def regions(book: Book) -> dict[str, Region]:
    """The cells to compute, by range."""
    asked = book.manifest.exercise
    by_range = {}
    for name, place in (asked.answers if asked else {}).items():
        if name in book.names:
            area = book.names[name]
            cells = region(place, area.rows, area.cols)
            if cells.row + cells.rows <= area.rows and cells.col + cells.cols <= area.cols:
                by_range[name] = cells
    return by_range


def asked_cells(book: Book) -> Iterator[Area]:
    """The areas to compute."""
    for name, cells in regions(book).items():
        area = book.names[name]
        yield Area(area.sheet, area.row + cells.row, area.col + cells.col, cells.rows, cells.cols)


def formula_cells(book: Book) -> Iterator[set[tuple[int, int]]]:
    """The cells with formulas of each area to compute."""
    return (formula_cells_of(book, area) for area in asked_cells(book))


def misplaced(book: Book) -> Iterator[Finding]:
    """Findings for names of answer cells that are missing or refer to other cells."""
    for name, area in zip(regions(book), asked_cells(book), strict=True):
        here = book.names.get(region_of(name))
        if here is None:
            yield Finding(Kind.MISSING, region_of(name))
        elif here != area:
            yield Finding(
                Kind.MOVED, region_of(name), here.address(), values={"other": name, "place": area.address()}
            )


def reads(book: Book) -> dict[str, frozenset[str]]:
    """The answers that each range waits for: those whose completeness its formula reads.

    An answer has no formula in the manifest, so it waits for what its marks wait for.
    """
    asked = book.manifest.exercise
    answers = asked.answers if asked else {}
    complete = {answered(name): name for name in answers}
    marked = {mark_of(name): name for name in answers}
    waits = {}
    for name, (_, formula) in book.manifest.formulas.items():
        sources = frozenset(complete[word] for word in WORD.findall(formula) if word in complete)
        if sources:
            waits[marked.get(name, name)] = sources
    return waits


def formula_cells_of(book: Book, area: Area) -> set[tuple[int, int]]:
    """The cells of a range with formulas, array formulas included: row and column."""
    positions = set()
    for formula in book.formulas.values():
        common = formula.area.common(area)
        positions |= {(row - area.row, col - area.col) for _, row, col in common.cells()}
    return positions
