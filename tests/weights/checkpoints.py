"""Small checkpoints of every family, drawn from a seed and written with NumPy alone."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "uint16": "BF16"}

BERT = {
    "model_type": "bert",
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-6,
    "vocab_size": 11,
    "max_position_embeddings": 9,
    "type_vocab_size": 2,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
ROBERTA = BERT | {"model_type": "roberta", "pad_token_id": 1, "type_vocab_size": 1}
DISTILBERT = {
    "model_type": "distilbert",
    "dim": 12,
    "n_layers": 2,
    "n_heads": 3,
    "hidden_dim": 20,
    "activation": "gelu",
    "vocab_size": 11,
    "max_position_embeddings": 9,
    "dropout": 0.0,
    "attention_dropout": 0.0,
}
GPT2 = {
    "model_type": "gpt2",
    "n_embd": 12,
    "n_layer": 2,
    "n_head": 3,
    "n_inner": 20,
    "n_positions": 9,
    "vocab_size": 11,
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
}
LLAMA = {
    "model_type": "llama",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 20,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "rope_theta": 500.0,
    "vocab_size": 11,
    "max_position_embeddings": 9,
    "tie_word_embeddings": False,
}
QWEN2 = LLAMA | {"model_type": "qwen2", "tie_word_embeddings": True}
QWEN3 = LLAMA | {"model_type": "qwen3", "head_dim": 6}
STRETCHED = LLAMA | {
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 4.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 3.0,
        "original_max_position_embeddings": 16,
    }
}
ORIGINAL = {
    "dim": 16,
    "n_layers": 2,
    "n_heads": 4,
    "n_kv_heads": 2,
    "norm_eps": 1e-5,
    "rope_theta": 500.0,
    "vocab_size": -1,
    "max_seq_len": 9,
}
GLASS = {
    "vocab_size": 11,
    "d_model": 16,
    "n_layers": 2,
    "n_heads": 4,
    "n_kv_heads": 2,
    "max_len": 9,
    "rope_base": 500.0,
    "eps": 1e-5,
    "init_std": 0.02,
}


def bert_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    d, f, n = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], d),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], d),
        "embeddings.token_type_embeddings.weight": (config["type_vocab_size"], d),
    }
    norms, linear = ["embeddings.LayerNorm"], {}
    for k in range(n):
        at = f"encoder.layer.{k}."
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            linear[f"{at}attention.{name}"] = (d, d)
        linear |= {f"{at}intermediate.dense": (f, d), f"{at}output.dense": (d, f)}
        norms += [f"{at}attention.output.LayerNorm", f"{at}output.LayerNorm"]
    return {
        **shapes,
        **_layers(linear),
        **_norms(norms, d),
        "pooler.dense.weight": (d, d),
        "pooler.dense.bias": (d,),
    }


def distilbert_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    d, f = config["dim"], config["hidden_dim"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], d),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], d),
    }
    norms, linear = ["embeddings.LayerNorm"], {}
    for k in range(config["n_layers"]):
        at = f"transformer.layer.{k}."
        for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
            linear[f"{at}attention.{name}"] = (d, d)
        linear |= {f"{at}ffn.lin1": (f, d), f"{at}ffn.lin2": (d, f)}
        norms += [f"{at}sa_layer_norm", f"{at}output_layer_norm"]
    return {**shapes, **_layers(linear), **_norms(norms, d)}


def gpt2_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    d, f = config["n_embd"], config["n_inner"]
    shapes: dict[str, tuple[int, ...]] = {
        "wte.weight": (config["vocab_size"], d),
        "wpe.weight": (config["n_positions"], d),
    }
    norms, linear = ["ln_f"], {}
    for k in range(config["n_layer"]):
        at = f"h.{k}."
        linear |= {f"{at}attn.c_attn": (d, 3 * d), f"{at}attn.c_proj": (d, d)}
        linear |= {f"{at}mlp.c_fc": (d, f), f"{at}mlp.c_proj": (f, d)}
        norms += [f"{at}ln_1", f"{at}ln_2"]
    made = {**shapes, **_norms(norms, d)}
    for name, (rows, columns) in linear.items():
        made |= {f"{name}.weight": (rows, columns), f"{name}.bias": (columns,)}
    return made


def llama_shapes(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    d, f, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    d_k = config.get("head_dim", d // heads)
    queries, keys = heads * d_k, config["num_key_value_heads"] * d_k
    made: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (config["vocab_size"], d)}
    made["model.norm.weight"] = (d,)
    if not config["tie_word_embeddings"]:
        made["lm_head.weight"] = (config["vocab_size"], d)
    for k in range(config["num_hidden_layers"]):
        at = f"model.layers.{k}."
        for name, rows in (("q_proj", queries), ("k_proj", keys), ("v_proj", keys)):
            made[f"{at}self_attn.{name}.weight"] = (rows, d)
            if config["model_type"] == "qwen2":
                made[f"{at}self_attn.{name}.bias"] = (rows,)
        made[f"{at}self_attn.o_proj.weight"] = (d, queries)
        if config["model_type"] == "qwen3":
            made |= {f"{at}self_attn.q_norm.weight": (d_k,), f"{at}self_attn.k_norm.weight": (d_k,)}
        made |= {f"{at}mlp.gate_proj.weight": (f, d), f"{at}mlp.up_proj.weight": (f, d)}
        made[f"{at}mlp.down_proj.weight"] = (d, f)
        made |= {f"{at}input_layernorm.weight": (d,), f"{at}post_attention_layernorm.weight": (d,)}
    return made


def original_from(tensors: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Llama's tensors under their original names: the columns of a pair in Q and K are adjacent."""
    names = {
        "model.embed_tokens": "tok_embeddings",
        "model.norm": "norm",
        "lm_head": "output",
        "model.layers": "layers",
        "self_attn.q_proj": "attention.wq",
        "self_attn.k_proj": "attention.wk",
        "self_attn.v_proj": "attention.wv",
        "self_attn.o_proj": "attention.wo",
        "mlp.gate_proj": "feed_forward.w1",
        "mlp.up_proj": "feed_forward.w3",
        "mlp.down_proj": "feed_forward.w2",
        "input_layernorm": "attention_norm",
        "post_attention_layernorm": "ffn_norm",
    }
    d_k, made = config["hidden_size"] // config["num_attention_heads"], {}
    for name, array in tensors.items():
        turned = array
        if "q_proj" in name or "k_proj" in name:
            rows, d = array.shape
            turned = array.reshape(rows // d_k, 2, d_k // 2, d).swapaxes(1, 2).reshape(rows, d)
        new = name
        for theirs, ours in names.items():
            new = new.replace(theirs, ours)
        made[new] = turned
    return made


def _layers(linear: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, ...]]:
    made: dict[str, tuple[int, ...]] = {}
    for name, (rows, columns) in linear.items():
        made |= {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}
    return made


