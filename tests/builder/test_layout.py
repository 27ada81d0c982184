"""Layout: for any spec, nothing overlaps or touches, and each name covers its block."""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import openpyxl
import pytest
from conftest import THOROUGH, require
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.cell import coordinate_to_tuple, get_column_letter
from specs import plain, specs

from xlsxattn import templates
from xlsxattn.builder import ops, pages, theme, writer
from xlsxattn.builder.graph import Block, Group
from xlsxattn.builder.layout import lanes, measures
from xlsxattn.builder.layout import sheet as layout
from xlsxattn.builder.layout.placed import Rectangle, places
from xlsxattn.builder.layout.printing import page_height, pixels, repeated, row_heights
from xlsxattn.builder.pages import parts
from xlsxattn.builder.specification import load, parse
from xlsxattn.builder.theme import cell_width
from xlsxattn.checker.engines import processes
from xlsxattn.checker.reading.book import read
from xlsxattn.language import codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xlsxattn.builder.graph import Band, Page, WorkbookPages
    from xlsxattn.builder.layout.placed import Placed, PlacedSheet

PLAIN = {"id": "attn", "kind": "self-attention"}
LEARNED = {"id": "qkv", "kind": "self-attention", "d_k": 3, "d_v": 2, "mask": "causal"}
HEADS = {"id": "heads", "kind": "multi-head", "heads": 2, "d_k": 3, "d_v": 2}
COMPARE = {"id": "compare", "kind": "compare"}

drawn = settings(max_examples=40 if THOROUGH else 15, deadline=None)


def laid_out(data) -> tuple[WorkbookPages, list[PlacedSheet]]:
    book = pages.book(parse(data, "drawn"))
    return book, layout.lay_out(book)


def pages_of(data) -> list[tuple[Page, PlacedSheet]]:
    book, sheets = laid_out(data)
    return list(zip(book.pages, sheets, strict=True))


def page_of(data, page_id: str) -> tuple[Page, PlacedSheet]:
    return next(pair for pair in pages_of(data) if pair[0].id == page_id)


def cells(r: Rectangle) -> Iterator[tuple[int, int]]:
    return ((row, col) for row in range(r.top, r.bottom + 1) for col in range(r.left, r.right + 1))


def placed_by_name(sheet: PlacedSheet) -> dict[str, Placed]:
    return {p.block.name: p for p in sheet.placed}


def bounds(group: Group, placed: dict[str, Placed]) -> Rectangle:
    """All cells of a group: its blocks, and labels that are blocks."""
    areas = [placed[block.name].area for block in group.every_block()]
    labelled = group.rows and not any(isinstance(labels, Block) for labels in group.rows)
    left = min(a.left for a in areas) - bool(labelled)
    top = min(a.top for a in areas) - (group.cols is not None and not isinstance(group.cols, Block))
    return Rectangle(top, left, max(a.bottom for a in areas), max(a.right for a in areas))


def touch(a: Rectangle, b: Rectangle) -> bool:
    """True if two rectangles share a cell, an edge or a corner."""
    across = a.left <= b.right + 1 and b.left <= a.right + 1
    return across and a.top <= b.bottom + 1 and b.top <= a.bottom + 1


def lanes_of(page: Page) -> list[Band]:
    return [band for band in page.bands if not band.shared]


def assert_nothing_shares_a_cell(sheet: PlacedSheet) -> None:
    taken: dict[tuple[int, int], str] = {}
    areas = [(p.block.name, p.area) for p in sheet.placed]
    areas += [(t.text, Rectangle(t.row, t.col, t.row + t.rows - 1, t.col + t.cols - 1)) for t in sheet.texts]
    areas += [("a stripe", stripe.where) for stripe in sheet.stripes]
    for what, area in areas:
        for at in cells(area):
            assert at not in taken, f"{sheet.tab} {at}: {taken[at]} and {what}"
            taken[at] = what


def file_of(data, folder) -> tuple[list[PlacedSheet], object]:
    book, sheets = laid_out(data)
    writer.write(folder / "drawn.xlsx", book.title, sheets)
    return sheets, folder / "drawn.xlsx"


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


