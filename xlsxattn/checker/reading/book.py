"""Reads the names, formulas, typed values and manifest of a workbook."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from xlsxattn.checker.cells import Area, CellError, listed
from xlsxattn.checker.reading.blocks import Blocks
from xlsxattn.checker.reading.file_type import no_workbook, other_kind
from xlsxattn.checker.reading.limits import STANDARD, AmbiguousError, NotCheckableError
from xlsxattn.checker.reading.links import DATA_TABLE, reaches
from xlsxattn.checker.reading.manifest import Manifest, read_manifest
from xlsxattn.checker.reading.opening import load
from xlsxattn.checker.reading.runs import NumberRuns
from xlsxattn.checker.reading.workbook_part import Calculation
from xlsxattn.contract.names import FRONT, TYPED_FOR, VOCABULARY, beginning_with, is_text, last
from xlsxattn.language import say
from xlsxattn.system_errors import words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from xlsxattn.checker.cells import Grid, Value
    from xlsxattn.checker.reading.active_content import Activity
    from xlsxattn.checker.reading.opening import Opened
    from xlsxattn.checker.reading.sheet_view import SheetView
    from xlsxattn.checker.reading.strings import Doubt

__all__ = ["Book", "Formula", "Manifest", "NotCheckableError", "read", "saved"]

_CORNER = r"\$[A-Z]{1,3}\$[1-9]\d{0,6}"
_RANGE = re.compile(
    rf"(?:'((?:[^']|'')+)'|([^\s!'\"#$%&()*+,\-/:;<=>?@\[\\\]^`{{|}}~]+))!({_CORNER}(?::{_CORNER})?)",
    re.ASCII,
)
"""A reference to one rectangle on one sheet; programs interpret others differently."""
_RESERVED = "_xlnm."
MAX_FORMULA_LENGTH = 65_536  # the limit of LibreOffice; that of Excel is 8,192 characters


@dataclass(frozen=True, slots=True)
class Book:
    """The contents of a workbook file.

    Attributes:
        path: the file.
        names: workbook-scoped names that refer to one rectangle.
        formulas: (tab, row, column) → the formula in the cell; array formulas at their first cell.
        typed: (tab, row, column) → the constant in the cell.
        manifest: the manifest.
        saved_by: the program that saved the file last, according to the file.
        active: the parts of the file with macros or links, by name.
        links: names with external references, and the references.
        saved: (tab, row, column) → the saved value of the cell, except those in ``filled``.
        runs: the long runs of plain numbers of large sheets, by tab; they are not in ``workbook``.
        blocks: the ranges that contain only such numbers; they are neither in ``typed`` nor in ``saved``.
        filled: long runs of numbers that are results of array formulas, by tab.
        no_ranges: other names → what they refer to.
        doubts: (tab, row, column) → why programs read the cell in different ways.
        calculation: the calculation settings.
        views: how each sheet shows its cells, by tab.
        theme: the theme part, with the colours that styles refer to by index.
        seed: the seed of the last set of perturbed inputs.
        reads: in an exercise, the answers that each range reads.
        left_out: the ranges that are neither recalculated nor compared.
        by_gnumeric: whether Gnumeric saved the file last, and the sheets show that too.
    """

    path: Path
    names: Mapping[str, Area]
    formulas: Mapping[tuple[str, int, int], Formula]
    typed: Mapping[tuple[str, int, int], Value]
    manifest: Manifest
    workbook: Workbook
    saved_by: str = ""
    active: Mapping[str, Activity] = field(default_factory=dict)
    links: tuple[tuple[str, str], ...] = ()
    saved: Mapping[tuple[str, int, int], Value] = field(default_factory=dict)
    runs: Mapping[str, NumberRuns] = field(default_factory=dict)
    blocks: Blocks = field(default_factory=lambda: Blocks({}, (), {}))
    filled: Mapping[str, NumberRuns] = field(default_factory=dict)
    no_ranges: Mapping[str, str] = field(default_factory=dict)
    doubts: Mapping[tuple[str, int, int], Doubt] = field(default_factory=dict)
    calculation: Calculation = field(default_factory=Calculation)
    views: Mapping[str, SheetView] = field(default_factory=dict)
    theme: bytes = b""
    seed: int = 0
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    by_gnumeric: bool = False

    @property
    def own_names(self) -> Mapping[str, Area]:
        """The names that start with the id of a sheet or context, or another prefix of the contract."""
        ids = [*(sheet.id for sheet in self.manifest.sheets), *self.manifest.contexts, VOCABULARY, FRONT]
        return {name: self.names[name] for name in beginning_with(ids, self.names)}

    @property
    def inputs(self) -> list[str]:
        """The inputs of the reference, including the words for which typed rows were computed."""
        typed_for = [name for name in self.names if last(name) == TYPED_FOR]
        unlisted = [name for name in typed_for if name not in self.manifest.formulas]
        return list(dict.fromkeys([*self.manifest.inputs, *unlisted]))

    def formula_at(self, tab: str, row: int, col: int) -> str:
        """The formula of a cell, an array formula in braces; "" if there is none."""
        own = self.formulas.get((tab, row, col))
        if own is not None and not own.array:
            return own.text
        for f in self.formulas.values():
            if f.array and f.area.holds((tab, row, col)):
                return f"{{{f.text}}}"
        return ""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as entered: its text, the cells it fills, and whether it is an array formula."""

    text: str
    area: Area
    array: bool


