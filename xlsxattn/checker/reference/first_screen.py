"""The ranges of the first screen: the results for the yellow words, and texts about them.

They repeat, average or interpret ranges of other sheets, which the reference has computed before. A text that
depends on half of the last shown digit may have either form if rounding could decide it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import FREE, TOLERANCE, Expected
from xlsxattn.checker.reference.choices import one_of, own
from xlsxattn.checker.reference.sentences import shares
from xlsxattn.checker.reference.words import constant, labels, text, uses_blanks
from xlsxattn.contract import first_screen as texts
from xlsxattn.contract.kinds import (
    Classifier,
    Compare,
    CrossAttention,
    Decoder,
    Encoder,
    EncoderDecoder,
    MultiHead,
)
from xlsxattn.contract.names import START, RangeName
from xlsxattn.contract.values import NONE
from xlsxattn.language import ENGLISH, codes, language, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo

HALF = 0.005
"""Half of the last digit of numbers with two decimals: smaller differences are not visible."""
PERCENT = 0.01
"""The last digit of the probabilities of classes, which are shown as whole percentages."""
BLANKS = ("▁", "<U+000A>")
"""The representations of a space and of a newline in tokens of trained models."""


class Screen(NamedTuple):
    """The contents of the first screen and their sources.

    Attributes:
        sheets: one or two sheets; the kind of the first determines the contents.
        contexts: the contexts shown.
        columns: the meaning of the numbers of a row: ``dims``, ``near``, ``numbered`` or ``none``.
        compare: the compare sheet of the words, with ``near``.
        full: whether all numbers of the sentences are shown.
        rivals: the number of most likely words to show.
        blanks: whether blank cells have a meaning.
        is_unlike: whether the check of the compare sheet fails.
        training: the training of the first sheet, if the closing text is about it.
        inputs: every input of the workbook.
        made: all ranges of the other sheets.
        tell: translates a sentence with its values into the workbook's language.
    """

    sheets: list[SheetInfo]
    contexts: list[ContextWords]
    columns: str
    compare: str
    full: bool
    rivals: int
    blanks: bool
    is_unlike: bool
    training: SheetInfo | None
    inputs: Inputs
    made: Mapping[str, Expected]
    tell: Callable[..., str]

    @property
    def first(self) -> SheetInfo:
        """The first sheet."""
        return self.sheets[0]

    @property
    def focus(self) -> str:
        """The focus word."""
        return str(self.inputs["vocab_Focus"][0, 0])

    @property
    def names(self) -> Array:
        """The names of the columns, (v,)."""
        near = self.columns == "near"
        said = self.inputs[RangeName(self.compare)["Tokens"] if near else "vocab_Dims"]
        return np.asarray(said.reshape(-1))

    def at(self, c: ContextWords, sheet: SheetInfo | None = None) -> RangeName:
        """The prefix of a context's ranges on a sheet, or on the first screen."""
        return (RangeName(sheet.id) if sheet else START).at(context=c.id)


class Leaning(NamedTuple):
    """What a row leans towards: all acceptable results, the one of the reference first."""

    undecided: tuple[bool, ...]
    leads: tuple[str, ...]
    others: tuple[str, ...]
    numbers: Expected

    def text(self, ways: Iterable[str]) -> Expected:
        """A text that depends on these numbers, with all its acceptable forms."""
        return text_from(ways, self.numbers)


def first_screen(
    front: Mapping[str, Any], code: str, sheets: Sequence[SheetInfo], contexts: Sequence[ContextWords],
    inputs: Inputs, made: Mapping[str, Expected],
) -> Ranges:  # fmt: skip
    """The ranges of the first screen, whose table in the manifest is `front`, in the language `code`.

    Raises:
        KeyError: the table is incomplete, or names an unknown sheet or context.
    """
    by_id, by_context = {sheet.id: sheet for sheet in sheets}, {c.id: c for c in contexts}
    compares = [sheet for sheet in sheets if sheet.is_a(Compare)]
    catalogue = language(code) if code in codes() else ENGLISH
    screen = Screen(
        [by_id[name] for name in front["sheets"]],
        [by_context[name] for name in front["contexts"]],
        front.get("columns", "none"),
        front.get("compare", ""),
        bool(front.get("full")),
        int(front.get("rivals", 0)),
        uses_blanks(sheets),
        made[RangeName(compares[0].id)["Status"]].values.item() == "✗" if compares else False,
        by_id[front["training"]] if "training" in front else None,
        inputs,
        made,
        lambda sentence, **values: catalogue.tell(say(sentence, **values)),
    )
    if screen.first.is_a(Classifier):
        return classifier(screen)
    if screen.first.is_a(Decoder):
        return written(screen, screen.contexts)
    if screen.first.is_a(EncoderDecoder):
        return written(screen, [c for c in screen.contexts if c.id == screen.first.target]) | aligned(screen)
    return alignment(screen) if screen.first.is_a(CrossAttention) else attention(screen)


