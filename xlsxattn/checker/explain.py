"""One cell of a range in numbers: what its formula reads, the terms, what engines and NumPy have."""

from __future__ import annotations

import math
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from xlsxattn.checker import engines, structure
from xlsxattn.checker.cell_formulas import SIDE_BY_SIDE, braced, formula_differs, part_of, span
from xlsxattn.checker.cells import Area, listed
from xlsxattn.checker.check import reference
from xlsxattn.checker.compare import SAVED, decidable, distance, must_be_blank, tolerance
from xlsxattn.checker.formula_table import held_against
from xlsxattn.checker.reading.book import NotCheckableError, read, saved
from xlsxattn.checker.reading.limits import guarded
from xlsxattn.checker.recalculate import recalculate
from xlsxattn.checker.reference import ShapesDisagree
from xlsxattn.checker.reference.choices import own
from xlsxattn.contract.values import MASK_VALUE
from xlsxattn.language import say
from xlsxattn.suggestions import with_near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.cells import Grid, Value
    from xlsxattn.checker.formula_table import Rebuild
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import Expected

    Values = Mapping[str, Grid]

ASKED = re.compile(r"(\w+)(?:\[ *(\d{1,7}) *, *(\d{1,7}) *\])?")
REF = r"[A-Za-z_]\w*(?:\[[^\]]*\])?"
SIZES = "COLUMNS(", "ROWS("
TEXTS_AND_NAMES = re.compile(r'"[^"]*"|(\bCOLUMNS\(|\bROWS\(|\bTRANSPOSE\()?([A-Za-z_]\w*)(?:\[([^\]]*)\])?')
"""A text, or a name with the function right before it that decides which of its cells is meant."""


def _operand(key: str) -> str:
    return rf"(?P<{key}_turned>TRANSPOSE\()?(?:0\+)?(?P<{key}>{REF})(?({key}_turned)\))"


PRODUCT = re.compile(rf"=MMULT\({_operand('left')},{_operand('right')}\)(?:\+(?P<bias>{REF}))?")
TOTAL, PAIR = re.compile(rf"=SUM\(({REF})\)"), re.compile(rf"=({REF})([+*])({REF})")
MAX_VALUES, MAX_SHOWN = 64, 6
"""Values that are kept of a range that is read whole, and values of it in a formula."""
MAX_TEXT = 400
"""Characters of a formula with numbers in it."""


class Read(NamedTuple):
    """Cells that a formula reads: ``attn_cat_X[3,:]``, their address, their first values, their number."""

    cells: str
    address: str
    values: tuple[Value, ...]
    size: int


class Computed(NamedTuple):
    """What one engine has for the cell; ``error`` is infinite where it cannot be compared with NumPy's value.

    The verdict is ``ok``, ``differs``, ``not decidable``, or "" where nothing is computed.
    """

    engine: str
    value: Value
    error: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One cell in numbers.

    Attributes:
        path: the workbook.
        range: the range's name.
        row: the cell's row in the range, from 1.
        column: its column in the range, from 1.
        cell: its address, ``Sheet!B7``.
        formula: the formula that belongs there, in names; "" for a typed cell.
        in_file: what stands there instead: another formula, "" for none; None where the formula is right.
        reads: the cells that the formula reads.
        terms: where the formula is a sum or a product: the factors of each term, else nothing.
        numbers: where it is another one: the formula with values in the place of names, if that can be.
        expected: NumPy's value; None for a blank cell, and where nothing is computed.
        allowed: how far from it an engine's value may be.
        engines: what each engine has.
    """

    path: str
    range: str
    row: int
    column: int
    cell: str
    formula: str
    in_file: str | None
    reads: tuple[Read, ...]
    terms: tuple[tuple[float, ...], ...]
    numbers: str
    expected: Value
    allowed: float
    engines: tuple[Computed, ...]

    @property
    def sum(self) -> float | None:
        """The sum of the terms; None where there are none."""
        return math.fsum(map(math.prod, self.terms)) if self.terms else None

    @property
    def holds(self) -> bool:
        """Whether no engine's value differs, and no other formula stands there."""
        return self.in_file is None and all(one.verdict != "differs" for one in self.engines)

    def __repr__(self) -> str:
        return f"<Explanation {self.range}[{self.row},{self.column}] of {self.path}>"

    def __str__(self) -> str:
        from xlsxattn.checker.explain_formats import as_text  # noqa: PLC0415 - it formats what is defined here

        return as_text(self)


