"""Unusual words and sentences: unknown, numeric, blank, renamed or repeated words, and other lengths."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from xlsxattn.checker.perturb.numbers import numbers_of
from xlsxattn.checker.perturb.sentences import MAX_ROUNDS, fill, focused, groups_of, texts, unknown_word
from xlsxattn.contract.kinds import Model
from xlsxattn.contract.names import WORDS, of_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from xlsxattn.checker.cells import At, Edits
    from xlsxattn.checker.reading.book import Book

RENAMED, RENAMED_IN_MODELS = 3, 14
"""Number of rounds with renamed words; models need more."""


def alone(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The focus word is last in some sentences only; then in all of them.

    Then some sentences have only unknown words. Then all embeddings are zero, so that only positional
    encodings and biases are left.
    """
    first, last = vocabulary[0], vocabulary[-1]
    for those in (*groups_of(sentences), *([sentences] if sentences[1:] else ())):
        words: dict[At, float | str] = {at: first for sentence in sentences for at in sentence}
        yield words | {sentence[-1]: last for sentence in those} | focused(book, last)
    unknown = unknown_word(vocabulary)
    for those in groups_of(sentences):
        said: dict[At, float | str] = {at: first for one in sentences for at in one}
        said |= {one[-1]: unknown for one in sentences} | {at: unknown for one in those for at in one}
        yield said | focused(book, unknown)
    zeros = dict.fromkeys(numbers_of(book, WORDS["E"]), 0.0)
    yield zeros | {at: first for sentence in sentences for at in sentence} | focused(book, first)


