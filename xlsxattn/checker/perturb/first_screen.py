"""Numbers and sentences for which each text on the first screen differs."""

from __future__ import annotations

import math
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from xlsxattn.checker.perturb.numbers import numbers_of
from xlsxattn.checker.perturb.sentences import focused, texts
from xlsxattn.contract.kinds import Classifier, Encoder, InSentence
from xlsxattn.contract.names import BETA, GAMMA, WORDS, RangeName, is_text, of_context, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xlsxattn.checker.cells import Area, At, Edits
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import SheetInfo

NEARLY = ((0.0, 0.01), (0.0, 0.005), (0.0, 0.01), (1.0, 0.1))
"""Centers and radii of numbers that differ by about half of the last digit shown."""
STEP = 0.02
"""Distinctly more than half of the last digit shown on the first screen."""
OUTCOMES = (
    ((1, 2), (2, 3), (-3, -2)),
    ((2, -2), (-1, -1), (-2, -2)),
    ((2, -1), (-3, -2), (1, 1)),
    ((0, 3), (-3, -2), (2, -1)),
    ((-3, -2), (0, 0), (0, 3)),
    ((-2, -1), (-3, -3), (0, 0)),
    ((-2, -3), (-1, 1), (-1, -2)),
    ((0, 0), (3, 0), (2, 3)),
)
"""First and last number of the focus word before attention, and after it in two sentences.

Each of the three leans to either end, and each result is also undecided, in such combinations that each text
changes if any part of it reads one row in place of another.
"""
VERDICTS = (
    ((3, 3), (3, 2)),
    ((3, 2), (2, 2)),
    ((1, 0), (0, 2)),
    ((3, 1), (3, 2)),
    ((2, 3), (0, 0)),
    ((1, 1), (2, 3)),
)
"""The same for logits of the first and last class, in two sentences of a classifier."""
HALF = 0.5
BASE = 10_000.0
"""A base of sinusoidal positions."""
SHORT = 0.01
"""A length of embeddings with which attention without weights is nearly uniform."""
COLUMNS = ("dims", "near")
LOGIT = 0.1
"""The unit of these logits."""
GAIN = 0.1
"""A γ with which rows of variance 1 are as small as these results."""
FEWEST_COLUMNS = 4
"""A row of mean 0 and variance 1 with chosen ends needs two more numbers."""
TINY = 1e-9


