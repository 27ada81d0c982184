"""Words of perturbed inputs that rank first, second or third in attention, or whose values vanish.

If the numbers increase from word to word, words attend more to later words of the vocabulary. So the words
that the focus word attends to can be chosen.
"""

from __future__ import annotations

import math
from functools import reduce
from itertools import combinations, count, islice, product
from operator import or_
from typing import TYPE_CHECKING, TypeAlias

from xlsxattn.checker.reference.focus import MAX_COUNT as NAMED
from xlsxattn.contract.kinds import Classifier, Compare, Encoder, InSentence, Training
from xlsxattn.contract.names import BETA, GAMMA, WORDS, RangeName, is_text, of_context, part_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xlsxattn.checker.cells import Area, Edits, Value
    from xlsxattn.checker.reading.book import Book
    from xlsxattn.checker.reference import SheetInfo

    At: TypeAlias = tuple[str, int, int]

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
    embedding is normalised; everything else adds nothing. So the output is γ times this embedding, plus β,
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
            edits |= _typed_row(E, rows[word], _normalised(results[k % count], E.cols))
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


def _normalised(ends: tuple[int, int], cols: int) -> list[float]:
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


def focused(book: Book, word: float | str) -> dict[At, float | str]:
    """Set the focus word."""
    return dict.fromkeys(book.names[WORDS["Focus"]].cells(), word)


def texts(book: Book, name: str) -> dict[At, str]:
    """The cells of a range with typed words."""
    words: dict[At, str] = {}
    for at in book.names[name].cells() if name in book.names else ():
        value: Value = book.typed.get(at)
        if isinstance(value, str) and value:
            words[at] = value
    return words


def numbers_of(book: Book, name: str) -> Iterator[At]:
    """The cells of a numeric input; a sample of a large block."""
    return book.blocks.sample(name) if name in book.blocks else book.names[name].cells()
