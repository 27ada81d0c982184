"""The first screen: what the yellow words become, and what is said of it.

All of it repeats, averages or reads what other sheets hold, which the reference has computed before. A text
that hangs on half of the last digit shown may say either where rounding could decide so.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from xlsxattn.checker.reference.attention import FREE, TOLERANCE, Expected
from xlsxattn.checker.reference.choices import one_of, own
from xlsxattn.checker.reference.models import NO_CLASS
from xlsxattn.checker.reference.sentences import shares
from xlsxattn.checker.reference.words import constant, labels, text, uses_blanks
from xlsxattn.contract.first_screen import (
    ABSENT,
    BLANK,
    CLASS,
    CLASS_TORN,
    DIFFER,
    FIRST_TORN,
    LEANS,
    NEAR_TORN,
    NEAREST,
    NEITHER_DECIDES,
    NEITHER_HAS,
    NO_FOCUS,
    NOT_YET,
    ONE_HAS,
    SAME,
    SECOND_TORN,
    TORN,
    TWICE,
    UNKNOWN,
)
from xlsxattn.contract.first_screen import NO_CLASS as NO_WORD
from xlsxattn.contract.kinds import Classifier, CrossAttention, Decoder, Encoder, EncoderDecoder, MultiHead
from xlsxattn.contract.names import START, RangeName
from xlsxattn.language import ENGLISH, codes, language, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from xlsxattn.checker.reference.attention import Array, Ranges
    from xlsxattn.checker.reference.words import ContextWords, Inputs, SheetInfo

HALF = 0.005
"""Half of the last digit of numbers with two decimals: what is nearer than this looks the same."""
NOBODY = "–"
BLANKS = ("▁", "<U+000A>")
"""What stands for a blank in the tokens of trained models, and for a new line."""


class Screen(NamedTuple):
    """What the first screen shows, and what it is made from.

    Attributes:
        sheets: one or two sheets, the kind of the first of which decides what there is.
        contexts: the contexts that are shown.
        columns: what the numbers of a row stand for: ``dims``, ``near`` or ``none``.
        compare: the sheet that words are held against on, with ``near``.
        full: whether sentences are shown with all their numbers.
        rivals: how many of the likeliest words are shown.
        blanks: whether a blank cell is meant.
        inputs: every input of the workbook.
        made: every range of the other sheets.
        tell: puts a sentence and its values into the workbook's language.
    """

    sheets: list[SheetInfo]
    contexts: list[ContextWords]
    columns: str
    compare: str
    full: bool
    rivals: int
    blanks: bool
    inputs: Inputs
    made: Ranges
    tell: Callable[..., str]

    @property
    def first(self) -> SheetInfo:
        """F of the contract."""
        return self.sheets[0]

    @property
    def focus(self) -> str:
        """The word that is followed."""
        return str(self.inputs["vocab_Focus"][0, 0])

    @property
    def names(self) -> Array:
        """What the numbers of a row stand for, (v,)."""
        near = self.columns == "near"
        said = self.inputs[RangeName(self.compare)["Tokens"] if near else "vocab_Dims"]
        return np.asarray(said.reshape(-1))

    def at(self, c: ContextWords, sheet: SheetInfo | None = None) -> RangeName:
        """What a context's ranges on a sheet begin with; on the first screen without a sheet."""
        return (RangeName(sheet.id) if sheet else START).at(context=c.id)


class Leaning(NamedTuple):
    """What some numbers lean towards: of each all that may rightly be said, the reference's own first."""

    torn: tuple[bool, ...]
    leads: tuple[str, ...]
    others: tuple[str, ...]
    numbers: Expected

    def text(self, ways: Iterable[str]) -> Expected:
        """A text that hangs on these numbers, in all the ways it may read."""
        return hanging(ways, self.numbers)


