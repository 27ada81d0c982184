"""Places of a finished workbook that tampering changes, such as an input or the start of a block.

The ways to tamper are texts with marks such as ``⟦input⟧``, which stand for places; `local` fills them in
for one workbook, so that the same ways apply to any workbook.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias
from xml.sax.saxutils import escape

from dev.campaign.formulas import moved
from xlsxattn.checker.cells import Area, column_of, letters_of
from xlsxattn.checker.reading.book import Book, read
from xlsxattn.contract.names import WORDS, of_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Parts: TypeAlias = dict[str, bytes]
    Make: TypeAlias = Callable[[Path, Path], Path]
    """Tampers with a workbook: from its file to another file, which is returned."""

BOOK, TYPES = "xl/workbook.xml", "[Content_Types].xml"
LINKS, STRINGS = "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
CHART = "⟦chart⟧"
MARK = re.compile("⟦(.+?)⟧")
SHEET = re.compile(r'<sheet name="([^"]*)" sheetId="\d+" r:id="(rId\d+)"')
MIN_COLUMNS = 3
ENTERED = ("block", "rows", "cells", "cell arrays")
"""How the blocks may be entered: the first as one array formula, the others in each row or cell."""
BLOCKS = ("Masked", "Scaled", "Attention", "Output", "Norm1")
"""Blocks with several rows and columns, the preferred ones first."""


class NotApplicable(Exception):
    """The workbook does not have what this way of tampering changes."""


def parts_of(path: Path) -> Parts:
    """The parts of a workbook."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(path: Path, parts: Mapping[str, bytes]) -> Path:
    """Write the parts of a workbook."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def local(source: Path, text: str) -> str:
    """Replace marks in a text by the places of a workbook."""
    if "⟦" not in text:
        return text
    places = _places(source, source.stat().st_mtime_ns)

    def place(match: re.Match[str]) -> str:
        if match[1] not in places:
            raise NotApplicable(match[1])
        return places[match[1]]

    return MARK.sub(place, text)


def edited(source: Path, target: Path, part: str, *edits: tuple[str, str]) -> Path:
    """Replace texts in a part, which must contain them; all may have marks."""
    parts, part = parts_of(source), local(source, part)
    for texts in edits:
        old, new = (local(source, text).encode() for text in texts)
        if old not in parts.get(part, b""):
            raise NotApplicable(f"{part}: {old.decode()}")
        parts[part] = parts[part].replace(old, new, 1)
    return packed(target, parts)


@lru_cache(maxsize=2)
def _places(source: Path, _: int) -> Mapping[str, str]:
    """The places of a workbook by their marks; those that it does not have are missing."""
    book, parts = read(source), {name: xml.decode() for name, xml in parts_of(source).items()}
    tabs = _part_of_tabs(parts)
    return dict(
        place
        for finder in (_of_input, _of_word, _of_blocks, _of_sheets, _of_formulas, _of_chart)
        for place in finder(book, parts, tabs)
    )


Places: TypeAlias = "Iterator[tuple[str, str]]"


def _part_of_tabs(parts: Mapping[str, str]) -> dict[str, str]:
    targets = dict(re.findall(r'Id="(rId\d+)"[^>]*? Target="([^"]*)"', parts[LINKS]))
    if not targets:
        targets = {i: t for t, i in re.findall(r'Target="([^"]*)"[^>]*? Id="(rId\d+)"', parts[LINKS])}
    return {tab: f"xl/{targets[i].removeprefix('/xl/')}" for tab, i in SHEET.findall(parts[BOOK])}


def _cell(xml: str, address: str) -> str:
    """The XML of a cell; "" if it is not there."""
    found = re.search(rf'<c r="{address}"(?: [^>]*)?(?:/>|>.*?</c>)', xml)
    return found[0] if found else ""


def _address(area: Area, row: int = 0, col: int = 0) -> str:
    return area.address(row, col).rpartition("!")[2]


def _span(area: Area) -> str:
    last = _address(area, area.rows - 1, area.cols - 1)
    return _address(area) if area.rows == area.cols == 1 else f"{_address(area)}:{last}"


def _fixed(area: Area) -> str:
    """The reference to an area as names and charts have it."""
    return f"'{area.sheet}'!" + re.sub("([A-Z]+)([0-9]+)", r"$\1$\2", _span(area))


def _of_input(book: Book, parts: Mapping[str, str], tabs: Mapping[str, str]) -> Places:
    """Three numbers of the second word of the vocabulary, and the vocabulary."""
    area = book.names[WORDS["E"]]
    part = tabs[area.sheet]
    yield from (("inputs", part), ("vocabulary", _fixed(area)), ("relative", _fixed(area).replace("$", "")))
    yield "free", f"'{area.sheet}'!$C$3"
    cells = [_cell(parts[part], _address(area, 1, col)) for col in range(min(area.cols, MIN_COLUMNS))]
    if area.rows < MIN_COLUMNS or len(cells) < MIN_COLUMNS or any("<v>" not in cell for cell in cells):
        return
    for mark, col in (("first", 0), ("second", 1), ("input", 2)):
        yield mark, cells[col]
        yield f"{mark} at", _address(area, 1, col)
        yield f"{mark} below", _address(area, 2, col)
        yield f"{mark} style", re.search(' s="[0-9]+"', cells[col])[0].strip()  # type: ignore[index]
        yield f"{mark} value", re.search("<v>(.*)</v>", cells[col])[1]  # type: ignore[index]
    row = area.row + 2
    yield from (("row", str(row)), ("row above", str(row - 2)))
    if found := re.search(rf'<row r="{row}".*?</row>', parts[part]):
        yield "row cells", found[0]


def _of_word(book: Book, parts: Mapping[str, str], tabs: Mapping[str, str]) -> Places:
    """A word of the first sentence, and the drop-down list of the sentence."""
    area = book.names[of_context(book.manifest.contexts[0])["Tokens"]]
    xml = parts[tabs[area.sheet]]
    yield from (("words", tabs[area.sheet]), ("first word at", _address(area)))
    for row in range(area.rows - 1, -1, -1):
        word, cell = book.typed.get((area.sheet, area.row + row, area.col)), _cell(xml, _address(area, row))
        if isinstance(word, str) and word and 't="s"' in cell:
            yield from (("word cell", cell), ("word at", _address(area, row)), ("word", escape(word)))
            yield from (("letter", escape(word[0])), ("letters", escape(word[1:])))
            yield "letter number", f"{ord(word[0]):04x}"
            break
    offers = re.findall(r"<dataValidation [^>]*>.*?</dataValidation>", xml)
    if offer := [text for text in offers if f'sqref="{_span(area)}"' in text and WORDS["Tokens"] in text]:
        yield "offer", offer[0]
        yield "offer without arrow", offer[0].replace('type="list"', 'type="list" showDropDown="1"')
        choices = _fixed(book.names[WORDS["Tokens"]])
        for mark, other in (("offer of others", "&quot;the,cat&quot;"), ("offer by cells", choices)):
            yield mark, offer[0].replace(WORDS["Tokens"], other)
    if found := re.search(r"<formula>\$[A-Z]+([0-9]+)=0</formula>", xml):
        yield from (("no word", found[0]), ("no other word", f"<formula>$XFA{found[1]}=0</formula>"))


def _of_blocks(book: Book, parts: Mapping[str, str], tabs: Mapping[str, str]) -> Places:
    """Two blocks of a sheet: their cells, rows and columns."""
    blocks = [
        (name, area)
        for name, (entered, _) in book.manifest.formulas.items()
        if entered in ENTERED and (area := book.names[name]).rows > 1 and area.cols > 1
    ]
    wanted = {kind: [b for b in blocks if book.manifest.parse(b[0]).block == kind] for kind in BLOCKS}
    shown = next(iter([*wanted["Attention"], *wanted["Output"], *blocks]), None)
    if shown is None:
        return
    name, area = shown
    part = tabs[area.sheet]
    yield from (
        ("computed", part),
        ("shown", name),
        ("shown at", _address(area)),
        ("shown cells", _span(area)),
        ("shown row", str(area.row)),
        ("shown column", str(area.col)),
    )
    yield from (("shown area", _fixed(area).rpartition("!")[2]), ("shown labels", _fixed(_label(area))))
    end = moved(area, area.rows - 1, area.cols - 1)
    yield "shown pair", _span(replace(area, rows=1, cols=2))
    yield "shown and beside", f"{_address(end)}:{_address(end, 2, 5)}"
    yield from (("shown next", _address(area, 0, 1)), ("shown below", _address(area, 1)))
    yield "second row", str(area.row + 2)
    below = [b for b in wanted["Output"] if b[1].sheet == area.sheet]
    output = next((b for b in below if b[1] != area), shown)
    yield from (("output", output[0]), ("output at", _address(output[1])))
    near = [b for kind in BLOCKS for b in wanted[kind] if b[1].sheet == area.sheet]
    _, block = next(iter(near), shown)
    yield from (("block", _span(block)), ("block at", _address(block)))
    yield from (("block row", _fixed(replace(block, rows=1))), ("block next", _address(block, 0, 1)))
    yield "block cell", _cell(parts[part], _address(block, 0, 1))
    yield "block head", re.search(rf'<c r="{_address(block)}"[^>]*>', parts[part])[0][:-1]  # type: ignore[index]
    yield from _column(area, parts[part])


def _label(area: Area) -> Area:
    return replace(moved(area, -1), rows=1)


def _column(area: Area, xml: str) -> Places:
    """The declared widths of the columns of an area."""
    for found in re.finditer(r'<col min="(\d+)" max="(\d+)" width="([\d.]+)"', xml):
        if int(found[1]) <= area.col + 1 <= int(found[2]):
            yield "column", found[0]
            yield "column width", f'width="{found[3]}"'
            yield "no column", f'<col min="16384" max="16384" width="{found[3]}"'
            yield "no width", f'<col min="{found[1]}" max="{found[2]}" width="0"'


def _of_sheets(book: Book, parts: Mapping[str, str], tabs: Mapping[str, str]) -> Places:
    """The tab of the blocks, and a tab without ranges."""
    own = {area.sheet for area in book.own_names.values()}
    for tab in (tab for tab in list(tabs)[:0:-1] if tab not in own):
        yield from (("other tab", escape(tab)), ("other part", tabs[tab]))
    computed = dict(_of_blocks(book, parts, tabs)).get("computed")
    for tab in (tab for tab, part in tabs.items() if part == computed):
        yield from (("tab", tab), ("tab in capitals", tab.upper()))


def _of_formulas(book: Book, parts: Mapping[str, str], tabs: Mapping[str, str]) -> Places:
    """A formula with a number, a formula with a caption, and a typed constant."""
    for name, (entered, text) in book.manifest.formulas.items():
        area, spelled = book.names[name], escape(text.removeprefix("="))
        saved = book.saved.get((area.sheet, area.row, area.col))
        one = entered == "cells" and area.rows == area.cols == 1 and isinstance(saved, float)
        if one and f">{spelled}<" in parts[tabs[area.sheet]] and f">={spelled}<" in parts[STRINGS]:
            yield from (("formula", spelled), ("formula part", tabs[area.sheet]))
            break
    captions = re.findall(r"<t>(\{=[^<]*\})</t>", parts[STRINGS])
    stated = [c for c in captions if captions.count(c) == 1]
    formulas = {f"{{{escape(text)}}}": name for name, (_, text) in book.manifest.formulas.items()}
    preferred = sorted((c for c in stated if c in formulas), key=lambda c: not formulas[c].endswith("Scaled"))
    if preferred:
        yield from (("caption", preferred[0]), ("captioned", formulas[preferred[0]]))
    proved = {*book.manifest.inputs, *book.manifest.formulas, WORDS["Focus"]}
    constants = [n for n in sorted(book.names.keys() - proved) if not book.manifest.parse(n).is_manifest]
    yield from (("constant", name) for name in constants[:1])


def _of_chart(_: Book, parts: Mapping[str, str], __: Mapping[str, str]) -> Places:
    """What the first chart with bars plots."""
    charts = (part for part in parts if part.startswith("xl/charts/chart"))
    chart = next((part for part in sorted(charts) if "<c:val><c:numRef>" in parts[part]), "")
    if not chart:
        return
    yield "chart", chart
    for mark, start in (
        ("weights", "<c:val><c:numRef>"),
        ("labels", "<c:cat><c:strRef>"),
        ("chart title", "<c:tx><c:strRef>"),
    ):
        if found := re.search(f"{start}<c:f>([^<]*)</c:f>", parts[chart]):
            yield mark, found[1]
            yield f"{mark} tab", found[1].rpartition("!")[0]
    pattern = r"<c:val><c:numRef><c:f>(.*?!\$[A-Z]+\$\d+:\$)([A-Z]+)(\$\d+)</c:f>"
    if found := re.search(pattern, parts[chart]):
        last = column_of(found[2]) or 1
        yield "fewer weights", f"{found[1]}{letters_of(last - 1)}{found[3]}"