# --- attention and encoder ---------------------------------------------------------------------------------


def attention(screen: Screen) -> Ranges:
    """The attention and the outputs of the focus word, and the texts about them."""
    found: Ranges = {}
    leanings: list[Leaning] = []
    follows, F = screen.columns != "none", screen.first
    for c in screen.contexts:
        f, theirs = screen.at(c), screen.at(c, F)
        look = row(mean(heads(screen, c)), c.focus)
        found |= {f["Look"]: upright(look)} | labels(f["Look"], None, np.array([screen.focus]))
        if not F.is_a(MultiHead, Encoder):
            found[f["Said"]] = screen.made[theirs["FocusSaid"]]
        if F.is_a(Encoder) and F.similarity:
            found[f["Similarity"]] = screen.made[theirs["Similarity"]]
        if follows:
            found |= numbers(screen, c)
        if follows and len(screen.names) > 1:
            leanings.append(leaning(output(screen, c, screen.sheets[-1]), screen.names))
            found[f["Says"]] = says(screen, c, leanings[-1])
        else:
            found[f["Says"]] = text(unfollowed(screen, c) or "")
    if screen.training:
        found[START["Closing"]] = trained(screen, screen.training)
    elif len(screen.contexts) == len(leanings) == 2:  # noqa: PLR2004 - both sentences
        found[START["Closing"]] = closing(screen, leanings)
    return found | {START["Focus"]: text(screen.focus), START["Story"]: text(screen.focus)}


def heads(screen: Screen, c: ContextWords, *, cross: bool = False) -> list[Expected]:
    """The Attention of every head of the first sheet; of a model, in its last included layer."""
    F, p = screen.first, screen.at(c, screen.first)
    if F.is_a(Encoder, Classifier, EncoderDecoder):
        k = max(F.taken or range(1, F.layers + 1))
        here = (F.only or {}).get(str(k), range(1, F.heads + 1))
        return [screen.made[p.at(layer=k, cross=cross, head=int(h))["Attention"]] for h in here]
    many = F.is_a(MultiHead) or (F.is_a(CrossAttention) and F.heads > 0)
    places = [p.at(head=h) for h in range(1, F.heads + 1)] if many else [p]
    return [screen.made[place["Attention"]] for place in places]


def numbers(screen: Screen, c: ContextWords) -> Ranges:
    """The numbers of the words, and of the focus word before and after attention."""
    f, names, last = screen.at(c), screen.names, screen.sheets[-1]
    if not screen.full:
        return {f["Answer"]: upright(output(screen, c, last))} | labels(f["Answer"], names)
    focus = np.array([screen.focus])
    found = labels(f["Before"], focus, names if screen.columns == "near" else None)
    if screen.columns == "near":
        found[f["Before"]] = as_row(screen.made[RangeName(screen.compare, context=c.id)["Near"]])
    else:
        found |= {f["X"]: constant(c.X.value)} | labels(f["X"], None, names)
        found[f["Before"]] = row(constant(c.X.value), c.focus)
    for sheet in screen.sheets:
        name = f.at(of=sheet.id)["Output"]
        found |= {name: output(screen, c, sheet)} | labels(name, focus)
    return found


def output(screen: Screen, c: ContextWords, sheet: SheetInfo) -> Expected:
    """The output of a sheet for the focus word, (1, v)."""
    if screen.columns == "near":
        return as_row(screen.made[RangeName(screen.compare, context=c.id, of=sheet.id)["Near"]])
    return row(screen.made[screen.at(c, sheet)["Output"]], c.focus)


def row(x: Expected, i: int) -> Expected:
    """Row number i of a range, from 1; zeros for 0."""
    return replace(x, values=x.values[i - 1 : i]) if i else constant(np.zeros((1, x.values.shape[1])))