def first_screen(
    front: Mapping[str, Any], code: str, sheets: Sequence[SheetInfo], contexts: Sequence[ContextWords],
    inputs: Inputs, made: Ranges,
) -> Ranges:  # fmt: skip
    """The ranges of the first screen, whose table in the manifest is `front`, in the language `code`.

    Raises:
        KeyError: the table lacks something, or names a sheet or a context that is not there.
    """
    by_id, by_context = {sheet.id: sheet for sheet in sheets}, {c.id: c for c in contexts}
    told = language(code) if code in codes() else ENGLISH
    screen = Screen(
        [by_id[name] for name in front["sheets"]],
        [by_context[name] for name in front["contexts"]],
        front.get("columns", "none"),
        front.get("compare", ""),
        bool(front.get("full")),
        int(front.get("rivals", 0)),
        uses_blanks(sheets),
        inputs,
        made,
        lambda sentence, **values: told.tell(say(sentence, **values)),
    )
    if screen.first.is_a(Classifier):
        return classifier(screen)
    if screen.first.is_a(Decoder):
        return written(screen, screen.contexts)
    if screen.first.is_a(EncoderDecoder):
        return written(screen, [c for c in screen.contexts if c.id == screen.first.target]) | aligned(screen)
    return alignment(screen) if screen.first.is_a(CrossAttention) else attention(screen)


# --- attention and encoder ----------------------------------------------------------------------------------


def attention(screen: Screen) -> Ranges:
    """How much the focus word looks at each word, what becomes of it, and what that says."""
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
        if not follows:
            continue
        found |= numbers(screen, c)
        if len(screen.names) > 1:
            leanings.append(leaning(output(screen, c, screen.sheets[-1]), screen.names))
            found[f["Says"]] = says(screen, c, leanings[-1])
    if len(screen.contexts) == len(leanings) == 2:  # noqa: PLR2004 - both sentences
        found[START["Closing"]] = closing(screen, leanings)
    return found | {START["Focus"]: text(screen.focus), START["Story"]: text(screen.focus)}


def heads(screen: Screen, c: ContextWords, *, cross: bool = False) -> list[Expected]:
    """The Attention of every head of the first sheet, of a model's last layer that is there."""
    F, p = screen.first, screen.at(c, screen.first)
    if F.is_a(Encoder, Classifier, EncoderDecoder):
        k = max(F.taken or range(1, F.layers + 1))
        here = (F.only or {}).get(str(k), range(1, F.heads + 1))
        return [screen.made[p.at(layer=k, cross=cross, head=int(h))["Attention"]] for h in here]
    many = F.is_a(MultiHead) or (F.is_a(CrossAttention) and F.heads > 0)
    places = [p.at(head=h) for h in range(1, F.heads + 1)] if many else [p]
    return [screen.made[place["Attention"]] for place in places]


def numbers(screen: Screen, c: ContextWords) -> Ranges:
    """The numbers of the words, and of the focus word before and after."""
    f, names, last = screen.at(c), screen.names, screen.sheets[-1]
    if not screen.full:
        return {f["Answer"]: upright(output(screen, c, last))} | labels(f["Answer"], names)
    focus = np.array([screen.focus])
    found = labels(f["Before"], focus, names if screen.columns == "near" else None)
    if screen.columns == "near":
        found[f["Before"]] = lying(screen.made[RangeName(screen.compare, context=c.id)["Near"]])
    else:
        found |= {f["X"]: constant(c.X.value)} | labels(f["X"], None, names)
        found[f["Before"]] = row(constant(c.X.value), c.focus)
    for sheet in screen.sheets:
        name = f.at(of=sheet.id)["Output"]
        found |= {name: output(screen, c, sheet)} | labels(name, focus)
    return found


def output(screen: Screen, c: ContextWords, sheet: SheetInfo) -> Expected:
    """What a sheet makes of the focus word, (1, v)."""
    if screen.columns == "near":
        return lying(screen.made[RangeName(screen.compare, context=c.id, of=sheet.id)["Near"]])
    return row(screen.made[screen.at(c, sheet)["Output"]], c.focus)


def row(x: Expected, i: int) -> Expected:
    """Row number i of a range, from 1; zeros for 0."""
    return replace(x, values=x.values[i - 1 : i]) if i else constant(np.zeros((1, x.values.shape[1])))


