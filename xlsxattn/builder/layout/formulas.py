"""Writes the formulas of placed blocks as text, and checks names."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from xlsxattn.builder.layout.placed import Rectangle
from xlsxattn.contract.names import BAND, PART, WORD, is_name, parse
from xlsxattn.contract.values import MAX_FORMULA_LENGTH
from xlsxattn.language import say

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.layout.placed import Placed, PlacedSheet

    Places = Mapping[str, tuple[str, Rectangle]]
    Level = Callable[[int, int], str]

MAX_NAME_LENGTH = 255
NOTHING = '""'


def check_names(names: Iterable[str]) -> None:
    """Reject names that some spreadsheet would reject, drop or misread.

    Raises:
        ValueError: a name is invalid, too long, or equal to another one except for case.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not is_name(name) or len(name) > MAX_NAME_LENGTH:
            raise ValueError(say("{name!r} is not a valid range name", name=name))
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            sentence = "the names {twin!r} and {name!r} differ only in case"
            raise ValueError(say(sentence, twin=twin, name=name))


def check_lengths(blocks: Iterable[Block]) -> None:
    """Reject formulas longer than Excel's limit of 8,192 characters.

    Raises:
        ValueError: a formula is too long.
    """
    for block in blocks:
        longest = max((len(part.formula) for part in block.parts), default=0)
        if longest > MAX_FORMULA_LENGTH:
            sentence = (
                "the formula of {name} would have {n:,} characters; at most {most:,} are allowed: "
                "use fewer sentences or shorter ids"
            )
            raise ValueError(say(sentence, name=block.name, n=longest, most=MAX_FORMULA_LENGTH))


def words_in_formulas(sheets: Iterable[PlacedSheet]) -> set[str]:
    """All words in the formulas of a workbook, including the names they refer to."""
    blocks = [placed.block for sheet in sheets for placed in sheet.placed]
    parts = [part for block in blocks for part in (*block.parts, *([block.key] if block.key else []))]
    return {word for part in parts for word in WORD.findall(part.formula)}


def entries(placed: Placed, places: Places) -> Iterator[tuple[Rectangle, str]]:
    """The array formulas of a block: cells and text of each.

    There are no ordinary formulas, because LibreOffice opens a workbook with their saved values, and computes
    array formulas only when they are displayed; ordinary formulas would keep stale values until then.
    """
    block, col = placed.block, placed.col
    tab = places[block.name][0]
    if block.parts and block.parts[0].op.entered == "steps":
        yield from _steps(placed, places)
        return
    for part in block.parts:
        entered, formula = part.op.entered, part.formula
        if entered == "block":
            cells = Rectangle(placed.row, col, placed.row + block.rows - 1, col + part.cols - 1)
            yield cells, formula
        level = _levelled(formula, tab, places)
        key = _levelled(block.key.formula, tab, places) if block.key else None
        for i in range(block.rows) if entered != "block" else ():
            row = placed.row + i
            if entered in ("rows", "lower rows"):
                cols = i + 1 if entered == "lower rows" else part.cols
                yield Rectangle(row, col, row, col + cols - 1), level(i, 0)
                continue
            for j in range(part.cols):
                write = _cell_writer(block, i, j, level, key)
                if write is not None:
                    yield Rectangle(row, col + j, row, col + j), write(i, j)
        col += part.cols


def _cell_writer(block: Block, i: int, j: int, level: Level, key: Level | None) -> Level | None:
    """The writer of a cell's formula: the block's, or that of its answer; None if it has no formula."""
    if block.marked and not block.marked.holds(i, j):
        return None
    is_answer = block.region is not None and block.region.holds(i, j)
    whole = block.region is not None and block.region.size == block.rows * block.cols
    return key if is_answer and not whole else level


def _steps(placed: Placed, places: Places) -> Iterator[tuple[Rectangle, str]]:
    """One array formula per step, over a band of rows; references are addresses."""
    block, tab = placed.block, places[placed.block.name][0]
    steps, height = block.bands - (not parse(block.name).is_update), block.rows // block.bands
    for k in range(block.bands):

        def address(match: re.Match[str], k: int = k) -> str:
            other, r = places[match[1]]
            if match[2] != "all":
                rows = (r.bottom - r.top + 1) // parse(match[1]).bands(steps)
                top = r.top + rows * (k - (match[2] == "before"))
                r = replace(r, top=top, bottom=top + rows - 1)
            return _absolute(r) if other == tab else reference(other, r)

        formula = block.parts[-1 if k else 0].formula
        top = placed.row + k * height
        yield Rectangle(top, placed.col, top + height - 1, placed.area.right), BAND.sub(address, formula)


