"""Puts a laid-out workbook into a file. The only importer of XlsxWriter; it takes no decisions."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import replace
from itertools import cycle
from typing import TYPE_CHECKING, Any, Self

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from xlsxattn.builder import theme
from xlsxattn.builder.layout import formulas
from xlsxattn.builder.layout.placed import places
from xlsxattn.builder.layout.printing import MARGIN_BOTTOM, MARGIN_SIDE, MARGIN_TOP, repeated
from xlsxattn.builder.writer import bulk
from xlsxattn.contract.values import HIDDEN_BELOW
from xlsxattn.language import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.builder.graph import Cell, Chart, Series
    from xlsxattn.builder.layout.placed import Placed, PlacedSheet, Rectangle
    from xlsxattn.language import Language

    Grid = Sequence[Sequence[Any]] | NDArray[Any]

CREATED = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - a fixed date, so that the same spec gives the same bytes
A3, A4 = 8, 9
"""Papers, by their numbers in the file format."""
MAX_TIP_LENGTH, MIN_WIDTH = 255, 8.43
"""Characters of a link's tip, and of a column whose width is not set."""
DIGEST_PROPERTY = "xlsxattn digest"


def write(
    path: Path,
    title: str,
    sheets: Sequence[PlacedSheet],
    values: Mapping[str, Grid] | None = None,
    language: Language = ENGLISH,
    *,
    tick: bulk.Tick = lambda _: None,
    draft: bool = False,
) -> None:
    """Write a workbook.

    Args:
        path: the file to write.
        title: the workbook's title, for its properties.
        sheets: what the layout gave.
        values: what an engine computed for each range, saved with the formulas; without it they save 0.
        language: in which number formats say words.
        tick: is told how many cells of large blocks of numbers were written.
        draft: whether an engine alone will read it, once: it takes long over names, and IronCalc over rules
            that colour cells, so of the names only those are defined that formulas speak of, there are no
            rules and no charts. Nor are there large blocks of numbers: it is given those in another way.
    """
    strips = {} if draft else bulk.strips(sheets)
    first = path.with_suffix(".part") if strips else path
    with _Writer(first, title, sheets, values or {}, language) as writer:
        for i, sheet in enumerate(sheets):
            ws = writer.add(sheet, first=i == 0)
            if not draft:
                writer.finish(ws, sheet)
        writer.define_names(formulas.spoken_of(sheets) if draft else writer.places)
    if strips:
        with tempfile.TemporaryFile(dir=path.parent) as spool:
            bulk.Packer(spool, tick).pack(first, path, strips)
        first.unlink()


def _plain(row: Sequence[Cell] | NDArray[np.floating[Any]]) -> Iterable[Cell]:
    """A row's values for XlsxWriter; a float32 by the shortest decimal text that gives it back."""
    if isinstance(row, tuple):
        return row
    return (float(str(value)) for value in row)


def _typed(sheet: PlacedSheet, takes: str) -> Iterator[Rectangle]:
    """The cells that take what a person types, and offer no list of it."""
    for placed in sheet.placed:
        block = placed.block
        wanted = block.kind == "input" and theme.LOOKS[block.look].takes == takes
        if wanted and block.name not in sheet.drop_downs:
            yield placed.area


def _first_cell(sheet: PlacedSheet) -> tuple[int, int]:
    """The cell that is chosen when a sheet is opened: the first yellow word, or one that scrolls."""
    if sheet.frozen:
        return sheet.frozen, 0
    offered = [(-p.row, p.col) for p in sheet.placed if p.block.name in sheet.drop_downs]
    row, col = min(offered)  # the focus word stands above the sentences
    return -row, col


class _Words(str):
    """A formula's text result. XlsxWriter would save one such as 1e5 as a number, were it readable as one."""

    __slots__ = ()

    def __float__(self) -> float:
        raise ValueError(self)


def _within(area: Rectangle, cells: Rectangle) -> tuple[slice, slice]:
    """The rows and columns of an area that some of its cells take."""
    rows = slice(cells.top - area.top, cells.bottom - area.top + 1)
    return rows, slice(cells.left - area.left, cells.right - area.left + 1)


def _saved(value: Any) -> float | str:
    """What is saved beside a formula."""
    return _Words(value or "") if value is None or isinstance(value, str) else value


def _values(ws: Any, top: int, left: int, rows: Iterable[Iterable[Cell]], look: Any) -> None:
    """Write texts and numbers."""
    for row, values in enumerate(rows, top):
        for col, value in enumerate(values, left):
            write = ws.write_string if isinstance(value, str) else ws.write_number
            write(row, col, value, look)


