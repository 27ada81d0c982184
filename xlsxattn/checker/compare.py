"""Compares the values of an engine with those of NumPy, cell by cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, starmap
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from xlsxattn.checker.cells import CellError, listed
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding, shape_text
from xlsxattn.checker.reference import Expected
from xlsxattn.checker.reference.choices import ANYTHING, Anything, Counted, OneOf, Wording, own
from xlsxattn.contract.values import MARKS, MASK_VALUE, NONE, SAVED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from xlsxattn.checker.cells import Area, Grid, Value

PRECISION = 1e-12
"""Allowed rounding error of a cell, relative to the largest sum in its range."""
ROUNDING_GROWS_FROM = 100.0
"""Larger scores amplify their rounding errors in the softmax."""
DECIDABLE = 1e-6
"""If rounding errors can be larger than this, they cannot be told from faults."""
COARSE_PHI = ("ironcalc", SAVED)
"""Engines whose Φ, and so exact GELU, is accurate to 2.5e-11 only; saved values usually come from one."""

Verdict = Literal["ok", "differs", "missing", "not decidable"]


@dataclass(frozen=True, slots=True)
class Result:
    """The result for a range: its tab, name, shape, largest error, tolerance and verdict.

    ``coarse``: the tolerance comes from the engine's Φ rather than from rounding.
    """

    tab: str
    range: str
    shape: tuple[int, int]
    kind: str
    error: float
    allowed: float
    verdict: Verdict
    coarse: bool = False

    @property
    def badness(self) -> tuple[bool, float]:
        """Whether it is wrong, and the error relative to the tolerance."""
        return self.verdict not in ("ok", "not decidable"), self.error / (self.allowed or math.inf)


def tolerance(expected: Expected, engine: str = "") -> Any:  # noqa: ANN401 - a number, or one for each set
    """The tolerance of the cells of a range: 1e-12 × largest sum × max(1, M / 100).

    For engines with a coarse Φ, ranges computed from an exact GELU get an additional tolerance.
    """
    rounding = PRECISION * expected.magnitude * np.maximum(1.0, expected.amplification / ROUNDING_GROWS_FROM)
    return rounding + (expected.coarse if engine in COARSE_PHI else 0.0)


def decidable(expected: Expected, engine: str = "") -> Any:  # noqa: ANN401 - a bool, or one for each set
    """Whether faults can be told from rounding errors at these magnitudes."""
    relative = PRECISION * np.maximum(1.0, expected.amplification / ROUNDING_GROWS_FROM)
    if engine in COARSE_PHI:
        relative = relative + expected.coarse / expected.magnitude
    return np.isfinite(expected.magnitude) & (relative <= DECIDABLE)


def compare(
    expected: Mapping[str, Expected], names: Mapping[str, Area], values: Mapping[str, Grid], engine: str = ""
) -> Iterator[tuple[Result, list[Finding]]]:
    """Compare every cell of every expected range with an engine's values, in the order of ``expected``."""
    for name, wanted in expected.items():
        rows, cols = wanted.values.shape
        area = names.get(name)
        if area is None:
            nothing = Result("", name, (rows, cols), wanted.kind, math.inf, 0.0, "missing")
            yield nothing, [Finding(Kind.MISSING, name)]
        elif (area.rows, area.cols) != (rows, cols):
            shapes = {"shape": shape_text(area.rows, area.cols), "right_shape": shape_text(rows, cols)}
            result = Result(area.sheet, name, (area.rows, area.cols), wanted.kind, math.inf, 0.0, "differs")
            yield result, [Finding(Kind.RESIZED, name, area.address(), values=shapes)]
        else:
            yield _range(name, wanted, area, values[name], engine)


class Limits(NamedTuple):
    """The limits of a range in several sets of inputs, or those of several ranges, (ranges, sets).

    ``can_tell``: whether faults can be told from rounding errors; ``allowed``: the tolerance, otherwise inf;
    ``coarse``: whether it comes from the engine's Φ.
    """

    can_tell: NDArray[np.bool_]
    allowed: NDArray[np.float64]
    coarse: NDArray[np.bool_]


