"""Where everything stands: pure arithmetic on rows and columns, from pages to placed blocks and words.

It knows no formula and no file. All rows and columns count from 0.

A page, from the top: title, lead, facts, the lanes' headings (these stay in view), then the bands. A band:
title, why, captions, column labels, and the rows of its blocks. A lane: a column of labels, then the blocks.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.graph import Block
from xlsxattn.builder.headwords import contents, front, glossary, page_head, tries
from xlsxattn.builder.measures import (
    BAND_GAP,
    GAP,
    MARGIN,
    WIDEST,
    caption_columns,
    caption_lines,
    captioned,
    group_columns,
    label_width,
)
from xlsxattn.builder.placed import Bar, Placed, PlacedChart, Rectangle, Sheet, Text
from xlsxattn.builder.printing import TooLargeError, finish, pixels
from xlsxattn.language import ENGLISH, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlsxattn.builder.graph import Band, Book, Chart, Group, Labels, Page

    Tell = Callable[[str], str]

__all__ = ["TooLargeError", "lay_out"]

LEAST_LANE = 8
CHART_ROWS = 18
LEAST_LABEL = {False: 12.0, True: 6.0}
"""Characters of a lane's first column, and of a compact one's."""
WIDEST_CHART = 1100
"""Pixels; lanes of many columns are wider."""
ONE_LINE = 11
UPRIGHT = 62.0
"""Points that words take which stand upright above a map."""
MANIFEST = "xlsxattn"
"""The page of the manifest, which a program reads: its head alone is printed."""
MANIFEST_LINE, TALLEST = 84, 409.0
"""Characters of a line in the manifest's widest column; points of the tallest row that Excel takes."""
MOST_OUTLINED = 128
"""Cells of a block whose focus row is outlined; in larger ones only the word, as each cell costs."""


def lay_out(book: Book) -> list[Sheet]:
    """Place every block of every page.

    Raises:
        TooLargeError: a page needs more rows or columns than a sheet has.
    """
    tell = book.language.tell
    tabs = _tabs([page.title for page in book.pages], tell)
    return [
        _sheet(page, tab, tell, first=i == 0, full=book.explain == "full")
        for i, (page, tab) in enumerate(zip(book.pages, tabs, strict=True))
    ]


def _tabs(titles: Sequence[str], tell: Tell = ENGLISH.tell) -> list[str]:
    r"""Tab names that every program takes: 31 characters, none of []:*?/\\, no two alike but for case.

    An apostrophe becomes a typographic one: where it must be doubled, Gnumeric finds no name on the tab.
    """
    tabs: list[str] = []
    for i, title in enumerate(titles):
        text = tell("Start") if i == 0 else re.sub(r"[\[\]:*?/\\!]", " ", title).strip("' ")
        text = text or tell(say("Sheet {i}", i=i + 1))
        text = text.replace("'", "’")
        tab, copy = _cut(text, 31), 2
        while tab.casefold() in {other.casefold() for other in tabs} | {"history"}:
            suffix = f" {copy}"
            tab, copy = _cut(text, 31 - len(suffix)) + suffix, copy + 1
        tabs.append(tab)
    return tabs


def _cut(text: str, units: int) -> str:
    """The text's beginning, in UTF-16 units (as Excel counts), never half a character."""
    while len(text.encode("utf-16-le")) > 2 * units:
        text = text[:-1]
    return text.strip("' ")


def _sheet(page: Page, tab: str, tell: Tell, *, first: bool, full: bool) -> Sheet:
    sheet = Sheet(page.id, tab, drop_downs=dict(page.drop_downs), folded=page.behind)
    sheet.widths[0] = 2.0
    sheet.texts.append(Text(0, 0, page.title, "title"))
    sheet.heights[0] = 30.0
    if first:
        row = front(sheet, page, tell)
    else:
        row = glossary(sheet, page, contents(sheet, page, page_head(sheet, page), tell), tell)
    starts = _lanes(sheet, page)
    pieces: list[tuple[int, int]] = []
    for i, band in enumerate(page.bands):
        row = _band(sheet, band, row, starts, pieces, full=full)
        if below := [chart for chart in page.charts if chart.after == i]:
            row = _charts(sheet, below, row, starts, pieces)
    row = tries(sheet, page, row, pieces, tell)
    row = _charts(sheet, [chart for chart in page.charts if chart.after is None], row, starts, pieces)
    finish(sheet, row, pieces, all_of_it=page.id != MANIFEST)
    return sheet


