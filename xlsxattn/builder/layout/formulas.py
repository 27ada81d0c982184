"""From operations and places to the text of formulas; and which names a workbook may use."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from xlsxattn.builder.layout.placed import Rectangle
from xlsxattn.contract.names import is_name
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.layout.placed import Placed, PlacedSheet

    Places = Mapping[str, tuple[str, Rectangle]]

MAX_NAME_LENGTH = 255
MAX_FORMULA_LENGTH = 8_192
PART = re.compile(
    r"([A-Za-z_]\w*)\[(row|first|cell|above|col|\.\.rows?|\.\.cell|\.\.diagonal|\d+)\]", re.ASCII
)
WORD = re.compile(r"\w+", re.ASCII)
NOTHING = '""'


def check_names(names: Iterable[str]) -> None:
    """Refuse what some spreadsheet would refuse, drop or mistake.

    Raises:
        ValueError: a name has an illegal form, is too long, or differs from another by case alone.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not is_name(name) or len(name) > MAX_NAME_LENGTH:
            raise ValueError(say("{name!r} cannot be a range's name", name=name))
        twin = seen.setdefault(name.casefold(), name)
        if twin != name:
            sentence = "the names {twin!r} and {name!r} differ by case alone"
            raise ValueError(say(sentence, twin=twin, name=name))


def check_lengths(blocks: Iterable[Block]) -> None:
    """Refuse what Excel would refuse: a formula of more than 8,192 characters.

    Raises:
        ValueError: names the range, and what would help.
    """
    for block in blocks:
        longest = max((len(part.formula) for part in block.parts), default=0)
        if longest > MAX_FORMULA_LENGTH:
            sentence = (
                "the formula of {name} would have {n:,} characters, at most {most:,} are possible: "
                "fewer sentences or shorter ids help"
            )
            raise ValueError(say(sentence, name=block.name, n=longest, most=MAX_FORMULA_LENGTH))


def spoken_of(sheets: Iterable[PlacedSheet]) -> set[str]:
    """All words in the formulas of a workbook, the names that they speak of among them."""
    parts = (part for sheet in sheets for placed in sheet.placed for part in placed.block.parts)
    return {word for part in parts for word in WORD.findall(part.formula)}


def entries(placed: Placed, places: Places) -> Iterator[tuple[Rectangle, str]]:
    """Every formula of a block as it is entered: the cells and the text.

    All are array formulas. LibreOffice opens a workbook with the saved values of ordinary formulas and
    computes array formulas when they are looked at; until then these pass on no change to ordinary ones,
    which would go on showing what was saved.
    """
    block, col = placed.block, placed.col
    tab = places[block.name][0]
    for part in block.parts:
        entered, formula = part.op.entered, part.formula
        if entered == "block":
            cells = Rectangle(placed.row, col, placed.row + block.rows - 1, col + part.cols - 1)
            yield cells, formula
        level = _levelled(formula, tab, places)
        for i in range(block.rows) if entered != "block" else ():
            row = placed.row + i
            if entered in ("rows", "lower rows"):
                cols = i + 1 if entered == "lower rows" else part.cols
                yield Rectangle(row, col, row, col + cols - 1), level(i, 0)
                continue
            for j in range(part.cols):
                yield Rectangle(row, col + j, row, col + j), level(i, j)
        col += part.cols


def _levelled(formula: str, tab: str, places: Places) -> Callable[[int, int], str]:
    """A formula for the cell i rows and j columns into its block: addresses for ``NAME[row]`` and its kin."""
    first, *rest = PART.split(formula)
    parts = [(*places[name], part, text) for name, part, text in zip(*[iter(rest)] * 3, strict=True)]

    def level(i: int, j: int) -> str:
        texts = [first]
        for other, r, part, behind in parts:
            address = _level(r, part, i, j)
            # nothing stands above the first row but a text, and that on no tab
            texts += [address if other == tab or address == NOTHING else f"{quoted(other)}!{address}", behind]
        return "".join(texts)

    return level


def _level(r: Rectangle, part: str, i: int, j: int) -> str:
    """A part of a range as the cell i rows and j columns into its block sees it."""
    own, left = r.top + i + 1, letters(r.left)
    if part == "cell":
        return f"{letters(r.left + j)}{own}"
    if part == "row":
        return f"{left}{own}:{letters(r.right)}{own}"
    if part == "above":
        return f"{left}{own - 1}" if i else NOTHING
    first = f"${r.top + 1}"
    return {
        "..row": f"{left}{first}:{left}{own}",
        "..rows": f"{left}{first}:{letters(r.right)}{own}",
        "..diagonal": f"{left}{own}:{letters(r.left + i)}{own}",
        "..cell": f"${left}{own}:{letters(r.left + j)}{own}",
        "col": f"{letters(r.left + j)}{first}",
        "first": f"${left}{own}",
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
    """A tab's name as formulas write it."""
    doubled = tab.replace("'", "''")
    return f"'{doubled}'"


def reference(tab: str, r: Rectangle) -> str:
    """An absolute reference: ``'Inputs'!$B$7:$E$9``."""
    return f"{quoted(tab)}!{_absolute(r)}"


def area(r: Rectangle) -> str:
    """A relative reference on the same tab: ``B7:E9``."""
    first, last = cell(r.top, r.left), cell(r.bottom, r.right)
    return first if first == last else f"{first}:{last}"


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


def ends(areas: Iterable[Rectangle], *, beside: float = 0.0) -> tuple[str, str]:
    """Where a heat map of some areas of a sheet ends: at plus and minus the largest size, which is never 0.

    Bars, beside which a number stands free, end so many times as far as their longest.
    """
    listed = ",".join(_absolute(a) for a in areas)
    if beside:
        return f"={beside}*MIN(0,{listed})", f"={beside}*MAX(1E-9,{listed})"
    size = f"MAX(1E-9,MAX({listed}),-MIN({listed}))"
    return f"=-{size}", f"={size}"


def is_bad(row: int, col: int) -> str:
    """The rule that reddens a live check: it begins with ✗."""
    return f'=LEFT({cell(row, col)},1)="✗"'


def is_noted(row: int, col: int) -> str:
    """The rule that greys a live check: it begins with –, as nothing fails and something is noted."""
    return f'=LEFT({cell(row, col)},1)="–"'


def is_no_number(row: int, col: int) -> str:
    """The rule that reddens a cell for numbers: a text stands in it."""
    return f"=ISTEXT({cell(row, col)})"
