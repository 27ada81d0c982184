"""Arranges a workbook's matrices as on its sheets: by page and step, with the sentences side by side."""

from __future__ import annotations

import re
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

INDICES = ("RowIdx", "ColIdx", "Rank", "Times")
"""Indices 1, 2, ... next to a mask or a list, and hidden counts, needed only by formulas."""
DETAILS = ("FocusBefore", "FocusAfter")
"""Rows of X and of Output that a sheet's head repeats; ranges of one chosen cell begin with Cell."""
LEAD_ROWS = 2
"""Rows of a sheet's head with its title and its lead."""
IS_SENTENCE = re.compile(r"[1-9]\.\s|[^{=].{60}", re.DOTALL)
"""Texts that are not labels: numbered or long ones, but no formulas."""
LABELLING = (WORDS["Tokens"], WORDS["Dims"])
"""Inputs that are shown as the labels of vocab_E."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A matrix, the single columns on its right, and the context of its lane."""

    main: Matrix
    sides: tuple[Matrix, ...] = ()
    lane: str = ""


@dataclass(frozen=True, slots=True)
class StepView:
    """A step in one band of rows: its heading, the texts below it, and the figures."""

    title: str
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class ShownSheet:
    """A sheet: its tab, title, lead texts, single values, steps, and its other texts, such as what to try."""

    tab: str
    title: str
    lead: tuple[str, ...]
    facts: tuple[Matrix, ...]
    steps: tuple[StepView, ...]
    closing: tuple[str, ...] = ()


def pages(seen: OpenWorkbook) -> list[ShownSheet]:
    """The sheets of a workbook that have named ranges, in order."""
    sheet_views = []
    for tab in seen.tabs:
        here = [m for m in seen.matrices.values() if m.area.sheet == tab]
        if here:
            ranks = {(m.area.row, m.area.col): "" for m in here if m.step == "Rank"}  # shown as headings
            page = _page(tab, _shown(here), ranks | dict(seen.notes.get(tab, {})), seen.manifest.parse)
            sheet_views.append(replace(page, title=printable(tab)) if page.title == seen.title else page)
    return sheet_views


def lanes(seen: OpenWorkbook) -> dict[str, str]:
    """The sentence of each context."""
    contexts = seen.manifest.contexts
    cells = {context: seen.matrices.get(of_context(context)["Sentence"]) for context in contexts}
    return {context: m.text(m.grid[0][0]) if m else context for context, m in cells.items()}


def _shown(matrices: Iterable[Matrix]) -> list[Matrix]:
    """Omit indices, and ranges inside another range or with the same cells."""
    kept: list[Matrix] = []
    for one in sorted(matrices, key=lambda m: (-m.shape[0] * m.shape[1], len(m.name))):
        if one.step in (*INDICES, *DETAILS) or one.step.startswith("Cell") or one.name in LABELLING:
            continue
        if not any(_covers(other, one) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda m: (m.area.row, m.area.col))


def _covers(big: Matrix, small: Matrix) -> bool:
    a, b = big.area, small.area
    across = a.col <= b.col and b.col + b.cols <= a.col + a.cols
    return across and a.row <= b.row and b.row + b.rows <= a.row + a.rows


def _page(tab: str, here: Sequence[Matrix], notes: Mapping[tuple[int, int], str], parse: Parse) -> ShownSheet:
    bands: dict[int, list[Matrix]] = {}
    for matrix in here:
        if matrix.shape != (1, 1):
            bands.setdefault(matrix.area.row, []).append(matrix)
    steps: list[StepView] = []
    for row, band in bands.items():
        figures = _figures(band, parse)
        title, *texts = _above(notes, row) or [_heading(band[0], parse)]
        if steps and steps[-1].title == title:  # further rows of one table
            steps[-1] = replace(steps[-1], figures=(*steps[-1].figures, *figures))
            continue
        same = next((i for i, step in enumerate(steps) if _same_step(step.figures, figures, parse)), None)
        if same is not None:
            steps[same] = replace(steps[same], figures=(*steps[same].figures, *figures))
            continue
        steps.append(StepView(title, tuple(text for text in texts if text != band[0].step), figures))
    title, *lead = [text for line in range(LEAD_ROWS) if (text := _first(notes, line))] or [printable(tab)]
    facts = tuple(m for m in here if m.shape == (1, 1) and m.step not in ("Heading", "Sentence"))
    shown = {title, *lead, *(text for step in steps for text in (step.title, *step.notes))}
    others = [printable(notes[cell]) for cell in sorted(notes)]
    sentences = [text for text in others if IS_SENTENCE.match(text)]
    closing = tuple(text for text in dict.fromkeys(sentences) if text not in shown)
    return ShownSheet(tab, title, tuple(lead), facts, tuple(steps), closing)


def _first(notes: Mapping[tuple[int, int], str], row: int) -> str:
    """The first text of a row, or ""."""
    return next((printable(text) for (line, _), text in sorted(notes.items()) if line == row), "")


def _above(notes: Mapping[tuple[int, int], str], row: int) -> list[str]:
    """The texts in the rows right above a band and its labels, without formulas, up to an empty row."""
    text_rows = {r for r, _ in notes if r < row - 1}
    top = row - 1
    while top - 1 in text_rows:
        top -= 1
    cells = sorted(cell for cell in notes if top <= cell[0] < row - 1 and notes[cell][:1] not in ("{", "="))
    left = min((col for _, col in cells), default=0)
    return [printable(notes[cell]) for cell in cells if cell[1] == left]


def _heading(matrix: Matrix, parse: Parse) -> str:
    """A heading for a band without one: the range's name without sheet and context."""
    return " ".join(parse(matrix.name).at(sheet="", context="").parts)


def _same_step(before: Sequence[Figure], more: Sequence[Figure], parse: Parse) -> bool:
    """True if figures show the same step for another sentence, as in stacked lanes."""
    one = more[0]
    others = [figure for figure in before if "" != figure.lane != one.lane != ""]
    return any(_heading(one.main, parse) == _heading(other.main, parse) for other in others)


def _figures(band: Sequence[Matrix], parse: Parse) -> tuple[Figure, ...]:
    """Figures from left to right; a single column joins the matrix on its left in the same lane."""
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
