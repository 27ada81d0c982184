"""Random changes of a workbook's inputs, for the tests of the live page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xlsxattn.contract.names import is_text

if TYPE_CHECKING:
    from random import Random

    from xlsxattn.checker.reading.book import Book


def random_edits(book: Book, random: Random) -> list[tuple[str, int, int, Any]]:
    """One to four changed inputs: numbers, words of the workbook, unknown words, blanks."""
    words = [str(word) for word in _typed(book, "vocab_Tokens")]
    found = []
    for name in random.choices(book.manifest.inputs, k=random.randint(1, 4)):
        area = book.names[name]
        place = area.row + random.randrange(area.rows), area.col + random.randrange(area.cols)
        if is_text(name):
            value: Any = random.choice([*words, *words, "zebra", "", words[0].upper()])
        else:
            value = random.choice([round(random.uniform(-3, 3), 2), random.randint(0, 6), "", "word"])
        found.append((area.sheet, *place, value))
    return found


def _typed(book: Book, name: str) -> list[Any]:
    return [book.typed[at] for at in book.names[name].cells() if at in book.typed]
