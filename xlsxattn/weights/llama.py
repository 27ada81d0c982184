"""Decoders that are built like Llama (Touvron et al. 2023), under the three sets of names they go by.

Hugging Face's own (Llama, Mistral, Qwen2, Qwen3) turn the two halves of Q and K; the makers' original ones,
and GlassLM, turn pairs of neighbouring columns (Su et al. 2021, eq. 34).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xlsxattn.builder.specification.table import show
from xlsxattn.contract.kinds import Decoder
from xlsxattn.language import say
from xlsxattn.weights.config import MIN_BASE, MIN_EPSILON
from xlsxattn.weights.parts import Plan, TensorPart, unembedding
from xlsxattn.weights.rotation import BASE, Rotation, rotation

if TYPE_CHECKING:
    from xlsxattn.weights.config import Config
    from xlsxattn.weights.parts import Parts


@dataclass(frozen=True, slots=True)
class LlamaKeys:
    """How a family calls the sizes in its config."""

    d_model: str
    layers: str
    heads: str
    kv_heads: str
    d_ff: str


@dataclass(frozen=True, slots=True)
class LlamaNames:
    """How a family calls its tensors and the keys of its config.

    ``turned``: its matrices are kept as out × in. ``d_ff_from_weights``: a config may leave out d_ff.
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
    turned: bool
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
    turned=True,
    d_ff_from_weights=False,
)
_MAKERS_KEYS = LlamaKeys(
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
    _MAKERS_KEYS,
    turned=True,
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
    replace(_MAKERS_KEYS, d_model="d_model"),
    turned=False,
    d_ff_from_weights=True,
)


MISTRAL_KV_HEADS, QWEN_KV_HEADS, QWEN3_HEAD = 8, 32, 128
LAYER_TYPES = ("full_attention", "sliding_attention")
QWEN_FIRST_SLIDING, WINDOW = 28, 4096
"""What a config leaves out counts as the transformers library has it: heads of keys and values, columns of a
head, the first layer that slides, and its window."""


def plan_llama(parts: Parts, config: Config) -> Plan:
    """Llama: biases where its config says so."""
    biased = _attention_bias(config) | ({"1", "2", "3"} if config.flag("mlp_bias", default=False) else set())
    window = config.count("sliding_window") if config.get("sliding_window") is not None else None
    return _hugging_face(parts, config, biased, window=window)


def plan_mistral(parts: Parts, config: Config) -> Plan:
    """Mistral (Jiang et al. 2023): no biases; each token looks back as far as a window reaches."""
    kv_heads = MISTRAL_KV_HEADS if "num_key_value_heads" not in config.data else None
    window = WINDOW if "sliding_window" not in config.data else None
    if config.get("sliding_window") is not None:
        window = config.count("sliding_window")
    return _hugging_face(parts, config, set(), kv_heads=kv_heads, window=window)


def plan_qwen2(parts: Parts, config: Config) -> Plan:
    """Qwen2 (Yang et al. 2024): queries, keys and values have biases, nothing else has."""
    kv_heads = QWEN_KV_HEADS if "num_key_value_heads" not in config.data else None
    return _hugging_face(parts, config, {"Q", "K", "V"}, kv_heads=kv_heads, window=_window(config))


def plan_qwen3(parts: Parts, config: Config) -> Plan:
    """Qwen3 (Yang et al. 2025): each head's queries and keys are normed before they are turned."""
    kv_heads = QWEN_KV_HEADS if "num_key_value_heads" not in config.data else None
    found = _hugging_face(
        parts,
        config,
        _attention_bias(config),
        kv_heads=kv_heads,
        d_k=QWEN3_HEAD,
        window=_window(config),
        normed=True,
    )
    return replace(found, model=replace(found.model, id="qwen", title="Qwen3"))


def plan_original(parts: Parts, config: Config) -> Plan:
    """Llama and Mistral under their makers' own names.

    Meta's code turns with the base 10,000 where its config names none; Mistral's has changed that number.
    """
    meta = config.get("multiple_of") is not None
    base = config.positive("rope_theta", default=BASE if meta else None, least=MIN_BASE)
    model = _model(parts, config, ORIGINAL, Rotation(base))
    model = replace(model, epsilon=config.positive("norm_eps", least=MIN_EPSILON))
    window = config.count("sliding_window") if config.get("sliding_window") is not None else None
    found = _plan(parts, config, ORIGINAL, model, set(), tied=False)
    return replace(found, n_positions=_positions(config, "max_seq_len"), window=window)


