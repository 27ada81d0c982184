"""The comparing page: the focus word in every sentence, its input and its outputs side by side."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Block, Chart, Fact, Group, Page, Series, Side
from xlsxattn.builder.pages.attention import output_columns
from xlsxattn.builder.pages.experiments import compared
from xlsxattn.builder.pages.focus import HOW_MUCH, LOOKED_AT
from xlsxattn.builder.pages.parts import Lane, computed, dims_above, numbered, typed
from xlsxattn.contract.kinds import Compare, Model, MultiHead, WithAttention
from xlsxattn.contract.names import RangeName, cols_of, of_context, rows_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.specification import Spec
    from xlsxattn.builder.specification.words import Context

MAX_BARS, MAX_POINTS = 6, 12
MAX_ALL_PAIRS = 8
"""Sentences of which every two are compared; of more each with the next, or the formula would be too long."""
ALONE = "– {focus} stands in one sentence only: nothing is compared"
LEAD = "The same word, the same embedding, different neighbours: see what each sentence made of it."


def compare_page(spec: Spec, sheet: Compare, before: Sequence[WithAttention]) -> Page:
    """The focus word in every context: input, outputs, cosine similarities, attention rows, charts."""
    d_model = spec.vocabulary.d_model
    same = [s for s in before if output_columns(s, d_model) == d_model]
    bands = [
        Band(
            "Input and outputs of the focus word",
            "Row 1 is its embedding; below, what each sheet made of it. "
            "Cosine: how close to the same row in the first sentence (1: same direction).",
            tuple(_vectors(spec, sheet, before[0], same, c) for c in spec.contexts),
            show_formula=False,
        )
    ]
    for other in (s for s in before if s not in same):
        groups = tuple(_vector(spec, sheet, other, c) for c in spec.contexts)
        title = say("Output of the focus word on {sheet}", sheet=say(other.title))
        why = say(
            "{sheet}: outputs in a space of their own size, {columns} columns.",
            sheet=say(other.title),
            columns=output_columns(other, d_model),
        )
        bands.append(Band(title, why, groups, show_formula=False))
    bands += _near_bands(spec, sheet, same) if sheet.near else []
    looking = [s for s in before if not isinstance(s, Model)]
    if looking:
        bands.append(
            Band(
                "Attention of the focus word",
                "Its row of the attention matrix on each sheet: where does it look?",
                tuple(_attention_rows(sheet, looking, c) for c in spec.contexts),
                show_formula=False,
            )
        )
    lanes = tuple(
        computed(
            RangeName(sheet.id, context=c.id)["Heading"],
            (1, 1),
            ops.SAME_TEXT,
            "lane",
            source=of_context(c.id)["Sentence"],
        )
        for c in spec.contexts
    )
    charts = (*(_bars(spec, sheet, looking) if looking else ()), *_scatter(spec, sheet, same))
    return Page(
        sheet.id,
        sheet.title,
        sheet.about or LEAD,
        (_same_input(spec, sheet),),
        lanes,
        tuple(bands),
        charts,
        {RangeName(sheet.id)["Tokens"]: "vocab_Tokens"} if sheet.near else {},
        subtitle="one word, side by side",
        tries=tuple(sheet.try_) or compared(spec),
    )


def _picked(name: str, cols: int, of: str, context: Context, look: str = "output") -> Block:
    own = of_context(context.id)
    names = {"index": own["Index"], "focus": own["Focus"], "of": of}
    return computed(name, (1, cols), ops.PICK, look, **names)


def _cosine(spec: Spec, sheet: Compare, context: Context, of: str, vector: str) -> Block:
    """The cosine of the focus word's row with that of the first sentence; ``of``: its sheet."""
    first, here = (RangeName(sheet.id, context=c.id, of=of) for c in (spec.contexts[0], context))
    return computed(here["Cosine"], (1, 1), ops.COSINE, "weight", a=first[vector], b=here[vector])


