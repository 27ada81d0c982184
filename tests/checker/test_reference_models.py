"""Models, with hand-computed values: norms, layers, logits, choices, generation, classes, names."""

import math
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from random_models import DEFAULTS, column

from xlsxattn.checker.cells import Area
from xlsxattn.checker.check import reference
from xlsxattn.checker.reading.book import Book, Manifest
from xlsxattn.checker.reference import ShapesDisagree, SheetInfo, expected

ONE = {"layers": 1, "heads": 1, "kv_heads": 1, "d_k": 2, "d_v": 2, "d_ff": 2, "bias": False}
CYCLE = [[0, 1, 0], [0, 0, 1], [1, 0, 0]]  # after a comes b, after b c, after c a


def inputs_of(embeddings, vocabulary="abcdefgh", **sentences):
    rows = np.array(embeddings, dtype=float)
    return {
        "vocab_Tokens": column(vocabulary[: len(rows)]),
        "vocab_Dims": column(f"d{i}" for i in range(rows.shape[1])).T,
        "vocab_E": rows,
        "vocab_Focus": column(["a"]),
        **{f"{c}_Tokens": column(words) for c, words in sentences.items()},
    }


def layer(w, d, *, norms=2, layer_norm=True, **changed):
    """Weights of a layer in which only the norms have an effect: W_O and W_2 are zero."""
    eye, zero, row = np.eye(d), np.zeros((d, d)), np.ones((1, d))
    found = {"W_Q": eye, "W_K": eye, "W_V": eye, "W_O": zero, "W_1": eye, "W_2": zero, "W_3": eye}
    for i in range(1, norms + 1):
        found |= {f"Norm{i}_Gamma": row} | ({f"Norm{i}_Beta": 0 * row} if layer_norm else {})
    return {f"{w}_{name}": np.array(x, dtype=float) for name, x in (found | changed).items()}


def model(kind, inputs, *, epsilon=1.0, temperature=1.0, over=("c",), **settings):
    d = inputs["vocab_E"].shape[1]
    chosen = DEFAULTS | ONE | {"d_k": d, "d_v": d, "d_ff": d, "contexts": ["c"], "residual": "pre-norm"}
    inputs = {"s_Epsilon": np.array([[epsilon]]), "s_Temperature": np.array([[temperature]])} | inputs
    sheet = SheetInfo("s", kind, chosen | settings)
    return expected([sheet], list(over), inputs)


def near(actual, wanted):
    np.testing.assert_allclose(np.asarray(actual.values, dtype=float), wanted, rtol=1e-13, atol=1e-14)


def words(actual):
    return actual.values.tolist()


# Norms and layers


def test_post_norm_takes_the_norm_of_the_sum():
    weights = layer("s_l1", 2, W_O=np.eye(2), W_2=[[1, 2], [0, 5]], Norm1_Gamma=[[3, 6]], Norm1_Beta=[[1, 1]])
    found = model("encoder", inputs_of([[3, 1]], c="a") | weights, epsilon=5.0, residual="post-norm")
    near(found["s_c_l1_MultiHead"], [[3, 1]])
    near(found["s_c_l1_Residual1"], [[6, 2]])
    near(found["s_c_l1_Norm1_Mean"], [[4]])
    near(found["s_c_l1_Norm1_Variance"], [[4]])  # population variance; the sample variance would be 8
    near(found["s_c_l1_Norm1"], [[3, -3]])  # (6 − 4) / √(4 + 5) · 3 + 1, (2 − 4) / √(4 + 5) · 6 + 1
    near(found["s_c_l1_Hidden"], [[3, -3]])
    near(found["s_c_l1_Activation"], [[3, 0]])
    near(found["s_c_l1_FeedForward"], [[3, 6]])
    near(found["s_c_l1_Residual2"], [[6, 3]])
    near(found["s_c_l1_Norm2"], [[1.5 / math.sqrt(7.25), -1.5 / math.sqrt(7.25)]])
    near(found["s_c_Output"], found["s_c_l1_Norm2"].values)


def test_pre_norm_adds_to_the_stream_that_came_in():
    weights = layer("s_l1", 2, W_O=np.eye(2), W_2=np.eye(2))
    found = model("encoder", inputs_of([[3, 1]], c="a") | weights, epsilon=3.0)
    near(found["s_c_l1_Norm1"], [[0.5, -0.5]])  # ±1 / √(1 + 3)
    near(found["s_c_l1_Residual1"], [[3.5, 0.5]])
    near(found["s_c_l1_Norm2_Variance"], [[2.25]])
    near(found["s_c_l1_Norm2"], [[1.5 / math.sqrt(5.25), -1.5 / math.sqrt(5.25)]])
    near(found["s_c_l1_Residual2"], [[3.5 + 1.5 / math.sqrt(5.25), 0.5]])
    near(found["s_c_Output"], found["s_c_l1_Residual2"].values)