def explain(
    path: str | Path, cell: str, engine: str = engines.DEFAULT_ENGINE, *, rebuild: Rebuild | None = None
) -> Explanation:
    """One cell of a range in numbers, with the inputs as they are saved.

    Args:
        path: the workbook.
        cell: a range's name, or a cell of it, ``attn_cat_Scores[3,1]``. Of a range the cell that is furthest
            from NumPy's value, or the first of largest magnitude where all hold.
        engine: whose values are compared.
        rebuild: makes the table of formulas that a workbook should hold; None: the manifest's is trusted.

    Raises:
        NotCheckableError: the file cannot be checked, or has no such range or cell.
        engines.EngineMissing: the engine is not installed.
        engines.EngineFailed: the engine could not recalculate the file.
    """
    with guarded(path):
        book = read(Path(path))
        table = rebuild(book) if rebuild else None
        book = held_against(book, table)[0] if table else book
        name, place = _asked(book, cell)
        found = _evaluated(book, engine)
        values = next(iter(found.values()))
        wanted = _reference(book, values).get(name)
        i, j = place or _most_telling(wanted, {one: listed(grids[name]) for one, grids in found.items()})
        return _explained(book, name, i, j, found, wanted)


def _asked(book: Book, cell: str) -> tuple[str, tuple[int, int] | None]:
    """The range and, if one was named, the row and column in it, from 0."""
    match = ASKED.fullmatch(cell.strip())
    if match is None:
        sentence = "{path}: found {cell!r}, a range is needed, or one of its cells: RANGE[row,column], from 1"
        raise NotCheckableError(say(sentence, path=book.path, cell=cell))
    name = match[1]
    if name not in book.names:
        said = say("{path}: there is no range {name!r}", path=book.path, name=name)
        raise NotCheckableError(with_near(said, name, book.names))
    if match[2] is None:
        return name, None
    area, row, col = book.names[name], int(match[2]), int(match[3])
    if not (1 <= row <= area.rows and 1 <= col <= area.cols):
        sentence = "{path}: {name} has the cells [1,1] to [{rows},{cols}], there is no [{row},{col}]"
        size = {"rows": area.rows, "cols": area.cols}
        raise NotCheckableError(say(sentence, path=book.path, name=name, row=row, col=col, **size))
    return name, (row - 1, col - 1)


def _evaluated(book: Book, engine: str) -> dict[str, Values]:
    """What each engine has for all ranges."""
    if engine == SAVED:
        return {SAVED: saved(book)}
    chosen = engines.ENGINES if engine == "all" else (engine,)
    with closing(recalculate(book, chosen)) as evaluated:
        return {name: next(answers) for name, answers in evaluated}


def _reference(book: Book, values: Values) -> Mapping[str, Expected]:
    """What NumPy expects of every range.

    Raises:
        NotCheckableError: the inputs cannot be taken; the text says which.
    """
    finding = next(structure.unreadable_inputs(book, values), None)
    try:
        if finding is None:
            return reference(book, values)
    except ShapesDisagree as error:
        finding = error.finding
    said = say("{cell}: {said}", cell=finding.cell, said=finding.message) if finding.cell else finding.message
    raise NotCheckableError(say("{path}: {said}", path=book.path, said=said))


