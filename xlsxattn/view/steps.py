"""Arranges a workbook's matrices as on its sheets: by page and step, with the sentences side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.contract.names import START, STATUS, WORDS, last, of_context
from xlsxattn.view.labelled import LABEL_ENDS, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xlsxattn.contract.names import Parse
    from xlsxattn.view.look import OpenWorkbook
    from xlsxattn.view.matrix import Matrix

INDICES = ("RowIdx", "ColIdx", "Rank", "Times")
"""Indices 1, 2, ... next to a mask or a list, and hidden counts, needed only by formulas."""
LEAD_ROWS = 2
"""Rows of a sheet's head with its title and its lead."""
IS_SENTENCE = re.compile(r"[^{=\s].{60}", re.DOTALL)
"""Texts that are not labels, but no formulas."""
QUESTION, ANSWER = re.compile(r"[1-9]\.\s"), re.compile(r"\s{3}")
"""Beginnings of experiments, and of the answers in the next rows."""
CHIP = re.compile(r"[1-9]\s{2,}")
"""Beginning of the steps at the top of the first screen."""
HEADINGS = ("Heading", "Sentence")
"""Single cells that are shown as headings."""
NOT_ON_FIRST_SCREEN = (*HEADINGS, "Ids", "Index")
"""Headings, and numbers that only formulas need."""
LABELLING = (WORDS["Tokens"], WORDS["Dims"])
"""Inputs that are shown as the labels of vocab_E."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A matrix, the columns on its right, the context of its lane, and the rows right below it.

    Attributes:
        label: the text on the left of a single row that is one of several, or "".
    """

    main: Matrix
    sides: tuple[Matrix, ...] = ()
    lane: str = ""
    below: tuple[Figure, ...] = ()
    label: str = ""

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """All matrices of the figure."""
        return (self.main, *self.sides, *(m for figure in self.below for m in figure.matrices))


