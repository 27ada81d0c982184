"""Perturbed inputs for the same formulas, which reveal faults that a single set of inputs hides.

A symmetric matrix hides a missing transpose, zero weights hide a wrong reference, a word that no sentence
uses hides a lookup that is one row short, and sentences without unknown words hide how those are handled.
"""

from __future__ import annotations

from itertools import islice, zip_longest
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from xlsxattn.checker.perturb_words import (
    encoded,
    fading,
    focused,
    numbers_of,
    outcomes,
    places,
    ranks,
    target_words,
    texts,
    unreadable,
    vanishing,
    verdicts,
)
from xlsxattn.checker.reference.words import uses_blanks
from xlsxattn.checker.without_trainings import is_trained
from xlsxattn.contract.kinds import Model, Training
from xlsxattn.contract.names import WORDS, RangeName, is_text, of_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from xlsxattn.checker.cells import Edits
    from xlsxattn.checker.reading.book import Book

    At: TypeAlias = tuple[str, int, int]

SEED = 20_170_612  # the day of the paper
MAX_ABS = 2.0
DECIMALS = 3
FARTHER = 10.0
"""Factor by which the numbers drawn with the book's seed may exceed the usual limits."""
SENSIBLE = {
    "Epsilon": (0.01, 1.0),
    "Base": (2.0, 1000.0),
    "Temperature": (0.5, 2.0),
    "Stretch": (1.0, 16.0),
    "Low": (0.1, 1.0),
    "High": (1.5, 8.0),
    "Trained": (8.0, 64.0),
    "Layer": (0.0, 9.0),
    "Head": (0.0, 13.0),
    "LearningRate": (0.005, 0.05),
    "WeightDecay": (0.01, 0.1),
    "Momentum": (0.3, 0.9),
    "Beta1": (0.5, 0.95),
    "Beta2": (0.6, 0.99),
    "Step": (0.0, 9.0),
    "CheckRow": (0.0, 6.0),
    "CheckCol": (0.0, 6.0),
    "CheckH": (0.001, 0.05),
    "CellRow": (0.0, 7.0),
    "CellCol": (0.0, 7.0),
}
"""Ranges for scalar inputs that must be positive and large enough to matter, such as ε, for the head to show,
and for a training that makes progress without saturating its attention."""
MAX_START = 0.5
"""Start weights of trainings are smaller: saturated attention has no gradient."""
NEARLY = ((0.0, 0.01), (0.0, 0.005), (0.0, 0.01), (1.0, 0.1))
"""Centers and radii of numbers that differ by about half of the last digit shown."""
BELOW_ZERO, SMALL = -1.0, 0.1
AS_FOUR_ROWS = 4
"""Weights of models are scaled as if they had this many rows, so that scores stay decidable."""
WIDE = 16
"""Embeddings with more columns are scaled down, as otherwise every word would attend only to itself."""
MAX_ROUNDS = 16
"""Maximum number of rounds with other words; a larger vocabulary is covered only in part.

More sentences are not varied in turn but in groups."""

BEYOND = 3e7
"""Where a training has limits, they are smaller than this."""
FAST, FAST_ADAM = 10.0, 200_000.0
"""Learning rates at which weights, with a decay of 1, become too large in a few steps, but not at once."""
TURNING = 3.0
"""A learning rate times a decay that changes the sign of weights and doubles them."""
POSITIONS: tuple[float | str, ...] = (0.0, 1.5, 99.0, "")
"""Positions of words: before the first one, a fraction, after the last one, and none."""
LATE = 1e3
"""A step after the last one: the last one is shown, which is after a divergence."""
RENAMED, RENAMED_IN_MODELS = 3, 14
"""Number of rounds with renamed words; models need more."""

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
    limits = _limits(book)
    numbers = _Numbers(limits)
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
            *_ranked(book, vocabulary, _Numbers(limits)),
        ]
    rounds.append(_as_drawn(book, vocabulary, limits))
    for i, typed in zip(range(1, len(rounds) - 1), _positions(book), strict=False):
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


