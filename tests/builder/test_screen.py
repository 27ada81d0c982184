"""Sheets on the screen: they fit it, heads can be folded away, tabs are valid."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace

import pytest
from conftest import THOROUGH
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import (
    COMPARE,
    HEADS,
    LEARNED,
    PLAIN,
    file_of,
    lanes_of,
    page_of,
    pages_of,
    placed_by_name,
)
from specs import plain

from xlsxattn import templates
from xlsxattn.builder import pages, theme
from xlsxattn.builder.layout import measures
from xlsxattn.builder.layout import sheet as layout
from xlsxattn.builder.layout.printing import pixels
from xlsxattn.builder.specification import load, parse
from xlsxattn.checker.reading.book import read

LAPTOP = 1366 - 66
"""Width of a laptop's screen in pixels, without row numbers, scroll bar and window borders."""
MODELS = ("encoder", "decoder", "classifier")


@pytest.mark.parametrize("sheet", [PLAIN, {**LEARNED, "d_k": 6, "d_v": 6}, {**HEADS, "d_v": 3}, COMPARE])
def test_two_lanes_of_six_words_and_six_dimensions_fit_a_small_window(sheet):
    """At 1280 × 800 and 100 %: LibreOffice draws columns 1.107 times as wide as XlsxWriter."""
    page, placed = page_of(plain([6, 6], 6, *([PLAIN] if sheet is COMPARE else []), sheet), sheet["id"])
    right = max(bar.where.right for bar in placed.bars)
    assert len({bar.where.left for bar in placed.bars}) == len(page.lanes)
    assert 1.107 * pixels(placed, range(right + 1)) <= 1181 - 29
    assert max(t.col for t in placed.texts) <= right
    for text in placed.texts:
        assert pixels(placed, range(text.col)) + theme.pixels(text.text, text.look) <= 1066, text.text


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("activation", ["relu", "swiglu"])
@pytest.mark.parametrize("position", ["learned", "rotary"])
def test_a_layer_of_4_heads_and_8_tokens_fits_the_screen_width(kind, activation, position):
    sheet = {
        "id": "gpt",
        "kind": kind,
        "heads": 4,
        "d_ff": 16,
        "activation": activation,
        "position": position,
    }
    sheet |= {"classes": ["a", "b"]} if kind == "classifier" else {}
    sheet |= {"generate": True} if kind == "decoder" else {}
    for page, placed in pages_of(plain([8], 8, sheet)):
        if page.id.startswith("gpt"):
            assert pixels(placed, range(placed.last[1] + 1)) <= LAPTOP, placed.tab


@pytest.mark.parametrize("kind", MODELS)
def test_each_head_of_a_layer_can_be_folded_away(kind):
    sheet = {"id": "gpt", "kind": kind, "heads": 4}
    sheet |= {"classes": ["a", "b"]} if kind == "classifier" else {}
    page, placed = page_of(plain([8], 8, sheet), "gpt_l1")
    of_heads = [band for band in page.bands if band.title.startswith("Head ")]
    assert len(of_heads) >= 4 * 7
    for band in page.bands:
        assert band.level == (1 if band in of_heads or band.title == "Check" else 0)
    at = placed_by_name(placed)
    for h in range(1, 5):
        block = at[f"gpt_c1_l1_h{h}_Attention"]
        assert all(placed.levels[row] == 1 for row in range(block.row, block.row + 8))
    assert at["gpt_c1_l1_MultiHead"].row not in placed.levels


def test_closed_groups_are_marked_on_both_sides(walkthrough):
    """Excel expects the mark before a group, LibreOffice after it, where it would close an open one."""
    groups = 0
    with zipfile.ZipFile(walkthrough) as archive:
        for part in (name for name in archive.namelist() if "worksheets/sheet" in name):
            found = re.findall("<row ([^>]*)>", archive.read(part).decode())
            rows = {
                int(said["r"]): said for said in (dict(re.findall(r'(\w+)="(.*?)"', one)) for one in found)
            }
            hidden = {r for r, row in rows.items() if "hidden" in row}
            opened = {r for r, row in rows.items() if "outlineLevel" in row} - hidden
            ends = {r + step for r in hidden for step in (-1, 1)} - hidden
            assert {r for r, row in rows.items() if "collapsed" in row} == ends
            assert not {r + 1 for r in ends} & opened
            groups += len(ends)
    assert groups > 20


def test_only_the_attention_of_each_head_is_shown():
    _, placed = page_of(plain([3, 2], 4, HEADS), "heads")
    at = placed_by_name(placed)
    for name in ("h1_Attention", "h2_Attention", "Concat"):
        assert at[f"heads_c1_{name}"].row not in placed.levels
    assert {at[f"heads_c1_h2_{name}"].row for name in ("Q", "Scores", "Output")} <= placed.closed


