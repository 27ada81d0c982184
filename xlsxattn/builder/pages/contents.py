"""A model's first page: what it is, links to its pages, the text it wrote, its sizes in named cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.graph import Band, Fact, Group, Link, Page
from xlsxattn.builder.pages.parts import computed, typed
from xlsxattn.builder.specification.settings import PADDING, WRITERS
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.graph import Block
    from xlsxattn.builder.pages.parts import Lane, Stack
    from xlsxattn.builder.specification.settings import SheetSpec

KINDS = {
    "encoder": "An encoder: every token looks at every token, layer after layer, and each becomes richer.",
    "decoder": "A decoder: each token looks back, never ahead, and says which token is likely to come next.",
    "encoder-decoder": "An encoder reads one sentence; a decoder, looking at what was read, writes another.",
    "classifier": "An encoder reads the sentence; what it made of the tokens says which class it belongs to.",
}


def contents_page(sheet: SheetSpec, sides: Sequence[Stack], pages: Sequence[Page]) -> Page:
    """What the model is, links to its pages, what it wrote, and its sizes."""
    s = sheet.id
    checks = [page for page in pages if f"{page.id}_Status" in {fact.block.name for fact in page.facts}]
    condition = ops.no_failure(f"{page.id}_Status" for page in checks)
    op = ops.status(
        "✓ every layer holds",
        ops.WORDS,
        *ops.are_numbers(_settings(sheet)),
        (condition, "✗ a layer does not hold: see its sheet"),
        *_answered(sheet, sides),
    )
    status = computed(f"{s}_Status", (1, 1), op, "status", words="vocab_Status")
    found: list[Band] = []
    if sheet.kind in WRITERS:
        texts = tuple(_text(lane) for lane in sides[-1].lanes)
        labels = tuple((lane.named,) for lane in sides[-1].lanes)
        why = "The whole text, typed and written." if sheet.generate else "The words as they were typed."
        found.append(Band("The text", why, (Group(texts, labels),), shared=True, show_formula=False))
    found.append(_hyperparameters(sheet, sides))
    links = tuple(Link(page.title, page.subtitle, page.target, _heads(sheet, sides, page)) for page in pages)
    return Page(
        s, sheet.title, sheet.about or KINDS[sheet.kind], (Fact("", status),), (), tuple(found), links=links,
        subtitle=say("{kind}: {count}", kind=say(sheet.kind), count=_count(sheet)), begins=True,
        tries=sheet.tries,
    )  # fmt: skip


def _settings(sheet: SheetSpec) -> dict[str, str]:
    """The model's settings, and what its live check says where one is no number."""
    found = {f"{sheet.id}_Epsilon": "✗ ε is not a number"}
    if sheet.kind in WRITERS:
        found[f"{sheet.id}_Temperature"] = "✗ the temperature is not a number"
    if sheet.position in ("sinusoidal", "rotary"):
        found[f"{sheet.id}_Base"] = "✗ the base is not a number"
    if sheet.stretch:
        for name in ("Stretch", "Low", "High", "Trained"):
            found[f"{sheet.id}_{name}"] = "✗ a setting of the stretch is not a number"
    return found


def _answered(sheet: SheetSpec, sides: Sequence[Stack]) -> list[tuple[str, str]]:
    """Conditions of a classifier's live check: each sentence has the words by which it is answered."""
    if sheet.kind != "classifier":
        return []
    lanes = sides[-1].lanes
    if sheet.pool == "first":
        there = ",".join(f'{lane.tokens}[1]<>""' for lane in lanes)
        return [(f"AND({there})", "– a sentence has no first word, and so no class")]
    if sheet.mask in PADDING:
        there = ",".join(f"SUM({lane.prefix}_PaddingMask)>0" for lane in lanes)
        return [(f"AND({there})", "– a sentence has no word, and so no class")]
    return []


def _heads(sheet: SheetSpec, sides: Sequence[Stack], page: Page) -> tuple[tuple[str, str], ...]:
    """Links to every head of a layer's page, where a model is so large that they are wanted."""
    k = next((k for k in sheet.numbers if page.id == f"{sides[0].w}_l{k}"), None) if sheet.apart else None
    if k is None:
        return ()
    p = sides[0].lanes[0].prefix
    return tuple((f"h{h}", f"{p}_l{k}_h{h}_Attention") for h in sheet.heads_of(k))


def _count(sheet: SheetSpec) -> str:
    if sheet.only:
        heads = sum(map(len, sheet.only.values()))
        return say("{n} heads" if heads > 1 else "{n} head", n=heads)
    return say("{n} layers" if len(sheet.numbers) > 1 else "{n} layer", n=len(sheet.numbers))


def _text(lane: Lane) -> Block:
    words = '&" "&'.join(f"{lane.tokens}[{i + 1}]" for i in range(lane.n))
    return computed(f"{lane.prefix}_Text", (1, 1), ops.SENTENCE, "said", words=words)


def _hyperparameters(sheet: SheetSpec, sides: Sequence[Stack]) -> Band:
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
    why = say(
        "{residual}; {norm} norm; {activation}; positions {position}; mask {mask}.",
        residual=say(sheet.residual),
        norm=say(sheet.norm),
        activation=say(sheet.activation),
        position=say(sheet.position),
        mask=say(sheet.mask),
    )
    return Band("Hyperparameters", why, (group,), shared=True, show_formula=False)