def read(path: Path) -> Book:
    """Read a workbook built by xlsxattn, whichever program saved it last.

    Raises:
        NotCheckableError: the file is missing, is not a workbook, exceeds a limit, or has no manifest of this
            format.
    """
    opened = _open(path)
    workbook = opened.workbook
    names, no_ranges = _names(workbook, opened.calculation.macros)
    formulas: dict[tuple[str, int, int], Formula] = {}
    typed: dict[tuple[str, int, int], Value] = {}
    worksheets: list[Any] = workbook.worksheets
    try:
        for ws in worksheets:
            tab = ws.title
            for (row, col), cell in ws._cells.items():
                if isinstance(value := cell._value, float):  # most cells
                    typed[tab, row - 1, col - 1] = value
                elif value is not None:
                    _classify(tab, cell, formulas, typed)
    except (ValueError, TypeError, OverflowError) as error:
        raise NotCheckableError(
            say("{path}: the workbook is damaged: {error}", path=path, error=words(error))
        ) from None
    arrays = [f for f in formulas.values() if f.array]
    _bounded(path, (f.area for f in arrays), say("array formulas"))
    saved = dict(opened.saved)
    filled: dict[str, NumberRuns] = {}
    for formula in arrays:
        # other cells of an array formula have saved values, not typed ones
        _move(opened.runs, filled, formula.area)
        for at in formula.area.cells():
            typed.pop(at, None)
    manifest = read_manifest(path, names, typed, formulas)
    blocks = _blocks(names, manifest, opened.runs)
    _bounded(path, (area for name, area in names.items() if name not in blocks), say("names"))
    loose = _loose(path, opened.runs, blocks)
    typed |= loose
    saved |= loose
    links = tuple((n, link) for n, d in workbook.defined_names.items() if (link := reaches(str(d.value))))
    by, active, runs = opened.saved_by, opened.active, opened.runs
    content = names, formulas, typed, manifest, workbook
    more = no_ranges, opened.doubts, opened.calculation, opened.views, opened.theme
    book = Book(path, *content, by, active, links, saved, runs, blocks, filled, *more)
    return replace(book, by_gnumeric=opened.by_gnumeric)


def saved(book: Book) -> dict[str, Grid]:
    """The saved values of all named ranges."""
    value = book.saved.get
    grids: dict[str, list[list[Value]]] = {
        name: [
            [value((a.sheet, row, col)) for col in range(a.col, a.col + a.cols)]
            for row in range(a.row, a.row + a.rows)
        ]
        for name, a in book.names.items()
        if name not in book.blocks
    }
    for tab, runs in book.filled.items():
        runs.fill({name: grid for name, grid in grids.items() if book.names[name].sheet == tab}, book.names)
    return grids | book.blocks.values()


def saved_results(book: Book) -> Iterator[Value]:
    """The saved value of every formula of a computed range; None if it has none.

    Other cells of array formulas are skipped, as their values may be left from an older save.
    """
    for name in book.manifest.formulas.keys() & book.names.keys():
        for at in book.names[name].cells():
            if at in book.formulas:
                yield book.saved.get(at)


def _blocks(names: Mapping[str, Area], manifest: Manifest, runs: Mapping[str, NumberRuns]) -> Blocks:
    """The numeric input ranges that contain only plain numbers."""
    may = {n: area for n, area in names.items() if not is_text(n) and n not in manifest.formulas}
    others = [area for name, area in names.items() if name not in may]
    return Blocks(may, others, runs)


def _move(runs: Mapping[str, NumberRuns], others: dict[str, NumberRuns], area: Area) -> None:
    """Move the cells of an area from one set of runs to another."""
    own = runs.get(area.sheet)
    for row in range(area.row, area.row + area.rows if own else 0):
        for first, values in own.cut(row, area.col, area.col + area.cols - 1) if own else ():
            others.setdefault(area.sheet, NumberRuns()).add(row, first, values)


def _loose(path: Path, runs: Mapping[str, NumberRuns], blocks: Blocks) -> dict[tuple[str, int, int], Value]:
    """The cells of runs outside all blocks."""
    found: dict[tuple[str, int, int], Value] = {}
    for tab, own in runs.items():
        covered: dict[int, list[tuple[int, int]]] = {}
        for area in blocks.cells():
            for row in range(area.row, area.row + area.rows if area.sheet == tab else 0):
                covered.setdefault(row, []).append((area.col, area.col + area.cols))
        for row, there in own.rows.items():
            for first, values in there:
                spans = covered.get(row, ())
                if any(left <= first and first + len(values) <= right for left, right in spans):
                    continue
                for col, value in enumerate(values.tolist(), first):
                    if not any(left <= col < right for left, right in spans):
                        found[tab, row, col] = value
            if len(found) > STANDARD.cells:
                sentence = (
                    "{path}: the workbook has more than {most:,} numbers outside its ranges, which "
                    "is the limit"
                )
                raise NotCheckableError(say(sentence, path=path, most=STANDARD.cells))
    return found