class _Writer:
    """One workbook in the making, with the formats made so far."""

    def __init__(
        self,
        path: Path,
        title: str,
        sheets: Sequence[PlacedSheet],
        values: Mapping[str, Grid],
        language: Language,
    ) -> None:
        # XlsxWriter's own temporary files go beside the workbook, where a killed build's leftovers are swept
        options: dict[str, Any] = {
            "tmpdir": str(path.parent),
            "strings_to_numbers": False,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        self.book = xlsxwriter.Workbook(str(path), options)
        self.book.set_properties({"title": title, "created": CREATED, "comments": "Made by xlsxattn"})
        self.book.set_custom_property(DIGEST_PROPERTY, "0" * 64, "text")
        self.book.set_size(2400, 1500)
        self.book.set_calc_mode("auto")
        self.places, self.values, self.language = places(sheets), values, language
        self.formats: dict[frozenset[tuple[str, Any]], Any] = {}
        self.looks: dict[str, Any] = {}
        formulas.check_names(self.places)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is not None:
            return
        try:
            self.book.close()
        except FileCreateError as around:  # XlsxWriter's own, around what the system says
            cause = next((one for one in around.args if isinstance(one, OSError)), None)
            raise cause or around from None

    def dress(self, properties: Mapping[str, Any]) -> Any:
        key = frozenset(properties.items())
        if key not in self.formats:
            self.formats[key] = self.book.add_format(theme.told(properties, self.language))
        return self.formats[key]

    def look(self, name: str) -> Any:
        if name not in self.looks:
            self.looks[name] = self.dress({"font_name": theme.FONT, **theme.LOOKS[name].format})
        return self.looks[name]

    def define_names(self, wanted: Container[str]) -> None:
        for name, (tab, where) in self.places.items():
            if name in wanted:
                self.book.define_name(name, f"={formulas.reference(tab, where)}")

    def add(self, sheet: PlacedSheet, *, first: bool) -> Any:
        """A worksheet with its cells."""
        ws = self.book.add_worksheet(sheet.tab)
        if first:
            ws.activate()
        ws.hide_gridlines(2)
        self._page(ws, sheet)
        for bar in (*sheet.bars, *sheet.stripes):
            fill, where = self.dress({"bg_color": bar.colour}), bar.where
            for row in range(where.top, where.bottom + 1):
                for col in range(where.left, where.right + 1):
                    ws.write_blank(row, col, None, fill)
        for text in sheet.texts:
            self._text(ws, text)
        lanes = {(bar.where.top, bar.where.left): bar.colour for bar in sheet.bars}
        for placed in sheet.placed:
            look = self.look(placed.block.look)
            if code := placed.block.number_format:
                dressed = {**theme.LOOKS[placed.block.look].format, "num_format": code}
                look = self.dress({"font_name": theme.FONT, **dressed})
            if placed.block.look == "lane":
                colour = lanes[placed.row, placed.col]
                look = self.dress({"font_name": theme.FONT, **theme.LOOKS["lane"].format, "bg_color": colour})
            self._block(ws, placed, look)
        return ws

    def finish(self, ws: Any, sheet: PlacedSheet) -> None:
        """Add what shows cells in other ways: rules and charts."""
        self._rules(ws, sheet)
        for chart in sheet.charts:
            ws.insert_chart(chart.row, chart.col, self._chart(chart.chart, chart.width))

    def _page(self, ws: Any, sheet: PlacedSheet) -> None:
        for col, width in sheet.widths.items():
            ws.set_column(col, col, width, None, {"hidden": col in sheet.hidden})
        ws.set_default_row(sheet.row)
        for row in sorted(sheet.heights.keys() | sheet.levels.keys()):
            level = sheet.levels.get(row, 0)
            options = {"level": level, "hidden": sheet.folded and level > 0}
            if sheet.folded and not level and sheet.levels.get(row + 1):
                options["collapsed"] = True
            ws.set_row(row, sheet.heights.get(row), None, options)
        if sheet.levels:
            ws.outline_settings(symbols_below=False)
        if sheet.frozen:
            ws.freeze_panes(sheet.frozen, 0)
        ws.set_selection(*_first_cell(sheet), *_first_cell(sheet))
        (ws.set_portrait if sheet.upright else ws.set_landscape)()
        ws.set_paper(A3 if sheet.large else A4)
        ws.fit_to_pages(1, 1 if sheet.one_page else 0)
        ws.set_margins(MARGIN_SIDE, sheet.margin_right, MARGIN_TOP, MARGIN_BOTTOM)
        ws.set_h_pagebreaks(sheet.breaks)
        ws.print_area(0, 0, *sheet.last)
        if sheet.frozen > 1:
            ws.repeat_rows(repeated(sheet))
        ws.set_footer("&L&8&A&R&8&P / &N")

    def _text(self, ws: Any, text: Any) -> None:
        look = self.look(text.look)
        if text.rows * text.cols > 1:
            ws.merge_range(text.row, text.col, text.row + text.rows - 1, text.col + text.cols - 1, "", look)
        if text.target:
            ws.write_url(
                text.row,
                text.col,
                f"internal:{text.target}",
                look,
                text.text,
                text.tip[:MAX_TIP_LENGTH],
            )
        else:
            ws.write_string(text.row, text.col, text.text, look)

    def _block(self, ws: Any, placed: Placed, look: Any) -> None:
        block = placed.block
        if bulk.numbers(block) is not None:
            for row in range(placed.row, placed.row + block.rows):
                ws.write_blank(row, placed.col, None, look)
            return
        _values(ws, placed.row, placed.col, map(_plain, block.values), look)
        if block.parts:
            self._formulas(ws, placed, look)

    def _formulas(self, ws: Any, placed: Placed, look: Any) -> None:
        grid = self.values.get(placed.block.name)
        for cells, formula in formulas.entries(placed, self.places):
            area = cells.top, cells.left, cells.bottom, cells.right
            if grid is None:  # then XlsxWriter saves 0 in every cell
                ws.write_array_formula(*area, formula, look)
                continue
            rows, cols = _within(placed.area, cells)
            (first, *rest), *below = [[_saved(value) for value in row[cols]] for row in grid[rows]]
            ws.write_array_formula(*area, formula, look, first)
            _values(ws, cells.top, cells.left + 1, [rest], look)
            _values(ws, cells.top + 1, cells.left, below, look)

    def _rules(self, ws: Any, sheet: PlacedSheet) -> None:
        for placed in sheet.placed:
            r = placed.area
            width = min(sheet.widths.get(col, MIN_WIDTH) for col in range(r.left, r.right + 1))
            for rule in self._conditions(placed, width):
                ws.conditional_format(r.top, r.left, r.bottom, r.right, rule)
        for name, source in sheet.drop_downs.items():
            r = self.places[name][1]
            rule = {"validate": "list", "source": f"={source}", "show_error": False}
            ws.data_validation(r.top, r.left, r.bottom, r.right, rule)
        for takes, (title, words, asked) in theme.TAKES.items():
            rule = {"validate": "decimal", "error_type": "warning", **asked}
            rule |= {"error_title": self.language.tell(title), "error_message": self.language.tell(words)}
            cells = [[r.top, r.left, r.bottom, r.right] for r in _typed(sheet, takes)]
            if cells:
                ws.data_validation(*cells[0], {**rule, "other_cells": cells[1:]})

    def _conditions(self, placed: Placed, width: float) -> Iterator[dict[str, Any]]:
        """Rules of one block, whose columns have a width, all over the same cells.

        LibreOffice shows one matching style, the first: a text for a number is red, −1E300 is shown as −∞, a
        number too long for its column in powers of ten, the focus word's row outlined, a failed check in red,
        a note in grey; and the heat map.
        """
        block, look = placed.block, theme.LOOKS[placed.block.look]
        if block.kind == "input" and look.takes and bulk.numbers(block) is None:
            bad = self.dress(theme.NO_NUMBER)
            no_number = formulas.is_no_number(placed.row, placed.col)
            yield {"type": "formula", "criteria": no_number, "format": bad, "stop_if_true": True}
        if block.look == "masked":
            hidden = self.dress(theme.NEVER_SEEN)
            yield {
                "type": "cell",
                "criteria": "<",
                "value": HIDDEN_BELOW,
                "format": hidden,
                "stop_if_true": True,
            }
        if block.look == "word number" and placed.word is not None:
            blank = self.dress(theme.NO_WORD)
            yield {"type": "formula", "criteria": formulas.is_blank(*placed.word), "format": blank}
        for condition, dressed in placed.states:
            stop = {"stop_if_true": True, "format": self.dress(theme.STATES[dressed])}
            yield {"type": "formula", "criteria": condition, **stop}
        if (room := theme.room(look, width)) is not None:
            between = {"criteria": "not between", "minimum": -room.largest, "maximum": room.largest}
            above = {"criteria": ">", "value": room.largest}
            yield {"type": "cell", "format": self.dress(room.beyond), **(between if room.negative else above)}
        if placed.word is not None:
            outline = self.dress(theme.OUTLINE)
            yield {"type": "formula", "criteria": formulas.is_focus(*placed.word), "format": outline}
        if block.look == "status":
            bad, noted = self.dress(theme.BAD), self.dress(theme.NOTED)
            yield {"type": "formula", "criteria": formulas.is_bad(placed.row, placed.col), "format": bad}
            yield {"type": "formula", "criteria": formulas.is_noted(placed.row, placed.col), "format": noted}
        if placed.heat:
            ends = {}
            if theme.HEATS[look.heat]["min_type"] == "formula":
                least, most = formulas.ends(
                    placed.heat, beside=theme.BESIDE_BAR if look.heat == "sizes" else 0.0
                )
                ends = {"min_value": least, "max_value": most}
            yield {**theme.HEATS[look.heat], **ends}

    def _chart(self, chart: Chart, width: int) -> Any:
        if chart.kind == "bar":
            made = self.book.add_chart({"type": "column"})
        elif chart.kind == "line":
            made = self.book.add_chart({"type": "line"})
        else:
            made = self.book.add_chart({"type": "scatter", "subtype": "marker_only"})
        for series, usual in zip(chart.series, cycle(theme.SERIES), strict=False):
            colour = usual if series.colour is None else theme.SERIES[series.colour % len(theme.SERIES)]
            made.add_series(self._series(chart, series, colour))
        if chart.kind == "scatter":  # else LibreOffice draws a shorter series on, at 0
            made.show_blanks_as("span")
        font = {"name": theme.WIDE_FONT} if theme.is_in_wide(self.language) else {}
        named = {"name": chart.title, "name_font": {"size": 12, **font}}
        made.set_title({**named, "overlay": False})
        fonts = {"num_font": {"size": 9, **font}, "name_font": {"size": 10, "bold": False, **font}}
        axis = {**theme.AXIS, **fonts}
        made.set_x_axis({**axis, "name": self._title(chart.x_title), "label_position": "low"})
        scale = theme.FROM_0_TO_1 if chart.kind == "bar" else {}
        made.set_y_axis({**axis, **scale, "name": self._title(chart.y_title), "major_gridlines": theme.GRID})
        legend = {"position": "bottom", **({"font": font} if font else {})}
        silent = len(chart.series) == 1 and isinstance(chart.series[0].title, str)
        made.set_legend({"none": True} if silent else legend)
        made.set_size({"width": width, "height": 340})
        return made

    def _title(self, title: str | tuple[str, int]) -> str:
        """Words, or the cell of a range that holds them."""
        if isinstance(title, str):
            return title
        tab, r = self.places[title[0]]
        col = r.left + title[1]
        return f"={formulas.reference(tab, replace(r, left=col, right=col))}"

    def _series(self, chart: Chart, series: Series, colour: str) -> dict[str, Any]:
        tab, first = self.places[series.blocks[0]]
        last = self.places[series.blocks[-1]][1]
        if chart.kind in ("bar", "line"):
            labels = self.places[chart.labels][1]
            categories = [tab, labels.top, labels.left, labels.bottom, labels.right]
            return {
                "name": self._title(series.title),
                "categories": categories,
                "values": [tab, first.top, first.left, last.bottom, last.right],
                **({"gap": 60, "fill": {"color": colour}} if chart.kind == "bar" else _line(colour)),
            }
        x, y = (first.left + column for column in series.columns)
        return {
            "name": self._title(series.title),
            "categories": [tab, first.top, x, last.bottom, x],
            "values": [tab, first.top, y, last.bottom, y],
            "marker": {
                "type": theme.MARKS[series.mark % len(theme.MARKS)],
                "size": 10,
                "fill": {"color": colour},
                "border": {"color": theme.WHITE},  # so that points one over the other are seen
            },
        }


def _line(colour: str) -> dict[str, Any]:
    """How a line of a chart and its points are drawn."""
    marker = {"type": "circle", "size": 6, "fill": {"color": colour}, "border": {"color": colour}}
    return {"line": {"color": colour, "width": 2.25}, "marker": marker}
