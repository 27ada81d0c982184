"""Opens a workbook and parses no part of it without need."""

from __future__ import annotations

import html
import logging
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS

from xlsxattn.checker.reading.archive import GuardedArchive
from xlsxattn.checker.reading.limits import STANDARD, Allowance, AmbiguousError
from xlsxattn.checker.reading.package import WORKSHEET, read_package
from xlsxattn.checker.reading.sheet_view import charts_of, view_of
from xlsxattn.checker.reading.sheets import SheetReader
from xlsxattn.checker.reading.strings import read_strings
from xlsxattn.checker.reading.workbook_part import Calculation, read_workbook_part
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.runs import NumberRuns
    from xlsxattn.checker.reading.sheet_view import SheetView
    from xlsxattn.checker.reading.strings import Doubt

LOG = logging.getLogger(__name__)
_PROPERTIES = "docProps/app.xml"
THEME = "application/vnd.openxmlformats-officedocument.theme+xml"
_PROGRAM = re.compile(r"<(?:\w+:)?Application>([^<]{1,80})</")


class CellsOnly(ExcelReader):
    """Reads names, styles and cells, and nothing else.

    Pictures, comments and links are left out, as they compute nothing. What is merged, ruled or charted is
    kept apart: openpyxl fills every cell that a merged range or a link claims to cover.
    """

    def __init__(self, archive: GuardedArchive, *, parse: bool) -> None:
        """Read from an archive; without `parse` the sheets are found but not parsed."""
        self.archive, self.valid_files = archive, archive.namelist()
        self.parse = parse
        self.read_only = self.data_only = self.keep_vba = self.keep_links = self.rich_text = False
        self.shared_strings: list[str] = []
        self.targets: dict[str, str] = {}
        self.saved: dict[tuple[str, int, int], Value] = {}
        self.runs: dict[str, NumberRuns] = {}
        self.doubtful_strings: dict[int, Doubt] = {}
        self.doubts: dict[tuple[str, int, int], Doubt] = {}
        self.calculation = Calculation()
        self.views: dict[str, SheetView] = {}
        self.theme = b""

    def read(self) -> None:
        """Read everything, or only what leads to the sheets.

        Raises:
            AmbiguousError: it can be read in two ways.
        """
        if self.parse:
            archive: Any = self.archive
            package = read_package(archive)
            self.calculation = read_workbook_part(archive.looked_over(package.workbook), package.links)
            try:
                super().read()
            except ValueError as error:  # openpyxl wraps those in a paragraph
                raise error.__cause__ or error from None
            return
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        self.read_worksheets()

    def read_strings(self) -> None:
        """Read the shared texts."""
        package: Any = self.package
        if part := package.find(SHARED_STRINGS):
            with self.archive.open(part.PartName.removeprefix("/")) as source:
                self.shared_strings, self.doubtful_strings = read_strings(source)

    def read_properties(self) -> None:
        """Leave out title and author."""

    def read_custom(self) -> None:
        """Leave out properties of a user's own."""

    def read_theme(self) -> None:
        """Read the colours that styles refer to by number."""
        package: Any = self.package
        part = package.find(THEME)
        if part and (name := part.PartName.removeprefix("/")) in self.valid_files:
            self.theme = self.archive.read(name)

    def read_worksheets(self) -> None:
        """Read the cells of every sheet; one that is no worksheet stays empty."""
        archive: Any = self.archive
        if len(self.parser.sheets) > archive.allowed.sheets:
            what = say("has {n:,} sheets", n=len(self.parser.sheets))
            raise archive.too_much(what, f"{archive.allowed.sheets:,}")
        found = [(s, rel) for s, rel in self.parser.find_sheets() if rel.target in self.valid_files]
        told = _Told(2 * len(found))
        for _, relation in told.of(found) if self.parse else ():
            archive.charge(relation.target)
        for sheet, relation in told.of(found) if self.parse else found:
            worksheet: Any = self.wb.create_sheet(sheet.name)
            worksheet.sheet_state = sheet.state
            if relation.Type != WORKSHEET:
                continue
            self.targets.setdefault(worksheet.title, relation.target)
            if self.parse:
                self._read_sheet(worksheet, relation.target)

    def _read_sheet(self, worksheet: Any, part: str) -> None:
        """Read the cells of a sheet."""
        archive: Any = self.archive
        tab = str(worksheet.title)
        try:
            with archive.charged(part) as source:
                reader = SheetReader(worksheet, source, self.shared_strings, self.doubtful_strings)
                reader.bind_cells()
            if (runs := archive.runs(part)).rows:
                _refuse_twice(runs, worksheet._cells)
                self.runs[tab] = runs
        except AmbiguousError as error:
            raise AmbiguousError(say("on sheet {tab}, {what}", tab=tab, what=error)) from None
        workbook: Any = self.wb
        rows, looks = reader.parser.row_dimensions, workbook._differential_styles.styles
        self.views[tab] = view_of(tab, reader.parser.root, rows, looks, charts_of(archive, part))
        for (row, col), value in reader.parser.saved.items():
            self.saved[tab, row - 1, col - 1] = value
        for (row, col), doubt in reader.parser.doubts.items():
            self.doubts[tab, row - 1, col - 1] = doubt


