"""The reference: hand-computed values, invariants and edge cases."""

import math

import numpy as np
import pytest

from xlsxattn.checker.compare import distance
from xlsxattn.checker.finding_kinds import Kind
from xlsxattn.checker.reference import Expected, ShapesDisagree, SheetInfo, expected
from xlsxattn.checker.reference.attention import Sized, cosine, given, softmax
from xlsxattn.checker.reference.choices import OneOf

PLAIN = {"weights": False, "scale": True, "mask": "none"}
E = math.e


def texts(*words, across=False):
    column = np.array([[word] for word in words], dtype=object)
    return column.T if across else column


def inputs_of(embeddings, focus="", vocabulary="abcdefgh", **sentences):
    rows = np.array(embeddings, dtype=float)
    return {
        "vocab_Tokens": texts(*vocabulary[: len(rows)]),
        "vocab_Dims": texts(*(f"d{i}" for i in range(rows.shape[1])), across=True),
        "vocab_E": rows,
        "vocab_Focus": texts(focus),
        **{f"{c}_Tokens": texts(*tokens) for c, tokens in sentences.items()},
    }


def one_sheet(embeddings, tokens, settings=None, kind="self-attention", focus="", **matrices):
    """The ranges of a sheet `s` in a context `c`, with matrices such as W_Q."""
    inputs = inputs_of(embeddings, focus, c=tokens)
    inputs |= {f"s_{name}": np.array(w, dtype=float) for name, w in matrices.items()}
    return expected([SheetInfo("s", kind, {**PLAIN, **(settings or {})})], ["c"], inputs)


def two_heads(tokens="ab", **changed):
    eye = np.eye(2)
    matrices = {"W_Q": eye, "W_K": eye, "W_V": eye, "W_O": eye} | changed
    settings = {"weights": True, "heads": 2, "d_k": 1, "d_v": 1}
    return one_sheet([[0, 1], [1, 0]], tokens, settings, "multi-head", **matrices)


def near(actual, wanted):
    values = actual.values if isinstance(actual, Expected) else actual
    np.testing.assert_allclose(np.asarray(values, dtype=float), wanted, rtol=1e-14, atol=1e-15)


def same(actual, wanted):
    assert actual.values.tolist() == wanted


# One head


def test_one_word_attends_to_itself_alone():
    found = one_sheet([[3.0, -4.0]], "a")
    same(found["s_c_Attention"], [[1.0]])
    same(found["s_c_Output"], [[3.0, -4.0]])
    same(found["s_c_Entropy"], [[0.0]])
    same(found["s_c_Scores"], [[25.0]])
    near(found["s_c_RowMax"], [[25 / math.sqrt(2)]])


def test_softmax_of_scores_0_and_1():
    found = one_sheet([[0], [1]], "ab")
    near(found["s_c_Scores"], [[0, 0], [0, 1]])
    near(found["s_c_Attention"], [[0.5, 0.5], [1 / (1 + E), E / (1 + E)]])
    near(found["s_c_RowMax"], [[0], [1]])
    near(found["s_c_Exp"], [[1, 1], [1 / E, 1]])
    near(found["s_c_RowSum"], [[2], [1 + 1 / E]])
    near(found["s_c_AttentionSum"], [[1], [1]])
    near(found["s_c_Output"], [[0.5], [E / (1 + E)]])
    p = 1 / (1 + E)
    near(found["s_c_Entropy"], [[math.log(2)], [-p * math.log(p) - (1 - p) * math.log(1 - p)]])


def test_scores_are_divided_by_the_root_of_d_k_and_unscaled_ranges_are_not():
    found = one_sheet([[0, 0, 0, 0], [1, 1, 1, 1]], "ab")
    same(found["s_Scale"], [[2.0]])
    same(found["s_c_Scores"], [[0, 0], [0, 4]])
    same(found["s_c_Scaled"], [[0, 0], [0, 2]])
    near(found["s_c_RowSum"], [[2], [1 + E**-2]])
    near(found["s_c_UnscaledSum"], [[2], [1 + E**-4]])
    p = 1 / (1 + E**4)
    near(found["s_c_EntropyUnscaled"], [[math.log(2)], [-p * math.log(p) - (1 - p) * math.log1p(-p)]])


