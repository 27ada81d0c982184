"""The content of a workbook: blocks of cells, grouped into bands, and bands into pages.

The layout decides where blocks are placed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from xlsxattn.contract.names import STATUS, part_of
from xlsxattn.language import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.builder.ops import Op
    from xlsxattn.contract.exercise import Region
    from xlsxattn.language import Language

Cell = float | str
Cells: TypeAlias = "tuple[tuple[Cell, ...], ...] | NDArray[np.floating[Any]]"
"""Constant values row by row; numbers may be an array of float32 or float64 (rows × cols)."""
FORMULA = "{formula}"
"""The title of a group above which the formula of its first block is shown."""
Kind = Literal["input", "constant", "formula", "answer"]


@dataclass(frozen=True, slots=True)
class Block:
    """A named range: constant values, or an operation on other named ranges.

    Attributes:
        name: the workbook-wide name.
        rows: height in cells.
        cols: width in cells.
        kind: input, constant or formula; answer if an exercise leaves all of it to the reader.
        look: its style, a key of the theme's ``LOOKS``.
        values: values row by row, for inputs and constants.
        parts: formulas side by side, each with its number of columns; usually one.
        slices: names of some of its columns: (name, first column, number of columns).
        tops: names of its first rows: (name, number of rows).
        widths: widths of its columns in characters: one for all, or one per column; empty for the look's.
        bands: number of bands of rows, one per training step; of its parts, the first has the formula of the
            first band, the last that of all others.
        number_format: in place of the look's.
        region: the cells that an exercise leaves to the reader.
        key: their formula in the solutions, if they are only some of its cells.
        marked: the only cells with a formula, for marks of an answer.
        waits: True if it shows "–" until answers are complete.
        concealed: True if its formula is not shown, as it would show how an answer is computed.
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
    bands: int = 0
    number_format: str = ""
    region: Region | None = None
    key: Part | None = None
    marked: Region | None = None
    waits: bool = False
    concealed: bool = False

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names of its cells."""
        return (*(name for name, _, _ in self.slices), *(name for name, _ in self.tops))


@dataclass(frozen=True, slots=True)
class Part:
    """An operation, the names of its operands, and the number of columns it fills."""

    op: Op
    names: Mapping[str, str]
    cols: int

    @property
    def formula(self) -> str:
        """The formula in range names, as in the manifest."""
        return self.op.spelled(self.names)


Labels = Block | tuple[str, ...]
"""Labels of a block: a block of live cells, or constant texts."""


@dataclass(frozen=True, slots=True)
class Side:
    """Cells next to a block, usually one column of values below a short heading.

    Attributes:
        heading: text above, in one cell.
        blocks: from top to bottom.
        cols: labels of the columns, instead of the heading.
        words: texts instead of blocks, one per row.
        look: the look of the heading.
    """

    heading: str
    blocks: tuple[Block, ...] = ()
    cols: Block | None = None
    words: tuple[str, ...] = ()
    look: str = "side"

    @property
    def width(self) -> int:
        """Number of columns."""
        return max((block.cols for block in self.blocks), default=1)


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks one below the other in a lane, with their labels and side columns.

    Attributes:
        blocks: from top to bottom.
        rows: row labels of each block.
        cols: column labels of the first block.
        sides: side columns, on the right.
        absent: the condition of numbers that mean nothing and are not shown.
        title: text above, instead of the formula; or `FORMULA`.
        corner: text above the row labels.
        target: the range or page that the title links to.
    """

    blocks: tuple[Block, ...]
    rows: tuple[Labels, ...] = ()
    cols: Labels | None = None
    sides: tuple[Side, ...] = ()
    title: str = ""
    corner: str = ""
    target: str = ""
    absent: str = ""

    def every_block(self) -> Iterator[Block]:
        """All blocks of the group, labels included."""
        labels = (*self.rows, self.cols)
        yield from (label for label in labels if isinstance(label, Block))
        yield from self.blocks
        for side in self.sides:
            yield from (side.cols, *side.blocks) if side.cols else side.blocks


