"""Reads a workbook as the file has it: its names, its formulas, its typed values, its manifest."""

from __future__ import annotations

import html
import json
import re
import warnings
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import openpyxl
from openpyxl.utils import get_column_letter, quote_sheetname, range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.formula import ArrayFormula

from xlsxattn.checker.cells import Area, CellError
from xlsxattn.checker.reference import SheetInfo

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from xlsxattn.checker.cells import Grid, Value

VERSION = 1
MANIFEST = ("Version", "Sheets", "Contexts", "Inputs", "Formulas")


class NotCheckableError(ValueError):
    """A file that no proof can be made of; its text is the sentence a person reads."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the workbook says of itself.

    Attributes:
        sheets: id, kind and settings of every sheet.
        contexts: the sentences' ids.
        inputs: names of the ranges a person may change.
        formulas: for each computed range, how its formula is entered and what it should be.
    """

    sheets: tuple[SheetInfo, ...]
    contexts: tuple[str, ...]
    inputs: tuple[str, ...]
    formulas: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Book:
    """A workbook as the file has it.

    Attributes:
        path: the file.
        names: every workbook-wide name that covers one rectangle.
        formulas: (tab, row, column) → the formula that stands there; for an array formula, its text and area.
        typed: (tab, row, column) → the constant that stands there.
        manifest: what the workbook says of itself.
        saved_by: the program that saved the file last, as the file says.
    """

    path: Path
    names: Mapping[str, Area]
    formulas: Mapping[tuple[str, int, int], Formula]
    typed: Mapping[tuple[str, int, int], Value]
    manifest: Manifest
    workbook: Workbook
    saved_by: str = ""

    def formula_at(self, tab: str, row: int, col: int) -> str:
        """The formula that fills a cell, an array formula in braces; "" where none does."""
        own = self.formulas.get((tab, row, col))
        if own is not None and not own.array:
            return own.text
        for f in self.formulas.values():
            a = f.area
            inside = a.row <= row < a.row + a.rows and a.col <= col < a.col + a.cols
            if f.array and a.sheet == tab and inside:
                return f"{{{f.text}}}"
        return ""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as entered: its text, the cells it fills, and whether it is an array formula."""

    text: str
    area: Area
    array: bool


def read(path: Path) -> Book:
    """Read a workbook of ours, whoever saved it last.

    Raises:
        NotCheckableError: the file is missing, is no workbook, or has no manifest of this format.
    """
    workbook = _open(path)
    names = _names(workbook)
    formulas: dict[tuple[str, int, int], Formula] = {}
    typed: dict[tuple[str, int, int], Value] = {}
    for ws in workbook.worksheets:
        for row in ws.iter_rows():
            for cell in row:
                if cell.value is not None:
                    _sort(ws.title, cell, formulas, typed)
    for formula in [f for f in formulas.values() if f.array]:
        # what an array formula fills beside its first cell are saved values, not typed ones
        for at in formula.area.cells():
            typed.pop(at, None)
    return Book(path, names, formulas, typed, _manifest(path, names, typed), workbook, _saved_by(path))


def _open(path: Path) -> Workbook:
    if not path.exists():
        raise NotCheckableError(f"{path}: there is no such file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(path)
    except (OSError, zipfile.BadZipFile, InvalidFileException):
        raise NotCheckableError(f"{path}: this is not an .xlsx workbook") from None
    except Exception as error:  # noqa: BLE001 - openpyxl meets damage with errors of every kind
        raise NotCheckableError(f"{path}: the workbook is damaged: {type(error).__name__}: {error}") from None


def _saved_by(path: Path) -> str:
    """The program that saved the file last, by the file's own properties."""
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read("docProps/app.xml").decode("utf-8", "replace")
    except (OSError, KeyError, zipfile.BadZipFile):
        return ""
    found = re.search(r"<(?:\w+:)?Application>([^<]{1,80})</", text)
    return html.unescape(found[1]).strip() if found else ""


