"""Writes charts with XlsxWriter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import cycle
from typing import TYPE_CHECKING, Any

from xlsxwriter.chart_line import ChartLine
from xlsxwriter.chart_scatter import ChartScatter

from xlsxattn.builder import theme
from xlsxattn.builder.layout import formulas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.builder.graph import Chart, Series
    from xlsxattn.builder.layout.placed import Rectangle
    from xlsxattn.language import Language

HEIGHT, SCATTER_HEIGHT = 340, 400
"""In pixels."""
LABELS = ("below", "above", "right", "left")
"""Position of a point's label by its marker, so that labels of neighbouring points do not overlap."""


class _StraightLines:
    """Writes what XlsxWriter omits: arrow heads, straight lines, and what labels do not show.

    LibreOffice would smooth lines, and show the numbers and a key beside labels.
    """

    def _write_c_smooth(self: Any, _: object) -> None:
        self._xml_empty_tag("c:smooth", [("val", "0")])

    def _write_show_ser_name(self: Any) -> None:
        for flag in ("LegendKey", "Val", "CatName", "SerName", "Percent", "BubbleSize"):
            self._xml_empty_tag(f"c:show{flag}", [("val", int(flag == "SerName"))])

    def _write_a_ln(self: Any, line: Mapping[str, Any]) -> None:
        if not line.get("arrow"):
            super()._write_a_ln(line)  # type: ignore[misc]
            return
        self._xml_start_tag("a:ln", [("w", int(12700 * line["width"]))])
        self._write_a_solid_fill(line)
        self._xml_empty_tag("a:tailEnd", [("type", "triangle")])
        self._xml_end_tag("a:ln")


class _Line(_StraightLines, ChartLine):  # type: ignore[misc]
    """A line chart."""


class _Scatter(_StraightLines, ChartScatter):  # type: ignore[misc]
    """A scatter chart."""


@dataclass(frozen=True, slots=True)
class Charts:
    """Draws charts in XlsxWriter's workbook ``book``; ``places``: the sheet and cells of each range."""

    book: Any
    places: Mapping[str, tuple[str, Rectangle]]
    language: Language

    def drawn(self, chart: Chart, width: int) -> Any:
        """XlsxWriter's chart, ``width`` pixels wide."""
        drawing = self._empty(chart.kind)
        for series, default in zip(chart.series, cycle(theme.OTHER_SERIES), strict=False):
            colour = default if series.colour is None else theme.SERIES[series.colour % len(theme.SERIES)]
            drawing.add_series(self._series(chart, series, colour))
        if chart.kind == "scatter":  # LibreOffice would extend a shorter series with 0
            drawing.show_blanks_as("span")
        font = self._font
        named = {"name": chart.title, "name_font": {"size": 12, **font}}
        drawing.set_title({**named, "overlay": False})
        fonts = {"num_font": {"size": 9, **font}, "name_font": {"size": 10, "bold": False, **font}}
        axis = {**theme.AXIS, **fonts}
        drawing.set_x_axis({**axis, "name": self._title(chart.x_title), "label_position": "low"})
        scales: dict[str, Mapping[str, Any]] = {"bar": theme.FROM_0_TO_1, "line": theme.ANY_MAGNITUDE}
        scale = scales.get(chart.kind, {})
        drawing.set_y_axis(
            {**axis, **scale, "name": self._title(chart.y_title), "major_gridlines": theme.GRID}
        )
        legend: dict[str, Any] = {"position": "bottom", **({"font": font} if font else {})}
        labelled = [i for i, series in enumerate(chart.series) if series.is_labelled]
        drawing.set_legend(
            {"none": True} if len(chart.series) == 1 else {**legend, "delete_series": labelled}
        )
        drawing.set_size({"width": width, "height": SCATTER_HEIGHT if chart.kind == "scatter" else HEIGHT})
        return drawing

    @property
    def _font(self) -> dict[str, str]:
        return {"name": theme.WIDE_FONT} if theme.is_in_wide(self.language) else {}

    def _empty(self, kind: str) -> Any:
        if kind == "bar":
            return self.book.add_chart({"type": "column"})
        if kind == "line":
            drawing = self.book.add_chart({"type": "line"})
            drawing.__class__ = _Line
        else:
            drawing = self.book.add_chart({"type": "scatter", "subtype": "marker_only"})
            drawing.__class__ = _Scatter
        return drawing

    def _title(self, title: str | tuple[str, int]) -> str:
        """A text, or a reference to the cell that holds it."""
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
            **(_arrow(colour) if series.is_line else self._points(series, colour)),
        }

    def _points(self, series: Series, colour: str) -> dict[str, Any]:
        """Style of points, with the series' name beside them if they are labelled."""
        marker = {
            "type": theme.MARKS[series.mark % len(theme.MARKS)],
            "size": 10,
            "fill": {"color": colour},
            "border": {"color": theme.WHITE},  # keeps overlapping points visible
        }
        if not series.is_labelled:
            return {"marker": marker}
        font = {"color": colour, "size": 10, **self._font}
        position = LABELS[series.mark % len(LABELS)]
        label = {"series_name": True, "position": position, "font": font, "fill": {"color": theme.WHITE}}
        return {"marker": marker, "data_labels": label}  # the label stays legible on a line


def _line(colour: str) -> dict[str, Any]:
    """Style of a chart's line and its markers."""
    marker = {"type": "circle", "size": 6, "fill": {"color": colour}, "border": {"color": colour}}
    return {"line": {"color": colour, "width": 2.25}, "marker": marker}


def _arrow(colour: str) -> dict[str, Any]:
    """Style of a line without points that ends in an arrow head, which LibreOffice does not show."""
    return {"line": {"color": colour, "width": 1.5, "arrow": True}, "marker": {"type": "none"}}
