"""Places the texts around the blocks: head, diagram on Start, contents, glossary, experiments.

Each function adds texts to a sheet from a row on, and returns the first row after them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.layout.measures import (
    BAND_GAP,
    FIRST_BAND,
    HEAD_ROWS,
    MARGIN,
    NARROW,
    SCREEN,
    label_width,
    wrapped,
)
from xlsxattn.builder.layout.placed import Placed, Text
from xlsxattn.builder.layout.printing import PIXELS_A_CHARACTER, PIXELS_A_COLUMN, pixels
from xlsxattn.contract.exercise import region_of
from xlsxattn.contract.values import ANSWER
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Page
    from xlsxattn.builder.layout.placed import PlacedSheet
    from xlsxattn.language import Tell

GUIDE_COLUMNS, GUIDE_WIDTH = 5, 25.0
PARAGRAPH = GUIDE_COLUMNS * (GUIDE_WIDTH * PIXELS_A_CHARACTER + PIXELS_A_COLUMN)
"""Width of a paragraph in pixels."""
WIDE, LATIN = 1.05, 0.9
"""A wide (CJK) character is slightly wider than two digits, the unit of a column: 14.7 pixels, not 14. In
texts without any, a character is narrower than a digit."""
WIDER, BESIDE = 1.15, 16.0
"""Allowance for fonts wider than Calibri; pixels between a title and the link to Start."""
GO = "Go to {title}"
NARROW_LINK = 4.5
"""Width in characters of a link to a head; those of twelve heads fit the screen."""
HINT_GAP = 45
"""Rows between hints, so that only one is visible at a time."""


def page_head(sheet: PlacedSheet, page: Page) -> int:
    """Leave room for title, lead and facts."""
    if not page.lanes:
        sheet.frozen = HEAD_ROWS - 1
    return FIRST_BAND


def lead(sheet: PlacedSheet, page: Page) -> None:
    """Place the lead below the title; one that is too long for a screen is wrapped."""
    width = SCREEN - pixels(sheet, range(MARGIN))
    lines = -(-int(theme.pixels(page.lead, "lead")) // int(width))
    if lines > 1:
        sheet.heights[1] = lines * sheet.row
        cols = _beyond(sheet, MARGIN, width) - MARGIN - 1
        sheet.texts.append(Text(1, MARGIN, page.lead, "long lead", cols=cols))
    else:
        sheet.texts.append(Text(1, MARGIN, page.lead, "lead"))


def facts(sheet: PlacedSheet, page: Page) -> None:
    """Place single values and their words below the lead, where they fit the columns."""
    col, columns = MARGIN, 3 if sheet.narrow else 2  # the same in every language
    for fact in page.facts:
        if not fact.words and sheet.narrow:  # the live check, at the right of the title
            ends = [bar.where.right for bar in sheet.bars]
            end = max((e for e in ends if pixels(sheet, range(e + 1)) <= SCREEN), default=ends[0])
            sheet.placed.append(Placed(replace(fact.block, look="check"), 0, end))
            continue
        if fact.words:
            cols = 1 if col == MARGIN else columns
            sheet.texts.append(Text(2, col, fact.words, "fact", cols=cols))
            if col == MARGIN:
                sheet.widths[col] = max(sheet.widths.get(col, 0.0), theme.cell_width(fact.words) + 1.0)
            col += cols
        width = theme.LOOKS[fact.block.look].width
        while width and sheet.widths.get(col, width) < NARROW:  # the gap between two lanes
            col += 1
        sheet.placed.append(Placed(fact.block, 2, col))
        sheet.widths.setdefault(col, width or theme.LOOKS["number"].width)
        col += 2


def _beyond(sheet: PlacedSheet, col: int, left: float) -> int:
    """The first column that is at least a number of pixels after the start of a column."""
    default = theme.LOOKS["number"].width
    while left > 0:
        left -= PIXELS_A_CHARACTER * sheet.widths.get(col, default) + PIXELS_A_COLUMN
        col += 1
    return col


def contents(sheet: PlacedSheet, page: Page, row: int, tell: Tell) -> int:
    """Place a table of contents: a line per page, its title a link."""
    if not page.links:
        return row
    sheet.texts.append(Text(row, MARGIN, tell("Contents"), "step"))
    sheet.heights[row] = 20.0
    for i, link in enumerate(page.links, row + 1):
        tip = tell(say(GO, title=link.title))
        sheet.texts.append(Text(i, MARGIN, link.title, "link", target=link.target, tip=tip))
        sheet.texts.append(Text(i, MARGIN + 1, link.says, "why"))
        for j, (words, target) in enumerate(link.more):
            sheet.texts.append(Text(i, MARGIN + 4 + j, words, "link", target=target))
            sheet.widths[MARGIN + 4 + j] = NARROW_LINK
    labels = [label_width(group) for band in page.bands for group in band.groups if group]
    sheet.widths[MARGIN] = max([*labels, *(theme.cell_width(link.title) + 2.0 for link in page.links)])
    return row + len(page.links) + 2


def glossary(sheet: PlacedSheet, page: Page, row: int, tell: Tell) -> int:
    """Place a glossary: each term a link to its first occurrence, with its meaning and paper."""
    for i, entry in enumerate(page.entries, row):
        tip = tell(say(GO, title=entry.term))
        sheet.texts.append(Text(i, MARGIN, entry.term, "link", target=entry.target, tip=tip))
        sheet.texts.append(Text(i, MARGIN + 1, entry.says, "meaning"))
        sheet.texts.append(Text(i, MARGIN + 2, entry.paper, "paper"))
        sheet.heights[i] = 18.0
    if page.entries:
        first = [*(entry.term for entry in page.entries), *(paper for paper, _ in page.papers)]
        sheet.widths[MARGIN] = max(map(_text_width, first)) + 2.0
        sheet.widths[MARGIN + 1] = max(_text_width(entry.says) for entry in page.entries) + 1.0
        sheet.widths[MARGIN + 2] = max(theme.cell_width(entry.paper) for entry in page.entries)
    row += len(page.entries)
    if page.papers:
        sheet.texts.append(Text(row + 1, MARGIN, tell("Papers"), "step"))
        sheet.heights[row + 1] = 20.0
        for i, (paper, title) in enumerate(page.papers, row + 2):
            sheet.texts.append(Text(i, MARGIN, paper, "paper"))
            sheet.texts.append(Text(i, MARGIN + 1, title, "meaning"))
        row += len(page.papers) + 2
    return row


def _text_width(text: str) -> float:
    """Width in characters of a column for a text of 11 points."""
    cells = theme.cell_width(text)
    return cells * (WIDE if cells > len(text) else LATIN)


def hints(sheet: PlacedSheet, page: Page, row: int, tell: Tell) -> int:
    """Place hints: for each answer a line with links to its hints, which are far below, out of sight."""
    first = row + len(page.hints) + HINT_GAP
    for i, one in enumerate(page.hints):
        answer = region_of(one.name)
        sheet.anchors[f"{page.id} {one.name}"] = row + i, MARGIN
        sheet.texts.append(Text(row + i, MARGIN, one.title, "link", target=answer))
        for j, text in enumerate(one.texts):
            name, place = f"{page.id} {one.name} {j}", first + (i * len(one.texts) + j) * HINT_GAP
            sheet.anchors[name] = place, MARGIN
            title = tell(say("hint {i}", i=j + 1))
            sheet.texts.append(Text(row + i, MARGIN + 1 + j, title, "link", target=name))
            heading = tell(say("{title}, hint {i}", title=one.title, i=j + 1))
            sheet.texts.append(Text(place, MARGIN, heading, "step"))
            lines = wrapped(text, "try")
            sheet.texts += [Text(place + 1 + k, MARGIN, line, "try") for k, line in enumerate(lines)]
            back = place + 2 + len(lines)
            sheet.texts.append(Text(back, MARGIN, tell("← Back to the answer"), "link", target=answer))
    if page.hints:
        sheet.widths[MARGIN] = max(theme.cell_width(one.title) for one in page.hints) + 4.0
        row = first + sum(len(one.texts) for one in page.hints) * HINT_GAP
    return row


def way_back(sheet: PlacedSheet, page: Page, tell: Tell) -> None:
    """Place a small link to Start, right of the title."""
    col = _beyond(sheet, 0, WIDER * theme.pixels(page.title, "title") + BESIDE)
    start = tell("Start")
    sheet.texts.append(
        Text(0, col, f"← {start}", "way back", target="xlsxattn_Status", tip=tell(say(GO, title=start)))
    )
    sheet.last = sheet.last[0], max(sheet.last[1], col)


def tries(sheet: PlacedSheet, page: Page, row: int, sections: list[tuple[int, int]], tell: Tell) -> int:
    """Place the experiments for the reader, each with its answer folded below it."""
    if not page.tries:
        return row
    first = row
    sheet.texts.append(Text(row, MARGIN, tell("Try this"), "step"))
    sheet.heights[row] = 20.0
    row += 1
    for i, text in enumerate(page.tries, 1):
        what, _, answer = text.partition(ANSWER)
        for line in wrapped(f"{i}.  {what}", "try"):
            sheet.texts.append(Text(row, MARGIN, line, "try"))
            sheet.heights[row] = 17.0
            row += 1
        for line in wrapped(f"     {answer}", "answer") if answer else ():
            sheet.texts.append(Text(row, MARGIN, line, "answer"))
            sheet.levels[row] = 1
            sheet.closed.add(row)
            row += 1
    if sheet.closed.intersection(range(first, row)):
        sheet.texts.append(Text(row, MARGIN, tell("Click [+] left of a line to show its answer."), "why"))
        row += 1
    sections.append((first, row + BAND_GAP))
    return row + BAND_GAP


def guide(sheet: PlacedSheet, page: Page, row: int) -> int:
    """Paragraphs on how to read, and what the colours mean."""
    if not page.paragraphs:
        return row
    for text in page.paragraphs:
        sheet.texts.append(Text(row, MARGIN, text, "paragraph", cols=GUIDE_COLUMNS))
        sheet.heights[row] = sheet.row * -(-theme.pixels(text, "lead") // PARAGRAPH) + 4
        row += 1
    for samples in page.legend:
        row += 1
        for i, sample in enumerate(samples):
            sheet.texts.append(Text(row, MARGIN + i, sample.words, sample.look))
    for i in range(GUIDE_COLUMNS):
        sheet.widths[MARGIN + i] = GUIDE_WIDTH
    return row + 2
