"""Separates findings into causes and consequences."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from openpyxl.utils import coordinate_to_tuple

from xlsxattn.checker.cell_formulas import expected_formulas, expected_values, has_expected_formula
from xlsxattn.checker.dependencies import Order
from xlsxattn.checker.finding_kinds import Effect, Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.locate_ranges import Unnamed, names_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlsxattn.checker.cells import Area, At
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.report import EngineReport

UNREAD = ("#ERROR!", "#N/IMPL!")
"""Errors that only IronCalc shows, for a formula that it cannot parse."""


def traced(
    book: Book, runs: Sequence[EngineReport], findings: Sequence[Finding]
) -> tuple[list[EngineReport], list[Finding]]:
    """The same findings, each with the range that it follows from.

    A range with wrong values follows from a precedent with a fault of its own: a missing name, other cells, a
    constant, another formula. If there is none, the first range with wrong values is itself the cause.

    Args:
        book: the workbook.
        runs: the results of each engine.
        findings: the findings on the file itself.
    """
    if not any(finding.severity == "error" for finding in (*findings, *_all(runs))):
        return [*runs], [*findings]
    causes = _CauseFinder(book, [*findings, *_all(runs)])
    of_file = [causes.resolved(finding, "") for finding in (*findings, *causes.moved())]
    return [
        replace(run, findings=tuple(causes.resolved(finding, run.engine) for finding in run.findings))
        for run in runs
    ], of_file


def _all(runs: Sequence[EngineReport]) -> Iterator[Finding]:
    return (finding for run in runs for finding in run.findings)


class _CauseFinder:
    """Finds the cause of each finding of a workbook."""

    def __init__(self, book: Book, findings: Sequence[Finding]) -> None:
        self._book, self._order = book, Order(book)
        self._astray = next((finding.cell for finding in findings if finding.kind is Kind.ASTRAY_FORMULA), "")
        strays = [_at(finding) for finding in findings if finding.kind is Kind.STRAY_FORMULA]
        unnamed = Unnamed(book, strays)
        self._kinds: dict[str, set[Kind]] = defaultdict(set)
        for finding in findings:
            self._kinds[finding.range].add(finding.kind)
        computed = [name for name in self._kinds if name in book.manifest.formulas]
        lost = (name for name in computed if not has_expected_formula(book, name)) if strays else ()
        self._places = {name: place for name in lost if (place := unnamed.place(name))}
        self._bare = self._without_formulas(findings)
        self._spoilt: set[str] = set()
        self._unread = {f.range for f in findings if str(f.found) in UNREAD}
        self._follows = self._explained(findings)
        self._filled = self._filled_by_spoilt()

    def _without_formulas(self, findings: Sequence[Finding]) -> dict[tuple[str, str], tuple[Area, str]]:
        """Cells that lost their formula: range and cell → the cells of the missing formula, and its text.

        The first cell of each is the cause.
        """
        empty: dict[str, dict[At, Finding]] = defaultdict(dict)
        for finding in findings:
            if finding.kind is Kind.EMPTY and not finding.formula and finding.range in self._book.names:
                empty[finding.range].setdefault(_at(finding), finding)
        bare = {}
        for name in empty.keys() & self._book.manifest.formulas.keys() - self._places.keys():
            for cells, spelled in expected_formulas(self._book, name):
                first = next((empty[name][at] for at in cells.cells() if at in empty[name]), None)
                if first and not any(at in self._book.typed for at in cells.cells()):
                    bare[name, first.cell] = cells, spelled
        return bare

    def _filled_by_spoilt(self) -> dict[At, str]:
        """Cells that the formulas of a spoilt range fill, inside the range or not."""
        filled = {at: name for name, place in self._places.items() for at in place.cells()}
        for name in self._spoilt & self._book.names.keys() - self._places.keys():
            for at in self._book.names[name].cells():
                formula = self._book.formulas.get(at)
                if formula is not None and formula.array:
                    filled |= {one: name for one in formula.area.cells() if one not in filled}
        return filled

    def _explained(self, findings: Sequence[Finding]) -> dict[str, str]:
        """Each spoilt range → the range with the fault that explains it."""
        bare = {name for name, _ in self._bare}
        faulty = {name for name in self._kinds if self._has(name, Effect.SPOILS)}
        sure = self._order.ranges({*faulty, *bare, *self._places} - {""})
        follows = {name: name for name in sure}
        self._spoilt |= {*sure}
        for name in sure:
            for made in self._order.made_from(name):
                follows.setdefault(made, name)
        seen = [f for f in findings if f.is_symptom and f.severity == "error"]
        for finding in self._order.findings(seen):
            name = finding.range
            if name in follows:
                continue
            if self._has(name, Effect.MAY_SPOIL):
                self._spoilt.add(name)
            follows[name] = name
            for made in self._order.made_from(name):
                follows.setdefault(made, name)
        return follows

    def _has(self, name: str, effect: Effect) -> bool:
        """Whether a range has a finding of this effect."""
        return any(kind.effect is effect for kind in self._kinds[name])

    def moved(self) -> Iterator[Finding]:
        """Names that refer to other cells than those of their formulas."""
        for name, place in self._places.items():
            if name in self._book.names:
                here = self._book.names[name]
                places = {"here": names_of(here), "there": names_of(place)}
                yield Finding(Kind.MOVED, name, here.address(), values=places, severity="error")

    def resolved(self, finding: Finding, engine: str) -> Finding:
        """A consequence with its cause; a cause with the expected content."""
        name, kind = finding.range, finding.kind
        if cause := self._cause(finding):
            finding = replace(finding, follows=cause)
        elif kind is Kind.MISSING and name in self._places:
            place = self._places[name]
            values = {**finding.values, "there": names_of(place)}
            finding = replace(finding, cell=place.address(), sheet=place.sheet, values=values)
        elif kind is Kind.EMPTY and (name, finding.cell) in self._bare:
            finding = self._bare_cells(finding)
        elif kind.effect is Effect.MAY_SPOIL and name in self._spoilt:
            # the range's values differ
            finding = replace(finding, severity="error", unread=name in self._unread)
        elif finding.is_symptom and engine == "ironcalc":
            has_formula = bool(finding.formula) or name in self._book.manifest.formulas
            finding = replace(finding, unread=has_formula and name in self._unread)
        return finding

    def _cause(self, finding: Finding) -> str:
        """The range or cell that a finding follows from; "" if it is a cause."""
        name, kind, cause = finding.range, finding.kind, ""
        other = finding.values.get("other")  # the range of a label, or the range that a name overlaps
        if kind is Kind.STRAY_FORMULA:
            cause = self._filled.get(_at(finding), "")
        elif finding.is_symptom:
            # engines do not compute an array formula outside its range
            cause = self._astray or self._cause_of_value(finding)
        elif kind in (Kind.MOVED, Kind.OVERLAP) and other in self._places:
            cause = str(other)
        elif name in self._places and name in self._book.names:
            cause = name if (kind, finding.severity) != (Kind.MOVED, "error") else ""
        elif kind.effect is Effect.MAY_SPOIL and Kind.RESIZED in self._kinds[name]:
            cause = name
        return cause

    def _cause_of_value(self, finding: Finding) -> str:
        """The cause of a wrong value."""
        name = finding.range
        if finding.kind is Kind.EMPTY and (name, finding.cell) in self._bare:
            return ""
        cause = self._follows.get(name, "")
        return cause if cause != name or name in self._spoilt else ""

    def _bare_cells(self, finding: Finding) -> Finding:
        cells, spelled = self._bare[finding.range, finding.cell]
        return replace(finding, values=expected_values(self._book, finding.range, cells, spelled))


def _at(finding: Finding) -> At:
    """The cell of a finding: tab, row, column."""
    tab, _, cell = finding.cell.rpartition("!")
    row, col = coordinate_to_tuple(cell)
    return tab, row - 1, col - 1
