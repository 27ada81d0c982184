"""Every text fits in every language: it is not clipped, shrunk, or wrapped out of sight."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from xlsxattn import templates
from xlsxattn.builder import layout, pages, theme
from xlsxattn.builder import specification as spec
from xlsxattn.builder.graph import ContentsLink, Page, WorkbookPages
from xlsxattn.builder.layout.measures import SCREEN
from xlsxattn.builder.layout.printing import pixels
from xlsxattn.contract import first_screen as texts
from xlsxattn.language import codes, language, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.builder.layout.placed import PlacedSheet, Text

CALIBRI, WIDE = 6.3 / 11, 4 / 3
"""Pixels per point: average width of a character of Calibri, and of a wide (CJK) one."""
PADDING = 4
"""Padding of a cell in pixels."""
LINE = 1.25
"""Height of a line relative to the font size."""


def needed(text: str, look: str) -> float:
    """Width of a line of text in pixels."""
    form = theme.LOOKS[look].format
    size, wide = form.get("font_size", 11), sum(map(theme.is_wide, text))
    narrow = theme.PIXELS.get(look, CALIBRI * size * (1.07 if form.get("bold") else 1.0))
    return narrow * (len(text) - wide) + WIDE * size * wide


def cramped(sheet: PlacedSheet) -> Iterator[tuple[str, str, str]]:
    """The texts of a sheet that do not fit: reason, look, text."""
    taken = {
        (p.area.top + i, p.area.left + j)
        for p in sheet.placed
        for i in range(p.block.rows)
        for j in range(p.block.cols)
    }
    taken |= {(t.row, col) for t in sheet.texts for col in range(t.col, t.col + t.cols)}
    for text in sheet.texts:
        if fault := _fault(sheet, text, taken):
            yield fault, text.look, text.text


def _fault(sheet: PlacedSheet, text: Text, taken: set[tuple[int, int]]) -> str:
    form, need = theme.LOOKS[text.look].format, needed(text.text, text.look)
    end = text.col + text.cols
    room = pixels(sheet, range(text.col, end)) - PADDING
    if form.get("text_wrap"):
        height = LINE * form.get("font_size", 11) * math.ceil(need / room)
        return "wraps" if height > sheet.heights.get(text.row, sheet.row) + 1 else ""
    if form.get("shrink") or form.get("align") in ("right", "center"):
        return "shrinks" if need > room else ""
    while (text.row, end) not in taken and end <= sheet.last[1]:
        end += 1
    return "is clipped" if need > pixels(sheet, range(text.col, end)) else ""


def sheets(name: str, code: str) -> list[PlacedSheet]:
    made = replace(spec.load(templates.path(name)), lang=code, explain="full")
    return layout.lay_out(pages.book(made))


NARROW = {
    ("en", "shrinks", "Cross-attention, two heads"),
    ("en", "shrinks", "Causal and padding mask"),
    ("zh", "shrinks", "交叉注意力，两个头"),
    ("zh", "shrinks", "前置归一化的编码器"),
    ("zh", "shrinks", "旋转位置编码，头 1"),
}
"""Titles of templates that are shrunk slightly in their boxes on Start."""


@pytest.mark.parametrize("code", codes())
@pytest.mark.parametrize("name", templates.names())
def test_every_text_fits(name, code):
    found = {(code, fault, text) for sheet in sheets(name, code) for fault, _, text in cramped(sheet)}
    assert found - NARROW == set()


@pytest.mark.parametrize("name", templates.names())
def test_the_lead_fits_a_small_window(name):
    wide = {
        sheet.tab
        for sheet in sheets(name, "en")
        for text in sheet.texts
        if text.look == "long lead" and pixels(sheet, range(text.col + text.cols)) > SCREEN
    }
    assert wide == set()


FAULTS = (texts.UNKNOWN, texts.BLANK, texts.NO_FOCUS, texts.ABSENT, texts.NO_CLASS)


@pytest.mark.parametrize("code", codes())
@pytest.mark.parametrize("name", templates.names())
def test_what_is_wrong_with_a_sentence_fits_below_it(name, code):
    made = replace(spec.load(templates.path(name)), lang=code)
    screen = pages.book(made).pages[0].screen
    word = max(made.vocabulary.tokens, key=len)
    for lane in screen.lanes[:-1]:  # the last one may continue on the right
        room = sum(strip.columns * strip.pixels for strip in lane.strips if not strip.hidden)
        said = [language(code).tell(say(text, word=word, focus=word)) for text in FAULTS]
        assert max(needed(text, lane.says[-1].look) for text in said) <= room


@pytest.mark.parametrize(
    ("look", "how"),
    [
        ("row label", "shrinks"),
        ("side", "wraps"),
        ("why", "is clipped"),
        ("meaning", "is clipped"),
        ("lead", "is clipped"),
    ],
)
def test_a_text_that_is_too_long_is_found(look, how):
    (sheet, *_) = [s for s in sheets("causal", "zh") if any(t.look == look for t in s.texts)]
    at = next(i for i, text in enumerate(sheet.texts) if text.look == look)
    sheet.texts[at] = replace(sheet.texts[at], text=sheet.texts[at].text * 30)
    assert [fault for fault, of, _ in cramped(sheet) if of == look] == [how]


OUTLINE = 26
"""Width of the outline's buttons in XlsxWriter's pixels."""


@pytest.mark.parametrize("code", codes())
@pytest.mark.parametrize("name", ["walkthrough", "learning"])
def test_weights_before_and_after_a_training_fit_a_small_window(name, code):
    (sheet,) = (sheet for sheet in sheets(name, code) if sheet.id == "learn")
    after = [p.area.right for p in sheet.placed if "_Final_" in p.block.name]
    assert after
    assert pixels(sheet, range(max(after) + 1)) <= SCREEN - OUTLINE


def test_links_to_twelve_heads_fit_a_small_window():
    links = tuple((f"h{h}", "there") for h in range(1, 13))
    page = Page("m", "A model", "", links=(ContentsLink("MiniLM-L6-H384-uncased, layer 6", "", "", links),))
    (sheet,) = layout.lay_out(WorkbookPages("A model", (page,)))
    last = max(text.col for text in sheet.texts if text.text == "h12")
    assert pixels(sheet, range(last + 1)) <= SCREEN
    assert not [fault for fault, _, text in cramped(sheet) if text in dict(links)]


def test_a_chinese_lead_that_a_small_window_would_cut_is_wrapped():
    (sheet,) = (sheet for sheet in sheets("mouse", "zh") if sheet.id == "cls")
    assert [text.look for text in sheet.texts if text.row == 1] == ["long lead"]


def test_a_decoder_has_the_colour_of_its_sentence():
    colours = {sheet.tab: [bar.colour for bar in sheet.bars] for sheet in sheets("reverse", "en")}
    both = colours["Encoder–decoder, input"]
    assert both == [*theme.LANES[:2]]
    assert colours["Encoder, layer 1"] == colours["Encoder, output"] == both[:1]
    assert colours["Decoder, layer 1"] == colours["Decoder, output"] == both[1:]
