"""Generates random checkpoints of all families, with valid and invalid settings."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import checkpoints
import numpy as np
from conftest import optional_library
from transformers_model import MODELS

if TYPE_CHECKING:
    from pathlib import Path

N_VOCAB, N_POSITIONS = 11, 24
LACKS = "\0lacks"
"""Marks a key to be removed from a config."""

BERT = {
    "vocab_size": N_VOCAB,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 10,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": N_POSITIONS,
    "type_vocab_size": 2,
    "pad_token_id": 0,
}
DISTILBERT = {
    "vocab_size": N_VOCAB,
    "dim": 12,
    "n_layers": 2,
    "n_heads": 3,
    "hidden_dim": 10,
    "activation": "gelu",
    "max_position_embeddings": N_POSITIONS,
    "pad_token_id": 0,
}
GPT2 = {
    "vocab_size": N_VOCAB,
    "n_embd": 12,
    "n_layer": 2,
    "n_head": 3,
    "n_inner": 10,
    "n_positions": N_POSITIONS,
    "activation_function": "gelu_new",
    "bos_token_id": 0,
    "eos_token_id": 0,
}
LLAMA = {
    "vocab_size": N_VOCAB,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "num_key_value_heads": 3,
    "head_dim": 4,
    "intermediate_size": 10,
    "hidden_act": "silu",
    "max_position_embeddings": N_POSITIONS,
    "rms_norm_eps": 1e-5,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
BASES = {
    "bert": BERT,
    "electra": BERT | {"embedding_size": 12},
    "roberta": BERT | {"pad_token_id": 1},
    "xlm-roberta": BERT | {"pad_token_id": 1},
    "camembert": BERT | {"pad_token_id": 1},
    "distilbert": DISTILBERT,
    "gpt2": GPT2,
    "llama": LLAMA,
    "mistral": LLAMA | {"sliding_window": None},
    "qwen2": LLAMA,
    "qwen3": LLAMA,
}

ACTIVATIONS = (
    *("gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_python", "gelu_accurate", "gelu_fast", "gelu_10"),
    *("quick_gelu", "relu", "relu2", "relu6", "silu", "swish", "mish", "tanh", "linear", "leaky_relu"),
)
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 300.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 3.0,
    "original_max_position_embeddings": 16,
}
ANY: dict[str, tuple[Any, ...]] = {
    "torch_dtype": ("float16", "float32", "bfloat16"),
    "dtype": ("float32",),
    "use_cache": (False, True),
    "initializer_range": (0.3,),
    "chunk_size_feed_forward": (0,),
    "tie_word_embeddings": (False, True),
    "is_causal": (True, False),
    "is_decoder": (False, True),
    "add_cross_attention": (False,),
    "is_encoder_decoder": (False,),
    "attention_dropout": (0.3,),
    "gradient_checkpointing": (True,),
    "num_labels": (3,),
    "quantization_config": ({"quant_method": "gptq", "bits": 4}, None),
    "auto_map": ({"AutoModel": "modeling.Own"},),
    "clip_qkv": (2.0, None),
    "logit_scale": (0.5, 1.0),
    "attn_logit_softcapping": (5.0, None),
    "final_logit_softcapping": (5.0,),
    "attention_multiplier": (0.2,),
    "embedding_multiplier": (2.0, 1.0),
    "residual_multiplier": (0.5,),
    "query_pre_attn_scalar": (8,),
    "layer_types": (["full_attention"] * 2, ["sliding_attention", "full_attention"], ["full_attention"]),
    "sliding_window": (3, 40, None),
    "use_sliding_window": (True, False),
    "layer_norm_eps": (1e-12, 1e-5, 0.1),
    "hidden_act": ACTIVATIONS,
    "position_embedding_type": ("absolute", "relative_key", "relative_key_query"),
    "pruned_heads": ({}, {"0": [1]}),
    "is_folklore": (True,),
    "some_new_scale": (2.0, None, False),
    "pad_token_id": (0, 1, 3, None),
}
BERTS: dict[str, tuple[Any, ...]] = {
    "hidden_size": (6, 12, 24),
    "num_attention_heads": (1, 2, 3, 5),
    "num_hidden_layers": (1, 3),
    "intermediate_size": (1, 17),
    "type_vocab_size": (1, 2, 4),
    "max_position_embeddings": (12, 40),
    "embedding_size": (8, 12, LACKS),
    "hidden_dropout_prob": (0.5,),
    "classifier_dropout": (0.2,),
    "pooler_type": ("first_token_transform",),
}
DISTILBERTS: dict[str, tuple[Any, ...]] = {
    "dim": (6, 24),
    "n_heads": (1, 2, 4, 5),
    "n_layers": (1, 3),
    "hidden_dim": (1, 17),
    "activation": ACTIVATIONS,
    "sinusoidal_pos_embds": (True, False),
    "hidden_size": (12, 24),
    "qa_dropout": (0.4,),
}
GPTS: dict[str, tuple[Any, ...]] = {
    "n_embd": (6, 24),
    "n_head": (1, 2, 4, 5),
    "n_layer": (1, 3),
    "n_inner": (None, 17, LACKS),
    "activation_function": ACTIVATIONS,
    "layer_norm_epsilon": (0.1, 1e-12, LACKS),
    "scale_attn_weights": (True, False),
    "scale_attn_by_inverse_layer_idx": (True, False),
    "reorder_and_upcast_attn": (True, False),
    "n_ctx": (24, 99),
    "num_attention_heads": (3, 2),
    "resid_pdrop": (0.7,),
}
LLAMAS: dict[str, tuple[Any, ...]] = {
    "hidden_size": (6, 24),
    "num_attention_heads": (1, 2, 4, 6),
    "num_key_value_heads": (1, 2, 3, None, LACKS),
    "head_dim": (2, 6, 8, 5, LACKS),
    "intermediate_size": (1, 17),
    "num_hidden_layers": (1, 3),
    "attention_bias": (True, False),
    "mlp_bias": (True, False),
    "rms_norm_eps": (0.1, 1e-12, LACKS),
    "rope_theta": (20.0, 1e6, LACKS),
    "rope_parameters": (
        {"rope_type": "default", "rope_theta": 40.0},
        {"rope_theta": 50.0},
        LLAMA3,
        {"rope_type": "linear", "factor": 2.0, "rope_theta": 300.0},
        {"full_attention": {"rope_type": "default", "rope_theta": 60.0}},
    ),
    "rope_scaling": (
        None,
        LLAMA3,
        {key: value for key, value in LLAMA3.items() if key != "rope_theta"},
        {"type": "linear", "factor": 2.0},
        {"rope_type": "dynamic", "factor": 2.0},
        {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 16},
        {"type": "default", "factor": 9.0},
        {"rope_type": "default", "partial_rotary_factor": 0.5},
    ),
    "original_max_position_embeddings": (12,),
    "partial_rotary_factor": (0.5, 1.0, 1),
    "rope_interleave": (True, False),
    "max_window_layers": (0, 1, 5),
    "pretraining_tp": (1, 2),
    "use_qk_norm": (True, False),
}
SETTINGS = {
    **dict.fromkeys(("bert", "electra", "roberta", "xlm-roberta", "camembert"), BERTS),
    "distilbert": DISTILBERTS,
    "gpt2": GPTS,
    **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3"), LLAMAS),
}
EXTRAS = {
    "lm_head.weight": (N_VOCAB, 12),
    "classifier.weight": (3, 12),
    "score.weight": (3, 12),
    "pooler.dense.weight": (12, 12),
    "lm_head.bias": (N_VOCAB,),
}


def draw(seed: int) -> tuple[str, dict[str, Any]]:
    """A family and a config with one to five changed settings, two thirds of them the family's own."""
    rng = np.random.default_rng(seed)
    kind = sorted(BASES)[seed % len(BASES)]
    config: dict[str, Any] = {"model_type": kind, **BASES[kind]}
    for _ in range(int(rng.integers(1, 6))):
        pool = SETTINGS[kind] if rng.random() < 2 / 3 else ANY
        key = list(pool)[int(rng.integers(len(pool)))]
        value = pool[key][int(rng.integers(len(pool[key])))]
        if isinstance(value, str) and value == LACKS:
            config.pop(key, None)
        else:
            config[key] = deepcopy(value)
    return kind, config


