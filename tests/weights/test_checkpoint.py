"""An invalid checkpoint is rejected with one sentence that names the file and the error."""

from __future__ import annotations

import json
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import checkpoints
import numpy as np
import pytest
from conftest import import_library

from xlsxattn.builder.specification import SpecError
from xlsxattn.weights import size
from xlsxattn.weights.checkpoint import open_checkpoint
from xlsxattn.weights.families import plan
from xlsxattn.weights.model import parse_heads, parse_layers, read_model

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "model.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return checkpoints.write(tmp_path / "model", checkpoints.BERT, checkpoints.draw(checkpoints.BERT))


def read_layers(path: Path) -> None:
    for layer in plan(open_checkpoint(path)).layers:
        for piece in layer:
            piece.read()


def refused(path: Path, *parts: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_layers(path)
    sentence = str(caught.value.args[0])  # not shortened
    assert "\n" not in sentence
    for part in parts:
        assert part in sentence


def rewrite(folder: Path, change: Any) -> None:
    """Write the tensors again, changed."""
    tensors = checkpoints.draw(checkpoints.BERT)
    change(tensors)
    checkpoints.write_safetensors(folder / MODEL, tensors)


def with_config(folder: Path, **keys: Any) -> None:
    (folder / "config.json").write_text(json.dumps(checkpoints.BERT | keys), encoding="utf-8")


def test_the_safetensors_library_reads_the_same_numbers(tmp_path: Path) -> None:
    library = import_library("safetensors.numpy", "test")
    rng = np.random.default_rng(1)
    given = {
        "a": rng.normal(size=(3, 4)).astype(np.float32),
        "b": rng.normal(size=5).astype(np.float16),
        "c": rng.normal(size=(2, 2, 2)),
    }
    library.save_file(given, tmp_path / MODEL)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    found = open_checkpoint(tmp_path).tensors
    assert found.keys() == given.keys()
    for name, array in given.items():
        np.testing.assert_array_equal(found[name].read(), array)
        np.testing.assert_array_equal(found[name].read([1, 0, 1]), array[[1, 0, 1]])
    checkpoints.write_safetensors(tmp_path / "ours.safetensors", given)
    theirs = library.load_file(tmp_path / "ours.safetensors")
    assert all((theirs[name] == array).all() for name, array in given.items())


def test_shards_are_read_as_one(folder: Path, tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.BERT)
    split = tmp_path / "split"
    split.mkdir()
    names, weight_map = list(tensors), {}
    for i in range(3):
        file = f"model-{i + 1:05}-of-00003.safetensors"
        checkpoints.write_safetensors(split / file, {name: tensors[name] for name in names[i::3]})
        weight_map |= dict.fromkeys(names[i::3], file)
    index = split / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}), encoding="utf-8")
    (split / "config.json").write_text(json.dumps(checkpoints.BERT), encoding="utf-8")
    checkpoints.write_tokenizer(split / "tokenizer.json", 11)
    a, b = read_model(folder, ["w1 w2"]), read_model(split, ["w1 w2"])
    assert all((a.weights[name] == b.weights[name]).all() for name in a.weights)

    lost = names[1]
    checkpoints.write_safetensors(split / weight_map[lost], {n: tensors[n] for n in names[1::3] if n != lost})
    refused(split, "model-00002-of-00003.safetensors", f"lacks the tensor {lost!r}")
    (split / "model-00002-of-00003.safetensors").unlink()
    refused(index, "weight_map", "'model-00002-of-00003.safetensors', which is not in the same folder")
    index.write_text(json.dumps({"weight_map": {"a": "../model/model.safetensors"}}), encoding="utf-8")
    refused(split, "'../model/model.safetensors', which is not in the same folder")


