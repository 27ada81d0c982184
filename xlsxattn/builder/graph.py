"""What a workbook is made of: blocks of cells, grouped into bands, the bands into pages.

Nothing here knows where a block stands; that is the layout's business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from xlsxattn.contract.names import STATUS, part_of
from xlsxattn.language import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.builder.ops import Op
    from xlsxattn.language import Language

Cell = float | str
Cells: TypeAlias = "tuple[tuple[Cell, ...], ...] | NDArray[np.floating[Any]]"
"""Typed values row by row; plain numbers may be an array of float32 or float64 (rows × cols)."""
Kind = Literal["input", "constant", "formula"]


@dataclass(frozen=True, slots=True)
class Block:
    """A named range: typed values, or one operation over other named ranges.

    Attributes:
        name: the workbook-wide name.
        rows: height in cells.
        cols: width in cells.
        kind: may a person change it, is it fixed, or is it computed?
        look: how it is dressed; a key of the theme.
        values: typed values row by row, for inputs and constants.
        parts: formulas side by side, each with its number of columns; nearly always one.
        slices: names over columns of the same cells: (name, first column, columns).
        tops: names over the first rows of the same cells: (name, rows).
        widths: characters that its columns hold: one number for all, or one a column; none: the look's.
        number_format: in place of the look's.
    """

    name: str
    rows: int
    cols: int
    kind: Kind
    look: str
    values: Cells = ()
    parts: tuple[Part, ...] = ()
    slices: tuple[tuple[str, int, int], ...] = ()
    tops: tuple[tuple[str, int], ...] = ()
    widths: tuple[float, ...] = ()
    number_format: str = ""

    @property
    def aliases(self) -> tuple[str, ...]:
        """All other names over its cells."""
        return (*(name for name, _, _ in self.slices), *(name for name, _ in self.tops))


@dataclass(frozen=True, slots=True)
class Part:
    """One operation with the names it is applied to, over a number of the block's columns."""

    op: Op
    names: Mapping[str, str]
    cols: int

    @property
    def formula(self) -> str:
        """The formula in names, as the manifest keeps it."""
        return self.op.spelled(self.names)


Labels = Block | tuple[str, ...]
"""Words beside or above a block: live, or typed once."""


