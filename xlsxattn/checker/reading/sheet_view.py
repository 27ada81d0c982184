"""The view of a sheet: hidden and merged cells, conditional formats, drop-down lists and charts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openpyxl.styles import Color
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import range_boundaries
from openpyxl.xml.functions import fromstring

from xlsxattn.checker.cells import MAX_COLUMNS, Area
from xlsxattn.checker.reading.grid import PER_POINT, Grid, size
from xlsxattn.checker.reading.limits import AmbiguousError
from xlsxattn.checker.reading.one_reading import MAX_ROWS, is_on, whole
from xlsxattn.checker.reading.package import linked, tag_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xlsxattn.checker.reading.archive import GuardedArchive
    from xlsxattn.checker.reading.objects import Object

    Parts = defaultdict[str, list[Any]]

    HiddenSpan = tuple[int, int]

MIN_POINTS = 6.0
"""Minimum height in points of a visible row; text has at least 8 points."""
MIN_CHARACTERS = 1.5
"""Minimum width in characters of a visible column."""
MAX_FROZEN_HEIGHT, MAX_FROZEN_WIDTH = 600.0, 1050.0
"""Maximum size in points of frozen rows and columns, which fill the window of a screen of 1,080 lines."""
_BARS = ("color", "fillColor", "negativeFillColor")
_SERIES = ("tx", "cat", "val", "xVal", "yVal")


@dataclass(frozen=True, slots=True)
class Rule:
    """A conditional format.

    Attributes:
        areas: the cells that it applies to.
        kind: the type of rule, such as ``cellIs``.
        operator: such as ``lessThan``; "" if there is none.
        formulas: its formulas, relative to the first cell of the first area.
        look: the style that it applies; None if there is none.
        colours: the colours of a colour scale.
        bars: the colours of data bars.
        shows_value: whether the value is shown next to its bar or icon.
        stops: whether rules with lower priority do not apply where it holds.
    """

    areas: tuple[Area, ...]
    kind: str
    operator: str
    formulas: tuple[str, ...]
    look: DifferentialStyle | None
    colours: tuple[Color, ...]
    bars: tuple[Color, ...]
    shows_value: bool
    stops: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A drop-down list: its cells, and the formula of its choices."""

    areas: tuple[Area, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Series:
    """A series of a chart.

    Attributes:
        references: what its values, labels and title refer to; "" if they are typed.
        types_labels: whether its data labels are typed, or come from other cells.
        formats: the number formats of its data labels.
        cached: for each reference, the values that the chart stores, with their places.
    """

    references: Mapping[str, str]
    types_labels: bool
    formats: tuple[str, ...]
    cached: Mapping[str, tuple[tuple[int, str], ...]]


@dataclass(frozen=True, slots=True)
class SheetView:
    """The view of a sheet.

    Attributes:
        hidden_rows: (first, last) of rows that are hidden, too low, or cannot be scrolled to.
        folded_rows: likewise for rows in collapsed groups.
        hidden_columns: likewise for columns.
        merged: the cells that are merged.
        rules: its conditional formats.
        offers: its drop-down lists.
        charts: the series of each chart.
        row_styles: (first, last, style) of rows with a style for cells that are not in the file.
        column_styles: likewise for columns.
        shows_zeros: whether zero values are shown.
        shows_values: whether cells show values rather than formulas.
        objects: what lies over its cells.
        frozen_rows: the number of frozen rows if they fill the window, otherwise 0.
        frozen_columns: likewise for columns.
        grid: the sizes of its rows and columns.
    """

    hidden_rows: tuple[HiddenSpan, ...] = ()
    folded_rows: tuple[HiddenSpan, ...] = ()
    hidden_columns: tuple[HiddenSpan, ...] = ()
    merged: tuple[Area, ...] = ()
    rules: tuple[Rule, ...] = ()
    offers: tuple[Offer, ...] = ()
    charts: tuple[tuple[Series, ...], ...] = ()
    row_styles: tuple[tuple[int, int, int], ...] = ()
    column_styles: tuple[tuple[int, int, int], ...] = ()
    shows_zeros: bool = True
    shows_values: bool = True
    objects: tuple[Object, ...] = ()
    frozen_rows: int = 0
    frozen_columns: int = 0
    grid: Grid = field(default_factory=lambda: Grid({}, {}))


def view_of(
    tab: str,
    root: Any,
    rows: Mapping[str, Mapping[str, str]],
    looks: Sequence[DifferentialStyle],
    styles: int,
) -> SheetView:
    """Read the view of a sheet from its part, except for charts and other objects.

    Args:
        tab: the sheet's tab.
        root: its part, without its rows.
        rows: the attributes of its rows, by number.
        looks: the differential styles of the workbook.
        styles: the number of its cell styles.

    Raises:
        ValueError: an invalid number or range.
    """
    parts = _by_name(root)
    views, grid = parts["sheetView"], Grid(parts, rows)
    above, before = _out_of_reach(views)
    folded = tuple(
        joined(int(r) - 1 for r, said in rows.items() if is_on(said.get("hidden")) and _is_in_group(said))
    )
    frozen = [_frozen(view, grid) for view in views]
    return SheetView(
        (*above, *_hidden_rows(parts, rows), *(() if _unfolds(parts, views) else folded)),
        folded,
        (*before, *_hidden_columns(parts)),
        tuple(area for one in parts["mergeCell"] for area in _areas(tab, one.get("ref", ""))),
        tuple(_rules(tab, parts, looks)),
        tuple(_offers(tab, parts)),
        row_styles=tuple(
            (int(row) - 1, int(row) - 1, _index("s", said["s"], styles, "cellXfs"))
            for row, said in rows.items()
            if "s" in said
        ),
        column_styles=tuple(
            (
                int(col.get("min")) - 1,
                min(int(col.get("max")), MAX_COLUMNS) - 1,
                _index("style", col.get("style"), styles, "cellXfs"),
            )
            for col in parts["col"]
            if col.get("style")
        ),
        shows_zeros=all(is_on(view.get("showZeros", "1")) for view in views),
        shows_values=not any(is_on(view.get("showFormulas")) for view in views),
        frozen_rows=max((rows for rows, _ in frozen), default=0),
        frozen_columns=max((columns for _, columns in frozen), default=0),
        grid=grid,
    )


def charts_of(archive: GuardedArchive, part: str) -> tuple[tuple[Series, ...], ...]:
    """The charts of a sheet, found by the relationships of its part."""
    return tuple(
        tuple(_series(archive.read(chart)))
        for drawing in linked(archive, part, "/drawing")
        for chart in linked(archive, drawing, "/chart")
    )


def _series(xml: bytes) -> Iterator[Series]:
    """The series of a chart."""
    for series in _all(fromstring(xml), "ser"):
        parts = {tag_of(child): child for child in series if tag_of(child) in _SERIES}
        labels = [*_all(series, "dLbls")]
        yield Series(
            {key: next((str(f.text or "") for f in _all(part, "f")), "") for key, part in parts.items()},
            any([*_all(label, "rich")] for label in _all(series, "dLbl"))
            or any(_all(series, "datalabelsRange")),
            tuple(str(one.get("formatCode")) for label in labels for one in _all(label, "numFmt")),
            {key: tuple(_points(part)) for key, part in parts.items()},
        )


def _points(part: Any) -> Iterator[tuple[int, str]]:
    """The stored values of a reference with their places, but not labels in levels, as LibreOffice writes."""
    stored = (cache for cache in part.iter() if tag_of(cache) in ("numCache", "strCache"))
    for point in (one for cache in stored for one in _all(cache, "pt")):
        for value in _all(point, "v"):
            yield int(point.get("idx")), str(value.text or "")


def _hidden_rows(parts: Parts, rows: Mapping[str, Mapping[str, str]]) -> Iterator[HiddenSpan]:
    defaults: Any = next(iter(parts["sheetFormatPr"]), {})
    low = size(defaults.get("defaultRowHeight"), MIN_POINTS) < MIN_POINTS
    if low or is_on(defaults.get("zeroHeight")):
        shown = {int(row) for row, said in rows.items() if "ht" in said and not _is_hidden_row(said)}
        yield from _between(shown, MAX_ROWS)
    else:
        yield from joined(int(row) - 1 for row, said in rows.items() if _is_hidden_row(said))


def _is_hidden_row(said: Mapping[str, str]) -> bool:
    hidden = is_on(said.get("hidden")) and not _is_in_group(said)
    return hidden or size(said.get("ht"), MIN_POINTS) < MIN_POINTS


def _is_in_group(said: Mapping[str, str]) -> bool:
    return int(said.get("outlineLevel") or 0) > 0


def _out_of_reach(views: Sequence[Any]) -> tuple[list[HiddenSpan], list[HiddenSpan]]:
    """Rows and columns that cannot be scrolled to, as they are before the first one of frozen panes."""
    rows: list[HiddenSpan] = []
    columns: list[HiddenSpan] = []
    for view in views:
        if any(pane.get("state", "").startswith("frozen") for pane in _all(view, "pane")):
            left, top, _, _ = range_boundaries(view.get("topLeftCell", "A1"))
            rows += [(0, top - 2)] if top and top > 1 else []
            columns += [(0, left - 2)] if left and left > 1 else []
    return rows, columns


def _frozen(view: Any, grid: Grid) -> tuple[int, int]:
    """The number of frozen rows, and of columns, if they fill the window; otherwise 0."""
    left, top, _, _ = range_boundaries(view.get("topLeftCell", "A1"))
    zoom = size(view.get("zoomScale"), 100) / 100 / PER_POINT
    rows = columns = 0
    for pane in _all(view, "pane"):
        if pane.get("state", "").startswith("frozen"):
            rows, columns = (int(size(pane.get(key), 0)) for key in ("ySplit", "xSplit"))
    height = sum(map(grid.height, range((top or 1) - 1, (top or 1) - 1 + min(rows, MAX_ROWS))))
    width = sum(map(grid.width, range((left or 1) - 1, (left or 1) - 1 + min(columns, MAX_COLUMNS))))
    return rows * (height * zoom > MAX_FROZEN_HEIGHT), columns * (width * zoom > MAX_FROZEN_WIDTH)


def _unfolds(parts: Parts, views: Sequence[Any]) -> bool:
    """Whether a reader can expand collapsed groups."""
    protected = any(is_on(one.get("sheet")) for one in parts["sheetProtection"])
    return not protected and all(is_on(view.get("showOutlineSymbols", "1")) for view in views)


def _hidden_columns(parts: Parts) -> Iterator[HiddenSpan]:
    defaults: Any = next(iter(parts["sheetFormatPr"]), {})
    listed: set[int] = set()
    for col in parts["col"]:
        first, last = int(col.get("min")), min(int(col.get("max")), MAX_COLUMNS)
        listed |= set(range(first, last + 1))
        if is_on(col.get("hidden")) or size(col.get("width"), MIN_CHARACTERS) < MIN_CHARACTERS:
            yield first - 1, last - 1
    default = defaults.get("defaultColWidth") or defaults.get("baseColWidth")
    if size(default, MIN_CHARACTERS) < MIN_CHARACTERS:
        yield from _between(listed, MAX_COLUMNS)


def joined(numbers: Iterable[int]) -> Iterator[HiddenSpan]:
    """Group consecutive numbers: the first and the last of each group."""
    first = last = None
    for number in sorted(numbers):
        if first is None or last is None:
            first = number
        elif number > last + 1:
            yield first, last
            first = number
        last = number
    if first is not None and last is not None:
        yield first, last


def _between(numbers: set[int], end: int) -> Iterator[HiddenSpan]:
    """The gaps between numbers from 1 up to the end, with bounds from 0."""
    at = 0
    for number in [*sorted(numbers), end + 1]:
        if number - 1 > at:
            yield at, number - 2
        at = number


def _rules(tab: str, parts: Parts, looks: Sequence[DifferentialStyle]) -> Iterator[Rule]:
    """The conditional formats of a sheet; none if the sheet turns them off."""
    if any(not is_on(one.get("enableFormatConditionsCalculation", "1")) for one in parts["sheetPr"]):
        return
    for formatting in parts["conditionalFormatting"]:
        areas = tuple(_areas(tab, _cells_of(formatting)))
        for rule in _all(formatting, "cfRule"):
            own = _by_name(rule)
            inline = next(iter(own["dxf"]), None)  # rules in extensions contain their style
            number = rule.get("dxfId")
            look = looks[_index("dxfId", number, len(looks), "dxfs")] if number else None
            colours = [one for scale in own["colorScale"] for one in _all(scale, "color")]
            bars = [one for bar in own["dataBar"] for one in bar if tag_of(one) in _BARS]
            drawings = [*own["dataBar"], *own["iconSet"]]
            yield Rule(
                areas,
                str(rule.get("type", "")),
                str(rule.get("operator", "")),
                tuple(str(one.text or "") for one in (*own["formula"], *own["f"])),
                look if inline is None else DifferentialStyle.from_tree(inline),
                tuple(map(_colour, colours)),
                tuple(map(_colour, bars)),
                shows_value=all(is_on(one.get("showValue", "1")) for one in drawings),
                stops=is_on(rule.get("stopIfTrue")),
            )


def _index(key: str, text: str, of: int, name: str) -> int:
    """An index into a list of styles."""
    if not (whole(text, zero=True) and int(text) < of):
        raise AmbiguousError(say("{key} is {said}, which is not in {name}", key=key, said=text, name=name))
    return int(text)


def _colour(element: Any) -> Color:
    known = ("rgb", "indexed", "auto", "theme", "tint")
    return Color(**{key: _value(key, element.get(key)) for key in known if element.get(key) is not None})


def _value(key: str, text: str) -> Any:
    return text if key == "rgb" else size(text, 0.0) if key == "tint" else int(text)


def _offers(tab: str, parts: Parts) -> Iterator[Offer]:
    """Drop-down lists with a visible arrow; confusingly, ``showDropDown`` hides it."""
    for one in parts["dataValidation"]:
        if one.get("type") == "list" and not is_on(one.get("showDropDown")):
            source = next((f.text or "".join(f.itertext()) for f in _all(one, "formula1")), "")
            yield Offer(tuple(_areas(tab, _cells_of(one))), source.strip())


def _cells_of(element: Any) -> str:
    """The cells of an element, in an attribute or, in extensions, a child element."""
    return str(element.get("sqref") or next((one.text for one in _all(element, "sqref")), "") or "")


def _areas(tab: str, references: str) -> Iterator[Area]:
    for reference in references.split():
        left, top, right, bottom = (
            bound if bound is not None else default
            for bound, default in zip(range_boundaries(reference), (1, 1, MAX_COLUMNS, MAX_ROWS), strict=True)
        )
        (left, right), (top, bottom) = sorted((left, right)), sorted((top, bottom))
        yield Area(tab, top - 1, left - 1, bottom - top + 1, right - left + 1)


def _all(element: Any, name: str) -> Iterator[Any]:
    """All descendants with a local name, in any namespace."""
    return (one for one in element.iter() if tag_of(one) == name)


def _by_name(element: Any) -> Parts:
    """All elements of a part by local name, in any namespace."""
    found: Parts = defaultdict(list)
    for one in element.iter() if element is not None else ():
        found[tag_of(one)].append(one)
    return found