def outcomes(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """Chosen numbers of the focus word, before and after attention, in the first two sentences shown.

    Without queries and keys, attention is uniform, and if W_O changes nothing and W_V is ½, a sentence of the
    focus word and another one yields half of their mean. So the other word can be chosen for each result, and
    a sheet without weights yields something else. If the numbers are cosines with k words, these words are
    the first k axes, and embeddings are so short that attention without weights is uniform, too. Where
    sinusoidal positions are added, the embeddings make up for them.
    """
    front, count = book.manifest.front, len(OUTCOMES[0]) - 1
    own = [sheet for sheet in book.manifest.sheets if sheet.id in front.get("sheets", ())]
    if front.get("columns") not in COLUMNS or not all(sheet.is_a(InSentence) for sheet in own):
        return
    near = [*book.names[RangeName(front["compare"])["Tokens"]].cells()] if "compare" in front else []
    shown = [list(book.names[of_context(c)["Tokens"]].cells()) for c in front["contexts"]]
    E, focus = book.names[WORDS["E"]], vocabulary[-1]
    if len(vocabulary) <= count + len(near) or E.cols <= max(1, len(near)):
        return
    rows = {word: at[1] for at, word in reversed(texts(book, WORDS["Tokens"]).items())}
    axes = dict(zip(near, vocabulary[count:], strict=False))
    fixed: dict[At, float | str] = dict.fromkeys(numbers_of(book, WORDS["E"]), 0.0)
    fixed |= {(E.sheet, rows[word], E.col + j): SHORT for j, word in enumerate(axes.values())}
    fixed |= axes | _uniform(book, own) | focused(book, focus)
    share = HALF if RangeName(own[-1].id)["W_V"] in book.manifest.inputs else 1.0
    P: list[list[float]] = []  # added to the embeddings
    if own[-1].position == "sinusoidal":
        fixed |= dict.fromkeys(book.names[RangeName(own[-1].id)["Base"]].cells(), BASE)
        P = _sinusoidal(max(map(len, shown)), E.cols)
    second = bool(P) and min(map(len, shown)) > 1 and "causal" not in own[-1].mask
    for turn, (before, *results) in enumerate(OUTCOMES):
        x = _directed(before, len(near), E.cols) if near else _from_ends(before, E.cols)
        place = 1 if second and turn % 2 else -1
        if P:  # with its position, the focus word is 0, so its attention is uniform
            x = [-value for value in P[: len(shown[0])][place]]
        edits = fixed | _typed_row(E, rows[focus], x)
        for k, sentence in enumerate(shown):
            word, n, ends = vocabulary[k % count], len(sentence), results[k % count]
            y = _directed(ends, len(near), E.cols) if near else _from_ends(ends, E.cols)
            sums = [sum(column) for column in zip(x, *(P[:n] if P else ()), strict=True)]
            other = [(n * after / share - part) / max(1, n - 1) for part, after in zip(sums, y, strict=True)]
            if k < count:
                edits |= _typed_row(E, rows[word], other)
            edits |= {**dict.fromkeys(sentence, word), sentence[place]: focus}
        yield edits


def _sinusoidal(n: int, d: int) -> list[list[float]]:
    """Sinusoidal positions with the default base, n × d."""
    angles = [[i / BASE ** (j // 2 * 2 / d) for j in range(d)] for i in range(n)]
    return [[math.cos(x) if j % 2 else math.sin(x) for j, x in enumerate(row)] for row in angles]


def encoded(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """Chosen outputs of the focus word, in the first two sentences that an encoder shows.

    The focus word is 0 and attention is uniform. The last layer copies the other word of a sentence, whose
    embedding is normalized; everything else adds nothing. So the output is γ times this embedding, plus β,
    which is low between the ends. In columns without names, the last outputs only differ in the last one.
    """
    shown = book.manifest.front.get("sheets", ())
    sheet = next((s for s in reversed(book.manifest.sheets) if s.id in shown), None)
    E, count = book.names[WORDS["E"]], len(OUTCOMES[0]) - 1
    if sheet is None or not sheet.is_a(Encoder) or sheet.position == "sinusoidal":
        return
    if len(vocabulary) <= count or E.cols < FEWEST_COLUMNS:
        return
    last = max(sheet.taken or [sheet.layers])
    norm = (
        RangeName(sheet.id, layer=last)["Norm2"]
        if sheet.residual == "post-norm"
        else RangeName(sheet.id)["Output"]
    )
    numbers = {part_of(norm, BETA): [0.0, *[-1.0] * (E.cols - 2), 0.0], part_of(norm, GAMMA): [GAIN] * E.cols}
    edits: dict[At, float | str] = dict.fromkeys(numbers_of(book, WORDS["E"]), 0.0)
    for name in book.manifest.inputs:
        at, area = book.manifest.parse(name), book.names[name]
        if at.sheet != sheet.id or is_text(name) or at.head or at.context:
            continue
        if name in numbers:
            edits |= _typed_row(area, area.row, numbers[name])
        elif at.block in ("W_V", "W_O") and at.layer == last:
            edits |= {(s, i, j): float(i - area.row == j - area.col) for s, i, j in numbers_of(book, name)}
        else:
            one = 1.0 if at.part == GAMMA else TINY if at.block == "Epsilon" else 0.0
            edits |= dict.fromkeys(numbers_of(book, name), one)
    rows = {word: at[1] for at, word in reversed(texts(book, WORDS["Tokens"]).items())}
    for _, *results in OUTCOMES:
        for k, context in enumerate(book.manifest.front["contexts"]):
            sentence, word = list(book.names[of_context(context)["Tokens"]].cells()), vocabulary[k % count]
            edits |= {**dict.fromkeys(sentence, word), sentence[-1]: vocabulary[-1]}
            edits |= _typed_row(E, rows[word], _normalized(results[k % count], E.cols))
        yield edits | focused(book, vocabulary[-1])
    if book.manifest.front.get("columns") == "numbered":
        gamma = book.names[part_of(norm, GAMMA)]
        edits |= _typed_row(gamma, gamma.row, [0.0] * (gamma.cols - 1) + [GAIN])
        yield edits | focused(book, vocabulary[-1])


def verdicts(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """Chosen logits of the classes, in the first two sentences that a classifier shows.

    Without attention, feed-forward, positions and biases, the logits of a sentence of a single word are a row
    of W_C, as its embedding is 1 in this row's place and else 0. Norms only scale them, as they sum to 0.
    """
    shown = book.manifest.front.get("sheets", ())
    sheet = next((s for s in book.manifest.sheets if s.id in shown and s.is_a(Classifier)), None)
    E, count = book.names[WORDS["E"]], len(VERDICTS[0])
    if sheet is None or len(vocabulary) < count or E.cols <= count:
        return
    places = {name: book.manifest.parse(name) for name in book.manifest.inputs}
    edits: dict[At, float | str] = dict.fromkeys(numbers_of(book, WORDS["E"]), 0.0)
    for name, at in places.items():
        area = book.names[name]
        if at.sheet == sheet.id and area.rows * area.cols > 1 and not is_text(name):
            edits |= dict.fromkeys(numbers_of(book, name), float(at.part == GAMMA))
    rows = {word: at[1] for at, word in reversed(texts(book, WORDS["Tokens"]).items())}
    for k, word in enumerate(vocabulary[:count]):
        edits |= {(E.sheet, rows[word], E.col + k): 1.0}
    for k, context in enumerate(book.manifest.front["contexts"]):
        edits |= dict.fromkeys(book.names[of_context(context)["Tokens"]].cells(), vocabulary[k % count])
    weights = book.names[RangeName(sheet.id)["W_C"]]
    for results in VERDICTS:
        logits = [_from_ends(result, weights.cols, LOGIT) for result in results]
        logits.append([-sum(column) for column in zip(*logits, strict=True)])
        typed = [_typed_row(weights, weights.row + k, row) for k, row in enumerate(logits)]
        yield reduce(or_, typed, edits) | focused(book, vocabulary[0])


def _uniform(book: Book, sheets: Sequence[SheetInfo]) -> dict[At, float | str]:
    """Weights of attention sheets with which every word attends to all words alike, for half of their X."""
    edits: dict[At, float | str] = {}
    for sheet in sheets:
        s = RangeName(sheet.id)
        for block in ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O"):
            if (name := s[block]) not in book.manifest.inputs:
                continue
            area, one = book.names[name], {"W_V": HALF, "W_O": 1.0}.get(block, 0.0)
            edits |= {
                at: one if at[1] - area.row == at[2] - area.col else 0.0 for at in numbers_of(book, name)
            }
    return edits


def _from_ends(ends: tuple[int, int], cols: int, unit: float = STEP) -> list[float]:
    """A row with these numbers at its ends, in this unit, and a smaller one between them."""
    first, last = ends
    return [unit * x for x in (first, *[min(ends) - 1] * (cols - 2), last)]


def _normalized(ends: tuple[int, int], cols: int) -> list[float]:
    """A row of mean 0 and variance 1 that is this at its ends, when multiplied by the gain."""
    first, last = (STEP / GAIN * x for x in ends)
    half = (first + last) / 2
    spread = math.sqrt((cols - first**2 - last**2) / 2 - half**2)
    return [first, spread - half, -spread - half, *[0.0] * (cols - 4), last]


def _directed(ends: tuple[int, int], k: int, cols: int) -> list[float]:
    """A short row whose first and last cosines with the first k axes are these; it also has the last axis."""
    cosines = _from_ends(ends, k)
    rest = math.sqrt(1 - sum(x * x for x in cosines))
    return [SHORT * x for x in (*cosines, *[0.0] * (cols - k - 1), rest)]


def _typed_row(area: Area, row: int, numbers: Sequence[float]) -> dict[At, float | str]:
    return {(area.sheet, row, area.col + j): x for j, x in enumerate(numbers)}


def unreadable(book: Book, vocabulary: list[str]) -> Iterator[Edits]:
    """Blank and unknown words in sentences on the first screen, such that any two sentences differ.

    First some sentences have a blank and then an unknown word, and the others a blank at the place of the
    latter; then the other way round; then only some sentences have a blank; then only some have the focus
    word more than once.
    """
    shown = [list(book.names[of_context(c)["Tokens"]].cells()) for c in book.manifest.front["contexts"]]
    known: dict[At, float | str] = {at: vocabulary[0] for own in shown for at in own}
    both = ("", f"{vocabulary[0]} 4")
    for bit in range(max(1, (len(shown) - 1).bit_length())):
        chosen = [own for k, own in enumerate(shown) if k >> bit & 1]
        others = [own for own in shown if own not in chosen]
        for some, rest in ((chosen, others), (others, chosen)):
            faults = {at: word for own in some for at, word in zip(own, both, strict=False)}
            yield known | faults | {own[1]: "" for own in rest if own[1:]} | focused(book, vocabulary[0])
        yield known | {own[0]: "" for own in chosen} | focused(book, vocabulary[0])
        twice = {at: vocabulary[-1] for own in chosen for at in own}
        yield known | {own[-1]: vocabulary[-1] for own in others} | twice | focused(book, vocabulary[-1])
