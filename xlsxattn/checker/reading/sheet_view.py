"""How a sheet shows its cells: what its part says of hidden and merged cells, rules, lists and charts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.styles import Color
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import range_boundaries
from openpyxl.xml.functions import fromstring

from xlsxattn.checker.cells import MAX_COLUMNS, Area
from xlsxattn.checker.reading.one_reading import MAX_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xlsxattn.checker.reading.archive import GuardedArchive

    Stretch = tuple[int, int]

MIN_POINTS = 6.0
"""The height of a row that still shows something; letters have 8 points and more."""
MIN_CHARACTERS = 1.5
"""The width of a column that still shows something."""
_SERIES = ("tx", "cat", "val", "xVal", "yVal")
_TRUE = ("1", "true")


@dataclass(frozen=True, slots=True)
class Rule:
    """A conditional format.

    Attributes:
        areas: the cells that it is for.
        kind: what decides, such as ``cellIs``.
        operator: such as ``lessThan``; "" where there is none.
        formulas: what decides, for the first cell of the first area.
        look: what it puts in the place of a cell's own look; None: nothing.
        colours: of a colour scale, its ends and its middle.
        shows_value: whether the value is still shown beside its bar or icon.
    """

    areas: tuple[Area, ...]
    kind: str
    operator: str
    formulas: tuple[str, ...]
    look: DifferentialStyle | None
    colours: tuple[Color, ...]
    shows_value: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A drop-down list: the cells that have it, and the formula of what it offers."""

    areas: tuple[Area, ...]
    source: str


@dataclass(frozen=True, slots=True)
class SheetView:
    """How a sheet shows its cells.

    Attributes:
        hidden_rows: first and last of the rows that are hidden, too low to show anything, or out of reach.
        folded_rows: likewise of those that are hidden because their group is folded.
        hidden_columns: as hidden rows.
        merged: the cells that are merged.
        rules: its conditional formats.
        offers: its drop-down lists.
        charts: for each chart its series, each with the reference of its values, labels and title; "" where
            they are typed.
        shows_zeros: whether cells that hold 0 show it.
        shows_values: whether cells show values, and not formulas.
    """

    hidden_rows: tuple[Stretch, ...] = ()
    folded_rows: tuple[Stretch, ...] = ()
    hidden_columns: tuple[Stretch, ...] = ()
    merged: tuple[Area, ...] = ()
    rules: tuple[Rule, ...] = ()
    offers: tuple[Offer, ...] = ()
    charts: tuple[tuple[Mapping[str, str], ...], ...] = ()
    shows_zeros: bool = True
    shows_values: bool = True


def view_of(
    tab: str,
    root: Any,
    rows: Mapping[str, Mapping[str, str]],
    looks: Sequence[DifferentialStyle],
    charts: tuple[tuple[Mapping[str, str], ...], ...],
) -> SheetView:
    """What a sheet's part says.

    Args:
        tab: the sheet's tab.
        root: its part, without its rows.
        rows: the attributes of its rows, by number.
        looks: the workbook's looks for conditional formats.
        charts: its charts.

    Raises:
        ValueError: something in it is no number, or no range.
    """
    views = list(_all(root, "sheetView"))
    above, before = _out_of_reach(views)
    folded = (int(row) - 1 for row, said in rows.items() if _is_on(said.get("hidden")) and _is_in_group(said))
    return SheetView(
        (*above, *_hidden_rows(root, rows)),
        tuple(joined(folded)),
        (*before, *_hidden_columns(root)),
        tuple(area for one in _all(root, "mergeCell") for area in _areas(tab, one.get("ref", ""))),
        tuple(_rules(tab, root, looks)),
        tuple(_offers(tab, root)),
        charts,
        all(_is_on(view.get("showZeros", "1")) for view in views),
        not any(_is_on(view.get("showFormulas")) for view in views),
    )


def charts_of(archive: GuardedArchive, part: str) -> tuple[tuple[Mapping[str, str], ...], ...]:
    """The charts of a sheet, from its part's relationships."""
    return tuple(
        tuple(_series(archive.read(chart)))
        for drawing in _linked(archive, part, "/drawing")
        for chart in _linked(archive, drawing, "/chart")
    )


def _linked(archive: GuardedArchive, part: str, kind: str) -> Iterator[str]:
    """The parts of a kind that a part is linked to."""
    links = get_rels_path(part)  # type: ignore[no-untyped-call]
    if links in (parts := set(archive.namelist())):
        for link in get_dependents(archive, links):
            if link.Type.endswith(kind) and link.target in parts:
                yield link.target


def _series(xml: bytes) -> Iterator[Mapping[str, str]]:
    """Of each series of a chart what its values, labels and title refer to; "" for those that are typed."""
    for series in _all(fromstring(xml), "ser"):
        yield {
            _name(child): next((str(f.text or "") for f in _all(child, "f")), "")
            for child in series
            if _name(child) in _SERIES
        }


