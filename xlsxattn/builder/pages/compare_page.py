"""The comparing page: input and outputs of the focus word in all sentences, side by side."""

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
"""Up to this many sentences, all pairs are compared; of more, each with the next one, as formulas are limited
in length."""
ALONE = "– only one sentence contains “{focus}”: nothing to compare"
NORMED = "The output of a norm: its columns no longer represent the dimensions."
LEAD = "The same word and the same embedding, but different neighbours: compare the outputs."


def compare_page(spec: Spec, sheet: Compare, before: Sequence[WithAttention]) -> Page:
    """The focus word in every context: input, outputs, cosine similarities, attention rows, charts."""
    d_model = spec.vocabulary.d_model
    same_size = [s for s in before if output_columns(s, d_model) == d_model]
    with_maps = [s for s in before if not isinstance(s, Model)]
    in_dims = [s for s in same_size if not _is_normed(s)]
    near = _near_bands(spec, sheet, same_size) if sheet.near else []
    bands = [*near[:1], _vector_band(spec, sheet, before[0], in_dims)]  # results come first
    bands += [_other_columns_band(spec, sheet, s) for s in before if s not in in_dims]
    charts = _scatter(spec, sheet, in_dims)
    bands += near[1:]
    if with_maps:
        bands.append(_attention_band(spec, sheet, with_maps))
        charts = [*_bars(spec, sheet, with_maps), *charts]
    return Page(
        sheet.id,
        sheet.title,
        sheet.about or LEAD,
        (_same_input(spec, sheet),),
        tuple(_heading(sheet, c) for c in spec.contexts),
        tuple(bands),
        tuple(charts),
        {RangeName(sheet.id)["Tokens"]: "vocab_Tokens"} if sheet.near else {},
        subtitle="one word, side by side",
        tries=tuple(sheet.try_) or compared(spec),
    )


def _heading(sheet: Compare, context: Context) -> Block:
    """The sentence, as the heading of its lane."""
    name = RangeName(sheet.id, context=context.id)["Heading"]
    return computed(name, (1, 1), ops.words.SAME_TEXT, "lane", source=of_context(context.id)["Sentence"])


def _vector_band(
    spec: Spec, sheet: Compare, first: WithAttention, same_size: Sequence[WithAttention]
) -> Band:
    """Input and outputs with d_model columns."""
    why = (
        "Row 1 is its embedding, the rows below are the outputs of the sheets. Cosine: how close to "
        "the same row in the first sentence (1: same direction)."
    )
    groups = tuple(_vectors(spec, sheet, first, same_size, c) for c in spec.contexts)
    return Band("Input and outputs of the focus word", why, groups, show_formula=False)


def _is_normed(sheet: WithAttention) -> bool:
    """Whether the columns of its output are not the dimensions, since it ends with a norm."""
    return isinstance(sheet, Model) and sheet.ends_with_norm


def _other_columns_band(spec: Spec, sheet: Compare, other: WithAttention) -> Band:
    """Outputs of a sheet whose columns are not the dimensions."""
    title = say("Output of the focus word on {sheet}", sheet=say(other.title))
    why: str = NORMED
    if not _is_normed(other):
        sentence = "{sheet}: the outputs have size {columns}, unlike the embeddings."
        why = say(sentence, sheet=say(other.title), columns=output_columns(other, spec.vocabulary.d_model))
    groups = tuple(_vector(spec, sheet, other, c) for c in spec.contexts)
    return Band(title, why, groups, show_formula=False)


def _attention_band(spec: Spec, sheet: Compare, with_maps: Sequence[WithAttention]) -> Band:
    """The focus word's row of each attention matrix."""
    why = "Its row of the attention matrix on each sheet: where does it look?"
    groups = tuple(_attention_rows(sheet, with_maps, c) for c in spec.contexts)
    return Band("Attention of the focus word", why, groups, show_formula=False)


def _picked(name: str, cols: int, of: str, context: Context, look: str = "output") -> Block:
    """The focus word's row of a range (1 × cols)."""
    own = of_context(context.id)
    names = {"index": own["Index"], "focus": own["Focus"], "of": of}
    return computed(name, (1, cols), ops.focus.PICK, look, **names)


