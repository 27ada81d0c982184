"""Where a page's lanes stand: side by side, or, where they are wide, all in the same columns.

In the same columns each step has a strip of rows for each lane, one below the other, and a stripe at the left
edge in the lane's colour. All rows and columns count from 0.
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
    caption_columns,
    captioned,
    group_columns,
    label_width,
)
from xlsxattn.builder.layout.placed import Bar, Placed, Rectangle

if TYPE_CHECKING:
    from xlsxattn.builder.graph import Page
    from xlsxattn.builder.layout.placed import PlacedSheet

MIN_LANE = 8
MAX_LANE_WIDTH = 30
"""Columns of a lane beside which another one stands: so many fill a screen."""
MIN_LABEL = {False: 12.0, True: 6.0}
"""Characters of a lane's first column, and of a compact one's."""
MAX_HEADINGS = 6
"""Headings, one below the other, that stay in view."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """The columns of a page's lanes.

    Attributes:
        starts: column of the labels of each lane that stands beside others, and of the end of the last.
        stacked: how many lanes share the same columns, one below the other in every step; 0: none do.
    """

    starts: tuple[int, ...]
    stacked: int = 0

    @property
    def first_band(self) -> int:
        """The row where the first band begins: headings one below the other push it down."""
        return FIRST_BAND + max(self.stacked - 1, 0)

    def columns(self, lane: int) -> range:
        """The columns of one lane."""
        at = 0 if self.stacked else lane
        return range(self.starts[at], self.starts[at + 1] - GAP)


def colour(lane: int) -> str:
    """A lane's accent."""
    return theme.LANES[lane % len(theme.LANES)]


def lay_lanes(sheet: PlacedSheet, page: Page) -> Lanes:
    """Decide where the lanes stand, and place their headings."""
    sizes = [_size(page, i) for i in range(max(len(page.lanes), 1))]
    wide = max(width for _, width in sizes)
    if len(page.lanes) > 1 and wide > MAX_LANE_WIDTH and not page.compact:
        sizes = [(max(label for label, _ in sizes), wide)]
    starts = [MARGIN]
    for label, width in sizes:
        if page.lanes:
            sheet.widths[starts[-1]] = max(label, MIN_LABEL[page.compact])
        elif label:
            sheet.widths.setdefault(MARGIN, label)
        starts.append(starts[-1] + 1 + width + GAP)
    lanes = Lanes(tuple(starts), len(page.lanes) if len(sizes) < len(page.lanes) else 0)
    for i, heading in enumerate(page.lanes):
        row, columns = HEAD_ROWS - 1 + (i if lanes.stacked else 0), lanes.columns(i)
        accent = theme.MUTED if page.compact else colour(i)  # there lanes are heads, not sentences
        sheet.bars.append(Bar(Rectangle(row, columns[0], row, columns[-1]), accent))
        sheet.placed.append(Placed(heading, row, columns[0]))
        sheet.heights[row] = 22.0
    if lanes.stacked:
        sheet.frozen = HEAD_ROWS - 1 + min(lanes.stacked, MAX_HEADINGS)
    return lanes


def _size(page: Page, lane: int) -> tuple[float, int]:
    """Characters of the labels in a lane, those of shared groups too, and its columns beside them."""
    own = [group for band in page.bands if not band.shared and (group := band.groups[lane]) is not None]
    shared = [group for band in page.bands if band.shared for group in band.groups if group]
    label = max([label_width(group) for group in (*own, *shared)], default=0.0)
    width = max([group_columns(group) for group in own], default=1)
    above = [group for band in page.bands if captioned(band) and (group := band.groups[lane])]
    captions = [caption_columns(group, label) for group in above]
    return label, max([width, MIN_LANE if page.bands and not page.compact else 1, *captions])
