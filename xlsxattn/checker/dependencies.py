"""Dependencies between ranges, by which findings are sorted: causes before their consequences."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from openpyxl.utils import coordinate_to_tuple

from xlsxattn.contract.kinds import Training
from xlsxattn.contract.names import ROWS, RangeName

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from xlsxattn.checker.findings import Finding
    from xlsxattn.checker.reading.book import Book

_READ = re.compile(r"([A-Za-z_]\w*)(?:\[([^\]]*)\])?", re.ASCII)
BEFORE, ROW_BY_ROW, AFTER = range(3)


class Order:
    """The order in which a workbook's ranges are computed, from the formulas of its manifest.

    Attributes:
        readers: the ranges whose formulas read a range.

    If a model generates text, the token of a row is the next word of the row above. Then ranges are ordered
    row by row, and ranges that depend on all rows come last. Likewise the quantities of a training, step by
    step.
    """

    def __init__(self, book: Book) -> None:
        self._names = book.names
        self._blocks = {name for name, (entered, _) in book.manifest.formulas.items() if entered == "block"}
        self._formulas = book.manifest.formulas
        self._parse, self._written = book.manifest.parse, {*_written(book)}
        self._steps = {sheet.id: sheet.steps for sheet in book.manifest.sheets if sheet.is_a(Training)}
        owners = _owners(book)
        # names may be missing
        known = {*book.names, *book.manifest.formulas, *book.manifest.inputs}
        reads = {
            name: {one for read in _reads(text) if read in known for one in (read, owners.get(read, read))}
            for name, (_, text) in book.manifest.formulas.items()
        }
        reads |= {name: {owner} for name, owner in owners.items()}
        try:
            order = [*TopologicalSorter(reads).static_order()]
        except CycleError:  # a manifest may contain anything
            order = [*reads]
        self.readers: dict[str, set[str]] = {}
        for name, (_, text) in book.manifest.formulas.items():
            for read in _reads(text, above=True):
                for one in {read, owners.get(read, read)}:
                    self.readers.setdefault(one, set()).add(name)
        self._place = {name: i for i, name in enumerate(order)}
        self._stage: dict[str, int] = {}
        for name in order:
            late = any(self._stage.get(read, BEFORE) > BEFORE for read in reads.get(name, ()))
            by_row = self._by_row(name) or self._is_unrolled(name)
            self._stage[name] = ROW_BY_ROW if by_row else AFTER if late else BEFORE

    @property
    def written(self) -> bool:
        """Whether a model generates text."""
        return bool(self._written)

    def _is_unrolled(self, name: str) -> bool:
        at = self._parse(name)
        return at.sheet in self._steps and at.is_of_steps and not at.label and name in self._formulas

    def _by_row(self, name: str) -> bool:
        at = self._parse(name)
        tokens, area = self._names.get(at.lane["Tokens"]), self._names.get(name)
        if at.lane not in self._written or tokens is None or area is None or name not in self._formulas:
            return False
        by_row = name not in self._blocks or at.label == ROWS
        return by_row and area.rows == tokens.rows

    def ranges(self, names: Iterable[str]) -> list[str]:
        """Sort names of ranges, each after its precedents."""
        return sorted(names, key=lambda name: (self._stage.get(name, BEFORE), self._place.get(name, -1)))

    def made_from(self, *names: str) -> set[str]:
        """All direct and indirect dependents of ranges, which may be among them."""
        dependents: set[str] = set()
        left = [*names]
        while left:
            new = self.readers.get(left.pop(), set()) - dependents
            dependents |= new
            left += new
        return dependents

    def findings(self, findings: Sequence[Finding]) -> list[Finding]:
        """Sort findings, causes first."""
        return sorted(findings, key=self._key)

    def _key(self, finding: Finding) -> tuple[int, int, int]:
        name = finding.range
        stage, row = self._stage.get(name, BEFORE), 0
        if stage == ROW_BY_ROW and finding.cell and name in self._names:
            address = finding.cell.rpartition("!")[2]
            row = coordinate_to_tuple(address)[0] - 1 - self._names[name].row
            if self._is_unrolled(name):  # a band of rows per step
                at = self._parse(name)
                row = row * at.bands(self._steps[at.sheet]) // self._names[name].rows
        return stage, row, self._place.get(name, -1)


def _reads(formula: str, *, above: bool = False) -> set[str]:
    """The names that a formula reads, optionally including those of which it reads earlier rows."""
    bare = re.sub(r'"[^"]*"', '""', formula)
    return {name for name, part in _READ.findall(bare) if above or part not in ("above", "before")}


def _written(book: Book) -> Iterable[RangeName]:
    """The prefixes of ranges that a model generates row by row."""
    for sheet in book.manifest.sheets:
        yield from (RangeName(sheet.id, context=str(context)) for context in sheet.writes_into)


def _owners(book: Book) -> dict[str, str]:
    """Names that refer to a part of a computed range → that range."""
    known = {*book.manifest.formulas, *book.manifest.inputs}
    by_cell = {
        at: name for name in book.manifest.formulas if name in book.names for at in _corner(book, name)
    }
    others = (name for name in book.names if name not in known)
    return {name: by_cell[at] for name in others for at in _corner(book, name) if at in by_cell}


def _corner(book: Book, name: str) -> list[tuple[str, int, int]]:
    area = book.names[name]
    return [(area.sheet, area.row, area.col)]
