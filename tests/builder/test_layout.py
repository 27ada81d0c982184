"""Layout: for any spec, nothing overlaps or touches, and each name covers its block."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import openpyxl
import pytest
from conftest import THOROUGH
from hypothesis import given, settings
from layouts import (
    HEADS,
    LEARNED,
    PLAIN,
    assert_nothing_shares_a_cell,
    bounds,
    file_of,
    laid_out,
    lanes_of,
    page_of,
    pages_of,
    placed_by_name,
    touch,
)
from openpyxl.utils.cell import coordinate_to_tuple
from specs import plain, specs

from xlsxattn import templates
from xlsxattn.builder import pages, theme
from xlsxattn.builder.graph import Block
from xlsxattn.builder.layout import measures
from xlsxattn.builder.layout import sheet as layout
from xlsxattn.builder.layout.placed import Rectangle, places
from xlsxattn.builder.layout.printing import pixels
from xlsxattn.builder.specification import load, parse
from xlsxattn.builder.theme import cell_width
from xlsxattn.checker.reading.book import read
from xlsxattn.language import codes

drawn = settings(max_examples=40 if THOROUGH else 15, deadline=None)


# --- nothing overlaps --------------------------------------------------------------------------------------


@drawn
@given(specs())
def test_blocks_and_texts_do_not_overlap(data):
    for sheet in laid_out(data)[1]:
        assert_nothing_shares_a_cell(sheet)


@drawn
@given(specs())
def test_groups_are_separated_by_an_empty_row_or_column(data):
    for page, sheet in pages_of(data):
        placed = placed_by_name(sheet)
        groups = [bounds(group, placed) for band in page.bands for group in band.groups]
        for a, b in combinations(groups, 2):
            assert not touch(a, b), f"{sheet.tab}: {a} and {b}"


@pytest.mark.parametrize("heads", [2, 3])
@pytest.mark.parametrize("d_k", range(3, 13))
def test_wide_weights_do_not_overlap_and_end_with_the_lanes(heads, d_k):
    page, sheet = page_of(plain([4, 4, 4], 2, {**HEADS, "heads": heads, "d_k": d_k}), "heads")
    groups = [bounds(group, placed_by_name(sheet)) for group in page.bands[0].groups]
    assert len(groups) == 3
    assert not any(touch(a, b) for a, b in combinations(groups, 2))
    end = sheet.bars[-1].where.right
    assert all(group.right <= end or group.left == measures.MARGIN for group in groups)


@drawn
@given(specs())
def test_blocks_of_a_group_touch_without_a_gap(data):
    for page, sheet in pages_of(data):
        placed = placed_by_name(sheet)
        for group in (group for band in page.bands for group in band.groups):
            areas = [placed[block.name].area for block in group.blocks]
            assert {a.left for a in areas} == {areas[0].left}
            assert [a.top for a in areas[1:]] == [a.bottom + 1 for a in areas[:-1]]
            for area, labels in zip(areas, group.rows, strict=False):
                if isinstance(labels, Block):
                    beside = placed[labels.name].area
                    assert beside == Rectangle(area.top, area.left - 1, area.bottom, area.left - 1)
            if isinstance(group.cols, Block):
                above = placed[group.cols.name].area
                assert (above.bottom, above.left) == (areas[0].top - 1, areas[0].left)
            for i, side in enumerate(group.sides):
                right = max(a.right for a in areas) + 1 + i
                assert [placed[block.name].col for block in side.blocks] == [right] * len(side.blocks)
                tops = [placed[block.name].row for block in side.blocks]
                assert tops == [a.top for a in areas][: len(tops)]


@drawn
@given(specs())
def test_charts_are_below_everything_else_and_side_by_side(data):
    for sheet in laid_out(data)[1]:
        below = max((p.area.bottom for p in sheet.placed), default=0)  # a glossary has only texts
        for chart in sheet.charts:
            assert chart.row > below + 1
            assert chart.row + 17 <= sheet.last[0]  # 340 pixels are 17 rows
        for a, b in combinations(sheet.charts, 2):
            apart = pixels(sheet, range(min(a.col, b.col), max(a.col, b.col)))
            assert abs(a.row - b.row) >= layout.CHART_ROWS or apart > (a if a.col < b.col else b).width


@drawn
@given(specs())
def test_label_columns_fit_their_words(data):
    words = {context.id: context.words for context in parse(data, "drawn").contexts}
    for sheet in laid_out(data)[1]:
        for p in (p for p in sheet.placed if p.block.look == "word label"):
            longest = max(map(cell_width, words[p.block.name.split("_")[1]]))
            assert sheet.widths[p.col] > min(longest, measures.MAX_WIDTH - 1)


@pytest.mark.parametrize("template", templates.names())
def test_no_number_is_in_a_column_that_is_too_narrow(template):
    for sheet in layout.lay_out(pages.book(load(templates.path(template))))[1:]:
        for p in sheet.placed:
            wide = min(
                theme.LOOKS[p.block.look].width, measures.NARROW if sheet.narrow else measures.MAX_WIDTH
            )
            for col in range(p.col, p.col + p.block.cols) if not p.block.widths else ():
                assert sheet.widths[col] >= wide, (sheet.tab, p.block.name)


# --- names -------------------------------------------------------------------------------------------------


@drawn
@given(specs())
def test_every_name_covers_exactly_its_block_and_every_slice_its_columns(data):
    book, sheets = laid_out(data)
    found = places(sheets)
    blocks = list(book.blocks())
    names = [name for b in blocks for name in (b.name, *(part[0] for part in b.slices))]
    assert sorted(names) == sorted(found)
    for block in blocks:
        tab, r = found[block.name]
        assert (r.bottom - r.top + 1, r.right - r.left + 1) == (block.rows, block.cols)
        for name, first, count in block.slices:
            left = r.left + first
            assert found[name] == (tab, Rectangle(r.top, left, r.bottom, left + count - 1))
            assert left + count - 1 <= r.right


@settings(max_examples=6, deadline=None)
@given(data=specs(most_words=6, most_dimensions=6))
def test_the_file_has_the_names_and_typed_values(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    sheets, path = file_of(data, folder)
    book = read(path)
    as_laid_out = {
        name: (tab, r.top, r.left, r.bottom - r.top + 1, r.right - r.left + 1)
        for name, (tab, r) in places(sheets).items()
    }
    assert {n: (a.sheet, a.row, a.col, a.rows, a.cols) for n, a in book.names.items()} == as_laid_out
    for placed in (p for sheet in sheets for p in sheet.placed if p.block.values):
        area = book.names[placed.block.name]
        held = [book.typed[at] for at in area.cells()]
        assert held == [value for row in placed.block.values for value in row]


def test_a_heads_weights_are_columns_of_the_same_cells():
    heads = {**HEADS, "heads": 3, "d_k": 2, "d_v": 4}
    found = places(laid_out(plain([3], 5, heads))[1])
    tab, whole = found["heads_W_V"]
    assert whole.right - whole.left + 1 == 12
    for h in (1, 2, 3):
        left = whole.left + 4 * (h - 1)
        assert found[f"heads_h{h}_W_V"] == (tab, Rectangle(whole.top, left, whole.bottom, left + 3))
    assert found["heads_h3_W_Q"][1].left == found["heads_W_Q"][1].left + 4


# --- lanes -------------------------------------------------------------------------------------------------


@drawn
@given(specs())
def test_a_step_is_in_the_same_rows_of_every_lane(data):
    for page, sheet in pages_of(data):
        placed = placed_by_name(sheet)
        for band in lanes_of(page):
            tops = [[placed[block.name].row for block in group.blocks] for group in band.groups]
            assert tops == tops[:1] * len(tops), band.title


@drawn
@given(specs())
def test_groups_stay_within_their_lane(data):
    for page, sheet in pages_of(data):
        placed = placed_by_name(sheet)
        if page.screen:
            continue
        for band in lanes_of(page):
            for group, bar in zip(band.groups, sheet.bars, strict=True):
                found = bounds(group, placed)
                assert bar.where.left <= found.left <= found.right <= bar.where.right
        if page.screen:
            continue  # its steps have bars, too
        ends = [bar.where for bar in sheet.bars]
        assert all(a.right + 1 < b.left for a, b in pairwise(ends))


@drawn
@given(specs())
def test_the_print_area_contains_everything(data):
    for sheet in laid_out(data)[1]:
        areas = [p.area for p in sheet.placed] + [bar.where for bar in sheet.bars]
        if sheet.id == layout.MANIFEST:
            continue  # only its head is printed
        assert sheet.last[0] >= max([a.bottom for a in areas] + [t.row for t in sheet.texts])
        if sheet.footer:
            continue  # which says what is left out
        assert sheet.last[1] >= max([a.right for a in areas] + [t.col + t.cols - 1 for t in sheet.texts])


# --- positions computed by hand ----------------------------------------------------------------------------


def test_the_first_block_of_a_band_is_four_rows_below_its_title():
    n = 3
    _, sheet = page_of(plain([n], 2, PLAIN), "attn")
    step = 1 + 1 + 1 + 1 + n + 1  # title, why, formula, column labels, the block, an empty row
    placed = placed_by_name(sheet)
    named = ("X", "Scores", "Scaled", "Exp", "Attention", "Output")
    cell = (
        1 + 1 + 1 + 4 + 1
    )  # one score in numbers, below Scores: title, why, labels, four rows, an empty row
    head = 4 + 3 + 1  # the lines of the head, the results, and an empty row
    tops = [head + k * step + cell * (k > 1) for k in range(7)]
    assert [placed[f"attn_c1_{name}"].row for name in named] == [top + 4 for top in tops[:6]]
    titles = [text.row for text in sheet.texts if text.look == "step"]
    assert titles[:8] == [*tops[:2], tops[2] - cell, *tops[2:]]
    without = 1 + 1 + 1 + n + 1  # and without √d?
    assert placed["attn_c1_Drift"].row == tops[6] + without + 3  # it has no column labels


def test_the_longest_sentence_determines_the_height_of_steps():
    _, sheet = page_of(plain([2, 7, 5], 2, PLAIN), "attn")
    placed = placed_by_name(sheet)
    for lane in ("c1", "c2", "c3"):
        assert placed[f"attn_{lane}_Scores"].row == placed[f"attn_{lane}_X"].row + 7 + 5


def test_a_lane_has_labels_blocks_side_columns_and_a_gap():
    n = 12
    _, sheet = page_of(plain([n, n], 4, PLAIN), "attn")
    placed = placed_by_name(sheet)
    assert placed["attn_c1_Attention_Rows"].col == 1
    assert placed["attn_c1_Attention"].col == 2
    assert [placed[f"attn_c1_{name}"].col for name in ("AttentionSum", "Entropy")] == [2 + n, 3 + n]
    assert placed["attn_c2_Attention"].col == 2 + (n + 2) + 1 + 1  # beyond the sides, a gap and the labels


def test_shared_weights_fill_the_lanes_and_continue_below():
    _, sheet = page_of(plain([12, 12], 4, LEARNED), "qkv")
    found = {name: placed_by_name(sheet)[f"qkv_W_{name}"] for name in "QKV"}
    other_lane = placed_by_name(sheet)["qkv_c2_X"].col
    first = 9 + 4  # below the results, as outputs have another size than inputs
    assert (found["Q"].row, found["K"].row, found["V"].row) == (first, first, first + 4 + 1 + 2)
    assert (found["Q"].col, found["K"].col, found["V"].col) == (2, other_lane, 2)


def test_boxes_continue_on_the_next_line():
    sheets = [{"id": f"s{i}", "kind": "self-attention"} for i in range(7)]
    page, sheet = page_of(plain([2], 2, *sheets), "start")
    rows = [text.row for text in sheet.texts if text.look == "box"]
    assert [rows.count(row) for row in dict.fromkeys(rows)] == [4, 4, 2]
    assert len(rows) == len(page.boxes) == 7 + len({"Inputs", "How to read", "Glossary"})


MAX_ACROSS, MAX_DOWN = 1066, 618
"""XlsxWriter's pixels that LibreOffice shows at 1280 × 800."""