def test_rms_divides_by_the_root_of_the_mean_square_and_has_no_mean():
    weights = layer("s_l1", 2, layer_norm=False, Norm1_Gamma=[[10, 20]])
    found = model("encoder", inputs_of([[6, 2]], c="a") | weights, epsilon=5.0, norm="rms")
    near(found["s_c_l1_Norm1_MeanSquare"], [[20]])
    near(found["s_c_l1_Norm1"], [[12, 8]])
    assert not [name for name in found if name.endswith(("_Mean", "_Variance"))]


def test_an_embedding_norm_has_its_sum_before_it_and_a_final_norm_its_own_weights():
    weights = layer("s_l1", 2) | {"s_Input_Gamma": np.array([[1.0, 2.0]]), "s_Input_Beta": np.zeros((1, 2))}
    weights |= {"s_Output_Gamma": np.array([[1.0, 1.0]]), "s_Output_Beta": np.array([[7.0, 8.0]])}
    asked = {"embedding_norm": True, "final_norm": True, "scale_embeddings": True, "position": "learned"}
    inputs = inputs_of([[2, 0]], c="a") | weights | {"s_P": np.array([[0.0, 0.0]])}
    found = model("encoder", inputs, epsilon=2.0, **asked)
    near(found["s_c_X"], [[2, 0]])
    near(found["s_c_Sum"], [[2 * math.sqrt(2), 0]])
    near(found["s_c_Input_Variance"], [[2]])
    near(found["s_c_Input"], [[math.sqrt(2) / 2, -math.sqrt(2)]])
    mean = -math.sqrt(2) / 4
    near(found["s_c_Output_Mean"], [[mean]])
    apart = (math.sqrt(2) / 2 - mean) / math.sqrt((math.sqrt(2) / 2 - mean) ** 2 + 2)
    near(found["s_c_Output"], [[7 + apart, 8 - apart]])


@pytest.mark.parametrize(
    ("activation", "made"),
    [
        ("relu", 1.0),
        ("gelu", 0.8413447460685429),
        ("gelu-tanh", 0.8411919906082768),
        ("silu", 0.7310585786300049),
        ("swiglu", 0.7310585786300049),
        ("geglu", 0.8413447460685429),
        ("geglu-tanh", 0.8411919906082768),
    ],
)
def test_activations_of_1(activation, made):
    weights = layer("s_l1", 2, layer_norm=False, Norm2_Gamma=[[1, 1]], W_3=2 * np.eye(2))
    inputs = inputs_of([[1, 1]], c="a") | weights  # mean square 1, ε 3: the norm is ½
    inputs["s_l1_W_1"] = 2 * np.eye(2)
    found = model("encoder", inputs, epsilon=3.0, norm="rms", activation=activation)
    near(found["s_c_l1_Hidden"], [[1, 1]])
    near(found["s_c_l1_Activation"], [[made] * 2])  # Up is 1
    gated = {"s_c_l1_Up", "s_c_l1_Up_Rows"} if activation in ("swiglu", "geglu", "geglu-tanh") else set()
    assert {name for name in found if "_Up" in name} == gated
    assert (found["s_c_l1_Activation"].coarse > 0) == (activation in ("gelu", "geglu"))
    assert (found["s_c_Output"].coarse > 0) is False  # W_2 is zero, so it has no effect


def test_biases_are_added_in_every_linear_layer():
    d = 2
    weights = layer("s_l1", d, layer_norm=False)
    for i, letter in enumerate("QKVO12"):
        weights[f"s_l1_b_{letter}"] = np.full((1, d), 10.0**i)
    found = model("encoder", inputs_of([[0, 0]], c="a") | weights, norm="rms", bias=True)
    for i, block in enumerate(("h1_Q", "h1_K", "h1_V", "MultiHead", "Hidden", "FeedForward")):
        values = found[f"s_c_l1_{block}"].values
        assert (values >= 10.0**i).all(), block
    near(found["s_c_l1_h1_Scores"], [[20]])
    near(found["s_c_Output"], [[1000 + 100_000] * 2])
    near(found["s_l1_h1_b_K"], [[10, 10]])


