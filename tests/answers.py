"""Answers to exercises: the data of answers.toml, entered into a workbook."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet.formula import ArrayFormula

from xlsxattn.contract.values import ENGINES

if TYPE_CHECKING:
    from xlsxattn.checker.reading.book import Book

DATA = tomllib.loads(Path(__file__).with_name("answers.toml").read_text("utf-8"))
PLACE = re.compile(r"<(\w+(?::\w+)?)((?: (?:\d|i|j|:))*)>|<#([ij])>", re.ASCII)
CELL = re.compile(r"[A-Z][0-9]")
SCRATCH = "Scratch"


@dataclass(frozen=True)
class Answer:
    """An answer to a range: how it is entered, its formula, and why it is right or wrong."""

    range: str
    entered: str
    formula: str
    why: str
    engines: tuple[str, ...] = ENGINES
    helper: dict[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.range} {self.formula}"


def _answers(table: str, why: str) -> list[Answer]:
    rows = [{("why" if key == why else key): value for key, value in row.items()} for row in DATA[table]]
    return [Answer(**{**row, "engines": tuple(row.get("engines", ENGINES))}) for row in rows]


RIGHT = _answers("right", "why")
MISTAKES = _answers("mistake", "what")


def spelled(book: Book, place: tuple[str, str], formula: str, i: int, j: int, tab: str) -> str:
    """A formula of the data for the answer's cell in row i and column j, from 1.

    `place` has the prefixes of the ranges of the sentence and of the sheet.
    """
    numbers = {"i": i, "j": j}

    def cells(match: re.Match[str]) -> str:
        named, at, number = match[1], (match[2] or "").split(), match[3]
        if number:
            return str(numbers[number])
        if CELL.match(named):
            left, top, right, bottom = range_boundaries(named)
            row, col = i - 1, j - 1 if "j" in at else 0
            return _a1(top + row, left + col, bottom + row, right + col)
        name = next(name for p in place if (name := f"{p}_{named}") in book.names)
        area = book.names[name]
        top, left, bottom, right = 1, 1, area.rows, area.cols
        if at and at[0] != ":":
            top = bottom = numbers.get(at[0]) or int(at[0])
            left, right = (1, area.cols)
        if len(at) > 1:
            left = right = numbers.get(at[1]) or int(at[1])
        if at == [named] or (len(at) == 1 and area.cols == 1):
            left = right = 1
        sheet = "" if area.sheet == tab else "'" + area.sheet.replace("'", "''") + "'!"
        return sheet + _a1(area.row + top, area.col + left, area.row + bottom, area.col + right)

    return PLACE.sub(cells, formula)


def _a1(top: int, left: int, bottom: int, right: int) -> str:
    first, last = f"{get_column_letter(left)}{top}", f"{get_column_letter(right)}{bottom}"
    return first if first == last else f"{first}:{last}"


def enter(book: Book, place: tuple[str, str], answer: Answer) -> None:
    """Enter an answer into the workbook, as a learner would."""
    area = book.names[f"{place[0]}_{answer.range}"]
    ws: Any = book.workbook[area.sheet]
    if answer.helper:
        if SCRATCH not in book.workbook.sheetnames:
            book.workbook.create_sheet(SCRATCH, 0)
        ref = answer.helper["cells"]
        _array(book.workbook[SCRATCH], ref, answer.helper["formula"])
    rows, cols = {"block": (area.rows, area.cols), "rows": (1, area.cols)}.get(answer.entered, (1, 1))
    for i, j in product(range(1, area.rows + 1), range(1, area.cols + 1)):
        ws.cell(area.row + i, area.col + j).value = None
    for i, j in product(range(1, area.rows + 1, rows), range(1, area.cols + 1, cols)):
        top, left = area.row + i, area.col + j
        formula = spelled(book, place, answer.formula, i, j, area.sheet)
        if answer.entered == "cells":
            ws.cell(top, left).value = formula
        else:
            _array(ws, _a1(top, left, top + rows - 1, left + cols - 1), formula)


def _array(ws: Any, ref: str, formula: str) -> None:
    ws[ref.partition(":")[0]].value = ArrayFormula(ref, formula)
