"""Record the calls of the writer to XlsxWriter as a plain script.

All arguments are literals, so the script runs without xlsxattn.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import xlsxwriter

from xlsxattn.builder.writer import workbook as writer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xlsxattn.builder.layout.placed import PlacedSheet


class Recorder:
    """A proxy of an XlsxWriter object that forwards calls and records each as a line of Python."""

    def __init__(self, real: object, name: str, lines: list[str]) -> None:
        self._real, self._name, self._lines = real, name, lines

    def __repr__(self) -> str:
        return self._name

    def __getattr__(self, method: str) -> Any:
        def call(*args: object, **kwargs: object) -> object:
            texts = [*map(repr, args), *(f"{key}={value!r}" for key, value in kwargs.items())]
            text = f"{self._name}.{method}({', '.join(texts)})"
            given = getattr(self._real, method)(*map(_real, args), **_real(kwargs))
            if not type(given).__module__.startswith("xlsxwriter"):
                self._lines.append(text)
                return given
            made = Recorder(given, f"made_{len(self._lines)}", self._lines)
            self._lines.append(f"{made} = {text}")
            return made

        return call


def _real(value: Any) -> Any:
    """Replace recorders in an argument by the XlsxWriter objects."""
    if isinstance(value, Recorder):
        return value._real
    if isinstance(value, dict):
        return {key: _real(inner) for key, inner in value.items()}
    return [_real(inner) for inner in value] if isinstance(value, list) else value


def make(module: Path, title: str, sheets: Sequence[PlacedSheet], values: Mapping[str, Any] | None) -> int:
    """Write the script as a module with a function ``write(path)``; return the number of calls."""
    lines: list[str] = []

    def book(path: str, options: dict[str, Any]) -> Recorder:
        lines.append(f"book = xlsxwriter.Workbook(path, {options!r})")
        return Recorder(xlsxwriter.Workbook(path, options), "book", lines)

    with mock.patch.object(writer, "xlsxwriter", SimpleNamespace(Workbook=book)):
        writer.write(module.with_suffix(".xlsx"), title, sheets, values)
    text = "import datetime\nimport xlsxwriter\n\ndef write(path):\n    "
    module.write_text(text + "\n    ".join(lines) + "\n", "utf-8")
    return len(lines)