def _other_words(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Other numbers and words: every word, increasing numbers, zeros, a single word, unknown words."""
    sentences, full = _sentences(book, full=False), _sentences(book, full=True)
    if not vocabulary or not sentences:
        return
    for words in () if book.left_out else _every_word(book, vocabulary, sentences):
        yield numbers.drawn() | dict(words)
    last = dict.fromkeys((sentence[-1] for sentence in sentences), vocabulary[-1])
    filled = _filled(vocabulary[:-1] or vocabulary, sentences)
    yield numbers.growing() | filled | last | focused(book, vocabulary[-1])
    if book.names[WORDS["E"]].cols > WIDE:  # random wide rows attend to themselves
        filled = _filled(vocabulary[1:] or vocabulary, sentences)
        yield numbers.growing() | filled | {sentence[-1]: vocabulary[0] for sentence in sentences}
    for make in (_sparse, _alone, _odd_beside_trainings if book.left_out else _odd_words):
        for edits in make(book, vocabulary, full):
            yield numbers.drawn() | dict(edits)


def _for_trainings(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Other numbers and words; no focus word; unusual words; numbers beyond limits; runs that diverge.

    The sets with usual words show the first step, whose loss is usually the largest. While runs diverge, the
    vocabulary has duplicates, which stay typed.
    """
    training = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Training)]
    first = {at: 1.0 for sheet in training for at in book.names[RangeName(sheet)["Step"]].cells()}
    sentences = _sentences(book, full=True)
    yield numbers.drawn() | first
    if vocabulary and sentences:
        for words in _every_word(book, vocabulary, sentences):
            yield numbers.drawn() | dict(words) | first
        yield numbers.drawn() | _filled(vocabulary, sentences) | focused(book, "") | first
        for words in _odd_in_trainings(book, vocabulary, sentences):
            yield numbers.drawn() | dict(words)
    turns = [*_focus_in_turn(book, vocabulary, sentences)] if vocabulary and sentences else []
    for far, words in zip_longest(_far(book), turns):
        yield numbers.drawn() | dict(words or {}) | (far or {})
    twice = [*_twice(book, vocabulary, sentences)] if vocabulary and sentences else []
    for diverging, words in zip_longest(_diverging(book), twice):
        yield numbers.drawn() | dict(words or {}) | (diverging or {})


def _negative_temperature(book: Book, numbers: _Numbers) -> Iterator[Edits]:
    """A temperature below 0, if an attention sheet has one."""
    if below := _below_zero(book):
        yield numbers.drawn(small=True) | below


