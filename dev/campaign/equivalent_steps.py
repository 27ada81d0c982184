"""Rules for equivalent mutants of trainings: why a fault cannot change any value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev.campaign.formulas import operands, put
from dev.campaign.partners import place
from xlsxattn.checker.reading.book import Formula
from xlsxattn.contract.kinds import Training
from xlsxattn.contract.names import last

if TYPE_CHECKING:
    from dev.campaign.formulas import Operand
    from dev.campaign.mutants import Mutant
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.contract.names import RangeName

UNORDERED = re.compile(r"\b(MAX|MIN|SUMSQ)\(TRANSPOSE\(([^()]+)\)\)")
COUNTING = re.compile(r"\b(?:ROWS|COLUMNS)\((?:TRANSPOSE\()?$")
OF_ANOTHER_STEP = ("another step", "another row", "absolute for relative", "relative for absolute")
"""Kinds of faults that read the same quantity of another step."""
CORRECTIONS = ("Correction1", "Correction2")
"""Adam's divisors: as they are at most 1, they never exceed the limit of weights."""


def of_trainings(book: Book, mutant: Mutant) -> str:
    """Formulas that only depend on counts, on unordered numbers, or on the step at which a run diverges."""
    at = place(book, mutant.ranges[0])
    if not any(sheet.id == at.sheet and sheet.is_a(Training) for sheet in book.manifest.sheets):
        return ""
    texts = [
        (book.formulas[cell].text, new.text, cell[0])
        for cell, new in mutant.cells.items()
        if cell in book.formulas and isinstance(new, Formula)
    ]
    if texts and all(_counted(book, was, tab) == _counted(book, now, tab) for was, now, tab in texts):
        return "only rows and columns are counted, and their numbers are the same"
    if texts and all(was == UNORDERED.sub(r"\1(\2)", now) for was, now, _ in texts):
        return "the largest number and a sum of squares do not depend on the order"
    if at.block == "AskedRow" and all(_look_up(was) == _look_up(now) for was, now, _ in texts):
        return "the sum is only used for lists of one word, and this one is longer"
    instead = place(book, mutant.source[1]).block if mutant.source[1] else ""
    if "Plotted" in (at.block, instead):
        return "the chart shows the loss as it is, up to four times the first"
    return _of_range(mutant, at) or _of_divergence(book, mutant, at)


def _of_range(mutant: Mutant, at: RangeName) -> str:
    """Reasons that follow from what a range holds."""
    if mutant.kind == "misses the last" and (at.block in ("RowMax", "AskedRow") or at.part == "RowMax"):
        return "the last word belongs to another example"
    if mutant.kind == "misses the last" and at.block in ("Shown", "Final"):
        return "INDEX in IronCalc reads beyond the end of its range"
    if mutant.kind == "misses the last" and at.block == "CheckAllowed":
        return "only a run whose last loss is the largest, with another step shown, tells them apart"
    if at.block == "Verdict":
        return "of a mark, only the first character is compared"
    return ""


def _of_divergence(book: Book, mutant: Mutant, at: RangeName) -> str:
    """Reasons for flags that are 1 until a run diverges, and for weights that are kept from then on."""
    if at.block == "Diverged" and mutant.kind == "misses the last":
        return "only a run that diverges at the last step tells them apart"
    if at.block == "Shown" and at.part == "Alive" and last(mutant.source[0]) == "Chosen":
        return "only a run that diverges between these two steps tells them apart"
    if at.block == "Alive" and [book.formulas[cell].text for cell in mutant.cells] == ["=1"]:
        return "the first flag is 1 for every input"
    instead = place(book, mutant.source[1]).block if mutant.source[1] else ""
    if at.block == "Alive" and (mutant.kind == "right value as a constant" or instead in CORRECTIONS):
        return "only a run that diverges at this very step tells them apart"
    if mutant.kind in OF_ANOTHER_STEP and (at.block == "Alive" or at.is_matrix):
        return "only a run that diverges at this very step tells them apart"
    return ""


def _counted(book: Book, formula: str, tab: str) -> str:
    """A formula in which counted ranges are replaced by how many rows or columns they have."""
    asked = [op for op in operands(book, formula, tab) if COUNTING.search(formula[: op.start])]

    def size(op: Operand) -> str:
        call = COUNTING.search(formula[: op.start])
        rows = call is not None and call[0].startswith("ROWS") != ("TRANSPOSE" in call[0])
        return str(op.area.rows if rows else op.area.cols)

    return re.sub(r"TRANSPOSE\((\d+)\)", r"\1", put(formula, asked, size))


def _look_up(formula: str) -> str:
    """What a look-up does before the sum that stands in for MATCH."""
    return formula.partition(",SUM((")[0]
