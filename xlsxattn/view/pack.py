"""Packs a workbook for a live page: all parts in one stream, without what the page can restore.

Left out of each sheet are the numbers of rows and the addresses of cells that follow their neighbours. Long
numbers are in a list, each once: ``<n>`` stands for the next number of the list, and ``<n3>`` for the third
from the end of those used so far. The page restores the parts byte for byte (live/archive.js).
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b85encode
from typing import TYPE_CHECKING
from zipfile import ZipFile

from openpyxl.utils import column_index_from_string

if TYPE_CHECKING:
    from pathlib import Path

SHEETS = "xl/worksheets/"
_SHORTENED = re.compile(r'<row r="(\d+)"|<c r="([A-Z]+)(\d+)"|<v>(-?\d[\d.E+-]{7,})</v>')
_NOT_IN_SCRIPT = bytes.maketrans(b"<", b",")
"""Replaces the digit that could begin a tag."""


def packed(path: Path) -> tuple[str, str]:
    """The parts of a workbook and the list of numbers, each as text for a script element."""
    sheets = _Sheets()
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, content in parts.items():
        if name.startswith(SHEETS):
            text = content.decode(errors="surrogateescape")  # the page does not read parts that are no text
            parts[name] = sheets.shortened(text).encode(errors="surrogateescape")
    index = json.dumps([[name, len(content)] for name, content in parts.items()])
    stream = b"\n".join((index.encode(), b"".join(parts.values())))
    numbers = " ".join(sheets.numbers).encode()
    return embedded(stream), embedded(numbers, zlib.Z_FILTERED)


def embedded(content: bytes, strategy: int = zlib.Z_DEFAULT_STRATEGY) -> str:
    """Compressed bytes in base 85, for a script element.

    Args:
        content: the bytes.
        strategy: a strategy of zlib; ``Z_FILTERED`` is best for digits.
    """
    compressor = zlib.compressobj(zlib.Z_BEST_COMPRESSION, strategy=strategy)
    compressed = compressor.compress(content) + compressor.flush()
    return b85encode(compressed).translate(_NOT_IN_SCRIPT).decode()


class _Sheets:
    """The numbers of all sheets that were shortened: number → its place in the list."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.row = self.col = 0

    def shortened(self, xml: str) -> str:
        """A sheet without what the page can restore."""
        self.row = self.col = 0
        return _SHORTENED.sub(self._short, xml)

    def _short(self, match: re.Match[str]) -> str:
        row, letters, row_of_cell, number = match.groups()
        if number:
            return self._number(number)
        if row:
            before, self.row, self.col = self.row, int(row), 0
            return "<row" if self.row == before + 1 else match[0]
        if int(row_of_cell) != self.row:
            return match[0]
        before, self.col = self.col, column_index_from_string(letters)
        return "<c" if self.col == before + 1 else f'<c r="{letters}"'

    def _number(self, number: str) -> str:
        if number in self.numbers:
            return f"<n{len(self.numbers) - self.numbers[number]}>"
        self.numbers[number] = len(self.numbers)
        return "<n>"