def _open(path: Path) -> Opened:
    try:
        return load(path)
    except (MemoryError, NotCheckableError):
        raise
    except (OSError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
        raise NotCheckableError(say("{path}: {why}", path=path, why=no_workbook(path, error))) from None
    except AmbiguousError as error:
        sentence = "{path}: programs read this file in different ways: {what}"
        raise NotCheckableError(say(sentence, path=path, what=error)) from None
    except Exception as error:  # noqa: BLE001 - openpyxl raises any error on a damaged file
        if other := other_kind(path):
            raise NotCheckableError(say("{path}: {why}", path=path, why=other)) from None
        raise NotCheckableError(
            say("{path}: the workbook is damaged: {error}", path=path, error=words(error))
        ) from None


def _bounded(path: Path, areas: Iterable[Area], what: str) -> None:
    """Refuse areas that are too large to be processed cell by cell."""
    if (cells := sum(area.rows * area.cols for area in areas)) > STANDARD.area:
        sentence = "{path}: the {what} cover {cells:,} cells, the limit is {most:,}"
        raise NotCheckableError(say(sentence, path=path, what=what, cells=cells, most=STANDARD.area))


def _classify(
    tab: str,
    cell: Any,
    formulas: dict[tuple[str, int, int], Formula],
    typed: dict[tuple[str, int, int], Value],
) -> None:
    at, value = (tab, cell.row - 1, cell.column - 1), cell.value
    if cell.data_type == "f" and len(str(getattr(value, "text", value))) > MAX_FORMULA_LENGTH:
        where = Area(*at, 1, 1).address()
        raise ValueError(say("the formula in {cell} is too long", cell=where))
    if isinstance(value, ArrayFormula):
        area = _area(tab, str(value.ref))
        formulas[at] = Formula(str(value.text), area, array=True)
    elif isinstance(value, DataTableFormula):
        formulas[at] = Formula(f"={DATA_TABLE}({value.r1},{value.r2})", Area(*at, 1, 1), array=False)
    elif cell.data_type == "f":
        formulas[at] = Formula(str(value), Area(*at, 1, 1), array=False)
    elif cell.data_type == "e":
        typed[at] = CellError(value)
    elif isinstance(value, bool | str):
        typed[at] = value
    elif isinstance(value, int | float):
        typed[at] = float(value)
    else:
        typed[at] = str(value)


def _area(tab: str, ref: str) -> Area:
    left, top, right, bottom = range_boundaries(ref)
    if left is None or top is None or right is None or bottom is None:
        raise ValueError(say("{ref} covers whole rows or columns", ref=ref))
    if not (0 < left <= right and 0 < top <= bottom):
        raise ValueError(say("{ref} is not a range", ref=ref))
    return Area(tab, top - 1, left - 1, bottom - top + 1, right - left + 1)


def _names(workbook: Workbook, macros: Collection[str]) -> tuple[dict[str, Area], dict[str, str]]:
    """Names that refer to one rectangle, and all others with what they refer to."""
    tabs = set(workbook.sheetnames)
    names, others = {}, {}
    for name, defined in workbook.defined_names.items():
        text = str(defined.value or "")
        plain = _RANGE.fullmatch(text) if name.lower() not in macros else None
        tab = (plain[1] or plain[2]).replace("''", "'") if plain else ""
        try:
            if plain and tab in tabs:
                names[name] = _area(tab, plain[3])
                continue
        except ValueError:
            pass  # handled below
        if not name.startswith(_RESERVED):
            others[name] = text
    worksheets: list[Any] = workbook.worksheets
    for ws in worksheets:
        local = {name: str(defined.value or "") for name, defined in ws.defined_names.items()}
        others |= {name: text for name, text in local.items() if not _RANGE.fullmatch(text)}
    return names, others


def array_of(grid: Grid, *, text: bool) -> np.ndarray[Any, Any]:
    """An input range as an array for the reference, with blanks as 0 or ""."""
    if isinstance(grid, np.ndarray) and not text:
        return np.where(np.isnan(grid), 0.0, grid)
    grid = listed(grid)
    if text:
        return np.array([[text_of(value) for value in row] for row in grid], dtype=object)
    return np.array(
        [[0.0 if value is None or value == "" else value for value in row] for row in grid], dtype=float
    )


def words_in(grid: Grid) -> list[str]:
    """The texts of a column; a number is converted to text."""
    return [str(word) for word in array_of(grid, text=True)[:, 0]]


def text_of(value: Value) -> str:
    """A value as a word: a blank as "", a number with up to 15 digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    return f"{value:.15g}" if isinstance(value, float) else str(value)
