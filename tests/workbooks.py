"""Edits inputs of workbooks, and recalculates and proves many of them at once."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xlsxattn.builder import pages
from xlsxattn.checker import engines, structure
from xlsxattn.checker.cells import Area, CellError, listed
from xlsxattn.checker.check import prove
from xlsxattn.checker.reading.book import read
from xlsxattn.checker.reading.copies import without_values
from xlsxattn.checker.reading.manifest import Manifest
from xlsxattn.checker.reference import SheetInfo
from xlsxattn.checker.report import Report
from xlsxattn.contract.kinds.settings import settings
from xlsxattn.contract.values import PROGRAM_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.checker.cells import Edits, Grid
    from xlsxattn.checker.reading.book import Book


def tweaked(path: Path, changes: Mapping[str, Any], out: Path) -> Path:
    """Save a copy with edited values in some ranges."""
    changed(path, changes).workbook.save(out)
    return out


def changed(path: Path, changes: Mapping[str, Any]) -> Book:
    """Edit values of ranges, as a user would; None clears a cell.

    A change is one value for the whole range, a list of its rows (of its values, for a single column), or
    ``{(row, column): value}`` counted from 0 (``{row: value}``, for a single column).
    """
    book = read(path)
    for name, change in changes.items():
        for (i, j), value in _cells(book, name, change):
            type_into(book, name, i, j, value)
    return book


def edits_of(book: Book, changes: Mapping[str, Any]) -> Edits:
    """The same changes as edits for `job`."""
    return {
        (area.sheet, area.row + i, area.col + j): "" if value is None else value
        for name, change in changes.items()
        for area in [book.names[name]]
        for (i, j), value in _cells(book, name, change)
    }


def _cells(book: Book, name: str, change: Any) -> Iterable[tuple[tuple[int, int], Any]]:
    area = book.names[name]
    if isinstance(change, Mapping):
        return [(at if isinstance(at, tuple) else (at, 0), value) for at, value in change.items()]
    everywhere = np.ndindex(area.rows, area.cols)
    if not isinstance(change, list):
        return [(at, change) for at in everywhere]
    rows = [row if isinstance(row, list) else [row] for row in change]
    assert {len(row) for row in rows} == {area.cols}
    assert len(rows) == area.rows
    return [((i, j), rows[i][j]) for i, j in everywhere]


def type_into(book: Book, name: str, row: int, col: int, value: Any) -> None:
    """Set the value of a cell of a range; a text that starts with = stays a text."""
    area = book.names[name]
    assert row < area.rows
    assert col < area.cols
    cell = book.workbook[area.sheet].cell(area.row + row + 1, area.col + col + 1)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"


def evaluate(path: Path, engine: str) -> Mapping[str, Grid]:
    """The values of all named ranges, recalculated by an engine from formulas and inputs only."""
    return evaluate_many([path], engine)[0]


def evaluate_many(paths: Sequence[Path], engine: str) -> list[Mapping[str, Grid]]:
    """The same for many workbooks, with a single start of LibreOffice."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = [job(read(path), Path(folder, f"{n}.xlsx")) for n, path in enumerate(paths)]
        return answers(engine, jobs)


def job(book: Book, copy: Path, edits: Edits | None = None) -> engines.Job:
    """A copy of a workbook without values and with edited inputs, to compute all its ranges."""
    without_values(book, copy, [edits or {}])
    return engines.Job(copy, book.names)


def answers(engine: str, jobs: Sequence[engines.Job]) -> list[Mapping[str, Grid]]:
    """The values of all jobs; if an engine failed, all ranges contain an error value."""
    found = engines.evaluate(engine, jobs)
    return [
        answer if isinstance(answer, dict) else {name: [[CellError(answer)]] for name in job.areas}
        for job, answer in zip(jobs, found, strict=True)
    ]


def answers_in_turn(book: Book, copy: Path, sets: Sequence[Edits]) -> list[Mapping[str, Grid]]:
    """The values of all ranges after each set of edits of the saved inputs, in one process of IronCalc."""
    typed = {at: book.typed.get(at) for edits in sets for at in edits}
    saved = {at: "" if value is None else value for at, value in typed.items()}
    found = engines.evaluate_edited("ironcalc", job(book, copy), [{**saved, **edits} for edits in sets])
    return [{name: listed(grid) for name, grid in answer.items()} for answer in found]


def proved(path: Path, engine: str, values: Mapping[str, Grid]) -> Report:
    """The report on a workbook, with the values of an engine."""
    return report_on(read(path), engine, values)


def report_on(book: Book, engine: str, values: Mapping[str, Grid]) -> Report:
    """The same for a workbook that was read."""
    return Report(str(book.path), (prove(book, engine, values),), tuple(structure.misplaced_formulas(book)))


def errors_in(values: Mapping[str, Grid]) -> list[str]:
    """All error values of the ranges."""
    return [
        f"{name}[{i}, {j}]: {value}"
        for name, grid in values.items()
        for i, row in enumerate(grid)
        for j, value in enumerate(row)
        if isinstance(value, CellError)
    ]


class Ranges(dict[str, "Grid"]):
    """The values of a workbook: numeric ranges as arrays, texts as lists of words."""

    def array(self, name: str) -> Any:
        return np.array(self[name], dtype=float)

    def texts(self, name: str) -> list[str]:
        return [str(value or "") for row in self[name] for value in row]


class Unwritten:
    """The manifest of a workbook and the shapes of its ranges, before it is written."""

    path = "unwritten.xlsx"

    def __init__(self, spec):
        blocks = [*pages.book(spec).blocks()]
        areas = {b.name: (b.rows, b.cols) for b in blocks}
        for b in blocks:
            areas |= {name: (b.rows, cols) for name, _, cols in b.slices}
            areas |= {name: (rows, b.cols) for name, rows in b.tops}
        self.names = {name: Area("tab", 0, 0, *shape) for name, shape in areas.items()}
        sheets = [SheetInfo(s.id, s.kind, json.loads(json.dumps(settings(s)))) for s in spec.sheets]
        inputs = [name for b in blocks if b.kind == "input" for name in (b.name, *b.aliases)]
        table = {name: (entered, text) for name, entered, text in pages.formula_table(blocks)}
        contexts = tuple(c.id for c in spec.contexts)
        self.manifest = Manifest(tuple(sheets), contexts, tuple(inputs), table, PROGRAM_VERSION, spec.lang)
