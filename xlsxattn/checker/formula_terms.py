"""The formula of one cell in numbers: the cells that it reads, the terms of a sum. It is not evaluated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from xlsxattn.checker.cell_formulas import SIDE_BY_SIDE, band_of, part_of, span, steps_and_bands
from xlsxattn.checker.cells import Area, is_nan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from xlsxattn.checker.cells import Value, Values
    from xlsxattn.checker.reading.book import Book

REF = r"[A-Za-z_]\w*(?:\[[^\]]*\])?"
SIZES = "COLUMNS(", "ROWS("
TEXTS_AND_NAMES = re.compile(r'"[^"]*"|(\bCOLUMNS\(|\bROWS\(|\bTRANSPOSE\()?([A-Za-z_]\w*)(?:\[([^\]]*)\])?')
"""A text, or a name with the function before it that determines which of its cells is read."""


def _operand(key: str) -> str:
    return rf"(?P<{key}_turned>TRANSPOSE\()?(?:0\+)?(?P<{key}>{REF})(?({key}_turned)\))"


PRODUCT = re.compile(rf"=MMULT\({_operand('left')},{_operand('right')}\)(?:\+(?P<bias>{REF}))?")
PICKED = re.compile(rf"=MMULT\(TRANSPOSE\(--\(({REF})=({REF})\)\),({REF})\)")
"""A formula that selects the row of a range for which two other ranges are equal."""
TOTAL, PAIR = re.compile(rf"=SUM\(({REF})\)"), re.compile(rf"=({REF})([+*])({REF})")
NAME, PART = re.compile(r"[A-Za-z_]\w*"), re.compile(r"\[[^\]]*\]")
FUNCTIONS = {"MMULT", "TRANSPOSE", "SUM"}
MAX_VALUES, MAX_SHOWN = 64, 6
"""Maximum number of values kept of a range that is read as a whole, and shown of it in a formula."""
MAX_TEXT = 400
"""Maximum length of a formula with values instead of names."""


class Read(NamedTuple):
    """Cells that a formula reads: ``attn_cat_X[3,:]``, their address, their first values, their number."""

    cells: str
    address: str
    values: tuple[Value, ...]
    size: int


class CellFormula:
    """The formula of one cell: what it reads there, and its terms. It is not evaluated."""

    def __init__(self, book: Book, values: Values, name: str, i: int, j: int) -> None:
        self.book, self.names, self.values = book, book.names, values
        self.entered, self.text = book.manifest.formulas[name]
        self.i, self.j, area = i, j, book.names[name]
        self.array = self.entered in ("block", "rows", "lower rows", "steps")
        self.steps, self.band = 1, 0
        # the row in the array formula that fills the cell, and how many rows that has
        self.row, self.rows = (i, area.rows) if self.entered == "block" else (0, 1)
        texts = self.text.split(SIDE_BY_SIDE)
        if self.entered == "steps":
            self.steps, bands = steps_and_bands(book, name)
            self.rows = area.rows // bands
            self.band, self.row = divmod(i, self.rows)
            self.text = texts[-1 if self.band else 0]
        elif len(texts) > 1:
            self._take_beside(texts, area.cols)

    def _take_beside(self, texts: Sequence[str], cols: int) -> None:
        """Select, of formulas side by side, each as wide as the range it names, the one of the cell."""
        for text in texts:
            names = (name for name in re.findall(r"\w+", text) if name in self.names)
            width = next((self.names[name].cols for name in names), cols)
            self.text = text
            if self.j < width:
                return
            self.j -= width

    def terms(self) -> tuple[tuple[float, ...], ...]:
        """The factors of each term of a matrix product, a row's sum, a sum or a product of two ranges."""
        terms: list[tuple[Value, ...]] = []
        if product := self._form(PRODUCT):
            left, right = (self._of(area) for area in self._factors(product))
            terms = [*zip(left, right, strict=False)]
            if product["bias"]:
                terms.append(self._of(self._cell(product["bias"])))
        elif picked := self._form(PICKED):
            where, wanted, column = (self._of(area) for area in self._picked(picked))
            terms = [(float(one == wanted[0]), value) for one, value in zip(where, column, strict=False)]
        elif total := self._form(TOTAL):
            terms = [(value,) for value in self._of(self._area(total[1]))]
        elif pair := self._form(PAIR):
            one, other = self._of(self._cell(pair[1])), self._of(self._cell(pair[3]))
            terms = [one, other] if pair[2] == "+" else [one + other]
        numbers = [tuple(0.0 if value is None else value for value in term) for term in terms]
        if any(isinstance(value, str | bool) for term in numbers for value in term):
            return ()
        return tuple(numbers)  # type: ignore[arg-type]

    def _form(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """The parts of the formula if it has this form and all its names refer to cells."""
        names = {*NAME.findall(PART.sub("", self.text))} - FUNCTIONS
        return pattern.fullmatch(self.text) if names <= self.names.keys() else None

    def reads(self) -> tuple[Read, ...]:
        """The cells that the formula reads, each once."""
        if product := self._form(PRODUCT):
            areas = self._factors(product)
            areas += [self._cell(product["bias"])] if product["bias"] else []
        elif picked := self._form(PICKED):
            areas = self._picked(picked)
        else:
            areas = [area for match, area in self._named() if match[1] not in SIZES]
        return tuple(self._read(*area) for area in dict.fromkeys(areas))

    def in_numbers(self) -> str:
        """The formula with values instead of names; "" for matrix products, which would be unreadable."""
        if "MMULT(" in self.text:
            return ""
        result, end = "", 0
        for match, (name, area) in self._named():
            before, shown = match[1] or "", self._shown(name, area)
            if before in SIZES:
                shown = str(area.cols if before == "COLUMNS(" else area.rows)
            closed = before and (before in SIZES or self.array) and self.text[match.end()] == ")"
            result += self.text[end : match.start()] + (shown if closed else before + shown)
            end = match.end() + (1 if closed else 0)
        text = result + self.text[end:]
        return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."

    def _named(self) -> Iterator[tuple[re.Match[str], tuple[str, Area]]]:
        """The references of the formula, and the cells of each."""
        for match in TEXTS_AND_NAMES.finditer(self.text):
            name, part = match[2], match[3]
            if name not in self.names or (part == "above" and self.i == 0):
                continue
            reference = f"{name}[{part}]" if part else name
            if match[1] in SIZES:
                yield match, self._area(reference)
            else:
                yield match, self._cell(reference, turned=match[1] == "TRANSPOSE(")

    def _area(self, reference: str) -> tuple[str, Area]:
        """The cells of a name, or the part of it that is level with the cell."""
        name, _, part = reference.removesuffix("]").partition("[")
        if self.entered == "steps":
            return name, band_of(self.book, name, part or "all", self.steps, self.band)
        area = self.names[name]
        return name, part_of(area, part, self.i, 0 if self.array else self.j) if part else area

    def _cell(self, reference: str, *, turned: bool = False) -> tuple[str, Area]:
        """The cell of a name that an array formula uses for its cell; otherwise all cells of the name."""
        name, area = self._area(reference)
        if not self.array:
            return name, area
        if "MMULT(" in self.text and not self._form(PRODUCT):
            level = area.rows == self.rows and not turned
            return name, _line(area, self.row, turned=False) if level else area
        row, col = (self.j, self.row) if turned else (self.row, self.j)
        row, col = 0 if area.rows == 1 else row, 0 if area.cols == 1 else col
        if row >= area.rows or col >= area.cols:
            return name, area
        return name, Area(area.sheet, area.row + row, area.col + col, 1, 1)

    def _factors(self, product: re.Match[str]) -> list[tuple[str, Area]]:
        """The row and the column whose product is the cell."""
        (left, a), (right, b) = self._area(product["left"]), self._area(product["right"])
        row = _line(a, self.row, turned=bool(product["left_turned"]))
        return [(left, row), (right, _line(b, self.j, turned=not product["right_turned"]))]

    def _picked(self, picked: re.Match[str]) -> list[tuple[str, Area]]:
        """Two ranges that are compared, and the column from which a row is selected."""
        where, wanted, (name, area) = map(self._area, picked.groups())
        return [where, wanted, (name, _line(area, self.j, turned=True))]

    def _of(self, named: tuple[str, Area], most: int | None = None) -> tuple[Value, ...]:
        """The values of some cells of a range, row by row."""
        name, area = named
        base, grid = self.names[name], self.values[name]
        top, left = area.row - base.row, area.col - base.col
        rows = grid[top : top + area.rows] if most is None else grid[top : top + min(area.rows, most)]
        wide = area.cols if most is None else min(area.cols, most)
        cells = [row[left : left + wide] for row in rows]
        return tuple(None if is_nan(value) else _plain(value) for row in cells for value in row)[:most]

    def _read(self, name: str, area: Area) -> Read:
        base, count = self.names[name], area.rows * area.cols
        values = self._of((name, area), None if 1 in (area.rows, area.cols) else MAX_VALUES)
        return Read(name + _within(base, area), f"{area.sheet}!{span(area)}", values, count)

    def _shown(self, name: str, area: Area) -> str:
        texts = [in_formula(value) for value in self._of((name, area), MAX_SHOWN)]
        count = area.rows * area.cols
        return texts[0] if count == 1 else "{" + ",".join(texts) + (",…}" if count > len(texts) else "}")


def _plain(value: Value | np.floating[Any]) -> Value:
    return value if value is None or isinstance(value, str | bool) else float(value)


def in_formula(value: Value) -> str:
    """A value in a formula: six digits, texts in quotes, negative numbers in parentheses."""
    if value is None:
        return '""'
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return f'"{value}"'
    return f"({value:.6g})" if value < 0 else f"{value:.6g}"


def _line(area: Area, n: int, *, turned: bool) -> Area:
    """A row of an area, or a column."""
    if turned:
        return Area(area.sheet, area.row, area.col + min(n, area.cols - 1), area.rows, 1)
    return Area(area.sheet, area.row + min(n, area.rows - 1), area.col, 1, area.cols)


def _within(base: Area, area: Area) -> str:
    """The cells of an area within a range: ``[3,1]``, ``[3,:]``, ``[1:3,:]``; "" for all."""
    if area == base:
        return ""

    def places(first: int, count: int, of: int) -> str:
        if count == of > 1:
            return ":"
        return str(first + 1) if count == 1 else f"{first + 1}:{first + count}"

    rows = places(area.row - base.row, area.rows, base.rows)
    return f"[{rows},{places(area.col - base.col, area.cols, base.cols)}]"
