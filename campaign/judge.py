"""Puts one mutant before the check, by values alone, and decides what became of it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from campaign.engine import Calculation
from campaign.formulas import operands
from campaign.inputs import random_inputs
from campaign.kinds import MANIFEST
from campaign.mutants import Mutant, Package, mutated
from campaign.reasons import reason
from xlsxattn.checker import spelling, structure
from xlsxattn.checker.cells import CellError
from xlsxattn.checker.check import prove
from xlsxattn.checker.perturb import perturbed
from xlsxattn.checker.reader import NotCheckableError, read, without_values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xlsxattn.checker.cells import Grid, Value
    from xlsxattn.checker.compare import Finding
    from xlsxattn.checker.engines import Edits
    from xlsxattn.checker.reader import Book

    Values = Mapping[str, Grid]

Verdict = Literal["as saved", "perturbed", "equivalent", "not in structure", "misnamed", "missed"]
SAME = 1e-11
"""What rounding may do to a value that a mutant computes in another order, relative to its range."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant: the verdict, and the first finding or why no value can show it."""

    mutant: Mutant
    verdict: Verdict
    said: str


class Judge:
    """One template's workbook and what its mutants are compared with; each is written beside it in turn."""

    def __init__(self, path: Path, *, perturb: bool = True) -> None:
        self.book = read(path)
        self.perturb = perturb
        self.names = [name for name in self.book.names if name not in MANIFEST]
        self._copy = path.with_name(f"mutant-{os.getpid()}.xlsx")
        self._finished = Package(path)
        without_values(self.book, self._copy)
        self._package = Package(self._copy, self.book)
        self._random = random_inputs(self.book)
        self._right = self._originals()

    def _originals(self) -> list[Values]:
        """The values of the workbook without a fault for all inputs that mutants get; all must be right."""
        self._package.write(Mutant("none", (), ""), self._copy)
        plain = Calculation(self._copy, self.book)
        right: list[Values] = []
        for edits in [*self._edits(self.book), *self._random]:
            plain.type(edits)
            right.append(plain.read(self.names))
            wrong = prove(self.book, "ironcalc", right[-1]).findings
            assert not wrong, wrong[0]
        return right

    def _edits(self, book: Book) -> list[Edits]:
        """The inputs that the check itself tries: as saved, then perturbed if all have their names."""
        complete = all(name in book.names for name in book.manifest.inputs)
        return [{}, *(perturbed(book) if self.perturb and complete else [])]

    def judge(self, mutant: Mutant) -> Outcome:
        """Make the mutant, check it as saved, then perturbed; if nothing is found, see if anything could."""
        try:
            book = self._read(mutant)
        except NotCheckableError as error:
            named = any(name in str(error) for name in mutant.ranges)
            return Outcome(mutant, "as saved" if named else "misnamed", str(error))
        self._package.write(mutant, self._copy)
        faulty = Calculation(self._copy, book)
        for i, edits in enumerate(self._edits(book)):
            faulty.type(edits)
            found = self._found(faulty, mutant, i)
            if found:
                said = f"{found.range or 'no range'}: {found.message}"
                verdict: Verdict = "perturbed" if i else "as saved"
                return Outcome(mutant, verdict if accuses(found, mutant, book) else "misnamed", said)
        return self._unseen(faulty, mutant)

    def _read(self, mutant: Mutant) -> Book:
        """The mutant as the check reads it; where the manifest moves, from a file with the fault."""
        if MANIFEST.isdisjoint(mutant.names):
            return mutated(self.book, mutant)
        self._finished.write(mutant, self._copy)
        return read(self._copy)

    def _found(self, faulty: Calculation, mutant: Mutant, turn: int) -> Finding | None:
        """The first finding with the inputs typed last.

        Where the mutated range shows what it should, to the last bit, so does all that is made from it; where
        names were moved, all have to be looked at. The workbook without a fault has no finding.
        """
        names = set(self.names) & faulty.book.names.keys()
        values = faulty.read(names if mutant.names else mutant.ranges)
        if len(names) == len(self.names) and not different(values, self._right[turn], exactly=True):
            return None
        found = prove(faulty.book, "ironcalc", faulty.read(names)).findings
        return found[0] if found else None

    def _unseen(self, faulty: Calculation, mutant: Mutant) -> Outcome:
        """A mutant that the check's own inputs did not show: can any? If not, structure must."""
        book, right = faulty.book, self._right[-len(self._random) :]
        for i, edits in enumerate(self._random):
            faulty.type(edits)
            if mutant.names:
                found = self._found(faulty, mutant, len(self._right) - len(self._random) + i)
                wrong = found.range if found else ""
            else:
                wrong = different(faulty.read(mutant.ranges), right[i])
            if wrong:
                return Outcome(mutant, "missed", f"{wrong} differs with random inputs, round {i}")
        faults = [*structure.misplaced_formulas(book), *structure.moved_names(book), *spelling.misspelt(book)]
        named = {word for f in faults for word in re.findall(r"\w+", f"{f.range} {f.message}")}
        verdict: Verdict = "not in structure" if named.isdisjoint(mutant.ranges) else "equivalent"
        return Outcome(mutant, verdict, reason(self.book, mutant))


def accuses(finding: Finding, mutant: Mutant, book: Book) -> bool:
    """Whether a finding names the range that was mutated.

    What stands in an input is right by definition. So where two inputs have changed places, the accused is
    whatever reads one of them by its cells, or stands on them.
    """
    if finding.range in mutant.ranges:
        return True
    if not any(name in book.manifest.inputs for name in mutant.names) or finding.range not in book.names:
        return False
    area = book.names[finding.range]
    cells = {at for name in mutant.ranges for at in book.names[name].cells()}
    if not cells.isdisjoint(area.cells()):
        return True
    own = (book.formulas[at] for at in area.cells() if at in book.formulas)
    return any(
        at in cells for f in own for op in operands(book, f.text, area.sheet) for at in op.area.cells()
    )


def different(values: Values, right: Values, *, exactly: bool = False) -> str:
    """The first range whose values are not the original's, but for rounding unless that counts as well."""
    for name in values:
        if values[name] == right[name]:
            continue
        if exactly:
            return name
        grid = right[name]
        numbers = [abs(v) for row in grid for v in row if isinstance(v, float) and abs(v) < 1e290]  # noqa: PLR2004
        allowed = SAME * max([1.0, *numbers])
        for row, wanted in zip(values[name], grid, strict=True):
            if any(not _alike(a, b, allowed) for a, b in zip(row, wanted, strict=True)):
                return name
    return ""


def _alike(a: Value, b: Value, allowed: float) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= allowed
    if isinstance(a, str) and isinstance(b, str) and a[:1] in ("✓", "✗"):
        return a[:1] == b[:1]
    return (a or "") == (b or "") and isinstance(a, CellError) == isinstance(b, CellError)
