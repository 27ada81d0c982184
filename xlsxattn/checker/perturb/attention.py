"""Words that rank first, second or third in attention, or whose values vanish.

If the numbers increase from word to word, words attend more to later words of the vocabulary. So the words
that the focus word attends to can be chosen.
"""

from __future__ import annotations

import math
from itertools import combinations, count, islice, product
from typing import TYPE_CHECKING

from xlsxattn.checker.perturb.numbers import numbers_of
from xlsxattn.checker.perturb.sentences import focused, texts
from xlsxattn.checker.reference.focus import MAX_COUNT as NAMED
from xlsxattn.contract.kinds import Compare, InSentence
from xlsxattn.contract.names import WORDS, RangeName, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xlsxattn.checker.cells import At, Edits
    from xlsxattn.checker.reading.book import Book

SLOWEST = 1000.0
"""A base of rotary positions with which the last pair hardly rotates."""


def ranks(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The focus word is last in every sentence and ranks second in its own attention; then third.

    With increasing numbers, this needs larger words before it. It reveals lookups that do not reach the last
    word. With rotary positions, only the slowest pair of queries and keys is kept.
    """
    for larger in range(1, NAMED):
        word = vocabulary[max(-1 - larger, -len(vocabulary))]
        words: dict[At, float | str] = {}
        for sentence in sentences:
            before = vocabulary[-larger:][: len(sentence) - 1]
            words |= (
                dict.fromkeys(sentence, vocabulary[0])
                | dict(zip(sentence, before, strict=False))
                | {sentence[-1]: word}
            )
        yield words | _unturned(book) | focused(book, word)


def _unturned(book: Book) -> dict[At, float | str]:
    """Zero the weights of queries and keys on rotary sheets except the last (slowest) pair of each head."""
    edits: dict[At, float | str] = {}
    for sheet in book.manifest.sheets:
        names = [RangeName(sheet.id)[block] for block in ("W_Q", "W_K", "Base")]
        if not sheet.is_a(InSentence) or sheet.position != "rotary":
            continue
        if not {*names} <= {*book.manifest.inputs}:
            continue
        for name, heads in zip(names[:2], (sheet.heads, sheet.kv_heads or sheet.heads), strict=True):
            area = book.names[name]
            width = max(1, area.cols // int(heads))
            edits |= {at: 0.0 for at in numbers_of(book, name) if (at[2] - area.col + 1) % width}
        edits |= dict.fromkeys(book.names[names[2]].cells(), SLOWEST)
    return edits


def places(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The focus word attends to itself, at another position in every sentence; then from first to last.

    So positions differ between sentences, and between sheets with and without a causal mask.
    """
    small, large = vocabulary[0], vocabulary[-1]
    words: dict[At, float | str] = {at: small for sentence in sentences for at in sentence}
    apart = {sentence[k % len(sentence)]: large for k, sentence in enumerate(sentences, 1)}
    yield words | apart | focused(book, large)
    rest = {at: vocabulary[min(1, len(vocabulary) - 1)] for sentence in sentences for at in sentence[1:]}
    yield (
        words
        | rest
        | {sentence[-1]: large for sentence in sentences if len(sentence) > 1}
        | focused(book, small)
    )


def vanishing(
    book: Book, vocabulary: list[str], sentences: list[list[At]], drawn: Mapping[At, float | str]
) -> Iterator[Edits]:
    """Sentences of a word whose values vanish on some sheets, but not on the others.

    Only this word is nonzero in the last column, and it is zero elsewhere; the last row of the weights of the
    chosen sheets is zero. So of any two sheets, each vanishes once without the other, once for the first
    sentence and once for the others.
    """
    prefixes = [RangeName(sheet.id) for sheet in book.manifest.sheets]
    sheets = [s for s in prefixes if s["W_V"] in book.manifest.inputs]
    if not sheets or not any(sheet.is_a(Compare) for sheet in book.manifest.sheets):
        return
    E, last = book.names[WORDS["E"]], vocabulary[-1]
    last_row = next(at[1] for at, word in texts(book, WORDS["Tokens"]).items() if word == last)
    last_col = E.col + E.cols - 1
    zeros_of_E = [at for at in numbers_of(book, WORDS["E"]) if (at[1] == last_row) != (at[2] == last_col)]
    for turn, full in product(turns_apart(len(sheets)), (sentences[:1], sentences[1:])):
        words: dict[At, float | str] = {at: vocabulary[0] for sentence in sentences for at in sentence}
        words |= {sentence[-1]: last for sentence in sentences}
        words |= {at: last for sentence in full for at in sentence}
        zeros = [*zeros_of_E]
        for sheet in (sheets[i] for i in turn):
            for name in (sheet["W_Q"], sheet["W_K"], sheet["W_V"]):
                row = book.names[name].row + E.cols - 1
                zeros += [at for at in numbers_of(book, name) if at[1] == row]
        yield words | {at: 0.0 for at in zeros if at in drawn} | focused(book, last)


def turns_apart(n: int) -> list[list[int]]:
    """Turns that each choose some of n indices: of any two, each is chosen once without the other.

    For this, each index is chosen in as many turns, and no two in the same (Sperner's theorem).
    """
    turns = next(t for t in count(1) if math.comb(t, t // 2) >= n)
    chosen = [*islice(combinations(range(turns), -(-turns // 2)), n)]
    return [[i for i, those in enumerate(chosen) if turn in those] for turn in range(turns)]


def fading(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """If an encoder compares sentences, the rows of some depths vanish, and those of others do not.

    A row is zero if the embeddings and learned positions are zero, or γ and β of the norm that computed it.
    Except for the input and the embeddings in it, each of any two depths vanishes once without the other,
    which reveals a test for zero that reads the row of another depth.
    """
    words: dict[At, float | str] = {at: vocabulary[-1] for sentence in sentences for at in sentence}
    for sheet in book.manifest.sheets:
        if not sheet.similarity:
            continue
        s = RangeName(sheet.id)
        norms: list[str] = []
        embedded = [[WORDS["E"]], [WORDS["E"], s["P"]]]
        if part_of(s["Input"], "Gamma") in book.manifest.inputs:
            embedded, norms = embedded[:1], [s["Input"]]
        if sheet.residual == "post-norm":
            layers = sheet.taken or range(1, sheet.layers + 1)
            norms += [RangeName(sheet.id, layer=k)["Norm2"] for k in layers]
        depths = [*embedded, *([part_of(norm, "Gamma"), part_of(norm, "Beta")] for norm in norms)]
        inputs = [[name for name in depth if name in book.manifest.inputs] for depth in depths]
        for turn, bit in product(range((len(inputs) - 1).bit_length()), (0, 1)):
            zeros: dict[At, float | str] = {}
            for i, names in enumerate(inputs):
                if i >> turn & 1 == bit:
                    zeros |= {at: 0.0 for name in names for at in numbers_of(book, name)}
            yield words | zeros | focused(book, vocabulary[-1])