def normed(*, inputs=None, heads=1, kv_heads=1, **settings):
    """A model of two words with normed queries and keys; W_Q, W_K and W_V are 1 in each head."""
    row, eye, zero = np.eye(2), np.hstack([np.eye(2)] * heads), np.zeros((2 * heads, 2))
    weights = layer("s_l1", 2, layer_norm=False, W_Q=eye, W_K=3 * row, W_V=row, W_O=zero)
    weights |= {f"s_l1_{x}Norm_Gamma": np.array([[3.0, 6.0]]) * i for i, x in enumerate("QK", 1)}
    inputs = inputs_of([[3, 1], [0, 0]], c="ab") | weights | {"s_Base": np.array([[100.0]])} | (inputs or {})
    asked = {"norm": "rms", "residual": "post-norm", "position": "rotary", "qk_norm": True, "epsilon": 4.0}
    return model("encoder", inputs, mask="causal", heads=heads, kv_heads=kv_heads, **asked | settings)


def test_each_heads_queries_and_keys_are_normed_before_they_are_turned():
    found = normed()
    near(found["s_c_l1_h1_Q"], [[3, 1], [0, 0]])
    near(found["s_c_l1_h1_QNorm_MeanSquare"], [[5], [0]])
    near(found["s_c_l1_h1_QNorm"], [[3, 2], [0, 0]])  # 3 / √(5 + 4) · 3, 1 / √(5 + 4) · 6
    near(found["s_c_l1_h1_KNorm_MeanSquare"], [[45], [0]])
    near(found["s_c_l1_h1_KNorm"], np.array([[54, 36], [0, 0]]) / 7)
    near(found["s_c_l1_h1_QRot"], found["s_c_l1_h1_QNorm"].values)  # the first row is not rotated
    near(found["s_c_l1_h1_Scores"], [[234 / 7, 0], [0, 0]])
    near(found["s_c_l1_h1_V"], [[3, 1], [0, 0]])
    assert words(found["s_c_l1_h1_KNorm_Rows"]) == [["a"], ["b"]]
    plain = set(normed(qk_norm=False))
    blocks = {f"s_c_l1_h1_{x}Norm{part}" for x in "QK" for part in ("", "_MeanSquare", "_Rows")}
    assert set(found) - plain == blocks
    assert plain < set(found)
    near(normed(norm="layer", inputs=layer("s_l1", 2))["s_c_l1_h1_QNorm"], found["s_c_l1_h1_QNorm"].values)


def test_the_keys_of_a_group_of_heads_are_normed_once():
    found = normed(heads=2)
    near(found["s_c_l1_h2_QNorm"], [[3, 2], [0, 0]])
    near(found["s_c_l1_g1_KNorm"], np.array([[54, 36], [0, 0]]) / 7)
    assert {"s_c_l1_g1_KNorm_MeanSquare", "s_c_l1_g1_KNorm_Rows"} <= found.keys()
    assert "s_c_l1_h1_KNorm" not in found


def test_partial_models_with_heads_have_norms_per_head():
    own = {f"s_l1_h2_W_{x}": np.eye(2) for x in "QKV"}
    found = normed(inputs=own, heads=3, kv_heads=3, only={"1": [2]}, taken=[1])
    near(found["s_c_l1_h2_QNorm"], [[3, 2], [0, 0]])
    assert {"s_c_l1_h2_KNorm", "s_c_l1_h2_KNorm_MeanSquare"} <= found.keys()
    assert not {"s_c_Output", "s_c_l1_h1_QNorm"} & found.keys()


def stretched(stretch=4.0, low=1.0, high=3.0, *, on=True, **settings):
    """Rotations of 20, 2 and 0.2 turns within the training context: θ is 1, 0.1 and 0.01."""
    numbers = {"Stretch": stretch, "Low": low, "High": high, "Trained": 40 * math.pi, "Base": 1000.0}
    inputs = inputs_of(np.eye(6)[:3], c="abc") | layer("s_l1", 6)
    inputs |= {f"s_{name}": np.array([[float(x)]]) for name, x in numbers.items()}
    return model("decoder", inputs, mask="causal", position="rotary", stretch=on, **settings)


@pytest.mark.parametrize(("pairs", "order"), [("adjacent", [0, 0, 1, 1, 2, 2]), ("halves", [0, 1, 2] * 2)])
def test_slow_rotations_are_scaled(pairs, order):
    found = stretched(pairs=pairs)
    near(found["s_Theta"], np.array([[1, 0.1, 0.01]])[:, order])
    near(found["s_Ratio"], np.array([[20, 2, 0.2]])[:, order])
    near(found["s_Ramp"], np.array([[1, 0.5, 0]])[:, order])
    slowed = np.array([1, 0.0625, 0.0025])  # 0.1 (½ / 4 + ½), 0.01 / 4
    near(found["s_Frequency"], slowed[None, order])
    near(found["s_Angle"], np.array([[0], [1], [2]]) * slowed[order])
    near(found["s_Cos"], np.cos(found["s_Angle"].values))
    near(found["s_c_Sin"], np.sin(found["s_Angle"].values))
    assert set(found) - set(stretched(pairs=pairs, on=False)) == {"s_Theta", "s_Ratio", "s_Ramp"}