def _lanes(sheet: Sheet, page: Page) -> list[int]:
    """Column of each lane's labels, and of the end of the last; headings placed on the way."""
    starts = [MARGIN]
    lanes = max([len(page.lanes), 1])
    for i in range(lanes):
        own = [band for band in page.bands if not band.shared]
        groups = [group for band in own if (group := band.groups[i]) is not None]
        label = max([label_width(group) for group in groups], default=0.0)
        if page.lanes:
            sheet.widths[starts[i]] = max(label, LEAST_LABEL[page.compact])
        width = max([group_columns(group) for group in groups], default=1)
        above = [group for band in page.bands if captioned(band) and (group := band.groups[i])]
        captions = [caption_columns(group, label) for group in above]
        width = max([width, LEAST_LANE if page.bands and not page.compact else 1, *captions])
        if page.lanes:
            where = Rectangle(3, starts[i], 3, starts[i] + width)
            sheet.bars.append(Bar(where, theme.LANES[i % len(theme.LANES)]))
            sheet.placed.append(Placed(page.lanes[i], 3, starts[i]))
            sheet.heights[3] = 22.0
        starts.append(starts[i] + 1 + width + GAP)
    return starts


def _band(
    sheet: Sheet, band: Band, row: int, starts: Sequence[int], pieces: list[tuple[int, int]], *, full: bool
) -> int:
    """Place a band from ``row``; the row where the next one begins. Adds what no page should tear."""
    first, said = row, [f"{band.why} ({band.paper})" if band.paper else band.why]
    said += [band.more] if full and band.more else []
    sheet.texts.append(Text(row, MARGIN, band.title, "step"))
    sheet.texts += [Text(row + i, MARGIN, text, "why") for i, text in enumerate(said, 1) if text]
    sheet.heights[row] = 20.0
    row, before = row + 1 + len(said), len(sheet.placed)
    groups = [(group, start) for group, start in zip(band.groups, starts, strict=False) if group is not None]
    for strip in _flow([g for g in band.groups if g], starts) if band.shared else [groups]:
        top, row = row, _strip(sheet, band, strip, row)
        pieces.append((first if top == first + 1 + len(said) else top, row))
    _share_heat(sheet, before)
    if band.level:
        sheet.levels |= dict.fromkeys(range(first + 1, row), band.level)
    return row


def _flow(groups: Sequence[Group], starts: Sequence[int]) -> list[list[tuple[Group, int]]]:
    """Groups that all lanes share, a lane each and then another row, so that columns keep their widths."""
    strips: list[list[tuple[Group, int]]] = [[]]
    lanes, lane = len(starts) - 1, 0
    for group in groups:
        wide = bool(group.rows) + group_columns(group)
        if strips[-1] and (lane >= lanes or starts[lane] + wide >= starts[-1]):
            strips.append([])
            lane = 0
        strips[-1].append((group, starts[lane]))
        end = starts[lane] + wide
        lane = next((i for i, start in enumerate(starts[:-1]) if start > end), lanes)
    return strips


def _strip(sheet: Sheet, band: Band, strip: Sequence[tuple[Group, int]], row: int) -> int:
    """Place groups side by side: a line of captions, a line of column labels, the blocks."""
    groups = [group for group, _ in strip]
    sides = [side.heading for group in groups for side in group.sides]
    captions = [[group.title] if group.title else caption_lines(group) for group in groups]
    titled = max((len(lines) for lines in captions), default=0)
    titled = titled if captioned(band) or any(group.title for group in groups) else 0
    headed = any(group.cols is not None for group in groups) or bool(sides)
    if any(isinstance(group.cols, Block) and group.cols.look == "map label" for group in groups):
        sheet.heights[row + titled] = UPRIGHT
    if any(theme.cell_width(heading) > ONE_LINE for heading in sides):
        sheet.heights[row + titled] = 13.0 * max(_lines(heading) for heading in sides)
    for (group, col), lines in zip(strip, captions, strict=True):
        look = "group" if group.title and not group.title.startswith(("{", "=")) else "formula"
        sheet.texts += [Text(row + i, col, text, look) for i, text in enumerate(lines) if titled]
        _group(sheet, group, row + titled + headed, col)
    return (
        row + titled + headed + max(sum(block.rows for block in group.blocks) for group in groups) + BAND_GAP
    )


