"""The first finding of the check in a mutant with given inputs, and whether any of its values differs.

Broken cells are entered into a copy in which all other formulas are frozen to their values without the fault.
If nothing that the new formulas read depends on the cells that they replace, they have the same values there
as in the workbook. The check examines each range after those that it depends on, so its first finding is in
the broken range or after it. If the fault is a circular reference, if the order is different, or if the
check overlooks the difference there, the whole workbook is calculated, and all ranges that depend on the
broken one are examined; the others are unchanged. Differences as small as rounding errors do not count.
Nothing is calculated with inputs for which the new formulas read the same values as the old ones.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from dev.campaign.formulas import address, operands, put
from dev.campaign.mutants import mutated
from dev.campaign.original import different
from xlsxattn.checker.check import prove
from xlsxattn.checker.compare import compare
from xlsxattn.checker.reading.book import Formula
from xlsxattn.checker.without_trainings import without_trainings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dev.campaign.mutants import Mutant
    from dev.campaign.original import At, Original, Turn, Values
    from xlsxattn.checker.cells import Area, Grid, Value
    from xlsxattn.checker.findings import Finding
    from xlsxattn.checker.reading.book import Book


def _first(
    original: Original, turn: Turn, names: Mapping[str, Area], values: Values, only: Iterable[str]
) -> Finding | None:
    """The first finding in these ranges, in the order of the check, if the inputs are right."""
    wanted = {name: turn.wanted[name] for name in only if name in turn.wanted}
    every = (f for _, found in compare(wanted, names, values, "ironcalc") for f in found)
    if original.causes.written:
        return next(iter(original.causes.findings([*every])), None)
    return next(every, None)


def _replaced(original: Original, mutant: Mutant) -> list[tuple[Area, Area]] | None:
    """The areas that new formulas read in place of others; None if this is not the only difference."""
    book, replaced = original.book, []
    for at, new in mutant.cells.items():
        old = book.formulas.get(at)
        if not isinstance(new, Formula) or old is None or old.area != new.area or PLACES.search(new.text):
            return None
        was, now = (operands(book, f.text, at[0]) for f in (old, new))
        if put(old.text, was, "") != put(new.text, now, ""):
            return None
        replaced += [(a.area, b.area) for a, b in zip(was, now, strict=True) if a.area != b.area]
    return replaced


def _proved(book: Book, values: Values) -> Finding | None:
    """The first finding where the reference follows the workbook's values, as in the steps of a training."""
    findings = prove(book, "ironcalc", values).findings
    return findings[0] if findings else None


PLACES = re.compile(r"\b(ROW|COLUMN|INDEX)\(")
"""Functions whose results depend on more than the values in an area."""


class Broken:
    """A mutant with broken cells."""

    def __init__(self, original: Original, mutant: Mutant) -> None:
        graph = original.graph
        self._original, self._mutant = original, mutant
        (self._name,) = mutant.ranges
        broken = {graph.owner[at] for at in mutant.cells if at in graph.owner}
        blocks = [graph.all[i] for i in broken]
        self._over = {(f.area.sheet, f.area.row, f.area.col): f for f in blocks}
        self._new = [new for new in mutant.cells.values() if isinstance(new, Formula)]
        self._reached = {name: original.names[name] for name in [*graph.reached(broken), self._name]}
        in_order = all(graph.first[i] >= original.order[self._name] for i in broken)
        self._alone = in_order and not graph.circular(broken, self._new)
        self._replaced = _replaced(original, mutant)

    @cached_property
    def book(self) -> Book:
        """The workbook as the check reads it."""
        return mutated(self._original.book, self._mutant)

    def found(self, i: int) -> Finding | None:
        """The first finding of the check with the inputs of a turn.

        If the broken range has exactly the right values, so do all ranges that depend on it.
        """
        turn, names = self._original.turns[i], self._original.names
        if self._name not in turn.wanted:
            return None
        if self._alone:
            grid = turn.right[self._name] if self._reads_the_same(i) else self._by_itself(i)
            if own := _first(self._original, turn, names, {self._name: grid}, [self._name]):
                return own
            if not different({self._name: grid}, turn.right):  # only rounding
                return None
        values = self._in_the_whole(turn, self._reached)
        if not different({self._name: values[self._name]}, turn.right, exactly=True):
            return None
        if self._original.is_trained(turn.wanted.keys() & self._reached):
            return _proved(self.book, {**turn.right, **values})
        return _first(self._original, turn, names, values, self._reached)

    def shows(self, i: int) -> str:
        """The range that differs from the original with the inputs of a turn, or ""."""
        turn, own = self._original.turns[i], {self._name: self._original.names[self._name]}
        if self._alone and self._reads_the_same(i):
            return ""
        values = {self._name: self._by_itself(i)} if self._alone else self._in_the_whole(turn, own)
        return different(values, turn.right)

    def _reads_the_same(self, i: int) -> bool:
        """Whether the new formulas read the same values as the old ones with the inputs of a turn."""
        return self._replaced is not None and all(
            self._original.same(i, old, new) for old, new in self._replaced
        )

    def _by_itself(self, i: int) -> Grid:
        outer, right = self._original.names[self._name], self._original.turns[i].right[self._name]
        calculation = self._original.frozen(i)
        with calculation.alone(self._mutant.cells, [f.area for f in self._over.values()], outer, right):
            if len(self._new) > 1:  # they may depend on each other
                return calculation.settled({self._name: outer})[self._name]
            calculation.model.evaluate()
            return calculation.grid(outer)

    def _in_the_whole(self, turn: Turn, names: Mapping[str, Area]) -> dict[str, Grid]:
        whole = self._original.whole
        whole.type(turn.typed)
        with whole.broken(self._mutant.cells, self._over):
            return whole.settled(names)


