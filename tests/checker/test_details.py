"""The focus word before and after attention, and one score in numbers, computed by hand."""

import math

import numpy as np
import pytest
from random_models import column

from xlsxattn.checker.reference import ShapesDisagree, SheetInfo, expected

PLAIN = {"weights": False, "scale": True, "mask": "none"}
WORDS = {"a": [1, 2], "b": [3, -1], "o": [0, 0]}
W = {"W_Q": [[1, 0, 2], [0, 1, 0]], "W_K": [[1, 1, 0], [0, 0, 1]], "W_V": [[1], [1]]}
DETAILS = ("FocusBefore", "FocusAfter", "CellQuery", "CellKey", "CellProducts", "CellScore")


def run(
    sentences=("ab",), focus="a", settings=None, kind="self-attention", details=("s",), others=(), **inputs
):
    """The ranges of a sheet `s` in the sentences c1, c2, ...; CellRow and CellCol are 1 unless given."""
    contexts = [f"c{k}" for k in range(1, len(sentences) + 1)]
    given = {
        "vocab_Tokens": column(WORDS),
        "vocab_Dims": column("xy").T,
        "vocab_E": np.array([*WORDS.values()], dtype=float),
        "vocab_Focus": column([focus]),
        **{f"{c}_Tokens": column(words) for c, words in zip(contexts, sentences, strict=True)},
        **{f"s_{c}_{block}": np.ones((1, 1)) for c in contexts for block in ("CellRow", "CellCol")},
        **{f"s_{name}": np.array(values, dtype=float) for name, values in inputs.items()},
    }
    front = {"sheets": ["s"], "contexts": contexts, "columns": "none"}
    front |= {} if details is None else {"details": [*details]}
    sheets = [SheetInfo("s", kind, PLAIN | (settings or {})), *others]
    return expected(sheets, contexts, given, front=front)


def same(actual, wanted):
    assert actual.values.tolist() == wanted


def near(actual, wanted):
    np.testing.assert_allclose(actual.values, wanted, rtol=1e-14, atol=1e-15)


# Before and after


def test_the_focus_word_has_its_row_of_x_before_and_of_output_after():
    found = run(["oao"])  # scores of a: 0, 5 / √2, 0
    share = 1 / (1 + 2 * math.exp(-5 / math.sqrt(2)))
    same(found["s_c1_FocusBefore"], [[1, 2]])
    near(found["s_c1_FocusAfter"], [[share, 2 * share]])
    for block in ("FocusBefore", "FocusAfter"):
        same(found[f"s_c1_{block}_Rows"], [["a"]])
    same(found["s_c1_FocusBefore_Cols"], [["x", "y"]])
    assert "s_c1_FocusAfter_Cols" not in found


def test_positions_are_not_yet_added_before_attention():
    found = run(["oa"], settings={"position": "learned"}, P=[[7, 7], [9, 9]])
    same(found["s_c1_FocusBefore"], [[1, 2]])
    near(found["s_c1_FocusAfter"], found["s_c1_Output"].values[1:])


@pytest.mark.parametrize("focus", ["a", ""])
def test_a_sentence_without_the_focus_word_has_zeros(focus):
    found = run(["ob", "ba"], focus)
    same(found["s_c1_FocusBefore"], [[0, 0]])
    same(found["s_c1_FocusAfter"], [[0, 0]])
    same(found["s_c1_FocusAfter_Rows"], [[focus]])
    same(found["s_c2_FocusBefore"], [[1, 2] if focus else [0, 0]])


def test_multi_head_sheets_show_the_joined_output_and_no_score():
    heads = {
        "W_Q": np.zeros((2, 2)),
        "W_K": np.zeros((2, 2)),
        "W_V": np.eye(2),
        "W_O": [[1, 0, 2], [0, 1, 1]],
    }
    settings = {"weights": True, "heads": 2}
    found = run(["ab"], "b", settings, "multi-head", **heads)  # uniform: Concat is the mean (2, 0.5)
    same(found["s_c1_FocusBefore"], [[3, -1]])
    near(found["s_c1_FocusAfter"], [[2, 0.5, 4.5]])
    assert not [name for name in found if "_Cell" in name]
    same(found["s_c1_h1_UnscaledSum_Rows"], [["a"], ["b"]])
    same(found["s_c1_h2_UnscaledSum_Rows"], [["a"], ["b"]])
    assert "s_c1_UnscaledSum_Rows" not in found


# One score in numbers


def test_a_score_is_the_sum_of_a_query_times_a_key_number_by_number():
    found = run(["bao"], settings={"weights": True}, c1_CellRow=[[2]], **W)
    same(found["s_c1_CellQuery"], [[1, 2, 2]])  # of a
    same(found["s_c1_CellKey"], [[3, 3, -1]])  # of b
    same(found["s_c1_CellProducts"], [[3, 6, -2]])
    same(found["s_c1_CellScore"], [[7]])
    same(found["s_c1_CellQuery_Rows"], [["a"]])
    same(found["s_c1_CellKey_Rows"], [["b"]])
    assert "s_c1_CellQuery_Cols" not in found
    assert found["s_c1_Scores"].values[1, 0] == 7
    assert found["s_c1_CellScore"].magnitude == 11  # 3 + 6 + 2


