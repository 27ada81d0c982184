"""Workbooks that are ambiguous, or that compute something other than they show.

Each entry of the tables edits a copy of a workbook. Marks stand for its places, see `dev.campaign.places`.
"""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any, cast

from dev.campaign.places import (
    BOOK,
    LINKS,
    STRINGS,
    TYPES,
    NotApplicable,
    edited,
    local,
    packed,
    parts_of,
)
from xlsxattn.checker.findings import Kind

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from dev.campaign.places import Make, Parts

INPUTS, WORDS, COMPUTED = "⟦inputs⟧", "⟦words⟧", "⟦computed⟧"
"""The sheets with the vocabulary and the first sentence, and a sheet with computed blocks."""
CELL, FIRST, SECOND = "⟦input⟧", "⟦first⟧", "⟦second⟧"
"""Three inputs side by side: the third, the first and the second number of the second word."""
AT, STYLE, VALUE = "⟦input at⟧", "⟦input style⟧", "⟦input value⟧"
BLOCK = '<f t="array" ref="⟦block⟧">'
"""The start of an array formula that fills a block."""
ROW = "⟦row cells⟧"
FORMULA = "⟦formula⟧"
"""A formula whose value is one number."""
STYLES, THEME = "xl/styles.xml", "xl/theme/theme1.xml"
CALC = '<calcPr calcId="124519" fullCalcOnLoad="1"/>'
MC = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = (
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)


def put(part: str, old: str, new: str) -> Make:
    """Replace a text in a part."""
    return puts(part, (old, new))


def puts(part: str, *edits: tuple[str, str]) -> Make:
    """Replace several texts in a part."""

    def make(source: Path, target: Path) -> Path:
        return edited(source, target, part, *edits)

    return make


def cell(new: str) -> Make:
    """Replace an input."""
    return put(INPUTS, CELL, new)


def number(value: str, attributes: str = "") -> str:
    """The input's cell with another value."""
    return f'<c r="{AT}" {STYLE}{attributes}><v>{value}</v></c>'


def calc(attributes: str) -> Make:
    """Replace the calculation settings."""
    return put(BOOK, CALC, f"<calcPr {attributes}/>")


def name(new: str) -> Make:
    """Replace what the name of the vocabulary's numbers refers to."""
    return put(BOOK, ">⟦vocabulary⟧</definedName>", new)


def more_names(xml: str) -> Make:
    """Add defined names."""
    return put(BOOK, "</definedNames>", f"{xml}</definedNames>")


def with_parts(change: Callable[[Parts, Path], Parts]) -> Make:
    """Add or replace parts; `change` maps the parts of a file to the new ones."""

    def make(source: Path, target: Path) -> Path:
        parts = parts_of(source)
        return packed(target, parts | change(parts, source))

    return make


def twice(spelled: str) -> Make:
    """A part that is in the archive a second time, under another spelling of its name."""

    def change(parts: Parts, source: Path) -> Parts:
        part, old, new = (local(source, text) for text in (INPUTS, f">{VALUE}<", ">9<"))
        return {spelled: parts[part].replace(old.encode(), new.encode())}

    return with_parts(change)


def relation(old: str, new: str) -> Make:
    """Edit the relationships of the workbook."""
    return put(LINKS, old, new)


def formula(added: str, *, agreed: bool = True) -> Make:
    """Add something to a formula, also in the manifest if `agreed`."""

    def make(source: Path, target: Path) -> Path:
        old, part = local(source, FORMULA), local(source, "⟦formula part⟧")
        parts = parts_of(source)
        for each, start in ((part, ""), (STRINGS, "="))[: 2 if agreed else 1]:
            text = parts[each].decode()
            assert f">{start}{old}<" in text
            parts[each] = text.replace(f">{start}{old}<", f">{start}{old}{added}<", 1).encode()
        return packed(target, parts)

    return make


def with_name(text: str, called: str) -> Make:
    """Define a name, and use it in a formula and in the manifest."""

    def make(source: Path, target: Path) -> Path:
        formula(f"+0*{called}")(source, target)
        return more_names(f'<definedName name="{called}">{text}</definedName>')(target, target)

    return make


