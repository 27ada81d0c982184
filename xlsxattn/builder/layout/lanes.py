"""Places a page's lanes side by side; wide lanes are stacked in the same columns.

With stacked lanes, each step has a strip of rows per lane, one below the other, and a stripe in the lane's
colour at the left edge. All rows and columns count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xlsxattn.builder import theme
from xlsxattn.builder.layout.measures import (
    FIRST_BAND,
    GAP,
    HEAD_ROWS,
    MARGIN,
    MAX_CAPTION_LENGTH,
    NARROW,
    NARROW_GAP,
    NARROW_LABEL,
    NARROW_MARGIN,
    WIDE_FORMULA_CHARACTER,
    caption_columns,
    captioned,
    group_columns,
    label_width,
)
from xlsxattn.builder.layout.placed import Bar, Placed, Rectangle
from xlsxattn.builder.layout.printing import PIXELS_A_CHARACTER, PIXELS_A_COLUMN

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Page
    from xlsxattn.builder.layout.placed import PlacedSheet

MIN_LANE, MIN_NARROW_LANE = 8, 5
"""Minimum number of columns of a lane, alone or beside others, so that its chart can be read."""
MAX_LANE_WIDTH = 30
"""Maximum number of columns of lanes side by side."""
MIN_LABEL = {False: 12.0, True: 6.0}
"""Minimum width of a lane's first column in characters; True for compact pages."""
MAX_HEADINGS = 6
"""Maximum number of frozen headings of stacked lanes."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """The columns of a page's lanes.

    Attributes:
        starts: first column of each lane that has its own columns, and the end of the last one.
        stacked: number of lanes stacked in the same columns; 0 if lanes are side by side.
        line: maximum length of a line of a caption.
        results: number of rows with results below the headings.
        sentence: number of the first lane's sentence from 0.
    """

    starts: tuple[int, ...]
    stacked: int = 0
    line: int = MAX_CAPTION_LENGTH
    results: int = 0
    sentence: int = 0

    @property
    def first_band(self) -> int:
        """First row of the first band, below the headings of stacked lanes."""
        return FIRST_BAND + max(self.stacked - 1, 0) + self.results

    def columns(self, lane: int) -> range:
        """The columns of a lane."""
        i = 0 if self.stacked else lane
        return range(self.starts[i], self.starts[i + 1] - GAP)


def colour(lane: int) -> str:
    """A lane's accent colour."""
    return theme.LANES[lane % len(theme.LANES)]


def lay_lanes(sheet: PlacedSheet, page: Page) -> Lanes:
    """Choose the columns of the lanes, and place their headings."""
    sheet.narrow = len(page.lanes) > 1 and not page.compact
    sizes = [_size(page, i, narrow=sheet.narrow) for i in range(max(len(page.lanes), 1))]
    if sheet.narrow and max(width for _, width in sizes) > MAX_LANE_WIDTH:
        sheet.narrow = False
        sizes = [_size(page, i) for i in range(len(page.lanes))]
        sizes = [(max(label for label, _ in sizes), max(width for _, width in sizes))]
    starts = [MARGIN]
    for label, width in sizes:
        if page.lanes:
            sheet.widths[starts[-1]] = max(label, NARROW_LABEL if sheet.narrow else MIN_LABEL[page.compact])
        elif label:
            sheet.widths.setdefault(MARGIN, label)
        starts.append(starts[-1] + 1 + width + GAP)
    line = MAX_CAPTION_LENGTH
    if sheet.narrow:
        sheet.widths |= {0: NARROW_MARGIN} | {start - GAP: NARROW_GAP for start in starts[1:-1]}
        line = min(line, *(_characters(label, width) for label, width in sizes))
    results = max((sum(1 + len(group.blocks) for group in groups) for groups in page.results), default=0)
    stacked = len(page.lanes) if len(sizes) < len(page.lanes) else 0
    lanes = Lanes(tuple(starts), stacked, line, results, page.sentence)
    sheet.frozen += results
    for i, heading in enumerate(page.lanes):
        row, columns = HEAD_ROWS - 1 + (i if lanes.stacked else 0), lanes.columns(i)
        # compact lanes are heads, not sentences
        accent = theme.MUTED if page.compact else colour(page.sentence + i)
        sheet.bars.append(Bar(Rectangle(row, columns[0], row, columns[-1]), accent))
        sheet.placed.append(Placed(heading, row, columns[0]))
        sheet.heights[row] = 22.0
    if lanes.stacked:
        sheet.frozen = HEAD_ROWS - 1 + min(lanes.stacked, MAX_HEADINGS)
    return lanes


def _characters(label: float, width: int) -> int:
    """How many characters of a formula a narrow lane holds."""
    labels = PIXELS_A_CHARACTER * max(label, NARROW_LABEL) + PIXELS_A_COLUMN
    numbers = width * (PIXELS_A_CHARACTER * NARROW + PIXELS_A_COLUMN)
    return int((labels + numbers) / WIDE_FORMULA_CHARACTER)


def _size(page: Page, lane: int, *, narrow: bool = False) -> tuple[float, int]:
    """Width of a lane's labels in characters, including those of shared groups, and its other columns.

    A narrow lane is only as wide as its blocks; captions are wrapped.
    """
    groups = [group for band in page.bands if not band.shared and (group := band.groups[lane]) is not None]
    shared = [group for band in page.bands if band.shared for group in band.groups if group]
    label = max([label_width(group) for group in (*groups, *shared)], default=0.0)
    width = max([group_columns(group) for group in groups], default=1)
    if narrow:
        return label, max(width, MIN_NARROW_LANE)
    with_caption = [group for band in page.bands if captioned(band) and (group := band.groups[lane])]
    captions = [caption_columns(group, label) for group in with_caption]
    return label, max([width, MIN_LANE if page.bands and not page.compact else 1, *captions])
