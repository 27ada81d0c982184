"""Words of the sentences that the vocabulary lacks, and words that it has twice: no fault of any formula."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from xlsxattn.checker.compare import Finding
from xlsxattn.checker.reading.book import array_of
from xlsxattn.checker.reference.words import uses_blanks
from xlsxattn.contract.names import WORDS, of_context
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.cells import Grid
    from xlsxattn.checker.reading.book import Book

VOCABULARY = WORDS["Tokens"]


def lacking(book: Book, values: Mapping[str, Grid]) -> Iterator[Finding]:
    """A warning for each cell of a sentence with an unknown word, and for each word that stands once more."""
    if VOCABULARY not in book.names or VOCABULARY not in values:
        return
    known = _words(values[VOCABULARY])
    blanks = uses_blanks(book.manifest.sheets)
    compared = [sheet.id for sheet in book.manifest.sheets if sheet.settings.get("near")]
    for owner in (*book.manifest.contexts, *compared):
        name = of_context(owner)["Tokens"]
        for i, word in enumerate(_words(values[name]) if name in book.names and name in values else ()):
            if word in known and word:
                continue
            if word:
                said = say("{word!r} is not in the vocabulary", word=word)
            elif blanks or owner in compared:
                continue
            else:
                said = say("the cell is blank, a word of the vocabulary is needed")
            yield _warning("unknown word", name, book.names[name].address(i), said)
    seen: Counter[str] = Counter()
    for i, word in enumerate(known):
        seen[word] += 1
        if word and seen[word] > 1:
            said = say("{word!r} stands in the vocabulary already, and that row counts", word=word)
            yield _warning("word twice", VOCABULARY, book.names[VOCABULARY].address(i), said)


def _words(grid: Grid) -> list[str]:
    """The texts of a column; a number that was typed for a word reads as its text."""
    return [str(word) for word in array_of(grid, text=True)[:, 0]]


def _warning(kind: str, name: str, cell: str, said: str) -> Finding:
    return Finding(kind, name, cell, said, severity="warning")