def chance_elsewhere(reader: str = "", *, named: str = "") -> Make:
    """A random number on another sheet, optionally with a name, and a formula in an input that reads it."""
    drawn = '<row r="9000"><c r="A9000"><f>RAND()</f><v>0.5</v></c></row></sheetData>'

    def make(source: Path, target: Path) -> Path:
        other, part = local(source, "⟦other part⟧"), local(source, INPUTS)
        text, old = local(source, f'<c r="{AT}"><f>{reader}</f><v>0.5</v></c>'), local(source, CELL)
        where = local(source, "'⟦other tab⟧'!$A$9000")
        defined = f'<definedName name="{named}">{where}</definedName></definedNames>'
        parts = parts_of(source)
        parts[other] = parts[other].replace(b"</sheetData>", drawn.encode())
        if reader:
            parts[part] = parts[part].replace(old.encode(), text.encode())
        if named:
            parts[BOOK] = parts[BOOK].replace(b"</definedNames>", defined.encode())
        return packed(target, parts)

    return make


def table(called: str) -> Make:
    """A table on a sheet, whose name formulas can use."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.table+xml"
    xml = f'<table xmlns="{MAIN}" id="1" name="{called}" displayName="{called}" ref="A1:B2" totalsRowShown="0"><tableColumns count="2"><tableColumn id="1" name="a"/><tableColumn id="2" name="b"/></tableColumns></table>'

    def change(parts: Parts, _: Path) -> Parts:
        declared = f'<Override PartName="/xl/tables/table1.xml" ContentType="{kind}"/></Types>'.encode()
        return {"xl/tables/table1.xml": xml.encode(), TYPES: parts[TYPES].replace(b"</Types>", declared)}

    return with_parts(change)


def second_strings(parts: Parts, _: Path) -> Parts:
    """A second shared-strings part, also declared."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    more = f'<Override PartName="/xl/strings2.xml" ContentType="{kind}"/></Types>'.encode()
    return {"xl/strings2.xml": parts[STRINGS], TYPES: parts[TYPES].replace(b"</Types>", more)}


def second_workbook(parts: Parts, _: Path) -> Parts:
    """A second workbook part, which the content types list first."""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    more = (
        f'<Override PartName="/xl/book2.xml" ContentType="{kind}"/><Override PartName="/docProps/app'.encode()
    )
    types = parts[TYPES].replace(b'<Override PartName="/docProps/app', more)
    return {"xl/book2.xml": parts[BOOK], "xl/_rels/book2.xml.rels": parts[LINKS], TYPES: types}


def with_second(kind: str) -> Make:
    """A second part of a kind, linked and declared before the first."""
    main = {"styles": "xl/styles.xml", "theme": "xl/theme/theme1.xml"}[kind]

    def change(parts: Parts, _: Path) -> Parts:
        link = f'<Relationship Id="rId99" Type="{OFFICE}/{kind}" Target="/xl/{kind}2.xml"/></Relationships>'
        links = parts[LINKS].replace(b"</Relationships>", link.encode())
        return {f"xl/{kind}2.xml": parts[main], LINKS: links}

    return with_parts(change)


def other_styles(source: Path, target: Path) -> Path:
    """Styles in another part than the usual one, which is still there."""
    parts = parts_of(source)
    links = parts[LINKS].replace(b'Target="styles.xml"', b'Target="styles2.xml"')
    return packed(target, parts | {LINKS: links, "xl/styles2.xml": parts[STYLES]})


def renamed_links(source: Path, target: Path) -> Path:
    """Spell the name of a sheet's relationships otherwise."""
    spelled = {part: part.replace("_rels/sheet", "_rels/Sheet") for part in parts_of(source)}
    if all(part == name for part, name in spelled.items()):
        raise NotApplicable  # no sheet has a chart or a picture
    return packed(target, {spelled[part]: xml for part, xml in parts_of(source).items()})


def hidden(state: str, *, renamed: str = "", stranger: str = "") -> Make:
    """Hide a sheet, optionally rename it, and optionally give its name to another sheet."""
    edits = [('<sheet name="⟦tab⟧"', f'<sheet name="{renamed or "⟦tab⟧"}" state="{state}"')]
    if renamed:
        edits += [("'⟦tab⟧'!", f"'{renamed}'!")]
    if stranger:
        edits += [('<sheet name="⟦other tab⟧"', f'<sheet name="{stranger}"')]

    def make(source: Path, target: Path) -> Path:
        parts = parts_of(source)
        book = parts[BOOK].decode()
        for old, new in edits:
            book = book.replace(local(source, old), local(source, new))
        return packed(target, parts | {BOOK: book.encode()})

    return make


