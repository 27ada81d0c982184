"""Faults that values do not reveal or that the manifest covers up; the regenerated formulas reveal them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dev.campaign.mutants import Mutant, with_manifest
from dev.campaign.partners import partners
from xlsxattn.checker.cell_formulas import expected_formulas
from xlsxattn.contract.names import START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.book import Book, Formula

    At = tuple[str, int, int]

LIVE, COVERED = "a live check made blind", "manifest edited with the cell"
BLIND = {
    "MAX(": "MIN(",
    "1E-9": "1E+9",
    '<>"✗"': '<>"?"',
    "AND(": "OR(",
    "SUM(": "MAX(",
    "ABS(": "0*(",
    "=0,": ">=0,",
}
"""Parts of live checks, and replacements that make them hold in spite of a fault."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+", re.ASCII)


def every(book: Book) -> Iterator[Mutant]:
    """Disabled live checks, in the cell or in the manifest as well; other formulas in both."""
    for name, (_, text) in book.manifest.formulas.items():
        live = book.manifest.parse(name).is_live_check
        others = [*_blind(text)] if live else []
        others += [*_another(book, text)][: None if live else 1]
        for other in dict.fromkeys(others):
            if live:
                yield _mutant(book, LIVE, name, other, covered=False)
            yield _mutant(book, COVERED, name, other, covered=True)


def _blind(text: str) -> Iterator[str]:
    yield from (text.replace(part, instead) for part, instead in BLIND.items() if part in text)


def _another(book: Book, text: str) -> Iterator[str]:
    """The formula with a range replaced by another one of the same shape."""
    for match in NAME.finditer(text):
        if match[0] in book.names:
            for _, other in partners(book, match[0]):
                yield text[: match.start()] + other + text[match.end() :]
                break


def _mutant(book: Book, kind: str, name: str, text: str, *, covered: bool) -> Mutant:
    wrong = with_manifest(book, {name: text})
    cells: dict[At, Formula | Value] = {}
    for area, spelled in expected_formulas(wrong, name):
        at = (area.sheet, area.row, area.col)
        if at in book.formulas:
            cells[at] = replace(book.formulas[at], text=spelled)
    manifest: Mapping[str, str] = {name: text} if covered else {}
    return Mutant(kind, (name,), f"{name}: {text}", cells | _in_file(book, manifest), manifest=manifest)


def _in_file(book: Book, manifest: Mapping[str, str]) -> dict[At, Formula | Value]:
    """The cells of the manifest with these formulas."""
    table = book.names[START["Formulas"]]
    rows = {name: i for i, name in enumerate(book.manifest.formulas)}
    return {(table.sheet, table.row + rows[name], table.col + 2): text for name, text in manifest.items()}
