"""The first screen of classifiers, of models that write, and of attention across two sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Block, Line, Strip, WordLane
from xlsxattn.builder.pages.details import has_no_result
from xlsxattn.builder.pages.first_screen import parts
from xlsxattn.builder.pages.parts import computed
from xlsxattn.contract import first_screen as texts
from xlsxattn.contract.kinds import PADDING, Classifier, CrossAttention, EncoderDecoder, Writer
from xlsxattn.contract.names import RangeName, cols_of, of_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.specification import Spec
    from xlsxattn.builder.specification.words import Context


def classified(spec: Spec, sheet: Classifier, context: Context, heading: Block) -> WordLane:
    """The words of a sentence, the attention that determines its class, and the classes."""
    own, f, p = of_context(context.id), parts.front_of(context), RangeName(sheet.id, context=context.id)
    rows = f"--({own['Index']}=1)"
    if sheet.pool == "mean":
        padded = f"{p['PaddingMask']}/MAX(1,SUM({p['PaddingMask']}))"
        rows = padded if sheet.mask in PADDING else f"({own['Index']}>0)/ROWS({own['Index']})"
    look = parts.mean_attention(context, parts.attentions_of(sheet, p), rows)
    names, count = RangeName(sheet.id)["Classes"], len(sheet.classes)
    answer = parts.copied(f["Answer"], (count, 1), "chance", p["Probability"], ops.first_screen.UPRIGHT)
    line = Line(parts.labels(answer.name, names, upright=True, count=count), answer, parts.LOOK)
    limit = ops.first_screen.PERCENT
    op = ops.first_screen.first_case(
        *parts.unreadable_cases(spec, context),
        (f'{p["Class"]}="–"', texts.NO_CLASS),
        (ops.first_screen.is_undecided(answer.name, limit), texts.CLASS_UNDECIDED),
        else_=texts.CLASS,
    )
    read = {
        "word": parts.first_unknown(context),
        "lead": ops.first_screen.lead(answer.name, names, limit=limit),
        "other": ops.first_screen.other(answer.name, names, along="ROW", limit=limit),
    }
    says = computed(f["Says"], (1, 1), op, "says", **read)
    ids, words, place = parts.word_strips(context)
    head = "where the first word looks" if sheet.pool == "first" else "where all words look"
    strips = (ids, words, place, Strip(look, 2 * parts.SHARE, head))
    return WordLane(heading, strips, has_no_result(context, f'{p["Class"]}="–"'), (line,), (says,))


def writing(
    spec: Spec, sheet: Writer, contexts: Sequence[Context], sentences: dict[str, Block], show: parts.Shown
) -> tuple[list[WordLane], Block | None]:
    """The words so far with the likeliest next ones, and the generated text."""
    lanes, written = [], []
    for context in contexts:
        ids, words, place = parts.word_strips(context)
        strips = [ids, words, place]
        if not isinstance(sheet, EncoderDecoder) or context.id == sheet.target:
            strips += _next_words(sheet, context, show["rivals"])
            if sheet.generate:
                written.append(_text(sheet, context))
        if isinstance(sheet, EncoderDecoder) and context.id == sheet.target:
            p = RangeName(sheet.id, context=context.id)
            strips.append(
                _alignment(context, spec.context(sheet.source), parts.attentions_of(sheet, p, cross=True))
            )
        strips = strips if strips[3:] else [ids, replace(words, pixels=parts.ALONE), place]
        lanes.append(WordLane(sentences[context.id], tuple(strips), says=(_prompted(spec, context),)))
    if len(written) == 1:
        return lanes, replace(written[0], look="closing")
    if written:
        lanes = [replace(lane, says=(text, *lane.says)) for lane, text in zip(lanes, written, strict=True)]
    return lanes, None


def _prompted(spec: Spec, context: Context) -> Block:
    """The text for an unreadable word or a blank first cell; otherwise the empty text (1 × 1)."""
    cases = parts.unreadable_cases(spec, context)
    if all(text != texts.BLANK for _, text in cases):
        cases = (*cases, (f'{of_context(context.id)["Tokens"]}[1]=""', texts.NO_PROMPT))
    op = ops.first_screen.first_case(*cases, else_="")
    word = parts.first_unknown(context)
    return computed(parts.front_of(context)["Says"], (1, 1), op, "made of", word=word)


def _next_words(sheet: Writer, context: Context, rivals: int) -> list[Strip]:
    """The token that the model reads at each position, and the likeliest next ones (n × rivals)."""
    f, p, n = parts.front_of(context), RangeName(sheet.id, context=context.id), len(context.words)
    strips = []
    if sheet.generate:
        written = parts.copied(f["Written"], (n, 1), "word", p["Tokens"], ops.first_screen.COPIED_WORDS)
        strips.append(Strip(written, parts.WORD, "input token"))
    for name, look, op, head in (
        ("TopTokens", "next word", ops.first_screen.COPIED_WORDS, "next word"),
        ("TopProbabilities", "chance", ops.first_screen.COPIED, "probability"),
    ):
        strips.append(Strip(parts.copied(f[name], (n, rivals), look, p[name], op), parts.WORD, head))
    return strips


def _text(sheet: Writer, context: Context) -> Block:
    """The text so far (1 × 1)."""
    f, p = parts.front_of(context), RangeName(sheet.id, context=context.id)
    if sheet.apart:
        words = "&".join(f"{p['Tokens']}[{i + 1}]" for i in range(len(context.words)))
        block = computed(f["Text"], (1, 1), ops.first_screen.JOINED, "says", words=words)
    else:
        block = parts.copied(f["Text"], (1, 1), "says", p["Text"], ops.words.SAME_TEXT)
    return replace(block, number_format=texts.WRITES)


def _alignment(queries: Context, keys: Context, attentions: Sequence[str], look: str = "aligned") -> Strip:
    """The mean attention of each word to the words of the other sentence (n_queries × n_keys).

    With the look "share", rows of blank words are blank.
    """
    name, n = parts.front_of(queries)["Alignment"], len(keys.words)
    read = {"heads": "+".join(attentions), "count": str(len(attentions))}
    op = (
        ops.first_screen.MEAN_OF_HEADS
        if attentions[1:]
        else replace(ops.first_screen.MEAN_OF_HEADS, formula="={heads}")
    )
    block = computed(name, (len(queries.words), n), op, look, **read)
    tokens = of_context(keys.id)["Tokens"]
    head = computed(cols_of(name), (1, n), ops.words.COL_LABELS, "name above", texts=tokens)
    return Strip(block, parts.NUMBER if n * parts.NUMBER <= parts.EVERY_NUMBER else parts.NARROW, head)


def crossed(
    spec: Spec, sheet: CrossAttention, contexts: Sequence[Context], sentences: dict[str, Block]
) -> list[WordLane]:
    """Both sentences, with the attention from the first to the second and each word's strongest key."""
    queries, keys = contexts
    f, p = parts.front_of(queries), RangeName(sheet.id, context=queries.id)
    places = [p.at(head=h + 1) for h in range(sheet.heads)] if sheet.headed else [p]
    aligned = _alignment(queries, keys, [at["Attention"] for at in places], "share")
    names = {"tokens": of_context(queries.id)["Tokens"], "words": of_context(keys.id)["Tokens"]}
    op = ops.first_screen.MOST
    if len(keys.words) == 1:  # some programs do not accept the name of a single cell in INDEX
        op = replace(op, formula='=IF({tokens}[cell]="","–",{words}&"")')
    n = len(queries.words)
    most = computed(f["Most"], (n, 1), op, "next word", map=f["Alignment"], **names)
    said = (
        [parts.copied(f["Said"], (1, 1), "made of", p["FocusSaid"], ops.words.SAME_TEXT)]
        if not sheet.headed
        else []
    )
    lanes = []
    for context in contexts:
        ids, words, place = parts.word_strips(context)
        strips = [aligned, Strip(most, parts.WORD, "looks most at")] if context is queries else []
        words = words if strips else replace(words, pixels=parts.ALONE)
        says = [replace(block, number_format=texts.MADE_OF) for block in said if context is queries]
        says.append(parts.unreadable(spec, context))
        lanes.append(WordLane(sentences[context.id], (ids, words, place, *strips), says=tuple(says)))
    return lanes
