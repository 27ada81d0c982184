"""Copies of a workbook for engines, with formulas and inputs only."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any

from openpyxl.utils import get_column_letter, quote_sheetname

from xlsxattn.checker.reading.links import DATA_TABLE, reaches
from xlsxattn.checker.reading.rows import sheet, styles_of
from xlsxattn.checker.reading.runs import NumberRuns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from xlsxattn.checker.cells import Area, Edits
    from xlsxattn.checker.reading.book import Book

    Cells = dict[tuple[int, int], Any]

_WORDS = re.compile(r"[A-Za-z_\\][\w.\\?]*")


def without_values(
    book: Book, path: Path, edits: Iterable[Edits] = (), *, every_name: bool = False, runs: bool = True
) -> None:
    """Save a copy with formulas and inputs only, so that an engine that computes nothing shows nothing.

    Formulas and names with external references are omitted, so that no engine follows them. The rest of the
    file is written again, including long runs of plain numbers.

    Args:
        book: the workbook.
        path: the path of the copy.
        edits: sets of edits to apply first, in order.
        every_name: whether to keep unused names, for formulas that are entered later.
        runs: whether to write long runs of plain numbers; IronCalc gets them separately.
    """
    worksheets: list[Any] = book.workbook.worksheets
    for place in (book.workbook, *worksheets):
        for name in [n for n, defined in place.defined_names.items() if reaches(str(defined.value))]:
            del place.defined_names[name]
    cells: dict[str, Cells] = {ws.title: ws._cells for ws in worksheets}
    _drop(book, cells)
    uses, defined = _uses(book), book.workbook.defined_names
    for name, area in book.names.items():
        if not uses[name.lower()] and not every_name:
            # engines are slow with many names
            defined.pop(name, None)
            continue
        # LibreOffice does not quote a tab such as 1st, which IronCalc cannot read
        defined[name].value = f"{quote_sheetname(area.sheet)}!{_absolute(area)}"
    for name in sorted(defined, key=lambda name: -uses[name.lower()]):
        defined[name] = defined.pop(name)  # IronCalc searches them one by one when it loads formulas
    with _without(book, cells), _typed_in(book, edits) as typed:
        long = typed if runs else {}
        _save(book.workbook, path, [long.get(tab, NumberRuns()) for tab in book.workbook.sheetnames])


@contextmanager
def _without(book: Book, cells: Mapping[str, Cells]) -> Iterator[None]:
    """Take out the cells of the ranges that are left out, and put them back afterwards."""
    areas = [book.names[name] for name in book.left_out if name in book.names]
    places = [(tab, (row + 1, col + 1)) for area in areas for tab, row, col in area.cells()]
    taken = [(tab, at, cells[tab].pop(at)) for tab, at in places if at in cells[tab]]
    try:
        yield
    finally:
        for tab, at, cell in taken:
            cells[tab][at] = cell


def _drop(book: Book, cells: Mapping[str, Cells]) -> None:
    """Drop saved values of array formulas, external references, data tables and blanks."""
    for (tab, row, col), formula in book.formulas.items():
        if reaches(formula.text) or formula.text.startswith(f"={DATA_TABLE}("):
            cells[tab].pop((row + 1, col + 1), None)
        for at in formula.area.cells() if formula.array else ():
            if at not in book.formulas:
                cells[tab].pop((at[1] + 1, at[2] + 1), None)
    for own in cells.values():
        # a formatted blank would be saved as a number, and IronCalc would read 0
        for blank in [at for at, cell in own.items() if cell.value is None]:
            del own[blank]


@contextmanager
def _typed_in(book: Book, edits: Iterable[Edits]) -> Iterator[Mapping[str, NumberRuns]]:
    """Apply sets of edits to the workbook, yield its edited runs, and undo the edits."""
    typed = {at: value for one in edits for at, value in one.items()}
    runs = {tab: own.after(_of(tab, typed)) for tab, own in book.runs.items()}
    before = []
    for (tab, row, col), value in typed.items():
        if not (tab in runs and next(runs[tab].within(row, col, col), None)):
            ws: Any = book.workbook[tab]
            cell = ws.cell(row + 1, col + 1)
            before.append((ws, cell, cell.value, cell.data_type))
            if value == "":  # as above: no formatted blanks
                del ws._cells[row + 1, col + 1]
                continue
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # a word such as =x is not a formula
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
    """Save a workbook with openpyxl, except for its rows; uncompressed, as it is read only once."""
    own = [ws._cells for ws in workbook.worksheets]
    styles = styles_of(own)
    try:
        for ws in workbook.worksheets:
            ws._cells = {}
        workbook.save(shell := BytesIO())
    finally:
        for ws, cells in zip(workbook.worksheets, own, strict=True):
            ws._cells = cells
    parts = {f"xl/worksheets/sheet{i}.xml": both for i, both in enumerate(zip(own, runs, strict=True), 1)}
    with zipfile.ZipFile(shell) as source, zipfile.ZipFile(path, "w") as copy:
        for name in source.namelist():
            with copy.open(zipfile.ZipInfo(name), "w", force_zip64=True) as part:
                for chunk in sheet(*parts[name], styles) if name in parts else [source.read(name)]:
                    part.write(chunk)


def _uses(book: Book) -> Counter[str]:
    """How often formulas and other names use each name, in lower case, as names are case-insensitive."""
    texts = [formula.text for formula in book.formulas.values()]
    if any("INDIRECT" in text.upper() for text in texts):
        return Counter(name.lower() for name in book.names)  # INDIRECT may use any name
    others = (str(d.value) for name, d in book.workbook.defined_names.items() if name not in book.names)
    local = (str(d.value) for ws in book.workbook.worksheets for d in ws.defined_names.values())
    return Counter(word.lower() for text in (*texts, *others, *local) for word in _WORDS.findall(text))


def _absolute(area: Area) -> str:
    first = f"${get_column_letter(area.col + 1)}${area.row + 1}"
    last = f"${get_column_letter(area.col + area.cols)}${area.row + area.rows}"
    return first if first == last else f"{first}:{last}"  # engines treat $A$1:$A$1 and $A$1 differently
