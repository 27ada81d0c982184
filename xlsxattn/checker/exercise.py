"""Exercises: whether answers are right, and the expected values of marks and of ranges that read answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from xlsxattn.checker.answer_cells import formula_cells_of, regions
from xlsxattn.checker.cells import CellError, listed
from xlsxattn.checker.compare import decidable, must_be_blank, tolerance
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reference.attention import Expected
from xlsxattn.checker.reference.choices import ANYTHING, OneOf
from xlsxattn.contract import exercise as texts
from xlsxattn.contract.exercise import Region, answered, mark_of, region, units
from xlsxattn.contract.names import START
from xlsxattn.contract.values import GOOD
from xlsxattn.language import ENGLISH, codes, language, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from xlsxattn.checker.cells import Value, Values
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.contract.exercise import Exercise

State = Literal["right", "wrong", "open"]
NEAR = 0.1
"""Within this fraction of the tolerance's limit either mark is accepted, as formulas differ in rounding."""
NEARER = 1e-9
"""Exact answers are within this fraction of the magnitude, even if rounding errors may be larger."""
LARGE = 1e6
"""Above this magnitude, rounding errors are relative to it."""
OVERFLOWS = 700.0
"""Scores above this may overflow in exp, so that even a right formula fails."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A range to compute, and the reader's answer to it.

    Attributes:
        name: the range.
        state: whether it is right, wrong or open.
        wrong: the wrong cells: row, column, the reader's value, the expected value.
    """

    name: str
    state: State
    wrong: tuple[tuple[int, int, Value, float], ...] = ()


def typed_in(book: Book, values: Values, engine: str) -> dict[str, NDArray[np.float64]]:
    """The complete answers, with NaN in the cells that need not be computed."""
    answers = {}
    for name, cells in regions(book).items():
        grid = _numbers(listed(values[name]), engine)
        if all(isinstance(grid[i][j], float) for i, j in _cells(cells)):
            answer = np.full((len(grid), len(grid[0])), np.nan)
            for i, j in _cells(cells):
                answer[i, j] = grid[i][j]
            answers[name] = answer
    return answers


def checked_answers(
    book: Book, values: Values, wanted: Mapping[str, Expected], engine: str, *, perturbed: bool = False
) -> tuple[dict[str, Expected], tuple[Answer, ...]]:
    """The expected values of all ranges of an exercise, and the checked answers.

    Args:
        book: the workbook.
        values: the values of an engine.
        wanted: the reference, computed from the inputs and the complete answers.
        engine: the engine.
        perturbed: whether the inputs differ from those in the file, so that only formulas are checked.
    """
    asked = book.manifest.exercise
    assert asked is not None
    complete = typed_in(book, values, engine)
    answers = [
        _AnswerCheck(book, asked, name, values, wanted[name], engine, {*complete})
        for name in regions(book)
        if wanted[name].values.shape == (book.names[name].rows, book.names[name].cols)
    ]
    adapted = dict(wanted)
    unanswered, doubtful = asked.answers.keys() - complete.keys(), {a.name for a in answers if not a.exact}
    for _ in asked.answers:  # exact answers may be computed from inexact ones
        doubtful |= {name for name in asked.answers if book.reads.get(name, frozenset()) & doubtful}
    for one in answers:
        one.follow(doubtful)
    for name, sources in book.reads.items():
        if name in adapted and sources & unanswered:
            adapted[name] = _waiting(adapted[name])
        elif name in adapted and sources & doubtful:
            adapted[name] = _anything(adapted[name])
    marks: dict[str, Expected] = {}
    for one in answers:
        adapted[one.name] = _within(adapted[one.name], one.cells)
        adapted[answered(one.name)] = _constant(float(one.name in complete))
        if asked.marks:
            marks[one.name] = adapted[mark_of(one.name)] = one.marks()
    if asked.marks:
        adapted[START[texts.PROGRESS]] = _progress(asked, marks)
    if perturbed:
        return adapted, tuple(one.answer(complete=True) for one in answers if one.is_fair)
    return adapted, tuple(one.answer(complete=one.name in complete) for one in answers)


def both(first: Sequence[Answer], more: Sequence[Answer]) -> tuple[Answer, ...]:
    """The answers for the inputs in the file; those that are wrong for other inputs count as wrong."""
    wrong = {answer.name for answer in more if answer.state == "wrong"}
    return tuple(replace(a, state="wrong") if a.state == "right" and a.name in wrong else a for a in first)