def _vectors(
    spec: Spec, sheet: Compare, first: WithAttention, same: Sequence[WithAttention], context: Context
) -> Group:
    p, d_model = RangeName(sheet.id, context=context.id), spec.vocabulary.d_model
    blocks = [_picked(p["X"], d_model, RangeName(first.id, context=context.id)["X"], context, "embedding")]
    cosines = [_cosine(spec, sheet, context, "", "X")]
    for s in same:
        output = RangeName(s.id, context=context.id)["Output"]
        blocks.append(_picked(p.at(of=s.id)["Output"], d_model, output, context))
        cosines.append(_cosine(spec, sheet, context, s.id, "Output"))
    labels = (("input",), *((s.title,) for s in same))
    over = dims_above(p["X"], d_model)
    return Group(tuple(blocks), labels, over, (Side("cosine", tuple(cosines)),))


def _vector(spec: Spec, sheet: Compare, other: WithAttention, context: Context) -> Group:
    p = RangeName(sheet.id, context=context.id)
    cols = output_columns(other, spec.vocabulary.d_model)
    output = RangeName(other.id, context=context.id)["Output"]
    block = _picked(p.at(of=other.id)["Output"], cols, output, context)
    cosine = _cosine(spec, sheet, context, other.id, "Output")
    return Group((block,), ((other.title,),), numbered("v", cols), (Side("cosine", (cosine,)),))


def _near_bands(spec: Spec, sheet: Compare, same: Sequence[WithAttention]) -> list[Band]:
    """How near the focus word's rows come to other words: cosines with their embeddings."""
    s, d_model, k = RangeName(sheet.id), spec.vocabulary.d_model, len(sheet.near)
    tokens = typed(s["Tokens"], "token", [(word,) for word in sheet.near])
    names = {"tokens": tokens.name, "vocabulary": "vocab_Tokens"}
    ids = computed(s["Ids"], (k, 1), ops.IDS, "word number", **names)
    X = computed(s["X"], (k, d_model), ops.EMBED, "embedding", ids=ids.name, table="vocab_E")

    def cosines(context: Context) -> Group:
        p = s.at(context=context.id)
        made = [
            computed(at["Near"], (k, 1), ops.COSINE_OF_ROW, "weight", a=at[row], b=X.name)
            for at, row in ((p, "X"), *((p.at(of=o.id), "Output") for o in same))
        ]
        labels = computed(rows_of(p["Near"]), (k, 1), ops.ROW_LABELS, "row label", texts=tokens.name)
        sides = tuple(Side(o.title, (block,)) for o, block in zip(same, made[1:], strict=True))
        return Group((made[0],), (labels,), ("input",), sides)

    why = "Cosines with these words' embeddings: the nearer the focus word has come to one, the closer to 1."
    those = Group((X,), (tokens,), dims_above(X.name, d_model), (Side("row in the vocabulary", (ids,)),))
    return [
        Band(
            "How near is the focus word to these words?",
            why,
            tuple(cosines(c) for c in spec.contexts),
            show_formula=False,
        ),
        Band("Those words", "Choose others from the list.", (those,), shared=True, show_formula=False),
    ]


def _attention_parts(sheet: WithAttention) -> list[tuple[int, str]]:
    """(head's number, words) of every attention matrix of a sheet; 0 where it has no heads."""
    if not isinstance(sheet, MultiHead):
        return [(0, sheet.title)]
    titles = [say("{sheet}, head {h}", sheet=say(sheet.title), h=h + 1) for h in range(sheet.heads)]
    return [*enumerate(titles, 1)]


def _attention_rows(sheet: Compare, before: Sequence[WithAttention], context: Context) -> Group:
    p, n = RangeName(sheet.id, context=context.id), len(context.words)
    blocks, labels = [], []
    for s in before:
        for head, words in _attention_parts(s):
            of = RangeName(s.id, context=context.id, head=head)["Attention"]
            blocks.append(_picked(p.at(of=s.id, head=head)["Attention"], n, of, context, "attention"))
            labels.append((words,))
    over = Lane(context, p, of_context(context.id)["Tokens"]).words_above(p["Attention"])
    return Group(tuple(blocks), tuple(labels), over)


