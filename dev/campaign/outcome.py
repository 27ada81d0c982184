"""Checks one mutant by values alone, and determines the verdict."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dev.campaign.equivalent_mutants import reason
from dev.campaign.faulty import Broken, Renamed
from dev.campaign.formulas import operands
from dev.campaign.kinds import MANIFEST
from dev.campaign.mutants import Mutant, Package, mutated
from dev.campaign.original import Original
from dev.campaign.rebuilt import COVERED, LIVE
from xlsxattn.checker import cell_formulas, structure
from xlsxattn.checker.check import check
from xlsxattn.checker.manifest_formulas import with_expected_formulas
from xlsxattn.checker.reading.book import Formula, NotCheckableError, read
from xlsxattn.checker.volatile import volatile_formulas
from xlsxattn.contract.names import TYPED_FOR, last
from xlsxattn.formula_table import rebuilt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xlsxattn.checker.findings import Finding
    from xlsxattn.checker.reading.book import Book

CIRCLE = "#CIRC!"
EQUIVALENTS_STEP = 1 if os.environ.get("XLSXATTN_THOROUGH") else 5
"""Mutants that cannot change a value, according to a rule, are only tested with every n-th set of inputs."""
Verdict = Literal[
    "as saved",
    "perturbed",
    "equivalent",
    "by its formula",
    "tampering",
    "unexplained",
    "not in structure",
    "misnamed",
    "missed",
    "trusted",
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on a mutant, the first finding or the reason why it is equivalent, and the range."""

    mutant: Mutant
    verdict: Verdict
    said: str
    range: str = ""


