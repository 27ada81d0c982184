"""Decoders of the Llama architecture (Touvron et al. 2023), under three sets of tensor names.

Hugging Face's versions (Llama, Mistral, Qwen2, Qwen3) rotate the two halves of Q and K; Meta's and Mistral's
original checkpoints, and GlassLM, rotate pairs of adjacent columns (Su et al. 2021, eq. 34).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder.specification.table import show
from xlsxattn.contract.kinds import Decoder
from xlsxattn.contract.values import MIN_BASE, MIN_EPSILON
from xlsxattn.language import say
from xlsxattn.weights.parts import Plan, TensorPart, unembedding
from xlsxattn.weights.rotation import BASE, LAYER_TYPES, Rotation, rotation

if TYPE_CHECKING:
    from xlsxattn.weights.config import Config
    from xlsxattn.weights.parts import Parts


@dataclass(frozen=True, slots=True)
class LlamaKeys:
    """Keys of the sizes in a family's config."""

    d_model: str
    layers: str
    heads: str
    kv_heads: str
    d_ff: str


@dataclass(frozen=True, slots=True)
class LlamaNames:
    """Names of a family's tensors and config keys.

    ``transposed``: matrices are stored as out × in. ``d_ff_from_weights``: a config may omit d_ff.
    """

    table: str
    layer: str
    linear: dict[str, str]
    norm1: str
    norm2: str
    last: str
    head: str
    weight: str
    keys: LlamaKeys
    transposed: bool
    d_ff_from_weights: bool


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
    LlamaKeys(
        d_model="hidden_size",
        layers="num_hidden_layers",
        heads="num_attention_heads",
        kv_heads="num_key_value_heads",
        d_ff="intermediate_size",
    ),
    transposed=True,
    d_ff_from_weights=False,
)
_ORIGINAL_KEYS = LlamaKeys(
    d_model="dim", layers="n_layers", heads="n_heads", kv_heads="n_kv_heads", d_ff="hidden_dim"
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
    _ORIGINAL_KEYS,
    transposed=True,
    d_ff_from_weights=True,
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
    replace(_ORIGINAL_KEYS, d_model="d_model"),
    transposed=False,
    d_ff_from_weights=True,
)

MISTRAL_KV_HEADS, QWEN_KV_HEADS, QWEN3_HEAD = 8, 32, 128
QWEN_FIRST_SLIDING, WINDOW = 28, 4096
"""Defaults of the transformers library: heads of keys and values, columns of a head, the first layer with a
sliding window, and its size."""


def plan_llama(parts: Parts, config: Config) -> Plan:
    """Llama: biases as set in its config."""
    biased = _attention_bias(config) | ({"1", "2", "3"} if config.flag("mlp_bias", default=False) else set())
    return _hugging_face(parts, config, biased, window=_given(config, "sliding_window"))


def plan_mistral(parts: Parts, config: Config) -> Plan:
    """Mistral (Jiang et al. 2023): no biases; sliding-window attention."""
    kv_heads = MISTRAL_KV_HEADS if "num_key_value_heads" not in config.data else None
    window = _given(config, "sliding_window") if "sliding_window" in config.data else WINDOW
    return _hugging_face(parts, config, set(), kv_heads=kv_heads, window=window)


def plan_qwen2(parts: Parts, config: Config) -> Plan:
    """Qwen2 (Yang et al. 2024): only queries, keys and values have biases."""
    kv_heads = QWEN_KV_HEADS if "num_key_value_heads" not in config.data else None
    return _hugging_face(parts, config, {"Q", "K", "V"}, kv_heads=kv_heads, window=_window(config))


def plan_qwen3(parts: Parts, config: Config) -> Plan:
    """Qwen3 (Yang et al. 2025): each head's queries and keys are normalized before they are rotated."""
    kv_heads = QWEN_KV_HEADS if "num_key_value_heads" not in config.data else None
    qwen = _hugging_face(
        parts,
        config,
        _attention_bias(config),
        kv_heads=kv_heads,
        d_k=QWEN3_HEAD,
        window=_window(config),
        normed=True,
    )
    return replace(qwen, model=replace(qwen.model, id="qwen", title="Qwen3"))