def upright(x: Expected) -> Expected:
    """The transpose of a row or column."""
    return replace(x, values=x.values.T)


def as_row(x: Expected) -> Expected:
    """Cosines, (v, 1), as a row of numbers, with 0 for missing ones."""
    values = [[0.0 if value == NONE else float(value) for value in x.values[:, 0]]]
    return replace(x, values=np.array(values))


def mean(each: Sequence[Expected]) -> Expected:
    """The mean of ranges of the same shape, with the largest of their tolerances."""
    values = np.mean([x.values for x in each], axis=0)
    return merged(each, values)


def merged(each: Sequence[Expected], values: Array) -> Expected:
    """Numbers derived from ranges, with the largest of their tolerances."""
    magnitude, amplification = max(x.magnitude for x in each), max(x.amplification for x in each)
    return Expected(values, "number", magnitude, amplification, coarse=max(x.coarse for x in each))


# --- texts -------------------------------------------------------------------------------------------------


def leaning(x: Expected, names: Array, limit: float = HALF) -> Leaning:
    """What the numbers of a row or column lean towards: nothing if the largest two are within `limit`."""
    a = x.values.reshape(-1).astype(float)  # (v,)
    doubt = 2 * rounding_of(x)
    if not (np.isfinite(a).all() and doubt < limit):
        x, doubt = replace(x, amplification=np.inf), 0.0
        a = np.nan_to_num(a)
    gap = a.max() - a  # (v,)
    first, last = np.flatnonzero(gap < limit)[[0, -1]]
    may, sure = np.flatnonzero(gap < limit + doubt), np.flatnonzero(gap < limit - doubt)
    second = float(np.sort(gap)[1])
    undecided = second <= limit
    return Leaning(
        (undecided, not undecided) if abs(second - limit) <= doubt else (undecided,),
        _texts(names, first, may[may <= sure[0]]),
        _texts(names, last, may[may >= sure[-1]]),
        x,
    )


def rounding_of(x: Expected) -> float:
    """The largest error of a number of a range."""
    return float(TOLERANCE * x.magnitude * max(1.0, x.amplification / FREE) + x.coarse)


def _texts(names: Array, right: int, may: Array) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(names[i]) for i in (right, *may)))


def text_from(ways: Iterable[str], x: Expected) -> Expected:
    """A text with several acceptable forms, as decidable as the numbers it depends on."""
    values = np.empty((1, 1), dtype=object)
    values[0, 0] = one_of(tuple(dict.fromkeys(ways)))
    return Expected(values, "text", x.magnitude, x.amplification, coarse=x.coarse)


def unreadable(screen: Screen, c: ContextWords) -> str | None:
    """The text for a sentence with an unknown word or an invalid blank; None if it has neither."""
    lost = [str(word) for word, i in zip(c.tokens[:, 0], c.ids[:, 0], strict=True) if not i and word != ""]
    if lost:
        return screen.tell(texts.UNKNOWN, word=lost[0])
    return screen.tell(texts.BLANK) if not (screen.blanks or c.exists.all()) else None


def unfollowed(screen: Screen, c: ContextWords) -> str | None:
    """The text for a sentence that is unreadable or lacks the focus word; None for other sentences."""
    fault = unreadable(screen, c)
    if fault is None and not c.focus:
        return screen.tell(texts.ABSENT, focus=screen.focus) if screen.focus else screen.tell(texts.NO_FOCUS)
    return fault


def unprompted(screen: Screen, c: ContextWords) -> str | None:
    """The text for a sentence that is unreadable or has no first word; None for other sentences."""
    fault = unreadable(screen, c)
    if fault is None and not c.exists[0]:
        return screen.tell(texts.NO_PROMPT)
    return fault


def says(screen: Screen, c: ContextWords, leaning: Leaning) -> Expected:
    """The text about the focus word in a sentence."""
    fault = unfollowed(screen, c)
    if fault is not None:
        return text(fault)
    near = screen.columns == "near"
    twice = screen.tell(texts.TWICE) if list(c.tokens[:, 0]).count(screen.focus) > 1 else ""
    if screen.columns == "numbered":
        return text(screen.tell(texts.MIXED, focus=screen.focus) + twice)
    decided, open_ = (texts.CLOSEST, texts.EQUALLY_CLOSE) if near else (texts.LEANS, texts.UNDECIDED)
    return leaning.text(
        screen.tell(open_ if undecided else decided, focus=screen.focus, lead=lead, other=other) + twice
        for undecided, lead, other in product(leaning.undecided, leaning.leads, leaning.others)
    )