def test_a_setting_is_beside_its_name():
    for placed in layout.lay_out(pages.book(load(templates.path("walkthrough")))):
        facts = [text for text in placed.texts if text.look == "fact"]
        values = {(p.row, p.col) for p in placed.placed}
        assert all((text.row, text.col + text.cols) in values for text in facts)


def test_every_step_of_a_layer_has_its_formula_above_it():
    page, placed = page_of(plain([8], 8, {"id": "gpt", "kind": "decoder", "heads": 4}), "gpt_l1")
    said = {(text.row, text.col): text.text for text in placed.texts}
    at = placed_by_name(placed)
    for band in lanes_of(page):
        (group,) = band.groups
        above = at[group.blocks[0].name].row - (group.cols is not None or bool(group.sides))
        lines = measures.caption_lines(group)
        assert [said[above - len(lines) + i, measures.MARGIN] for i in range(len(lines))] == lines
        assert max(map(len, lines)) <= measures.MAX_CAPTION_LENGTH + 4


@settings(max_examples=300 if THOROUGH else 100, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip), min_size=1
    )
)
def test_tabs_are_valid_and_unique(titles):
    tabs = layout._tabs(["any", *titles])
    assert tabs[0] == "Start"
    assert len({tab.casefold() for tab in tabs}) == len(tabs)
    for tab in tabs:
        assert 0 < len(tab.encode("utf-16-le")) <= 2 * 31
        assert not set(tab) & set("[]:*?/\\'")
        assert tab == tab.strip(" ")
        assert tab.casefold() != "history"


@pytest.mark.parametrize(
    ("titles", "tabs"),
    [
        (["Heads", "heads", "HEADS"], ["Heads", "heads 2", "HEADS 3"]),
        (["Start"], ["Start 2"]),
        (["History"], ["History 2"]),
        (["a/b", "a*b"], ["a b", "a b 2"]),
        (["'it's'"], ["it’s"]),
        (["''", "[]"], ["Sheet 2", "Sheet 3"]),
        (["x" * 40, "x" * 40], ["x" * 31, "x" * 29 + " 2"]),
        (["🦊" * 16], ["🦊" * 15]),
        (["y" * 30 + " z"], ["y" * 30]),
    ],
)
def test_tabs_by_example(titles, tabs):
    assert layout._tabs(["any", *titles])[1:] == tabs


def test_lists_of_layers_and_heads_are_side_by_side():
    """One below the other, they would leave half of the page blank."""
    wide = plain([3, 2], 8, {"id": "gpt", "kind": "decoder", "heads": 4, "layers": 2})
    made = parse(wide, "large")
    (model,) = made.sheets
    book = pages.book(replace(made, sheets=(replace(model, browse=(1, 1)),)))
    (sheet,) = [one for one in layout.lay_out(book) if one.id == "gpt_heads"]
    at = {p.block.name: p.area for p in sheet.placed}
    layers, heads, ranks = (at[f"gpt_{name}"] for name in ("Layers", "Heads", "PairRank"))
    assert layers.top == heads.top == ranks.top
    assert layers.left < heads.left < ranks.left
    assert sheet.last[0] >= max(heads.bottom, ranks.bottom)


def test_maps_of_heads_have_neutral_headings_and_labels_of_one_size():
    sheets = {s.id: s for s in layout.lay_out(pages.book(load(templates.path("reverse"))))}
    assert {bar.colour for bar in sheets["rev_maps"].bars} == {theme.MUTED}
    assert not {bar.colour for bar in sheets["rev_enc_l1"].bars} - set(theme.LANES)
    assert "shrink" not in theme.LOOKS["map label"].format


def test_the_rule_that_hides_rows_without_a_word_has_an_area_of_its_own(tmp_path):
    """Then LibreOffice does not colour their cells either."""
    _, path = file_of(plain([3, 2], 4, {**PLAIN, "mask": "padding"}), tmp_path)
    book = read(path)
    for name in ("attn_c1_Attention", "attn_c1_Exp", "attn_c1_Masked", "attn_c1_Output"):
        at = book.names[name]
        rules = [rule for rule in book.views[at.sheet].rules if (at.row, at.col) in tops(rule.areas)]
        formats = {rule.areas: rule.look.numFmt for rule in rules if rule.look and rule.look.numFmt}
        hiding = {areas for areas, code in formats.items() if code.formatCode == ";;;"}
        coloured = {rule.areas for rule in rules if rule.colours}
        assert len(hiding) == len(coloured) == 1
        assert hiding != coloured, name


def tops(areas) -> set[tuple[int, int]]:
    return {(area.row, area.col) for area in areas}
