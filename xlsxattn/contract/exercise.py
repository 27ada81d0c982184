"""Exercises: names, texts and tolerances that builder and checker share (see docs/contract.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from xlsxattn.contract.names import parse, part_of
from xlsxattn.contract.values import MAX_DECIMALS, Ask

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRESS = "Progress"
"""The last part of the name of the cell with the share of points that are earned."""

EMPTY, WAITING = "", "–"
BLANK = "– blank"
ERROR = "✗ error"
NO_NUMBER = "✗ no number"
NO_FORMULA = "✗ no formula"
RIGHT = "✓ right"
NOT_YET = "✗ not yet"
"""The texts of a mark; a range that waits for an answer shows `WAITING` in every cell."""

TOLERANCE = 1e-6
"""Allowed distance from the right value r, times 1 + |r|."""
SUMS = ("Output", "MultiHead", "FeedForward")
"""Blocks of sums of many typed numbers, which may be off by two units of the last decimal."""


def units(name: str) -> int:
    """Units of the last decimal by which a typed number may differ."""
    place = parse(name)
    return 2 if place.quantity in SUMS or place.is_update else 1


def region_of(name: str) -> str:
    """The name of the cells of a range to compute."""
    return part_of(name, "Answer")


def answered(name: str) -> str:
    """The name of the cell that is 1 if the answer is complete."""
    return part_of(name, "Answered")


def mark_of(name: str) -> str:
    """The name of the marks of an answer."""
    return part_of(name, "Mark")


@dataclass(frozen=True, slots=True)
class Region:
    """Cells of a range: first row and column, from 0, and the numbers of rows and columns."""

    row: int
    col: int
    rows: int
    cols: int

    def holds(self, row: int, col: int) -> bool:
        """Whether a cell is one of them."""
        return 0 <= row - self.row < self.rows and 0 <= col - self.col < self.cols

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.rows * self.cols


def region(place: tuple[int, ...], rows: int, cols: int) -> Region:
    """The region of a range: () all of it, (i,) a row, (i, j) a cell, counted from 1.

    >>> region((3,), 5, 4)
    Region(row=2, col=0, rows=1, cols=4)
    """
    if not place:
        return Region(0, 0, rows, cols)
    row, *col = place
    return Region(row - 1, col[0] - 1, 1, 1) if col else Region(row - 1, 0, 1, cols)


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise, as stored in ``xlsxattn_Exercise``.

    Attributes:
        answers: the ranges to compute, in the order of the workbook, each with its place: () for all
            of it, (i,) for a row, (i, j) for a cell, counted from 1.
        ask: what is to be typed: formula, number or either.
        decimals: decimals of typed numbers.
        points: points of a range, 1 if absent.
        hints: whether there are hints.
        marks: whether answers are marked in the workbook.
    """

    answers: Mapping[str, tuple[int, ...]]
    ask: Ask = "formula"
    decimals: int = 2
    points: Mapping[str, int] = field(default_factory=dict)
    hints: bool = True
    marks: bool = True

    def data(self) -> dict[str, Any]:
        """The exercise as JSON values.

        >>> Exercise({"attn_cat_Scores": (3, 1)}).data()["answers"]
        {'attn_cat_Scores': [3, 1]}
        """
        answers = {name: list(place) or None for name, place in self.answers.items()}
        return {
            "ask": self.ask,
            "decimals": self.decimals,
            "marks": self.marks,
            "hints": self.hints,
            "answers": answers,
            "points": dict(self.points),
        }


def parsed(data: Mapping[str, Any]) -> Exercise:
    """The exercise from untrusted JSON values.

    Raises:
        ValueError, TypeError, KeyError: the values are not those of an exercise.
    """
    answers = {name: tuple(map(int, place or ())) for name, place in dict(data["answers"]).items()}
    points = {name: int(n) for name, n in dict(data["points"]).items()}
    fits = answers and all(
        len(place) in (0, 1, 2) and min(place, default=1) > 0 for place in answers.values()
    )
    if not fits or data["ask"] not in get_args(Ask) or min(points.values(), default=1) < 1:
        raise ValueError(data)
    if not 0 <= int(data["decimals"]) <= MAX_DECIMALS:
        raise ValueError(data)
    marks, hints = (bool(data[key]) for key in ("marks", "hints"))
    return Exercise(answers, data["ask"], int(data["decimals"]), points, hints, marks)
