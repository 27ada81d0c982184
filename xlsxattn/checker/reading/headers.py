"""The two headers of each part of an archive, which must agree: programs read the first or the last."""

from __future__ import annotations

import struct
from os import SEEK_CUR
from typing import TYPE_CHECKING, Any

from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zipfile import ZipInfo

    from xlsxattn.checker.reading.archive import GuardedArchive

_HEADER = struct.Struct("<4s5H3I2H")
"""The header before a part: signature, version, flags, method, time, date, CRC, two sizes, two lengths."""
_STATED_LATER, _IN_UTF8 = 0x8, 0x800
"""The flags of a part whose sizes follow it, and of a name in UTF-8."""
_MAX_DESCRIPTOR = 24
"""The longest record with the sizes of a part that follows it."""
_ZIP64, _FIELD, _LONG_SIZES, _OTHER_NAME = 0xFFFFFFFF, struct.Struct("<HH"), 0x0001, 0x7075
"""A size that is stated elsewhere; the start of an additional field; the fields for 8-byte sizes and for
another name of a part."""


def check_headers(archive: GuardedArchive) -> None:
    """Both headers of a part must agree: some programs read the first, others the directory at the end."""
    if archive.listed != len(archive.infolist()):
        raise AmbiguousError(say("its archive states a different number of parts than it has"))
    parts = sorted(archive.infolist(), key=lambda part: part.header_offset)
    ends = [*(part.header_offset for part in parts[1:]), archive.start_dir]
    for part, end in zip(parts, ends, strict=True):
        if not _has_one_header(archive, part, end):
            sentence = "the two headers of the part {part} differ, or there is data between parts"
            raise AmbiguousError(say(sentence, part=part.filename))


def _has_one_header(archive: GuardedArchive, part: ZipInfo, end: int) -> bool:
    """Whether the header before a part agrees with the directory, and the next part follows directly."""
    file: Any = archive.fp
    file.seek(part.header_offset)
    _, _, flags, method, _, _, *stated, name_length, extra_length = _HEADER.unpack(file.read(_HEADER.size))
    name, extra = file.read(name_length), dict(_fields(file.read(extra_length)))
    stated_later = bool((flags | part.flag_bits) & _STATED_LATER)
    file.seek(part.compress_size, SEEK_CUR)
    behind = file.read(max(0, min(end - file.tell(), _MAX_DESCRIPTOR)))
    adjacent = file.tell() == end and behind in (_descriptors(part) if stated_later else (b"",))
    encrypted = bool((flags ^ part.flag_bits) & 1)
    named = name == part.orig_filename.encode("utf-8" if flags & _IN_UTF8 else "cp437", "replace")
    plain = named and not encrypted and _OTHER_NAME not in {*extra, *dict(_fields(part.extra))}
    sizes = _has_sizes(part, stated, extra.get(_LONG_SIZES, b""), stated_later=stated_later)
    return method == part.compress_type and sizes and adjacent and plain


def _has_sizes(part: ZipInfo, stated: Sequence[int], long: bytes, *, stated_later: bool) -> bool:
    """Whether a header has the CRC and the sizes of a part; `long` are its 8-byte sizes."""
    right = (part.CRC, part.compress_size, part.file_size)
    unstated = (0, _ZIP64) if stated_later else ()
    elsewhere = (part.file_size, stated[2]), (part.compress_size, stated[1])
    wanted = b"".join(size.to_bytes(8, "little") for size, own in elsewhere if own == _ZIP64)
    if wanted and long.startswith(wanted):
        unstated = (*unstated, _ZIP64)
    return stated[0] in (right[0], *unstated[:1]) and all(
        own == size or own in unstated for own, size in zip(stated[1:], right[1:], strict=True)
    )


def _descriptors(part: ZipInfo) -> Iterator[bytes]:
    """What may follow a part whose sizes are stated later: with or without a signature, or nothing."""
    yield b""
    for sizes in ("<2I", "<2Q"):
        if part.file_size < _ZIP64 or sizes == "<2Q":
            content = struct.pack("<I", part.CRC) + struct.pack(sizes, part.compress_size, part.file_size)
            yield from (content, b"PK\x07\x08" + content)


def _fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    """The additional fields of a part, by identifier."""
    while len(extra) >= _FIELD.size:
        field, length = _FIELD.unpack_from(extra)
        yield field, extra[_FIELD.size : _FIELD.size + length]
        extra = extra[_FIELD.size + length :]
