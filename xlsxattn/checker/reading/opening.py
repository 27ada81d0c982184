"""Opens a workbook, parsing only the parts that are needed."""

from __future__ import annotations

import html
import logging
import re
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import ARC_STYLE, SHARED_STRINGS

from xlsxattn.checker.reading.active_content import active_parts
from xlsxattn.checker.reading.archive import GuardedArchive
from xlsxattn.checker.reading.limits import STANDARD, Allowance, AmbiguousError
from xlsxattn.checker.reading.objects import objects_of
from xlsxattn.checker.reading.package import THEME, WORKSHEET, read_package, tables_of
from xlsxattn.checker.reading.sheet_view import charts_of, view_of
from xlsxattn.checker.reading.sheets import SheetReader
from xlsxattn.checker.reading.strings import read_strings
from xlsxattn.checker.reading.styles_part import check_styles, check_theme
from xlsxattn.checker.reading.workbook_part import Calculation, read_workbook_part
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from openpyxl.workbook import Workbook

    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.active_content import Activity
    from xlsxattn.checker.reading.runs import NumberRuns
    from xlsxattn.checker.reading.sheet_view import SheetView
    from xlsxattn.checker.reading.strings import Doubt

LOG = logging.getLogger(__name__)
_PROPERTIES = "docProps/app.xml"
_GNUMERIC, _GNUMERIC_MARK = "gnumeric", b"http://www.gnumeric.org/ext/spreadsheetml"
"""Gnumeric in the properties of a file, and the namespace that it declares at the start of each sheet."""
_HEAD = 1024
_PROGRAM = re.compile(r"<(?:\w+:)?Application>([^<]{1,80})</")


class CellsOnly(ExcelReader):
    """Reads only names, styles and cells.

    Pictures, comments and links are ignored, as they do not affect values. Merged cells, conditional formats
    and charts are read separately: openpyxl would create every cell that a merged range or a link covers.
    """

    def __init__(self, archive: GuardedArchive, *, parse: bool) -> None:
        """Read from an archive; without `parse`, sheets are located but not parsed."""
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
        self.active: Mapping[str, Activity] = {}
        self.theme = b""
        self.shows_gnumeric = True

    def read(self) -> None:
        """Read the workbook, or without `parse` only what is needed to locate the sheets.

        Raises:
            AmbiguousError: the workbook is ambiguous.
        """
        if self.parse:
            archive: Any = self.archive
            package = read_package(archive)
            self.active = active_parts(archive, package.types)
            self.calculation = read_workbook_part(
                archive.read_scanned(package.workbook), package.links, tables_of(archive, package)
            )
            if ARC_STYLE in self.valid_files:
                check_styles(archive.read_scanned(ARC_STYLE))
            try:
                super().read()
            except ValueError as error:  # openpyxl wraps these in a long message
                raise error.__cause__ or error from None
            return
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        self.read_worksheets()

    def read_strings(self) -> None:
        """Read the shared strings."""
        package: Any = self.package
        if part := package.find(SHARED_STRINGS):
            with self.archive.open(part.PartName.removeprefix("/")) as source:
                self.shared_strings, self.doubtful_strings = read_strings(source)

    def read_properties(self) -> None:
        """Skip the core properties."""

    def read_custom(self) -> None:
        """Skip custom properties."""

    def read_theme(self) -> None:
        """Read the colours that styles refer to by index."""
        package: Any = self.package
        part = package.find(THEME)
        if part and (name := part.PartName.removeprefix("/")) in self.valid_files:
            self.theme = self.archive.read(name)
            check_theme(self.theme)

    def read_worksheets(self) -> None:
        """Read the cells of every sheet; other kinds of sheets stay empty."""
        archive: Any = self.archive
        if len(self.parser.sheets) > archive.allowed.sheets:
            what = say("has {n:,} sheets", n=len(self.parser.sheets))
            raise archive.too_much(what, f"{archive.allowed.sheets:,}")
        sheets = [(s, rel) for s, rel in self.parser.find_sheets() if rel.target in self.valid_files]
        progress = _Progress(2 * len(sheets))
        for _, relation in progress.of(sheets) if self.parse else ():
            archive.charge(relation.target)
        for sheet, relation in progress.of(sheets) if self.parse else sheets:
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
        with archive.charged(part) as source:
            self.shows_gnumeric = self.shows_gnumeric and _GNUMERIC_MARK in source.read(_HEAD)
        try:
            with archive.charged(part) as source:
                reader = SheetReader(worksheet, source, self.shared_strings, self.doubtful_strings)
                reader.bind_cells()
            if (runs := archive.runs(part)).rows:
                _refuse_duplicates(runs, worksheet._cells)
                self.runs[tab] = runs
                _refuse_styles(runs, len(worksheet.parent._cell_styles))
            workbook: Any = self.wb
            rows, looks = reader.parser.row_dimensions, workbook._differential_styles.styles
            root = reader.parser.root
            view = view_of(tab, root, rows, looks, len(workbook._cell_styles))
            objects = tuple(objects_of(archive, part, tab, root, view.grid))
            self.views[tab] = replace(view, charts=charts_of(archive, part), objects=objects)
        except AmbiguousError as error:
            raise AmbiguousError(say("on sheet {tab}, {what}", tab=tab, what=error)) from None
        self.saved |= reader.parser.saved
        self.doubts |= reader.parser.doubts


