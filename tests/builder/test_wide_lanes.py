"""Lanes too wide for a screen are below each other; long texts are wrapped."""

from __future__ import annotations

from itertools import combinations

import pytest
from layouts import (
    COMPARE,
    HEADS,
    LEARNED,
    PLAIN,
    assert_nothing_shares_a_cell,
    bounds,
    cells,
    file_of,
    page_of,
    pages_of,
    placed_by_name,
    touch,
)
from specs import plain

from xlsxattn.builder import ops, theme
from xlsxattn.builder.graph import Group
from xlsxattn.builder.layout import lanes, measures
from xlsxattn.builder.layout import sheet as layout
from xlsxattn.builder.pages import parts
from xlsxattn.checker.reading.book import read

WIDE = lanes.MAX_LANE_WIDTH + 1


def test_a_step_of_wide_lanes_has_a_strip_for_each_sentence():
    n = (3, 5)
    _, sheet = page_of(plain([*n], WIDE, PLAIN), "attn")
    placed = placed_by_name(sheet)
    headings = [(placed[f"attn_c{i}_Heading"].row, placed[f"attn_c{i}_Heading"].col) for i in (1, 2)]
    assert headings == [(3, 1), (4, 1)]
    assert sheet.frozen == 5
    band = 6  # the head's five lines and an empty row
    first = band + 2 + 2  # title, why; formula, column labels
    second = first + n[0] + 1 + 2  # the block, an empty row; formula, column labels
    assert [(placed[f"attn_c{i}_X"].row, placed[f"attn_c{i}_X"].col) for i in (1, 2)] == [
        (first, 2),
        (second, 2),
    ]
    stripes = [(s.where.top, s.where.left, s.where.bottom, s.where.right) for s in sheet.stripes[:2]]
    assert stripes == [(first - 2, 0, first + n[0] - 1, 0), (second - 2, 0, second + n[1] - 1, 0)]
    assert [s.colour for s in sheet.stripes[:2]] == [bar.colour for bar in sheet.bars] == [*theme.LANES[:2]]
    next_band = second + n[1] + 1
    assert placed["attn_c1_Scores"].row == next_band + 4


@pytest.mark.parametrize(("d_model", "lengths"), [(WIDE - 3, [3, 3]), (WIDE, [3])])
def test_lanes_that_fit_a_screen_are_side_by_side(d_model, lengths):
    _, sheet = page_of(plain(lengths, d_model, PLAIN), "attn")
    assert (sheet.stripes, sheet.frozen) == ([], 4)
    assert len({bar.where.left for bar in sheet.bars}) == len(lengths)


@pytest.mark.parametrize(
    "sheets", [[PLAIN, LEARNED, HEADS, COMPARE], [{"id": "enc", "kind": "encoder", "heads": 1}]]
)
def test_stacked_lanes_do_not_overlap(sheets):
    for page, sheet in pages_of(plain([4, 7, 2], WIDE, *sheets)):
        assert_nothing_shares_a_cell(sheet)
        placed = placed_by_name(sheet)
        groups = [bounds(group, placed) for band in page.bands for group in band.groups if group]
        assert not any(touch(a, b) for a, b in combinations(groups, 2)), sheet.tab
        for a, b in combinations(sheet.charts, 2):
            assert abs(a.row - b.row) >= layout.CHART_ROWS


def test_stacked_lanes_are_collapsed_together():
    sheet = {"id": "enc", "kind": "encoder", "heads": 2, "d_k": 2}
    page, placed = page_of(plain([4, 4], WIDE, sheet), "enc_l1")
    at = placed_by_name(placed)
    for band in page.bands:
        for group in band.groups:
            rows = bounds(group, at)
            assert {placed.levels.get(row, 0) for row in range(rows.top, rows.bottom + 1)} == {band.level}


def test_headings_of_many_wide_lanes_do_not_fill_the_screen():
    _, sheet = page_of(plain([2] * 9, WIDE, PLAIN), "attn")
    assert [bar.where.top for bar in sheet.bars] == [*range(3, 12)]
    assert sheet.frozen == 3 + lanes.MAX_HEADINGS
    assert min(t.row for t in sheet.texts if t.look == "step") == 13


def test_a_stripe_is_written_beside_each_strip(tmp_path):
    sheets, path = file_of(plain([3, 2], WIDE, PLAIN), tmp_path)
    sheet = next(s for s in sheets if s.id == "attn")
    ws = read(path).workbook[sheet.tab]
    for stripe in sheet.stripes:
        for row, col in cells(stripe.where):
            assert ws.cell(row + 1, col + 1).fill.fgColor.rgb == f"FF{stripe.colour[1:]}"


def test_texts_too_long_for_a_screen_are_wrapped():
    text = "One row a word. " * 30
    lines = measures.wrapped(text.strip(), "why")
    assert " ".join(lines) == text.strip()
    assert len(lines) == 3
    assert all(theme.pixels(line, "why") <= measures.SCREEN for line in lines)
    wide = "每个词一行" * 60
    assert "".join(measures.wrapped(wide, "why")) == wide
    assert all(theme.pixels(line, "why") <= measures.SCREEN for line in measures.wrapped(wide, "why"))
    assert measures.wrapped("short", "why") == ["short"]


def test_words_beside_wide_characters_stay_whole():
    words = ["The", "tokenizer", "splits", "你好", "config.json：忽略未知的键", "tokenizer_config.json"] * 12
    text = " ".join(words)
    lines = measures.wrapped(text, "why")
    assert len(lines) > 2
    assert all(theme.pixels(line, "why") <= measures.SCREEN for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for word in ("tokenizer", "config.json：", "tokenizer_config.json"):
        assert sum(line.count(word) for line in lines) == text.count(word)


def test_no_caption_is_broken_within_a_number():
    group = Group((parts.computed("s_Out", (1, 1), ops.Op("", "=" + "s_In*1E-24+" * 12 + "1"), "number"),))
    lines = measures.caption_lines(group)
    assert len(lines) > 1
    assert not any(line.endswith("1E") or line.strip().startswith("-24") for line in lines)
