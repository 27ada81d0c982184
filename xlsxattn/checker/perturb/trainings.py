"""Inputs of trainings: target words, numbers beyond their limits, slow runs, and runs that diverge."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from xlsxattn.checker.perturb.numbers import numbers_of
from xlsxattn.checker.perturb.sentences import fill, focused, groups_of
from xlsxattn.checker.perturb.words import blank_ends, last_unknown, numeric_words
from xlsxattn.contract.kinds import Training
from xlsxattn.contract.names import WORDS, RangeName, is_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from xlsxattn.checker.cells import At, Edits
    from xlsxattn.checker.reading.book import Book

BEYOND = 3e7
"""Where a training has limits, they are smaller than this."""
FAST, FAST_ADAM = 10.0, 200_000.0
"""Learning rates at which weights, with a decay of 1, become too large in a few steps, but not at once."""
SLOW = 1e-4
"""A learning rate times the steps with which a loss falls by less than half a percent."""
TURNING = 3.0
"""A learning rate times a decay that changes the sign of weights and doubles them."""
LATE = 1e3
"""A step after the last one: the last one is shown, which is after a divergence."""


def beyond_limits(book: Book) -> Iterator[dict[At, float | str]]:
    """Numbers of trainings that are brought within limits: each one is once below, once within, once above.

    The turn differs between neighbouring cells, a matrix and its transpose, and ranges of the same shape.
    """
    training = {sheet.id: sheet for sheet in book.manifest.sheets if sheet.is_a(Training)}
    own = [name for name in book.manifest.inputs if book.manifest.parse(name).sheet in training]
    numeric = [name for name in (WORDS["E"], *own) if not is_text(name)]
    cycle = (-BEYOND, None, BEYOND)
    for turn in range(len(cycle) if training else 0):
        far: dict[At, float | str] = {}
        for k, name in enumerate(numeric):
            area = book.names[name]
            down, right, both = (1, 2, k // 6) if k // 3 % 2 else (2, 1, k // 6)
            for at in numbers_of(book, name):
                row, col = at[1] - area.row, at[2] - area.col
                place = k + turn + down * row + right * col + both * row * col
                if (number := cycle[place % len(cycle)]) is not None:
                    far[at] = number
        yield far


def diverging_runs(book: Book) -> Iterator[dict[At, float | str]]:
    """Learning rates and decays with which runs diverge; then with which losses rise and fall, twice."""
    training = {sheet.id: sheet for sheet in book.manifest.sheets if sheet.is_a(Training)}
    fast: dict[At, float | str] = {}
    for name, sheet in training.items():
        rate = FAST_ADAM if sheet.optimizer == "adam" else FAST
        for block, value in (("LearningRate", rate), ("WeightDecay", 1.0), ("Step", LATE)):
            fast |= dict.fromkeys(book.names[RangeName(name)[block]].cells(), value)
    if fast:
        yield fast
    for _ in range(2 if fast else 0):
        yield _oscillating(book, training)


def slow_runs(book: Book) -> dict[At, float | str]:
    """Learning rates with which losses fall only slightly, without a decay, which could let them rise."""
    edits: dict[At, float | str] = {}
    for sheet in book.manifest.sheets:
        if sheet.is_a(Training):
            for block, value in (("LearningRate", SLOW / sheet.steps), ("WeightDecay", 0.0)):
                edits |= dict.fromkeys(book.names[RangeName(sheet.id)[block]].cells(), value)
    return edits


def _oscillating(book: Book, training: Iterable[str]) -> dict[At, float | str]:
    """Learning rates and decays with which each step changes the sign of weights and doubles them.

    So losses rise and fall. A tiny h makes the rounding error of the gradient check visible.
    """
    swinging = {"LearningRate": FAST, "WeightDecay": TURNING / FAST, "CheckH": 0.0}
    edits: dict[At, float | str] = {}
    for name in training:
        for block, value in swinging.items():
            edits |= dict.fromkeys(book.names[RangeName(name)[block]].cells(), value)
    return edits


def odd_in_trainings(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Unusual words that are tried with the trainings.

    An unknown word is last only in the examples of each training in turn, then in the first sentence.
    """
    examples = [sentence for sentence in sentences if sentence[0] in _of_trainings(book)]
    yield from last_unknown(book, vocabulary, sentences, (*groups_of(examples), [sentences[0]]))
    yield from islice(numeric_words(book, vocabulary, sentences), 1)
    yield blank_ends(book, vocabulary, sentences)


def focus_in_turn(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The focus word is last in each sentence in turn and in no other; examples have any words."""
    others = [sentence for sentence in sentences if sentence[0] not in _of_trainings(book)]
    words = fill(vocabulary, sentences) | fill(vocabulary[:-1] or vocabulary, others)
    last = vocabulary[-1]
    for those in groups_of(others):
        yield words | {sentence[-1]: last for sentence in those} | focused(book, last)


def _of_trainings(book: Book) -> set[At]:
    """The cells of the words of trainings."""
    names = [RangeName(sheet.id)["Tokens"] for sheet in book.manifest.sheets if sheet.is_a(Training)]
    return {at for name in names for at in book.names[name].cells()}


def target_words(book: Book, rounds: Sequence[Edits]) -> Iterator[Edits]:
    """The target words of trainings, round by round, and which gradient is checked.

    In every third round, one example lacks its target word, which is in turn a blank, a word of no example,
    and one of another example; each example twice, as unusual words hide it in some rounds. Edits of a round
    stay in effect in later ones.
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
            own = []
            for e, (at, n) in enumerate(zip(asked, sheet.examples, strict=False)):
                own.append(words[first : first + n])
                found[at] = own[e][(turn + e) % n]
                first += n
            if (turn + 1) % 3 == 0:
                e = turn // 6 % len(asked)
                others = [word for word in words if word not in own[e]]
                strange = ("", f"{words[0]} 3", *others[:1])
                found[asked[e]] = strange[turn // 3 % len(strange)]
            matrices = [*sheet.learns, "W"]
            found |= dict.fromkeys(book.names[s["CheckMatrix"]].cells(), matrices[turn % len(matrices)])
        yield found
