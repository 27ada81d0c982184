"""The pages around the attention sheets: Start, Inputs, Compare; and the whole book in order."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from xlsxattn.builder import ops
from xlsxattn.builder.compare_page import compare_page
from xlsxattn.builder.graph import Band, Block, Book, Box, Fact, Group, Page, Side
from xlsxattn.builder.models import attention_page, computed, typed
from xlsxattn.builder.theme import cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xlsxattn.builder.spec import Context, SheetSpec, Spec

LEAD = (
    "A convolution sees a small window of words at a time. Attention lets every word look at every other "
    "word at once, and decides by the words themselves how much each one matters. Follow one word through "
    "this workbook: its embedding is the same in every sentence, and what it becomes is not."
)
HOW_TO = (
    "1.  Read the sheets from left to right, each from top to bottom: every step has its formula above it.",
    "2.  On Inputs, swap a word or change a number, and watch what moves on every other sheet.",
    "3.  Click any cell: its formula speaks in names: MMULT(qkv_cat_X,0+qkv_W_Q). 0+ reads blanks as 0.",
)
VERSION = 1


def book(spec: Spec) -> Book:
    """All pages of a spec's workbook, in the order of its tabs (the manifest comes last)."""
    pages = [_inputs(spec)]
    for i, sheet in enumerate(spec.sheets):
        before = [s for s in spec.sheets[:i] if s.kind != "compare"]
        pages.append(
            compare_page(spec, sheet, before) if sheet.kind == "compare" else attention_page(spec, sheet)
        )
    pages = [_start(spec, pages), *pages]
    return Book(spec.title, (*pages, _contract(spec, pages)))


def _contract(spec: Spec, pages: Sequence[Page]) -> Page:
    """The manifest: what a checker that has never seen the spec must know to prove the workbook."""
    blocks = [block for page in pages for block in page.blocks()]
    inputs = [
        (name,) for b in blocks if b.kind == "input" for name in (b.name, *(part[0] for part in b.slices))
    ]
    formulas = [
        (b.name, b.parts[0].op.entered, " | ".join(part.formula for part in b.parts))
        for b in blocks
        if b.kind == "formula"
    ]
    sheets = [(sheet.id, sheet.kind, _settings(sheet)) for sheet in spec.sheets]
    tables = (
        ("Version", "The format of this manifest.", (), [(float(VERSION),)]),
        ("Sheets", "Every sheet's id, kind and settings.", ("id", "kind", "settings"), sheets),
        ("Contexts", "The sentences' ids.", ("id",), [(c.id,) for c in spec.contexts]),
        ("Inputs", "The ranges that a person may change.", ("range",), inputs),
        (
            "Formulas",
            "The formula that each computed range should hold.",
            ("range", "entered as", "formula"),
            formulas,
        ),
    )
    bands = []
    for name, why, heads, values in tables:
        block = replace(typed(f"xlsxattn_{name}", "manifest", values, "constant"), widths=(44.0, 16.0, 90.0))
        bands.append(Band(name, why, (Group((block,), cols=heads or None),), shared=True, show_formula=False))
    lead = "What a checker needs to recompute this workbook from its inputs. Please leave it as it is."
    return Page("xlsxattn", "Contract", lead, bands=tuple(bands))


def _settings(sheet: SheetSpec) -> str:
    """What the checker must know of a sheet, as JSON."""
    if sheet.kind == "compare":
        return json.dumps({"axes": list(sheet.axes)}, ensure_ascii=False)
    settings: dict[str, object] = {"weights": bool(sheet.weights), "scale": sheet.scale, "mask": sheet.mask}
    if sheet.kind == "multi-head":
        settings["heads"] = sheet.heads
    if sheet.weights:
        settings |= {"d_k": sheet.d_k, "d_v": sheet.d_v}
    return json.dumps(settings)