def _most_telling(wanted: Expected | None, grids: Mapping[str, list[list[Value]]]) -> tuple[int, int]:
    """The cell that is furthest from what it should hold, or the first of largest magnitude."""
    worst, largest = (0.0, 0, 0), (-1.0, 0, 0)
    for engine, grid in grids.items():
        for i, row in enumerate(grid):
            for j, value in enumerate(row):
                computed = _computed(engine, value, wanted, i, j)
                if computed.verdict == "differs" and computed.error > worst[0]:
                    worst = computed.error, i, j
                if isinstance(value, float) and value != MASK_VALUE and abs(value) > largest[0]:
                    largest = abs(value), i, j
    _, i, j = worst if worst[0] else largest
    return i, j


def _computed(engine: str, value: Value, wanted: Expected | None, i: int, j: int) -> Computed:
    """An engine's value of a cell, held against NumPy's."""
    if wanted is None or i >= wanted.values.shape[0] or j >= wanted.values.shape[1]:
        return Computed(engine, value, 0.0, "")
    error = distance(value, wanted.values[i, j], wanted.kind)
    if not decidable(wanted, engine):
        return Computed(engine, value, error, "not decidable")
    good = error <= tolerance(wanted, engine) or (value is None and wanted.blank_ok)
    return Computed(engine, value, error, "ok" if good else "differs")


def _explained(
    book: Book, name: str, i: int, j: int, found: Mapping[str, Values], wanted: Expected | None
) -> Explanation:
    first = next(iter(found))
    computed = tuple(
        _computed(engine, listed(values[name])[i][j], wanted, i, j) for engine, values in found.items()
    )
    right = None if wanted is None or not computed[0].verdict else wanted.values[i, j]
    formula = _Formula(book, found[first], name, i, j) if name in book.manifest.formulas else None
    filled = None if must_be_blank(right) else formula  # right of the diagonal nothing is computed
    terms = filled.terms() if filled else ()
    return Explanation(
        path=str(book.path),
        range=name,
        row=i + 1,
        column=j + 1,
        cell=book.names[name].address(i, j),
        formula=braced(formula.text, array=formula.entered != "cells") if formula else "",
        in_file=formula_differs(book, name, i, j) if formula else None,
        reads=filled.reads() if filled else (),
        terms=terms,
        numbers=filled.in_numbers() if filled and not terms else "",
        expected=None if right is None or must_be_blank(right) else _value(own(right)),
        allowed=tolerance(wanted, first) if wanted else 0.0,
        engines=computed,
    )


def _value(right: object) -> Value:
    return right if isinstance(right, str) else float(right)  # type: ignore[arg-type]