def upright(x: Expected) -> Expected:
    """A row as a column, or the other way round."""
    return replace(x, values=x.values.T)


def lying(x: Expected) -> Expected:
    """Cosines, (v, 1), as a row of numbers, with 0 where there is none."""
    values = [[0.0 if value == NOBODY else float(value) for value in x.values[:, 0]]]
    return replace(x, values=np.array(values))


def mean(each: Sequence[Expected]) -> Expected:
    """The mean of ranges of the same shape, which is as sure as the least sure of them."""
    values = np.mean([x.values for x in each], axis=0)
    return merged(each, values)


def merged(each: Sequence[Expected], values: Array) -> Expected:
    """Numbers that are made from those of some ranges, none of which they exceed."""
    magnitude, amplification = max(x.magnitude for x in each), max(x.amplification for x in each)
    return Expected(values, "number", magnitude, amplification, coarse=max(x.coarse for x in each))


# --- what is said -------------------------------------------------------------------------------------------


def leaning(x: Expected, names: Array) -> Leaning:
    """What the numbers of a range, in a row or a column, lean towards."""
    a = x.values.reshape(-1).astype(float)  # (v,)
    doubt = 2 * (TOLERANCE * x.magnitude * max(1.0, x.amplification / FREE) + x.coarse)
    if not (np.isfinite(a).all() and doubt < HALF):
        x, doubt = replace(x, amplification=np.inf), 0.0
        a = np.nan_to_num(a)
    gap = a.max() - a  # (v,)
    first, last = np.flatnonzero(gap < HALF)[[0, -1]]
    may, sure = np.flatnonzero(gap < HALF + doubt), np.flatnonzero(gap < HALF - doubt)
    second = float(np.sort(gap)[1])
    torn = second <= HALF
    return Leaning(
        (torn, not torn) if abs(second - HALF) <= doubt else (torn,),
        _texts(names, first, may[may <= sure[0]]),
        _texts(names, last, may[may >= sure[-1]]),
        x,
    )


def _texts(names: Array, right: int, may: Array) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(names[i]) for i in (right, *may)))


def hanging(ways: Iterable[str], x: Expected) -> Expected:
    """A text that may read in several ways, and is as sure as the numbers it is made from."""
    values = np.empty((1, 1), dtype=object)
    values[0, 0] = one_of(tuple(dict.fromkeys(ways)))
    return Expected(values, "text", x.magnitude, x.amplification, coarse=x.coarse)


def unreadable(screen: Screen, c: ContextWords) -> str | None:
    """What is said of a sentence with an unknown word or a blank that is a fault; None without either."""
    lost = [str(word) for word, i in zip(c.tokens[:, 0], c.ids[:, 0], strict=True) if not i and word != ""]
    if lost:
        return screen.tell(UNKNOWN, word=lost[0])
    return screen.tell(BLANK) if not (screen.blanks or c.exists.all()) else None


def says(screen: Screen, c: ContextWords, leaning: Leaning) -> Expected:
    """What one sentence makes of the focus word."""
    fault = unreadable(screen, c)
    if fault is not None:
        return text(fault)
    if not c.focus:
        return text(screen.tell(ABSENT, focus=screen.focus) if screen.focus else screen.tell(NO_FOCUS))
    near = screen.columns == "near"
    twice = screen.tell(TWICE) if list(c.tokens[:, 0]).count(screen.focus) > 1 else ""
    sentences = {True: NEAR_TORN if near else TORN, False: NEAREST if near else LEANS}
    return leaning.text(
        screen.tell(sentences[torn], focus=screen.focus, lead=lead, other=other) + twice
        for torn, lead, other in product(leaning.torn, leaning.leads, leaning.others)
    )


def closing(screen: Screen, leanings: Sequence[Leaning]) -> Expected:
    """What both sentences together say."""
    there = [bool(c.focus) for c in screen.contexts]
    if screen.made["vocab_Status"].values.item() == "✗":
        return text(screen.tell(NOT_YET))
    if not screen.focus:
        return text(screen.tell(NO_FOCUS))
    if not all(there):
        return text(screen.tell(ONE_HAS if any(there) else NEITHER_HAS, focus=screen.focus))
    one, two = leanings
    ways = [
        screen.tell(decided(*torn, same=here == other), here=here, there=other)
        for *torn, here, other in product(one.torn, two.torn, one.leads, two.leads)
    ]
    return hanging(ways, merged([one.numbers, two.numbers], one.numbers.values))