def closing(screen: Screen, leanings: Sequence[Leaning]) -> Expected:
    """The text about both sentences."""
    there = [bool(c.focus) for c in screen.contexts]
    if screen.made["vocab_Status"].values.item() == "✗":
        return text(screen.tell(texts.NOT_YET))
    if not screen.focus:
        return text(screen.tell(texts.NO_FOCUS))
    if not all(there):
        return text(screen.tell(texts.ONE_HAS if any(there) else texts.NEITHER_HAS, focus=screen.focus))
    if screen.is_unlike:
        return text(screen.tell(texts.DIFFERENT_INPUTS, focus=screen.focus))
    one, two = leanings
    if screen.columns == "numbered":
        return outputs_compared(screen, one.numbers, two.numbers)
    ways = [
        screen.tell(decided(*undecided, same=here == other), here=here, there=other)
        for *undecided, here, other in product(one.undecided, two.undecided, one.leads, two.leads)
    ]
    return text_from(ways, merged([one.numbers, two.numbers], one.numbers.values))


def trained(screen: Screen, training: SheetInfo) -> Expected:
    """The text about the result of a training, (1, 1): contract, "The texts"."""
    s, steps = RangeName(training.id), training.steps
    losses, verdict, diverged = (screen.made[s[block]] for block in ("Loss", "Verdict", "Diverged"))
    if screen.made["vocab_Status"].values.item() == "✗":
        return text(screen.tell(texts.NOT_YET))
    if diverged.values.item() > 0:
        return text(screen.tell(texts.DIVERGED, step=int(diverged.values.item())))
    falls, is_sure = verdict.values.item() == "✓", math.isfinite(verdict.amplification)
    learned = [
        screen.tell(texts.LEARNED if percent else texts.SLIGHTLY_LEARNED, steps=steps, percent=percent)
        for percent in percents(losses)
    ]
    not_learned = [screen.tell(texts.NOT_LEARNED, steps=steps)]
    ways, others = (learned, not_learned) if falls else (not_learned, learned)
    return text_from(ways if is_sure else ways + others, diverged)  # which rounding does not affect


def percents(losses: Expected) -> list[int]:
    """By how many percent the loss may fall from its first to its last number, the likeliest first.

    losses: (n + 1, 1). With the error e of each loss, 100 (1 − last / first) has the error
    100 e (1 + last / first) / first, to first order. Half a percent may be rounded up or down.
    """
    first, last, e = float(losses.values[0, 0]), float(losses.values[-1, 0]), rounding_of(losses)
    if not (0 < first < math.inf and 0 <= last < math.inf and e < first):
        return [*range(101)]
    fall = 100 * (1 - last / first)
    doubt = 100 * e * (1 + last / first) / first
    best, low, high = (math.floor(min(max(p, 0), 100) + 0.5) for p in (fall, fall - doubt, fall + doubt))
    return [best, *(percent for percent in range(low, high + 1) if percent != best)]


def outputs_compared(screen: Screen, one: Expected, two: Expected) -> Expected:
    """The text about two rows of outputs, (1, v) each, whose columns have no names."""
    distance = float(np.linalg.norm(one.values - two.values))
    doubt = np.sqrt(one.values.size) * (rounding_of(one) + rounding_of(two))  # both rows off in every column
    ways = [texts.SAME_NUMBERS, texts.OTHER_NUMBERS]
    if distance > HALF:
        ways.reverse()
    sure = abs(distance - HALF) > doubt  # not after an overflow: NaN, or infinite doubt
    return text_from(map(screen.tell, ways[:1] if sure else ways), merged([one, two], one.values))


def decided(first_undecided: bool, second_undecided: bool, *, same: bool) -> str:  # noqa: FBT001 - one for each sentence
    """The text for two sentences that have the focus word."""
    if first_undecided:
        return texts.BOTH_UNDECIDED if second_undecided else texts.FIRST_UNDECIDED
    if second_undecided:
        return texts.SECOND_UNDECIDED
    return texts.SAME if same else texts.DIFFER


# --- the other kinds ---------------------------------------------------------------------------------------