@np.errstate(all="ignore")
def limits(expected: Collection[Expected], n: int, engine: str) -> Iterator[Limits]:
    """The limits of each range in n sets of inputs."""
    magnitude, amplification, coarse = np.empty((3, len(expected), n))
    for i, wanted in enumerate(expected):
        magnitude[i], amplification[i], coarse[i] = wanted.magnitude, wanted.amplification, wanted.coarse
    every = Expected(np.empty((0, 0)), "number", magnitude, amplification, coarse=coarse)
    can_tell = decidable(every, engine)
    allowed = np.where(can_tell, tolerance(every, engine), np.inf)
    return starmap(Limits, zip(can_tell, allowed, (engine in COARSE_PHI) & (coarse > 0), strict=True))


@np.errstate(all="ignore")
def agreeing(
    name: str, wanted: Expected, area: Area, grids: Sequence[Grid], limit: Limits, engine: str
) -> Result | None:
    """The worst result of a range with several sets of inputs; None if any has findings."""
    can_tell, allowed, coarse = limit
    arrays, shape = [grid for grid in grids if isinstance(grid, np.ndarray)], (area.rows, area.cols)
    if len(arrays) == len(grids):
        errors = _errors(np.array(arrays), wanted, allowed[:, None, None])  # (sets,)
        if errors is not None:
            errors = np.where(can_tell, errors, 0.0)
            i = int(np.argmax(errors / allowed))
            verdict: Verdict = "ok" if can_tell.any() else "not decidable"
            both = float(errors[i]), float(allowed[i])
            return Result(area.sheet, name, shape, wanted.kind, *both, verdict, coarse=bool(coarse[i]))
    if wanted.kind == "text" and can_tell.all():
        shown = [listed(grid) for grid in grids]
        right = np.broadcast_to(wanted.values, (len(grids), *shape)).tolist()
        if shown == right and not any(map(_has_errors, shown)):
            return Result(area.sheet, name, shape, wanted.kind, 0.0, float(allowed[0]), "ok")
    results: list[Result] = []
    for i, grid in enumerate(grids):
        result, findings = _range(name, wanted.of(i), area, grid, engine)
        if findings:
            return None
        results.append(result)
    return max(results, key=lambda result: (result.verdict == "ok", result.badness))


def _range(name: str, wanted: Expected, area: Area, grid: Grid, engine: str) -> tuple[Result, list[Finding]]:
    allowed, worst = float(tolerance(wanted, engine)), 0.0
    can_tell = decidable(wanted, engine)
    verdict: Verdict = "ok" if can_tell else "not decidable"
    coarse = engine in COARSE_PHI and wanted.coarse > 0
    if isinstance(grid, np.ndarray):
        shape = (area.rows, area.cols)
        error = _errors(grid, wanted, allowed if can_tell else math.inf)
        if error is not None:
            worst = float(error) if can_tell else 0.0
            return Result(area.sheet, name, shape, wanted.kind, worst, allowed, verdict, coarse=coarse), []
        grid = listed(grid)
    findings, texts = [], wanted.kind == "text"
    if texts and can_tell and grid == wanted.values.tolist() and not _has_errors(grid):
        return Result(area.sheet, name, wanted.values.shape, wanted.kind, 0.0, allowed, verdict), []
    for i, (row, rights) in enumerate(zip(grid, wanted.values.tolist(), strict=True)):
        for j, (value, right) in enumerate(zip(row, rights, strict=True)):
            if can_tell and type(value) is type(right) is float and abs(value - right) <= allowed:
                worst = max(worst, abs(value - right))  # the fast path for most numbers
                continue
            if (value is None and wanted.blank_ok) or (texts and type(value) is str and value == right):
                continue
            wrong = distance(value, right, wanted.kind)
            if not can_tell and _possible(value, right, wanted):
                continue
            worst = max(worst, wrong)
            if wrong == math.inf or not wrong <= allowed:  # the tolerance may be infinite too
                findings.append(_finding(name, area.address(i, j), value, right, wanted.kind))
    verdict = "differs" if findings else verdict
    shape = (area.rows, area.cols)
    return Result(area.sheet, name, shape, wanted.kind, worst, allowed, verdict, coarse=coarse), findings


