"""Where everything stands on the page that a workbook opens on: in pixels, so that it fits a small window.

At 1280 × 800 LibreOffice shows 1066 of XlsxWriter's pixels across, and 618 down.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.graph import Block
from xlsxattn.builder.layout.formulas import cell
from xlsxattn.builder.layout.lanes import colour
from xlsxattn.builder.layout.placed import Bar, Placed, Rectangle, Text
from xlsxattn.builder.layout.printing import PIXELS_A_CHARACTER, PIXELS_A_COLUMN, POINTS_A_PIXEL, pixels
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xlsxattn.builder.graph import Box, FirstScreen, Page, Strip, WordLane
    from xlsxattn.builder.layout.placed import PlacedSheet

    Tell = Callable[[str], str]

MARGIN, GAP, FILLER, MIN_WIDTH = 10, 22, 70, 1000
"""Pixels of the first column, of the one between lanes, of those behind the last, and of all together."""
TITLE, STORY, SPACE, CHIP, CLOSING, HEADING, HEAD, WORD, RESULT, SAYS = 38, 24, 8, 28, 40, 28, 22, 24, 26, 26
"""Pixels of rows."""
STORY_ROW, CHIP_ROW, CLOSING_ROW, LANE_ROW = 1, 3, 4, 5
CHIP_WIDTHS, BOXES_A_LINE, MAX_LINES = (200, 300, 300), 6, 2
GO = "Go to {title}"


def front(sheet: PlacedSheet, page: Page, screen: FirstScreen, tell: Tell) -> int:
    """Place the first screen; the row after its last."""
    sheet.frozen = 0
    starts = _columns(sheet, screen.lanes)
    end = max(sheet.widths.keys() - set(sheet.hidden))
    sheet.texts[0] = replace(sheet.texts[0], col=1)
    _height(sheet, 0, TITLE)
    _height(sheet, 2, SPACE)
    sheet.placed.append(Placed(screen.check, 0, end))
    _show(sheet, screen.story, STORY_ROW, 1, "story", STORY)
    _steps(sheet, screen, end)
    _height(sheet, CLOSING_ROW, CLOSING if screen.closing else SPACE)
    if screen.closing:
        sheet.placed.append(Placed(screen.closing, CLOSING_ROW, 1))
    row = max(_lane(sheet, lane, i, starts[i]) for i, lane in enumerate(screen.lanes))
    _share_bars(sheet)
    _height(sheet, row, SPACE)
    return _boxes(sheet, page.boxes, row + 1, end, tell)


def _height(sheet: PlacedSheet, row: int, height: float) -> None:
    sheet.heights[row] = POINTS_A_PIXEL * height


def _columns(sheet: PlacedSheet, lanes: Sequence[WordLane]) -> list[int]:
    """Set the widths of all columns; the first column of each lane."""
    widths, starts = [MARGIN], []
    for lane in lanes:
        widths += [GAP] if starts else []
        starts.append(len(widths))
        for strip in lane.strips:
            widths += [0 if strip.hidden else strip.pixels] * strip.columns
    while sum(widths) < MIN_WIDTH:
        widths.append(min(FILLER, max(MIN_WIDTH - sum(widths), 12)))
    sheet.hidden = [col for col, width in enumerate(widths) if not width]
    for col, width in enumerate(widths):
        sheet.widths[col] = (max(width, 12) - PIXELS_A_COLUMN) / PIXELS_A_CHARACTER
    return starts


def _show(
    sheet: PlacedSheet, what: str | Block, row: int, col: int, look: str, height: float = 0.0, cols: int = 1
) -> None:
    """A text or a block."""
    if height:
        _height(sheet, row, height)
    if isinstance(what, Block):
        sheet.placed.append(Placed(what, row, col))
    elif what:
        sheet.texts.append(Text(row, col, what, look, cols=cols))


def _steps(sheet: PlacedSheet, screen: FirstScreen, end: int) -> None:
    """Three chips, and the focus word at the right."""
    _height(sheet, CHIP_ROW, CHIP)
    change, watch, see = screen.steps
    looks, col = ("chip input", "chip", "chip link"), 1
    for look, width in zip(looks, CHIP_WIDTHS, strict=True):
        last = col
        while pixels(sheet, range(col, last + 1)) < width and last < end - 3:
            last += 1
        fill = theme.LOOKS[look].format["bg_color"]
        if look == "chip":  # no formula may stand in cells that were made one
            sheet.bars.append(Bar(Rectangle(CHIP_ROW, col, CHIP_ROW, last), fill))
            _show(sheet, watch, CHIP_ROW, col, look)
        else:
            text, target = (change, "") if look == "chip input" else (see.title, see.target)
            sheet.texts.append(Text(CHIP_ROW, col, text, look, cols=last - col + 1, target=target))
        col = last + 1
    sheet.texts.append(Text(CHIP_ROW, end - 1, "follow the word", "head"))
    sheet.placed.append(Placed(screen.follow, CHIP_ROW, end))


def _lane(sheet: PlacedSheet, lane: WordLane, number: int, start: int) -> int:
    """Place a sentence; the row after its last."""
    at = list(accumulate((strip.columns for strip in lane.strips), initial=start))
    seen = [col for col in range(start, at[-1]) if col not in sheet.hidden]
    sheet.bars.append(Bar(Rectangle(LANE_ROW, seen[0], LANE_ROW, seen[-1]), colour(number)))
    _show(sheet, lane.heading, LANE_ROW, start, "lane", HEADING)
    _height(sheet, LANE_ROW + 1, HEAD)
    n, top = max(strip.block.rows for strip in lane.strips if strip.block), LANE_ROW + 2
    for row in range(top, top + n):
        _height(sheet, row, WORD)
    ids = next(col for col, strip in zip(at, lane.strips, strict=False) if strip.hidden)
    for strip, col in zip(lane.strips, at, strict=False):
        _strip(sheet, strip, top, col, word=(top, start), ids=ids)
    row = top + n
    if lane.lines:
        _height(sheet, row, SPACE)
        row += 1
    for line in lane.lines:
        col = at[line.strip]
        _show(sheet, line.label, row, col - 1, "name beside")
        absent = f"={lane.focus}=0" if lane.focus else ""
        sheet.placed.append(Placed(line.block, row, col, absent=absent))
        for i in range(line.block.rows):
            _height(sheet, row + i, RESULT)
        row += line.block.rows
    for block in lane.says:
        sheet.placed.append(Placed(block, row, start))
        _height(sheet, row, SAYS)
        row += 1
    return row


def _strip(sheet: PlacedSheet, strip: Strip, top: int, col: int, *, word: tuple[int, int], ids: int) -> None:
    last = col + strip.columns - 1
    if isinstance(strip.head, Block) and strip.head.look == "head":
        sheet.placed.append(Placed(strip.head, top - 1, last))
    else:
        _show(sheet, strip.head, top - 1, col if isinstance(strip.head, Block) else last, "head")
    if strip.block is None:
        return
    outlined = word if strip.block.look in ("yellow word", "place", "share", "own number") else None
    unknown = f"={cell(top, ids, fixed_col=True)}=0"
    absent = unknown if strip.block.look in ("share", "own number") else ""
    sheet.placed.append(Placed(strip.block, top, col, outlined, absent=absent))


def _share_bars(sheet: PlacedSheet) -> None:
    """Bars of one kind share their ends, so that everything on the screen compares."""
    areas: dict[str, list[Rectangle]] = {}
    for placed in sheet.placed:
        areas.setdefault(theme.LOOKS[placed.block.look].heat, []).append(placed.area)
    for i, placed in enumerate(sheet.placed):
        heat = theme.LOOKS[placed.block.look].heat
        if heat:
            sheet.placed[i] = replace(placed, heat=tuple(areas[heat]))


def _boxes(sheet: PlacedSheet, boxes: Sequence[Box], row: int, end: int, tell: Tell) -> int:
    """Links to the sheets, in lines of boxes."""
    boxes = boxes[: BOXES_A_LINE * MAX_LINES]
    lines = -(-len(boxes) // BOXES_A_LINE)
    size = -(-len(boxes) // lines)
    for first in range(0, len(boxes), size):
        line, left = boxes[first : first + size], 1
        for i, box in enumerate(line, 1):
            right, wanted = left, pixels(sheet, range(1, end + 1)) * i / size
            while right < end - (size - i) and pixels(sheet, range(1, right + 1)) < wanted - GAP:
                right += 1
            tip, cols = tell(say(GO, title=box.title)), right - left + 1
            sheet.texts.append(Text(row, left, box.title, "box", cols=cols, target=box.target, tip=tip))
            sheet.texts.append(Text(row + 1, left, box.subtitle, "box text", cols=cols))
            left = right + 1
        _height(sheet, row, WORD)
        _height(sheet, row + 1, WORD - 6)
        row += 2
    return row
