"""Hidden sheets, and other sheets that are shown in their place."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.workbook_part import VISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.reading.book import Book

    Texts = dict[tuple[int, int], Value]


def hidden_sheets(book: Book) -> Iterator[Finding]:
    """Hidden sheets: a warning, or an error if a visible sheet looks like the hidden one."""
    tabs = {area.sheet for area in book.own_names.values()}
    hidden = [ws.title for ws in book.workbook.worksheets if ws.title in tabs and ws.sheet_state != VISIBLE]
    if not hidden:
        return
    sheets: dict[str, Texts] = {}
    for (tab, row, col), value in book.typed.items():
        sheets.setdefault(tab, {})[row, col] = value
    strangers = [
        ws.title for ws in book.workbook.worksheets if ws.title not in tabs and ws.sheet_state == VISIBLE
    ]
    for tab in hidden:
        cells = sheets.get(tab, {})
        title = cells[min(cells)] if cells else ""
        called = {_plain(tab), _plain(title)} - {""}
        lookalike = next(
            (t for t in strangers if _plain(t) in called or _copied(cells, sheets.get(t, {}))), ""
        )
        if lookalike:
            yield Finding(Kind.HIDDEN_SHEET, sheet=tab, values={"lookalike": lookalike}, severity="error")
        else:
            yield Finding(Kind.HIDDEN_SHEET, sheet=tab)


def _plain(tab: Value) -> str:
    """The letters of a tab, without case, spaces, accents and numbers."""
    shown = unicodedata.normalize("NFKD", str(tab or "")).casefold()
    return "".join(c for c in shown if c.isalpha())


def _copied(cells: Texts, others: Texts) -> bool:
    """Whether at least half of the typed cells of a sheet are the same on another sheet."""
    return bool(cells) and 2 * sum(others.get(at) == value for at, value in cells.items()) >= len(cells)
