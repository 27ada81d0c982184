"""What other programs would read otherwise, or calculate otherwise, than a workbook says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.cell_formulas import span
from xlsxattn.checker.cell_sets import Cover
from xlsxattn.checker.compare import Finding
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from xlsxattn.checker.cells import Area
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reading.strings import Doubt
    from xlsxattn.language import Phrase

ITERATES_ALWAYS = "gnumeric"
"""The program that saves every workbook as one to be iterated, whether it has circles or not."""
_DOUBTS: Mapping[Doubt, Phrase] = {
    "infinite": say("{name} holds a number that is larger than any number of a spreadsheet"),
    "date": say("{name} holds a date spelled out, which programs read as different numbers, or as a text"),
    "rich value": say("{name} holds a rich value (a data type, a picture), which older programs do not show"),
    "escape": say("{name} holds a text with an escape such as _x0041_, which some programs read as a letter"),
    "blanks": say("{name} holds a text with blanks at its ends, which some programs leave out"),
}


def settings(book: Book) -> Iterator[Finding]:
    """How the workbook asks to be calculated, where that changes numbers or leaves old ones."""
    asked = book.calculation
    if not asked.full_precision:
        message = say(
            "the workbook is calculated with precision as displayed: numbers lose what cells do not show"
        )
        yield Finding("precision as displayed", "", "", message)
    if asked.iterates and book.saved_by.lower() != ITERATES_ALWAYS:
        message = say("the workbook is calculated iteratively: a circle shows a number and not an error")
        yield Finding("iterative calculation", "", "", message)
    if asked.manual:
        message = say("the workbook is calculated only on demand: after a change, old numbers stay")
        yield Finding("manual calculation", "", "", message, severity="warning")
    if asked.from_1904:
        message = say("the workbook counts days from 1904: a date is another number than elsewhere")
        yield Finding("1904 dates", "", "", message, severity="warning")


def doubtful_cells(book: Book) -> Iterator[Finding]:
    """Cells in ranges whose values programs read in different ways."""
    if not book.doubts:
        return
    for name, area in book.own_names.items():
        for (tab, row, col), doubt in book.doubts.items():
            down, right = row - area.row, col - area.col
            if tab == area.sheet and 0 <= down < area.rows and 0 <= right < area.cols:
                message = say(_DOUBTS[doubt].sentence, name=name)
                where = area.address(down, right)
                severity: Any = "warning" if doubt == "blanks" else "error"
                yield Finding("doubtful value", name, where, message, severity=severity)


def overlapping_blocks(book: Book) -> Iterator[Finding]:
    """Array formulas that fill a cell of which another formula stands, or that another fills as well."""
    areas = [formula.area for formula in book.formulas.values()]
    if Cover(areas).size == sum(area.rows * area.cols for area in areas):
        return
    filled: dict[tuple[str, int, int], Area] = {}
    for area in areas:
        other = next((filled[at] for at in area.cells() if at in filled), None)
        filled |= dict.fromkeys(area.cells(), area)
        if other:
            sentence = "the formula over {cells} fills cells of the one over {others}"
            message = say(sentence, cells=span(area), others=span(other))
            yield Finding("overlapping formulas", "", area.address(), message)


def names(book: Book) -> Iterator[Finding]:
    """Names that mean something else on a sheet of ours, or that no list of names shows."""
    own = {name.lower(): name for name in book.own_names}
    tabs = {area.sheet for area in book.own_names.values()}
    worksheets: Any = book.workbook.worksheets
    for ws in worksheets:
        for name in ws.defined_names if ws.title in tabs else ():
            if name.lower() in own:
                sentence = "on sheet {tab}, the name {name} means other cells than elsewhere"
                message = say(sentence, tab=ws.title, name=own[name.lower()])
                yield Finding("shadowed name", own[name.lower()], "", message)
    if hidden := [own[name] for name in own if name in book.calculation.hidden]:
        one, more = say("the name {name} is hidden"), say("the name {name} and {n} others are hidden")
        message = say(one if len(hidden) == 1 else more, name=hidden[0], n=len(hidden) - 1)
        yield Finding("hidden name", hidden[0], "", message, severity="warning")


def ambiguities(book: Book) -> Iterator[Finding]:
    """All of these."""
    for finder in (settings, names, doubtful_cells, overlapping_blocks):
        yield from finder(book)
