"""Structural checks: formulas in the right cells, names in the right places, readable inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from xlsxattn.checker.answer_cells import asked_cells
from xlsxattn.checker.cell_formulas import braced, expected_formulas, expected_values, span
from xlsxattn.checker.cell_sets import Cover, Single
from xlsxattn.checker.cells import Area, CellError
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.book import text_of
from xlsxattn.contract.kinds import EncoderDecoder, Model, Training
from xlsxattn.contract.names import FRONT, MANIFEST, START, RangeName, cols_of, is_text, of_context, rows_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xlsxattn.checker.cells import At, Grid
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import SheetInfo

PAGES = {
    **dict.fromkeys(("Layers", "Layer", "Heads", "Head", "Chosen", "PairRank"), "heads"),
    "Depths": "similar",
}
"""Blocks that an encoder or decoder has once → their page."""
PAGES_OF_CONTEXTS = {
    **dict.fromkeys(("Map", "PairWeights", "PairPlaces", "PairFrom", "PairTo"), "heads"),
    **dict.fromkeys(("Pooled", "Normed", "Similarity", "Track", "Cosine"), "similar"),
    **dict.fromkeys(("X", "Sum", "Input"), "in"),
    "Output": "out",
}
"""Blocks that it has for every context, outside its layers → their page."""
MASKS = ("CrossMask", "CausalMask", "Mask")
"""Masks with index vectors next to them; the first existing one has them."""
_OF_A_CELL = {"CellRow": 1, "CellCol": 2}
"""Inputs of all sentences that are one below the other, after all other inputs of the sheet."""
_IN_A_ROW = ("Layers", "Heads", "PairRank")
"""Lists in the order in which they are on a page."""
COLUMNS = (
    ("NLayers", "NHeads", "NKVHeads", "DModel", "DK", "DV", "DFF", "Scale", "Epsilon", "Temperature"),
    ("Layer", "Head", "Chosen"),
)
"""Cells below each other: on the contents page of a model, and in the head browser."""


def unreadable_inputs(book: Book, values: Mapping[str, Grid]) -> Iterator[Finding]:
    """Inputs that the reference cannot use: missing names, errors, text among numbers, ambiguous words."""
    for name in book.manifest.inputs:
        if name not in book.names:
            yield _missing_input(book, name)
        if name not in book.names or not isinstance(values[name], list):
            continue
        area = book.names[name]
        for i, row in enumerate(values[name]):
            for j, value in enumerate(row):
                if isinstance(value, CellError):
                    input_name = {"input": name}
                    yield Finding(
                        Kind.ERROR_VALUE, name, area.address(i, j), found=str(value), values=input_name
                    )
                elif not is_text(name) and isinstance(value, str | bool) and value != "":
                    yield Finding(Kind.TEXT_IN_NUMBERS, name, area.address(i, j), found=value)
                elif is_text(name) and isinstance(value, float) and not _is_word(value):
                    yield Finding(Kind.NUMBER_AS_WORD, name, area.address(i, j), found=value)
                elif not value and not is_text(name) and _has_empty_text(book, area, i, j):
                    yield Finding(Kind.TEXT_IN_NUMBERS, name, area.address(i, j), found="")


def _is_word(number: float) -> bool:
    """Whether every program converts a number to the same text: no exponent, at most 15 digits."""
    text = text_of(number)
    return "e" not in text and float(text) == number


def _has_empty_text(book: Book, area: Area, i: int, j: int) -> bool:
    """Whether a cell holds an empty text, which looks blank, but only some programs calculate with it."""
    at = area.sheet, area.row + i, area.col + j
    return book.saved.get(at) == "" and at not in book.formulas


def _missing_input(book: Book, name: str) -> Finding:
    """The finding for a missing input, with its location if its labels exist."""
    values = {"input": name}
    if labels := book.names.get(rows_of(name)):
        values |= {"first": labels.address(0, 1), "labels": rows_of(name)}
    return Finding(Kind.MISSING, name, values=values)


def misplaced_formulas(book: Book) -> Iterator[Finding]:
    """Constants instead of formulas, and formulas outside checked ranges."""
    named = {name: book.names[name] for name in book.manifest.formulas if name in book.names}
    filled, checked = Cover(formula.area for formula in book.formulas.values()), Cover(named.values())
    if checked.size < sum(area.rows * area.cols for area in named.values()):
        yield from _overlaps(named)
    asked = Cover(asked_cells(book))
    constants = Single(at for at in book.typed if at not in filled and at not in asked)
    for name, area in named.items():
        if cells := list(constants.within(area)):
            yield from _constants(book, name, cells)
    inputs = (book.names[name] for name in book.manifest.inputs if name in book.names)
    known = {*book.manifest.formulas, *book.manifest.inputs, *(START[part] for part in MANIFEST)}
    tabs = {area.sheet for name, area in book.names.items() if name in known}
    counts: Counter[str] = Counter()
    first: dict[str, tuple[At, str]] = {}
    for at in filled.without(Cover([*named.values(), *inputs, *asked_cells(book)])):
        formula = book.formulas[at].text if at in book.formulas else ""
        if at[0] in tabs:
            yield Finding(Kind.STRAY_FORMULA, cell=_address(at), formula=formula)
            continue
        if book.manifest.exercise:
            continue  # a reader's own
        counts[at[0]] += 1
        first.setdefault(at[0], (at, formula))
    for tab, (at, formula) in first.items():
        count = {"n": counts[tab]} if counts[tab] > 1 else {}
        yield Finding(Kind.OWN_FORMULAS, cell=_address(at), formula=formula, values=count)


def _constants(book: Book, name: str, constants: Sequence[At]) -> Iterator[Finding]:
    """Constants in a computed range: one finding for each replaced formula."""
    left = dict.fromkeys(constants)
    for cells, spelled in expected_formulas(book, name):
        here = [at for at in cells.cells() if at in left]
        for at in here:
            del left[at]
        if here:
            values = expected_values(book, name, cells, spelled)
            values |= {"n": len(here)} if len(here) > 1 else {}
            yield Finding(Kind.CONSTANT, name, _address(here[0]), found=book.typed[here[0]], values=values)
    for at in left:
        yield Finding(Kind.CONSTANT, name, _address(at), found=book.typed[at])


def misplaced_arrays(book: Book) -> Finding | None:
    """Array formulas that are not in the first cell of their range: one finding for all.

    They result from programs that move cells without their array formulas, and engines do not compute them.
    """
    misplaced = [
        (at, f.area) for at, f in book.formulas.items() if at != (f.area.sheet, f.area.row, f.area.col)
    ]
    if not misplaced:
        return None
    at, area = misplaced[0]
    values: dict[str, object] = {"first": span(replace(area, rows=1, cols=1)), "cells": span(area)}
    if len(misplaced) > 1:
        values["n"] = len(misplaced)
    formula = braced(book.formulas[at].text, array=True)
    return Finding(Kind.ASTRAY_FORMULA, cell=_address(at), formula=formula, values=values)


def _overlaps(named: Mapping[str, Area]) -> Iterator[Finding]:
    """Cells that belong to two computed ranges."""
    checked: dict[tuple[str, int, int], str] = {}
    for name, area in named.items():
        for at in area.cells():
            if at in checked:
                yield Finding(Kind.OVERLAP, name, _address(at), values={"other": checked[at]})
            checked[at] = name


def moved_names(book: Book) -> Iterator[Finding]:
    """Names that were moved: labels away from their range, ranges away from their sheet or layer.

    Two swapped names often have the same values, so only their location distinguishes them.
    """
    for name, other, down, right in _neighbours(book):
        area, by = book.names[name], book.names[other]
        if (area.sheet, area.row, area.col) != (by.sheet, by.row + down, by.col + right):
            yield _moved(name, area, other=other, place=by.address())
    yield from _out_of_order(book)
    by_sheet: dict[str, dict[str, RangeName]] = {}
    for name in book.names:
        at = book.manifest.parse(name)
        by_sheet.setdefault(at.sheet, {})[name] = at
    shown = {name: book.names[name] for name, at in by_sheet.get(FRONT, {}).items() if at.context}
    yield from _on_another_tab("start", shown)
    for sheet in book.manifest.sheets:
        pages: dict[str, dict[str, Area]] = {}
        for name, at in by_sheet.get(sheet.id, {}).items():
            if page := page_of(sheet, at):
                pages.setdefault(page, {})[name] = book.names[name]
        for page, own in pages.items():
            yield from _on_another_tab(page, own)


def _on_another_tab(page: str, areas: Mapping[str, Area]) -> Iterator[Finding]:
    """Ranges of one page that are not on the tab that most of them are on."""
    tabs = Counter(area.sheet for area in areas.values()).most_common(1)
    for name, area in areas.items():
        if area.sheet != tabs[0][0]:
            yield _moved(name, area, page=page)


def _out_of_order(book: Book) -> Iterator[Finding]:
    """Inputs of a sheet, and lists that belong together, that are not in order, by row and then by column."""
    sheets = [sheet.id for sheet in book.manifest.sheets]
    inputs = [name for name in book.manifest.inputs if book.manifest.parse(name).sheet in sheets]
    inputs.sort(key=lambda name: _OF_A_CELL.get(book.manifest.parse(name).block, 0))
    front = [START["Story"], START["Focus"]]
    for row in (inputs, front, *([RangeName(sheet)[block] for block in _IN_A_ROW] for sheet in sheets)):
        yield from _not_in_order(book, row)


def _not_in_order(book: Book, row: Iterable[str]) -> Iterator[Finding]:
    last: dict[str, tuple[str, Area]] = {}
    for name in row:
        area = book.names.get(name)
        if area is None:
            continue
        before, by = last.get(area.sheet, (name, area))
        if (area.row, area.col) < (by.row, by.col):
            yield _moved(name, area, before=before)
        last[area.sheet] = (name, area)


def _moved(name: str, area: Area, **values: object) -> Finding:
    return Finding(Kind.MOVED, name, area.address(), values=values)


def page_of(sheet: SheetInfo, at: RangeName) -> str:
    """A key for the tab of a range: its sheet, or in a model its page; "" if unknown."""
    if at.is_map:
        return say("{title}, all heads", title=sheet.id)
    if not sheet.is_a(Model):
        return RangeName(sheet.id)["steps"] if sheet.is_a(Training) and _is_behind(at) else sheet.id
    layer = RangeName(sheet.id, layer=at.layer)
    if at.layer and sheet.apart and at.is_weight:
        return layer["weights"]
    if not sheet.is_a(EncoderDecoder):
        pages = PAGES_OF_CONTEXTS if at.context else PAGES
        page = at.page or pages.get(at.block, "")
        return str(layer) if at.layer else page and RangeName(sheet.id)[page]
    if not at.layer:
        return ""
    source = at.side == "enc" or (not at.side and at.context == sheet.settings.get("source"))
    return str(layer.at(side="enc" if source else "dec"))


def _is_behind(at: RangeName) -> bool:
    """Whether a range of a training is on the second page, which has all steps."""
    once = ("Q", "K", "V") if not at.context else ("Asked",)
    shown = at.block == "Loss" or (at.context and at.block == "Attention")
    return at.block in (*once, "Plus", "Minus") or (at.is_of_steps and not shown)


def _neighbours(book: Book) -> Iterator[tuple[str, str, int, int]]:
    """Pairs of adjacent names: name, neighbour, and the row and column offset of the name."""
    pairs = [(rows_of(name), name, 0, -1) for name in book.names]
    pairs += [(cols_of(name), name, -1, 0) for name in book.names]
    for c in map(of_context, book.manifest.contexts):
        pairs += [(c["Ids"], c["Tokens"], 0, -1), (c["Index"], c["Tokens"], 0, 1)]
    for name in book.names:
        at = book.manifest.parse(name)
        if at.block in MASKS and not at.label:
            p = at.place
            pairs += [(p["RowIdx"], name, 0, -1)] if name == _counted(book, p, beside=True) else []
            pairs += [(p["ColIdx"], name, -1, 0)] if name == _counted(book, p, beside=False) else []
    for sheet in book.manifest.sheets:
        for column in COLUMNS:
            names = [RangeName(sheet.id)[block] for block in column]
            pairs += [(below, above, 1, 0) for above, below in pairwise(names)]
    return (pair for pair in pairs if pair[0] in book.names and pair[1] in book.names)


def _counted(book: Book, p: RangeName, *, beside: bool) -> str:
    """The mask that the index vector of a sentence is next to, or above."""
    blocks = MASKS if beside else MASKS[1:]
    return next((name for block in blocks if (name := p[block]) in book.names), "")


def _address(at: tuple[str, int, int]) -> str:
    return Area(*at, 1, 1).address()
