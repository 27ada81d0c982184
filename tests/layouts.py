"""Laid-out pages of specs, and where their blocks are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import pages, writer
from xlsxattn.builder.graph import Block, Group
from xlsxattn.builder.layout import sheet as layout
from xlsxattn.builder.layout.placed import Rectangle
from xlsxattn.builder.specification import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.builder.graph import Band, Page, WorkbookPages
    from xlsxattn.builder.layout.placed import Placed, PlacedSheet

PLAIN = {"id": "attn", "kind": "self-attention"}
LEARNED = {"id": "qkv", "kind": "self-attention", "d_k": 3, "d_v": 2, "mask": "causal"}
HEADS = {"id": "heads", "kind": "multi-head", "heads": 2, "d_k": 3, "d_v": 2}
COMPARE = {"id": "compare", "kind": "compare"}


def laid_out(data) -> tuple[WorkbookPages, list[PlacedSheet]]:
    book = pages.book(parse(data, "drawn"))
    return book, layout.lay_out(book)


def pages_of(data) -> list[tuple[Page, PlacedSheet]]:
    book, sheets = laid_out(data)
    return list(zip(book.pages, sheets, strict=True))


def page_of(data, page_id: str) -> tuple[Page, PlacedSheet]:
    return next(pair for pair in pages_of(data) if pair[0].id == page_id)


def cells(r: Rectangle) -> Iterator[tuple[int, int]]:
    return ((row, col) for row in range(r.top, r.bottom + 1) for col in range(r.left, r.right + 1))


def placed_by_name(sheet: PlacedSheet) -> dict[str, Placed]:
    return {p.block.name: p for p in sheet.placed}


def bounds(group: Group, placed: dict[str, Placed]) -> Rectangle:
    """All cells of a group: its blocks, and labels that are blocks."""
    areas = [placed[block.name].area for block in group.every_block()]
    labelled = group.rows and not any(isinstance(labels, Block) for labels in group.rows)
    left = min(a.left for a in areas) - bool(labelled)
    top = min(a.top for a in areas) - (group.cols is not None and not isinstance(group.cols, Block))
    return Rectangle(top, left, max(a.bottom for a in areas), max(a.right for a in areas))


def touch(a: Rectangle, b: Rectangle) -> bool:
    """True if two rectangles share a cell, an edge or a corner."""
    across = a.left <= b.right + 1 and b.left <= a.right + 1
    return across and a.top <= b.bottom + 1 and b.top <= a.bottom + 1


def lanes_of(page: Page) -> list[Band]:
    return [band for band in page.bands if not band.shared]


def assert_nothing_shares_a_cell(sheet: PlacedSheet) -> None:
    taken: dict[tuple[int, int], str] = {}
    areas = [(p.block.name, p.area) for p in sheet.placed]
    areas += [(t.text, Rectangle(t.row, t.col, t.row + t.rows - 1, t.col + t.cols - 1)) for t in sheet.texts]
    areas += [("a stripe", stripe.where) for stripe in sheet.stripes]
    for what, area in areas:
        for at in cells(area):
            assert at not in taken, f"{sheet.tab} {at}: {taken[at]} and {what}"
            taken[at] = what


def file_of(data, folder) -> tuple[list[PlacedSheet], object]:
    book, sheets = laid_out(data)
    writer.write(folder / "drawn.xlsx", book.title, sheets)
    return sheets, folder / "drawn.xlsx"
