"""Words that are not in the vocabulary, and duplicates in it; neither is a fault of a formula."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.findings import Finding
from xlsxattn.checker.reading.book import words_in
from xlsxattn.checker.reference.words import uses_blanks
from xlsxattn.contract.kinds import Training
from xlsxattn.contract.names import WORDS, of_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.cells import Grid
    from xlsxattn.checker.reading.book import Book

VOCABULARY = WORDS["Tokens"]
PADDING = "causal+padding"
"""A mask of all kinds of sheets but those with two sentences, which uses blank cells."""


def lacking(book: Book, values: Mapping[str, Grid]) -> Iterator[Finding]:
    """A warning for each unknown word of a sentence, and for each duplicate in the vocabulary."""
    if VOCABULARY not in book.names or VOCABULARY not in values:
        return
    known = words_in(values[VOCABULARY])
    blanks = uses_blanks(book.manifest.sheets)
    compared = [sheet.id for sheet in book.manifest.sheets if sheet.near]
    trained = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Training)]
    for owner in (*book.manifest.contexts, *compared, *trained):
        name = of_context(owner)["Tokens"]
        for i, word in enumerate(words_in(values[name]) if name in book.names and name in values else ()):
            if word in known and word:
                continue
            if not word and (owner in compared or (blanks and owner not in trained)):
                continue
            where = book.names[name].address(i)
            remedy = {} if owner in trained else {"mask": PADDING}
            yield Finding(Kind.UNKNOWN_WORD, name, where, values={"word": word} if word else remedy)
    seen: Counter[str] = Counter()
    for i, word in enumerate(known):
        seen[word] += 1
        if word and seen[word] > 1:
            where = book.names[VOCABULARY].address(i)
            yield Finding(Kind.WORD_TWICE, VOCABULARY, where, values={"word": word})
