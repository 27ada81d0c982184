"""Words of perturbed inputs, put where they come first, second or third in attention, or are lost.

With numbers that grow from word to word, a word attends the more to another the later that stands in the
vocabulary: what a focus word looks at can then be chosen.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from xlsxattn.checker.reference.focus import MAX_COUNT as NAMED
from xlsxattn.contract.kinds import Compare, InSentence, Training
from xlsxattn.contract.names import WORDS, RangeName, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.checker.cells import Edits, Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import SheetInfo

    At: TypeAlias = tuple[str, int, int]

SLOWEST = 1000.0
"""A base of rotary positions with which the last pair hardly turns."""


def ranks(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The last word of every sentence, in focus, comes second among those it looks at; then third.

    That is where numbers grow from word to word, and larger words stand before it. Only then do its look-ups
    show whether they reach as far as the last word. Where positions turn queries and keys, only what hardly
    turns is left of them.
    """
    for behind in range(1, NAMED):
        word = vocabulary[max(-1 - behind, -len(vocabulary))]
        words: dict[At, float | str] = {}
        for own in sentences:
            before = vocabulary[-behind:][: len(own) - 1]
            words |= (
                dict.fromkeys(own, vocabulary[0]) | dict(zip(own, before, strict=False)) | {own[-1]: word}
            )
        yield words | _unturned(book) | focused(book, word)


def _unturned(book: Book) -> dict[At, float | str]:
    """Queries and keys of rotary sheets that consist of the last pair of each head, which turns slowest."""
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
    """The focus word looks at itself, at another place in every sentence; then, standing first, at the last.

    So places in one sentence differ from those in another, and where a mask hides what comes later, from
    those where none does.
    """
    small, large = vocabulary[0], vocabulary[-1]
    words: dict[At, float | str] = {at: small for own in sentences for at in own}
    apart = {own[k % len(own)]: large for k, own in enumerate(sentences, 1)}
    yield words | apart | focused(book, large)
    rest = {at: vocabulary[min(1, len(vocabulary) - 1)] for own in sentences for at in own[1:]}
    yield words | rest | {own[-1]: large for own in sentences if len(own) > 1} | focused(book, small)


def vanishing(
    book: Book, vocabulary: list[str], sentences: list[list[At]], drawn: Mapping[At, float | str]
) -> Iterator[Edits]:
    """Some sentences of a word of which nothing is left in some sheets, but all of it in the others.

    It has a number in the last column alone, all other words have none there, and the last row of the weights
    of those sheets is zero. So every two sheets differ, once for the first sentence and once for the rest.
    """
    every = [RangeName(sheet.id) for sheet in book.manifest.sheets]
    sheets = [sheet for sheet in every if sheet["W_V"] in book.manifest.inputs]
    if not sheets or not any(sheet.is_a(Compare) for sheet in book.manifest.sheets):
        return
    E, last = book.names[WORDS["E"]], vocabulary[-1]
    row = next(at[1] for at, word in texts(book, WORDS["Tokens"]).items() if word == last)
    apart = [at for at in numbers_of(book, WORDS["E"]) if (at[1] == row) != (at[2] == E.col + E.cols - 1)]
    for turn, those in product(range(len(sheets).bit_length()), (sentences[:1], sentences[1:])):
        chosen = [s for i, s in enumerate(sheets, 1) if i >> turn & 1]
        weights = [sheet[f"W_{letter}"] for sheet in chosen for letter in "QKV"]
        zeros = [at for w in weights for at in numbers_of(book, w) if at[1] == book.names[w].row + E.cols - 1]
        words: dict[At, float | str] = {at: vocabulary[0] for own in sentences for at in own}
        words |= {own[-1]: last for own in sentences} | {at: last for own in those for at in own}
        yield words | {at: 0.0 for at in (*apart, *zeros) if at in drawn} | focused(book, last)


def fading(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Where an encoder holds sentences against each other, some depths vanish, and others stay.

    A row is zero without embeddings, or where the norm that made it multiplies by zero and adds it. Of every
    two depths each vanishes once without the other: a test for zero that looks at another depth's row then
    says something else.
    """
    words: dict[At, float | str] = {at: vocabulary[-1] for own in sentences for at in own}
    for sheet in book.manifest.sheets:
        if not sheet.similarity:
            continue
        norms = [RangeName(sheet.id)["Input"]]
        if sheet.residual == "post-norm":
            layers = sheet.taken or range(1, sheet.layers + 1)
            norms += [RangeName(sheet.id, layer=k)["Norm2"] for k in layers]
        depths = [[WORDS["E"]], *([part_of(norm, "Gamma"), part_of(norm, "Beta")] for norm in norms)]
        there = [[name for name in depth if name in book.manifest.inputs] for depth in depths]
        for turn, those in product(range((len(there) - 1).bit_length()), (0, 1)):
            gone = [name for i, depth in enumerate(there) for name in depth if i >> turn & 1 == those]
            zeros = {at: 0.0 for name in gone for at in numbers_of(book, name)}
            yield words | zeros | focused(book, vocabulary[-1])


def asking(book: Book, rounds: Sequence[Edits]) -> Iterator[Edits]:
    """In trainings, which word each example asks for, round by round; and which gradient is checked.

    In every third round one example asks for a word that it lacks: in turn a blank, a word of no example, and
    any word of all. What one round types stays typed in the later ones.
    """
    sheets = [sheet for sheet in book.manifest.sheets if sheet.is_a(Training)]
    typed: dict[At, float | str] = {}
    for turn, edits in enumerate(rounds):
        typed |= edits
        found: dict[At, float | str] = {}
        for sheet in sheets:
            s = RangeName(sheet.id)
            cells, asked = (list(book.names[s[block]].cells()) for block in ("Tokens", "Asked"))
            words, first = [str(typed.get(at, book.typed.get(at, ""))) for at in cells], 0
            for e, (at, n) in enumerate(zip(asked, _lengths(book, sheet), strict=False)):
                found[at] = words[first + (turn + e) % n]
                first += n
            if turn % 3 == 2:  # noqa: PLR2004 - the third
                strange = ("", f"{words[0]} 3", words[turn % len(words)])
                found[asked[turn // 3 % len(asked)]] = strange[turn // 3 % 3]
            matrices = [*sheet.learns, "W"]
            found |= dict.fromkeys(book.names[s["CheckMatrix"]].cells(), matrices[turn % len(matrices)])
        yield found


def _lengths(book: Book, sheet: SheetInfo) -> list[int]:
    """How many words each example of a training has."""
    numbers = [book.typed.get(at) for at in book.names[RangeName(sheet.id)["Example"]].cells()]
    return [*sheet.settings.get("lengths", ())] or [*Counter(numbers).values()]


def focused(book: Book, word: float | str) -> dict[At, float | str]:
    """A word in focus."""
    return dict.fromkeys(book.names[WORDS["Focus"]].cells(), word)


def texts(book: Book, name: str) -> dict[At, str]:
    """The cells of a range that hold typed words."""
    found: dict[At, str] = {}
    for at in book.names[name].cells() if name in book.names else ():
        value: Value = book.typed.get(at)
        if isinstance(value, str) and value:
            found[at] = value
    return found


def numbers_of(book: Book, name: str) -> Iterator[At]:
    """A numeric input's cells; of a large block, a sample."""
    return book.blocks.sample(name) if name in book.blocks else book.names[name].cells()
