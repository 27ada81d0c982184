"""Perturbed inputs for the same formulas, which reveal faults that a single set of inputs hides.

A symmetric matrix hides a missing transpose, zero weights hide a wrong reference, a word that no sentence
uses hides a lookup that is one row short, and sentences without unknown words hide how those are handled.

This module says which sets there are and in which order; the other modules say what is in them.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from xlsxattn.checker.perturb.attention import fading, places, ranks, vanishing
from xlsxattn.checker.perturb.first_screen import NEARLY, encoded, outcomes, unreadable, verdicts
from xlsxattn.checker.perturb.numbers import (
    DECIMALS,
    WIDE,
    Numbers,
    below_zero,
    limits_of,
    numbers_of,
    sparse,
    typed_positions,
)
from xlsxattn.checker.perturb.sentences import every_word, fill, focused, sentences_of, texts
from xlsxattn.checker.perturb.trainings import (
    beyond_limits,
    diverging_runs,
    focus_in_turn,
    odd_in_trainings,
    slow_runs,
    target_words,
)
from xlsxattn.checker.perturb.words import (
    alone,
    duplicates,
    masked_words,
    odd_beside_trainings,
    odd_words,
    prompts,
    renamed,
    writing,
)
from xlsxattn.checker.reference.words import uses_blanks
from xlsxattn.checker.without_trainings import is_trained
from xlsxattn.contract.kinds import Training
from xlsxattn.contract.names import WORDS, RangeName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.checker.cells import At, Edits
    from xlsxattn.checker.reading.book import Book

FARTHER = 10.0
"""Factor by which the numbers drawn with the book's seed may exceed the usual limits."""
FEW = 4
"""One in this many sets is enough for a workbook that was just built, and reveals nearly all faults."""
MAX_VALUES = 4_000_000
"""Maximum number of values of all rounds together; very large workbooks get fewer rounds."""
MAX_VALUES_IN_LARGE = 1_000_000
"""The same for workbooks with large blocks, of which only a sample is perturbed."""


def perturbed(book: Book, *, few: bool = False) -> list[Edits]:
    """Sets of edits to a workbook's inputs, deterministic except for the last; if ``few``, only some of them.

    The first set has other numbers within ±2 in every numeric input. The next ones have other numbers and
    words, in enough rounds to use every row of the vocabulary, with the focus word in each sentence in turn;
    some have positions of words that are blank, fractions or beyond the sentence, if a sheet has such inputs.
    Then come increasing numbers, sparse numbers and unusual words; prompts of other lengths if blank cells
    have a meaning; a temperature below 0 if an attention sheet has one; nearly equal numbers if there is a
    first screen; numbers beyond the limits of trainings, and runs that diverge; sentences whose last word
    ranks second or third in attention; sentences whose values vanish on some sheets; and a vocabulary with
    duplicates. The last set has numbers well beyond ±2 and random words, drawn with the book's seed, to
    reveal formulas that fit only the other sets. In every set, trainings have other target words. Cells with
    a formula of the user are not edited.

    A workbook with trainings gets the sets that change what these read. A copy without them gets only the
    other sets, as its sheets were proved together with the trainings.
    """
    vocabulary = list(dict.fromkeys(texts(book, WORDS["Tokens"]).values()))
    limits = limits_of(book)
    numbers = Numbers(limits)
    if is_trained(book):
        rounds = [*_for_trainings(book, vocabulary, numbers)]
    else:
        rounds = [
            *([] if book.left_out else [numbers.drawn()]),
            *_other_words(book, vocabulary, numbers),
            *_negative_temperature(book, numbers),
            *_with_blanks(book, vocabulary, numbers),
            *_first_screen(book, vocabulary, numbers),
            *_beyond(book, vocabulary, numbers),
            *_rare(book, vocabulary, numbers),
            *_ranked(book, vocabulary, Numbers(limits)),
        ]
    rounds.append(_as_drawn(book, vocabulary, limits))
    for i, typed in zip(range(1, len(rounds) - 1), typed_positions(book), strict=False):
        rounds[i] = {**rounds[i], **typed}
    if few:
        return _kept(book, [*rounds[:-1:FEW], rounds[-1]], FEW)
    return _kept(book, rounds)