def _cosine(spec: Spec, sheet: Compare, context: Context, of: str, vector: str) -> Block:
    """The cosine of the focus word's row with that of the first sentence (1 × 1); ``of``: its sheet."""
    first, here = (RangeName(sheet.id, context=c.id, of=of) for c in (spec.contexts[0], context))
    return computed(here["Cosine"], (1, 1), ops.focus.COSINE, "weight", a=first[vector], b=here[vector])


def _vectors(
    spec: Spec, sheet: Compare, first: WithAttention, same_size: Sequence[WithAttention], context: Context
) -> Group:
    """Input and outputs in one sentence (1 × d_model each), with their cosines."""
    p, d_model = RangeName(sheet.id, context=context.id), spec.vocabulary.d_model
    blocks = [_picked(p["X"], d_model, RangeName(first.id, context=context.id)["X"], context, "embedding")]
    cosines = [_cosine(spec, sheet, context, "", "X")]
    for s in same_size:
        output = RangeName(s.id, context=context.id)["Output"]
        blocks.append(_picked(p.at(of=s.id)["Output"], d_model, output, context))
        cosines.append(_cosine(spec, sheet, context, s.id, "Output"))
    labels = (("input",), *((s.title,) for s in same_size))
    dims = dims_above(p["X"], d_model)
    return Group(tuple(blocks), labels, dims, (Side("cosine", tuple(cosines)),))


def _vector(spec: Spec, sheet: Compare, other: WithAttention, context: Context) -> Group:
    p = RangeName(sheet.id, context=context.id)
    cols = output_columns(other, spec.vocabulary.d_model)
    output = RangeName(other.id, context=context.id)["Output"]
    block = _picked(p.at(of=other.id)["Output"], cols, output, context)
    cosine = _cosine(spec, sheet, context, other.id, "Output")
    letter = "x" if _is_normed(other) else "v"
    return Group((block,), ((other.title,),), numbered(letter, cols), (Side("cosine", (cosine,)),))


def _near_bands(spec: Spec, sheet: Compare, same_size: Sequence[WithAttention]) -> list[Band]:
    """Cosines of the focus word's rows with the embeddings of other words (k × 1)."""
    s, d_model, k = RangeName(sheet.id), spec.vocabulary.d_model, len(sheet.near)
    tokens = typed(s["Tokens"], "token", [(word,) for word in sheet.near])
    names = {"tokens": tokens.name, "vocabulary": "vocab_Tokens"}
    ids = computed(s["Ids"], (k, 1), ops.words.IDS, "word number", **names)
    X = computed(s["X"], (k, d_model), ops.words.EMBED, "embedding", ids=ids.name, table="vocab_E")

    def cosines(context: Context) -> Group:
        p = s.at(context=context.id)
        rows = [(p, "X"), *((p.at(of=other.id), "Output") for other in same_size)]
        of_input, *of_outputs = (
            computed(prefix["Near"], (k, 1), ops.focus.COSINE_OF_ROW, "weight", a=prefix[row], b=X.name)
            for prefix, row in rows
        )
        labels = computed(rows_of(p["Near"]), (k, 1), ops.words.ROW_LABELS, "row label", texts=tokens.name)
        pairs = zip(same_size, of_outputs, strict=True)
        sides = tuple(Side(other.title, (block,), look="col label wrapped") for other, block in pairs)
        return Group((of_input,), (labels,), ("input",), sides)

    why = "Cosines with these words' embeddings: closer to 1 means more similar."
    words = Group((X,), (tokens,), dims_above(X.name, d_model), (Side("row in the vocabulary", (ids,)),))
    return [
        Band(
            "How similar is the focus word to these words?",
            why,
            tuple(cosines(c) for c in spec.contexts),
            show_formula=False,
        ),
        Band("The words", "Choose others from the list.", (words,), shared=True, show_formula=False),
    ]


def _attention_parts(sheet: WithAttention) -> list[tuple[int, str]]:
    """Head number and title of each attention matrix of a sheet; 0 without heads."""
    if not isinstance(sheet, MultiHead):
        return [(0, sheet.title)]
    titles = [say("{sheet}, head {h}", sheet=say(sheet.title), h=h + 1) for h in range(sheet.heads)]
    return [*enumerate(titles, 1)]