def _levelled(formula: str, tab: str, places: Places) -> Level:
    """A function that writes a formula for cell (i, j) of its block; ``NAME[row]`` etc. become addresses."""
    first, *rest = PART.split(formula)
    parts = [(*places[name], part, text) for name, part, text in zip(*[iter(rest)] * 3, strict=True)]

    def level(i: int, j: int) -> str:
        texts = [first]
        for other, r, part, following in parts:
            address = _level(r, part, i, j)
            if other != tab and address != NOTHING:  # "" stands for the row above the first
                address = f"{quoted(other)}!{address}"
            texts += [address, following]
        return "".join(texts)

    return level


def _level(r: Rectangle, part: str, i: int, j: int) -> str:
    """The address of a part of a range for cell (i, j) of a block."""
    row, left = r.top + i + 1, letters(r.left)
    if part == "cell":
        return f"{letters(r.left + j)}{row}"
    if part == "row":
        return f"{left}{row}:{letters(r.right)}{row}"
    if part == "above":
        return f"{left}{row - 1}" if i else NOTHING
    first = f"${r.top + 1}"
    return {
        "..row": f"{left}{first}:{left}{row}",
        "..rows": f"{left}{first}:{letters(r.right)}{row}",
        "..diagonal": f"{left}{row}:{letters(r.left + i)}{row}",
        "..cell": f"${left}{row}:{letters(r.left + j)}{row}",
        "col": f"{letters(r.left + j)}{first}",
        "column": f"{letters(r.left + j)}{first}:{letters(r.left + j)}${r.bottom + 1}",
        "across": f"${left}${r.top + j + 1}:${letters(r.right)}${r.top + j + 1}",
        "down": f"${letters(r.left + i)}${r.top + 1}:${letters(r.left + i)}${r.bottom + 1}",
        "first": f"${left}{row}",
    }.get(part) or f"{left}{r.top + int(part)}"


@cache
def letters(col: int) -> str:
    """A column's letters: 0 is A."""
    text, number = "", col + 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(65 + digit) + text
    return text


def cell(row: int, col: int, *, fixed_row: bool = False, fixed_col: bool = False) -> str:
    """The address of a cell: ``B7``, ``B$7``, ``$B7``."""
    return f"{'$' * fixed_col}{letters(col)}{'$' * fixed_row}{row + 1}"


def quoted(tab: str) -> str:
    """A tab's name, quoted for formulas."""
    doubled = tab.replace("'", "''")
    return f"'{doubled}'"


def reference(tab: str, r: Rectangle) -> str:
    """An absolute reference: ``'Inputs'!$B$7:$E$9``."""
    return f"{quoted(tab)}!{_absolute(r)}"


def area(r: Rectangle) -> str:
    """A relative reference on the same tab: ``B7:E9``."""
    first, last = cell(r.top, r.left), cell(r.bottom, r.right)
    return first if first == last else f"{first}:{last}"


def in_two(r: Rectangle) -> str:
    """References to the first row or column of an area and to the others: ``B7:E7 B8:E9``."""
    if r.top < r.bottom:
        return f"{area(replace(r, bottom=r.top))} {area(replace(r, top=r.top + 1))}"
    if r.left < r.right:
        return f"{area(replace(r, right=r.left))} {area(replace(r, left=r.left + 1))}"
    return area(r)


def _absolute(r: Rectangle) -> str:
    first, last = (
        cell(row, col, fixed_row=True, fixed_col=True) for row, col in ((r.top, r.left), (r.bottom, r.right))
    )
    return first if first == last else f"{first}:{last}"


def is_focus(row: int, col: int) -> str:
    """Condition for outlining a row: its word equals the focus word, case-sensitively, and is not blank."""
    word = cell(row, col, fixed_col=True)
    return f"=AND(LEN({word})>0,EXACT({word},vocab_Focus))"


def is_blank(row: int, col: int) -> str:
    """Condition for a position without a word."""
    return f"=LEN({cell(row, col, fixed_col=True)})=0"


def ends(areas: Iterable[Rectangle], *, beside: float = 0.0) -> tuple[str, str]:
    """The ends of the scale of a heat map of some areas: plus and minus the largest size, which is never 0.

    ``beside``: the scale of bars with room for a number beside them, as a multiple of the longest bar.
    """
    listed = ",".join(_absolute(a) for a in areas)
    if beside:
        return f"=MIN(0,{listed})", f"={beside}*MAX(1E-9,{listed})"
    size = f"MAX(1E-9,MAX({listed}),-MIN({listed}))"
    return f"=-{size}", f"={size}"


def begins_with(row: int, col: int, first: str) -> str:
    """Condition for a live check or a mark that begins with a character."""
    return f'=LEFT({cell(row, col)},1)="{first}"'


def is_no_number(row: int, col: int) -> str:
    """Condition for a text in a cell for numbers, shown in red."""
    return f"=ISTEXT({cell(row, col)})"
