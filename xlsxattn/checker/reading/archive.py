"""A workbook's archive, whose parts are looked over before anything parses them."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, fields
from typing import IO, TYPE_CHECKING, Any, ClassVar

from xlsxattn.checker.reading.limits import MB, STANDARD, AmbiguousError, NotCheckableError
from xlsxattn.checker.reading.runs import LARGE, NumberRuns, Stripped
from xlsxattn.language import say
from xlsxattn.suggestions import no_file

if TYPE_CHECKING:
    from pathlib import Path

    from xlsxattn.checker.reading.limits import Allowance

_BLOCK = MB
_HEAD = 4096
_SHARED = re.compile(rb"""shared["'][^<>]*>([^<]*)<""")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?\bencoding\s*=\s*["']([^"']{0,40})""")
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*\?>)?")
_PLAIN = {b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1"}
_FOREIGN = (b"\xfe\xff", b"\xff\xfe", b"\x00", b"\x4c\x6f\xa7\x94")  # UTF-16, UTF-32 and EBCDIC begin so
_FULLY_OPAQUE = 0x1  # the bit of an archive's part that is encrypted


@dataclass(slots=True)
class Counts:
    """What was seen of XML: cells, names, elements, those outside cells, shared formulas, the longest.

    Plain numbers in long runs are counted apart, and are not among the others.
    """

    plain: int = 0
    cells: int = 0
    names: int = 0
    elements: int = 0
    details: int = 0
    shared: int = 0
    longest: int = 0

    def add(self, other: Counts) -> None:
        """Add what was seen elsewhere."""
        for field in fields(self):
            both = getattr(self, field.name), getattr(other, field.name)
            setattr(self, field.name, max(both) if field.name == "longest" else sum(both))

    def see(self, xml: bytes) -> None:
        """Count what a stretch of whole tags opens; a prefix on every tag makes all of them details."""
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
"""The name spaces of Strict Open XML, and those that everybody else writes for the same."""


def _transitional(part: str, stream: IO[bytes]) -> IO[bytes]:
    """A part as other programs write it, where it is Strict Open XML: its elements are the same.

    Raises:
        AmbiguousError: it has elements of both.
    """
    peek = getattr(stream, "peek", None)
    if peek is None or b"http://purl.oclc.org/ooxml/" not in peek(_HEAD):
        return stream
    with stream:
        xml = stream.read()
    for strict, other in zip(_STRICT, _TRANSITIONAL, strict=True):
        if strict in xml and other in xml:
            raise AmbiguousError(say("its part {part} is Strict Open XML only in part", part=part))
        xml = xml.replace(strict, other)
    return io.BytesIO(xml)


class GuardedArchive(zipfile.ZipFile):
    """An archive whose parts are looked over, whole, before anybody parses them.

    Counting on every opening bounds a part that the workbook names a thousand times.
    """

    SIZES: ClassVar = (
        ("plain", say("numbers")),
        ("cells", say("cells")),
        ("names", say("defined names")),
        ("elements", say("XML elements")),
        ("details", say("styles, rows, names and other XML elements")),
    )

    def __init__(self, path: Path, allowed: Allowance = STANDARD) -> None:
        """Open a workbook's archive and judge its directory.

        Raises:
            NotCheckableError: it is no archive, or larger than allowed.
        """
        self.named, self.allowed = path, allowed
        self.seen, self._parts = Counts(), dict[str, Counts]()
        self._left: dict[str, tuple[bytes, NumberRuns]] = {}
        if not path.exists():
            raise NotCheckableError(no_file(path))
        if not path.is_file():
            raise NotCheckableError(say("{path}: this is not a file", path=path))
        self._judge_file()
        super().__init__(path)
        self._judge_directory()

    def _judge_file(self) -> None:
        size = self.named.stat().st_size
        if size > self.allowed.packed:
            raise self.too_much(
                say("is {size:,.0f} MB large", size=size / MB), f"{self.allowed.packed / MB:,.0f} MB"
            )
        with self.named.open("rb") as file:
            if file.read(len(_OLE)) == _OLE:
                sentence = (
                    "{named}: this is an encrypted workbook or an old .xls: "
                    "save it as .xlsx without a password"
                )
                raise NotCheckableError(say(sentence, named=self.named))
            end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
        if end and end[5] > self.allowed.directory:
            raise self.too_much(say("lists {n:,} parts", n=end[4]), f"{self.allowed.directory // 100:,}")

    def _judge_directory(self) -> None:
        parts = self.infolist()
        size = sum(part.file_size for part in parts)
        problem = None
        if size > self.allowed.unpacked:
            most = f"{self.allowed.unpacked / MB:,.0f} MB"
            problem = self.too_much(say("unpacks to {size:,.0f} MB", size=size / MB), most)
        elif any(part.flag_bits & _FULLY_OPAQUE for part in parts):
            problem = NotCheckableError(
                say("{named}: it has encrypted parts, which cannot be read", named=self.named)
            )
        elif {part.compress_type for part in parts} - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            problem = NotCheckableError(
                say("{named}: it is compressed in a way that no .xlsx may be", named=self.named)
            )
        if problem:
            self.close()
            raise problem

    def too_much(self, what: str, most: str) -> NotCheckableError:
        """The sentence for a limit that is exceeded."""
        return NotCheckableError(
            say(
                "{named}: the workbook {what}, more than the {most} that are read",
                named=self.named,
                what=what,
                most=most,
            )
        )

    def open(self, name: Any, *args: Any, **options: Any) -> IO[bytes]:
        """Open a part after it was looked over from end to end; a large one without its runs.

        Raises:
            NotCheckableError: it holds what no workbook needs, or more of it than allowed.
        """
        part = name if isinstance(name, str) else name.filename
        self.charge(part)
        if part in self._left:
            return io.BytesIO(self._left[part][0])
        return _transitional(part, super().open(name, *args, **options))

    def runs(self, name: str) -> NumberRuns:
        """The runs of plain numbers that were taken out of a part; none where it is not large."""
        return self._left[name][1].copy() if name in self._left else NumberRuns()

    def charge(self, part: str) -> None:
        """Look a part over and add it to what was seen, each time it is named.

        Raises:
            NotCheckableError: it holds what no workbook needs, or more of it than allowed.
        """
        self._look_over_once(part)
        self.seen.add(self._parts[part])
        self._judge(self.seen)

    def charged(self, name: str) -> IO[bytes]:
        """Open a part that was looked over before."""
        if name in self._left:
            return io.BytesIO(self._left[name][0])
        return _transitional(name, super().open(name))

    def looked_over(self, name: str) -> bytes:
        """A part's text, after it was looked over; it is counted where it is opened to be parsed.

        Raises:
            KeyError: there is no such part.
            NotCheckableError: it holds what no workbook needs, or more of it than allowed.
        """
        self._look_over_once(name)
        return self.charged(name).read()

    def _look_over_once(self, part: str) -> None:
        if part not in self._parts:
            with super().open(part) as stream:
                self._parts[part] = self._look_over(part, stream)

    def _look_over(self, part: str, stream: IO[bytes]) -> Counts:
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
                self._judge_encoding(part, block)
            if plain and b"\x00" in block:
                raise NotCheckableError(
                    say("{named}: its part {part} is not in UTF-8", named=self.named, part=part)
                )
            block = rest + block
            cut = block.rfind(b"<")
            if b"<!DOCTYPE" in block:
                raise NotCheckableError(
                    say(
                        "{named}: its part {part} declares XML entities (DOCTYPE)",
                        named=self.named,
                        part=part,
                    )
                )
            if len(block) - cut > self.allowed.text + _BLOCK:
                raise self.too_much(say("has a text that is too long"), f"{self.allowed.text / MB:,.0f} MB")
            if plain and (b"<!--" in block or b"<?" in block.removeprefix(head)):
                sentence = (
                    "its part {part} has comments or instructions, which programs read in different ways"
                )
                raise AmbiguousError(say(sentence, part=part))
            counts.see(block[: max(cut, 0)])
            rest = block[max(cut, 0) :]
            self._judge(counts)
        counts.see(rest)
        if stripped and stripped.runs.rows:
            counts.plain = stripped.runs.cells
            self._left[part] = b"".join(left), stripped.runs
        return counts

    def _judge_encoding(self, part: str, start: bytes) -> None:
        declared = _ENCODING.search(start[:400])
        if start.startswith(_FOREIGN) or (declared and declared[1].lower() not in _PLAIN):
            raise NotCheckableError(
                say("{named}: its part {part} is not in UTF-8", named=self.named, part=part)
            )

    def _judge(self, counts: Counts) -> None:
        for key, word in self.SIZES:
            most = getattr(self.allowed, key)
            if getattr(counts, key) > most:
                raise self.too_much(say("has too many {what}", what=word), f"{most:,}")
        if counts.shared * counts.longest > self.allowed.shared:
            what = say(
                "shares formulas of {n:,} characters among {cells:,} cells",
                n=counts.longest,
                cells=counts.shared,
            )
            raise self.too_much(what, say("{n:,} characters", n=self.allowed.shared))
