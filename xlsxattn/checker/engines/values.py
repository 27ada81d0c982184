"""Reads the values that a workbook's file holds, for the areas asked for."""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING, Any

import openpyxl

from xlsxattn.checker.cells import CellError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xlsxattn.checker.cells import Area, Grid, Value
    from xlsxattn.checker.engines.processes import Edits


def saved_values(path: Path, areas: Mapping[str, Area]) -> dict[str, Grid]:
    """The values that whoever saved a workbook left in it; a date or a time is the number behind it.

    Args:
        path: the workbook.
        areas: the areas to read, by any names.

    Raises:
        KeyError: there is no such sheet.
        Exception: whatever openpyxl, zipfile or the XML parser make of a broken file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # on styles and extensions, which hold no values
        book: Any = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            book._date_formats = set()  # noqa: SLF001 - a date would lose digits on the way back to a number
            grids: dict[str, Grid] = {}
            for sheet in {area.sheet for area in areas.values()}:
                here = {name: area for name, area in areas.items() if area.sheet == sheet}
                grids |= _one_pass(book[sheet], here)
        finally:
            book.close()
    return {name: grids[name] for name in areas}


def _one_pass(sheet: Any, areas: Mapping[str, Area]) -> dict[str, Grid]:  # noqa: ANN401 - untyped
    """The areas of one sheet in a single pass over its rows: a look-up would read the file from its start."""
    grids: dict[str, Grid] = {
        name: [[None] * area.cols for _ in range(area.rows)] for name, area in areas.items()
    }
    top, left = min(area.row for area in areas.values()), min(area.col for area in areas.values())
    bottom = max(area.row + area.rows for area in areas.values())
    right = max(area.col + area.cols for area in areas.values())
    for number, cells in enumerate(sheet.iter_rows(top + 1, bottom, left + 1, right), top):
        values = [_value(cell) for cell in cells]
        for name, area in areas.items():
            if area.row <= number < area.row + area.rows:
                grids[name][number - area.row] = values[area.col - left : area.col - left + area.cols]
    return grids


def _value(cell: Any) -> Value:  # noqa: ANN401 - a cell of openpyxl, or its stand-in where the file has none
    """What one cell holds."""
    value = cell.value
    if value is None:
        return "" if cell.data_type in {"str", "inlineStr"} else None  # text of no length is still text
    if cell.data_type == "e":
        return CellError(value)
    if isinstance(value, bool):
        return value
    return float(value) if isinstance(value, int | float) else str(value)


def copy_with(path: Path, edits: Edits, copy: Path) -> Path:
    """Save a copy of a workbook with some cells typed over.

    Args:
        path: a workbook without saved values, as openpyxl drops them.
        edits: (sheet, row, column) → number or text.
        copy: where the copy goes.
    """
    if not edits:
        shutil.copyfile(path, copy)
        return copy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        book: Any = openpyxl.load_workbook(path)
    for (sheet, row, col), value in edits.items():
        cell = book[sheet].cell(row + 1, col + 1)
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"  # a word such as =x is no formula
    book.save(copy)
    return copy
