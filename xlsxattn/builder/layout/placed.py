"""Records of a layout: blocks, texts and charts with their cells.

All rows and columns count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xlsxattn.contract.exercise import region_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.builder.graph import Block, Chart


@dataclass(frozen=True, slots=True)
class Rectangle:
    """First row, first column, last row, last column."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A block and its first cell.

    Attributes:
        word: first cell of the words that label its rows; the row of the focus word is outlined.
        heat: the areas that share its heat map's scale, including its own; empty for no heat map.
        states: conditions for its first cell, each with the theme's state that it stands for.
    """

    block: Block
    row: int
    col: int
    word: tuple[int, int] | None = None
    heat: tuple[Rectangle, ...] = ()
    states: tuple[tuple[str, str], ...] = ()

    @property
    def area(self) -> Rectangle:
        """Its cells."""
        return Rectangle(self.row, self.col, self.row + self.block.rows - 1, self.col + self.block.cols - 1)


@dataclass(frozen=True, slots=True)
class Text:
    """A text in a cell or in merged cells; with ``target``, a range or cell, a link with a tooltip."""

    row: int
    col: int
    text: str
    look: str
    rows: int = 1
    cols: int = 1
    target: str = ""
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """Coloured cells: a bar behind a lane's heading, or a stripe next to its rows."""

    where: Rectangle
    colour: str


@dataclass(frozen=True, slots=True)
class PlacedChart:
    """A chart, its first cell, and its width in pixels."""

    chart: Chart
    row: int
    col: int
    width: int


@dataclass(slots=True)
class PlacedSheet:
    """A page with everything placed.

    Attributes:
        bars: behind the lanes' headings.
        stripes: next to the rows of stacked lanes.
        widths: widths of columns in characters.
        heights: heights of rows in points, if not the default.
        row: default height of a row in points.
        levels: outline levels of rows.
        folded: True if outline groups are collapsed.
        closed: rows of outline groups that are collapsed nevertheless.
        narrow: True if the columns of numbers are narrow, so that lanes fit the screen side by side.
        padded: True if some rows have no word; they are shown without numbers and colours.
        frozen: number of frozen rows.
        hidden: columns that are hidden.
        one_page: True if it is one printed page high.
        footer: what the footer says besides the sheet's name and the page number.
        portrait: True for portrait, False for landscape.
        breaks: rows with a page break above them.
        margin_right: right margin in print, in inches.
        last: last row and column of the print area.
        protected: True if only unlocked cells can be changed.
        anchors: names of places on the sheet, for links, and their cells.
    """

    id: str
    tab: str
    placed: list[Placed] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    stripes: list[Bar] = field(default_factory=list)
    charts: list[PlacedChart] = field(default_factory=list)
    drop_downs: dict[str, str] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    heights: dict[int, float] = field(default_factory=dict)
    row: float = 15.0
    levels: dict[int, int] = field(default_factory=dict)
    folded: bool = False
    closed: set[int] = field(default_factory=set)
    narrow: bool = False
    padded: bool = False
    frozen: int = 4
    hidden: list[int] = field(default_factory=list)
    one_page: bool = False
    footer: str = ""
    portrait: bool = False
    breaks: list[int] = field(default_factory=list)
    margin_right: float = 0.25
    last: tuple[int, int] = (0, 0)
    protected: bool = False
    anchors: dict[str, tuple[int, int]] = field(default_factory=dict)


def places(sheets: Sequence[PlacedSheet]) -> Mapping[str, tuple[str, Rectangle]]:
    """Tab and cells of each name, including slices."""
    by_name: dict[str, tuple[str, Rectangle]] = {}
    for name, place in _places(sheets):
        if name in by_name:
            raise ValueError(say("two blocks have the name {name!r}", name=name))
        by_name[name] = place
    return by_name


def _places(sheets: Sequence[PlacedSheet]) -> Iterator[tuple[str, tuple[str, Rectangle]]]:
    for sheet in sheets:
        for p in sheet.placed:
            bottom = p.row + p.block.rows - 1
            yield p.block.name, (sheet.tab, p.area)
            if r := p.block.region:
                top, left = p.row + r.row, p.col + r.col
                area = Rectangle(top, left, top + r.rows - 1, left + r.cols - 1)
                yield region_of(p.block.name), (sheet.tab, area)
            for name, col, cols in p.block.slices:
                yield name, (sheet.tab, Rectangle(p.row, p.col + col, bottom, p.col + col + cols - 1))
            for name, rows in p.block.tops:
                yield name, (sheet.tab, replace(p.area, bottom=p.row + rows - 1))
