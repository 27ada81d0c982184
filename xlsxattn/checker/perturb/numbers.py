"""Numbers: within their limits, increasing, zero, below zero, or positions of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.perturb.sentences import focused
from xlsxattn.contract.kinds import Model, Training
from xlsxattn.contract.names import WORDS, RangeName, is_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from xlsxattn.checker.cells import At, Edits
    from xlsxattn.checker.reading.book import Book

SEED = 20_170_612  # the day of the paper
MAX_ABS = 2.0
DECIMALS = 3
SENSIBLE = {
    "Epsilon": (0.01, 1.0),
    "Base": (2.0, 1000.0),
    "Temperature": (0.5, 2.0),
    "Stretch": (1.0, 16.0),
    "Low": (0.1, 1.0),
    "High": (1.5, 8.0),
    "Trained": (8.0, 64.0),
    "Layer": (0.0, 9.0),
    "Head": (0.0, 13.0),
    "LearningRate": (0.005, 0.05),
    "WeightDecay": (0.01, 0.1),
    "Momentum": (0.3, 0.9),
    "Beta1": (0.5, 0.95),
    "Beta2": (0.6, 0.99),
    "Step": (0.0, 9.0),
    "CheckRow": (0.0, 6.0),
    "CheckCol": (0.0, 6.0),
    "CheckH": (0.001, 0.05),
    "CellRow": (0.0, 7.0),
    "CellCol": (0.0, 7.0),
}
"""Ranges for scalar inputs that must be positive and large enough to matter, such as ε, for the head to show,
and for a training that makes progress without saturating its attention."""
MAX_START = 0.5
"""Start weights of trainings are smaller: saturated attention has no gradient."""
BELOW_ZERO, SMALL = -1.0, 0.1
AS_FOUR_ROWS = 4
"""Weights of models are scaled as if they had this many rows, so that scores stay decidable."""
WIDE = 16
"""Embeddings with more columns are scaled down, as otherwise every word would attend only to itself."""
POSITIONS: tuple[float | str, ...] = (0.0, 1.5, 99.0, "")
"""Positions of words: before the first one, a fraction, after the last one, and none."""


def limits_of(book: Book) -> dict[At, tuple[float, float]]:
    """The limits of each numeric input; if several names cover a cell, those of the first."""
    models = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Model)]
    trainings = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Training)]
    found: dict[At, tuple[float, float]] = {}
    for name in book.manifest.inputs:
        if is_text(name):
            continue
        area, at = book.names[name], book.manifest.parse(name)
        largest = MAX_ABS
        if at.sheet in models and at.is_matrix and area.rows > AS_FOUR_ROWS:
            largest *= (AS_FOUR_ROWS / area.rows) ** 0.5
        if name == WORDS["E"] and area.cols > WIDE:
            largest *= (AS_FOUR_ROWS / area.cols) ** 0.5
        if at.sheet in trainings and at.is_matrix:
            largest = min(largest, MAX_START)
        limits = SENSIBLE.get(at.block, (-largest, largest))
        for cell in numbers_of(book, name):
            found.setdefault(cell, limits)
    return found


class Numbers:
    """Draws numbers for all numeric inputs, with a fixed seed.

    Small numbers keep scores decidable when these are divided by the minimum temperature.
    """

    def __init__(self, limits: dict[At, tuple[float, float]]) -> None:
        self._cells = list(limits)
        self._low, self._high = np.array(list(limits.values())).reshape(-1, 2).T
        self._rng = np.random.default_rng(SEED)

    def drawn(self, *, small: bool = False) -> dict[At, float | str]:
        """Numbers uniformly distributed within their limits."""
        drawn = self._rng.uniform(*self._limits(small=small)).round(DECIMALS)
        return dict(zip(self._cells, drawn.tolist(), strict=True))

    def growing(self, *, small: bool = False) -> dict[At, float | str]:
        """Positive, increasing numbers: each word has larger components than the one before.

        Then every word attends most to the last one, which is in focus. Otherwise, a formula that ignores a
        causal mask might never find a larger weight than the mask allows.
        """
        low, high = self._limits(small=small)
        low = np.maximum(low, 0)
        drawn = low + np.sort(self._rng.uniform(0, 1, len(low))) * (high - low)
        return dict(zip(self._cells, drawn.tolist(), strict=True))

    def _limits(self, *, small: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        by = np.where(self._low < 0, SMALL, 1.0) if small else 1.0
        return self._low * by, self._high * by


def sparse(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Inputs that are zero except for their last column, and all-zero inputs of some sheets in turn.

    Any two sheets differ in at least one turn, which reveals a test for zero that reads the wrong range, or
    only a part of the right one. Every word is the last of the vocabulary, which a lookup that is one row
    short misses.
    """
    places = {name: book.manifest.parse(name) for name in book.manifest.inputs if not is_text(name)}
    numbers = {name: at.sheet for name, at in places.items() if at.block not in SENSIBLE}
    sheets = [s.id for s in book.manifest.sheets if s.id in numbers.values()]
    words = {at: vocabulary[-1] for sentence in sentences for at in sentence}
    for turn in range(len(sheets).bit_length() + 1):
        zeros: dict[At, float | str] = {}
        for name, owner in numbers.items():
            none = bool(turn and owner in sheets and (sheets.index(owner) + 1) >> (turn - 1) & 1)
            area = book.names[name]
            last = area.col + area.cols - 1
            zeros |= {at: 0.0 for at in numbers_of(book, name) if none or at[2] < last}
        yield words | zeros | focused(book, vocabulary[-1])


def below_zero(book: Book) -> dict[At, float | str]:
    """Temperatures of attention sheets below zero, which are treated as the minimum."""
    sheets = [sheet.id for sheet in book.manifest.sheets if not sheet.is_a(Model)]
    names = {RangeName(s)["Temperature"] for s in sheets}
    return {
        at: BELOW_ZERO for name in book.manifest.inputs if name in names for at in book.names[name].cells()
    }


def typed_positions(book: Book) -> Iterator[dict[At, float | str]]:
    """Positions of words beyond the sentence, fractions and blanks: each one once in every such input.

    In a set, the row and the column of a score differ, and so do those of successive sentences.
    """
    blocks = {name: book.manifest.parse(name).block for name in book.manifest.inputs}
    places = [name for name, block in blocks.items() if block in ("CellRow", "CellCol")]
    for turn in range(len(POSITIONS) if places else 0):
        typed: dict[At, float | str] = {}
        for k, name in enumerate(places, turn):
            typed |= dict.fromkeys(book.names[name].cells(), POSITIONS[k % len(POSITIONS)])
        yield typed


def numbers_of(book: Book, name: str) -> Iterator[At]:
    """The cells of a numeric input; a sample of a large block."""
    return book.blocks.sample(name) if name in book.blocks else book.names[name].cells()
