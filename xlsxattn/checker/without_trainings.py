"""A workbook without its trainings, so that its other sheets can be proved with more inputs at less cost.

A training often has more cells than all other sheets together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.checker.cell_sets import Cover
from xlsxattn.checker.dependencies import Order

if TYPE_CHECKING:
    from xlsxattn.checker.reading.book import Book


def is_trained(book: Book) -> bool:
    """Whether a workbook has trainings that are proved apart; in an exercise, answers may be anywhere."""
    return book.manifest.exercise is None and bool(book.manifest.trainings)


def without_trainings(book: Book) -> Book:
    """A workbook without the ranges of its trainings, and without all ranges that are computed from them."""
    manifest = book.manifest
    trained = manifest.trainings
    every = {*book.names, *manifest.formulas, *manifest.inputs}
    own = {name for name in every if manifest.parse(name).sheet in trained}
    left_out = frozenset(own | Order(book).made_from(*own))
    cells = Cover(book.names[name] for name in left_out if name in book.names)
    return replace(
        book,
        left_out=left_out,
        formulas={at: formula for at, formula in book.formulas.items() if at not in cells},
        manifest=replace(
            manifest,
            sheets=tuple(sheet for sheet in manifest.sheets if sheet.id not in trained),
            inputs=tuple(name for name in manifest.inputs if name not in left_out),
            formulas={name: both for name, both in manifest.formulas.items() if name not in left_out},
            front={key: value for key, value in manifest.front.items() if key != "training"},
        ),
    )