def wrong_answers(book: Book, answers: Sequence[Answer]) -> Iterator[Finding]:
    """One finding for each wrong answer."""
    for answer in answers:
        if answer.state == "wrong" and answer.wrong:
            i, j, value, right = answer.wrong[0]
            area = book.names[answer.name]
            yield Finding(
                Kind.WRONG_ANSWER,
                answer.name,
                area.address(i, j),
                found=str(value) if isinstance(value, bool | CellError) else value,
                expected=right,
                formula=book.formula_at(area.sheet, area.row + i, area.col + j),
                more=len(answer.wrong) - 1,
            )


class _AnswerCheck:
    """Checks one answer: its expected marks, and whether it is right."""

    def __init__(
        self, book: Book, asked: Exercise, name: str, values: Values, wanted: Expected, engine: str,
        complete: set[str],
    ) -> None:  # fmt: skip
        area = book.names[name]
        self.name, self.cells = name, region(asked.answers[name], area.rows, area.cols)
        self._asked, self._wanted, self._engine = asked, wanted, engine
        self._written = listed(values[name])
        self._values = _numbers(self._written, engine)
        self._open = name not in complete
        self._reads = book.reads.get(name, frozenset())
        self._waits = not self._reads <= complete
        self._is_trained, self._blind = book.manifest.parse(name).sheet in book.manifest.trainings, False
        self._shown = listed(values[mark_of(name)]) if mark_of(name) in book.names else None
        self._sure = decidable(wanted, engine)
        self._formulas = formula_cells_of(book, area)
        self._first = {
            at for at in self._formulas if (area.sheet, area.row + at[0], area.col + at[1]) in book.formulas
        }
        self._tell = _translator(book)

    def follow(self, doubtful: set[str]) -> None:
        """Take into account that the answer may be computed from inexact ones.

        The reference of a training computes all steps at once; in that case, the mark in the file decides.
        """
        self._blind = self._is_trained and bool(self._reads & doubtful)
        self._sure = self._sure and not self._blind

    @property
    def exact(self) -> bool:
        """Whether the numbers are those of the reference."""
        allowed = min(tolerance(self._wanted, self._engine), NEARER * self._wanted.magnitude)
        return self._open or all(self._apart(i, j) <= allowed for i, j in _cells(self.cells))

    def answer(self, *, complete: bool) -> Answer:
        """The reader's answer."""
        wrong = []
        for i, j in _cells(self.cells):
            if self._verdict(i, j) != texts.RIGHT:
                wrong.append((i, j, self._written[i][j], self._expected(i, j)))
        state: State = "right" if not wrong else "wrong" if complete and not self._waits else "open"
        return Answer(self.name, state, tuple(wrong))

    @property
    def is_fair(self) -> bool:
        """Whether the answer consists of formulas that must also hold for other inputs, without overflow."""
        formulas = all(at in self._formulas for at in _cells(self.cells))
        return formulas and not self._waits and self._wanted.amplification < OVERFLOWS

    def marks(self) -> Expected:
        """The marks, each with all acceptable texts."""
        marks = np.full(self._wanted.values.shape, np.nan, dtype=object)
        blank = all(self._values[i][j] is None for i, j in _cells(self.cells))
        for i, j in _cells(self.cells):
            accepted = [self._tell(say(text)) for text in self._acceptable(i, j, blank=blank)]
            marks[i, j] = accepted[0] if len(accepted) == 1 else OneOf(tuple(accepted))
        return Expected(marks, "text")

    def _acceptable(self, i: int, j: int, *, blank: bool) -> list[str]:
        value = self._values[i][j]
        if value is None:
            return [texts.EMPTY if blank else texts.BLANK]
        if isinstance(value, CellError):
            return [texts.ERROR]
        is_logical = isinstance(self._written[i][j], bool)  # TRUE is a number in LibreOffice only
        if not isinstance(value, float):
            return [texts.NO_NUMBER]
        accepted = [texts.NO_NUMBER, texts.NO_FORMULA] if is_logical else []
        if self._waits:
            return [texts.WAITING, *accepted]
        formula, beside = (i, j) in self._formulas, self._beside(i, j)
        if self._asked.ask == "formula":
            if not formula or (i, j) not in self._first:
                accepted.append(texts.NO_FORMULA)
            if not formula and not beside:
                return [*dict.fromkeys([texts.NO_FORMULA, *accepted])]
        ways = {formula, beside or formula, formula and (i, j) in self._first}
        for allowed in {self._allowed(i, j, formula=way) for way in ways}:
            accepted += self._near(i, j, allowed)
        return [*dict.fromkeys([*accepted[-1:], *accepted])]

    def _near(self, i: int, j: int, allowed: float) -> list[str]:
        """The acceptable marks of a number at this tolerance."""
        apart, magnitude = self._apart(i, j), self._wanted.magnitude
        if not self._sure or (magnitude > LARGE and apart <= texts.TOLERANCE * magnitude + allowed):
            return [texts.NOT_YET, texts.RIGHT]
        if not apart <= allowed * (1 + NEAR):
            return [texts.NOT_YET]
        return [texts.RIGHT] if apart <= allowed * (1 - NEAR) else [texts.NOT_YET, texts.RIGHT]

    def _verdict(self, i: int, j: int) -> str:
        """The mark without rounding errors."""
        value = self._values[i][j]
        if not isinstance(value, float) or isinstance(self._written[i][j], bool):
            return texts.NO_NUMBER
        formula = (i, j) in self._formulas
        if self._asked.ask == "formula" and not formula:
            return texts.NO_FORMULA
        if self._blind and self._shown:
            return texts.RIGHT if str(self._shown[i][j]).startswith(GOOD) else texts.NOT_YET
        return self._near(i, j, self._allowed(i, j, formula=formula))[-1]

    def _allowed(self, i: int, j: int, *, formula: bool) -> float:
        """The tolerance of a cell."""
        unit = 0.0 if formula or self._asked.ask == "formula" else 10.0**-self._asked.decimals
        return texts.TOLERANCE * (1 + abs(self._expected(i, j))) + unit * units(self.name)

    def _expected(self, i: int, j: int) -> float:
        """The expected value of a cell; NaN if it is not a number."""
        expected = self._wanted.values[i, j]
        return float(expected) if isinstance(expected, float) else np.nan

    def _apart(self, i: int, j: int) -> float:
        value = self._values[i][j]
        return abs(value - self._expected(i, j)) if isinstance(value, float) else np.inf

    def _beside(self, i: int, j: int) -> bool:
        """Whether the mark counts the cell as part of an array formula that starts in another cell."""
        firsts = {(i, self.cells.col), (self.cells.row, j), (self.cells.row, self.cells.col)}
        return bool(firsts & self._formulas)


