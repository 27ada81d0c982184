"""What a layout decides: blocks, words and charts with their cells, one record each.

All rows and columns count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

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
        word: the first cell of the words that name its rows; a row whose word is the focus word is outlined.
        heat: the cells that share its heat map's ends, its own among them; none: no heat map.
        states: conditions for its first cell, each with the state of the theme that it stands for.
    """

    block: Block
    row: int
    col: int
    word: tuple[int, int] | None = None
    heat: tuple[Rectangle, ...] = ()
    states: tuple[tuple[str, str], ...] = ()

    @property
    def area(self) -> Rectangle:
        """The cells it covers."""
        return Rectangle(self.row, self.col, self.row + self.block.rows - 1, self.col + self.block.cols - 1)


@dataclass(frozen=True, slots=True)
class Text:
    """Words in a cell, or in merged cells; with ``target``, a name or a place, a link that shows a tip."""

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
    """Coloured cells: a bar across a lane's heading, a stripe beside its rows."""

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
    """A page with every place decided.

    Attributes:
        bars: across the lanes' headings.
        stripes: beside a lane's rows, where lanes stand one below the other.
        widths: characters a column holds.
        heights: points, for rows that are taller than usual.
        row: points of a usual row.
        levels: outline level of the rows that can be folded.
        folded: whether what can be folded is folded.
        frozen: rows that stay in view.
        hidden: columns that nobody needs to see.
        one_page: whether it is printed on a single page; else it is one page wide.
        large: whether its paper is A3, else A4.
        upright: whether it is printed upright, else landscape.
        breaks: rows that begin another page in print.
        margin_right: inches of that margin in print.
        last: last row and column that are printed.
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
    frozen: int = 4
    hidden: list[int] = field(default_factory=list)
    one_page: bool = False
    large: bool = False
    upright: bool = False
    breaks: list[int] = field(default_factory=list)
    margin_right: float = 0.25
    last: tuple[int, int] = (0, 0)


def places(sheets: Sequence[PlacedSheet]) -> Mapping[str, tuple[str, Rectangle]]:
    """Every name's tab and cells, slices included."""
    found: dict[str, tuple[str, Rectangle]] = {}
    for name, where in _places(sheets):
        if name in found:
            raise ValueError(say("two blocks have the name {name!r}", name=name))
        found[name] = where
    return found


def _places(sheets: Sequence[PlacedSheet]) -> Iterator[tuple[str, tuple[str, Rectangle]]]:
    for sheet in sheets:
        for p in sheet.placed:
            bottom = p.row + p.block.rows - 1
            yield p.block.name, (sheet.tab, p.area)
            for name, col, cols in p.block.slices:
                yield name, (sheet.tab, Rectangle(p.row, p.col + col, bottom, p.col + col + cols - 1))
            for name, rows in p.block.tops:
                yield name, (sheet.tab, replace(p.area, bottom=p.row + rows - 1))