@dataclass(frozen=True, slots=True)
class Band:
    """A step: a title, an explanation, and a group per lane, or groups shared by all lanes.

    Attributes:
        groups: one per lane, None for a lane without this step; or any number of shared groups.
        level: outline level, 0 for none.
        closed: True if its outline group is collapsed.
        paper: source of the step, such as "Vaswani et al. 2017, §3.2.1".
        more: further explanation, for ``explain = "full"``.
    """

    title: str
    why: str
    groups: tuple[Group | None, ...]
    shared: bool = False
    show_formula: bool = True
    level: int = 0
    paper: str = ""
    more: str = ""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A single value in a page's head, and the text before it."""

    words: str
    block: Block


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of ranges.

    Attributes:
        kind: ``bar`` (a range's rows over its columns), ``scatter`` (one column against another) or ``line``
            (ranges of one cell, one after another).
        lane: the lane below which it is placed.
        title: its title, a constant: LibreOffice does not update titles linked to cells.
        x_title: title of the x axis, or the range and column that hold it.
        y_title: title of the y axis, likewise.
        series: its series.
        labels: range of the category labels of a bar or line chart.
        after: index of the band above it; None for the last.
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
    """A series of a chart, over one or several blocks.

    ``title`` is its text, or the range and column that hold it. ``columns`` are those of x and y in a scatter
    chart, where ``is_line`` replaces its points by an arrow through them, and ``is_labelled`` moves the title
    from the legend to its point. ``colour`` is an index in the theme's ``SERIES``, None for the next of
    ``OTHER_SERIES``; ``mark`` one in ``MARKS``.
    """

    title: str | tuple[str, int]
    blocks: tuple[str, ...]
    columns: tuple[int, int] = (0, 0)
    colour: int | None = None
    mark: int = 0
    is_line: bool = False
    is_labelled: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A box of the front page's diagram: a sheet's title, subtitle, and link target."""

    title: str
    subtitle: str
    target: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A cell of the front page's legend: a look and its meaning."""

    words: str
    look: str


@dataclass(frozen=True, slots=True)
class ContentsLink:
    """A line of a table of contents: a page's title, what it shows, and the link target.

    ``more``: further links in the line: text and target.
    """

    title: str
    says: str
    target: str
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """A glossary entry: a term, its meaning, its first occurrence, and its paper."""

    term: str
    says: str
    target: str
    paper: str = ""


@dataclass(frozen=True, slots=True)
class Strip:
    """One or several columns of a lane of the first screen, with a row for each word and a heading.

    Attributes:
        block: the cells; None if there is only a heading above results.
        pixels: the width of each of its columns.
        head: the heading, one for each column or one for all.
        beside: a text on the left of the heading above results.
        hidden: whether the columns are hidden.
    """

    block: Block | None
    pixels: int
    head: str | Block = ""
    beside: str = ""
    hidden: bool = False

    @property
    def columns(self) -> int:
        """Number of columns."""
        return max(part.cols for part in (self.block, self.head) if isinstance(part, Block))


@dataclass(frozen=True, slots=True)
class Line:
    """A block below a lane's words, in the columns of one of its strips; its label on the left.

    ``head``: texts above its columns.
    """

    label: str | Block
    block: Block
    strip: int
    head: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WordLane:
    """A sentence on the first screen: its words with their numbers, the results, and texts about these.

    ``absent`` is the condition that results are meaningless because a word is missing; "" if that cannot be.
    """

    heading: Block
    strips: tuple[Strip, ...]
    absent: str = ""
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
    """The first screen of a workbook, where its words can be changed.

    Attributes:
        check: the live check of everything.
        story: one sentence, or variants, of which the first whose first sentence fits is used.
        steps: three chips: what to change, what to watch, and where to see how, a link.
        follow: the focus word.
        closing: the result of all sentences.
        lanes: the sentences.
        progress: in an exercise, the share of points earned.
    """

    check: Block
    story: Block | tuple[str, ...]
    steps: tuple[str, str | Block, Box]
    follow: Block
    closing: Block | str
    lanes: tuple[WordLane, ...]
    progress: Block | None = None

    def every_block(self) -> Iterator[Block]:
        """All its blocks."""
        shown = (self.check, self.story, self.steps[1], self.follow, self.closing, self.progress)
        yield from (part for part in shown if isinstance(part, Block))
        for lane in self.lanes:
            yield from lane.every_block()


@dataclass(frozen=True, slots=True)
class Hints:
    """The hints of an answer, the last of which describes the formula in words.

    Attributes:
        name: the range to compute.
        title: what it is, such as "Scores".
        texts: the hints.
    """

    name: str
    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A sheet of the workbook.

    Attributes:
        id: the sheet's id; ``start``, ``vocab`` and ``xlsxattn`` for the pages of every workbook.
        title: the title, also used for the tab.
        lead: one or two sentences below the title.
        facts: single values in the head, ending with the status.
        lanes: the headings of the lanes.
        bands: the steps, from top to bottom.
        charts: the charts.
        drop_downs: ranges with drop-down lists → ranges of their items.
        paragraphs: texts before the bands.
        boxes: a diagram of the sheets, each box a link.
        legend: meanings of the colours, line by line.
        links: a table of contents, before the bands.
        subtitle: a short description for the diagram.
        tries: experiments for the reader, after the bands.
        entries: a glossary, before the bands.
        papers: cited papers and their titles, below the glossary.
        compact: True if lanes are only as wide as their blocks.
        box: a shorter title for the diagram.
        behind: True if it comes after the other pages, is not in the diagram, and its outline is collapsed.
        screen: the first screen, on the first page.
        hints: the hints of an exercise.
        free: True for a page of an exercise that is not protected.
        results: the results of each lane, shown below its heading, in groups of rows.
        sentence: number of the first lane's sentence from 0; each sentence has a colour of its own.
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
    links: tuple[ContentsLink, ...] = ()
    subtitle: str = ""
    tries: tuple[str, ...] = ()
    entries: tuple[GlossaryEntry, ...] = ()
    papers: tuple[tuple[str, str], ...] = ()
    compact: bool = False
    box: str = ""
    behind: bool = False
    screen: FirstScreen | None = None
    hints: tuple[Hints, ...] = ()
    free: bool = False
    results: tuple[tuple[Group, ...], ...] = ()
    sentence: int = 0

    @property
    def has_status(self) -> bool:
        """True if its head has a live check."""
        return any(fact.block.name == part_of(self.id, STATUS) for fact in self.facts)

    @property
    def target(self) -> str:
        """The name that links to this page refer to."""
        if self.has_status:
            return part_of(self.id, STATUS)
        if self.lanes:
            return self.lanes[0].name
        return self.entries[0].target if self.entries else next(self.blocks()).name

    def blocks(self) -> Iterator[Block]:
        """All blocks of the page."""
        if self.screen:
            yield from self.screen.every_block()
        for fact in self.facts:
            yield fact.block
        yield from self.lanes
        for group in chain.from_iterable(self.results):
            yield from group.every_block()
        for band in self.bands:
            for group in filter(None, band.groups):
                yield from group.every_block()


@dataclass(frozen=True, slots=True)
class WorkbookPages:
    """All pages of a workbook in the order of its tabs, with their level of explanation and language.

    ``protected``: True for an exercise, in which only inputs and answers can be changed.
    """

    title: str
    pages: tuple[Page, ...]
    explain: str = "short"
    language: Language = ENGLISH
    protected: bool = False

    def blocks(self) -> Iterator[Block]:
        """All blocks of all pages."""
        for page in self.pages:
            yield from page.blocks()