def _cells(cells: Region) -> Iterator[tuple[int, int]]:
    return ((cells.row + i, cells.col + j) for i, j in np.ndindex(cells.rows, cells.cols))


def _numbers(grid: list[list[Value]], engine: str) -> list[list[Value]]:
    """Values as a mark sees them: in LibreOffice, TRUE is a number."""
    libre = engine == "libreoffice"
    return [[float(v) if libre and isinstance(v, bool) else v for v in row] for row in grid]


def _constant(value: float) -> Expected:
    return Expected(np.array([[value]]), "number")


def _translator(book: Book) -> Callable[[str], str]:
    """Translates texts into the language of a workbook."""
    code = book.manifest.language
    return (language(code) if code in codes() else ENGLISH).tell


def _progress(asked: Exercise, marks: Mapping[str, Expected]) -> Expected:
    """The share of points earned; any value if a mark is undecided."""
    earned = total = 0.0
    for name, wanted in marks.items():
        asked_marks = [mark for mark in wanted.values.ravel() if mark == mark]  # noqa: PLR0124 - not NaN
        undecided = [str(text) for mark in asked_marks if isinstance(mark, OneOf) for text in mark.values]
        if any(text.startswith(GOOD) for text in undecided):
            return Expected(np.array([[ANYTHING]], dtype=object), "number")
        points = asked.points.get(name, 1)
        earned += points * sum(str(mark).startswith(GOOD) for mark in asked_marks) / len(asked_marks)
        total += points
    return _constant(earned / total)


def _waiting(wanted: Expected) -> Expected:
    """The expected values while a range waits for an answer; cells that must be blank stay blank."""
    rows = [[one if must_be_blank(one) else texts.WAITING for one in row] for row in wanted.values.tolist()]
    return Expected(np.array(rows, dtype=object), "text")


def _anything(wanted: Expected) -> Expected:
    """Any values, for a range computed from an inexact answer; its formulas are proved with other inputs."""
    return replace(wanted, values=np.full(wanted.values.shape, ANYTHING, dtype=object))


def _within(wanted: Expected, cells: Region) -> Expected:
    """A range with any values in the cells to compute."""
    values = wanted.values.astype(object)
    for at in _cells(cells):
        values[at] = ANYTHING
    return replace(wanted, values=values)