def without_first_value(source: Path, target: Path) -> Path:
    """Remove the first saved value of a block and change the second."""
    part, one, two = (local(source, text) for text in (COMPUTED, "⟦shown at⟧", "⟦shown next⟧"))
    parts = parts_of(source)
    pattern = (
        rf'(<c r="{one}"[^>]*><f[^>]*>[^<]*</f>)<v>[^<]*</v>(</c><c r="{two}"[^>]*><v>)[^<]*(</v>)'.encode()
    )
    parts[part], times = re.subn(pattern, rb"\g<1>\g<2>0.77\g<3>", parts[part], count=1)
    if not times:
        raise NotApplicable(one)
    return packed(target, parts)


def google(source: Path, target: Path) -> Path:
    """Array formulas as Google Sheets exports them: in the first cell only."""
    parts = parts_of(source)
    for part in (part for part in parts if part.startswith("xl/worksheets/sheet")):
        wrapped = rb"<f>ARRAY_CONSTRAIN(ARRAYFORMULA(\1), 1, 1)</f>"
        parts[part] = re.sub(rb'<f t="array" ref="[^"]*">([^<]*)</f>', wrapped, parts[part])
    return packed(target, parts)


def strict(source: Path, target: Path) -> Path:
    """Strict Open XML: the same elements in other namespaces."""
    parts = parts_of(source)
    for new, old in zip(STRICT, (OFFICE, MAIN), strict=True):
        parts = {part: xml.replace(old.encode(), new.encode()) for part, xml in parts.items()}
    return packed(target, parts)


def half_strict(source: Path, target: Path) -> Path:
    """A sheet with a cell of the other namespace."""
    head = f'<worksheet xmlns:s="{STRICT[1]}"'
    new = local(source, CELL).replace("<c ", "<s:c ").replace("</c>", "</s:c>")
    return edited(source, target, INPUTS, ("<worksheet", head), (CELL, new))


def prefixed(source: Path, target: Path) -> Path:
    """Prefix every element of a sheet, as some libraries do."""
    parts = parts_of(source)
    part = local(source, INPUTS)
    xml = parts[part].decode().replace(f'xmlns="{MAIN}"', f'xmlns:x="{MAIN}"')
    parts[part] = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", xml).encode()
    return packed(target, parts)


def after_another(source: Path, target: Path) -> Path:
    """Two archives in one file: some programs read the first, others the last."""
    packed(target, parts_of(source))
    target.write_bytes(source.read_bytes() + target.read_bytes())
    return target


def with_comment(source: Path, target: Path) -> Path:
    """An archive with a comment."""
    packed(target, parts_of(source))
    with zipfile.ZipFile(target, "a") as archive:
        archive.comment = b"PK"
    return target


def another_header(offset: int) -> Make:
    """Change a byte of the first header of the first part, but not the directory at the end."""

    def make(source: Path, target: Path) -> Path:
        packed(target, parts_of(source))
        content = bytearray(target.read_bytes())
        content[offset] ^= 1
        target.write_bytes(content)
        return target

    return make


def unlisted_part(source: Path, target: Path) -> Path:
    """A part that only programs find that read the archive from its start."""
    part, parts = local(source, INPUTS), parts_of(source)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            if name == part:
                archive.writestr(name, content.replace(b"1", b"2"))
                del archive.filelist[-1], archive.NameToInfo[name]
            archive.writestr(name, content)
    return target


def with_descriptors(source: Path, target: Path) -> Path:
    """Sizes behind the parts, as programs write them that cannot go back in the file."""
    with target.open("wb") as file, zipfile.ZipFile(cast("Any", _Forwards(file)), "w") as archive:
        for name, content in parts_of(source).items():
            archive.writestr(name, content)
    return target