def plan_original(parts: Parts, config: Config) -> Plan:
    """Llama and Mistral under their original names.

    Without a base in the config, Meta's code uses 10,000; Mistral's default has changed, so it is required.
    """
    meta = config.get("multiple_of") is not None
    base = config.positive("rope_theta", default=BASE if meta else None, minimum=MIN_BASE)
    model = _model(parts, config, ORIGINAL, Rotation(base))
    model = replace(model, epsilon=config.positive("norm_eps", minimum=MIN_EPSILON))
    original = _plan(parts, config, ORIGINAL, model, set(), tied=False)
    return replace(
        original, n_positions=_given(config, "max_seq_len"), window=_given(config, "sliding_window")
    )


def plan_glass(parts: Parts, config: Config) -> Plan:
    """GlassLM, a small Llama-like decoder whose matrices are stored as in × out."""
    base = config.positive("rope_base", minimum=MIN_BASE)
    model = _model(parts, config, GLASS, Rotation(base))
    epsilon = config.positive("eps", minimum=MIN_EPSILON)
    model = replace(model, id="glass", title="GlassLM", epsilon=epsilon)
    glass = _plan(parts, config, GLASS, model, set(), tied=True)
    return replace(glass, n_positions=_given(config, "max_len"))


def _hugging_face(
    parts: Parts,
    config: Config,
    biased: set[str],
    *,
    kv_heads: int | None = None,
    d_k: int | None = None,
    window: int | None = None,
    normed: bool = False,
) -> Plan:
    """A model under Hugging Face's names; ``kv_heads``, ``d_k``: defaults for the config."""
    _layer_types(config, window)
    rope = rotation(config)
    model = _model(parts, config, HUGGING_FACE, rope, kv_heads=kv_heads, d_k=d_k)
    epsilon = config.positive("rms_norm_eps", default=1e-6, minimum=MIN_EPSILON)
    model = replace(model, epsilon=epsilon, pairs="halves", qk_norm=normed)
    tied = config.flag("tie_word_embeddings", default=False)
    plan = _plan(parts, config, HUGGING_FACE, model, biased, tied=tied)
    return replace(
        plan,
        n_positions=_given(config, "max_position_embeddings"),
        window=window,
        notes=(*rope.notes, *plan.notes),
    )


def _attention_bias(config: Config) -> set[str]:
    return {"O", "Q", "K", "V"} if config.flag("attention_bias", default=False) else set()


def _given(config: Config, key: str) -> int | None:
    """The number of a key, if the config has it."""
    return config.count(key) if config.get(key) is not None else None


def _window(config: Config) -> int | None:
    """Size of the sliding window of a Qwen, if any of its layers has one."""
    if not config.flag("use_sliding_window", default=False):
        return None
    types, layers = config.get("layer_types"), config.count("num_hidden_layers")
    first = config.get("max_window_layers", default=QWEN_FIRST_SLIDING)
    if isinstance(types, list):
        slides = "sliding_attention" in types
    else:
        slides = type(first) is int and first < layers
    return config.count("sliding_window", default=WINDOW) if slides else None


def _layer_types(config: Config, window: int | None) -> None:
    """Reject unknown kinds of attention layers, and sliding layers without a window."""
    types = config.get("layer_types")
    if types is None:
        return
    known = isinstance(types, list) and all(one in LAYER_TYPES for one in types)
    layers = config.count("num_hidden_layers")
    if not known or len(types) != layers:
        sentence = "found {found}, expected {n} of {known}"
        raise config.error("layer_types", sentence, found=show(types), n=layers, known=", ".join(LAYER_TYPES))
    if "sliding_attention" in types and window is None:
        raise config.error("layer_types", "has sliding_attention, but the config has no sliding_window")


