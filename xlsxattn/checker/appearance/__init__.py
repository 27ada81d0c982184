"""Checks of what a reader sees: formats, colours, hidden cells, charts and captions that mislead.

The checks do not depend on the layout of a workbook. They follow from its names and its manifest, and apply
whichever program saved it last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.appearance.captions import other_captions
from xlsxattn.checker.appearance.cell_styles import Styles, misleading_cells
from xlsxattn.checker.appearance.charts import misleading_charts
from xlsxattn.checker.appearance.drop_downs import lost_drop_downs
from xlsxattn.checker.appearance.hidden_cells import hidden_cells
from xlsxattn.checker.appearance.own_ranges import OwnRanges
from xlsxattn.checker.appearance.rules import lost_heat_maps, misleading_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.findings import Finding
    from xlsxattn.checker.reading.book import Book


def misleading_views(book: Book) -> Iterator[Finding]:
    """All findings on misleading views."""
    ranges, styles = OwnRanges(book), Styles(book)
    yield from misleading_cells(book, ranges, styles)
    yield from misleading_rules(ranges, styles)
    yield from hidden_cells(book, ranges)
    yield from misleading_charts(book, ranges)
    yield from other_captions(book, ranges, styles)
    if not _lost_by_gnumeric(book):
        yield from lost_drop_downs(book, ranges)
        yield from lost_heat_maps(book, ranges)


def _lost_by_gnumeric(book: Book) -> bool:
    """Whether heat maps and drop-down lists are missing because Gnumeric saved the file."""
    kept = any(view.offers or any(rule.colours for rule in view.rules) for view in book.views.values())
    return book.by_gnumeric and not kept
