"""Places the blocks and texts of pages in cells. Rows and columns count from 0.

A page has, from the top: title, lead, facts, the lanes' headings (all frozen), then the bands. A band has a
title, an explanation, captions, column labels, and the rows of its blocks. A lane has a column of labels,
then the blocks. Lanes are side by side; wide ones are stacked in the same columns, with a strip per band.
"""

from __future__ import annotations

import math
import re
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.graph import FORMULA, Block
from xlsxattn.builder.layout.first_screen import front
from xlsxattn.builder.layout.formulas import cell, is_blank
from xlsxattn.builder.layout.lanes import colour, lay_lanes
from xlsxattn.builder.layout.measures import (
    BAND_GAP,
    HEAD_ROWS,
    MARGIN,
    MAX_CAPTION_LENGTH,
    MAX_WIDTH,
    NARROW,
    SCREEN,
    WIDE_FORMULA_CHARACTER,
    caption_lines,
    captioned,
    group_columns,
    wrapped,
)
from xlsxattn.builder.layout.page_text import (
    contents,
    facts,
    glossary,
    guide,
    hints,
    lead,
    page_head,
    tries,
    way_back,
)
from xlsxattn.builder.layout.placed import Bar, Placed, PlacedChart, PlacedSheet, Rectangle, Text
from xlsxattn.builder.layout.printing import TooLargeError, finish, pixels
from xlsxattn.contract.names import parse
from xlsxattn.language import ENGLISH, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Band, Chart, Group, Labels, Page, Side, WorkbookPages
    from xlsxattn.builder.layout.lanes import Lanes
    from xlsxattn.language import Tell

__all__ = ["TooLargeError", "lay_out"]

CHART_ROWS, SCATTER_ROWS, HIGH = 18, 21, 11
MAX_TAB, MAX_TAIL = 31, 16
"""Maximum length of a tab's name, and of the end that is kept when a title is shortened."""
MAX_SHARED_CAPTION = int(SCREEN / WIDE_FORMULA_CHARACTER)
"""Maximum length of a line of a caption that has the whole screen."""
MAX_CHART_WIDTH = SCREEN - 24
"""In pixels, without the margin; lanes with many columns are wider."""
HEADING_LINE, NARROW_HEADING_LINE = 11, 8
"""Characters in a line of a heading next to a block, in a column of the usual width and in a narrow one."""
ROTATED_LABELS = {"map label": 62.0, "map label wide": 50.0}
"""Height in points of rotated words above a map; of up to four wide (CJK) characters, one below the other."""
PADDING_MASK = "PaddingMask"
"""The block of workbooks whose blank cells of a sentence are padding."""
MANIFEST = "xlsxattn"
"""The page of the manifest, for programs; only its first page is printed."""
MANIFEST_FILL, MAX_HEIGHT = 0.9, 409.0
"""Characters in a line of the manifest per width; Excel's maximum height of a row in points."""
MAX_OUTLINED = 65536
"""Blocks with more cells outline only the focus word: outlining its row would slow programs down."""


def lay_out(book: WorkbookPages) -> list[PlacedSheet]:
    """Place every block of every page.

    Raises:
        TooLargeError: a page needs more rows or columns than a sheet has.
    """
    tell = book.language.tell
    tabs = _tabs([page.title for page in book.pages], tell)
    row_height = theme.WIDE_ROW if theme.is_in_wide(book.language) else theme.ROW
    sheets = [
        _sheet(page, tab, tell, row_height, full=book.explain == "full")
        for page, tab in zip(book.pages, tabs, strict=True)
    ]
    for page, sheet in zip(book.pages, sheets, strict=True):
        if book.protected:  # protected sheets cannot be unfolded
            sheet.protected = not page.free
            sheet.levels, sheet.closed = {}, set()
    if any(parse(block.name).block == PADDING_MASK for block in book.blocks()):
        for sheet in sheets:
            sheet.padded = True
    targets = {sheet.id: f"'{sheet.tab}'!A1" for sheet in sheets}  # of links to pages
    targets |= {
        name: f"'{sheet.tab}'!{cell(*place)}" for sheet in sheets for name, place in sheet.anchors.items()
    }
    for sheet in sheets:
        sheet.texts = [replace(text, target=targets.get(text.target, text.target)) for text in sheet.texts]
    return sheets