def _with_blanks(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Prompts of other lengths, and masked words, if blank cells have a meaning."""
    if not vocabulary or not uses_blanks(book.manifest.sheets):
        return
    for make in (_prompts, _hidden):
        for words in make(book, vocabulary):
            yield numbers.drawn() | dict(words)


def _ranked(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Scores so small that no weight vanishes: the first three words differ between sheets."""
    sentences = _sentences(book, full=True)
    if not vocabulary or not sentences:
        return
    last = dict.fromkeys((sentence[-1] for sentence in sentences), vocabulary[-1])
    own = texts(book, WORDS["Tokens"])  # earlier sets may have changed them
    for start in range(2):
        words = _filled(vocabulary, sentences, start) | last | focused(book, vocabulary[-1])
        yield numbers.drawn(small=True) | own | words


def _rare(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Rare cases: generated text, ranks, vanishing rows, renamed words, duplicates in the vocabulary."""
    full = _sentences(book, full=True)
    if not vocabulary or not full:
        return
    for words in _writing(book, vocabulary):
        yield numbers.drawn() | dict(words)
    for words in (*ranks(book, vocabulary, full), *places(book, vocabulary, full)):
        yield numbers.growing(small=True) | dict(words)
    drawn = numbers.drawn()
    for edits in vanishing(book, vocabulary, full, drawn):
        yield drawn | dict(edits)
    for make in (fading, _renamed, *([] if book.left_out else [_twice])):
        for edits in make(book, vocabulary, full):
            yield numbers.drawn() | dict(edits)


def _first_screen(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Chosen or nearly equal numbers, unreadable sentences, no focus word: for texts on the first screen."""
    sentences = _sentences(book, full=True)
    if not book.manifest.front or not vocabulary or not sentences:
        return
    places = {name: book.manifest.parse(name) for name in book.manifest.inputs}
    near = [name for name, at in places.items() if name == WORDS["E"] or at.block in ("W_C", "b_C")]
    chosen = [edits for make in (outcomes, encoded, verdicts) for edits in make(book, vocabulary)]
    for turn, (center, radius) in enumerate(() if chosen else NEARLY):
        drawn, word = numbers.drawn(), vocabulary[turn % len(vocabulary)]
        alike = {at: center + radius * float(drawn[at]) for name in near for at in numbers_of(book, name)}
        words = _filled(vocabulary, sentences, 3 * turn) | {own[-1]: word for own in sentences}
        yield drawn | alike | words | focused(book, word)
    for edits in (*chosen, *unreadable(book, vocabulary)):
        yield numbers.drawn() | dict(edits)
    if not book.left_out:
        yield numbers.drawn() | _filled(vocabulary, sentences) | focused(book, "")


def _positions(book: Book) -> Iterator[dict[At, float | str]]:
    """Positions of words beyond the sentence, fractions and blanks: each one once in every such input.

    In a set, the row and the column of a score differ, and so do those of successive sentences.
    """
    blocks = {name: book.manifest.parse(name).block for name in book.manifest.inputs}
    places = [name for name, block in blocks.items() if block in ("CellRow", "CellCol")]
    for turn in range(len(POSITIONS) if places else 0):
        typed: dict[At, float | str] = {}
        for k, name in enumerate(places, turn):
            typed |= dict.fromkeys(book.names[name].cells(), POSITIONS[k % len(POSITIONS)])
        yield typed


def _beyond(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Numbers of trainings beyond their limits; then runs that diverge."""
    words: dict[At, float | str] = {}
    if vocabulary:
        words = _filled(vocabulary, _sentences(book, full=True)) | focused(book, vocabulary[0])
    for edits in (*_far(book), *_diverging(book)):
        yield numbers.drawn() | words | edits


def _far(book: Book) -> Iterator[dict[At, float | str]]:
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


def _diverging(book: Book) -> Iterator[dict[At, float | str]]:
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


def _as_drawn(book: Book, vocabulary: list[str], limits: dict[At, tuple[float, float]]) -> Edits:
    """The set drawn with the book's seed: numbers up to ±20, and random words.

    Positive inputs are drawn from a tenth of their lower limit to ten times their upper limit.
    """
    rng, sentences = np.random.default_rng(book.seed), _sentences(book, full=True)
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


class _Numbers:
    """Draws numbers for all numeric inputs, with a fixed seed.

    Small numbers keep scores decidable when these are divided by the minimum temperature.
    """

    def __init__(self, limits: dict[At, tuple[float, float]]) -> None:
        self._cells = list(limits)
        self._low, self._high = np.array(list(limits.values())).reshape(-1, 2).T
        self._rng = np.random.default_rng(SEED)

    def drawn(self, *, small: bool = False) -> dict[At, float | str]:
        """Numbers uniformly distributed within their limits."""
        drawn = self._rng.uniform(*self._limits(small=small)).round(DECIMALS)
        return dict(zip(self._cells, drawn.tolist(), strict=True))

    def growing(self, *, small: bool = False) -> dict[At, float | str]:
        """Positive, increasing numbers: each word has larger components than the one before.

        Then every word attends most to the last one, which is in focus. Otherwise, a formula that ignores a
        causal mask might never find a larger weight than the mask allows.
        """
        low, high = self._limits(small=small)
        low = np.maximum(low, 0)
        drawn = low + np.sort(self._rng.uniform(0, 1, len(low))) * (high - low)
        return dict(zip(self._cells, drawn.tolist(), strict=True))

    def _limits(self, *, small: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        by = np.where(self._low < 0, SMALL, 1.0) if small else 1.0
        return self._low * by, self._high * by


def _sentences(book: Book, *, full: bool) -> list[list[At]]:
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


def _limits(book: Book) -> dict[At, tuple[float, float]]:
    """The limits of each numeric input; if several names cover a cell, those of the first."""
    models = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Model)]
    trainings = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Training)]
    found: dict[At, tuple[float, float]] = {}
    for name in book.manifest.inputs:
        if is_text(name):
            continue
        area, at = book.names[name], book.manifest.parse(name)
        largest = MAX_ABS
        if at.sheet in models and at.is_matrix and area.rows > AS_FOUR_ROWS:
            largest *= (AS_FOUR_ROWS / area.rows) ** 0.5
        if name == WORDS["E"] and area.cols > WIDE:
            largest *= (AS_FOUR_ROWS / area.cols) ** 0.5
        if at.sheet in trainings and at.is_matrix:
            largest = min(largest, MAX_START)
        limits = SENSIBLE.get(at.block, (-largest, largest))
        for cell in numbers_of(book, name):
            found.setdefault(cell, limits)
    return found


def _filled(vocabulary: list[str], sentences: list[list[At]], start: int = 0) -> dict[At, float | str]:
    """Fill sentences with the words of the vocabulary in order, starting at an index."""
    slots = [at for sentence in sentences for at in sentence]
    return {at: vocabulary[(start + i) % len(vocabulary)] for i, at in enumerate(slots)}


def _every_word(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    slots = sum(map(len, sentences))
    for r in range(min(MAX_ROUNDS, -(-len(vocabulary) // slots))):
        placed = _filled(vocabulary, sentences, r * slots)
        sentence = sentences[r % len(sentences)]
        yield placed | focused(book, placed[sentence[r % len(sentence)]])


def _sparse(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Inputs that are zero except for their last column, and all-zero inputs of some sheets in turn.

    Any two sheets differ in at least one turn, which reveals a test for zero that reads the wrong range, or
    only a part of the right one. Every word is the last of the vocabulary, which a lookup that is one row
    short misses.
    """
    places = {name: book.manifest.parse(name) for name in book.manifest.inputs if not is_text(name)}
    numbers = {name: at.sheet for name, at in places.items() if at.block not in SENSIBLE}
    sheets = [s.id for s in book.manifest.sheets if s.id in numbers.values()]
    words = {at: vocabulary[-1] for sentence in sentences for at in sentence}
    for turn in range(len(sheets).bit_length() + 1):
        zeros: dict[At, float | str] = {}
        for name, owner in numbers.items():
            none = bool(turn and owner in sheets and (sheets.index(owner) + 1) >> (turn - 1) & 1)
            area = book.names[name]
            last = area.col + area.cols - 1
            zeros |= {at: 0.0 for at in numbers_of(book, name) if none or at[2] < last}
        yield words | zeros | focused(book, vocabulary[-1])


def _below_zero(book: Book) -> dict[At, float | str]:
    """Temperatures of attention sheets below zero, which are treated as the minimum."""
    sheets = [sheet.id for sheet in book.manifest.sheets if not sheet.is_a(Model)]
    names = {RangeName(s)["Temperature"] for s in sheets}
    return {
        at: BELOW_ZERO for name in book.manifest.inputs if name in names for at in book.names[name].cells()
    }


def _alone(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The focus word is last in some sentences only; then in all of them.

    Then some sentences have only unknown words. Then all embeddings are zero, so that only positional
    encodings and biases are left.
    """
    first, last = vocabulary[0], vocabulary[-1]
    for those in (*_groups(sentences), *([sentences] if sentences[1:] else ())):
        words: dict[At, float | str] = {at: first for sentence in sentences for at in sentence}
        yield words | {sentence[-1]: last for sentence in those} | focused(book, last)
    unknown = _unknown(vocabulary)
    for those in _groups(sentences):
        said: dict[At, float | str] = {at: first for one in sentences for at in one}
        said |= {one[-1]: unknown for one in sentences} | {at: unknown for one in those for at in one}
        yield said | focused(book, unknown)
    zeros = dict.fromkeys(numbers_of(book, WORDS["E"]), 0.0)
    yield zeros | {at: first for sentence in sentences for at in sentence} | focused(book, first)


def _groups(sentences: list[list[At]]) -> Iterator[list[list[At]]]:
    """Each sentence in turn; if these are many, groups of them, so that any two differ in at least one."""
    if len(sentences) <= MAX_ROUNDS:
        yield from ([sentence] for sentence in sentences)
        return
    for bit in range(len(sentences).bit_length()):
        yield [sentence for k, sentence in enumerate(sentences, 1) if k >> bit & 1]


def _renamed(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Rename the words of the vocabulary and the classes, and fill the sentences with other words."""
    classes = [name for name in book.manifest.inputs if book.manifest.parse(name).block == "Classes"]
    worded = [WORDS["Tokens"], *classes]
    cells = {at: text for name in worded for at, text in texts(book, name).items()}
    models = any(sheet.is_a(Model) for sheet in book.manifest.sheets)
    for turn in range(RENAMED_IN_MODELS if models else RENAMED):
        said = _filled(vocabulary, sentences, 3 * turn)
        yield {at: f"{text}~{turn}" for at, text in {**cells, **said}.items()}


def _odd_words(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Unusual words: unknown, repeated, numeric and blank ones.

    An unknown word is last in some sentences, then in all.
    """
    groups = (*_groups(sentences), *([sentences] if sentences[1:] else ()))
    yield from _last_unknown(book, vocabulary, sentences, groups)
    yield from _numeric(book, vocabulary, sentences)
    yield _blank_ends(book, vocabulary, sentences)


def _odd_in_trainings(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Unusual words that are tried with the trainings.

    An unknown word is last only in the examples of each training in turn, then in the first sentence.
    """
    examples = [sentence for sentence in sentences if sentence[0] in _of_trainings(book)]
    yield from _last_unknown(book, vocabulary, sentences, (*_groups(examples), [sentences[0]]))
    yield from islice(_numeric(book, vocabulary, sentences), 1)
    yield _blank_ends(book, vocabulary, sentences)


def _focus_in_turn(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The focus word is last in each sentence in turn and in no other; examples have any words."""
    others = [sentence for sentence in sentences if sentence[0] not in _of_trainings(book)]
    words = _filled(vocabulary, sentences) | _filled(vocabulary[:-1] or vocabulary, others)
    last = vocabulary[-1]
    for those in _groups(others):
        yield words | {sentence[-1]: last for sentence in those} | focused(book, last)


def _of_trainings(book: Book) -> set[At]:
    """The cells of the words of trainings."""
    names = [RangeName(sheet.id)["Tokens"] for sheet in book.manifest.sheets if sheet.is_a(Training)]
    return {at for name in names for at in book.names[name].cells()}


def _odd_beside_trainings(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Unusual words that are tried without the trainings: the others of `_odd_words`."""
    yield from _last_unknown(book, vocabulary, sentences, (*_groups(sentences[1:]), sentences))
    yield from islice(_numeric(book, vocabulary, sentences), 1, None)


def _last_unknown(
    book: Book, vocabulary: list[str], sentences: list[list[At]], groups: Iterable[list[list[At]]]
) -> Iterator[Edits]:
    """An unknown word is last in each group of sentences in turn, and in focus.

    The other words are repeated, and the dimensions renamed. The unknown word is a known one in upper case,
    which only a case-insensitive lookup finds.
    """
    known = _repeated(vocabulary, sentences)
    dims = {at: f"{text} 2" for at, text in texts(book, WORDS["Dims"]).items()}
    unknown = _unknown(vocabulary)
    for those in groups:
        yield known | dims | {sentence[-1]: unknown for sentence in those} | focused(book, unknown)


def _numeric(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """All words are unknown and look like a number; the focus is another number, then 0.

    Only a numeric lookup finds the focus.
    """
    number, other = [f"{i}" for i in range(1, len(vocabulary) + 3) if f"{i}" not in vocabulary][:2]
    for focus in [text for text in (other, "0") if text not in vocabulary]:
        yield {at: number for sentence in sentences for at in sentence} | focused(book, focus)


def _blank_ends(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Edits:
    """The first and last word of every sentence and the focus are blank."""
    blank = {at: "" for sentence in sentences for at in (sentence[0], sentence[-1])}
    return _repeated(vocabulary, sentences) | blank | focused(book, "")


def _repeated(vocabulary: list[str], sentences: list[list[At]]) -> dict[At, float | str]:
    """Fill sentences with the words of the vocabulary in order, each one twice."""
    return _filled([word for word in vocabulary for _ in range(2)], sentences)


def _hidden(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
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
                words |= _filled(others, [sentence]) | dict.fromkeys(sentence[at : at + 1], last)
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


def _twice(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Vocabularies with duplicates: two words of every three are equal, then two others; then all are.

    For each row, its number of duplicates differs from that of the next row in at least one of them. One
    word differs from another only in case.
    """
    cells, n = list(texts(book, WORDS["Tokens"])), len(vocabulary)
    pairs = [[vocabulary[(i - (i % 3 == twin)) % n] for i in range(len(cells))] for twin in (2, 0)]
    pairs[0][0] = _unknown(pairs[0][1:] or vocabulary)
    for known in (*pairs, [vocabulary[0]] * len(cells)):
        said = _filled(known, sentences)
        yield said | dict(zip(cells, known, strict=True)) | focused(book, known[0])


def _unknown(vocabulary: list[str]) -> str:
    """A word that is not in the vocabulary, if possible a known one in upper case."""
    word = vocabulary[0].upper()
    return word if word not in vocabulary else f"{word} 2"


def _writing(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """If a model generates text, start from a single word, with each word in focus in turn.

    This distinguishes lookups among the typed and among the generated words.
    """
    if any(sheet.writes_into for sheet in book.manifest.sheets):
        places = [list(book.names[of_context(c)["Tokens"]].cells()) for c in book.manifest.contexts]
        empty: dict[At, float | str] = {at: "" for sentence in places for at in sentence}
        for word in vocabulary[1 : 1 + MAX_ROUNDS]:
            yield empty | {sentence[0]: vocabulary[0] for sentence in places} | focused(book, word)


def _prompts(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
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
