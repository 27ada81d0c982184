"""Files that cannot be imported are rejected with a hint, and reading is limited."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import checkpoints
import numpy as np
import pytest
from conftest import import_library

from xlsxattn.contract.kinds import Decoder
from xlsxattn.weights import archives, tokenizer
from xlsxattn.weights.checkpoint import open_checkpoint
from xlsxattn.weights.families import plan
from xlsxattn.weights.forward import check_known
from xlsxattn.weights.sidecars import pooling
from xlsxattn.weights.tensor import CheckpointError
from xlsxattn.weights.tokenizer import split

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("model.gguf", "is GGUF"),
        ("model.onnx", "is ONNX"),
        ("pytorch_model.bin", "is pickled"),
        ("adapter_model.safetensors", "merge it into its base model"),
    ],
)
@pytest.mark.parametrize("in_folder", [True, False])
def test_other_forms_are_refused_with_the_next_step(
    name: str, said: str, tmp_path: Path, *, in_folder: bool
) -> None:
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(CheckpointError, match=said):
        open_checkpoint(tmp_path if in_folder else tmp_path / name)


def test_a_hugging_face_model_id_gets_a_download_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="hf download someone/model --local-dir model"):
        open_checkpoint(type(tmp_path)("someone/model"))


def test_vocab_txt_alone_gets_a_hint_how_to_create_a_tokenizer(tmp_path: Path) -> None:
    checkpoints.write(tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT), tokenizer=False)
    (tmp_path / "vocab.txt").write_text("w1\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"only vocab\.txt; create it with: "):
        split(open_checkpoint(tmp_path), ["w1"], 9)


def test_an_array_that_unpacks_to_far_more_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_SMALL", 10_000)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", bytes(100_000))
    with pytest.raises(CheckpointError, match="'w' unpacks from"):
        open_checkpoint(tmp_path / "a.npz")


def test_pooling_is_read_or_mentioned(tmp_path: Path) -> None:
    (tmp_path / "1_Pooling").mkdir()
    config = tmp_path / "1_Pooling" / "config.json"
    config.write_text('{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}')
    assert pooling(tmp_path).pool == "first"
    config.write_text('{"pooling_mode_max_tokens": true}')
    found = pooling(tmp_path)
    assert (found.pool, len(found.notes)) == ("mean", 1)


def test_a_different_output_table_is_used_though_the_config_ties_it(tmp_path: Path) -> None:
    config = checkpoints.QWEN2
    tensors = checkpoints.draw(config)
    table = tensors["model.embed_tokens.weight"]
    for factor, tied in ((1, True), (2, False)):
        made = tensors | {"lm_head.weight": (table * factor).astype(np.float32)}
        checkpoints.write(tmp_path, config, made)
        found = plan(open_checkpoint(tmp_path))
        assert (found.unembedding is None, found.model.tied) == (tied, tied)


def test_a_setting_that_no_layer_is_run_with_is_refused() -> None:
    check_known(Decoder(id="gpt", activation="geglu"))
    with pytest.raises(ValueError, match="mask: found 'causal\\+padding', one of causal, none is needed"):
        check_known(Decoder(id="gpt", mask="causal+padding"))


def test_a_tokenizer_that_expands_without_bound_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_library("tokenizers", "models")
    monkeypatch.setattr(tokenizer, "MEMORY", 1024**3)
    monkeypatch.setattr(tokenizer, "SECONDS", 10)
    checkpoints.write(tmp_path, checkpoints.BERT, checkpoints.draw(checkpoints.BERT))
    path = tmp_path / "tokenizer.json"
    doubled = {"type": "Replace", "pattern": {"String": "w"}, "content": "w" * 64}
    expanding = {"normalizer": {"type": "Sequence", "normalizers": [doubled] * 20}}
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | expanding), encoding="utf-8")
    with pytest.raises(CheckpointError, match="needs more than 1 GB or 10 seconds"):
        split(open_checkpoint(tmp_path), ["w1"], 9)