def _tabs(titles: Sequence[str], tell: Tell = ENGLISH.tell) -> list[str]:
    r"""Tab names that all programs accept: 31 characters, none of []:*?/\\, unique when case is ignored.

    Apostrophes become typographic ones: Gnumeric finds no names on a tab whose name has a doubled one.
    """
    tabs: list[str] = []
    for i, title in enumerate(titles):
        text = tell("Start") if i == 0 else re.sub(r"[\[\]:*?/\\!]", " ", title).strip("' ")
        text = text or tell(say("Sheet {i}", i=i + 1))
        text = text.replace("'", "’")
        tab, copy = _short(text), 2
        while tab.casefold() in {other.casefold() for other in tabs} | {"history"}:
            suffix = f" {copy}"
            tab, copy = _cut(text, MAX_TAB - len(suffix)) + suffix, copy + 1
        tabs.append(tab)
    return tabs


def _short(text: str) -> str:
    """Shorten a title for a tab; a short part after the last comma is kept."""
    tail = re.search("(, |，)[^,，]+$", text)
    if _cut(text, MAX_TAB) == text or not tail or len(tail[0]) > MAX_TAIL:
        return _cut(text, MAX_TAB)
    return _cut(text[: tail.start()], MAX_TAB - 1 - len(tail[0].encode("utf-16-le")) // 2) + "…" + tail[0]


def _cut(text: str, units: int) -> str:
    """Truncate a text to a number of UTF-16 units (as Excel counts), at a whole character."""
    while len(text.encode("utf-16-le")) > 2 * units:
        text = text[:-1]
    return text.strip("' ")


def _sheet(page: Page, tab: str, tell: Tell, row_height: float, *, full: bool) -> PlacedSheet:
    sheet = PlacedSheet(page.id, tab, drop_downs=dict(page.drop_downs), row=row_height, folded=page.behind)
    sheet.widths[0] = 2.0
    sheet.texts.append(Text(0, 0, page.title, "title"))
    sheet.heights[0] = 30.0
    if page.screen:
        finish(sheet, front(sheet, page, page.screen, tell), [], tell)
        return sheet
    row = guide(sheet, page, page_head(sheet, page))
    row = glossary(sheet, page, contents(sheet, page, row, tell), tell)
    row = hints(sheet, page, row, tell)
    lanes = lay_lanes(sheet, page)
    row = max(row, lanes.first_band)
    _results(sheet, page, lanes)
    sections: list[tuple[int, int]] = []
    for i, band in enumerate(page.bands):
        row = _band(sheet, band, row, lanes, sections, tell, full=full)
        if below := [chart for chart in page.charts if chart.after == i]:
            row = _charts(sheet, below, row, lanes, sections)
    lead(sheet, page)  # needs the widths of the columns, as facts do
    facts(sheet, page)
    row = tries(sheet, page, row, sections, tell)
    row = _charts(sheet, [chart for chart in page.charts if chart.after is None], row, lanes, sections)
    unrolled = page.behind and any(block.bands for block in page.blocks())
    finish(sheet, row, sections, tell, first_page_only=page.id == MANIFEST or unrolled)
    way_back(sheet, page, tell)  # needs the final widths of the columns
    return sheet


def _results(sheet: PlacedSheet, page: Page, lanes: Lanes) -> None:
    """Place the results of each lane below its heading, with a common scale."""
    before = len(sheet.placed)
    for i, groups in enumerate(page.results):
        row = HEAD_ROWS
        for group in groups:
            _group(sheet, group, row + 1, lanes.columns(i)[0])
            row += 1 + len(group.blocks)
    _share_heat(sheet, before)


def _band(
    sheet: PlacedSheet,
    band: Band,
    row: int,
    lanes: Lanes,
    sections: list[tuple[int, int]],
    tell: Tell,
    *,
    full: bool,
) -> int:
    """Place a band from ``row`` and return the first row after it. Appends rows to keep on one page."""
    first, why = row, band.why
    if band.paper:
        why = tell(say("{why} ({paper})", why=band.why, paper=band.paper))
    lines = wrapped(why, "why")
    if full and band.more:
        lines += wrapped(band.more, "why")
    sheet.texts.append(Text(row, MARGIN, band.title, "step"))
    sheet.texts += [Text(row + i, MARGIN, text, "why") for i, text in enumerate(lines, 1) if text]
    sheet.heights[row] = 20.0
    row, before = row + 1 + len(lines), len(sheet.placed)
    strips: list[tuple[int, int]] = []
    for lane, strip in _strips(band, lanes):
        line = MAX_CAPTION_LENGTH if band.shared else lanes.line
        top, row = row, _strip(sheet, band, strip, row, line)
        strips.append((top if strips else first, row))
        if lane is not None:
            sheet.stripes.append(Bar(Rectangle(top, 0, row - BAND_GAP - 1, 0), colour(lanes.sentence + lane)))
    whole = [(first, row)] if lanes.stacked and not band.shared else []
    sections += [*whole, *strips]  # a step that does not fit on a page is split between sentences
    _share_heat(sheet, before)
    if band.level:
        sheet.levels |= dict.fromkeys(range(first + 1, row), band.level)
        if band.closed:
            sheet.closed |= {*range(first + 1, row)}
    return row


def _strips(band: Band, lanes: Lanes) -> list[tuple[int | None, list[tuple[Group, int]]]]:
    """Strips of groups side by side, each group with its first column; and the lane of each strip.

    The lane is None if lanes are side by side, or if they share the groups.
    """
    groups = [(i, group) for i, group in enumerate(band.groups) if group is not None]
    if band.shared:
        return [(None, strip) for strip in _flow([group for _, group in groups], lanes.starts)]
    placed = [(i, (group, lanes.columns(i)[0])) for i, group in groups]
    if lanes.stacked:
        return [(i, [one]) for i, one in placed]
    return [(None, [one for _, one in placed])]


def _flow(groups: Sequence[Group], starts: Sequence[int]) -> list[list[tuple[Group, int]]]:
    """Distribute shared groups over the lanes, in several rows, so that columns keep their widths."""
    strips: list[list[tuple[Group, int]]] = [[]]
    lanes, lane = len(starts) - 1, 0
    for group in groups:
        width = bool(group.rows) + group_columns(group)
        if strips[-1] and (lane >= lanes or starts[lane] + width >= starts[-1]):
            strips.append([])
            lane = 0
        strips[-1].append((group, starts[lane]))
        end = starts[lane] + width
        lane = next((i for i, start in enumerate(starts[:-1]) if start > end), lanes)
    return strips


def _strip(sheet: PlacedSheet, band: Band, strip: Sequence[tuple[Group, int]], row: int, line: int) -> int:
    """Place groups side by side: captions, column labels, blocks; return the first row after them."""
    groups = [group for group, _ in strip]
    captions = [_caption(group, line) for group in groups]
    caption_rows = 0
    if captioned(band) or any(group.title for group in groups):
        caption_rows = max((len(lines) for lines in captions), default=0)
    sides = [side.heading for group in groups for side in group.sides]
    has_labels = bool(sides) or any(group.cols is not None for group in groups)
    line_length = NARROW_HEADING_LINE if sheet.narrow else HEADING_LINE
    if height := _label_height(groups, sides, line_length, sheet.row):
        sheet.heights[row + caption_rows] = height
    for (group, col), lines in zip(strip, captions, strict=True):
        if caption_rows:
            look = "group" if group.title and not group.title.startswith(("{", "=")) else "formula"
            top = row + caption_rows - len(lines)
            look = "your turn" if group.target else look
            sheet.texts += [
                Text(top + i, col, text, look, target=group.target) for i, text in enumerate(lines)
            ]
        _group(sheet, group, row + caption_rows + has_labels, col)
    return row + caption_rows + has_labels + max(map(_height, groups)) + BAND_GAP


def _caption(group: Group, line: int) -> list[str]:
    if group.title == FORMULA:
        return caption_lines(group, MAX_SHARED_CAPTION)
    return [group.title] if group.title else caption_lines(group, line)


def _label_height(groups: Sequence[Group], sides: Sequence[str], line: int, row: float) -> float:
    """Height of a row of column labels in points, if wrapped or rotated; 0.0 for the default.

    ``row`` is the height of other rows, whose font is larger by two points.
    """
    lines = max((_lines(side, line) for side in sides), default=1)
    if lines > 1:
        return (row - 2) * lines
    looks = [group.cols.look for group in groups if isinstance(group.cols, Block)]
    return max((ROTATED_LABELS.get(look, 0.0) for look in looks), default=0.0)


def _height(group: Group) -> int:
    """Number of rows of a group's tallest column of blocks."""
    columns = [group.blocks, *(side.blocks for side in group.sides)]
    return max(sum(block.rows for block in blocks) for blocks in columns)


def _lines(heading: str, line: int) -> int:
    """Number of lines of a wrapped heading; wide (CJK) text is wrapped between any two characters."""
    wide = theme.cell_width(heading) - len(heading)
    if wide:
        return math.ceil(wide / ((line + 1) // 3))  # a wide character takes the place of nearly three
    return len(textwrap.wrap(heading, line))


def _share_heat(sheet: PlacedSheet, before: int) -> None:
    """Give blocks of a band with the same heat map a common scale, so that lanes can be compared."""
    areas: dict[str, list[Rectangle]] = {}
    for p in sheet.placed[before:]:
        areas.setdefault(theme.LOOKS[p.block.look].heat, []).append(p.area)
    for i, p in enumerate(sheet.placed[before:], before):
        heat = theme.LOOKS[p.block.look].heat
        if heat:
            sheet.placed[i] = replace(p, heat=tuple(areas[heat]))


def _group(sheet: PlacedSheet, group: Group, row: int, col: int) -> None:
    """Place a group: labels in column ``col``, the first block from ``row``."""
    first = col + 1 if group.rows else col
    word = _word(group, row, col)
    if group.corner:
        sheet.texts.append(Text(row - 1, col, group.corner, "side"))
    if group.cols is not None:
        _labels(sheet, group.cols, row - 1, first, None, down=False)
    top = row
    for i, block in enumerate(group.blocks):
        _place(sheet, block, top, first, word)
        if group.absent:
            states = ((group.absent, "absent"),)
            sheet.placed[-1] = replace(sheet.placed[-1], states=states)
        if i < len(group.rows):
            _labels(sheet, group.rows[i], top, col, word, down=True)
        top += block.rows
    side_col = first + max(block.cols for block in group.blocks)
    for side in group.sides:
        _side(sheet, side, row, side_col, word)
        side_col += side.width


def _side(sheet: PlacedSheet, side: Side, row: int, col: int, word: tuple[int, int] | None) -> None:
    """Place a side column next to a block, its heading or labels in the row above."""
    if side.cols is not None:
        _place(sheet, side.cols, row - 1, col, None)
    else:
        sheet.texts.append(Text(row - 1, col, side.heading, side.look))
    sheet.texts += [Text(row + i, col, text, "side") for i, text in enumerate(side.words)]
    top = row
    for block in side.blocks:
        _place(sheet, block, top, col, word)
        top += block.rows


def _place(sheet: PlacedSheet, block: Block, row: int, col: int, word: tuple[int, int] | None) -> None:
    outlined = block.rows * block.cols <= MAX_OUTLINED or block.look == "word label"
    word = word if outlined and block.look != "mark" else None
    states: tuple[tuple[str, str], ...] = ()
    numbers = block.kind == "formula" and "num_format" in theme.LOOKS[block.look].format
    if word and word[1] < col and numbers and block.look != "word number":  # which shows a dash
        states = ((is_blank(*word), "absent"),)  # a row without a word shows no numbers
    sheet.placed.append(Placed(block, row, col, word, states=states))
    _widen(sheet, block, col)
    if theme.LOOKS[block.look].format.get("font_size", 0) > HIGH and block.look != "lane":
        sheet.heights |= dict.fromkeys(range(row, row + block.rows), 20.0)
    if block.look == "manifest":
        for i, values in enumerate(block.values):
            lines = max(
                -(-len(str(v)) // int(MANIFEST_FILL * w)) for v, w in zip(values, block.widths, strict=False)
            )
            sheet.heights |= {row + i: min(12.0 * lines + 3, MAX_HEIGHT)} if lines > 1 else {}


def _word(group: Group, row: int, col: int) -> tuple[int, int] | None:
    """First cell of the words that label a group's rows; None if its rows are not words of a sentence."""
    labels = group.rows[0] if group.rows else None
    if group.blocks[0].look in ("token", "word label"):
        return row, col + 1
    return (row, col) if isinstance(labels, Block) and labels.look == "word label" else None


def _labels(
    sheet: PlacedSheet, labels: Labels, row: int, col: int, word: tuple[int, int] | None, *, down: bool
) -> None:
    if isinstance(labels, Block):
        _place(sheet, labels, row, col, word)
        return
    look = "row label" if down else "col label"
    for i, text in enumerate(labels):
        sheet.texts.append(Text(row + i, col, text, look) if down else Text(row, col + i, text, look))


def _widen(sheet: PlacedSheet, block: Block, col: int) -> None:
    """Widen a block's columns for their content; texts that overflow to the right need no width."""
    own = theme.LOOKS[block.look].width
    if sheet.narrow and own <= theme.LOOKS["word result"].width:
        own = min(own, NARROW)
    for j in range(block.cols):
        width = block.widths[min(j, len(block.widths) - 1)] if block.widths else own
        if block.look != "manifest":
            width = min(width, MAX_WIDTH)
        if width:
            sheet.widths[col + j] = max(sheet.widths.get(col + j, 0.0), width)


def _charts(
    sheet: PlacedSheet, charts: Sequence[Chart], row: int, lanes: Lanes, sections: list[tuple[int, int]]
) -> int:
    """Place bar charts below their lanes, then the others one below the other; return the row after."""
    bars = [chart for chart in charts if chart.kind == "bar"]
    per_row = 1 if lanes.stacked else max(1, len(bars))
    for line in (bars[i : i + per_row] for i in range(0, len(bars), per_row)):
        for chart in line:
            _chart(sheet, chart, row + 1, lanes.columns(chart.lane))
        sections.append((row, row + CHART_ROWS + 1))
        row += CHART_ROWS + 1
    for chart in charts:
        if chart.kind != "bar":
            all_lanes = range(lanes.starts[0], lanes.columns(len(lanes.starts) - 2)[-1] + 1)
            columns = all_lanes if chart.kind == "scatter" and not lanes.stacked else lanes.columns(0)
            _chart(sheet, chart, row + 1, columns)
            rows = SCATTER_ROWS if chart.kind == "scatter" else CHART_ROWS
            sections.append((row, row + rows + 1))
            row += rows + 1
    return row + 1


def _chart(sheet: PlacedSheet, chart: Chart, row: int, columns: range) -> None:
    width = min(int(pixels(sheet, columns)), MAX_CHART_WIDTH)
    sheet.charts.append(PlacedChart(chart, row, columns[0], width))
