"""Edits of the parts of a workbook, from which the ways to tamper are made.

Marks stand for places of the workbook, see `dev.campaign.places`.
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


def without_value(cell: str) -> Make:
    """Remove the saved value of a cell of a block."""

    def make(source: Path, target: Path) -> Path:
        part, at, parts = local(source, COMPUTED), local(source, cell), parts_of(source)
        parts[part], times = re.subn(
            rf'<c r="{at}"[^>]*><v>[^<]*</v></c>'.encode(), b"", parts[part], count=1
        )
        if not times:
            raise NotApplicable(at)
        return packed(target, parts)

    return make


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


def behind_the_archive(content: bytes) -> Make:
    """Append bytes that belong to no part."""

    def make(source: Path, target: Path) -> Path:
        target.write_bytes(source.read_bytes() + content)
        return target

    return make


def over_cells(kind: str, xml: str, declared_as: str) -> Make:
    """Add a part with an object that lies over cells, such as a pivot table; the XML may have marks."""
    target_part = f"xl/{kind}s/{kind}9.xml"

    def make(source: Path, target: Path) -> Path:
        parts, sheet = parts_of(source), local(source, COMPUTED)
        links = sheet.replace("worksheets/", "worksheets/_rels/") + ".rels"
        link = f'<Relationship Id="rOver" Type="{OFFICE}/{kind}" Target="../{kind}s/{kind}9.xml"/>'
        empty = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
        before = parts.get(links, empty)
        parts[links] = before.replace(b"</Relationships>", f"{link}</Relationships>".encode())
        declared = f'<Override PartName="/{target_part}" ContentType="{declared_as}"/></Types>'
        parts[TYPES] = parts[TYPES].replace(b"</Types>", declared.encode())
        return packed(target, parts | {target_part: local(source, xml).encode()})

    return make


def as_gnumeric(make: Make) -> Make:
    """The same, and properties which claim that Gnumeric saved the file."""

    def claimed(source: Path, target: Path) -> Path:
        parts = parts_of(make(source, target))
        properties = re.sub(b"<Application>[^<]*<", b"<Application>gnumeric<", parts["docProps/app.xml"])
        return packed(target, parts | {"docProps/app.xml": properties})

    return claimed


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


def another_name(source: Path, target: Path) -> Path:
    """Name a part otherwise in its first header: the properties, which nothing else needs."""
    packed(target, parts_of(source))
    content = target.read_bytes()
    target.write_bytes(content.replace(b"docProps/core.xml", b"xl/sharedStr.xml.", 1))
    return target


def another_size_behind(source: Path, target: Path) -> Path:
    """Change the checksum behind a part."""
    with_descriptors(source, target)
    content = bytearray(target.read_bytes())
    content[content.index(b"PK\x07\x08") + 4] ^= 1
    target.write_bytes(content)
    return target


def added(part: str, content: bytes, owner: str, kind: str, target_part: str) -> Make:
    """Add a part to which another one has a relationship; without a part, the target is external."""
    folder, _, name = owner.rpartition("/")
    links = f"{folder}/_rels/{name}.rels".removeprefix("/")

    def make(source: Path, target: Path) -> Path:
        parts = parts_of(source)
        mode = "" if part else ' TargetMode="External"'
        link = f'<Relationship Id="rAdded" Type="{kind}" Target="{target_part}"{mode}/></Relationships>'
        parts[links] = parts[links].replace(b"</Relationships>", link.encode())
        return packed(target, parts | ({part: content} if part else {}))

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
