"""Saved values that differ from recalculated ones, and so mislead in previews and Protected View."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from xlsxattn.checker.cells import Area
from xlsxattn.checker.compare import ROUNDING_GROWS_FROM, decidable, either, tolerance
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.contract.values import MASK_VALUE, SAVED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from xlsxattn.checker.cells import At, Grid, Value, Values
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import Expected

SAVED_DIGITS = 1e-13
"""Allowed relative difference of a saved value: programs save 15 to 17 digits."""
QUOTIENTS = ("CheckNumeric", "CheckDifference")
"""Results of the gradient check, which divides rounding errors by a small number."""


def stale(
    book: Book, saved: Values, fresh: Values, engine: str, reference: Callable[[], Mapping[str, Expected]]
) -> Iterator[Finding]:
    """Saved values that differ from the results of the formulas.

    Another engine may have saved them, so they may differ by as much rounding as the reference allows.
    """
    wanted: Mapping[str, Expected] | None = None
    with_values = sum(book.saved.get(at) is not None for at in book.formulas)
    for name in book.manifest.formulas:
        if name not in book.names or all(value is None for row in saved[name] for value in row):
            continue
        if with_values and (at := _first_missing(book, name, saved, fresh)):
            yield Finding(Kind.STALE_VALUE, name, Area(*at, 1, 1).address(), values={"others": with_values})
            continue
        worst = _difference(saved[name], fresh[name], _magnified(book, name, fresh))
        if worst is not None:
            wanted = reference() if wanted is None else wanted
            right = wanted.get(name)
            if right is not None and _rounded_apart(right, saved[name], fresh[name], engine):
                continue
            if right is not None and _chosen_otherwise(right, saved[name], fresh[name]):
                continue
            i, j = worst
            where, old, new = book.names[name].address(i, j), saved[name][i][j], fresh[name][i][j]
            both = {"saved" if with_values else "beside": old, "fresh": new}
            yield Finding(Kind.STALE_VALUE, name, where, found=old, expected=new, values=both)
            if not with_values:
                return  # one finding is enough


def _magnified(book: Book, name: str, fresh: Values) -> float:
    """Maximum rounding error of a difference quotient, as the workbook states it; 0 for other ranges."""
    at = book.manifest.parse(name)
    bound = fresh.get(at.place["CheckAllowed"]) if at.block in QUOTIENTS else None
    return bound[0][0] if bound and isinstance(bound[0][0], float) else 0.0


def _rounded_apart(right: Expected, saved: Grid, fresh: Grid, engine: str) -> bool:
    """Whether rounding in the layers of a model, or a coarse Φ, explains all differences in a range."""
    if right.coarse == 0 and right.amplification <= ROUNDING_GROWS_FROM:
        return False  # only the last saved digits may differ
    undecided = not (decidable(right, engine) and decidable(right, SAVED))
    allowed = tolerance(right, engine) + tolerance(right, SAVED)
    return _difference(saved, fresh, allowed, texts_differ=undecided) is None


def _chosen_otherwise(right: Expected, saved: Grid, fresh: Grid) -> bool:
    """Whether both values of every differing cell are acceptable."""
    if right.values.shape != (len(fresh), len(fresh[0])):
        return False
    return all(
        one is None or one == other or either(right, i, j, (one, other))
        for i, (before, now) in enumerate(zip(saved, fresh, strict=True))
        for j, (one, other) in enumerate(zip(before, now, strict=True))
    )


def _first_missing(book: Book, name: str, saved: Values, fresh: Values) -> At | None:
    """The first cell without a saved value, although it is not blank, in a range that has some."""
    if None not in chain.from_iterable(saved[name]):
        return None
    both = chain.from_iterable(saved[name]), chain.from_iterable(fresh[name])
    cells = zip(book.names[name].cells(), *both, strict=True)
    return next((at for at, value, now in cells if value is None and now not in (None, "")), None)


def _difference(
    saved: Grid, fresh: Grid, more: float = 0.0, *, texts_differ: bool = False
) -> tuple[int, int] | None:
    """The first cell with a wrong saved value; `more` is an additional tolerance."""
    if saved == fresh:
        return None
    numbers = [abs(v) for row in fresh for v in row if isinstance(v, float) and abs(v) < -MASK_VALUE]
    allowed = SAVED_DIGITS * max(numbers, default=0.0) + SAVED_DIGITS + more
    for i, row in enumerate(saved):
        for j, value in enumerate(row):
            chosen = texts_differ and isinstance(value, str) and isinstance(fresh[i][j], str)
            if value is not None and not chosen and not _alike(value, fresh[i][j], allowed):
                return i, j
    return None


def _alike(a: Value, b: Value, allowed: float) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= allowed or a == b
    return (type(a) is type(b) and a == b) or (a or "") == (b or "")