@np.errstate(all="ignore")
def _errors(
    grids: NDArray[np.float64], wanted: Expected, allowed: float | NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """The largest error of numbers and blanks, (..., rows, cols), in each set: (...,).

    None unless every cell is certainly right.
    """
    if wanted.kind != "number" or wanted.values.dtype != float:
        return None
    apart = np.abs(grids - wanted.values)
    within = np.isfinite(grids) & (apart <= allowed)  # False where either is NaN: a blank
    blank = np.isnan(grids) & (wanted.blank_ok | np.isnan(wanted.values))
    if not (within | blank).all():
        return None
    largest: NDArray[np.float64] = np.max(apart, axis=(-2, -1), initial=0.0, where=within)
    return largest


def _has_errors(grid: Sequence[Sequence[Value]]) -> bool:
    """Whether a cell shows an error value, which equals the same text."""
    return CellError in set(map(type, chain.from_iterable(grid)))


def must_be_blank(right: object) -> bool:
    """Whether a cell must be blank: NaN, above the diagonal of a lower triangle."""
    return isinstance(right, float) and math.isnan(right)


def _possible(value: Value, right: object, wanted: Expected) -> bool:
    """Whether a cell of an undecidable range has a plausible value.

    This is any mark, number or word, or "–" for a cosine; a cell that must be blank accepts none.
    """
    if must_be_blank(right):
        return False
    if wanted.kind == "text":
        return value is None or (isinstance(value, str) and not isinstance(value, CellError))
    if isinstance(value, str):
        if wanted.kind == "mark":
            return value[:1] in MARKS
        return value == NONE and wanted.values.dtype == object
    return wanted.kind == "number" and isinstance(value, float) and math.isfinite(value)


def distance(value: Value, right: object, kind: str) -> float:
    """The distance of a value from the expected one; infinite if they are not comparable."""
    if right is ANYTHING:
        return 0.0
    if isinstance(right, OneOf):
        return min(distance(value, one, kind) for one in right.values)
    if kind == "mark":
        return 0.0 if str(value)[:1] == right else math.inf
    if must_be_blank(right):
        return 0.0 if value is None or value == "" else math.inf
    if isinstance(right, str | Wording | Counted):
        return 0.0 if _reads(value, right) else math.inf
    return _apart(value, float(right))  # type: ignore[arg-type]


def _reads(value: Value, right: str | Wording | Counted) -> bool:
    """Whether a cell has the expected text."""
    shown = "" if value is None else value
    if not isinstance(shown, str) or isinstance(shown, CellError):
        return False
    return shown == right if isinstance(right, str) else right.fits(shown)


def _apart(value: Value, wanted: float) -> float:
    if isinstance(value, bool) or not isinstance(value, float) or not math.isfinite(value):
        return math.inf
    if MASK_VALUE in (wanted, value):
        return 0.0 if wanted == value else math.inf
    return abs(value - wanted)


def either(wanted: Expected, i: int, j: int, values: Sequence[Value]) -> bool:
    """Whether several values of a cell are acceptable, and all of these are."""
    right = wanted.values[i, j]
    return isinstance(right, OneOf | Wording | Counted | Anything) and not any(
        distance(v, right, wanted.kind) for v in values
    )


def _finding(name: str, address: str, value: Value, right: object, kind: str) -> Finding:
    blank = must_be_blank(right)
    right = None if blank else own(right)
    if isinstance(value, CellError):
        return Finding(Kind.ERROR_VALUE, name, address, found=str(value), expected=right)
    if value is None:
        return Finding(Kind.EMPTY, name, address, expected=right)
    mark = {"mark": right} if kind == "mark" and not blank else {}
    return Finding(Kind.VALUE, name, address, found=value, expected=right, values=mark)
