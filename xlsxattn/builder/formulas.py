"""From operations and places to the text of formulas; and which names a workbook may use."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.placed import Placed, Rectangle

    Places = Mapping[str, tuple[str, Rectangle]]

LONGEST_NAME = 255
LONGEST_FORMULA = 8_192
PART = re.compile(
    r"([A-Za-z_]\w*)\[(row|first|cell|above|col|\.\.rows?|\.\.cell|\.\.diagonal|\d+)\]", re.ASCII
)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)+")
"""At least two parts joined by an underscore: no such name can be read as a cell, a number or a function."""


def check_names(names: Iterable[str]) -> None:
    """Refuse what some spreadsheet would refuse, drop or mistake.

    Raises:
        ValueError: a name has an illegal form, is too long, or differs from another by case alone.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise ValueError(f"{name!r} cannot be a range's name")
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            raise ValueError(f"the names {twin!r} and {name!r} differ by case alone")


def check_lengths(blocks: Iterable[Block]) -> None:
    """Refuse what Excel would refuse: a formula of more than 8,192 characters.

    Raises:
        ValueError: names the range, and what would help.
    """
    for block in blocks:
        longest = max((len(part.formula) for part in block.parts), default=0)
        if longest > LONGEST_FORMULA:
            sentence = (
                "the formula of {name} would have {n:,} characters, at most {most:,} are possible: "
                "fewer sentences or shorter ids help"
            )
            raise ValueError(say(sentence, name=block.name, n=longest, most=LONGEST_FORMULA))


def entries(placed: Placed, places: Places) -> Iterator[tuple[Rectangle, str, bool]]:
    """Every formula of a block as it is entered: the cells, the text, and whether it is an array formula.

    All are. LibreOffice opens a workbook with the saved values of ordinary formulas and computes array
    formulas when they are looked at; until then these pass on no change to ordinary ones, which would go on
    showing what was saved.
    """
    from xlsxattn.builder.placed import Rectangle  # noqa: PLC0415 - the layout does not need formulas either

    block, col = placed.block, placed.col
    tab = places[block.name][0]
    for part in block.parts:
        entered = part.op.entered
        if entered == "block":
            cells = Rectangle(placed.row, col, placed.row + block.rows - 1, col + part.cols - 1)
            yield cells, part.formula, True
        for i in range(block.rows) if entered != "block" else ():
            row = placed.row + i
            if entered in ("rows", "lower rows"):
                cols = i + 1 if entered == "lower rows" else part.cols
                yield Rectangle(row, col, row, col + cols - 1), _level(part.formula, tab, i, 0, places), True
                continue
            for j in range(part.cols):
                text = _level(part.formula, tab, i, j, places)
                yield Rectangle(row, col + j, row, col + j), text, True
        col += part.cols


def _level(formula: str, tab: str, i: int, j: int, places: Places) -> str:
    """Replace ``NAME[row]`` and its kin by addresses, for the cell i rows and j columns into its block."""

    def address(match: re.Match[str]) -> str:
        name, part = match.groups()
        other, r = places[name]
        own, top = r.top + i, partial(cell, r.top, fixed_row=True)
        if part == "above" and i == 0:
            return '""'
        text = {
            "row": lambda: f"{cell(own, r.left)}:{cell(own, r.right)}",
            "..row": lambda: f"{top(r.left)}:{cell(own, r.left)}",
            "..rows": lambda: f"{top(r.left)}:{cell(own, r.right)}",
            "..diagonal": lambda: f"{cell(own, r.left)}:{cell(own, r.left + i)}",
            "first": lambda: cell(own, r.left, fixed_col=True),
            "cell": lambda: cell(own, r.left + j),
            "..cell": lambda: f"{cell(own, r.left, fixed_col=True)}:{cell(own, r.left + j)}",
            "above": lambda: cell(own - 1, r.left),
            "col": lambda: top(r.left + j),
        }.get(part, lambda: cell(r.top + int(part) - 1, r.left))()
        return text if other == tab else f"{quoted(other)}!{text}"

    return PART.sub(address, formula)


def cell(row: int, col: int, *, fixed_row: bool = False, fixed_col: bool = False) -> str:
    """The address of a cell: ``B7``, ``B$7``, ``$B7``."""
    letters, number = "", col + 1
    while number:
        number, digit = divmod(number - 1, 26)
        letters = chr(65 + digit) + letters
    return f"{'$' * fixed_col}{letters}{'$' * fixed_row}{row + 1}"


def quoted(tab: str) -> str:
    """A tab's name as formulas write it."""
    doubled = tab.replace("'", "''")
    return f"'{doubled}'"


def reference(tab: str, r: Rectangle) -> str:
    """An absolute reference: ``'Inputs'!$B$7:$E$9``."""
    return f"{quoted(tab)}!{_absolute(r)}"


def _absolute(r: Rectangle) -> str:
    first, last = (
        cell(row, col, fixed_row=True, fixed_col=True) for row, col in ((r.top, r.left), (r.bottom, r.right))
    )
    return first if first == last else f"{first}:{last}"


def is_focus(row: int, col: int) -> str:
    """The rule that outlines a row: its word equals the focus word, capitals counted; a blank is no word."""
    word = cell(row, col, fixed_col=True)
    return f"=AND(LEN({word})>0,EXACT({word},vocab_Focus))"


def is_blank(row: int, col: int) -> str:
    """The rule for a place without a word."""
    return f"=LEN({cell(row, col, fixed_col=True)})=0"


def largest_size(areas: Iterable[Rectangle]) -> str:
    """The largest absolute value in some areas of a sheet, never 0: where a diverging heat map ends."""
    listed = ",".join(_absolute(a) for a in areas)
    return f"MAX(1E-9,MAX({listed}),-MIN({listed}))"


def is_bad(row: int, col: int) -> str:
    """The rule that reddens a live check: it begins with ✗."""
    return f'=LEFT({cell(row, col)},1)="✗"'
