"""The config keys that each family reads, and those that are ignored or rejected.

An unknown key is reported and ignored. It is rejected if its name suggests that it changes what the model
computes, since the workbook would not do the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xlsxattn.builder.specification.table import show
from xlsxattn.language import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xlsxattn.language import Phrase
    from xlsxattn.weights.config import Config

MAX_NAMED, MAX_NAME = 8, 80
"""Names in a list, and characters of a name that is written without quotation marks."""


@dataclass(frozen=True, slots=True)
class FamilyKeys:
    """The keys of a family's configs.

    Attributes:
        read: keys that its plan reads.
        only: keys with their supported values; other values are rejected.
        unread: keys that only other families read, each with the value that changes nothing, and a remark on
            what is used instead.
        harmless: keys that change nothing, in addition to ``HARMLESS``.
    """

    read: tuple[str, ...]
    only: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    unread: Mapping[str, tuple[object, str]] = field(default_factory=dict)
    harmless: tuple[str, ...] = ()


_HARMLESS_KEYS = """
_attn_implementation _attn_implementation_autoset _attn_implementation_internal _commit_hash
_flash_attn_2_enabled _from_model_config _name_or_path adapters architectures
assistant_confidence_threshold assistant_lookbehind attn_implementation auto_map bad_words_ids
base_model_name begin_suppress_tokens bos_token_id chunk_size_feed_forward cls_token_id custom_pipelines
decoder_start_token_id directionality diversity_penalty do_sample dtype early_stopping
encoder_no_repeat_ngram_size encoder_repetition_penalty eos_token_id epsilon_cutoff eta_cutoff
experts_implementation exponential_decay_length_penalty finetuning_task forced_bos_token_id
forced_eos_token_id gradient_checkpointing hidden_dropout id2label initializer_factor initializer_range
is_decoder keys_to_ignore_at_inference label2id language length_penalty mask_token_id max_length
max_seq_length min_length model_max_length model_type name_or_path no_repeat_ngram_size
num_assistant_tokens num_assistant_tokens_schedule num_beam_groups num_beams num_labels
num_return_sequences output_attentions output_hidden_states output_past output_scores pad_token_id
pretraining_tp prefix problem_type remove_invalid_values repetition_penalty return_dict
return_dict_in_generate sep_token_id summary_activation summary_proj_to_labels summary_type
summary_use_proj suppress_tokens target_lookbehind task_specific_params temperature tf_legacy_loss
tie_encoder_decoder tie_word_embeddings tokenizer_class top_k top_p torch_dtype torchscript
transformers_version typical_p unk_token_id unsloth_fixed unsloth_version use_bfloat16 use_cache
use_flash_attn use_flash_attention vocab_size_multiple
"""
HARMLESS = frozenset(_HARMLESS_KEYS.split())
"""Keys that do not change what a trained model computes, in any family."""
ONLY: Mapping[str, tuple[object, ...]] = {
    "embedding_multiplier": (1,),
    "is_encoder_decoder": (False,),
    "logit_scale": (1,),
    "logits_scaling": (1,),
    "per_layer_config": (),
    "prefix_lm": (False,),
    "quantization_config": (),
    "residual_multiplier": (1,),
    "text_config": (),
}
"""Keys that change the results of any family, and the values that do not."""
NEUTRAL: tuple[object, ...] = (None, False, 0, "", [], {})
"""Values of an unknown key that have no effect."""
_COMPUTING_WORDS = """
act activation activations alibi alpha attention attn beta bias bidirectional bits block blocks cap capping
causal chunk clamp clip compress conv cross cycles damping dilation divisor emb embd embed embedding
embeddings eps epsilon expert experts factor ffn forward freq frequency gate gated gating global glu head
heads hybrid interleave interleaved kernel key kv lambda layer layernorm layers limit limits local logit
logits loops lora mask mixture mlp moe mult multi multiplier multipliers multiscale mup nope norm
normalization normalize parallel polynomial pos position positional positions post prune pruned qk qkv quant
quantization quantized query ratio recurrent relative repeats rescale residual residuals rms rope rotary
router scale scaled scaling shared shift sink sinks skip sliding slope smooth softcap softcapping softmax
sparse sparsity stride swa tanh temperature theta timescale top topk upscale value window windows
"""
_COMPUTES = frozenset(_COMPUTING_WORDS.split())
"""An unknown key with one of these words in its name may change what the model computes."""
_OFF_AFTER_TRAINING = re.compile(r".*(dropout|_pdrop|_dropout_prob|layerdrop|_loss|_loss_coef|_lr)")
"""Keys of what is only active in training."""


def check_keys(config: Config, keys: FamilyKeys, family: str) -> tuple[Phrase, ...]:
    """Check the keys of a config, and return remarks on ignored keys.

    Raises:
        CheckpointError: an unsupported key changes what the model computes, or may do so.
    """
    if config.get("quantization_config"):
        sentence = "the checkpoint is quantized, which workbooks do not support: use the original"
        raise config.error("quantization_config", sentence)
    only = {**ONLY, **keys.only}
    for key, allowed in only.items():
        config.refuse(key, allowed)
    known = {*keys.read, *keys.harmless, *HARMLESS, *only, *keys.unread}
    notes, unknown = [], []
    for key, value in config.data.items():
        if key in keys.unread:
            same, remark = keys.unread[key]
            if not _neutral(value) and value != same:
                notes.append(_unread(config, key, value, say(remark)))
        elif key not in known and not _OFF_AFTER_TRAINING.fullmatch(key):
            _refuse_computing(config, key, value, family)
            unknown.append(key)
    if config.data.get("auto_map"):
        sentence = "{path}: auto_map names custom code, which is not run: the model is read as {family}."
        notes.append(say(sentence, path=config.path.name, family=family))
    if unknown:
        sentence = "{path}: unknown keys are ignored: {keys}."
        notes.append(say(sentence, path=config.path.name, keys=listed(sorted(unknown))))
    return tuple(notes)


def _unread(config: Config, key: str, value: object, remark: Phrase) -> Phrase:
    sentence = "{path}: {key}: found {found}, which is ignored in this family: {said}."
    return say(sentence, path=config.path.name, key=key, found=show(value), said=remark)


def _refuse_computing(config: Config, key: str, value: object, family: str) -> None:
    """Reject an unknown key whose name suggests that it changes what the model computes."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", key)  # snake_case or camelCase
    if _neutral(value) or _COMPUTES.isdisjoint(word.lower() for word in words):
        return
    sentence = (
        "found {found}, but {family} has no such key: it may change what the model computes; "
        "if it does not, remove it"
    )
    raise config.error(key, sentence, found=show(value), family=family)


