"""A model's first page: description, links to its pages, generated text, sizes in named cells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, ContentsLink, Fact, Group, Page
from xlsxattn.builder.pages import typed_rows
from xlsxattn.builder.pages.parts import computed, typed
from xlsxattn.contract.kinds import PADDING, Classifier, Decoder, Encoder, EncoderDecoder, Model, Writer
from xlsxattn.contract.names import STATUS, RangeName, part_of
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.pages.parts import Lane, Stack

LEADS: dict[type[Model], str] = {
    Encoder: "An encoder: every token looks at every token, in each layer.",
    Decoder: "A decoder: each token looks only at earlier ones and predicts the next token.",
    EncoderDecoder: "An encoder reads one sentence; a decoder looks at its output and writes another.",
    Classifier: "An encoder reads the sentence; its output decides the class.",
}


def contents_page(sheet: Model, sides: Sequence[Stack], pages: Sequence[Page]) -> Page:
    """Make the page: links to the model's pages, its text, and its sizes."""
    s = RangeName(sheet.id)
    checks = [page for page in pages if part_of(page.id, STATUS) in {fact.block.name for fact in page.facts}]
    condition = ops.live_checks.no_failure(part_of(page.id, STATUS) for page in checks)
    lanes = [lane for side in sides for lane in side.lanes]
    same = typed_rows.same_words(lanes) if sheet.has_typed_rows else typed_rows.SameWords()
    op = ops.live_checks.status(
        "✓ the checks of all layers pass",
        ops.live_checks.WORDS,
        *same.demands,
        *ops.live_checks.are_numbers(_settings(sheet)),
        (condition, "✗ a check of a layer fails: see its sheet"),
        *_has_words(sheet, sides),
    )
    check = replace(op, entered=same.entered)
    status = computed(s["Status"], (1, 1), check, "status", words="vocab_Status", **same.names)
    sections: list[Band] = []
    if isinstance(sheet, Writer):
        texts = tuple(_text(lane) for lane in sides[-1].lanes)
        labels = tuple((lane.named,) for lane in sides[-1].lanes)
        why = "The whole text: given and generated." if sheet.generate else "The given words."
        if sheet.generate and sheet.apart:
            why = "The whole text, token by token: given and generated. Start shows it joined."
        sections.append(Band("The text", why, (Group(texts, labels),), shared=True, show_formula=False))
    sections.append(_hyperparameters(sheet, sides))
    links = tuple(
        ContentsLink(page.title, page.subtitle, page.target, _heads(sheet, sides, page)) for page in pages
    )
    return Page(
        sheet.id, sheet.title, sheet.about or LEADS[type(sheet)], (Fact("", status),), (), tuple(sections),
        links=links, subtitle=say("{kind}: {count}", kind=say(sheet.kind), count=_count(sheet)),
        tries=tuple(sheet.try_),
    )  # fmt: skip


def _settings(sheet: Model) -> dict[str, str]:
    """Names of the settings, and messages of the live check for one that is not a number."""
    messages = {RangeName(sheet.id)["Epsilon"]: "✗ ε is not a number"}
    if isinstance(sheet, Writer):
        messages[RangeName(sheet.id)["Temperature"]] = "✗ the temperature is not a number"
    if sheet.position in ("sinusoidal", "rotary"):
        messages[RangeName(sheet.id)["Base"]] = "✗ the base is not a number"
    if sheet.stretch:
        for name in ("Stretch", "Low", "High", "Trained"):
            messages[RangeName(sheet.id)[name]] = "✗ a setting of the scaling is not a number"
    return messages


def _has_words(sheet: Model, sides: Sequence[Stack]) -> list[tuple[str, str]]:
    """Conditions of a classifier's live check: each sentence has the words it is classified by."""
    if not isinstance(sheet, Classifier):
        return []
    lanes = sides[-1].lanes
    if sheet.pool == "first":
        has_word = ",".join(f'{lane.tokens}[1]<>""' for lane in lanes)
        return [(f"AND({has_word})", "– a sentence has no first word, so it has no class")]
    if sheet.mask in PADDING:
        has_word = ",".join(f"SUM({lane.prefix['PaddingMask']})>0" for lane in lanes)
        return [(f"AND({has_word})", "– a sentence has no words, so it has no class")]
    return []


def _heads(sheet: Model, sides: Sequence[Stack], page: Page) -> tuple[tuple[str, str], ...]:
    """Links to the heads of a layer's page, for large models only."""
    if not sheet.apart:
        return ()
    k = next((k for k in sheet.numbers if page.id == str(sides[0].w.at(layer=k))), None)
    if k is None:
        return ()
    p = sides[0].lanes[0].prefix
    return tuple((f"h{h}", p.at(layer=k, head=h)["Attention"]) for h in sheet.heads_of(k))


def _count(sheet: Model) -> str:
    if sheet.only:
        heads = sum(map(len, sheet.only.values()))
        return say("{n} heads" if heads > 1 else "{n} head", n=heads)
    return say("{n} layers" if len(sheet.numbers) > 1 else "{n} layer", n=len(sheet.numbers))


def _text(lane: Lane) -> Block:
    words = ops.words.joined(lane.tokens, lane.n)
    return computed(lane.prefix["Text"], (1, 1), ops.words.SENTENCE, "said", words=words)


def _hyperparameters(sheet: Model, sides: Sequence[Stack]) -> Band:
    """The model's sizes and settings, in named cells."""
    s, first = RangeName(sheet.id), sheet.numbers[0]
    w = sides[0].w.at(layer=first)
    key = w.at(group=1) if sheet.grouped else w.at(head=sheet.heads_of(first)[0])

    def size(name: str, of: str) -> Block:
        return computed(s[name], (1, 1), ops.next_word.COLUMNS_OF, "count", of=of)

    def count(name: str, value: int) -> Block:
        return typed(s[name], "count", ((float(value),),), "constant")

    scale = computed(s["Scale"], (1, 1), ops.next_word.ROOT, "weight", d_k=s["DK"])
    if not sheet.scale:
        scale = computed(s["Scale"], (1, 1), ops.attention.NO_SCALE, "weight")
    rows = [
        ("layers", count("NLayers", len(sheet.numbers))),
        ("heads", count("NHeads", sheet.heads)),
        ("key and value heads", count("NKVHeads", sheet.kv_heads)),
        ("d_model", size("DModel", "vocab_E")),
        ("d_k", size("DK", key["W_K"])),
        ("d_v", size("DV", key["W_V"])),
        *([] if sheet.only else [("d_ff", size("DFF", w["W_1"]))]),
        ("scale √d_k" if sheet.scale else "scale (off)", scale),
        ("ε of every norm", typed(s["Epsilon"], "setting", ((sheet.epsilon,),))),
    ]
    if isinstance(sheet, Writer):
        rows.append(("temperature", typed(s["Temperature"], "setting", ((sheet.temperature,),))))
    group = Group(tuple(block for _, block in rows), tuple((label,) for label, _ in rows))
    why = say(
        "{residual}, {norm} norm, {activation}; positions: {position}; mask: {mask}.",
        residual=say(sheet.residual),
        norm=say("RMS" if sheet.norm == "rms" else sheet.norm),
        activation=say(ops.layers.ACTIVATION_NAMES[sheet.activation]),
        position=say(sheet.position),
        mask=say(sheet.mask or "none"),
    )
    return Band("Hyperparameters", why, (group,), shared=True, show_formula=False)
