"""Reads saved values of areas from a workbook, and writes edited copies."""

from __future__ import annotations

import shutil
import warnings
from typing import TYPE_CHECKING, Any

import openpyxl

from xlsxattn.checker.reading.archive import GuardedArchive
from xlsxattn.checker.reading.opening import CellsOnly
from xlsxattn.checker.reading.sheets import RowParser, value_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from xlsxattn.checker.cells import Area, Edits, Grid, Value


def saved_values(path: Path, areas: Mapping[str, Area]) -> dict[str, Grid]:
    """The saved values of a workbook; dates and times are their underlying numbers.

    Args:
        path: the workbook.
        areas: the areas to read, by arbitrary names.

    Raises:
        KeyError: there is no such sheet.
        Exception: any error of openpyxl, zipfile or the XML parser on a broken file.
    """
    with warnings.catch_warnings(), GuardedArchive(path) as archive:
        warnings.simplefilter("ignore", UserWarning)  # about styles and extensions, which do not matter here
        reader = CellsOnly(archive, parse=False)
        reader.read()
        grids: dict[str, list[list[Value]]] = {}
        for sheet in {area.sheet for area in areas.values()}:
            here = {name: area for name, area in areas.items() if area.sheet == sheet}
            with archive.open(reader.targets[sheet]) as source:
                # without date formats, as converting a date back to a number would lose digits
                parser = RowParser(source, reader.shared_strings, data_only=True)
                grids |= _one_pass(parser.parse(), here)
            archive.runs(reader.targets[sheet]).fill({name: grids[name] for name in here}, here)
    return {name: grids[name] for name in areas}


def part_of(path: Path, tab: str) -> str:
    """The part of a workbook's archive that contains a sheet.

    Raises:
        KeyError: there is no such sheet.
    """
    with warnings.catch_warnings(), GuardedArchive(path) as archive:
        warnings.simplefilter("ignore", UserWarning)
        reader = CellsOnly(archive, parse=False)
        reader.read()
    return reader.targets[tab]


def _one_pass(
    rows: Iterable[tuple[int, list[dict[str, Any]]]], areas: Mapping[str, Area]
) -> dict[str, list[list[Value]]]:
    """Read the areas of a sheet in a single pass over its rows."""
    grids: dict[str, list[list[Value]]] = {
        name: [[None] * area.cols for _ in range(area.rows)] for name, area in areas.items()
    }
    lines: dict[int, list[tuple[list[Value], int]]] = {}
    for name, area in areas.items():
        for i, line in enumerate(grids[name], area.row + 1):
            lines.setdefault(i, []).append((line, area.col + 1))
    for _, cells in rows:
        values: dict[int, dict[int, Value]] = {}  # cells may claim another row than their own
        for cell in cells:
            if cell["row"] in lines:
                values.setdefault(cell["row"], {})[cell["column"]] = value_of(cell)
        for number, by_column in values.items():
            for line, left in lines[number]:
                line[:] = [by_column.get(col, old) for col, old in enumerate(line, left)]
    return grids


def copy_with(path: Path, edits: Edits, copy: Path) -> Path:
    """Save a copy of a workbook with some cells edited.

    Args:
        path: a workbook without saved values, which openpyxl would drop.
        edits: (sheet, row, column) → number or text, "" for a blank cell.
        copy: the path of the copy.
    """
    if not edits:
        shutil.copyfile(path, copy)
        return copy
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        book: Any = openpyxl.load_workbook(path)
    for (sheet, row, col), value in edits.items():
        cell = book[sheet].cell(row + 1, col + 1)
        cell.value = None if value == "" else value
        if isinstance(value, str) and value:
            cell.data_type = "s"  # a word such as =x is not a formula
    book.save(copy)
    return copy
