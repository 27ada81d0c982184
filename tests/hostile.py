"""Malicious and randomly damaged files, each made from a valid workbook."""

from __future__ import annotations

import os
import random
import re
import struct
import zipfile
import zlib
from io import BytesIO

from openpyxl.utils import get_column_letter

from dev.campaign.places import packed, parts_of

SHEET = "xl/worksheets/sheet3.xml"
TAB = "'Causal attention'"
BOOK = "xl/workbook.xml"
TYPES = "[Content_Types].xml"
RELS = "xl/_rels/workbook.xml.rels"


def edited(source, target, part, old, new):
    """A copy with a text replaced in a part, which must contain it."""
    parts = parts_of(source)
    old, new = (text if isinstance(text, bytes) else text.encode() for text in (old, new))
    assert old in parts[part], (part, old)
    parts[part] = parts[part].replace(old, new, 1)
    return packed(target, parts)


def in_sheet(source, target, rows, before=b"</sheetData>"):
    """A copy with additional XML in the causal sheet."""
    return edited(source, target, SHEET, before, rows.encode() + before)


def flat_bomb(source, target, megabytes=10_240):
    """A valid workbook with ten gigabytes of spaces in its shared strings, compressed a thousandfold."""
    press = zlib.compressobj(9, wbits=-15)
    megabyte = press.compress(b" " * 2**20) + press.flush(zlib.Z_FULL_FLUSH)
    parts = parts_of(source)
    del parts["xl/sharedStrings.xml"]
    packed(target, parts)
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", megabyte * megabytes + press.flush())
        part = archive.infolist()[-1]
        part.compress_type, part.file_size = zipfile.ZIP_DEFLATED, megabytes * 2**20
    return target


def nested_bomb(source, target):
    """Nested archives, six deep and sixteen wide: 2 ** 24 MB unpacked."""
    data = b" " * 2**20
    for _ in range(6):
        inner = BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            for i in range(16):
                archive.writestr(f"{i}.zip", data)
        data = inner.getvalue()
    return packed(target, parts_of(source) | {"xl/embeddings/deep.zip": data})


def lying_bomb(source, target):
    """A sheet that unpacks to 64 MB, but declares 1,000 bytes in both headers."""
    parts = parts_of(source)
    parts[SHEET] += b" " * 2**26
    data = bytearray(packed(target, parts).read_bytes())
    size = struct.pack("<I", len(parts[SHEET]))
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = struct.pack("<I", 1000)
    target.write_bytes(data)
    return target


def many_parts(source, target, count=30_000):
    """An archive with thirty thousand empty parts."""
    return packed(target, parts_of(source) | {f"x/{i}": b"" for i in range(count)})


def large(source, target, megabytes=129):
    """A large sparse file."""
    target.write_bytes(source.read_bytes())
    os.truncate(target, megabytes * 2**20)
    return target


def long_text(source, target, megabytes=3):
    """A cell whose text is too long."""
    text = "x" * (megabytes * 2**20)
    return in_sheet(source, target, f'<row r="900"><c t="inlineStr"><is><t>{text}</t></is></c></row>')


def many_rows(source, target, count=300_000):
    """Many rows without cells."""
    return in_sheet(source, target, "".join(f'<row r="{r}"/>' for r in range(1000, 1000 + count)))


def laughs(source, target, part=BOOK):
    """Nested XML entities: a billion laughs in less than a kilobyte."""
    entities = '<!ENTITY l0 "laugh">' + "".join(
        f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10)
    )
    parts = parts_of(source)
    doctype = f"<!DOCTYPE x [{entities}]>".encode()
    head, start, rest = parts[part].partition(b"?>")
    parts[part] = head + start + doctype + rest.replace(b"</", b"&l9;</", 1)
    return packed(target, parts)


def external_entity(source, target, url, part="xl/sharedStrings.xml"):
    """An external XML entity."""
    parts = parts_of(source)
    doctype = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{url}">]>'.encode()
    head, start, rest = parts[part].partition(b"?>")
    parts[part] = head + start + doctype + re.sub(rb"<t([^>]*)>", rb"<t\1>&e;", rest, count=1)
    return packed(target, parts)


def utf16_laughs(source, target):
    """The same in UTF-16, where a byte search does not find the keyword."""
    text = parts_of(laughs(source, target))[BOOK].decode()
    text = re.sub(r'encoding="[^"]*"', 'encoding="UTF-16"', text, count=1)
    return packed(target, parts_of(source) | {BOOK: text.encode("utf-16")})


def many_names(source, target, count=1_000_000):
    names = "".join(f'<definedName name="n{i}">{TAB}!$A$1</definedName>' for i in range(count))
    return edited(source, target, BOOK, "</definedNames>", names + "</definedNames>")


def wide(source, target):
    """Cells in the last column of the last rows, with 17 billion cells between them and A1."""
    cells = "".join(f'<row r="{r}"><c r="XFD{r}"><v>1</v></c></row>' for r in (1_048_575, 1_048_576))
    return in_sheet(source, target, cells)


def full(source, target, rows=200):
    """Rows with all 16,384 columns."""
    line = "<c><v>1</v></c>" * 16_384
    return in_sheet(source, target, "".join(f'<row r="{r}">{line}</row>' for r in range(1000, 1000 + rows)))


def one_row(source, target, count=200_000):
    """A row with too many cells, which a parser holds in memory at once."""
    cell = "<c r='A3000' s='0'><v>1</v></c>"
    return in_sheet(source, target, f'<row r="3000">{cell * count}</row>')


