"""The cells of sentences, filled with known and unknown words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.checker.reference.words import uses_blanks
from xlsxattn.contract.kinds import Training
from xlsxattn.contract.names import WORDS, of_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.cells import At, Edits, Value
    from xlsxattn.checker.reading.book import Book

MAX_ROUNDS = 16
"""Maximum number of rounds with other words; a larger vocabulary is covered only in part.

More sentences are not varied in turn but in groups."""


def sentences_of(book: Book, *, full: bool) -> list[list[At]]:
    """The cells for words by sentence; unless full, without those that a model fills."""
    written = set() if full else {c for sheet in book.manifest.sheets for c in sheet.writes_into}
    typed = written if uses_blanks(book.manifest.sheets) else {*book.manifest.contexts}
    others = [sheet.id for sheet in book.manifest.sheets if sheet.near or sheet.is_a(Training)]
    names = {c: of_context(c)["Tokens"] for c in (*book.manifest.contexts, *others)}
    every = [
        list(texts(book, name)) if c in typed else list(book.names[name].cells())
        for c, name in names.items()
        if name in book.names
    ]
    return [sentence for sentence in every if sentence]


def texts(book: Book, name: str) -> dict[At, str]:
    """The cells of a range with typed words."""
    words: dict[At, str] = {}
    for at in book.names[name].cells() if name in book.names else ():
        value: Value = book.typed.get(at)
        if isinstance(value, str) and value:
            words[at] = value
    return words


def focused(book: Book, word: float | str) -> dict[At, float | str]:
    """Set the focus word."""
    return dict.fromkeys(book.names[WORDS["Focus"]].cells(), word)


def fill(vocabulary: list[str], sentences: list[list[At]], start: int = 0) -> dict[At, float | str]:
    """Fill sentences with the words of the vocabulary in order, starting at an index."""
    slots = [at for sentence in sentences for at in sentence]
    return {at: vocabulary[(start + i) % len(vocabulary)] for i, at in enumerate(slots)}


def every_word(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Fill sentences with all words in turn; the focus is a word of each sentence in turn."""
    slots = sum(map(len, sentences))
    for r in range(min(MAX_ROUNDS, -(-len(vocabulary) // slots))):
        placed = fill(vocabulary, sentences, r * slots)
        sentence = sentences[r % len(sentences)]
        yield placed | focused(book, placed[sentence[r % len(sentence)]])


def groups_of(sentences: list[list[At]]) -> Iterator[list[list[At]]]:
    """Each sentence in turn; if these are many, groups of them, so that any two differ in at least one."""
    if len(sentences) <= MAX_ROUNDS:
        yield from ([sentence] for sentence in sentences)
        return
    for bit in range(len(sentences).bit_length()):
        yield [sentence for k, sentence in enumerate(sentences, 1) if k >> bit & 1]


def unknown_word(vocabulary: list[str]) -> str:
    """A word that is not in the vocabulary, if possible a known one in upper case."""
    word = vocabulary[0].upper()
    return word if word not in vocabulary else f"{word} 2"
