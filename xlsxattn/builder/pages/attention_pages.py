"""Attention sheets, a page each: self-attention, several heads, and one sentence looking at another.

Vaswani et al. 2017, "Attention Is All You Need": equation 1 and section 3.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Fact, Page
from xlsxattn.builder.pages.attention import (
    Attending,
    attention_weights,
    drift,
    many_heads,
    one_head,
    output_columns,
)
from xlsxattn.builder.pages.details import before_and_after, has_details, one_score
from xlsxattn.builder.pages.experiments import experiments
from xlsxattn.builder.pages.focus import bars, focus_entropy, focus_steps, max_terms
from xlsxattn.builder.pages.maps import HeadsOfSentence, maps_page
from xlsxattn.builder.pages.parts import Lane, bands, computed, dims_above, step, typed
from xlsxattn.builder.pages.positions import (
    cross_mask_step,
    input_step,
    mask_steps,
    minus_infinity,
    padding_step,
    position_bands,
)
from xlsxattn.contract.kinds import PADDING, AttentionSheet, MultiHead
from xlsxattn.contract.names import RangeName, of_context
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.pages.parts import Steps
    from xlsxattn.builder.specification import Spec

__all__ = ["attention_pages", "cross_attention_page"]

PLAIN_LEAD = "No learned weights yet: queries, keys and values are the embeddings themselves (Q = K = V = X)."
PLACED_LEAD = (
    "No learned weights yet: queries, keys and values are the embeddings plus the positions (Q = K = "
    "V = Input)."
)
LEAD = (
    "Weights decide what is compared (W_Q, W_K) and what is passed on (W_V). "
    "All sentences share the same weights."
)
HEADS_LEAD = (
    "Several heads attend in parallel, each in its own subspace; their outputs are concatenated, and W_O "
    "mixes them."
)
SIDE_BY_SIDE_LEAD = (
    "Several heads attend in parallel, each in its own subspace; their outputs are concatenated, and no "
    "matrix mixes them."
)
HEAD_LEAD = (
    "One head looks at the sentence in a subspace of its own; W_O maps its output back to the size of the "
    "embeddings."
)
BARE_HEAD_LEAD = "One head attends in its own subspace."
MASKED_LEAD = {
    "causal": "The causal mask excludes later words: a word looks only at itself and earlier words.",
    "padding": "The padding mask excludes blank cells from attention.",
    "causal+padding": "Two masks exclude later words and blank cells.",
}
TURNED_LEAD = "Queries and keys are rotated by their positions before they are compared."
CROSS_LEAD = (
    "Queries come from one sentence, keys and values from another, so each word of the first becomes "
    "a mix of the words of the second."
)


def attention_pages(spec: Spec, sheet: AttentionSheet) -> list[Page]:
    """The page of an attention sheet, and the page of all its heads if it has one."""
    page, places = _attention_page(spec, sheet), []
    for context in spec.contexts if sheet.maps else ():
        lane = _lane(sheet, spec, context.id)
        places.append(HeadsOfSentence(context.named, lane, lane, lane.prefix))
    return [page, maps_page(sheet, places)] if places else [page]


def _attention_page(spec: Spec, sheet: AttentionSheet) -> Page:
    """The page of an attention sheet: shared weights, then the steps, with a lane for each sentence."""
    d_model = spec.vocabulary.d_model
    lanes = tuple(_lane(sheet, spec, context.id) for context in spec.contexts)
    detailed, cols = has_details(spec, sheet), output_columns(sheet, d_model)
    longest = max(lanes, key=lambda lane: lane.n)
    most = max(lanes, key=max_terms)  # its lane holds the ranks that all lanes read
    steps = bands(
        lanes, [_steps(spec, sheet, lane, longest=lane is longest, ranks=lane is most) for lane in lanes]
    )
    weights = attention_weights(sheet, RangeName(sheet.id), d_model) if sheet.weights else []
    all_bands = (*weights, steps[0], *position_bands(sheet, lanes, d_model), *steps[1:])
    headings = tuple(lane.heading(RangeName(sheet.id)) for lane in lanes)
    return Page(
        sheet.id,
        sheet.title,
        sheet.about or _lead(sheet),
        _facts(sheet, lanes),
        headings,
        all_bands,
        bars(sheet, lanes),
        drop_downs=_positions(lanes) if detailed and not sheet.headed else {},
        subtitle=_subtitle(sheet),
        tries=experiments(spec, sheet),
        results=tuple(before_and_after(spec, lane, cols) for lane in lanes) if detailed else (),
    )


def _positions(lanes: Sequence[Lane]) -> dict[str, str]:
    """The positions that a cell of Scores is chosen by, with the lists to choose from."""
    cells = ("CellRow", "CellCol")
    return {lane.prefix[block]: lane.own["Index"] for lane in lanes for block in cells}


def _lead(sheet: AttentionSheet) -> str:
    """The lead of an attention sheet, by its weights, heads, positions and mask."""
    if isinstance(sheet, MultiHead):
        one, several = (HEAD_LEAD, HEADS_LEAD) if sheet.out_proj else (BARE_HEAD_LEAD, SIDE_BY_SIDE_LEAD)
        lead = several if sheet.heads > 1 else one
    elif sheet.weights:
        lead = LEAD
    else:
        lead = PLACED_LEAD if sheet.adds_places else PLAIN_LEAD
    turned = TURNED_LEAD if sheet.position == "rotary" else ""
    for more in filter(None, (turned, MASKED_LEAD.get(sheet.mask or "", ""))):
        lead = say("{lead} {more}", lead=say(lead), more=say(more))
    return lead


def _lane(sheet: AttentionSheet, spec: Spec, context: str) -> Lane:
    return Lane(spec.context(context), RangeName(sheet.id, context=context), of_context(context)["Tokens"])


def _steps(spec: Spec, sheet: AttentionSheet, lane: Lane, *, longest: bool, ranks: bool) -> Steps:
    p, x, d_model = lane.prefix, lane.prefix["X"], spec.vocabulary.d_model
    steps = _embedded(lane, d_model)
    if sheet.adds_places:
        steps |= input_step(sheet, lane, d_model)
        x = p["Input"]
    if sheet.mask != "none":
        steps |= mask_steps(sheet, lane, sheet.mask or "none", longest=longest)
    mask = p["Mask"] if sheet.mask != "none" else ""
    rotary = p if sheet.position == "rotary" else None
    a = Attending(
        sheet, lane, lane, p, p, RangeName(sheet.id), x, x, d_model, mask=mask, rotary=rotary, entropy="both"
    )
    attention = many_heads(a, "Output") if isinstance(sheet, MultiHead) else one_head(a)
    for key, value in attention.items():
        steps[key] = value
        if key == "Scores" and has_details(spec, sheet):
            q, k = (value.groups[lane.id].blocks[0].parts[0].names[operand] for operand in "qk")
            steps |= one_score(spec, lane, sheet.d_k if sheet.weights else d_model, q, k)
    return steps | drift(lane, p, steps) | focus_steps(sheet, lane, lane, ranks=ranks)


def _embedded(lane: Lane, d_model: int) -> Steps:
    """X: the embeddings of the words (n × d_model)."""
    names = {"ids": lane.own["Ids"], "table": "vocab_E"}
    X = lane.block(lane.prefix["X"], d_model, ops.words.EMBED, "embedding", **names)
    return {"X": step(ops.words.EMBED, lane, lane.group(X, dims_above(X.name, d_model)), title="Input X")}


def cross_attention_page(spec: Spec, sheet: AttentionSheet) -> Page:
    """The page of a cross-attention: a lane for the queries, one for the keys and values."""
    d_model = spec.vocabulary.d_model
    queries, keys = lanes = tuple(_lane(sheet, spec, context) for context in sheet.contexts)
    steps = [_embedded(lane, d_model) for lane in lanes]
    mask = ""
    if sheet.mask in PADDING:
        steps += [padding_step(keys), cross_mask_step(queries, keys, "Mask")]
        mask = queries.prefix["Mask"]
    a = Attending(
        sheet,
        queries,
        keys,
        queries.prefix,
        keys.prefix,
        RangeName(sheet.id),
        queries.prefix["X"],
        keys.prefix["X"],
        d_model,
        mask=mask,
        entropy="scaled",
        apart=True,
    )
    attention = many_heads(a, "Output") if sheet.headed else one_head(a)
    steps += [
        attention,
        drift(queries, queries.prefix, attention),
        focus_steps(sheet, queries, keys, ranks=True),
    ]
    weights = attention_weights(sheet, RangeName(sheet.id), d_model) if sheet.weights else []
    headings = tuple(lane.heading(RangeName(sheet.id)) for lane in lanes)
    return Page(
        sheet.id,
        sheet.title,
        sheet.about or CROSS_LEAD,
        _facts(sheet, (queries,)),
        headings,
        (*weights, *bands(lanes, steps)),
        bars(sheet, (queries,)),
        subtitle=say("{queries} looks at {keys}", queries=queries.named, keys=keys.named),
        tries=experiments(spec, sheet),
    )


def _facts(sheet: AttentionSheet, lanes: tuple[Lane, ...]) -> tuple[Fact, ...]:
    s = RangeName(sheet.id)
    grouped = sheet.headed and sheet.grouped
    of_one = s.at(group=1) if grouped else s.at(head=1) if sheet.headed else s
    k = of_one["W_K"] if sheet.weights else "vocab_E"
    op, words = (ops.attention.SCALE, "√d_k =") if sheet.scale else (ops.attention.NO_SCALE, "scale (off) =")
    facts = [Fact(words, computed(s["Scale"], (1, 1), op, "weight", k=k))]
    if sheet.tempered:
        facts.append(Fact("temperature =", typed(s["Temperature"], "setting", ((sheet.temperature,),))))
    if sheet.tempered and not sheet.headed:
        facts += [
            Fact(say("entropy, {context}:", context=lane.named), focus_entropy(lane.prefix)) for lane in lanes
        ]
    if sheet.position in ("sinusoidal", "rotary"):
        facts.append(Fact("base =", typed(s["Base"], "setting", ((sheet.base,),))))
    if sheet.mask != "none":
        facts.append(Fact("masked cells get", minus_infinity(sheet)))
    settings = {s["Temperature"]: "✗ the temperature is not a number"} if sheet.tempered else {}
    if sheet.position in ("sinusoidal", "rotary"):
        settings[s["Base"]] = "✗ the base is not a number"
    check = ops.live_checks.sums_to_one(
        [lane.prefix["Drift"] for lane in lanes], ops.live_checks.are_numbers(settings)
    )
    return (*facts, Fact("", computed(s["Status"], (1, 1), check, "status", words="vocab_Status")))


def _subtitle(sheet: AttentionSheet) -> str:
    if isinstance(sheet, MultiHead):
        one, several = "{heads} head, then W_O", "{heads} heads, then W_O"
        if not sheet.out_proj:
            one, several = "{heads} head", "{heads} heads, side by side"
        return say(several if sheet.heads > 1 else one, heads=sheet.heads)
    if not sheet.weights:
        return "Q = K = V = Input" if sheet.adds_places else "Q = K = V = X"
    return f"d_k = {sheet.d_k}, d_v = {sheet.d_v}"