def _lines(heading: str) -> int:
    """How many lines a heading is broken into: between words, or between any two wide characters."""
    wide = theme.cell_width(heading) - len(heading)
    return int(-(-2 * wide // (ONE_LINE - 1))) if wide else len(textwrap.wrap(heading, ONE_LINE))


def _share_heat(sheet: Sheet, before: int) -> None:
    """Blocks of one band with the same heat map share its ends, so that lanes compare."""
    areas: dict[str, list[Rectangle]] = {}
    for p in sheet.placed[before:]:
        areas.setdefault(theme.LOOKS[p.block.look].heat, []).append(p.area)
    for i, p in enumerate(sheet.placed[before:], before):
        heat = theme.LOOKS[p.block.look].heat
        if heat:
            sheet.placed[i] = replace(p, heat=tuple(areas[heat]))


def _group(sheet: Sheet, group: Group, row: int, col: int) -> None:
    """Place a group: its labels in ``col``, its first block from ``row``."""
    first = col + 1 if group.rows else col
    word = _word(group, row, col)
    if group.corner:
        sheet.texts.append(Text(row - 1, col, group.corner, "side"))
    if group.cols is not None:
        _labels(sheet, group.cols, row - 1, first, None, down=False)
    top = row
    for i, block in enumerate(group.blocks):
        _place(sheet, block, top, first, word)
        if i < len(group.rows):
            _labels(sheet, group.rows[i], top, col, word, down=True)
        top += block.rows
    side_col = first + max(block.cols for block in group.blocks)
    for side in group.sides:
        sheet.texts.append(Text(row - 1, side_col, side.heading, "side"))
        top = row
        for block in side.blocks:
            _place(sheet, block, top, side_col, word)
            top += block.rows
        side_col += 1


def _place(sheet: Sheet, block: Block, row: int, col: int, word: tuple[int, int] | None) -> None:
    outlined = block.rows * block.cols <= MOST_OUTLINED or block.look == "word label"
    sheet.placed.append(Placed(block, row, col, word if outlined else None))
    _widen(sheet, block, col)
    if block.look == "manifest":
        for i, values in enumerate(block.values):
            lines = max(-(-len(str(v)) // MANIFEST_LINE) for v in values)
            sheet.heights |= {row + i: min(12.0 * lines + 3, TALLEST)} if lines > 1 else {}


def _word(group: Group, row: int, col: int) -> tuple[int, int] | None:
    """Where the words stand that name a group's rows; none where its rows are no words of a sentence."""
    labels = group.rows[0] if group.rows else None
    if group.blocks[0].look in ("token", "word label"):
        return row, col + 1
    return (row, col) if isinstance(labels, Block) and labels.look == "word label" else None


def _labels(
    sheet: Sheet, labels: Labels, row: int, col: int, word: tuple[int, int] | None, *, down: bool
) -> None:
    if isinstance(labels, Block):
        _place(sheet, labels, row, col, word)
        return
    look = "row label" if down else "col label"
    for i, text in enumerate(labels):
        sheet.texts.append(Text(row + i, col, text, look) if down else Text(row, col + i, text, look))


def _widen(sheet: Sheet, block: Block, col: int) -> None:
    """Make a block's columns wide enough for what they hold; words that run on to the right need no room."""
    look = theme.LOOKS[block.look]
    for j in range(block.cols):
        wide = block.widths[min(j, len(block.widths) - 1)] if block.widths else look.width
        if block.look != "manifest":
            wide = min(wide, WIDEST)
        if wide:
            sheet.widths[col + j] = max(sheet.widths.get(col + j, 0.0), wide)


def _charts(
    sheet: Sheet, charts: Sequence[Chart], row: int, starts: Sequence[int], pieces: list[tuple[int, int]]
) -> int:
    bars = [chart for chart in charts if chart.kind == "bar"]
    others = [chart for chart in charts if chart.kind != "bar"]
    for chart in bars:
        col, end = starts[chart.lane], starts[chart.lane + 1] - GAP
        sheet.charts.append(PlacedChart(chart, row + 1, col, _chart_width(sheet, range(col, end))))
    if bars:
        pieces.append((row, row + CHART_ROWS + 1))
        row += CHART_ROWS + 1
    for chart in others:
        col, end = starts[0], starts[1] - GAP
        sheet.charts.append(PlacedChart(chart, row + 1, col, _chart_width(sheet, range(col, end))))
        pieces.append((row, row + CHART_ROWS + 4))
        row += CHART_ROWS + 4
    return row + 1


def _chart_width(sheet: Sheet, columns: range) -> int:
    return min(int(pixels(sheet, columns)), WIDEST_CHART)