def _plan(
    parts: Parts, config: Config, names: LlamaNames, model: Decoder, biased: set[str], *, tied: bool
) -> Plan:
    d_model = config.count(names.keys.d_model)
    table = parts.find(names.table)
    n_vocab = config.count("vocab_size") if config.get("vocab_size") != -1 else (*table.shape, 0)[0]
    table = parts.check(names.table, n_vocab, d_model)
    head, notes = unembedding(parts, table, names.head, tied=tied)
    if biased and biased != set(names.linear):
        without = ", ".join(f"b_{which}" for which in names.linear if which not in biased)
        notes = (*notes, say("The checkpoint has no {names}: zeros are used.", names=without))
    layers = [_layer(parts, names, k, biased, d_model, model) for k in range(model.layers)]
    if model.qk_norm:
        layers = [(*layer, *_qk_norms(parts, k, model.d_k)) for k, layer in enumerate(layers)]
    return Plan(
        replace(model, bias=bool(biased), tied=head is None),
        d_model,
        n_vocab,
        None,
        table,
        head,
        (parts.row("Output_Gamma", names.last, d_model),),
        tuple(layers),
        notes,
    )


def _model(
    parts: Parts,
    config: Config,
    names: LlamaNames,
    rope: Rotation,
    *,
    kv_heads: int | None = None,
    d_k: int | None = None,
) -> Decoder:
    """A Llama with the config's sizes, without ε; original configs leave d_ff to the matrices' shapes."""
    keys = names.keys
    heads = config.count(keys.heads)
    kv_heads = config.count(keys.kv_heads, default=kv_heads or heads)
    config.divided(heads, keys.kv_heads, kv_heads)
    if d_k is None and config.get("head_dim") is None:
        d_k = config.divided(config.count(keys.d_model), keys.heads, heads)
    d_k = config.count("head_dim", default=d_k)
    if d_k % 2:
        sentence = "heads have {d_k} columns, but rotation needs an even number"
        raise config.error("head_dim", sentence, d_k=d_k)
    d_ff = None
    if names.d_ff_from_weights:
        gate = parts.find(f"{names.layer}.0.{names.linear['1']}{names.weight}")
        d_ff = (*gate.shape, 0, 0)[0 if names.transposed else 1]
    return Decoder(
        id="llama",
        title="Llama",
        layers=config.count(keys.layers),
        heads=heads,
        kv_heads=kv_heads,
        d_k=d_k,
        d_v=d_k,
        d_ff=config.count(keys.d_ff, default=d_ff),
        norm="rms",
        residual="pre-norm",
        activation="swiglu",
        mask="causal",
        position="rotary",
        base=rope.base,
        stretch=rope.stretch,
        pairs="adjacent",
        scale=True,
        scale_embeddings=False,
        embedding_norm=False,
        final_norm=True,
    )


def _layer(
    parts: Parts, names: LlamaNames, k: int, biased: set[str], d_model: int, model: Decoder
) -> tuple[TensorPart, ...]:
    prefix = f"{names.layer}.{k}."
    weights: list[TensorPart] = []
    d_ff, queries, keys = model.d_ff, model.heads * model.d_k, model.kv_heads * model.d_k
    shapes = {
        "Q": (d_model, queries),
        "K": (d_model, keys),
        "V": (d_model, keys),
        "O": (queries, d_model),
        "1": (d_model, d_ff),
        "3": (d_model, d_ff),
        "2": (d_ff, d_model),
    }
    for which, name in names.linear.items():
        rows, columns = shapes[which]
        tensor = f"{prefix}{name}{names.weight}"
        weights.append(parts.linear(f"W_{which}", tensor, rows, columns, transposed=names.transposed))
        if which in biased:
            weights.append(parts.row(f"b_{which}", f"{prefix}{name}.bias", columns))
        elif biased:
            weights.append(TensorPart(f"b_{which}", (1, columns)))  # zeros
    weights.append(parts.row("Norm1_Gamma", prefix + names.norm1, d_model))
    weights.append(parts.row("Norm2_Gamma", prefix + names.norm2, d_model))
    return tuple(weights)


def _qk_norms(parts: Parts, k: int, d_k: int) -> tuple[TensorPart, TensorPart]:
    """γ of the norms of a layer's queries and keys, 1 × d_k."""
    return (
        parts.row("QNorm_Gamma", f"layers.{k}.self_attn.q_norm.weight", d_k),
        parts.row("KNorm_Gamma", f"layers.{k}.self_attn.k_norm.weight", d_k),
    )
