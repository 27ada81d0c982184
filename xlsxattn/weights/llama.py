"""Decoders that are built like Llama (Touvron et al. 2023), under the three sets of names they go by.

Hugging Face's own (Llama, Mistral, Qwen2) turn the two halves of Q and K; the makers' original ones, and
GlassLM, turn pairs of neighbouring columns (Su et al. 2021, eq. 34).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xlsxattn.builder.specification.table import show
from xlsxattn.language import say
from xlsxattn.weights.parts import Plan, TensorPart, unembedding

if TYPE_CHECKING:
    from xlsxattn.weights.config import Config
    from xlsxattn.weights.parts import Parts


@dataclass(frozen=True, slots=True)
class LlamaNames:
    """How a family calls its tensors; ``turned``: its matrices are kept as out × in."""

    table: str
    layer: str
    linear: dict[str, str]
    norm1: str
    norm2: str
    last: str
    head: str
    weight: str
    turned: bool


HUGGING_FACE = LlamaNames(
    "embed_tokens.weight",
    "layers",
    {
        "Q": "self_attn.q_proj",
        "K": "self_attn.k_proj",
        "V": "self_attn.v_proj",
        "O": "self_attn.o_proj",
        "1": "mlp.gate_proj",
        "3": "mlp.up_proj",
        "2": "mlp.down_proj",
    },
    "input_layernorm.weight",
    "post_attention_layernorm.weight",
    "norm.weight",
    "lm_head.weight",
    ".weight",
    turned=True,
)
ORIGINAL = LlamaNames(
    "tok_embeddings.weight",
    "layers",
    {
        "Q": "attention.wq",
        "K": "attention.wk",
        "V": "attention.wv",
        "O": "attention.wo",
        "1": "feed_forward.w1",
        "3": "feed_forward.w3",
        "2": "feed_forward.w2",
    },
    "attention_norm.weight",
    "ffn_norm.weight",
    "norm.weight",
    "output.weight",
    ".weight",
    turned=True,
)
GLASS = LlamaNames(
    "E",
    "blocks",
    {
        "Q": "attn.W_Q",
        "K": "attn.W_K",
        "V": "attn.W_V",
        "O": "attn.W_O",
        "1": "ffn.W1",
        "3": "ffn.W3",
        "2": "ffn.W2",
    },
    "norm1.gamma",
    "norm2.gamma",
    "norm_f.gamma",
    "",
    "",
    turned=False,
)


def plan_llama(parts: Parts, config: Config) -> Plan:
    """Llama, Mistral, Qwen2 under Hugging Face's names."""
    biased = {"O", "Q", "K", "V"} if config.flag("attention_bias", default=False) else set()
    if config.get("model_type") == "qwen2":
        biased = {"Q", "K", "V"}
    biased |= {"1", "2", "3"} if config.flag("mlp_bias", default=False) else set()
    config.refuse("hidden_act", ("silu", "swish"))
    config.refuse("partial_rotary_factor", (1, 1.0))
    interleaved = config.flag("rope_interleave", "rope_interleaved", default=False)
    tied = config.flag("tie_word_embeddings", default=False)
    return _plan(
        parts, config, HUGGING_FACE, biased, "Llama", pairs="adjacent" if interleaved else "halves", tied=tied
    )


def plan_original(parts: Parts, config: Config) -> Plan:
    """Llama and Mistral under their makers' own names."""
    config.refuse("use_scaled_rope", (False,))
    return _plan(parts, config, ORIGINAL, set(), "Llama", pairs="adjacent", tied=False)


def plan_glass(parts: Parts, config: Config) -> Plan:
    """GlassLM, a small decoder of Llama's kind with matrices kept as in × out."""
    return _plan(parts, config, GLASS, set(), "GlassLM", pairs="adjacent", tied=True)


def _plan(
    parts: Parts, config: Config, names: LlamaNames, biased: set[str], family: str, *, pairs: str, tied: bool
) -> Plan:
    d_model = config.count("hidden_size", "dim", "d_model")
    settings = _settings(parts, config, names, d_model) | {"bias": bool(biased), "pairs": pairs}
    table = parts.find(names.table)
    n_vocab = config.count("vocab_size") if config.get("vocab_size") != -1 else (*table.shape, 0)[0]
    table = parts.check(names.table, n_vocab, d_model)
    head, notes = unembedding(parts, table, names.head, tied=tied)
    if biased and biased != set(names.linear):
        without = ", ".join(f"b_{which}" for which in names.linear if which not in biased)
        notes = (*notes, say("The checkpoint has no {names}: they are zeros.", names=without))
    return Plan(
        family,
        "decoder",
        settings | {"tied": head is None},
        d_model,
        n_vocab,
        _positions(config),
        table,
        head,
        (parts.row("Output_Gamma", names.last, d_model),),
        tuple(
            _layer(parts, names, k, biased, settings | {"d_model": d_model})
            for k in range(settings["layers"])
        ),
        notes,
    )