class _Progress:
    """Reports progress while sheets are scanned and parsed."""

    def __init__(self, sheets: int) -> None:
        self.done, self.sheets = 0, sheets

    def of(self, items: Iterable[Any]) -> Iterator[Any]:
        """The same items, reporting each."""
        for item in items:
            extra = {"step": say("checking: reading"), "done": self.done, "of": self.sheets}
            LOG.debug("", extra=extra)
            yield item
            self.done += 1


def _refuse_duplicates(runs: NumberRuns, cells: Iterable[tuple[int, int]]) -> None:
    """Refuse a cell that is both in a run and outside."""
    for row, col in cells:
        if next(runs.within(row - 1, col - 1, col - 1), None):
            raise AmbiguousError(say("row {row} has a duplicate cell", row=row))


def _refuse_styles(runs: NumberRuns, styles: int) -> None:
    """Refuse a run whose style does not exist."""
    for style in (style for style in runs.styles if style >= styles):
        raise AmbiguousError(
            say("{key} is {said}, which is not in {name}", key="s", said=style, name="cellXfs")
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """The contents of a workbook file.

    Attributes:
        workbook: its formulas and typed values.
        saved: (tab, row, column) → the saved value of the cell, whether it has a formula or not.
        active: the parts with macros or links, by name.
        saved_by: the program that saved it last.
        by_gnumeric: whether this was Gnumeric, and its sheets show that too.
        runs: the long runs of plain numbers in large sheets, by tab; they are not in the workbook.
        doubts: (tab, row, column) → why programs read the cell in different ways.
        calculation: the calculation settings.
        views: how each sheet shows its cells, by tab.
        theme: the theme part, with the colours that styles refer to by index; empty if missing.
    """

    workbook: Workbook
    saved: Mapping[tuple[str, int, int], Value]
    active: Mapping[str, Activity]
    saved_by: str
    by_gnumeric: bool
    runs: Mapping[str, NumberRuns]
    doubts: Mapping[tuple[str, int, int], Doubt]
    calculation: Calculation
    views: Mapping[str, SheetView]
    theme: bytes


def load(path: Path, allowed: Allowance = STANDARD) -> Opened:
    """Read a workbook file in one pass.

    Raises:
        NotCheckableError: it exceeds a limit.
        Exception: any error of openpyxl, zipfile or the XML parser on a broken file.
    """
    with warnings.catch_warnings(), GuardedArchive(path, allowed) as archive:
        warnings.simplefilter("ignore")
        properties = b""
        if _PROPERTIES in archive.namelist():
            properties = archive.read(_PROPERTIES)
        program = _PROGRAM.search(properties.decode("utf-8", "replace"))
        reader = CellsOnly(archive, parse=True)
        reader.read()
        saved_by = html.unescape(program[1]).strip() if program else ""
        by_gnumeric = saved_by.lower() == _GNUMERIC and reader.shows_gnumeric
        content = reader.wb, reader.saved, reader.active, saved_by, by_gnumeric, reader.runs
        return Opened(*content, reader.doubts, reader.calculation, reader.views, reader.theme)
