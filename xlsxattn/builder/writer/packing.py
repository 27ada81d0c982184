"""Zip archives whose large parts are deflated piece by piece, and are copied without being unpacked."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from zlib_ng import zlib_ng

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from threading import Lock

LEVEL = 6
"""Of zlib-ng: half zlib's time, and numbers become 4 % larger than by zlib's best strategy."""
RAW = -15
"""Deflate without a header, with the largest window: what stands in a zip archive."""
BLOCK = 1 << 20
_ZEROS = bytes(BLOCK)


@dataclass(frozen=True, slots=True)
class DeflatedPart:
    """A stretch of a part that is deflated already: where it stands in a file, and what it unpacks to.

    Attributes:
        start: its first byte.
        length: deflated bytes.
        size: bytes that it unpacks to.
        crc: their checksum.
    """

    start: int
    length: int
    size: int
    crc: int


def deflated(chunks: Iterable[bytes], file: IO[bytes], lock: Lock, *, last: bool) -> DeflatedPart:
    """Deflate a stretch into the end of a file, so that any other may come before or (not last) after it.

    The lock is for those that do the same to the same file; deflating, they do not wait for each other.
    """
    deflate = zlib_ng.compressobj(LEVEL, zlib_ng.DEFLATED, RAW)
    size = crc = 0
    made = []
    for chunk in chunks:
        size += len(chunk)
        crc = zlib_ng.crc32(chunk, crc)
        made.append(deflate.compress(chunk))
    made.append(deflate.flush(zlib_ng.Z_FINISH if last else zlib_ng.Z_FULL_FLUSH))
    with lock:
        start = file.seek(0, 2)
        file.writelines(made)
        return DeflatedPart(start, file.tell() - start, size, crc)


def joined(pieces: Iterable[DeflatedPart]) -> tuple[int, int]:
    """Size and checksum of what several pieces unpack to, one after the other.

    A checksum is linear: what stands before n bytes changes theirs as it would change that of n zeros.
    """
    size = crc = 0
    for piece in pieces:
        size += piece.size
        crc = _over_zeros(crc, piece.size) ^ _over_zeros(0, piece.size) ^ piece.crc
    return size, crc


def _over_zeros(crc: int, count: int) -> int:
    for _ in range(count // BLOCK):
        crc = zlib_ng.crc32(_ZEROS, crc)
    return zlib_ng.crc32(_ZEROS[: count % BLOCK], crc)


class PackingArchive(zipfile.ZipFile):
    """An archive that takes parts as they come out of another one."""

    def add(self, name: str, content: bytes) -> None:
        """Add a part."""
        self.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)

    def add_deflated(self, name: str, chunks: Iterable[bytes], size: int, crc: int) -> None:
        """Add a part that is deflated already: its bytes as they are, then a header that says so."""
        info = zipfile.ZipInfo(name)
        with self.open(info, "w") as part:
            for chunk in chunks:
                part.write(chunk)
        info.compress_type, info.file_size, info.CRC = zipfile.ZIP_DEFLATED, size, crc
        assert self.fp is not None
        end = self.fp.tell()
        self.fp.seek(info.header_offset)
        self.fp.write(info.FileHeader(zip64=False))
        self.fp.seek(end)

    def copy(self, source: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        """Add a part of another archive without unpacking it."""
        self.add_deflated(info.filename, _stored(source, info), info.file_size, info.CRC)


def _stored(source: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part's bytes as they stand in its archive, behind its local header (30 bytes, name, extra)."""
    file = source.fp
    assert file is not None
    file.seek(info.header_offset)
    header = file.read(30)
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    yield from read(file, file.tell(), info.compress_size)


def read(file: IO[bytes], start: int, length: int) -> Iterator[bytes]:
    """A stretch of a file, block by block."""
    file.seek(start)
    while length and (block := file.read(min(length, BLOCK))):
        length -= len(block)
        yield block