def test_without_weights_queries_and_keys_are_embeddings_with_their_dimensions():
    found = run(["ab"], c1_CellCol=[[2]])
    same(found["s_c1_CellQuery"], [[1, 2]])
    same(found["s_c1_CellKey"], [[3, -1]])
    same(found["s_c1_CellProducts"], [[3, -2]])
    same(found["s_c1_CellScore"], [[1]])
    same(found["s_c1_CellQuery_Cols"], [["x", "y"]])


def test_added_positions_are_part_of_queries_and_keys():
    found = run(["ab"], settings={"position": "learned"}, P=[[1, 0], [0, 2]], c1_CellCol=[[2]])
    same(found["s_c1_CellQuery"], [[2, 2]])
    same(found["s_c1_CellKey"], [[3, 1]])
    same(found["s_c1_CellScore"], [[8]])


def test_rotated_queries_and_keys_are_multiplied():
    eye = {"W_Q": np.eye(2), "W_K": np.eye(2), "W_V": np.eye(2)}
    turned = {"weights": True, "position": "rotary"}
    found = run(["aa"], settings=turned, **eye, Base=[[100]], c1_CellRow=[[2]])
    cos, sin = math.cos(1), math.sin(1)  # the second word rotates by 1
    near(found["s_c1_CellQuery"], [[cos - 2 * sin, sin + 2 * cos]])
    same(found["s_c1_CellKey"], [[1, 2]])
    near(found["s_c1_CellScore"], [[5 * cos]])
    near(found["s_c1_CellScore"], found["s_c1_Scores"].values[1:, :1])


@pytest.mark.parametrize(
    ("typed", "position"), [(0, 1), (-5, 1), (0.5, 1), (1.5, 1), (2.999, 2), (3, 3), (3.5, 3), (99, 3)]
)
def test_a_position_is_an_integer_within_the_sentence(typed, position):
    found = run(["abo", "a"], c1_CellRow=[[typed]], c1_CellCol=[[3]], c2_CellCol=[[typed]])
    same(found["s_c1_CellQuery_Rows"], [["abo"[position - 1]]])
    same(found["s_c1_CellKey_Rows"], [["o"]])
    same(found["s_c2_CellKey_Rows"], [["a"]])  # the only word


def test_a_blank_word_is_a_row_of_zeros_without_a_name():
    found = run([["a", ""]], settings={"mask": "padding"}, c1_CellRow=[[2]])
    same(found["s_c1_CellQuery_Rows"], [[""]])
    same(found["s_c1_CellProducts"], [[0, 0]])


def test_a_position_must_be_a_single_cell():
    with pytest.raises(ShapesDisagree) as raised:
        run(["ab"], c1_CellRow=[[1, 2]])
    assert raised.value.finding.range == "s_c1_CellRow"
    with pytest.raises(KeyError, match="t_c1_CellRow"):
        run(["ab"], others=[SheetInfo("t", "self-attention", PLAIN)], details=["t"])


# Sheets with details


def test_only_listed_sheets_have_details_and_all_have_labels_of_unscaled_sums():
    plain = SheetInfo("t", "self-attention", PLAIN)
    across = SheetInfo("x", "cross-attention", PLAIN | {"queries": "c1", "keys": "c2"})
    found = {
        listed: {*run(["ab", "oba"], others=[plain, across], details=listed)} for listed in (None, (), ("s",))
    }
    assert found[()] - found[None] == {f"{sheet}_c{k}_UnscaledSum_Rows" for sheet in "st" for k in (1, 2)}
    rows = (f"{block}_Rows" for block in DETAILS[:4])
    blocks = (*DETAILS, *rows, "FocusBefore_Cols", "CellQuery_Cols")
    assert found["s",] - found[()] == {f"s_c{k}_{block}" for k in (1, 2) for block in blocks}
    assert found[None] < found[()] < found["s",]


@pytest.mark.parametrize("name", ["x", "nosuch"])
def test_details_of_another_sheet_are_refused(name):
    across = SheetInfo("x", "cross-attention", PLAIN | {"queries": "c1", "keys": "c1"})
    with pytest.raises(KeyError, match=name):
        run(["ab"], others=[across], details=[name])


def test_a_score_that_overflows_is_not_decidable_and_scores_are_the_cause():
    far = {"W_Q": 1e200 * np.eye(2), "W_K": 1e200 * np.eye(2), "W_V": np.eye(2)}
    found = run(["ab"], settings={"weights": True}, **far)
    overflowing = [name for name, x in found.items() if x.overflows]
    assert overflowing[0] == "s_c1_Scores"
    assert {"s_c1_CellProducts", "s_c1_CellScore"} < {*overflowing}
    assert not {"s_c1_CellQuery", "s_c1_CellKey"} & {*overflowing}