class Renamed:
    """A mutant with moved or deleted names: formulas that use them read other cells."""

    def __init__(self, original: Original, mutant: Mutant) -> None:
        self._original, self._mutant = original, mutant
        self.book = mutated(original.book, mutant)
        self._names = {name: area for name, area in self.book.names.items() if name in original.names}
        self._over = {
            (f.area.sheet, f.area.row, f.area.col): f
            for i in {i for name in mutant.names for i in original.graph.read_by.get(name, ())}
            if (f := original.graph.all[i])
        }
        self._cells = {at: replace(f, text=self._renamed(f)) for at, f in self._over.items()}
        reached = original.graph.reached(original.graph.owner[at] for at in self._over)
        self._reached = [name for name in original.order if name in {*reached, *mutant.names}]
        self._typed = self._inputs()

    def _renamed(self, formula: Formula) -> str:
        """A formula with addresses for the moved names, and with an unknown name for a deleted one."""
        chosen = [
            op
            for op in operands(self._original.book, formula.text, formula.area.sheet)
            if op.name in self._mutant.names
        ]
        tab = formula.area.sheet
        names = self._mutant.names.items()
        now = {name: address(area, tab) if area else f"{name}_deleted" for name, area in names}
        return put(formula.text, chosen, lambda op: now[op.name])

    def _inputs(self) -> list[Mapping[At, Value]]:
        """The inputs of each turn: the check perturbs the cells that the names of inputs refer to."""
        original = self._original
        every = [turn.typed for turn in original.turns]
        if set(self._mutant.names).isdisjoint(original.book.manifest.inputs):
            return every
        own: list[Mapping[At, Value]] = []
        whole, rest = original.edits(self.book, perturb=original.own > 1)
        for edits in [*whole, *rest]:
            own.append({**(own[-1] if own else original.as_saved()), **edits})
        return own + [{**own[-1], **typed} for typed in every[original.own :]]

    @property
    def _moved_inputs(self) -> bool:
        return not set(self._mutant.names).isdisjoint(self._original.book.manifest.inputs)

    def found(self, i: int) -> Finding | None:
        """The first finding of the check with the inputs of a turn."""
        turn = self._original.turns[i]
        if not self._moved_inputs and self._missed_first():
            return _first(self._original, turn, self._names, {}, self._mutant.names)
        if i and not self._moved_inputs and self._mean_the_same(i):
            return None  # as saved, circular references are found, whatever their values
        values = self._values(i)
        same = len(self._names) == len(self._original.names)
        if same and not different(values, turn.right, exactly=True):
            return None
        if self._moved_inputs:
            left_out = self._original.rest <= i < self._original.own
            return _proved(without_trainings(self.book) if left_out else self.book, values)
        if self._original.is_trained(turn.wanted.keys() & {*self._reached}):
            return _proved(self.book, {**{name: turn.right[name] for name in self._names}, **values})
        return _first(self._original, turn, self._names, values, self._reached)

    def _missed_first(self) -> bool:
        """Whether a name is deleted that the check examines before everything that depends on it."""
        order, first = self._original.order, self._original.graph.first
        readers = [self._original.graph.owner[at] for at in self._over]
        return all(
            area is None and name in order and all(first[i] > order[name] for i in readers)
            for name, area in self._mutant.names.items()
        )

    def _mean_the_same(self, i: int) -> bool:
        """Whether all moved names refer to the same values as before with the inputs of a turn."""
        return all(
            area is not None and self._original.same(i, self._original.names[name], area)
            for name, area in self._mutant.names.items()
        )

    def _values(self, i: int) -> Values:
        whole, turn = self._original.whole, self._original.turns[i]
        every = self._moved_inputs
        shown = {name: area for name, area in self._names.items() if every or name in self._reached}
        if not self._over and not every:
            was = {area: name for name, area in self._original.names.items()}
            return {name: turn.right[was[area]] for name, area in shown.items()}
        whole.type(self._typed[i])
        with whole.broken(self._cells, self._over):
            return whole.settled(shown)

    def shows(self, i: int) -> str:
        """The range of the first finding with the inputs of a turn, or ""."""
        found = self.found(i)
        return found.range if found else ""
