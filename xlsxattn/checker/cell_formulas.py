"""The expected formula of each cell according to the manifest, and comparison of formulas."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile
from operator import eq
from typing import TYPE_CHECKING

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import TokenizerError

from xlsxattn.checker.answer_cells import asked_cells
from xlsxattn.checker.cell_sets import Cover
from xlsxattn.checker.cells import Area, cell_name
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding, shape_text
from xlsxattn.contract.exercise import answered
from xlsxattn.contract.names import BAND, PART, WORD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openpyxl.formula.tokenizer import Token

    from xlsxattn.checker.reading.book import Book, Formula

SINGLE = re.compile(r"\b([A-Z]+\d+):\1\b", re.ASCII)
"""A range of a single cell, such as D97:D97."""
SIDE_BY_SIDE = " | "
NO_PLACE = "?"
"""Appended to a missing name in an expected formula that needs its cells."""
LOGICAL = ("TRUE(", "FALSE(")
SAME = {"VAR.P(": "VARP(", "_XLFN.VAR.P(": "VARP(", "_XLFNGNUMERIC.ISFORMULA(": "_XLFN.ISFORMULA("}
"""Functions that other programs save under another name; Excel has no other prefixed functions here."""
TWO = 2  # a sign and its operand
MAX_SHOWN_LENGTH = 80


def other_formulas(book: Book) -> Iterator[Finding]:
    """Formulas that differ from those of the manifest; the first of each range."""
    asked = Cover(asked_cells(book))
    for name, (entered, _) in book.manifest.formulas.items():
        first: tuple[Area, str, Formula] | None = None
        more, array = 0, entered != "cells"
        for cells, spelled in expected_formulas(book, name):
            at = cells.sheet, cells.row, cells.col
            formula = book.formulas.get(at) if at not in asked else None
            if formula is None or NO_PLACE in spelled or _same(formula, cells, spelled, array=array):
                continue  # constants, other blocks and missing names have their own findings
            more += first is not None
            first = first or (cells, spelled, formula)
        if first:
            live = book.manifest.parse(name).is_live_check
            yield _other(name, *first, array=array, more=more, live=live)


def _other(
    name: str, cells: Area, spelled: str, formula: Formula, *, array: bool, more: int, live: bool
) -> Finding:
    """The finding for a formula that differs.

    It is an error on a live check, whose value cannot reveal it, and if the text is not a valid formula:
    IronCalc may still compute the start of it, and other programs refuse it.
    """
    return Finding(
        Kind.OTHER_FORMULA,
        name,
        cells.address(),
        formula=braced(formula.text, array=formula.array),
        values={"right": braced(spelled, array=array), **_difference(formula, cells, spelled)},
        severity="warning" if is_well_formed(formula.text) and not live else "error",
        more=more,
    )


def expected_formulas(book: Book, name: str) -> Iterator[tuple[Area, str]]:
    """The expected formulas of a range according to the manifest, each with the cells that it fills."""
    entered, text = book.manifest.formulas[name]
    area = book.names.get(name)
    if area is None:
        return
    if entered == "block":
        yield from _beside(book, area, text)
    elif entered == "steps":
        yield from _of_steps(book, name, area, text)
    elif entered in ("rows", "lower rows"):
        for i in range(area.rows):
            cols = min(i + 1, area.cols) if entered == "lower rows" else area.cols
            for cells, formula in _beside(book, Area(area.sheet, area.row + i, area.col, 1, cols), text):
                yield cells, level(book, formula, area.sheet, i, 0)
    else:
        for i in range(area.rows):
            for j in range(area.cols):
                yield Area(area.sheet, area.row + i, area.col + j, 1, 1), level(book, text, area.sheet, i, j)


def _of_steps(book: Book, name: str, area: Area, text: str) -> Iterator[tuple[Area, str]]:
    """One array formula per step of a training; if there are two formulas, the first band has the first."""
    steps, bands = steps_and_bands(book, name)
    texts, rows = text.split(SIDE_BY_SIDE), area.rows // bands
    for k in range(bands):

        def address(match: re.Match[str], k: int = k) -> str:
            named, part = match.groups()
            if named not in book.names:
                return f"{named}{NO_PLACE}"
            a = band_of(book, named, part, steps, k)
            corners = (a.row, a.col), (a.row + a.rows - 1, a.col + a.cols - 1)
            return _quoted(a.sheet, area.sheet) + ":".join(cell_name(*at) for at in corners)

        yield replace(area, row=area.row + k * rows, rows=rows), BAND.sub(address, texts[-1 if k else 0])


def steps_and_bands(book: Book, name: str) -> tuple[int, int]:
    """How many steps the training of a range has, and into how many bands of rows the range is divided."""
    at, area = book.manifest.parse(name), book.names[name]
    setting = next((s.settings.get("steps") for s in book.manifest.sheets if s.id == at.sheet), None)
    steps = setting if isinstance(setting, int) and 0 < setting < area.rows + 1 else 1
    return steps, at.bands(steps)


def band_of(book: Book, name: str, part: str, steps: int, k: int) -> Area:
    """The cells that ``NAME[step]``, ``NAME[before]`` or ``NAME[all]`` means in band k, from 0."""
    area = book.names[name]
    if part == "all":
        return area
    height = area.rows // book.manifest.parse(name).bands(steps)
    return replace(area, row=area.row + height * (k - (part == "before")), rows=height)


def _beside(book: Book, area: Area, text: str) -> Iterator[tuple[Area, str]]:
    """Array formulas side by side, each as wide as the first range it names; usually there is one.

    In an exercise, cells that show whether an answer is complete do not count.
    """
    texts = text.split(SIDE_BY_SIDE)
    asked = book.manifest.exercise
    skipped = {*map(answered, asked.answers if asked else ())}
    col = area.col
    for formula in texts:
        named = (name for name in WORD.findall(formula) if name not in skipped)
        source = next((book.names[name] for name in named if name in book.names), None)
        cols = area.cols if len(texts) == 1 or source is None else source.cols
        yield Area(area.sheet, area.row, col, area.rows, cols), formula
        col += cols


def level(book: Book, text: str, sheet: str, i: int, j: int) -> str:
    """Replace ``NAME[row]`` and the like by addresses, for the cell in row i and column j of its range.

    The addresses come from the names in the file, so that inserted rows and renamed sheets are handled.
    """

    def address(match: re.Match[str]) -> str:
        name, part = match.groups()
        if name not in book.names:
            return f"{name}{NO_PLACE}"
        if part == "above" and i == 0:
            return '""'
        a = book.names[name]
        return _quoted(a.sheet, sheet) + ":".join(cell_name(*at) for at in _corners(a, part, i, j))

    return PART.sub(address, text)


def _quoted(tab: str, own: str) -> str:
    """The sheet prefix of a reference; "" on the same sheet."""
    return "" if tab == own else "'" + tab.replace("'", "''") + "'!"


def _corners(a: Area, part: str, i: int, j: int) -> list[tuple[int, int]]:
    """The only cell, or the first and last cell, of a part of a range."""
    row, col, last = a.row + i, a.col, a.col + a.cols - 1
    return {
        "row": [(row, col), (row, last)],
        "first": [(row, col)],
        "cell": [(row, col + j)],
        "above": [(row - 1, col + j)],
        "col": [(a.row, col + j)],
        "..row": [(a.row, col), (row, col)],
        "..rows": [(a.row, col), (row, last)],
        "..cell": [(row, col), (row, col + j)],
        "..diagonal": [(row, col), (row, col + i)],
        "across": [(a.row + j, col), (a.row + j, last)],
        "down": [(a.row, col + i), (a.row + a.rows - 1, col + i)],
        "column": [(a.row, col + j), (a.row + a.rows - 1, col + j)],
    }.get(part) or [(a.row + int(part) - 1, col)]


def part_of(area: Area, part: str, i: int, j: int) -> Area:
    """The cells that ``NAME[part]`` means in the formula of the cell i rows and j columns into its range."""
    corners = _corners(area, part, i, j)
    (top, left), (bottom, right) = corners[0], corners[-1]
    return Area(area.sheet, top, left, bottom - top + 1, right - left + 1)


def formula_differs(book: Book, name: str, i: int, j: int) -> str | None:
    """The formula of a cell if it is not the expected one, "" for none; None if it is right."""
    area, array = book.names[name], book.manifest.formulas[name][0] != "cells"
    at = area.sheet, area.row + i, area.col + j
    for cells, spelled in expected_formulas(book, name):
        if cells.holds(at):
            found = book.formulas.get((cells.sheet, cells.row, cells.col))
            if found is not None and (NO_PLACE in spelled or _same(found, cells, spelled, array=array)):
                return None
            return book.formula_at(*at)
    return None  # right of the diagonal, where cells are blank


def _same(formula: Formula, cells: Area, spelled: str, *, array: bool) -> bool:
    if formula.area != cells or (array and not formula.array):
        return False
    same = formula.text == spelled or _plain(formula.text) == _plain(spelled)
    return same or tokens(formula.text) == tokens(spelled)


def _plain(formula: str) -> str:
    """A formula without $, and with D97 for D97:D97, unless it has texts or sheets with a $ in their names.

    This is enough to recognize formulas that no other program has saved, and saves time.
    """
    if '"' in formula or any("$" in sheet for sheet in formula.split("'")[1::2]):
        return formula
    return SINGLE.sub(r"\1", formula.replace("$", ""))


def _difference(formula: Formula, cells: Area, spelled: str) -> dict[str, str]:
    """How a formula differs from the expected one, as values for the message.

    They are empty if it is only not entered as an array formula.
    """
    expected, actual = tokens(spelled), tokens(formula.text)
    if not actual:
        return {"broken": shortened(formula.text)}
    if expected != actual:
        return differing_part(expected, actual)
    if formula.area != cells:
        here = formula.area
        return {"cells": shape_text(cells.rows, cells.cols), "filled": shape_text(here.rows, here.cols)}
    return {}


def differing_part(right: Sequence[str], other: Sequence[str]) -> dict[str, str]:
    """The part in which two tokenized formulas differ: the expected text, and the actual one."""
    first = _common(right, other)
    tail = _common(right[first:][::-1], other[first:][::-1])
    part, there = ("".join(t[first : len(t) - tail]) for t in (right, other))
    return {key: shortened(text) for key, text in (("there", there), ("part", part)) if text}


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """The number of leading tokens that two formulas have in common."""
    return sum(takewhile(bool, map(eq, one, other)))


def shortened(text: str) -> str:
    """A text shortened for display in a message."""
    return text if len(text) <= MAX_SHOWN_LENGTH else f"{text[:MAX_SHOWN_LENGTH]}..."


def is_well_formed(formula: str) -> bool:
    """Whether a text is a formula: operands and operators alternate, and all brackets are closed."""
    try:
        parsed = [token for token in Tokenizer(formula).items if token.type != "WHITE-SPACE"]
    except (TokenizerError, IndexError):
        return False
    opened: list[str] = []
    before = ""  # what the last token was: an operand, an operator, or the start of an argument
    for token in parsed:
        kind, subtype = token.type, token.subtype
        follows = before == "operand"
        if kind == "SEP":
            right = bool(opened) and (follows or before == "start")
            before = "start"
        elif subtype == "CLOSE":
            right = bool(opened) and (follows or (before == "start" and opened[-1] == "FUNC"))
            opened, before = opened[:-1], "operand"
        elif kind in ("OPERATOR-INFIX", "OPERATOR-POSTFIX"):
            right, before = follows, "operand" if kind == "OPERATOR-POSTFIX" else "operator"
        else:
            right = not follows
            if subtype == "OPEN":
                opened.append(kind)
            before = "start" if subtype == "OPEN" else "operand" if kind == "OPERAND" else "operator"
        if not right:
            return False
    return before == "operand" and not opened


@lru_cache(maxsize=4096)
def tokens(formula: str) -> tuple[str, ...]:
    """The normalized tokens of a formula: programs differ in spaces, case, $, quotes and digits.

    LibreOffice also writes TRUE() for TRUE, and Gnumeric -(-x) for --x and VAR.P for VARP. The result is
    empty if the text is not a valid formula.
    """
    text = formula.strip().removeprefix("{").removesuffix("}")
    result: list[str] = []
    opened: list[int] = []
    operands = [0]  # number of operands so far at the top level, and in each open group
    try:
        parsed = Tokenizer(text if text.startswith("=") else f"={text}").items
    except (TokenizerError, IndexError):
        return ()
    for token in parsed:
        if token.type == "WHITE-SPACE":
            continue
        value = _value(token)
        if token.subtype == "OPEN":
            opened.append(len(result))
            operands.append(0)
        elif token.subtype == "CLOSE":
            first, within = opened.pop(), operands.pop()
            if result[first] in LOGICAL and not within:
                value = result.pop().removesuffix("(")
            elif within == TWO and result[first - 1 : first + 2] == ["-", "(", "-"]:
                del result[first]
                operands[-1] += TWO
                continue
        result.append(value)
        operands[-1] += token.subtype != "OPEN"
    return tuple(result)


def _value(token: Token) -> str:
    """A token in normalized spelling."""
    value = str(token.value)
    if token.subtype == "NUMBER":
        return repr(float(value))
    if token.subtype == "RANGE":
        return _reference(value)
    if token.type == "FUNC":
        value = value.upper()
    return SAME.get(value, value)


def _reference(text: str) -> str:
    sheet, bang, cells = text.rpartition("!")
    sheet = sheet.removeprefix("$").strip("'").replace("''", "'")
    corners = cells.replace("$", "").split(":")
    cells = corners[0] if len(set(corners)) == 1 else ":".join(corners)
    return f"{sheet}{bang}{cells}"


def braced(text: str, *, array: bool) -> str:
    """A formula as programs display it: an array formula in braces."""
    return f"{{{text}}}" if array else text


def expected_values(book: Book, name: str, cells: Area, spelled: str) -> dict[str, object]:
    """The expected formula of some cells as values for a message; for several cells, also the cells."""
    others = (book.formulas.get(at) for at in book.names[name].cells())
    array = book.manifest.formulas[name][0] != "cells"  # otherwise as the other formulas of the range
    formula = braced(spelled, array=array or next((f.array for f in others if f), False))
    return {"right": formula} if cells.rows * cells.cols == 1 else {"right": formula, "cells": span(cells)}


def has_expected_formula(book: Book, name: str) -> bool:
    """Whether the first formula of a range is the one of the manifest."""
    array = book.manifest.formulas[name][0] != "cells"
    for cells, spelled in expected_formulas(book, name):
        formula = book.formulas.get((cells.sheet, cells.row, cells.col))
        return formula is not None and _same(formula, cells, spelled, array=array)
    return False


def span(area: Area) -> str:
    """The cells of an area in A1 notation, without the sheet: ``C20:G24``."""
    first, last = area.address(), area.address(area.rows - 1, area.cols - 1)
    corner = first.rpartition("!")[2]
    return corner if first == last else f"{corner}:{last.rpartition('!')[2]}"
