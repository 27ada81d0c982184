"""The ZIP archive of a workbook, whose parts are scanned before they are parsed."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, fields
from typing import IO, TYPE_CHECKING, Any, ClassVar

from xlsxattn.checker.reading.limits import MIB, STANDARD, AmbiguousError, NotCheckableError
from xlsxattn.checker.reading.runs import LARGE, NumberRuns, Stripped
from xlsxattn.language import say
from xlsxattn.suggestions import no_file

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxattn.checker.reading.limits import Allowance

_BLOCK = MIB
_HEAD = 4096
_SHARED = re.compile(rb"""shared["'][^<>]*>([^<]*)<""")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([^"']{0,40})""")
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*\?>)?")
_PLAIN = {b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1"}
_FOREIGN = (b"\xfe\xff", b"\xff\xfe", b"\x00", b"\x4c\x6f\xa7\x94")  # start of UTF-16, UTF-32, EBCDIC
_ENCRYPTED = 0x1  # flag bit of encrypted parts
_END_SIZE = 22  # bytes of the record at the end of an archive, without its comment


@dataclass(slots=True)
class Counts:
    """Counts of XML content: cells, names, elements, elements outside cells, shared formulas, the longest.

    Plain numbers in long runs are counted separately and not included in the other counts.
    """

    plain: int = 0
    cells: int = 0
    names: int = 0
    elements: int = 0
    details: int = 0
    shared: int = 0
    longest: int = 0

    def add(self, other: Counts) -> None:
        """Add other counts."""
        for field in fields(self):
            both = getattr(self, field.name), getattr(other, field.name)
            setattr(self, field.name, max(both) if field.name == "longest" else sum(both))

    def see(self, xml: bytes) -> None:
        """Count the elements in a block of complete tags; with namespace prefixes, all are details."""
        opened = xml.count(b"<") - xml.count(b"</")
        cells = xml.count(b"<c ") + xml.count(b"<c>")
        inside = sum(xml.count(tag) for tag in (b"<v>", b"<f>", b"<f ", b"<is>", b"<t>", b"<t ", b"<si>"))
        self.cells += cells
        self.names += xml.count(b"definedName ") + xml.count(b"<definedName>")
        self.elements += opened
        self.details += opened - cells - inside
        if b"shared" in xml:
            formulas = [len(text) for text in _SHARED.findall(xml)]
            self.shared += len(formulas)
            self.longest = max(self.longest, *formulas, 0)


_STRICT, _TRANSITIONAL = (
    (
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
    ),
    (
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
)
"""The namespaces of Strict Open XML, and the corresponding ones of Transitional Open XML."""


def _transitional(part: str, stream: IO[bytes]) -> IO[bytes]:
    """Convert the namespaces of a Strict Open XML part to Transitional.

    Raises:
        AmbiguousError: the part mixes both.
    """
    peek = getattr(stream, "peek", None)
    if peek is None or b"http://purl.oclc.org/ooxml/" not in peek(_HEAD):
        return stream
    with stream:
        xml = stream.read()
    if any(one in xml for one in _STRICT) and any(one in xml for one in _TRANSITIONAL):
        raise AmbiguousError(say("the part {part} mixes Strict and Transitional Open XML", part=part))
    for strict, other in zip(_STRICT, _TRANSITIONAL, strict=True):
        xml = xml.replace(strict, other)
    return io.BytesIO(xml)


class GuardedArchive(zipfile.ZipFile):
    """An archive whose parts are scanned completely before they are parsed.

    Parts are counted each time they are opened, in case a workbook refers to the same part many times.
    """

    SIZES: ClassVar = (
        ("plain", say("numbers")),
        ("cells", say("cells")),
        ("names", say("defined names")),
        ("elements", say("XML elements")),
        ("details", say("styles, rows, names and other XML elements")),
    )

    def __init__(self, path: Path, allowed: Allowance = STANDARD) -> None:
        """Open the archive of a workbook and check its directory.

        Raises:
            NotCheckableError: it is not an archive, or exceeds a limit.
        """
        self.named, self.allowed, self.listed, self.trailing = path, allowed, 0, 0
        self.counted, self._parts = Counts(), dict[str, Counts]()
        self._stripped: dict[str, tuple[bytes, NumberRuns]] = {}
        if not path.exists():
            raise NotCheckableError(no_file(path))
        if path.is_dir():
            raise NotCheckableError(say("{path}: this is a folder; name a workbook in it", path=path))
        if not path.is_file():
            raise NotCheckableError(say("{path}: this is not a file", path=path))
        self._check_file()
        super().__init__(path)
        self._check_directory()

    def _check_file(self) -> None:
        size = self.named.stat().st_size
        if size > self.allowed.packed:
            raise self.too_much(
                say("is {size:,.0f} MB in size", size=size / MIB), f"{self.allowed.packed / MIB:,.0f} MB"
            )
        with self.named.open("rb") as file:
            if file.read(len(_OLE)) == _OLE:
                sentence = (
                    "{named}: this is an encrypted workbook or an old .xls: "
                    "save it as .xlsx without a password"
                )
                raise NotCheckableError(say(sentence, named=self.named))
            end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        self.listed = end[4] if end else 0
        self.trailing = size - end[9] - _END_SIZE - len(end[8]) if end else 0
        if end and end[5] > self.allowed.directory:
            raise self.too_much(say("lists {n:,} parts", n=end[4]), f"{self.allowed.directory // 100:,}")

    def _check_directory(self) -> None:
        parts = self.infolist()
        size = sum(part.file_size for part in parts)
        problem = None
        if size > self.allowed.unpacked:
            most = f"{self.allowed.unpacked / MIB:,.0f} MB"
            problem = self.too_much(say("unpacks to {size:,.0f} MB", size=size / MIB), most)
        elif any(part.flag_bits & _ENCRYPTED for part in parts):
            problem = NotCheckableError(
                say("{named}: it has encrypted parts, which cannot be read", named=self.named)
            )
        elif {part.compress_type for part in parts} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            problem = NotCheckableError(
                say("{named}: it uses a compression method that .xlsx does not allow", named=self.named)
            )
        if problem:
            self.close()
            raise problem

    def too_much(self, what: str, most: str) -> NotCheckableError:
        """The error for an exceeded limit."""
        return NotCheckableError(
            say("{named}: the workbook {what}, the limit is {most}", named=self.named, what=what, most=most)
        )

    def open(self, name: Any, *args: Any, **options: Any) -> IO[bytes]:
        """Scan a part and open it; a large one without its runs.

        Raises:
            NotCheckableError: its content is not allowed, or exceeds a limit.
        """
        part = name if isinstance(name, str) else name.filename
        self.charge(part)
        if part in self._stripped:
            return io.BytesIO(self._stripped[part][0])
        return _transitional(part, super().open(name, *args, **options))

    def runs(self, name: str) -> NumberRuns:
        """The runs of plain numbers that were removed from a part; none if it is not large."""
        return self._stripped[name][1].copy() if name in self._stripped else NumberRuns()

    def charge(self, part: str) -> None:
        """Scan a part and add it to the counts, each time it is used.

        Raises:
            NotCheckableError: its content is not allowed, or exceeds a limit.
        """
        self._scan_once(part)
        self.counted.add(self._parts[part])
        self._check(self.counted)

    def charged(self, name: str) -> IO[bytes]:
        """Open a part that was scanned before."""
        if name in self._stripped:
            return io.BytesIO(self._stripped[name][0])
        return _transitional(name, super().open(name))

    def read_scanned(self, name: str) -> bytes:
        """Scan a part and read it; it is not counted.

        Raises:
            KeyError: there is no such part.
            NotCheckableError: its content is not allowed, or exceeds a limit.
        """
        self._scan_once(name)
        return self.charged(name).read()

    def _scan_once(self, part: str) -> None:
        if part not in self._parts:
            with super().open(part) as stream:
                self._parts[part] = self._scan(part, stream)

    def _scan(self, part: str, stream: IO[bytes]) -> Counts:
        counts, rest, head, plain = Counts(), b"", b"", False
        stripped = Stripped(stream) if self.getinfo(part).file_size > LARGE else None
        left: list[bytes] = []
        while block := (stripped or stream).read(_BLOCK):
            if stripped:
                left.append(block)
                counts.plain = stripped.runs.cells
            if not rest:
                head = begin[0] if (begin := _DECLARATION.match(block)) else b""
                plain = block.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"
                self._check_encoding(part, block)
            if plain and b"\x00" in block:
                raise NotCheckableError(
                    say("{named}: the part {part} is not in UTF-8", named=self.named, part=part)
                )
            block = rest + block
            cut = block.rfind(b"<")
            if b"<!DOCTYPE" in block:
                sentence = "{named}: the part {part} declares XML entities (DOCTYPE)"
                raise NotCheckableError(say(sentence, named=self.named, part=part))
            if len(block) - cut > self.allowed.text + _BLOCK:
                raise self.too_much(say("has text that is too long"), f"{self.allowed.text / MIB:,.0f} MB")
            if plain and (b"<!--" in block or b"<?" in block.removeprefix(head)):
                sentence = (
                    "the part {part} has XML comments or processing instructions, which programs "
                    "read in different ways"
                )
                raise AmbiguousError(say(sentence, part=part))
            counts.see(block[: max(cut, 0)])
            rest = block[max(cut, 0) :]
            self._check(counts)
        counts.see(rest)
        if stripped and stripped.runs.rows:
            counts.plain = stripped.runs.cells
            self._stripped[part] = b"".join(left), stripped.runs
        return counts

    def _check_encoding(self, part: str, start: bytes) -> None:
        declared = _ENCODING.search(start[:400])
        if start.startswith(_FOREIGN) or (declared and declared[1].lower() not in _PLAIN):
            raise NotCheckableError(
                say("{named}: the part {part} is not in UTF-8", named=self.named, part=part)
            )

    def _check(self, counts: Counts) -> None:
        for key, word in self.SIZES:
            most = getattr(self.allowed, key)
            if getattr(counts, key) > most:
                raise self.too_much(say("has too many {what}", what=word), f"{most:,}")
        if counts.shared * counts.longest > self.allowed.shared:
            sentence = "has shared formulas of {n:,} characters in {cells:,} cells"
            what = say(sentence, n=counts.longest, cells=counts.shared)
            raise self.too_much(what, say("{n:,} characters", n=self.allowed.shared))