def write(folder: Path, seed: int, kind: str, config: dict[str, Any]) -> bool:
    """Write the checkpoint of a drawn config; whether the transformers library makes a model of it.

    Of a config that it refuses, the weights are those of the family's own.
    """
    torch, library = optional_library("torch"), optional_library("transformers")
    model = getattr(library, MODELS[kind])
    rng = np.random.default_rng(1000 + seed)
    try:
        found = model(model.config_class.from_dict(deepcopy(config)))  # it writes into tables
    except Exception:  # noqa: BLE001 - whatever it says of a bad config
        found = None
    made = found if found is not None else model(model.config_class.from_dict(deepcopy(BASES[kind])))
    for name, parameter in made.named_parameters():
        spread = 1.0 if parameter.ndim == 1 else 1.5 / parameter.shape[-1] ** 0.5
        array = rng.normal(0.0, spread, tuple(parameter.shape))
        array = 1.0 + 0.3 * array if "norm" in name.lower() or "ln_" in name else array
        parameter.data = torch.tensor(array, dtype=torch.float32)
    made.save_pretrained(folder)
    if rng.random() < 1 / 4:
        _add(folder, list(EXTRAS)[int(rng.integers(len(EXTRAS)))], rng)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "generation_config.json").unlink(missing_ok=True)
    checkpoints.write_tokenizer(folder / "tokenizer.json", N_VOCAB)
    return found is not None


def _add(folder: Path, name: str, rng: np.random.Generator) -> None:
    """Add a tensor, or change the numbers of one."""
    numpy = optional_library("safetensors.numpy")
    path = folder / "model.safetensors"
    tensors = numpy.load_file(path)
    tensors[name] = rng.normal(size=EXTRAS[name]).astype(np.float32)
    numpy.save_file(tensors, path, metadata={"format": "pt"})
