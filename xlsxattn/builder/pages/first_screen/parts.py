"""What the first screens of all kinds of sheets share: words, labels, mean attention, unreadable words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Block, Strip
from xlsxattn.builder.pages.parts import computed, typed
from xlsxattn.contract import first_screen as texts
from xlsxattn.contract.names import START, RangeName, cols_of, ends_in, of_context, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.ops import Op
    from xlsxattn.builder.specification import Spec
    from xlsxattn.builder.specification.words import Context
    from xlsxattn.contract.kinds import Model

MAX_FULL = 2
"""Maximum number of sentences with all numbers."""
WORD, PLACE, SHARE, NUMBER, NARROW, ALONE = 100, 24, 100, 66, 50, 250
"""Widths of columns in pixels; words without a result beside them have room for a text below."""
LOOK, NUMBERS = 3, 4
"""The strips of a lane with results below them: the attention to each word, and its numbers."""
EVERY_NUMBER, WIDEST_NUMBER = 264, 132
"""Widths in pixels of all numbers of a word, so that sentences have room above them, and of one number."""


class Shown(TypedDict):
    """What the first screen shows, as stored in ``xlsxattn_Front``."""

    sheets: list[str]
    contexts: list[str]
    columns: NotRequired[Literal["dims", "near", "numbered", "none"]]
    compare: NotRequired[str]
    full: NotRequired[bool]
    rivals: NotRequired[int]
    training: NotRequired[str]
    details: NotRequired[list[str]]


def focus_word(name: str, look: str, number_format: str) -> Block:
    """The focus word; its number format adds the other words."""
    block = computed(name, (1, 1), ops.first_screen.FOCUS, look, focus="vocab_Focus")
    return replace(block, number_format=number_format)


def front_of(context: Context) -> RangeName:
    """The name of a sentence on the first screen."""
    return START.at(context=context.id)


def word_blocks(context: Context) -> tuple[Block, Block, Block]:
    """The words of a sentence, which are yellow, their places, and their rows in the vocabulary (n × 1)."""
    own, n = of_context(context.id), len(context.words)
    words = typed(own["Tokens"], "yellow word", [(word,) for word in context.words])
    index = typed(own["Index"], "place", [(float(i + 1),) for i in range(n)], "constant")
    ids = computed(
        own["Ids"], (n, 1), ops.words.IDS, "word number", tokens=words.name, vocabulary="vocab_Tokens"
    )
    return words, index, ids


def word_strips(context: Context) -> tuple[Strip, Strip, Strip]:
    """The strips of a sentence: its words, their positions, and their (hidden) rows in the vocabulary."""
    words, index, ids = word_blocks(context)
    return Strip(replace(ids, widths=(1.0,)), PLACE, hidden=True), Strip(words, WORD), Strip(index, PLACE)


def copied(
    name: str, shape: tuple[int, int], look: str, source: str, op: Op = ops.first_screen.COPIED
) -> Block:
    """A copy of another range."""
    return computed(name, shape, op, look, source=source)


def labels(name: str, names: str, *, upright: bool, count: int) -> Block:
    """Labels above a block or, if it is upright, beside it, copied from the row or column ``names``."""
    above = (cols_of(name), (1, count), "name above")
    label, shape, look = (rows_of(name), (count, 1), "name beside") if upright else above
    op = ops.words.COL_LABELS if upright == (ends_in(names, ("Dims", "Classes"))) else ops.words.ROW_LABELS
    return computed(label, shape, op, look, texts=names)


def unreadable_cases(spec: Spec, context: Context) -> tuple[tuple[str, str], ...]:
    """The cases of an unknown word and, if blank cells are not allowed, of a blank cell."""
    own = of_context(context.id)
    cases = [(f'SUM(({own["Ids"]}=0)*({own["Tokens"]}<>""))>0', texts.UNKNOWN)]
    if not any(sheet.uses_blanks for sheet in spec.sheets):
        cases.append((f'SUM(--({own["Tokens"]}=""))>0', texts.BLANK))
    return tuple(cases)


def unreadable(spec: Spec, context: Context) -> Block:
    """The text for an unknown word or an invalid blank; otherwise the empty text."""
    op = ops.first_screen.first_case(*unreadable_cases(spec, context), else_="")
    return computed(front_of(context)["Says"], (1, 1), op, "made of", word=first_unknown(context))


def first_unknown(context: Context) -> str:
    """The first unknown word, as a part of a formula."""
    tokens, ids = (of_context(context.id)[block] for block in ("Tokens", "Ids"))
    if len(context.words) == 1:  # some programs do not accept the name of a single cell in INDEX
        return tokens
    return f'INDEX({tokens},MATCH(1,({ids}=0)*({tokens}<>""),0))'


def attentions_of(sheet: Model, p: RangeName, *, cross: bool = False) -> list[str]:
    """The Attention of every included head of the last included layer."""
    k = sheet.numbers[-1]
    return [p.at(layer=k, cross=cross, head=h)["Attention"] for h in sheet.heads_of(k)]


def mean_attention(context: Context, attentions: Sequence[str], rows: str) -> Block:
    """The mean attention to each word over all heads (n × 1); ``rows``: the weight of each row (n × 1)."""
    joined = "+".join(attentions)
    names = {"attention": f"({joined})" if attentions[1:] else joined, "rows": rows}
    op = (
        ops.first_screen.LOOK
        if attentions[1:]
        else replace(ops.first_screen.LOOK, formula=ops.first_screen.LOOK.formula.removesuffix("/{heads}"))
    )
    shape = len(context.words), 1
    return computed(front_of(context)["Look"], shape, op, "share", heads=str(len(attentions)), **names)