@dataclass(frozen=True, slots=True)
class StepView:
    """A step in one band of rows: its heading, the texts below it, figures, and single values."""

    title: str
    notes: tuple[str, ...]
    figures: tuple[Figure, ...]
    facts: tuple[Matrix, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownSheet:
    """A sheet: its tab, title, lead texts, single values, steps, other texts, and what to try.

    Attributes:
        closing: long texts that belong to no step.
        tries_title: the heading above the questions, or "".
        tries: what to try, each with its answer or "".
    """

    tab: str
    title: str
    lead: tuple[str, ...]
    facts: tuple[Matrix, ...]
    steps: tuple[StepView, ...]
    closing: tuple[str, ...] = ()
    tries_title: str = ""
    tries: tuple[tuple[str, str], ...] = ()


def pages(seen: OpenWorkbook) -> list[ShownSheet]:
    """The sheets of a workbook in order, without that of the manifest."""
    sheet_views = []
    for tab in seen.tabs:
        here = [m for m in seen.matrices.values() if m.area.sheet == tab]
        if here:
            typed = {cell for m in here if m.role != "computed" for cell in m.area.cells()}
            notes = {at: text for at, text in seen.notes.get(tab, {}).items() if (tab, *at) not in typed}
            ranks = {(m.area.row, m.area.col): "" for m in here if m.step == "Rank"}  # shown as headings
            parse = seen.manifest.parse
            first = any(m.name == START[STATUS] for m in here)
            page = (_first_screen if first else _page)(tab, _shown(here), ranks | notes, parse)
            sheet_views.append(replace(page, title=printable(tab)) if page.title == seen.title else page)
        elif tab != seen.contract:
            sheet_views.append(_text_sheet(tab, seen.notes.get(tab, {})))
    return sheet_views


def _text_sheet(tab: str, notes: Mapping[tuple[int, int], str]) -> ShownSheet:
    """A sheet of texts, such as the glossary: a line for each row."""
    title, *lead = _head(notes, ()) or [printable(tab)]
    rows: dict[int, list[str]] = {}
    for (row, _), text in sorted(notes.items()):
        if row >= LEAD_ROWS and text:
            rows.setdefault(row, []).append(printable(text))
    lines = (": ".join(row[:2]) + "".join(f" ({text})" for text in row[2:]) for row in rows.values())
    return ShownSheet(tab, title, tuple(lead), (), (), tuple(lines))


def lanes(seen: OpenWorkbook) -> dict[str, str]:
    """The sentence of each context."""
    contexts = seen.manifest.contexts
    cells = {context: seen.matrices.get(of_context(context)["Sentence"]) for context in contexts}
    return {context: m.text(m.grid[0][0]) if m else context for context, m in cells.items()}


def _shown(matrices: Iterable[Matrix]) -> list[Matrix]:
    """Omit indices, words that are row labels, and ranges inside another range or with the same cells."""
    matrices = list(matrices)
    words = {m.rows_from for m in matrices if last(m.rows_from) == "Tokens"}
    kept: list[Matrix] = []
    for one in sorted(matrices, key=lambda m: (-m.shape[0] * m.shape[1], len(m.name))):
        if one.step in INDICES or one.name in LABELLING or one.name in words:
            continue
        if not any(other.area.covers(one.area) for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda m: (m.area.row, m.area.col))


def _page(tab: str, here: Sequence[Matrix], notes: Mapping[tuple[int, int], str], parse: Parse) -> ShownSheet:
    bands: dict[int, list[Matrix]] = {}
    single = {m.name for m in here if m.shape == (1, 1)} - _ends_of_rows(here)
    for matrix in here:
        if matrix.name not in single:
            bands.setdefault(matrix.area.row, []).append(matrix)
    steps: list[StepView] = []
    rows: list[int] = []
    for row, band in bands.items():
        figures = _figures(band, notes, parse)
        title, *texts = _above(notes, row) or [_heading(band[0], parse) if steps else ""]
        stacked = _stacked(steps[-1].figures, figures) if steps else None
        if stacked:
            steps[-1] = replace(steps[-1], figures=stacked)
            continue
        if steps and steps[-1].title == title:  # further rows of one table
            steps[-1] = replace(steps[-1], figures=(*steps[-1].figures, *figures))
            continue
        same = next((i for i, step in enumerate(steps) if _same_step(step.figures, figures, parse)), None)
        if same is not None:
            steps[same] = replace(steps[same], figures=(*steps[same].figures, *figures))
            continue
        names = {parse(m.name).block for m in band}
        steps.append(StepView(title, tuple(text for text in texts if text not in names), figures))
        rows.append(row)
    title, *lead = _head(notes, here) or [printable(tab)]
    facts = tuple(m for m in here if m.name in single and m.step not in HEADINGS)
    if steps:
        steps = _with_facts(steps, rows, [m for m in facts if m.area.row > rows[0]], _Blocks(here, notes))
        facts = tuple(m for m in facts if m.area.row <= rows[0])
    shown = {title, *lead, *(text for step in steps for text in (step.title, *step.notes))}
    tries_title, tries = _tries(notes)
    long_texts = (printable(notes[cell]) for cell in sorted(notes))
    others = (text for text in long_texts if IS_SENTENCE.match(text) and not QUESTION.match(text))
    closing = tuple(text for text in dict.fromkeys(others) if text not in shown and text[-1] != "}")
    return ShownSheet(tab, title, tuple(lead), facts, tuple(steps), closing, tries_title, tries)


def _ends_of_rows(here: Sequence[Matrix]) -> set[str]:
    """Single cells right after a row of numbers, such as its cosine."""
    rows = [m.area for m in here if m.area.rows == 1 < m.area.cols]
    ends = {(area.row, area.col + area.cols) for area in rows}
    return {m.name for m in here if m.shape == (1, 1) and (m.area.row, m.area.col) in ends}


class _Blocks:
    """The blocks of rows of a sheet between empty rows."""

    def __init__(self, here: Sequence[Matrix], notes: Mapping[tuple[int, int], str]) -> None:
        self.notes = notes
        self.values = {m.area.row + i for m in here for i in range(m.area.rows)}
        self.rows = self.values | {row for row, _ in notes}

    def heading(self, row: int) -> tuple[int, list[str]]:
        """The first row of the block around a row, and the texts above its first value."""
        top = row
        while top - 1 in self.rows:
            top -= 1
        lines = range(top, min((line for line in self.values if line >= top), default=top))
        texts = (_first(self.notes, line) for line in lines)
        return top, [text for text in texts if _is_text(text)]


def _with_facts(
    steps: Sequence[StepView], rows: Sequence[int], facts: Iterable[Matrix], blocks: _Blocks
) -> list[StepView]:
    """The steps with the single values between them, which have a heading of their own or the one before."""
    views = dict(zip(rows, steps, strict=True))
    titles = {step.title for step in steps}
    for fact in facts:
        row, texts = blocks.heading(fact.area.row)
        if row not in views and (not texts or texts[0] in titles):
            row = max(line for line in views if line <= fact.area.row)
        elif row not in views:
            views[row] = StepView(texts[0], tuple(texts[1:]), ())
        views[row] = replace(views[row], facts=(*views[row].facts, fact))
    return [views[row] for row in sorted(views)]


def _first_screen(
    tab: str, here: Sequence[Matrix], notes: Mapping[tuple[int, int], str], parse: Parse
) -> ShownSheet:
    """The first screen: for each sentence its words, their results, and the texts about them."""
    bands: dict[str, dict[int, list[Matrix]]] = {}
    for matrix in here:
        if (lane := parse(matrix.name).context) and matrix.step not in NOT_ON_FIRST_SCREEN:
            bands.setdefault(lane, {}).setdefault(matrix.area.row, []).append(matrix)
    figures: tuple[Figure, ...] = ()
    for band in (band for rows in bands.values() for band in rows.values()):
        more = _figures(band, {}, parse, wide=True)
        figures = _stacked(figures, more) or (*figures, *more)
    title, *lead = _head(notes, here)
    chips = [" ".join(printable(notes[at]).split()) for at in sorted(notes) if CHIP.match(notes[at])]
    facts = tuple(m for m in here if not parse(m.name).context)  # the second chip may be among them
    lead += [" · ".join(chips[:-1])] if len(chips) > 1 else []
    return ShownSheet(tab, title, tuple(lead), facts, (StepView("", (), figures),), tuple(chips[-1:]))


def _head(notes: Mapping[tuple[int, int], str], here: Sequence[Matrix]) -> list[str]:
    """The title of a sheet and its lead, without the labels of single values."""
    labels = {m.label for m in here}
    texts = {at: text for at, text in notes.items() if printable(text).rstrip(LABEL_ENDS) not in labels}
    return [text for line in range(LEAD_ROWS) if (text := _first(texts, line))]


def _tries(notes: Mapping[tuple[int, int], str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The heading of the experiments, and each question with its answer."""
    texts = [printable(notes[cell]) for cell in sorted(notes)]
    places = [i for i, text in enumerate(texts) if QUESTION.match(text)]
    title = texts[places[0] - 1] if places and places[0] else ""
    title = "" if IS_SENTENCE.match(title) else title
    answers = [texts[i + 1] if i + 1 < len(texts) and ANSWER.match(texts[i + 1]) else "" for i in places]
    return title, tuple((texts[i], answer.strip()) for i, answer in zip(places, answers, strict=True))


def _is_text(text: str) -> bool:
    """False for formulas, which may be on several lines, and for blanks."""
    return bool(text.strip()) and text[0] not in "{=" and text[-1] != "}"


def _first(notes: Mapping[tuple[int, int], str], row: int) -> str:
    """The first text of a row, or ""."""
    return next((printable(text) for (line, _), text in sorted(notes.items()) if line == row), "")


def _above(notes: Mapping[tuple[int, int], str], row: int) -> list[str]:
    """The texts in the rows right above a band and its labels, up to an empty row.

    Formulas, which may be on several lines, are left out.
    """
    text_rows = {r for r, _ in notes if r < row - 1}
    top = row - 1
    while top - 1 in text_rows:
        top -= 1
    cells = sorted(cell for cell in notes if top <= cell[0] < row - 1 and notes[cell][:1] not in ("{", "="))
    left = min((col for _, col in cells), default=0)
    return [printable(notes[cell]) for cell in cells if cell[1] == left and _is_text(notes[cell])]


def _heading(matrix: Matrix, parse: Parse) -> str:
    """A heading for a band without one: the range's name without sheet and context."""
    return " ".join(parse(matrix.name).at(sheet="", context="").parts)


def _same_step(before: Sequence[Figure], more: Sequence[Figure], parse: Parse) -> bool:
    """True if figures show the same step for another sentence, as in stacked lanes."""
    one = more[0]
    others = [figure for figure in before if "" != figure.lane != one.lane != ""]
    return any(_heading(one.main, parse) == _heading(other.main, parse) for other in others)


def _figures(
    band: Sequence[Matrix], notes: Mapping[tuple[int, int], str], parse: Parse, *, wide: bool = False
) -> tuple[Figure, ...]:
    """Figures from left to right; a single column joins the matrix on its left in the same lane.

    Args:
        band: the matrices of a band of rows.
        notes: the texts of the sheet, for the label of a single row.
        parse: the parser of range names.
        wide: whether matrices of any width join.
    """
    figures: list[Figure] = []
    for matrix in band:
        lane, area = parse(matrix.name).context, matrix.area
        before = figures[-1] if figures else None
        beside = before and before.lane == lane and before.main.shape[0] == matrix.shape[0]
        if before and beside and (wide or area.cols == 1):
            figures[-1] = replace(before, sides=(*before.sides, matrix))
        else:
            label = printable(notes.get((area.row, area.col - 1), "")) if area.rows == 1 else ""
            figures.append(Figure(matrix, (), lane, label=label or (figures[0].label if figures else "")))
    return tuple(figures)


def _stacked(before: Sequence[Figure], more: Sequence[Figure]) -> tuple[Figure, ...] | None:
    """Figures with further rows right below them in the same columns; None if they do not belong there."""
    figures = list(before)
    for row in more:
        place = next((i for i, figure in enumerate(before) if _is_below(figure, row)), None)
        if place is None:
            return None
        figures[place] = replace(figures[place], below=(*figures[place].below, row))
    return tuple(figures)


def _is_below(above: Figure, figure: Figure) -> bool:
    over, area = (above.below or (above,))[-1].main.area, figure.main.area
    same_columns = (over.col, over.cols) == (area.col, area.cols)
    sides = [m.area.col for m in figure.sides]  # a sum may have none of the sides of its terms
    same_sides = [m.area.col for m in above.sides][: len(sides)] == sides
    single_row = area.rows == 1 < area.cols
    return single_row and over.row + over.rows == area.row and same_columns and same_sides
