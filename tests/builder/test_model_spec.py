"""Validation of models in specs, with one sentence per error."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import refusal

from xlsxattn.builder import specification as spec
from xlsxattn.builder.specification import SpecError
from xlsxattn.builder.specification.sheets import KEYS

WORDS = """
length = 6
[vocabulary.tokens]
a = [1.0, 0.0, 0.5, 0.0]
b = [0.5, 0.5, 0.0, 1.0]
[contexts]
one = "a b"
two = "b a b"
[[sheets]]
id = "s"
"""

SIZES = [
    ("decoder", "heads = 3", "heads", "found 3, which does not divide the 4 dimensions", "give d_k"),
    ("decoder", "heads = 4\nkv_heads = 3", "kv_heads", "found 3, which does not divide the 4 heads"),
    ("decoder", "heads = 2\nkv_heads = 4", "kv_heads", "found 4, which does not divide the 2 heads"),
    ("decoder", 'position = "rotary"\nd_k = 3', "position", "d_k is 3; it must be even"),
    ("encoder", 'position = "rotary"\nheads = 4', "position", "d_k is 1; it must be even"),
    ("encoder", "layers = 0", "layers", "found 0, expected a whole number from 1 to 64"),
    ("encoder", "layers = 65", "layers", "found 65, expected a whole number from 1 to 64"),
    ("encoder", "d_ff = 0", "d_ff", "found 0, expected a whole number from 1 to 4096"),
    ("decoder", "top_k = 3", "top_k", "found 3, expected a whole number from 1 to 2"),
    ("decoder", "temperature = 0", "temperature", "found 0, expected a number above 0"),
    ("decoder", "temperature = -1.0", "temperature", "found -1.0, expected a number above 0"),
    ("decoder", "temperature = inf", "temperature", "number 1 is inf"),
    ("encoder", "epsilon = 0", "epsilon", "found 0, expected a number above 0"),
    ("encoder", "base = -2", "base", "found -2, expected a number above 0"),
]  # fmt: skip

CHOICES = [
    ("decoder", 'mask = "none"', "mask", "found 'none', expected one of causal, causal+padding"),
    ("decoder", 'mask = "causal+padding"\ngenerate = true', "mask", "cannot be combined with generate", "use 'causal'"),
    ("encoder-decoder", 'mask = "causal"', "mask", "found 'causal', expected one of none, padding"),
    ("encoder", 'norm = "batch"', "norm", "expected one of layer, rms"),
    ("encoder", 'residual = "prenorm"', "residual", "expected one of pre-norm, post-norm"),
    ("encoder", 'activation = "tanh"', "activation", "one of relu, gelu, "),
    ("encoder", 'position = "absolute"', "position", "expected one of none, sinusoidal, learned, rotary"),
    ("encoder", 'pairs = "both"', "pairs", "expected one of adjacent, halves"),
    ("classifier", 'classes = ["x", "y"]\npool = "max"', "pool", "expected one of mean, first"),
    ("classifier", "", "classes", "is missing"),
    ("classifier", 'classes = ["x"]', "classes", "expected a list of 2 to 256 names"),
    ("classifier", 'classes = ["x", "x"]', "classes", "has 'x' twice; items must be unique"),
    ("encoder", 'contexts = ["three"]', "contexts[1]", "found 'three'; the contexts are: one, two"),
    ("encoder", 'contexts = ["onee"]', "contexts[1]", "the contexts are: one, two; did you mean 'one'?"),
    ("encoder", "contexts = []", "contexts", "found [], expected a list of 1 to 100 contexts' ids"),
    ("encoder", 'contexts = ["one", "one"]', "contexts", "has 'one' twice; items must be unique"),
    ("encoder-decoder", 'source = "two"\ntarget = "two"', "target", "is also 'two'; the two contexts must differ"),
    ("encoder-decoder", 'source = "three"', "source", "found 'three'; the contexts are: one, two"),
    ("self-attention", 'position = "learned"', "position", "'learned' adds a table of weights: set weights, d_k or seed"),
    ("decoder", "generate = 1", "generate", "found 1, expected true or false"),
]  # fmt: skip

CONFLICTS = [
    ("encoder", "generate = true", "generate", "sheets of kind 'encoder' have no such key", "decoder, encoder-decoder"),
    ("encoder", "temperature = 2.0", "temperature", "cross-attention, decoder, encoder-decoder"),
    ("classifier", 'classes = ["x", "y"]\ntied = true', "tied", "it belongs to decoder, encoder-decoder"),
    ("decoder", 'pool = "mean"', "pool", "sheets of kind 'decoder' have no such key", "it belongs to classifier"),
    ("decoder", 'classes = ["x", "y"]', "classes", "it belongs to classifier"),
    ("encoder", 'source = "one"', "source", "it belongs to encoder-decoder"),
    ("encoder-decoder", 'contexts = ["one"]', "contexts", "sheets of kind 'encoder-decoder' have no such key"),
    ("multi-head", "layers = 2", "layers", "it belongs to encoder, decoder, encoder-decoder, classifier"),
    ("self-attention", "kv_heads = 1", "kv_heads", "it belongs to multi-head"),
    ("cross-attention", 'position = "rotary"', "position", "sheets of kind 'cross-attention' have no such key"),
    ("encoder", "queries = 1", "queries", "it belongs to cross-attention"),
    ("decoder", "genrate = true", "genrate", "no such key; did you mean 'generate'?"),
]  # fmt: skip

GIVEN = [
    ("decoder", "tied = true", "W_U", [[1.0, 0.0]] * 4, "no such key; it belongs to tied = false"),
    ("decoder", 'position = "rotary"', "P", [[0.0] * 4] * 6, 'it belongs to position = "learned"'),
    ("decoder", "bias = false", "l1_b_Q", [0.0] * 4, "it belongs to bias = true"),
    ("decoder", 'norm = "rms"', "l1_Norm1_Beta", [0.0] * 4, 'it belongs to norm = "layer"'),
    ("decoder", "", "l1_W_3", [[0.0] * 16] * 4, "it belongs to an activation with a gate (swiglu, geglu, geglu-tanh)"),
    ("decoder", "final_norm = false", "Output_Gamma", [1.0] * 4, "it belongs to final_norm = true"),
    ("decoder", "", "Input_Gamma", [1.0] * 4, "it belongs to embedding_norm = true"),
    ("decoder", "", "l1_w_q", [[0.0] * 4] * 4, "did you mean 'l1_W_Q'?"),
    ("decoder", "", "l2_W_Q", [[0.0] * 4] * 4, "no such key"),
    ("decoder", "", "P", [[0.0] * 4] * 5, "shape 5 × 4, expected 6 × 4, one row per position"),
    ("decoder", "tied = false", "W_U", [[1.0]] * 4, "shape 4 × 1, expected 4 × 2"),
    ("classifier", 'classes = ["x", "y", "z"]', "W_C", [[1.0, 0.0]] * 4, "shape 4 × 2, expected 4 × 3"),
    ("decoder", "", "l1_W_2", None, "is missing"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _away(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def sheet(kind: str, keys: str) -> str:
    if kind == "decoder" and "mask" not in keys:
        keys += '\nmask = "causal+padding"'
    return f'{WORDS}kind = "{kind}"\n{keys}\n'


@pytest.mark.parametrize(
    ("kind", "keys", "key", "right"), [(a, b, c, d) for a, b, c, *d in SIZES + CHOICES + CONFLICTS]
)
def test_an_invalid_model_is_refused_in_one_sentence(kind, keys, key, right):
    Path("spec.toml").write_text(sheet(kind, keys), "utf-8")
    sentence = refusal("build", "spec.toml")
    assert sentence.startswith(f"spec.toml: sheets[1].{key} (sheet 's'): ")
    assert [part for part in right if part not in sentence] == [], sentence


@pytest.mark.parametrize(("kind", "keys", "name", "matrix", "right"), GIVEN)
def test_a_weight_that_does_not_fit_is_refused_in_one_sentence(kind, keys, name, matrix, right):
    text = sheet(kind, keys)
    Path("spec.toml").write_text(text, "utf-8")
    drawn = spec.load(Path("spec.toml")).sheets[0].weights
    weights = {key: [list(row) for row in rows] for key, rows in drawn.items()} | {name: matrix}
    table = "".join(f"{key} = {rows}\n" for key, rows in weights.items() if rows is not None)
    Path("spec.toml").write_text(f"{text}[sheets.weights]\n{table}", "utf-8")
    sentence = refusal("build", "spec.toml")
    assert sentence.startswith(f"spec.toml: sheets[1].weights.{name} (sheet 's'): ")
    assert right in sentence


@pytest.mark.parametrize(
    ("old", "new", "key", "right"),
    [
        ('two = "b a b"', 'two = "b a b a b a b"', "contexts.two", "has 7 words, but length is 6: shorten it, or set length to 7 or more"),
        ('two = "b a b"', 'two = "b c b"', "contexts.two", "the vocabulary lacks the word 'c'"),
        ("length = 6", "length = 0", "length", "found 0, expected a whole number from 1"),
        ("length = 6", "length = 6.0", "length", "found 6.0, expected a whole number from 1"),
        ('id = "s"', 'id = "s"\nmask = "none"', "length", "adds blank cells, but no sheet has a padding mask or generates words: set mask = 'padding'"),
        ("one = ", "in = ", "contexts.in", "this id is reserved for models; choose another"),
        ("one = ", "dec = ", "contexts.dec", "this id is reserved for models; choose another"),
        ('two = "b a b"\n', "", "sheets[1].kind (sheet 's')", "encoder-decoder needs two contexts, the spec has one"),
    ],
)  # fmt: skip
def test_words_that_do_not_fit_a_model_are_refused_in_one_sentence(old, new, key, right):
    Path("spec.toml").write_text(sheet("encoder-decoder", "").replace(old, new), "utf-8")
    sentence = refusal("build", "spec.toml")
    assert sentence.startswith(f"spec.toml: {key}: ")
    assert right in sentence


@pytest.mark.parametrize("kind", [kind for kind in KEYS if kind != "compare"])
def test_every_key_of_another_kind_is_refused_by_its_name(kind):
    every = {key for keys in KEYS.values() for key in keys}
    for key in sorted(every - set(KEYS[kind])):
        data = {"vocabulary": {"tokens": {"a": [1.0]}}, "contexts": {"c": "a", "d": "a"}}
        data["sheets"] = [{"id": "s", "kind": kind, key: 1}]
        with pytest.raises(SpecError, match=rf"sheets\[1\]\.{key} \(sheet 's'\): sheets of kind"):
            spec.parse(data, "spec")
