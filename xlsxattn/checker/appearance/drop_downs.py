"""Drop-down lists that are missing or offer something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.appearance.charts import area_of
from xlsxattn.checker.cell_formulas import shortened
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.contract.names import TYPED_FOR, VOCABULARY, WORDS, RangeName, last, of_context, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.appearance.own_ranges import OwnRanges
    from xlsxattn.checker.reading.book import Book


def lost_drop_downs(book: Book, ranges: OwnRanges) -> Iterator[Finding]:
    """Inputs without their drop-down list, or with a wrong one; words of precomputed rows need none."""
    typed = [parse(name) for name in ranges.areas if last(name) == TYPED_FOR]
    fixed = {of_context(place.context)["Tokens"] for place in typed}
    for name in (*book.manifest.inputs, WORDS["Focus"]):
        source, area = source_of(name), ranges.areas.get(name)
        if area is None or source not in ranges.areas:
            continue
        view = book.views.get(area.sheet)
        offered = [
            offer.source
            for offer in (view.offers if view else ())
            if any(name == touched for cells in offer.areas for touched, _ in ranges.touched(cells))
        ]
        if not offered and name not in fixed:
            yield Finding(Kind.DROP_DOWN, name, area.address(), values={"source": source})
        for text in offered:
            if not _is_same(text, source, ranges, area.sheet):
                values = {"source": source, "offered": shortened(text)}
                yield Finding(Kind.DROP_DOWN, name, area.address(), values=values)


def source_of(name: str) -> str:
    """The range with the choices of an input; "" if it has no drop-down list."""
    place = parse(name)
    if place.block == "CheckMatrix":
        return RangeName(place.sheet)["Matrices"]
    if name == WORDS["Focus"] or (place.block in ("Tokens", "Asked") and place.sheet != VOCABULARY):
        return WORDS["Tokens"]
    if place.block in ("Layer", "Head"):
        return RangeName(place.sheet)[f"{place.block}s"]
    return ""


def _is_same(text: str, source: str, ranges: OwnRanges, tab: str) -> bool:
    """Whether a formula refers to a range by its name or its cells."""
    if text.removeprefix("=").lower() == source.lower():
        return True
    cells = area_of(text.removeprefix("=")) or area_of(f"'{tab}'!{text.removeprefix('=')}")
    return cells == ranges.areas[source]