# --- wide lanes --------------------------------------------------------------------------------------------

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


# --- print -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", templates.names())
def test_printed_numbers_are_large_enough_to_read(template):
    for sheet in layout.lay_out(pages.book(load(templates.path(template)))):
        points = 0.75 * pixels(sheet, range(sheet.last[1] + 1))
        across = (595 if sheet.portrait else 842) - 18 - 72 * sheet.margin_right
        assert 11 * across / points >= 6, sheet.tab  # the height of numbers


def test_of_a_wide_sheet_the_columns_that_can_be_read_are_printed_and_the_footer_says_so(tmp_path):
    sheets, path = file_of(plain([3, 2], 50, PLAIN), tmp_path)
    number, sheet = next((i, sheet) for i, sheet in enumerate(sheets, 1) if sheet.id == "attn")
    wide = max(placed.area.right for placed in sheet.placed)
    one_more = 0.75 * pixels(sheet, range(sheet.last[1] + 2))
    assert sheet.last[1] < wide
    assert 11 * (842 - 36) / one_more < 6
    left_out = get_column_letter(sheet.last[1] + 2)
    with zipfile.ZipFile(path) as archive:
        assert f"columns {left_out} to " in archive.read(f"xl/worksheets/sheet{number}.xml").decode()
    assert 'fitToWidth="' not in page_setup(path, number)[1]
    assert read(path).workbook["Inputs"].print_title_cols is None


def page_setup(path, number: int) -> tuple[str, str]:
    with zipfile.ZipFile(path) as archive:
        xml = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
    return re.search(r"<sheetPr>.*?</sheetPr>", xml)[0], re.search(r"<pageSetup[^>]*>", xml)[0]


def test_twelve_words_in_two_lanes_print_on_one_pages_width(tmp_path):
    sheets, path = file_of(plain([12, 12], 4, PLAIN, LEARNED, HEADS, COMPARE), tmp_path)
    workbook = read(path).workbook
    for number, sheet in enumerate(sheets, 1):
        properties, setup = page_setup(path, number)
        assert 'fitToPage="1"' in properties
        portrait = 'orientation="portrait"' in setup
        assert portrait is sheet.portrait
        assert portrait or 'orientation="landscape"' in setup
        assert 'fitToWidth="' not in setup  # 1 by default
        assert ('fitToHeight="0"' in setup) is not sheet.one_page
        assert workbook[sheet.tab].print_area.startswith(f"'{sheet.tab}'!$A$1:")
        points = 0.75 * pixels(sheet, range(sheet.last[1] + 1))
        across = 595 if portrait else 842  # A4's width
        assert 11 * (across - 2 * 0.25 * 72) / points > 6, sheet.tab  # the height of numbers


def printed_pages(sheet: PlacedSheet) -> list[range]:
    """The rows of each printed page, without the repeated head and the empty row at the end."""
    return [range(first, after - 1) for first, after in pairwise([0, *sheet.breaks, sheet.last[0]])]


def steps_of(page: Page, sheet: PlacedSheet) -> list[range]:
    """The rows of each band with lanes, from its title to the last row of its blocks."""
    placed, titles = placed_by_name(sheet), {t.text: t.row for t in sheet.texts if t.look == "step"}
    found = []
    for band in lanes_of(page):
        last = max(bounds(group, placed).bottom for group in band.groups if group)
        found.append(range(titles[band.title], last + 1))
    return found


@pytest.mark.parametrize("template", templates.names())
def test_no_page_break_splits_a_step_that_fits_on_a_page(template):
    book = pages.book(load(templates.path(template)))
    for page, sheet in zip(book.pages, layout.lay_out(book), strict=True):
        if sheet.one_page:
            assert sheet.breaks == []
            continue
        head, room = row_heights(sheet, repeated(sheet), repeated(sheet) + 1), page_height(sheet)
        for rows in steps_of(page, sheet):
            assert not any(rows.start < at < rows.stop for at in sheet.breaks), (sheet.tab, rows)
        for rows in printed_pages(sheet):
            used = row_heights(sheet, rows.start, rows.stop) + (head if rows.start else 0)
            assert used <= room, (sheet.tab, rows)
        for rows, after in pairwise(printed_pages(sheet)):  # a page ends where one more step would be cut
            step = next((step for step in steps_of(page, sheet) if step.start == after.start), None)
            if step is not None:
                used = row_heights(sheet, rows.start, step.stop + 1) + (head if rows.start else 0)
                assert used > room, (sheet.tab, rows)