def test_without_scale_the_scale_is_1_and_both_entropies_agree():
    found = one_sheet([[0, 0, 0, 0], [1, 1, 1, 1]], "ab", {"scale": False})
    same(found["s_Scale"], [[1.0]])
    same(found["s_c_Scaled"], [[0, 0], [0, 4]])
    near(found["s_c_Entropy"], found["s_c_EntropyUnscaled"].values)


def test_d_k_is_the_width_of_k_whatever_the_settings_say():
    settings = {"weights": True, "d_k": 9, "d_v": 9}
    found = one_sheet([[1]], "a", settings, W_Q=[[1, 1, 1, 1]], W_K=[[1, 2, 3, 4]], W_V=[[5, 6, 7]])
    same(found["s_Scale"], [[2.0]])
    same(found["s_c_K"], [[1, 2, 3, 4]])
    same(found["s_c_Scores"], [[10.0]])
    same(found["s_c_Output"], [[5, 6, 7]])


def test_queries_are_rows_and_keys_are_columns():
    matrices = {"W_Q": [[1], [0]], "W_K": [[0], [1]], "W_V": [[2], [3]]}
    found = one_sheet([[1, 0], [0, 1]], "ab", {"weights": True}, **matrices)
    same(found["s_c_Q"], [[1], [0]])
    same(found["s_c_K"], [[0], [1]])
    same(found["s_c_V"], [[2], [3]])
    same(found["s_c_Scores"], [[0, 1], [0, 0]])
    near(found["s_c_Output"], [[(2 + 3 * E) / (1 + E)], [2.5]])


def test_causal_mask_hides_what_comes_after_the_row():
    found = one_sheet([[0], [0], [1]], "abc", {"mask": "causal"})
    near(found["s_c_Attention"], [[1, 0, 0], [0.5, 0.5, 0], [1 / (2 + E), 1 / (2 + E), E / (2 + E)]])
    same(found["s_c_Masked"], [[0, -1e300, -1e300], [0, 0, -1e300], [0, 0, 1]])
    near(found["s_c_Exp"], [[1, 0, 0], [1, 1, 0], [1 / E, 1 / E, 1]])
    near(found["s_c_RowSum"], [[1], [2], [1 + 2 / E]])
    near(found["s_c_UnscaledSum"], [[1], [2], [1 + 2 / E]])
    near(found["s_c_Entropy"].values[:2], [[0], [math.log(2)]])
    assert found["s_c_Masked"].magnitude == 1
    assert found["s_c_Attention"].values[0, 1] == 0


def test_a_mask_adds_constants_sized_by_the_longest_context():
    inputs = inputs_of([[0], [1]], c="ab", d="aba")
    found = expected([SheetInfo("s", "self-attention", {**PLAIN, "mask": "causal"})], ["c", "d"], inputs)
    same(found["s_RowIdx"], [[1], [2], [3]])
    same(found["s_ColIdx"], [[1, 2, 3]])
    same(found["s_c_RowIdx"], [[1], [2]])
    same(found["s_c_ColIdx"], [[1, 2]])
    same(found["s_MaskValue"], [[-1e300]])


