"""Results of the transformers library for a checkpoint, computed in float64."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from conftest import optional_library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xlsxattn.weights.model import Imported

MODELS = {
    "bert": "BertModel",
    "electra": "ElectraModel",
    "roberta": "RobertaModel",
    "xlm-roberta": "XLMRobertaModel",
    "camembert": "CamembertModel",
    "distilbert": "DistilBertModel",
    "gpt2": "GPT2LMHeadModel",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
}


@contextmanager
def exact(torch: Any) -> Iterator[None]:
    """Use float64 for what the library always computes in float32: angles, norms, softmax."""
    kept = torch.float, torch.float32, torch.Tensor.float
    torch.float = torch.float32 = torch.float64
    torch.Tensor.float = torch.Tensor.double
    try:
        yield
    finally:
        torch.float, torch.float32, torch.Tensor.float = kept


def run_model(folder: Path, kind: str, ids: list[int]) -> tuple[Any, Any]:
    """The last hidden states of one sentence, n × d_model, and a decoder's logits, n × n_vocab."""
    torch, library = optional_library("torch"), optional_library("transformers")
    loaded = getattr(library, MODELS[kind]).from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float64
    )
    model = loaded.double().eval()
    with exact(torch), torch.no_grad():
        for part in model.modules():
            if hasattr(part, "inv_freq"):
                part.__init__(model.config)
        made = model(torch.tensor([ids]), output_hidden_states=True)
    hidden = made.hidden_states[-1][0].numpy()
    return hidden, made.logits[0].numpy() if "logits" in made else None


def ids_of(imported: Imported, sentence: int = 0) -> list[int]:
    """The token ids of a sentence in the checkpoint."""
    by_token = dict(zip(imported.tokens, imported.token_ids, strict=True))
    return [by_token[token] for token in imported.sentences[sentence][1]]


def close(found: Any, expected: Any, within: float) -> None:
    """Error relative to the largest value."""
    found = np.array(found, dtype=float)
    np.testing.assert_allclose(found, expected, rtol=0, atol=within * max(1.0, float(np.abs(expected).max())))