def test_an_npz_is_read_with_the_config_beside_it(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "npz"
    there.mkdir()
    np.savez(there / "weights.npz", **checkpoints.draw(checkpoints.BERT))
    (there / "config.json").write_text(json.dumps(checkpoints.BERT), encoding="utf-8")
    checkpoints.write_tokenizer(there / "tokenizer.json", 11)
    a, b = read_model(folder, ["w1 w2"]), read_model(there, ["w1 w2"])
    assert all((a.weights[name] == b.weights[name]).all() for name in a.weights)


def test_pickled_files_are_refused_with_a_reason_and_a_remedy(tmp_path: Path) -> None:
    for name in ("pytorch_model.bin", "model.pt"):
        (tmp_path / name).write_bytes(pickle.dumps({"a": 1}))
    refused(tmp_path, "model.pt: is pickled", "can run arbitrary code", "safetensors.torch.save_file")
    disguised = tmp_path / "disguised.safetensors"
    disguised.write_bytes(pickle.dumps({"a": 1}))
    refused(disguised, "disguised.safetensors: is pickled")
    with zipfile.ZipFile(tmp_path / "zipped.npz", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
    refused(tmp_path / "zipped.npz", "is pickled")


def test_objects_in_an_npz_are_refused_without_unpickling(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("the trap was opened",))

    np.savez(tmp_path / "a.npz", x=np.array([Trap()], dtype=object))
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    refused(tmp_path / "a.npz", "the array 'x' contains pickled objects", "can run code")


def test_other_files_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "there is no such file or folder")
    refused(
        tmp_path, "is not a checkpoint; expected model.safetensors, model.safetensors.index.json or an .npz"
    )
    text = tmp_path / "notes.txt"
    text.write_text("hello", encoding="utf-8")
    refused(text, "is not a checkpoint")
    named = tmp_path / "notes.safetensors"
    named.write_text("hello, this is some text", encoding="utf-8")
    refused(named, "is not a .safetensors file, or its header is truncated")
    named.write_bytes((5).to_bytes(8, "little") + b"[1,2]")
    refused(named, "its header: expected a JSON object")
    named.write_bytes((4).to_bytes(8, "little") + b"\xff\xfe{}")
    refused(named, "its header: byte 0 is not UTF-8")
    deep = b"[" * 100_000
    named.write_bytes(len(deep).to_bytes(8, "little") + deep)
    refused(named, "nested too deeply")
    (tmp_path / "a.npz").write_text("hello", encoding="utf-8")
    refused(tmp_path / "a.npz", "is not an .npz file")


def test_several_checkpoints_in_a_folder_need_a_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        checkpoints.write_safetensors(tmp_path / f"{name}.safetensors", {"x": np.ones(2, np.float32)})
    refused(tmp_path, "contains several checkpoints (a.safetensors, b.safetensors); give the path of one")


def test_a_truncated_file_names_the_tensor(folder: Path) -> None:
    whole = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(whole[:-5])
    refused(folder, "the tensor 'pooler.dense.bias' is truncated")
    (folder / MODEL).write_bytes(whole[:100])
    refused(folder, "its header is truncated")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 20]},
            "has 20 bytes, which does not match 2 × 3",
        ),
        (
            {"dtype": "F32", "shape": [2, -3], "data_offsets": [0, 24]},
            "no valid dtype, shape and data_offsets",
        ),
        ({"dtype": "F32", "shape": [1], "data_offsets": [8, 4]}, "has -4 bytes"),
        ({"dtype": "F32", "data_offsets": [0, 24]}, "no valid dtype"),
        ("F32", "no valid dtype"),
        ({"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}, "overlaps 'first': the header is corrupt"),
    ],
)
def test_a_corrupt_header_names_the_tensor(entry: Any, said: str, tmp_path: Path) -> None:
    first = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    text = json.dumps({"first": first, "odd": entry}).encode()
    (tmp_path / MODEL).write_bytes(len(text).to_bytes(8, "little") + text + bytes(64))
    refused(tmp_path, "'odd'", said)


def test_a_damaged_npz_names_the_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **checkpoints.draw(checkpoints.BERT))
    raw = bytearray((tmp_path / "a.npz").read_bytes())
    name = "encoder.layer.1.output.dense.weight"
    at = raw.index(f"{name}.npy".encode()) + 200
    raw[at] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(raw)
    (tmp_path / "config.json").write_text(json.dumps(checkpoints.BERT), encoding="utf-8")
    refused(tmp_path, f"the tensor {name!r} cannot be read", "CRC")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_weights_are_refused(value: float, folder: Path) -> None:
    name = "encoder.layer.1.intermediate.dense.weight"

    def spoil(tensors: Any) -> None:
        tensors[name][3, 5] = tensors[name][4, 0] = value

    rewrite(folder, spoil)
    refused(folder, f"the tensor {name!r} holds NaN or infinite numbers (2, the first at [3, 5])")


def test_the_position_of_a_bad_number_counts_in_the_whole_table(folder: Path) -> None:
    def spoil(tensors: Any) -> None:
        tensors["embeddings.word_embeddings.weight"][7, 2] = np.nan

    rewrite(folder, spoil)
    assert read_model(folder, ["w1 w2"]).tokens == ("w1", "w2")
    with pytest.raises(SpecError, match=r"'embeddings.word_embeddings.weight' holds NaN .* at \[7, 2\]"):
        read_model(folder, ["w1 w7"])


def test_integer_weights_are_refused(folder: Path) -> None:
    name = "encoder.layer.0.output.dense.bias"
    rewrite(folder, lambda tensors: tensors.update({name: np.arange(12)}))
    refused(folder, f"{name!r} holds numbers of the type I64, expected one of F64, F32, F16, BF16")


