"""Random inputs, more varied than those of the check, to test whether a fault can change a value at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from xlsxattn.contract.names import WORDS, is_text, of_context

if TYPE_CHECKING:
    from xlsxattn.checker.cells import Area, Edits
    from xlsxattn.checker.reading.book import Book

    At: TypeAlias = tuple[str, int, int]

SEED = 4_711
ROUNDS = 24
WITHIN = {
    "Epsilon": (1e-3, 0.5),
    "Temperature": (0.1, 3.0),
    "Base": (2.0, 20_000.0),
    "CellRow": (-2.0, 12.0),
    "CellCol": (-2.0, 12.0),
}
"""Limits of numbers that are only meaningful if positive, and of positions of words."""
UNKNOWN = ("", "", "unknown", "The", "0", "1", "  ", "é")


def random_inputs(book: Book, rounds: int = ROUNDS) -> list[Edits]:
    """Sets of edits: numbers of all sizes, zeros, blanks, repeated and unknown words, new labels."""
    rng = np.random.default_rng(SEED)
    return [_one(book, rng, turn) for turn in range(rounds)]


def _one(book: Book, rng: np.random.Generator, turn: int) -> Edits:
    edits: dict[tuple[str, int, int], float | str] = {}
    cells = {name: [*book.names[name].cells()] for name in book.manifest.inputs}
    for name, places in cells.items():
        edits |= _any(book, name, places, rng, turn)
    vocabulary = cells[WORDS["Tokens"]]
    sentences = {context: cells[of_context(context)["Tokens"]] for context in book.manifest.contexts}
    own = [str(book.typed.get(at, "")) for at in vocabulary]
    words = list(rng.permutation(own)) if turn % 2 else own
    words = [str(rng.choice(words)) if rng.random() < turn % 3 / 8 else word for word in words]
    edits |= dict(zip(vocabulary, map(str, words), strict=True))
    used = [*words, *UNKNOWN] if turn % 4 else words
    for slots in sentences.values():
        few = [str(word) for word in rng.choice(used, 4)]
        pool = few if turn % 3 == 0 else used
        edits |= {at: str(rng.choice(pool)) for at in slots}
    edits |= {at: f"dim {rng.integers(99)}" for at in cells[WORDS["Dims"]]}
    if turn % 4 == 3:
        for slots in sentences.values():
            edits |= {at: str(rng.choice(own)) for at in slots}
        own_cells = sentences[str(rng.choice(book.manifest.contexts))]
        edits[own_cells[-1 if turn % 8 == 3 else int(rng.integers(len(own_cells)))]] = "unknown"
    place = sentences[str(rng.choice(book.manifest.contexts))]
    focus = edits[place[int(rng.integers(len(place)))]] if turn % 3 else str(rng.choice(used))
    if turn == 0:  # every word is the last of the vocabulary
        edits |= {at: words[-1] for slots in sentences.values() for at in slots}
    if turn % 6 == 5:
        focus = "unknown"
        edits |= {slots[-1]: focus for slots in sentences.values()}
    return edits | dict.fromkeys(cells[WORDS["Focus"]], focus)


def _any(book: Book, name: str, places: list[At], rng: np.random.Generator, turn: int) -> Edits:
    """Values for every cell of an input, except for words, which depend on each other."""
    block = book.manifest.parse(name).block
    if is_text(name):
        return {at: f"{name} {k} {turn}" for k, at in enumerate(places)} if block == "Classes" else {}
    if block in WITHIN:
        return {at: float(rng.uniform(*WITHIN[block])) for at in places}
    size = (0.01, 1.0, 3.0)[turn % 3]
    drawn = rng.uniform(-size, size, len(places)) * (rng.random(len(places)) > turn % 4 / 4)
    if turn % 2:
        drawn *= _thinned(book.names[name], rng)
    return {at: float(value) for at, value in zip(places, drawn, strict=True)}


def _thinned(area: Area, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """A mask of the numbers of a range to keep: all, none, the last column, or all but one column."""
    kept = np.ones((area.rows, area.cols))
    choice = int(rng.integers(6))
    if choice == 0:
        kept[:] = 0
    elif choice == 1:
        kept[:, : -1 if area.cols > 1 else None] = 0
    elif choice == 2:
        kept[:, int(rng.integers(area.cols))] = 0
    return kept.ravel()
