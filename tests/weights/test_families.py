"""The tensors of each family become the right weights in a model with the equations of the contract.

Results are compared with the transformers library (skipped if it is missing), and between the two sets of
names of Llama's weights.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import checkpoints
import contract
import numpy as np
import pytest
from conftest import import_library
from transformers_model import close, run_model

from xlsxattn.contract.kinds import Decoder
from xlsxattn.weights.model import read_model

if TYPE_CHECKING:
    from pathlib import Path

import_library("tokenizers", "models")

SENTENCE = "w3 w5 w4 w5 w9 w2"
IDS = [3, 5, 4, 5, 9, 2]
CONFIGS = {
    "bert": checkpoints.BERT,
    "bert, other gelu": checkpoints.BERT | {"hidden_act": "gelu_new"},
    "bert, relu": checkpoints.BERT | {"hidden_act": "relu"},
    "roberta": checkpoints.ROBERTA,
    "distilbert": checkpoints.DISTILBERT,
    "gpt2": checkpoints.GPT2,
    "gpt2, exact gelu, unscaled": checkpoints.GPT2
    | {"activation_function": "gelu", "scale_attn_weights": False},
    "llama": checkpoints.LLAMA,
    "llama, every head its own keys": checkpoints.LLAMA | {"num_key_value_heads": 4},
    "llama, tied": checkpoints.LLAMA | {"tie_word_embeddings": True},
    "llama, stretched": checkpoints.STRETCHED,
    "qwen2": checkpoints.QWEN2,
    "qwen3": checkpoints.QWEN3,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CONFIGS)
def test_transformers_agrees(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    folder = checkpoints.write(tmp_path, config, checkpoints.draw(config))
    imported = read_model(folder, [SENTENCE], whole_vocabulary=True)
    output, logits = contract.outputs(imported)
    expected, expected_logits = run_model(folder, config["model_type"], IDS)
    close(output, expected, 1e-12)
    if isinstance(imported.model, Decoder):
        close(logits, expected_logits, 1e-12)


def test_names_may_have_a_prefix(tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.BERT)
    plain = checkpoints.write(tmp_path / "plain", checkpoints.BERT, tensors)
    prefixed = {f"bert.{name}": array for name, array in tensors.items()} | {
        "cls.predictions.bias": np.zeros(11, np.float32)
    }
    other = checkpoints.write(tmp_path / "prefixed", checkpoints.BERT, prefixed)
    a, b = (read_model(folder, [SENTENCE]) for folder in (plain, other))
    assert a.weights.keys() == b.weights.keys()
    assert all((a.weights[name] == b.weights[name]).all() for name in a.weights)
    assert "Not imported: cls (1 tensor), pooler (2 tensors)." in b.notes


def test_gamma_and_beta_of_early_bert_checkpoints_are_read(tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.BERT)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): array
        for name, array in tensors.items()
    }
    a = read_model(checkpoints.write(tmp_path / "a", checkpoints.BERT, tensors), [SENTENCE])
    b = read_model(checkpoints.write(tmp_path / "b", checkpoints.BERT, old), [SENTENCE])
    assert all((a.weights[name] == b.weights[name]).all() for name in a.weights)


def test_row_0_of_the_token_types_is_added_to_the_positions_unrounded(tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.BERT)
    imported = read_model(checkpoints.write(tmp_path, checkpoints.BERT, tensors), [SENTENCE])
    P = tensors["embeddings.position_embeddings.weight"].astype(np.float64)
    types = tensors["embeddings.token_type_embeddings.weight"].astype(np.float64)
    np.testing.assert_array_equal(imported.weights["P"], (P + types[0])[: len(IDS)])
    assert any("token types" in note for note in imported.notes)


def test_gpt2_with_prefix_and_a_duplicate_tied_table(tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.GPT2)
    twice = {f"transformer.{name}": array for name, array in tensors.items()}
    twice["lm_head.weight"] = tensors["wte.weight"]
    twice["transformer.h.0.attn.bias"] = np.ones((1, 1, 9, 9), np.float32)
    a = read_model(checkpoints.write(tmp_path / "a", checkpoints.GPT2, tensors), [SENTENCE])
    b = read_model(checkpoints.write(tmp_path / "b", checkpoints.GPT2, twice), [SENTENCE])
    assert a.model == b.model
    assert b.model.tied
    assert all((a.weights[name] == b.weights[name]).all() for name in a.weights)
    assert any("lm_head.weight is not imported" in note for note in b.notes)


def test_untied_gpt2_uses_its_output_table(tmp_path: Path) -> None:
    config = checkpoints.GPT2 | {"tie_word_embeddings": False}
    tensors = {f"transformer.{name}": array for name, array in checkpoints.draw(config).items()}
    head = np.random.default_rng(5).normal(size=(11, 12)).astype(np.float32)
    folder = checkpoints.write(tmp_path, config, tensors | {"lm_head.weight": head})
    imported = read_model(folder, ["w7 w2"])
    assert not imported.model.tied
    assert imported.token_ids == (2, 7)
    np.testing.assert_array_equal(imported.weights["W_U"], head[[2, 7]].T)


def test_the_two_sets_of_names_of_llama_give_the_same_logits(tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.LLAMA)
    halves = read_model(
        checkpoints.write(tmp_path / "halves", checkpoints.LLAMA, tensors), [SENTENCE], whole_vocabulary=True
    )
    folder = tmp_path / "original"
    folder.mkdir()
    checkpoints.write_safetensors(
        folder / "consolidated.safetensors", checkpoints.original_from(tensors, checkpoints.LLAMA)
    )
    (folder / "params.json").write_text(json.dumps(checkpoints.ORIGINAL), encoding="utf-8")
    checkpoints.write_tokenizer(folder / "tokenizer.json", 11)
    adjacent = read_model(folder, [SENTENCE], whole_vocabulary=True)
    assert (halves.model.pairs, adjacent.model.pairs) == ("halves", "adjacent")
    assert not np.array_equal(halves.weights["l1_W_Q"], adjacent.weights["l1_W_Q"])
    close(contract.outputs(adjacent)[1], contract.outputs(halves)[1], 1e-12)


def test_missing_biases_are_zeros_and_mentioned(tmp_path: Path) -> None:
    imported = read_model(
        checkpoints.write(tmp_path, checkpoints.QWEN2, checkpoints.draw(checkpoints.QWEN2)), [SENTENCE]
    )
    assert imported.model.bias
    assert not imported.weights["l1_b_O"].any()
    assert imported.weights["l1_b_Q"].all()
    assert "The checkpoint has no b_O, b_1, b_3, b_2: zeros are used." in imported.notes


@pytest.mark.parametrize("numbers", ["float16", "bfloat16", "float64"])
def test_numbers_of_other_types_are_read(numbers: str, tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.LLAMA)
    kept = {
        name: checkpoints.to_bfloat16(array) if numbers == "bfloat16" else array.astype(numbers)
        for name, array in tensors.items()
    }
    imported = read_model(checkpoints.write(tmp_path, checkpoints.LLAMA, kept), [SENTENCE])
    found, given = imported.weights["l2_W_1"], tensors["model.layers.1.mlp.gate_proj.weight"].T
    assert found.dtype == (np.float64 if numbers == "float64" else np.float32)
    if numbers == "bfloat16":
        expected = (np.ascontiguousarray(given).view(np.uint32) & 0xFFFF0000).view(np.float32)
    else:
        expected = given.astype(numbers)
    np.testing.assert_array_equal(found, expected.astype(found.dtype))


def test_only_selected_layers_and_words_are_imported(tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.BERT)
    folder = checkpoints.write(tmp_path, checkpoints.BERT, tensors)
    imported = read_model(folder, ["w5 w2", "w2 w8 w8"], layers="1", heads="1.2")
    assert (imported.layers, imported.heads) == ((2,), ((2, 3),))
    assert {name.split("_")[0] for name in imported.weights} == {"P", "Input", "l2"}
    assert imported.tokens == ("w2", "w5", "w8")
    np.testing.assert_array_equal(imported.E, tensors["embeddings.word_embeddings.weight"][[2, 5, 8]])
    assert imported.sentences == (("w5 w2", ("w5", "w2")), ("w2 w8 w8", ("w2", "w8", "w8")))
    assert imported.weights["P"].shape == (3, 12)
    held = sum(array.size for array in imported.weights.values()) + imported.E.size
    assert imported.size.numbers == held


@pytest.mark.parametrize("word", ["hello", "😀", "+", "\u200b"])
def test_an_unknown_word_is_mentioned(word: str, tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT))
    imported = read_model(folder, [f"w1 {word}"])
    assert imported.sentences[0][1] == ("w1", "[UNK]")
    said = f"The tokenizer does not know {word!r}: the model reads the unknown token instead."
    assert said in imported.notes
