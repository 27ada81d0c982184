"""Writes a laid-out workbook to a file with XlsxWriter. All decisions are made by the layout."""

from __future__ import annotations

import datetime as dt
import tempfile
from typing import TYPE_CHECKING, Any, Self

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from xlsxattn.builder import theme
from xlsxattn.builder.layout import formulas
from xlsxattn.builder.layout.placed import places
from xlsxattn.builder.layout.printing import MARGIN_BOTTOM, MARGIN_SIDE, MARGIN_TOP, repeated
from xlsxattn.builder.writer import bulk
from xlsxattn.builder.writer.charts import Charts
from xlsxattn.contract.values import HIDDEN_BELOW
from xlsxattn.language import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from xlsxattn.builder.graph import Block, Cell
    from xlsxattn.builder.layout.placed import Placed, PlacedSheet, Rectangle
    from xlsxattn.language import Language

    Grid = Sequence[Sequence[Any]] | NDArray[Any]

CREATED = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - a fixed date, for reproducible files
A4 = 9
"""Paper sizes, by their numbers in the file format."""
MAX_TIP_LENGTH, MIN_WIDTH = 255, 8.43
"""Maximum length of a link's tooltip; default width of a column in characters."""
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
        sheets: the sheets of the layout.
        values: results of each range, saved with the formulas; 0 without them.
        language: language of the words in number formats.
        tick: called with the number of cells written of large blocks of numbers.
        draft: write a temporary file for an engine. Engines are slow with many names, and IronCalc with
            conditional formats, so it has only the names that formulas use, no rules and no charts. Large
            blocks of numbers are omitted, and passed to the engine separately.
    """
    strips = {} if draft else bulk.strips(sheets)
    first = path.with_suffix(".part") if strips else path
    with _Writer(first, title, sheets, values or {}, language, draft=draft) as writer:
        for i, sheet in enumerate(sheets):
            ws = writer.add(sheet, first=i == 0)
            if not draft:
                writer.finish(ws, sheet)
        writer.define_names(formulas.words_in_formulas(sheets) if draft else writer.places)
    if strips:
        with tempfile.TemporaryFile(dir=path.parent) as spool:
            bulk.Packer(spool, tick).pack(first, path, strips)
        first.unlink()


def _plain(row: Sequence[Cell] | NDArray[np.floating[Any]]) -> Iterable[Cell]:
    """A row's values for XlsxWriter; a float32 as the shortest decimal that rounds to it."""
    if isinstance(row, tuple):
        return row
    return (float(str(value)) for value in row)


def _input_areas(sheet: PlacedSheet, takes: str) -> Iterator[Rectangle]:
    """The input cells for a kind of values, without those with a drop-down list."""
    for placed in sheet.placed:
        block = placed.block
        matches = block.kind == "input" and theme.LOOKS[block.look].takes == takes
        if matches and block.name not in sheet.drop_downs:
            yield placed.area


def _first_cell(sheet: PlacedSheet) -> tuple[int, int]:
    """The selected cell of a sheet: the first below the frozen rows, or else the first yellow word."""
    if sheet.frozen:
        return sheet.frozen, 0
    offered = [(-p.row, p.col) for p in sheet.placed if p.block.name in sheet.drop_downs]
    row, col = min(offered)  # the focus word is above the sentences
    return -row, col


class _TextResult(str):
    """A formula's text result. Not convertible to float, so that XlsxWriter saves "1e5" as a text."""

    __slots__ = ()

    def __float__(self) -> float:
        raise ValueError(self)


def _within(area: Rectangle, cells: Rectangle) -> tuple[slice, slice]:
    """Slices of an area's rows and columns for some of its cells."""
    rows = slice(cells.top - area.top, cells.bottom - area.top + 1)
    return rows, slice(cells.left - area.left, cells.right - area.left + 1)


def _saved(value: Any) -> float | str:
    """The value saved with a formula."""
    return _TextResult(value or "") if value is None or isinstance(value, str) else value


