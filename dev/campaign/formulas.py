"""Finds the ranges that a formula reads, and replaces them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.checker.cells import Area

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from xlsxattn.checker.reading.book import Book

_SHEET = r"(?:(?P<sheet>'(?:[^']|'')+'|\w+)!)?"
_TOKEN = re.compile(
    rf'"(?:[^"]|"")*"|{_SHEET}\$?(?P<left>[A-Z]{{1,3}})\$?(?P<top>\d+)'
    r"(?::\$?(?P<right>[A-Z]{1,3})\$?(?P<bottom>\d+))?(?![\w(])|(?P<name>[A-Za-z_]\w*)(?![\w(!])",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Operand:
    """A range that a formula reads: its position in the text, its cells, its name ("" for an address)."""

    start: int
    end: int
    text: str
    area: Area
    name: str


def operands(book: Book, formula: str, tab: str) -> list[Operand]:
    """The ranges that a formula on a tab reads, in the order of the text."""
    found = []
    for match in _TOKEN.finditer(formula):
        if match["name"]:
            if match["name"] in book.names:
                name = match["name"]
                found.append(Operand(*match.span(), name, book.names[name], name))
        elif match["left"]:
            sheet = (match["sheet"] or tab).strip("'").replace("''", "'")
            row, col = int(match["top"]) - 1, _number(match["left"])
            rows = int(match["bottom"] or match["top"]) - row
            cols = _number(match["right"] or match["left"]) - col + 1
            found.append(Operand(*match.span(), match[0], Area(sheet, row, col, rows, cols), ""))
    return found


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def put(formula: str, chosen: Iterable[Operand], change: str | Callable[[Operand], str]) -> str:
    """Replace operands of a formula by a text, or by the result of a function."""
    for op in sorted(chosen, key=lambda op: op.start, reverse=True):
        formula = (
            formula[: op.start] + (change if isinstance(change, str) else change(op)) + formula[op.end :]
        )
    return formula


def address(area: Area, tab: str) -> str:
    """The address of an area in a formula on a tab."""
    sheet = "" if area.sheet == tab else "'" + area.sheet.replace("'", "''") + "'!"
    last = replace(area, row=area.row + area.rows - 1, col=area.col + area.cols - 1)
    corners = [a.address().removeprefix(f"{a.sheet}!") for a in (area, last)]
    return sheet + ":".join(dict.fromkeys(corners))


def moved(area: Area, rows: int = 0, cols: int = 0) -> Area:
    """The area moved down and to the right."""
    return replace(area, row=area.row + rows, col=area.col + cols)


def inside(area: Area, outer: Area) -> bool:
    """Whether an area is inside another."""
    return (
        area.sheet == outer.sheet
        and outer.row <= area.row
        and outer.col <= area.col
        and area.row + area.rows <= outer.row + outer.rows
        and area.col + area.cols <= outer.col + outer.cols
    )


def closing(formula: str, opening: int) -> int:
    """The position of the matching closing parenthesis."""
    depth, quoted = 0, False
    for i in range(opening, len(formula)):
        if formula[i] == '"':
            quoted = not quoted
        elif not quoted and formula[i] in "()":
            depth += 1 if formula[i] == "(" else -1
            if depth == 0:
                return i
    raise ValueError(f"a parenthesis is not closed in {formula}")


def calls(formula: str, function: str) -> list[tuple[int, int, int]]:
    """Every call of a function: the positions of its start, its opening and its closing parenthesis."""
    found = re.finditer(rf"(?<!\w){function}\(", formula)
    return [(match.start(), match.end() - 1, closing(formula, match.end() - 1)) for match in found]


def within(op: Operand, formula: str, function: str) -> bool:
    """Whether an operand is inside a call of a function."""
    return any(start < op.start < end for start, _, end in calls(formula, function))