def _positions(config: Config) -> int | None:
    """The longest sentence; a sliding window would hide words from each other in a longer one."""
    found = [
        config.count(key)
        for key in ("max_position_embeddings", "max_seq_len", "max_len")
        if config.get(key) is not None
    ]
    if config.get("sliding_window") is not None and config.flag("use_sliding_window", default=True):
        found.append(config.count("sliding_window"))
    return min(found, default=None)


def _settings(parts: Parts, config: Config, names: LlamaNames, d_model: int) -> dict[str, Any]:
    heads = config.count("num_attention_heads", "n_heads")
    kv_heads = config.count("num_key_value_heads", "n_kv_heads", default=heads)
    config.divided(heads, "num_key_value_heads", kv_heads)
    if config.get("head_dim") is None:
        d_k = config.divided(d_model, "num_attention_heads", heads)
    else:
        d_k = config.count("head_dim")
    if d_k % 2:
        raise config.error(
            "head_dim", "the heads have {d_k} columns, which cannot be turned in pairs", d_k=d_k
        )
    gate = parts.find(f"{names.layer}.0.{names.linear['1']}{names.weight}")
    found = (*gate.shape, 0, 0)[0 if names.turned else 1]
    return {
        "layers": config.count("num_hidden_layers", "n_layers"),
        "heads": heads,
        "kv_heads": kv_heads,
        "d_k": d_k,
        "d_v": d_k,
        "d_ff": config.count("intermediate_size", "hidden_dim", default=found),
        "norm": "rms",
        "epsilon": config.positive("rms_norm_eps", "norm_eps", "eps", default=1e-6),
        "residual": "pre-norm",
        "activation": "swiglu",
        "mask": "causal",
        "position": "rotary",
        "base": _base(config),
        "scale": True,
        "scale_embeddings": False,
        "embedding_norm": False,
        "final_norm": True,
    }


def _base(config: Config) -> float:
    """The base of the rotation; stretched rotations are refused."""
    within = config.get("rope_parameters", "rope_scaling", default={})
    if not isinstance(within, dict):
        raise config.error("rope_parameters", "a table is needed")
    kind = within.get("rope_type", within.get("type", "default"))
    if kind != "default":
        key = "rope_parameters" if "rope_parameters" in config.data else "rope_scaling"
        sentence = "found the type {kind}: rotations that are stretched for long texts are not supported"
        raise config.error(key, sentence, kind=show(kind))
    if "rope_theta" in within:
        return type(config)(within, config.path).positive("rope_theta")
    return config.positive("rope_theta", "rope_base", default=10_000.0)


def _layer(
    parts: Parts, names: LlamaNames, k: int, biased: set[str], sizes: dict[str, Any]
) -> tuple[TensorPart, ...]:
    at, pieces = f"{names.layer}.{k}.", []
    d_model, d_ff = sizes["d_model"], sizes["d_ff"]
    queries, keys = sizes["heads"] * sizes["d_k"], sizes["kv_heads"] * sizes["d_k"]
    shapes = {
        "Q": (d_model, queries),
        "K": (d_model, keys),
        "V": (d_model, keys),
        "O": (queries, d_model),
        "2": (d_ff, d_model),
    }
    for which, name in names.linear.items():
        rows, columns = shapes.get(which, (d_model, d_ff))
        pieces.append(
            parts.linear(f"W_{which}", f"{at}{name}{names.weight}", rows, columns, turned=names.turned)
        )
        if which in biased:
            pieces.append(parts.row(f"b_{which}", f"{at}{name}.bias", columns))
        elif biased:
            pieces.append(TensorPart(f"b_{which}", (1, columns)))
    pieces.append(parts.row("Norm1_Gamma", at + names.norm1, d_model))
    pieces.append(parts.row("Norm2_Gamma", at + names.norm2, d_model))
    return tuple(pieces)
