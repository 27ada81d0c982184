"""A workbook is read into matrices with labels, roles, formulas and colours."""

from __future__ import annotations

import numpy as np
import pytest
from specs import plain
from workbooks import tweaked

from xlsxattn.builder import layout, writer
from xlsxattn.builder import pages as layout_pages
from xlsxattn.builder.layout.lanes import MAX_LANE_WIDTH
from xlsxattn.builder.specification import parse
from xlsxattn.checker.reading.book import read, saved
from xlsxattn.checker.reading.limits import NotCheckableError
from xlsxattn.view import heat
from xlsxattn.view.look import look
from xlsxattn.view.steps import lanes, pages

CHASE = ("the", "cat", "chased", "the", "mouse")
DIMS = ("thing", "action", "pointer", "animal")


@pytest.fixture(scope="module")
def seen(causal):
    return look(causal)


def test_every_range_is_read_except_labels_and_the_manifest(causal, seen):
    names = read(causal).names
    left_out = set(names) - set(seen.matrices)
    assert {name for name in left_out if not name.endswith(("_Rows", "_Cols"))} == {
        f"xlsxattn_{part}"
        for part in ("Version", "Program", "Language", "Front", "Sheets", "Contexts", "Inputs", "Formulas")
    }
    assert not any(name.endswith(("_Rows", "_Cols")) for name in seen.matrices)


def test_the_ranges_come_in_the_order_of_the_sheets(seen):
    places = [(seen.tabs.index(m.area.sheet), m.area.row, m.area.col) for m in seen.matrices.values()]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("name", "rows", "cols"),
    [
        ("causal_chase_Attention", CHASE, CHASE),
        ("causal_chase_Mask", CHASE, CHASE),
        ("causal_chase_X", CHASE, DIMS),
        ("causal_chase_RowMax", CHASE, ("row max",)),
        ("chase_Ids", CHASE, ("Ids",)),
        ("vocab_E", ("the", "a", "cat", "mouse", "dog", "ball", "chased", "saw", "found"), DIMS),
    ],
)
def test_labels_of_a_matrix(seen, name, rows, cols):
    assert (seen[name].rows, seen[name].cols) == (rows, cols)


@pytest.mark.parametrize(
    ("name", "rows", "cols"),
    [
        ("qkv_W_Q", ("animal", "tech", "grammar", "quality"), ("q1", "q2", "q3", "q4")),
        ("heads_h2_W_V", ("animal", "tech", "grammar", "quality"), ("h2 v1", "h2 v2")),
        ("dims_cat_Q", ("cat", "and", "mouse", "are", "friends"), ("q1", "q2", "q3")),
        ("compare_cat_attn_Attention", ("mouse",), ("cat", "and", "mouse", "are", "friends")),
        ("compare_keyboard_qkv_Output", ("mouse",), ("animal", "tech", "grammar", "quality")),
    ],
)
def test_labels_from_other_ranges(walkthrough, name, rows, cols):
    matrix = look(walkthrough)[name]
    assert (matrix.rows, matrix.cols) == (rows, cols)


@pytest.mark.parametrize(
    ("name", "role", "formula"),
    [
        ("vocab_E", "input", ""),
        ("causal_MaskValue", "constant", ""),
        ("causal_chase_Scores", "computed", "{=MMULT(causal_chase_X,TRANSPOSE(causal_chase_X))}"),
        ("causal_chase_RowMax", "computed", "{=MAX(causal_chase_Masked[row])}"),
    ],
)
def test_roles_and_formulas(seen, name, role, formula):
    assert (seen[name].role, seen[name].formula) == (role, formula)


def test_values_are_those_saved_in_the_file(causal, seen):
    values = saved(read(causal))
    for name, matrix in seen.matrices.items():
        assert [list(row) for row in matrix.grid] == values[name]
    assert seen.engine == "saved"


def test_a_workbook_without_saved_values_is_recalculated(causal, seen, tmp_path):
    bare = tweaked(causal, {"chase_Tokens": {1: "dog"}}, tmp_path / "bare.xlsx")
    found = look(bare)
    assert found.engine == "ironcalc"
    assert found["causal_chase_X"].rows[1] == "dog"
    assert found["causal_chase_X"].grid[1] == (2.0, 0.2, 0.4, 2.2)
    fresh = look(causal, "ironcalc")
    one, two = (np.array(s["causal_chase_Attention"].grid) for s in (fresh, seen))
    assert np.abs(one - two).max() < 1e-15  # a file keeps 16 digits


