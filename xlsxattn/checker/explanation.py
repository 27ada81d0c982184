"""The explanation of a cell in numbers, as text and as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len

from xlsxattn.checker.formula_terms import in_formula
from xlsxattn.checker.report import VERDICTS
from xlsxattn.language import ENGLISH, say, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.formula_terms import Read
    from xlsxattn.language import Language

VERSION = 1
MAX_TERMS, MAX_VALUES, MAX_FORMULA = 8, 8, 800
"""Maximum numbers of terms of a sum, of values of a range, and of characters of a formula in the text."""


class Computed(NamedTuple):
    """An engine's value of the cell; ``error`` is infinite if it cannot be compared with NumPy's value.

    The verdict is ``ok``, ``differs``, ``not decidable``, or "" if nothing is computed.
    """

    engine: str
    value: Value
    error: float
    verdict: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One cell in numbers.

    Attributes:
        path: the workbook.
        range: the range's name.
        row: the cell's row in the range, from 1.
        column: its column in the range, from 1.
        cell: its address, ``Sheet!B7``.
        formula: the expected formula, in names; "" for a typed cell.
        in_file: the formula in the file if it differs, "" for none; None if it is right.
        reads: the cells that the formula reads.
        terms: the factors of each term of a sum or product; empty for other formulas.
        numbers: other formulas with values instead of names, if possible.
        expected: NumPy's value; None for a blank cell, and if nothing is computed.
        allowed: the tolerance of an engine's value.
        engines: the value of each engine.
    """

    path: str
    range: str
    row: int
    column: int
    cell: str
    formula: str
    in_file: str | None
    reads: tuple[Read, ...]
    terms: tuple[tuple[float, ...], ...]
    numbers: str
    expected: Value
    allowed: float
    engines: tuple[Computed, ...]

    @property
    def sum(self) -> float | None:
        """The sum of the terms; None if there are none."""
        return math.fsum(map(math.prod, self.terms)) if self.terms else None

    @property
    def holds(self) -> bool:
        """Whether all engines agree with NumPy, and the file has the expected formula."""
        return self.in_file is None and all(one.verdict != "differs" for one in self.engines)

    def __repr__(self) -> str:
        return f"<Explanation {self.range}[{self.row},{self.column}] of {self.path}>"

    def __str__(self) -> str:
        return as_text(self)


def as_text(explanation: Explanation, language: Language = ENGLISH) -> str:
    """An explanation in a few aligned lines: formula, what it reads, terms, sum, engines, NumPy."""
    one, tell = explanation, language.tell
    rows = [(tell(say("formula")), _shortened(one.formula) or tell(say("none: this cell is typed")))]
    if one.in_file is not None:
        rows.append((tell(say("in the file")), _shortened(one.in_file) or tell(say("no formula"))))
    rows += [(read.cells, _values(read)) for read in one.reads]
    if one.terms:
        rows += [(tell(say("terms")), _terms(one.terms)), (tell(say("sum")), _exact(one.sum))]
    elif one.numbers:
        rows.append((tell(say("in numbers")), one.numbers))
    rows += [(engine.engine, _exact(engine.value)) for engine in one.engines]
    if any(engine.verdict for engine in one.engines):
        rows.append(("NumPy", _exact(one.expected)))
        verdicts = dict.fromkeys(tell(_verdict(engine, one)) for engine in one.engines)
        rows += [(tell(say("verdict")), verdict) for verdict in verdicts]
    wide = max(cell_len(head) for head, _ in rows)
    lines = [f"  {head}{'':{wide - cell_len(head)}}  {text}" for head, text in rows]
    return visible("\n".join([f"{one.range}[{one.row},{one.column}] = {one.cell}", *lines]))


def _shortened(formula: str) -> str:
    return formula if len(formula) <= MAX_FORMULA else f"{formula[:MAX_FORMULA]}…"


def _values(read: Read) -> str:
    texts = [in_formula(value) for value in read.values[:MAX_VALUES]]
    return "  ".join(texts) + (f"  … ({read.size})" if read.size > len(texts) else "")


def _terms(terms: Sequence[tuple[float, ...]]) -> str:
    texts = ["·".join(map(in_formula, term)) for term in terms[:MAX_TERMS]]
    return " + ".join(texts) + (f" + … ({len(terms)})" if len(terms) > MAX_TERMS else "")


def _exact(value: Value) -> str:
    """A value with the digits that a spreadsheet keeps."""
    if isinstance(value, bool) or not isinstance(value, float):
        return in_formula(value)
    return f"{value:.15g}"


def _verdict(engine: Computed, one: Explanation) -> str:
    verdict = VERDICTS[engine.verdict]
    if not (isinstance(engine.value, float) and isinstance(one.expected, float)):
        return verdict
    sentence = "{verdict}: error {error}, tolerance {allowed}"
    return say(sentence, verdict=verdict, error=f"{engine.error:.2g}", allowed=f"{one.allowed:.2g}")


def as_data(explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON data; infinite numbers and NaN become null."""
    one = explanation
    return {
        "path": one.path,
        "range": one.range,
        "row": one.row,
        "column": one.column,
        "cell": one.cell,
        "formula": one.formula,
        "formula_in_file": one.in_file,
        "reads": [
            {"cells": r.cells, "address": r.address, "size": r.size, "values": [*map(_plain, r.values)]}
            for r in one.reads
        ],
        "terms": [[_plain(factor) for factor in term] for term in one.terms],
        "sum": _plain(one.sum),
        "numbers": one.numbers,
        "expected": _plain(one.expected),
        "allowed": _plain(one.allowed),
        "engines": [
            {"engine": e.engine, "value": _plain(e.value), "error": _plain(e.error), "verdict": e.verdict}
            for e in one.engines
        ],
        "holds": one.holds,
    }


def _plain(value: Value) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, str) else value


def all_as_data(explanations: Sequence[Explanation]) -> dict[str, Any]:
    """The output of ``check --explain --format json``."""
    return {"version": VERSION, "explanations": [as_data(one) for one in explanations]}
