"""Mutants: one fault in a finished workbook, and how it is written."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias
from xml.etree import ElementTree as ET

from openpyxl.utils import get_column_letter

from xlsxattn.checker.reading.book import Formula

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xlsxattn.checker.cells import Area, Value
    from xlsxattn.checker.reading.book import Book

    At: TypeAlias = tuple[str, int, int]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
BOOK = "xl/workbook.xml"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ET.register_namespace("", MAIN)
ET.register_namespace("r", LINKS)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Attributes:
        kind: the kind of fault.
        ranges: the names that the first finding may have.
        what: a description of one line.
        cells: new contents of cells: a formula, a number, a text.
        names: new areas of names; None for a deleted name.
        source: if a formula reads another range: the right name and the wrong one.
        manifest: ranges with the faulty formula in the manifest as well.
    """

    kind: str
    ranges: tuple[str, ...]
    what: str
    cells: Mapping[At, Formula | Value] = field(default_factory=dict)
    names: Mapping[str, Area | None] = field(default_factory=dict)
    source: tuple[str, str] = ("", "")
    manifest: Mapping[str, str] = field(default_factory=dict)


def mutated(book: Book, mutant: Mutant) -> Book:
    """The workbook with the fault, as the check reads it."""
    formulas, typed = dict(book.formulas), dict(book.typed)
    for at, new in mutant.cells.items():
        formulas.pop(at, None)
        if isinstance(new, Formula):
            formulas[at] = new
        elif new is not None:
            typed[at] = new
    names = {name: mutant.names.get(name, area) for name, area in book.names.items()}
    left = {name: area for name, area in names.items() if area is not None}
    return with_manifest(replace(book, formulas=formulas, typed=typed, names=left), mutant.manifest)


def with_manifest(book: Book, texts: Mapping[str, str]) -> Book:
    """Replace formulas in the manifest of a workbook."""
    own = book.manifest.formulas
    formulas = {**own, **{name: (own[name][0], text) for name, text in texts.items()}}
    return replace(book, manifest=replace(book.manifest, formulas=formulas))


class Package:
    """The parts of a finished workbook; a mutant only replaces the part with the fault."""

    def __init__(self, path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            self.parts = {name: archive.read(name) for name in archive.namelist()}
        root = ET.fromstring(self.parts[BOOK])
        links = ET.fromstring(self.parts["xl/_rels/workbook.xml.rels"])
        targets = {link.get("Id"): str(link.get("Target")) for link in links}
        self.tabs = {
            str(sheet.get("name")): "xl/" + targets[sheet.get(f"{{{LINKS}}}id")].removeprefix("/xl/")
            for sheet in root.iter(f"{{{MAIN}}}sheet")
        }

    def write(self, mutant: Mutant, path: Path) -> None:
        """Write a mutant to a file."""
        parts = dict(self.parts)
        for tab in {tab for tab, _, _ in mutant.cells}:
            here = {(row, col): new for (sheet, row, col), new in mutant.cells.items() if sheet == tab}
            parts[self.tabs[tab]] = _with_cells(parts[self.tabs[tab]], here)
        if mutant.names:
            parts[BOOK] = _with_names(parts[BOOK], mutant.names)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)


def _with_names(part: bytes, names: Mapping[str, Area | None]) -> bytes:
    root = ET.fromstring(part)
    for defined in root.iter(f"{{{MAIN}}}definedNames"):
        for one in list(defined):
            if str(one.get("name")) not in names or one.get("localSheetId"):
                continue
            area = names[str(one.get("name"))]
            if area is None:
                defined.remove(one)
            else:
                left, right = (get_column_letter(area.col + n) for n in (1, area.cols))
                tab = area.sheet.replace("'", "''")
                one.text = f"'{tab}'!${left}${area.row + 1}:${right}${area.row + area.rows}"
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True))


def _with_cells(part: bytes, cells: Mapping[tuple[int, int], Formula | Value]) -> bytes:
    root = ET.fromstring(part)
    data = next(root.iter(f"{{{MAIN}}}sheetData"))
    for (row, col), new in cells.items():
        _fill(_cell(_row(data, row + 1), row + 1, col), new)
    return bytes(ET.tostring(root, "utf-8", xml_declaration=True))


def _row(data: ET.Element, number: int) -> ET.Element:
    before = [row for row in data if int(row.get("r", "0")) <= number]
    if before and before[-1].get("r") == str(number):
        return before[-1]
    new = ET.Element(f"{{{MAIN}}}row", r=str(number))
    data.insert(len(before), new)
    return new


def _cell(row: ET.Element, number: int, col: int) -> ET.Element:
    ref = f"{get_column_letter(col + 1)}{number}"
    before = [cell for cell in row if (len(str(cell.get("r"))), str(cell.get("r"))) <= (len(ref), ref)]
    if before and before[-1].get("r") == ref:
        return before[-1]
    new = ET.Element(f"{{{MAIN}}}c", r=ref)
    row.insert(len(before), new)
    return new


def _fill(cell: ET.Element, new: Formula | Value) -> None:
    for child in list(cell):
        cell.remove(child)
    cell.attrib.pop("t", None)
    if isinstance(new, Formula):
        f = ET.SubElement(cell, f"{{{MAIN}}}f")
        f.text = new.text.removeprefix("=")
        if new.array:
            first, last = (new.area.address(n * (new.area.rows - 1), n * (new.area.cols - 1)) for n in (0, 1))
            corners = [corner.removeprefix(f"{new.area.sheet}!") for corner in (first, last)]
            f.attrib.update({"t": "array", "ref": ":".join(dict.fromkeys(corners))})
        ET.SubElement(cell, f"{{{MAIN}}}v").text = ""
    elif isinstance(new, str):
        cell.set("t", "inlineStr")
        text = ET.SubElement(ET.SubElement(cell, f"{{{MAIN}}}is"), f"{{{MAIN}}}t")
        text.text = new
        text.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    elif new is not None:
        ET.SubElement(cell, f"{{{MAIN}}}v").text = repr(new)