def test_the_main_ranges_are_attention_and_outputs(walkthrough):
    story = [m.name for m in look(walkthrough).story()]
    assert story[:4] == [
        "attn_cat_Attention", "attn_keyboard_Attention", "attn_cat_Output", "attn_keyboard_Output",
    ]  # fmt: skip
    assert "heads_cat_h1_Attention" in story
    assert "heads_cat_Output" in story
    assert "heads_cat_h1_Output" not in story
    assert not any(name.startswith("compare") for name in story)


def test_a_file_of_another_program_is_refused(tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"no")
    with pytest.raises(NotCheckableError, match=r"not an \.xlsx workbook"):
        look(tmp_path / "x.xlsx")


def test_the_steps_of_a_sheet_have_the_sheet_s_own_headings(seen):
    (page,) = (page for page in pages(seen) if page.tab == "Causal attention")
    assert [step.title for step in page.steps] == [
        "",  # the focus word before and after, in the sheet's head
        "Input X",
        "Mask = 1 where column ≤ row",
        "Scores = X · Xᵀ",
        "One score in numbers",
        "Scaled = Scores / √d_k",
        "Masked = Scaled, and −∞ where the mask is 0",
        "Exp = exp(Masked − row maximum)",
        "Attention = Exp / row sum",
        "Output = Attention · X",
        "Without √d",
        "Check",
        "The focus word: where it looks",
        "The focus word: its strongest words",
        "The focus word: what its output is made of",
    ]
    (attention,) = page.steps[8].figures
    assert attention.main.name == "causal_chase_Attention"
    assert [m.step for m in attention.sides] == ["AttentionSum", "Entropy"]
    assert attention.lane == "chase"
    assert lanes(seen) == {"chase": "the cat chased the mouse"}
    assert page.steps[8].notes[0].startswith("How much does each word look at every other?")


def test_sentences_are_side_by_side(walkthrough):
    seen = look(walkthrough)
    (page,) = (page for page in pages(seen) if page.tab == "Self-attention")
    assert all(
        list(dict.fromkeys(figure.lane for figure in step.figures)) == ["cat", "keyboard"]
        for step in page.steps
        if step.figures
    )


def test_stacked_sentences_belong_to_one_step(tmp_path):
    wide = plain([3, 2], MAX_LANE_WIDTH + 1, {"id": "attn"}, {"id": "compare", "kind": "compare"})
    book = layout_pages.book(parse(wide, "wide"))
    writer.write(tmp_path / "wide.xlsx", book.title, layout.lay_out(book))
    seen = look(tmp_path / "wide.xlsx", "ironcalc")
    for page in (page for page in pages(seen) if page.tab in ("Self-attention", "Compare")):
        assert page.steps
        assert all(
            list(dict.fromkeys(figure.lane for figure in step.figures)) == ["c1", "c2"]
            for step in page.steps
            if step.figures
        )
    attention = next(page for page in pages(seen) if page.tab == "Self-attention")
    assert attention.steps[1].title == "Scores = X · Xᵀ"


def test_no_number_is_shown_twice(walkthrough):
    for page in pages(look(walkthrough)):
        cells = [
            at
            for step in page.steps
            for figure in step.figures
            for m in figure.matrices
            for at in m.area.cells()
        ]
        assert len(cells) == len(set(cells))


# --- colours and texts -------------------------------------------------------------------------------------


def test_heat_maps_of_weights_have_a_fixed_scale(seen):
    assert seen["causal_chase_Attention"].scale == heat.Scale("weights", 1.0)
    largest = np.abs(np.array(seen["causal_chase_Scores"].grid)).max()
    assert seen["causal_chase_Scores"].scale == heat.Scale("diverging", largest)
    assert seen["causal_chase_Masked"].scale == heat.Scale("diverging", 4.08)
    for name in ("causal_chase_RowMax", "chase_Ids", "chase_Tokens", "causal_RowIdx", "causal_Scale"):
        assert seen[name].scale.kind == "", name


