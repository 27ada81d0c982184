"""Layout of the first screen in pixels, so that it fits a small window.

At 1280 × 800, LibreOffice shows 1066 × 618 of XlsxWriter's pixels.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.graph import Block
from xlsxattn.builder.layout.formulas import cell
from xlsxattn.builder.layout.lanes import colour
from xlsxattn.builder.layout.page_text import GO
from xlsxattn.builder.layout.placed import Bar, Placed, Rectangle, Text
from xlsxattn.builder.layout.printing import PIXELS_A_CHARACTER, PIXELS_A_COLUMN, POINTS_A_PIXEL, pixels
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Box, FirstScreen, Page, Strip, WordLane
    from xlsxattn.builder.layout.placed import PlacedSheet
    from xlsxattn.language import Tell

MARGIN, GAP, FILLER, MIN_WIDTH = 10, 22, 70, 1000
"""Pixels of the first column, between lanes, of each column after the last lane, and of all columns."""
TITLE, STORY, SPACE, CHIP, CLOSING, HEADING, HEAD, WORD, RESULT, SAYS = 38, 28, 8, 28, 40, 28, 22, 24, 26, 26
LOW_WORD, MAX_DOWN = 20, 618
"""Heights of rows in pixels; rows of words are lower if the window is too small for the others."""
STORY_ROW, CHIP_ROW, CLOSING_ROW, LANE_ROW = 1, 3, 4, 5
BOX, BOX_TEXT, BOXES_A_LINE, LABEL = 24, 18, (4, 6), 120
"""Heights of the rows of a box; how many boxes are side by side, at least and at most; width in pixels of the
text beside the focus word."""
SENTENCE, MAX_STORY = re.compile(r".+?(?:[.!?](?= |$)|[。！？]|$)", re.DOTALL), 125
"""A sentence, and the length of its longest variant in characters."""


def front(sheet: PlacedSheet, page: Page, screen: FirstScreen, tell: Tell) -> int:
    """Place the first screen, and return the row after it."""
    sheet.frozen = 0
    starts = _columns(sheet, screen.lanes)
    seen = sheet.widths.keys() - {0, *sheet.hidden}
    left, end = min(seen), max(seen)
    sheet.texts[0] = replace(sheet.texts[0], col=left)
    _height(sheet, 0, TITLE)
    _height(sheet, 2, WORD if screen.progress else SPACE)
    if screen.progress:
        _progress(sheet, screen.progress, end, tell)
    sheet.placed.append(Placed(screen.check, 0, end))
    story = screen.story if isinstance(screen.story, Block) else _first_sentence(screen.story)
    _show(sheet, story, STORY_ROW, left, "story", STORY)
    _steps(sheet, screen, end, tell)
    _height(sheet, CLOSING_ROW, CLOSING if screen.closing else SPACE)
    if screen.closing:
        _show(sheet, screen.closing, CLOSING_ROW, left, "says")
    blocks = [strip.block for lane in screen.lanes for strip in lane.strips]
    below = LANE_ROW + 2 + max(block.rows for block in blocks if block)
    row = max(_lane(sheet, lane, i, starts[i], below) for i, lane in enumerate(screen.lanes))
    _share_bars(sheet)
    _height(sheet, row, SPACE)
    words = range(LANE_ROW + 2, below)
    height, a_line = _fitting(sheet, len(words), row + 1, len(page.boxes))
    for each in words:
        _height(sheet, each, height)
    return _boxes(sheet, page.boxes, row + 1, end, tell, a_line)


def _fitting(sheet: PlacedSheet, n_words: int, rows: int, n_boxes: int) -> tuple[int, int]:
    """Height of the rows of words and number of boxes a line with which a screen of ``rows`` rows fits."""
    others = sum(sheet.heights[row] for row in range(rows)) / POINTS_A_PIXEL - WORD * n_words
    choices = [(height, a_line) for height in (WORD, LOW_WORD) for a_line in BOXES_A_LINE]

    def fits(height: int, a_line: int) -> bool:
        return others + height * n_words + (BOX + BOX_TEXT) * -(-n_boxes // a_line) <= MAX_DOWN

    return next((choice for choice in choices if fits(*choice)), choices[-1])


def _progress(sheet: PlacedSheet, block: Block, end: int, tell: Tell) -> None:
    """Place the progress bar of an exercise, with its label."""
    first, last = _spans(sheet, end, len(("change", "watch", "see")))[0]
    col = max(first + 1, last)
    sheet.texts.append(Text(2, col - 1, tell("Right so far"), "beside"))
    sheet.placed.append(Placed(block, 2, col))


def _first_sentence(texts: Sequence[str]) -> str:
    """The first sentence of the first text for which it fits; "" if none fits."""
    for text in texts:
        sentence = SENTENCE.match(text)
        if sentence and theme.cell_width(sentence[0]) <= MAX_STORY:
            return sentence[0]
    return ""


def _height(sheet: PlacedSheet, row: int, height: float) -> None:
    sheet.heights[row] = POINTS_A_PIXEL * height


def _columns(sheet: PlacedSheet, lanes: Sequence[WordLane]) -> list[int]:
    """Set the widths of all columns, and return the first column of each lane."""
    widths, starts = [MARGIN], list[int]()
    for lane in lanes:
        widths += [GAP] if starts else []
        starts.append(len(widths))
        for strip in lane.strips:
            widths += [0 if strip.hidden else strip.pixels] * strip.columns
    left = MIN_WIDTH - sum(widths)
    fillers = max(-(-left // FILLER), 0)
    widths += [left // fillers] * fillers if fillers else []
    sheet.hidden = [col for col, width in enumerate(widths) if not width]
    for col, width in enumerate(widths):
        sheet.widths[col] = (max(width, MARGIN) - PIXELS_A_COLUMN) / PIXELS_A_CHARACTER
    return starts


def _show(
    sheet: PlacedSheet, what: str | Block, row: int, col: int, look: str, height: float = 0.0, cols: int = 1
) -> None:
    """Place a text or a block."""
    if height:
        _height(sheet, row, height)
    if isinstance(what, Block):
        sheet.placed.append(Placed(what, row, col))
    elif what:
        sheet.texts.append(Text(row, col, what, look, cols=cols))


def _steps(sheet: PlacedSheet, screen: FirstScreen, end: int, tell: Tell) -> None:
    """Place the three chips, and the focus word above them on the right."""
    first = end - 1
    while pixels(sheet, range(first, end)) < LABEL:
        first -= 1
    sheet.texts.append(Text(STORY_ROW, first, tell("follow the word"), "beside", cols=end - first))
    sheet.placed.append(Placed(screen.follow, STORY_ROW, end))
    _height(sheet, CHIP_ROW, CHIP)
    change, watch, see = screen.steps
    looks, spans = ("chip input", "chip", "chip link"), _spans(sheet, end, len(screen.steps))
    for look, text, (first, last) in zip(looks, (change, watch, see.title), spans, strict=True):
        if isinstance(text, Block):  # merged cells cannot hold an array formula
            fill = theme.LOOKS[look].format["bg_color"]
            sheet.bars.append(Bar(Rectangle(CHIP_ROW, first, CHIP_ROW, last), fill))
            sheet.placed.append(Placed(text, CHIP_ROW, first))
        else:
            target, tip = (see.target, tell(say(GO, title=see.subtitle))) if text is see.title else ("", "")
            cols = last - first + 1
            sheet.texts.append(Text(CHIP_ROW, first, text, look, cols=cols, target=target, tip=tip))


def _spans(sheet: PlacedSheet, end: int, count: int) -> list[tuple[int, int]]:
    """Divide the width into ``count`` parts of similar size: first and last column of each, both visible."""
    seen = [col for col in range(1, end + 1) if col not in sheet.hidden]
    edges = [pixels(sheet, (one for one in seen if one <= col)) for col in seen]
    spans, first = [], 0
    for i in range(1, count + 1):
        room = range(first, len(seen) - (count - i))
        last = min(room, key=lambda k: abs(edges[k] - edges[-1] * i / count))
        spans.append((seen[first], seen[last]))
        first = last + 1
    return spans


def _lane(sheet: PlacedSheet, lane: WordLane, number: int, start: int, below: int) -> int:
    """Place a sentence, and its results from the row ``below`` on; return the row after them."""
    at = list(accumulate((strip.columns for strip in lane.strips), initial=start))
    seen = [col for col in range(start, at[-1]) if col not in sheet.hidden]
    sheet.bars.append(Bar(Rectangle(LANE_ROW, seen[0], LANE_ROW, seen[-1]), colour(number)))
    _show(sheet, lane.heading, LANE_ROW, seen[0], "lane", HEADING)
    _height(sheet, LANE_ROW + 1, HEAD)
    top, row = LANE_ROW + 2, below
    for each in range(top, below):
        _height(sheet, each, WORD)
    for strip, col in zip(lane.strips, at, strict=False):
        _strip(sheet, strip, top if strip.block else below + 1, col, start, seen[0])
    if lane.lines:
        _height(sheet, row, SPACE if all(strip.block for strip in lane.strips) else HEAD)
        row += 1
    for line in lane.lines:
        col = at[line.strip]
        if line.head:
            _height(sheet, row, HEAD)
            sheet.texts += [Text(row, col + j, text, "name above") for j, text in enumerate(line.head)]
            row += 1
        _show(sheet, line.label, row, col - 1, "name beside")
        states = ((lane.absent, "absent"),) if lane.absent else ()
        sheet.placed.append(Placed(line.block, row, col, states=states))
        for i in range(line.block.rows):
            _height(sheet, row + i, RESULT)
        row += line.block.rows
    for block in lane.says:
        sheet.placed.append(Placed(block, row, seen[0]))
        _height(sheet, row, SAYS)
        row += 1
    return row


def _strip(sheet: PlacedSheet, strip: Strip, top: int, col: int, ids: int, words: int) -> None:
    """Place a strip and its head; ``ids`` and ``words`` are the lane's columns of these."""
    is_of_words = strip.block and strip.block.look in ("word", "next word")
    _show(sheet, strip.head, top - 1, col, "head of words" if is_of_words else "head")
    if strip.block is None:
        _show(sheet, strip.beside, top - 1, col - 1, "beside")
        return
    outlined = (top, words) if strip.block.look in ("yellow word", "place", "share", "own number") else None
    number, first = (cell(top, at, fixed_col=True) for at in (ids, words))
    is_unknown, is_absent = f"=AND(LEN({first})>0,{number}=0)", f"={number}=0"
    by_look: dict[str, tuple[tuple[str, str], ...]] = {
        "yellow word": ((is_unknown, "unknown"),),
        "share": ((is_absent, "absent"),),
        "own number": ((is_absent, "absent"),),
        **dict.fromkeys(("word", "next word", "chance", "aligned"), ((is_unknown, "absent"),)),
    }
    states = by_look.get(strip.block.look, ())
    if isinstance(strip.head, Block) and strip.head.look == "name above":  # a column of a blank word
        states += ((f"=LEN({cell(top - 1, col, fixed_row=True)})=0", "absent"),)
    sheet.placed.append(Placed(strip.block, top, col, outlined, states=states))


