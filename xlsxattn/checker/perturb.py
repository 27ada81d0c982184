"""Other inputs for the same formulas: what one input hides, another shows.

A symmetric matrix hides a missing transpose, zero weights hide a wiring fault, a word that no sentence uses
hides a look-up that is a row short, and sentences without an unknown word hide all that is said of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from xlsxattn.checker.perturb_words import fading, focused, numbers_of, places, ranks, texts, vanishing
from xlsxattn.checker.reference.words import uses_blanks
from xlsxattn.contract.kinds import Model
from xlsxattn.contract.names import WORDS, RangeName, is_text, of_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from xlsxattn.checker.cells import Edits
    from xlsxattn.checker.reading.book import Book

    At: TypeAlias = tuple[str, int, int]

SEED = 20_170_612  # the day of the paper
MAX_ABS = 2.0
DECIMALS = 3
FARTHER = 10.0
"""So many times farther from 0 the numbers go that the book's seed draws."""
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
}
"""What must stay positive, and of a size at which it matters: a norm's ε, a base of angles, a temperature;
and which head is looked at."""
BELOW_ZERO, SMALL = -1.0, 0.1
AS_FOUR_ROWS = 4
"""A model's weights are drawn so that a product varies as one of so many rows: scores stay decidable."""
WIDE = 16
"""Embeddings of more columns are drawn smaller, or every word would attend to itself alone."""
MAX_ROUNDS = 16
"""So many times the sentences are filled with other words; a larger vocabulary is covered in part."""

RENAMED, RENAMED_IN_MODELS = 3, 14
"""So many times words get other names: in models more hides behind each number."""

FEW = 4
"""One of so many sets is enough for a workbook that was just built: it shows nearly all faults."""

MAX_VALUES = 4_000_000
"""So many values are kept of all rounds together: a very large workbook gets fewer of them."""
MAX_VALUES_IN_LARGE = 1_000_000
"""So many where blocks of numbers are so large that only a sample of each is drawn."""


def perturbed(book: Book, *, few: bool = False) -> list[Edits]:
    """Sets of edits to a workbook's inputs, the same ones every time but for the last; or a few of them.

    First other numbers, within ±2, in every numeric input. Then other numbers and other words: so many rounds
    that every row of the vocabulary is used once, the focus word standing in each sentence in turn. Then
    numbers that grow, numbers with many zeros among them, and words that make trouble. Where blank cells mean
    something, prompts of other lengths; where an attention sheet has a temperature, one below 0. Sentences
    whose last word comes second or third among those looked at, and sentences of which nothing is left in
    some sheets. A vocabulary that has a word twice. At last numbers well beyond ±2 and words as they come,
    drawn by the book's seed: a formula that fits the other sets alone is found. Cells that hold a formula of
    the user's keep it.
    """
    vocabulary = list(dict.fromkeys(texts(book, WORDS["Tokens"]).values()))
    limits = _limits(book)
    numbers = _Numbers(limits)
    rounds = [
        numbers.drawn(),
        *_other_words(book, vocabulary, numbers),
        *_cold(book, numbers),
        *_with_blanks(book, vocabulary, numbers),
        *_rare(book, vocabulary, numbers),
        _as_drawn(book, vocabulary, limits),
    ]
    if few:
        return _kept(book, [*rounds[:-1:FEW], rounds[-1]], FEW)
    return _kept(book, rounds)