def _same_input(spec: Spec, sheet: Compare) -> Fact:
    """The live check: the input is the same in all sentences that have the word, two at least."""
    s = RangeName(sheet.id)
    names = {"focus": "vocab_Focus", "words": "vocab_Status"}
    if len(spec.contexts) == 1:
        op = ops.status(ALONE, ('LEFT({words},1)="✓"', "{words}"))
        return Fact("", computed(s["Status"], (1, 1), op, "status", **names))
    few = len(spec.contexts) <= MAX_ALL_PAIRS
    differences = [
        _difference(s, a.id, b.id)
        for a, b in (combinations(spec.contexts, 2) if few else pairwise(spec.contexts))
    ]
    foci = [of_context(c.id)["Focus"] for c in spec.contexts]
    demands = [
        ops.WORDS,
        (f"SIGN({'+'.join(differences)})=0", "✗ the input of {focus} differs"),
        (f"MAX({','.join(foci)})>0", "{words}"),
        ("+".join(f"({focus}>0)" for focus in foci) + ">1", ALONE),
    ]
    if spec.contexts[2:]:  # of two sentences both have the word now
        elsewhere = "✓ {focus} is not in every sentence: nothing but zeros there"
        demands.append((f"MIN({','.join(foci)})>0", elsewhere))
    op = ops.status("✓ the input of {focus} is the same in every sentence", *demands)
    return Fact("", computed(s["Status"], (1, 1), op, "status", **names))


def _difference(s: RangeName, a: str, b: str) -> str:
    """The squared distance of the word's input in two contexts, 0 where one lacks the word.

    Not by SUMXMY2: in IronCalc it takes no names of single cells, which they are in one dimension.
    """
    apart = f"({s.at(context=a)['X']}-{s.at(context=b)['X']})"
    return f"SUMPRODUCT({apart}*{apart})*({of_context(a)['Focus']}>0)*({of_context(b)['Focus']}>0)"


def _bars(spec: Spec, sheet: Compare, before: Sequence[WithAttention]) -> list[Chart]:
    charts = []
    for lane, c in enumerate(spec.contexts):
        p = RangeName(sheet.id, context=c.id)
        parts = [(p.at(of=s.id, head=head), words) for s in before for head, words in _attention_parts(s)]
        series = tuple(Series(words, (at["Attention"],)) for at, words in parts[:MAX_BARS])
        title = say("Attention of the focus word in {context}", context=c.named)
        charts.append(Chart("bar", lane, title, LOOKED_AT, HOW_MUCH, series, cols_of(p["Attention"])))
    return charts


def _scatter(spec: Spec, sheet: Compare, same: Sequence[WithAttention]) -> list[Chart]:
    if not sheet.axes[1:] or not same:
        return []
    x, y = sheet.axes
    columns = (spec.vocabulary.dimensions.index(x), spec.vocabulary.dimensions.index(y))
    series = [Series("input", (RangeName(sheet.id, context=spec.contexts[0].id)["X"],), columns)]
    told_apart = len(spec.contexts) * len(same) <= MAX_POINTS
    for i, c in enumerate(spec.contexts, 1):
        outputs = tuple(RangeName(sheet.id, context=c.id, of=s.id)["Output"] for s in same)
        if told_apart:  # the colour says which sentence, the shape which sheet
            names = [say("{context}: {what}", context=c.named, what=say(s.title)) for s in same]
            points = zip(names, outputs, strict=True)
            series += [Series(n, (output,), columns, i, mark) for mark, (n, output) in enumerate(points)]
        else:
            series.append(Series(say("outputs: {context}", context=c.named), outputs, columns))
    titles = (("vocab_Dims", columns[0]), ("vocab_Dims", columns[1]))
    return [Chart("scatter", 0, "Where the focus word goes: input and outputs", *titles, tuple(series))]