def _norms(names: list[str], d: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.{part}": (d,) for name in names for part in ("weight", "bias")}


SHAPES = {
    "bert": bert_shapes,
    "roberta": bert_shapes,
    "distilbert": distilbert_shapes,
    "gpt2": gpt2_shapes,
    "llama": llama_shapes,
    "mistral": llama_shapes,
    "qwen2": llama_shapes,
    "qwen3": llama_shapes,
}


def draw(config: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
    """Weights with an effect in every step: of magnitude 1, with different norms."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, shape in SHAPES[config["model_type"]](config).items():
        spread = 1.0 if len(shape) == 1 else 1.5 / math.sqrt(shape[-1])
        array = rng.normal(0.0, spread, shape)
        if "norm" in name.lower() or "ln_" in name:
            array = 1.0 + 0.3 * array
        made[name] = array.astype(np.float32)
    return made


def write_safetensors(path: Path, tensors: Mapping[str, Any], *, metadata: bool = True) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "np"}} if metadata else {}
    body = b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        offsets = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": TYPES[str(array.dtype)], "shape": list(array.shape), "data_offsets": offsets}
        body += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


def write(
    folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Any], *, tokenizer: bool = True
) -> Path:
    """A checkpoint's folder: tensors, config and a tokenizer that knows the words w0, w1, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "model.safetensors", tensors)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if tokenizer:
        write_tokenizer(folder / "tokenizer.json", 11)
    return folder


def write_tokenizer(path: Path, n_vocab: int, known: Sequence[str] = ()) -> None:
    """A lower-case word tokenizer that splits like BERT's: w0, w1, ..., or the given words."""
    words = {w: i for i, w in enumerate(known or [f"w{i}" for i in range(n_vocab - 1)])}
    words["[UNK]"] = n_vocab - 1
    split = {"type": "BertPreTokenizer"} if known else {"type": "WhitespaceSplit"}
    path.write_text(
        json.dumps(
            {
                "version": "1.0",
                "truncation": {
                    "max_length": 4,
                    "strategy": "LongestFirst",
                    "stride": 0,
                    "direction": "Right",
                },
                "padding": None,
                "added_tokens": [],
                "normalizer": {"type": "Lowercase"} if known else None,
                "pre_tokenizer": split,
                "post_processor": None,
                "decoder": None,
                "model": {"type": "WordLevel", "vocab": words, "unk_token": "[UNK]"},
            }
        ),
        encoding="utf-8",
    )


def to_bfloat16(array: Any) -> Any:
    """The upper halves of float32 numbers, as 16-bit integers."""
    return (np.ascontiguousarray(array, np.float32).view(np.uint32) >> 16).astype(np.uint16)