def test_scaling_parameters_have_minimum_values():
    near(stretched(stretch=0)["s_Frequency"], [[1, 1, 50.05, 50.05, 10, 10]])
    near(stretched(stretch=-3)["s_Frequency"], stretched(stretch=0.001)["s_Frequency"].values)
    steep = stretched(low=1.9995, high=-7)["s_Ramp"]  # a ramp of a thousandth of a turn
    np.testing.assert_allclose(steep.values, [[1, 1, 0.5, 0.5, 0, 0]], rtol=1e-11)


def test_a_steep_ramp_amplifies_errors_only_on_its_slope():
    gentle, steep = stretched()["s_Ramp"], stretched(low=1.9995, high=2.0005)["s_Ramp"]
    assert gentle.magnitude < 10
    assert 1000 < steep.magnitude < 10_000
    assert stretched(low=5, high=5)["s_Ramp"].magnitude == 1  # no pair is on it
    assert 100 < stretched(low=1.9995, high=2.0005)["s_Frequency"].magnitude < 1000


def test_sizes_are_counted():
    shapes = {"W_Q": (3, 4), "W_K": (3, 2), "W_V": (3, 5), "W_O": (10, 3), "W_1": (3, 7), "W_2": (7, 3)}
    weights = layer("s_l1", 3, **{name: np.ones(shape) for name, shape in shapes.items()})
    found = model("encoder", inputs_of([[1, 2, 3]], c="a") | weights, heads=2, kv_heads=1)
    sizes = {"DModel": 3, "DK": 2, "DV": 5, "DFF": 7, "NLayers": 1, "NHeads": 2, "NKVHeads": 1}
    for name, size in sizes.items():
        assert found[f"s_{name}"].values.tolist() == [[size]], name
    near(found["s_Scale"], [[math.sqrt(2)]])


def test_a_layer_reads_the_output_of_the_previous_layer():
    weights = layer("s_l1", 2, W_2=np.eye(2)) | layer("s_l2", 2, W_2=np.eye(2))
    found = model("encoder", inputs_of([[3, 1]], c="a") | weights, layers=2)
    left = found["s_c_l1_Residual2"].values
    near(found["s_c_l2_Norm1_Mean"], [[left.mean()]])
    assert left.tolist() != [[3.0, 1.0]]
    assert words(found["s_Status"]) == words(found["s_l2_Status"]) == [["✓"]]


def in_part(kind="encoder", kept=(("a", ""), ("b", "")), **settings):
    """Layers 1, 3 and 4 on two sentences, with typed input of layer 3, optionally with its words."""
    inputs = inputs_of(np.eye(2), c=["a", ""], d=["b", ""])
    for k in (1, 3, 4):
        inputs |= layer(f"s_l{k}", 2)
    inputs |= {f"s_{c}_l3_Input": np.ones((2, 2)) for c in "cd"}
    inputs |= {f"s_{c}_Words": column(words) for c, words in zip("cd", kept or (), strict=bool(kept))}
    asked = {"layers": 5, "taken": [1, 3, 4], "mask": "causal+padding", "contexts": ["c", "d"]}
    return model(kind, inputs, over=("c", "d"), **asked | settings)


def marks(found):
    return {name: x.values.item() for name, x in found.items() if name.endswith("_Status")}


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_layers_with_rows_typed_for_other_words_fail(kind):
    good = marks(in_part(kind))
    assert set(good.values()) == {"✓"}
    assert marks(in_part(kind, kept=None)) == good  # as in workbooks of earlier versions
    wrong = dict.fromkeys(["s_l3_Status", "s_Status", "xlsxattn_s_Status", "xlsxattn_Status"], "✗")
    for kept in ((("A", ""), ("b", "")), (("a", ""), ("b", "b")), (("a", ""), ("", ""))):
        assert marks(in_part(kind, kept)) == good | wrong
    assert not [name for name in in_part(kind) if name.endswith("_Words")]


def test_partial_models_with_heads_have_typed_rows_above_layer_1():
    own = {f"s_l{k}_h1_W_{x}": np.eye(2) for k in (1, 2) for x in "QKV"}
    inputs = inputs_of(np.eye(2), c="ab") | own | {"s_c_l2_Input": np.ones((2, 2)), "s_c_Words": column("ba")}
    found = model("encoder", inputs, layers=2, residual="post-norm", only={"1": [1], "2": [1]})
    assert marks(found) | {"s_l1_Status": "✓", "s_l2_Status": "✗", "s_Status": "✗"} == marks(found)