def plan_glass(parts: Parts, config: Config) -> Plan:
    """GlassLM, a small decoder of Llama's kind with matrices kept as in × out."""
    base = config.positive("rope_base", least=MIN_BASE)
    model = _model(parts, config, GLASS, Rotation(base))
    epsilon = config.positive("eps", least=MIN_EPSILON)
    model = replace(model, id="glass", title="GlassLM", epsilon=epsilon)
    found = _plan(parts, config, GLASS, model, set(), tied=True)
    return replace(found, n_positions=_positions(config, "max_len"))


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
    """A model under Hugging Face's names; ``kv_heads``, ``d_k``: what counts where the config names none."""
    _layer_types(config, window)
    turned = rotation(config)
    model = _model(parts, config, HUGGING_FACE, turned, kv_heads=kv_heads, d_k=d_k)
    epsilon = config.positive("rms_norm_eps", default=1e-6, least=MIN_EPSILON)
    model = replace(model, epsilon=epsilon, pairs="halves", qk_norm=normed)
    tied = config.flag("tie_word_embeddings", default=False)
    found = _plan(parts, config, HUGGING_FACE, model, biased, tied=tied)
    return replace(
        found,
        n_positions=_positions(config, "max_position_embeddings"),
        window=window,
        notes=(*turned.notes, *found.notes),
    )


def _attention_bias(config: Config) -> set[str]:
    return {"O", "Q", "K", "V"} if config.flag("attention_bias", default=False) else set()


def _positions(config: Config, key: str) -> int | None:
    """The longest sentence, where the config has a limit."""
    return config.count(key) if config.get(key) is not None else None


def _window(config: Config) -> int | None:
    """How far back the layers of a Qwen look that slide, where any does."""
    if not config.flag("use_sliding_window", default=False):
        return None
    types, layers = config.get("layer_types"), config.count("num_hidden_layers")
    first = config.get("max_window_layers", default=QWEN_FIRST_SLIDING)
    slides = (
        "sliding_attention" in types if isinstance(types, list) else type(first) is int and first < layers
    )
    return config.count("sliding_window", default=WINDOW) if slides else None


def _layer_types(config: Config, window: int | None) -> None:
    """Refuse layers that attend in a way of their own; those that slide need a window."""
    found = config.get("layer_types")
    if found is None:
        return
    known = isinstance(found, list) and all(one in LAYER_TYPES for one in found)
    layers = config.count("num_hidden_layers")
    if not known or len(found) != layers:
        sentence = "found {found}, {n} of {known} are needed"
        raise config.error("layer_types", sentence, found=show(found), n=layers, known=", ".join(LAYER_TYPES))
    if "sliding_attention" in found and window is None:
        raise config.error("layer_types", "has layers that slide, and the config has no window for them")


def _plan(
    parts: Parts,
    config: Config,
    names: LlamaNames,
    model: Decoder,
    biased: set[str],
    *,
    tied: bool,
) -> Plan:
    d_model = config.count(names.keys.d_model)
    table = parts.find(names.table)
    n_vocab = config.count("vocab_size") if config.get("vocab_size") != -1 else (*table.shape, 0)[0]
    table = parts.check(names.table, n_vocab, d_model)
    head, notes = unembedding(parts, table, names.head, tied=tied)
    if biased and biased != set(names.linear):
        without = ", ".join(f"b_{which}" for which in names.linear if which not in biased)
        notes = (*notes, say("The checkpoint has no {names}: they are zeros.", names=without))
    layers = [_layer(parts, names, k, biased, d_model, model) for k in range(model.layers)]
    if model.qk_norm:
        layers = [(*layer, *_norms_of_heads(parts, k, model.d_k)) for k, layer in enumerate(layers)]
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
    turned: Rotation,
    *,
    kv_heads: int | None = None,
    d_k: int | None = None,
) -> Decoder:
    """A Llama of the config's sizes, without its ε; the makers' own configs leave d_ff to the matrices."""
    keys = names.keys
    heads = config.count(keys.heads)
    kv_heads = config.count(keys.kv_heads, default=kv_heads or heads)
    config.divided(heads, keys.kv_heads, kv_heads)
    if d_k is None and config.get("head_dim") is None:
        d_k = config.divided(config.count(keys.d_model), keys.heads, heads)
    d_k = config.count("head_dim", default=d_k)
    if d_k % 2:
        sentence = "the heads have {d_k} columns, which cannot be turned in pairs"
        raise config.error("head_dim", sentence, d_k=d_k)
    d_ff = None
    if names.d_ff_from_weights:
        gate = parts.find(f"{names.layer}.0.{names.linear['1']}{names.weight}")
        d_ff = (*gate.shape, 0, 0)[0 if names.turned else 1]
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
        base=turned.base,
        stretch=turned.stretch,
        pairs="adjacent",
        scale=True,
        scale_embeddings=False,
        embedding_norm=False,
        final_norm=True,
    )


def _layer(
    parts: Parts, names: LlamaNames, k: int, biased: set[str], d_model: int, model: Decoder
) -> tuple[TensorPart, ...]:
    at, pieces = f"{names.layer}.{k}.", []
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


def _norms_of_heads(parts: Parts, k: int, d_k: int) -> tuple[TensorPart, TensorPart]:
    """γ of the norms of a layer's queries and keys."""
    return (
        parts.row("QNorm_Gamma", f"layers.{k}.self_attn.q_norm.weight", d_k),
        parts.row("KNorm_Gamma", f"layers.{k}.self_attn.k_norm.weight", d_k),
    )