class _Forwards:
    """A file that cannot go back."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, content: bytes, /) -> int:
        """Write at the end."""
        return self._file.write(content)

    def flush(self) -> None:
        """Do nothing: all is written when the file is closed."""


REFUSED = {
    "another method in the first header": (another_header(8), "the two headers of the part"),
    "another size in the first header": (another_header(18), "the two headers of the part"),
    "a part that is not listed": (unlisted_part, "the two headers of the part"),
    "a part with a dot": (twice("xl/./worksheets/sheet2.xml"), "is in the archive twice"),
    "two archives": (after_another, "its archive has data before the first part"),
    "an archive with a comment": (with_comment, "or after the last"),
    "two values": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>⟦input value⟧</v><v>9</v></c>'),
        "⟦input at⟧ has two values",
    ),
    "two formulas": (put(COMPUTED, BLOCK, f"<f>1</f>{BLOCK}"), "⟦block at⟧ has two values or two formulas"),
    "a value in an element": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><x><v>⟦input value⟧</v></x></c>'),
        "⟦input at⟧ contains elements other than",
    ),
    "an element in a value": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>⟦input value⟧<x/>9</v></c>'),
        "⟦input at⟧ contains elements other than",
    ),
    "a comment in a value": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>1<!-- -->.6</v></c>'),
        "has XML comments",
    ),
    "an instruction in a value": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>1<?x?>.6</v></c>'),
        "has XML comments or processing instructions",
    ),
    "a cell twice": (cell(f"{CELL}{CELL}"), "⟦input at⟧ is a duplicate"),
    "a cell before its turn": (
        puts(INPUTS, (CELL, ""), (FIRST, CELL + FIRST)),
        "⟦first at⟧ is a duplicate or out of order",
    ),
    "a cell of another row": (
        cell('<c r="⟦input below⟧" s="31"><v>⟦input value⟧</v></c>'),
        "⟦input below⟧ is in row ⟦row⟧",
    ),
    "an address in small letters": (
        cell('<c r="e23" s="31"><v>⟦input value⟧</v></c>'),
        "e23 is not a cell address",
    ),
    "a cell without an address": (
        puts(INPUTS, ('r="⟦second at⟧" ', ""), ('r="⟦first at⟧"', 'r="⟦second at⟧"')),
        "⟦input at⟧",
    ),
    "a row twice": (put(INPUTS, ROW, f"{ROW}{ROW}"), "row ⟦row⟧ is a duplicate"),
    "a row before its turn": (
        put(INPUTS, '<row r="⟦row⟧"', '<row r="⟦row above⟧"'),
        "row ⟦row above⟧ is a duplicate or out of order",
    ),
    "a row in a row": (put(INPUTS, CELL, f"<row>{CELL}</row>"), "row ⟦row⟧ is a duplicate"),
    "two lists of rows": (
        put(INPUTS, "</sheetData>", "</sheetData><sheetData></sheetData>"),
        "it has 2 sheetData elements",
    ),
    "alternatives round a cell": (
        cell(f'<mc:AlternateContent {MC}><mc:Choice Requires="x">{CELL}</mc:Choice></mc:AlternateContent>'),
        "row ⟦row⟧ contains elements that are not cells",
    ),
    "alternatives round a row": (
        put(INPUTS, ROW, f"<mc:AlternateContent {MC}><mc:Choice>{ROW}</mc:Choice></mc:AlternateContent>"),
        "rows are mixed with other elements",
    ),
    "alternatives round a name": (
        more_names(f'<mc:AlternateContent {MC}><definedName name="z">1</definedName></mc:AlternateContent>'),
        "definedNames contains other elements",
    ),
    "alternatives round settings": (
        put(BOOK, CALC, f"<mc:AlternateContent {MC}>{CALC}</mc:AlternateContent>"),
        "calcPr appears twice or inside another element",
    ),
    "a comment in a name": (name(">⟦vocabulary⟧<!-- x --></definedName>"), "has XML comments"),
    "an instruction in a name": (
        name(">⟦vocabulary⟧<?x +1?></definedName>"),
        "has XML comments or processing instructions",
    ),
    "an element in a name": (
        name(">⟦vocabulary⟧<x>+1</x></definedName>"),
        "definedNames contains other elements",
    ),
    "a name twice": (
        more_names('<definedName name="vocab_E">⟦free⟧</definedName>'),
        "the name vocab_e is defined twice",
    ),
    "a name twice in other capitals": (
        more_names('<definedName name="VOCAB_e">⟦free⟧</definedName>'),
        "the name vocab_e is defined twice",
    ),
    "a table named like a range": (table("Vocab_e"), "the name vocab_e is defined twice"),
    "a name of no sheet": (
        more_names('<definedName name="z" localSheetId="77">1</definedName>'),
        "the name z belongs to a sheet that does not exist",
    ),
    "a tab twice": (
        put(BOOK, 'sheet name="⟦other tab⟧"', 'sheet name="⟦tab in capitals⟧"'),
        "is used twice",
    ),
    "a sheet's number twice": (
        put(BOOK, 'sheetId="4"', 'sheetId="3"'),
        "the sheet ID 3 is used twice",
    ),
    "a part for two sheets": (
        put(BOOK, 'r:id="rId4"', 'r:id="rId3"'),
        "two sheets share the part xl/worksheets/sheet3.xml",
    ),
    "a sheet without a part": (
        put(BOOK, 'r:id="rId4"', 'r:id="rId77"'),
        "has no part",
    ),
    "a part in other capitals": (twice("xl/worksheets/Sheet2.xml"), "is in the archive twice"),
    "a part with another slash": (twice("xl\\worksheets\\sheet2.xml"), "is in the archive twice"),
    "a part from the root": (twice("/xl/worksheets/sheet2.xml"), "is in the archive twice"),
    "a part percent-encoded": (twice("xl/worksheets/sheet%32.xml"), "is in the archive twice"),
    "a relationship twice": (
        relation('Id="rId4"', 'Id="rId2"'),
        "the relationship rId2 is defined twice",
    ),
    "a relationship that leaves": (
        relation('Target="worksheets/sheet2.xml"', 'Target="worksheets/sheet2.xml" TargetMode="External"'),
        "which programs resolve to different parts or to none",
    ),
    "a target percent-encoded": (
        relation("worksheets/sheet2.xml", "worksheets/sheet%32.xml"),
        "refers to worksheets",
    ),
    "a target above the root": (
        relation("worksheets/sheet2.xml", "../../xl/worksheets/sheet2.xml"),
        "refers to ..",
    ),
    "a target in other capitals": (
        relation("worksheets/sheet2.xml", "worksheets/SHEET2.xml"),
        "refers to worksheets",
    ),
    "a worksheet linked as another kind": (
        relation(
            f'{OFFICE}/worksheet" Target="worksheets/sheet2',
            f'{OFFICE}/chartsheet" Target="worksheets/sheet2',
        ),
        "is linked as chartsheet",
    ),
    "a worksheet declared as another kind": (
        put(
            TYPES,
            'sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.work',
            'sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.chart',
        ),
        "is linked as worksheet, but declared as",
    ),
    "a content type twice": (
        put(TYPES, "</Types>", '<Override PartName="/XL/workbook.xml" ContentType="x"/></Types>'),
        "the content type of /xl/workbook.xml is declared twice",
    ),
    "two workbooks by type": (with_parts(second_workbook), "but xl/book2.xml"),
    "two workbooks by relationship": (
        put(
            "_rels/.rels",
            "</Relationships>",
            f'<Relationship Id="r9" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        ),
        "it refers to 2 workbooks",
    ),
    "two tables of texts": (with_parts(second_strings), "the shared strings part is"),
    "texts in two lists": (
        put(STRINGS, "<si>", f'<sst xmlns="{MAIN}"><si><t>x</t></si></sst><si>'),
        "more than one list",
    ),
    "a text in two ways": (
        put(STRINGS, "<si><t>", "<si><r><t>x</t></r><t>"),
        "a string is stored in two forms",
    ),
    "a text that is not there": (cell('<c r="⟦input at⟧" t="s"><v>99999</v></c>'), "damaged"),
    "a text before the first": (cell('<c r="⟦input at⟧" t="s"><v>-1</v></c>'), "⟦input at⟧ holds '-1'"),
    "a number with an underscore": (cell('<c r="⟦input at⟧"><v>1_6</v></c>'), "⟦input at⟧ holds '1_6'"),
    "a number in other digits": (
        cell('<c r="⟦input at⟧"><v>١٦</v></c>'),
        "which programs read in different ways",
    ),
    "no number": (cell('<c r="⟦input at⟧"><v>nan</v></c>'), "⟦input at⟧ holds 'nan'"),
    "a hexadecimal number": (cell('<c r="⟦input at⟧"><v>0x10</v></c>'), "⟦input at⟧ holds '0x10'"),
    "a truth spelled out": (cell('<c r="⟦input at⟧" t="b"><v>true</v></c>'), "⟦input at⟧ holds 'true'"),
    "a value of no kind": (
        cell('<c r="⟦input at⟧" t="x"><v>⟦input value⟧</v></c>'),
        "the value in ⟦input at⟧ is not of its declared type",
    ),
    "an inline text with a value": (
        cell('<c r="⟦input at⟧" t="inlineStr"><is><t>x</t></is><v>⟦input value⟧</v></c>'),
        "the value in ⟦input at⟧ is not of its declared type",
    ),
    "an inline text in a number": (
        cell('<c r="⟦input at⟧"><v>⟦input value⟧</v><is><t>9</t></is></c>'),
        "the value in ⟦input at⟧ is not of its declared type",
    ),
    "a formula of no kind": (
        put(COMPUTED, BLOCK, BLOCK.replace("array", "matrix")),
        "the formula in ⟦block at⟧ is not of its declared type",
    ),
    "a formula shared by nobody": (
        cell('<c r="⟦input at⟧"><f t="shared" si="7"/><v>⟦input value⟧</v></c>'),
        "⟦input at⟧ uses the shared formula 7",
    ),
    "a shared formula spelled out twice": (
        puts(
            INPUTS,
            (FIRST, '<c r="⟦first at⟧"><f t="shared" ref="⟦first at⟧:⟦second at⟧" si="0">1</f><v>1</v></c>'),
            (
                SECOND,
                '<c r="⟦second at⟧"><f t="shared" ref="⟦first at⟧:⟦second at⟧" si="0">2</f><v>1</v></c>',
            ),
        ),
        "⟦second at⟧ uses the shared formula 0, which is defined twice",
    ),
    "a shared formula of other cells": (
        puts(
            INPUTS,
            (
                FIRST,
                '<c r="⟦first at⟧"><f t="shared" ref="⟦first at⟧:⟦first below⟧" si="0">1</f><v>1</v></c>',
            ),
            (SECOND, '<c r="⟦second at⟧"><f t="shared" si="0"/><v>1</v></c>'),
        ),
        "⟦second at⟧ uses the shared formula 0, which does not cover it",
    ),
    "Lotus 1-2-3": (
        put(INPUTS, "<dimension", '<sheetPr transitionEvaluation="1"/><dimension'),
        "uses Lotus 1-2-3 evaluation rules",
    ),
    "an array of absolute cells": (
        put(COMPUTED, BLOCK, '<f t="array" ref="$⟦block⟧">'),
        "the formula in ⟦block at⟧ is not of its declared type",
    ),
    "a hidden row in another spelling": (
        put(COMPUTED, '<row r="⟦second row⟧"', '<row r="⟦second row⟧" hidden="on"'),
        "a setting is on, but must be 1 or 0",
    ),
    "a height that is none": (
        put(COMPUTED, '<row r="⟦second row⟧" ', '<row r="⟦second row⟧" ht="nan" '),
        "a setting is nan, but must be a number",
    ),
    "styles elsewhere": (other_styles, "the styles part is xl/styles2.xml by its relationships"),
    "styles twice": (with_second("styles"), "the styles part is"),
    "a theme twice": (with_second("theme"), "the theme part is"),
    "styles that are not linked": (
        relation("relationships/styles", "relationships/others"),
        "the styles part is – by its relationships",
    ),
    "a number format twice": (
        put(
            STYLES,
            "<numFmts ",
            '<numFmts count="1"><numFmt numFmtId="169" formatCode="0"/></numFmts><numFmts ',
        ),
        "numFmts appears twice",
    ),
    "a number format by a number twice": (
        put(STYLES, "</numFmts>", '<numFmt numFmtId="169" formatCode="&quot;0.84&quot;"/></numFmts>'),
        "the number format 169 is defined twice",
    ),
    "alternatives round a number format": (
        put(STYLES, "</numFmts>", f"<mc:AlternateContent {MC}/></numFmts>"),
        "numFmts contains other elements than numFmt",
    ),
    "fonts twice": (put(STYLES, "<fills ", "<fonts/><fills "), "fonts appears twice"),
    "a font of two colours": (
        put(STYLES, '<color theme="1"/>', '<color theme="1"/><color rgb="FFFFFFFF"/>'),
        "color appears twice",
    ),
    "a font that is not there": (
        put(STYLES, 'fontId="1"', 'fontId="999"'),
        "fontId is 999, which is not in fonts",
    ),
    "a size that is none": (put(STYLES, '<sz val="11"/>', '<sz val="nan"/>'), "a setting is nan"),
    "a theme of named colours": (
        put(THEME, '<a:sysClr val="windowText" lastClr="000000"/>', '<a:prstClr val="white"/>'),
        "the theme colour dk1 is not a plain colour",
    ),
    "a theme of another system": (
        put(THEME, '<a:sysClr val="windowText"', '<a:sysClr val="window"'),
        "the theme colour dk1 is not a plain colour",
    ),
    "a drawing in other capitals": (
        put("xl/drawings/_rels/drawing1.xml.rels", "chart1.xml", "Chart1.xml"),
        "which programs resolve to different parts or to none",
    ),
    "relationships in other capitals": (
        renamed_links,
        "which programs resolve to different parts or to none",
    ),
    "a name with a blank": (
        more_names('<definedName name=" vocab_E">⟦free⟧</definedName>'),
        "the name vocab_e is defined twice",
    ),
    "a name with another s": (
        more_names('<definedName name="vocab_Statu\u017f">⟦free⟧</definedName>'),
        "the name vocab_status is defined twice",
    ),
    "a flag that is none": (calc('fullPrecision="no"'), "fullPrecision is no"),
    "Strict in part": (half_strict, "mixes Strict and Transitional Open XML"),
}
"""Files that are refused, with a part of the message."""

ERRORS = {
    "a name that is a product": (name(">⟦vocabulary⟧*2</definedName>"), Kind.MISSING),
    "a name that is a sum": (name(">⟦vocabulary⟧+1</definedName>"), Kind.MISSING),
    "a name of two ranges": (
        name(">⟦vocabulary⟧,⟦free⟧</definedName>"),
        Kind.MISSING,
    ),
    "a name that moves": (name(">⟦relative⟧</definedName>"), Kind.MISSING),
    "a computed name that is a product": (
        put(BOOK, "⟦shown area⟧</definedName>", "⟦shown area⟧*1</definedName>"),
        Kind.MISSING,
    ),
    "a constant's name that is a number": (
        put(BOOK, '<definedName name="⟦constant⟧">', '<definedName name="⟦constant⟧">1+'),
        Kind.MISSING,
    ),
    "a name that is a macro": (
        put(BOOK, 'name="vocab_E"', 'name="vocab_E" function="1"'),
        Kind.MISSING,
    ),
    "another meaning on a sheet": (
        more_names('<definedName name="vocab_e" localSheetId="2">⟦free⟧</definedName>'),
        Kind.SHADOWED_NAME,
    ),
    "an infinite input": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>1e999</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "an infinite input, negative": (
        cell('<c r="⟦input at⟧" ⟦input style⟧><v>-1E400</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "a date as input": (
        cell('<c r="⟦input at⟧" t="d"><v>2020-01-01</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "a rich value": (
        cell('<c r="⟦input at⟧" ⟦input style⟧ vm="1"><v>⟦input value⟧</v></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "an escaped letter": (
        put(
            WORDS,
            "⟦word cell⟧",
            '<c r="⟦word at⟧" t="inlineStr"><is><t>_x⟦letter number⟧_⟦letters⟧</t></is></c>',
        ),
        Kind.DOUBTFUL_VALUE,
    ),
    "a data table": (
        cell(
            '<c r="⟦input at⟧"><f t="dataTable" ref="⟦input at⟧:⟦input below⟧" dt2D="0" r1="C3"/><v>⟦input value⟧</v></c>'
        ),
        Kind.UNSTEADY_FORMULA,
    ),
    "a formula in another's block": (
        put(COMPUTED, "⟦block cell⟧", '<c r="⟦block next⟧"><f>1</f><v>1</v></c>'),
        Kind.OVERLAPPING_FORMULAS,
    ),
    "precision as displayed": (calc('fullPrecision="0"'), Kind.PRECISION_AS_DISPLAYED),
    "precision as displayed, spelled out": (calc('fullPrecision="false"'), Kind.PRECISION_AS_DISPLAYED),
    "iterative calculation": (calc('iterate="1"'), Kind.ITERATIVE_CALCULATION),
    "a stranger under a tab": (
        hidden("hidden", renamed="x", stranger="⟦tab⟧"),
        Kind.HIDDEN_SHEET,
    ),
    "a stranger under nearly a tab": (
        hidden("veryHidden", stranger="⟦tab⟧ (2)"),
        Kind.HIDDEN_SHEET,
    ),
    "a name that draws": (with_name("RAND()", "chance"), Kind.UNSTEADY_FORMULA),
    "a name that calculates": (with_name("1+1", "two"), Kind.UNSTEADY_FORMULA),
    "an input that reads a random number": (
        chance_elsewhere("'⟦other tab⟧'!A9000"),
        Kind.UNSTEADY_FORMULA,
    ),
    "an input that reads a random number by name": (
        chance_elsewhere("2*drawn", named="drawn"),
        Kind.UNSTEADY_FORMULA,
    ),
    "a user's function": (formula("+0*_xll.MINE()"), Kind.UNSTEADY_FORMULA),
    "formulas as Google spells them": (google, Kind.FORMULAS_LOST),
}
"""Errors, with the kind of finding."""

CALLS = ("NOW()", "TODAY()", "RAND()", "RANDBETWEEN(1,2)", "_xlfn.RANDARRAY(1)", 'INFO("release")', 'CELL("row",C3)',
         'INDIRECT("C3")', "OFFSET(C3,0,0)", 'HYPERLINK("x",1)', 'WEBSERVICE("x")', 'RTD("x",,"y")',
         'CUBEVALUE("x")', '_xlfn.FILTERXML("x","y")', '_xlfn.ENCODEURL("x")', "CALL(1)", 'REGISTER.ID("x","y")',
         "EVALUATE(1)", "GET.CELL(1)", "_xlfn.FORMULATEXT(C3)", "now ( )")  # fmt: skip
OUTSIDE = ("WEBSERVICE", "CUBE", "RTD", "CALL", "REGISTER")
ERRORS |= {
    f"calls {call.partition('(')[0]}": (
        formula(f"+0*N({call})".replace('"', "&quot;")),
        Kind.EXTERNAL_LINK if call.startswith(OUTSIDE) else Kind.UNSTEADY_FORMULA,
    )
    for call in CALLS
}

WARNINGS = {
    "a random number that nobody reads": (chance_elsewhere(), Kind.OWN_FORMULAS),
    "calculated on demand": (calc('calcMode="manual"'), Kind.MANUAL_CALCULATION),
    "1904": (put(BOOK, "<workbookPr", '<workbookPr date1904="1"'), Kind.DATES_1904),
    "a hidden sheet": (hidden("hidden"), Kind.HIDDEN_SHEET),
    "a hidden name": (put(BOOK, 'name="vocab_E"', 'name="vocab_E" hidden="1"'), Kind.HIDDEN_NAME),
    "a block without its first value": (without_first_value, Kind.STALE_VALUE),
    "an input that is calculated": (cell('<c r="⟦input at⟧" ⟦input style⟧><f>⟦input value⟧</f><v>⟦input value⟧</v></c>'), Kind.CALCULATED_INPUT),
    "inputs that are calculated": (
        puts(INPUTS, (FIRST, '<c r="⟦first at⟧" ⟦first style⟧><f>0</f><v>0</v></c>'), (SECOND, '<c r="⟦second at⟧" ⟦second style⟧><f>0</f><v>0</v></c>')),
        Kind.CALCULATED_INPUT,
    ),
    "a white letter": (
        put(WORDS, "⟦word cell⟧", '<c r="⟦word at⟧" t="inlineStr"><is><r><rPr><color rgb="FFFFFFFF"/></rPr><t>⟦letter⟧</t></r><r><t>⟦letters⟧</t></r></is></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
    "blanks that may be left out": (
        put(WORDS, "⟦word cell⟧", '<c r="⟦word at⟧" t="inlineStr"><is><t>⟦word⟧ </t></is></c>'),
        Kind.DOUBTFUL_VALUE,
    ),
}  # fmt: skip
"""Warnings, with the kind of finding."""

SOUND = {
    "sizes behind the parts": with_descriptors,
    "Strict Open XML": strict,
    "prefixes": prefixed,
    "targets from the root": relation('Target="worksheets/sheet2.xml"', 'Target="/xl/worksheets/sheet2.xml"'),
    "targets with a detour": relation('Target="worksheets/sheet2.xml"', 'Target="../xl/worksheets/sheet2.xml"'),
    "cells without addresses": puts(INPUTS, ('r="⟦second at⟧" ', ""), ('r="⟦input at⟧" ', "")),
    "rows without numbers": put(INPUTS, '<row r="⟦row⟧"', "<row"),
    "an inline text": put(WORDS, "⟦word cell⟧", '<c r="⟦word at⟧" s="22" t="inlineStr"><is><t>⟦word⟧</t></is></c>'
    ),
    "a text in runs, with its reading": put(WORDS, "⟦word cell⟧",
        '<c r="⟦word at⟧" t="inlineStr"><is><r><t>⟦letter⟧</t></r><r><t>⟦letters⟧</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>',
    ),
    "a bold letter": put(WORDS, "⟦word cell⟧",
        '<c r="⟦word at⟧" t="inlineStr"><is><r><rPr><b/><sz val="11"/><color theme="1"/><rFont val="Calibri"/></rPr><t>⟦letter⟧</t></r><r><t>⟦letters⟧</t></r></is></c>',
    ),
    "CDATA": cell('<c r="⟦input at⟧" ⟦input style⟧><v><![CDATA[⟦input value⟧]]></v></c>'),
    "a letter by its number": cell('<c r="⟦input at⟧" ⟦input style⟧><v>&#49;.6</v></c>'),
    "a formula that always calculates": put(COMPUTED, BLOCK, BLOCK.replace(" ref", ' ca="1" aca="1" ref')),
    "a block that spills": put(COMPUTED, f"⟦block head⟧>{BLOCK}", f'⟦block head⟧ cm="1">{BLOCK}'),
    "defaults spelled out": calc('calcMode="auto" fullPrecision="1" iterate="0" fullCalcOnLoad="1"'),
    "a table of somebody's own": table("mine"),
    "a name of somebody's own": more_names('<definedName name="mine">1+1</definedName>'),
}  # fmt: skip
"""What every program reads alike: no findings."""