def test_words_without_typed_rows_are_ignored():
    inputs = inputs_of(np.eye(2), c="ab") | layer("s_l1", 2) | {"s_c_Words": column("ba")}
    assert set(marks(model("encoder", inputs)).values()) == {"✓"}


@pytest.mark.parametrize(("typed", "mark"), [(["a", 2.0, None], "✓"), (["a", 2.0, "b"], "✗")])
def test_the_check_takes_the_words_of_typed_rows_from_the_workbook(typed, mark):
    inputs = inputs_of(np.eye(2), c=["a", "2", ""], vocabulary="a2") | layer("s_l2", 2)
    inputs |= {"s_c_l2_Input": np.ones((3, 2)), "s_Epsilon": np.ones((1, 1))}
    settings = DEFAULTS | ONE | {"layers": 2, "taken": [2], "mask": "padding"}
    manifest = Manifest((SheetInfo("s", "encoder", settings),), ("c",), tuple(inputs), {})
    values = {name: x.tolist() for name, x in inputs.items()} | {"s_c_Words": [[word] for word in typed]}
    names = {name: Area("Sheet", 0, 0, len(grid), len(grid[0])) for name, grid in values.items()}
    book = Book(Path("any.xlsx"), names, {}, {}, manifest, openpyxl.Workbook())
    assert marks(reference(book, values))["s_Status"] == mark


def test_a_wrong_number_of_words_is_refused():
    with pytest.raises(ShapesDisagree, match="s_c_Words is 3 × 1 but must be 2 × 1, as c_Tokens is 2 × 1"):
        in_part(kept=(("a", "", ""), ("b", "")))


# Output of decoders


def decoder(typed, *, W_U=CYCLE, E=((1, 0, 0), (0, 1, 0), (0, 0, 1)), **settings):
    inputs = inputs_of(E, c=typed) | layer("s_l1", 3)
    inputs |= {} if W_U is None else {"s_W_U": np.array(W_U, dtype=float)}
    return model("decoder", inputs, **{"mask": "causal", "tied": W_U is None, **settings})


def test_logits_their_softmax_and_the_next_word():
    found = decoder("ab", temperature=0.5)
    near(found["s_c_Logits"], [[0, 1, 0], [0, 0, 1]])
    near(found["s_c_Tempered"], [[0, 2, 0], [0, 0, 2]])
    near(found["s_c_LogitMax"], [[2], [2]])
    e = math.exp(-2)
    near(found["s_c_LogitExp"], [[e, 1, e], [e, e, 1]])
    near(found["s_c_LogitSum"], [[1 + 2 * e]] * 2)
    near(found["s_c_Probability"], np.array([[e, 1, e], [e, e, 1]]) / (1 + 2 * e))
    assert words(found["s_c_Next"]) == [["b"], ["c"]]
    assert found["s_c_TopIds"].values.tolist() == [[2, 1], [3, 1]]  # ties in the order of the vocabulary
    assert words(found["s_c_TopTokens"]) == [["b", "a"], ["c", "a"]]
    near(found["s_c_TopLogits"], [[1, 0], [1, 0]])
    near(found["s_c_TopProbabilities"], np.array([[1, e]] * 2) / (1 + 2 * e))
    assert words(found["s_c_Text"]) == [["a b"]]
    assert words(found["s_c_Logits_Cols"]) == [["a", "b", "c"]]
    assert found["s_Rank"].values.tolist() == [[1, 2]]


def test_no_temperature_is_below_a_millionth():
    near(decoder("a", temperature=0.0)["s_c_Tempered"], [[0, 1e6, 0]])
    near(decoder("a", temperature=-3.0)["s_c_Tempered"], [[0, 1e6, 0]])


def test_tied_logits_are_products_with_the_embeddings():
    found = decoder("ba", W_U=None, E=[[1, 0, 2], [0, 3, 0], [1, 1, 1]])
    near(found["s_c_Logits"], [[0, 9, 3], [5, 0, 3]])


def test_a_decoder_has_a_causal_mask():
    found = decoder("abc")
    assert found["s_c_l1_h1_Attention"].values[0].tolist() == [1, 0, 0]
    assert found["s_c_l1_h1_Masked"].values[0].tolist()[1:] == [-1e300] * 2
    assert found["s_c_Mask"].values.tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert {"s_MaskValue", "s_RowIdx", "s_ColIdx", "s_c_RowIdx", "s_c_ColIdx"} <= found.keys()