def classifier(screen: Screen) -> Ranges:
    """The attention of a classifier, its probabilities, and the text about them."""
    found: Ranges = {}
    for c in screen.contexts:
        f, theirs = screen.at(c), screen.at(c, screen.first)
        A = mean(heads(screen, c))
        found[f["Look"]] = replace(A, values=(shares(screen.first, c) @ A.values)[:, None])
        chances, classes = screen.made[theirs["Probability"]], screen.inputs[theirs.at(context="")["Classes"]]
        found |= {f["Answer"]: upright(chances)} | labels(f["Answer"], classes)
        found[f["Says"]] = classified(screen, c, leaning(chances, classes.reshape(-1), PERCENT))
    return found


def classified(screen: Screen, c: ContextWords, leaning: Leaning) -> Expected:
    """The text about the class of a sentence."""
    fault = unreadable(screen, c)
    if fault is not None:
        return text(fault)
    if own(screen.made[screen.at(c, screen.first)["Class"]].values.item()) == NONE:
        return text(screen.tell(texts.NO_CLASS))
    return leaning.text(
        screen.tell(texts.CLASS_UNDECIDED if undecided else texts.CLASS, lead=lead, other=other)
        for undecided, lead, other in product(leaning.undecided, leaning.leads, leaning.others)
    )


def faults(screen: Screen, fault: Callable[[Screen, ContextWords], str | None]) -> Ranges:
    """The texts about sentences with this fault, which are empty for other sentences."""
    return {screen.at(c)["Says"]: text(fault(screen, c) or "") for c in screen.contexts}


def written(screen: Screen, contexts: Sequence[ContextWords]) -> Ranges:
    """The most likely next words, and the generated text."""
    found = faults(screen, unprompted)
    for c in contexts:
        f, theirs = screen.at(c), screen.at(c, screen.first)
        for block in ("TopTokens", "TopProbabilities"):
            every = screen.made[theirs[block]]
            found[f[block]] = replace(every, values=every.values[:, : screen.rivals])
        if screen.first.generate:
            tokens = screen.made[theirs["Tokens"]]
            run_together = replace(tokens, values=np.array([[continuous(tokens.values[:, 0])]], dtype=object))
            found[f["Written"]] = tokens
            found[f["Text"]] = run_together if screen.first.apart else screen.made[theirs["Text"]]
    return found


def continuous(tokens: Array) -> str:
    """The text of a trained model's tokens: only ▁ and newlines separate words."""
    said = "".join(map(str, tokens))
    for blank in BLANKS:
        said = said.replace(blank, " ")
    return " ".join(filter(None, said.split(" ")))


def aligned(screen: Screen) -> Ranges:
    """The attention of the target to the source."""
    source, target = (
        [c for c in screen.contexts if c.id == name] for name in (screen.first.source, screen.first.target)
    )
    name = screen.at(target[0])["Alignment"]
    looks = mean(heads(screen, target[0], cross=True))
    return {name: looks} | labels(name, None, source[0].tokens)


def alignment(screen: Screen) -> Ranges:
    """The alignment of two sentences."""
    by_id = {c.id: c for c in screen.contexts}
    queries, keys = by_id[screen.first.queries], by_id[screen.first.keys]
    f, A = screen.at(queries), mean(heads(screen, queries))
    found = faults(screen, unreadable) | labels(f["Alignment"], None, keys.tokens)
    found |= {f["Alignment"]: A, f["Most"]: most(A, queries, keys)}
    if not screen.first.heads:
        found[f["Said"]] = screen.made[screen.at(queries, screen.first)["FocusSaid"]]
    return found


def most(A: Expected, queries: ContextWords, keys: ContextWords) -> Expected:
    """The word that each word attends to most; nearly equal ones are all acceptable."""
    doubt = 2 * TOLERANCE * A.magnitude * max(1.0, A.amplification / FREE)
    values = np.empty((len(A.values), 1), dtype=object)
    for i, a in enumerate(A.values):
        near = [int(np.argmax(a)), *np.flatnonzero(a >= a.max() - doubt)]
        words = tuple(dict.fromkeys(str(keys.tokens[j, 0]) for j in near))
        values[i, 0] = one_of(words) if queries.exists[i] else NONE
    return Expected(values, "text", A.magnitude, A.amplification, coarse=A.coarse)
