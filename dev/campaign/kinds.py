"""All mutants of a workbook: faulty formulas, constants, cut blocks, moved names."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from dev.campaign import rebuilt
from dev.campaign.faults import FAULTS
from dev.campaign.formulas import address, moved, put
from dev.campaign.mutants import Mutant
from dev.campaign.site import site
from xlsxattn.contract import names
from xlsxattn.contract.names import START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.checker.cells import Area, Grid, Value
    from xlsxattn.checker.reading.book import Book, Formula

    At: TypeAlias = tuple[str, int, int]
    Range: TypeAlias = tuple[str, Sequence[Formula]]  # a computed range and its formulas

SLIGHTLY = 1e-6
BY_ROW = ("rows", "lower rows", "steps")
"""Ways of entering ranges with an array formula for each row or step, or several side by side."""
MANIFEST = {START[part] for part in names.MANIFEST}
"""Names that the check reads first. If one is deleted, a message names it; they are not swapped."""


ORIGIN = {START[part] for part in names.ORIGIN}
"""Optional names: without them, the workbook counts as one of an earlier version."""


def every(book: Book, saved: Mapping[str, Grid]) -> list[Mutant]:
    """Every mutant of a workbook, each fault once.

    Args:
        book: the workbook as built.
        saved: the right values, for pasting.
    """
    made: list[Mutant] = []
    for name, formulas in _ranges(book):
        made += _by_formula(book, name, formulas)
        made += _filled_down(book, name, formulas)
        made += _constants(book, name, formulas, saved[name])
        made += _cut(book, name, formulas, saved[name])
    made += _swapped(book)
    made += rebuilt.every(book)
    made += [
        Mutant("name deleted", (name,), f"{name} deleted", names={name: None})
        for name in sorted(book.names)
        if name not in ORIGIN
    ]
    once = {(tuple(m.cells.items()), tuple(m.names.items())): m for m in reversed(made)}
    return [*reversed(once.values())]


def _ranges(book: Book) -> Iterator[Range]:
    for name in book.manifest.formulas:
        formulas = [book.formulas[at] for at in book.names[name].cells() if at in book.formulas]
        yield name, formulas


def _at(area: Area) -> tuple[str, int, int]:
    return area.sheet, area.row, area.col


def _by_formula(book: Book, name: str, formulas: Sequence[Formula]) -> Iterator[Mutant]:
    """The faults of single formulas; in a range with a formula in each cell, each is in one cell."""
    for fault in FAULTS:
        for formula in _some(book, name, formulas, fault.__name__):
            for wrong in fault(site(book, name, formula)):
                if wrong.text != formula.text:
                    what = f"{formula.area.address()}: {wrong.text} for {formula.text}"
                    cells = {_at(formula.area): replace(formula, text=wrong.text)}
                    yield Mutant(wrong.kind, (name,), what, cells, source=wrong.source)


def _some(book: Book, name: str, formulas: Sequence[Formula], what: str) -> Sequence[Formula]:
    """The formulas to break: every block, but only one of the rows or cells of a range."""
    single = len(formulas) > 1 and formulas[0].area.rows * formulas[0].area.cols == 1
    if single or (_by_row(book, name) and formulas):
        return [formulas[zlib.crc32(f"{name} {what}".encode()) % len(formulas)]]
    return formulas


def _by_row(book: Book, name: str) -> bool:
    return book.manifest.formulas[name][0] in BY_ROW


def _filled_down(book: Book, name: str, formulas: Sequence[Formula]) -> Iterator[Mutant]:
    """Filled down with absolute references that should be relative, and the reverse."""
    if _by_row(book, name):  # ranges side by side are filled down separately
        formulas = [f for f in formulas if f.area.col == book.names[name].col]
    if not formulas or formulas[0].area.rows > 1 or formulas[0].area.row == formulas[-1].area.row:
        return
    if len(site(book, name, formulas[0]).reads) != len(site(book, name, formulas[-1]).reads):
        formulas = formulas[1:]  # the first row reads no row above
    top = formulas[0]
    cells = {_at(f.area): replace(f, text=top.text) for f in formulas}
    what = f"{name}: {top.text} in every row"
    yield Mutant("absolute for relative", (name,), what, cells)
    sites = [site(book, name, f) for f in formulas]
    for k, first in enumerate(sites[0].reads):
        reads = [s.reads[k].area for s in sites]
        if len(sites) == 1 or any((a.row, a.col) != (first.area.row, first.area.col) for a in reads):
            continue  # it is relative, as it should be

        def drifted(row: int, area: Area = first.area) -> str:
            return address(moved(area, row), top.area.sheet)

        cells = {
            _at(s.area): replace(s.formula, text=put(s.text, [s.reads[k]], drifted(i)))
            for i, s in enumerate(sites)
        }
        yield Mutant("relative for absolute", (name,), f"{name}: {first.text} moves with the row", cells)


def _constants(book: Book, name: str, formulas: Sequence[Formula], values: Grid) -> Iterator[Mutant]:
    """A formula replaced by a constant, or a whole range pasted as values."""
    area = book.names[name]
    for formula in formulas:
        if formula.area.rows * formula.area.cols > 1:
            continue
        right = values[formula.area.row - area.row][formula.area.col - area.col]
        for kind, value in _typed(right):
            what = f"{formula.area.address()}: {value!r} for {formula.text}"
            yield Mutant(kind, (name,), what, {_at(formula.area): value})
    pasted = dict(zip(area.cells(), (value for row in values for value in row), strict=True))
    if len(pasted) > 1:
        yield Mutant("pasted as values", (name,), f"{name} pasted as values", pasted)


def _typed(right: Value) -> Iterator[tuple[str, Value]]:
    yield "right value as a constant", right
    if isinstance(right, str):
        yield "a constant", "text"
    elif isinstance(right, float):
        yield "a constant", 0.5 if right != 0.5 else 0.25
        yield "off by 1e-6", right + SLIGHTLY


def _cut(book: Book, name: str, formulas: Sequence[Formula], values: Grid) -> Iterator[Mutant]:
    """A block that is one row or column short, with old values or blanks, and a block in two halves."""
    outer = book.names[name]
    for formula in _some(book, name, formulas, "cut") if _by_row(book, name) else formulas:
        area = formula.area
        if area.rows * area.cols == 1:
            continue
        down = area.rows > 1
        less, more = _split(area, (area.rows if down else area.cols) - 1, down=down)
        left = {at: values[at[1] - outer.row][at[2] - outer.col] for at in more.cells()}
        short: dict[At, Formula | Value] = {_at(area): replace(formula, area=less)}
        what = f"{name}: the block ends one {'row' if down else 'column'} short"
        yield Mutant("one short, old values left", (name,), what, short | left)
        yield Mutant("one short, nothing left", (name,), what, short | dict.fromkeys(left))
        one, two = _split(area, ((area.rows if down else area.cols) + 1) // 2, down=down)
        halves = {_at(half): replace(formula, area=half) for half in (one, two)}
        yield Mutant("block in two", (name,), f"{name}: the block is entered in two halves", halves)


def _split(area: Area, size: int, *, down: bool) -> tuple[Area, Area]:
    if down:
        return replace(area, rows=size), replace(moved(area, size), rows=area.rows - size)
    return replace(area, cols=size), replace(moved(area, 0, size), cols=area.cols - size)


def _swapped(book: Book) -> Iterator[Mutant]:
    """Two swapped names of the same shape: each with the next one on its own tab and on another."""
    order = dict.fromkeys([*book.manifest.inputs, *book.manifest.formulas])
    order |= dict.fromkeys(name for name in book.names if name not in MANIFEST | ORIGIN)
    alike: dict[tuple[int, int], list[str]] = {}
    for name in order:
        alike.setdefault((book.names[name].rows, book.names[name].cols), []).append(name)
    for name in order:
        area = book.names[name]
        same = alike[area.rows, area.cols]
        others = [other for other in same[same.index(name) + 1 :] if book.names[other] != area]
        near = [other for other in others if book.names[other].sheet == area.sheet][:1]
        far = [other for other in others if book.names[other].sheet != area.sheet][:1]
        for other in near + far:
            names = {name: book.names[other], other: area}
            yield Mutant("names swapped", (name, other), f"{name} and {other} swapped", names=names)