def test_mask_is_1_up_to_the_row_itself_and_0_after_it_in_every_context():
    inputs = inputs_of([[0], [1000]], c="ab", d=["b", "", "z"])  # for any words and scores
    found = expected([SheetInfo("s", "self-attention", {**PLAIN, "mask": "causal"})], ["c", "d"], inputs)
    same(found["s_c_Mask"], [[1, 0], [1, 1]])
    same(found["s_d_Mask"], [[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    assert found["s_d_Mask"].values.dtype == float
    for name in ("s_c_Mask", "s_d_Mask"):
        assert (found[name].kind, found[name].magnitude, found[name].amplification) == ("number", 1, 1)


def test_mask_is_one_for_all_heads_and_says_where_attention_is_not_zero():
    W = {f"W_{w}": np.eye(2) for w in "QKVO"}
    found = one_sheet([[0, 1], [1, 0]], "aba", {"heads": 2, "mask": "causal"}, "multi-head", **W)
    assert {name for name in found if "_Mask" in name and "Masked" not in name} == {"s_c_Mask", "s_MaskValue"}
    for k in (1, 2):
        same(found["s_c_Mask"], (found[f"s_c_h{k}_Attention"].values > 0).astype(float).tolist())
        same(found["s_c_Mask"], (found[f"s_c_h{k}_Masked"].values > -1e300).astype(float).tolist())


# Many heads


def test_each_head_uses_its_own_columns():
    found, alone = two_heads(), one_sheet([[0], [1]], "ab")
    near(found["s_c_h1_Attention"], alone["s_c_Attention"].values)
    near(found["s_c_h2_Attention"], [[E / (1 + E), 1 / (1 + E)], [0.5, 0.5]])
    near(found["s_c_h1_Output"], [[0.5], [E / (1 + E)]])
    near(found["s_c_Concat"], [[0.5, E / (1 + E)], [E / (1 + E), 0.5]])
    near(found["s_c_Output"], found["s_c_Concat"].values)
    same(found["s_Scale"], [[1.0]])


def test_w_o_mixes_the_concatenated_heads():
    found = two_heads(W_O=[[0, 2], [1, 0]])
    near(found["s_c_Output"], [[E / (1 + E), 1], [0.5, 2 * E / (1 + E)]])


def test_heads_names_cover_columns_of_the_whole_matrix():
    Q, V = [[1, 2, 3, 4], [5, 6, 7, 8]], [[1, 2], [3, 4]]
    found = two_heads(W_Q=Q, W_K=Q, W_V=V)
    same(found["s_h1_W_Q"], [[1, 2], [5, 6]])
    same(found["s_h2_W_Q"], [[3, 4], [7, 8]])
    same(found["s_h2_W_V"], [[2], [4]])
    near(found["s_Scale"], [[math.sqrt(2)]])
    assert "s_W_Q" not in found


# Words


def test_ids_are_exact_and_the_first_and_0_for_the_unknown():
    inputs = inputs_of([[1], [2], [3]], vocabulary=["cat", "Cat", "cat"], c=["Cat", "cat", "CAT", "", "dog"])
    found = expected([SheetInfo("s", "self-attention", PLAIN)], ["c"], inputs)
    same(found["c_Ids"], [[2], [1], [0], [0], [0]])
    same(found["s_c_X"], [[2], [1], [0], [0], [0]])
    same(found["vocab_Times"], [[2], [1], [2]])
    same(found["vocab_Status"], [["✗"]])
    same(found["xlsxattn_vocab_Status"], [["✗"]])
    same(found["xlsxattn_s_Status"], [["✗"]])  # every page shows the status of the words
    same(found["xlsxattn_Status"], [["✗"]])


def test_a_blank_word_is_unknown_even_when_the_vocabulary_has_a_blank():
    found = expected([], ["c"], inputs_of([[1], [2]], vocabulary=["", "a"], c=["a", ""]))
    same(found["c_Ids"], [[2], [0]])


def test_every_status_is_good_if_all_words_are_known():
    found = one_sheet([[0], [1]], "ab", focus="b")
    for name in ("vocab_Status", "s_Status", "xlsxattn_s_Status", "xlsxattn_Status"):
        same(found[name], [["✓"]])
        assert found[name].kind == "mark"


def test_a_sentence_has_single_spaces_between_words():
    found = expected([], ["c"], inputs_of([[1]], c=["", " the", "big  cat", "", "sat ", ""]))
    same(found["c_Sentence"], [["the big cat sat"]])


def test_focus_is_the_first_match_or_0():
    for focus, position in (("b", 2), ("z", 0), ("", 0), ("B", 0)):
        found = expected([], ["c"], inputs_of([[1], [2]], focus, c=["a", "b", "b", ""]))
        same(found["c_Focus"], [[position]])


def test_index_vectors_count_from_1_and_only_the_vocabularys_may_be_blank():
    found = expected([], ["c"], inputs_of([[1], [2], [3]], c="ab"))
    same(found["vocab_Index"], [[1], [2], [3]])
    same(found["c_Index"], [[1], [2]])
    assert [name for name, range_ in found.items() if range_.blank_ok] == ["vocab_Index", "vocab_Times"]


# Names of ranges

BLOCKS = "Scores Scaled RowMax Exp RowSum Attention AttentionSum Entropy UnscaledSum EntropyUnscaled Output"
FOCUS = ("FocusAttention", "FocusWeights", "FocusPlaces", "FocusWords", "FocusSaid")
FRAMED = ("Scores", "Scaled", "Exp", "Attention")
WORDS = {"vocab_Index", "vocab_Times", "vocab_Status", "c_Index", "c_Ids", "c_Sentence", "c_Focus"}
FRONT = {"xlsxattn_vocab_Status", "xlsxattn_s_Status", "xlsxattn_Status"}


def test_a_plain_sheet_has_exactly_the_contracts_ranges():
    blocks = {f"s_c_{b}" for b in (*BLOCKS.split(), *FOCUS)}
    blocks |= {f"s_c_{b}_{side}" for b in FRAMED for side in ("Rows", "Cols")}
    rest = {"s_c_X", "s_c_X_Rows", "s_c_X_Cols", "s_c_Output_Rows", "s_c_Output_Cols"}
    once = {"s_Scale", "s_Status", "s_c_Heading", "s_c_Drift", "s_Rank", "s_c_FocusAttention_Cols"}
    assert set(one_sheet([[0], [1]], "ab")) == WORDS | FRONT | blocks | rest | once


def test_two_heads_have_exactly_the_contracts_ranges():
    heads = [f"s_c_h{k}_" for k in (1, 2)]
    blocks = {h + b for h in heads for b in (*BLOCKS.split(), *FOCUS, "Q", "K", "V")}
    rows = {f"{h}{b}_Rows" for h in heads for b in (*FRAMED, "Q", "K", "V", "Output")}
    cols = {f"{h}{b}_Cols" for h in heads for b in FRAMED}
    slices = {f"s_h{k}_W_{w}" for k in (1, 2) for w in "QKV"}
    once = {"s_Scale", "s_Status", "s_c_Heading", "s_c_Drift", "s_W_O_Cols"}
    once |= {"s_Rank", "s_c_FocusAttention_Cols"}
    once |= {f"s_W_{w}_Rows" for w in "QKV"}
    whole = {f"s_c_{b}_Rows" for b in ("X", "Concat", "Output")} | {"s_c_X_Cols", "s_c_Output_Cols"}
    whole |= {"s_c_X", "s_c_Concat", "s_c_Output"}
    assert set(two_heads()) == WORDS | FRONT | blocks | rows | cols | slices | once | whole


def test_weights_and_a_mask_add_their_ranges():
    W = [[1], [2]]
    with_weights = one_sheet([[0, 1], [1, 0]], "ab", {"weights": True}, W_Q=W, W_K=W, W_V=W)
    masked = one_sheet([[0, 1], [1, 0]], "ab", {"mask": "causal"})
    plain = set(one_sheet([[0, 1], [1, 0]], "ab"))
    projected = {f"s_c_{b}{rows}" for b in "QKV" for rows in ("", "_Rows")} | {f"s_W_{b}_Rows" for b in "QKV"}
    assert set(with_weights) - plain == projected
    assert plain - set(with_weights) == {"s_c_Output_Cols"}  # d_v = 1 is not d_model = 2
    constants = {"s_RowIdx", "s_ColIdx", "s_MaskValue", "s_c_RowIdx", "s_c_ColIdx"}
    computed = {"s_c_Mask", "s_c_FocusSeen"}  # without labels
    computed |= {"s_c_Masked", "s_c_Masked_Rows", "s_c_Masked_Cols"}
    assert set(masked) - plain == constants | computed


def test_labels_are_words_beside_and_words_or_dims_above():
    found = two_heads("ba")
    same(found["s_c_X_Rows"], [["b"], ["a"]])
    same(found["s_c_X_Cols"], [["d0", "d1"]])
    same(found["s_c_h2_Attention_Cols"], [["b", "a"]])
    same(found["s_W_V_Rows"], [["d0"], ["d1"]])
    same(found["s_W_O_Cols"], [["d0", "d1"]])
    same(found["s_c_Heading"], [["b a"]])
    assert found["s_c_X_Rows"].kind == "text"


# Compare sheets


def compared(focus="b", c="ab", d="bc", settings=PLAIN):
    sheets = [SheetInfo("s", "self-attention", settings), SheetInfo("z", "compare", {"axes": ["d0", "d1"]})]
    sheets.append(SheetInfo("late", "self-attention", PLAIN))
    return expected(sheets, ["c", "d"], inputs_of([[1, 0], [0, 1], [3, 4]], focus, c=c, d=d))


def test_compare_follows_the_row_of_the_focus_word():
    found = compared()
    same(found["z_c_X"], [[0, 1]])
    same(found["z_d_s_Output"], found["s_d_Output"].values[:1].tolist())
    same(found["z_c_s_Attention"], found["s_c_Attention"].values[1:].tolist())
    u, v = found["s_c_Output"].values[1], found["s_d_Output"].values[0]
    near(found["z_c_s_Cosine"], [[1]])
    near(found["z_d_s_Cosine"], [[(u[0] * v[0] + u[1] * v[1]) / math.sqrt((u**2).sum() * (v**2).sum())]])
    same(found["z_d_Heading"], [["b c"]])
    same(found["z_d_X_Cols"], [["d0", "d1"]])
    same(found["z_d_Attention_Cols"], [["b", "c"]])
    same(found["z_Status"], [["✓"]])
    pairs = {f"z_{c}_{r}" for c in "cd" for r in ("Heading", "X", "X_Cols", "Attention_Cols", "Cosine")}
    pairs |= {f"z_{c}_s_{r}" for c in "cd" for r in ("Output", "Cosine", "Attention")}
    assert {name for name in found if name.startswith("z_")} == pairs | {"z_Status"}  # no later sheet


def test_a_context_without_the_focus_word_has_zeros_and_no_cosine():
    found = compared("a")
    same(found["z_d_s_Output"], [[0, 0]])
    same(found["z_d_s_Attention"], [[0, 0]])
    same(found["z_d_Cosine"], [["–"]])
    same(found["z_d_s_Cosine"], [["–"]])
    near(found["z_c_s_Cosine"], [[1]])
    assert found["z_d_s_Cosine"].amplification < math.inf
    assert found["z_Status"].values.item() == OneOf(("–", "✓"))  # as in earlier versions


def test_the_compare_status_is_a_note_if_nothing_is_compared():
    same(compared("b")["z_Status"], [["✓"]])
    same(compared("a", "ba", "ab")["z_Status"], [["✓"]])
    same(compared("z")["z_Status"], [["–"]])
    found = compared("a")
    for name in ("z_Status", "xlsxattn_z_Status"):
        assert [distance(sign, found[name].values.item(), "mark") for sign in ("–", "✓ the same")] == [0, 0]
        assert distance("✗", found[name].values.item(), "mark") == math.inf
    same(found["xlsxattn_Status"], [["✓"]])
    same(compared("a", "ax", "bb")["z_Status"], [["✗"]])  # as every mark if a word is unknown


def test_zero_rows_are_decidable_for_any_scores():
    for focus, present, absent in (("a", "c", "d"), ("c", "d", "c")):
        inputs = inputs_of([[1000, 0], [0, 1000], [1000, 1000]], focus, c="ab", d="bc")
        sheets = [SheetInfo("s", "self-attention", {**PLAIN, "scale": False}), SheetInfo("z", "compare", {})]
        found = expected(sheets, ["c", "d"], inputs)
        for block in ("Output", "Attention"):
            assert found[f"z_{present}_s_{block}"].amplification >= 1e6
            assert found[f"z_{absent}_s_{block}"].amplification == 1
        assert found[f"z_{absent}_s_Cosine"].amplification == 1


def test_a_single_context_compares_nothing():
    for focus, status in (("a", OneOf(("–", "✓"))), ("z", "–"), ("", "–")):
        found = one_sheet([[1], [2]], "ab", kind="compare", focus=focus)
        same(found["s_Status"], [[status]])
        same(found["xlsxattn_Status"], [["✓"]])


def test_compare_shows_every_head_of_a_multi_head_sheet():
    inputs = inputs_of([[0, 1], [1, 0]], "b", c="ab") | {f"s_W_{w}": np.eye(2) for w in "QKVO"}
    sheets = [SheetInfo("s", "multi-head", {**PLAIN, "heads": 2}), SheetInfo("z", "compare", {})]
    found = expected(sheets, ["c"], inputs)
    near(found["z_c_s_h1_Attention"], [[1 / (1 + E), E / (1 + E)]])
    near(found["z_c_s_h2_Attention"], [[0.5, 0.5]])
    assert "z_c_s_Attention" not in found


def test_cosine_by_hand():
    near(cosine(given([[3.0, 4.0]]), given([[4.0, 3.0]])), [[24 / 25]])
    near(cosine(given([[1.0, 0.0]]), given([[0.0, 7.0]])), [[0]])
    near(cosine(given([[1.0, 2.0]]), given([[-2.0, -4.0]])), [[-1]])
    same(cosine(given([[0.0, 0.0]]), given([[1.0, 1.0]])), [["–"]])


def test_cosines_after_cancellation_are_amplified_or_undecidable():
    sure = given([[1.0, 0.0]])
    assert cosine(sure, sure).amplification == 100
    assert cosine(sure, sure, 500.0).amplification == 300
    for left, amplification in ((1e-3, 50050), (1e-13, math.inf)):
        cancelled = Sized(np.array([[left, 0.0]]), np.array([[1.0, 0.0]]))
        assert cosine(cancelled, sure).amplification == pytest.approx(amplification)
    assert cosine(Sized(np.zeros((1, 2)), np.ones((1, 2))), sure).amplification == math.inf
    assert cosine(given([[1e-200, 0.0]]), sure).amplification == math.inf


# Magnitudes


def test_magnitudes_include_cancelled_terms_and_amplification_follows_the_scores():
    W = np.full((2, 4), 3.0)
    found = one_sheet([[1, -1]], "a", {"weights": True}, W_Q=W, W_K=W, W_V=W)
    same(found["s_c_Q"], [[0, 0, 0, 0]])
    assert found["s_c_X"].magnitude == 1
    assert found["s_c_Q"].magnitude == 6
    assert found["s_c_Scores"].magnitude == 144
    assert found["s_c_Scaled"].magnitude == 72
    assert found["s_c_Output"].magnitude == 6
    assert {found[f"s_c_{b}"].amplification for b in ("X", "Q", "Scores", "Scaled", "RowMax")} == {1}
    after = ("Exp", "RowSum", "Attention", "AttentionSum", "Entropy", "Output", "Drift")
    assert {found[f"s_c_{b}"].amplification for b in after} == {72}
    assert {found[f"s_c_{b}"].amplification for b in ("UnscaledSum", "EntropyUnscaled")} == {144}


def test_many_heads_take_the_largest_amplification_and_sizes_pass_w_o():
    found = two_heads(W_Q=[[10, 0], [0, 30]], W_O=[[1, 0], [-1, 0]])
    assert [found[f"s_c_h{k}_Output"].amplification for k in (1, 2)] == [10, 30]
    assert {found[f"s_c_{b}"].amplification for b in ("Concat", "Output", "Drift")} == {30}
    assert found["s_c_Output"].magnitude == pytest.approx(found["s_c_Concat"].values.sum(axis=1).max())


def test_the_magnitude_of_masked_ignores_masked_cells():
    matrices = {"W_Q": [[1], [0]], "W_K": [[2], [100]], "W_V": [[1], [1]]}
    found = one_sheet([[1, 0], [0, 1]], "ab", {"weights": True, "mask": "causal"}, **matrices)
    assert found["s_c_Scaled"].magnitude == 100
    assert found["s_c_Masked"].magnitude == 2
    assert found["s_c_RowMax"].magnitude == 2


def test_entropy_counts_the_logarithm_and_the_number_itself():
    assert one_sheet([[0], [0]], "ab")["s_c_Entropy"].magnitude == pytest.approx(1 + math.log(2))


def test_no_value_exceeds_its_magnitude():
    rng = np.random.default_rng(1)
    W = {f"W_{w}": rng.normal(size=(4, 4)) for w in "QKVO"}
    found = one_sheet(rng.normal(size=(5, 4)), "abcde", {"heads": 2, "mask": "causal"}, "multi-head", **W)
    for name, range_ in found.items():
        if range_.kind == "number" and not name.endswith("_Masked"):
            assert np.abs(range_.values).max() <= range_.magnitude, name


# Invariants


def test_attention_rows_are_distributions_and_outputs_lie_among_the_values():
    rng = np.random.default_rng(2)
    W = {f"W_{w}": rng.normal(size=(3, 2)) for w in "QKV"}
    found = one_sheet(rng.normal(size=(6, 3)), "abcdef", {"weights": True}, **W)
    A, V, H = (found[f"s_c_{b}"].values for b in ("Attention", "V", "Entropy"))
    near(A.sum(axis=1), np.ones(6))
    assert (A > 0).all()
    assert (found["s_c_Output"].values <= V.max(axis=0) + 1e-12).all()
    assert (found["s_c_Output"].values >= V.min(axis=0) - 1e-12).all()
    assert (H > 0).all()
    assert (math.log(6) >= H).all()
    near(found["s_c_Exp"].values / found["s_c_RowSum"].values, A)
    near(found["s_c_Drift"], [[np.abs(A.sum(axis=1) - 1).max()]])


def test_permuted_words_permute_rows_and_columns():
    rows, order = np.random.default_rng(3).normal(size=(4, 3)), [2, 0, 3, 1]
    plain, permuted = one_sheet(rows, "abcd"), one_sheet(rows, [("abcd")[i] for i in order])
    near(permuted["s_c_Attention"], plain["s_c_Attention"].values[np.ix_(order, order)])
    near(permuted["s_c_Output"], plain["s_c_Output"].values[order])


def test_softmax_is_invariant_under_shifts():
    S = np.random.default_rng(4).normal(size=(256, 256)) * 3
    near(softmax(S + 64), softmax(S))
    np.testing.assert_allclose(softmax(S), np.exp(S) / np.exp(S).sum(axis=1)[:, None], rtol=1e-13)


# Edge cases


@pytest.mark.parametrize("mask", ["none", "causal"])
def test_inputs_of_1000_give_one_winner_without_warnings(mask):
    found = one_sheet([[1000], [-1000], [0]], "abc", {"mask": mask})
    first = [1.0, 0.0, 0.0]
    second = [0.0, 1.0, 0.0]
    same(found["s_c_Attention"], [first, second, [1 / 3] * 3])
    same(found["s_c_Output"], [[1000], [-1000], [0]])
    same(found["s_c_UnscaledSum"], [[1], [1], [3]])
    near(found["s_c_Entropy"], [[0], [0], [math.log(3)]])
    assert found["s_c_Output"].amplification == 1e6


@pytest.mark.parametrize("mask", ["none", "causal"])
@pytest.mark.parametrize("huge", [1e200, -1e200, 1.7e308])
def test_overflow_is_undecidable_and_neither_crashes_nor_warns(huge, mask):
    inputs = inputs_of([[huge, huge], [-huge, huge], [0, 1]], "b", c="abc", d="cb")
    inputs |= {f"m_W_{w}": np.full((2, 2), huge) for w in "QKVO"}
    settings = {**PLAIN, "mask": mask, "heads": 2}
    sheets = [SheetInfo("s", "self-attention", settings), SheetInfo("m", "multi-head", settings)]
    sheets.append(SheetInfo("z", "compare", {}))
    found = expected(sheets, ["c", "d"], inputs)
    for name in ("s_c_Scores", "s_c_Attention", "s_c_Output", "m_c_Output", "z_d_s_Cosine", "s_Status"):
        assert found[name].amplification == math.inf, name
    assert found["s_c_X"].amplification == 1
    assert found["c_Ids"].amplification == 1


def test_outputs_alone_may_overflow():
    inputs = inputs_of([[1e200]], "a", c="a") | {"s_W_Q": np.array([[1e-200]]), "s_W_K": np.array([[1e-200]])}
    inputs["s_W_V"] = np.array([[1e200]])
    sheets = [SheetInfo("s", "self-attention", {**PLAIN, "weights": True}), SheetInfo("z", "compare", {})]
    found = expected(sheets, ["c"], inputs)
    same(found["s_c_Attention"], [[1]])
    assert found["s_c_Attention"].amplification == 1
    assert found["s_c_Output"].amplification == math.inf
    assert found["z_c_s_Cosine"].amplification == math.inf


def test_subnormal_products_have_a_minimum_tolerance():
    found = one_sheet([[1e-160]], "a")
    assert found["s_c_Scores"].magnitude * 1e-12 > 1e-308


@pytest.mark.parametrize(
    ("name", "shape", "wanted"),
    [
        ("s_W_Q", (3, 2), {"needed": "2 × 2", "other": "vocab_E"}),
        ("s_W_K", (2, 4), {"needed": "2 × 2", "other": "s_W_Q"}),
        ("s_W_V", (2, 3), {"rows": 2, "heads": 2}),
        ("s_W_O", (3, 2), {"needed": "2 × 2", "other": "s_W_V"}),
        ("vocab_Tokens", (3, 1), {"needed": "2 × 1", "other": "vocab_E"}),
        ("vocab_Dims", (1, 3), {"needed": "1 × 2", "other": "vocab_E"}),
        ("vocab_Focus", (1, 2), {"needed": "1 × 1"}),
        ("c_Tokens", (2, 2), {"needed": "2 × 1"}),
    ],
)
def test_shapes_that_disagree_are_named(name, shape, wanted):
    inputs = inputs_of([[0, 1], [1, 0]], c="ab") | {f"s_W_{w}": np.eye(2) for w in "QKVO"}
    inputs[name] = np.ones(shape) if "_W_" in name else np.full(shape, "a", dtype=object)
    with pytest.raises(ShapesDisagree) as raised:
        expected([SheetInfo("s", "multi-head", {**PLAIN, "heads": 2})], ["c"], inputs)
    finding = raised.value.finding
    assert (finding.kind, finding.range) == (Kind.RESIZED, name)
    assert finding.values.items() >= (wanted | {"shape": f"{shape[0]} × {shape[1]}"}).items()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind perceiver of the sheet s"):
        one_sheet([[1]], "a", kind="perceiver")