def _hidden_rows(root: Any, rows: Mapping[str, Mapping[str, str]]) -> Iterator[Stretch]:
    usual: Any = next(_all(root, "sheetFormatPr"), {})
    low = float(usual.get("defaultRowHeight") or MIN_POINTS) < MIN_POINTS
    if low or _is_on(usual.get("zeroHeight")):
        shown = {int(row) for row, said in rows.items() if "ht" in said and not _is_hidden_row(said)}
        yield from _between(shown, MAX_ROWS)
    else:
        yield from joined(int(row) - 1 for row, said in rows.items() if _is_hidden_row(said))


def _is_hidden_row(said: Mapping[str, str]) -> bool:
    hidden = _is_on(said.get("hidden")) and not _is_in_group(said)
    return hidden or float(said.get("ht") or MIN_POINTS) < MIN_POINTS


def _is_in_group(said: Mapping[str, str]) -> bool:
    return int(said.get("outlineLevel") or 0) > 0


def _out_of_reach(views: Sequence[Any]) -> tuple[list[Stretch], list[Stretch]]:
    """Rows and columns before the first of a view whose panes are frozen: nobody can scroll to them."""
    rows: list[Stretch] = []
    columns: list[Stretch] = []
    for view in views:
        if any(pane.get("state", "").startswith("frozen") for pane in _all(view, "pane")):
            left, top, _, _ = range_boundaries(view.get("topLeftCell", "A1"))
            rows += [(0, top - 2)] if top and top > 1 else []
            columns += [(0, left - 2)] if left and left > 1 else []
    return rows, columns


def _hidden_columns(root: Any) -> Iterator[Stretch]:
    usual: Any = next(_all(root, "sheetFormatPr"), {})
    told: set[int] = set()
    for col in _all(root, "col"):
        first, last = int(col.get("min")), min(int(col.get("max")), MAX_COLUMNS)
        told |= set(range(first, last + 1))
        if _is_on(col.get("hidden")) or float(col.get("width") or MIN_CHARACTERS) < MIN_CHARACTERS:
            yield first - 1, last - 1
    if float(usual.get("defaultColWidth") or MIN_CHARACTERS) < MIN_CHARACTERS:
        yield from _between(told, MAX_COLUMNS)


def joined(numbers: Iterable[int]) -> Iterator[Stretch]:
    """Numbers side by side, joined: the first and the last of each stretch."""
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


def _between(numbers: set[int], end: int) -> Iterator[Stretch]:
    """What lies between numbers counted from 1, up to the end, counted from 0."""
    at = 0
    for number in [*sorted(numbers), end + 1]:
        if number - 1 > at:
            yield at, number - 2
        at = number


def _rules(tab: str, root: Any, looks: Sequence[DifferentialStyle]) -> Iterator[Rule]:
    for formatting in _all(root, "conditionalFormatting"):
        areas = tuple(_areas(tab, _cells_of(formatting)))
        for rule in _all(formatting, "cfRule"):
            own = next(_all(rule, "dxf"), None)  # rules in extensions have their look with them
            number = rule.get("dxfId")
            look = looks[int(number)] if number and int(number) < len(looks) else None
            yield Rule(
                areas,
                str(rule.get("type", "")),
                str(rule.get("operator", "")),
                tuple(str(one.text or "") for one in rule.iter() if _name(one) in ("formula", "f")),
                look if own is None else DifferentialStyle.from_tree(own),
                tuple(_colour(one) for scale in _all(rule, "colorScale") for one in _all(scale, "color")),
                all(
                    _is_on(one.get("showValue", "1"))
                    for one in rule.iter()
                    if _name(one) in ("dataBar", "iconSet")
                ),
            )


def _colour(element: Any) -> Color:
    known = ("rgb", "indexed", "auto", "theme", "tint")
    return Color(**{key: _value(key, element.get(key)) for key in known if element.get(key) is not None})


def _value(key: str, text: str) -> Any:
    return text if key == "rgb" else float(text) if key == "tint" else int(text)


def _offers(tab: str, root: Any) -> Iterator[Offer]:
    """Lists whose arrow is shown: the attribute that hides it has the opposite name."""
    for one in _all(root, "dataValidation"):
        if one.get("type") == "list" and not _is_on(one.get("showDropDown")):
            source = next((f.text or "".join(f.itertext()) for f in _all(one, "formula1")), "")
            yield Offer(tuple(_areas(tab, _cells_of(one))), source.strip())


def _cells_of(element: Any) -> str:
    """The cells of an element: an attribute, or, in extensions, an element."""
    return str(element.get("sqref") or next((one.text for one in _all(element, "sqref")), "") or "")


def _areas(tab: str, references: str) -> Iterator[Area]:
    for reference in references.split():
        left, top, right, bottom = (
            end if end is not None else usual
            for end, usual in zip(range_boundaries(reference), (1, 1, MAX_COLUMNS, MAX_ROWS), strict=True)
        )
        yield Area(tab, top - 1, left - 1, bottom - top + 1, right - left + 1)


def _all(element: Any, name: str) -> Iterator[Any]:
    """The elements of a name inside another, in any name space."""
    return (one for one in element.iter() if _name(one) == name) if element is not None else iter(())


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _is_on(flag: str | None) -> bool:
    return flag in _TRUE