def _values(ws: Any, top: int, left: int, rows: Iterable[Iterable[Cell]], look: Any) -> None:
    """Write texts and numbers."""
    for row, values in enumerate(rows, top):
        for col, value in enumerate(values, left):
            write = ws.write_string if isinstance(value, str) else ws.write_number
            write(row, col, value, look)


def _drop_zeros(ws: Any, cells: Rectangle) -> None:
    """Drop the zeros that XlsxWriter writes into the other cells of an array formula; engines load them."""
    for row in range(cells.top, cells.bottom + 1):
        for col in range(cells.left, cells.right + 1):
            if (row, col) != (cells.top, cells.left):
                del ws.table[row][col]


class _Sheet(Worksheet):  # type: ignore[misc]
    """A worksheet with complete formulas, which need no search for functions that lack a prefix."""

    def _prepare_formula(self, formula: str, *_: Any, **__: Any) -> str:
        return formula.removeprefix("=")


class _Writer:
    """Writes a workbook, and caches its formats."""

    def __init__(
        self,
        path: Path,
        title: str,
        sheets: Sequence[PlacedSheet],
        values: Mapping[str, Grid],
        language: Language,
        *,
        draft: bool,
    ) -> None:
        # temporary files go next to the workbook, where leftovers of a killed build are removed
        options: dict[str, Any] = {
            "tmpdir": str(path.parent),
            "strings_to_numbers": False,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        self.book = xlsxwriter.Workbook(str(path), options)
        self.book.worksheet_class = _Sheet
        self.book.set_properties({"title": title, "created": CREATED, "comments": "Made by xlsxattn"})
        self.book.set_custom_property(DIGEST_PROPERTY, "0" * 64, "text")
        self.book.set_size(2400, 1500)
        self.book.set_calc_mode("auto")
        self.places, self.values, self.language, self.draft = places(sheets), values, language, draft
        self.formats: dict[frozenset[tuple[str, Any]], Any] = {}
        self.looks: dict[str, Any] = {}
        self.charts = Charts(self.book, self.places, language)
        formulas.check_names(self.places)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: object, *_: object) -> None:
        if error is not None:
            return
        try:
            self.book.close()
        except FileCreateError as wrapper:  # wraps the OSError
            cause = next((one for one in wrapper.args if isinstance(one, OSError)), None)
            raise cause or wrapper from None

    def format(self, properties: Mapping[str, Any], *, latin: bool = False) -> Any:
        """XlsxWriter's format with these properties; ``latin``: in the font of English, which is narrow."""
        key = frozenset({**properties, "latin": latin}.items())
        if key not in self.formats:
            localized = dict(properties) if latin else theme.localized(properties, self.language)
            self.formats[key] = self.book.add_format(localized)
        return self.formats[key]

    def _is_latin(self, block: Block) -> bool:
        """Whether all texts of a block are in narrow characters."""
        texts = "".join(str(value) for row in self.values.get(block.name, block.values) for value in row)
        return bool(texts) and theme.cell_width(texts) == len(texts)

    def look(self, name: str) -> Any:
        if name not in self.looks:
            self.looks[name] = self.format({"font_name": theme.FONT, **theme.LOOKS[name].format})
        return self.looks[name]

    def define_names(self, wanted: Container[str]) -> None:
        for name, (tab, where) in self.places.items():
            if name in wanted:
                self.book.define_name(name, f"={formulas.reference(tab, where)}")

    def add(self, sheet: PlacedSheet, *, first: bool) -> Any:
        """Add a worksheet with its cells."""
        ws = self.book.add_worksheet(sheet.tab)
        if first:
            ws.activate()
        ws.hide_gridlines(2)
        if sheet.protected:
            ws.protect("", {"format_columns": True, "format_rows": True})
        self._page(ws, sheet)
        for bar in (*sheet.bars, *sheet.stripes):
            fill, where = self.format({"bg_color": bar.colour}), bar.where
            for row in range(where.top, where.bottom + 1):
                for col in range(where.left, where.right + 1):
                    ws.write_blank(row, col, None, fill)
        for text in sheet.texts:
            self._text(ws, text)
        lanes = {(bar.where.top, bar.where.left): bar.colour for bar in sheet.bars}
        for placed in sheet.placed:
            self._block(ws, placed, self._look_of(placed.block, lanes.get((placed.row, placed.col), "")))
        return ws

    def _look_of(self, block: Block, lane: str) -> Any:
        """The format of a block; ``lane`` is the colour of the lane whose heading it may be."""
        latin = block.look in theme.IN_LATIN and theme.is_in_wide(self.language) and self._is_latin(block)
        own: dict[str, Any] = {"num_format": block.number_format} if block.number_format else {}
        if block.look == "lane":
            own["bg_color"] = lane
        if block.concealed:
            own["hidden"] = True
        usual = theme.LOOKS[block.look].format
        if block.waits and usual.get("num_format") in (theme.NUMBER, theme.FINE):
            own["align"] = "right"  # the dash, like the numbers
        if not own and not latin:
            return self.look(block.look)
        return self.format({"font_name": theme.FONT, **usual, **own}, latin=latin)

    def finish(self, ws: Any, sheet: PlacedSheet) -> None:
        """Add rules and charts."""
        self._rules(ws, sheet)
        for chart in sheet.charts:
            ws.insert_chart(chart.row, chart.col, self.charts.drawn(chart.chart, chart.width))

    def _page(self, ws: Any, sheet: PlacedSheet) -> None:
        for col, width in sheet.widths.items():
            ws.set_column(col, col, width, None, {"hidden": col in sheet.hidden})
        ws.set_default_row(sheet.row)
        hidden = {row for row in sheet.levels if sheet.folded or row in sheet.closed}
        for row in sorted(sheet.heights.keys() | sheet.levels.keys() | {row + 1 for row in hidden}):
            # Excel reads the mark of a collapsed group above it, LibreOffice below it
            marked = row + 1 in hidden or (row - 1 in hidden and row + 1 not in sheet.levels)
            options = {"level": sheet.levels.get(row, 0), "hidden": row in hidden}
            options["collapsed"] = marked and row not in sheet.levels
            ws.set_row(row, sheet.heights.get(row), None, options)
        if sheet.levels:
            ws.outline_settings(symbols_below=False)
        if sheet.frozen:
            ws.freeze_panes(sheet.frozen, 0)
        ws.set_selection(*_first_cell(sheet), *_first_cell(sheet))
        (ws.set_portrait if sheet.portrait else ws.set_landscape)()
        ws.set_paper(A4)
        ws.fit_to_pages(1, 1 if sheet.one_page else 0)
        ws.set_margins(MARGIN_SIDE, sheet.margin_right, MARGIN_TOP, MARGIN_BOTTOM)
        ws.set_h_pagebreaks(sheet.breaks)
        ws.print_area(0, 0, *sheet.last)
        if sheet.frozen > 1:
            ws.repeat_rows(repeated(sheet))
        ws.set_footer(f"&L&8&A&C&8{sheet.footer}&R&8&P / &N")

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
        answer = self._answer(ws, placed) if block.region else look
        if block.parts:
            self._formulas(ws, placed, look, answer)

    def _answer(self, ws: Any, placed: Placed) -> Any:
        """Write blank answers, and return their format."""
        shown = {**theme.LOOKS[placed.block.look].format, **theme.ANSWER}
        look, r = self.format({"font_name": theme.FONT, **shown}), placed.block.region
        assert r is not None
        for row in range(placed.row + r.row, placed.row + r.row + r.rows):
            for col in range(placed.col + r.col, placed.col + r.col + r.cols):
                ws.write_blank(row, col, None, look)
        return look

    def _formulas(self, ws: Any, placed: Placed, usual: Any, answer: Any) -> None:
        """Write the formulas of a block; those of answers, in the solutions, in the format ``answer``."""
        grid, region = self.values.get(placed.block.name), placed.block.region
        for cells, formula in formulas.entries(placed, self.places):
            is_answer = region is not None and region.holds(cells.top - placed.row, cells.left - placed.col)
            look = answer if is_answer else usual
            area = cells.top, cells.left, cells.bottom, cells.right
            if grid is None:
                ws.write_array_formula(*area, formula, look)
                if self.draft:
                    _drop_zeros(ws, cells)
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
            states = [condition for condition, _ in placed.states]
            has_bars = theme.LOOKS[placed.block.look].heat in theme.BARS
            is_apart = states and (sheet.padded or has_bars)
            apart = {"multi_range": formulas.in_two(r)} if is_apart else {}
            for rule in self._conditions(placed, width):
                own = {} if rule.get("criteria") in states else apart
                ws.conditional_format(r.top, r.left, r.bottom, r.right, {**rule, **own})
        for name, source in sheet.drop_downs.items():
            r = self.places[name][1]
            rule = {"validate": "list", "source": f"={source}", "show_error": False}
            ws.data_validation(r.top, r.left, r.bottom, r.right, rule)
        for takes, (title, message, limits) in theme.TAKES.items():
            rule = {"validate": "decimal", "error_type": "warning", **limits}
            rule |= {"error_title": self.language.tell(title), "error_message": self.language.tell(message)}
            cells = [[r.top, r.left, r.bottom, r.right] for r in _input_areas(sheet, takes)]
            if cells:
                ws.data_validation(*cells[0], {**rule, "other_cells": cells[1:]})

    def _conditions(self, placed: Placed, width: float) -> Iterator[dict[str, Any]]:
        """Conditional formats of a block, in order of precedence; ``width`` is that of its columns.

        LibreOffice applies only the first match, and with it the heat map, unless the rules for it have other
        areas. In order: a text instead of a number in red, numbers without a meaning hidden, −1E300 as −∞, a
        number too long for its column in scientific notation, an outline for the focus word's row, a failed
        check in red, a note in grey; then the heat map.
        """
        block, look = placed.block, theme.LOOKS[placed.block.look]
        if block.kind == "input" and look.takes and bulk.numbers(block) is None:
            bad = self.format(theme.NO_NUMBER)
            no_number = formulas.is_no_number(placed.row, placed.col)
            yield {"type": "formula", "criteria": no_number, "format": bad, "stop_if_true": True}
        for condition, named in placed.states:
            stop = {"stop_if_true": True, "format": self.format(theme.STATES[named])}
            yield {"type": "formula", "criteria": condition, **stop}
        if block.look == "masked":
            hidden = self.format(theme.MASKED_OUT)
            yield {
                "type": "cell",
                "criteria": "<",
                "value": HIDDEN_BELOW,
                "format": hidden,
                "stop_if_true": True,
            }
        if block.look == "word number" and placed.word is not None:
            blank = self.format(theme.NO_WORD)
            yield {"type": "formula", "criteria": formulas.is_blank(*placed.word), "format": blank}
        if (room := theme.room(look, width)) is not None:
            between = {"criteria": "not between", "minimum": -room.largest, "maximum": room.largest}
            above = {"criteria": ">", "value": room.largest}
            yield {
                "type": "cell",
                "format": self.format(room.overflow),
                **(between if room.negative else above),
            }
        if placed.word is not None:
            outline = self.format(theme.OUTLINE)
            yield {"type": "formula", "criteria": formulas.is_focus(*placed.word), "format": outline}
        for first, state in theme.FIRST_CHARACTERS.get(block.look, {}).items():
            criteria = formulas.begins_with(placed.row, placed.col, first)
            yield {"type": "formula", "criteria": criteria, "format": self.format(state)}
        if placed.heat:
            ends = {}
            if theme.HEATS[look.heat]["min_type"] == "formula":
                least, most = formulas.ends(
                    placed.heat, beside=theme.BESIDE_BAR if look.heat == "sizes" else 0.0
                )
                ends = {"min_value": least, "max_value": most}
            yield {**theme.HEATS[look.heat], **ends}