class _Told:
    """Tells how many sheets were looked over and parsed."""

    def __init__(self, sheets: int) -> None:
        self.done, self.sheets = 0, sheets

    def of(self, items: Iterable[Any]) -> Iterator[Any]:
        """The same, told of one by one."""
        for item in items:
            extra = {"step": say("checking: reading"), "done": self.done, "of": self.sheets}
            LOG.debug("", extra=extra)
            yield item
            self.done += 1


def _refuse_twice(runs: NumberRuns, cells: Iterable[tuple[int, int]]) -> None:
    """Refuse a cell that stands in a run and outside: nobody can say which of the two counts."""
    for row, col in cells:
        if next(runs.within(row - 1, col - 1, col - 1), None):
            raise AmbiguousError(say("row {row} has a cell twice", row=row))


@dataclass(frozen=True, slots=True)
class Opened:
    """What a workbook's file holds.

    Attributes:
        workbook: its formulas and typed values.
        saved: (tab, row, column) → the value that is saved for the cell, beside its formula where it has one.
        parts: the names of the parts in its archive.
        saved_by: the program that saved it last.
        runs: the long runs of plain numbers in its large sheets, by tab; the workbook is without them.
        doubts: (tab, row, column) → what in the cell programs read in different ways.
        calculation: how it asks to be calculated.
        views: how each sheet shows its cells, by tab.
        theme: the part with the colours that styles refer to by number; empty where there is none.
    """

    workbook: Workbook
    saved: Mapping[tuple[str, int, int], Value]
    parts: tuple[str, ...]
    saved_by: str
    runs: Mapping[str, NumberRuns]
    doubts: Mapping[tuple[str, int, int], Doubt]
    calculation: Calculation
    views: Mapping[str, SheetView]
    theme: bytes


def load(path: Path, allowed: Allowance = STANDARD) -> Opened:
    """Read a workbook's file, once.

    Raises:
        NotCheckableError: it holds more than allowed.
        Exception: whatever openpyxl, zipfile or the XML parser make of a broken file.
    """
    with warnings.catch_warnings(), GuardedArchive(path, allowed) as archive:
        warnings.simplefilter("ignore")
        said = b""
        if _PROPERTIES in (parts := tuple(archive.namelist())):
            said = archive.read(_PROPERTIES)
        program = _PROGRAM.search(said.decode("utf-8", "replace"))
        reader = CellsOnly(archive, parse=True)
        reader.read()
        saved_by = html.unescape(program[1]).strip() if program else ""
        found = reader.wb, reader.saved, parts, saved_by, reader.runs
        return Opened(*found, reader.doubts, reader.calculation, reader.views, reader.theme)