def _share_bars(sheet: PlacedSheet) -> None:
    """Give bars of the same kind a common scale, so that they can be compared."""
    areas: dict[str, list[Rectangle]] = {}
    for placed in sheet.placed:
        areas.setdefault(theme.LOOKS[placed.block.look].heat, []).append(placed.area)
    for i, placed in enumerate(sheet.placed):
        heat = theme.LOOKS[placed.block.look].heat
        if heat:
            sheet.placed[i] = replace(placed, heat=tuple(areas[heat]))


def _boxes(sheet: PlacedSheet, boxes: Sequence[Box], row: int, end: int, tell: Tell, a_line: int) -> int:
    """Place links to the sheets, in lines of boxes, and return the row after them."""
    lines = -(-len(boxes) // a_line)
    size = -(-len(boxes) // lines)
    for first in range(0, len(boxes), size):
        line = boxes[first : first + size]
        for box, (left, right) in zip(line, _spans(sheet, end, size), strict=False):
            tip, cols = tell(say(GO, title=box.title)), right - left + 1
            sheet.texts.append(Text(row, left, box.title, "box", cols=cols, target=box.target, tip=tip))
            sheet.texts.append(Text(row + 1, left, box.subtitle, "box text", cols=cols))
        _height(sheet, row, BOX)
        _height(sheet, row + 1, BOX_TEXT)
        row += 2
    return row