class _Formula:
    """The formula of one cell: what it reads there, and its terms. It is not evaluated."""

    def __init__(self, book: Book, values: Values, name: str, i: int, j: int) -> None:
        self.names, self.values, area = book.names, values, book.names[name]
        self.entered, text = book.manifest.formulas[name]
        self.text, self.i, self.j = text, i, j
        for part in text.split(SIDE_BY_SIDE) if SIDE_BY_SIDE in text else ():
            self.text = part
            width = next((self.names[n].cols for n in re.findall(r"\w+", part) if n in self.names), area.cols)
            if self.j < width:
                break
            self.j -= width
        self.array = self.entered in ("block", "rows", "lower rows")
        # an array formula over one row has one row only
        self.row, self.rows = (i, area.rows) if self.entered == "block" else (0, 1)

    def terms(self) -> tuple[tuple[float, ...], ...]:
        """The factors of each term of a matrix product, a row's sum, a sum or a product of two ranges."""
        found: list[tuple[Value, ...]] = []
        if product := PRODUCT.fullmatch(self.text):
            left, right = (self._of(area) for area in self._factors(product))
            found = [*zip(left, right, strict=False)]
            if product["bias"]:
                found.append(self._of(self._cell(product["bias"])))
        elif total := TOTAL.fullmatch(self.text):
            found = [(value,) for value in self._of(self._area(total[1]))]
        elif pair := PAIR.fullmatch(self.text):
            one, other = self._of(self._cell(pair[1])), self._of(self._cell(pair[3]))
            found = [one, other] if pair[2] == "+" else [one + other]
        numbers = [tuple(0.0 if value is None else value for value in term) for term in found]
        if any(isinstance(value, str | bool) for term in numbers for value in term):
            return ()
        return tuple(numbers)  # type: ignore[arg-type]

    def reads(self) -> tuple[Read, ...]:
        """The cells that the formula reads, each once."""
        if product := PRODUCT.fullmatch(self.text):
            areas = self._factors(product)
            areas += [self._cell(product["bias"])] if product["bias"] else []
        else:
            areas = [area for match, area in self._named() if match[1] not in SIZES]
        return tuple(self._read(*area) for area in dict.fromkeys(areas))

    def in_numbers(self) -> str:
        """The formula with values in the place of names; "" for products of matrices, which values hide."""
        if "MMULT(" in self.text:
            return ""
        made, end = "", 0
        for match, (name, area) in self._named():
            before, shown = match[1] or "", self._shown(name, area)
            if before in SIZES:
                shown = str(area.cols if before == "COLUMNS(" else area.rows)
            closed = before and (before in SIZES or self.array) and self.text[match.end()] == ")"
            made += self.text[end : match.start()] + (shown if closed else before + shown)
            end = match.end() + (1 if closed else 0)
        text = made + self.text[end:]
        return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."

    def _named(self) -> Iterator[tuple[re.Match[str], tuple[str, Area]]]:
        """The references of the formula, and which cells each means."""
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
        area = self.names[name]
        return name, part_of(area, part, self.i, 0 if self.array else self.j) if part else area

    def _cell(self, reference: str, *, turned: bool = False) -> tuple[str, Area]:
        """The one cell of a name that an array formula takes for its cell; else all that it names."""
        name, area = self._area(reference)
        if not self.array:
            return name, area
        if "MMULT(" in self.text and not PRODUCT.fullmatch(self.text):
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

    def _of(self, named: tuple[str, Area], most: int | None = None) -> tuple[Value, ...]:
        """The values of some cells of a range, row by row."""
        name, area = named
        base, grid = self.names[name], self.values[name]
        top, left = area.row - base.row, area.col - base.col
        rows = grid[top : top + area.rows] if most is None else grid[top : top + min(area.rows, most)]
        wide = area.cols if most is None else min(area.cols, most)
        cells = [row[left : left + wide] for row in rows]
        return tuple(None if value != value else _plain(value) for row in cells for value in row)[:most]  # noqa: PLR0124 - NaN

    def _read(self, name: str, area: Area) -> Read:
        base, count = self.names[name], area.rows * area.cols
        values = self._of((name, area), None if 1 in (area.rows, area.cols) else MAX_VALUES)
        return Read(name + _within(base, area), f"{area.sheet}!{span(area)}", values, count)

    def _shown(self, name: str, area: Area) -> str:
        texts = [in_formula(value) for value in self._of((name, area), MAX_SHOWN)]
        count = area.rows * area.cols
        return texts[0] if count == 1 else "{" + ",".join(texts) + (",…}" if count > len(texts) else "}")


def _plain(value: Any) -> Value:  # noqa: ANN401 - NumPy's numbers among them
    return value if value is None or isinstance(value, str | bool) else float(value)


def in_formula(value: Value) -> str:
    """A value in a formula: six digits, texts in quotes, what is negative in brackets."""
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
    """Which cells of a range an area is: ``[3,1]``, ``[3,:]``, ``[1:3,:]``; "" for all."""
    if area == base:
        return ""

    def places(first: int, count: int, of: int) -> str:
        if count == of > 1:
            return ":"
        return str(first + 1) if count == 1 else f"{first + 1}:{first + count}"

    rows = places(area.row - base.row, area.rows, base.rows)
    return f"[{rows},{places(area.col - base.col, area.cols, base.cols)}]"
