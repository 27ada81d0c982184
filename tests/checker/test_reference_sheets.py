"""Attention sheets with masks, positions, biases, groups and cross-attention, with hand-computed values."""

import math

import numpy as np
import pytest
from random_models import column

from xlsxattn.checker.reference import ShapesDisagree, SheetInfo, expected, expected_of_sets

PLAIN = {"weights": False, "scale": True, "mask": "none"}


def run(embeddings, settings=None, kind="self-attention", sentences=None, **matrices):
    rows = np.array(embeddings, dtype=float)
    inputs = {
        "vocab_Tokens": column("abcdefgh"[: len(rows)]),
        "vocab_Dims": column(f"d{i}" for i in range(rows.shape[1])).T,
        "vocab_E": rows,
        "vocab_Focus": column(["a"]),
        **{f"{c}_Tokens": column(words) for c, words in (sentences or {"c": "ab"}).items()},
        **{f"s_{name}": np.array(w, dtype=float) for name, w in matrices.items()},
    }
    return expected([SheetInfo("s", kind, {**PLAIN, **(settings or {})})], list(sentences or ["c"]), inputs)


def near(actual, wanted):
    np.testing.assert_allclose(np.asarray(actual.values, dtype=float), wanted, rtol=1e-13, atol=1e-15)


def same(actual, wanted):
    assert actual.values.tolist() == wanted


# Overflow


def overflowing(found):
    return [name for name, x in found.items() if x.overflows]


def test_overflow_is_distinguished_from_rounding():
    assert overflowing(run([[0], [1]])) == []
    assert overflowing(run([[0], [1e200]]))[0] == "s_c_Scores"  # X itself does not
    eye = {f"W_{x}": np.eye(2) for x in "QKVO"}
    settings = {"weights": True, "heads": 2}
    found = run([[1, 1e200]], settings, "multi-head", {"c": "a"}, **eye | {"W_K": 1e200 * np.eye(2)})
    assert overflowing(found)[0] == "s_c_h2_K"
    assert (
        run([[1e5], [0]], {"scale": False})["s_c_Output"].amplification > 1e6
    )  # not decidable, but no overflow
    assert overflowing(run([[1e5], [0]], {"scale": False})) == []


# Masks


def test_a_padding_mask_hides_blank_keys_in_every_row():
    found = run([[0], [1]], {"mask": "padding"}, sentences={"c": ["a", "", "b"]})
    same(found["s_c_PaddingMask"], [[1], [0], [1]])
    same(found["s_c_Mask"], [[1, 0, 1]] * 3)
    near(found["s_c_Attention"], [[0.5, 0, 0.5]] * 2 + [[1 / (1 + math.e), 0, math.e / (1 + math.e)]])
    same(found["s_c_Masked"], [[0, -1e300, 0]] * 2 + [[0, -1e300, 1]])
    assert "s_c_CausalMask" not in found
    same(found["vocab_Status"], [["✓"]])