def odd_words(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Unusual words: unknown, repeated, numeric and blank ones.

    An unknown word is last in some sentences, then in all.
    """
    groups = (*groups_of(sentences), *([sentences] if sentences[1:] else ()))
    yield from last_unknown(book, vocabulary, sentences, groups)
    yield from numeric_words(book, vocabulary, sentences)
    yield blank_ends(book, vocabulary, sentences)


def odd_beside_trainings(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Unusual words that are tried without the trainings: the others of `odd_words`."""
    yield from last_unknown(book, vocabulary, sentences, (*groups_of(sentences[1:]), sentences))
    yield from islice(numeric_words(book, vocabulary, sentences), 1, None)


def last_unknown(
    book: Book, vocabulary: list[str], sentences: list[list[At]], groups: Iterable[list[list[At]]]
) -> Iterator[Edits]:
    """An unknown word is last in each group of sentences in turn, and in focus.

    The other words are repeated, and the dimensions renamed. The unknown word is a known one in upper case,
    which only a case-insensitive lookup finds.
    """
    known = _repeated(vocabulary, sentences)
    dims = {at: f"{text} 2" for at, text in texts(book, WORDS["Dims"]).items()}
    unknown = unknown_word(vocabulary)
    for those in groups:
        yield known | dims | {sentence[-1]: unknown for sentence in those} | focused(book, unknown)


def numeric_words(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """All words are unknown and look like a number; the focus is another number, then 0.

    Only a numeric lookup finds the focus.
    """
    number, other = [f"{i}" for i in range(1, len(vocabulary) + 3) if f"{i}" not in vocabulary][:2]
    for focus in [text for text in (other, "0") if text not in vocabulary]:
        yield {at: number for sentence in sentences for at in sentence} | focused(book, focus)


def blank_ends(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Edits:
    """The first and last word of every sentence and the focus are blank."""
    blank = {at: "" for sentence in sentences for at in (sentence[0], sentence[-1])}
    return _repeated(vocabulary, sentences) | blank | focused(book, "")


def _repeated(vocabulary: list[str], sentences: list[list[At]]) -> dict[At, float | str]:
    """Fill sentences with the words of the vocabulary in order, each one twice."""
    return fill([word for word in vocabulary for _ in range(2)], sentences)


def renamed(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Rename the words of the vocabulary and the classes, and fill the sentences with other words."""
    classes = [name for name in book.manifest.inputs if book.manifest.parse(name).block == "Classes"]
    worded = [WORDS["Tokens"], *classes]
    cells = {at: text for name in worded for at, text in texts(book, name).items()}
    models = any(sheet.is_a(Model) for sheet in book.manifest.sheets)
    for turn in range(RENAMED_IN_MODELS if models else RENAMED):
        said = fill(vocabulary, sentences, 3 * turn)
        yield {at: f"{text}~{turn}" for at, text in {**cells, **said}.items()}


def duplicates(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Vocabularies with duplicates: two words of every three are equal, then two others; then all are.

    For each row, its number of duplicates differs from that of the next row in at least one of them. One
    word differs from another only in case.
    """
    cells, n = list(texts(book, WORDS["Tokens"])), len(vocabulary)
    pairs = [[vocabulary[(i - (i % 3 == twin)) % n] for i in range(len(cells))] for twin in (2, 0)]
    pairs[0][0] = unknown_word(pairs[0][1:] or vocabulary)
    for known in (*pairs, [vocabulary[0]] * len(cells)):
        said = fill(known, sentences)
        yield said | dict(zip(cells, known, strict=True)) | focused(book, known[0])


def masked_words(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """The focus word at the first four positions, after a blank cell in every other sentence.

    So a causal mask, a padding mask and both let it see different numbers of words. Then it is the only word,
    and one of two words.
    """
    if not any(book.manifest.parse(name).block == "FocusSeen" for name in book.names):
        return
    others, last = vocabulary[:-1] or vocabulary, vocabulary[-1]
    sentences = [list(book.names[of_context(c)["Tokens"]].cells()) for c in book.manifest.contexts]
    for at in range(4):
        for turn in range(2) if at else (0,):
            words: dict[At, float | str] = {}
            for k, sentence in enumerate(sentences):
                words |= fill(others, [sentence]) | dict.fromkeys(sentence[at : at + 1], last)
                blank = sentence[at - 1 : at] if (k + turn) % 2 and at < len(sentence) else []
                words |= dict.fromkeys(blank, "")
            yield words | focused(book, last)
    for few in (1, 2):
        alone: dict[At, float | str] = {}
        for sentence in sentences:
            alone |= (
                dict.fromkeys(sentence, "") | dict.fromkeys(sentence[:few], others[0]) | {sentence[0]: last}
            )
        yield alone | focused(book, last)


def writing(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """If a model generates text, start from a single word, with each word in focus in turn.

    This distinguishes lookups among the typed and among the generated words.
    """
    if any(sheet.writes_into for sheet in book.manifest.sheets):
        places = [list(book.names[of_context(c)["Tokens"]].cells()) for c in book.manifest.contexts]
        empty: dict[At, float | str] = {at: "" for sentence in places for at in sentence}
        for word in vocabulary[1 : 1 + MAX_ROUNDS]:
            yield empty | {sentence[0]: vocabulary[0] for sentence in places} | focused(book, word)


def prompts(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """Sentences of other lengths: full, one word, empty, with gaps, and without a first word.

    Gaps reveal whether padding and generation depend on each cell rather than on the number of words.
    """
    places = [list(book.names[of_context(c)["Tokens"]].cells()) for c in book.manifest.contexts]
    typed: list[Callable[[int, int], bool]] = [
        lambda i, n: i < n,
        lambda i, _: i == 0,
        lambda _i, _n: False,
        lambda i, _: i % 3 != 1,
        lambda i, n: 0 < i < n // 2 + 1,
    ]
    for turn in range(len(typed)):
        words: dict[At, float | str] = {}
        for k, sentence in enumerate(places):
            here = typed[(turn + k) % len(typed)]
            for i, at in enumerate(sentence):
                words[at] = vocabulary[(turn + 2 * i) % len(vocabulary)] if here(i, len(sentence)) else ""
        yield words