def _kept(book: Book, rounds: list[Edits], part: int = 1) -> list[Edits]:
    """The rounds for the size of the workbook, always with the last, without edits to formula cells.

    ``part`` divides the number of values that are allowed.
    """
    values = sum(area.rows * area.cols for name, area in book.names.items() if name not in book.blocks)
    most = MAX_VALUES_IN_LARGE if len(book.blocks) else MAX_VALUES
    few = max(1, most // part // values)
    chosen = rounds if len(rounds) <= few else [*rounds[: few - 1], rounds[-1]]
    whole = [{**edits, **asked} for edits, asked in zip(chosen, target_words(book, chosen), strict=True)]
    keep = {at for edits in whole for at in book.formulas.keys() & edits.keys()}
    return [{at: x for at, x in edits.items() if at not in keep} if keep else edits for edits in whole]


def _other_words(book: Book, vocabulary: list[str], numbers: Numbers) -> Iterator[Edits]:
    """Other numbers and words: every word, increasing numbers, zeros, a single word, unknown words."""
    sentences, full = sentences_of(book, full=False), sentences_of(book, full=True)
    if not vocabulary or not sentences:
        return
    for words in () if book.left_out else every_word(book, vocabulary, sentences):
        yield numbers.drawn() | dict(words)
    last = dict.fromkeys((sentence[-1] for sentence in sentences), vocabulary[-1])
    filled = fill(vocabulary[:-1] or vocabulary, sentences)
    yield numbers.growing() | filled | last | focused(book, vocabulary[-1])
    if book.names[WORDS["E"]].cols > WIDE:  # random wide rows attend to themselves
        filled = fill(vocabulary[1:] or vocabulary, sentences)
        yield numbers.growing() | filled | {sentence[-1]: vocabulary[0] for sentence in sentences}
    for make in (sparse, alone, odd_beside_trainings if book.left_out else odd_words):
        for edits in make(book, vocabulary, full):
            yield numbers.drawn() | dict(edits)


def _for_trainings(book: Book, vocabulary: list[str], numbers: Numbers) -> Iterator[Edits]:
    """Other numbers and words; slow runs; unusual words; numbers beyond limits; runs that diverge.

    The sets with usual words show the first step, whose loss is usually the largest. Slow runs have no focus
    word. While runs diverge, the vocabulary has duplicates, which stay typed.
    """
    training = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Training)]
    first = {at: 1.0 for sheet in training for at in book.names[RangeName(sheet)["Step"]].cells()}
    sentences = sentences_of(book, full=True)
    yield numbers.drawn() | first
    if vocabulary and sentences:
        for words in every_word(book, vocabulary, sentences):
            yield numbers.drawn() | dict(words) | first
        yield numbers.drawn() | fill(vocabulary, sentences) | focused(book, "") | first | slow_runs(book)
        for words in odd_in_trainings(book, vocabulary, sentences):
            yield numbers.drawn() | dict(words)
    turns = [*focus_in_turn(book, vocabulary, sentences)] if vocabulary and sentences else []
    for far, words in zip_longest(beyond_limits(book), turns):
        yield numbers.drawn() | dict(words or {}) | (far or {})
    twice = [*duplicates(book, vocabulary, sentences)] if vocabulary and sentences else []
    for diverging, words in zip_longest(diverging_runs(book), twice):
        yield numbers.drawn() | dict(words or {}) | (diverging or {})


def _negative_temperature(book: Book, numbers: Numbers) -> Iterator[Edits]:
    """A temperature below 0, if an attention sheet has one."""
    if below := below_zero(book):
        yield numbers.drawn(small=True) | below


def _with_blanks(book: Book, vocabulary: list[str], numbers: Numbers) -> Iterator[Edits]:
    """Prompts of other lengths, and masked words, if blank cells have a meaning."""
    if not vocabulary or not uses_blanks(book.manifest.sheets):
        return
    for make in (prompts, masked_words):
        for words in make(book, vocabulary):
            yield numbers.drawn() | dict(words)


def _ranked(book: Book, vocabulary: list[str], numbers: Numbers) -> Iterator[Edits]:
    """Scores so small that no weight vanishes: the first three words differ between sheets."""
    sentences = sentences_of(book, full=True)
    if not vocabulary or not sentences:
        return
    last = dict.fromkeys((sentence[-1] for sentence in sentences), vocabulary[-1])
    own = texts(book, WORDS["Tokens"])  # earlier sets may have changed them
    for start in range(2):
        words = fill(vocabulary, sentences, start) | last | focused(book, vocabulary[-1])
        yield numbers.drawn(small=True) | own | words


