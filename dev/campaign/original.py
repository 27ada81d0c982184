"""The original workbook, without a fault, with all inputs that its mutants are tested with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev.campaign.engine import Calculation
from dev.campaign.graph import Graph
from dev.campaign.inputs import random_inputs
from xlsxattn.checker.cells import CellError
from xlsxattn.checker.check import reference
from xlsxattn.checker.compare import compare
from xlsxattn.checker.dependencies import Order
from xlsxattn.checker.perturb import perturbed
from xlsxattn.checker.reading.book import read
from xlsxattn.checker.reading.copies import without_values
from xlsxattn.checker.without_trainings import is_trained, without_trainings
from xlsxattn.contract.kinds import Training

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import TypeAlias

    from xlsxattn.checker.cells import Area, Edits, Grid, Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import Expected

    At: TypeAlias = tuple[str, int, int]
    Values = Mapping[str, Grid]

SAME = 1e-11
"""Allowed rounding error of a value that a mutant computes in another order, relative to its range."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One set of inputs, the values of the original workbook, and the expected values."""

    typed: Mapping[At, Value]
    right: Values
    wanted: Mapping[str, Expected]


class Original:
    """The original workbook.

    Attributes:
        book: the workbook as the check reads it.
        names: its ranges, without those of the manifest.
        whole: the workbook in IronCalc.
        turns: the inputs as saved, those of the check, and random ones.
        own: the number of turns that the check tries.
        rest: of those, the first in which it leaves out the trainings.
        order: the position of each range in the order of the check.
        causes: sorts findings in that order.
        graph: the dependencies of its formulas.
    """

    def __init__(self, path: Path, copy: Path, *, perturb: bool = True) -> None:
        self.book = read(path)
        without_values(read(path), copy, every_name=True)  # a fault may use any of them
        self.whole = Calculation.load(copy, self.book)
        parse = self.book.manifest.parse
        self.names = {n: area for n, area in self.book.names.items() if not parse(n).is_manifest}
        self.turns: list[Turn] = []
        whole, rest = self.edits(self.book, perturb=perturb)
        self.own, self.rest = len(whole) + len(rest), len(whole)
        left = without_trainings(self.book)
        for i, edits in enumerate([*whole, *rest, *random_inputs(self.book)]):
            self.turns.append(self._turn(edits, left if self.rest <= i < self.own else self.book))
        self.causes = Order(self.book)
        self.order = {name: i for i, name in enumerate(self.causes.ranges(self.turns[0].wanted))}
        self.graph = Graph(self.book, [*self.order])
        self._frozen: dict[int, Calculation] = {}
        self._places = {
            at: (name, i // area.cols, i % area.cols)
            for name, area in self.names.items()
            for i, at in enumerate(area.cells())
        }

    def edits(self, book: Book, *, perturb: bool = True) -> tuple[list[Edits], list[Edits]]:
        """The inputs of the check: as saved, then perturbed if no name of an input is missing.

        Then those without trainings, if there are any; they start from the inputs as saved.
        """
        if not (perturb and all(name in book.names for name in book.manifest.inputs)):
            return [{}], []
        whole = [{}, *perturbed(book)]
        if not is_trained(book):
            return whole, []
        first, *others = perturbed(without_trainings(book))
        saved = {at: "" if value is None else value for at, value in self.as_saved().items()}
        return whole, [{**saved, **first}, *others]

    def as_saved(self) -> dict[At, Value]:
        """The values of the inputs in the file."""
        cells = {at for name in self.book.manifest.inputs for at in self.book.names[name].cells()}
        return {at: self.book.typed.get(at) for at in cells if at not in self.book.formulas}

    def _turn(self, edits: Edits, book: Book) -> Turn:
        """Enter inputs after those of the last turn, and verify the values of the original workbook."""
        typed = {**(self.turns[-1].typed if self.turns else self.as_saved()), **edits}
        self.whole.type(typed)
        right = self.whole.settled(self.names)
        wanted = reference(book, right)
        wrong = [f for _, found in compare(wanted, self.names, right, "ironcalc") for f in found]
        assert not wrong, wrong[0]
        return Turn(typed, right, wanted)

    def is_trained(self, names: Iterable[str]) -> bool:
        """Whether some of the ranges are a training's, whose later steps are proved from the ones before."""
        trained = {sheet.id for sheet in self.book.manifest.sheets if sheet.is_a(Training)}
        return any(self.book.manifest.parse(name).sheet in trained for name in names)

    def same(self, turn: int, one: Area, other: Area) -> bool:
        """Whether two areas of named cells have the same shape and values with the inputs of a turn."""
        if (one.rows, one.cols) != (other.rows, other.cols):
            return False
        pairs = [pair for pair in zip(one.cells(), other.cells(), strict=True) if pair[0] != pair[1]]
        if any(at not in self._places for pair in pairs for at in pair):
            return False
        return all(self._value(turn, first) == self._value(turn, second) for first, second in pairs)

    def _value(self, turn: int, at: At) -> Value:
        name, i, j = self._places[at]
        return self.turns[turn].right[name][i][j]

    def frozen(self, turn: int) -> Calculation:
        """The workbook with the inputs of a turn and with values instead of formulas."""
        if turn not in self._frozen:
            self.whole.type(self.turns[turn].typed)
            self._frozen[turn] = self.whole.frozen(self.turns[turn].right)
        return self._frozen[turn]


def different(values: Values, right: Values, *, exactly: bool = False) -> str:
    """The first range whose values differ from the original by more than rounding, or at all if `exactly`."""
    for name in values:
        if values[name] == right[name]:
            continue
        if exactly:
            return name
        grid = right[name]
        numbers = [abs(v) for row in grid for v in row if isinstance(v, float) and abs(v) < 1e290]
        allowed = SAME * max([1.0, *numbers])
        for row, wanted in zip(values[name], grid, strict=True):
            if any(not _alike(a, b, allowed) for a, b in zip(row, wanted, strict=True)):
                return name
    return ""


def _alike(a: Value, b: Value, allowed: float) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= allowed
    if isinstance(a, str) and isinstance(b, str) and a[:1] in ("✓", "✗", "–"):
        return a[:1] == b[:1]
    return (a or "") == (b or "") and isinstance(a, CellError) == isinstance(b, CellError)