@pytest.mark.parametrize("code", codes())
@pytest.mark.parametrize("template", templates.names())
def test_the_first_screen_of_a_template_fits_a_small_window(template, code):
    one = load(templates.path(template))
    sheet = layout.lay_out(pages.book(replace(one, lang=code)))[0]
    right = max(text.col + text.cols for text in sheet.texts)
    assert pixels(sheet, set(range(right)) - set(sheet.hidden)) <= MAX_ACROSS
    bottom = max(text.row for text in sheet.texts)
    assert sum(sheet.heights.get(row, sheet.row) for row in range(bottom + 1)) / 0.75 <= MAX_DOWN
    assert all(p.area.right < right and p.area.bottom <= bottom for p in sheet.placed)


@pytest.mark.parametrize(("blanks", "height", "lines"), [(0, 24, 2), (3, 24, 2), (5, 20, 2), (6, 20, 2)])
def test_a_high_first_screen_is_made_to_fit(blanks, height, lines):
    one = load(templates.path("sort"))
    (context,) = one.contexts
    longer = replace(context, words=(*context.words, *[""] * blanks))
    sheet = layout.lay_out(pages.book(replace(one, contexts=(longer,))))[0]
    (words,) = (p.area for p in sheet.placed if p.block.name == f"{context.id}_Tokens")
    assert {sheet.heights[row] / 0.75 for row in range(words.top, words.bottom + 1)} == {height}
    assert len({text.row for text in sheet.texts if text.look == "box"}) == lines
    bottom = max(text.row for text in sheet.texts)
    assert sum(sheet.heights.get(row, sheet.row) for row in range(bottom + 1)) / 0.75 <= MAX_DOWN


