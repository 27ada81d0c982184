"""Whole Transformers as pages: contents, what goes in, a page a layer, what comes out.

Vaswani et al. 2017; decoders: Radford et al. 2019; encoders and classifiers: Devlin et al. 2019.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.browser import browser_page
from xlsxattn.builder.graph import Band, Fact, Group, Link, Page
from xlsxattn.builder.layer import Layer, layer_weights, norm_step, norm_weights
from xlsxattn.builder.outcome import classes_steps, next_token_steps, unembedding_bands
from xlsxattn.builder.parts import Lane, Step, bands, computed, dims_above, step, typed
from xlsxattn.builder.positions import (
    cross_mask_step,
    input_step,
    mask_steps,
    minus_infinity,
    padding_step,
    position_bands,
)
from xlsxattn.builder.settings import PADDING, WRITERS
from xlsxattn.builder.shelf import weights_page
from xlsxattn.builder.similar import similar_page
from xlsxattn.builder.theme import cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.parts import Steps
    from xlsxattn.builder.settings import SheetSpec
    from xlsxattn.builder.spec import Spec

KINDS = {
    "encoder": "An encoder: every token looks at every token, layer after layer, and each becomes richer.",
    "decoder": "A decoder: each token looks back, never ahead, and says which token is likely to come next.",
    "encoder-decoder": "An encoder reads one sentence; a decoder, looking at what was read, writes another.",
    "classifier": "An encoder reads the sentence; what it made of the tokens says which class it belongs to.",
}
ROWS_AT_A_TIME = " Rows are made one by one, each from those so far."


@dataclass(frozen=True, slots=True)
class Side:
    """An encoder or a decoder: its lanes, and how its names begin.

    Attributes:
        title: what its pages are called.
        w: what its weights' names begin with, ``<sheet>``, ``<sheet>_enc`` or ``<sheet>_dec``.
        lanes: the sentences it runs on.
        memory: the encoder's sentence and output, where there is cross-attention.
    """

    title: str
    w: str
    lanes: tuple[Lane, ...]
    memory: tuple[Lane, str] | None = None


def model_pages(spec: Spec, sheet: SheetSpec) -> list[Page]:
    """All pages of a model, in the order of reading."""
    d_model = spec.vocabulary.d_model
    sides = _sides(spec, sheet)
    layers = [page for side in sides for page in _layer_pages(sheet, side, d_model)]
    out = [] if sheet.only else _out_pages(spec, sheet, sides)
    browser = [browser_page(sheet, _every_lane(sides))] if sheet.browses else []
    first = [*_similar(sheet, sides, d_model), *browser]
    pages = [*first, _in_page(spec, sheet, sides), *layers, *out]
    pages.sort(key=lambda page: page.behind)
    return [_contents(sheet, sides, pages), *pages]


def _similar(sheet: SheetSpec, sides: Sequence[Side], d_model: int) -> list[Page]:
    """The page that holds the sentences against each other, where the sheet has one."""
    if not sheet.similarity:
        return []
    (side,) = sides
    left = {lane.id: [layer.leaves for layer in _layers(sheet, side, lane, d_model)] for lane in side.lanes}
    return [similar_page(sheet, side.lanes, d_model, left)]


def _sides(spec: Spec, sheet: SheetSpec) -> list[Side]:
    s, title = sheet.id, sheet.title

    def lane(context: str, *, growing: bool = False) -> Lane:
        tokens = f"{s}_{context}_Tokens" if growing else f"{context}_Tokens"
        return Lane(spec.context(context), f"{s}_{context}", tokens, growing)

    if sheet.kind == "encoder-decoder":
        source, target = lane(sheet.contexts[0]), lane(sheet.contexts[1], growing=sheet.generate)
        memory = (source, f"{source.prefix}_Output")
        encoder = Side(f"{title}, encoder", f"{s}_enc", (source,))
        return [encoder, Side(f"{title}, decoder", f"{s}_dec", (target,), memory)]
    return [Side(title, s, tuple(lane(c, growing=sheet.generate) for c in sheet.contexts))]


def _every_lane(sides: Sequence[Side]) -> tuple[Lane, ...]:
    return tuple(lane for side in sides for lane in side.lanes)


# --- what goes in ------------------------------------------------------------------------------------------


def _in_page(spec: Spec, sheet: SheetSpec, sides: Sequence[Side]) -> Page:
    d_model, lanes = spec.vocabulary.d_model, _every_lane(sides)
    words = bands(lanes, [_words(lane, d_model) for lane in lanes])
    stream = bands(lanes, [_input(sheet, lane, d_model) for lane in lanes])
    masks = bands(lanes, _masks(sheet, sides))
    weights = []
    if sheet.embedding_norm:
        names = [n for n in sheet.weights if n.startswith("Input_")]
        weights = [norm_weights(sheet.weights, sheet.id, names)]
    positions = position_bands(sheet, lanes, d_model)
    lead = (
        "Words become rows of numbers, and each learns where it stands: this is what the first layer reads."
    )
    page = f"{sheet.id}_in"
    facts = (
        [Fact("base =", typed(f"{sheet.id}_Base", "setting", ((sheet.base,),)))] if _has_base(sheet) else []
    )
    if _masked(sheet, sides):
        facts.append(Fact("masked cells get", minus_infinity(sheet)))
    return Page(
        page,
        f"{sheet.title}, input",
        lead,
        tuple(facts),
        tuple(lane.heading(page) for lane in lanes),
        (*words, *positions, *stream, *weights, *masks),
        subtitle="words and positions",
    )


def _has_base(sheet: SheetSpec) -> bool:
    return sheet.position in ("sinusoidal", "rotary")


def _masked(sheet: SheetSpec, sides: Sequence[Side]) -> bool:
    causal = sheet.kind in WRITERS and not sides[-1].lanes[0].growing
    return causal or sheet.mask in PADDING or (sheet.kind not in WRITERS and sheet.mask != "none")


def _words(lane: Lane, d_model: int) -> Steps:
    """The tokens, typed or written by the model, and their embeddings (n × d_model)."""
    p, steps, ids = lane.prefix, {}, f"{lane.id}_Ids"
    if lane.growing:
        names = {"typed": f"{lane.id}_Tokens", "next": f"{p}_Next"}
        (tokens,) = lane.column(lane.tokens, ops.GROWN, "word label", **names)
        wide = max(cell_width(word) for word in lane.context.words) + 2.0
        ids = f"{p}_Ids"
        names = {"tokens": lane.tokens, "vocabulary": "vocab_Tokens"}
        (number,) = lane.column(ids, ops.IDS, "word number", **names)
        group = Group((number,), (replace(tokens, widths=(wide,)),), ("row in the vocabulary",))
        formula = ops.GROWN.formula.format(typed=f"{lane.id}_Tokens", next=f"{p}_Next")
        why = f"{ops.GROWN.why} Its formula: {formula}"
        steps["Tokens"] = Step("The words, typed or written by the model", why, {lane.id: group})
    X = lane.block(f"{p}_X", d_model, ops.EMBED, "embedding", ids=ids, table="vocab_E")
    steps["X"] = step(ops.EMBED, lane, lane.group(X, dims_above(X.name, d_model)), title="Input X")
    return steps


def _input(sheet: SheetSpec, lane: Lane, d_model: int) -> Steps:
    p, steps = lane.prefix, input_step(sheet, lane, d_model)
    if sheet.embedding_norm:
        norm = norm_step(sheet, lane, f"{p}_Input", f"{sheet.id}_Input", f"{p}_Sum", d_model)
        steps |= {key: _headed(found, lane, d_model) for key, found in norm.items()}
    return steps


def _headed(found: Step, lane: Lane, d_model: int) -> Step:
    """A step whose block gets the names of the dimensions above it."""
    group = found.groups[lane.id]
    headed = replace(group, cols=dims_above(group.blocks[0].name, d_model))
    return found._replace(groups={lane.id: headed})


def _masks(sheet: SheetSpec, sides: Sequence[Side]) -> list[Steps]:
    found: list[Steps] = []
    if sheet.kind == "encoder-decoder":
        (source,), (target,) = sides[0].lanes, sides[1].lanes
        if sheet.mask in PADDING:
            found += [mask_steps(sheet, source, longest=False), cross_mask_step(target, source, "CrossMask")]
        if not target.growing:
            causal = mask_steps(replace(sheet, mask="causal"), target, longest=False)
            if sheet.mask in PADDING:  # its rows are counted beside the mask of the source's keys already
                causal = {key: _uncounted(one, target) for key, one in causal.items()}
            found.append(causal)
        return found
    lanes = sides[0].lanes
    longest = max(lanes, key=lambda lane: lane.n)
    for lane in lanes:
        if not lane.growing and sheet.mask != "none":
            found.append(mask_steps(sheet, lane, longest=lane is longest))
        elif sheet.mask in PADDING:
            found.append(padding_step(lane))
    return found


def _uncounted(found: Step, lane: Lane) -> Step:
    group = found.groups[lane.id]
    count = tuple(str(i + 1) for i in range(lane.n))
    return found._replace(groups={lane.id: replace(group, rows=(count,))})


# --- the layers --------------------------------------------------------------------------------------------


def _layers(sheet: SheetSpec, side: Side, lane: Lane, d_model: int) -> list[Layer]:
    """The layers of one lane, each reading what the one before it left."""
    layers: list[Layer] = []
    stream = f"{lane.prefix}_Input"
    for k in sheet.numbers:
        p, w = f"{lane.prefix}_l{k}", f"{side.w}_l{k}"
        stream = f"{p}_Input" if sheet.follows_gap(k) else stream
        layers.append(Layer(sheet, lane, p, w, stream, d_model, side.memory, sheet.only.get(k, ())))
        stream = layers[-1].leaves
    return layers


def _layer_pages(sheet: SheetSpec, side: Side, d_model: int) -> list[Page]:
    by_lane = [_layers(sheet, side, lane, d_model) for lane in side.lanes]
    pages = []
    for k, layers in zip(sheet.numbers, zip(*by_lane, strict=True), strict=True):
        w = f"{side.w}_l{k}"
        drifts = ",".join(f"{layer.p}_Drift" for layer in layers)
        check = ops.status(f"MAX({drifts})<1E-9", '"✓ every row sums to 1"', '"✗ a row does not sum to 1"')
        steps = [layer.steps() for layer in layers]
        if sheet.follows_gap(k):
            steps = [_typed_input(sheet, layer, k) | s for layer, s in zip(layers, steps, strict=True)]
        crossed = side.memory is not None
        what = f"{sheet.heads} head{'s' * (sheet.heads > 1)}, cross-attention" if crossed else ""
        weights = layer_weights(sheet, w, d_model, crossed=crossed, heads=sheet.only.get(k, ()))
        if sheet.apart:
            pages.append(weights_page(w, f"{side.title}, layer {k}", weights))
        pages.append(
            Page(
                w,
                f"{side.title}, layer {k}",
                _layer_lead(side),
                (Fact("", computed(f"{w}_Status", (1, 1), check, "status")),),
                tuple(lane.heading(w) for lane in side.lanes),
                (*bands(side.lanes, steps), *([] if sheet.apart else weights)),
                subtitle=what or f"{sheet.heads} head{'s' * (sheet.heads > 1)}, {sheet.activation}",
            )
        )
    return pages


def _typed_input(sheet: SheetSpec, layer: Layer, k: int) -> Steps:
    """What comes into a layer whose predecessor is not in the workbook: typed numbers (n × d_model)."""
    block = typed(layer.stream, "input", sheet.weights[f"{layer.lane.id}_l{k}_Input"])
    why = (
        f"Layer {k - 1} is not in this workbook. What it gives for this very sentence was computed by NumPy, "
        "in float64, and typed in: these rows stay as they are when a word is changed."
    )
    group = layer.lane.group(block)
    title = f"What comes into layer {k}, as numbers"
    return {"Input": Step(title, why, {layer.lane.id: group}, show_formula=False)}


def _layer_lead(side: Side) -> str:
    cross = " then at the other sentence," if side.memory else ""
    lead = f"Each token looks at the others,{cross} then passes through the feed-forward by itself."
    return lead + (ROWS_AT_A_TIME if side.lanes[0].growing else "")


# --- what comes out ----------------------------------------------------------------------------------------


def _out_pages(spec: Spec, sheet: SheetSpec, sides: Sequence[Side]) -> list[Page]:
    d_model = spec.vocabulary.d_model
    pages = []
    for side in sides:
        last = side is sides[-1]
        steps = [_output(sheet, side, lane, d_model) for lane in side.lanes]
        weights = []
        if sheet.final_norm:
            own = {
                n: m for n, m in sheet.weights.items() if f"{sheet.id}_{n}".startswith(f"{side.w}_Output_")
            }
            names = list(own)
            weights = [norm_weights(own, sheet.id, names)]
        if last and sheet.kind in WRITERS:
            steps = [
                found | next_token_steps(spec, sheet, lane)
                for found, lane in zip(steps, side.lanes, strict=True)
            ]
        elif last and sheet.kind == "classifier":
            steps = [
                found | classes_steps(sheet, lane, d_model)
                for found, lane in zip(steps, side.lanes, strict=True)
            ]
        page = f"{sheet.id}_out" if last else f"{side.w}_out"
        facts, shared = unembedding_bands(spec, sheet) if last else ([], [])
        pages.append(
            Page(
                page,
                f"{side.title}, output",
                _out_lead(sheet, last=last),
                tuple(facts),
                tuple(lane.heading(page) for lane in side.lanes),
                (*bands(side.lanes, steps), *weights, *shared),
                subtitle=_out_subtitle(sheet, last=last),
            )
        )
    return pages


def _out_lead(sheet: SheetSpec, *, last: bool) -> str:
    if last and sheet.kind in WRITERS:
        return "Each row is held against every word of the vocabulary: which is likely to come next?"
    if last and sheet.kind == "classifier":
        return "The rows become one, and that one is held against the classes."
    return "What the tokens have become after all layers."


def _out_subtitle(sheet: SheetSpec, *, last: bool) -> str:
    if not last:
        return "what was read"
    return {"encoder": "what was read", "classifier": "the class"}.get(sheet.kind, "the next word")


def _output(sheet: SheetSpec, side: Side, lane: Lane, d_model: int) -> Steps:
    """What the last layer left, normed where there is a final norm (n × d_model)."""
    last, name = _layers(sheet, side, lane, d_model)[-1].leaves, f"{lane.prefix}_Output"
    if sheet.final_norm:
        norm = norm_step(sheet, lane, name, f"{side.w}_Output", last, d_model)
        return {key: _headed(found, lane, d_model) for key, found in norm.items()}
    block = lane.block(name, d_model, ops.COPY, "output", x=last)
    return {"Output": step(ops.COPY, lane, lane.group(block, dims_above(name, d_model)))}


# --- contents ----------------------------------------------------------------------------------------------


def _contents(sheet: SheetSpec, sides: Sequence[Side], pages: Sequence[Page]) -> Page:
    s = sheet.id
    checks = [page for page in pages if f"{page.id}_Status" in {fact.block.name for fact in page.facts}]
    condition = ",".join(f'LEFT({page.id}_Status,1)="✓"' for page in checks)
    op = ops.status(f"AND({condition})", '"✓ every layer holds"', '"✗ a layer does not hold: see its sheet"')
    status = computed(f"{s}_Status", (1, 1), op, "status")
    found: list[Band] = []
    if sheet.kind in WRITERS:
        texts = tuple(_text(lane) for lane in sides[-1].lanes)
        labels = tuple((lane.id,) for lane in sides[-1].lanes)
        why = "The whole text, typed and written." if sheet.generate else "The words as they were typed."
        found.append(Band("The text", why, (Group(texts, labels),), shared=True, show_formula=False))
    found.append(_hyperparameters(sheet, sides))
    links = tuple(Link(page.title, page.subtitle, page.target, _heads(sheet, sides, page)) for page in pages)
    return Page(
        s, sheet.title, KINDS[sheet.kind], (Fact("", status),), (), tuple(found), links=links,
        subtitle=f"{sheet.kind}: {_count(sheet)}",
    )  # fmt: skip


def _heads(sheet: SheetSpec, sides: Sequence[Side], page: Page) -> tuple[tuple[str, str], ...]:
    """Links to every head of a layer's page, where a model is so large that they are wanted."""
    k = next((k for k in sheet.numbers if page.id == f"{sides[0].w}_l{k}"), None) if sheet.apart else None
    if k is None:
        return ()
    p = sides[0].lanes[0].prefix
    return tuple((f"h{h}", f"{p}_l{k}_h{h}_Attention") for h in sheet.heads_of(k))