@pytest.mark.parametrize("template", templates.names())
def test_one_page_of_the_manifest_is_printed(template):
    sheet = layout.lay_out(pages.book(load(templates.path(template))))[-1]
    assert (sheet.id, sheet.breaks, sheet.one_page) == (layout.MANIFEST, [], True)
    at = placed_by_name(sheet)
    first, last = at["xlsxattn_Version"], at["xlsxattn_Formulas"]
    assert first.row <= sheet.last[0] < last.row
    assert sheet.last[1] >= last.area.right
    assert row_heights(sheet, 0, sheet.last[0] + 1) <= page_height(sheet)


def test_headings_of_lanes_are_repeated_on_every_page(tmp_path):
    sheets, path = file_of(plain([12, 12], 4, HEADS, {"id": "gpt", "kind": "decoder"}, COMPARE), tmp_path)
    workbook = read(path).workbook
    for sheet in sheets[1:]:
        row = 4 if sheet.bars else 1
        assert workbook[sheet.tab].print_title_rows == f"${row}:${row}"
    assert {bool(sheet.bars) for sheet in sheets} == {True, False}


def test_the_walkthrough_prints_on_as_many_pages_as_the_layout_says(walkthrough, tmp_path):
    require("libreoffice")
    command = [shutil.which("soffice"), f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"]
    command += ["--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(walkthrough)]
    assert processes.run(command, tmp_path, 120) == 0
    printed = len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "walkthrough.pdf").read_bytes()))
    whole = load(templates.path("walkthrough"))
    spec = replace(whole, sheets=tuple(sheet for sheet in whole.sheets if sheet.kind != "training"))
    sheets = layout.lay_out(pages.book(spec))
    assert printed == sum(1 + len(sheet.breaks) for sheet in sheets) == 18


def test_page_breaks_are_those_of_the_layout(tmp_path):
    sheets, path = file_of(plain([12], 4, PLAIN, HEADS), tmp_path)
    breaks = [sheet.breaks for sheet in sheets]
    assert any(breaks)
    with zipfile.ZipFile(path) as archive:
        pages_of_xml = [archive.read(f"xl/worksheets/sheet{i + 1}.xml").decode() for i in range(len(sheets))]
    assert [[int(row) for row in re.findall(r'<brk id="(\d+)"', xml)] for xml in pages_of_xml] == breaks


# --- the screen --------------------------------------------------------------------------------------------


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


def test_the_print_area_is_that_of_the_layout(tmp_path):
    sheets, path = file_of(plain([3, 2], 2, PLAIN, COMPARE), tmp_path)
    workbook = read(path).workbook
    for sheet in sheets:
        last = workbook[sheet.tab].cell(sheet.last[0] + 1, sheet.last[1] + 1)
        column, row = last.column_letter, last.row
        assert workbook[sheet.tab].print_area == f"'{sheet.tab}'!$A$1:${column}${row}"


# --- tabs --------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("template", "id_", "most"), [("causal", "causal", 2), ("encoder", "paper_l1", 7)])
def test_a_short_last_page_is_avoided_by_a_smaller_scale(template, id_, most):
    (sheet,) = (s for s in layout.lay_out(pages.book(load(templates.path(template)))) if s.id == id_)
    assert len(printed_pages(sheet)) <= most
    points = 0.75 * pixels(sheet, range(sheet.last[1] + 1))
    across = (595 if sheet.portrait else 842) - 18 - 72 * sheet.margin_right
    assert sheet.margin_right > 0.25
    assert 11 * across / points >= 6  # the height of numbers in print


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
