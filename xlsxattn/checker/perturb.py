"""Other inputs for the same formulas: what one input hides, another shows.

A symmetric matrix hides a missing transpose, zero weights hide a wiring fault, a word that no sentence uses
hides a look-up that is a row short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.reader import is_text

if TYPE_CHECKING:
    from xlsxattn.checker.cells import Value
    from xlsxattn.checker.engines import Edits
    from xlsxattn.checker.reader import Book

SEED = 20_170_612  # the day of the paper
LARGEST = 2.0
DECIMALS = 3
MOST_ROUNDS = 16
"""So many times the sentences are filled with other words; a larger vocabulary is covered in part."""


def perturbed(book: Book) -> list[Edits]:
    """Sets of edits to a workbook's inputs, the same ones every time.

    First other numbers, within ±2, in every numeric input. Then other numbers and other words: so many
    rounds that every row of the vocabulary is used once, the focus word standing in each sentence in turn.
    Cells that hold a formula of the user's keep it.
    """
    rng = np.random.default_rng(SEED)
    numbers: dict[tuple[str, int, int], None] = {}
    for name in book.manifest.inputs:
        if not is_text(name):
            numbers |= dict.fromkeys(at for at in book.names[name].cells() if at not in book.formulas)
    rounds: list[Edits] = [_numbers(list(numbers), rng)]
    words = _texts(book, "vocab_Tokens")
    vocabulary = list(dict.fromkeys(words.values()))
    slots = [at for c in book.manifest.contexts for at in _texts(book, f"{c}_Tokens")]
    if not vocabulary or not slots:
        return rounds
    (focus,) = book.names["vocab_Focus"].cells()
    for r in range(min(MOST_ROUNDS, -(-len(vocabulary) // len(slots)))):
        placed = {at: vocabulary[(r * len(slots) + i) % len(vocabulary)] for i, at in enumerate(slots)}
        own = list(_texts(book, f"{book.manifest.contexts[r % len(book.manifest.contexts)]}_Tokens"))
        focused = {} if focus in book.formulas or not own else {focus: placed[own[r % len(own)]]}
        rounds.append({**_numbers(list(numbers), rng), **placed, **focused})
    return rounds


def _numbers(
    cells: list[tuple[str, int, int]], rng: np.random.Generator
) -> dict[tuple[str, int, int], float | str]:
    drawn = rng.uniform(-LARGEST, LARGEST, len(cells)).round(DECIMALS)
    return {at: float(value) for at, value in zip(cells, drawn, strict=True)}


def _texts(book: Book, name: str) -> dict[tuple[str, int, int], str]:
    """The cells of a range that hold typed words."""
    found: dict[tuple[str, int, int], str] = {}
    for at in book.names[name].cells() if name in book.names else ():
        value: Value = book.typed.get(at)
        if isinstance(value, str) and value:
            found[at] = value
    return found