def _neutral(value: object) -> bool:
    return any(value == one and type(value) is type(one) for one in NEUTRAL)


def listed(names: list[str]) -> Phrase:
    """Names separated by commas; of many, only the first few."""
    shown = [name if name.isprintable() and len(name) <= MAX_NAME else show(name) for name in names]
    joined, more = ", ".join(shown[:MAX_NAMED]), len(names) - MAX_NAMED
    return say("{names} and {n} more", names=joined, n=more) if more > 0 else say("{names}", names=joined)


# --- the families ------------------------------------------------------------------------------------------


def _keys(listed: str) -> tuple[str, ...]:
    return tuple(listed.split())


_ENCODER: Mapping[str, tuple[object, ...]] = {
    "add_cross_attention": (False,),
    "is_causal": (False,),
    "is_decoder": (False,),
    "position_embedding_type": ("absolute",),
    "pruned_heads": ({},),
}
_DECODER: Mapping[str, tuple[object, ...]] = {
    "add_cross_attention": (False,),
    "is_causal": (True,),
    "pruned_heads": ({},),
}
_POOLER = _keys(
    "pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type"
)
_BERT = _keys(
    "vocab_size hidden_size num_hidden_layers num_attention_heads intermediate_size hidden_act "
    "max_position_embeddings type_vocab_size layer_norm_eps"
)
BERT = FamilyKeys(
    (*_BERT, "embedding_size"),
    _ENCODER,
    {"layer_norm_epsilon": (1e-12, say("layer_norm_eps is used"))},
    ("summary_last_dropout", "vocab_type", *_POOLER),
)
ROBERTA = FamilyKeys((*_BERT, "pad_token_id"), _ENCODER, BERT.unread, BERT.harmless)
DISTILBERT = FamilyKeys(
    _keys(
        "vocab_size dim hidden_size n_layers num_hidden_layers n_heads num_attention_heads hidden_dim "
        "activation max_position_embeddings"
    ),
    _ENCODER,
    {
        "layer_norm_eps": (1e-12, say("ε is 1e-12")),
        "layer_norm_epsilon": (1e-12, say("ε is 1e-12")),
        "hidden_act": ("gelu", say("activation is used")),
        "activation_function": ("gelu", say("activation is used")),
        "intermediate_size": (None, say("hidden_dim is used")),
        "type_vocab_size": (None, say("it has no token types")),
    },
    ("sinusoidal_pos_embds", "output_past", *_POOLER),
)
GPT2 = FamilyKeys(
    _keys(
        "vocab_size n_embd hidden_size n_layer num_hidden_layers n_head num_attention_heads n_positions "
        "max_position_embeddings n_inner activation_function layer_norm_epsilon scale_attn_weights "
        "tie_word_embeddings"
    ),
    {**_DECODER, "scale_attn_by_inverse_layer_idx": (False,), "reorder_and_upcast_attn": (False,)},
    {
        "hidden_act": ("gelu_new", say("activation_function is used")),
        "layer_norm_eps": (1e-5, say("layer_norm_epsilon is used")),
        "intermediate_size": (None, say("n_inner is used")),
    },
    ("n_ctx", "predict_special_tokens"),
)
_LLAMA = _keys(
    "vocab_size hidden_size num_hidden_layers num_attention_heads num_key_value_heads head_dim "
    "intermediate_size hidden_act max_position_embeddings rms_norm_eps tie_word_embeddings rope_parameters "
    "rope_scaling rope_theta original_max_position_embeddings sliding_window layer_types"
)
_LLAMA_ONLY: Mapping[str, tuple[object, ...]] = {
    **_DECODER,
    "hidden_act": ("silu", "swish"),
    "partial_rotary_factor": (1,),
}
_ROPE: Mapping[str, tuple[object, str]] = {
    "rope_interleave": (False, say("the two halves of Q and K are rotated")),
    "rope_interleaved": (False, say("the two halves of Q and K are rotated")),
    "layer_norm_eps": (None, say("rms_norm_eps is used")),
    "layer_norm_epsilon": (None, say("rms_norm_eps is used")),
}
_NO_BIAS = (False, say("these layers have no biases"))
LLAMA = FamilyKeys(
    (*_LLAMA, "attention_bias", "mlp_bias"),
    _LLAMA_ONLY,
    {**_ROPE, "use_sliding_window": (False, say("sliding_window is used"))},
    ("max_window_layers",),
)
MISTRAL = FamilyKeys(
    _LLAMA,
    _LLAMA_ONLY,
    {**LLAMA.unread, "attention_bias": _NO_BIAS, "mlp_bias": _NO_BIAS},
    ("max_window_layers",),
)
_SLIDING = ("use_sliding_window", "max_window_layers")
QWEN2 = FamilyKeys(
    (*_LLAMA, *_SLIDING),
    _LLAMA_ONLY,
    {**_ROPE, "attention_bias": (True, say("Q, K and V have biases, O has none")), "mlp_bias": _NO_BIAS},
    ("use_mrope",),
)
QWEN3 = FamilyKeys((*_LLAMA, *_SLIDING, "attention_bias"), _LLAMA_ONLY, {**_ROPE, "mlp_bias": _NO_BIAS})
ORIGINAL = FamilyKeys(
    _keys(
        "vocab_size dim n_layers n_heads n_kv_heads head_dim hidden_dim norm_eps rope_theta max_seq_len "
        "sliding_window"
    ),
    {**_DECODER, "use_scaled_rope": (False,), "use_biases": (False,)},
    {},
    ("multiple_of", "ffn_dim_multiplier", "max_batch_size"),
)
GLASS = FamilyKeys(
    _keys("vocab_size d_model n_layers n_heads n_kv_heads max_len rope_base eps"), harmless=("init_std",)
)
