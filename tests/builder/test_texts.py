"""Texts on pages mention only ranges, charts, sheets and words that the workbook has."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from model_specs import drawn
from specs import plain

from xlsxattn import templates
from xlsxattn.builder import pages
from xlsxattn.builder.pages.experiments import HEADS, PADDING_OPENS, TEMPERATURE, TWICE
from xlsxattn.builder.specification import spec
from xlsxattn.language import say

if TYPE_CHECKING:
    from xlsxattn.builder.graph import WorkbookPages
    from xlsxattn.builder.specification import Spec

SYMBOLS = re.compile(r"\b(?:W_\w|b_\w|γ|P|X|Input|FeedForward|Norm\d|Residual\d)(?!\w)")
SPECS = {
    "one word": plain([1], 2, {"id": "a"}, {"id": "c", "kind": "compare"}),
    "one head": plain([3], 4, {"id": "a", "kind": "multi-head"}, {"id": "c", "kind": "compare"}),
    "biases": plain([3], 4, {"id": "a", "kind": "multi-head", "heads": 2, "bias": True}),
    "heads side by side": plain([3], 4, {"id": "a", "kind": "multi-head", "heads": 2, "out_proj": False}),
    "a bias of outputs": plain([3], 4, {"id": "a", "kind": "multi-head", "heads": 2, "bias": ["O"]}),
    "two columns": plain([3, 2], 2, {"id": "a", "position": "sinusoidal"}),
    "an encoder alone": plain([3, 2], 2, {"id": "a", "kind": "encoder"}),
    "without places": plain(
        [3], 2, {"id": "a", "kind": "classifier", "position": "none", "classes": ["x", "y"]}
    ),
}


SPECS |= {f"drawn {seed}": drawn(seed) for seed in range(8)}


@pytest.mark.parametrize("name", [*templates.names(), *SPECS])
def test_texts_mention_only_existing_things(name):
    one = spec.parse(SPECS[name], name) if name in SPECS else spec.load(templates.path(name))
    assert lacking(one, pages.book(one)) == []


def lacking(one: Spec, book: WorkbookPages) -> list[str]:
    """Texts that mention missing ranges, charts, sheets or words."""
    names, titles = {block.name for block in book.blocks()}, {page.title for page in book.pages}
    found = []
    for page in book.pages[1:-1]:
        sheet = next((s for s in one.sheets if page.id == s.id or page.id.startswith(f"{s.id}_")), None)
        own = {n for n in names if sheet is None or n.startswith(f"{sheet.id}_")}
        ends = {n.rpartition("_")[2] for n in own} | {"_".join(n.split("_")[-2:]) for n in own}
        charts = page.charts or (page.id == "vocab" and any(p.charts for p in book.pages))
        for text in (page.lead, *page.tries):
            needed = [{"γ": "Gamma"}.get(symbol, symbol) for symbol in SYMBOLS.findall(text)]
            needed += [word.capitalize() for word in ("base", "temperature") if word in text.split()]
            there = set(needed) <= ends
            there &= bool(charts) or not re.search(r"\b(charts?|bars)\b", text)
            known = titles | {book.language.tell("Start"), *one.vocabulary.tokens}
            there &= all(q in known or {*q.split()} <= known for q in re.findall("“(.+?)”", text))
            if text in page.tries and "neighbour" in text:
                there &= any(len(set(c.words) - {""}) > 1 for c in one.contexts)
            if text in page.tries and "blank cell" in text:
                there &= any("" in c.words for c in one.contexts)
            found += [] if there else [f"{page.title}: {text}"]
    return found


def test_a_text_about_a_missing_range_is_found():
    one = spec.parse(SPECS["one head"], "one head")
    book = pages.book(one)
    for text in (HEADS.replace("W_O", "W_U"), TEMPERATURE, PADDING_OPENS, say(TWICE, word="quokka")):
        changed = [replace(page, tries=(text,)) if page.id == "a" else page for page in book.pages]
        assert len(lacking(one, replace(book, pages=tuple(changed)))) == 1
