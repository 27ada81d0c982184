"""Files that cannot be imported are rejected with a hint, and reading is limited."""

from __future__ import annotations

import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

import checkpoints
import numpy as np
import pytest
from commands import refusal
from conftest import import_library

from xlsxattn.contract.kinds import Decoder
from xlsxattn.weights import archives, tokenizer
from xlsxattn.weights.checkpoint import open_checkpoint
from xlsxattn.weights.families import plan
from xlsxattn.weights.forward import check_known
from xlsxattn.weights.model import read_model
from xlsxattn.weights.sidecars import pooling
from xlsxattn.weights.tensor import CheckpointError, parse_json
from xlsxattn.weights.tokenizer import split

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.gguf", "is GGUF"),
        ("model.Q4_0.GGUF", "is GGUF"),
        ("model.onnx", "is ONNX"),
        ("pytorch_model.bin", "is pickled"),
        ("PYTORCH_MODEL.BIN", "is pickled"),
        ("adapter_model.safetensors", "merge it into its base model"),
    ],
)
@pytest.mark.parametrize("in_folder", [True, False])
def test_other_forms_are_refused_with_the_next_step(
    name: str, message: str, tmp_path: Path, *, in_folder: bool
) -> None:
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path if in_folder else tmp_path / name)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("someone/model", "hf download someone/model --local-dir model"),
        ("gpt2", "hf download gpt2 --local-dir gpt2"),
        ("https://huggingface.co/someone/model", "hf download someone/model --local-dir model"),
    ],
)
def test_a_hugging_face_model_id_gets_a_download_hint(
    name: str, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=call):
        open_checkpoint(type(tmp_path)(name))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("layers.0.self_attn.q_proj.lora_A.default.weight", "merge it into its base model"),
        ("layers.0.self_attn.q_proj.base_layer.weight", "merge it into its base model"),
        ("layers.0.self_attn.q_proj.qweight", "is quantized, .*: use the original"),
        ("layers.0.self_attn.q_proj.weight_scale_inv", "is quantized, .*: use the original"),
        (
            "layers.0.self_attn.q_proj.weight.quant_state.bitsandbytes__nf4",
            "is quantized, .*: use the original",
        ),
    ],
)
def test_adapters_and_quantized_tensors_are_refused_with_the_next_step(
    name: str, message: str, tmp_path: Path
) -> None:
    tensors = {name: np.ones((2, 2), np.float32), "norm.weight": np.ones(2, np.float32)}
    checkpoints.write_safetensors(tmp_path / "model.safetensors", tensors)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match=message):
        open_checkpoint(tmp_path)


SHARD, SHARD_2 = (f"model-0000{i}-of-00002.safetensors" for i in (1, 2))


def _write_shards(folder: Path, listed: dict[str, str], *names: str) -> None:
    """Write each tensor to both shards, and an index."""
    for file in (SHARD, SHARD_2):
        checkpoints.write_safetensors(folder / file, {name: np.ones(2, np.float32) for name in names})
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": listed}), encoding="utf-8")


@pytest.mark.parametrize("listed", [{"a": SHARD}, {"a": SHARD, "b": SHARD_2}], ids=["unlisted", "in another"])
def test_a_shard_must_have_exactly_the_tensors_of_the_index(listed: dict[str, str], tmp_path: Path) -> None:
    _write_shards(tmp_path, listed, "a", "b")
    with pytest.raises(CheckpointError, match=r"is not listed in model\.safetensors\.index\.json"):
        open_checkpoint(tmp_path)


def test_a_single_shard_names_the_missing_ones(tmp_path: Path) -> None:
    _write_shards(tmp_path, {}, "a")
    with pytest.raises(CheckpointError, match="is one of several files"):
        open_checkpoint(tmp_path / SHARD)
    (tmp_path / "model.safetensors.index.json").unlink()
    with pytest.raises(CheckpointError, match=r"index\.json: there is no such file, which lists the shards"):
        open_checkpoint(tmp_path)


def test_a_checkpoint_in_a_subfolder_is_named(tmp_path: Path) -> None:
    inner = tmp_path / "snapshots" / "5c38ec7"
    checkpoints.write(inner, checkpoints.BERT, checkpoints.draw(checkpoints.BERT))
    with pytest.raises(CheckpointError, match=f"give the path {inner}"):
        open_checkpoint(tmp_path)


def test_a_header_whose_length_begins_like_a_pickle_is_read(tmp_path: Path) -> None:
    folder = checkpoints.write(tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT))
    path = folder / "model.safetensors"
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    padded = content[8 : 8 + length] + b" " * ((0x80 - length) % 256)
    path.write_bytes(len(padded).to_bytes(8, "little") + padded + content[8 + length :])
    assert path.read_bytes().startswith(b"\x80")
    assert open_checkpoint(path).tensors.keys() == open_checkpoint(folder).tensors.keys()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no FIFOs")
def test_a_link_to_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert refusal("import", loop, "--sentence", "w1").startswith(f"{loop}: there is no such file")


def test_a_header_that_would_take_much_memory_is_refused_unread(tmp_path: Path) -> None:
    text = b'{"a":[' + b"[]," * 7_000_000 + b"[]]}"
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    (tmp_path / "config.json").write_bytes(text * 3)
    with pytest.raises(CheckpointError, match="its header has 21,000,010 bytes; at most 20,000,000"):
        open_checkpoint(tmp_path)
    checkpoints.write_safetensors(path, checkpoints.draw(checkpoints.BERT))
    with pytest.raises(CheckpointError, match=r"config\.json: has more than 50,000,000 bytes"):
        open_checkpoint(tmp_path)


