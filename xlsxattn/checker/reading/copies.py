"""Copies of a workbook for engines: formulas and inputs alone."""

from __future__ import annotations

import re
import zipfile
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from openpyxl.utils import get_column_letter, quote_sheetname

from xlsxattn.checker.reading.links import DATA_TABLE, reaches
from xlsxattn.checker.reading.rows import looks_of, sheet
from xlsxattn.checker.reading.runs import NumberRuns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from xlsxattn.checker.cells import Area, Edits
    from xlsxattn.checker.reading.book import Book

_WORDS = re.compile(r"[A-Za-z_\\][\w.\\?]*")


def without_values(
    book: Book, path: Path, edits: Iterable[Edits] = (), *, every_name: bool = False, runs: bool = True
) -> None:
    """Save a copy of formulas and inputs alone: an engine that computes nothing then shows nothing.

    Formulas and names that reach outside the workbook are left out, so that no engine follows them. Of what
    was read from the file all is written anew, long runs of plain numbers too.

    Args:
        book: the workbook.
        path: where the copy goes.
        edits: sets of numbers and words to type in before, one after the other.
        every_name: whether names stay that no formula speaks of, for formulas that are entered later.
        runs: whether long runs of plain numbers are written; an engine may be given them in another way.
    """
    worksheets: list[Any] = book.workbook.worksheets
    for place in (book.workbook, *worksheets):
        for name in [n for n, defined in place.defined_names.items() if reaches(str(defined.value))]:
            del place.defined_names[name]
    _drop(book, {ws.title: ws._cells for ws in worksheets})
    needed = _needed(book)
    for name, area in book.names.items():
        if name.lower() not in needed and not every_name:
            # engines read its cells, and take long over names
            book.workbook.defined_names.pop(name, None)
            continue
        # LibreOffice leaves a tab such as 1st unquoted, and IronCalc cannot read that
        book.workbook.defined_names[name].value = f"{quote_sheetname(area.sheet)}!{_absolute(area)}"
    with _typed_in(book, edits) as typed:
        long = typed if runs else {}
        _save(book.workbook, path, [long.get(tab, NumberRuns()) for tab in book.workbook.sheetnames])


def _drop(book: Book, cells: Mapping[str, dict[tuple[int, int], Any]]) -> None:
    """Drop saved values beside array formulas, formulas that reach outside or are data tables, and blanks."""
    for (tab, row, col), formula in book.formulas.items():
        if reaches(formula.text) or formula.text.startswith(f"={DATA_TABLE}("):
            cells[tab].pop((row + 1, col + 1), None)
        for at in formula.area.cells() if formula.array else ():
            if at not in book.formulas:
                cells[tab].pop((at[1] + 1, at[2] + 1), None)
    for own in cells.values():
        # a blank that has a format would be saved as a number, and IronCalc would read 0
        for blank in [at for at, cell in own.items() if cell.value is None]:
            del own[blank]


@contextmanager
def _typed_in(book: Book, edits: Iterable[Edits]) -> Iterator[Mapping[str, NumberRuns]]:
    """Type sets of edits into the workbook, give its runs as they are then, and take them out again."""
    typed = {at: value for one in edits for at, value in one.items()}
    runs = {tab: own.after(_of(tab, typed)) for tab, own in book.runs.items()}
    before = []
    for (tab, row, col), value in typed.items():
        if not (tab in runs and next(runs[tab].within(row, col, col), None)):
            ws: Any = book.workbook[tab]
            cell = ws.cell(row + 1, col + 1)
            before.append((ws, cell, cell.value, cell.data_type))
            if value == "":  # as above: no blank with a format
                del ws._cells[row + 1, col + 1]
                continue
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # a word such as =x is no formula
    try:
        yield runs
    finally:
        for ws, cell, old, kind in before:
            ws._cells[cell.row, cell.column] = cell
            cell.value, cell.data_type = old, kind


def _of(tab: str, typed: Edits) -> dict[tuple[int, int], float]:
    return {
        (row, col): v for (there, row, col), v in typed.items() if there == tab and not isinstance(v, str)
    }


def _save(workbook: Any, path: Path, runs: Sequence[NumberRuns]) -> None:
    """Save a workbook as openpyxl does, but for its rows; stored, as it is read once, and soon."""
    own = [ws._cells for ws in workbook.worksheets]
    looks = looks_of(own)
    try:
        for ws in workbook.worksheets:
            ws._cells = {}
        workbook.save(shell := BytesIO())
    finally:
        for ws, cells in zip(workbook.worksheets, own, strict=True):
            ws._cells = cells
    parts = {f"xl/worksheets/sheet{i}.xml": both for i, both in enumerate(zip(own, runs, strict=True), 1)}
    with zipfile.ZipFile(shell) as made, zipfile.ZipFile(path, "w") as copy:
        for name in made.namelist():
            with copy.open(zipfile.ZipInfo(name), "w", force_zip64=True) as part:
                for chunk in sheet(*parts[name], looks) if name in parts else [made.read(name)]:
                    part.write(chunk)


def _needed(book: Book) -> set[str]:
    """The names that formulas and other names speak of, in small letters, as no program minds the case."""
    texts = [formula.text for formula in book.formulas.values()]
    if any("INDIRECT" in text.upper() for text in texts):
        return {name.lower() for name in book.names}  # it may make a name of anything
    others = (str(d.value) for name, d in book.workbook.defined_names.items() if name not in book.names)
    local = (str(d.value) for ws in book.workbook.worksheets for d in ws.defined_names.values())
    return {word.lower() for text in (*texts, *others, *local) for word in _WORDS.findall(text)}


def _absolute(area: Area) -> str:
    first = f"${get_column_letter(area.col + 1)}${area.row + 1}"
    last = f"${get_column_letter(area.col + area.cols)}${area.row + area.rows}"
    return first if first == last else f"{first}:{last}"  # engines do not treat $A$1:$A$1 as they treat $A$1
