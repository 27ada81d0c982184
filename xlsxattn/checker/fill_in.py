"""Fills in an exercise with right and wrong answers, to prove its marks and the ranges that wait for them."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.checker.answer_cells import asked_cells, regions
from xlsxattn.checker.cell_sets import Cover
from xlsxattn.checker.cells import Area, cell_name
from xlsxattn.checker.reading.book import Formula, array_of, read
from xlsxattn.checker.reference import expected
from xlsxattn.contract.exercise import TOLERANCE
from xlsxattn.contract.names import is_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from xlsxattn.checker.cells import At, Edits, Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.contract.exercise import Exercise

TAB = "answers of the check"
STEPS = (0.0, 0.4, 3.0, -3.0, 1e6, -0.4, -1e6, 30.0)
"""Distances from the right value, in units of the tolerance."""
NO_NUMBER = "x"
MAX_INCOMPLETE = 10
"""Maximum number of answers that are incomplete in turn."""


def filled_in(book: Book, edits: Sequence[Edits]) -> tuple[Book, list[Edits]]:
    """A copy of an exercise whose answers can be edited, and sets of edits to its inputs and answers.

    Answers are right in the first set and within or outside the tolerance in the second; in each further set,
    one answer is incomplete. Answer cells are formulas that read another sheet; where numbers may be typed,
    every other cell is typed.
    """
    asked = book.manifest.exercise
    assert asked is not None
    copy, typed_cells = _with_cells(book, asked)
    ways = 2 + min(len(asked.answers), MAX_INCOMPLETE)
    typed: dict[At, Value] = dict(book.typed)
    sets: list[Edits] = []
    for k, changed in enumerate(islice(cycle(edits), max(ways, len(edits)))):
        typed |= changed
        right = _right(book, typed, sets, changed)
        answers: dict[At, float | str] = {}
        for (tab, row, col), value in _answers(book, right, k % ways):
            is_typed = (tab, row, col) in typed_cells
            answers[(tab, row, col) if is_typed else (TAB, row, col)] = (
                "" if is_typed and value == NO_NUMBER else value
            )
        sets.append({**changed, **answers})
    return copy, sets


def _with_cells(book: Book, asked: Exercise) -> tuple[Book, set[At]]:
    """The copy, whose answer cells read another sheet, and the cells where numbers are typed instead."""
    copy = read(book.path)
    copy.workbook.create_sheet(TAB)
    areas = [*asked_cells(book)]
    cover = Cover(areas)
    formulas = {at: f for at, f in copy.formulas.items() if not any(one in cover for one in f.area.cells())}
    typed_cells = set()
    for area in areas:
        ws: Any = copy.workbook[area.sheet]
        for tab, row, col in area.cells():
            if asked.ask != "formula" and (row + col) % 2:
                typed_cells.add((tab, row, col))
                ws.cell(row + 1, col + 1).value = None
                continue
            text = f"='{TAB}'!{cell_name(row, col)}"
            formulas[tab, row, col] = Formula(text, Area(tab, row, col, 1, 1), array=False)
            ws.cell(row + 1, col + 1).value = text
    typed = {at: value for at, value in copy.typed.items() if at not in cover}
    copy = replace(copy, formulas=formulas, typed=typed, manifest=book.manifest, reads=book.reads)
    return copy, typed_cells


def _right(
    book: Book, typed: Mapping[At, Value], before: Sequence[Edits], changed: Edits
) -> dict[str, NDArray[np.float64]]:
    """The right values of all answers for these inputs."""
    blocks = book.blocks.values([*before, changed])
    inputs = {
        name: array_of(blocks[name] if name in blocks else _grid(book.names[name], typed), text=is_text(name))
        for name in book.inputs
    }
    wanted = expected(book.manifest.sheets, book.manifest.contexts, inputs)
    return {name: np.asarray(wanted[name].values, dtype=float) for name in regions(book)}


def _grid(area: Area, typed: Mapping[At, Value]) -> list[list[Value]]:
    rows, cols = range(area.row, area.row + area.rows), range(area.col, area.col + area.cols)
    return [[typed.get((area.sheet, row, col)) or None for col in cols] for row in rows]


def _answers(
    book: Book, right: Mapping[str, NDArray[np.float64]], way: int
) -> Iterator[tuple[At, float | str]]:
    """The answers of a set: 0 is right, 1 near; in n + 2, answer n is near and lacks a cell."""
    for n, (name, cells) in enumerate(regions(book).items()):
        area = book.names[name]
        values = right[name]
        for k, (i, j) in enumerate(np.ndindex(cells.rows, cells.cols)):
            row, col = cells.row + i, cells.col + j
            value = float(values[row, col])
            if way in (1, n + 2):
                value += STEPS[(k + n) % len(STEPS)] * TOLERANCE * (1 + abs(value))
            is_missing = way == n + 2 and k == n % cells.size
            yield (area.sheet, area.row + row, area.col + col), NO_NUMBER if is_missing else value