def test_a_fifo_is_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="this is not a file"):
        open_checkpoint(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "has the key 'c' twice"),
        (rb'{"a": "\ud800"}', r"unpaired surrogate \('\\ud800'\)"),
        (rb'{"\udc00\ud800": 1}', r"unpaired surrogate \('\\udc00'\)"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a number of more than 4,300 digits"),
        ('{"a": 1}'.encode("utf-16"), "byte 0 is not UTF-8"),
    ],
    ids=["twice", "surrogate", "surrogate key", "digits", "encoding"],
)
def test_json_that_others_read_differently_is_refused(text: bytes, message: str) -> None:
    assert parse_json(rb'{"a": "\ud83d\ude00"}', "x.json") == {"a": "😀"}
    with pytest.raises(CheckpointError, match=f"x.json: .*{message}"):
        parse_json(text, "x.json")


def test_vocab_txt_alone_gets_a_hint_how_to_create_a_tokenizer(tmp_path: Path) -> None:
    checkpoints.write(tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT), tokenizer=False)
    (tmp_path / "vocab.txt").write_text("w1\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"only vocab\.txt; create it with: "):
        split(open_checkpoint(tmp_path), ["w1"], 9)


def test_a_zip_bomb_is_refused_without_unpacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_SMALL", 10_000)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes(100_000))
    with pytest.raises(CheckpointError, match="'w' unpacks from"):
        open_checkpoint(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("config", "pool", "n_notes"),
    [
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "first", 0),
        ({"pooling_mode_cls_token": True}, "mean", 1),  # the mean is on by default: both, side by side
        ({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False}, "mean", 1),
        ({"pooling_mode": "cls"}, "first", 0),
        ({}, "mean", 0),
    ],
)
def test_pooling_is_read_or_mentioned(
    config: dict[str, Any], pool: str, n_notes: int, tmp_path: Path
) -> None:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    found = pooling(tmp_path)
    assert (found.pool, len(found.notes)) == (pool, n_notes)


@pytest.mark.parametrize("path", ["../other", "..", "", "/etc"])
def test_pooling_is_not_read_from_outside_the_folder(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    for place in (folder, tmp_path / "other", tmp_path):
        place.mkdir(exist_ok=True)
        (place / "config.json").write_text('{"pooling_mode": "cls"}', encoding="utf-8")
    modules = [{"type": "sentence_transformers.models.Pooling", "path": path}]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    assert pooling(folder).pool == "mean"


def test_steps_before_the_tokenizer_are_reported(tmp_path: Path) -> None:
    checkpoints.write(tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT))
    prompts = {"default_prompt_name": "query", "prompts": {"query": "query: "}}
    (tmp_path / "sentence_bert_config.json").write_text('{"do_lower_case": true}', encoding="utf-8")
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(prompts), encoding="utf-8")
    notes = read_model(tmp_path, ["w1"]).notes
    assert "sentence_bert_config.json: do_lower_case is true: write sentences in lower case." in notes
    assert any("the prompt 'query: ' is not added" in note for note in notes)


def test_a_different_output_table_is_used_though_the_config_ties_it(tmp_path: Path) -> None:
    config = checkpoints.QWEN2
    tensors = checkpoints.draw(config)
    table = tensors["model.embed_tokens.weight"]
    for factor, tied in ((1, True), (2, False)):
        made = tensors | {"lm_head.weight": (table * factor).astype(np.float32)}
        checkpoints.write(tmp_path, config, made)
        found = plan(open_checkpoint(tmp_path))
        assert (found.unembedding is None, found.model.tied) == (tied, tied)


def test_unsupported_settings_of_layers_are_refused() -> None:
    check_known(Decoder(id="gpt", activation="geglu"))
    with pytest.raises(ValueError, match="mask: found 'causal\\+padding', expected one of causal, none"):
        check_known(Decoder(id="gpt", mask="causal+padding"))


def test_a_tokenizer_that_expands_without_bound_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_library("tokenizers", "models")
    monkeypatch.setattr(tokenizer, "MEMORY", 1024**3)
    monkeypatch.setattr(tokenizer, "SECONDS", 3)
    checkpoints.write(tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT))
    path = tmp_path / "tokenizer.json"
    doubled = {"type": "Replace", "pattern": {"String": "w"}, "content": "w" * 64}
    expanding = {"normalizer": {"type": "Sequence", "normalizers": [doubled] * 20}}
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | expanding), encoding="utf-8")
    with pytest.raises(CheckpointError, match="needs more than 1 GB or 3 seconds"):
        split(open_checkpoint(tmp_path), ["w1"], 9)


def test_a_panic_of_the_tokenizer_is_reported(tmp_path: Path) -> None:
    import_library("tokenizers", "models")
    checkpoints.write(tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT))
    path = tmp_path / "tokenizer.json"
    pattern = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Removed", "invert": False}
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | {"pre_tokenizer": pattern}), "utf-8")
    with pytest.raises(CheckpointError, match=r"is not a valid tokenizer: .*retry-limit"):
        split(open_checkpoint(tmp_path), ["a" * 40 + "b"], 9)