@pytest.mark.parametrize(
    ("kind", "value", "colour"),
    [
        ("weights", 0.0, "#FFFFFF"), ("weights", 1.0, heat.FULL), ("weights", 7.0, heat.FULL),
        ("weights", 0.5, "#CFC7E8"), ("diverging", 2.0, heat.ABOVE), ("diverging", -2.0, heat.BELOW),
        ("diverging", 0.0, "#FFFFFF"), ("diverging", -1e300, heat.GREY), ("diverging", "word", None),
        ("diverging", None, None), ("diverging", True, None), ("", 1.0, None),
        ("diverging", float("nan"), None),
    ],
)  # fmt: skip
def test_colours(kind, value, colour):
    assert heat.Scale(kind, 1.0 if kind == "weights" else 2.0).colour(value) == colour


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("full", [heat.BELOW, heat.ABOVE, heat.FULL, heat.GREY])
@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_ink_on_every_colour_passes_wcag_aa(full, share):
    one, two = luminance(heat.mixed(full, heat.PAPER, share)), luminance(heat.INK)
    assert (one + 0.05) / (two + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("causal_chase_Scores", 4.505, "4.51"), ("causal_chase_Scores", -1.905, "−1.91"),
        ("causal_chase_Scores", -0.001, "0.00"), ("causal_chase_Attention", 0.0005, "0.001"),
        ("causal_chase_Attention", 0.5, "0.500"), ("causal_chase_Scores", -1.5, "−1.50"),
        ("causal_chase_Scores", 0.0, "0.00"), ("causal_chase_Scores", -0.0, "0.00"),
        ("causal_chase_Masked", -1e300, "−∞"), ("causal_chase_Scores", 1234567.0, "1.2E+06"),
        ("causal_chase_Drift", 2.2e-16, "2.2E−16"), ("causal_chase_Drift", 0.0, "0.0"),
        ("chase_Ids", 3.0, "3"), ("chase_Tokens", None, ""), ("chase_Tokens", True, "TRUE"),
        ("chase_Tokens", "a\x1b[31mb", "a�[31mb"), ("causal_chase_Scores", float("inf"), "inf"),
    ],
)  # fmt: skip
def test_texts_of_cells(seen, name, value, text):
    assert seen[name].text(value) == text


def test_rows_right_below_others_are_one_table(walkthrough):
    figures = {
        f.main.name: f for page in pages(look(walkthrough)) for step in page.steps for f in step.figures
    }
    focus = figures["attn_cat_FocusWords"]
    assert [f.main.step for f in focus.below] == ["FocusWeights", "FocusPlaces"]
    assert [focus.label, *(f.label for f in focus.below)] == ["word", "weight", "position"]
    compared = figures["compare_cat_X"]
    assert [f.label for f in compared.below] == ["Self-attention", "Learned Q, K, V", "Multi-head"]
    assert all(f.sides[0].step == "Cosine" for f in compared.below)


def test_the_first_screen_has_a_lane_for_each_sentence(walkthrough):
    start = pages(look(walkthrough))[0]
    (step,) = start.steps
    assert [figure.lane for figure in step.figures] == ["cat"] * 4 + ["keyboard"] * 4
    words, outputs, *said = step.figures[:4]
    assert [m.step for m in (words.main, *words.sides)] == ["Look", "X"]
    assert outputs.main.cols == ("animal", "tech", "grammar", "quality")
    assert [f.main.rows[0] for f in outputs.below] == [
        "“mouse” after attention",
        "“mouse” after learned attention",
    ]
    assert [f.main.step for f in said] == ["Said", "Says"]
    assert look(walkthrough)["xlsxattn_Story"].text("x").startswith("A word has the same numbers")


def test_single_values_are_in_their_step(walkthrough):
    (page,) = (page for page in pages(look(walkthrough)) if page.tab == "Self-attention")
    assert [m.step for m in page.facts] == ["Status", "Scale"]
    facts = {step.title: [m.step for m in step.facts] for step in page.steps if step.facts}
    assert facts == {
        "One score in numbers": ["CellScore", "CellScore"],
        "Check": ["Drift", "Drift"],
        "The focus word: what its output is made of": ["FocusSaid", "FocusSaid"],
    }
    assert page.tries_title == "Try this"
    assert all(question and answer for question, answer in page.tries)