def test_blank_cells_are_generated_in_order():
    found = decoder(["a", "", "c", "", ""], generate=True)
    assert words(found["s_c_Tokens"]) == [["a"], ["b"], ["c"], ["a"], ["b"]]
    assert found["s_c_Ids"].values.tolist() == [[1], [2], [3], [1], [2]]
    assert words(found["s_c_Text"]) == [["a b c a b"]]
    assert words(found["s_c_X_Rows"]) == words(found["s_c_Tokens"])
    assert words(found["s_in_c_Heading"]) == words(found["c_Sentence"]) == [["a c"]]
    assert words(found["s_c_Next"])[-1] == ["c"]
    assert words(found["vocab_Status"]) == [["✓"]]


def test_nothing_is_generated_before_the_first_word():
    found = decoder(["", "", ""], generate=True)
    assert words(found["s_c_Tokens"]) == [[""], ["a"], ["b"]]
    near(found["s_c_Logits"], [[0, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert found["s_c_Next"].amplification == found["s_c_Tokens"].amplification == 1  # zeros are exact


def test_with_generate_the_triangles_are_blank_right_of_the_diagonal_and_no_mask_is_there():
    found = decoder(["a", "", ""], generate=True)
    for block in ("Scores", "Scaled", "Exp", "Attention"):
        blank = np.isnan(found[f"s_c_l1_h1_{block}"].values)
        assert blank.tolist() == [[False, True, True], [False, False, True], [False] * 3], block
    assert not np.isnan(found["s_c_Logits"].values).any()
    assert not [name for name in found if "Mask" in name or name.endswith("Idx")]
    full = decoder("abc")
    for name in ("l1_h1_Output", "l1_h1_RowMax", "l1_h1_RowSum", "l1_h1_AttentionSum", "Logits"):
        near(found[f"s_c_{name}"], full[f"s_c_{name}"].values)
    below = np.tri(3, dtype=bool)
    same = full["s_c_l1_h1_Attention"].values[below]
    np.testing.assert_allclose(found["s_c_l1_h1_Attention"].values[below], same, rtol=1e-14)


# Not decidable


def near_tie(gap, typed, **settings):
    return decoder(
        typed, W_U=[[0, 0.3, 0.3 * (1 + gap)], [0, 0, 1], [1, 0, 0]], E=np.eye(3) * 0.7, **settings
    )


def test_a_near_tie_is_undecided_with_all_later_tokens():
    found = near_tie(1e-15, ["a", "", ""], generate=True)
    for name in ("s_c_Tokens", "s_c_Ids", "s_c_X", "s_c_l1_h1_Q", "s_c_Output", "s_c_Text", "s_c_X_Rows"):
        assert found[name].amplification == math.inf, name
    for name in ("s_c_l1_Drift", "s_Status", "c_Ids", "s_in_c_Heading", "s_Scale"):
        assert found[name].amplification == 1, name
    only = near_tie(1e-15, ["a"])
    assert only["s_c_Next"].amplification == only["s_c_TopIds"].amplification == math.inf
    assert max(only["s_c_Logits"].amplification, only["s_c_TopLogits"].amplification) < 100
    last = near_tie(1e-15, ["c", "", "b", "a"], generate=True)  # the last row generates nothing
    assert words(last["s_c_Tokens"]) == [["c"], ["a"], ["b"], ["a"]]
    assert last["s_c_Next"].amplification == math.inf
    assert last["s_c_Tokens"].amplification == last["s_c_X"].amplification == 1


def test_clear_choices_and_exact_ties_are_decided():
    assert near_tie(1e-9, ["a", "", ""], generate=True)["s_c_Tokens"].amplification == 1
    exact = decoder(["a", "", ""], W_U=[[0, 0.3, 0.3], [0, 0.7, 0.7], [1, 0, 0]], generate=True)
    assert words(exact["s_c_Tokens"]) == [["a"], ["b"], ["b"]]
    assert exact["s_c_Tokens"].amplification == exact["s_c_TopIds"].amplification == 1


def test_after_an_exact_gelu_a_coarse_engine_may_choose_otherwise():
    inputs = inputs_of(np.eye(3) * 0.7, c=["a"]) | layer("s_l1", 3, W_2=np.eye(3))
    found = model(
        "decoder", inputs | {"s_W_U": np.eye(3)}, mask="causal", tied=False, activation="gelu", top_k=3
    )
    assert found["s_c_TopIds"].coarse == math.inf  # b and c are equally likely, except for errors of Φ
    assert found["s_c_Next"].coarse == 0


@pytest.mark.parametrize(
    ("residual", "norm", "first"),
    [
        ("pre-norm", "rms", "s_c_l1_Norm1_MeanSquare"),
        ("pre-norm", "layer", "s_c_l1_Norm1_Variance"),
        ("post-norm", "rms", "s_c_l1_h1_Scores"),
    ],
)
def test_the_first_overflowing_range_is_the_cause(residual, norm, first):
    inputs = inputs_of([[1e200, 0], [0, 1]], c="ab") | layer("s_l1", 2)
    found = model("encoder", inputs, residual=residual, norm=norm)
    assert next(name for name, x in found.items() if x.overflows) == first


# Classes


def classifier(typed, **settings):
    inputs = inputs_of([[4, 0], [0, 2]], c=typed) | layer("s_l1", 2)
    inputs |= {"s_Classes": column(["x", "y", "z"]).T, "s_b_C": np.array([[0.0, 0.0, 1.0]])}
    inputs["s_W_C"] = np.array([[1.0, 0, 0], [0, 1, 0]])
    return model("classifier", inputs, **settings)


def test_the_mean_excludes_padding_only_with_a_mask():
    masked = classifier(["a", "", "b"], mask="padding")
    near(masked["s_c_Pooled"], [[2, 1]])
    near(masked["s_c_Logits"], [[2, 1, 1]])
    assert words(masked["s_c_Class"]) == [["x"]]
    assert masked["s_c_PaddingMask"].values.tolist() == [[1], [0], [1]]
    near(classifier(["a", "", "b"])["s_c_Pooled"], [[4 / 3, 2 / 3]])
    near(classifier(["b", "a"], pool="first")["s_c_Pooled"], [[0, 2]])
    near(masked["s_c_Probability"], np.array([[math.e, 1, 1]]) / (math.e + 2))
    assert words(masked["s_c_Probability_Cols"]) == [["x", "y", "z"]]


def test_without_any_word_the_mean_is_zero():
    found = classifier(["", ""], mask="padding")
    near(found["s_c_Pooled"], [[0, 0]])
    assert words(found["s_c_Class"]) == [["–"]]
    assert words(found["s_Status"]) == [["–"]]
    assert found["s_c_l1_h1_Attention"].values.tolist() == [[0.5, 0.5]] * 2
    assert found["s_c_l1_h1_Masked"].values.tolist() == [[-1e300] * 2] * 2
    assert found["s_c_l1_h1_RowMax"].values.tolist() == [[-1e300]] * 2


def test_sentences_are_pooled_by_their_mean_or_their_first_row():
    def held(**settings):
        inputs = inputs_of([[4, 0], [0, 3]], c=["a", "b", ""], d=["b", "a", "a"]) | layer("s_l1", 2)
        asked = {"contexts": ["c", "d"], "similarity": True, "mask": "padding"}
        return model("encoder", inputs, over=("c", "d"), **asked | settings)

    near(held()["s_c_Pooled"], [[2, 1.5]])
    near(held(pool="first")["s_c_Pooled"], [[4, 0]])
    near(held(pool="first")["s_d_Normed"], [[0, 1]])
    near(held(pool="first")["s_d_Similarity"], [[0]])
    assert set(held()) == set(held(pool="first"))
    with pytest.raises(ValueError, match="the reference does not support pool last of the sheet s"):
        held(pool="last")


# Encoder-decoders


def pair(**settings):
    inputs = inputs_of([[1, 0], [0, 1]], c=["a", "", "b"], t=["b", "a"])
    inputs |= layer("s_enc_l1", 2) | layer("s_dec_l1", 2, norms=3)
    crossing = {"W_Q": np.zeros((2, 2)), "W_K": np.eye(2), "W_V": np.eye(2), "W_O": np.eye(2)}
    inputs |= {f"s_dec_l1_Cross_{name}": w for name, w in crossing.items()}
    asked = {"source": "c", "target": "t", "mask": "padding"} | settings
    return model("encoder-decoder", inputs, over=("c", "t"), **asked)


def test_cross_attention_attends_to_existing_words():
    found = pair()
    near(found["s_t_l1_Cross_h1_Attention"], [[0.5, 0, 0.5]] * 2)
    near(found["s_t_l1_Cross_h1_V"], found["s_c_Output"].values)
    near(found["s_t_l1_Cross_MultiHead"], [[0.5, 0.5]] * 2)
    near(found["s_t_l1_Residual2"], [[0.5, 1.5], [1.5, 0.5]])
    assert found["s_t_CrossMask"].values.tolist() == [[1, 0, 1]] * 2
    assert words(found["s_t_l1_Cross_h1_Scores_Cols"]) == [["a", "", "b"]]
    assert words(found["s_t_l1_Cross_h1_K_Rows"]) == [["a"], [""], ["b"]]
    assert words(found["s_t_l1_Cross_h1_Scores_Rows"]) == [["b"], ["a"]]
    assert {"s_enc_out_c_Heading", "s_in_c_Heading", "s_in_t_Heading", "s_out_t_Heading"} <= found.keys()
    assert {"s_enc_l1_c_Heading", "s_dec_l1_t_Heading", "s_enc_l1_Status", "s_dec_l1_Status"} <= found.keys()
    assert {"s_c_RowIdx", "s_c_ColIdx", "s_t_RowIdx", "s_t_ColIdx", "s_c_Mask", "s_t_Mask"} <= found.keys()
    assert not {"s_RowIdx", "s_ColIdx", "s_t_PaddingMask", "s_out_c_Heading", "s_c_Logits"} & found.keys()
    assert not [name for name in found if name.endswith(("CrossMask_Rows", "Mask_Cols", "Mask_Rows"))]


def test_without_padding_the_source_has_no_mask_and_the_target_its_own():
    found = pair(mask="none")
    near(found["s_t_l1_Cross_h1_Attention"], [[1 / 3] * 3] * 2)
    assert not {"s_c_Mask", "s_c_RowIdx", "s_t_CrossMask", "s_t_l1_Cross_h1_Masked"} & found.keys()
    assert {"s_MaskValue", "s_t_Mask", "s_t_l1_h1_Masked"} <= found.keys()


def test_a_generated_target_keeps_the_row_index_of_its_cross_mask_alone():
    found = pair(generate=True)
    assert {"s_t_CrossMask", "s_t_RowIdx", "s_MaskValue", "s_c_Mask", "s_t_Tokens"} <= found.keys()
    assert not {"s_t_ColIdx", "s_t_Mask", "s_t_l1_h1_Masked"} & found.keys()
    bare = pair(generate=True, mask="none")
    assert not {"s_t_RowIdx", "s_MaskValue"} & bare.keys()


# Compare sheets


def test_compare_sheets_follow_only_the_output_of_encoders():
    inputs = inputs_of([[3, 1], [1, 5]], c="ab", d="ba") | layer("s_l1", 2)
    inputs["vocab_Focus"] = column(["b"])
    settings = DEFAULTS | ONE | {"contexts": ["c", "d"], "residual": "pre-norm"}
    some = SheetInfo("o", "encoder", settings | {"contexts": ["c"]})
    inputs |= {name.replace("s_", "o_", 1): x for name, x in inputs.items() if name.startswith("s_")}
    inputs |= {f"{s}_Epsilon": np.array([[1.0]]) for s in "so"}
    sheets = [SheetInfo("s", "encoder", settings), some, SheetInfo("z", "compare", {})]
    found = expected(sheets, ["c", "d"], inputs)
    near(found["z_d_s_Output"], [[1, 5]])
    np.testing.assert_allclose(float(found["z_d_s_Cosine"].values.item()), 1.0)
    assert not [name for name in found if name.startswith("z_") and ("_o_" in name or "Attention" in name)]


# Bad input


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"s_P": np.zeros((3, 2))}, {"shape": "3 × 2", "needed": "2 × 2"}),
        (
            {"s_l1_Norm1_Gamma": np.zeros((1, 3))},
            {"shape": "1 × 3", "needed": "1 × 2", "other": "vocab_Dims"},
        ),
        ({"s_l1_W_2": np.zeros((3, 2))}, {"shape": "3 × 2", "needed": "2 × 2", "other": "s_l1_W_1"}),
        ({"s_l1_W_K": np.zeros((2, 4))}, {"shape": "2 × 4", "needed": "2 × 2", "other": "s_l1_W_Q"}),
        ({"s_Epsilon": np.zeros((1, 2))}, {"shape": "1 × 2", "needed": "1 × 1"}),
    ],
)
def test_shapes_that_disagree_are_named(changed, wanted):
    inputs = inputs_of([[1, 0], [0, 1]], c="ab") | layer("s_l1", 2) | {"s_P": np.zeros((2, 2))} | changed
    with pytest.raises(ShapesDisagree) as raised:
        model("encoder", inputs, position="learned")
    assert [raised.value.finding.range] == [*changed]
    assert raised.value.finding.values.items() >= wanted.items()


def test_more_largest_logits_than_words_are_refused():
    with pytest.raises(ShapesDisagree) as raised:
        decoder("a", top_k=4)
    assert raised.value.finding.range == "vocab_Tokens"
    assert raised.value.finding.values == {"rows": 3, "sheet_id": "s", "k": 4}


@pytest.mark.parametrize("key", ["norm", "residual", "activation", "pairs", "mask", "position"])
def test_unknown_settings_are_refused(key):
    with pytest.raises(ValueError, match="the reference does not support"):
        decoder("a", **{key: "other"})


def test_a_missing_context_is_named():
    with pytest.raises(ValueError, match="runs on d, which is not a context"):
        decoder("a", contexts=["d"])