def _start(spec: Spec, pages: Sequence[Page]) -> Page:
    statuses = tuple(
        computed(f"xlsxattn_{page.id}_Status", (1, 1), ops.SAME_TEXT, "status", source=f"{page.id}_Status")
        for page in pages
    )
    condition = ",".join(f'LEFT({block.name},1)="✓"' for block in statuses)
    check = ops.status(f"AND({condition})", '"✓ every check holds"', '"✗ a check fails: see below"')
    overall = computed("xlsxattn_Status", (1, 1), check, "status")
    rows = (("all sheets",), *((page.title,) for page in pages))
    band = Band(
        "Live checks",
        "These cells are formulas too: they follow every change you make.",
        (Group((overall, *statuses), rows),),
        shared=True,
        show_formula=False,
    )
    boxes = tuple(Box(page.title, _subtitle(page, spec), f"{page.id}_Status") for page in pages)
    return Page("start", spec.title, LEAD, bands=(band,), paragraphs=HOW_TO, boxes=boxes)


def _subtitle(page: Page, spec: Spec) -> str:
    kinds = {sheet.id: sheet for sheet in spec.sheets}
    if page.id == "vocab":
        return "words and embeddings"
    sheet = kinds[page.id]
    if sheet.kind == "compare":
        return "one word, side by side"
    if sheet.kind == "multi-head":
        return f"{sheet.heads} heads, then W_O"
    if not sheet.weights:
        return "Q = K = V = X"
    return f"d_k = {sheet.d_k}, d_v = {sheet.d_v}"


def _inputs(spec: Spec) -> Page:
    words = spec.vocabulary
    tokens, positions = [], []
    wide = (max(cell_width(word) for word in words.tokens) + 2.0,)
    for c in spec.contexts:
        n = len(c.words)
        index = typed(f"{c.id}_Index", "index", tuple((float(i + 1),) for i in range(n)), "constant")
        block = replace(typed(f"{c.id}_Tokens", "token", [(word,) for word in c.words]), widths=wide)
        names = {"tokens": block.name, "vocabulary": "vocab_Tokens"}
        ids = computed(f"{c.id}_Ids", (n, 1), ops.IDS, "word number", **names)
        sides = (Side("position", (index,)),)
        tokens.append(Group((block,), (ids,), ("word",), sides, corner="row in the vocabulary"))
        names = {"tokens": block.name, "focus": "vocab_Focus"}
        find = computed(f"{c.id}_Focus", (1, 1), ops.FIND, "count", **names)
        positions.append(Group((find,), (("position",),)))
    vocabulary = replace(typed("vocab_Tokens", "token", [(word,) for word in words.tokens]), widths=wide)
    E = typed("vocab_E", "input", words.E)
    dims = typed("vocab_Dims", "dimension", (words.dimensions,))
    index = computed("vocab_Index", (E.rows, 1), ops.INDEX, "index", tokens="vocab_Tokens")
    table = Group((E,), (vocabulary,), dims, (Side("row", (index,)),))
    bands = (
        Band(
            "The sentences",
            "A word a cell: choose another from the list, or type one that the vocabulary has.",
            tuple(tokens),
            show_formula=False,
        ),
        Band(
            "Where the focus word stands",
            "Its row is outlined on every sheet, and Compare follows it. 0: not in this sentence.",
            tuple(positions),
            show_formula=False,
        ),
        Band(
            "The vocabulary",
            "One row a word, one column a dimension. Change any number. For a new word, insert a row "
            "inside the table and type the word and its numbers.",
            (table,),
            shared=True,
            show_formula=False,
        ),
    )
    focus = typed("vocab_Focus", "token", ((spec.focus,),))
    every = ",".join(
        f"{c.id}_Ids" for c in spec.contexts
    )  # IronCalc's COUNTIF takes no name of a single cell
    texts = '"✓ every word is in the vocabulary"', '"✗ a word is not in the vocabulary"'
    facts = (
        Fact("focus word:", focus),
        Fact("", computed("vocab_Status", (1, 1), ops.status(f"MIN({every})>0", *texts), "status")),
    )
    lanes = tuple(_sentence(c) for c in spec.contexts)
    drop_downs = dict.fromkeys(("vocab_Focus", *(f"{c.id}_Tokens" for c in spec.contexts)), "vocab_Tokens")
    lead = (
        "Everything that the other sheets compute starts from these cells. Yellow cells are yours to change."
    )
    return Page("vocab", "Inputs", lead, facts, lanes, bands, drop_downs=drop_downs)


def _sentence(context: Context) -> Block:
    words = '&" "&'.join(f"{context.id}_Tokens[{i + 1}]" for i in range(len(context.words)))
    return computed(f"{context.id}_Sentence", (1, 1), ops.SENTENCE, "lane", words=words)