@dataclass(frozen=True, slots=True)
class Side:
    """What stands beside a block, nearly always a column of single values under a short heading.

    Attributes:
        heading: in one cell.
        blocks: from top to bottom.
        cols: labels above the columns, in place of the heading.
        words: in a column that has no blocks, a word a row.
    """

    heading: str
    blocks: tuple[Block, ...] = ()
    cols: Block | None = None
    words: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Its columns."""
        return max((block.cols for block in self.blocks), default=1)


@dataclass(frozen=True, slots=True)
class Group:
    """What stands together in one lane: blocks one below the other, their labels, and columns beside them.

    Attributes:
        blocks: from top to bottom.
        rows: labels of each block's rows.
        cols: labels above the first block.
        sides: columns to the right.
        title: words above, in place of the formula.
        corner: words above the row labels.
    """

    blocks: tuple[Block, ...]
    rows: tuple[Labels, ...] = ()
    cols: Labels | None = None
    sides: tuple[Side, ...] = ()
    title: str = ""
    corner: str = ""

    def every_block(self) -> Iterator[Block]:
        """All blocks of the group, labels included."""
        labels = (*self.rows, self.cols)
        yield from (label for label in labels if isinstance(label, Block))
        yield from self.blocks
        for side in self.sides:
            yield from (side.cols, *side.blocks) if side.cols else side.blocks


@dataclass(frozen=True, slots=True)
class Band:
    """One step: a title, what it answers, a group in each lane (or groups that all lanes share).

    Attributes:
        groups: one a lane, None where a lane has no part in the step; or any number that the lanes share.
        level: how deep it is folded into outline groups, 0 for not at all.
        paper: where the step comes from, "Vaswani et al. 2017, §3.2.1".
        more: a second explanation, shown where a full one is asked for.
    """

    title: str
    why: str
    groups: tuple[Group | None, ...]
    shared: bool = False
    show_formula: bool = True
    level: int = 0
    paper: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A single value in a page's head, with the words before it."""

    words: str
    block: Block


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of rows of ranges: what it shows and the words around it.

    Attributes:
        kind: ``bar`` (a range's rows over its columns), ``scatter`` (one column against another) or ``line``
            (ranges of one cell, one after another).
        lane: under which lane it stands.
        series: (words, range, and for a scatter the columns of x and y).
        title: its words; never a cell's, which LibreOffice would keep as they were.
        labels: the range that names a bar chart's columns, or a line chart's points.
        x_title: the axis's words, or the range and column that hold them.
        y_title: likewise.
        after: the band, counted from 0, below which it stands; none: the last.
    """

    kind: Literal["bar", "scatter", "line"]
    lane: int
    title: str
    x_title: str | tuple[str, int]
    y_title: str | tuple[str, int]
    series: tuple[Series, ...]
    labels: str = ""
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a chart: the blocks it runs through, one point or one row each.

    ``title`` is its words, or the range and column that hold them: the legend follows these. ``colour``
    counts in the theme's colours of series, None: the next one; ``mark`` in its shapes of points.
    """

    title: str | tuple[str, int]
    blocks: tuple[str, ...]
    columns: tuple[int, int] = (0, 0)
    colour: int | None = None
    mark: int = 0


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the front page's picture: a sheet's title, what it shows, and where a click leads.

    ``begins``: whether it begins a new line of boxes.
    """

    title: str
    subtitle: str
    target: str
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """A cell of the front page's legend: what a look means, dressed in it."""

    words: str
    look: str


@dataclass(frozen=True, slots=True)
class Link:
    """A line of a table of contents: a page's title, what it shows, and where a click leads.

    ``more``: further links in the same line, their words and names.
    """

    title: str
    says: str
    target: str
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a glossary: a term, what it means, where it first stands, and the paper that names it."""

    term: str
    says: str
    target: str
    paper: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """A column of a lane of the first screen, or several: a row a word, and what stands above.

    Attributes:
        block: the cells; None where there is nothing but the head, and results below.
        pixels: the width of each of its columns.
        head: one for each column, or one for all.
        hidden: whether nobody needs to see it.
    """

    block: Block | None
    pixels: int
    head: str | Block = ""
    hidden: bool = False

    @property
    def columns(self) -> int:
        """How many columns it has."""
        return max(part.cols for part in (self.block, self.head) if isinstance(part, Block))


@dataclass(frozen=True, slots=True)
class Line:
    """A block below a lane's words, in the columns of one of its strips; its label on the left."""

    label: str | Block
    block: Block
    strip: int


@dataclass(frozen=True, slots=True)
class WordLane:
    """A sentence on the first screen: its words and what belongs to each, the results, what they say.

    ``focus`` is the range that says where the focus word stands, "" where that plays no part.
    """

    heading: Block
    strips: tuple[Strip, ...]
    focus: str = ""
    lines: tuple[Line, ...] = ()
    says: tuple[Block, ...] = ()

    def every_block(self) -> Iterator[Block]:
        """All its blocks."""
        shown = (
            self.heading,
            *(part for strip in self.strips for part in (strip.head, strip.block)),
            *(part for line in self.lines for part in (line.label, line.block)),
            *self.says,
        )
        yield from (part for part in shown if isinstance(part, Block))


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What a workbook opens on: where one plays.

    Attributes:
        check: the live check of everything.
        story: one sentence, or texts of which the first is told whose first sentence fits.
        steps: three chips: what to change, what to watch, and where to see how, a link.
        follow: the focus word.
        closing: what comes out.
        lanes: the sentences.
    """

    check: Block
    story: Block | tuple[str, ...]
    steps: tuple[str, str | Block, Box]
    follow: Block
    closing: Block | None
    lanes: tuple[WordLane, ...]

    def every_block(self) -> Iterator[Block]:
        """All its blocks."""
        shown = (self.check, self.story, self.steps[1], self.follow, self.closing)
        yield from (part for part in shown if isinstance(part, Block))
        for lane in self.lanes:
            yield from lane.every_block()


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet of the workbook.

    Attributes:
        id: the sheet's id; ``start``, ``vocab`` and ``xlsxattn`` for the pages that every workbook has.
        title: what the tab and the first line say.
        lead: one or two sentences below the title.
        facts: single values in the head, the page's status last.
        lanes: the heading of each lane.
        bands: the steps, from top to bottom.
        charts: below the last band.
        drop_downs: which range's cells offer a list, and the range that the list comes from.
        paragraphs: lines of text before the bands.
        boxes: a picture of the whole, each box a link.
        legend: what the colours mean, line by line.
        links: a table of contents, before the bands.
        subtitle: what the page shows, in a few words for the front page's picture.
        tries: experiments for the reader, each with what to look for, after the bands.
        entries: a glossary, before the bands.
        papers: below it, what is cited and its title.
        compact: whether its lanes are only as wide as their blocks.
        box: its title in that picture, where the page's own would say too much.
        begins: whether it begins a line of that picture.
        behind: it stands behind the others, is not in the picture, and its outline groups are closed.
        screen: what the workbook opens on, on its first page.
    """

    id: str
    title: str
    lead: str
    facts: tuple[Fact, ...] = ()
    lanes: tuple[Block, ...] = ()
    bands: tuple[Band, ...] = ()
    charts: tuple[Chart, ...] = ()
    drop_downs: Mapping[str, str] = field(default_factory=dict)
    paragraphs: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = ()
    legend: tuple[tuple[Sample, ...], ...] = ()
    links: tuple[Link, ...] = ()
    subtitle: str = ""
    tries: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    papers: tuple[tuple[str, str], ...] = ()
    compact: bool = False
    box: str = ""
    begins: bool = False
    behind: bool = False
    screen: FirstScreen | None = None

    @property
    def has_status(self) -> bool:
        """Whether a live check stands in its head."""
        return any(fact.block.name == part_of(self.id, STATUS) for fact in self.facts)

    @property
    def target(self) -> str:
        """The name that a link to this page leads to."""
        if self.has_status:
            return part_of(self.id, STATUS)
        if self.lanes:
            return self.lanes[0].name
        return self.entries[0].target if self.entries else next(self.blocks()).name

    def blocks(self) -> Iterator[Block]:
        """All blocks of the page, each once."""
        if self.screen:
            yield from self.screen.every_block()
        for fact in self.facts:
            yield fact.block
        yield from self.lanes
        for band in self.bands:
            for group in filter(None, band.groups):
                yield from group.every_block()


@dataclass(frozen=True, slots=True)
class WorkbookPages:
    """All pages of a workbook, in the order of its tabs; how much they say, and in which language."""

    title: str
    pages: tuple[Page, ...]
    explain: str = "short"
    language: Language = ENGLISH

    def blocks(self) -> Iterator[Block]:
        """All blocks of all pages."""
        for page in self.pages:
            yield from page.blocks()