def _kept(book: Book, rounds: list[Edits], part: int = 1) -> list[Edits]:
    """The rounds that a workbook of its size gets, the last always, without the cells that hold a formula.

    ``part``: one of so many parts of the values that are kept otherwise.
    """
    values = sum(area.rows * area.cols for name, area in book.names.items() if name not in book.blocks)
    most = MAX_VALUES_IN_LARGE if len(book.blocks) else MAX_VALUES
    few = max(1, most // part // values)
    chosen = rounds if len(rounds) <= few else [*rounds[: few - 1], rounds[-1]]
    keep = {at for edits in chosen for at in book.formulas.keys() & edits.keys()}
    return [{at: x for at, x in edits.items() if at not in keep} if keep else edits for edits in chosen]


def _other_words(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Other numbers with other words: every word, growing numbers, zeros, a word alone, unknown words."""
    sentences, full = _sentences(book, full=False), _sentences(book, full=True)
    if not vocabulary or not sentences:
        return
    for words in _every_word(book, vocabulary, sentences):
        yield numbers.drawn() | dict(words)
    last = dict.fromkeys((own[-1] for own in sentences), vocabulary[-1])
    filled = _filled(vocabulary[:-1] or vocabulary, sentences)
    yield numbers.growing() | filled | last | focused(book, vocabulary[-1])
    if book.names[WORDS["E"]].cols > WIDE:  # by chance, a word attends to another most in few columns only
        filled = _filled(vocabulary[1:] or vocabulary, sentences)
        yield numbers.growing() | filled | {own[-1]: vocabulary[0] for own in sentences}
    for make in (_sparse, _alone, _troubled):
        for edits in make(book, vocabulary, full):
            yield numbers.drawn() | dict(edits)


def _cold(book: Book, numbers: _Numbers) -> Iterator[Edits]:
    """One of the temperatures below 0, where an attention sheet has any."""
    if below := _below_zero(book):
        yield numbers.drawn(small=True) | below


def _with_blanks(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """Prompts of other lengths, and words hidden by blanks, where blank cells mean something."""
    if not vocabulary or not uses_blanks(book.manifest.sheets):
        return
    for make in (_prompts, _hidden):
        for words in make(book, vocabulary):
            yield numbers.drawn() | dict(words)


def _rare(book: Book, vocabulary: list[str], numbers: _Numbers) -> Iterator[Edits]:
    """What is rarely met: a model's writing, ranks, rows that vanish, new names, a word that stands twice."""
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
    for make in (fading, _renamed, _twice):
        for edits in make(book, vocabulary, full):
            yield numbers.drawn() | dict(edits)


def _as_drawn(book: Book, vocabulary: list[str], limits: dict[At, tuple[float, float]]) -> Edits:
    """What the book's seed draws: numbers of sizes up to 20, and any words in any order.

    What must be positive is drawn from a tenth of its least to ten times its most.
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
    for own in sentences if vocabulary else ():
        drawn |= {at: pool[i] for at, i in zip(own, rng.integers(len(pool), size=len(own)), strict=True)}
    said = [str(drawn[at]) for own in sentences for at in own if drawn.get(at)]
    return drawn | (focused(book, said[int(rng.integers(len(said)))]) if said else {})


class _Numbers:
    """Draws numbers for every numeric input, the same ones every time.

    Small ones are so small that their scores, divided by the lowest temperature, stay decidable.
    """

    def __init__(self, limits: dict[At, tuple[float, float]]) -> None:
        self._cells = list(limits)
        self._low, self._high = np.array(list(limits.values())).reshape(-1, 2).T
        self._rng = np.random.default_rng(SEED)

    def drawn(self, *, small: bool = False) -> dict[At, float | str]:
        """Numbers evenly within their limits."""
        drawn = self._rng.uniform(*self._limits(small=small)).round(DECIMALS)
        return dict(zip(self._cells, drawn.tolist(), strict=True))

    def growing(self, *, small: bool = False) -> dict[At, float | str]:
        """Numbers above 0, each larger than the one before: each word has more of everything than the last.

        Then every word attends most to the last one, which is in focus: without that, what looks ahead where
        a mask forbids it may never find more there than the mask leaves.
        """
        low, high = self._limits(small=small)
        low = np.maximum(low, 0)
        drawn = low + np.sort(self._rng.uniform(0, 1, len(low))) * (high - low)
        return dict(zip(self._cells, drawn.tolist(), strict=True))

    def _limits(self, *, small: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        by = np.where(self._low < 0, SMALL, 1.0) if small else 1.0
        return self._low * by, self._high * by


def _sentences(book: Book, *, full: bool) -> list[list[At]]:
    """The cells that words are put into: all of a sentence's; unless full, not those a model writes into."""
    written = set() if full else {c for sheet in book.manifest.sheets for c in sheet.writes_into}
    typed = written if uses_blanks(book.manifest.sheets) else {*book.manifest.contexts}
    compared = [sheet.id for sheet in book.manifest.sheets if sheet.near]
    names = {c: of_context(c)["Tokens"] for c in (*book.manifest.contexts, *compared)}
    every = [
        list(texts(book, name)) if c in typed else list(book.names[name].cells())
        for c, name in names.items()
        if name in book.names
    ]
    return [own for own in every if own]


def _limits(book: Book) -> dict[At, tuple[float, float]]:
    """Within which limits each numeric input is drawn; of two names over a cell the first one's."""
    models = [sheet.id for sheet in book.manifest.sheets if sheet.is_a(Model)]
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
        limits = SENSIBLE.get(at.block, (-largest, largest))
        for cell in numbers_of(book, name):
            found.setdefault(cell, limits)
    return found


def _filled(vocabulary: list[str], sentences: list[list[At]], start: int = 0) -> dict[At, float | str]:
    """Sentences of the vocabulary's words in their order, from one of them on."""
    slots = [at for own in sentences for at in own]
    return {at: vocabulary[(start + i) % len(vocabulary)] for i, at in enumerate(slots)}


def _every_word(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    slots = sum(map(len, sentences))
    for r in range(min(MAX_ROUNDS, -(-len(vocabulary) // slots))):
        placed = _filled(vocabulary, sentences, r * slots)
        own = sentences[r % len(sentences)]
        yield placed | focused(book, placed[own[r % len(own)]])


def _sparse(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Inputs that are zero but for their last column, and sheets whose inputs are all zero, in turn.

    Any two sheets differ in at least one turn: with that, a test for zero that looks at the wrong range or at
    a part of the right one says something else. Every word is the vocabulary's last: a look-up that is a row
    short misses it, in whichever cell.
    """
    places = {name: book.manifest.parse(name) for name in book.manifest.inputs if not is_text(name)}
    numbers = {name: at.sheet for name, at in places.items() if at.block not in SENSIBLE}
    sheets = [s.id for s in book.manifest.sheets if s.id in numbers.values()]
    words = {at: vocabulary[-1] for own in sentences for at in own}
    for turn in range(len(sheets).bit_length() + 1):
        zeros: dict[At, float | str] = {}
        for name, owner in numbers.items():
            none = bool(turn and owner in sheets and (sheets.index(owner) + 1) >> (turn - 1) & 1)
            area = book.names[name]
            last = area.col + area.cols - 1
            zeros |= {at: 0.0 for at in numbers_of(book, name) if none or at[2] < last}
        yield words | zeros | focused(book, vocabulary[-1])


def _below_zero(book: Book) -> dict[At, float | str]:
    """Temperatures of attention sheets below zero: they count as the lowest there is."""
    sheets = [sheet.id for sheet in book.manifest.sheets if not sheet.is_a(Model)]
    names = {RangeName(s)["Temperature"] for s in sheets}
    return {
        at: BELOW_ZERO for name in book.manifest.inputs if name in names for at in book.names[name].cells()
    }


def _alone(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The focus word stands last in one sentence, and in no other; in each in turn; then in all of them.

    Then one sentence is of unknown words alone, and then every embedding is zero: only what positions and
    biases add is left.
    """
    first, last = vocabulary[0], vocabulary[-1]
    for those in [*([own] for own in sentences[:MAX_ROUNDS]), sentences]:
        words: dict[At, float | str] = {at: first for own in sentences for at in own}
        yield words | {own[-1]: last for own in those} | focused(book, last)
    unknown = _unknown(vocabulary)
    for own in sentences[:MAX_ROUNDS]:
        said: dict[At, float | str] = {at: first for one in sentences for at in one}
        said |= {one[-1]: unknown for one in sentences}
        yield said | dict.fromkeys(own, unknown) | focused(book, unknown)
    zeros = dict.fromkeys(numbers_of(book, WORDS["E"]), 0.0)
    yield zeros | {at: first for own in sentences for at in own} | focused(book, first)


def _renamed(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """The vocabulary and a classifier's classes have other names, and other words fill every sentence."""
    classes = [name for name in book.manifest.inputs if book.manifest.parse(name).block == "Classes"]
    worded = [WORDS["Tokens"], *classes]
    cells = {at: text for name in worded for at, text in texts(book, name).items()}
    models = any(sheet.is_a(Model) for sheet in book.manifest.sheets)
    for turn in range(RENAMED_IN_MODELS if models else RENAMED):
        said = _filled(vocabulary, sentences, 3 * turn)
        yield {at: f"{text}~{turn}" for at, text in {**cells, **said}.items()}


def _troubled(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Words that sentences should not hold, but may.

    Once for each sentence its last word is unknown, for it alone, and in focus, then for all of them; the
    others repeat words, and the dimensions have other names. The unknown word is a known one in capitals:
    only a look-up that is blind to case finds it. Then every word is an unknown one that reads as a number,
    and the focus is another: only a look-up among numbers finds those. Once more the first and last word of
    every sentence are blank, and so is the focus.
    """
    known = _filled([word for word in vocabulary for _ in range(2)], sentences)
    dims = {at: f"{text} 2" for at, text in texts(book, WORDS["Dims"]).items()}
    unknown = _unknown(vocabulary)
    for those in [*([own] for own in sentences[:MAX_ROUNDS]), sentences]:
        yield known | dims | {own[-1]: unknown for own in those} | focused(book, unknown)
    number, other = [f"{i}" for i in range(1, len(vocabulary) + 3) if f"{i}" not in vocabulary][:2]
    for focus in [text for text in (other, "0") if text not in vocabulary]:
        yield {at: number for own in sentences for at in own} | focused(book, focus)
    yield known | {at: "" for own in sentences for at in (own[0], own[-1])} | focused(book, "")


def _hidden(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """The focus word stands first, second, third, fourth; before it, in every other sentence, a blank cell.

    So a mask of what comes later, one of blank cells, and both let it see different numbers of words. Then it
    stands alone, and beside a single other word.
    """
    if not any(book.manifest.parse(name).block == "FocusSeen" for name in book.names):
        return
    others, last = vocabulary[:-1] or vocabulary, vocabulary[-1]
    sentences = [list(book.names[of_context(c)["Tokens"]].cells()) for c in book.manifest.contexts]
    for at in range(4):
        for turn in range(2) if at else (0,):
            words: dict[At, float | str] = {}
            for k, own in enumerate(sentences):
                words |= _filled(others, [own]) | dict.fromkeys(own[at : at + 1], last)
                blank = own[at - 1 : at] if (k + turn) % 2 and at < len(own) else []
                words |= dict.fromkeys(blank, "")
            yield words | focused(book, last)
    for few in (1, 2):
        alone: dict[At, float | str] = {}
        for own in sentences:
            alone |= dict.fromkeys(own, "") | dict.fromkeys(own[:few], others[0]) | {own[0]: last}
        yield alone | focused(book, last)


def _twice(book: Book, vocabulary: list[str], sentences: list[list[At]]) -> Iterator[Edits]:
    """Vocabularies that have words twice: two words of three are alike, then two others; then all are one.

    No row has as many of its word as the next one in all of them. One word is another in capitals.
    """
    cells, n = list(texts(book, WORDS["Tokens"])), len(vocabulary)
    pairs = [[vocabulary[(i - (i % 3 == twin)) % n] for i in range(len(cells))] for twin in (2, 0)]
    pairs[0][0] = _unknown(pairs[0][1:] or vocabulary)
    for known in (*pairs, [vocabulary[0]] * len(cells)):
        said = _filled(known, sentences)
        yield said | dict(zip(cells, known, strict=True)) | focused(book, known[0])


def _unknown(vocabulary: list[str]) -> str:
    """A word that the vocabulary lacks: where possible one that differs by capitals alone."""
    word = vocabulary[0].upper()
    return word if word not in vocabulary else f"{word} 2"


def _writing(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """Where a model writes, it begins from a single word, while each word in turn is in focus.

    What is looked for among the typed words may stand among the written ones.
    """
    if any(sheet.writes_into for sheet in book.manifest.sheets):
        places = [list(book.names[of_context(c)["Tokens"]].cells()) for c in book.manifest.contexts]
        empty: dict[At, float | str] = {at: "" for own in places for at in own}
        for word in vocabulary[1 : 1 + MAX_ROUNDS]:
            yield empty | {own[0]: vocabulary[0] for own in places} | focused(book, word)


def _prompts(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """Sentences of other lengths: full, of one word, of none, with gaps, and without a first word.

    Only a full one shows what the last cells would write over, only an empty one what is made of nothing, and
    only a gap whether padding and writing go by the cell and not by how many words there are.
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
        for k, own in enumerate(places):
            here = typed[(turn + k) % len(typed)]
            for i, at in enumerate(own):
                words[at] = vocabulary[(turn + 2 * i) % len(vocabulary)] if here(i, len(own)) else ""
        yield words