def decided(first_torn: bool, second_torn: bool, *, same: bool) -> str:  # noqa: FBT001 - one for each sentence
    """The sentence about two sentences that have the word."""
    if first_torn:
        return NEITHER_DECIDES if second_torn else FIRST_TORN
    if second_torn:
        return SECOND_TORN
    return SAME if same else DIFFER


# --- the other kinds ----------------------------------------------------------------------------------------


def classifier(screen: Screen) -> Ranges:
    """Where the class is read from, how likely each is, and what that says."""
    found: Ranges = {}
    for c in screen.contexts:
        f, theirs = screen.at(c), screen.at(c, screen.first)
        A = mean(heads(screen, c))
        found[f["Look"]] = replace(A, values=(shares(screen.first, c) @ A.values)[:, None])
        chances, classes = screen.made[theirs["Probability"]], screen.inputs[theirs.at(context="")["Classes"]]
        found |= {f["Answer"]: upright(chances)} | labels(f["Answer"], classes)
        found[f["Says"]] = classified(screen, c, leaning(chances, classes.reshape(-1)))
    return found


def classified(screen: Screen, c: ContextWords, leaning: Leaning) -> Expected:
    """Which class a sentence has."""
    fault = unreadable(screen, c)
    if fault is not None:
        return text(fault)
    if own(screen.made[screen.at(c, screen.first)["Class"]].values.item()) == NO_CLASS:
        return text(screen.tell(NO_WORD))
    return leaning.text(
        screen.tell(CLASS_TORN if torn else CLASS, lead=lead, other=other)
        for torn, lead, other in product(leaning.torn, leaning.leads, leaning.others)
    )


def written(screen: Screen, contexts: Sequence[ContextWords]) -> Ranges:
    """The likeliest next words, and what was written."""
    found: Ranges = {}
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
    """Tokens of a trained model as they are read: only ▁ and new lines part words."""
    said = "".join(map(str, tokens))
    for blank in BLANKS:
        said = said.replace(blank, " ")
    return " ".join(filter(None, said.split(" ")))


def aligned(screen: Screen) -> Ranges:
    """How the target looks at the source."""
    source, target = (
        [c for c in screen.contexts if c.id == name] for name in (screen.first.source, screen.first.target)
    )
    name = screen.at(target[0])["Alignment"]
    looks = mean(heads(screen, target[0], cross=True))
    return {name: looks} | labels(name, None, source[0].tokens)


def alignment(screen: Screen) -> Ranges:
    """Who asks whom, of one sentence across another."""
    by_id = {c.id: c for c in screen.contexts}
    asking, told = by_id[screen.first.queries], by_id[screen.first.keys]
    f, A = screen.at(asking), mean(heads(screen, asking))
    found = {f["Alignment"]: A, f["Most"]: most(A, asking, told)} | labels(f["Alignment"], None, told.tokens)
    if not screen.first.heads:
        found[f["Said"]] = screen.made[screen.at(asking, screen.first)["FocusSaid"]]
    return found


def most(A: Expected, asking: ContextWords, told: ContextWords) -> Expected:
    """The word that each word looks at most; nearly equal ones either."""
    doubt = 2 * TOLERANCE * A.magnitude * max(1.0, A.amplification / FREE)
    values = np.empty((len(A.values), 1), dtype=object)
    for i, a in enumerate(A.values):
        near = [int(np.argmax(a)), *np.flatnonzero(a >= a.max() - doubt)]
        words = tuple(dict.fromkeys(str(told.tokens[j, 0]) for j in near))
        values[i, 0] = one_of(words) if asking.exists[i] else NOBODY
    return Expected(values, "text", A.magnitude, A.amplification, coarse=A.coarse)