def test_combined_masks_hide_what_either_hides():
    found = run([[0], [1]], {"mask": "causal+padding"}, sentences={"c": ["", "a", "b"]})
    same(found["s_c_CausalMask"], [[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    same(found["s_c_Mask"], [[0, 0, 0], [0, 1, 0], [0, 1, 1]])
    near(found["s_c_Attention"], [[1 / 3] * 3, [0, 1, 0], [0, 1 / (1 + math.e), math.e / (1 + math.e)]])
    same(found["s_c_RowMax"], [[-1e300], [0], [1]])
    near(found["s_c_RowSum"], [[3], [1], [1 + 1 / math.e]])
    np.testing.assert_allclose(found["s_c_Entropy"].values[0, 0], math.log(3))
    near(found["s_c_UnscaledSum"], [[3], [1], [1 + 1 / math.e]])


def test_a_blank_cell_is_an_unknown_word_where_nothing_uses_blanks():
    same(run([[0], [1]], sentences={"c": ["a", ""]})["vocab_Status"], [["✗"]])
    same(run([[0], [1]], {"mask": "padding"}, sentences={"c": ["a", "z"]})["vocab_Status"], [["✗"]])
    same(run([[0], [1]], {"mask": "padding"}, sentences={"c": ["", "a"]})["vocab_Status"], [["✓"]])


# Positions


def test_sinusoidal_positions_start_at_0_with_the_sine_first():
    found = run(
        [[5, 0, 0, 0], [0, 7, 0, 0]],
        {"position": "sinusoidal"},
        sentences={"c": "ab", "d": "abb"},
        Base=[[100]],
    )
    same(found["s_Position"], [[0], [1], [2]])
    same(found["s_Pair"], [[0, 0, 1, 1]])
    same(found["s_Odd"], [[0, 1, 0, 1]])
    near(found["s_Frequency"], [[1, 1, 0.1, 0.1]])
    near(found["s_Angle"], [[0] * 4, [1, 1, 0.1, 0.1], [2, 2, 0.2, 0.2]])
    P = [[0, 1, 0, 1], [math.sin(1), math.cos(1), math.sin(0.1), math.cos(0.1)]]
    near(found["s_c_P"], P)
    assert found["s_P"].values.shape == (3, 4)
    near(found["s_c_Input"], np.array([[5, 0, 0, 0], [0, 7, 0, 0]]) + P)
    near(found["s_c_Scores"], found["s_c_Input"].values @ found["s_c_Input"].values.T)
    near(found["s_c_X"], [[5, 0, 0, 0], [0, 7, 0, 0]])
    same(found["s_c_Input_Cols"], [["d0", "d1", "d2", "d3"]])


def test_learned_positions_are_added_row_by_row():
    found = run([[5, 0], [0, 7]], {"position": "learned"}, P=[[1, 2], [3, 4]])
    near(found["s_c_Input"], [[6, 2], [3, 11]])
    same(found["s_c_P"], [[1, 2], [3, 4]])
    assert not {"s_Position", "s_Base", "s_Odd", "s_P"} & found.keys()


def rotary(pairs, d, **more):
    eye = np.eye(d)
    settings = {"position": "rotary", "weights": True} | ({"pairs": pairs} if pairs else {})
    return run([[1] + [0] * (d - 1)] * 2, settings, W_Q=eye, W_K=eye, W_V=eye, Base=[[100]], **more)


@pytest.mark.parametrize("pairs", ["adjacent", None])
def test_adjacent_pairs_rotate_by_their_position(pairs):
    found = rotary(pairs, 4)
    same(found["s_Pair"], [[0, 0, 1, 1]])
    same(found["s_Turn"], [[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1], [0, 0, -1, 0]])
    near(found["s_c_QRot"], [[1, 0, 0, 0], [math.cos(1), math.sin(1), 0, 0]])
    near(found["s_c_Scores"], [[1, math.cos(1)], [math.cos(1), 1]])
    near(found["s_c_Cos"], np.cos([[0] * 4, [1, 1, 0.1, 0.1]]))
    near(found["s_Sin"], np.sin([[0] * 4, [1, 1, 0.1, 0.1]]))
    near(found["s_c_V"], [[1, 0, 0, 0]] * 2)
    same(found["s_c_KRot_Rows"], [["a"], ["b"]])


def test_halves_pair_a_column_with_the_one_half_the_width_away():
    found = rotary("halves", 4)
    same(found["s_Pair"], [[0, 1, 0, 1]])
    near(found["s_Frequency"], [[1, 0.1, 1, 0.1]])
    same(found["s_Turn"], [[0, 0, 1, 0], [0, 0, 0, 1], [-1, 0, 0, 0], [0, -1, 0, 0]])
    near(found["s_c_KRot"], [[1, 0, 0, 0], [math.cos(1), 0, math.sin(1), 0]])


@pytest.mark.parametrize("pairs", ["adjacent", "halves"])
def test_complex_rotation_equals_the_matrix_of_the_contract(pairs):
    found = rotary(pairs, 6)
    Q, cos, sin, turn = (found[f"s_{x}"].values for x in ("c_Q", "c_Cos", "c_Sin", "Turn"))
    near(found["s_c_QRot"], Q * cos + (Q @ turn) * sin)


def test_rotary_scores_depend_only_on_distance():
    rng = np.random.default_rng(1)
    W = {f"W_{x}": rng.normal(size=(2, 4)) for x in "QKV"}
    settings = {"position": "rotary", "weights": True}
    found = run([[0.3, 1.2]], settings, sentences={"c": "aaaaa"}, Base=[[50]], **W)
    S = found["s_c_Scores"].values
    np.testing.assert_allclose(S[1:, 1:], S[:-1, :-1], rtol=1e-12)
    assert abs(S[0, 1] - S[1, 0]) > 1e-3


def test_an_odd_number_of_columns_cannot_be_rotated():
    with pytest.raises(ShapesDisagree) as raised:
        rotary("adjacent", 3)
    assert (raised.value.finding.range, raised.value.finding.values) == ("s_W_K", {"columns": 3})


# Many heads


def test_biases_are_added_to_each_heads_own_columns():
    eye, settings = np.eye(2), {"weights": True, "heads": 2, "d_k": 1, "d_v": 1, "bias": True}
    W = {"W_Q": eye, "W_K": eye, "W_V": eye, "W_O": eye}
    b = {"b_Q": [[10, 20]], "b_K": [[1, 2]], "b_V": [[3, 4]], "b_O": [[100, 200]]}
    found = run([[0, 0]], settings, "multi-head", {"c": "a"}, **W, **b)
    near(found["s_c_h2_Q"], [[20]])
    near(found["s_c_h2_Scores"], [[40]])
    near(found["s_c_Concat"], [[3, 4]])
    near(found["s_c_Output"], [[103, 204]])
    same(found["s_h2_b_V"], [[4]])
    assert "s_h1_b_O" not in found


def one_word(settings, **changed):
    """Two heads on one word, (5, 7), each with one of its components; W_O gives three columns."""
    eye = np.eye(2)
    asked = {"weights": True, "heads": 2, "d_k": 1, "d_v": 1}
    W = {"W_Q": eye, "W_K": eye, "W_V": eye, "W_O": [[1, 0, 2], [0, 1, 3]]} | changed
    return run([[5, 7]], asked | settings, "multi-head", {"c": "a"}, **W)


def test_an_output_may_have_more_or_fewer_columns_than_an_embedding():
    found = one_word({})
    near(found["s_c_Output"], [[5, 7, 31]])
    same(found["s_c_Output_Rows"], [["a"]])
    assert not {"s_W_O_Cols", "s_c_Output_Cols"} & found.keys()
    assert {"s_W_O_Cols", "s_c_Output_Cols"} == set(one_word({}, W_O=np.eye(2))) - set(found)
    with pytest.raises(ShapesDisagree, match="s_W_O is 3 × 3 but must be 2 × 3, as s_W_V is 2 × 2"):
        one_word({}, W_O=np.eye(3))


def test_without_an_output_projection_the_heads_are_concatenated():
    found = one_word({"out_proj": False})
    near(found["s_c_Output"], [[5, 7]])
    same(found["s_c_Output_Cols"], [["d0", "d1"]])
    joining = {"s_c_Concat", "s_c_Concat_Rows", "s_W_O_Cols"}
    assert set(one_word({}, W_O=np.eye(2))) - set(found) == joining
    assert set(found) <= set(one_word({}, W_O=np.eye(2)))
    wide = one_word({"out_proj": False}, W_V=np.ones((2, 6)))
    near(wide["s_c_Output"], [[12] * 6])
    assert "s_c_Output_Cols" not in wide


@pytest.mark.parametrize("letters", [[], ["O"], ["Q", "V"], ["K", "O"], True])
def test_only_listed_projections_have_a_bias(letters):
    rows = {"b_Q": [[1, 2]], "b_K": [[10, 20]], "b_V": [[100, 200]], "b_O": [[1000, 2000, 3000]]}
    have = list("QKVO") if letters is True else letters
    found = one_word({"bias": letters}, **{f"b_{x}": rows[f"b_{x}"] for x in have})
    made = {x: np.array([[5, 7]]) + (rows[f"b_{x}"] if x in have else 0) for x in "QKV"}
    for x in "QKV":
        near(found[f"s_c_h2_{x}"], made[x][:, 1:])
        assert (f"s_h2_b_{x}" in found) == (x in have)
    output = made["V"] @ np.array([[1, 0, 2], [0, 1, 3]])
    near(found["s_c_Output"], output + (rows["b_O"] if "O" in have else 0))


def test_a_bias_of_no_projection_is_refused():
    with pytest.raises(ValueError, match="the reference does not support bias Y of the sheet s"):
        one_word({"bias": ["Q", "Y"]})


def test_a_comparing_sheet_follows_outputs_of_any_width():
    inputs = {"vocab_Tokens": column("ab"), "vocab_Dims": column(["d0", "d1"]).T, "vocab_E": np.eye(2)}
    inputs |= {"vocab_Focus": column("a"), "c_Tokens": column("ab"), "d_Tokens": column("ba")}
    inputs |= {f"s_W_{x}": np.eye(2) for x in "QKV"} | {"s_W_O": np.ones((2, 3)), "z_Tokens": column("b")}
    sheets = [SheetInfo("s", "multi-head", PLAIN | {"weights": True, "heads": 2})]
    found = expected([*sheets, SheetInfo("z", "compare", {"near": True})], ["c", "d"], inputs)
    same(found["z_d_s_Output"], found["s_d_Output"].values[1:].tolist())
    near(found["z_d_s_Cosine"], [[1]])
    assert {"z_c_Near", "z_d_Near"} == {name for name in found if name.endswith("_Near")}


def test_heads_share_the_keys_and_values_of_their_group():
    settings = {"weights": True, "heads": 4, "kv_heads": 2, "d_k": 1, "d_v": 1}
    W = {"W_Q": [[1, 2, 3, 4]], "W_K": [[5, 7]], "W_V": [[11, 13]], "W_O": np.ones((4, 1))}
    found = run([[1]], settings, "multi-head", {"c": "a"}, **W)
    near(found["s_c_Concat"], [[11, 11, 13, 13]])
    assert [found[f"s_c_h{h}_Scores"].values.item() for h in (1, 2, 3, 4)] == [5, 10, 21, 28]
    same(found["s_g2_W_K"], [[7]])
    same(found["s_c_g1_V"], [[11]])
    same(found["s_c_g1_V_Rows"], [["a"]])
    assert not {"s_h1_W_K", "s_c_h1_K", "s_c_h1_V", "s_g1_W_Q"} & found.keys()


def test_there_are_no_groups_if_key_heads_equal_heads():
    settings = {"weights": True, "heads": 2, "kv_heads": 2}
    W = {f"W_{x}": np.eye(2) for x in "QKVO"}
    found = run([[1, 2]], settings, "multi-head", {"c": "a"}, **W)
    assert {"s_h2_W_K", "s_c_h2_K"} <= found.keys()
    assert not [name for name in found if "_g1_" in name]


# Cross-attention


def cross(settings=None, kind_settings=None, **matrices):
    asked = {"queries": "q", "keys": "m", **(settings or {}), **(kind_settings or {})}
    sentences = {"m": ["a", "b", ""], "x": ["a"], "q": ["b", "a"]}
    return run([[0], [1]], asked, "cross-attention", sentences, **matrices)


def test_queries_of_one_sentence_attend_to_keys_of_another():
    found = cross()
    near(found["s_q_Scores"], [[0, 1, 0], [0, 0, 0]])
    e = math.e
    near(found["s_q_Attention"], [[1 / (2 + e), e / (2 + e), 1 / (2 + e)], [1 / 3] * 3])
    near(found["s_q_Output"], [[e / (2 + e)], [1 / 3]])
    same(found["s_q_Scores_Cols"], [["a", "b", ""]])
    same(found["s_q_Scores_Rows"], [["b"], ["a"]])
    same(found["s_m_X_Rows"], [["a"], ["b"], [""]])
    same(found["s_q_Output_Cols"], [["d0"]])
    assert {"s_q_Heading", "s_m_Heading", "s_q_Drift", "s_Status", "s_q_Entropy"} <= found.keys()
    assert not [n for n in found if "Unscaled" in n or "Mask" in n or n.startswith("s_x_") or "Idx" in n]


def test_the_padding_mask_is_the_keys_own():
    found = cross({"mask": "padding"})
    same(found["s_m_PaddingMask"], [[1], [1], [0]])
    same(found["s_q_Mask"], [[1, 1, 0]] * 2)
    same(found["s_q_RowIdx"], [[1], [2]])
    near(found["s_q_Attention"], [[1 / (1 + math.e), math.e / (1 + math.e), 0], [0.5, 0.5, 0]])
    assert "s_MaskValue" in found
    assert not {"s_q_ColIdx", "s_RowIdx", "s_q_Mask_Rows", "s_q_PaddingMask"} & found.keys()


def test_heads_of_cross_attention_are_concatenated():
    W = {"W_Q": [[1, 0]], "W_K": [[1, 1]], "W_V": [[2, 3]], "W_O": [[1], [10]]}
    found = cross({"weights": True, "heads": 2}, **W)
    near(found["s_q_h2_Attention"], [[1 / 3] * 3] * 2)
    near(found["s_m_h1_V"], [[0], [2], [0]])
    near(found["s_q_h2_Output"], [[1], [1]])
    np.testing.assert_allclose(found["s_q_Output"].values[1, 0], 2 / 3 + 10)
    same(found["s_m_h2_K_Rows"], [["a"], ["b"], [""]])
    assert "s_q_h1_Output_Cols" not in found
    same(found["s_h2_W_V"], [[3]])


def test_single_head_cross_attention_has_no_output_matrix():
    found = cross({"weights": True}, W_Q=[[1]], W_K=[[2]], W_V=[[3, 4]])
    near(found["s_q_Scores"], [[0, 2, 0], [0, 0, 0]])
    near(found["s_m_V"], [[0, 0], [3, 4], [0, 0]])
    assert found["s_q_Output"].values.shape == (2, 2)
    assert not {"s_q_Concat", "s_q_Output_Cols"} & found.keys()


def test_causal_masks_of_cross_attention_are_refused():
    with pytest.raises(ValueError, match="the reference does not support mask causal of the sheet s"):
        cross({"mask": "causal"})


# Several sets of inputs


def drawn_inputs(rng, focus, c, d):
    weights = {f"s_W_{x}": rng.normal(size=(4, 4)) for x in "QKVO"}
    return {
        "vocab_Tokens": column("abc"),
        "vocab_Dims": column("wxyz").T,
        "vocab_E": rng.normal(size=(3, 4)),
        "vocab_Focus": column([focus]),
        "c_Tokens": column(c),
        "d_Tokens": column(d),
        "s_Base": rng.uniform(2, 9, (1, 1)),
        "s_Temperature": rng.uniform(-1, 2, (1, 1)),
        **weights,
    }


def test_several_sets_of_inputs_have_the_results_of_each_alone():
    many = {"weights": True, "heads": 2, "position": "rotary", "temperature": 1.0}
    sheets = [
        SheetInfo("s", "multi-head", {**PLAIN, **many, "mask": "causal+padding"}),
        SheetInfo("x", "cross-attention", {**PLAIN, "mask": "padding", "queries": "c", "keys": "d"}),
        SheetInfo("k", "compare", {}),
    ]
    rng = np.random.default_rng(0)
    words = [("a", "abc", "cab"), ("b", "acc", ["b", "", "b"]), ("", "cab", ["a", "z", "c"])]
    sets = [drawn_inputs(rng, *said) for said in words]
    sets[0]["vocab_E"][0] *= 1e200  # overflows in one set only
    at_once = expected_of_sets(sheets, ["c", "d"], sets, read=[{}] * len(sets))
    for i, inputs in enumerate(sets):
        alone = expected(sheets, ["c", "d"], inputs)
        assert list(alone) == list(at_once)
        for name, one in alone.items():
            same_set = at_once[name].of(i)
            assert repr(same_set.values.tolist()) == repr(one.values.tolist()), name  # NaN equals NaN
            for part in ("kind", "magnitude", "amplification", "coarse", "blank_ok", "optional"):
                assert getattr(same_set, part) == getattr(one, part), (name, part)
