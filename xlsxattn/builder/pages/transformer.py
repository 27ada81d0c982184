"""Pages of a whole Transformer: contents, input, one page per layer, output.

Vaswani et al. 2017; decoders: Radford et al. 2019; encoders and classifiers: Devlin et al. 2019.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Fact, Group, Page
from xlsxattn.builder.pages import typed_rows
from xlsxattn.builder.pages.browser import browser_page
from xlsxattn.builder.pages.contents import contents_page
from xlsxattn.builder.pages.experiments import layer as layer_experiments
from xlsxattn.builder.pages.experiments import model_input, outcome
from xlsxattn.builder.pages.layer import Layer, layer_weights
from xlsxattn.builder.pages.maps import HeadsOfSentence, maps_page
from xlsxattn.builder.pages.norms import norm_step, norm_weights
from xlsxattn.builder.pages.outcome import classes_steps, next_token_steps, unembedding_bands
from xlsxattn.builder.pages.parts import (
    Lane,
    Stack,
    Step,
    bands,
    computed,
    dims_above,
    model_columns,
    step,
    typed,
)
from xlsxattn.builder.pages.positions import (
    cross_mask_step,
    input_step,
    mask_steps,
    minus_infinity,
    padding_step,
    position_bands,
    stretch_settings,
)
from xlsxattn.builder.pages.similar import similar_page
from xlsxattn.builder.pages.weight_pages import weights_page
from xlsxattn.builder.theme import cell_width
from xlsxattn.contract.kinds import CAUSAL, PADDING, Classifier, EncoderDecoder, Model, Writer
from xlsxattn.contract.names import RangeName, of_context, weight
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.pages.parts import Steps
    from xlsxattn.builder.specification import Spec

MIN_WORD = 10.0
"""Minimum width of a column of generated words, in characters."""
IN_LEAD = {
    "placed": "Each word becomes its embedding plus its position: the input of the first layer.",
    "rotary": "Each word becomes its embedding: the input of the first layer. Positions are added by "
    "rotating queries and keys.",
    "none": "Each word becomes its embedding: the input of the first layer. Positions are not encoded.",
}
LOOKING = "Each token looks at all tokens, then passes through the feed-forward network on its own."
LOOKING_BACK = (
    "Each token looks at itself and earlier tokens, then passes through the feed-forward network on its own."
)
LOOKING_ACROSS = (
    "Each token looks at itself and earlier tokens, then at the other sentence, then passes through "
    "the feed-forward network on its own."
)
SOME_HEADS = "Only some heads of the layer are shown: where does each token look?"
ROWS_AT_A_TIME = "{lead} Rows are computed one by one, each from the rows so far."


def model_pages(spec: Spec, sheet: Model) -> list[Page]:
    """All pages of a model, in the order of reading."""
    d_model = spec.vocabulary.d_model
    sides = _sides(spec, sheet)
    browser = [browser_page(sheet, _every_lane(sides))] if sheet.browse else []
    pages = [*_similar(sheet, sides, d_model), *browser, _in_page(spec, sheet, sides)]
    for side in sides:
        pages += _layer_pages(sheet, side, d_model)
        pages += [] if sheet.only else [_out_page(spec, sheet, side, last=side is sides[-1])]
    if sheet.maps:
        pages.append(maps_page(sheet, _attentions(sheet, sides)))
    pages.sort(key=lambda page: page.behind)
    return [contents_page(sheet, sides, pages), *pages]


def _similar(sheet: Model, sides: Sequence[Stack], d_model: int) -> list[Page]:
    """The page that compares the sentences, if the sheet has one."""
    if not sheet.similarity:
        return []
    (side,) = sides
    outputs = {
        lane.id: [layer.output for layer in _layers(sheet, side, lane, d_model)] for lane in side.lanes
    }
    return [similar_page(sheet, side.lanes, d_model, outputs)]


def _sides(spec: Spec, sheet: Model) -> list[Stack]:
    s, title = RangeName(sheet.id), sheet.title

    def lane(context: str, *, growing: bool = False) -> Lane:
        prefix = s.at(context=context)
        tokens = prefix["Tokens"] if growing else of_context(context)["Tokens"]
        return Lane(spec.context(context), prefix, tokens, growing)

    if isinstance(sheet, EncoderDecoder):
        source, target = lane(sheet.contexts[0]), lane(sheet.contexts[1], growing=sheet.generate)
        memory = (source, source.prefix["Output"])
        named = say("{title}, encoder", title=say(title)), say("{title}, decoder", title=say(title))
        if _is_alone(spec, sheet):  # tabs have 31 characters at most
            named = say("Encoder"), say("Decoder")
        return [
            Stack(named[0], s.at(side="enc"), (source,)),
            Stack(named[1], s.at(side="dec"), (target,), memory),
        ]
    return [Stack(title, s, tuple(lane(c, growing=sheet.generate) for c in sheet.contexts))]


def _is_alone(spec: Spec, sheet: Model) -> bool:
    """True if no other sheet of the workbook is called an encoder or decoder."""
    others = [other for other in spec.sheets if other.id != sheet.id]
    return not any(
        other.kind == sheet.kind or other.title.startswith(("Encoder", "Decoder")) for other in others
    )


def _attentions(sheet: Model, sides: Sequence[Stack]) -> list[HeadsOfSentence]:
    """All attentions with heads: each sentence in each layer, and cross-attention."""
    attentions = []
    for side in sides:
        for lane in side.lanes:
            for k in sheet.numbers:
                p, title = lane.prefix.at(layer=k), say("{context}, layer {k}", context=lane.named, k=k)
                attentions.append(HeadsOfSentence(title, lane, lane, p))
                if side.memory:
                    keys = side.memory[0]
                    title = say("{place}: at {keys}", place=title, keys=keys.named)
                    attentions.append(HeadsOfSentence(title, lane, keys, p.at(cross=True)))
    return attentions


def _every_lane(sides: Sequence[Stack]) -> tuple[Lane, ...]:
    return tuple(lane for side in sides for lane in side.lanes)


# --- input -------------------------------------------------------------------------------------------------


def _in_page(spec: Spec, sheet: Model, sides: Sequence[Stack]) -> Page:
    d_model, lanes = spec.vocabulary.d_model, _every_lane(sides)
    words = bands(lanes, [_words(lane, d_model) for lane in lanes])
    stream = bands(lanes, [_input(sheet, lane, d_model) for lane in lanes])
    masks = bands(lanes, _masks(sheet, sides))
    weights = []
    if sheet.embedding_norm:
        names = [name for name in map(weight, sheet.weights) if name.block == "Input" and name.is_of_norm]
        weights = [norm_weights(sheet, names)]
    positions = position_bands(sheet, lanes, d_model)
    page = RangeName(sheet.id, page="in")
    facts = []
    if sheet.position in ("sinusoidal", "rotary"):
        facts.append(Fact("base =", typed(RangeName(sheet.id)["Base"], "setting", ((sheet.base,),))))
    facts += [Fact(words, block) for words, block in stretch_settings(sheet)]
    if _masked(sheet, sides):
        facts.append(Fact("masked cells get", minus_infinity(sheet)))
    return Page(
        str(page),
        say("{title}, input", title=say(sheet.title)),
        IN_LEAD["placed" if sheet.adds_places else sheet.position],
        tuple(facts),
        tuple(lane.heading(page) for lane in lanes),
        (*words, *positions, *stream, *weights, *masks),
        subtitle="words" if sheet.position == "none" else "words and positions",
        tries=model_input(spec, sheet),
        box="Input",
    )


def _masked(sheet: Model, sides: Sequence[Stack]) -> bool:
    causal = isinstance(sheet, Writer) and not sides[-1].lanes[0].growing
    return causal or sheet.mask in PADDING or (not isinstance(sheet, Writer) and sheet.mask != "none")


def _words(lane: Lane, d_model: int) -> Steps:
    """The tokens, given or generated (n × 1), and their embeddings (n × d_model)."""
    p, steps, ids = lane.prefix, {}, lane.own["Ids"]
    if lane.growing:
        names = {"typed": lane.own["Tokens"], "next": p["Next"]}
        (tokens,) = lane.column(lane.tokens, ops.next_word.GROWN, "word label", **names)
        width = max(MIN_WORD, *(cell_width(word) for word in lane.context.words)) + 2.0
        ids = p["Ids"]
        names = {"tokens": lane.tokens, "vocabulary": "vocab_Tokens"}
        (number,) = lane.column(ids, ops.words.IDS, "word number", **names)
        tokens = replace(tokens, widths=(width,))
        group = Group((tokens,), (number,), ("word",), corner="row in the vocabulary")
        title = "The words: given, or generated by the model"
        steps["Tokens"] = Step(title, ops.next_word.GROWN.why, {lane.id: group})
    X = lane.block(p["X"], d_model, ops.words.EMBED, "embedding", ids=ids, table="vocab_E")
    steps["X"] = step(ops.words.EMBED, lane, lane.group(X, dims_above(X.name, d_model)), title="Input X")
    return steps


def _input(sheet: Model, lane: Lane, d_model: int) -> Steps:
    p, steps = lane.prefix, input_step(sheet, lane, d_model)
    if sheet.embedding_norm:
        steps |= norm_step(sheet, lane, p["Input"], RangeName(sheet.id)["Input"], p["Sum"], d_model)
    return steps


def _masks(sheet: Model, sides: Sequence[Stack]) -> list[Steps]:
    masks: list[Steps] = []
    if isinstance(sheet, EncoderDecoder):
        (source,), (target,) = sides[0].lanes, sides[1].lanes
        if sheet.mask in PADDING:
            masks += [
                mask_steps(sheet, source, "padding", longest=False),
                cross_mask_step(target, source, "CrossMask"),
            ]
        if not target.growing:
            causal = mask_steps(sheet, target, "causal", longest=False)
            causal = {f"Causal{key}": one for key, one in causal.items()}  # a separate step
            if sheet.mask in PADDING:  # the cross mask has the row numbers already
                causal = {key: _with_plain_rows(one, target) for key, one in causal.items()}
            masks.append(causal)
        return masks
    lanes = sides[0].lanes
    longest = max(lanes, key=lambda lane: lane.n)
    for lane in lanes:
        if not lane.growing and sheet.mask != "none":
            masks.append(mask_steps(sheet, lane, sheet.mask or "none", longest=lane is longest))
        elif sheet.mask in PADDING:
            masks.append(padding_step(lane))
    return masks


def _with_plain_rows(one: Step, lane: Lane) -> Step:
    """A step with constant row numbers instead of a named range."""
    group = one.groups[lane.id]
    count = tuple(str(i + 1) for i in range(lane.n))
    return one._replace(groups={lane.id: replace(group, rows=(count,))})


# --- the layers --------------------------------------------------------------------------------------------


def _layers(sheet: Model, side: Stack, lane: Lane, d_model: int) -> list[Layer]:
    """The layers of one lane, each reading the output of the previous one."""
    layers: list[Layer] = []
    stream = lane.prefix["Input"]
    for k in sheet.numbers:
        p, w = lane.prefix.at(layer=k), side.w.at(layer=k)
        stream = p["Input"] if sheet.follows_gap(k) else stream
        layers.append(Layer(sheet, lane, p, w, stream, d_model, side.memory, sheet.only.get(k, ())))
        stream = layers[-1].output
    return layers


def _layer_pages(sheet: Model, side: Stack, d_model: int) -> list[Page]:
    by_lane = [_layers(sheet, side, lane, d_model) for lane in side.lanes]
    pages = []
    for k, layers in zip(sheet.numbers, zip(*by_lane, strict=True), strict=True):
        w = side.w.at(layer=k)
        same = typed_rows.same_words(side.lanes) if sheet.follows_gap(k) else typed_rows.SameWords()
        op = ops.live_checks.sums_to_one([layer.p["Drift"] for layer in layers], same.demands)
        check = replace(op, entered=same.entered)
        status = computed(w["Status"], (1, 1), check, "status", words="vocab_Status", **same.names)
        steps = [layer.steps() for layer in layers]
        if sheet.follows_gap(k):
            inputs = [typed_rows.input_step(sheet, lane, k) for lane in side.lanes]
            steps = [before | after for before, after in zip(inputs, steps, strict=True)]
        crossed = side.memory is not None
        weights = layer_weights(sheet, w, d_model, crossed=crossed, heads=sheet.only.get(k, ()))
        if sheet.apart:
            pages.append(weights_page(w, say("{title}, layer {k}", title=say(side.title), k=k), weights))
        pages.append(
            Page(
                str(w),
                say("{title}, layer {k}", title=say(side.title), k=k),
                _layer_lead(sheet, side),
                (Fact("", status),),
                tuple(lane.heading(w) for lane in side.lanes),
                (*bands(side.lanes, steps), *([] if sheet.apart else weights)),
                subtitle=_layer_subtitle(sheet, k, crossed=crossed),
                tries=layer_experiments(sheet, crossed=crossed),
                box=_box(side, say("layer {k}", k=k), say("Layer {k}", k=k)),
                sentence=int(side.memory is not None),
            )
        )
    return pages


def _layer_lead(sheet: Model, side: Stack) -> str:
    lead = LOOKING_BACK if isinstance(sheet, Writer) or sheet.mask in CAUSAL else LOOKING
    if isinstance(sheet, EncoderDecoder):
        lead = LOOKING_ACROSS if side.memory else LOOKING
    lead = SOME_HEADS if sheet.only else lead
    return say(ROWS_AT_A_TIME, lead=say(lead)) if side.lanes[0].growing else lead


def _layer_subtitle(sheet: Model, k: int, *, crossed: bool) -> str:
    n = len(sheet.heads_of(k))
    heads = say("{n} heads" if n > 1 else "{n} head", n=n)
    if sheet.only:
        return heads
    what = "cross-attention" if crossed else ops.layers.ACTIVATION_NAMES[sheet.activation]
    return say("{heads}, {what}", heads=heads, what=say(what))


# --- output ------------------------------------------------------------------------------------------------


def _out_page(spec: Spec, sheet: Model, side: Stack, *, last: bool) -> Page:
    d_model = spec.vocabulary.d_model
    steps = [_output(sheet, side, lane, d_model) for lane in side.lanes]
    weights = []
    if sheet.final_norm:
        names = [name for name in map(weight, sheet.weights) if name.side == side.w.side]
        weights = [norm_weights(sheet, [name for name in names if name.block == "Output"])]
    if last and isinstance(sheet, Writer):
        added = [next_token_steps(spec, sheet, lane, ranks=lane is side.lanes[0]) for lane in side.lanes]
    elif last and isinstance(sheet, Classifier):
        added = [classes_steps(sheet, lane, d_model) for lane in side.lanes]
    else:
        added = [{} for _ in side.lanes]
    page = RangeName(sheet.id, page="out") if last else side.w.at(page="out")
    facts, shared = unembedding_bands(spec, sheet) if last else ([], [])
    return Page(
        str(page),
        say("{title}, output", title=say(side.title)),
        _out_lead(sheet, last=last),
        tuple(facts),
        tuple(lane.heading(page) for lane in side.lanes),
        (*bands(side.lanes, [a | b for a, b in zip(added, steps, strict=True)]), *weights, *shared),
        subtitle=_out_subtitle(sheet, last=last),
        tries=outcome(sheet, last=last),
        box=_box(side, say("output"), say("Output")),
        sentence=int(side.memory is not None),
    )


def _box(side: Stack, what: str, alone: str) -> str:
    """A page's title in the diagram on Start, without the model's title, which begins the line."""
    half = {"enc": say("Encoder"), "dec": say("Decoder")}.get(side.w.side)
    return say("{half} {what}", half=half, what=what) if half else alone


def _out_lead(sheet: Model, *, last: bool) -> str:
    if last and isinstance(sheet, Writer):
        return "Each row is compared with every word of the vocabulary: which one is likely to come next?"
    if last and isinstance(sheet, Classifier):
        whole = "The mean of the rows is compared with the classes."
        return whole if sheet.pool == "mean" else "Only the first row is compared with the classes."
    return "The tokens after the last layer."


def _out_subtitle(sheet: Model, *, last: bool) -> str:
    if not last:
        return "the encoded tokens"
    if isinstance(sheet, Writer):
        return "the next word"
    return "the class" if isinstance(sheet, Classifier) else "the encoded tokens"


def _output(sheet: Model, side: Stack, lane: Lane, d_model: int) -> Steps:
    """The output of the last layer, after the final norm if there is one (n × d_model)."""
    last, name = _layers(sheet, side, lane, d_model)[-1].output, lane.prefix["Output"]
    if sheet.final_norm:
        return norm_step(sheet, lane, name, side.w["Output"], last, d_model)
    block = lane.block(name, d_model, ops.layers.COPY, "output", x=last)
    cols = model_columns(name, d_model, normed=sheet.ends_with_norm)
    return {"Output": step(ops.layers.COPY, lane, lane.group(block, cols))}