def many_uses(source, target, count=900):
    """A thousand sheets that share one large part."""
    parts = parts_of(source)
    line = "<c><v>1</v></c>" * 5_000
    parts[SHEET] = parts[SHEET].replace(b"</sheetData>", f'<row r="900">{line}</row></sheetData>'.encode())
    number = re.search(rb'Id="(\w+)"[^>]*sheet3.xml|sheet3.xml"[^>]*Id="(\w+)"', parts[RELS])
    key = (number[1] or number[2]).decode()
    sheets = "".join(f'<sheet name="s{i}" sheetId="{1000 + i}" r:id="{key}"/>' for i in range(count))
    parts[BOOK] = parts[BOOK].replace(b"</sheets>", f"{sheets}</sheets>".encode())
    return packed(target, parts)


def covering_name(source, target):
    """A name that covers a whole sheet."""
    name = f'<definedName name="all">{TAB}!$A$1:$XFD$1048576</definedName></definedNames>'
    return edited(source, target, BOOK, "</definedNames>", name)


def covering_array(source, target):
    return formula(source, target, "=1", ' t="array" ref="B2000:XFD1048576"')


def merged(source, target):
    """A merged range, a link and a conditional format that cover a whole sheet."""
    parts = parts_of(source)
    more = b'<mergeCell ref="ZZ1:XFD1048576"/></mergeCells>'
    link = b'<hyperlinks><hyperlink ref="ZZ1:XFD1048576" location="A1"/>'
    assert b"</mergeCells>" in parts[SHEET]
    parts[SHEET] = parts[SHEET].replace(b"</mergeCells>", more).replace(b"<hyperlinks>", link)
    return packed(target, parts)


def deep_xml(source, target, part=BOOK, depth=50_000):
    """Deeply nested elements."""
    parts = parts_of(source)
    end = parts[part].rindex(b"</")
    parts[part] = parts[part][:end] + b"<a>" * depth + b"</a>" * depth + parts[part][end:]
    return packed(target, parts)


def formula(source, target, text, attributes="", cell="B2000"):
    """An additional formula outside all named ranges."""
    text = text.removeprefix("=").replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    row = int(cell[1:])
    xml = f'<row r="{row}"><c r="{cell}"><f{attributes}>{text}</f><v>0</v></c></row>'
    return in_sheet(source, target, xml)


def shared(source, target, count=20_000):
    """A formula of eight thousand characters, shared by twenty thousand cells."""
    first = f'<c r="A2000"><f t="shared" ref="A2000:A500000" si="0">{"+".join(["B7"] * 2700)}</f></c>'
    cell = '<c r="{}"><f t="shared" si="0"/></c>'
    columns = [get_column_letter(i) for i in range(1, 10_001)]
    lines = range(2001, 2001 + count // len(columns))
    rows = [f'<row r="{r}">{"".join(cell.format(f"{c}{r}") for c in columns)}</row>' for r in lines]
    return in_sheet(source, target, f'<row r="2000">{first}</row>{"".join(rows)}')


def replaced(source, target, old, new):
    """A copy with a replaced formula in the causal sheet."""
    return edited(source, target, SHEET, f">{old}<", f">{new}<")


def with_macros(source, target):
    """A workbook with macros, as saved by Excel."""
    parts = parts_of(source)
    types = parts[TYPES].replace(b"spreadsheetml.sheet.main+xml", b"x", 0)
    plain = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    assert plain in types
    types = types.replace(plain, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    default = b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/>'
    parts[TYPES] = re.sub(rb"(<Types[^>]*>)", rb"\1" + default, types, count=1)
    kind = "http://schemas.microsoft.com/office/2006/relationships/vbaProject"
    more = f'<Relationship Id="rIdVba" Type="{kind}" Target="vbaProject.bin"/></Relationships>'
    parts[RELS] = parts[RELS].replace(b"</Relationships>", more.encode())
    return packed(target, parts | {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0" + bytes(2000)})


def encrypted(target):
    """The header of an encrypted workbook."""
    target.write_bytes(
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(8000) + "EncryptedPackage".encode("utf-16-le")
    )
    return target


def locked(source, target):
    """An archive whose parts are marked as encrypted."""
    data = bytearray(packed(target, parts_of(source)).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    target.write_bytes(data)
    return target


def packed_otherwise(source, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in parts_of(source).items():
            archive.writestr(name, data)
    return target


def manifest(source, target, pattern, new):
    """A copy with replaced texts."""
    parts = parts_of(source)
    parts["xl/sharedStrings.xml"], found = re.subn(pattern, new, parts["xl/sharedStrings.xml"], count=1)
    assert found
    return packed(target, parts)


def truncated(source, target, percent):
    data = source.read_bytes()
    target.write_bytes(data[: len(data) * percent // 100])
    return target


def flipped(source, target, seed):
    """Random damage: bytes of the archive, bytes of a part before packing, or a letter of a part."""
    rng = random.Random(seed)
    if seed % 3 == 0:
        data = bytearray(source.read_bytes())
        _flip(rng, data)
        target.write_bytes(data)
        return target
    parts = parts_of(source)
    name = rng.choice([name for name in parts if not name.startswith("docProps/")])
    data = bytearray(parts[name])
    if seed % 3 == 1:
        _flip(rng, data)
    else:
        plain = [at for at, byte in enumerate(data) if chr(byte).isalnum() and byte < 128]
        data[rng.choice(plain)] = rng.choice(b"0123456789AZaz")
    return packed(target, parts | {name: bytes(data)})


def _flip(rng, data):
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] = rng.randrange(256)