class MutantChecker:
    """Checks the mutants of one workbook."""

    def __init__(self, path: Path, *, perturb: bool = True) -> None:
        self._copy = path.with_name(f"mutant-{os.getpid()}.xlsx")
        self._finished = Package(path)
        self._original = Original(path, self._copy, perturb=perturb)
        table = rebuilt(self._original.book)
        assert table is not None
        self._table = table

    def outcome(self, mutant: Mutant) -> Outcome:
        """Check a mutant with the inputs as saved, then perturbed; if nothing is found, try random inputs."""
        if not MANIFEST.isdisjoint(mutant.names):
            return self._of_manifest(mutant)
        if mutant.kind in (LIVE, COVERED):
            return self._of_formulas(mutant)
        if outcome := self._volatile(mutant):
            return outcome
        faulty = (Renamed if mutant.names else Broken)(self._original, mutant)
        own, step = range(self._original.own), 1
        if (outcome := self._seen(faulty, mutant, own[:1])) is None:
            step = EQUIVALENTS_STEP if reason(self._original.book, mutant) else 1
            outcome = self._seen(faulty, mutant, own[1::step])
        if outcome is None and step > 1 and self._changes(faulty, mutant, step):  # the rule is too wide
            outcome, step = self._seen(faulty, mutant, own[1:]), 1
        return outcome or self._unseen(faulty, mutant, step)

    def _seen(self, faulty: Broken | Renamed, mutant: Mutant, turns: range) -> Outcome | None:
        """The verdict by the first finding of the check with the inputs of these turns."""
        for i in turns:
            if found := faulty.found(i):
                said = f"{found.range or 'no range'}: {found.message}"
                accused = found.range in mutant.ranges or accuses(found, mutant, self._original.book)
                if not accused and found.found == CIRCLE:
                    accused = self._first_of_file(mutant) in mutant.ranges
                verdict: Verdict = "perturbed" if i else "as saved"
                return Outcome(mutant, verdict if accused else "misnamed", said, found.range)
        return None

    def _changes(self, faulty: Broken | Renamed, mutant: Mutant, step: int) -> str:
        """The range and the round in which a mutant differs from the original with random inputs, or ""."""
        own = self._original.own
        inputs = bool(mutant.names) and set(mutant.names) <= set(self._original.book.manifest.inputs)
        for i in range(own, own if inputs else len(self._original.turns), step):
            if wrong := faulty.shows(i):
                return f"{wrong} differs with random inputs, round {i - own}"
        return ""

    def _volatile(self, mutant: Mutant) -> Outcome | None:
        """Check a mutant that does not only depend on inputs by its formula, regardless of its values."""
        formulas = {at: new for at, new in mutant.cells.items() if isinstance(new, Formula)}
        found = next(volatile_formulas(replace(self._original.book, formulas=formulas)), None)
        if found is None:
            return None
        verdict: Verdict = "as saved" if found.range in mutant.ranges else "misnamed"
        return Outcome(mutant, verdict, f"{found.range}: {found.message}", found.range)

    def _first_of_file(self, mutant: Mutant) -> str:
        """The range of the first finding in the broken file itself.

        Which cells of a circular reference show an error depends on earlier calculations; the file decides.
        """
        self._finished.write(mutant, self._copy)
        findings = check(self._copy, "ironcalc", "as-saved").runs[0].findings
        return next((found.range for found in findings), "")

    def _of_manifest(self, mutant: Mutant) -> Outcome:
        """A workbook without a part of its manifest is not checkable; the message must name the part."""
        self._finished.write(mutant, self._copy)
        try:
            read(self._copy)
        except NotCheckableError as error:
            verdict: Verdict = "as saved" if error.name in mutant.ranges else "misnamed"
            return Outcome(mutant, verdict, str(error))
        return Outcome(mutant, "missed", "the workbook can be checked without this part of its manifest")

    def _of_formulas(self, mutant: Mutant) -> Outcome:
        """A fault that values may not reveal: the formula must be an error, whatever the manifest says."""
        book, faults = with_expected_formulas(mutated(self._original.book, mutant), self._table)
        found = [f for f in (*faults, *_other_formulas(book, mutant)) if f.severity == "error"]
        for finding in found:
            if finding.range in mutant.ranges:
                return Outcome(mutant, "by its formula", f"{finding.range}: {finding.message}", finding.range)
        return Outcome(mutant, "trusted", "no error reports the changed formula")

    def _unseen(self, faulty: Broken | Renamed, mutant: Mutant, step: int) -> Outcome:
        """A mutant that the inputs of the check do not reveal: if no other inputs do, structure must."""
        book = faulty.book
        faults = [
            *structure.misplaced_formulas(book),
            *structure.moved_names(book),
            *_other_formulas(book, mutant),
        ]
        errors = (f for f in faults if f.severity == "error" and not {*f.names}.isdisjoint(mutant.ranges))
        error = next(errors, None) if mutant.names else None  # such as a constant instead of a formula
        if change := self._changes(faulty, mutant, step):
            if error:
                return Outcome(mutant, "as saved", f"{error.range}: {error.message}", error.range)
            return Outcome(mutant, "missed", change)
        named = {name for fault in faults for name in fault.names}
        why = reason(self._original.book, mutant)
        if named.isdisjoint(mutant.ranges):
            return Outcome(mutant, "not in structure", why)
        return Outcome(mutant, "equivalent" if why else "unexplained", why or "no rule says why")


def _other_formulas(book: Book, mutant: Mutant) -> Iterator[Finding]:
    """Unexpected formulas, in all ranges if names moved, otherwise in the broken ones."""
    if mutant.names:
        return cell_formulas.other_formulas(book)
    expected = {name: book.manifest.formulas[name] for name in mutant.ranges}
    return cell_formulas.other_formulas(replace(book, manifest=replace(book.manifest, formulas=expected)))


def accuses(finding: Finding, mutant: Mutant, book: Book) -> bool:
    """Whether a finding names the range that was mutated, in the original workbook.

    Inputs are right by definition, as are the words of typed rows. If the names of two of them were swapped,
    the finding must be in a range that reads one of them by address, or that overlaps them.
    """
    if finding.range in mutant.ranges:
        return True
    given = any(name in book.manifest.inputs or last(name) == TYPED_FOR for name in mutant.names)
    if not given or finding.range not in book.names:
        return False
    area = book.names[finding.range]
    cells = {at for name in mutant.ranges for at in book.names[name].cells()}
    if not cells.isdisjoint(area.cells()):
        return True
    own = (book.formulas[at] for at in area.cells() if at in book.formulas)
    return any(
        at in cells for f in own for op in operands(book, f.text, area.sheet) for at in op.area.cells()
    )