def test_links_and_chips_of_the_first_screen_are_wide_enough():
    data = plain([12, 8], 8, {"id": "a", "kind": "encoder", "similarity": True, "layers": 3})
    books = [load(templates.path(name)) for name in templates.names()]
    for one in (*books, parse(data, "data")):
        sheet = layout.lay_out(pages.book(one))[0]
        for text in sheet.texts:
            if text.look == "box" or text.look.startswith("chip"):
                assert pixels(sheet, set(range(text.col, text.col + text.cols)) - set(sheet.hidden)) >= 90


def test_a_workbook_opens_on_its_first_yellow_word_and_other_sheets_below_the_frozen_rows(tmp_path):
    sheets, path = file_of(plain([3, 2], 2, PLAIN), tmp_path)
    word = min((p.row, p.col) for p in sheets[0].placed if p.block.look == "yellow word" and p.block.rows > 1)
    book = openpyxl.load_workbook(path)
    active = [ws.sheet_view.selection[-1].activeCell for ws in book.worksheets]
    assert coordinate_to_tuple(active[0]) == (word[0] + 1, word[1] + 1)
    assert [coordinate_to_tuple(cell)[0] for cell in active[1:]] == [one.frozen + 1 for one in sheets[1:]]


def test_a_page_too_large_for_a_sheet_is_refused_with_its_size():
    maps = {**HEADS, "heads": 64, "d_k": 1, "maps": True}
    with pytest.raises(layout.TooLargeError, match=r"'Multi-head, all heads' would need .* 16,384"):
        laid_out(plain([256], 1, maps))