def _sort(
    tab: str,
    cell: Any,  # noqa: ANN401 - openpyxl's cells have many types
    formulas: dict[tuple[str, int, int], Formula],
    typed: dict[tuple[str, int, int], Value],
) -> None:
    at, value = (tab, cell.row - 1, cell.column - 1), cell.value
    if isinstance(value, ArrayFormula):
        area = _area(tab, value.ref)
        formulas[at] = Formula(str(value.text), area, array=True)
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
        raise ValueError(f"{ref} covers whole rows or columns")
    return Area(tab, top - 1, left - 1, bottom - top + 1, right - left + 1)


def _names(workbook: Workbook) -> dict[str, Area]:
    tabs = set(workbook.sheetnames)
    names = {}
    for name, defined in workbook.defined_names.items():
        try:
            places = list(defined.destinations)
            tab = places[0][0].replace("''", "'")  # openpyxl takes off the quotes, but not those within
            if len(places) == 1 and tab in tabs:
                names[name] = _area(tab, places[0][1])
        except (ValueError, TypeError, AttributeError, IndexError):
            continue  # a name that covers no rectangle is not one of ours; a missing one is found later
    return names


def _manifest(path: Path, names: Mapping[str, Area], typed: Mapping[tuple[str, int, int], Value]) -> Manifest:
    tables: dict[str, Grid] = {}
    for part in MANIFEST:
        area = names.get(f"xlsxattn_{part}")
        if area is None:
            raise NotCheckableError(f"{path}: made by another program: the range xlsxattn_{part} is missing")
        tables[part] = [
            [typed.get((area.sheet, area.row + i, area.col + j)) for j in range(area.cols)]
            for i in range(area.rows)
        ]
    version = tables["Version"][0][0]
    if version != VERSION:
        raise NotCheckableError(
            f"{path}: xlsxattn_Version is {version}, this program reads version {VERSION}"
        )
    try:
        sheets = tuple(
            SheetInfo(str(i), str(kind), dict(json.loads(str(s)))) for i, kind, s in tables["Sheets"]
        )
        formulas = {str(name): (str(entered), str(text)) for name, entered, text in tables["Formulas"]}
    except (ValueError, TypeError):
        raise NotCheckableError(f"{path}: the manifest on the last sheet is damaged") from None
    contexts = tuple(str(row[0]) for row in tables["Contexts"])
    return Manifest(sheets, contexts, tuple(str(row[0]) for row in tables["Inputs"]), formulas)


def without_values(book: Book, path: Path) -> None:
    """Save a copy of formulas and inputs alone: an engine that computes nothing then shows nothing."""
    filled = {at for formula in book.formulas.values() for at in formula.area.cells()} - book.formulas.keys()
    worksheets: list[Any] = book.workbook.worksheets
    for ws in worksheets:
        cells = ws._cells  # noqa: SLF001 - openpyxl has no other way to drop a cell
        for row, col in list(cells):
            # a blank that has a format would be saved as a number, and IronCalc would read 0
            if (ws.title, row - 1, col - 1) in filled or cells[row, col].value is None:
                del cells[row, col]
        ws.conditional_formatting = type(ws.conditional_formatting)()
        ws._charts = []  # noqa: SLF001 - what is only looked at need not travel
    for name, area in book.names.items():
        # LibreOffice leaves a tab such as 1st unquoted, and IronCalc cannot read that
        book.workbook.defined_names[name].value = f"{quote_sheetname(area.sheet)}!{_absolute(area)}"
    book.workbook.save(path)


def _absolute(area: Area) -> str:
    last = f"${get_column_letter(area.col + area.cols)}${area.row + area.rows}"
    return f"${get_column_letter(area.col + 1)}${area.row + 1}:{last}"


def is_text(name: str) -> bool:
    """Whether an input range holds words rather than numbers."""
    return name.endswith("_Tokens") or name in ("vocab_Dims", "vocab_Focus")


def array_of(grid: Grid, *, text: bool) -> np.ndarray[Any, Any]:
    """An input range as the reference takes it: blanks are 0 or ""."""
    if text:
        return np.array([[_text(value) for value in row] for row in grid], dtype=object)
    return np.array(
        [[0.0 if value is None or value == "" else value for value in row] for row in grid], dtype=float
    )


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    return f"{value:.15g}" if isinstance(value, float) else str(value)