@pytest.mark.parametrize("shape", [[1] * 9, [2**63]])
def test_a_shape_that_no_tensor_has_is_refused(shape: list[int], folder: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}}).encode()
    (folder / MODEL).write_bytes(len(header).to_bytes(8, "little") + header + b"1234")
    refused(folder, "the tensor 'a' has no valid dtype, shape and data_offsets")


def test_missing_tensors_are_named(folder: Path) -> None:
    rewrite(folder, lambda tensors: tensors.pop("encoder.layer.1.output.dense.bias"))
    refused(folder, "lacks the tensor 'encoder.layer.1.output.dense.bias'")
    rewrite(folder, lambda tensors: tensors.pop("encoder.layer.0.attention.self.query.weight"))
    refused(folder, "is a bert according to its config, but lacks the tensor", "self.query.weight")


def test_unexpected_tensors_of_the_model_are_named(folder: Path) -> None:
    extra = {"encoder.layer.1.adapter.weight": np.ones((2, 2), np.float32)}
    rewrite(folder, lambda tensors: tensors.update(extra))
    refused(folder, "has unexpected tensors for such a model: encoder.layer.1.adapter.weight")
    with_config(folder, num_hidden_layers=1)
    refused(folder, "encoder.layer.1.attention.output.LayerNorm.bias", "and 9 more")


def test_shapes_that_do_not_fit_the_config_are_named(folder: Path) -> None:
    with_config(folder, intermediate_size=24)
    refused(
        folder,
        "'encoder.layer.0.intermediate.dense.weight' has the shape 20 × 12, but the config requires 24 × 12",
    )


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"model_type": "t5"},
            "model_type: found 't5', expected one of the known families: bert, electra, roberta",
        ),
        ({"model_type": ["bert"]}, "model_type: found ['bert']"),
        (
            {"model_type": "gpt2"},
            "is a gpt2 according to its config, but lacks the tensor 'h.0.attn.c_attn.weight'",
        ),
        ({"num_attention_heads": 5}, "num_attention_heads: found 5, which does not divide 12"),
        ({"num_attention_heads": None}, "num_attention_heads: is missing"),
        ({"hidden_size": "12"}, "hidden_size: found '12', expected a whole number of at least 1"),
        ({"vocab_size": True}, "vocab_size: found true"),
        ({"layer_norm_eps": -1.0}, "layer_norm_eps: found -1.0, expected a number above 0"),
        ({"hidden_act": "mish"}, "hidden_act: found 'mish', expected one of relu, gelu"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type: found 'relative_key'"),
        ({"is_decoder": True}, "is_decoder: found true"),
        ({"embedding_size": 6}, "embedding_size: found 6"),
        ({"text_config": {"hidden_size": 8}}, "text_config: found {'hidden_size': 8}"),
    ],
)
def test_invalid_settings_are_refused(keys: dict[str, Any], said: str, folder: Path) -> None:
    with_config(folder, **keys)
    refused(folder, "config.json" if "lacks" not in said else "", said)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"rope_scaling": {"rope_type": "yarn", "factor": 8.0}}, "rope_scaling: found the type 'yarn'"),
        ({"is_causal": False}, "is_causal: found false"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor: found 0.5"),
        ({"rope_scaling": {"rope_type": "llama3"}}, "rope_scaling.low_freq_factor: is missing"),
        ({"rope_parameters": {"rope_theta": None}}, "rope_parameters.rope_theta: found null"),
        ({"rms_norm_eps": 10**400}, "rms_norm_eps: found 1000"),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps: found nan, expected a number above 0"),
        ({"hidden_act": "gelu"}, "hidden_act: found 'gelu'"),
        ({"num_key_value_heads": 3}, "num_key_value_heads: found 3, which does not divide 4"),
        ({"head_dim": 3}, "head_dim: heads have 3 columns, but rotation needs an even number"),
        ({"attention_bias": True}, "lacks the tensor 'model.layers.0.self_attn.q_proj.bias'"),
    ],
)
def test_invalid_llamas_are_refused(keys: dict[str, Any], said: str, tmp_path: Path) -> None:
    checkpoints.write(tmp_path, checkpoints.LLAMA | keys, checkpoints.draw(checkpoints.LLAMA))
    refused(tmp_path, said)


@pytest.mark.parametrize(
    "key", ["logits_divisor", "attnScale", "ff_mult", "emb_scale", "rms_eps", "prefix_lm"]
)
def test_an_unknown_key_that_may_change_numbers_is_refused(key: str, folder: Path) -> None:
    with_config(folder, **{key: 2})
    refused(folder, f"config.json: {key}: found 2")


def test_an_untied_decoder_without_its_last_table_is_refused(tmp_path: Path) -> None:
    tensors = checkpoints.draw(checkpoints.LLAMA)
    del tensors["lm_head.weight"]
    checkpoints.write(tmp_path, checkpoints.LLAMA, tensors)
    refused(tmp_path, "lacks the tensor 'lm_head.weight', and the config does not tie it")