def _attention_rows(sheet: Compare, before: Sequence[WithAttention], context: Context) -> Group:
    """The focus word's rows of all attention matrices in one sentence (1 × n each)."""
    p, n = RangeName(sheet.id, context=context.id), len(context.words)
    blocks, labels = [], []
    for s in before:
        for head, title in _attention_parts(s):
            of = RangeName(s.id, context=context.id, head=head)["Attention"]
            blocks.append(_picked(p.at(of=s.id, head=head)["Attention"], n, of, context, "attention"))
            labels.append((title,))
    words = Lane(context, p, of_context(context.id)["Tokens"]).words_above(p["Attention"])
    return Group(tuple(blocks), tuple(labels), words)


def _same_input(spec: Spec, sheet: Compare) -> Fact:
    """The live check: the input is the same in all sentences with the word, and there are at least two."""
    s = RangeName(sheet.id)
    names = {"focus": "vocab_Focus", "words": "vocab_Status"}
    if len(spec.contexts) == 1:
        op = ops.live_checks.status(ALONE, ('LEFT({words},1)="✓"', "{words}"))
        return Fact("", computed(s["Status"], (1, 1), op, "status", **names))
    few = len(spec.contexts) <= MAX_ALL_PAIRS
    differences = [
        _difference(s, a.id, b.id)
        for a, b in (combinations(spec.contexts, 2) if few else pairwise(spec.contexts))
    ]
    foci = [of_context(c.id)["Focus"] for c in spec.contexts]
    demands = [
        ops.live_checks.WORDS,
        (f"SIGN({'+'.join(differences)})=0", "✗ the input of “{focus}” differs"),
        (f"MAX({','.join(foci)})>0", "{words}"),
        ("+".join(f"({focus}>0)" for focus in foci) + ">1", ALONE),
    ]
    if spec.contexts[2:]:  # with two sentences, both have the word here
        elsewhere = "✓ {focus} is not in every sentence; where it is missing, its numbers are 0"
        demands.append((f"MIN({','.join(foci)})>0", elsewhere))
    op = ops.live_checks.status("✓ the input of “{focus}” is the same in every sentence", *demands)
    return Fact("", computed(s["Status"], (1, 1), op, "status", **names))


def _difference(s: RangeName, a: str, b: str) -> str:
    """The squared distance of the word's inputs in two contexts, 0 if one lacks the word."""
    difference = f"({s.at(context=a)['X']}-{s.at(context=b)['X']})"
    return f"SUMPRODUCT({difference}*{difference})*({of_context(a)['Focus']}>0)*({of_context(b)['Focus']}>0)"


def _bars(spec: Spec, sheet: Compare, before: Sequence[WithAttention]) -> list[Chart]:
    charts = []
    for lane, c in enumerate(spec.contexts):
        p = RangeName(sheet.id, context=c.id)
        parts = [(p.at(of=s.id, head=head), title) for s in before for head, title in _attention_parts(s)]
        series = tuple(Series(title, (prefix["Attention"],)) for prefix, title in parts[:MAX_BARS])
        chart_title = say("Attention of the focus word in {context}", context=c.named)
        charts.append(Chart("bar", lane, chart_title, LOOKED_AT, HOW_MUCH, series, cols_of(p["Attention"])))
    return charts


def _scatter(spec: Spec, sheet: Compare, same_size: Sequence[WithAttention]) -> list[Chart]:
    if not sheet.axes[1:] or not same_size:
        return []
    x, y = sheet.axes
    columns = (spec.vocabulary.dimensions.index(x), spec.vocabulary.dimensions.index(y))
    few = len(spec.contexts) * len(same_size) <= MAX_POINTS
    first = RangeName(sheet.id, context=spec.contexts[0].id)["X"]
    series = [Series("input", (first,), columns, 0, 1, is_labelled=few)]
    for i, c in enumerate(spec.contexts, 1):
        p = RangeName(sheet.id, context=c.id)
        outputs = tuple(p.at(of=s.id)["Output"] for s in same_size)
        if few:  # one colour per sentence, one marker per sheet; an arrow joins them
            named = Lane(c, p, "").in_legend(RangeName(sheet.id), c.named)
            series.append(Series(named, (p["X"], *outputs), columns, i, is_line=True))
            points = enumerate(zip(same_size, outputs, strict=True))
            series += [Series(s.title, (o,), columns, i, mark, is_labelled=True) for mark, (s, o) in points]
        else:
            series.append(Series(say("outputs: {context}", context=c.named), outputs, columns, i))
    titles = (("vocab_Dims", columns[0]), ("vocab_Dims", columns[1]))
    return [Chart("scatter", 0, "The focus word: input and outputs", *titles, tuple(series))]
