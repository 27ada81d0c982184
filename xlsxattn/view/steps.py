"""Arranges a workbook's matrices as its sheets do: page by page, step by step, the sentences side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.contract.names import WORDS, of_context
from xlsxattn.view.labelled import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xlsxattn.contract.names import RangeName
    from xlsxattn.view.look import OpenWorkbook
    from xlsxattn.view.matrix import Matrix

    Parse = Callable[[str], RangeName]

INDICES = ("RowIdx", "ColIdx", "Rank")
"""Numbers 1, 2, ... beside a mask or a list: they stand in formulas, and tell a reader nothing."""
LABELLING = (WORDS["Tokens"], WORDS["Dims"])
"""Inputs that are seen as the labels of vocab_E."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A matrix, the single columns that stand beside it, and the context whose lane it is in."""

    main: Matrix
    sides: tuple[Matrix, ...] = ()
    lane: str = ""


@dataclass(frozen=True, slots=True)
class StepView:
    """What stands in one band of rows: its heading, the sentences below that, and the figures."""

    title: str
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class SheetView:
    """One sheet: its tab, its title, the sentences below that, its single values, and its steps."""

    tab: str
    title: str
    lead: tuple[str, ...]
    facts: tuple[Matrix, ...]
    steps: tuple[StepView, ...]


def pages(seen: OpenWorkbook) -> list[SheetView]:
    """The sheets of a workbook that show something, in order."""
    made = []
    for tab in seen.tabs:
        here = [m for m in seen.matrices.values() if m.area.sheet == tab]
        if here:
            ranks = {(m.area.row, m.area.col): "" for m in here if m.step == "Rank"}  # stand as headings
            page = _page(tab, _shown(here), ranks | dict(seen.notes.get(tab, {})), seen.manifest.parse)
            made.append(replace(page, title=printable(tab)) if page.title == seen.title else page)
    return made


def lanes(seen: OpenWorkbook) -> dict[str, str]:
    """The sentence of every context."""
    contexts = seen.manifest.contexts
    found = {context: seen.matrices.get(of_context(context)["Sentence"]) for context in contexts}
    return {context: m.text(m.grid[0][0]) if m else context for context, m in found.items()}


def _shown(matrices: Iterable[Matrix]) -> list[Matrix]:
    """Leave out indices, and names that cover only a part of another range or just the same cells."""
    kept: list[Matrix] = []
    for one in sorted(matrices, key=lambda m: (-m.shape[0] * m.shape[1], len(m.name))):
        if one.step in INDICES or one.name in LABELLING:
            continue
        if not any(_covers(other, one) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda m: (m.area.row, m.area.col))


def _covers(big: Matrix, small: Matrix) -> bool:
    a, b = big.area, small.area
    across = a.col <= b.col and b.col + b.cols <= a.col + a.cols
    return across and a.row <= b.row and b.row + b.rows <= a.row + a.rows


def _page(tab: str, here: Sequence[Matrix], notes: Mapping[tuple[int, int], str], parse: Parse) -> SheetView:
    bands: dict[int, list[Matrix]] = {}
    for matrix in here:
        if matrix.shape != (1, 1):
            bands.setdefault(matrix.area.row, []).append(matrix)
    steps: list[StepView] = []
    for row, band in bands.items():
        figures = _figures(band, parse)
        kin = next((i for i, step in enumerate(steps) if _kin(step.figures, figures, parse)), None)
        if kin is not None:
            steps[kin] = replace(steps[kin], figures=(*steps[kin].figures, *figures))
            continue
        title, *said = _above(notes, row) or [_named(band[0], parse)]
        steps.append(StepView(title, tuple(text for text in said if text != band[0].step), figures))
    title, *lead = [printable(notes[at]) for at in ((0, 0), (1, 1)) if at in notes] or [printable(tab)]
    facts = tuple(m for m in here if m.shape == (1, 1) and m.step not in ("Heading", "Sentence"))
    return SheetView(tab, title, tuple(lead), facts, tuple(steps))


def _above(notes: Mapping[tuple[int, int], str], row: int) -> list[str]:
    """The texts in the rows right above a band and its labels, up to a row without any; formulas left out."""
    written = {at for at, text in notes.items() if at[0] < row - 1}
    rows: list[int] = []
    while any(at[0] == row - 2 - len(rows) for at in written):
        rows.append(row - 2 - len(rows))
    found = sorted(at for at in written if at[0] in rows and notes[at][:1] not in ("{", "="))
    left = min((col for _, col in found), default=0)
    return [printable(notes[at]) for at in found if at[1] == left]


def _named(matrix: Matrix, parse: Parse) -> str:
    """A heading for a band that has none: what its name says beside the sheet and the sentence."""
    return " ".join(parse(matrix.name).at(sheet="", context="").parts)


def _kin(before: Sequence[Figure], more: Sequence[Figure], parse: Parse) -> bool:
    """Whether figures show the same step for another sentence: wide ones stand below the others."""
    last, one = before[-1], more[0]
    return "" != last.lane != one.lane != "" and _named(last.main, parse) == _named(one.main, parse)


def _figures(band: Sequence[Matrix], parse: Parse) -> tuple[Figure, ...]:
    """Matrices from left to right; a single column joins the matrix of its own sentence on its left."""
    figures: list[Figure] = []
    for matrix in band:
        lane = parse(matrix.name).context
        last = figures[-1] if figures else None
        beside = last and last.lane == lane and last.main.shape[0] == matrix.shape[0]
        if last and beside and matrix.area.cols == 1:
            figures[-1] = replace(last, sides=(*last.sides, matrix))
        else:
            figures.append(Figure(matrix, (), lane))
    return tuple(figures)