def test_two_models_in_one_file_are_refused(folder: Path) -> None:
    tensors = checkpoints.draw(checkpoints.BERT)
    both = {f"{side}.{name}": array for side in ("query", "passage") for name, array in tensors.items()}
    checkpoints.write_safetensors(folder / MODEL, both)
    refused(folder, "contains several models", "'query.'", "'passage.'")


def test_a_missing_or_broken_config_is_reported(folder: Path) -> None:
    (folder / "config.json").write_text("{", encoding="utf-8")
    refused(folder, "config.json: not JSON")
    (folder / "config.json").unlink()
    refused(folder, "config.json: there is no such file, which is needed for the model's settings")


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("w1 " * 10, "has 10 tokens, and the model has positions for 9: make it shorter"),
        ("  ", "has no tokens, expected at least one"),
    ],
)
def test_invalid_sentences_are_refused(sentence: str, said: str, folder: Path) -> None:
    with pytest.raises(SpecError, match=said):
        read_model(folder, [sentence])


def test_roberta_has_fewer_positions_than_its_table_has_rows(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, checkpoints.ROBERTA, checkpoints.draw(checkpoints.ROBERTA))
    assert read_model(folder, ["w5 " * 7]).weights["P"].shape == (7, 12)
    with pytest.raises(SpecError, match="positions for 7"):
        read_model(folder, ["w5 " * 8])


def test_a_sliding_window_bounds_the_sentence(tmp_path: Path) -> None:
    config = checkpoints.LLAMA | {"model_type": "mistral", "sliding_window": 4}
    folder = checkpoints.write(tmp_path, config, checkpoints.draw(checkpoints.LLAMA))
    with pytest.raises(SpecError, match=r"attends to the last 4 only \(sliding_window\)"):
        read_model(folder, ["w1 w2 w3 w4 w5"])


def test_a_tokenizer_must_exist_and_belong_to_the_model(folder: Path) -> None:
    checkpoints.write_tokenizer(folder / "tokenizer.json", 40)
    with pytest.raises(SpecError, match="returns the token id 30, but the model has 11"):
        read_model(folder, ["w1 w30"])
    (folder / "tokenizer.json").write_text('{"model": 3}', encoding="utf-8")
    with pytest.raises(SpecError, match=r"tokenizer\.json: is not a valid tokenizer"):
        read_model(folder, ["w1"])
    (folder / "tokenizer.json").unlink()
    with pytest.raises(SpecError, match=r"tokenizer\.json: there is no such file"):
        read_model(folder, ["w1"])


@pytest.mark.parametrize("text", ["2", "-1", "0,x", "", "1.0", "0,,1"])
def test_layers_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(SpecError, match=r"--layers: found '.*'; the model's layers are 0 to 1"):
        parse_layers(text, 2)


def test_layers_and_heads_are_counted_from_0_and_put_in_order() -> None:
    assert parse_layers(" 5, 0,5", 6) == (0, 5)
    assert parse_layers(None, 3) == (0, 1, 2)
    assert parse_heads("5.11,0.3,5.11", 6, 12, (0, 5)) == ((0, 3), (5, 11))
    assert parse_heads(None, 6, 12, (0,)) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5.12", "found '12'; the model's heads are 0 to 11"),
        ("6.0", "found '6'; the model's layers are 0 to 5"),
        ("5", "found '5', expected layer.head, such as 5.11"),
        ("1.0", "1.0 is in layer 1, which --layers does not select"),
    ],
)
def test_heads_out_of_range_are_refused(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=f"--heads: {said}"):
        parse_heads(text, 6, 12, (0, 5))


def test_a_workbook_too_large_for_the_machine_is_refused_at_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.xlsx"
    assert read_model(folder, ["w1"], target=target).size.cells > 0
    monkeypatch.setattr(size, "_available", lambda: 1_000_000)
    with pytest.raises(
        SpecError,
        match=r"the workbook will have [0-9,]+ cells, about [0-9]+ kB; building it needs .* MB of memory",
    ):
        read_model(folder, ["w1"], target=target)
    monkeypatch.setattr(size.shutil, "disk_usage", lambda _: size.shutil._ntuple_diskusage(9, 9, 1000))
    with pytest.raises(
        SpecError, match=r"on the disk, which has 0 MB free: select fewer layers with --layers"
    ):
        read_model(folder, ["w1"], target=target)


def test_the_estimate_is_in_millions() -> None:
    assert str(size.Size(10_000_000, 700_000)) == (
        "the workbook will have 10.7 M cells, about 100 MB; too large for Excel for the web"
    )
    assert str(size.Size(9_000, 1_000)) == "the workbook will have 10,000 cells, about 99 kB"