def _rare(book: Book, vocabulary: list[str], numbers: Numbers) -> Iterator[Edits]:
    """Rare cases: generated text, ranks, vanishing rows, renamed words, duplicates in the vocabulary."""
    full = sentences_of(book, full=True)
    if not vocabulary or not full:
        return
    for words in writing(book, vocabulary):
        yield numbers.drawn() | dict(words)
    for words in (*ranks(book, vocabulary, full), *places(book, vocabulary, full)):
        yield numbers.growing(small=True) | dict(words)
    drawn = numbers.drawn()
    for edits in vanishing(book, vocabulary, full, drawn):
        yield drawn | dict(edits)
    for make in (fading, renamed, *([] if book.left_out else [duplicates])):
        for edits in make(book, vocabulary, full):
            yield numbers.drawn() | dict(edits)


def _first_screen(book: Book, vocabulary: list[str], numbers: Numbers) -> Iterator[Edits]:
    """Chosen or nearly equal numbers, unreadable sentences, no focus word: for texts on the first screen."""
    sentences = sentences_of(book, full=True)
    if not book.manifest.front or not vocabulary or not sentences:
        return
    places = {name: book.manifest.parse(name) for name in book.manifest.inputs}
    near = [name for name, at in places.items() if name == WORDS["E"] or at.block in ("W_C", "b_C")]
    chosen = [edits for make in (outcomes, encoded, verdicts) for edits in make(book, vocabulary)]
    for turn, (center, radius) in enumerate(() if chosen else NEARLY):
        drawn, word = numbers.drawn(), vocabulary[turn % len(vocabulary)]
        alike = {at: center + radius * float(drawn[at]) for name in near for at in numbers_of(book, name)}
        words = fill(vocabulary, sentences, 3 * turn) | {own[-1]: word for own in sentences}
        yield drawn | alike | words | focused(book, word)
    for edits in (*chosen, *unreadable(book, vocabulary)):
        yield numbers.drawn() | dict(edits)
    if not book.left_out:
        yield numbers.drawn() | fill(vocabulary, sentences) | focused(book, "")


def _beyond(book: Book, vocabulary: list[str], numbers: Numbers) -> Iterator[Edits]:
    """Numbers of trainings beyond their limits; then runs that diverge."""
    words: dict[At, float | str] = {}
    if vocabulary:
        words = fill(vocabulary, sentences_of(book, full=True)) | focused(book, vocabulary[0])
    for edits in (*beyond_limits(book), *diverging_runs(book)):
        yield numbers.drawn() | words | edits


def _as_drawn(book: Book, vocabulary: list[str], limits: dict[At, tuple[float, float]]) -> Edits:
    """The set drawn with the book's seed: numbers up to ±20, and random words.

    Positive inputs are drawn from a tenth of their lower limit to ten times their upper limit.
    """
    rng, sentences = np.random.default_rng(book.seed), sentences_of(book, full=True)
    low, high = np.array(list(limits.values())).reshape(-1, 2).T
    positive = low > 0
    least, most = np.log10(np.where(positive, low, 1.0)) - 1, np.log10(np.where(positive, high, 1.0)) + 1
    numbers = rng.uniform(low, high) * FARTHER ** rng.uniform(0, 1, len(low))
    numbers = np.where(positive, 10 ** rng.uniform(least, most), numbers.round(DECIMALS))
    drawn: dict[At, float | str] = dict(zip(limits, numbers.tolist(), strict=True))
    typed = texts(book, WORDS["Tokens"])
    words = [*typed.values()]
    drawn |= {at: words[i] for at, i in zip(typed, rng.permutation(len(words)), strict=True)}
    pool = [*vocabulary, ""] if uses_blanks(book.manifest.sheets) else vocabulary
    for sentence in sentences if vocabulary else ():
        drawn |= {
            at: pool[i] for at, i in zip(sentence, rng.integers(len(pool), size=len(sentence)), strict=True)
        }
    said = [str(drawn[at]) for sentence in sentences for at in sentence if drawn.get(at)]
    return drawn | (focused(book, said[int(rng.integers(len(said)))]) if said else {})