def _count(sheet: SheetSpec) -> str:
    if sheet.only:
        heads = sum(map(len, sheet.only.values()))
        return f"{heads} head{'s' * (heads > 1)}"
    return f"{len(sheet.numbers)} layer{'s' * (len(sheet.numbers) > 1)}"


def _text(lane: Lane) -> Block:
    words = '&" "&'.join(f"{lane.tokens}[{i + 1}]" for i in range(lane.n))
    return computed(f"{lane.prefix}_Text", (1, 1), ops.SENTENCE, "said", words=words)


def _hyperparameters(sheet: SheetSpec, sides: Sequence[Side]) -> Band:
    """The model's sizes and settings, each in a cell with a name."""
    s, first = sheet.id, sheet.numbers[0]
    w = f"{sides[0].w}_l{first}"
    key = f"{w}_g1" if sheet.kv_heads < sheet.heads else f"{w}_h{sheet.heads_of(first)[0]}"

    def size(name: str, of: str) -> Block:
        return computed(f"{s}_{name}", (1, 1), ops.COLUMNS_OF, "count", of=of)

    def count(name: str, value: int) -> Block:
        return typed(f"{s}_{name}", "count", ((float(value),),), "constant")

    scale = computed(f"{s}_Scale", (1, 1), ops.ROOT, "weight", d_k=f"{s}_DK")
    if not sheet.scale:
        scale = computed(f"{s}_Scale", (1, 1), ops.NO_SCALE, "weight")
    rows = [
        ("layers", count("NLayers", len(sheet.numbers))),
        ("heads", count("NHeads", sheet.heads)),
        ("heads of keys and values", count("NKVHeads", sheet.kv_heads)),
        ("d_model", size("DModel", "vocab_E")),
        ("d_k", size("DK", f"{key}_W_K")),
        ("d_v", size("DV", f"{key}_W_V")),
        *([] if sheet.only else [("d_ff", size("DFF", f"{w}_W_1"))]),
        ("scale √d_k" if sheet.scale else "scale (off)", scale),
        ("ε of every norm", typed(f"{s}_Epsilon", "setting", ((sheet.epsilon,),))),
    ]
    if sheet.kind in WRITERS:
        rows.append(("temperature", typed(f"{s}_Temperature", "setting", ((sheet.temperature,),))))
    group = Group(tuple(block for _, block in rows), tuple((label,) for label, _ in rows))
    said = (
        sheet.residual,
        f"{sheet.norm} norm",
        sheet.activation,
        f"positions {sheet.position}",
        f"mask {sheet.mask}",
    )
    why = f"{'; '.join(said)}."
    return Band("Hyperparameters", why, (group,), shared=True, show_formula=False)
